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

#include <vsnd/vsnd.h>

struct mem;

/*
 * -EINVAL for empty, wrapping, overlapping or NULL regions or too many, -ENOMEM.
 * @n may be 0.
 */
int mem_create(const struct vsnd_mem_region *regions, unsigned n, struct mem **ret_mem);
void mem_free(struct mem *m);

/*
 * The longest run of host memory at @gpa, at most @len bytes: pointer, and its
 * length in *@ret_len (> 0 when @len > 0).  NULL where nothing is mapped or @m is NULL.
 */
void *mem_span(const struct mem *m, uint64_t gpa, uint64_t len, uint64_t *ret_len);

/* All of [@gpa, @gpa + @len) in one piece, or NULL. */
void *mem_ptr(const struct mem *m, uint64_t gpa, uint64_t len);

/* Whether all of the range is mapped (it may cross adjacent regions). */
bool mem_mapped(const struct mem *m, uint64_t gpa, uint64_t len);

/* Async-signal-safe; see the head of this file. */
bool mem_fault(struct mem *m, void *addr);
bool mem_broken(const struct mem *m);

#endif
