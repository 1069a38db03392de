/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration: what is taken, what is refused and why, and printing it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/pin.h"

#define BIT64(n) (UINT64_C(1) << (n))

static struct config config;
static struct config_error error;

static bool parse(const char *text)
{
	config_init(&config);
	error = (struct config_error){ 0 };
	return config_parse(&config, text, strlen(text), &error);
}

static void assert_complete(const char *text)
{
	if (!parse(text) || !config_complete(&config, &error))
		fail_msg("line %u: %s", error.line, error.text);
}

static void nothing_is_the_default(void **state)
{
	struct vsnd_settings defaults;
	struct vsnd_jack_settings jack;

	(void)state;
	assert_complete("");
	vsnd_settings_init(&defaults);
	assert_int_equal(config.streams, defaults.streams);
	assert_int_equal(config.stream[0].offer.formats, defaults.stream[0].formats);
	assert_int_equal(config.stream[0].offer.rates, defaults.stream[0].rates);
	assert_int_equal(config.stream[0].offer.channels_min, defaults.stream[0].channels_min);
	assert_int_equal(config.stream[0].offer.channels_max, defaults.stream[0].channels_max);
	assert_int_equal(config.jacks, defaults.jacks);
	pin_settings(&config.jack[0], &jack);
	assert_int_equal(jack.defconf, defaults.jack[0].defconf);
	assert_int_equal(jack.caps, defaults.jack[0].caps);
	assert_int_equal(jack.connected, defaults.jack[0].connected);
	assert_int_equal(config.chmaps, defaults.chmaps);
	for (unsigned i = 0; i < config.chmaps; i++)
		assert_memory_equal(config.chmap[i].positions, defaults.chmap[i].positions,
			VSND_CHANNELS_MAX);
}

static void sections(void **state)
{
	struct vsnd_jack_settings jack;

	(void)state;
	assert_complete("# a card\n\n[device]\nformats = S16 ; enough\nchannels=4\n"
		"[stream a]\n"
		"[stream b] # another\r\n"
		"  device = 3\n\tformats: s24_3,  U8\n  rates = 5512 384000\nchannels = 6-12\n"
		"target = some node\nproperties = { media.role = Game }\n"
		"[jack h]\ndevice = 3\ntype = headphone\nconnected = no\nremap = yes\nlocation = front\n"
		"[chmap six]\ndevice = 3\npositions = FL FR FC LFE RL RR");
	assert_int_equal(config.streams, 2);
	assert_string_equal(config.stream[0].name, "a");
	assert_int_equal(config.stream[0].offer.formats, BIT64(VSND_FMT_S16));
	assert_int_equal(config.stream[0].offer.channels_min, 1);
	assert_int_equal(config.stream[0].offer.channels_max, 4);
	assert_int_equal(config.stream[1].group, 3);
	assert_int_equal(config.stream[1].offer.formats, BIT64(VSND_FMT_S24_3) | BIT64(VSND_FMT_U8));
	assert_int_equal(config.stream[1].offer.rates, BIT64(VSND_RATE_5512) | BIT64(VSND_RATE_384000));
	assert_int_equal(config.stream[1].offer.channels_min, 6);
	assert_string_equal(config.stream[0].target, "");
	assert_string_equal(config.stream[1].target, "some node");
	assert_string_equal(config.stream[1].properties, "{ media.role = Game }");
	/* Own jack for group 3, the default one for group 0. */
	assert_int_equal(config.jacks, 2);
	assert_int_equal(config.jack[0].type, 2);
	assert_false(config.jack[0].connected);
	assert_true(config.jack[0].remap);
	pin_settings(&config.jack[0], &jack);
	assert_int_equal(jack.features, VSND_JACK_REMAP);
	assert_false(config.jack[1].remap);
	assert_int_equal(config.jack[1].group, 0);
	/* 1 to 4 for the one; 6 (own), 7, 8, 12 for the other. */
	assert_int_equal(config.chmaps, 8);
	assert_int_equal(config.chmap[0].positions[2], VSND_POS_FC);
	assert_int_equal(config.chmap[7].channels, 12);
}

static void simple(void **state)
{
	const struct config_overrides wins = { .simple = true }, more = { .simple = true,
		.offer = { .formats = BIT64(VSND_FMT_U8) } };

	(void)state;
	assert_complete("[device]\nprofile = simple\n");
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(config.streams, 1);
		assert_int_equal(config.jacks, 0);
		assert_int_equal(config.chmaps, 0);
		assert_int_equal(config.stream[0].offer.formats, i == 2 ? BIT64(VSND_FMT_U8)
			: BIT64(VSND_FMT_S16));
		assert_int_equal(config.stream[0].offer.rates, BIT64(VSND_RATE_48000));
		assert_int_equal(config.stream[0].offer.channels_min, 2);
		assert_int_equal(config.stream[0].offer.channels_max, 2);
		assert_true(parse("[stream a]\nrates=8000\n[jack a]\n[chmap a]\npositions=FL FR\n"));
		config_override(&config, i ? &more : &wins);
		assert_true(config_complete(&config, &error));
	}
}

