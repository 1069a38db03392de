/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end that plays and records through PulseAudio, or what speaks its protocol:
 * what the device calls, and the turns of the audio thread.  See pulse.h for the
 * threads, hosted.h for how a voice gets through a server's absence.
 */
#include "audio/pulse.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audio/os.h"
#include "audio/pulse_format.h"

/* What a stopped voice may have in buffers that nobody told of. */
#define LINGER_NS 300000000
/* Of frames that are converted at a time. */
#define SCRATCH_BYTES 16384
/* The longest wait that libpulse can be asked for. */
#define WAIT_US_MAX 1000000000

/* The timer's part of a cycle. */
static void turn_voice(struct vsnd_voice *v, int64_t now_ns)
{
	bool here = v->hosted.mode != HOSTED_AWAY, there = pulse_there(v);

	if (!there)
		hosted_lost(&v->hosted, now_ns);
	hosted_turn(&v->hosted, now_ns);
	if (!here || v->hosted.mode != HOSTED_AWAY)
		return;
	v->primed = false;
	/* The next START need not find that out again, waiting. */
	if (there)
		v->audio->silent = true;
}

static void run_cycle(struct vsnd_audio *a, int64_t now_ns)
{
	int64_t after_ns;

	a->woken = false;
	vsnd_cycle_begin(a->dev, now_ns);
	for (struct vsnd_voice *v = a->voices; v; v = v->next)
		pulse_stream_move(v, now_ns);
	for (struct vsnd_voice *v = a->voices; v; v = v->next)
		turn_voice(v, now_ns);
	after_ns = vsnd_cycle_end(a->dev);

	a->due_ns = after_ns < 0 ? WAKE_NEVER : now_ns + after_ns;
	for (const struct vsnd_voice *v = a->voices; v; v = v->next) {
		int64_t voice_ns = hosted_due(&v->hosted);

		if (voice_ns < a->due_ns)
			a->due_ns = voice_ns;
	}
}

static bool has_work(const struct vsnd_audio *a)
{
	for (const struct vsnd_voice *v = a->voices; v; v = v->next) {
		if (pulse_stream_has_work(v))
			return true;
	}
	return false;
}

/* Let libpulse wait and do its own work. */
static void wait_and_dispatch(struct vsnd_audio *a)
{
	int64_t until_ns = a->due_ns < a->settle_ns ? a->due_ns : a->settle_ns;
	int timeout_us = -1;

	if (a->woken) {
		timeout_us = 0;
	} else if (until_ns != WAKE_NEVER) {
		int64_t us = (until_ns - audio_now_ns() + 999) / 1000;

		timeout_us = us < 0 ? 0 : us > WAIT_US_MAX ? WAIT_US_MAX : (int)us;
	}
	if (pa_mainloop_prepare(a->loop, timeout_us) < 0 || pa_mainloop_poll(a->loop) < 0)
		return;
	pa_mainloop_dispatch(a->loop);
}

static void *audio_main(void *arg)
{
	struct vsnd_audio *a = arg;

	pthread_setname_np(pthread_self(), "vsnd-audio");
	while (!atomic_load(&a->ending)) {
		int64_t now_ns = audio_now_ns();
		bool work = has_work(a);

		if (work)
			a->silent = false;
		if (work || a->woken || now_ns >= a->due_ns)
			run_cycle(a, now_ns);
		a->settle_ns = pulse_settle(a, now_ns);
		wait_and_dispatch(a);
	}
	pulse_leave(a);
	return NULL;
}

static void on_wake(pa_mainloop_api *api, pa_io_event *event, int fd, pa_io_event_flags_t flags,
		void *data)
{
	struct vsnd_audio *a = data;

	(void)api, (void)event, (void)fd, (void)flags;
	wake_take(&a->wake);
	a->woken = true;
}

static int make_loop(struct vsnd_audio *a)
{
	pa_mainloop_api *api;

	a->loop = pa_mainloop_new();
	if (!a->loop)
		return -ENOMEM;
	api = pa_mainloop_get_api(a->loop);
	a->wake_event = api->io_new(api, a->wake.fd, PA_IO_EVENT_INPUT, on_wake, a);
	if (a->wake_event)
		return 0;
	pa_mainloop_free(a->loop);
	return -ENOMEM;
}

static void free_loop(struct vsnd_audio *a)
{
	pa_mainloop_get_api(a->loop)->io_free(a->wake_event);
	pa_mainloop_free(a->loop);
}

static bool are_properties(const char *text)
{
	pa_proplist *p = pa_proplist_new();
	bool good = pulse_properties(p, text);

	pa_proplist_free(p);
	return good;
}

static int pulse_open(struct vsnd *dev, const void *config, struct vsnd_audio **ret_audio)
{
	struct vsnd_audio *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	a->dev = dev;
	a->config = config;
	a->due_ns = WAKE_NEVER;
	a->watch = -1;
	err = wake_init(&a->wake);
	if (err < 0)
		goto fail_wake;
	err = make_loop(a);
	if (err < 0)
		goto fail_loop;
	err = audio_thread_start(audio_main, a, &a->thread);
	if (err < 0)
		goto fail_thread;
	audio_thread_realtime(a->thread, &a->config->log);
	audio_judge_properties(a->config, "PulseAudio", are_properties);
	*ret_audio = a;
	return 0;

fail_thread:
	free_loop(a);
fail_loop:
	wake_fini(&a->wake);
fail_wake:
	free(a);
	return err;
}

static void free_voice(struct vsnd_voice *v)
{
	hosted_free(&v->hosted);
	free(v->scratch);
	free(v);
}

