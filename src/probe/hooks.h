/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hand on the host's side of a back-end: JSON lines on a socket, as doc/hooks.md
 * describes.  Every wait is bounded.
 */
#ifndef PROBE_HOOKS_H
#define PROBE_HOOKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct hooks {
	int fd;		   /* -1: not open */
	int timeout_ms;	   /* of an answer */
	json_t *commands;  /* names of those that there are */
	json_int_t last_id;
	char *line;	   /* what has come of an answer */
	size_t line_bytes;
};

/* Connects, for as long as retry_ms, and asks for the commands.  0 or a complaint. */
int hooks_open(struct hooks *h, const char *path, int retry_ms, int timeout_ms);
void hooks_close(struct hooks *h);

bool hooks_knows(const struct hooks *h, const char *command);

/*
 * One command.  args, an object or NULL, is released.  0, and the answer in *ret (may
 * be NULL), to be released; or a complaint: -EREMOTEIO if the back-end refuses.
 */
int hooks_call(struct hooks *h, const char *command, json_t *args, json_t **ret);

#endif
