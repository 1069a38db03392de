/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests and I/O messages as most scenarios need them. */
#include "probe/conform/card.h"

#include <string.h>

#include "probe/bytes.h"
#include "probe/names.h"

const char *const state_names[ST_COUNT] = { "INIT", "SET", "PREPARED", "RUNNING", "STOPPED",
	"RELEASED" };

const struct kind kinds[KINDS] = {
	{ "JACK_INFO", SND_R_JACK_INFO, 24 },
	{ "PCM_INFO", SND_R_PCM_INFO, 32 },
	{ "CHMAP_INFO", SND_R_CHMAP_INFO, 24 },
	{ "CTL_INFO", SND_R_CTL_INFO, 96 },
};

uint32_t kind_count(const struct conform *c, unsigned kind)
{
	const uint32_t counts[KINDS] = { c->rig.counts.jacks, c->rig.counts.streams,
		c->rig.counts.chmaps, c->rig.counts.controls };

	return counts[kind];
}

int ctl(struct conform *c, const void *request, uint32_t bytes, uint32_t room,
	struct answer *ret)
{
	struct answer a = { 0 };
	uint32_t code = bytes >= 4 ? get32(request) : 0;

	TRY(chain_init(c, &a.chain, Q_CONTROL, bytes, room));
	memcpy(a.chain.out, request, bytes);
	trace(c, "-> %s (0x%x), %u bytes, room for %u", request_name(code), code, bytes, room);
	/* The chain must stay where it is while it is posted. */
	ret->chain = a.chain;
	TRY(chain_send(c, &ret->chain));
	TRY(chain_wait(c, &ret->chain));
	ret->len = ret->chain.len;
	ret->status = room >= 4 && ret->len >= 4 ? get32(ret->chain.in) : 0;
	trace(c, "<- status 0x%x %s, used length %u", ret->status, status_name(ret->status),
		ret->len);
	INSIST(c, chain_guards_intact(&ret->chain), "the device wrote outside the buffers of %s",
		request_name(code));
	if (room < 4)
		return 0;
	INSIST(c, ret->len >= 4, "%s came back with a used length of %u: no status",
		request_name(code), ret->len);
	INSIST(c, ret->status >= SND_S_OK && ret->status <= SND_S_IO_ERR,
		"%s was answered with 0x%x, which is no status", request_name(code), ret->status);
	return 0;
}

int ctl_info(struct conform *c, uint32_t code, uint32_t start, uint32_t count, uint32_t size,
	uint32_t room, struct answer *ret)
{
	uint8_t q[16];

	put32(q, code);
	put32(q + 4, start);
	put32(q + 8, count);
	put32(q + 12, size);
	trace(c, "   items from %u, %u of them, %u bytes each", start, count, size);
	return ctl(c, q, sizeof(q), room, ret);
}

int ctl_pcm(struct conform *c, uint32_t code, uint32_t stream, uint32_t *ret_status)
{
	struct answer a;
	uint8_t q[8];

	put32(q, code);
	put32(q + 4, stream);
	trace(c, "   stream %u", stream);
	TRY(ctl(c, q, sizeof(q), 4, &a));
	*ret_status = a.status;
	return 0;
}

void put_params(uint8_t *q, uint32_t stream, const struct pcm_params *p)
{
	memset(q, 0, 24);
	put32(q, SND_R_PCM_SET_PARAMS);
	put32(q + 4, stream);
	put32(q + 8, p->buffer_bytes);
	put32(q + 12, p->period_bytes);
	put32(q + 16, p->features);
	q[20] = p->channels;
	q[21] = p->format;
	q[22] = p->rate;
}

int ctl_params(struct conform *c, uint32_t stream, const struct pcm_params *p,
	uint32_t *ret_status)
{
	struct answer a;
	uint8_t q[24];

	put_params(q, stream, p);
	trace(c, "   stream %u: buffer %u, period %u, features 0x%x, %u channels, format %u, rate %u",
		stream, p->buffer_bytes, p->period_bytes, p->features, p->channels, p->format,
		p->rate);
	TRY(ctl(c, q, sizeof(q), 4, &a));
	*ret_status = a.status;
	return 0;
}

