/* SPDX-License-Identifier: BSD-3-Clause */
/* I/O messages: their parts, their statuses, and the sound they carry. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/played.h"
#include "probe/report.h"

static int running_output(struct conform *c, uint32_t *ret)
{
	TRY(up_with(c, SND_D_OUTPUT, ret));
	return stream_bring(c, *ret, ST_RUN);
}

static int one_or_two_elements(struct conform *c)
{
	struct chain ch[2];
	uint32_t out, bytes;

	TRY(running_output(c, &out));
	bytes = stream_params(c, out).period_bytes;
	TRY(tx_init(c, &ch[0], out, bytes));
	TRY(tx_init(c, &ch[1], out, bytes));
	TRY(chain_send(c, &ch[0]));
	TRY(chain_post_as(c, &ch[1], (struct element[]){ { ch[1].out_gpa, 4, false },
		{ ch[1].out_gpa + 4, bytes, false }, { ch[1].in_gpa, 8, true } }, 3));
	rig_kick(c, Q_TX);
	TRY(chains_wait(c, ch, 2, answer_ms(c)));
	TRY(io_ok(c, &ch[0], "[4 + frames][status]"));
	return io_ok(c, &ch[1], "[4][frames][status]");
}

static int statuses(struct conform *c)
{
	static const uint32_t ids[] = { 0, 1, 2, 63, 64, 99, 0x100, 0x7fffffff, 0xffffffff };
	uint32_t out;

	TRY(running_output(c, &out));
	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		for (unsigned queue = Q_TX; queue <= Q_RX; queue++) {
			struct chain ch;

			if (ids[i] < c->streams)
				continue;
			TRY(queue == Q_TX ? tx_send(c, &ch, ids[i], 64)
					  : rx_send(c, &ch, ids[i], 64));
			TRY(chain_wait(c, &ch));
			EXPECT(c, ch.len == 0 || io_status(&ch) == SND_S_OK ||
				io_status(&ch) == SND_S_IO_ERR, "status 0x%x", io_status(&ch));
		}
	return 0;
}

static int latency_is_sane(struct conform *c)
{
	struct pcm_params p;
	uint32_t out;

	TRY(running_output(c, &out));
	p = stream_params(c, out);
	for (unsigned i = 0; i < 10; i++) {
		struct chain ch;

		TRY(tx_send(c, &ch, out, p.period_bytes));
		TRY(chain_wait(c, &ch));
		EXPECT_EQ(c, io_latency(&ch) % frame_bytes(&p), 0, "latency %u in whole frames",
			io_latency(&ch));
		EXPECT(c, io_latency(&ch) <= 10 * rate_of(&p) * frame_bytes(&p),
			"a latency of %u bytes is more than 10 s", io_latency(&ch));
	}
	return 0;
}

static int bad_ids(struct conform *c)
{
	uint32_t out;
	struct chain ch;

	TRY(running_output(c, &out));
	for (unsigned i = 0; i < 3; i++) {
		uint32_t id = i == 2 ? 0xffffffff : c->streams + i;

		TRY(tx_send(c, &ch, id, 64));
		TRY(chain_wait(c, &ch));
		TRY(io_refused(c, &ch, "a message for a stream that does not exist"));
	}
	TRY(tx_send(c, &ch, out, stream_params(c, out).period_bytes));
	TRY(chain_wait(c, &ch));
	return io_ok(c, &ch, "the message behind them");
}

static int wrong_direction(struct conform *c)
{
	struct chain ch;
	uint32_t out;

	TRY(running_output(c, &out));
	TRY(rx_send(c, &ch, out, stream_params(c, out).period_bytes));
	TRY(chain_wait(c, &ch));
	TRY(io_refused(c, &ch, "an input message for an output stream"));
	for (uint32_t i = 0; i < c->streams; i++) {
		if (c->pcm[i].direction != SND_D_INPUT)
			continue;
		TRY(stream_bring(c, i, ST_RUN));
		TRY(tx_send(c, &ch, i, stream_params(c, i).period_bytes));
		TRY(chain_wait(c, &ch));
		TRY(io_refused(c, &ch, "an output message for an input stream"));
		break;
	}
	TRY(tx_send(c, &ch, out, stream_params(c, out).period_bytes));
	TRY(chain_wait(c, &ch));
	return io_ok(c, &ch, "a good message behind it");
}

static int short_parts(struct conform *c)
{
	static const uint32_t sizes[][2] = { { 3, 8 }, { 0, 8 }, { 1924, 7 }, { 1924, 0 }, { 2, 0 },
		{ 4, 4 } };
	struct chain ch;
	uint32_t out;

	TRY(running_output(c, &out));
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		TRY(chain_init(c, &ch, Q_TX, sizes[i][0], sizes[i][1]));
		if (ch.out_bytes >= 4)
			put32(ch.out, out);
		trace(c, "-> output message of %u readable and %u writable bytes", ch.out_bytes,
			ch.in_bytes);
		TRY(chain_send(c, &ch));
		TRY(chain_wait(c, &ch));
		EXPECT(c, ch.len <= ch.in_bytes && chain_guards_intact(&ch), "written too far");
		if (ch.len >= 8)
			EXPECT(c, io_status(&ch) != SND_S_OK, "a message of %u bytes is OK",
				ch.out_bytes);
	}
	TRY(tx_send(c, &ch, out, stream_params(c, out).period_bytes));
	TRY(chain_wait(c, &ch));
	return io_ok(c, &ch, "a good message behind them");
}

/* Of a stream that cannot take it: an answer at once, and not OK. */
static int too_early(struct conform *c)
{
	static const enum pcm_state states[] = { ST_INIT, ST_SET, ST_REL };

	for (unsigned i = 0; i < 3; i++) {
		struct chain ch;
		uint32_t out;

		TRY(up_with(c, SND_D_OUTPUT, &out));
		TRY(stream_bring(c, out, states[i]));
		TRY(tx_send(c, &ch, out, stream_params(c, out).period_bytes));
		TRY(chains_wait(c, &ch, 1, QUIET_MS));
		TRY(io_refused(c, &ch, state_names[states[i]]));
		rig_down(c);
	}
	return 0;
}

