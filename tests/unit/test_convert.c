/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conversion of samples, against a reference that knows nothing of shifts: a
 * sample is a number of steps above the middle of its range, and a conversion
 * multiplies or divides by what a step is worth.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "audio/convert.h"

/* The specification's linear formats, written down once more: bits, bytes, offset. */
static const struct linear {
	unsigned format, bits, bytes;
	int64_t middle;
} linear[] = {
	{ VSND_FMT_S8, 8, 1, 0 }, { VSND_FMT_U8, 8, 1, 128 },
	{ VSND_FMT_S16, 16, 2, 0 }, { VSND_FMT_U16, 16, 2, 32768 },
	{ VSND_FMT_S18_3, 18, 3, 0 }, { VSND_FMT_U18_3, 18, 3, 131072 },
	{ VSND_FMT_S20_3, 20, 3, 0 }, { VSND_FMT_U20_3, 20, 3, 524288 },
	{ VSND_FMT_S24_3, 24, 3, 0 }, { VSND_FMT_U24_3, 24, 3, 8388608 },
	{ VSND_FMT_S20, 20, 4, 0 }, { VSND_FMT_U20, 20, 4, 524288 },
	{ VSND_FMT_S24, 24, 4, 0 }, { VSND_FMT_U24, 24, 4, 8388608 },
	{ VSND_FMT_S32, 32, 4, 0 }, { VSND_FMT_U32, 32, 4, INT64_C(2147483648) },
};
#define LINEARS (sizeof(linear) / sizeof(linear[0]))

static int64_t power(unsigned bits)
{
	int64_t n = 1;

	while (bits--)
		n *= 2;
	return n;
}

static int64_t divide_down(int64_t a, int64_t b)
{
	int64_t q = a / b;

	return a % b < 0 ? q - 1 : q;
}

/* Two's complement in the sample's bytes. */
static void store(const struct linear *f, int64_t steps, uint8_t *dst)
{
	int64_t value = steps + f->middle;

	for (unsigned i = 0; i < f->bytes; i++) {
		int64_t digit = value % 256;

		if (digit < 0)
			digit += 256;
		dst[i] = (uint8_t)digit;
		value = (value - digit) / 256;
	}
}

static void check_sample(const struct linear *from, const struct linear *to, int64_t steps)
{
	int64_t expected = from->bits <= to->bits ? steps * power(to->bits - from->bits)
		: divide_down(steps, power(from->bits - to->bits));
	uint8_t in[4], want[4], got[5] = { 0 };
	struct convert c;

	store(from, steps, in);
	store(to, expected, want);
	got[to->bytes] = 0xa5;
	convert_init(&c, from->format, to->format, 1, NULL);
	convert_frames(&c, got, in, 1);
	assert_memory_equal(got, want, to->bytes);
	assert_int_equal(got[to->bytes], 0xa5);
}

/* The ends, the middle and what is next to them, and values in between. */
static void every_pair(void **state)
{
	(void)state;
	for (size_t i = 0; i < LINEARS; i++) {
		for (size_t j = 0; j < LINEARS; j++) {
			int64_t half = power(linear[i].bits - 1);
			const int64_t few[] = { -half, -half + 1, -2, -1, 0, 1, 2, half - 2, half - 1 };

			assert_true(convert_possible(linear[i].format, linear[j].format));
			assert_int_equal(convert_lossless(linear[i].format, linear[j].format),
				linear[i].bits <= linear[j].bits);
			for (size_t k = 0; k < sizeof(few) / sizeof(few[0]); k++)
				check_sample(&linear[i], &linear[j], few[k]);
			for (int64_t k = -1000; k <= 1000; k++)
				check_sample(&linear[i], &linear[j], k * half / 1001);
		}
	}
}

/* There and back is the same, all values of the short ones. */
static void round_trips(void **state)
{
	(void)state;
	for (unsigned value = 0; value < 65536; value++) {
		const uint8_t in[2] = { (uint8_t)value, (uint8_t)(value >> 8) };
		uint8_t wide[4], back[2];
		struct convert there, here;

		convert_init(&there, VSND_FMT_U16, VSND_FMT_S24_3, 1, NULL);
		convert_init(&here, VSND_FMT_S24_3, VSND_FMT_U16, 1, NULL);
		convert_frames(&there, wide, in, 1);
		convert_frames(&here, back, wide, 1);
		assert_memory_equal(back, in, 2);
	}
}

/* What a driver leaves in the padding is no part of the sample. */
static void padding_is_ignored(void **state)
{
	static const uint8_t dirty[] = { 0x21, 0x43, 0xf5, 0xff }, low[] = { 0x21, 0x43, 0x05, 0 };
	static const unsigned formats[] = { VSND_FMT_S20, VSND_FMT_U20, VSND_FMT_S20_3, VSND_FMT_U20_3 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		uint8_t a[4], b[4];
		struct convert c;

		convert_init(&c, formats[i], VSND_FMT_S32, 1, NULL);
		convert_frames(&c, a, dirty, 1);
		convert_frames(&c, b, low, 1);
		assert_memory_equal(a, b, 4);
	}
}

