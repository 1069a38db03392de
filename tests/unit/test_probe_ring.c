/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vsnd-probe's ring driver against a device of a few lines.
 *
 * The probe judges other devices, so its own ring must be right twice: it
 * must drive a correct device without a fault, and it must notice each way
 * in which a device can be wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "probe/bytes.h"
#include "probe/mem.h"
#include "probe/ring.h"

#define NEXT	 1u
#define WRITE	 2u
#define INDIRECT 4u

/* What the device has fetched. */
struct chain {
	uint16_t head;
	unsigned elements;
	uint64_t readable, writable;
};

struct fixture {
	struct mem mem;
	struct ring ring;
	uint16_t fetched; /* available index */
	int kick;
};

static void open_ring(struct fixture *f, struct ring_setup is)
{
	memset(f, 0, sizeof(*f));
	assert_int_equal(mem_create(&f->mem, 3, 16 << 20), 0);
	f->kick = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(ring_open(&f->ring, &f->mem, &is, f->kick), 0);
}

static void close_ring(struct fixture *f)
{
	ring_close(&f->ring);
	mem_destroy(&f->mem);
	close(f->kick);
}

/* Device: the next chain, walked through direct and indirect descriptors. */
static int fetch(struct fixture *f, struct chain *c)
{
	struct ring *r = &f->ring;
	const uint8_t *table = r->desc;
	uint32_t i, limit = r->is.size;

	if (get16(r->avail + 2) == f->fetched)
		return 0;
	*c = (struct chain){ .head = get16(r->avail + 4 + 2u * (f->fetched & (r->is.size - 1))) };
	f->fetched++;
	i = c->head;
	for (;;) {
		const uint8_t *d = table + 16u * i;
		unsigned flags = get16(d + 12);

		assert_true(i < limit);
		if (flags & INDIRECT) {
			assert_true(r->is.indirect);
			assert_int_equal(flags & (NEXT | WRITE), 0);
			table = mem_va(&f->mem, get64(d));
			limit = get32(d + 8) / 16;
			i = 0;
			continue;
		}
		*(flags & WRITE ? &c->writable : &c->readable) += get32(d + 8);
		mem_va(&f->mem, get64(d)); /* asserts that it is memory */
		c->elements++;
		assert_true(c->elements <= RING_ELEMENTS_MAX);
		if (!(flags & NEXT))
			return 1;
		i = get16(d + 14);
	}
}

/* Device: returns a chain. */
static void give(struct fixture *f, uint32_t head, uint32_t len)
{
	struct ring *r = &f->ring;
	uint16_t idx = get16(r->used + 2);
	uint8_t *e = r->used + 4 + 8u * (idx & (r->is.size - 1));

	put32(e, head);
	put32(e + 4, len);
	put16(r->used + 2, (uint16_t)(idx + 1));
}

static int add(struct fixture *f, unsigned elements, uint32_t write_from, uintptr_t cookie)
{
	struct element e[64];
	uint64_t gpa = f->mem.region[0].gpa;

	assert_true(elements <= 64);
	for (unsigned i = 0; i < elements; i++)
		e[i] = (struct element){ .gpa = gpa + i, .len = i + 1, .write = i >= write_from };
	return ring_add(&f->ring, e, elements, (void *)cookie);
}

/* Random traffic; the device returns in random order.  Each cookie comes back
 * once, with the length it was given, and the descriptors are free again. */
static void traffic(struct ring_setup is, unsigned rounds)
{
	static struct chain held[RING_SIZE_MAX];
	static uint8_t out[RING_SIZE_MAX];
	struct fixture f;
	unsigned holds = 0, next = 0, largest = is.indirect ? 40 : 5;
	uint32_t len;
	void *cookie;

	open_ring(&f, is);
	memset(out, 0, sizeof(out));
	srandom(is.size + is.indirect);
	for (unsigned i = 0; i < rounds || holds; i++) {
		unsigned n = 1 + (unsigned)random() % largest;
		unsigned from = (unsigned)random() % (n + 1);

		if (i < rounds && random() % 3 && !out[next % RING_SIZE_MAX] &&
			add(&f, n, from, next % RING_SIZE_MAX) == 0) {
			struct chain *c = &held[holds++];

			assert_int_equal(fetch(&f, c), 1);
			assert_int_equal(c->elements, n);
			assert_int_equal(c->readable, from * (from + 1) / 2);
			assert_int_equal(c->readable + c->writable, n * (n + 1) / 2);
			out[next++ % RING_SIZE_MAX] = 1;
		} else if (holds) {
			unsigned k = (unsigned)random() % holds;

			give(&f, held[k].head, (uint32_t)held[k].writable);
			held[k] = held[--holds];
			assert_int_equal(ring_take(&f.ring, &cookie, &len), 1);
			assert_int_equal(out[(uintptr_t)cookie], 1);
			out[(uintptr_t)cookie] = 0;
		}
	}
	assert_int_equal(ring_take(&f.ring, &cookie, &len), 0);
	assert_int_equal(f.ring.free_count, is.size);
	assert_int_equal(f.ring.in_flight, 0);
	assert_int_equal(f.ring.faults.count, 0);
	assert_true(f.ring.added == f.ring.returned && f.ring.added > 0);
	close_ring(&f);
}

