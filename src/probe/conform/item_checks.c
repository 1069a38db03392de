/* SPDX-License-Identifier: BSD-3-Clause */
/* Jacks and channel maps: what the items say, and what jacks can be told. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/names.h"

#define JACK  24u
#define CHMAP 24u

/* High Definition Audio, 7.3.3.31 and 7.3.4.9. */
#define PIN_DEVICE_SHIFT    20
#define PIN_DEVICE_OUT_LAST 5u /* line out, speaker, headphones, CD, S/PDIF, digital */
#define PIN_DEVICE_IN_FIRST 8u /* line in, AUX, microphone, telephony, S/PDIF, digital */
#define PIN_DEVICE_IN_LAST  13u
#define PIN_CAP_OUT	    (1u << 4)
#define PIN_CAP_IN	    (1u << 5)

static int items(struct conform *c, unsigned kind, struct answer *a, uint32_t *ret_n)
{
	uint32_t n, bytes = kinds[kind].item_bytes;

	TRY(rig_up(c, NULL));
	n = kind_count(c, kind);
	if (!n)
		return skip(c, "the device has none");
	TRY(ctl_info(c, kinds[kind].code, 0, n, bytes, 4 + n * bytes, a));
	INSIST(c, a->status == SND_S_OK && a->len == 4 + n * bytes, "%s", kinds[kind].name);
	*ret_n = n;
	return 0;
}

static int jack_features(struct conform *c)
{
	struct answer a;
	uint32_t n;

	TRY(items(c, 0, &a, &n));
	for (uint32_t i = 0; i < n; i++)
		EXPECT_EQ(c, get32(a.chain.in + 4 + JACK * i + 4) & ~1u, 0,
			"undefined features of jack %u", i);
	return 0;
}

static int jack_padding(struct conform *c)
{
	struct answer a;
	uint32_t n;

	TRY(items(c, 0, &a, &n));
	for (uint32_t i = 0; i < n; i++)
		for (unsigned k = 17; k < JACK; k++)
			EXPECT_EQ(c, a.chain.in[4 + JACK * i + k], 0, "byte %u of jack %u", k, i);
	return 0;
}

static int jack_connected(struct conform *c)
{
	struct answer a;
	uint32_t n;

	TRY(items(c, 0, &a, &n));
	for (uint32_t i = 0; i < n; i++)
		EXPECT(c, a.chain.in[4 + JACK * i + 16] <= 1, "connected is %u for jack %u",
			a.chain.in[4 + JACK * i + 16], i);
	return 0;
}

static int remap(struct conform *c, uint32_t jack, uint32_t association, uint32_t sequence,
	uint32_t *ret_status)
{
	struct answer a;
	uint8_t q[16];

	put32(q, SND_R_JACK_REMAP);
	put32(q + 4, jack);
	put32(q + 8, association);
	put32(q + 12, sequence);
	TRY(ctl(c, q, sizeof(q), 4, &a));
	*ret_status = a.status;
	return 0;
}

static int remap_offered(struct conform *c)
{
	struct answer a, after;
	uint32_t n, status, i = 0;

	TRY(items(c, 0, &a, &n));
	while (i < n && !(get32(a.chain.in + 4 + JACK * i + 4) & 1))
		i++;
	if (i == n)
		return skip(c, "no jack has the feature REMAP");
	TRY(remap(c, i, 2, 1, &status));
	EXPECT_EQ(c, status, SND_S_OK, "JACK_REMAP of jack %u", i);
	TRY(ctl_info(c, SND_R_JACK_INFO, i, 1, JACK, 4 + JACK, &after));
	EXPECT_EQ(c, get32(after.chain.in + 4 + 8) & 0xff, 0x21,
		"association and sequence in the default configuration");
	return 0;
}

