/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the host's side has to say of a stream: may it reach the host, and how loud.
 *
 * Three things make a stream's gain: the permission (0 or 1), the host's own knob, and
 * the guest's elements.  Where the back-end can set the host's own volume, the
 * elements go there, and the device scales by the other two only.
 *
 * Between elements and host there are two opinions of one volume, and the host's is
 * finer.  `elements` is what the elements said last, `at_host` what the host has.
 * When the elements change, only what changed in them goes to the host; when the
 * host changes, the elements follow to their nearest step, which is not a change that
 * goes back.  Control thread.
 */
#include <errno.h>

#include "device/ctl.h"

static void set_goals(struct vsnd *dev, unsigned stream)
{
	const struct pcm *p = &dev->pcm[stream];
	double knob = p->mute || p->denied ? 0 : ctl_factor(p->millibels);
	float goal[VSND_CHANNELS_MAX];

	for (unsigned ch = 0; ch < VSND_CHANNELS_MAX; ch++) {
		double gain = p->elements.mute ? 0 : (double)p->elements.gain[ch];

		goal[ch] = (float)(dev->ops->voice_volume ? knob : knob * gain);
	}
	gain_set(&dev->stream[stream].gain, goal);
}

void volume_init(struct vsnd *dev, unsigned stream)
{
	struct pcm *p = &dev->pcm[stream];

	ctl_volume(dev, stream, &p->elements);
	p->at_host = p->elements;
	set_goals(dev, stream);
}

static void tell_host(struct vsnd *dev, struct pcm *p)
{
	struct vsnd_volume volume = p->at_host;

	volume.channels = p->params.channels;
	if (p->voice && p->params.has_volume)
		dev->ops->voice_volume(p->voice, &volume);
}

void volume_update(struct vsnd *dev, unsigned stream)
{
	struct pcm *p = &dev->pcm[stream];
	struct vsnd_volume now;

	ctl_volume(dev, stream, &now);
	for (unsigned ch = 0; ch < VSND_CHANNELS_MAX; ch++) {
		if (now.gain[ch] != p->elements.gain[ch])
			p->at_host.gain[ch] = now.gain[ch];
	}
	if (now.mute != p->elements.mute)
		p->at_host.mute = now.mute;
	p->elements = now;
	set_goals(dev, stream);
	tell_host(dev, p);
}

void volume_voice_opens(const struct vsnd *dev, struct pcm *p)
{
	struct vsnd_volume unused;

	p->params.denied = p->denied;
	p->params.has_volume = dev->ops->voice_volume &&
			       ctl_volume(dev, p->params.stream, &unused);
}

void volume_voice_opened(struct vsnd *dev, struct pcm *p)
{
	if (p->params.has_volume)
		tell_host(dev, p);
}

void vsnd_voice_volume_changed(struct vsnd_stream *s, const struct vsnd_volume *volume)
{
	struct vsnd *dev = s->dev;
	struct pcm *p = &dev->pcm[s->id];
	struct vsnd_volume was = p->at_host;

	for (unsigned ch = 0; ch < volume->channels; ch++)
		p->at_host.gain[ch] = volume->gain[ch];
	p->at_host.mute = volume->mute;
	ctl_take_volume(dev, s->id, &was, volume);
	ctl_volume(dev, s->id, &p->elements);
	event_run(dev);
}

struct rt_allow {
	struct vsnd_stream *stream;
	bool denied;
};

/* A stream at rest has nothing to fade, and is not to begin with what is denied. */
static void rt_allow(void *arg)
{
	const struct rt_allow *r = arg;

	r->stream->denied = r->denied;
	if (!stream_live(r->stream))
		gain_settle(&r->stream->gain);
}

int vsnd_stream_allow(struct vsnd *dev, unsigned stream, bool allowed)
{
	struct rt_allow r = { .denied = !allowed };
	struct pcm *p;

	if (stream >= dev->streams)
		return -EINVAL;
	p = &dev->pcm[stream];
	if (p->denied == !allowed)
		return 0;
	p->denied = !allowed;
	set_goals(dev, stream);
	r.stream = &dev->stream[stream];
	vsnd_audio_call(dev, rt_allow, &r);
	if (p->voice && dev->ops->voice_allow)
		dev->ops->voice_allow(p->voice, allowed);
	return 0;
}

int vsnd_stream_set_volume(struct vsnd *dev, unsigned stream, int32_t millibels, bool mute)
{
	struct pcm *p;

	if (stream >= dev->streams || millibels < VSND_MILLIBELS_MIN ||
	    millibels > VSND_MILLIBELS_MAX)
		return -EINVAL;
	p = &dev->pcm[stream];
	p->millibels = millibels;
	p->mute = mute;
	set_goals(dev, stream);
	return 0;
}
