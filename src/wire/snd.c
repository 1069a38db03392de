/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <string.h>

#include "wire/bytes.h"
#include "wire/snd.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Request code and the bytes of its structure, per operation. */
static const struct {
	uint32_t code;
	uint8_t bytes;
} requests[] = {
	[CTL_JACK_INFO] = { 0x0001, 16 },
	[CTL_JACK_REMAP] = { 0x0002, 16 },
	[CTL_PCM_INFO] = { 0x0100, 16 },
	[CTL_PCM_SET_PARAMS] = { 0x0101, 24 },
	[CTL_PCM_PREPARE] = { 0x0102, 8 },
	[CTL_PCM_RELEASE] = { 0x0103, 8 },
	[CTL_PCM_START] = { 0x0104, 8 },
	[CTL_PCM_STOP] = { 0x0105, 8 },
	[CTL_CHMAP_INFO] = { 0x0200, 16 },
	[CTL_ELEM_INFO] = { 0x0300, 16 },
	[CTL_ELEM_ENUM_ITEMS] = { 0x0301, 8 },
	[CTL_ELEM_READ] = { 0x0302, 8 },
	[CTL_ELEM_WRITE] = { 0x0303, 8 },
	[CTL_ELEM_TLV_READ] = { 0x0304, 8 },
	[CTL_ELEM_TLV_WRITE] = { 0x0305, 8 },
	[CTL_ELEM_TLV_COMMAND] = { 0x0306, 8 },
};
static_assert(ARRAY_SIZE(requests) == CTL_OPS, "an operation has no code");

static void decode_query(const uint8_t *p, struct ctl_query *q)
{
	q->start_id = get32(p + 4);
	q->count = get32(p + 8);
	q->size = get32(p + 12);
}

static void decode_params(const uint8_t *p, struct ctl_pcm_params *params)
{
	params->stream_id = get32(p + 4);
	params->buffer_bytes = get32(p + 8);
	params->period_bytes = get32(p + 12);
	params->features = get32(p + 16);
	params->channels = p[20];
	params->format = p[21];
	params->rate = p[22];	/* p[23] is padding, ignored */
}

static void decode_remap(const uint8_t *p, struct ctl_jack_remap *r)
{
	r->jack_id = get32(p + 4);
	r->association = get32(p + 8);
	r->sequence = get32(p + 12);
}

static void decode_body(const uint8_t *p, struct ctl_req *req)
{
	switch (req->op) {
	case CTL_JACK_INFO:
	case CTL_PCM_INFO:
	case CTL_CHMAP_INFO:
	case CTL_ELEM_INFO:
		decode_query(p, &req->u.query);
		break;
	case CTL_JACK_REMAP:
		decode_remap(p, &req->u.jack_remap);
		break;
	case CTL_PCM_SET_PARAMS:
		decode_params(p, &req->u.pcm_params);
		break;
	case CTL_PCM_PREPARE:
	case CTL_PCM_RELEASE:
	case CTL_PCM_START:
	case CTL_PCM_STOP:
		req->u.stream_id = get32(p + 4);
		break;
	case CTL_ELEM_ENUM_ITEMS:
	case CTL_ELEM_READ:
	case CTL_ELEM_WRITE:
	case CTL_ELEM_TLV_READ:
	case CTL_ELEM_TLV_WRITE:
	case CTL_ELEM_TLV_COMMAND:
		req->u.element_id = get32(p + 4);
		break;
	case CTL_OPS:
		break;
	}
}

enum snd_status wire_ctl_decode(const uint8_t *bytes, size_t len, struct ctl_req *ret_req)
{
	uint32_t code;
	unsigned op;

	if (len < 4)
		return SND_S_BAD_MSG;
	code = get32(bytes);
	for (op = 0; op < CTL_OPS; op++) {
		if (requests[op].code == code)
			break;
	}
	if (op == CTL_OPS)
		return SND_S_NOT_SUPP;
	if (len < requests[op].bytes)
		return SND_S_BAD_MSG;

	ret_req->op = (enum ctl_op)op;
	decode_body(bytes, ret_req);
	return SND_S_OK;
}

uint32_t wire_xfer_decode(const uint8_t bytes[SND_XFER_BYTES])
{
	return get32(bytes);
}

void wire_event_encode(uint8_t out[SND_EVENT_BYTES], enum snd_event event, uint32_t data)
{
	put32(out, (uint32_t)event);
	put32(out + 4, data);
}

void wire_status_encode(uint8_t out[SND_STATUS_BYTES], enum snd_status status)
{
	put32(out, (uint32_t)status);
}

void wire_pcm_status_encode(uint8_t out[SND_PCM_STATUS_BYTES], enum snd_status status,
			    uint32_t latency_bytes)
{
	put32(out, (uint32_t)status);
	put32(out + 4, latency_bytes);
}

void wire_jack_info_encode(uint8_t out[SND_JACK_INFO_BYTES], const struct vsnd_jack_settings *j)
{
	memset(out, 0, SND_JACK_INFO_BYTES);
	put32(out, j->nid);
	put32(out + 4, j->features);
	put32(out + 8, j->defconf);
	put32(out + 12, j->caps);
	out[16] = j->connected;
}

void wire_pcm_info_encode(uint8_t out[SND_PCM_INFO_BYTES], const struct vsnd_stream_settings *s)
{
	memset(out, 0, SND_PCM_INFO_BYTES);
	put32(out, s->nid);
	put32(out + 4, s->features);
	put64(out + 8, s->formats);
	put64(out + 16, s->rates);
	out[24] = s->direction;
	out[25] = s->channels_min;
	out[26] = s->channels_max;
}

void wire_chmap_info_encode(uint8_t out[SND_CHMAP_INFO_BYTES], const struct vsnd_chmap_settings *m)
{
	memset(out, 0, SND_CHMAP_INFO_BYTES);
	put32(out, m->nid);
	out[4] = m->direction;
	out[5] = m->channels;
	memcpy(out + 6, m->positions, m->channels);
}

void wire_config_encode(uint8_t out[VSND_CONFIG_SIZE], uint32_t jacks, uint32_t streams,
			uint32_t chmaps, uint32_t controls)
{
	put32(out, jacks);
	put32(out + 4, streams);
	put32(out + 8, chmaps);
	put32(out + 12, controls);
}
