/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end that plays through PipeWire: what the device calls, and the turns of
 * the audio thread.  See pipewire.h for the threads, hosted.h for how a voice gets
 * through a server's absence.
 */
#include "audio/pipewire.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "audio/os.h"

/* What a stopped voice may still have in PipeWire's own buffers. */
#define LINGER_NS 300000000
/* In which a denied voice is faded out: 10 ms of the guest's, and cycles of the host's. */
#define FADE_NS 100000000

/* Audio thread.  The timer is moved only to an earlier time; it finds out when it is too early. */
static void arm(struct vsnd_audio *a, int64_t now_ns)
{
	int64_t due_ns = a->device_due_ns;
	struct timespec at;

	for (const struct vsnd_voice *v = a->running; v; v = v->next) {
		int64_t voice_ns = hosted_due(&v->hosted);

		if (voice_ns < due_ns)
			due_ns = voice_ns;
	}
	if (due_ns >= a->armed_ns)
		return;
	if (due_ns <= now_ns)
		due_ns = now_ns + 1;
	a->armed_ns = due_ns;
	at = (struct timespec){ .tv_sec = due_ns / NS_PER_S, .tv_nsec = due_ns % NS_PER_S };
	pw_loop_update_timer(pw_data_loop_get_loop(a->data_loop), a->turn_timer, &at, NULL, true);
}

static void end_cycle(struct vsnd_audio *a, int64_t now_ns)
{
	int64_t after_ns = vsnd_cycle_end(a->dev);

	a->device_due_ns = after_ns < 0 ? PW_NEVER_NS : now_ns + after_ns;
	arm(a, now_ns);
}

/* Audio thread: a turn of our own, by the timer or a wake-up. */
static void take_turn(struct vsnd_audio *a)
{
	int64_t now_ns = audio_now_ns();

	vsnd_cycle_begin(a->dev, now_ns);
	for (struct vsnd_voice *v = a->running; v; v = v->next) {
		if (atomic_load_explicit(&v->gone, memory_order_relaxed) &&
				atomic_exchange(&v->gone, false))
			hosted_lost(&v->hosted, now_ns);
		hosted_turn(&v->hosted, now_ns);
	}
	end_cycle(a, now_ns);
}

static void on_turn_timer(void *data, uint64_t expirations)
{
	struct vsnd_audio *a = data;

	(void)expirations;
	a->armed_ns = PW_NEVER_NS;
	take_turn(a);
}

static void on_wake(void *data, uint64_t count)
{
	struct vsnd_audio *a = data;

	(void)count;
	atomic_exchange(&a->woken, false);
	take_turn(a);
}

/* Frames from the start of the host's cycle until the first of the next buffer is heard. */
static int64_t host_delay(const struct vsnd_voice *v, const struct pw_time *t)
{
	int64_t delay = (int64_t)t->buffered;

	if (t->rate.denom > 0)
		delay += t->delay * t->rate.num * v->hosted.params.rate_hz / t->rate.denom;
	return delay;
}

/* Once per voice.  vsnd-pw is not to be woken from here, but the device is made for it. */
static void tell_late(struct vsnd_voice *v)
{
	atomic_store(&v->late, true);
	atomic_store(&v->audio->late, true);
	vsnd_audio_service(v->audio->dev);
}

static void fill(struct vsnd_voice *v, struct pw_buffer *b)
{
	struct vsnd_audio *a = v->audio;
	struct spa_data *d = &b->buffer->datas[0];
	uint32_t frame_bytes = v->hosted.params.frame_bytes;
	uint64_t frames = d->maxsize / frame_bytes;
	int64_t now_ns = audio_now_ns();
	struct pw_time t = { 0 };

	if (b->requested > 0 && b->requested < frames)
		frames = b->requested;
	pw_stream_get_time_n(v->stream, &t, sizeof(t));
	if (v->hosted.running)
		vsnd_cycle_begin(a->dev, now_ns);
	/* The begin of a cycle may have stopped or started this very voice. */
	hosted_take(&v->hosted, d->data, frames, host_delay(v, &t), t.now, now_ns);
	if (v->hosted.late && !atomic_load_explicit(&v->late, memory_order_relaxed))
		tell_late(v);
	*d->chunk = (struct spa_chunk){
		.size = (uint32_t)frames * frame_bytes,
		.stride = (int32_t)frame_bytes,
	};
}

/* Of a voice that records. */
static void empty(struct vsnd_voice *v, struct pw_buffer *b)
{
	const struct spa_data *d = &b->buffer->datas[0];
	uint32_t offset = d->chunk->offset % d->maxsize;
	uint32_t size = d->chunk->size < d->maxsize - offset ? d->chunk->size : d->maxsize - offset;
	int64_t now_ns = audio_now_ns();
	struct pw_time t = { 0 };

	pw_stream_get_time_n(v->stream, &t, sizeof(t));
	if (v->hosted.running)
		vsnd_cycle_begin(v->audio->dev, now_ns);
	hosted_give(&v->hosted, (const uint8_t *)d->data + offset,
		size / v->hosted.params.frame_bytes, host_delay(v, &t), t.now, now_ns);
}

