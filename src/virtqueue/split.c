/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The split ring (virtio 1.4, Split Virtqueues).
 *
 * The driver may be at work on all of it while we look, so every field is read
 * once and the copy is judged.  What orders the two sides:
 *
 *	the driver's available index is read with acquire: the ring entry, the
 *	descriptors and the buffers before it are then there;
 *	our used index is written with release: the used entry and what we wrote to
 *	the buffers is then there;
 *	between writing an index (or an event index) and reading what the other side
 *	wants or has done since stands a full fence, as on the driver's side.
 *
 * The available index is read again only when all chains up to the one read
 * before are popped.
 */
#include "virtqueue/ring.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdatomic.h>

#define DESC_NEXT 1
#define DESC_WRITE 2
#define DESC_INDIRECT 4

#define AVAIL_NO_INTERRUPT 1
#define USED_NO_NOTIFY 1

struct desc {
	uint64_t gpa;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/* Guest memory has no type of its own. */
typedef uint64_t __attribute__((may_alias)) aliasing_u64;

union raw_desc {
	struct desc desc;
	uint64_t word[2];
	uint8_t byte[16];
};

struct split_avail {
	_Atomic uint16_t flags;
	_Atomic uint16_t idx;
	_Atomic uint16_t ring[];	/* and used_event */
};

struct split_used_elem {
	_Atomic uint32_t id;
	_Atomic uint32_t len;
};

struct split_used {
	_Atomic uint16_t flags;
	_Atomic uint16_t idx;
	struct split_used_elem ring[];	/* and avail_event */
};

static_assert(ATOMIC_SHORT_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "no locks in a ring");
static_assert(sizeof(union raw_desc) == 16, "descriptor");
static_assert(sizeof(struct split_avail) == 4, "available ring");
static_assert(sizeof(struct split_used) == 4, "used ring");
static_assert(sizeof(struct split_used_elem) == 8, "used ring element");

/* A descriptor table: the queue's or an indirect one. */
struct table {
	const void *host;	/* NULL if it is in pieces */
	uint64_t gpa;
	uint32_t entries;
};

int split_check(const struct vsnd_queue_setup *setup)
{
	uint32_t size = setup->size;

	if (size == 0 || size > VSND_QUEUE_SIZE_MAX || (size & (size - 1)))
		return -EINVAL;
	if (setup->desc % 16 || setup->driver % 2 || setup->device % 4)
		return -EINVAL;
	return 0;
}

/*
 * A mapping may have another alignment than the guest's address.  Descriptors
 * are read at any; the rest needs its own for atomic access.
 */
int split_map(const struct mem *mem, const struct vsnd_queue_setup *setup,
	      struct split_map *ret_map)
{
	uint64_t n = setup->size;
	void *desc = mem_ptr(mem, setup->desc, 16 * n);
	void *avail = mem_ptr(mem, setup->driver, 6 + 2 * n);
	void *used = mem_ptr(mem, setup->device, 6 + 8 * n);

	if (!desc || !avail || !used)
		return -EFAULT;
	if ((uintptr_t)avail % 2 || (uintptr_t)used % 4)
		return -EFAULT;
	*ret_map = (struct split_map){ .desc = desc, .avail = avail, .used = used };
	return 0;
}

static uint16_t load16(_Atomic uint16_t *field, memory_order order)
{
	return le16toh(atomic_load_explicit(field, order));
}

static void store16(_Atomic uint16_t *field, uint16_t value, memory_order order)
{
	atomic_store_explicit(field, htole16(value), order);
}

static uint16_t used_event(const struct vq *q)
{
	return load16(&q->split.map.avail->ring[q->setup.size], memory_order_relaxed);
}

static void set_avail_event(const struct vq *q, uint16_t idx)
{
	_Atomic uint16_t *field = (void *)&q->split.map.used->ring[q->setup.size];

	store16(field, idx, memory_order_relaxed);
}

void split_begin(struct vq *q, const struct split_map *map)
{
	struct split *s = &q->split;

	s->map = *map;
	s->avail_idx = (uint16_t)q->setup.base;
	s->avail_seen = s->avail_idx;
	s->used_idx = load16(&map->used->idx, memory_order_relaxed);
	s->used_shown = s->used_idx;
	split_want_kicks(q, true);
}

/* Copy what another side may be changing, reading each byte once. */
static void copy_once(union raw_desc *raw, const void *host)
{
	if ((uintptr_t)host % sizeof(aliasing_u64) == 0) {
		const volatile aliasing_u64 *from = host;

		raw->word[0] = from[0];
		raw->word[1] = from[1];
	} else {
		const volatile uint8_t *from = host;

		for (unsigned i = 0; i < sizeof(*raw); i++)
			raw->byte[i] = from[i];
	}
}

/* The same from a table that crosses from one region to the next. */
static void gather_once(union raw_desc *raw, const struct mem *mem, uint64_t gpa)
{
	for (unsigned i = 0; i < sizeof(*raw); i++) {
		const volatile uint8_t *from = mem_ptr(mem, gpa + i, 1);

		assert(from);	/* enter_indirect() saw to it */
		raw->byte[i] = *from;
	}
}

static struct desc table_read(const struct vq *q, const struct table *t, uint32_t i)
{
	uint64_t offset = sizeof(struct desc) * (uint64_t)i;
	union raw_desc raw;

