/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end that records from a file, with a stand-in for the device: a stream
 * here keeps what is pushed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <semaphore.h>
#include <sndfile.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audio/audio.h"
#include "audio/file_source.h"

#define RATE 48000
#define PERIOD 480u
#define HELD_MAX 400000u

/* The stand-in. */

struct call {
	void (*fn)(void *arg);
	void *arg;
};

struct vsnd {
	struct vsnd_audio *audio;
	_Atomic(struct call *) call;
	sem_t call_done;
};

struct vsnd_stream {
	uint32_t frame_bytes;
	atomic_size_t room, pushed, silent;	/* frames */
	uint8_t held[HELD_MAX * 4];
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
	(void)dev;
	(void)want;
}

size_t vsnd_stream_queued(const struct vsnd_stream *s)
{
	(void)s;
	return 0;
}

size_t vsnd_pull(struct vsnd_stream *s, void *dst, size_t frames, int64_t delay_frames)
{
	(void)s;
	(void)dst;
	(void)frames;
	(void)delay_frames;
	return 0;
}

size_t vsnd_stream_room(const struct vsnd_stream *s)
{
	return atomic_load(&s->room);
}

size_t vsnd_push(struct vsnd_stream *s, const void *src, size_t frames, int64_t delay_frames)
{
	size_t at = atomic_load(&s->pushed) * s->frame_bytes, n = frames * s->frame_bytes;

	(void)delay_frames;
	if (at + n <= sizeof(s->held) && src)
		memcpy(s->held + at, src, n);
	else if (at + n <= sizeof(s->held))
		memset(s->held + at, 0, n);
	atomic_fetch_add(&s->silent, src ? 0 : frames);
	atomic_fetch_sub(&s->room, frames);
	atomic_fetch_add(&s->pushed, frames);
	return frames;
}

/* A file, a back-end and its device. */

struct rig {
	char path[64];
	struct audio_file_config config;
	struct vsnd dev;
	struct vsnd_stream stream[2];
	struct vsnd_voice *voice[2];
	atomic_int lines;
};

static void count_line(void *ctx, enum audio_level level, const char *text)
{
	struct rig *r = ctx;

	(void)text;
	if (level >= AUDIO_WARN)
		atomic_fetch_add(&r->lines, 1);
}

static void make_file(struct rig *r, int subtype, int rate, int channels, const double *frames,
		size_t n)
{
	SF_INFO info = {
		.samplerate = rate, .channels = channels, .format = SF_FORMAT_WAV | subtype,
	};
	SNDFILE *file = sf_open(r->path, SFM_WRITE, &info);

	assert_non_null(file);
	assert_int_equal(sf_writef_double(file, frames, (sf_count_t)n), n);
	sf_close(file);
}

/* Whole samples, in the upper bits: libsndfile scales doubles to 32767. */
static void make_pcm_file(struct rig *r, int subtype, int channels, const int *frames, size_t n)
{
	SF_INFO info = {
		.samplerate = RATE, .channels = channels, .format = SF_FORMAT_WAV | subtype,
	};
	SNDFILE *file = sf_open(r->path, SFM_WRITE, &info);

	assert_non_null(file);
	assert_int_equal(sf_writef_int(file, frames, (sf_count_t)n), n);
	sf_close(file);
}

static struct rig *make_rig(void)
{
	struct rig *r = calloc(1, sizeof(*r));
	int fd;

	assert_non_null(r);
	strcpy(r->path, "/tmp/vsnd-file-in-XXXXXX");
	fd = mkstemp(r->path);
	assert_true(fd >= 0);
	close(fd);
	r->config = (struct audio_file_config){
		.in = r->path,
		.log = { .line = count_line, .ctx = r },
	};
	sem_init(&r->dev.call_done, 0, 0);
	return r;
}

static void free_rig(struct rig *r)
{
	unlink(r->path);
	sem_destroy(&r->dev.call_done);
	free(r);
}

/* A sawtooth of 16-bit values that differ from frame to frame, and right from left. */
static int16_t value_of(size_t frame, unsigned channel)
{
	return (int16_t)(frame * 37 + channel * 12345 + 1);
}

static void make_sawtooth(struct rig *r, size_t frames)
{
	int *samples = malloc(frames * 2 * sizeof(*samples));

	assert_non_null(samples);
	for (size_t i = 0; i < frames * 2; i++)
		samples[i] = value_of(i / 2, i % 2) * 65536;
	make_pcm_file(r, SF_FORMAT_PCM_16, 2, samples, frames);
	free(samples);
}

