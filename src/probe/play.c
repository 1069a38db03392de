/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * play: all players of a run, what happens to the device as a whole (suspend,
 * reset), and the report.
 */
#include "probe/play.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "probe/names.h"
#include "probe/player.h"
#include "probe/report.h"
#include "probe/session.h"

struct run {
	struct sound *s;
	const struct options *o;
	struct player player[STREAMS_MAX];
	uint32_t players;
	bool suspended, reset;
	int64_t began_ns;
};

static int first_output(struct sound *s, uint32_t *ret)
{
	for (uint32_t i = 0; i < s->counts.streams; i++) {
		struct pcm_info info;
		int err = sound_pcm_info(s, i, &info);

		if (err < 0)
			return err;
		if (info.direction == SND_D_OUTPUT) {
			*ret = i;
			return 0;
		}
	}
	return complain(-ENODEV, "the device has no output stream");
}

static int open_players(struct run *r)
{
	uint32_t count = r->o->streams ? r->o->streams : 1;
	int err;

	for (; r->players < count; r->players++) {
		uint32_t stream = r->o->stream[r->players];

		err = r->o->streams ? 0 : first_output(r->s, &stream);
		if (!err && stream >= r->s->counts.streams)
			err = complain(-EINVAL, "there is no stream %u; the device has %u", stream,
				r->s->counts.streams);
		if (!err)
			err = player_open(&r->player[r->players], r->s, r->o, stream);
		if (err < 0)
			return err;
	}
	return 0;
}

static int start_players(struct run *r)
{
	int err = 0;

	for (uint32_t i = 0; i < r->players && !err; i++)
		err = player_start(&r->player[i]);
	return err;
}

/* What the first player's position brings for the whole device. */
static int act_on_device(struct run *r)
{
	uint64_t at = r->player[0].frames_done;
	int64_t before = now_ns();
	int err;

	if (r->player[0].state != PLAYER_RUNNING)
		return 0;
	if (!r->suspended && at >= r->o->suspend_at) {
		r->suspended = true;
		err = sound_suspend(r->s, (int64_t)r->o->suspend_ms * 1000000);
		for (uint32_t i = 0; i < r->players && !err; i++)
			player_was_suspended(&r->player[i], now_ns() - before);
		return err;
	}
	if (!r->reset && at >= r->o->reset_at) {
		r->reset = true;
		err = sound_reset(r->s);
		for (uint32_t i = 0; i < r->players && !err; i++)
			player_was_reset(&r->player[i]);
		for (uint32_t i = 0; i < r->players && !err; i++)
			if (r->player[i].state == PLAYER_CLOSED)
				err = player_start(&r->player[i]);
		return err;
	}
	return 0;
}

static int play_all(struct run *r)
{
	bool active = true;
	int err;

	while (active) {
		int64_t wake = now_ns() + 1000000000, wait;

		err = act_on_device(r);
		active = false;
		for (uint32_t i = 0; i < r->players && !err; i++) {
			struct player *p = &r->player[i];

			err = player_act(p);
			active = active || p->state != PLAYER_FINISHED;
			if (player_deadline(p) < wake)
				wake = player_deadline(p);
		}
		wait = wake - now_ns();
		if (!err && active)
			err = sound_poll(r->s, wait > 0 ? wait : 0);
		if (err < 0)
			return err;
	}
	return 0;
}

/* What must not be even if nothing stopped the run. */
static int judge(const struct run *r)
{
	const char *fault;
	uint64_t faults = sound_faults(r->s, &fault);

	if (faults)
		return complain(-EPROTO, "%" PRIu64 " ring faults, the first: %s", faults, fault);
	for (uint32_t i = 0; i < r->players; i++) {
		const struct player *p = &r->player[i];

		if (p->status_errors)
			return complain(-EPROTO, "stream %u: %" PRIu64
				" messages failed, the first with %s (0x%x)", p->stream,
				p->status_errors, status_name(p->bad_status), p->bad_status);
		if (p->length_errors)
			return complain(-EPROTO, "stream %u: %" PRIu64
				" messages came back with a used length that is not 8", p->stream,
				p->length_errors);
		if (p->filled_late)
			return complain(-ETIME, "stream %u: %" PRIu64 " messages came back before "
				"they were filled: the probe was late, or the device early",
				p->stream, p->filled_late);
		if (p->completed + p->abandoned != p->sent)
			return complain(-EPROTO, "stream %u: %" PRIu64 " messages sent, %" PRIu64
				" came back", p->stream, p->sent, p->completed);
	}
	return 0;
}

