/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/alsa_params.h"

#include <assert.h>
#include <errno.h>

/* A buffer of an input holds this long in any case: it costs no latency. */
#define INPUT_BUFFER_MS 200
/* A converter may call 44099 Hz what is 44100: the part that a rate may be off. */
#define RATE_OFF 200

static const snd_pcm_format_t formats[VSND_FORMATS] = {
	[VSND_FMT_IMA_ADPCM] = SND_PCM_FORMAT_UNKNOWN,
	[VSND_FMT_MU_LAW] = SND_PCM_FORMAT_MU_LAW,
	[VSND_FMT_A_LAW] = SND_PCM_FORMAT_A_LAW,
	[VSND_FMT_S8] = SND_PCM_FORMAT_S8,
	[VSND_FMT_U8] = SND_PCM_FORMAT_U8,
	[VSND_FMT_S16] = SND_PCM_FORMAT_S16_LE,
	[VSND_FMT_U16] = SND_PCM_FORMAT_U16_LE,
	[VSND_FMT_S18_3] = SND_PCM_FORMAT_S18_3LE,
	[VSND_FMT_U18_3] = SND_PCM_FORMAT_U18_3LE,
	[VSND_FMT_S20_3] = SND_PCM_FORMAT_S20_3LE,
	[VSND_FMT_U20_3] = SND_PCM_FORMAT_U20_3LE,
	[VSND_FMT_S24_3] = SND_PCM_FORMAT_S24_3LE,
	[VSND_FMT_U24_3] = SND_PCM_FORMAT_U24_3LE,
	[VSND_FMT_S20] = SND_PCM_FORMAT_S20_LE,
	[VSND_FMT_U20] = SND_PCM_FORMAT_U20_LE,
	[VSND_FMT_S24] = SND_PCM_FORMAT_S24_LE,
	[VSND_FMT_U24] = SND_PCM_FORMAT_U24_LE,
	[VSND_FMT_S32] = SND_PCM_FORMAT_S32_LE,
	[VSND_FMT_U32] = SND_PCM_FORMAT_U32_LE,
	[VSND_FMT_FLOAT] = SND_PCM_FORMAT_FLOAT_LE,
	[VSND_FMT_FLOAT64] = SND_PCM_FORMAT_FLOAT64_LE,
	[VSND_FMT_DSD_U8] = SND_PCM_FORMAT_DSD_U8,
	[VSND_FMT_DSD_U16] = SND_PCM_FORMAT_DSD_U16_LE,
	[VSND_FMT_DSD_U32] = SND_PCM_FORMAT_DSD_U32_LE,
	[VSND_FMT_IEC958_SUBFRAME] = SND_PCM_FORMAT_IEC958_SUBFRAME_LE,
};

/* The specification took its positions from ALSA, with their numbers. */
static_assert((int)VSND_POS_NONE == (int)SND_CHMAP_UNKNOWN, "positions are ALSA's");
static_assert((int)VSND_POS_MONO == (int)SND_CHMAP_MONO, "positions are ALSA's");
static_assert((int)VSND_POS_FL == (int)SND_CHMAP_FL, "positions are ALSA's");
static_assert((int)VSND_POS_LFE == (int)SND_CHMAP_LFE, "positions are ALSA's");
static_assert((int)VSND_POS_TC == (int)SND_CHMAP_TC, "positions are ALSA's");
static_assert((int)VSND_POS_BRC == (int)SND_CHMAP_BRC, "positions are ALSA's");

snd_pcm_format_t alsa_format(unsigned format)
{
	return format < VSND_FORMATS ? formats[format] : SND_PCM_FORMAT_UNKNOWN;
}

/* snd_pcm_chmap_t ends in an array without a length: @ret_map has room for all channels. */
bool alsa_map(const struct vsnd_voice_params *params, snd_pcm_chmap_t *ret_map)
{
	for (unsigned i = 0; i < params->channels; i++) {
		if (params->positions[i] == VSND_POS_NONE)
			return false;
	}
	ret_map->channels = params->channels;
	for (unsigned i = 0; i < params->channels; i++)
		ret_map->pos[i] = params->positions[i];
	return true;
}

/* A device without maps, or with another, plays the channels in the guest's order. */
static void set_map(snd_pcm_t *pcm, const struct vsnd_voice_params *params)
{
	union {
		snd_pcm_chmap_t map;
		unsigned space[1 + VSND_CHANNELS_MAX];
	} u;

	if (alsa_map(params, &u.map))
		snd_pcm_set_chmap(pcm, &u.map);
}

/*
 * The `file` pcm asserts what its slave does not hold when a program maps it, and
 * records from its file only when it is read.
 */
