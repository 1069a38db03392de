/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device with its driver and its host in one thread: rings in a block of guest
 * memory, and an audio back-end whose clock and appetite are the test's.
 */
#ifndef VSND_TESTS_DEVICE_FIXTURE_H
#define VSND_TESTS_DEVICE_FIXTURE_H

#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vsnd/audio.h>

#include "ring_driver.h"

#define GUEST_GPA UINT64_C(0x40000000)
#define GUEST_SIZE ((size_t)32 << 20)
#define INDIRECT (UINT64_C(1) << VSND_F_INDIRECT_DESC)
#define EVENT_IDX (UINT64_C(1) << VSND_F_EVENT_IDX)
#define VERSION_1 (UINT64_C(1) << VSND_F_VERSION_1)

#define OK 0x8000u
#define BAD 0x8001u
#define NSUP 0x8002u
#define IOE 0x8003u

enum { JACK_INFO = 1, JACK_REMAP = 2, PCM_INFO = 0x100, SET_PARAMS, PREPARE, RELEASE, START, STOP,
       CHMAP_INFO = 0x200 };

enum { JACK_CONNECTED = 0x1000, JACK_DISCONNECTED, PCM_XRUN = 0x1101 };

#define STREAMS 3
#define MS INT64_C(1000000)

/* The host: what the device asked of it. */
struct vsnd_voice {
	struct vsnd_audio *audio;
	struct vsnd_stream *stream;
	struct vsnd_voice_params params;
	bool runs;
	unsigned allows, volumes;	/* calls of what host_more_ops has */
	bool allowed;
	struct vsnd_volume volume;
};

struct vsnd_audio {
	struct vsnd *dev;
	struct vsnd_voice voice[STREAMS];
	bool open[STREAMS];
	int64_t now_ns;
	int64_t again_ns;	/* what the last cycle's end said */
	bool fail_open;
	size_t flush_frames;	/* what the host takes at RELEASE */
	uint8_t flushed[65536];
	size_t flushed_frames;
	unsigned services;
	bool away;
};

struct device {
	struct guest g;
	struct ring ring[VSND_QUEUES];
	struct vsnd *dev;
	struct vsnd_audio *host;
	unsigned notified[VSND_QUEUES], errors[VSND_QUEUES], broken[VSND_QUEUES], wakes;
	uint64_t features;
};

static struct vsnd_audio the_host;
/* A test's own changes to the settings, or NULL. */
static void (*device_tweak)(struct vsnd_settings *s, struct vsnd_stream_settings *streams);

static inline int host_open(struct vsnd *dev, const void *config, struct vsnd_audio **ret_audio)
{
	(void)config;
	the_host = (struct vsnd_audio){ .dev = dev, .now_ns = 1000 * MS };
	*ret_audio = &the_host;
	return 0;
}

static inline void host_close(struct vsnd_audio *a)
{
	for (unsigned i = 0; i < STREAMS; i++)
		assert_false(a->open[i]);
}

static inline void host_turn(struct vsnd_audio *a)
{
	vsnd_cycle_begin(a->dev, a->now_ns);
	a->again_ns = vsnd_cycle_end(a->dev);
}

static inline int host_voice_open(struct vsnd_audio *a, struct vsnd_stream *stream,
				  const struct vsnd_voice_params *params,
				  struct vsnd_voice **ret_voice)
{
	struct vsnd_voice *v = &a->voice[params->stream];

	if (a->fail_open)
		return -EIO;
	assert_false(a->open[params->stream]);
	a->open[params->stream] = true;
	*v = (struct vsnd_voice){ .audio = a, .stream = stream, .params = *params };
	*ret_voice = v;
	return 0;
}

static inline void host_voice_start(struct vsnd_voice *v)
{
	assert_false(v->runs);
	v->runs = true;
}

static inline void host_voice_stop(struct vsnd_voice *v)
{
	assert_true(v->runs);
	v->runs = false;
}

