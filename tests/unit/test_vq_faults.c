/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an insane driver gets.  A broken ring is dead for good, a bad message is
 * told and the ring goes on; both in the middle of a life that was sane before.
 */
#include "vq_fixture.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE 64

static void post_head(struct fixture *f, uint16_t head)
{
	ring_avail(&f->r, head);
	ring_show(&f->r);
}

/* Descriptor 0 with these fields, as a chain of its own. */
static void post_desc(struct fixture *f, uint64_t gpa, uint32_t len, uint16_t flags, uint16_t next)
{
	ring_desc(&f->r, 0, gpa, len, flags, next);
	post_head(f, 0);
}

/* A table of @n one-byte elements, the last of which goes on with @flags and @next. */
static uint64_t table(struct fixture *f, uint32_t n, uint16_t flags, uint16_t next)
{
	uint64_t t = guest_alloc(&f->g, 16 * (size_t)n, 16);

	for (uint32_t i = 0; i < n; i++)
		ring_table_desc(&f->g, t, i, GUEST_GPA, 1, i + 1 < n ? RING_DESC_NEXT : flags,
				i + 1 < n ? (uint16_t)(i + 1) : next);
	return t;
}

static void bad_head(struct fixture *f)
{
	post_head(f, SIZE);
}

static void bad_head_at_the_end(struct fixture *f)
{
	post_head(f, 0xffff);
}

static void index_jumps_ahead(struct fixture *f)
{
	ring_set_avail_idx(&f->r, (uint16_t)(vq_base(f->q) + SIZE + 1));
}

static void index_goes_back(struct fixture *f)
{
	ring_set_avail_idx(&f->r, (uint16_t)(vq_base(f->q) - 1));
}

static void loop_of_one(struct fixture *f)
{
	post_desc(f, GUEST_GPA, 1, RING_DESC_NEXT, 0);
}

static void loop_of_two(struct fixture *f)
{
	ring_desc(&f->r, 1, GUEST_GPA, 1, RING_DESC_NEXT, 0);
	post_desc(f, GUEST_GPA, 1, RING_DESC_NEXT, 1);
}

static void loop_of_all(struct fixture *f)
{
	for (uint32_t i = 0; i < SIZE; i++)
		ring_desc(&f->r, i, GUEST_GPA, 1, RING_DESC_NEXT, (uint16_t)((i + 1) % SIZE));
	post_head(f, 5);
}

/* Not a byte is in it, and still it must end. */
static void loop_of_empty_elements(struct fixture *f)
{
	post_desc(f, GUEST_GPA, 0, RING_DESC_NEXT, 0);
}

static void loop_in_a_table(struct fixture *f)
{
	post_desc(f, table(f, 3, RING_DESC_NEXT, 1), 48, RING_DESC_INDIRECT, 0);
}

static void next_outside(struct fixture *f)
{
	post_desc(f, GUEST_GPA, 1, RING_DESC_NEXT, SIZE);
}

static void next_outside_table(struct fixture *f)
{
	post_desc(f, table(f, 3, RING_DESC_NEXT, 3), 48, RING_DESC_INDIRECT, 0);
}

static void table_not_negotiated(struct fixture *f)
{
	struct vsnd_queue_setup setup = ring_setup(&f->r);

	setup.base = vq_base(f->q);
	assert_int_equal(vq_restart(f->q, f->m, &setup, 0), 0);
	post_desc(f, table(f, 3, 0, 0), 48, RING_DESC_INDIRECT, 0);
}

static void table_in_a_table(struct fixture *f)
{
	post_desc(f, table(f, 3, RING_DESC_INDIRECT, 0), 48, RING_DESC_INDIRECT, 0);
}

static void table_with_next(struct fixture *f)
{
	post_desc(f, table(f, 3, 0, 0), 48, RING_DESC_INDIRECT | RING_DESC_NEXT, 1);
}

