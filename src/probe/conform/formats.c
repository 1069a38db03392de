/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is heard in each format, on each channel, at each rate.
 *
 * A back-end that writes files is restarted for each, so that each has a file.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/played.h"
#include "probe/conform/program.h"
#include "probe/names.h"

#define PERIODS 10
#define NEAR	(1. / 80) /* what the coarsest format is off by, and some */

/* One sample, little-endian, in the low bits. */
static void put_sample(uint8_t *p, const struct pcm_format *f, double value)
{
	int64_t x = (int64_t)(value * (double)(1ULL << (f->bits - 1)));

	if (f->kind == 'u')
		x += (int64_t)1 << (f->bits - 1);
	if (f->kind == 'f' && f->bytes == 4) {
		float single = (float)value;

		memcpy(&x, &single, sizeof(single));
	} else if (f->kind == 'f') {
		memcpy(&x, &value, sizeof(value));
	}
	for (unsigned i = 0; i < f->bytes; i++)
		p[i] = (uint8_t)((uint64_t)x >> 8 * i);
}

/* Of each channel, far from the others. */
static double value_of(unsigned channel)
{
	return (channel & 1 ? -1 : 1) * (0.25 + 0.03 * channel);
}

static void params_of(struct pcm_params *p, unsigned format, unsigned rate, unsigned channels)
{
	*p = (struct pcm_params){ .format = (uint8_t)format, .rate = (uint8_t)rate,
		.channels = (uint8_t)channels };
	p->period_bytes = rate_of(p) / 100 * frame_bytes(p);
	p->buffer_bytes = 4 * p->period_bytes;
}

static int play_values(struct conform *c, uint32_t out, const struct pcm_params *p)
{
	const struct pcm_format *f = &pcm_formats[p->format];
	struct chain ch[PERIODS];

	TRY(must_params(c, out, p));
	TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
	for (unsigned i = 0; i < PERIODS; i++) {
		TRY(tx_init(c, &ch[i], out, p->period_bytes));
		for (uint32_t at = 0, k = 0; at < p->period_bytes; at += f->bytes, k++)
			put_sample(ch[i].out + XFER_BYTES + at, f, value_of(k % p->channels));
		TRY(chain_send(c, &ch[i]));
	}
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, ch, PERIODS, answer_ms(c)));
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	return must_pcm(c, SND_R_PCM_RELEASE, out);
}

/* In whatever order: a file has its own for more than two channels. */
static bool frame_is_right(const double *frame, unsigned channels)
{
	for (unsigned k = 0; k < channels; k++) {
		unsigned found = 0;

		for (unsigned i = 0; i < channels; i++)
			found += fabs(frame[i] - value_of(k)) <= NEAR && (channels > 2 || i == k);
		if (found != 1)
			return false;
	}
	return true;
}

static bool frame_is_silent(const double *frame, unsigned channels)
{
	for (unsigned k = 0; k < channels; k++)
		if (fabs(frame[k]) > NEAR)
			return false;
	return true;
}

/* Silence may be around, nothing else. */
static int heard_right(struct conform *c, uint32_t out, const struct pcm_params *p)
{
	const char *name = pcm_formats[p->format].name;
	size_t frames = 0, right = 0, wrong = 0;
	double *v = NULL;

	TRY(played_values(c, out, p->channels, &v, &frames));
	for (size_t i = 0; i < frames; i++) {
		const double *frame = v + i * p->channels;

		right += frame_is_right(frame, p->channels);
		wrong += !frame_is_right(frame, p->channels) &&
			!frame_is_silent(frame, p->channels);
		if (wrong == 1)
			trace(c, "   frame %zu: %g, %g; should be %g, %g", i, frame[0],
				frame[p->channels - 1], value_of(0), value_of(p->channels - 1u));
	}
	free(v);
	EXPECT_EQ(c, wrong, 0, "frames that are heard otherwise than sent, in %s", name);
	EXPECT_EQ(c, right, PERIODS * p->period_bytes / frame_bytes(p),
		"frames that are heard as sent, in %s", name);
	return 0;
}

static int need_file(struct conform *c)
{
	return c->o->played && c->o->spawn ? 0
		: skip(c, "needs --spawn and --played to look at the sound");
}

/* Anew, for another file. */
static int restarted(struct conform *c, uint32_t *ret)
{
	TRY(program_restart(c, "%s", c->o->spawn));
	return up_with(c, SND_D_OUTPUT, ret);
}

