/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench: what a back-end costs, and how that compares with another one.
 *
 * A part measures one thing at one back-end, for one round; bench.c lets rounds and
 * back-ends alternate, so that what else the machine does meets both.  Parts hand in
 * their figures as they come (bench_put()), and figures.c makes medians, ratios and
 * tables of them.
 */
#ifndef PROBE_BENCH_H
#define PROBE_BENCH_H

#include "probe/bench/figures.h"
#include "probe/bench/usage.h"
#include "probe/options.h"
#include "probe/session.h"

#define BENCH_RATE_HZ 48000u
#define BENCH_FRAME_BYTES 4u /* S16, two channels */

struct bench {
	const struct options *o; /* those of the back-end under test: o->spawn differs */
	struct figures *figures;
	enum figures_side side;
	const char *part;
	unsigned round;
};

/* A part of the benchmark.  0 or negative errno with a complaint. */
struct bench_part {
	const char *name;
	const char *summary;
	int (*run)(struct bench *b);
};

extern const struct bench_part bench_messages, bench_steady, bench_latency, bench_scale,
	bench_start;

/* A figure of the back-end under test in this round. */
void bench_put(struct bench *b, const char *row, const char *name, double value);
/* One that does not depend on the back-end: of this program or this machine. */
void bench_put_reference(struct bench *b, const char *row, const char *name, double value);

/* A back-end that runs, connected and up. */
struct bench_device {
	struct session session;
	struct sound sound;
	struct usage_group group;
};

int bench_open(struct bench_device *d, const struct options *o);
/* Negative if the back-end did not end well.  Fine after a failed bench_open(). */
int bench_close(struct bench_device *d);

/* Its output streams that can play what the benchmark plays; at most @max. */
int bench_outputs(struct sound *s, uint32_t *ret_streams, uint32_t max);

/* Opens a back-end, runs @fn with its first such stream, closes it. */
int bench_with_output(struct bench *b, const struct options *o,
	int (*fn)(struct bench *b, struct bench_device *d, uint32_t stream));

void bench_sleep(int64_t ns);

int bench_command(const struct options *o);

#endif