static const struct vsnd_voice_params stereo = {
	.direction = VSND_INPUT,
	.format = VSND_FMT_S16,
	.channels = 2,
	.rate_hz = RATE,
	.frame_bytes = 4,
	.period_frames = PERIOD,
	.buffer_frames = 8 * PERIOD,
};

static void open_voice(struct rig *r, unsigned i)
{
	r->stream[i].frame_bytes = 4;
	assert_int_equal(audio_file_ops->voice_open(r->dev.audio, &r->stream[i], &stereo,
						    &r->voice[i]), 0);
}

static void open_rig(struct rig *r)
{
	assert_int_equal(audio_file_ops->open(&r->dev, &r->config, &r->dev.audio), 0);
	open_voice(r, 0);
}

static void close_voice(struct rig *r, unsigned i)
{
	audio_file_ops->voice_stop(r->voice[i]);
	audio_file_ops->voice_close(r->voice[i]);
}

static void close_rig(struct rig *r)
{
	close_voice(r, 0);
	audio_file_ops->close(r->dev.audio);
}

static void wait_pushed(const struct vsnd_stream *s, size_t frames)
{
	const struct timespec tick = { .tv_nsec = 1000000 };

	for (unsigned i = 0; i < 10000 && atomic_load(&s->pushed) < frames; i++)
		nanosleep(&tick, NULL);
	assert_true(atomic_load(&s->pushed) >= frames);
}

static void expect_sawtooth(const struct vsnd_stream *s, size_t at, size_t first, size_t frames)
{
	for (size_t i = 0; i < frames * 2; i++) {
		int16_t got;

		memcpy(&got, s->held + at * 4 + i * 2, 2);
		assert_int_equal(got, value_of(first + i / 2, i % 2));
	}
}

static void expect_silence(const struct vsnd_stream *s, size_t at, size_t frames)
{
	for (size_t i = 0; i < frames * 4; i++)
		assert_int_equal(s->held[at * 4 + i], 0);
}

/* At pace, from the first frame to the last, and then silence. */
static void paced_once(void **state)
{
	struct rig *r = make_rig();

	(void)state;
	make_sawtooth(r, 10000);
	open_rig(r);
	audio_file_ops->voice_start(r->voice[0]);
	wait_pushed(&r->stream[0], 11000);
	close_rig(r);
	expect_sawtooth(&r->stream[0], 0, 0, 10000);
	expect_silence(&r->stream[0], 10000, 1000);
	assert_int_equal(r->lines, 0);
	free_rig(r);
}

/* Stopped and started again, it goes on; released and prepared, it begins anew. */
static void positions(void **state)
{
	struct rig *r = make_rig();
	size_t rested;

	(void)state;
	make_sawtooth(r, 48000);
	open_rig(r);
	audio_file_ops->voice_start(r->voice[0]);
	wait_pushed(&r->stream[0], 2 * PERIOD);
	open_voice(r, 1);
	audio_file_ops->voice_start(r->voice[1]);
	wait_pushed(&r->stream[1], PERIOD);
	audio_file_ops->voice_stop(r->voice[0]);
	rested = r->stream[0].pushed;
	wait_pushed(&r->stream[1], 4 * PERIOD);
	assert_int_equal(r->stream[0].pushed, rested);
	audio_file_ops->voice_start(r->voice[0]);
	wait_pushed(&r->stream[0], rested + 4 * PERIOD);
	close_voice(r, 1);
	expect_sawtooth(&r->stream[0], 0, 0, r->stream[0].pushed);
	expect_sawtooth(&r->stream[1], 0, 0, r->stream[1].pushed);
	r->stream[1].pushed = 0;
	open_voice(r, 1);
	audio_file_ops->voice_start(r->voice[1]);
	wait_pushed(&r->stream[1], PERIOD);
	close_voice(r, 1);
	expect_sawtooth(&r->stream[1], 0, 0, PERIOD);
	close_rig(r);
	free_rig(r);
}

/* Over and over, as fast as there is room and no faster. */
static void fast_loop(void **state)
{
	struct rig *r = make_rig();

	(void)state;
	r->config.in_loop = true;
	r->config.fast = true;
	make_sawtooth(r, 1000);
	open_rig(r);
	audio_file_ops->voice_start(r->voice[0]);
	for (unsigned i = 1; i <= 40; i++) {
		atomic_fetch_add(&r->stream[0].room, 9999);
		audio_file_ops->wake(r->dev.audio);
		wait_pushed(&r->stream[0], i * 9999);
		assert_int_equal(r->stream[0].pushed, i * 9999);
	}
	for (unsigned i = 0; i < 399; i++)
		expect_sawtooth(&r->stream[0], i * 1000, 0, 1000);
	assert_int_equal(r->stream[0].silent, 0);
	close_rig(r);
	free_rig(r);
}

