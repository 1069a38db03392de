/* SPDX-License-Identifier: BSD-3-Clause */
/* Output with a clock that moves frame by frame, and all that was played. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/hook.h"
#include "probe/conform/played.h"
#include "probe/names.h"

#define LONG_PERIODS 1000

/* Prepared, with room for many periods. */
static int up(struct conform *c, uint32_t *ret, struct pcm_params *p)
{
	TRY(hook_up(c, SND_D_OUTPUT, ret));
	*p = roomy_params(c, *ret, 64);
	return hook_prepare(c, *ret, p);
}

static int run(struct conform *c, uint32_t *ret, struct pcm_params *p)
{
	TRY(up(c, ret, p));
	return must_pcm(c, SND_R_PCM_START, *ret);
}

/* Messages of several sizes, a frame in a cycle: each comes back with its last frame. */
static int to_the_frame(struct conform *c)
{
	static const uint32_t frames[] = { 1, 7, 480, 2 };
	struct chain ch[4];
	struct pcm_params p;
	uint64_t at = 0, end = 0;
	uint32_t out;

	TRY(run(c, &out, &p));
	for (unsigned i = 0; i < 4; i++)
		TRY(pattern_send(c, &ch[i], out, &at, frames[i] * frame_bytes(&p)));
	TRY(hook_advance(c, 0, 1));
	for (unsigned i = 0; i < 4; i++) {
		end = frames[i];
		if (end > 1)
			TRY(hook_advance(c, 1, (unsigned)end - 1));
		EXPECT(c, !ch[i].done, "message %u of %u frames came back a frame before its end",
			i, frames[i]);
		TRY(hook_advance(c, 1, 1));
		EXPECT(c, ch[i].done, "message %u of %u frames did not come back with its last",
			i, frames[i]);
		TRY(io_ok(c, &ch[i], "a message that was played"));
	}
	return hook_heard(c, out, 0, (size_t)at, 0);
}

/* Cycles and messages whose sizes have nothing in common. */
static int unchanged(struct conform *c)
{
	static struct chain ch[LONG_PERIODS + 1];
	struct pcm_params p;
	uint64_t at = 0, moved = 0;
	uint32_t out, period;
	unsigned sent = 0;

	TRY(run(c, &out, &p));
	period = p.period_bytes / frame_bytes(&p);
	while (moved < (uint64_t)LONG_PERIODS * period) {
		uint64_t left = (uint64_t)LONG_PERIODS * period - moved;
		uint32_t step = moved % 5 ? 441 : 1021;

		/* The last one may have to wait for a driver that looks: one more. */
		for (; sent <= LONG_PERIODS && (uint64_t)sent * period < moved + 4ULL * period; sent++)
			TRY(pattern_send(c, &ch[sent], out, &at, p.period_bytes));
		step = step < left ? step : (uint32_t)left;
		TRY(hook_advance(c, step, 1));
		moved += step;
	}
	for (unsigned i = 0; i < LONG_PERIODS; i++)
		EXPECT(c, ch[i].done, "message %u of %d did not come back", i, LONG_PERIODS);
	return hook_heard(c, out, 0, (size_t)LONG_PERIODS * p.period_bytes, 0);
}

static int interleaved(struct conform *c)
{
	struct pcm_params p;
	const uint8_t *heard;
	struct chain ch;
	uint32_t out, sample;
	size_t n;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	p = roomy_params(c, out, 8);
	if (p.channels < 2)
		return skip(c, "the stream has one channel");
	sample = frame_bytes(&p) / p.channels;
	TRY(hook_prepare(c, out, &p));
	TRY(tx_init(c, &ch, out, p.period_bytes));
	for (uint32_t i = 0; i < p.period_bytes / sample; i++)
		ch.out[XFER_BYTES + i * sample] = (uint8_t)(i % p.channels * 100 + i / p.channels % 90 +
			1);
	TRY(chain_send(c, &ch));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_advance(c, p.period_bytes / frame_bytes(&p), 1));
	TRY(hook_played(c, out, &heard, &n));
	EXPECT_EQ(c, n, p.period_bytes, "bytes played");
	for (uint32_t i = 0; i < p.period_bytes / sample; i++)
		EXPECT_EQ(c, heard[i * sample], i % p.channels * 100 + i / p.channels % 90 + 1,
			"sample %u of channel %u", i / p.channels, i % p.channels);
	return 0;
}

/* A sample of silence, least significant byte first.  0: several are right. */
static unsigned silence_of(unsigned format, uint8_t s[8])
{
	const struct pcm_format *f = &pcm_formats[format];
	bool dsd = !strncmp(f->name, "DSD", 3);

	memset(s, dsd ? 0x69 : 0, 8);
	if (f->kind == 'u')
		s[(f->bits - 1) / 8] = (uint8_t)(1u << (f->bits - 1) % 8);
	return f->kind == '-' && !dsd ? 0 : f->bytes;
}