static int set_access(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, bool *ret_mmap)
{
	*ret_mmap = snd_pcm_type(pcm) != SND_PCM_TYPE_FILE &&
		snd_pcm_hw_params_set_access(pcm, hw, SND_PCM_ACCESS_MMAP_INTERLEAVED) == 0;
	return *ret_mmap ? 0 : snd_pcm_hw_params_set_access(pcm, hw, SND_PCM_ACCESS_RW_INTERLEAVED);
}

static int set_rate(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, unsigned rate_hz)
{
	unsigned rate = rate_hz;
	int dir = 0, err = snd_pcm_hw_params_set_rate_near(pcm, hw, &rate, &dir);

	if (err < 0)
		return err;
	return (rate > rate_hz ? rate - rate_hz : rate_hz - rate) > rate_hz / RATE_OFF ? -EINVAL : 0;
}

/* The guest's format exactly. */
static int set_format(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
		const struct vsnd_voice_params *params, bool *ret_mmap, const char **ret_refused)
{
	int err;

	*ret_refused = "interleaved frames";
	err = set_access(pcm, hw, ret_mmap);
	if (err < 0)
		return err;
	*ret_refused = "the format";
	err = snd_pcm_hw_params_set_format(pcm, hw, alsa_format(params->format));
	if (err < 0)
		return err;
	*ret_refused = "the number of channels";
	err = snd_pcm_hw_params_set_channels(pcm, hw, params->channels);
	if (err < 0)
		return err;
	*ret_refused = "the rate";
	return set_rate(pcm, hw, params->rate_hz);
}

static int read_setup(snd_pcm_hw_params_t *hw, struct alsa_setup *ret_setup)
{
	snd_pcm_uframes_t period, buffer;
	int dir, err = snd_pcm_hw_params_get_period_size(hw, &period, &dir);

	if (err == 0)
		err = snd_pcm_hw_params_get_buffer_size(hw, &buffer);
	if (err < 0)
		return err;
	if (buffer < 2 || buffer > INT32_MAX || period < 1)
		return -EINVAL;
	ret_setup->period_frames = (uint32_t)period;
	ret_setup->buffer_frames = (uint32_t)buffer;
	return 0;
}

int alsa_set_hw(snd_pcm_t *pcm, const struct vsnd_voice_params *params, uint32_t unit,
		struct alsa_setup *ret_setup, const char **ret_refused)
{
	snd_pcm_uframes_t period = unit;
	snd_pcm_uframes_t buffer = flow_buffer_wanted(params->rate_hz, unit, params->buffer_frames);
	snd_pcm_hw_params_t *hw;
	int dir = 0, err;

	if (params->direction == VSND_INPUT && buffer < params->rate_hz * INPUT_BUFFER_MS / 1000)
		buffer = params->rate_hz * INPUT_BUFFER_MS / 1000;
	snd_pcm_hw_params_alloca(&hw);
	*ret_refused = "to say what it can";
	err = snd_pcm_hw_params_any(pcm, hw);
	if (err < 0)
		return err;
	err = set_format(pcm, hw, params, &ret_setup->mmap, ret_refused);
	if (err < 0)
		return err;
	/* Wishes: a device that has no period near it says what it has. */
	snd_pcm_hw_params_set_period_size_near(pcm, hw, &period, &dir);
	snd_pcm_hw_params_set_buffer_size_near(pcm, hw, &buffer);
	*ret_refused = "the parameters";
	err = snd_pcm_hw_params(pcm, hw);
	if (err < 0)
		return err;
	set_map(pcm, params);
	return read_setup(hw, ret_setup);
}

int alsa_set_sw(snd_pcm_t *pcm, const struct flow *flow, uint32_t buffer_frames)
{
	bool input = snd_pcm_stream(pcm) == SND_PCM_STREAM_CAPTURE;
	snd_pcm_uframes_t avail_min = input ? flow->unit : buffer_frames - flow->fill + flow->unit;
	snd_pcm_uframes_t start = flow->fill - flow->unit;
	snd_pcm_sw_params_t *sw;
	int err;

	snd_pcm_sw_params_alloca(&sw);
	err = snd_pcm_sw_params_current(pcm, sw);
	if (err < 0)
		return err;
	snd_pcm_sw_params_set_avail_min(pcm, sw, avail_min);
	/* Servers behind plugins wait for as much after a gap, too: no more than they will get. */
	snd_pcm_sw_params_set_start_threshold(pcm, sw, start > 0 ? start : 1);
	snd_pcm_sw_params_set_stop_threshold(pcm, sw, buffer_frames);
	return snd_pcm_sw_params(pcm, sw);
}
