/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is woken when: the SPL-UNS and SPL-ANS rules of the specification. */
#include "vq_fixture.h"

/* Use one message more, without making it visible. */
static void use_one(struct fixture *f)
{
	struct ring_buf b = { .gpa = GUEST_GPA, .len = 1, .writable = true };
	struct vq_chain c;

	assert_true(ring_post(&f->r, &b, 1) >= 0);
	c = expect_chain(f);
	vq_push(f->q, &c, 0);
}

/* Make it visible and take it.  True if the driver was notified. */
static bool show_used(struct fixture *f)
{
	struct ring_used used;
	bool notified = vq_publish(f->q);

	while (ring_collect(&f->r, &used))
		;
	return notified;
}

static bool complete_one(struct fixture *f)
{
	use_one(f);
	return show_used(f);
}

/* Without EVENT_IDX: used_event says nothing, bit 0 of the flags all. */
static void uns_flags(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, 64, 0, 0);
	ring_set_used_event(&f.r, 0x7fff);
	for (unsigned i = 0; i < 100; i++)
		assert_true(complete_one(&f));
	ring_set_avail_flags(&f.r, 1);
	ring_set_used_event(&f.r, 100);
	for (unsigned i = 0; i < 100; i++)
		assert_false(complete_one(&f));
	ring_set_avail_flags(&f.r, 0xfffe);
	assert_true(complete_one(&f));
	ring_set_avail_flags(&f.r, 0xffff);
	assert_false(complete_one(&f));
	ring_set_avail_flags(&f.r, 0);
	assert_true(complete_one(&f));
	assert_false(vq_publish(f.q));
	fixture_close(&f);
}

/* With EVENT_IDX: exactly when the entry at used_event is written. */
static void uns_event_idx(void **state)
{
	struct fixture f;
	uint16_t base = 0xffc0;

	(void)state;
	fixture_open(&f, 64, EVENT_IDX, base);
	ring_set_avail_flags(&f.r, 1);
	for (unsigned round = 0; round < 100; round++) {
		uint16_t from = vq_used_idx(f.q);

		ring_set_used_event(&f.r, (uint16_t)(from + 4));
		for (unsigned i = 0; i < 8; i++)
			assert_int_equal(complete_one(&f), i == 4);
	}
	for (unsigned at = 0; at < 10; at++) {
		uint16_t from = vq_used_idx(f.q);

		ring_set_used_event(&f.r, (uint16_t)(from + at));
		for (unsigned i = 0; i < 8; i++)
			use_one(&f);
		assert_int_equal(show_used(&f), at < 8);
	}
	/* The entry before the batch was written long ago. */
	ring_set_used_event(&f.r, (uint16_t)(vq_used_idx(f.q) - 1));
	assert_false(complete_one(&f));
	ring_set_used_event(&f.r, (uint16_t)(vq_used_idx(f.q) + 0x7000));
	for (unsigned i = 0; i < 100; i++)
		assert_false(complete_one(&f));
	fixture_close(&f);
}

static void uns_event_idx_crosses_zero(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, 64, EVENT_IDX, 0xfffd);
	ring_set_used_event(&f.r, 1);
	assert_false(complete_one(&f));		/* 0xfffd */
	assert_false(complete_one(&f));
	assert_false(complete_one(&f));
	assert_false(complete_one(&f));		/* 0 */
	assert_true(complete_one(&f));		/* 1 */
	assert_false(complete_one(&f));
	fixture_close(&f);

	fixture_open(&f, 64, EVENT_IDX, 0xfffd);
	ring_set_used_event(&f.r, 0);
	for (unsigned i = 0; i < 8; i++)
		use_one(&f);
	assert_true(show_used(&f));
	fixture_close(&f);
}

/* used.flags is made valid at the start, whatever the driver left there. */
static void ans_flags_at_start(void **state)
{
	struct vsnd_queue_setup setup;
	struct fixture f;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		fixture_open(&f, 64, i ? EVENT_IDX : 0, 77);
		setup = ring_setup(&f.r);
		ring_set_used_flags(&f.r, 0xffff);
		vq_free(f.q);
		assert_int_equal(vq_start(f.m, &setup, i ? EVENT_IDX : 0, &f.q), 0);
		assert_int_equal(ring_used_flags(&f.r), 0);
		if (i)
			assert_int_equal(ring_avail_event(&f.r), 77);
		fixture_close(&f);
	}
}

static bool driver_kicks(struct fixture *f)
{
	struct ring_buf b = { .gpa = GUEST_GPA, .len = 1, .writable = true };

	assert_true(ring_add(&f->r, &b, 1) >= 0);
	return ring_show(&f->r);
}

static void take_all(struct fixture *f)
{
	struct vq_chain c;
	int r;

	while ((r = vq_pop(f->q, &c)) == 1)
		vq_push(f->q, &c, 0);
	assert_int_equal(r, 0);
	show_used(f);
}

