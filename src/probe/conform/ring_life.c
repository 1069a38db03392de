/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting, stopping, enabling and moving rings. */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/wire.h"
#include "probe/orders.h"
#include "probe/report.h"

#define PROTOCOL (BIT(VU_P_MQ) | BIT(VU_P_CONFIG) | BIT(VU_P_REPLY_ACK))
#define CONNECT	 { { .device = step_get_features }, { .device = step_protocol },           \
		{ .device = step_owner } }

static const struct personality enables_first = {
	.name = "SET_VRING_ENABLE before the kick fd", .base = BASE_KEPT, .protocol = PROTOCOL,
	.connect = CONNECT,
	.activate = { { .device = step_features }, { .device = step_memory },
		{ .ring = { vring_enable, vring_num, vring_base, vring_addr, vring_call,
			  vring_kick } } },
};

static const struct personality never_kicks = {
	.name = "no SET_VRING_KICK", .base = BASE_KEPT, .protocol = PROTOCOL,
	.connect = CONNECT,
	.activate = { { .device = step_features }, { .device = step_memory },
		{ .ring = { vring_num, vring_base, vring_addr, vring_call, vring_enable } } },
};

static const struct personality addresses_first = {
	.name = "SET_VRING_ADDR before SET_MEM_TABLE", .base = BASE_KEPT, .protocol = PROTOCOL,
	.connect = CONNECT,
	.activate = { { .device = step_features }, { .ring = { vring_num, vring_base, vring_addr } },
		{ .device = step_memory }, { .ring = { vring_call, vring_kick, vring_enable } } },
};

static void kick(const struct conform *c, unsigned queue, uint64_t value)
{
	eventfd_write(c->rig.fe.queue[queue].kick, value);
}

static int get_base(struct conform *c, unsigned queue, uint32_t num, uint32_t *ret)
{
	struct vu_msg m, answer;
	uint32_t index;

	wire_state(&m, VU_GET_VRING_BASE, queue, num);
	TRY(wire_ask(c, &m, &answer));
	EXPECT_EQ(c, answer.size, 8, "size of the reply to GET_VRING_BASE");
	memcpy(&index, answer.payload, 4);
	memcpy(ret, answer.payload + 4, 4);
	EXPECT_EQ(c, index, queue, "index in the reply to GET_VRING_BASE");
	return 0;
}

static int enabled_before(struct conform *c)
{
	TRY(rig_up(c, &(struct rig_setup){ .who = &enables_first }));
	return still_works(c);
}

static int stopped_is_still(struct conform *c)
{
	struct chain ch;
	uint32_t base;

	TRY(rig_up(c, NULL));
	TRY(still_works(c));
	TRY(get_base(c, Q_CONTROL, 0, &base));
	TRY(info_request(c, &ch));
	TRY(chain_post(c, &ch));
	kick(c, Q_CONTROL, 1);
	TRY(rig_watch(c, QUIET_MS));
	EXPECT(c, !ch.done, "a stopped ring is processed");
	return 0;
}

static int disabled_holds(struct conform *c)
{
	struct chain ch[4], info;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	TRY(rig_enable_ring(c, Q_TX, false));
	TRY(rig_enable_ring(c, Q_CONTROL, false));
	for (unsigned i = 0; i < 4; i++)
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
	TRY(info_request(c, &info));
	TRY(chain_send(c, &info));
	kick(c, Q_TX, 1);
	kick(c, Q_CONTROL, 1);
	TRY(rig_watch(c, QUIET_MS));
	EXPECT(c, !info.done, "a control request is answered on a disabled ring");
	EXPECT_EQ(c, chains_done(ch, 4), 0, "messages that came back on a disabled ring");
	TRY(rig_enable_ring(c, Q_TX, true));
	TRY(rig_enable_ring(c, Q_CONTROL, true));
	TRY(chain_wait(c, &info));
	return chains_wait(c, ch, 4, answer_ms(c));
}

static int not_started(struct conform *c)
{
	struct chain ch;

	TRY(rig_up(c, &(struct rig_setup){ .who = &never_kicks }));
	TRY(info_request(c, &ch));
	TRY(chain_post(c, &ch));
	kick(c, Q_CONTROL, 1);
	TRY(rig_watch(c, QUIET_MS));
	EXPECT(c, !ch.done, "a ring without a kick fd is processed");
	return 0;
}

/* QEMU's kick fds are readable from the start, and Linux need not kick. */
static int kick_preset(struct conform *c)
{
	struct chain ch;

	TRY(rig_up(c, &(struct rig_setup){ .front_end = "qemu", .inactive = true }));
	TRY(info_request(c, &ch));
	TRY(chain_post(c, &ch));
	TRY(rig_activate(c));
	return chain_wait(c, &ch);
}

