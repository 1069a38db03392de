/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scale: 1 to 64 streams of 48 kHz stereo at 10 ms, in one device that has one processor,
 * and in as many back-ends, which share all processors.
 *
 * The driver looks at all rings every few ms, as its own wake-ups for so many would
 * outweigh what is measured.  Real time holds if no stream starved and each
 * got what it should have; `driver_starved` counts the looks that found a buffer empty
 * because the driver itself came late, which is not the back-end's fault.
 */
#include "probe/bench/bench.h"
#include "probe/bench/flow.h"
#include "probe/report.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define MEMBERS_MAX 64u
#define PERIOD_FRAMES 480u
#define PERIOD_NS 10000000
#define SLOTS 8u
#define LOOK_NS 2500000
#define WARM_NS 500000000
#define XRUN 3 /* in sound.events_seen */

/* Some devices, and the streams that play in them. */
struct crowd {
	struct bench_device *device;
	uint32_t devices;
	struct flow flow[MEMBERS_MAX];
	uint64_t before[MEMBERS_MAX]; /* done at the look before */
	uint32_t flows;
	uint64_t driver_starved;
};

struct reading {
	struct usage usage;
	uint64_t xruns, driver_starved, done_min, done;
	int64_t at_ns;
};

static void read_crowd(const struct crowd *c, struct reading *ret)
{
	*ret = (struct reading){ .at_ns = now_ns(), .driver_starved = c->driver_starved,
		.done_min = UINT64_MAX };
	for (uint32_t i = 0; i < c->flows; i++) {
		ret->done += c->flow[i].done;
		if (c->flow[i].done < ret->done_min)
			ret->done_min = c->flow[i].done;
	}
	for (uint32_t i = 0; i < c->devices; i++) {
		struct usage u;

		usage_read(&c->device[i].group, &u);
		ret->usage.cpu_ns += u.cpu_ns;
		ret->usage.voluntary += u.voluntary;
		ret->usage.rss_kib += u.rss_kib;
		ret->usage.pss_kib += u.pss_kib;
		ret->xruns += c->device[i].sound.events_seen[XRUN];
	}
}

static int look(struct crowd *c)
{
	int err = 0;

	for (uint32_t i = 0; i < c->devices && !err; i++)
		err = sound_serve(&c->device[i].sound);
	for (uint32_t i = 0; i < c->flows; i++) {
		c->driver_starved += c->flow[i].done - c->before[i] >= c->flow[i].slots - 1;
		c->before[i] = c->flow[i].done;
	}
	return err;
}

static int run_crowd(struct crowd *c, int64_t duration_ns)
{
	int64_t began = now_ns(), next = began;
	int err = 0;

	while (!err && next - began < duration_ns) {
		next += LOOK_NS;
		if (next > now_ns())
			bench_sleep(next - now_ns());
		err = interrupted() ? complain(-EINTR, "interrupted") : look(c);
	}
	return err;
}

static void put(struct bench *b, const char *row, const struct crowd *c, const struct reading *a,
	const struct reading *z)
{
	double ns = (double)(z->at_ns - a->at_ns), expected = ns / PERIOD_NS;
	double slowest = (double)(z->done_min - a->done_min);

	bench_put(b, row, "cpu_percent", 100 * (double)(z->usage.cpu_ns - a->usage.cpu_ns) / ns);
	bench_put(b, row, "cpu_us_per_period", (double)(z->usage.cpu_ns - a->usage.cpu_ns) / 1e3 /
		(double)(z->done - a->done));
	bench_put(b, row, "wake_ups_per_s", 1e9 * (double)(z->usage.voluntary - a->usage.voluntary) / ns);
	bench_put(b, row, "rss_kib", (double)z->usage.rss_kib);
	bench_put(b, row, "pss_kib", (double)z->usage.pss_kib);
	if (c->flow[0].xrun_events)
		bench_put(b, row, "xruns", (double)(z->xruns - a->xruns));
	bench_put(b, row, "driver_starved", (double)(z->driver_starved - a->driver_starved));
	bench_put(b, row, "slowest_periods_short", expected > slowest ? expected - slowest : 0);
}

