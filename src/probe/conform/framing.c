/* SPDX-License-Identifier: BSD-3-Clause */
/* vhost-user frames: headers, sizes, replies, acknowledgements, fds. */
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "probe/conform/backend.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/wire.h"
#include "probe/hostile_raw.h"
#include "probe/report.h"

static const struct rig_setup talk_only = { .inactive = true };

/* Another connection is served; the former has been closed. */
static int serves_again(struct conform *c)
{
	rig_down(c);
	TRY(rig_up(c, NULL));
	return still_works(c);
}

static int in_bytes(struct conform *c)
{
	struct vu_msg m, answer;
	uint8_t frame[40];
	uint32_t flags = VU_FLAG_VERSION;

	TRY(rig_up(c, &talk_only));
	wire_config(&m, VU_GET_CONFIG, 0, 12, 0);
	memcpy(frame, &m.request, 4);
	memcpy(frame + 4, &flags, 4);
	memcpy(frame + 8, &m.size, 4);
	memcpy(frame + 12, m.payload, 24);
	trace(c, "=> GET_CONFIG, a byte at a time");
	for (unsigned i = 0; i < 36; i++) {
		EXPECT_EQ(c, send(c->rig.fe.sock, frame + i, 1, MSG_NOSIGNAL), 1, "sending");
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
	}
	TRY(wire_reply(c, VU_GET_CONFIG, &answer));
	EXPECT_EQ(c, answer.size, 24, "size of the reply");
	return wire_alive(c);
}

/* wire_reply() checks flags and number of each. */
static int reply_headers(struct conform *c)
{
	static const uint32_t gets[] = { VU_GET_FEATURES, VU_GET_PROTOCOL_FEATURES,
		VU_GET_QUEUE_NUM, VU_GET_MAX_MEM_SLOTS, VU_GET_STATUS };
	static const int needs[] = { -1, -1, VU_P_MQ, VU_P_CONFIGURE_MEM_SLOTS, VU_P_STATUS };

	TRY(rig_up(c, &talk_only));
	for (unsigned ack = 0; ack < 2; ack++)
		for (unsigned i = 0; i < 5; i++) {
			struct vu_msg m, answer;

			if (needs[i] >= 0 && !wire_has(c, (enum vu_protocol_bit)needs[i]))
				continue;
			if (ack && !wire_has(c, VU_P_REPLY_ACK))
				continue;
			wire_empty(&m, gets[i]);
			m.flags = VU_FLAG_VERSION | (ack ? VU_FLAG_NEED_REPLY : 0);
			TRY(wire_ask(c, &m, &answer));
			EXPECT_EQ(c, answer.size, 8, "size of the reply to %s", vu_name(gets[i]));
		}
	/* Had one of them two replies, this would get the second. */
	return wire_alive(c);
}

static int odd_header(struct conform *c, uint32_t flags, bool must_close)
{
	struct vu_msg m;
	bool closed;

	TRY(rig_up(c, &talk_only));
	wire_empty(&m, VU_GET_FEATURES);
	m.flags = flags;
	TRY(wire_send(c, &m));
	TRY(wire_closed(c, 300, &closed));
	EXPECT(c, closed == must_close, "after flags 0x%x the connection is %s", flags,
		closed ? "closed" : "open");
	return serves_again(c);
}

static int wrong_version(struct conform *c)
{
	TRY(odd_header(c, 0x2, true));
	rig_down(c);
	return odd_header(c, 0x3, true);
}

static int reserved_flags(struct conform *c)
{
	struct vu_msg m, answer;

	TRY(rig_up(c, &talk_only));
	wire_empty(&m, VU_GET_FEATURES);
	m.flags = VU_FLAG_VERSION | 0xfffffff0;
	return wire_ask(c, &m, &answer);
}

static int oversized(struct conform *c)
{
	static const uint32_t sizes[] = { 0x10000, 0x7fffffff, 0xffffffff };

	for (unsigned i = 0; i < 3; i++) {
		struct raw r = { .request = VU_SET_FEATURES, .flags = 1, .size = sizes[i],
			.send = 4096 };

		TRY(rig_up(c, &talk_only));
		trace(c, "=> SET_FEATURES with a size of %u", sizes[i]);
		raw_send(c->rig.fe.sock, &r);
		TRY(serves_again(c));
		rig_down(c);
	}
	return 0;
}

