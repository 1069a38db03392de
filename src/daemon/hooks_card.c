/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hooks of jacks and control elements: what somebody on the host's side does to
 * them.  A value is a list of its members; of a type that is bytes, hexadecimal.
 */
#include "daemon/hooks.h"

#include <errno.h>
#include <string.h>

#define TLV_WORDS_MAX 64
#define ITEMS_MAX 16

static bool is_bytes(uint8_t type)
{
	return type == VSND_CTL_BYTES || type == VSND_CTL_IEC958;
}

/* A call of the library's that refuses what makes no sense. */
static enum control_result done(struct control_call *call, int err)
{
	return err < 0 ? control_fail(call, "%s", strerror(-err)) : CONTROL_DONE;
}

static enum control_result jack(void *ctx, struct control_call *call)
{
	struct hooks *h = ctx;
	int connected;
	json_int_t id;

	if (!control_unpack(call, "{s:I, s:b}", "jack", &id, "connected", &connected) ||
			!hooks_is_one_of(call, id, h->settings.jacks, "jack"))
		return CONTROL_FAILED;
	return done(call, vsnd_jack_plug(h->dev, (unsigned)id, connected));
}

static bool value_from_json(const struct vsnd_ctl_settings *c, const json_t *list,
		union vsnd_ctl_value *ret)
{
	if (is_bytes(c->type))
		return json_is_string(list) &&
			hooks_from_hex(json_string_value(list), ret->bytes, sizeof(ret->bytes)) > 0;
	if (!json_is_array(list) || json_array_size(list) != c->count)
		return false;
	for (uint32_t i = 0; i < c->count; i++) {
		json_int_t n = json_integer_value(json_array_get(list, i));

		if (c->type == VSND_CTL_INTEGER64)
			ret->integer64[i] = n;
		else if (n < INT32_MIN || n > INT32_MAX)
			return false;
		else
			ret->integer[i] = (int32_t)n;
	}
	return true;
}

static json_t *value_to_json(const struct vsnd_ctl_settings *c, const union vsnd_ctl_value *v)
{
	char hex[2 * sizeof(v->bytes) + 1];
	json_t *list;

	if (is_bytes(c->type)) {
		hooks_to_hex(hex, v->bytes, c->type == VSND_CTL_BYTES ? c->count : 176);
		return json_string(hex);
	}
	list = json_array();
	for (uint32_t i = 0; i < c->count; i++)
		json_array_append_new(list, json_integer(c->type == VSND_CTL_INTEGER64
			? v->integer64[i] : v->integer[i]));
	return list;
}

static int set_value(struct hooks *h, unsigned id, const json_t *list)
{
	union vsnd_ctl_value value = { .bytes = { 0 } };

	if (!value_from_json(&h->settings.ctl[id], list, &value))
		return -EINVAL;
	return vsnd_ctl_set(h->dev, id, &value);
}

/* Type, then the words; the length is theirs. */
static int set_tlv(struct hooks *h, unsigned id, const json_t *list)
{
	uint32_t tlv[TLV_WORDS_MAX + 1];
	size_t n = json_array_size(list);

	if (n < 1 || n > TLV_WORDS_MAX)
		return -EINVAL;
	tlv[0] = (uint32_t)json_integer_value(json_array_get(list, 0));
	tlv[1] = (uint32_t)(n - 1) * 4;
	for (size_t i = 1; i < n; i++)
		tlv[i + 1] = (uint32_t)json_integer_value(json_array_get(list, i));
	return vsnd_ctl_set_tlv(h->dev, id, tlv);
}

static int set_items(struct hooks *h, unsigned id, const json_t *list)
{
	const char *item[ITEMS_MAX];
	size_t n = json_array_size(list);

	if (n > ITEMS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		item[i] = json_string_value(json_array_get(list, i));
	return vsnd_ctl_set_items(h->dev, id, item, (unsigned)n);
}

static enum control_result control(void *ctx, struct control_call *call)
{
	json_t *value = NULL, *tlv = NULL, *items = NULL;
	struct hooks *h = ctx;
	json_int_t id;
	int err = 0;

	if (!control_unpack(call, "{s:I, s?o, s?o, s?o}", "control", &id, "value", &value,
			"tlv", &tlv, "items", &items) ||
			!hooks_is_one_of(call, id, h->settings.ctls, "control"))
		return CONTROL_FAILED;
	if (value)
		err = set_value(h, (unsigned)id, value);
	if (!err && tlv)
		err = set_tlv(h, (unsigned)id, tlv);
	if (!err && items)
		err = set_items(h, (unsigned)id, items);
	return done(call, err);
}

static enum control_result control_value(void *ctx, struct control_call *call)
{
	const struct vsnd_ctl_settings *c;
	union vsnd_ctl_value value;
	struct hooks *h = ctx;
	json_int_t id;

	if (!control_unpack(call, "{s:I}", "control", &id) ||
			!hooks_is_one_of(call, id, h->settings.ctls, "control"))
		return CONTROL_FAILED;
	c = &h->settings.ctl[id];
	vsnd_ctl_get(h->dev, (unsigned)id, &value);
	json_object_set_new(call->reply, "value", value_to_json(c, &value));
	return CONTROL_DONE;
}

const struct control_command hooks_card_commands[] = {
	{ "test-jack", jack },
	{ "test-control", control },
	{ "test-control-value", control_value },
};
const unsigned hooks_card_command_count =
	sizeof(hooks_card_commands) / sizeof(hooks_card_commands[0]);
