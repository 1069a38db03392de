/* SPDX-License-Identifier: BSD-3-Clause */
/* What holds for every control message: sizes, statuses, order, framing. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/names.h"
#include "probe/report.h"

#define BATCH_MAX 64

/* What a request of this code takes at least, as the specification has it. */
static const struct {
	uint32_t code, bytes;
} requests[] = {
	{ 0x001, 16 }, { 0x002, 16 }, { 0x100, 16 }, { 0x101, 24 }, { 0x102, 8 }, { 0x103, 8 },
	{ 0x104, 8 }, { 0x105, 8 }, { 0x200, 16 }, { 0x300, 16 }, { 0x301, 8 }, { 0x302, 8 },
	{ 0x303, 8 }, { 0x304, 8 }, { 0x305, 8 }, { 0x306, 8 },
};

#define REQUESTS (sizeof(requests) / sizeof(requests[0]))

/* ctl() itself checks that each answer begins with a status. */
static int all_codes(struct conform *c)
{
	TRY(rig_up(c, NULL));
	for (unsigned i = 0; i < REQUESTS; i++)
		for (unsigned fill = 0; fill < 3; fill++) {
			uint8_t q[128];
			struct answer a;

			memset(q, fill == 0 ? 0 : fill == 1 ? 1 : 0xff, sizeof(q));
			put32(q, requests[i].code);
			TRY(ctl(c, q, fill == 2 ? 100 : requests[i].bytes, 600, &a));
		}
	return still_works(c);
}

static int status_meaning(struct conform *c)
{
	struct pcm_params p;
	uint32_t out, status;

	TRY(rig_up(c, NULL));
	TRY(ctl_pcm(c, SND_R_PCM_PREPARE, 99, &status));
	EXPECT_EQ(c, status, SND_S_BAD_MSG, "PREPARE of stream 99");
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
	p = stream_params(c, out);
	for (p.format = 0; p.format < PCM_FORMATS; p.format++)
		if (!(c->pcm[out].formats & BIT(p.format)))
			break;
	if (p.format == PCM_FORMATS)
		return skip(c, "the stream takes all formats");
	TRY(ctl_params(c, out, &p, &status));
	EXPECT_EQ(c, status, SND_S_NOT_SUPP, "a format that is not advertised");
	return 0;
}

static int tiny_requests(struct conform *c)
{
	static const uint8_t q[4] = { 1 };
	struct answer a;

	TRY(rig_up(c, NULL));
	for (uint32_t bytes = 0; bytes < 4; bytes++) {
		TRY(ctl(c, q, bytes, 4, &a));
		EXPECT(c, a.status != SND_S_OK, "a request of %u bytes is OK", bytes);
	}
	return still_works(c);
}

static int tiny_is_bad(struct conform *c)
{
	static const uint8_t q[4] = { 1 };
	struct answer a;

	TRY(rig_up(c, NULL));
	for (uint32_t bytes = 0; bytes < 4; bytes++) {
		TRY(ctl(c, q, bytes, 4, &a));
		EXPECT_EQ(c, a.status, SND_S_BAD_MSG, "a request of %u bytes", bytes);
	}
	return 0;
}

static int short_requests(struct conform *c)
{
	uint32_t out, status;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_SET));
	for (unsigned i = 0; i < REQUESTS; i++) {
		uint8_t q[32] = { 0 };
		struct answer a;

		put32(q, requests[i].code);
		if (requests[i].code >= 0x100 && requests[i].code < 0x200)
			put32(q + 4, out);
		TRY(ctl(c, q, requests[i].bytes - 1, 600, &a));
		EXPECT(c, a.status != SND_S_OK, "%s of %u bytes is OK, %u are needed",
			request_name(requests[i].code), requests[i].bytes - 1, requests[i].bytes);
	}
	TRY(ctl_pcm(c, SND_R_PCM_PREPARE, out, &status));
	EXPECT_EQ(c, status, SND_S_OK, "PREPARE after requests that were too short");
	return 0;
}

static int no_room_for_status(struct conform *c)
{
	struct chain ch;
	uint32_t out, status;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_PREP));
	for (uint32_t room = 0; room < 4; room += 3) {
		TRY(chain_init(c, &ch, Q_CONTROL, 8, room));
		put32(ch.out, SND_R_PCM_START);
		put32(ch.out + 4, out);
		trace(c, "-> START, room for %u bytes of status", room);
		TRY(chain_send(c, &ch));
		TRY(chain_wait(c, &ch));
		EXPECT(c, ch.len <= room && chain_guards_intact(&ch), "written past the room");
	}
	/* It was refused, or it was done; the driver cannot know.  Refused is better. */
	TRY(ctl_pcm(c, SND_R_PCM_STOP, out, &status));
	EXPECT_EQ(c, status, SND_S_BAD_MSG, "STOP; so START without room for a status was executed");
	return 0;
}

