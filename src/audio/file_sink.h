/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One sound file: its name, its format, and writing frames to it.
 *
 * WAV and W64 hold little-endian samples, as the guest sends them, so frames
 * go in as they are where the file knows the format; other linear formats become
 * the next larger one that it knows (convert.h).  Channels whose positions are
 * known are put into the order of WAV's channel mask, and WAV files say the mask.
 * The header is brought up to date whenever the writer has emptied a FIFO, so
 * that a file whose writer was killed is complete up to that moment.  FLAC
 * goes through libsndfile's encoder and is whole only once it was closed.
 *
 * A WAV file ends before 4 GiB; what follows goes to the next number, as a
 * voice with other parameters does: name.wav, name-2.wav, name-3.wav.
 *
 * What a file does not take stays with who wrote it, who tries again when
 * file_sink_may_try() says so, once a second.  FLAC's encoder does not go on after a
 * fault of the disk: what follows goes to the next number.
 */
#ifndef VSND_AUDIO_FILE_SINK_H
#define VSND_AUDIO_FILE_SINK_H

#include <sndfile.h>
#include <stdatomic.h>

#include "audio/audio.h"
#include "audio/convert.h"
#include "audio/file_disk.h"
#include "audio/file_format.h"

struct file_sink {
	struct file_sink *next;	/* the list's owner's */

	/* Constant. */
	unsigned stream;
	uint8_t format;
	SF_INFO info;
	enum file_container container;
	struct convert convert;
	uint32_t frame_bytes, out_frame_bytes;	/* the guest's, the file's */
	uint8_t positions[VSND_CHANNELS_MAX];	/* the guest's */
	bool has_map;
	int map[VSND_CHANNELS_MAX];	/* SF_CHANNEL_MAP_*, in the file's order */
	const char *pattern;
	const struct audio_log *log;
	atomic_uint *last_number;	/* of this stream's files */
	uint64_t bytes_max;	/* of one file's samples */

	/* Any thread's, set by the writer thread: the file takes nothing at present. */
	atomic_bool failing;

	/* The writer thread's. */
	unsigned number;
	SNDFILE *file;
	struct file_disk disk;
	bool unsaved;		/* the header does not tell of the last frames yet */
	uint64_t frames;	/* in this file */
	uint64_t lost;		/* frames that found no place, not logged yet */
	bool torn;		/* the last write failed: where the file ends is unknown */
	const char *reason;	/* of the last fault or loss; the library's or libc's static text */
	int64_t logged_ns, tried_ns, failed_ns;
};

/*
 * Control thread.  0, -EINVAL where the container has no such samples, -ENOMEM.
 * @last_number gets one more; all pointers must outlive the sink.
 */
int file_sink_create(const struct audio_file_config *config,
		const struct vsnd_voice_params *params, atomic_uint *last_number,
		struct file_sink **ret_sink);
bool file_sink_fits(const struct file_sink *s, const struct vsnd_voice_params *params);

/* Writer thread. */
void file_sink_open(struct file_sink *s);
/* Whether the file does not fail, or has not been tried for a second. */
bool file_sink_may_try(const struct file_sink *s);
/* How many of @n frames were written; if not all were, the file fails now. */
size_t file_sink_write(struct file_sink *s, const void *frames, size_t n);
size_t file_sink_silence(struct file_sink *s, size_t n);
/* Let the header tell of all that was written. */
void file_sink_save(struct file_sink *s);
/* Count and log frames that were lost, because the file fails, or its disk is slow. */
void file_sink_lost(struct file_sink *s, uint64_t frames);
void file_sink_close(struct file_sink *s);
void file_sink_free(struct file_sink *s);

#endif
