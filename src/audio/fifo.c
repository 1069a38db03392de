/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/fifo.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

int fifo_init(struct fifo *f, size_t capacity_frames, size_t frame_bytes)
{
	size_t gap_bytes = FIFO_GAPS_MAX * sizeof(struct fifo_gap);
	void *map;

	assert(capacity_frames > 0 && frame_bytes > 0);
	if (capacity_frames > (SIZE_MAX - gap_bytes) / frame_bytes)
		return -ENOMEM;
	*f = (struct fifo){
		.frame_bytes = frame_bytes,
		.capacity = capacity_frames,
		.mapped_bytes = gap_bytes + capacity_frames * frame_bytes,
	};
	map = mmap(NULL, f->mapped_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (map == MAP_FAILED)
		return -ENOMEM;
	f->gaps = map;
	f->bytes = (uint8_t *)map + gap_bytes;
	return 0;
}

void fifo_free(struct fifo *f)
{
	if (f->gaps)
		munmap(f->gaps, f->mapped_bytes);
	f->gaps = NULL;
}

size_t fifo_room(const struct fifo *f)
{
	uint64_t put = atomic_load_explicit(&f->put, memory_order_relaxed);
	uint64_t taken = atomic_load_explicit(&f->taken, memory_order_acquire);

	return f->capacity - (size_t)(put - taken);
}

/* How many of @frames frames from @position on are in one piece. */
static size_t one_piece(const struct fifo *f, uint64_t position, uint64_t frames)
{
	size_t to_edge = f->capacity - (size_t)(position % f->capacity);

	return frames < to_edge ? (size_t)frames : to_edge;
}

static void *at(const struct fifo *f, uint64_t position)
{
	return f->bytes + (size_t)(position % f->capacity) * f->frame_bytes;
}

void *fifo_place(const struct fifo *f, size_t *ret_frames)
{
	uint64_t put = atomic_load_explicit(&f->put, memory_order_relaxed);

	*ret_frames = one_piece(f, put, fifo_room(f));
	return at(f, put);
}

void fifo_put(struct fifo *f, size_t frames)
{
	uint64_t put = atomic_load_explicit(&f->put, memory_order_relaxed);

	assert(frames <= fifo_room(f));
	atomic_store_explicit(&f->put, put + frames, memory_order_release);
}

bool fifo_put_gap(struct fifo *f, uint64_t frames)
{
	unsigned n = atomic_load_explicit(&f->gaps_put, memory_order_relaxed);

	if (n - atomic_load_explicit(&f->gaps_taken, memory_order_acquire) == FIFO_GAPS_MAX)
		return false;
	f->gaps[n % FIFO_GAPS_MAX] = (struct fifo_gap){
		.position = atomic_load_explicit(&f->put, memory_order_relaxed),
		.frames = frames,
	};
	atomic_store_explicit(&f->gaps_put, n + 1, memory_order_release);
	return true;
}

uint64_t fifo_end(const struct fifo *f)
{
	return atomic_load_explicit(&f->put, memory_order_acquire);
}

/* The next gap, or NULL. */
static const struct fifo_gap *next_gap(const struct fifo *f)
{
	unsigned n = atomic_load_explicit(&f->gaps_taken, memory_order_relaxed);

	if (n == atomic_load_explicit(&f->gaps_put, memory_order_acquire))
		return NULL;
	return &f->gaps[n % FIFO_GAPS_MAX];
}

uint64_t fifo_take_gap(struct fifo *f)
{
	const struct fifo_gap *gap = next_gap(f);
	uint64_t frames;

	if (!gap || gap->position != atomic_load_explicit(&f->taken, memory_order_relaxed) ||
			fifo_end(f) == gap->position)
		return 0;
	frames = gap->frames;
	atomic_fetch_add_explicit(&f->gaps_taken, 1, memory_order_release);
	return frames;
}

const void *fifo_peek(const struct fifo *f, uint64_t end, size_t *ret_frames)
{
	uint64_t taken = atomic_load_explicit(&f->taken, memory_order_relaxed);
	const struct fifo_gap *gap = next_gap(f);

	if (gap && gap->position < end)
		end = gap->position;
	*ret_frames = one_piece(f, taken, end - taken);
	return at(f, taken);
}

void fifo_take(struct fifo *f, size_t frames)
{
	uint64_t taken = atomic_load_explicit(&f->taken, memory_order_relaxed);

	atomic_store_explicit(&f->taken, taken + frames, memory_order_release);
}
