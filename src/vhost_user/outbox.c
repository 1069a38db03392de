/* SPDX-License-Identifier: BSD-3-Clause */
#include "vhost_user/outbox.h"

#include <errno.h>
#include <string.h>

#include <sys/socket.h>

void outbox_clear(struct outbox *o)
{
	o->start = 0;
	o->end = 0;
}

bool outbox_empty(const struct outbox *o)
{
	return o->start == o->end;
}

int outbox_put(struct outbox *o, const void *data, size_t size)
{
	if (o->start > 0) {
		memmove(o->data, o->data + o->start, o->end - o->start);
		o->end -= o->start;
		o->start = 0;
	}
	if (size > o->size - o->end)
		return -ENOBUFS;
	if (size > 0)
		memcpy(o->data + o->end, data, size);
	o->end += size;
	return 0;
}

int outbox_send(struct outbox *o, int fd)
{
	while (!outbox_empty(o)) {
		ssize_t n = send(fd, o->data + o->start, o->end - o->start,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		o->start += (size_t)n;
	}
	outbox_clear(o);
	return 0;
}
