/* SPDX-License-Identifier: BSD-3-Clause */
/* What a back-end with an output to a file made of what was played. */
#ifndef PROBE_CONFORM_PLAYED_H
#define PROBE_CONFORM_PLAYED_H

#include "probe/conform/card.h"

/* A skip without --played and without hooks, or if the stream's samples cannot be told apart. */
int played_possible(struct conform *c, uint32_t stream);

/* Bytes at a place of an endless pattern that no silence resembles. */
void pattern_fill(uint8_t *p, uint64_t at, uint32_t bytes);

/* A message with the next bytes of the pattern; *at goes on. */
int pattern_send(struct conform *c, struct chain *ch, uint32_t stream, uint64_t *at,
	uint32_t bytes);

/* Ends the back-end and looks for the first `bytes` of the pattern in its file,
 * in one piece. */
int played_is_pattern(struct conform *c, uint32_t stream, uint64_t bytes);

/* The same, but silence may lie between the parts that end at these places. */
int played_has_parts(struct conform *c, uint32_t stream, const uint64_t *ends, unsigned parts);

/* Ends the back-end and reads what it has heard, as numbers from -1 to 1; the
 * caller frees them. */
int played_values(struct conform *c, uint32_t stream, unsigned channels, double **ret,
	size_t *ret_frames);

#endif
