/* SPDX-License-Identifier: BSD-3-Clause */
/* Control elements as their scenarios need them. */
#include "probe/conform/elements.h"

#include <string.h>

#include "probe/bytes.h"

int elements_up(struct conform *c, struct answer *a, uint32_t *ret_n)
{
	return elements_up_as(c, NULL, a, ret_n);
}

int elements_up_as(struct conform *c, const struct rig_setup *setup, struct answer *a,
	uint32_t *ret_n)
{
	uint32_t n;

	TRY(rig_up(c, setup));
	if (!(c->rig.fe.features & BIT(SND_F_CTLS)))
		return skip(c, "the device has no controls");
	n = c->rig.counts.controls;
	TRY(ctl_info(c, SND_R_CTL_INFO, 0, n, ELEMENT_BYTES, 4 + n * ELEMENT_BYTES, a));
	INSIST_EQ(c, a->status, SND_S_OK, "CTL_INFO of all %u", n);
	INSIST_EQ(c, a->len, 4 + n * ELEMENT_BYTES, "its used length");
	*ret_n = n;
	return 0;
}

void element_decode(const struct answer *a, uint32_t id, struct element_info *ret)
{
	const uint8_t *p = a->chain.in + 4 + (size_t)ELEMENT_BYTES * id;

	*ret = (struct element_info){ .id = id, .role = get32(p + 4), .type = get32(p + 8),
		.access = get32(p + 12), .count = get32(p + 16), .index = get32(p + 20),
		.raw = p };
	if (ret->type == ENUMERATED)
		ret->items = get32(p + 72);
	if (ret->type == BOOLEAN)
		ret->max = 1;
	if (ret->type == INTEGER) {
		ret->min = (int32_t)get32(p + 72);
		ret->max = (int32_t)get32(p + 76);
	}
	if (ret->type == INTEGER64) {
		ret->min = (int64_t)get64(p + 72);
		ret->max = (int64_t)get64(p + 80);
	}
}

bool element_next(const struct answer *a, uint32_t n, uint32_t access, uint32_t without,
	struct element_info *e)
{
	for (uint32_t i = e->id + 1; i < n; i++) {
		element_decode(a, i, e);
		if ((e->access & access) == access && !(e->access & without))
			return true;
	}
	return false;
}

bool element_is_name(const uint8_t *p, unsigned room)
{
	unsigned n = 0, end;

	while (n < room && p[n] >= 0x20 && p[n] < 0x7f)
		n++;
	for (end = n; end < room && !p[end]; end++)
		;
	return n > 0 && n < room && end == room;
}

uint32_t value_bytes(const struct element_info *e)
{
	return e->type == IEC958 ? 176 : e->type == BYTES ? e->count
		: e->type == INTEGER64 ? 8 * e->count : 4 * e->count;
}

void value_other(const struct element_info *e, const uint8_t *now, uint8_t value[VALUE_BYTES])
{
	int64_t first;

	memset(value, 0, VALUE_BYTES);
	memcpy(value, now, value_bytes(e));
	if (e->type == INTEGER64) {
		first = (int64_t)get64(now);
		put64(value, (uint64_t)(first == e->max ? e->min : e->max));
	} else if (e->type == ENUMERATED) {
		put32(value, (get32(now) + 1) % e->items);
	} else if (e->type == BYTES || e->type == IEC958) {
		value[0] ^= 0x55;
	} else {
		first = (int32_t)get32(now);
		put32(value, (uint32_t)(first == e->max ? e->min : e->max));
	}
}

int element_ask(struct conform *c, uint32_t code, uint32_t id, const void *payload,
	uint32_t bytes, uint32_t room, struct answer *a)
{
	static uint8_t q[8 + TLV_HEADER_BYTES + TLV_VALUE_MAX + 64];

	put32(q, code);
	put32(q + 4, id);
	if (bytes)
		memcpy(q + 8, payload, bytes);
	trace(c, "   control %u", id);
	return ctl(c, q, 8 + bytes, room, a);
}

int value_read(struct conform *c, uint32_t id, struct answer *a)
{
	return element_ask(c, R_VALUE_READ, id, NULL, 0, 4 + VALUE_BYTES, a);
}

int value_write(struct conform *c, uint32_t id, const uint8_t *value, uint32_t bytes,
	uint32_t *ret_status)
{
	struct answer a;

	TRY(element_ask(c, R_VALUE_WRITE, id, value, bytes, 4, &a));
	*ret_status = a.status;
	return 0;
}
