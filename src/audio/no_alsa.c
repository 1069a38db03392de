/* SPDX-License-Identifier: BSD-3-Clause */
/* In place of alsa.c in a build without ALSA. */
#include "audio/audio.h"

const struct vsnd_audio_ops *const audio_alsa_ops = NULL;

bool audio_alsa_answers(const struct audio_host_config *config)
{
	(void)config;
	return false;
}