static void table_of_length_0(struct fixture *f)
{
	post_desc(f, table(f, 3, 0, 0), 0, RING_DESC_INDIRECT, 0);
}

static void table_of_length_8(struct fixture *f)
{
	post_desc(f, table(f, 3, 0, 0), 8, RING_DESC_INDIRECT, 0);
}

static void table_of_length_24(struct fixture *f)
{
	post_desc(f, table(f, 3, 0, 0), 24, RING_DESC_INDIRECT, 0);
}

static void table_unmapped(struct fixture *f)
{
	post_desc(f, GUEST_GPA - 0x1000, 48, RING_DESC_INDIRECT, 0);
}

static void table_beyond_the_end(struct fixture *f)
{
	post_desc(f, GUEST_GPA + GUEST_SIZE - 32, 48, RING_DESC_INDIRECT, 0);
}

static void table_wraps(struct fixture *f)
{
	post_desc(f, UINT64_MAX - 15, 32, RING_DESC_INDIRECT, 0);
}

static void table_of_4_gib(struct fixture *f)
{
	post_desc(f, GUEST_GPA, 0xfffffff0, RING_DESC_INDIRECT, 0);
}

static void chain_too_long(struct fixture *f)
{
	post_desc(f, table(f, 1025, 0, 0), 16 * 1025, RING_DESC_INDIRECT, 0);
}

static void chain_too_long_with_direct_ones(struct fixture *f)
{
	ring_desc(&f->r, 1, table(f, 1024, 0, 0), 16 * 1024, RING_DESC_INDIRECT, 0);
	post_desc(f, GUEST_GPA, 1, RING_DESC_NEXT, 1);
}

/* One chain is held already, and 64 more are claimed, from 64 descriptors. */
static void more_chains_than_descriptors(struct fixture *f)
{
	struct vq_chain c;

	ring_desc(&f->r, 0, GUEST_GPA, 1, 0, 0);
	for (unsigned i = 0; i < SIZE - 1; i++) {
		post_head(f, 0);
		assert_int_equal(vq_pop(f->q, &c), 1);
		vq_push(f->q, &c, 0);	/* and not published */
	}
	post_head(f, 0);
}

static void ring_left_memory(struct fixture *f)
{
	struct vsnd_mem_region region = guest_region(&f->g);

	region.size = f->r.used - GUEST_GPA;
	mem_free(f->m);
	assert_int_equal(mem_create(&region, 1, &f->m), 0);
	vq_set_mem(f->q, f->m);
}

static void memory_is_gone(struct fixture *f)
{
	vq_set_mem(f->q, NULL);
}

/* As a SIGBUS handler would. */
static void memory_was_truncated(struct fixture *f)
{
	assert_true(mem_fault(f->m, f->g.host + GUEST_SIZE - 1));
}

struct fault {
	const char *name;
	void (*make)(struct fixture *f);
	const char *error;
};

#define FAULT(function, text) { .name = #function, .make = function, .error = text }

static const struct fault faults[] = {
	FAULT(bad_head, "bad descriptor index in the available ring"),
	FAULT(bad_head_at_the_end, "bad descriptor index in the available ring"),
	FAULT(index_jumps_ahead, "available index too far ahead"),
	FAULT(index_goes_back, "available index too far ahead"),
	FAULT(loop_of_one, "loop in a descriptor chain"),
	FAULT(loop_of_two, "loop in a descriptor chain"),
	FAULT(loop_of_all, "loop in a descriptor chain"),
	FAULT(loop_of_empty_elements, "loop in a descriptor chain"),
	FAULT(loop_in_a_table, "loop in a descriptor chain"),
	FAULT(next_outside, "next descriptor outside the table"),
	FAULT(next_outside_table, "next descriptor outside the table"),
	FAULT(table_not_negotiated, "indirect descriptor without the feature"),
	FAULT(table_in_a_table, "indirect descriptor in an indirect table"),
	FAULT(table_with_next, "indirect descriptor with a next one"),
	FAULT(table_of_length_0, "bad length of an indirect table"),
	FAULT(table_of_length_8, "bad length of an indirect table"),
	FAULT(table_of_length_24, "bad length of an indirect table"),
	FAULT(table_unmapped, "indirect table outside guest memory"),
	FAULT(table_beyond_the_end, "indirect table outside guest memory"),
	FAULT(table_wraps, "indirect table outside guest memory"),
	FAULT(table_of_4_gib, "indirect table outside guest memory"),
	FAULT(chain_too_long, "descriptor chain too long"),
	FAULT(chain_too_long_with_direct_ones, "descriptor chain too long"),
	FAULT(more_chains_than_descriptors, "more chains than descriptors"),
	FAULT(ring_left_memory, "ring outside guest memory"),
	FAULT(memory_is_gone, "ring outside guest memory"),
	FAULT(memory_was_truncated, "guest memory vanished"),
};

