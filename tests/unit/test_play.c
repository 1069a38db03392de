/* SPDX-License-Identifier: BSD-3-Clause */
/* Output messages: from the ring to the host's buffer and back. */
#include "device_fixture.h"

#define FRAME 4u
#define PERIOD 480u
#define BYTES (PERIOD * FRAME)

static uint8_t heard[1 << 20];

/* The next @n bytes of the pattern that send_bytes() writes. */
static void expect_pattern(const uint8_t *got, size_t n, uint8_t *seed)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(got[i], (*seed)++);
}

static void expect_silence(const uint8_t *got, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(got[i], 0);
}

/* Pre-buffered messages wait for START, then play in order, each done at its last frame. */
static void messages_complete_at_their_last_frame(void **state)
{
	uint8_t in = 1, out = 1;
	struct sent s[4];
	struct device d;

	(void)state;
	device_open(&d, INDIRECT | EVENT_IDX, 64);
	prepare(&d, 0, 8);
	for (unsigned i = 0; i < 4; i++)
		s[i] = send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	vsnd_queue_kick(d.dev, VSND_TXQ);
	expect_nothing(&d, VSND_TXQ);
	assert_int_equal(command(&d, START, 0), OK);
	expect_nothing(&d, VSND_TXQ);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(play(&d, 0, heard, PERIOD - 1, 0), PERIOD - 1);
		expect_pattern(heard, BYTES - FRAME, &out);
		expect_nothing(&d, VSND_TXQ);
		assert_int_equal(play(&d, 0, heard, 1, 1000), 1);
		expect_pattern(heard, FRAME, &out);
		expect_done(&d, VSND_TXQ, &s[i], OK, 1001 * FRAME);
	}
	assert_int_equal(play(&d, 0, heard, PERIOD, 0), 0);
	expect_silence(heard, BYTES);
	device_close(&d);
}

/* latency_bytes: what the host still has to play after the message, wherever it ends. */
static void latency_is_the_hosts(void **state)
{
	uint8_t in = 0;
	struct vsnd_stream_stats stats;
	struct sent s[3];
	struct device d;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 0, 8);
	for (unsigned i = 0; i < 3; i++)
		s[i] = send_bytes(&d, VSND_TXQ, 0, 100 * FRAME, &in);
	/* Heard 960 frames after this pull begins: the first ends 100 later, and so on. */
	play(&d, 0, heard, 250, 960);
	expect_done(&d, VSND_TXQ, &s[0], OK, (960 + 100) * FRAME);
	expect_done(&d, VSND_TXQ, &s[1], OK, (960 + 200) * FRAME);
	expect_nothing(&d, VSND_TXQ);
	assert_int_equal(vsnd_stream_stats(d.dev, 0, &stats), 0);
	assert_int_equal(stats.latency_bytes, (960 + 200) * FRAME);
	/* A host without a buffer, told at the period's end. */
	play(&d, 0, heard, 50, -50);
	expect_done(&d, VSND_TXQ, &s[2], OK, 0);
	/* More than ten seconds are reported as ten. */
	s[0] = send_bytes(&d, VSND_TXQ, 0, 100 * FRAME, &in);
	play(&d, 0, heard, 100, 48000 * 60);
	expect_done(&d, VSND_TXQ, &s[0], OK, 48000 * 10 * FRAME);
	device_close(&d);
}

/* Samples are read when the host asks for them, not before. */
static void samples_are_read_late(void **state)
{
	uint8_t in = 0;
	struct device d;
	struct sent s;

	(void)state;
	device_open(&d, 0, 64);
	run(&d, 0, 4);
	s = send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	vsnd_queue_kick(d.dev, VSND_TXQ);
	memset(guest_ptr(&d.g, s.data), 0x77, BYTES);
	assert_int_equal(play(&d, 0, heard, PERIOD, 0), PERIOD);
	for (unsigned i = 0; i < BYTES; i++)
		assert_int_equal(heard[i], 0x77);
	device_close(&d);
}

