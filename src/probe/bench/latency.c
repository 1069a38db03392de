/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * latency: how evenly messages come back, how soon a kick is answered, and how long a
 * request takes.  All times are those at which the driver noticed, its own wake-up
 * included, which is the same for all back-ends.
 *
 * Completions are compared with an ideal clock that begins so that none came early.  The
 * answer to a kick is that to an I/O message for a stream that does not exist: it comes
 * at once, whatever plays.
 */
#include "probe/bench/bench.h"
#include "probe/bench/flow.h"
#include "probe/bytes.h"
#include "probe/report.h"
#include "probe/stats.h"

#include <stdio.h>

#define PERIOD_FRAMES 480u
#define SLOTS 2 /* so that a back-end has nothing to gather */
#define WARM_NS 200000000
#define ROUND_TRIPS 200
#define ANSWER_NS 100000000
#define PAUSE_NS 500000 /* between two, so that the back-end sleeps */

static void put_spread(struct bench *b, const char *row, struct samples *v)
{
	bench_put(b, row, "min_us", (double)samples_min(v) / 1e3);
	bench_put(b, row, "median_us", (double)samples_quantile(v, 500) / 1e3);
	bench_put(b, row, "p99_us", (double)samples_quantile(v, 990) / 1e3);
	bench_put(b, row, "max_us", (double)samples_max(v) / 1e3);
}

static void seen(struct flow *f, int64_t now)
{
	int64_t ideal_ns = (int64_t)(f->done * PERIOD_FRAMES * 1000000000 / BENCH_RATE_HZ);

	samples_add(f->seen_arg, now - ideal_ns);
}

static int completions(struct bench *b, struct bench_device *d, uint32_t stream)
{
	struct samples at = { 0 };
	struct flow f;
	int err = flow_open(&f, &d->sound, stream, PERIOD_FRAMES * BENCH_FRAME_BYTES, SLOTS);

	if (err < 0)
		return err;
	err = flow_start(&f);
	if (!err)
		err = flow_run(&f, WARM_NS);
	f.seen_arg = &at;
	f.seen = seen;
	if (!err)
		err = flow_run(&f, (int64_t)b->o->seconds * 1000000000);
	f.seen = NULL;
	if (!err)
		err = flow_stop(&f);
	if (!err && at.count) {
		int64_t first = samples_min(&at);

		for (size_t i = 0; i < at.count; i++)
			at.v[i] -= first;
		put_spread(b, "completions, 10 ms", &at);
	}
	samples_free(&at);
	flow_close(&f);
	return err;
}

/* The answer to a message for nobody, or 0 if none came. */
static int64_t kick_ns(struct sound *s, struct io_message *m)
{
	int64_t began = now_ns();

	if (sound_send(s, m, 0, 0, 3) < 0)
		return 0;
	ring_kick(&s->ring[Q_TX]);
	while (m->queued && now_ns() - began < ANSWER_NS)
		if (sound_poll(s, ANSWER_NS) < 0)
			return 0;
	return m->queued ? 0 : now_ns() - began;
}

static void nobody(struct sound *s, struct io_message *m, uint32_t status, uint32_t latency_bytes,
	uint32_t len)
{
	(void)s;
	(void)m;
	(void)status;
	(void)latency_bytes;
	(void)len;
}

static int kicks(struct bench *b, struct bench_device *d)
{
	struct samples took = { 0 };
	struct io_message m;
	int err = io_message_init(&d->sound, &m, NULL, d->sound.counts.streams);

	if (err < 0)
		return err;
	d->sound.done = nobody;
	for (unsigned i = 0; i < ROUND_TRIPS; i++) {
		int64_t ns = kick_ns(&d->sound, &m);

		if (ns == 0)
			break;
		samples_add(&took, ns);
		bench_sleep(PAUSE_NS);
	}
	if (took.count == ROUND_TRIPS)
		put_spread(b, "kick to completion", &took);
	samples_free(&took);
	return 0;
}

static int requests(struct bench *b, struct bench_device *d, uint32_t stream)
{
	struct samples took = { 0 };
	int err = 0;

	for (unsigned i = 0; i < ROUND_TRIPS && !err; i++) {
		int64_t began = now_ns();
		struct pcm_info info;

		err = sound_pcm_info(&d->sound, stream, &info);
		samples_add(&took, now_ns() - began);
		bench_sleep(PAUSE_NS);
	}
	if (!err)
		put_spread(b, "control request", &took);
	samples_free(&took);
	return err;
}

static int measure(struct bench *b, struct bench_device *d, uint32_t stream)
{
	int err = completions(b, d, stream);

	if (!err)
		err = requests(b, d, stream);
	return err < 0 ? err : kicks(b, d);
}

static int run(struct bench *b)
{
	return bench_with_output(b, b->o, measure);
}

const struct bench_part bench_latency = {
	"latency", "how evenly and how soon messages and requests are answered", run
};
