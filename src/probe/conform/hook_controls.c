/* SPDX-License-Identifier: BSD-3-Clause */
/* Control elements that somebody changes on the host's side. */
#include <stdio.h>
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/elements.h"
#include "probe/conform/hook.h"

enum { M_VALUE = 1, M_INFO = 2, M_TLV = 4 };

static int up(struct conform *c, struct answer *a, uint32_t *ret_n)
{
	TRY(elements_up(c, a, ret_n));
	return hook_manual(c);
}

static int one_event(struct conform *c, uint32_t id, uint32_t mask)
{
	return hook_one_event(c, SND_EVT_CTL_NOTIFY, id | mask << 16);
}

static bool is_bytes(const struct element_info *e)
{
	return e->type == BYTES || e->type == IEC958;
}

static json_t *to_json(const struct element_info *e, const uint8_t *value)
{
	char hex[2 * VALUE_BYTES + 1];
	json_t *list = json_array();

	if (is_bytes(e)) {
		json_decref(list);
		for (uint32_t i = 0; i < value_bytes(e); i++)
			snprintf(hex + (size_t)2 * i, 3, "%02x", value[i]);
		return json_string(hex);
	}
	for (uint32_t i = 0; i < e->count; i++)
		json_array_append_new(list, json_integer(e->type == INTEGER64
			? (json_int_t)get64(value + (size_t)8 * i)
			: (int32_t)get32(value + (size_t)4 * i)));
	return list;
}

/* The host's side sets a value. */
static int host_sets(struct conform *c, const struct element_info *e, const uint8_t *value)
{
	TRY(hook(c, "test-control", "{s:i, s:o}", "control", (int)e->id, "value",
		to_json(e, value)));
	return rig_poll(c, 0);
}

static int host_has(struct conform *c, const struct element_info *e, const uint8_t *value)
{
	json_t *answer = NULL, *want = to_json(e, value);
	bool same;

	TRY(hook_ask(c, &answer, "test-control-value", "{s:i}", "control", (int)e->id));
	same = json_equal(json_object_get(answer, "value"), want);
	json_decref(answer);
	json_decref(want);
	EXPECT(c, same, "the host's side of control %u has another value", e->id);
	return 0;
}

static int guest_has(struct conform *c, const struct element_info *e, const uint8_t *value)
{
	struct answer v;

	TRY(value_read(c, e->id, &v));
	EXPECT_EQ(c, v.status, SND_S_OK, "CTL_READ of control %u", e->id);
	EXPECT(c, !memcmp(v.chain.in + 4, value, value_bytes(e)),
		"control %u is read with another value", e->id);
	return 0;
}

/* Another value and back, on one side, and the other side has it. */
static int both_sides_agree(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	uint8_t value[VALUE_BYTES];
	struct answer a, before;
	bool by_host = c->scenario->arg;
	uint32_t n, status, tried = 0;

	TRY(up(c, &a, &n));
	while (element_next(&a, n, A_READ | (by_host ? 0 : A_WRITE), 0, &e)) {
		TRY(value_read(c, e.id, &before));
		value_other(&e, before.chain.in + 4, value);
		if (by_host) {
			TRY(host_sets(c, &e, value));
			TRY(guest_has(c, &e, value));
			TRY(host_sets(c, &e, before.chain.in + 4));
			TRY(guest_has(c, &e, before.chain.in + 4));
		} else {
			TRY(value_write(c, e.id, value, value_bytes(&e), &status));
			EXPECT_EQ(c, status, SND_S_OK, "CTL_WRITE of control %u", e.id);
			TRY(host_has(c, &e, value));
		}
		tried++;
	}
	return tried ? 0 : skip(c, "no control suits");
}

