/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Log lines of the vhost-user server.  All are things that a front-end can
 * cause, so each class of lines comes at most once per second; what was left
 * out meanwhile is counted and told with the next one.  Control thread only:
 * the audio thread leaves a note that the control thread then logs.
 */
#ifndef VSND_VHOST_USER_LOG_H
#define VSND_VHOST_USER_LOG_H

#include <stdint.h>

enum vu_log_class {
	VU_LOG_SESSION,		/* connections come and go */
	VU_LOG_FRAME,		/* the byte stream is no vhost-user */
	VU_LOG_REFUSED,		/* a request was refused */
	VU_LOG_FEATURES,
	VU_LOG_RING,		/* a ring starts, stops, cannot start */
	VU_LOG_QUEUE,		/* the device found a fault on a queue */
	VU_LOG_FD,		/* unusable descriptors */
	VU_LOG_RESET,		/* resume or reset */
	VU_LOG_CLASSES
};

struct vu_log {
	/* @level is a syslog(3) priority.  NULL: no log. */
	void (*fn)(void *ctx, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
	void *ctx;
	int64_t next_ns[VU_LOG_CLASSES];
	unsigned suppressed[VU_LOG_CLASSES];
};

void vu_log(struct vu_log *log, enum vu_log_class cls, int level, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
