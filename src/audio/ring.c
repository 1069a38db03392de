/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/ring.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

int ring_init(struct ring *r, size_t capacity_frames, size_t frame_bytes)
{
	size_t gap_bytes = RING_GAPS_MAX * sizeof(struct ring_gap);
	void *map;

	assert(capacity_frames > 0 && frame_bytes > 0);
	if (capacity_frames > (SIZE_MAX - gap_bytes) / frame_bytes)
		return -ENOMEM;
	*r = (struct ring){
		.frame_bytes = frame_bytes,
		.capacity = capacity_frames,
		.mapped_bytes = gap_bytes + capacity_frames * frame_bytes,
	};
	map = mmap(NULL, r->mapped_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (map == MAP_FAILED)
		return -ENOMEM;
	r->gaps = map;
	r->bytes = (uint8_t *)map + gap_bytes;
	return 0;
}

void ring_free(struct ring *r)
{
	if (r->gaps)
		munmap(r->gaps, r->mapped_bytes);
	r->gaps = NULL;
}

size_t ring_room(const struct ring *r)
{
	uint64_t put = atomic_load_explicit(&r->put, memory_order_relaxed);
	uint64_t taken = atomic_load_explicit(&r->taken, memory_order_acquire);

	return r->capacity - (size_t)(put - taken);
}

/* How many of @frames frames from @position on are in one piece. */
static size_t one_piece(const struct ring *r, uint64_t position, uint64_t frames)
{
	size_t to_edge = r->capacity - (size_t)(position % r->capacity);

	return frames < to_edge ? (size_t)frames : to_edge;
}

static void *at(const struct ring *r, uint64_t position)
{
	return r->bytes + (size_t)(position % r->capacity) * r->frame_bytes;
}

void *ring_place(const struct ring *r, size_t *ret_frames)
{
	uint64_t put = atomic_load_explicit(&r->put, memory_order_relaxed);

	*ret_frames = one_piece(r, put, ring_room(r));
	return at(r, put);
}

void ring_put(struct ring *r, size_t frames)
{
	uint64_t put = atomic_load_explicit(&r->put, memory_order_relaxed);

	assert(frames <= ring_room(r));
	atomic_store_explicit(&r->put, put + frames, memory_order_release);
}

bool ring_put_gap(struct ring *r, uint64_t frames)
{
	unsigned n = atomic_load_explicit(&r->gaps_put, memory_order_relaxed);

	if (n - atomic_load_explicit(&r->gaps_taken, memory_order_acquire) == RING_GAPS_MAX)
		return false;
	r->gaps[n % RING_GAPS_MAX] = (struct ring_gap){
		.position = atomic_load_explicit(&r->put, memory_order_relaxed),
		.frames = frames,
	};
	atomic_store_explicit(&r->gaps_put, n + 1, memory_order_release);
	return true;
}

uint64_t ring_end(const struct ring *r)
{
	return atomic_load_explicit(&r->put, memory_order_acquire);
}

/* The next gap, or NULL. */
static const struct ring_gap *next_gap(const struct ring *r)
{
	unsigned n = atomic_load_explicit(&r->gaps_taken, memory_order_relaxed);

	if (n == atomic_load_explicit(&r->gaps_put, memory_order_acquire))
		return NULL;
	return &r->gaps[n % RING_GAPS_MAX];
}

uint64_t ring_take_gap(struct ring *r)
{
	const struct ring_gap *gap = next_gap(r);
	uint64_t frames;

	if (!gap || gap->position != atomic_load_explicit(&r->taken, memory_order_relaxed) ||
			ring_end(r) == gap->position)
		return 0;
	frames = gap->frames;
	atomic_fetch_add_explicit(&r->gaps_taken, 1, memory_order_release);
	return frames;
}

const void *ring_peek(const struct ring *r, uint64_t end, size_t *ret_frames)
{
	uint64_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed);
	const struct ring_gap *gap = next_gap(r);

	if (gap && gap->position < end)
		end = gap->position;
	*ret_frames = one_piece(r, taken, end - taken);
	return at(r, taken);
}

void ring_take(struct ring *r, size_t frames)
{
	uint64_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed);

	atomic_store_explicit(&r->taken, taken + frames, memory_order_release);
}
