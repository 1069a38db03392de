/* SPDX-License-Identifier: BSD-3-Clause */
/* SET_PARAMS: what it takes, and what it has to refuse. */
#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/names.h"

#define MSG_POLLING (1u << 2)

static int refused(struct conform *c, uint32_t stream, const struct pcm_params *p,
	const char *what)
{
	uint32_t status;

	TRY(ctl_params(c, stream, p, &status));
	EXPECT(c, status != SND_S_OK, "SET_PARAMS with %s is OK", what);
	return 0;
}

static int valid(struct conform *c)
{
	struct pcm_params p;
	struct answer a;
	uint8_t q[24];
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	put_params(q, out, &p);
	TRY(ctl(c, q, sizeof(q), 4, &a));
	EXPECT_EQ(c, a.status, SND_S_OK, "valid parameters");
	EXPECT_EQ(c, a.len, 4, "used length");
	return 0;
}

/* Another stream must not have been given parameters, too. */
static int one_stream_only(struct conform *c)
{
	uint32_t first, second, status;
	struct pcm_params p;

	TRY(rig_up(c, NULL));
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &first));
	TRY(stream_pick(c, SND_D_OUTPUT, 1, &second));
	p = stream_params(c, first);
	TRY(must_params(c, first, &p));
	TRY(ctl_pcm(c, SND_R_PCM_PREPARE, second, &status));
	EXPECT(c, status != SND_S_OK, "PREPARE of a stream whose neighbour has parameters");
	return 0;
}

static int not_divisible(struct conform *c)
{
	struct pcm_params p;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	p.buffer_bytes += frame_bytes(&p);
	return refused(c, out, &p, "a buffer that is no multiple of the period");
}

static int undefined_values(struct conform *c)
{
	static const uint8_t wild[] = { 25, 26, 63, 64, 65, 69, 128, 200, 255 };
	struct pcm_params good, p;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	p = good = stream_params(c, out);
	for (unsigned i = 0; i < sizeof(wild); i++) {
		p.format = wild[i];
		TRY(refused(c, out, &p, "an undefined format"));
	}
	p = good;
	for (unsigned i = 0; i < sizeof(wild); i++) {
		p.rate = wild[i];
		TRY(refused(c, out, &p, "an undefined rate"));
	}
	p.rate = 16;
	TRY(refused(c, out, &p, "an undefined rate"));
	for (unsigned bit = 5; bit < 32; bit++) {
		p = good;
		p.features = 1u << bit;
		TRY(refused(c, out, &p, "an undefined feature"));
	}
	return still_works(c);
}

static int not_advertised(struct conform *c)
{
	struct pcm_params good, p;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	good = stream_params(c, out);
	for (p = good, p.format = 0; p.format < PCM_FORMATS; p.format++)
		if (!(c->pcm[out].formats & BIT(p.format)))
			TRY(refused(c, out, &p, "a format that is not advertised"));
	for (p = good, p.rate = 0; p.rate < PCM_RATES; p.rate++)
		if (!(c->pcm[out].rates & BIT(p.rate)))
			TRY(refused(c, out, &p, "a rate that is not advertised"));
	for (unsigned bit = 0; bit < 5; bit++) {
		p = good;
		p.features = 1u << bit;
		if (!(c->pcm[out].features & p.features))
			TRY(refused(c, out, &p, "a feature that is not advertised"));
	}
	return 0;
}

static int channels(struct conform *c)
{
	struct pcm_params p;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	for (unsigned n = 0; n < 256; n++) {
		p = stream_params(c, out);
		p.channels = (uint8_t)n;
		if (n >= c->pcm[out].channels_min && n <= c->pcm[out].channels_max)
			continue;
		if (n) {
			p.period_bytes = rate_of(&p) / 100 * frame_bytes(&p);
			p.buffer_bytes = 4 * p.period_bytes;
		}
		TRY(refused(c, out, &p, "a number of channels out of range"));
	}
	return still_works(c);
}