static int never_kicked(struct conform *c)
{
	struct chain ch;

	TRY(rig_up(c, &(struct rig_setup){ .front_end = "crosvm", .inactive = true }));
	TRY(info_request(c, &ch));
	TRY(chain_post(c, &ch));
	TRY(rig_activate(c));
	return chain_wait(c, &ch);
}

/* Linux fills the event queue before DRIVER_OK; a kick is then no reason to spin. */
static int kicked_event_queue(struct conform *c)
{
	uint32_t out;
	struct chain ch;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	kick(c, Q_EVENT, 1);
	TRY(rig_watch(c, 50));
	TRY(stream_bring(c, out, ST_RUN));
	TRY(tx_send(c, &ch, out, stream_params(c, out).period_bytes));
	return chain_wait(c, &ch);
}

static int spurious_kicks(struct conform *c)
{
	TRY(rig_up(c, NULL));
	for (unsigned i = 0; i < 2000; i++)
		kick(c, i % QUEUES, 1 + i % 7);
	TRY(rig_watch(c, 50));
	for (unsigned i = 0; i < QUEUES; i++)
		EXPECT_EQ(c, c->rig.errs[i], 0, "errors signalled on queue %u", i);
	return still_works(c);
}

static int changes_on_the_fly(struct conform *c)
{
	static struct chain ch[40];
	struct frontend *fe = &c->rig.fe;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 40; i++) {
		struct vu_msg m;

		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
		wire_fd(&m, i & 1 ? VU_SET_VRING_CALL : VU_SET_VRING_ERR, Q_TX,
			i & 1 ? fe->queue[Q_TX].call : fe->queue[Q_TX].err);
		TRY(wire_send(c, &m));
		wire_u64(&m, VU_SET_FEATURES, fe->features);
		if (i % 8 == 0)
			TRY(wire_send(c, &m));
		if (i >= 8)
			TRY(chain_wait(c, &ch[i - 8]));
	}
	TRY(chains_wait(c, ch, 40, answer_ms(c)));
	return io_ok(c, &ch[39], "the last message");
}

static uint64_t checksum(const struct mem *m)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < m->regions; i++)
		for (uint64_t k = 0; k < m->region[i].used; k += 8)
			sum = sum * 31 + get64(m->region[i].va + k);
	return sum;
}

static int suspended_is_silent(struct conform *c)
{
	uint64_t before, calls[QUEUES];
	struct chain ch[8];
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 8; i++)
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
	TRY(rig_watch(c, 30));
	if (frontend_pause(&c->rig.fe) < 0)
		return skip(c, "this front-end has no VM pause");
	TRY(rig_poll(c, 0));
	before = checksum(&c->rig.mem);
	memcpy(calls, c->rig.calls, sizeof(calls));
	for (unsigned i = 0; i < 10; i++) {
		TRY(rig_watch(c, 30));
		TRY(wire_alive(c));
	}
	EXPECT_EQ(c, checksum(&c->rig.mem), before, "checksum of guest memory");
	for (unsigned i = 0; i < QUEUES; i++)
		EXPECT_EQ(c, c->rig.calls[i], calls[i], "notifications of queue %u", i);
	EXPECT(c, !frontend_resume(&c->rig.fe), "%s", complaint());
	return chains_wait(c, ch, 8, answer_ms(c));
}

static int other_size(struct conform *c)
{
	TRY(rig_up(c, &(struct rig_setup){ .queue_size = 16 }));
	TRY(still_works(c));
	rig_down(c);
	TRY(rig_up(c, &(struct rig_setup){ .queue_size = 256 }));
	return still_works(c);
}

static int num_while_running(struct conform *c)
{
	struct vu_msg m;

	TRY(rig_up(c, &(struct rig_setup){ .queue_size = 64 }));
	TRY(still_works(c));
	wire_state(&m, VU_SET_VRING_NUM, Q_CONTROL, 128);
	TRY(wire_refused(c, &m));
	for (unsigned i = 0; i < 70; i++)
		TRY(still_works(c));
	return 0;
}

static int bad_num(struct conform *c)
{
	static const uint32_t sizes[] = { 0, 3, 100, 32769, 65536, 0xffffffff };
	struct vu_msg m;

	TRY(rig_up(c, &(struct rig_setup){ .inactive = true }));
	for (unsigned i = 0; i < 6; i++) {
		wire_state(&m, VU_SET_VRING_NUM, 0, sizes[i]);
		TRY(wire_refused(c, &m));
	}
	wire_state(&m, VU_SET_VRING_NUM, 0, 64);
	TRY(wire_accepted(c, &m));
	TRY(rig_activate(c));
	return still_works(c);
}