static int wrong_sizes(struct conform *c)
{
	static const struct {
		uint32_t request, size;
	} cases[] = { { VU_SET_FEATURES, 7 }, { VU_SET_FEATURES, 0 }, { VU_SET_VRING_NUM, 7 },
		{ VU_SET_VRING_NUM, 4 }, { VU_SET_VRING_ADDR, 39 }, { VU_SET_VRING_ADDR, 8 },
		{ VU_SET_MEM_TABLE, 4 }, { VU_SET_VRING_ENABLE, 4 }, { VU_SET_VRING_BASE, 0 } };

	TRY(rig_up(c, &talk_only));
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vu_msg m;

		wire_empty(&m, cases[i].request);
		m.size = cases[i].size;
		TRY(wire_refused(c, &m));
	}
	return wire_alive(c);
}

static int truncated(struct conform *c)
{
	static const uint32_t lengths[] = { 1, 6, 12, 16 };

	for (unsigned i = 0; i < 4; i++) {
		struct raw r = { .request = VU_SET_FEATURES, .flags = 1, .size = 8,
			.send = lengths[i] };

		TRY(rig_up(c, &talk_only));
		trace(c, "=> %u bytes of SET_FEATURES, then the end", lengths[i]);
		raw_send(c->rig.fe.sock, &r);
		TRY(serves_again(c));
		rig_down(c);
	}
	return 0;
}

static int pipelined(struct conform *c)
{
	struct vu_msg m, answer;

	TRY(rig_up(c, &talk_only));
	for (unsigned i = 0; i < 100; i++) {
		if (i % 2)
			wire_config(&m, VU_GET_CONFIG, 0, 1 + i % 12, 0);
		else
			wire_empty(&m, VU_GET_FEATURES);
		TRY(wire_send(c, &m));
	}
	for (unsigned i = 0; i < 100; i++) {
		TRY(wire_reply(c, i % 2 ? VU_GET_CONFIG : VU_GET_FEATURES, &answer));
		EXPECT_EQ(c, answer.size, i % 2 ? 12 + 1 + i % 12 : 8, "size of reply %u", i);
	}
	return 0;
}

static int no_reply(struct conform *c)
{
	TRY(rig_up(c, &talk_only));
	for (unsigned i = 0; i < 5; i++) {
		struct vu_msg m;

		if (i == 0)
			wire_empty(&m, VU_SET_OWNER);
		else if (i == 1)
			wire_u64(&m, VU_SET_FEATURES, c->rig.fe.features_offered &
				(BIT(VIRTIO_F_VERSION_1) | BIT(VHOST_USER_F_PROTOCOL_FEATURES)));
		else if (i == 2)
			wire_state(&m, VU_SET_VRING_NUM, 0, 64);
		else if (i == 3)
			wire_state(&m, VU_SET_VRING_BASE, 0, 0);
		else
			wire_u64(&m, VU_SET_VRING_CALL, 0x100);
		TRY(wire_send(c, &m));
		/* wire_reply() would see another request's reply. */
		TRY(wire_alive(c));
	}
	return 0;
}

static int acknowledged(struct conform *c)
{
	struct vu_msg m, answer;

	TRY(rig_up(c, &talk_only));
	wire_state(&m, VU_SET_VRING_NUM, 0, 64);
	TRY(wire_accepted(c, &m));
	wire_state(&m, VU_SET_VRING_NUM, 200, 64);
	TRY(wire_refused(c, &m));
	wire_empty(&m, VU_GET_FEATURES);
	m.flags = VU_FLAG_VERSION | VU_FLAG_NEED_REPLY;
	TRY(wire_ask(c, &m, &answer));
	EXPECT_EQ(c, answer.size, 8, "size of the reply");
	return wire_alive(c);
}

static int ack_before_negotiation(struct conform *c)
{
	struct vu_msg m;

	TRY(wire_connect(c));
	wire_empty(&m, VU_SET_OWNER);
	m.flags = VU_FLAG_VERSION | VU_FLAG_NEED_REPLY;
	TRY(wire_send(c, &m));
	return wire_alive(c);
}