void pipewire_process(struct vsnd_voice *v)
{
	struct pw_buffer *b = pw_stream_dequeue_buffer(v->stream);
	bool in_cycle = v->hosted.running;

	if (!b)
		return;
	if (!b->buffer->datas[0].data || b->buffer->datas[0].maxsize == 0)
		in_cycle = false;
	else if (v->hosted.params.direction == VSND_INPUT)
		empty(v, b);
	else
		fill(v, b);
	pw_stream_queue_buffer(v->stream, b);
	if (in_cycle)
		end_cycle(v->audio, audio_now_ns());
}

void pipewire_wake(struct vsnd_audio *a)
{
	if (!atomic_exchange(&a->woken, true))
		pw_loop_signal_event(pw_data_loop_get_loop(a->data_loop), a->wake_event);
}

/* Audio thread, which gets the name that it has everywhere: sources belong to the thread of their loop. */
static int add_sources(struct spa_loop *loop, bool async, uint32_t seq, const void *data,
		size_t size, void *user_data)
{
	struct vsnd_audio *a = user_data;
	struct pw_loop *l = pw_data_loop_get_loop(a->data_loop);

	(void)loop, (void)async, (void)seq, (void)data, (void)size;
	pthread_setname_np(pthread_self(), "vsnd-audio");
	a->wake_event = pw_loop_add_event(l, on_wake, a);
	a->turn_timer = pw_loop_add_timer(l, on_turn_timer, a);
	return a->wake_event && a->turn_timer ? 0 : -ENOMEM;
}

static int remove_sources(struct spa_loop *loop, bool async, uint32_t seq, const void *data,
		size_t size, void *user_data)
{
	struct vsnd_audio *a = user_data;
	struct pw_loop *l = pw_data_loop_get_loop(a->data_loop);

	(void)loop, (void)async, (void)seq, (void)data, (void)size;
	if (a->wake_event)
		pw_loop_destroy_source(l, a->wake_event);
	if (a->turn_timer)
		pw_loop_destroy_source(l, a->turn_timer);
	return 0;
}

/* What is undone here may be half made. */
static void unmake(struct vsnd_audio *a)
{
	if (a->data_loop)
		pw_data_loop_invoke(a->data_loop, remove_sources, 0, NULL, 0, true, a);
	if (a->context)
		pw_context_destroy(a->context);
	if (a->main_loop)
		pw_main_loop_destroy(a->main_loop);
	pw_deinit();
	pthread_mutex_destroy(&a->lock);
	cards_free(a);
	free(a);
}

/* Before 1.0 the configuration with a real-time thread had a file of its own. */
static const char *config_name(void)
{
	return pw_get_library_version()[0] == '0' ? "client-rt.conf" : "client.conf";
}

static int make_loops(struct vsnd_audio *a)
{
	struct pw_loop *l;

	a->main_loop = pw_main_loop_new(NULL);
	if (!a->main_loop)
		return -errno;
	l = pw_main_loop_get_loop(a->main_loop);
	a->settle_event = pw_loop_add_event(l, host_on_settle, a);
	a->settle_timer = pw_loop_add_timer(l, host_on_settle, a);
	if (!a->settle_event || !a->settle_timer)
		return -ENOMEM;
	a->context = pw_context_new(l,
		pw_properties_new(PW_KEY_CONFIG_NAME, config_name(), NULL), 0);
	if (!a->context)
		return -errno;
	a->data_loop = pw_context_get_data_loop(a->context);
	return pw_data_loop_invoke(a->data_loop, add_sources, 0, NULL, 0, true, a);
}

