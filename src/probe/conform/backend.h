/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the back-end's processes use: all of the group that --spawn started.
 * Everything is 0 without --spawn, so that differences are, too.
 */
#ifndef PROBE_CONFORM_BACKEND_H
#define PROBE_CONFORM_BACKEND_H

#include "probe/conform/conform.h"

struct backend_use {
	unsigned fds;
	int64_t cpu_ms;
	int64_t rss_kib;
	int64_t peak_kib; /* the most that it ever was: what is freed at once counts, too */
};

void backend_use(const struct conform *c, struct backend_use *ret);

/* Since `before` it has never had so much more memory at a time. */
int backend_stays_small(struct conform *c, const struct backend_use *before, int64_t kib);

/* Nothing happens for a second, and it costs nothing (30 %, for slow machines). */
int backend_idles(struct conform *c, const char *when);

#endif
