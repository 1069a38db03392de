/* SPDX-License-Identifier: BSD-3-Clause */
/* Gaps of known length, and who is told of them; and that queues keep to their own. */
#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/hook.h"
#include "probe/conform/played.h"

#define EVT_XRUNS (1u << 4)

/* The first stream of a direction that can tell, prepared. */
static int prepared(struct conform *c, const struct rig_setup *setup, unsigned direction,
	uint32_t features, uint32_t *ret, struct pcm_params *p)
{
	TRY(rig_up(c, setup));
	TRY(stream_pick(c, direction, 0, ret));
	TRY(hook_manual(c));
	if (features & ~c->pcm[*ret].features)
		return skip(c, "stream %u does not offer EVT_XRUNS", *ret);
	*p = roomy_params(c, *ret, 256);
	p->features = features;
	return hook_prepare(c, *ret, p);
}

/* With the first frame that is missing or lost, and not before. */
static int gap_told(struct conform *c)
{
	struct pcm_params p;
	struct chain ch;
	uint32_t stream;

	TRY(prepared(c, NULL, (unsigned)c->scenario->arg, EVT_XRUNS, &stream, &p));
	TRY(io_send(c, &ch, stream, 480 * frame_bytes(&p)));
	TRY(must_pcm(c, SND_R_PCM_START, stream));
	TRY(hook_advance(c, 480, 1));
	EXPECT(c, ch.done, "the message did not come back with its last frame");
	TRY(hook_one_event(c, 0, 0));
	TRY(hook_advance(c, 1, 1));
	return hook_one_event(c, SND_EVT_PCM_XRUN, stream);
}

static int not_selected(struct conform *c)
{
	struct pcm_params p;
	uint32_t out;

	TRY(prepared(c, NULL, SND_D_OUTPUT, 0, &out, &p));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_advance(c, 480, 100));
	return hook_one_event(c, 0, 0);
}

static int once_a_gap(struct conform *c)
{
	struct pcm_params p;
	struct chain ch;
	uint32_t out;

	TRY(prepared(c, NULL, SND_D_OUTPUT, EVT_XRUNS, &out, &p));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned k = 0; k < 10; k++)
			TRY(hook_advance(c, 480, 10));
		TRY(hook_one_event(c, SND_EVT_PCM_XRUN, out));
		TRY(tx_send(c, &ch, out, 480 * frame_bytes(&p)));
		TRY(hook_advance(c, 240, 2));
		TRY(hook_one_event(c, 0, 0));
	}
	return 0;
}

static int only_running(struct conform *c)
{
	struct pcm_params p;
	struct chain ch;
	uint32_t out;

	TRY(prepared(c, NULL, SND_D_OUTPUT, EVT_XRUNS, &out, &p));
	TRY(hook_advance(c, 480, 100));
	TRY(tx_send(c, &ch, out, 480 * frame_bytes(&p)));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_advance(c, 480, 1));
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	TRY(hook_advance(c, 480, 100));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	TRY(hook_advance(c, 480, 100));
	return hook_one_event(c, 0, 0);
}

/* Three gaps and no buffer: one event, or with STOP none. */
static int gathered(struct conform *c)
{
	const struct rig_setup setup = { .no_events = true };
	struct pcm_params p;
	struct chain ch, event[4];
	uint32_t out;

	TRY(prepared(c, &setup, SND_D_OUTPUT, EVT_XRUNS, &out, &p));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	for (unsigned i = 0; i < 3; i++) {
		TRY(tx_send(c, &ch, out, 480 * frame_bytes(&p)));
		TRY(hook_advance(c, 480, 3));
	}
	if (c->scenario->arg)
		TRY(must_pcm(c, SND_R_PCM_STOP, out));
	TRY(events_give(c, event, 4, 8));
	TRY(rig_watch(c, QUIET_MS));
	EXPECT_EQ(c, chains_done(event, 4), c->scenario->arg ? 0u : 1u, "events for three gaps");
	if (c->scenario->arg)
		return 0;
	EXPECT_EQ(c, get32(event[0].in), SND_EVT_PCM_XRUN, "the event's code");
	EXPECT_EQ(c, get32(event[0].in + 4), out, "the event's stream");
	return 0;
}

static int still_running(struct conform *c)
{
	struct pcm_params p;
	uint32_t out, status;
	struct chain ch;
	uint64_t at = 0;

	TRY(prepared(c, NULL, SND_D_OUTPUT, EVT_XRUNS, &out, &p));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_advance(c, 480, 3));
	TRY(ctl_pcm(c, SND_R_PCM_START, out, &status));
	EXPECT_EQ(c, status, SND_S_BAD_MSG, "START of a stream that runs, after an xrun");
	TRY(hook(c, "test-forget", "{}"));
	TRY(pattern_send(c, &ch, out, &at, 480 * frame_bytes(&p)));
	TRY(hook_advance(c, 480, 1));
	TRY(hook_heard(c, out, 0, (size_t)at, 0));
	TRY(ctl_pcm(c, SND_R_PCM_STOP, out, &status));
	EXPECT_EQ(c, status, SND_S_OK, "STOP after an xrun");
	return 0;
}

