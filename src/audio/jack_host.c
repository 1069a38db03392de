/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The thread `vsnd-jack`: it has the connection to the server, and brings the ports
 * in line with what is wanted of the voices.
 *
 * All of it is one function, settle(), which looks at everything there is to do and
 * says when it wants to look again.  It runs when something was wanted, when
 * something was lost, and when that time has come; what is not possible now is
 * tried again by it with back-off.
 *
 * A server that has gone is told by the thread that reads what it says, from inside
 * libjack.  jack_client_close() ends that thread wherever it is, and may then wait for a
 * lock that it held; so the client is closed a little later.
 */
#include "audio/jack.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audio/os.h"
#include "audio/watch.h"

/* Ports that could not be made, and targets that are not there. */
#define RETRY_NS 1000000000
/* Until libjack's thread has found its end. */
#define DEAD_NS 100000000
#define VISIT_NS 200000
/* Until a port is not there any more, of which that has been told. */
#define WENT_NS 100000000
/* Where JACK has its sockets unless it was built otherwise, and how their names begin. */
#define SOCKETS "/dev/shm"
#define SOCKET "jack_"
/* From there until it is a server: who asks in the middle of that may get no answer at all. */
#define READY_NS 50000000

/* Nobody listens any more when we have been left behind. */
static struct audio_log log_of(struct vsnd_audio *a)
{
	struct audio_log log = { .line = NULL };

	pthread_mutex_lock(&a->lock);
	if (!a->left)
		log = a->config->log;
	pthread_mutex_unlock(&a->lock);
	return log;
}

/* Called as if it were a signal handler. */
static void on_shutdown(jack_status_t code, const char *reason, void *arg)
{
	struct vsnd_audio *a = arg;

	(void)code;
	(void)reason;
	atomic_store(&a->serving, false);
	atomic_store(&a->lost, true);
	wake_up(&a->settle);
	turns_wake(a->turns);
}

/* Some thread of libjack: perhaps a target has come, or gone. */
static void on_port(jack_port_id_t port, int is_new, void *arg)
{
	struct vsnd_audio *a = arg;

	(void)port;
	if (!is_new)
		atomic_store(&a->went, true);
	wake_up(&a->settle);
}

static void tell_device(struct vsnd_audio *a)
{
	pthread_mutex_lock(&a->lock);
	if (!a->ending)
		vsnd_audio_service(a->list.dev);
	pthread_mutex_unlock(&a->lock);
}

static void complain(struct vsnd_audio *a, const char *what)
{
	struct audio_log log = log_of(a);

	if (!a->complained)
		audio_say(&log, AUDIO_WARN, "JACK: %s; trying again", what);
	a->complained = true;
}

/*
 * A colon would end the client's name in the names of its ports.  JACK says 65 where it takes
 * 63 bytes and a NUL.
 */
static void client_name(const struct vsnd_audio *a, char *name, size_t size)
{
	const char *wanted = a->config->name ? a->config->name : "vhost-user-snd";
	size_t most = (size_t)jack_client_name_size() - 1;

	snprintf(name, size < most ? size : most, "%s", wanted);
	for (char *c = strchr(name, ':'); c; c = strchr(c, ':'))
		*c = '.';
}

/* Before it is tried: who comes while it fails is seen. */
static void watch(struct vsnd_audio *a)
{
	if (a->watch < 0)
		a->watch = watch_open(SOCKETS);
}

static void unwatch(struct vsnd_audio *a)
{
	if (a->watch >= 0)
		close(a->watch);
	a->watch = -1;
}

static void connect_to_server(struct vsnd_audio *a, int64_t now_ns)
{
	char name[128];
	jack_status_t status;
	jack_client_t *client;
	struct audio_log log;

	client_name(a, name, sizeof(name));
	watch(a);
	client = jack_client_open(name, JackNoStartServer, &status);
	if (!client) {
		complain(a, status & JackServerFailed ? "no server" : "the server refuses");
		backoff_failed(&a->backoff, now_ns);
		return;
	}
	atomic_store(&a->lost, false);
	jack_on_info_shutdown(client, on_shutdown, a);
	jack_set_process_callback(client, jack_on_process, a);
	jack_set_port_registration_callback(client, on_port, a);
	a->client = client;
	a->host_hz = jack_get_sample_rate(client);
	atomic_store(&a->cycle_ns, (int64_t)jack_get_buffer_size(client) * NS_PER_S / a->host_hz);
	/* It has answered. */
	atomic_store(&a->busy_ns, audio_now_ns());
	log = log_of(a);
	audio_say(&log, a->complained ? AUDIO_WARN : AUDIO_INFO,
		"JACK: connected as %s, %u Hz, cycles of %u frames", jack_get_client_name(client),
		(unsigned)a->host_hz, (unsigned)jack_get_buffer_size(client));
	a->complained = false;
	backoff_succeeded(&a->backoff);
	unwatch(a);
	atomic_store(&a->serving, true);
	tell_device(a);
}

