/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which voice has a stream at the server, and whether it runs.  Thread: vsnd-pw.
 *
 * An output has a stream from PREPARE on, so that START finds it ready.  An input
 * has one while the guest records, since it is a microphone that opens.  A denied
 * voice has none: a node that is only kept from being linked would still be shown
 * to the host's user as an application that plays or records, and it would be for
 * each session manager to keep to it.
 */
#include "audio/pipewire.h"

#include <stdlib.h>
#include <string.h>

#include "audio/os.h"

/* A stream that failed, e.g. for want of a device. */
#define STREAM_RETRY_NS 1000000000
/*
 * How long a guest is kept waiting for a stream that the server does not make run,
 * since there is nothing to link it to, or since the server itself is stuck (which
 * it is for a moment while it opens a device).
 */
#define PATIENCE_NS 300000000
#define PATIENCE_MUTE_NS 500000000
/* After which the host's user is told; opening a device may take a while. */
#define UNLINKED_NS 2000000000

/* The server does not call for this voice any more. */
static void voice_lost(struct vsnd_voice *v)
{
	atomic_store(&v->there, false);
	atomic_store(&v->gone, true);
	pipewire_wake(v->audio);
}

static void drop_stream(struct vsnd_voice *v)
{
	voice_lost(v);
	if (v->stream)
		stream_destroy(v);
}

void voices_drop(struct vsnd_audio *a, int64_t now_ns)
{
	struct vsnd_voice *v;

	pthread_mutex_lock(&a->lock);
	v = a->voices;
	pthread_mutex_unlock(&a->lock);
	for (; v; v = v->next_known) {
		drop_stream(v);
		v->failed = false;
		v->retry_ns = now_ns;
	}
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
	volume_begin(v, now_ns);
	err = stream_create(v);
	if (err < 0) {
		audio_say(&v->audio->config->log, AUDIO_WARN, "PipeWire: no stream: %s", strerror(-err));
		v->retry_ns = now_ns + STREAM_RETRY_NS;
		return;
	}
	atomic_store(&v->there, true);
}

/* Away from the host, but not for want of a server: the next START may wait for it. */
static void let_go(struct vsnd_voice *v, const struct voice_wish *wish)
{
	drop_stream(v);
	v->failed = false;
	atomic_store(&v->there, !wish->denied && atomic_load(&v->audio->serving));
}

static void activate(struct vsnd_voice *v, bool active, int64_t now_ns)
{
	struct vsnd_audio *a = v->audio;

	v->active = active;
	v->activated_ns = now_ns;
	pw_stream_set_active(v->stream, active);
	if (!active || v->streaming)
		return;
	a->ping = pw_core_sync(a->core, PW_ID_CORE, a->ping);
	a->mute = true;
}

/* Give up waiting for a stream that does not come to run.  When to look again. */
static int64_t check_streaming(struct vsnd_voice *v, int64_t now_ns)
{
	int64_t until_ns = v->activated_ns + (v->audio->mute ? PATIENCE_MUTE_NS : PATIENCE_NS);

	if (!v->stream || !v->active || v->streaming || !atomic_load(&v->there))
		return PW_NEVER_NS;
	if (now_ns < until_ns)
		return v->activated_ns + PATIENCE_NS > now_ns ? v->activated_ns + PATIENCE_NS : until_ns;
	voice_lost(v);
	return PW_NEVER_NS;
}

/* Tell of a stream that nothing is linked to for long.  When to look again. */
static int64_t check_linked(struct vsnd_voice *v, int64_t now_ns)
{
	int64_t until_ns = v->activated_ns + UNLINKED_NS;

	if (!v->stream || !v->active || v->streaming ||
			v->audio->unheard >> v->hosted.params.stream & 1)
		return PW_NEVER_NS;
	if (now_ns < until_ns)
		return until_ns;
	stream_say_unheard(v, v->audio->mute ? "the server does not answer"
		: "nothing is linked to it");
	return PW_NEVER_NS;
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

/* How the server does with it.  When to look again. */
static int64_t check_stream(struct vsnd_voice *v, int64_t now_ns)
{
	if (!v->stream)
		return PW_NEVER_NS;
	return earlier(stream_settle_cycle(v, now_ns),
		earlier(check_streaming(v, now_ns), check_linked(v, now_ns)));
}

/* When to look again, PW_NEVER_NS for never; the voice may be gone then. */
static int64_t settle_voice(struct vsnd_voice *v, const struct voice_wish *wish, int64_t now_ns)
{
	struct vsnd_audio *a = v->audio;
	bool input = v->hosted.params.direction == VSND_INPUT;
	bool waiting = v->active && now_ns < wish->linger_ns;
	bool linger = waiting && !input && !wish->run && !wish->denied;
	bool fade = waiting && wish->run && wish->denied;
	bool have = !wish->closed && (!wish->denied || fade) && (!input || wish->run);

	if (wish->closed && (!linger || !v->stream)) {
		drop_stream(v);
		forget(a, v);
		return PW_NEVER_NS;
	}
	if (!have && !linger && v->stream)
		let_go(v, wish);
	if (a->core && have)
		try_stream(v, now_ns);
	if (v->stream && v->active != (wish->run || linger))
		activate(v, wish->run, now_ns);
	volume_settle(v, wish);
	if (a->core && !v->stream && have)
		return v->retry_ns;
	return earlier(linger || fade ? wish->linger_ns : PW_NEVER_NS, check_stream(v, now_ns));
}

static struct voice_wish wanted(struct vsnd_audio *a, struct vsnd_voice *v)
{
	struct voice_wish wish = { .closed = true };

	pthread_mutex_lock(&a->lock);
	if (!a->ending)
		wish = v->wish;
	pthread_mutex_unlock(&a->lock);
	return wish;
}

int64_t voices_settle(struct vsnd_audio *a, int64_t now_ns)
{
	int64_t again_ns = PW_NEVER_NS;
	struct vsnd_voice *v, *next;

	pthread_mutex_lock(&a->lock);
	v = a->voices;
	pthread_mutex_unlock(&a->lock);
	for (; v; v = next) {
		struct voice_wish wish = wanted(a, v);

		next = v->next_known;
		again_ns = earlier(again_ns, settle_voice(v, &wish, now_ns));
	}
	return again_ns;
}
