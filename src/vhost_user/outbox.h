/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes on their way to a socket whose other end may not read.  What the socket
 * does not take at once is kept, in a space that is bounded and does not grow:
 * the sender never waits, and learns when it is too much.
 */
#ifndef VSND_VHOST_USER_OUTBOX_H
#define VSND_VHOST_USER_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the owner's are `data` and `size`; the others are 0 at first and the outbox's. */
struct outbox {
	uint8_t *data;
	size_t size;
	size_t start, end;
};

/* Forget what was not sent. */
void outbox_clear(struct outbox *o);
bool outbox_empty(const struct outbox *o);

/* Add @size bytes, to follow by outbox_send().  -ENOBUFS, and none was added. */
int outbox_put(struct outbox *o, const void *data, size_t size);

/* Send what @fd takes now.  0, also if something is left, or the socket's error. */
int outbox_send(struct outbox *o, int fd);

#endif
