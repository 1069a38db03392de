/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A FIFO of frames between the audio thread, which alone puts in, and one other
 * thread, which alone takes out.  Neither waits for the other, and the audio
 * thread makes no system call: the pages are resident from the start.
 *
 * Positions are frames since the start and never wrap; the place in memory is
 * the position modulo the capacity, so a piece never splits a frame.  Silence
 * takes no room: a gap says how many frames of it belong before a position.
 * A gap is shown to the reader when a frame follows it.
 *
 * Each position has one writer.  It is stored with release order after what it
 * covers and loaded with acquire order before that is used.
 */
#ifndef VSND_AUDIO_FIFO_H
#define VSND_AUDIO_FIFO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Gaps that the reader has not seen yet. */
#define FIFO_GAPS_MAX 4096

struct fifo_gap {
	uint64_t position;
	uint64_t frames;
};

struct fifo {
	/* Constant. */
	size_t frame_bytes;
	size_t capacity;	/* frames */
	uint8_t *bytes;
	struct fifo_gap *gaps;
	size_t mapped_bytes;

	_Alignas(64) atomic_uint_least64_t put;
	atomic_uint gaps_put;
	_Alignas(64) atomic_uint_least64_t taken;
	atomic_uint gaps_taken;
};

/* 0 or -ENOMEM. */
int fifo_init(struct fifo *f, size_t capacity_frames, size_t frame_bytes);
void fifo_free(struct fifo *f);

/* Audio thread: frames that fit in. */
size_t fifo_room(const struct fifo *f);
/* Audio thread: where to put the next frames, and how many in one piece (may be 0). */
void *fifo_place(const struct fifo *f, size_t *ret_frames);
/* Audio thread: that many have been put there. */
void fifo_put(struct fifo *f, size_t frames);
/* Audio thread: silence before the next frame.  False if there are too many gaps. */
bool fifo_put_gap(struct fifo *f, uint64_t frames);

/* Reader: the position up to which frames are in. */
uint64_t fifo_end(const struct fifo *f);
/* Reader: silence due before the next frame, which is thereby taken; 0 for none. */
uint64_t fifo_take_gap(struct fifo *f);
/* Reader: the next frames in one piece, before @end and the next gap (0: none). */
const void *fifo_peek(const struct fifo *f, uint64_t end, size_t *ret_frames);
void fifo_take(struct fifo *f, size_t frames);

#endif
