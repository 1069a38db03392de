/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The daemon with everything on its card: for scenarios of `vsnd-probe conform`
 * that ask for what the daemon does not offer.
 *
 * It is linked with --wrap=card_init: what the options describe comes first, then
 * all streams tell of xruns, the first jack can be remapped, and behind the
 * controls there is one of every kind that a driver may meet.
 */
#include "daemon/card.h"

#include <string.h>

#define RW (VSND_CTL_READ | VSND_CTL_WRITE)

void __real_card_init(struct card *card, const struct config *config,
		      struct vsnd_settings *settings);
void __wrap_card_init(struct card *card, const struct config *config,
		      struct vsnd_settings *settings);

static const char *const sources[] = { "Line", "Microphone", "Mix" };

/* A container type of ALSA's user space, and eight bytes. */
static const uint32_t notes[] = { 0x56535344, 8, 1, 2 };

static const struct vsnd_ctl_settings more[] = {
	{ .type = VSND_CTL_INTEGER64, .access = RW, .count = 1, .name = "Offset",
	  .min = -((int64_t)1 << 40), .max = (int64_t)1 << 40, .step = 2 },
	{ .type = VSND_CTL_ENUMERATED, .access = RW, .count = 2, .name = "Source", .items = 3,
	  .item = sources },
	{ .type = VSND_CTL_BYTES, .access = RW | VSND_CTL_TLV_READ | VSND_CTL_TLV_WRITE, .count = 16,
	  .name = "Coefficients", .tlv = notes },
	{ .type = VSND_CTL_IEC958, .access = RW, .count = 1, .name = "IEC958 Playback Default" },
	{ .type = VSND_CTL_INTEGER, .access = VSND_CTL_READ | VSND_CTL_VOLATILE, .count = 1,
	  .name = "Temperature", .max = 100, .step = 1 },
	{ .type = VSND_CTL_INTEGER, .access = VSND_CTL_WRITE, .count = 1, .name = "Trigger",
	  .max = 1, .step = 1 },
	{ .type = VSND_CTL_INTEGER, .access = RW | VSND_CTL_INACTIVE, .count = 2,
	  .name = "Loudness", .max = 7, .step = 1 },
	/* The same name, told apart by the index; metadata that nobody has written yet. */
	{ .type = VSND_CTL_BYTES, .access = RW | VSND_CTL_TLV_READ | VSND_CTL_TLV_WRITE, .count = 512,
	  .name = "Coefficients", .index = 1 },
};

void __wrap_card_init(struct card *card, const struct config *config,
		      struct vsnd_settings *settings)
{
	unsigned n;

	__real_card_init(card, config, settings);
	for (unsigned i = 0; i < settings->streams; i++)
		card->stream[i].features |= VSND_STREAM_EVT_XRUNS;
	if (settings->jacks)
		card->jack[0].features |= VSND_JACK_REMAP;
	n = sizeof(more) / sizeof(more[0]);
	if (n > CARD_CTLS_MAX - settings->ctls)
		n = CARD_CTLS_MAX - settings->ctls;
	memcpy(&card->ctl[settings->ctls], more, n * sizeof(more[0]));
	settings->ctl = card->ctl;
	settings->ctls += n;
}
