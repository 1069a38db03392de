/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Split rings, with descriptors written by hand.
 *
 * The ring of the rig does what drivers do; here the control queue is driven
 * past it, because what drivers do not do is the point.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/wire.h"
#include "probe/report.h"

#define NEXT	 1u
#define WRITE	 2u
#define INDIRECT 4u
#define ROOM	 36u /* for the answer to a PCM_INFO of one stream */
#define SETTLE_MS 20

static void put_desc(uint8_t *table, unsigned i, uint64_t gpa, uint32_t len, unsigned flags,
	unsigned next)
{
	put64(table + 16 * i, gpa);
	put32(table + 16 * i + 8, len);
	put16(table + 16 * i + 12, (uint16_t)flags);
	put16(table + 16 * i + 14, (uint16_t)next);
}

static struct ring *control(struct conform *c)
{
	return &c->rig.ring[Q_CONTROL];
}

/* Makes a head available and kicks, whatever the device wants. */
static void post(struct conform *c, unsigned head)
{
	struct ring *r = control(c);

	put16(r->avail + 4 + 2 * (r->avail_idx & (r->is.size - 1)), (uint16_t)head);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	put16(r->avail + 2, ++r->avail_idx);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	eventfd_write(r->kick_fd, 1);
}

static void sleep_us(long us)
{
	nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

/* The next used entry. */
static int used(struct conform *c, uint32_t *ret_id, uint32_t *ret_len)
{
	struct ring *r = control(c);
	int64_t end = now_ns() + (int64_t)answer_ms(c) * 1000000;
	const uint8_t *p = r->used + 4 + 8 * (r->used_seen & (r->is.size - 1));

	while (ring_used_idx(r) == r->used_seen) {
		EXPECT(c, now_ns() < end && !interrupted(), "the message did not come back");
		sleep_us(20);
	}
	r->used_seen++;
	*ret_id = get32(p);
	*ret_len = get32(p + 4);
	return 0;
}

static uint64_t calls(struct conform *c)
{
	eventfd_t n = 0;

	(void)!eventfd_read(c->rig.fe.queue[Q_CONTROL].call, &n);
	return n;
}

/* A PCM_INFO for one stream, in a buffer; the caller describes it. */
static int request(struct conform *c, struct chain *ch)
{
	TRY(chain_init(c, ch, Q_CONTROL, 16, ROOM));
	put32(ch->out, SND_R_PCM_INFO);
	put32(ch->out + 8, 1);
	put32(ch->out + 12, 32);
	return 0;
}

static int answered(struct conform *c, const struct chain *ch, uint32_t head)
{
	uint32_t id, len;

	TRY(used(c, &id, &len));
	EXPECT_EQ(c, id, head, "id in the used ring");
	EXPECT_EQ(c, len, ROOM, "used length");
	EXPECT_EQ(c, get32(ch->in), SND_S_OK, "status");
	return 0;
}

/* The plain way, descriptors 2n and 2n + 1. */
static int plain(struct conform *c, unsigned n)
{
	struct chain ch;
	uint8_t *t = control(c)->desc;

	TRY(request(c, &ch));
	put_desc(t, 2 * n, ch.out_gpa, 16, NEXT, 2 * n + 1);
	put_desc(t, 2 * n + 1, ch.in_gpa, ROOM, WRITE, 0);
	post(c, 2 * n);
	return answered(c, &ch, 2 * n);
}

static int up(struct conform *c, uint64_t without)
{
	/* QEMU gives the rings their error eventfds; others do not. */
	TRY(rig_up(c, &(struct rig_setup){ .without = without, .queue_size = 64,
		.front_end = "qemu" }));
	c->rig.faults_expected = true; /* what is posted here is not the ring's */
	if (!c->rig.counts.streams)
		return skip(c, "the device has no streams");
	return 0;
}

static int need_indirect(struct conform *c)
{
	return c->rig.fe.features & BIT(VIRTIO_F_INDIRECT_DESC) ? 0
		: skip(c, "INDIRECT_DESC is not offered");
}

static int need_event_idx(struct conform *c)
{
	return c->rig.fe.features & BIT(VIRTIO_F_EVENT_IDX) ? 0
		: skip(c, "EVENT_IDX is not offered");
}

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
	TRY(chain_init(c, &ch, Q_CONTROL, 964, ROOM));
	put32(ch.out, SND_R_PCM_INFO);
	put32(ch.out + 8, 1);
	put32(ch.out + 12, 32);
	for (uint32_t i = 0; i < 1000; i++)
		e[i] = (struct element){ i < 964 ? ch.out_gpa + i : ch.in_gpa + i - 964, 1,
			i >= 964 };
	TRY(chain_post_as(c, &ch, e, 1000));
	rig_kick(c, Q_CONTROL);
	TRY(chain_wait(c, &ch));
	EXPECT_EQ(c, ch.len, ROOM, "used length of a request in 1000 descriptors");
	return 0;
}

