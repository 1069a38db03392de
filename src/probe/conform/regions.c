/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe/conform/regions.h"

#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/wire.h"

void put_span(uint8_t *p, const struct span *s)
{
	memcpy(p, s, sizeof(*s));
}

void region_message(struct vu_msg *m, uint32_t request, const struct span *s, int fd,
	unsigned fds)
{
	wire_empty(m, request);
	m->size = 40;
	put_span(m->payload + 8, s);
	for (unsigned i = 0; i < fds; i++)
		m->fds[i] = fd;
	m->fds_count = fds;
}

void regions_message(const struct conform *c, struct vu_msg *m)
{
	const struct mem *mem = &c->rig.mem;

	wire_empty(m, VU_SET_MEM_TABLE);
	put32(m->payload, mem->regions);
	for (unsigned k = 0; k < mem->regions; k++) {
		const struct mem_region *r = &mem->region[k];

		put_span(m->payload + 8 + 32 * k,
			&(struct span){ r->gpa, r->size, r->uva, r->offset });
		m->fds[m->fds_count++] = r->fd;
	}
	m->size = 8 + 32 * mem->regions;
}

int need_slots(struct conform *c)
{
	return wire_has(c, VU_P_CONFIGURE_MEM_SLOTS) ? 0
		: skip(c, "the back-end does not offer CONFIGURE_MEM_SLOTS");
}
