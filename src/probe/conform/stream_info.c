/* SPDX-License-Identifier: BSD-3-Clause */
/* What PCM_INFO may say, and that what it says is true. */
#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/names.h"

static int up_and_read(struct conform *c)
{
	TRY(rig_up(c, NULL));
	TRY(card_read(c));
	return c->streams ? 0 : skip(c, "the device has no streams");
}

static int features(struct conform *c)
{
	TRY(up_and_read(c));
	for (uint32_t i = 0; i < c->streams; i++)
		EXPECT_EQ(c, c->pcm[i].features & ~0x1fu, 0, "undefined features of stream %u", i);
	return 0;
}

static int formats(struct conform *c)
{
	TRY(up_and_read(c));
	for (uint32_t i = 0; i < c->streams; i++) {
		EXPECT_EQ(c, c->pcm[i].formats >> 25, 0, "undefined formats of stream %u", i);
		EXPECT(c, c->pcm[i].formats, "stream %u has no format", i);
	}
	return 0;
}

static int rates(struct conform *c)
{
	TRY(up_and_read(c));
	for (uint32_t i = 0; i < c->streams; i++) {
		EXPECT_EQ(c, c->pcm[i].rates >> 16, 0, "undefined rates of stream %u", i);
		EXPECT(c, c->pcm[i].rates, "stream %u has no rate", i);
	}
	return 0;
}

static int direction(struct conform *c)
{
	TRY(up_and_read(c));
	for (uint32_t i = 0; i < c->streams; i++)
		EXPECT(c, c->pcm[i].direction <= 1, "stream %u has direction %u", i,
			c->pcm[i].direction);
	return 0;
}

static int padding(struct conform *c)
{
	struct answer a;

	TRY(up_and_read(c));
	TRY(ctl_info(c, SND_R_PCM_INFO, 0, c->streams, 32, 4 + 32 * c->streams, &a));
	for (uint32_t i = 0; i < c->streams; i++)
		for (unsigned k = 27; k < 32; k++)
			EXPECT_EQ(c, a.chain.in[4 + 32 * i + k], 0, "padding byte %u of stream %u",
				k - 27, i);
	return 0;
}

static int no_shared_memory(struct conform *c)
{
	TRY(up_and_read(c));
	for (uint32_t i = 0; i < c->streams; i++)
		EXPECT_EQ(c, c->pcm[i].features & 0x0b, 0, "shared memory features of stream %u",
			i);
	return 0;
}

static int linux_can_use(struct conform *c)
{
	TRY(up_and_read(c));
	for (uint32_t i = 0; i < c->streams; i++) {
		EXPECT(c, c->pcm[i].channels_min && c->pcm[i].channels_min <= c->pcm[i].channels_max,
			"stream %u has %u to %u channels", i, c->pcm[i].channels_min,
			c->pcm[i].channels_max);
		EXPECT(c, c->pcm[i].rates & 0x3fff, "stream %u has no rate that Linux knows", i);
		EXPECT(c, c->pcm[i].formats & 0x1ffffff, "stream %u has no format", i);
	}
	return 0;
}

static int try_params(struct conform *c, uint32_t stream, uint8_t format, uint8_t rate,
	uint8_t channels)
{
	struct pcm_params p = { .format = format, .rate = rate, .channels = channels };
	uint32_t status;

	p.period_bytes = rate_of(&p) / 100 * frame_bytes(&p);
	p.buffer_bytes = 4 * p.period_bytes;
	TRY(ctl_params(c, stream, &p, &status));
	EXPECT_EQ(c, status, SND_S_OK, "SET_PARAMS of stream %u: %s, %u Hz, %u channels", stream,
		pcm_formats[format].name, pcm_rates[rate], channels);
	return 0;
}

static int all_selectable(struct conform *c)
{
	TRY(up_and_read(c));
	for (uint32_t i = 0; i < c->streams && i < 4; i++)
		for (uint8_t f = 0; f < PCM_FORMATS; f++)
			for (uint8_t r = 0; r < PCM_RATES; r++) {
				const struct pcm_info *p = &c->pcm[i];

				if (!(p->formats & BIT(f)) || !(p->rates & BIT(r)))
					continue;
				TRY(try_params(c, i, f, r, p->channels_min));
				TRY(try_params(c, i, f, r, p->channels_max));
			}
	return 0;
}

static int small_groups(struct conform *c)
{
	TRY(up_and_read(c));
	for (uint32_t i = 0; i < c->streams; i++)
		EXPECT(c, c->pcm[i].nid < 256, "stream %u is in group %u", i, c->pcm[i].nid);
	return 0;
}

static int no_polling(struct conform *c)
{
	TRY(up_and_read(c));
	for (uint32_t i = 0; i < c->streams; i++)
		EXPECT_EQ(c, c->pcm[i].features & 4, 0, "MSG_POLLING of stream %u", i);
	return 0;
}

#define INF "virtio 1.4, Sound Device, Stream Information (device): "

const struct scenario stream_info_scenarios[] = {
	{ .id = "SND-PINF-1", .title = "no undefined features", .run = features,
		.clause = INF "MUST NOT set undefined feature bits" },
	{ .id = "SND-PINF-2", .title = "no undefined formats, at least one", .run = formats,
		.clause = INF "MUST NOT set undefined format bits" },
	{ .id = "SND-PINF-3", .title = "no undefined rates, at least one", .run = rates,
		.clause = INF "MUST NOT set undefined rate bits" },
	{ .id = "SND-PINF-4", .title = "direction is output or input", .run = direction,
		.clause = INF "MUST NOT set an undefined direction" },
	{ .id = "SND-PINF-5", .title = "padding is zero", .run = padding,
		.clause = INF "MUST initialize padding bytes to 0" },
	{ .id = "SND-PINF-6", .title = "no shared memory features", .run = no_shared_memory,
		.recommended = true,
		.clause = "VIRTIO_SND_R_PCM_INFO: placeholders that no driver can use" },
	{ .id = "SND-PINF-7", .title = "channels, rates and formats that Linux accepts",
		.run = linux_can_use, .recommended = true,
		.clause = "one stream that it refuses makes Linux give up the whole card" },
	{ .id = "SND-PINF-8", .title = "everything advertised can be selected",
		.run = all_selectable, .clause = "VIRTIO_SND_R_PCM_INFO: what the stream supports" },
	{ .id = "SND-PINF-10", .title = "function groups have small numbers", .run = small_groups,
		.recommended = true, .clause = "Linux makes them the PCM devices' numbers" },
	{ .id = "SND-PSET-17", .title = "MSG_POLLING is not advertised", .run = no_polling,
		.recommended = true,
		.clause = "Linux always takes it, and then never kicks the I/O queues" },
	{ 0 },
};