#define FAULTS (sizeof(faults) / sizeof(faults[0]))

/* Nothing moves any more, and nothing is touched. */
static void expect_dead(struct fixture *f, struct vq_chain *held, const char *error)
{
	struct vsnd_queue_setup setup = ring_setup(&f->r);
	struct vq_chain c = { .id = 12345 };
	uint16_t used = ring_device_used_idx(&f->r);
	uint8_t byte;

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(vq_pop(f->q, &c), -EPROTO);
		assert_int_equal(c.id, 12345);
		assert_true(vq_dead(f->q));
		assert_string_equal(vq_error(f->q), error);
	}
	assert_int_equal(vq_read(f->q, &held->readable, &byte, 1), 0);
	assert_int_equal(vq_write(f->q, &held->writable, &byte, 1), 0);
	assert_int_equal(vq_zero(f->q, &held->writable, 1), 0);
	assert_int_equal(vq_skip(f->q, &held->writable, 1), 1);
	assert_false(vq_want_kicks(f->q, true));
	assert_false(vq_want_kicks(f->q, false));
	assert_false(vq_noticed(f->q, vq_used_idx(f->q)));
	vq_push(f->q, held, 4);
	assert_false(vq_publish(f->q));
	assert_int_equal(ring_device_used_idx(&f->r), used);
	setup.base = vq_base(f->q);
	assert_int_equal(vq_restart(f->q, f->m, &setup, INDIRECT), -EINVAL);
	vq_set_mem(f->q, f->m);
	assert_true(vq_dead(f->q));
}

static void ring_breaks(void **state)
{
	const struct fault *fault = *state;
	struct vsnd_queue_setup setup;
	struct vsnd_mem_region region;
	struct vq_chain c, held;
	struct ring_buf b[2];
	struct fixture f;

	fixture_open(&f, SIZE, INDIRECT, 0xfffe);
	b[0] = element(&f, 4, false);
	b[1] = element(&f, 4, true);
	for (unsigned i = 0; i < 2; i++) {
		ring_post(&f.r, b, 2);
		c = expect_chain(&f);
		assert_false(c.bad);
		if (i == 0) {
			vq_push(f.q, &c, 4);
			vq_publish(f.q);
			expect_used(&f, (int)c.id, 4);
		}
	}
	held = c;
	assert_false(vq_dead(f.q));
	assert_null(vq_error(f.q));
	fault->make(&f);
	expect_dead(&f, &held, fault->error);

	/* A ring set up afresh at the same place works. */
	vq_free(f.q);
	mem_free(f.m);
	ring_fini(&f.r);
	region = guest_region(&f.g);
	assert_int_equal(mem_create(&region, 1, &f.m), 0);
	ring_init(&f.r, &f.g, SIZE, INDIRECT, 0);
	setup = ring_setup(&f.r);
	assert_int_equal(vq_start(f.m, &setup, INDIRECT, &f.q), 0);
	ring_post(&f.r, b, 2);
	c = expect_chain(&f);
	assert_false(c.bad);
	fixture_close(&f);
}

