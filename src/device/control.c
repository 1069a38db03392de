/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control queue: decode, act, answer, in one place for every request.
 *
 * Handlers get host-endian values and return a status; they do not see rings,
 * bytes or replies.  The INFO requests, whose answer is more than a status, are
 * served from one table of item encoders.  Requests are answered in the order
 * the driver made them available; none waits for the host sound system, so none
 * delays another.
 */
#include <errno.h>
#include <string.h>

#include "device/ctl.h"

/* Longest item a driver may ask for; the specification's are far shorter. */
#define INFO_ITEM_BYTES_MAX 4096
#define INFO_ITEM_BYTES_MIN 4	/* struct virtio_snd_info */

typedef enum snd_status (*ctl_handler)(struct vsnd *dev, const struct ctl_req *req);
/* For a request or an answer with more: @c, whose status is left to the caller. */
typedef enum snd_status (*element_handler)(struct vsnd *dev, const struct vq_chain *c,
					   const struct ctl_req *req, uint32_t *ret_payload);

/* One kind of item that an INFO request enumerates. */
struct info_kind {
	unsigned (*total)(const struct vsnd *dev);
	/* @size: what the driver asked for */
	void (*encode)(const struct vsnd *dev, unsigned id, uint32_t size, uint8_t *out);
	uint32_t bytes;
};

static unsigned jack_total(const struct vsnd *dev)
{
	return dev->jacks;
}

static void jack_encode(const struct vsnd *dev, unsigned id, uint32_t size, uint8_t *out)
{
	(void)size;
	wire_jack_info_encode(out, &dev->jack[id].now);
	jack_answered(&dev->jack[id]);
}

static unsigned pcm_total(const struct vsnd *dev)
{
	return dev->streams;
}

static void pcm_encode(const struct vsnd *dev, unsigned id, uint32_t size, uint8_t *out)
{
	(void)size;
	wire_pcm_info_encode(out, &dev->pcm[id].offer);
}

static unsigned chmap_total(const struct vsnd *dev)
{
	return dev->chmaps;
}

static void chmap_encode(const struct vsnd *dev, unsigned id, uint32_t size, uint8_t *out)
{
	(void)size;
	wire_chmap_info_encode(out, &dev->chmap[id]);
}

static unsigned element_total(const struct vsnd *dev)
{
	return dev->ctls;
}

static void element_encode(const struct vsnd *dev, unsigned id, uint32_t size, uint8_t *out)
{
	wire_ctl_info_encode(out, &dev->ctl[id].is, size);
}

static const struct info_kind info_kinds[CTL_OPS] = {
	[CTL_JACK_INFO] = { jack_total, jack_encode, SND_JACK_INFO_BYTES },
	[CTL_PCM_INFO] = { pcm_total, pcm_encode, SND_PCM_INFO_BYTES },
	[CTL_CHMAP_INFO] = { chmap_total, chmap_encode, SND_CHMAP_INFO_BYTES },
	[CTL_ELEM_INFO] = { element_total, element_encode, SND_CTL_INFO_BYTES },
};

static const ctl_handler handlers[CTL_OPS] = {
	[CTL_JACK_REMAP] = jack_remap,
	[CTL_PCM_SET_PARAMS] = pcm_set_params,
	[CTL_PCM_PREPARE] = pcm_prepare,
	[CTL_PCM_RELEASE] = pcm_release,
	[CTL_PCM_START] = pcm_start,
	[CTL_PCM_STOP] = pcm_stop,
};

static const element_handler element_handlers[CTL_OPS] = {
	[CTL_ELEM_ENUM_ITEMS] = ctl_enum_items,
	[CTL_ELEM_READ] = ctl_read,
	[CTL_ELEM_WRITE] = ctl_write,
	[CTL_ELEM_TLV_READ] = ctl_tlv_read,
	[CTL_ELEM_TLV_WRITE] = ctl_tlv_write,
	[CTL_ELEM_TLV_COMMAND] = ctl_tlv_command,
};

/* A request that has no place for an answer goes back with nothing written. */
static void control_return_mute(struct vsnd *dev, const struct vq_chain *c)
{
	vq_push(dev->queue[VSND_CONTROLQ].vq, c, 0);
	queue_error_message(dev, VSND_CONTROLQ, "control request without room for a status");
}

