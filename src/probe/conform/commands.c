/* SPDX-License-Identifier: BSD-3-Clause */
/* PREPARE, START, STOP and RELEASE, and what they do to queued messages. */
#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/report.h"

#define MANY 8

static int queue_many(struct conform *c, struct chain *ch, unsigned n, uint32_t stream)
{
	for (unsigned i = 0; i < n; i++)
		TRY(io_send(c, &ch[i], stream, stream_params(c, stream).period_bytes));
	return 0;
}

static int held_until_start(struct conform *c, unsigned direction)
{
	struct chain ch[4];
	uint32_t id;

	TRY(up_with(c, direction, &id));
	TRY(stream_bring(c, id, ST_PREP));
	TRY(queue_many(c, ch, 4, id));
	TRY(rig_watch(c, QUIET_MS));
	EXPECT_EQ(c, chains_done(ch, 4), 0, "messages that came back before START");
	TRY(must_pcm(c, SND_R_PCM_START, id));
	TRY(chains_wait(c, ch, 4, answer_ms(c)));
	for (unsigned i = 0; i < 4; i++) {
		TRY(io_ok(c, &ch[i], "a message queued before START"));
		EXPECT(c, !i || ch[i].turn > ch[i - 1].turn, "message %u overtook another", i);
	}
	return 0;
}

static int prebuffer(struct conform *c)
{
	return held_until_start(c, SND_D_OUTPUT);
}

static int capture_waits(struct conform *c)
{
	return held_until_start(c, SND_D_INPUT);
}

static int prepare_again(struct conform *c)
{
	struct chain ch[2];
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_PREP));
	TRY(queue_many(c, ch, 2, out));
	TRY(rig_watch(c, 50));
	TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
	TRY(rig_watch(c, 20));
	EXPECT_EQ(c, chains_done(ch, 2), 2, "messages given back by a second PREPARE");
	return must_pcm(c, SND_R_PCM_START, out);
}

static int start_plays(struct conform *c)
{
	struct chain ch[4];
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_PREP));
	TRY(queue_many(c, ch, 4, out));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, ch, 4, answer_ms(c)));
	return io_ok(c, &ch[3], "the last message");
}

static int start_with_nothing(struct conform *c)
{
	struct chain ch;
	uint32_t out, status;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_PREP));
	TRY(ctl_pcm(c, SND_R_PCM_START, out, &status));
	EXPECT_EQ(c, status, SND_S_OK, "START with nothing queued");
	TRY(rig_watch(c, 60));
	TRY(tx_send(c, &ch, out, stream_params(c, out).period_bytes));
	TRY(chain_wait(c, &ch));
	return io_ok(c, &ch, "a message sent late");
}

static int stop_holds(struct conform *c)
{
	struct chain ch[MANY];
	uint32_t out;
	unsigned before;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_PREP));
	for (unsigned i = 0; i < MANY; i++)
		TRY(io_send(c, &ch[i], out, 10 * stream_params(c, out).period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(rig_watch(c, 120));
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	TRY(rig_watch(c, 20));
	before = chains_done(ch, MANY);
	EXPECT(c, before < MANY, "800 ms of sound were consumed within 140 ms");
	TRY(rig_watch(c, 400));
	EXPECT_EQ(c, chains_done(ch, MANY), before, "messages that came back while stopped");
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, ch, MANY, answer_ms(c)));
	return io_ok(c, &ch[MANY - 1], "the last message");
}

static int stop_keeps_partial_input(struct conform *c)
{
	struct chain ch[2];
	uint32_t in, bytes;

	TRY(up_with(c, SND_D_INPUT, &in));
	TRY(stream_bring(c, in, ST_PREP));
	bytes = 10 * stream_params(c, in).period_bytes;
	TRY(rx_send(c, &ch[0], in, bytes));
	TRY(rx_send(c, &ch[1], in, bytes));
	TRY(must_pcm(c, SND_R_PCM_START, in));
	TRY(rig_watch(c, 150));
	TRY(must_pcm(c, SND_R_PCM_STOP, in));
	TRY(rig_watch(c, QUIET_MS));
	EXPECT(c, !ch[1].done, "an input message came back half full at STOP");
	TRY(must_pcm(c, SND_R_PCM_START, in));
	TRY(chains_wait(c, ch, 2, answer_ms(c)));
	EXPECT_EQ(c, ch[1].len, bytes + STATUS_BYTES, "used length of the second message");
	return 0;
}

