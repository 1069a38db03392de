/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Input: the host hands over frames, and they are copied straight to where the
 * guest wants them.  Audio thread.
 *
 * The messages are places for bytes, and the stream fills them without a seam,
 * whatever their sizes: each is full to its last byte before it completes.  A
 * frame that does not fit into the last of them is begun there, and what is left
 * of it waits in `carry` for the next, so that frames are whole or not there at
 * all.  Frames that find no place at all are lost, the newest first.
 *
 * Only RELEASE returns a message that is not full: what was recorded, then the
 * format's silence, then the status at the end (virtio 1.4, Input Stream).
 */
#include <string.h>

#include "device/device.h"

/* A whole number of samples of any format. */
#define SILENCE_BYTES 480
#define SAMPLE_BYTES_MAX 8
/* Frames that gains are applied to at a time. */
#define SCALED_BYTES 4096
static_assert(SILENCE_BYTES % 3 == 0 && SILENCE_BYTES % SAMPLE_BYTES_MAX == 0, "");

/* Silence at the cursor; @phase: bytes of a sample that are there already.  Bytes written. */
size_t record_silence(const struct vq *vq, struct vq_cursor *c, unsigned format, size_t phase,
		      size_t len)
{
	uint8_t silence[SILENCE_BYTES + SAMPLE_BYTES_MAX];
	size_t sample = vsnd_format_info(format)->bytes, done = 0, n;

	vsnd_silence(silence, format, sizeof(silence) / sample);
	do {
		n = len - done < SILENCE_BYTES ? len - done : SILENCE_BYTES;
		n = vq_write(vq, c, silence + phase % sample, n);
		done += n;
	} while (n == SILENCE_BYTES);
	return done;
}

/*
 * Fill @len bytes of a message; @at is their place in a sequence of whole frames.
 * Memory that has gone is passed over, and reported.
 */
static void msg_fill(struct vsnd_stream *s, struct io_msg *m, const uint8_t *src, uint64_t at,
		     size_t len)
{
	const struct vq *vq = s->queue->vq;
	size_t n;

	if (src)
		n = vq_write(vq, &m->data, src + at, len);
	else
		n = record_silence(vq, &m->data, s->format, (size_t)at, len);
	if (n == len)
		return;
	m->failed = true;
	vq_skip(vq, &m->data, len - n);
}

/*
 * Fill messages with @len bytes, for which there is room.  The first of them belongs
 * to the frame at position @pos.
 */
static void stream_fill(struct vsnd_stream *s, const uint8_t *src, uint64_t len, uint64_t pos)
{
	uint64_t done = 0;
	struct io_msg *m;

	while ((m = stream_reading(s, pos + stream_frames_of(s, done))) != NULL && done < len) {
		uint64_t n = len - done < m->data.left ? len - done : m->data.left;

		msg_fill(s, m, src, done, (size_t)n);
		done += n;
	}
	s->queued -= len;
}

/* The rest of a frame, as soon as there are messages for it. */
void record_carry(struct vsnd_stream *s)
{
	uint64_t end = s->pos - s->starved;
	uint32_t n = s->carry_len;

	if (!stream_live(s))
		return;
	if (n > s->queued)
		n = (uint32_t)s->queued;
	stream_fill(s, s->carry, n, n ? end - 1 : end);
	s->carry_len -= n;
	memmove(s->carry, s->carry + n, s->carry_len);
}

size_t vsnd_stream_room(const struct vsnd_stream *s)
{
	if (!stream_live(s) || s->queued <= s->carry_len)
		return 0;
	return (size_t)stream_frames_of(s, s->queued - s->carry_len);
}

/* Whole frames from @pos on that begin in a message; the last may end beyond them all. */
static void stream_put(struct vsnd_stream *s, const uint8_t *src, size_t frames, uint64_t pos)
{
	uint64_t len = (uint64_t)frames * s->frame_bytes;
	uint64_t room = len < s->queued ? len : s->queued;
	uint8_t silence[sizeof(s->carry)];

	stream_fill(s, src, room, pos);
	if (room == len)
		return;
	if (!src) {
		vsnd_silence(silence, s->format, s->channels);
		src = silence;
		len = s->frame_bytes;
	}
	s->carry_len = (uint32_t)((uint64_t)frames * s->frame_bytes - room);
	memcpy(s->carry, src + len - s->carry_len, s->carry_len);
}

/* Gains are at work: by way of a buffer, since what the guest has must not change any more. */
static void stream_put_scaled(struct vsnd_stream *s, const uint8_t *src, size_t frames)
{
	uint8_t scaled[SCALED_BYTES];
	size_t max = sizeof(scaled) / s->frame_bytes;

	for (size_t done = 0, n; done < frames; done += n) {
		n = frames - done < max ? frames - done : max;
		memcpy(scaled, src + done * s->frame_bytes, n * s->frame_bytes);
		gain_apply(&s->gain, s->format, s->channels, s->rate_hz, scaled, n);
		stream_put(s, scaled, n, s->pos + done);
	}
}

/* An overrun begins with the first frame that is lost. */
static void stream_account(struct vsnd_stream *s, size_t got, size_t lost, bool silent)
{
	if (got) {
		counter_add(silent ? &s->counters.silence : &s->counters.frames, got);
		s->starved = 0;
	}
	if (lost == 0)
		return;
	if (s->starved == 0) {
		counter_add(&s->counters.xruns, 1);
		event_note_xrun(s);
	}
	counter_add(&s->counters.discarded, lost);
	s->starved += lost;
}

size_t vsnd_push(struct vsnd_stream *s, const void *src, size_t frames, int64_t delay_frames)
{
	size_t got;

	assert(stream_is_input(s));
	if (!stream_live(s))
		return 0;
	if (stream_closed(s))
		src = NULL;
	record_carry(s);
	got = vsnd_stream_room(s);
	if (got > frames)
		got = frames;
	s->host_pos = (int64_t)(s->pos + frames) + delay_frames;
	if (src && !gain_is_plain(&s->gain)) {
		stream_put_scaled(s, src, got);
		gain_apply(&s->gain, s->format, s->channels, s->rate_hz, NULL, frames - got);
	} else {
		stream_put(s, src, got, s->pos);
		gain_apply(&s->gain, s->format, s->channels, s->rate_hz, NULL, frames);
	}
	s->pos += frames;
	stream_account(s, got, frames - got, !src);
	stream_complete(s);
	return got;
}
