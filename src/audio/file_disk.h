/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file being written, for libsndfile.
 *
 * Left to itself libsndfile asks the kernel where it is in a file and how long that is,
 * several times for each write.  We know: nobody else writes to it.  So a write is one
 * system call, and moving about is none.
 */
#ifndef VSND_AUDIO_FILE_DISK_H
#define VSND_AUDIO_FILE_DISK_H

#include <sndfile.h>

struct file_disk {
	int fd;
	sf_count_t position, length;
	int error;		/* errno of the last write that failed, or 0 */
};

/* Make @path anew, for an SNDFILE that writes to it.  NULL with d->error set, or without if
 * libsndfile has a reason of its own. */
SNDFILE *file_disk_open(struct file_disk *d, const char *path, SF_INFO *info);

/* Close both.  NULL is fine. */
void file_disk_close(struct file_disk *d, SNDFILE *file);

#endif
