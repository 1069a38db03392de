/* SPDX-License-Identifier: BSD-3-Clause */
/* The device status, what it is told of errors, and single rings reset. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/wire.h"
#include "probe/orders.h"

#define ACKNOWLEDGE  1u
#define DRIVER	     2u
#define DRIVER_OK    4u
#define FEATURES_OK  8u
#define NEEDS_RESET  0x40u
#define STATUS_FAILED 0x80u
#define BELOW_OK     (ACKNOWLEDGE | DRIVER | FEATURES_OK)

#define PROTOCOL                                                                           \
	(BIT(VU_P_MQ) | BIT(VU_P_CONFIG) | BIT(VU_P_REPLY_ACK) | BIT(VU_P_STATUS) |        \
		BIT(VU_P_BACKEND_REQ) | BIT(VU_P_RESET_DEVICE))
#define CONNECT	 { { .device = step_get_features }, { .device = step_protocol },           \
		{ .device = step_channel }, { .device = step_owner } }

/* STATUS is negotiated, and nobody says it. */
static const struct personality no_status = {
	.name = "no SET_STATUS", .base = BASE_KEPT, .protocol = PROTOCOL, .connect = CONNECT,
	.activate = { { .device = step_features }, { .device = step_memory },
		{ .ring = { vring_num, vring_base, vring_addr, vring_kick, vring_call, vring_err,
			  vring_enable } } },
};

static const struct personality not_enabled = {
	.name = "no SET_VRING_ENABLE", .base = BASE_KEPT, .protocol = PROTOCOL, .connect = CONNECT,
	.activate = { { .device = step_features }, { .device = step_memory },
		{ .ring = { vring_num, vring_base, vring_addr, vring_kick, vring_call, vring_err } } },
};

static int needs_status(struct conform *c)
{
	return wire_has(c, VU_P_STATUS) ? 0 : skip(c, "the back-end does not offer STATUS");
}

static int set_status(struct conform *c, uint64_t status)
{
	struct vu_msg m;

	wire_u64(&m, VU_SET_STATUS, status);
	trace(c, "   status 0x%llx", (unsigned long long)status);
	TRY(wire_send(c, &m));
	return wire_alive(c);
}

static int status_is(struct conform *c, uint64_t want, const char *when)
{
	uint64_t now;

	TRY(wire_get_u64(c, VU_GET_STATUS, &now));
	EXPECT_EQ(c, now, want, "status %s", when);
	return 0;
}

static int never_said(struct conform *c)
{
	TRY(rig_up(c, &(struct rig_setup){ .who = &no_status }));
	TRY(needs_status(c));
	return still_works(c);
}

static int before_driver_ok(struct conform *c)
{
	struct chain ch;
	uint64_t calls;

	TRY(rig_up(c, &(struct rig_setup){ .who = &not_enabled }));
	TRY(needs_status(c));
	/* A call fd may be signalled when it is set, in case one went to its forerunner. */
	TRY(rig_watch(c, 20));
	calls = c->rig.calls[Q_CONTROL];
	TRY(info_request(c, &ch));
	TRY(chain_send(c, &ch));
	TRY(set_status(c, ACKNOWLEDGE));
	TRY(set_status(c, ACKNOWLEDGE | DRIVER));
	TRY(set_status(c, BELOW_OK));
	rig_kick(c, Q_CONTROL);
	TRY(rig_watch(c, QUIET_MS));
	EXPECT(c, !ch.done, "a request is answered before DRIVER_OK and SET_VRING_ENABLE");
	EXPECT_EQ(c, c->rig.calls[Q_CONTROL], calls, "notifications before DRIVER_OK");
	for (unsigned i = 0; i < QUEUES; i++)
		TRY(rig_enable_ring(c, i, true));
	return chain_wait(c, &ch);
}

/* A broken ring with that status before it; whether the driver is told. */
static int break_at(struct conform *c, uint64_t status, uint64_t *ret_messages)
{
	TRY(rig_up(c, &(struct rig_setup){ .who = &no_status }));
	TRY(needs_status(c));
	if (!wire_has(c, VU_P_BACKEND_REQ) || !wire_has(c, VU_P_CONFIG))
		return skip(c, "the back-end does not offer BACKEND_REQ and CONFIG");
	TRY(set_status(c, status));
	rig_break_ring(c, Q_TX);
	TRY(rig_watch(c, QUIET_MS));
	*ret_messages = c->rig.fe.config_changes;
	return 0;
}

static int needs_reset_told(struct conform *c)
{
	uint64_t messages, now;

	TRY(break_at(c, BELOW_OK | DRIVER_OK, &messages));
	TRY(wire_get_u64(c, VU_GET_STATUS, &now));
	if (!(now & NEEDS_RESET))
		return skip(c, "a broken ring does not set DEVICE_NEEDS_RESET here");
	EXPECT_EQ(c, now, BELOW_OK | DRIVER_OK | NEEDS_RESET, "status");
	EXPECT_EQ(c, messages, 1, "configuration changes that were told");
	rig_down(c);
	TRY(break_at(c, BELOW_OK, &messages));
	EXPECT_EQ(c, messages, 0, "configuration changes that were told before DRIVER_OK");
	return 0;
}

