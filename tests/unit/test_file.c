/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end that plays into files, with a stand-in for the device: a stream
 * here is a counter of frames that the guest has queued, and frame n's bytes
 * follow from n, so that what is in the file tells which frames got there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <sndfile.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audio/audio.h"
#include "audio/file_sink.h"
#include "audio/fifo.h"

/* The stand-in. */

struct call {
	void (*fn)(void *arg);
	void *arg;
};

struct vsnd {
	struct vsnd_audio *audio;
	_Atomic(struct call *) call;
	sem_t call_done;
	atomic_int want_kicks;
};

struct vsnd_stream {
	uint32_t frame_bytes;
	atomic_uint_least64_t queued, taken, discarded, missing;
};

void vsnd_cycle_begin(struct vsnd *dev, int64_t now_ns)
{
	struct call *c = atomic_exchange(&dev->call, NULL);

	(void)now_ns;
	if (c) {
		c->fn(c->arg);
		sem_post(&dev->call_done);
	}
}

int64_t vsnd_cycle_end(struct vsnd *dev)
{
	(void)dev;
	return -1;
}

void vsnd_audio_call(struct vsnd *dev, void (*fn)(void *arg), void *arg)
{
	struct call c = { .fn = fn, .arg = arg };

	atomic_store(&dev->call, &c);
	audio_file_ops->wake(dev->audio);
	sem_wait(&dev->call_done);
}

void vsnd_want_kicks(struct vsnd *dev, bool want)
{
	atomic_fetch_add(&dev->want_kicks, want ? 1 : -1);
}

size_t vsnd_stream_queued(const struct vsnd_stream *s)
{
	return (size_t)(atomic_load(&s->queued) - atomic_load(&s->taken));
}

/* Never zero in any byte, so it is no silence. */
static uint8_t pattern(uint64_t frame, uint32_t byte)
{
	return (uint8_t)((frame * 7 + frame / 255 + byte * 31) % 255 + 1);
}

static void fill(uint8_t *dst, uint32_t frame_bytes, uint64_t first, size_t frames)
{
	for (size_t i = 0; i < frames * frame_bytes; i++)
		dst[i] = pattern(first + i / frame_bytes, (uint32_t)(i % frame_bytes));
}

size_t vsnd_pull(struct vsnd_stream *s, void *dst, size_t frames, int64_t delay_frames)
{
	size_t got = vsnd_stream_queued(s);

	(void)delay_frames;
	if (got > frames)
		got = frames;
	if (dst) {
		fill(dst, s->frame_bytes, atomic_load(&s->taken), got);
		memset((uint8_t *)dst + got * s->frame_bytes, 0, (frames - got) * s->frame_bytes);
	} else {
		atomic_fetch_add(&s->discarded, got);
	}
	atomic_fetch_add(&s->missing, frames - got);
	atomic_fetch_add(&s->taken, got);
	return got;
}

size_t vsnd_stream_room(const struct vsnd_stream *s)
{
	(void)s;
	return 0;
}

size_t vsnd_push(struct vsnd_stream *s, const void *src, size_t frames, int64_t delay_frames)
{
	(void)s;
	(void)src;
	(void)frames;
	(void)delay_frames;
	return 0;
}

/* A folder, a back-end and its device. */

struct rig {
	char folder[64], pattern[128];
	struct audio_file_config config;
	struct vsnd dev;
	struct vsnd_stream stream;
	struct vsnd_voice *voice;
	atomic_int lines;
};

static void count_line(void *ctx, enum audio_level level, const char *text)
{
	struct rig *r = ctx;

	(void)text;
	if (level >= AUDIO_WARN)
		atomic_fetch_add(&r->lines, 1);
}

static struct rig *rig_new(const char *name, bool fast)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	snprintf(r->folder, sizeof(r->folder), "%s/vsnd-file-XXXXXX", "/tmp");
	assert_non_null(mkdtemp(r->folder));
	snprintf(r->pattern, sizeof(r->pattern), "%s/%s", r->folder, name);
	r->config = (struct audio_file_config){
		.pattern = r->pattern,
		.outputs = 1,
		.fast = fast,
		.log = { .line = count_line, .ctx = r },
	};
	sem_init(&r->dev.call_done, 0, 0);
	assert_int_equal(audio_file_ops->open(&r->dev, &r->config, &r->dev.audio), 0);
	return r;
}

