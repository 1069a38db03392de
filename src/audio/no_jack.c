/* SPDX-License-Identifier: BSD-3-Clause */
/* In place of jack.c in a build without JACK. */
#include "audio/audio.h"

const struct vsnd_audio_ops *const audio_jack_ops = NULL;

bool audio_jack_answers(const struct audio_host_config *config)
{
	(void)config;
	return false;
}
