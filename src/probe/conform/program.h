/* SPDX-License-Identifier: BSD-3-Clause */
/* Running the program of --spawn in other ways than that says. */
#ifndef PROBE_CONFORM_PROGRAM_H
#define PROBE_CONFORM_PROGRAM_H

#include "probe/conform/conform.h"

#define OUTPUT_BYTES 16384

struct program {
	int status; /* of waitpid(); -1: it did not end */
	char out[OUTPUT_BYTES], err[OUTPUT_BYTES];
};

/* A skip without --spawn. */
int program_spawned(struct conform *c);

/* The program (the first word of --spawn) with these options only, until it ends. */
int program_run(struct conform *c, const char *options, struct program *ret);

/* Another back-end in place of the one that runs; --spawn's placeholders work. */
int program_restart(struct conform *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
