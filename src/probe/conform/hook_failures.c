/* SPDX-License-Identifier: BSD-3-Clause */
/* A host that refuses, fails, stalls, and lets go slowly; and what it was asked for. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/hook.h"
#include "probe/conform/played.h"
#include "probe/names.h"
#include "probe/report.h"

static int fails(struct conform *c, const char *what, bool does)
{
	return hook(c, "test-fail", "{s:b}", what, (int)does);
}

static int stalls(struct conform *c, const char *what, bool does)
{
	return hook(c, "test-stall", "{s:b}", what, (int)does);
}

static int must_answer(struct conform *c, uint32_t code, uint32_t stream, uint32_t want)
{
	uint32_t status;

	TRY(ctl_pcm(c, code, stream, &status));
	EXPECT_EQ(c, status, want, "%s of stream %u", request_name(code), stream);
	return 0;
}

static int open_fails(struct conform *c)
{
	struct pcm_params p;
	struct chain ch;
	uint64_t at = 0;
	uint32_t out;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	p = roomy_params(c, out, 8);
	TRY(must_params(c, out, &p));
	TRY(fails(c, "open", true));
	TRY(must_answer(c, SND_R_PCM_PREPARE, out, SND_S_IO_ERR));
	TRY(must_answer(c, SND_R_PCM_START, out, SND_S_BAD_MSG));
	TRY(fails(c, "open", false));
	TRY(must_answer(c, SND_R_PCM_PREPARE, out, SND_S_OK));
	TRY(must_answer(c, SND_R_PCM_START, out, SND_S_OK));
	TRY(pattern_send(c, &ch, out, &at, p.period_bytes));
	TRY(hook_advance(c, 480, 1));
	return hook_heard(c, out, 0, (size_t)at, 0);
}

static int four_statuses(struct conform *c)
{
	struct pcm_params p;
	uint32_t out, status;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	TRY(must_answer(c, SND_R_PCM_PREPARE, c->rig.counts.streams + 99, SND_S_BAD_MSG));
	p.format = 63;
	TRY(ctl_params(c, out, &p, &status));
	EXPECT_EQ(c, status, SND_S_NOT_SUPP, "SET_PARAMS with a format that is not offered");
	p = stream_params(c, out);
	TRY(must_params(c, out, &p));
	TRY(fails(c, "open", true));
	TRY(must_answer(c, SND_R_PCM_PREPARE, out, SND_S_IO_ERR));
	TRY(fails(c, "open", false));
	return must_answer(c, SND_R_PCM_PREPARE, out, SND_S_OK);
}

/* One message fails, at the host's pace; the one before and the one after do not. */
static int output_fails(struct conform *c)
{
	struct pcm_params p;
	struct chain ch[3];
	uint64_t at = 0;
	uint32_t out;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	p = roomy_params(c, out, 8);
	TRY(hook_prepare(c, out, &p));
	TRY(hook(c, "test-delay", "{s:i}", "frames", 100));
	for (unsigned i = 0; i < 3; i++)
		TRY(pattern_send(c, &ch[i], out, &at, 480 * frame_bytes(&p)));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_advance(c, 480, 1));
	TRY(io_ok(c, &ch[0], "the message before the failure"));
	TRY(fails(c, "io", true));
	TRY(hook_advance(c, 479, 1));
	EXPECT(c, !ch[1].done, "the message that fails came back before its time");
	TRY(hook_advance(c, 1, 1));
	EXPECT(c, ch[1].done, "the message that fails did not come back");
	EXPECT_EQ(c, io_status(&ch[1]), SND_S_IO_ERR, "its status");
	EXPECT_EQ(c, io_latency(&ch[1]), 0, "its latency");
	EXPECT_EQ(c, ch[1].len, STATUS_BYTES, "its used length");
	TRY(fails(c, "io", false));
	TRY(hook_advance(c, 480, 1));
	TRY(io_ok(c, &ch[2], "the message behind the failure"));
	TRY(fails(c, "io", true));
	TRY(must_answer(c, SND_R_PCM_STOP, out, SND_S_OK));
	TRY(must_answer(c, SND_R_PCM_RELEASE, out, SND_S_OK));
	TRY(fails(c, "io", false));
	return must_answer(c, SND_R_PCM_PREPARE, out, SND_S_OK);
}