static void rig_close(struct rig *r)
{
	audio_file_ops->close(r->dev.audio);
	r->dev.audio = NULL;
}

static void rig_free(struct rig *r)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", r->folder);
	assert_int_equal(system(command), 0);
	sem_destroy(&r->dev.call_done);
	free(r);
}

/* A voice with periods of 10 ms and a buffer of 40. */
static int voice_open(struct rig *r, uint8_t format, uint32_t rate_hz)
{
	struct vsnd_voice_params params = {
		.format = format,
		.channels = 2,
		.rate_hz = rate_hz,
		.frame_bytes = format == VSND_FMT_S16 ? 4 : 8,
		.period_frames = rate_hz / 100,
		.buffer_frames = rate_hz / 25,
	};

	r->stream.frame_bytes = params.frame_bytes;
	return audio_file_ops->voice_open(r->dev.audio, &r->stream, &params, &r->voice);
}

static void start(struct rig *r)
{
	audio_file_ops->voice_start(r->voice);
}

static void stop(struct rig *r)
{
	audio_file_ops->voice_stop(r->voice);
}

static void voice_close(struct rig *r)
{
	audio_file_ops->voice_close(r->voice);
}

static void queue(struct rig *r, uint64_t frames)
{
	atomic_fetch_add(&r->stream.queued, frames);
	audio_file_ops->wake(r->dev.audio);
}

static void sleep_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wait_taken(struct rig *r)
{
	for (unsigned i = 0; i < 5000 && vsnd_stream_queued(&r->stream) > 0; i++)
		sleep_ms(1);
	assert_int_equal(vsnd_stream_queued(&r->stream), 0);
}

/* The frames of a file as the guest's bytes. */
static uint8_t *read_file(struct rig *r, const char *name, SF_INFO *info)
{
	char path[256];
	SNDFILE *file;
	uint8_t *bytes;
	bool ints;

	snprintf(path, sizeof(path), "%s/%s", r->folder, name);
	*info = (SF_INFO){ 0 };
	file = sf_open(path, SFM_READ, info);
	if (!file)
		fail_msg("%s: %s", path, sf_strerror(NULL));
	bytes = calloc((size_t)info->frames + 1, 8);
	assert_non_null(bytes);
	ints = (info->format & SF_FORMAT_SUBMASK) == SF_FORMAT_PCM_32;
	if (ints)
		assert_int_equal(sf_readf_int(file, (int *)(void *)bytes, info->frames), info->frames);
	else if ((info->format & SF_FORMAT_SUBMASK) == SF_FORMAT_PCM_16)
		assert_int_equal(sf_readf_short(file, (short *)(void *)bytes, info->frames),
			info->frames);
	else
		assert_true(sf_read_raw(file, bytes, info->frames * 8) == info->frames * 8);
	sf_close(file);
	return bytes;
}

static void assert_frames(struct rig *r, const uint8_t *bytes, uint64_t first, size_t frames)
{
	size_t size = frames * r->stream.frame_bytes;
	uint8_t *expected = malloc(size);

	assert_non_null(expected);
	fill(expected, r->stream.frame_bytes, first, frames);
	assert_memory_equal(bytes, expected, size);
	free(expected);
}

/* The file holds frames first..first + frames of the guest and nothing else. */
static void assert_holds(struct rig *r, const char *name, int subtype, uint64_t first,
		size_t frames)
{
	SF_INFO info;
	uint8_t *bytes = read_file(r, name, &info);

	assert_int_equal(info.format & SF_FORMAT_SUBMASK, subtype);
	assert_int_equal(info.channels, 2);
	assert_int_equal(info.frames, frames);
	assert_frames(r, bytes, first, frames);
	free(bytes);
}

/* The tests. */

static void play_all(const char *name, uint8_t format, int subtype)
{
	struct rig *r = rig_new(name, false);

	assert_int_equal(voice_open(r, format, 48000), 0);
	queue(r, 9999);
	start(r);
	wait_taken(r);
	sleep_ms(50);		/* silence that nothing follows */
	stop(r);
	voice_close(r);
	rig_close(r);
	assert_true(atomic_load(&r->stream.missing) > 0);
	assert_holds(r, name, subtype, 0, 9999);
	assert_int_equal(atomic_load(&r->lines), 0);
	rig_free(r);
}