/* A ring that runs has no new address in any case. */
static int rest(struct conform *c, unsigned queue)
{
	TRY(rig_enable_ring(c, queue, false));
	return rig_stop_ring(c, queue);
}

/* An address that is refused, or at least a ring that does not run into it. */
static int bad_addr(struct conform *c)
{
	const struct mem_region *r;
	struct vu_msg m;
	bool hopeless;
	uint64_t ack;

	TRY(rig_up(c, NULL));
	TRY(rest(c, Q_RX));
	r = &c->rig.mem.region[0];
	for (unsigned i = 0; i < 6; i++) {
		uint64_t at[3] = { r->uva, r->uva + 4096, r->uva + 8192 };

		wire_empty(&m, VU_SET_VRING_ADDR);
		m.size = 40;
		put32(m.payload, Q_RX);
		if (i < 3)
			at[i] = 0x1000; /* nowhere */
		else
			at[i - 3] = r->uva + r->size - 8; /* crosses the end */
		memcpy(m.payload + 8, at, sizeof(at));
		TRY(wire_ack(c, &m, &ack));
		hopeless = !ack;
		EXPECT(c, !hopeless, "a ring outside of the memory is accepted");
	}
	return still_works(c);
}

static int misaligned(struct conform *c)
{
	static const uint64_t off[3] = { 8, 2, 1 };
	struct vu_msg m;

	TRY(rig_up(c, NULL));
	TRY(rest(c, Q_RX));
	for (unsigned i = 0; i < 3; i++) {
		uint64_t uva = c->rig.mem.region[0].uva;
		uint64_t at[3] = { uva, uva + 4096, uva + 8192 };

		at[i] += off[i];
		wire_empty(&m, VU_SET_VRING_ADDR);
		m.size = 40;
		put32(m.payload, Q_RX);
		memcpy(m.payload + 8, at, sizeof(at));
		TRY(wire_refused(c, &m));
	}
	return still_works(c);
}

static int address_before_memory(struct conform *c)
{
	TRY(rig_up(c, &(struct rig_setup){ .who = &addresses_first }));
	return still_works(c);
}

static int begin_at(struct conform *c, uint16_t index)
{
	TRY(rig_up(c, &(struct rig_setup){ .inactive = true, .front_end = "qemu" }));
	for (unsigned i = 0; i < QUEUES; i++)
		rig_begin_at(c, i, index);
	TRY(rig_activate(c));
	for (unsigned i = 0; i < 8; i++)
		TRY(still_works(c));
	return 0;
}

static int base_is_used(struct conform *c)
{
	TRY(begin_at(c, 5));
	rig_down(c);
	return begin_at(c, 0xfffd);
}

static int base_comes_back(struct conform *c)
{
	uint32_t base;

	TRY(rig_up(c, NULL));
	for (unsigned i = 0; i < 7; i++)
		TRY(still_works(c));
	TRY(get_base(c, Q_CONTROL, 0xdeadbeef, &base));
	EXPECT_EQ(c, base, c->rig.ring[Q_CONTROL].avail_idx, "base after seven requests");
	return 0;
}

static int base_never_started(struct conform *c)
{
	uint32_t base;
	struct vu_msg m;

	TRY(rig_up(c, &(struct rig_setup){ .inactive = true }));
	TRY(get_base(c, Q_TX, 0, &base));
	EXPECT_EQ(c, base, 0, "base that nobody set");
	wire_state(&m, VU_SET_VRING_BASE, Q_TX, 9);
	TRY(wire_send(c, &m));
	TRY(get_base(c, Q_TX, 0, &base));
	EXPECT_EQ(c, base, 9, "base as it was set");
	return 0;
}

static int pending_survive(struct conform *c)
{
	struct chain ch[8];
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_PREP));
	for (unsigned i = 0; i < 8; i++)
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
	TRY(rig_watch(c, 30));
	TRY(rig_suspend(c, 100));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, ch, 8, answer_ms(c)));
	return io_ok(c, &ch[7], "a message over a pause");
}

/* Rings anew from 0, as QEMU does when the guest reboots. */
static int from_zero_is_reset(struct conform *c)
{
	uint32_t out, status;

	TRY(rig_up(c, &(struct rig_setup){ .front_end = "qemu" }));
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
	TRY(stream_bring(c, out, ST_RUN));
	EXPECT(c, !frontend_reset(&c->rig.fe), "%s", complaint());
	for (unsigned i = 0; i < QUEUES; i++)
		ring_reset(&c->rig.ring[i]);
	EXPECT(c, !frontend_activate(&c->rig.fe), "%s", complaint());
	TRY(ctl_pcm(c, SND_R_PCM_STOP, out, &status));
	EXPECT(c, status != SND_S_OK, "the stream still runs after a guest reset");
	return stream_bring(c, out, ST_RUN);
}

