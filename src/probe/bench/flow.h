/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stream that plays for ever: a message that comes back is queued again at once, as it
 * is.  What it sounds like does not matter here, and nothing of ours is to be in the way.
 */
#ifndef PROBE_BENCH_FLOW_H
#define PROBE_BENCH_FLOW_H

#include "probe/sound.h"

struct flow;

/* A message came back, at the time the driver looked. */
typedef void (*flow_seen)(struct flow *f, int64_t now);

struct flow {
	struct sound *s;
	uint32_t stream, slots;
	uint32_t period_bytes;
	struct io_message *message;
	uint64_t buffer; /* guest address */
	bool held;	 /* nothing is queued again */
	bool xrun_events;
	uint64_t done, errors;
	uint32_t latency_bytes; /* of the last message */
	flow_seen seen;		/* or NULL */
	void *seen_arg;
};

/* S16, two channels, 48 kHz; @slots messages of @period_bytes are the buffer.  Sets the
 * sound's callback. */
int flow_open(struct flow *f, struct sound *s, uint32_t stream, uint32_t period_bytes,
	uint32_t slots);
/* Guest memory stays allocated: it lives as long as the connection. */
void flow_close(struct flow *f);

/* SET_PARAMS, PREPARE, the buffer queued, START. */
int flow_start(struct flow *f);
/* STOP, RELEASE. */
int flow_stop(struct flow *f);

/* Lets time pass, in which all flows of the device play. */
int flow_run(struct flow *f, int64_t duration_ns);

#endif
