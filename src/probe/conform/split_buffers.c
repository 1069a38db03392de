/* SPDX-License-Identifier: BSD-3-Clause */
/* Split rings: what happens to buffers, and what comes into the used ring. */
#include <stdlib.h>
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/raw.h"
#include "probe/conform/wire.h"
#include "probe/report.h"

/* Descriptor table above available ring above used ring, each in a region of its own. */
static int parts_apart(struct conform *c)
{
	struct ring *r = raw_ring(c);
	struct fe_queue *q = &c->rig.fe.queue[Q_CONTROL];

	TRY(rig_up(c, &(struct rig_setup){ .regions = 3, .inactive = true, .queue_size = 64 }));
	c->rig.mem.turn = 0;
	r->used_gpa = mem_alloc(&c->rig.mem, 6 + 8 * 64, 4);
	r->avail_gpa = mem_alloc(&c->rig.mem, 6 + 2 * 64, 2);
	r->desc_gpa = mem_alloc(&c->rig.mem, 16 * 64, 16);
	INSIST(c, r->used_gpa && r->avail_gpa && r->desc_gpa, "guest memory is full");
	r->used = mem_va(&c->rig.mem, r->used_gpa);
	r->avail = mem_va(&c->rig.mem, r->avail_gpa);
	r->desc = mem_va(&c->rig.mem, r->desc_gpa);
	ring_reset(r);
	q->desc = r->desc_gpa;
	q->avail = r->avail_gpa;
	q->used = r->used_gpa;
	trace(c, "   descriptors at 0x%llx, available at 0x%llx, used at 0x%llx",
		(unsigned long long)q->desc, (unsigned long long)q->avail,
		(unsigned long long)q->used);
	TRY(rig_activate(c));
	for (unsigned i = 0; i < 100; i++)
		TRY(still_works(c));
	return 0;
}

/* Cut into two readable and two writable descriptors, at every place. */
static int cut_anywhere(struct conform *c)
{
	uint8_t *t;

	TRY(raw_up(c, 0));
	t = raw_ring(c)->desc;
	for (unsigned at = 1; at < INFO_ROOM; at++) {
		unsigned in = at < 16 ? at : 8;
		struct chain ch;

		TRY(info_request(c, &ch));
		raw_desc(t, 0, ch.out_gpa, in, D_NEXT, 1);
		raw_desc(t, 1, ch.out_gpa + in, 16 - in, D_NEXT, 2);
		raw_desc(t, 2, ch.in_gpa, at, D_WRITE | D_NEXT, 3);
		raw_desc(t, 3, ch.in_gpa + at, INFO_ROOM - at, D_WRITE, 0);
		raw_post(c, 0);
		TRY(raw_answered(c, &ch, 0));
	}
	return 0;
}

/* Requests of every code, with what is behind them. */
static int requests_unchanged(struct conform *c)
{
	static const uint32_t codes[] = { 1, 2, 0x100, 0x101, 0x102, 0x104, 0x105, 0x103, 0x200,
		0x300, 0x301, 0x302, 0x303, 0x304, 0x305, 0x306, 0x7777 };
	uint8_t q[64];
	struct answer a;

	TRY(rig_up(c, NULL));
	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		for (unsigned k = 0; k < sizeof(q); k++)
			q[k] = (uint8_t)(k < 16 ? 0 : k * 3 + i);
		put32(q, codes[i]);
		put32(q + 8, 1);
		put32(q + 12, 32);
		TRY(ctl(c, q, sizeof(q), 600, &a));
		EXPECT(c, !memcmp(a.chain.out, q, sizeof(q)), "request 0x%x was written to",
			codes[i]);
	}
	return 0;
}

