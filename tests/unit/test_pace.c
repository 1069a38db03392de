/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clock of voices without a host clock (src/audio/pace_clock.h), with times
 * that the test makes up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audio/pace_clock.h"

#define MS INT64_C(1000000)
#define PLENTY SIZE_MAX

/* start + frames * 10^9 / rate, computed in a wider type. */
static int64_t exact_ns(int64_t start_ns, uint64_t frames, uint32_t rate_hz)
{
	__extension__ typedef unsigned __int128 wide;

	return start_ns + (int64_t)((wide)frames * 1000000000 / rate_hz);
}

static struct pace_clock clock_of(uint32_t rate_hz, uint32_t period, uint32_t buffer)
{
	struct pace_clock c;

	pace_clock_init(&c, rate_hz, period, buffer);
	pace_clock_start(&c, 0);
	return c;
}

/* Run for @s on time and hold every deadline against the exact one. */
static void run_exact(uint32_t rate_hz, uint32_t period, unsigned s)
{
	const int64_t start_ns = 123456789123;
	struct pace_clock c = clock_of(rate_hz, period, period * 4);
	uint64_t end = (uint64_t)rate_hz * s;
	uint64_t frames = 0;

	pace_clock_start(&c, start_ns);
	while (frames < end) {
		uint32_t some = pace_clock_frames(&c);
		int64_t now_ns = pace_clock_due(&c);

		if (some == 0 || now_ns != exact_ns(start_ns, frames + some, rate_hz))
			fail_msg("rate %u period %u: off after %llu frames", rate_hz, period,
				(unsigned long long)frames);
		assert_false(pace_clock_owes(&c, now_ns));
		assert_int_equal(pace_clock_turn(&c, now_ns, 0), some);
		frames += some;
	}
}

static void deadlines_are_exact_for_hours(void **state)
{
	(void)state;
	run_exact(44100, 441, 4 * 3600);
	run_exact(44100, 1021, 4 * 3600);
	run_exact(48000, 1024, 4 * 3600);
	run_exact(11025, 333, 4 * 3600);
	run_exact(96000, 100000, 4 * 3600);
	run_exact(5512, 7, 600);
	run_exact(5512, 110, 4 * 3600);
	run_exact(11025, 110, 4 * 3600);
	run_exact(384000, 96, 60);
}

/* Nothing wraps, however long a machine runs. */
static void deadlines_are_exact_after_a_century(void **state)
{
	struct pace_clock c = clock_of(384000, 999, 3996);

	(void)state;
	c.cycle = UINT64_C(384000) * 86400 * 36525 / 999;
	assert_true(pace_clock_deadline(&c) == exact_ns(0, (c.cycle + 1) * 999, 384000));
}

static void cut(uint32_t rate_hz, uint32_t period, uint32_t parts)
{
	struct pace_clock c = clock_of(rate_hz, period, period * 2);
	uint32_t sum = 0, least = UINT32_MAX, most = 0;

	assert_int_equal(c.parts, parts);
	for (uint32_t i = 0; i < parts; i++) {
		uint32_t some = pace_clock_frames(&c);

		sum += some;
		least = some < least ? some : least;
		most = some > most ? some : most;
		assert_int_equal(pace_clock_turn(&c, pace_clock_due(&c), 0), some);
	}
	assert_int_equal(sum, period);
	assert_true(most - least <= 1);
	assert_true(most <= rate_hz / 50);
}

static void long_periods_are_cut(void **state)
{
	(void)state;
	cut(48000, 12, 1);
	cut(48000, 960, 1);
	cut(48000, 961, 2);
	cut(48000, 4801, 6);
	cut(44100, 44100, 50);
	cut(11025, 11025, 51);
	cut(5512, UINT32_C(1) << 20, 9533);
}

/* Nobody gets more than a turn per quarter of a millisecond. */
static void short_periods_are_joined(void **state)
{
	struct pace_clock c = clock_of(48000, 1, 2);

	(void)state;
	assert_int_equal(pace_clock_frames(&c), 12);
	c = clock_of(48000, 5, 10);
	assert_int_equal(pace_clock_frames(&c), 15);
	c = clock_of(5512, 1, 2);
	assert_int_equal(pace_clock_frames(&c), 2);
}

static void a_late_turn_is_made_up_for_by_the_next(void **state)
{
	struct pace_clock c = clock_of(48000, 480, 1920);

	(void)state;
	assert_int_equal(pace_clock_turn(&c, 13 * MS, 0), 480);
	assert_true(pace_clock_due(&c) == 20 * MS);
	/* Late by less than a cycle: no debt, but never two turns in a hurry. */
	assert_int_equal(pace_clock_turn(&c, 27 * MS, 0), 480);
	assert_true(pace_clock_due(&c) == 32 * MS);
	assert_false(pace_clock_owes(&c, 32 * MS));
	assert_int_equal(pace_clock_turn(&c, 32 * MS, 0), 480);
	assert_true(pace_clock_due(&c) == 40 * MS);
}

static void a_debt_is_paid_at_half_cycles(void **state)
{
	struct pace_clock c = clock_of(48000, 480, 1920);
	int64_t now_ns = 65 * MS, before_ns = 0;
	unsigned turns = 0;

	(void)state;
	assert_true(pace_clock_owes(&c, now_ns));
	while (pace_clock_owes(&c, now_ns)) {
		assert_int_equal(pace_clock_turn(&c, now_ns, PLENTY), 480);
		assert_true(turns++ == 0 || now_ns - before_ns >= 5 * MS);
		before_ns = now_ns;
		now_ns = pace_clock_due(&c);
	}
	/* 55 ms late; each turn gains half a cycle.  Then exactly on time again. */
	assert_int_equal(turns, 11);
	assert_true(now_ns == 120 * MS);
	assert_true(pace_clock_deadline(&c) == 120 * MS);
	assert_int_equal(c.cycle, 11);
}

