/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's memory, as we hand it to the back-end. */
#ifndef PROBE_MEM_H
#define PROBE_MEM_H

#include <stdint.h>

#define MEM_REGIONS_MAX 8 /* what SET_MEM_TABLE can carry */

struct mem_region {
	uint64_t gpa;	 /* where the guest sees it */
	uint64_t uva;	 /* the user address we claim; not where it is mapped */
	uint64_t offset; /* of the region in its file */
	uint64_t size;
	uint64_t used; /* bytes given out, from the start */
	uint8_t *va;   /* our own mapping */
	int fd;
};

struct mem {
	struct mem_region region[MEM_REGIONS_MAX];
	unsigned regions;
	unsigned turn; /* region that serves the next mem_alloc() */
};

/* 0 or negative errno. */
int mem_create(struct mem *m, unsigned regions, uint64_t region_bytes);

/* Fine on a zeroed or half-built mem. */
void mem_destroy(struct mem *m);

/* Zeroed memory, from each region in turn; 0 when none has room.  There is no
 * free: everything lives as long as the connection. */
uint64_t mem_alloc(struct mem *m, uint64_t bytes, uint64_t align);

/* Of an address that mem_alloc() gave out, or inside of it. */
void *mem_va(const struct mem *m, uint64_t gpa);
uint64_t mem_uva(const struct mem *m, uint64_t gpa);

#endif