/* The end of guest memory, and what a status there gets. */
#define END (GUEST_GPA + GUEST_SIZE)

struct bad_message {
	const char *name;
	struct ring_buf b[4];
	unsigned n;
	/* The last 8 bytes of the writable part: how many can be written. */
	size_t status;
};

#define R(where, bytes) { .gpa = where, .len = bytes }
#define W(where, bytes) { .gpa = where, .len = bytes, .writable = true }
#define GOOD (GUEST_GPA + 0x800000)

static const struct bad_message bad_messages[] = {
	{ "readable_unmapped", { R(0x1000, 4), W(GOOD, 8) }, 2, 8 },
	{ "readable_ends_a_byte_late", { R(END - 3, 4), W(GOOD, 8) }, 2, 8 },
	{ "readable_starts_a_byte_early", { R(GUEST_GPA - 1, 4), W(GOOD, 8) }, 2, 8 },
	{ "readable_wraps", { R(UINT64_MAX - 1, 4), W(GOOD, 8) }, 2, 8 },
	{ "readable_wraps_into_memory", { R(UINT64_MAX, 0xffffffff), W(GOOD, 8) }, 2, 8 },
	{ "second_readable_unmapped", { R(GOOD, 4), R(END, 1), W(GOOD, 8) }, 3, 8 },
	{ "writable_unmapped_before_status", { R(GOOD, 4), W(END, 100), W(GOOD, 8) }, 3, 8 },
	{ "writable_unmapped_after_status", { R(GOOD, 4), W(GOOD, 8), W(END, 8) }, 3, 0 },
	{ "status_unmapped", { R(GOOD, 4), W(END, 8) }, 2, 0 },
	{ "status_ends_a_byte_late", { R(GOOD, 4), W(END - 7, 8) }, 2, 0 },
	{ "status_half_unmapped", { R(GOOD, 4), W(GOOD, 4), W(END, 4) }, 3, 4 },
	{ "status_wraps", { R(GOOD, 4), W(UINT64_MAX, 8) }, 2, 0 },
	{ "writable_before_readable", { W(GOOD, 8), R(GOOD, 1924) }, 2, 8 },
	{ "writable_between_readables", { R(GOOD, 4), W(GOOD, 8), R(GOOD, 4) }, 3, 8 },
	{ "readable_only_and_unmapped", { R(END, 4) }, 1, 0 },
};

#define BAD_MESSAGES (sizeof(bad_messages) / sizeof(bad_messages[0]))

static void expect_good(struct fixture *f)
{
	struct ring_buf b[2] = { R(GOOD, 4), W(GOOD, 8) };
	struct vq_chain c;
	int head = ring_post(&f->r, b, 2);

	c = expect_chain(f);
	assert_false(c.bad);
	vq_push(f->q, &c, 8);
	vq_publish(f->q);
	expect_used(f, head, 8);
}

static void message_is_bad(void **state)
{
	const struct bad_message *m = *state;
	uint64_t readable = 0, writable = 0;
	struct vq_chain c;
	struct fixture f;
	int head;

	fixture_open(&f, SIZE, INDIRECT, 0);
	for (unsigned i = 0; i < m->n; i++)
		*(m->b[i].writable ? &writable : &readable) += m->b[i].len;
	for (unsigned i = 0; i < 4; i++) {
		expect_good(&f);
		memset(f.g.host + GUEST_SIZE - 0x1000, GUEST_POISON, 0x1000);
		head = i % 2 ? ring_add_indirect(&f.r, m->b, m->n)
			     : ring_add(&f.r, m->b, m->n);
		ring_show(&f.r);
		c = expect_chain(&f);
		assert_true(c.bad);
		assert_int_equal(c.id, head);
		assert_int_equal(c.readable.left, readable);
		assert_int_equal(c.writable.left, writable);
		if (writable > 8)
			vq_skip(f.q, &c.writable, writable - 8);
		assert_int_equal(vq_zero(f.q, &c.writable, 8), m->status);
		/* Nothing of a half mapped piece was written. */
		for (unsigned k = 1; k < 8; k++)
			assert_int_equal(f.g.host[GUEST_SIZE - k], GUEST_POISON);
		vq_push(f.q, &c, 0);
		vq_publish(f.q);
		expect_used(&f, head, 0);
	}
	expect_good(&f);
	fixture_close(&f);
}

