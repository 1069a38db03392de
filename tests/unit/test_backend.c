/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-ends `test` and `null` with a real device, of which each half of this
 * program is a witness for the other: a stream is set up, played, released.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "audio/audio.h"
#include "audio/test.h"
#include "ring_driver.h"

#define PERIOD 480u
#define PERIODS 8u
#define FRAME 4u
#define OK 0x8000u
#define IOE 0x8003u

enum { SET_PARAMS = 0x101, PREPARE, RELEASE, START, STOP };

struct rig {
	struct vsnd *dev;
	struct vsnd_audio *audio;	/* of the back-end `test` */
	struct guest guest;
	struct ring ring[VSND_QUEUES];
	uint8_t next;		/* byte to be sent */
	uint32_t stream;
};

#define MIC 1u

static void open_rig_with(struct rig *r, const struct vsnd_audio_ops *ops, const void *config)
{
	const uint64_t features = UINT64_C(1) << VSND_F_VERSION_1;
	struct vsnd_mem_region region;
	struct vsnd_settings s;

	*r = (struct rig){ .next = 1 };
	vsnd_settings_init(&s);
	s.audio = ops;
	s.audio_config = config;
	assert_int_equal(vsnd_create(&s, &r->dev), 0);
	guest_init(&r->guest, 0x40000000, (size_t)4 << 20);
	region = guest_region(&r->guest);
	assert_int_equal(vsnd_set_features(r->dev, features), 0);
	assert_int_equal(vsnd_set_memory(r->dev, &region, 1), 0);
	for (unsigned q = 0; q < VSND_QUEUES; q++) {
		struct vsnd_queue_setup setup;

		ring_init(&r->ring[q], &r->guest, 64, features, 0);
		setup = ring_setup(&r->ring[q]);
		assert_int_equal(vsnd_queue_start(r->dev, q, &setup), 0);
		assert_int_equal(vsnd_queue_enable(r->dev, q, true), 0);
	}
}

static void open_rig(struct rig *r, bool threadless)
{
	struct audio_test_config config = { .ret_audio = &r->audio, .threadless = threadless };

	open_rig_with(r, &audio_test_ops, &config);
}

static void close_rig(struct rig *r)
{
	vsnd_destroy(&r->dev);
	for (unsigned q = 0; q < VSND_QUEUES; q++)
		ring_fini(&r->ring[q]);
	guest_fini(&r->guest);
}

static uint32_t request(struct rig *r, const uint32_t *words, unsigned n)
{
	uint64_t in = guest_alloc(&r->guest, n * 4, 4), out = guest_alloc(&r->guest, 4, 4);
	const struct ring_buf bufs[] = { { in, n * 4, false }, { out, 4, true } };
	struct ring_used used;
	uint32_t status;

	for (unsigned i = 0; i < n; i++)
		((uint32_t *)guest_ptr(&r->guest, in))[i] = htole32(words[i]);
	ring_post(&r->ring[VSND_CONTROLQ], bufs, 2);
	vsnd_queue_kick(r->dev, VSND_CONTROLQ);
	vsnd_run(r->dev);
	assert_true(ring_collect(&r->ring[VSND_CONTROLQ], &used));
	memcpy(&status, guest_ptr(&r->guest, out), 4);
	return le32toh(status);
}

static uint32_t command(struct rig *r, uint32_t code)
{
	const uint32_t words[] = { code, r->stream };

	return request(r, words, 2);
}

/* S16, two channels, 48 kHz. */
static void set_params(struct rig *r)
{
	const uint32_t words[] = { SET_PARAMS, r->stream, PERIOD * PERIODS * FRAME, PERIOD * FRAME, 0,
		2 | VSND_FMT_S16 << 8 | VSND_RATE_48000 << 16 };

	assert_int_equal(request(r, words, 6), OK);
}

