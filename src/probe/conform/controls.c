/* SPDX-License-Identifier: BSD-3-Clause */
/* Control elements: what they say of themselves. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/elements.h"

static int roles(struct conform *c)
{
	struct element_info e;
	struct answer a;
	uint32_t n;

	TRY(elements_up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		element_decode(&a, i, &e);
		EXPECT(c, e.role == 0 || (e.role >= 2 && e.role <= 7), "role %u of control %u",
			e.role, i);
	}
	return 0;
}

static int types(struct conform *c)
{
	struct element_info e;
	struct answer a;
	uint32_t n;

	TRY(elements_up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		element_decode(&a, i, &e);
		EXPECT(c, e.type < ELEMENT_TYPES, "type %u of control %u", e.type, i);
	}
	return 0;
}

static int access_bits(struct conform *c)
{
	struct element_info e;
	struct answer a;
	uint32_t n;

	TRY(elements_up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		element_decode(&a, i, &e);
		EXPECT_EQ(c, e.access & ~0x7fu, 0, "undefined access of control %u", i);
	}
	return 0;
}

static int counts(struct conform *c)
{
	static const uint32_t most[ELEMENT_TYPES] = { 128, 128, 64, 128, 512, 1 };
	struct element_info e;
	struct answer a;
	uint32_t n;

	TRY(elements_up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		element_decode(&a, i, &e);
		EXPECT(c, e.count >= 1, "control %u has no value", i);
		EXPECT(c, e.type >= ELEMENT_TYPES || e.count <= most[e.type],
			"control %u of type %u has %u values", i, e.type, e.count);
	}
	return 0;
}

static int names(struct conform *c)
{
	struct element_info e;
	struct answer a;
	uint32_t n;

	TRY(elements_up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		element_decode(&a, i, &e);
		EXPECT(c, element_is_name(e.raw + 24, ELEMENT_NAME_BYTES),
			"the name of control %u is no ASCII string", i);
	}
	return 0;
}

static int names_differ(struct conform *c)
{
	struct element_info e, o;
	struct answer a;
	uint32_t n;

	TRY(elements_up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < i; k++) {
			element_decode(&a, i, &e);
			element_decode(&a, k, &o);
			EXPECT(c, e.index != o.index || strncmp((const char *)e.raw + 24,
				(const char *)o.raw + 24, ELEMENT_NAME_BYTES),
				"controls %u and %u have the same name and index", k, i);
		}
	return 0;
}

/* What the name says in ALSA's words, the role has to say, too. */
static int role_suits_name(struct conform *c)
{
	struct element_info e;
	struct answer a;
	uint32_t n, tried = 0;

	TRY(elements_up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		const char *name;
		bool volume, capture, sure;

		element_decode(&a, i, &e);
		name = (const char *)e.raw + 24;
		volume = memmem(name, ELEMENT_NAME_BYTES, " Volume", 8);
		capture = memmem(name, ELEMENT_NAME_BYTES, "Capture ", 8);
		sure = volume || memmem(name, ELEMENT_NAME_BYTES, " Switch", 8);
		if (!e.role || !sure || (!capture && !memmem(name, ELEMENT_NAME_BYTES,
			"Playback ", 9)))
			continue;
		tried++;
		EXPECT_EQ(c, e.role & 1, capture, "direction in the role of \"%.44s\"", name);
		EXPECT(c, volume ? e.role >> 1 == 1 || e.role >> 1 == 3 : e.role >> 1 == 2,
			"the role of \"%.44s\" is %u", name, e.role);
	}
	return tried ? 0 : skip(c, "no control has a role and a name of ALSA's");
}

static bool all_zero(const uint8_t *p, unsigned n)
{
	while (n && !p[n - 1])
		n--;
	return !n;
}

static int ranges(struct conform *c)
{
	static const uint8_t used[ELEMENT_TYPES] = { 12, 12, 24, 4, 0, 0 };
	struct element_info e;
	struct answer a;
	uint32_t n;

	TRY(elements_up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		element_decode(&a, i, &e);
		INSIST(c, e.type < ELEMENT_TYPES, "type %u of control %u", e.type, i);
		EXPECT(c, e.min <= e.max, "control %u goes from %lld to %lld", i,
			(long long)e.min, (long long)e.max);
		EXPECT(c, all_zero(e.raw + 72 + used[e.type], 24u - used[e.type]),
			"bytes behind the range of control %u, type %u", i, e.type);
	}
	return 0;
}

/* BOOLEAN is a special case of INTEGER. */
static int boolean_range(struct conform *c)
{
	struct element_info e;
	struct answer a;
	uint32_t n, found = 0;

	TRY(elements_up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		element_decode(&a, i, &e);
		if (e.type != BOOLEAN)
			continue;
		found++;
		EXPECT_EQ(c, get32(e.raw + 72), 0, "min of control %u", i);
		EXPECT_EQ(c, get32(e.raw + 76), 1, "max of control %u", i);
	}
	return found ? 0 : skip(c, "no control is a switch");
}

static int enough_items(struct conform *c)
{
	struct element_info e;
	struct answer a;
	uint32_t n, found = 0;

	TRY(elements_up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		element_decode(&a, i, &e);
		found += e.type == ENUMERATED;
		EXPECT(c, e.type != ENUMERATED || e.items, "control %u has no item", i);
	}
	return found ? 0 : skip(c, "no control is enumerated");
}

