/* SPDX-License-Identifier: BSD-3-Clause */
/* Input messages: from the ring to the host's frames and back. */
#include "record_fixture.h"

/* Buffers wait empty for START, then fill in order, each done at its last frame. */
static void messages_complete_when_full(void **state)
{
	struct vsnd_stream_stats stats;
	uint32_t seed = 0;
	uint64_t at = 0;
	struct sent s[4];
	struct device d;

	(void)state;
	open_mic(&d, INDIRECT | EVENT_IDX);
	prepare(&d, MIC, 8);
	for (unsigned i = 0; i < 4; i++)
		s[i] = place(&d, BYTES);
	vsnd_queue_kick(d.dev, VSND_RXQ);
	expect_nothing(&d, VSND_RXQ);
	assert_int_equal(command(&d, START, MIC), OK);
	assert_true(d.host->voice[MIC].runs);
	expect_nothing(&d, VSND_RXQ);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(capture(&d, &seed, PERIOD - 1), PERIOD - 1);
		expect_nothing(&d, VSND_RXQ);
		assert_int_equal(capture(&d, &seed, 1), 1);
		expect_full(&d, &s[i], &at);
	}
	assert_int_equal(vsnd_stream_stats(d.dev, MIC, &stats), 0);
	assert_int_equal(stats.messages, 4);
	assert_int_equal(stats.frames, 4 * PERIOD);
	assert_int_equal(stats.xruns, 0);
	device_close(&d);
}

/* latency_bytes: what the host has captured since the newest frame of the buffer. */
static void latency_is_the_age(void **state)
{
	struct sent s[4];
	struct device d;

	(void)state;
	open_mic(&d, EVENT_IDX);
	start_mic(&d);
	for (unsigned i = 0; i < 4; i++)
		s[i] = place(&d, 100 * FRAME);
	record(&d, MIC, spoken, 250, 30);
	expect_used(&d, VSND_RXQ, &s[0], 8 + 400, OK, (30 + 150) * FRAME);
	expect_used(&d, VSND_RXQ, &s[1], 8 + 400, OK, (30 + 50) * FRAME);
	/* A host that hands over what it will capture only then. */
	record(&d, MIC, spoken, 50, -5);
	expect_used(&d, VSND_RXQ, &s[2], 8 + 400, OK, 0);
	/* More than ten seconds are reported as ten; lost frames age the others, too. */
	record(&d, MIC, spoken, 100, 48000 * 60);
	expect_used(&d, VSND_RXQ, &s[3], 8 + 400, OK, 48000 * 10 * FRAME);
	s[0] = place(&d, 100 * FRAME);
	assert_int_equal(record(&d, MIC, spoken, 300, 0), 100);
	expect_used(&d, VSND_RXQ, &s[0], 8 + 400, OK, 200 * FRAME);
	device_close(&d);
}

/* "Full" means the buffer given, of whatever size; frames may be cut between two. */
static void any_size_is_filled(void **state)
{
	static const uint32_t sizes[] = { BYTES * 2, BYTES / 2, 1922, 1918, 1, 1, 1, 1, 3, 5, 4001,
					  2, 0, 1, 7, 1 };
	uint32_t seed = 0, total = 0;
	uint64_t at = 0;
	struct sent s[16];
	struct device d;

	(void)state;
	for (size_t step = 1; step < 3000; step = step * 3 + 1) {
		open_mic(&d, INDIRECT);
		start_mic(&d);
		seed = total = 0;
		at = 0;
		for (unsigned i = 0; i < 16; i++) {
			s[i] = place(&d, sizes[i]);
			total += sizes[i];
		}
		while (seed * FRAME < total) {
			size_t left = total / FRAME - seed;

			left = left < step ? left : step;
			assert_int_equal(capture(&d, &seed, left), left);
		}
		for (unsigned i = 0; i < 16; i++)
			expect_full_after(&d, &s[i], &at, latency_of(&d, &s[i]));
		assert_int_equal(at, total);
		device_close(&d);
	}
}

