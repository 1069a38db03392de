/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Malformed descriptor chains, written into the rings by hand.
 *
 * Each case is one chain on one queue of a fresh device: a broken ring stops
 * for good, and the next case must not hide behind that.
 */
#include <string.h>
#include <sys/eventfd.h>

#include "probe/bytes.h"
#include "probe/hostile.h"
#include "probe/report.h"

#define NEXT	 1u
#define WRITE	 2u
#define INDIRECT 4u

#define DESCS	   3
#define GOOD_BYTES 65536u
#define WAIT_NS	   4000000

enum place {
	GOOD,	/* readable request, or room for an answer */
	HOLE,	/* between the regions */
	EDGE,	/* the last two bytes of a region */
	WRAP,	/* the last bytes of the address space */
	TABLE,	/* the case's indirect table */
	ODD,	/* the same, at an odd address (a copy is there) */
};

struct desc {
	enum place place;
	uint32_t len;
	unsigned flags;
	unsigned next;
};

struct bad_chain {
	const char *what;
	struct desc ring[DESCS];
	struct desc table[DESCS];
	uint32_t head;	    /* what is made available */
	uint32_t available; /* how far the index moves; 0 stands for 1 */
};

static const struct bad_chain chains[] = {
	{ .what = "a loop of one", .ring = { { GOOD, 8, NEXT, 0 } } },
	{ .what = "a loop of two", .ring = { { GOOD, 8, NEXT, 1 }, { GOOD, 8, NEXT, 0 } } },
	{ .what = "a writable loop",
		.ring = { { GOOD, 8, NEXT, 1 }, { GOOD, 8, NEXT | WRITE, 1 } } },
	{ .what = "next behind the table", .ring = { { GOOD, 8, NEXT, 64 } } },
	{ .what = "next far behind the table", .ring = { { GOOD, 8, NEXT, 0xffff } } },
	{ .what = "readable in a hole", .ring = { { HOLE, 8, NEXT, 1 }, { GOOD, 8, WRITE, 0 } } },
	{ .what = "writable in a hole", .ring = { { GOOD, 8, NEXT, 1 }, { HOLE, 8, WRITE, 0 } } },
	{ .what = "readable over the edge",
		.ring = { { EDGE, 8, NEXT, 1 }, { GOOD, 8, WRITE, 0 } } },
	{ .what = "writable over the edge",
		.ring = { { GOOD, 8, NEXT, 1 }, { EDGE, 8, WRITE, 0 } } },
	{ .what = "readable that wraps", .ring = { { WRAP, 64, NEXT, 1 }, { GOOD, 8, WRITE, 0 } } },
	{ .what = "writable that wraps", .ring = { { GOOD, 8, NEXT, 1 }, { WRAP, 64, WRITE, 0 } } },
	{ .what = "4 GiB readable",
		.ring = { { GOOD, 0xffffffff, NEXT, 1 }, { GOOD, 8, WRITE, 0 } } },
	{ .what = "4 GiB writable",
		.ring = { { GOOD, 8, NEXT, 1 }, { GOOD, 0xffffffff, WRITE, 0 } } },
	{ .what = "more than 4 GiB",
		.ring = { { GOOD, 0x90000000, NEXT, 1 }, { GOOD, 0x90000000, NEXT, 2 },
			{ GOOD, 8, WRITE, 0 } } },
	{ .what = "writable first", .ring = { { GOOD, 8, WRITE | NEXT, 1 }, { GOOD, 8, 0, 0 } } },
	{ .what = "lengths of zero", .ring = { { GOOD, 0, NEXT, 1 }, { GOOD, 0, WRITE, 0 } } },
	{ .what = "only readable", .ring = { { GOOD, 64, 0, 0 } } },
	{ .what = "only writable", .ring = { { GOOD, 64, WRITE, 0 } } },
	{ .what = "no room for a status",
		.ring = { { GOOD, 64, NEXT, 1 }, { GOOD, 3, WRITE, 0 } } },
	{ .what = "every flag", .ring = { { GOOD, 8, 0xffff, 1 }, { GOOD, 8, 0xffff, 0 } } },
	{ .what = "empty indirect table", .ring = { { TABLE, 0, INDIRECT, 0 } } },
	{ .what = "indirect table of 8 bytes", .ring = { { TABLE, 8, INDIRECT, 0 } } },
	{ .what = "indirect table of 24 bytes", .ring = { { TABLE, 24, INDIRECT, 0 } },
		.table = { { GOOD, 8, NEXT, 1 }, { GOOD, 8, WRITE, 0 } } },
	{ .what = "indirect table in a hole", .ring = { { HOLE, 32, INDIRECT, 0 } } },
	{ .what = "indirect table over the edge", .ring = { { EDGE, 32, INDIRECT, 0 } } },
	{ .what = "indirect table that wraps", .ring = { { WRAP, 32, INDIRECT, 0 } } },
	{ .what = "huge indirect table", .ring = { { TABLE, 0xfffffff0, INDIRECT, 0 } },
		.table = { { GOOD, 8, NEXT, 1 }, { GOOD, 8, NEXT, 0xffff } } },
	{ .what = "indirect and next",
		.ring = { { TABLE, 32, INDIRECT | NEXT, 1 }, { GOOD, 8, WRITE, 0 } },
		.table = { { GOOD, 8, NEXT, 1 }, { GOOD, 8, WRITE, 0 } } },
	{ .what = "indirect in indirect", .ring = { { TABLE, 32, INDIRECT, 0 } },
		.table = { { TABLE, 32, INDIRECT, 0 } } },
	{ .what = "indirect loop", .ring = { { TABLE, 32, INDIRECT, 0 } },
		.table = { { GOOD, 8, NEXT, 1 }, { GOOD, 8, NEXT, 0 } } },
	{ .what = "next behind the indirect table", .ring = { { TABLE, 32, INDIRECT, 0 } },
		.table = { { GOOD, 8, NEXT, 2 } } },
	{ .what = "indirect table at an odd address", .ring = { { ODD, 32, INDIRECT, 0 } },
		.table = { { GOOD, 8, NEXT, 1 }, { GOOD, 8, WRITE, 0 } } },
	{ .what = "head behind the table", .ring = { { GOOD, 8, 0, 0 } },
		.head = 64 },
	{ .what = "head far behind the table", .ring = { { GOOD, 8, 0, 0 } },
		.head = 0xffff },
	{ .what = "index jumps over the ring",
		.ring = { { GOOD, 8, NEXT, 1 }, { GOOD, 8, WRITE, 0 } },
		.available = 65 },
	{ .what = "index goes back", .ring = { { GOOD, 8, NEXT, 1 }, { GOOD, 8, WRITE, 0 } },
		.available = 0xffff },
	{ .what = "index jumps half around",
		.ring = { { GOOD, 8, NEXT, 1 }, { GOOD, 8, WRITE, 0 } },
		.available = 0x8000 },
};

