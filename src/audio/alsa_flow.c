/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/alsa_flow.h"

#include <assert.h>

#define NS_PER_S 1000000000
/* How much late a thread may be before the device runs dry. */
#define MARGIN_MS 10
/* ... and how much of being late is made up for. */
#define SLACK_NS 50000000
/* The part by which a device's clock may be faster than ours. */
#define FASTER 128

static int64_t frames_ns(const struct flow *f, int64_t frames)
{
	return frames * NS_PER_S / f->rate_hz;
}

uint32_t flow_buffer_wanted(uint32_t rate_hz, uint32_t unit, uint32_t guest_buffer)
{
	uint32_t enough = 2 * (2 * unit + rate_hz * MARGIN_MS / 1000);

	return guest_buffer > enough ? guest_buffer : enough;
}

void flow_init(struct flow *f, uint32_t rate_hz, uint32_t unit, uint32_t period, uint32_t buffer)
{
	uint32_t fill;

	assert(rate_hz > 0 && unit > 0 && buffer >= 2);
	if (unit > buffer / 2)
		unit = buffer / 2;
	if (period > buffer)
		period = buffer;
	fill = period + unit + rate_hz * MARGIN_MS / 1000;
	*f = (struct flow){
		.rate_hz = rate_hz,
		.unit = unit,
		.fill = fill < buffer ? fill : buffer,
		.slack_ns = period > 2 * unit ? 0 : SLACK_NS,
	};
}

void flow_start(struct flow *f, int64_t now_ns)
{
	f->moved_ns = now_ns;
	f->not_before_ns = now_ns;
	f->clocked = true;
}

static int64_t due_ns(const struct flow *f)
{
	return f->moved_ns > f->not_before_ns ? f->moved_ns : f->not_before_ns;
}

/* A device that has said so too early is not listened to: it might say so all the time. */
static struct flow_wait wait_for(const struct flow *f, int64_t now_ns, int64_t ready, bool heard)
{
	struct flow_wait wait = { .until_ns = due_ns(f) };
	int64_t there_ns = now_ns;

	if (ready >= f->unit)
		return wait;
	there_ns += frames_ns(f, f->unit - ready);
	wait.listen = !heard;
	/* One that says nothing is looked at all the same. */
	if (wait.listen)
		there_ns += frames_ns(f, f->unit);
	if (there_ns > wait.until_ns)
		wait.until_ns = there_ns;
	return wait;
}

bool flow_turn(struct flow *f, int64_t now_ns, int64_t ready, bool heard, struct flow_wait *ret_wait)
{
	int64_t unit_ns = frames_ns(f, f->unit);

	if (f->moved_ns < now_ns - f->slack_ns)
		f->moved_ns = now_ns - f->slack_ns;
	if (ready < f->unit || due_ns(f) > now_ns) {
		*ret_wait = wait_for(f, now_ns, ready, heard);
		return false;
	}
	f->moved_ns += unit_ns - (f->clocked ? unit_ns / FASTER : 0);
	f->not_before_ns = now_ns + unit_ns / 2;
	return true;
}

void flow_moved(struct flow *f, int64_t now_ns, int64_t avail_before, int64_t avail_after,
		int64_t ready, struct flow_wait *ret_wait)
{
	f->clocked = avail_after < avail_before;
	*ret_wait = wait_for(f, now_ns, ready, false);
}
