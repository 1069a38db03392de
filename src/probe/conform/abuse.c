/* SPDX-License-Identifier: BSD-3-Clause */
/* What has been seen to wear other devices out: memory, logs, time. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe/bytes.h"
#include "probe/conform/backend.h"
#include "probe/conform/chapters.h"
#include "probe/conform/played.h"
#include "probe/conform/raw.h"
#include "probe/names.h"
#include "probe/report.h"

#define LOG_BYTES_MAX 65536
#define RSS_GROWTH_KIB (64 * 1024)

/* Room that is no whole number of frames. */
static int odd_room(struct conform *c)
{
	struct chain odd, good;
	uint32_t in, bytes;

	TRY(up_with(c, SND_D_INPUT, &in));
	TRY(stream_bring(c, in, ST_RUN));
	bytes = stream_params(c, in).period_bytes;
	TRY(rx_send(c, &odd, in, 1001));
	TRY(rx_send(c, &good, in, bytes));
	TRY(chain_wait(c, &odd));
	EXPECT(c, odd.len >= STATUS_BYTES && odd.len <= 1001 + STATUS_BYTES, "used length %u",
		odd.len);
	TRY(chain_wait(c, &good));
	EXPECT_EQ(c, good.len, bytes + STATUS_BYTES, "used length of a message behind it");
	return io_ok(c, &good, "a message behind it");
}

static int64_t logged(void)
{
	struct stat st;

	return fstat(STDERR_FILENO, &st) < 0 ? 0 : (int64_t)st.st_size;
}

/* stderr is a file of the scenario's. */
static int many_refusals(struct conform *c)
{
	int64_t before = logged();
	struct answer a;

	if (!c->o->spawn)
		return skip(c, "needs --spawn to see the log");
	TRY(rig_up(c, NULL));
	for (unsigned i = 0; i < 3000; i++) {
		TRY(ctl_info(c, SND_R_PCM_INFO, 0, 9999, 32, 4, &a));
		EXPECT(c, a.status != SND_S_OK, "9999 streams");
	}
	EXPECT(c, logged() - before < LOG_BYTES_MAX, "3000 refused requests fill %lld bytes of log",
		(long long)(logged() - before));
	return 0;
}

static int long_silence(struct conform *c)
{
	int64_t before;
	uint32_t out;

	if (!c->o->spawn)
		return skip(c, "needs --spawn to see the log");
	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	before = logged();
	TRY(rig_watch(c, 1500));
	EXPECT(c, logged() - before < 1024, "1.5 s without data fill %lld bytes of log",
		(long long)(logged() - before));
	return 0;
}

/* More than there is of it, over the same 64 MiB. */
static int huge_request(struct conform *c)
{
	static struct element e[70];
	struct backend_use before;
	uint32_t bytes = 64u << 20;
	struct chain ch;

	TRY(rig_up(c, NULL));
	TRY(need_indirect(c));
	backend_use(c, &before);
	TRY(chain_init(c, &ch, Q_CONTROL, bytes, 4));
	put32(ch.out, 0x7777);
	for (unsigned i = 0; i < 69; i++)
		e[i] = (struct element){ ch.out_gpa, i < 60 ? bytes : 64, false };
	e[69] = (struct element){ ch.in_gpa, 4, true };
	trace(c, "-> a request of 3.75 GiB");
	TRY(chain_post_as(c, &ch, e, 70));
	rig_kick(c, Q_CONTROL);
	TRY(chain_wait(c, &ch));
	/* The guest's own memory counts as soon as it is touched. */
	TRY(backend_stays_small(c, &before, 2 * RSS_GROWTH_KIB));
	return still_works(c);
}

static int many_bad_messages(struct conform *c)
{
	struct backend_use before, after;
	struct chain ch;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(chain_init(c, &ch, Q_TX, (uint32_t)c->scenario->arg, STATUS_BYTES));
	memset(ch.out, 0xff, ch.out_bytes); /* no stream has that number */
	backend_use(c, &before);
	for (unsigned i = 0; i < 5000; i++) {
		ch.done = false;
		TRY(chain_send(c, &ch));
		TRY(chain_wait(c, &ch));
	}
	backend_use(c, &after);
	EXPECT(c, after.rss_kib - before.rss_kib < 8 * 1024, "it grew by %lld KiB",
		(long long)(after.rss_kib - before.rss_kib));
	TRY(stream_bring(c, out, ST_RUN));
	TRY(tx_send(c, &ch, out, stream_params(c, out).period_bytes));
	TRY(chain_wait(c, &ch));
	return io_ok(c, &ch, "a message behind them");
}

