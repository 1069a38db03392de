/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The check of what an embedder wants as control elements, and making them.  One
 * bad element makes Linux refuse the whole card, so it is refused here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/ctl.h"

#define ACCESS_MASK 0x7fu
/* A volume may amplify by this at most; what is too loud is clipped. */
#define SCALE_MAX 2400
#define SCALE_STEP_MASK 0xffffu
#define SCALE_WORDS_BYTES 8u

/* (virtio 1.4, Control Element Information, device requirements) */
static const uint32_t count_max[] = {
	[VSND_CTL_BOOLEAN] = 128,
	[VSND_CTL_INTEGER] = 128,
	[VSND_CTL_INTEGER64] = 64,
	[VSND_CTL_ENUMERATED] = 128,
	[VSND_CTL_BYTES] = 512,
	[VSND_CTL_IEC958] = 1,
};
static_assert(ARRAY_SIZE(count_max) == VSND_CTL_TYPES, "a type has no row");

/* A non-empty string of printable ASCII that ends within @size bytes. */
static bool string_ok(const char *s, size_t size)
{
	size_t i;

	for (i = 0; i < size && s[i]; i++) {
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	}
	return i > 0 && i < size;
}

bool ctl_items_ok(const char *const *item, unsigned items)
{
	if (items == 0 || items > VSND_CTL_ITEMS_MAX || !item)
		return false;
	for (unsigned i = 0; i < items; i++) {
		if (!item[i] || !string_ok(item[i], VSND_CTL_ITEM_BYTES))
			return false;
	}
	return true;
}

static bool range_ok(const struct vsnd_ctl_settings *c)
{
	if (c->type == VSND_CTL_ENUMERATED)
		return ctl_items_ok(c->item, c->items);
	if (c->type == VSND_CTL_INTEGER &&
	    (c->min < INT32_MIN || c->max > INT32_MAX || c->step > INT32_MAX))
		return false;
	if (c->type == VSND_CTL_INTEGER || c->type == VSND_CTL_INTEGER64)
		return c->min <= c->max && c->step >= 0;
	return true;
}

bool ctl_value_ok(const struct vsnd_ctl_settings *c, const union vsnd_ctl_value *v)
{
	bool ok = true;

	for (uint32_t i = 0; i < c->count; i++) {
		switch ((enum vsnd_ctl_type)c->type) {
		case VSND_CTL_BOOLEAN:
			ok = ok && v->item[i] <= 1;
			break;
		case VSND_CTL_INTEGER:
			ok = ok && v->integer[i] >= c->min && v->integer[i] <= c->max;
			break;
		case VSND_CTL_INTEGER64:
			ok = ok && v->integer64[i] >= c->min && v->integer64[i] <= c->max;
			break;
		case VSND_CTL_ENUMERATED:
			ok = ok && v->item[i] < c->items;
			break;
		case VSND_CTL_BYTES:
		case VSND_CTL_IEC958:
		case VSND_CTL_TYPES:
			break;
		}
	}
	return ok;
}

/* A DB_SCALE, or false. */
static bool scale_decode(const uint32_t *tlv, struct ctl_scale *ret)
{
	if (!tlv || tlv[0] != VSND_TLV_DB_SCALE || tlv[1] != SCALE_WORDS_BYTES)
		return false;
	if (tlv[3] & ~(SCALE_STEP_MASK | VSND_TLV_DB_SCALE_MUTE))
		return false;
	ret->min = (int32_t)tlv[2];
	ret->step = (int32_t)(tlv[3] & SCALE_STEP_MASK);
	ret->mute = tlv[3] & VSND_TLV_DB_SCALE_MUTE;
	return true;
}

static bool volume_ok(const struct vsnd_ctl_settings *c)
{
	struct ctl_scale scale;

	return c->type == VSND_CTL_INTEGER && scale_decode(c->tlv, &scale) &&
	       scale.min + (c->max - c->min) * scale.step <= SCALE_MAX;
}

/* An element acts on streams of its own direction and function group. */
static bool bind_ok(const struct vsnd_settings *s, const struct vsnd_ctl_settings *c)
{
	if (c->bind == VSND_CTL_UNBOUND)
		return true;
	/* The driver may not redefine what acts on samples. */
	if (c->access & VSND_CTL_TLV_WRITE)
		return false;
	if (c->role == VSND_CTL_ROLE_NONE ||
	    !(c->role == VSND_CTL_ROLE_MUTE ? c->type == VSND_CTL_BOOLEAN : volume_ok(c)))
		return false;
	if (c->bind == VSND_CTL_ALL)
		return true;
	return c->bind == VSND_CTL_STREAM && c->stream < s->streams &&
	       s->stream[c->stream].direction == c->direction &&
	       s->stream[c->stream].nid == c->nid;
}

static bool tlv_ok(const struct vsnd_ctl_settings *c)
{
	return !c->tlv || (c->tlv[1] % 4 == 0 && c->tlv[1] <= VSND_CTL_TLV_BYTES_MAX);
}