/* The same answer, whatever was in the buffer before. */
static int prefill_is_nothing(struct conform *c)
{
	static const int fills[] = { 0, 0xff, POISON, 0x5a };
	uint8_t first[INFO_ROOM];

	TRY(rig_up(c, NULL));
	for (unsigned i = 0; i < 4; i++) {
		struct chain ch;

		TRY(info_request(c, &ch));
		memset(ch.in, fills[i], ch.in_bytes);
		TRY(chain_send(c, &ch));
		TRY(chain_wait(c, &ch));
		EXPECT_EQ(c, ch.len, INFO_ROOM, "used length");
		if (!i)
			memcpy(first, ch.in, INFO_ROOM);
		EXPECT(c, !memcmp(first, ch.in, INFO_ROOM),
			"the answer into bytes of 0x%x is another one", fills[i]);
	}
	return 0;
}

/* More than 2^32 bytes in a chain, over the same 64 MiB. */
static int four_gib(struct conform *c)
{
	static struct element e[72];
	struct chain ch, good;
	uint32_t out, bytes = 64u << 20;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(need_indirect(c));
	TRY(stream_bring(c, out, ST_RUN));
	TRY(tx_init(c, &ch, out, bytes));
	e[0] = (struct element){ ch.out_gpa, 4, false };
	for (unsigned i = 1; i < 71; i++)
		e[i] = (struct element){ ch.out_gpa + 4, bytes, false };
	e[71] = (struct element){ ch.in_gpa, 8, true };
	trace(c, "-> an output message of 4.4 GiB");
	TRY(chain_post_as(c, &ch, e, 72));
	rig_kick(c, Q_TX);
	TRY(chain_wait(c, &ch));
	TRY(io_refused(c, &ch, "a message of more than 2^32 bytes"));
	TRY(tx_send(c, &good, out, stream_params(c, out).period_bytes));
	TRY(chain_wait(c, &good));
	return io_ok(c, &good, "a message behind it");
}

/* A table of 65536 entries, in a ring of 64. */
static int endless_table(struct conform *c)
{
	unsigned n = 65536;
	struct chain ch;
	uint64_t gpa;
	uint8_t *t;

	TRY(raw_up(c, 0));
	TRY(need_indirect(c));
	TRY(info_request(c, &ch));
	gpa = mem_alloc(&c->rig.mem, 16ULL * n, 16);
	INSIST(c, gpa, "guest memory is full");
	t = mem_va(&c->rig.mem, gpa);
	for (unsigned i = 0; i < n - 1; i++)
		raw_desc(t, i, ch.out_gpa, 0, D_NEXT, (i + 1) & 0xffff);
	raw_desc(t, n - 1, ch.in_gpa, INFO_ROOM, D_WRITE, 0);
	raw_desc(raw_ring(c)->desc, 0, gpa, 16 * n, D_INDIRECT, 0);
	raw_post(c, 0);
	sleep_us(100000);
	TRY(wire_alive(c));
	EXPECT(c, chain_guards_intact(&ch), "the device wrote outside the buffers");
	rig_down(c);
	TRY(rig_up(c, NULL));
	return still_works(c);
}

/* What has been made available changes under the device's eyes.  Nothing can be
 * said about such a message, only about the rest. */
static int changed_under_way(struct conform *c)
{
	TRY(raw_up(c, 0));
	srand(1);
	for (unsigned i = 0; i < 60; i++) {
		struct ring *r = raw_ring(c);
		struct chain ch;

		TRY(raw_describe(c, &ch, 0));
		raw_post(c, 0);
		for (unsigned k = 0; k < 2000; k++) {
			uint8_t *d = r->desc + 16 * (rand() & 1);

			if (k & 1)
				raw_desc(r->desc, 0, ch.out_gpa, 16, D_NEXT, 1);
			else if (rand() & 1)
				put32(d + 8, (uint32_t)rand() << 1);
			else
				d[rand() & 15] = (uint8_t)rand();
		}
		sleep_us(1000);
		TRY(wire_alive(c));
		EXPECT(c, chain_guards_intact(&ch), "the device wrote outside the buffers");
		TRY(rig_reset(c));
	}
	rig_down(c);
	TRY(rig_up(c, NULL));
	return still_works(c);
}

