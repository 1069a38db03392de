/* SPDX-License-Identifier: BSD-3-Clause */
/* One input stream that is recorded to a file. */
#ifndef PROBE_RECORDER_H
#define PROBE_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/options.h"
#include "probe/sink.h"
#include "probe/sound.h"
#include "probe/stats.h"

enum recorder_state {
	RECORDER_CLOSED,
	RECORDER_RUNNING,
	RECORDER_PAUSED,	/* by STOP */
	RECORDER_RELEASING,	/* what comes back now may be short */
	RECORDER_FINISHED
};

struct recorder {
	struct sound *s;
	const struct options *o;
	struct sink *sink;
	uint32_t stream;
	struct pcm_params params;
	uint32_t frame_bytes, period_frames;
	uint64_t frames; /* wanted */

	/* The hardware buffer: message n lives in slot n % slots. */
	uint32_t slots;
	struct io_message *message;
	uint64_t buffer; /* guest address */

	enum recorder_state state;
	uint64_t placed, done;	/* messages, in order */
	bool paused_once, starved_once;
	bool held; /* nothing new is placed */
	int64_t resume_ns;   /* PAUSED or starving: when to go on */
	int64_t progress_ns; /* last sign of life */
	int write_error;

	int64_t started_ns, run_ns, last_done_ns;
	bool gap_void; /* the next completion has no meaningful predecessor */
	struct samples gaps, latencies;
	uint64_t frames_done, bytes_released; /* recorded; of these, by RELEASE */
	uint64_t status_errors, length_errors, out_of_order, ring_full, while_paused;
	uint64_t unwritten; /* messages whose used length covers bytes never written */
	uint32_t bad_status, bad_length;
};

/* Reads the stream's offer, chooses format and sizes, allocates, opens the file. */
int recorder_open(struct recorder *r, struct sound *s, const struct options *o, uint32_t stream);
/* 0 or negative errno: the file could not be finished. */
int recorder_close(struct recorder *r);

/* SET_PARAMS, PREPARE, the buffer queued empty, START. */
int recorder_start(struct recorder *r);

/* A message came back; as io_done. */
void recorder_done(struct recorder *r, struct io_message *m, uint32_t status,
	uint32_t latency_bytes, uint32_t len);

/* Does what is due: pause, resume, end. */
int recorder_act(struct recorder *r);
int64_t recorder_deadline(const struct recorder *r);

/* The VM was stopped for that long. */
void recorder_was_suspended(struct recorder *r, int64_t duration_ns);

#endif
