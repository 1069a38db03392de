/* SPDX-License-Identifier: BSD-3-Clause */
/* The frame around a sub-command. */
#include "probe/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "probe/report.h"
#include "probe/vu.h"

#define ACCEPT_MS 10000

int session_start(struct session *s, const struct options *o)
{
	memset(s, 0, sizeof(*s));
	s->o = o;
	s->socket_path = o->socket_path;
	if (!o->spawn)
		return 0;
	s->socket_path = s->backend.socket;
	return spawn_start(&s->backend, o->spawn, o->dir);
}

int session_end(struct session *s)
{
	int err = spawn_stop(&s->backend);

	if (err < 0)
		fprintf(stderr, "vsnd-probe: %s\n", complaint());
	return err;
}

/* The first successful connection is used: some back-ends serve only one. */
int session_connect(struct session *s)
{
	const struct timespec ts = { .tv_nsec = 1000000 };
	int64_t end = now_ns() + (int64_t)ACCEPT_MS * 1000000;
	int sock, err;

	for (;;) {
		sock = vu_connect(s->socket_path);
		if (sock >= 0 || !s->o->spawn || sock == -EAGAIN)
			return sock;
		err = spawn_check(&s->backend);
		if (err < 0)
			return err;
		if (interrupted())
			return complain(-EINTR, "interrupted");
		if (now_ns() > end)
			return complain(-ETIMEDOUT, "the back-end did not accept on %s within %d s",
				s->socket_path, ACCEPT_MS / 1000);
		nanosleep(&ts, NULL);
	}
}

int session_sound(struct session *s, struct sound *ret)
{
	const struct options *o = s->o;
	struct sound_setup setup = { .who = personality_find(o->front_end),
		.queue_size = o->queue_size, .regions = o->regions,
		.no_indirect = o->no_indirect, .no_event_idx = o->no_event_idx,
		.scatter = o->scatter, .timeout_ms = (int)o->timeout_ms };
	int sock = session_connect(s);

	return sock < 0 ? sock : sound_open(ret, &setup, sock);
}

int session_run(const struct options *o, int (*run)(struct sound *s, const struct options *o))
{
	struct session session;
	struct sound sound;
	int err, end;

	err = session_start(&session, o);
	if (!err)
		err = session_sound(&session, &sound);
	if (!err) {
		err = run(&sound, o);
		sound_close(&sound);
	}
	if (err < 0)
		fprintf(stderr, "vsnd-probe: %s\n", complaint());
	end = session_end(&session);
	return err < 0 || end < 0;
}