/* All of them are back when RELEASE is answered: the order of the used entries. */
static int release_from(struct conform *c, unsigned direction, enum pcm_state state, bool kick)
{
	struct chain ch[MANY], release;
	uint32_t id;

	TRY(up_with(c, direction, &id));
	TRY(stream_bring(c, id, state));
	for (unsigned i = 0; i < MANY; i++) {
		uint32_t bytes = stream_params(c, id).period_bytes;

		TRY(direction == SND_D_INPUT ? rx_init(c, &ch[i], id, bytes)
					     : tx_init(c, &ch[i], id, bytes));
		TRY(chain_post(c, &ch[i]));
	}
	if (kick)
		rig_kick(c, ch[0].queue);
	TRY(chain_init(c, &release, Q_CONTROL, 8, 4));
	put32(release.out, SND_R_PCM_RELEASE);
	put32(release.out + 4, id);
	trace(c, "-> RELEASE of stream %u with %d messages queued%s", id, MANY,
		kick ? "" : ", not kicked");
	TRY(chain_send(c, &release));
	/* Looks at the control queue first: what is missing then came too late. */
	while (ring_used_idx(&c->rig.ring[Q_CONTROL]) == c->rig.ring[Q_CONTROL].used_seen)
		EXPECT(c, !interrupted(), "no answer to RELEASE");
	TRY(rig_poll(c, 0));
	TRY(chain_wait(c, &release));
	EXPECT_EQ(c, get32(release.in), SND_S_OK, "RELEASE");
	EXPECT_EQ(c, chains_done(ch, MANY), MANY, "messages back when RELEASE was answered");
	return 0;
}

static int release_prepared(struct conform *c)
{
	return release_from(c, SND_D_OUTPUT, ST_PREP, true);
}

static int release_stopped(struct conform *c)
{
	return release_from(c, SND_D_OUTPUT, ST_STOP, true);
}

static int release_input(struct conform *c)
{
	return release_from(c, SND_D_INPUT, ST_PREP, true);
}

static int release_not_kicked(struct conform *c)
{
	return release_from(c, SND_D_OUTPUT, ST_PREP, false);
}

/* The order of the two used indices, many times: the control queue is watched
 * closely, and the other looked at only then. */
static int release_order(struct conform *c)
{
	static struct chain ch[MANY];
	struct ring *control, *tx;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_SET));
	control = &c->rig.ring[Q_CONTROL];
	tx = &c->rig.ring[Q_TX];
	for (unsigned round = 0; round < 200; round++) {
		struct chain release;

		TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
		TRY(queue_many(c, ch, MANY, out));
		TRY(chain_init(c, &release, Q_CONTROL, 8, 4));
		put32(release.out, SND_R_PCM_RELEASE);
		put32(release.out + 4, out);
		TRY(chain_send(c, &release));
		while (ring_used_idx(control) == control->used_seen)
			EXPECT(c, !interrupted(), "no answer to RELEASE");
		EXPECT_EQ(c, (uint16_t)(ring_used_idx(tx) - tx->used_seen), MANY,
			"messages in the used ring when RELEASE was answered, round %u", round);
		TRY(chain_wait(c, &release));
		TRY(chains_wait(c, ch, MANY, answer_ms(c)));
	}
	return 0;
}

static int release_one_stream(struct conform *c)
{
	struct chain a[4], b[4];
	uint32_t first, second;

	TRY(rig_up(c, NULL));
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &first));
	TRY(stream_pick(c, SND_D_OUTPUT, 1, &second));
	TRY(stream_bring(c, first, ST_PREP));
	TRY(stream_bring(c, second, ST_PREP));
	for (unsigned i = 0; i < 4; i++) {
		TRY(queue_many(c, &a[i], 1, first));
		TRY(queue_many(c, &b[i], 1, second));
	}
	TRY(must_pcm(c, SND_R_PCM_RELEASE, first));
	TRY(rig_watch(c, QUIET_MS));
	EXPECT_EQ(c, chains_done(a, 4), 4, "messages of the released stream that are back");
	EXPECT_EQ(c, chains_done(b, 4), 0, "messages of the other stream that are back");
	TRY(must_pcm(c, SND_R_PCM_START, second));
	TRY(chains_wait(c, b, 4, answer_ms(c)));
	return io_ok(c, &b[3], "the other stream's last message");
}

static int release_status(struct conform *c)
{
	struct chain ch[4];
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_PREP));
	TRY(queue_many(c, ch, 4, out));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	TRY(chains_wait(c, ch, 4, answer_ms(c)));
	for (unsigned i = 0; i < 4; i++) {
		TRY(io_ok(c, &ch[i], "a flushed message"));
		EXPECT_EQ(c, io_latency(&ch[i]), 0, "latency of a flushed message");
		EXPECT_EQ(c, ch[i].len, 8, "used length of a flushed message");
	}
	return 0;
}