/* What is there of a bad message's readable part can be read. */
static void bad_messages_are_read_as_far_as_they_go(void **state)
{
	struct ring_buf b[] = { W(GOOD, 8), R(GOOD + 0x100, 4), R(END, 10), R(GOOD + 0x200, 4) };
	struct vq_chain c;
	struct fixture f;
	uint8_t got[8];

	(void)state;
	fixture_open(&f, SIZE, 0, 0);
	memcpy(guest_ptr(&f.g, GOOD + 0x100), "abcd", 4);
	memcpy(guest_ptr(&f.g, GOOD + 0x200), "wxyz", 4);
	ring_post(&f.r, b, 4);
	c = expect_chain(&f);
	assert_true(c.bad);
	assert_int_equal(vq_read(f.q, &c.readable, got, 8), 4);
	assert_memory_equal(got, "abcd", 4);
	assert_int_equal(vq_read(f.q, &c.readable, got, 8), 0);
	assert_int_equal(vq_skip(f.q, &c.readable, 12), 12);
	assert_int_equal(vq_read(f.q, &c.readable, got, 8), 2);
	assert_memory_equal(got, "yz", 2);
	fixture_close(&f);
}

/* 2^32 bytes are a message, one more is too much.  8 GiB that nobody touches. */
static void more_than_4_gib(void **state)
{
	uint64_t big = UINT64_C(8) << 30;
	struct vsnd_mem_region regions[2] = { { .gpa = UINT64_C(1) << 40, .size = big } };
	uint64_t at = regions[0].gpa;
	struct ring_buf b[3] = { R(at, 0x80000000), R(at, 0x7ffffff8), W(at, 8) };
	struct vq_chain c;
	struct fixture f;

	(void)state;
	regions[0].host = mmap(NULL, big, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			       -1, 0);
	if (regions[0].host == MAP_FAILED)
		skip();
	fixture_open(&f, SIZE, INDIRECT, 0);
	regions[1] = guest_region(&f.g);
	mem_free(f.m);
	assert_int_equal(mem_create(regions, 2, &f.m), 0);
	vq_set_mem(f.q, f.m);

	for (unsigned i = 0; i < 3; i++) {
		static const uint32_t last[] = { 8, 9, 0xffffffff };

		b[2].len = last[i];
		if (i == 2)
			b[0].len = b[1].len = 0x90000000;
		ring_post(&f.r, b, 3);
		c = expect_chain(&f);
		assert_int_equal(c.bad, i > 0);
		assert_int_equal(c.readable.left, (uint64_t)b[0].len + b[1].len);
		assert_int_equal(c.writable.left, b[2].len);
		vq_push(f.q, &c, 0);
		vq_publish(f.q);
	}
	munmap(regions[0].host, big);
	fixture_close(&f);
}

