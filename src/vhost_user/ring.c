/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of the rings.
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
 * Reconfiguration.  NUM, BASE and ADDR of a live running ring are refused (the
 * same addresses again are not: a front-end toggles the log flag like that).
 * On a disabled one they stop it first: libkrun's reset is ENABLE 0 and, at the
 * next activation, the whole set-up anew, never GET_VRING_BASE.
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
 *
 * Memory.  Addresses are kept as the front-end gave them and translated when a
 * ring starts and after each change of the table.  A ring that is not where it was is
 * stopped before the change and resumed after it, as soon as it is found again
 * (QEMU takes regions out and puts them back, cut differently, while rings are
 * in use); its error fd is signalled when it is not found.
 */
#include "vhost_user/ring.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

#define POLL_INTERVAL_NS 2000000
#define BASE_MASK	 0xffffu	/* of a split ring */

/* Bits of rings.faults, for each ring. */
#define FAULT_BROKEN(q)	 (1u << (q))
#define FAULT_MESSAGE(q) (1u << (8 + (q)))

static const char *const names[] = {
	[VSND_CONTROLQ] = "controlq",
	[VSND_EVENTQ] = "eventq",
	[VSND_TXQ] = "txq",
	[VSND_RXQ] = "rxq",
};
static_assert(sizeof(names) / sizeof(names[0]) == VSND_QUEUES, "a queue has no name");

static bool live(const struct ring *r)
{
	return r->started && r->enabled;
}

bool rings_live(const struct rings *rs)
{
	unsigned q;

	for (q = 0; q < VSND_QUEUES; q++) {
		if (live(&rs->ring[q]))
			return true;
	}
	return false;
}

/* After a change that may have ended the last live ring. */
static void note_rest(struct rings *rs)
{
	unsigned q;

	if (rings_live(rs))
		return;
	for (q = 0; q < VSND_QUEUES; q++)
		rs->ring[q].rested = true;
}

/* Kick rings without a kick fd every now and then, if there are any. */
static void update_polling(struct rings *rs)
{
	bool want = false;
	unsigned q;

	for (q = 0; q < VSND_QUEUES; q++)
		want = want || (rs->ring[q].running && live(&rs->ring[q]) && rs->ring[q].kick_poll);
	if (want != rs->polling)
		loop_timer_set(&rs->poll, want ? POLL_INTERVAL_NS : 0, POLL_INTERVAL_NS);
	rs->polling = want;
}

static void on_poll(void *arg)
{
	struct rings *rs = arg;
	unsigned q;

	for (q = 0; q < VSND_QUEUES; q++) {
		if (rs->ring[q].running && live(&rs->ring[q]) && rs->ring[q].kick_poll)
			vsnd_queue_kick(rs->dev, q);
	}
}

/* Take a ring out of the device.  What the front-end said stays. */
static void ring_halt(struct ring *r)
{
	struct vsnd *dev = r->rings->dev;
	uint32_t base = r->setup.base;

	if (!r->running)
		return;
	r->broken = vsnd_queue_broken(dev, r->index);
	vsnd_queue_stop(dev, r->index, &base);
	r->running = false;
	r->base = base & BASE_MASK;
	r->stop_base = r->base;
	r->stop_size = r->setup.size;
	update_polling(r->rings);
}

/*
 * Where the ring is.  -ENODATA while something is not known yet, -EFAULT if it is
 * not in memory.
 */
static int ring_locate(const struct ring *r, const struct vu_memory *mem,
		       struct vsnd_queue_setup *ret)
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

		if (!live(r))
			ring_halt(r);
		if (!r->running)
			r->ran = false;
	}
	vsnd_reset_state(rs->dev);
	vu_log(rs->log, VU_LOG_RESET, LOG_INFO, "rings start anew: device state reset");
}

/* Start a ring if all that it takes is there.  0, also if it is not, or why it cannot. */
static int ring_settle(struct ring *r)
{
	struct rings *rs = r->rings;
	struct vsnd_queue_setup setup;
	int err;

	if (r->running || !live(r) || !rs->has_features || rs->failed)
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
	if (err == -EINVAL && setup.resume) {
		setup.resume = false;
		err = vsnd_queue_start(rs->dev, r->index, &setup);
	}
	if (err < 0)
		goto fail;
	r->setup = setup;
	r->running = true;
	r->ran = true;
	r->broken = false;
	r->rested = false;
	rs->run_features = rs->features;
	update_polling(rs);
	/* Kicks that came before were for nobody. */
	vsnd_queue_kick(rs->dev, r->index);
	return 0;

fail:
	vu_log(rs->log, VU_LOG_RING, LOG_WARNING, "%s cannot start: %s", names[r->index],
	       strerror(-err));
	event_out_signal(&r->err);
	return err;
}

static void settle_all(struct rings *rs)
{
	unsigned q;

	for (q = 0; q < VSND_QUEUES; q++)
		ring_settle(&rs->ring[q]);
}

/* Before a configuration change.  -EBUSY while the ring is in use. */
static int ring_open_up(struct ring *r)
{
	if (r->running && live(r))
		return -EBUSY;
	ring_halt(r);
	return 0;
}

