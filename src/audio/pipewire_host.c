/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The thread `vsnd-pw`: it has the connection to the server, and brings the streams
 * in line with what is wanted of the voices.
 *
 * All of it is one function, settle(), which looks at everything there is to do and
 * says when it wants to look again.  It runs when something was wanted, when
 * something was lost, and when that time has come; what is not possible now is
 * tried again by it with back-off.
 */
#include "audio/pipewire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audio/os.h"

/* A stream that failed, e.g. for want of a device. */
#define STREAM_RETRY_NS 1000000000

void host_settle(struct vsnd_audio *a)
{
	pw_loop_signal_event(pw_main_loop_get_loop(a->main_loop), a->settle_event);
}

static void on_core_info(void *data, const struct pw_core_info *info)
{
	struct vsnd_audio *a = data;

	if (a->complained)
		audio_say(&a->config->log, AUDIO_WARN, "PipeWire: connected to %s %s", info->name, info->version);
	else
		audio_say(&a->config->log, AUDIO_INFO, "PipeWire: connected to %s %s", info->name, info->version);
	a->complained = false;
	backoff_succeeded(&a->backoff);
	atomic_store(&a->serving, true);
}

static void on_core_error(void *data, uint32_t id, int seq, int res, const char *message)
{
	struct vsnd_audio *a = data;

	(void)seq;
	audio_say(&a->config->log, AUDIO_DEBUG, "PipeWire: object %u: %s", id, message);
	if (id != PW_ID_CORE || res != -EPIPE)
		return;
	a->lost = true;
	host_settle(a);
}

static const struct pw_core_events core_events = {
	.version = PW_VERSION_CORE_EVENTS,
	.info = on_core_info,
	.error = on_core_error,
};

static void complain(struct vsnd_audio *a, const char *what)
{
	if (!a->complained)
		audio_say(&a->config->log, AUDIO_WARN, "PipeWire: %s; trying again", what);
	a->complained = true;
}

static void connect_to_server(struct vsnd_audio *a, int64_t now_ns)
{
	struct pw_properties *props = pw_properties_new(NULL, NULL);

	if (a->config->name)
		pw_properties_set(props, PW_KEY_APP_NAME, a->config->name);
	a->lost = false;
	a->core = pw_context_connect(a->context, props, 0);
	if (!a->core) {
		complain(a, strerror(errno));
		backoff_failed(&a->backoff, now_ns);
		return;
	}
	pw_core_add_listener(a->core, &a->core_listener, &core_events, a);
}

static void drop_stream(struct vsnd_voice *v)
{
	atomic_store(&v->there, false);
	pipewire_wake(v->audio);
	if (v->stream)
		stream_destroy(v);
}

static void disconnect(struct vsnd_audio *a)
{
	if (!a->core)
		return;
	spa_hook_remove(&a->core_listener);
	pw_core_disconnect(a->core);
	a->core = NULL;
}

static void forget(struct vsnd_audio *a, struct vsnd_voice *gone)
{
	pthread_mutex_lock(&a->lock);
	for (struct vsnd_voice **v = &a->voices; *v; v = &(*v)->next_known) {
		if (*v == gone) {
			*v = gone->next_known;
			break;
		}
	}
	pthread_mutex_unlock(&a->lock);
	hosted_free(&gone->hosted);
	free(gone);
}

static void try_stream(struct vsnd_voice *v, int64_t now_ns)
{
	int err;

	if (v->failed) {
		drop_stream(v);
		v->failed = false;
		v->retry_ns = now_ns + STREAM_RETRY_NS;
	}
	if (v->stream || now_ns < v->retry_ns)
		return;
	err = stream_create(v);
	if (err < 0) {
		audio_say(&v->audio->config->log, AUDIO_WARN, "PipeWire: no stream: %s", strerror(-err));
		v->retry_ns = now_ns + STREAM_RETRY_NS;
		return;
	}
	atomic_store(&v->there, true);
}

/* Away from the host, but not for want of a server: the next START may wait for it. */
static void pause_input(struct vsnd_voice *v)
{
	drop_stream(v);
	v->failed = false;
	atomic_store(&v->there, atomic_load(&v->audio->serving));
}

