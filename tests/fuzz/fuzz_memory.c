/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Targets: mem_create(), mem_span(), mem_ptr(), mem_mapped(), mem_fault().
 *
 * Input: number of regions, the regions (gpa, size, host address, 8 bytes each),
 * and the lookups (gpa, length).  No host address is accessed.  What the table
 * says is compared with a plain search through the regions.
 */
#include <stdlib.h>
#include <string.h>

#include "virtqueue/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

struct input {
	const uint8_t *data;
	size_t size;
};

/* The next 8 bytes, little-endian; zeroes at the end. */
static uint64_t take(struct input *in)
{
	uint64_t v = 0;
	unsigned n = in->size < 8 ? (unsigned)in->size : 8;

	for (unsigned i = 0; i < n; i++)
		v |= (uint64_t)in->data[i] << 8 * i;
	in->data += n;
	in->size -= n;
	return v;
}

static bool valid(const struct vsnd_mem_region *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t last = r[i].gpa + (r[i].size - 1);

		if (r[i].size == 0 || last < r[i].gpa || !r[i].host)
			return false;
		if ((uintptr_t)r[i].host + (r[i].size - 1) < (uintptr_t)r[i].host)
			return false;
		for (unsigned k = 0; k < i; k++)
			if (r[k].gpa <= last && r[i].gpa <= r[k].gpa + (r[k].size - 1))
				return false;
	}
	return true;
}

/* The address for @gpa and how many bytes follow there, or 0. */
static uintptr_t search(const struct vsnd_mem_region *r, unsigned n, uint64_t gpa,
			uint64_t *ret_rest)
{
	for (unsigned i = 0; i < n; i++) {
		if (gpa >= r[i].gpa && gpa <= r[i].gpa + (r[i].size - 1)) {
			*ret_rest = r[i].size - (gpa - r[i].gpa);
			return (uintptr_t)r[i].host + (uintptr_t)(gpa - r[i].gpa);
		}
	}
	return 0;
}

static bool searched_all(const struct vsnd_mem_region *r, unsigned n, uint64_t gpa, uint64_t len)
{
	uint64_t rest;

	while (len > 0) {
		if (!search(r, n, gpa, &rest))
			return false;
		if (rest >= len)
			return true;
		len -= rest;
		gpa += rest;
		if (gpa == 0)	/* came around */
			return false;
	}
	return true;
}

static void look_up(const struct mem *m, const struct vsnd_mem_region *r, unsigned n, uint64_t gpa,
		    uint64_t len)
{
	uint64_t got = 0, rest = 0;
	uintptr_t host = search(r, n, gpa, &rest);
	uint64_t most = rest < len ? rest : len;
	bool all = searched_all(r, n, gpa, len);

	must((uintptr_t)mem_span(m, gpa, len, &got) == host && got == most);
	must((uintptr_t)mem_ptr(m, gpa, len) == (host && most == len ? host : 0));
	must(mem_mapped(m, gpa, len) == all);
}

static void check_fault(struct mem *m, const struct vsnd_mem_region *r, unsigned n, uintptr_t addr)
{
	for (unsigned i = 0; i < n; i++)
		if (addr - (uintptr_t)r[i].host < r[i].size)
			return;
	must(!mem_fault(m, (void *)addr));
	must(!mem_broken(m));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vsnd_mem_region r[32] = { { .gpa = 0 } };
	struct input in;
	struct mem *m;
	unsigned n;
	int err;

	if (size == 0)
		return 0;
	in = (struct input){ .data = data + 1, .size = size - 1 };
	n = data[0] % 33;
	for (unsigned i = 0; i < n; i++) {
		r[i].gpa = take(&in);
		r[i].size = take(&in);
		r[i].host = (void *)(uintptr_t)take(&in);
	}
	err = mem_create(r, n, &m);
	must((err == 0) == valid(r, n));
	if (err < 0)
		return 0;
	for (unsigned i = 0; i < n; i++)
		look_up(m, r, n, r[i].gpa, r[i].size);
	while (in.size > 0) {
		uint64_t gpa = take(&in), len = take(&in);

		look_up(m, r, n, gpa, len);
		check_fault(m, r, n, (uintptr_t)gpa);
	}
	mem_free(m);
	return 0;
}
