/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events of streams, and buffers for events.
 *
 * An xrun is the one event that a driver can bring about itself: by leaving a
 * stream without messages that was set up with EVT_XRUNS.
 */
#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"

#define EVT_XRUNS (1u << 4)
#define STARVED_MS 300

static unsigned xruns_of(const struct conform *c, uint32_t stream, unsigned from)
{
	unsigned n = 0;

	for (unsigned i = from; i < c->rig.events && i < EVENT_LOG; i++)
		n += c->rig.log[i].code == SND_EVT_PCM_XRUN && c->rig.log[i].data == stream;
	return n;
}

/* Any stream of that direction that can tell of xruns, with or without it. */
static int prepared(struct conform *c, unsigned direction, uint32_t features, uint32_t *ret)
{
	struct pcm_params p;

	TRY(stream_pick(c, direction, 0, ret));
	if (features & ~c->pcm[*ret].features)
		return skip(c, "stream %u does not offer EVT_XRUNS", *ret);
	p = stream_params(c, *ret);
	p.features = features;
	TRY(must_params(c, *ret, &p));
	return must_pcm(c, SND_R_PCM_PREPARE, *ret);
}

static int up_prepared(struct conform *c, unsigned direction, uint32_t features, uint32_t *ret)
{
	TRY(rig_up(c, NULL));
	if (features && c->rig.fe.who->base == BASE_AVAILABLE)
		return skip(c, "%s loses the event buffers that a driver gives before it is up",
			c->rig.fe.who->name);
	return prepared(c, direction, features, ret);
}

/* A few periods, until they are back. */
static int feed(struct conform *c, uint32_t stream, unsigned periods)
{
	struct chain ch[8];

	for (unsigned i = 0; i < periods; i++)
		TRY(io_send(c, &ch[i], stream, stream_params(c, stream).period_bytes));
	return chains_wait(c, ch, periods, answer_ms(c));
}

/* Running, two periods, then nothing. */
static int starve(struct conform *c, unsigned direction, uint32_t features, uint32_t *ret)
{
	TRY(up_prepared(c, direction, features, ret));
	TRY(must_pcm(c, SND_R_PCM_START, *ret));
	TRY(feed(c, *ret, 2));
	return rig_watch(c, STARVED_MS);
}

static int not_selected(struct conform *c)
{
	uint32_t out;

	TRY(starve(c, SND_D_OUTPUT, 0, &out));
	EXPECT_EQ(c, xruns_of(c, out, 0), 0, "xruns that were told without EVT_XRUNS");
	return 0;
}

static int xrun_told(struct conform *c)
{
	uint32_t id;

	TRY(starve(c, (unsigned)c->scenario->arg, EVT_XRUNS, &id));
	EXPECT(c, xruns_of(c, id, 0), "no xrun was told in %d ms without messages", STARVED_MS);
	for (unsigned i = 0; i < c->rig.events && i < EVENT_LOG; i++) {
		EXPECT_EQ(c, c->rig.log[i].code, SND_EVT_PCM_XRUN, "an event's code");
		EXPECT_EQ(c, c->rig.log[i].data, id, "an event's stream");
		EXPECT_EQ(c, c->rig.log[i].len, 8, "an event's used length");
	}
	return 0;
}

static int once_an_episode(struct conform *c)
{
	uint32_t out;

	TRY(starve(c, SND_D_OUTPUT, EVT_XRUNS, &out));
	EXPECT_EQ(c, xruns_of(c, out, 0), 1, "xruns told of one gap of %d ms", STARVED_MS);
	TRY(feed(c, out, 4));
	TRY(rig_watch(c, STARVED_MS));
	EXPECT_EQ(c, xruns_of(c, out, 0), 2, "xruns told of two gaps");
	return 0;
}

static int no_period_events(struct conform *c)
{
	uint32_t out, in;

	TRY(up_prepared(c, SND_D_OUTPUT, 0, &out));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(feed(c, out, 8));
	if (!stream_pick(c, SND_D_INPUT, 0, &in)) {
		TRY(stream_bring(c, in, ST_RUN));
		TRY(feed(c, in, 8));
	}
	for (unsigned i = 0; i < c->rig.events && i < EVENT_LOG; i++)
		EXPECT(c, c->rig.log[i].code != SND_EVT_PCM_PERIOD_ELAPSED,
			"PERIOD_ELAPSED though no stream selected it");
	return 0;
}

/* Nothing to play where nothing is to be played. */
static int only_running(struct conform *c)
{
	uint32_t out;

	TRY(up_prepared(c, SND_D_OUTPUT, EVT_XRUNS, &out));
	TRY(rig_watch(c, QUIET_MS));
	EXPECT_EQ(c, xruns_of(c, out, 0), 0, "xruns of a stream that is PREPARED");
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	TRY(rig_watch(c, 20));
	c->rig.events = 0; /* one between START and STOP would be right */
	TRY(rig_watch(c, QUIET_MS));
	EXPECT_EQ(c, xruns_of(c, out, 0), 0, "xruns of a stream that is STOPPED");
	TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	TRY(rig_watch(c, QUIET_MS));
	EXPECT_EQ(c, xruns_of(c, out, 0), 0, "xruns of a stream that is RELEASED");
	return 0;
}

/* Two buffers for events, and what came in them. */
static int take_events(struct conform *c, struct chain ev[2], unsigned *ret)
{
	for (unsigned i = 0; i < 2; i++) {
		TRY(chain_init(c, &ev[i], Q_EVENT, 0, 8));
		TRY(chain_send(c, &ev[i]));
	}
	TRY(rig_watch(c, 100));
	*ret = chains_done(ev, 2);
	return 0;
}

