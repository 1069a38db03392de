/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe/info_controls.h"

#include <stdio.h>

#include "probe/bytes.h"
#include "probe/controls.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ALSA's types of metadata about dB; all numbers in hundredths. */
enum { TLV_DB_SCALE = 1, TLV_DB_LINEAR, TLV_DB_RANGE, TLV_DB_MINMAX, TLV_DB_MINMAX_MUTE };
#define DB_SCALE_MUTE 0x10000u

static const char *const types[CONTROL_TYPES] = { "boolean", "integer", "integer64", "enumerated",
	"bytes", "iec958" };
static const char *const roles[] = { "undefined", "volume", "mute", "gain" };
static const char *const accesses[] = { "read", "write", "volatile", "inactive", "tlv_read",
	"tlv_write", "tlv_command" };

static void add_item(void *list, const char *item)
{
	json_array_append_new(list, json_string(item));
}

static json_t *access_names(uint32_t access)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < 32; i++)
		if (access >> i & 1)
			json_array_append_new(a,
				json_string(i < COUNT(accesses) ? accesses[i] : "undefined"));
	return a;
}

/* Bytes are one string of hex digits. */
static json_t *bytes_json(const uint8_t *bytes, size_t n)
{
	char text[2 * CONTROL_VALUE + 1] = "";

	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return json_string(text);
}

static json_t *values_json(const struct control_info *c, const uint8_t value[CONTROL_VALUE])
{
	json_t *a = json_array();
	uint32_t size = c->type == CONTROL_INTEGER64 ? 8 : 4;

	if (c->type == CONTROL_BYTES || c->type == CONTROL_IEC958) {
		size_t n = c->type == CONTROL_IEC958 ? 176 : c->count;

		json_array_append_new(a, bytes_json(value, n < CONTROL_VALUE ? n : CONTROL_VALUE));
		return a;
	}
	for (uint32_t i = 0; i < c->count && i < CONTROL_VALUE / size; i++) {
		const uint8_t *p = value + (size_t)i * size;

		json_array_append_new(a, json_integer(size == 8 ? (json_int_t)get64(p)
								: (int32_t)get32(p)));
	}
	return a;
}

/* What the metadata say of dB, or null. */
static json_t *db_json(const struct control_info *c, const struct control_tlv *t)
{
	int32_t first = (int32_t)t->word[0], second = (int32_t)t->word[1];
	int32_t step = (int32_t)(t->word[1] & 0xffff);
	double steps = (double)c->max - (double)c->min;

	if (t->words < 2)
		return json_null();
	switch (t->type) {
	case TLV_DB_SCALE:
		return json_pack("{s:f s:f s:f s:b}", "min", first / 100.0, "max",
			(first + steps * step) / 100.0, "step", step / 100.0, "mute",
			(t->word[1] & DB_SCALE_MUTE) != 0);
	case TLV_DB_LINEAR:
	case TLV_DB_MINMAX:
	case TLV_DB_MINMAX_MUTE:
		return json_pack("{s:f s:f s:b}", "min", first / 100.0, "max", second / 100.0,
			"mute", t->type == TLV_DB_MINMAX_MUTE);
	default:
		return json_null();
	}
}

static int add_metadata(struct sound *s, uint32_t id, const struct control_info *c, json_t *o)
{
	struct control_tlv tlv;
	int err;

	if (!(c->access & CONTROL_TLV_READ))
		return 0;
	err = control_tlv(s, id, &tlv);
	if (err < 0)
		return err;
	json_object_set_new(o, "tlv_type", json_integer(tlv.type));
	json_object_set_new(o, "tlv_bytes", json_integer(tlv.length));
	json_object_set_new(o, "db", db_json(c, &tlv));
	return 0;
}

static int add_value(struct sound *s, uint32_t id, const struct control_info *c, json_t *o)
{
	uint8_t value[CONTROL_VALUE];
	int err;

	if (!(c->access & CONTROL_READ))
		return 0;
	err = control_read(s, id, value);
	if (!err)
		json_object_set_new(o, "values", values_json(c, value));
	return err;
}

