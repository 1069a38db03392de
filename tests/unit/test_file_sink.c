/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each format and each channel becomes in a file, read back by libsndfile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>
#include <errno.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audio/file_sink.h"

struct rig {
	char folder[64], pattern[128];
	struct audio_file_config config;
};

static void rig_init(struct rig *r, const char *name)
{
	*r = (struct rig){ .folder = "/tmp/vsnd-sink-XXXXXX" };
	assert_non_null(mkdtemp(r->folder));
	snprintf(r->pattern, sizeof(r->pattern), "%s/%s", r->folder, name);
	r->config.pattern = r->pattern;
	r->config.outputs = 1;
}

/* No test makes more than three files. */
static void rig_fini(struct rig *r)
{
	for (unsigned i = 1; i <= 3; i++) {
		char path[PATH_MAX];

		assert_int_equal(file_path(r->pattern, 0, i, path), 0);
		unlink(path);
	}
	assert_int_equal(rmdir(r->folder), 0);
}

static struct file_sink *sink_of(struct rig *r, atomic_uint *last_number,
		const struct vsnd_voice_params *params)
{
	struct file_sink *s = NULL;

	assert_int_equal(file_sink_create(&r->config, params, last_number, &s), 0);
	return s;
}

static void finish_sink(struct file_sink *s)
{
	file_sink_close(s);
	file_sink_free(s);
}