/* A good message whose memory is taken away while it waits. */
static void good_message_becomes_unmapped(void **state)
{
	struct ring_buf b[2] = { R(END - 8, 8), W(GOOD, 8) };
	struct vsnd_mem_region region;
	struct vq_chain c;
	struct fixture f;
	struct mem *less;
	uint8_t got[8];

	(void)state;
	fixture_open(&f, SIZE, 0, 0);
	ring_post(&f.r, b, 2);
	c = expect_chain(&f);
	assert_false(c.bad);
	region = guest_region(&f.g);
	region.size -= 4;
	assert_int_equal(mem_create(&region, 1, &less), 0);
	vq_set_mem(f.q, less);
	assert_int_equal(vq_read(f.q, &c.readable, got, 8), 4);
	assert_int_equal(c.readable.left, 4);
	assert_int_equal(vq_read(f.q, &c.readable, got, 8), 0);
	assert_int_equal(vq_zero(f.q, &c.writable, 8), 8);

	vq_set_mem(f.q, f.m);
	assert_int_equal(vq_read(f.q, &c.readable, got, 8), 4);
	vq_push(f.q, &c, 8);
	vq_publish(f.q);
	expect_used(&f, (int)c.id, 8);
	mem_free(less);
	fixture_close(&f);
}

static struct mem *truncated_mem;

static void on_sigbus(int sig, siginfo_t *info, void *ctx)
{
	(void)sig;
	(void)ctx;
	if (!mem_fault(truncated_mem, info->si_addr))
		_exit(99);
}

/* A front-end truncates guest memory; the next access is to data, or to the ring. */
static void front_end_truncates(bool ring_too)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO }, old;
	size_t size = 1 << 20;
	int fd = memfd_create("guest", 0);
	struct fixture f = { .g = { .gpa = GUEST_GPA, .size = size } };
	struct vsnd_mem_region region;
	struct vsnd_queue_setup setup;
	struct ring_buf b;
	struct vq_chain c;
	uint8_t got[4];

	assert_true(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
	f.g.host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(f.g.host != MAP_FAILED);
	region = guest_region(&f.g);
	assert_int_equal(mem_create(&region, 1, &f.m), 0);
	ring_init(&f.r, &f.g, SIZE, 0, 0);
	setup = ring_setup(&f.r);
	assert_int_equal(vq_start(f.m, &setup, 0, &f.q), 0);
	b = (struct ring_buf)R(GUEST_GPA + size - 4, 4);
	ring_post(&f.r, &b, 1);
	c = expect_chain(&f);

	truncated_mem = f.m;
	assert_int_equal(sigaction(SIGBUS, &sa, &old), 0);
	assert_int_equal(ftruncate(fd, ring_too ? 0 : 0x10000), 0);
	if (ring_too) {
		vq_push(f.q, &c, 0);
		vq_publish(f.q);
	} else {
		assert_int_equal(vq_read(f.q, &c.readable, got, 4), 4);
		assert_memory_equal(got, "\0\0\0", 4);
	}
	assert_int_equal(vq_pop(f.q, &c), -EPROTO);
	assert_string_equal(vq_error(f.q), "guest memory vanished");
	sigaction(SIGBUS, &old, NULL);
	close(fd);
	fixture_close(&f);
}

static void data_is_truncated(void **state)
{
	(void)state;
	front_end_truncates(false);
}

static void ring_is_truncated(void **state)
{
	(void)state;
	front_end_truncates(true);
}

int main(void)
{
	struct CMUnitTest tests[FAULTS + BAD_MESSAGES] = { { .name = NULL } };
	const struct CMUnitTest others[] = {
		cmocka_unit_test(bad_messages_are_read_as_far_as_they_go),
		cmocka_unit_test(more_than_4_gib),
		cmocka_unit_test(good_message_becomes_unmapped),
		cmocka_unit_test(data_is_truncated),
		cmocka_unit_test(ring_is_truncated),
	};

	for (size_t i = 0; i < FAULTS; i++)
		tests[i] = (struct CMUnitTest){
			.name = faults[i].name,
			.test_func = ring_breaks,
			.initial_state = (void *)(uintptr_t)&faults[i],
		};
	for (size_t i = 0; i < BAD_MESSAGES; i++)
		tests[FAULTS + i] = (struct CMUnitTest){
			.name = bad_messages[i].name,
			.test_func = message_is_bad,
			.initial_state = (void *)(uintptr_t)&bad_messages[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL) +
	       cmocka_run_group_tests(others, NULL, NULL);
}