static void opaque_formats_are_copied(void **state)
{
	static const unsigned opaque[] = { VSND_FMT_MU_LAW, VSND_FMT_A_LAW, VSND_FMT_FLOAT,
		VSND_FMT_FLOAT64, VSND_FMT_DSD_U8, VSND_FMT_DSD_U16, VSND_FMT_DSD_U32,
		VSND_FMT_IEC958_SUBFRAME };
	uint8_t in[64], out[64];

	(void)state;
	for (unsigned i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7 + 1);
	for (size_t i = 0; i < sizeof(opaque) / sizeof(opaque[0]); i++) {
		struct convert c;
		size_t frames = sizeof(in) / vsnd_format_info(opaque[i])->bytes / 2;

		assert_true(convert_lossless(opaque[i], opaque[i]));
		assert_false(convert_possible(opaque[i], VSND_FMT_S16));
		assert_false(convert_possible(VSND_FMT_S16, opaque[i]));
		convert_init(&c, opaque[i], opaque[i], 2, NULL);
		assert_true(c.same);
		memset(out, 0, sizeof(out));
		convert_frames(&c, out, in, frames);
		assert_memory_equal(out, in, sizeof(in));
	}
	assert_false(convert_possible(VSND_FMT_IMA_ADPCM, VSND_FMT_IMA_ADPCM));
	assert_false(convert_possible(VSND_FORMATS, VSND_FMT_S16));
	assert_false(convert_possible(VSND_FMT_S16, VSND_FORMATS));
}

static void channels_change_places(void **state)
{
	static const uint8_t order[] = { 0, 1, 4, 5, 2, 3 };
	static const uint8_t in[] = { 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25 };
	static const uint8_t as_is[] = { 10, 11, 14, 15, 12, 13, 20, 21, 24, 25, 22, 23 };
	uint8_t out[24];
	struct convert c;

	(void)state;
	convert_init(&c, VSND_FMT_S8, VSND_FMT_S8, 6, order);
	assert_false(c.same);
	convert_frames(&c, out, in, 2);
	assert_memory_equal(out, as_is, sizeof(as_is));
	convert_init(&c, VSND_FMT_S8, VSND_FMT_S16, 6, order);
	convert_frames(&c, out, in, 2);
	for (size_t i = 0; i < sizeof(as_is); i++) {
		assert_int_equal(out[2 * i], 0);
		assert_int_equal(out[2 * i + 1], as_is[i]);
	}
}

/* Silence of every row, against ALSA's table, and that it is the middle of the range. */
static void silence(void **state)
{
	static const struct {
		unsigned format, bytes;
		uint8_t sample[8];
	} rows[] = {
		{ VSND_FMT_MU_LAW, 1, { 0x7f } }, { VSND_FMT_A_LAW, 1, { 0x55 } },
		{ VSND_FMT_S8, 1, { 0 } }, { VSND_FMT_U8, 1, { 0x80 } },
		{ VSND_FMT_S16, 2, { 0 } }, { VSND_FMT_U16, 2, { 0, 0x80 } },
		{ VSND_FMT_S18_3, 3, { 0 } }, { VSND_FMT_U18_3, 3, { 0, 0, 2 } },
		{ VSND_FMT_S20_3, 3, { 0 } }, { VSND_FMT_U20_3, 3, { 0, 0, 8 } },
		{ VSND_FMT_S24_3, 3, { 0 } }, { VSND_FMT_U24_3, 3, { 0, 0, 0x80 } },
		{ VSND_FMT_S20, 4, { 0 } }, { VSND_FMT_U20, 4, { 0, 0, 8, 0 } },
		{ VSND_FMT_S24, 4, { 0 } }, { VSND_FMT_U24, 4, { 0, 0, 0x80, 0 } },
		{ VSND_FMT_S32, 4, { 0 } }, { VSND_FMT_U32, 4, { 0, 0, 0, 0x80 } },
		{ VSND_FMT_FLOAT, 4, { 0 } }, { VSND_FMT_FLOAT64, 8, { 0 } },
		{ VSND_FMT_DSD_U8, 1, { 0x69 } }, { VSND_FMT_DSD_U16, 2, { 0x69, 0x69 } },
		{ VSND_FMT_DSD_U32, 4, { 0x69, 0x69, 0x69, 0x69 } },
		{ VSND_FMT_IEC958_SUBFRAME, 4, { 0 } },
	};
	uint8_t buf[5 * 8 + 1], zero[4] = { 0 }, out[4];

	(void)state;
	assert_int_equal(sizeof(rows) / sizeof(rows[0]), VSND_FORMATS - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(buf, 0xa5, sizeof(buf));
		vsnd_silence(buf, rows[i].format, 5);
		for (unsigned n = 0; n < 5; n++)
			assert_memory_equal(buf + n * rows[i].bytes, rows[i].sample, rows[i].bytes);
		assert_int_equal(buf[5 * rows[i].bytes], 0xa5);
	}
	for (size_t i = 0; i < LINEARS; i++) {
		struct convert c;

		vsnd_silence(buf, linear[i].format, 1);
		convert_init(&c, linear[i].format, VSND_FMT_S32, 1, NULL);
		convert_frames(&c, out, buf, 1);
		assert_memory_equal(out, zero, 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(padding_is_ignored),
		cmocka_unit_test(opaque_formats_are_copied),
		cmocka_unit_test(channels_change_places),
		cmocka_unit_test(silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