static int unknown_codes(struct conform *c)
{
	static const uint32_t codes[] = { 0, 3, 0xff, 0x106, 0x201, 0x2ff, 0x307, 0x1000, 0x8000,
		0xffffffff };

	TRY(rig_up(c, NULL));
	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		uint8_t q[16] = { 0 };
		struct answer a;

		put32(q, codes[i]);
		TRY(ctl(c, q, sizeof(q), 64, &a));
		EXPECT(c, a.status != SND_S_OK, "the unknown request 0x%x is OK", codes[i]);
	}
	return still_works(c);
}

static int unknown_is_not_supp(struct conform *c)
{
	uint8_t q[16] = { 0 };
	struct answer a;

	TRY(rig_up(c, NULL));
	put32(q, 0x106);
	TRY(ctl(c, q, sizeof(q), 4, &a));
	EXPECT_EQ(c, a.status, SND_S_NOT_SUPP, "an unknown request");
	return 0;
}

static int longer_requests(struct conform *c)
{
	uint8_t q[4112];
	struct answer a;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_SET));
	memset(q, 0xff, sizeof(q));
	put32(q, SND_R_PCM_PREPARE);
	put32(q + 4, out);
	TRY(ctl(c, q, 8 + 64, 4, &a));
	EXPECT_EQ(c, a.status, SND_S_OK, "PREPARE with 64 bytes behind it");
	put32(q, SND_R_PCM_INFO);
	put32(q + 4, 0);
	put32(q + 8, 1);
	put32(q + 12, 32);
	TRY(ctl(c, q, sizeof(q), 36, &a));
	EXPECT_EQ(c, a.status, SND_S_OK, "PCM_INFO with 4096 bytes behind it");
	return 0;
}

static int used_length(struct conform *c)
{
	uint32_t out, n;
	struct answer a;
	uint8_t q[8];

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_SET));
	put32(q, SND_R_PCM_PREPARE);
	put32(q + 4, out);
	TRY(ctl(c, q, 8, 64, &a));
	EXPECT_EQ(c, a.len, 4, "used length of PREPARE with room for 64");
	n = c->streams;
	TRY(ctl_info(c, SND_R_PCM_INFO, 0, n, 32, 4096, &a));
	EXPECT_EQ(c, a.len, 4 + 32 * n, "used length of PCM_INFO with room for 4096");
	return 0;
}

static int surplus_untouched(struct conform *c)
{
	uint32_t n;
	struct answer a;

	TRY(rig_up(c, NULL));
	TRY(card_read(c));
	n = c->streams;
	TRY(ctl_info(c, SND_R_PCM_INFO, 0, n, 32, 4096, &a));
	EXPECT(c, chain_untouched(&a.chain, 4 + 32 * n), "bytes behind the answer were written");
	return 0;
}

/* A request in pieces: every byte its own descriptor, or cut at a place. */
static int in_pieces(struct conform *c, const uint8_t *q, uint32_t bytes, uint32_t room,
	uint32_t step, struct chain *ch)
{
	struct element e[128];
	unsigned n = 0;

	TRY(chain_init(c, ch, Q_CONTROL, bytes, room));
	memcpy(ch->out, q, bytes);
	for (uint32_t at = 0; at < bytes; at += step)
		e[n++] = (struct element){ .gpa = ch->out_gpa + at,
			.len = bytes - at < step ? bytes - at : step };
	for (uint32_t at = 0; at < room; at += step)
		e[n++] = (struct element){ .gpa = ch->in_gpa + at,
			.len = room - at < step ? room - at : step, .write = true };
	trace(c, "-> %s in descriptors of %u bytes", request_name(get32(q)), step);
	TRY(chain_post_as(c, ch, e, n));
	rig_kick(c, Q_CONTROL);
	return chain_wait(c, ch);
}

