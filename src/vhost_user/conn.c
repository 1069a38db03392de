/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The socket to a front-end.
 *
 * The socket never blocks the daemon: every call says MSG_DONTWAIT (the file may
 * be shared with others, so O_NONBLOCK is left alone).  A message is read in two
 * parts, header and payload, and never beyond its end: the descriptors that come
 * along with these bytes then belong to this message, however the other side
 * has cut its writes.  A turn of the loop serves a bounded number of messages, so
 * that a front-end that floods the socket cannot starve kicks and timers.
 */
#include "vhost_user/conn.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#define MESSAGES_PER_TURN 32

static void close_fds(struct conn *c)
{
	unsigned i;

	for (i = 0; i < c->fds_n; i++) {
		if (c->fds[i] >= 0)
			close(c->fds[i]);
	}
	c->fds_n = 0;
	c->fds_faulty = false;
}

/* Keep the descriptors of one recvmsg(); close what is beyond VU_FDS_MAX. */
static void take_fds(struct conn *c, struct msghdr *msg)
{
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t i, n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
			if (c->fds_n < VU_FDS_MAX) {
				c->fds[c->fds_n++] = fd;
				continue;
			}
			close(fd);
			c->fds_faulty = true;
		}
	}
	/* More than fit: the kernel has closed the rest. */
	if (msg->msg_flags & MSG_CTRUNC)
		c->fds_faulty = true;
}

/* Bytes that came, -EAGAIN, or why the connection ends (-ECONNRESET at the end of file). */
static ssize_t receive(struct conn *c, void *buf, size_t len)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(VU_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t n;

	do
		n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);

	if (n < 0)
		return -errno;
	take_fds(c, &msg);
	return n ? n : -ECONNRESET;
}

/* 1 when a message is complete, -EAGAIN when not yet, or why the connection ends. */
static int receive_message(struct conn *c)
{
	while (c->have < VU_HEADER_SIZE || c->have - VU_HEADER_SIZE < c->header.size) {
		bool in_head = c->have < VU_HEADER_SIZE;
		size_t at = in_head ? c->have : c->have - VU_HEADER_SIZE;
		uint8_t *to = (in_head ? c->head : c->payload) + at;
		size_t want = (in_head ? VU_HEADER_SIZE : c->header.size) - at;
		ssize_t n = receive(c, to, want);

		if (n < 0)
			return (int)n;
		c->have += (size_t)n;
		if (in_head && c->have == VU_HEADER_SIZE) {
			int err = vu_header_decode(c->head, &c->header);

			if (err < 0)
				return err;
		}
	}
	return 1;
}

static void watch(struct conn *c)
{
	loop_modify(c->loop, &c->source,
		    EPOLLIN | (outbox_empty(&c->out) ? 0 : (uint32_t)EPOLLOUT));
}

int conn_send(struct conn *c, const uint8_t head[VU_HEADER_SIZE], const uint8_t *payload,
	      size_t size)
{
	bool waiting = !outbox_empty(&c->out);
	int err;

	err = outbox_put(&c->out, head, VU_HEADER_SIZE);
	if (!err)
		err = outbox_put(&c->out, payload, size);
	if (!err)
		err = outbox_send(&c->out, c->fd);
	if (!err && outbox_empty(&c->out) == waiting)
		watch(c);
	return err;
}

static int serve(struct conn *c)
{
	unsigned left = MESSAGES_PER_TURN;
	int err;

	while (left--) {
		err = receive_message(c);
		if (err < 0)
			return err == -EAGAIN ? 0 : err;
		c->have = 0;
		err = c->ops->message(c->ctx, &c->header, c->payload, c->fds, c->fds_n,
				      c->fds_faulty);
		close_fds(c);
		if (err < 0)
			return err;
	}
	return 0;
}

static void on_socket(void *arg, uint32_t events)
{
	struct conn *c = arg;
	int err = 0;

	if (events & EPOLLOUT) {
		err = outbox_send(&c->out, c->fd);
		if (!err && outbox_empty(&c->out))
			watch(c);
	}
	if (!err && (events & ~(uint32_t)EPOLLOUT))
		err = serve(c);
	if (err < 0) {
		conn_close(c);
		c->ops->closed(c->ctx, err);
	}
}

void conn_init(struct conn *c, struct loop *loop, const struct conn_ops *ops, void *ctx)
{
	c->loop = loop;
	c->ops = ops;
	c->ctx = ctx;
	c->fd = -1;
	c->out = (struct outbox){ .data = c->out_bytes, .size = sizeof(c->out_bytes) };
}

int conn_open(struct conn *c, int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);
	int err;

	assert(c->fd < 0);
	c->have = 0;
	c->fds_n = 0;
	c->fds_faulty = false;
	outbox_clear(&c->out);

	err = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ? -errno : 0;
	if (!err && type != SOCK_STREAM)
		err = -EPROTOTYPE;
	if (!err)
		err = loop_add(c->loop, &c->source, fd, EPOLLIN, on_socket, c);
	if (err < 0) {
		close(fd);
		return err;
	}
	c->fd = fd;
	return 0;
}

void conn_close(struct conn *c)
{
	if (c->fd < 0)
		return;
	close_fds(c);
	loop_remove(c->loop, &c->source);
	close(c->fd);
	c->fd = -1;
}
