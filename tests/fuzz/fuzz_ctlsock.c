/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a client of the control socket sends: the first byte is how it comes in
 * pieces, the rest are lines.  Each is answered with one line that is an object
 * with `id` and `ok`, and an `error` where there is none.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/control_call.h"
#include "daemon/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum control_result run_types(void *ctx, struct control_call *call)
{
	const char *name, *state = "";
	json_int_t stream = -1;
	double volume = 0;
	int flag = 0;

	(void)ctx;
	if (!control_unpack(call, "{s:s, s?I, s?F, s?b, s?s}", "name", &name, "stream", &stream,
			"volume", &volume, "flag", &flag, "state", &state))
		return CONTROL_FAILED;
	if (strlen(name) > 10)
		return control_fail(call, "'%s' is too long, %s", name, state);
	json_object_set_new(call->reply, "name", json_string(name));
	return CONTROL_DONE;
}

static enum control_result run_echo(void *ctx, struct control_call *call)
{
	(void)ctx;
	json_object_update(call->reply, call->args);
	return CONTROL_DONE;
}

static const struct control_command commands[] = {
	{ "types", run_types },
	{ "echo", run_echo },
};

static void check(json_t *answer)
{
	char *text = json_dumps(answer, 0);
	json_t *again, *ok;

	if (!text || strchr(text, '\n'))
		abort();
	again = json_loads(text, 0, NULL);
	ok = json_object_get(again, "ok");
	if (!json_equal(again, answer) || !json_object_get(again, "id") || !json_is_boolean(ok))
		abort();
	if (json_is_false(ok) && !json_is_string(json_object_get(again, "error")))
		abort();
	json_decref(again);
	free(text);
	json_decref(answer);
}

static void serve_lines(struct lines *l)
{
	static const struct control_tables tables = {
		.tables = 1,
		.table = { { .command = commands, .commands = 2 } },
	};
	const char *line;
	size_t len;
	int err;

	while ((err = lines_next(l, &line, &len)) != -EAGAIN) {
		if (err == 0)
			check(control_serve(&tables, line, len));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lines l;
	size_t piece_max = size > 0 && data[0] ? data[0] : SIZE_MAX;

	memset(&l, 0, sizeof(l));
	for (size_t at = 1; at < size;) {
		size_t piece;
		char *room = lines_room(&l, &piece);

		if (piece == 0)
			abort();
		if (piece > size - at)
			piece = size - at;
		if (piece > piece_max)
			piece = piece_max;
		memcpy(room, data + at, piece);
		lines_added(&l, piece);
		at += piece;
		serve_lines(&l);
	}
	return 0;
}