static void each_format_arrives_untouched(void **state)
{
	(void)state;
	play_all("a.wav", VSND_FMT_S16, SF_FORMAT_PCM_16);
	play_all("a.wav", VSND_FMT_S32, SF_FORMAT_PCM_32);
	play_all("a.wav", VSND_FMT_FLOAT, SF_FORMAT_FLOAT);
	play_all("a.w64", VSND_FMT_S16, SF_FORMAT_PCM_16);
	play_all("a.w64", VSND_FMT_FLOAT, SF_FORMAT_FLOAT);
	play_all("a.FLAC", VSND_FMT_S16, SF_FORMAT_PCM_16);
}

static void flac_refuses_what_it_cannot_hold(void **state)
{
	struct rig *r = rig_new("a.flac", false);

	(void)state;
	assert_int_equal(voice_open(r, VSND_FMT_S32, 48000), -EINVAL);
	assert_int_equal(voice_open(r, VSND_FMT_FLOAT, 48000), -EINVAL);
	assert_int_equal(atomic_load(&r->lines), 1);	/* one a second */
	assert_int_equal(voice_open(r, VSND_FMT_S16, 48000), 0);
	voice_close(r);
	rig_close(r);
	rig_free(r);
}

/* Until the host has asked for @frames frames more that were not there. */
static void wait_missing(struct rig *r, uint64_t frames)
{
	uint64_t goal = atomic_load(&r->stream.missing) + frames;

	for (unsigned i = 0; i < 5000 && atomic_load(&r->stream.missing) < goal; i++)
		sleep_ms(1);
	assert_true(atomic_load(&r->stream.missing) >= goal);
}

static void a_gap_between_frames_is_silence(void **state)
{
	struct rig *r = rig_new("a.wav", false);
	uint64_t before, most;
	SF_INFO info;
	uint8_t *bytes;
	size_t gap;

	(void)state;
	assert_int_equal(voice_open(r, VSND_FMT_S16, 48000), 0);
	start(r);
	wait_missing(r, 2000);	/* before the first frame: dropped */
	before = atomic_load(&r->stream.missing);
	queue(r, 1000);
	wait_taken(r);
	wait_missing(r, 3000);
	queue(r, 1000);
	wait_taken(r);
	most = atomic_load(&r->stream.missing) - before;
	wait_missing(r, 2000);
	stop(r);		/* what was pending is dropped */
	queue(r, 1000);
	start(r);
	wait_taken(r);
	stop(r);
	voice_close(r);
	rig_close(r);

	bytes = read_file(r, "a.wav", &info);
	gap = (size_t)info.frames - 3000;
	assert_in_range(gap, 3000, most);
	assert_frames(r, bytes, 0, 1000);
	for (size_t i = 0; i < gap * 4; i++)
		assert_int_equal(bytes[4000 + i], 0);
	assert_frames(r, bytes + (1000 + gap) * 4, 1000, 2000);
	free(bytes);
	rig_free(r);
}

static void one_voice(struct rig *r, uint8_t format, uint32_t rate_hz, uint64_t frames)
{
	assert_int_equal(voice_open(r, format, rate_hz), 0);
	queue(r, frames);
	start(r);
	wait_taken(r);
	stop(r);
	voice_close(r);
}

static void voices_that_follow_append(void **state)
{
	struct rig *r = rig_new("a-%s%%.wav", false);

	(void)state;
	one_voice(r, VSND_FMT_S16, 48000, 1000);
	one_voice(r, VSND_FMT_S16, 48000, 1234);
	one_voice(r, VSND_FMT_S16, 96000, 500);
	one_voice(r, VSND_FMT_S32, 48000, 600);
	one_voice(r, VSND_FMT_S16, 96000, 700);
	rig_close(r);
	r->stream.frame_bytes = 4;
	assert_holds(r, "a-0%.wav", SF_FORMAT_PCM_16, 0, 2234);
	r->stream.frame_bytes = 8;
	assert_holds(r, "a-0%-3.wav", SF_FORMAT_PCM_32, 2734, 600);
	rig_free(r);
}

