/* SPDX-License-Identifier: BSD-3-Clause */
/* Input when something comes in between: bad messages, lost memory, late drivers, gains. */
#include "record_fixture.h"

/* Readable data beyond the header, wrong streams, no status: nothing is captured. */
static void bad_messages(void **state)
{
	uint8_t in = 0;
	uint32_t seed = 0;
	uint64_t at = 0;
	struct ring_used used;
	struct device d;
	struct sent s;

	(void)state;
	open_mic(&d, EVENT_IDX);
	start_mic(&d);
	uint64_t gpa = guest_alloc(&d.g, 4096, 8);
	uint32_t id = htole32(MIC), status;
	const struct ring_buf extra[] = { { gpa, 4, false }, { gpa, 64, false },
					  { gpa + 64, 1928, true } };
	const struct ring_buf mute[] = { { gpa, 4, false }, { gpa + 64, 7, true } };
	const struct ring_buf none[] = { { gpa, 4, false } };
	const struct ring_buf header[] = { { gpa, 3, false }, { gpa + 64, 12, true } };
	memset(guest_ptr(&d.g, gpa), 0xa5, 4096);
	memcpy(guest_ptr(&d.g, gpa), &id, 4);
	ring_post(&d.ring[VSND_RXQ], extra, 3);
	record(&d, MIC, NULL, 0, 0);
	assert_true(ring_collect(&d.ring[VSND_RXQ], &used));
	assert_int_equal(used.len, 8);
	memcpy(&status, guest_ptr(&d.g, gpa + 64 + 1920), 4);
	assert_int_equal(le32toh(status), IOE);
	expect_all(&d, gpa + 64, 8, 0);
	expect_all(&d, gpa + 72, 1912, 0xa5);
	ring_post(&d.ring[VSND_RXQ], mute, 2);
	ring_post(&d.ring[VSND_RXQ], none, 1);
	ring_post(&d.ring[VSND_RXQ], header, 2);
	record(&d, MIC, NULL, 0, 0);
	static const uint32_t lens[] = { 0, 0, 8 };
	for (unsigned i = 0; i < 3; i++) {
		assert_true(ring_collect(&d.ring[VSND_RXQ], &used));
		assert_int_equal(used.len, lens[i]);
	}
	assert_int_equal(d.errors[VSND_RXQ], 2);
	memcpy(&status, guest_ptr(&d.g, gpa + 68), 4);
	assert_int_equal(le32toh(status), IOE);
	static const uint32_t ids[] = { 0, 1, STREAMS, UINT32_MAX };
	for (unsigned i = 0; i < 4; i++) {
		s = send_bytes(&d, VSND_RXQ, ids[i], BYTES, &in);
		record(&d, MIC, NULL, 0, 0);
		expect_done(&d, VSND_RXQ, &s, IOE, 0);
	}
	s = send_bytes(&d, VSND_TXQ, MIC, BYTES, &in);
	vsnd_queue_kick(d.dev, VSND_TXQ);
	expect_done(&d, VSND_TXQ, &s, IOE, 0);
	s = place(&d, BYTES);
	assert_int_equal(capture(&d, &seed, PERIOD), PERIOD);
	expect_full(&d, &s, &at);
	device_close(&d);
}

