/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * record: one input stream into a file, perhaps while an output plays one, and
 * the report.
 */
#include "probe/record.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "probe/names.h"
#include "probe/player.h"
#include "probe/recorder.h"
#include "probe/report.h"
#include "probe/session.h"

struct run {
	struct sound *s;
	const struct options *o;
	struct options play; /* the player's */
	struct recorder recorder;
	struct player player;
	bool plays, suspended;
};

static int first_stream(struct sound *s, uint8_t direction, uint32_t *ret)
{
	for (uint32_t i = 0; i < s->counts.streams; i++) {
		struct pcm_info info;
		int err = sound_pcm_info(s, i, &info);

		if (err < 0)
			return err;
		if (info.direction == direction) {
			*ret = i;
			return 0;
		}
	}
	return complain(-ENODEV, "the device has no %s stream",
		direction == SND_D_INPUT ? "input" : "output");
}

static void message_done(struct sound *s, struct io_message *m, uint32_t status,
	uint32_t latency_bytes, uint32_t len)
{
	if (m->input)
		recorder_done(m->owner, m, status, latency_bytes, len);
	else
		player_done(s, m, status, latency_bytes, len);
}

static int open_player(struct run *r)
{
	uint32_t stream;
	int err = first_stream(r->s, SND_D_OUTPUT, &stream);

	/* What the options say is the recording's, but for the sizes. */
	r->play = *r->o;
	r->play.file = r->o->play;
	r->play.format = -1;
	r->play.rate_hz = 0;
	r->play.pause_at = NEVER;
	if (!err)
		err = player_open(&r->player, r->s, &r->play, stream);
	r->plays = !err;
	return err;
}

static int open_all(struct run *r)
{
	uint32_t stream = r->o->stream[0];
	int err = r->o->streams ? 0 : first_stream(r->s, SND_D_INPUT, &stream);

	if (!err && stream >= r->s->counts.streams)
		err = complain(-EINVAL, "there is no stream %u; the device has %u", stream,
			r->s->counts.streams);
	if (!err && r->o->play)
		err = open_player(r);
	return err ? err : recorder_open(&r->recorder, r->s, r->o, stream);
}

static int suspend(struct run *r)
{
	int64_t before = now_ns();
	int err;

	if (r->suspended || r->recorder.state != RECORDER_RUNNING ||
	    r->recorder.frames_done < r->o->suspend_at)
		return 0;
	r->suspended = true;
	err = sound_suspend(r->s, (int64_t)r->o->suspend_ms * 1000000);
	recorder_was_suspended(&r->recorder, now_ns() - before);
	if (r->plays)
		player_was_suspended(&r->player, now_ns() - before);
	return err;
}

static bool is_active(const struct run *r)
{
	return r->recorder.state != RECORDER_FINISHED ||
		(r->plays && r->player.state != PLAYER_FINISHED);
}

static int run_all(struct run *r)
{
	int err = recorder_start(&r->recorder);

	if (!err && r->plays)
		err = player_start(&r->player);
	while (!err && is_active(r)) {
		int64_t wake = now_ns() + 1000000000, wait;

		err = suspend(r);
		if (!err)
			err = recorder_act(&r->recorder);
		if (!err && r->plays)
			err = player_act(&r->player);
		if (recorder_deadline(&r->recorder) < wake)
			wake = recorder_deadline(&r->recorder);
		if (r->plays && player_deadline(&r->player) < wake)
			wake = player_deadline(&r->player);
		wait = wake - now_ns();
		if (!err && is_active(r))
			err = sound_poll(r->s, wait > 0 ? wait : 0);
	}
	return err;
}

/* What must not be even if nothing stopped the run. */
static int judge(const struct run *r)
{
	const struct recorder *c = &r->recorder;
	const char *fault;
	uint64_t faults = sound_faults(r->s, &fault);

	if (faults)
		return complain(-EPROTO, "%" PRIu64 " ring faults, the first: %s", faults, fault);
	if (c->status_errors)
		return complain(-EPROTO, "stream %u: %" PRIu64 " messages failed, the first with "
			"%s (0x%x)", c->stream, c->status_errors, status_name(c->bad_status),
			c->bad_status);
	if (c->length_errors)
		return complain(-EPROTO, "stream %u: %" PRIu64 " messages came back with a used "
			"length that is wrong, the first with %u instead of %u", c->stream,
			c->length_errors, c->bad_length, c->params.period_bytes + STATUS_BYTES);
	if (c->unwritten)
		return complain(-EPROTO, "stream %u: %" PRIu64 " messages came back with less "
			"written than their used length says", c->stream, c->unwritten);
	if (c->out_of_order)
		return complain(-EPROTO, "stream %u: %" PRIu64 " messages came back out of order",
			c->stream, c->out_of_order);
	if (c->while_paused)
		return complain(-EPROTO, "stream %u: %" PRIu64 " messages came back while it was "
			"stopped", c->stream, c->while_paused);
	if (r->plays && (r->player.status_errors || r->player.length_errors))
		return complain(-EPROTO, "stream %u: %" PRIu64 " messages failed, %" PRIu64
			" came back with a wrong length", r->player.stream, r->player.status_errors,
			r->player.length_errors);
	return 0;
}