/* Messages are joined without a seam, and a part of a frame waits for the rest. */
static void odd_sizes_join(void **state)
{
	static const uint32_t sizes[] = { 1922, 1918, 1, 1, 1, 1, 3, 5, 4000, 2, 0, 2 };
	uint8_t in = 9, out = 9;
	struct sent s[12];
	struct device d;
	size_t got;

	(void)state;
	device_open(&d, INDIRECT, 256);
	run(&d, 0, 64);
	for (unsigned i = 0; i < 12; i++) {
		s[i] = send_bytes(&d, VSND_TXQ, 0, sizes[i], &in);
		got = play(&d, 0, heard, 2000, -2000);
		expect_pattern(heard, got * FRAME, &out);
		expect_done(&d, VSND_TXQ, &s[i], OK, 0);
	}
	assert_int_equal(in, out);
	device_close(&d);
}

/* STOP keeps what is queued and START goes on at the exact byte. */
static void stop_keeps_start_goes_on(void **state)
{
	uint8_t in = 0, out = 0;
	struct sent s[3];
	struct device d;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 0, 8);
	for (unsigned i = 0; i < 3; i++)
		s[i] = send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	play(&d, 0, heard, 700, -700);
	expect_pattern(heard, 700 * FRAME, &out);
	expect_done(&d, VSND_TXQ, &s[0], OK, 0);
	assert_int_equal(command(&d, STOP, 0), OK);
	play(&d, 0, heard, 48000, -48000);
	vsnd_queue_kick(d.dev, VSND_TXQ);
	expect_nothing(&d, VSND_TXQ);
	assert_int_equal(command(&d, START, 0), OK);
	assert_int_equal(play(&d, 0, heard, 740, -740), 740);
	expect_pattern(heard, 740 * FRAME, &out);
	expect_done(&d, VSND_TXQ, &s[1], OK, 0);
	expect_done(&d, VSND_TXQ, &s[2], OK, 0);
	device_close(&d);
}

/* RELEASE returns everything of its stream, kicked or not, and nothing of another's. */
static void release_returns_what_is_pending(void **state)
{
	uint8_t in = 0, out = 0;
	struct sent s[4], other[4];
	struct device d;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	prepare(&d, 0, 8);
	run(&d, 1, 8);
	for (unsigned i = 0; i < 4; i++) {
		uint8_t pattern = in;

		s[i] = send_bytes(&d, VSND_TXQ, 0, BYTES, &pattern);
		other[i] = send_bytes(&d, VSND_TXQ, 1, BYTES, &in);
	}
	assert_int_equal(command(&d, RELEASE, 0), OK);
	for (unsigned i = 0; i < 4; i++)
		expect_done(&d, VSND_TXQ, &s[i], OK, 0);
	expect_nothing(&d, VSND_TXQ);
	assert_int_equal(d.notified[VSND_TXQ], 1);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(play(&d, 1, heard, PERIOD, -(int)PERIOD), PERIOD);
		expect_pattern(heard, BYTES, &out);
		expect_done(&d, VSND_TXQ, &other[i], OK, 0);
	}
	assert_int_equal(d.host->flushed_frames, 0);
	device_close(&d);
}

/* A stream that has played offers the host what is left, as far as the host takes it. */
static void release_offers_the_rest(void **state)
{
	uint8_t in = 0, out = 0;
	struct sent s[3];
	struct device d;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 0, 8);
	for (unsigned i = 0; i < 3; i++)
		s[i] = send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	play(&d, 0, heard, 100, -100);
	expect_pattern(heard, 100 * FRAME, &out);
	assert_int_equal(command(&d, STOP, 0), OK);
	d.host->flush_frames = 1000;
	assert_int_equal(command(&d, RELEASE, 0), OK);
	assert_int_equal(d.host->flushed_frames, 1000);
	expect_pattern(d.host->flushed, 1000 * FRAME, &out);
	for (unsigned i = 0; i < 3; i++) {
		struct ring_used used;

		assert_true(ring_collect(&d.ring[VSND_TXQ], &used));
		assert_int_equal(used.id, s[i].head);
	}
	/* What comes now has no stream. */
	s[0] = send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	vsnd_queue_kick(d.dev, VSND_TXQ);
	expect_done(&d, VSND_TXQ, &s[0], IOE, 0);
	device_close(&d);
}

