/* SPDX-License-Identifier: BSD-3-Clause */
/* A device whose last stream is an input, and a host that speaks a known pattern. */
#ifndef VSND_TESTS_RECORD_FIXTURE_H
#define VSND_TESTS_RECORD_FIXTURE_H

#include "device_fixture.h"

#define FRAME 4u
#define PERIOD 480u
#define BYTES (PERIOD * FRAME)
#define MIC 2u

static uint8_t spoken[1 << 20];

/* The host's next @frames frames: a pattern that never repeats within a test. */
static inline const uint8_t *speak(uint32_t *seed, size_t frames)
{
	for (size_t i = 0; i < frames; i++, (*seed)++)
		memcpy(spoken + i * FRAME, &(uint32_t){ htole32(*seed * 2654435761u) }, FRAME);
	return spoken;
}

static inline size_t capture(struct device *d, uint32_t *seed, size_t frames)
{
	const uint8_t *src = speak(seed, frames);

	return record(d, MIC, src, frames, 0);
}

/* @n bytes of the pattern at @gpa, the first being byte *@at of it. */
static inline void expect_bytes(struct device *d, uint64_t gpa, size_t n, uint64_t *at)
{
	const uint8_t *got = guest_ptr(&d->g, gpa);

	for (size_t i = 0; i < n; i++, (*at)++) {
		uint32_t frame = htole32((uint32_t)(*at / FRAME) * 2654435761u);

		assert_int_equal(got[i], ((uint8_t *)&frame)[*at % FRAME]);
	}
}

static inline void expect_all(struct device *d, uint64_t gpa, size_t n, uint8_t value)
{
	const uint8_t *got = guest_ptr(&d->g, gpa);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(got[i], value);
}

/* An empty buffer of @bytes bytes. */
static inline struct sent place(struct device *d, uint32_t bytes)
{
	uint8_t seed = 0xa5;
	struct sent s = send_bytes(d, VSND_RXQ, MIC, bytes, &seed);

	memset(guest_ptr(&d->g, s.data), 0xa5, bytes);
	return s;
}

/* It is back, full, and what is in it goes on at *@at. */
static inline void expect_full_after(struct device *d, const struct sent *s, uint64_t *at, uint32_t latency)
{
	expect_used(d, VSND_RXQ, s, 8 + s->bytes, OK, latency);
	expect_bytes(d, s->data, s->bytes, at);
}

static inline void expect_full(struct device *d, const struct sent *s, uint64_t *at)
{
	expect_full_after(d, s, at, 0);
}

/* The latency that a message came back with. */
static inline uint32_t latency_of(struct device *d, const struct sent *s)
{
	return le32toh(((uint32_t *)guest_ptr(&d->g, s->status))[1]);
}

static inline void open_mic(struct device *d, uint64_t features)
{
	device_open_inputs(d, features, 256, 1);
}

static inline void start_mic(struct device *d)
{
	run(d, MIC, 64);
}

#endif