static uint64_t send(struct rig *r)
{
	uint32_t bytes = PERIOD * FRAME;
	uint64_t header = guest_alloc(&r->guest, 4, 4), data = guest_alloc(&r->guest, bytes, 4);
	uint64_t status = guest_alloc(&r->guest, 8, 4);
	const struct ring_buf bufs[] = {
		{ header, 4, false }, { data, bytes, false }, { status, 8, true },
	};

	memset(guest_ptr(&r->guest, header), 0, 4);
	for (uint32_t i = 0; i < bytes; i++)
		((uint8_t *)guest_ptr(&r->guest, data))[i] = r->next++;
	ring_post(&r->ring[VSND_TXQ], bufs, 3);
	vsnd_queue_kick(r->dev, VSND_TXQ);
	return status;
}

static uint32_t word(struct rig *r, uint64_t gpa, unsigned i)
{
	uint32_t value;

	memcpy(&value, (uint8_t *)guest_ptr(&r->guest, gpa) + i * 4, 4);
	return le32toh(value);
}

static void expect_played(struct rig *r, size_t frames, size_t guest_frames)
{
	size_t bytes;
	const uint8_t *played = audio_test_played(r->audio, 0, &bytes);
	uint8_t byte = 1;

	assert_int_equal(bytes, frames * FRAME);
	assert_int_equal(audio_test_guest_frames(r->audio, 0), guest_frames);
	for (size_t i = 0; i < guest_frames * FRAME; i++)
		assert_int_equal(played[i], byte++);
	for (size_t i = guest_frames * FRAME; i < bytes; i++)
		assert_int_equal(played[i], 0);
}

static void play(bool threadless)
{
	const size_t pieces[] = { 1, 33, 200 };
	struct ring_used used;
	uint64_t sent[4];
	struct rig r;

	open_rig(&r, threadless);
	set_params(&r);
	audio_test_set_open_error(r.audio, -ENOMEM);
	assert_int_equal(command(&r, PREPARE), IOE);
	audio_test_set_open_error(r.audio, 0);
	assert_int_equal(command(&r, PREPARE), OK);
	assert_int_equal(audio_test_voices(r.audio), 1);
	assert_int_equal(audio_test_voices_running(r.audio), 0);
	assert_int_equal(audio_test_params(r.audio, 0)->period_frames, PERIOD);
	for (unsigned i = 0; i < 3; i++)
		sent[i] = send(&r);
	audio_test_advance(r.audio, PERIOD, 2);
	expect_played(&r, 0, 0);

	assert_int_equal(command(&r, START), OK);
	assert_int_equal(audio_test_voices_running(r.audio), 1);
	audio_test_set_delay(r.audio, 1000);
	audio_test_set_pieces(r.audio, pieces, 3);
	audio_test_advance(r.audio, PERIOD / 2, 5);
	expect_played(&r, PERIOD / 2 * 5, PERIOD / 2 * 5);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(ring_collect(&r.ring[VSND_TXQ], &used));
		assert_int_equal(word(&r, sent[i], 0), OK);
		assert_int_equal(word(&r, sent[i], 1), 1000 * FRAME);
	}
	audio_test_advance(r.audio, PERIOD, 1);
	expect_played(&r, PERIOD / 2 * 7, PERIOD * 3);

	assert_int_equal(command(&r, STOP), OK);
	audio_test_forget(r.audio);
	r.next = 1;
	sent[3] = send(&r);
	audio_test_set_flush(r.audio, 100);
	audio_test_hold_close(r.audio, true);
	assert_int_equal(command(&r, RELEASE), OK);
	assert_int_equal(audio_test_voices_closing(r.audio), 1);
	audio_test_hold_close(r.audio, false);
	assert_int_equal(audio_test_voices_closing(r.audio), 0);
	expect_played(&r, 100, 100);
	assert_int_equal(audio_test_voices(r.audio), 0);
	assert_true(audio_test_cycles(r.audio) > 8);
	assert_true(audio_test_now_ns(r.audio) >= 55000000);
	close_rig(&r);
}

static void test_plays_on_its_thread(void **state)
{
	(void)state;
	play(false);
}

static void test_plays_without_a_thread(void **state)
{
	(void)state;
	play(true);
}