static int ack_offered(struct conform *c)
{
	TRY(rig_up(c, &talk_only));
	EXPECT(c, c->rig.fe.protocol_offered & BIT(VU_P_REPLY_ACK), "REPLY_ACK is not offered");
	return 0;
}

static int eight_fds(struct conform *c)
{
	/* crosvm's front-end uses SET_MEM_TABLE. */
	TRY(rig_up(c, &(struct rig_setup){ .regions = 8, .front_end = "crosvm" }));
	return still_works(c);
}

static unsigned backend_fds(const struct conform *c)
{
	struct backend_use use;

	backend_use(c, &use);
	return use.fds;
}

static int fd_on_others(struct conform *c)
{
	unsigned before, after;
	struct vu_msg m;

	TRY(rig_up(c, &talk_only));
	before = backend_fds(c);
	for (unsigned i = 0; i < 100; i++) {
		wire_state(&m, VU_SET_VRING_NUM, 0, 64);
		m.fds[0] = m.fds[1] = c->rig.fe.masked_call;
		m.fds_count = 1 + i % 2;
		TRY(wire_send(c, &m));
		wire_fd(&m, VU_SET_VRING_CALL, 1, c->rig.fe.masked_call);
		m.fds[1] = m.fds[2] = m.fds[0];
		m.fds_count = 3;
		TRY(wire_send(c, &m));
	}
	TRY(wire_alive(c));
	after = backend_fds(c);
	EXPECT(c, after < before + 20, "%u open fds before, %u after", before, after);
	return 0;
}

static int fds_replaced(struct conform *c)
{
	static const uint32_t what[] = { VU_SET_VRING_CALL, VU_SET_VRING_KICK, VU_SET_VRING_ERR };
	unsigned before, after;

	TRY(rig_up(c, &talk_only));
	before = backend_fds(c);
	for (unsigned i = 0; i < 3000; i++) {
		struct vu_msg m;

		wire_fd(&m, what[i % 3], i % 4, c->rig.fe.masked_call);
		TRY(wire_send(c, &m));
	}
	TRY(wire_alive(c));
	after = backend_fds(c);
	EXPECT(c, after < before + 40, "%u open fds before, %u after 3000 messages", before, after);
	return 0;
}

static int too_many_fds(struct conform *c)
{
	for (unsigned n = 9; n <= 32; n += 23) {
		struct raw r = { .request = VU_SET_VRING_CALL, .flags = 1, .size = 8, .send = 20,
			.fds_count = n };

		TRY(rig_up(c, &talk_only));
		for (unsigned i = 0; i < n; i++)
			r.fds[i] = c->rig.fe.masked_call;
		trace(c, "=> SET_VRING_CALL with %u fds", n);
		raw_send(c->rig.fe.sock, &r);
		TRY(serves_again(c));
		rig_down(c);
	}
	return 0;
}

static int owner_anywhere(struct conform *c)
{
	/* First, in the middle, and before the features. */
	static const char *const names[] = { "crosvm", "qemu", "libkrun" };

	for (unsigned i = 0; i < 3; i++) {
		TRY(rig_up(c, &(struct rig_setup){ .front_end = names[i] }));
		TRY(still_works(c));
		rig_down(c);
	}
	return 0;
}

static int disconnect(struct conform *c)
{
	unsigned before = 0, after = 0;
	uint32_t out;

	for (unsigned i = 0; i < 12; i++) {
		struct chain ch;

		TRY(up_with(c, SND_D_OUTPUT, &out));
		TRY(stream_bring(c, out, ST_RUN));
		TRY(tx_send(c, &ch, out, 50 * stream_params(c, out).period_bytes));
		after = backend_fds(c);
		if (i == 1)
			before = after;
		rig_down(c);
	}
	EXPECT(c, after <= before + 4, "%u open fds in the second session, %u in the twelfth",
		before, after);
	return 0;
}

static int unknown_requests(struct conform *c)
{
	static const uint32_t requests[] = { 44, 45, 63, 1000, 0x7fffffff, 0xffffffff };

	TRY(rig_up(c, &talk_only));
	for (unsigned i = 0; i < 6; i++) {
		struct vu_msg m;

		wire_fd(&m, requests[i], 1, c->rig.fe.masked_call);
		TRY(wire_send(c, &m));
		TRY(wire_alive(c));
		wire_u64(&m, requests[i], 1);
		TRY(wire_refused(c, &m));
	}
	return 0;
}