/* Told once, and not again for a value that it has. */
static int value_told(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	uint8_t value[VALUE_BYTES];
	struct answer a, before;
	uint32_t n, tried = 0;

	TRY(up(c, &a, &n));
	while (element_next(&a, n, A_READ, A_VOLATILE, &e)) {
		TRY(value_read(c, e.id, &before));
		value_other(&e, before.chain.in + 4, value);
		TRY(host_sets(c, &e, value));
		TRY(one_event(c, e.id, M_VALUE));
		TRY(guest_has(c, &e, value));
		if (c->scenario->arg) {
			TRY(host_sets(c, &e, value));
			TRY(hook_one_event(c, 0, 0));
		}
		tried++;
	}
	return tried ? 0 : skip(c, "no control can be read and tells of its changes");
}

static int volatile_value(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	uint8_t value[VALUE_BYTES];
	struct answer a, before;
	uint32_t n;

	TRY(up(c, &a, &n));
	if (!element_next(&a, n, A_READ | A_VOLATILE, 0, &e))
		return skip(c, "no control is volatile");
	TRY(value_read(c, e.id, &before));
	value_other(&e, before.chain.in + 4, value);
	TRY(host_sets(c, &e, value));
	EXPECT(c, c->rig.events - c->rig.events_seen <= 1, "%u events for one change",
		c->rig.events - c->rig.events_seen);
	return guest_has(c, &e, value);
}

static int host_sets_tlv(struct conform *c, const struct element_info *e, int word)
{
	TRY(hook(c, "test-control", "{s:i, s:[iiii]}", "control", (int)e->id, "tlv", 0x1000, word, 5,
		6));
	return rig_poll(c, 0);
}

static int metadata_told(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	struct answer a, tlv;
	uint32_t n;

	TRY(up(c, &a, &n));
	if (!element_next(&a, n, A_TLV_READ | A_TLV_WRITE, 0, &e))
		return skip(c, "no control has metadata that change");
	TRY(host_sets_tlv(c, &e, 77));
	TRY(one_event(c, e.id, M_TLV));
	TRY(element_ask(c, R_TLV_READ, e.id, NULL, 0, 4 + 64, &tlv));
	EXPECT_EQ(c, tlv.len, 4 + 8 + 12, "used length of TLV_READ");
	EXPECT_EQ(c, get32(tlv.chain.in + 12), 77, "the first word of the metadata");
	TRY(host_sets_tlv(c, &e, 77));
	return hook_one_event(c, 0, 0);
}

static int items_told(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	struct answer a, items;
	bool found = false;
	uint32_t n;

	TRY(up(c, &a, &n));
	while (!found && element_next(&a, n, A_READ, 0, &e))
		found = e.type == ENUMERATED && e.items >= 2;
	if (!found)
		return skip(c, "no enumerated control");
	TRY(hook(c, "test-control", "{s:i, s:[ss]}", "control", (int)e.id, "items", "Here", "There"));
	TRY(rig_poll(c, 0));
	TRY(one_event(c, e.id, M_INFO));
	TRY(element_ask(c, R_ENUM_ITEMS, e.id, NULL, 0, 4 + 2 * ENUM_ITEM_BYTES, &items));
	EXPECT_EQ(c, items.status, SND_S_OK, "ENUM_ITEMS");
	EXPECT(c, !strcmp((const char *)items.chain.in + 4, "Here") &&
		!strcmp((const char *)items.chain.in + 4 + ENUM_ITEM_BYTES, "There"),
		"the items are others");
	TRY(ctl_info(c, SND_R_CTL_INFO, e.id, 1, ELEMENT_BYTES, 4 + ELEMENT_BYTES, &a));
	EXPECT_EQ(c, get32(a.chain.in + 4 + 72), 2, "items in CTL_INFO");
	return 0;
}

