/* SPDX-License-Identifier: BSD-3-Clause */
/* A virtio sound driver: requests, I/O messages, and the loop they run in. */
#ifndef PROBE_SOUND_H
#define PROBE_SOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/frontend.h"
#include "probe/mem.h"
#include "probe/ring.h"

enum snd_request {
	SND_R_JACK_INFO = 0x001,
	SND_R_JACK_REMAP = 0x002,
	SND_R_PCM_INFO = 0x100,
	SND_R_PCM_SET_PARAMS = 0x101,
	SND_R_PCM_PREPARE = 0x102,
	SND_R_PCM_RELEASE = 0x103,
	SND_R_PCM_START = 0x104,
	SND_R_PCM_STOP = 0x105,
	SND_R_CHMAP_INFO = 0x200,
	SND_R_CTL_INFO = 0x300,
};

enum snd_event {
	SND_EVT_JACK_CONNECTED = 0x1000,
	SND_EVT_JACK_DISCONNECTED = 0x1001,
	SND_EVT_PCM_PERIOD_ELAPSED = 0x1100,
	SND_EVT_PCM_XRUN = 0x1101,
	SND_EVT_CTL_NOTIFY = 0x1200,
};

#define SND_S_OK     0x8000u
#define SND_S_IO_ERR 0x8003u

#define SND_D_OUTPUT 0
#define SND_D_INPUT  1

#define XFER_BYTES	  4u /* header of an I/O message */
#define STATUS_BYTES	  8u /* its status */
#define CHMAP_CHANNELS	  18
#define CONTROL_BYTES_MAX 65552u /* a request or a reply; a full TLV */

struct jack_info {
	uint32_t nid, features, defconf, caps;
	bool connected;
};

struct pcm_info {
	uint32_t nid, features;
	uint64_t formats, rates;
	uint8_t direction, channels_min, channels_max;
};

struct chmap_info {
	uint32_t nid;
	uint8_t direction, channels;
	uint8_t positions[CHMAP_CHANNELS];
};

struct pcm_params {
	uint32_t buffer_bytes, period_bytes, features;
	uint8_t channels, format, rate;
};

struct snd_counts {
	uint32_t jacks, streams, chmaps, controls;
};

/* An I/O message in guest memory; its owner fills the elements in. */
struct io_message {
	uint64_t header, status; /* guest addresses, XFER_BYTES and STATUS_BYTES */
	void *owner;
	uint64_t number;
	uint32_t bytes; /* of payload, or room for it */
	bool queued, input;
};

struct sound;

/* Runs inside sound_poll() and sound_request(): may queue more, may not make
 * requests.  `len` is the used length. */
typedef void (*io_done)(struct sound *s, struct io_message *m, uint32_t status,
	uint32_t latency_bytes, uint32_t len);

struct sound_setup {
	const struct personality *who;
	uint32_t queue_size;
	unsigned regions;
	bool no_indirect, no_event_idx, scatter;
	int timeout_ms;
};

struct sound {
	struct mem mem;
	struct frontend fe;
	struct ring ring[QUEUES];
	struct snd_counts counts;
	uint32_t config_bytes;
	int timeout_ms;
	io_done done;

	uint64_t request, reply; /* guest addresses, CONTROL_BYTES_MAX each */
	bool answered;
	uint32_t answer_len;
	uint64_t requests;	   /* that were answered */
	int64_t request_max_ns;	   /* the longest wait for an answer */

	uint64_t events;	   /* guest address of the event buffers */
	uint64_t events_seen[5];   /* in the order of enum snd_event */
	uint64_t events_unknown;
	/* Each event, or NULL.  As `done`, it may not make requests. */
	void (*event)(void *ctx, uint32_t code, uint32_t data);
	void *event_ctx;
	uint64_t broken; /* queues whose err eventfd fired */
	bool broken_expected; /* then that is no error */
};

/* Takes the socket; brings the device up to DRIVER_OK.  0 or negative errno. */
int sound_open(struct sound *s, const struct sound_setup *setup, int sock);
void sound_close(struct sound *s);

/* A control request, waiting for its answer.  The status, or negative errno.
 * On OK at most reply_bytes behind the status are copied. */
int sound_request(struct sound *s, const void *request, uint32_t bytes, void *reply,
	uint32_t reply_bytes);

/* The same, for what must be OK: 0 or negative errno with a complaint. */
int sound_pcm(struct sound *s, enum snd_request code, uint32_t stream);
int sound_set_params(struct sound *s, uint32_t stream, const struct pcm_params *p);
int sound_jack_info(struct sound *s, uint32_t id, struct jack_info *ret);
int sound_pcm_info(struct sound *s, uint32_t id, struct pcm_info *ret);
int sound_chmap_info(struct sound *s, uint32_t id, struct chmap_info *ret);

/* Space for a message's header and status; 0 or -ENOMEM. */
int io_message_init(struct sound *s, struct io_message *m, void *owner, uint32_t stream);

/* Queues header, `bytes` at data, status, in `pieces` descriptors (at least
 * 3) cut at odd places.  0 or -ENOSPC.  No kick. */
int sound_send(struct sound *s, struct io_message *m, uint64_t data, uint32_t bytes,
	unsigned pieces);

/* The same for an input message, on the rx queue: `bytes` at data are room. */
int sound_place(struct sound *s, struct io_message *m, uint64_t data, uint32_t bytes,
	unsigned pieces);

/* Handles what has come back, without waiting and without looking at eventfds. */
int sound_serve(struct sound *s);

/* Waits until something happens or the time is over, and handles it.
 * 0 or negative errno: the back-end is gone, a queue broke, a signal came. */
int sound_poll(struct sound *s, int64_t timeout_ns);

/* The VM is stopped for a while and goes on, as the front-end does it.  Also
 * checks that nothing moves meanwhile. */
int sound_suspend(struct sound *s, int64_t duration_ns);

/* A guest that resets the device and sets it up again. */
int sound_reset(struct sound *s);

/* Faults of all rings, and the first one's text (or NULL). */
uint64_t sound_faults(const struct sound *s, const char **ret_first);

#endif
