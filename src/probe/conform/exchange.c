/* SPDX-License-Identifier: BSD-3-Clause */
/* vhost-user: who is answered and how, what ends a session, kinds of fds. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/bytes.h"
#include "probe/conform/backend.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/wire.h"
#include "probe/orders.h"

#define DRIVER_UP 0xf /* ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK */

static const struct rig_setup talk_only = { .inactive = true };

/* What has a reply of its own, as this back-end can be asked for it. */
static const struct question {
	uint32_t request;
	int needs;	      /* a protocol feature, or -1 */
	uint32_t size, reply; /* of the payloads */
} questions[] = {
	{ VU_GET_FEATURES, -1, 0, 8 },
	{ VU_GET_PROTOCOL_FEATURES, -1, 0, 8 },
	{ VU_GET_QUEUE_NUM, VU_P_MQ, 0, 8 },
	{ VU_GET_VRING_BASE, -1, 8, 8 },
	{ VU_GET_CONFIG, VU_P_CONFIG, 24, 24 },
	{ VU_GET_STATUS, VU_P_STATUS, 0, 8 },
	{ VU_GET_MAX_MEM_SLOTS, VU_P_CONFIGURE_MEM_SLOTS, 0, 8 },
	{ VU_CHECK_DEVICE_STATE, VU_P_DEVICE_STATE, 0, 8 },
};

static int one_reply_each(struct conform *c)
{
	TRY(rig_up(c, &talk_only));
	for (unsigned i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		for (unsigned ack = 0; ack < 2; ack++) {
			const struct question *q = &questions[i];
			struct vu_msg m, answer;

			if (q->needs >= 0 && !wire_has(c, (enum vu_protocol_bit)q->needs))
				continue;
			wire_empty(&m, q->request);
			if (q->request == VU_GET_CONFIG)
				wire_config(&m, VU_GET_CONFIG, 0, 12, 0);
			m.size = q->size;
			m.flags = VU_FLAG_VERSION;
			if (ack && wire_has(c, VU_P_REPLY_ACK))
				m.flags |= VU_FLAG_NEED_REPLY;
			TRY(wire_ask(c, &m, &answer));
			EXPECT_EQ(c, answer.size, q->reply, "size of the reply to %s",
				vu_name(q->request));
			/* Were there a second reply, this would get it. */
			TRY(wire_alive(c));
		}
	return 0;
}

/* A broken ring of a device that is up: the back-end has something to tell. */
static int provoke(struct conform *c)
{
	struct vu_msg m;

	if (!wire_has(c, VU_P_STATUS))
		return skip(c, "the back-end does not offer STATUS");
	wire_u64(&m, VU_SET_STATUS, DRIVER_UP);
	TRY(wire_send(c, &m));
	TRY(wire_alive(c));
	rig_break_ring(c, Q_TX);
	return 0;
}

/* The message on the back-end's own channel. */
static int told(struct conform *c, struct vu_msg *ret)
{
	TRY(rig_up(c, &(struct rig_setup){ .front_end = "qemu" }));
	if (c->rig.fe.channel < 0)
		return skip(c, "the back-end does not offer BACKEND_REQ");
	TRY(provoke(c));
	if (vu_receive(c->rig.fe.channel, ret, 1000) < 0)
		return skip(c, "the back-end tells nothing when a ring breaks");
	trace(c, "<- on the channel: request %u, flags 0x%x, %u bytes", ret->request, ret->flags,
		ret->size);
	return 0;
}

static int versions(struct conform *c)
{
	struct vu_msg m, state, answer;

	TRY(told(c, &m));
	EXPECT_EQ(c, m.flags & 3, VU_FLAG_VERSION, "version of a message of the back-end");
	EXPECT_EQ(c, m.flags & VU_FLAG_REPLY, 0, "reply bit of a message that is none");
	/* wire_reply() judges those of replies and acknowledgements. */
	wire_state(&state, VU_SET_VRING_ENABLE, Q_RX, 1);
	TRY(wire_accepted(c, &state));
	wire_config(&state, VU_GET_CONFIG, 0, 12, 0);
	return wire_ask(c, &state, &answer);
}

static int config_change(struct conform *c)
{
	struct vu_msg m;

	TRY(told(c, &m));
	EXPECT_EQ(c, m.request, BACKEND_CONFIG_CHANGE, "request of the back-end");
	EXPECT_EQ(c, m.size, 0, "its size");
	EXPECT(c, !(m.flags & VU_FLAG_NEED_REPLY) || wire_has(c, VU_P_REPLY_ACK),
		"need_reply without REPLY_ACK");
	return 0;
}

/* BACKEND_REQ is negotiated, and no channel given. */
static int no_channel(struct conform *c)
{
	static const struct personality who = {
		.name = "no SET_BACKEND_REQ_FD", .base = BASE_KEPT,
		.protocol = BIT(VU_P_MQ) | BIT(VU_P_CONFIG) | BIT(VU_P_REPLY_ACK) |
			BIT(VU_P_BACKEND_REQ) | BIT(VU_P_STATUS),
		.connect = { { .device = step_get_features }, { .device = step_protocol },
			{ .device = step_owner } },
		.activate = { { .device = step_features }, { .device = step_memory },
			{ .ring = { vring_num, vring_base, vring_addr, vring_call, vring_kick,
				  vring_enable } } },
	};

	TRY(rig_up(c, &(struct rig_setup){ .who = &who }));
	TRY(provoke(c));
	/* On the connection nothing may come unasked: rig_poll() sees to it. */
	TRY(rig_watch(c, QUIET_MS));
	return still_works(c);
}

/* Replies that nobody asked for, wrong ones, half a one. */
static int odd_replies(struct conform *c)
{
	struct vu_msg m, told_msg;
	uint8_t half[7] = { 2 };

	TRY(told(c, &told_msg));
	wire_u64(&m, told_msg.request, 1);
	m.flags = VU_FLAG_VERSION | VU_FLAG_REPLY;
	vu_send(c->rig.fe.channel, &m);
	TRY(wire_alive(c));
	wire_u64(&m, 99, 0);
	m.flags = VU_FLAG_VERSION | VU_FLAG_REPLY;
	vu_send(c->rig.fe.channel, &m);
	TRY(wire_alive(c));
	(void)!send(c->rig.fe.channel, half, sizeof(half), MSG_NOSIGNAL);
	TRY(rig_watch(c, 50));
	return still_works(c);
}

/* Errors that a back-end can say no to, and go on. */
static int errors_do_not_close(struct conform *c)
{
	static const uint32_t requests[] = { VU_SET_VRING_NUM, VU_SET_VRING_ADDR, VU_SET_MEM_TABLE,
		VU_SET_VRING_ENABLE, VU_SET_FEATURES, VU_SET_CONFIG, VU_ADD_MEM_REG, VU_SET_STATUS,
		44, 1000 };

	TRY(rig_up(c, NULL));
	for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct vu_msg m;

		wire_empty(&m, requests[i]);
		m.size = 40;
		memset(m.payload, 0xee, 40);
		TRY(wire_send(c, &m));
		TRY(wire_alive(c));
	}
	return still_works(c);
}

