/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The thread `vsnd-pw`, and its connection to the server.
 *
 * All of what it does is one function, settle(), which looks at everything there is
 * to do and says when it wants to look again.  It runs when something was wanted,
 * when something was lost, and when that time has come; what is not possible now
 * is tried again by it with back-off.
 */
#include "audio/pipewire.h"

#include <errno.h>
#include <string.h>

#include "audio/os.h"

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
	vsnd_audio_service(a->dev);
}

static void on_core_done(void *data, uint32_t id, int seq)
{
	struct vsnd_audio *a = data;

	if (id == PW_ID_CORE && seq == a->ping)
		a->mute = false;
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
	.done = on_core_done,
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
	a->mute = false;
	a->core = pw_context_connect(a->context, props, 0);
	if (!a->core) {
		complain(a, strerror(errno));
		backoff_failed(&a->backoff, now_ns);
		return;
	}
	pw_core_add_listener(a->core, &a->core_listener, &core_events, a);
	cards_begin(a);
}

static void disconnect(struct vsnd_audio *a)
{
	if (!a->core)
		return;
	cards_end(a);
	spa_hook_remove(&a->core_listener);
	pw_core_disconnect(a->core);
	a->core = NULL;
}

static void drop_connection(struct vsnd_audio *a, int64_t now_ns)
{
	complain(a, "the server has gone");
	atomic_store(&a->serving, false);
	vsnd_audio_service(a->dev);
	voices_drop(a, now_ns);
	disconnect(a);
	backoff_failed(&a->backoff, now_ns);
}

static bool is_ending(struct vsnd_audio *a)
{
	bool ending;

	pthread_mutex_lock(&a->lock);
	ending = a->ending;
	pthread_mutex_unlock(&a->lock);
	return ending;
}

/* Returns when to look again. */
static int64_t settle(struct vsnd_audio *a)
{
	int64_t now_ns = audio_now_ns(), again_ns, cards_ns;
	bool ending = is_ending(a);

	if (a->core && a->lost)
		drop_connection(a, now_ns);
	if (!a->core && !ending && now_ns >= a->backoff.retry_ns)
		connect_to_server(a, now_ns);
	again_ns = voices_settle(a, now_ns);
	cards_ns = cards_settle(a, now_ns);
	if (cards_ns < again_ns)
		again_ns = cards_ns;
	if (!a->core && a->backoff.retry_ns < again_ns)
		again_ns = a->backoff.retry_ns;
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
	struct timespec at = { 0 };	/* never */

	(void)count;
	if (at_ns != PW_NEVER_NS)
		at = (struct timespec){ .tv_sec = at_ns / NS_PER_S, .tv_nsec = (at_ns | 1) % NS_PER_S };
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
