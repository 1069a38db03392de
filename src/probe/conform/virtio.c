/* SPDX-License-Identifier: BSD-3-Clause */
/* What any virtio device owes: features, status, reset. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/wire.h"
#include "probe/report.h"

static const struct rig_setup talk_only = { .inactive = true };

static int version_1(struct conform *c)
{
	TRY(rig_up(c, &talk_only));
	EXPECT(c, c->rig.fe.features_offered & BIT(VIRTIO_F_VERSION_1), "not offered");
	return 0;
}

static int known_features(struct conform *c)
{
	const uint64_t known = BIT(0) | BIT(26) | BIT(28) | BIT(29) | BIT(30) | 0x1fULL << 32 |
		BIT(40) | BIT(43);

	TRY(rig_up(c, &talk_only));
	EXPECT_EQ(c, c->rig.fe.features_offered & ~known, 0, "features that cannot work");
	return 0;
}

/* Every subset of the four that drivers choose from. */
static int subsets(struct conform *c)
{
	static const unsigned bits[3] = { SND_F_CTLS, VIRTIO_F_INDIRECT_DESC, VIRTIO_F_EVENT_IDX };

	for (unsigned set = 0; set < 8; set++) {
		uint64_t without = 0;
		struct chain ch[4];
		uint32_t out;

		for (unsigned i = 0; i < 3; i++)
			without |= set & 1u << i ? BIT(bits[i]) : 0;
		trace(c, "   without 0x%llx", (unsigned long long)without);
		TRY(rig_up(c, &(struct rig_setup){ .without = without }));
		TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
		TRY(stream_bring(c, out, ST_RUN));
		for (unsigned i = 0; i < 4; i++)
			TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
		TRY(chains_wait(c, ch, 4, answer_ms(c)));
		rig_down(c);
	}
	return 0;
}

static int same_again(struct conform *c)
{
	for (unsigned i = 0; i < 3; i++) {
		struct vu_msg m;

		TRY(rig_up(c, NULL));
		TRY(rig_reset(c));
		wire_u64(&m, VU_SET_FEATURES, c->rig.fe.features);
		TRY(wire_accepted(c, &m));
		TRY(still_works(c));
		rig_down(c);
	}
	return 0;
}

static int extra_bits(struct conform *c)
{
	static const unsigned bits[] = { 5, 23, 38, 41, 60 };
	struct vu_msg m;

	TRY(rig_up(c, &talk_only));
	for (unsigned i = 0; i < 5; i++) {
		wire_u64(&m, VU_SET_FEATURES, BIT(bits[i]) | BIT(VIRTIO_F_VERSION_1) |
			BIT(VHOST_USER_F_PROTOCOL_FEATURES));
		TRY(wire_refused(c, &m));
	}
	return wire_alive(c);
}

static int no_legacy(struct conform *c)
{
	struct vu_msg m;

	TRY(rig_up(c, &talk_only));
	wire_u64(&m, VU_SET_FEATURES, BIT(VHOST_USER_F_PROTOCOL_FEATURES) |
		(c->rig.fe.features_offered & BIT(VIRTIO_F_INDIRECT_DESC)));
	return wire_refused(c, &m);
}

static int not_changed_while_running(struct conform *c)
{
	struct vu_msg m;

	TRY(rig_up(c, NULL));
	if (!(c->rig.fe.features & BIT(VIRTIO_F_EVENT_IDX)))
		return skip(c, "EVENT_IDX is not offered");
	wire_u64(&m, VU_SET_FEATURES, c->rig.fe.features & ~BIT(VIRTIO_F_EVENT_IDX));
	TRY(wire_refused(c, &m));
	return still_works(c);
}

static int needs_status(struct conform *c)
{
	return wire_has(c, VU_P_STATUS) ? 0 : skip(c, "the back-end does not offer STATUS");
}

static int set_status(struct conform *c, uint64_t status)
{
	struct vu_msg m;

	wire_u64(&m, VU_SET_STATUS, status);
	return wire_send(c, &m);
}

