/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of the virtio sound device: bytes to checked host structs and back.
 *
 * Pure functions over byte buffers.  A decoder looks at lengths, codes and the
 * ranges that the specification itself sets; whether a stream exists or may do
 * what is asked is the device's affair.  Past the decoder there is no wire
 * struct and no little-endian value.  (virtio 1.4, Sound Device.)
 */
#ifndef VSND_WIRE_SND_H
#define VSND_WIRE_SND_H

#include <vsnd/vsnd.h>

enum snd_status {
	SND_S_OK = 0x8000,
	SND_S_BAD_MSG,
	SND_S_NOT_SUPP,
	SND_S_IO_ERR
};

/* Requests the device knows.  Index of its handler table. */
enum ctl_op {
	CTL_JACK_INFO,
	CTL_JACK_REMAP,
	CTL_PCM_INFO,
	CTL_PCM_SET_PARAMS,
	CTL_PCM_PREPARE,
	CTL_PCM_RELEASE,
	CTL_PCM_START,
	CTL_PCM_STOP,
	CTL_CHMAP_INFO,
	CTL_ELEM_INFO,		/* from here on: with VIRTIO_SND_F_CTLS only */
	CTL_ELEM_ENUM_ITEMS,
	CTL_ELEM_READ,
	CTL_ELEM_WRITE,
	CTL_ELEM_TLV_READ,
	CTL_ELEM_TLV_WRITE,
	CTL_ELEM_TLV_COMMAND,
	CTL_OPS
};

/* VIRTIO_SND_R_*_INFO */
struct ctl_query {
	uint32_t start_id;
	uint32_t count;
	uint32_t size;
};

/* VIRTIO_SND_R_JACK_REMAP */
struct ctl_jack_remap {
	uint32_t jack_id;
	uint32_t association;
	uint32_t sequence;
};

/* VIRTIO_SND_R_PCM_SET_PARAMS */
struct ctl_pcm_params {
	uint32_t stream_id;
	uint32_t buffer_bytes;
	uint32_t period_bytes;
	uint32_t features;
	uint8_t channels;
	uint8_t format;
	uint8_t rate;
};

struct ctl_req {
	enum ctl_op op;
	union {
		struct ctl_query query;
		struct ctl_jack_remap jack_remap;
		struct ctl_pcm_params pcm_params;
		uint32_t stream_id;	/* PREPARE, RELEASE, START, STOP */
		uint32_t element_id;	/* CTL_ELEM_*, but INFO; what follows: wire/ctl.h */
	} u;
};

/* Bytes of the longest request, without a value or metadata; what follows is ignored. */
#define CTL_REQ_MAX 24
#define SND_STATUS_BYTES 4
#define SND_XFER_BYTES 4
#define SND_PCM_STATUS_BYTES 8
#define SND_JACK_INFO_BYTES 24
#define SND_PCM_INFO_BYTES 32
#define SND_CHMAP_INFO_BYTES 24
#define SND_INFO_BYTES_MAX 96
#define SND_EVENT_BYTES 8

/* Events the device sends. */
enum snd_event {
	SND_EVT_JACK_CONNECTED = 0x1000,
	SND_EVT_JACK_DISCONNECTED = 0x1001,
	SND_EVT_PCM_XRUN = 0x1101
};

/*
 * Decode a control request of @len bytes.  SND_S_OK, SND_S_BAD_MSG for one that is
 * too short for its code, SND_S_NOT_SUPP for an unknown code.
 */
enum snd_status wire_ctl_decode(const uint8_t *bytes, size_t len, struct ctl_req *ret_req);

/* The stream id of an I/O message's header. */
uint32_t wire_xfer_decode(const uint8_t bytes[SND_XFER_BYTES]);

/* @data: the id of the jack or stream. */
void wire_event_encode(uint8_t out[SND_EVENT_BYTES], enum snd_event event, uint32_t data);
void wire_status_encode(uint8_t out[SND_STATUS_BYTES], enum snd_status status);
void wire_pcm_status_encode(uint8_t out[SND_PCM_STATUS_BYTES], enum snd_status status,
			    uint32_t latency_bytes);
void wire_jack_info_encode(uint8_t out[SND_JACK_INFO_BYTES], const struct vsnd_jack_settings *j);
void wire_pcm_info_encode(uint8_t out[SND_PCM_INFO_BYTES], const struct vsnd_stream_settings *s);
void wire_chmap_info_encode(uint8_t out[SND_CHMAP_INFO_BYTES],
			    const struct vsnd_chmap_settings *m);
void wire_config_encode(uint8_t out[VSND_CONFIG_SIZE], uint32_t jacks, uint32_t streams,
			uint32_t chmaps, uint32_t controls);

#endif
