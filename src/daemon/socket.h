/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sockets of the front-end and of vsndctl: made here, or inherited.
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
 * Listen at @path (which must stay in place).  Once the file is there it has its mode, and
 * who connects to it is not refused.  That mode is @mode whatever the umask is, or with 0
 * what the umask leaves of 0777.  (Not so where no other name beside it can be had first.)
 * A socket file that is there already is replaced if nobody listens on it, and
 * no other kind of file ever is.  The descriptor, or a negative errno.
 */
int socket_listen(const char *path, mode_t mode, struct socket_file *ret_file);

/* Remove the file, if it is still the one that we made. */
void socket_remove(struct socket_file *file);

/* Whether @fd is a UNIX stream socket that listens, or is connected.  0 or a negative errno. */
int socket_check(int fd, bool *ret_listens);

#endif
