/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * messages: what an I/O message costs when the back-end takes it as fast as it can
 * (vhost-user-snd --null-pace=fast), beside the copy of its bytes alone.
 *
 * The driver keeps the queue full, which is long, so that what is measured is the way of a
 * message and not the wake-ups of both sides, which they share.  Its messages are not filled anew, so that the
 * samples are in the back-end's caches as far as they fit; the copy that is measured
 * beside it is of the same places and just as warm.  A back-end that keeps a sound
 * card's pace is told as such by the row's `times_realtime`.
 */
#include "probe/bench/bench.h"
#include "probe/bench/flow.h"
#include "probe/bench/reference.h"
#include "probe/report.h"

#include <stdio.h>

/* The messages of a buffer. */
#define SLOTS_MAX 256u
#define QUEUE_SIZE_MIN 256u
#define BUFFER_BYTES_MAX (4u << 20)
#define WARM_NS 50000000
#define SETTLE_NS 3000000
#define STRETCH_MS 300 /* for a second of --seconds: this part is fast */

static const uint32_t sizes[] = { 16, 64, 256, 1024, 1920, 4096, 16384, 65536 };

static uint32_t slots_for(const struct sound *s, uint32_t bytes)
{
	const struct ring *tx = &s->ring[Q_TX];
	uint32_t by_ring = tx->is.indirect ? tx->is.size : tx->is.size / 3;
	uint32_t slots = BUFFER_BYTES_MAX / bytes;

	slots = slots < SLOTS_MAX ? slots : SLOTS_MAX;
	return slots < by_ring ? slots : by_ring;
}

struct stretch {
	struct usage began, ended;
	uint64_t messages, calls, kicks;
	int64_t wall_ns;
};

/* Plays for a while; the counters are read while nothing moves. */
static int play(struct bench_device *d, struct flow *f, int64_t ns, struct stretch *ret)
{
	const struct ring *tx = &d->sound.ring[Q_TX];
	int err = flow_run(f, WARM_NS);

	if (err < 0)
		return err;
	usage_read(&d->group, &ret->began);
	*ret = (struct stretch){ .began = ret->began, .messages = f->done, .calls = tx->calls,
		.kicks = tx->kicks, .wall_ns = now_ns() };
	err = flow_run(f, ns);
	ret->wall_ns = now_ns() - ret->wall_ns;
	f->held = true;
	if (!err)
		err = flow_run(f, SETTLE_NS);
	usage_read(&d->group, &ret->ended);
	ret->messages = f->done - ret->messages;
	ret->calls = tx->calls - ret->calls;
	ret->kicks = tx->kicks - ret->kicks;
	return err;
}

static void put(struct bench *b, const char *row, const struct flow *f, const struct stretch *st,
	double copy_ns, double notify_ns)
{
	double n = st->messages ? (double)st->messages : 1;
	double cpu_ns = (double)(st->ended.cpu_ns - st->began.cpu_ns) / n;
	double realtime_ns = 1e9 * f->period_bytes / (BENCH_RATE_HZ * BENCH_FRAME_BYTES);

	bench_put(b, row, "cpu_ns", cpu_ns);
	bench_put(b, row, "wall_ns", (double)st->wall_ns / n);
	bench_put_reference(b, row, "copy_ns", copy_ns);
	bench_put_reference(b, row, "notify_ns", notify_ns);
	bench_put_reference(b, row, "queued", f->slots);
	bench_put(b, row, "to_copy_and_notify", cpu_ns / (copy_ns + notify_ns));
	bench_put(b, row, "beyond_copy_ns", cpu_ns - copy_ns);
	bench_put(b, row, "notifications", (double)st->calls / n);
	bench_put(b, row, "kicks", (double)st->kicks / n);
	bench_put(b, row, "times_realtime", realtime_ns / ((double)st->wall_ns / n));
}

static int measure(struct bench *b, struct bench_device *d, uint32_t stream, uint32_t bytes)
{
	int64_t ns = (int64_t)b->o->seconds * STRETCH_MS * 1000000;
	uint32_t slots = slots_for(&d->sound, bytes);
	double copy_ns, notify_ns;
	struct stretch st;
	struct flow f;
	char row[32];
	int err = flow_open(&f, &d->sound, stream, bytes, slots);

	if (err < 0)
		return err;
	snprintf(row, sizeof(row), "%u bytes", bytes);
	copy_ns = reference_copy_ns(mem_va(&d->sound.mem, f.buffer), bytes, slots);
	notify_ns = reference_notify_ns();
	err = flow_start(&f);
	if (!err)
		err = play(d, &f, ns, &st);
	if (!err)
		err = flow_stop(&f);
	if (!err)
		put(b, row, &f, &st, copy_ns, notify_ns);
	flow_close(&f);
	return err;
}

static int measure_all(struct bench *b, struct bench_device *d, uint32_t stream)
{
	int err = 0;

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes) && !err; i++)
		err = measure(b, d, stream, sizes[i]);
	return err;
}

static int run(struct bench *b)
{
	struct options o = *b->o;

	if (o.queue_size < QUEUE_SIZE_MIN)
		o.queue_size = QUEUE_SIZE_MIN;
	return bench_with_output(b, &o, measure_all);
}

const struct bench_part bench_messages = {
	"messages", "what a message costs, beside the copy of its bytes", run
};
