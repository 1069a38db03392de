/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A voice that a host's cycles pull, as long as there are any.  What is common to
 * the back-ends of sound servers; no server, time or thread in here.
 *
 * A running voice is in one of three modes:
 *
 *   DIRECT  the host calls, and gets its frames from guest memory in one copy;
 *   AHEAD   the host calls, but takes more in a cycle than the guest can have
 *           queued: the timer pulls into a ring (read_ahead.h), the host takes
 *           from there;
 *   AWAY    the host does not call: the timer pulls, and discards.
 *
 * The host's call makes AWAY one of the others, at once.  The timer makes them AWAY
 * when the host has not called for 100 ms or three cycles, or for START_NS after
 * a start, in which the host may need to wake up its device.  Both are turns of the
 * audio thread, so never do two pull at a time.
 *
 * DIRECT leaves at least one period of the guest's buffer uncompleted by one
 * cycle of the host, so that the guest sees its position move.
 *
 * A host that was stopped may make up for it with a burst of cycles.  The guest is
 * not to follow: to it, completions in a burst look like no movement.  So a host
 * that takes more than the time since has passed gets silence for it; 1 part in 128
 * is not counted, which is more than clocks differ by.
 *
 * A voice that records is the other way round.  DIRECT: the host gives what it has.
 * AHEAD: that is more than the guest has room for, so it goes into the ring, and the
 * timer gives it to the guest; this goes on when the cycle gets shorter, as what is in
 * the ring comes first.  AWAY: the guest gets silence.
 *
 * What is in the ring when the voice stops is still the host's to take.
 */
#ifndef VSND_AUDIO_HOSTED_H
#define VSND_AUDIO_HOSTED_H

#include <vsnd/audio.h>

#include "audio/pace_clock.h"
#include "audio/read_ahead.h"

#define HOSTED_START_NS 1000000000
#define HOSTED_AWAY_NS 100000000
/* How far a host may be late and make up for it, and run ahead: this, or two cycles. */
#define HOSTED_JITTER_NS 50000000
/* Cycles up to this long are read ahead for. */
#define HOSTED_CYCLE_MS 350
/* Cycles up to this long are asked for, as long as the guest keeps this time to be late in. */
#define HOSTED_GATHER_US 21334
#define HOSTED_SLACK_MS 10

enum hosted_mode {
	HOSTED_DIRECT,
	HOSTED_AHEAD,
	HOSTED_AWAY
};

struct hosted {
	/* Constant. */
	struct vsnd_stream *stream;
	struct vsnd_voice_params params;

	/* The audio thread's. */
	struct hosted *next, **link;	/* of those that run */
	bool running;
	enum hosted_mode mode;
	int64_t cycle_stamp;	/* which cycle of the host this is */
	size_t cycle_frames;	/* what it has taken in it */
	size_t former_frames;	/* ... and in the one before */
	int64_t cycle_ns;	/* when it called */
	int64_t host_delay;	/* frames, from its call on */
	int64_t taken_ns;	/* DIRECT: the time up to which the host has taken frames */
	int64_t away_ns;	/* when the timer takes over */
	size_t lead;		/* silence that goes first in this call */
	int64_t piece_delay;	/* frames until the next piece is heard */
	bool open;		/* what the ring does not have comes from the guest */
	bool late;		/* DIRECT: the guest has once not had a cycle's frames in time */
	struct pace_clock clock;	/* AHEAD and AWAY */
	struct read_ahead ahead;
};

/*
 * The cycle to ask a host for: what the guest's period asks for (pace_cycle_frames()); for
 * an output of a guest that is @punctual several periods, where the buffer leaves time for
 * it, since a guest's wake-up is most of what sound costs.
 */
uint32_t hosted_cycle_wish(const struct vsnd_voice_params *params, bool punctual);

/* Control thread.  0 or -ENOMEM. */
int hosted_init(struct hosted *h, struct vsnd_stream *stream, const struct vsnd_voice_params *params);
void hosted_free(struct hosted *h);

/* The rest: audio thread; within a device cycle while the voice runs. */

/* @there: the host can be expected to call soon. */
void hosted_start(struct hosted *h, int64_t now_ns, bool there);
void hosted_stop(struct hosted *h);

/* The host will not call: nobody needs to wait for it. */
void hosted_lost(struct hosted *h, int64_t now_ns);

/* Of a stopped voice: put into the ring what the guest still has. */
void hosted_flush(struct hosted *h, bool there);
/* What the host has still to take from the ring, with its cycle. */
size_t hosted_rest(const struct hosted *h);

/*
 * The host takes @frames in its cycle @stamp, of which the first is heard after
 * @delay_frames.  All of @dst is written.
 */
void hosted_take(struct hosted *h, void *dst, size_t frames, int64_t delay_frames,
		int64_t stamp, int64_t now_ns);

/* The same, of a host that takes them in pieces: first the call, then @frames in all. */
void hosted_call(struct hosted *h, size_t frames, int64_t delay_frames, int64_t stamp,
		int64_t now_ns);
void hosted_piece(struct hosted *h, void *dst, size_t frames);

/* An input voice gets @frames of the host's cycle @stamp, the last of them @delay_frames old. */
void hosted_give(struct hosted *h, const void *src, size_t frames, int64_t delay_frames,
		int64_t stamp, int64_t now_ns);

/* The timer's turn, and when it is due (INT64_MAX: never). */
void hosted_turn(struct hosted *h, int64_t now_ns);
int64_t hosted_due(const struct hosted *h);

/*
 * The list of a back-end's voices that run.  A back-end that puts its struct hosted first
 * into its voice finds one by the other.
 */
void hosted_enlist(struct hosted *h, struct hosted **list);
void hosted_delist(struct hosted *h);
/* When the first of them is due. */
int64_t hosted_list_due(const struct hosted *list);

#endif