/* A kick right behind the acknowledgement, as QEMU has it. */
static int ack_is_effect(struct conform *c)
{
	TRY(rig_up(c, NULL));
	for (unsigned i = 0; i < 200; i++) {
		struct chain ch;
		struct vu_msg m;

		wire_state(&m, VU_SET_VRING_ENABLE, Q_CONTROL, 0);
		TRY(wire_accepted(c, &m));
		TRY(info_request(c, &ch));
		TRY(chain_send(c, &ch));
		TRY(rig_poll(c, 200000));
		EXPECT(c, !ch.done, "request %u is answered behind the acknowledgement of "
			"SET_VRING_ENABLE 0", i);
		m.payload[4] = 1;
		TRY(wire_accepted(c, &m));
		rig_kick(c, Q_CONTROL);
		TRY(chain_wait(c, &ch));
	}
	return 0;
}

static int odd_fds(struct conform *c)
{
	static const uint32_t what[] = { VU_SET_VRING_KICK, VU_SET_VRING_CALL, VU_SET_VRING_ERR };
	int fds[4], ends[2];

	EXPECT(c, !pipe2(ends, O_CLOEXEC), "pipe");
	fds[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	fds[1] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds[2] = ends[0];
	fds[3] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	close(ends[1]); /* a pipe at its end is readable for ever */
	TRY(rig_up(c, NULL));
	c->rig.faults_expected = true;
	for (unsigned i = 0; i < 12; i++) {
		struct vu_msg m;

		/* The event queue, so that the others can be judged. */
		wire_fd(&m, what[i / 4], Q_EVENT, fds[i % 4]);
		TRY(wire_send(c, &m));
		TRY(wire_alive(c));
		if (i < 4)
			TRY(backend_idles(c, "with a kick fd that is none"));
	}
	for (unsigned i = 0; i < 4; i++)
		close(fds[i]);
	TRY(rig_watch(c, 50));
	return still_works(c);
}

/* As the first message of all. */
static int call_first(struct conform *c)
{
	static const struct personality who = {
		.name = "SET_VRING_CALL first", .base = BASE_KEPT,
		.protocol = BIT(VU_P_MQ) | BIT(VU_P_CONFIG) | BIT(VU_P_REPLY_ACK),
		.connect = { { .ring = { vring_call } }, { .device = step_get_features },
			{ .device = step_protocol }, { .device = step_owner } },
		.activate = { { .device = step_features }, { .device = step_memory },
			{ .ring = { vring_num, vring_base, vring_addr, vring_kick,
				  vring_enable } } },
	};

	TRY(rig_up(c, &(struct rig_setup){ .who = &who }));
	TRY(still_works(c));
	EXPECT(c, c->rig.calls[Q_CONTROL], "it is not signalled");
	return 0;
}

static int features_again(struct conform *c)
{
	static struct chain ch[30];
	uint64_t log = 0;
	struct vu_msg m;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 30; i++) {
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
		/* LOG_ALL comes and goes, where it is offered. */
		log ^= c->rig.fe.features_offered & BIT(VHOST_F_LOG_ALL);
		wire_u64(&m, VU_SET_FEATURES, c->rig.fe.features | log);
		TRY(wire_accepted(c, &m));
		if (i >= 4)
			TRY(chain_wait(c, &ch[i - 4]));
	}
	TRY(chains_wait(c, ch, 30, answer_ms(c)));
	return io_ok(c, &ch[29], "the last message");
}

