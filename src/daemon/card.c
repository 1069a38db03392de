/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/card.h"

#include <string.h>

#include "daemon/pin.h"

static void card_stream(const struct config_stream *s, struct vsnd_stream_settings *ret)
{
	*ret = (struct vsnd_stream_settings){
		.nid = s->group,
		.features = s->xrun_events == CONFIG_AUTO_YES ? VSND_STREAM_EVT_XRUNS : 0,
		.direction = s->direction,
		.channels_min = s->offer.channels_min,
		.channels_max = s->offer.channels_max,
		.formats = s->offer.formats,
		.rates = s->offer.rates,
	};
}

static void card_chmap(const struct config_chmap *m, struct vsnd_chmap_settings *ret)
{
	*ret = (struct vsnd_chmap_settings){
		.nid = m->group,
		.direction = m->direction,
		.channels = m->channels,
	};
	memcpy(ret->positions, m->positions, sizeof(ret->positions));
}

void card_init(struct card *card, const struct config *config, struct vsnd_settings *settings)
{
	vsnd_settings_init(settings);
	for (unsigned i = 0; i < config->streams; i++)
		card_stream(&config->stream[i], &card->stream[i]);
	for (unsigned i = 0; i < config->jacks; i++)
		pin_settings(&config->jack[i], &card->jack[i]);
	for (unsigned i = 0; i < config->chmaps; i++)
		card_chmap(&config->chmap[i], &card->chmap[i]);
	settings->streams = config->streams;
	settings->jacks = config->jacks;
	settings->chmaps = config->chmaps;
	settings->stream = card->stream;
	settings->jack = card->jack;
	settings->chmap = card->chmap;
	card->ctls = config->controls ? vsnd_ctl_defaults(settings, card->ctl, CARD_CTLS_MAX) : 0;
	settings->ctls = card->ctls;
	settings->ctl = card->ctl;
}