static int play(struct bench *b, struct crowd *c, const char *row)
{
	struct reading began, ended;
	int err = 0;

	for (uint32_t i = 0; i < c->flows && !err; i++) {
		err = flow_start(&c->flow[i]);
		if (!err && i % 8 == 7)
			err = look(c);
	}
	if (!err)
		err = run_crowd(c, WARM_NS);
	read_crowd(c, &began);
	if (!err)
		err = run_crowd(c, (int64_t)b->o->seconds * 1000000000);
	read_crowd(c, &ended);
	for (uint32_t i = 0; i < c->flows && !err; i++)
		err = flow_stop(&c->flow[i]);
	if (!err)
		put(b, row, c, &began, &ended);
	return err;
}

/* Where the device alone is to run, and the driver not, if there is a choice. */
static void share_processors(const struct usage_group *g)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t others;

	if (cpus < 2)
		return;
	CPU_ZERO(&others);
	for (size_t i = 0; i + 1 < (size_t)cpus; i++)
		CPU_SET(i, &others);
	sched_setaffinity(0, sizeof(others), &others);
	usage_pin(g, (size_t)cpus - 1);
}

static int add_flow(struct crowd *c, struct sound *s, uint32_t stream)
{
	int err = flow_open(&c->flow[c->flows], s, stream, PERIOD_FRAMES * BENCH_FRAME_BYTES, SLOTS);

	if (!err)
		c->flows++;
	return err;
}

static int close_crowd(struct crowd *c)
{
	int err = 0;

	for (uint32_t i = 0; i < c->flows; i++)
		flow_close(&c->flow[i]);
	for (uint32_t i = 0; i < c->devices; i++) {
		int end = bench_close(&c->device[i]);

		err = end < 0 ? end : err;
	}
	c->devices = c->flows = 0;
	return err;
}

/* @n streams in one device; 1 if it has not got so many. */
static int streams(struct bench *b, struct crowd *c, uint32_t n)
{
	struct options o = *b->o;
	uint32_t id[MEMBERS_MAX];
	char row[32];
	int found, err;

	/* Room for all messages, direct or not. */
	while (o.queue_size < 4 * n * SLOTS)
		o.queue_size *= 2;
	err = bench_open(&c->device[0], &o);
	c->devices = 1;
	if (err < 0)
		return err;
	share_processors(&c->device[0].group);
	found = bench_outputs(&c->device[0].sound, id, n);
	if (found < (int)n)
		return found < 0 ? found : 1;
	for (uint32_t i = 0; i < n && !err; i++)
		err = add_flow(c, &c->device[0].sound, id[i]);
	snprintf(row, sizeof(row), "%u stream%s on one core", n, n > 1 ? "s" : "");
	return err < 0 ? err : play(b, c, row);
}

static int daemons(struct bench *b, struct crowd *c, uint32_t n)
{
	char row[32];
	int err = 0;

	while (c->devices < n && !err) {
		struct bench_device *d = &c->device[c->devices++];
		uint32_t id;

		err = bench_open(d, b->o);
		if (!err && bench_outputs(&d->sound, &id, 1) < 1)
			err = -1;
		if (!err)
			err = add_flow(c, &d->sound, id);
	}
	snprintf(row, sizeof(row), "%u back-end%s", n, n > 1 ? "s" : "");
	return err < 0 ? err : play(b, c, row);
}

static int step(struct bench *b, struct crowd *c, uint32_t n,
	int (*fn)(struct bench *, struct crowd *, uint32_t))
{
	cpu_set_t all;
	int err, end;

	sched_getaffinity(0, sizeof(all), &all);
	c->driver_starved = 0;
	err = fn(b, c, n);
	sched_setaffinity(0, sizeof(all), &all);
	end = close_crowd(c);
	return err ? err : end;
}

static int run(struct bench *b)
{
	struct rlimit files;
	struct crowd *c = calloc(1, sizeof(*c));
	int err = 0;

	if (!b->o->spawn)
		err = complain(-EINVAL, "scale needs --spawn");
	if (c)
		c->device = calloc(MEMBERS_MAX, sizeof(*c->device));
	if (!c || !c->device)
		err = complain(-ENOMEM, "out of memory");
	/* Sixteen descriptors for a back-end. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	for (uint32_t n = b->o->from; n <= MEMBERS_MAX && !err; n *= 2)
		err = step(b, c, n, streams);
	for (uint32_t n = b->o->from; n <= MEMBERS_MAX && err >= 0; n *= 2) {
		err = step(b, c, n, daemons);
		if (err)
			break;
	}
	if (c)
		free(c->device);
	free(c);
	return err < 0 ? err : 0;
}

const struct bench_part bench_scale = {
	"scale", "1 to 64 streams, and 1 to 64 back-ends", run
};
