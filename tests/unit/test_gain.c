/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Gains against a reference that shares nothing with them: samples are taken apart
 * bit by bit and scaled in long double.
 */
#include <endian.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device/gain.h"

#define RATE 48000
#define RAMP 481	/* frames of a ramp at that rate */

/* bits > 0: signed, < 0: unsigned, 0: float. */
static const struct plain {
	unsigned format, bytes;
	int bits;
} plains[] = {
	{ VSND_FMT_S8, 1, 8 }, { VSND_FMT_U8, 1, -8 }, { VSND_FMT_S16, 2, 16 },
	{ VSND_FMT_U16, 2, -16 }, { VSND_FMT_S18_3, 3, 18 }, { VSND_FMT_U18_3, 3, -18 },
	{ VSND_FMT_S20_3, 3, 20 }, { VSND_FMT_U20_3, 3, -20 }, { VSND_FMT_S24_3, 3, 24 },
	{ VSND_FMT_U24_3, 3, -24 }, { VSND_FMT_S20, 4, 20 }, { VSND_FMT_U20, 4, -20 },
	{ VSND_FMT_S24, 4, 24 }, { VSND_FMT_U24, 4, -24 }, { VSND_FMT_S32, 4, 32 },
	{ VSND_FMT_U32, 4, -32 }, { VSND_FMT_FLOAT, 4, 0 }, { VSND_FMT_FLOAT64, 8, 0 },
};
#define PLAINS (sizeof(plains) / sizeof(plains[0]))

static int width(const struct plain *f)
{
	return f->bits < 0 ? -f->bits : f->bits;
}

/* The value of a sample, around 0. */
static long double sample(const struct plain *f, const uint8_t *p)
{
	long double v = 0, full = powl(2, width(f) - 1);
	float f32;
	double f64;

	if (f->bits == 0 && f->bytes == 4)
		return memcpy(&f32, p, 4), (long double)f32;
	if (f->bits == 0)
		return memcpy(&f64, p, 8), (long double)f64;
	for (int b = 0; b < width(f); b++) {
		if (p[b / 8] >> b % 8 & 1)
			v += powl(2, b);
	}
	if (f->bits < 0)
		return v - full;
	return v >= full ? v - 2 * full : v;
}

/* What a sample is to become. */
static long double scaled(const struct plain *f, long double v, long double gain)
{
	long double full = powl(2, width(f) - 1);

	if (f->bits == 0)
		return v * gain;
	v = roundl(v * gain);
	return v > full - 1 ? full - 1 : v < -full ? -full : v;
}

static void random_samples(const struct plain *f, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++, p += f->bytes) {
		float f32 = (float)random() / (float)RAND_MAX * 2 - 1;
		double f64 = (double)random() / (double)RAND_MAX * 2 - 1;

		for (unsigned b = 0; b < f->bytes; b++)
			p[b] = (uint8_t)random();
		if (f->bits == 0)
			memcpy(p, f->bytes == 4 ? (void *)&f32 : (void *)&f64, f->bytes);
	}
}

static void set(struct gain *g, float a, float b)
{
	float goal[VSND_CHANNELS_MAX] = { a, b };

	for (unsigned c = 2; c < VSND_CHANNELS_MAX; c++)
		goal[c] = b;
	gain_set(g, goal);
}

static void every_format(void **state)
{
	static const float gains[] = { 0.5f, 0.501187f, 0.1f, 0.001f, 0.99f, 2, 15.8f };
	static uint8_t in[2000 * 8], out[2000 * 8];

	(void)state;
	srandom(1);
	for (unsigned i = 0; i < PLAINS * sizeof(gains) / sizeof(gains[0]); i++) {
		const struct plain *f = &plains[i % PLAINS];
		float gain = gains[i / PLAINS];
		struct gain g;

		random_samples(f, in, 2000);
		memcpy(out, in, sizeof(out));
		gain_init(&g);
		set(&g, gain, 1 / gain);
		gain_settle(&g);
		gain_apply(&g, f->format, 2, RATE, out, 1000);
		for (unsigned k = 0; k < 2000; k++) {
			long double s = sample(f, in + k * f->bytes);
			long double want = scaled(f, s, k % 2 ? (long double)(1 / gain)
							      : (long double)gain);
			long double got = sample(f, out + k * f->bytes);
			/* 32 bits times 24 do not fit exactly into a double. */
			long double slack = f->bits == 0 ? fabsl(want) * 1e-6L
							 : width(f) == 32 ? 1 : 0;

			assert_true(fabsl(got - want) <= slack);
		}
	}
}

