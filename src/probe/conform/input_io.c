/* SPDX-License-Identifier: BSD-3-Clause */
/* Input messages. */
#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/report.h"

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
	EXPECT(c, ch.len < bytes + STATUS_BYTES, "500 ms of sound came within 150 ms");
	return io_ok(c, &ch, "a message that is cut short");
}

/* As many bytes as the used length says have been written, whatever came. */
static int all_written(struct conform *c)
{
	struct chain ch, refused;
	uint32_t in, bytes;

	TRY(running_input(c, &in));
	bytes = 50 * stream_params(c, in).period_bytes;
	TRY(rx_send(c, &ch, in, bytes));
	TRY(rig_watch(c, 150));
	TRY(must_pcm(c, SND_R_PCM_STOP, in));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, in));
	TRY(chain_wait(c, &ch));
	EXPECT(c, ch.len >= STATUS_BYTES && ch.len <= bytes + STATUS_BYTES, "used length %u",
		ch.len);
	EXPECT(c, !stale(&ch, ch.len), "bytes within the used length were never written");
	TRY(rx_send(c, &refused, 0xffff, 4 * bytes));
	TRY(chain_wait(c, &refused));
	EXPECT(c, refused.len <= refused.in_bytes && !stale(&refused, refused.len),
		"bytes within the used length of a refused message were never written");
	return 0;
}

/* The used length is what was recorded: something, but not much more than the
 * time allows, in whole frames; and nothing for what never ran. */
static int used_length_short(struct conform *c)
{
	struct chain ch[3];
	struct pcm_params p;
	uint32_t in, most, got;
	int64_t start;

	TRY(up_with(c, SND_D_INPUT, &in));
	TRY(stream_bring(c, in, ST_PREP));
	p = stream_params(c, in);
	for (unsigned i = 0; i < 2; i++)
		TRY(rx_send(c, &ch[i], in, 50 * p.period_bytes));
	start = now_ns();
	TRY(must_pcm(c, SND_R_PCM_START, in));
	TRY(rig_watch(c, 150));
	TRY(must_pcm(c, SND_R_PCM_STOP, in));
	/* A back-end may have a buffer that is full already. */
	most = (uint32_t)((now_ns() - start) / 10000000 + 1) * p.period_bytes + p.buffer_bytes;
	TRY(must_pcm(c, SND_R_PCM_RELEASE, in));
	TRY(chains_wait(c, ch, 2, answer_ms(c)));
	got = ch[0].len - STATUS_BYTES;
	EXPECT(c, ch[0].len > STATUS_BYTES && got % frame_bytes(&p) == 0 && got <= most,
		"%u bytes were recorded in 150 ms, %u at most", got, most);
	EXPECT_EQ(c, ch[1].len, STATUS_BYTES, "used length of a message that nothing came into");
	TRY(must_pcm(c, SND_R_PCM_PREPARE, in));
	TRY(rx_send(c, &ch[2], in, p.period_bytes));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, in));
	TRY(chain_wait(c, &ch[2]));
	EXPECT_EQ(c, ch[2].len, STATUS_BYTES, "used length of a message before START");
	return 0;
}

/* Readable bytes behind the header: there is no such message. */
static int readable_data(struct conform *c)
{
	struct chain ch, good;
	uint32_t in, bytes;

	TRY(running_input(c, &in));
	bytes = stream_params(c, in).period_bytes;
	TRY(chain_init(c, &ch, Q_RX, XFER_BYTES + 64, bytes + STATUS_BYTES));
	put32(ch.out, in);
	TRY(chain_send(c, &ch));
	TRY(chain_wait(c, &ch));
	TRY(io_refused(c, &ch, "an input message with 64 readable bytes"));
	EXPECT(c, ch.len <= STATUS_BYTES, "%u bytes were recorded into it", ch.len);
	TRY(rx_send(c, &good, in, bytes));
	TRY(chain_wait(c, &good));
	return io_ok(c, &good, "a message behind it");
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

#define IN "virtio 1.4, Sound Device, Input Stream: "

const struct scenario input_scenarios[] = {
	{ .id = "SND-RX-1", .title = "no completion before the buffer is full",
		.run = full_only, .clause = IN "MUST NOT complete until it is full" },
	{ .id = "SND-RX-2", .title = "a short message at the end", .run = short_at_release,
		.clause = IN "only at the end of the stream" },
	{ .id = "SND-RX-3", .title = "used length is frames and status", .run = used_length,
		.clause = IN "the used length" },
	{ .id = "SND-RX-3b", .title = "... of a message that is cut short, or stays empty",
		.run = used_length_short, .clause = IN "the used length" },
	{ .id = "SND-RX-4", .title = "the status is in the last 8 bytes", .run = status_last,
		.recommended = true, .clause = "where Linux looks for it" },
	{ .id = "SND-RX-5", .title = "what the used length says has been written",
		.run = all_written, .clause = "virtio 1.4, The Virtqueue Used Ring: MUST" },
	{ .id = "SND-RX-6", .title = "buffers that come behind START", .run = late_buffers,
		.clause = IN "before START is a SHOULD of the driver" },
	{ .id = "SND-RX-7", .title = "readable bytes in an input message", .run = readable_data,
		.recommended = true, .clause = IN "drivers MUST NOT; IO_ERR" },
	{ .id = "SND-RX-10", .title = "full means the buffer, not the period",
		.run = other_sizes, .clause = IN "buffers of any size" },
	{ .id = "SND-RX-12", .title = "buffers too small for a frame or a status",
		.run = short_parts, .clause = IN "each message comes back" },
	{ 0 },
};
