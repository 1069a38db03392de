/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A gain for each channel of a stream.
 *
 * The control thread sets goals at any time; the audio thread takes them at its
 * next samples and goes there in 10 ms, so that a change does not click.  While
 * all gains are 1 the samples are not touched at all.  Formats without plain
 * samples (companded, DSD, IEC958) know only on and, at gain 0, off.
 */
#ifndef VSND_DEVICE_GAIN_H
#define VSND_DEVICE_GAIN_H

#include <stdatomic.h>
#include <stdbool.h>

#include <vsnd/format.h>

struct gain {
	/* Written by the control thread, read by the audio thread. */
	_Atomic float goal[VSND_CHANNELS_MAX];
	_Atomic unsigned version;	/* changes after the goals did */

	/* Audio thread. */
	unsigned taken;			/* the version that `to` has */
	bool plain;			/* all gains are 1, and stay so */
	uint32_t ramp_frames;		/* left until `now` is `to` */
	double now[VSND_CHANNELS_MAX], to[VSND_CHANNELS_MAX], step[VSND_CHANNELS_MAX];
};

void gain_init(struct gain *g);

/* Control thread.  @goal: linear, 0 and more, for each channel. */
void gain_set(struct gain *g, const float goal[VSND_CHANNELS_MAX]);

/* Audio thread.  A new sound begins: the goals hold at once. */
void gain_settle(struct gain *g);

/* Audio thread.  All gains are 1, and nobody wants them to be otherwise. */
bool gain_is_plain(const struct gain *g);

/* Audio thread.  All gains are 0, and nobody wants them to be otherwise. */
bool gain_is_silent(const struct gain *g);

/*
 * Audio thread.  Apply to @frames frames, or if @samples is NULL let only the time
 * pass.
 */
void gain_apply(struct gain *g, unsigned format, unsigned channels, uint32_t rate_hz,
		void *samples, size_t frames);

#endif