/* An empty buffer for the microphone; where its frames will be. */
static uint64_t place(struct rig *r)
{
	uint64_t header = guest_alloc(&r->guest, 4, 4);
	uint64_t data = guest_alloc(&r->guest, PERIOD * FRAME + 8, 4);
	const struct ring_buf bufs[] = { { header, 4, false }, { data, PERIOD * FRAME + 8, true } };

	memcpy(guest_ptr(&r->guest, header), &(uint32_t){ htole32(MIC) }, 4);
	ring_post(&r->ring[VSND_RXQ], bufs, 2);
	vsnd_queue_kick(r->dev, VSND_RXQ);
	return data;
}

/* A source that counts bytes. */
static void count_up(void *ctx, unsigned stream, void *dst, size_t bytes)
{
	uint8_t *next = ctx;

	assert_int_equal(stream, MIC);
	for (size_t i = 0; i < bytes; i++)
		((uint8_t *)dst)[i] = (*next)++;
}

static void record(bool threadless)
{
	const size_t pieces[] = { 1, 33, 200 };
	uint8_t next = 7, want = 7;
	struct ring_used used;
	uint64_t data[3];
	struct rig r;

	open_rig(&r, threadless);
	r.stream = MIC;
	set_params(&r);
	assert_int_equal(command(&r, PREPARE), OK);
	for (unsigned i = 0; i < 3; i++)
		data[i] = place(&r);
	audio_test_set_source(r.audio, count_up, &next);
	audio_test_set_pieces(r.audio, pieces, 3);
	audio_test_set_delay(r.audio, 1000);
	assert_int_equal(command(&r, START), OK);
	audio_test_advance(r.audio, PERIOD / 2, 5);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(ring_collect(&r.ring[VSND_RXQ], &used));
		assert_int_equal(used.len, PERIOD * FRAME + 8);
		assert_int_equal(word(&r, data[i] + PERIOD * FRAME, 0), OK);
		assert_int_equal(word(&r, data[i] + PERIOD * FRAME, 1), 1000 * FRAME);
		for (unsigned k = 0; k < PERIOD * FRAME; k++)
			assert_int_equal(*((uint8_t *)guest_ptr(&r.guest, data[i]) + k), want++);
	}
	audio_test_set_away(r.audio, true);
	audio_test_advance(r.audio, PERIOD, 1);
	assert_true(ring_collect(&r.ring[VSND_RXQ], &used));
	assert_int_equal(*((uint8_t *)guest_ptr(&r.guest, data[2]) + PERIOD * FRAME - 1), 0);
	assert_int_equal(audio_test_guest_frames(r.audio, MIC), 3 * PERIOD);
	assert_int_equal(command(&r, STOP), OK);
	assert_int_equal(command(&r, RELEASE), OK);
	close_rig(&r);
}

static void test_records_on_its_thread(void **state)
{
	(void)state;
	record(false);
}

static void test_records_without_a_thread(void **state)
{
	(void)state;
	record(true);
}

/* A host that answers with errors: the messages fail at its pace, and then it goes on. */
static void test_failed_output(void **state)
{
	struct ring_used used;
	uint64_t sent[3];
	struct rig r;

	(void)state;
	open_rig(&r, true);
	set_params(&r);
	assert_int_equal(command(&r, PREPARE), OK);
	for (unsigned i = 0; i < 3; i++)
		sent[i] = send(&r);
	assert_int_equal(command(&r, START), OK);
	audio_test_set_delay(r.audio, 50);
	audio_test_advance(r.audio, PERIOD / 2, 1);
	audio_test_set_fails(r.audio, true);
	audio_test_advance(r.audio, PERIOD / 2 - 1, 1);
	assert_false(ring_collect(&r.ring[VSND_TXQ], &used));
	audio_test_advance(r.audio, 1, 1);
	assert_true(ring_collect(&r.ring[VSND_TXQ], &used));
	audio_test_set_fails(r.audio, false);
	audio_test_advance(r.audio, PERIOD, 1);
	audio_test_set_fails(r.audio, true);
	audio_test_set_stalled(r.audio, true);
	audio_test_advance(r.audio, PERIOD, 1);
	assert_true(ring_collect(&r.ring[VSND_TXQ], &used));
	assert_false(ring_collect(&r.ring[VSND_TXQ], &used));
	audio_test_set_stalled(r.audio, false);
	audio_test_advance(r.audio, PERIOD, 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(word(&r, sent[i], 0), i == 1 ? OK : IOE);
		assert_int_equal(word(&r, sent[i], 1), i == 1 ? 50 * FRAME : 0);
	}
	assert_int_equal(command(&r, STOP), OK);
	assert_int_equal(command(&r, RELEASE), OK);
	close_rig(&r);
}

