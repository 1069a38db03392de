/* SPDX-License-Identifier: BSD-3-Clause */
/* Control elements: what they say of themselves, their values, their metadata. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"

#define ITEM	  96u
#define VALUE	  512u
#define NAME	  44
#define ENUM_ITEM 64
#define R_ENUM	  0x301u
#define R_READ	  0x302u
#define R_WRITE	  0x303u
#define R_TLV	  0x304u

enum { BOOLEAN, INTEGER, INTEGER64, ENUMERATED, BYTES, IEC958, TYPES };
enum { A_READ = 1, A_WRITE = 2, A_VOLATILE = 4, A_INACTIVE = 8, A_TLV_READ = 16, A_TLV_WRITE = 32,
	A_TLV_COMMAND = 64 };

struct control {
	uint32_t role, type, access, count, index;
	uint32_t min, max; /* or items in min */
	const uint8_t *raw;
};

static void decode(struct control *ret, const uint8_t *p)
{
	*ret = (struct control){ .role = get32(p + 4), .type = get32(p + 8),
		.access = get32(p + 12), .count = get32(p + 16), .index = get32(p + 20),
		.min = get32(p + 72), .max = get32(p + 76), .raw = p };
}

static int up(struct conform *c, struct answer *a, uint32_t *ret_n)
{
	uint32_t n;

	TRY(rig_up(c, NULL));
	if (!(c->rig.fe.features & BIT(SND_F_CTLS)))
		return skip(c, "the device has no controls");
	n = c->rig.counts.controls;
	TRY(ctl_info(c, SND_R_CTL_INFO, 0, n, ITEM, 4 + n * ITEM, a));
	INSIST_EQ(c, a->status, SND_S_OK, "CTL_INFO of all %u", n);
	INSIST_EQ(c, a->len, 4 + n * ITEM, "its used length");
	*ret_n = n;
	return 0;
}

static void item(const struct answer *a, uint32_t i, struct control *ret)
{
	decode(ret, a->chain.in + 4 + (size_t)ITEM * i);
}

static int roles(struct conform *c)
{
	struct control e;
	struct answer a;
	uint32_t n;

	TRY(up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		item(&a, i, &e);
		EXPECT(c, e.role == 0 || (e.role >= 2 && e.role <= 7), "role %u of control %u",
			e.role, i);
	}
	return 0;
}

static int types_and_counts(struct conform *c)
{
	static const uint32_t most[TYPES] = { 128, 128, 64, 128, 512, 1 };
	struct control e;
	struct answer a;
	uint32_t n;

	TRY(up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		item(&a, i, &e);
		EXPECT(c, e.type < TYPES, "type %u of control %u", e.type, i);
		EXPECT(c, e.count >= 1 && e.count <= most[e.type], "control %u has %u values", i,
			e.count);
		EXPECT_EQ(c, e.access & ~0x7fu, 0, "undefined access of control %u", i);
		EXPECT(c, e.type != ENUMERATED || e.min, "control %u has no item", i);
	}
	return 0;
}

static bool is_name(const uint8_t *p, unsigned room)
{
	unsigned n = 0;

	while (n < room && p[n] >= 0x20 && p[n] < 0x7f)
		n++;
	return n > 0 && n < room && !p[n];
}

static int names(struct conform *c)
{
	struct answer a;
	uint32_t n;

	TRY(up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *p = a.chain.in + 4 + (size_t)ITEM * i;

		EXPECT(c, is_name(p + 24, NAME), "the name of control %u is no ASCII string", i);
		for (uint32_t k = 0; k < i; k++) {
			const uint8_t *o = a.chain.in + 4 + (size_t)ITEM * k;

			EXPECT(c, strcmp((const char *)p + 24, (const char *)o + 24) ||
				get32(p + 20) != get32(o + 20),
				"controls %u and %u have the same name and index", k, i);
		}
	}
	return 0;
}

