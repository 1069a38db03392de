/* SPDX-License-Identifier: BSD-3-Clause */
/* Single feature bits: who may offer them, and what they bring along. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/wire.h"
#include "probe/orders.h"

#define F_ACCESS_PLATFORM 33
#define F_NOTIF_CONFIG	  39
#define F_RING_RESET	  40
#define F_SUSPEND	  43
#define P_SHMEM		  20 /* a protocol feature of QEMU 10.1 on */

static const struct rig_setup talk_only = { .inactive = true };

static bool offers(const struct conform *c, unsigned bit)
{
	return c->rig.fe.features_offered & BIT(bit);
}

/* c->scenario->arg is a bit that is not to be offered, nor the one behind it if
 * the title says so. */
static int not_offered(struct conform *c)
{
	TRY(rig_up(c, &talk_only));
	EXPECT(c, !offers(c, (unsigned)c->scenario->arg), "feature bit %d is offered",
		c->scenario->arg);
	return 0;
}

static int no_notification_data(struct conform *c)
{
	TRY(rig_up(c, &talk_only));
	EXPECT(c, !offers(c, VIRTIO_F_NOTIFICATION_DATA), "NOTIFICATION_DATA is offered");
	EXPECT(c, !offers(c, F_NOTIF_CONFIG), "NOTIF_CONFIG_DATA is offered");
	return 0;
}

static int dependencies(struct conform *c)
{
	uint64_t needy = BIT(SND_F_CTLS) | BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_IN_ORDER) |
		BIT(VIRTIO_F_ORDER_PLATFORM) | BIT(VIRTIO_F_NOTIFICATION_DATA) |
		BIT(F_RING_RESET) | BIT(F_SUSPEND) | BIT(F_ACCESS_PLATFORM);

	TRY(rig_up(c, &talk_only));
	EXPECT(c, !(c->rig.fe.features_offered & needy) || offers(c, VIRTIO_F_VERSION_1),
		"0x%llx is offered without VERSION_1",
		(unsigned long long)(c->rig.fe.features_offered & needy));
	EXPECT(c, !offers(c, F_SUSPEND) || c->rig.fe.protocol_offered & BIT(VU_P_STATUS),
		"SUSPEND is offered without a status to suspend by");
	return 0;
}

/* Of which a driver may or may not take it. */
static int both_ways(struct conform *c)
{
	unsigned bit = (unsigned)c->scenario->arg;
	struct chain ch;
	uint32_t out;

	TRY(rig_up(c, &talk_only));
	if (!offers(c, bit))
		return skip(c, "feature bit %u is not offered", bit);
	rig_down(c);
	for (unsigned with = 0; with < 2; with++) {
		/* With ACCESS_PLATFORM addresses would be others. */
		if (with && bit == F_ACCESS_PLATFORM)
			break;
		TRY(rig_up(c, &(struct rig_setup){ .with = with ? BIT(bit) : 0 }));
		TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
		TRY(stream_bring(c, out, ST_RUN));
		TRY(tx_send(c, &ch, out, stream_params(c, out).period_bytes));
		TRY(chain_wait(c, &ch));
		TRY(io_ok(c, &ch, "an output message"));
		rig_down(c);
	}
	return 0;
}

static int features_of_before(struct frontend *fe)
{
	fe->features = fe->features_offered & (BIT(VIRTIO_F_INDIRECT_DESC) |
		BIT(VHOST_USER_F_PROTOCOL_FEATURES));
	return fe_u64(fe, VU_SET_FEATURES, fe->features);
}

static const struct personality legacy = {
	.name = "no VERSION_1", .base = BASE_KEPT,
	.protocol = BIT(VU_P_MQ) | BIT(VU_P_CONFIG),
	.connect = { { .device = step_get_features }, { .device = step_protocol },
		{ .device = step_owner } },
	.activate = { { .device = features_of_before }, { .device = step_memory },
		{ .ring = { vring_num, vring_base, vring_addr, vring_kick, vring_call,
			  vring_enable } } },
};

static int without_version_1(struct conform *c)
{
	struct chain ch;

	TRY(rig_up(c, &(struct rig_setup){ .who = &legacy }));
	TRY(info_request(c, &ch));
	TRY(chain_send(c, &ch));
	TRY(rig_watch(c, QUIET_MS));
	EXPECT(c, !ch.done, "a driver without VERSION_1 is served");
	return wire_alive(c);
}

static int no_shared_memory(struct conform *c)
{
	TRY(rig_up(c, &talk_only));
	EXPECT(c, !(c->rig.fe.protocol_offered & BIT(P_SHMEM)),
		"shared memory regions are offered");
	return 0;
}

