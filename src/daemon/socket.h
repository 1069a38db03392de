/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the front-end comes from: a socket that we make, or one that we inherit.
 * A failure has been logged when these functions return it.
 */
#ifndef VSND_DAEMON_SOCKET_H
#define VSND_DAEMON_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/* A socket file that we made.  { 0 } for none. */
struct socket_file {
	const char *path;
	dev_t dev;
	ino_t ino;
};

/*
 * Listen at @path (which must stay in place); the mode is 0777 less the umask.
 * A socket file that is there already is replaced if nobody listens on it, and
 * no other kind of file ever is.  The descriptor, or a negative errno.
 */
int socket_listen(const char *path, struct socket_file *ret_file);

/* Remove the file, if it is still the one that we made. */
void socket_remove(struct socket_file *file);

/* Whether @fd is a UNIX stream socket that listens, or is connected.  0 or a negative errno. */
int socket_check(int fd, bool *ret_listens);

#endif
