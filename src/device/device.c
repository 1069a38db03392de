/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device as a whole: making and ending it, features, configuration space,
 * reset.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/ctl.h"

#define OFFERED                                                                                    \
	(UINT64_C(1) << VSND_F_VERSION_1 | UINT64_C(1) << VSND_F_INDIRECT_DESC |                   \
	 UINT64_C(1) << VSND_F_EVENT_IDX)

static void *copy_array(const void *src, size_t n, size_t size)
{
	void *dst = calloc(n ? n : 1, size);

	if (dst && n)
		memcpy(dst, src, n * size);
	return dst;
}

static void device_free(struct vsnd *dev)
{
	queue_free_all(dev);
	mem_free(atomic_load(&dev->mem));
	sem_destroy(&dev->call_done);
	free(dev->jack);
	free(dev->chmap);
	ctls_free(dev);
	free(dev->pcm);
	free(dev->stream);
	free(dev);
}

static struct vsnd *device_alloc(const struct vsnd_settings *s)
{
	struct vsnd *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return NULL;
	sem_init(&dev->call_done, 0, 0);
	dev->cb = s->callbacks;
	dev->ctx = s->ctx;
	dev->ops = s->audio;
	dev->streams = s->streams;
	dev->jacks = s->jacks;
	dev->chmaps = s->chmaps;
	dev->buffer_bytes_max = s->buffer_bytes_max;
	dev->jack = calloc(s->jacks ? s->jacks : 1, sizeof(*dev->jack));
	dev->chmap = copy_array(s->chmap, s->chmaps, sizeof(*s->chmap));
	dev->pcm = calloc(s->streams, sizeof(*dev->pcm));
	dev->stream = calloc(s->streams, sizeof(*dev->stream));
	io_init(&dev->txq, dev, VSND_TXQ);
	io_init(&dev->rxq, dev, VSND_RXQ);
	if (!dev->jack || !dev->chmap || !dev->pcm || !dev->stream || ctls_init(dev, s) < 0) {
		device_free(dev);
		return NULL;
	}
	for (unsigned i = 0; i < s->jacks; i++)
		jack_init(&dev->jack[i], &s->jack[i]);
	for (unsigned i = 0; i < s->streams; i++) {
		dev->pcm[i].offer = s->stream[i];
		io_stream_init(&dev->stream[i], dev, i);
	}
	for (unsigned i = 0; i < s->streams; i++)
		volume_init(dev, i);
	return dev;
}

int vsnd_create(const struct vsnd_settings *s, struct vsnd **ret_dev)
{
	struct vsnd *dev;
	int err = settings_check(s);

	if (err < 0)
		return err;
	dev = device_alloc(s);
	if (!dev)
		return -ENOMEM;
	err = dev->ops->open(dev, s->audio_config, &dev->audio);
	if (err < 0) {
		device_free(dev);
		return err;
	}
	*ret_dev = dev;
	return 0;
}

void vsnd_destroy(struct vsnd **pdev)
{
	struct vsnd *dev = *pdev;

	if (!dev)
		return;
	vsnd_reset(dev);
	dev->ops->close(dev->audio);
	device_free(dev);
	*pdev = NULL;
}

uint64_t vsnd_features(const struct vsnd *dev)
{
	return OFFERED | (uint64_t)(dev->ctls > 0) << VSND_F_CTLS;
}

int vsnd_set_features(struct vsnd *dev, uint64_t features)
{
	if ((features & ~vsnd_features(dev)) || !(features >> VSND_F_VERSION_1 & 1))
		return -EINVAL;
	if (features == dev->features)
		return 0;
	for (unsigned q = 0; q < VSND_QUEUES; q++) {
		if (dev->queue[q].started)
			return -EBUSY;
	}
	dev->features = features;
	return 0;
}

void vsnd_config_read(const struct vsnd *dev, uint32_t offset, void *buf, size_t len)
{
	uint8_t config[VSND_CONFIG_SIZE];
	size_t n = 0;

	wire_config_encode(config, dev->jacks, dev->streams, dev->chmaps, dev->ctls);
	if (offset < sizeof(config))
		n = len < sizeof(config) - offset ? len : sizeof(config) - offset;
	if (n)
		memcpy(buf, config + offset, n);
	memset((uint8_t *)buf + n, 0, len - n);
}

static void rt_forget_all(void *arg)
{
	struct vsnd *dev = arg;

	io_forget(&dev->txq);
	io_forget(&dev->rxq);
}

void vsnd_reset_state(struct vsnd *dev)
{
	pcm_reset(dev);
	jack_reset(dev);
	ctls_reset(dev);
	vsnd_audio_call(dev, rt_forget_all, dev);
}

void vsnd_reset(struct vsnd *dev)
{
	queue_reset_all(dev);
	vsnd_reset_state(dev);
}

void vsnd_run(struct vsnd *dev)
{
	if (atomic_exchange(&dev->service, false) && dev->ops->service)
		dev->ops->service(dev->audio);
	pcm_update_voices(dev);
	control_run(dev);
	event_run(dev);
}

bool vsnd_host_connected(const struct vsnd *dev)
{
	return !dev->ops->connected || dev->ops->connected(dev->audio);
}

int vsnd_stream_status(const struct vsnd *dev, unsigned stream, struct vsnd_stream_status *ret)
{
	const struct pcm *p;

	if (stream >= dev->streams)
		return -EINVAL;
	p = &dev->pcm[stream];
	*ret = (struct vsnd_stream_status){
		.state = (uint8_t)p->state,
		.direction = p->offer.direction,
		.allowed = !p->denied,
		.mute = p->mute,
		.millibels = p->millibels,
	};
	if (p->state == PCM_INIT)
		return 0;
	ret->format = p->params.format;
	ret->channels = p->params.channels;
	ret->rate_hz = p->params.rate_hz;
	ret->period_frames = p->params.period_frames;
	ret->buffer_frames = p->params.buffer_frames;
	return 0;
}

void vsnd_stats(const struct vsnd *dev, struct vsnd_stats *ret)
{
	*ret = dev->stats;
}

int vsnd_stream_stats(const struct vsnd *dev, unsigned stream, struct vsnd_stream_stats *ret)
{
	const struct stream_counters *c;

	if (stream >= dev->streams)
		return -EINVAL;
	c = &dev->stream[stream].counters;
	*ret = (struct vsnd_stream_stats){
		.messages = atomic_load_explicit(&c->messages, memory_order_relaxed),
		.errors = atomic_load_explicit(&c->errors, memory_order_relaxed),
		.frames = atomic_load_explicit(&c->frames, memory_order_relaxed),
		.discarded = atomic_load_explicit(&c->discarded, memory_order_relaxed),
		.silence = atomic_load_explicit(&c->silence, memory_order_relaxed),
		.xruns = atomic_load_explicit(&c->xruns, memory_order_relaxed),
		.latency_bytes = atomic_load_explicit(&c->latency_bytes, memory_order_relaxed),
	};
	return 0;
}