static int shared_memory(struct conform *c)
{
	struct pcm_params p;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	p.features = 3;
	return refused(c, out, &p, "both shared memory features");
}

static int padding(struct conform *c)
{
	struct pcm_params p;
	struct answer a;
	uint8_t q[24];
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	put_params(q, out, &p);
	q[23] = 0xff;
	TRY(ctl(c, q, sizeof(q), 4, &a));
	EXPECT_EQ(c, a.status, SND_S_OK, "a padding byte of 0xff");
	return 0;
}

static int zero_sizes(struct conform *c)
{
	struct pcm_params good, p;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	p = good = stream_params(c, out);
	p.period_bytes = 0;
	TRY(refused(c, out, &p, "a period of 0"));
	p.buffer_bytes = 0;
	TRY(refused(c, out, &p, "period and buffer of 0"));
	p = good;
	p.buffer_bytes = 0;
	TRY(refused(c, out, &p, "a buffer of 0"));
	return still_works(c);
}

static int whole_frames(struct conform *c)
{
	struct pcm_params p;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	if (frame_bytes(&p) < 2)
		return skip(c, "the frames are single bytes");
	p.period_bytes += 1;
	p.buffer_bytes = 2 * p.period_bytes;
	return refused(c, out, &p, "a period that is no whole number of frames");
}

/* Refused, or taken; in any case nothing breaks. */
static int huge_sizes(struct conform *c)
{
	struct pcm_params p;
	uint32_t out, status;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	p.period_bytes = 0x0ffffff0u / frame_bytes(&p) * frame_bytes(&p);
	p.buffer_bytes = 8 * p.period_bytes;
	TRY(ctl_params(c, out, &p, &status));
	if (status == SND_S_OK) {
		TRY(ctl_pcm(c, SND_R_PCM_PREPARE, out, &status));
		if (status == SND_S_OK)
			TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	}
	p = stream_params(c, out);
	return must_params(c, out, &p);
}

static int refusal_changes_nothing(struct conform *c)
{
	struct pcm_params p;
	struct chain ch;
	uint32_t out, status;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_PREP));
	p = stream_params(c, out);
	p.rate = 64;
	TRY(refused(c, out, &p, "an undefined rate"));
	TRY(tx_send(c, &ch, out, p.period_bytes));
	TRY(ctl_pcm(c, SND_R_PCM_START, out, &status));
	EXPECT_EQ(c, status, SND_S_OK, "START of a prepared stream, after a refused SET_PARAMS");
	TRY(chain_wait(c, &ch));
	return io_ok(c, &ch, "an output message");
}

/* How long 50 ms of frames take at two rates tells which one counts. */
static int last_one_counts(struct conform *c)
{
	struct pcm_params slow, fast;
	struct chain ch[10];
	int64_t took;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	slow = fast = stream_params(c, out);
	for (uint8_t r = 0; r < PCM_RATES; r++) {
		if (!(c->pcm[out].rates & BIT(r)))
			continue;
		if (pcm_rates[r] > pcm_rates[fast.rate])
			fast.rate = r;
		if (pcm_rates[r] < pcm_rates[slow.rate])
			slow.rate = r;
	}
	if (rate_of(&fast) < 2 * rate_of(&slow))
		return skip(c, "the rates do not differ by a factor of two");
	TRY(must_params(c, out, &slow));
	TRY(must_params(c, out, &fast));
	TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
	for (unsigned i = 0; i < 10; i++)
		TRY(tx_send(c, &ch[i], out, rate_of(&fast) / 50 * frame_bytes(&fast)));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, ch, 10, answer_ms(c)));
	took = ch[9].done_ns - ch[0].done_ns;
	EXPECT(c, took < 300000000, "180 ms of sound took %lld ms: as at the first rate",
		(long long)took / 1000000);
	return 0;
}

