/* SPDX-License-Identifier: BSD-3-Clause */
/* JACK_INFO, PCM_INFO, CHMAP_INFO and CTL_INFO as far as they are alike. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"

#define ALL_MAX 65536u

/* All items of a kind; *ret_n is 0 if there are none. */
static int all_items(struct conform *c, unsigned k, struct answer *a, uint32_t *ret_n)
{
	uint32_t n = kind_count(c, k), size = kinds[k].item_bytes;

	*ret_n = n;
	if (!n)
		return 0;
	if (n > ALL_MAX / size)
		*ret_n = n = ALL_MAX / size;
	TRY(ctl_info(c, kinds[k].code, 0, n, size, 4 + n * size, a));
	EXPECT_EQ(c, a->status, SND_S_OK, "%s of %u items", kinds[k].name, n);
	EXPECT_EQ(c, a->len, 4 + n * size, "used length of %s", kinds[k].name);
	return 0;
}

static int items_at_stride(struct conform *c)
{
	TRY(rig_up(c, NULL));
	for (unsigned k = 0; k < KINDS; k++) {
		uint32_t n, size = kinds[k].item_bytes;
		struct answer all, one;

		TRY(all_items(c, k, &all, &n));
		for (uint32_t i = 0; i < n; i++) {
			TRY(ctl_info(c, kinds[k].code, i, 1, size, 4 + size, &one));
			EXPECT_EQ(c, one.status, SND_S_OK, "%s of item %u", kinds[k].name, i);
			EXPECT(c, !memcmp(one.chain.in + 4, all.chain.in + 4 + (size_t)i * size,
				size), "item %u of %s is another one in the list of all", i,
				kinds[k].name);
		}
	}
	return 0;
}

static int sub_ranges(struct conform *c)
{
	TRY(rig_up(c, NULL));
	for (unsigned k = 0; k < KINDS; k++) {
		uint32_t n, size = kinds[k].item_bytes;
		struct answer all, part;

		TRY(all_items(c, k, &all, &n));
		for (uint32_t at = 0; at < n && at < 8; at++)
			for (uint32_t count = 1; count <= n - at && count < 8; count++) {
				TRY(ctl_info(c, kinds[k].code, at, count, size, 4 + count * size,
					&part));
				EXPECT_EQ(c, part.len, 4 + count * size, "used length");
				EXPECT(c, !memcmp(part.chain.in + 4,
					all.chain.in + 4 + (size_t)at * size, count * size),
					"%s of %u items from %u", kinds[k].name, count, at);
			}
	}
	return 0;
}

static int out_of_range(struct conform *c)
{
	TRY(rig_up(c, NULL));
	for (unsigned k = 0; k < 3; k++) {
		uint32_t n = kind_count(c, k);
		const uint32_t cases[][2] = { { n, 1 }, { 0, n + 1 }, { 0xffffffff, 2 },
			{ 1, 0xffffffff }, { 0x80000000, 0x80000000 } };

		for (unsigned i = 0; i < 5; i++) {
			struct answer a;

			TRY(ctl_info(c, kinds[k].code, cases[i][0], cases[i][1],
				kinds[k].item_bytes, 4096, &a));
			EXPECT(c, a.status != SND_S_OK, "%s of %u items from %u is OK, there are %u",
				kinds[k].name, cases[i][1], cases[i][0], n);
			/* Of a kind that it has not, a device may know nothing. */
			if (c->scenario->arg && n)
				EXPECT_EQ(c, a.status, SND_S_BAD_MSG, "%s of %u items from %u",
					kinds[k].name, cases[i][1], cases[i][0]);
		}
	}
	return still_works(c);
}

static int too_little_room(struct conform *c)
{
	struct answer a;
	uint32_t n;

	TRY(rig_up(c, NULL));
	TRY(card_read(c));
	n = c->streams;
	if (!n)
		return skip(c, "the device has no streams");
	TRY(ctl_info(c, SND_R_PCM_INFO, 0, n, 32, 4 + 32 * n - 1, &a));
	EXPECT(c, a.status != SND_S_OK, "one byte too little is OK");
	TRY(ctl_info(c, SND_R_PCM_INFO, 0, n, 32, 4, &a));
	EXPECT(c, a.status != SND_S_OK, "room for the status alone is OK");
	TRY(ctl_info(c, SND_R_PCM_INFO, 0, n, 32, 4 + 32 * n, &a));
	EXPECT_EQ(c, a.status, SND_S_OK, "exactly enough room");
	return 0;
}

