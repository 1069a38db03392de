/* SPDX-License-Identifier: BSD-3-Clause */
/* Streams beside each other, and over what happens to the whole device. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/hook.h"
#include "probe/conform/played.h"
#include "probe/names.h"

static int device_type(struct conform *c)
{
	json_t *answer = NULL;
	json_int_t id;

	TRY(rig_up(c, NULL));
	TRY(rig_hooks(c));
	TRY(hook_ask(c, &answer, "test-device", "{}"));
	id = json_integer_value(json_object_get(answer, "device_id"));
	json_decref(answer);
	EXPECT_EQ(c, id, 25, "the device type");
	return 0;
}

/* Two outputs of different rates, their messages in turn; the first is given up. */
static int side_by_side(struct conform *c)
{
	struct chain a[6], b[6];
	struct pcm_params p;
	uint64_t at_a = 0, at_b = 0;
	uint32_t first, second;

	TRY(hook_up(c, SND_D_OUTPUT, &first));
	TRY(stream_pick(c, SND_D_OUTPUT, 1, &second));
	p = roomy_params(c, first, 16);
	TRY(hook_prepare(c, first, &p));
	if (c->pcm[second].rates & BIT(pcm_rate_find(96000)))
		p.rate = (uint8_t)pcm_rate_find(96000);
	TRY(hook_prepare(c, second, &p));
	for (unsigned i = 0; i < 6; i++) {
		TRY(pattern_send(c, &a[i], first, &at_a, 480 * frame_bytes(&p)));
		TRY(pattern_send(c, &b[i], second, &at_b, 320 * frame_bytes(&p)));
	}
	TRY(must_pcm(c, SND_R_PCM_START, second));
	TRY(hook_advance(c, 320, 2));
	EXPECT(c, chains_done(a, 6) == 0 && chains_done(b, 6) == 2,
		"%u messages of a stream that rests and %u of one that runs came back",
		chains_done(a, 6), chains_done(b, 6));
	TRY(must_pcm(c, SND_R_PCM_START, first));
	TRY(hook_advance(c, 100, 1));
	TRY(must_pcm(c, SND_R_PCM_STOP, first));
	TRY(hook_advance(c, 60, 1));
	TRY(hook_heard(c, first, 0, (size_t)100 * frame_bytes(&p), 0));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, first));
	TRY(rig_poll(c, 0));
	EXPECT(c, chains_done(a, 6) == 6 && chains_done(b, 6) == 2,
		"RELEASE of one stream gave back %u messages of it and %u of the other",
		chains_done(a, 6), chains_done(b, 6) - 2);
	TRY(hook_advance(c, 160, 7));
	EXPECT_EQ(c, chains_done(b, 6), 6, "messages of the stream that runs");
	return hook_heard(c, second, 0, (size_t)at_b, 0);
}

/* What RELEASE gives back was not heard, so it has no latency. */
static int flushed(struct conform *c)
{
	struct pcm_params p;
	struct chain ch[3];
	uint64_t at = 0;
	uint32_t out;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	p = roomy_params(c, out, 8);
	TRY(hook_prepare(c, out, &p));
	TRY(hook(c, "test-delay", "{s:i}", "frames", 777));
	for (unsigned i = 0; i < 3; i++)
		TRY(pattern_send(c, &ch[i], out, &at, p.period_bytes));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	TRY(rig_poll(c, 0));
	for (unsigned i = 0; i < 3; i++) {
		EXPECT(c, ch[i].done, "RELEASE was answered before message %u came back", i);
		TRY(io_ok(c, &ch[i], "a message that RELEASE gave back"));
		EXPECT_EQ(c, io_latency(&ch[i]), 0, "its latency");
	}
	return hook_heard(c, out, 0, 0, 0);
}

