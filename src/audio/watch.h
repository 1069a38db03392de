/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Notice a server that comes up by the socket that it makes, so that nobody has to wait
 * until it is asked for again (backoff.h), which is done all the same: the
 * socket may be elsewhere.
 */
#ifndef VSND_AUDIO_WATCH_H
#define VSND_AUDIO_WATCH_H

#include <stdbool.h>

/* A descriptor, readable when files come into @folder; or a negative errno.  It is closed by close(). */
int watch_open(const char *folder);
/* Whether files have come, since the last time, whose names begin with @start. */
bool watch_take(int fd, const char *start);

#endif