static int in_order(struct conform *c)
{
	static struct chain ch[200];
	uint32_t out;

	TRY(running_output(c, &out));
	for (unsigned i = 0; i < 200; i++) {
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes / 10));
		if (i >= 16)
			TRY(chain_wait(c, &ch[i - 16]));
	}
	TRY(chains_wait(c, ch, 200, answer_ms(c)));
	for (unsigned i = 1; i < 200; i++)
		EXPECT(c, ch[i].turn > ch[i - 1].turn, "message %u came back before message %u", i,
			i - 1);
	return 0;
}

static int no_blocking(struct conform *c)
{
	struct chain held[8], ch[4];
	uint32_t first, second;

	TRY(rig_up(c, NULL));
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &first));
	TRY(stream_pick(c, SND_D_OUTPUT, 1, &second));
	TRY(stream_bring(c, first, ST_PREP));
	TRY(stream_bring(c, second, ST_RUN));
	for (unsigned i = 0; i < 8; i++)
		TRY(tx_send(c, &held[i], first, stream_params(c, first).period_bytes));
	for (unsigned i = 0; i < 4; i++)
		TRY(tx_send(c, &ch[i], second, stream_params(c, second).period_bytes));
	TRY(chains_wait(c, ch, 4, 1000));
	EXPECT_EQ(c, chains_done(held, 8), 0, "messages of the held stream that came back");
	return 0;
}