static void in_debt_no_silence_is_invented(void **state)
{
	struct pace_clock c = clock_of(48000, 480, 1920);

	(void)state;
	assert_int_equal(pace_clock_turn(&c, 35 * MS, 480), 480);
	assert_true(pace_clock_owes(&c, pace_clock_due(&c)));
	assert_int_equal(pace_clock_turn(&c, 40 * MS, 479), 0);
	/* The clock slipped: the guest has a cycle's time. */
	assert_false(pace_clock_owes(&c, 40 * MS));
	assert_true(pace_clock_due(&c) == 50 * MS);
	assert_int_equal(pace_clock_turn(&c, 50 * MS, 0), 480);
	assert_true(pace_clock_due(&c) == 60 * MS);
}

static void a_large_debt_is_forgiven(void **state)
{
	struct pace_clock c = clock_of(48000, 480, 1920);

	(void)state;
	assert_int_equal(pace_clock_turn(&c, 10 * MS + 101 * MS, PLENTY), 480);
	assert_false(pace_clock_owes(&c, pace_clock_due(&c)));
	assert_true(pace_clock_due(&c) == 121 * MS);

	/* Two buffers, where that is longer. */
	c = clock_of(48000, 480, 4800);
	assert_int_equal(pace_clock_turn(&c, 10 * MS + 199 * MS, PLENTY), 480);
	assert_true(pace_clock_owes(&c, pace_clock_due(&c)));
	assert_true(pace_clock_due(&c) == 214 * MS);
	c = clock_of(48000, 480, 4800);
	assert_int_equal(pace_clock_turn(&c, 10 * MS + 201 * MS, PLENTY), 480);
	assert_true(pace_clock_due(&c) == 221 * MS);
}

static void after_slipping_the_deadlines_stay_exact(void **state)
{
	struct pace_clock c = clock_of(44100, 1021, 4084);
	int64_t now_ns = 1000 * MS;
	uint64_t frames = 0;

	(void)state;
	pace_clock_turn(&c, now_ns, PLENTY);
	for (unsigned i = 0; i < 100000; i++) {
		int64_t exact = exact_ns(0, frames += pace_clock_frames(&c), 44100);

		/* The slip itself is a whole number of ns, so one may be lost to rounding. */
		assert_in_range(pace_clock_due(&c) - now_ns - exact + 1, 0, 2);
		pace_clock_turn(&c, pace_clock_due(&c), 0);
	}
}

static void neighbours_are_pulled_in_the_same_turn(void **state)
{
	struct pace_clock c = clock_of(48000, 480, 1920);

	(void)state;
	assert_false(pace_clock_is_due(&c, 10 * MS - PACE_SHARE_NS - 1));
	assert_true(pace_clock_is_due(&c, 10 * MS - PACE_SHARE_NS));
	/* Pulled early, the next deadline stays where it is. */
	pace_clock_turn(&c, 10 * MS - PACE_SHARE_NS, 0);
	assert_true(pace_clock_due(&c) == 20 * MS);
	/* A tiny cycle is not pulled a whole one early. */
	c = clock_of(48000, 4, 16);
	assert_false(pace_clock_is_due(&c, pace_clock_deadline(&c) / 2));
}

static void a_restart_has_a_new_origin(void **state)
{
	struct pace_clock c = clock_of(48000, 480, 1920);

	(void)state;
	pace_clock_turn(&c, 500 * MS, PLENTY);
	pace_clock_start(&c, 700 * MS);
	assert_false(pace_clock_owes(&c, 710 * MS));
	assert_true(pace_clock_due(&c) == 710 * MS);
}

/* A cycle is a period, or as many as 10 ms and a quarter of the buffer have room for. */
static void short_periods_are_gathered(void **state)
{
	static const struct {
		uint32_t period, buffer, cycle;
	} of[] = {
		{ 480, 1920, 480 }, { 1024, 4096, 1024 }, { 96, 384, 96 }, { 48, 96, 48 },
		{ 96, 1536, 384 }, { 48, 768, 192 }, { 48, 1920, 480 }, { 48, 48000, 480 },
		{ 50, 5000, 450 }, { 480, 48000, 480 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		assert_int_equal(pace_cycle_frames(48000, of[i].period, of[i].buffer), of[i].cycle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadlines_are_exact_for_hours),
		cmocka_unit_test(deadlines_are_exact_after_a_century),
		cmocka_unit_test(long_periods_are_cut),
		cmocka_unit_test(short_periods_are_joined),
		cmocka_unit_test(a_late_turn_is_made_up_for_by_the_next),
		cmocka_unit_test(a_debt_is_paid_at_half_cycles),
		cmocka_unit_test(in_debt_no_silence_is_invented),
		cmocka_unit_test(a_large_debt_is_forgiven),
		cmocka_unit_test(after_slipping_the_deadlines_stay_exact),
		cmocka_unit_test(neighbours_are_pulled_in_the_same_turn),
		cmocka_unit_test(a_restart_has_a_new_origin),
		cmocka_unit_test(short_periods_are_gathered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
