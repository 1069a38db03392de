/* SPDX-License-Identifier: BSD-3-Clause */
/* Input messages, and the events of streams. */
#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"

static int running_input(struct conform *c, uint32_t *ret)
{
	TRY(up_with(c, SND_D_INPUT, ret));
	return stream_bring(c, *ret, ST_RUN);
}

static int full_only(struct conform *c)
{
	struct chain ch;
	uint32_t in, bytes;

	TRY(running_input(c, &in));
	bytes = 50 * stream_params(c, in).period_bytes;
	TRY(rx_send(c, &ch, in, bytes));
	TRY(rig_watch(c, 200));
	EXPECT(c, !ch.done, "500 ms of sound came within 200 ms");
	TRY(chain_wait(c, &ch));
	EXPECT_EQ(c, ch.len, bytes + STATUS_BYTES, "used length of a full message");
	return io_ok(c, &ch, "a full message");
}

static int used_length(struct conform *c)
{
	struct chain ch[8];
	uint32_t in, bytes;

	TRY(running_input(c, &in));
	bytes = stream_params(c, in).period_bytes;
	for (unsigned i = 0; i < 8; i++)
		TRY(rx_send(c, &ch[i], in, bytes));
	TRY(chains_wait(c, ch, 8, answer_ms(c)));
	for (unsigned i = 0; i < 8; i++) {
		EXPECT_EQ(c, ch[i].len, bytes + STATUS_BYTES, "used length of message %u", i);
		TRY(io_ok(c, &ch[i], "a full message"));
		EXPECT(c, !i || ch[i].turn > ch[i - 1].turn, "message %u overtook another", i);
	}
	return 0;
}

/* A run of the poison in what was recorded: it was never written. */
static bool stale(const struct chain *ch, uint32_t bytes)
{
	unsigned run = 0;

	for (uint32_t i = 0; i < bytes; i++) {
		run = ch->in[i] == POISON ? run + 1 : 0;
		if (run == 16)
			return true;
	}
	return false;
}

static int short_at_release(struct conform *c)
{
	struct chain ch;
	uint32_t in, bytes;

	TRY(running_input(c, &in));
	bytes = 50 * stream_params(c, in).period_bytes;
	TRY(rx_send(c, &ch, in, bytes));
	TRY(rig_watch(c, 150));
	TRY(must_pcm(c, SND_R_PCM_STOP, in));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, in));
	TRY(rig_poll(c, 0));
	EXPECT(c, ch.done, "RELEASE was answered before the message came back");
	EXPECT(c, ch.len >= STATUS_BYTES && ch.len <= bytes + STATUS_BYTES, "used length %u",
		ch.len);
	EXPECT(c, !stale(&ch, ch.len - STATUS_BYTES),
		"bytes within the used length were never written");
	return 0;
}

static int status_last(struct conform *c)
{
	struct chain ch;
	uint32_t in, bytes;

	TRY(running_input(c, &in));
	bytes = 50 * stream_params(c, in).period_bytes;
	TRY(rx_send(c, &ch, in, bytes));
	TRY(rig_watch(c, 100));
	TRY(must_pcm(c, SND_R_PCM_STOP, in));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, in));
	TRY(chain_wait(c, &ch));
	EXPECT(c, io_status(&ch) == SND_S_OK || io_status(&ch) == SND_S_IO_ERR,
		"the last 8 bytes of a short message hold 0x%x, no status", io_status(&ch));
	return 0;
}

static int late_buffers(struct conform *c)
{
	struct chain ch[4];
	uint32_t in;

	TRY(running_input(c, &in));
	TRY(rig_watch(c, 60));
	for (unsigned i = 0; i < 4; i++)
		TRY(rx_send(c, &ch[i], in, stream_params(c, in).period_bytes));
	TRY(chains_wait(c, ch, 4, answer_ms(c)));
	return io_ok(c, &ch[3], "a message sent behind START");
}

static int other_sizes(struct conform *c)
{
	static const uint32_t halves[] = { 4, 1, 3, 2 }; /* of a period, in halves */
	struct chain ch[4];
	uint32_t in, half;

	TRY(running_input(c, &in));
	half = stream_params(c, in).period_bytes / 2;
	for (unsigned i = 0; i < 4; i++)
		TRY(rx_send(c, &ch[i], in, halves[i] * half));
	TRY(chains_wait(c, ch, 4, answer_ms(c)));
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQ(c, ch[i].len, halves[i] * half + STATUS_BYTES, "used length of %u", i);
	return 0;
}