/* At the rate of the stream: 60 messages of 10 ms. */
static int paced(struct conform *c)
{
	static struct chain ch[60];
	int64_t took;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_PREP));
	for (unsigned i = 0; i < 60; i++) {
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
		if (i == 3)
			TRY(must_pcm(c, SND_R_PCM_START, out));
		if (i >= 4)
			TRY(chain_wait(c, &ch[i - 4]));
	}
	TRY(chains_wait(c, ch, 60, answer_ms(c)));
	took = (ch[59].done_ns - ch[9].done_ns) / 1000000;
	trace(c, "50 messages of 10 ms took %lld ms", (long long)took);
	EXPECT(c, took > 450 && took < 600, "500 ms of sound took %lld ms", (long long)took);
	return 0;
}

static int used_lengths(struct conform *c)
{
	struct chain ch;
	uint32_t out;

	TRY(running_output(c, &out));
	for (unsigned i = 0; i < 4; i++) {
		TRY(tx_send(c, &ch, out, stream_params(c, out).period_bytes));
		TRY(chain_wait(c, &ch));
		EXPECT_EQ(c, ch.len, STATUS_BYTES, "used length of an output message");
	}
	return 0;
}

static int not_too_early(struct conform *c)
{
	struct chain ch;
	uint32_t out;

	TRY(running_output(c, &out));
	TRY(tx_send(c, &ch, out, 100 * stream_params(c, out).period_bytes));
	TRY(rig_watch(c, 500));
	EXPECT(c, !ch.done, "1 s of sound was consumed within 500 ms");
	return 0;
}

static int any_size(struct conform *c)
{
	uint32_t out, frame;
	struct chain ch;

	TRY(running_output(c, &out));
	frame = (uint32_t)frame_bytes(&(struct pcm_params){ .format = stream_params(c, out).format,
		.channels = stream_params(c, out).channels });
	const uint32_t frames[] = { 1, 479, 480, 481, 1440, 1920, 16384, 7 };

	for (unsigned i = 0; i < 8; i++) {
		TRY(tx_send(c, &ch, out, frames[i] * frame));
		TRY(chain_wait(c, &ch));
		TRY(io_ok(c, &ch, "a message of another size"));
	}
	return 0;
}

static int extra_room(struct conform *c)
{
	struct chain ch;
	uint32_t out, bytes;

	TRY(running_output(c, &out));
	bytes = stream_params(c, out).period_bytes;
	TRY(chain_init(c, &ch, Q_TX, 4 + bytes, 64));
	put32(ch.out, out);
	TRY(chain_send(c, &ch));
	TRY(chain_wait(c, &ch));
	TRY(io_ok(c, &ch, "a message with 64 writable bytes"));
	EXPECT_EQ(c, ch.len, 8, "used length");
	EXPECT(c, chain_untouched(&ch, 8), "more than the status was written");
	return 0;
}

static int no_frames(struct conform *c)
{
	struct chain ch[2];
	uint32_t out;

	TRY(running_output(c, &out));
	TRY(tx_send(c, &ch[0], out, 0));
	TRY(chains_wait(c, ch, 1, 1000));
	TRY(io_ok(c, &ch[0], "a message without frames"));
	return 0;
}

/* Neither kills nor wedges the stream, whatever the answer is. */
static int no_frames_no_harm(struct conform *c)
{
	struct chain ch[6];
	uint32_t out, bytes;

	TRY(running_output(c, &out));
	bytes = stream_params(c, out).period_bytes;
	TRY(tx_send(c, &ch[0], out, 0));
	TRY(tx_send(c, &ch[1], out, bytes));
	TRY(tx_send(c, &ch[2], out, bytes + 1));
	TRY(tx_send(c, &ch[3], out, bytes));
	TRY(tx_send(c, &ch[4], out, 1));
	TRY(tx_send(c, &ch[5], out, bytes));
	TRY(chains_wait(c, ch, 6, answer_ms(c)));
	return io_ok(c, &ch[5], "the last message");
}

