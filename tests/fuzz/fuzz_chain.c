/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Targets: vq_start(), vq_pop(), the cursors, vq_push(), vq_publish() and the
 * rest of vq.h, on a ring that holds what the input says.
 *
 * Input: queue size (2 to this power, modulo 5), features, base (2 bytes), number
 * of steps, the steps (2 bytes each), and what guest memory holds from address 0
 * on, where the ring is.  Steps are below; each has an argument.
 *
 * Guest memory is [0, 0x1000) and [0x1000, 0x6000), apart in the host, and the
 * last 64 bytes of the address space.  A sanitizer sees what goes beyond.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "virtqueue/ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HELD_MAX 16
#define REGIONS 3

enum step {
	STEP_POP,
	STEP_READ,	/* of the chain at hand; the argument is 1/16 of the bytes */
	STEP_WRITE,
	STEP_ZERO,
	STEP_SKIP,
	STEP_PUSH,	/* the chain at hand; 1: drop it */
	STEP_PUBLISH,
	STEP_ADVANCE,	/* the available index, by the argument */
	STEP_INDEX,	/* the available index is the argument, both bytes the same */
	STEP_KICKS,
	STEP_TURN,	/* another chain is at hand */
	STEP_MEM,	/* 0: all regions, 1: the first only, 2: none, 3: the first two */
	STEP_RESTART,
	STEP_POKE,	/* the byte at 8 times the argument counts up */
	STEPS
};

