/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end that plays and records through JACK: what the device calls, and the
 * turns of the audio thread.  See jack.h for the threads, hosted.h for how a voice
 * gets through a server's absence.
 */
#include "audio/jack.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "audio/os.h"

/* How long ports stay after a RELEASE: a player that goes on to the next file finds them again. */
#define LINGER_NS 1000000000
/* How long closing waits for a server that does not answer, and for one that did not before. */
#define END_NS 1000000000
#define END_STUCK_NS 100000000
/* How long `vsnd-jack` waits for an answer before the server is taken for stopped; and three cycles. */
#define ANSWER_NS 250000000

/*
 * When the server is to be taken for stopped, if nothing comes from it until then.  A
 * guest that starts meanwhile stands still until it is, so no later than need be:
 * what calls us is as late as a voice may be called (hosted.h), an answer to
 * `vsnd-jack` comes within a few cycles.
 */
static int64_t stuck_ns(const struct vsnd_audio *a)
{
	int64_t called_ns = atomic_load(&a->called_ns), busy_ns = atomic_load(&a->busy_ns);
	int64_t cycles_ns = 3 * atomic_load(&a->cycle_ns);

	if (called_ns)
		return called_ns + (cycles_ns > HOSTED_AWAY_NS ? cycles_ns : HOSTED_AWAY_NS);
	return busy_ns ? busy_ns + ANSWER_NS + cycles_ns : TURNS_NEVER;
}

/* What voices do by the timer, whoever has the turn. */
static void run_voices(struct vsnd_audio *a, int64_t now_ns)
{
	bool serving = atomic_load(&a->serving) && now_ns < stuck_ns(a);

	for (struct hosted *h = a->list.voices; h; h = h->next) {
		const struct vsnd_voice *v = (const struct vsnd_voice *)h;

		if (!serving || !atomic_load_explicit(&v->there, memory_order_relaxed))
			hosted_lost(h, now_ns);
		hosted_turn(h, now_ns);
	}
}

/* When the next turn is due. */
static int64_t end_turn(struct vsnd_audio *a)
{
	int64_t due_ns = hosted_list_end(&a->list), gone_ns = stuck_ns(a);

	for (const struct hosted *h = a->list.voices; h && gone_ns < due_ns; h = h->next) {
		if (h->mode != HOSTED_AWAY)
			due_ns = gone_ns;
	}
	return due_ns;
}

static int64_t take_turn(void *ctx, int64_t now_ns)
{
	struct vsnd_audio *a = ctx;

	hosted_list_begin(&a->list, now_ns);
	run_voices(a, now_ns);
	return end_turn(a);
}

/* The links that are published now; no other is looked at in this cycle. */
struct served {
	struct jack_link *link[JACK_LINKS_MAX];
	unsigned count;
};

static void find_served(struct vsnd_audio *a, struct served *s)
{
	s->count = 0;
	for (unsigned i = 0; i < JACK_LINKS_MAX; i++) {
		struct jack_link *l = atomic_load(&a->link[i]);

		if (l)
			s->link[s->count++] = l;
	}
}

/* The host's cycle as a turn of the audio thread. */
static void serve(struct vsnd_audio *a, const struct served *s, jack_nframes_t frames,
		int64_t now_ns)
{
	struct jack_cycle c = { .frames = frames, .now_ns = now_ns, .stamp = ++a->stamp };

	hosted_list_begin(&a->list, now_ns);
	for (unsigned i = 0; i < s->count; i++) {
		c.since = jack_frames_since_cycle_start(s->link[i]->client);
		jack_link_move(s->link[i], &c);
	}
	run_voices(a, now_ns);
	turns_host_end(a->turns, end_turn(a));
}

