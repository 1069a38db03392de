/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sound file that is recorded from: its frames in the guest's format, rate and
 * channels.  Reader thread, but for making it.
 *
 * Samples pass through as doubles of -1 to 1, which hold every sample of up to 32
 * bits, and floats, exactly: a file whose rate and channels are the guest's reaches it bit
 * by bit.  Another rate is converted by libsamplerate.  Mono goes to all
 * channels, stereo to mono is the mean, and else channels that the file has not
 * got are silent.
 */
#ifndef VSND_AUDIO_FILE_SOURCE_H
#define VSND_AUDIO_FILE_SOURCE_H

#include "audio/audio.h"

struct file_source;

/* Control thread.  0, -EINVAL for a format that samples cannot be converted to, -ENOMEM. */
int file_source_create(const struct audio_file_config *config,
		const struct vsnd_voice_params *params, struct file_source **ret_source);
void file_source_free(struct file_source *s);

/*
 * The next frames, at most @frames, in the guest's layout.  0 at the end of the
 * file, which does not come if the file is played over and over, and for one that
 * cannot be read.
 */
size_t file_source_read(struct file_source *s, void *dst, size_t frames);

/* Whether this is a file that can be read.  0 or a negative errno with a static text. */
int file_source_check(const char *path, const char **ret_reason);

#endif
