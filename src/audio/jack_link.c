/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One voice's ports, and the way of its samples: between the guest's format and
 * interleaved frames here, floats and a port for each channel there, and from one
 * rate to the other where they differ.
 *
 * What is put into a port is added to what is there: a new voice of a stream and
 * the one before it, which plays out what it has, share their ports.
 *
 * A connection that was made has its effect in the next cycle or the one after.  A link
 * waits for it, so that the begin of a sound is heard.  When it is connected while it plays or
 * records, the channels of a frame come one by one: there is silence until all have.
 *
 * An input's frames have their age when the device gets them: the latency of the
 * port is how long ago the first frame of a cycle came in, when the cycle begins.
 */
#include "audio/jack.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Cycles after which a connection that is not there has been taken away. */
#define WAIT_CYCLES 4

/* Port names tell channels by position, if each has one of its own. */
static bool have_positions(const struct vsnd_voice_params *params)
{
	uint64_t seen = 0;

	for (unsigned i = 0; i < params->channels; i++) {
		uint8_t position = params->positions[i];
		uint64_t bit = UINT64_C(1) << position;

		if (position <= VSND_POS_NA || position >= VSND_POSITIONS || (seen & bit))
			return false;
		seen |= bit;
	}
	return true;
}

static void name_port(char name[JACK_PORT_NAME_MAX], const struct vsnd_voice_params *params,
		unsigned channel)
{
	const char *way = params->direction == VSND_INPUT ? "capture" : "playback";

	if (have_positions(params))
		snprintf(name, JACK_PORT_NAME_MAX, "%s_%u_%s", way, params->stream,
			vsnd_position_name(params->positions[channel]));
	else
		snprintf(name, JACK_PORT_NAME_MAX, "%s_%u_%u", way, params->stream, channel + 1);
}

static int make_converters(struct jack_link *l)
{
	uint32_t from_hz = l->input ? l->host_hz : l->guest_hz;
	uint32_t to_hz = l->input ? l->guest_hz : l->host_hz;

	l->bytes = calloc(JACK_PIECE_FRAMES, l->frame_bytes);
	if (!l->bytes)
		return -ENOMEM;
	if (from_hz == to_hz)
		return 0;
	l->resampled = calloc((size_t)JACK_PIECE_FRAMES * l->channels, sizeof(*l->resampled));
	if (!l->resampled)
		return -ENOMEM;
	return resample_init(&l->resample, from_hz, to_hz, l->channels, SRC_SINC_FASTEST);
}

static int make_ports(struct jack_link *l, const struct vsnd_voice_params *params)
{
	char name[JACK_PORT_NAME_MAX];

	for (unsigned i = 0; i < l->channels; i++) {
		name_port(name, params, i);
		l->port[i] = jack_port_get(l->voice->audio, name, l->input);
		if (!l->port[i])
			return -EIO;
	}
	return 0;
}

int jack_link_create(struct vsnd_voice *v, struct jack_link **ret_link)
{
	const struct vsnd_voice_params *params = &v->hosted.params;
	struct jack_link *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	l->voice = v;
	l->input = params->direction == VSND_INPUT;
	l->channels = params->channels;
	l->frame_bytes = params->frame_bytes;
	l->guest_hz = params->rate_hz;
	l->host_hz = v->audio->host_hz;
	l->client = v->audio->client;
	sample_codec_init(&l->codec, params->format);
	err = make_converters(l);
	if (err == 0)
		err = make_ports(l, params);
	if (err < 0) {
		jack_link_free(l, false);
		return err;
	}
	*ret_link = l;
	return 0;
}

void jack_link_free(struct jack_link *l, bool gone)
{
	for (unsigned i = 0; i < l->channels && l->port[i]; i++)
		jack_port_put(l->voice->audio, l->port[i], gone);
	for (unsigned i = 0; i < l->channels; i++)
		free(l->peer[i]);
	resample_free(&l->resample);
	free(l->resampled);
	free(l->bytes);
	free(l);
}

static float *buffer(const struct jack_link *l, unsigned channel, jack_nframes_t frames)
{
	if (l->deaf)
		return NULL;
	return jack_port_get_buffer(l->port[channel]->port, frames);
}

void jack_link_silence(const struct jack_link *l, jack_nframes_t frames)
{
	for (unsigned i = 0; i < l->channels; i++) {
		float *to = jack_port_get_buffer(l->port[i]->port, frames);

		for (jack_nframes_t n = 0; to && n < frames; n++)
			to[n] = 0;
	}
}

static jack_nframes_t latency(const struct jack_link *l)
{
	jack_latency_range_t range = { 0 };

	jack_port_get_latency_range(l->port[0]->port,
		l->input ? JackCaptureLatency : JackPlaybackLatency, &range);
	return range.max;
}

static size_t piece_of(size_t frames)
{
	return frames < JACK_PIECE_FRAMES ? frames : JACK_PIECE_FRAMES;
}

/* The guest's frames in l->bytes, into the ports from @at on. */
static void put(const struct jack_link *l, const struct jack_cycle *c, size_t at, size_t frames)
{
	for (unsigned i = 0; i < l->channels; i++) {
		float *to = buffer(l, i, c->frames);
		const uint8_t *from = l->bytes + i * l->codec.bytes;

		for (size_t n = 0; to && n < frames; n++, from += l->frame_bytes)
			to[at + n] += (float)sample_get(&l->codec, from);
	}
}