/* Small numbers, whose upper bytes are 0 only if they are little-endian. */
static int little_endian(struct conform *c)
{
	uint8_t config[12];
	struct answer a;
	uint32_t streams;

	TRY(rig_up(c, NULL));
	INSIST(c, frontend_get_config(&c->rig.fe, config, 12) >= 0, "GET_CONFIG");
	streams = get32(config + 4);
	trace(c, "   streams: %02x %02x %02x %02x", config[4], config[5], config[6], config[7]);
	EXPECT(c, streams < 1u << 16, "%u streams", streams);
	if (!streams)
		return skip(c, "the device has no streams");
	TRY(ctl_info(c, SND_R_PCM_INFO, streams - 1, 1, 32, 36, &a));
	EXPECT_EQ(c, a.status, SND_S_OK, "PCM_INFO of the last of %u streams", streams);
	return 0;
}

#define RSV "virtio 1.4, Reserved Feature Bits: "
#define FEA "virtio 1.4, Feature Bits: "
#define SUSPEND_ROW(name, text)                                                            \
	{ .id = name, .title = text, .clause = "", .untestable =                            \
		"no front-end carries VIRTIO_F_SUSPEND, so what a back-end makes of it over " \
		"vhost-user is not defined" }

const struct scenario virtio_bit_scenarios[] = {
	{ .id = "VIO-FEAT-1", .title = "no feature without those it needs", .run = dependencies,
		.clause = FEA "MUST NOT offer" },
	{ .id = "VIO-RSV-2", .title = "a driver without VERSION_1 is not served",
		.run = without_version_1, .recommended = true, .clause = RSV "MAY fail" },
	{ .id = "VIO-RSV-3", .title = "ACCESS_PLATFORM, if offered, may be left",
		.run = both_ways, .arg = F_ACCESS_PLATFORM, .recommended = true,
		.clause = RSV "MAY fail; front-ends without an IOMMU do not take it" },
	{ .id = "VIO-RSV-4", .title = "IN_ORDER, if offered, may be taken or left",
		.run = both_ways, .arg = VIRTIO_F_IN_ORDER, .clause = RSV "MUST use in order" },
	{ .id = "VIO-RSV-5", .title = "ORDER_PLATFORM, if offered, may be taken or left",
		.run = both_ways, .arg = VIRTIO_F_ORDER_PLATFORM, .recommended = true,
		.clause = RSV "MAY fail, or be slower" },
	{ .id = "VIO-RSV-6", .title = "SR_IOV is not offered", .run = not_offered, .arg = 37,
		.clause = RSV "MUST NOT, without the PCI capability" },
	{ .id = "VIO-RSV-7", .title = "ADMIN_VQ is not offered", .run = not_offered, .arg = 41,
		.clause = RSV "MUST NOT, but for PCI" },
	{ .id = "VIO-NOTE-1", .title = "no data in notifications", .run = no_notification_data,
		.recommended = true,
		.clause = "virtio 1.4, Driver notifications: an eventfd carries none" },
	{ .id = "VIO-VQR-4", .title = "RING_RESET is not offered", .run = not_offered,
		.arg = F_RING_RESET, .recommended = true,
		.clause = "QEMU lets the guest have it and does not tell the back-end of resets" },
	{ .id = "VIO-SUSP-8", .title = "SUSPEND is not offered", .run = not_offered,
		.arg = F_SUSPEND, .recommended = true, .clause = "no front-end carries it" },
	SUSPEND_ROW("VIO-SUSP-1", "SUSPEND before the device is up"),
	SUSPEND_ROW("VIO-SUSP-2", "no writes to a suspended configuration"),
	SUSPEND_ROW("VIO-SUSP-3", "a suspended device rests"),
	SUSPEND_ROW("VIO-SUSP-4", "changes are told after it"),
	SUSPEND_ROW("VIO-SUSP-5", "SUSPEND is shown when it is done"),
	SUSPEND_ROW("VIO-SUSP-6", "DRIVER_OK resumes"),
	SUSPEND_ROW("VIO-SUSP-7", "what is in work is finished before"),
	{ .id = "SPL-ORD-3", .title = "IN_ORDER is not offered", .run = not_offered,
		.arg = VIRTIO_F_IN_ORDER, .recommended = true,
		.clause = "one stream that is paused would block all others" },
	{ .id = "VIO-SHM-1", .title = "no shared memory regions", .run = no_shared_memory,
		.clause = "virtio 1.4, Shared Memory Regions: MUST NOT be used for data" },
	{ .id = "VIO-CFG-2", .title = "the configuration is little-endian", .run = little_endian,
		.clause = "virtio 1.4, Device Configuration Space: le32" },
	{ .id = "VIO-CFG-3", .title = "changes of the configuration are told", .clause = "",
		.untestable = "no sound back-end changes its counts; VIO-STAT-4 sees the message" },
	{ .id = "VIO-CFG-4", .title = "the generation changes with the configuration",
		.clause = "", .untestable = "vhost-user carries no generation: a transport's duty" },
	{ 0 },
};
