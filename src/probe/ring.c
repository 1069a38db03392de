/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Split virtqueue, driver side.
 *
 * Notifications are suppressed exactly as Linux does it, because devices are
 * tuned to that driver: used_event follows each chain that is taken; while
 * everything is being taken, calls are off (flag without EVENT_IDX, a stale
 * used_event with it), and calls_on() sets used_event to the next entry and
 * looks again.  A kick is sent if avail_event lies in what was added since
 * the last decision.
 *
 * All bookkeeping is private.  The descriptor table is only ever written, so
 * a device that scribbles over it cannot lead us astray, only itself.
 */
#include "probe/ring.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "probe/bytes.h"
#include "probe/report.h"

#define DESC_BYTES    16u
#define DESC_NEXT     1u
#define DESC_WRITE    2u
#define DESC_INDIRECT 4u

#define AVAIL_NO_INTERRUPT 1u
#define USED_NO_NOTIFY	   1u

struct ring_head {
	void *cookie;
	uint64_t table;		 /* indirect table, kept for reuse; 0 = none yet */
	uint32_t table_elements; /* its room */
	uint32_t descs;		 /* of the ring, this head's chain */
	uint64_t writable;	 /* bytes */
	bool in_flight;
};

static uint16_t shared_load(const uint8_t *p)
{
	return le16toh(__atomic_load_n((const uint16_t *)(const void *)p, __ATOMIC_ACQUIRE));
}

static void shared_store(uint8_t *p, uint16_t v)
{
	__atomic_store_n((uint16_t *)(void *)p, htole16(v), __ATOMIC_RELEASE);
}

static uint8_t *avail_entry(const struct ring *r, uint16_t idx)
{
	return r->avail + 4 + 2u * (idx & (r->is.size - 1));
}

static uint8_t *used_event(const struct ring *r)
{
	return r->avail + 4 + 2u * r->is.size;
}

static const uint8_t *avail_event(const struct ring *r)
{
	return r->used + 4 + 8u * r->is.size;
}

static uint32_t avail_bytes(uint32_t size)
{
	return 6 + 2 * size;
}

static uint32_t used_bytes(uint32_t size)
{
	return 6 + 8 * size;
}

uint16_t ring_used_idx(const struct ring *r)
{
	return shared_load(r->used + 2);
}

void ring_fault(struct ring *r, const char *fmt, ...)
{
	va_list ap;

	if (r->faults.count++)
		return;
	va_start(ap, fmt);
	vsnprintf(r->faults.first, sizeof(r->faults.first), fmt, ap);
	va_end(ap);
}

/* The free list in order, or shuffled by a fixed sequence: runs repeat. */
static void free_list_fill(struct ring *r)
{
	uint64_t state = 1;
	uint16_t order[RING_SIZE_MAX];

	for (uint32_t i = 0; i < r->is.size; i++)
		order[i] = (uint16_t)i;
	for (uint32_t i = r->is.size - 1; r->is.scatter && i > 0; i--) {
		uint32_t j;
		uint16_t t = order[i];

		state = state * 6364136223846793005u + 1442695040888963407u;
		j = (uint32_t)(state >> 33) % (i + 1);
		order[i] = order[j];
		order[j] = t;
	}
	for (uint32_t i = 0; i + 1 < r->is.size; i++)
		r->next_free[order[i]] = order[i + 1];
	r->free_first = order[0];
	r->free_count = r->is.size;
}

void ring_reset(struct ring *r)
{
	memset(r->desc, 0, (size_t)DESC_BYTES * r->is.size);
	memset(r->avail, 0, avail_bytes(r->is.size));
	memset(r->used, 0, used_bytes(r->is.size));
	for (uint32_t i = 0; i < r->is.size; i++)
		r->head[i].in_flight = false;
	free_list_fill(r);
	r->in_flight = 0;
	r->avail_idx = r->used_seen = r->kick_from = 0;
	r->calls_off = false;
}

