/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * I/O messages between the ring and the streams.  Audio thread.
 *
 * A message is fetched (its descriptors are copied and judged once), goes into
 * its stream's FIFO, is pulled or filled by the voice, and is completed in FIFO
 * order.  Streams share a queue but not a fate: each has its own FIFO, and a
 * message that no stream can take is returned with IO_ERR at once.  The samples
 * stay in guest memory until the voice takes them.
 *
 * While a queue is at rest its ring may not be touched; what is finished then
 * waits on the done list and is given back when the queue is active again.
 * (virtio 1.4, PCM I/O Messages.)
 */
#include <errno.h>
#include <string.h>

#include "device/device.h"

static void msg_list_init(struct msg_list *l)
{
	l->head = MSG_NONE;
	l->tail = MSG_NONE;
}

static void msg_list_append(const struct io_queue *q, struct msg_list *l, uint32_t i)
{
	q->msgs[i].next = MSG_NONE;
	if (l->head == MSG_NONE)
		l->head = i;
	else
		q->msgs[l->tail].next = i;
	l->tail = i;
}

uint32_t msg_list_pop(const struct io_queue *q, struct msg_list *l)
{
	uint32_t i = l->head;

	if (i == MSG_NONE)
		return i;
	l->head = q->msgs[i].next;
	if (l->head == MSG_NONE)
		l->tail = MSG_NONE;
	return i;
}

void io_init(struct io_queue *q, struct vsnd *dev, unsigned index)
{
	q->dev = dev;
	q->index = index;
	q->free = MSG_NONE;
	msg_list_init(&q->done);
}

/* All messages are free.  Only while the queue is at rest and forgotten. */
void io_msgs_reset(struct io_queue *q)
{
	uint32_t n = vq_size(q->vq);

	for (uint32_t i = 0; i < n; i++)
		q->msgs[i].next = i + 1 < n ? i + 1 : MSG_NONE;
	q->free = 0;
	q->pushed = false;
	q->reports = false;
}

