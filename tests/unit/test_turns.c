/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two threads that are the audio thread by turns.  What they share is plain memory, so
 * that the thread sanitizer finds a hand-over that is none.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "audio/os.h"
#include "audio/turns.h"

#define MS INT64_C(1000000)
#define CYCLE_NS MS

static struct {
	/* The audio thread's, whichever that is. */
	int inside;
	uint64_t all;
	int64_t due_ns;		/* what every turn says */

	struct turns *turns;
	atomic_uint ours, hosts, overlaps;
	atomic_bool ending;
} shared;

static void pause_ns(int64_t ns)
{
	struct timespec t = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };

	nanosleep(&t, NULL);
}

static void work(void)
{
	if (shared.inside++ != 0)
		atomic_fetch_add(&shared.overlaps, 1);
	for (volatile int i = 0; i < 2000; i++)
		;
	shared.all++;
	shared.inside--;
}

static int64_t our_turn(void *ctx, int64_t now_ns)
{
	assert_ptr_equal(ctx, &shared);
	work();
	atomic_fetch_add(&shared.ours, 1);
	return shared.due_ns == TURNS_NEVER ? TURNS_NEVER : now_ns + shared.due_ns;
}

static void host_cycle(int64_t cycle_ns)
{
	int64_t now_ns = audio_now_ns();

	if (!turns_host_begin(shared.turns, now_ns, cycle_ns))
		return;
	work();
	atomic_fetch_add(&shared.hosts, 1);
	turns_host_end(shared.turns, shared.due_ns == TURNS_NEVER ? TURNS_NEVER
		: now_ns + shared.due_ns);
}

/* A host that calls every ms, and is away for 30 ms after every 40 calls. */
static void *host_main(void *arg)
{
	(void)arg;
	for (unsigned n = 0; !atomic_load(&shared.ending); n++) {
		host_cycle(CYCLE_NS);
		pause_ns(n % 40 == 39 ? 30 * MS : CYCLE_NS);
	}
	return NULL;
}

static int set_up(void **state)
{
	(void)state;
	shared.inside = 0;
	shared.all = 0;
	shared.due_ns = TURNS_NEVER;
	atomic_store(&shared.ours, 0);
	atomic_store(&shared.hosts, 0);
	atomic_store(&shared.overlaps, 0);
	atomic_store(&shared.ending, false);
	return turns_create(our_turn, &shared, &shared.turns);
}

static int tear_down(void **state)
{
	(void)state;
	turns_free(shared.turns);
	return 0;
}

static unsigned turns_taken(void)
{
	return atomic_load(&shared.ours) + atomic_load(&shared.hosts);
}

/* Ten seconds are for a machine that does something else. */
static void wait_for_turns(unsigned count)
{
	for (int i = 0; i < 100000 && turns_taken() < count; i++)
		pause_ns(MS / 10);
	assert_true(turns_taken() >= count);
}

static void beside(void **state)
{
	const int64_t next = 1000 * MS;

	(void)state;
	assert_int_equal(turns_beside(next - 20 * MS, next), next - 20 * MS);
	assert_int_equal(turns_beside(next - TURNS_GUARD_NS - 1, next), next - TURNS_GUARD_NS - 1);
	assert_int_equal(turns_beside(next - TURNS_GUARD_NS, next), next + TURNS_LATE_NS);
	assert_int_equal(turns_beside(next, next), next + TURNS_LATE_NS);
	assert_int_equal(turns_beside(next + TURNS_LATE_NS - 1, next), next + TURNS_LATE_NS);
	assert_int_equal(turns_beside(next + TURNS_LATE_NS, next), next + TURNS_LATE_NS);
	assert_int_equal(turns_beside(TURNS_NEVER, next), TURNS_NEVER);
	assert_int_equal(turns_beside(5, 0), TURNS_LATE_NS);
}

static void without_a_host(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 20; n++) {
		turns_wake(shared.turns);
		wait_for_turns(n);
	}
	turns_end(shared.turns);
	assert_int_equal(shared.all, turns_taken());
}

/* The timer goes on between and beside the host's cycles, and every wake gets a turn. */
static void never_both(void **state)
{
	pthread_t host;

	(void)state;
	shared.due_ns = MS / 3;
	assert_int_equal(pthread_create(&host, NULL, host_main, NULL), 0);
	for (unsigned n = 0; n < 200; n++) {
		unsigned before = turns_taken();

		turns_wake(shared.turns);
		wait_for_turns(before + 1);
		pause_ns(MS);
	}
	for (int i = 0; i < 10000 && (!atomic_load(&shared.ours) || !atomic_load(&shared.hosts)); i++)
		pause_ns(MS);
	turns_end(shared.turns);
	atomic_store(&shared.ending, true);
	pthread_join(host, NULL);
	assert_int_equal(atomic_load(&shared.overlaps), 0);
	assert_true(atomic_load(&shared.ours) > 0);
	assert_true(atomic_load(&shared.hosts) > 0);
	assert_int_equal(shared.all, turns_taken());
}

/* As never_both(), with a host of three threads, each of which tries until it has its turn. */
static void *many_main(void *arg)
{
	(void)arg;
	while (!atomic_load(&shared.ending)) {
		unsigned before = atomic_load(&shared.hosts);

		host_cycle(-1);
		if (atomic_load(&shared.hosts) != before)
			pause_ns(MS / 4);
	}
	return NULL;
}

static void of_many_one(void **state)
{
	pthread_t hosts[3];

	(void)state;
	shared.due_ns = MS / 3;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&hosts[i], NULL, many_main, NULL), 0);
	wait_for_turns(1000);
	for (int i = 0; i < 10000 && !atomic_load(&shared.ours); i++)
		pause_ns(MS);
	turns_end(shared.turns);
	atomic_store(&shared.ending, true);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(hosts[i], NULL);
	assert_int_equal(atomic_load(&shared.overlaps), 0);
	assert_true(atomic_load(&shared.ours) > 0);
	assert_int_equal(shared.all, turns_taken());
}

/* Our thread sleeps for ever, until a turn of the host's says that it shall not. */
static void sooner(void **state)
{
	(void)state;
	pause_ns(20 * MS);
	assert_int_equal(atomic_load(&shared.ours), 0);
	shared.due_ns = 5 * MS;
	host_cycle(40 * MS);
	wait_for_turns(2);
	turns_end(shared.turns);
	assert_true(atomic_load(&shared.ours) > 0);
}

static void nobody_after_the_end(void **state)
{
	(void)state;
	host_cycle(CYCLE_NS);
	assert_int_equal(atomic_load(&shared.hosts), 1);
	turns_end(shared.turns);
	host_cycle(CYCLE_NS);
	assert_int_equal(atomic_load(&shared.hosts), 1);
	assert_int_equal(turns_missed(shared.turns), 1);
}

/* Two calls of a host in one: the second goes without. */
static void who_has_none_goes_without(void **state)
{
	(void)state;
	assert_true(turns_host_begin(shared.turns, audio_now_ns(), CYCLE_NS));
	assert_false(turns_host_begin(shared.turns, audio_now_ns(), CYCLE_NS));
	turns_wake(shared.turns);
	pause_ns(30 * MS);
	assert_int_equal(atomic_load(&shared.ours), 0);
	turns_host_end(shared.turns, TURNS_NEVER);
	wait_for_turns(1);
	turns_end(shared.turns);
	assert_int_equal(turns_missed(shared.turns), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beside),
		cmocka_unit_test_setup_teardown(without_a_host, set_up, tear_down),
		cmocka_unit_test_setup_teardown(never_both, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_many_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sooner, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_after_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_has_none_goes_without, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