int ring_open(struct ring *r, struct mem *mem, const struct ring_setup *is, int kick_fd)
{
	memset(r, 0, sizeof(*r));
	if (!is->size || is->size > RING_SIZE_MAX || is->size & (is->size - 1))
		return complain(-EINVAL, "a ring of %u descriptors is not possible", is->size);
	r->mem = mem;
	r->is = *is;
	r->kick_fd = kick_fd;

	r->desc_gpa = mem_alloc(mem, (uint64_t)DESC_BYTES * is->size, 16);
	r->avail_gpa = mem_alloc(mem, avail_bytes(is->size), 2);
	r->used_gpa = mem_alloc(mem, used_bytes(is->size), 4);
	r->head = calloc(is->size, sizeof(*r->head));
	r->next_free = calloc(is->size, sizeof(*r->next_free));
	if (!r->desc_gpa || !r->avail_gpa || !r->used_gpa || !r->head || !r->next_free) {
		ring_close(r);
		return complain(-ENOMEM, "no memory for a ring of %u descriptors", is->size);
	}
	r->desc = mem_va(mem, r->desc_gpa);
	r->avail = mem_va(mem, r->avail_gpa);
	r->used = mem_va(mem, r->used_gpa);
	ring_reset(r);
	return 0;
}

void ring_close(struct ring *r)
{
	free(r->head);
	free(r->next_free);
	r->head = NULL;
	r->next_free = NULL;
}

static void put_desc(uint8_t *table, uint32_t i, uint64_t gpa, uint32_t len, unsigned flags,
	uint32_t next)
{
	uint8_t *d = table + (size_t)DESC_BYTES * i;

	put64(d, gpa);
	put32(d + 8, len);
	put16(d + 12, (uint16_t)flags);
	put16(d + 14, (uint16_t)next);
}

static uint16_t desc_alloc(struct ring *r)
{
	uint16_t d = r->free_first;

	assert(r->free_count);
	r->free_first = r->next_free[d];
	r->free_count--;
	return d;
}

/* Puts a chain of n back that begins with `first`; next_free still links it. */
static void desc_free(struct ring *r, uint16_t first, uint32_t n)
{
	uint16_t last = first;

	for (uint32_t i = 1; i < n; i++)
		last = r->next_free[last];
	r->next_free[last] = r->free_first;
	r->free_first = first;
	r->free_count += n;
}

static unsigned element_flags(const struct element *e, unsigned i, unsigned n)
{
	return (e[i].write ? DESC_WRITE : 0) | (i + 1 < n ? DESC_NEXT : 0);
}

static int add_direct(struct ring *r, const struct element *e, unsigned n, uint16_t *ret_head)
{
	uint16_t d;

	if (n > r->free_count)
		return -ENOSPC;
	*ret_head = r->free_first;
	for (unsigned i = 0; i < n; i++) {
		d = desc_alloc(r);
		put_desc(r->desc, d, e[i].gpa, e[i].len, element_flags(e, i, n),
			i + 1 < n ? r->free_first : 0);
	}
	r->head[*ret_head].descs = n;
	return 0;
}

static int add_indirect(struct ring *r, const struct element *e, unsigned n, uint16_t *ret_head)
{
	uint16_t d = r->free_first;
	struct ring_head *h = &r->head[d];

	if (!r->free_count)
		return -ENOSPC;
	if (h->table_elements < n) {
		uint64_t table = mem_alloc(r->mem, (uint64_t)DESC_BYTES * n, 16);

		if (!table)
			return complain(-ENOMEM, "guest memory is full (indirect tables)");
		h->table = table;
		h->table_elements = n;
	}
	desc_alloc(r);
	for (unsigned i = 0; i < n; i++)
		put_desc(mem_va(r->mem, h->table), i, e[i].gpa, e[i].len, element_flags(e, i, n),
			i + 1 < n ? i + 1 : 0);
	put_desc(r->desc, d, h->table, DESC_BYTES * n, DESC_INDIRECT, 0);
	h->descs = 1;
	*ret_head = d;
	return 0;
}

