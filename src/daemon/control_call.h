/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands of the control socket: a request is a JSON object in one line, its
 * answer another one.
 *
 *	{"id": 7, "command": "mute", "stream": 0}
 *	{"id": 7, "ok": true}
 *	{"id": 7, "ok": false, "error": "no stream 9"}
 *
 * `id` may be left out or be any value; the answer has the same.  A module offers
 * its commands as a table with control_add() (control.h).  Control thread only.
 */
#ifndef VSND_DAEMON_CONTROL_CALL_H
#define VSND_DAEMON_CONTROL_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#define CONTROL_TABLES_MAX 8
#define CONTROL_ERROR_MAX 200

enum control_result {
	CONTROL_DONE,		/* answered with what is in `reply` */
	CONTROL_FAILED		/* answered with the text of control_fail() */
};

/* A request that is being served. */
struct control_call {
	json_t *args;		/* the request without `id` and `command` */
	json_t *reply;		/* an object: members of the answer */
	/* The rest is the frame's. */
	json_t *id;
	char error[CONTROL_ERROR_MAX];
};

struct control_command {
	const char *name;
	/* Does not wait. */
	enum control_result (*run)(void *ctx, struct control_call *call);
};

/* Returns CONTROL_FAILED; what is in `reply` is dropped. */
enum control_result control_fail(struct control_call *call, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Take the arguments apart as json_unpack() does, e.g. "{s:I, s?b}".  False, and
 * the call has failed, if one is missing, has another type, or is not in @fmt.
 * Strings stay the call's.  Whole numbers are "I", into a json_int_t: "i" cuts.
 */
bool control_unpack(struct control_call *call, const char *fmt, ...);

/* For the frame (control.c) and tests. */

struct control_table {
	const struct control_command *command;
	unsigned commands;
	void *ctx;
};

struct control_tables {
	unsigned tables;
	struct control_table table[CONTROL_TABLES_MAX];
};

/* Serve one line.  The answer, to be released by the caller; NULL: out of memory. */
json_t *control_serve(const struct control_tables *tables, const char *line, size_t len);

/*
 * An answer, or NULL if there is no memory.  @error NULL: done, with the members of
 * @reply (may be NULL).
 */
json_t *control_answer(json_t *id, json_t *reply, const char *error);

#endif
