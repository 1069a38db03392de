/* SPDX-License-Identifier: BSD-3-Clause */
/* Rings in every order and state, and what may change while they run. */
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "probe/bytes.h"
#include "probe/conform/backend.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/regions.h"
#include "probe/conform/wire.h"
#include "probe/orders.h"
#include "probe/report.h"

#define ORDERS 24
#define POLL_MS 500 /* how long a ring without kicks may take */
#define NOFD   BIT(8)

/* Everything but the rings. */
static const struct personality bare = {
	.name = "rings one by one", .base = BASE_KEPT,
	.protocol = BIT(VU_P_MQ) | BIT(VU_P_CONFIG) | BIT(VU_P_REPLY_ACK) | BIT(VU_P_BACKEND_REQ) |
		BIT(VU_P_STATUS),
	.connect = { { .device = step_get_features }, { .device = step_protocol },
		{ .device = step_channel }, { .device = step_owner } },
	.activate = { { .device = step_features }, { .device = step_memory } },
};

static int ask_and_wait(struct conform *c)
{
	struct chain ch;

	TRY(info_request(c, &ch));
	TRY(chain_send(c, &ch));
	return chain_wait(c, &ch);
}

static int normally(struct conform *c)
{
	struct chain ch;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	TRY(tx_send(c, &ch, out, stream_params(c, out).period_bytes));
	TRY(chain_wait(c, &ch));
	return io_ok(c, &ch, "an output message");
}

/* A request is held while the ring is disabled, started or not. */
static int enabled_or_not(struct conform *c)
{
	for (unsigned stop = 0; stop < 2; stop++) {
		struct chain ch;

		TRY(rig_up(c, &(struct rig_setup){ .front_end = "qemu" }));
		TRY(still_works(c));
		TRY(rig_enable_ring(c, Q_CONTROL, false));
		if (stop) {
			struct frontend *fe = &c->rig.fe;

			TRY(rig_stop_ring(c, Q_CONTROL));
			INSIST(c, !vring_num(fe, Q_CONTROL) && !vring_base(fe, Q_CONTROL) &&
				!vring_addr(fe, Q_CONTROL) && !vring_kick(fe, Q_CONTROL) &&
				!vring_call(fe, Q_CONTROL), "%s", complaint());
		}
		TRY(info_request(c, &ch));
		TRY(chain_send(c, &ch));
		rig_kick(c, Q_CONTROL);
		TRY(rig_watch(c, QUIET_MS));
		EXPECT(c, !ch.done, "a request is answered on a disabled ring, %s", stop
			? "stopped and started again" : "running");
		TRY(rig_enable_ring(c, Q_CONTROL, true));
		TRY(chain_wait(c, &ch));
		rig_down(c);
	}
	return 0;
}

static int stops(struct conform *c)
{
	static struct chain ch[8];
	uint16_t used;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 8; i++)
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
	TRY(rig_watch(c, 25));
	TRY(rig_stop_ring(c, Q_TX));
	used = ring_used_idx(&c->rig.ring[Q_TX]);
	TRY(rig_watch(c, QUIET_MS));
	EXPECT_EQ(c, ring_used_idx(&c->rig.ring[Q_TX]), used, "used index after GET_VRING_BASE");
	return still_works(c);
}

/* In the middle of a stream; nothing moves, then all come back once. */
static int under_load(struct conform *c)
{
	static uint8_t before[6 + 8 * 64];
	struct chain ch[8];
	struct ring *r = &c->rig.ring[Q_TX];
	uint32_t out;

	TRY(rig_up(c, &(struct rig_setup){ .queue_size = 64, .front_end = "qemu" }));
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 8; i++)
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
	TRY(rig_watch(c, 25));
	TRY(rig_stop_ring(c, Q_TX));
	TRY(rig_poll(c, 0));
	memcpy(before, r->used, sizeof(before));
	for (unsigned i = 0; i < 6; i++) {
		TRY(rig_watch(c, 50));
		EXPECT(c, !memcmp(before, r->used, sizeof(before)),
			"the used ring changed behind the reply to GET_VRING_BASE");
		for (unsigned k = 0; k < 8; k++)
			EXPECT(c, ch[k].done || chain_untouched(&ch[k], 0),
				"message %u was written to behind the reply", k);
	}
	TRY(rig_start_ring(c, Q_TX));
	TRY(chains_wait(c, ch, 8, answer_ms(c)));
	TRY(rig_watch(c, 50)); /* one that comes twice is a fault of the ring */
	return io_ok(c, &ch[7], "the last message");
}

