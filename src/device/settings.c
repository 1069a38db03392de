/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Default settings, and the check of what an embedder wants instead.
 *
 * One bad item makes Linux refuse the whole card (channels, formats, rates,
 * directions, positions), so what the specification excludes is refused here,
 * before any guest sees it.
 */
#include <errno.h>
#include <string.h>

#include "device/ctl.h"

#define BIT64(n) (UINT64_C(1) << (n))
#define FORMAT_MASK (BIT64(VSND_FORMATS) - 1)
#define RATE_MASK (BIT64(VSND_RATES) - 1)
/* Rates from 12,000 and 24,000 Hz on are newer than today's Linux driver. */
#define RATE_MASK_1_2 (BIT64(VSND_RATE_12000) - 1)
/* Room for 160 ms (Linux' default buffer) of 18 channels of FLOAT64 at 384 kHz. */
#define BUFFER_BYTES_MAX (16u << 20)

/* HDA pin configurations: a line-out and a microphone on the rear, association 1 and 2. */
#define DEFCONF_LINE_OUT 0x81014010u
#define DEFCONF_MIC 0x81a19020u
#define CAPS_OUTPUT 0x10u
#define CAPS_INPUT 0x20u

#define DEFAULT_FORMATS (BIT64(VSND_FMT_S16) | BIT64(VSND_FMT_S32) | BIT64(VSND_FMT_FLOAT))
#define DEFAULT_RATES (BIT64(VSND_RATE_44100) | BIT64(VSND_RATE_48000) | BIT64(VSND_RATE_96000))

static const struct vsnd_stream_settings default_stream[] = {
	{
		.direction = VSND_OUTPUT,
		.channels_min = 1,
		.channels_max = 2,
		.formats = DEFAULT_FORMATS,
		.rates = DEFAULT_RATES,
	},
	{
		.direction = VSND_INPUT,
		.channels_min = 1,
		.channels_max = 2,
		.formats = DEFAULT_FORMATS,
		.rates = DEFAULT_RATES,
	},
};

static const struct vsnd_jack_settings default_jack[] = {
	{
		.defconf = DEFCONF_LINE_OUT,
		.caps = CAPS_OUTPUT,
		.connected = true,
	},
	{
		.defconf = DEFCONF_MIC,
		.caps = CAPS_INPUT,
		.connected = true,
	},
};

static const struct vsnd_chmap_settings default_chmap[] = {
	{
		.direction = VSND_OUTPUT,
		.channels = 1,
		.positions = { VSND_POS_MONO },
	},
	{
		.direction = VSND_OUTPUT,
		.channels = 2,
		.positions = { VSND_POS_FL, VSND_POS_FR },
	},
	{
		.direction = VSND_INPUT,
		.channels = 1,
		.positions = { VSND_POS_MONO },
	},
	{
		.direction = VSND_INPUT,
		.channels = 2,
		.positions = { VSND_POS_FL, VSND_POS_FR },
	},
};

void vsnd_settings_init(struct vsnd_settings *s)
{
	*s = (struct vsnd_settings){
		.streams = ARRAY_SIZE(default_stream),
		.jacks = ARRAY_SIZE(default_jack),
		.chmaps = ARRAY_SIZE(default_chmap),
		.stream = default_stream,
		.jack = default_jack,
		.chmap = default_chmap,
		.buffer_bytes_max = BUFFER_BYTES_MAX,
	};
}

static bool stream_ok(const struct vsnd_stream_settings *s)
{
	/* Formats whose samples are not whole bytes have no frame size. */
	if (!s->formats || (s->formats & ~FORMAT_MASK) ||
	    (s->formats & BIT64(VSND_FMT_IMA_ADPCM)))
		return false;
	if ((s->rates & ~RATE_MASK) || !(s->rates & RATE_MASK_1_2))
		return false;
	if (s->features & ~(uint32_t)VSND_STREAM_EVT_XRUNS)
		return false;
	return s->direction <= VSND_INPUT && s->channels_min > 0 &&
	       s->channels_min <= s->channels_max && s->channels_max <= VSND_CHANNELS_MAX;
}

/* A map belongs to the streams of its function group and direction. */
static bool chmap_ok(const struct vsnd_settings *s, const struct vsnd_chmap_settings *m)
{
	bool owned = false;

	if (m->channels == 0 || m->channels > VSND_CHANNELS_MAX)
		return false;
	for (unsigned i = 0; i < VSND_CHANNELS_MAX; i++) {
		if (m->positions[i] >= (i < m->channels ? VSND_POSITIONS : 1))
			return false;
	}
	for (unsigned i = 0; i < s->streams; i++)
		owned = owned || (s->stream[i].nid == m->nid &&
				  s->stream[i].direction == m->direction);
	return owned;
}

int settings_check(const struct vsnd_settings *s)
{
	if (!s->audio || s->streams == 0 || s->streams > VSND_STREAMS_MAX ||
	    s->jacks > VSND_JACKS_MAX || s->chmaps > VSND_CHMAPS_MAX || s->buffer_bytes_max == 0)
		return -EINVAL;
	if (!s->stream || (s->jacks && !s->jack) || (s->chmaps && !s->chmap))
		return -EINVAL;
	for (unsigned i = 0; i < s->streams; i++) {
		if (!stream_ok(&s->stream[i]))
			return -EINVAL;
	}
	if (!ctl_settings_ok(s))
		return -EINVAL;
	for (unsigned i = 0; i < s->jacks; i++) {
		if (s->jack[i].features & ~(uint32_t)VSND_JACK_REMAP)
			return -EINVAL;
	}
	for (unsigned i = 0; i < s->chmaps; i++) {
		if (!chmap_ok(s, &s->chmap[i]))
			return -EINVAL;
	}
	return 0;
}