static int foreign_requests(struct conform *c)
{
	/* SEND_RARP, NET_SET_MTU, SET_VRING_ENDIAN, crypto, GPU. */
	static const uint32_t requests[] = { 19, 20, 23, 26, 27, 33, 41 };

	TRY(rig_up(c, &talk_only));
	for (unsigned i = 0; i < 7; i++) {
		struct vu_msg m;

		wire_u64(&m, requests[i], 1);
		TRY(wire_send(c, &m));
	}
	return wire_alive(c);
}

#define VU "vhost-user, "

const struct scenario framing_scenarios[] = {
	{ .id = "VU-HDR-1", .title = "a message in single bytes", .run = in_bytes,
		.clause = VU "Message specification: 12 bytes of header, then the payload" },
	{ .id = "VU-HDR-3", .title = "replies have flags 0x5 and the request's number",
		.run = reply_headers, .clause = VU "Header: version 1, the reply bit" },
	{ .id = "VU-HDR-4", .title = "a wrong version closes the connection",
		.run = wrong_version, .recommended = true, .clause = VU "Header: the version is 1" },
	{ .id = "VU-HDR-4b", .title = "reserved flag bits are ignored", .run = reserved_flags,
		.recommended = true, .clause = VU "Header: silent" },
	{ .id = "VU-HDR-5", .title = "payloads larger than any message", .run = oversized,
		.clause = VU "the back-end must not be taken down by its peer" },
	{ .id = "VU-HDR-6", .title = "payloads of the wrong size are refused",
		.run = wrong_sizes, .recommended = true, .clause = VU "Payload: by request" },
	{ .id = "VU-HDR-7", .title = "a message cut off by the end", .run = truncated,
		.clause = VU "the front-end may go at any time" },
	{ .id = "VU-HDR-8", .title = "100 messages sent before a reply is read",
		.run = pipelined, .clause = VU "Communication: handled in order" },
	{ .id = "VU-REPLY-2", .title = "what has no reply gets none", .run = no_reply,
		.clause = VU "Communication: only those in the list have a reply" },
	{ .id = "VU-ACK-1", .title = "need_reply: 0 for success, other for failure",
		.run = acknowledged, .clause = VU "VHOST_USER_PROTOCOL_F_REPLY_ACK: MUST" },
	{ .id = "VU-ACK-3", .title = "need_reply before REPLY_ACK is negotiated",
		.run = ack_before_negotiation, .recommended = true,
		.clause = VU "VHOST_USER_PROTOCOL_F_REPLY_ACK: only when negotiated" },
	{ .id = "VU-ACK-4", .title = "REPLY_ACK is offered", .run = ack_offered,
		.recommended = true, .clause = VU "VHOST_USER_PROTOCOL_F_REPLY_ACK" },
	{ .id = "VU-FD-1", .title = "8 regions with 8 fds", .run = eight_fds,
		.clause = VU "SET_MEM_TABLE: up to 8 regions" },
	{ .id = "VU-FD-2", .title = "fds that do not belong are closed", .run = fd_on_others,
		.recommended = true, .clause = VU "Communication: fds by request" },
	{ .id = "VU-FD-3", .title = "fds are closed when they are replaced",
		.run = fds_replaced, .clause = VU "SET_VRING_CALL, KICK, ERR" },
	{ .id = "VU-FD-5", .title = "more fds than any message has", .run = too_many_fds,
		.clause = VU "the back-end must not be taken down by its peer" },
	{ .id = "VU-CON-2", .title = "SET_OWNER early, late", .run = owner_anywhere,
		.clause = VU "SET_OWNER; where crosvm, QEMU and libkrun send it" },
	{ .id = "VU-CON-3", .title = "everything is released at a disconnect",
		.run = disconnect, .clause = VU "12 sessions after each other, streams running" },
	{ .id = "VU-CON-4", .title = "unknown requests are refused", .run = unknown_requests,
		.recommended = true, .clause = VU "Communication: silent" },
	{ .id = "VU-CON-5", .title = "requests of other device types", .run = foreign_requests,
		.recommended = true, .clause = VU "Communication: silent" },
	{ 0 },
};
