/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of vhost-user-snd. */
#ifndef VSND_DAEMON_OPTIONS_H
#define VSND_DAEMON_OPTIONS_H

#include <stdbool.h>

#include "daemon/config.h"

/* Exit statuses. */
enum {
	STATUS_OK = 0,
	STATUS_FAILED = 1,	/* could not start */
	STATUS_USAGE = 2	/* bad options or values */
};

/* Rows of the table of options. */
#define OPTIONS_MAX 64

/* Some members point into others: not to be copied. */
struct options {
	const char *socket_path;	/* NULL: not given */
	int fd, socket_fd;		/* -1: not given */
	bool once;
	const char *control_path;	/* NULL: not given */

	const char *audio;
	const char *file_out, *file_in;	/* NULL: not given */
	bool file_in_loop, file_fast, null_fast;
	const char *name, *target, *target_in, *properties;	/* NULL: not given */
	enum config_auto capture;

	const char *config_path;	/* NULL: not given */
	bool print_config;
	struct config_overrides card;
	struct config config;		/* complete */
	const char *value[OPTIONS_MAX];	/* as given last, for --print-config */
};

/*
 * Read the command line and the configuration file.  Returns -1 when the program is to run, else the status
 * to exit with; everything has been said by then.  Sets the log's level.
 */
int options_parse(int argc, char **argv, struct options *ret);

#endif
