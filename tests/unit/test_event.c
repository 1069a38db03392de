/* SPDX-License-Identifier: BSD-3-Clause */
/* The event queue: its buffers, when it is looked at, and xruns. */
#include "device_fixture.h"

static void all_features(struct vsnd_settings *s, struct vsnd_stream_settings *streams)
{
	for (unsigned i = 0; i < s->streams; i++)
		streams[i].features = i == 2 ? 0 : VSND_STREAM_EVT_XRUNS;
}

static void open_events(struct device *d, uint64_t features)
{
	device_tweak = all_features;
	device_open(d, features, 16);
}

static void bad_buffers_go_back_empty(void **state)
{
	struct device d;
	struct ring_used used;
	uint64_t gpa, good;

	(void)state;
	open_events(&d, EVENT_IDX);
	gpa = guest_alloc(&d.g, 64, 8);
	post_event(&d, 4);
	const struct ring_buf readable[] = { { gpa, 8, false }, { gpa + 8, 8, true } };
	ring_post(&d.ring[VSND_EVENTQ], readable, 2);
	const struct ring_buf outside = { GUEST_GPA + GUEST_SIZE, 8, true };
	ring_post(&d.ring[VSND_EVENTQ], &outside, 1);
	const struct ring_buf nothing = { gpa, 0, true };
	ring_post(&d.ring[VSND_EVENTQ], &nothing, 1);
	good = post_event(&d, 8);
	vsnd_queue_kick(d.dev, VSND_EVENTQ);
	expect_nothing(&d, VSND_EVENTQ);
	vsnd_jack_plug(d.dev, 0, false);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(ring_collect(&d.ring[VSND_EVENTQ], &used));
		assert_int_equal(used.len, 0);
	}
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(((uint8_t *)guest_ptr(&d.g, gpa))[i], GUEST_POISON);
	assert_int_equal(d.errors[VSND_EVENTQ], 4);
	assert_int_equal(d.broken[VSND_EVENTQ], 0);
	assert_int_equal(d.notified[VSND_EVENTQ], 1);
	expect_event(&d, good, JACK_DISCONNECTED, 0);
	device_close(&d);
}

/* An event cut into single bytes is still an event. */
static void scattered_buffer(void **state)
{
	struct device d;
	struct ring_buf bufs[8];
	uint64_t gpa;

	(void)state;
	open_events(&d, 0);
	gpa = guest_alloc(&d.g, 8, 8);
	for (unsigned i = 0; i < 8; i++)
		bufs[i] = (struct ring_buf){ gpa + i, 1, true };
	ring_post(&d.ring[VSND_EVENTQ], bufs, 8);
	vsnd_jack_plug(d.dev, 0, false);
	expect_event(&d, gpa, JACK_DISCONNECTED, 0);
	device_close(&d);
}

/* Kicks are wanted while an event waits for a buffer, and only then. */
static void kicks(void **state)
{
	static const uint64_t features[] = { 0, EVENT_IDX };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct device d;
		uint64_t buf[3];

		open_events(&d, features[i]);
		const struct ring_buf bufs[] = {
			{ buf[0] = guest_alloc(&d.g, 8, 8), 8, true },
			{ buf[1] = guest_alloc(&d.g, 8, 8), 8, true },
			{ buf[2] = guest_alloc(&d.g, 8, 8), 8, true },
		};
		vsnd_run(d.dev);
		ring_add(&d.ring[VSND_EVENTQ], &bufs[0], 1);
		assert_false(ring_show(&d.ring[VSND_EVENTQ]));
		vsnd_jack_plug(d.dev, 0, false);
		expect_event(&d, buf[0], JACK_DISCONNECTED, 0);
		vsnd_jack_plug(d.dev, 0, true);
		expect_nothing(&d, VSND_EVENTQ);
		ring_add(&d.ring[VSND_EVENTQ], &bufs[1], 1);
		assert_true(ring_show(&d.ring[VSND_EVENTQ]));
		vsnd_queue_kick(d.dev, VSND_EVENTQ);
		expect_event(&d, buf[1], JACK_CONNECTED, 0);
		ring_add(&d.ring[VSND_EVENTQ], &bufs[2], 1);
		assert_false(ring_show(&d.ring[VSND_EVENTQ]));
		device_close(&d);
	}
}

/* What happened while the queue rested or was disabled is told when it is back. */
static void queue_comes_back(void **state)
{
	struct device d;
	uint64_t buf;

	(void)state;
	open_events(&d, EVENT_IDX);
	buf = post_event(&d, 8);
	vsnd_queue_enable(d.dev, VSND_EVENTQ, false);
	vsnd_jack_plug(d.dev, 0, false);
	vsnd_queue_kick(d.dev, VSND_EVENTQ);
	expect_nothing(&d, VSND_EVENTQ);
	vsnd_queue_enable(d.dev, VSND_EVENTQ, true);
	expect_event(&d, buf, JACK_DISCONNECTED, 0);

	buf = post_event(&d, 8);
	vsnd_queue_stop(d.dev, VSND_EVENTQ, NULL);
	vsnd_jack_plug(d.dev, 0, true);
	expect_nothing(&d, VSND_EVENTQ);
	start_queue(&d, VSND_EVENTQ, 16, true);
	expect_nothing(&d, VSND_EVENTQ);
	device_close(&d);
}

static void broken_ring(void **state)
{
	struct device d;

	(void)state;
	open_events(&d, 0);
	ring_avail(&d.ring[VSND_EVENTQ], 99);
	ring_show(&d.ring[VSND_EVENTQ]);
	vsnd_queue_kick(d.dev, VSND_EVENTQ);
	assert_int_equal(d.broken[VSND_EVENTQ], 0);
	vsnd_jack_plug(d.dev, 0, false);
	assert_int_equal(d.broken[VSND_EVENTQ], 1);
	assert_true(vsnd_queue_broken(d.dev, VSND_EVENTQ));
	vsnd_jack_plug(d.dev, 0, true);
	vsnd_run(d.dev);
	assert_int_equal(d.broken[VSND_EVENTQ], 1);
	run(&d, 0, 4);
	device_close(&d);
}

