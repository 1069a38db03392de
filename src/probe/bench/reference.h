/* SPDX-License-Identifier: BSD-3-Clause */
/* What the machine itself takes for a message: the copy of its bytes, and one notification. */
#ifndef PROBE_BENCH_REFERENCE_H
#define PROBE_BENCH_REFERENCE_H

#include <stdint.h>

/*
 * CPU time of copying @bytes from one of @slots places in @source after the other, to
 * where a host's buffer would be.  The memory is what the back-end reads, and as warm.
 */
double reference_copy_ns(const uint8_t *source, uint32_t bytes, uint32_t slots);

/* CPU time of adding one to an eventfd that nobody waits for. */
double reference_notify_ns(void);

#endif