/* When the guest is late the host hears silence, and what comes later is played. */
static void late_guest(void **state)
{
	struct vsnd_stream_stats stats;
	uint8_t in = 1, out = 1;
	struct device d;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 0, 8);
	send_bytes(&d, VSND_TXQ, 0, 100 * FRAME, &in);
	assert_int_equal(play(&d, 0, heard, PERIOD, 0), 100);
	expect_pattern(heard, 100 * FRAME, &out);
	expect_silence(heard + 100 * FRAME, 380 * FRAME);
	play(&d, 0, heard, PERIOD, 0);
	expect_silence(heard, BYTES);
	assert_int_equal(vsnd_stream_stats(d.dev, 0, &stats), 0);
	assert_int_equal(stats.xruns, 0);
	send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	assert_int_equal(play(&d, 0, heard, PERIOD, 0), PERIOD);
	expect_pattern(heard, BYTES, &out);
	assert_int_equal(vsnd_stream_stats(d.dev, 0, &stats), 0);
	assert_int_equal(stats.xruns, 1);
	assert_int_equal(stats.silence, 380 + 480);
	assert_int_equal(stats.frames, 100 + 480);
	assert_int_equal(vsnd_stream_stats(d.dev, STREAMS, &stats), -EINVAL);
	device_close(&d);
}

/* Silence is the format's own. */
static void silence_of_u8(void **state)
{
	struct device d;

	(void)state;
	device_open(&d, 0, 64);
	assert_int_equal(set_params(&d, 0, 1920, 480, 0, 1, VSND_FMT_U8, VSND_RATE_48000), OK);
	assert_int_equal(command(&d, PREPARE, 0), OK);
	assert_int_equal(command(&d, START, 0), OK);
	play(&d, 0, heard, 480, 0);
	for (unsigned i = 0; i < 480; i++)
		assert_int_equal(heard[i], 0x80);
	device_close(&d);
}

/* Messages that no stream can take are returned at once, and others go on. */
static void bad_messages(void **state)
{
	uint8_t in = 0;
	struct ring_used used;
	struct device d;
	struct sent s;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 1, 4);
	static const uint32_t ids[] = { 0, 2, STREAMS, UINT32_MAX };
	for (unsigned i = 0; i < 4; i++) {
		s = send_bytes(&d, VSND_TXQ, ids[i], BYTES, &in);
		play(&d, 1, heard, 1, 0);
		expect_done(&d, VSND_TXQ, &s, IOE, 0);
	}
	/* The wrong queue; a header that is too short; no room for a status. */
	s = send_bytes(&d, VSND_RXQ, 1, 64, &in);
	vsnd_queue_kick(d.dev, VSND_RXQ);
	expect_done(&d, VSND_RXQ, &s, IOE, 0);
	uint64_t gpa = guest_alloc(&d.g, 64, 8);
	const struct ring_buf header[] = { { gpa, 3, false }, { gpa + 8, 8, true } };
	const struct ring_buf status[] = { { gpa, 4, false }, { gpa + 8, 7, true } };
	const struct ring_buf order[] = { { gpa + 8, 8, true }, { gpa, 4, false } };
	const struct ring_buf lost[] = { { gpa, 4, false }, { 0x1000, 64, false },
					 { gpa + 8, 8, true } };
	ring_post(&d.ring[VSND_TXQ], header, 2);
	ring_post(&d.ring[VSND_TXQ], status, 2);
	ring_post(&d.ring[VSND_TXQ], order, 2);
	ring_post(&d.ring[VSND_TXQ], lost, 3);
	play(&d, 1, heard, 1, 0);
	static const uint32_t lens[] = { 8, 0, 8, 8 };
	for (unsigned i = 0; i < 4; i++) {
		assert_true(ring_collect(&d.ring[VSND_TXQ], &used));
		assert_int_equal(used.len, lens[i]);
	}
	assert_int_equal(d.errors[VSND_TXQ], 1);
	s = send_bytes(&d, VSND_TXQ, 1, BYTES, &in);
	assert_int_equal(play(&d, 1, heard, PERIOD, 0), PERIOD);
	device_close(&d);
}