static inline void host_flush_pull(void *arg)
{
	struct vsnd_voice *v = arg;
	struct vsnd_audio *a = v->audio;
	size_t n = vsnd_stream_queued(v->stream);

	if (n > a->flush_frames)
		n = a->flush_frames;
	a->flushed_frames = vsnd_pull(v->stream, a->flushed, n, 0);
}

static inline void host_voice_flush(struct vsnd_voice *v)
{
	vsnd_audio_call(v->audio->dev, host_flush_pull, v);
}

static inline void host_voice_close(struct vsnd_voice *v)
{
	assert_false(v->runs);
	assert_true(v->audio->open[v->params.stream]);
	v->audio->open[v->params.stream] = false;
}

static const struct vsnd_audio_ops host_ops = {
	.name = "test",
	.open = host_open,
	.close = host_close,
	.wake = host_turn,
	.voice_open = host_voice_open,
	.voice_start = host_voice_start,
	.voice_stop = host_voice_stop,
	.voice_flush = host_voice_flush,
	.voice_close = host_voice_close,
};

static inline void host_service(struct vsnd_audio *a)
{
	a->services++;
}

static inline void host_voice_allow(struct vsnd_voice *v, bool allowed)
{
	v->allows++;
	v->allowed = allowed;
}

static inline void host_voice_volume(struct vsnd_voice *v, const struct vsnd_volume *volume)
{
	v->volumes++;
	v->volume = *volume;
}

static inline bool host_connected(const struct vsnd_audio *a)
{
	return !a->away;
}

/* A host that can do more: for a test's device_tweak. */
static inline const struct vsnd_audio_ops *host_more_ops(void)
{
	static struct vsnd_audio_ops ops;

	ops = host_ops;
	ops.service = host_service;
	ops.voice_allow = host_voice_allow;
	ops.voice_volume = host_voice_volume;
	ops.connected = host_connected;
	return &ops;
}

/* A cycle in which one voice pulls; the clock has moved on by the frames' time. */
static inline size_t play(struct device *d, unsigned stream, void *dst, size_t frames,
			  int64_t delay)
{
	struct vsnd_voice *v = &d->host->voice[stream];
	size_t got = 0;

	d->host->now_ns += (int64_t)frames * 1000000000 / 48000;
	vsnd_cycle_begin(d->dev, d->host->now_ns);
	if (v->runs)
		got = vsnd_pull(v->stream, dst, frames, delay);
	d->host->again_ns = vsnd_cycle_end(d->dev);
	return got;
}

/* The same for a voice that pushes. */
static inline size_t record(struct device *d, unsigned stream, const void *src, size_t frames,
			    int64_t delay)
{
	struct vsnd_voice *v = &d->host->voice[stream];
	size_t got = 0;

	d->host->now_ns += (int64_t)frames * 1000000000 / 48000;
	vsnd_cycle_begin(d->dev, d->host->now_ns);
	if (v->runs)
		got = vsnd_push(v->stream, src, frames, delay);
	d->host->again_ns = vsnd_cycle_end(d->dev);
	return got;
}

static inline void on_notify(void *ctx, unsigned queue)
{
	((struct device *)ctx)->notified[queue]++;
}

static inline void on_error(void *ctx, unsigned queue, enum vsnd_queue_error error,
			    const char *what)
{
	struct device *d = ctx;

	assert_non_null(what);
	if (error == VSND_QUEUE_ERROR_BROKEN)
		d->broken[queue]++;
	else
		d->errors[queue]++;
}

static inline void on_wake(void *ctx)
{
	((struct device *)ctx)->wakes++;
}

static inline void start_queue(struct device *d, unsigned q, uint32_t size, bool resume)
{
	struct vsnd_queue_setup setup;

	if (!resume) {
		ring_fini(&d->ring[q]);
		ring_init(&d->ring[q], &d->g, size, d->features, 0);
	}
	setup = ring_setup(&d->ring[q]);
	setup.resume = resume;
	if (resume)
		setup.base = d->ring[q].shown_idx;
	assert_int_equal(vsnd_queue_start(d->dev, q, &setup), 0);
}

