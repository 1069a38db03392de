/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/convert.h"

#include <assert.h>
#include <string.h>

#include "audio/sample.h"

static bool is_integer(unsigned format)
{
	enum sample_kind kind = sample_kind(format);

	return kind == SAMPLE_SIGNED || kind == SAMPLE_UNSIGNED;
}

bool convert_possible(unsigned from, unsigned to)
{
	if (from >= VSND_FORMATS || to >= VSND_FORMATS || vsnd_format_info(from)->bytes == 0)
		return false;
	return from == to || (is_integer(from) && is_integer(to));
}

bool convert_lossless(unsigned from, unsigned to)
{
	return convert_possible(from, to) &&
		vsnd_format_info(from)->width_bits <= vsnd_format_info(to)->width_bits;
}

void convert_init(struct convert *c, unsigned from, unsigned to, unsigned channels,
		const uint8_t *order)
{
	const struct vsnd_format_info *in = vsnd_format_info(from), *out = vsnd_format_info(to);

	assert(convert_possible(from, to) && channels > 0 && channels <= VSND_CHANNELS_MAX);
	*c = (struct convert){
		.channels = (uint8_t)channels,
		.in_bytes = in->bytes,
		.out_bytes = out->bytes,
		.same_format = from == to,
		.same = from == to,
	};
	for (unsigned i = 0; i < channels; i++) {
		c->order[i] = order ? order[i] : (uint8_t)i;
		assert(c->order[i] < channels);
		c->same = c->same && c->order[i] == i;
	}
	if (from == to)
		return;
	c->in_shift = (uint8_t)(32 - in->width_bits);
	c->out_shift = (uint8_t)(32 - out->width_bits);
	c->out_mask = UINT32_MAX;
	if (sample_kind(from) == SAMPLE_UNSIGNED)
		c->in_flip = UINT32_C(1) << 31;
	if (sample_kind(to) == SAMPLE_UNSIGNED) {
		c->out_flip = UINT32_C(1) << (out->width_bits - 1);
		c->out_mask >>= c->out_shift;
	}
}

/* x >> n with the sign coming in, for n < 32. */
static uint32_t shift_signed(uint32_t x, unsigned n)
{
	uint32_t sign = x >> 31 ? UINT32_MAX : 0;

	return n ? x >> n | sign << (32 - n) : x;
}

static void convert_sample(const struct convert *c, uint8_t *dst, const uint8_t *src)
{
	uint32_t x = 0;

	for (unsigned i = 0; i < c->in_bytes; i++)
		x |= (uint32_t)src[i] << 8 * i;
	x = (x << c->in_shift) ^ c->in_flip;
	x = (shift_signed(x, c->out_shift) ^ c->out_flip) & c->out_mask;
	for (unsigned i = 0; i < c->out_bytes; i++)
		dst[i] = (uint8_t)(x >> 8 * i);
}

void convert_frames(const struct convert *c, void *dst, const void *src, size_t frames)
{
	size_t in_frame = (size_t)c->in_bytes * c->channels;
	const uint8_t *in = src;
	uint8_t *out = dst;

	if (c->same) {
		memcpy(out, in, frames * in_frame);
		return;
	}
	for (size_t n = 0; n < frames; n++, in += in_frame) {
		for (unsigned i = 0; i < c->channels; i++, out += c->out_bytes) {
			const uint8_t *sample = in + (size_t)c->order[i] * c->in_bytes;

			if (c->same_format)
				memcpy(out, sample, c->out_bytes);
			else
				convert_sample(c, out, sample);
		}
	}
}
