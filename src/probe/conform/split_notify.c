/* SPDX-License-Identifier: BSD-3-Clause */
/* Split rings: when the driver is notified, and when the device wants to be. */
#include <poll.h>
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/raw.h"
#include "probe/report.h"

static int no_event_idx(struct conform *c, uint16_t flags, uint16_t event, uint64_t wanted)
{
	TRY(raw_up(c, BIT(VIRTIO_F_EVENT_IDX)));
	raw_suppress(c, flags, event);
	for (unsigned i = 0; i < 10; i++) {
		TRY(raw_plain(c, i));
		sleep_us(5000);
		EXPECT_EQ(c, raw_calls(c), wanted, "notifications for request %u with flags 0x%x", i,
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
	TRY(raw_up(c, 0));
	TRY(need_event_idx(c));
	for (unsigned i = 0; i < 4; i++) {
		raw_suppress(c, 1, raw_ring(c)->used_seen);
		TRY(raw_plain(c, i));
		sleep_us(5000);
		EXPECT_EQ(c, raw_calls(c), 1, "notifications when used_event is passed");
	}
	return 0;
}

static int event_exactly(struct conform *c, uint16_t start)
{
	TRY(raw_up_at(c, 0, start));
	TRY(need_event_idx(c));
	raw_suppress(c, 0, (uint16_t)(start + 4));
	for (unsigned i = 0; i < 8; i++) {
		TRY(raw_plain(c, i));
		sleep_us(5000);
		EXPECT_EQ(c, raw_calls(c), i == 4, "notifications for request %u, wanted for 4", i);
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
	TRY(raw_up(c, 0));
	TRY(need_event_idx(c));
	raw_suppress(c, 0, (uint16_t)(raw_ring(c)->used_seen + 0x4000));
	for (unsigned i = 0; i < 30; i++)
		TRY(raw_plain(c, i % 32));
	sleep_us(20000);
	EXPECT_EQ(c, raw_calls(c), 0, "notifications that were not wanted");
	return 0;
}

static int used_flags(struct conform *c, uint64_t without, uint16_t most)
{
	TRY(raw_up(c, without));
	for (unsigned i = 0; i < 64; i++) {
		uint16_t flags;

		TRY(raw_plain(c, i % 32));
		flags = get16(raw_ring(c)->used);
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
	TRY(raw_up(c, 0));
	TRY(need_event_idx(c));
	rig_down(c);
	return used_flags(c, 0, 0);
}

/* Of all rings, with and without EVENT_IDX. */
static int flags_preset(struct conform *c)
{
	for (unsigned wanted = 0; wanted < 2; wanted++) {
		bool event;

		TRY(rig_up(c, &(struct rig_setup){ .inactive = true, .front_end = "qemu",
			.without = wanted ? 0 : BIT(VIRTIO_F_EVENT_IDX) }));
		for (unsigned i = 0; i < QUEUES; i++)
			put16(c->rig.ring[i].used, 0xffff);
		TRY(rig_activate(c));
		sleep_us(50000);
		event = c->rig.fe.features & BIT(VIRTIO_F_EVENT_IDX);
		for (unsigned i = 0; i < QUEUES; i++)
			EXPECT(c, get16(c->rig.ring[i].used) <= !event,
				"used flags of queue %u are 0x%x with%s EVENT_IDX", i,
				get16(c->rig.ring[i].used), event ? "" : "out");
		rig_down(c);
	}
	return 0;
}

/* The call eventfd is looked at all the time. */
static int not_before(struct conform *c)
{
	struct ring *r = raw_ring(c);

	TRY(raw_up(c, BIT(VIRTIO_F_EVENT_IDX)));
	raw_suppress(c, 0, 0);
	for (unsigned i = 0; i < 500; i++) {
		int64_t end = now_ns() + (int64_t)answer_ms(c) * 1000000;
		struct chain ch;

		TRY(raw_describe(c, &ch, i % 32));
		raw_post(c, i % 32 * 2);
		while (!raw_calls(c))
			EXPECT(c, now_ns() < end && !interrupted(), "no notification of request %u",
				i);
		EXPECT(c, ring_used_idx(r) != r->used_seen,
			"notification %u came before the used index moved", i);
		TRY(raw_answered(c, &ch, i % 32 * 2));
	}
	return 0;
}

static bool call_comes(const struct conform *c)
{
	struct pollfd p = { .fd = c->rig.fe.queue[Q_CONTROL].call, .events = POLLIN };

	return poll(&p, 1, answer_ms(c)) > 0;
}

/* Notifications are asked for at every moment of a request's life.  If it is not
 * done when they have been, one must come. */
static int no_lost_wakeup(struct conform *c)
{
	struct ring *r = raw_ring(c);
	unsigned waited = 0;
	struct chain ch;

	TRY(raw_up(c, 0));
	TRY(need_event_idx(c));
	for (unsigned i = 0; i < 32; i++)
		TRY(raw_describe(c, &ch, i));
	for (unsigned i = 0; i < 20000; i++) {
		raw_calls(c);
		raw_post(c, i % 32 * 2);
		for (volatile unsigned spin = i * 37 % 60000; spin; spin--)
			;
		put16(r->avail + 4 + 2 * r->is.size, r->used_seen);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (ring_used_idx(r) == r->used_seen) {
			waited++;
			EXPECT(c, call_comes(c), "request %u was not done when notifications were "
				"wanted, and none came", i);
		}
		EXPECT(c, ring_used_idx(r) != r->used_seen, "request %u is not done", i);
		r->used_seen++;
	}
	trace(c, "   %u of 20000 were waited for", waited);
	return 0;
}

/* A stream runs, and the device says that it need not be kicked. */
static int no_kick_wanted(struct conform *c)
{
	struct chain ch[8];
	uint32_t out;

	TRY(rig_up(c, &(struct rig_setup){ .without = BIT(VIRTIO_F_EVENT_IDX) }));
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
	TRY(stream_bring(c, out, ST_PREP));
	for (unsigned i = 0; i < 4; i++)
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, ch, 2, answer_ms(c)));
	if (get16(c->rig.ring[Q_TX].used) != 1)
		return skip(c, "the device wants kicks though a stream runs");
	for (unsigned i = 4; i < 8; i++) {
		TRY(tx_init(c, &ch[i], out, stream_params(c, out).period_bytes));
		TRY(chain_post(c, &ch[i]));
	}
	return chains_wait(c, ch, 8, answer_ms(c));
}

/* ring_kick() kicks exactly when it has to: batches of any size, on the control
 * queue, and for an output stream that runs dry all the time. */
static int kicked_as_told(struct conform *c)
{
	static struct chain ch[16];
	struct pcm_params p;
	uint32_t out, random = 1;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(need_event_idx(c));
	TRY(stream_bring(c, out, ST_RUN));
	p = stream_params(c, out);
	for (unsigned i = 0; i < 16; i++)
		TRY(i < 8 ? info_request(c, &ch[i]) : tx_init(c, &ch[i], out, frame_bytes(&p)));
	for (unsigned i = 8; i < 16; i++)
		put32(ch[i].out, out);
	for (unsigned round = 0; round < 600; round++) {
		unsigned queue = round & 1 ? Q_TX : Q_CONTROL, from = queue == Q_TX ? 8 : 0, n;

		random = random * 1103515245 + 12345;
		n = 1 + (random >> 16) % 8;
		for (unsigned i = from; i < from + n; i++) {
			ch[i].done = false;
			TRY(chain_post(c, &ch[i]));
			if (random >> 24 & 1)
				rig_kick(c, queue);
		}
		rig_kick(c, queue);
		TRY(chains_wait(c, ch + from, n, answer_ms(c)));
	}
	return 0;
}

#define UNS "virtio 1.4, Used Buffer Notification Suppression (device): "
#define ANS "virtio 1.4, Available Buffer Notification Suppression: "

const struct scenario split_notify_scenarios[] = {
	{ .id = "SPL-UNS-1", .title = "without EVENT_IDX: flags 0, each is notified",
		.run = notifies, .clause = UNS "MUST send; used_event is ignored" },
	{ .id = "SPL-UNS-2", .title = "without EVENT_IDX: flags 1, none is", .run = silent,
		.recommended = true, .clause = UNS "SHOULD NOT send" },
	{ .id = "SPL-UNS-8", .title = "without EVENT_IDX: only bit 0 of flags counts",
		.run = only_bit_0, .recommended = true, .clause = UNS "drivers set 0 or 1" },
	{ .id = "SPL-UNS-3", .title = "without EVENT_IDX: behind the used index, never before",
		.run = not_before, .clause = UNS "MUST send after the index is updated" },
	{ .id = "SPL-UNS-7", .title = "with EVENT_IDX: no notification is lost", .run = no_lost_wakeup,
		.clause = UNS "used_event is read when the index is visible", .limit_s = 40 },
	{ .id = "SPL-UNS-4", .title = "with EVENT_IDX: flags are ignored",
		.run = event_ignores_flags, .clause = UNS "MUST ignore the lower bit of flags" },
	{ .id = "SPL-UNS-5", .title = "with EVENT_IDX: exactly when used_event is passed",
		.run = event_idx, .clause = UNS "MUST notify when used_event is written" },
	{ .id = "SPL-UNS-6", .title = "with EVENT_IDX: otherwise none", .run = event_far,
		.recommended = true, .clause = UNS "SHOULD NOT send" },
	{ .id = "SPL-ANS-1", .title = "without EVENT_IDX: used flags are 0 or 1",
		.run = flags_without_event_idx,
		.clause = ANS "MUST" },
	{ .id = "SPL-ANS-3", .title = "with EVENT_IDX: used flags are 0",
		.run = flags_with_event_idx,
		.clause = ANS "MUST" },
	{ .id = "SPL-ANS-2", .title = "without EVENT_IDX: who wants no kicks looks himself",
		.run = no_kick_wanted, .clause = ANS "MAY set flags to 1" },
	{ .id = "SPL-ANS-4", .title = "with EVENT_IDX: kicks as avail_event says are enough",
		.run = kicked_as_told, .clause = ANS "MAY delay kicks", .limit_s = 60 },
	{ .id = "SPL-ANS-6", .title = "used flags are the device's from the start",
		.run = flags_preset, .recommended = true,
		.clause = ANS "drivers MUST zero them; the device does not rely on it" },
	{ 0 },
};
