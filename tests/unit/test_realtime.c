/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which priority an audio thread asks for, on a system that is played here: linked with
 * --wrap=pthread_setschedparam and --wrap=getrlimit.
 */
#include "audio/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>

static rlim_t limit;		/* for rtprio */
static bool privileged;
static int got;			/* the priority, 0: none */
static unsigned lines;

int __wrap_pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *param);
int __wrap_getrlimit(int resource, struct rlimit *ret);
/* What some C libraries make of it. */
int __wrap_getrlimit64(int resource, struct rlimit *ret) __attribute__((alias("__wrap_getrlimit")));

int __wrap_pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *param)
{
	(void)thread;
	assert_int_equal(policy, SCHED_FIFO | SCHED_RESET_ON_FORK);
	assert_in_range(param->sched_priority, 1, 99);
	if (!privileged && (rlim_t)param->sched_priority > limit)
		return EPERM;
	got = param->sched_priority;
	return 0;
}

int __wrap_getrlimit(int resource, struct rlimit *ret)
{
	assert_int_equal(resource, RLIMIT_RTPRIO);
	*ret = (struct rlimit){ .rlim_cur = limit, .rlim_max = limit };
	return 0;
}

static void count_line(void *ctx, enum audio_level level, const char *text)
{
	(void)ctx;
	(void)text;
	assert_int_equal(level, AUDIO_INFO);
	lines++;
}

static void ask(bool has_privilege, rlim_t rtprio, int wanted)
{
	const struct audio_log log = { .line = count_line };

	privileged = has_privilege;
	limit = rtprio;
	got = 0;
	lines = 0;
	audio_thread_realtime(pthread_self(), &log);
	assert_int_equal(got, wanted);
	assert_int_equal(lines, wanted == 0);
	audio_thread_realtime(pthread_self(), NULL);
	assert_int_equal(got, wanted);
	assert_int_equal(lines, wanted == 0);
}

/* As much as the limit lets a user have, never more than is good, and else one note. */
static void test_limits(void **state)
{
	(void)state;
	ask(true, 0, 20);
	ask(true, 5, 20);
	ask(false, 0, 0);
	ask(false, 1, 1);
	ask(false, 10, 10);
	ask(false, 19, 19);
	ask(false, 20, 20);
	ask(false, 95, 20);
	ask(false, RLIM_INFINITY, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
