/* SPDX-License-Identifier: BSD-3-Clause */
/* The sound itself, against the file that the back-end writes. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/played.h"
#include "probe/report.h"

#define PERIODS 50

static int up_for_file(struct conform *c, enum pcm_state state, uint32_t *ret)
{
	TRY(up_with(c, SND_D_OUTPUT, ret));
	TRY(played_possible(c, *ret));
	return stream_bring(c, *ret, state);
}

static int finish(struct conform *c, uint32_t out)
{
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	return must_pcm(c, SND_R_PCM_RELEASE, out);
}

/* n periods, four in flight, START behind the first four. */
static int play_periods(struct conform *c, uint32_t out, unsigned n, uint64_t *at)
{
	static struct chain ch[200];

	for (unsigned i = 0; i < n; i++) {
		TRY(pattern_send(c, &ch[i], out, at, stream_params(c, out).period_bytes));
		if (i == 3)
			TRY(must_pcm(c, SND_R_PCM_START, out));
		if (i >= 4)
			TRY(chain_wait(c, &ch[i - 4]));
	}
	return chains_wait(c, ch, n, answer_ms(c));
}

static int unchanged(struct conform *c)
{
	uint64_t at = 0;
	uint32_t out;

	TRY(up_for_file(c, ST_PREP, &out));
	if (stream_params(c, out).channels < (unsigned)c->scenario->arg)
		return skip(c, "stream %u has less than %d channels", out, c->scenario->arg);
	TRY(play_periods(c, out, PERIODS, &at));
	TRY(finish(c, out));
	return played_is_pattern(c, out, at);
}

static int pause_goes_on(struct conform *c)
{
	struct chain ch[PERIODS];
	uint64_t at = 0;
	uint32_t out;

	TRY(up_for_file(c, ST_PREP, &out));
	for (unsigned i = 0; i < 15; i++)
		TRY(pattern_send(c, &ch[i], out, &at, stream_params(c, out).period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(rig_watch(c, 55));
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	TRY(rig_watch(c, 100));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, ch, 15, answer_ms(c)));
	TRY(finish(c, out));
	return played_is_pattern(c, out, at);
}

/* One large message, STOP in its middle. */
static int pause_in_message(struct conform *c)
{
	struct chain ch[2];
	uint64_t at = 0;
	uint32_t out;

	TRY(up_for_file(c, ST_PREP, &out));
	TRY(pattern_send(c, &ch[0], out, &at, 10 * stream_params(c, out).period_bytes));
	TRY(pattern_send(c, &ch[1], out, &at, 10 * stream_params(c, out).period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(rig_watch(c, 45));
	for (unsigned i = 0; i < 3; i++) {
		TRY(must_pcm(c, SND_R_PCM_STOP, out));
		TRY(rig_watch(c, 30));
		TRY(must_pcm(c, SND_R_PCM_START, out));
		TRY(rig_watch(c, 20));
	}
	TRY(chains_wait(c, ch, 2, answer_ms(c)));
	TRY(finish(c, out));
	return played_is_pattern(c, out, at);
}

static int pieces(struct conform *c)
{
	struct chain ch[4];
	uint64_t at = 0;
	uint32_t out;

	TRY(up_for_file(c, ST_PREP, &out));
	if (!c->rig.ring[Q_TX].is.indirect)
		return skip(c, "the ring is too small for so many descriptors");
	for (unsigned i = 0; i < 4; i++) {
		struct element e[64];
		unsigned n = 0;
		uint32_t bytes = stream_params(c, out).period_bytes, k = 0;

		TRY(tx_init(c, &ch[i], out, bytes));
		pattern_fill(ch[i].out + 4, at, bytes);
		at += bytes;
		for (; k < 4; k++)
			e[n++] = (struct element){ ch[i].out_gpa + k, 1, false };
		for (uint32_t step = 37; k < 4 + bytes; k += step, step += 2) {
			if (step > 4 + bytes - k)
				step = 4 + bytes - k;
			e[n++] = (struct element){ ch[i].out_gpa + k, step, false };
		}
		for (k = 0; k < 8; k++)
			e[n++] = (struct element){ ch[i].in_gpa + k, 1, true };
		TRY(chain_post_as(c, &ch[i], e, n));
	}
	rig_kick(c, Q_TX);
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, ch, 4, answer_ms(c)));
	for (unsigned i = 0; i < 4; i++)
		TRY(io_ok(c, &ch[i], "a message in pieces"));
	TRY(finish(c, out));
	return played_is_pattern(c, out, at);
}

