/* SPDX-License-Identifier: BSD-3-Clause */
/* Queues, feature bits and the configuration space of the sound device. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/wire.h"

static int four_queues(struct conform *c)
{
	struct chain ch;
	struct answer a;

	TRY(rig_up(c, NULL));
	if (c->rig.fe.queues_offered)
		EXPECT_EQ(c, c->rig.fe.queues_offered, 4, "GET_QUEUE_NUM");
	TRY(ctl_info(c, SND_R_PCM_INFO, 0, 0, 32, 4, &a));
	EXPECT_EQ(c, a.status, SND_S_OK, "PCM_INFO of no item on queue 0");
	/* The same request on the output queue is a message for stream 0x100. */
	TRY(chain_init(c, &ch, Q_TX, 16, 8));
	put32(ch.out, SND_R_PCM_INFO);
	trace(c, "-> a PCM_INFO request on queue 2");
	TRY(chain_send(c, &ch));
	TRY(chain_wait(c, &ch));
	return io_refused(c, &ch, "a control request on queue 2");
}

static int own_traffic(struct conform *c)
{
	struct chain tx[8];
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_PREP));
	for (unsigned i = 0; i < 8; i++)
		TRY(tx_send(c, &tx[i], out, stream_params(c, out).period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, tx, 8, 2000));
	for (unsigned i = 0; i < 8; i++) {
		EXPECT_EQ(c, tx[i].len, 8, "used length of output message %u", i);
		TRY(io_ok(c, &tx[i], "an output message"));
	}
	for (unsigned i = 0; i < c->rig.events && i < EVENT_LOG; i++)
		EXPECT(c, c->rig.log[i].code >= 0x1000 && c->rig.log[i].code <= 0x1200,
			"0x%x came on the event queue", c->rig.log[i].code);
	return 0;
}

static int no_foreign_bits(struct conform *c)
{
	uint64_t foreign = 0x0000000000fffffeULL | 3ULL << 41 | ~0ULL << 50;

	TRY(rig_up(c, &(struct rig_setup){ .inactive = true }));
	EXPECT_EQ(c, c->rig.fe.features_offered & foreign, 0,
		"device type bits that are not defined for sound");
	return 0;
}

static int controls_bit(struct conform *c)
{
	uint8_t config[16];

	TRY(rig_up(c, NULL));
	if (c->rig.fe.features_offered & c->rig.fe.who->hidden & BIT(SND_F_CTLS))
		return skip(c, "%s keeps CTLS from the guest", c->rig.fe.who->name);
	if (c->rig.fe.features_offered & BIT(SND_F_CTLS)) {
		EXPECT(c, c->rig.counts.controls, "CTLS is offered, controls is 0");
		return 0;
	}
	EXPECT(c, !frontend_get_config(&c->rig.fe, config, 16), "GET_CONFIG of 16 bytes");
	EXPECT_EQ(c, get32(config + 12), 0, "controls without CTLS");
	return 0;
}

static int no_controls(struct conform *c)
{
	TRY(rig_up(c, &(struct rig_setup){ .without = BIT(SND_F_CTLS) }));
	for (uint32_t code = 0x300; code <= 0x306; code++) {
		struct answer a;
		uint8_t q[32] = { 0 };

		put32(q, code);
		TRY(ctl(c, q, sizeof(q), 600, &a));
		EXPECT_EQ(c, a.status, SND_S_NOT_SUPP, "request 0x%x without CTLS", code);
		EXPECT_EQ(c, a.len, 4, "its used length");
	}
	return 0;
}

/* GET_CONFIG of a part; size 0 comes back for an error. */
static int config_part(struct conform *c, uint32_t offset, uint32_t size, uint8_t *ret)
{
	struct vu_msg m, answer;

	wire_config(&m, VU_GET_CONFIG, offset, size, 0);
	TRY(wire_ask(c, &m, &answer));
	EXPECT_EQ(c, answer.size, 12 + size, "size of the reply to GET_CONFIG(%u, %u)", offset,
		size);
	memcpy(ret, answer.payload + 12, size);
	return 0;
}

static int config_fields(struct conform *c)
{
	uint8_t whole[12], part[12];

	TRY(rig_up(c, NULL));
	TRY(config_part(c, 0, 12, whole));
	for (uint32_t at = 0; at < 12; at += 4) {
		TRY(config_part(c, at, 4, part));
		EXPECT(c, !memcmp(part, whole + at, 4), "4 bytes at %u differ from the whole", at);
	}
	for (uint32_t at = 0; at < 12; at++) {
		TRY(config_part(c, at, 1, part));
		EXPECT_EQ(c, part[0], whole[at], "byte %u alone", at);
	}
	EXPECT(c, get32(whole + 4) < 1u << 16, "%u streams: wrong byte order?", get32(whole + 4));
	return 0;
}

static int config_read_only(struct conform *c)
{
	uint8_t before[12], after[12];
	struct vu_msg m;
	uint64_t ack = 0;

	TRY(rig_up(c, NULL));
	TRY(config_part(c, 0, 12, before));
	for (uint32_t at = 0; at < 12; at += 4) {
		wire_config(&m, VU_SET_CONFIG, at, 4, 0);
		put32(m.payload + 12, 9);
		TRY(wire_ack(c, &m, &ack));
		EXPECT(c, ack, "SET_CONFIG of a read-only field at %u is accepted", at);
	}
	TRY(config_part(c, 0, 12, after));
	EXPECT(c, !memcmp(before, after, 12), "the configuration changed");
	return still_works(c);
}