static int pipewire_open(struct vsnd *dev, const void *config, struct vsnd_audio **ret_audio)
{
	struct vsnd_audio *a = calloc(1, sizeof(*a));
	sigset_t all, former;
	int err;

	if (!a)
		return -ENOMEM;
	a->dev = dev;
	a->config = config;
	a->armed_ns = PW_NEVER_NS;
	a->device_due_ns = PW_NEVER_NS;
	pthread_mutex_init(&a->lock, NULL);

	/* The threads that PipeWire makes take no signals either. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &former);
	pw_init(NULL, NULL);
	err = make_loops(a);
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	if (err < 0) {
		audio_say(&a->config->log, AUDIO_ERROR, "PipeWire cannot be used: %s", strerror(-err));
		goto fail;
	}
	audio_judge_properties(a->config, "PipeWire", properties_are_some);
	err = cards_init(a);
	if (!err)
		err = audio_thread_start(host_main, a, &a->thread);
	if (err < 0)
		goto fail;
	*ret_audio = a;
	return 0;

fail:
	unmake(a);
	return err;
}

static void pipewire_close(struct vsnd_audio *a)
{
	pthread_mutex_lock(&a->lock);
	a->ending = true;
	pthread_mutex_unlock(&a->lock);
	host_settle(a);
	pthread_join(a->thread, NULL);
	assert(!a->running && !a->voices);
	unmake(a);
}

static int pipewire_voice_open(struct vsnd_audio *a, struct vsnd_stream *stream,
		const struct vsnd_voice_params *params, struct vsnd_voice **ret_voice)
{
	struct vsnd_voice *v;

	if (!format_is_known(params->format))
		return -EINVAL;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->audio = a;
	v->wish.denied = params->denied;
	atomic_init(&v->there, !params->denied && atomic_load(&a->serving));
	if (hosted_init(&v->hosted, stream, params) < 0) {
		free(v);
		return -ENOMEM;
	}
	pthread_mutex_lock(&a->lock);
	v->next_known = a->voices;
	a->voices = v;
	pthread_mutex_unlock(&a->lock);
	host_settle(a);
	if (params->denied)
		audio_say_denied(&a->config->log, params, &a->said_denied[params->direction]);
	*ret_voice = v;
	return 0;
}

static void wish(struct vsnd_voice *v, bool run, bool closed)
{
	struct vsnd_audio *a = v->audio;
	int64_t linger_ns = LINGER_NS;

	if (!run)
		linger_ns += (int64_t)v->rest_frames * NS_PER_S / v->hosted.params.rate_hz;
	pthread_mutex_lock(&a->lock);
	v->wish.run = run;
	v->wish.closed = closed;
	v->wish.linger_ns = audio_now_ns() + linger_ns;
	pthread_mutex_unlock(&a->lock);
	host_settle(a);
}

static void start_voice(void *arg)
{
	struct vsnd_voice *v = arg;
	struct vsnd_audio *a = v->audio;

	atomic_store(&v->gone, false);
	hosted_start(&v->hosted, audio_now_ns(), atomic_load(&v->there));
	v->next = a->running;
	v->link = &a->running;
	if (v->next)
		v->next->link = &v->next;
	a->running = v;
}

static void stop_voice(void *arg)
{
	struct vsnd_voice *v = arg;

	hosted_stop(&v->hosted);
	v->rest_frames = hosted_rest(&v->hosted);
	*v->link = v->next;
	if (v->next)
		v->next->link = v->link;
}

static void flush_voice(void *arg)
{
	struct vsnd_voice *v = arg;

	hosted_flush(&v->hosted, atomic_load(&v->there));
	v->rest_frames = hosted_rest(&v->hosted);
}

static void pipewire_voice_start(struct vsnd_voice *v)
{
	wish(v, true, false);
	vsnd_audio_call(v->audio->dev, start_voice, v);
}

static void pipewire_voice_stop(struct vsnd_voice *v)
{
	vsnd_audio_call(v->audio->dev, stop_voice, v);
	wish(v, false, false);
}

static void pipewire_voice_flush(struct vsnd_voice *v)
{
	vsnd_audio_call(v->audio->dev, flush_voice, v);
}

static void pipewire_voice_close(struct vsnd_voice *v)
{
	wish(v, false, true);
}

static void pipewire_voice_allow(struct vsnd_voice *v, bool allowed)
{
	pthread_mutex_lock(&v->audio->lock);
	v->wish.denied = !allowed;
	v->wish.linger_ns = audio_now_ns() + FADE_NS;
	pthread_mutex_unlock(&v->audio->lock);
	host_settle(v->audio);
}

static void pipewire_service(struct vsnd_audio *a)
{
	volume_service(a);
	cards_service(a);
	if (atomic_exchange(&a->late, false))
		host_settle(a);
}

static bool pipewire_connected(const struct vsnd_audio *a)
{
	return atomic_load(&a->serving);
}

static const struct vsnd_audio_ops pipewire_ops = {
	.name = "pipewire",
	.open = pipewire_open,
	.close = pipewire_close,
	.wake = pipewire_wake,
	.voice_open = pipewire_voice_open,
	.voice_start = pipewire_voice_start,
	.voice_stop = pipewire_voice_stop,
	.voice_flush = pipewire_voice_flush,
	.voice_close = pipewire_voice_close,
	.service = pipewire_service,
	.voice_allow = pipewire_voice_allow,
	.voice_volume = volume_wish,
	.connected = pipewire_connected,
};

const struct vsnd_audio_ops *const audio_pipewire_ops = &pipewire_ops;