static uint64_t address(const struct sound *s, enum place place, uint64_t good, uint64_t table)
{
	const struct mem_region *r = &s->mem.region[0];

	switch (place) {
	case HOLE:
		return r->gpa + r->size + 0x1000000;
	case EDGE:
		return r->gpa + r->size - 2;
	case WRAP:
		return ~0ULL - 15;
	case TABLE:
		return table;
	case ODD:
		return table + 16 * DESCS + 1;
	default:
		return good;
	}
}

static void put_descs(const struct sound *s, uint8_t *at, const struct desc *d, uint64_t good,
	uint64_t table)
{
	for (unsigned i = 0; i < DESCS; i++, at += 16) {
		put64(at, address(s, d[i].place, good, table));
		put32(at + 8, d[i].len);
		put16(at + 12, (uint16_t)d[i].flags);
		put16(at + 14, (uint16_t)d[i].next);
	}
}

/* A request that this queue would take, so that only the chain is wrong. */
static uint64_t plausible_buffer(struct sound *s, unsigned queue)
{
	uint64_t good = mem_alloc(&s->mem, GOOD_BYTES, 8);

	if (good && queue == Q_CONTROL)
		put32(mem_va(&s->mem, good), SND_R_PCM_PREPARE);
	return good;
}

static int one_chain(struct hostile *h, const struct bad_chain *c, unsigned queue)
{
	struct sound s;
	struct ring *r;
	uint64_t good, table;
	uint16_t step = (uint16_t)(c->available ? c->available : 1);
	int err;

	hostile_case(h, "%s on queue %u", c->what, queue);
	err = hostile_sound(h, &s);
	if (err < 0)
		return err;
	if (hostile_random(h, 2))
		hostile_prepare(&s, hostile_random(h, 2));
	r = &s.ring[queue];
	good = plausible_buffer(&s, queue);
	table = mem_alloc(&s.mem, 2 * 16 * DESCS + 1, 16);
	if (!good || !table) {
		sound_close(&s);
		return complain(-1, "guest memory is full");
	}
	put_descs(&s, mem_va(&s.mem, table), c->table, good, table);
	put_descs(&s, (uint8_t *)mem_va(&s.mem, table) + 16 * DESCS + 1, c->table, good, table);
	put_descs(&s, r->desc, c->ring, good, table);
	put16(r->avail + 4 + 2u * (r->avail_idx & (r->is.size - 1)), (uint16_t)c->head);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	put16(r->avail + 2, (uint16_t)(r->avail_idx + step));
	eventfd_write(r->kick_fd, 1);
	/* Whatever comes of it. */
	for (int64_t end = now_ns() + WAIT_NS; now_ns() < end;)
		if (sound_poll(&s, WAIT_NS) < 0)
			break;
	sound_close(&s);
	return 0;
}

int hostile_rings(struct hostile *h)
{
	int err = 0;

	if (h->o->queue_size != 64)
		return complain(-1, "the cases of this family need --queue-size=64");
	for (unsigned i = 0; i < sizeof(chains) / sizeof(chains[0]); i++)
		for (unsigned q = 0; q < QUEUES && !err; q++)
			err = one_chain(h, &chains[i], q);
	return err;
}
