/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connection to the server, and which voice has a stream there.
 *
 * pulse_settle() looks at everything there is to do and says when it wants to look
 * again.  It runs whenever the audio thread has been awake, which a change of any
 * state sees to; what is not possible now is tried again by it with back-off.
 *
 * A server is never started by us, which would mean to fork and to wait.
 */
#include "audio/pulse.h"

#include "audio/os.h"

/* A stream that failed, e.g. for want of a sink. */
#define STREAM_RETRY_NS 1000000000

static void tell(struct vsnd_audio *a, enum pulse_news news, int error)
{
	atomic_store(&a->error, error);
	atomic_store(&a->news, news);
	vsnd_audio_service(a->dev);
}

bool pulse_there(const struct vsnd_voice *v)
{
	if (v->denied || !v->audio->ready)
		return false;
	return pulse_stream_ready(v) || !v->failed;
}

static pa_context *make_context(struct vsnd_audio *a)
{
	pa_proplist *props = pa_proplist_new();
	const char *name = a->config->name ? a->config->name : "vhost-user-snd";
	pa_context *c;

	pa_proplist_sets(props, PA_PROP_APPLICATION_NAME, name);
	c = pa_context_new_with_proplist(pa_mainloop_get_api(a->loop), NULL, props);
	pa_proplist_free(props);
	return c;
}

static void connect_to_server(struct vsnd_audio *a, int64_t now_ns)
{
	int error = PA_ERR_INTERNAL;

	pulse_watch(a);
	a->context = make_context(a);
	if (a->context && pa_context_connect(a->context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) == 0)
		return;
	if (a->context) {
		error = pa_context_errno(a->context);
		pa_context_unref(a->context);
		a->context = NULL;
	}
	tell(a, PULSE_AWAY, error);
	backoff_failed(&a->backoff, now_ns);
}

static void drop_stream(struct vsnd_voice *v)
{
	if (!v->stream)
		return;
	pulse_stream_destroy(v);
	v->primed = false;
	v->audio->woken = true;
}

static void disconnect(struct vsnd_audio *a)
{
	for (struct vsnd_voice *v = a->voices; v; v = v->next) {
		drop_stream(v);
		v->failed = false;
		v->retry_ns = 0;
	}
	a->ready = false;
	a->woken = true;
	if (!a->context)
		return;
	pa_context_disconnect(a->context);
	pa_context_unref(a->context);
	a->context = NULL;
}

static void settle_connection(struct vsnd_audio *a, int64_t now_ns)
{
	pa_context_state_t state;

	if (!a->context && now_ns >= a->backoff.retry_ns)
		connect_to_server(a, now_ns);
	if (!a->context)
		return;
	state = pa_context_get_state(a->context);
	if (state == PA_CONTEXT_READY && !a->ready) {
		a->ready = true;
		a->silent = false;
		a->woken = true;
		backoff_succeeded(&a->backoff);
		pulse_unwatch(a);
		pulse_watch_events(a);
		tell(a, PULSE_THERE, PA_OK);
	} else if (!PA_CONTEXT_IS_GOOD(state)) {
		tell(a, PULSE_AWAY, pa_context_errno(a->context));
		disconnect(a);
		backoff_failed(&a->backoff, now_ns);
	}
}

static void fail(struct vsnd_voice *v, int error, int64_t now_ns)
{
	struct vsnd_audio *a = v->audio;

	if (!v->failed) {
		atomic_store(&a->stream_error, (unsigned)error % 256 + 256 * v->hosted.params.stream);
		vsnd_audio_service(a->dev);
	}
	drop_stream(v);
	v->failed = true;
	v->retry_ns = now_ns + STREAM_RETRY_NS;
}

static void settle_stream(struct vsnd_voice *v, int64_t now_ns)
{
	int error;

	if (v->stream && !PA_STREAM_IS_GOOD(pa_stream_get_state(v->stream)))
		fail(v, pa_context_errno(v->audio->context), now_ns);
	if (v->stream || now_ns < v->retry_ns)
		return;
	error = pulse_stream_create(v);
	if (error != PA_OK)
		fail(v, error, now_ns);
}

/* A stopped stream lets the server's sink rest. */
static void settle_cork(struct vsnd_voice *v, bool corked)
{
	pa_operation *o;

	if (v->corked == corked || v->hosted.params.direction == VSND_INPUT)
		return;
	v->corked = corked;
	o = pa_stream_cork(v->stream, corked, NULL, NULL);
	if (o)
		pa_operation_unref(o);
}

/* PipeWire's PulseAudio keeps what is less than a request until it is told that no more comes. */
static void settle_drain(struct vsnd_voice *v)
{
	pa_operation *o;

	if (!v->drain || v->hosted.ahead.level > 0)
		return;
	v->drain = false;
	o = pa_stream_drain(v->stream, NULL, NULL);
	if (o)
		pa_operation_unref(o);
}

/* Returns when to look again. */
static int64_t settle_voice(struct vsnd_voice *v, int64_t now_ns)
{
	struct vsnd_audio *a = v->audio;
	bool run = v->hosted.running;
	bool input = v->hosted.params.direction == VSND_INPUT;
	bool linger = !input && !run && now_ns < v->linger_ns;
	/* The microphone is open while the guest records, and at no other time. */
	bool have = input ? run : !v->closed || (linger && v->stream);

	if (!have || !a->ready || v->denied) {
		drop_stream(v);
		return WAKE_NEVER;
	}
	settle_stream(v, now_ns);
	if (pulse_stream_ready(v)) {
		v->failed = false;
		settle_cork(v, !run && !linger);
		pulse_volume_settle(v);
		if (linger)
			settle_drain(v);
	}
	if (!v->stream)
		return v->retry_ns;
	return linger ? v->linger_ns : WAKE_NEVER;
}

static void give_back(struct vsnd_voice *v)
{
	struct vsnd_audio *a = v->audio;

	v->next = atomic_load(&a->gone);
	while (!atomic_compare_exchange_weak(&a->gone, &v->next, v))
		;
	vsnd_audio_service(a->dev);
}

int64_t pulse_settle(struct vsnd_audio *a, int64_t now_ns)
{
	struct vsnd_voice **link = &a->voices, *v;
	int64_t again_ns;

	settle_connection(a, now_ns);
	again_ns = a->context ? WAKE_NEVER : a->backoff.retry_ns;
	while ((v = *link)) {
		int64_t voice_ns = settle_voice(v, now_ns);

		if (voice_ns < again_ns)
			again_ns = voice_ns;
		if (v->closed && !v->stream) {
			*link = v->next;
			give_back(v);
		} else {
			link = &v->next;
		}
	}
	return again_ns;
}

void pulse_leave(struct vsnd_audio *a)
{
	struct vsnd_voice *v;

	disconnect(a);
	pulse_unwatch(a);
	while ((v = a->voices)) {
		a->voices = v->next;
		give_back(v);
	}
}