static int status_kept(struct conform *c)
{
	static const uint64_t steps[] = { 1, 3, 0xb, 0xf };
	uint64_t now;

	TRY(rig_up(c, &talk_only));
	TRY(needs_status(c));
	TRY(wire_get_u64(c, VU_GET_STATUS, &now));
	EXPECT_EQ(c, now, 0, "status at first");
	for (unsigned i = 0; i < 4; i++) {
		struct vu_msg m;

		wire_u64(&m, VU_SET_FEATURES, c->rig.fe.features_offered &
			(BIT(VIRTIO_F_VERSION_1) | BIT(VHOST_USER_F_PROTOCOL_FEATURES)));
		if (i == 2)
			TRY(wire_send(c, &m));
		TRY(set_status(c, steps[i]));
		TRY(wire_get_u64(c, VU_GET_STATUS, &now));
		EXPECT_EQ(c, now, steps[i], "status as it was written");
	}
	TRY(set_status(c, 0));
	TRY(wire_get_u64(c, VU_GET_STATUS, &now));
	EXPECT_EQ(c, now, 0, "status after a reset");
	return 0;
}

static int reset_is_silent(struct conform *c)
{
	uint16_t used[QUEUES];
	uint64_t calls[QUEUES];
	struct chain ch[8];
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(needs_status(c));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 8; i++)
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
	TRY(set_status(c, 0));
	TRY(wire_alive(c));
	TRY(rig_poll(c, 0));
	for (unsigned i = 0; i < QUEUES; i++) {
		used[i] = ring_used_idx(&c->rig.ring[i]);
		calls[i] = c->rig.calls[i];
	}
	TRY(rig_watch(c, 300));
	for (unsigned i = 0; i < QUEUES; i++) {
		EXPECT_EQ(c, ring_used_idx(&c->rig.ring[i]), used[i], "used index %u", i);
		EXPECT_EQ(c, c->rig.calls[i], calls[i], "notifications of queue %u", i);
	}
	return 0;
}

static int many_resets(struct conform *c)
{
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	for (unsigned i = 0; i < 100; i++) {
		struct chain ch;

		TRY(stream_bring(c, out, ST_RUN));
		TRY(tx_send(c, &ch, out, stream_params(c, out).period_bytes));
		TRY(rig_reset(c));
	}
	return still_works(c);
}

static int odd_status(struct conform *c)
{
	uint64_t now;

	TRY(rig_up(c, NULL));
	TRY(needs_status(c));
	TRY(set_status(c, 0xf));
	TRY(set_status(c, 0x3));
	TRY(set_status(c, 0x100));
	TRY(set_status(c, ~0ULL));
	TRY(wire_get_u64(c, VU_GET_STATUS, &now));
	TRY(rig_reset(c));
	return still_works(c);
}

static int needs_reset(struct conform *c)
{
	uint64_t now;

	TRY(rig_up(c, NULL));
	TRY(needs_status(c));
	rig_break_ring(c, Q_TX);
	TRY(rig_watch(c, 100));
	TRY(wire_get_u64(c, VU_GET_STATUS, &now));
	EXPECT(c, now & 0x40, "status 0x%llx after an unrecoverable error",
		(unsigned long long)now);
	return 0;
}

static int config_first(struct conform *c)
{
	struct vu_msg m, answer;

	TRY(wire_connect(c));
	wire_u64(&m, VU_SET_PROTOCOL_FEATURES, BIT(VU_P_CONFIG));
	TRY(wire_send(c, &m));
	wire_config(&m, VU_GET_CONFIG, 0, 12, 0);
	TRY(wire_ask(c, &m, &answer));
	EXPECT_EQ(c, answer.size, 24, "size of the reply to GET_CONFIG");
	return 0;
}

static int kick_before_enable(struct conform *c)
{
	struct chain ch;

	TRY(rig_up(c, &(struct rig_setup){ .inactive = true, .front_end = "qemu" }));
	TRY(info_request(c, &ch));
	TRY(chain_post(c, &ch));
	for (unsigned i = 0; i < QUEUES; i++)
		ring_kick(&c->rig.ring[i]);
	TRY(rig_activate(c));
	return chain_wait(c, &ch);
}

