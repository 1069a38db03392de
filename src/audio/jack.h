/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the JACK back-end, which is four files:
 *
 *   jack.c        what the device calls, and the audio thread's turns
 *   jack_host.c   the thread `vsnd-jack`: the connection to the server, and which
 *                 voice has ports there
 *   jack_link.c   one voice's ports, and the way of samples to and from them
 *   jack_ports.c  ports by name, and what they are connected to
 *
 * Four threads.  JACK's process thread and `vsnd-audio`, our timer, are the audio
 * thread by turns (turns.h).  The control thread writes down what it wants of a voice
 * (under `lock`, which nobody holds for long) and wakes `vsnd-jack`, which alone
 * talks to the server.  Any call of libjack may block for as long as the server does
 * not answer; then `vsnd-jack` does, and nobody else.
 *
 * A voice that is played or recorded has a link: ports at the server, and what is
 * needed to serve them.  Links are published to the process callback in an array of
 * pointers, and taken back before they are freed: the callback counts its visits,
 * and a link that is no longer in the array is nobody's when the visit that went on
 * is over.
 *
 * libjack ends its process thread with an asynchronous pthread_cancel(), so the
 * callback has cancellation disabled while it is in here.
 */
#ifndef VSND_AUDIO_JACK_H
#define VSND_AUDIO_JACK_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include <jack/jack.h>

#include "audio/audio.h"
#include "audio/backoff.h"
#include "audio/hosted_list.h"
#include "audio/resample.h"
#include "audio/sample.h"
#include "audio/turns.h"

/* Voices with ports at a time: all streams, and as many that play out what they have. */
#define JACK_LINKS_MAX (2 * VSND_STREAMS_MAX)
/* Some more are being connected. */
#define JACK_JOINING UINT_MAX
/* Frames that are converted at a time, on the way from or to a port. */
#define JACK_PIECE_FRAMES 256
/* Long enough for "playback_63_TFLC". */
#define JACK_PORT_NAME_MAX 24

/* A port of ours.  Voices that follow each other on one stream share it for a while. */
struct jack_own_port {
	struct jack_own_port *next;
	jack_port_t *port;
	unsigned users;
	char name[JACK_PORT_NAME_MAX];
};

/* A voice's side at the server. */
struct jack_link {
	/* Constant while it is published. */
	struct vsnd_voice *voice;
	bool input;
	uint8_t channels;
	uint32_t frame_bytes;
	uint32_t guest_hz, host_hz;
	struct sample_codec codec;
	jack_client_t *client;
	struct jack_own_port *port[VSND_CHANNELS_MAX];

	/* Written by vsnd-jack: channels that are connected, or JACK_JOINING. */
	atomic_uint connects;

	/* The audio thread's. */
	unsigned connects_seen;		/* ... which have their effect */
	unsigned waited;		/* cycles, for that */
	bool moves;			/* they had once */
	bool deaf;			/* more channels are being connected: silence for all of them */
	uint8_t *bytes;			/* a piece of the guest's frames */
	float *resampled;		/* a piece, of all channels */
	struct resample resample;	/* none if the rates are the same */

	/* vsnd-jack's. */
	unsigned slot;
	char *peer[VSND_CHANNELS_MAX];	/* what each channel was connected to, which is there */
};

/* What the process callback knows of its cycle. */
struct jack_cycle {
	jack_nframes_t frames;
	jack_nframes_t since;		/* frames that have passed since it began */
	int64_t now_ns;
	int64_t stamp;
};

struct vsnd_audio {
	/* Constant. */
	const struct audio_host_config *config;
	struct turns *turns;
	struct wake settle, end;
	pthread_t thread;

	/* Any thread's. */
	atomic_bool serving;	/* there is a server, and it is not known to be gone */
	atomic_bool lost;	/* the connection is to be given up */
	atomic_bool went;	/* somebody's port has gone, or is about to */
	_Atomic int64_t called_ns;	/* when the active client was called last; 0: it is not active */
	atomic_bool ended;	/* vsnd-jack has done its last work */
	_Atomic int64_t cycle_ns;	/* of the server */
	_Atomic int64_t busy_ns;	/* since when vsnd-jack has something to do; 0: it has nothing */

	/* Under lock. */
	pthread_mutex_t lock;
	struct vsnd_voice *voices;
	bool ending;
	bool left;		/* the device and the configuration are gone */

	/* Published by vsnd-jack, read by the process callback. */
	_Atomic(struct jack_link *) link[JACK_LINKS_MAX];
	atomic_uint visits;	/* odd while the callback looks at them */

	/* vsnd-jack's. */
	jack_client_t *client;
	jack_client_t *dead;	/* of a server that has gone, to be closed at dead_ns */
	int64_t dead_ns;
	bool active;		/* the process callback is called */
	bool complained;	/* about the server that is away */
	struct backoff backoff;
	int watch;		/* while there is no server: of where its socket will be; or negative */
	int64_t look_ns;	/* when to look what has become of it */
	uint64_t missed;	/* cycles, as last told */
	uint64_t unconnected;	/* streams, by bit, of which it was told */
	struct jack_own_port *ports;

	/* Set before the client is active. */
	uint32_t host_hz;

	/* The control thread's. */
	bool said_denied[2];	/* by direction */

	/* The audio thread's, but for the device, which is constant. */
	struct hosted_list list;
	int64_t stamp;		/* of the last cycle */
};

/* What the control thread wants of a voice. */
struct jack_wish {
	bool run;
	bool denied;
	bool closed;
	int64_t linger_ns;	/* until when a closed voice keeps its ports */
};

struct vsnd_voice {
	struct hosted hosted;		/* the audio thread's */
	struct vsnd_audio *audio;	/* constant */

	/* Under the back-end's lock. */
	struct vsnd_voice *next_known;
	struct jack_wish wish;
	bool busy;			/* vsnd-jack looks at it */
	struct jack_link *link;		/* written by vsnd-jack alone */

	size_t rest_frames;		/* the control thread's, which has the audio thread set it */
	int64_t retry_ns;		/* vsnd-jack's */

	/* Written by vsnd-jack: the server can be expected to call. */
	atomic_bool there;
};

/* JACK's process callback. */
int jack_on_process(jack_nframes_t frames, void *arg);
/* Nobody else knows it.  Control thread or vsnd-jack. */
void jack_voice_free(struct vsnd_voice *v);

/* vsnd-jack: the thread, which ends once `ending` is set. */
void *jack_host_main(void *arg);

/*
 * vsnd-jack: make a voice's link, with ports on the client that are not connected.
 * 0 or a negative errno.
 */
int jack_link_create(struct vsnd_voice *v, struct jack_link **ret_link);
/* @gone: the server is, and the ports with it. */
void jack_link_free(struct jack_link *l, bool gone);
/* Audio thread, or the process callback without a turn: write silence to the ports of an output. */
void jack_link_silence(const struct jack_link *l, jack_nframes_t frames);
/* Audio thread: play or record a cycle.  The ports of outputs have been silenced before. */
void jack_link_move(struct jack_link *l, const struct jack_cycle *c);

/* vsnd-jack: our port of that name.  NULL if it cannot be had. */
struct jack_own_port *jack_port_get(struct vsnd_audio *a, const char *name, bool input);
void jack_port_put(struct vsnd_audio *a, struct jack_own_port *p, bool gone);
/*
 * vsnd-jack: connect what of a link is not yet, and has something to be connected to.
 * False: the server did not do it.
 */
bool jack_link_connect(struct jack_link *l);

#endif
