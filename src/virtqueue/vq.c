/* SPDX-License-Identifier: BSD-3-Clause */
/* Life of a queue, checked copies of chains, and the way through them. */
#include "virtqueue/ring.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Pool: for every descriptor a message of two readable and two writable chunks,
 * and on top the longest chain that is accepted in any case, so that a chain
 * always fits once the others are back.
 */
#define POOL_PIECES_PER_DESC 20
#define POOL_PIECES_MIN 4096

static_assert(POOL_PIECES_PER_DESC >= 4 * CHUNK_PIECES, "a full ring of small messages fits");

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

int vq_start(const struct mem *mem, const struct vsnd_queue_setup *setup, uint64_t features,
	     struct vq **ret_vq)
{
	struct split_map map;
	struct vq *q;
	int err;

	err = split_check(setup);
	if (err == 0)
		err = split_map(mem, setup, &map);
	if (err < 0)
		return err;

	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	err = pool_init(&q->pool, larger(POOL_PIECES_PER_DESC * setup->size, POOL_PIECES_MIN) +
				  VSND_CHAIN_MAX);
	if (err < 0) {
		free(q);
		return err;
	}
	q->mem = mem;
	q->setup = *setup;
	q->features = features;
	q->chain_max = larger(setup->size, VSND_CHAIN_MAX);
	split_begin(q, &map);
	*ret_vq = q;
	return 0;
}

void vq_free(struct vq *q)
{
	if (!q)
		return;
	pool_fini(&q->pool);
	free(q);
}

uint32_t vq_base(const struct vq *q)
{
	return q->split.avail_idx;
}

uint32_t vq_size(const struct vq *q)
{
	return q->setup.size;
}

/* Messages that wait are to be found where their memory is now. */
static void change_mem(struct vq *q, const struct mem *mem)
{
	q->mem = mem;
	for (uint32_t i = 0; i < q->pool.touched; i++) {
		struct chunk *c = &q->pool.chunk[i];

		for (struct piece *p = c->piece; p < c->piece + c->n; p++)
			p->host = vq_translate(mem, p->gpa, p->len);
	}
}

int vq_restart(struct vq *q, const struct mem *mem, const struct vsnd_queue_setup *setup,
	       uint64_t features)
{
	struct split_map map;
	int err;

	assert(q->split.used_idx == q->split.used_shown || q->error);
	if (q->error || setup->size != q->setup.size || (uint16_t)setup->base != vq_base(q))
		return -EINVAL;
	err = split_check(setup);
	if (err == 0)
		err = split_map(mem, setup, &map);
	if (err < 0)
		return err;

	change_mem(q, mem);
	q->setup = *setup;
	q->features = features;
	split_begin(q, &map);
	return 0;
}

void vq_set_mem(struct vq *q, const struct mem *mem)
{
	change_mem(q, mem);
	if (!q->error && split_map(mem, &q->setup, &q->split.map) < 0)
		vq_break(q, "ring outside guest memory");
}

int vq_break(struct vq *q, const char *why)
{
	q->error = why;
	q->split.map = (struct split_map){ .desc = NULL };
	return -EPROTO;
}

bool vq_dead(const struct vq *q)
{
	return q->error;
}

const char *vq_error(const struct vq *q)
{
	return q->error;
}

static struct vq_cursor cursor_at(const struct part *part)
{
	return (struct vq_cursor){ .chunk = part->first, .left = part->bytes };
}

int vq_pop(struct vq *q, struct vq_chain *ret_chain)
{
	struct build b = BUILD_EMPTY;
	uint32_t head;
	int r;

	if (q->error)
		return -EPROTO;
	if (mem_broken(q->mem))
		return vq_break(q, "guest memory vanished");

	r = split_pop(q, &b, &ret_chain->id);
	head = pool_join(&q->pool, &b.readable, &b.writable);
	if (r != 1) {
		pool_put(&q->pool, head);
		return r;
	}
	q->in_use++;
	ret_chain->chunk = head;
	ret_chain->bad = b.bad;
	ret_chain->readable = cursor_at(&b.readable);
	ret_chain->writable = cursor_at(&b.writable);
	return 1;
}