static int kick_values(struct conform *c)
{
	struct chain ch;

	TRY(rig_up(c, NULL));
	TRY(info_request(c, &ch));
	TRY(chain_post(c, &ch));
	kick(c, Q_CONTROL, 5);
	return chain_wait(c, &ch);
}

static int kick_replaced(struct conform *c)
{
	int fresh = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct chain ch;
	struct vu_msg m;

	TRY(rig_up(c, NULL));
	wire_fd(&m, VU_SET_VRING_KICK, Q_CONTROL, fresh);
	TRY(wire_send(c, &m));
	TRY(wire_alive(c));
	close(c->rig.fe.queue[Q_CONTROL].kick);
	c->rig.fe.queue[Q_CONTROL].kick = c->rig.ring[Q_CONTROL].kick_fd = fresh;
	/* A kick that waits in the old one must not be taken for the new one's. */
	TRY(rig_watch(c, QUIET_MS));
	TRY(info_request(c, &ch));
	TRY(chain_send(c, &ch));
	return chain_wait(c, &ch);
}

static int call_none(struct conform *c)
{
	struct chain ch;
	struct vu_msg m;
	int64_t end;

	TRY(rig_up(c, NULL));
	wire_u64(&m, VU_SET_VRING_CALL, BIT(8) | Q_CONTROL);
	TRY(wire_send(c, &m));
	TRY(wire_alive(c));
	TRY(info_request(c, &ch));
	TRY(chain_send(c, &ch));
	for (end = now_ns() + 1000000000; !ch.done && now_ns() < end;)
		TRY(rig_poll(c, 1000000));
	EXPECT(c, ch.done, "no answer without a call fd");
	return 0;
}

static int call_full(struct conform *c)
{
	struct chain ch;
	int64_t end;

	TRY(rig_up(c, NULL));
	TRY(info_request(c, &ch));
	/* One more than this and a blocking write would hang. */
	eventfd_write(c->rig.fe.queue[Q_CONTROL].call, 0xfffffffffffffffeULL);
	TRY(chain_send(c, &ch));
	for (end = now_ns() + 2000000000; now_ns() < end && !ch.done;)
		if (ring_used_idx(&c->rig.ring[Q_CONTROL]) != c->rig.ring[Q_CONTROL].used_seen)
			TRY(rig_poll(c, 0));
	EXPECT(c, ch.done, "no answer while the call eventfd is full");
	return still_works(c);
}

static int bad_enable(struct conform *c)
{
	struct vu_msg m;

	TRY(rig_up(c, NULL));
	wire_state(&m, VU_SET_VRING_ENABLE, Q_RX, 2);
	TRY(wire_refused(c, &m));
	return still_works(c);
}

static int fault_stays_local(struct conform *c)
{
	uint32_t out;

	TRY(rig_up(c, &(struct rig_setup){ .front_end = "qemu" }));
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
	rig_break_ring(c, Q_TX);
	TRY(rig_watch(c, QUIET_MS));
	EXPECT_EQ(c, c->rig.errs[Q_CONTROL], 0, "errors signalled on the control queue");
	TRY(still_works(c));
	EXPECT(c, c->rig.errs[Q_TX], "no error was signalled on the queue");
	return 0;
}

static int fault_is_curable(struct conform *c)
{
	TRY(fault_stays_local(c));
	EXPECT(c, !frontend_reset(&c->rig.fe), "%s", complaint());
	for (unsigned i = 0; i < QUEUES; i++)
		ring_reset(&c->rig.ring[i]);
	EXPECT(c, !frontend_activate(&c->rig.fe), "%s", complaint());
	TRY(stream_bring(c, 0, ST_RUN));
	return still_works(c);
}

#define RS "vhost-user, Ring states: "
#define VU "vhost-user, "

