/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hostile: families of malformed input, and after each the question whether
 * the back-end still serves a decent guest.
 *
 * What a back-end answers to nonsense is conformance's business.  Here it
 * only has to survive: after each family a new connection must bring up a
 * device and play 50 ms without a fault.  Run it against a sanitizer build;
 * with --spawn a crash is named together with the case that caused it.
 */
#include "probe/hostile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "probe/names.h"
#include "probe/report.h"

#define DECENT_MESSAGES 5
#define DECENT_MS	10

struct family {
	const char *name;
	const char *what;
	family_run run;
};

static const struct family families[] = {
	{ "frames", "malformed vhost-user frames", hostile_frames },
	{ "order", "well-formed vhost-user messages in any order", hostile_order },
	{ "memory", "impossible memory tables and ring addresses", hostile_memory },
	{ "rings", "malformed descriptor chains and indices", hostile_rings },
	{ "control", "random control requests", hostile_control },
	{ "io", "random messages on tx and rx", hostile_io },
	{ "flip", "descriptors that change while they are read", hostile_flip },
};

#define FAMILIES (sizeof(families) / sizeof(families[0]))

/* splitmix64 */
uint64_t hostile_random64(struct hostile *h)
{
	uint64_t z = h->random_state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint32_t hostile_random(struct hostile *h, uint32_t below)
{
	return (uint32_t)(hostile_random64(h) % below);
}

uint32_t hostile_pick(struct hostile *h, const uint32_t *from, uint32_t count)
{
	return from[hostile_random(h, count)];
}

void hostile_fill(struct hostile *h, void *p, uint32_t bytes)
{
	uint8_t *b = p;

	for (uint32_t i = 0; i < bytes; i++)
		b[i] = (uint8_t)hostile_random64(h);
}

void hostile_case(struct hostile *h, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(h->what, sizeof(h->what), fmt, ap);
	va_end(ap);
	h->cases++;
}

int hostile_connect(struct hostile *h)
{
	int err = spawn_check(&h->session.backend);

	return err < 0 ? err : session_connect(&h->session);
}

int hostile_sound(struct hostile *h, struct sound *ret)
{
	int err = spawn_check(&h->session.backend);

	return err < 0 ? err : session_sound(&h->session, ret);
}

struct decent {
	uint32_t back;
	uint32_t bad;
};

static void decent_done(struct sound *s, struct io_message *m, uint32_t status,
	uint32_t latency_bytes, uint32_t len)
{
	struct decent *d = m->owner;

	(void)s;
	(void)latency_bytes;
	d->back++;
	d->bad += status != SND_S_OK || len != STATUS_BYTES;
}

static int lowest_bit(uint64_t mask, int preferred)
{
	int i = 0;

	if (mask & BIT(preferred))
		return preferred;
	while (i < 63 && !(mask & BIT(i)))
		i++;
	return i;
}

/* The first output's parameters for 10 ms messages. */
static int decent_params(struct sound *s, uint32_t *ret_stream, struct pcm_params *ret)
{
	for (uint32_t i = 0; i < s->counts.streams; i++) {
		struct pcm_info info;
		int err = sound_pcm_info(s, i, &info);
		int format, rate;

		if (err < 0)
			return err;
		if (info.direction != SND_D_OUTPUT)
			continue;
		format = lowest_bit(info.formats, pcm_format_find("S16"));
		rate = lowest_bit(info.rates, pcm_rate_find(48000));
		if (format >= PCM_FORMATS || rate >= PCM_RATES)
			return complain(-EPROTO, "stream %u offers nothing known", i);
		*ret_stream = i;
		*ret = (struct pcm_params){ .channels = info.channels_min,
			.format = (uint8_t)format, .rate = (uint8_t)rate };
		ret->period_bytes = pcm_rates[rate] * DECENT_MS / 1000 * info.channels_min *
			pcm_formats[format].bytes;
		ret->buffer_bytes = DECENT_MESSAGES * ret->period_bytes;
		return 0;
	}
	return complain(-ENODEV, "the device has no output stream");
}

static int decent_play(struct sound *s, uint32_t stream, const struct pcm_params *p)
{
	uint64_t data = mem_alloc(&s->mem, p->buffer_bytes, 64);
	int64_t deadline = now_ns() + (int64_t)s->timeout_ms * 1000000;
	struct io_message m[DECENT_MESSAGES];
	struct decent d = { 0 };
	int err;

	s->done = decent_done;
	err = sound_set_params(s, stream, p);
	if (!err)
		err = sound_pcm(s, SND_R_PCM_PREPARE, stream);
	for (unsigned i = 0; i < DECENT_MESSAGES && !err; i++) {
		err = io_message_init(s, &m[i], &d, stream);
		if (!err)
			err = sound_send(s, &m[i], data + i * p->period_bytes, p->period_bytes, 3);
	}
	ring_kick(&s->ring[Q_TX]);
	if (!err)
		err = sound_pcm(s, SND_R_PCM_START, stream);
	while (!err && d.back < DECENT_MESSAGES) {
		if (now_ns() > deadline)
			return complain(-ETIMEDOUT, "%u of %u messages came back", d.back,
				DECENT_MESSAGES);
		err = sound_poll(s, 100000000);
	}
	if (!err)
		err = sound_pcm(s, SND_R_PCM_STOP, stream);
	if (!err)
		err = sound_pcm(s, SND_R_PCM_RELEASE, stream);
	if (!err && d.bad)
		err = complain(-EPROTO, "%u messages came back wrong", d.bad);
	return err;
}

static int still_decent(struct hostile *h)
{
	struct pcm_params p;
	struct sound s;
	const char *fault;
	uint32_t stream = 0;
	int err = hostile_sound(h, &s);

	if (err < 0)
		return err;
	err = decent_params(&s, &stream, &p);
	if (!err)
		err = decent_play(&s, stream, &p);
	if (!err && sound_faults(&s, &fault))
		err = complain(-EPROTO, "%s", fault);
	sound_close(&s);
	return err;
}

static int run_family(struct hostile *h, unsigned index)
{
	const struct family *f = &families[index];
	int64_t began = now_ns();
	int err;

	h->cases = 0;
	h->what[0] = '\0';
	h->random_state = h->o->seed + 1009ULL * index;
	printf("%-8s %s: ", f->name, f->what);
	fflush(stdout);
	err = f->run(h);
	if (err < 0) {
		printf("FAILED\n");
		fprintf(stderr, "vsnd-probe: %s, case %" PRIu64 " (%s): %s\n", f->name, h->cases,
			 h->what, complaint());
		return err;
	}
	err = still_decent(h);
	if (err < 0) {
		printf("FAILED\n");
		fprintf(stderr, "vsnd-probe: after %s, a decent guest fails: %s\n", f->name,
			complaint());
		return err;
	}
	printf("%" PRIu64 " cases, %lld ms\n", h->cases,
		(long long)(now_ns() - began) / 1000000);
	return 0;
}

int hostile_command(const struct options *o)
{
	static struct hostile h;
	bool known = !o->family;
	int err, end;

	for (size_t i = 0; i < FAMILIES; i++)
		known = known || !strcmp(o->family, families[i].name);
	if (!known) {
		fprintf(stderr, "vsnd-probe: --family: '%s' is not known; try --help\n", o->family);
		return 2;
	}
	h.o = o;
	err = session_start(&h.session, o);
	if (!err)
		err = still_decent(&h);
	if (err < 0)
		fprintf(stderr, "vsnd-probe: before anything hostile: %s\n", complaint());
	for (unsigned i = 0; i < FAMILIES && !err; i++)
		if (!o->family || !strcmp(o->family, families[i].name))
			err = run_family(&h, i);
	end = session_end(&h.session);
	return err < 0 || end < 0;
}