static int every_format(struct conform *c)
{
	struct pcm_params usual, p;
	uint64_t formats;
	unsigned tried = 0;
	uint32_t out;

	TRY(need_file(c));
	TRY(up_with(c, SND_D_OUTPUT, &out));
	usual = stream_params(c, out);
	formats = c->pcm[out].formats;
	for (unsigned f = 0; f < PCM_FORMATS; f++) {
		if (!(formats & BIT(f)) || pcm_formats[f].kind == '-')
			continue;
		if (tried++) {
			TRY(restarted(c, &out));
		}
		params_of(&p, f, usual.rate, usual.channels);
		trace(c, "   %s", pcm_formats[f].name);
		TRY(play_values(c, out, &p));
		TRY(heard_right(c, out, &p));
	}
	return tried ? 0 : skip(c, "stream %u has no format of plain samples", out);
}

static int every_channel(struct conform *c)
{
	struct pcm_params p;
	uint32_t out;

	TRY(need_file(c));
	TRY(up_with(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	if (pcm_formats[p.format].kind == '-')
		return skip(c, "stream %u has no format of plain samples", out);
	if (c->pcm[out].channels_max <= 2)
		return skip(c, "stream %u has no more than two channels", out);
	params_of(&p, p.format, p.rate, c->pcm[out].channels_max);
	TRY(play_values(c, out, &p));
	return heard_right(c, out, &p);
}

/* 400 ms in messages of 10 ms, measured from the tenth on. */
static int pace_at(struct conform *c, uint32_t out, const struct pcm_params *p, int64_t *ret_ns)
{
	struct chain ch[40];

	TRY(must_params(c, out, p));
	TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
	for (unsigned i = 0; i < 40; i++)
		TRY(tx_send(c, &ch[i], out, p->period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, ch, 40, answer_ms(c)));
	*ret_ns = ch[39].done_ns - ch[9].done_ns;
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	return must_pcm(c, SND_R_PCM_RELEASE, out);
}

/* The nearest of a card's rates is no rate of its own: 44.1 is not 48 kHz. */
static int every_rate(struct conform *c)
{
	struct pcm_params usual, p;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	usual = stream_params(c, out);
	for (unsigned r = 0; r < PCM_RATES; r++) {
		int64_t best = 0, took;
		double off = 1;

		if (!(c->pcm[out].rates & BIT(r)))
			continue;
		params_of(&p, usual.format, r, usual.channels);
		for (unsigned tries = 0; tries < 4 && off > 0.04; tries++) {
			TRY(pace_at(c, out, &p, &took));
			if (!tries || fabs((double)took / 300e6 - 1) < off) {
				off = fabs((double)took / 300e6 - 1);
				best = took;
			}
		}
		trace(c, "   at %u Hz, 300 ms took %lld us", pcm_rates[r], (long long)best / 1000);
		EXPECT(c, off <= 0.04, "at %u Hz, 300 ms of sound take %lld ms", pcm_rates[r],
			(long long)best / 1000000);
	}
	return 0;
}

/* 5 ms messages do not come back in bursts of 100 ms. */
static int small_periods(struct conform *c)
{
	struct pcm_params p;
	struct chain ch[60];
	unsigned bursts = 0;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	p.period_bytes = rate_of(&p) / 200 * frame_bytes(&p);
	p.buffer_bytes = 12 * p.period_bytes;
	TRY(must_params(c, out, &p));
	TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
	for (unsigned i = 0; i < 60; i++)
		TRY(tx_send(c, &ch[i], out, p.period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, ch, 60, answer_ms(c)));
	for (unsigned i = 1; i < 60; i++)
		bursts += ch[i].done_ns - ch[i - 1].done_ns < 500000;
	EXPECT(c, bursts < 40, "%u of 60 messages of 5 ms came back together with another",
		bursts);
	return 0;
}

const struct scenario format_scenarios[] = {
	{ .id = "SND-FMT-1", .title = "byte order and justification of samples",
		.run = every_format, .limit_s = 60,
		.clause = "virtio 1.4: little-endian; ALSA: in the low bits" },
	{ .id = "PEER-Q16", .title = "each of the most channels is heard",
		.run = every_channel, .clause = "VIRTIO_SND_R_PCM_INFO: channels_max" },
	{ .id = "PEER-V19", .title = "each rate has its own pace", .run = every_rate,
		.recommended = true, .limit_s = 60, .clause = "PCM I/O Messages: the period clock" },
	{ .id = "PEER-V14", .title = "small messages come back one by one",
		.run = small_periods, .recommended = true,
		.clause = "PCM I/O Messages: a period has elapsed" },
	{ 0 },
};
