/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The thread that reads from the disk (`vsnd-file-in`), so that the audio thread
 * never waits for it.
 *
 * A feed is what a voice records from: a source, and a FIFO that the reader keeps
 * full.  The audio thread empties the FIFO and wakes nobody; while feeds run, the
 * reader looks by itself every READER_PACED_NS (every READER_FAST_NS where they
 * have no clock), and otherwise sleeps until the control thread wakes it.
 *
 * Feeds are in a list under one lock, which the control thread and the reader hold
 * for moments only, never while the disk works.  A feed that its voice has left
 * belongs to the reader, which frees it.
 */
#ifndef VSND_AUDIO_FILE_READER_H
#define VSND_AUDIO_FILE_READER_H

#include "audio/fifo.h"
#include "audio/file_source.h"

#define READER_PACED_NS 250000000
#define READER_FAST_NS  5000000

struct reader;

struct feed {
	struct fifo fifo;
	struct file_source *source;
	atomic_bool ended;	/* nothing more will come; set by the reader */
	atomic_uint_least64_t late;	/* frames that were missing in time; audio thread counts */
	bool runs;		/* under the lock, as the next two */
	bool left;
	struct feed *next;
};

/* All on the control thread.  0 or a negative errno. */
int reader_create(const struct audio_file_config *config, struct reader **ret_reader);

/* Open a feed, which begins to fill at once.  -EINVAL for a format it cannot give, -ENOMEM. */
int reader_add(struct reader *r, const struct vsnd_voice_params *params, struct feed **ret_feed);
void reader_run(struct reader *r, struct feed *f, bool runs);
/* The audio thread does not touch the feed any more. */
void reader_leave(struct reader *r, struct feed *f);

/*
 * Audio thread: whether the first frames are there, or will never be.  Only then
 * does a recording have a begin.
 */
bool feed_is_ready(const struct feed *f);

/* End the thread.  A disk in which it hangs for READER_LIMIT_NS keeps it.  NULL is fine. */
#define READER_LIMIT_NS 500000000
void reader_destroy(struct reader *r);

#endif
