/* SPDX-License-Identifier: BSD-3-Clause */
/* Input from a ramp: each frame says which one it is. */

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/hook.h"

#define LONG_PERIODS 1000

static int up(struct conform *c, uint32_t *ret, struct pcm_params *p)
{
	TRY(hook_up(c, SND_D_INPUT, ret));
	*p = roomy_params(c, *ret, 64);
	TRY(hook(c, "test-source", "{s:s}", "source", "ramp"));
	return hook_prepare(c, *ret, p);
}

static int run(struct conform *c, uint32_t *ret, struct pcm_params *p)
{
	TRY(up(c, ret, p));
	return must_pcm(c, SND_R_PCM_START, *ret);
}

/* Bytes of the ramp from the byte `at` on. */
static int is_ramp(struct conform *c, const uint8_t *p, uint32_t bytes, uint64_t at,
	uint32_t frame)
{
	for (uint32_t i = 0; i < bytes; i++) {
		uint64_t n = (at + i) / frame, k = (at + i) % frame;

		EXPECT_EQ(c, p[i], n >> 8 * (k % 4) & 0xff, "byte %u of %u: a part of frame %llu", i,
			bytes, (unsigned long long)n);
	}
	return 0;
}

static int is_full(struct conform *c, const struct chain *ch, uint64_t at, uint32_t frame)
{
	uint32_t bytes = ch->in_bytes - STATUS_BYTES;

	EXPECT(c, ch->done, "the message is not back");
	EXPECT_EQ(c, ch->len, ch->in_bytes, "used length");
	TRY(io_ok(c, ch, "a full message"));
	return is_ramp(c, ch->in, bytes, at, frame);
}

static int to_the_frame(struct conform *c)
{
	static const uint32_t frames[] = { 480, 1, 7, 960, 240 };
	struct pcm_params p;
	struct chain ch[5];
	uint64_t at = 0;
	uint32_t in, frame;

	TRY(run(c, &in, &p));
	frame = frame_bytes(&p);
	for (unsigned i = 0; i < 5; i++)
		TRY(rx_send(c, &ch[i], in, frames[i] * frame));
	TRY(hook_advance(c, 0, 1));
	for (unsigned i = 0; i < 5; i++) {
		if (frames[i] > 1)
			TRY(hook_advance(c, frames[i] - 1, 1));
		EXPECT(c, !ch[i].done, "message %u came back a frame before it is full", i);
		TRY(hook_advance(c, 1, 1));
		TRY(is_full(c, &ch[i], at, frame));
		at += (uint64_t)frames[i] * frame;
	}
	return 0;
}

static int unchanged(struct conform *c)
{
	static struct chain ch[LONG_PERIODS + 6];
	struct pcm_params p;
	uint64_t moved = 0;
	uint32_t in, period;
	unsigned sent = 0, checked = 0;

	TRY(run(c, &in, &p));
	period = p.period_bytes / frame_bytes(&p);
	while (checked < LONG_PERIODS) {
		/* The last one may have to wait for a driver that looks: more than that. */
		for (; sent < LONG_PERIODS + 6 && (uint64_t)sent * period < moved + 6ULL * period;
			sent++)
			TRY(rx_send(c, &ch[sent], in, p.period_bytes));
		TRY(hook_advance(c, moved % 5 ? 441 : 1021, 1));
		moved += moved % 5 ? 441 : 1021;
		for (; checked < LONG_PERIODS &&
			(uint64_t)(checked + 1) * period <= moved; checked++)
			TRY(is_full(c, &ch[checked], (uint64_t)checked * p.period_bytes,
				frame_bytes(&p)));
	}
	return 0;
}

