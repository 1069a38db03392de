/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/ctl.h"

#include "wire/bytes.h"

#define EVT_CTL_NOTIFY 0x1200u

static void encode_range(uint8_t *out, const struct vsnd_ctl_settings *c)
{
	switch ((enum vsnd_ctl_type)c->type) {
	case VSND_CTL_BOOLEAN:
		put32(out + 4, 1);
		put32(out + 8, 1);
		break;
	case VSND_CTL_INTEGER:
		put32(out, (uint32_t)c->min);
		put32(out + 4, (uint32_t)c->max);
		put32(out + 8, (uint32_t)c->step);
		break;
	case VSND_CTL_INTEGER64:
		put64(out, (uint64_t)c->min);
		put64(out + 8, (uint64_t)c->max);
		put64(out + 16, (uint64_t)c->step);
		break;
	case VSND_CTL_ENUMERATED:
		put32(out, c->items);
		break;
	case VSND_CTL_BYTES:
	case VSND_CTL_IEC958:
	case VSND_CTL_TYPES:
		break;
	}
}

void wire_ctl_info_encode(uint8_t out[SND_CTL_INFO_BYTES], const struct vsnd_ctl_settings *c,
			  uint32_t item_bytes)
{
	bool packed = item_bytes < SND_CTL_INFO_BYTES;

	memset(out, 0, SND_CTL_INFO_BYTES);
	put32(out, c->nid);
	put32(out + 4, c->role ? (uint32_t)c->role << 1 | c->direction : 0);
	put32(out + 8, c->type);
	put32(out + 12, c->access);
	put32(out + 16, c->count);
	put32(out + 20, c->index);
	memcpy(out + 24, c->name, strlen(c->name));
	encode_range(out + (packed ? SND_CTL_INFO_PACKED_UNION : SND_CTL_INFO_UNION), c);
}

size_t wire_ctl_value_bytes(enum vsnd_ctl_type type, uint32_t count)
{
	static const size_t member[] = {
		[VSND_CTL_BOOLEAN] = 4,
		[VSND_CTL_INTEGER] = 4,
		[VSND_CTL_INTEGER64] = 8,
		[VSND_CTL_ENUMERATED] = 4,
		[VSND_CTL_BYTES] = 1,
		[VSND_CTL_IEC958] = SND_CTL_IEC958_BYTES,
	};

	return member[type] * count;
}

void wire_ctl_value_encode(uint8_t out[SND_CTL_VALUE_BYTES], enum vsnd_ctl_type type,
			   uint32_t count, const union vsnd_ctl_value *v)
{
	memset(out, 0, SND_CTL_VALUE_BYTES);
	switch (type) {
	case VSND_CTL_BOOLEAN:
	case VSND_CTL_INTEGER:
	case VSND_CTL_ENUMERATED:
		for (uint32_t i = 0; i < count; i++)
			put32(out + 4 * (size_t)i, v->item[i]);
		break;
	case VSND_CTL_INTEGER64:
		for (uint32_t i = 0; i < count; i++)
			put64(out + 8 * (size_t)i, (uint64_t)v->integer64[i]);
		break;
	case VSND_CTL_BYTES:
	case VSND_CTL_IEC958:
		memcpy(out, v->bytes, wire_ctl_value_bytes(type, count));
		break;
	case VSND_CTL_TYPES:
		break;
	}
}

bool wire_ctl_value_decode(const uint8_t *bytes, size_t len, enum vsnd_ctl_type type,
			   uint32_t count, union vsnd_ctl_value *ret)
{
	if (len < wire_ctl_value_bytes(type, count))
		return false;
	memset(ret, 0, sizeof(*ret));
	switch (type) {
	case VSND_CTL_BOOLEAN:
	case VSND_CTL_INTEGER:
	case VSND_CTL_ENUMERATED:
		for (uint32_t i = 0; i < count; i++)
			ret->item[i] = get32(bytes + 4 * (size_t)i);
		break;
	case VSND_CTL_INTEGER64:
		for (uint32_t i = 0; i < count; i++)
			ret->integer64[i] = (int64_t)get64(bytes + 8 * (size_t)i);
		break;
	case VSND_CTL_BYTES:
	case VSND_CTL_IEC958:
		memcpy(ret->bytes, bytes, wire_ctl_value_bytes(type, count));
		break;
	case VSND_CTL_TYPES:
		break;
	}
	return true;
}

uint32_t wire_ctl_tlv_encode(uint8_t *out, const uint32_t *tlv)
{
	for (uint32_t i = 0; i < 2 + tlv[1] / 4; i++)
		put32(out + 4 * (size_t)i, tlv[i]);
	return SND_CTL_TLV_HEADER_BYTES + tlv[1];
}

bool wire_ctl_tlv_header_decode(const uint8_t bytes[SND_CTL_TLV_HEADER_BYTES], uint32_t *ret_type,
				uint32_t *ret_length)
{
	uint32_t length = get32(bytes + 4);

	if (length % 4 || length > VSND_CTL_TLV_BYTES_MAX)
		return false;
	*ret_type = get32(bytes);
	*ret_length = length;
	return true;
}

uint32_t wire_ctl_tlv_word(const uint8_t *bytes, size_t word)
{
	return get32(bytes + 4 * word);
}

void wire_ctl_event_encode(uint8_t out[SND_CTL_EVENT_BYTES], uint16_t id, uint16_t mask)
{
	put32(out, EVT_CTL_NOTIFY);
	put16(out + 4, id);
	put16(out + 6, mask);
}
