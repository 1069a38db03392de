/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/turns.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "audio/os.h"

/* How soon to look again while the host's thread has its turn. */
#define RETRY_NS 200000

enum owner {
	NOBODY,
	OURS,
	HOSTS,
	ENDED	/* for good */
};

struct turns {
	/* Constant. */
	int64_t (*turn)(void *ctx, int64_t now_ns);
	void *ctx;
	pthread_t thread;

	struct wake wake;
	atomic_int owner;
	atomic_bool ending;
	atomic_bool wanted;	/* a turn, by turns_wake(); each turn takes it back as it begins */
	atomic_uint_fast64_t missed;

	/* Of the last turn; written by who has it. */
	_Atomic int64_t due_ns;
	/* When the host is expected; written by the host's thread, turn or not. */
	_Atomic int64_t next_ns;
	/* Written by our thread: how long it sleeps, 0 while it is awake. */
	_Atomic int64_t asleep_ns;
};

int64_t turns_beside(int64_t due_ns, int64_t next_ns)
{
	if (due_ns >= next_ns - TURNS_GUARD_NS && due_ns < next_ns + TURNS_LATE_NS)
		return next_ns + TURNS_LATE_NS;
	return due_ns;
}

static bool take(struct turns *t, int owner)
{
	int nobody = NOBODY;

	return atomic_compare_exchange_strong_explicit(&t->owner, &nobody, owner,
		memory_order_acquire, memory_order_relaxed);
}

static void give_back(struct turns *t)
{
	atomic_store_explicit(&t->owner, NOBODY, memory_order_release);
}

/* When our thread has something to do.  @due_ns: now, if a turn is wanted. */
static int64_t our_due_ns(struct turns *t, int64_t now_ns)
{
	int64_t due_ns = atomic_load(&t->due_ns);

	if (atomic_load(&t->wanted) || due_ns < now_ns)
		due_ns = now_ns;
	return turns_beside(due_ns, atomic_load(&t->next_ns));
}

/*
 * The time we sleep is told before the due time is read, and the host's thread
 * writes the due time before it looks at how long we sleep.  So one sees the other.
 */
static void sleep_until(struct turns *t, int64_t until_ns)
{
	atomic_store(&t->asleep_ns, until_ns);
	if (our_due_ns(t, audio_now_ns()) >= until_ns)
		wake_sleep(&t->wake, until_ns);
	atomic_store(&t->asleep_ns, 0);
}

static void our_turn(struct turns *t, int64_t now_ns)
{
	atomic_exchange(&t->wanted, false);
	atomic_store(&t->due_ns, t->turn(t->ctx, now_ns));
	give_back(t);
}

static void *turns_main(void *arg)
{
	struct turns *t = arg;

	pthread_setname_np(pthread_self(), "vsnd-audio");
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	while (!atomic_load(&t->ending)) {
		int64_t now_ns = audio_now_ns();
		int64_t due_ns = our_due_ns(t, now_ns);

		if (due_ns > now_ns)
			sleep_until(t, due_ns);
		else if (take(t, OURS))
			our_turn(t, now_ns);
		else
			wake_sleep(&t->wake, now_ns + RETRY_NS);
	}
	return NULL;
}

int turns_create(int64_t (*turn)(void *ctx, int64_t now_ns), void *ctx, struct turns **ret_turns)
{
	struct turns *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->turn = turn;
	t->ctx = ctx;
	atomic_init(&t->due_ns, TURNS_NEVER);
	err = wake_init(&t->wake);
	if (err < 0) {
		free(t);
		return err;
	}
	err = audio_thread_start(turns_main, t, &t->thread);
	if (err < 0) {
		turns_free(t);
		return err;
	}
	*ret_turns = t;
	return 0;
}

void turns_realtime(struct turns *t, const struct audio_log *log)
{
	audio_thread_realtime(t->thread, log);
}

void turns_end(struct turns *t)
{
	const struct timespec a_little = { .tv_nsec = RETRY_NS };

	atomic_store(&t->ending, true);
	wake_up(&t->wake);
	pthread_join(t->thread, NULL);
	while (!take(t, ENDED))
		nanosleep(&a_little, NULL);
}

void turns_free(struct turns *t)
{
	wake_fini(&t->wake);
	free(t);
}

void turns_wake(struct turns *t)
{
	if (!atomic_exchange(&t->wanted, true))
		wake_up(&t->wake);
}

bool turns_host_begin(struct turns *t, int64_t now_ns, int64_t cycle_ns)
{
	if (cycle_ns >= 0)
		atomic_store(&t->next_ns, now_ns + cycle_ns);
	if (!take(t, HOSTS)) {
		atomic_fetch_add_explicit(&t->missed, 1, memory_order_relaxed);
		return false;
	}
	atomic_exchange(&t->wanted, false);
	return true;
}

void turns_host_end(struct turns *t, int64_t due_ns)
{
	atomic_store(&t->due_ns, due_ns);
	give_back(t);
	due_ns = turns_beside(due_ns, atomic_load_explicit(&t->next_ns, memory_order_relaxed));
	if (due_ns < atomic_load(&t->asleep_ns))
		wake_up(&t->wake);
}

uint64_t turns_missed(const struct turns *t)
{
	return atomic_load_explicit(&t->missed, memory_order_relaxed);
}
