/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes of a sound card, and what they say of a jack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <vsnd/vsnd.h>

#include "audio/routes.h"

/* A laptop: a speaker that is always there, a headphone socket, two microphones. */
static const struct route laptop[] = {
	{ VSND_OUTPUT, false, PLUG_UNKNOWN },
	{ VSND_OUTPUT, true, PLUG_NO },
	{ VSND_INPUT, false, PLUG_UNKNOWN },
	{ VSND_INPUT, true, PLUG_NO },
};

static void test_headphones(void **state)
{
	struct route plugged[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		plugged[i] = laptop[i];
	plugged[1].plug = PLUG_YES;
	assert_int_equal(routes_plug(laptop, 4, VSND_OUTPUT, true), PLUG_NO);
	assert_int_equal(routes_plug(plugged, 4, VSND_OUTPUT, true), PLUG_YES);
	/* The microphone of a headset is the input's affair. */
	assert_int_equal(routes_plug(plugged + 2, 2, VSND_OUTPUT, true), PLUG_UNKNOWN);
}

static void test_any_way_will_do(void **state)
{
	static const struct route desktop[] = {
		{ VSND_OUTPUT, false, PLUG_NO },
		{ VSND_OUTPUT, true, PLUG_NO },
		{ VSND_INPUT, false, PLUG_NO },
		{ VSND_INPUT, false, PLUG_YES },
	};

	(void)state;
	assert_int_equal(routes_plug(laptop, 4, VSND_OUTPUT, false), PLUG_YES);
	assert_int_equal(routes_plug(laptop, 4, VSND_INPUT, false), PLUG_YES);
	assert_int_equal(routes_plug(desktop, 4, VSND_OUTPUT, false), PLUG_NO);
	assert_int_equal(routes_plug(desktop, 3, VSND_INPUT, false), PLUG_NO);
	assert_int_equal(routes_plug(desktop, 4, VSND_INPUT, false), PLUG_YES);
}

static void test_nothing_is_known(void **state)
{
	(void)state;
	assert_int_equal(routes_plug(NULL, 0, VSND_OUTPUT, false), PLUG_UNKNOWN);
	assert_int_equal(routes_plug(laptop, 2, VSND_INPUT, false), PLUG_UNKNOWN);
	assert_int_equal(routes_plug(laptop, 1, VSND_OUTPUT, true), PLUG_UNKNOWN);
}

static void test_port_types(void **state)
{
	(void)state;
	assert_true(routes_is_headphone("headphones"));
	assert_true(routes_is_headphone("headset"));
	assert_false(routes_is_headphone("speaker"));
	assert_false(routes_is_headphone("hdmi"));
	assert_false(routes_is_headphone(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headphones),
		cmocka_unit_test(test_any_way_will_do),
		cmocka_unit_test(test_nothing_is_known),
		cmocka_unit_test(test_port_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
