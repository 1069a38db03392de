/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What elements do to the sound.  At -20 dB a sample is a tenth of what it was, which
 * can be so only if the device takes its bytes for what they are: so the volume
 * also tells how the device understands each format.
 */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/elements.h"
#include "probe/conform/hook.h"
#include "probe/conform/played.h"
#include "probe/names.h"

#define ROLE_PLAYBACK_VOLUME 2u
#define ROLE_PLAYBACK_MUTE   4u
#define TLV_DB_SCALE	     1u /* of ALSA */
#define MILLIBELS	     (-2000)

/* The first element of a role that the driver may set. */
static int find(struct conform *c, uint32_t role, struct element_info *e)
{
	struct answer a;
	uint32_t n;

	TRY(elements_up(c, &a, &n));
	TRY(hook_manual(c));
	e->id = UINT32_MAX;
	while (element_next(&a, n, A_READ | A_WRITE, A_VOLATILE | A_INACTIVE, e))
		if (e->role == role)
			return 0;
	return skip(c, "no control has the role %u", role);
}

static int set_all(struct conform *c, const struct element_info *e, int32_t x)
{
	uint8_t value[VALUE_BYTES] = { 0 };
	uint32_t status;

	for (uint32_t k = 0; k < e->count; k++)
		put32(value + (size_t)4 * k, (uint32_t)x);
	TRY(value_write(c, e->id, value, value_bytes(e), &status));
	INSIST_EQ(c, status, SND_S_OK, "CTL_WRITE of control %u", e->id);
	return 0;
}

/* A period from PREPARE to RELEASE; the messages take their time. */
static int play(struct conform *c, uint32_t out, const struct pcm_params *p, struct chain *ch)
{
	TRY(hook(c, "test-forget", "{}"));
	TRY(hook_prepare(c, out, p));
	TRY(chain_send(c, ch));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_advance(c, p->period_bytes / frame_bytes(p) - 1, 1));
	EXPECT(c, !ch->done, "the message came back a frame before its end");
	TRY(hook_advance(c, 1, 1));
	EXPECT(c, ch->done, "the message did not come back with its last frame");
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	return must_pcm(c, SND_R_PCM_RELEASE, out);
}

static int play_pattern(struct conform *c, uint32_t out, bool heard)
{
	struct pcm_params p = roomy_params(c, out, 8);
	struct chain ch;

	TRY(tx_init(c, &ch, out, p.period_bytes));
	pattern_fill(ch.out + XFER_BYTES, 0, p.period_bytes);
	TRY(play(c, out, &p, &ch));
	return hook_heard(c, out, 0, heard ? p.period_bytes : 0, heard ? 0 : p.period_bytes);
}

static int mute(struct conform *c)
{
	struct element_info e;
	uint32_t out;

	TRY(find(c, ROLE_PLAYBACK_MUTE, &e));
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
	TRY(play_pattern(c, out, true));
	TRY(set_all(c, &e, 0));
	TRY(play_pattern(c, out, false));
	TRY(set_all(c, &e, 1));
	return play_pattern(c, out, true);
}

/* It may be set; nobody hears of it. */
static int inactive(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	uint8_t value[VALUE_BYTES];
	struct answer a, before;
	uint32_t n, out, status;

	TRY(elements_up(c, &a, &n));
	TRY(hook_manual(c));
	if (!element_next(&a, n, A_READ | A_WRITE | A_INACTIVE, 0, &e))
		return skip(c, "no control is inactive");
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
	do {
		TRY(value_read(c, e.id, &before));
		value_other(&e, before.chain.in + 4, value);
		TRY(value_write(c, e.id, value, value_bytes(&e), &status));
		EXPECT_EQ(c, status, SND_S_OK, "CTL_WRITE of control %u", e.id);
		TRY(play_pattern(c, out, true));
	} while (element_next(&a, n, A_READ | A_WRITE | A_INACTIVE, 0, &e));
	return 0;
}

/* The volume at -20 dB, by the scale of its metadata. */
static int lower_volume(struct conform *c)
{
	struct element_info e;
	struct answer tlv;
	int32_t min, step;
	int64_t x;

	TRY(find(c, ROLE_PLAYBACK_VOLUME, &e));
	if (!(e.access & A_TLV_READ))
		return skip(c, "control %u does not tell its scale", e.id);
	TRY(element_ask(c, R_TLV_READ, e.id, NULL, 0, 4 + 16, &tlv));
	if (tlv.len < 20 || get32(tlv.chain.in + 4) != TLV_DB_SCALE)
		return skip(c, "control %u has no dB scale", e.id);
	min = (int32_t)get32(tlv.chain.in + 12);
	step = (int32_t)(get32(tlv.chain.in + 16) & 0xffff);
	x = step && (MILLIBELS - min) % step == 0 ? e.min + (MILLIBELS - min) / step : e.max + 1;
	if (x < e.min || x > e.max)
		return skip(c, "control %u has no value of -20 dB", e.id);
	return set_all(c, &e, (int32_t)x);
}