struct state {
	struct vsnd_mem_region region[REGIONS];
	struct mem *table[4];
	struct vq *q;
	struct vsnd_queue_setup setup;
	uint64_t features;
	struct vq_chain held[HELD_MAX];
	uint32_t n_held;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void regions_open(struct state *s, const uint8_t *data, size_t size)
{
	static const uint64_t gpa[REGIONS] = { 0, 0x1000, UINT64_MAX - 63 };
	static const uint64_t bytes[REGIONS] = { 0x1000, 0x5000, 64 };
	static const unsigned count[] = { 3, 1, 0, 2 };

	for (unsigned i = 0; i < REGIONS; i++) {
		size_t n = size < bytes[i] ? size : bytes[i];
		uint8_t *host = calloc(1, bytes[i]);

		must(host);
		memcpy(host, data, n);
		data += n;
		size -= n;
		s->region[i] = (struct vsnd_mem_region){ gpa[i], bytes[i], host };
	}
	for (unsigned i = 0; i < 4; i++)
		must(mem_create(s->region, count[i], &s->table[i]) == 0);
}

static void regions_close(struct state *s)
{
	for (unsigned i = 0; i < 4; i++)
		mem_free(s->table[i]);
	for (unsigned i = 0; i < REGIONS; i++)
		free(s->region[i].host);
}

static uint8_t *avail_idx(struct state *s)
{
	return (uint8_t *)s->region[0].host + s->setup.driver + 2;
}

static void advance(struct state *s, uint8_t by)
{
	uint8_t *p = avail_idx(s);
	unsigned idx = (unsigned)(p[0] | p[1] << 8) + by;

	p[0] = (uint8_t)idx;
	p[1] = (uint8_t)(idx >> 8);
}

/* A part can be passed from its beginning to its end, and no further. */
static void check_part(const struct vq *q, struct vq_cursor c, bool bad)
{
	struct vq_cursor again = c;
	size_t n = (size_t)c.left;

	must(bad || n <= UINT64_C(1) << 32);
	must(vq_skip(q, &c, SIZE_MAX) == n && c.left == 0);
	must(vq_skip(q, &c, 1) == 0 && vq_read(q, &c, NULL, 1) == 0);
	if (!bad && n < 0x10000) {
		uint8_t *bytes = calloc(1, n + 1);

		must(bytes);
		must(vq_read(q, &again, bytes, n + 1) == n && again.left == 0);
		free(bytes);
	}
}

static void pop(struct state *s)
{
	struct vq_chain c;
	int r = vq_pop(s->q, &c);

	must(r == -EPROTO ? vq_dead(s->q) && vq_error(s->q) : !vq_dead(s->q));
	if (r != 1)
		return;
	must(c.id < s->setup.size && s->n_held < s->setup.size);
	check_part(s->q, c.readable, c.bad);
	check_part(s->q, c.writable, c.bad);
	s->held[s->n_held++] = c;
}

static void move(struct state *s, enum step step, uint8_t arg)
{
	uint8_t bytes[256 * 16] = { 0 };
	size_t len = (size_t)arg * 16, n;
	struct vq_cursor *at;
	struct vq_chain *c;
	uint64_t before;

	if (s->n_held == 0)
		return;
	c = &s->held[s->n_held - 1];
	at = step == STEP_READ ? &c->readable : &c->writable;
	before = at->left;
	if (step == STEP_READ)
		n = vq_read(s->q, at, bytes, len);
	else if (step == STEP_WRITE)
		n = vq_write(s->q, at, bytes, len);
	else if (step == STEP_ZERO)
		n = vq_zero(s->q, at, len);
	else
		n = vq_skip(s->q, at, len);
	must(n <= len && before - at->left == n);
}

static void push(struct state *s, bool drop)
{
	if (s->n_held == 0)
		return;
	s->n_held--;
	if (drop)
		vq_drop(s->q, &s->held[s->n_held]);
	else
		vq_push(s->q, &s->held[s->n_held], 1);
}

static void turn(struct state *s, uint8_t by)
{
	for (; s->n_held > 0 && by % s->n_held; by--) {
		struct vq_chain first = s->held[0];

		memmove(s->held, s->held + 1, (s->n_held - 1) * sizeof(first));
		s->held[s->n_held - 1] = first;
	}
}

static void restart(struct state *s, uint8_t arg)
{
	vq_publish(s->q);
	s->setup.base = vq_base(s->q) + (arg == 1);
	s->features ^= arg & 2 ? UINT64_C(1) << VSND_F_EVENT_IDX : 0;
	vq_restart(s->q, s->table[arg % 4 == 3], &s->setup, s->features);
}

static void take_step(struct state *s, enum step step, uint8_t arg)
{
	switch (step) {
	case STEP_POP:
		pop(s);
		break;
	case STEP_READ:
	case STEP_WRITE:
	case STEP_ZERO:
	case STEP_SKIP:
		move(s, step, arg);
		break;
	case STEP_PUSH:
		push(s, arg == 1);
		break;
	case STEP_PUBLISH:
		must(!vq_publish(s->q) || !vq_dead(s->q));
		must(!vq_publish(s->q));
		break;
	case STEP_ADVANCE:
		advance(s, arg);
		break;
	case STEP_INDEX:
		memset(avail_idx(s), arg, 2);
		break;
	case STEP_KICKS:
		must(!vq_want_kicks(s->q, arg & 1) || !vq_dead(s->q));
		vq_noticed(s->q, (uint16_t)(vq_used_idx(s->q) - arg));
		break;
	case STEP_TURN:
		turn(s, arg);
		break;
	case STEP_MEM:
		vq_set_mem(s->q, s->table[arg % 4]);
		break;
	case STEP_RESTART:
		restart(s, arg);
		break;
	case STEP_POKE:
		++*((uint8_t *)s->region[0].host + 8 * (size_t)arg);
		break;
	case STEPS:
		break;
	}
}

static void finish(struct state *s)
{
	while (s->n_held > 0)
		push(s, false);
	must(s->q->pool.spare == s->q->pool.chunks);
	vq_publish(s->q);
	must(s->q->in_use == 0 || vq_dead(s->q));
	vq_free(s->q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state s = { .n_held = 0 };
	const uint8_t *steps = data + 5;
	size_t n;

	if (size < 5)
		return 0;
	n = data[4];
	if (size - 5 < 2 * n)
		return 0;
	s.setup.size = UINT32_C(1) << data[0] % 5;
	s.setup.driver = 16 * s.setup.size;
	s.setup.device = (s.setup.driver + 6 + 2 * s.setup.size + 3) & ~UINT64_C(3);
	s.setup.base = (uint32_t)(data[2] | data[3] << 8);
	s.features = (uint64_t)(data[1] & 3) << VSND_F_INDIRECT_DESC;
	regions_open(&s, steps + 2 * n, size - 5 - 2 * n);
	must(vq_start(s.table[0], &s.setup, s.features, &s.q) == 0);
	for (size_t i = 0; i < n; i++)
		take_step(&s, steps[2 * i] % STEPS, steps[2 * i + 1]);
	finish(&s);
	regions_close(&s);
	return 0;
}
