/* SPDX-License-Identifier: BSD-3-Clause */
#include "vhost_user/listener.h"

#include <errno.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY_NS 100000000

static void on_listener(void *arg, uint32_t events)
{
	struct listener *l = arg;
	int fd, err;

	(void)events;
	fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
		return;
	err = l->accepted(l->ctx, fd, fd < 0 ? -errno : 0);
	if (err < 0) {
		loop_modify(l->loop, &l->source, 0);
		loop_timer_set(&l->retry, RETRY_NS, 0);
	}
}

static void on_retry(void *arg)
{
	struct listener *l = arg;

	if (!l->paused)
		loop_modify(l->loop, &l->source, EPOLLIN);
}

int listener_open(struct listener *l, struct loop *loop, int fd,
		  int (*accepted)(void *ctx, int fd, int err), void *ctx)
{
	int flags, err;

	/* Who connected may be gone before accept(), which then must not wait. */
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	err = loop_timer_open(loop, &l->retry, on_retry, l);
	if (err < 0)
		return err;
	err = loop_add(loop, &l->source, fd, l->paused ? 0 : EPOLLIN, on_listener, l);
	if (err < 0) {
		loop_timer_close(loop, &l->retry);
		return err;
	}
	l->loop = loop;
	l->fd = fd;
	l->accepted = accepted;
	l->ctx = ctx;
	l->open = true;
	return 0;
}

void listener_pause(struct listener *l, bool pause)
{
	l->paused = pause;
	if (l->open)
		loop_modify(l->loop, &l->source, pause ? 0 : EPOLLIN);
}

void listener_close(struct listener *l)
{
	if (!l->open)
		return;
	loop_timer_close(l->loop, &l->retry);
	loop_remove(l->loop, &l->source);
	close(l->fd);
	l->open = false;
}
