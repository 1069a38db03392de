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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