/* Before 6.7 Linux makes a message available and writes its frames afterwards. */
static int filled_late(struct conform *c)
{
	struct pcm_params p;
	struct chain ch[2];
	uint32_t out;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	p = roomy_params(c, out, 8);
	TRY(hook_prepare(c, out, &p));
	for (unsigned i = 0; i < 2; i++)
		TRY(tx_send(c, &ch[i], out, p.period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_advance(c, 0, 1));
	pattern_fill(ch[0].out + XFER_BYTES, 0, p.period_bytes);
	TRY(hook_advance(c, 480, 1));
	pattern_fill(ch[1].out + XFER_BYTES, p.period_bytes, p.period_bytes);
	TRY(hook_advance(c, 2 * p.period_bytes / frame_bytes(&p) - 480, 1));
	return hook_heard(c, out, 0, (size_t)2 * p.period_bytes, 0);
}

/* Buffers that wait for START stay as they are. */
static int waits_for_start(struct conform *c)
{
	struct pcm_params p;
	struct chain ch[2];
	uint32_t in;

	TRY(hook_up(c, SND_D_INPUT, &in));
	p = roomy_params(c, in, 8);
	TRY(hook(c, "test-source", "{s:s}", "source", "ramp"));
	TRY(hook_prepare(c, in, &p));
	for (unsigned i = 0; i < 2; i++)
		TRY(rx_send(c, &ch[i], in, p.period_bytes));
	TRY(hook_advance(c, 480, 10));
	for (unsigned i = 0; i < 2; i++)
		EXPECT(c, !ch[i].done && chain_untouched(&ch[i], 0), "message %u was used", i);
	TRY(must_pcm(c, SND_R_PCM_START, in));
	TRY(hook_advance(c, 2 * p.period_bytes / frame_bytes(&p), 1));
	EXPECT_EQ(c, chains_done(ch, 2), 2, "messages that came back");
	EXPECT(c, ch[0].turn < ch[1].turn, "the second came back first");
	return 0;
}

/* The clock moves on while the VM rests; not a frame more, and none is missing. */
static int paused_vm(struct conform *c)
{
	struct pcm_params p;
	struct chain ch[3];
	uint8_t config[12];
	uint64_t at = 0;
	uint32_t out;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	if (!c->rig.fe.who->pause[0].ring[0])
		return skip(c, "%s has no VM pause that reaches the back-end",
			c->rig.fe.who->name);
	p = roomy_params(c, out, 8);
	TRY(hook_prepare(c, out, &p));
	for (unsigned i = 0; i < 3; i++)
		TRY(pattern_send(c, &ch[i], out, &at, 480 * frame_bytes(&p)));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_advance(c, 601, 1));
	INSIST(c, frontend_pause(&c->rig.fe) >= 0, "the VM cannot be paused");
	TRY(hook_advance(c, 480, 10));
	TRY(hook_heard(c, out, 0, (size_t)601 * frame_bytes(&p), 0));
	INSIST(c, frontend_resume(&c->rig.fe) >= 0, "the VM cannot go on");
	/* Answered behind what the rings were told. */
	INSIST(c, frontend_get_config(&c->rig.fe, config, sizeof(config)) >= 0, "GET_CONFIG");
	TRY(hook_advance(c, 839, 1));
	EXPECT_EQ(c, chains_done(ch, 3), 3, "messages that came back");
	return hook_heard(c, out, 0, (size_t)at, 0);
}

static int nothing_open(struct conform *c, const char *when)
{
	uint64_t voices, closing;

	TRY(hook_counter(c, "voices", &voices));
	TRY(hook_counter(c, "closing", &closing));
	EXPECT_EQ(c, voices - closing, 0, "streams open at the host %s", when);
	return 0;
}

