/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control elements at run time: the driver's requests, the embedder's calls, and
 * who is told of what.
 *
 * A write is checked in full before anything changes.  What really changes is
 * told to the driver by an event, whoever changed it (Linux leaves it to the
 * device to tell its other mixers), and to the embedder if the driver did it.
 * (virtio 1.4, Control Element Information, Value, Metadata, Notifications.)
 */
#include "device/ctl.h"

#include <errno.h>
#include <string.h>

static bool negotiated(const struct vsnd *dev)
{
	return dev->features >> VSND_F_CTLS & 1;
}

void ctls_reset(struct vsnd *dev)
{
	for (unsigned i = 0; i < dev->ctls; i++)
		dev->ctl[i].untold = 0;
}

static unsigned ctl_id(const struct vsnd *dev, const struct ctl *c)
{
	return (unsigned)(c - dev->ctl);
}

static void changed(struct vsnd *dev, struct ctl *c, enum vsnd_ctl_change what)
{
	if (negotiated(dev))
		c->untold |= (uint16_t)what;
}

/* The driver did it.  An inactive element has no effect on the host's side. */
static void tell_embedder(struct vsnd *dev, const struct ctl *c, unsigned what)
{
	if (dev->cb.ctl_changed && !(c->is.access & VSND_CTL_INACTIVE))
		dev->cb.ctl_changed(dev->ctx, ctl_id(dev, c), what);
}

/* The element of a request, if it has one of the kinds of @access (0: any). */
static enum snd_status ctl_find(struct vsnd *dev, const struct ctl_req *req, uint32_t access,
				struct ctl **ret)
{
	if (req->u.element_id >= dev->ctls)
		return SND_S_BAD_MSG;
	*ret = &dev->ctl[req->u.element_id];
	return access && !((*ret)->is.access & access) ? SND_S_NOT_SUPP : SND_S_OK;
}

static struct vq *control_vq(struct vsnd *dev)
{
	return dev->queue[VSND_CONTROLQ].vq;
}

/* Write an answer's payload behind the place of its status. */
static enum snd_status answer(struct vsnd *dev, const struct vq_chain *c, const uint8_t *bytes,
			      size_t len, uint32_t *ret_payload)
{
	struct vq_cursor out = c->writable;

	vq_skip(control_vq(dev), &out, SND_STATUS_BYTES);
	vq_write(control_vq(dev), &out, bytes, len);
	*ret_payload = (uint32_t)len;
	return SND_S_OK;
}

static uint64_t answer_room(const struct vq_chain *c)
{
	return c->writable.left - SND_STATUS_BYTES;
}

static size_t smaller(uint64_t a, size_t b)
{
	return a < b ? (size_t)a : b;
}

/* VIRTIO_SND_R_CTL_ENUM_ITEMS */
enum snd_status ctl_enum_items(struct vsnd *dev, const struct vq_chain *c,
			       const struct ctl_req *req, uint32_t *ret_payload)
{
	struct ctl *e;
	enum snd_status status = ctl_find(dev, req, 0, &e);

	if (status != SND_S_OK)
		return status;
	if (e->is.type != VSND_CTL_ENUMERATED)
		return SND_S_NOT_SUPP;
	if (answer_room(c) < (uint64_t)e->is.items * VSND_CTL_ITEM_BYTES)
		return SND_S_BAD_MSG;
	return answer(dev, c, e->items, (size_t)e->is.items * VSND_CTL_ITEM_BYTES, ret_payload);
}

/* VIRTIO_SND_R_CTL_READ */
enum snd_status ctl_read(struct vsnd *dev, const struct vq_chain *c, const struct ctl_req *req,
			 uint32_t *ret_payload)
{
	uint8_t bytes[SND_CTL_VALUE_BYTES];
	struct ctl *e;
	enum snd_status status = ctl_find(dev, req, VSND_CTL_READ, &e);

	if (status != SND_S_OK)
		return status;
	if (answer_room(c) < wire_ctl_value_bytes(e->is.type, e->is.count))
		return SND_S_BAD_MSG;
	wire_ctl_value_encode(bytes, e->is.type, e->is.count, &e->value);
	return answer(dev, c, bytes, smaller(answer_room(c), sizeof(bytes)), ret_payload);
}