/* A queue full of bad buffers is passed, and the wake callback asks for more. */
static void bounded_work(void **state)
{
	struct device d;

	(void)state;
	open_events(&d, 0);
	for (unsigned i = 0; i < 16; i++)
		post_event(&d, 7);
	vsnd_jack_plug(d.dev, 0, false);
	assert_int_equal(d.errors[VSND_EVENTQ], 16);
	assert_int_equal(d.wakes, 1);
	device_close(&d);
}

/* S16 stereo, 480 frames a period, 4 of them, xruns selected; running. */
static void run_with_xruns(struct device *d, uint32_t stream)
{
	assert_int_equal(set_params(d, stream, 7680, 1920, VSND_STREAM_EVT_XRUNS, 2, VSND_FMT_S16,
				    VSND_RATE_48000), OK);
	assert_int_equal(command(d, PREPARE, stream), OK);
	assert_int_equal(command(d, START, stream), OK);
}

static void feed(struct device *d, uint32_t stream)
{
	uint8_t seed = 1;

	send_bytes(d, VSND_TXQ, stream, 1920, &seed);
}

static void xrun_is_selected(void **state)
{
	static const uint32_t words[] = { PCM_INFO, 0, 3, 8 };
	uint8_t *answer;
	uint32_t len;
	struct device d;

	(void)state;
	open_events(&d, EVENT_IDX);
	assert_int_equal(request(&d, words, 16, 28, &answer, &len), OK);
	assert_int_equal(answer[8], 1 << 4);
	assert_int_equal(answer[24], 0);
	assert_int_equal(set_params(&d, 2, 7680, 1920, 1 << 4, 2, VSND_FMT_S16, VSND_RATE_48000),
			 NSUP);
	for (unsigned f = 0; f < 32; f++)
		assert_int_equal(set_params(&d, 0, 7680, 1920, 1u << f, 2, VSND_FMT_S16,
					    VSND_RATE_48000), f == 4 ? OK : NSUP);
	post_event(&d, 8);
	run(&d, 1, 4);	/* not selected */
	play(&d, 1, NULL, 4800, 0);
	assert_int_equal(d.wakes, 0);
	vsnd_run(d.dev);
	expect_nothing(&d, VSND_EVENTQ);
	device_close(&d);
}

static void xrun_once_an_episode(void **state)
{
	static uint8_t out[480 * 4];
	struct device d;
	uint64_t buf[2];

	(void)state;
	open_events(&d, EVENT_IDX);
	buf[0] = post_event(&d, 8);
	buf[1] = post_event(&d, 8);
	run_with_xruns(&d, 1);
	feed(&d, 1);
	assert_int_equal(play(&d, 1, out, 480, 0), 480);
	assert_int_equal(d.wakes, 0);
	for (unsigned i = 0; i < 10; i++)
		play(&d, 1, out, 480, 0);
	assert_int_equal(d.wakes, 1);
	expect_nothing(&d, VSND_EVENTQ);	/* the control thread's affair */
	vsnd_run(d.dev);
	expect_event(&d, buf[0], PCM_XRUN, 1);
	for (unsigned i = 0; i < 10; i++)
		play(&d, 1, out, 480, 0);
	vsnd_run(d.dev);
	expect_nothing(&d, VSND_EVENTQ);
	feed(&d, 1);
	play(&d, 1, out, 480, 0);
	play(&d, 1, out, 480, 0);
	vsnd_run(d.dev);
	expect_event(&d, buf[1], PCM_XRUN, 1);
	assert_int_equal(command(&d, START, 1), BAD);	/* still runs */
	assert_int_equal(command(&d, STOP, 1), OK);
	device_close(&d);
}

/* Without buffers there is one, and none after STOP, RELEASE or a reset. */
static void xrun_waits_and_is_dropped(void **state)
{
	struct device d;
	uint64_t buf;

	(void)state;
	open_events(&d, EVENT_IDX);
	run_with_xruns(&d, 0);
	for (unsigned i = 0; i < 3; i++) {
		play(&d, 0, NULL, 480, 0);
		vsnd_run(d.dev);
		feed(&d, 0);
		play(&d, 0, NULL, 480, 0);
	}
	buf = post_event(&d, 8);
	post_event(&d, 8);
	vsnd_queue_kick(d.dev, VSND_EVENTQ);
	expect_event(&d, buf, PCM_XRUN, 0);
	expect_nothing(&d, VSND_EVENTQ);

	play(&d, 0, NULL, 480, 0);
	assert_int_equal(command(&d, STOP, 0), OK);
	vsnd_run(d.dev);
	expect_nothing(&d, VSND_EVENTQ);
	for (unsigned i = 0; i < 10; i++)
		play(&d, 0, NULL, 480, 0);
	assert_int_equal(command(&d, START, 0), OK);
	play(&d, 0, NULL, 480, 0);
	vsnd_reset_state(d.dev);
	vsnd_run(d.dev);
	expect_nothing(&d, VSND_EVENTQ);
	device_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_buffers_go_back_empty),
		cmocka_unit_test(scattered_buffer),
		cmocka_unit_test(kicks),
		cmocka_unit_test(queue_comes_back),
		cmocka_unit_test(broken_ring),
		cmocka_unit_test(bounded_work),
		cmocka_unit_test(xrun_is_selected),
		cmocka_unit_test(xrun_once_an_episode),
		cmocka_unit_test(xrun_waits_and_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
