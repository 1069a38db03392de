/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interleaved float frames at another rate, by libsamplerate.  Everything is
 * allocated when it is made, so it may run on the audio thread.
 */
#ifndef VSND_AUDIO_RESAMPLE_H
#define VSND_AUDIO_RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <samplerate.h>

/* The most frames that go in at a time. */
#define RESAMPLE_FRAMES 1024

struct resample {
	/* Constant. */
	SRC_STATE *state;
	unsigned channels;
	double ratio;		/* frames that come out for one that goes in */
	float *in;		/* RESAMPLE_FRAMES, for the caller to fill */

	size_t at, n;		/* what of them has been used, and how many there are */
	double held;		/* frames that went in and have not come out */
};

/* @quality: SRC_SINC_….  0, -EINVAL for rates that are too far apart, -ENOMEM. */
int resample_init(struct resample *r, uint32_t from_hz, uint32_t to_hz, unsigned channels,
		int quality);
/* A zeroed one is fine. */
void resample_free(struct resample *r);

/* All that went in has been used: the caller may fill `in`, and says with how much. */
static inline bool resample_is_empty(const struct resample *r)
{
	return r->at == r->n;
}
void resample_filled(struct resample *r, size_t frames);

/*
 * At most @frames at the new rate; 0 when more has to go in.  @last: nothing more
 * will, so the rest comes out, too.
 */
size_t resample_take(struct resample *r, float *dst, size_t frames, bool last);

#endif