static int smaller_items(struct conform *c)
{
	struct answer all, cut;
	uint32_t n;

	TRY(rig_up(c, NULL));
	TRY(all_items(c, 1, &all, &n));
	if (!n)
		return skip(c, "the device has no streams");
	TRY(ctl_info(c, SND_R_PCM_INFO, 0, n, 16, 4 + 16 * n, &cut));
	EXPECT_EQ(c, cut.status, SND_S_OK, "items of 16 bytes");
	EXPECT_EQ(c, cut.len, 4 + 16 * n, "their used length");
	for (uint32_t i = 0; i < n; i++)
		EXPECT(c, !memcmp(cut.chain.in + 4 + (size_t)16 * i,
			all.chain.in + 4 + (size_t)32 * i, 16), "item %u", i);
	return 0;
}

static int larger_items(struct conform *c)
{
	struct answer all, wide;
	uint32_t n;

	TRY(rig_up(c, NULL));
	TRY(all_items(c, 1, &all, &n));
	if (!n)
		return skip(c, "the device has no streams");
	TRY(ctl_info(c, SND_R_PCM_INFO, 0, n, 40, 4 + 40 * n, &wide));
	EXPECT_EQ(c, wide.status, SND_S_OK, "items of 40 bytes");
	EXPECT_EQ(c, wide.len, 4 + 40 * n, "their used length");
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *item = wide.chain.in + 4 + (size_t)40 * i;

		EXPECT(c, !memcmp(item, all.chain.in + 4 + (size_t)32 * i, 32), "item %u", i);
		for (unsigned k = 32; k < 40; k++)
			EXPECT_EQ(c, item[k], 0, "byte %u of item %u", k, i);
	}
	return 0;
}

static int items_without_header(struct conform *c)
{
	struct answer a;

	TRY(rig_up(c, NULL));
	if (!c->rig.counts.streams)
		return skip(c, "the device has no streams");
	for (uint32_t size = 0; size < 4; size += 3) {
		TRY(ctl_info(c, SND_R_PCM_INFO, 0, 1, size, 64, &a));
		EXPECT_EQ(c, a.status, SND_S_BAD_MSG, "items of %u bytes", size);
	}
	return 0;
}

static int no_items(struct conform *c)
{
	TRY(rig_up(c, NULL));
	for (unsigned k = 0; k < 3; k++) {
		uint32_t n = kind_count(c, k);
		struct answer a;

		TRY(ctl_info(c, kinds[k].code, 0, 0, kinds[k].item_bytes, 4, &a));
		EXPECT_EQ(c, a.status, SND_S_OK, "%s of none from 0", kinds[k].name);
		EXPECT_EQ(c, a.len, 4, "its used length");
		TRY(ctl_info(c, kinds[k].code, n, 0, kinds[k].item_bytes, 4, &a));
		EXPECT_EQ(c, a.status, SND_S_OK, "%s of none from the end", kinds[k].name);
		TRY(ctl_info(c, kinds[k].code, n + 1, 0, kinds[k].item_bytes, 4, &a));
		EXPECT(c, a.status != SND_S_OK, "%s of none from behind the end", kinds[k].name);
	}
	return 0;
}

static int groups_match(struct conform *c)
{
	struct answer pcm, other;
	uint32_t streams, n;

	TRY(rig_up(c, NULL));
	TRY(all_items(c, 1, &pcm, &streams));
	for (unsigned k = 0; k < 3; k += 2) {
		TRY(all_items(c, k, &other, &n));
		for (uint32_t i = 0; i < n; i++) {
			const uint8_t *item = other.chain.in + 4 + (size_t)i * kinds[k].item_bytes;
			bool found = false;

			for (uint32_t s = 0; s < streams; s++) {
				const uint8_t *p = pcm.chain.in + 4 + (size_t)32 * s;

				found = found || (get32(p) == get32(item) &&
					(k == 0 || p[24] == item[4]));
			}
			EXPECT(c, found, "item %u of %s belongs to no stream", i, kinds[k].name);
		}
	}
	return 0;
}