void vq_push(struct vq *q, const struct vq_chain *c, uint32_t written)
{
	pool_put(&q->pool, c->chunk);
	if (!q->error)
		split_push(q, c->id, written);
}

void vq_drop(struct vq *q, const struct vq_chain *c)
{
	pool_put(&q->pool, c->chunk);
	assert(q->in_use > 0);
	q->in_use--;
}

bool vq_publish(struct vq *q)
{
	return !q->error && split_publish(q);
}

bool vq_want_kicks(struct vq *q, bool want)
{
	return !q->error && split_want_kicks(q, want);
}

uint16_t vq_used_idx(const struct vq *q)
{
	return q->split.used_shown;
}

bool vq_noticed(const struct vq *q, uint16_t idx)
{
	return !q->error && vq_has(q, VSND_F_EVENT_IDX) && split_noticed(q, idx);
}

/* The cursor's piece.  There is one while c->left > 0. */
static inline const struct piece *cursor_piece(const struct vq *q, const struct vq_cursor *c)
{
	return &q->pool.chunk[c->chunk].piece[c->piece];
}

/* Pass @n bytes of @p, the cursor's piece, which has at least so many left. */
static inline void cursor_pass(const struct vq *q, struct vq_cursor *c, const struct piece *p,
			       size_t n)
{
	assert(n <= p->len - c->done);
	c->done += (uint32_t)n;
	c->left -= n;
	if (c->done < p->len || c->left == 0)
		return;
	c->done = 0;
	if (++c->piece == CHUNK_PIECES) {
		c->piece = 0;
		c->chunk = q->pool.chunk[c->chunk].next;
	}
}

/* Host memory for at most @len of the next bytes, which are in @p; or NULL. */
static inline uint8_t *cursor_span(const struct vq *q, const struct vq_cursor *c,
				   const struct piece *p, size_t len, size_t *ret_len)
{
	uint64_t got;
	uint8_t *host;

	if (p->lost || q->error)
		return NULL;
	if (len > p->len - c->done)
		len = p->len - c->done;
	*ret_len = len;
	if (p->host)
		return p->host + c->done;
	host = mem_span(q->mem, p->gpa + c->done, len, &got);
	if (host)
		*ret_len = (size_t)got;
	return host;
}

size_t vq_skip(const struct vq *q, struct vq_cursor *c, size_t len)
{
	size_t done = 0;

	while (done < len && c->left > 0) {
		const struct piece *p = cursor_piece(q, c);
		size_t n = p->len - c->done;

		if (n > len - done)
			n = len - done;
		cursor_pass(q, c, p, n);
		done += n;
	}
	return done;
}

/* Headers and statuses are copied without a call. */
static inline void copy(void *dst, const void *src, size_t n)
{
	if (n == 4)
		memcpy(dst, src, 4);
	else if (n == 8)
		memcpy(dst, src, 8);
	else
		memcpy(dst, src, n);
}

size_t vq_read(const struct vq *q, struct vq_cursor *c, void *dst, size_t len)
{
	size_t done, n;

	if (!dst)
		return vq_skip(q, c, len);
	for (done = 0; done < len && c->left > 0; done += n) {
		const struct piece *p = cursor_piece(q, c);
		const uint8_t *host = cursor_span(q, c, p, len - done, &n);

		if (!host)
			break;
		copy((uint8_t *)dst + done, host, n);
		cursor_pass(q, c, p, n);
	}
	return done;
}

size_t vq_write(const struct vq *q, struct vq_cursor *c, const void *src, size_t len)
{
	size_t done, n;

	for (done = 0; done < len && c->left > 0; done += n) {
		const struct piece *p = cursor_piece(q, c);
		uint8_t *host = cursor_span(q, c, p, len - done, &n);

		if (!host)
			break;
		copy(host, (const uint8_t *)src + done, n);
		cursor_pass(q, c, p, n);
	}
	return done;
}

size_t vq_zero(const struct vq *q, struct vq_cursor *c, size_t len)
{
	size_t done, n;

	for (done = 0; done < len && c->left > 0; done += n) {
		const struct piece *p = cursor_piece(q, c);
		uint8_t *host = cursor_span(q, c, p, len - done, &n);

		if (!host)
			break;
		memset(host, 0, n);
		cursor_pass(q, c, p, n);
	}
	return done;
}
