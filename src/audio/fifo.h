/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A FIFO of frames between two threads: one alone puts in, the other alone takes
 * out, and either may be the audio thread.  Neither waits for the other or makes
 * a system call: the pages are resident from the start.
 *
 * Positions are frames since the start and never wrap; the place in memory is
 * the position modulo the capacity, so a piece never splits a frame.  Silence
 * takes no room: a gap says how many frames of it belong before a position.
 * A gap is shown to the taker when a frame follows it.
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

/* Gaps that the taker has not seen yet. */
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

/* Giver: frames that fit in. */
size_t fifo_room(const struct fifo *f);
/* Giver: where to put the next frames, and how many in one piece (may be 0). */
void *fifo_place(const struct fifo *f, size_t *ret_frames);
/* Giver: that many have been put there. */
void fifo_put(struct fifo *f, size_t frames);
/* Giver: silence before the next frame.  False if there are too many gaps. */
bool fifo_put_gap(struct fifo *f, uint64_t frames);

/* Taker: the position up to which frames are in. */
uint64_t fifo_end(const struct fifo *f);
/* Taker: silence due before the next frame, which is thereby taken; 0 for none. */
uint64_t fifo_take_gap(struct fifo *f);
/* Taker: the next frames in one piece, before @end and the next gap (0: none). */
const void *fifo_peek(const struct fifo *f, uint64_t end, size_t *ret_frames);
void fifo_take(struct fifo *f, size_t frames);

#endif
