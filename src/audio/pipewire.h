/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the PipeWire back-end, which is these files:
 *
 *   pipewire.c         what the device calls, and the audio thread's turns
 *   pipewire_host.c    the thread `vsnd-pw`: the connection to the server
 *   pipewire_settle.c  which voice has a stream there
 *   pipewire_stream.c  one voice's pw_stream
 *   pipewire_format.c  ... and its format
 *   pipewire_cards.c   the host's sound cards, for the guest's jacks
 *   pipewire_volume.c  how loud it is, as the guest wants it and the host's user
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
#include <spa/param/audio/raw.h>

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
	atomic_bool late;	/* a voice is, and vsnd-pw has not been told */
	atomic_bool woken;	/* the wake event is signalled and has not been taken */

	/* Under lock. */
	pthread_mutex_t lock;
	struct vsnd_voice *voices;	/* added by the control thread, removed by vsnd-pw */
	bool ending;
	uint64_t jacks_changed, jacks_plugged;	/* what the device does not know yet, by bit */

	/* vsnd-pw's. */
	struct pw_core *core;
	struct spa_hook core_listener;
	bool lost;		/* the connection is to be given up */
	int ping;		/* what the server was asked last */
	bool mute;		/* ... and has not answered yet */
	struct cards *cards;	/* NULL: no jack wants to know */
	bool complained;	/* about the server that is away */
	uint64_t unheard;	/* streams, by bit, of which it was told that they do not run */
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
	bool denied;
	int64_t linger_ns;	/* until when a stopped or denied voice still plays what it has */
	struct vsnd_volume volume;
	unsigned volumes;	/* changes with it; 0: the guest has no say */
};

struct vsnd_voice {
	struct vsnd_audio *audio;	/* constant */

	/* Under the back-end's lock. */
	struct voice_wish wish;
	struct vsnd_volume heard;	/* what the host's user has set ... */
	bool heard_new;			/* ... and the device does not know yet */

	size_t rest_frames;		/* the control thread's, which has the audio thread set it */

	/* vsnd-pw's, but for what PipeWire does with the stream on the audio thread. */
	struct vsnd_voice *next_known;
	struct pw_stream *stream;
	struct spa_hook listener;
	bool active;
	bool streaming;		/* the server makes it run */
	bool failed;		/* the stream is to be given up */
	int64_t retry_ns;
	int64_t activated_ns;
	uint32_t cycle_frames;	/* that the server has been asked for */
	struct voice_volume {
		bool known;		/* the stream has its controls */
		bool setting;		/* what it reports is what we say */
		unsigned done;		/* voice_wish.volumes that it has */
		int64_t settled_ns;	/* until when the guest's word is the last */
		struct vsnd_volume now;
	} volume;

	/* Written by vsnd-pw. */
	atomic_bool there;	/* the server can be expected to call */
	atomic_bool gone;	/* ... no more, which the audio thread does not know yet */

	atomic_bool late;	/* hosted.late, written by the audio thread */

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

/* vsnd-pw: bring all voices in line with what is wanted.  When to look again. */
int64_t voices_settle(struct vsnd_audio *a, int64_t now_ns);
/* vsnd-pw: the connection has gone. */
void voices_drop(struct vsnd_audio *a, int64_t now_ns);

/* Control thread: before vsnd-pw runs, and after it; what it has found. */
int cards_init(struct vsnd_audio *a);
void cards_free(struct vsnd_audio *a);
void cards_service(struct vsnd_audio *a);
/* vsnd-pw: there is a connection; there is none any more; what follows from it. */
void cards_begin(struct vsnd_audio *a);
void cards_end(struct vsnd_audio *a);
int64_t cards_settle(struct vsnd_audio *a, int64_t now_ns);

/* Control thread: what the device calls. */
void volume_wish(struct vsnd_voice *v, const struct vsnd_volume *volume);
void volume_service(struct vsnd_audio *a);
/* vsnd-pw: there is a new stream; it has a control; have it as wanted. */
void volume_begin(struct vsnd_voice *v, int64_t now_ns);
void volume_on_control(struct vsnd_voice *v, uint32_t id, const struct pw_stream_control *control);
void volume_settle(struct vsnd_voice *v, const struct voice_wish *wish);

/* Any thread: whether PipeWire knows a format; and all of a voice's, which it does. */
bool format_is_known(uint8_t format);
void format_of(const struct vsnd_voice_params *params, struct spa_audio_info_raw *ret);

/* Any thread: whether @text says anything of a stream. */
bool properties_are_some(const char *text);

/* vsnd-pw: make the voice's stream on the connection, inactive.  0 or a negative errno. */
int stream_create(struct vsnd_voice *v);
void stream_destroy(struct vsnd_voice *v);
/* That it is not heard, or hears nothing: told once, until it runs. */
void stream_say_unheard(const struct vsnd_voice *v, const char *why);
/* Ask for the cycle that goes well with the guest.  When to look again. */
int64_t stream_settle_cycle(struct vsnd_voice *v, int64_t now_ns);

#endif