/* One buffer at a time, each shorter than a frame: the rest of the frame waits for it. */
static void crumbs(void **state)
{
	uint32_t seed = 0;
	uint64_t at = 0;
	struct device d;
	struct sent s;

	(void)state;
	open_mic(&d, EVENT_IDX);
	start_mic(&d);
	for (unsigned i = 0; i < 40; i++) {
		s = place(&d, 1 + i % 3);
		/* What a host does that gives no more than there is room for. */
		vsnd_queue_kick(d.dev, VSND_RXQ);
		while (!ring_has_used(&d.ring[VSND_RXQ])) {
			size_t room = vsnd_stream_room(d.host->voice[MIC].stream);

			assert_in_range(room, 1, 2);
			assert_int_equal(capture(&d, &seed, room), room);
		}
		expect_full(&d, &s, &at);
	}
	device_close(&d);
}

/* Room is counted in frames that begin in a message. */
static void room(void **state)
{
	uint32_t seed = 0;
	struct vsnd_stream *mic;
	struct device d;

	(void)state;
	open_mic(&d, EVENT_IDX);
	prepare(&d, MIC, 8);
	mic = d.host->voice[MIC].stream;
	place(&d, 10);
	vsnd_queue_kick(d.dev, VSND_RXQ);
	assert_int_equal(vsnd_stream_room(mic), 0);
	assert_int_equal(command(&d, START, MIC), OK);
	assert_int_equal(vsnd_stream_room(mic), 3);
	assert_int_equal(capture(&d, &seed, 9), 3);
	assert_int_equal(vsnd_stream_room(mic), 0);
	place(&d, 2);
	record(&d, MIC, NULL, 0, 0);
	assert_int_equal(vsnd_stream_room(mic), 0);
	place(&d, 5);
	record(&d, MIC, NULL, 0, 0);
	assert_int_equal(vsnd_stream_room(mic), 2);
	assert_int_equal(command(&d, STOP, MIC), OK);
	assert_int_equal(vsnd_stream_room(mic), 0);
	assert_int_equal(vsnd_push(mic, spoken, 5, 0), 0);
	device_close(&d);
}

/* STOP keeps what is half full, and START goes on behind it. */
static void stop_keeps_start_goes_on(void **state)
{
	uint32_t seed = 0;
	uint64_t at = 0;
	struct sent s[3];
	struct device d;

	(void)state;
	open_mic(&d, EVENT_IDX);
	start_mic(&d);
	for (unsigned i = 0; i < 3; i++)
		s[i] = place(&d, BYTES);
	capture(&d, &seed, 720);
	expect_full_after(&d, &s[0], &at, 240 * FRAME);
	assert_int_equal(command(&d, STOP, MIC), OK);
	assert_false(d.host->voice[MIC].runs);
	vsnd_queue_kick(d.dev, VSND_RXQ);
	expect_nothing(&d, VSND_RXQ);
	assert_int_equal(command(&d, START, MIC), OK);
	assert_int_equal(capture(&d, &seed, 720), 720);
	expect_full_after(&d, &s[1], &at, 480 * FRAME);
	expect_full(&d, &s[2], &at);
	device_close(&d);
}

/* RELEASE returns what is half full as long as it is, silence behind it. */
static void release_returns_what_was_recorded(void **state)
{
	uint32_t seed = 0;
	uint64_t at = 0;
	struct sent s[4];
	struct device d;

	(void)state;
	open_mic(&d, EVENT_IDX);
	start_mic(&d);
	for (unsigned i = 0; i < 3; i++)
		s[i] = place(&d, BYTES);
	capture(&d, &seed, 240);
	assert_int_equal(command(&d, STOP, MIC), OK);
	/* One that nobody was told about. */
	s[3] = place(&d, BYTES);
	d.notified[VSND_RXQ] = 0;
	d.host->flush_frames = 1000;
	assert_int_equal(command(&d, RELEASE, MIC), OK);
	assert_int_equal(d.notified[VSND_RXQ], 1);
	assert_int_equal(d.host->flushed_frames, 0);
	expect_used(&d, VSND_RXQ, &s[0], 8 + 960, OK, 0);
	expect_bytes(&d, s[0].data, 960, &at);
	expect_all(&d, s[0].data + 960, 960, 0);
	for (unsigned i = 1; i < 4; i++) {
		expect_used(&d, VSND_RXQ, &s[i], 8, OK, 0);
		expect_all(&d, s[i].data, BYTES, 0);
	}
	s[0] = place(&d, BYTES);
	vsnd_queue_kick(d.dev, VSND_RXQ);
	expect_used(&d, VSND_RXQ, &s[0], 8, IOE, 0);
	expect_all(&d, s[0].data, 8, 0);
	device_close(&d);
}

