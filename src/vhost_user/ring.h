/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rings of a session: what the front-end has configured, and what of it is
 * in force in the device.  ring_run.c begins with the rules.
 */
#ifndef VSND_VHOST_USER_RING_H
#define VSND_VHOST_USER_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <vsnd/vsnd.h>

#include "vhost_user/event.h"
#include "vhost_user/log.h"
#include "vhost_user/loop.h"
#include "vhost_user/memory.h"

struct rings;

struct ring {
	struct rings *rings;
	unsigned index;

	/* As the front-end said. */
	uint32_t size;			/* 0: not yet */
	uint32_t base;			/* where it (re)starts */
	struct vu_vring_addr addr;
	bool has_addr;
	bool started;			/* has a kick, since the last stop */
	bool enabled;

	/* In the device. */
	bool running;			/* vsnd_queue_start() is in force */
	struct vsnd_queue_setup setup;	/* with these values */
	bool ran;			/* has run since the device was reset; then: */
	bool broken;			/*   it cannot go on where it stopped */
	bool rested;			/*   all rings have rested since it ran last */
	uint32_t stop_base, stop_size;	/*   where it stopped, unless running */

	int kick_fd;			/* -1: none */
	enum event_kind kick_kind;
	bool kick_poll;			/* started without a kick fd */
	struct loop_fd kick;

	/* Signalled by the queue's owner, also the audio thread. */
	struct event_out call, err;
	_Atomic(const char *) fault;	/* what the device said last, for the log */
};

struct rings {
	struct vsnd *dev;
	struct loop *loop;
	struct vu_log *log;
	int null_fd, wake_fd;
	struct ring ring[VSND_QUEUES];
	const struct vu_memory *mem;
	uint64_t features;		/* accepted by the device */
	uint64_t run_features;		/* in force when a ring began to run last */
	bool has_features;
	bool failed;			/* the driver has given up: nothing may run */
	struct loop_timer poll;
	bool polling;
	atomic_uint faults;		/* bits that rings_take_faults() has not seen yet */
};

/*
 * Before the device is created, whose callbacks may come at once: @wake_fd is
 * an eventfd that lets the control thread call rings_take_faults() soon.  0 or
 * a negative errno.
 */
int rings_init(struct rings *rs, struct loop *loop, struct vu_log *log, int wake_fd);

/* The device, once it is there. */
void rings_set_device(struct rings *rs, struct vsnd *dev);

/* After the device is destroyed.  Fine after a failed rings_init(). */
void rings_finish(struct rings *rs);

/* Device reset: all rings stopped and disabled, kick and call fds closed. */
void rings_reset(struct rings *rs);

/* Reset and forget everything that the front-end has said, memory included. */
void rings_release(struct rings *rs);

/*
 * Accept features for the device.  @enable_all: the front-end knows no
 * SET_VRING_ENABLE.  -EBUSY while a ring is in use and the set would change, -EINVAL.
 */
int rings_set_features(struct rings *rs, uint64_t features, bool enable_all);

/*
 * Put @mem in force, which must stay valid until the next call (NULL: none); on
 * return the former one is used no more.  On failure the former one stays.
 */
int rings_set_memory(struct rings *rs, const struct vu_memory *mem);

/* While @failed, no ring runs. */
void rings_set_failed(struct rings *rs, bool failed);

/* Whether any ring is in use (started and enabled). */
bool rings_live(const struct rings *rs);

/*
 * Log the faults that the device has reported since the last call.  True if a
 * ring broke.
 */
bool rings_take_faults(struct rings *rs);

/*
 * One request each, @q < VSND_QUEUES.  fds are consumed, also on failure.  A
 * failure of the first three has changed nothing, except that addresses that
 * are nowhere in memory (-EFAULT) are kept for a later memory table.
 */
int ring_set_size(struct rings *rs, unsigned q, uint32_t size);
int ring_set_base(struct rings *rs, unsigned q, uint32_t base);
int ring_set_addr(struct rings *rs, unsigned q, const struct vu_vring_addr *addr);
int ring_set_kick(struct rings *rs, unsigned q, int fd);	/* -1: poll */
int ring_set_call(struct rings *rs, unsigned q, int fd);	/* -1: none */
int ring_set_err(struct rings *rs, unsigned q, int fd);		/* -1: none */
int ring_enable(struct rings *rs, unsigned q, bool enable);

/* GET_VRING_BASE: stop, and return where the ring goes on. */
uint32_t ring_stop(struct rings *rs, unsigned q);

/* The device's callbacks.  Thread: the queue's owner.  Real-time safe. */
void ring_notify(struct rings *rs, unsigned q);
void ring_fault(struct rings *rs, unsigned q, enum vsnd_queue_error error, const char *what);

#endif