bool ctl_store(struct vsnd *dev, struct ctl *e, const union vsnd_ctl_value *v)
{
	if (memcmp(&e->value, v, sizeof(*v)) == 0)
		return false;
	e->value = *v;
	changed(dev, e, VSND_CTL_CHANGED_VALUE);
	return true;
}

/* VIRTIO_SND_R_CTL_WRITE: all members or none. */
enum snd_status ctl_write(struct vsnd *dev, const struct vq_chain *c, const struct ctl_req *req,
			  uint32_t *ret_payload)
{
	struct vq_cursor in = c->readable;
	uint8_t bytes[SND_CTL_VALUE_BYTES];
	union vsnd_ctl_value value;
	struct ctl *e;
	enum snd_status status = ctl_find(dev, req, VSND_CTL_WRITE, &e);
	size_t len;

	(void)ret_payload;
	if (status != SND_S_OK)
		return status;
	vq_skip(control_vq(dev), &in, SND_CTL_HDR_BYTES);
	len = vq_read(control_vq(dev), &in, bytes, sizeof(bytes));
	if (!wire_ctl_value_decode(bytes, len, e->is.type, e->is.count, &value) ||
	    !ctl_value_ok(&e->is, &value))
		return SND_S_BAD_MSG;
	if (ctl_store(dev, e, &value)) {
		ctl_act(dev, e);
		tell_embedder(dev, e, VSND_CTL_CHANGED_VALUE);
	}
	return SND_S_OK;
}

/* VIRTIO_SND_R_CTL_TLV_READ: cut where there is not room for all. */
enum snd_status ctl_tlv_read(struct vsnd *dev, const struct vq_chain *c,
			     const struct ctl_req *req, uint32_t *ret_payload)
{
	static const uint8_t none[SND_CTL_TLV_HEADER_BYTES];
	struct ctl *e;
	enum snd_status status = ctl_find(dev, req, VSND_CTL_TLV_READ, &e);

	if (status != SND_S_OK)
		return status;
	if (answer_room(c) < SND_CTL_TLV_HEADER_BYTES)
		return SND_S_BAD_MSG;
	if (e->tlv_bytes == 0)
		return answer(dev, c, none, sizeof(none), ret_payload);
	return answer(dev, c, e->tlv, smaller(answer_room(c), e->tlv_bytes), ret_payload);
}

/* The metadata of a request, in dev->tlv.  Returns its bytes, or 0 if it is malformed. */
static uint32_t tlv_fetch(struct vsnd *dev, const struct vq_chain *c)
{
	struct vq_cursor in = c->readable;
	uint32_t type, length;

	vq_skip(control_vq(dev), &in, SND_CTL_HDR_BYTES);
	if (vq_read(control_vq(dev), &in, dev->tlv, SND_CTL_TLV_HEADER_BYTES) <
	    SND_CTL_TLV_HEADER_BYTES)
		return 0;
	if (!wire_ctl_tlv_header_decode(dev->tlv, &type, &length))
		return 0;
	if (vq_read(control_vq(dev), &in, dev->tlv + SND_CTL_TLV_HEADER_BYTES, length) < length)
		return 0;
	return SND_CTL_TLV_HEADER_BYTES + length;
}

/* True if the metadata are others.  @bytes has room in the element. */
static bool tlv_store(struct vsnd *dev, struct ctl *e, const uint8_t *tlv, uint32_t bytes)
{
	if (e->tlv_bytes == bytes && memcmp(e->tlv, tlv, bytes) == 0)
		return false;
	memcpy(e->tlv, tlv, bytes);
	e->tlv_bytes = bytes;
	changed(dev, e, VSND_CTL_CHANGED_TLV);
	return true;
}

/* VIRTIO_SND_R_CTL_TLV_WRITE */
enum snd_status ctl_tlv_write(struct vsnd *dev, const struct vq_chain *c,
			      const struct ctl_req *req, uint32_t *ret_payload)
{
	struct ctl *e;
	enum snd_status status = ctl_find(dev, req, VSND_CTL_TLV_WRITE, &e);
	uint32_t bytes;

	(void)ret_payload;
	if (status != SND_S_OK)
		return status;
	bytes = tlv_fetch(dev, c);
	if (bytes == 0)
		return SND_S_BAD_MSG;
	if (tlv_store(dev, e, dev->tlv, bytes))
		tell_embedder(dev, e, VSND_CTL_CHANGED_TLV);
	return SND_S_OK;
}

