/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/card.h"

#include <assert.h>

/* Add @n streams of a direction with their jacks and maps, like the library's. */
static void add(struct card *card, unsigned n, unsigned direction,
		const struct vsnd_settings *defaults, struct vsnd_settings *to)
{
	unsigned groups = n < CARD_GROUPS_MAX ? n : CARD_GROUPS_MAX;

	for (unsigned i = 0; i < n; i++) {
		card->stream[to->streams] = defaults->stream[direction];
		card->stream[to->streams++].nid = i % CARD_GROUPS_MAX;
	}
	for (unsigned i = 0; i < groups; i++) {
		card->jack[to->jacks] = defaults->jack[direction];
		card->jack[to->jacks++].nid = i;
	}
	for (unsigned i = 0; i < groups * CARD_CHMAPS; i++) {
		card->chmap[to->chmaps] =
			defaults->chmap[direction * CARD_CHMAPS + i % CARD_CHMAPS];
		card->chmap[to->chmaps++].nid = i / CARD_CHMAPS;
	}
}

void card_init(struct card *card, unsigned outputs, unsigned inputs, bool controls,
	       struct vsnd_settings *settings)
{
	struct vsnd_settings defaults;

	vsnd_settings_init(&defaults);
	assert(defaults.streams == CARD_DIRECTIONS && defaults.jacks == CARD_DIRECTIONS &&
	       defaults.chmaps == CARD_DIRECTIONS * CARD_CHMAPS);
	*settings = defaults;
	settings->streams = settings->jacks = settings->chmaps = 0;
	settings->stream = card->stream;
	settings->jack = card->jack;
	settings->chmap = card->chmap;
	add(card, outputs, VSND_OUTPUT, &defaults, settings);
	add(card, inputs, VSND_INPUT, &defaults, settings);
	if (controls) {
		settings->ctls = vsnd_ctl_defaults(settings, card->ctl, CARD_CTLS_MAX);
		settings->ctl = card->ctl;
	}
}
