/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/waker.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "audio/os.h"

int waker_init(struct waker *w)
{
	atomic_init(&w->woken, false);
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return w->fd < 0 ? -errno : 0;
}

void waker_fini(struct waker *w)
{
	close(w->fd);
}

void waker_wake(struct waker *w)
{
	uint64_t one = 1;
	ssize_t n;

	if (atomic_exchange(&w->woken, true))
		return;
	n = write(w->fd, &one, sizeof(one));
	(void)n;
}

/* The flag falls before what follows the wait: a wake that still saw it up is served by that. */
static void take_wake(struct waker *w)
{
	uint64_t count;
	ssize_t n = read(w->fd, &count, sizeof(count));

	(void)n;
	atomic_exchange(&w->woken, false);
}

bool waker_wait(struct waker *w, int64_t until_ns)
{
	struct pollfd wake = { .fd = w->fd, .events = POLLIN };
	struct timespec timeout, *limit = NULL;

	if (until_ns != WAKER_NEVER) {
		int64_t left_ns = until_ns - audio_now_ns();

		if (left_ns <= 0)
			return false;
		timeout = (struct timespec){
			.tv_sec = left_ns / NS_PER_S,
			.tv_nsec = left_ns % NS_PER_S,
		};
		limit = &timeout;
	}
	if (ppoll(&wake, 1, limit, NULL) <= 0)
		return false;
	take_wake(w);
	return true;
}
