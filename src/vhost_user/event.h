/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Event descriptors that belong to the other side: kick, call and error fds.
 * eventfds as a rule; the protocol also allows pipes and sockets, and a hostile
 * front-end sends anything.
 */
#ifndef VSND_VHOST_USER_EVENT_H
#define VSND_VHOST_USER_EVENT_H

#include <stdatomic.h>
#include <stdbool.h>

/* What event_out_signal() has to do with the number. */
enum event_mode {
	EVENT_NONE,	/* a placeholder is there: nothing */
	EVENT_WRITE,	/* an eventfd that is non-blocking already: write */
	EVENT_POLL,	/* eventfd or pipe that could block: ask before */
	EVENT_SEND,	/* a socket */
};

/*
 * Where events go out, e.g. a call fd.  One descriptor *number* for the whole
 * life; event.c says why.
 */
struct event_out {
	int fd;
	int null_fd;		/* /dev/null, the owner's */
	atomic_int mode;	/* enum event_mode */
};

/*
 * Control thread.  @null_fd is open on /dev/null for at least as long as @e.  0
 * or a negative errno.
 */
int event_out_open(struct event_out *e, int null_fd);

/* Control thread; nobody signals any more.  Fine after a failed open. */
void event_out_close(struct event_out *e);

/*
 * Control thread.  Send to @fd from now on, which is consumed.  -EINVAL for a
 * file of the wrong kind: then nothing has changed but @fd is closed.
 */
int event_out_set(struct event_out *e, int fd);

/* Control thread.  Send to nowhere from now on. */
void event_out_clear(struct event_out *e);

/*
 * Any thread, real-time safe: one event.  Never waits and never fails: an event
 * that does not fit is an event that the other side has not looked at yet.
 */
void event_out_signal(struct event_out *e);

/* Kinds of file that can carry events. */
enum event_kind {
	EVENT_UNUSABLE = -1,
	EVENT_COUNTER,	/* an eventfd, or what looks like one to fstat() */
	EVENT_PIPE,
	EVENT_SOCKET
};

enum event_kind event_kind(int fd);

/*
 * Control thread.  Take all events out of @fd, of kind @kind, without waiting.
 * 0, or -EPIPE if it is at its end or cannot be read: no event will come any
 * more.  @null_fd is open on /dev/null.
 */
int event_drain(int fd, enum event_kind kind, int null_fd);

#endif
