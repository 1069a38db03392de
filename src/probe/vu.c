/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user frames over a UNIX stream socket.
 *
 * A frame is {request, flags, size} in host byte order and `size` bytes of
 * payload; fds ride with its first byte.  Replies are held to what QEMU
 * demands of them: flags exactly 0x5, the request echoed, the exact size.  A
 * back-end that passes here passes there.
 */
#include "probe/vu.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe/report.h"

#define HEADER_BYTES 12u
#define SEND_SECONDS 5

static const char *const names[] = {
	[VU_GET_FEATURES] = "GET_FEATURES",
	[VU_SET_FEATURES] = "SET_FEATURES",
	[VU_SET_OWNER] = "SET_OWNER",
	[VU_RESET_OWNER] = "RESET_OWNER",
	[VU_SET_MEM_TABLE] = "SET_MEM_TABLE",
	[VU_SET_LOG_BASE] = "SET_LOG_BASE",
	[VU_SET_LOG_FD] = "SET_LOG_FD",
	[VU_SET_VRING_NUM] = "SET_VRING_NUM",
	[VU_SET_VRING_ADDR] = "SET_VRING_ADDR",
	[VU_SET_VRING_BASE] = "SET_VRING_BASE",
	[VU_GET_VRING_BASE] = "GET_VRING_BASE",
	[VU_SET_VRING_KICK] = "SET_VRING_KICK",
	[VU_SET_VRING_CALL] = "SET_VRING_CALL",
	[VU_SET_VRING_ERR] = "SET_VRING_ERR",
	[VU_GET_PROTOCOL_FEATURES] = "GET_PROTOCOL_FEATURES",
	[VU_SET_PROTOCOL_FEATURES] = "SET_PROTOCOL_FEATURES",
	[VU_GET_QUEUE_NUM] = "GET_QUEUE_NUM",
	[VU_SET_VRING_ENABLE] = "SET_VRING_ENABLE",
	[VU_SET_BACKEND_REQ_FD] = "SET_BACKEND_REQ_FD",
	[VU_IOTLB_MSG] = "IOTLB_MSG",
	[VU_GET_CONFIG] = "GET_CONFIG",
	[VU_SET_CONFIG] = "SET_CONFIG",
	[VU_GET_INFLIGHT_FD] = "GET_INFLIGHT_FD",
	[VU_SET_INFLIGHT_FD] = "SET_INFLIGHT_FD",
	[VU_RESET_DEVICE] = "RESET_DEVICE",
	[VU_GET_MAX_MEM_SLOTS] = "GET_MAX_MEM_SLOTS",
	[VU_ADD_MEM_REG] = "ADD_MEM_REG",
	[VU_REM_MEM_REG] = "REM_MEM_REG",
	[VU_SET_STATUS] = "SET_STATUS",
	[VU_GET_STATUS] = "GET_STATUS",
	[VU_SET_DEVICE_STATE_FD] = "SET_DEVICE_STATE_FD",
	[VU_CHECK_DEVICE_STATE] = "CHECK_DEVICE_STATE",
};

const char *vu_name(uint32_t request)
{
	if (request < sizeof(names) / sizeof(names[0]) && names[request])
		return names[request];
	return "unknown request";
}

int vu_connect(const char *path)
{
	/* A back-end that is stuck neither accepts nor reads. */
	const struct timeval limit = { .tv_sec = SEND_SECONDS };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int sock;

	if (strlen(path) >= sizeof(sa.sun_path))
		return complain(-ENAMETOOLONG, "%s: longer than a socket path may be", path);
	strcpy(sa.sun_path, path);

	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return complain(-errno, "socket: %s", strerror(errno));
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(sock, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		int err = complain(-errno, "%s: %s", path, strerror(errno));

		close(sock);
		return err;
	}
	return sock;
}

static void attach_fds(struct msghdr *mh, void *control, const int *fds, unsigned count)
{
	struct cmsghdr *c;

	mh->msg_control = control;
	mh->msg_controllen = CMSG_SPACE(count * sizeof(int));
	c = CMSG_FIRSTHDR(mh);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
}

