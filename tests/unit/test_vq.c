/* SPDX-License-Identifier: BSD-3-Clause */
/* What a sane driver sees.  The others are in test_vq_faults.c. */
#include "vq_fixture.h"

/* A request as the sound device knows it: header and data in, status out. */
static void message_there_and_back(void **state)
{
	struct fixture f;
	struct ring_buf b[3];
	struct vq_chain c;
	uint8_t got[24] = { 0 };
	int head;

	(void)state;
	fixture_open(&f, 64, 0, 0);
	b[0] = element(&f, 4, false);
	b[1] = element(&f, 20, false);
	b[2] = element(&f, 8, true);
	memcpy(guest_ptr(&f.g, b[0].gpa), "head", 4);
	memcpy(guest_ptr(&f.g, b[1].gpa), "and twenty bytes body", 20);
	expect_none(&f);
	head = ring_post(&f.r, b, 3);

	c = expect_chain(&f);
	assert_int_equal(c.id, head);
	assert_false(c.bad);
	assert_int_equal(c.readable.left, 24);
	assert_int_equal(c.writable.left, 8);
	assert_int_equal(vq_read(f.q, &c.readable, got, 2), 2);
	assert_int_equal(vq_read(f.q, &c.readable, got + 2, 100), 22);
	assert_memory_equal(got, "headand twenty bytes body", 24);
	assert_int_equal(vq_read(f.q, &c.readable, got, 1), 0);
	assert_int_equal(vq_write(f.q, &c.writable, "sta", 3), 3);
	assert_int_equal(vq_zero(f.q, &c.writable, 100), 5);
	assert_int_equal(vq_write(f.q, &c.writable, "x", 1), 0);
	assert_memory_equal(guest_ptr(&f.g, b[2].gpa), "sta\0\0\0\0\0", 8);

	vq_push(f.q, &c, 8);
	assert_false(ring_has_used(&f.r));
	assert_true(vq_publish(f.q));
	expect_used(&f, head, 8);
	assert_false(vq_publish(f.q));
	expect_none(&f);
	fixture_close(&f);
}

/* More pieces than a chunk holds, odd lengths, and every way to pass them. */
static void cursors_pass_many_pieces(void **state)
{
	enum { PIECES = 50 };
	struct fixture f;
	struct ring_buf b[PIECES];
	struct vq_chain c;
	struct vq_cursor at, mark;
	uint8_t sent[PIECES * 10], got[PIECES * 10];
	size_t n = 0;

	(void)state;
	fixture_open(&f, 64, 0, 0);
	for (unsigned i = 0; i < PIECES; i++) {
		b[i] = element(&f, 1 + i % 9, false);
		for (uint32_t k = 0; k < b[i].len; k++, n++)
			((uint8_t *)guest_ptr(&f.g, b[i].gpa))[k] = sent[n] = (uint8_t)(n * 7);
	}
	ring_post(&f.r, b, PIECES);
	c = expect_chain(&f);
	assert_int_equal(c.readable.left, n);

	at = c.readable;
	assert_int_equal(vq_read(f.q, &at, got, sizeof(got)), n);
	assert_memory_equal(got, sent, n);

	at = c.readable;
	for (size_t i = 0; i < n; i++) {
		mark = at;
		assert_int_equal(at.left, n - i);
		assert_int_equal(vq_read(f.q, &at, got, 1), 1);
		assert_int_equal(got[0], sent[i]);
	}
	/* A copy of a cursor is a place to come back to. */
	assert_int_equal(vq_read(f.q, &mark, got, 2), 1);

	for (size_t i = 0; i <= n + 1; i++) {
		at = c.readable;
		assert_int_equal(i % 2 ? vq_skip(f.q, &at, i) : vq_read(f.q, &at, NULL, i),
				 i < n ? i : n);
		assert_int_equal(vq_read(f.q, &at, got, n), i < n ? n - i : 0);
		assert_memory_equal(got, sent + i, i < n ? n - i : 0);
	}
	fixture_close(&f);
}

