/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two threads that are the audio thread by turns: one of the host's, which calls us
 * once in each of its cycles, and one of ours (`vsnd-audio`), which sees to it
 * that time goes on when the host does not call, and between two calls.
 *
 * The hand-over is one atomic word, the owner.  Who wants a turn tries to put itself
 * in the place of NOBODY (acquire), and puts NOBODY back when the turn is over
 * (release).  So turns never overlap, and each sees what the one before wrote.
 * Nobody waits for the word:
 *
 *   - the host's thread, if it comes while our turn goes on, goes without: that
 *     cycle of the host has silence, and nothing of the guest's is moved;
 *   - our thread, if it finds the host's thread at it, looks again a little later.
 *
 * The first shall not happen, so our thread keeps away from where the host is
 * expected.  A call at t that brings a cycle of c announces the next for t + c.
 * What is due from TURNS_GUARD_NS before that moment on is left to the host's
 * call, which is a turn like ours; TURNS_LATE_NS after it our thread waits no longer.
 * It takes no turns at all, so, while cycles are no longer than the guard.
 *
 * Each turn says when the next is due.  Our thread sleeps until then, and is woken
 * by the end of a host's turn only if that is sooner than it sleeps: not when
 * everything is as it should be.
 */
#ifndef VSND_AUDIO_TURNS_H
#define VSND_AUDIO_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/audio.h"
#include "audio/wake.h"

#define TURNS_NEVER WAKE_NEVER
#define TURNS_GUARD_NS 3000000
#define TURNS_LATE_NS 10000000

struct turns;

/*
 * Control thread.  Make our thread, which calls @turn(@ctx, now_ns) for each of its
 * turns; that returns when the next is due.  0 or a negative errno.
 */
int turns_create(int64_t (*turn)(void *ctx, int64_t now_ns), void *ctx, struct turns **ret_turns);

/* Control thread: our thread may have real-time priority, see os.h. */
void turns_realtime(struct turns *t, const struct audio_log *log);

/*
 * Control thread.  End our thread.  From now on nobody gets a turn, and a turn of the
 * host's that goes on is over when this returns.
 */
void turns_end(struct turns *t);
/* Ended, and the host does not call any more. */
void turns_free(struct turns *t);

/* Any thread, does not block: have a turn taken soon. */
void turns_wake(struct turns *t);

/*
 * A thread of the host's, at the begin of its cycle of @cycle_ns.  True: it has the
 * turn, until turns_host_end(), which says when the next is due.  Several threads may
 * be the host's, if they announce no cycle (@cycle_ns < 0): nobody then keeps away from
 * anybody, and who gets no turn tries again.
 */
bool turns_host_begin(struct turns *t, int64_t now_ns, int64_t cycle_ns);
void turns_host_end(struct turns *t, int64_t due_ns);

/* Any thread: how many cycles of the host have gone without a turn. */
uint64_t turns_missed(const struct turns *t);

/* When our thread may take a turn that is due at @due_ns, with the host expected at @next_ns. */
int64_t turns_beside(int64_t due_ns, int64_t next_ns);

#endif
