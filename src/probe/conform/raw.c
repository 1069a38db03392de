/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe/conform/raw.h"

#include <sys/eventfd.h>
#include <time.h>

#include "probe/bytes.h"
#include "probe/report.h"

void raw_desc(uint8_t *table, unsigned i, uint64_t gpa, uint32_t len, unsigned flags,
	unsigned next)
{
	put64(table + 16 * i, gpa);
	put32(table + 16 * i + 8, len);
	put16(table + 16 * i + 12, (uint16_t)flags);
	put16(table + 16 * i + 14, (uint16_t)next);
}

struct ring *raw_ring(struct conform *c)
{
	return &c->rig.ring[Q_CONTROL];
}

void raw_post(struct conform *c, unsigned head)
{
	struct ring *r = raw_ring(c);

	put16(r->avail + 4 + 2 * (r->avail_idx & (r->is.size - 1)), (uint16_t)head);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	put16(r->avail + 2, ++r->avail_idx);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	eventfd_write(r->kick_fd, 1);
}

void sleep_us(long us)
{
	nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

int raw_used(struct conform *c, uint32_t *ret_id, uint32_t *ret_len)
{
	struct ring *r = raw_ring(c);
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

uint64_t raw_calls(struct conform *c)
{
	eventfd_t n = 0;

	(void)!eventfd_read(c->rig.fe.queue[Q_CONTROL].call, &n);
	return n;
}

int raw_answered(struct conform *c, const struct chain *ch, uint32_t head)
{
	uint32_t id, len;

	TRY(raw_used(c, &id, &len));
	EXPECT_EQ(c, id, head, "id in the used ring");
	EXPECT_EQ(c, len, INFO_ROOM, "used length");
	EXPECT_EQ(c, get32(ch->in), SND_S_OK, "status");
	return 0;
}

int raw_describe(struct conform *c, struct chain *ch, unsigned n)
{
	uint8_t *t = raw_ring(c)->desc;

	TRY(info_request(c, ch));
	raw_desc(t, 2 * n, ch->out_gpa, 16, D_NEXT, 2 * n + 1);
	raw_desc(t, 2 * n + 1, ch->in_gpa, INFO_ROOM, D_WRITE, 0);
	return 0;
}

int raw_plain(struct conform *c, unsigned n)
{
	struct chain ch;

	TRY(raw_describe(c, &ch, n));
	raw_post(c, 2 * n);
	return raw_answered(c, &ch, 2 * n);
}

int raw_up_at(struct conform *c, uint64_t without, uint16_t index)
{
	/* QEMU gives the rings their error eventfds; others do not. */
	TRY(rig_up(c, &(struct rig_setup){ .without = without, .queue_size = 64,
		.inactive = true, .front_end = "qemu" }));
	c->rig.faults_expected = true; /* what is posted by hand is not the ring's */
	for (unsigned i = 0; i < QUEUES && index; i++)
		rig_begin_at(c, i, index);
	TRY(rig_activate(c));
	return c->rig.counts.streams ? 0 : skip(c, "the device has no streams");
}

int raw_up(struct conform *c, uint64_t without)
{
	return raw_up_at(c, without, 0);
}

void raw_suppress(struct conform *c, uint16_t flags, uint16_t event)
{
	struct ring *r = raw_ring(c);

	put16(r->avail, flags);
	put16(r->avail + 4 + 2 * r->is.size, event);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	sleep_us(RAW_SETTLE_US);
	raw_calls(c);
}

int need_indirect(struct conform *c)
{
	return c->rig.fe.features & BIT(VIRTIO_F_INDIRECT_DESC) ? 0
		: skip(c, "INDIRECT_DESC is not offered");
}

int need_event_idx(struct conform *c)
{
	return c->rig.fe.features & BIT(VIRTIO_F_EVENT_IDX) ? 0
		: skip(c, "EVENT_IDX is not offered");
}
