/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much to move to or from a pcm, and when.  No time is read and nobody is
 * called here, so every rule is a function of (state, now, what the device has).
 *
 * Frames move in units: a cycle of the guest (pace_clock.h), or half of the device's
 * buffer if that is less.  Of the device's buffer, an output keeps no more than `fill`
 * frames full: the device's own period, by which its position may jump, one unit,
 * and 10 ms for a thread that is late.  A unit is moved when the device has room for
 * it below `fill`, or has it to give; so it is the device's clock that paces the
 * guest.  Two rules bound it:
 *
 *   - Units are half a unit's time apart at least.  A thread that was late catches up
 *     at double pace, not in a burst that a guest would take for no movement at all.
 *   - No more is moved than the time that has passed, and 1 part in 128 more, which
 *     is more than clocks differ by.  What the device could have had more than
 *     `slack_ns` ago is not made up for.
 *
 * Some devices have no clock: the `null` pcm, and files on it, take and give all at
 * once, for ever.  They show it by having as much room right after a unit as right before.
 * For them the second rule is exact, without the part in 128: the time that has
 * passed is the clock.
 *
 * A device whose position jumps by more than two units is not caught up with: what
 * looks late there is only how it counts, and the frames move evenly.
 */
#ifndef VSND_AUDIO_ALSA_FLOW_H
#define VSND_AUDIO_ALSA_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flow {
	/* Constant. */
	uint32_t rate_hz;
	uint32_t unit;		/* frames */
	uint32_t fill;		/* frames; of an output */
	int64_t slack_ns;

	int64_t moved_ns;	/* the time that the frames which were moved have taken so far */
	int64_t not_before_ns;
	bool clocked;		/* the device showed a clock with the last unit */
};

/* The buffer to ask the device for, for units of @unit frames, and a guest with @guest_buffer. */
uint32_t flow_buffer_wanted(uint32_t rate_hz, uint32_t unit, uint32_t guest_buffer);

/* The device has a buffer of @buffer frames, at least 2, in periods of @period. */
void flow_init(struct flow *f, uint32_t rate_hz, uint32_t unit, uint32_t period, uint32_t buffer);

/* The device starts to run. */
void flow_start(struct flow *f, int64_t now_ns);

/* When to look again. */
struct flow_wait {
	int64_t until_ns;
	bool listen;		/* the device may say so sooner */
};

/*
 * @ready: frames that the device has to give, or room for below `fill`.  @heard: it
 * has just said that it is ready.  True: a unit is to be moved now.
 */
bool flow_turn(struct flow *f, int64_t now_ns, int64_t ready, bool heard, struct flow_wait *ret_wait);

/*
 * A unit was moved.  What the device had room for, or to give, before and after, and
 * what is @ready now.
 */
void flow_moved(struct flow *f, int64_t now_ns, int64_t avail_before, int64_t avail_after,
		int64_t ready, struct flow_wait *ret_wait);

#endif