static int sizes_play(struct conform *c)
{
	static const uint32_t frames[] = { 1, 479, 480, 1440, 1920, 16384, 7 };
	struct chain ch[7];
	struct pcm_params p;
	uint64_t at = 0;
	uint32_t out;

	TRY(up_for_file(c, ST_PREP, &out));
	p = stream_params(c, out);
	for (unsigned i = 0; i < 7; i++)
		TRY(pattern_send(c, &ch[i], out, &at, frames[i] * frame_bytes(&p)));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, ch, 7, answer_ms(c)));
	TRY(finish(c, out));
	return played_is_pattern(c, out, at);
}

/* The first message has gone out when the rest of its last frame comes. */
static int carried_over(struct conform *c)
{
	struct chain ch[3];
	uint64_t at = 0, ends[2];
	uint32_t out, bytes;

	TRY(up_for_file(c, ST_RUN, &out));
	bytes = stream_params(c, out).period_bytes;
	ends[0] = bytes;
	TRY(pattern_send(c, &ch[0], out, &at, bytes + 1));
	TRY(chain_wait(c, &ch[0]));
	TRY(pattern_send(c, &ch[1], out, &at, bytes - 1));
	TRY(pattern_send(c, &ch[2], out, &at, bytes));
	ends[1] = at;
	TRY(chains_wait(c, ch, 3, answer_ms(c)));
	TRY(finish(c, out));
	return played_has_parts(c, out, ends, 2);
}

static int underrun_then_data(struct conform *c)
{
	struct chain ch[8];
	uint64_t at = 0, ends[2];
	uint32_t out, bytes;

	TRY(up_for_file(c, ST_PREP, &out));
	bytes = stream_params(c, out).period_bytes;
	for (unsigned i = 0; i < 4; i++)
		TRY(pattern_send(c, &ch[i], out, &at, bytes));
	ends[0] = at;
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, ch, 4, answer_ms(c)));
	TRY(rig_watch(c, 100));
	for (unsigned i = 4; i < 8; i++)
		TRY(pattern_send(c, &ch[i], out, &at, bytes));
	ends[1] = at;
	TRY(chains_wait(c, ch, 8, answer_ms(c)));
	TRY(finish(c, out));
	return played_has_parts(c, out, ends, 2);
}

static int refused_not_played(struct conform *c)
{
	struct chain ch[4], bad;
	uint64_t at = 0;
	uint32_t out, bytes;

	TRY(up_for_file(c, ST_PREP, &out));
	bytes = stream_params(c, out).period_bytes;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t elsewhere = 1 << 20;

		TRY(pattern_send(c, &ch[i], out, &at, bytes));
		TRY(chain_init(c, &bad, Q_TX, 4 + bytes, 7));
		put32(bad.out, out);
		pattern_fill(bad.out + 4, elsewhere, bytes);
		TRY(chain_send(c, &bad));
		TRY(chain_wait(c, &bad));
	}
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, ch, 4, answer_ms(c)));
	TRY(finish(c, out));
	return played_is_pattern(c, out, at);
}

