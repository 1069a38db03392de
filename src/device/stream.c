/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What output and input have in common.  Audio thread.
 *
 * Either way a stream's messages are worked through in order, from their first
 * byte to their last: `fifo` holds them, `reading` is the first that is not
 * through.  One that is through is completed, unless notice.c holds it, with the
 * distance between its end and the host's converter at that time.
 */
#include "device/device.h"

#define LATENCY_MAX_SEC 10

bool stream_live(const struct vsnd_stream *s)
{
	return s->queue->active && (s->mode == IO_RUN || s->mode == IO_FLUSH);
}

bool stream_closed(const struct vsnd_stream *s)
{
	return s->denied && gain_is_silent(&s->gain);
}

/* A new life after PREPARE. */
void stream_rewind(struct vsnd_stream *s)
{
	s->pos = 0;
	s->host_pos = 0;
	s->notice = (struct notice){ 0 };
	gain_settle(&s->gain);
}

/*
 * What the host still has to play after position @end_frame, or has captured
 * since.
 */
static uint32_t latency_after(const struct vsnd_stream *s, uint64_t end_frame)
{
	int64_t ahead = (int64_t)end_frame - s->host_pos;
	int64_t frames = stream_is_input(s) ? -ahead : ahead;
	int64_t max = (int64_t)s->rate_hz * LATENCY_MAX_SEC;

	if (frames < 0)
		frames = 0;
	return (uint32_t)(frames < max ? frames : max) * s->frame_bytes;
}

void stream_return(struct vsnd_stream *s, uint32_t i, uint32_t latency_bytes)
{
	if (s->queue->msgs[i].failed) {
		counter_add(&s->counters.errors, 1);
		io_finish(s->queue, i, SND_S_IO_ERR, 0);
	} else {
		counter_add(&s->counters.messages, 1);
		atomic_store_explicit(&s->counters.latency_bytes, latency_bytes,
				      memory_order_relaxed);
		io_finish(s->queue, i, SND_S_OK, latency_bytes);
	}
}

void stream_complete(struct vsnd_stream *s)
{
	struct io_queue *q = s->queue;

	while (s->fifo.head != MSG_NONE && q->msgs[s->fifo.head].consumed && !notice_must_hold(s)) {
		uint32_t i = msg_list_pop(q, &s->fifo);
		struct io_msg *m = &q->msgs[i];

		s->notice.completed += m->bytes;
		stream_return(s, i, latency_after(s, m->end_frame));
	}
}

/* The message at work, once the ones that are through are passed: they end at @end_frame. */
struct io_msg *stream_reading(struct vsnd_stream *s, uint64_t end_frame)
{
	while (s->reading != MSG_NONE) {
		struct io_msg *m = &s->queue->msgs[s->reading];

		if (m->data.left > 0)
			return m;
		m->consumed = true;
		m->end_frame = end_frame;
		s->reading = m->next;
	}
	return NULL;
}

/* Frames that @bytes bytes reach into. */
uint64_t stream_frames_of(const struct vsnd_stream *s, uint64_t bytes)
{
	return (bytes + s->frame_bytes - 1) / s->frame_bytes;
}

/* Every message that the next @bytes bytes belong to. */
static void mark_failed(struct vsnd_stream *s, uint64_t bytes)
{
	struct io_queue *q = s->queue;

	for (uint32_t i = s->reading; i != MSG_NONE && bytes > 0; i = q->msgs[i].next) {
		struct io_msg *m = &q->msgs[i];

		m->failed = true;
		bytes -= bytes < m->data.left ? bytes : m->data.left;
	}
}

size_t vsnd_fail(struct vsnd_stream *s, size_t frames)
{
	uint64_t bytes = (uint64_t)frames * s->frame_bytes;

	if (!stream_live(s))
		return 0;
	if (stream_is_input(s))
		mark_failed(s, bytes + s->carry_len);
	else if (bytes > s->carry_len)
		mark_failed(s, bytes - s->carry_len);
	return stream_is_input(s) ? vsnd_push(s, NULL, frames, 0) : vsnd_pull(s, NULL, frames, 0);
}