static int release_quickly(struct conform *c)
{
	struct chain ch[10];
	int64_t start;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_PREP));
	for (unsigned i = 0; i < 10; i++)
		TRY(tx_send(c, &ch[i], out, 20 * stream_params(c, out).period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(rig_watch(c, 50));
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	start = now_ns();
	TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	EXPECT(c, now_ns() - start < 500000000, "RELEASE of 2 s of sound took %lld ms",
		(long long)(now_ns() - start) / 1000000);
	return chains_wait(c, ch, 10, answer_ms(c));
}

static int many_cycles(struct conform *c)
{
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_SET));
	for (unsigned i = 0; i < 1000; i++) {
		TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
		TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	}
	return 0;
}

static int release_notifies(struct conform *c)
{
	struct chain ch[4];
	uint64_t before;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_PREP));
	if (c->rig.fe.who->call_shared)
		return skip(c, "all queues share a call eventfd");
	TRY(queue_many(c, ch, 4, out));
	TRY(rig_watch(c, 50));
	before = c->rig.calls[Q_TX];
	TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	TRY(rig_watch(c, 20));
	EXPECT(c, c->rig.calls[Q_TX] > before, "no notification for flushed messages");
	return 0;
}

#define PCM "virtio 1.4, Sound Device, PCM Command Lifecycle: "
#define REL "virtio 1.4, Sound Device, Stream Release (device): "

const struct scenario command_scenarios[] = {
	{ .id = "SND-PCM-PREP-2", .title = "output is held until START, then plays in order",
		.run = prebuffer, .clause = PCM "pre-buffering between PREPARE and START" },
	{ .id = "SND-PCM-PREP-3", .title = "input buffers wait for START", .run = capture_waits,
		.clause = PCM "input is transferred from START on" },
	{ .id = "SND-PCM-PREP-4", .title = "a second PREPARE gives messages back",
		.run = prepare_again, .recommended = true, .clause = PCM "silent" },
	{ .id = "SND-PCM-START-1", .title = "START begins transfer", .run = start_plays,
		.clause = PCM "START" },
	{ .id = "SND-PCM-START-2", .title = "START with nothing queued",
		.run = start_with_nothing, .recommended = true, .clause = PCM "silent" },
	{ .id = "SND-PCM-STOP-1", .title = "STOP ends transfer, messages stay queued",
		.run = stop_holds, .clause = PCM "STOP, and START again" },
	{ .id = "SND-PCM-STOP-3", .title = "STOP keeps a partly filled input buffer",
		.run = stop_keeps_partial_input, .recommended = true, .clause = PCM "STOP" },
	{ .id = "SND-PCM-REL-1", .title = "RELEASE from PREPARED completes what is queued",
		.run = release_prepared, .clause = REL "MUST complete all pending messages" },
	{ .id = "SND-PCM-REL-1b", .title = "RELEASE from STOPPED completes what is queued",
		.run = release_stopped, .clause = REL "MUST complete all pending messages" },
	{ .id = "SND-PCM-REL-1c", .title = "RELEASE completes input messages",
		.run = release_input, .clause = REL "MUST complete all pending messages" },
	{ .id = "SND-PCM-REL-2", .title = "RELEASE is answered behind its messages",
		.run = release_order, .clause = REL "MUST NOT complete while messages are pending" },
	{ .id = "SND-PCM-REL-3", .title = "messages that were not kicked are pending, too",
		.run = release_not_kicked, .recommended = true,
		.clause = REL "all pending messages" },
	{ .id = "SND-PCM-REL-4", .title = "RELEASE affects its stream only",
		.run = release_one_stream, .clause = REL "of the specified stream" },
	{ .id = "SND-PCM-REL-5", .title = "flushed messages are OK, latency 0",
		.run = release_status, .recommended = true, .clause = REL "silent" },
	{ .id = "SND-PCM-REL-6", .title = "RELEASE does not wait for the sound to end",
		.run = release_quickly, .recommended = true,
		.clause = "Linux gives up after 1000 ms" },
	{ .id = "SND-PCM-REL-7", .title = "1000 times PREPARE and RELEASE", .run = many_cycles,
		.clause = PCM "RELEASE frees what PREPARE took" },
	{ .id = "SND-PCM-REL-8", .title = "the driver is notified of flushed messages",
		.run = release_notifies,
		.clause = "virtio 1.4, Used Buffer Notification Suppression" },
	{ 0 },
};
