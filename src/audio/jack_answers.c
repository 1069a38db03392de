/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether there is a JACK server: for `--audio=auto`, before there is a device.
 *
 * One that does not answer keeps who asks for as long as it likes, so a thread asks.
 * The last of the two that still wants the question frees it.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include <jack/jack.h>

#include "audio/os.h"
#include "audio/wake.h"

#define ANSWER_NS 1000000000

struct question {
	struct wake answered;
	atomic_bool there;
	atomic_int askers;
};

static void leave(struct question *q)
{
	if (atomic_fetch_sub(&q->askers, 1) > 1)
		return;
	wake_fini(&q->answered);
	free(q);
}

static void *ask(void *arg)
{
	struct question *q = arg;
	jack_client_t *client = jack_client_open("vsnd-asks", JackNoStartServer, NULL);

	atomic_store(&q->there, client);
	wake_up(&q->answered);
	if (client)
		jack_client_close(client);
	leave(q);
	return NULL;
}

static void say_nothing(const char *text)
{
	(void)text;
}

bool audio_jack_answers(const struct audio_host_config *config)
{
	struct question *q = calloc(1, sizeof(*q));
	pthread_t thread;
	bool there;

	(void)config;
	if (!q)
		return false;
	if (wake_init(&q->answered) < 0) {
		free(q);
		return false;
	}
	jack_set_error_function(say_nothing);
	jack_set_info_function(say_nothing);
	atomic_init(&q->askers, 2);
	if (audio_thread_start(ask, q, &thread) < 0) {
		atomic_store(&q->askers, 1);
		leave(q);
		return false;
	}
	pthread_detach(thread);
	wake_sleep(&q->answered, audio_now_ns() + ANSWER_NS);
	there = atomic_load(&q->there);
	leave(q);
	return there;
}
