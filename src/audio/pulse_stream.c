/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One voice's pa_stream.
 *
 * The server keeps a queue for it and asks for what it has taken from there, which
 * is what the guest is asked for.  So that a request is what time has passed and no
 * more, the queue is filled with silence first.
 *
 * The guest's cycle is asked for with PA_STREAM_EARLY_REQUESTS: the sink then works
 * in cycles of that length, and each is a request.  With PA_STREAM_ADJUST_LATENCY the
 * length of the sink's cycles would be what the latency leaves when the queue has got
 * its share; without either flag it would be as long as the queue, and requests
 * would come late and in lumps.
 */
#include "audio/pulse.h"

#include <assert.h>
#include <stdio.h>

#include "audio/os.h"
#include "audio/pulse_format.h"

/* The server is alive. */
static void on_answer(pa_stream *s, void *data)
{
	struct vsnd_audio *a = data;

	(void)s;
	a->silent = false;
}

static pa_stream *new_stream(struct vsnd_voice *v)
{
	const struct vsnd_voice_params *params = &v->hosted.params;
	const struct audio_host_stream *own = &v->audio->config->stream[params->stream];
	pa_sample_spec spec = pulse_sample_spec(v->host_format, params);
	pa_proplist *props = pa_proplist_new();
	pa_channel_map map;
	char name[32];
	pa_stream *s;

	snprintf(name, sizeof(name), "%s %u",
		params->direction == VSND_INPUT ? "Capture" : "Playback", params->stream);
	pulse_channel_map(&map, params);
	if (own->properties)
		pulse_properties(props, own->properties);
	s = pa_stream_new_with_proplist(v->audio->context, name, &spec, &map, props);
	pa_proplist_free(props);
	return s;
}

int pulse_stream_create(struct vsnd_voice *v)
{
	const struct vsnd_voice_params *params = &v->hosted.params;
	const char *target = v->audio->config->stream[params->stream].target;
	bool loud = params->has_volume && v->level.words > 0;
	pa_cvolume level;
	pa_buffer_attr attr = pulse_buffer_attr(params, pace_clock_frames(&v->hosted.clock),
		v->host_bytes);
	pa_stream_flags_t flags = PA_STREAM_EARLY_REQUESTS | PA_STREAM_AUTO_TIMING_UPDATE |
		PA_STREAM_INTERPOLATE_TIMING;
	int err;

	v->stream = new_stream(v);
	if (!v->stream)
		return pa_context_errno(v->audio->context);
	pa_stream_set_latency_update_callback(v->stream, on_answer, v->audio);
	pa_stream_set_started_callback(v->stream, on_answer, v->audio);
	v->primed = false;
	v->corked = params->direction == VSND_OUTPUT && !v->hosted.running;
	if (v->corked)
		flags |= PA_STREAM_START_CORKED;
	/* Otherwise what the server remembers of the last stream would be heard for a moment. */
	if (loud)
		pulse_level(&level, &v->level.volume);
	if (loud && params->direction == VSND_OUTPUT)
		flags |= v->level.volume.mute ? PA_STREAM_START_MUTED : PA_STREAM_START_UNMUTED;
	if (params->direction == VSND_INPUT)
		err = pa_stream_connect_record(v->stream, target, &attr, flags);
	else
		err = pa_stream_connect_playback(v->stream, target, &attr, flags,
			loud ? &level : NULL, NULL);
	return err < 0 ? pa_context_errno(v->audio->context) : PA_OK;
}

void pulse_stream_destroy(struct vsnd_voice *v)
{
	pulse_volume_cancel(v);
	pa_stream_disconnect(v->stream);
	pa_stream_unref(v->stream);
	v->stream = NULL;
}

bool pulse_stream_ready(const struct vsnd_voice *v)
{
	return v->stream && pa_stream_get_state(v->stream) == PA_STREAM_READY;
}

/* The frames that the server wants and may have. */
static size_t wanted(const struct vsnd_voice *v)
{
	size_t bytes = pa_stream_writable_size(v->stream);
	size_t frames = bytes == (size_t)-1 ? 0 : bytes / v->host_bytes;

	if (!v->hosted.running && frames > v->hosted.ahead.level)
		return v->hosted.ahead.level;
	return frames;
}

static bool can_read(const struct vsnd_voice *v)
{
	size_t bytes = pa_stream_readable_size(v->stream);

	return bytes != (size_t)-1 && bytes > 0;
}

bool pulse_stream_has_work(const struct vsnd_voice *v)
{
	if (!pulse_stream_ready(v))
		return false;
	return v->hosted.params.direction == VSND_INPUT ? can_read(v) : wanted(v) > 0;
}

