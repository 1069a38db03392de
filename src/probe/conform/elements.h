/* SPDX-License-Identifier: BSD-3-Clause */
/* Control elements: their items, and requests about them. */
#ifndef PROBE_CONFORM_ELEMENTS_H
#define PROBE_CONFORM_ELEMENTS_H

#include "probe/conform/card.h"

#define ELEMENT_BYTES	   96u /* an item; 92 in the text's own layout */
#define ELEMENT_NAME_BYTES 44u
#define ENUM_ITEM_BYTES	   64u
#define VALUE_BYTES	   512u
#define TLV_HEADER_BYTES   8u
#define TLV_VALUE_MAX	   65536u

enum element_request { R_ENUM_ITEMS = 0x301, R_VALUE_READ, R_VALUE_WRITE, R_TLV_READ, R_TLV_WRITE,
	R_TLV_COMMAND };

enum element_type { BOOLEAN, INTEGER, INTEGER64, ENUMERATED, BYTES, IEC958, ELEMENT_TYPES };

enum element_access { A_READ = 1, A_WRITE = 2, A_VOLATILE = 4, A_INACTIVE = 8, A_TLV_READ = 16,
	A_TLV_WRITE = 32, A_TLV_COMMAND = 64 };

struct element_info {
	uint32_t id, role, type, access, count, index;
	uint32_t items;	   /* ENUMERATED */
	int64_t min, max;  /* INTEGER, INTEGER64 */
	const uint8_t *raw; /* the item */
};

/* Up, with all items in *a.  A skip for a device without controls. */
int elements_up(struct conform *c, struct answer *a, uint32_t *ret_n);
int elements_up_as(struct conform *c, const struct rig_setup *setup, struct answer *a,
	uint32_t *ret_n);
void element_decode(const struct answer *a, uint32_t id, struct element_info *ret);

/* The next one after *e that has all of `access` and none of `without`; begin
 * with an id of -1.  False at the end. */
bool element_next(const struct answer *a, uint32_t n, uint32_t access, uint32_t without,
	struct element_info *e);

/* A non-empty string of printable ASCII with a NUL, and nothing but NULs behind. */
bool element_is_name(const uint8_t *p, unsigned room);

uint32_t value_bytes(const struct element_info *e);

/* Some value in range that is not the one at `now`. */
void value_other(const struct element_info *e, const uint8_t *now, uint8_t value[VALUE_BYTES]);

/* A request of an element, `bytes` of payload behind its id. */
int element_ask(struct conform *c, uint32_t code, uint32_t id, const void *payload,
	uint32_t bytes, uint32_t room, struct answer *a);
int value_read(struct conform *c, uint32_t id, struct answer *a);
int value_write(struct conform *c, uint32_t id, const uint8_t *value, uint32_t bytes,
	uint32_t *ret_status);

#endif
