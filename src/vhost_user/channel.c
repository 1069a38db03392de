/* SPDX-License-Identifier: BSD-3-Clause */
#include "vhost_user/channel.h"

#include <errno.h>

#include <sys/socket.h>
#include <unistd.h>

#define READS_PER_TURN 16

void channel_init(struct channel *c, struct loop *loop)
{
	c->loop = loop;
	c->fd = -1;
}

void channel_close(struct channel *c)
{
	if (c->fd >= 0) {
		loop_remove(c->loop, &c->source);
		close(c->fd);
	}
	c->fd = -1;
	c->due = false;
	c->left = 0;
}

/* Start or go on sending.  A dead peer is dropped silently. */
static void channel_send(struct channel *c)
{
	while (c->left || (c->due && !c->held)) {
		ssize_t n;

		if (!c->left) {
			vu_backend_header(c->head, VU_BACKEND_CONFIG_CHANGE, 0);
			c->left = VU_HEADER_SIZE;
			c->due = false;
		}
		n = send(c->fd, c->head + VU_HEADER_SIZE - c->left, c->left,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			channel_close(c);
			return;
		}
		c->left -= (size_t)n;
	}
	loop_modify(c->loop, &c->source, EPOLLIN | (c->left ? (uint32_t)EPOLLOUT : 0));
}

/* We never ask for a reply; whatever comes is dropped (fds with it, by the kernel). */
static void on_channel(void *arg, uint32_t events)
{
	struct channel *c = arg;
	unsigned left = READS_PER_TURN;
	char buf[512];
	ssize_t n = 1;

	while (n > 0 && left--)
		n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		channel_close(c);
		return;
	}
	if (events & EPOLLOUT)
		channel_send(c);
}

int channel_open(struct channel *c, int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);
	int err = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ? -errno : 0;

	if (!err && type != SOCK_STREAM)
		err = -EPROTOTYPE;
	if (err < 0) {
		close(fd);
		return err;
	}
	channel_close(c);
	err = loop_add(c->loop, &c->source, fd, EPOLLIN, on_channel, c);
	if (err < 0) {
		close(fd);
		return err;
	}
	c->fd = fd;
	return 0;
}

void channel_config_changed(struct channel *c)
{
	if (c->fd < 0)
		return;
	c->due = true;
	channel_send(c);
}

void channel_hold(struct channel *c, bool hold)
{
	c->held = hold;
	if (c->fd >= 0 && c->due && !hold)
		channel_send(c);
}
