/* SPDX-License-Identifier: BSD-3-Clause */
/* Formats and positions: ours and ALSA's are the same, by what alsa-lib itself says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "audio/alsa_params.h"

static void test_formats(void **state)
{
	(void)state;
	assert_int_equal(alsa_format(VSND_FORMATS), SND_PCM_FORMAT_UNKNOWN);
	assert_int_equal(alsa_format(VSND_FMT_IMA_ADPCM), SND_PCM_FORMAT_UNKNOWN);
	for (unsigned f = 0; f < VSND_FORMATS; f++) {
		const struct vsnd_format_info *info = vsnd_format_info(f);
		snd_pcm_format_t format = alsa_format(f);
		uint64_t silence;

		if (info->bytes == 0)
			continue;
		assert_int_equal(snd_pcm_format_physical_width(format), 8 * info->bytes);
		assert_true(info->bytes == 1 || snd_pcm_format_little_endian(format));
		if (snd_pcm_format_linear(format) == 1)
			assert_int_equal(snd_pcm_format_width(format), info->width_bits);
		/* ALSA has no silence of its own for a frame of IEC 958. */
		if (f == VSND_FMT_IEC958_SUBFRAME)
			continue;
		silence = snd_pcm_format_silence_64(format);
		assert_memory_equal(&silence, info->silence, info->bytes);
	}
}

static void test_no_two_formats_are_one(void **state)
{
	(void)state;
	for (unsigned f = 1; f < VSND_FORMATS; f++) {
		for (unsigned g = 1; g < f; g++)
			assert_int_not_equal(alsa_format(f), alsa_format(g));
	}
}

static void test_positions(void **state)
{
	(void)state;
	for (unsigned i = VSND_POS_NA; i < VSND_POSITIONS; i++)
		assert_string_equal(snd_pcm_chmap_name(i), vsnd_position_name(i));
}

static void test_map(void **state)
{
	struct vsnd_voice_params params = {
		.channels = 3,
		.positions = { VSND_POS_FL, VSND_POS_FR, VSND_POS_NONE },
	};
	union {
		snd_pcm_chmap_t map;
		unsigned space[1 + VSND_CHANNELS_MAX];
	} u = { .space = { 77 } };

	(void)state;
	assert_false(alsa_map(&params, &u.map));
	assert_int_equal(u.map.channels, 77);
	params.positions[2] = VSND_POS_LFE;
	assert_true(alsa_map(&params, &u.map));
	assert_int_equal(u.map.channels, 3);
	assert_int_equal(u.map.pos[2], SND_CHMAP_LFE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_no_two_formats_are_one),
		cmocka_unit_test(test_positions),
		cmocka_unit_test(test_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
