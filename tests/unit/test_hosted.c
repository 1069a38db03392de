/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A voice that a host pulls, without a host and without a device: the guest is a
 * counter, each of whose frames is one more than the last, and the time is ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "audio/hosted.h"

#define RATE 48000
#define MS INT64_C(1000000)
#define T0 (1000 * MS)

/* The guest refills its whole buffer whenever it is asked, unless it is late. */
static struct {
	uint32_t next;		/* frames are 1, 2, 3, … */
	size_t queued;
	size_t buffer;
	size_t discarded;
	size_t room, most;
	bool late;
} guest;

size_t vsnd_stream_queued(const struct vsnd_stream *s)
{
	(void)s;
	return guest.queued;
}

size_t vsnd_stream_room(const struct vsnd_stream *s)
{
	(void)s;
	return guest.room;
}

/* Frames are 1, 2, 3, … and silence is discarded. */
size_t vsnd_push(struct vsnd_stream *s, const void *src, size_t frames, int64_t delay_frames)
{
	const uint32_t *from = src;

	(void)s;
	(void)delay_frames;
	if (frames > guest.most)
		guest.most = frames;
	for (size_t i = 0; i < frames && from; i++) {
		if (from[i] == 0)
			guest.discarded++;
		else
			assert_int_equal(from[i], ++guest.next);
	}
	if (!from)
		guest.discarded += frames;
	return frames;
}

size_t vsnd_pull(struct vsnd_stream *s, void *dst, size_t frames, int64_t delay_frames)
{
	size_t n = frames < guest.queued ? frames : guest.queued;
	uint32_t *to = dst;

	(void)s;
	(void)delay_frames;
	for (size_t i = 0; i < frames && to; i++)
		to[i] = i < n ? ++guest.next : 0;
	if (!to) {
		guest.next += (uint32_t)n;
		guest.discarded += n;
	}
	guest.queued -= n;
	if (!guest.late)
		guest.queued = guest.buffer;
	return n;
}

static void init(struct hosted *h, uint32_t period, uint32_t periods)
{
	struct vsnd_voice_params params = {
		.format = VSND_FMT_S16,
		.channels = 2,
		.rate_hz = RATE,
		.frame_bytes = 4,
		.period_frames = period,
		.buffer_frames = period * periods,
	};

	memset(&guest, 0, sizeof(guest));
	guest.buffer = params.buffer_frames;
	guest.queued = guest.buffer;
	assert_int_equal(hosted_init(h, NULL, &params), 0);
}

/* What the host has heard: frames in order without a gap, after some silence. */
struct heard {
	uint32_t last;
	size_t lead, gaps;
};

static void hear(struct heard *e, const uint32_t *frames, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (frames[i] == 0) {
			*(e->last ? &e->gaps : &e->lead) += 1;
			continue;
		}
		assert_int_equal(frames[i], e->last + 1);
		e->last = frames[i];
	}
}

/* Let the timer have its turns up to @until_ns. */
static void pass(struct hosted *h, int64_t until_ns)
{
	int64_t due_ns;

	while ((due_ns = hosted_due(h)) <= until_ns)
		hosted_turn(h, due_ns);
}

/* @cycles of @frames, each taking @cycle_ns, from @at_ns on.  Returns the end. */
static int64_t host_runs(struct hosted *h, struct heard *e, unsigned cycles, size_t frames,
		int64_t cycle_ns, int64_t at_ns)
{
	static uint32_t got[16384];

	for (unsigned i = 0; i < cycles; i++, at_ns += cycle_ns) {
		pass(h, at_ns);
		memset(got, 0xff, sizeof(got));
		hosted_take(h, got, frames, 0, at_ns, at_ns);
		hear(e, got, frames);
	}
	return at_ns;
}

static int64_t cycle_ns(size_t frames)
{
	return (int64_t)frames * 1000 * MS / RATE;
}