static void test_failed_input(void **state)
{
	const uint8_t bytes[] = { 1, 2, 3 };
	struct audio_test_counters n;
	struct ring_used used;
	uint64_t data[3];
	struct rig r;

	(void)state;
	open_rig(&r, true);
	r.stream = MIC;
	set_params(&r);
	assert_int_equal(command(&r, PREPARE), OK);
	for (unsigned i = 0; i < 3; i++)
		data[i] = place(&r);
	assert_int_equal(command(&r, START), OK);
	audio_test_set_ramp(r.audio);
	audio_test_advance(r.audio, PERIOD, 1);
	audio_test_set_fails(r.audio, true);
	audio_test_advance(r.audio, PERIOD, 1);
	audio_test_set_fails(r.audio, false);
	audio_test_set_bytes(r.audio, bytes, sizeof(bytes));
	audio_test_advance(r.audio, PERIOD, 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(ring_collect(&r.ring[VSND_RXQ], &used));
		assert_int_equal(used.len, i == 1 ? 8 : PERIOD * FRAME + 8);
		assert_int_equal(word(&r, data[i] + PERIOD * FRAME, 0), i == 1 ? IOE : OK);
	}
	assert_int_equal(word(&r, data[0], 479), 479);
	assert_int_equal(word(&r, data[2], 0), 0x01030201);
	audio_test_counters(r.audio, MIC, &n);
	assert_int_equal(n.frames, 3 * PERIOD);
	assert_int_equal(n.guest_frames, 2 * PERIOD);
	assert_int_equal(command(&r, STOP), OK);
	assert_int_equal(command(&r, RELEASE), OK);
	close_rig(&r);
}

/* The hand lets go of the clock, and takes it again: time never goes back. */
static void test_real_time(void **state)
{
	const struct timespec tick = { .tv_nsec = 1000000 };
	uint64_t cycles;
	int64_t at_ns;
	struct rig r;

	(void)state;
	open_rig(&r, false);
	set_params(&r);
	assert_int_equal(command(&r, PREPARE), OK);
	for (unsigned i = 0; i < PERIODS; i++)
		send(&r);
	assert_int_equal(command(&r, START), OK);
	audio_test_advance(r.audio, PERIOD, 2);
	at_ns = audio_test_now_ns(r.audio);
	audio_test_set_real(r.audio, true);
	for (unsigned i = 0; i < 5000 && audio_test_guest_frames(r.audio, 0) < 5 * PERIOD; i++)
		nanosleep(&tick, NULL);
	assert_true(audio_test_guest_frames(r.audio, 0) >= 5 * PERIOD);
	audio_test_set_real(r.audio, false);
	audio_test_cycle(r.audio);
	assert_true(audio_test_now_ns(r.audio) - at_ns >= 25000000);
	cycles = audio_test_cycles(r.audio);
	nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
	assert_int_equal(audio_test_cycles(r.audio), cycles);
	assert_int_equal(command(&r, STOP), OK);
	assert_int_equal(command(&r, RELEASE), OK);
	close_rig(&r);
}