/* Fast, once: the end is silence, exactly behind the last frame. */
static void fast_once(void **state)
{
	struct rig *r = make_rig();

	(void)state;
	r->config.fast = true;
	make_sawtooth(r, 30001);
	open_rig(r);
	audio_file_ops->voice_start(r->voice[0]);
	atomic_fetch_add(&r->stream[0].room, 40000);
	audio_file_ops->wake(r->dev.audio);
	wait_pushed(&r->stream[0], 40000);
	close_rig(r);
	expect_sawtooth(&r->stream[0], 0, 0, 30001);
	expect_silence(&r->stream[0], 30001, 9999);
	free_rig(r);
}

/* A file that has gone, one that is empty, and none: silence at pace. */
static void nothing_to_record(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct rig *r = make_rig();

		r->config.in_loop = i == 1;
		if (i == 0)
			unlink(r->path);
		else if (i == 1)
			make_file(r, SF_FORMAT_PCM_16, RATE, 2, (double[2]){ 0 }, 0);
		else
			r->config.in = NULL;
		open_rig(r);
		audio_file_ops->voice_start(r->voice[0]);
		wait_pushed(&r->stream[0], 3 * PERIOD);
		close_rig(r);
		assert_int_equal(r->stream[0].silent, r->stream[0].pushed);
		assert_int_equal(r->lines, i == 0 ? 1 : 0);
		free_rig(r);
	}
}

/* Conversions, without a thread. */

static size_t convert(struct rig *r, unsigned format, unsigned channels, uint32_t rate_hz,
		void *dst, size_t frames)
{
	struct vsnd_voice_params params = stereo;
	struct file_source *source;
	uint32_t frame_bytes = vsnd_format_info(format)->bytes * channels;
	size_t done = 0, n;

	params.format = (uint8_t)format;
	params.channels = (uint8_t)channels;
	params.rate_hz = rate_hz;
	assert_int_equal(file_source_create(&r->config, &params, &source), 0);
	do {
		/* Odd pieces: nothing may depend on them. */
		n = file_source_read(source, (uint8_t *)dst + done * frame_bytes,
				     frames - done < 777 ? frames - done : 777);
		done += n;
	} while (n > 0 && done < frames);
	file_source_free(source);
	return done;
}

static void formats(void **state)
{
	static const double samples[] = { 0, 0.5, -0.5, 1.0, -1.0, 1 / 32768.0, -3 / 32768.0 };
	static const struct {
		unsigned format;
		uint32_t values[7];
	} want[] = {
		{ VSND_FMT_S8, { 0, 0x40, 0xc0, 0x7f, 0x80, 0, 0 } },
		{ VSND_FMT_U8, { 0x80, 0xc0, 0x40, 0xff, 0, 0x80, 0x80 } },
		{ VSND_FMT_S16, { 0, 0x4000, 0xc000, 0x7fff, 0x8000, 1, 0xfffd } },
		{ VSND_FMT_U16, { 0x8000, 0xc000, 0x4000, 0xffff, 0, 0x8001, 0x7ffd } },
		{ VSND_FMT_S20_3, { 0, 0x40000, 0xfc0000, 0x7ffff, 0xf80000, 16, 0xffffd0 } },
		{ VSND_FMT_S24_3, { 0, 0x400000, 0xc00000, 0x7fffff, 0x800000, 256, 0xfffd00 } },
		{ VSND_FMT_U24_3, { 0x800000, 0xc00000, 0x400000, 0xffffff, 0, 0x800100, 0x7ffd00 } },
		{ VSND_FMT_S24, { 0, 0x400000, 0xffc00000, 0x7fffff, 0xff800000, 256, 0xfffffd00 } },
		{ VSND_FMT_S32, { 0, 0x40000000, 0xc0000000, 0x7fffffff, 0x80000000, 0x10000,
				  0xfffd0000 } },
		{ VSND_FMT_U32, { 0x80000000, 0xc0000000, 0x40000000, 0xffffffff, 0, 0x80010000,
				  0x7ffd0000 } },
		{ VSND_FMT_FLOAT, { 0, 0x3f000000, 0xbf000000, 0x3f800000, 0xbf800000, 0x38000000,
				    0xb8c00000 } },
	};
	struct vsnd_voice_params params = stereo;
	struct file_source *source;
	struct rig *r = make_rig();

	(void)state;
	make_file(r, SF_FORMAT_FLOAT, RATE, 1, samples, 7);
	for (unsigned f = 0; f < sizeof(want) / sizeof(want[0]); f++) {
		unsigned bytes = vsnd_format_info(want[f].format)->bytes;
		uint8_t got[7 * 4 + 100] = { 0 };

		assert_int_equal(convert(r, want[f].format, 1, RATE, got, 32), 7);
		for (unsigned i = 0; i < 7 * bytes; i++)
			assert_int_equal(got[i], want[f].values[i / bytes] >> 8 * (i % bytes) & 0xff);
	}
	double wide[7];
	assert_int_equal(convert(r, VSND_FMT_FLOAT64, 1, RATE, wide, 7), 7);
	assert_memory_equal(wide, samples, sizeof(samples));
	params.format = VSND_FMT_DSD_U8;
	assert_int_equal(file_source_create(&r->config, &params, &source), -EINVAL);
	free_rig(r);
}