static void test_direct(void **state)
{
	struct hosted h;
	struct heard e = { 0 };

	(void)state;
	init(&h, 480, 4);
	hosted_start(&h, T0, true);
	host_runs(&h, &e, 1000, 256, cycle_ns(256), T0 + 300 * MS);
	assert_int_equal(h.mode, HOSTED_DIRECT);
	assert_int_equal(e.last, 256000);
	assert_int_equal(e.lead + e.gaps, 0);
	assert_int_equal(guest.discarded, 0);
	hosted_free(&h);
}

static void test_nobody_waits_for_no_server(void **state)
{
	struct hosted h;

	(void)state;
	init(&h, 480, 4);
	hosted_start(&h, T0, false);
	pass(&h, T0 + 1000 * MS);
	assert_in_range(guest.discarded, RATE - 480, RATE);
	hosted_free(&h);
}

static void test_the_timer_takes_over_and_gives_back(void **state)
{
	struct hosted h;
	struct heard e = { 0 };
	int64_t end_ns;

	(void)state;
	init(&h, 480, 4);
	hosted_start(&h, T0, true);
	end_ns = host_runs(&h, &e, 100, 256, cycle_ns(256), T0);
	pass(&h, end_ns + 90 * MS);
	assert_int_equal(guest.discarded, 0);
	pass(&h, end_ns + 1100 * MS);
	assert_int_equal(h.mode, HOSTED_AWAY);
	assert_in_range(guest.discarded, RATE - 960, RATE + 960);
	e = (struct heard){ .last = guest.next };
	host_runs(&h, &e, 100, 256, cycle_ns(256), end_ns + 1100 * MS);
	assert_int_equal(h.mode, HOSTED_DIRECT);
	assert_int_equal(e.gaps, 0);
	hosted_free(&h);
}

static void test_a_lost_server_is_not_waited_for(void **state)
{
	struct hosted h;

	(void)state;
	init(&h, 480, 4);
	hosted_start(&h, T0, true);
	hosted_lost(&h, T0 + MS);
	pass(&h, T0 + 101 * MS);
	assert_int_equal(guest.discarded, RATE / 10);
	hosted_free(&h);
}

/* For a minute, with a host whose clock is off by @ppm. */
static void read_ahead_with(int64_t ppm)
{
	struct hosted h;
	struct heard e = { 0 };
	int64_t ns = cycle_ns(8192);

	init(&h, 480, 2);
	hosted_start(&h, T0, true);
	host_runs(&h, &e, 350, 8192, ns + ns * ppm / 1000000, T0);
	assert_int_equal(h.mode, HOSTED_AHEAD);
	assert_int_equal(e.gaps, 0);
	assert_in_range(e.lead, 8192, 2 * 8192);
	assert_in_range(h.ahead.level, 240, 3 * 480);
	assert_int_equal(guest.discarded, 0);
	hosted_free(&h);
}

static void test_read_ahead(void **state)
{
	(void)state;
	read_ahead_with(0);
	read_ahead_with(300);
	read_ahead_with(-300);
}

/* Cycles of @frames in pieces are what they are in one. */
static void pieces_of(size_t frames, uint32_t periods, enum hosted_mode mode)
{
	static uint32_t got[1024];
	struct hosted h;
	struct heard e = { 0 };
	int64_t at_ns = T0;

	init(&h, 480, periods);
	hosted_start(&h, T0, true);
	for (unsigned i = 0; i < 20; i++, at_ns += cycle_ns(frames)) {
		pass(&h, at_ns);
		hosted_call(&h, frames, 0, at_ns, at_ns);
		for (size_t n = 0, piece; n < frames; n += piece) {
			piece = frames - n < 1000 ? frames - n : 1000;
			hosted_piece(&h, got, piece);
			hear(&e, got, piece);
		}
	}
	assert_int_equal(h.mode, mode);
	assert_int_equal(e.gaps, 0);
	assert_in_range(e.lead, 0, 2 * frames);
	assert_int_equal(e.last + e.lead, 20 * frames);
	hosted_free(&h);
}

static void test_pieces(void **state)
{
	(void)state;
	pieces_of(1440, 4, HOSTED_DIRECT);
	pieces_of(8192, 2, HOSTED_AHEAD);
}