/* The last @inputs streams are inputs. */
static inline void device_open_inputs(struct device *d, uint64_t features, uint32_t size,
				      unsigned inputs)
{
	struct vsnd_stream_settings streams[STREAMS];
	struct vsnd_mem_region region;
	struct vsnd_settings s;

	*d = (struct device){ .features = features | VERSION_1 };
	vsnd_settings_init(&s);
	for (unsigned i = 0; i < STREAMS; i++) {
		streams[i] = s.stream[0];
		streams[i].nid = i;
		streams[i].formats |= 1u << VSND_FMT_U8;
		if (i < STREAMS - inputs)
			continue;
		streams[i].direction = VSND_INPUT;
		streams[i].formats |= 1u << VSND_FMT_U16 | 1u << VSND_FMT_U24_3;
	}
	s.stream = streams;
	s.streams = STREAMS;
	/* The jack and the maps of the output that is there in any case. */
	s.jacks = 1;
	s.chmaps = 2;
	s.audio = &host_ops;
	s.ctx = d;
	s.callbacks = (struct vsnd_callbacks){
		.notify = on_notify,
		.queue_error = on_error,
		.wake = on_wake,
	};
	if (device_tweak)
		device_tweak(&s, streams);
	assert_int_equal(vsnd_create(&s, &d->dev), 0);
	d->host = &the_host;
	guest_init(&d->g, GUEST_GPA, GUEST_SIZE);
	region = guest_region(&d->g);
	assert_int_equal(vsnd_set_features(d->dev, d->features), 0);
	assert_int_equal(vsnd_set_memory(d->dev, &region, 1), 0);
	for (unsigned q = 0; q < VSND_QUEUES; q++) {
		struct vsnd_queue_setup setup;

		ring_init(&d->ring[q], &d->g, size, d->features, 0);
		setup = ring_setup(&d->ring[q]);
		assert_int_equal(vsnd_queue_start(d->dev, q, &setup), 0);
		assert_int_equal(vsnd_queue_enable(d->dev, q, true), 0);
	}
}

static inline void device_open(struct device *d, uint64_t features, uint32_t size)
{
	device_open_inputs(d, features, size, 0);
}

static inline void device_close(struct device *d)
{
	vsnd_destroy(&d->dev);
	for (unsigned q = 0; q < VSND_QUEUES; q++)
		ring_fini(&d->ring[q]);
	guest_fini(&d->g);
}

/* Send a control request of 32-bit words; its answer in *@ret_used, status returned. */
static inline uint32_t request(struct device *d, const uint32_t *words, unsigned bytes,
			       uint32_t writable, uint8_t **ret_answer, uint32_t *ret_len)
{
	uint64_t in = guest_alloc(&d->g, bytes + 4, 4), out = guest_alloc(&d->g, writable + 4, 4);
	const struct ring_buf bufs[] = { { in, bytes, false }, { out, writable, true } };
	struct ring_used used;
	uint32_t status;

	for (unsigned i = 0; i * 4 < bytes; i++)
		((uint32_t *)guest_ptr(&d->g, in))[i] = htole32(words[i]);
	ring_post(&d->ring[VSND_CONTROLQ], bufs, 2);
	vsnd_queue_kick(d->dev, VSND_CONTROLQ);
	assert_true(ring_collect(&d->ring[VSND_CONTROLQ], &used));
	ring_want_interrupts(&d->ring[VSND_CONTROLQ], true);
	memcpy(&status, guest_ptr(&d->g, out), 4);
	if (ret_answer)
		*ret_answer = guest_ptr(&d->g, out);
	if (ret_len)
		*ret_len = used.len;
	else
		assert_int_equal(used.len, 4);
	return le32toh(status);
}

static inline uint32_t command(struct device *d, uint32_t code, uint32_t stream)
{
	const uint32_t words[] = { code, stream };

	return request(d, words, sizeof(words), 4, NULL, NULL);
}

