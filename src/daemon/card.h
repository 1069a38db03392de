/* SPDX-License-Identifier: BSD-3-Clause */
/* The sound card that the guest gets, as the library wants it described. */
#ifndef VSND_DAEMON_CARD_H
#define VSND_DAEMON_CARD_H

#include <vsnd/vsnd.h>

#include "daemon/config.h"

/* A volume and a switch for each stream and, above them, for each direction. */
#define CARD_CTLS_MAX (2 * VSND_STREAMS_MAX + 4)
/* Room behind them, for who has more. */
#define CARD_CTLS_EXTRA 16

struct card {
	struct vsnd_stream_settings stream[VSND_STREAMS_MAX];
	struct vsnd_jack_settings jack[VSND_JACKS_MAX];
	struct vsnd_chmap_settings chmap[VSND_CHMAPS_MAX];
	unsigned ctls;	/* the usual ones, which come first */
	struct vsnd_ctl_settings ctl[CARD_CTLS_MAX + CARD_CTLS_EXTRA];
};

/* Describe a complete configuration in @settings, which points into @card afterwards. */
void card_init(struct card *card, const struct config *config, struct vsnd_settings *settings);

#endif
