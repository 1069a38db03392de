/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listener, device and session.
 *
 * While a session is on, the listener is paused: who connects meanwhile stays in
 * the backlog and is accepted when the session ends.
 */
#include "vhost_user/server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <sys/eventfd.h>
#include <syslog.h>
#include <unistd.h>

#include "vhost_user/listener.h"
#include "vhost_user/log.h"
#include "vhost_user/session.h"

struct vu_server {
	struct loop *loop;
	struct vsnd *dev;
	struct vu_log log;
	bool once;
	void (*ended)(void *ctx);
	void *ctx;

	int wake_fd;		/* written on any thread: vsnd_run(), faults */
	struct loop_fd wake;
	struct listener listener;	/* paused while a session is on */
	uint64_t sessions;
	struct session session;
};

/* The device's callbacks.  Any thread, real-time safe. */

static void on_notify(void *ctx, unsigned queue)
{
	struct vu_server *s = ctx;

	ring_notify(&s->session.rings, queue);
}

static void on_queue_error(void *ctx, unsigned queue, enum vsnd_queue_error error,
			   const char *what)
{
	struct vu_server *s = ctx;

	ring_fault(&s->session.rings, queue, error, what);
}

static void on_device_wake(void *ctx)
{
	const struct vu_server *s = ctx;
	const uint64_t one = 1;

	(void)!write(s->wake_fd, &one, sizeof(one));
}

/* Control thread from here on. */

static void on_wake(void *arg, uint32_t events)
{
	struct vu_server *s = arg;
	uint64_t n;

	(void)events;
	(void)!read(s->wake_fd, &n, sizeof(n));
	vsnd_run(s->dev);
	session_run(&s->session);
}

static int on_accepted(void *ctx, int fd, int err)
{
	struct vu_server *s = ctx;

	if (!err)
		err = session_open(&s->session, fd);
	if (err < 0) {
		vu_log(&s->log, VU_LOG_SESSION, LOG_ERR, "cannot accept: %s", strerror(-err));
		return err;
	}
	s->sessions++;
	listener_pause(&s->listener, true);
	return 0;
}

static void on_session_ended(void *ctx)
{
	struct vu_server *s = ctx;

	if (s->listener.open && !s->once)
		listener_pause(&s->listener, false);
	else if (s->ended)
		s->ended(s->ctx);
}

static int ignore_sigpipe(void)
{
	struct sigaction sa;

	if (sigaction(SIGPIPE, NULL, &sa) < 0)
		return -errno;
	if ((sa.sa_flags & SA_SIGINFO) || sa.sa_handler != SIG_DFL)
		return 0;
	sa.sa_handler = SIG_IGN;
	return sigaction(SIGPIPE, &sa, NULL) < 0 ? -errno : 0;
}

static int server_open(struct vu_server *s, const struct vu_server_settings *settings)
{
	struct vsnd_settings device = settings->device;
	int err;

	err = ignore_sigpipe();
	if (err < 0)
		return err;
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fd < 0)
		return -errno;
	err = session_init(&s->session, s->loop, &s->log, s->wake_fd, on_session_ended, s);
	if (err < 0)
		return err;

	device.callbacks = (struct vsnd_callbacks){
		.notify = on_notify,
		.queue_error = on_queue_error,
		.wake = on_device_wake,
	};
	device.ctx = s;
	err = vsnd_create(&device, &s->dev);
	if (err < 0)
		return err;
	session_set_device(&s->session, s->dev);
	return loop_add(s->loop, &s->wake, s->wake_fd, EPOLLIN, on_wake, s);
}

int vu_server_create(struct loop *loop, const struct vu_server_settings *settings,
		     struct vu_server **ret_server)
{
	struct vu_server *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->once = settings->once;
	s->ended = settings->ended;
	s->ctx = settings->ctx;
	s->log.fn = settings->log;
	s->log.ctx = settings->ctx;
	s->wake_fd = -1;

	err = server_open(s, settings);
	if (err < 0) {
		vu_server_destroy(&s);
		return err;
	}
	*ret_server = s;
	return 0;
}

void vu_server_destroy(struct vu_server **server)
{
	struct vu_server *s = *server;

	if (!s)
		return;
	if (s->dev)
		session_close(&s->session);
	vsnd_destroy(&s->dev);
	if (s->wake_fd >= 0) {
		session_finish(&s->session);
		loop_remove(s->loop, &s->wake);
		close(s->wake_fd);
	}
	listener_close(&s->listener);
	free(s);
	*server = NULL;
}

int vu_server_listen(struct vu_server *s, int fd)
{
	if (s->listener.open)
		return -EBUSY;
	listener_pause(&s->listener, session_active(&s->session));
	return listener_open(&s->listener, s->loop, fd, on_accepted, s);
}

int vu_server_attach(struct vu_server *s, int fd)
{
	int err;

	if (session_active(&s->session)) {
		close(fd);
		return -EBUSY;
	}
	err = session_open(&s->session, fd);
	if (err < 0)
		return err;
	s->sessions++;
	listener_pause(&s->listener, true);
	return 0;
}

struct vsnd *vu_server_device(struct vu_server *s)
{
	return s->dev;
}

void vu_server_status(const struct vu_server *s, struct vu_server_status *ret)
{
	*ret = (struct vu_server_status){
		.connected = session_active(&s->session),
		.live = rings_live(&s->session.rings),
		.features = s->session.rings.has_features ? s->session.rings.features : 0,
		.protocol = s->session.protocol,
		.requests = s->session.requests,
		.refused = s->session.refused,
		.sessions = s->sessions,
	};
}
