/* SPDX-License-Identifier: BSD-3-Clause */
/* One output stream that plays one file. */
#ifndef PROBE_PLAYER_H
#define PROBE_PLAYER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "probe/options.h"
#include "probe/sound.h"
#include "probe/source.h"
#include "probe/stats.h"

enum player_state {
	PLAYER_CLOSED,	/* before SET_PARAMS, after RELEASE */
	PLAYER_PREPARED,
	PLAYER_RUNNING,
	PLAYER_PAUSED,	/* by STOP */
	PLAYER_FINISHED /* all passes played */
};

struct player {
	struct sound *s;
	const struct options *o;
	struct source *source;
	uint32_t stream;
	struct pcm_params params;
	uint32_t frame_bytes, period_frames;
	uint64_t frames;   /* in a pass */
	uint64_t messages; /* in a pass */

	/* The hardware buffer: message n of a pass lives in slot n % slots. */
	uint32_t slots;
	struct io_message *message;
	uint64_t buffer; /* guest address */

	enum player_state state;
	uint32_t passes_left;
	uint64_t queued, filled, done; /* messages of this pass, in order */
	uint64_t frames_done;	       /* in this pass */
	bool paused_once;
	bool held; /* nothing new is queued */
	int64_t resume_ns;   /* PAUSED: when to START again */
	int64_t progress_ns; /* last sign of life */

	/* Measurements, over all passes. */
	int64_t started_ns, run_ns, last_done_ns;
	bool gap_void; /* the next completion has no meaningful predecessor */
	struct samples gaps, latencies;
	FILE *times; /* or NULL */
	uint64_t sent, frames_sent, completed, frames_completed, abandoned;
	uint64_t filled_late; /* came back before they were filled: noise was played */
	uint64_t status_errors, length_errors, out_of_order, ring_full, while_paused;
	uint32_t bad_status; /* the first one */
};

/* Reads the stream's offer, chooses format and sizes, allocates. */
int player_open(struct player *p, struct sound *s, const struct options *o, uint32_t stream);
void player_close(struct player *p);

/* SET_PARAMS, PREPARE, the buffer filled, START. */
int player_start(struct player *p);

/* A message came back; sound's io_done. */
void player_done(struct sound *s, struct io_message *m, uint32_t status, uint32_t latency_bytes,
	uint32_t len);

/* Does what is due: pause, resume, end.  May make requests.  Fails when
 * nothing came back for too long. */
int player_act(struct player *p);

/* When player_act() has something to do at the latest. */
int64_t player_deadline(const struct player *p);

/* The VM was stopped for that long. */
void player_was_suspended(struct player *p, int64_t duration_ns);

/* The device was reset: what was in flight is gone, begin anew. */
void player_was_reset(struct player *p);

#endif
