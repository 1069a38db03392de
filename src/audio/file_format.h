/* SPDX-License-Identifier: BSD-3-Clause */
/* What kinds of sound files can hold, how they hold it, and what they are called. */
#ifndef VSND_AUDIO_FILE_FORMAT_H
#define VSND_AUDIO_FILE_FORMAT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "audio/audio.h"

enum file_container {
	FILE_WAV,
	FILE_W64,
	FILE_FLAC,
	FILE_CONTAINERS
};

/* The container that a pattern's suffix names, or -EINVAL. */
int file_container_of(const char *pattern);

/*
 * Write the name of a stream's file number @number (1 is the first) to @path.
 * -EINVAL for a bad pattern, -ENAMETOOLONG.
 */
int file_path(const char *pattern, unsigned stream, unsigned number, char path[PATH_MAX]);

/* What libsndfile calls samples of @format there; 0 if there can be none. */
int file_format_of(enum file_container container, unsigned format);
/* What they are to be when they are written: an enum vsnd_format. */
unsigned file_format_in(enum file_container container, unsigned format);
/* Whether that is sound, and not something else whose bits are kept. */
bool file_format_is_listenable(unsigned format);

/*
 * The order of the channels in a file, and their positions (SF_CHANNEL_MAP_*).  False, and
 * both as they come, where a position has no bit in the mask or two channels have
 * the same.  One and two channels need no mask.
 */
bool file_channel_order(const struct vsnd_voice_params *params, uint8_t *order, int *map);

#endif
