/* SPDX-License-Identifier: BSD-3-Clause */
/* A back-end that the probe starts and stops itself. */
#ifndef PROBE_SPAWN_H
#define PROBE_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

struct spawn {
	pid_t pid; /* of the shell, leader of the group; 0: none */
	bool keep_dir;
	char dir[256];
	char socket[300];
};

/* {socket} and {dir} in the command are replaced.  dir may be NULL: a new one
 * is made, and removed at the end.  0 or negative errno. */
int spawn_start(struct spawn *sp, const char *command, const char *dir);

/* {socket} and {dir} replaced, to be freed; NULL without memory. */
char *spawn_expand(const struct spawn *sp, const char *text);

/* 0 while the command runs, otherwise a complaint how it ended. */
int spawn_check(struct spawn *sp);

/* As spawn_stop(), but what it wrote stays until that. */
int spawn_end(struct spawn *sp);

/* SIGTERM, two seconds, SIGKILL.  0 if everything in the group ended in time
 * and well; fine on a zeroed spawn. */
int spawn_stop(struct spawn *sp);

#endif