static void expect_start(struct fixture *f, struct vsnd_queue_setup setup, int expected)
{
	struct vq *untouched = (void *)f, *q = untouched;

	assert_int_equal(vq_start(f->m, &setup, 0, &q), expected);
	if (expected == 0)
		vq_free(q);
	else
		assert_ptr_equal(q, untouched);
}

static void bad_setups_are_refused(void **state)
{
	static const uint32_t sizes[] = { 0, 3, 63, 65, 32767, 65536, 0x80000000, 0xffffffff };
	struct vsnd_queue_setup good, s;
	struct fixture f;

	(void)state;
	fixture_open(&f, 64, 0, 0);
	good = ring_setup(&f.r);
	expect_start(&f, good, 0);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		s = good;
		s.size = sizes[i];
		expect_start(&f, s, -EINVAL);
	}
	s = good;
	s.desc += 8;
	expect_start(&f, s, -EINVAL);
	s = good;
	s.driver += 1;
	expect_start(&f, s, -EINVAL);
	s = good;
	s.device += 2;
	expect_start(&f, s, -EINVAL);

	s = good;
	s.desc = GUEST_GPA + GUEST_SIZE - 16 * 64 + 16;
	expect_start(&f, s, -EFAULT);
	s.desc -= 16;
	expect_start(&f, s, 0);
	s = good;
	s.driver = GUEST_GPA + GUEST_SIZE - (6 + 2 * 64) + 2;
	expect_start(&f, s, -EFAULT);
	s.driver -= 2;
	expect_start(&f, s, 0);
	s = good;
	s.device = GUEST_GPA + GUEST_SIZE - (6 + 8 * 64);	/* 2 too far, to be aligned */
	s.device = (s.device + 3) & ~UINT64_C(3);
	expect_start(&f, s, -EFAULT);
	s.device -= 4;
	expect_start(&f, s, 0);
	s = good;
	s.desc = UINT64_MAX - 15;
	expect_start(&f, s, -EFAULT);
	fixture_close(&f);
}

/* A region may be mapped at an odd place; indices cannot be accessed there. */
static void mapping_of_odd_alignment_is_refused(void **state)
{
	struct vsnd_mem_region region;
	struct fixture f;
	struct mem *odd;

	(void)state;
	fixture_open(&f, 64, 0, 0);
	region = guest_region(&f.g);
	region.host = (uint8_t *)region.host + 1;
	region.size--;
	assert_int_equal(mem_create(&region, 1, &odd), 0);
	mem_free(f.m);
	f.m = odd;
	expect_start(&f, ring_setup(&f.r), -EFAULT);
	vq_set_mem(f.q, odd);
	assert_true(vq_dead(f.q));
	fixture_close(&f);
}

/* Each message takes all descriptors of a ring of any size, direct or not. */
static void all_queue_sizes(void **state)
{
	(void)state;
	for (uint32_t size = 1; size <= VSND_QUEUE_SIZE_MAX; size *= 2) {
		struct ring_buf *b = calloc(size + 1, sizeof(*b));
		struct vq_chain c;
		struct fixture f;

		assert_non_null(b);
		fixture_open(&f, size, INDIRECT, (uint16_t)(size * 3));
		assert_int_equal(vq_size(f.q), size);
		for (uint32_t i = 0; i <= size; i++)
			b[i] = element(&f, 1 + i % 3, i >= size / 2);
		for (unsigned round = 0; round < 5; round++) {
			int head = ring_post(&f.r, b, size);

			assert_true(head >= 0);
			c = expect_chain(&f);
			assert_false(c.bad);
			vq_push(f.q, &c, 1);
			vq_publish(f.q);
			expect_used(&f, head, 1);

			/* Linux' tables may be longer than the ring. */
			head = ring_add_indirect(&f.r, b, size < VSND_CHAIN_MAX ? size + 1 : size);
			ring_show(&f.r);
			c = expect_chain(&f);
			assert_int_equal(c.id, head);
			assert_false(c.bad);
			vq_push(f.q, &c, 2);
			vq_publish(f.q);
			expect_used(&f, head, 2);
		}
		assert_int_equal(vq_base(f.q), (uint16_t)(size * 3 + 10));
		fixture_close(&f);
		free(b);
	}
}