/* From each state of a stream. */
static int after_reset(struct conform *c)
{
	uint32_t out, in, status;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	TRY(stream_pick(c, SND_D_INPUT, 0, &in));
	for (enum pcm_state state = ST_SET; state < ST_COUNT; state++) {
		TRY(stream_bring(c, out, state));
		TRY(stream_bring(c, in, state));
		TRY(hook_advance(c, 100, 2));
		TRY(rig_reset(c));
		TRY(still_works(c));
		TRY(nothing_open(c, "after a reset"));
		TRY(ctl_pcm(c, SND_R_PCM_PREPARE, out, &status));
		EXPECT_EQ(c, status, SND_S_BAD_MSG, "PREPARE after a reset in %s",
			state_names[state]);
	}
	return 0;
}

/* A front-end that goes in the middle of it all. */
static int after_disconnect(struct conform *c)
{
	struct pcm_params p;
	struct chain ch[4];
	uint64_t at = 0;
	uint32_t out;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 4; i++)
		TRY(pattern_send(c, &ch[i], out, &at, stream_params(c, out).period_bytes));
	TRY(hook_advance(c, 100, 1));
	rig_down(c);
	TRY(rig_up(c, NULL));
	TRY(nothing_open(c, "after the front-end has gone"));
	TRY(stream_bring(c, out, ST_RUN));
	TRY(hook(c, "test-forget", "{}"));
	TRY(hook_advance(c, 100, 1));
	p = stream_params(c, out);
	return hook_heard(c, out, 0, 0, (size_t)100 * frame_bytes(&p));
}

/* Plugs are the host's: a reset does not move them, and what it tells is true. */
static int plugs_stay(struct conform *c)
{
	uint8_t before, after;
	struct answer a;

	TRY(rig_up(c, NULL));
	if (!c->rig.counts.jacks)
		return skip(c, "the device has no jacks");
	TRY(hook_manual(c));
	TRY(ctl_info(c, SND_R_JACK_INFO, 0, 1, 24, 28, &a));
	before = a.chain.in[4 + 16];
	TRY(hook_plug(c, 0, !before));
	c->rig.events_seen = c->rig.events;
	TRY(rig_reset(c));
	TRY(ctl_info(c, SND_R_JACK_INFO, 0, 1, 24, 28, &a));
	after = a.chain.in[4 + 16];
	EXPECT_EQ(c, after, !before, "connected after a reset");
	TRY(hook_plug(c, 0, !before));
	return hook_one_event(c, 0, 0);
}

#define LIFE "virtio 1.4, Sound Device, PCM Command Lifecycle: "

const struct scenario hook_life_scenarios[] = {
	{ .id = "SND-ID-1", .title = "the device type is 25", .run = device_type,
		.clause = "virtio 1.4, Sound Device, Device ID" },
	{ .id = "SND-FSM-X-1h", .title = "streams of two rates: RELEASE of one, sound of the other",
		.run = side_by_side, .clause = "Stream Release: of the specified stream" },
	{ .id = "SND-PCM-REL-5h", .title = "what RELEASE gives back: OK, latency 0, not heard",
		.run = flushed, .recommended = true, .clause = "Stream Release: silent" },
	{ .id = "SND-TX-2i", .title = "frames are read when they are played", .run = filled_late,
		.recommended = true, .clause = "Linux before 6.7 writes them behind the kick" },
	{ .id = "SND-PCM-PREP-3h", .title = "input buffers before START stay empty",
		.run = waits_for_start, .clause = LIFE "START begins the transfer" },
	{ .id = "VU-RSM-1h", .title = "a paused VM: no frame meanwhile, none is missing",
		.run = paused_vm, .clause = "vhost-user, Ring states: stopped, started again" },
	{ .id = "SND-FSM-X-2h", .title = "a reset leaves nothing open at the host",
		.run = after_reset, .clause = "virtio 1.4, Device Reset" },
	{ .id = "SND-PCM-REL-7i", .title = "nor does a front-end that goes",
		.run = after_disconnect, .recommended = true,
		.clause = "vhost-user: the next front-end finds a device that is new" },
	{ .id = "SND-JACK-3i", .title = "a reset moves no plug", .run = plugs_stay,
		.clause = "VIRTIO_SND_R_JACK_INFO: connected" },
	{ 0 },
};