int ring_add(struct ring *r, const struct element *e, unsigned n, void *cookie)
{
	struct ring_head *h;
	uint16_t head = 0;
	int err;

	assert(n && n <= RING_ELEMENTS_MAX);
	if (r->is.indirect && n > 1)
		err = add_indirect(r, e, n, &head);
	else
		err = add_direct(r, e, n, &head);
	if (err < 0)
		return err;

	h = &r->head[head];
	h->cookie = cookie;
	h->in_flight = true;
	h->writable = 0;
	for (unsigned i = 0; i < n; i++)
		h->writable += e[i].write ? e[i].len : 0;

	put16(avail_entry(r, r->avail_idx), head);
	shared_store(r->avail + 2, ++r->avail_idx);
	r->in_flight++;
	r->added++;
	return 0;
}

bool ring_kick(struct ring *r)
{
	uint16_t from = r->kick_from, to = r->avail_idx;
	bool wanted;

	if (from == to)
		return false;
	r->kick_from = to;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (r->is.event_idx)
		wanted = (uint16_t)(to - shared_load(avail_event(r)) - 1) < (uint16_t)(to - from);
	else
		wanted = !(shared_load(r->used) & USED_NO_NOTIFY);
	if (!wanted)
		return false;
	eventfd_write(r->kick_fd, 1);
	r->kicks++;
	return true;
}

static void check_used_flags(struct ring *r)
{
	uint16_t flags = shared_load(r->used);

	if (r->is.event_idx ? flags != 0 : flags > 1)
		ring_fault(r, "used flags are 0x%x with%s EVENT_IDX", flags,
			r->is.event_idx ? "" : "out");
}

/* One used entry: the chain's head, or NULL if the entry makes no sense. */
static struct ring_head *used_entry(struct ring *r, uint32_t *ret_len)
{
	const uint8_t *p = r->used + 4 + 8u * (r->used_seen & (r->is.size - 1));
	uint32_t id = get32(p), len = get32(p + 4);
	struct ring_head *h;

	r->used_seen++;
	if (id >= r->is.size) {
		ring_fault(r, "used id %u in a ring of %u", id, r->is.size);
		return NULL;
	}
	h = &r->head[id];
	if (!h->in_flight) {
		ring_fault(r, "head %u was returned but is not in flight", id);
		return NULL;
	}
	if (len > h->writable)
		ring_fault(r, "used length %u, but only %llu bytes are writable", len,
			(unsigned long long)h->writable);
	h->in_flight = false;
	desc_free(r, (uint16_t)id, h->descs);
	r->in_flight--;
	r->returned++;
	*ret_len = len;
	return h;
}

int ring_take(struct ring *r, void **ret_cookie, uint32_t *ret_len)
{
	struct ring_head *h = NULL;

	check_used_flags(r);
	while (!h) {
		uint16_t ahead = (uint16_t)(ring_used_idx(r) - r->used_seen);

		if (!ahead)
			return 0;
		if (ahead > r->in_flight) {
			ring_fault(r, "the used index is %u ahead with %u chains in flight", ahead,
				r->in_flight);
			return complain(-EPROTO, "%s", r->faults.first);
		}
		h = used_entry(r, ret_len);
	}
	if (r->is.event_idx && !r->calls_off) {
		shared_store(used_event(r), r->used_seen);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	}
	*ret_cookie = h->cookie;
	return 1;
}

void ring_calls_off(struct ring *r)
{
	r->calls_off = true;
	if (r->is.event_idx)
		shared_store(used_event(r), 0);
	else
		shared_store(r->avail, AVAIL_NO_INTERRUPT);
}

bool ring_calls_on(struct ring *r)
{
	r->calls_off = false;
	if (r->is.event_idx)
		shared_store(used_event(r), r->used_seen);
	else
		shared_store(r->avail, 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ring_used_idx(r) == r->used_seen;
}