/* Used entries are poisoned, and looked at the moment the index has moved. */
static int entries_before_index(struct conform *c)
{
	struct ring *r = raw_ring(c);

	TRY(raw_up(c, 0));
	for (unsigned i = 0; i < 3000; i++) {
		int64_t end = now_ns() + (int64_t)answer_ms(c) * 1000000;
		uint8_t *entry = r->used + 4 + 8 * (r->used_seen & (r->is.size - 1));
		struct chain ch;

		TRY(raw_describe(c, &ch, i % 32));
		memset(entry, 0xff, 8);
		raw_post(c, i % 32 * 2);
		while (ring_used_idx(r) == r->used_seen)
			EXPECT(c, now_ns() < end && !interrupted(), "no answer to request %u", i);
		if (c->scenario->arg) {
			EXPECT_EQ(c, get32(ch.in), SND_S_OK, "status when the index moved");
			EXPECT(c, get32(ch.in + 12) != POISON * 0x01010101u,
				"the answer was not written when the index moved");
		}
		EXPECT_EQ(c, get32(entry), i % 32 * 2, "id when the index moved, request %u", i);
		EXPECT_EQ(c, get32(entry + 4), INFO_ROOM, "length when the index moved");
		r->used_seen++;
	}
	return 0;
}

/* ring.c judges each used entry: a head that is in flight, once. */
static int heads_once(struct conform *c)
{
	static struct chain ch[48];
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned round = 0; round < 30; round++) {
		unsigned n = 1 + round * 7 % 24;

		for (unsigned i = 0; i < n; i++) {
			TRY(info_request(c, &ch[i]));
			TRY(chain_send(c, &ch[i]));
			TRY(tx_send(c, &ch[24 + i], out, 64));
		}
		TRY(chains_wait(c, ch, n, answer_ms(c)));
		TRY(chains_wait(c, ch + 24, n, answer_ms(c)));
	}
	for (unsigned i = 0; i < QUEUES; i++) {
		const struct ring *r = &c->rig.ring[i];

		EXPECT(c, !r->faults.count, "queue %u: %s", i, r->faults.first);
		EXPECT_EQ(c, r->in_flight, i == Q_EVENT ? EVENTS : 0, "missing heads of queue %u",
			i);
	}
	return 0;
}

static int index_from_memory(struct conform *c)
{
	TRY(raw_up_at(c, 0, 0xfffe));
	for (unsigned i = 0; i < 8; i++)
		TRY(raw_plain(c, i));
	EXPECT_EQ(c, ring_used_idx(raw_ring(c)), 6, "used index eight behind 0xfffe");
	return 0;
}

static int up_in_order(struct conform *c, bool scatter)
{
	TRY(rig_up(c, &(struct rig_setup){ .with = BIT(VIRTIO_F_IN_ORDER), .scatter = scatter,
		.front_end = "qemu" }));
	return c->rig.fe.features & BIT(VIRTIO_F_IN_ORDER) ? 0
		: skip(c, "IN_ORDER is not offered");
}

/* One stream holds its messages, another one's are behind them. */
static int in_order(struct conform *c)
{
	struct ring *tx = &c->rig.ring[Q_TX];
	struct chain held[4], next[4];
	uint32_t first, second;
	int64_t end;

	TRY(up_in_order(c, false));
	c->rig.faults_expected = true; /* a batch is one entry */
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &first));
	TRY(stream_pick(c, SND_D_OUTPUT, 1, &second));
	TRY(stream_bring(c, first, ST_PREP));
	TRY(stream_bring(c, second, ST_RUN));
	for (unsigned i = 0; i < 4; i++)
		TRY(tx_send(c, &held[i], first, stream_params(c, first).period_bytes));
	for (unsigned i = 0; i < 4; i++)
		TRY(tx_send(c, &next[i], second, stream_params(c, second).period_bytes));
	TRY(rig_watch(c, QUIET_MS));
	EXPECT_EQ(c, ring_used_idx(tx), 0, "messages used before those that came first");
	TRY(must_pcm(c, SND_R_PCM_RELEASE, first));
	for (end = now_ns() + 1000000000; ring_used_idx(tx) < 8 && now_ns() < end;)
		TRY(rig_poll(c, 10000000));
	EXPECT_EQ(c, ring_used_idx(tx), 8, "used index when the first stream is released");
	return 0;
}

