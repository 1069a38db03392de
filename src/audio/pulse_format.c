/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/pulse_format.h"

#include <stdlib.h>
#include <string.h>

/* How long the server's queue is at least: what a busy machine takes to wake us up. */
#define QUEUE_MS_MIN 10

/* A format of the server is its own; 0 is none, as VSND_FMT_IMA_ADPCM is of no use here. */
static const uint8_t carriers[VSND_FORMATS] = {
	[VSND_FMT_MU_LAW] = VSND_FMT_MU_LAW,
	[VSND_FMT_A_LAW] = VSND_FMT_A_LAW,
	[VSND_FMT_S8] = VSND_FMT_S16,
	[VSND_FMT_U8] = VSND_FMT_U8,
	[VSND_FMT_S16] = VSND_FMT_S16,
	[VSND_FMT_U16] = VSND_FMT_S16,
	[VSND_FMT_S18_3] = VSND_FMT_S24_3,
	[VSND_FMT_U18_3] = VSND_FMT_S24_3,
	[VSND_FMT_S20_3] = VSND_FMT_S24_3,
	[VSND_FMT_U20_3] = VSND_FMT_S24_3,
	[VSND_FMT_S24_3] = VSND_FMT_S24_3,
	[VSND_FMT_U24_3] = VSND_FMT_S24_3,
	[VSND_FMT_S20] = VSND_FMT_S24,
	[VSND_FMT_U20] = VSND_FMT_S24,
	[VSND_FMT_S24] = VSND_FMT_S24,
	[VSND_FMT_U24] = VSND_FMT_S24,
	[VSND_FMT_S32] = VSND_FMT_S32,
	[VSND_FMT_U32] = VSND_FMT_S32,
	[VSND_FMT_FLOAT] = VSND_FMT_FLOAT,
};

unsigned pulse_format(unsigned guest)
{
	return guest < VSND_FORMATS && carriers[guest] ? carriers[guest] : VSND_FORMATS;
}

static pa_sample_format_t sample_format(unsigned format)
{
	switch (format) {
	case VSND_FMT_MU_LAW:
		return PA_SAMPLE_ULAW;
	case VSND_FMT_A_LAW:
		return PA_SAMPLE_ALAW;
	case VSND_FMT_U8:
		return PA_SAMPLE_U8;
	case VSND_FMT_S16:
		return PA_SAMPLE_S16LE;
	case VSND_FMT_S24_3:
		return PA_SAMPLE_S24LE;
	case VSND_FMT_S24:
		return PA_SAMPLE_S24_32LE;
	case VSND_FMT_S32:
		return PA_SAMPLE_S32LE;
	case VSND_FMT_FLOAT:
		return PA_SAMPLE_FLOAT32LE;
	default:
		return PA_SAMPLE_INVALID;
	}
}

pa_sample_spec pulse_sample_spec(unsigned format, const struct vsnd_voice_params *params)
{
	return (pa_sample_spec){
		.format = sample_format(format),
		.rate = params->rate_hz,
		.channels = params->channels,
	};
}

static pa_channel_position_t position(uint8_t guest)
{
	static const pa_channel_position_t positions[VSND_POSITIONS] = {
		[VSND_POS_FL] = PA_CHANNEL_POSITION_FRONT_LEFT,
		[VSND_POS_FR] = PA_CHANNEL_POSITION_FRONT_RIGHT,
		[VSND_POS_RL] = PA_CHANNEL_POSITION_REAR_LEFT,
		[VSND_POS_RR] = PA_CHANNEL_POSITION_REAR_RIGHT,
		[VSND_POS_FC] = PA_CHANNEL_POSITION_FRONT_CENTER,
		[VSND_POS_LFE] = PA_CHANNEL_POSITION_LFE,
		[VSND_POS_SL] = PA_CHANNEL_POSITION_SIDE_LEFT,
		[VSND_POS_SR] = PA_CHANNEL_POSITION_SIDE_RIGHT,
		[VSND_POS_RC] = PA_CHANNEL_POSITION_REAR_CENTER,
		[VSND_POS_FLC] = PA_CHANNEL_POSITION_FRONT_LEFT_OF_CENTER,
		[VSND_POS_FRC] = PA_CHANNEL_POSITION_FRONT_RIGHT_OF_CENTER,
		[VSND_POS_TC] = PA_CHANNEL_POSITION_TOP_CENTER,
		[VSND_POS_TFL] = PA_CHANNEL_POSITION_TOP_FRONT_LEFT,
		[VSND_POS_TFR] = PA_CHANNEL_POSITION_TOP_FRONT_RIGHT,
		[VSND_POS_TFC] = PA_CHANNEL_POSITION_TOP_FRONT_CENTER,
		[VSND_POS_TRL] = PA_CHANNEL_POSITION_TOP_REAR_LEFT,
		[VSND_POS_TRR] = PA_CHANNEL_POSITION_TOP_REAR_RIGHT,
		[VSND_POS_TRC] = PA_CHANNEL_POSITION_TOP_REAR_CENTER,
	};

	if (guest == VSND_POS_MONO)
		return PA_CHANNEL_POSITION_MONO;
	if (guest >= VSND_POSITIONS || positions[guest] == 0)
		return PA_CHANNEL_POSITION_INVALID;
	return positions[guest];
}

