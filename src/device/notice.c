/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest that looks late is not lost.  Audio thread.
 *
 * Linux knows a stream's position only modulo the buffer.  If every message of a
 * full buffer is completed before the guest looks, it sees no movement, sends
 * nothing more, and the stream hangs for good.  Let S be the bytes sent, C those
 * completed, L those the driver had seen completed when it last looked, and B
 * the buffer.  The driver never has more than B unseen, so S <= L + B, and it
 * sees no movement only if C = L + B, hence C = S: the *last* outstanding message
 * is the only dangerous one, and only if S - L >= B.
 *
 * L is learned from the ring: with EVENT_IDX a driver's used_event follows its
 * progress.  That shows that the interrupt was handled, not that the position
 * was read, which a worker does a little later; so what was noticed counts as
 * seen only NOTICE_GRACE_NS later.  Marks (used index, bytes) are set as messages
 * are published and leave when their time has come, which makes `seen` a value
 * that is old, but never too high.
 *
 * So the last message is held until the driver has seen enough of the earlier
 * ones, or sends another.  A driver that reports its progress may be frozen with
 * its VM for any time, so only HOLD_FROZEN_NS ends that; one that never reports
 * is given the time of a buffer, so that its drain ends, too.  Whether a driver
 * reports is learned from this queue, and before its first message from how it
 * treats controlq.
 */
#include <string.h>

#include "device/device.h"

#define NOTICE_GRACE_NS (20 * NSEC_PER_MSEC)
#define MARK_SPACING_NS (NOTICE_GRACE_NS / (NOTICE_MARKS / 2))
#define HOLD_BLIND_NS (100 * NSEC_PER_MSEC)
#define HOLD_FROZEN_NS (60 * NSEC_PER_SEC)

/* Short periods share a mark, so that a few of them reach back over the grace. */
void notice_mark(struct vsnd_stream *s)
{
	struct notice *n = &s->notice;
	int64_t now_ns = s->dev->now_ns;
	uint64_t marked = n->marks ? n->mark[n->marks - 1].bytes : n->seen;

	if (n->completed == marked || n->marks == NOTICE_MARKS)
		return;
	if (n->marks && now_ns - n->marked_ns < MARK_SPACING_NS)
		return;
	n->mark[n->marks++] = (struct notice_mark){
		.bytes = n->completed,
		.used_idx = vq_used_idx(s->queue->vq),
	};
	n->marked_ns = now_ns;
}

void notice_update(struct vsnd_stream *s)
{
	struct notice *n = &s->notice;
	struct io_queue *q = s->queue;
	unsigned passed = 0;

	if (!q->active)
		return;
	for (unsigned i = 0; i < n->marks; i++) {
		struct notice_mark *m = &n->mark[i];

		if (m->noticed_ns == 0 && vq_noticed(q->vq, m->used_idx)) {
			m->noticed_ns = s->dev->now_ns;
			q->reports = true;
		}
		if (m->noticed_ns && s->dev->now_ns - m->noticed_ns >= NOTICE_GRACE_NS) {
			n->seen = m->bytes;
			passed = i + 1;
		}
	}
	n->marks -= passed;
	memmove(n->mark, n->mark + passed, n->marks * sizeof(n->mark[0]));
}

static int64_t hold_max_ns(const struct vsnd_stream *s)
{
	int64_t buffer_ns = (int64_t)(s->buffer_bytes / s->frame_bytes) * NSEC_PER_SEC / s->rate_hz;

	if (s->queue->reports)
		return HOLD_FROZEN_NS;
	return buffer_ns > HOLD_BLIND_NS ? buffer_ns : HOLD_BLIND_NS;
}

/* L: what was noticed, and at least what the driver must have seen to send so much. */
static uint64_t seen_at_least(const struct vsnd_stream *s)
{
	const struct notice *n = &s->notice;

	if (n->sent >= s->buffer_bytes && n->sent - s->buffer_bytes > n->seen)
		return n->sent - s->buffer_bytes;
	return n->seen;
}

/* Whether the first message of the FIFO, which is consumed, must wait. */
bool notice_must_hold(struct vsnd_stream *s)
{
	struct notice *n = &s->notice;
	uint64_t seen = seen_at_least(s);

	if (s->fifo.head != s->fifo.tail || n->completed <= seen ||
	    n->sent - seen < s->buffer_bytes) {
		n->held_ns = 0;
		return false;
	}
	if (n->held_ns == 0)
		n->held_ns = s->dev->now_ns;
	if (s->dev->now_ns - n->held_ns < hold_max_ns(s))
		return true;
	n->held_ns = 0;
	return false;
}
