/* SPDX-License-Identifier: BSD-3-Clause */
/* Features and protocol features. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/wire.h"
#include "probe/orders.h"

/* Not acknowledged: VHOST_USER_F_PROTOCOL_FEATURES. */
static int features_without_30(struct frontend *fe)
{
	fe->features = fe->features_offered & fe->features_wanted &
		~BIT(VHOST_USER_F_PROTOCOL_FEATURES);
	return fe_u64(fe, VU_SET_FEATURES, fe->features);
}

static const struct personality never_enables = {
	.name = "no SET_VRING_ENABLE", .base = BASE_KEPT,
	.protocol = BIT(VU_P_MQ) | BIT(VU_P_CONFIG) | BIT(VU_P_REPLY_ACK),
	.connect = { { .device = step_get_features }, { .device = step_protocol },
		{ .device = step_owner } },
	.activate = { { .device = features_without_30 }, { .device = step_memory },
		{ .ring = { vring_num, vring_base, vring_addr, vring_kick, vring_call } } },
};

/* All is set up, only the rings are not enabled. */
static const struct personality enables_later = {
	.name = "late SET_VRING_ENABLE", .base = BASE_KEPT,
	.protocol = BIT(VU_P_MQ) | BIT(VU_P_CONFIG) | BIT(VU_P_REPLY_ACK),
	.connect = { { .device = step_get_features }, { .device = step_protocol },
		{ .device = step_owner } },
	.activate = { { .device = step_features }, { .device = step_memory },
		{ .ring = { vring_num, vring_base, vring_addr, vring_kick, vring_call } } },
};

static int constant(struct conform *c)
{
	uint64_t first, now;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	TRY(wire_get_u64(c, VU_GET_FEATURES, &first));
	for (unsigned i = 0; i < 100; i++) {
		TRY(wire_get_u64(c, VU_GET_FEATURES, &now));
		EXPECT_EQ(c, now, first, "features while a stream runs");
	}
	return 0;
}

static int bit_30(struct conform *c)
{
	TRY(rig_up(c, &(struct rig_setup){ .inactive = true }));
	EXPECT(c, c->rig.fe.features_offered & BIT(VHOST_USER_F_PROTOCOL_FEATURES),
		"VHOST_USER_F_PROTOCOL_FEATURES is not offered");
	return 0;
}

static int without_30(struct conform *c)
{
	TRY(rig_up(c, &(struct rig_setup){ .who = &never_enables }));
	return still_works(c);
}

static int with_30(struct conform *c)
{
	struct chain ch;

	TRY(rig_up(c, &(struct rig_setup){ .who = &enables_later }));
	TRY(info_request(c, &ch));
	TRY(chain_send(c, &ch));
	TRY(rig_watch(c, QUIET_MS));
	EXPECT(c, !ch.done, "a ring that is not enabled is processed");
	for (unsigned i = 0; i < QUEUES; i++) {
		struct vu_msg m;

		wire_state(&m, VU_SET_VRING_ENABLE, i, 1);
		TRY(wire_send(c, &m));
	}
	return chain_wait(c, &ch);
}

static int first_messages(struct conform *c)
{
	uint64_t protocol;
	struct vu_msg m;

	TRY(wire_connect(c));
	TRY(wire_get_u64(c, VU_GET_PROTOCOL_FEATURES, &protocol));
	wire_u64(&m, VU_SET_PROTOCOL_FEATURES, protocol & (BIT(VU_P_MQ) | BIT(VU_P_CONFIG) |
		BIT(VU_P_REPLY_ACK)));
	TRY(wire_send(c, &m));
	return wire_alive(c);
}

static int config_without_30(struct conform *c)
{
	TRY(rig_up(c, &(struct rig_setup){ .who = &never_enables }));
	EXPECT(c, c->rig.counts.streams || c->rig.counts.jacks, "an empty card");
	return 0;
}

static int known_protocol(struct conform *c)
{
	TRY(rig_up(c, &(struct rig_setup){ .inactive = true }));
	EXPECT_EQ(c, c->rig.fe.protocol_offered >> 21, 0, "undefined protocol features");
	return 0;
}

