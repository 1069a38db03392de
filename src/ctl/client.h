/* SPDX-License-Identifier: BSD-3-Clause */
/* A connection to a daemon's control socket: a request, and its answer. */
#ifndef VSND_CTL_CLIENT_H
#define VSND_CTL_CLIENT_H

#include <stdio.h>

#include <jansson.h>

/* How long an answer may take. */
#define CLIENT_TIMEOUT_S 5

struct client {
	const char *path;
	FILE *f;	/* NULL: not connected */
};

/* 0, or -1 and it has been said why. */
int client_open(struct client *c, const char *path);
void client_close(struct client *c);

/*
 * Send @request, which is released.  The answer, to be released by the caller, whether
 * the daemon did it or not; or NULL and it has been said why.
 */
json_t *client_ask(struct client *c, json_t *request);

/* Whether the daemon did it; else it has been said why not. */
int client_judge(const json_t *answer);

/* The answer as it is, in a line on standard output.  0, or -1: it cannot be written. */
int client_print(const json_t *answer);

/* "vsndctl: ..." on standard error. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