static void free_gone(struct vsnd_audio *a)
{
	struct vsnd_voice *next, *v = atomic_exchange(&a->gone, NULL);

	for (; v; v = next) {
		next = v->next;
		free_voice(v);
	}
}

static void pulse_close(struct vsnd_audio *a)
{
	atomic_store(&a->ending, true);
	wake_up(&a->wake);
	pthread_join(a->thread, NULL);
	free_gone(a);
	free_loop(a);
	wake_fini(&a->wake);
	free(a);
}

static void pulse_wake(struct vsnd_audio *a)
{
	wake_up(&a->wake);
}

static void say_connection(struct vsnd_audio *a)
{
	enum pulse_news news = atomic_load(&a->news);

	if (news == a->said)
		return;
	a->said = news;
	if (news == PULSE_THERE)
		audio_say(&a->config->log, a->complained ? AUDIO_WARN : AUDIO_INFO, "PulseAudio: connected");
	else
		audio_say(&a->config->log, AUDIO_WARN, "PulseAudio: %s; trying again",
			pa_strerror(atomic_load(&a->error)));
	a->complained = news == PULSE_AWAY;
}

static void pulse_service(struct vsnd_audio *a)
{
	unsigned stream_error = atomic_exchange(&a->stream_error, 0);

	free_gone(a);
	say_connection(a);
	pulse_volume_service(a);
	if (stream_error != 0)
		audio_say(&a->config->log, AUDIO_WARN, "PulseAudio: stream %u: %s", stream_error / 256,
			pa_strerror((int)(stream_error % 256)));
}

static bool pulse_connected(const struct vsnd_audio *a)
{
	return atomic_load(&a->news) == PULSE_THERE;
}

static int init_convert(struct vsnd_voice *v)
{
	const struct vsnd_voice_params *p = &v->hosted.params;

	if (v->host_format == p->format)
		return 0;
	if (p->direction == VSND_INPUT)
		convert_init(&v->convert, v->host_format, p->format, p->channels, NULL);
	else
		convert_init(&v->convert, p->format, v->host_format, p->channels, NULL);
	v->scratch_frames = SCRATCH_BYTES / p->frame_bytes;
	v->scratch = calloc(v->scratch_frames, p->frame_bytes);
	return v->scratch ? 0 : -ENOMEM;
}

static void add_voice(void *arg)
{
	struct vsnd_voice *v = arg;

	v->next = v->audio->voices;
	v->audio->voices = v;
}

static int pulse_voice_open(struct vsnd_audio *a, struct vsnd_stream *stream,
		const struct vsnd_voice_params *params, struct vsnd_voice **ret_voice)
{
	unsigned host_format = pulse_format(params->format);
	struct vsnd_voice *v;

	if (host_format == VSND_FORMATS)
		return -EINVAL;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->audio = a;
	v->host_format = host_format;
	v->host_bytes = (uint32_t)vsnd_format_info(host_format)->bytes * params->channels;
	v->denied = params->denied;
	if (hosted_init(&v->hosted, stream, params) < 0 || init_convert(v) < 0) {
		free_voice(v);
		return -ENOMEM;
	}
	vsnd_audio_call(a->dev, add_voice, v);
	if (params->denied)
		audio_say_denied(&a->config->log, params, &a->said_denied[params->direction]);
	*ret_voice = v;
	return 0;
}

static void start_voice(void *arg)
{
	struct vsnd_voice *v = arg;

	v->primed = false;
	hosted_start(&v->hosted, audio_now_ns(), pulse_there(v) && !v->audio->silent);
}

static void linger(struct vsnd_voice *v)
{
	v->linger_ns = audio_now_ns() + pulse_stream_rest_ns(v) + LINGER_NS;
}

static void stop_voice(void *arg)
{
	struct vsnd_voice *v = arg;

	hosted_stop(&v->hosted);
	v->drain = true;
	linger(v);
}

static void flush_voice(void *arg)
{
	struct vsnd_voice *v = arg;

	hosted_flush(&v->hosted, pulse_stream_ready(v));
	v->drain = true;
	linger(v);
}

static void close_voice(void *arg)
{
	struct vsnd_voice *v = arg;

	v->closed = true;
}

static void pulse_voice_start(struct vsnd_voice *v)
{
	vsnd_audio_call(v->audio->dev, start_voice, v);
}

static void pulse_voice_stop(struct vsnd_voice *v)
{
	vsnd_audio_call(v->audio->dev, stop_voice, v);
}

static void pulse_voice_flush(struct vsnd_voice *v)
{
	vsnd_audio_call(v->audio->dev, flush_voice, v);
}

static void pulse_voice_close(struct vsnd_voice *v)
{
	vsnd_audio_call(v->audio->dev, close_voice, v);
}

static void allow(void *arg)
{
	struct vsnd_voice *v = arg;

	v->denied = false;
}

static void deny(void *arg)
{
	struct vsnd_voice *v = arg;

	v->denied = true;
}

static void pulse_voice_allow(struct vsnd_voice *v, bool allowed)
{
	vsnd_audio_call(v->audio->dev, allowed ? allow : deny, v);
}

static const struct vsnd_audio_ops pulse_ops = {
	.name = "pulse",
	.open = pulse_open,
	.close = pulse_close,
	.wake = pulse_wake,
	.voice_open = pulse_voice_open,
	.voice_start = pulse_voice_start,
	.voice_stop = pulse_voice_stop,
	.voice_flush = pulse_voice_flush,
	.voice_close = pulse_voice_close,
	.service = pulse_service,
	.voice_allow = pulse_voice_allow,
	.voice_volume = pulse_voice_volume,
	.connected = pulse_connected,
};

const struct vsnd_audio_ops *const audio_pulse_ops = &pulse_ops;