static void the_header_is_right_meanwhile(void **state)
{
	struct rig *r = rig_new("a.wav", false);

	(void)state;
	assert_int_equal(voice_open(r, VSND_FMT_S16, 48000), 0);
	queue(r, 4800);
	start(r);
	wait_taken(r);
	sleep_ms(1300);
	assert_holds(r, "a.wav", SF_FORMAT_PCM_16, 0, 4800);
	stop(r);
	voice_close(r);
	rig_close(r);
	rig_free(r);
}

static void release_takes_what_is_queued(void **state)
{
	struct rig *r = rig_new("a.wav", false);

	(void)state;
	assert_int_equal(voice_open(r, VSND_FMT_S16, 48000), 0);
	queue(r, 1000);
	start(r);
	wait_taken(r);
	stop(r);
	queue(r, 777);
	audio_file_ops->voice_flush(r->voice);
	assert_int_equal(vsnd_stream_queued(&r->stream), 0);
	/* More than fits: four seconds. */
	queue(r, 48000 * 10);
	audio_file_ops->voice_flush(r->voice);
	assert_in_range(vsnd_stream_queued(&r->stream), 48000 * 6 - 1777, 48000 * 6 + 1777);
	voice_close(r);
	rig_close(r);
	assert_holds(r, "a.wav", SF_FORMAT_PCM_16, 0, (size_t)atomic_load(&r->stream.taken));
	rig_free(r);
}

static void fast_is_faster_than_time(void **state)
{
	struct rig *r = rig_new("a.wav", true);
	int64_t began_ms = now_ms();

	(void)state;
	assert_int_equal(voice_open(r, VSND_FMT_S16, 48000), 0);
	start(r);
	assert_int_equal(atomic_load(&r->dev.want_kicks), 1);
	queue(r, 1000);
	wait_taken(r);
	sleep_ms(20);
	queue(r, 48000 * 30);	/* many times the FIFO */
	wait_taken(r);
	stop(r);
	assert_int_equal(atomic_load(&r->dev.want_kicks), 0);
	voice_close(r);
	rig_close(r);
	assert_true(now_ms() - began_ms < 10000);
	assert_int_equal(atomic_load(&r->stream.missing), 0);
	assert_holds(r, "a.wav", SF_FORMAT_PCM_16, 0, 48000 * 30 + 1000);
	rig_free(r);
}

static void set_file_size_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static bool connected(const struct rig *r)
{
	return audio_file_ops->connected(r->dev.audio);
}

static void wait_connected(const struct rig *r, bool wanted)
{
	for (unsigned i = 0; i < 5000 && connected(r) != wanted; i++)
		sleep_ms(1);
	assert_int_equal(connected(r), wanted);
}

/* A disk that is full for less time than the FIFO holds, and then has room again. */
static void a_full_disk_is_waited_for(void **state)
{
	struct rig *r = rig_new("a.wav", false);

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	set_file_size_limit(10001);
	assert_int_equal(voice_open(r, VSND_FMT_S16, 48000), 0);
	assert_true(connected(r));
	queue(r, 20000);
	start(r);
	wait_taken(r);
	stop(r);
	wait_connected(r, false);
	set_file_size_limit(RLIM_INFINITY);
	queue(r, 500);
	start(r);
	wait_taken(r);
	stop(r);
	wait_connected(r, true);
	voice_close(r);
	rig_close(r);
	assert_int_equal(atomic_load(&r->lines), 2);
	assert_int_equal(atomic_load(&r->stream.discarded), 0);
	assert_holds(r, "a.wav", SF_FORMAT_PCM_16, 0, 20500);
	rig_free(r);
}