static void test_traffic(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 8, 64, 1024, 32768 };

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		for (unsigned k = 0; k < 8; k++)
			traffic((struct ring_setup){ .size = sizes[i], .indirect = k & 1,
					.event_idx = k & 2, .scatter = k & 4 },
				sizes[i] == 64 ? 300000 : 20000);
}

static void test_full_ring(void **state)
{
	struct fixture f;
	struct chain c;
	void *cookie;
	uint32_t len;

	(void)state;
	open_ring(&f, (struct ring_setup){ .size = 8 });
	assert_int_equal(add(&f, 9, 1, 0), -ENOSPC);
	assert_int_equal(add(&f, 5, 1, 1), 0);
	assert_int_equal(add(&f, 4, 1, 2), -ENOSPC);
	assert_int_equal(add(&f, 3, 1, 3), 0);
	assert_int_equal(add(&f, 1, 1, 4), -ENOSPC);
	assert_int_equal(fetch(&f, &c), 1);
	give(&f, c.head, 0);
	assert_int_equal(ring_take(&f.ring, &cookie, &len), 1);
	assert_int_equal((uintptr_t)cookie, 1);
	assert_int_equal(add(&f, 5, 1, 5), 0);
	close_ring(&f);

	open_ring(&f, (struct ring_setup){ .size = 2, .indirect = true });
	assert_int_equal(add(&f, 30, 1, 0), 0);
	assert_int_equal(add(&f, 31, 1, 0), 0);
	assert_int_equal(add(&f, 2, 1, 0), -ENOSPC);
	close_ring(&f);
}

