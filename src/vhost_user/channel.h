/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end's own channel to the front-end (SET_BACKEND_REQ_FD).  It carries
 * one message, "the configuration has changed", which says nothing about what:
 * one that waits to be sent stands for all that come meanwhile.  So a front-end
 * that does not read costs nothing, and nothing here waits.
 */
#ifndef VSND_VHOST_USER_CHANNEL_H
#define VSND_VHOST_USER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "vhost_user/frame.h"
#include "vhost_user/loop.h"

struct channel {
	struct loop *loop;
	struct loop_fd source;
	int fd;			/* -1: none */
	bool due;		/* a message is to be sent */
	bool held;		/* but not now: all rings are stopped */
	uint8_t head[VU_HEADER_SIZE];
	size_t left;		/* bytes at the end of head that are still to be sent */
};

void channel_init(struct channel *c, struct loop *loop);

/* Use @fd from now on, which is consumed also on failure; the former one is closed. */
int channel_open(struct channel *c, int fd);

/* Close, and forget what was due.  Fine if it is not open. */
void channel_close(struct channel *c);

/* The configuration has changed.  Without a channel: nothing. */
void channel_config_changed(struct channel *c);

/* Hold messages back, or let them go. */
void channel_hold(struct channel *c, bool hold);

#endif
