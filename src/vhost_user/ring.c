/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the front-end says about rings, and what the device does; which of it is
 * in force when is decided in ring_run.c.
 *
 * Reconfiguration.  NUM, BASE and ADDR of a live running ring are refused (the
 * same addresses again are not: a front-end toggles the log flag like that).
 * On a disabled one they stop it first: libkrun's reset is ENABLE 0 and, at the
 * next activation, the whole set-up anew, never GET_VRING_BASE.
 *
 * Memory.  Addresses are kept as the front-end gave them and translated when a
 * ring starts and after each change of the table.  A ring that is not where it
 * was is stopped before the change and resumed after it, as soon as it is found
 * again (QEMU takes regions out and puts them back, cut differently, while rings
 * are in use); its error fd is signalled when it is not found.
 *
 * Kick fds.  One that is at its end, or no event fd at all, would be readable for
 * ever: it is closed, the error fd signalled, and the ring goes on without kicks.
 */
#include "vhost_user/ring_run.h"

#include <errno.h>
#include <string.h>

#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

/* Bits of rings.faults, for each ring. */
#define FAULT_BROKEN(q)	 (1u << (q))
#define FAULT_MESSAGE(q) (1u << (8 + (q)))

/* Before a configuration change.  -EBUSY while the ring is in use. */
static int ring_open_up(struct ring *r)
{
	if (r->running && ring_live(r))
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
	r->base = base & RING_BASE_MASK;
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

	if (r->running && r->has_addr && same_addr(&r->addr, addr) && ring_live(r)) {
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
	if (ring_live(r))
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
	int err = event_drain(r->kick_fd, r->kick_kind, r->rings->null_fd);
	bool ended = (events & EPOLLHUP) || (events & (EPOLLIN | EPOLLERR)) == EPOLLERR;

	if (r->running)
		vsnd_queue_kick(r->rings->dev, r->index);
	if (!err && !ended)
		return;
	/* It would be readable for ever. */
	vu_log(r->rings->log, VU_LOG_FD, LOG_WARNING, "%s: kick fd is at its end",
	       ring_name(r->index));
	ring_drop_kick(r);
	event_out_signal(&r->err);
}

int ring_set_kick(struct rings *rs, unsigned q, int fd)
{
	struct ring *r = &rs->ring[q];
	struct loop_fd kick = { .added = false };
	enum event_kind kind = event_kind(fd);
	int err;

	if (fd >= 0 && kind == EVENT_UNUSABLE) {
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
	r->kick_kind = kind;
	r->kick_poll = fd < 0;
	r->started = true;
	rings_update_polling(rs);
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
	rings_update_polling(rs);
	if (!enable) {
		rings_note_rest(rs);
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
	rings_update_polling(rs);
	rings_note_rest(rs);
	return r->base;
}

int rings_set_features(struct rings *rs, uint64_t features, bool enable_all)
{
	unsigned q;
	int err;

	for (q = 0; q < VSND_QUEUES && features != rs->features; q++) {
		if (rs->ring[q].running && ring_live(&rs->ring[q]))
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
		rs->ring[q].rested = rs->ring[q].rested && !rs->ring[q].running;
		vsnd_queue_enable(rs->dev, q, true);
	}
	rings_settle(rs);
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

		if (!r->running)
			continue;
		err = ring_locate(r, mem, &setup);
		if (err < 0 && ring_live(r))
			event_out_signal(&r->err);
		if (err < 0 || !same_place(&setup, &r->setup))
			ring_halt(r);
	}
	vu_memory_regions(mem, regions);
	err = vsnd_set_memory(rs->dev, regions, mem->n);
	if (!err)
		rs->mem = mem;
	rings_settle(rs);
	return err;
}

void rings_set_failed(struct rings *rs, bool failed)
{
	unsigned q;

	rs->failed = failed;
	for (q = 0; q < VSND_QUEUES && failed; q++)
		ring_halt(&rs->ring[q]);
	rings_settle(rs);
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
	rings_update_polling(rs);
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
		vu_log(rs->log, VU_LOG_QUEUE, LOG_WARNING, "%s: %s: %s", ring_name(q),
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
	return loop_timer_open(loop, &rs->poll, rings_poll, rs);
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