/* Events without end, for a driver that takes none: the sound goes on, and what
 * is left to tell in the end is one event a stream and a jack at most. */
static int nobody_listens(struct conform *c)
{
	const struct rig_setup setup = { .no_events = true };
	static struct chain ch[100], event[EVENTS];
	struct pcm_params p;
	uint64_t at = 0;
	uint32_t out;

	TRY(prepared(c, &setup, SND_D_OUTPUT, EVT_XRUNS, &out, &p));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	for (unsigned i = 0; i < 100; i++) {
		TRY(pattern_send(c, &ch[i], out, &at, 480 * frame_bytes(&p)));
		TRY(hook_advance(c, 480, 2));
		EXPECT(c, ch[i].done, "message %u did not come back", i);
		for (unsigned k = 0; k < 3 && c->rig.counts.jacks; k++)
			TRY(hook_plug(c, i % c->rig.counts.jacks, k & 1));
	}
	TRY(still_works(c));
	TRY(events_give(c, event, EVENTS, 8));
	TRY(rig_watch(c, QUIET_MS));
	EXPECT(c, chains_done(event, EVENTS) <= c->rig.counts.jacks + 1,
		"%u events for %u jacks and a stream", chains_done(event, EVENTS),
		c->rig.counts.jacks);
	return 0;
}

/* Traffic on all four, and each gives back what is its own. */
static int queues_keep_apart(struct conform *c)
{
	struct chain tx[8], rx[8];
	struct pcm_params p;
	uint64_t at = 0;
	uint32_t out, in;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	TRY(stream_pick(c, SND_D_INPUT, 0, &in));
	p = roomy_params(c, out, 16);
	TRY(hook_prepare(c, out, &p));
	p = roomy_params(c, in, 16);
	TRY(hook_prepare(c, in, &p));
	for (unsigned i = 0; i < 8; i++) {
		TRY(pattern_send(c, &tx[i], out, &at, 480 * frame_bytes(&p)));
		TRY(rx_send(c, &rx[i], in, 480 * frame_bytes(&p)));
	}
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(must_pcm(c, SND_R_PCM_START, in));
	TRY(hook_advance(c, 240, 8));
	for (unsigned k = 0; k < 2 && c->rig.counts.jacks; k++)
		TRY(hook_plug(c, 0, k));
	TRY(hook_advance(c, 240, 8));
	for (unsigned i = 0; i < 8; i++) {
		EXPECT(c, tx[i].done && tx[i].len == STATUS_BYTES, "output message %u", i);
		EXPECT(c, rx[i].done && rx[i].len == rx[i].in_bytes, "input message %u", i);
	}
	for (unsigned i = 0; i < c->rig.events; i++)
		EXPECT(c, c->rig.log[i].code == SND_EVT_JACK_CONNECTED ||
			c->rig.log[i].code == SND_EVT_JACK_DISCONNECTED, "event 0x%x",
			c->rig.log[i].code);
	return 0;
}

#define EVT "virtio 1.4, Sound Device, PCM Notifications: "

const struct scenario hook_xrun_scenarios[] = {
	{ .id = "SND-VQ-2h", .title = "each queue gives back its own", .run = queues_keep_apart,
		.clause = "virtio 1.4, Sound Device, Virtqueues" },
	{ .id = "SND-PEVT-1h", .title = "a second of nothing, and no event is selected",
		.run = not_selected, .clause = EVT "if the feature was selected" },
	{ .id = "SND-PEVT-2h", .title = "an underrun is told with the first missing frame",
		.run = gap_told, .arg = SND_D_OUTPUT, .clause = EVT "VIRTIO_SND_EVT_PCM_XRUN" },
	{ .id = "SND-PEVT-3h", .title = "an overrun is told with the first lost frame",
		.run = gap_told, .arg = SND_D_INPUT, .clause = EVT "VIRTIO_SND_EVT_PCM_XRUN" },
	{ .id = "SND-PEVT-4h", .title = "one event a gap", .run = once_a_gap,
		.recommended = true, .clause = EVT "silent" },
	{ .id = "SND-PEVT-6h", .title = "no event of a stream that does not run",
		.run = only_running, .recommended = true, .clause = EVT "silent" },
	{ .id = "SND-PEVT-7h", .title = "without buffers, gaps gather in one event",
		.run = gathered, .recommended = true, .clause = EVT "silent" },
	{ .id = "SND-PEVT-7i", .title = "... and STOP makes them history", .run = gathered,
		.arg = 1, .recommended = true, .clause = EVT "silent" },
	{ .id = "SND-PEVT-8h", .title = "an xrun is no change of state", .run = still_running,
		.recommended = true, .clause = EVT "silent" },
	{ .id = "SND-INIT-5h", .title = "events that nobody takes disturb nothing",
		.run = nobody_listens, .recommended = true, .clause = EVT "silent" },
	{ 0 },
};