/* Silence is the format's own, also across the messages' ends. */
static void silence_of_formats(void **state)
{
	static const struct {
		unsigned format, bytes;
		uint8_t sample[4];
	} formats[] = {
		{ VSND_FMT_U8, 1, { 0x80 } },
		{ VSND_FMT_U16, 2, { 0, 0x80 } },
		{ VSND_FMT_U24_3, 3, { 0, 0, 0x80 } },
		{ VSND_FMT_FLOAT, 4, { 0 } },
	};
	static const uint32_t sizes[] = { 1201, 1, 4, 2, 592 };
	struct vsnd_stream_stats stats;
	struct device d;

	(void)state;
	for (unsigned f = 0; f < 4; f++) {
		uint32_t frame = formats[f].bytes * 2;
		size_t frames = 1800 / frame, at = 0;
		struct sent s[5], rest;

		open_mic(&d, EVENT_IDX);
		assert_int_equal(set_params(&d, MIC, frame * 1000, frame * 100, 0, 2,
					    formats[f].format, VSND_RATE_48000), OK);
		assert_int_equal(command(&d, PREPARE, MIC), OK);
		assert_int_equal(command(&d, START, MIC), OK);
		for (unsigned i = 0; i < 5; i++)
			s[i] = place(&d, sizes[i]);
		assert_int_equal(record(&d, MIC, NULL, 7, 0), 7);
		assert_int_equal(record(&d, MIC, NULL, frames - 7, 0), frames - 7);
		for (unsigned i = 0; i < 5; i++) {
			const uint8_t *got = guest_ptr(&d.g, s[i].data);

			expect_used(&d, VSND_RXQ, &s[i], 8 + sizes[i], OK, latency_of(&d, &s[i]));
			for (size_t k = 0; k < sizes[i]; k++, at++)
				assert_int_equal(got[k], formats[f].sample[at % formats[f].bytes]);
		}
		assert_int_equal(at, 1800);
		assert_int_equal(vsnd_stream_stats(d.dev, MIC, &stats), 0);
		assert_int_equal(stats.silence, frames);
		assert_int_equal(stats.frames, 0);
		rest = place(&d, frame * 50);
		record(&d, MIC, spoken, 10, 0);
		assert_int_equal(command(&d, STOP, MIC), OK);
		assert_int_equal(command(&d, RELEASE, MIC), OK);
		expect_used(&d, VSND_RXQ, &rest, 8 + 10 * frame, OK, 0);
		for (size_t k = 10 * frame; k < 50 * frame; k++)
			assert_int_equal(((uint8_t *)guest_ptr(&d.g, rest.data))[k],
					 formats[f].sample[k % formats[f].bytes]);
		device_close(&d);
	}
}

/* Frames without a place are lost, the newest of them; what comes later is current and whole. */
static void overrun(void **state)
{
	struct vsnd_stream_stats stats;
	uint32_t seed = 0;
	uint64_t at = 0;
	struct sent s[2];
	struct device d;

	(void)state;
	open_mic(&d, EVENT_IDX);
	start_mic(&d);
	/* One frame is cut by the end of the only buffer: its rest must not be lost. */
	s[0] = place(&d, BYTES - 1);
	assert_int_equal(capture(&d, &seed, PERIOD + 100), PERIOD);
	expect_used(&d, VSND_RXQ, &s[0], 8 + BYTES - 1, OK, 100 * FRAME);
	expect_bytes(&d, s[0].data, BYTES - 1, &at);
	assert_int_equal(capture(&d, &seed, PERIOD), 0);
	assert_int_equal(capture(&d, &seed, PERIOD), 0);
	assert_int_equal(vsnd_stream_stats(d.dev, MIC, &stats), 0);
	assert_int_equal(stats.xruns, 1);
	assert_int_equal(stats.discarded, 100 + 2 * PERIOD);
	assert_int_equal(stats.frames, PERIOD);
	s[0] = place(&d, 1);
	s[1] = place(&d, BYTES);
	assert_int_equal(capture(&d, &seed, PERIOD), PERIOD);
	expect_used(&d, VSND_RXQ, &s[0], 8 + 1, OK, (100 + 2 * PERIOD) * FRAME);
	expect_bytes(&d, s[0].data, 1, &at);
	at = (3ull * PERIOD + 100) * FRAME;
	expect_full(&d, &s[1], &at);
	/* The next one is a second episode, and a stream at rest has none. */
	assert_int_equal(capture(&d, &seed, PERIOD), 0);
	assert_int_equal(command(&d, STOP, MIC), OK);
	capture(&d, &seed, PERIOD);
	assert_int_equal(vsnd_stream_stats(d.dev, MIC, &stats), 0);
	assert_int_equal(stats.xruns, 2);
	assert_int_equal(stats.discarded, 100 + 3 * PERIOD);
	device_close(&d);
}