static void ans_flags(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, 64, 0, 0);
	assert_true(driver_kicks(&f));
	assert_true(vq_want_kicks(f.q, false));
	assert_int_equal(ring_used_flags(&f.r), 1);
	take_all(&f);
	for (unsigned i = 0; i < 10; i++) {
		assert_false(driver_kicks(&f));
		take_all(&f);
	}
	assert_false(vq_want_kicks(f.q, true));
	assert_int_equal(ring_used_flags(&f.r), 0);
	assert_true(driver_kicks(&f));
	assert_true(driver_kicks(&f));
	/* What came meanwhile is told; nobody kicks for it again. */
	assert_true(vq_want_kicks(f.q, true));
	take_all(&f);
	fixture_close(&f);
}

static void ans_event_idx(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, 64, EVENT_IDX, 0xfff0);
	assert_true(driver_kicks(&f));
	assert_false(driver_kicks(&f));
	take_all(&f);
	for (unsigned i = 0; i < 200; i++) {
		assert_false(vq_want_kicks(f.q, true));
		assert_int_equal(ring_avail_event(&f.r), vq_base(f.q));
		assert_int_equal(ring_used_flags(&f.r), 0);
		assert_true(driver_kicks(&f));
		assert_false(driver_kicks(&f));
		assert_true(vq_want_kicks(f.q, true));
		take_all(&f);
	}
	fixture_close(&f);
}

/* While kicks are unwanted there is none, not even for a full ring in one batch. */
static void ans_event_idx_unwanted(void **state)
{
	struct ring_buf b = { .gpa = GUEST_GPA, .len = 1, .writable = true };
	struct fixture f;

	(void)state;
	fixture_open(&f, 64, EVENT_IDX, 0);
	for (unsigned cycle = 0; cycle < 5000; cycle++) {
		unsigned n = cycle % 65;

		vq_want_kicks(f.q, false);
		assert_int_equal(ring_used_flags(&f.r), 0);
		for (unsigned i = 0; i < n; i++)
			assert_true(ring_add(&f.r, &b, 1) >= 0);
		/* The device may pop them before the driver asks whether to kick. */
		ring_set_avail_idx(&f.r, f.r.avail_idx);
		if (cycle % 2) {
			take_all(&f);
			vq_want_kicks(f.q, false);
		}
		assert_false(ring_show(&f.r));
		take_all(&f);
	}
	fixture_close(&f);
}

static void spurious_kicks_are_harmless(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, 64, EVENT_IDX, 0);
	for (unsigned i = 0; i < 10000; i++) {
		expect_none(&f);
		assert_false(vq_publish(f.q));
	}
	assert_false(ring_has_used(&f.r));
	fixture_close(&f);
}

/* used_event in [idx, used]: the driver has been here since idx. */
static void driver_has_noticed(void **state)
{
	struct fixture f;
	uint16_t idx;

	(void)state;
	fixture_open(&f, 64, EVENT_IDX, 0xfffe);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 4; i++)
			use_one(&f);
		vq_publish(f.q);
		idx = vq_used_idx(f.q);
		ring_set_used_event(&f.r, (uint16_t)(idx - 4));
		assert_false(vq_noticed(f.q, idx));
		assert_false(vq_noticed(f.q, (uint16_t)(idx - 3)));
		assert_true(vq_noticed(f.q, (uint16_t)(idx - 4)));
		ring_set_used_event(&f.r, idx);
		assert_true(vq_noticed(f.q, idx));
		assert_true(vq_noticed(f.q, (uint16_t)(idx - 4)));
		ring_set_used_event(&f.r, (uint16_t)(idx + 1));
		assert_false(vq_noticed(f.q, (uint16_t)(idx - 4)));
		show_used(&f);
	}
	fixture_close(&f);

	fixture_open(&f, 64, 0, 0);
	assert_false(vq_noticed(f.q, 0));
	fixture_close(&f);
}

/* Several pushes are one update of the index. */
static void pushes_show_when_published(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, 64, 0, 5);
	for (unsigned i = 0; i < 10; i++) {
		use_one(&f);
		assert_int_equal(ring_device_used_idx(&f.r), 5);
		assert_int_equal(vq_used_idx(f.q), 5);
	}
	assert_true(vq_publish(f.q));
	assert_int_equal(ring_device_used_idx(&f.r), 15);
	assert_int_equal(vq_used_idx(f.q), 15);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uns_flags),
		cmocka_unit_test(uns_event_idx),
		cmocka_unit_test(uns_event_idx_crosses_zero),
		cmocka_unit_test(ans_flags_at_start),
		cmocka_unit_test(ans_flags),
		cmocka_unit_test(ans_event_idx),
		cmocka_unit_test(ans_event_idx_unwanted),
		cmocka_unit_test(spurious_kicks_are_harmless),
		cmocka_unit_test(driver_has_noticed),
		cmocka_unit_test(pushes_show_when_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
