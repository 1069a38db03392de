/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_driver.h"

#include <endian.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct desc {
	uint64_t gpa;
	uint32_t len;
	uint16_t flags, next;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

void guest_init(struct guest *g, uint64_t gpa, size_t size)
{
	void *host = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	must(host != MAP_FAILED);
	*g = (struct guest){ .host = host, .gpa = gpa, .size = size };
}

void guest_fini(struct guest *g)
{
	munmap(g->host, g->size);
	g->host = NULL;
}

struct vsnd_mem_region guest_region(const struct guest *g)
{
	return (struct vsnd_mem_region){ .gpa = g->gpa, .size = g->size, .host = g->host };
}

uint64_t guest_alloc(struct guest *g, size_t size, size_t align)
{
	size_t at = (g->taken + align - 1) / align * align;

	must(at <= g->size && size <= g->size - at);
	g->taken = at + size;
	memset(g->host + at, GUEST_POISON, size);
	return g->gpa + at;
}

void *guest_ptr(const struct guest *g, uint64_t gpa)
{
	must(gpa - g->gpa < g->size);
	return g->host + (gpa - g->gpa);
}

/* 16-bit fields of a ring, by their number from its start. */
static _Atomic uint16_t *field(const struct ring *r, uint64_t ring, size_t i)
{
	return (_Atomic uint16_t *)guest_ptr(r->guest, ring) + i;
}

static uint16_t get(const struct ring *r, uint64_t ring, size_t i)
{
	return le16toh(atomic_load_explicit(field(r, ring, i), memory_order_acquire));
}

static void set(const struct ring *r, uint64_t ring, size_t i, uint16_t value)
{
	atomic_store_explicit(field(r, ring, i), htole16(value), memory_order_release);
}

void ring_init(struct ring *r, struct guest *g, uint32_t size, uint64_t features, uint16_t base)
{
	*r = (struct ring){
		.guest = g,
		.size = size,
		.event_idx = features & UINT64_C(1) << VSND_F_EVENT_IDX,
		.desc = guest_alloc(g, 16 * (size_t)size, 16),
		.avail = guest_alloc(g, 6 + 2 * (size_t)size, 2),
		.used = guest_alloc(g, 6 + 8 * (size_t)size, 4),
		.base = base,
		.avail_idx = base,
		.shown_idx = base,
		.used_idx = base,
		.next = calloc(size, sizeof(*r->next)),
		.links = calloc(size, sizeof(*r->links)),
		.table = calloc(size, sizeof(*r->table)),
		.table_entries = calloc(size, sizeof(*r->table_entries)),
		.n_free = (uint16_t)size,
	};
	must(r->next && r->links && r->table && r->table_entries);
	for (uint32_t i = 0; i < size; i++)
		r->next[i] = (uint16_t)(i + 1);
	ring_set_avail_flags(r, 0);
	set(r, r->avail, 1, base);
	ring_set_used_event(r, base);
	ring_set_used_flags(r, 0);
	set(r, r->used, 1, base);
	set(r, r->used, 2 + 4 * (size_t)size, 0);
}

void ring_fini(struct ring *r)
{
	free(r->next);
	free(r->links);
	free(r->table);
	free(r->table_entries);
}

struct vsnd_queue_setup ring_setup(const struct ring *r)
{
	return (struct vsnd_queue_setup){
		.size = r->size,
		.base = r->base,
		.desc = r->desc,
		.driver = r->avail,
		.device = r->used,
	};
}

void ring_table_desc(struct guest *g, uint64_t table, uint32_t i, uint64_t gpa, uint32_t len,
		     uint16_t flags, uint16_t next)
{
	struct desc d = {
		.gpa = htole64(gpa),
		.len = htole32(len),
		.flags = htole16(flags),
		.next = htole16(next),
	};

	memcpy(guest_ptr(g, table + 16 * (uint64_t)i), &d, sizeof(d));
}

void ring_desc(struct ring *r, uint32_t i, uint64_t gpa, uint32_t len, uint16_t flags,
	       uint16_t next)
{
	ring_table_desc(r->guest, r->desc, i, gpa, len, flags, next);
}

void ring_avail(struct ring *r, uint16_t head)
{
	size_t slot = r->avail_idx++ & (r->size - 1);

	atomic_store_explicit(field(r, r->avail, 2 + slot), htole16(head), memory_order_relaxed);
}

static uint16_t buf_flags(const struct ring_buf *b, bool more)
{
	return (uint16_t)((b->writable ? RING_DESC_WRITE : 0) | (more ? RING_DESC_NEXT : 0));
}