static bool ctl_ok(const struct vsnd_settings *s, const struct vsnd_ctl_settings *c)
{
	if (c->type >= VSND_CTL_TYPES || c->role >= VSND_CTL_ROLES || c->direction > VSND_INPUT ||
	    (c->access & ~ACCESS_MASK))
		return false;
	if (c->count == 0 || c->count > count_max[c->type] ||
	    !string_ok(c->name, sizeof(c->name)))
		return false;
	if ((c->access & VSND_CTL_TLV_COMMAND) && !s->callbacks.ctl_command)
		return false;
	if (!tlv_ok(c) || !range_ok(c) || !bind_ok(s, c))
		return false;
	return !c->value || ctl_value_ok(c, c->value);
}

static bool unique(const struct vsnd_settings *s, unsigned i)
{
	for (unsigned k = 0; k < i; k++) {
		if (s->ctl[k].index == s->ctl[i].index && !strcmp(s->ctl[k].name, s->ctl[i].name))
			return false;
	}
	return true;
}

bool ctl_settings_ok(const struct vsnd_settings *s)
{
	if (s->ctls > VSND_CTLS_MAX || (s->ctls && !s->ctl))
		return false;
	for (unsigned i = 0; i < s->ctls; i++) {
		if (!ctl_ok(s, &s->ctl[i]) || !unique(s, i))
			return false;
	}
	return true;
}

/* 0, or where that is outside the range the end that is nearest. */
static void value_init(struct ctl *e)
{
	int64_t v = e->is.min > 0 ? e->is.min : e->is.max < 0 ? e->is.max : 0;

	if (e->is.value) {
		memcpy(&e->value, e->is.value, wire_ctl_value_bytes(e->is.type, e->is.count));
		return;
	}
	for (uint32_t i = 0; i < e->is.count; i++) {
		if (e->is.type == VSND_CTL_INTEGER)
			e->value.integer[i] = (int32_t)v;
		if (e->is.type == VSND_CTL_INTEGER64)
			e->value.integer64[i] = v;
	}
}

/* There is room for them. */
void ctl_items_encode(struct ctl *e, const char *const *item, unsigned items)
{
	memset(e->items, 0, (size_t)items * VSND_CTL_ITEM_BYTES);
	for (unsigned i = 0; i < items; i++)
		memcpy(e->items + (size_t)i * VSND_CTL_ITEM_BYTES, item[i], strlen(item[i]));
	e->is.items = items;
}

static int items_init(struct ctl *e)
{
	e->items = calloc(e->is.items, VSND_CTL_ITEM_BYTES);
	if (!e->items)
		return -ENOMEM;
	e->items_room = e->is.items;
	ctl_items_encode(e, e->is.item, e->is.items);
	return 0;
}

static int tlv_init(struct ctl *e)
{
	if (e->is.access & VSND_CTL_TLV_WRITE)
		e->tlv_room = SND_CTL_TLV_BYTES_MAX;
	else if (e->is.tlv)
		e->tlv_room = SND_CTL_TLV_HEADER_BYTES + e->is.tlv[1];
	if (e->tlv_room == 0)
		return 0;
	e->tlv = malloc(e->tlv_room);
	if (!e->tlv)
		return -ENOMEM;
	if (e->is.tlv)
		e->tlv_bytes = wire_ctl_tlv_encode(e->tlv, e->is.tlv);
	return 0;
}

static int ctl_init(struct ctl *e, const struct vsnd_ctl_settings *s)
{
	int err = 0;

	e->is = *s;
	if (s->bind != VSND_CTL_UNBOUND && s->role != VSND_CTL_ROLE_MUTE)
		scale_decode(s->tlv, &e->scale);
	value_init(e);
	if (s->type == VSND_CTL_ENUMERATED)
		err = items_init(e);
	if (!err)
		err = tlv_init(e);
	e->is.item = NULL;
	e->is.value = NULL;
	e->is.tlv = NULL;
	return err;
}

int ctls_init(struct vsnd *dev, const struct vsnd_settings *s)
{
	int err = 0;

	if (s->ctls == 0)
		return 0;
	dev->ctl = calloc(s->ctls, sizeof(*dev->ctl));
	dev->tlv = malloc(SND_CTL_TLV_BYTES_MAX);
	if (!dev->ctl || !dev->tlv)
		return -ENOMEM;
	dev->ctls = s->ctls;
	for (unsigned i = 0; i < s->ctls && !err; i++)
		err = ctl_init(&dev->ctl[i], &s->ctl[i]);
	return err;
}

void ctls_free(struct vsnd *dev)
{
	for (unsigned i = 0; i < dev->ctls; i++) {
		free(dev->ctl[i].items);
		free(dev->ctl[i].tlv);
	}
	free(dev->ctl);
	free(dev->tlv);
}