/* For longer: frames are lost and counted, the clock and the other frames are not. */
static void a_full_disk_stops_no_clock(void **state)
{
	const size_t first = 10001 / 4, fifo = 48000 * 4, all = 48000 * 20;
	struct rig *r = rig_new("a.wav", true);
	size_t kept;
	SF_INFO info;
	uint8_t *bytes;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	set_file_size_limit(10001);
	assert_int_equal(voice_open(r, VSND_FMT_S16, 48000), 0);
	start(r);
	queue(r, all);
	wait_taken(r);
	wait_connected(r, false);
	set_file_size_limit(RLIM_INFINITY);
	wait_connected(r, true);
	queue(r, 500);
	wait_taken(r);
	stop(r);
	voice_close(r);
	rig_close(r);
	assert_in_range(atomic_load(&r->lines), 3, 4);

	kept = all - (size_t)atomic_load(&r->stream.discarded);
	assert_in_range(kept, fifo, fifo + first);
	bytes = read_file(r, "a.wav", &info);
	assert_int_equal(info.frames, kept + 500);
	assert_frames(r, bytes, 0, kept);
	assert_frames(r, bytes + kept * 4, all, 500);
	free(bytes);
	rig_free(r);
}

/* A voice that is closed while the disk is full does not stay. */
static void a_full_disk_keeps_no_voice(void **state)
{
	struct rig *r = rig_new("a.wav", true);
	SF_INFO info;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	set_file_size_limit(10001);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(voice_open(r, VSND_FMT_S16, 48000), 0);
		start(r);
		queue(r, 48000);
		wait_taken(r);
		stop(r);
		voice_close(r);
	}
	wait_connected(r, false);
	rig_close(r);
	set_file_size_limit(RLIM_INFINITY);
	free(read_file(r, "a.wav", &info));
	assert_in_range(info.frames, 1, 10001 / 4);
	rig_free(r);
}

/* FLAC's encoder cannot go on: what comes when there is room is another file. */
static void a_full_disk_ends_a_flac_file(void **state)
{
	const size_t all = 48000 * 3;
	struct rig *r = rig_new("a.flac", true);
	SF_INFO info;
	uint8_t *bytes;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	set_file_size_limit(100001);
	assert_int_equal(voice_open(r, VSND_FMT_S16, 48000), 0);
	start(r);
	queue(r, all);
	wait_taken(r);
	wait_connected(r, false);
	set_file_size_limit(RLIM_INFINITY);
	wait_connected(r, true);
	stop(r);
	voice_close(r);
	rig_close(r);

	assert_in_range(atomic_load(&r->lines), 2, 4);
	bytes = read_file(r, "a-2.flac", &info);
	assert_in_range(info.frames, all / 2, all);
	assert_frames(r, bytes, all - (size_t)info.frames, (size_t)info.frames);
	free(bytes);
	rig_free(r);
}

static void a_file_that_cannot_be_made_stops_no_clock(void **state)
{
	struct rig *r = rig_new("gone/a.wav", false);

	(void)state;
	one_voice(r, VSND_FMT_S16, 48000, 2000);
	rig_close(r);
	assert_in_range(atomic_load(&r->lines), 1, 3);
	rig_free(r);
}

/* A disk that stands still for longer than the FIFO lasts, seen from the FIFO. */
static void a_full_ring_refuses(void **state)
{
	struct fifo fifo;
	size_t n;

	(void)state;
	assert_int_equal(fifo_init(&fifo, 100, 4), 0);
	memset(fifo_place(&fifo, &n), 1, 60 * 4);
	assert_int_equal(n, 100);
	fifo_put(&fifo, 60);
	assert_true(fifo_put_gap(&fifo, 7));
	assert_int_equal(fifo_take_gap(&fifo), 0);
	fifo_peek(&fifo, fifo_end(&fifo), &n);
	assert_int_equal(n, 60);
	fifo_take(&fifo, 60);
	/* Nothing follows the gap yet. */
	assert_int_equal(fifo_take_gap(&fifo), 0);
	fifo_place(&fifo, &n);
	assert_int_equal(n, 40);
	fifo_put(&fifo, 40);
	fifo_place(&fifo, &n);
	assert_int_equal(n, 60);
	fifo_put(&fifo, 60);
	assert_int_equal(fifo_room(&fifo), 0);
	assert_int_equal(fifo_take_gap(&fifo), 7);
	assert_int_equal(fifo_take_gap(&fifo), 0);
	fifo_peek(&fifo, fifo_end(&fifo), &n);
	assert_int_equal(n, 40);
	for (unsigned i = 0; i < FIFO_GAPS_MAX; i++)
		assert_true(fifo_put_gap(&fifo, 1));
	assert_false(fifo_put_gap(&fifo, 1));
	fifo_free(&fifo);
}

