/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control queue, driven by hand.
 *
 * The ring of the rig does what drivers do; here each descriptor, index and flag
 * is the scenario's own, because what drivers do not do is the point.
 */
#ifndef PROBE_CONFORM_RAW_H
#define PROBE_CONFORM_RAW_H

#include "probe/conform/card.h"

#define D_NEXT	   1u
#define D_WRITE	   2u
#define D_INDIRECT 4u

#define RAW_SETTLE_US 20000

/* Up with rings of 64, from this index on; nobody else touches the control queue. */
int raw_up(struct conform *c, uint64_t without);
int raw_up_at(struct conform *c, uint64_t without, uint16_t index);

struct ring *raw_ring(struct conform *c);
void raw_desc(uint8_t *table, unsigned i, uint64_t gpa, uint32_t len, unsigned flags,
	unsigned next);

/* Makes a head available and kicks, whatever the device wants. */
void raw_post(struct conform *c, unsigned head);

/* The next used entry. */
int raw_used(struct conform *c, uint32_t *ret_id, uint32_t *ret_len);
int raw_answered(struct conform *c, const struct chain *ch, uint32_t head);

/* A request in descriptors 2n and 2n + 1; and sent, with its answer. */
int raw_describe(struct conform *c, struct chain *ch, unsigned n);
int raw_plain(struct conform *c, unsigned n);

/* How often the call eventfd was signalled since the last time. */
uint64_t raw_calls(struct conform *c);

/* Sets flags and used_event, and forgets what was signalled before. */
void raw_suppress(struct conform *c, uint16_t flags, uint16_t event);

void sleep_us(long us);

/* Skips without the feature. */
int need_indirect(struct conform *c);
int need_event_idx(struct conform *c);

#endif