static void the_command_line_wins(void **state)
{
	const struct config_overrides streams = { .streams = { true, 3, 2 } };
	const struct config_overrides rates = { .offer = { .rates = BIT64(VSND_RATE_8000) } };
	const char *file = "[device]\nrates=16000\n[stream a]\nrates=32000\nformats=U8\n[stream b]\n"
		"[jack x]\ndevice = 1\n";

	(void)state;
	assert_true(parse(file));
	config_override(&config, &rates);
	assert_true(config_complete(&config, &error));
	assert_int_equal(config.streams, 2);
	assert_int_equal(config.stream[0].offer.rates, BIT64(VSND_RATE_8000));
	assert_int_equal(config.stream[0].offer.formats, BIT64(VSND_FMT_U8));
	assert_int_equal(config.stream[1].offer.rates, BIT64(VSND_RATE_8000));

	assert_true(parse(file));
	config_override(&config, &streams);
	assert_true(config_complete(&config, &error));
	assert_int_equal(config.streams, 5);
	assert_int_equal(config_outputs(&config), 3);
	assert_int_equal(config.stream[2].offer.rates, BIT64(VSND_RATE_16000));
	assert_int_equal(config.stream[2].group, 2);
	assert_int_equal(config.stream[3].direction, VSND_INPUT);
	assert_int_equal(config.stream[3].group, 0);
	assert_int_equal(config.jacks, 5);
	assert_string_equal(config.jack[0].name, "0");
	assert_string_equal(config.jack[3].name, "mic-0");
	assert_int_equal(config.chmaps, 10);
}

static void refusals(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *why;
	} rows[] = {
		{ "formats = S16\n", 1, "[section]" },
		{ "[device]\nfoo\n", 2, "key = value" },
		{ "[device]\n\nfoo = 1\n", 3, "no 'foo'" },
		{ "[device]\nformats = S17\n", 2, "no such format" },
		{ "[device]\nformats = S16, IMA_ADPCM\n", 2, "whole-byte" },
		{ "[device]\nformats = ,\n", 2, "needed" },
		{ "[device]\nformats =\n", 2, "needed" },
		{ "[device]\nrates = 44101\n", 2, "has no such rate" },
		{ "[device]\nrates = -8000\n", 2, "has no such rate" },
		{ "[device]\nrates = 12000 24000\n", 2, "too new" },
		{ "[device]\nchannels = 0\n", 2, "1 to 18" },
		{ "[device]\nchannels = 19\n", 2, "1 to 18" },
		{ "[device]\nchannels = 1-\n", 2, "1 to 18" },
		{ "[device]\nchannels = 4-2\n", 2, "at most" },
		{ "[device]\nchannels = 2x\n", 2, "1 to 18" },
		{ "[device]\nstreams = 65\n", 2, "1 to 64" },
		{ "[device]\nstreams = 0,0\n", 2, "1 to 64" },
		{ "[device]\nstreams = 2,x\n", 2, "OUT,IN" },
		{ "[stream a]\ndirection = input\n[stream b]\n", 3, "before inputs" },
		{ "[stream a]\ncapture = on\n", 1, "for inputs" },
		{ "[stream a]\ndirection = input\ncapture = yes\n", 3, "on nor off" },
		{ "[device]\nauto-jacks = maybe\n", 2, "yes nor no" },
		{ "[device]\nprofile = loud\n", 2, "simple" },
		{ "[device]\nrates=8000\nrates=8000\n", 3, "already" },
		{ "[device]\n[device]\n", 2, "already" },
		{ "[device x]\n", 1, "no name" },
		{ "[audio]\n[audio]\n", 2, "already" },
		{ "[audio]\naudio=null\naudio=null\n", 3, "already" },
		{ "[disc]\n", 1, "no section" },
		{ "[stream]\n", 1, "name" },
		{ "[stream a b]\n", 1, "name" },
		{ "[stream 0123456789012345678901234567890x]\n", 1, "name" },
		{ "[stream a\n", 1, "[NAME]" },
		{ "[stream a] b\n", 1, "[NAME]" },
		{ "[stream a]\n[jack a]\n[stream a]\n", 3, "already" },
		{ "[stream a]\ndevice = 8\n", 2, "0 to 7" },
		{ "[stream a]\ndirection = up\n", 2, "neither output" },
		{ "[stream a]\npositions = FL\n", 2, "no 'positions'" },
		{ "[device]\nstreams = 2\n[stream a]\n", 2, "exclude" },
		{ "[jack a]\ntype = tape\n", 2, "no such word" },
		{ "[jack a]\n\n[jack b]\ndevice = 1\n", 3, "no stream has device 1" },
		{ "[chmap a]\n", 1, "needs positions" },
		{ "[chmap a]\npositions = FL XX\n", 2, "'XX'" },
		{ "[chmap a]\npositions = FL FR RL\n", 1, "has 3 channels" },
		{ "[chmap a]\ndevice = 1\npositions = FL\n", 1, "device 1" },
		{ "[chmap a]\npositions = NA NA NA NA NA NA NA NA NA NA NA NA NA NA NA NA NA NA NA\n",
			2, "more than 18" },
		{ "[stream a]\n[stream b]\n[jack 1]\n", 3, "has this name" },
		{ "[chmap output-0-2]\npositions = MONO\n", 1, "has this name" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parse(rows[i].text) && config_complete(&config, &error))
			fail_msg("taken: %s", rows[i].text);
		if (error.line != rows[i].line || !strstr(error.text, rows[i].why))
			fail_msg("%s -> %u: %s", rows[i].text, error.line, error.text);
	}
}

