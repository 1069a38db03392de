/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options: one table, from which getopt_long's table, the help text and the
 * check "does this option belong to that sub-command" are all made.
 */
#include "probe/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/frontend.h"
#include "probe/names.h"
#include "probe/ring.h"
#include "probe/source.h"

enum option_id {
	OPT_SOCKET_PATH = 256,
	OPT_SPAWN,
	OPT_DIR,
	OPT_FRONT_END,
	OPT_TIMEOUT,
	OPT_QUEUE_SIZE,
	OPT_REGIONS,
	OPT_NO_INDIRECT,
	OPT_NO_EVENT_IDX,
	OPT_SCATTER,
	OPT_JSON,
	OPT_STREAM,
	OPT_STREAMS,
	OPT_FORMAT,
	OPT_RATE,
	OPT_RAW,
	OPT_CHANNELS,
	OPT_PERIOD,
	OPT_BUFFER,
	OPT_LATE_FILL,
	OPT_PAUSE_AT,
	OPT_PAUSE_MS,
	OPT_SUSPEND_AT,
	OPT_SUSPEND_MS,
	OPT_RESET_AT,
	OPT_RELEASE_EARLY,
	OPT_REPEAT,
	OPT_PIECES,
	OPT_SECONDS,
	OPT_FRAMES,
	OPT_STARVE_AT,
	OPT_STARVE_MS,
	OPT_PLAY,
	OPT_SEED,
	OPT_ROUNDS,
	OPT_FAMILY,
	OPT_LIST,
	OPT_ALL,
	OPT_STRICT,
	OPT_TIMES,
	OPT_VERBOSE,
	OPT_TAP,
	OPT_JOBS,
	OPT_PLAYED,
	OPT_HOOKS,
	OPT_VERSUS,
	OPT_FROM,
	OPT_HELP,
	OPT_VERSION,
};

struct row {
	const char *name;
	const char *value; /* NULL: takes none; "[...]": may have one */
	enum option_id id;
	unsigned commands;
	const char *help;
};

