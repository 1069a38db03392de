/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/control_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum control_result control_fail(struct control_call *call, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(call->error, sizeof(call->error), fmt, ap);
	va_end(ap);
	return CONTROL_FAILED;
}

bool control_unpack(struct control_call *call, const char *fmt, ...)
{
	json_error_t error;
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = json_vunpack_ex(call->args, &error, JSON_STRICT, fmt, ap);
	va_end(ap);
	if (err < 0)
		control_fail(call, "%s", error.text);
	return err == 0;
}

/* @text may be cut within a character, which JSON cannot hold. */
static json_t *error_text(const char *text)
{
	size_t len = strlen(text);
	json_t *string = json_stringn(text, len);

	while (!string && len > 0)
		string = json_stringn(text, --len);
	return string;
}

json_t *control_answer(json_t *id, json_t *reply, const char *error)
{
	json_t *answer = json_pack("{s:O?, s:b}", "id", id, "ok", error == NULL);

	if (answer && error)
		json_object_set_new(answer, "error", error_text(error));
	else if (answer && reply)
		json_object_update_missing(answer, reply);
	return answer;
}

static const struct control_command *find(const struct control_tables *t, const char *name,
		void **ret_ctx)
{
	for (unsigned i = 0; i < t->tables; i++) {
		const struct control_table *table = &t->table[i];

		for (unsigned k = 0; k < table->commands; k++) {
			if (strcmp(table->command[k].name, name) == 0) {
				*ret_ctx = table->ctx;
				return &table->command[k];
			}
		}
	}
	return NULL;
}

/* What there is, for people and for programs that want to know if a command is there. */
static enum control_result list(const struct control_tables *t, struct control_call *call)
{
	json_t *names = json_array();

	if (!control_unpack(call, "{}")) {
		json_decref(names);
		return CONTROL_FAILED;
	}
	json_array_append_new(names, json_string("commands"));
	for (unsigned i = 0; i < t->tables; i++) {
		for (unsigned k = 0; k < t->table[i].commands; k++)
			json_array_append_new(names, json_string(t->table[i].command[k].name));
	}
	json_object_set_new(call->reply, "commands", names);
	return CONTROL_DONE;
}

static enum control_result run(const struct control_tables *t, struct control_call *call)
{
	json_t *name = json_object_get(call->args, "command");
	const struct control_command *command;
	enum control_result result;
	void *ctx;

	if (!json_is_string(name))
		return control_fail(call, name ? "'command' is not a string" : "no 'command'");
	json_incref(name);
	json_object_del(call->args, "command");
	command = find(t, json_string_value(name), &ctx);
	if (command)
		result = command->run(ctx, call);
	else if (strcmp(json_string_value(name), "commands") == 0)
		result = list(t, call);
	else
		result = control_fail(call, "no command '%.40s'", json_string_value(name));
	json_decref(name);
	return result;
}

/* The request, whose object is call->args. */
static enum control_result serve(const struct control_tables *t, struct control_call *call,
		const json_error_t *error)
{
	if (!call->args)
		return control_fail(call, "not JSON: %s", error->text);
	if (!json_is_object(call->args))
		return control_fail(call, "not a JSON object");
	call->id = json_incref(json_object_get(call->args, "id"));
	json_object_del(call->args, "id");
	return run(t, call);
}

json_t *control_serve(const struct control_tables *t, const char *line, size_t len)
{
	struct control_call call = { .reply = json_object() };
	enum control_result result;
	json_error_t error;
	json_t *answer;

	call.args = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	result = serve(t, &call, &error);
	answer = control_answer(call.id, call.reply, result == CONTROL_FAILED ? call.error : NULL);
	json_decref(call.args);
	json_decref(call.reply);
	json_decref(call.id);
	return answer;
}
