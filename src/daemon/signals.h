/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals.  SIGTERM and SIGINT stop the loop.  SIGHUP is ignored (there is
 * nothing to read again), SIGPIPE and SIGXFSZ are: both come as errors as well.
 * SIGBUS, when a front-end has truncated the guest's memory, is the device's to
 * mend; any other has its usual effect.
 */
#ifndef VSND_DAEMON_SIGNALS_H
#define VSND_DAEMON_SIGNALS_H

struct loop;
struct vsnd;

/* @loop outlives the handlers, which stay. */
void signals_init(struct loop *loop);

/* The device whose memory SIGBUS may hit; NULL from before it is destroyed. */
void signals_set_device(struct vsnd *dev);

#endif
