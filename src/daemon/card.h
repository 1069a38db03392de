/* SPDX-License-Identifier: BSD-3-Clause */
/* The sound card that the guest gets: copies of the library's default streams, with a mixer if wanted. */
#ifndef VSND_DAEMON_CARD_H
#define VSND_DAEMON_CARD_H

#include <vsnd/vsnd.h>

/* Function groups; Linux makes a PCM device of each, streams being its substreams. */
#define CARD_GROUPS_MAX 8
/* Directions, and maps of each group in each. */
#define CARD_DIRECTIONS 2
#define CARD_CHMAPS 2
/* A volume and a switch for each stream and, above them, for each direction. */
#define CARD_CTLS_MAX (2 * VSND_STREAMS_MAX + 4)

struct card {
	struct vsnd_stream_settings stream[VSND_STREAMS_MAX];
	struct vsnd_jack_settings jack[CARD_DIRECTIONS * CARD_GROUPS_MAX];
	struct vsnd_chmap_settings chmap[CARD_DIRECTIONS * CARD_GROUPS_MAX * CARD_CHMAPS];
	struct vsnd_ctl_settings ctl[CARD_CTLS_MAX];
};

/*
 * Describe @outputs output streams and then @inputs input streams in @settings, which
 * points into @card afterwards.  An input shares its function group with the
 * output of the same number, as on usual sound cards.  @controls: with the usual
 * control elements.
 */
void card_init(struct card *card, unsigned outputs, unsigned inputs, bool controls,
	       struct vsnd_settings *settings);

#endif