/* However the driver cuts a message, it is one: header, data and status in crumbs, or in one. */
static void fragments(void **state)
{
	uint32_t seed = 0, id = htole32(MIC), status;
	struct ring_buf bufs[64];
	struct ring_used used;
	struct device d;

	(void)state;
	for (unsigned whole = 0; whole < 2; whole++) {
		uint64_t at = 0, header, data;
		unsigned n = 0;

		open_mic(&d, INDIRECT | EVENT_IDX);
		start_mic(&d);
		seed = 0;
		header = guest_alloc(&d.g, 4, 1);
		data = guest_alloc(&d.g, BYTES + 8, 1);
		memcpy(guest_ptr(&d.g, header), &id, 4);
		for (unsigned i = 0; i < 4 && !whole; i++)
			bufs[n++] = (struct ring_buf){ header + i, 1, false };
		for (uint32_t i = 0, len = 1; i < BYTES && !whole; i += len, len = len * 5 % 97) {
			len = len < BYTES - i ? len : BYTES - i;
			bufs[n++] = (struct ring_buf){ data + i, len, true };
		}
		for (unsigned i = 0; i < 8 && !whole; i++)
			bufs[n++] = (struct ring_buf){ data + BYTES + i, 1, true };
		if (whole) {
			bufs[n++] = (struct ring_buf){ header, 4, false };
			bufs[n++] = (struct ring_buf){ data, BYTES + 8, true };
		}
		assert_true(n <= 64);
		assert_true(ring_post(&d.ring[VSND_RXQ], bufs, n) >= 0);
		assert_int_equal(capture(&d, &seed, 479), 479);
		expect_nothing(&d, VSND_RXQ);
		assert_int_equal(capture(&d, &seed, 1), 1);
		assert_true(ring_collect(&d.ring[VSND_RXQ], &used));
		assert_int_equal(used.len, BYTES + 8);
		expect_bytes(&d, data, BYTES, &at);
		memcpy(&status, guest_ptr(&d.g, data + BYTES), 4);
		assert_int_equal(le32toh(status), OK);
		device_close(&d);
	}
}

/* A paused VM: rxq stops and starts, and nothing is lost, doubled or torn. */
static void pause_of_the_vm(void **state)
{
	uint32_t seed = 0, base;
	uint64_t at = 0;
	struct sent s[3];
	struct device d;

	(void)state;
	open_mic(&d, EVENT_IDX);
	start_mic(&d);
	for (unsigned i = 0; i < 3; i++)
		s[i] = place(&d, BYTES + 1);
	capture(&d, &seed, 700);
	expect_full_after(&d, &s[0], &at, 219 * FRAME);
	assert_int_equal(vsnd_queue_enable(d.dev, VSND_RXQ, false), 0);
	assert_false(d.host->voice[MIC].runs);
	assert_int_equal(vsnd_queue_stop(d.dev, VSND_RXQ, &base), 0);
	assert_int_equal(base, d.ring[VSND_RXQ].shown_idx);
	expect_nothing(&d, VSND_RXQ);
	start_queue(&d, VSND_RXQ, 256, true);
	assert_int_equal(vsnd_queue_enable(d.dev, VSND_RXQ, true), 0);
	assert_true(d.host->voice[MIC].runs);
	capture(&d, &seed, 743 - 2);
	expect_full_after(&d, &s[1], &at, 480 * FRAME);
	expect_full(&d, &s[2], &at);
	device_close(&d);
}

/* Released while its queue rests: memory is written only when the queue is back. */
static void release_while_the_queue_rests(void **state)
{
	uint32_t seed = 0;
	uint64_t at = 0;
	struct device d;
	struct sent s;

	(void)state;
	open_mic(&d, EVENT_IDX);
	start_mic(&d);
	s = place(&d, BYTES);
	capture(&d, &seed, 10);
	assert_int_equal(vsnd_queue_stop(d.dev, VSND_RXQ, NULL), 0);
	assert_int_equal(command(&d, STOP, MIC), OK);
	assert_int_equal(command(&d, RELEASE, MIC), OK);
	assert_int_equal(set_params(&d, MIC, 1920, 480, 0, 1, VSND_FMT_U8, VSND_RATE_48000), OK);
	assert_int_equal(command(&d, PREPARE, MIC), OK);
	expect_all(&d, s.data + 40, BYTES - 40, 0xa5);
	start_queue(&d, VSND_RXQ, 256, true);
	record(&d, MIC, NULL, 0, 0);
	expect_used(&d, VSND_RXQ, &s, 8 + 40, OK, 0);
	expect_bytes(&d, s.data, 40, &at);
	expect_all(&d, s.data + 40, BYTES - 40, 0);
	device_close(&d);
}

