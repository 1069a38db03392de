/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/file_format.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sndfile.h>

static const struct {
	const char *suffix;
	int major;
} containers[] = {
	[FILE_WAV] = { ".wav", SF_FORMAT_WAV },
	[FILE_W64] = { ".w64", SF_FORMAT_W64 },
	[FILE_FLAC] = { ".flac", SF_FORMAT_FLAC },
};
static_assert(sizeof(containers) / sizeof(containers[0]) == FILE_CONTAINERS,
	"a container has no row");

/*
 * What a format becomes in the WAV family, where samples are written as bytes, and
 * in FLAC, whose encoder takes 32-bit integers and keeps 24 bits.  Subtype 0: the
 * container cannot hold it.  DSD and IEC 958 are kept bit by bit as integers of the
 * same width: nothing to listen to, but nothing is lost.
 */
static const struct {
	int wav;
	uint8_t wav_format;
	int flac;
} formats[VSND_FORMATS] = {
	[VSND_FMT_MU_LAW] = { SF_FORMAT_ULAW, VSND_FMT_MU_LAW, 0 },
	[VSND_FMT_A_LAW] = { SF_FORMAT_ALAW, VSND_FMT_A_LAW, 0 },
	[VSND_FMT_S8] = { SF_FORMAT_PCM_U8, VSND_FMT_U8, SF_FORMAT_PCM_S8 },
	[VSND_FMT_U8] = { SF_FORMAT_PCM_U8, VSND_FMT_U8, SF_FORMAT_PCM_S8 },
	[VSND_FMT_S16] = { SF_FORMAT_PCM_16, VSND_FMT_S16, SF_FORMAT_PCM_16 },
	[VSND_FMT_U16] = { SF_FORMAT_PCM_16, VSND_FMT_S16, SF_FORMAT_PCM_16 },
	[VSND_FMT_S18_3] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_U18_3] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_S20_3] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_U20_3] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_S24_3] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_U24_3] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_S20] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_U20] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_S24] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_U24] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_S32] = { SF_FORMAT_PCM_32, VSND_FMT_S32, 0 },
	[VSND_FMT_U32] = { SF_FORMAT_PCM_32, VSND_FMT_S32, 0 },
	[VSND_FMT_FLOAT] = { SF_FORMAT_FLOAT, VSND_FMT_FLOAT, 0 },
	[VSND_FMT_FLOAT64] = { SF_FORMAT_DOUBLE, VSND_FMT_FLOAT64, 0 },
	[VSND_FMT_DSD_U8] = { SF_FORMAT_PCM_U8, VSND_FMT_DSD_U8, 0 },
	[VSND_FMT_DSD_U16] = { SF_FORMAT_PCM_16, VSND_FMT_DSD_U16, 0 },
	[VSND_FMT_DSD_U32] = { SF_FORMAT_PCM_32, VSND_FMT_DSD_U32, 0 },
	[VSND_FMT_IEC958_SUBFRAME] = { SF_FORMAT_PCM_32, VSND_FMT_IEC958_SUBFRAME, 0 },
};

int file_format_of(enum file_container container, unsigned format)
{
	int subtype = 0;

	if (format < VSND_FORMATS)
		subtype = container == FILE_FLAC ? formats[format].flac : formats[format].wav;
	return subtype ? containers[container].major | subtype : 0;
}

unsigned file_format_in(enum file_container container, unsigned format)
{
	return container == FILE_FLAC ? VSND_FMT_S32 : formats[format].wav_format;
}

bool file_format_is_listenable(unsigned format)
{
	return format < VSND_FMT_DSD_U8;
}

/*
 * WAV's channel mask says which positions there are, and the channels follow its
 * bits, as in FLAC.  Positions that have no bit are not here.
 */
static const uint8_t wav_positions[] = {
	VSND_POS_FL, VSND_POS_FR, VSND_POS_FC, VSND_POS_LFE, VSND_POS_RL, VSND_POS_RR,
	VSND_POS_FLC, VSND_POS_FRC, VSND_POS_RC, VSND_POS_SL, VSND_POS_SR, VSND_POS_TC,
	VSND_POS_TFL, VSND_POS_TFC, VSND_POS_TFR, VSND_POS_TRL, VSND_POS_TRC, VSND_POS_TRR,
};

/* The same, as libsndfile calls them (FRONT_LEFT and its like make no mask). */
static const int sf_positions[] = {
	SF_CHANNEL_MAP_LEFT, SF_CHANNEL_MAP_RIGHT, SF_CHANNEL_MAP_CENTER,
	SF_CHANNEL_MAP_LFE, SF_CHANNEL_MAP_REAR_LEFT, SF_CHANNEL_MAP_REAR_RIGHT,
	SF_CHANNEL_MAP_FRONT_LEFT_OF_CENTER, SF_CHANNEL_MAP_FRONT_RIGHT_OF_CENTER,
	SF_CHANNEL_MAP_REAR_CENTER, SF_CHANNEL_MAP_SIDE_LEFT, SF_CHANNEL_MAP_SIDE_RIGHT,
	SF_CHANNEL_MAP_TOP_CENTER, SF_CHANNEL_MAP_TOP_FRONT_LEFT,
	SF_CHANNEL_MAP_TOP_FRONT_CENTER, SF_CHANNEL_MAP_TOP_FRONT_RIGHT,
	SF_CHANNEL_MAP_TOP_REAR_LEFT, SF_CHANNEL_MAP_TOP_REAR_CENTER,
	SF_CHANNEL_MAP_TOP_REAR_RIGHT,
};
#define WAV_POSITIONS (sizeof(wav_positions) / sizeof(wav_positions[0]))
static_assert(WAV_POSITIONS == sizeof(sf_positions) / sizeof(sf_positions[0]),
	"a position has no row");

bool file_channel_order(const struct vsnd_voice_params *params, uint8_t *order, int *map)
{
	unsigned n = 0;

	for (unsigned bit = 0; bit < WAV_POSITIONS; bit++) {
		unsigned found = 0;

		for (unsigned i = 0; i < params->channels; i++) {
			if (params->positions[i] != wav_positions[bit])
				continue;
			if (found++ > 0)
				return false;
			order[n] = (uint8_t)i;
			map[n++] = sf_positions[bit];
		}
	}
	return n == params->channels && n > 2;
}

static const char *suffix_of(const char *pattern)
{
	const char *dot = strrchr(pattern, '.');

	return dot && !strchr(dot, '/') ? dot : pattern + strlen(pattern);
}

int file_container_of(const char *pattern)
{
	const char *suffix = suffix_of(pattern);

	for (int i = 0; i < FILE_CONTAINERS; i++) {
		if (strcasecmp(suffix, containers[i].suffix) == 0)
			return i;
	}
	return -EINVAL;
}

int file_path(const char *pattern, unsigned stream, unsigned number, char path[PATH_MAX])
{
	const char *suffix = suffix_of(pattern);
	size_t used = 0;

	for (const char *p = pattern; *p; p++) {
		char piece[32] = { *p };

		if (p == suffix && number > 1)
			snprintf(piece, sizeof(piece), "-%u%c", number, *p);
		if (*p == '%') {
			p++;
			if (*p == 's')
				snprintf(piece, sizeof(piece), "%u", stream);
			else if (*p != '%')
				return -EINVAL;
		}
		if (strlen(piece) >= PATH_MAX - used)
			return -ENAMETOOLONG;
		memcpy(path + used, piece, strlen(piece));
		used += strlen(piece);
	}
	path[used] = '\0';
	return used > 0 ? 0 : -EINVAL;
}