/* Until the server has told the delay: the queue and what is on its way to the sink. */
static int64_t assumed_delay(const struct vsnd_voice *v)
{
	const pa_buffer_attr *attr = pa_stream_get_buffer_attr(v->stream);

	if (v->hosted.params.direction == VSND_INPUT)
		return attr->fragsize / v->host_bytes;
	return (attr->tlength + attr->minreq) / v->host_bytes;
}

/*
 * Output: frames until the next one that is written is heard.  Input: since the next one that is
 * read was captured.
 */
static int64_t delay_frames(const struct vsnd_voice *v)
{
	pa_usec_t us;
	int negative;

	if (pa_stream_get_latency(v->stream, &us, &negative) < 0)
		return assumed_delay(v);
	if (negative)
		return 0;
	return (int64_t)(us * v->hosted.params.rate_hz / PA_USEC_PER_SEC);
}

int64_t pulse_stream_rest_ns(const struct vsnd_voice *v)
{
	int64_t frames;

	if (!pulse_stream_ready(v) || v->hosted.params.direction == VSND_INPUT)
		return 0;
	frames = delay_frames(v) + (int64_t)hosted_rest(&v->hosted);
	return frames * NS_PER_S / v->hosted.params.rate_hz;
}

/* Up to @frames frames at @dst for the server.  Returns how many. */
static size_t take(struct vsnd_voice *v, void *dst, size_t frames)
{
	if (!v->scratch) {
		hosted_piece(&v->hosted, dst, frames);
		return frames;
	}
	if (frames > v->scratch_frames)
		frames = v->scratch_frames;
	hosted_piece(&v->hosted, v->scratch, frames);
	convert_frames(&v->convert, dst, v->scratch, frames);
	return frames;
}

static size_t take_silence(struct vsnd_voice *v, void *dst, size_t frames)
{
	vsnd_silence(dst, v->host_format, frames * v->hosted.params.channels);
	return frames;
}

/* Have @source fill the server's own buffers.  What cannot be written is not taken either. */
static void write_frames(struct vsnd_voice *v, size_t frames,
		size_t (*source)(struct vsnd_voice *v, void *dst, size_t frames))
{
	while (frames > 0) {
		size_t n, bytes = frames * v->host_bytes;
		void *dst;

		if (pa_stream_begin_write(v->stream, &dst, &bytes) < 0 || bytes < v->host_bytes)
			return;
		n = bytes / v->host_bytes;
		n = source(v, dst, n < frames ? n : frames);
		pa_stream_write(v->stream, dst, n * v->host_bytes, NULL, 0, PA_SEEK_RELATIVE);
		frames -= n;
	}
}

static void move_output(struct vsnd_voice *v, int64_t now_ns)
{
	size_t frames = wanted(v);

	if (frames == 0)
		return;
	if (v->hosted.running && !v->primed) {
		v->primed = true;
		write_frames(v, frames, take_silence);
		return;
	}
	hosted_call(&v->hosted, frames, delay_frames(v), ++v->stamp, now_ns);
	write_frames(v, frames, take);
}

/* @src NULL: a hole in what was recorded. */
static void give(struct vsnd_voice *v, const uint8_t *src, size_t frames, int64_t age_frames,
		int64_t now_ns)
{
	while (frames > 0) {
		size_t n = frames;
		const uint8_t *from = src;

		if (v->scratch && src) {
			if (n > v->scratch_frames)
				n = v->scratch_frames;
			convert_frames(&v->convert, v->scratch, src, n);
			from = v->scratch;
		}
		age_frames -= (int64_t)n;
		hosted_give(&v->hosted, from, n, age_frames > 0 ? age_frames : 0, v->stamp, now_ns);
		if (src)
			src += n * v->host_bytes;
		frames -= n;
	}
}

/*
 * A source whose cycles are longer than the fragments that we asked for has its server send
 * some at once, which are one cycle then.
 */
static void note_arrival(struct vsnd_voice *v, size_t frames, int64_t now_ns)
{
	int64_t ns = (int64_t)frames * NS_PER_S / v->hosted.params.rate_hz;

	if (now_ns - v->arrival_ns > ns / 2)
		v->stamp++;
	v->arrival_ns = now_ns;
}

static void move_input(struct vsnd_voice *v, int64_t now_ns)
{
	while (can_read(v)) {
		const void *src;
		size_t bytes;

		if (pa_stream_peek(v->stream, &src, &bytes) < 0 || bytes == 0)
			return;
		note_arrival(v, bytes / v->host_bytes, now_ns);
		give(v, src, bytes / v->host_bytes, delay_frames(v), now_ns);
		pa_stream_drop(v->stream);
	}
}

void pulse_stream_move(struct vsnd_voice *v, int64_t now_ns)
{
	if (!pulse_stream_ready(v))
		return;
	if (v->hosted.params.direction == VSND_INPUT)
		move_input(v, now_ns);
	else
		move_output(v, now_ns);
}