/* Descriptors in another order than the table's, which drivers do not have then. */
static int in_order_scattered(struct conform *c)
{
	struct chain ch;

	TRY(up_in_order(c, true));
	for (unsigned i = 0; i < 50; i++) {
		TRY(info_request(c, &ch));
		TRY(chain_send(c, &ch));
		TRY(chain_wait(c, &ch));
		EXPECT_EQ(c, ch.len, INFO_ROOM, "used length of request %u", i);
	}
	return 0;
}

#define SPL  "virtio 1.4, Split Virtqueues: "
#define USED "virtio 1.4, The Virtqueue Used Ring (device): "
#define ORD  "virtio 1.4, In-order use of descriptors: "

const struct scenario split_buffer_scenarios[] = {
	{ .id = "SPL-LAY-4", .title = "the parts in three regions, in reverse order",
		.run = parts_apart, .clause = SPL "each is located on its own" },
	{ .id = "SPL-FRM-1", .title = "a request and its answer cut at every place",
		.run = cut_anywhere,
		.clause = "virtio 1.4, Message Framing: MUST NOT assume any arrangement" },
	{ .id = "SPL-DSC-1", .title = "requests are not written to", .run = requests_unchanged,
		.clause = SPL "MUST NOT write to a device-readable buffer" },
	{ .id = "SPL-DSC-2", .title = "what was in a buffer makes no difference",
		.run = prefill_is_nothing, .clause = SPL "SHOULD NOT read a device-writable buffer" },
	{ .id = "SPL-DSC-6", .title = "a chain of more than 2^32 bytes", .run = four_gib,
		.recommended = true, .clause = SPL "drivers MUST NOT; the message fails" },
	{ .id = "SPL-IND-6", .title = "a table of 65536 entries: nothing else breaks",
		.run = endless_table, .clause = SPL "drivers MUST NOT exceed the queue size" },
	{ .id = "SPL-IND-9", .title = "with IN_ORDER, a table in any order",
		.run = in_order_scattered, .clause = SPL "drivers MUST; next counts" },
	{ .id = "SPL-AVL-6", .title = "buffers seen before the kick", .clause = "",
		.untestable = "a MAY of the device; the order of its loads shows on no x86 host" },
	{ .id = "SPL-AVL-7", .title = "buffers that change under way: nothing else breaks",
		.run = changed_under_way, .clause = "virtio 1.4, Device Cleanup: drivers MUST NOT",
		.limit_s = 40 },
	{ .id = "SPL-USE-1", .title = "an entry is there when the index says so",
		.run = entries_before_index, .clause = USED "MUST set len before idx" },
	{ .id = "SPL-USE-2", .title = "so are the bytes of the answer",
		.run = entries_before_index, .arg = 1, .clause = USED "MUST write len bytes before" },
	{ .id = "SPL-USE-3", .title = "more bytes written than len", .clause = "",
		.untestable = "a MAY of the device: no answer would be wrong" },
	{ .id = "SPL-USE-4", .title = "each head comes back once", .run = heads_once,
		.clause = "virtio 1.4, The Virtqueue Used Ring: id is the head's index" },
	{ .id = "SPL-USE-5", .title = "the used index goes on at what is in memory",
		.run = index_from_memory, .clause = "virtio 1.4, The Virtqueue Used Ring: idx" },
	{ .id = "SPL-ORD-1", .title = "with IN_ORDER, used as made available", .run = in_order,
		.clause = ORD "MUST" },
	{ .id = "SPL-ORD-2", .title = "with IN_ORDER, one entry for a batch", .clause = "",
		.untestable = "a MAY of the device; drivers take what is skipped for full" },
	{ .id = "SPL-ORD-4", .title = "with IN_ORDER, chains anywhere in the table",
		.run = in_order_scattered, .clause = ORD "drivers MUST; next counts" },
	{ 0 },
};