static int config_twelve(struct conform *c)
{
	uint8_t part[12];

	TRY(rig_up(c, &(struct rig_setup){ .without = BIT(SND_F_CTLS) }));
	return config_part(c, 0, 12, part);
}

/* A front-end fetches all of it, whatever the driver may look at. */
static int config_sixteen(struct conform *c)
{
	uint8_t part[16];

	TRY(rig_up(c, &(struct rig_setup){ .without = BIT(SND_F_CTLS) }));
	return config_part(c, 0, 16, part);
}

static int counts_are_served(struct conform *c)
{
	TRY(rig_up(c, NULL));
	for (unsigned k = 0; k < KINDS; k++) {
		uint32_t n = kind_count(c, k), size = kinds[k].item_bytes;
		struct answer a;

		if (k == 3 && !(c->rig.fe.features & BIT(SND_F_CTLS)))
			continue;
		TRY(ctl_info(c, kinds[k].code, 0, n, size, 4 + (n + 1) * size, &a));
		EXPECT_EQ(c, a.status, SND_S_OK, "%s of all %u", kinds[k].name, n);
		TRY(ctl_info(c, kinds[k].code, 0, n + 1, size, 4 + (n + 1) * size, &a));
		EXPECT(c, a.status != SND_S_OK, "%s serves %u items, promised are %u",
			kinds[k].name, n + 1, n);
		TRY(ctl_info(c, kinds[k].code, n, 1, size, 4 + size, &a));
		EXPECT(c, a.status != SND_S_OK, "%s serves item %u of %u", kinds[k].name, n, n);
		if (!n)
			continue;
		TRY(ctl_info(c, kinds[k].code, n - 1, 1, size, 4 + size, &a));
		EXPECT_EQ(c, a.status, SND_S_OK, "%s of the last", kinds[k].name);
	}
	return 0;
}

static int starts_without_info(struct conform *c)
{
	struct pcm_params p;
	struct chain ch;
	uint32_t out;

	/* Another connection learns what the stream can. */
	TRY(up_with(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	rig_down(c);
	TRY(rig_up(c, NULL));
	TRY(must_params(c, out, &p));
	TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
	TRY(tx_send(c, &ch, out, p.period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chain_wait(c, &ch));
	return io_ok(c, &ch, "an output message");
}

static int without_event_buffers(struct conform *c)
{
	struct chain tx[4];
	uint32_t out;

	TRY(rig_up(c, &(struct rig_setup){ .no_events = true }));
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
	TRY(stream_bring(c, out, ST_RUN));
	TRY(rig_watch(c, 100)); /* an underrun */
	for (unsigned i = 0; i < 4; i++)
		TRY(tx_send(c, &tx[i], out, stream_params(c, out).period_bytes));
	TRY(chains_wait(c, tx, 4, 2000));
	return still_works(c);
}

#define CFG "virtio 1.4, Sound Device, Device Configuration Layout: "

const struct scenario identity_scenarios[] = {
	{ .id = "SND-VQ-1", .title = "four queues with fixed numbers", .run = four_queues,
		.clause = "virtio 1.4, Sound Device, Virtqueues: 0 controlq, 1 eventq, 2 txq, 3 rxq" },
	{ .id = "SND-VQ-2", .title = "each queue carries its own traffic", .run = own_traffic,
		.clause = "virtio 1.4, Sound Device, Virtqueues: statuses on txq, events on eventq" },
	{ .id = "SND-FEAT-1", .title = "CTLS and the number of controls agree", .run = controls_bit,
		.clause = "virtio 1.4, Sound Device, Feature Bits: CTLS says that controls exist" },
	{ .id = "SND-FEAT-2", .title = "no foreign device type bits", .run = no_foreign_bits,
		.clause = "virtio 1.4, Feature Bits: no bit that is not defined for the type" },
	{ .id = "SND-FEAT-3", .title = "control requests without CTLS are refused",
		.run = no_controls, .recommended = true,
		.clause = "Control Elements: the messages exist if CTLS is negotiated" },
	{ .id = "SND-CFG-1", .title = "four le32 counts, any part readable", .run = config_fields,
		.clause = CFG "jacks, streams, chmaps, controls" },
	{ .id = "SND-CFG-2", .title = "all fields are read-only", .run = config_read_only,
		.clause = CFG "the driver may not write; vhost-user SET_CONFIG refuses it" },
	{ .id = "SND-CFG-3", .title = "12 bytes without controls", .run = config_twelve,
		.clause = CFG "controls has a meaning only with CTLS; QEMU asks for 12 bytes" },
	{ .id = "SND-INIT-3", .title = "16 bytes without controls", .run = config_sixteen,
		.recommended = true,
		.clause = "Device Initialization: drivers MUST NOT read controls; front-ends may" },
	{ .id = "SND-CFG-4", .title = "each count is what INFO serves", .run = counts_are_served,
		.clause = "Item Information Request: items 0 to count - 1 exist, no others" },
	{ .id = "SND-INIT-4", .title = "a stream starts without any INFO request",
		.run = starts_without_info, .recommended = true,
		.clause = "Device Initialization lists queries for the driver, no duty" },
	{ .id = "SND-INIT-5", .title = "an event queue without buffers disturbs nothing",
		.run = without_event_buffers,
		.clause = "Device Operation: the driver need not offer event buffers" },
	{ 0 },
};