int ring_set_size(struct rings *rs, unsigned q, uint32_t size)
{
	struct ring *r = &rs->ring[q];
	int err = ring_open_up(r);

	if (err < 0)
		return err;
	r->size = size;
	return ring_settle(r);
}

int ring_set_base(struct rings *rs, unsigned q, uint32_t base)
{
	struct ring *r = &rs->ring[q];
	int err = ring_open_up(r);

	if (err < 0)
		return err;
	r->base = base & BASE_MASK;
	return ring_settle(r);
}

static bool same_addr(const struct vu_vring_addr *a, const struct vu_vring_addr *b)
{
	return a->desc == b->desc && a->avail == b->avail && a->used == b->used;
}

int ring_set_addr(struct rings *rs, unsigned q, const struct vu_vring_addr *addr)
{
	struct ring *r = &rs->ring[q];
	struct vsnd_queue_setup setup;
	int err;

	if (r->running && r->has_addr && same_addr(&r->addr, addr) && live(r)) {
		r->addr = *addr;
		return 0;
	}
	err = ring_open_up(r);
	if (err < 0)
		return err;
	/* The ring format's own alignment; pages are pages in both address spaces. */
	if (addr->desc % 16 || addr->avail % 2 || addr->used % 4)
		return -EINVAL;
	r->addr = *addr;
	r->has_addr = true;
	if (live(r))
		return ring_settle(r);
	err = ring_locate(r, rs->mem, &setup);
	return err == -ENODATA ? 0 : err;
}

static void ring_drop_kick(struct ring *r)
{
	if (r->kick_fd >= 0) {
		loop_remove(r->rings->loop, &r->kick);
		close(r->kick_fd);
	}
	r->kick_fd = -1;
	r->kick_poll = false;
}

static void on_kick(void *arg, uint32_t events)
{
	struct ring *r = arg;
	int err = event_drain(r->kick_fd, r->rings->null_fd);

	if (r->running)
		vsnd_queue_kick(r->rings->dev, r->index);
	if (!err && !(events & (EPOLLERR | EPOLLHUP)))
		return;
	/* It would be readable for ever. */
	vu_log(r->rings->log, VU_LOG_FD, LOG_WARNING, "%s: kick fd is at its end",
	       names[r->index]);
	ring_drop_kick(r);
	event_out_signal(&r->err);
}

int ring_set_kick(struct rings *rs, unsigned q, int fd)
{
	struct ring *r = &rs->ring[q];
	struct loop_fd kick = { .added = false };
	int err;

	if (fd >= 0 && !event_usable(fd)) {
		close(fd);
		return -EINVAL;
	}
	ring_drop_kick(r);
	r->kick = kick;
	if (fd >= 0) {
		err = loop_add(rs->loop, &r->kick, fd, EPOLLIN, on_kick, r);
		if (err < 0) {
			close(fd);
			return err;
		}
	}
	r->kick_fd = fd;
	r->kick_poll = fd < 0;
	r->started = true;
	update_polling(rs);
	return ring_settle(r);
}

static int set_event(struct event_out *e, int fd)
{
	if (fd >= 0)
		return event_out_set(e, fd);
	event_out_clear(e);
	return 0;
}

int ring_set_call(struct rings *rs, unsigned q, int fd)
{
	int err = set_event(&rs->ring[q].call, fd);

	/* A notification may have gone to the former fd when nobody read it any more. */
	if (!err && fd >= 0)
		event_out_signal(&rs->ring[q].call);
	return err;
}

int ring_set_err(struct rings *rs, unsigned q, int fd)
{
	return set_event(&rs->ring[q].err, fd);
}

int ring_enable(struct rings *rs, unsigned q, bool enable)
{
	struct ring *r = &rs->ring[q];

	r->enabled = enable;
	vsnd_queue_enable(rs->dev, q, enable);
	update_polling(rs);
	if (!enable) {
		note_rest(rs);
		return 0;
	}
	if (!r->running)
		return ring_settle(r);
	r->rested = false;
	vsnd_queue_kick(rs->dev, q);
	return 0;
}

uint32_t ring_stop(struct rings *rs, unsigned q)
{
	struct ring *r = &rs->ring[q];

	ring_halt(r);
	ring_drop_kick(r);
	event_out_clear(&r->call);
	r->started = false;
	update_polling(rs);
	note_rest(rs);
	return r->base;
}

int rings_set_features(struct rings *rs, uint64_t features, bool enable_all)
{
	unsigned q;
	int err;

	for (q = 0; q < VSND_QUEUES && features != rs->features; q++) {
		if (rs->ring[q].running && live(&rs->ring[q]))
			return -EBUSY;
	}
	if (!rs->has_features || features != rs->features) {
		for (q = 0; q < VSND_QUEUES; q++)
			ring_halt(&rs->ring[q]);
		err = vsnd_set_features(rs->dev, features);
		if (err < 0)
			return err;
		rs->features = features;
		rs->has_features = true;
	}
	for (q = 0; q < VSND_QUEUES && enable_all; q++) {
		rs->ring[q].enabled = true;
		vsnd_queue_enable(rs->dev, q, true);
	}
	settle_all(rs);
	return 0;
}