/* 32-bit samples keep all their bits. */
static void wide_samples(void **state)
{
	struct rig *r = make_rig();
	int samples[5000], got[5000];

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		samples[i] = (int)(i * 2654435761u);
	make_pcm_file(r, SF_FORMAT_PCM_32, 1, samples, 5000);
	assert_int_equal(convert(r, VSND_FMT_S32, 1, RATE, got, 5000), 5000);
	assert_memory_equal(got, samples, sizeof(samples));
	free_rig(r);
}

static void channels(void **state)
{
	static const double samples[] = { 0.5, -0.25, 0.125, 0.125 };
	struct rig *r = make_rig();
	float got[12];

	(void)state;
	make_file(r, SF_FORMAT_FLOAT, RATE, 2, samples, 2);
	assert_int_equal(convert(r, VSND_FMT_FLOAT, 1, RATE, got, 4), 2);
	assert_true(got[0] == 0.125f && got[1] == 0.125f);
	assert_int_equal(convert(r, VSND_FMT_FLOAT, 4, RATE, got, 2), 2);
	assert_true(got[0] == 0.5f && got[1] == -0.25f && got[2] == 0 && got[3] == 0);
	make_file(r, SF_FORMAT_FLOAT, RATE, 1, samples, 4);
	assert_int_equal(convert(r, VSND_FMT_FLOAT, 2, RATE, got, 4), 4);
	assert_true(got[2] == -0.25f && got[3] == -0.25f);
	free_rig(r);
}

/* A tone at another rate has the length and the height that it should have. */
static void rates(void **state)
{
	static const int rates[] = { 8000, 44100, 96000 };
	double *tone = malloc(96000 * sizeof(*tone));
	float *got = malloc(60000 * sizeof(*got));
	struct rig *r = make_rig();

	(void)state;
	assert_true(tone && got);
	for (unsigned k = 0; k < 3; k++) {
		size_t n;
		double worst = 0;

		for (int i = 0; i < rates[k]; i++)
			tone[i] = 0.5 * sin(2 * M_PI * 440 * i / rates[k]);
		make_file(r, SF_FORMAT_FLOAT, rates[k], 1, tone, (size_t)rates[k]);
		n = convert(r, VSND_FMT_FLOAT, 1, RATE, got, 60000);
		assert_in_range(n, RATE - 10, RATE + 10);
		for (unsigned i = 1000; i < RATE - 1000; i++)
			worst = fmax(worst, fabs(got[i] - 0.5 * sin(2 * M_PI * 440 * i / RATE)));
		assert_true(worst < 0.001);
	}
	free(tone);
	free(got);
	free_rig(r);
}

static void configurations_are_judged(void **state)
{
	const char *what = NULL, *reason = NULL;
	struct rig *r = make_rig();

	(void)state;
	assert_true(audio_file_check(&r->config, &what, &reason) < 0);
	assert_ptr_equal(what, r->config.in);
	assert_non_null(reason);
	make_sawtooth(r, 1);
	assert_int_equal(audio_file_check(&r->config, &what, &reason), 0);
	free_rig(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paced_once),
		cmocka_unit_test(positions),
		cmocka_unit_test(fast_loop),
		cmocka_unit_test(fast_once),
		cmocka_unit_test(nothing_to_record),
		cmocka_unit_test(formats),
		cmocka_unit_test(wide_samples),
		cmocka_unit_test(channels),
		cmocka_unit_test(rates),
		cmocka_unit_test(configurations_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