/* START with nothing queued loses frames, and buffers that come late get fresh ones. */
static void late_buffers(void **state)
{
	uint32_t seed = 0;
	uint64_t at = 2400 * FRAME;
	struct sent s[4];
	struct device d;

	(void)state;
	open_mic(&d, EVENT_IDX);
	start_mic(&d);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(capture(&d, &seed, PERIOD), 0);
	for (unsigned i = 0; i < 4; i++)
		s[i] = place(&d, BYTES);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(capture(&d, &seed, PERIOD), PERIOD);
		expect_full(&d, &s[i], &at);
	}
	device_close(&d);
}

/* A message with nothing but room for a status is done at once, where there is a stream. */
static void only_a_status(void **state)
{
	struct device d;
	struct sent s;

	(void)state;
	open_mic(&d, EVENT_IDX);
	s = place(&d, 0);
	vsnd_queue_kick(d.dev, VSND_RXQ);
	expect_done(&d, VSND_RXQ, &s, IOE, 0);
	prepare(&d, MIC, 8);
	s = place(&d, 0);
	vsnd_queue_kick(d.dev, VSND_RXQ);
	expect_done(&d, VSND_RXQ, &s, OK, 0);
	assert_int_equal(command(&d, START, MIC), OK);
	s = place(&d, 0);
	record(&d, MIC, NULL, 0, 0);
	expect_done(&d, VSND_RXQ, &s, OK, 0);
	assert_int_equal(command(&d, STOP, MIC), OK);
	s = place(&d, 0);
	vsnd_queue_kick(d.dev, VSND_RXQ);
	expect_done(&d, VSND_RXQ, &s, OK, 0);
	device_close(&d);
}

/* PREPARE again returns what was queued, as RELEASE does. */
static void prepare_again(void **state)
{
	struct device d;
	struct sent s;

	(void)state;
	open_mic(&d, EVENT_IDX);
	prepare(&d, MIC, 8);
	s = place(&d, BYTES);
	assert_int_equal(command(&d, PREPARE, MIC), OK);
	expect_used(&d, VSND_RXQ, &s, 8, OK, 0);
	expect_all(&d, s.data, BYTES, 0);
	device_close(&d);
}

/* While a stream records the driver does not kick, and hears of completions once a cycle. */
static void kicks_and_notifications(void **state)
{
	uint32_t seed = 0;
	uint64_t at = 0;
	struct device d;

	(void)state;
	open_mic(&d, EVENT_IDX);
	start_mic(&d);
	d.notified[VSND_RXQ] = 0;
	for (unsigned i = 0; i < 30; i++) {
		struct sent s[3];

		for (unsigned k = 0; k < 3; k++)
			s[k] = place(&d, 160 * FRAME);
		capture(&d, &seed, PERIOD);
		assert_true((uint16_t)(d.ring[VSND_RXQ].shown_idx -
				       ring_avail_event(&d.ring[VSND_RXQ]) - 1) > 3);
		for (unsigned k = 0; k < 3; k++) {
			expect_used(&d, VSND_RXQ, &s[k], 8 + 640, OK, (2 - k) * 640);
			expect_bytes(&d, s[k].data, 640, &at);
		}
		ring_want_interrupts(&d.ring[VSND_RXQ], true);
	}
	assert_int_equal(d.notified[VSND_RXQ], 30);
	assert_int_equal(d.notified[VSND_TXQ], 0);
	device_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_complete_when_full),
		cmocka_unit_test(latency_is_the_age),
		cmocka_unit_test(any_size_is_filled),
		cmocka_unit_test(crumbs),
		cmocka_unit_test(room),
		cmocka_unit_test(stop_keeps_start_goes_on),
		cmocka_unit_test(release_returns_what_was_recorded),
		cmocka_unit_test(silence_of_formats),
		cmocka_unit_test(overrun),
		cmocka_unit_test(late_buffers),
		cmocka_unit_test(only_a_status),
		cmocka_unit_test(prepare_again),
		cmocka_unit_test(kicks_and_notifications),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
