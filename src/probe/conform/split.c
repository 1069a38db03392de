/* SPDX-License-Identifier: BSD-3-Clause */
/* Split rings: their sizes, and descriptors that are right or wrong. */
#include <string.h>
#include <sys/eventfd.h>

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/raw.h"
#include "probe/conform/wire.h"
#include "probe/report.h"

static int ring_sizes(struct conform *c)
{
	static const uint32_t sizes[] = { 2, 4, 8, 64, 1024, 32768 };

	for (unsigned i = 0; i < 6; i++) {
		trace(c, "   rings of %u", sizes[i]);
		TRY(rig_up(c, &(struct rig_setup){ .queue_size = sizes[i] }));
		TRY(still_works(c));
		TRY(still_works(c));
		rig_down(c);
	}
	return 0;
}

static int long_table(struct conform *c)
{
	static struct element e[1000];
	struct chain ch;

	TRY(rig_up(c, NULL));
	TRY(need_indirect(c));
	TRY(chain_init(c, &ch, Q_CONTROL, 964, INFO_ROOM));
	put32(ch.out, SND_R_PCM_INFO);
	put32(ch.out + 8, 1);
	put32(ch.out + 12, 32);
	for (uint32_t i = 0; i < 1000; i++)
		e[i] = (struct element){ i < 964 ? ch.out_gpa + i : ch.in_gpa + i - 964, 1,
			i >= 964 };
	TRY(chain_post_as(c, &ch, e, 1000));
	rig_kick(c, Q_CONTROL);
	TRY(chain_wait(c, &ch));
	EXPECT_EQ(c, ch.len, INFO_ROOM, "used length of a request in 1000 descriptors");
	return 0;
}

static int writable_first(struct conform *c)
{
	struct chain ch;
	uint32_t id, len;
	uint8_t *t;

	TRY(raw_up(c, 0));
	t = raw_ring(c)->desc;
	TRY(info_request(c, &ch));
	raw_desc(t, 0, ch.in_gpa, INFO_ROOM, D_WRITE | D_NEXT, 1);
	raw_desc(t, 1, ch.out_gpa, 16, 0, 0);
	raw_post(c, 0);
	TRY(raw_used(c, &id, &len));
	EXPECT(c, len < INFO_ROOM, "a request behind its answer was executed");
	return raw_plain(c, 2);
}

static int table_untouched(struct conform *c)
{
	uint8_t before[64 * 16];

	TRY(raw_up(c, 0));
	for (unsigned i = 0; i < 32; i++)
		TRY(raw_plain(c, i));
	memcpy(before, raw_ring(c)->desc, sizeof(before));
	for (unsigned i = 0; i < 4; i++) {
		TRY(raw_plain(c, 0));
		/* Only the two descriptors that were written anew may differ. */
		EXPECT(c, !memcmp(before + 32, raw_ring(c)->desc + 32, sizeof(before) - 32),
			"the descriptor table was written to");
	}
	return 0;
}

static int unused_fields(struct conform *c)
{
	struct chain ch;
	uint8_t *t;

	TRY(raw_up(c, 0));
	t = raw_ring(c)->desc;
	TRY(info_request(c, &ch));
	memset(t, 0xff, 64 * 16);
	raw_desc(t, 63, ch.out_gpa, 16, D_NEXT, 7);
	raw_desc(t, 7, ch.in_gpa, INFO_ROOM, D_WRITE, 0xffff);
	raw_post(c, 63);
	return raw_answered(c, &ch, 63);
}

static int reserved_flags(struct conform *c)
{
	struct chain ch;
	uint8_t *t;

	TRY(raw_up(c, 0));
	t = raw_ring(c)->desc;
	TRY(info_request(c, &ch));
	raw_desc(t, 0, ch.out_gpa, 16, D_NEXT | 0xfff8, 1);
	raw_desc(t, 1, ch.in_gpa, INFO_ROOM, D_WRITE | 0xfff8, 0);
	raw_post(c, 0);
	return raw_answered(c, &ch, 0);
}

