/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From elements to a stream's volume, and back.
 *
 * A channel's gain is the product of all volumes that are bound to its stream, and
 * of its switches; where all channels are switched off, the stream is mute and
 * keeps its gains.  What the host makes of a stream goes the other way into one
 * volume and one switch, to the nearest step.  Control thread.
 */
#include "device/ctl.h"

/* 10^(1/2000) and its inverse: a hundredth of a dB as a factor. */
#define MILLIBEL_UP 1.00115195553816888
#define MILLIBEL_DOWN 0.99884936993650515

/* No need for a library of mathematics. */
double ctl_factor(int64_t millibels)
{
	double base = millibels < 0 ? MILLIBEL_DOWN : MILLIBEL_UP, r = 1;
	uint64_t k = (uint64_t)(millibels < 0 ? -millibels : millibels);

	for (; k > 0; k >>= 1, base *= base) {
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

static bool is_switch(const struct ctl *c)
{
	return c->is.role == VSND_CTL_ROLE_MUTE;
}

/* The member that acts on a channel. */
static uint32_t member_of(const struct ctl *c, uint32_t channel)
{
	return channel < c->is.count ? channel : c->is.count - 1;
}

/* The gain of a volume that stands @steps above its smallest value. */
static double step_gain(const struct ctl *c, int64_t steps)
{
	if (c->scale.mute && steps == 0)
		return 0;
	return ctl_factor(c->scale.min + steps * c->scale.step);
}

/* The product of a stream's volumes in a channel, but for one (or NULL). */
static double volumes(const struct vsnd *dev, unsigned stream, uint32_t channel,
		      const struct ctl *but)
{
	double gain = 1;

	for (unsigned i = 0; i < dev->ctls; i++) {
		const struct ctl *c = &dev->ctl[i];

		if (c != but && !is_switch(c) && binds(dev, c, stream))
			gain *= step_gain(c, c->value.integer[member_of(c, channel)] - c->is.min);
	}
	return gain;
}

static bool switched_on(const struct vsnd *dev, unsigned stream, uint32_t channel)
{
	bool is_on = true;

	for (unsigned i = 0; i < dev->ctls; i++) {
		const struct ctl *c = &dev->ctl[i];

		if (is_switch(c) && binds(dev, c, stream))
			is_on = is_on && c->value.integer[member_of(c, channel)];
	}
	return is_on;
}

bool ctl_volume(const struct vsnd *dev, unsigned stream, struct vsnd_volume *ret)
{
	bool bound = false, on[VSND_CHANNELS_MAX];

	*ret = (struct vsnd_volume){ .channels = VSND_CHANNELS_MAX, .mute = true };
	for (unsigned i = 0; i < dev->ctls; i++)
		bound = bound || binds(dev, &dev->ctl[i], stream);
	for (uint32_t ch = 0; ch < VSND_CHANNELS_MAX; ch++) {
		on[ch] = switched_on(dev, stream, ch);
		ret->mute = ret->mute && !on[ch];
	}
	for (uint32_t ch = 0; ch < VSND_CHANNELS_MAX; ch++) {
		if (on[ch] || ret->mute)
			ret->gain[ch] = (float)volumes(dev, stream, ch, NULL);
	}
	return bound;
}

void ctl_act(struct vsnd *dev, const struct ctl *changed)
{
	for (unsigned i = 0; i < dev->streams; i++) {
		if (binds(dev, changed, i))
			volume_update(dev, i);
	}
}

static bool alone(const struct vsnd *dev, unsigned stream)
{
	unsigned n = 0;

	for (unsigned i = 0; i < dev->streams; i++)
		n += dev->pcm[i].offer.direction == dev->pcm[stream].offer.direction;
	return n == 1;
}

/* Where a change of the host's is shown: the stream's own, or one that is as good as its own. */
static struct ctl *shown_by(struct vsnd *dev, unsigned stream, bool a_switch)
{
	struct ctl *all = NULL;

	for (unsigned i = 0; i < dev->ctls; i++) {
		struct ctl *c = &dev->ctl[i];

		if (is_switch(c) != a_switch || !binds(dev, c, stream))
			continue;
		if (c->is.bind == VSND_CTL_STREAM)
			return c;
		if (!all)
			all = c;
	}
	return alone(dev, stream) ? all : NULL;
}

/* The steps above the smallest value whose gain is nearest, in dB. */
static int64_t nearest(const struct ctl *c, double gain)
{
	int64_t low = 0, high = c->is.max - c->is.min;

	/* The last one that is not louder. */
	while (low < high) {
		int64_t middle = low + (high - low + 1) / 2;

		if (step_gain(c, middle) <= gain)
			low = middle;
		else
			high = middle - 1;
	}
	if (low == c->is.max - c->is.min)
		return low;
	/* Silence has no dB: it is nearest to what is below half of the softest. */
	if (low == 0 && c->scale.mute)
		return gain >= step_gain(c, 1) / 2;
	return gain * gain < step_gain(c, low) * step_gain(c, low + 1) ? low : low + 1;
}

static void take_gains(struct vsnd *dev, unsigned stream, const struct vsnd_volume *was,
		       const struct vsnd_volume *now)
{
	struct ctl *c = shown_by(dev, stream, false);
	double loudest[VSND_CHANNELS_MAX];
	union vsnd_ctl_value value;

	if (!c)
		return;
	for (uint32_t ch = 0; ch < VSND_CHANNELS_MAX; ch++)
		loudest[ch] = -1;
	for (uint32_t ch = 0; ch < now->channels; ch++) {
		double others = volumes(dev, stream, ch, c);
		double *gain = &loudest[member_of(c, ch)];

		if (now->gain[ch] != was->gain[ch] && others > 0 &&
		    (double)now->gain[ch] / others > *gain)
			*gain = (double)now->gain[ch] / others;
	}
	value = c->value;
	for (uint32_t m = 0; m < c->is.count && m < VSND_CHANNELS_MAX; m++) {
		if (loudest[m] >= 0)
			value.integer[m] = (int32_t)(c->is.min + nearest(c, loudest[m]));
	}
	ctl_store(dev, c, &value);
}

static void take_mute(struct vsnd *dev, unsigned stream, bool mute)
{
	struct ctl *c = shown_by(dev, stream, true);
	union vsnd_ctl_value value;

	if (!c)
		return;
	value = c->value;
	for (uint32_t m = 0; m < c->is.count; m++)
		value.integer[m] = !mute;
	ctl_store(dev, c, &value);
}

void ctl_take_volume(struct vsnd *dev, unsigned stream, const struct vsnd_volume *was,
		     const struct vsnd_volume *now)
{
	take_gains(dev, stream, was, now);
	if (now->mute != was->mute)
		take_mute(dev, stream, now->mute);
}
