/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control requests, I/O messages and event buffers, from the ring to the host and back.
 *
 * The input is a list of records: a byte that says what, a length byte, and that
 * many bytes of a message.  What: bit 0 the queue (control or tx), bit 1 whether
 * the host pulls and pushes afterwards, bits 2-4 the writable bytes, bit 5 whether
 * the message is cut in two, bit 6 that the queue is the event queue, or rx instead
 * of tx, and bit 7 that the host plugs a jack and turns a knob afterwards.  The
 * bytes are decoded by wire_ctl_decode() alone, too.
 */
#include <stdlib.h>
#include <string.h>

#include <vsnd/audio.h>

#include "ring_driver.h"
#include "wire/snd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct vsnd_voice {
	struct vsnd_stream *stream;
};

/* Two outputs, and one input. */
#define OUTPUTS 2
#define STREAMS 3

struct vsnd_audio {
	struct vsnd *dev;
	struct vsnd_voice voice[STREAMS];
	int64_t now_ns;
};

static struct vsnd_audio host;

static int host_open(struct vsnd *dev, const void *config, struct vsnd_audio **ret_audio)
{
	(void)config;
	host = (struct vsnd_audio){ .dev = dev, .now_ns = 1 };
	*ret_audio = &host;
	return 0;
}

static void host_close(struct vsnd_audio *a)
{
	a->dev = NULL;
}

static void host_turn(struct vsnd_audio *a)
{
	vsnd_cycle_begin(a->dev, a->now_ns);
	vsnd_cycle_end(a->dev);
}

static int voice_open(struct vsnd_audio *a, struct vsnd_stream *stream,
		      const struct vsnd_voice_params *params, struct vsnd_voice **ret_voice)
{
	*ret_voice = &a->voice[params->stream];
	(*ret_voice)->stream = stream;
	return 0;
}

static void voice_nop(struct vsnd_voice *v)
{
	(void)v;
}

static const struct vsnd_audio_ops ops = {
	.name = "fuzz",
	.open = host_open,
	.close = host_close,
	.wake = host_turn,
	.voice_open = voice_open,
	.voice_start = voice_nop,
	.voice_stop = voice_nop,
	.voice_close = voice_nop,
};

static void pull_and_push(void)
{
	static uint8_t buf[100 * 8 * VSND_CHANNELS_MAX];

	host.now_ns += 2000000;
	vsnd_cycle_begin(host.dev, host.now_ns);
	for (unsigned i = 0; i < OUTPUTS; i++) {
		if (host.voice[i].stream)
			vsnd_pull(host.voice[i].stream, i ? NULL : buf, 100, -50);
	}
	if (host.voice[OUTPUTS].stream)
		vsnd_push(host.voice[OUTPUTS].stream, host.now_ns % 3 ? buf : NULL, 50, 3);
	vsnd_cycle_end(host.dev);
}

/* An element of each type, one that has metadata of the driver's, one for commands. */
static const uint32_t scale[] = { VSND_TLV_DB_SCALE, 8, (uint32_t)-6000, 50 };
static const char *const items[] = { "one", "two" };
#define RW (VSND_CTL_READ | VSND_CTL_WRITE)
static const struct vsnd_ctl_settings elements[] = {
	{ .type = VSND_CTL_INTEGER, .role = VSND_CTL_ROLE_VOLUME, .bind = VSND_CTL_ALL, .count = 2,
	  .access = RW | VSND_CTL_TLV_READ, .name = "Volume", .max = 120, .tlv = scale },
	{ .type = VSND_CTL_BOOLEAN, .role = VSND_CTL_ROLE_MUTE, .bind = VSND_CTL_STREAM,
	  .count = 1, .access = RW, .name = "Switch" },
	{ .type = VSND_CTL_INTEGER64, .count = 64, .access = RW, .name = "Wide", .min = -9,
	  .max = INT64_MAX },
	{ .type = VSND_CTL_ENUMERATED, .count = 3, .access = RW, .name = "Choice", .items = 2,
	  .item = items },
	{ .type = VSND_CTL_BYTES, .count = 512, .name = "Bytes",
	  .access = RW | VSND_CTL_TLV_READ | VSND_CTL_TLV_WRITE },
	{ .type = VSND_CTL_IEC958, .count = 1, .name = "IEC958",
	  .access = VSND_CTL_READ | VSND_CTL_TLV_COMMAND },
};
#define ELEMENTS (sizeof(elements) / sizeof(elements[0]))

