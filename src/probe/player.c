/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One stream's playback.
 *
 * A guest driver has a ring of periods.  Each is a message; it goes back to
 * the device as soon as it has returned, with the next frames of the file.
 * Normally it is filled before it is queued.  With late_fill it is queued
 * full of noise and filled only when `late_lead` messages (and no more) are
 * ahead of it, one of which is playing: so a device that reads samples before
 * it plays them plays noise.  Linux before 6.7 gave it no better guarantee.
 *
 * The last message is short, so the device gets exactly the file's frames.
 */
#include "probe/player.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe/names.h"
#include "probe/report.h"

#define NOISE 0x5a

static int choose_format(struct player *p, const struct pcm_info *info)
{
	static const char *const fallback[] = { "S32", "FLOAT", "S24", "S24_3", "S16", "U8" };
	int format = p->o->format >= 0 ? p->o->format : source_format(p->source);

	for (size_t i = 0; p->o->format < 0 && !(info->formats & BIT(format)); i++) {
		if (i == sizeof(fallback) / sizeof(fallback[0]))
			break;
		format = pcm_format_find(fallback[i]);
	}
	if (!(info->formats & BIT(format)))
		return complain(-EINVAL, "stream %u does not offer the format %s", p->stream,
			pcm_formats[format].name);
	p->params.format = (uint8_t)format;
	return 0;
}

static int choose_params(struct player *p, const struct pcm_info *info)
{
	unsigned channels = source_channels(p->source);
	uint32_t hz = p->o->rate_hz ? p->o->rate_hz : source_rate(p->source);
	int rate = pcm_rate_find(hz), err;

	if (info->direction != SND_D_OUTPUT)
		return complain(-EINVAL, "stream %u is no output", p->stream);
	if (channels < info->channels_min || channels > info->channels_max)
		return complain(-EINVAL, "%u channels, but stream %u has %u to %u", channels,
			p->stream, info->channels_min, info->channels_max);
	if (rate < 0 || !(info->rates & BIT(rate)))
		return complain(-EINVAL, "stream %u does not offer %u Hz", p->stream, hz);
	err = choose_format(p, info);
	if (err < 0)
		return err;
	p->params.channels = (uint8_t)channels;
	p->params.rate = (uint8_t)rate;
	p->frame_bytes = channels * pcm_formats[p->params.format].bytes;
	return 0;
}

static int choose_sizes(struct player *p)
{
	uint32_t hz = pcm_rates[p->params.rate];
	uint32_t buffer = p->o->buffer_frames;

	p->period_frames = p->o->period_frames ? p->o->period_frames : hz / 50;
	if (!buffer)
		buffer = 4 * p->period_frames;
	if (buffer % p->period_frames)
		return complain(-EINVAL, "a buffer of %u frames is not whole periods of %u", buffer,
			p->period_frames);
	if ((uint64_t)buffer * p->frame_bytes > UINT32_MAX)
		return complain(-EINVAL, "a buffer of %u frames is too large", buffer);
	p->slots = buffer / p->period_frames;
	p->params.period_bytes = p->period_frames * p->frame_bytes;
	p->params.buffer_bytes = buffer * p->frame_bytes;
	p->frames = source_frames(p->source);
	p->messages = (p->frames + p->period_frames - 1) / p->period_frames;
	return 0;
}

static int allocate(struct player *p)
{
	int err = 0;

	p->buffer = mem_alloc(&p->s->mem, p->params.buffer_bytes, 64);
	p->message = calloc(p->slots, sizeof(*p->message));
	if (!p->buffer || !p->message)
		return complain(-ENOMEM, "no memory for a buffer of %u bytes",
			p->params.buffer_bytes);
	for (uint32_t i = 0; i < p->slots && !err; i++)
		err = io_message_init(p->s, &p->message[i], p, p->stream);
	return err;
}