/* Places that are no whole frames: bytes go on without a seam. */
static int odd_sizes(struct conform *c)
{
	static const uint32_t bytes[] = { 1, 2, 3, 5, 7, 1919, 11, 1921, 3, 4 };
	struct chain ch[10];
	struct pcm_params p;
	uint64_t at = 0;
	uint32_t in;

	TRY(run(c, &in, &p));
	for (unsigned i = 0; i < 10; i++)
		TRY(rx_send(c, &ch[i], in, bytes[i]));
	TRY(hook_advance(c, 97, 11));
	for (unsigned i = 0; i < 10; i++) {
		TRY(is_full(c, &ch[i], at, frame_bytes(&p)));
		at += bytes[i];
	}
	return 0;
}

/* ... also when the next one comes late for the rest of a frame. */
static int rest_of_a_frame(struct conform *c)
{
	struct chain ch[3];
	struct pcm_params p;
	uint32_t in, frame;

	TRY(run(c, &in, &p));
	frame = frame_bytes(&p);
	if (frame < 2)
		return skip(c, "a frame is one byte");
	TRY(rx_send(c, &ch[0], in, 480 * frame + 1));
	TRY(hook_advance(c, 481, 1));
	TRY(is_full(c, &ch[0], 0, frame));
	TRY(rx_send(c, &ch[1], in, frame - 1));
	TRY(rx_send(c, &ch[2], in, 480 * frame));
	TRY(hook_advance(c, 480, 1));
	TRY(is_full(c, &ch[1], 480ULL * frame + 1, frame));
	return is_full(c, &ch[2], 481ULL * frame, frame);
}

/* Half a message, and RELEASE. */
static int cut_short(struct conform *c)
{
	struct pcm_params p;
	struct chain ch[2];
	uint32_t in, frame, stale = 0;

	TRY(run(c, &in, &p));
	frame = frame_bytes(&p);
	for (unsigned i = 0; i < 2; i++)
		TRY(rx_send(c, &ch[i], in, 480 * frame));
	TRY(hook_advance(c, 240, 1));
	TRY(must_pcm(c, SND_R_PCM_STOP, in));
	EXPECT(c, !ch[0].done, "a half-full message came back at STOP");
	TRY(must_pcm(c, SND_R_PCM_RELEASE, in));
	TRY(rig_poll(c, 0));
	EXPECT(c, ch[0].done && ch[1].done, "RELEASE was answered before the messages came back");
	EXPECT_EQ(c, ch[0].len, 240 * frame + STATUS_BYTES, "used length of the half-full one");
	EXPECT_EQ(c, ch[1].len, STATUS_BYTES, "used length of the empty one");
	TRY(is_ramp(c, ch[0].in, 240 * frame, 0, frame));
	TRY(io_ok(c, &ch[0], "the half-full message, status in the last bytes"));
	TRY(io_ok(c, &ch[1], "the empty message"));
	for (uint32_t i = 240 * frame; i < ch[0].len; i++)
		stale += ch[0].in[i] == POISON;
	EXPECT(c, stale < STATUS_BYTES, "bytes within the used length were never written");
	EXPECT_EQ(c, io_latency(&ch[0]), 0, "latency of a message that was cut short");
	return 0;
}

static int newest_are_lost(struct conform *c)
{
	struct pcm_params p;
	struct chain ch[2];
	uint32_t in, frame;

	TRY(run(c, &in, &p));
	frame = frame_bytes(&p);
	TRY(rx_send(c, &ch[0], in, 720 * frame));
	TRY(hook_advance(c, 480, 4));
	TRY(is_full(c, &ch[0], 0, frame));
	TRY(rx_send(c, &ch[1], in, 480 * frame));
	TRY(hook_advance(c, 480, 1));
	return is_full(c, &ch[1], 4ULL * 480 * frame, frame);
}

