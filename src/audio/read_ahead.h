/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A ring of frames between a guest with a small buffer and a host with a long
 * cycle.  The host takes a cycle of frames in one go, more than the guest can have
 * queued; so they are pulled from the guest ahead, a guest's cycle at a time, by a
 * clock that follows the host's.  Audio thread only, so there is no lock.
 *
 * Let N be the frames of a host cycle and M a margin for what comes late.  Right
 * before the host takes N, the ring shall have N + M.
 *
 *   - To begin with, silence goes first: the host gets all but M of what is
 *     there, at the end of its cycle.  From then on N + M are there each time.
 *   - Each time, the clock is moved by a part of what is too much or too little.
 *     Two clocks that differ by d then keep a distance of d * 16 cycles, which is
 *     a fraction of a millisecond, and the guest runs at the host's rate.
 *   - If the host wants more than there is, it begins again with silence.
 *
 * The other way round, a host that records gives N in one go, more than the guest
 * has room for, and the guest gets them a cycle at a time.  Right before the host
 * gives N, the ring shall have M: to begin with the clock starts so much later, and
 * if it ran empty, M of silence go first.
 */
#ifndef VSND_AUDIO_READ_AHEAD_H
#define VSND_AUDIO_READ_AHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/pace_clock.h"

struct read_ahead {
	/* Constant. */
	uint8_t *bytes;
	size_t frame_bytes;
	size_t capacity;	/* frames */

	size_t first;		/* where the oldest frame is */
	size_t level;		/* frames that are there */
	bool primed;		/* the host gets all it wants, until it wants more than there is */
};

/* Any thread.  0 or -ENOMEM. */
int read_ahead_init(struct read_ahead *r, size_t capacity, size_t frame_bytes);
void read_ahead_free(struct read_ahead *r);

/* Forget all frames. */
void read_ahead_clear(struct read_ahead *r);

/* Where to put the next frames, and how many in one piece (0: full). */
void *read_ahead_place(const struct read_ahead *r, size_t *ret_frames);
void read_ahead_put(struct read_ahead *r, size_t frames);

/* Take @frames, or what is there, and return how many. */
size_t read_ahead_take(struct read_ahead *r, void *dst, size_t frames);

/* The oldest frames in one piece (0: empty), and the end of them. */
const void *read_ahead_oldest(const struct read_ahead *r, size_t *ret_frames);
void read_ahead_drop(struct read_ahead *r, size_t frames);

/* Put @frames, or as many as there is room for; silence of a @format for NULL. */
void read_ahead_give(struct read_ahead *r, const void *src, size_t frames, unsigned format);

/* M for a guest whose cycles @c are pulled. */
size_t read_ahead_margin(const struct pace_clock *c);

/*
 * The host begins a cycle of @frames at @now_ns: adjust @c.  Returns how many
 * frames of silence go first.
 */
size_t read_ahead_begin(struct read_ahead *r, struct pace_clock *c, size_t frames, int64_t now_ns);

/* The host is about to give a cycle of @frames.  The silence that goes first. */
size_t read_behind_begin(struct read_ahead *r, struct pace_clock *c, size_t frames, int64_t now_ns);

#endif