/* Give the request back with a status and @payload bytes that are written already. */
static void control_complete(struct vsnd *dev, const struct vq_chain *c, enum snd_status status,
			     uint32_t payload)
{
	struct queue *q = &dev->queue[VSND_CONTROLQ];
	struct vq_cursor out = c->writable;
	uint8_t bytes[SND_STATUS_BYTES];

	dev->stats.requests++;
	dev->stats.refused += status != SND_S_OK;
	wire_status_encode(bytes, status);
	if (vq_write(q->vq, &out, bytes, sizeof(bytes)) < sizeof(bytes))
		control_return_mute(dev, c);
	else
		vq_push(q->vq, c, (uint32_t)sizeof(bytes) + payload);
}

/*
 * Item Information Request: items of the size the driver asked for, cut or
 * padded with zeroes.  Nothing is written unless all of it can be.
 */
static enum snd_status control_info(struct vsnd *dev, const struct vq_chain *c,
				    const struct info_kind *kind, const struct ctl_query *query,
				    uint32_t *ret_payload)
{
	struct vq *vq = dev->queue[VSND_CONTROLQ].vq;
	struct vq_cursor out = c->writable;
	unsigned total = kind->total(dev);
	uint8_t item[SND_INFO_BYTES_MAX];
	size_t n = query->size < kind->bytes ? query->size : kind->bytes;

	if (query->start_id > total || query->count > total - query->start_id)
		return SND_S_BAD_MSG;
	if (query->count == 0)
		return SND_S_OK;
	if (query->size < INFO_ITEM_BYTES_MIN || query->size > INFO_ITEM_BYTES_MAX)
		return SND_S_BAD_MSG;
	if ((uint64_t)query->count * query->size > c->writable.left - SND_STATUS_BYTES)
		return SND_S_BAD_MSG;

	vq_skip(vq, &out, SND_STATUS_BYTES);
	for (uint32_t i = 0; i < query->count; i++) {
		kind->encode(dev, query->start_id + i, query->size, item);
		vq_write(vq, &out, item, n);
		vq_zero(vq, &out, query->size - n);
	}
	*ret_payload = query->count * query->size;
	return SND_S_OK;
}

static enum snd_status control_act(struct vsnd *dev, const struct vq_chain *c,
				   const struct ctl_req *req, uint32_t *ret_payload)
{
	if (req->op >= CTL_ELEM_INFO && !(dev->features >> VSND_F_CTLS & 1))
		return SND_S_NOT_SUPP;
	if (handlers[req->op])
		return handlers[req->op](dev, req);
	if (element_handlers[req->op])
		return element_handlers[req->op](dev, c, req, ret_payload);
	return control_info(dev, c, &info_kinds[req->op], &req->u.query, ret_payload);
}

static void control_message(struct vsnd *dev, const struct vq_chain *c)
{
	struct vq *vq = dev->queue[VSND_CONTROLQ].vq;
	struct vq_cursor in = c->readable;
	uint8_t bytes[CTL_REQ_MAX];
	struct ctl_req req;
	enum snd_status status = SND_S_BAD_MSG;
	uint32_t payload = 0;
	size_t len;

	if (c->writable.left < SND_STATUS_BYTES) {
		control_return_mute(dev, c);
		return;
	}
	if (!c->bad) {
		len = vq_read(vq, &in, bytes, sizeof(bytes));
		status = wire_ctl_decode(bytes, len, &req);
		if (status == SND_S_OK)
			status = control_act(dev, c, &req, &payload);
	}
	control_complete(dev, c, status, payload);
}

/*
 * Serve what is there, at most one queue full, so that a driver that never stops
 * asking does not keep the transport from its other duties.
 */
void control_run(struct vsnd *dev)
{
	struct vq *vq = dev->queue[VSND_CONTROLQ].vq;
	struct vq_chain chain;
	uint32_t budget;
	int r = 1;

	if (!queue_active(dev, VSND_CONTROLQ))
		return;
	for (budget = vq_size(vq); budget > 0; budget--) {
		r = vq_pop(vq, &chain);
		if (r == 0 && vq_want_kicks(vq, true))
			r = vq_pop(vq, &chain);
		if (r <= 0)
			break;
		control_message(dev, &chain);
		if (vq_publish(vq) && dev->cb.notify)
			dev->cb.notify(dev->ctx, VSND_CONTROLQ);
	}
	event_run(dev);	/* a request may have changed what other mixers show */
	if (r == -EPROTO)
		queue_break(dev, VSND_CONTROLQ, vq_error(vq));
	else if (r > 0 && dev->cb.wake)
		dev->cb.wake(dev->ctx);
}
