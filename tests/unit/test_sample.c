/* SPDX-License-Identifier: BSD-3-Clause */
/* Samples as numbers, and back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <vsnd/format.h>

#include "audio/sample.h"

static double get(unsigned format, uint64_t bits)
{
	struct sample_codec c;
	uint8_t bytes[8];

	assert_true(sample_codec_init(&c, format));
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(bits >> (8 * i));
	return sample_get(&c, bytes);
}

static uint64_t put(unsigned format, double sample)
{
	struct sample_codec c;
	uint8_t bytes[8] = { 0 };
	uint64_t bits = 0;

	assert_true(sample_codec_init(&c, format));
	sample_put(&c, bytes, sample);
	for (unsigned i = 0; i < 8; i++)
		bits |= (uint64_t)bytes[i] << (8 * i);
	return bits;
}

static bool equal(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static void known_values(void **state)
{
	(void)state;
	assert_true(equal(get(VSND_FMT_S8, 0x80), -1));
	assert_true(equal(get(VSND_FMT_U8, 0x80), 0));
	assert_true(equal(get(VSND_FMT_U8, 0xc0), 0.5));
	assert_true(equal(get(VSND_FMT_S16, 0x8000), -1));
	assert_true(equal(get(VSND_FMT_S16, 0x7fff), 32767.0 / 32768));
	assert_true(equal(get(VSND_FMT_U16, 0x4000), -0.5));
	assert_true(equal(get(VSND_FMT_S20, 0xfff80000), -1));
	assert_true(equal(get(VSND_FMT_S24, 0x00ffffff), -1.0 / 8388608));
	assert_true(equal(get(VSND_FMT_S24_3, 0x400000), 0.5));
	assert_true(equal(get(VSND_FMT_U18_3, 0x20000), 0));
	assert_true(equal(get(VSND_FMT_S32, 1), 1.0 / 2147483648));
	assert_true(equal(get(VSND_FMT_U32, 0xffffffff), 2147483647.0 / 2147483648));
	assert_true(equal(get(VSND_FMT_FLOAT, 0x3f000000), 0.5));
	assert_true(equal(get(VSND_FMT_FLOAT64, 0xbfe0000000000000), -0.5));
}

static void padding_is_ignored(void **state)
{
	(void)state;
	assert_true(equal(get(VSND_FMT_S24, 0xa5400000), 0.5));
	assert_true(equal(get(VSND_FMT_S20_3, 0xf40000), 0.5));
	assert_true(equal(get(VSND_FMT_U20, 0xfffc0000), 0.5));
}

static void no_number_is_silence(void **state)
{
	(void)state;
	assert_true(equal(get(VSND_FMT_FLOAT, 0x7fc00000), 0));
	assert_true(equal(get(VSND_FMT_FLOAT, 0xff800000), 0));
	assert_true(equal(get(VSND_FMT_FLOAT64, 0x7ff0000000000000), 0));
	assert_true(equal(get(VSND_FMT_FLOAT64, 0x7fe0000000000000), 0));
	assert_int_equal(put(VSND_FMT_S16, (double)NAN), 0);
	assert_int_equal(put(VSND_FMT_U16, (double)NAN), 0x8000);
}

static void too_loud_is_cut(void **state)
{
	(void)state;
	assert_int_equal(put(VSND_FMT_S16, 1), 0x7fff);
	assert_int_equal(put(VSND_FMT_S16, -3), 0x8000);
	assert_int_equal(put(VSND_FMT_U8, 1e30), 0xff);
	assert_int_equal(put(VSND_FMT_U32, 2), 0xffffffff);
	assert_int_equal(put(VSND_FMT_S16, (double)INFINITY), 0x7fff);
}

/* Through a float, as JACK has it: exact up to 24 bits. */
static void there_and_back(void **state)
{
	(void)state;
	for (unsigned format = 0; format < VSND_FORMATS; format++) {
		const struct vsnd_format_info *f = vsnd_format_info(format);
		struct sample_codec c;

		if (!sample_codec_init(&c, format) || f->width_bits > 24)
			continue;
		for (uint32_t n = 0; n < 100000; n++) {
			uint32_t bits = n * 2654435761u;
			float sample = (float)get(format, bits);
			uint64_t mask = (UINT64_C(1) << f->width_bits) - 1;

			assert_int_equal(put(format, (double)sample) & mask, bits & mask);
		}
	}
}

static void what_is_no_scale(void **state)
{
	static const uint8_t formats[] = { VSND_FMT_MU_LAW, VSND_FMT_DSD_U8,
		VSND_FMT_IEC958_SUBFRAME, VSND_FORMATS };
	struct sample_codec c;

	(void)state;
	for (size_t i = 0; i < sizeof(formats); i++)
		assert_false(sample_codec_init(&c, formats[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
		cmocka_unit_test(padding_is_ignored),
		cmocka_unit_test(no_number_is_silence),
		cmocka_unit_test(too_loud_is_cut),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(what_is_no_scale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