/* The three parts lie where they want, in regions of their own. */
static void parts_in_three_regions(void **state)
{
	struct vsnd_mem_region regions[4];
	struct vsnd_queue_setup setup;
	struct ring_buf b;
	struct vq_chain c;
	struct fixture f;
	struct guest part[3];

	(void)state;
	fixture_open(&f, 64, 0, 0);
	setup = ring_setup(&f.r);
	for (unsigned i = 0; i < 3; i++) {
		guest_init(&part[i], (3 - i) * UINT64_C(0x100000), 0x1000);
		regions[i] = guest_region(&part[i]);
	}
	regions[3] = guest_region(&f.g);
	memcpy(part[0].host, guest_ptr(&f.g, f.r.used), 6 + 8 * 64);
	setup.device = part[0].gpa;
	mem_free(f.m);
	assert_int_equal(mem_create(regions, 4, &f.m), 0);
	vq_free(f.q);
	b = element(&f, 4, true);
	ring_post(&f.r, &b, 1);
	memcpy(part[1].host, guest_ptr(&f.g, f.r.desc), 16 * 64);
	memcpy(part[2].host, guest_ptr(&f.g, f.r.avail), 6 + 2 * 64);
	setup.desc = part[1].gpa;
	setup.driver = part[2].gpa;
	assert_int_equal(vq_start(f.m, &setup, 0, &f.q), 0);
	c = expect_chain(&f);
	vq_push(f.q, &c, 4);
	vq_publish(f.q);
	assert_int_equal(((uint16_t *)(void *)part[0].host)[1], 1);
	assert_int_equal(((uint32_t *)(void *)part[0].host)[2], 4);
	for (unsigned i = 0; i < 3; i++)
		guest_fini(&part[i]);
	fixture_close(&f);
}

/* Order in the table is free, unused fields are, reserved flags are. */
static void scattered_descriptors(void **state)
{
	struct ring_buf r1, r2, w;
	struct vq_chain c;
	struct fixture f;

	(void)state;
	fixture_open(&f, 64, 0, 0);
	r1 = element(&f, 4, false);
	r2 = element(&f, 5, false);
	w = element(&f, 6, true);
	ring_desc(&f.r, 63, r1.gpa, 4, RING_DESC_NEXT | 0xfff8, 0);
	ring_desc(&f.r, 0, r2.gpa, 5, RING_DESC_NEXT | 0x8000, 17);
	ring_desc(&f.r, 17, w.gpa, 6, RING_DESC_WRITE | 0xfff8, 0xffff);
	ring_avail(&f.r, 63);
	ring_show(&f.r);
	c = expect_chain(&f);
	assert_int_equal(c.id, 63);
	assert_false(c.bad);
	assert_int_equal(c.readable.left, 9);
	assert_int_equal(c.writable.left, 6);
	fixture_close(&f);
}

static void zero_length_descriptors_are_empty_elements(void **state)
{
	struct ring_buf b[5];
	struct vq_chain c;
	struct fixture f;

	(void)state;
	fixture_open(&f, 64, 0, 0);
	b[0] = (struct ring_buf){ .gpa = 0xdead, .len = 0 };
	b[1] = element(&f, 8, false);
	b[2] = (struct ring_buf){ .gpa = UINT64_MAX, .len = 0, .writable = true };
	b[3] = element(&f, 4, true);
	b[4] = (struct ring_buf){ .len = 0, .writable = true };
	ring_post(&f.r, b, 5);
	c = expect_chain(&f);
	assert_false(c.bad);
	assert_int_equal(c.readable.left, 8);
	assert_int_equal(c.writable.left, 4);
	vq_push(f.q, &c, 0);

	/* Nothing else at all is a message, too: an empty one. */
	ring_post(&f.r, b, 1);
	c = expect_chain(&f);
	assert_false(c.bad);
	assert_int_equal(c.readable.left, 0);
	assert_int_equal(c.writable.left, 0);
	assert_int_equal(vq_read(f.q, &c.readable, &b, 1), 0);
	assert_int_equal(vq_skip(f.q, &c.writable, 1), 0);
	vq_push(f.q, &c, 0);
	fixture_close(&f);
}

