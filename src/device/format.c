/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables behind <vsnd/format.h>.  Byte order and justification are ALSA's
 * (little-endian, low-justified), and so is silence, which is not zero for
 * unsigned, companded and DSD formats.
 */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include <vsnd/format.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct vsnd_format_info formats[] = {
	[VSND_FMT_IMA_ADPCM] = { "IMA_ADPCM", 4, 0, { 0 } },
	[VSND_FMT_MU_LAW] = { "MU_LAW", 8, 1, { 0x7f } },
	[VSND_FMT_A_LAW] = { "A_LAW", 8, 1, { 0x55 } },
	[VSND_FMT_S8] = { "S8", 8, 1, { 0 } },
	[VSND_FMT_U8] = { "U8", 8, 1, { 0x80 } },
	[VSND_FMT_S16] = { "S16", 16, 2, { 0 } },
	[VSND_FMT_U16] = { "U16", 16, 2, { 0, 0x80 } },
	[VSND_FMT_S18_3] = { "S18_3", 18, 3, { 0 } },
	[VSND_FMT_U18_3] = { "U18_3", 18, 3, { 0, 0, 0x02 } },
	[VSND_FMT_S20_3] = { "S20_3", 20, 3, { 0 } },
	[VSND_FMT_U20_3] = { "U20_3", 20, 3, { 0, 0, 0x08 } },
	[VSND_FMT_S24_3] = { "S24_3", 24, 3, { 0 } },
	[VSND_FMT_U24_3] = { "U24_3", 24, 3, { 0, 0, 0x80 } },
	[VSND_FMT_S20] = { "S20", 20, 4, { 0 } },
	[VSND_FMT_U20] = { "U20", 20, 4, { 0, 0, 0x08 } },
	[VSND_FMT_S24] = { "S24", 24, 4, { 0 } },
	[VSND_FMT_U24] = { "U24", 24, 4, { 0, 0, 0x80 } },
	[VSND_FMT_S32] = { "S32", 32, 4, { 0 } },
	[VSND_FMT_U32] = { "U32", 32, 4, { 0, 0, 0, 0x80 } },
	[VSND_FMT_FLOAT] = { "FLOAT", 32, 4, { 0 } },
	[VSND_FMT_FLOAT64] = { "FLOAT64", 64, 8, { 0 } },
	[VSND_FMT_DSD_U8] = { "DSD_U8", 8, 1, { 0x69 } },
	[VSND_FMT_DSD_U16] = { "DSD_U16", 16, 2, { 0x69, 0x69 } },
	[VSND_FMT_DSD_U32] = { "DSD_U32", 32, 4, { 0x69, 0x69, 0x69, 0x69 } },
	[VSND_FMT_IEC958_SUBFRAME] = { "IEC958_SUBFRAME", 32, 4, { 0 } },
};
static_assert(ARRAY_SIZE(formats) == VSND_FORMATS, "a format has no row");

static const uint32_t rates[] = {
	[VSND_RATE_5512] = 5512,
	[VSND_RATE_8000] = 8000,
	[VSND_RATE_11025] = 11025,
	[VSND_RATE_16000] = 16000,
	[VSND_RATE_22050] = 22050,
	[VSND_RATE_32000] = 32000,
	[VSND_RATE_44100] = 44100,
	[VSND_RATE_48000] = 48000,
	[VSND_RATE_64000] = 64000,
	[VSND_RATE_88200] = 88200,
	[VSND_RATE_96000] = 96000,
	[VSND_RATE_176400] = 176400,
	[VSND_RATE_192000] = 192000,
	[VSND_RATE_384000] = 384000,
	[VSND_RATE_12000] = 12000,
	[VSND_RATE_24000] = 24000,
};
static_assert(ARRAY_SIZE(rates) == VSND_RATES, "a rate has no row");

static const char *const positions[] = {
	"NONE", "NA", "MONO", "FL", "FR", "RL", "RR", "FC", "LFE", "SL", "SR", "RC", "FLC",
	"FRC", "RLC", "RRC", "FLW", "FRW", "FLH", "FCH", "FRH", "TC", "TFL", "TFR", "TFC",
	"TRL", "TRR", "TRC", "TFLC", "TFRC", "TSL", "TSR", "LLFE", "RLFE", "BC", "BLC", "BRC",
};
static_assert(ARRAY_SIZE(positions) == VSND_POSITIONS, "a position has no name");

const struct vsnd_format_info *vsnd_format_info(unsigned format)
{
	return format < VSND_FORMATS ? &formats[format] : NULL;
}

int vsnd_format_from_name(const char *name)
{
	for (unsigned i = 0; i < VSND_FORMATS; i++) {
		if (strcmp(formats[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

const char *vsnd_position_name(unsigned position)
{
	return position < VSND_POSITIONS ? positions[position] : NULL;
}

int vsnd_position_from_name(const char *name)
{
	for (unsigned i = 0; i < VSND_POSITIONS; i++) {
		if (strcmp(positions[i], name) == 0)
			return (int)i;
	}
	return -1;
}

uint32_t vsnd_rate_hz(unsigned rate)
{
	return rate < VSND_RATES ? rates[rate] : 0;
}

int vsnd_rate_from_hz(uint32_t hz)
{
	for (unsigned i = 0; i < VSND_RATES; i++) {
		if (rates[i] == hz)
			return (int)i;
	}
	return -1;
}

/* One sample repeated: the whole fill is one memset where all its bytes are alike. */
void vsnd_silence(void *dst, unsigned format, size_t samples)
{
	const struct vsnd_format_info *f = &formats[format];
	uint8_t *p = dst;
	bool alike = true;

	for (unsigned i = 1; i < f->bytes; i++)
		alike = alike && f->silence[i] == f->silence[0];
	if (alike) {
		memset(p, f->silence[0], samples * f->bytes);
		return;
	}
	for (size_t i = 0; i < samples; i++, p += f->bytes)
		memcpy(p, f->silence, f->bytes);
}
