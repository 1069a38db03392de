/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scenarios with a hand on the back-end's host side: its clock moves when they say
 * so, and nothing has to be waited for.  All return what TRY() passes on; a
 * back-end without hooks, or without the command, is a skip that says so.
 */
#ifndef PROBE_CONFORM_HOOK_H
#define PROBE_CONFORM_HOOK_H

#include <jansson.h>

#include "probe/conform/card.h"

/* Opens the hooks, and all is as at the start.  rig_up() must have been. */
int rig_hooks(struct conform *c);
/* And the clock is ours. */
int hook_manual(struct conform *c);
/* Up with the usual set-up, hooks, our clock, and the first stream of that direction. */
int hook_up(struct conform *c, unsigned direction, uint32_t *ret_stream);

/* A command with arguments as json_pack() has them. */
int hook(struct conform *c, const char *command, const char *args, ...);
int hook_ask(struct conform *c, json_t **ret, const char *command, const char *args, ...);

/* Moves the clock, and takes what came of it. */
int hook_advance(struct conform *c, uint32_t frames, unsigned cycles);

/* A number of test-stream or test-counters. */
int hook_stream(struct conform *c, uint32_t stream, const char *name, uint64_t *ret);
int hook_counter(struct conform *c, const char *name, uint64_t *ret);

/* What a stream has played; valid until the next call. */
int hook_played(struct conform *c, uint32_t stream, const uint8_t **ret, size_t *ret_bytes);
/* ... is the pattern's first `bytes` from `from` on, then `silence` bytes of 0. */
int hook_heard(struct conform *c, uint32_t stream, uint64_t from, size_t bytes, size_t silence);

/* As stream_params(), but with a buffer of n periods: with less than a buffer in flight
 * no message has to wait for the driver to notice another. */
struct pcm_params roomy_params(const struct conform *c, uint32_t stream, unsigned periods);
/* From INIT. */
int hook_prepare(struct conform *c, uint32_t stream, const struct pcm_params *p);

int hook_plug(struct conform *c, uint32_t jack, bool connected);

/* Buffers for events, of so many bytes, and a kick. */
int events_give(struct conform *c, struct chain *ch, unsigned n, uint32_t bytes);
/* Events since the last call: exactly this one, or none (code 0). */
int hook_one_event(struct conform *c, uint32_t code, uint32_t data);

#endif
