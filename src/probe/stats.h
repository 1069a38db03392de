/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers collected while playing. */
#ifndef PROBE_STATS_H
#define PROBE_STATS_H

#include <stddef.h>
#include <stdint.h>

struct samples {
	int64_t *v;
	size_t count, room;
};

/* Drops the value if memory is short. */
void samples_add(struct samples *s, int64_t v);
void samples_free(struct samples *s);

/* 0 when there are none.  per_mille: 500 is the median. */
int64_t samples_quantile(struct samples *s, unsigned per_mille);
int64_t samples_min(struct samples *s);
int64_t samples_max(struct samples *s);

#endif