static int without_buffers(struct conform *c)
{
	struct chain ev[2];
	uint32_t out;
	unsigned n;

	TRY(rig_up(c, &(struct rig_setup){ .no_events = true }));
	TRY(prepared(c, SND_D_OUTPUT, EVT_XRUNS, &out));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	for (unsigned i = 0; i < 3; i++) {
		TRY(feed(c, out, 2));
		TRY(rig_watch(c, 100));
	}
	TRY(take_events(c, ev, &n));
	EXPECT_EQ(c, n, 1, "events for three xruns without buffers");
	EXPECT_EQ(c, get32(ev[0].in), SND_EVT_PCM_XRUN, "its code");
	return 0;
}

static int forgotten_at_stop(struct conform *c)
{
	struct chain ev[2];
	uint32_t out;
	unsigned n;

	TRY(rig_up(c, &(struct rig_setup){ .no_events = true }));
	TRY(prepared(c, SND_D_OUTPUT, EVT_XRUNS, &out));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(feed(c, out, 2));
	TRY(rig_watch(c, 100));
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	TRY(take_events(c, ev, &n));
	EXPECT_EQ(c, n, 0, "events for an xrun before STOP");
	return 0;
}

static int still_running(struct conform *c)
{
	uint32_t out, status;

	TRY(starve(c, SND_D_OUTPUT, EVT_XRUNS, &out));
	TRY(ctl_pcm(c, SND_R_PCM_START, out, &status));
	EXPECT(c, status != SND_S_OK, "START is OK after an xrun: the stream did not run");
	TRY(feed(c, out, 2));
	TRY(ctl_pcm(c, SND_R_PCM_STOP, out, &status));
	EXPECT_EQ(c, status, SND_S_OK, "STOP after an xrun");
	return 0;
}

/* A buffer that cannot hold an event, then one that can; an xrun. */
static int behind_bad_buffer(struct conform *c, uint32_t readable, uint32_t room)
{
	struct chain bad, good;
	uint32_t out;

	TRY(rig_up(c, &(struct rig_setup){ .no_events = true }));
	TRY(prepared(c, SND_D_OUTPUT, EVT_XRUNS, &out));
	TRY(chain_init(c, &bad, Q_EVENT, readable, room));
	TRY(chain_init(c, &good, Q_EVENT, 0, 8));
	trace(c, "-> an event buffer with %u readable and %u writable bytes, then a good one",
		readable, room);
	TRY(chain_send(c, &bad));
	TRY(chain_send(c, &good));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(feed(c, out, 2));
	TRY(rig_watch(c, STARVED_MS));
	EXPECT(c, bad.done && bad.len == 0, "the bad buffer %s, used length %u", bad.done
		? "came back" : "did not come back", bad.len);
	EXPECT(c, chain_untouched(&bad, 0) && chain_guards_intact(&bad), "it was written to");
	for (uint32_t i = 0; i < readable; i++)
		EXPECT_EQ(c, bad.out[i], 0, "byte %u of its readable part", i);
	EXPECT(c, good.done && good.len == 8, "the good buffer %s, used length %u", good.done
		? "came back" : "did not come back", good.len);
	EXPECT_EQ(c, get32(good.in), SND_EVT_PCM_XRUN, "the event in it");
	return still_works(c);
}

static int short_buffer(struct conform *c)
{
	return behind_bad_buffer(c, 0, 4);
}

static int readable_buffer(struct conform *c)
{
	return behind_bad_buffer(c, 8, 8);
}

#define EVT "virtio 1.4, Sound Device, PCM Notifications: "
#define INI "virtio 1.4, Sound Device, Device Initialization (driver): "

const struct scenario event_scenarios[] = {
	{ .id = "SND-INIT-1", .title = "a buffer too small for an event", .run = short_buffer,
		.recommended = true, .clause = INI "MUST be 8 bytes at least" },
	{ .id = "SND-INIT-2", .title = "an event buffer with a readable part",
		.run = readable_buffer, .recommended = true, .clause = INI "MUST NOT" },
	{ .id = "SND-PEVT-1", .title = "no xrun is told unless that was selected",
		.run = not_selected, .clause = EVT "if the feature was selected" },
	{ .id = "SND-PEVT-2", .title = "an underrun is told", .run = xrun_told,
		.arg = SND_D_OUTPUT, .clause = EVT "VIRTIO_SND_EVT_PCM_XRUN" },
	{ .id = "SND-PEVT-3", .title = "an overrun is told", .run = xrun_told,
		.arg = SND_D_INPUT, .clause = EVT "VIRTIO_SND_EVT_PCM_XRUN" },
	{ .id = "SND-PEVT-4", .title = "one event for one gap", .run = once_an_episode,
		.recommended = true, .clause = EVT "silent" },
	{ .id = "SND-PEVT-5", .title = "PERIOD_ELAPSED is not sent unasked",
		.run = no_period_events, .clause = EVT "belongs to shared memory" },
	{ .id = "SND-PEVT-6", .title = "no xrun but of a stream that runs", .run = only_running,
		.recommended = true, .clause = EVT "silent" },
	{ .id = "SND-PEVT-7", .title = "without buffers, xruns gather in one event",
		.run = without_buffers, .recommended = true, .clause = EVT "silent" },
	{ .id = "SND-PEVT-7b", .title = "... and STOP makes them history",
		.run = forgotten_at_stop, .recommended = true, .clause = EVT "silent" },
	{ .id = "SND-PEVT-8", .title = "an xrun is no change of state", .run = still_running,
		.recommended = true, .clause = "PCM Command Lifecycle: commands change states" },
	{ 0 },
};