static int readable_untouched(struct conform *c)
{
	struct chain ch[8];
	uint8_t want[64];
	uint32_t out;
	uint64_t at = 0, check = 0;

	TRY(running_output(c, &out));
	for (unsigned i = 0; i < 8; i++)
		TRY(pattern_send(c, &ch[i], out, &at, stream_params(c, out).period_bytes));
	TRY(chains_wait(c, ch, 8, answer_ms(c)));
	for (unsigned i = 0; i < 8; i++) {
		EXPECT_EQ(c, get32(ch[i].out), out, "the header of message %u", i);
		for (uint32_t k = 0; k + 64 <= ch[i].out_bytes - 4; k += 64, check += 64) {
			pattern_fill(want, check, 64);
			EXPECT(c, !memcmp(want, ch[i].out + 4 + k, 64), "frames at %u of message %u "
				"were changed", k, i);
		}
		check = (uint64_t)(i + 1) * stream_params(c, out).period_bytes;
	}
	return 0;
}

#define IO  "virtio 1.4, Sound Device, PCM I/O Messages: "
#define OUT "virtio 1.4, Sound Device, Output Stream: "

const struct scenario output_scenarios[] = {
	{ .id = "SND-IO-1", .title = "header, frames, status, in any number of elements",
		.run = one_or_two_elements, .clause = IO "the message's layout" },
	{ .id = "SND-IO-2", .title = "the status is OK or IO_ERR", .run = statuses,
		.clause = IO "VIRTIO_SND_S_OK or VIRTIO_SND_S_IO_ERR" },
	{ .id = "SND-IO-3", .title = "latency is plausible and in whole frames",
		.run = latency_is_sane, .recommended = true, .clause = IO "latency_bytes" },
	{ .id = "SND-IO-4", .title = "streams that do not exist", .run = bad_ids,
		.clause = IO "such a message fails, and only that" },
	{ .id = "SND-IO-5", .title = "messages on the queue of the other direction",
		.run = wrong_direction, .clause = IO "output on txq, input on rxq" },
	{ .id = "SND-IO-6", .title = "headers and statuses that are too short",
		.run = short_parts, .clause = IO "4 bytes of header, 8 bytes of status" },
	{ .id = "SND-IO-7", .title = "messages before PREPARE fail at once", .run = too_early,
		.recommended = true, .clause = "PCM Command Lifecycle: silent" },
	{ .id = "SND-IO-8", .title = "a stream's messages come back in order", .run = in_order,
		.recommended = true, .clause = "what ALSA's pointer in Linux relies on" },
	{ .id = "SND-IO-9", .title = "streams do not block each other", .run = no_blocking,
		.clause = "virtio 1.4, Virtqueues: a device MAY use buffers out of order" },
	{ .id = "SND-IO-11", .title = "completions are paced by the rate", .run = paced,
		.recommended = true, .clause = IO "completion serves as period notification" },
	{ .id = "SND-IO-12", .title = "used length of output messages is 8",
		.run = used_lengths,
		.clause = "virtio 1.4, The Virtqueue Used Ring: len is the bytes written" },
	{ .id = "SND-TX-1", .title = "no completion before the frames are consumed",
		.run = not_too_early, .recommended = true,
		.clause = OUT "MUST NOT complete until all is consumed" },
	{ .id = "SND-TX-3", .title = "messages of any size", .run = any_size,
		.clause = OUT "period-sized is a SHOULD of the driver" },
	{ .id = "SND-TX-4", .title = "more writable bytes than a status", .run = extra_room,
		.recommended = true, .clause = OUT "the driver MUST NOT add any" },
	{ .id = "SND-TX-5", .title = "a message without frames is OK", .run = no_frames,
		.recommended = true, .clause = OUT "silent" },
	{ .id = "SND-TX-5b", .title = "messages without whole frames wedge nothing",
		.run = no_frames_no_harm, .clause = OUT "each message comes back" },
	{ .id = "SND-TX-6", .title = "frames are not changed", .run = readable_untouched,
		.clause = "virtio 1.4, Descriptor Table: MUST NOT write a readable buffer" },
	{ 0 },
};
