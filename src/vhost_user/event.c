/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Event descriptors that belong to the other side.
 *
 * Replacing.  The audio thread writes to a ring's call fd while the control
 * thread replaces it, without a lock between them.  So a ring owns one
 * descriptor number for its whole life, and replacing means dup3() over it: the
 * kernel swaps the file atomically, a write that is under way holds the old
 * file, and the number is never free, so nobody else's file can get under the
 * write.  When there is no fd, /dev/null sits there.
 *
 * Not waiting.  The open file is shared with the front-end, so O_NONBLOCK may
 * not be set here: it would change the file under a peer that waits in read()
 * for it.  A per-call flag would be right, but pwritev2(RWF_NOWAIT) fails with
 * EOPNOTSUPP on eventfds (they have a plain write operation, as of Linux 6.18)
 * and, before 6.4, waits on pipes; eventfds cannot be reopened through /proc,
 * either (ENXIO).  What remains: where the peer itself has made the file
 * non-blocking (QEMU, cloud-hypervisor and libkrun do), one write() is enough.
 * Otherwise poll() is asked first: an eventfd is writable unless its counter
 * stands at its maximum, which takes 2^64 notifications or malice.  A front-end
 * that fills the counter just between the two calls, or clears the flag again,
 * can stop its own audio until it reads the counter; closing that gap would
 * take a thread more per notification.
 *
 * SIGPIPE.  Sockets get MSG_NOSIGNAL, a pipe without reader fails the poll(); for
 * the moment between the server has SIGPIPE ignored (server.h).
 */
#include "vhost_user/event.h"

#include <errno.h>
#include <stdint.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define DRAIN_BYTES  512
#define DRAIN_ROUNDS 128	/* together a full pipe */

int event_out_open(struct event_out *e, int null_fd)
{
	atomic_init(&e->mode, EVENT_NONE);
	e->null_fd = null_fd;
	e->fd = fcntl(null_fd, F_DUPFD_CLOEXEC, 0);
	return e->fd < 0 ? -errno : 0;
}

void event_out_close(struct event_out *e)
{
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
	atomic_store(&e->mode, EVENT_NONE);
}

enum event_kind event_kind(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return EVENT_UNUSABLE;
	switch (st.st_mode & S_IFMT) {
	case 0:			/* an anonymous inode */
		return EVENT_COUNTER;
	case S_IFIFO:
		return EVENT_PIPE;
	case S_IFSOCK:
		return EVENT_SOCKET;
	default:
		return EVENT_UNUSABLE;
	}
}

static enum event_mode event_mode_of(int fd, enum event_kind kind)
{
	int flags;

	if (kind == EVENT_SOCKET)
		return EVENT_SEND;
	flags = fcntl(fd, F_GETFL);
	return kind == EVENT_COUNTER && flags >= 0 && (flags & O_NONBLOCK) ? EVENT_WRITE
									   : EVENT_POLL;
}

/*
 * The system call itself: to ThreadSanitizer a dup3() ends the life of the number
 * it replaces, and its run-time library dies of the write() that goes on there.
 */
static int replace(int from, int number)
{
	return syscall(SYS_dup3, from, number, O_CLOEXEC) < 0 ? -errno : 0;
}

int event_out_set(struct event_out *e, int fd)
{
	enum event_kind kind = event_kind(fd);
	int err = kind == EVENT_UNUSABLE ? -EINVAL : 0;

	/* The careful way while the file changes, whichever the two files are. */
	if (!err && atomic_load(&e->mode) != EVENT_NONE)
		atomic_store(&e->mode, EVENT_POLL);
	if (!err)
		err = replace(fd, e->fd);
	if (!err)
		atomic_store(&e->mode, (int)event_mode_of(fd, kind));
	close(fd);
	return err;
}

void event_out_clear(struct event_out *e)
{
	atomic_store(&e->mode, EVENT_NONE);
	replace(e->null_fd, e->fd);
}

void event_out_signal(struct event_out *e)
{
	const uint64_t one = 1;
	struct pollfd p = { .fd = e->fd, .events = POLLOUT };

	switch ((enum event_mode)atomic_load_explicit(&e->mode, memory_order_relaxed)) {
	case EVENT_NONE:
		return;
	case EVENT_POLL:
		if (poll(&p, 1, 0) != 1 || p.revents != POLLOUT)
			return;
		break;
	case EVENT_SEND:
		(void)!send(e->fd, &one, sizeof(one), MSG_DONTWAIT | MSG_NOSIGNAL);
		return;
	case EVENT_WRITE:
		break;
	}
	(void)!write(e->fd, &one, sizeof(one));
}

/*
 * Each kind of file has its own way not to wait: RWF_NOWAIT for eventfds (since
 * Linux 5.8; pipes know it since 6.0 only), a flag of splice() and of recv().
 *
 * Exactly the 8 bytes of a counter are read: other anonymous files fail that.
 * A signalfd would else hand out the signals of this process.
 */
static ssize_t drain_once(int fd, enum event_kind kind, int null_fd)
{
	uint64_t counter;
	struct iovec iov = { .iov_base = &counter, .iov_len = sizeof(counter) };
	char buf[DRAIN_BYTES];

	switch (kind) {
	case EVENT_COUNTER:
		return preadv2(fd, &iov, 1, -1, RWF_NOWAIT);
	case EVENT_PIPE:
		return splice(fd, NULL, null_fd, NULL, DRAIN_BYTES, SPLICE_F_NONBLOCK);
	case EVENT_SOCKET:
		return recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	case EVENT_UNUSABLE:
		break;
	}
	errno = EBADF;
	return -1;
}

int event_drain(int fd, enum event_kind kind, int null_fd)
{
	unsigned rounds = DRAIN_ROUNDS;
	ssize_t n;

	do
		n = drain_once(fd, kind, null_fd);
	while (n == DRAIN_BYTES && --rounds);

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return 0;
	return -EPIPE;
}
