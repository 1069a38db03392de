/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * steady: what a stream costs that plays on and on, at a sound card's pace.
 *
 * System calls are counted in a stretch of their own, in the first round, as counting
 * them slows the back-end; nothing is said about them where they cannot be counted.
 */
#include "probe/bench/bench.h"
#include "probe/bench/flow.h"
#include "probe/bench/trace.h"
#include "probe/report.h"

#include <stdio.h>
#include <time.h>

#define WARM_NS 300000000
#define TRACE_WARM_NS 500000000
#define BUFFER_US 40000 /* at least, and four periods */

static const struct {
	const char *row;
	uint32_t frames, us;
} periods[] = {
	{ "1 ms", 48, 1000 },
	{ "2.5 ms", 120, 2500 },
	{ "10 ms", 480, 10000 },
};

struct counts {
	struct usage usage;
	uint64_t periods, kicks, calls;
	int64_t at_ns;
};

static void count(const struct bench_device *d, const struct flow *f, struct counts *ret)
{
	const struct ring *tx = &d->sound.ring[Q_TX];

	*ret = (struct counts){ .periods = f->done, .kicks = tx->kicks, .calls = tx->calls,
		.at_ns = now_ns() };
	usage_read(&d->group, &ret->usage);
}

static void put(struct bench *b, const char *row, const struct counts *a, const struct counts *z)
{
	double n = z->periods > a->periods ? (double)(z->periods - a->periods) : 1;
	double s = (double)(z->at_ns - a->at_ns) / 1e9;

	bench_put(b, row, "cpu_ms_per_s", (double)(z->usage.cpu_ns - a->usage.cpu_ns) / 1e6 / s);
	bench_put(b, row, "cpu_us_per_period", (double)(z->usage.cpu_ns - a->usage.cpu_ns) / 1e3 / n);
	bench_put(b, row, "wake_ups", (double)(z->usage.voluntary - a->usage.voluntary) / n);
	bench_put(b, row, "preemptions", (double)(z->usage.involuntary - a->usage.involuntary) / n);
	bench_put(b, row, "notifications", (double)(z->calls - a->calls) / n);
	bench_put(b, row, "kicks", (double)(z->kicks - a->kicks) / n);
	bench_put(b, row, "rss_kib", (double)z->usage.rss_kib);
}

static int64_t real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int trace(struct bench *b, const struct bench_device *d, struct flow *f, const char *row)
{
	struct trace t;
	uint64_t done, calls;
	int64_t from, until;
	int err;

	if (!trace_start(&t, &d->group))
		return 0;
	err = flow_run(f, TRACE_WARM_NS);
	from = real_ns();
	done = f->done;
	if (!err)
		err = flow_run(f, (int64_t)b->o->seconds * 1000000000);
	until = real_ns();
	done = f->done - done;
	calls = trace_end(&t, from, until);
	if (!err && calls && done)
		bench_put(b, row, "system_calls", (double)calls / (double)done);
	return err;
}

static int play(struct bench *b, struct bench_device *d, struct flow *f, const char *row)
{
	struct counts began, ended;
	int err = flow_start(f);

	if (!err)
		err = flow_run(f, WARM_NS);
	count(d, f, &began);
	if (!err)
		err = flow_run(f, (int64_t)b->o->seconds * 1000000000);
	count(d, f, &ended);
	if (!err && b->round == 0)
		err = trace(b, d, f, row);
	if (!err)
		err = flow_stop(f);
	if (!err)
		put(b, row, &began, &ended);
	return err;
}

static int measure(struct bench *b, struct bench_device *d, uint32_t stream)
{
	int err = 0;

	for (unsigned i = 0; i < sizeof(periods) / sizeof(*periods) && !err; i++) {
		uint32_t slots = BUFFER_US / periods[i].us;
		struct flow f;

		err = flow_open(&f, &d->sound, stream, periods[i].frames * BENCH_FRAME_BYTES,
			slots > 4 ? slots : 4);
		if (err < 0)
			break;
		err = play(b, d, &f, periods[i].row);
		flow_close(&f);
	}
	return err;
}

static int run(struct bench *b)
{
	return bench_with_output(b, b->o, measure);
}

const struct bench_part bench_steady = {
	"steady", "what playing on costs, per second and per period", run
};