static void play_same(struct jack_link *l, const struct jack_cycle *c, int64_t delay)
{
	hosted_call(&l->voice->hosted, c->frames, delay, c->stamp, c->now_ns);
	for (size_t at = 0, n; at < c->frames; at += n) {
		n = piece_of(c->frames - at);
		hosted_piece(&l->voice->hosted, l->bytes, n);
		put(l, c, at, n);
	}
}

static int64_t guest_frames(const struct jack_link *l, int64_t host_frames)
{
	return host_frames * l->guest_hz / l->host_hz;
}

/* Let the resampler have what @frames of the host's take, or a piece of it. */
static void feed(struct jack_link *l, const struct jack_cycle *c, size_t frames, int64_t delay)
{
	size_t samples, n = piece_of((size_t)ceil((double)frames / l->resample.ratio));
	const uint8_t *from = l->bytes;

	delay = guest_frames(l, delay) + (int64_t)l->resample.held;
	hosted_take(&l->voice->hosted, l->bytes, n, delay, c->stamp, c->now_ns);
	samples = n * l->channels;
	for (size_t i = 0; i < samples; i++, from += l->codec.bytes)
		l->resample.in[i] = (float)sample_get(&l->codec, from);
	resample_filled(&l->resample, n);
}

static void put_resampled(const struct jack_link *l, const struct jack_cycle *c, size_t at,
		size_t frames)
{
	for (unsigned i = 0; i < l->channels; i++) {
		float *to = buffer(l, i, c->frames);

		for (size_t n = 0; to && n < frames; n++)
			to[at + n] += l->resampled[n * l->channels + i];
	}
}

/* Each turn of the loop uses up what the resampler got, or gets something out of it. */
static void play_resampled(struct jack_link *l, const struct jack_cycle *c, int64_t delay)
{
	size_t at = 0, n;

	while (at < c->frames) {
		if (resample_is_empty(&l->resample))
			feed(l, c, c->frames - at, delay + (int64_t)at);
		n = resample_take(&l->resample, l->resampled, piece_of(c->frames - at), false);
		put_resampled(l, c, at, n);
		at += n;
	}
}

static void record_same(struct jack_link *l, const struct jack_cycle *c, int64_t age)
{
	for (size_t at = 0, n; at < c->frames; at += n) {
		n = piece_of(c->frames - at);
		for (unsigned i = 0; i < l->channels; i++) {
			const float *from = buffer(l, i, c->frames);
			uint8_t *to = l->bytes + i * l->codec.bytes;

			for (size_t k = 0; k < n; k++, to += l->frame_bytes)
				sample_put(&l->codec, to, from ? (double)from[at + k] : 0);
		}
		hosted_give(&l->voice->hosted, l->bytes, n, age + (int64_t)(c->frames - at - n),
			c->stamp, c->now_ns);
	}
}

static void get_resampled(struct jack_link *l, const struct jack_cycle *c, int64_t age)
{
	size_t n;

	while ((n = resample_take(&l->resample, l->resampled, JACK_PIECE_FRAMES, false)) > 0) {
		uint8_t *to = l->bytes;

		for (size_t i = 0; i < n * l->channels; i++, to += l->codec.bytes)
			sample_put(&l->codec, to, (double)l->resampled[i]);
		hosted_give(&l->voice->hosted, l->bytes, n,
			guest_frames(l, age + (int64_t)l->resample.held), c->stamp, c->now_ns);
	}
}

static void record_resampled(struct jack_link *l, const struct jack_cycle *c, int64_t age)
{
	for (size_t at = 0, n; at < c->frames; at += n) {
		n = piece_of(c->frames - at);
		for (unsigned i = 0; i < l->channels; i++) {
			const float *from = buffer(l, i, c->frames);

			for (size_t k = 0; k < n; k++)
				l->resample.in[k * l->channels + i] = from ? from[at + k] : 0;
		}
		resample_filled(&l->resample, n);
		get_resampled(l, c, age + (int64_t)(c->frames - at - n));
	}
}

static bool is_connected(struct jack_link *l)
{
	unsigned connects = atomic_load(&l->connects);

	if (connects == l->connects_seen)
		return true;
	if (connects == JACK_JOINING)
		return false;
	for (unsigned i = 0; i < connects && l->waited < WAIT_CYCLES; i++) {
		if (!jack_port_connected(l->port[i]->port)) {
			l->waited++;
			return false;
		}
	}
	l->waited = 0;
	l->connects_seen = connects;
	return true;
}

void jack_link_move(struct jack_link *l, const struct jack_cycle *c)
{
	int64_t frames = latency(l), since = c->since;

	l->deaf = !is_connected(l);
	l->moves = l->moves || !l->deaf;
	if (!l->moves)
		return;
	if (!l->input) {
		if (l->resample.state)
			play_resampled(l, c, frames - since);
		else
			play_same(l, c, frames - since);
		return;
	}
	/* Of the last frame of the cycle. */
	frames = frames > c->frames ? frames - c->frames : 0;
	if (l->resample.state)
		record_resampled(l, c, frames + since);
	else
		record_same(l, c, frames + since);
}