static int framing(struct conform *c)
{
	static const uint32_t steps[] = { 1, 2, 3, 5, 7, 11 };
	uint8_t q[16];
	struct answer whole;

	TRY(rig_up(c, NULL));
	if (!c->rig.counts.streams)
		return skip(c, "the device has no streams");
	put32(q, SND_R_PCM_INFO);
	put32(q + 4, 0);
	put32(q + 8, 1);
	put32(q + 12, 32);
	TRY(ctl(c, q, 16, 36, &whole));
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct chain ch;

		if (!c->rig.ring[0].is.indirect && 52 / steps[i] + 2 > c->rig.ring[0].is.size)
			continue;
		TRY(in_pieces(c, q, 16, 36, steps[i], &ch));
		EXPECT_EQ(c, ch.len, whole.len, "used length in pieces of %u", steps[i]);
		EXPECT(c, !memcmp(ch.in, whole.chain.in, 36), "another answer in pieces of %u",
			steps[i]);
	}
	return 0;
}

static int prompt(struct conform *c)
{
	struct chain tx[8];
	int64_t worst = 0;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 8; i++)
		TRY(tx_init(c, &tx[i], out, stream_params(c, out).period_bytes));
	for (unsigned i = 0; i < 1000; i++) {
		struct chain *again = &tx[i % 8];
		int64_t start = now_ns();
		struct answer a;

		if (!i || again->done || i < 8) {
			again->done = false;
			TRY(chain_send(c, again));
		}
		TRY(ctl_info(c, SND_R_PCM_INFO, 0, 1, 32, 36, &a));
		if (now_ns() - start > worst)
			worst = now_ns() - start;
	}
	trace(c, "the slowest of 1000 requests took %lld us", (long long)worst / 1000);
	EXPECT(c, worst < 1000000000, "an answer took %lld ms; Linux gives up after 1000",
		(long long)worst / 1000000);
	return 0;
}

static int one_batch(struct conform *c)
{
	static const uint32_t codes[] = { SND_R_PCM_SET_PARAMS, SND_R_PCM_PREPARE, SND_R_PCM_START,
		SND_R_PCM_STOP, SND_R_PCM_RELEASE };
	struct chain ch[5];
	struct pcm_params p;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	for (unsigned i = 0; i < 5; i++) {
		TRY(chain_init(c, &ch[i], Q_CONTROL, i ? 8 : 24, 4));
		put_params(ch[0].out, out, &p);
		if (i)
			put32(ch[i].out, codes[i]);
		put32(ch[i].out + 4, out);
		TRY(chain_post(c, &ch[i]));
	}
	trace(c, "-> SET_PARAMS, PREPARE, START, STOP, RELEASE with one kick");
	rig_kick(c, Q_CONTROL);
	TRY(chains_wait(c, ch, 5, answer_ms(c)));
	for (unsigned i = 0; i < 5; i++)
		EXPECT_EQ(c, get32(ch[i].in), SND_S_OK, "%s in a batch", request_name(codes[i]));
	return 0;
}

static int status_alone(struct conform *c)
{
	struct answer a;

	TRY(rig_up(c, NULL));
	TRY(ctl_info(c, SND_R_PCM_INFO, 0, 99, 32, 4096, &a));
	EXPECT(c, a.status != SND_S_OK, "99 streams are served");
	EXPECT_EQ(c, a.len, 4, "used length of a refusal");
	EXPECT(c, chain_untouched(&a.chain, 4), "more than the status was written");
	return 0;
}

static int full_ring(struct conform *c)
{
	static struct chain ch[BATCH_MAX];
	unsigned n;

	TRY(rig_up(c, NULL));
	n = c->rig.ring[Q_CONTROL].is.size;
	if (n > BATCH_MAX)
		return skip(c, "the control queue is larger than %d", BATCH_MAX);
	if (!c->rig.ring[Q_CONTROL].is.indirect)
		n /= 2;
	for (unsigned i = 0; i < n; i++) {
		TRY(chain_init(c, &ch[i], Q_CONTROL, 16, 36));
		put32(ch[i].out, SND_R_PCM_INFO);
		put32(ch[i].out + 8, 1);
		put32(ch[i].out + 12, 32);
		TRY(chain_post(c, &ch[i]));
	}
	trace(c, "-> %u requests with one kick", n);
	rig_kick(c, Q_CONTROL);
	TRY(chains_wait(c, ch, n, answer_ms(c)));
	for (unsigned i = 0; i < n; i++)
		EXPECT_EQ(c, ch[i].len, ch[0].len, "used length of request %u", i);
	return 0;
}

