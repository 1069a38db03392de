/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See test.h.  One lock guards everything and is held over a whole cycle: this
 * back-end is for tests, and waits and allocates where a real one must not.
 * What vsnd_audio_call() runs on the audio thread runs with the lock held, so
 * those functions take none.
 */
#include "audio/test_state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_S 1000000000

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

static void turn(struct vsnd_audio *a, size_t frames)
{
	a->in_cycle = true;
	pass_frames(a, frames);
	vsnd_cycle_begin(a->dev, a->now_ns);
	for (struct vsnd_voice *v = a->voices; v; v = v->next) {
		if (v->runs)
			test_voice_move(v, frames);
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
	test_voice_drain(arg);
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