int vu_send(int sock, const struct vu_msg *m)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(m->fds))] = { 0 };
	uint8_t frame[HEADER_BYTES + VU_PAYLOAD_MAX];
	size_t length = HEADER_BYTES + m->size, sent = 0;
	struct iovec iov;
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	memcpy(frame, &m->request, 4);
	memcpy(frame + 4, &m->flags, 4);
	memcpy(frame + 8, &m->size, 4);
	memcpy(frame + HEADER_BYTES, m->payload, m->size);
	if (m->fds_count)
		attach_fds(&mh, control, m->fds, m->fds_count);

	while (sent < length) {
		iov = (struct iovec){ .iov_base = frame + sent, .iov_len = length - sent };
		n = sendmsg(sock, &mh, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complain(-errno, "sending %s: %s", vu_name(m->request),
				strerror(errno));
		sent += (size_t)n;
		mh.msg_control = NULL;
		mh.msg_controllen = 0;
	}
	return 0;
}

static void collect_fds(struct msghdr *mh, struct vu_msg *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (m->fds_count < VU_FDS_MAX)
				m->fds[m->fds_count++] = fd;
			else
				close(fd);
		}
	}
}

/* Until `deadline`; the fds that come are added to m. */
static int read_exactly(int sock, struct vu_msg *m, void *buf, size_t length, int64_t deadline)
{
	size_t got = 0;

	while (got < length) {
		_Alignas(struct cmsghdr) char control[CMSG_SPACE(VU_FDS_MAX * sizeof(int))];
		struct iovec iov = { .iov_base = (uint8_t *)buf + got, .iov_len = length - got };
		struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			.msg_controllen = sizeof(control) };
		struct pollfd p = { .fd = sock, .events = POLLIN };
		int64_t left_ms = (deadline - now_ns()) / 1000000;
		ssize_t n;

		if (interrupted())
			return complain(-EINTR, "interrupted");
		if (left_ms <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)left_ms) <= 0)
			continue;
		n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ECONNRESET;
		collect_fds(&mh, m);
		got += (size_t)n;
	}
	return 0;
}

int vu_receive(int sock, struct vu_msg *ret, int timeout_ms)
{
	int64_t deadline = now_ns() + (int64_t)timeout_ms * 1000000;
	uint8_t header[HEADER_BYTES];
	int err;

	ret->fds_count = 0;
	err = read_exactly(sock, ret, header, sizeof(header), deadline);
	if (err < 0)
		goto close_fds;
	memcpy(&ret->request, header, 4);
	memcpy(&ret->flags, header + 4, 4);
	memcpy(&ret->size, header + 8, 4);
	if (ret->size > VU_PAYLOAD_MAX) {
		err = complain(-EPROTO, "the back-end sent a frame of %u bytes", ret->size);
		goto close_fds;
	}
	err = read_exactly(sock, ret, ret->payload, ret->size, deadline);
	if (err < 0)
		goto close_fds;
	return 0;

close_fds:
	vu_close_fds(ret);
	return err;
}

int vu_receive_reply(int sock, uint32_t request, uint32_t size, struct vu_msg *ret, int timeout_ms)
{
	int err = vu_receive(sock, ret, timeout_ms);

	if (err == -ETIMEDOUT)
		return complain(err, "no reply to %s within %d ms", vu_name(request), timeout_ms);
	if (err == -ECONNRESET)
		return complain(err, "the back-end closed the connection at %s", vu_name(request));
	if (err == -EINTR || err == -EPROTO)
		return err;
	if (err < 0)
		return complain(err, "waiting for the reply to %s: %s", vu_name(request),
			strerror(-err));

	if (ret->request != request || ret->flags != (VU_FLAG_VERSION | VU_FLAG_REPLY) ||
		ret->size != size) {
		vu_close_fds(ret);
		return complain(-EPROTO,
			"reply to %s: request %u flags 0x%x size %u, should be %u 0x5 %u",
			vu_name(request), ret->request, ret->flags, ret->size, request, size);
	}
	return 0;
}

void vu_close_fds(struct vu_msg *m)
{
	for (unsigned i = 0; i < m->fds_count; i++)
		close(m->fds[i]);
	m->fds_count = 0;
}
