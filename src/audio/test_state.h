/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of the back-end for tests: see test.h, and test.c for who holds the lock. */
#ifndef VSND_AUDIO_TEST_STATE_H
#define VSND_AUDIO_TEST_STATE_H

#include <pthread.h>

#include "audio/test.h"

struct vsnd_voice {
	struct vsnd_voice *next;	/* of the open ones */
	struct vsnd_audio *audio;
	struct vsnd_stream *stream;
	struct vsnd_voice_params params;
	bool runs;
	int64_t remainder;	/* of the clock's division, when this voice drives it */
};

struct played {
	uint8_t *bytes;
	size_t size, room;
	uint64_t guest_frames;
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
	int64_t now_ns, wants_ns;
	uint64_t cycles;
	struct vsnd_voice *voices;
	struct played played[VSND_STREAMS_MAX];

	/* The test's wishes. */
	int64_t delay_frames;
	size_t pieces[AUDIO_TEST_PIECES_MAX];
	unsigned n_pieces, piece;
	bool away;
	size_t flush_frames;
	int open_error;
	unsigned close_ms;
	void (*fill)(void *ctx, unsigned stream, void *dst, size_t bytes);
	void *fill_ctx;
};

/* test_voice.c: within a cycle. */
/* Move so many frames between the device and the voice. */
void test_voice_move(struct vsnd_voice *v, size_t frames);
/* The host takes what it takes at once. */
void test_voice_drain(struct vsnd_voice *v);

#endif
