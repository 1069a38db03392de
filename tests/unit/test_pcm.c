/* SPDX-License-Identifier: BSD-3-Clause */
/* The control queue: queries, and the life of a stream, cell by cell. */
#include "device_fixture.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void info_answers_match_the_config(void **state)
{
	static const struct { uint32_t code, bytes; } kinds[] = {
		{ JACK_INFO, 24 }, { PCM_INFO, 32 }, { CHMAP_INFO, 24 },
	};
	uint32_t config[4], len;
	struct device d;

	(void)state;
	device_open(&d, INDIRECT | EVENT_IDX, 64);
	vsnd_config_read(d.dev, 0, config, sizeof(config));
	assert_int_equal(le32toh(config[0]), 1);
	assert_int_equal(le32toh(config[1]), STREAMS);
	assert_int_equal(le32toh(config[2]), 2);
	assert_int_equal(le32toh(config[3]), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		uint32_t total = le32toh(config[i]);
		uint32_t words[] = { kinds[i].code, 0, total, kinds[i].bytes };

		assert_int_equal(request(&d, words, 16, 4096, NULL, &len), OK);
		assert_int_equal(len, 4 + total * kinds[i].bytes);
		words[2] = total + 1;
		assert_int_equal(request(&d, words, 16, 4096, NULL, NULL), BAD);
		words[1] = total;
		words[2] = 0;
		assert_int_equal(request(&d, words, 16, 4, NULL, NULL), OK);
		words[1] = UINT32_MAX;
		words[2] = 2;
		assert_int_equal(request(&d, words, 16, 4096, NULL, NULL), BAD);
		words[1] = 1;
		words[2] = UINT32_MAX;
		assert_int_equal(request(&d, words, 16, 4096, NULL, NULL), BAD);
	}
	device_close(&d);
}

static void pcm_info_bytes(void **state)
{
	const uint32_t words[] = { PCM_INFO, 2, 1, 32 };
	uint8_t want[32] = { 2, 0, 0, 0, 0, 0, 0, 0, 0x30, 0, 0x0a, 0, 0, 0, 0, 0, 0xc0, 0x04, 0, 0,
			     0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0 };
	uint8_t *answer;
	struct device d;
	uint32_t len;

	(void)state;
	device_open(&d, 0, 8);
	assert_int_equal(request(&d, words, 16, 64, &answer, &len), OK);
	assert_memory_equal(answer + 4, want, sizeof(want));
	assert_int_equal(answer[36], GUEST_POISON);
	device_close(&d);
}

/* `size` is the stride: items are cut or padded to it. */
static void info_stride(void **state)
{
	uint8_t native[96], *answer;
	uint32_t words[] = { PCM_INFO, 0, 3, 32 }, len;
	struct device d;

	(void)state;
	device_open(&d, 0, 64);
	assert_int_equal(request(&d, words, 16, 100, &answer, &len), OK);
	memcpy(native, answer + 4, sizeof(native));
	words[3] = 16;
	assert_int_equal(request(&d, words, 16, 52, &answer, &len), OK);
	assert_int_equal(len, 52);
	for (unsigned i = 0; i < 3; i++)
		assert_memory_equal(answer + 4 + 16 * i, native + 32 * i, 16);
	words[3] = 40;
	assert_int_equal(request(&d, words, 16, 124, &answer, &len), OK);
	for (unsigned i = 0; i < 3; i++) {
		assert_memory_equal(answer + 4 + 40 * i, native + 32 * i, 32);
		for (unsigned k = 32; k < 40; k++)
			assert_int_equal(answer[4 + 40 * i + k], 0);
	}
	words[3] = 3;
	assert_int_equal(request(&d, words, 16, 124, NULL, NULL), BAD);
	words[3] = 0x40000000;
	assert_int_equal(request(&d, words, 16, 4096, NULL, NULL), BAD);
	words[3] = 32;
	assert_int_equal(request(&d, words, 16, 99, NULL, NULL), BAD);
	device_close(&d);
}