/* Each PREPARE may open something at the host; the one before has to go. */
static int prepared_again(struct conform *c)
{
	struct backend_use before, after;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_PREP));
	backend_use(c, &before);
	for (unsigned i = 0; i < 2000; i++)
		TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	backend_use(c, &after);
	EXPECT(c, after.fds < before.fds + 16, "it has %u more descriptors open",
		after.fds - before.fds);
	EXPECT(c, after.rss_kib - before.rss_kib < 8 * 1024, "it grew by %lld KiB",
		(long long)(after.rss_kib - before.rss_kib));
	return still_works(c);
}

/* The host stops everything for a while: the sound is late, and goes on. */
static int frozen(struct conform *c)
{
	struct chain ch[30];
	uint32_t out;

	if (!c->o->spawn)
		return skip(c, "needs --spawn to stop the back-end");
	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 30; i++)
		TRY(tx_send(c, &ch[i], out, stream_params(c, out).period_bytes));
	TRY(rig_watch(c, 50));
	trace(c, "=> the back-end is stopped for 700 ms");
	kill(-c->session.backend.pid, SIGSTOP);
	TRY(rig_watch(c, 700));
	kill(-c->session.backend.pid, SIGCONT);
	TRY(chains_wait(c, ch, 30, answer_ms(c)));
	TRY(io_ok(c, &ch[29], "the last message"));
	return backend_idles(c, "after it was stopped");
}

/* A period of ten seconds: nothing may take as long. */
static int long_period(struct conform *c)
{
	struct pcm_params p;
	struct chain ch;
	uint32_t out, status;
	int64_t start;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	p = stream_params(c, out);
	p.period_bytes = rate_of(&p) * 10 * frame_bytes(&p);
	p.buffer_bytes = 2 * p.period_bytes;
	TRY(ctl_params(c, out, &p, &status));
	if (status != SND_S_OK)
		return skip(c, "periods of ten seconds are refused");
	TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
	TRY(tx_send(c, &ch, out, p.period_bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(rig_watch(c, 50));
	start = now_ns();
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	EXPECT(c, now_ns() - start < 500000000, "STOP and RELEASE took %lld ms",
		(long long)(now_ns() - start) / 1000000);
	return chain_wait(c, &ch);
}

/* The guest refills when three of four periods are gone: buffer_bytes is for that. */
static int late_refill(struct conform *c)
{
	struct chain ch[40];
	uint64_t at = 0;
	uint32_t out;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(played_possible(c, out));
	TRY(stream_bring(c, out, ST_PREP));
	for (unsigned i = 0; i < 40; i++) {
		if (i == 4)
			TRY(must_pcm(c, SND_R_PCM_START, out));
		if (i >= 4 && i % 3 == 1)
			TRY(chains_wait(c, ch, i - 1, answer_ms(c)));
		TRY(pattern_send(c, &ch[i], out, &at, stream_params(c, out).period_bytes));
	}
	TRY(chains_wait(c, ch, 40, answer_ms(c)));
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	return played_is_pattern(c, out, at);
}

#define OUTLIVE "the back-end must not be taken down by its driver"

const struct scenario abuse_scenarios[] = {
	{ .id = "PEER-Q5", .title = "room for a part of a frame does not wedge an input",
		.run = odd_room, .clause = "virtio 1.4, Input Stream: buffers of any size" },
	{ .id = "PEER-Q18", .title = "3000 refused requests do not flood the log",
		.run = many_refusals, .recommended = true, .clause = OUTLIVE },
	{ .id = "PEER-C14", .title = "a stream without data does not flood the log",
		.run = long_silence, .recommended = true, .clause = OUTLIVE },
	{ .id = "PEER-C11", .title = "periods of ten seconds do not block commands",
		.run = long_period, .recommended = true,
		.clause = "Linux waits a second for an answer" },
	{ .id = "PEER-C12", .title = "a refill in the last of four periods is in time",
		.run = late_refill, .recommended = true,
		.clause = "Stream Parameters (device): a buffer of buffer_bytes at least" },
	{ .id = "PEER-V16", .title = "a host that stops for 700 ms", .run = frozen,
		.recommended = true, .clause = OUTLIVE },
	{ .id = "PEER-VI7", .title = "a request of 3.75 GiB", .run = huge_request,
		.clause = OUTLIVE },
	{ .id = "PEER-S7", .title = "5000 messages for no stream", .run = many_bad_messages,
		.arg = 64, .clause = OUTLIVE },
	{ .id = "PEER-S13", .title = "PREPARE 2000 times, and one RELEASE",
		.run = prepared_again, .clause = OUTLIVE },
	{ .id = "PEER-SV8", .title = "5000 messages shorter than their header",
		.run = many_bad_messages, .arg = 2, .clause = OUTLIVE },
	{ 0 },
};
