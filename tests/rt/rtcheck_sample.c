/* SPDX-License-Identifier: BSD-3-Clause */
/* A program whose threads do known numbers of what rtcheck counts. */
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static void *volatile kept;	/* so that no allocation is optimised away */

static void *sinner(void *arg)
{
	uint64_t one = 1;
	int fd = eventfd(0, 0);

	(void)arg;
	pthread_setname_np(pthread_self(), "sinner");
	for (int i = 0; i < 3; i++) {
		kept = malloc(16);
		free(kept);
	}
	for (int i = 0; i < 5; i++) {
		pthread_mutex_lock(&mutex);
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&mutex);
	}
	if (write(fd, &one, sizeof(one)) != sizeof(one) ||
	    read(fd, &one, sizeof(one)) != sizeof(one))
		abort();
	fprintf(stderr, "a line of log\n");
	poll(NULL, 0, 1);
	close(fd);
	return NULL;
}

static void *saint(void *arg)
{
	volatile unsigned *sum = arg;

	pthread_setname_np(pthread_self(), "saint");
	for (unsigned i = 0; i < 1000; i++)
		*sum += i;
	return NULL;
}

int main(void)
{
	void *(*const bodies[])(void *) = {sinner, saint};
	unsigned sum = 0;

	for (int i = 0; i < 2; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, bodies[i], &sum))
			return 1;
		pthread_join(thread, NULL);
	}
	return 0;
}