/* The host gives @cycles of @frames to a guest that records; its next frame is *@next. */
static int64_t host_gives(struct hosted *h, uint32_t *next, unsigned cycles, size_t frames,
		int64_t ns, int64_t at_ns)
{
	static uint32_t said[16384];

	for (unsigned cycle = 0; cycle < cycles; cycle++, at_ns += ns) {
		for (size_t i = 0; i < frames; i++)
			said[i] = ++*next;
		pass(h, at_ns);
		hosted_give(h, said, frames, 0, at_ns, at_ns);
	}
	return at_ns;
}

/* For a minute, with a host whose clock is off by @ppm; then shorter cycles. */
static void read_behind_with(int64_t ppm)
{
	struct hosted h;
	uint32_t next = 0;
	int64_t ns = cycle_ns(8192), at_ns;

	init(&h, 480, 2);
	h.params.direction = VSND_INPUT;
	guest.room = 960;
	hosted_start(&h, T0, true);
	at_ns = host_gives(&h, &next, 350, 8192, ns + ns * ppm / 1000000, T0);
	assert_int_equal(h.mode, HOSTED_AHEAD);
	assert_in_range(h.ahead.level - 8192, 480, 4 * 480);
	assert_int_equal(guest.next, next - h.ahead.level);
	assert_int_equal(guest.discarded, 0);
	assert_in_range(guest.most, 1, 480);
	at_ns = host_gives(&h, &next, 10000, 256, cycle_ns(256), at_ns);
	assert_int_equal(guest.discarded, 0);
	assert_int_equal(guest.next, next - h.ahead.level);
	assert_in_range(h.ahead.level, 256, 5 * 480);
	hosted_free(&h);
}

static void test_read_behind(void **state)
{
	(void)state;
	read_behind_with(0);
	read_behind_with(300);
	read_behind_with(-300);
}

/* The host misses a time: silence for the guest, and nothing of what comes is lost. */
static void test_read_behind_runs_dry(void **state)
{
	struct hosted h;
	uint32_t next = 0;
	int64_t at_ns;

	(void)state;
	init(&h, 480, 2);
	h.params.direction = VSND_INPUT;
	guest.room = 960;
	hosted_start(&h, T0, true);
	at_ns = host_gives(&h, &next, 10, 8192, cycle_ns(8192), T0);
	at_ns = host_gives(&h, &next, 10, 8192, cycle_ns(8192), at_ns + 100 * MS);
	assert_int_equal(h.mode, HOSTED_AHEAD);
	assert_in_range(guest.discarded, 48 * 75, 48 * 125);
	assert_int_equal(guest.next, next - h.ahead.level);
	hosted_free(&h);
}

static void test_a_shorter_cycle_plays_the_ring_out(void **state)
{
	struct hosted h;
	struct heard e = { 0 };
	int64_t end_ns;

	(void)state;
	init(&h, 480, 2);
	hosted_start(&h, T0, true);
	end_ns = host_runs(&h, &e, 10, 8192, cycle_ns(8192), T0);
	host_runs(&h, &e, 200, 256, cycle_ns(256), end_ns);
	assert_int_equal(h.mode, HOSTED_DIRECT);
	assert_int_equal(h.ahead.level, 0);
	assert_int_equal(e.gaps, 0);
	hosted_free(&h);
}

static void test_flush(void **state)
{
	struct hosted h;
	struct heard e = { 0 };
	int64_t end_ns;

	(void)state;
	init(&h, 480, 4);
	hosted_start(&h, T0, true);
	end_ns = host_runs(&h, &e, 10, 256, cycle_ns(256), T0);
	hosted_stop(&h);
	guest.late = true;
	hosted_flush(&h, true);
	assert_int_equal(guest.queued, 0);
	host_runs(&h, &e, 10, 256, cycle_ns(256), end_ns);
	assert_int_equal(e.last, 2560 + 1920);
	assert_int_equal(hosted_due(&h), INT64_MAX);
	hosted_free(&h);
}

