/* SPDX-License-Identifier: BSD-3-Clause */
/* Control elements: metadata, and what the driver is told of changes. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/elements.h"

#define MASK_VALUE 1u
#define MASK_TLV   4u

static int tlv_read(struct conform *c, uint32_t id, uint32_t room, struct answer *t)
{
	return element_ask(c, R_TLV_READ, id, NULL, 0, room, t);
}

/* A request with a header that says `length`, and `bytes` behind it. */
static int tlv_write(struct conform *c, uint32_t code, uint32_t id, uint32_t length,
	uint32_t bytes, uint32_t *ret_status)
{
	static uint8_t payload[TLV_HEADER_BYTES + TLV_VALUE_MAX + 16];
	struct answer t;

	put32(payload, 0x1000 + length);
	put32(payload + 4, length);
	for (uint32_t i = 0; i < bytes; i++)
		payload[TLV_HEADER_BYTES + i] = (uint8_t)(i * 7 + length);
	trace(c, "   metadata of %u bytes, %u are there", length, bytes);
	TRY(element_ask(c, code, id, payload, TLV_HEADER_BYTES + bytes, 4, &t));
	*ret_status = t.status;
	return 0;
}

static int pick(struct conform *c, struct answer *a, uint32_t access, struct element_info *e)
{
	uint32_t n;

	TRY(elements_up(c, a, &n));
	e->id = UINT32_MAX;
	return element_next(a, n, access, 0, e) ? 0
		: skip(c, "no control has the access 0x%x", access);
}

static int readable(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	struct answer a, t;
	uint32_t n, tried = 0;

	TRY(elements_up(c, &a, &n));
	for (; element_next(&a, n, A_TLV_READ, 0, &e); tried++) {
		TRY(tlv_read(c, e.id, 4 + TLV_HEADER_BYTES + 4096, &t));
		EXPECT_EQ(c, t.status, SND_S_OK, "TLV_READ of control %u", e.id);
		EXPECT_EQ(c, get32(t.chain.in + 8) % 4, 0, "length in the metadata");
		EXPECT_EQ(c, t.len, 4 + TLV_HEADER_BYTES + get32(t.chain.in + 8), "used length");
	}
	return tried ? 0 : skip(c, "no control has metadata");
}

static int cut(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	struct answer a, whole, part;
	uint32_t n, tried = 0;

	TRY(elements_up(c, &a, &n));
	while (element_next(&a, n, A_TLV_READ, 0, &e)) {
		TRY(tlv_read(c, e.id, 4 + TLV_HEADER_BYTES + 4096, &whole));
		if (whole.len <= 4 + TLV_HEADER_BYTES + 4)
			continue;
		tried++;
		TRY(tlv_read(c, e.id, 4 + TLV_HEADER_BYTES + 4, &part));
		EXPECT_EQ(c, part.status, SND_S_OK, "TLV_READ with too little room");
		EXPECT_EQ(c, part.len, 4 + TLV_HEADER_BYTES + 4, "used length of a part");
		EXPECT(c, !memcmp(part.chain.in + 12, whole.chain.in + 12, 4), "the bytes differ");
	}
	return tried ? 0 : skip(c, "no control has metadata of more than 4 bytes");
}

static int unreadable(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	struct answer a, t;
	uint32_t n, tried = 0;

	TRY(elements_up(c, &a, &n));
	for (; element_next(&a, n, 0, A_TLV_READ, &e); tried++) {
		TRY(tlv_read(c, e.id, 4096, &t));
		EXPECT_EQ(c, t.status, SND_S_NOT_SUPP, "TLV_READ of control %u", e.id);
	}
	return tried ? 0 : skip(c, "every control has metadata");
}