/* The layouts of the text and of Linux, a larger and a smaller one. */
static int layouts(struct conform *c)
{
	struct answer a, b;
	uint32_t n;

	TRY(elements_up(c, &a, &n));
	TRY(ctl_info(c, SND_R_CTL_INFO, 0, n, 92, 4 + n * 92, &b));
	EXPECT_EQ(c, b.status, SND_S_OK, "CTL_INFO with items of 92 bytes");
	for (uint32_t i = 0; i < n; i++)
		EXPECT(c, !memcmp(b.chain.in + 4 + (size_t)92 * i + 68,
			a.chain.in + 4 + (size_t)ELEMENT_BYTES * i + 72, 24),
			"values of control %u", i);
	TRY(ctl_info(c, SND_R_CTL_INFO, 0, 1, 200, 204, &b));
	EXPECT(c, b.status == SND_S_OK && !memcmp(b.chain.in + 4, a.chain.in + 4, ELEMENT_BYTES),
		"an item of 200 bytes begins otherwise");
	EXPECT(c, all_zero(b.chain.in + 4 + ELEMENT_BYTES, 104), "bytes behind an item of 96");
	TRY(ctl_info(c, SND_R_CTL_INFO, 0, 1, 68, 72, &b));
	EXPECT(c, b.status == SND_S_OK && !memcmp(b.chain.in + 4, a.chain.in + 4, 68),
		"an item of 68 bytes begins otherwise");
	return 0;
}

static int enum_items(struct conform *c)
{
	bool text = c->scenario->arg;
	struct element_info e;
	struct answer a, list;
	uint32_t n, found = 0;

	TRY(elements_up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		element_decode(&a, i, &e);
		if (e.type != ENUMERATED)
			continue;
		found++;
		TRY(element_ask(c, R_ENUM_ITEMS, i, NULL, 0, 4 + ENUM_ITEM_BYTES * e.items,
			&list));
		INSIST_EQ(c, list.status, SND_S_OK, "ENUM_ITEMS of control %u", i);
		EXPECT_EQ(c, list.len, 4 + ENUM_ITEM_BYTES * e.items, "its used length");
		for (uint32_t k = 0; k < e.items && text; k++)
			EXPECT(c, element_is_name(list.chain.in + 4 + ENUM_ITEM_BYTES * k,
				ENUM_ITEM_BYTES), "item %u of control %u is no ASCII string", k,
				i);
	}
	return found ? 0 : skip(c, "no control is enumerated");
}

static int enum_items_refused(struct conform *c)
{
	struct element_info e;
	struct answer a, list;
	uint32_t n;

	TRY(elements_up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t room;

		element_decode(&a, i, &e);
		room = e.type == ENUMERATED ? 4 + ENUM_ITEM_BYTES * e.items - 1 : 4096;
		TRY(element_ask(c, R_ENUM_ITEMS, i, NULL, 0, room, &list));
		EXPECT_EQ(c, list.status, e.type == ENUMERATED ? SND_S_BAD_MSG : SND_S_NOT_SUPP,
			"ENUM_ITEMS of control %u, type %u, room for %u bytes", i, e.type, room);
	}
	return 0;
}

#define INF "virtio 1.4, Control Element Information (device): "

const struct scenario control_scenarios[] = {
	{ .id = "SND-CINF-1", .title = "no undefined roles", .run = roles,
		.clause = INF "MUST NOT set an undefined role" },
	{ .id = "SND-CINF-2", .title = "no undefined types", .run = types,
		.clause = INF "MUST NOT set an undefined type" },
	{ .id = "SND-CINF-3", .title = "no undefined access bits", .run = access_bits,
		.clause = INF "MUST NOT set undefined access rights" },
	{ .id = "SND-CINF-4", .title = "as many values as the type may have", .run = counts,
		.clause = INF "MUST set count to 1 at least, and within the type's limit" },
	{ .id = "SND-CINF-5", .title = "names are ASCII strings", .run = names,
		.clause = INF "MUST be a non-empty NUL-terminated ASCII string" },
	{ .id = "SND-CINF-6", .title = "names are unique with their index",
		.run = names_differ, .clause = INF "MUST be unique" },
	{ .id = "SND-CINF-7", .title = "the role says what an ALSA name says",
		.run = role_suits_name, .clause = INF "bit 0 the direction, above it the role" },
	{ .id = "SND-CINF-8", .title = "min, max, and nothing behind", .run = ranges,
		.clause = "virtio 1.4, Query information: min, max, step, or items" },
	{ .id = "SND-CINF-9", .title = "items of 92, 96, 200 and 68 bytes",
		.run = layouts, .recommended = true,
		.clause = "Linux has 96 bytes on most architectures; the text's structure 92" },
	{ .id = "SND-CINF-10", .title = "switches go from 0 to 1", .run = boolean_range,
		.recommended = true, .clause = "BOOLEAN is a special case of INTEGER" },
	{ .id = "SND-CINF-11", .title = "enumerated controls have an item", .run = enough_items,
		.clause = "without one, Linux gives up the card" },
	{ .id = "SND-CENU-1", .title = "items of enumerated controls", .run = enum_items,
		.clause = "VIRTIO_SND_R_CTL_ENUM_ITEMS: 64 bytes for each" },
	{ .id = "SND-CENU-2", .title = "items are ASCII strings", .run = enum_items, .arg = 1,
		.clause = INF "MUST be non-empty NUL-terminated ASCII strings" },
	{ .id = "SND-CENU-3", .title = "items where there are none, or no room",
		.run = enum_items_refused, .recommended = true,
		.clause = "VIRTIO_SND_R_CTL_ENUM_ITEMS: silent; NOT_SUPP, BAD_MSG" },
	{ 0 },
};