/* Post an indirect descriptor as head, behind @direct one-byte elements. */
static void post_indirect(struct fixture *f, unsigned direct, uint64_t table, uint32_t entries,
			  uint16_t flags)
{
	for (unsigned i = 0; i < direct; i++) {
		struct ring_buf b = element(f, 1, false);

		ring_desc(&f->r, i, b.gpa, 1, RING_DESC_NEXT, (uint16_t)(i + 1));
	}
	ring_desc(&f->r, direct, table, 16 * entries, (uint16_t)(flags | RING_DESC_INDIRECT), 7);
	ring_avail(&f->r, 0);
	ring_show(&f->r);
}

static void expect_parts(struct fixture *f, uint64_t readable, uint64_t writable)
{
	struct vq_chain c = expect_chain(f);

	assert_false(c.bad);
	assert_int_equal(c.readable.left, readable);
	assert_int_equal(c.writable.left, writable);
	vq_push(f->q, &c, 0);
	vq_publish(f->q);
}

static void indirect_tables(void **state)
{
	struct ring_buf r, w;
	struct fixture f;
	uint64_t table;

	(void)state;
	fixture_open(&f, 64, INDIRECT, 0);
	r = element(&f, 100, false);
	w = element(&f, 10, true);
	for (unsigned align = 0; align < 16; align++) {
		guest_alloc(&f.g, 1, 16);
		table = guest_alloc(&f.g, 16 * 6 + align, 1) + align;
		ring_table_desc(&f.g, table, 0, r.gpa, 40, RING_DESC_NEXT, 5);
		ring_table_desc(&f.g, table, 5, r.gpa + 40, 60, RING_DESC_NEXT, 2);
		ring_table_desc(&f.g, table, 2, w.gpa, 10, RING_DESC_WRITE, 0xffff);
		post_indirect(&f, 0, table, 6, 0);
		expect_parts(&f, 100, 10);
		post_indirect(&f, 0, table, 6, RING_DESC_WRITE);
		expect_parts(&f, 100, 10);
		post_indirect(&f, 1, table, 6, 0);
		expect_parts(&f, 101, 10);
		post_indirect(&f, 3, table, 6, RING_DESC_WRITE | 0xfff8);
		expect_parts(&f, 103, 10);
	}
	fixture_close(&f);
}

/* A table whose first @n entries are a chain of one-byte elements. */
static uint64_t long_table(struct fixture *f, uint32_t n, uint32_t entries)
{
	uint64_t table = guest_alloc(&f->g, 16 * (size_t)entries, 16);
	struct ring_buf b = element(f, 1, false);

	for (uint32_t i = 0; i < entries; i++)
		ring_table_desc(&f->g, table, i, b.gpa, 1, i + 1 < n ? RING_DESC_NEXT : 0,
				(uint16_t)(i + 1));
	return table;
}

/* Up to the promised number of elements, direct ones counted. */
static void long_indirect_tables(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, 64, INDIRECT, 0);
	post_indirect(&f, 0, long_table(&f, 1024, 1024), 1024, 0);
	expect_parts(&f, 1024, 0);
	post_indirect(&f, 0, long_table(&f, 1024, 100000), 100000, 0);
	expect_parts(&f, 1024, 0);
	post_indirect(&f, 24, long_table(&f, 1000, 1000), 1000, 0);
	expect_parts(&f, 1024, 0);
	fixture_close(&f);
}