static int writable_first(struct conform *c)
{
	struct chain ch;
	uint32_t id, len;
	uint8_t *t;

	TRY(up(c, 0));
	t = control(c)->desc;
	TRY(request(c, &ch));
	put_desc(t, 0, ch.in_gpa, ROOM, WRITE | NEXT, 1);
	put_desc(t, 1, ch.out_gpa, 16, 0, 0);
	post(c, 0);
	TRY(used(c, &id, &len));
	EXPECT(c, len < ROOM, "a request behind its answer was executed");
	return plain(c, 2);
}

static int table_untouched(struct conform *c)
{
	uint8_t before[64 * 16];

	TRY(up(c, 0));
	for (unsigned i = 0; i < 32; i++)
		TRY(plain(c, i));
	memcpy(before, control(c)->desc, sizeof(before));
	for (unsigned i = 0; i < 4; i++) {
		TRY(plain(c, 0));
		/* Only the two descriptors that were written anew may differ. */
		EXPECT(c, !memcmp(before + 32, control(c)->desc + 32, sizeof(before) - 32),
			"the descriptor table was written to");
	}
	return 0;
}

static int unused_fields(struct conform *c)
{
	struct chain ch;
	uint8_t *t;

	TRY(up(c, 0));
	t = control(c)->desc;
	TRY(request(c, &ch));
	memset(t, 0xff, 64 * 16);
	put_desc(t, 63, ch.out_gpa, 16, NEXT, 7);
	put_desc(t, 7, ch.in_gpa, ROOM, WRITE, 0xffff);
	post(c, 63);
	return answered(c, &ch, 63);
}

static int reserved_flags(struct conform *c)
{
	struct chain ch;
	uint8_t *t;

	TRY(up(c, 0));
	t = control(c)->desc;
	TRY(request(c, &ch));
	put_desc(t, 0, ch.out_gpa, 16, NEXT | 0xfff8, 1);
	put_desc(t, 1, ch.in_gpa, ROOM, WRITE | 0xfff8, 0);
	post(c, 0);
	return answered(c, &ch, 0);
}

static int empty_descriptors(struct conform *c)
{
	struct chain ch;
	uint8_t *t;

	TRY(up(c, 0));
	t = control(c)->desc;
	TRY(request(c, &ch));
	put_desc(t, 0, ch.out_gpa, 0, NEXT, 1);
	put_desc(t, 1, ch.out_gpa, 16, NEXT, 2);
	put_desc(t, 2, ch.in_gpa, 0, NEXT | WRITE, 3);
	put_desc(t, 3, ch.in_gpa, ROOM, WRITE, 0);
	post(c, 0);
	return answered(c, &ch, 0);
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

	TRY(up(c, 0));
	TRY(need_indirect(c));
	for (unsigned i = 0; i < 2; i++) {
		TRY(request(c, &ch));
		t = make_table(c, 2, 0, &gpa);
		put_desc(t, 0, ch.out_gpa, 16, NEXT, 1);
		put_desc(t, 1, ch.in_gpa, ROOM, WRITE, 0);
		put_desc(control(c)->desc, i, gpa, 32, INDIRECT | (i ? WRITE : 0), 0);
		post(c, i);
		TRY(answered(c, &ch, i));
	}
	return 0;
}