static int empty_descriptors(struct conform *c)
{
	struct chain ch;
	uint8_t *t;

	TRY(raw_up(c, 0));
	t = raw_ring(c)->desc;
	TRY(info_request(c, &ch));
	raw_desc(t, 0, ch.out_gpa, 0, D_NEXT, 1);
	raw_desc(t, 1, ch.out_gpa, 16, D_NEXT, 2);
	raw_desc(t, 2, ch.in_gpa, 0, D_NEXT | D_WRITE, 3);
	raw_desc(t, 3, ch.in_gpa, INFO_ROOM, D_WRITE, 0);
	raw_post(c, 0);
	return raw_answered(c, &ch, 0);
}

/* A table in memory of its own, at any alignment. */
static uint8_t *make_table(struct conform *c, unsigned entries, unsigned misalign, uint64_t *gpa)
{
	*gpa = mem_alloc(&c->rig.mem, 16 * entries + 16, 16) + misalign;
	return mem_va(&c->rig.mem, *gpa);
}

static int write_on_indirect(struct conform *c)
{
	struct chain ch;
	uint64_t gpa;
	uint8_t *t;

	TRY(raw_up(c, 0));
	TRY(need_indirect(c));
	for (unsigned i = 0; i < 2; i++) {
		TRY(info_request(c, &ch));
		t = make_table(c, 2, 0, &gpa);
		raw_desc(t, 0, ch.out_gpa, 16, D_NEXT, 1);
		raw_desc(t, 1, ch.in_gpa, INFO_ROOM, D_WRITE, 0);
		raw_desc(raw_ring(c)->desc, i, gpa, 32, D_INDIRECT | (i ? D_WRITE : 0), 0);
		raw_post(c, i);
		TRY(raw_answered(c, &ch, i));
	}
	return 0;
}

static int direct_then_indirect(struct conform *c)
{
	struct chain ch;
	uint64_t gpa;
	uint8_t *t, *ring;

	TRY(raw_up(c, 0));
	TRY(need_indirect(c));
	ring = raw_ring(c)->desc;
	for (unsigned direct = 1; direct <= 3; direct += 2) {
		TRY(info_request(c, &ch));
		t = make_table(c, 2, 0, &gpa);
		for (unsigned i = 0; i < direct; i++)
			raw_desc(ring, i, ch.out_gpa + 4 * i, 4, D_NEXT, i + 1);
		raw_desc(ring, direct, gpa, 32, D_INDIRECT, 0);
		raw_desc(t, 0, ch.out_gpa + 4 * direct, 16 - 4 * direct, D_NEXT, 1);
		raw_desc(t, 1, ch.in_gpa, INFO_ROOM, D_WRITE, 0);
		raw_post(c, 0);
		TRY(raw_answered(c, &ch, 0));
	}
	return 0;
}

static int table_order(struct conform *c)
{
	struct chain ch;
	uint64_t gpa;
	uint8_t *t;

	TRY(raw_up(c, 0));
	TRY(need_indirect(c));
	for (unsigned i = 0; i < 2; i++) {
		TRY(info_request(c, &ch));
		t = make_table(c, 6, i * 5, &gpa); /* not aligned the second time */
		memset(t, 0xff, 96);
		raw_desc(t, 0, ch.out_gpa, 7, D_NEXT, 5);
		raw_desc(t, 5, ch.out_gpa + 7, 9, D_NEXT, 2);
		raw_desc(t, 2, ch.in_gpa, INFO_ROOM, D_WRITE, 77);
		raw_desc(raw_ring(c)->desc, i, gpa, 96, D_INDIRECT, 99);
		raw_post(c, i);
		TRY(raw_answered(c, &ch, i));
	}
	return 0;
}

enum damage { LOOP_SELF, LOOP_TWO, NEXT_BEYOND, IND_NOT_NEGOTIATED, IND_NESTED, IND_WITH_NEXT,
	IND_EMPTY, IND_ODD, IND_UNMAPPED, IND_NEXT_BEYOND, IDX_JUMP, IDX_BACK, HEAD_BEYOND };