/* While a stream runs the driver does not kick, and hears of completions once a cycle. */
static void kicks_and_notifications(void **state)
{
	uint8_t in = 0;
	struct device d;

	(void)state;
	for (unsigned idx = 0; idx < 2; idx++) {
		device_open(&d, idx ? EVENT_IDX : 0, 64);
		run(&d, 0, 64);
		for (unsigned i = 0; i < 30; i++) {
			for (unsigned k = 0; k < 3; k++)
				send_bytes(&d, VSND_TXQ, 0, 160 * FRAME, &in);
			play(&d, 0, heard, PERIOD, 0);
			if (idx)
				assert_true((uint16_t)(d.ring[VSND_TXQ].shown_idx -
						       ring_avail_event(&d.ring[VSND_TXQ]) - 1) > 3);
			else
				assert_int_equal(ring_used_flags(&d.ring[VSND_TXQ]), 1);
			for (unsigned k = 0; k < 3; k++) {
				struct ring_used used;

				assert_true(ring_collect(&d.ring[VSND_TXQ], &used));
			}
			ring_want_interrupts(&d.ring[VSND_TXQ], true);
		}
		assert_int_equal(d.notified[VSND_TXQ], 30);
		assert_int_equal(command(&d, STOP, 0), OK);
		if (idx)
			assert_int_equal(ring_avail_event(&d.ring[VSND_TXQ]),
					 d.ring[VSND_TXQ].shown_idx);
		else
			assert_int_equal(ring_used_flags(&d.ring[VSND_TXQ]), 0);
		device_close(&d);
	}
}

/* A paused VM: queues stop and start with their bases, and nothing is lost or doubled. */
static void pause_of_the_vm(void **state)
{
	uint8_t in = 0, out = 0;
	struct sent s[4];
	struct device d;
	uint32_t base;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 0, 8);
	for (unsigned i = 0; i < 4; i++)
		s[i] = send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	play(&d, 0, heard, 700, -700);
	expect_pattern(heard, 700 * FRAME, &out);
	expect_done(&d, VSND_TXQ, &s[0], OK, 0);
	for (unsigned q = 0; q < VSND_QUEUES; q++)
		assert_int_equal(vsnd_queue_enable(d.dev, q, false), 0);
	assert_false(d.host->voice[0].runs);
	for (unsigned q = 0; q < VSND_QUEUES; q++) {
		assert_int_equal(vsnd_queue_stop(d.dev, q, &base), 0);
		assert_int_equal(base, d.ring[q].shown_idx);
		assert_int_equal(vsnd_queue_stop(d.dev, q, &base), -EINVAL);
	}
	play(&d, 0, heard, 48000, 0);
	expect_nothing(&d, VSND_TXQ);
	for (unsigned q = 0; q < VSND_QUEUES; q++)
		start_queue(&d, q, 64, true);
	assert_false(d.host->voice[0].runs);
	for (unsigned q = 0; q < VSND_QUEUES; q++)
		assert_int_equal(vsnd_queue_enable(d.dev, q, true), 0);
	assert_true(d.host->voice[0].runs);
	assert_int_equal(play(&d, 0, heard, 1220, -1220), 1220);
	expect_pattern(heard, 1220 * FRAME, &out);
	for (unsigned i = 1; i < 4; i++)
		expect_done(&d, VSND_TXQ, &s[i], OK, 0);
	device_close(&d);
}

/* Released while its queue rests: the messages come back when the queue does. */
static void release_while_the_queue_rests(void **state)
{
	uint8_t in = 0;
	struct device d;
	struct sent s;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 0, 8);
	s = send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	play(&d, 0, heard, 10, -10);
	assert_int_equal(vsnd_queue_stop(d.dev, VSND_TXQ, NULL), 0);
	assert_int_equal(command(&d, STOP, 0), OK);
	assert_int_equal(command(&d, RELEASE, 0), OK);
	expect_nothing(&d, VSND_TXQ);
	start_queue(&d, VSND_TXQ, 64, true);
	play(&d, 0, heard, 10, -10);
	expect_done(&d, VSND_TXQ, &s, OK, 0);
	device_close(&d);
}

/* A queue that starts afresh has forgotten what it held. */
static void fresh_start_forgets(void **state)
{
	uint8_t in = 0;
	struct device d;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 0, 8);
	send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	play(&d, 0, heard, 10, -10);
	assert_int_equal(vsnd_queue_stop(d.dev, VSND_TXQ, NULL), 0);
	start_queue(&d, VSND_TXQ, 128, false);
	assert_int_equal(play(&d, 0, heard, PERIOD, 0), 0);
	expect_nothing(&d, VSND_TXQ);
	assert_int_equal(vsnd_queue_start(d.dev, VSND_TXQ, NULL), -EBUSY);
	device_close(&d);
}

