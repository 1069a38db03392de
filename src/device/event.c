/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event queue: what the driver has to be told without having asked.
 *
 * Nothing is queued.  Each item (jack, stream, element) remembers what of it the driver
 * does not know yet, so events are coalesced while there are no buffers, the
 * memory is bounded by the number of items, and what is sent is the state of
 * the moment it is sent.  A buffer is taken from the ring only when there is an
 * event for it; kicks are wanted only while an event waits for a buffer.
 *
 * Control thread, but for event_note_xrun(): the audio thread leaves a bit and
 * asks for vsnd_run().  (virtio 1.4, Device Operation; Jack Notifications; PCM
 * Notifications; Control Element Notifications.)
 */
#include <errno.h>

#include "device/ctl.h"

/* One kind of item that has events. */
struct event_kind {
	unsigned (*total)(const struct vsnd *dev);
	/* False: there is none for this item. */
	bool (*encode)(const struct vsnd *dev, unsigned id, uint8_t out[SND_EVENT_BYTES]);
	/* The driver has it. */
	void (*sent)(struct vsnd *dev, unsigned id);
};

static unsigned jack_total(const struct vsnd *dev)
{
	return dev->jacks;
}

static bool jack_encode(const struct vsnd *dev, unsigned id, uint8_t out[SND_EVENT_BYTES])
{
	enum snd_event event;

	if (!jack_event(&dev->jack[id], &event))
		return false;
	wire_event_encode(out, event, id);
	return true;
}

static void jack_sent(struct vsnd *dev, unsigned id)
{
	jack_event_sent(&dev->jack[id]);
}

static unsigned xrun_total(const struct vsnd *dev)
{
	return dev->streams;
}

static bool xrun_encode(const struct vsnd *dev, unsigned id, uint8_t out[SND_EVENT_BYTES])
{
	if (!(atomic_load_explicit(&dev->xruns, memory_order_relaxed) >> id & 1))
		return false;
	wire_event_encode(out, SND_EVT_PCM_XRUN, id);
	return true;
}

static void xrun_sent(struct vsnd *dev, unsigned id)
{
	event_drop_xrun(dev, id);
}

static unsigned ctl_total(const struct vsnd *dev)
{
	return dev->ctls;
}

static bool ctl_encode(const struct vsnd *dev, unsigned id, uint8_t out[SND_EVENT_BYTES])
{
	if (!dev->ctl[id].untold)
		return false;
	wire_ctl_event_encode(out, (uint16_t)id, dev->ctl[id].untold);
	return true;
}

static void ctl_sent(struct vsnd *dev, unsigned id)
{
	dev->ctl[id].untold = 0;
}

static const struct event_kind kinds[] = {
	{ jack_total, jack_encode, jack_sent },
	{ xrun_total, xrun_encode, xrun_sent },
	{ ctl_total, ctl_encode, ctl_sent },
};

/* One event is a buffer of 8 bytes or more that the device may only write. */
static bool buffer_take(struct vq *vq, const struct vq_chain *c, const uint8_t event[SND_EVENT_BYTES])
{
	struct vq_cursor out = c->writable;

	if (c->bad || c->readable.left > 0 || c->writable.left < SND_EVENT_BYTES)
		return false;
	return vq_write(vq, &out, event, SND_EVENT_BYTES) == SND_EVENT_BYTES;
}

/*
 * Put an event into the next buffer that is fit for one; the others go back with
 * nothing written.  1 when it is in, 0 without a buffer or a *@budget, -EPROTO.
 */
static int event_put(struct vsnd *dev, const uint8_t event[SND_EVENT_BYTES], uint32_t *budget)
{
	struct vq *vq = dev->queue[VSND_EVENTQ].vq;

	for (; *budget > 0; --*budget) {
		struct vq_chain chain;
		int r = vq_pop(vq, &chain);

		if (r == 0 && vq_want_kicks(vq, true))
			r = vq_pop(vq, &chain);
		if (r <= 0)
			return r == -EPROTO ? r : 0;
		if (buffer_take(vq, &chain, event)) {
			vq_push(vq, &chain, SND_EVENT_BYTES);
			return 1;
		}
		vq_push(vq, &chain, 0);
		queue_error_message(dev, VSND_EVENTQ, "a buffer that cannot hold an event");
	}
	return 0;
}

/* Send the events of one kind.  As event_put(): 1 when none is left. */
static int events_put(struct vsnd *dev, const struct event_kind *kind, uint32_t *budget)
{
	uint8_t event[SND_EVENT_BYTES];
	unsigned total = kind->total(dev);

	for (unsigned id = 0; id < total; id++) {
		int r;

		if (!kind->encode(dev, id, event))
			continue;
		r = event_put(dev, event, budget);
		if (r <= 0)
			return r;
		kind->sent(dev, id);
	}
	return 1;
}

/* At most one queue full, so that a driver of bad buffers does not keep us busy. */
void event_run(struct vsnd *dev)
{
	struct vq *vq = dev->queue[VSND_EVENTQ].vq;
	uint32_t budget;
	int r = 1;

	if (!queue_active(dev, VSND_EVENTQ))
		return;
	budget = vq_size(vq);
	for (unsigned k = 0; k < ARRAY_SIZE(kinds) && r > 0; k++)
		r = events_put(dev, &kinds[k], &budget);
	if (vq_publish(vq) && dev->cb.notify)
		dev->cb.notify(dev->ctx, VSND_EVENTQ);
	if (r == -EPROTO)
		queue_break(dev, VSND_EVENTQ, vq_error(vq));
	else if (r > 0)
		vq_want_kicks(vq, false);
	else if (budget == 0 && dev->cb.wake)
		dev->cb.wake(dev->ctx);
}

void event_drop_xrun(struct vsnd *dev, unsigned stream)
{
	atomic_fetch_and_explicit(&dev->xruns, ~(UINT64_C(1) << stream), memory_order_relaxed);
}

void event_note_xrun(struct vsnd_stream *s)
{
	uint64_t bit = UINT64_C(1) << s->id;

	if (!s->evt_xruns ||
	    (atomic_fetch_or_explicit(&s->dev->xruns, bit, memory_order_relaxed) & bit))
		return;
	if (s->dev->cb.wake)
		s->dev->cb.wake(s->dev->ctx);
}