static const struct row rows[] = {
	{ "socket-path", "PATH", OPT_SOCKET_PATH, CMD_ALL, "where the back-end listens" },
	{ "spawn", "COMMAND", OPT_SPAWN, CMD_ALL,
		"start the back-end; {socket} and {dir} are replaced" },
	{ "dir", "DIR", OPT_DIR, CMD_ALL, "with --spawn: use and keep this directory" },
	{ "front-end", "NAME", OPT_FRONT_END, CMD_ALL,
		"behave as qemu (default), crosvm, libkrun, cloud-hypervisor" },
	{ "timeout", "SECONDS", OPT_TIMEOUT, CMD_ALL, "give up without progress (10)" },
	{ "queue-size", "N", OPT_QUEUE_SIZE, CMD_ALL, "descriptors in each queue (64)" },
	{ "regions", "N", OPT_REGIONS, CMD_ALL, "guest memory regions, 1 to 8 (2)" },
	{ "no-indirect", NULL, OPT_NO_INDIRECT, CMD_ALL, "do not negotiate INDIRECT_DESC" },
	{ "no-event-idx", NULL, OPT_NO_EVENT_IDX, CMD_ALL, "do not negotiate EVENT_IDX" },
	{ "scatter", NULL, OPT_SCATTER, CMD_ALL, "take descriptors at random places" },
	{ "json", NULL, OPT_JSON, CMD_ALL & ~CMD_HOSTILE, "print JSON" },
	{ "stream", "N", OPT_STREAM, CMD_PLAY | CMD_RECORD,
		"play or record on this stream (first of its direction)" },
	{ "streams", "N,N,...", OPT_STREAMS, CMD_PLAY, "play on all of these at once" },
	{ "format", "NAME", OPT_FORMAT, CMD_PLAY | CMD_RECORD, "sample format (from the file; S16)" },
	{ "rate", "HZ", OPT_RATE, CMD_PLAY | CMD_RECORD,
		"claim this rate; nothing is resampled (from the file; 48000)" },
	{ "raw", NULL, OPT_RAW, CMD_PLAY,
		"the file is bare frames of --format, --rate and --channels" },
	{ "channels", "N", OPT_CHANNELS, CMD_PLAY | CMD_RECORD,
		"channels of a frame: with --raw, or to record (2 if there are)" },
	{ "period", "FRAMES", OPT_PERIOD, CMD_PLAY | CMD_RECORD, "frames in a message (20 ms)" },
	{ "buffer", "FRAMES", OPT_BUFFER, CMD_PLAY | CMD_RECORD, "frames in flight (4 periods)" },
	{ "late-fill", "[PERIODS]", OPT_LATE_FILL, CMD_PLAY,
		"queue messages empty, fill them so long before they are due (1)" },
	{ "pause-at", "FRAME", OPT_PAUSE_AT, CMD_PLAY | CMD_RECORD, "STOP here, START again later" },
	{ "pause-ms", "MS", OPT_PAUSE_MS, CMD_PLAY | CMD_RECORD, "... so much later (300)" },
	{ "suspend-at", "FRAME", OPT_SUSPEND_AT, CMD_PLAY | CMD_RECORD, "stop the VM here, continue later" },
	{ "suspend-ms", "MS", OPT_SUSPEND_MS, CMD_PLAY | CMD_RECORD, "... so much later (300)" },
	{ "reset-at", "FRAME", OPT_RESET_AT, CMD_PLAY,
		"reset the device here, then play from the start" },
	{ "release-early", "[FRAME]", OPT_RELEASE_EARLY, CMD_PLAY,
		"STOP and RELEASE here (when all is queued) without waiting" },
	{ "repeat", "N", OPT_REPEAT, CMD_PLAY, "play N times, SET_PARAMS to RELEASE (1)" },
	{ "pieces", "N", OPT_PIECES, CMD_PLAY | CMD_RECORD, "descriptors in a message, odd pieces (3)" },
	{ "times", "FILE", OPT_TIMES, CMD_PLAY,
		"write a line for each message: frames so far, ns on CLOCK_MONOTONIC, latency bytes" },
	{ "seconds", "N", OPT_SECONDS, CMD_RECORD | CMD_BENCH, "record, or measure, for so long (1)" },
	{ "frames", "N", OPT_FRAMES, CMD_RECORD, "... or exactly so many frames" },
	{ "starve-at", "FRAME", OPT_STARVE_AT, CMD_RECORD, "offer no more room from here on" },
	{ "starve-ms", "MS", OPT_STARVE_MS, CMD_RECORD, "... for so long (300)" },
	{ "play", "FILE", OPT_PLAY, CMD_RECORD, "play this meanwhile, on the first output" },
	{ "seed", "N", OPT_SEED, CMD_HOSTILE, "of the random numbers (1)" },
	{ "rounds", "N", OPT_ROUNDS, CMD_HOSTILE | CMD_BENCH,
		"random cases in each family (500), or times that is measured (5)" },
	{ "family", "NAME", OPT_FAMILY, CMD_HOSTILE, "run only this family" },
	{ "list", NULL, OPT_LIST, CMD_CONFORM, "name the scenarios, run none" },
	{ "all", NULL, OPT_ALL, CMD_CONFORM, "... also what cannot be tested from outside" },
	{ "strict", NULL, OPT_STRICT, CMD_CONFORM, "what is only recommended counts, too" },
	{ "verbose", NULL, OPT_VERBOSE, CMD_CONFORM | CMD_BENCH, "tell what was sent and what came" },
	{ "tap", NULL, OPT_TAP, CMD_CONFORM, "print TAP" },
	{ "jobs", "N", OPT_JOBS, CMD_CONFORM, "scenarios at the same time, with --spawn (2)" },
	{ "played", "PATTERN", OPT_PLAYED, CMD_CONFORM,
		"the sound file that the back-end writes; {dir}, %s" },
	{ "hooks", "PATH", OPT_HOOKS, CMD_CONFORM,
		"the socket of the back-end's hooks (doc/hooks.md); {dir}" },
	{ "versus", "COMMAND", OPT_VERSUS, CMD_BENCH,
		"measure this back-end, too, in turn; as --spawn" },
	{ "from", "N", OPT_FROM, CMD_BENCH, "smallest number of streams and back-ends of scale (1)" },
	{ "help", NULL, OPT_HELP, CMD_ALL, "print this" },
	{ "version", NULL, OPT_VERSION, CMD_ALL, "print the version" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int bad(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int bad(const char *fmt, ...)
{
	va_list ap;

	fputs("vsnd-probe: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("; try --help\n", stderr);
	return -EINVAL;
}

static void print_help(const struct command *commands)
{
	printf("Usage: vsnd-probe {--socket-path=PATH | --spawn=COMMAND} [OPTION...] SUB-COMMAND\n"
	       "A virtio sound driver in user space, against any vhost-user sound back-end.\n\n"
	       "Sub-commands:\n");
	for (const struct command *c = commands; c->name; c++)
		printf("  %s %-*s%s\n", c->name, (int)(18 - strlen(c->name)), c->arguments,
			c->summary);
	printf("\nOptions:\n");
	for (size_t i = 0; i < ROWS; i++) {
		char left[48];
		const char *value = rows[i].value ? rows[i].value : "";
		bool may = *value == '[';

		snprintf(left, sizeof(left), "--%s%s%s%s", rows[i].name, may ? "[=" : "",
			*value && !may ? "=" : "", may ? value + 1 : value);
		printf("  %-26s%s", left, rows[i].help);
		for (const struct command *c = commands; c->name && rows[i].commands != CMD_ALL;
			c++)
			if (rows[i].commands & c->bit)
				printf(" [%s]", c->name);
		printf("\n");
	}
}

static int number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || v < min || v > max)
		return bad("--%s: '%s' is not a number from %llu to %llu", name, text,
			(unsigned long long)min, (unsigned long long)max);
	*ret = v;
	return 0;
}

static int number32(const char *name, const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t v;
	int err = number(name, text, min, max, &v);

	if (!err)
		*ret = (uint32_t)v;
	return err;
}

static int stream_list(struct options *o, const char *text)
{
	char copy[256], *save = NULL;

	if (strlen(text) >= sizeof(copy))
		return bad("--streams: too long");
	strcpy(copy, text);
	o->streams = 0;
	for (char *t = strtok_r(copy, ",", &save); t; t = strtok_r(NULL, ",", &save)) {
		if (o->streams == STREAMS_MAX)
			return bad("--streams: more than %d", STREAMS_MAX);
		if (number32("streams", t, 0, UINT32_MAX - 1, &o->stream[o->streams++]))
			return -EINVAL;
	}
	return o->streams ? 0 : bad("--streams: no stream in '%s'", text);
}

static int format_option(struct options *o, const char *text)
{
	o->format = pcm_format_find(text);
	if (o->format < 0)
		return bad("--format: there is no format '%s'", text);
	return 0;
}

/* What --raw, --format and --channels have to do with each other. */
static int check_source(const struct options *o)
{
	if (!o->raw && o->channels)
		return bad("--channels belongs to --raw");
	if (!o->raw && o->format >= 0 && !source_can((unsigned)o->format))
		return bad("--format: a sound file cannot be played as %s; there is --raw",
			pcm_formats[o->format].name);
	if (o->raw && (o->format < 0 || !o->rate_hz || !o->channels))
		return bad("--raw needs --format, --rate and --channels");
	if (o->raw && !pcm_formats[o->format].bytes)
		return bad("--raw: the samples of %s are not whole bytes",
			pcm_formats[o->format].name);
	return 0;
}

static int bench_option(struct options *o, const struct row *r, const char *v)
{
	switch (r->id) {
	case OPT_VERSUS:
		o->versus = v;
		return 0;
	case OPT_FROM:
		return number32(r->name, v, 1, 64, &o->from);
	default:
		return 0;
	}
}

static int conform_option(struct options *o, const struct row *r, const char *v)
{
	switch (r->id) {
	case OPT_LIST:
		o->list = true;
		return 0;
	case OPT_ALL:
		o->all = true;
		return 0;
	case OPT_STRICT:
		o->strict = true;
		return 0;
	case OPT_VERBOSE:
		o->verbose = true;
		return 0;
	case OPT_TAP:
		o->tap = true;
		return 0;
	case OPT_JOBS:
		return number32(r->name, v, 1, 16, &o->jobs);
	case OPT_PLAYED:
		o->played = v;
		return 0;
	case OPT_HOOKS:
		o->hooks = v;
		return 0;
	default:
		return bench_option(o, r, v);
	}
}

static int hostile_option(struct options *o, const struct row *r, const char *v)
{
	switch (r->id) {
	case OPT_SEED:
		return number(r->name, v, 0, UINT64_MAX, &o->seed);
	case OPT_ROUNDS:
		return number32(r->name, v, 1, 1 << 30, &o->rounds);
	case OPT_FAMILY:
		o->family = v;
		return 0;
	default:
		return conform_option(o, r, v);
	}
}

static int record_option(struct options *o, const struct row *r, const char *v)
{
	switch (r->id) {
	case OPT_SECONDS:
		return number32(r->name, v, 1, 86400, &o->seconds);
	case OPT_FRAMES:
		return number(r->name, v, 1, NEVER - 1, &o->frames);
	case OPT_STARVE_AT:
		return number(r->name, v, 0, NEVER - 1, &o->starve_at);
	case OPT_STARVE_MS:
		return number32(r->name, v, 0, 1 << 30, &o->starve_ms);
	case OPT_PLAY:
		o->play = v;
		return 0;
	default:
		return hostile_option(o, r, v);
	}
}

static int play_option(struct options *o, const struct row *r, const char *v)
{
	switch (r->id) {
	case OPT_STREAM:
		o->streams = 1;
		return number32(r->name, v, 0, UINT32_MAX - 1, &o->stream[0]);
	case OPT_STREAMS:
		return stream_list(o, v);
	case OPT_FORMAT:
		return format_option(o, v);
	case OPT_RATE:
		if (number32(r->name, v, 1, UINT32_MAX, &o->rate_hz))
			return -EINVAL;
		if (pcm_rate_find(o->rate_hz) < 0)
			return bad("--rate: %s Hz cannot be claimed", v);
		return 0;
	case OPT_RAW:
		o->raw = true;
		return 0;
	case OPT_CHANNELS:
		return number32(r->name, v, 1, 255, &o->channels);
	case OPT_PERIOD:
		return number32(r->name, v, 1, 1 << 24, &o->period_frames);
	case OPT_BUFFER:
		return number32(r->name, v, 1, 1 << 24, &o->buffer_frames);
	case OPT_LATE_FILL:
		o->late_fill = true;
		return v ? number32(r->name, v, 0, 1 << 16, &o->late_lead) : 0;
	case OPT_PAUSE_AT:
		return number(r->name, v, 0, NEVER - 1, &o->pause_at);
	case OPT_PAUSE_MS:
		return number32(r->name, v, 0, 1 << 30, &o->pause_ms);
	case OPT_SUSPEND_AT:
		return number(r->name, v, 0, NEVER - 1, &o->suspend_at);
	case OPT_SUSPEND_MS:
		return number32(r->name, v, 0, 1 << 30, &o->suspend_ms);
	case OPT_RESET_AT:
		return number(r->name, v, 0, NEVER - 1, &o->reset_at);
	case OPT_RELEASE_EARLY:
		o->release_at = 0; /* as soon as everything is queued */
		return v ? number(r->name, v, 1, NEVER - 1, &o->release_at) : 0;
	case OPT_REPEAT:
		return number32(r->name, v, 1, 1 << 30, &o->repeat);
	case OPT_TIMES:
		o->times = v;
		return 0;
	case OPT_PIECES:
		return number32(r->name, v, 3, RING_ELEMENTS_MAX, &o->pieces);
	default:
		return record_option(o, r, v);
	}
}

static int common_option(struct options *o, const struct row *r, const char *v)
{
	switch (r->id) {
	case OPT_SOCKET_PATH:
		o->socket_path = v;
		return 0;
	case OPT_SPAWN:
		o->spawn = v;
		return 0;
	case OPT_DIR:
		o->dir = v;
		return 0;
	case OPT_FRONT_END:
		o->front_end = v;
		return personality_find(v) ? 0 : bad("--front-end: '%s' is not known", v);
	case OPT_TIMEOUT:
		if (number32(r->name, v, 1, 86400, &o->timeout_ms))
			return -EINVAL;
		o->timeout_ms *= 1000;
		return 0;
	case OPT_QUEUE_SIZE:
		if (number32(r->name, v, 1, RING_SIZE_MAX, &o->queue_size))
			return -EINVAL;
		return o->queue_size & (o->queue_size - 1)
			? bad("--queue-size: %s is not a power of two", v) : 0;
	case OPT_REGIONS:
		return number32(r->name, v, 1, MEM_REGIONS_MAX, &o->regions);
	case OPT_NO_INDIRECT:
		o->no_indirect = true;
		return 0;
	case OPT_NO_EVENT_IDX:
		o->no_event_idx = true;
		return 0;
	case OPT_SCATTER:
		o->scatter = true;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	default:
		return play_option(o, r, v);
	}
}

static int back_end_given(const struct options *o, const struct command *c,
	const struct command **ret)
{
	if (!o->socket_path == !o->spawn && !o->list)
		return bad("one of --socket-path and --spawn is needed");
	*ret = c;
	return 0;
}

static int find_command(int argc, char **argv, const struct command *commands, uint64_t used,
	struct options *o, const struct command **ret)
{
	const struct command *c = commands;
	int arguments;

	if (optind == argc)
		return bad("no sub-command");
	while (c->name && strcmp(c->name, argv[optind]))
		c++;
	if (!c->name)
		return bad("there is no sub-command '%s'", argv[optind]);
	for (size_t i = 0; i < ROWS; i++)
		if (used & BIT(i) && !(rows[i].commands & c->bit))
			return bad("--%s does not belong to '%s'", rows[i].name, c->name);

	if (*c->arguments == '[') {
		o->pattern = argv + optind + 1;
		o->patterns = (unsigned)(argc - optind - 1);
		return back_end_given(o, c, ret);
	}
	arguments = *c->arguments ? 1 : 0;
	if (argc - optind - 1 < arguments)
		return bad("'%s' needs %s", c->name, c->arguments);
	if (argc - optind - 1 > arguments)
		return bad("'%s' is one argument too many", argv[optind + 1 + arguments]);
	if (arguments)
		o->file = argv[optind + 1];
	return back_end_given(o, c, ret);
}

static const struct option *long_options(void)
{
	static struct option table[ROWS + 1];

	_Static_assert(ROWS <= 64, "used options are kept in 64 bits");
	for (size_t i = 0; i < ROWS; i++) {
		int arg = !rows[i].value ? no_argument : *rows[i].value == '['
			? optional_argument : required_argument;

		table[i] = (struct option){ .name = rows[i].name, .has_arg = arg,
			.val = (int)rows[i].id };
	}
	return table;
}

int options_parse(int argc, char **argv, const struct command *commands,
	struct options *ret_options, const struct command **ret_command, int *ret_status)
{
	const struct option *table = long_options();
	struct options o = { .front_end = "qemu", .timeout_ms = 10000, .queue_size = 64,
		.regions = 2, .format = -1, .late_lead = 1, .pause_at = NEVER,
		.suspend_at = NEVER, .reset_at = NEVER, .release_at = NEVER, .pause_ms = 300,
		.suspend_ms = 300, .starve_at = NEVER, .starve_ms = 300, .seconds = 1,
		.repeat = 1, .pieces = 3, .seed = 1, .jobs = 2, .from = 1 };
	uint64_t used = 0;
	int id, row;

	*ret_status = 2;
	opterr = 0;
	while ((id = getopt_long(argc, argv, ":", table, &row)) != -1) {
		if (id == '?')
			return bad("'%s' is no option", argv[optind - 1]);
		if (id == ':')
			return bad("'%s' needs a value", argv[optind - 1]);
		if (id == OPT_HELP || id == OPT_VERSION) {
			if (id == OPT_HELP)
				print_help(commands);
			else
				printf("vsnd-probe %s\n", VSND_VERSION);
			*ret_status = 0;
			return 1;
		}
		used |= BIT(row);
		if (common_option(&o, &rows[row], optarg))
			return -EINVAL;
	}
	if (find_command(argc, argv, commands, used, &o, ret_command) ||
	    ((*ret_command)->bit == CMD_PLAY && check_source(&o)))
		return -EINVAL;
	if (!o.rounds)
		o.rounds = (*ret_command)->bit == CMD_BENCH ? 5 : 500;
	*ret_options = o;
	return 0;
}
