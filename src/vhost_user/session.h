/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One front-end's session: what it has negotiated, its memory, its rings, and
 * what each request does.  The struct lives as long as the device (its rings'
 * callbacks may come at any time); sessions come and go in it.
 */
#ifndef VSND_VHOST_USER_SESSION_H
#define VSND_VHOST_USER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <vsnd/vsnd.h>

#include "vhost_user/channel.h"
#include "vhost_user/conn.h"
#include "vhost_user/log.h"
#include "vhost_user/memory.h"
#include "vhost_user/ring.h"

struct session {
	struct vsnd *dev;
	struct vu_log *log;
	void (*ended)(void *ctx);
	void *ctx;

	struct conn conn;
	struct channel channel;
	struct rings rings;
	struct vu_memory memory[2];	/* in force, and the next one while it is made */
	unsigned memory_now;

	uint64_t protocol;		/* protocol features in force */
	uint8_t status;			/* virtio device status */
	bool features_bad;		/* the last SET_FEATURES was not acceptable */
	uint64_t requests, refused;	/* of this session */
};

/*
 * Before the device is created.  @ended is called when the front-end is gone and
 * everything of it is released; it may open the next session.  @wake_fd: see
 * rings_init().  0 or a negative errno.
 */
int session_init(struct session *s, struct loop *loop, struct vu_log *log, int wake_fd,
		 void (*ended)(void *ctx), void *ctx);
void session_set_device(struct session *s, struct vsnd *dev);

/* After session_close() and the device's end.  Fine after a failed session_init(). */
void session_finish(struct session *s);

/* Serve the front-end at @fd, which is consumed also on failure.  None is being served. */
int session_open(struct session *s, int fd);
bool session_active(const struct session *s);

/* End, without a call of ended().  Fine if there is none. */
void session_close(struct session *s);

/* The device has something to tell (wake_fd): faults of rings. */
void session_run(struct session *s);

#endif
