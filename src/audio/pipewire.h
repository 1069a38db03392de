/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the PipeWire back-end, which is three files:
 *
 *   pipewire.c         what the device calls, and the audio thread's turns
 *   pipewire_host.c    the thread `vsnd-pw`: the connection to the server, and which
 *                      voice has a stream there
 *   pipewire_stream.c  one voice's pw_stream
 *
 * Three threads.  The control thread writes down what it wants of a voice (under
 * `lock`, which nobody holds for long) and signals `vsnd-pw`, which alone talks to
 * the server and brings its side in line with what is wanted.  PipeWire's data
 * thread is the audio thread: all streams' process() and our timer and wake event
 * run on this one loop.  It belongs to the context, so it lives as long as the
 * back-end whether there is a server or not.
 */
#ifndef VSND_AUDIO_PIPEWIRE_H
#define VSND_AUDIO_PIPEWIRE_H

#include <pthread.h>
#include <stdatomic.h>

#include <pipewire/pipewire.h>

#include "audio/audio.h"
#include "audio/backoff.h"
#include "audio/hosted.h"

#define PW_NEVER_NS INT64_MAX

struct vsnd_audio {
	/* Constant. */
	const struct audio_host_config *config;
	struct vsnd *dev;
	struct pw_main_loop *main_loop;
	struct pw_context *context;
	struct pw_data_loop *data_loop;
	struct spa_source *settle_event, *settle_timer;	/* of vsnd-pw */
	struct spa_source *wake_event, *turn_timer;	/* of the audio thread */
	pthread_t thread;

	/* The control thread's. */
	bool said_denied[2];	/* by direction */

	/* Any thread's. */
	atomic_bool serving;	/* the server has answered and is not known to be gone */
	atomic_bool woken;	/* the wake event is signalled and has not been taken */

	/* Under lock. */
	pthread_mutex_t lock;
	struct vsnd_voice *voices;	/* added by the control thread, removed by vsnd-pw */
	bool ending;

	/* vsnd-pw's. */
	struct pw_core *core;
	struct spa_hook core_listener;
	bool lost;		/* the connection is to be given up */
	bool complained;	/* about the server that is away */
	struct backoff backoff;

	/* The audio thread's. */
	struct vsnd_voice *running;
	int64_t armed_ns;	/* when the turn timer goes off */
	int64_t device_due_ns;	/* when the device wants a cycle */
};

/* What the control thread wants of a voice. */
struct voice_wish {
	bool run;
	bool closed;
	int64_t linger_ns;	/* until when a stopped voice still plays what it has */
};

struct vsnd_voice {
	struct vsnd_audio *audio;	/* constant */

	struct voice_wish wish;		/* under the back-end's lock */
	size_t rest_frames;		/* the control thread's, which has the audio thread set it */

	/* vsnd-pw's, but for what PipeWire does with the stream on the audio thread. */
	struct vsnd_voice *next_known;
	struct pw_stream *stream;
	struct spa_hook listener;
	bool active;
	bool failed;		/* the stream is to be given up */
	int64_t retry_ns;

	/* Written by vsnd-pw: the server can be expected to call. */
	atomic_bool there;

	/* The audio thread's. */
	struct hosted hosted;
	struct vsnd_voice *next, **link;	/* of those that run */
};

/* Audio thread: process() of a voice's stream. */
void pipewire_process(struct vsnd_voice *v);
/* Any thread: have the audio thread take a turn. */
void pipewire_wake(struct vsnd_audio *a);

/* vsnd-pw.  host_main() is the thread, and ends once `ending` is set. */
void *host_main(void *arg);
void host_on_settle(void *data, uint64_t count);
/* Any thread but the audio thread: have vsnd-pw look at what is wanted. */
void host_settle(struct vsnd_audio *a);

/* Any thread: whether PipeWire knows a format. */
bool stream_knows(uint8_t format);
/* vsnd-pw: make the voice's stream on the connection, inactive.  0 or a negative errno. */
int stream_create(struct vsnd_voice *v);
void stream_destroy(struct vsnd_voice *v);

#endif