/* A whole number as a sample of a format. */
static void store(uint8_t *to, const struct pcm_format *f, int64_t x)
{
	float single = (float)x / (1 << 30);
	double twice = (double)x / (1 << 30);
	uint64_t raw = (uint64_t)x;

	if (f->kind == 'f' && f->bytes == 4) {
		memcpy(&raw, &single, 4);
		raw &= UINT32_MAX;
	} else if (f->kind == 'f') {
		memcpy(&raw, &twice, 8);
	} else if (f->kind == 'u') {
		raw += 1ULL << (f->bits - 1);
	}
	for (unsigned i = 0; i < f->bytes; i++)
		to[i] = (uint8_t)(raw >> 8 * i);
}

static int64_t load(const uint8_t *from, const struct pcm_format *f)
{
	uint64_t raw = 0;
	uint32_t low;
	float single;
	double twice;

	for (unsigned i = 0; i < f->bytes; i++)
		raw |= (uint64_t)from[i] << 8 * i;
	low = (uint32_t)raw;
	memcpy(&single, &low, 4);
	memcpy(&twice, &raw, 8);
	if (f->kind == 'f')
		return (int64_t)((f->bytes == 4 ? (double)single : twice) * (1 << 30));
	if (f->kind == 'u')
		return (int64_t)raw - (1LL << (f->bits - 1));
	return (int64_t)(raw << (64 - f->bits)) >> (64 - f->bits);
}

/* Half of full scale, and a quarter below: a tenth of them is heard. */
static int tenth_in(struct conform *c, uint32_t out, unsigned format)
{
	const struct pcm_format *f = &pcm_formats[format];
	struct pcm_params p = stream_params(c, out);
	unsigned bits = f->kind == 'f' ? 31 : f->bits;
	const int64_t level[2] = { (int64_t)1 << (bits - 2), -((int64_t)1 << (bits - 3)) };
	const int64_t slack = 10 * (1 + (level[0] >> 22)); /* a gain has 24 bits or more */
	const uint8_t *heard;
	struct chain ch;
	size_t n;

	p.format = (uint8_t)format;
	p.period_bytes = 100 * frame_bytes(&p);
	p.buffer_bytes = 8 * p.period_bytes;
	TRY(tx_init(c, &ch, out, p.period_bytes));
	for (uint32_t i = 0; i < p.period_bytes / f->bytes; i++)
		store(ch.out + XFER_BYTES + (size_t)i * f->bytes, f, level[i & 1]);
	TRY(play(c, out, &p, &ch));
	TRY(hook_played(c, out, &heard, &n));
	EXPECT_EQ(c, n, p.period_bytes, "bytes played in %s", f->name);
	for (uint32_t i = 0; i < n / f->bytes; i++) {
		int64_t got = load(heard + (size_t)i * f->bytes, f), off = 10 * got - level[i & 1];

		EXPECT(c, off <= slack && off >= -slack,
			"sample %u in %s: a tenth of %lld is heard as %lld", i, f->name,
			(long long)level[i & 1], (long long)got);
	}
	return 0;
}

static int volume(struct conform *c)
{
	bool all = c->scenario->arg;
	uint32_t out;

	TRY(lower_volume(c));
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
	for (unsigned f = 0; f < PCM_FORMATS; f++) {
		bool chosen = all || f == stream_params(c, out).format;

		if (chosen && c->pcm[out].formats & BIT(f) && pcm_formats[f].kind != '-')
			TRY(tenth_in(c, out, f));
	}
	return 0;
}

#define VAL "virtio 1.4, Sound Device, Control Element Value: "

const struct scenario hook_gain_scenarios[] = {
	{ .id = "SND-CVAL-8h", .title = "an inactive control has no effect", .run = inactive,
		.clause = "Control Element Information: INACTIVE" },
	{ .id = "SND-CVAL-9h", .title = "mute is silence at the sound's pace", .run = mute,
		.recommended = true, .clause = VAL "a role says what the value does" },
	{ .id = "SND-CVAL-9i", .title = "-20 dB is a tenth", .run = volume,
		.recommended = true, .clause = VAL "a role says what the value does" },
	{ .id = "SND-FMT-1h", .title = "byte order and justification of all formats",
		.run = volume, .arg = 1,
		.clause = "virtio 1.4, Sound Device, PCM_INFO: VIRTIO_SND_PCM_FMT_*, as in ALSA" },
	{ 0 },
};
