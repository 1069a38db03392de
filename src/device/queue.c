/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's queues as the transport sees them: start, stop, enable, kick, and
 * the map of guest memory.
 *
 * A queue is active when it is started, enabled and not broken; only then is its
 * ring touched.  controlq and eventq are the control thread's.  txq and rxq are
 * handed to the audio thread when they become active and taken back when they
 * cease to be; in between, nobody else looks at them.  A queue that was stopped
 * keeps its messages until it is started again, which either goes on with them
 * or forgets them.
 */
#include <errno.h>
#include <stdlib.h>

#include "device/device.h"

bool queue_active(const struct vsnd *dev, unsigned queue)
{
	const struct queue *q = &dev->queue[queue];

	return q->started && q->enabled && !atomic_load_explicit(&q->broken, memory_order_acquire);
}

static struct io_queue *queue_io(struct vsnd *dev, unsigned queue)
{
	if (queue == VSND_TXQ)
		return &dev->txq;
	return queue == VSND_RXQ ? &dev->rxq : NULL;
}

void queue_error_message(struct vsnd *dev, unsigned queue, const char *what)
{
	if (dev->cb.queue_error)
		dev->cb.queue_error(dev->ctx, queue, VSND_QUEUE_ERROR_MESSAGE, what);
}

void queue_break(struct vsnd *dev, unsigned queue, const char *what)
{
	atomic_store_explicit(&dev->queue[queue].broken, true, memory_order_release);
	if (dev->cb.queue_error)
		dev->cb.queue_error(dev->ctx, queue, VSND_QUEUE_ERROR_BROKEN, what);
	if (dev->cb.wake)
		dev->cb.wake(dev->ctx);
}

static void rt_activate(void *arg)
{
	io_activate(arg);
}

static void rt_deactivate(void *arg)
{
	io_deactivate(arg);
}

static void rt_forget(void *arg)
{
	io_forget(arg);
}

/* The queue may have become active: begin to process it. */
static void queue_settle(struct vsnd *dev, unsigned queue)
{
	struct io_queue *io = queue_io(dev, queue);

	if (!queue_active(dev, queue))
		return;
	if (io)
		vsnd_audio_call(dev, rt_activate, io);
	pcm_update_voices(dev);
	if (queue == VSND_CONTROLQ)
		control_run(dev);
	if (queue == VSND_EVENTQ)
		event_run(dev);
}

/* The queue is not active any more.  Afterwards nothing touches its ring. */
static void queue_rest(struct vsnd *dev, unsigned queue)
{
	struct io_queue *io = queue_io(dev, queue);

	pcm_update_voices(dev);
	if (io)
		vsnd_audio_call(dev, rt_deactivate, io);
}

/* A fresh vq for an I/O queue, with a message for each descriptor. */
static int io_start_fresh(struct vsnd *dev, struct io_queue *io,
			  const struct vsnd_queue_setup *setup)
{
	struct io_msg *msgs;
	struct vq *vq;
	int err = vq_start(atomic_load(&dev->mem), setup, dev->features, &vq);

	if (err < 0)
		return err;
	msgs = calloc(setup->size, sizeof(*msgs));
	if (!msgs) {
		vq_free(vq);
		return -ENOMEM;
	}
	vsnd_audio_call(dev, rt_forget, io);
	vq_free(io->vq);
	free(io->msgs);
	io->vq = vq;
	io->msgs = msgs;
	io_msgs_reset(io);
	return 0;
}

static int io_start(struct vsnd *dev, struct io_queue *io, const struct vsnd_queue_setup *setup)
{
	if (setup->resume && io->vq && !vq_dead(io->vq) &&
	    vq_restart(io->vq, atomic_load(&dev->mem), setup, dev->features) == 0)
		return 0;
	return io_start_fresh(dev, io, setup);
}

static int plain_start(struct vsnd *dev, struct queue *q, const struct vsnd_queue_setup *setup)
{
	struct vq *vq;
	int err = vq_start(atomic_load(&dev->mem), setup, dev->features, &vq);

	if (err < 0)
		return err;
	vq_free(q->vq);
	q->vq = vq;
	return 0;
}

