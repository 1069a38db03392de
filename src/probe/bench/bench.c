/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe/bench/bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "probe/names.h"
#include "probe/report.h"

static const struct bench_part *const parts[] = {
	&bench_messages, &bench_steady, &bench_latency, &bench_scale, &bench_start,
};
#define PARTS (sizeof(parts) / sizeof(*parts))

void bench_put(struct bench *b, const char *row, const char *name, double value)
{
	figures_put(b->figures, b->part, row, name, b->side, value);
}

void bench_put_reference(struct bench *b, const char *row, const char *name, double value)
{
	figures_put(b->figures, b->part, row, name, SIDE_REFERENCE, value);
}

void bench_sleep(int64_t ns)
{
	const struct timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	nanosleep(&ts, NULL);
}

int bench_open(struct bench_device *d, const struct options *o)
{
	int err;

	memset(d, 0, sizeof(*d));
	err = session_start(&d->session, o);
	if (!err)
		err = session_sound(&d->session, &d->sound);
	if (err < 0)
		return err;
	if (o->spawn)
		usage_of_group(d->session.backend.pid, &d->group);
	else
		usage_of_peer(d->sound.fe.sock, &d->group);
	return d->group.count ? 0 : complain(-ESRCH, "the back-end's process is not known");
}

int bench_close(struct bench_device *d)
{
	if (d->sound.mem.regions)
		sound_close(&d->sound);
	return spawn_stop(&d->session.backend);
}

static bool can_play(const struct pcm_info *info)
{
	return info->direction == SND_D_OUTPUT && info->channels_min <= 2 && info->channels_max >= 2 &&
		info->formats & BIT(pcm_format_find("S16")) &&
		info->rates & BIT(pcm_rate_find(BENCH_RATE_HZ));
}

int bench_outputs(struct sound *s, uint32_t *ret_streams, uint32_t max)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < s->counts.streams && found < max; i++) {
		struct pcm_info info;
		int err = sound_pcm_info(s, i, &info);

		if (err < 0)
			return err;
		if (can_play(&info))
			ret_streams[found++] = i;
	}
	return found ? (int)found
		     : complain(-ENODEV, "no output stream plays S16 at 48000 Hz on two channels");
}

int bench_with_output(struct bench *b, const struct options *o,
	int (*fn)(struct bench *b, struct bench_device *d, uint32_t stream))
{
	struct bench_device d;
	uint32_t stream;
	int err = bench_open(&d, o), end;

	if (!err)
		err = bench_outputs(&d.sound, &stream, 1);
	if (err > 0)
		err = fn(b, &d, stream);
	end = bench_close(&d);
	return err < 0 ? err : end;
}

static bool wanted(const struct options *o, const struct bench_part *p)
{
	for (unsigned i = 0; i < o->patterns; i++)
		if (!strcmp(o->pattern[i], p->name))
			return true;
	return !o->patterns;
}

static int check_names(const struct options *o)
{
	for (unsigned i = 0; i < o->patterns; i++) {
		unsigned p = 0;

		while (p < PARTS && strcmp(o->pattern[i], parts[p]->name))
			p++;
		if (p == PARTS)
			return complain(-EINVAL, "bench has no part '%s'", o->pattern[i]);
	}
	return 0;
}

/* One round of a part at each back-end; each comes first in every other round. */
static int run_round(const struct bench_part *p, struct bench *b, const struct options *o)
{
	struct options other = *o;
	unsigned sides = o->versus ? 2 : 1;
	int err = 0;

	other.spawn = o->versus;
	other.socket_path = NULL;
	b->part = p->name;
	for (unsigned i = 0; i < sides && !err; i++) {
		b->side = (i + b->round) % sides;
		b->o = b->side == SIDE_VERSUS ? &other : o;
		if (o->verbose)
			fprintf(stderr, "%s, round %u of %u: %s\n", p->name, b->round + 1,
				o->rounds, b->o->spawn ? b->o->spawn : o->socket_path);
		err = p->run(b);
	}
	return err;
}

static void print_json(const struct figures *f, const struct options *o)
{
	struct utsname machine;
	time_t now = time(NULL);
	char date[32];
	json_t *root;

	uname(&machine);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M", gmtime(&now));
	root = json_pack("{s:s s:s* s:s s:s s:s s:i s:i s:i s:o}",
		"subject", o->spawn ? o->spawn : o->socket_path, "versus", o->versus,
		"date", date, "kernel", machine.release, "machine", machine.machine,
		"processors", (int)sysconf(_SC_NPROCESSORS_ONLN), "rounds", (int)o->rounds,
		"seconds", (int)o->seconds, "parts", figures_json(f));
	json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	printf("\n");
	json_decref(root);
}

int bench_command(const struct options *o)
{
	struct bench b = { .figures = figures_create() };
	int err = b.figures ? check_names(o) : complain(-ENOMEM, "out of memory");

	for (unsigned p = 0; p < PARTS && !err; p++)
		for (b.round = 0; wanted(o, parts[p]) && b.round < o->rounds && !err; b.round++)
			err = run_round(parts[p], &b, o);
	if (err < 0)
		fprintf(stderr, "vsnd-probe: %s\n", complaint());
	else if (o->json)
		print_json(b.figures, o);
	else
		figures_print(b.figures, o->spawn ? o->spawn : o->socket_path, o->versus);
	figures_free(b.figures);
	return err < 0;
}