int player_open(struct player *p, struct sound *s, const struct options *o, uint32_t stream)
{
	struct source_raw raw = { .channels = o->channels, .rate_hz = o->rate_hz };
	struct pcm_info info;
	int err;

	if (o->raw)
		raw.format = (unsigned)o->format;
	*p = (struct player){ .s = s, .o = o, .stream = stream, .passes_left = o->repeat };
	p->source = source_open(o->file, o->raw ? &raw : NULL);
	if (!p->source)
		return -EINVAL;
	if (o->times && !(p->times = fopen(o->times, "w"))) {
		player_close(p);
		return complain(-EINVAL, "%s: cannot be written", o->times);
	}
	err = sound_pcm_info(s, stream, &info);
	if (!err)
		err = choose_params(p, &info);
	if (!err)
		err = choose_sizes(p);
	if (!err)
		err = allocate(p);
	if (err < 0)
		player_close(p);
	return err;
}

void player_close(struct player *p)
{
	source_close(p->source);
	if (p->times)
		fclose(p->times);
	free(p->message);
	samples_free(&p->gaps);
	samples_free(&p->latencies);
	memset(p, 0, sizeof(*p));
}

static uint32_t message_frames(const struct player *p, uint64_t n)
{
	uint64_t left = p->frames - n * p->period_frames;

	return left < p->period_frames ? (uint32_t)left : p->period_frames;
}

static uint64_t message_data(const struct player *p, uint64_t n)
{
	return p->buffer + n % p->slots * p->params.period_bytes;
}

static void fill(struct player *p, uint64_t n)
{
	p->filled_late += n < p->done;
	source_read(p->source, p->params.format, mem_va(&p->s->mem, message_data(p, n)),
		message_frames(p, n));
	p->filled = n + 1;
}

/* Queues what fits.  An error that is not lack of room shows as no progress. */
static void feed(struct player *p)
{
	while (p->queued < p->messages) {
		struct io_message *m = &p->message[p->queued % p->slots];
		uint32_t frames = message_frames(p, p->queued);

		if (m->queued)
			break;
		if (p->o->late_fill && p->filled <= p->queued)
			memset(mem_va(&p->s->mem, message_data(p, p->queued)), NOISE,
				p->params.period_bytes);
		else if (p->filled <= p->queued)
			fill(p, p->queued);
		m->number = p->queued;
		if (sound_send(p->s, m, message_data(p, p->queued), frames * p->frame_bytes,
			    p->o->pieces) < 0) {
			p->ring_full++;
			break;
		}
		p->queued++;
		p->sent++;
		p->frames_sent += frames;
	}
	ring_kick(&p->s->ring[Q_TX]);
	while (p->filled < p->queued && p->filled <= p->done + p->o->late_lead)
		fill(p, p->filled);
}

static void measure(struct player *p, uint32_t latency_bytes)
{
	int64_t now = now_ns();

	if (!p->gap_void)
		samples_add(&p->gaps, now - p->last_done_ns);
	p->gap_void = false;
	p->last_done_ns = p->progress_ns = now;
	samples_add(&p->latencies, latency_bytes);
	if (p->times)
		fprintf(p->times, "%llu %lld %u\n", (unsigned long long)p->frames_completed,
			(long long)now, latency_bytes);
}

void player_done(struct sound *s, struct io_message *m, uint32_t status, uint32_t latency_bytes,
	uint32_t len)
{
	struct player *p = m->owner;

	(void)s;
	p->completed++;
	p->frames_completed += m->bytes / p->frame_bytes;
	p->frames_done += m->bytes / p->frame_bytes;
	if (m->number != p->done)
		p->out_of_order++;
	if (len != STATUS_BYTES)
		p->length_errors++;
	if (status != SND_S_OK && !p->status_errors++)
		p->bad_status = status;
	if (p->state == PLAYER_PAUSED)
		p->while_paused++;
	p->done++;
	measure(p, latency_bytes);
	if (!p->held)
		feed(p);
}

int player_start(struct player *p)
{
	int err;

	p->queued = p->filled = p->done = p->frames_done = 0;
	p->paused_once = p->held = false;
	source_rewind(p->source);
	err = sound_set_params(p->s, p->stream, &p->params);
	if (!err)
		err = sound_pcm(p->s, SND_R_PCM_PREPARE, p->stream);
	if (err < 0)
		return err;
	p->state = PLAYER_PREPARED;
	feed(p);
	if (!p->queued)
		return complain(-ENOSPC, "a message of %u descriptors does not fit in the queue",
			p->o->pieces);
	p->gap_void = true;
	p->started_ns = p->progress_ns = now_ns();
	err = sound_pcm(p->s, SND_R_PCM_START, p->stream);
	p->state = PLAYER_RUNNING;
	return err;
}

