/* SPDX-License-Identifier: BSD-3-Clause */
#include "virtqueue/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int by_gpa(const void *a, const void *b)
{
	const struct vsnd_mem_region *x = a, *y = b;

	return (x->gpa > y->gpa) - (x->gpa < y->gpa);
}

static bool region_valid(const struct vsnd_mem_region *r)
{
	return r->host && r->size && r->size - 1 <= UINT64_MAX - r->gpa &&
	       r->size - 1 <= UINTPTR_MAX - (uintptr_t)r->host;
}

static bool regions_valid(const struct vsnd_mem_region *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (!region_valid(&r[i]))
			return false;
		if (i > 0 && r[i].gpa - r[i - 1].gpa < r[i - 1].size)
			return false;
	}
	return true;
}

int mem_create(const struct vsnd_mem_region *regions, unsigned n, struct mem **ret_mem)
{
	struct mem *m;

	if (n > VSND_MEM_REGIONS_MAX)
		return -EINVAL;

	m = calloc(1, sizeof(*m) + n * sizeof(m->region[0]));
	if (!m)
		return -ENOMEM;
	m->page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
	m->n = n;
	if (n > 0) {
		memcpy(m->region, regions, n * sizeof(m->region[0]));
		qsort(m->region, n, sizeof(m->region[0]), by_gpa);
	}
	if (!regions_valid(m->region, n)) {
		free(m);
		return -EINVAL;
	}
	*ret_mem = m;
	return 0;
}

void mem_free(struct mem *m)
{
	free(m);
}

void *mem_ptr(const struct mem *m, uint64_t gpa, uint64_t len)
{
	uint64_t got;
	void *p = mem_span(m, gpa, len, &got);

	return p && got == len ? p : NULL;
}

bool mem_mapped(const struct mem *m, uint64_t gpa, uint64_t len)
{
	uint64_t got;

	if (len > 0 && len - 1 > UINT64_MAX - gpa)
		return false;
	for (; len > 0; gpa += got, len -= got)
		if (!mem_span(m, gpa, len, &got))
			return false;
	return true;
}

/*
 * Put zeroes over the block of @bytes (a power of two) around @addr, or as much
 * of it as lies in the pages of @r.
 */
static bool cover(const struct mem *m, const struct vsnd_mem_region *r, uintptr_t addr,
		  uintptr_t bytes)
{
	uintptr_t first = (uintptr_t)r->host & ~(m->page_bytes - 1);
	uintptr_t last = ((uintptr_t)r->host + (uintptr_t)(r->size - 1)) | (m->page_bytes - 1);
	uintptr_t from = addr & ~(bytes - 1);
	uintptr_t to = addr | (bytes - 1);

	if (from < first)
		from = first;
	if (to > last)
		to = last;
	return mmap((void *)from, to - from + 1, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED;
}

/*
 * The kernel refuses to replace a part of a huge page.  What it takes is found
 * by doubling, up to the whole region; nothing in it is worth keeping, as the
 * rings that use this table are about to die.
 */
static bool cover_somehow(const struct mem *m, const struct vsnd_mem_region *r, uintptr_t addr)
{
	for (uintptr_t bytes = m->page_bytes; bytes > 0; bytes *= 2)
		if (cover(m, r, addr, bytes))
			return true;
	return false;
}

bool mem_fault(struct mem *m, void *addr)
{
	int saved = errno;
	bool done = false;

	for (unsigned i = 0; m && i < m->n && !done; i++) {
		const struct vsnd_mem_region *r = &m->region[i];

		if ((uintptr_t)addr - (uintptr_t)r->host < r->size)
			done = cover_somehow(m, r, (uintptr_t)addr);
	}
	if (done)
		atomic_store_explicit(&m->broken, true, memory_order_release);
	errno = saved;
	return done;
}