/* Until the process callback, which nothing holds up, cannot know what was taken back. */
static void await_visit(const struct vsnd_audio *a)
{
	const struct timespec a_little = { .tv_nsec = VISIT_NS };
	unsigned seen = atomic_load(&a->visits);

	while (seen % 2 == 1 && atomic_load(&a->visits) == seen)
		nanosleep(&a_little, NULL);
}

static void set_link(struct vsnd_voice *v, struct jack_link *l)
{
	pthread_mutex_lock(&v->audio->lock);
	v->link = l;
	pthread_mutex_unlock(&v->audio->lock);
}

static void drop_link(struct vsnd_voice *v, bool gone)
{
	struct vsnd_audio *a = v->audio;
	struct jack_link *l = v->link;

	atomic_store(&v->there, false);
	turns_wake(a->turns);
	atomic_store(&a->link[l->slot], NULL);
	await_visit(a);
	set_link(v, NULL);
	jack_link_free(l, gone);
}

/* False: they are all taken. */
static bool publish(struct vsnd_audio *a, struct jack_link *l)
{
	for (unsigned i = 0; i < JACK_LINKS_MAX; i++) {
		if (!atomic_load(&a->link[i])) {
			l->slot = i;
			atomic_store(&a->link[i], l);
			return true;
		}
	}
	return false;
}

/* Told once, until there is something to be connected to. */
static void say_unconnected(const struct vsnd_voice *v)
{
	struct vsnd_audio *a = v->audio;
	unsigned stream = v->hosted.params.stream;
	const char *target = a->config->stream[stream].target;
	uint64_t bit = UINT64_C(1) << stream;
	struct audio_log log = log_of(a);

	if (atomic_load(&v->link->connects) > 0 || (target && strcmp(target, "none") == 0)) {
		a->unconnected &= ~bit;
		return;
	}
	if (!(a->unconnected & bit))
		audio_say(&log, AUDIO_WARN, "JACK: stream %u is not connected: no port is %s", stream,
			target ? target : "physical");
	a->unconnected |= bit;
}

static void try_link(struct vsnd_voice *v, int64_t now_ns)
{
	struct vsnd_audio *a = v->audio;
	struct jack_link *l;
	int err = jack_link_create(v, &l);

	if (err == 0)
		jack_link_connect(l);
	if (err == 0 && !publish(a, l)) {
		jack_link_free(l, false);
		err = -EBUSY;
	}
	if (err < 0) {
		struct audio_log log = log_of(a);

		audio_say(&log, AUDIO_WARN, "JACK: no ports for stream %u: %s",
			v->hosted.params.stream, strerror(-err));
		atomic_store(&v->there, false);
		turns_wake(a->turns);
		v->retry_ns = now_ns + RETRY_NS;
		return;
	}
	set_link(v, l);
	atomic_store(&v->there, true);
}

/* When to look again, TURNS_NEVER for never. */
static int64_t settle_voice(struct vsnd_voice *v, const struct jack_wish *wish, int64_t now_ns)
{
	struct vsnd_audio *a = v->audio;
	bool input = v->hosted.params.direction == VSND_INPUT;
	bool gone = v->link && v->link->client != a->client;
	/* An input's ports exist while the guest records, and at no other time. */
	bool want = !wish->closed && !wish->denied && (!input || wish->run);
	bool linger = wish->closed && !input && v->link && !gone && now_ns < wish->linger_ns;

	if (gone)
		drop_link(v, true);
	if (!want && !linger) {
		if (v->link)
			drop_link(v, false);
		/* If it is not for want of a server, the next START may wait for it. */
		atomic_store(&v->there, !wish->denied && atomic_load(&a->serving));
		return TURNS_NEVER;
	}
	if (linger)
		return wish->linger_ns;
	if (!a->client)
		return TURNS_NEVER;
	if (!v->link && now_ns >= v->retry_ns)
		try_link(v, now_ns);
	if (!v->link)
		return v->retry_ns;
	if (!jack_link_connect(v->link))
		return now_ns + RETRY_NS;
	say_unconnected(v);
	return TURNS_NEVER;
}

/* The links of the client go with the voices' next look; it is closed after that. */
static void drop_connection(struct vsnd_audio *a, int64_t now_ns)
{
	complain(a, "the server has gone");
	a->dead = a->client;
	a->dead_ns = now_ns + DEAD_NS;
	a->client = NULL;
	atomic_store(&a->called_ns, 0);
	a->active = false;
	backoff_failed(&a->backoff, now_ns);
	tell_device(a);
}

/* Returns when to look again. */
static int64_t settle_connection(struct vsnd_audio *a, int64_t now_ns)
{
	if (a->dead && now_ns >= a->dead_ns) {
		jack_client_close(a->dead);
		a->dead = NULL;
		atomic_store(&a->called_ns, 0);
	}
	if (a->dead)
		return a->dead_ns;
	if (!a->client && now_ns >= a->backoff.retry_ns)
		connect_to_server(a, now_ns);
	return a->client ? TURNS_NEVER : a->backoff.retry_ns;
}