/* A reset and a fresh start forget what was half full. */
static void fresh_start_forgets(void **state)
{
	uint32_t seed = 0;
	uint64_t at = 0;
	struct device d;
	struct sent s;

	(void)state;
	open_mic(&d, EVENT_IDX);
	start_mic(&d);
	place(&d, BYTES - 1);
	place(&d, 3);
	capture(&d, &seed, PERIOD + 10);
	assert_int_equal(vsnd_queue_stop(d.dev, VSND_RXQ, NULL), 0);
	start_queue(&d, VSND_RXQ, 128, false);
	s = place(&d, BYTES);
	seed = 0;
	assert_int_equal(capture(&d, &seed, PERIOD), PERIOD);
	expect_full(&d, &s, &at);
	vsnd_reset(d.dev);
	assert_false(d.host->open[MIC]);
	device_close(&d);
}

/* A message whose memory went fails, and says so where it can. */
static void memory_vanishes(void **state)
{
	struct vsnd_mem_region part, whole;
	uint32_t seed = 0;
	uint64_t header, data, at;
	struct ring_used used;
	uint32_t id = htole32(MIC), status;
	struct device d;

	(void)state;
	open_mic(&d, EVENT_IDX);
	whole = guest_region(&d.g);
	start_mic(&d);
	header = guest_alloc(&d.g, 32, 8);
	data = guest_alloc(&d.g, BYTES, 8);
	memcpy(guest_ptr(&d.g, header), &id, 4);
	const struct ring_buf bufs[] = { { header, 4, false }, { data, BYTES, true },
					 { header + 8, 8, true } };
	ring_post(&d.ring[VSND_RXQ], bufs, 3);
	capture(&d, &seed, 10);
	part = whole;
	part.size = data + BYTES / 2 - part.gpa;
	assert_int_equal(vsnd_set_memory(d.dev, &part, 1), 0);
	assert_int_equal(capture(&d, &seed, PERIOD - 10), PERIOD - 10);
	assert_true(ring_collect(&d.ring[VSND_RXQ], &used));
	assert_int_equal(used.len, 8);
	memcpy(&status, guest_ptr(&d.g, header + 8), 4);
	assert_int_equal(le32toh(status), IOE);
	expect_all(&d, data, 8, 0);
	assert_int_equal(vsnd_set_memory(d.dev, &whole, 1), 0);
	/* The stream goes on. */
	struct sent s = place(&d, BYTES);
	at = (uint64_t)seed * FRAME;
	assert_int_equal(capture(&d, &seed, PERIOD), PERIOD);
	expect_full(&d, &s, &at);
	device_close(&d);
}

/* The driver is frozen: the last message of a full buffer waits for it, and frames are lost. */
static void frozen_driver(void **state)
{
	struct vsnd_stream_stats stats;
	uint32_t seed = 0;
	uint64_t at = 0;
	struct sent s[3];
	struct device d;

	(void)state;
	open_mic(&d, EVENT_IDX);
	run(&d, MIC, 2);
	for (unsigned i = 0; i < 2; i++)
		s[i] = place(&d, BYTES);
	assert_int_equal(capture(&d, &seed, PERIOD), PERIOD);
	assert_int_equal(capture(&d, &seed, PERIOD), PERIOD);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(capture(&d, &seed, PERIOD), 0);
	assert_int_equal(ring_device_used_idx(&d.ring[VSND_RXQ]), 1);
	assert_true(d.host->again_ns > 0);
	assert_int_equal(vsnd_stream_stats(d.dev, MIC, &stats), 0);
	assert_int_equal(stats.xruns, 1);
	expect_full(&d, &s[0], &at);
	ring_want_interrupts(&d.ring[VSND_RXQ], true);
	s[2] = place(&d, BYTES);
	assert_int_equal(capture(&d, &seed, PERIOD), PERIOD);
	/* What was held is done as the cycle begins: as old as when the host last came. */
	expect_full_after(&d, &s[1], &at, 50 * BYTES);
	/* That one is full and the last again. */
	capture(&d, &seed, PERIOD);
	expect_nothing(&d, VSND_RXQ);
	/* Released, it goes back full. */
	assert_int_equal(command(&d, STOP, MIC), OK);
	assert_int_equal(command(&d, RELEASE, MIC), OK);
	at = 52ull * BYTES;
	expect_full(&d, &s[2], &at);
	device_close(&d);
}