static double ms(int64_t ns)
{
	return (double)ns / 1e6;
}

static double ideal_ms(const struct recorder *c)
{
	uint64_t frames = c->frames_done - c->bytes_released / c->frame_bytes;

	return (double)frames * 1000.0 / pcm_rates[c->params.rate];
}

static void print_json(struct run *r, int err)
{
	struct recorder *c = &r->recorder;
	json_t *root = json_pack("{s:b s:s s:i s:s s:i s:i s:i s:i s:I s:I s:I}",
		"ok", !err, "front_end", r->s->fe.who->name, "stream", (int)c->stream,
		"format", pcm_formats[c->params.format].name,
		"rate", (int)pcm_rates[c->params.rate], "channels", (int)c->params.channels,
		"period_frames", (int)c->period_frames,
		"buffer_frames", (int)(c->period_frames * c->slots),
		"messages", (json_int_t)c->done, "frames", (json_int_t)c->frames_done,
		"frames_by_release", (json_int_t)(c->bytes_released / c->frame_bytes));

	if (err)
		json_object_set_new(root, "error", json_string(complaint()));
	json_object_set_new(root, "ideal_ms", json_real(ideal_ms(c)));
	json_object_set_new(root, "real_ms", json_real(ms(c->run_ns)));
	json_object_set_new(root, "gap_ms", json_pack("{s:f s:f s:f s:f}",
		"min", ms(samples_min(&c->gaps)), "median", ms(samples_quantile(&c->gaps, 500)),
		"p99", ms(samples_quantile(&c->gaps, 990)), "max", ms(samples_max(&c->gaps))));
	json_object_set_new(root, "latency_bytes", json_pack("{s:I s:I s:I}",
		"min", (json_int_t)samples_min(&c->latencies),
		"median", (json_int_t)samples_quantile(&c->latencies, 500),
		"max", (json_int_t)samples_max(&c->latencies)));
	json_object_set_new(root, "xrun_events", json_integer((json_int_t)r->s->events_seen[3]));
	if (r->plays)
		json_object_set_new(root, "played", json_integer(
			(json_int_t)r->player.frames_completed));
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	printf("\n");
	json_decref(root);
}

static void print_words(struct run *r)
{
	struct recorder *c = &r->recorder;
	const struct ring *rx = &r->s->ring[Q_RX];

	printf("stream %u: %s %u Hz %u channels, period %u of %u frames\n", c->stream,
		pcm_formats[c->params.format].name, pcm_rates[c->params.rate], c->params.channels,
		c->period_frames, c->period_frames * c->slots);
	printf("    messages %" PRIu64 ", frames %" PRIu64 " (%" PRIu64 " by RELEASE), status "
	       "errors %" PRIu64 ", wrong lengths %" PRIu64 "\n", c->done, c->frames_done,
		c->bytes_released / c->frame_bytes, c->status_errors, c->length_errors);
	printf("    duration ideal %.3f ms, real %.3f ms\n", ideal_ms(c), ms(c->run_ns));
	printf("    completion gap ms: min %.3f median %.3f p99 %.3f max %.3f\n",
		ms(samples_min(&c->gaps)), ms(samples_quantile(&c->gaps, 500)),
		ms(samples_quantile(&c->gaps, 990)), ms(samples_max(&c->gaps)));
	printf("    latency_bytes: min %" PRId64 " median %" PRId64 " max %" PRId64 "\n",
		samples_min(&c->latencies), samples_quantile(&c->latencies, 500),
		samples_max(&c->latencies));
	if (c->ring_full)
		printf("    found the queue full: %" PRIu64 " times\n", c->ring_full);
	if (r->plays)
		printf("stream %u: played %" PRIu64 " frames\n", r->player.stream,
			r->player.frames_completed);
	printf("kicks %" PRIu64 ", calls %" PRIu64 "\n", rx->kicks,
		r->s->ring[r->s->fe.who->call_shared ? 0 : Q_RX].calls);
	if (r->s->events_seen[3])
		printf("xrun events %" PRIu64 "\n", r->s->events_seen[3]);
}

static int run(struct sound *s, const struct options *o)
{
	struct run r = { .s = s, .o = o };
	int err, end;

	s->done = message_done;
	err = open_all(&r);
	if (!err) {
		err = run_all(&r);
		if (!err)
			err = judge(&r);
		if (o->json)
			print_json(&r, err);
		else
			print_words(&r);
	}
	end = recorder_close(&r.recorder);
	if (r.plays)
		player_close(&r.player);
	return err ? err : end;
}

int record_command(const struct options *o)
{
	return session_run(o, run);
}
