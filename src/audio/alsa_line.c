/* SPDX-License-Identifier: BSD-3-Clause */
/* A stream's thread: from when its stream is first prepared until the back-end is closed. */
#include "audio/alsa.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "audio/os.h"

/* How often to look whether a line that is not in ALSA is there now, or has ended. */
#define ABANDON_NS 2000000
/* A call of ALSA that takes longer is one that a device does not answer. */
#define ANSWER_NS 1000000000

bool alsa_line_enter(struct alsa_line *l)
{
	int place = LINE_IN_ALSA;

	return atomic_compare_exchange_strong(&l->place, &place, LINE_OURS);
}

void alsa_line_leave(struct alsa_line *l)
{
	atomic_store(&l->place, LINE_IN_ALSA);
}

bool alsa_line_goes_on(const struct alsa_line *l)
{
	return !atomic_load(&l->ending) && atomic_load(&l->place) != LINE_ABANDONED;
}

bool alsa_line_connected(const struct alsa_line *l, int64_t now_ns)
{
	int64_t busy_ns = atomic_load(&l->busy_ns);

	return atomic_load(&l->device) == LINE_DEVICE_THERE &&
		(busy_ns == 0 || now_ns - busy_ns < ANSWER_NS);
}

static void wait_for_step(struct alsa_line *l, const struct flow_wait *wait)
{
	struct pollfd fds[1 + ALSA_FDS_MAX];
	unsigned count = 0;
	bool heard;

	if (wait->listen)
		count = alsa_pcm_fds(&l->pcm, fds + 1);
	atomic_store(&l->busy_ns, 0);
	heard = wake_wait(&l->wake, fds, count, wait->until_ns);
	atomic_store(&l->busy_ns, audio_now_ns());
	if (heard)
		alsa_pcm_heard(&l->pcm, fds + 1, count);
}

static void free_voice(struct vsnd_voice *v)
{
	hosted_free(&v->base.hosted);
	free(v);
}

static void serve(struct alsa_line *l, struct vsnd_voice *v)
{
	struct flow_wait wait;

	l->backoff.retry_ns = 0;
	while (alsa_line_goes_on(l) && alsa_line_step(l, v, &wait))
		wait_for_step(l, &wait);
	alsa_line_close_pcm(l, false);
}

static bool next_voice(struct alsa_line *l)
{
	worker_lock(&l->worker);
	l->voice = l->waiting;
	l->waiting = NULL;
	worker_unlock(&l->worker);
	return l->voice;
}

static void free_line(struct alsa_line *l)
{
	worker_fini(&l->worker);
	wake_fini(&l->wake);
	free(l->name);
	free(l);
}

static void *line_main(void *arg)
{
	static const struct flow_wait for_voice = { .until_ns = WAKE_NEVER };
	struct alsa_line *l = arg;
	char name[16];

	snprintf(name, sizeof(name), "vsnd-alsa-%u", l->stream % 1000);
	pthread_setname_np(pthread_self(), name);
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	alsa_say_listen();
	atomic_store(&l->busy_ns, audio_now_ns());
	while (alsa_line_goes_on(l)) {
		if (next_voice(l)) {
			serve(l, l->voice);
			free_voice(l->voice);
		} else {
			wait_for_step(l, &for_voice);
		}
	}
	if (!alsa_line_enter(l)) {
		free_line(l);
		return NULL;
	}
	worker_lock(&l->worker);
	worker_end(&l->worker);
	worker_unlock(&l->worker);
	return NULL;
}

static int init_line(struct alsa_line *l)
{
	int err = worker_init(&l->worker);

	if (err < 0)
		return err;
	err = wake_init(&l->wake);
	if (err == 0)
		err = audio_thread_start(line_main, l, &l->thread);
	if (err < 0) {
		wake_fini(&l->wake);
		worker_fini(&l->worker);
		return err;
	}
	audio_thread_realtime(l->thread, NULL);
	return 0;
}

int alsa_line_create(const struct audio_host_config *config, unsigned stream,
		struct alsa_line **ret_line)
{
	const char *name = config->stream[stream].target;
	struct alsa_line *l = calloc(1, sizeof(*l));
	int err = -ENOMEM;

	if (!l)
		return err;
	l->stream = stream;
	l->log = config->log;
	l->name = strdup(name ? name : ALSA_DEFAULT_NAME);
	if (l->name)
		err = init_line(l);
	if (err < 0) {
		free(l->name);
		free(l);
		return err;
	}
	*ret_line = l;
	return 0;
}

void alsa_line_end(struct alsa_line *l)
{
	atomic_store(&l->ending, true);
	wake_up(&l->wake);
}

static bool ends_until(struct alsa_line *l, int64_t until_ns)
{
	int64_t left_ns = until_ns - audio_now_ns();
	bool ended;

	worker_lock(&l->worker);
	ended = worker_ends_within(&l->worker, left_ns > 0 ? left_ns : 0);
	worker_unlock(&l->worker);
	return ended;
}

/* Out of ALSA it comes to its end, or is soon in there again. */
static bool abandon(struct alsa_line *l)
{
	int place;

	do {
		if (ends_until(l, audio_now_ns() + ABANDON_NS))
			return false;
		place = LINE_IN_ALSA;
	} while (!atomic_compare_exchange_strong(&l->place, &place, LINE_ABANDONED));
	return true;
}

void alsa_line_destroy(struct alsa_line *l, int64_t until_ns)
{
	pthread_t thread = l->thread;

	if (!ends_until(l, until_ns) && abandon(l)) {
		pthread_detach(thread);
		return;
	}
	pthread_join(thread, NULL);
	free_line(l);
}

void alsa_line_serve(struct alsa_line *l, struct vsnd_voice *v)
{
	worker_lock(&l->worker);
	l->waiting = v;
	worker_unlock(&l->worker);
	wake_up(&l->wake);
}

void alsa_line_release(struct alsa_line *l, struct vsnd_voice *v)
{
	bool unserved;

	worker_lock(&l->worker);
	unserved = l->waiting == v;
	if (unserved)
		l->waiting = NULL;
	else
		atomic_store(&v->closed, true);
	worker_unlock(&l->worker);
	if (unserved)
		free_voice(v);
	wake_up(&l->wake);
}