static int pause_stream(struct player *p)
{
	int err;

	p->paused_once = p->held = true;
	err = sound_pcm(p->s, SND_R_PCM_STOP, p->stream);
	p->run_ns += now_ns() - p->started_ns;
	p->resume_ns = now_ns() + (int64_t)p->o->pause_ms * 1000000;
	p->state = PLAYER_PAUSED;
	return err;
}

static int resume_stream(struct player *p)
{
	int err;

	p->held = false;
	feed(p);
	p->gap_void = true;
	p->started_ns = p->progress_ns = now_ns();
	err = sound_pcm(p->s, SND_R_PCM_START, p->stream);
	p->state = PLAYER_RUNNING;
	return err;
}

static int end_pass(struct player *p)
{
	uint64_t pending;
	int err;

	p->held = true;
	err = sound_pcm(p->s, SND_R_PCM_STOP, p->stream);
	/* What is flushed from here on has no pace. */
	p->run_ns += (p->last_done_ns > p->started_ns ? p->last_done_ns : now_ns()) - p->started_ns;
	p->gap_void = true;
	if (!err)
		err = sound_pcm(p->s, SND_R_PCM_RELEASE, p->stream);
	if (err < 0)
		return err;
	p->state = PLAYER_CLOSED;
	pending = p->queued - p->done;
	if (pending)
		return complain(-EPROTO, "RELEASE of stream %u was answered with %llu messages out",
			p->stream, (unsigned long long)pending);
	if (--p->passes_left)
		return player_start(p);
	p->state = PLAYER_FINISHED;
	return 0;
}

/* --release-early: at a frame, or (0) once everything is in the queue. */
static bool release_is_due(const struct player *p)
{
	if (p->o->release_at == NEVER)
		return false;
	return p->o->release_at ? p->frames_done >= p->o->release_at : p->queued == p->messages;
}

static int check_progress(const struct player *p)
{
	if (now_ns() - p->progress_ns < (int64_t)p->o->timeout_ms * 1000000)
		return 0;
	if (ring_used_idx(&p->s->ring[Q_TX]) != p->s->ring[Q_TX].used_seen)
		return complain(-ETIMEDOUT,
			"stream %u: messages came back, but no call came for %u ms; %llu of %llu "
			"are done", p->stream, p->o->timeout_ms, (unsigned long long)p->done,
			(unsigned long long)p->messages);
	return complain(-ETIMEDOUT,
		"stream %u: no message came back for %u ms; %llu of %llu are done, %llu queued, "
		"waiting for number %llu",
		p->stream, p->o->timeout_ms, (unsigned long long)p->done,
		(unsigned long long)p->messages, (unsigned long long)(p->queued - p->done),
		(unsigned long long)p->done);
}

int player_act(struct player *p)
{
	if (p->state == PLAYER_PAUSED)
		return now_ns() >= p->resume_ns ? resume_stream(p) : 0;
	if (p->state != PLAYER_RUNNING)
		return 0;
	if (p->done == p->messages || release_is_due(p))
		return end_pass(p);
	if (!p->paused_once && p->frames_done >= p->o->pause_at)
		return pause_stream(p);
	return check_progress(p);
}

int64_t player_deadline(const struct player *p)
{
	if (p->state == PLAYER_PAUSED)
		return p->resume_ns;
	if (p->state == PLAYER_RUNNING)
		return p->progress_ns + (int64_t)p->o->timeout_ms * 1000000;
	return INT64_MAX;
}

void player_was_suspended(struct player *p, int64_t duration_ns)
{
	p->started_ns += duration_ns;
	p->resume_ns += duration_ns;
	p->progress_ns = now_ns();
	p->gap_void = true;
}

void player_was_reset(struct player *p)
{
	if (p->state == PLAYER_FINISHED)
		return;
	if (p->state == PLAYER_RUNNING)
		p->run_ns += now_ns() - p->started_ns;
	for (uint32_t i = 0; i < p->slots; i++)
		p->message[i].queued = false;
	p->abandoned += p->queued - p->done;
	p->state = PLAYER_CLOSED;
}
