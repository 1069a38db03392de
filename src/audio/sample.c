/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/sample.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include <vsnd/format.h>

static const uint8_t kinds[VSND_FORMATS] = {
	[VSND_FMT_S8] = SAMPLE_SIGNED,
	[VSND_FMT_U8] = SAMPLE_UNSIGNED,
	[VSND_FMT_S16] = SAMPLE_SIGNED,
	[VSND_FMT_U16] = SAMPLE_UNSIGNED,
	[VSND_FMT_S18_3] = SAMPLE_SIGNED,
	[VSND_FMT_U18_3] = SAMPLE_UNSIGNED,
	[VSND_FMT_S20_3] = SAMPLE_SIGNED,
	[VSND_FMT_U20_3] = SAMPLE_UNSIGNED,
	[VSND_FMT_S24_3] = SAMPLE_SIGNED,
	[VSND_FMT_U24_3] = SAMPLE_UNSIGNED,
	[VSND_FMT_S20] = SAMPLE_SIGNED,
	[VSND_FMT_U20] = SAMPLE_UNSIGNED,
	[VSND_FMT_S24] = SAMPLE_SIGNED,
	[VSND_FMT_U24] = SAMPLE_UNSIGNED,
	[VSND_FMT_S32] = SAMPLE_SIGNED,
	[VSND_FMT_U32] = SAMPLE_UNSIGNED,
	[VSND_FMT_FLOAT] = SAMPLE_FLOAT,
	[VSND_FMT_FLOAT64] = SAMPLE_FLOAT,
};

enum sample_kind sample_kind(unsigned format)
{
	return format < VSND_FORMATS ? kinds[format] : SAMPLE_OPAQUE;
}

bool sample_codec_init(struct sample_codec *c, unsigned format)
{
	if (sample_kind(format) == SAMPLE_OPAQUE)
		return false;
	*c = (struct sample_codec){
		.kind = kinds[format],
		.bytes = vsnd_format_info(format)->bytes,
		.bits = vsnd_format_info(format)->width_bits,
	};
	return true;
}

static double get_float(uint64_t bits, unsigned bytes)
{
	uint32_t narrow_bits = (uint32_t)bits;
	float narrow;
	double value;

	if (bytes == sizeof(narrow)) {
		memcpy(&narrow, &narrow_bits, sizeof(narrow));
		value = (double)narrow;
	} else {
		memcpy(&value, &bits, sizeof(value));
	}
	return fabs(value) <= (double)FLT_MAX ? value : 0;
}

double sample_get(const struct sample_codec *c, const uint8_t *src)
{
	uint64_t bits = 0;
	int64_t value;

	for (unsigned i = 0; i < c->bytes; i++)
		bits |= (uint64_t)src[i] << (8 * i);
	if (c->kind == SAMPLE_FLOAT)
		return get_float(bits, c->bytes);
	/* The sample with its sign bit at the upper end of 32. */
	bits = (bits << (32 - c->bits)) & UINT32_MAX;
	value = (int64_t)(c->kind == SAMPLE_SIGNED ? bits ^ UINT64_C(0x80000000) : bits);
	return (double)(value - INT64_C(0x80000000)) / (double)INT64_C(0x80000000);
}

static uint64_t put_float(double sample, unsigned bytes)
{
	float narrow = (float)sample;
	uint32_t narrow_bits;
	uint64_t bits;

	if (bytes == sizeof(narrow)) {
		memcpy(&narrow_bits, &narrow, sizeof(narrow));
		return narrow_bits;
	}
	memcpy(&bits, &sample, sizeof(bits));
	return bits;
}

static int64_t quantize(double sample, unsigned bits)
{
	double top = (double)(INT64_C(1) << (bits - 1));
	double value = rint(sample * top);

	if (isnan(value))
		return 0;
	if (value > top - 1)
		value = top - 1;
	return value < -top ? -(int64_t)top : (int64_t)value;
}

void sample_put(const struct sample_codec *c, uint8_t *dst, double sample)
{
	uint64_t bits;

	if (c->kind == SAMPLE_FLOAT)
		bits = put_float(sample, c->bytes);
	else
		bits = (uint64_t)quantize(sample, c->bits);
	if (c->kind == SAMPLE_UNSIGNED)
		bits += UINT64_C(1) << (c->bits - 1);
	for (unsigned i = 0; i < c->bytes; i++)
		dst[i] = (uint8_t)(bits >> (8 * i));
}