static int packed_layout(struct conform *c)
{
	struct answer a, b;
	uint32_t n;

	TRY(up(c, &a, &n));
	TRY(ctl_info(c, SND_R_CTL_INFO, 0, n, 92, 4 + n * 92, &b));
	EXPECT_EQ(c, b.status, SND_S_OK, "CTL_INFO with items of 92 bytes");
	for (uint32_t i = 0; i < n; i++)
		EXPECT(c, !memcmp(b.chain.in + 4 + (size_t)92 * i + 68,
			a.chain.in + 4 + (size_t)ITEM * i + 72, 24), "values of control %u", i);
	return 0;
}

static uint32_t value_bytes(const struct control *e)
{
	return e->type == IEC958 ? 176 : e->type == BYTES ? e->count
		: e->type == INTEGER64 ? 8 * e->count : 4 * e->count;
}

static int value_read(struct conform *c, uint32_t id, struct answer *a)
{
	uint8_t q[8];

	put32(q, R_READ);
	put32(q + 4, id);
	return ctl(c, q, sizeof(q), 4 + VALUE, a);
}

static int value_write(struct conform *c, uint32_t id, const uint8_t *value, uint32_t bytes,
	uint32_t *ret_status)
{
	uint8_t q[8 + VALUE] = { 0 };
	struct answer a;

	put32(q, R_WRITE);
	put32(q + 4, id);
	memcpy(q + 8, value, bytes);
	TRY(ctl(c, q, 8 + bytes, 4, &a));
	*ret_status = a.status;
	return 0;
}

static int reads(struct conform *c)
{
	struct control e;
	struct answer a, v;
	uint32_t n;

	TRY(up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		item(&a, i, &e);
		TRY(value_read(c, i, &v));
		if (!(e.access & A_READ)) {
			EXPECT(c, v.status != SND_S_OK, "control %u can be read without READ", i);
			continue;
		}
		EXPECT_EQ(c, v.status, SND_S_OK, "CTL_READ of control %u", i);
		EXPECT(c, v.len >= 4 + value_bytes(&e), "%u bytes of value", v.len - 4);
		for (uint32_t k = 0; k < e.count && e.type <= INTEGER; k++) {
			int32_t x = (int32_t)get32(v.chain.in + 4 + (size_t)4 * k);
			int32_t low = e.type == BOOLEAN ? 0 : (int32_t)e.min;
			int32_t high = e.type == BOOLEAN ? 1 : (int32_t)e.max;

			EXPECT(c, x >= low && x <= high, "value %d of control %u, range %d to %d", x,
				i, low, high);
		}
	}
	return 0;
}

/* One end of the range, then the other, in every element that can be written. */
static int writes(struct conform *c)
{
	struct control e;
	struct answer a, v;
	uint32_t n, status;

	TRY(up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		uint8_t value[VALUE] = { 0 };

		item(&a, i, &e);
		if (e.type > INTEGER || (e.access & (A_READ | A_WRITE)) != (A_READ | A_WRITE) ||
			e.access & (A_VOLATILE | A_INACTIVE))
			continue;
		for (unsigned end = 0; end < 2; end++) {
			uint32_t x = e.type == BOOLEAN ? end : end ? e.max : e.min;

			for (uint32_t k = 0; k < e.count; k++)
				put32(value + 4 * k, x);
			TRY(value_write(c, i, value, VALUE, &status));
			EXPECT_EQ(c, status, SND_S_OK, "CTL_WRITE of control %u", i);
			TRY(value_read(c, i, &v));
			EXPECT(c, !memcmp(v.chain.in + 4, value, value_bytes(&e)),
				"control %u does not hold what was written", i);
		}
	}
	return 0;
}

static int not_writable(struct conform *c)
{
	uint8_t value[VALUE] = { 0 };
	struct control e;
	struct answer a;
	uint32_t n, status, tried = 0;

	TRY(up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		item(&a, i, &e);
		if (e.access & A_WRITE)
			continue;
		tried++;
		TRY(value_write(c, i, value, VALUE, &status));
		EXPECT(c, status != SND_S_OK, "control %u can be written without WRITE", i);
	}
	return tried ? 0 : skip(c, "every control can be written");
}

