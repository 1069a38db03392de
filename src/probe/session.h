/* SPDX-License-Identifier: BSD-3-Clause */
/* What every sub-command begins and ends with: a back-end and a connection. */
#ifndef PROBE_SESSION_H
#define PROBE_SESSION_H

#include "probe/options.h"
#include "probe/sound.h"
#include "probe/spawn.h"

struct session {
	const struct options *o;
	struct spawn backend;
	const char *socket_path;
};

/* Starts the back-end if that was asked for. */
int session_start(struct session *s, const struct options *o);

/* Stops it; negative if it did not end well.  Prints what was wrong. */
int session_end(struct session *s);

/* A connected socket; tries again for a while when the back-end was spawned. */
int session_connect(struct session *s);

/* Connects and brings a device up as the options say. */
int session_sound(struct session *s, struct sound *ret);

/* Starts, brings up, runs, ends.  The exit status of the program. */
int session_run(const struct options *o, int (*run)(struct sound *s, const struct options *o));

#endif
