/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When frames go to a sound card, with a card that is a few numbers and a time that is
 * ours: its clock is off, its position jumps, it has no clock, its poll lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audio/alsa_flow.h"

#define RATE 48000
#define MS INT64_C(1000000)
#define S (1000 * MS)
#define T0 (1000 * S)

struct card {
	int64_t ppm;
	int64_t jump;		/* 0: its position does not */
	int64_t buffer;
	bool no_clock;
	bool talks;		/* poll() says that it is ready, whenever it is asked */

	int64_t start_ns;
	int64_t written, units;
	int64_t last_ns, nearest_ns;	/* the unit before, the shortest time between two */
	unsigned looks, xruns;
};

/* Frames that are still to be played. */
static int64_t level(const struct card *c, int64_t now_ns)
{
	int64_t played = (now_ns - c->start_ns) * (1000000 + c->ppm) / 1000000 * RATE / S;

	if (c->no_clock)
		return 0;
	if (c->jump)
		played -= played % c->jump;
	return c->written - played;
}

/* What was waited for: the time, or the card. */
static int64_t woken_ns(const struct card *c, const struct flow *f, const struct flow_wait *w,
		int64_t now_ns, bool *ret_heard)
{
	*ret_heard = false;
	if (w->listen && c->talks) {
		*ret_heard = true;
		return now_ns + 1000;
	}
	/* As the kernel does, at the moment when there is room. */
	for (int64_t at = now_ns; w->listen && at < w->until_ns; at += 50000) {
		if ((int64_t)f->fill - level(c, at) < f->unit)
			continue;
		*ret_heard = true;
		return at > now_ns ? at : now_ns + 1000;
	}
	return w->until_ns > now_ns ? w->until_ns : now_ns + 1000;
}

/* Until @end_ns, a thread that is late by @late_ns at each 97th look. */
static void play(struct card *c, struct flow *f, int64_t end_ns, int64_t late_ns)
{
	struct flow_wait w;
	bool heard = false;
	int64_t now_ns = c->start_ns;

	while (now_ns < end_ns) {
		int64_t at = level(c, now_ns), ready = (int64_t)f->fill - at;

		c->looks++;
		if (at < 0) {
			c->xruns++;
			c->written -= at;
			ready = f->fill;
		}
		if (flow_turn(f, now_ns, ready, heard, &w)) {
			if (c->units > 0 && now_ns - c->last_ns < c->nearest_ns)
				c->nearest_ns = now_ns - c->last_ns;
			c->last_ns = now_ns;
			c->units++;
			c->written += f->unit;
			flow_moved(f, now_ns, c->no_clock ? c->buffer : ready,
				c->no_clock ? c->buffer : ready - f->unit,
				(int64_t)f->fill - level(c, now_ns), &w);
		}
		now_ns = woken_ns(c, f, &w, now_ns, &heard);
		if (c->looks % 97 == 0)
			now_ns += late_ns;
	}
}

static void start(struct card *c, struct flow *f, uint32_t unit, uint32_t period)
{
	flow_init(f, RATE, unit, period, (uint32_t)c->buffer);
	flow_start(f, T0);
	c->start_ns = T0;
	c->written = f->fill - f->unit;
	c->nearest_ns = S;
}

static void test_the_cards_clock_paces(void **state)
{
	static const int64_t ppm[] = { 0, 300, -300, 5000, -5000 };

	(void)state;
	for (unsigned i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++) {
		struct card c = { .ppm = ppm[i], .buffer = 2880 };
		struct flow f;
		int64_t expected = 100 * (100 * (1000000 + ppm[i])) / 1000000;

		start(&c, &f, 480, 480);
		play(&c, &f, T0 + 100 * S, 0);
		assert_int_equal(c.xruns, 0);
		assert_in_range(c.units, expected - 1, expected + 1);
		/* One wake-up for each. */
		assert_in_range(c.looks, (uint64_t)c.units, (uint64_t)c.units + 3);
	}
}