static int direct_then_indirect(struct conform *c)
{
	struct chain ch;
	uint64_t gpa;
	uint8_t *t, *ring;

	TRY(up(c, 0));
	TRY(need_indirect(c));
	ring = control(c)->desc;
	for (unsigned direct = 1; direct <= 3; direct += 2) {
		TRY(request(c, &ch));
		t = make_table(c, 2, 0, &gpa);
		for (unsigned i = 0; i < direct; i++)
			put_desc(ring, i, ch.out_gpa + 4 * i, 4, NEXT, i + 1);
		put_desc(ring, direct, gpa, 32, INDIRECT, 0);
		put_desc(t, 0, ch.out_gpa + 4 * direct, 16 - 4 * direct, NEXT, 1);
		put_desc(t, 1, ch.in_gpa, ROOM, WRITE, 0);
		post(c, 0);
		TRY(answered(c, &ch, 0));
	}
	return 0;
}

static int table_order(struct conform *c)
{
	struct chain ch;
	uint64_t gpa;
	uint8_t *t;

	TRY(up(c, 0));
	TRY(need_indirect(c));
	for (unsigned i = 0; i < 2; i++) {
		TRY(request(c, &ch));
		t = make_table(c, 6, i * 5, &gpa); /* not aligned the second time */
		memset(t, 0xff, 96);
		put_desc(t, 0, ch.out_gpa, 7, NEXT, 5);
		put_desc(t, 5, ch.out_gpa + 7, 9, NEXT, 2);
		put_desc(t, 2, ch.in_gpa, ROOM, WRITE, 77);
		put_desc(control(c)->desc, i, gpa, 96, INDIRECT, 99);
		post(c, i);
		TRY(answered(c, &ch, i));
	}
	return 0;
}

enum damage { LOOP_SELF, LOOP_TWO, NEXT_BEYOND, IND_NOT_NEGOTIATED, IND_NESTED, IND_WITH_NEXT,
	IND_EMPTY, IND_ODD, IND_UNMAPPED, IND_NEXT_BEYOND, IDX_JUMP, IDX_BACK, HEAD_BEYOND };

static void damage(struct conform *c, const struct chain *ch, enum damage what, uint8_t *t,
	uint64_t gpa)
{
	uint8_t *ring = control(c)->desc;
	bool inside = what == IND_NESTED || what == IND_NEXT_BEYOND;

	put_desc(ring, 0, ch->out_gpa, 16, NEXT, what == LOOP_SELF ? 0 : what == NEXT_BEYOND
		? 64 : 1);
	put_desc(ring, 1, ch->in_gpa, ROOM, what == LOOP_TWO ? WRITE | NEXT : WRITE, 0);
	put_desc(t, 0, ch->out_gpa, 16, NEXT, what == IND_NEXT_BEYOND ? 2 : 1);
	put_desc(t, 1, inside ? gpa : ch->in_gpa, inside ? 32 : ROOM,
		what == IND_NESTED ? INDIRECT : WRITE, 0);
	if (what >= IND_NOT_NEGOTIATED && what <= IND_NEXT_BEYOND)
		put_desc(ring, 0, what == IND_UNMAPPED ? 0xdead00000000ULL : gpa,
			what == IND_EMPTY ? 0 : what == IND_ODD ? 24 : 32,
			INDIRECT | (what == IND_WITH_NEXT ? NEXT : 0), 1);
}

