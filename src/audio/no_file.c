/* SPDX-License-Identifier: BSD-3-Clause */
/* In place of file.c in a build without libsndfile. */
#include <errno.h>

#include "audio/audio.h"

const struct vsnd_audio_ops *const audio_file_ops = NULL;

int audio_file_check(const struct audio_file_config *config, const char **ret_what,
		const char **ret_reason)
{
	*ret_what = config->pattern ? config->pattern : config->in;
	*ret_reason = "built without libsndfile";
	return -ENOTSUP;
}