static int out_of_range(struct conform *c)
{
	struct control e;
	struct answer a, before, after;
	uint32_t n, status;

	TRY(up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		uint8_t value[VALUE] = { 0 };

		item(&a, i, &e);
		if (e.type > INTEGER || (e.access & (A_READ | A_WRITE)) != (A_READ | A_WRITE) ||
			e.access & (A_VOLATILE | A_INACTIVE))
			continue;
		TRY(value_read(c, i, &before));
		put32(value, e.type == BOOLEAN ? 2 : e.max + 1);
		TRY(value_write(c, i, value, VALUE, &status));
		EXPECT_EQ(c, status, SND_S_BAD_MSG, "a value out of range for control %u", i);
		TRY(value_read(c, i, &after));
		EXPECT(c, !memcmp(before.chain.in, after.chain.in, 4 + value_bytes(&e)),
			"control %u changed", i);
	}
	return 0;
}

static int short_values(struct conform *c)
{
	struct control e;
	struct answer a, v;
	uint32_t n, status;

	TRY(up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		item(&a, i, &e);
		if ((e.access & (A_READ | A_WRITE)) != (A_READ | A_WRITE))
			continue;
		TRY(value_read(c, i, &v));
		TRY(value_write(c, i, v.chain.in + 4, value_bytes(&e), &status));
		EXPECT_EQ(c, status, SND_S_OK, "exactly the values of control %u", i);
		TRY(value_write(c, i, v.chain.in + 4, value_bytes(&e) - 1, &status));
		EXPECT_EQ(c, status, SND_S_BAD_MSG, "a byte too little for control %u", i);
	}
	return 0;
}

static int enum_items(struct conform *c)
{
	struct control e;
	struct answer a, list;
	uint32_t n, found = 0;

	TRY(up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		uint8_t q[8];

		item(&a, i, &e);
		put32(q, R_ENUM);
		put32(q + 4, i);
		TRY(ctl(c, q, 8, 4 + ENUM_ITEM * (e.type == ENUMERATED ? e.min : 1), &list));
		if (e.type != ENUMERATED) {
			EXPECT(c, list.status != SND_S_OK, "control %u has items", i);
			continue;
		}
		found++;
		EXPECT_EQ(c, list.len, 4 + ENUM_ITEM * e.min, "used length of the items");
		for (uint32_t k = 0; k < e.min; k++)
			EXPECT(c, is_name(list.chain.in + 4 + ENUM_ITEM * k, ENUM_ITEM),
				"item %u of control %u is no ASCII string", k, i);
	}
	return found ? 0 : skip(c, "no control is enumerated");
}

static int tlv(struct conform *c)
{
	struct control e;
	struct answer a, t;
	uint32_t n;

	TRY(up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		uint8_t q[8];

		item(&a, i, &e);
		put32(q, R_TLV);
		put32(q + 4, i);
		TRY(ctl(c, q, 8, 4 + 4096, &t));
		if (!(e.access & A_TLV_READ)) {
			EXPECT(c, t.status != SND_S_OK, "control %u has no TLV_READ", i);
			continue;
		}
		EXPECT_EQ(c, t.status, SND_S_OK, "TLV_READ of control %u", i);
		EXPECT_EQ(c, t.len, 4 + 8 + get32(t.chain.in + 8), "used length of the TLV");
		if (t.len <= 16)
			continue;
		TRY(ctl(c, q, 8, 16, &t)); /* type, length, 4 bytes of it */
		EXPECT_EQ(c, t.status, SND_S_OK, "TLV_READ with too little room");
	}
	return 0;
}