/* Samples and what libsndfile reads of them, as 32-bit integers. */
static const struct {
	uint8_t format, bytes[2][8];
	int subtype, flac, values[2];
} held[] = {
	{ VSND_FMT_MU_LAW, { { 0x80 }, { 0x7f } }, SF_FORMAT_ULAW, 0, { 32124 << 16, 0 } },
	{ VSND_FMT_A_LAW, { { 0xaa }, { 0xd5 } }, SF_FORMAT_ALAW, 0, { 32256 << 16, 8 << 16 } },
	{ VSND_FMT_S8, { { 0x12 }, { 0x80 } }, SF_FORMAT_PCM_U8, SF_FORMAT_PCM_S8,
		{ 0x12 << 24, INT32_MIN } },
	{ VSND_FMT_U8, { { 0x92 }, { 0x80 } }, SF_FORMAT_PCM_U8, SF_FORMAT_PCM_S8,
		{ 0x12 << 24, 0 } },
	{ VSND_FMT_S16, { { 0x34, 0x12 }, { 0xff, 0xff } }, SF_FORMAT_PCM_16, SF_FORMAT_PCM_16,
		{ 0x12340000, -0x10000 } },
	{ VSND_FMT_U16, { { 0x34, 0x92 }, { 0, 0 } }, SF_FORMAT_PCM_16, SF_FORMAT_PCM_16,
		{ 0x12340000, INT32_MIN } },
	{ VSND_FMT_S18_3, { { 1, 0, 0 }, { 0xff, 0xff, 0xff } }, SF_FORMAT_PCM_24,
		SF_FORMAT_PCM_24, { 1 << 14, -(1 << 14) } },
	{ VSND_FMT_U18_3, { { 1, 0, 2 }, { 0, 0, 0 } }, SF_FORMAT_PCM_24, SF_FORMAT_PCM_24,
		{ 1 << 14, INT32_MIN } },
	{ VSND_FMT_S20_3, { { 1, 0, 0 }, { 0xff, 0xff, 0xff } }, SF_FORMAT_PCM_24,
		SF_FORMAT_PCM_24, { 1 << 12, -(1 << 12) } },
	{ VSND_FMT_U20_3, { { 1, 0, 8 }, { 0, 0, 0 } }, SF_FORMAT_PCM_24, SF_FORMAT_PCM_24,
		{ 1 << 12, INT32_MIN } },
	{ VSND_FMT_S24_3, { { 1, 2, 3 }, { 0xff, 0xff, 0xff } }, SF_FORMAT_PCM_24,
		SF_FORMAT_PCM_24, { 0x03020100, -0x100 } },
	{ VSND_FMT_U24_3, { { 1, 2, 0x83 }, { 0, 0, 0 } }, SF_FORMAT_PCM_24, SF_FORMAT_PCM_24,
		{ 0x03020100, INT32_MIN } },
	{ VSND_FMT_S20, { { 1, 0, 0, 0 }, { 0xff, 0xff, 0x0f, 0 } }, SF_FORMAT_PCM_24,
		SF_FORMAT_PCM_24, { 1 << 12, -(1 << 12) } },
	{ VSND_FMT_U20, { { 1, 0, 8, 0 }, { 0, 0, 0, 0 } }, SF_FORMAT_PCM_24, SF_FORMAT_PCM_24,
		{ 1 << 12, INT32_MIN } },
	{ VSND_FMT_S24, { { 1, 2, 3, 0 }, { 0xff, 0xff, 0xff, 0xff } }, SF_FORMAT_PCM_24,
		SF_FORMAT_PCM_24, { 0x03020100, -0x100 } },
	{ VSND_FMT_U24, { { 1, 2, 0x83, 0 }, { 0, 0, 0, 0 } }, SF_FORMAT_PCM_24,
		SF_FORMAT_PCM_24, { 0x03020100, INT32_MIN } },
	{ VSND_FMT_S32, { { 1, 2, 3, 4 }, { 0xff, 0xff, 0xff, 0xff } }, SF_FORMAT_PCM_32, 0,
		{ 0x04030201, -1 } },
	{ VSND_FMT_U32, { { 1, 2, 3, 0x84 }, { 0, 0, 0, 0 } }, SF_FORMAT_PCM_32, 0,
		{ 0x04030201, INT32_MIN } },
	{ VSND_FMT_FLOAT, { { 0, 0, 0, 0x3f }, { 0, 0, 0, 0xbf } }, SF_FORMAT_FLOAT, 0,
		{ 1 << 30, -(1 << 30) } },
	{ VSND_FMT_FLOAT64, { { 0, 0, 0, 0, 0, 0, 0xe0, 0x3f }, { 0, 0, 0, 0, 0, 0, 0xe0, 0xbf } },
		SF_FORMAT_DOUBLE, 0, { 1 << 30, -(1 << 30) } },
	{ VSND_FMT_DSD_U8, { { 0x92 }, { 0x80 } }, SF_FORMAT_PCM_U8, 0, { 0x12 << 24, 0 } },
	{ VSND_FMT_DSD_U16, { { 0x34, 0x12 }, { 0xff, 0xff } }, SF_FORMAT_PCM_16, 0,
		{ 0x12340000, -0x10000 } },
	{ VSND_FMT_DSD_U32, { { 1, 2, 3, 4 }, { 0xff, 0xff, 0xff, 0xff } }, SF_FORMAT_PCM_32, 0,
		{ 0x04030201, -1 } },
	{ VSND_FMT_IEC958_SUBFRAME, { { 1, 2, 3, 4 }, { 0xff, 0xff, 0xff, 0xff } },
		SF_FORMAT_PCM_32, 0, { 0x04030201, -1 } },
};
#define HELD (sizeof(held) / sizeof(held[0]))
static_assert(HELD == VSND_FORMATS - 1, "a format has no row");

