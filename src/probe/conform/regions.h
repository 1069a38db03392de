/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages about memory regions. */
#ifndef PROBE_CONFORM_REGIONS_H
#define PROBE_CONFORM_REGIONS_H

#include "probe/conform/conform.h"
#include "probe/vu.h"

/* Where no region of the rig is. */
#define FAR_GPA	 0x5000000000ULL
#define FAR_UVA	 0x610000000000ULL
#define FAR_SIZE 0x200000ULL

/* As it is in the message. */
struct span {
	uint64_t gpa, size, uva, offset;
};

void put_span(uint8_t *p, const struct span *s);

/* ADD_MEM_REG or REM_MEM_REG with so many times this fd. */
void region_message(struct vu_msg *m, uint32_t request, const struct span *s, int fd,
	unsigned fds);

/* SET_MEM_TABLE with the regions of the rig. */
void regions_message(const struct conform *c, struct vu_msg *m);

/* A skip without CONFIGURE_MEM_SLOTS. */
int need_slots(struct conform *c);

#endif