/* A volume and a mute for what is recorded, and the overruns told. */
static const union vsnd_ctl_value on = { .integer = { 1 } }, full = { .integer = { 60, 60 } };
static const uint32_t scale[] = { 1, 8, (uint32_t)-6000, 0x10000 | 100 };
static const struct vsnd_ctl_settings capture_elements[] = {
	{ .type = VSND_CTL_INTEGER, .role = VSND_CTL_ROLE_VOLUME, .bind = VSND_CTL_ALL,
	  .direction = VSND_INPUT, .access = VSND_CTL_READ | VSND_CTL_WRITE | VSND_CTL_TLV_READ,
	  .count = 2, .name = "Capture Volume", .max = 60, .step = 1, .value = &full,
	  .tlv = scale },
	{ .type = VSND_CTL_BOOLEAN, .role = VSND_CTL_ROLE_MUTE, .bind = VSND_CTL_ALL,
	  .direction = VSND_INPUT, .access = VSND_CTL_READ | VSND_CTL_WRITE, .count = 1,
	  .name = "Capture Switch", .value = &on },
};

static void add_elements(struct vsnd_settings *s, struct vsnd_stream_settings *streams)
{
	streams[MIC].features = VSND_STREAM_EVT_XRUNS;
	s->ctls = 2;
	s->ctl = capture_elements;
}

static uint32_t write_element(struct device *d, uint32_t id, uint32_t left, uint32_t right)
{
	const uint32_t words[] = { 0x303, id, left, right };

	return request(d, words, id == 0 ? 16 : 12, 4, NULL, NULL);
}

/* What is recorded is turned down on the way, in odd pieces too; what is muted is silence. */
static void gains(void **state)
{
	static const uint32_t sizes[] = { 3001, 1, 2, 9, 2987 };
	int16_t loud[6000], got[3000];
	struct device d;
	struct sent s[5];

	(void)state;
	device_tweak = add_elements;
	open_mic(&d, UINT64_C(1) << VSND_F_CTLS | EVENT_IDX);
	device_tweak = NULL;
	assert_int_equal(write_element(&d, 0, 40, 60), OK);	/* -20 dB left */
	start_mic(&d);
	for (unsigned i = 0; i < 6000; i++)
		loud[i] = (int16_t)htole16(10000);
	for (unsigned i = 0; i < 5; i++)
		s[i] = place(&d, sizes[i]);
	assert_int_equal(record(&d, MIC, loud, 1500, 0), 1500);
	for (unsigned i = 0, at = 0; i < 5; at += sizes[i++]) {
		expect_used(&d, VSND_RXQ, &s[i], 8 + sizes[i], OK, latency_of(&d, &s[i]));
		memcpy((uint8_t *)got + at, guest_ptr(&d.g, s[i].data), sizes[i]);
	}
	for (unsigned i = 0; i < 3000; i++)
		assert_int_equal((int16_t)le16toh((uint16_t)got[i]), i % 2 ? 10000 : 1000);
	assert_int_equal(loud[0], (int16_t)htole16(10000));
	/* The mute fades, and then there is nothing. */
	assert_int_equal(write_element(&d, 1, 0, 0), OK);
	s[0] = place(&d, BYTES);
	s[1] = place(&d, BYTES);
	record(&d, MIC, loud, 2 * PERIOD, 0);
	expect_used(&d, VSND_RXQ, &s[0], 8 + BYTES, OK, BYTES);
	expect_used(&d, VSND_RXQ, &s[1], 8 + BYTES, OK, 0);
	assert_true(((int16_t *)guest_ptr(&d.g, s[0].data))[1] != 0);
	expect_all(&d, s[1].data + 4 * FRAME, BYTES - 4 * FRAME, 0);
	device_close(&d);
}

