/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control thread's event loop: file descriptors with callbacks, and timers.
 *
 * All of it belongs to one thread, except loop_stop().  Sources are structs
 * that their owner embeds, so adding one allocates nothing.  A callback may
 * remove or re-add any source, its own included: an event that is already
 * fetched from the kernel for a removed source is forgotten, never delivered.
 *
 * A watched descriptor must be removed before it is closed.  epoll watches the
 * open file, not the number, and a front-end holds the same file open: after a
 * mere close() its events would go on to arrive for a source that is gone.
 */
#ifndef VSND_VHOST_USER_LOOP_H
#define VSND_VHOST_USER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/epoll.h>

struct loop;

/* A watched descriptor.  Zero it before its first use; the fields are the loop's. */
struct loop_fd {
	int fd;
	bool added;
	void (*fn)(void *arg, uint32_t events);
	void *arg;
};

/* A timer, on CLOCK_MONOTONIC.  The fields are the loop's. */
struct loop_timer {
	struct loop_fd source;
	void (*fn)(void *arg);
	void *arg;
};

/* 0 or a negative errno. */
int loop_create(struct loop **ret_loop);

/* Free and NULL *@loop.  All sources have been removed.  NULL is fine. */
void loop_destroy(struct loop **loop);

/*
 * Call @fn(@arg, events) when @fd has one of @events (EPOLLIN...; EPOLLERR and
 * EPOLLHUP always).  @w stays valid until loop_remove(); @fd stays the
 * caller's.  0 or a negative errno: -EPERM for files that cannot be waited for.
 */
int loop_add(struct loop *l, struct loop_fd *w, int fd, uint32_t events,
	     void (*fn)(void *arg, uint32_t events), void *arg);

/* Wait for other events from now on.  @w has been added. */
void loop_modify(struct loop *l, struct loop_fd *w, uint32_t events);

/* Watch no more.  Fine for a source that is not added (but zeroed). */
void loop_remove(struct loop *l, struct loop_fd *w);

/* Make a timer, not armed.  0 or a negative errno. */
int loop_timer_open(struct loop *l, struct loop_timer *t, void (*fn)(void *arg), void *arg);

/* Fire after @first_ns and then every @interval_ns (0: once).  @first_ns 0: not at all. */
void loop_timer_set(struct loop_timer *t, int64_t first_ns, int64_t interval_ns);

/* End a timer.  Fine for one that was not opened (but zeroed). */
void loop_timer_close(struct loop *l, struct loop_timer *t);

/*
 * Wait at most @timeout_ms (-1: for ever) for events and deliver them.  Returns
 * the number of callbacks made, or a negative errno.  For tests and embedders
 * with a loop of their own.
 */
int loop_turn(struct loop *l, int timeout_ms);

/* Deliver events until loop_stop().  0 or a negative errno. */
int loop_run(struct loop *l);

/* Any thread, async-signal-safe: let loop_run() return, also one that starts later. */
void loop_stop(struct loop *l);

#endif