int must_pcm(struct conform *c, uint32_t code, uint32_t stream)
{
	uint32_t status;

	TRY(ctl_pcm(c, code, stream, &status));
	INSIST_EQ(c, status, SND_S_OK, "%s of stream %u", request_name(code), stream);
	return 0;
}

int must_params(struct conform *c, uint32_t stream, const struct pcm_params *p)
{
	uint32_t status;

	TRY(ctl_params(c, stream, p, &status));
	INSIST_EQ(c, status, SND_S_OK, "SET_PARAMS of stream %u", stream);
	return 0;
}

static void decode_pcm(struct pcm_info *ret, const uint8_t *b)
{
	*ret = (struct pcm_info){ .nid = get32(b), .features = get32(b + 4),
		.formats = get64(b + 8), .rates = get64(b + 16), .direction = b[24],
		.channels_min = b[25], .channels_max = b[26] };
}

int card_read(struct conform *c)
{
	uint32_t n = c->rig.counts.streams;
	struct answer a;

	if (c->card_known)
		return 0;
	if (n > PCM_MAX)
		n = PCM_MAX;
	if (n) {
		TRY(ctl_info(c, SND_R_PCM_INFO, 0, n, 32, 4 + 32 * n, &a));
		INSIST_EQ(c, a.status, SND_S_OK, "PCM_INFO of all streams");
		INSIST_EQ(c, a.len, 4 + 32 * n, "its used length");
	}
	for (uint32_t i = 0; i < n; i++)
		decode_pcm(&c->pcm[i], a.chain.in + 4 + (size_t)32 * i);
	c->streams = n;
	c->card_known = true;
	return 0;
}

int stream_pick(struct conform *c, unsigned direction, unsigned n, uint32_t *ret)
{
	unsigned seen = 0;

	TRY(card_read(c));
	for (uint32_t i = 0; i < c->streams; i++)
		if (c->pcm[i].direction == direction && seen++ == n) {
			*ret = i;
			return 0;
		}
	return skip(c, "the device has %u %s streams, %u are needed", seen,
		direction == SND_D_OUTPUT ? "output" : "input", n + 1);
}

int up_with(struct conform *c, unsigned direction, uint32_t *ret_stream)
{
	TRY(rig_up(c, NULL));
	return stream_pick(c, direction, 0, ret_stream);
}

static uint8_t lowest(uint64_t mask)
{
	return mask ? (uint8_t)__builtin_ctzll(mask) : 0;
}

/* Whole bytes, and S16 if there is a choice. */
static uint8_t choose_format(uint64_t formats)
{
	int s16 = pcm_format_find("S16");

	if (s16 >= 0 && formats & BIT(s16))
		return (uint8_t)s16;
	for (uint8_t i = 0; i < PCM_FORMATS; i++)
		if (formats & BIT(i) && pcm_formats[i].bytes)
			return i;
	return lowest(formats);
}

uint32_t frame_bytes(const struct pcm_params *p)
{
	uint32_t sample = p->format < PCM_FORMATS ? pcm_formats[p->format].bytes : 1;

	return (sample ? sample : 1) * p->channels;
}

uint32_t rate_of(const struct pcm_params *p)
{
	return p->rate < PCM_RATES ? pcm_rates[p->rate] : 48000;
}

struct pcm_params stream_params(const struct conform *c, uint32_t stream)
{
	const struct pcm_info *i = &c->pcm[stream];
	int r48 = pcm_rate_find(48000);
	struct pcm_params p = { .format = choose_format(i->formats), .channels = i->channels_min };

	if (i->channels_min <= 2 && i->channels_max >= 2)
		p.channels = 2;
	p.rate = r48 >= 0 && i->rates & BIT(r48) ? (uint8_t)r48 : lowest(i->rates);
	p.period_bytes = rate_of(&p) / 100 * frame_bytes(&p);
	p.buffer_bytes = 4 * p.period_bytes;
	return p;
}

