/* SPDX-License-Identifier: BSD-3-Clause */
#include "frontend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vhost_user/loop.h"

static void die(const char *what)
{
	fprintf(stderr, "front-end: %s: %s\n", what, strerror(errno));
	abort();
}

void fe_pump(struct frontend *fe)
{
	while (loop_turn(fe->loop, 0) > 0)
		;
}

void fe_send(struct frontend *fe, uint32_t request, uint32_t flags, const void *payload,
	     uint32_t size, const int *fds, unsigned n)
{
	uint32_t head[3] = { request, flags, size };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(64 * sizeof(int))];
	} control;
	struct iovec iov[2] = {
		{ .iov_base = head, .iov_len = sizeof(head) },
		{ .iov_base = (void *)(uintptr_t)payload, .iov_len = size },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = size ? 2 : 1 };

	if (n) {
		struct cmsghdr *cmsg;

		memset(&control, 0, sizeof(control));
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
	}
	if (sendmsg(fe->fd, &msg, MSG_NOSIGNAL) != (ssize_t)(sizeof(head) + size))
		die("sendmsg");
}

int fe_recv(struct frontend *fe, uint32_t request, void *payload, size_t room)
{
	uint32_t head[3];
	ssize_t n;

	fe_pump(fe);
	n = recv(fe->fd, head, sizeof(head), MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return -1;
	if (n <= 0)
		return -2;
	if (n != sizeof(head) || head[0] != request || head[1] != 5 || head[2] > room)
		return -3;
	if (head[2] && recv(fe->fd, payload, head[2], MSG_DONTWAIT) != (ssize_t)head[2])
		return -3;
	return (int)head[2];
}

uint64_t fe_set(struct frontend *fe, uint32_t request, const void *payload, uint32_t size,
		const int *fds, unsigned n)
{
	uint64_t ack = 0;
	int got;

	fe_send(fe, request, fe->ack ? 9 : 1, payload, size, fds, n);
	fe_pump(fe);
	if (!fe->ack)
		return 0;
	got = fe_recv(fe, request, &ack, sizeof(ack));
	if (got != sizeof(ack)) {
		fprintf(stderr, "front-end: request %u: ack of size %d\n", request, got);
		abort();
	}
	return ack;
}

uint64_t fe_set_u64(struct frontend *fe, uint32_t request, uint64_t value)
{
	return fe_set(fe, request, &value, sizeof(value), NULL, 0);
}

uint64_t fe_set_vring(struct frontend *fe, uint32_t request, uint32_t index, uint32_t num)
{
	const uint32_t payload[2] = { index, num };

	return fe_set(fe, request, payload, sizeof(payload), NULL, 0);
}

uint64_t fe_set_fd(struct frontend *fe, uint32_t request, uint64_t value, int fd)
{
	return fe_set(fe, request, &value, sizeof(value), &fd, fd >= 0);
}

uint64_t fe_get_u64(struct frontend *fe, uint32_t request)
{
	uint64_t value = 0;

	fe_send(fe, request, 1, NULL, 0, NULL, 0);
	if (fe_recv(fe, request, &value, sizeof(value)) != sizeof(value))
		die("no u64 reply");
	return value;
}

uint32_t fe_get_base(struct frontend *fe, uint32_t index)
{
	const uint32_t payload[2] = { index, 0xdeadbeef };
	uint32_t reply[2];

	fe_send(fe, 11, 1, payload, sizeof(payload), NULL, 0);
	if (fe_recv(fe, 11, reply, sizeof(reply)) != sizeof(reply) || reply[0] != index)
		die("no base reply");
	return reply[1];
}

int fe_memfd(void)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, FE_REGIONS * (off_t)FE_REGION_SIZE) < 0)
		die("memfd");
	return fd;
}

uint64_t fe_set_mem_table(struct frontend *fe, int memfd)
{
	uint64_t payload[1 + 4 * FE_REGIONS] = { FE_REGIONS };
	int fds[FE_REGIONS];
	unsigned i;

	for (i = 0; i < FE_REGIONS; i++) {
		payload[1 + 4 * i] = FE_GPA(i);
		payload[2 + 4 * i] = FE_REGION_SIZE;
		payload[3 + 4 * i] = FE_UADDR(i);
		payload[4 + 4 * i] = i * FE_REGION_SIZE;
		fds[i] = memfd;
	}
	return fe_set(fe, 5, payload, sizeof(payload), fds, FE_REGIONS);
}

uint64_t fe_set_addr(struct frontend *fe, uint32_t i)
{
	/* index and flags, descriptor, used, available, log */
	const uint64_t payload[5] = { i, FE_UADDR(i), FE_UADDR(i) + 0x4000, FE_UADDR(i) + 0x2000 };

	return fe_set(fe, 9, payload, sizeof(payload), NULL, 0);
}