static void test_a_late_thread_catches_up_at_double_pace(void **state)
{
	struct card c = { .buffer = 2880 };
	struct flow f;

	(void)state;
	start(&c, &f, 480, 480);
	play(&c, &f, T0 + 60 * S, 19 * MS);
	assert_int_equal(c.xruns, 0);
	assert_in_range(c.units, 5999, 6001);
	assert_in_range(c.nearest_ns, 5 * MS, 10 * MS);
}

static void test_short_units(void **state)
{
	struct card c = { .buffer = 1152 };
	struct flow f;

	(void)state;
	start(&c, &f, 48, 48);
	play(&c, &f, T0 + 10 * S, 9 * MS);
	assert_int_equal(c.xruns, 0);
	assert_in_range(c.units, 9980, 10001);
}

/* Its position jumps by far more than a unit: they move evenly all the same. */
static void test_a_coarse_card(void **state)
{
	struct card c = { .buffer = 4 * 4096, .jump = 4096 };
	struct flow f;

	(void)state;
	start(&c, &f, 480, 4096);
	play(&c, &f, T0 + 60 * S, 0);
	assert_int_equal(c.xruns, 0);
	assert_in_range(c.units, 5980, 6010);
	assert_in_range(c.nearest_ns, 9900000, 10 * MS);
}

static void test_without_a_clock_the_time_is_one(void **state)
{
	struct card c = { .buffer = 2880, .no_clock = true, .talks = true };
	struct flow f;

	(void)state;
	start(&c, &f, 480, 480);
	play(&c, &f, T0 + 100 * S, 30 * MS);
	/* The first is on trust, and 1 in 128 too long. */
	assert_in_range(c.units, 9999, 10002);
	assert_in_range(c.looks, (uint64_t)c.units, 2 * (uint64_t)c.units);
}

static void test_a_card_that_calls_too_early_is_not_listened_to(void **state)
{
	struct card c = { .buffer = 2880, .talks = true };
	struct flow f;

	(void)state;
	start(&c, &f, 480, 480);
	play(&c, &f, T0 + 10 * S, 0);
	assert_int_equal(c.xruns, 0);
	assert_in_range(c.units, 999, 1001);
	assert_in_range(c.looks, 1000, 4000);
}

static void test_what_was_not_moved_is_not_made_up_for_for_ever(void **state)
{
	struct flow f;
	struct flow_wait w;
	unsigned at_once = 0;

	(void)state;
	flow_init(&f, RATE, 480, 480, 48000);
	flow_start(&f, T0);
	/* The device was away for a minute, and has room for all that. */
	for (int64_t now_ns = T0 + 60 * S; now_ns < T0 + 60 * S + 100 * MS; now_ns += MS / 2) {
		if (!flow_turn(&f, now_ns, 48000, false, &w))
			continue;
		flow_moved(&f, now_ns, 48000, 47520, 47520, &w);
		at_once++;
	}
	assert_in_range(at_once, 14, 16);
}

static void test_a_tiny_buffer(void **state)
{
	struct flow f;

	(void)state;
	flow_init(&f, RATE, 480, 4000, 2);
	assert_int_equal(f.unit, 1);
	assert_int_equal(f.fill, 2);
	flow_init(&f, RATE, 480, 64, 128);
	assert_int_equal(f.unit, 64);
	assert_int_equal(f.fill, 128);
	assert_in_range(flow_buffer_wanted(RATE, 480, 960), 2 * (2 * 480 + 480), 4000);
	assert_int_equal(flow_buffer_wanted(RATE, 480, 48000), 48000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_cards_clock_paces),
		cmocka_unit_test(test_a_late_thread_catches_up_at_double_pace),
		cmocka_unit_test(test_short_units),
		cmocka_unit_test(test_a_coarse_card),
		cmocka_unit_test(test_without_a_clock_the_time_is_one),
		cmocka_unit_test(test_a_card_that_calls_too_early_is_not_listened_to),
		cmocka_unit_test(test_what_was_not_moved_is_not_made_up_for_for_ever),
		cmocka_unit_test(test_a_tiny_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
