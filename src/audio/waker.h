/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a thread of ours sleeps: until a moment, or until somebody wakes it, in one
 * system call.  One thread waits, any may wake.
 */
#ifndef VSND_AUDIO_WAKER_H
#define VSND_AUDIO_WAKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WAKER_NEVER INT64_MAX

struct waker {
	int fd;
	atomic_bool woken;	/* the eventfd has been written and not yet read */
};

/* 0 or a negative errno. */
int waker_init(struct waker *w);
void waker_fini(struct waker *w);

/* Any thread, signal handlers too; does not block.  A system call unless one is under way. */
void waker_wake(struct waker *w);

/* Until a wake-up (true) or @until_ns of CLOCK_MONOTONIC (false). */
bool waker_wait(struct waker *w, int64_t until_ns);

#endif