static void limits(void **state)
{
	static char text[CONFIG_BYTES_MAX + 2];
	size_t used = 0;

	(void)state;
	memset(text, '\n', CONFIG_BYTES_MAX + 1);
	config_init(&config);
	assert_true(config_parse(&config, text, CONFIG_BYTES_MAX, &error));
	assert_false(config_parse(&config, text, CONFIG_BYTES_MAX + 1, &error));
	text[5] = '\0';
	assert_false(config_parse(&config, text, 10, &error));
	memset(text, ' ', CONFIG_LINE_MAX);
	assert_false(config_parse(&config, text, CONFIG_LINE_MAX, &error));
	assert_true(config_parse(&config, text, CONFIG_LINE_MAX - 1, &error));
	assert_false(config_read(&config, "/nowhere/at all", &error));

	for (unsigned i = 0; i <= VSND_STREAMS_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "[stream %u]\n", i);
	assert_false(parse(text));
	assert_int_equal(error.line, VSND_STREAMS_MAX + 1);
}

static char *printed(void)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	config_print(&config, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void xrun_events(void **state)
{
	(void)state;
	assert_complete("[stream a]\n[stream b]\nxrun-events = no\n");
	assert_int_equal(config.stream[0].xrun_events, CONFIG_AUTO_YES);
	assert_int_equal(config.stream[1].xrun_events, CONFIG_AUTO_NO);
	assert_complete("[device]\nxrun-events = no\n[stream a]\n[stream b]\nxrun-events = yes\n");
	assert_int_equal(config.stream[0].xrun_events, CONFIG_AUTO_NO);
	assert_int_equal(config.stream[1].xrun_events, CONFIG_AUTO_YES);
	assert_complete("[device]\nprofile = simple\n");
	assert_int_equal(config.stream[0].xrun_events, CONFIG_AUTO_NO);
}

/* The longest lists have room in a line, too. */
static void printed_and_read_again(void **state)
{
	static const char *const texts[] = {
		"", "[device]\nprofile = simple\n", "[device]\nstreams = 3,4\n",
		"[stream a]\n[stream b]\ndirection = input\ndevice = 0\nchannels = 1\ncapture = on\n",
		"[device]\nstreams = 64\nchannels = 18\ncontrols = yes\n",
		"[device]\nformats = all\nrates = all\nchannels = 18\n",
		"[stream x]\nchannels = 18\n[chmap y]\npositions = TFLC TFRC TFLC TFRC LLFE RLFE TFLC "
		"TFRC TFLC TFRC LLFE RLFE TFLC TFRC TFLC TFRC LLFE RLFE\n[jack z]\ntype=mic\n"
		"connector=xlr\nlocation=hdmi\ncolour=other\nport=both\nconnected=no\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *first, *second;

		assert_complete(texts[i]);
		first = printed();
		assert_complete(first);
		second = printed();
		assert_string_equal(first, second);
		free(first);
		free(second);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_the_default),
		cmocka_unit_test(sections),
		cmocka_unit_test(simple),
		cmocka_unit_test(the_command_line_wins),
		cmocka_unit_test(refusals),
		cmocka_unit_test(limits),
		cmocka_unit_test(xrun_events),
		cmocka_unit_test(printed_and_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