/* A period of sound, one of nothing, and one of sound again. */
static int silence_in(struct conform *c, uint32_t out, unsigned format)
{
	const char *name = pcm_formats[format].name;
	struct pcm_params p = roomy_params(c, out, 8);
	uint32_t frames = p.period_bytes / frame_bytes(&p);
	unsigned bytes;
	const uint8_t *heard;
	struct chain ch[2];
	uint64_t at = 0;
	uint8_t want[8], pattern;
	size_t n;

	p.format = (uint8_t)format;
	p.period_bytes = frames * frame_bytes(&p);
	p.buffer_bytes = 8 * p.period_bytes;
	bytes = silence_of(format, want);
	TRY(hook(c, "test-forget", "{}"));
	TRY(hook_prepare(c, out, &p));
	TRY(pattern_send(c, &ch[0], out, &at, p.period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_advance(c, 2 * frames, 1));
	TRY(pattern_send(c, &ch[1], out, &at, p.period_bytes));
	TRY(hook_advance(c, frames, 1));
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	TRY(hook_played(c, out, &heard, &n));
	EXPECT_EQ(c, n, 3 * p.period_bytes, "bytes played in %s", name);
	for (uint32_t i = 0; i < n; i++) {
		bool gap = i / p.period_bytes == 1;

		pattern_fill(&pattern, i < p.period_bytes ? i : i - p.period_bytes, 1);
		if (!gap)
			EXPECT_EQ(c, heard[i], pattern, "byte %u of the sound in %s", i, name);
		else if (bytes)
			EXPECT_EQ(c, heard[i], want[i % bytes], "byte %u of the gap in %s", i, name);
	}
	return 0;
}

static int silence(struct conform *c)
{
	uint32_t out;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	for (unsigned f = 0; f < PCM_FORMATS; f++)
		if (c->pcm[out].formats & BIT(f) && pcm_formats[f].bytes)
			TRY(silence_in(c, out, f));
	return 0;
}

static int parts_of_frames(struct conform *c)
{
	struct chain ch[3];
	struct pcm_params p;
	uint64_t at = 0;
	uint32_t out;

	TRY(run(c, &out, &p));
	TRY(pattern_send(c, &ch[0], out, &at, p.period_bytes + 1));
	TRY(pattern_send(c, &ch[1], out, &at, p.period_bytes - 2));
	TRY(hook_advance(c, 2 * p.period_bytes / frame_bytes(&p) - 1, 1));
	TRY(pattern_send(c, &ch[2], out, &at, 1));
	TRY(hook_advance(c, 1, 1));
	EXPECT_EQ(c, chains_done(ch, 3), 3, "messages that came back");
	return hook_heard(c, out, 0, (size_t)at, 0);
}

static int starts_at_once(struct conform *c)
{
	struct pcm_params p;
	struct chain ch;
	uint64_t at = 0;
	uint32_t out;

	TRY(up(c, &out, &p));
	TRY(pattern_send(c, &ch, out, &at, p.period_bytes));
	TRY(hook_advance(c, 480, 2));
	TRY(hook_heard(c, out, 0, 0, 0));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_advance(c, 16, 1));
	return hook_heard(c, out, 0, (size_t)16 * frame_bytes(&p), 0);
}

static int starts_empty(struct conform *c)
{
	struct pcm_params p;
	const uint8_t *heard;
	struct chain ch;
	uint64_t at = 0;
	uint32_t out;
	size_t n;

	TRY(run(c, &out, &p));
	TRY(hook_advance(c, 100, 1));
	TRY(pattern_send(c, &ch, out, &at, p.period_bytes));
	TRY(hook_advance(c, 10, 1));
	TRY(hook_played(c, out, &heard, &n));
	EXPECT_EQ(c, n, 110 * frame_bytes(&p), "bytes played");
	for (size_t i = 0; i < n; i++) {
		uint8_t want = 0;

		if (i >= 100 * frame_bytes(&p))
			pattern_fill(&want, i - 100 * frame_bytes(&p), 1);
		EXPECT_EQ(c, heard[i], want, "byte %zu of silence and sound", i);
	}
	return 0;
}