/* The null back-end's microphone hears nothing, at the guest's rate. */
static void null_records_silence(void **state)
{
	const struct timespec tick = { .tv_nsec = 1000000 };
	struct timespec began, ended;
	struct ring_used used;
	unsigned done = 0;
	uint64_t data = 0;
	struct rig r;
	int64_t took_ms;

	(void)state;
	open_rig_with(&r, &audio_null_ops, NULL);
	r.stream = MIC;
	set_params(&r);
	assert_int_equal(command(&r, PREPARE), OK);
	for (unsigned i = 0; i < PERIODS; i++)
		data = place(&r);
	clock_gettime(CLOCK_MONOTONIC, &began);
	assert_int_equal(command(&r, START), OK);
	/* The last one of a full buffer waits for a driver that looks. */
	for (unsigned i = 0; i < 5000 && done < PERIODS; i++) {
		nanosleep(&tick, NULL);
		while (ring_collect(&r.ring[VSND_RXQ], &used)) {
			assert_int_equal(used.len, PERIOD * FRAME + 8);
			done++;
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &ended);
	took_ms = (ended.tv_sec - began.tv_sec) * 1000 + (ended.tv_nsec - began.tv_nsec) / 1000000;
	assert_int_equal(done, PERIODS);
	assert_in_range(took_ms, 10 * PERIODS - 2, 2000);
	for (unsigned k = 0; k < PERIOD * FRAME; k++)
		assert_int_equal(*((uint8_t *)guest_ptr(&r.guest, data) + k), 0);
	assert_int_equal(command(&r, STOP), OK);
	assert_int_equal(command(&r, RELEASE), OK);
	close_rig(&r);
}

static void null_keeps_time(void **state)
{
	const struct timespec tick = { .tv_nsec = 1000000 };
	struct vsnd_stream_stats stats = { 0 };
	struct timespec began, ended;
	struct rig r;
	int64_t took_ms;

	(void)state;
	open_rig_with(&r, &audio_null_ops, NULL);
	set_params(&r);
	assert_int_equal(command(&r, PREPARE), OK);
	for (unsigned i = 0; i < PERIODS; i++)
		send(&r);
	assert_int_equal(command(&r, START), OK);
	clock_gettime(CLOCK_MONOTONIC, &began);
	for (unsigned i = 0; i < 5000 && stats.discarded < PERIODS * PERIOD; i++) {
		nanosleep(&tick, NULL);
		assert_int_equal(vsnd_stream_stats(r.dev, 0, &stats), 0);
	}
	clock_gettime(CLOCK_MONOTONIC, &ended);
	took_ms = (ended.tv_sec - began.tv_sec) * 1000 + (ended.tv_nsec - began.tv_nsec) / 1000000;
	assert_int_equal(stats.discarded, PERIODS * PERIOD);
	assert_in_range(took_ms, 10 * PERIODS - 2, 1000);
	assert_int_equal(command(&r, STOP), OK);
	assert_int_equal(command(&r, RELEASE), OK);
	close_rig(&r);
}

/* Fast mode: what is queued is taken at once, a second of sound in no time. */
static void null_may_hurry(void **state)
{
	const struct audio_null_config config = { .fast = true };
	const struct timespec tick = { .tv_nsec = 100000 };
	struct vsnd_stream_stats stats = { 0 };
	struct ring_used used;
	struct rig r;

	(void)state;
	open_rig_with(&r, &audio_null_ops, &config);
	set_params(&r);
	assert_int_equal(command(&r, PREPARE), OK);
	for (unsigned i = 0; i < PERIODS; i++)
		send(&r);
	assert_int_equal(command(&r, START), OK);
	for (unsigned sent = PERIODS; sent < 100; sent++) {
		for (unsigned i = 0; i < 50000 && stats.frames < sent * PERIOD; i++) {
			nanosleep(&tick, NULL);
			assert_int_equal(vsnd_stream_stats(r.dev, 0, &stats), 0);
		}
		assert_int_equal(stats.frames, sent * PERIOD);
		while (ring_collect(&r.ring[VSND_TXQ], &used))
			;
		send(&r);
	}
	assert_int_equal(stats.discarded, 0);
	assert_int_equal(stats.xruns, 0);
	assert_int_equal(command(&r, STOP), OK);
	assert_int_equal(command(&r, RELEASE), OK);
	close_rig(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plays_on_its_thread),
		cmocka_unit_test(test_plays_without_a_thread),
		cmocka_unit_test(test_records_on_its_thread),
		cmocka_unit_test(test_records_without_a_thread),
		cmocka_unit_test(test_failed_output),
		cmocka_unit_test(test_failed_input),
		cmocka_unit_test(test_real_time),
		cmocka_unit_test(null_keeps_time),
		cmocka_unit_test(null_records_silence),
		cmocka_unit_test(null_may_hurry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
