/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The socket to a front-end: bytes and descriptors in, whole messages out of
 * it; replies in, bytes out.  Knows headers and no request.
 */
#ifndef VSND_VHOST_USER_CONN_H
#define VSND_VHOST_USER_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vhost_user/frame.h"
#include "vhost_user/loop.h"
#include "vhost_user/outbox.h"

/* Replies that the front-end has not read yet.  A front-end with more is disconnected. */
#define CONN_OUT_MAX 65536

struct conn_ops {
	/*
	 * A message has come.  @fds has @header->... @n descriptors; those that the callee
	 * keeps it sets to -1, the others are closed after the return.  @faulty: some
	 * were lost.  A negative errno ends the connection.
	 */
	int (*message)(void *ctx, const struct vu_header *header, const uint8_t *payload,
		       int fds[VU_FDS_MAX], unsigned n, bool faulty);
	/* The connection is at its end (@err: why) and is closed.  May open another. */
	void (*closed)(void *ctx, int err);
};

struct conn {
	struct loop *loop;
	struct loop_fd source;
	int fd;			/* -1: not open */
	const struct conn_ops *ops;
	void *ctx;

	/* The message that is being received. */
	uint8_t head[VU_HEADER_SIZE];
	uint8_t payload[VU_PAYLOAD_MAX];
	struct vu_header header;	/* once `have` >= VU_HEADER_SIZE */
	size_t have;			/* bytes of header and payload */
	int fds[VU_FDS_MAX];
	unsigned fds_n;
	bool fds_faulty;

	struct outbox out;
	uint8_t out_bytes[CONN_OUT_MAX];
};

/* Before the first conn_open(). */
void conn_init(struct conn *c, struct loop *loop, const struct conn_ops *ops, void *ctx);

/* Serve @fd, a connected stream socket, which is consumed also on failure.  0 or an errno. */
int conn_open(struct conn *c, int fd);

/* End without a call of closed().  Fine if it is not open. */
void conn_close(struct conn *c);

/*
 * Send a header and payload; what the socket does not take at once goes out later.
 * -ENOBUFS, or the socket's error: the caller ends the connection.
 */
int conn_send(struct conn *c, const uint8_t head[VU_HEADER_SIZE], const uint8_t *payload,
	      size_t size);

#endif