/* TLV_WRITE or TLV_COMMAND where the access does not have it. */
static int refused(struct conform *c)
{
	uint32_t code = (uint32_t)c->scenario->arg, n, status, tried = 0;
	uint32_t without = code == R_TLV_WRITE ? A_TLV_WRITE : A_TLV_COMMAND;
	struct element_info e = { .id = UINT32_MAX };
	struct answer a, before, after;

	TRY(elements_up(c, &a, &n));
	for (; element_next(&a, n, 0, without, &e); tried++) {
		bool look = e.access & A_TLV_READ;

		if (look)
			TRY(tlv_read(c, e.id, 4096, &before));
		TRY(tlv_write(c, code, e.id, 8, 8, &status));
		EXPECT_EQ(c, status, SND_S_NOT_SUPP, "request 0x%x for control %u", code, e.id);
		if (!look)
			continue;
		TRY(tlv_read(c, e.id, 4096, &after));
		EXPECT(c, before.len == after.len && !memcmp(before.chain.in, after.chain.in,
			before.len), "the metadata of control %u changed", e.id);
	}
	return tried ? 0 : skip(c, "every control takes it");
}

static int longest(struct conform *c)
{
	struct element_info e;
	struct answer a;
	uint32_t status;

	TRY(pick(c, &a, A_TLV_WRITE, &e));
	TRY(tlv_write(c, R_TLV_WRITE, e.id, TLV_VALUE_MAX + 4, TLV_VALUE_MAX + 4, &status));
	EXPECT(c, status != SND_S_OK, "metadata of 65540 bytes are accepted");
	TRY(tlv_write(c, R_TLV_WRITE, e.id, TLV_VALUE_MAX, TLV_VALUE_MAX, &status));
	EXPECT_EQ(c, status, SND_S_OK, "metadata of 65536 bytes");
	return 0;
}

static int lengths(struct conform *c)
{
	static const struct {
		uint32_t length, bytes, status;
	} cases[] = { { 16, 12, SND_S_BAD_MSG }, { 6, 8, SND_S_BAD_MSG }, { 8, 100, SND_S_OK },
		{ 0xfffffffc, 8, SND_S_BAD_MSG }, { 0, 0, SND_S_OK } };
	struct element_info e;
	struct answer a;
	uint32_t status;

	TRY(pick(c, &a, A_TLV_WRITE, &e));
	for (unsigned i = 0; i < 5; i++) {
		TRY(tlv_write(c, R_TLV_WRITE, e.id, cases[i].length, cases[i].bytes, &status));
		EXPECT_EQ(c, status, cases[i].status, "TLV_WRITE with a length of %u, %u bytes",
			cases[i].length, cases[i].bytes);
	}
	return 0;
}

static int written(struct conform *c)
{
	struct element_info e;
	struct answer a, t;
	uint32_t status;

	TRY(pick(c, &a, A_TLV_WRITE | A_TLV_READ, &e));
	for (uint32_t length = 12; length <= 4000; length += 1988) {
		TRY(tlv_write(c, R_TLV_WRITE, e.id, length, length, &status));
		EXPECT_EQ(c, status, SND_S_OK, "TLV_WRITE");
		TRY(tlv_read(c, e.id, 8192, &t));
		EXPECT_EQ(c, t.len, 4 + TLV_HEADER_BYTES + length, "used length of TLV_READ");
		EXPECT_EQ(c, get32(t.chain.in + 4), 0x1000 + length, "type");
		for (uint32_t i = 0; i < length; i++)
			EXPECT_EQ(c, t.chain.in[12 + i], (uint8_t)(i * 7 + length), "byte %u", i);
	}
	return 0;
}

static int tiny_room(struct conform *c)
{
	struct element_info e;
	struct answer a, t;

	TRY(pick(c, &a, A_TLV_READ, &e));
	TRY(tlv_read(c, e.id, 4 + TLV_HEADER_BYTES - 1, &t));
	EXPECT_EQ(c, t.status, SND_S_BAD_MSG, "TLV_READ with room for 7 bytes");
	TRY(tlv_read(c, e.id, 4 + TLV_HEADER_BYTES, &t));
	EXPECT_EQ(c, t.status, SND_S_OK, "TLV_READ with room for the header");
	return 0;
}