static int ids_out_of_range(struct conform *c)
{
	TRY(rig_up(c, NULL));
	for (unsigned i = 0; i < REQUESTS; i++) {
		uint32_t code = requests[i].code, n = c->rig.counts.streams;

		if (code == 0x001 || code == 0x100 || code == 0x200 || code >= 0x300)
			continue;
		if (code == 0x002)
			n = c->rig.counts.jacks;
		for (unsigned k = 0; k < 3; k++) {
			uint8_t q[24] = { 0 };
			struct answer a;

			put32(q, code);
			put32(q + 4, k == 2 ? 0xffffffff : n + k);
			TRY(ctl(c, q, requests[i].bytes, 4, &a));
			EXPECT(c, a.status != SND_S_OK, "%s is OK for an id out of range",
				request_name(code));
		}
	}
	return still_works(c);
}

static int bad_ids_are_bad_msg(struct conform *c)
{
	uint32_t status;

	TRY(rig_up(c, NULL));
	for (uint32_t code = SND_R_PCM_PREPARE; code <= SND_R_PCM_STOP; code++) {
		TRY(ctl_pcm(c, code, c->rig.counts.streams, &status));
		EXPECT_EQ(c, status, SND_S_BAD_MSG, "%s", request_name(code));
	}
	return 0;
}

#define OP "virtio 1.4, Sound Device, Device Operation: "

const struct scenario message_scenarios[] = {
	{ .id = "SND-MSG-1", .title = "every answer begins with a status", .run = all_codes,
		.clause = OP "one of OK, BAD_MSG, NOT_SUPP, IO_ERR" },
	{ .id = "SND-MSG-2", .title = "BAD_MSG and NOT_SUPP are told apart", .run = status_meaning,
		.recommended = true, .clause = OP "the meaning of the statuses" },
	{ .id = "SND-MSG-3", .title = "requests below four bytes are refused", .run = tiny_requests,
		.clause = OP "a request begins with a le32 code; less is no request" },
	{ .id = "SND-MSG-3b", .title = "... with BAD_MSG", .run = tiny_is_bad, .recommended = true,
		.clause = OP "BAD_MSG is for malformed messages" },
	{ .id = "SND-MSG-4", .title = "requests shorter than their structure are refused",
		.run = short_requests, .clause = OP "and they have no effect" },
	{ .id = "SND-MSG-5", .title = "without room for a status nothing is executed",
		.run = no_room_for_status, .recommended = true,
		.clause = OP "a response begins with a status" },
	{ .id = "SND-MSG-6", .title = "unknown codes are refused", .run = unknown_codes,
		.clause = OP "every request is answered; the queue goes on" },
	{ .id = "SND-MSG-6b", .title = "... with NOT_SUPP", .run = unknown_is_not_supp,
		.recommended = true, .clause = OP "NOT_SUPP: the operation is not supported" },
	{ .id = "SND-MSG-7", .title = "bytes behind a request are ignored", .run = longer_requests,
		.recommended = true, .clause = OP "a request may be followed by payload" },
	{ .id = "SND-MSG-8", .title = "used length is what was written", .run = used_length,
		.clause = "virtio 1.4, The Virtqueue Used Ring: len is the bytes written" },
	{ .id = "SND-MSG-8b", .title = "room that is not needed stays untouched",
		.run = surplus_untouched, .recommended = true,
		.clause = "virtio 1.4, The Virtqueue Used Ring: more MAY be written" },
	{ .id = "SND-MSG-9", .title = "descriptors cut anywhere", .run = framing,
		.clause = "virtio 1.4, Message Framing: MUST NOT assume any arrangement" },
	{ .id = "SND-MSG-10", .title = "answers are prompt while a stream runs", .run = prompt,
		.recommended = true, .clause = "Linux waits 1000 ms for each answer" },
	{ .id = "SND-MSG-12", .title = "a batch takes effect in order", .run = one_batch,
		.clause = "PCM Command Lifecycle: each needs the one before" },
	{ .id = "SND-MSG-13", .title = "a refusal is a status and nothing else",
		.run = status_alone, .recommended = true, .clause = OP "payload belongs to OK" },
	{ .id = "SND-MSG-14", .title = "a full control queue", .run = full_ring,
		.clause = "virtio 1.4, Supplying Buffers to The Device: up to the queue size" },
	{ .id = "SND-MSG-15", .title = "ids beyond the counts are refused",
		.run = ids_out_of_range, .clause = OP "BAD_MSG or NOT_SUPP, never OK" },
	{ .id = "SND-MSG-15b", .title = "... with BAD_MSG", .run = bad_ids_are_bad_msg,
		.recommended = true, .clause = OP "BAD_MSG: an invalid parameter" },
	{ 0 },
};
