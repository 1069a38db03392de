/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The thread that writes to the disk (`vsnd-file`), so that the audio thread
 * never waits for it.
 *
 * A track is what a voice sends: a FIFO, and the sink it goes to.  The audio
 * thread fills the FIFO and wakes nobody; while tracks run, the writer looks by
 * itself when a quarter of a FIFO may have come, which is once a second as a rule
 * (every WRITER_FAST_NS where a track has no clock), and otherwise sleeps until
 * the control thread wakes it.
 *
 * Tracks and sinks are in lists under one lock, which the control thread and the
 * writer hold for moments only, never while the disk works.  A track that its
 * voice has left belongs to the writer, which empties and frees it.  Tracks are
 * served in the order they came, so voices that follow each other do so in the
 * file as well.  Sinks stay open until the end.
 *
 * A file that fails, as a full disk makes it, is one whose disk is slow without end: the
 * FIFO keeps what it can, the writer tries again once a second, and the audio thread goes
 * on without (file.c).  A voice that is closed does not wait: what is left is lost.
 */
#ifndef VSND_AUDIO_FILE_WRITER_H
#define VSND_AUDIO_FILE_WRITER_H

#include "audio/file_sink.h"
#include "audio/fifo.h"

#define WRITER_FAST_NS  5000000
#define WRITER_RETRY_NS 1000000000

struct writer;

struct track {
	struct fifo fifo;
	struct file_sink *sink;
	int64_t fifo_ns;	/* what it holds, as time */
	atomic_uint_least64_t discarded;	/* audio thread counts, writer takes */
	bool runs;		/* under the lock, as the next two */
	bool left;
	struct track *next;
};

/* Whether what goes into the FIFO will not come out soon.  Any thread, real-time safe. */
static inline bool track_is_stuck(const struct track *t)
{
	return atomic_load_explicit(&t->sink->failing, memory_order_relaxed);
}

/* The rest on the control thread.  0 or a negative errno. */
int writer_create(const struct audio_file_config *config, struct writer **ret_writer);

/* Open a track.  -EINVAL for a format that the container has not got, -ENOMEM. */
int writer_add(struct writer *w, const struct vsnd_voice_params *params,
		struct track **ret_track);
void writer_run(struct writer *w, struct track *t, bool runs);
/* The audio thread does not touch the track any more. */
void writer_leave(struct writer *w, struct track *t);

/* Whether no file fails, as far as known. */
bool writer_works(struct writer *w);

/*
 * Write what is left, close all files and end.  A disk that does not let that
 * happen within WRITER_LIMIT_NS loses the rest.
 */
#define WRITER_LIMIT_NS 700000000
void writer_destroy(struct writer *w);

#endif
