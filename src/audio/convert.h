/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of one sample format into frames of another, for sinks that cannot
 * hold what the guest sends, and channels into the order of the sink.
 *
 * Linear integer formats are converted into each other: the sample's most
 * significant bits stay the most significant bits, so a conversion to at least as
 * many bits is lossless, and one to fewer cuts.  Padding bits are ignored when
 * read and are the sign (signed) or zero (unsigned) when written.  Every other
 * format is only ever copied.
 *
 * Pure functions on caller's memory, safe on any thread, the audio thread too.
 */
#ifndef VSND_AUDIO_CONVERT_H
#define VSND_AUDIO_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vsnd/format.h>

struct convert {
	uint8_t channels;
	uint8_t in_bytes, out_bytes;	/* of a sample */
	bool same_format;	/* samples are copied */
	bool same;		/* and so are frames: nothing is to be done */
	uint8_t in_shift, out_shift;	/* between the sample and the upper end of 32 bits */
	uint32_t in_flip, out_flip;	/* the sign bit of unsigned formats, in place */
	uint32_t out_mask;	/* what an unsigned sample may have */
	uint8_t order[VSND_CHANNELS_MAX];
};

/* Whether frames of @from can become frames of @to, and without loss. */
bool convert_possible(unsigned from, unsigned to);
bool convert_lossless(unsigned from, unsigned to);

/*
 * @from, @to: a pair that is possible.  @order: channel i of the sink is channel
 * order[i] of the guest; NULL leaves them as they are.
 */
void convert_init(struct convert *c, unsigned from, unsigned to, unsigned channels,
		const uint8_t *order);

/* @dst and @src do not overlap. */
void convert_frames(const struct convert *c, void *dst, const void *src, size_t frames);

#endif
