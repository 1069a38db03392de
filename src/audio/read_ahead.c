/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/read_ahead.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <vsnd/format.h>

#define NS_PER_S 1000000000
/* The part of the distance that one cycle makes good. */
#define GAIN 16
/* ... but no more than this part of the cycle. */
#define SHIFT_MAX 32

int read_ahead_init(struct read_ahead *r, size_t capacity, size_t frame_bytes)
{
	*r = (struct read_ahead){ .capacity = capacity, .frame_bytes = frame_bytes };
	r->bytes = malloc(capacity * frame_bytes);
	if (!r->bytes)
		return -ENOMEM;
	/* Resident before the audio thread comes, and later if we may. */
	memset(r->bytes, 1, capacity * frame_bytes);
	(void)!mlock(r->bytes, capacity * frame_bytes);
	return 0;
}

void read_ahead_free(struct read_ahead *r)
{
	if (r->bytes)
		munlock(r->bytes, r->capacity * r->frame_bytes);
	free(r->bytes);
	r->bytes = NULL;
}

void read_ahead_clear(struct read_ahead *r)
{
	r->first = 0;
	r->level = 0;
	r->primed = false;
}

void *read_ahead_place(const struct read_ahead *r, size_t *ret_frames)
{
	size_t end = (r->first + r->level) % r->capacity;
	size_t room = r->capacity - r->level;

	*ret_frames = room < r->capacity - end ? room : r->capacity - end;
	return r->bytes + end * r->frame_bytes;
}

void read_ahead_put(struct read_ahead *r, size_t frames)
{
	assert(frames <= r->capacity - r->level);
	r->level += frames;
}

size_t read_ahead_take(struct read_ahead *r, void *dst, size_t frames)
{
	size_t n = frames < r->level ? frames : r->level;
	size_t piece = n < r->capacity - r->first ? n : r->capacity - r->first;

	memcpy(dst, r->bytes + r->first * r->frame_bytes, piece * r->frame_bytes);
	memcpy((uint8_t *)dst + piece * r->frame_bytes, r->bytes, (n - piece) * r->frame_bytes);
	r->first = (r->first + n) % r->capacity;
	r->level -= n;
	if (n < frames)
		r->primed = false;
	return n;
}

const void *read_ahead_oldest(const struct read_ahead *r, size_t *ret_frames)
{
	*ret_frames = r->level < r->capacity - r->first ? r->level : r->capacity - r->first;
	return r->bytes + r->first * r->frame_bytes;
}

void read_ahead_drop(struct read_ahead *r, size_t frames)
{
	assert(frames <= r->level);
	r->first = (r->first + frames) % r->capacity;
	r->level -= frames;
}

void read_ahead_give(struct read_ahead *r, const void *src, size_t frames, unsigned format)
{
	const uint8_t *from = src;

	while (frames > 0) {
		size_t piece;
		void *to = read_ahead_place(r, &piece);

		if (piece == 0)
			return;
		if (piece > frames)
			piece = frames;
		if (from)
			memcpy(to, from, piece * r->frame_bytes);
		else
			vsnd_silence(to, format,
				piece * r->frame_bytes / vsnd_format_info(format)->bytes);
		from = from ? from + piece * r->frame_bytes : NULL;
		read_ahead_put(r, piece);
		frames -= piece;
	}
}

/* A guest cycle, by which what is there may just not have grown, and 10 ms. */
size_t read_ahead_margin(const struct pace_clock *c)
{
	return pace_clock_frames(c) + c->rate_hz / 100;
}

/* Frames of the guest's cycle that have passed: it gets or gives them all at its end. */
static int64_t passed(const struct pace_clock *c, int64_t now_ns)
{
	int64_t left_ns = pace_clock_deadline(c) - now_ns;

	return (pace_clock_cycle_ns(c) - left_ns) * c->rate_hz / NS_PER_S;
}

/* Have the clock run later by a part of @late frames. */
static void follow(struct pace_clock *c, int64_t late, size_t frames)
{
	int64_t shift = late / GAIN;
	int64_t shift_max = (int64_t)frames / SHIFT_MAX;

	if (shift > shift_max)
		shift = shift_max;
	if (shift < -shift_max)
		shift = -shift_max;
	c->start_ns += shift * NS_PER_S / c->rate_hz;
}

size_t read_ahead_begin(struct read_ahead *r, struct pace_clock *c, size_t frames, int64_t now_ns)
{
	size_t margin = read_ahead_margin(c);
	size_t ready = r->level > margin ? r->level - margin : 0;

	if (r->primed) {
		follow(c, (int64_t)r->level + passed(c, now_ns) - (int64_t)(frames + margin), frames);
		return 0;
	}
	r->primed = ready > 0;
	return ready < frames ? frames - ready : 0;
}

size_t read_behind_begin(struct read_ahead *r, struct pace_clock *c, size_t frames, int64_t now_ns)
{
	size_t margin = read_ahead_margin(c);

	if (r->primed) {
		follow(c, (int64_t)margin - (int64_t)r->level + passed(c, now_ns), frames);
		return 0;
	}
	r->primed = true;
	return r->level < margin ? margin - r->level : 0;
}