void io_stream_init(struct vsnd_stream *s, struct vsnd *dev, unsigned id)
{
	s->dev = dev;
	s->id = id;
	s->queue = dev->pcm[id].offer.direction == VSND_OUTPUT ? &dev->txq : &dev->rxq;
	msg_list_init(&s->fifo);
	s->reading = MSG_NONE;
	gain_init(&s->gain);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void io_free_msg(struct io_queue *q, uint32_t i)
{
	q->msgs[i].next = q->free;
	q->free = i;
}

/*
 * The data area of an input message that goes back.  Returns the bytes recorded.
 * The used length covers those and 8 more, which have to be written, too.
 */
static uint64_t io_end_data(struct io_queue *q, struct io_msg *m)
{
	uint64_t recorded = m->bytes - m->data.left;
	struct vq_cursor start = m->chain.writable;

	if (m->status == SND_S_OK) {
		record_silence(q->vq, &m->data, m->format, 0, (size_t)m->silence);
		return recorded;
	}
	start.left -= SND_PCM_STATUS_BYTES;
	vq_zero(q->vq, &start, (size_t)smaller(start.left, SND_PCM_STATUS_BYTES));
	return 0;
}

/*
 * Where the status goes: the first writable bytes of an output message, whose
 * used length then tells the truth; the last ones of an input message, behind
 * the room for frames.  False if its memory is not there.
 */
static bool io_write_status(struct io_queue *q, const struct io_msg *m)
{
	uint8_t bytes[SND_PCM_STATUS_BYTES];
	struct vq_cursor out = m->chain.writable;

	wire_pcm_status_encode(bytes, m->status, m->latency_bytes);
	if (q->index == VSND_RXQ)
		vq_skip(q->vq, &out, out.left - sizeof(bytes));
	return vq_write(q->vq, &out, bytes, sizeof(bytes)) == sizeof(bytes);
}

/* Without a place for its status a message goes back with nothing written. */
static void io_return_mute(struct io_queue *q, uint32_t i)
{
	vq_push(q->vq, &q->msgs[i].chain, 0);
	q->pushed = true;
	io_free_msg(q, i);
	queue_error_message(q->dev, q->index, "I/O message without room for a status");
}

static void io_give_back(struct io_queue *q, uint32_t i)
{
	struct io_msg *m = &q->msgs[i];
	uint64_t recorded = q->index == VSND_RXQ ? io_end_data(q, m) : 0;

	if (!io_write_status(q, m)) {
		io_return_mute(q, i);
		return;
	}
	vq_push(q->vq, &m->chain, (uint32_t)(recorded + SND_PCM_STATUS_BYTES));
	q->pushed = true;
	io_free_msg(q, i);
}

void io_finish(struct io_queue *q, uint32_t i, enum snd_status status, uint32_t latency_bytes)
{
	q->msgs[i].status = status;
	q->msgs[i].latency_bytes = latency_bytes;
	if (q->active)
		io_give_back(q, i);
	else
		msg_list_append(q, &q->done, i);
}

/*
 * The stream that a message on this queue may belong to, m->data being where its
 * frames are or go.  An input message has nothing to say beyond its header.
 */
static struct vsnd_stream *io_find_stream(struct io_queue *q, struct io_msg *m)
{
	uint8_t header[SND_XFER_BYTES];
	struct vsnd_stream *s;
	uint32_t id;

	m->data = m->chain.readable;
	if (m->chain.bad || vq_read(q->vq, &m->data, header, sizeof(header)) < sizeof(header))
		return NULL;
	id = wire_xfer_decode(header);
	if (id >= q->dev->streams || (q->index == VSND_RXQ && m->data.left > 0))
		return NULL;
	if (q->index == VSND_RXQ) {
		m->data = m->chain.writable;
		m->data.left -= SND_PCM_STATUS_BYTES;
	}
	s = &q->dev->stream[id];
	return s->queue == q && s->mode != IO_REFUSE ? s : NULL;
}

static void io_accept(struct io_queue *q, struct vsnd_stream *s, uint32_t i)
{
	struct io_msg *m = &q->msgs[i];

	m->bytes = m->data.left;
	m->silence = 0;
	m->format = s->format;
	m->consumed = false;
	m->failed = false;
	if (m->bytes == 0 && s->fifo.head == MSG_NONE) {
		counter_add(&s->counters.messages, 1);
		io_finish(q, i, SND_S_OK, 0);
		return;
	}
	msg_list_append(q, &s->fifo, i);
	if (s->reading == MSG_NONE)
		s->reading = i;
	s->queued += m->bytes;
	s->notice.sent += m->bytes;
}

/* Sort a message that was just popped into the free message @i. */
static void io_message(struct io_queue *q, uint32_t i)
{
	struct io_msg *m = &q->msgs[i];
	struct vsnd_stream *s;

	if (m->chain.writable.left < SND_PCM_STATUS_BYTES) {
		io_return_mute(q, i);
		return;
	}
	s = io_find_stream(q, m);
	if (s)
		io_accept(q, s, i);
	else
		io_finish(q, i, SND_S_IO_ERR, 0);
}

static void io_break(struct io_queue *q)
{
	q->active = false;
	queue_break(q->dev, q->index, vq_error(q->vq));
}

/* Fetch what is available, at most a queue full.  Returns how many messages. */
unsigned io_fetch(struct io_queue *q)
{
	unsigned n = 0;
	int r = 0;

	if (!q->active)
		return 0;
	while (n < vq_size(q->vq) && q->free != MSG_NONE) {
		uint32_t i = q->free;

		r = vq_pop(q->vq, &q->msgs[i].chain);
		if (r <= 0)
			break;
		q->free = q->msgs[i].next;
		io_message(q, i);
		n++;
	}
	if (r == -EPROTO)
		io_break(q);
	return n;
}

void io_publish(struct io_queue *q)
{
	if (!q->active || !q->pushed)
		return;
	q->pushed = false;
	if (vq_publish(q->vq) && q->dev->cb.notify)
		q->dev->cb.notify(q->dev->ctx, q->index);
}

void io_activate(struct io_queue *q)
{
	uint32_t i;

	q->active = true;
	while ((i = msg_list_pop(q, &q->done)) != MSG_NONE)
		io_give_back(q, i);
}

void io_deactivate(struct io_queue *q)
{
	io_publish(q);
	q->active = false;
}

/* The stream's FIFO is empty and its accounts are as after PREPARE. */
static void stream_empty(struct vsnd_stream *s)
{
	msg_list_init(&s->fifo);
	s->reading = MSG_NONE;
	s->queued = 0;
	s->carry_len = 0;
	s->notice = (struct notice){ 0 };
}

static void io_drop(struct io_queue *q, struct msg_list *l)
{
	uint32_t i;

	while ((i = msg_list_pop(q, l)) != MSG_NONE) {
		vq_drop(q->vq, &q->msgs[i].chain);
		io_free_msg(q, i);
	}
}

void io_forget(struct io_queue *q)
{
	for (unsigned i = 0; i < q->dev->streams; i++) {
		struct vsnd_stream *s = &q->dev->stream[i];

		if (s->queue != q)
			continue;
		io_drop(q, &s->fifo);
		stream_empty(s);
	}
	io_drop(q, &q->done);
}

/*
 * What was not recorded becomes silence.  A driver that plays by the rules has no
 * more than a buffer to be filled; one that does not shall not keep this thread
 * busy, so there is a limit, beyond which only the used length is satisfied.
 */
static void stream_give_back(struct vsnd_stream *s)
{
	uint64_t silence_max = s->dev->buffer_bytes_max;
	uint32_t i;

	while ((i = msg_list_pop(s->queue, &s->fifo)) != MSG_NONE) {
		struct io_msg *m = &s->queue->msgs[i];

		m->silence = smaller(m->data.left, silence_max);
		silence_max -= m->silence;
		if (m->silence < SND_PCM_STATUS_BYTES)
			m->silence = smaller(m->data.left, SND_PCM_STATUS_BYTES);
		stream_return(s, i, 0);
	}
	stream_empty(s);
}

/*
 * What the driver made available before RELEASE is pending, fetched or not.
 * Two rounds: a ring fuller than our places for messages empties as it goes; a
 * driver that keeps adding meanwhile gets IO_ERR for what comes later.
 */
void io_flush(struct vsnd_stream *s)
{
	for (unsigned round = 0; round < 2; round++) {
		io_fetch(s->queue);
		stream_give_back(s);
	}
	io_publish(s->queue);
}
