/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest's format and channels in PipeWire's words.  Where the guest has a map for as
 * many channels its positions hold, else ALSA's order up to eight.
 */
#include "audio/pipewire.h"

#include <spa/param/audio/format-utils.h>

static const enum spa_audio_format formats[VSND_FORMATS] = {
	[VSND_FMT_MU_LAW] = SPA_AUDIO_FORMAT_ULAW,
	[VSND_FMT_A_LAW] = SPA_AUDIO_FORMAT_ALAW,
	[VSND_FMT_S8] = SPA_AUDIO_FORMAT_S8,
	[VSND_FMT_U8] = SPA_AUDIO_FORMAT_U8,
	[VSND_FMT_S16] = SPA_AUDIO_FORMAT_S16_LE,
	[VSND_FMT_U16] = SPA_AUDIO_FORMAT_U16_LE,
	[VSND_FMT_S18_3] = SPA_AUDIO_FORMAT_S18_LE,
	[VSND_FMT_U18_3] = SPA_AUDIO_FORMAT_U18_LE,
	[VSND_FMT_S20_3] = SPA_AUDIO_FORMAT_S20_LE,
	[VSND_FMT_U20_3] = SPA_AUDIO_FORMAT_U20_LE,
	[VSND_FMT_S24_3] = SPA_AUDIO_FORMAT_S24_LE,
	[VSND_FMT_U24_3] = SPA_AUDIO_FORMAT_U24_LE,
	[VSND_FMT_S24] = SPA_AUDIO_FORMAT_S24_32_LE,
	[VSND_FMT_U24] = SPA_AUDIO_FORMAT_U24_32_LE,
	[VSND_FMT_S32] = SPA_AUDIO_FORMAT_S32_LE,
	[VSND_FMT_U32] = SPA_AUDIO_FORMAT_U32_LE,
	[VSND_FMT_FLOAT] = SPA_AUDIO_FORMAT_F32_LE,
	[VSND_FMT_FLOAT64] = SPA_AUDIO_FORMAT_F64_LE,
};

#define POSITIONS_MAX 8

static const uint32_t positions[POSITIONS_MAX + 1][POSITIONS_MAX] = {
	[1] = { SPA_AUDIO_CHANNEL_MONO },
	[2] = { SPA_AUDIO_CHANNEL_FL, SPA_AUDIO_CHANNEL_FR },
	[3] = { SPA_AUDIO_CHANNEL_FL, SPA_AUDIO_CHANNEL_FR, SPA_AUDIO_CHANNEL_LFE },
	[4] = { SPA_AUDIO_CHANNEL_FL, SPA_AUDIO_CHANNEL_FR, SPA_AUDIO_CHANNEL_RL,
		SPA_AUDIO_CHANNEL_RR },
	[5] = { SPA_AUDIO_CHANNEL_FL, SPA_AUDIO_CHANNEL_FR, SPA_AUDIO_CHANNEL_RL,
		SPA_AUDIO_CHANNEL_RR, SPA_AUDIO_CHANNEL_FC },
	[6] = { SPA_AUDIO_CHANNEL_FL, SPA_AUDIO_CHANNEL_FR, SPA_AUDIO_CHANNEL_RL,
		SPA_AUDIO_CHANNEL_RR, SPA_AUDIO_CHANNEL_FC, SPA_AUDIO_CHANNEL_LFE },
	[7] = { SPA_AUDIO_CHANNEL_FL, SPA_AUDIO_CHANNEL_FR, SPA_AUDIO_CHANNEL_RL,
		SPA_AUDIO_CHANNEL_RR, SPA_AUDIO_CHANNEL_FC, SPA_AUDIO_CHANNEL_LFE,
		SPA_AUDIO_CHANNEL_RC },
	[8] = { SPA_AUDIO_CHANNEL_FL, SPA_AUDIO_CHANNEL_FR, SPA_AUDIO_CHANNEL_RL,
		SPA_AUDIO_CHANNEL_RR, SPA_AUDIO_CHANNEL_FC, SPA_AUDIO_CHANNEL_LFE,
		SPA_AUDIO_CHANNEL_SL, SPA_AUDIO_CHANNEL_SR },
};

/* What the guest calls them.  Positions that say nothing are 0, which is unknown. */
#define POSITION(name) [VSND_POS_##name] = SPA_AUDIO_CHANNEL_##name
static const uint32_t mapped[VSND_POSITIONS] = {
	POSITION(NA), POSITION(MONO), POSITION(FL), POSITION(FR), POSITION(RL), POSITION(RR),
	POSITION(FC), POSITION(LFE), POSITION(SL), POSITION(SR), POSITION(RC), POSITION(FLC),
	POSITION(FRC), POSITION(RLC), POSITION(RRC), POSITION(FLW), POSITION(FRW), POSITION(FLH),
	POSITION(FCH), POSITION(FRH), POSITION(TC), POSITION(TFL), POSITION(TFR), POSITION(TFC),
	POSITION(TRL), POSITION(TRR), POSITION(TRC), POSITION(TFLC), POSITION(TFRC),
	POSITION(TSL), POSITION(TSR), POSITION(LLFE), POSITION(RLFE), POSITION(BC), POSITION(BLC),
	POSITION(BRC),
};

bool format_is_known(uint8_t format)
{
	return format < VSND_FORMATS && formats[format] != SPA_AUDIO_FORMAT_UNKNOWN;
}

static bool has_map(const struct vsnd_voice_params *params)
{
	bool any = false;

	for (unsigned i = 0; i < params->channels; i++)
		any = any || params->positions[i] != VSND_POS_NONE;
	return any;
}

void format_of(const struct vsnd_voice_params *params, struct spa_audio_info_raw *ret)
{
	bool map = has_map(params);

	*ret = (struct spa_audio_info_raw){
		.format = formats[params->format],
		.rate = params->rate_hz,
		.channels = params->channels,
	};
	for (uint32_t i = 0; i < params->channels && i < SPA_AUDIO_MAX_CHANNELS; i++) {
		uint32_t position = SPA_AUDIO_CHANNEL_AUX0 + i;

		if (map)
			position = mapped[params->positions[i]];
		else if (params->channels <= POSITIONS_MAX)
			position = positions[params->channels][i];
		ret->position[i] = position;
	}
}