static void damage(struct conform *c, const struct chain *ch, enum damage what, uint8_t *t,
	uint64_t gpa)
{
	uint8_t *ring = raw_ring(c)->desc;
	bool inside = what == IND_NESTED || what == IND_NEXT_BEYOND;

	raw_desc(ring, 0, ch->out_gpa, 16, D_NEXT, what == LOOP_SELF ? 0 : what == NEXT_BEYOND
		? 64 : 1);
	raw_desc(ring, 1, ch->in_gpa, INFO_ROOM, what == LOOP_TWO ? D_WRITE | D_NEXT : D_WRITE, 0);
	raw_desc(t, 0, ch->out_gpa, 16, D_NEXT, what == IND_NEXT_BEYOND ? 2 : 1);
	raw_desc(t, 1, inside ? gpa : ch->in_gpa, inside ? 32 : INFO_ROOM,
		what == IND_NESTED ? D_INDIRECT : D_WRITE, 0);
	if (what >= IND_NOT_NEGOTIATED && what <= IND_NEXT_BEYOND)
		raw_desc(ring, 0, what == IND_UNMAPPED ? 0xdead00000000ULL : gpa,
			what == IND_EMPTY ? 0 : what == IND_ODD ? 24 : 32,
			D_INDIRECT | (what == IND_WITH_NEXT ? D_NEXT : 0), 1);
}

/* The process lives, and the rest of it works. */
static int survives(struct conform *c)
{
	enum damage what = (enum damage)c->scenario->arg;
	struct chain ch;
	uint64_t gpa;
	uint8_t *t;

	TRY(raw_up(c, what == IND_NOT_NEGOTIATED ? BIT(VIRTIO_F_INDIRECT_DESC) : 0));
	TRY(info_request(c, &ch));
	t = make_table(c, 2, 0, &gpa);
	damage(c, &ch, what, t, gpa);
	if (what == IDX_JUMP)
		raw_ring(c)->avail_idx = (uint16_t)(raw_ring(c)->avail_idx + 65);
	if (what == IDX_BACK)
		raw_ring(c)->avail_idx = (uint16_t)(raw_ring(c)->avail_idx - 3);
	raw_post(c, what == HEAD_BEYOND ? 64 : 0);
	sleep_us(100000);
	TRY(wire_alive(c));
	EXPECT(c, chain_guards_intact(&ch), "the device wrote outside the buffers");
	/* Another session is not affected. */
	rig_down(c);
	TRY(rig_up(c, NULL));
	return still_works(c);
}

static int signalled(struct conform *c)
{
	eventfd_t n = 0;
	struct chain ch;

	TRY(raw_up(c, 0));
	TRY(info_request(c, &ch));
	raw_desc(raw_ring(c)->desc, 0, ch.out_gpa, 16, D_NEXT, 0);
	raw_post(c, 0);
	sleep_us(100000);
	EXPECT_EQ(c, ring_used_idx(raw_ring(c)), raw_ring(c)->used_seen,
		"used index after a chain that has no end");
	(void)!eventfd_read(c->rig.fe.queue[Q_CONTROL].err, &n);
	EXPECT(c, n, "no error was signalled for a loop");
	return 0;
}

static int free_running(struct conform *c)
{
	struct chain ch;

	TRY(rig_up(c, NULL));
	TRY(info_request(c, &ch));
	for (unsigned i = 0; i < 66000; i++) {
		ch.done = false;
		TRY(chain_send(c, &ch));
		TRY(chain_wait(c, &ch));
		EXPECT_EQ(c, ch.len, INFO_ROOM, "used length of request %u", i);
	}
	return 0;
}

static int bad_addresses(struct conform *c)
{
	const struct mem_region *r;
	uint8_t *t;

	TRY(raw_up(c, 0));
	t = raw_ring(c)->desc;
	r = &c->rig.mem.region[0];
	const uint64_t bad[] = { 0, 0xdead00000000ULL, r->gpa + r->size - 15, r->gpa + r->size,
		0xfffffffffffffff8ULL };

	for (unsigned i = 0; i < 10; i++) {
		struct chain ch;
		uint32_t id, len;
		bool readable = i < 5;

		TRY(info_request(c, &ch));
		raw_desc(t, 0, readable ? bad[i] : ch.out_gpa, 16, D_NEXT, 1);
		raw_desc(t, 1, readable ? ch.in_gpa : bad[i - 5], INFO_ROOM, D_WRITE, 0);
		trace(c, "-> a request with its %s part at 0x%llx", readable ? "readable"
			: "writable", (unsigned long long)bad[i % 5]);
		raw_post(c, 0);
		TRY(raw_used(c, &id, &len));
		EXPECT(c, len < INFO_ROOM, "a request that is not in memory was executed");
		EXPECT(c, chain_guards_intact(&ch), "the device wrote outside the buffers");
	}
	return raw_plain(c, 3);
}

