/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/wake.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "audio/os.h"

int wake_init(struct wake *w)
{
	atomic_init(&w->woken, false);
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return w->fd < 0 ? -errno : 0;
}

void wake_fini(struct wake *w)
{
	close(w->fd);
}

void wake_up(struct wake *w)
{
	uint64_t one = 1;
	ssize_t n;

	if (atomic_exchange(&w->woken, true))
		return;
	n = write(w->fd, &one, sizeof(one));
	(void)n;
}

/* The flag falls before the turn: a wake that still saw it up is served by that turn. */
void wake_take(struct wake *w)
{
	uint64_t count;
	ssize_t n = read(w->fd, &count, sizeof(count));

	(void)n;
	atomic_exchange(&w->woken, false);
}

bool wake_wait(struct wake *w, struct pollfd *fds, unsigned others, int64_t until_ns)
{
	struct timespec timeout, *limit = NULL;
	int ready;

	if (until_ns != WAKE_NEVER) {
		int64_t left_ns = until_ns - audio_now_ns();

		if (left_ns <= 0)
			return false;
		timeout = (struct timespec){
			.tv_sec = left_ns / NS_PER_S,
			.tv_nsec = left_ns % NS_PER_S,
		};
		limit = &timeout;
	}
	fds[0] = (struct pollfd){ .fd = w->fd, .events = POLLIN };
	ready = ppoll(fds, others + 1, limit, NULL);
	if (ready <= 0)
		return false;
	if (fds[0].revents) {
		wake_take(w);
		ready--;
	}
	return ready > 0;
}
