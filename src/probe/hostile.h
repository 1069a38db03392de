/* SPDX-License-Identifier: BSD-3-Clause */
/* The sub-command hostile: input that no decent guest or front-end sends. */
#ifndef PROBE_HOSTILE_H
#define PROBE_HOSTILE_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/options.h"
#include "probe/session.h"
#include "probe/sound.h"

struct hostile {
	const struct options *o;
	struct session session;
	uint64_t random_state;
	uint64_t cases;
	char what[160]; /* the case that is being run */
};

/* A family sends its cases and ignores what comes of them; whether the
 * back-end still lives is asked in between.  Negative when it does not. */
typedef int (*family_run)(struct hostile *h);

uint64_t hostile_random64(struct hostile *h);
uint32_t hostile_random(struct hostile *h, uint32_t below);
uint32_t hostile_pick(struct hostile *h, const uint32_t *from, uint32_t count);
void hostile_fill(struct hostile *h, void *p, uint32_t bytes);

/* Names the next case. */
void hostile_case(struct hostile *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A socket, or negative: the back-end is dead. */
int hostile_connect(struct hostile *h);
int hostile_sound(struct hostile *h, struct sound *ret);

/* Brings up to four streams to PREPARED, or to running, where they take
 * 16 bit stereo.  Negative only when the back-end is gone. */
int hostile_prepare(struct sound *s, bool start);

int hostile_frames(struct hostile *h);
int hostile_order(struct hostile *h);
int hostile_memory(struct hostile *h);
int hostile_rings(struct hostile *h);
int hostile_control(struct hostile *h);
int hostile_io(struct hostile *h);
int hostile_flip(struct hostile *h);

int hostile_command(const struct options *o);

#endif
