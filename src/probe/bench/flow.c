/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe/bench/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe/bench/bench.h"
#include "probe/names.h"
#include "probe/report.h"

/* Header, data, status. */
#define PIECES 3
#define F_EVT_XRUNS 4

static int queue(struct flow *f, struct io_message *m)
{
	uint64_t slot = (uint64_t)(m - f->message);

	return sound_send(f->s, m, f->buffer + slot * f->period_bytes, f->period_bytes, PIECES);
}

static void flow_done(struct sound *s, struct io_message *m, uint32_t status,
	uint32_t latency_bytes, uint32_t len)
{
	struct flow *f = m->owner;

	(void)s;
	f->done++;
	f->errors += status != SND_S_OK || len != STATUS_BYTES;
	f->latency_bytes = latency_bytes;
	if (f->seen)
		f->seen(f, now_ns());
	if (!f->held && queue(f, m) < 0)
		f->errors++;
}

int flow_open(struct flow *f, struct sound *s, uint32_t stream, uint32_t period_bytes,
	uint32_t slots)
{
	struct pcm_info info;
	int err;

	*f = (struct flow){ .s = s, .stream = stream, .slots = slots, .period_bytes = period_bytes };
	s->done = flow_done;
	err = sound_pcm_info(s, stream, &info);
	if (err < 0)
		return err;
	f->xrun_events = info.features & BIT(F_EVT_XRUNS);
	f->buffer = mem_alloc(&s->mem, (uint64_t)slots * period_bytes, 4096);
	f->message = calloc(slots, sizeof(*f->message));
	if (!f->buffer || !f->message)
		err = complain(-ENOMEM, "no memory for a buffer of %u messages", slots);
	else
		memset(mem_va(&s->mem, f->buffer), 0x11, (size_t)slots * period_bytes);
	for (uint32_t i = 0; i < slots && !err; i++)
		err = io_message_init(s, &f->message[i], f, stream);
	if (err < 0)
		flow_close(f);
	return err;
}

void flow_close(struct flow *f)
{
	free(f->message);
	f->message = NULL;
}

int flow_start(struct flow *f)
{
	const struct pcm_params p = {
		.buffer_bytes = f->slots * f->period_bytes,
		.period_bytes = f->period_bytes,
		.features = f->xrun_events ? (uint32_t)BIT(F_EVT_XRUNS) : 0,
		.channels = BENCH_FRAME_BYTES / 2,
		.format = (uint8_t)pcm_format_find("S16"),
		.rate = (uint8_t)pcm_rate_find(BENCH_RATE_HZ),
	};
	int err = sound_set_params(f->s, f->stream, &p);

	f->held = false;
	if (!err)
		err = sound_pcm(f->s, SND_R_PCM_PREPARE, f->stream);
	for (uint32_t i = 0; i < f->slots && !err; i++)
		err = queue(f, &f->message[i]);
	if (err == -ENOSPC)
		return complain(err, "%u messages do not fit in the queue; see --queue-size",
			f->slots);
	if (err < 0)
		return err;
	ring_kick(&f->s->ring[Q_TX]);
	return sound_pcm(f->s, SND_R_PCM_START, f->stream);
}

int flow_stop(struct flow *f)
{
	int err;

	f->held = true;
	err = sound_pcm(f->s, SND_R_PCM_STOP, f->stream);
	if (!err)
		err = sound_pcm(f->s, SND_R_PCM_RELEASE, f->stream);
	if (!err && f->errors)
		err = complain(-EPROTO, "stream %u: %llu messages failed", f->stream,
			(unsigned long long)f->errors);
	return err;
}

int flow_run(struct flow *f, int64_t duration_ns)
{
	int64_t end = now_ns() + duration_ns, left;
	int err = 0;

	while (!err && (left = end - now_ns()) > 0)
		err = sound_poll(f->s, left);
	return err;
}