/* At a gain of 1 there is no arithmetic, not even on bits that mean nothing. */
static void one_is_untouched(void **state)
{
	static uint8_t in[300 * 8], out[300 * 8];

	(void)state;
	srandom(2);
	for (unsigned format = VSND_FMT_MU_LAW; format < VSND_FORMATS; format++) {
		struct gain g;

		for (unsigned i = 0; i < sizeof(in); i++)
			in[i] = (uint8_t)random();
		memcpy(out, in, sizeof(out));
		gain_init(&g);
		gain_apply(&g, format, 2, RATE, out, 100);
		set(&g, 0.5f, 0.5f);
		gain_apply(&g, format, 2, RATE, NULL, 100);
		set(&g, 1, 1);
		gain_apply(&g, format, 2, RATE, NULL, RAMP);
		gain_apply(&g, format, 2, RATE, out, 100);
		assert_memory_equal(in, out, sizeof(in));
	}
}

static void muted_is_silence(void **state)
{
	static uint8_t out[2 * 100 * 8], want[2 * 100 * 8];

	(void)state;
	srandom(3);
	for (unsigned format = VSND_FMT_MU_LAW; format < VSND_FORMATS; format++) {
		size_t bytes = vsnd_format_info(format)->bytes;
		struct gain g;

		for (unsigned i = 0; i < sizeof(out); i++)
			out[i] = (uint8_t)random();
		memcpy(want, out, sizeof(out));
		for (unsigned i = 0; i < 100; i++)
			vsnd_silence(want + 2 * i * bytes, format, 1);
		gain_init(&g);
		set(&g, 0, 1);
		gain_settle(&g);
		gain_apply(&g, format, 2, RATE, out, 100);
		assert_memory_equal(out, want, 2 * 100 * bytes);
	}
}

/* Full scale to silence and back in 10 ms, with no step larger than the ramp's. */
static void ramps_do_not_click(void **state)
{
	static int16_t out[2 * 1000];
	struct gain g;

	(void)state;
	gain_init(&g);
	for (unsigned up = 0; up < 2; up++) {
		int last = up ? 0 : 32000;

		for (unsigned i = 0; i < 2000; i++)
			out[i] = (int16_t)htole16(32000);
		set(&g, (float)up, (float)up);
		for (unsigned i = 0; i < 1000; i += 125)
			gain_apply(&g, VSND_FMT_S16, 2, RATE, out + 2 * i, 125);
		for (unsigned i = 0; i < 1000; i++) {
			int now = (int16_t)le16toh((uint16_t)out[2 * i]);

			assert_int_equal(out[2 * i], out[2 * i + 1]);
			assert_true(abs(now - last) <= 32000 / RAMP + 1);
			assert_true(up ? now >= last : now <= last);
			if (i + 1 < RAMP)
				assert_true(now != (up ? 32000 : 0) || i + 2 >= RAMP);
			else
				assert_int_equal(now, up ? 32000 : 0);
			last = now;
		}
	}
}

/* A change in the middle of a ramp goes on from where that is. */
static void ramps_turn_around(void **state)
{
	int16_t out[200];
	struct gain g;
	int last;

	(void)state;
	gain_init(&g);
	set(&g, 0, 0);
	gain_apply(&g, VSND_FMT_S16, 1, RATE, NULL, 240);
	set(&g, 1, 1);
	for (unsigned i = 0; i < 200; i++)
		out[i] = (int16_t)htole16(10000);
	gain_apply(&g, VSND_FMT_S16, 1, RATE, out, 200);
	last = (int16_t)le16toh((uint16_t)out[0]);
	assert_true(last > 4900 && last < 5100);
	for (unsigned i = 1; i < 200; i++) {
		int now = (int16_t)le16toh((uint16_t)out[i]);

		assert_true(now >= last && now - last < 30);
		last = now;
	}
}

static void *set_often(void *arg)
{
	struct gain *g = arg;

	for (unsigned i = 0; i < 20000; i++)
		set(g, (float)(i % 3), 0.5f);
	set(g, 0.25f, 0.5f);
	return NULL;
}

/* Goals from another thread arrive, whatever comes in between. */
static void goals_cross_threads(void **state)
{
	int16_t out[200] = { 0 };
	struct gain g;
	pthread_t setter;

	(void)state;
	gain_init(&g);
	assert_int_equal(pthread_create(&setter, NULL, set_often, &g), 0);
	for (unsigned i = 0; i < 5000; i++)
		gain_apply(&g, VSND_FMT_S16, 2, RATE, out, 100);
	pthread_join(setter, NULL);
	gain_apply(&g, VSND_FMT_S16, 2, RATE, NULL, RAMP);
	for (unsigned i = 0; i < 200; i++)
		out[i] = (int16_t)htole16(8000);
	gain_apply(&g, VSND_FMT_S16, 2, RATE, out, 100);
	assert_int_equal((int16_t)le16toh((uint16_t)out[198]), 2000);
	assert_int_equal((int16_t)le16toh((uint16_t)out[199]), 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format),
		cmocka_unit_test(one_is_untouched),
		cmocka_unit_test(muted_is_silence),
		cmocka_unit_test(ramps_do_not_click),
		cmocka_unit_test(ramps_turn_around),
		cmocka_unit_test(goals_cross_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