/* The process lives, and the rest of it works. */
static int survives(struct conform *c)
{
	enum damage what = (enum damage)c->scenario->arg;
	struct chain ch;
	uint64_t gpa;
	uint8_t *t;

	TRY(up(c, what == IND_NOT_NEGOTIATED ? BIT(VIRTIO_F_INDIRECT_DESC) : 0));
	TRY(request(c, &ch));
	t = make_table(c, 2, 0, &gpa);
	damage(c, &ch, what, t, gpa);
	if (what == IDX_JUMP)
		control(c)->avail_idx = (uint16_t)(control(c)->avail_idx + 65);
	if (what == IDX_BACK)
		control(c)->avail_idx = (uint16_t)(control(c)->avail_idx - 3);
	post(c, what == HEAD_BEYOND ? 64 : 0);
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

	TRY(up(c, 0));
	TRY(request(c, &ch));
	put_desc(control(c)->desc, 0, ch.out_gpa, 16, NEXT, 0);
	post(c, 0);
	sleep_us(100000);
	EXPECT_EQ(c, ring_used_idx(control(c)), control(c)->used_seen,
		"used index after a chain that has no end");
	(void)!eventfd_read(c->rig.fe.queue[Q_CONTROL].err, &n);
	EXPECT(c, n, "no error was signalled for a loop");
	return 0;
}

static int free_running(struct conform *c)
{
	struct chain ch;

	TRY(rig_up(c, NULL));
	TRY(request(c, &ch));
	for (unsigned i = 0; i < 66000; i++) {
		ch.done = false;
		TRY(chain_send(c, &ch));
		TRY(chain_wait(c, &ch));
		EXPECT_EQ(c, ch.len, ROOM, "used length of request %u", i);
	}
	return 0;
}

static int bad_addresses(struct conform *c)
{
	const struct mem_region *r;
	uint8_t *t;

	TRY(up(c, 0));
	t = control(c)->desc;
	r = &c->rig.mem.region[0];
	const uint64_t bad[] = { 0, 0xdead00000000ULL, r->gpa + r->size - 15, r->gpa + r->size,
		0xfffffffffffffff8ULL };

	for (unsigned i = 0; i < 10; i++) {
		struct chain ch;
		uint32_t id, len;
		bool readable = i < 5;

		TRY(request(c, &ch));
		put_desc(t, 0, readable ? bad[i] : ch.out_gpa, 16, NEXT, 1);
		put_desc(t, 1, readable ? ch.in_gpa : bad[i - 5], ROOM, WRITE, 0);
		trace(c, "-> a request with its %s part at 0x%llx", readable ? "readable"
			: "writable", (unsigned long long)bad[i % 5]);
		post(c, 0);
		TRY(used(c, &id, &len));
		EXPECT(c, len < ROOM, "a request that is not in memory was executed");
		EXPECT(c, chain_guards_intact(&ch), "the device wrote outside the buffers");
	}
	return plain(c, 3);
}

static void suppress(struct conform *c, uint16_t flags, uint16_t event)
{
	struct ring *r = control(c);

	put16(r->avail, flags);
	put16(r->avail + 4 + 2 * r->is.size, event);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	sleep_us(SETTLE_MS * 1000);
	calls(c);
}

static int no_event_idx(struct conform *c, uint16_t flags, uint16_t event, uint64_t wanted)
{
	TRY(up(c, BIT(VIRTIO_F_EVENT_IDX)));
	suppress(c, flags, event);
	for (unsigned i = 0; i < 10; i++) {
		TRY(plain(c, i));
		sleep_us(5000);
		EXPECT_EQ(c, calls(c), wanted, "notifications for request %u with flags 0x%x", i,
			flags);
	}
	return 0;
}

static int notifies(struct conform *c)
{
	return no_event_idx(c, 0, 0x7fff, 1);
}

static int silent(struct conform *c)
{
	return no_event_idx(c, 1, 0, 0);
}

static int only_bit_0(struct conform *c)
{
	TRY(no_event_idx(c, 0xfffe, 0, 1));
	rig_down(c);
	return no_event_idx(c, 0xffff, 0, 0);
}

static int event_ignores_flags(struct conform *c)
{
	TRY(up(c, 0));
	TRY(need_event_idx(c));
	for (unsigned i = 0; i < 4; i++) {
		suppress(c, 1, control(c)->used_seen);
		TRY(plain(c, i));
		sleep_us(5000);
		EXPECT_EQ(c, calls(c), 1, "notifications when used_event is passed");
	}
	return 0;
}

