/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending anything at all, and throwing replies away. */
#include "probe/hostile_raw.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

int raw_send(int sock, const struct raw *r)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(r->fds))] = { 0 };
	uint8_t frame[12 + sizeof(r->payload)];
	struct iovec iov = { .iov_base = frame, .iov_len = r->send };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	memcpy(frame, &r->request, 4);
	memcpy(frame + 4, &r->flags, 4);
	memcpy(frame + 8, &r->size, 4);
	memcpy(frame + 12, r->payload, sizeof(r->payload));
	if (r->fds_count) {
		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(r->fds_count * sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(r->fds_count * sizeof(int));
		memcpy(CMSG_DATA(c), r->fds, r->fds_count * sizeof(int));
	}
	return sendmsg(sock, &mh, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int raw_drain(int sock, int ms)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	char buf[4096];

	while (poll(&p, 1, ms) > 0) {
		/* fds of replies do not arrive without a control buffer */
		ssize_t n = recv(sock, buf, sizeof(buf), MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return -1;
		ms = 0;
	}
	return 0;
}
