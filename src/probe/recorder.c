/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One stream's recording.
 *
 * A guest driver has a ring of periods.  Each is a message of room; it goes back
 * to the device empty as soon as it has returned full.  A device may return one
 * that is not full only at the end, by RELEASE, and says how full it is with the
 * used length, whose bytes it must have written: each message is poisoned before
 * it is queued, so that one that claims more is found.
 */
#include "probe/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe/names.h"
#include "probe/report.h"

#define POISON 0xa5
/* So many bytes of poison in a row are no sound. */
#define POISON_RUN 32u

static int choose_format(struct recorder *r, const struct pcm_info *info)
{
	int format = r->o->format >= 0 ? r->o->format : pcm_format_find("S16");

	if (!(info->formats & BIT(format)))
		return complain(-EINVAL, "stream %u does not offer the format %s", r->stream,
			pcm_formats[format].name);
	r->params.format = (uint8_t)format;
	return 0;
}

static int choose_params(struct recorder *r, const struct pcm_info *info)
{
	uint32_t channels = r->o->channels ? r->o->channels : info->channels_max > 1 ? 2 : 1;
	uint32_t hz = r->o->rate_hz ? r->o->rate_hz : 48000;
	int rate = pcm_rate_find(hz);

	if (info->direction != SND_D_INPUT)
		return complain(-EINVAL, "stream %u is no input", r->stream);
	if (channels < info->channels_min || channels > info->channels_max)
		return complain(-EINVAL, "%u channels, but stream %u has %u to %u", channels,
			r->stream, info->channels_min, info->channels_max);
	if (rate < 0 || !(info->rates & BIT(rate)))
		return complain(-EINVAL, "stream %u does not offer %u Hz", r->stream, hz);
	r->params.channels = (uint8_t)channels;
	r->params.rate = (uint8_t)rate;
	return choose_format(r, info);
}

static int choose_sizes(struct recorder *r)
{
	uint32_t hz = pcm_rates[r->params.rate];
	uint32_t buffer = r->o->buffer_frames;

	r->frame_bytes = r->params.channels * (uint32_t)pcm_formats[r->params.format].bytes;
	r->period_frames = r->o->period_frames ? r->o->period_frames : hz / 50;
	if (!buffer)
		buffer = 4 * r->period_frames;
	if (buffer % r->period_frames)
		return complain(-EINVAL, "a buffer of %u frames is not whole periods of %u", buffer,
			r->period_frames);
	if ((uint64_t)buffer * r->frame_bytes > UINT32_MAX)
		return complain(-EINVAL, "a buffer of %u frames is too large", buffer);
	r->slots = buffer / r->period_frames;
	r->params.period_bytes = r->period_frames * r->frame_bytes;
	r->params.buffer_bytes = buffer * r->frame_bytes;
	r->frames = r->o->frames ? r->o->frames : (uint64_t)r->o->seconds * hz;
	return 0;
}

static int allocate(struct recorder *r)
{
	int err = 0;

	r->buffer = mem_alloc(&r->s->mem, r->params.buffer_bytes, 64);
	r->message = calloc(r->slots, sizeof(*r->message));
	if (!r->buffer || !r->message)
		return complain(-ENOMEM, "no memory for a buffer of %u bytes",
			r->params.buffer_bytes);
	for (uint32_t i = 0; i < r->slots && !err; i++)
		err = io_message_init(r->s, &r->message[i], r, r->stream);
	return err;
}

int recorder_open(struct recorder *r, struct sound *s, const struct options *o, uint32_t stream)
{
	struct pcm_info info;
	int err;

	*r = (struct recorder){ .s = s, .o = o, .stream = stream };
	err = sound_pcm_info(s, stream, &info);
	if (!err)
		err = choose_params(r, &info);
	if (!err)
		err = choose_sizes(r);
	if (!err)
		err = allocate(r);
	if (!err) {
		r->sink = sink_open(o->file, r->params.format, r->params.channels,
			pcm_rates[r->params.rate]);
		err = r->sink ? 0 : -EINVAL;
	}
	if (err < 0)
		recorder_close(r);
	return err;
}

int recorder_close(struct recorder *r)
{
	int err = sink_close(r->sink);

	free(r->message);
	samples_free(&r->gaps);
	samples_free(&r->latencies);
	memset(r, 0, sizeof(*r));
	return err;
}

static uint64_t message_data(const struct recorder *r, uint64_t n)
{
	return r->buffer + n % r->slots * r->params.period_bytes;
}

/* Queues every message that is here. */
static void place(struct recorder *r)
{
	while (r->placed < r->done + r->slots) {
		struct io_message *m = &r->message[r->placed % r->slots];
		uint64_t data = message_data(r, r->placed);

		memset(mem_va(&r->s->mem, data), POISON, r->params.period_bytes);
		m->number = r->placed;
		if (sound_place(r->s, m, data, r->params.period_bytes, r->o->pieces) < 0) {
			r->ring_full++;
			break;
		}
		r->placed++;
	}
	ring_kick(&r->s->ring[Q_RX]);
}

static void measure(struct recorder *r, uint32_t latency_bytes)
{
	int64_t now = now_ns();

	if (!r->gap_void)
		samples_add(&r->gaps, now - r->last_done_ns);
	r->gap_void = false;
	r->last_done_ns = r->progress_ns = now;
	samples_add(&r->latencies, latency_bytes);
}

/* Whether the end of what is said to be written is poison still. */
static bool is_unwritten(const uint8_t *data, uint32_t bytes)
{
	if (bytes < POISON_RUN)
		return false;
	for (uint32_t i = bytes - POISON_RUN; i < bytes; i++)
		if (data[i] != POISON)
			return false;
	return true;
}

