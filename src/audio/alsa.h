/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the ALSA back-end:
 *
 *   alsa.c         what the device calls
 *   alsa_line.c    a stream's thread, `vsnd-alsa-N`
 *   alsa_step.c    what that does: it alone has to do with the pcm
 *   alsa_say.c     what that thread says of it
 *   alsa_pcm.c     one snd_pcm, and what becomes of it
 *   alsa_params.c  what a pcm is asked for
 *   alsa_flow.c    how much is moved, and when
 *   alsa_answers.c whether there is anything to play to
 *
 * Any call of alsa-lib may block: with a server behind it, a FIFO, a network.  So
 * every one is made by a line, a thread of one guest stream, which blocks nobody but
 * itself.  It is the audio thread only while it has a turn (turns.h), which is the time of
 * the copy between guest memory and the device, and never one of a call of ALSA.  A line
 * that gets no turn looks again a little later: the device has a buffer.  While a line
 * does not come, its voice goes on by the timer of `vsnd-audio`, as it does while the
 * pcm is not there (hosted.h).
 *
 * There is a line per stream that was ever prepared, so their number is bounded.  A
 * line serves one voice after the other: a voice that is closed lives on until the
 * host has played what it has, and the next one waits for the device meanwhile.
 *
 * The control thread sets a voice's wishes, which are atomics, and wakes the line.
 * When the back-end is closed, a line that does not come back from ALSA is abandoned:
 * it then touches nothing but itself, and frees that should it ever return.
 */
#ifndef VSND_AUDIO_ALSA_H
#define VSND_AUDIO_ALSA_H

#include "audio/alsa_pcm.h"
#include "audio/audio.h"
#include "audio/backoff.h"
#include "audio/hosted_list.h"
#include "audio/wake.h"
#include "audio/worker.h"

#define ALSA_DEFAULT_NAME "default"

struct vsnd_audio {
	/* The control thread's. */
	const struct audio_host_config *config;
	struct turns *turns;
	struct alsa_line *lines;
	bool said_denied[2];	/* by direction */

	struct hosted_list list;	/* who has the turn */
};

struct vsnd_voice {
	struct hosted_voice base;
	/* Constant. */
	struct alsa_line *line;
	struct turns *turns;

	/* Written by the control thread. */
	atomic_bool run;
	atomic_bool allowed;
	atomic_bool closed;

	int64_t heard_ns;	/* the line's: when all that the guest sent has been heard */
};

/* Where a line is.  Only in OURS may it touch what is not its own. */
enum line_place {
	LINE_IN_ALSA,
	LINE_OURS,
	LINE_ABANDONED
};

/* What is known of a line's device. */
enum line_device {
	LINE_DEVICE_THERE,	/* or nobody has wanted it yet */
	LINE_DEVICE_UNFIT,	/* it does not do what this voice needs */
	LINE_DEVICE_AWAY
};

/* What was said of a failure, and when. */
struct alsa_complaint {
	char text[200];
	int64_t ns;
	unsigned left_out;
	bool open;		/* it was said, and has not been taken back */
};

struct alsa_line {
	/* Constant. */
	struct alsa_line *next;	/* the control thread's */
	unsigned stream;
	char *name;		/* of the pcm */
	struct audio_log log;
	pthread_t thread;

	/* Any thread's. */
	struct wake wake;
	atomic_int place;
	atomic_bool ending;
	atomic_int device;
	atomic_int_least64_t busy_ns;	/* since when it has not waited; 0: it waits now */
	struct worker worker;	/* its lock, and its end */
	struct vsnd_voice *waiting;	/* under the lock: to be served next */

	/* The line's. */
	struct vsnd_voice *voice;	/* being served; written under the lock */
	struct alsa_pcm pcm;
	bool running;		/* the pcm runs */
	bool proven;		/* ... and has moved frames since it was opened */
	int64_t ready_ns;	/* when the pcm last was ready, or started */
	struct backoff backoff;
	struct alsa_complaint complaint;
};

/* Control thread: a line for a stream.  0 or a negative errno. */
int alsa_line_create(const struct audio_host_config *config, unsigned stream,
		struct alsa_line **ret_line);
/* Control thread: it is to end; and wait for that until @until_ns, then abandon it. */
void alsa_line_end(struct alsa_line *l);
void alsa_line_destroy(struct alsa_line *l, int64_t until_ns);
/* Control thread: give the line a voice; take it back, which frees it sooner or later. */
void alsa_line_serve(struct alsa_line *l, struct vsnd_voice *v);
void alsa_line_release(struct alsa_line *l, struct vsnd_voice *v);

/* Control thread: whether its device is there, as far as known, and answers. */
bool alsa_line_connected(const struct alsa_line *l, int64_t now_ns);

/* The line: come out of ALSA, and go back.  False: it was abandoned. */
bool alsa_line_enter(struct alsa_line *l);
void alsa_line_leave(struct alsa_line *l);

/* The line, from here on. */
/* Whether it is not to end. */
bool alsa_line_goes_on(const struct alsa_line *l);
/* Do what is next for its voice, and say when to look again.  False: there is nothing more to do. */
bool alsa_line_step(struct alsa_line *l, struct vsnd_voice *v, struct flow_wait *ret_wait);
/* @lost: with what it still has to play. */
void alsa_line_close_pcm(struct alsa_line *l, bool lost);
void alsa_say_listen(void);	/* to what alsa-lib has to say */
/* The pcm cannot be had. */
void alsa_say_refused(struct alsa_line *l, const struct vsnd_voice_params *params, int err,
		const char *refused);
/* It has gone. */
void alsa_say_lost(struct alsa_line *l, int err);
/* It is back, or there for the first time. */
void alsa_say_there(struct alsa_line *l);
/* It had an xrun or was suspended. */
void alsa_say_recovered(struct alsa_line *l, int err);

#endif
