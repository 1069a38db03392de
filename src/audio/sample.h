/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Samples of the guest's formats as numbers of -1 to 1, and back.
 *
 * A double holds every sample of up to 32 bits, and every float, exactly; so there
 * and back again is the same sample.  Padding bits are ignored when read and
 * are the sign (signed) or zero (unsigned) when written.
 *
 * Pure functions, safe on any thread, the audio thread too.
 */
#ifndef VSND_AUDIO_SAMPLE_H
#define VSND_AUDIO_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

/* What a format's samples are. */
enum sample_kind {
	SAMPLE_OPAQUE,		/* no numbers of a linear scale */
	SAMPLE_SIGNED,
	SAMPLE_UNSIGNED,
	SAMPLE_FLOAT
};

enum sample_kind sample_kind(unsigned format);

struct sample_codec {
	uint8_t kind;
	uint8_t bytes;
	uint8_t bits;
};

/* False for a format whose samples are no numbers of a linear scale. */
bool sample_codec_init(struct sample_codec *c, unsigned format);

/* What is no finite float is 0. */
double sample_get(const struct sample_codec *c, const uint8_t *src);

/*
 * Integers get the nearest value; what is too loud is cut off, what is no number is
 * silent.
 */
void sample_put(const struct sample_codec *c, uint8_t *dst, double sample);

#endif
