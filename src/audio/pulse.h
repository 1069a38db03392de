/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the PulseAudio back-end, which is
 *
 *   pulse.c         what the device calls, and the audio thread
 *   pulse_host.c    the connection to the server, and which voice has a stream there
 *   pulse_stream.c  one voice's pa_stream: how it is made, and what goes through it
 *   pulse_volume.c  how loud it is, both ways
 *   pulse_watch.c   notices a server that comes, and what happens there
 *   pulse_format.c  formats, maps and sizes in PulseAudio's words
 *
 * There is one thread of our own, the audio thread, and it runs libpulse's main
 * loop: what comes from the server, the wake-ups and the turns of the timer are all
 * served by it, so nothing of libpulse is ever touched by two threads and there
 * is no lock.  libpulse waits for nothing but poll(); a server that is away or
 * stands still therefore leaves the timer its turns.
 *
 * Callbacks only take notes: each time the loop has dispatched something, the thread
 * looks at what there is, a state that has changed or bytes that the server wants.
 * Nothing is so changed in the middle of libpulse's own work.
 *
 * The control thread hands everything over by vsnd_audio_call().  The other way it
 * is told by service() what became of the connection, and gets back the voices
 * whose last frames have been played.
 */
#ifndef VSND_AUDIO_PULSE_H
#define VSND_AUDIO_PULSE_H

#include <pthread.h>
#include <stdatomic.h>

#include <pulse/pulseaudio.h>

#include "audio/audio.h"
#include "audio/backoff.h"
#include "audio/convert.h"
#include "audio/hosted.h"
#include "audio/wake.h"

enum pulse_news {
	PULSE_UNKNOWN,		/* the server has not yet been reached, nor missed */
	PULSE_THERE,
	PULSE_AWAY
};

struct vsnd_audio {
	/* Constant. */
	const struct audio_host_config *config;
	struct vsnd *dev;
	pa_mainloop *loop;
	pa_io_event *wake_event;
	pthread_t thread;

	/* Any thread's. */
	struct wake wake;
	atomic_bool ending;
	_Atomic(enum pulse_news) news;
	atomic_int error;	/* PA_ERR_*, why the server is away */
	atomic_uint stream_error;	/* 0, or PA_ERR_* + 256 * the stream that has none */
	atomic_bool heard;	/* a user has changed a volume */
	_Atomic(struct vsnd_voice *) gone;	/* closed and played, to be freed by the control thread */

	/* The control thread's. */
	enum pulse_news said;
	bool complained;	/* about the server that is away */
	bool said_denied[2];	/* by direction */

	/* The audio thread's. */
	struct vsnd_voice *voices;
	pa_context *context;
	bool ready;		/* the connection is made */
	bool silent;		/* the server has let a voice wait in vain, and said nothing since */
	struct backoff backoff;
	int watch;		/* while there is no server: of where its socket will be; or negative */
	const char *watched;	/* ... and the name that is waited for */
	pa_io_event *watch_event;
	bool woken;		/* a turn is to be taken */
	int64_t due_ns;		/* ... and when without being woken */
	int64_t settle_ns;	/* when pulse_settle() wants to look again */
};

/* How loud a voice is.  The audio thread's. */
struct pulse_level {
	struct vsnd_volume volume;	/* the guest's word or the host's, whichever was the last */
	unsigned words;		/* how often the guest has said one */
	bool send;		/* the server is to be told */
	bool ask;		/* the server has something to tell */
	unsigned asked_words;	/* what the guest had said by then */
	bool news;		/* the device is to be told */
	pa_operation *question;
};

struct vsnd_voice {
	/* Constant. */
	struct vsnd_audio *audio;
	unsigned host_format;	/* of the samples at the server */
	uint32_t host_bytes;	/* ... and of a frame */
	struct convert convert;	/* to it, or from it */
	uint8_t *scratch;	/* frames on their way through it; NULL: nothing to convert */
	size_t scratch_frames;

	/* The audio thread's. */
	struct vsnd_voice *next;
	struct hosted hosted;
	bool denied;
	bool closed;
	bool drain;		/* it has stopped: the server is to play what is less than a request, too */
	int64_t linger_ns;	/* until when a stopped voice still plays what it has */
	pa_stream *stream;
	bool corked;
	bool primed;		/* the server's queue has been filled since it was empty */
	bool failed;		/* the last stream failed, and none has been made since */
	int64_t retry_ns;	/* no new stream before then */
	int64_t stamp;		/* of the cycles that the server asks for, or sends */
	int64_t arrival_ns;	/* of what it sent last */
	struct pulse_level level;
};

/* Control thread: voice_volume(), and the volumes' part of service(). */
void pulse_voice_volume(struct vsnd_voice *v, const struct vsnd_volume *volume);
void pulse_volume_service(struct vsnd_audio *a);

/*
 * All below: audio thread.
 */

/* Something about a stream of the server's has changed. */
void pulse_volume_changed(struct vsnd_audio *a, pa_subscription_event_type_t facility, uint32_t index);
/* The stream is ready, or about to go. */
void pulse_volume_settle(struct vsnd_voice *v);
void pulse_volume_cancel(struct vsnd_voice *v);

/* Before a server is tried: one that comes ends the back-off. */
void pulse_watch(struct vsnd_audio *a);
void pulse_unwatch(struct vsnd_audio *a);
/* A connection has been made: tell what happens there. */
void pulse_watch_events(struct vsnd_audio *a);

/* Look at the connection and all voices, do what can be done, and say when to look again. */
int64_t pulse_settle(struct vsnd_audio *a, int64_t now_ns);
/* Whether the server can be expected to ask for frames of the voice. */
bool pulse_there(const struct vsnd_voice *v);
/* The end: leave the server. */
void pulse_leave(struct vsnd_audio *a);

/* 0, or a PA_ERR_*. */
int pulse_stream_create(struct vsnd_voice *v);
void pulse_stream_destroy(struct vsnd_voice *v);
bool pulse_stream_ready(const struct vsnd_voice *v);
/* The server wants frames that the voice can give, or the other way round. */
bool pulse_stream_has_work(const struct vsnd_voice *v);
/* Within a device cycle: move all that can be moved. */
void pulse_stream_move(struct vsnd_voice *v, int64_t now_ns);
/* How long what the voice has given the server, and still has for it, takes to be heard. */
int64_t pulse_stream_rest_ns(const struct vsnd_voice *v);

#endif