static int add_range(struct sound *s, uint32_t id, const struct control_info *c, json_t *o)
{
	json_t *items;

	if (c->type <= CONTROL_INTEGER64) {
		json_object_set_new(o, "min", json_integer(c->min));
		json_object_set_new(o, "max", json_integer(c->max));
		json_object_set_new(o, "step", json_integer(c->step));
	}
	if (c->type != CONTROL_ENUMERATED)
		return 0;
	items = json_array();
	json_object_set_new(o, "items", items);
	return control_items(s, id, c->items, add_item, items);
}

int info_collect_control(struct sound *s, uint32_t id, json_t *list)
{
	struct control_info c;
	json_t *o;
	int err = control_info(s, id, &c);

	if (err < 0)
		return err;
	o = json_pack("{s:I s:s s:I s:s s:s s:s s:o s:I}", "nid", (json_int_t)c.nid, "name",
		c.name, "index", (json_int_t)c.index, "type",
		c.type < CONTROL_TYPES ? types[c.type] : "undefined", "role",
		c.role >> 1 < COUNT(roles) ? roles[c.role >> 1] : "undefined", "direction",
		c.role == 0 ? "none" : c.role & 1 ? "input" : "output", "access",
		access_names(c.access), "count", (json_int_t)c.count);
	json_array_append_new(list, o);
	err = add_range(s, id, &c, o);
	if (!err)
		err = add_metadata(s, id, &c, o);
	if (!err)
		err = add_value(s, id, &c, o);
	return err;
}

int info_collect_controls(struct sound *s, json_t *root)
{
	json_t *list = json_array();
	int err = 0;

	json_object_set_new(root, "controls", list);
	for (uint32_t i = 0; i < s->counts.controls && !err; i++)
		err = info_collect_control(s, i, list);
	return err;
}

/* Words. */

static void print_values(const json_t *list)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v) {
		if (json_is_string(v))
			printf(" %s", json_string_value(v));
		else
			printf(" %" JSON_INTEGER_FORMAT, json_integer_value(v));
	}
}

static void print_range(const json_t *c)
{
	const json_t *min = json_object_get(c, "min"), *items = json_object_get(c, "items");

	if (min)
		printf(", %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT
		       " in steps of %" JSON_INTEGER_FORMAT,
			json_integer_value(min), json_integer_value(json_object_get(c, "max")),
			json_integer_value(json_object_get(c, "step")));
	if (items) {
		printf(", of");
		print_values(items);
	}
}

static void print_db(const json_t *db)
{
	const json_t *step = json_object_get(db, "step");

	printf("    %.2f dB to %.2f dB", json_real_value(json_object_get(db, "min")),
		json_real_value(json_object_get(db, "max")));
	if (step)
		printf(" in steps of %.2f dB", json_real_value(step));
	printf("%s\n", json_is_true(json_object_get(db, "mute")) ? ", silence at the bottom" : "");
}

void info_print_control(size_t i, const json_t *c)
{
	const char *role = json_string_value(json_object_get(c, "role"));
	const char *direction = json_string_value(json_object_get(c, "direction"));

	printf("control %zu: \"%s\" index %" JSON_INTEGER_FORMAT ", %s", i,
		json_string_value(json_object_get(c, "name")),
		json_integer_value(json_object_get(c, "index")),
		json_string_value(json_object_get(c, "type")));
	print_range(c);
	printf("\n    role %s, direction %s, nid %" JSON_INTEGER_FORMAT
	       ", values %" JSON_INTEGER_FORMAT "\n    access",
		role, direction, json_integer_value(json_object_get(c, "nid")),
		json_integer_value(json_object_get(c, "count")));
	print_values(json_object_get(c, "access"));
	printf("\n");
	if (json_is_object(json_object_get(c, "db")))
		print_db(json_object_get(c, "db"));
	if (json_object_get(c, "values")) {
		printf("    value");
		print_values(json_object_get(c, "values"));
		printf("\n");
	}
}