/* The n-th of all orders. */
static void permutation(unsigned n, unsigned order[QUEUES])
{
	static const unsigned radix[QUEUES] = { 6, 2, 1, 1 };
	unsigned left[QUEUES] = { 0, 1, 2, 3 };

	for (unsigned i = 0; i < QUEUES; i++) {
		unsigned at = n / radix[i];

		n %= radix[i];
		order[i] = left[at];
		for (unsigned k = at; k + 1 < QUEUES; k++)
			left[k] = left[k + 1];
	}
}

static int plays(struct conform *c, uint32_t out)
{
	struct chain ch;

	TRY(tx_send(c, &ch, out, 64));
	TRY(chain_wait(c, &ch));
	return io_ok(c, &ch, "an output message");
}

/* Control and output are what a stream needs. */
static int one_order(struct conform *c, const unsigned order[QUEUES])
{
	unsigned running = 0;
	bool prepared = false;
	uint32_t out = 0;

	trace(c, "   started and stopped in the order %u %u %u %u", order[0], order[1], order[2],
		order[3]);
	TRY(rig_up(c, &(struct rig_setup){ .who = &bare }));
	for (unsigned i = 0; i < QUEUES; i++) {
		TRY(rig_start_ring(c, order[i]));
		running |= 1u << order[i];
		if ((running & 1u << Q_CONTROL) && (running & 1u << Q_TX) && !prepared) {
			TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
			TRY(stream_bring(c, out, ST_RUN));
			prepared = true;
		}
		if (prepared)
			TRY(plays(c, out));
	}
	for (unsigned i = 0; i < QUEUES; i++) {
		TRY(rig_stop_ring(c, order[i]));
		running &= ~(1u << order[i]);
		if ((running & 1u << Q_CONTROL) && (running & 1u << Q_TX))
			TRY(plays(c, out));
		else if (running & 1u << Q_CONTROL)
			TRY(ask_and_wait(c));
	}
	rig_down(c);
	return 0;
}

static int any_order(struct conform *c)
{
	for (unsigned n = 0; n < ORDERS; n++) {
		unsigned order[QUEUES];

		permutation(n, order);
		TRY(one_order(c, order));
	}
	return 0;
}

/* A stream runs, all rings stop; what the caller looks at comes next. */
static int suspended(struct conform *c)
{
	static struct chain ch[8], in[4];
	uint32_t out, input;

	TRY(rig_up(c, &(struct rig_setup){ .front_end = "qemu" }));
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 8; i++)
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
	if (!stream_pick(c, SND_D_INPUT, 0, &input)) {
		TRY(stream_bring(c, input, ST_RUN));
		for (unsigned i = 0; i < 4; i++)
			TRY(rx_send(c, &in[i], input, stream_params(c, input).period_bytes));
	}
	TRY(rig_watch(c, 15));
	INSIST(c, frontend_pause(&c->rig.fe) >= 0, "%s", complaint());
	return rig_poll(c, 0);
}

static int suspended_no_calls(struct conform *c)
{
	uint64_t calls[QUEUES];

	TRY(suspended(c));
	memcpy(calls, c->rig.calls, sizeof(calls));
	TRY(rig_watch(c, 500));
	for (unsigned i = 0; i < QUEUES; i++)
		EXPECT_EQ(c, c->rig.calls[i], calls[i], "notifications of queue %u", i);
	return 0;
}

static int suspended_no_messages(struct conform *c)
{
	struct pollfd p[2];

	TRY(suspended(c));
	p[0] = (struct pollfd){ .fd = c->rig.fe.sock, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = c->rig.fe.channel, .events = POLLIN };
	EXPECT_EQ(c, poll(p, 2, 500), 0, "sockets on which the back-end said something");
	return 0;
}

static void same_address(const struct conform *c, unsigned queue, uint32_t flags, struct vu_msg *m)
{
	const struct fe_queue *q = &c->rig.fe.queue[queue];
	const uint64_t at[3] = { mem_uva(&c->rig.mem, q->desc), mem_uva(&c->rig.mem, q->used),
		mem_uva(&c->rig.mem, q->avail) };

	wire_empty(m, VU_SET_VRING_ADDR);
	m->size = 40;
	put32(m->payload, queue);
	put32(m->payload + 4, flags);
	memcpy(m->payload + 8, at, sizeof(at));
}

static int suspended_answers(struct conform *c)
{
	struct vu_msg m, answer;

	TRY(suspended(c));
	TRY(wire_alive(c));
	wire_config(&m, VU_GET_CONFIG, 0, 12, 0);
	TRY(wire_ask(c, &m, &answer));
	EXPECT_EQ(c, answer.size, 24, "size of the reply to GET_CONFIG");
	regions_message(c, &m);
	TRY(wire_accepted(c, &m));
	INSIST(c, frontend_resume(&c->rig.fe) >= 0, "%s", complaint());
	return still_works(c);
}

