/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a thread of ours waits in one system call: a ppoll() on the eventfd that wakes
 * it, and on whatever else it waits for, until a time.  Waking a thread that has
 * not yet taken the wake-up before costs nothing.
 */
#ifndef VSND_AUDIO_WAKE_H
#define VSND_AUDIO_WAKE_H

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WAKE_NEVER INT64_MAX

struct wake {
	int fd;
	atomic_bool woken;	/* the eventfd has been written and not yet read */
};

/* 0 or a negative errno. */
int wake_init(struct wake *w);
void wake_fini(struct wake *w);

/* Any thread: end the wait, this one or the next. */
void wake_up(struct wake *w);

/* The thread itself, once it has seen the eventfd readable by a wait of its own. */
void wake_take(struct wake *w);

/*
 * The thread itself: wait until woken, until one of @fds[1] to @fds[@others] has
 * something, or until @until_ns (WAKE_NEVER).  @fds[0] is for the eventfd.  Returns
 * whether one of the others has something, which then is in their revents.
 */
bool wake_wait(struct wake *w, struct pollfd *fds, unsigned others, int64_t until_ns);

/* The same of a thread that waits for nothing else. */
static inline void wake_sleep(struct wake *w, int64_t until_ns)
{
	struct pollfd fd;

	wake_wait(w, &fd, 0, until_ns);
}

#endif
