/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/commands.h"

#include <stdlib.h>
#include <string.h>

int commands_find(struct control_call *call, const json_t *which, const char *kind, unsigned n,
		const char *(*name)(const struct commands *c, unsigned i), const struct commands *c)
{
	const char *text = json_string_value(which);
	char *end = NULL;
	long long number = -1;

	for (unsigned i = 0; text && i < n; i++) {
		if (strcmp(name(c, i), text) == 0)
			return (int)i;
	}
	if (json_is_integer(which))
		number = json_integer_value(which);
	else if (text && *text >= '0' && *text <= '9')
		number = strtoll(text, &end, 10);
	if (number >= 0 && number < n && (!end || !*end))
		return (int)number;
	if (text)
		control_fail(call, "no %s '%.60s'", kind, text);
	else if (json_is_integer(which))
		control_fail(call, "no %s %lld", kind, (long long)json_integer_value(which));
	else
		control_fail(call, "'%s' is neither a name nor a number", kind);
	return -1;
}

bool amount_parse(const char *text, double *ret_number, enum amount_unit *ret_unit)
{
	char *end;
	double number = strtod(text, &end);
	enum amount_unit unit;

	/* Of what strtod() knows only decimal numbers. */
	if (end == text || strspn(text, "+-.0123456789") != (size_t)(end - text))
		return false;
	if (strcmp(end, "dB") == 0)
		unit = AMOUNT_DB;
	else if (strcmp(end, "%") == 0)
		unit = AMOUNT_PERCENT;
	else
		unit = AMOUNT_PLAIN;
	if (unit == AMOUNT_PLAIN && *end)
		return false;
	*ret_number = number;
	*ret_unit = unit;
	return true;
}

void commands_add(struct control *control, struct commands *c)
{
	commands_add_status(control, c);
	commands_add_streams(control, c);
	commands_add_card(control, c);
}