/* User addresses are not guest addresses: rings by the former, buffers by the latter. */
static int user_addresses(struct conform *c)
{
	const struct mem_region *r;
	struct vu_msg m;
	uint64_t at[3];

	TRY(rig_up(c, &(struct rig_setup){ .regions = 3 }));
	TRY(still_works(c));
	TRY(rig_enable_ring(c, Q_RX, false));
	TRY(rig_stop_ring(c, Q_RX));
	r = &c->rig.mem.region[0];
	for (unsigned i = 0; i < 3; i++)
		at[i] = r->gpa + 4096ULL * i;
	same_address(c, Q_RX, 0, &m);
	memcpy(m.payload + 8, at, sizeof(at));
	trace(c, "   rings at guest addresses, which are no user addresses");
	TRY(wire_refused(c, &m));
	return still_works(c);
}

static int log_flag(struct conform *c)
{
	static struct chain ch[100];
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 100; i++) {
		struct vu_msg m;

		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes / 4));
		same_address(c, Q_TX, i & 1, &m);
		TRY(wire_accepted(c, &m));
		if (i >= 8)
			TRY(chain_wait(c, &ch[i - 8]));
	}
	return chains_wait(c, ch, 100, answer_ms(c));
}

static int base_upper_bits(struct conform *c)
{
	struct vu_msg m;
	uint16_t base;

	TRY(rig_up(c, &(struct rig_setup){ .front_end = "qemu" }));
	TRY(still_works(c));
	TRY(rig_stop_ring(c, Q_CONTROL));
	TRY(rig_enable_ring(c, Q_CONTROL, false));
	INSIST(c, !vring_num(&c->rig.fe, Q_CONTROL) && !vring_addr(&c->rig.fe, Q_CONTROL), "%s",
		complaint());
	/* Another one than it stopped at, so that it counts. */
	base = (uint16_t)(c->rig.fe.queue[Q_CONTROL].base + 7);
	rig_begin_at(c, Q_CONTROL, base);
	wire_state(&m, VU_SET_VRING_BASE, Q_CONTROL, 0x7fff0000u | base);
	TRY(wire_send(c, &m));
	INSIST(c, !vring_kick(&c->rig.fe, Q_CONTROL) && !vring_call(&c->rig.fe, Q_CONTROL), "%s",
		complaint());
	TRY(rig_enable_ring(c, Q_CONTROL, true));
	return still_works(c);
}

/* QEMU gives the error fd once; it holds over a stop and a start. */
static int error_fd_stays(struct conform *c)
{
	TRY(rig_up(c, &(struct rig_setup){ .front_end = "qemu" }));
	TRY(rig_stop_ring(c, Q_TX));
	TRY(rig_start_ring(c, Q_TX));
	TRY(rig_poll(c, 0));
	c->rig.errs[Q_TX] = 0;
	rig_break_ring(c, Q_TX);
	TRY(rig_watch(c, QUIET_MS));
	EXPECT(c, c->rig.errs[Q_TX], "the error fd of before the stop is not signalled");
	return still_works(c);
}

static int without_kick_fd(struct conform *c)
{
	struct chain ch;
	struct vu_msg m;

	TRY(rig_up(c, NULL));
	wire_u64(&m, VU_SET_VRING_KICK, NOFD | Q_CONTROL);
	TRY(wire_accepted(c, &m));
	for (int i = 0; i < 5; i++) {
		TRY(rig_watch(c, 20 * i));
		TRY(info_request(c, &ch));
		TRY(chain_post(c, &ch));
		TRY(chains_wait(c, &ch, 1, POLL_MS));
	}
	return backend_idles(c, "without a kick fd");
}

static int kick_fd_and_bit(struct conform *c)
{
	struct backend_use before, after;
	struct vu_msg m;
	uint64_t ack;

	TRY(rig_up(c, NULL));
	wire_u64(&m, VU_SET_VRING_KICK, Q_RX);
	TRY(wire_refused(c, &m));
	backend_use(c, &before);
	for (unsigned i = 0; i < 50; i++) {
		wire_fd(&m, VU_SET_VRING_KICK, NOFD | Q_RX, c->rig.fe.masked_call);
		TRY(wire_ack(c, &m, &ack));
	}
	backend_use(c, &after);
	EXPECT(c, after.fds < before.fds + 10, "%u open fds before, %u after", before.fds,
		after.fds);
	return still_works(c);
}

