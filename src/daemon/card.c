/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/card.h"

#include <assert.h>

void card_init(struct card *card, unsigned streams, bool controls, struct vsnd_settings *settings)
{
	unsigned groups = streams < CARD_GROUPS_MAX ? streams : CARD_GROUPS_MAX;

	vsnd_settings_init(settings);
	assert(settings->streams == 1 && settings->jacks == 1 && settings->chmaps == CARD_CHMAPS);
	for (unsigned i = 0; i < streams; i++) {
		card->stream[i] = settings->stream[0];
		card->stream[i].nid = i % CARD_GROUPS_MAX;
	}
	for (unsigned i = 0; i < groups; i++) {
		card->jack[i] = settings->jack[0];
		card->jack[i].nid = i;
	}
	for (unsigned i = 0; i < groups * CARD_CHMAPS; i++) {
		card->chmap[i] = settings->chmap[i % CARD_CHMAPS];
		card->chmap[i].nid = i / CARD_CHMAPS;
	}
	settings->streams = streams;
	settings->jacks = groups;
	settings->chmaps = groups * CARD_CHMAPS;
	settings->stream = card->stream;
	settings->jack = card->jack;
	settings->chmap = card->chmap;
	if (controls) {
		settings->ctls = vsnd_ctl_defaults(settings, card->ctl, CARD_CTLS_MAX);
		settings->ctl = card->ctl;
	}
}