/* The last event that came since there were `before`. */
static int last_event(struct conform *c, unsigned before, uint32_t id, uint32_t mask)
{
	const struct event *ev;

	TRY(rig_watch(c, 50));
	EXPECT(c, c->rig.events > before, "no event for a change of control %u", id);
	ev = &c->rig.log[(c->rig.events - 1) % EVENT_LOG];
	EXPECT_EQ(c, ev->code, SND_EVT_CTL_NOTIFY, "the event's code");
	EXPECT_EQ(c, ev->data & 0xffff, id, "its control");
	EXPECT(c, ev->data >> 16 & mask, "its mask is 0x%x", ev->data >> 16);
	EXPECT_EQ(c, ev->len, 8, "its used length");
	return 0;
}

static int change_value(struct conform *c, const struct element_info *e)
{
	uint8_t value[VALUE_BYTES];
	struct answer v;
	uint32_t status;

	TRY(value_read(c, e->id, &v));
	value_other(e, v.chain.in + 4, value);
	TRY(value_write(c, e->id, value, VALUE_BYTES, &status));
	INSIST_EQ(c, status, SND_S_OK, "CTL_WRITE of control %u", e->id);
	return 0;
}

/* Every element that can be changed: whatever is told must make sense. */
static int events_make_sense(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	struct answer a;
	uint32_t n, status;

	TRY(elements_up(c, &a, &n));
	while (element_next(&a, n, A_READ | A_WRITE, 0, &e))
		TRY(change_value(c, &e));
	e.id = UINT32_MAX;
	while (element_next(&a, n, A_TLV_WRITE, 0, &e))
		TRY(tlv_write(c, R_TLV_WRITE, e.id, 8, 8, &status));
	TRY(rig_watch(c, 50));
	if (!c->rig.events)
		return skip(c, "no change of a control by the driver is told");
	for (unsigned i = 0; i < c->rig.events && i < EVENT_LOG; i++) {
		const struct event *ev = &c->rig.log[i];

		EXPECT_EQ(c, ev->code, SND_EVT_CTL_NOTIFY, "code of event %u", i);
		EXPECT(c, c->scenario->arg || (ev->data >> 16 && !(ev->data >> 16 & ~7u)),
			"mask 0x%x in event %u", ev->data >> 16, i);
		EXPECT(c, !c->scenario->arg || (ev->data & 0xffff) < n,
			"event %u is about control %u of %u", i, ev->data & 0xffff, n);
	}
	return 0;
}

/* The driver's own change comes back as an event, for its other clients. */
static int own_change(struct conform *c)
{
	struct element_info e;
	struct answer a, v;
	unsigned before;
	uint32_t status;

	TRY(pick(c, &a, A_READ | A_WRITE, &e));
	before = c->rig.events;
	TRY(change_value(c, &e));
	TRY(last_event(c, before, e.id, MASK_VALUE));
	before = c->rig.events;
	TRY(value_read(c, e.id, &v));
	TRY(value_write(c, e.id, v.chain.in + 4, VALUE_BYTES, &status));
	TRY(rig_watch(c, 50));
	EXPECT_EQ(c, c->rig.events, before, "events when the same value is written again");
	return 0;
}

static int own_metadata(struct conform *c)
{
	struct element_info e;
	unsigned before;
	struct answer a;
	uint32_t status;

	TRY(pick(c, &a, A_TLV_WRITE, &e));
	before = c->rig.events;
	TRY(tlv_write(c, R_TLV_WRITE, e.id, 20, 20, &status));
	INSIST_EQ(c, status, SND_S_OK, "TLV_WRITE of control %u", e.id);
	return last_event(c, before, e.id, MASK_TLV);
}