int stream_bring(struct conform *c, uint32_t stream, enum pcm_state state)
{
	struct pcm_params p = stream_params(c, stream);

	if (state >= ST_SET)
		TRY(must_params(c, stream, &p));
	if (state >= ST_PREP)
		TRY(must_pcm(c, SND_R_PCM_PREPARE, stream));
	if (state >= ST_RUN)
		TRY(must_pcm(c, SND_R_PCM_START, stream));
	if (state >= ST_STOP)
		TRY(must_pcm(c, SND_R_PCM_STOP, stream));
	if (state >= ST_REL)
		TRY(must_pcm(c, SND_R_PCM_RELEASE, stream));
	return 0;
}

int info_request(struct conform *c, struct chain *ch)
{
	TRY(chain_init(c, ch, Q_CONTROL, 16, INFO_ROOM));
	put32(ch->out, SND_R_PCM_INFO);
	put32(ch->out + 8, 1);
	put32(ch->out + 12, 32);
	return 0;
}

int tx_init(struct conform *c, struct chain *ch, uint32_t stream, uint32_t bytes)
{
	TRY(chain_init(c, ch, Q_TX, XFER_BYTES + bytes, STATUS_BYTES));
	put32(ch->out, stream);
	return 0;
}

int rx_init(struct conform *c, struct chain *ch, uint32_t stream, uint32_t bytes)
{
	TRY(chain_init(c, ch, Q_RX, XFER_BYTES, bytes + STATUS_BYTES));
	put32(ch->out, stream);
	return 0;
}

int tx_send(struct conform *c, struct chain *ch, uint32_t stream, uint32_t bytes)
{
	TRY(tx_init(c, ch, stream, bytes));
	trace(c, "-> output message for stream %u, %u bytes of frames", stream, bytes);
	return chain_send(c, ch);
}

int rx_send(struct conform *c, struct chain *ch, uint32_t stream, uint32_t bytes)
{
	TRY(rx_init(c, ch, stream, bytes));
	trace(c, "-> input message for stream %u, room for %u bytes of frames", stream, bytes);
	return chain_send(c, ch);
}

int io_send(struct conform *c, struct chain *ch, uint32_t stream, uint32_t bytes)
{
	if (c->pcm[stream].direction == SND_D_INPUT)
		return rx_send(c, ch, stream, bytes);
	return tx_send(c, ch, stream, bytes);
}

/* Behind the frames of an input message, at the start of the other. */
static const uint8_t *status_place(const struct chain *ch)
{
	return ch->queue == Q_RX ? ch->in + ch->in_bytes - STATUS_BYTES : ch->in;
}

uint32_t io_status(const struct chain *ch)
{
	return ch->done && ch->in_bytes >= STATUS_BYTES ? get32(status_place(ch)) : 0;
}

uint32_t io_latency(const struct chain *ch)
{
	return get32(status_place(ch) + 4);
}

int io_refused(struct conform *c, const struct chain *ch, const char *what)
{
	if (ch->len == 0) {
		trace(c, "<- %s: returned with nothing written", what);
		return 0;
	}
	trace(c, "<- %s: status 0x%x, latency %u, used length %u", what, io_status(ch),
		io_latency(ch), ch->len);
	EXPECT_EQ(c, io_status(ch), SND_S_IO_ERR, "status of %s", what);
	return 0;
}

int io_ok(struct conform *c, const struct chain *ch, const char *what)
{
	trace(c, "<- %s: status 0x%x, latency %u, used length %u", what, io_status(ch),
		io_latency(ch), ch->len);
	EXPECT_EQ(c, io_status(ch), SND_S_OK, "status of %s", what);
	return 0;
}

int still_works(struct conform *c)
{
	struct answer a;

	TRY(ctl_info(c, SND_R_PCM_INFO, 0, 1, 32, 36, &a));
	EXPECT(c, a.status == SND_S_OK || !c->rig.counts.streams,
		"a plain PCM_INFO is answered with %s after this", status_name(a.status));
	return 0;
}