static int input_fails(struct conform *c)
{
	struct pcm_params p;
	struct chain ch[2];
	uint32_t in;

	TRY(hook_up(c, SND_D_INPUT, &in));
	p = roomy_params(c, in, 8);
	TRY(hook_prepare(c, in, &p));
	for (unsigned i = 0; i < 2; i++)
		TRY(rx_send(c, &ch[i], in, 480 * frame_bytes(&p)));
	TRY(must_pcm(c, SND_R_PCM_START, in));
	TRY(fails(c, "io", true));
	TRY(hook_advance(c, 479, 1));
	EXPECT(c, !ch[0].done, "the message that fails came back before its time");
	TRY(hook_advance(c, 1, 1));
	EXPECT(c, ch[0].done, "the message that fails did not come back");
	EXPECT_EQ(c, io_status(&ch[0]), SND_S_IO_ERR, "its status");
	EXPECT_EQ(c, io_latency(&ch[0]), 0, "its latency");
	EXPECT_EQ(c, ch[0].len, STATUS_BYTES, "its used length");
	TRY(fails(c, "io", false));
	TRY(hook_advance(c, 480, 1));
	EXPECT_EQ(c, ch[1].len, ch[1].in_bytes, "used length of the message behind the failure");
	return io_ok(c, &ch[1], "the message behind the failure");
}

static int host_stalls(struct conform *c)
{
	struct pcm_params p;
	struct chain ch[2];
	uint64_t at = 0;
	uint32_t out;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	p = roomy_params(c, out, 8);
	TRY(hook_prepare(c, out, &p));
	for (unsigned i = 0; i < 2; i++)
		TRY(pattern_send(c, &ch[i], out, &at, p.period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_advance(c, 100, 1));
	TRY(stalls(c, "io", true));
	TRY(hook_advance(c, 480, 50));
	EXPECT_EQ(c, chains_done(ch, 2), 0, "messages that came back though nothing was taken");
	TRY(still_works(c));
	TRY(stalls(c, "io", false));
	TRY(hook_advance(c, 430, 2));
	EXPECT_EQ(c, chains_done(ch, 2), 2, "messages that came back");
	return hook_heard(c, out, 0, (size_t)at, 0);
}

/* A second of sound, a host that takes none of it, and RELEASE. */
static int release_of_a_stalled(struct conform *c)
{
	struct pcm_params p;
	struct chain ch[5];
	uint64_t at = 0;
	uint32_t out;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	p = roomy_params(c, out, 100);
	TRY(hook_prepare(c, out, &p));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(stalls(c, "io", true));
	for (unsigned i = 0; i < 5; i++)
		TRY(pattern_send(c, &ch[i], out, &at, 20 * p.period_bytes));
	TRY(hook_advance(c, 480, 1));
	TRY(must_answer(c, SND_R_PCM_STOP, out, SND_S_OK));
	TRY(must_answer(c, SND_R_PCM_RELEASE, out, SND_S_OK));
	TRY(rig_poll(c, 0));
	EXPECT_EQ(c, chains_done(ch, 5), 5, "messages back when RELEASE is answered");
	return 0;
}

/* RELEASE of the first stream may take as long as its host; nobody else waits. */
static int close_stalls(struct conform *c)
{
	struct chain release, info;
	uint32_t first, second;

	TRY(hook_up(c, SND_D_OUTPUT, &first));
	TRY(stream_pick(c, SND_D_OUTPUT, 1, &second));
	TRY(stream_bring(c, first, ST_PREP));
	TRY(stream_bring(c, second, ST_PREP));
	TRY(stalls(c, "close", true));
	TRY(chain_init(c, &release, Q_CONTROL, 8, 4));
	put32(release.out, SND_R_PCM_RELEASE);
	put32(release.out + 4, first);
	trace(c, "-> RELEASE of stream %u, whose close stalls", first);
	TRY(chain_send(c, &release));
	TRY(chain_init(c, &info, Q_CONTROL, 16, 36));
	put32(info.out, SND_R_PCM_INFO);
	put32(info.out + 8, 1);
	put32(info.out + 12, 32);
	TRY(chain_send(c, &info));
	TRY(chain_wait(c, &info));
	TRY(must_answer(c, SND_R_PCM_START, second, SND_S_OK));
	TRY(stalls(c, "close", false));
	TRY(chain_wait(c, &release));
	EXPECT_EQ(c, get32(release.in), SND_S_OK, "RELEASE");
	return 0;
}

/* An input that gives nothing is nothing that requests for an output wait for. */
static int input_stalls(struct conform *c)
{
	static const uint32_t life[] = { SND_R_PCM_PREPARE, SND_R_PCM_START, SND_R_PCM_STOP,
		SND_R_PCM_RELEASE };
	struct chain ch;
	uint32_t in, out;

	TRY(rig_up(c, NULL));
	TRY(rig_hooks(c));
	TRY(stream_pick(c, SND_D_INPUT, 0, &in));
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
	TRY(stream_bring(c, out, ST_SET));
	TRY(stream_bring(c, in, ST_RUN));
	TRY(rx_send(c, &ch, in, 50 * stream_params(c, in).period_bytes));
	TRY(stalls(c, "io", true));
	TRY(rig_watch(c, 50));
	for (unsigned i = 0; i < sizeof(life) / sizeof(life[0]); i++) {
		int64_t start = now_ns();

		TRY(must_pcm(c, life[i], out));
		EXPECT(c, now_ns() - start < 1000000000, "%s took %lld ms while an input stalls",
			request_name(life[i]), (long long)(now_ns() - start) / 1000000);
	}
	EXPECT(c, !ch.done, "a message came back though nothing was recorded");
	TRY(stalls(c, "io", false));
	return chain_wait(c, &ch);
}

static int resources_are_freed(struct conform *c)
{
	uint64_t before, after, closing;
	uint32_t out;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_SET));
	TRY(hook_counter(c, "voices", &before));
	for (unsigned i = 0; i < 500; i++) {
		TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
		TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	}
	TRY(hook_counter(c, "voices", &after));
	TRY(hook_counter(c, "closing", &closing));
	EXPECT_EQ(c, after + closing, before, "streams that are open at the host");
	return 0;
}