/* Ten changes of each kind without a buffer. */
static int gathered(struct conform *c)
{
	const struct rig_setup setup = { .no_events = true };
	struct element_info e = { .id = UINT32_MAX };
	uint8_t value[VALUE_BYTES];
	struct chain event[4];
	struct answer a, before;
	uint32_t n;

	TRY(elements_up_as(c, &setup, &a, &n));
	TRY(hook_manual(c));
	if (!element_next(&a, n, A_READ | A_TLV_READ | A_TLV_WRITE, A_VOLATILE, &e))
		return skip(c, "no control has metadata that change");
	TRY(value_read(c, e.id, &before));
	value_other(&e, before.chain.in + 4, value);
	for (int i = 0; i < 10; i++) {
		TRY(host_sets(c, &e, i & 1 ? before.chain.in + 4 : value));
		TRY(host_sets_tlv(c, &e, i));
	}
	TRY(events_give(c, event, 4, 8));
	TRY(rig_watch(c, QUIET_MS));
	EXPECT_EQ(c, chains_done(event, 4), 1, "events for 20 changes of one control");
	EXPECT_EQ(c, get32(event[0].in), SND_EVT_CTL_NOTIFY, "the event's code");
	EXPECT_EQ(c, get32(event[0].in + 4), e.id | (M_VALUE | M_TLV) << 16, "control and mask");
	return 0;
}

/* Whoever has not negotiated controls is not told of them. */
static int not_negotiated(struct conform *c)
{
	const struct rig_setup setup = { .without = BIT(SND_F_CTLS) };
	json_t *answer = NULL, *value;
	struct answer a;

	TRY(rig_up(c, &setup));
	if (!(c->rig.fe.features_offered & BIT(SND_F_CTLS)))
		return skip(c, "the device has no controls");
	TRY(hook_manual(c));
	TRY(hook_ask(c, &answer, "test-control-value", "{s:i}", "control", 0));
	value = json_incref(json_object_get(answer, "value"));
	json_decref(answer);
	if (!json_is_array(value))
		return skip(c, "control 0 is bytes");
	json_array_set_new(value, 0, json_integer(!json_integer_value(json_array_get(value, 0))));
	TRY(hook(c, "test-control", "{s:i, s:o}", "control", 0, "value", value));
	TRY(rig_poll(c, 0));
	TRY(hook_one_event(c, 0, 0));
	TRY(element_ask(c, R_VALUE_READ, 0, NULL, 0, 4 + VALUE_BYTES, &a));
	EXPECT_EQ(c, a.status, SND_S_NOT_SUPP, "CTL_READ without the feature");
	return 0;
}

#define EVT "virtio 1.4, Sound Device, Control Element Notifications: "
#define VAL "virtio 1.4, Sound Device, Control Element Value: "

const struct scenario hook_control_scenarios[] = {
	{ .id = "SND-FEAT-3h", .title = "no event for a driver without controls",
		.run = not_negotiated, .recommended = true,
		.clause = "virtio 1.4, Sound Device, Control Elements: if negotiated" },
	{ .id = "SND-CVAL-1h", .title = "CTL_READ of what the host's side has set",
		.run = both_sides_agree, .arg = 1, .clause = VAL "READ" },
	{ .id = "SND-CVAL-2h", .title = "CTL_WRITE reaches the host's side",
		.run = both_sides_agree, .clause = VAL "WRITE" },
	{ .id = "SND-CEVT-3", .title = "a change on the host's side is told",
		.run = value_told, .clause = EVT "VALUE" },
	{ .id = "SND-CEVT-3b", .title = "... and a value that is the same is not",
		.run = value_told, .arg = 1, .clause = EVT "the value has changed" },
	{ .id = "SND-CEVT-4", .title = "a volatile value is read as it is",
		.run = volatile_value, .clause = EVT "a volatile element need not tell" },
	{ .id = "SND-CEVT-6h", .title = "metadata that the host's side changes are told",
		.run = metadata_told, .clause = EVT "TLV" },
	{ .id = "SND-CEVT-6i", .title = "items that the host's side changes are told",
		.run = items_told, .clause = EVT "INFO" },
	{ .id = "SND-CEVT-7h", .title = "without buffers, reasons gather in one event",
		.run = gathered, .recommended = true, .clause = EVT "silent" },
	{ 0 },
};