static bool same_place(const struct vsnd_queue_setup *a, const struct vsnd_queue_setup *b)
{
	return a->desc == b->desc && a->driver == b->driver && a->device == b->device;
}

int rings_set_memory(struct rings *rs, const struct vu_memory *mem)
{
	static const struct vu_memory none;
	struct vsnd_mem_region regions[VU_MEM_SLOTS];
	unsigned q;
	int err;

	if (!mem)
		mem = &none;
	for (q = 0; q < VSND_QUEUES; q++) {
		struct ring *r = &rs->ring[q];
		struct vsnd_queue_setup setup;

		if (r->running && (ring_locate(r, mem, &setup) < 0 || !same_place(&setup, &r->setup)))
			ring_halt(r);
	}
	vu_memory_regions(mem, regions);
	err = vsnd_set_memory(rs->dev, regions, mem->n);
	if (!err)
		rs->mem = mem;
	settle_all(rs);
	return err;
}

void rings_set_failed(struct rings *rs, bool failed)
{
	unsigned q;

	rs->failed = failed;
	for (q = 0; q < VSND_QUEUES && failed; q++)
		ring_halt(&rs->ring[q]);
	settle_all(rs);
}

void rings_reset(struct rings *rs)
{
	unsigned q;

	vsnd_reset(rs->dev);
	for (q = 0; q < VSND_QUEUES; q++) {
		struct ring *r = &rs->ring[q];

		r->running = false;
		r->ran = false;
		r->broken = false;
		r->started = false;
		r->enabled = false;
		r->base = 0;
		ring_drop_kick(r);
		event_out_clear(&r->call);
	}
	rs->failed = false;
	update_polling(rs);
}

void rings_release(struct rings *rs)
{
	unsigned q;

	rings_reset(rs);
	rings_set_memory(rs, NULL);
	rs->has_features = false;
	for (q = 0; q < VSND_QUEUES; q++) {
		rs->ring[q].size = 0;
		rs->ring[q].has_addr = false;
		event_out_clear(&rs->ring[q].err);
	}
	atomic_store(&rs->faults, 0);
}

void ring_notify(struct rings *rs, unsigned q)
{
	event_out_signal(&rs->ring[q].call);
}

/* The error fd is signalled once until the control thread has seen the fault. */
void ring_fault(struct rings *rs, unsigned q, enum vsnd_queue_error error, const char *what)
{
	unsigned bit = error == VSND_QUEUE_ERROR_BROKEN ? FAULT_BROKEN(q) : FAULT_MESSAGE(q);
	const uint64_t one = 1;

	atomic_store(&rs->ring[q].fault, what);
	if (atomic_fetch_or(&rs->faults, bit) & bit)
		return;
	event_out_signal(&rs->ring[q].err);
	(void)!write(rs->wake_fd, &one, sizeof(one));
}

bool rings_take_faults(struct rings *rs)
{
	unsigned faults = atomic_exchange(&rs->faults, 0);
	bool broken = false;
	unsigned q;

	for (q = 0; q < VSND_QUEUES && faults; q++) {
		const char *what = atomic_load(&rs->ring[q].fault);

		if (!(faults & (FAULT_BROKEN(q) | FAULT_MESSAGE(q))))
			continue;
		broken = broken || (faults & FAULT_BROKEN(q));
		vu_log(rs->log, VU_LOG_QUEUE, LOG_WARNING, "%s: %s: %s", names[q],
		       faults & FAULT_BROKEN(q) ? "the ring is broken" : "a bad message",
		       what ? what : "");
	}
	return broken;
}

int rings_init(struct rings *rs, struct loop *loop, struct vu_log *log, int wake_fd)
{
	unsigned q;
	int err;

	memset(rs, 0, sizeof(*rs));
	rs->loop = loop;
	rs->log = log;
	rs->wake_fd = wake_fd;
	for (q = 0; q < VSND_QUEUES; q++) {
		struct ring *r = &rs->ring[q];

		r->rings = rs;
		r->index = q;
		r->kick_fd = -1;
		r->call.fd = -1;
		r->err.fd = -1;
	}
	rs->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (rs->null_fd < 0)
		return -errno;
	for (q = 0; q < VSND_QUEUES; q++) {
		err = event_out_open(&rs->ring[q].call, rs->null_fd);
		if (!err)
			err = event_out_open(&rs->ring[q].err, rs->null_fd);
		if (err < 0)
			return err;
	}
	return loop_timer_open(loop, &rs->poll, on_poll, rs);
}

void rings_set_device(struct rings *rs, struct vsnd *dev)
{
	rs->dev = dev;
}

void rings_finish(struct rings *rs)
{
	unsigned q;

	loop_timer_close(rs->loop, &rs->poll);
	for (q = 0; q < VSND_QUEUES; q++) {
		ring_drop_kick(&rs->ring[q]);
		event_out_close(&rs->ring[q].call);
		event_out_close(&rs->ring[q].err);
	}
	if (rs->null_fd >= 0)
		close(rs->null_fd);
	rs->null_fd = -1;
}
