/* SPDX-License-Identifier: BSD-3-Clause */
/* Control requests as values, and I/O messages as descriptors. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "probe/bytes.h"
#include "probe/names.h"
#include "probe/report.h"
#include "probe/sound.h"

#define PIECES_MAX RING_ELEMENTS_MAX

static int must_be_ok(int status, uint32_t code, uint32_t id)
{
	if (status < 0)
		return status;
	if ((uint32_t)status != SND_S_OK)
		return complain(-EPROTO, "%s for %u was answered with %s (0x%x)",
			request_name(code), id, status_name((uint32_t)status), (unsigned)status);
	return 0;
}

int sound_pcm(struct sound *s, enum snd_request code, uint32_t stream)
{
	uint8_t q[8];

	put32(q, code);
	put32(q + 4, stream);
	return must_be_ok(sound_request(s, q, sizeof(q), NULL, 0), code, stream);
}

int sound_set_params(struct sound *s, uint32_t stream, const struct pcm_params *p)
{
	uint8_t q[24] = { 0 };

	put32(q, SND_R_PCM_SET_PARAMS);
	put32(q + 4, stream);
	put32(q + 8, p->buffer_bytes);
	put32(q + 12, p->period_bytes);
	put32(q + 16, p->features);
	q[20] = p->channels;
	q[21] = p->format;
	q[22] = p->rate;
	return must_be_ok(sound_request(s, q, sizeof(q), NULL, 0), SND_R_PCM_SET_PARAMS, stream);
}

static int query(struct sound *s, uint32_t code, uint32_t id, void *item, uint32_t bytes)
{
	uint8_t q[16];

	put32(q, code);
	put32(q + 4, id);
	put32(q + 8, 1);
	put32(q + 12, bytes);
	return must_be_ok(sound_request(s, q, sizeof(q), item, bytes), code, id);
}

int sound_jack_info(struct sound *s, uint32_t id, struct jack_info *ret)
{
	uint8_t b[24];
	int err = query(s, SND_R_JACK_INFO, id, b, sizeof(b));

	if (err < 0)
		return err;
	*ret = (struct jack_info){ .nid = get32(b), .features = get32(b + 4),
		.defconf = get32(b + 8), .caps = get32(b + 12), .connected = b[16] };
	return 0;
}

int sound_pcm_info(struct sound *s, uint32_t id, struct pcm_info *ret)
{
	uint8_t b[32];
	int err = query(s, SND_R_PCM_INFO, id, b, sizeof(b));

	if (err < 0)
		return err;
	*ret = (struct pcm_info){ .nid = get32(b), .features = get32(b + 4),
		.formats = get64(b + 8), .rates = get64(b + 16), .direction = b[24],
		.channels_min = b[25], .channels_max = b[26] };
	return 0;
}

int sound_chmap_info(struct sound *s, uint32_t id, struct chmap_info *ret)
{
	uint8_t b[24];
	int err = query(s, SND_R_CHMAP_INFO, id, b, sizeof(b));

	if (err < 0)
		return err;
	*ret = (struct chmap_info){ .nid = get32(b), .direction = b[4], .channels = b[5] };
	memcpy(ret->positions, b + 6, CHMAP_CHANNELS);
	return 0;
}

int io_message_init(struct sound *s, struct io_message *m, void *owner, uint32_t stream)
{
	memset(m, 0, sizeof(*m));
	m->owner = owner;
	m->header = mem_alloc(&s->mem, XFER_BYTES, 4);
	m->status = mem_alloc(&s->mem, STATUS_BYTES, 4);
	if (!m->header || !m->status)
		return complain(-ENOMEM, "guest memory is full (messages)");
	put32(mem_va(&s->mem, m->header), stream);
	return 0;
}

/* Cuts a span into n pieces, at odd offsets where its length allows that. */
static unsigned cut(struct element *out, uint64_t gpa, uint32_t len, bool write, unsigned n)
{
	uint32_t at = 0;

	if (n > len)
		n = len ? len : 1;
	for (unsigned i = 0; i < n; i++) {
		uint32_t end = i + 1 < n ? (uint32_t)((uint64_t)len * (i + 1) / n) : len;

		if (i + 1 < n && end % 2 == 0 && end + 1 < len)
			end++;
		if (end > len - (n - 1 - i))
			end = len - (n - 1 - i); /* a byte each for the rest */
		if (end <= at)
			end = at + 1;
		out[i] = (struct element){ .gpa = gpa + at, .len = end - at, .write = write };
		at = end;
	}
	return n;
}

static int send_message(struct sound *s, struct io_message *m, uint64_t data, uint32_t bytes,
	unsigned pieces)
{
	struct element e[PIECES_MAX];
	/* With enough of them, header and status are cut in two as well. */
	unsigned ends = pieces >= 8 ? 2 : 1;
	unsigned n;
	int err;

	assert(pieces >= 3 && pieces <= PIECES_MAX && !m->queued);
	n = cut(e, m->header, XFER_BYTES, false, ends);
	if (bytes)
		n += cut(e + n, data, bytes, m->input, pieces - 2 * ends);
	n += cut(e + n, m->status, STATUS_BYTES, true, ends);

	memset(mem_va(&s->mem, m->status), 0xa5, STATUS_BYTES);
	m->bytes = bytes;
	m->queued = true;
	err = ring_add(&s->ring[m->input ? Q_RX : Q_TX], e, n, m);
	if (err < 0)
		m->queued = false;
	return err;
}

int sound_send(struct sound *s, struct io_message *m, uint64_t data, uint32_t bytes,
	unsigned pieces)
{
	m->input = false;
	return send_message(s, m, data, bytes, pieces);
}

int sound_place(struct sound *s, struct io_message *m, uint64_t data, uint32_t bytes,
	unsigned pieces)
{
	m->input = true;
	return send_message(s, m, data, bytes, pieces);
}