static int stable(struct conform *c)
{
	struct answer before[3], now;
	uint32_t out, n;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	for (unsigned k = 0; k < 3; k++)
		TRY(all_items(c, k, &before[k], &n));
	for (enum pcm_state state = ST_SET; state < ST_COUNT; state++) {
		static const uint32_t step[ST_COUNT] = { 0, 0, SND_R_PCM_PREPARE, SND_R_PCM_START,
			SND_R_PCM_STOP, SND_R_PCM_RELEASE };

		if (state == ST_SET)
			TRY(stream_bring(c, out, ST_SET));
		else
			TRY(must_pcm(c, step[state], out));
		for (unsigned k = 0; k < 3; k++) {
			TRY(all_items(c, k, &now, &n));
			EXPECT(c, !n || !memcmp(now.chain.in, before[k].chain.in,
				4 + n * kinds[k].item_bytes), "%s changed in %s", kinds[k].name,
				state_names[state]);
		}
	}
	return 0;
}

static int size_overflow(struct conform *c)
{
	static const uint32_t sizes[] = { 0xffffffff, 0x40000000, 0x80000001, 0x7fffffff };

	TRY(rig_up(c, NULL));
	for (unsigned k = 0; k < 3; k++)
		for (unsigned i = 0; i < 4; i++) {
			struct answer a;

			if (!kind_count(c, k))
				continue;
			TRY(ctl_info(c, kinds[k].code, 0, kind_count(c, k), sizes[i], 4096, &a));
			EXPECT(c, a.status != SND_S_OK, "%s with items of 0x%x bytes is OK in 4096",
				kinds[k].name, sizes[i]);
		}
	return still_works(c);
}

#define QRY "virtio 1.4, Sound Device, Item Information Request: "

const struct scenario query_scenarios[] = {
	{ .id = "SND-QRY-1", .title = "status, then count items of size bytes",
		.run = items_at_stride, .clause = QRY "the response's layout" },
	{ .id = "SND-QRY-2", .title = "a range gives the same items as the whole",
		.run = sub_ranges, .clause = QRY "start_id and count" },
	{ .id = "SND-QRY-3", .title = "ranges beyond the total are refused", .run = out_of_range,
		.clause = QRY "start_id + count MUST NOT exceed the total (driver)" },
	{ .id = "PEER-VI8", .title = "... with BAD_MSG", .run = out_of_range, .arg = 1,
		.recommended = true, .clause = QRY "BAD_MSG: an invalid parameter" },
	{ .id = "SND-QRY-4", .title = "too little room is refused", .run = too_little_room,
		.clause = QRY "room for count * size bytes (driver MUST)" },
	{ .id = "SND-QRY-5", .title = "smaller items are cut", .run = smaller_items,
		.recommended = true, .clause = QRY "size is the driver's item size" },
	{ .id = "SND-QRY-6", .title = "larger items are filled up with zeros",
		.run = larger_items, .recommended = true, .clause = QRY "size is the driver's" },
	{ .id = "SND-QRY-7", .title = "items too small for their header are malformed",
		.run = items_without_header, .recommended = true,
		.clause = QRY "each item begins with a header of four bytes" },
	{ .id = "SND-QRY-8", .title = "no items are legal", .run = no_items, .recommended = true,
		.clause = QRY "count may be 0" },
	{ .id = "SND-QRY-9", .title = "jacks and channel maps belong to a stream's group",
		.run = groups_match, .clause = QRY "hda_fn_nid links them" },
	{ .id = "SND-QRY-10", .title = "answers do not change with a stream's state",
		.run = stable, .clause = QRY "items describe what the device can do" },
	{ .id = "SND-QRY-11", .title = "sizes that overflow", .run = size_overflow,
		.clause = QRY "room for count * size bytes, without wrapping" },
	{ 0 },
};