static bool has_voices(struct vsnd_audio *a)
{
	bool has;

	pthread_mutex_lock(&a->lock);
	has = a->voices;
	pthread_mutex_unlock(&a->lock);
	return has;
}

/* The server calls us while there are voices: an idle daemon sleeps. */
static void settle_activity(struct vsnd_audio *a, bool wanted)
{
	if (!a->client || a->active == wanted)
		return;
	if (!wanted)
		jack_deactivate(a->client);
	else if (jack_activate(a->client) != 0)
		on_shutdown(JackFailure, "", a);
	a->active = wanted;
	/* Not before: the last call may come late. */
	atomic_store(&a->called_ns, wanted ? audio_now_ns() : 0);
}

/* Under lock, which is left for the time in which the server may be asked. */
static int64_t settle_voices(struct vsnd_audio *a, int64_t now_ns)
{
	int64_t again_ns = TURNS_NEVER;

	for (struct vsnd_voice **link = &a->voices; *link && !a->ending; ) {
		struct vsnd_voice *v = *link;
		struct jack_wish wish = v->wish;
		int64_t voice_ns;

		v->busy = true;
		pthread_mutex_unlock(&a->lock);
		voice_ns = settle_voice(v, &wish, now_ns);
		if (voice_ns < again_ns)
			again_ns = voice_ns;
		pthread_mutex_lock(&a->lock);
		v->busy = false;
		/* The list may have changed before and after this voice, which has stayed. */
		for (link = &a->voices; *link != v; link = &(*link)->next_known)
			;
		if (v->wish.closed && !v->link) {
			*link = v->next_known;
			jack_voice_free(v);
		} else {
			link = &v->next_known;
		}
	}
	return again_ns;
}

/* A cycle without a turn is heard as silence, so users may ask why. */
static void tell_missed(struct vsnd_audio *a)
{
	uint64_t missed = turns_missed(a->turns);

	if (missed != a->missed)
		audio_say(&a->config->log, AUDIO_DEBUG, "JACK: %llu cycles without sound",
			(unsigned long long)(missed - a->missed));
	a->missed = missed;
}

/* False: this was the last time.  Else when to look again. */
static bool settle(struct vsnd_audio *a, int64_t *ret_again_ns)
{
	int64_t now_ns = audio_now_ns(), voices_ns;
	bool ending;

	pthread_mutex_lock(&a->lock);
	ending = a->ending;
	pthread_mutex_unlock(&a->lock);
	if (ending)
		return false;
	tell_missed(a);
	if (atomic_exchange(&a->lost, false) && a->client)
		drop_connection(a, now_ns);
	*ret_again_ns = settle_connection(a, now_ns);
	settle_activity(a, has_voices(a));
	pthread_mutex_lock(&a->lock);
	voices_ns = settle_voices(a, now_ns);
	pthread_mutex_unlock(&a->lock);
	if (voices_ns < *ret_again_ns)
		*ret_again_ns = voices_ns;
	if (atomic_exchange(&a->went, false))
		a->look_ns = now_ns + WENT_NS;
	if (a->look_ns > now_ns && a->look_ns < *ret_again_ns)
		*ret_again_ns = a->look_ns;
	return true;
}

static void disconnect(struct vsnd_audio *a)
{
	for (struct vsnd_voice *next, *v = a->voices; v; v = next) {
		next = v->next_known;
		if (v->link)
			drop_link(v, v->link->client != a->client);
		jack_voice_free(v);
	}
	a->voices = NULL;
	if (a->active)
		jack_deactivate(a->client);
	if (a->client)
		jack_client_close(a->client);
	if (a->dead)
		jack_client_close(a->dead);
	unwatch(a);
}

/* Until there is something to do.  A server that was away shows when it comes. */
static void sleep_until(struct vsnd_audio *a, int64_t until_ns)
{
	struct pollfd fds[2] = { { 0 }, { .fd = a->watch, .events = POLLIN } };

	if (wake_wait(&a->settle, fds, a->watch >= 0, until_ns) && watch_take(a->watch, SOCKET))
		a->backoff = (struct backoff){ .retry_ns = audio_now_ns() + READY_NS };
}

void *jack_host_main(void *arg)
{
	struct vsnd_audio *a = arg;
	int64_t again_ns;
	bool goes_on;

	pthread_setname_np(pthread_self(), "vsnd-jack");
	do {
		atomic_store(&a->busy_ns, audio_now_ns());
		goes_on = settle(a, &again_ns);
		atomic_store(&a->busy_ns, 0);
		if (goes_on)
			sleep_until(a, again_ns);
	} while (goes_on);
	disconnect(a);
	atomic_store(&a->ended, true);
	wake_up(&a->end);
	return NULL;
}