static int params_arrive(struct conform *c)
{
	struct pcm_params p;
	json_t *answer = NULL;
	const char *format;
	uint64_t n;
	uint32_t out, other;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	TRY(hook_prepare(c, out, &p));
	TRY(hook_stream(c, out, "period_bytes", &n));
	EXPECT_EQ(c, n, p.period_bytes, "period_bytes at the host");
	TRY(hook_stream(c, out, "buffer_bytes", &n));
	EXPECT_EQ(c, n, p.buffer_bytes, "buffer_bytes at the host");
	TRY(hook_stream(c, out, "channels", &n));
	EXPECT_EQ(c, n, p.channels, "channels at the host");
	TRY(hook_stream(c, out, "rate", &n));
	EXPECT_EQ(c, n, rate_of(&p), "rate at the host");
	TRY(hook_ask(c, &answer, "test-stream", "{s:i}", "stream", (int)out));
	format = json_string_value(json_object_get(answer, "format"));
	EXPECT(c, format && !strcmp(format, pcm_formats[p.format].name), "format %s at the host",
		format ? format : "(none)");
	json_decref(answer);
	TRY(stream_pick(c, SND_D_OUTPUT, 1, &other));
	TRY(hook_ask(c, &answer, "test-stream", "{s:i}", "stream", (int)other));
	EXPECT(c, json_is_false(json_object_get(answer, "open")), "stream %u is open, too", other);
	json_decref(answer);
	return 0;
}

