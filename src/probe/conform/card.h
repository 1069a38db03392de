/* SPDX-License-Identifier: BSD-3-Clause */
/* What the device has, requests to it, and streams in a chosen state. */
#ifndef PROBE_CONFORM_CARD_H
#define PROBE_CONFORM_CARD_H

#include "probe/conform/conform.h"

struct answer {
	uint32_t status; /* 0: there was no room, or none came */
	uint32_t len;
	struct chain chain;
};

enum pcm_state { ST_INIT, ST_SET, ST_PREP, ST_RUN, ST_STOP, ST_REL, ST_COUNT };

extern const char *const state_names[ST_COUNT];

struct kind {
	const char *name;
	uint32_t code;
	uint32_t item_bytes;
};

#define KINDS 4 /* jacks, streams, channel maps, controls */

extern const struct kind kinds[KINDS];

/* How many the configuration space promises. */
uint32_t kind_count(const struct conform *c, unsigned kind);

/* A request of `bytes`, an answer of at most `room`.  Fails if none comes or
 * its status is none. */
int ctl(struct conform *c, const void *request, uint32_t bytes, uint32_t room,
	struct answer *ret);
int ctl_info(struct conform *c, uint32_t code, uint32_t start, uint32_t count, uint32_t size,
	uint32_t room, struct answer *ret);
int ctl_pcm(struct conform *c, uint32_t code, uint32_t stream, uint32_t *ret_status);
int ctl_params(struct conform *c, uint32_t stream, const struct pcm_params *p,
	uint32_t *ret_status);
void put_params(uint8_t *request, uint32_t stream, const struct pcm_params *p);

/* The same, and the status must be OK. */
int must_pcm(struct conform *c, uint32_t code, uint32_t stream);
int must_params(struct conform *c, uint32_t stream, const struct pcm_params *p);

/* Reads all stream items; rig_up() must have been. */
int card_read(struct conform *c);

/* The n-th stream of a direction, or a skip. */
int stream_pick(struct conform *c, unsigned direction, unsigned n, uint32_t *ret);

/* Up with the usual set-up, and the first stream of that direction. */
int up_with(struct conform *c, unsigned direction, uint32_t *ret_stream);

/* 10 ms periods, 4 of them, S16 stereo at 48 kHz where that is offered. */
struct pcm_params stream_params(const struct conform *c, uint32_t stream);
uint32_t frame_bytes(const struct pcm_params *p);
uint32_t rate_of(const struct pcm_params *p);

/* From INIT. */
int stream_bring(struct conform *c, uint32_t stream, enum pcm_state state);

/* A PCM_INFO for the first stream, with room for the answer; not posted. */
#define INFO_ROOM 36u
int info_request(struct conform *c, struct chain *ch);

/* Header and status of an I/O message; not posted. */
int tx_init(struct conform *c, struct chain *ch, uint32_t stream, uint32_t bytes);
int rx_init(struct conform *c, struct chain *ch, uint32_t stream, uint32_t bytes);
int tx_send(struct conform *c, struct chain *ch, uint32_t stream, uint32_t bytes);
int rx_send(struct conform *c, struct chain *ch, uint32_t stream, uint32_t bytes);
int io_send(struct conform *c, struct chain *ch, uint32_t stream, uint32_t bytes); /* by direction */
uint32_t io_status(const struct chain *ch);
uint32_t io_latency(const struct chain *ch);

/* A message came back with IO_ERR, or with nothing written at all. */
int io_refused(struct conform *c, const struct chain *ch, const char *what);
int io_ok(struct conform *c, const struct chain *ch, const char *what);

/* The device still answers. */
int still_works(struct conform *c);

#endif