static void unknown_and_short_requests(void **state)
{
	static const uint32_t unknown[] = { 0, 3, 0xff, 0x106, 0x201, 0x300, 0x306, 0x8000,
					    UINT32_MAX };
	static const struct { uint32_t code, bytes; } known[] = {
		{ JACK_INFO, 16 }, { JACK_REMAP, 16 }, { PCM_INFO, 16 }, { SET_PARAMS, 24 },
		{ PREPARE, 8 }, { RELEASE, 8 }, { START, 8 }, { STOP, 8 }, { CHMAP_INFO, 16 },
	};
	uint32_t words[8] = { 0 };
	struct device d;

	(void)state;
	device_open(&d, 0, 64);
	for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++) {
		words[0] = unknown[i];
		assert_int_equal(request(&d, words, 16, 4, NULL, NULL), NSUP);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		words[0] = known[i].code;
		assert_int_equal(request(&d, words, known[i].bytes - 1, 4, NULL, NULL), BAD);
	}
	assert_int_equal(request(&d, words, 2, 4, NULL, NULL), BAD);
	words[0] = JACK_REMAP;
	assert_int_equal(request(&d, words, 16, 4, NULL, NULL), NSUP);
	words[1] = 1;
	assert_int_equal(request(&d, words, 16, 4, NULL, NULL), BAD);
	device_close(&d);
}

static void requests_are_counted(void **state)
{
	const uint32_t good[] = { PCM_INFO, 0, 1, 32 }, bad[] = { PCM_INFO, STREAMS, 1, 32 };
	struct vsnd_stats stats;
	struct device d;
	uint32_t len;

	(void)state;
	device_open(&d, 0, 8);
	vsnd_stats(d.dev, &stats);
	assert_int_equal(stats.requests, 0);
	assert_int_equal(request(&d, good, 16, 64, NULL, &len), OK);
	assert_int_equal(request(&d, bad, 16, 64, NULL, NULL), BAD);
	assert_int_equal(request(&d, good, 16, 64, NULL, &len), OK);
	vsnd_reset_state(d.dev);
	vsnd_stats(d.dev, &stats);
	assert_int_equal(stats.requests, 3);
	assert_int_equal(stats.refused, 1);
	device_close(&d);
}

/* Without room for a status the request is not executed, and the ring goes on. */
static void no_room_for_a_status(void **state)
{
	struct device d;
	uint64_t gpa;
	struct ring_used used;

	(void)state;
	device_open(&d, 0, 64);
	prepare(&d, 0, 4);
	gpa = guest_alloc(&d.g, 16, 4);
	((uint32_t *)guest_ptr(&d.g, gpa))[0] = htole32(START);
	((uint32_t *)guest_ptr(&d.g, gpa))[1] = 0;
	for (uint32_t w = 0; w < 4; w += 3) {
		const struct ring_buf bufs[] = { { gpa, 8, false }, { gpa + 8, w, true } };

		ring_post(&d.ring[VSND_CONTROLQ], bufs, 2);
		vsnd_queue_kick(d.dev, VSND_CONTROLQ);
		assert_true(ring_collect(&d.ring[VSND_CONTROLQ], &used));
		assert_int_equal(used.len, 0);
	}
	assert_int_equal(d.errors[VSND_CONTROLQ], 2);
	assert_int_equal(command(&d, STOP, 0), BAD);
	device_close(&d);
}

enum { INIT, SET, PREP, RUN, STOPPED, REL, N_STATES };

/* The state after SET_PARAMS, PREPARE, START, STOP, RELEASE; -1: refused. */
static const int next[N_STATES][5] = {
	[INIT] = { SET, -1, -1, -1, -1 },
	[SET] = { SET, PREP, -1, -1, -1 },
	[PREP] = { SET, PREP, RUN, -1, REL },
	[RUN] = { -1, -1, -1, STOPPED, -1 },
	[STOPPED] = { -1, -1, RUN, -1, REL },
	[REL] = { SET, PREP, -1, -1, -1 },
};