static void check_neighbours(struct fixture *f, struct guest *next)
{
	uint64_t border = next->gpa, table = border - 24;
	struct ring_buf b[2] = {
		{ .gpa = border - 3, .len = 3 + 5 },
		{ .gpa = border - 60, .len = 120, .writable = true },
	};
	uint8_t got[8];
	struct vq_chain c;

	memcpy(f->g.host + f->g.size - 3, "abc", 3);
	memcpy(next->host, "defgh", 5);
	ring_post(&f->r, b, 2);
	c = expect_chain(f);
	assert_false(c.bad);
	assert_int_equal(vq_read(f->q, &c.readable, got, 8), 8);
	assert_memory_equal(got, "abcdefgh", 8);
	assert_int_equal(vq_zero(f->q, &c.writable, 120), 120);
	assert_int_equal(f->g.host[f->g.size - 60], 0);
	assert_int_equal(next->host[59], 0);
	vq_push(f->q, &c, 120);

	/* An indirect table there, with the border within a descriptor. */
	b[0] = element(f, 9, true);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t at = table + 16 * i;
		struct guest both = { .host = calloc(1, 16), .gpa = at, .size = 16 };

		ring_table_desc(&both, at, 0, b[0].gpa, 3, i < 2 ? RING_DESC_NEXT : 0,
				(uint16_t)(i + 1));
		for (unsigned k = 0; k < 16; k++)
			*(at + k < border ? f->g.host + (at + k - f->g.gpa)
					  : next->host + (at + k - border)) = both.host[k];
		free(both.host);
	}
	post_indirect(f, 0, table, 3, 0);
	c = expect_chain(f);
	assert_int_equal(c.readable.left, 9);
}

/* Adjacent in the guest, not in the host. */
static void buffers_cross_adjacent_regions(void **state)
{
	struct vsnd_mem_region regions[2];
	struct fixture f;
	struct guest next;
	struct mem *both;

	(void)state;
	fixture_open(&f, 64, INDIRECT, 0);
	guest_init(&next, GUEST_GPA + GUEST_SIZE, 0x1000);
	regions[0] = guest_region(&next);
	regions[1] = guest_region(&f.g);
	assert_int_equal(mem_create(regions, 2, &both), 0);
	vq_set_mem(f.q, both);
	check_neighbours(&f, &next);
	mem_free(both);
	guest_fini(&next);
	fixture_close(&f);
}

/* One message after the other, in batches of different sizes, all around the indices. */
static void many_requests(uint64_t features, uint16_t base)
{
	enum { REQUESTS = 200000 };
	struct vq_chain c[20];
	struct ring_buf b[3];
	struct fixture f;
	unsigned done = 0;

	fixture_open(&f, 64, features, base);
	b[0] = element(&f, 4, false);
	b[1] = element(&f, 100, false);
	b[2] = element(&f, 8, true);
	while (done < REQUESTS) {
		unsigned n = 1 + done % 20;
		int head[20];

		for (unsigned i = 0; i < n; i++) {
			head[i] = (features & INDIRECT && i % 2) ? ring_add_indirect(&f.r, b, 3)
								: ring_add(&f.r, b, 3);
			assert_true(head[i] >= 0);
		}
		ring_show(&f.r);
		for (unsigned i = 0; i < n; i++) {
			c[i] = expect_chain(&f);
			assert_int_equal(c[i].id, head[i]);
			assert_int_equal(c[i].readable.left, 104);
		}
		expect_none(&f);
		for (unsigned i = n; i-- > 0; )
			vq_push(f.q, &c[i], i);
		assert_true(vq_publish(f.q));
		for (unsigned i = n; i-- > 0; )
			expect_used(&f, head[i], i);
		ring_want_interrupts(&f.r, true);
		done += n;
		assert_int_equal(vq_base(f.q), (uint16_t)(base + done));
		assert_int_equal(vq_used_idx(f.q), (uint16_t)(base + done));
	}
	fixture_close(&f);
}

static void indices_wrap(void **state)
{
	(void)state;
	many_requests(0, 0);
	many_requests(INDIRECT | EVENT_IDX, 0xfffe);
}

