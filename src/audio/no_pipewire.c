/* SPDX-License-Identifier: BSD-3-Clause */
/* In place of pipewire.c in a build without PipeWire. */
#include "audio/audio.h"

const struct vsnd_audio_ops *const audio_pipewire_ops = NULL;

bool audio_pipewire_answers(const struct audio_host_config *config)
{
	(void)config;
	return false;
}
