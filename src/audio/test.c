/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See test.h.  One lock guards everything and is held over a whole cycle: this
 * back-end is for tests, and waits and allocates where a real one must not.
 * What vsnd_audio_call() runs on the audio thread runs with the lock held, so
 * those functions take none.
 */
#include "audio/test.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000

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

static void *room_for(struct played *p, size_t bytes)
{
	if (bytes > p->room - p->size) {
		p->room = (p->size + bytes) * 2;
		p->bytes = realloc(p->bytes, p->room);
		if (!p->bytes)
			abort();
	}
	return p->bytes + p->size;
}

static void push_piece(struct vsnd_voice *v, size_t frames, int64_t delay_frames)
{
	struct vsnd_audio *a = v->audio;
	size_t bytes = frames * v->params.frame_bytes;
	void *src = NULL;

	if (a->fill && !a->away) {
		src = malloc(bytes);
		if (!src)
			abort();
		a->fill(a->fill_ctx, v->params.stream, src, bytes);
	}
	a->played[v->params.stream].guest_frames +=
		vsnd_push(v->stream, src, frames, delay_frames);
	free(src);
}

static void pull_piece(struct vsnd_voice *v, size_t frames, int64_t delay_frames)
{
	struct played *p = &v->audio->played[v->params.stream];
	size_t bytes = frames * v->params.frame_bytes;

	if (v->audio->away) {
		vsnd_pull(v->stream, NULL, frames, delay_frames);
		return;
	}
	p->guest_frames += vsnd_pull(v->stream, room_for(p, bytes), frames, delay_frames);
	p->size += bytes;
}

static size_t next_piece(struct vsnd_audio *a, size_t frames)
{
	size_t piece;

	if (a->n_pieces == 0)
		return frames;
	piece = a->pieces[a->piece++ % a->n_pieces];
	return piece < frames ? piece : frames;
}

static void pull(struct vsnd_voice *v, size_t frames)
{
	int64_t delay_frames = v->audio->delay_frames - (int64_t)frames;

	while (frames > 0) {
		size_t piece = next_piece(v->audio, frames);

		pull_piece(v, piece, delay_frames);
		delay_frames += (int64_t)piece;
		frames -= piece;
	}
}

/* Exact over many turns: what a division leaves goes into the next one. */
static void pass_frames(struct vsnd_audio *a, size_t frames)
{
	struct vsnd_voice *v = a->voices;
	int64_t ns = (int64_t)frames * NS_PER_S;

	while (v && !v->runs)
		v = v->next;
	if (!v) {
		a->now_ns += ns / 48000;
		return;
	}
	ns += v->remainder;
	v->remainder = ns % v->params.rate_hz;
	a->now_ns += ns / v->params.rate_hz;
}

/* The newest of a piece's frames is as old as what comes after it in the cycle. */
static void push(struct vsnd_voice *v, size_t frames)
{
	while (frames > 0) {
		size_t piece = next_piece(v->audio, frames);

		frames -= piece;
		push_piece(v, piece, v->audio->delay_frames + (int64_t)frames);
	}
}

static void turn(struct vsnd_audio *a, size_t frames)
{
	a->in_cycle = true;
	pass_frames(a, frames);
	vsnd_cycle_begin(a->dev, a->now_ns);
	for (struct vsnd_voice *v = a->voices; v; v = v->next) {
		if (v->runs && v->params.direction == VSND_INPUT)
			push(v, frames);
		else if (v->runs)
			pull(v, frames);
	}
	a->wants_ns = vsnd_cycle_end(a->dev);
	a->cycles++;
	a->in_cycle = false;
}

