/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When rings run, and whether they go on or start anew.
 *
 * Running.  A ring is *live* when it is started (SET_VRING_KICK, until
 * GET_VRING_BASE) and enabled.  It *runs* - vsnd_queue_start() is in force - from
 * the moment when it is live, configured and found in memory, until it is
 * stopped, reconfigured or its memory goes.  ring_settle() is called after every
 * change and is the only place that starts a ring, so the order in which
 * front-ends say these things does not matter.  A ring that is disabled while it
 * runs goes on running in the device, which then leaves its buffers alone:
 * pausing a VM is not to lose audio.
 *
 * Resume or reset.  Neither QEMU, crosvm nor libkrun says whether the guest was
 * reset: a VM's pause and its guest's reset are the same messages.  What tells
 * them apart is where the rings go on: after a pause where they stopped, after
 * a reset at 0.  (controlq never stops at 0 when the device has any state, since
 * that comes from requests; but for 65536 of them.)  So:
 *
 *   1. The device *rests* when no ring is live; from then on every ring counts as
 *      `rested` until it runs again.
 *   2. When a rested ring is to run, all rested rings that have run before are
 *      looked at.  Each must have the base and the size with which it stopped (a
 *      front-end that does not send BASE again leaves it so), and the features must
 *      be those with which rings ran last.  If one differs, the device's state is
 *      reset (vsnd_reset_state()) and all rings that do not run in use have no
 *      past any more; they start afresh.
 *   3. A ring with a past whose base and size are those of its stop resumes;
 *      else it starts afresh and only its own held messages are forgotten.
 *
 * Rings begin to run one after the other, and what the last one says is not
 * known when the first one starts.  The look at *all* rested rings (2) makes
 * that harmless where all BASEs come before the first ENABLE (QEMU,
 * cloud-hypervisor).  crosvm and libkrun finish one ring after the other: then
 * the decision is made with ring 0, controlq, and should a later ring differ,
 * the reset comes with that one, also for rings that have resumed already.  A
 * ring that is stopped and restarted while others are live is not rested, so rule
 * 3 alone holds for it.
 *
 * cloud-hypervisor pauses with ENABLE 0 and resumes with ENABLE 1 alone: the
 * ring runs all the time and there is nothing to decide.
 */
#include "vhost_user/ring_run.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <syslog.h>

#define POLL_INTERVAL_NS 2000000

const char *ring_name(unsigned q)
{
	static const char *const names[] = {
		[VSND_CONTROLQ] = "controlq",
		[VSND_EVENTQ] = "eventq",
		[VSND_TXQ] = "txq",
		[VSND_RXQ] = "rxq",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == VSND_QUEUES, "a queue has no name");

	return names[q];
}

bool ring_live(const struct ring *r)
{
	return r->started && r->enabled;
}

bool rings_live(const struct rings *rs)
{
	unsigned q;

	for (q = 0; q < VSND_QUEUES; q++) {
		if (ring_live(&rs->ring[q]))
			return true;
	}
	return false;
}

void rings_note_rest(struct rings *rs)
{
	unsigned q;

	if (rings_live(rs))
		return;
	for (q = 0; q < VSND_QUEUES; q++)
		rs->ring[q].rested = true;
}

static bool polled(const struct ring *r)
{
	return r->running && ring_live(r) && r->kick_poll;
}

void rings_update_polling(struct rings *rs)
{
	bool want = false;
	unsigned q;

	for (q = 0; q < VSND_QUEUES; q++)
		want = want || polled(&rs->ring[q]);
	if (want != rs->polling)
		loop_timer_set(&rs->poll, want ? POLL_INTERVAL_NS : 0, POLL_INTERVAL_NS);
	rs->polling = want;
}

void rings_poll(void *arg)
{
	struct rings *rs = arg;
	unsigned q;

	for (q = 0; q < VSND_QUEUES; q++) {
		if (polled(&rs->ring[q]))
			vsnd_queue_kick(rs->dev, q);
	}
}

