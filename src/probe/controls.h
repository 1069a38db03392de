/* SPDX-License-Identifier: BSD-3-Clause */
/* Control elements as a driver sees them. */
#ifndef PROBE_CONTROLS_H
#define PROBE_CONTROLS_H

#include <stdint.h>

#include "probe/sound.h"

enum control_type { CONTROL_BOOLEAN, CONTROL_INTEGER, CONTROL_INTEGER64, CONTROL_ENUMERATED,
	CONTROL_BYTES, CONTROL_IEC958, CONTROL_TYPES };

#define CONTROL_READ	  1u /* bits of access */
#define CONTROL_TLV_READ  16u
#define CONTROL_NAME	  44
#define CONTROL_ITEM	  64
#define CONTROL_VALUE	  512
#define CONTROL_TLV_WORDS 16u /* as much of the metadata as is looked at */

struct control_info {
	uint32_t nid, role, type, access, count, index;
	int64_t min, max, step;	     /* integers */
	uint32_t items;		     /* enumerated */
	char name[CONTROL_NAME + 1]; /* printable; what is not is a question mark */
};

/* The first words of the metadata; length is what the device says of all. */
struct control_tlv {
	uint32_t type, length, words;
	uint32_t word[CONTROL_TLV_WORDS];
};

/* All: 0 or negative errno with a complaint. */
int control_info(struct sound *s, uint32_t id, struct control_info *ret);
/* Calls each() for every item of an enumerated element, in order. */
int control_items(struct sound *s, uint32_t id, uint32_t items,
	void (*each)(void *ctx, const char *item), void *ctx);
int control_read(struct sound *s, uint32_t id, uint8_t ret[CONTROL_VALUE]);
int control_tlv(struct sound *s, uint32_t id, struct control_tlv *ret);

#endif