/* The two indices need not agree: the used one is the ring's, the other is told. */
static void indices_start_where_they_are(void **state)
{
	struct vsnd_queue_setup setup;
	struct fixture f;
	struct ring_buf b;
	struct vq_chain c;

	(void)state;
	fixture_open(&f, 64, 0, 0x1234);
	setup = ring_setup(&f.r);
	setup.base |= 0xabcd0000;
	ring_set_used_idx(&f.r, 0xfffe);
	vq_free(f.q);
	assert_int_equal(vq_start(f.m, &setup, 0, &f.q), 0);
	assert_int_equal(vq_base(f.q), 0x1234);
	assert_int_equal(vq_used_idx(f.q), 0xfffe);
	b = element(&f, 8, true);
	for (unsigned i = 0; i < 3; i++) {
		int head = ring_post(&f.r, &b, 1);

		c = expect_chain(&f);
		vq_push(f.q, &c, 8);
		assert_true(vq_publish(f.q));
		expect_used(&f, head, 8);
	}
	assert_int_equal(ring_device_used_idx(&f.r), 1);
	assert_int_equal(vq_base(f.q), 0x1237);
	fixture_close(&f);
}

/* The table, the available ring and readable buffers are the driver's. */
static void what_is_the_drivers_stays_as_it_is(void **state)
{
	uint8_t before[16 * 64 + 64 + 6 + 2 * 64];
	struct ring_buf b[2];
	struct vq_chain c;
	struct fixture f;

	(void)state;
	fixture_open(&f, 64, EVENT_IDX, 0);
	b[0] = element(&f, 64, false);
	b[1] = element(&f, 64, true);
	ring_post(&f.r, b, 2);
	memcpy(before, guest_ptr(&f.g, f.r.desc), 16 * 64);
	memcpy(before + 16 * 64, guest_ptr(&f.g, b[0].gpa), 64);
	memcpy(before + 17 * 64, guest_ptr(&f.g, f.r.avail), 6 + 2 * 64);
	c = expect_chain(&f);
	vq_want_kicks(f.q, false);
	vq_zero(f.q, &c.writable, 64);
	vq_push(f.q, &c, 64);
	vq_publish(f.q);
	vq_want_kicks(f.q, true);
	assert_memory_equal(before, guest_ptr(&f.g, f.r.desc), 16 * 64);
	assert_memory_equal(before + 16 * 64, guest_ptr(&f.g, b[0].gpa), 64);
	assert_memory_equal(before + 17 * 64, guest_ptr(&f.g, f.r.avail), 6 + 2 * 64);
	fixture_close(&f);
}

/* Chains of @elements each: @fit of them find room at a time, the others have to wait. */
static void exhaust_pool(unsigned elements, unsigned fit)
{
	struct ring_buf *b = calloc(elements, sizeof(*b));
	struct vq_chain held[64];
	struct fixture f;
	unsigned n = 0;
	int r;

	assert_non_null(b);
	fixture_open(&f, 64, INDIRECT, 0);
	b[0] = element(&f, 1, false);
	for (unsigned i = 1; i < elements; i++)
		b[i] = b[0];
	for (unsigned i = 0; i < 64; i++)
		ring_add_indirect(&f.r, b, elements);
	ring_show(&f.r);
	while ((r = vq_pop(f.q, &held[n])) == 1)
		n++;
	assert_int_equal(r, -EAGAIN);
	assert_int_equal(n, fit);
	assert_int_equal(vq_base(f.q), n);
	assert_int_equal(vq_pop(f.q, &held[n]), -EAGAIN);
	assert_false(vq_dead(f.q));
	assert_true(vq_want_kicks(f.q, true));

	for (unsigned i = 0; i < 64; i++) {
		vq_push(f.q, &held[i % fit], 0);
		if (i + fit < 64)
			held[i % fit] = expect_chain(&f);
	}
	expect_none(&f);
	vq_publish(f.q);
	for (int i = 0; i < 64; i++)
		expect_used(&f, i, 0);
	fixture_close(&f);
	free(b);
}

