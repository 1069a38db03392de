/* SPDX-License-Identifier: BSD-3-Clause */
/* The event loop: what callbacks may do to each other, timers, and the way out. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vhost_user/loop.h"

struct thing {
	struct loop *loop;
	struct loop_fd source;
	struct loop_timer timer;
	int fd;
	unsigned calls;
	struct thing *victim;	/* to be removed by this one's callback */
};

static struct loop *new_loop(void)
{
	struct loop *l;

	assert_int_equal(loop_create(&l), 0);
	return l;
}

static void on_event(void *arg, uint32_t events)
{
	struct thing *t = arg;

	(void)events;
	t->calls++;
	if (t->victim) {
		loop_remove(t->loop, &t->victim->source);
		close(t->victim->fd);
		t->victim->fd = -1;
	}
}

static void thing_open(struct thing *t, struct loop *l, unsigned value)
{
	*t = (struct thing){ .loop = l };
	t->fd = eventfd(value, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(t->fd >= 0);
	assert_int_equal(loop_add(l, &t->source, t->fd, EPOLLIN, on_event, t), 0);
}

static void thing_close(struct thing *t)
{
	loop_remove(t->loop, &t->source);
	if (t->fd >= 0)
		close(t->fd);
}

/* Both are ready; whichever comes first ends the other, which then hears nothing. */
static void test_removed_in_the_same_batch(void **state)
{
	struct loop *l = new_loop();
	struct thing a, b;

	(void)state;
	thing_open(&a, l, 1);
	thing_open(&b, l, 1);
	a.victim = &b;
	b.victim = &a;
	assert_int_equal(loop_turn(l, 0), 1);
	assert_int_equal(a.calls + b.calls, 1);
	thing_close(&a);
	thing_close(&b);
	loop_destroy(&l);
	assert_null(l);
}

/* The file lives on in a duplicate, as in a front-end; its events do not. */
static void test_removed_before_closed(void **state)
{
	struct loop *l = new_loop();
	struct thing a;
	int other;

	(void)state;
	thing_open(&a, l, 0);
	other = dup(a.fd);
	thing_close(&a);
	assert_int_equal(eventfd_write(other, 1), 0);
	assert_int_equal(loop_turn(l, 0), 0);
	close(other);
	loop_destroy(&l);
}

static void test_modify(void **state)
{
	struct loop *l = new_loop();
	struct thing a;

	(void)state;
	thing_open(&a, l, 1);
	loop_modify(l, &a.source, 0);
	assert_int_equal(loop_turn(l, 0), 0);
	loop_modify(l, &a.source, EPOLLIN);
	assert_int_equal(loop_turn(l, 0), 1);
	assert_int_equal(loop_turn(l, 0), 1);
	assert_int_equal(a.calls, 2);
	thing_close(&a);
	loop_destroy(&l);
}

static void test_file_that_cannot_be_waited_for(void **state)
{
	struct loop *l = new_loop();
	struct thing a = { .loop = l };

	(void)state;
	a.fd = memfd_create("x", MFD_CLOEXEC);
	assert_int_equal(loop_add(l, &a.source, a.fd, EPOLLIN, on_event, &a), -EPERM);
	thing_close(&a);
	loop_destroy(&l);
}

static void on_timer(void *arg)
{
	struct thing *t = arg;

	if (++t->calls == 3)
		loop_timer_close(t->loop, &t->timer);
}

static void test_timer(void **state)
{
	struct loop *l = new_loop();
	struct thing a = { .loop = l };

	(void)state;
	assert_int_equal(loop_timer_open(l, &a.timer, on_timer, &a), 0);
	assert_int_equal(loop_turn(l, 10), 0);
	loop_timer_set(&a.timer, 1000000, 0);
	assert_int_equal(loop_turn(l, 1000), 1);
	assert_int_equal(loop_turn(l, 10), 0);
	loop_timer_set(&a.timer, 1000000, 1000000);
	assert_int_equal(loop_turn(l, 1000), 1);
	loop_timer_set(&a.timer, 0, 1000000);
	assert_int_equal(loop_turn(l, 10), 0);
	loop_timer_set(&a.timer, 1, 1000000);
	assert_int_equal(loop_turn(l, 1000), 1);
	assert_int_equal(a.calls, 3);
	loop_timer_close(l, &a.timer);
	loop_destroy(&l);
}

static void *stopper(void *arg)
{
	usleep(20000);
	loop_stop(arg);
	return NULL;
}

static void test_stop(void **state)
{
	struct loop *l = new_loop();
	pthread_t thread;

	(void)state;
	loop_stop(l);
	assert_int_equal(loop_run(l), 0);
	assert_int_equal(pthread_create(&thread, NULL, stopper, l), 0);
	assert_int_equal(loop_run(l), 0);
	pthread_join(thread, NULL);
	loop_destroy(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_removed_in_the_same_batch),
		cmocka_unit_test(test_removed_before_closed),
		cmocka_unit_test(test_modify),
		cmocka_unit_test(test_file_that_cannot_be_waited_for),
		cmocka_unit_test(test_timer),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
