/* SPDX-License-Identifier: BSD-3-Clause */
/* Mistakes that sound devices have been seen to make, beyond the other chapters. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/backend.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/report.h"

static int info_keeps(struct conform *c)
{
	struct pcm_params p;
	struct answer before, after;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(ctl_info(c, SND_R_PCM_INFO, out, 1, 32, 36, &before));
	p = stream_params(c, out);
	p.channels = c->pcm[out].channels_min;
	p.period_bytes = rate_of(&p) / 100 * frame_bytes(&p);
	p.buffer_bytes = 4 * p.period_bytes;
	TRY(must_params(c, out, &p));
	TRY(ctl_info(c, SND_R_PCM_INFO, out, 1, 32, 36, &after));
	EXPECT(c, !memcmp(before.chain.in, after.chain.in, 36),
		"PCM_INFO tells what was set, not what can be");
	return 0;
}

static int features_keep(struct conform *c)
{
	struct pcm_params p;
	struct answer before, after;
	uint32_t out, status;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(ctl_info(c, SND_R_PCM_INFO, out, 1, 32, 36, &before));
	p = stream_params(c, out);
	p.features = c->pcm[out].features ? 0 : 0x1f;
	TRY(ctl_params(c, out, &p, &status));
	TRY(ctl_info(c, SND_R_PCM_INFO, out, 1, 32, 36, &after));
	EXPECT(c, !memcmp(before.chain.in, after.chain.in, 36), "PCM_INFO changed");
	return 0;
}

static int many_tiny_requests(struct conform *c)
{
	TRY(rig_up(c, NULL));
	for (unsigned i = 0; i < 200; i++) {
		static const uint8_t q[2] = { 1 };
		struct answer a;

		TRY(ctl(c, q, 2, 4, &a));
	}
	return still_works(c);
}

/* 1 GiB of descriptors over the same megabyte: by content, not by claim. */
static int overlapping(struct conform *c)
{
	static struct element e[1002];
	struct backend_use before;
	struct chain ch;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	if (!(c->rig.fe.features & BIT(VIRTIO_F_INDIRECT_DESC)))
		return skip(c, "INDIRECT_DESC is not offered");
	TRY(stream_bring(c, out, ST_PREP));
	TRY(tx_init(c, &ch, out, 1 << 20));
	for (unsigned i = 0; i < 1000; i++)
		e[i + 1] = (struct element){ ch.out_gpa + 4, 1 << 20, false };
	e[0] = (struct element){ ch.out_gpa, 4, false };
	e[1001] = (struct element){ ch.in_gpa, 8, true };
	TRY(chain_post_as(c, &ch, e, 1002));
	backend_use(c, &before);
	rig_kick(c, Q_TX);
	TRY(rig_watch(c, 100));
	TRY(still_works(c));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	TRY(chain_wait(c, &ch));
	return backend_stays_small(c, &before, 64 * 1024);
}

static int tx_around_release(struct conform *c)
{
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_SET));
	for (unsigned i = 0; i < 50; i++) {
		struct chain ch[5], release;

		TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
		for (unsigned k = 0; k < 4; k++) {
			TRY(tx_send(c, &ch[k], out, stream_params(c, out).period_bytes));
			if (k != 1)
				continue;
			TRY(chain_init(c, &release, Q_CONTROL, 8, 4));
			put32(release.out, SND_R_PCM_RELEASE);
			put32(release.out + 4, out);
			TRY(chain_send(c, &release));
		}
		TRY(chain_wait(c, &release));
		TRY(tx_send(c, &ch[4], out, stream_params(c, out).period_bytes));
		TRY(chains_wait(c, ch, 5, answer_ms(c)));
	}
	return still_works(c);
}

static int stop_is_quick(struct conform *c)
{
	struct chain ch[16];
	int64_t start;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_PREP));
	for (unsigned i = 0; i < 16; i++)
		TRY(tx_send(c, &ch[i], out, 10 * stream_params(c, out).period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(rig_watch(c, 30));
	start = now_ns();
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	EXPECT(c, now_ns() - start < 200000000, "STOP took %lld ms",
		(long long)(now_ns() - start) / 1000000);
	TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	return chains_wait(c, ch, 16, answer_ms(c));
}

static int reset_while_playing(struct conform *c)
{
	struct chain ch[8], again;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 8; i++)
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
	TRY(rig_reset(c));
	TRY(rig_watch(c, 100)); /* a message of before would be a foreign head */
	TRY(stream_bring(c, out, ST_RUN));
	TRY(tx_send(c, &again, out, stream_params(c, out).period_bytes));
	TRY(chain_wait(c, &again));
	return io_ok(c, &again, "a message after the reset");
}

static int latency_is_told(struct conform *c)
{
	static const uint32_t sizes[] = { 2, 4, 1, 3 }; /* in periods */
	bool always = true;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 12; i++) {
		uint32_t bytes = sizes[i % 4] * stream_params(c, out).period_bytes;
		struct chain ch;

		TRY(tx_send(c, &ch, out, bytes));
		TRY(chain_wait(c, &ch));
		always = always && io_latency(&ch) == bytes;
	}
	EXPECT(c, !always, "latency is always the length of the message");
	return 0;
}

const struct scenario peer_scenarios[] = {
	{ .id = "PEER-Q2", .title = "no message of before a reset comes after it",
		.run = reset_while_playing, .clause = "virtio 1.4, Device Reset" },
	{ .id = "PEER-Q3", .title = "PCM_INFO does not follow SET_PARAMS", .run = info_keeps,
		.clause = "VIRTIO_SND_R_PCM_INFO: what the stream supports" },
	{ .id = "PEER-Q6", .title = "200 requests of two bytes", .run = many_tiny_requests,
		.clause = "virtio 1.4: every buffer is returned" },
	{ .id = "PEER-Q8", .title = "1 GiB of overlapping descriptors", .run = overlapping,
		.clause = "the back-end must not be taken down by its driver" },
	{ .id = "PEER-V5", .title = "messages before, with and after RELEASE",
		.run = tx_around_release, .clause = "queues are independent" },
	{ .id = "PEER-V7", .title = "PCM_INFO does not tell the features that were set",
		.run = features_keep, .clause = "VIRTIO_SND_R_PCM_INFO: what the stream supports" },
	{ .id = "PEER-V10", .title = "latency is not the length of the message",
		.run = latency_is_told, .recommended = true, .clause = "PCM I/O Messages" },
	{ .id = "PEER-VI5", .title = "STOP does not wait for what is queued",
		.run = stop_is_quick, .recommended = true,
		.clause = "Linux stops a stream within an interrupt's time" },
	{ 0 },
};