static int qemu_protocol(struct conform *c)
{
	TRY(rig_up(c, &(struct rig_setup){ .inactive = true }));
	EXPECT_EQ(c, c->rig.fe.protocol_offered & (BIT(14) | BIT(VU_P_XEN_MMAP)), 0,
		"INBAND_NOTIFICATIONS and XEN_MMAP, which QEMU accepts but does not have");
	return 0;
}

static int not_offered(struct conform *c)
{
	struct vu_msg m;

	TRY(rig_up(c, &(struct rig_setup){ .inactive = true }));
	for (unsigned bit = 21; bit < 64; bit += 7) {
		wire_u64(&m, VU_SET_PROTOCOL_FEATURES, c->rig.fe.protocol | BIT(bit));
		TRY(wire_refused(c, &m));
	}
	return wire_alive(c);
}

static int multiqueue(struct conform *c)
{
	uint64_t queues;

	TRY(rig_up(c, &(struct rig_setup){ .inactive = true }));
	EXPECT(c, wire_has(c, VU_P_MQ), "MQ is not offered");
	TRY(wire_get_u64(c, VU_GET_QUEUE_NUM, &queues));
	EXPECT_EQ(c, queues, 4, "GET_QUEUE_NUM");
	return 0;
}

static int wrong_index(struct conform *c)
{
	static const uint32_t states[] = { VU_SET_VRING_NUM, VU_SET_VRING_BASE,
		VU_SET_VRING_ENABLE };
	static const uint32_t fds[] = { VU_SET_VRING_KICK, VU_SET_VRING_CALL, VU_SET_VRING_ERR };
	struct vu_msg m;

	TRY(rig_up(c, &(struct rig_setup){ .inactive = true }));
	for (unsigned i = 0; i < 6; i++) {
		uint32_t index = i & 1 ? 255 : 4;

		wire_state(&m, states[i / 2], index, i / 2 == 0 ? 64 : 0);
		TRY(wire_refused(c, &m));
		wire_fd(&m, fds[i / 2], index, c->rig.fe.masked_call);
		TRY(wire_refused(c, &m));
	}
	wire_empty(&m, VU_SET_VRING_ADDR);
	m.size = 40;
	put32(m.payload, 4);
	TRY(wire_refused(c, &m));
	return wire_alive(c);
}

#define VU "vhost-user, "

const struct scenario feature_scenarios[] = {
	{ .id = "VU-FEAT-1", .title = "GET_FEATURES at any time, always the same",
		.run = constant, .clause = VU "GET_FEATURES; a barrier for front-ends" },
	{ .id = "VU-FEAT-2", .title = "bit 30 is offered", .run = bit_30, .recommended = true,
		.clause = VU "VHOST_USER_F_PROTOCOL_FEATURES; QEMU needs CONFIG" },
	{ .id = "VU-FEAT-4", .title = "without bit 30 the rings are enabled at once",
		.run = without_30, .clause = VU "Ring states: enabled directly, MUST" },
	{ .id = "VU-FEAT-5", .title = "with bit 30 they wait for SET_VRING_ENABLE",
		.run = with_30, .clause = VU "SET_VRING_ENABLE: initialized in a disabled state" },
	{ .id = "VU-PF-1", .title = "protocol features as the first messages",
		.run = first_messages, .clause = VU "GET_PROTOCOL_FEATURES: before SET_FEATURES" },
	{ .id = "VU-PF-2", .title = "they hold without bit 30 in SET_FEATURES",
		.run = config_without_30, .clause = VU "GET_PROTOCOL_FEATURES, note" },
	{ .id = "VU-PF-3", .title = "no undefined protocol features", .run = known_protocol,
		.clause = VU "Protocol features: 0 to 20" },
	{ .id = "VU-PF-3b", .title = "none that QEMU accepts without having it",
		.run = qemu_protocol, .recommended = true, .clause = "QEMU 10.0 takes bits 14, 17" },
	{ .id = "VU-PF-4", .title = "protocol features that were not offered are refused",
		.run = not_offered, .recommended = true, .clause = VU "SET_PROTOCOL_FEATURES" },
	{ .id = "VU-MQ-1", .title = "MQ, and GET_QUEUE_NUM is 4", .run = multiqueue,
		.recommended = true, .clause = VU "Multiple queue support: SHOULD" },
	{ .id = "VU-MQ-3", .title = "ring indices beyond the queues", .run = wrong_index,
		.clause = VU "REPLY_ACK: non-zero for a failure" },
	{ 0 },
};
