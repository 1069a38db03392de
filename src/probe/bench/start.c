/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * start: from the back-end's exec to the first frame played, what it weighs, and whether
 * it sleeps while nobody is there.
 *
 * The first frame was played a period before the first message came back.  The time
 * begins with the fork of the shell that --spawn runs.
 */
#include "probe/bench/bench.h"
#include "probe/bench/flow.h"
#include "probe/report.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define PERIOD_FRAMES 48u
#define PERIOD_NS 1000000
#define SLOTS 2 /* the first message comes back after a period */
#define SOCKET_NS 10000000000
#define SETTLE_NS 300000000
#define PLAY_NS 300000000

static double ms(int64_t ns)
{
	return (double)ns / 1e6;
}

static int64_t first_ns;

static void seen(struct flow *f, int64_t now)
{
	first_ns = now - PERIOD_NS;
	f->seen = NULL;
}

/* A round of its own, of a back-end that is left alone for a while before it has to serve. */
static int idle(struct bench *b)
{
	struct session session;
	struct usage_group group;
	struct usage began, ended;
	int64_t end = now_ns() + SOCKET_NS;
	struct stat st;
	int err = session_start(&session, b->o), ended_well;

	while (!err && stat(session.socket_path, &st) < 0 && now_ns() < end) {
		err = spawn_check(&session.backend);
		bench_sleep(1000000);
	}
	if (!err) {
		bench_sleep(SETTLE_NS);
		usage_of_group(session.backend.pid, &group);
		usage_read(&group, &began);
		bench_sleep((int64_t)b->o->seconds * 1000000000);
		usage_read(&group, &ended);
		bench_put(b, "idle", "rss_kib", (double)ended.rss_kib);
		bench_put(b, "idle", "pss_kib", (double)ended.pss_kib);
		bench_put(b, "idle", "threads", (double)ended.threads);
		bench_put(b, "idle", "wake_ups_per_s",
			(double)(ended.voluntary + ended.involuntary - began.voluntary -
				began.involuntary) / b->o->seconds);
	}
	ended_well = session_end(&session);
	return err < 0 ? err : ended_well;
}

static int play(struct bench *b, struct bench_device *d, uint32_t stream, int64_t began)
{
	struct usage usage;
	struct flow f;
	int err = flow_open(&f, &d->sound, stream, PERIOD_FRAMES * BENCH_FRAME_BYTES, SLOTS);

	if (err < 0)
		return err;
	f.seen = seen;
	first_ns = 0;
	err = flow_start(&f);
	bench_put(b, "exec to", "started_ms", ms(now_ns() - began));
	if (!err)
		err = flow_run(&f, PLAY_NS);
	usage_read(&d->group, &usage);
	if (!err)
		err = flow_stop(&f);
	if (!err && first_ns)
		bench_put(b, "exec to", "first_frame_ms", ms(first_ns - began));
	bench_put(b, "playing", "rss_kib", (double)usage.rss_kib);
	bench_put(b, "playing", "pss_kib", (double)usage.pss_kib);
	bench_put(b, "playing", "threads", (double)usage.threads);
	flow_close(&f);
	return err;
}

static int run(struct bench *b)
{
	int64_t began;
	struct bench_device d;
	uint32_t stream;
	int err, end;

	if (!b->o->spawn)
		return complain(-EINVAL, "start needs --spawn");
	err = idle(b);
	if (err < 0)
		return err;
	began = now_ns();
	err = bench_open(&d, b->o);
	if (!err)
		bench_put(b, "exec to", "up_ms", ms(now_ns() - began));
	if (!err && bench_outputs(&d.sound, &stream, 1) < 1)
		err = -1;
	if (!err)
		err = play(b, &d, stream, began);
	end = bench_close(&d);
	return err < 0 ? err : end;
}

const struct bench_part bench_start = {
	"start", "time to the first frame, memory, and whether it sleeps when idle", run
};
