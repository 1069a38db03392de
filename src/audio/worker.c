/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/worker.h"

#include <time.h>

#include "audio/os.h"

int worker_init(struct worker *w)
{
	pthread_condattr_t attr;
	int err;

	w->woken = false;
	w->ended = false;
	err = pthread_condattr_init(&attr);
	if (err)
		return -err;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	err = pthread_cond_init(&w->wake, &attr);
	if (err == 0)
		err = pthread_cond_init(&w->end, &attr);
	pthread_condattr_destroy(&attr);
	if (err == 0)
		err = pthread_mutex_init(&w->lock, NULL);
	return -err;
}

void worker_fini(struct worker *w)
{
	pthread_cond_destroy(&w->end);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
}

static struct timespec after_ns(int64_t ns)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	ns += t.tv_nsec;
	t.tv_sec += ns / NS_PER_S;
	t.tv_nsec = ns % NS_PER_S;
	return t;
}

void worker_wake(struct worker *w)
{
	w->woken = true;
	pthread_cond_signal(&w->wake);
}

void worker_sleep(struct worker *w, int64_t ns)
{
	if (ns >= 0) {
		struct timespec limit = after_ns(ns);

		while (!w->woken && pthread_cond_timedwait(&w->wake, &w->lock, &limit) == 0)
			;
	} else {
		while (!w->woken)
			pthread_cond_wait(&w->wake, &w->lock);
	}
	w->woken = false;
}

void worker_end(struct worker *w)
{
	w->ended = true;
	pthread_cond_signal(&w->end);
}

bool worker_ends_within(struct worker *w, int64_t ns)
{
	struct timespec limit = after_ns(ns);

	while (!w->ended && pthread_cond_timedwait(&w->end, &w->lock, &limit) == 0)
		;
	return w->ended;
}