static int other_place(struct conform *c)
{
	struct chain ch;
	struct ring *r;

	TRY(rig_up(c, &(struct rig_setup){ .front_end = "qemu" }));
	TRY(still_works(c));
	TRY(frontend_pause(&c->rig.fe) < 0 ? FAILED : 0);
	for (unsigned i = 0; i < QUEUES; i++) {
		struct ring_setup is = c->rig.ring[i].is;

		is.size = 16;
		r = &c->rig.ring[i];
		ring_close(r);
		INSIST(c, !ring_open(r, &c->rig.mem, &is, c->rig.fe.queue[i].kick), "a ring");
		c->rig.fe.queue[i].size = 16;
		c->rig.fe.queue[i].desc = r->desc_gpa;
		c->rig.fe.queue[i].avail = r->avail_gpa;
		c->rig.fe.queue[i].used = r->used_gpa;
		c->rig.fe.queue[i].base = 0;
	}
	INSIST(c, !frontend_activate(&c->rig.fe), "%s", complaint());
	TRY(info_request(c, &ch));
	TRY(chain_send(c, &ch));
	return chain_wait(c, &ch);
}

#define STA "virtio 1.4, Device Status Field: "
#define FEA "virtio 1.4, Feature Bits: "

const struct scenario virtio_scenarios[] = {
	{ .id = "VIO-RSV-1", .title = "VERSION_1 is offered", .run = version_1,
		.clause = "virtio 1.4, Reserved Feature Bits: MUST offer" },
	{ .id = "VIO-FEAT-3", .title = "only features that can work are offered",
		.run = known_features, .recommended = true, .clause = FEA "MUST NOT offer others" },
	{ .id = "VIO-FEAT-2", .title = "every subset of the features works", .run = subsets,
		.clause = FEA "SHOULD accept any valid subset" },
	{ .id = "VIO-FEAT-4", .title = "what was negotiated once is again", .run = same_again,
		.clause = FEA "SHOULD NOT fail re-negotiation" },
	{ .id = "VIO-FEAT-5", .title = "features that were not offered are refused",
		.run = extra_bits, .recommended = true, .clause = FEA "drivers MUST NOT" },
	{ .id = "VIO-FEAT-6", .title = "features do not change while rings run",
		.run = not_changed_while_running, .recommended = true,
		.clause = "virtio 1.4, Device Initialization: not after FEATURES_OK" },
	{ .id = "VIO-FEAT-7", .title = "a driver without VERSION_1 is refused",
		.run = no_legacy, .recommended = true, .clause = FEA "legacy is optional" },
	{ .id = "VIO-STAT-2", .title = "the status is kept, 0 resets it", .run = status_kept,
		.clause = STA "initially 0; vhost-user SET_STATUS, GET_STATUS" },
	{ .id = "VIO-STAT-3", .title = "a broken ring sets DEVICE_NEEDS_RESET",
		.run = needs_reset, .recommended = true, .clause = STA "SHOULD" },
	{ .id = "VIO-STAT-5", .title = "a status that makes no sense does no harm",
		.run = odd_status, .clause = STA "drivers MUST NOT clear bits" },
	{ .id = "VIO-RST-2", .title = "after a reset nothing moves", .run = reset_is_silent,
		.clause = "virtio 1.4, Device Reset: MUST NOT send notifications" },
	{ .id = "VIO-RST-3", .title = "100 resets with a stream running", .run = many_resets,
		.clause = "virtio 1.4, Device Reset: as at first" },
	{ .id = "VIO-CFG-1", .title = "the configuration before features are set",
		.run = config_first, .clause = "virtio 1.4, Device Configuration Space: MUST allow" },
	{ .id = "VIO-INIT-1", .title = "kicks before the rings are enabled",
		.run = kick_before_enable, .recommended = true,
		.clause = "virtio 1.4, Device Initialization: drivers MUST NOT" },
	{ .id = "VIO-VQR-3", .title = "a ring elsewhere, of another size, other fds",
		.run = other_place, .clause = "virtio 1.4, Virtqueue Re-enable: MUST observe" },
	{ 0 },
};