#define SPL "virtio 1.4, Split Virtqueues: "
#define SURVIVE(name, what, text)                                                          \
	{ .id = name, .title = text ": nothing else breaks", .run = survives, .arg = what, \
		.clause = SPL "drivers MUST NOT; a device must not be taken down by it" }

const struct scenario split_scenarios[] = {
	{ .id = "SPL-LAY-1", .title = "ring sizes from 2 to 32768", .run = ring_sizes,
		.clause = SPL "a power of two up to 32768", .limit_s = 30 },
	{ .id = "SPL-FRM-2", .title = "1000 descriptors in an indirect table",
		.run = long_table, .recommended = true, .clause = SPL "Linux may exceed the ring" },
	{ .id = "SPL-FRM-3", .title = "the writable part comes first", .run = writable_first,
		.recommended = true, .clause = SPL "drivers MUST NOT; the message fails" },
	{ .id = "SPL-DSC-3", .title = "the descriptor table is not written to",
		.run = table_untouched, .clause = SPL "MUST NOT write to a descriptor table entry" },
	{ .id = "SPL-DSC-4", .title = "next counts only with NEXT", .run = unused_fields,
		.clause = SPL "descriptors anywhere in the table" },
	{ .id = "SPL-DSC-7", .title = "reserved descriptor flags are ignored",
		.run = reserved_flags, .recommended = true, .clause = SPL "silent" },
	{ .id = "SPL-DSC-8", .title = "descriptors of no bytes", .run = empty_descriptors,
		.recommended = true, .clause = SPL "not excluded" },
	{ .id = "SPL-IND-1", .title = "WRITE on an indirect descriptor is ignored",
		.run = write_on_indirect, .clause = SPL "MUST ignore the write-only flag" },
	{ .id = "SPL-IND-2", .title = "direct descriptors, then an indirect one",
		.run = direct_then_indirect, .clause = SPL "MUST handle zero or more" },
	{ .id = "SPL-IND-3", .title = "an indirect table in any order, at any alignment",
		.run = table_order, .clause = SPL "chained by next" },
	SURVIVE("SPL-DSC-5", LOOP_SELF, "a descriptor that follows itself"),
	SURVIVE("SPL-DSC-5b", LOOP_TWO, "two descriptors in a circle"),
	SURVIVE("SPL-DSC-5c", NEXT_BEYOND, "a next beyond the table"),
	SURVIVE("SPL-IND-4", IND_NOT_NEGOTIATED, "INDIRECT that was not negotiated"),
	SURVIVE("SPL-IND-5", IND_NESTED, "INDIRECT inside a table"),
	SURVIVE("SPL-IND-7", IND_WITH_NEXT, "INDIRECT with NEXT"),
	SURVIVE("SPL-IND-8", IND_EMPTY, "an empty table"),
	SURVIVE("SPL-IND-8b", IND_ODD, "a table of 24 bytes"),
	SURVIVE("SPL-IND-8c", IND_UNMAPPED, "a table outside of memory"),
	SURVIVE("SPL-IND-8d", IND_NEXT_BEYOND, "a next beyond an indirect table"),
	SURVIVE("SPL-AVL-2", IDX_JUMP, "an available index too far ahead"),
	SURVIVE("SPL-AVL-2b", IDX_BACK, "an available index that goes back"),
	SURVIVE("SPL-AVL-3", HEAD_BEYOND, "a head beyond the ring"),
	{ .id = "SPL-DSC-5d", .title = "a loop stops the ring and is signalled",
		.run = signalled, .recommended = true, .clause = "vhost-user, SET_VRING_ERR" },
	{ .id = "SPL-AVL-1", .title = "66 000 requests: indices run freely",
		.run = free_running, .clause = SPL "idx modulo the size", .limit_s = 60 },
	{ .id = "SPL-AVL-4", .title = "buffers outside of memory fail alone",
		.run = bad_addresses, .recommended = true, .clause = SPL "silent" },
	{ 0 },
};
