/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Output: the host asks for frames, and they are copied from guest memory
 * straight to where the host wants them.  Audio thread.
 *
 * A stream is a stream of bytes: messages of any length join without a seam, and
 * the part of a frame at the end of one waits in `carry` for the next.  A message
 * completes when its last byte went out, with the number of bytes that the host
 * still has to play at that point.
 */
#include <string.h>

#include "device/device.h"

size_t vsnd_stream_queued(const struct vsnd_stream *s)
{
	return stream_live(s) ? (size_t)(s->queued / s->frame_bytes) : 0;
}

/* Copy from one message.  Memory that has gone is heard as zeroes, and reported. */
static void msg_read(struct io_queue *q, struct io_msg *m, uint8_t *dst, size_t len)
{
	size_t n = vq_read(q->vq, &m->data, dst, len);

	if (n == len)
		return;
	m->failed = true;
	if (dst)
		memset(dst + n, 0, len - n);
	vq_skip(q->vq, &m->data, len - n);
}

/* Take @len bytes, which are there; whole frames.  @dst may be NULL. */
static void stream_take(struct vsnd_stream *s, uint8_t *dst, uint64_t len)
{
	uint64_t done = 0;
	struct io_msg *m;

	if (len == 0)
		return;
	if (s->carry_len && dst)
		memcpy(dst, s->carry, s->carry_len);
	done = s->carry_len;
	s->carry_len = 0;
	while (done < len && (m = stream_reading(s, s->pos + stream_frames_of(s, done))) != NULL) {
		uint64_t n = len - done < m->data.left ? len - done : m->data.left;

		msg_read(s->queue, m, dst ? dst + done : NULL, (size_t)n);
		done += n;
	}
	s->queued -= len;
	stream_reading(s, s->pos + stream_frames_of(s, len));
}

/* Messages that end within a frame: keep their bytes and let them go. */
static void stream_take_rest(struct vsnd_stream *s, uint64_t end_frame)
{
	struct io_msg *m;

	if (s->queued >= s->frame_bytes)
		return;
	while ((m = stream_reading(s, end_frame)) != NULL) {
		size_t n = (size_t)m->data.left;

		msg_read(s->queue, m, s->carry + s->carry_len, n);
		s->carry_len += (uint32_t)n;
	}
}

/*
 * Silence is counted once guest frames follow it: what comes after the last
 * frame of a drain is the end of the stream, not an xrun.
 */
static void stream_account(struct vsnd_stream *s, uint64_t got, uint64_t missing, bool discard)
{
	if (got && s->starved) {
		counter_add(&s->counters.silence, s->starved);
		counter_add(&s->counters.xruns, 1);
		s->starved = 0;
	}
	if (missing && !s->starved)
		event_note_xrun(s);
	if (got)
		counter_add(discard ? &s->counters.discarded : &s->counters.frames, got);
	s->starved += missing;
}

size_t vsnd_pull(struct vsnd_stream *s, void *dst, size_t frames, int64_t delay_frames)
{
	size_t got = vsnd_stream_queued(s);
	bool closed = stream_closed(s);

	assert(!stream_is_input(s));
	if (s->frame_bytes == 0)
		return 0;
	if (got > frames)
		got = frames;
	s->host_pos = (int64_t)s->pos - delay_frames;
	if (stream_live(s)) {
		stream_take(s, closed ? NULL : dst, (uint64_t)got * s->frame_bytes);
		stream_take_rest(s, s->pos + got);
		stream_account(s, got, s->mode == IO_RUN ? frames - got : 0, !dst || closed);
		s->pos += frames;
		stream_complete(s);
	}
	if (dst && closed) {
		vsnd_silence(dst, s->format, frames * s->channels);
		return got;
	}
	if (dst && got < frames)
		vsnd_silence((uint8_t *)dst + got * s->frame_bytes, s->format,
			     (frames - got) * s->channels);
	gain_apply(&s->gain, s->format, s->channels, s->rate_hz, dst, frames);
	return got;
}
