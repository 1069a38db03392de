/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From elements to gains: a channel's gain is the product of all volumes and
 * switches that are bound to its stream.  Control thread.
 */
#include "device/ctl.h"

/* 10^(1/2000) and its inverse: a hundredth of a dB as a factor. */
#define MILLIBEL_UP 1.00115195553816888
#define MILLIBEL_DOWN 0.99884936993650515

/* The factor that is @n hundredths of dB; no need for a library of mathematics. */
static double factor_of(int64_t n)
{
	double base = n < 0 ? MILLIBEL_DOWN : MILLIBEL_UP, r = 1;

	for (uint64_t k = (uint64_t)(n < 0 ? -n : n); k > 0; k >>= 1, base *= base) {
		if (k & 1)
			r *= base;
	}
	return r;
}

static bool binds(const struct vsnd *dev, const struct ctl *c, unsigned stream)
{
	if (c->is.access & VSND_CTL_INACTIVE)
		return false;
	if (c->is.bind == VSND_CTL_ALL)
		return c->is.direction == dev->pcm[stream].offer.direction;
	return c->is.bind == VSND_CTL_STREAM && c->is.stream == stream;
}

/* The gain of a bound element's member. */
static double member_gain(const struct ctl *c, uint32_t member)
{
	int64_t steps = c->value.integer[member] - c->is.min;

	if (c->is.role == VSND_CTL_ROLE_MUTE)
		return c->value.integer[member] ? 1 : 0;
	if (c->scale.mute && steps == 0)
		return 0;
	return factor_of(c->scale.min + steps * c->scale.step);
}

static void stream_update(struct vsnd *dev, unsigned stream)
{
	float goal[VSND_CHANNELS_MAX];

	for (uint32_t ch = 0; ch < VSND_CHANNELS_MAX; ch++) {
		double gain = 1;

		for (unsigned i = 0; i < dev->ctls; i++) {
			const struct ctl *c = &dev->ctl[i];

			if (binds(dev, c, stream))
				gain *= member_gain(c, ch < c->is.count ? ch : c->is.count - 1);
		}
		goal[ch] = (float)gain;
	}
	gain_set(&dev->stream[stream].gain, goal);
}

void ctl_gain_update(struct vsnd *dev, const struct ctl *changed)
{
	for (unsigned i = 0; i < dev->streams; i++) {
		if (binds(dev, changed, i))
			stream_update(dev, i);
	}
}

void ctl_gain_update_all(struct vsnd *dev)
{
	for (unsigned i = 0; i < dev->streams; i++)
		stream_update(dev, i);
}
