/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the copies of descriptor chains live: chunks of pieces, all allocated
 * when the queue starts.  A chunk that was never used is not touched, so a big
 * pool costs address space only.
 *
 * A part is a list of chunks that holds the readable or the writable pieces of
 * one chain, in order; every chunk but the last is full.
 */
#ifndef VSND_VIRTQUEUE_POOL_H
#define VSND_VIRTQUEUE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_PIECES 5
#define CHUNK_NONE UINT32_MAX

struct piece {
	uint64_t gpa;
	uint8_t *host;		/* NULL: to be looked up span by span */
	uint32_t len;		/* > 0 */
	bool lost;		/* not mapped when it was read: only to be skipped */
};

struct chunk {
	_Alignas(64) struct piece piece[CHUNK_PIECES];
	uint32_t next;
	uint32_t n;		/* pieces in it; 0 while it is free */
};

struct pool {
	struct chunk *chunk;
	uint32_t chunks;
	uint32_t touched;	/* chunks from here on were never used */
	uint32_t free;		/* head of the list of those used before */
	uint32_t spare;		/* free ones in all */
};

struct part {
	uint32_t first, last;	/* chunks; CHUNK_NONE if it is empty */
	uint64_t bytes;
};

#define PART_EMPTY { .first = CHUNK_NONE, .last = CHUNK_NONE }

/* Room for @pieces pieces if every chunk is full.  -ENOMEM. */
int pool_init(struct pool *p, uint32_t pieces);
void pool_fini(struct pool *p);

/* Let the part have another chunk.  False, and nothing changed, if none is free. */
bool pool_grow(struct pool *p, struct part *part);

/* A place for the part's next piece, of @len bytes.  NULL, and nothing changed, if there is none. */
static inline struct piece *pool_add(struct pool *p, struct part *part, uint32_t len)
{
	struct chunk *c;

	if ((part->last == CHUNK_NONE || p->chunk[part->last].n == CHUNK_PIECES) &&
	    !pool_grow(p, part))
		return NULL;
	c = &p->chunk[part->last];
	part->bytes += len;
	return &c->piece[c->n++];
}

/* Make one list of two, either of which may be empty.  Returns its head. */
uint32_t pool_join(struct pool *p, const struct part *a, const struct part *b);

/* Free a list of chunks. */
void pool_put(struct pool *p, uint32_t head);

#endif
