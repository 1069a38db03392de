/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between ring.c, which keeps what the front-end says, and ring_run.c, which has
 * the rules for what of it is in force in the device.
 */
#ifndef VSND_VHOST_USER_RING_RUN_H
#define VSND_VHOST_USER_RING_RUN_H

#include "vhost_user/ring.h"

#define RING_BASE_MASK 0xffffu	/* of a split ring; the other half is for packed ones */

const char *ring_name(unsigned q);

/* Started and enabled: the front-end wants it to be processed. */
bool ring_live(const struct ring *r);

/* Start a ring if all that it takes is there.  0, also if it is not, or why it cannot. */
int ring_settle(struct ring *r);
void rings_settle(struct rings *rs);

/* Take a ring out of the device.  What the front-end said stays. */
void ring_halt(struct ring *r);

/* After a change that may have ended the last live ring. */
void rings_note_rest(struct rings *rs);

/*
 * Where the ring is.  -ENODATA while something is not known yet, -EFAULT if it is
 * not in memory.
 */
int ring_locate(const struct ring *r, const struct vu_memory *mem, struct vsnd_queue_setup *ret);

/* Poll rings without a kick fd, if there are any that run: after any change of that. */
void rings_update_polling(struct rings *rs);
/* The poll timer's callback; @arg is the struct rings. */
void rings_poll(void *arg);

#endif