static int failed(struct conform *c)
{
	struct chain ch;

	TRY(rig_up(c, NULL));
	TRY(needs_status(c));
	TRY(set_status(c, BELOW_OK | DRIVER_OK));
	TRY(still_works(c));
	TRY(set_status(c, BELOW_OK | DRIVER_OK | STATUS_FAILED));
	TRY(info_request(c, &ch));
	TRY(chain_send(c, &ch));
	TRY(rig_watch(c, QUIET_MS));
	EXPECT(c, !ch.done, "a driver that has given up is answered");
	TRY(rig_reset(c));
	return still_works(c);
}

static int reset_clears(struct conform *c)
{
	struct vu_msg m;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(needs_status(c));
	TRY(stream_bring(c, out, ST_RUN));
	TRY(set_status(c, BELOW_OK | DRIVER_OK));
	TRY(status_is(c, BELOW_OK | DRIVER_OK, "of a device that runs"));
	TRY(set_status(c, 0));
	TRY(status_is(c, 0, "after SET_STATUS 0"));
	if (!wire_has(c, VU_P_RESET_DEVICE))
		return 0;
	TRY(set_status(c, BELOW_OK));
	wire_empty(&m, VU_RESET_DEVICE);
	TRY(wire_send(c, &m));
	return status_is(c, 0, "after RESET_DEVICE");
}

/* Four messages are held, the ring is stopped, four more are posted. */
static int one_ring_stopped(struct conform *c, struct chain ch[8])
{
	uint32_t out;
	uint16_t used;

	TRY(rig_up(c, &(struct rig_setup){ .front_end = "qemu" }));
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
	TRY(stream_bring(c, out, ST_PREP));
	for (unsigned i = 0; i < 4; i++)
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
	TRY(rig_watch(c, 20));
	TRY(rig_stop_ring(c, Q_TX));
	TRY(rig_poll(c, 0));
	used = ring_used_idx(&c->rig.ring[Q_TX]);
	for (unsigned i = 4; i < 8; i++)
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(rig_watch(c, QUIET_MS));
	EXPECT_EQ(c, ring_used_idx(&c->rig.ring[Q_TX]), used, "used index of a stopped ring");
	return still_works(c);
}

static int stopped_ring_rests(struct conform *c)
{
	static struct chain ch[8];

	return one_ring_stopped(c, ch);
}

static int ring_from_scratch(struct conform *c)
{
	static struct chain ch[8];
	struct chain fresh;
	struct ring *r = &c->rig.ring[Q_TX];

	TRY(one_ring_stopped(c, ch));
	ring_reset(r);
	c->rig.fe.queue[Q_TX].base = 0;
	TRY(rig_start_ring(c, Q_TX));
	TRY(tx_send(c, &fresh, 0xffff, 16)); /* comes back at once */
	TRY(chain_wait(c, &fresh));
	EXPECT_EQ(c, ring_used_idx(r), 1, "used index after the first message");
	return io_refused(c, &fresh, "a message for a stream that is not there");
}

#define STA "virtio 1.4, Device Status Field: "
#define VQR "virtio 1.4, Virtqueue Reset: "

const struct scenario virtio_status_scenarios[] = {
	{ .id = "VIO-STAT-1", .title = "nothing is consumed before DRIVER_OK",
		.run = before_driver_ok,
		.clause = STA "MUST NOT; over vhost-user enabled rings stand for it" },
	{ .id = "VIO-STAT-1b", .title = "a status that is never written gates nothing",
		.run = never_said, .recommended = true,
		.clause = "QEMU writes FEATURES_OK and then no more" },
	{ .id = "VIO-STAT-4", .title = "DEVICE_NEEDS_RESET is told if the driver is up",
		.run = needs_reset_told, .clause = STA "MUST send a configuration change" },
	{ .id = "VIO-STAT-6", .title = "FAILED stops the rings, a reset helps", .run = failed,
		.recommended = true, .clause = STA "after FAILED drivers reset before re-use" },
	{ .id = "VIO-RST-1", .title = "a reset clears the status", .run = reset_clears,
		.clause = "virtio 1.4, Device Reset: MUST be 0" },
	{ .id = "VIO-VQR-1", .title = "a ring that is stopped rests, the others go on",
		.run = stopped_ring_rests, .clause = VQR "MUST NOT execute nor notify" },
	{ .id = "VIO-VQR-2", .title = "... and begins from scratch", .run = ring_from_scratch,
		.clause = VQR "MUST reset the queue's state" },
	{ 0 },
};
