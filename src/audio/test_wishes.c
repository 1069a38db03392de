/* SPDX-License-Identifier: BSD-3-Clause */
/* What a test wants of the back-end for tests, and what it asks. */
#include "audio/test_state.h"

#include <assert.h>
#include <string.h>

#include "audio/os.h"

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

int64_t audio_test_now_ns(struct vsnd_audio *a)
{
	int64_t now_ns;

	pthread_mutex_lock(&a->lock);
	now_ns = a->now_ns;
	pthread_mutex_unlock(&a->lock);
	return now_ns;
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

void audio_test_set_fails(struct vsnd_audio *a, bool fails)
{
	SET(a, fails, fails);
}

void audio_test_set_stalled(struct vsnd_audio *a, bool stalled)
{
	SET(a, stalled, stalled);
}

/* Both are the control thread's. */
void audio_test_hold_close(struct vsnd_audio *a, bool hold)
{
	a->holds_close = hold;
	if (!hold)
		test_closing_free(a);
}

/* Time does not go back, and what was not moved by hand is not made up for. */
void audio_test_set_real(struct vsnd_audio *a, bool real)
{
	assert(!a->threadless);
	pthread_mutex_lock(&a->lock);
	if (real && !a->real) {
		a->real_offset_ns = a->now_ns - audio_now_ns();
		for (struct vsnd_voice *v = a->voices; v; v = v->next)
			pace_clock_start(&v->clock, a->now_ns);
	}
	a->real = real;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

bool audio_test_is_real(const struct vsnd_audio *a)
{
	return a->real;
}

/* Lock held. */
static void set_source(struct vsnd_audio *a, enum source source)
{
	a->source = source;
	for (unsigned i = 0; i < VSND_STREAMS_MAX; i++)
		a->track[i].source_frames = 0;
}

void audio_test_set_source(struct vsnd_audio *a,
		void (*fill)(void *ctx, unsigned stream, void *dst, size_t bytes), void *ctx)
{
	pthread_mutex_lock(&a->lock);
	set_source(a, fill ? SOURCE_FILL : SOURCE_SILENCE);
	a->fill = fill;
	a->fill_ctx = ctx;
	pthread_mutex_unlock(&a->lock);
}

void audio_test_set_ramp(struct vsnd_audio *a)
{
	pthread_mutex_lock(&a->lock);
	set_source(a, SOURCE_RAMP);
	pthread_mutex_unlock(&a->lock);
}

void audio_test_set_bytes(struct vsnd_audio *a, const void *bytes, size_t n)
{
	assert(n > 0 && n <= AUDIO_TEST_BYTES_MAX);
	pthread_mutex_lock(&a->lock);
	set_source(a, SOURCE_BYTES);
	memcpy(a->bytes, bytes, n);
	a->n_bytes = n;
	pthread_mutex_unlock(&a->lock);
}

const void *audio_test_played(struct vsnd_audio *a, unsigned stream, size_t *ret_bytes)
{
	const void *bytes;

	assert(stream < VSND_STREAMS_MAX);
	pthread_mutex_lock(&a->lock);
	*ret_bytes = a->track[stream].played_bytes;
	bytes = a->track[stream].played;
	pthread_mutex_unlock(&a->lock);
	return bytes;
}

/* The number of those copied.  @dst is the caller's, so the audio thread may go on. */
size_t audio_test_copy_played(struct vsnd_audio *a, unsigned stream, size_t at, void *dst,
		size_t bytes)
{
	const struct track *t = &a->track[stream];
	size_t n = 0;

	assert(stream < VSND_STREAMS_MAX);
	pthread_mutex_lock(&a->lock);
	if (at < t->played_bytes)
		n = t->played_bytes - at < bytes ? t->played_bytes - at : bytes;
	if (n > 0)
		memcpy(dst, t->played + at, n);
	pthread_mutex_unlock(&a->lock);
	return n;
}

void audio_test_counters(struct vsnd_audio *a, unsigned stream, struct audio_test_counters *ret)
{
	assert(stream < VSND_STREAMS_MAX);
	pthread_mutex_lock(&a->lock);
	*ret = a->track[stream].counters;
	pthread_mutex_unlock(&a->lock);
}

uint64_t audio_test_guest_frames(struct vsnd_audio *a, unsigned stream)
{
	assert(stream < VSND_STREAMS_MAX);
	return get(a, &a->track[stream].counters.guest_frames);
}

void audio_test_forget(struct vsnd_audio *a)
{
	pthread_mutex_lock(&a->lock);
	for (unsigned i = 0; i < VSND_STREAMS_MAX; i++) {
		a->track[i].played_bytes = 0;
		a->track[i].counters = (struct audio_test_counters){ 0 };
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

unsigned audio_test_voices_closing(struct vsnd_audio *a)
{
	unsigned n = 0;

	for (const struct vsnd_voice *v = a->closing; v; v = v->next)
		n++;
	return n;
}

unsigned audio_test_voices_running(struct vsnd_audio *a)
{
	return count(a, true);
}

uint64_t audio_test_cycles(struct vsnd_audio *a)
{
	return get(a, &a->cycles);
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
