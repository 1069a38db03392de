/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hosted voices (hosted.h) of a back-end whose audio thread is several threads by
 * turns (turns.h): which of them run, and a device cycle around what is done to them.
 *
 * The list belongs to who has the turn.  Each turn says when the next is due.
 */
#ifndef VSND_AUDIO_HOSTED_LIST_H
#define VSND_AUDIO_HOSTED_LIST_H

#include <stdatomic.h>

#include "audio/hosted.h"
#include "audio/turns.h"

struct hosted_list {
	struct vsnd *dev;	/* constant */

	/* Who has the turn. */
	struct hosted *voices;	/* those that run */
	int64_t now_ns;		/* when the turn began */
};

struct hosted_voice {
	struct hosted hosted;		/* who has the turn.  First: the list finds the rest by it */
	struct hosted_list *list;	/* constant */
	atomic_bool there;	/* the host can be expected to call.  Any thread's */
};

/* Any thread. */
void hosted_list_init(struct hosted_list *list, struct vsnd *dev);

/* For turns_create(): a turn of our own thread.  @ctx: the list. */
int64_t hosted_list_turn(void *ctx, int64_t now_ns);

/*
 * A turn of the host's thread, which has it: between these two, hosted_take() and
 * hosted_give() may be called.  The begin may start or stop voices, as the control thread
 * wants it.  Returns when the next turn is due.
 */
void hosted_list_begin(struct hosted_list *list, int64_t now_ns);
int64_t hosted_list_end(struct hosted_list *list);

/* Control thread.  0 or -ENOMEM. */
int hosted_voice_init(struct hosted_voice *v, struct hosted_list *list, struct vsnd_stream *stream,
		const struct vsnd_voice_params *params);

/* Control thread: have it done on the audio thread. */
void hosted_voice_start(struct hosted_voice *v);
void hosted_voice_stop(struct hosted_voice *v);
void hosted_voice_flush(struct hosted_voice *v);

#endif
