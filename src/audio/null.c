/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end that plays into nothing and records silence, at the guest's rate:
 * what the guest sends is taken when its time has passed and counted as discarded.
 *
 * In fast mode there is no clock: whenever the thread turns, the voice takes all that
 * the guest has queued.  That mode is for measuring what the way from the guest to the
 * host costs, so the frames are copied as they would be to a host, into a buffer that
 * is used over and over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audio/audio.h"
#include "audio/pace.h"

/* As large as a host's buffer may be, and small enough to stay in a cache. */
#define SINK_BYTES 65536
#define SINK_ALIGN 4096

struct vsnd_audio {
	struct pace *pace;
	uint8_t *sink;		/* fast mode; else NULL */
};

struct vsnd_voice {
	struct pace_voice base;
	uint8_t *sink;
	size_t sink_frames;
};

static int null_open(struct vsnd *dev, const void *config, struct vsnd_audio **ret_audio)
{
	const struct audio_null_config *c = config;
	struct vsnd_audio *a = calloc(1, sizeof(*a));
	int err = -ENOMEM;

	if (!a)
		return err;
	if (c && c->fast) {
		a->sink = aligned_alloc(SINK_ALIGN, SINK_BYTES);
		if (!a->sink)
			goto free_audio;
		memset(a->sink, 0, SINK_BYTES);
	}
	err = pace_create(dev, &a->pace);
	if (err < 0)
		goto free_audio;
	if (!a->sink)
		pace_realtime(a->pace, NULL);
	*ret_audio = a;
	return 0;

free_audio:
	free(a->sink);
	free(a);
	return err;
}

static void null_close(struct vsnd_audio *a)
{
	pace_destroy(a->pace);
	free(a->sink);
	free(a);
}

static void null_wake(struct vsnd_audio *a)
{
	pace_wake(a->pace);
}

static bool null_pull(struct pace_voice *v, size_t frames)
{
	vsnd_pull(v->stream, NULL, frames, -(int64_t)frames);
	return true;
}

static bool null_take(struct pace_voice *base, size_t frames)
{
	const struct vsnd_voice *v = (struct vsnd_voice *)base;

	for (size_t left = frames, n; left > 0; left -= n) {
		n = left < v->sink_frames ? left : v->sink_frames;
		vsnd_pull(base->stream, v->sink, n, 0);
	}
	return true;
}

static bool null_push(struct pace_voice *v, size_t frames)
{
	vsnd_push(v->stream, NULL, frames, 0);
	return true;
}

static int null_voice_open(struct vsnd_audio *a, struct vsnd_stream *stream,
		const struct vsnd_voice_params *params, struct vsnd_voice **ret_voice)
{
	struct vsnd_voice *v = calloc(1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	v->sink = a->sink;
	v->sink_frames = SINK_BYTES / params->frame_bytes;
	v->base.move = a->sink ? null_take : null_pull;
	if (params->direction == VSND_INPUT)
		v->base.move = null_push;
	v->base.has_clock = !a->sink;
	pace_voice_init(&v->base, a->pace, stream, params);
	*ret_voice = v;
	return 0;
}

static void null_voice_start(struct vsnd_voice *v)
{
	pace_voice_start(&v->base);
}

static void null_voice_stop(struct vsnd_voice *v)
{
	pace_voice_stop(&v->base);
}

static void flush(struct pace_voice *v)
{
	size_t frames = vsnd_stream_queued(v->stream);

	if (frames > 0)
		null_pull(v, frames);
}

static void null_voice_flush(struct vsnd_voice *v)
{
	pace_voice_call(&v->base, flush);
}

static void null_voice_close(struct vsnd_voice *v)
{
	free(v);
}

const struct vsnd_audio_ops audio_null_ops = {
	.name = "null",
	.open = null_open,
	.close = null_close,
	.wake = null_wake,
	.voice_open = null_voice_open,
	.voice_start = null_voice_start,
	.voice_stop = null_voice_stop,
	.voice_flush = null_voice_flush,
	.voice_close = null_voice_close,
};