/* 4096 + 1024 pieces are 1024 chunks: some are left in the first case, none in the second. */
static void pool_exhaustion(void **state)
{
	(void)state;
	exhaust_pool(1024, 4);
	exhaust_pool(5 * 32, 32);
}

static void pool_holds_a_full_ring(void **state)
{
	struct vq_chain *held = calloc(VSND_QUEUE_SIZE_MAX, sizeof(*held));
	struct ring_buf b[14];
	struct fixture f;

	(void)state;
	assert_non_null(held);
	fixture_open(&f, VSND_QUEUE_SIZE_MAX, INDIRECT, 0);
	for (unsigned i = 0; i < 14; i++)
		b[i] = element(&f, 1, i >= 7);
	for (unsigned i = 0; i < VSND_QUEUE_SIZE_MAX; i++)
		ring_add_indirect(&f.r, b, 14);
	ring_show(&f.r);
	for (unsigned i = 0; i < VSND_QUEUE_SIZE_MAX; i++)
		held[i] = expect_chain(&f);
	expect_none(&f);
	for (unsigned i = 0; i < VSND_QUEUE_SIZE_MAX; i++) {
		assert_int_equal(vq_skip(f.q, &held[i].writable, 8), 7);
		vq_push(f.q, &held[i], 7);
	}
	assert_true(vq_publish(f.q));
	fixture_close(&f);
	free(held);
}

/* Chains that are forgotten make room for others, and are not given back. */
static void dropped_chains(void **state)
{
	struct vq_chain held[64];
	struct ring_buf b[2];
	struct fixture f;
	int head;

	(void)state;
	fixture_open(&f, 64, INDIRECT, 0);
	b[0] = element(&f, 4, false);
	b[1] = element(&f, 4, true);
	for (unsigned round = 0; round < 100; round++) {
		for (unsigned i = 0; i < 63; i++)
			ring_add_indirect(&f.r, b, 2);
		head = ring_add_indirect(&f.r, b, 2);
		ring_show(&f.r);
		for (unsigned i = 0; i < 64; i++)
			held[i] = expect_chain(&f);
		for (unsigned i = 0; i < 63; i++)
			vq_drop(f.q, &held[i]);
		assert_false(vq_publish(f.q));
		vq_push(f.q, &held[63], 4);
		assert_true(vq_publish(f.q));
		expect_used(&f, head, 4);
		expect_none(&f);

		/* The driver starts anew, at the same indices. */
		ring_fini(&f.r);
		f.g.taken = 0;
		ring_init(&f.r, &f.g, 64, 0, (uint16_t)vq_base(f.q));
		ring_set_used_idx(&f.r, vq_used_idx(f.q));
	}
	fixture_close(&f);
}