static void test_a_burst_is_not_followed(void **state)
{
	struct hosted h;
	struct heard e = { 0 };
	int64_t end_ns;

	(void)state;
	init(&h, 480, 4);
	hosted_start(&h, T0, true);
	end_ns = host_runs(&h, &e, 100, 256, cycle_ns(256), T0);
	host_runs(&h, &e, 400, 256, 1000, end_ns);
	assert_in_range(e.last, 25600, 25600 + RATE / 8);
	/* The time catches up, and the host is served again. */
	end_ns = host_runs(&h, &e, 20, 256, cycle_ns(256), end_ns + 50 * MS);
	e.gaps = 0;
	host_runs(&h, &e, 1000, 256, cycle_ns(256), end_ns);
	assert_int_equal(e.gaps, 0);
	assert_int_equal(guest.discarded, 0);
	hosted_free(&h);
}

static void test_recording(void **state)
{
	struct hosted h;
	uint32_t frames[256], next = 0;
	int64_t at_ns = T0;

	(void)state;
	init(&h, 480, 4);
	h.params.direction = VSND_INPUT;
	guest.room = 1920;
	hosted_start(&h, at_ns, true);
	for (unsigned cycle = 0; cycle < 1000; cycle++, at_ns += cycle_ns(256)) {
		for (unsigned i = 0; i < 256; i++)
			frames[i] = ++next;
		pass(&h, at_ns);
		hosted_give(&h, frames, 256, 0, at_ns, at_ns);
	}
	assert_int_equal(guest.next, 256000);
	assert_int_equal(guest.discarded, 0);
	pass(&h, at_ns + 1100 * MS);
	assert_in_range(guest.discarded, RATE - 960, RATE + 960);
	hosted_free(&h);
}

/* Long cycles as long as the guest has 10 ms, or a period, to be late in. */
static void test_cycle_wish(void **state)
{
	static const struct {
		uint32_t rate, period, buffer, longest, cycle;
	} of[] = {
		{ 48000, 480, 1920, 1024, 480 }, { 48000, 96, 1536, 1024, 384 },
		{ 48000, 480, 960, 480, 480 }, { 48000, 960, 1920, 960, 960 },
		{ 48000, 48, 96, 48, 48 }, { 48000, 96, 576, 96, 96 }, { 48000, 96, 960, 480, 192 },
		{ 48000, 2048, 8192, 2048, 2048 }, { 48000, 480, 48000, 1024, 480 },
		{ 44100, 441, 44100, 940, 441 }, { 96000, 960, 3840, 2048, 960 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		struct vsnd_voice_params p = {
			.direction = VSND_OUTPUT, .rate_hz = of[i].rate,
			.period_frames = of[i].period, .buffer_frames = of[i].buffer,
		};

		assert_int_equal(hosted_cycle_wish(&p, false), of[i].cycle);
		assert_int_equal(hosted_cycle_wish(&p, true), of[i].longest);
		p.direction = VSND_INPUT;
		assert_int_equal(hosted_cycle_wish(&p, true), of[i].period);
	}
}

static void test_a_late_guest_is_noticed(void **state)
{
	uint32_t out[1024];
	struct hosted h;

	(void)state;
	init(&h, 480, 4);
	hosted_start(&h, T0, true);
	hosted_take(&h, out, 1024, 0, 1, T0);
	assert_false(h.late);
	guest.late = true;
	hosted_take(&h, out, 1024, 0, 2, T0 + 21 * MS);
	assert_false(h.late);
	hosted_take(&h, out, 1024, 0, 3, T0 + 42 * MS);
	assert_true(h.late);
	guest.late = false;
	hosted_take(&h, out, 1024, 0, 4, T0 + 64 * MS);
	assert_true(h.late);
	hosted_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_direct),
		cmocka_unit_test(test_nobody_waits_for_no_server),
		cmocka_unit_test(test_the_timer_takes_over_and_gives_back),
		cmocka_unit_test(test_a_lost_server_is_not_waited_for),
		cmocka_unit_test(test_read_ahead),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_read_behind),
		cmocka_unit_test(test_read_behind_runs_dry),
		cmocka_unit_test(test_a_shorter_cycle_plays_the_ring_out),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_a_burst_is_not_followed),
		cmocka_unit_test(test_recording),
		cmocka_unit_test(test_cycle_wish),
		cmocka_unit_test(test_a_late_guest_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
