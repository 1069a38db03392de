/* SPDX-License-Identifier: BSD-3-Clause */
#include "virtqueue/pool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static_assert(sizeof(struct chunk) == 128, "a chunk is two cache lines");

int pool_init(struct pool *p, uint32_t pieces)
{
	uint32_t chunks = (pieces + CHUNK_PIECES - 1) / CHUNK_PIECES;
	struct chunk *chunk = aligned_alloc(_Alignof(struct chunk), chunks * sizeof(*chunk));

	if (!chunk)
		return -ENOMEM;
	*p = (struct pool){
		.chunk = chunk,
		.chunks = chunks,
		.free = CHUNK_NONE,
		.spare = chunks,
	};
	return 0;
}

void pool_fini(struct pool *p)
{
	free(p->chunk);
	p->chunk = NULL;
}

static uint32_t take(struct pool *p)
{
	uint32_t i = p->free;

	if (p->spare == 0)
		return CHUNK_NONE;
	if (i != CHUNK_NONE)
		p->free = p->chunk[i].next;
	else
		i = p->touched++;
	p->spare--;
	p->chunk[i].next = CHUNK_NONE;
	p->chunk[i].n = 0;
	return i;
}

bool pool_grow(struct pool *p, struct part *part)
{
	uint32_t i = take(p);

	if (i == CHUNK_NONE)
		return false;
	if (part->last == CHUNK_NONE)
		part->first = i;
	else
		p->chunk[part->last].next = i;
	part->last = i;
	return true;
}

uint32_t pool_join(struct pool *p, const struct part *a, const struct part *b)
{
	if (a->first == CHUNK_NONE)
		return b->first;
	p->chunk[a->last].next = b->first;
	return a->first;
}

void pool_put(struct pool *p, uint32_t head)
{
	while (head != CHUNK_NONE) {
		uint32_t next = p->chunk[head].next;

		p->chunk[head].next = p->free;
		p->chunk[head].n = 0;
		p->free = head;
		p->spare++;
		head = next;
	}
	assert(p->spare <= p->chunks);
}