static int remap_not_offered(struct conform *c)
{
	struct answer a, after;
	uint32_t n, status;

	TRY(items(c, 0, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		if (get32(a.chain.in + 4 + JACK * i + 4) & 1)
			continue;
		TRY(remap(c, i, 2, 1, &status));
		EXPECT_EQ(c, status, SND_S_NOT_SUPP, "JACK_REMAP of jack %u without REMAP", i);
	}
	TRY(ctl_info(c, SND_R_JACK_INFO, 0, n, JACK, 4 + n * JACK, &after));
	EXPECT(c, !memcmp(a.chain.in, after.chain.in, 4 + n * JACK), "the jacks changed");
	return 0;
}

/* Values of 4 bits only, and a reset undoes it. */
static int remap_limits(struct conform *c)
{
	struct answer a, after;
	uint32_t n, status, i = 0;

	TRY(items(c, 0, &a, &n));
	while (i < n && !(get32(a.chain.in + 4 + JACK * i + 4) & 1))
		i++;
	if (i == n)
		return skip(c, "no jack has the feature REMAP");
	TRY(remap(c, i, 16, 1, &status));
	EXPECT_EQ(c, status, SND_S_BAD_MSG, "an association of 16");
	TRY(remap(c, i, 1, 16, &status));
	EXPECT_EQ(c, status, SND_S_BAD_MSG, "a sequence of 16");
	TRY(ctl_info(c, SND_R_JACK_INFO, i, 1, JACK, 4 + JACK, &after));
	EXPECT(c, !memcmp(after.chain.in + 4, a.chain.in + 4 + JACK * i, JACK),
		"a refused JACK_REMAP changed jack %u", i);
	TRY(remap(c, i, 3, 7, &status));
	EXPECT_EQ(c, status, SND_S_OK, "JACK_REMAP of jack %u", i);
	TRY(rig_reset(c));
	TRY(ctl_info(c, SND_R_JACK_INFO, i, 1, JACK, 4 + JACK, &after));
	EXPECT(c, !memcmp(after.chain.in + 4, a.chain.in + 4 + JACK * i, JACK),
		"JACK_REMAP outlives a reset");
	return 0;
}

/* What a pin's default device plays or records, its capabilities can. */
static int jack_pins(struct conform *c)
{
	struct answer a;
	uint32_t n, tried = 0;

	TRY(items(c, 0, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t defconf = get32(a.chain.in + 4 + JACK * i + 8);
		uint32_t caps = get32(a.chain.in + 4 + JACK * i + 12);
		uint32_t device = defconf >> PIN_DEVICE_SHIFT & 0xf;
		bool out = device <= PIN_DEVICE_OUT_LAST;
		bool in = device >= PIN_DEVICE_IN_FIRST && device <= PIN_DEVICE_IN_LAST;

		trace(c, "   jack %u: default device %u, capabilities 0x%x", i, device, caps);
		if (!defconf || !caps || !(out || in))
			continue;
		tried++;
		EXPECT(c, caps & (out ? PIN_CAP_OUT : PIN_CAP_IN),
			"jack %u is an %s and cannot be one", i, out ? "output" : "input");
	}
	return tried ? 0 : skip(c, "no jack has a default device and capabilities");
}

/* Maps can be asked for, not chosen. */
static int map_requests(struct conform *c)
{
	TRY(rig_up(c, NULL));
	for (uint32_t code = 0x201; code <= 0x2ff; code++) {
		uint8_t q[32] = { 0 };
		struct answer a;

		put32(q, code);
		TRY(ctl(c, q, sizeof(q), 64, &a));
		EXPECT_EQ(c, a.status, SND_S_NOT_SUPP, "request 0x%x", code);
	}
	return 0;
}

static int map_direction(struct conform *c)
{
	struct answer a;
	uint32_t n;

	TRY(items(c, 2, &a, &n));
	for (uint32_t i = 0; i < n; i++)
		EXPECT(c, a.chain.in[4 + CHMAP * i + 4] <= 1, "direction of map %u", i);
	return 0;
}

static int map_channels(struct conform *c)
{
	struct answer a;
	uint32_t n;

	TRY(items(c, 2, &a, &n));
	for (uint32_t i = 0; i < n; i++)
		EXPECT(c, a.chain.in[4 + CHMAP * i + 5] <= 18, "map %u has %u channels", i,
			a.chain.in[4 + CHMAP * i + 5]);
	return 0;
}

static int map_positions(struct conform *c)
{
	struct answer a;
	uint32_t n;

	TRY(items(c, 2, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *map = a.chain.in + 4 + CHMAP * i;

		for (unsigned k = 0; k < 18; k++)
			EXPECT(c, k < map[5] ? map[6 + k] < PCM_POSITIONS : !map[6 + k],
				"position %u of map %u is %u", k, i, map[6 + k]);
	}
	return 0;
}

static int map_fits_stream(struct conform *c)
{
	struct answer a;
	uint32_t n;

	TRY(items(c, 2, &a, &n));
	TRY(card_read(c));
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *map = a.chain.in + 4 + CHMAP * i;
		bool found = false;

		for (uint32_t s = 0; s < c->streams; s++)
			found = found || (c->pcm[s].nid == get32(map) &&
				c->pcm[s].direction == map[4] &&
				c->pcm[s].channels_max >= map[5]);
		EXPECT(c, found, "map %u of %u channels suits no stream", i, map[5]);
	}
	return 0;
}

#define JCK "virtio 1.4, Sound Device, Jack Information (device): "
#define MAP "virtio 1.4, Sound Device, Channel Map Information (device): "

const struct scenario item_scenarios[] = {
	{ .id = "SND-JACK-1", .title = "no undefined jack features", .run = jack_features,
		.clause = JCK "MUST NOT set undefined feature bits" },
	{ .id = "SND-JACK-2", .title = "padding of jacks is zero", .run = jack_padding,
		.clause = JCK "MUST initialize padding bytes to 0" },
	{ .id = "SND-JACK-3", .title = "connected is 0 or 1", .run = jack_connected,
		.clause = "VIRTIO_SND_R_JACK_INFO: connected" },
	{ .id = "SND-JACK-4", .title = "pins can do what their default device does",
		.run = jack_pins, .clause = "VIRTIO_SND_R_JACK_INFO: values of HDA 7.3.3.31, 7.3.4.9" },
	{ .id = "SND-JACK-5", .title = "REMAP where it is offered, and it shows",
		.run = remap_offered, .clause = "VIRTIO_SND_R_JACK_REMAP" },
	{ .id = "SND-JACK-6", .title = "REMAP where it is not offered",
		.run = remap_not_offered, .recommended = true,
		.clause = "VIRTIO_SND_R_JACK_REMAP: not supported" },
	{ .id = "SND-JACK-7", .title = "REMAP of values that HDA does not have, and a reset",
		.run = remap_limits, .recommended = true, .clause = "VIRTIO_SND_R_JACK_REMAP: silent" },
	{ .id = "SND-CHM-1", .title = "direction is output or input", .run = map_direction,
		.clause = MAP "MUST NOT set an undefined direction" },
	{ .id = "SND-CHM-2", .title = "18 channels at most", .run = map_channels,
		.clause = MAP "MUST NOT set more than VIRTIO_SND_CHMAP_MAX_SIZE" },
	{ .id = "SND-CHM-3", .title = "positions that Linux knows, the rest 0",
		.run = map_positions, .recommended = true,
		.clause = "a position beyond 36 makes Linux give up the card" },
	{ .id = "SND-CHM-4", .title = "a map suits a stream of its group",
		.run = map_fits_stream, .clause = "Channel Map Control Messages: the group's streams" },
	{ .id = "SND-CHM-5", .title = "there is no request that chooses a map",
		.run = map_requests, .recommended = true,
		.clause = "Channel Map Control Messages: CHMAP_INFO only" },
	{ 0 },
};