static void test_bad_sizes(void **state)
{
	static const uint32_t sizes[] = { 0, 3, 48, 65536 };
	struct mem mem;
	struct ring r;

	(void)state;
	assert_int_equal(mem_create(&mem, 1, 1 << 20), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(ring_open(&r, &mem, &(struct ring_setup){ .size = sizes[i] }, -1),
			-EINVAL);
	mem_destroy(&mem);
}

static void test_kick_by_flag(void **state)
{
	struct fixture f;
	eventfd_t n;

	(void)state;
	open_ring(&f, (struct ring_setup){ .size = 8 });
	assert_false(ring_kick(&f.ring)); /* nothing new */
	add(&f, 1, 0, 0);
	assert_true(ring_kick(&f.ring));
	put16(f.ring.used, 1); /* NO_NOTIFY */
	add(&f, 1, 0, 0);
	assert_false(ring_kick(&f.ring));
	put16(f.ring.used, 0);
	assert_false(ring_kick(&f.ring)); /* still nothing new */
	assert_int_equal(eventfd_read(f.kick, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(f.ring.kicks, 1);
	close_ring(&f);
}

static void test_kick_by_event_idx(void **state)
{
	struct fixture f;
	uint8_t *avail_event;

	(void)state;
	open_ring(&f, (struct ring_setup){ .size = 8, .event_idx = true });
	avail_event = f.ring.used + 4 + 8 * 8;
	put16(avail_event, 2);
	add(&f, 1, 0, 0);
	add(&f, 1, 0, 0);
	assert_false(ring_kick(&f.ring)); /* entries 0 and 1 */
	add(&f, 1, 0, 0);
	assert_true(ring_kick(&f.ring)); /* entry 2 */
	add(&f, 1, 0, 0);
	assert_false(ring_kick(&f.ring));
	put16(avail_event, 5);
	add(&f, 1, 0, 0);
	add(&f, 1, 0, 0);
	add(&f, 1, 0, 0);
	assert_true(ring_kick(&f.ring)); /* 4 to 6, 5 among them */
	close_ring(&f);
}

static void test_calls(void **state)
{
	struct fixture f;
	uint8_t *used_event;
	struct chain c;
	void *cookie;
	uint32_t len;

	(void)state;
	open_ring(&f, (struct ring_setup){ .size = 8, .event_idx = true });
	used_event = f.ring.avail + 4 + 2 * 8;
	for (unsigned i = 0; i < 3; i++) {
		add(&f, 1, 0, i);
		fetch(&f, &c);
		give(&f, c.head, 1);
	}
	ring_take(&f.ring, &cookie, &len);
	assert_int_equal(get16(used_event), 1); /* follows each */
	ring_calls_off(&f.ring);
	ring_take(&f.ring, &cookie, &len);
	assert_int_not_equal(get16(used_event), 2);
	assert_false(ring_calls_on(&f.ring)); /* one is left */
	assert_int_equal(get16(used_event), 2);
	ring_take(&f.ring, &cookie, &len);
	assert_true(ring_calls_on(&f.ring));
	assert_int_equal(get16(used_event), 3);
	close_ring(&f);

	open_ring(&f, (struct ring_setup){ .size = 8 });
	ring_calls_off(&f.ring);
	assert_int_equal(get16(f.ring.avail), 1);
	assert_true(ring_calls_on(&f.ring));
	assert_int_equal(get16(f.ring.avail), 0);
	close_ring(&f);
}

/* One chain is out; then the device does something wrong. */
static void one_out(struct fixture *f, bool event_idx, struct chain *c)
{
	open_ring(f, (struct ring_setup){ .size = 8, .event_idx = event_idx });
	add(f, 3, 2, 77);
	add(f, 3, 2, 78);
	assert_int_equal(fetch(f, c), 1);
}

static void test_faults(void **state)
{
	struct fixture f;
	struct chain c;
	void *cookie;
	uint32_t len;

	(void)state;
	one_out(&f, false, &c); /* twice the same */
	give(&f, c.head, 0);
	give(&f, c.head, 0);
	assert_int_equal(ring_take(&f.ring, &cookie, &len), 1);
	assert_int_equal(f.ring.faults.count, 0);
	assert_int_equal(ring_take(&f.ring, &cookie, &len), 0);
	assert_int_equal(f.ring.faults.count, 1);
	assert_int_equal(f.ring.in_flight, 1);
	close_ring(&f);

	one_out(&f, false, &c); /* no head of a chain */
	give(&f, c.head + 1u, 0);
	assert_int_equal(ring_take(&f.ring, &cookie, &len), 0);
	assert_int_equal(f.ring.faults.count, 1);
	close_ring(&f);

	one_out(&f, false, &c); /* no descriptor at all */
	give(&f, 8, 0);
	assert_int_equal(ring_take(&f.ring, &cookie, &len), 0);
	assert_int_equal(f.ring.faults.count, 1);
	close_ring(&f);

	one_out(&f, false, &c); /* more than is writable: 3 bytes */
	give(&f, c.head, 4);
	assert_int_equal(ring_take(&f.ring, &cookie, &len), 1);
	assert_int_equal(f.ring.faults.count, 1);
	close_ring(&f);

	one_out(&f, false, &c); /* more returned than was out */
	put16(f.ring.used + 2, 3);
	assert_int_equal(ring_take(&f.ring, &cookie, &len), -EPROTO);
	close_ring(&f);

	one_out(&f, false, &c); /* flags */
	put16(f.ring.used, 2);
	ring_take(&f.ring, &cookie, &len);
	assert_int_equal(f.ring.faults.count, 1);
	close_ring(&f);

	one_out(&f, true, &c);
	put16(f.ring.used, 1);
	ring_take(&f.ring, &cookie, &len);
	assert_int_equal(f.ring.faults.count, 1);
	close_ring(&f);
}

static void test_reset(void **state)
{
	struct fixture f;
	struct chain c;
	void *cookie;
	uint32_t len;

	(void)state;
	one_out(&f, true, &c);
	ring_reset(&f.ring);
	f.fetched = 0;
	assert_int_equal(fetch(&f, &c), 0);
	assert_int_equal(f.ring.free_count, 8);
	add(&f, 1, 0, 5);
	assert_int_equal(fetch(&f, &c), 1);
	give(&f, c.head, 1);
	assert_int_equal(ring_take(&f.ring, &cookie, &len), 1);
	assert_int_equal((uintptr_t)cookie, 5);
	assert_int_equal(f.ring.faults.count, 0);
	close_ring(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_traffic),
		cmocka_unit_test(test_full_ring),
		cmocka_unit_test(test_bad_sizes),
		cmocka_unit_test(test_kick_by_flag),
		cmocka_unit_test(test_kick_by_event_idx),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