/* A VM pause: the queue rests with messages in it, the ring may move. */
static void restart_keeps_messages(void **state)
{
	struct vsnd_queue_setup setup, other;
	struct ring_buf b[2];
	struct vq_chain c, d;
	struct fixture f;
	uint8_t byte;
	int head;

	(void)state;
	fixture_open(&f, 64, 0, 0xffff);
	setup = ring_setup(&f.r);
	b[0] = element(&f, 4, false);
	b[1] = element(&f, 4, true);
	memcpy(guest_ptr(&f.g, b[0].gpa), "keep", 4);
	head = ring_post(&f.r, b, 2);
	c = expect_chain(&f);
	assert_int_equal(vq_base(f.q), 0);
	vq_want_kicks(f.q, false);

	assert_int_equal(vq_restart(f.q, f.m, &setup, 0), -EINVAL);	/* not the base */
	setup.base = vq_base(f.q) | 0x70000;
	other = setup;
	other.size = 32;
	assert_int_equal(vq_restart(f.q, f.m, &other, 0), -EINVAL);
	other = setup;
	other.desc++;
	assert_int_equal(vq_restart(f.q, f.m, &other, 0), -EINVAL);
	other = setup;
	other.device = 0;
	assert_int_equal(vq_restart(f.q, f.m, &other, 0), -EFAULT);
	assert_int_equal(ring_used_flags(&f.r), 1);

	/* The ring moves with what is in it. */
	other = setup;
	other.desc = guest_alloc(&f.g, 16 * 64, 16);
	memcpy(guest_ptr(&f.g, other.desc), guest_ptr(&f.g, f.r.desc), 16 * 64);
	memset(guest_ptr(&f.g, f.r.desc), 0xff, 16 * 64);
	f.r.desc = other.desc;
	assert_int_equal(vq_restart(f.q, f.m, &other, 0), 0);
	assert_int_equal(ring_used_flags(&f.r), 0);
	ring_post(&f.r, b, 1);
	d = expect_chain(&f);
	assert_int_equal(d.readable.left, 4);
	assert_int_equal(vq_read(f.q, &c.readable, &byte, 1), 1);
	assert_int_equal(byte, 'k');
	vq_push(f.q, &c, 4);
	assert_true(vq_publish(f.q));
	expect_used(&f, head, 4);
	fixture_close(&f);
}

/* Pages move to another place in the host while a message waits. */
static void memory_is_replaced_under_messages(void **state)
{
	struct vsnd_mem_region moved;
	struct ring_buf b[2];
	struct vq_chain c;
	struct fixture f;
	struct mem *m;
	uint8_t got[8];

	(void)state;
	fixture_open(&f, 64, 0, 0);
	b[0] = element(&f, 8, false);
	b[1] = element(&f, 8, true);
	memcpy(guest_ptr(&f.g, b[0].gpa), "12345678", 8);
	ring_post(&f.r, b, 2);
	c = expect_chain(&f);
	assert_int_equal(vq_read(f.q, &c.readable, got, 4), 4);

	moved = guest_region(&f.g);
	moved.host = malloc(0x100000);
	assert_non_null(moved.host);
	moved.size = 0x100000;
	memcpy(moved.host, f.g.host, moved.size);
	assert_int_equal(mem_create(&moved, 1, &m), 0);
	vq_set_mem(f.q, m);
	memset(f.g.host, 0xee, 0x100000);
	assert_false(vq_dead(f.q));
	assert_int_equal(vq_read(f.q, &c.readable, got + 4, 4), 4);
	assert_memory_equal(got, "12345678", 8);
	vq_write(f.q, &c.writable, "ABCD", 4);
	vq_push(f.q, &c, 4);
	assert_true(vq_publish(f.q));
	memcpy(f.g.host, moved.host, moved.size);
	assert_memory_equal(guest_ptr(&f.g, b[1].gpa), "ABCD", 4);
	assert_int_equal(ring_device_used_idx(&f.r), 1);
	mem_free(m);
	free(moved.host);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_there_and_back),
		cmocka_unit_test(cursors_pass_many_pieces),
		cmocka_unit_test(bad_setups_are_refused),
		cmocka_unit_test(mapping_of_odd_alignment_is_refused),
		cmocka_unit_test(all_queue_sizes),
		cmocka_unit_test(parts_in_three_regions),
		cmocka_unit_test(scattered_descriptors),
		cmocka_unit_test(zero_length_descriptors_are_empty_elements),
		cmocka_unit_test(indirect_tables),
		cmocka_unit_test(long_indirect_tables),
		cmocka_unit_test(buffers_cross_adjacent_regions),
		cmocka_unit_test(indices_wrap),
		cmocka_unit_test(indices_start_where_they_are),
		cmocka_unit_test(what_is_the_drivers_stays_as_it_is),
		cmocka_unit_test(pool_exhaustion),
		cmocka_unit_test(pool_holds_a_full_ring),
		cmocka_unit_test(dropped_chains),
		cmocka_unit_test(restart_keeps_messages),
		cmocka_unit_test(memory_is_replaced_under_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