static void a_long_file_goes_on_in_the_next(void **state)
{
	struct rig *r = rig_new("a.wav", false);
	struct vsnd_voice_params params = {
		.format = VSND_FMT_S16, .channels = 2, .rate_hz = 48000, .frame_bytes = 4,
	};
	atomic_uint last_number = 0;
	struct file_sink *s;
	uint8_t bytes[400];

	(void)state;
	r->stream.frame_bytes = 4;
	assert_int_equal(file_sink_create(&r->config, &params, &last_number, &s), 0);
	s->bytes_max = 1000;
	for (unsigned i = 0; i < 5; i++) {
		fill(bytes, 4, i * 100, 100);
		file_sink_write(s, bytes, 100);
	}
	file_sink_close(s);
	file_sink_free(s);
	assert_holds(r, "a.wav", SF_FORMAT_PCM_16, 0, 200);
	assert_holds(r, "a-2.wav", SF_FORMAT_PCM_16, 200, 200);
	assert_holds(r, "a-3.wav", SF_FORMAT_PCM_16, 400, 100);
	rig_close(r);
	rig_free(r);
}

static int check(const char *pattern, unsigned streams)
{
	struct audio_file_config config = { .pattern = pattern, .outputs = streams };
	const char *reason = NULL;
	const char *what = NULL;
	int err = audio_file_check(&config, &what, &reason);

	assert_true((err < 0) == (reason != NULL));
	assert_true(err == 0 || what == pattern);
	return err;
}

static void configurations_are_judged(void **state)
{
	(void)state;
	assert_int_equal(check("/tmp/a.wav", 1), 0);
	assert_int_equal(check("/tmp/%s.W64", 64), 0);
	assert_int_equal(check("/tmp/%%%s.flac", 2), 0);
	assert_int_equal(check("/tmp/a.mp3", 1), -EINVAL);
	assert_int_equal(check("/tmp/a", 1), -EINVAL);
	assert_int_equal(check("/tmp.wav/a", 1), -EINVAL);
	assert_int_equal(check("/tmp/%d.wav", 1), -EINVAL);
	assert_int_equal(check("/tmp/%n%s.wav", 1), -EINVAL);
	assert_int_equal(check("/tmp/a%.wav", 1), -EINVAL);
	assert_int_equal(check("/tmp/a.wav", 2), -EINVAL);
	assert_int_equal(check("/tmp/a%%s.wav", 2), -EINVAL);
	assert_int_equal(check("/nonexistent/a.wav", 1), -ENOENT);
	assert_int_equal(check("/dev/null/a.wav", 1), -ENOTDIR);
}

static void a_name_may_not_be_too_long(void **state)
{
	char pattern[PATH_MAX + 10], path[PATH_MAX];

	(void)state;
	memset(pattern, 'a', sizeof(pattern));
	strcpy(pattern + PATH_MAX - 5, ".wav");
	assert_int_equal(file_path(pattern, 0, 1, path), 0);
	assert_int_equal(strlen(path), PATH_MAX - 1);
	assert_int_equal(file_path(pattern, 0, 2, path), -ENAMETOOLONG);
	strcpy(pattern + PATH_MAX - 4, ".wav");
	assert_int_equal(file_path(pattern, 0, 1, path), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_format_arrives_untouched),
		cmocka_unit_test(flac_refuses_what_it_cannot_hold),
		cmocka_unit_test(a_gap_between_frames_is_silence),
		cmocka_unit_test(voices_that_follow_append),
		cmocka_unit_test(the_header_is_right_meanwhile),
		cmocka_unit_test(release_takes_what_is_queued),
		cmocka_unit_test(fast_is_faster_than_time),
		cmocka_unit_test(a_full_disk_is_waited_for),
		cmocka_unit_test(a_full_disk_stops_no_clock),
		cmocka_unit_test(a_full_disk_keeps_no_voice),
		cmocka_unit_test(a_full_disk_ends_a_flac_file),
		cmocka_unit_test(a_file_that_cannot_be_made_stops_no_clock),
		cmocka_unit_test(a_full_ring_refuses),
		cmocka_unit_test(a_long_file_goes_on_in_the_next),
		cmocka_unit_test(configurations_are_judged),
		cmocka_unit_test(a_name_may_not_be_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
