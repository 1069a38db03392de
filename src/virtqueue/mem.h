/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory: an immutable table of regions, and the only functions that turn
 * a guest-physical address into a pointer.
 *
 * A table never changes once made: a new one replaces it, on the thread that
 * uses it, so lookups need no lock.  Every address and length given here comes
 * from the guest and is checked against the table at each use, by subtraction;
 * nothing outside src/virtqueue dereferences guest memory except through a span
 * returned here.  Spans end at region borders; who wants more asks again behind
 * the span.
 *
 * A front-end may truncate the file behind a region.  mem_fault(), called from
 * a SIGBUS handler, puts a zero page at the place and marks the table: the
 * access goes on, and the owner of the rings sees mem_broken() at its next turn.
 */
#ifndef VSND_VIRTQUEUE_MEM_H
#define VSND_VIRTQUEUE_MEM_H

#include <stdatomic.h>

#include <vsnd/vsnd.h>

/*
 * The table is used by several threads at once, so a lookup leaves no trace in
 * it (no "last hit"): the few regions a guest has are found in two or three
 * comparisons anyway.
 */
struct mem {
	atomic_bool broken;
	uintptr_t page_bytes;
	unsigned n;
	struct vsnd_mem_region region[];	/* ascending, disjoint */
};

/*
 * -EINVAL for empty, wrapping, overlapping or NULL regions or too many, -ENOMEM.
 * @n may be 0.
 */
int mem_create(const struct vsnd_mem_region *regions, unsigned n, struct mem **ret_mem);
void mem_free(struct mem *m);

static inline const struct vsnd_mem_region *mem_find(const struct mem *m, uint64_t gpa)
{
	unsigned lo = 0, hi = m->n;

	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;
		const struct vsnd_mem_region *r = &m->region[mid];

		if (gpa < r->gpa)
			hi = mid;
		else if (gpa - r->gpa < r->size)
			return r;
		else
			lo = mid + 1;
	}
	return NULL;
}

/*
 * The longest run of host memory at @gpa, at most @len bytes: pointer, and its
 * length in *@ret_len (> 0 when @len > 0).  NULL where nothing is mapped or @m is NULL.
 */
static inline void *mem_span(const struct mem *m, uint64_t gpa, uint64_t len, uint64_t *ret_len)
{
	const struct vsnd_mem_region *r = m ? mem_find(m, gpa) : NULL;
	uint64_t offset, rest;

	if (!r)
		return NULL;
	offset = gpa - r->gpa;
	rest = r->size - offset;
	*ret_len = len < rest ? len : rest;
	return (uint8_t *)r->host + offset;
}

/* All of [@gpa, @gpa + @len) in one piece, or NULL. */
void *mem_ptr(const struct mem *m, uint64_t gpa, uint64_t len);

/* Whether all of the range is mapped (it may cross adjacent regions). */
bool mem_mapped(const struct mem *m, uint64_t gpa, uint64_t len);

/* Async-signal-safe; see the head of this file. */
bool mem_fault(struct mem *m, void *addr);

static inline bool mem_broken(const struct mem *m)
{
	return m && atomic_load_explicit(&m->broken, memory_order_acquire);
}

#endif