/* A second of nothing between two halves, one of them ending within a message. */
static int stops(struct conform *c)
{
	struct chain ch[3];
	struct pcm_params p;
	uint64_t at = 0;
	uint32_t out;
	unsigned done;

	TRY(run(c, &out, &p));
	for (unsigned i = 0; i < 3; i++)
		TRY(pattern_send(c, &ch[i], out, &at, p.period_bytes));
	TRY(hook_advance(c, 601, 1));
	done = chains_done(ch, 3);
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	TRY(hook_advance(c, 480, 100));
	EXPECT_EQ(c, chains_done(ch, 3), done, "messages that came back while stopped");
	TRY(hook_heard(c, out, 0, (size_t)601 * frame_bytes(&p), 0));
	if (c->scenario->arg)
		return 0;
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_advance(c, 39, 1));
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_advance(c, 800, 1));
	EXPECT_EQ(c, chains_done(ch, 3), 3, "messages that came back");
	return hook_heard(c, out, 0, (size_t)at, 0);
}

static int prepared_again(struct conform *c)
{
	struct chain ch[2];
	struct pcm_params p;
	uint64_t at = 0;
	uint32_t out;

	TRY(up(c, &out, &p));
	for (unsigned i = 0; i < 2; i++)
		TRY(pattern_send(c, &ch[i], out, &at, p.period_bytes));
	TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
	TRY(rig_poll(c, 0));
	EXPECT_EQ(c, chains_done(ch, 2), 2, "messages that PREPARE gave back");
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_advance(c, 1000, 1));
	return hook_heard(c, out, 0, 0, (size_t)1000 * frame_bytes(&p));
}

static int latency(struct conform *c)
{
	static const uint32_t delays[] = { 0, 960, 1, 48000 };
	struct pcm_params p;
	struct chain ch;
	uint64_t at = 0;
	uint32_t out, frames;

	TRY(run(c, &out, &p));
	frames = p.period_bytes / frame_bytes(&p);
	for (unsigned i = 0; i < 4; i++) {
		TRY(hook(c, "test-delay", "{s:i}", "frames", (int)delays[i]));
		TRY(pattern_send(c, &ch, out, &at, p.period_bytes));
		TRY(hook_advance(c, frames, 1));
		TRY(io_ok(c, &ch, "a message that ends with the cycle"));
		EXPECT_EQ(c, io_latency(&ch), delays[i] * frame_bytes(&p),
			"latency_bytes, %u frames before the converter", delays[i]);
		TRY(pattern_send(c, &ch, out, &at, p.period_bytes));
		TRY(hook_advance(c, frames + 30, 1));
		EXPECT_EQ(c, io_latency(&ch), delays[i] < 30 ? 0 : (delays[i] - 30) *
			frame_bytes(&p), "latency_bytes of a message that ends 30 frames earlier");
	}
	return 0;
}

#define OUT "virtio 1.4, Sound Device, Output Stream: "
#define LIFE "virtio 1.4, Sound Device, PCM Command Lifecycle: "

const struct scenario hook_output_scenarios[] = {
	{ .id = "SND-TX-1h", .title = "messages come back with their last frame",
		.run = to_the_frame, .recommended = true,
		.clause = OUT "MUST NOT complete until all is consumed" },
	{ .id = "SND-TX-2h", .title = "10 s of noise in odd cycles are the same noise",
		.run = unchanged, .clause = OUT "what the driver sends is what is played" },
	{ .id = "SND-TX-7h", .title = "a gap is the format's silence, to the frame",
		.run = silence, .recommended = true, .clause = OUT "silent" },
	{ .id = "SND-TX-9h", .title = "a part of a frame joins the next message",
		.run = parts_of_frames, .recommended = true, .clause = OUT "silent" },
	{ .id = "SND-PINF-9h", .title = "frames are interleaved", .run = interleaved,
		.clause = "virtio 1.4, Sound Device, PCM_INFO: interleaved" },
	{ .id = "SND-PCM-START-1h", .title = "START is heard in the next cycle",
		.run = starts_at_once, .clause = LIFE "START" },
	{ .id = "SND-PCM-START-2h", .title = "START with nothing: silence, then what comes",
		.run = starts_empty, .recommended = true, .clause = LIFE "silent" },
	{ .id = "SND-PCM-STOP-1h", .title = "STOP: no frame more is heard", .run = stops,
		.arg = 1, .clause = LIFE "STOP" },
	{ .id = "SND-PCM-STOP-2h", .title = "START goes on with the next frame", .run = stops,
		.clause = LIFE "STOP and START are a pause" },
	{ .id = "SND-PCM-PREP-4h", .title = "PREPARE again: what was queued is not heard",
		.run = prepared_again, .recommended = true, .clause = LIFE "silent" },
	{ .id = "SND-IO-3h", .title = "latency is what the host says, to the byte",
		.run = latency, .recommended = true,
		.clause = "virtio 1.4, Sound Device, PCM I/O Messages: latency_bytes" },
	{ 0 },
};
