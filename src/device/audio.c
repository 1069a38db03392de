/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The audio thread's cycle: what comes in at its begin, what goes out at its end,
 * and the one door through which the control thread gets something done there.
 *
 * While a stream runs, the cycle itself looks at the available ring, so kicks
 * are switched off; they come back with the last stream that stops, and the
 * switch looks once more, so that none is missed.
 */
#include <errno.h>

#include "device/device.h"

/* How soon to look again while a message is held for the driver to catch up. */
#define HELD_TURN_NS (2 * NSEC_PER_MSEC)

static void take_call(struct vsnd *dev)
{
	struct rt_call *call = atomic_load_explicit(&dev->call, memory_order_acquire);

	if (!call)
		return;
	atomic_store_explicit(&dev->call, NULL, memory_order_relaxed);
	call->fn(call->arg);
	sem_post(&dev->call_done);
}

/* @call is on the caller's stack: it is not looked at after the post. */
void vsnd_audio_call(struct vsnd *dev, void (*fn)(void *arg), void *arg)
{
	struct rt_call call = { .fn = fn, .arg = arg };

	atomic_store_explicit(&dev->call, &call, memory_order_release);
	dev->ops->wake(dev->audio);
	while (sem_wait(&dev->call_done) < 0 && errno == EINTR)
		continue;
}

static void queue_begin(struct io_queue *q)
{
	io_fetch(q);
	for (uint64_t left = q->running; left; left &= left - 1) {
		struct vsnd_stream *s = &q->dev->stream[__builtin_ctzll(left)];

		if (stream_is_input(s))
			record_carry(s);
		notice_update(s);
		stream_complete(s);
	}
}

void vsnd_cycle_begin(struct vsnd *dev, int64_t now_ns)
{
	dev->now_ns = now_ns;
	take_call(dev);
	queue_begin(&dev->txq);
	queue_begin(&dev->rxq);
}

/*
 * Set the driver's kicks as the streams want them.  True: there may be more in
 * the ring.  A ring that yields nothing although it is not empty (all places for
 * messages are taken) waits for a RELEASE, not for another look.
 */
static bool settle_kicks(struct io_queue *q)
{
	bool want = q->running == 0 || q->dev->want_kicks > 0;

	for (unsigned tries = 0; q->active && tries < 2; tries++) {
		if (!vq_want_kicks(q->vq, want) || !want)
			return false;
		if (io_fetch(q) == 0)
			return false;
		io_publish(q);
		/* What a voice without a clock has not seen it takes in the next cycle. */
		if (q->running)
			return true;
	}
	return q->active;
}

/* ns after which the queue wants another cycle, or -1. */
static int64_t queue_end(struct io_queue *q)
{
	int64_t again_ns = -1;

	io_publish(q);
	for (uint64_t left = q->running; left && q->active; left &= left - 1) {
		struct vsnd_stream *s = &q->dev->stream[__builtin_ctzll(left)];

		notice_mark(s);
		if (s->notice.held_ns)
			again_ns = HELD_TURN_NS;
	}
	return settle_kicks(q) ? 0 : again_ns;
}

int64_t vsnd_cycle_end(struct vsnd *dev)
{
	int64_t tx = queue_end(&dev->txq), rx = queue_end(&dev->rxq);

	if (tx < 0 || rx < 0)
		return tx > rx ? tx : rx;
	return tx < rx ? tx : rx;
}

void vsnd_want_kicks(struct vsnd *dev, bool want)
{
	assert(want || dev->want_kicks > 0);
	dev->want_kicks += want ? 1 : -1u;
}

void vsnd_audio_service(struct vsnd *dev)
{
	if (!atomic_exchange(&dev->service, true) && dev->cb.wake)
		dev->cb.wake(dev->ctx);
}
