/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a pcm is asked for: the guest's own format, rate, channels and positions,
 * exactly, and its period and a buffer as near as the device can.  Any thread; may wait.
 */
#ifndef VSND_AUDIO_ALSA_PARAMS_H
#define VSND_AUDIO_ALSA_PARAMS_H

#include <alsa/asoundlib.h>

#include <vsnd/audio.h>

#include "audio/alsa_flow.h"

/* What the device made of it. */
struct alsa_setup {
	bool mmap;
	uint32_t period_frames;
	uint32_t buffer_frames;
};

/* ALSA's format, or SND_PCM_FORMAT_UNKNOWN. */
snd_pcm_format_t alsa_format(unsigned format);

/* ALSA's map of the guest's positions.  False if not all of them are known. */
bool alsa_map(const struct vsnd_voice_params *params, snd_pcm_chmap_t *ret_map);

/*
 * Hardware parameters, and the channel map if there is one.  0 or a negative errno
 * with what was refused in *@ret_refused (static).
 */
int alsa_set_hw(snd_pcm_t *pcm, const struct vsnd_voice_params *params, uint32_t unit,
		struct alsa_setup *ret_setup, const char **ret_refused);

/* Software parameters: when the device wakes us, and with how much it starts.  0 or a negative errno. */
int alsa_set_sw(snd_pcm_t *pcm, const struct flow *flow, uint32_t buffer_frames);

#endif
