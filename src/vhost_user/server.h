/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vhost-user server: one virtio sound device behind a UNIX socket.
 *
 * A server owns one device, which lives as long as the server, and serves one
 * front-end at a time; a second one waits in the listen backlog.  When a
 * front-end goes, whatever the way, the device is reset, its memory unmapped,
 * its descriptors closed, and the next one is accepted.  No front-end can end
 * the process.
 *
 * Control thread only, all of it.  Nothing here waits for a front-end.
 *
 *	loop_create(&loop);
 *	vsnd_settings_init(&settings.device);
 *	settings.device.audio = ...;
 *	vu_server_create(loop, &settings, &server);
 *	vu_server_listen(server, listening_socket);
 *	loop_run(loop);
 *	vu_server_destroy(&server);
 *	loop_destroy(&loop);
 *
 * SIGPIPE is ignored in this process from vu_server_create() on, unless it had a
 * handler: front-ends hand in pipes that they close.  SIGBUS (a front-end that
 * truncates its memory) is the program's: its handler calls vsnd_mem_fault()
 * with vu_server_device().
 */
#ifndef VSND_VHOST_USER_SERVER_H
#define VSND_VHOST_USER_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <vsnd/vsnd.h>

#include "vhost_user/loop.h"

struct vu_server;

struct vu_server_settings {
	/* The device.  Its callbacks and ctx are the server's, whatever is in them. */
	struct vsnd_settings device;

	/* Serve one session and no more. */
	bool once;

	/*
	 * May be NULL.  No front-end will be served any more: the session of a
	 * `once` server or of vu_server_attach() without a listener is over.  The
	 * callee may stop the loop, not destroy the server.
	 */
	void (*ended)(void *ctx);

	/*
	 * May be NULL.  A line without newline; @level as in syslog(3).  What a
	 * front-end can cause comes at most once per second and kind.
	 */
	void (*log)(void *ctx, int level, const char *fmt, ...)
		__attribute__((format(printf, 3, 4)));

	void *ctx;	/* of ended and log */
};

/* What a server is doing, for status displays. */
struct vu_server_status {
	bool connected;
	bool live;		/* rings are in use: a guest's driver is up */
	uint64_t features, protocol;
	uint64_t requests, refused;	/* of the session */
	uint64_t sessions;		/* since the start */
};

/* Create the device and a server for it.  0, or vsnd_create()'s or another negative errno. */
int vu_server_create(struct loop *loop, const struct vu_server_settings *settings,
		     struct vu_server **ret_server);

/* End the session, destroy the device, free and NULL *@server.  NULL is fine. */
void vu_server_destroy(struct vu_server **server);

/*
 * Accept front-ends from @fd, a listening UNIX socket, which is consumed on
 * success (and stays the caller's on failure).  -EBUSY if there is a listener already.
 */
int vu_server_listen(struct vu_server *server, int fd);

/*
 * Serve the front-end at @fd, a connected stream socket, which is consumed also on
 * failure.  -EBUSY while another one is served.
 */
int vu_server_attach(struct vu_server *server, int fd);

/* The device, e.g. for vsnd_mem_fault() and statistics.  Valid as long as the server. */
struct vsnd *vu_server_device(struct vu_server *server);

void vu_server_status(const struct vu_server *server, struct vu_server_status *ret);

#endif
