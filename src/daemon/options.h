/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of vhost-user-snd. */
#ifndef VSND_DAEMON_OPTIONS_H
#define VSND_DAEMON_OPTIONS_H

#include <stdbool.h>

/* Exit statuses. */
enum {
	STATUS_OK = 0,
	STATUS_FAILED = 1,	/* could not start */
	STATUS_USAGE = 2	/* bad options or values */
};

struct options {
	const char *socket_path;	/* NULL: not given */
	int fd, socket_fd;		/* -1: not given */
	bool once;

	const char *audio;
	const char *file_out, *file_in;	/* NULL: not given */
	bool file_in_loop, file_fast;
	unsigned outputs, inputs;	/* streams */
	bool controls;
};

/*
 * Read the command line.  Returns -1 when the program is to run, else the status
 * to exit with; everything has been said by then.  Sets the log's level.
 */
int options_parse(int argc, char **argv, struct options *ret);

#endif