void ring_halt(struct ring *r)
{
	struct vsnd *dev = r->rings->dev;
	uint32_t base = r->setup.base;

	if (!r->running)
		return;
	r->broken = vsnd_queue_broken(dev, r->index);
	vsnd_queue_stop(dev, r->index, &base);
	r->running = false;
	r->base = base & RING_BASE_MASK;
	r->stop_base = r->base;
	r->stop_size = r->setup.size;
	rings_update_polling(r->rings);
}

int ring_locate(const struct ring *r, const struct vu_memory *mem, struct vsnd_queue_setup *ret)
{
	const uint64_t event = r->rings->features & VU_BIT(VSND_F_EVENT_IDX) ? 2 : 0;
	struct vsnd_queue_setup s = { .size = r->size, .base = r->base };
	int err;

	if (!r->size || !r->has_addr || !mem || !mem->n)
		return -ENODATA;
	err = vu_memory_gpa(mem, r->addr.desc, 16 * (uint64_t)r->size, &s.desc);
	if (!err)
		err = vu_memory_gpa(mem, r->addr.avail, 4 + 2 * (uint64_t)r->size + event,
				    &s.driver);
	if (!err)
		err = vu_memory_gpa(mem, r->addr.used, 4 + 8 * (uint64_t)r->size + event,
				    &s.device);
	if (err < 0)
		return err;
	*ret = s;
	return 0;
}

/* Whether a ring with a past is set up to go on where it stopped. */
static bool same_as_stopped(const struct ring *r)
{
	return r->base == r->stop_base && r->size == r->stop_size;
}

/* Rule 2 of the head comment: is this start of the device another one than its stop was? */
static bool rings_differ(const struct rings *rs)
{
	bool past = false;
	unsigned q;

	for (q = 0; q < VSND_QUEUES; q++) {
		const struct ring *r = &rs->ring[q];

		past = past || r->ran;
		if (r->ran && r->rested && !r->running && !same_as_stopped(r))
			return true;
	}
	return past && rs->features != rs->run_features;
}

/* Drop the device's state, and the past of all rings that are not in use. */
static void rings_forget(struct rings *rs)
{
	unsigned q;

	for (q = 0; q < VSND_QUEUES; q++) {
		struct ring *r = &rs->ring[q];

		if (!ring_live(r))
			ring_halt(r);
		if (!r->running)
			r->ran = false;
	}
	vsnd_reset_state(rs->dev);
	vu_log(rs->log, VU_LOG_RESET, LOG_INFO, "rings start anew: device state reset");
}

int ring_settle(struct ring *r)
{
	struct rings *rs = r->rings;
	struct vsnd_queue_setup setup;
	int err;

	if (r->running || !ring_live(r) || !rs->has_features || rs->failed)
		return 0;
	err = ring_locate(r, rs->mem, &setup);
	if (err == -ENODATA)
		return 0;
	if (err < 0)
		goto fail;

	if (r->rested && rings_differ(rs))
		rings_forget(rs);
	setup.resume = r->ran && !r->broken && same_as_stopped(r);
	err = vsnd_queue_start(rs->dev, r->index, &setup);
	if (err < 0)
		goto fail;
	r->setup = setup;
	r->running = true;
	r->ran = true;
	r->broken = false;
	r->rested = false;
	rs->run_features = rs->features;
	rings_update_polling(rs);
	/* Kicks that came before were for nobody. */
	vsnd_queue_kick(rs->dev, r->index);
	return 0;

fail:
	vu_log(rs->log, VU_LOG_RING, LOG_WARNING, "%s cannot start: %s", ring_name(r->index),
	       strerror(-err));
	event_out_signal(&r->err);
	return err;
}

void rings_settle(struct rings *rs)
{
	unsigned q;

	for (q = 0; q < VSND_QUEUES; q++)
		ring_settle(&rs->ring[q]);
}
