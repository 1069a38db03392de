/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory: memfd regions with three addresses that never agree.
 *
 * A back-end finds rings by user address and buffers by guest address.  A
 * front-end where both are equal hides the fault of mixing them up, so here
 * they are far apart and run in opposite directions: the guest addresses of
 * regions ascend, the user addresses descend.  Every second region begins at
 * an odd page of its file, for back-ends that forget the mmap offset.
 */
#include "probe/mem.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe/report.h"

#define GPA_FIRST  0x10000ULL
#define GPA_STEP   0x100000000ULL
#define UVA_LAST   0x700000000000ULL
#define ODD_OFFSET 0x3000ULL

static int region_create(struct mem_region *r, unsigned index, uint64_t bytes)
{
	r->gpa = GPA_FIRST + index * GPA_STEP;
	r->uva = UVA_LAST - index * GPA_STEP;
	r->offset = index & 1 ? ODD_OFFSET : 0;
	r->size = bytes;

	r->fd = memfd_create("guest-ram", MFD_CLOEXEC);
	if (r->fd < 0)
		return complain(-errno, "memfd: %s", strerror(errno));
	if (ftruncate(r->fd, (off_t)(r->offset + bytes)) < 0)
		return complain(-errno, "guest memory of %llu bytes: %s", (unsigned long long)bytes,
			strerror(errno));

	r->va = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, (off_t)r->offset);
	if (r->va == MAP_FAILED) {
		r->va = NULL;
		return complain(-errno, "mapping guest memory: %s", strerror(errno));
	}
	return 0;
}

int mem_create(struct mem *m, unsigned regions, uint64_t region_bytes)
{
	int err;

	assert(regions >= 1 && regions <= MEM_REGIONS_MAX && region_bytes < GPA_STEP / 2);
	memset(m, 0, sizeof(*m));
	for (m->regions = 0; m->regions < regions;) {
		m->region[m->regions].fd = -1;
		err = region_create(&m->region[m->regions], m->regions, region_bytes);
		m->regions++; /* also a half-built one is destroyed */
		if (err < 0) {
			mem_destroy(m);
			return err;
		}
	}
	return 0;
}

void mem_destroy(struct mem *m)
{
	for (unsigned i = 0; i < m->regions; i++) {
		if (m->region[i].va)
			munmap(m->region[i].va, m->region[i].size);
		if (m->region[i].fd >= 0)
			close(m->region[i].fd);
	}
	memset(m, 0, sizeof(*m));
}

uint64_t mem_alloc(struct mem *m, uint64_t bytes, uint64_t align)
{
	for (unsigned tries = 0; tries < m->regions; tries++) {
		struct mem_region *r = &m->region[m->turn];
		uint64_t start = (r->used + align - 1) / align * align;

		m->turn = (m->turn + 1) % m->regions;
		if (start <= r->size && bytes <= r->size - start) {
			r->used = start + bytes;
			return r->gpa + start;
		}
	}
	return 0;
}

static const struct mem_region *region_of(const struct mem *m, uint64_t gpa)
{
	for (unsigned i = 0; i < m->regions; i++) {
		const struct mem_region *r = &m->region[i];

		if (gpa >= r->gpa && gpa - r->gpa < r->size)
			return r;
	}
	return NULL;
}

void *mem_va(const struct mem *m, uint64_t gpa)
{
	const struct mem_region *r = region_of(m, gpa);

	assert(r);
	return r->va + (gpa - r->gpa);
}

uint64_t mem_uva(const struct mem *m, uint64_t gpa)
{
	const struct mem_region *r = region_of(m, gpa);

	assert(r);
	return r->uva + (gpa - r->gpa);
}