/* VIRTIO_SND_R_CTL_TLV_COMMAND: the embedder's affair. */
enum snd_status ctl_tlv_command(struct vsnd *dev, const struct vq_chain *c,
				const struct ctl_req *req, uint32_t *ret_payload)
{
	struct ctl *e;
	enum snd_status status = ctl_find(dev, req, VSND_CTL_TLV_COMMAND, &e);
	uint32_t bytes;
	int err;

	(void)ret_payload;
	if (status != SND_S_OK)
		return status;
	bytes = tlv_fetch(dev, c);
	if (bytes == 0)
		return SND_S_BAD_MSG;
	err = dev->cb.ctl_command(dev->ctx, ctl_id(dev, e), wire_ctl_tlv_word(dev->tlv, 0),
				  dev->tlv + SND_CTL_TLV_HEADER_BYTES,
				  bytes - SND_CTL_TLV_HEADER_BYTES);
	if (err == -EINVAL)
		return SND_S_BAD_MSG;
	if (err == -EOPNOTSUPP)
		return SND_S_NOT_SUPP;
	return err < 0 ? SND_S_IO_ERR : SND_S_OK;
}

int vsnd_ctl_get(const struct vsnd *dev, unsigned ctl, union vsnd_ctl_value *ret)
{
	if (ctl >= dev->ctls)
		return -EINVAL;
	*ret = dev->ctl[ctl].value;
	return 0;
}

/* What is behind the members in use is not the caller's to set. */
int vsnd_ctl_set(struct vsnd *dev, unsigned ctl, const union vsnd_ctl_value *value)
{
	union vsnd_ctl_value v = { .bytes = { 0 } };
	struct ctl *e;

	if (ctl >= dev->ctls)
		return -EINVAL;
	e = &dev->ctl[ctl];
	memcpy(&v, value, wire_ctl_value_bytes(e->is.type, e->is.count));
	if (!ctl_value_ok(&e->is, &v))
		return -EINVAL;
	if (ctl_store(dev, e, &v)) {
		ctl_act(dev, e);
		event_run(dev);
	}
	return 0;
}

int vsnd_ctl_get_tlv(const struct vsnd *dev, unsigned ctl, uint32_t *tlv, size_t words)
{
	const struct ctl *e;

	if (ctl >= dev->ctls)
		return -EINVAL;
	e = &dev->ctl[ctl];
	for (size_t i = 0; i < words && (i < 2 || 4 * i < e->tlv_bytes); i++)
		tlv[i] = e->tlv_bytes ? wire_ctl_tlv_word(e->tlv, i) : 0;
	return 0;
}

/* dev->tlv has room for whatever an element has room for, and is free between requests. */
int vsnd_ctl_set_tlv(struct vsnd *dev, unsigned ctl, const uint32_t *tlv)
{
	struct ctl *e;

	if (ctl >= dev->ctls)
		return -EINVAL;
	e = &dev->ctl[ctl];
	if (e->is.bind != VSND_CTL_UNBOUND || tlv[1] % 4 || tlv[1] > VSND_CTL_TLV_BYTES_MAX ||
	    SND_CTL_TLV_HEADER_BYTES + tlv[1] > e->tlv_room)
		return -EINVAL;
	if (tlv_store(dev, e, dev->tlv, wire_ctl_tlv_encode(dev->tlv, tlv)))
		event_run(dev);
	return 0;
}

int vsnd_ctl_set_items(struct vsnd *dev, unsigned ctl, const char *const *item, unsigned items)
{
	union vsnd_ctl_value v;
	struct ctl *e;

	if (ctl >= dev->ctls || dev->ctl[ctl].is.type != VSND_CTL_ENUMERATED)
		return -EINVAL;
	e = &dev->ctl[ctl];
	if (items > e->items_room || !ctl_items_ok(item, items))
		return -EINVAL;
	ctl_items_encode(e, item, items);
	changed(dev, e, VSND_CTL_CHANGED_INFO);
	v = e->value;
	for (uint32_t i = 0; i < e->is.count; i++) {
		if (v.item[i] >= items)
			v.item[i] = 0;
	}
	ctl_store(dev, e, &v);
	event_run(dev);
	return 0;
}
