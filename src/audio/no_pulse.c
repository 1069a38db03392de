/* SPDX-License-Identifier: BSD-3-Clause */
/* In place of pulse.c in a build without PulseAudio. */
#include "audio/audio.h"

const struct vsnd_audio_ops *const audio_pulse_ops = NULL;

bool audio_pulse_answers(const struct audio_host_config *config)
{
	(void)config;
	return false;
}
