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

#include "audio/os.h"

#define NEVER INT64_MAX

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

/* In real time: the frames of a voice that have become due. */
static size_t due_frames(struct vsnd_voice *v, int64_t now_ns)
{
	size_t ready = 0;

	if (!pace_clock_is_due(&v->clock, now_ns))
		return 0;
	if (pace_clock_owes(&v->clock, now_ns))
		ready = v->params.direction == VSND_INPUT ? vsnd_stream_room(v->stream)
			: vsnd_stream_queued(v->stream);
	return pace_clock_turn(&v->clock, now_ns, ready);
}

static void turn(struct vsnd_audio *a, size_t frames)
{
	a->in_cycle = true;
	if (a->real)
		a->now_ns = audio_now_ns() + a->real_offset_ns;
	else
		pass_frames(a, frames);
	vsnd_cycle_begin(a->dev, a->now_ns);
	for (struct vsnd_voice *v = a->voices; v; v = v->next) {
		if (v->runs)
			test_voice_move(v, a->real ? due_frames(v, a->now_ns) : frames);
	}
	a->wants_ns = vsnd_cycle_end(a->dev);
	a->cycles++;
	a->in_cycle = false;
}

/* When the clock of the back-end is to have another turn by itself. */
static int64_t due_ns(const struct vsnd_audio *a)
{
	int64_t due = NEVER;

	if (!a->real)
		return NEVER;
	if (a->wants_ns >= 0)
		due = a->now_ns + a->wants_ns;
	for (const struct vsnd_voice *v = a->voices; v; v = v->next) {
		if (v->runs && pace_clock_due(&v->clock) < due)
			due = pace_clock_due(&v->clock);
	}
	return due;
}

/* True if a turn is due, asked for or not; else waits for that or any other change. */
static bool turn_is_due(struct vsnd_audio *a)
{
	int64_t due = due_ns(a);
	struct timespec until;

	if (a->done != a->wanted)
		return true;
	if (due == NEVER) {
		pthread_cond_wait(&a->changed, &a->lock);
		return false;
	}
	due -= a->real_offset_ns;
	if (due <= audio_now_ns())
		return true;
	until = (struct timespec){ .tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S };
	pthread_cond_timedwait(&a->changed, &a->lock, &until);
	return false;
}

static void *test_main(void *arg)
{
	struct vsnd_audio *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->ending) {
		bool asked;

		if (!turn_is_due(a))
			continue;
		asked = a->done != a->wanted;
		turn(a, asked ? a->turn_frames : 0);
		if (!asked)
			continue;
		a->turn_frames = 0;
		a->done++;
		pthread_cond_broadcast(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

static void init_lock(struct vsnd_audio *a)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
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
	a->real = c->real;
	init_lock(a);
	assert(!a->threadless || !a->real);
	if (!a->threadless && audio_thread_start(test_main, a, &a->thread) < 0) {
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
	test_closing_free(a);
	for (unsigned i = 0; i < VSND_STREAMS_MAX; i++)
		free(a->track[i].played);
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
	if (c->runs && !c->voice->runs)
		pace_clock_start(&c->voice->clock, c->audio->now_ns);
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
	pace_clock_init(&v->clock, params->rate_hz, params->period_frames, params->buffer_frames);
	a->track[params->stream].source_frames = 0;
	a->track[params->stream].counters.opened++;
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

/* A host that is slow to let go is waited for by nobody. */
static void test_voice_close(struct vsnd_voice *v)
{
	struct vsnd_audio *a = v->audio;

	change_voice(v, false, false);
	if (!a->holds_close) {
		free(v);
		return;
	}
	v->next = a->closing;
	a->closing = v;
}

void test_closing_free(struct vsnd_audio *a)
{
	while (a->closing) {
		struct vsnd_voice *v = a->closing;

		a->closing = v->next;
		free(v);
	}
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
