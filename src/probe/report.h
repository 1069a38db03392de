/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the probe says what went wrong.
 *
 * The function that knows the reason calls complain() once, with the errno it
 * returns; its callers only pass the errno on.  main() prints the text, a
 * later conformance run collects it.  A text belongs to its thread.
 */
#ifndef PROBE_REPORT_H
#define PROBE_REPORT_H

#include <stdint.h>

/* Keeps the text and returns err, which is negative. */
int complain(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The last text of this thread, "" if none. */
const char *complaint(void);

/* CLOCK_MONOTONIC. */
int64_t now_ns(void);

/* Set by SIGINT and SIGTERM; every wait ends with -EINTR then. */
int interrupted(void);
void catch_signals(void);

#endif
