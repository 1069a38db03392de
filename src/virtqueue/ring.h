/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What vq.c and the ring layouts share.  vq.c owns the life of a queue, the
 * pool and the cursors; a layout (split.c, later packed.c) knows where the
 * driver's fields are, in which order they are read and written, and how
 * descriptors are linked.  A layout is called only while the queue is not dead.
 */
#ifndef VSND_VIRTQUEUE_RING_H
#define VSND_VIRTQUEUE_RING_H

#include <errno.h>

#include "virtqueue/pool.h"
#include "virtqueue/vq.h"

/* The layout is the driver's, little-endian; see split.c. */
struct split_avail;
struct split_used;

struct split_map {
	const void *desc;
	struct split_avail *avail;
	struct split_used *used;
};

struct split {
	struct split_map map;
	uint16_t avail_idx;	/* next to pop */
	uint16_t avail_seen;	/* the driver's index when last read */
	uint16_t used_idx;	/* next to push */
	uint16_t used_shown;	/* what the driver can see */
};

struct vq {
	const struct mem *mem;
	const char *error;	/* dead if set */
	uint64_t features;
	struct vsnd_queue_setup setup;
	uint32_t chain_max;	/* elements of one chain */
	uint32_t in_use;	/* chains popped and not published */
	struct pool pool;
	struct split split;
};

/* A chain in the making. */
struct build {
	struct part readable, writable;
	uint64_t bytes;
	bool bad;
};

#define BUILD_EMPTY { .readable = PART_EMPTY, .writable = PART_EMPTY }

static inline bool vq_has(const struct vq *q, enum vsnd_feature feature)
{
	return q->features & UINT64_C(1) << feature;
}

/* Most bytes of a chain (virtio 1.4, The Virtqueue Descriptor Table). */
#define CHAIN_BYTES_MAX (UINT64_C(1) << 32)

/*
 * Where a piece is in host memory, all of it in one run, or NULL.  This is the only
 * translation as long as the memory table stays the same.
 */
static inline uint8_t *vq_translate(const struct mem *mem, uint64_t gpa, uint32_t len)
{
	uint64_t got;
	uint8_t *host = mem_span(mem, gpa, len, &got);

	return host && got == len ? host : NULL;
}

/*
 * Judge an element and add it to the chain.  -EAGAIN if the pool is full.
 *
 * An empty element says nothing and is dropped, wherever it stands.  An element
 * that is not mapped keeps its place, so that a status behind it is still found.
 */
static inline int vq_build_add(struct vq *q, struct build *b, uint64_t gpa, uint32_t len,
			       bool writable)
{
	struct piece *p;

	if (len == 0)
		return 0;
	p = pool_add(&q->pool, writable ? &b->writable : &b->readable, len);
	if (!p)
		return -EAGAIN;
	p->gpa = gpa;
	p->len = len;
	p->host = vq_translate(q->mem, gpa, len);
	p->lost = !p->host && !mem_mapped(q->mem, gpa, len);

	b->bytes += len;
	if (p->lost || b->bytes > CHAIN_BYTES_MAX || (!writable && b->writable.bytes > 0))
		b->bad = true;
	return 0;
}

/* The queue is dead from now on, because of @why.  Returns -EPROTO. */
int vq_break(struct vq *q, const char *why);

/* -EINVAL for a size or an alignment that the layout excludes. */
int split_check(const struct vsnd_queue_setup *setup);
/* Translate the ring's addresses.  -EFAULT. */
int split_map(const struct mem *mem, const struct vsnd_queue_setup *setup,
	      struct split_map *ret_map);
/* Begin at setup.base on a ring that is mapped.  Kicks are wanted. */
void split_begin(struct vq *q, const struct split_map *map);

/* As vq_pop(), but the chain is left in @b and its head in *@ret_id. */
int split_pop(struct vq *q, struct build *b, uint32_t *ret_id);
void split_push(struct vq *q, uint32_t id, uint32_t written);
bool split_publish(struct vq *q);
bool split_want_kicks(struct vq *q, bool want);
bool split_noticed(const struct vq *q, uint16_t idx);

#endif