/* The fd is another one while requests are on their way. */
static int call_replaced(struct conform *c)
{
	struct ring *r = &c->rig.ring[Q_CONTROL];

	TRY(rig_up(c, NULL));
	for (unsigned i = 0; i < 1000; i++) {
		int64_t end = now_ns() + (int64_t)answer_ms(c) * 1000000;
		int fresh = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		struct pollfd p = { .fd = fresh, .events = POLLIN };
		struct chain ch;
		struct vu_msg m;

		TRY(info_request(c, &ch));
		TRY(chain_send(c, &ch));
		for (volatile unsigned spin = i * 137 % 60000; spin; spin--)
			;
		wire_fd(&m, VU_SET_VRING_CALL, Q_CONTROL, fresh);
		TRY(wire_send(c, &m));
		while (ring_used_idx(r) == r->used_seen)
			EXPECT(c, now_ns() < end && !interrupted(), "no answer to request %u", i);
		EXPECT(c, poll(&p, 1, answer_ms(c)) > 0,
			"request %u is done, the new call fd was not signalled", i);
		close(c->rig.fe.queue[Q_CONTROL].call);
		c->rig.fe.queue[Q_CONTROL].call = fresh;
		TRY(rig_poll(c, 0));
		EXPECT(c, ch.done, "request %u is not done", i);
	}
	return 0;
}

#define RS "vhost-user, Ring states: "
#define SU "vhost-user, Suspended device state: "
#define VU "vhost-user, "

const struct scenario ring_state_scenarios[] = {
	{ .id = "VU-RING-4", .title = "started and enabled: processed normally", .run = normally,
		.clause = RS "MUST process the ring normally" },
	{ .id = "VU-RING-8", .title = "GET_VRING_BASE stops a ring", .run = stops,
		.clause = RS "MUST stop the ring upon receiving GET_VRING_BASE" },
	{ .id = "VU-RING-10", .title = "rings start and stop in any of 24 orders",
		.run = any_order, .clause = RS "each on its own", .limit_s = 40 },
	{ .id = "VU-ENA-1", .title = "disabled rings hold requests, stopped meanwhile or not",
		.run = enabled_or_not, .clause = VU "SET_VRING_ENABLE: 1 enables, 0 disables" },
	{ .id = "VU-SUS-2", .title = "all rings stopped: no notification",
		.run = suspended_no_calls, .clause = SU "MUST NOT notify the guest" },
	{ .id = "VU-SUS-3", .title = "all rings stopped: no message",
		.run = suspended_no_messages, .clause = SU "MUST NOT send to the front-end" },
	{ .id = "VU-SUS-4", .title = "all rings stopped: messages are answered",
		.run = suspended_answers, .clause = SU "MUST still answer" },
	{ .id = "VU-ADDR-1", .title = "rings have user addresses, buffers guest addresses",
		.run = user_addresses, .clause = VU "A vring address description" },
	{ .id = "VU-ADDR-3", .title = "the log flag changes a hundred times", .run = log_flag,
		.clause = VU "SET_VRING_ADDR: VHOST_VRING_F_LOG, at any time" },
	{ .id = "VU-BASE-2", .title = "the base of a packed ring", .clause = "",
		.untestable = "the probe drives split rings" },
	{ .id = "VU-BASE-3", .title = "the upper half of a base is ignored",
		.run = base_upper_bits, .recommended = true, .clause = VU "SET_VRING_BASE: silent" },
	{ .id = "VU-BASE-4", .title = "behind GET_VRING_BASE nothing changes, nothing is lost",
		.run = under_load, .clause = VU "GET_VRING_BASE: stops, and tells where to go on" },
	{ .id = "VU-BASE-8", .title = "the error fd outlives GET_VRING_BASE",
		.run = error_fd_stays, .recommended = true,
		.clause = "QEMU gives kick and call fds again, the error fd only once" },
	{ .id = "VU-KICK-1", .title = "without a kick fd the ring is polled",
		.run = without_kick_fd, .clause = VU "SET_VRING_KICK: bit 8, no fd" },
	{ .id = "VU-KICK-4", .title = "no fd without bit 8, an fd with it",
		.run = kick_fd_and_bit, .recommended = true, .clause = VU "SET_VRING_KICK: bit 8" },
	{ .id = "VU-CALL-3", .title = "a new call fd, and no notification lost",
		.run = call_replaced, .recommended = true, .clause = VU "SET_VRING_CALL: silent" },
	{ .id = "VU-INB-1", .title = "in-band kicks", .clause = "",
		.untestable = "no back-end offers INBAND_NOTIFICATIONS, and VU-PF-3b says not to" },
	{ .id = "VU-INB-2", .title = "in-band notifications without BACKEND_REQ", .clause = "",
		.untestable = "no back-end offers INBAND_NOTIFICATIONS, and VU-PF-3b says not to" },
	{ .id = "VU-INB-3", .title = "an fd before in-band notifications", .clause = "",
		.untestable = "no back-end offers INBAND_NOTIFICATIONS, and VU-PF-3b says not to" },
	{ 0 },
};
