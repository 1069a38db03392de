/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests about control elements, in the layout that a 64-bit Linux has. */
#include "probe/controls.h"

#include <errno.h>
#include <string.h>

#include "probe/bytes.h"
#include "probe/names.h"
#include "probe/report.h"

#define INFO_BYTES  96u
#define INFO_UNION  72
#define TLV_HEADER  8u
#define ITEMS_BYTES (CONTROL_BYTES_MAX - 4)

enum { R_CTL_ENUM_ITEMS = 0x301, R_CTL_READ = 0x302, R_CTL_TLV_READ = 0x304 };

static int ask(struct sound *s, const void *q, uint32_t q_bytes, void *reply, uint32_t bytes)
{
	int status = sound_request(s, q, q_bytes, reply, bytes);

	if (status < 0)
		return status;
	if ((uint32_t)status != SND_S_OK)
		return complain(-EPROTO, "%s for %u was answered with %s (0x%x)",
			request_name(get32(q)), get32((const uint8_t *)q + 4),
			status_name((uint32_t)status), (unsigned)status);
	return 0;
}

static int ask_element(struct sound *s, uint32_t code, uint32_t id, void *reply, uint32_t bytes)
{
	uint8_t q[8];

	put32(q, code);
	put32(q + 4, id);
	return ask(s, q, sizeof(q), reply, bytes);
}

/* A fixed field as a string of printable characters. */
static void copy_text(char *out, const uint8_t *field, size_t n)
{
	size_t i;

	for (i = 0; i < n && field[i]; i++)
		out[i] = field[i] >= 0x20 && field[i] <= 0x7e ? (char)field[i] : '?';
	out[i] = 0;
}

int control_info(struct sound *s, uint32_t id, struct control_info *ret)
{
	uint8_t q[16], b[INFO_BYTES];
	const uint8_t *u = b + INFO_UNION;
	int err;

	put32(q, SND_R_CTL_INFO);
	put32(q + 4, id);
	put32(q + 8, 1);
	put32(q + 12, INFO_BYTES);
	err = ask(s, q, sizeof(q), b, sizeof(b));
	if (err < 0)
		return err;
	*ret = (struct control_info){ .nid = get32(b), .role = get32(b + 4), .type = get32(b + 8),
		.access = get32(b + 12), .count = get32(b + 16), .index = get32(b + 20) };
	copy_text(ret->name, b + 24, CONTROL_NAME);
	if (ret->type == CONTROL_INTEGER64) {
		ret->min = (int64_t)get64(u);
		ret->max = (int64_t)get64(u + 8);
		ret->step = (int64_t)get64(u + 16);
	} else if (ret->type == CONTROL_ENUMERATED) {
		ret->items = get32(u);
	} else {
		ret->min = (int32_t)get32(u);
		ret->max = (int32_t)get32(u + 4);
		ret->step = (int32_t)get32(u + 8);
	}
	return 0;
}

int control_items(struct sound *s, uint32_t id, uint32_t items,
	void (*each)(void *ctx, const char *item), void *ctx)
{
	static uint8_t b[ITEMS_BYTES];
	char text[CONTROL_ITEM + 1];
	int err;

	if (items > sizeof(b) / CONTROL_ITEM)
		return complain(-EPROTO, "element %u has %u items", id, items);
	err = ask_element(s, R_CTL_ENUM_ITEMS, id, b, items * CONTROL_ITEM);
	for (uint32_t i = 0; i < items && !err; i++) {
		copy_text(text, b + (size_t)i * CONTROL_ITEM, CONTROL_ITEM);
		each(ctx, text);
	}
	return err;
}

int control_read(struct sound *s, uint32_t id, uint8_t ret[CONTROL_VALUE])
{
	return ask_element(s, R_CTL_READ, id, ret, CONTROL_VALUE);
}

/* First the header, then as much as it says and there is a use for. */
int control_tlv(struct sound *s, uint32_t id, struct control_tlv *ret)
{
	uint8_t b[TLV_HEADER + 4 * CONTROL_TLV_WORDS];
	int err = ask_element(s, R_CTL_TLV_READ, id, b, TLV_HEADER);

	if (err < 0)
		return err;
	*ret = (struct control_tlv){ .type = get32(b), .length = get32(b + 4) };
	if (ret->length % 4)
		return complain(-EPROTO, "the metadata of element %u have %u bytes", id,
			ret->length);
	ret->words = ret->length / 4 < CONTROL_TLV_WORDS ? ret->length / 4 : CONTROL_TLV_WORDS;
	err = ask_element(s, R_CTL_TLV_READ, id, b, TLV_HEADER + 4 * ret->words);
	for (uint32_t i = 0; i < ret->words && !err; i++)
		ret->word[i] = get32(b + TLV_HEADER + 4 * (size_t)i);
	return err;
}
