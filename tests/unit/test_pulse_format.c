/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guest asks for in PulseAudio's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "audio/convert.h"
#include "audio/pulse_format.h"

static void test_formats(void **state)
{
	static const struct vsnd_voice_params params = { .rate_hz = 48000, .channels = 2 };

	(void)state;
	for (unsigned f = 0; f < VSND_FORMATS; f++) {
		unsigned host = pulse_format(f);
		pa_sample_spec spec;

		if (host == VSND_FORMATS)
			continue;
		spec = pulse_sample_spec(host, &params);
		assert_true(pa_sample_spec_valid(&spec));
		assert_int_equal(pa_sample_size(&spec), vsnd_format_info(host)->bytes);
		/* Nothing is lost, and what the server knows is not touched. */
		assert_true(convert_lossless(f, host));
		assert_int_equal(pulse_format(host), host);
	}
	assert_int_equal(pulse_format(VSND_FMT_S24), VSND_FMT_S24);
	assert_int_equal(pulse_format(VSND_FMT_U32), VSND_FMT_S32);
	assert_int_equal(pulse_format(VSND_FMT_IMA_ADPCM), VSND_FORMATS);
	assert_int_equal(pulse_format(VSND_FMT_FLOAT64), VSND_FORMATS);
	assert_int_equal(pulse_format(VSND_FMT_DSD_U8), VSND_FORMATS);
	assert_int_equal(pulse_format(VSND_FORMATS), VSND_FORMATS);
}

static void expect_map(const struct vsnd_voice_params *params, const char *text)
{
	char got[PA_CHANNEL_MAP_SNPRINT_MAX];
	pa_channel_map map;

	pulse_channel_map(&map, params);
	assert_true(pa_channel_map_valid(&map));
	assert_string_equal(pa_channel_map_snprint(got, sizeof(got), &map), text);
}

static void test_maps(void **state)
{
	struct vsnd_voice_params p = { .channels = 1 };

	(void)state;
	expect_map(&p, "mono");
	p.channels = 2;
	expect_map(&p, "front-left,front-right");
	p.channels = 6;
	expect_map(&p, "front-left,front-right,rear-left,rear-right,front-center,lfe");
	/* The guest's own, with one that the server does not have and one that is there twice. */
	p.channels = 4;
	p.positions[0] = VSND_POS_FC;
	p.positions[1] = VSND_POS_FL;
	p.positions[2] = VSND_POS_FLW;
	p.positions[3] = VSND_POS_FL;
	expect_map(&p, "front-center,front-left,aux0,aux1");
	for (unsigned n = 1; n <= VSND_CHANNELS_MAX; n++) {
		pa_channel_map map;

		p = (struct vsnd_voice_params){ .channels = (uint8_t)n };
		pulse_channel_map(&map, &p);
		assert_true(pa_channel_map_valid(&map));
		assert_int_equal(map.channels, n);
	}
}

static void test_sizes(void **state)
{
	static const struct vsnd_voice_params params = { .rate_hz = 48000 };
	pa_buffer_attr attr = pulse_buffer_attr(&params, 480, 4);

	(void)state;
	assert_int_equal(attr.tlength, 3 * 480 * 4);
	assert_int_equal(attr.minreq, 480 * 4);
	assert_int_equal(attr.fragsize, 480 * 4);
	assert_int_equal(attr.prebuf, 4);
	attr = pulse_buffer_attr(&params, 48, 4);
	assert_int_equal(attr.tlength, 480 * 4);
	assert_int_equal(attr.minreq, 48 * 4);
}

static void test_properties(void **state)
{
	pa_proplist *p = pa_proplist_new();

	(void)state;
	assert_true(pulse_properties(p, "media.role=game media.name='a b'"));
	assert_string_equal(pa_proplist_gets(p, "media.role"), "game");
	assert_string_equal(pa_proplist_gets(p, "media.name"), "a b");
	assert_true(pulse_properties(p, " { media.role = \"phone\" } "));
	assert_string_equal(pa_proplist_gets(p, "media.role"), "phone");
	assert_true(pulse_properties(p, "{}"));
	assert_true(pulse_properties(p, ""));
	assert_false(pulse_properties(p, "{ media.role"));
	assert_string_equal(pa_proplist_gets(p, "media.role"), "phone");
	pa_proplist_free(p);
}

static void test_levels(void **state)
{
	struct vsnd_volume volume = { .channels = 3, .gain = { 1, 0, 0.5f }, .mute = true }, back;
	pa_cvolume level;

	(void)state;
	pulse_level(&level, &volume);
	assert_int_equal(level.values[0], PA_VOLUME_NORM);
	assert_int_equal(level.values[1], PA_VOLUME_MUTED);
	pulse_volume(&back, &level, true);
	assert_int_equal(back.channels, 3);
	assert_true(back.mute);
	assert_float_equal(back.gain[0], 1, 0);
	assert_float_equal(back.gain[1], 0, 0);
	assert_float_equal(back.gain[2], 0.5, 0.0001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
