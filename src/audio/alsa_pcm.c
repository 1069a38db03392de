/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/alsa_pcm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A device that does not take what it said it had room for. */
#define KEPT_RETRY_NS 2000000

static int make_buffers(struct alsa_pcm *p)
{
	size_t bytes = (size_t)p->flow.unit * p->frame_bytes;

	p->bounce = malloc(bytes);
	p->kept = malloc(bytes);
	if (!p->bounce || !p->kept)
		return -ENOMEM;
	/* Resident before they are needed. */
	memset(p->bounce, 0, bytes);
	memset(p->kept, 0, bytes);
	return 0;
}

static int set_up(struct alsa_pcm *p, const struct vsnd_voice_params *params, uint32_t unit,
		const char **ret_refused)
{
	struct alsa_setup setup = { 0 };
	int err = alsa_set_hw(p->pcm, params, unit, &setup, ret_refused);

	if (err < 0)
		return err;
	p->mmap = setup.mmap;
	p->period_frames = setup.period_frames;
	p->buffer_frames = setup.buffer_frames;
	flow_init(&p->flow, params->rate_hz, unit, p->period_frames, p->buffer_frames);
	*ret_refused = "the software parameters";
	err = alsa_set_sw(p->pcm, &p->flow, p->buffer_frames);
	return err < 0 ? err : make_buffers(p);
}

int alsa_pcm_open(struct alsa_pcm *p, const char *name, const struct vsnd_voice_params *params,
		uint32_t unit, const char **ret_refused)
{
	bool input = params->direction == VSND_INPUT;
	int err;

	*p = (struct alsa_pcm){
		.input = input,
		.format = params->format,
		.channels = params->channels,
		.frame_bytes = params->frame_bytes,
		.untouched = true,
	};
	*ret_refused = NULL;
	err = snd_pcm_open(&p->pcm, name, input ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK,
		SND_PCM_NONBLOCK);
	if (err < 0) {
		p->pcm = NULL;
		return err;
	}
	err = set_up(p, params, unit, ret_refused);
	if (err < 0)
		alsa_pcm_close(p, false);
	return err;
}

/* What the device's buffer has of the guest's. */
static uint64_t guest_level(const struct alsa_pcm *p)
{
	int64_t level = (int64_t)p->buffer_frames - p->avail;

	if (p->input || level <= 0)
		return 0;
	return (uint64_t)level < p->guest_frames ? (uint64_t)level : p->guest_frames;
}

void alsa_pcm_close(struct alsa_pcm *p, bool lost)
{
	p->counts.lost_frames += p->kept_frames + (lost ? guest_level(p) : 0);
	p->kept_frames = 0;
	if (p->pcm)
		snd_pcm_close(p->pcm);
	p->pcm = NULL;
	free(p->bounce);
	free(p->kept);
	p->bounce = NULL;
	p->kept = NULL;
}

/* Into the mapped buffer, in one or two pieces.  Returns how many were taken, or the error of the first. */
static snd_pcm_sframes_t put_mapped(struct alsa_pcm *p, const uint8_t *src, size_t frames)
{
	snd_pcm_uframes_t done = 0;

	while (done < frames) {
		const snd_pcm_channel_area_t *areas;
		snd_pcm_uframes_t offset, some = frames - done;
		snd_pcm_sframes_t n = snd_pcm_avail_update(p->pcm);

		if (n >= 0)
			n = snd_pcm_mmap_begin(p->pcm, &areas, &offset, &some);
		if (n < 0)
			return done > 0 ? (snd_pcm_sframes_t)done : n;
		if (some == 0)
			break;
		memcpy((uint8_t *)areas[0].addr + areas[0].first / 8 + offset * p->frame_bytes,
			src + done * p->frame_bytes, some * p->frame_bytes);
		n = snd_pcm_mmap_commit(p->pcm, offset, some);
		if (n <= 0)
			return done > 0 ? (snd_pcm_sframes_t)done : n;
		done += (snd_pcm_uframes_t)n;
	}
	return (snd_pcm_sframes_t)done;
}