/* A broken ring stops alone and works again when it is set up afresh. */
static void broken_ring(void **state)
{
	uint8_t in = 0;
	struct device d;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 0, 8);
	ring_set_avail_idx(&d.ring[VSND_TXQ], (uint16_t)(d.ring[VSND_TXQ].shown_idx + 65));
	play(&d, 0, heard, PERIOD, 0);
	assert_int_equal(d.broken[VSND_TXQ], 1);
	assert_true(vsnd_queue_broken(d.dev, VSND_TXQ));
	assert_true(d.wakes > 0);
	vsnd_run(d.dev);
	assert_false(d.host->voice[0].runs);
	assert_int_equal(command(&d, STOP, 0), OK);
	assert_int_equal(command(&d, RELEASE, 0), OK);
	assert_int_equal(vsnd_queue_stop(d.dev, VSND_TXQ, NULL), 0);
	start_queue(&d, VSND_TXQ, 64, false);
	assert_false(vsnd_queue_broken(d.dev, VSND_TXQ));
	run(&d, 0, 8);
	send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	assert_int_equal(play(&d, 0, heard, PERIOD, 0), PERIOD);
	device_close(&d);
}

/* Memory may be replaced while messages wait; one whose memory went fails. */
static void memory_changes_under_messages(void **state)
{
	struct vsnd_mem_region part, whole;
	uint8_t in = 0, out = 0;
	struct sent s[2];
	struct device d;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	whole = guest_region(&d.g);
	run(&d, 0, 8);
	s[0] = send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	s[1] = s[0];
	play(&d, 0, heard, 10, -10);
	expect_pattern(heard, 10 * FRAME, &out);
	assert_int_equal(vsnd_set_memory(d.dev, &whole, 1), 0);
	play(&d, 0, heard, 470, -470);
	expect_pattern(heard, 470 * FRAME, &out);
	expect_done(&d, VSND_TXQ, &s[0], OK, 0);
	/* Now the second half of a message's data goes. */
	s[0] = send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	play(&d, 0, heard, 10, -10);
	expect_pattern(heard, 10 * FRAME, &out);
	part = whole;
	part.size = s[0].data + BYTES / 2 - part.gpa;
	assert_int_equal(vsnd_set_memory(d.dev, &part, 1), 0);
	play(&d, 0, heard, 470, -470);
	expect_pattern(heard, BYTES / 2 - 10 * FRAME, &out);
	struct ring_used used;
	assert_true(ring_collect(&d.ring[VSND_TXQ], &used));
	assert_int_equal(used.id, s[0].head);
	assert_int_equal(vsnd_set_memory(d.dev, &whole, 1), 0);
	device_close(&d);
}

/*
 * A message that comes when a cycle has looked already, but not yet asked for kicks, is
 * found when it asks: nobody kicks for it, so there has to be another cycle.
 */
static void late_message_gets_a_cycle(void **state)
{
	uint8_t in = 1;
	struct device d;

	(void)state;
	device_open(&d, INDIRECT | EVENT_IDX, 64);
	prepare(&d, 0, 8);
	assert_int_equal(command(&d, START, 0), OK);
	vsnd_want_kicks(d.dev, true);
	vsnd_cycle_begin(d.dev, d.host->now_ns);
	send_bytes(&d, VSND_TXQ, 0, BYTES, &in);
	assert_int_equal(vsnd_cycle_end(d.dev), 0);
	assert_int_equal(vsnd_stream_queued(d.host->voice[0].stream), PERIOD);
	vsnd_cycle_begin(d.dev, d.host->now_ns);
	assert_int_equal(vsnd_cycle_end(d.dev), -1);
	vsnd_want_kicks(d.dev, false);
	assert_int_equal(command(&d, STOP, 0), OK);
	assert_int_equal(command(&d, RELEASE, 0), OK);
	device_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_complete_at_their_last_frame),
		cmocka_unit_test(latency_is_the_hosts),
		cmocka_unit_test(samples_are_read_late),
		cmocka_unit_test(odd_sizes_join),
		cmocka_unit_test(stop_keeps_start_goes_on),
		cmocka_unit_test(release_returns_what_is_pending),
		cmocka_unit_test(release_offers_the_rest),
		cmocka_unit_test(late_guest),
		cmocka_unit_test(silence_of_u8),
		cmocka_unit_test(bad_messages),
		cmocka_unit_test(kicks_and_notifications),
		cmocka_unit_test(pause_of_the_vm),
		cmocka_unit_test(release_while_the_queue_rests),
		cmocka_unit_test(fresh_start_forgets),
		cmocka_unit_test(broken_ring),
		cmocka_unit_test(memory_changes_under_messages),
		cmocka_unit_test(late_message_gets_a_cycle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
