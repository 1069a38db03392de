/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the threads that serve the disk have in common: a lock, a sleep that ends by
 * being woken or by time, and an end that somebody waits for, but not for ever.
 * The audio thread never touches any of it.
 */
#ifndef VSND_AUDIO_WORKER_H
#define VSND_AUDIO_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct worker {
	pthread_mutex_t lock;
	/* Under the lock. */
	pthread_cond_t wake, end;
	bool woken, ended;
};

/* 0 or a negative errno. */
int worker_init(struct worker *w);
void worker_fini(struct worker *w);

static inline void worker_lock(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
}

static inline void worker_unlock(struct worker *w)
{
	pthread_mutex_unlock(&w->lock);
}

/* The rest: under the lock. */

void worker_wake(struct worker *w);
/* Sleep until woken, or for @ns; -1: until woken. */
void worker_sleep(struct worker *w, int64_t ns);
/* The thread has done its last work. */
void worker_end(struct worker *w);
/* Wait for that; false if it takes longer than @ns. */
bool worker_ends_within(struct worker *w, int64_t ns);

#endif
