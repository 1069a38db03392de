/* SPDX-License-Identifier: BSD-3-Clause */
/* The sound card that the guest gets: N times the library's default stream. */
#ifndef VSND_DAEMON_CARD_H
#define VSND_DAEMON_CARD_H

#include <vsnd/vsnd.h>

/* Function groups; Linux makes a PCM device of each, streams being its substreams. */
#define CARD_GROUPS_MAX 8
/* Maps of each group. */
#define CARD_CHMAPS 2

struct card {
	struct vsnd_stream_settings stream[VSND_STREAMS_MAX];
	struct vsnd_jack_settings jack[CARD_GROUPS_MAX];
	struct vsnd_chmap_settings chmap[CARD_GROUPS_MAX * CARD_CHMAPS];
};

/* Describe @streams output streams in @settings, which points into @card afterwards. */
void card_init(struct card *card, unsigned streams, struct vsnd_settings *settings);

#endif