static int fifo_is_large(struct conform *c)
{
	static const uint32_t periods[] = { 1, 34, 546 };
	struct pcm_params p;
	uint64_t fifo;
	uint32_t out, status;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	for (unsigned i = 0; i < 3; i++) {
		p = roomy_params(c, out, periods[i]);
		TRY(ctl_params(c, out, &p, &status));
		if (status == SND_S_NOT_SUPP)
			continue; /* a limit of the device's */
		EXPECT_EQ(c, status, SND_S_OK, "SET_PARAMS");
		TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
		TRY(hook_stream(c, out, "fifo_bytes", &fifo));
		EXPECT(c, fifo == 0 || fifo >= p.buffer_bytes,
			"an intermediate buffer of %llu bytes for a buffer of %u",
			(unsigned long long)fifo, p.buffer_bytes);
		TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	}
	return 0;
}

/* The last SET_PARAMS is the one that the host hears of. */
static int last_params_count(struct conform *c)
{
	int r44 = pcm_rate_find(44100);
	struct pcm_params p;
	uint64_t n;
	uint32_t out;

	TRY(hook_up(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	if (!(c->pcm[out].rates & BIT(r44)))
		return skip(c, "the stream has no 44100 Hz");
	TRY(must_params(c, out, &p));
	p.rate = (uint8_t)r44;
	TRY(hook_prepare(c, out, &p));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(hook_stream(c, out, "rate", &n));
	EXPECT_EQ(c, n, 44100, "rate at the host");
	TRY(hook_stream(c, out, "opened", &n));
	EXPECT_EQ(c, n, 1, "times that the host's side was opened");
	return 0;
}

#define LIFE "virtio 1.4, Sound Device, PCM Command Lifecycle: "
#define IO   "virtio 1.4, Sound Device, PCM I/O Messages: "

const struct scenario hook_failure_scenarios[] = {
	{ .id = "SND-PSET-1h", .title = "the host is asked for just these parameters",
		.run = params_arrive, .clause = "VIRTIO_SND_R_PCM_SET_PARAMS" },
	{ .id = "SND-PSET-2", .title = "a buffer between guest and host holds buffer_bytes",
		.run = fifo_is_large,
		.clause = "Stream Parameters (device): MUST be at least buffer_bytes" },
	{ .id = "SND-PSET-14h", .title = "the last SET_PARAMS reaches the host, once",
		.run = last_params_count, .clause = LIFE "SET_PARAMS may be repeated" },
	{ .id = "SND-MSG-2h", .title = "each of the four statuses", .run = four_statuses,
		.clause = "virtio 1.4, Sound Device, Device Operation: status" },
	{ .id = "SND-MSG-11", .title = "a stream that is slow to close stalls no other",
		.run = close_stalls,
		.clause = "virtio 1.4, Virtqueues: a device MAY use buffers out of order" },
	{ .id = "SND-PCM-PREP-1", .title = "PREPARE fails with the host, and changes nothing",
		.run = open_fails, .clause = LIFE "PREPARE; Device Operation: IO_ERR" },
	{ .id = "SND-PCM-REL-6h", .title = "RELEASE does not wait for a host that stalls",
		.run = release_of_a_stalled, .recommended = true,
		.clause = "Linux gives up after a second" },
	{ .id = "SND-PCM-REL-7h", .title = "RELEASE frees what PREPARE took",
		.run = resources_are_freed, .clause = LIFE "RELEASE" },
	{ .id = "SND-TX-8", .title = "a host that fails: IO_ERR at its pace, and it goes on",
		.run = output_fails, .clause = IO "VIRTIO_SND_S_IO_ERR" },
	{ .id = "SND-TX-8b", .title = "a host that stalls: messages wait, nothing is lost",
		.run = host_stalls, .clause = "Output Stream: MUST NOT complete until consumed" },
	{ .id = "PEER-V18", .title = "an input that stalls holds up no requests",
		.run = input_stalls, .recommended = true,
		.clause = "Linux gives up after a second" },
	{ .id = "SND-RX-9", .title = "a host that fails to record: IO_ERR, nothing recorded",
		.run = input_fails, .clause = IO "VIRTIO_SND_S_IO_ERR" },
	{ 0 },
};