const struct scenario ring_scenarios[] = {
	{ .id = "VU-RING-1", .title = "enabled before it is started", .run = enabled_before,
		.clause = RS "started and enabled are independent" },
	{ .id = "VU-RING-2", .title = "a stopped ring is not processed",
		.run = stopped_is_still, .clause = RS "stopped: MUST NOT process the ring" },
	{ .id = "VU-RING-3", .title = "a disabled ring has no effect", .run = disabled_holds,
		.recommended = true, .clause = RS "disabled: without causing side effects" },
	{ .id = "VU-RING-5", .title = "a ring is stopped until its kick fd comes",
		.run = not_started, .clause = RS "initially stopped" },
	{ .id = "VU-RING-6", .title = "a kick fd that is readable starts the ring",
		.run = kick_preset, .clause = RS "started by a kick; QEMU presets the fd" },
	{ .id = "VU-RING-7", .title = "rings work though they are never kicked",
		.run = never_kicked, .recommended = true,
		.clause = "Linux fills the event queue before DRIVER_OK, without a kick" },
	{ .id = "VU-RING-7b", .title = "a kicked event queue disturbs nothing",
		.run = kicked_event_queue, .clause = RS "its buffers wait for events" },
	{ .id = "SPL-ANS-5", .title = "kicks without buffers are harmless",
		.run = spurious_kicks,
		.clause = "virtio 1.4, Available Buffer Notification Suppression: MUST" },
	{ .id = "VU-RING-9", .title = "eventfds and features change while a stream runs",
		.run = changes_on_the_fly, .clause = RS "MUST support changes on the fly" },
	{ .id = "VU-SUS-1", .title = "stopped rings: memory, eventfds untouched, messages answered",
		.run = suspended_is_silent, .clause = VU "Suspended device state: MUST NOT" },
	{ .id = "VU-NUM-1", .title = "rings of other sizes", .run = other_size,
		.clause = VU "SET_VRING_NUM" },
	{ .id = "SPL-LAY-2", .title = "impossible sizes are refused", .run = bad_num,
		.recommended = true,
		.clause = VU "SET_VRING_NUM; virtio 1.4: a power of two up to 32768" },
	{ .id = "VU-NUM-2", .title = "the size of a ring that runs is not changed",
		.run = num_while_running, .recommended = true, .clause = VU "SET_VRING_NUM" },
	{ .id = "VU-ADDR-2", .title = "rings outside of the memory are refused",
		.run = bad_addr, .recommended = true, .clause = VU "SET_VRING_ADDR" },
	{ .id = "SPL-LAY-3", .title = "misaligned rings are refused", .run = misaligned,
		.recommended = true, .clause = "virtio 1.4, Virtqueues: alignment 16, 2, 4" },
	{ .id = "VU-ADDR-4", .title = "addresses before the memory table",
		.run = address_before_memory, .recommended = true,
		.clause = VU "SET_VRING_ADDR: looked up when the ring starts" },
	{ .id = "VU-BASE-1", .title = "a ring goes on at its base", .run = base_is_used,
		.clause = VU "SET_VRING_BASE: next available index; used index from memory" },
	{ .id = "VU-BASE-6", .title = "GET_VRING_BASE tells where to go on",
		.run = base_comes_back, .clause = VU "GET_VRING_BASE: index and base" },
	{ .id = "VU-BASE-7", .title = "GET_VRING_BASE of a ring that never ran",
		.run = base_never_started, .recommended = true, .clause = VU "silent" },
	{ .id = "VU-BASE-5", .title = "messages in flight survive a pause",
		.run = pending_survive, .clause = VU "GET_VRING_BASE, then the same base" },
	{ .id = "VU-RSM-2", .title = "rings anew from 0 are a reset",
		.run = from_zero_is_reset, .recommended = true,
		.clause = "QEMU sends nothing else when the guest resets the device" },
	{ .id = "VU-KICK-2", .title = "the value of a kick has no meaning", .run = kick_values,
		.clause = VU "SET_VRING_KICK: an event fd" },
	{ .id = "VU-KICK-3", .title = "a new kick fd replaces the old", .run = kick_replaced,
		.clause = VU "SET_VRING_KICK" },
	{ .id = "VU-CALL-2", .title = "without a call fd the driver polls", .run = call_none,
		.clause = VU "SET_VRING_CALL: bit 8, no fd" },
	{ .id = "VU-CALL-4", .title = "a full call eventfd blocks nothing", .run = call_full,
		.recommended = true, .clause = VU "SET_VRING_CALL" },
	{ .id = "VU-ENA-2", .title = "enable with another number than 0 and 1",
		.run = bad_enable, .recommended = true, .clause = VU "SET_VRING_ENABLE" },
	{ .id = "VU-ERR-1", .title = "a broken ring is signalled, the others go on",
		.run = fault_stays_local, .recommended = true, .clause = VU "SET_VRING_ERR" },
	{ .id = "VU-ERR-2", .title = "a broken ring works when it is set up anew",
		.run = fault_is_curable, .recommended = true, .clause = VU "SET_VRING_ERR" },
	{ 0 },
};
