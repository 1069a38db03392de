/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The front-end's memory table: files mapped here, found by the front-end's
 * user addresses (rings) or by guest addresses (everything else, in libvsnd).
 *
 * A table is a plain value.  A change is made on a copy, given to the device
 * and only then put in force, so a refused change leaves no trace; who drops a
 * table or a region says whether its mappings go, too.
 */
#ifndef VSND_VHOST_USER_MEMORY_H
#define VSND_VHOST_USER_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <vsnd/vsnd.h>

#include "vhost_user/frame.h"

/** What GET_MAX_MEM_SLOTS says (libvhost-user's number; QEMU uses up to 512). */
#define VU_MEM_SLOTS 509

struct vu_region {
	struct vu_mem_desc desc;
	void *map;		/* as mmap() gave it */
	size_t map_size;
	void *host;		/* where desc.gpa is */
};

struct vu_memory {
	unsigned n;
	struct vu_region region[VU_MEM_SLOTS];
};

/*
 * Map @fd, which stays the caller's, as another region.  -EINVAL for a region
 * that overlaps another in guest or user addresses, is not page-aligned or does not lie within
 * the file; -ENOSPC if there are VU_MEM_SLOTS already; or mmap()'s error.
 */
int vu_memory_add(struct vu_memory *m, const struct vu_mem_desc *desc, int fd);

/*
 * Take the region with @desc's addresses and size (its file offset does not
 * matter) out of the table; it goes to *@ret_region, still mapped.  -ENOENT.
 */
int vu_memory_take(struct vu_memory *m, const struct vu_mem_desc *desc,
		   struct vu_region *ret_region);

/* Unmap one region, or all of a table. */
void vu_region_unmap(struct vu_region *r);
void vu_memory_unmap(struct vu_memory *m);

/* The guest address of @size bytes at user address @uaddr.  -EFAULT if not in one region. */
int vu_memory_gpa(const struct vu_memory *m, uint64_t uaddr, uint64_t size, uint64_t *ret_gpa);

/* The table as libvsnd wants it; @regions has room for m->n. */
void vu_memory_regions(const struct vu_memory *m, struct vsnd_mem_region *regions);

#endif