static int outlive_release(struct conform *c)
{
	struct chain ch;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_REL));
	TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
	TRY(tx_send(c, &ch, out, stream_params(c, out).period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chain_wait(c, &ch));
	return io_ok(c, &ch, "an output message");
}

/* A message without frames, which needs no sound to be done with. */
static int polling(struct conform *c)
{
	struct pcm_params p;
	struct chain ch;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	if (!(c->pcm[out].features & MSG_POLLING))
		return skip(c, "stream %u does not offer MSG_POLLING", out);
	p = stream_params(c, out);
	p.features = MSG_POLLING;
	TRY(must_params(c, out, &p));
	TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
	TRY(rig_watch(c, 50));
	TRY(tx_init(c, &ch, out, 0));
	TRY(chain_post(c, &ch));
	TRY(chain_wait(c, &ch));
	return io_ok(c, &ch, "a message that was not kicked");
}

#define DRV "virtio 1.4, Sound Device, Stream Parameters (driver): "

const struct scenario set_params_scenarios[] = {
	{ .id = "SND-PSET-1", .title = "valid parameters are taken", .run = valid,
		.clause = "VIRTIO_SND_R_PCM_SET_PARAMS" },
	{ .id = "SND-PSET-1b", .title = "... for one stream only", .run = one_stream_only,
		.clause = "VIRTIO_SND_R_PCM_SET_PARAMS: of the stream stream_id" },
	{ .id = "SND-PSET-3", .title = "period_bytes divides buffer_bytes", .run = not_divisible,
		.clause = DRV "buffer_bytes MUST be divisible by period_bytes" },
	{ .id = "SND-PSET-4", .title = "undefined values are refused", .run = undefined_values,
		.clause = DRV "MUST NOT set undefined feature, format, rate values" },
	{ .id = "SND-PSET-5", .title = "values that are not advertised are refused",
		.run = not_advertised, .clause = DRV "MUST NOT set what is not supported" },
	{ .id = "SND-PSET-6", .title = "channels within the range", .run = channels,
		.clause = DRV "channels MUST be in channels_min to channels_max" },
	{ .id = "SND-PSET-7", .title = "both shared memory features at once",
		.run = shared_memory, .clause = DRV "MUST NOT negotiate both" },
	{ .id = "SND-PSET-8", .title = "the padding byte is ignored", .run = padding,
		.recommended = true, .clause = DRV "the driver MUST zero it" },
	{ .id = "SND-PSET-9", .title = "frames go through the I/O queues", .clause = "",
		.untestable = "what goes elsewhere is shared memory: SND-PINF-6, SND-TX-2" },
	{ .id = "SND-PSET-10", .title = "sizes of zero", .run = zero_sizes,
		.clause = "VIRTIO_SND_R_PCM_SET_PARAMS: nothing can be played in them" },
	{ .id = "SND-PSET-11", .title = "periods of whole frames", .run = whole_frames,
		.recommended = true, .clause = "VIRTIO_SND_R_PCM_SET_PARAMS: silent" },
	{ .id = "SND-PSET-12", .title = "huge sizes do no harm", .run = huge_sizes,
		.clause = "a request is answered whatever the sizes" },
	{ .id = "SND-PSET-13", .title = "a refusal changes nothing",
		.run = refusal_changes_nothing, .recommended = true,
		.clause = "PCM Command Lifecycle: a failed request is no transition" },
	{ .id = "SND-PSET-14", .title = "the last SET_PARAMS counts", .run = last_one_counts,
		.clause = "PCM Command Lifecycle: SET_PARAMS may follow SET_PARAMS" },
	{ .id = "SND-PSET-15", .title = "parameters outlive RELEASE", .run = outlive_release,
		.clause = "PCM Command Lifecycle: PREPARE may follow RELEASE; Linux does that" },
	{ .id = "SND-PSET-16", .title = "with MSG_POLLING nobody kicks", .run = polling,
		.clause = "VIRTIO_SND_PCM_F_MSG_POLLING: the driver suppresses notifications" },
	{ 0 },
};
