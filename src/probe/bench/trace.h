/* SPDX-License-Identifier: BSD-3-Clause */
/* System calls of a process, counted by strace where that is there and allowed. */
#ifndef PROBE_BENCH_TRACE_H
#define PROBE_BENCH_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "probe/bench/usage.h"

struct trace {
	pid_t strace;
	char path[64];
};

/* False: it cannot be traced. */
bool trace_start(struct trace *t, const struct usage_group *g);

/* Ends it.  The system calls that began between two moments of CLOCK_REALTIME. */
uint64_t trace_end(struct trace *t, int64_t from_ns, int64_t until_ns);

#endif