static int short_parts(struct conform *c)
{
	static const uint32_t rooms[] = { 0, 4, 7, 8, 9 };
	struct chain ch;
	uint32_t in;

	TRY(running_input(c, &in));
	for (unsigned i = 0; i < 5; i++) {
		TRY(chain_init(c, &ch, Q_RX, 4, rooms[i]));
		put32(ch.out, in);
		TRY(chain_send(c, &ch));
		TRY(chain_wait(c, &ch));
		EXPECT(c, ch.len <= rooms[i] && chain_guards_intact(&ch), "written too far");
	}
	return still_works(c);
}

/* Four periods, then nothing. */
static int starve(struct conform *c, uint32_t features, unsigned *ret_events, uint32_t *ret_id)
{
	struct pcm_params p;
	struct chain ch[2];
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	if (features & ~c->pcm[out].features)
		return skip(c, "the stream does not offer EVT_XRUNS");
	p.features = features;
	TRY(must_params(c, out, &p));
	TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
	for (unsigned i = 0; i < 2; i++)
		TRY(tx_send(c, &ch[i], out, p.period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, ch, 2, answer_ms(c)));
	TRY(rig_watch(c, 300));
	*ret_events = c->rig.events;
	*ret_id = out;
	return 0;
}

static int not_selected(struct conform *c)
{
	unsigned events;
	uint32_t id;

	TRY(starve(c, 0, &events, &id));
	for (unsigned i = 0; i < events && i < EVENT_LOG; i++)
		EXPECT(c, c->rig.log[i].code != SND_EVT_PCM_XRUN,
			"an xrun was told though EVT_XRUNS was not selected");
	return 0;
}

static int xrun_told(struct conform *c)
{
	unsigned events, xruns = 0;
	uint32_t id, status;

	TRY(starve(c, 1u << 4, &events, &id));
	for (unsigned i = 0; i < events && i < EVENT_LOG; i++)
		if (c->rig.log[i].code == SND_EVT_PCM_XRUN) {
			EXPECT_EQ(c, c->rig.log[i].data, id, "the event's stream");
			EXPECT_EQ(c, c->rig.log[i].len, 8, "its used length");
			xruns++;
		}
	EXPECT(c, xruns, "no xrun was told in 300 ms without data");
	TRY(ctl_pcm(c, SND_R_PCM_STOP, id, &status));
	EXPECT_EQ(c, status, SND_S_OK, "STOP after an xrun");
	return 0;
}

static int no_period_events(struct conform *c)
{
	struct chain ch[8];
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 8; i++)
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
	TRY(chains_wait(c, ch, 8, answer_ms(c)));
	for (unsigned i = 0; i < c->rig.events && i < EVENT_LOG; i++)
		EXPECT(c, c->rig.log[i].code != SND_EVT_PCM_PERIOD_ELAPSED,
			"PERIOD_ELAPSED though no stream selected it");
	return 0;
}

#define IN  "virtio 1.4, Sound Device, Input Stream: "
#define EVT "virtio 1.4, Sound Device, PCM Notifications: "

const struct scenario input_scenarios[] = {
	{ .id = "SND-RX-1", .title = "no completion before the buffer is full",
		.run = full_only, .clause = IN "MUST NOT complete until it is full" },
	{ .id = "SND-RX-2", .title = "a short message at the end, all of it written",
		.run = short_at_release, .clause = IN "only at the end of the stream" },
	{ .id = "SND-RX-3", .title = "used length is frames and status", .run = used_length,
		.clause = IN "the used length" },
	{ .id = "SND-RX-4", .title = "the status is in the last 8 bytes", .run = status_last,
		.recommended = true, .clause = "where Linux looks for it" },
	{ .id = "SND-RX-6", .title = "buffers that come behind START", .run = late_buffers,
		.clause = IN "before START is a SHOULD of the driver" },
	{ .id = "SND-RX-10", .title = "full means the buffer, not the period",
		.run = other_sizes, .clause = IN "buffers of any size" },
	{ .id = "SND-RX-12", .title = "buffers too small for a frame or a status",
		.run = short_parts, .clause = IN "each message comes back" },
	{ .id = "SND-PEVT-1", .title = "no xrun is told unless that was selected",
		.run = not_selected, .clause = EVT "if the feature was selected" },
	{ .id = "SND-PEVT-2", .title = "an underrun is told, and the stream still runs",
		.run = xrun_told, .clause = EVT "VIRTIO_SND_EVT_PCM_XRUN" },
	{ .id = "SND-PEVT-5", .title = "PERIOD_ELAPSED is not sent unasked",
		.run = no_period_events, .clause = EVT "belongs to shared memory" },
	{ 0 },
};