static int command(void *ctx, unsigned ctl, uint32_t type, const void *value, uint32_t len)
{
	const uint8_t *p = value;

	(void)ctx;
	(void)ctl;
	(void)type;
	return len > 0 ? -(p[0] + p[len - 1]) : 0;
}

/* What an embedder does of itself. */
static void meddle(struct vsnd *dev, uint8_t what)
{
	union vsnd_ctl_value v;

	vsnd_jack_plug(dev, 0, what & 4);
	for (unsigned i = 0; i < ELEMENTS; i++) {
		vsnd_ctl_get(dev, i, &v);
		v.bytes[0] ^= 1;
		vsnd_ctl_set(dev, i, &v);
	}
}

static void send(struct guest *g, struct ring *r, uint8_t what, const uint8_t *msg, uint32_t len)
{
	static const uint32_t room[] = { 0, 3, 4, 7, 8, 36, 132, 1000 };
	uint64_t in = guest_alloc(g, len + 1, 1), out = guest_alloc(g, 1000, 1);
	uint32_t cut = what & 32 ? len / 2 : 0;
	/* A buffer for events is the last piece, and in error one before it. */
	unsigned pieces = !(what & 64) ? 3 : what & 32 ? 2 : 1;
	const struct ring_buf bufs[] = {
		{ in, cut, false },
		{ in + cut, len - cut, false },
		{ out, room[what >> 2 & 7], true },
	};
	struct ring_used used;

	memcpy(guest_ptr(g, in), msg, len);
	ring_post(r, bufs + 3 - pieces, pieces);
	while (ring_collect(r, &used))
		continue;
}

static void open_device(struct guest *g, struct ring ring[VSND_QUEUES], struct vsnd **ret_dev)
{
	const uint64_t features = UINT64_C(1) << VSND_F_VERSION_1 |
				  UINT64_C(1) << VSND_F_EVENT_IDX | UINT64_C(1) << VSND_F_CTLS;
	struct vsnd_jack_settings jack;
	struct vsnd_stream_settings streams[STREAMS];
	struct vsnd_mem_region region;
	struct vsnd_settings s;

	vsnd_settings_init(&s);
	streams[0] = streams[1] = s.stream[VSND_OUTPUT];
	streams[OUTPUTS] = s.stream[VSND_INPUT];
	for (unsigned i = 0; i < STREAMS; i++) {
		streams[i].features = i == 1 ? 0 : VSND_STREAM_EVT_XRUNS;
		if (i != 1)
			streams[i].formats |= ((UINT64_C(1) << VSND_FORMATS) - 1) & ~UINT64_C(1);
	}
	jack = s.jack[0];
	jack.features = VSND_JACK_REMAP;
	s.jack = &jack;
	s.jacks = 1;
	s.ctls = ELEMENTS;
	s.ctl = elements;
	s.callbacks.ctl_command = command;
	s.streams = STREAMS;
	s.stream = streams;
	s.audio = &ops;
	if (vsnd_create(&s, ret_dev) < 0)
		abort();
	guest_init(g, 0x100000, 1 << 20);
	region = guest_region(g);
	vsnd_set_features(*ret_dev, features);
	vsnd_set_memory(*ret_dev, &region, 1);
	for (unsigned q = 0; q < VSND_QUEUES; q++) {
		struct vsnd_queue_setup setup;

		ring_init(&ring[q], g, 16, features, 0);
		setup = ring_setup(&ring[q]);
		if (vsnd_queue_start(*ret_dev, q, &setup) < 0)
			abort();
		vsnd_queue_enable(*ret_dev, q, true);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ring ring[VSND_QUEUES];
	struct ctl_req req;
	struct vsnd *dev;
	struct guest g;

	wire_ctl_decode(data, size < CTL_REQ_MAX ? size : CTL_REQ_MAX, &req);
	open_device(&g, ring, &dev);
	for (unsigned n = 0; size >= 2 && n < 200; n++) {
		uint8_t what = data[0];
		uint32_t len = data[1] < size - 2 ? data[1] : (uint32_t)size - 2;
		unsigned queue = what & 1 ? (what & 64 ? VSND_RXQ : VSND_TXQ) :
				 what & 64 ? VSND_EVENTQ : VSND_CONTROLQ;

		send(&g, &ring[queue], what, data + 2, len);
		vsnd_queue_kick(dev, queue);
		if (what & 2)
			pull_and_push();
		if (what & 128)
			meddle(dev, what);
		vsnd_run(dev);
		data += 2 + len;
		size -= 2 + len;
	}
	vsnd_destroy(&dev);
	for (unsigned q = 0; q < VSND_QUEUES; q++)
		ring_fini(&ring[q]);
	guest_fini(&g);
	return 0;
}