static int event_exactly(struct conform *c, uint16_t start)
{
	TRY(rig_up(c, &(struct rig_setup){ .queue_size = 64, .inactive = true,
		.front_end = "qemu" }));
	c->rig.faults_expected = true;
	for (unsigned i = 0; i < QUEUES; i++)
		rig_begin_at(c, i, start);
	TRY(rig_activate(c));
	TRY(need_event_idx(c));
	suppress(c, 0, (uint16_t)(start + 4));
	for (unsigned i = 0; i < 8; i++) {
		TRY(plain(c, i));
		sleep_us(5000);
		EXPECT_EQ(c, calls(c), i == 4, "notifications for request %u, wanted for 4", i);
	}
	return 0;
}

static int event_idx(struct conform *c)
{
	TRY(event_exactly(c, 0));
	rig_down(c);
	return event_exactly(c, 0xfffd);
}

static int event_far(struct conform *c)
{
	TRY(up(c, 0));
	TRY(need_event_idx(c));
	suppress(c, 0, (uint16_t)(control(c)->used_seen + 0x4000));
	for (unsigned i = 0; i < 30; i++)
		TRY(plain(c, i % 32));
	sleep_us(20000);
	EXPECT_EQ(c, calls(c), 0, "notifications that were not wanted");
	return 0;
}

static int used_flags(struct conform *c, uint64_t without, uint16_t most)
{
	TRY(rig_up(c, &(struct rig_setup){ .without = without, .queue_size = 64,
		.inactive = true }));
	c->rig.faults_expected = true;
	put16(control(c)->used, 0xffff);
	TRY(rig_activate(c));
	for (unsigned i = 0; i < 30; i++) {
		uint16_t flags;

		TRY(plain(c, i));
		flags = get16(control(c)->used);
		EXPECT(c, flags <= most, "used flags are 0x%x", flags);
	}
	return 0;
}

static int flags_without_event_idx(struct conform *c)
{
	return used_flags(c, BIT(VIRTIO_F_EVENT_IDX), 1);
}

static int flags_with_event_idx(struct conform *c)
{
	TRY(rig_up(c, &(struct rig_setup){ .inactive = true }));
	if (!(c->rig.fe.features_offered & BIT(VIRTIO_F_EVENT_IDX)))
		return skip(c, "EVENT_IDX is not offered");
	rig_down(c);
	return used_flags(c, 0, 0);
}

#define SPL "virtio 1.4, Split Virtqueues: "
#define UNS "virtio 1.4, Used Buffer Notification Suppression (device): "
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
	{ .id = "SPL-UNS-1", .title = "without EVENT_IDX: flags 0, each is notified",
		.run = notifies, .clause = UNS "MUST send; used_event is ignored" },
	{ .id = "SPL-UNS-2", .title = "without EVENT_IDX: flags 1, none is", .run = silent,
		.recommended = true, .clause = UNS "SHOULD NOT send" },
	{ .id = "SPL-UNS-8", .title = "without EVENT_IDX: only bit 0 of flags counts",
		.run = only_bit_0, .recommended = true, .clause = UNS "drivers set 0 or 1" },
	{ .id = "SPL-UNS-4", .title = "with EVENT_IDX: flags are ignored",
		.run = event_ignores_flags, .clause = UNS "MUST ignore the lower bit of flags" },
	{ .id = "SPL-UNS-5", .title = "with EVENT_IDX: exactly when used_event is passed",
		.run = event_idx, .clause = UNS "MUST notify when used_event is written" },
	{ .id = "SPL-UNS-6", .title = "with EVENT_IDX: otherwise none", .run = event_far,
		.recommended = true, .clause = UNS "SHOULD NOT send" },
	{ .id = "SPL-ANS-1", .title = "without EVENT_IDX: used flags are 0 or 1",
		.run = flags_without_event_idx,
		.clause = "virtio 1.4, Available Buffer Notification Suppression: MUST" },
	{ .id = "SPL-ANS-3", .title = "with EVENT_IDX: used flags are 0",
		.run = flags_with_event_idx,
		.clause = "virtio 1.4, Available Buffer Notification Suppression: MUST" },
	{ 0 },
};