/* Bring stream 0 to a state. */
static void bring(struct device *d, int to)
{
	if (to == INIT)
		return;
	assert_int_equal(set_params(d, 0, 7680, 1920, 0, 2, VSND_FMT_S16, VSND_RATE_48000), OK);
	if (to == SET)
		return;
	assert_int_equal(command(d, PREPARE, 0), OK);
	if (to == PREP)
		return;
	if (to != REL)
		assert_int_equal(command(d, START, 0), OK);
	if (to == STOPPED)
		assert_int_equal(command(d, STOP, 0), OK);
	if (to == REL)
		assert_int_equal(command(d, RELEASE, 0), OK);
}

static uint32_t do_command(struct device *d, unsigned op)
{
	static const uint32_t code[] = { 0, PREPARE, START, STOP, RELEASE };

	if (op == 0)
		return set_params(d, 0, 7680, 1920, 0, 2, VSND_FMT_S16, VSND_RATE_48000);
	return command(d, code[op], 0);
}

/* Which state a stream is in, by what it then allows. */
static int state_of(struct device *d)
{
	bool stop = do_command(d, 3) == OK;
	bool start;

	if (stop)
		return RUN;
	start = do_command(d, 2) == OK;
	if (start) {	/* was PREP or STOPPED: prepared ones could be prepared again */
		assert_int_equal(do_command(d, 3), OK);
		return PREP;
	}
	return do_command(d, 1) == OK ? SET : INIT;
}

static void state_machine(void **state)
{
	(void)state;
	for (int from = 0; from < N_STATES; from++) {
		for (unsigned op = 0; op < 5; op++) {
			int to = next[from][op] < 0 ? from : next[from][op];
			struct device d;

			device_open(&d, 0, 64);
			bring(&d, from);
			assert_int_equal(do_command(&d, op), next[from][op] < 0 ? BAD : OK);
			if (to == STOPPED)
				to = PREP;
			if (to == REL)
				to = SET;
			assert_int_equal(state_of(&d), to);
			device_close(&d);
		}
	}
}

static void set_params_refusals(void **state)
{
	struct device d;

	(void)state;
	device_open(&d, 0, 64);
#define TRY(want, buffer, period, features, channels, format, rate)                             \
	assert_int_equal(set_params(&d, 0, buffer, period, features, channels, format, rate), want)
	TRY(BAD, 7681, 1920, 0, 2, VSND_FMT_S16, VSND_RATE_48000);
	TRY(BAD, 0, 0, 0, 2, VSND_FMT_S16, VSND_RATE_48000);
	TRY(BAD, 1920, 0, 0, 2, VSND_FMT_S16, VSND_RATE_48000);
	TRY(BAD, 0, 1920, 0, 2, VSND_FMT_S16, VSND_RATE_48000);
	TRY(BAD, 3844, 1922, 0, 2, VSND_FMT_S16, VSND_RATE_48000);
	TRY(NSUP, 0xffffff00, 0x0ffffff0, 0, 2, VSND_FMT_S16, VSND_RATE_48000);
	for (unsigned f = 0; f < 5; f++)
		TRY(NSUP, 7680, 1920, 1u << f, 2, VSND_FMT_S16, VSND_RATE_48000);
	TRY(NSUP, 7680, 1920, 0x80000000, 2, VSND_FMT_S16, VSND_RATE_48000);
	TRY(NSUP, 7680, 1920, 0, 0, VSND_FMT_S16, VSND_RATE_48000);
	TRY(NSUP, 7680, 1920, 0, 3, VSND_FMT_S16, VSND_RATE_48000);
	TRY(NSUP, 7680, 1920, 0, 255, VSND_FMT_S16, VSND_RATE_48000);
	static const unsigned formats[] = { 0, 25, 63, 64, 64 + 5, 255 };
	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++)
		TRY(NSUP, 7680, 1920, 0, 2, formats[i], VSND_RATE_48000);
	static const unsigned rates[] = { 0, 16, 63, 64, 64 + 7, 255 };
	for (unsigned i = 0; i < ARRAY_SIZE(rates); i++)
		TRY(NSUP, 7680, 1920, 0, 2, VSND_FMT_S16, rates[i]);
	TRY(OK, 16 << 20, 16 << 20, 0, 1, VSND_FMT_S32, VSND_RATE_96000);
	assert_int_equal(set_params(&d, STREAMS, 7680, 1920, 0, 2, VSND_FMT_S16, VSND_RATE_48000),
			 BAD);
	/* A refused one leaves the stream prepared, with its old parameters. */
	prepare(&d, 1, 4);
	assert_int_equal(set_params(&d, 1, 7680, 1920, 0, 2, VSND_FMT_S16, 0), NSUP);
	assert_int_equal(command(&d, START, 1), OK);
	assert_int_equal(d.host->voice[1].params.rate_hz, 48000);
	device_close(&d);
}

