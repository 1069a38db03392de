/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether there is a pcm to play to: for `--audio=auto`, before there is a device.
 * Opening one may take for ever, so a thread does that, and is left alone if it does.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "audio/alsa.h"
#include "audio/os.h"

#define ANSWER_NS 1000000000

struct question {
	struct worker worker;
	atomic_uint users;	/* who is last frees it */
	bool answered;		/* written before the end */
	char name[];
};

static void put_question(struct question *q)
{
	if (atomic_fetch_sub(&q->users, 1) > 1)
		return;
	worker_fini(&q->worker);
	free(q);
}

static void *ask(void *arg)
{
	struct question *q = arg;
	snd_pcm_t *pcm;

	alsa_say_listen();
	q->answered = snd_pcm_open(&pcm, q->name, SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK) == 0;
	if (q->answered)
		snd_pcm_close(pcm);
	worker_lock(&q->worker);
	worker_end(&q->worker);
	worker_unlock(&q->worker);
	put_question(q);
	return NULL;
}

static struct question *make_question(const char *name)
{
	struct question *q = calloc(1, sizeof(*q) + strlen(name) + 1);

	if (!q)
		return NULL;
	if (worker_init(&q->worker) < 0) {
		free(q);
		return NULL;
	}
	strcpy(q->name, name);
	atomic_init(&q->users, 2);
	return q;
}

bool audio_alsa_answers(const struct audio_host_config *config)
{
	const char *name = config->stream[0].target ? config->stream[0].target : ALSA_DEFAULT_NAME;
	struct question *q = make_question(name);
	pthread_t thread;
	bool answered = false;

	if (!q)
		return false;
	if (audio_thread_start(ask, q, &thread) == 0) {
		pthread_detach(thread);
		worker_lock(&q->worker);
		answered = worker_ends_within(&q->worker, ANSWER_NS) && q->answered;
		worker_unlock(&q->worker);
	} else {
		put_question(q);
	}
	put_question(q);
	return answered;
}
