/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop over epoll; loop.h has the contract.
 *
 * Events are fetched in batches.  The batch that is being delivered is kept in
 * the loop, so that loop_remove() can strike out the events of a source that a
 * callback before them has removed; nothing else has to know about that.
 */
#include "vhost_user/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define BATCH 16
#define NS_PER_S 1000000000

struct loop {
	int epoll_fd;
	int stop_fd;
	atomic_bool stop;
	struct epoll_event batch[BATCH];	/* being delivered */
	int batch_len;
	struct loop_fd stop_source;
};

static void on_stop(void *arg, uint32_t events)
{
	struct loop *l = arg;
	uint64_t n;

	(void)events;
	(void)!read(l->stop_fd, &n, sizeof(n));
}

int loop_create(struct loop **ret_loop)
{
	struct loop *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	l->stop_fd = -1;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0)
		goto fail_errno;
	l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->stop_fd < 0)
		goto fail_errno;
	err = loop_add(l, &l->stop_source, l->stop_fd, EPOLLIN, on_stop, l);
	if (err < 0)
		goto fail;
	*ret_loop = l;
	return 0;

fail_errno:
	err = -errno;
fail:
	loop_destroy(&l);
	return err;
}

void loop_destroy(struct loop **loop)
{
	struct loop *l = *loop;

	if (!l)
		return;
	if (l->stop_fd >= 0)
		close(l->stop_fd);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	free(l);
	*loop = NULL;
}

int loop_add(struct loop *l, struct loop_fd *w, int fd, uint32_t events,
	     void (*fn)(void *arg, uint32_t events), void *arg)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	assert(!w->added);
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	w->fd = fd;
	w->fn = fn;
	w->arg = arg;
	w->added = true;
	return 0;
}

void loop_modify(struct loop *l, struct loop_fd *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };
	int err;

	assert(w->added);
	err = epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev);
	assert(err == 0);
	(void)err;
}

void loop_remove(struct loop *l, struct loop_fd *w)
{
	int i;

	if (!w->added)
		return;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	w->added = false;
	for (i = 0; i < l->batch_len; i++) {
		if (l->batch[i].data.ptr == w)
			l->batch[i].data.ptr = NULL;
	}
}

static void on_timer(void *arg, uint32_t events)
{
	struct loop_timer *t = arg;
	uint64_t n;

	(void)events;
	if (read(t->source.fd, &n, sizeof(n)) == sizeof(n))
		t->fn(t->arg);
}

int loop_timer_open(struct loop *l, struct loop_timer *t, void (*fn)(void *arg), void *arg)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int err;

	if (fd < 0)
		return -errno;
	t->fn = fn;
	t->arg = arg;
	err = loop_add(l, &t->source, fd, EPOLLIN, on_timer, t);
	if (err < 0)
		close(fd);
	return err;
}

static struct timespec to_timespec(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };
}

void loop_timer_set(struct loop_timer *t, int64_t first_ns, int64_t interval_ns)
{
	const struct itimerspec its = {
		.it_value = to_timespec(first_ns),
		.it_interval = to_timespec(interval_ns),
	};

	assert(t->source.added);
	timerfd_settime(t->source.fd, 0, &its, NULL);
}

void loop_timer_close(struct loop *l, struct loop_timer *t)
{
	if (!t->source.added)
		return;
	loop_remove(l, &t->source);
	close(t->source.fd);
}

int loop_turn(struct loop *l, int timeout_ms)
{
	int calls = 0;
	int i, n;

	n = epoll_wait(l->epoll_fd, l->batch, BATCH, timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;

	l->batch_len = n;
	for (i = 0; i < n; i++) {
		struct loop_fd *w = l->batch[i].data.ptr;

		if (!w)
			continue;
		w->fn(w->arg, l->batch[i].events);
		calls++;
	}
	l->batch_len = 0;
	return calls;
}

int loop_run(struct loop *l)
{
	int n = 0;

	while (n >= 0 && !atomic_exchange(&l->stop, false))
		n = loop_turn(l, -1);
	return n < 0 ? n : 0;
}

void loop_stop(struct loop *l)
{
	const uint64_t one = 1;

	atomic_store(&l->stop, true);
	(void)!write(l->stop_fd, &one, sizeof(one));
}