/* Returns how many frames were taken, or a negative errno if that is none. */
static snd_pcm_sframes_t put(struct alsa_pcm *p, const uint8_t *src, size_t frames)
{
	snd_pcm_sframes_t n = p->mmap ? put_mapped(p, src, frames)
		: snd_pcm_writei(p->pcm, src, frames);

	return n == 0 ? -EAGAIN : n;
}

/* Of the frames at @src, which the device refused, the first is the next to be played. */
static void keep(struct alsa_pcm *p, const uint8_t *src, size_t frames)
{
	memmove(p->kept, src, frames * p->frame_bytes);
	p->kept_frames = frames;
}

/* 0 if nothing is kept any more, else a negative errno. */
static int put_kept(struct alsa_pcm *p)
{
	snd_pcm_sframes_t n;

	if (p->kept_frames == 0)
		return 0;
	n = put(p, p->kept, p->kept_frames);
	if (n < 0)
		return (int)n;
	p->guest_frames += (uint64_t)n;
	keep(p, p->kept + (size_t)n * p->frame_bytes, p->kept_frames - (size_t)n);
	return p->kept_frames > 0 ? -EAGAIN : 0;
}

static int put_silence(struct alsa_pcm *p, size_t frames)
{
	vsnd_silence(p->bounce, p->format, (size_t)p->flow.unit * p->channels);
	while (frames > 0) {
		size_t some = frames < p->flow.unit ? frames : p->flow.unit;
		snd_pcm_sframes_t n = put(p, p->bounce, some);

		if (n < 0)
			return (int)n;
		frames -= (size_t)n;
	}
	return 0;
}

/* What it shall have when the first unit comes. */
static int prefill(struct alsa_pcm *p)
{
	size_t frames = p->flow.fill - p->flow.unit;
	int err = 0;

	if (frames > p->kept_frames)
		err = put_silence(p, frames - p->kept_frames);
	return err < 0 ? err : put_kept(p);
}

int alsa_pcm_start(struct alsa_pcm *p, int64_t now_ns)
{
	int err = p->untouched ? 0 : snd_pcm_prepare(p->pcm);

	if (err < 0)
		return err;
	p->untouched = false;
	p->guest_frames = 0;
	p->avail = p->input ? 0 : p->buffer_frames;
	if (!p->input)
		err = prefill(p);
	/* One that is written to, not mapped, has started by itself. */
	if (err == 0 && snd_pcm_state(p->pcm) == SND_PCM_STATE_PREPARED)
		err = snd_pcm_start(p->pcm);
	if (err == -EAGAIN)
		err = -EIO;	/* without a reason to wait for */
	flow_start(&p->flow, now_ns);
	return err;
}

void alsa_pcm_stop(struct alsa_pcm *p)
{
	snd_pcm_drop(p->pcm);
}

/* -EAGAIN: it is not yet back. */
static int resume(struct alsa_pcm *p, int64_t now_ns)
{
	int err = snd_pcm_resume(p->pcm);

	if (err == -EAGAIN)
		return err;
	p->counts.suspends++;
	if (err == 0 && snd_pcm_state(p->pcm) == SND_PCM_STATE_RUNNING)
		return 0;
	p->counts.lost_frames += guest_level(p);
	return alsa_pcm_start(p, now_ns);
}

int alsa_pcm_recover(struct alsa_pcm *p, int err, int64_t now_ns)
{
	if (err == -ESTRPIPE)
		return resume(p, now_ns);
	if (err != -EPIPE)
		return err;
	p->counts.xruns++;
	return alsa_pcm_start(p, now_ns);
}

static int state_error(struct alsa_pcm *p)
{
	switch (snd_pcm_state(p->pcm)) {
	case SND_PCM_STATE_RUNNING:
		return 0;
	case SND_PCM_STATE_SUSPENDED:
		return -ESTRPIPE;
	case SND_PCM_STATE_DISCONNECTED:
		return -ENODEV;
	default:
		return -EPIPE;	/* XRUN, or somebody has stopped it */
	}
}

