/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/pace_clock.h"

#include <assert.h>

#define NS_PER_S 1000000000

/* Exact but for the rounding to a ns, for all times that a machine can run. */
static int64_t frames_to_ns(uint64_t frames, uint32_t rate_hz)
{
	uint64_t s = frames / rate_hz;
	uint64_t rest = frames % rate_hz;

	return (int64_t)(s * NS_PER_S + rest * NS_PER_S / rate_hz);
}

/* b(k) of the header. */
static uint64_t frames_before(const struct pace_clock *c, uint64_t cycle)
{
	uint64_t part = cycle % c->parts;

	return cycle / c->parts * c->period_frames + part * c->period_frames / c->parts;
}

uint32_t pace_cycle_frames(uint32_t rate_hz, uint32_t period_frames, uint32_t buffer_frames)
{
	uint32_t most = rate_hz / (NS_PER_S / PACE_GATHER_NS);

	if (most > buffer_frames / PACE_GATHER_PARTS)
		most = buffer_frames / PACE_GATHER_PARTS;
	return most < period_frames ? period_frames : most - most % period_frames;
}

void pace_clock_init(struct pace_clock *c, uint32_t rate_hz, uint32_t period_frames,
		uint32_t buffer_frames)
{
	uint32_t cycle_frames_max = rate_hz / (NS_PER_S / PACE_CYCLE_NS_MAX);
	uint32_t cycle_frames_min = (rate_hz - 1) / (NS_PER_S / PACE_CYCLE_NS_MIN) + 1;
	int64_t two_buffers_ns = frames_to_ns((uint64_t)buffer_frames * 2, rate_hz);

	assert(cycle_frames_max > 0 && period_frames > 0 && buffer_frames > 0);
	if (period_frames < cycle_frames_min)
		period_frames *= (cycle_frames_min - 1) / period_frames + 1;
	*c = (struct pace_clock){
		.rate_hz = rate_hz,
		.period_frames = period_frames,
		.parts = (period_frames - 1) / cycle_frames_max + 1,
		.debt_ns_max = two_buffers_ns > PACE_DEBT_NS_MAX ? two_buffers_ns : PACE_DEBT_NS_MAX,
	};
}

void pace_clock_start(struct pace_clock *c, int64_t start_ns)
{
	c->start_ns = start_ns;
	c->cycle = 0;
	c->not_before_ns = start_ns;
	c->in_debt = false;
}

uint32_t pace_clock_frames(const struct pace_clock *c)
{
	return (uint32_t)(frames_before(c, c->cycle + 1) - frames_before(c, c->cycle));
}

int64_t pace_clock_cycle_ns(const struct pace_clock *c)
{
	return frames_to_ns(pace_clock_frames(c), c->rate_hz);
}

int64_t pace_clock_deadline(const struct pace_clock *c)
{
	return c->start_ns + frames_to_ns(frames_before(c, c->cycle + 1), c->rate_hz);
}

int64_t pace_clock_due(const struct pace_clock *c)
{
	int64_t deadline_ns = pace_clock_deadline(c);

	return deadline_ns > c->not_before_ns ? deadline_ns : c->not_before_ns;
}

/* A short cycle is not pulled a whole cycle early. */
static int64_t share_ns(const struct pace_clock *c)
{
	int64_t quarter_ns = pace_clock_cycle_ns(c) / 4;

	return quarter_ns < PACE_SHARE_NS ? quarter_ns : PACE_SHARE_NS;
}

bool pace_clock_is_due(const struct pace_clock *c, int64_t now_ns)
{
	return pace_clock_due(c) - share_ns(c) <= now_ns;
}

bool pace_clock_owes(const struct pace_clock *c, int64_t now_ns)
{
	return c->in_debt || now_ns - pace_clock_deadline(c) >= pace_clock_cycle_ns(c);
}

/* Let the deadline of the next cycle be @deadline_ns; nothing is owed any more. */
static void slip(struct pace_clock *c, int64_t deadline_ns)
{
	c->start_ns += deadline_ns - pace_clock_deadline(c);
	c->not_before_ns = c->start_ns;
	c->in_debt = false;
}

uint32_t pace_clock_turn(struct pace_clock *c, int64_t now_ns, size_t ready)
{
	uint32_t frames = pace_clock_frames(c);
	int64_t cycle_ns = pace_clock_cycle_ns(c);
	bool owes = pace_clock_owes(c, now_ns);

	if (owes && ready < frames) {
		slip(c, now_ns + cycle_ns);
		return 0;
	}
	if (owes && now_ns - pace_clock_deadline(c) > c->debt_ns_max) {
		slip(c, now_ns);
		owes = false;
	}
	c->cycle++;
	c->not_before_ns = now_ns + cycle_ns / 2;
	c->in_debt = owes && pace_clock_deadline(c) < c->not_before_ns;
	return frames;
}