static int queue_number(struct conform *c)
{
	uint64_t queues;

	TRY(rig_up(c, &talk_only));
	if (!wire_has(c, VU_P_MQ))
		return skip(c, "the back-end does not offer MQ");
	TRY(wire_get_u64(c, VU_GET_QUEUE_NUM, &queues));
	EXPECT_EQ(c, queues, QUEUES, "GET_QUEUE_NUM");
	return 0;
}

#define VU "vhost-user, "

const struct scenario exchange_scenarios[] = {
	{ .id = "VU-HDR-2", .title = "all that the back-end sends has version 1", .run = versions,
		.clause = VU "Header: version, flags bits 0 and 1" },
	{ .id = "VU-REPLY-1", .title = "what has a reply gets one, asked twice or not",
		.run = one_reply_each, .clause = VU "Communication: the list of those with a reply" },
	{ .id = "VU-REPLY-3", .title = "errors that can be answered do not end the session",
		.run = errors_do_not_close, .recommended = true,
		.clause = VU "Communication: MAY close, in exceptional cases" },
	{ .id = "VU-ACK-2", .title = "what is acknowledged is in force", .run = ack_is_effect,
		.clause = VU "VHOST_USER_PROTOCOL_F_REPLY_ACK: the result of the processing" },
	{ .id = "VU-FD-4", .title = "files, directories, ended pipes as event fds",
		.run = odd_fds, .recommended = true, .limit_s = 30,
		.clause = VU "SET_VRING_KICK: no crash, no busy loop" },
	{ .id = "VU-FEAT-3", .title = "SET_FEATURES is sent again while a stream runs",
		.run = features_again, .clause = VU "Migration: LOG_ALL comes and goes" },
	{ .id = "VU-MQ-2", .title = "GET_QUEUE_NUM is 4", .run = queue_number,
		.clause = VU "GET_QUEUE_NUM" },
	{ .id = "VU-CALL-1", .title = "SET_VRING_CALL is the first message", .run = call_first,
		.clause = VU "SET_VRING_CALL; QEMU sends it before features and memory" },
	{ .id = "VU-BRQ-2", .title = "without a channel nothing is told", .run = no_channel,
		.clause = VU "Back-end communication: if the fd was given" },
	{ .id = "VU-BRQ-3", .title = "a configuration change is message 2, without payload",
		.run = config_change, .clause = VU "VHOST_USER_BACKEND_CONFIG_CHANGE_MSG" },
	{ .id = "VU-BRQ-5", .title = "odd replies on the channel", .run = odd_replies,
		.recommended = true, .clause = VU "Back-end communication: silent" },
	{ 0 },
};
