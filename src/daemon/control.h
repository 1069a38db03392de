/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket: what vsndctl and tests talk to while the daemon runs.
 *
 * Several clients at once; each sends lines and gets an answer for each, in order.
 * A line that is no request is answered with what is wrong with it, and the connection
 * goes on.  Space is bounded: a client whose
 * unread answers exceed CONTROL_OUT_MAX is disconnected, and nobody waits for it.
 *
 * Control thread only, all of it.
 */
#ifndef VSND_DAEMON_CONTROL_H
#define VSND_DAEMON_CONTROL_H

#include "daemon/control_call.h"
#include "vhost_user/loop.h"

#define CONTROL_CLIENTS_MAX 8
/* Unread answers of a client, beside what is in its socket; also the longest answer. */
#define CONTROL_OUT_MAX 262144

struct control;

/* 0 or a negative errno. */
int control_create(struct loop *loop, struct control **ret_control);

/* Disconnect all, free and NULL *@control.  NULL is fine. */
void control_destroy(struct control **control);

/*
 * Offer @n commands, which stay in place.  Their names are new; at most
 * CONTROL_TABLES_MAX calls.  @ctx is passed to them.
 */
void control_add(struct control *control, const struct control_command *commands, unsigned n,
		 void *ctx);

/* Accept clients from @fd, a listening UNIX socket, which is consumed on success. */
int control_listen(struct control *control, int fd);

#endif