static inline uint32_t set_params(struct device *d, uint32_t stream, uint32_t buffer,
				  uint32_t period, uint32_t features, unsigned channels,
				  unsigned format, unsigned rate)
{
	const uint32_t words[] = { SET_PARAMS, stream, buffer, period, features,
				   channels | format << 8 | rate << 16 | 0xffu << 24 };

	return request(d, words, sizeof(words), 4, NULL, NULL);
}

/* S16 stereo at 48 kHz, 480 frames a period, @periods of them. */
static inline void prepare(struct device *d, uint32_t stream, uint32_t periods)
{
	assert_int_equal(set_params(d, stream, 1920 * periods, 1920, 0, 2, VSND_FMT_S16,
				    VSND_RATE_48000), OK);
	assert_int_equal(command(d, PREPARE, stream), OK);
}

static inline void run(struct device *d, uint32_t stream, uint32_t periods)
{
	prepare(d, stream, periods);
	assert_int_equal(command(d, START, stream), OK);
}

/* A buffer for an event, of @bytes writable bytes.  Its guest address. */
static inline uint64_t post_event(struct device *d, uint32_t bytes)
{
	uint64_t gpa = guest_alloc(&d->g, bytes + 1, 4);
	const struct ring_buf buf = { gpa, bytes, true };

	assert_true(ring_post(&d->ring[VSND_EVENTQ], &buf, 1) >= 0);
	return gpa;
}

/* A message of @bytes bytes, filled from *@seed on; its head. */
struct sent {
	int head;
	uint64_t data, status;
	uint32_t bytes;
};

static inline struct sent send_bytes(struct device *d, unsigned queue, uint32_t stream,
				     uint32_t bytes, uint8_t *seed)
{
	struct sent s = {
		.data = guest_alloc(&d->g, bytes + 1, 1),
		.status = guest_alloc(&d->g, 8, 4),
		.bytes = bytes,
	};
	uint64_t header = guest_alloc(&d->g, 4, 4);
	const struct ring_buf bufs[] = {
		{ header, 4, false },
		{ s.data, bytes, queue == VSND_RXQ },
		{ s.status, 8, true },
	};
	uint32_t id = htole32(stream);

	memcpy(guest_ptr(&d->g, header), &id, 4);
	for (uint32_t i = 0; i < bytes; i++)
		((uint8_t *)guest_ptr(&d->g, s.data))[i] = (*seed)++;
	s.head = ring_post(&d->ring[queue], bufs, 3);
	assert_true(s.head >= 0);
	return s;
}

/* The next event is @code about @data, in the buffer at @gpa. */
static inline void expect_event(struct device *d, uint64_t gpa, uint32_t code, uint32_t data)
{
	struct ring_used used;
	uint32_t got[2];

	assert_true(ring_collect(&d->ring[VSND_EVENTQ], &used));
	assert_int_equal(used.len, 8);
	memcpy(got, guest_ptr(&d->g, gpa), sizeof(got));
	assert_int_equal(le32toh(got[0]), code);
	assert_int_equal(le32toh(got[1]), data);
	ring_want_interrupts(&d->ring[VSND_EVENTQ], true);
}

static inline void expect_nothing(struct device *d, unsigned queue)
{
	assert_false(ring_has_used(&d->ring[queue]));
}

/* The next used entry is @s with this length, status and latency. */
static inline void expect_used(struct device *d, unsigned queue, const struct sent *s, uint32_t len,
			       uint32_t status, uint32_t latency)
{
	struct ring_used used;
	uint32_t got[2];

	assert_true(ring_collect(&d->ring[queue], &used));
	assert_int_equal(used.id, s->head);
	assert_int_equal(used.len, len);
	memcpy(got, guest_ptr(&d->g, s->status), sizeof(got));
	assert_int_equal(le32toh(got[0]), status);
	assert_int_equal(le32toh(got[1]), latency);
}

static inline void expect_done(struct device *d, unsigned queue, const struct sent *s,
			       uint32_t status, uint32_t latency)
{
	expect_used(d, queue, s, 8, status, latency);
}

#endif
