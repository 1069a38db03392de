/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clock of one voice that has no host clock to follow: when the next cycle
 * is due, and what to do at a given moment.  No time is read and nobody is
 * called here, so every rule is a function of (state, now, ready).
 *
 * Cycle k covers the frames from b(k) to b(k + 1) since the start and is served
 * when its last frame has passed, at
 *
 *	deadline(k) = start_ns + b(k + 1) * 10^9 / rate_hz
 *
 * b() is an exact number of frames and the division is the only rounding (down,
 * to a ns), so the error never adds up.  A cycle is the guest's period, or one
 * of `parts` parts of it, equal to within a frame, when the period is longer
 * than PACE_CYCLE_NS_MAX; or several of them where the voice's owner says so
 * (pace_cycle_frames()), or when it is shorter than PACE_CYCLE_NS_MIN, which no driver
 * asks for but one that wants our processor.
 *
 * Being late.  A guest knows its position only modulo its buffer: completions
 * in a burst look to it like no movement at all.  So a turn serves one cycle at
 * most, and turns are half a cycle apart at least.  A voice that is late by a
 * cycle or more is in debt, until its next deadline is at least half a cycle
 * ahead of the turn before.  In debt,
 *
 *   - a guest that has less than a cycle queued, or room for less, was as late as
 *     we were: no silence is invented and nothing lost, the clock starts afresh
 *     from now;
 *   - more than debt_ns_max is not made up for: the clock slips to now.
 */
#ifndef VSND_AUDIO_PACE_CLOCK_H
#define VSND_AUDIO_PACE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACE_CYCLE_NS_MAX 20000000
#define PACE_CYCLE_NS_MIN 250000
#define PACE_DEBT_NS_MAX  100000000
/** Several periods are a cycle up to this time, and up to a part of the buffer. */
#define PACE_GATHER_NS	  10000000
#define PACE_GATHER_PARTS 4
/** Voices due within this time from now are pulled in the same turn. */
#define PACE_SHARE_NS 200000

struct pace_clock {
	uint32_t rate_hz;
	uint32_t period_frames;	/* or several periods */
	uint32_t parts;		/* cycles of a period */
	int64_t debt_ns_max;
	int64_t start_ns;
	uint64_t cycle;		/* the next one to be pulled */
	int64_t not_before_ns;	/* half a cycle after the turn before */
	bool in_debt;
};

/*
 * The cycle of an output for a guest with this period and buffer: its period, or as many
 * short ones as last 10 ms and are a quarter of the buffer.  What is heard is no later
 * than with a cycle for each, and both sides wake up, and notify each other, so much less
 * often.  An input has a cycle for each period: what it finds no room for is lost.
 */
uint32_t pace_cycle_frames(uint32_t rate_hz, uint32_t period_frames, uint32_t buffer_frames);

/*
 * @period_frames: one period, or several that are to be a cycle.  All three numbers are
 * > 0, and the rate is at least 50 Hz.
 */
void pace_clock_init(struct pace_clock *c, uint32_t rate_hz, uint32_t period_frames,
		uint32_t buffer_frames);

/* The first cycle begins at @start_ns. */
void pace_clock_start(struct pace_clock *c, int64_t start_ns);

/* Frames of the next cycle, and how long they take. */
uint32_t pace_clock_frames(const struct pace_clock *c);
int64_t pace_clock_cycle_ns(const struct pace_clock *c);

/* When the last frame of the next cycle has passed. */
int64_t pace_clock_deadline(const struct pace_clock *c);

/* When the voice wants its next turn. */
int64_t pace_clock_due(const struct pace_clock *c);

/* Whether a turn at @now_ns includes this voice. */
bool pace_clock_is_due(const struct pace_clock *c, int64_t now_ns);

/* Whether pace_clock_turn() is going to look at its @ready. */
bool pace_clock_owes(const struct pace_clock *c, int64_t now_ns);

/*
 * Take the turn of a voice that is due.  @ready: the frames that the guest has
 * queued, or has room for.  Returns the frames to be moved now; 0 for none.
 */
uint32_t pace_clock_turn(struct pace_clock *c, int64_t now_ns, size_t ready);

#endif