int vsnd_queue_start(struct vsnd *dev, unsigned queue, const struct vsnd_queue_setup *setup)
{
	struct io_queue *io = queue_io(dev, queue);
	int err;

	if (queue >= VSND_QUEUES)
		return -EINVAL;
	if (dev->queue[queue].started)
		return -EBUSY;
	err = io ? io_start(dev, io, setup) : plain_start(dev, &dev->queue[queue], setup);
	if (err < 0)
		return err;
	atomic_store(&dev->queue[queue].broken, false);
	dev->queue[queue].started = true;
	queue_settle(dev, queue);
	return 0;
}

int vsnd_queue_stop(struct vsnd *dev, unsigned queue, uint32_t *ret_base)
{
	struct io_queue *io = queue_io(dev, queue);
	struct vq *vq;

	if (queue >= VSND_QUEUES || !dev->queue[queue].started)
		return -EINVAL;
	dev->queue[queue].started = false;
	queue_rest(dev, queue);
	vq = io ? io->vq : dev->queue[queue].vq;
	if (ret_base)
		*ret_base = vq_base(vq);
	return 0;
}

int vsnd_queue_enable(struct vsnd *dev, unsigned queue, bool enable)
{
	if (queue >= VSND_QUEUES)
		return -EINVAL;
	if (dev->queue[queue].enabled == enable)
		return 0;
	dev->queue[queue].enabled = enable;
	if (enable)
		queue_settle(dev, queue);
	else
		queue_rest(dev, queue);
	return 0;
}

void vsnd_queue_kick(struct vsnd *dev, unsigned queue)
{
	if (queue == VSND_CONTROLQ)
		control_run(dev);
	else if (queue == VSND_EVENTQ)
		event_run(dev);
	else if (queue == VSND_TXQ || queue == VSND_RXQ)
		dev->ops->wake(dev->audio);
}

bool vsnd_queue_broken(const struct vsnd *dev, unsigned queue)
{
	return queue < VSND_QUEUES && atomic_load(&dev->queue[queue].broken);
}

/* A queue at rest gets its memory when it is started again. */
static void rt_set_mem(void *arg)
{
	struct vsnd *dev = arg;
	struct mem *mem = atomic_load(&dev->mem);

	if (dev->queue[VSND_TXQ].started)
		vq_set_mem(dev->txq.vq, mem);
	if (dev->queue[VSND_RXQ].started)
		vq_set_mem(dev->rxq.vq, mem);
}

int vsnd_set_memory(struct vsnd *dev, const struct vsnd_mem_region *regions, unsigned n)
{
	struct mem *mem, *old = atomic_load(&dev->mem);
	int err = mem_create(regions, n, &mem);

	if (err < 0)
		return err;
	/* Both are known to the SIGBUS path as long as either may be in use. */
	atomic_store(&dev->mem_old, old);
	atomic_store(&dev->mem, mem);
	vsnd_audio_call(dev, rt_set_mem, dev);
	for (unsigned q = VSND_CONTROLQ; q <= VSND_EVENTQ; q++) {
		if (dev->queue[q].started)
			vq_set_mem(dev->queue[q].vq, mem);
	}
	atomic_store(&dev->mem_old, NULL);
	mem_free(old);
	return 0;
}

bool vsnd_mem_fault(struct vsnd *dev, void *addr)
{
	struct mem *mem = atomic_load(&dev->mem), *old = atomic_load(&dev->mem_old);

	return (mem && mem_fault(mem, addr)) || (old && mem_fault(old, addr));
}

void queue_reset_all(struct vsnd *dev)
{
	for (unsigned q = 0; q < VSND_QUEUES; q++) {
		dev->queue[q].started = false;
		dev->queue[q].enabled = false;
		atomic_store(&dev->queue[q].broken, false);
		queue_rest(dev, q);
	}
}

void queue_free_all(struct vsnd *dev)
{
	for (unsigned q = 0; q < VSND_QUEUES; q++)
		vq_free(dev->queue[q].vq);
	vq_free(dev->txq.vq);
	vq_free(dev->rxq.vq);
	free(dev->txq.msgs);
	free(dev->rxq.msgs);
}