	assert(i < t->entries);
	if (t->host)
		copy_once(&raw, (const uint8_t *)t->host + offset);
	else
		gather_once(&raw, q->mem, t->gpa + offset);
	return (struct desc){
		.gpa = le64toh(raw.desc.gpa),
		.len = le32toh(raw.desc.len),
		.flags = le16toh(raw.desc.flags),
		.next = le16toh(raw.desc.next),
	};
}

/* Go from the queue's table to the one that @d refers to. */
static int enter_indirect(struct vq *q, const struct desc *d, bool inside, struct table *t)
{
	if (!vq_has(q, VSND_F_INDIRECT_DESC))
		return vq_break(q, "indirect descriptor without the feature");
	if (inside)
		return vq_break(q, "indirect descriptor in an indirect table");
	if (d->flags & DESC_NEXT)
		return vq_break(q, "indirect descriptor with a next one");
	if (d->len == 0 || d->len % sizeof(*d))
		return vq_break(q, "bad length of an indirect table");
	t->host = vq_translate(q->mem, d->gpa, d->len);
	if (!t->host && !mem_mapped(q->mem, d->gpa, d->len))
		return vq_break(q, "indirect table outside guest memory");

	t->gpa = d->gpa;
	t->entries = (uint32_t)(d->len / sizeof(*d));
	return 0;
}

/* Add the elements from descriptor @i on.  0, -EAGAIN or -EPROTO. */
static int walk(struct vq *q, uint32_t i, struct build *b)
{
	struct table t = { .host = q->split.map.desc, .entries = q->setup.size };
	uint32_t in_table = 0, in_all = 0;
	bool inside = false;

	for (;;) {
		struct desc d = table_read(q, &t, i);
		int err;

		if (d.flags & DESC_INDIRECT) {
			err = enter_indirect(q, &d, inside, &t);
			if (err < 0)
				return err;
			inside = true;
			in_table = 0;
			i = 0;
			continue;
		}
		if (++in_table > t.entries)
			return vq_break(q, "loop in a descriptor chain");
		if (++in_all > q->chain_max)
			return vq_break(q, "descriptor chain too long");
		err = vq_build_add(q, b, d.gpa, d.len, d.flags & DESC_WRITE);
		if (err < 0)
			return err;
		if (!(d.flags & DESC_NEXT))
			return 0;
		if (d.next >= t.entries)
			return vq_break(q, "next descriptor outside the table");
		i = d.next;
	}
}

/* 1 if there is a chain to pop, 0 or -EPROTO. */
static int look(struct vq *q)
{
	struct split *s = &q->split;

	if (s->avail_seen != s->avail_idx)
		return 1;
	s->avail_seen = load16(&s->map.avail->idx, memory_order_acquire);
	if ((uint16_t)(s->avail_seen - s->avail_idx) > q->setup.size)
		return vq_break(q, "available index too far ahead");
	return s->avail_seen != s->avail_idx;
}

int split_pop(struct vq *q, struct build *b, uint32_t *ret_id)
{
	struct split *s = &q->split;
	uint16_t head;
	int r = look(q);

	if (r != 1)
		return r;
	/* What the driver has not been given back it may not give us again. */
	if (q->in_use == q->setup.size)
		return vq_break(q, "more chains than descriptors");
	if (q->pool.spare == 0)
		return -EAGAIN;
	head = load16(&s->map.avail->ring[s->avail_idx & (q->setup.size - 1)],
		      memory_order_relaxed);
	if (head >= q->setup.size)
		return vq_break(q, "bad descriptor index in the available ring");
	r = walk(q, head, b);
	if (r < 0)
		return r;
	s->avail_idx++;
	*ret_id = head;
	return 1;
}

void split_push(struct vq *q, uint32_t id, uint32_t written)
{
	struct split *s = &q->split;
	struct split_used_elem *e = &s->map.used->ring[s->used_idx++ & (q->setup.size - 1)];

	atomic_store_explicit(&e->id, htole32(id), memory_order_relaxed);
	atomic_store_explicit(&e->len, htole32(written), memory_order_relaxed);
}

bool split_publish(struct vq *q)
{
	struct split *s = &q->split;
	uint16_t old = s->used_shown, new = s->used_idx, n = (uint16_t)(new - old);

	if (n == 0)
		return false;
	store16(&s->map.used->idx, new, memory_order_release);
	s->used_shown = new;
	assert(n <= q->in_use);
	q->in_use -= n;

	atomic_thread_fence(memory_order_seq_cst);
	if (vq_has(q, VSND_F_EVENT_IDX))
		return (uint16_t)(new - used_event(q) - 1) < n;
	return !(load16(&s->map.avail->flags, memory_order_relaxed) & AVAIL_NO_INTERRUPT);
}

/*
 * With EVENT_IDX the driver kicks when it passes avail_event.  To keep it from
 * that, the event is put where the driver comes last: behind all that can be
 * part of the batch it is about to kick for, which is at most the ring.
 */
bool split_want_kicks(struct vq *q, bool want)
{
	struct split *s = &q->split;
	uint16_t flags = 0;

	if (vq_has(q, VSND_F_EVENT_IDX))
		set_avail_event(q, want ? s->avail_idx
					: (uint16_t)(s->avail_idx - q->setup.size - 1));
	else if (!want)
		flags = USED_NO_NOTIFY;
	store16(&s->map.used->flags, flags, memory_order_relaxed);

	if (s->avail_seen != s->avail_idx)
		return true;
	atomic_thread_fence(memory_order_seq_cst);
	return load16(&s->map.avail->idx, memory_order_relaxed) != s->avail_idx;
}

bool split_noticed(const struct vq *q, uint16_t idx)
{
	return (uint16_t)(used_event(q) - idx) <= (uint16_t)(q->split.used_shown - idx);
}