/* Calls for tx; of all queues where they share one eventfd. */
static uint64_t calls(const struct run *r)
{
	return r->s->ring[r->s->fe.who->call_shared ? 0 : Q_TX].calls;
}

static double ms(int64_t ns)
{
	return (double)ns / 1e6;
}

static double ideal_ms(const struct player *p)
{
	return (double)p->frames_completed * 1000.0 / pcm_rates[p->params.rate];
}

static void set_number(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void set_numbers(json_t *o, const struct player *p)
{
	set_number(o, "stream", p->stream);
	json_object_set_new(o, "format", json_string(pcm_formats[p->params.format].name));
	set_number(o, "rate", pcm_rates[p->params.rate]);
	set_number(o, "channels", p->params.channels);
	set_number(o, "period_frames", p->period_frames);
	set_number(o, "buffer_frames", (uint64_t)p->period_frames * p->slots);
	set_number(o, "messages", p->sent);
	set_number(o, "frames_sent", p->frames_sent);
	set_number(o, "completions", p->completed);
	set_number(o, "frames_completed", p->frames_completed);
	set_number(o, "abandoned_by_reset", p->abandoned);
	set_number(o, "status_errors", p->status_errors);
	set_number(o, "length_errors", p->length_errors);
	set_number(o, "out_of_order", p->out_of_order);
	set_number(o, "ring_full", p->ring_full);
	set_number(o, "filled_late", p->filled_late);
	set_number(o, "returned_while_paused", p->while_paused);
}

static json_t *player_json(struct player *p)
{
	json_t *o = json_object();

	set_numbers(o, p);
	json_object_set_new(o, "ideal_ms", json_real(ideal_ms(p)));
	json_object_set_new(o, "real_ms", json_real(ms(p->run_ns)));
	json_object_set_new(o, "gap_ms", json_pack("{s:f s:f s:f s:f}",
		"min", ms(samples_min(&p->gaps)),
		"median", ms(samples_quantile(&p->gaps, 500)),
		"p99", ms(samples_quantile(&p->gaps, 990)),
		"max", ms(samples_max(&p->gaps))));
	json_object_set_new(o, "latency_bytes", json_pack("{s:I s:I s:I}",
		"min", (json_int_t)samples_min(&p->latencies),
		"median", (json_int_t)samples_quantile(&p->latencies, 500),
		"max", (json_int_t)samples_max(&p->latencies)));
	return o;
}

static double per_period(const struct run *r, uint64_t n)
{
	uint64_t done = 0;

	for (uint32_t i = 0; i < r->players; i++)
		done += r->player[i].completed;
	return done ? (double)n / (double)done : 0;
}

static void print_json(struct run *r, int err)
{
	const struct sound *s = r->s;
	const struct ring *tx = &s->ring[Q_TX];
	json_t *root = json_object(), *streams = json_array();
	const char *fault;
	uint64_t faults = sound_faults(s, &fault);

	json_object_set_new(root, "ok", json_boolean(!err));
	if (err)
		json_object_set_new(root, "error", json_string(complaint()));
	json_object_set_new(root, "front_end", json_string(s->fe.who->name));
	json_object_set_new(root, "elapsed_ms", json_real(ms(now_ns() - r->began_ns)));
	set_number(root, "kicks", tx->kicks);
	set_number(root, "calls", calls(r));
	json_object_set_new(root, "kicks_per_period", json_real(per_period(r, tx->kicks)));
	json_object_set_new(root, "calls_per_period", json_real(per_period(r, calls(r))));
	json_object_set_new(root, "calls_shared", json_boolean(s->fe.who->call_shared));
	set_number(root, "requests", s->requests);
	json_object_set_new(root, "request_ms_max", json_real(ms(s->request_max_ns)));
	set_number(root, "ring_faults", faults);
	if (fault)
		json_object_set_new(root, "first_fault", json_string(fault));
	set_number(root, "xrun_events", s->events_seen[3]);
	set_number(root, "config_changes", s->fe.config_changes);
	for (uint32_t i = 0; i < r->players; i++)
		json_array_append_new(streams, player_json(&r->player[i]));
	json_object_set_new(root, "streams", streams);
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	printf("\n");
	json_decref(root);
}

static void print_player(struct player *p)
{
	printf("stream %u: %s %u Hz %u channels, period %u of %u frames\n", p->stream,
		pcm_formats[p->params.format].name, pcm_rates[p->params.rate], p->params.channels,
		p->period_frames, p->period_frames * p->slots);
	printf("    messages %" PRIu64 ", frames sent %" PRIu64 ", completions %" PRIu64
	       ", status errors %" PRIu64 "\n", p->sent, p->frames_sent, p->completed,
		p->status_errors);
	printf("    duration ideal %.3f ms, real %.3f ms\n", ideal_ms(p), ms(p->run_ns));
	printf("    completion gap ms: min %.3f median %.3f p99 %.3f max %.3f\n",
		ms(samples_min(&p->gaps)), ms(samples_quantile(&p->gaps, 500)),
		ms(samples_quantile(&p->gaps, 990)), ms(samples_max(&p->gaps)));
	printf("    latency_bytes: min %" PRId64 " median %" PRId64 " max %" PRId64 "\n",
		samples_min(&p->latencies), samples_quantile(&p->latencies, 500),
		samples_max(&p->latencies));
	if (p->abandoned)
		printf("    in flight at the reset: %" PRIu64 "\n", p->abandoned);
	if (p->filled_late)
		printf("    filled after they came back: %" PRIu64 "\n", p->filled_late);
	if (p->out_of_order)
		printf("    out of order: %" PRIu64 "\n", p->out_of_order);
	if (p->while_paused)
		printf("    returned while paused: %" PRIu64 "\n", p->while_paused);
	if (p->ring_full)
		printf("    found the queue full: %" PRIu64 " times\n", p->ring_full);
}

static void print_words(struct run *r)
{
	const struct ring *tx = &r->s->ring[Q_TX];
	const char *fault;
	uint64_t faults = sound_faults(r->s, &fault);

	for (uint32_t i = 0; i < r->players; i++)
		print_player(&r->player[i]);
	printf("kicks %" PRIu64 " (%.3f per period), calls %" PRIu64 " (%.3f per period%s)\n",
		tx->kicks, per_period(r, tx->kicks), calls(r), per_period(r, calls(r)),
		r->s->fe.who->call_shared ? ", all queues" : "");
	printf("control requests %" PRIu64 ", the longest took %.3f ms\n", r->s->requests,
		ms(r->s->request_max_ns));
	if (r->s->events_seen[3])
		printf("xrun events %" PRIu64 "\n", r->s->events_seen[3]);
	if (faults)
		printf("ring faults %" PRIu64 ", the first: %s\n", faults, fault);
}

static int run(struct sound *s, const struct options *o)
{
	static struct run r; /* too large for a stack */
	int err;

	memset(&r, 0, sizeof(r));
	r.s = s;
	r.o = o;
	r.began_ns = now_ns();
	s->done = player_done;
	err = open_players(&r);
	if (!err)
		err = start_players(&r);
	if (!err)
		err = play_all(&r);
	if (!err)
		err = judge(&r);
	if (r.players && o->json)
		print_json(&r, err);
	else if (r.players)
		print_words(&r);
	for (uint32_t i = 0; i < r.players; i++)
		player_close(&r.player[i]);
	return err;
}

int play_command(const struct options *o)
{
	return session_run(o, run);
}