static void prepare_fails_when_the_host_does(void **state)
{
	struct device d;

	(void)state;
	device_open(&d, 0, 64);
	assert_int_equal(set_params(&d, 0, 7680, 1920, 0, 2, VSND_FMT_S16, VSND_RATE_48000), OK);
	d.host->fail_open = true;
	assert_int_equal(command(&d, PREPARE, 0), IOE);
	assert_int_equal(command(&d, START, 0), BAD);
	d.host->fail_open = false;
	assert_int_equal(command(&d, PREPARE, 0), OK);
	device_close(&d);
}

/* Random commands on all streams against the table above. */
static void random_walk(void **state)
{
	static const uint32_t code[] = { 0, PREPARE, START, STOP, RELEASE };
	int model[STREAMS] = { INIT };
	struct device d;

	(void)state;
	device_open(&d, EVENT_IDX, 64);
	srandom(7);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned s = (unsigned)random() % STREAMS, op = (unsigned)random() % 5;
		uint32_t got = op ? command(&d, code[op], s)
				  : set_params(&d, s, 7680, 1920, 0, 2, VSND_FMT_S16,
					       VSND_RATE_48000);

		assert_int_equal(got, next[model[s]][op] < 0 ? BAD : OK);
		if (next[model[s]][op] >= 0)
			model[s] = next[model[s]][op];
		assert_int_equal(d.host->voice[s].runs, model[s] == RUN);
		assert_int_equal(d.host->open[s], model[s] >= PREP && model[s] <= STOPPED);
		d.g.taken -= d.g.taken > GUEST_SIZE / 2 ? GUEST_SIZE / 4 : 0;
	}
	device_close(&d);
}

static void reset_returns_to_init(void **state)
{
	struct device d;

	(void)state;
	device_open(&d, 0, 64);
	run(&d, 0, 4);
	prepare(&d, 1, 4);
	vsnd_reset_state(d.dev);
	for (unsigned s = 0; s < STREAMS; s++) {
		assert_false(d.host->open[s]);
		assert_int_equal(command(&d, PREPARE, s), BAD);
	}
	run(&d, 0, 4);
	vsnd_reset(d.dev);
	for (unsigned q = 0; q < VSND_QUEUES; q++) {
		start_queue(&d, q, 16, false);
		vsnd_queue_enable(d.dev, q, true);
	}
	assert_int_equal(command(&d, PREPARE, 0), BAD);
	run(&d, 0, 4);
	device_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info_answers_match_the_config),
		cmocka_unit_test(pcm_info_bytes),
		cmocka_unit_test(info_stride),
		cmocka_unit_test(unknown_and_short_requests),
		cmocka_unit_test(requests_are_counted),
		cmocka_unit_test(no_room_for_a_status),
		cmocka_unit_test(state_machine),
		cmocka_unit_test(set_params_refusals),
		cmocka_unit_test(prepare_fails_when_the_host_does),
		cmocka_unit_test(random_walk),
		cmocka_unit_test(reset_returns_to_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