/* Illegal commands in the middle of a stream that runs. */
static int refusals_do_not_disturb(struct conform *c)
{
	static const uint32_t codes[] = { SND_R_PCM_PREPARE, SND_R_PCM_START, SND_R_PCM_RELEASE };
	struct chain ch[30];
	uint64_t at = 0;
	uint32_t out, status;
	struct pcm_params p;

	TRY(up_for_file(c, ST_PREP, &out));
	p = stream_params(c, out);
	for (unsigned i = 0; i < 15; i++)
		TRY(pattern_send(c, &ch[i], out, &at, p.period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	for (unsigned i = 0; i < 3; i++) {
		TRY(rig_watch(c, 15));
		TRY(ctl_pcm(c, codes[i], out, &status));
		if (status == SND_S_OK)
			return skip(c, "the back-end takes such a command");
	}
	TRY(ctl_params(c, out, &p, &status));
	if (status == SND_S_OK)
		return skip(c, "the back-end takes such a command");
	TRY(chains_wait(c, ch, 15, answer_ms(c)));
	TRY(finish(c, out));
	return played_is_pattern(c, out, at);
}

/* As QEMU does it for `stop` and `cont`. */
static int vm_pause(struct conform *c)
{
	struct chain ch[20];
	uint64_t at = 0;
	uint32_t out;

	TRY(up_for_file(c, ST_PREP, &out));
	for (unsigned i = 0; i < 20; i++)
		TRY(pattern_send(c, &ch[i], out, &at, stream_params(c, out).period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(rig_watch(c, 55));
	TRY(rig_suspend(c, 150));
	TRY(chains_wait(c, ch, 20, answer_ms(c)));
	TRY(finish(c, out));
	return played_is_pattern(c, out, at);
}

static int two_streams(struct conform *c)
{
	struct chain a[8], b[8];
	uint64_t at_a = 0, at_b = 0;
	uint32_t first, second;

	TRY(up_for_file(c, ST_PREP, &first));
	TRY(stream_pick(c, SND_D_OUTPUT, 1, &second));
	TRY(stream_bring(c, second, ST_PREP));
	for (unsigned i = 0; i < 8; i++) {
		TRY(pattern_send(c, &a[i], first, &at_a, stream_params(c, first).period_bytes));
		TRY(pattern_send(c, &b[i], second, &at_b, stream_params(c, second).period_bytes));
	}
	TRY(must_pcm(c, SND_R_PCM_RELEASE, first));
	TRY(must_pcm(c, SND_R_PCM_START, second));
	TRY(chains_wait(c, b, 8, answer_ms(c)));
	TRY(finish(c, second));
	return played_is_pattern(c, second, at_b);
}

#define OUT "virtio 1.4, Sound Device, Output Stream: "

const struct scenario sound_scenarios[] = {
	{ .id = "SND-TX-2", .title = "frames arrive unchanged and in order", .run = unchanged,
		.clause = OUT "what the driver sends is what is played" },
	{ .id = "SND-PINF-9", .title = "channels are interleaved", .run = unchanged, .arg = 2,
		.clause = "VIRTIO_SND_R_PCM_INFO: interleaved frames only" },
	{ .id = "SND-IO-10", .title = "messages cut at odd places", .run = pieces,
		.clause = "virtio 1.4, Message Framing: MUST NOT assume any arrangement" },
	{ .id = "SND-TX-3b", .title = "messages of any size play fully", .run = sizes_play,
		.clause = OUT "period-sized is a SHOULD of the driver" },
	{ .id = "SND-TX-7", .title = "behind an underrun the sound goes on with what comes",
		.run = underrun_then_data, .recommended = true, .clause = OUT "silence between" },
	{ .id = "SND-TX-9", .title = "a part of a frame joins the next message",
		.run = carried_over, .recommended = true, .clause = OUT "silent" },
	{ .id = "SND-IO-6b", .title = "what cannot be answered is not played",
		.run = refused_not_played, .recommended = true, .clause = OUT "silent" },
	{ .id = "SND-PCM-STOP-2", .title = "START goes on where STOP was", .run = pause_goes_on,
		.clause = "PCM Command Lifecycle: STOP and START are a pause" },
	{ .id = "SND-PCM-STOP-2b", .title = "... in the middle of a message",
		.run = pause_in_message, .clause = "PCM Command Lifecycle: to the byte" },
	{ .id = "SND-FSM-RUN-X", .title = "refused commands do not disturb a running stream",
		.run = refusals_do_not_disturb, .recommended = true,
		.clause = "PCM Command Lifecycle: a refused command is no transition" },
	{ .id = "SND-PCM-REL-4b", .title = "RELEASE of one stream leaves another's sound alone",
		.run = two_streams, .clause = "Stream Release: of the specified stream" },
	{ .id = "VU-RSM-1", .title = "a paused VM goes on to the byte", .run = vm_pause,
		.clause = "vhost-user, Ring states: stopped, then started at the same base" },
	{ 0 },
};
