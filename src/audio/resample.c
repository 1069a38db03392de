/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/resample.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int resample_init(struct resample *r, uint32_t from_hz, uint32_t to_hz, unsigned channels,
		int quality)
{
	int err;

	*r = (struct resample){ .channels = channels, .ratio = (double)to_hz / from_hz };
	if (!src_is_valid_ratio(r->ratio))
		return -EINVAL;
	r->state = src_new(quality, (int)channels, &err);
	r->in = calloc((size_t)RESAMPLE_FRAMES * channels, sizeof(*r->in));
	if (r->state && r->in)
		return 0;
	resample_free(r);
	return -ENOMEM;
}

void resample_free(struct resample *r)
{
	if (r->state)
		src_delete(r->state);
	free(r->in);
	*r = (struct resample){ 0 };
}

void resample_filled(struct resample *r, size_t frames)
{
	assert(resample_is_empty(r) && frames <= RESAMPLE_FRAMES);
	r->at = 0;
	r->n = frames;
	r->held += (double)frames;
}

size_t resample_take(struct resample *r, float *dst, size_t frames, bool last)
{
	SRC_DATA d = {
		.data_in = r->in + r->at * r->channels,
		.input_frames = (long)(r->n - r->at),
		.data_out = dst,
		.output_frames = (long)frames,
		.end_of_input = last,
		.src_ratio = r->ratio,
	};
	/* It refuses what makes no sense, and nothing else. */
	int err = src_process(r->state, &d);

	assert(err == 0);
	(void)err;
	r->at += (size_t)d.input_frames_used;
	r->held -= (double)d.output_frames_gen / r->ratio;
	return (size_t)d.output_frames_gen;
}
