/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run tells people (text) and programs (TAP, JSON). */
#ifndef PROBE_CONFORM_OUTPUT_H
#define PROBE_CONFORM_OUTPUT_H

#include <stddef.h>

#include "probe/conform/conform.h"

struct entry {
	const struct chapter *chapter;
	const struct scenario *scenario;
	struct result *result;
};

struct selected {
	struct entry *list;
	unsigned count;
	struct result *results; /* shared with the scenarios' processes */
	size_t results_bytes;
};

void output_list(const struct selected *sel);
void output_begin(const struct options *o, const struct selected *sel);
void output_result(const struct options *o, const struct entry *e);

/* The summary.  The exit status: 0 if nothing failed. */
int output_end(const struct options *o, const struct selected *sel);

#endif
