/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control elements: their description, values and metadata as bytes and back.
 * Pure functions, as in wire/snd.h.  (virtio 1.4, Control Elements.)
 */
#ifndef VSND_WIRE_CTL_H
#define VSND_WIRE_CTL_H

#include <stdbool.h>

#include <vsnd/vsnd.h>

#define SND_CTL_HDR_BYTES 8
/*
 * Linux' structure has the union of ranges at an aligned place, with 4 bytes of
 * padding before it; the specification's text has no padding.  A driver shows by
 * the item size it asks for which one it means.
 */
#define SND_CTL_INFO_BYTES 96
#define SND_CTL_INFO_UNION 72
#define SND_CTL_INFO_PACKED_UNION 68
#define SND_CTL_VALUE_BYTES 512
#define SND_CTL_IEC958_BYTES 176
#define SND_CTL_TLV_HEADER_BYTES 8
#define SND_CTL_TLV_BYTES_MAX (SND_CTL_TLV_HEADER_BYTES + VSND_CTL_TLV_BYTES_MAX)
#define SND_CTL_EVENT_BYTES 8

/* @item_bytes: the size the driver asked for; less than 96 means the packed layout. */
void wire_ctl_info_encode(uint8_t out[SND_CTL_INFO_BYTES], const struct vsnd_ctl_settings *c,
			  uint32_t item_bytes);

/* Bytes of a value with @count members. */
size_t wire_ctl_value_bytes(enum vsnd_ctl_type type, uint32_t count);
/* All 512 bytes; zeroes behind the value. */
void wire_ctl_value_encode(uint8_t out[SND_CTL_VALUE_BYTES], enum vsnd_ctl_type type,
			   uint32_t count, const union vsnd_ctl_value *v);
/* False if @len bytes are too few.  Zeroes behind the value. */
bool wire_ctl_value_decode(const uint8_t *bytes, size_t len, enum vsnd_ctl_type type,
			   uint32_t count, union vsnd_ctl_value *ret);

/* Metadata of 2 + @tlv[1] / 4 words, length included.  Returns its bytes. */
uint32_t wire_ctl_tlv_encode(uint8_t *out, const uint32_t *tlv);
/* False for a length that is no multiple of 4 or more than a driver may send. */
bool wire_ctl_tlv_header_decode(const uint8_t bytes[SND_CTL_TLV_HEADER_BYTES], uint32_t *ret_type,
				uint32_t *ret_length);
uint32_t wire_ctl_tlv_word(const uint8_t *bytes, size_t word);

void wire_ctl_event_encode(uint8_t out[SND_CTL_EVENT_BYTES], uint16_t id, uint16_t mask);

#endif
