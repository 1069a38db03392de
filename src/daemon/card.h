/* SPDX-License-Identifier: BSD-3-Clause */
/* The sound card that the guest gets: copies of the library's default streams. */
#ifndef VSND_DAEMON_CARD_H
#define VSND_DAEMON_CARD_H

#include <vsnd/vsnd.h>

/* Function groups; Linux makes a PCM device of each, streams being its substreams. */
#define CARD_GROUPS_MAX 8
/* Directions, and maps of each group in each. */
#define CARD_DIRECTIONS 2
#define CARD_CHMAPS 2

struct card {
	struct vsnd_stream_settings stream[VSND_STREAMS_MAX];
	struct vsnd_jack_settings jack[CARD_DIRECTIONS * CARD_GROUPS_MAX];
	struct vsnd_chmap_settings chmap[CARD_DIRECTIONS * CARD_GROUPS_MAX * CARD_CHMAPS];
};

/*
 * Describe @outputs output streams and then @inputs input streams in @settings, which
 * points into @card afterwards.  An input shares its function group with the
 * output of the same number, as on usual sound cards.
 */
void card_init(struct card *card, unsigned outputs, unsigned inputs,
	       struct vsnd_settings *settings);

#endif
