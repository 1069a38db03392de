/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A listening UNIX socket on the loop: who connects is handed to its owner.
 *
 * When accept() fails, or the owner cannot take the connection, for lack of
 * descriptors or memory, the listener rests for a moment, because the socket
 * would be ready again at once.
 */
#ifndef VSND_VHOST_USER_LISTENER_H
#define VSND_VHOST_USER_LISTENER_H

#include <stdbool.h>

#include "vhost_user/loop.h"

/* Zero it before its first use; the fields are the listener's. */
struct listener {
	struct loop *loop;
	struct loop_fd source;
	struct loop_timer retry;
	int fd;
	bool open, paused;
	/*
	 * Takes @fd, a connected socket (CLOEXEC, non-blocking), also on failure.  @err: it is
	 * -1 and accept() failed.  A negative return lets the listener rest.
	 */
	int (*accepted)(void *ctx, int fd, int err);
	void *ctx;
};

/*
 * Accept from @fd, which is the listener's on success (and the caller's on
 * failure) and becomes non-blocking.  0 or a negative errno.
 */
int listener_open(struct listener *l, struct loop *loop, int fd,
		  int (*accepted)(void *ctx, int fd, int err), void *ctx);

/* While it is paused, who connects waits in the backlog.  Fine if it is not open. */
void listener_pause(struct listener *l, bool pause);

/* Close the socket.  Fine if it is not open. */
void listener_close(struct listener *l);

#endif
