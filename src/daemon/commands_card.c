/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands about what a guest's mixer shows: jacks, and control elements, which are
 * the volumes and switches of vsnd_ctl_defaults().
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "daemon/commands.h"

static const char *jack_name(const struct commands *c, unsigned i)
{
	return c->config->jack[i].name;
}

static enum control_result run_jack(void *ctx, struct control_call *call)
{
	const struct commands *c = ctx;
	json_t *which;
	int connected = -1, jack;

	if (!control_unpack(call, "{s:o, s?b}", "jack", &which, "connected", &connected))
		return CONTROL_FAILED;
	jack = commands_find(call, which, "jack", c->config->jacks, jack_name, c);
	if (jack < 0)
		return CONTROL_FAILED;
	if (connected >= 0)
		vsnd_jack_plug(c->dev, (unsigned)jack, connected);
	json_object_set_new(call->reply, "jack", status_of_jack(c, (unsigned)jack));
	return CONTROL_DONE;
}

/* Elements of one name are told apart as amixer does: NAME,INDEX. */
static const char *element_name(const struct commands *c, unsigned i)
{
	static char name[VSND_CTL_NAME_BYTES + 12];
	const struct vsnd_ctl_settings *e = &c->card->ctl[i];

	if (e->index == 0)
		return e->name;
	snprintf(name, sizeof(name), "%s,%u", e->name, (unsigned)e->index);
	return name;
}

/* The value of a volume in steps, from dB. */
static bool from_db(const struct commands *c, unsigned ctl, double db, double *ret)
{
	uint32_t tlv[4];

	if (vsnd_ctl_get_tlv(c->dev, ctl, tlv, 4) < 0 || tlv[0] != VSND_TLV_DB_SCALE)
		return false;
	*ret = (double)c->card->ctl[ctl].min +
		(100 * db - (int32_t)tlv[2]) / (tlv[3] & ~VSND_TLV_DB_SCALE_MUTE);
	return true;
}

static bool number_from_text(const struct commands *c, unsigned ctl, const char *text, double *ret)
{
	const struct vsnd_ctl_settings *e = &c->card->ctl[ctl];
	enum amount_unit unit;

	if (strcmp(text, "on") == 0 || strcmp(text, "off") == 0) {
		*ret = strcmp(text, "on") == 0;
		return e->type == VSND_CTL_BOOLEAN;
	}
	if (!amount_parse(text, ret, &unit))
		return false;
	if (unit == AMOUNT_DB)
		return from_db(c, ctl, *ret, ret);
	if (unit == AMOUNT_PERCENT)
		*ret = (double)e->min + *ret * (double)(e->max - e->min) / 100;
	return true;
}

/* A member of a value.  Range is vsnd_ctl_set()'s affair, but for the one of int32_t. */
static bool member_from(const struct commands *c, unsigned ctl, const json_t *json, int32_t *ret)
{
	double number = 0;

	if (json_is_string(json) && !number_from_text(c, ctl, json_string_value(json), &number))
		return false;
	if (json_is_number(json))
		number = json_number_value(json);
	else if (json_is_boolean(json))
		number = json_is_true(json);
	else if (!json_is_string(json))
		return false;
	if (!(number >= INT32_MIN && number <= INT32_MAX))
		return false;
	*ret = (int32_t)lround(number);
	return true;
}

static enum control_result set_element(const struct commands *c, unsigned ctl, const json_t *values,
		struct control_call *call)
{
	const struct vsnd_ctl_settings *e = &c->card->ctl[ctl];
	size_t n = json_array_size(values);
	union vsnd_ctl_value value;

	if (n == 0 || n > e->count)
		return control_fail(call, "'%s' has %u values", element_name(c, ctl),
			(unsigned)e->count);
	vsnd_ctl_get(c->dev, ctl, &value);
	/* The last one is for all that follow, as amixer has it. */
	for (uint32_t i = 0; i < e->count; i++) {
		const json_t *json = json_array_get(values, i < n ? i : n - 1);

		if (!member_from(c, ctl, json, &value.integer[i]))
			return control_fail(call, "'%s': a bad value", element_name(c, ctl));
	}
	if (vsnd_ctl_set(c->dev, ctl, &value) < 0)
		return control_fail(call, "'%s': a value outside its range", element_name(c, ctl));
	return CONTROL_DONE;
}

static enum control_result run_control(void *ctx, struct control_call *call)
{
	const struct commands *c = ctx;
	json_t *which, *values = NULL;
	int ctl;

	if (!control_unpack(call, "{s:o, s?o}", "control", &which, "values", &values))
		return CONTROL_FAILED;
	ctl = commands_find(call, which, "control", c->card->ctls, element_name, c);
	if (ctl < 0)
		return CONTROL_FAILED;
	if (values && set_element(c, (unsigned)ctl, values, call) != CONTROL_DONE)
		return CONTROL_FAILED;
	json_object_set_new(call->reply, "control", status_of_element(c, (unsigned)ctl));
	return CONTROL_DONE;
}

void commands_add_card(struct control *control, struct commands *c)
{
	static const struct control_command commands[] = {
		{ "jack", run_jack },
		{ "control", run_control },
	};

	control_add(control, commands, sizeof(commands) / sizeof(commands[0]), c);
}
