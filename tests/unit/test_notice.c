/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest that looks late is not lost: the last message of a full buffer waits
 * for the driver, and for nothing else.
 */
#include "device_fixture.h"

#define FRAME 4u
#define PERIOD 480u
#define BYTES (PERIOD * FRAME)

static uint8_t heard[1 << 16];

/* A stream of two periods with both queued, and the driver's habits. */
static void open_full_buffer(struct device *d, uint64_t features, struct sent s[2])
{
	uint8_t in = 0;

	device_open(d, features, 64);
	run(d, 0, 2);
	for (unsigned i = 0; i < 2; i++)
		s[i] = send_bytes(d, VSND_TXQ, 0, BYTES, &in);
	play(d, 0, heard, PERIOD, -(int)PERIOD);
}

static bool done(struct device *d)
{
	return ring_has_used(&d->ring[VSND_TXQ]);
}

/* Cycles until there is a used entry; the time that took in ms. */
static unsigned wait_ms(struct device *d, unsigned limit_ms)
{
	unsigned ms;

	for (ms = 0; ms < limit_ms && !done(d); ms++)
		play(d, 0, heard, 48, -48);
	return ms;
}

static void collect(struct device *d, const struct sent *s)
{
	expect_done(d, VSND_TXQ, s, OK, 0);
	ring_want_interrupts(&d->ring[VSND_TXQ], true);
}

/* The driver is frozen with its VM: nothing is completed however long that takes. */
static void frozen_driver(void **state)
{
	struct sent s[2];
	struct device d;

	(void)state;
	open_full_buffer(&d, EVENT_IDX, s);
	assert_true(done(&d));
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(play(&d, 0, heard, PERIOD, -(int)PERIOD), i == 0 ? PERIOD : 0);
		assert_int_equal(ring_device_used_idx(&d.ring[VSND_TXQ]), 1);
	}
	assert_true(d.host->again_ns > 0);
	/* It thaws, looks, and after a while the rest follows. */
	collect(&d, &s[0]);
	assert_in_range(wait_ms(&d, 1000), 20, 25);
	collect(&d, &s[1]);
	assert_int_equal(d.host->again_ns, -1);
	device_close(&d);
}

/* The driver sends another message: it has looked. */
static void new_message(void **state)
{
	struct sent s[3];
	uint8_t in = 0;
	struct device d;

	(void)state;
	open_full_buffer(&d, EVENT_IDX, s);
	collect(&d, &s[0]);
	play(&d, 0, heard, PERIOD, -(int)PERIOD);
	play(&d, 0, heard, 48, -48);
	assert_false(done(&d));
	s[2] = send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	play(&d, 0, heard, 1, -1);
	collect(&d, &s[1]);
	assert_false(done(&d));
	device_close(&d);
}

/* A driver that keeps up is never kept waiting. */
static void steady_driver(void **state)
{
	struct sent s[2];
	uint8_t in = 0;
	struct device d;

	(void)state;
	open_full_buffer(&d, EVENT_IDX, s);
	for (unsigned i = 0; i < 100; i++) {
		collect(&d, &s[i % 2]);
		s[i % 2] = send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
		assert_int_equal(play(&d, 0, heard, PERIOD, -(int)PERIOD), PERIOD);
		assert_true(done(&d));
		assert_int_equal(d.host->again_ns, -1);
	}
	device_close(&d);
}

/* Less than a buffer outstanding is not dangerous: one period is done on time. */
static void short_sound(void **state)
{
	uint8_t in = 0;
	struct sent s;
	struct device d;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 0, 4);
	for (unsigned i = 0; i < 3; i++) {
		s = send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
		play(&d, 0, heard, PERIOD, -(int)PERIOD);
		assert_true(done(&d));
		expect_done(&d, VSND_TXQ, &s, OK, 0);
	}
	device_close(&d);
}

/* A drain of a full buffer of several periods ends on time: the first were noticed. */
static void drain_on_time(void **state)
{
	struct sent s[8];
	uint8_t in = 0;
	struct device d;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 0, 8);
	for (unsigned i = 0; i < 8; i++)
		s[i] = send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	for (unsigned i = 0; i < 8; i++) {
		play(&d, 0, heard, PERIOD, -(int)PERIOD);
		collect(&d, &s[i]);
	}
	device_close(&d);
}

/* A driver that never tells what it saw gets the time of a buffer, then its drain ends. */
static void blind_driver(void **state)
{
	struct sent s[2];
	struct device d;

	(void)state;
	open_full_buffer(&d, 0, s);
	expect_done(&d, VSND_TXQ, &s[0], OK, 0);
	play(&d, 0, heard, PERIOD, -(int)PERIOD);
	assert_false(done(&d));
	assert_in_range(wait_ms(&d, 1000), 95, 105);
	expect_done(&d, VSND_TXQ, &s[1], OK, 0);
	device_close(&d);
}

/* One message of a whole buffer, nothing before it: done when it is played. */
static void message_of_a_buffer(void **state)
{
	uint8_t in = 0;
	struct sent s;
	struct device d;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 0, 2);
	s = send_bytes(&d, VSND_TXQ, 0, 2 * BYTES, &in);
	play(&d, 0, heard, 2 * PERIOD, -(int)(2 * PERIOD));
	collect(&d, &s);
	device_close(&d);
}

/* Each message is a whole buffer: that the driver sends one shows that it saw the one before. */
static void buffer_of_one_period(void **state)
{
	uint8_t in = 0;
	struct sent s;
	struct device d;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 0, 1);
	for (unsigned i = 0; i < 10; i++) {
		s = send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
		assert_int_equal(play(&d, 0, heard, PERIOD, -(int)PERIOD), PERIOD);
		collect(&d, &s);
	}
	device_close(&d);
}

/* STOP keeps the message, RELEASE gives it back. */
static void held_over_stop(void **state)
{
	struct sent s[2];
	struct device d;

	(void)state;
	open_full_buffer(&d, EVENT_IDX, s);
	play(&d, 0, heard, PERIOD, -(int)PERIOD);
	collect(&d, &s[0]);
	assert_int_equal(command(&d, STOP, 0), OK);
	assert_false(done(&d));
	assert_int_equal(command(&d, RELEASE, 0), OK);
	collect(&d, &s[1]);
	device_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frozen_driver),
		cmocka_unit_test(new_message),
		cmocka_unit_test(steady_driver),
		cmocka_unit_test(short_sound),
		cmocka_unit_test(drain_on_time),
		cmocka_unit_test(blind_driver),
		cmocka_unit_test(message_of_a_buffer),
		cmocka_unit_test(buffer_of_one_period),
		cmocka_unit_test(held_over_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
