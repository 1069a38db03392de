/* SPDX-License-Identifier: BSD-3-Clause */
/* What a test wants of the back-end for tests, and what it asks. */
#include "audio/test_state.h"

#include <assert.h>

/* Without a thread the lock is free of contention, and never held over a cycle. */
#define SET(a, field, value) \
	do { \
		pthread_mutex_lock(&(a)->lock); \
		(a)->field = (value); \
		pthread_mutex_unlock(&(a)->lock); \
	} while (0)

static uint64_t get(struct vsnd_audio *a, const uint64_t *field)
{
	uint64_t value;

	pthread_mutex_lock(&a->lock);
	value = *field;
	pthread_mutex_unlock(&a->lock);
	return value;
}

static int64_t get_ns(struct vsnd_audio *a, const int64_t *field)
{
	int64_t value;

	pthread_mutex_lock(&a->lock);
	value = *field;
	pthread_mutex_unlock(&a->lock);
	return value;
}

void audio_test_pass_ns(struct vsnd_audio *a, int64_t ns)
{
	SET(a, now_ns, a->now_ns + ns);
}

int64_t audio_test_now_ns(struct vsnd_audio *a)
{
	return get_ns(a, &a->now_ns);
}

void audio_test_set_delay(struct vsnd_audio *a, int64_t frames)
{
	SET(a, delay_frames, frames);
}

void audio_test_set_pieces(struct vsnd_audio *a, const size_t *frames, unsigned n)
{
	assert(n <= AUDIO_TEST_PIECES_MAX);
	pthread_mutex_lock(&a->lock);
	for (unsigned i = 0; i < n; i++) {
		assert(frames[i] > 0);
		a->pieces[i] = frames[i];
	}
	a->n_pieces = n;
	a->piece = 0;
	pthread_mutex_unlock(&a->lock);
}

void audio_test_set_away(struct vsnd_audio *a, bool away)
{
	SET(a, away, away);
}

void audio_test_set_flush(struct vsnd_audio *a, size_t frames)
{
	SET(a, flush_frames, frames);
}

void audio_test_set_open_error(struct vsnd_audio *a, int err)
{
	SET(a, open_error, err);
}

void audio_test_set_close_ms(struct vsnd_audio *a, unsigned ms)
{
	SET(a, close_ms, ms);
}

void audio_test_set_source(struct vsnd_audio *a,
		void (*fill)(void *ctx, unsigned stream, void *dst, size_t bytes), void *ctx)
{
	pthread_mutex_lock(&a->lock);
	a->fill = fill;
	a->fill_ctx = ctx;
	pthread_mutex_unlock(&a->lock);
}

const void *audio_test_played(struct vsnd_audio *a, unsigned stream, size_t *ret_bytes)
{
	const void *bytes;

	assert(stream < VSND_STREAMS_MAX);
	pthread_mutex_lock(&a->lock);
	*ret_bytes = a->played[stream].size;
	bytes = a->played[stream].bytes;
	pthread_mutex_unlock(&a->lock);
	return bytes;
}

uint64_t audio_test_guest_frames(struct vsnd_audio *a, unsigned stream)
{
	assert(stream < VSND_STREAMS_MAX);
	return get(a, &a->played[stream].guest_frames);
}

void audio_test_forget(struct vsnd_audio *a)
{
	pthread_mutex_lock(&a->lock);
	for (unsigned i = 0; i < VSND_STREAMS_MAX; i++) {
		a->played[i].size = 0;
		a->played[i].guest_frames = 0;
	}
	pthread_mutex_unlock(&a->lock);
}

static unsigned count(struct vsnd_audio *a, bool running_only)
{
	unsigned n = 0;

	pthread_mutex_lock(&a->lock);
	for (const struct vsnd_voice *v = a->voices; v; v = v->next)
		n += v->runs || !running_only;
	pthread_mutex_unlock(&a->lock);
	return n;
}

unsigned audio_test_voices(struct vsnd_audio *a)
{
	return count(a, false);
}

unsigned audio_test_voices_running(struct vsnd_audio *a)
{
	return count(a, true);
}

uint64_t audio_test_cycles(struct vsnd_audio *a)
{
	return get(a, &a->cycles);
}

int64_t audio_test_wants_ns(struct vsnd_audio *a)
{
	return get_ns(a, &a->wants_ns);
}

const struct vsnd_voice_params *audio_test_params(struct vsnd_audio *a, unsigned stream)
{
	const struct vsnd_voice *v;

	pthread_mutex_lock(&a->lock);
	v = a->voices;
	while (v && v->params.stream != stream)
		v = v->next;
	pthread_mutex_unlock(&a->lock);
	return v ? &v->params : NULL;
}