/* A position that the server does not have, or has had, is one without a place. */
static void map_positions(pa_channel_map *map, const struct vsnd_voice_params *params)
{
	unsigned aux = 0;

	map->channels = params->channels;
	for (unsigned i = 0; i < params->channels; i++) {
		pa_channel_position_t p = position(params->positions[i]);

		for (unsigned j = 0; j < i; j++) {
			if (map->map[j] == p)
				p = PA_CHANNEL_POSITION_INVALID;
		}
		if (p == PA_CHANNEL_POSITION_INVALID)
			p = (pa_channel_position_t)(PA_CHANNEL_POSITION_AUX0 + aux++);
		map->map[i] = p;
	}
}

void pulse_channel_map(pa_channel_map *map, const struct vsnd_voice_params *params)
{
	pa_channel_map_init(map);
	for (unsigned i = 0; i < params->channels; i++) {
		if (params->positions[i] > VSND_POS_NA) {
			map_positions(map, params);
			return;
		}
	}
	pa_channel_map_init_extend(map, params->channels, PA_CHANNEL_MAP_ALSA);
}

void pulse_level(pa_cvolume *level, const struct vsnd_volume *volume)
{
	pa_cvolume_init(level);
	level->channels = (uint8_t)volume->channels;
	for (unsigned i = 0; i < volume->channels; i++)
		level->values[i] = pa_sw_volume_from_linear((double)volume->gain[i]);
}

void pulse_volume(struct vsnd_volume *volume, const pa_cvolume *level, bool mute)
{
	*volume = (struct vsnd_volume){
		.channels = level->channels < VSND_CHANNELS_MAX ? level->channels : VSND_CHANNELS_MAX,
		.mute = mute,
	};
	for (unsigned i = 0; i < volume->channels; i++)
		volume->gain[i] = (float)pa_sw_volume_to_linear(level->values[i]);
}

pa_buffer_attr pulse_buffer_attr(const struct vsnd_voice_params *params, uint32_t cycle_frames,
		uint32_t frame_bytes)
{
	uint32_t queue = 3 * cycle_frames, queue_min = params->rate_hz * QUEUE_MS_MIN / 1000;

	if (queue < queue_min)
		queue = queue_min;
	return (pa_buffer_attr){
		.maxlength = UINT32_MAX,
		.tlength = queue * frame_bytes,
		/* Late frames are played, whenever they come and however few: never lost. */
		.prebuf = frame_bytes,
		.minreq = cycle_frames * frame_bytes,
		.fragsize = cycle_frames * frame_bytes,
	};
}

bool pulse_properties(pa_proplist *p, const char *text)
{
	size_t length = strlen(text);
	char *bare = malloc(length + 1);
	pa_proplist *said;

	if (!bare)
		return false;
	memcpy(bare, text, length + 1);
	while (length > 0 && strchr(" \t\n", bare[length - 1]))
		length--;
	text = bare + strspn(bare, " \t\n");
	if (length > 0 && *text == '{' && bare[length - 1] == '}') {
		bare[length - 1] = '\0';
		text++;
	}
	said = pa_proplist_from_string(text);
	free(bare);
	if (!said)
		return false;
	pa_proplist_update(p, PA_UPDATE_REPLACE, said);
	pa_proplist_free(said);
	return true;
}