int jack_on_process(jack_nframes_t frames, void *arg)
{
	struct vsnd_audio *a = arg;
	int64_t now_ns = audio_now_ns();
	int64_t cycle_ns = (int64_t)frames * NS_PER_S / a->host_hz;
	struct served s;
	int former;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &former);
	atomic_store_explicit(&a->called_ns, now_ns, memory_order_relaxed);
	atomic_store_explicit(&a->cycle_ns, cycle_ns, memory_order_relaxed);
	atomic_fetch_add(&a->visits, 1);
	find_served(a, &s);
	for (unsigned i = 0; i < s.count; i++) {
		if (!s.link[i]->input)
			jack_link_silence(s.link[i], frames);
	}
	if (turns_host_begin(a->turns, now_ns, cycle_ns))
		serve(a, &s, frames, now_ns);
	atomic_fetch_add(&a->visits, 1);
	pthread_setcancelstate(former, NULL);
	return 0;
}

static void jack_wake(struct vsnd_audio *a)
{
	turns_wake(a->turns);
}

/* What is undone here may be half made. */
static void unmake(struct vsnd_audio *a)
{
	if (a->turns)
		turns_free(a->turns);
	wake_fini(&a->settle);
	wake_fini(&a->end);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

/* libjack says on standard error what we say ourselves, and from any thread. */
static void say_nothing(const char *text)
{
	(void)text;
}

static int jack_open(struct vsnd *dev, const void *config, struct vsnd_audio **ret_audio)
{
	struct vsnd_audio *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	hosted_list_init(&a->list, dev);
	a->config = config;
	a->settle.fd = a->end.fd = a->watch = -1;
	pthread_mutex_init(&a->lock, NULL);
	jack_set_error_function(say_nothing);
	jack_set_info_function(say_nothing);
	err = wake_init(&a->settle);
	if (err == 0)
		err = wake_init(&a->end);
	if (err == 0)
		err = turns_create(take_turn, a, &a->turns);
	if (err < 0)
		goto fail;
	turns_realtime(a->turns, &a->config->log);
	err = audio_thread_start(jack_host_main, a, &a->thread);
	if (err < 0) {
		turns_end(a->turns);
		goto fail;
	}
	*ret_audio = a;
	return 0;

fail:
	unmake(a);
	return err;
}

/*
 * A server that does not answer may keep `vsnd-jack` for as long as it likes.  Then
 * that thread and all it may look at are left behind; no turn is taken any more.
 */
static void jack_close(struct vsnd_audio *a)
{
	int64_t now_ns = audio_now_ns();
	int64_t most_ns = now_ns < stuck_ns(a) ? END_NS : END_STUCK_NS;

	pthread_mutex_lock(&a->lock);
	a->ending = true;
	pthread_mutex_unlock(&a->lock);
	wake_up(&a->settle);
	turns_end(a->turns);
	assert(!a->list.voices);
	wake_sleep(&a->end, now_ns + most_ns);
	if (!atomic_load(&a->ended)) {
		audio_say(&a->config->log, AUDIO_WARN, "JACK: the server does not answer; "
			"leaving the connection");
		pthread_mutex_lock(&a->lock);
		a->left = true;
		pthread_mutex_unlock(&a->lock);
		pthread_detach(a->thread);
		return;
	}
	pthread_join(a->thread, NULL);
	assert(!a->voices);
	unmake(a);
}

void jack_voice_free(struct vsnd_voice *v)
{
	hosted_free(&v->hosted);
	free(v);
}

/* There is something to do for `vsnd-jack`, from now on. */
static void wake_host(struct vsnd_audio *a)
{
	int64_t nothing = 0;

	atomic_compare_exchange_strong(&a->busy_ns, &nothing, audio_now_ns());
	wake_up(&a->settle);
}

static int jack_voice_open(struct vsnd_audio *a, struct vsnd_stream *stream,
		const struct vsnd_voice_params *params, struct vsnd_voice **ret_voice)
{
	struct sample_codec codec;
	struct vsnd_voice *v;

	if (!sample_codec_init(&codec, params->format))
		return -EINVAL;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->audio = a;
	v->wish.denied = params->denied;
	if (params->denied)
		audio_say_denied(&a->config->log, params, &a->said_denied[params->direction]);
	atomic_init(&v->there, !params->denied && atomic_load(&a->serving));
	if (hosted_init(&v->hosted, stream, params) < 0) {
		free(v);
		return -ENOMEM;
	}
	pthread_mutex_lock(&a->lock);
	v->next_known = a->voices;
	a->voices = v;
	pthread_mutex_unlock(&a->lock);
	wake_host(a);
	*ret_voice = v;
	return 0;
}

static void wish(struct vsnd_voice *v, bool *what, bool yes)
{
	struct vsnd_audio *a = v->audio;

	pthread_mutex_lock(&a->lock);
	*what = yes;
	pthread_mutex_unlock(&a->lock);
	wake_host(a);
}

static void start_voice(void *arg)
{
	struct vsnd_voice *v = arg;
	struct vsnd_audio *a = v->audio;
	int64_t now_ns = audio_now_ns();

	hosted_start(&v->hosted, now_ns, atomic_load(&v->there) && now_ns < stuck_ns(a));
	hosted_enlist(&v->hosted, &a->list.voices);
}

static void stop_voice(void *arg)
{
	struct vsnd_voice *v = arg;

	hosted_stop(&v->hosted);
	v->rest_frames = hosted_rest(&v->hosted);
	hosted_delist(&v->hosted);
}

static void flush_voice(void *arg)
{
	struct vsnd_voice *v = arg;

	hosted_flush(&v->hosted, atomic_load(&v->there));
	v->rest_frames = hosted_rest(&v->hosted);
}

static void jack_voice_start(struct vsnd_voice *v)
{
	wish(v, &v->wish.run, true);
	vsnd_audio_call(v->audio->list.dev, start_voice, v);
}

static void jack_voice_stop(struct vsnd_voice *v)
{
	vsnd_audio_call(v->audio->list.dev, stop_voice, v);
	wish(v, &v->wish.run, false);
}

static void jack_voice_flush(struct vsnd_voice *v)
{
	vsnd_audio_call(v->audio->list.dev, flush_voice, v);
}

static void jack_voice_allow(struct vsnd_voice *v, bool allowed)
{
	wish(v, &v->wish.denied, !allowed);
}

static bool jack_connected(const struct vsnd_audio *a)
{
	return atomic_load(&a->serving) && audio_now_ns() < stuck_ns(a);
}

static void forget(struct vsnd_audio *a, struct vsnd_voice *gone)
{
	struct vsnd_voice **v = &a->voices;

	while (*v != gone)
		v = &(*v)->next_known;
	*v = gone->next_known;
}

/*
 * A voice without ports is freed here, so that a guest cannot make them pile up while
 * `vsnd-jack` waits for the server; the others are that thread's.
 */
static void jack_voice_close(struct vsnd_voice *v)
{
	struct vsnd_audio *a = v->audio;
	int64_t rest_ns = (int64_t)v->rest_frames * NS_PER_S / v->hosted.params.rate_hz;
	bool ours;

	pthread_mutex_lock(&a->lock);
	v->wish = (struct jack_wish){
		.closed = true,
		.linger_ns = audio_now_ns() + rest_ns + LINGER_NS,
	};
	ours = !v->busy && !v->link;
	if (ours)
		forget(a, v);
	pthread_mutex_unlock(&a->lock);
	if (ours)
		jack_voice_free(v);
	wake_up(&a->settle);
}

static const struct vsnd_audio_ops jack_ops = {
	.name = "jack",
	.open = jack_open,
	.close = jack_close,
	.wake = jack_wake,
	.voice_open = jack_voice_open,
	.voice_start = jack_voice_start,
	.voice_stop = jack_voice_stop,
	.voice_flush = jack_voice_flush,
	.voice_close = jack_voice_close,
	.voice_allow = jack_voice_allow,
	.connected = jack_connected,
};

const struct vsnd_audio_ops *const audio_jack_ops = &jack_ops;