static void *test_main(void *arg)
{
	struct vsnd_audio *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->ending) {
		if (a->done == a->wanted) {
			pthread_cond_wait(&a->changed, &a->lock);
			continue;
		}
		turn(a, a->turn_frames);
		a->turn_frames = 0;
		a->done++;
		pthread_cond_broadcast(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

static int test_open(struct vsnd *dev, const void *config, struct vsnd_audio **ret_audio)
{
	const struct audio_test_config *c = config;
	struct vsnd_audio *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->dev = dev;
	a->threadless = c->threadless;
	a->wants_ns = -1;
	a->flush_frames = SIZE_MAX;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	if (!a->threadless && pthread_create(&a->thread, NULL, test_main, a) != 0) {
		free(a);
		return -EAGAIN;
	}
	*c->ret_audio = a;
	*ret_audio = a;
	return 0;
}

static void test_close(struct vsnd_audio *a)
{
	assert(!a->voices);
	if (!a->threadless) {
		pthread_mutex_lock(&a->lock);
		a->ending = true;
		pthread_cond_broadcast(&a->changed);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->thread, NULL);
	}
	for (unsigned i = 0; i < VSND_STREAMS_MAX; i++)
		free(a->played[i].bytes);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

/* Not on the audio thread. */
static void run_turn(struct vsnd_audio *a, size_t frames)
{
	uint64_t mine;

	if (a->threadless) {
		turn(a, frames);
		return;
	}
	pthread_mutex_lock(&a->lock);
	while (a->done != a->wanted)
		pthread_cond_wait(&a->changed, &a->lock);
	a->turn_frames = frames;
	mine = ++a->wanted;
	pthread_cond_broadcast(&a->changed);
	while (a->done < mine)
		pthread_cond_wait(&a->changed, &a->lock);
	pthread_mutex_unlock(&a->lock);
}

/*
 * A wake without a thread from within a cycle is one that the device gives
 * itself; the next cycle serves it.
 */
static void test_wake(struct vsnd_audio *a)
{
	if (a->threadless) {
		if (!a->in_cycle)
			turn(a, 0);
		return;
	}
	if (pthread_equal(pthread_self(), a->thread)) {
		a->wanted++;	/* within a cycle: the lock is ours */
		return;
	}
	pthread_mutex_lock(&a->lock);
	a->wanted++;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

struct call {
	struct vsnd_voice *voice;
	bool linked, runs;
	struct vsnd_audio *audio;
};

/* Put a voice into the list or take it out, with a new state. */
static void change(void *arg)
{
	struct call *c = arg;
	struct vsnd_voice **link = &c->audio->voices;

	while (*link && *link != c->voice)
		link = &(*link)->next;
	if (*link && !c->linked)
		*link = c->voice->next;
	else if (!*link && c->linked)
		*link = c->voice;
	c->voice->runs = c->runs;
}

static void change_voice(struct vsnd_voice *v, bool linked, bool runs)
{
	struct call c = { .voice = v, .linked = linked, .runs = runs, .audio = v->audio };

	vsnd_audio_call(v->audio->dev, change, &c);
}

static int test_voice_open(struct vsnd_audio *a, struct vsnd_stream *stream,
		const struct vsnd_voice_params *params, struct vsnd_voice **ret_voice)
{
	struct vsnd_voice *v;

	if (a->open_error < 0)
		return a->open_error;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->audio = a;
	v->stream = stream;
	v->params = *params;
	change_voice(v, true, false);
	*ret_voice = v;
	return 0;
}

static void test_voice_start(struct vsnd_voice *v)
{
	change_voice(v, true, true);
}

static void test_voice_stop(struct vsnd_voice *v)
{
	change_voice(v, true, false);
}

static void flush(void *arg)
{
	struct vsnd_voice *v = arg;
	size_t queued = vsnd_stream_queued(v->stream);

	pull(v, queued < v->audio->flush_frames ? queued : v->audio->flush_frames);
}

static void test_voice_flush(struct vsnd_voice *v)
{
	vsnd_audio_call(v->audio->dev, flush, v);
}

static void test_voice_close(struct vsnd_voice *v)
{
	struct timespec stall = {
		.tv_sec = v->audio->close_ms / 1000,
		.tv_nsec = v->audio->close_ms % 1000 * 1000000L,
	};

	change_voice(v, false, false);
	nanosleep(&stall, NULL);
	free(v);
}

const struct vsnd_audio_ops audio_test_ops = {
	.name = "test",
	.open = test_open,
	.close = test_close,
	.wake = test_wake,
	.voice_open = test_voice_open,
	.voice_start = test_voice_start,
	.voice_stop = test_voice_stop,
	.voice_flush = test_voice_flush,
	.voice_close = test_voice_close,
};

void audio_test_advance(struct vsnd_audio *a, size_t frames, unsigned cycles)
{
	while (cycles-- > 0)
		run_turn(a, frames);
}

void audio_test_cycle(struct vsnd_audio *a)
{
	run_turn(a, 0);
}

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