/* What a message brought; it is in order. */
static void keep(struct recorder *r, const struct io_message *m, uint32_t len)
{
	const uint8_t *data = mem_va(&r->s->mem, message_data(r, m->number));
	uint32_t bytes = len - STATUS_BYTES;
	uint64_t left = r->frames - r->frames_done, frames;

	r->unwritten += is_unwritten(data, bytes);
	if (r->state == RECORDER_RELEASING)
		r->bytes_released += bytes;
	frames = bytes / r->frame_bytes;
	if (frames > left)
		frames = left;
	if (!r->write_error)
		r->write_error = sink_write(r->sink, data, (uint32_t)frames);
	r->frames_done += frames;
}

static bool length_is_good(const struct recorder *r, const struct io_message *m, uint32_t len)
{
	if (r->state == RECORDER_RELEASING)
		return len >= STATUS_BYTES && len <= m->bytes + STATUS_BYTES &&
			(len - STATUS_BYTES) % r->frame_bytes == 0;
	return len == m->bytes + STATUS_BYTES;
}

void recorder_done(struct recorder *r, struct io_message *m, uint32_t status,
	uint32_t latency_bytes, uint32_t len)
{
	if (m->number != r->done)
		r->out_of_order++;
	if (status != SND_S_OK && !r->status_errors++)
		r->bad_status = status;
	if (r->state == RECORDER_PAUSED)
		r->while_paused++;
	r->done++;
	if (length_is_good(r, m, len))
		keep(r, m, len);
	else if (!r->length_errors++)
		r->bad_length = len;
	if (r->state == RECORDER_RELEASING)
		return;
	measure(r, latency_bytes);
	if (!r->held)
		place(r);
}

int recorder_start(struct recorder *r)
{
	int err = sound_set_params(r->s, r->stream, &r->params);

	if (!err)
		err = sound_pcm(r->s, SND_R_PCM_PREPARE, r->stream);
	if (err < 0)
		return err;
	place(r);
	if (!r->placed)
		return complain(-ENOSPC, "a message of %u descriptors does not fit in the queue",
			r->o->pieces);
	r->gap_void = true;
	r->started_ns = r->progress_ns = now_ns();
	r->state = RECORDER_RUNNING;
	return sound_pcm(r->s, SND_R_PCM_START, r->stream);
}

static int pause_stream(struct recorder *r)
{
	int err;

	r->paused_once = true;
	err = sound_pcm(r->s, SND_R_PCM_STOP, r->stream);
	r->run_ns += now_ns() - r->started_ns;
	r->resume_ns = now_ns() + (int64_t)r->o->pause_ms * 1000000;
	r->state = RECORDER_PAUSED;
	return err;
}

static int resume_stream(struct recorder *r)
{
	r->gap_void = true;
	r->started_ns = r->progress_ns = now_ns();
	r->state = RECORDER_RUNNING;
	return sound_pcm(r->s, SND_R_PCM_START, r->stream);
}

static int finish(struct recorder *r)
{
	int err;

	r->held = true;
	err = sound_pcm(r->s, SND_R_PCM_STOP, r->stream);
	r->run_ns += r->last_done_ns - r->started_ns;
	r->state = RECORDER_RELEASING;
	if (!err)
		err = sound_pcm(r->s, SND_R_PCM_RELEASE, r->stream);
	if (err < 0)
		return err;
	r->state = RECORDER_FINISHED;
	if (r->placed != r->done)
		return complain(-EPROTO, "RELEASE of stream %u was answered with %llu messages out",
			r->stream, (unsigned long long)(r->placed - r->done));
	return 0;
}

/* --starve-at: the driver has no room to offer for a while. */
static void starve(struct recorder *r)
{
	r->starved_once = r->held = true;
	r->resume_ns = now_ns() + (int64_t)r->o->starve_ms * 1000000;
}

static void feed_again(struct recorder *r)
{
	r->held = false;
	r->gap_void = true;
	r->progress_ns = now_ns();
	place(r);
}

int recorder_act(struct recorder *r)
{
	if (r->state == RECORDER_PAUSED)
		return now_ns() >= r->resume_ns ? resume_stream(r) : 0;
	if (r->state != RECORDER_RUNNING)
		return 0;
	if (r->write_error < 0)
		return r->write_error;
	/* The last message may come back by RELEASE. */
	if (r->frames_done >= r->frames)
		return finish(r);
	if (!r->paused_once && r->frames_done >= r->o->pause_at)
		return pause_stream(r);
	if (!r->starved_once && r->frames_done >= r->o->starve_at)
		starve(r);
	if (r->held && now_ns() >= r->resume_ns)
		feed_again(r);
	if (!r->held && now_ns() - r->progress_ns >= (int64_t)r->o->timeout_ms * 1000000)
		return complain(-ETIMEDOUT, "stream %u: no message came back for %u ms; %llu of "
			"%llu frames are done", r->stream, r->o->timeout_ms,
			(unsigned long long)r->frames_done, (unsigned long long)r->frames);
	return 0;
}

int64_t recorder_deadline(const struct recorder *r)
{
	if (r->state == RECORDER_PAUSED || (r->state == RECORDER_RUNNING && r->held))
		return r->resume_ns;
	if (r->state == RECORDER_RUNNING)
		return r->progress_ns + (int64_t)r->o->timeout_ms * 1000000;
	return INT64_MAX;
}

void recorder_was_suspended(struct recorder *r, int64_t duration_ns)
{
	r->started_ns += duration_ns;
	r->resume_ns += duration_ns;
	r->progress_ns = now_ns();
	r->gap_void = true;
}
