/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines out of a stream of bytes that somebody else writes. */
#ifndef VSND_DAEMON_LINES_H
#define VSND_DAEMON_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* Longest line, without its end. */
#define LINE_MAX_BYTES 65536

/* Zero it before its first use; the fields are its own. */
struct lines {
	size_t start, end;
	bool skipping;		/* the rest of a line that was too long */
	char data[LINE_MAX_BYTES + 1];
};

/* Where the next bytes go, and how many there is room for; some, once lines_next() has nothing. */
char *lines_room(struct lines *l, size_t *ret_size);
void lines_added(struct lines *l, size_t size);

/*
 * The next line, without its end, valid until lines_room().  -EAGAIN: not complete
 * yet.  -E2BIG, once: a line was longer than LINE_MAX_BYTES and is being dropped.
 */
int lines_next(struct lines *l, const char **ret_line, size_t *ret_len);

#endif
