/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/pace.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "audio/os.h"
#include "audio/wake.h"

/* A voice without a clock whose sink is full looks again after this. */
#define PACE_RETRY_NS 1000000

struct pace {
	/* Constant. */
	struct vsnd *dev;
	pthread_t thread;

	/* Any thread's. */
	struct wake wake;
	atomic_bool ending;

	/* The audio thread's. */
	struct pace_voice *voices;	/* those that run */
	int64_t now_ns;		/* of this turn */
	int64_t device_due_ns;	/* what vsnd_cycle_end() asked for */
};

static int64_t voice_due_ns(const struct pace_voice *v)
{
	return v->has_clock ? pace_clock_due(&v->clock) : v->retry_ns;
}

static int64_t nearest_due_ns(const struct pace *p)
{
	int64_t due_ns = p->device_due_ns;

	for (const struct pace_voice *v = p->voices; v; v = v->next) {
		if (voice_due_ns(v) < due_ns)
			due_ns = voice_due_ns(v);
	}
	return due_ns;
}

/* Until a wake-up or the nearest deadline, whichever comes first. */
static void wait_for_turn(struct pace *p)
{
	struct pollfd fd;

	wake_wait(&p->wake, &fd, 0, nearest_due_ns(p));
}

/* Frames that the guest has queued, or has room for. */
static size_t ready_frames(const struct pace_voice *v)
{
	return v->input ? vsnd_stream_room(v->stream) : vsnd_stream_queued(v->stream);
}

static void run_voice(struct pace_voice *v, int64_t now_ns)
{
	size_t ready, frames;

	if (!v->has_clock) {
		bool done = v->move(v, ready_frames(v));

		v->retry_ns = done ? WAKE_NEVER : now_ns + PACE_RETRY_NS;
		return;
	}
	if (!pace_clock_is_due(&v->clock, now_ns))
		return;
	ready = pace_clock_owes(&v->clock, now_ns) ? ready_frames(v) : 0;
	frames = pace_clock_turn(&v->clock, now_ns, ready);
	if (frames > 0)
		v->move(v, frames);
}

static void take_turn(struct pace *p)
{
	int64_t after_ns;

	p->now_ns = audio_now_ns();
	vsnd_cycle_begin(p->dev, p->now_ns);
	for (struct pace_voice *v = p->voices; v; v = v->next)
		run_voice(v, p->now_ns);
	after_ns = vsnd_cycle_end(p->dev);
	p->device_due_ns = after_ns < 0 ? WAKE_NEVER : p->now_ns + after_ns;
}

static void *pace_main(void *arg)
{
	struct pace *p = arg;

	pthread_setname_np(pthread_self(), "vsnd-audio");
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	while (!atomic_load(&p->ending)) {
		wait_for_turn(p);
		take_turn(p);
	}
	return NULL;
}

int pace_create(struct vsnd *dev, struct pace **ret_pace)
{
	struct pace *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->dev = dev;
	p->device_due_ns = WAKE_NEVER;
	err = wake_init(&p->wake);
	if (err < 0)
		goto free_pace;
	err = audio_thread_start(pace_main, p, &p->thread);
	if (err < 0)
		goto fini_wake;
	*ret_pace = p;
	return 0;

fini_wake:
	wake_fini(&p->wake);
free_pace:
	free(p);
	return err;
}

void pace_realtime(struct pace *p, const struct audio_log *log)
{
	audio_thread_realtime(p->thread, log);
}

void pace_destroy(struct pace *p)
{
	if (!p)
		return;
	atomic_store(&p->ending, true);
	pace_wake(p);
	pthread_join(p->thread, NULL);
	assert(!p->voices);
	wake_fini(&p->wake);
	free(p);
}

void pace_wake(struct pace *p)
{
	wake_up(&p->wake);
}

void pace_voice_init(struct pace_voice *v, struct pace *p, struct vsnd_stream *stream,
		const struct vsnd_voice_params *params)
{
	v->pace = p;
	v->stream = stream;
	v->input = params->direction == VSND_INPUT;
	v->retry_ns = WAKE_NEVER;
	pace_clock_init(&v->clock, params->rate_hz, v->input ? params->period_frames
		: pace_cycle_frames(params->rate_hz, params->period_frames, params->buffer_frames),
		params->buffer_frames);
}

/* The next deadline of a running voice with the same cycle, or now. */
static int64_t origin_ns(const struct pace *p, const struct pace_clock *c)
{
	for (const struct pace_voice *o = p->voices; o; o = o->next) {
		int64_t next_ns = pace_clock_deadline(&o->clock);

		if (o->has_clock && o->clock.rate_hz == c->rate_hz &&
				o->clock.period_frames == c->period_frames &&
				next_ns > p->now_ns && next_ns - p->now_ns <= pace_clock_cycle_ns(c))
			return next_ns;
	}
	return p->now_ns;
}

static void start_voice(void *arg)
{
	struct pace_voice *v = arg;
	struct pace *p = v->pace;

	if (v->has_clock)
		pace_clock_start(&v->clock, origin_ns(p, &v->clock));
	else
		vsnd_want_kicks(p->dev, true);
	v->next = p->voices;
	v->link = &p->voices;
	if (v->next)
		v->next->link = &v->next;
	p->voices = v;
}

static void stop_voice(void *arg)
{
	struct pace_voice *v = arg;

	if (!v->has_clock)
		vsnd_want_kicks(v->pace->dev, false);
	*v->link = v->next;
	if (v->next)
		v->next->link = v->link;
	v->retry_ns = WAKE_NEVER;
}

void pace_voice_start(struct pace_voice *v)
{
	vsnd_audio_call(v->pace->dev, start_voice, v);
}

void pace_voice_stop(struct pace_voice *v)
{
	vsnd_audio_call(v->pace->dev, stop_voice, v);
}

struct call {
	struct pace_voice *voice;
	void (*fn)(struct pace_voice *v);
};

static void call_voice(void *arg)
{
	struct call *c = arg;

	c->fn(c->voice);
}

void pace_voice_call(struct pace_voice *v, void (*fn)(struct pace_voice *v))
{
	struct call c = { .voice = v, .fn = fn };

	vsnd_audio_call(v->pace->dev, call_voice, &c);
}
