/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of the back-end for tests: see test.h, and test.c for who holds the lock. */
#ifndef VSND_AUDIO_TEST_STATE_H
#define VSND_AUDIO_TEST_STATE_H

#include <pthread.h>

#include "audio/pace_clock.h"
#include "audio/test.h"

struct vsnd_voice {
	struct vsnd_voice *next;	/* of the open ones, or of those whose close is held */
	struct vsnd_audio *audio;
	struct vsnd_stream *stream;
	struct vsnd_voice_params params;
	bool runs;
	int64_t remainder;	/* of the clock's division, when this voice drives it */
	struct pace_clock clock;	/* in real time */
};

/* What is kept of a stream, over its voices. */
struct track {
	uint8_t *played;
	size_t played_bytes, room;
	struct audio_test_counters counters;
	uint64_t source_frames;	/* captured since PREPARE, or since there is this source */
};

enum source {
	SOURCE_SILENCE,
	SOURCE_FILL,
	SOURCE_RAMP,
	SOURCE_BYTES
};

struct vsnd_audio {
	struct vsnd *dev;
	bool threadless;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;

	/* All under the lock. */
	bool ending, in_cycle;
	uint64_t wanted, done;	/* turns asked for, and run */
	size_t turn_frames;	/* of the turns asked for */
	bool real;		/* the clock is the system's, at this distance */
	int64_t real_offset_ns;
	int64_t now_ns, wants_ns;
	uint64_t cycles;
	struct vsnd_voice *voices;
	struct vsnd_voice *closing;	/* closed, and held */
	struct track track[VSND_STREAMS_MAX];

	/* The test's wishes. */
	int64_t delay_frames;
	size_t pieces[AUDIO_TEST_PIECES_MAX];
	unsigned n_pieces, piece;
	bool away, fails, stalled, holds_close;
	size_t flush_frames;
	int open_error;
	enum source source;
	void (*fill)(void *ctx, unsigned stream, void *dst, size_t bytes);
	void *fill_ctx;
	uint8_t bytes[AUDIO_TEST_BYTES_MAX];	/* of SOURCE_BYTES */
	size_t n_bytes;
};

/* test_voice.c: within a cycle. */
/* Move so many frames between the device and the voice. */
void test_voice_move(struct vsnd_voice *v, size_t frames);
/* The host takes what it takes at once. */
void test_voice_drain(struct vsnd_voice *v);

/* test.c: not on the audio thread.  Free what is held. */
void test_closing_free(struct vsnd_audio *a);

#endif