static void check_held(const char *name, size_t row, int subtype)
{
	struct rig r;
	unsigned bytes = vsnd_format_info(held[row].format)->bytes;
	struct vsnd_voice_params params = {
		.format = held[row].format, .channels = 1, .rate_hz = 48000, .frame_bytes = bytes,
	};
	atomic_uint last_number = 0;
	uint8_t frames[16];
	SF_INFO info = { 0 };
	SNDFILE *f;
	int got[2];

	rig_init(&r, name);
	if (subtype == 0) {
		struct file_sink *none;

		assert_int_equal(file_sink_create(&r.config, &params, &last_number, &none), -EINVAL);
	} else {
		struct file_sink *s = sink_of(&r, &last_number, &params);

		memcpy(frames, held[row].bytes[0], bytes);
		memcpy(frames + bytes, held[row].bytes[1], bytes);
		file_sink_write(s, frames, 2);
		finish_sink(s);
		f = sf_open(r.pattern, SFM_READ, &info);
		assert_non_null(f);
		sf_command(f, SFC_SET_SCALE_FLOAT_INT_READ, NULL, SF_FALSE);
		assert_int_equal(info.format & SF_FORMAT_SUBMASK, subtype);
		assert_int_equal(info.frames, 2);
		if (subtype == SF_FORMAT_FLOAT || subtype == SF_FORMAT_DOUBLE) {
			double d[2];

			assert_int_equal(sf_read_double(f, d, 2), 2);
			for (unsigned i = 0; i < 2; i++)
				got[i] = (int)(d[i] * INT32_MAX + (d[i] > 0 ? 0.5 : -0.5));
		} else {
			assert_int_equal(sf_read_int(f, got, 2), 2);
		}
		assert_int_equal(got[0], held[row].values[0]);
		assert_int_equal(got[1], held[row].values[1]);
		sf_close(f);
	}
	rig_fini(&r);
}

static void every_format_has_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < HELD; i++) {
		check_held("a.wav", i, held[i].subtype);
		check_held("a.w64", i, held[i].subtype);
		check_held("a.flac", i, held[i].flac);
	}
}

/* ALSA's 5.1 in, WAV's 5.1 out, with its mask. */
static void channels_land_where_they_belong(void **state)
{
	static const int wanted[] = { SF_CHANNEL_MAP_LEFT, SF_CHANNEL_MAP_RIGHT,
		SF_CHANNEL_MAP_CENTER, SF_CHANNEL_MAP_LFE, SF_CHANNEL_MAP_REAR_LEFT,
		SF_CHANNEL_MAP_REAR_RIGHT };
	struct rig r;
	struct vsnd_voice_params params = {
		.format = VSND_FMT_S16, .channels = 6, .rate_hz = 48000, .frame_bytes = 12,
		.positions = { VSND_POS_FL, VSND_POS_FR, VSND_POS_RL, VSND_POS_RR, VSND_POS_FC,
			VSND_POS_LFE },
	};
	static const uint8_t frame[] = { 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0 };
	atomic_uint last_number = 0;
	struct file_sink *s;
	SF_INFO info = { 0 };
	int map[6];
	short got[6];
	SNDFILE *f;

	(void)state;
	rig_init(&r, "a.wav");
	s = sink_of(&r, &last_number, &params);
	assert_true(file_sink_fits(s, &params));
	file_sink_write(s, frame, 1);
	params.positions[5] = VSND_POS_RC;
	assert_false(file_sink_fits(s, &params));
	finish_sink(s);
	f = sf_open(r.pattern, SFM_READ, &info);
	assert_non_null(f);
	assert_int_equal(info.format, SF_FORMAT_WAVEX | SF_FORMAT_PCM_16);
	assert_true(sf_command(f, SFC_GET_CHANNEL_MAP_INFO, map, sizeof(map)));
	assert_memory_equal(map, wanted, sizeof(map));
	assert_int_equal(sf_read_short(f, got, 6), 6);
	assert_memory_equal(got, ((const short[]){ 1, 2, 5, 6, 3, 4 }), sizeof(got));
	sf_close(f);

	/* Positions that WAV does not know, or twice the same: as they come. */
	for (unsigned i = 0; i < 2; i++) {
		params.positions[5] = i ? VSND_POS_FL : VSND_POS_BC;
		s = sink_of(&r, &last_number, &params);
		assert_false(s->has_map);
		assert_true(s->convert.same);
		finish_sink(s);
	}
	rig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_has_its_place),
		cmocka_unit_test(channels_land_where_they_belong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