/* Ten changes while there is no buffer, and then two buffers. */
static int coalesced(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	struct answer a;
	struct chain ev[2];
	uint32_t n, status;

	TRY(rig_up(c, &(struct rig_setup){ .no_events = true }));
	if (!(c->rig.fe.features & BIT(SND_F_CTLS)))
		return skip(c, "the device has no controls");
	n = c->rig.counts.controls;
	TRY(ctl_info(c, SND_R_CTL_INFO, 0, n, ELEMENT_BYTES, 4 + n * ELEMENT_BYTES, &a));
	if (!element_next(&a, n, A_READ | A_WRITE | A_TLV_WRITE, 0, &e))
		return skip(c, "no control has a value and metadata that can be written");
	for (uint32_t i = 0; i < 10; i++) {
		TRY(change_value(c, &e));
		TRY(tlv_write(c, R_TLV_WRITE, e.id, 8 + 4 * i, 8 + 4 * i, &status));
	}
	for (unsigned i = 0; i < 2; i++) {
		TRY(chain_init(c, &ev[i], Q_EVENT, 0, 8));
		TRY(chain_send(c, &ev[i]));
	}
	TRY(rig_watch(c, 100));
	EXPECT(c, ev[0].done, "nothing was told of ten changes");
	EXPECT_EQ(c, get32(ev[0].in + 4), (MASK_VALUE | MASK_TLV) << 16 | e.id,
		"control and mask of the event");
	EXPECT(c, !ev[1].done, "ten changes were told more than once");
	return 0;
}

#define META "virtio 1.4, Control Element Metadata: "
#define NOTE "virtio 1.4, Control Element Notifications: "

const struct scenario metadata_scenarios[] = {
	{ .id = "SND-CTLV-1", .title = "TLV_READ: type, length, value", .run = readable,
		.clause = META "le32 type, le32 length, then the value" },
	{ .id = "SND-CTLV-2", .title = "metadata are cut where room is short", .run = cut,
		.recommended = true, .clause = META "(device) SHOULD write what fits" },
	{ .id = "SND-CTLV-3", .title = "no TLV_READ without the right to it", .run = unreadable,
		.clause = META "drivers MUST NOT" },
	{ .id = "SND-CTLV-4", .title = "no TLV_WRITE without the right to it", .run = refused,
		.arg = R_TLV_WRITE, .clause = META "drivers MUST NOT" },
	{ .id = "SND-CTLV-5", .title = "no TLV_COMMAND without the right to it", .run = refused,
		.arg = R_TLV_COMMAND, .clause = META "drivers MUST NOT" },
	{ .id = "SND-CTLV-6", .title = "65536 bytes of metadata, and more", .run = longest,
		.clause = META "the value has 65536 bytes at most" },
	{ .id = "SND-CTLV-7", .title = "lengths that are odd, or not there", .run = lengths,
		.recommended = true, .clause = META "a multiple of 4; silent" },
	{ .id = "SND-CTLV-8", .title = "TLV_WRITE stores", .run = written, .clause = META "WRITE" },
	{ .id = "SND-CTLV-9", .title = "TLV_READ with room for less than a header",
		.run = tiny_room, .recommended = true, .clause = META "silent" },
	{ .id = "SND-CEVT-1", .title = "events have a defined mask", .run = events_make_sense,
		.clause = NOTE "MUST NOT set undefined bits" },
	{ .id = "SND-CEVT-2", .title = "events name a control that there is",
		.run = events_make_sense, .arg = 1, .clause = NOTE "control_id" },
	{ .id = "SND-CEVT-5", .title = "a change by the driver is told, too",
		.run = own_change, .recommended = true, .clause = NOTE "VALUE: it has changed" },
	{ .id = "SND-CEVT-6", .title = "so are metadata that the driver wrote",
		.run = own_metadata, .recommended = true, .clause = NOTE "TLV: they have changed" },
	{ .id = "SND-CEVT-7", .title = "without buffers, reasons gather in one event",
		.run = coalesced, .recommended = true, .clause = NOTE "silent" },
	{ 0 },
};