static int tlv_refused(struct conform *c)
{
	struct control e;
	struct answer a, t;
	uint32_t n;

	TRY(up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t code = 0x305; code <= 0x306; code++) {
			uint8_t q[24] = { 0 };

			item(&a, i, &e);
			if (e.access & (code == 0x305 ? A_TLV_WRITE : A_TLV_COMMAND))
				continue;
			put32(q, code);
			put32(q + 4, i);
			put32(q + 12, 8);
			TRY(ctl(c, q, sizeof(q), 4, &t));
			EXPECT(c, t.status != SND_S_OK, "0x%x is OK for control %u", code, i);
		}
	return 0;
}

/* The driver's own change comes back as an event, for its other clients. */
static int own_change(struct conform *c)
{
	struct control e;
	struct answer a, v;
	uint32_t n, status;

	TRY(up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		unsigned before = c->rig.events;
		uint8_t value[VALUE] = { 0 };
		const struct event *ev;

		item(&a, i, &e);
		if (e.type > INTEGER || (e.access & (A_READ | A_WRITE)) != (A_READ | A_WRITE))
			continue;
		TRY(value_read(c, i, &v));
		memcpy(value, v.chain.in + 4, VALUE);
		put32(value, e.type == BOOLEAN ? !get32(value) : get32(value) == e.max ? e.min
			: e.max);
		TRY(value_write(c, i, value, VALUE, &status));
		TRY(rig_watch(c, 50));
		EXPECT(c, c->rig.events > before, "no event for a change of control %u", i);
		ev = &c->rig.log[(c->rig.events - 1) % EVENT_LOG];
		EXPECT_EQ(c, ev->code, SND_EVT_CTL_NOTIFY, "its code");
		EXPECT_EQ(c, ev->data & 0xffff, i, "its control");
		EXPECT_EQ(c, ev->data >> 16 & ~7u, 0, "undefined bits in its mask");
		return 0;
	}
	return skip(c, "no control can be changed");
}

#define INF "virtio 1.4, Sound Device, Control Element Information (device): "
#define VAL "virtio 1.4, Sound Device, Control Element Value: "

const struct scenario control_scenarios[] = {
	{ .id = "SND-CINF-1", .title = "no undefined roles", .run = roles,
		.clause = INF "MUST NOT set an undefined role" },
	{ .id = "SND-CINF-2", .title = "types, access and counts within their limits",
		.run = types_and_counts, .clause = INF "MUST NOT set undefined; MUST be in range" },
	{ .id = "SND-CINF-5", .title = "names are ASCII strings, unique with their index",
		.run = names, .clause = INF "MUST" },
	{ .id = "SND-CINF-9", .title = "items of 92 bytes, as the text has them",
		.run = packed_layout, .recommended = true,
		.clause = "Linux has 96 bytes on most architectures; the text's structure 92" },
	{ .id = "SND-CENU-1", .title = "items of enumerated controls", .run = enum_items,
		.clause = INF "non-empty ASCII strings" },
	{ .id = "SND-CVAL-1", .title = "CTL_READ of what can be read", .run = reads,
		.clause = VAL "values within min and max" },
	{ .id = "SND-CVAL-2", .title = "CTL_WRITE stores", .run = writes, .clause = VAL "WRITE" },
	{ .id = "SND-CVAL-4", .title = "no CTL_WRITE without WRITE", .run = not_writable,
		.clause = VAL "drivers MUST NOT" },
	{ .id = "SND-CVAL-5", .title = "values out of range are refused as a whole",
		.run = out_of_range, .recommended = true, .clause = VAL "silent" },
	{ .id = "SND-CVAL-6", .title = "CTL_WRITE of exactly the values", .run = short_values,
		.recommended = true, .clause = VAL "silent" },
	{ .id = "SND-CTLV-1", .title = "metadata, cut where room is short", .run = tlv,
		.clause = "Control Element Metadata (device): SHOULD write what fits" },
	{ .id = "SND-CTLV-4", .title = "metadata that cannot be written", .run = tlv_refused,
		.clause = "Control Element Metadata: drivers MUST NOT" },
	{ .id = "SND-CEVT-5", .title = "a change by the driver is told, too",
		.run = own_change, .recommended = true, .clause = "Notifications: VALUE" },
	{ 0 },
};
