/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The audio thread of the back-ends that have no sound server's thread to run
 * on, and the voices that it runs.
 *
 * The thread (`vsnd-audio`) waits in one system call per turn: a ppoll() on its
 * wake eventfd with a timeout up to the nearest deadline, without one when no
 * voice runs.  A turn is one device cycle: every voice that is due or will be
 * within PACE_SHARE_NS is served in it.  In the steady state a guest period
 * costs this one wait and the driver notification, which the device sends.
 *
 * Voices are in a list that belongs to the audio thread.  The control thread
 * hands them over with vsnd_audio_call(), so there is no lock.  A back-end puts a
 * struct pace_voice first into its voice.
 *
 * A voice that starts while another of the same cycle runs begins at that
 * one's next deadline, less than a cycle later than it could, and from then on
 * shares its wake-ups.
 */
#ifndef VSND_AUDIO_PACE_H
#define VSND_AUDIO_PACE_H

#include <vsnd/audio.h>

#include "audio/audio.h"
#include "audio/pace_clock.h"

struct pace;

struct pace_voice {
	/* Constant after pace_voice_init(). */
	struct pace *pace;
	struct vsnd_stream *stream;
	/*
	 * Audio thread, within a cycle.  Pull or push @frames frames: with a clock
	 * those of a cycle, without one all that the guest has queued or has room
	 * for.  False: not all of them could be moved (only without a clock); the
	 * thread tries again soon.
	 */
	bool (*move)(struct pace_voice *v, size_t frames);
	bool has_clock;
	bool input;

	/* The audio thread's while the voice runs, else the control thread's. */
	struct pace_clock clock;
	int64_t retry_ns;	/* without a clock: another turn then */
	struct pace_voice *next, **link;
};

/* Control thread: make the thread, which runs at once.  0 or a negative errno. */
int pace_create(struct vsnd *dev, struct pace **ret_pace);

/* Control thread: all voices will have a clock, so the thread may have real-time priority. */
void pace_realtime(struct pace *p, const struct audio_log *log);

/* Control thread: end the thread.  No voice runs.  NULL is fine. */
void pace_destroy(struct pace *p);

/* Any thread: let the thread take a turn. */
void pace_wake(struct pace *p);

/* Control thread. */
void pace_voice_init(struct pace_voice *v, struct pace *p, struct vsnd_stream *stream,
		const struct vsnd_voice_params *params);
void pace_voice_start(struct pace_voice *v);
/* On return the voice is not served any more. */
void pace_voice_stop(struct pace_voice *v);
/* Call @fn(@v) on the audio thread, within a cycle. */
void pace_voice_call(struct pace_voice *v, void (*fn)(struct pace_voice *v));

#endif