int ring_add(struct ring *r, const struct ring_buf *bufs, unsigned n)
{
	uint16_t head = r->free;

	must(n > 0);
	if (n > r->n_free)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		uint16_t d = r->free;

		r->free = r->next[d];
		ring_desc(r, d, bufs[i].gpa, bufs[i].len, buf_flags(&bufs[i], i + 1 < n),
			  i + 1 < n ? r->free : 0xffff);
	}
	r->n_free = (uint16_t)(r->n_free - n);
	r->links[head] = (uint16_t)n;
	ring_avail(r, head);
	return head;
}

int ring_add_indirect(struct ring *r, const struct ring_buf *bufs, unsigned n)
{
	uint16_t head = r->free;

	must(n > 0);
	if (r->n_free == 0)
		return -1;
	if (r->table_entries[head] < n) {
		r->table[head] = guest_alloc(r->guest, 16 * (size_t)n, 16);
		r->table_entries[head] = n;
	}
	for (unsigned i = 0; i < n; i++)
		ring_table_desc(r->guest, r->table[head], i, bufs[i].gpa, bufs[i].len,
				buf_flags(&bufs[i], i + 1 < n), (uint16_t)(i + 1));
	ring_desc(r, head, r->table[head], 16 * n, RING_DESC_INDIRECT, 0);
	r->free = r->next[head];
	r->n_free--;
	r->links[head] = 1;
	ring_avail(r, head);
	return head;
}

bool ring_show(struct ring *r)
{
	uint16_t old = r->shown_idx, new = r->avail_idx;

	set(r, r->avail, 1, new);
	r->shown_idx = new;
	atomic_thread_fence(memory_order_seq_cst);
	if (r->event_idx)
		return (uint16_t)(new - ring_avail_event(r) - 1) < (uint16_t)(new - old);
	return !(ring_used_flags(r) & 1);
}

int ring_post(struct ring *r, const struct ring_buf *bufs, unsigned n)
{
	int head = ring_add(r, bufs, n);

	if (head >= 0)
		ring_show(r);
	return head;
}

bool ring_has_used(const struct ring *r)
{
	return ring_device_used_idx(r) != r->used_idx;
}

bool ring_collect(struct ring *r, struct ring_used *ret_used)
{
	size_t slot = r->used_idx & (r->size - 1);
	uint32_t raw[2];
	uint16_t last;

	if (!ring_has_used(r))
		return false;
	memcpy(raw, guest_ptr(r->guest, r->used + 4 + 8 * slot), sizeof(raw));
	*ret_used = (struct ring_used){ .id = le32toh(raw[0]), .len = le32toh(raw[1]) };
	must(ret_used->id < r->size);
	r->used_idx++;

	if (r->links[ret_used->id] == 0)	/* not from ring_add() */
		return true;
	last = (uint16_t)ret_used->id;
	for (unsigned i = 1; i < r->links[ret_used->id]; i++)
		last = r->next[last];
	r->next[last] = r->free;
	r->free = (uint16_t)ret_used->id;
	r->n_free = (uint16_t)(r->n_free + r->links[ret_used->id]);
	r->links[ret_used->id] = 0;
	return true;
}

bool ring_want_interrupts(struct ring *r, bool want)
{
	if (!r->event_idx)
		ring_set_avail_flags(r, want ? 0 : 1);
	else
		ring_set_used_event(r, want ? r->used_idx : (uint16_t)(r->used_idx - r->size - 1));
	atomic_thread_fence(memory_order_seq_cst);
	return ring_has_used(r);
}

void ring_set_used_event(struct ring *r, uint16_t idx)
{
	set(r, r->avail, 2 + (size_t)r->size, idx);
}

void ring_set_avail_flags(struct ring *r, uint16_t flags)
{
	set(r, r->avail, 0, flags);
}

uint16_t ring_avail_event(const struct ring *r)
{
	return get(r, r->used, 2 + 4 * (size_t)r->size);
}

uint16_t ring_used_flags(const struct ring *r)
{
	return get(r, r->used, 0);
}

uint16_t ring_device_used_idx(const struct ring *r)
{
	return get(r, r->used, 1);
}

void ring_set_avail_idx(struct ring *r, uint16_t idx)
{
	set(r, r->avail, 1, idx);
}

void ring_set_used_idx(struct ring *r, uint16_t idx)
{
	set(r, r->used, 1, idx);
	r->used_idx = idx;
}

void ring_set_used_flags(struct ring *r, uint16_t flags)
{
	set(r, r->used, 0, flags);
}