/* A driver that wants to know hears of an overrun, once an episode. */
static void overrun_is_told(void **state)
{
	struct ring_used used;
	uint32_t event[2];
	struct device d;
	uint64_t gpa;

	(void)state;
	device_tweak = add_elements;
	open_mic(&d, EVENT_IDX);
	device_tweak = NULL;
	gpa = guest_alloc(&d.g, 16, 8);
	for (unsigned i = 0; i < 2; i++) {
		const struct ring_buf buf = { gpa + 8 * i, 8, true };

		ring_post(&d.ring[VSND_EVENTQ], &buf, 1);
	}
	assert_int_equal(set_params(&d, MIC, 7680, 1920, VSND_STREAM_EVT_XRUNS, 2, VSND_FMT_S16,
				    VSND_RATE_48000), OK);
	assert_int_equal(command(&d, PREPARE, MIC), OK);
	assert_int_equal(command(&d, START, MIC), OK);
	place(&d, BYTES);
	record(&d, MIC, spoken, PERIOD, 0);
	vsnd_run(d.dev);
	expect_nothing(&d, VSND_EVENTQ);
	for (unsigned i = 0; i < 3; i++) {
		record(&d, MIC, spoken, PERIOD, 0);
		vsnd_run(d.dev);
	}
	assert_true(ring_collect(&d.ring[VSND_EVENTQ], &used));
	memcpy(event, guest_ptr(&d.g, gpa), sizeof(event));
	assert_int_equal(le32toh(event[0]), 0x1101);
	assert_int_equal(le32toh(event[1]), MIC);
	expect_nothing(&d, VSND_EVENTQ);
	device_close(&d);
}

/* A driver whose buffers are all of memory many times over cannot keep us busy with silence. */
static void silence_has_a_limit(void **state)
{
	struct ring_buf bufs[130];
	struct device d;
	uint64_t gpa;

	(void)state;
	open_mic(&d, INDIRECT | EVENT_IDX);
	start_mic(&d);
	gpa = guest_alloc(&d.g, 64, 8);
	memcpy(guest_ptr(&d.g, gpa), &(uint32_t){ htole32(MIC) }, 4);
	bufs[0] = (struct ring_buf){ gpa, 4, false };
	for (unsigned i = 1; i < 129; i++)
		bufs[i] = (struct ring_buf){ GUEST_GPA + (28u << 20), 2u << 20, true };
	bufs[129] = (struct ring_buf){ gpa + 8, 8, true };
	for (unsigned i = 0; i < 250; i++)
		assert_true(ring_add_indirect(&d.ring[VSND_RXQ], bufs, 130) >= 0);
	ring_show(&d.ring[VSND_RXQ]);
	assert_int_equal(command(&d, STOP, MIC), OK);
	assert_int_equal(command(&d, RELEASE, MIC), OK);
	for (unsigned i = 0; i < 250; i++) {
		struct ring_used used;

		assert_true(ring_collect(&d.ring[VSND_RXQ], &used));
		assert_int_equal(used.len, 8);
	}
	device_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_messages),
		cmocka_unit_test(fragments),
		cmocka_unit_test(pause_of_the_vm),
		cmocka_unit_test(release_while_the_queue_rests),
		cmocka_unit_test(fresh_start_forgets),
		cmocka_unit_test(memory_vanishes),
		cmocka_unit_test(frozen_driver),
		cmocka_unit_test(gains),
		cmocka_unit_test(overrun_is_told),
		cmocka_unit_test(silence_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