/* What was recorded before STOP stays, and the message becomes full. */
static int pause_in_message(struct conform *c)
{
	struct pcm_params p;
	struct chain ch[2];
	uint32_t in, frame, before, last;

	TRY(run(c, &in, &p));
	frame = frame_bytes(&p);
	for (unsigned i = 0; i < 2; i++)
		TRY(rx_send(c, &ch[i], in, 480 * frame));
	TRY(hook_advance(c, 720, 1));
	TRY(must_pcm(c, SND_R_PCM_STOP, in));
	TRY(hook_advance(c, 480, 4));
	EXPECT(c, ch[0].done && !ch[1].done, "messages back after 1.5 of them and STOP");
	TRY(must_pcm(c, SND_R_PCM_START, in));
	TRY(hook_advance(c, 239, 1));
	EXPECT(c, !ch[1].done, "the message came back a frame before it is full");
	TRY(hook_advance(c, 1, 1));
	EXPECT(c, ch[1].done && ch[1].len == ch[1].in_bytes, "the message is not full");
	TRY(is_ramp(c, ch[1].in, 240 * frame, 480ULL * frame, frame));
	if (frame < 4)
		return 0;
	/* What passed meanwhile may have been thrown away. */
	before = get32(ch[1].in + (size_t)239 * frame);
	last = get32(ch[1].in + (size_t)240 * frame);
	EXPECT(c, last > before, "frame %u follows frame %u", last, before);
	return is_ramp(c, ch[1].in + (size_t)240 * frame, 240 * frame, (uint64_t)last * frame, frame);
}

static int age(struct conform *c)
{
	static const uint32_t delays[] = { 0, 960, 1 };
	struct pcm_params p;
	struct chain ch;
	uint32_t in, frame;

	TRY(run(c, &in, &p));
	frame = frame_bytes(&p);
	for (unsigned i = 0; i < 3; i++) {
		TRY(hook(c, "test-delay", "{s:i}", "frames", (int)delays[i]));
		TRY(rx_send(c, &ch, in, 480 * frame));
		TRY(hook_advance(c, 480, 1));
		TRY(io_ok(c, &ch, "a message that is full with the cycle"));
		EXPECT_EQ(c, io_latency(&ch), delays[i] * frame, "latency_bytes, %u frames late",
			delays[i]);
		TRY(rx_send(c, &ch, in, 480 * frame));
		TRY(hook_advance(c, 510, 1));
		EXPECT_EQ(c, io_latency(&ch), (delays[i] + 30) * frame,
			"latency_bytes of a message that is full 30 frames earlier");
	}
	return 0;
}

#define IN "virtio 1.4, Sound Device, Input Stream: "

const struct scenario hook_input_scenarios[] = {
	{ .id = "SND-RX-1h", .title = "messages come back with their last frame",
		.run = to_the_frame, .clause = IN "MUST NOT complete until it is full" },
	{ .id = "SND-RX-2h", .title = "a message cut short says what was recorded",
		.run = cut_short, .clause = IN "only at the end of the stream; the used length" },
	{ .id = "SND-RX-8", .title = "an overrun loses the newest frames, and whole ones",
		.run = newest_are_lost, .recommended = true, .clause = IN "silent" },
	{ .id = "SND-RX-11", .title = "10 s in odd cycles arrive unchanged and in order",
		.run = unchanged, .clause = IN "what the host records is what arrives" },
	{ .id = "SND-RX-11b", .title = "buffers of no whole frames are one stream of bytes",
		.run = odd_sizes, .recommended = true, .clause = IN "silent" },
	{ .id = "SND-RX-11c", .title = "... also when one comes late for the rest of a frame",
		.run = rest_of_a_frame, .recommended = true, .clause = IN "silent" },
	{ .id = "SND-PCM-STOP-3h", .title = "a message half full goes on over STOP",
		.run = pause_in_message, .clause = "PCM Command Lifecycle: STOP and START" },
	{ .id = "SND-IO-3i", .title = "latency is the age of the newest frame", .run = age,
		.recommended = true,
		.clause = "virtio 1.4, Sound Device, PCM I/O Messages: latency_bytes" },
	{ 0 },
};