/* When to look again, PW_NEVER_NS for never; the voice may be gone then. */
static int64_t settle_voice(struct vsnd_voice *v, const struct voice_wish *wish, int64_t now_ns)
{
	struct vsnd_audio *a = v->audio;
	bool input = v->hosted.params.direction == VSND_INPUT;
	bool linger = !input && !wish->run && v->active && now_ns < wish->linger_ns;
	/* The microphone is open while the guest records, and at no other time. */
	bool have = !wish->closed && (!input || wish->run);

	if (wish->closed && (!linger || !v->stream)) {
		drop_stream(v);
		forget(a, v);
		return PW_NEVER_NS;
	}
	if (input && !have && v->stream)
		pause_input(v);
	if (a->core && have)
		try_stream(v, now_ns);
	if (v->stream && v->active != (wish->run || linger)) {
		v->active = wish->run;
		pw_stream_set_active(v->stream, v->active);
	}
	if (a->core && !v->stream && have)
		return v->retry_ns;
	return linger ? wish->linger_ns : PW_NEVER_NS;
}

static bool wanted(struct vsnd_audio *a, struct vsnd_voice *v, struct voice_wish *ret_wish)
{
	bool ending;

	pthread_mutex_lock(&a->lock);
	*ret_wish = v->wish;
	ending = a->ending;
	pthread_mutex_unlock(&a->lock);
	if (ending)
		*ret_wish = (struct voice_wish){ .closed = true };
	return !ending;
}

static struct vsnd_voice *first_voice(struct vsnd_audio *a, bool *ret_ending)
{
	struct vsnd_voice *v;

	pthread_mutex_lock(&a->lock);
	v = a->voices;
	*ret_ending = a->ending;
	pthread_mutex_unlock(&a->lock);
	return v;
}

static void drop_connection(struct vsnd_audio *a, struct vsnd_voice *voices, int64_t now_ns)
{
	complain(a, "the server has gone");
	atomic_store(&a->serving, false);
	for (struct vsnd_voice *v = voices; v; v = v->next_known) {
		drop_stream(v);
		v->failed = false;
		v->retry_ns = now_ns;
	}
	disconnect(a);
	backoff_failed(&a->backoff, now_ns);
}

/* Returns when to look again. */
static int64_t settle(struct vsnd_audio *a)
{
	int64_t now_ns = audio_now_ns(), again_ns = PW_NEVER_NS;
	bool ending;
	struct vsnd_voice *next, *voices = first_voice(a, &ending);

	if (a->core && a->lost)
		drop_connection(a, voices, now_ns);
	if (!a->core && !ending && now_ns >= a->backoff.retry_ns)
		connect_to_server(a, now_ns);
	if (!a->core)
		again_ns = a->backoff.retry_ns;
	for (struct vsnd_voice *v = voices; v; v = next) {
		struct voice_wish wish;
		int64_t voice_ns;

		next = v->next_known;
		wanted(a, v, &wish);
		voice_ns = settle_voice(v, &wish, now_ns);
		if (voice_ns < again_ns)
			again_ns = voice_ns;
	}
	if (ending) {
		disconnect(a);
		pw_main_loop_quit(a->main_loop);
	}
	return again_ns;
}

void host_on_settle(void *data, uint64_t count)
{
	struct vsnd_audio *a = data;
	int64_t at_ns = settle(a);
	struct timespec at = { 0 };

	(void)count;
	if (at_ns != PW_NEVER_NS)
		at = (struct timespec){ .tv_sec = at_ns / NS_PER_S, .tv_nsec = at_ns % NS_PER_S + 1 };
	pw_loop_update_timer(pw_main_loop_get_loop(a->main_loop), a->settle_timer, &at, NULL, true);
}

void *host_main(void *arg)
{
	struct vsnd_audio *a = arg;

	pthread_setname_np(pthread_self(), "vsnd-pw");
	host_settle(a);
	pw_main_loop_run(a->main_loop);
	return NULL;
}