static int read_position(struct alsa_pcm *p)
{
	snd_pcm_sframes_t avail, delay;
	int err = snd_pcm_avail_delay(p->pcm, &avail, &delay);
	int state = state_error(p);

	if (state < 0)
		return state;
	if (err < 0)
		return err;
	p->avail = avail;
	p->delay = delay;
	return 0;
}

static int64_t ready_frames(const struct alsa_pcm *p)
{
	return p->input ? p->avail : (int64_t)p->flow.fill - ((int64_t)p->buffer_frames - p->avail);
}

int64_t alsa_pcm_look(struct alsa_pcm *p, int64_t now_ns, struct flow_wait *ret_wait)
{
	bool heard = p->heard;
	int err = read_position(p);

	p->heard = false;
	if (err == 0)
		err = put_kept(p);
	if (err == -EAGAIN) {
		*ret_wait = (struct flow_wait){ .until_ns = now_ns + KEPT_RETRY_NS };
		return 0;
	}
	if (err < 0)
		return err;
	return flow_turn(&p->flow, now_ns, ready_frames(p), heard, ret_wait) ? p->flow.unit : 0;
}

int64_t alsa_pcm_place(struct alsa_pcm *p, size_t frames, void **ret_place)
{
	const snd_pcm_channel_area_t *areas;
	snd_pcm_uframes_t some = frames;
	snd_pcm_sframes_t n;

	p->place = p->bounce;
	if (p->mmap) {
		n = snd_pcm_mmap_begin(p->pcm, &areas, &p->offset, &some);
		if (n == 0) {
			p->place = (uint8_t *)areas[0].addr + areas[0].first / 8 +
				p->offset * p->frame_bytes;
			n = (snd_pcm_sframes_t)some;
		}
	} else if (p->input) {
		n = snd_pcm_readi(p->pcm, p->bounce, frames);
	} else {
		n = (snd_pcm_sframes_t)frames;
	}
	*ret_place = p->place;
	return n == 0 ? -EAGAIN : n;
}

int alsa_pcm_commit(struct alsa_pcm *p, size_t frames)
{
	snd_pcm_sframes_t n = (snd_pcm_sframes_t)frames;

	if (p->mmap)
		n = snd_pcm_mmap_commit(p->pcm, p->offset, frames);
	else if (!p->input)
		n = snd_pcm_writei(p->pcm, p->place, frames);
	if (p->input)
		return n < 0 ? (int)n : 0;
	if (n > 0)
		p->guest_frames += (uint64_t)n;
	if (n == (snd_pcm_sframes_t)frames)
		return 0;
	if (n < 0) {
		keep(p, p->place, frames);
		return (int)n;
	}
	keep(p, p->place + (size_t)n * p->frame_bytes, frames - (size_t)n);
	return -EAGAIN;
}

void alsa_pcm_moved(struct alsa_pcm *p, int64_t now_ns, struct flow_wait *ret_wait)
{
	int64_t before = p->avail;
	snd_pcm_sframes_t avail = snd_pcm_avail_update(p->pcm);

	/* An error is for the next look. */
	if (avail >= 0)
		p->avail = avail;
	flow_moved(&p->flow, now_ns, before, p->avail, ready_frames(p), ret_wait);
}

unsigned alsa_pcm_fds(struct alsa_pcm *p, struct pollfd *fds)
{
	int count = snd_pcm_poll_descriptors(p->pcm, fds, ALSA_FDS_MAX);

	return count > 0 ? (unsigned)count : 0;
}

void alsa_pcm_heard(struct alsa_pcm *p, struct pollfd *fds, unsigned count)
{
	unsigned short events;

	snd_pcm_poll_descriptors_revents(p->pcm, fds, count, &events);
	p->heard = true;
}
