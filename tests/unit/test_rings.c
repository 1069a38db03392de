/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of rings: when they run, what may be changed meanwhile, memory, events,
 * faults, reset and status.  Names in brackets are those of the conformance list.
 */
#include "session_fixture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

static void up(struct test *t)
{
	negotiate(t);
	bring_up(t, zero);
	assert_true(fake_called(FRESH));
}

static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Let the loop run for @ms.  Returns the callbacks it made. */
static int run_for(struct test *t, int ms)
{
	struct timespec ts;
	int64_t end, now;
	int calls = 0, n;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	end = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + ms;
	do {
		n = loop_turn(t->loop, 1);
		calls += n > 0 ? n : 0;
		clock_gettime(CLOCK_MONOTONIC, &ts);
		now = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	} while (now < end);
	return calls;
}

/* [VU-RING-1] Started and enabled are two things. */
static void test_start_and_enable(void **state)
{
	struct test *t = *state;

	negotiate(t);
	fe_set_u64(&t->fe, SET_FEATURES, FEATURES);
	fe_set_mem_table(&t->fe, t->memfd);
	fe_set_vring(&t->fe, SET_VRING_NUM, 2, 64);
	fe_set_addr(&t->fe, 2);
	fake_forget();

	assert_int_equal(fe_set_vring(&t->fe, SET_VRING_ENABLE, 2, 1), 0);
	assert_true(fake_called("enable 2\n"));
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_KICK, 2, t->kick[2]), 0);
	assert_true(fake_called("start 2 base 0\n"));
	fe_get_base(&t->fe, 2);
	assert_true(fake_called("stop 2\n"));
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_KICK, 2, t->kick[2]), 0);
	assert_true(fake_called("start 2 base 0 resume\n"));
	fe_get_base(&t->fe, 2);
	fe_set_vring(&t->fe, SET_VRING_ENABLE, 2, 0);
	fake_forget();
	fe_set_fd(&t->fe, SET_VRING_KICK, 2, t->kick[2]);
	assert_true(fake_called(""));
}

/* [VU-FEAT-4, VU-FEAT-5] */
static void test_features_without_bit_30_enable(void **state)
{
	struct test *t = *state;

	negotiate(t);
	fe_set_mem_table(&t->fe, t->memfd);
	fe_set_vring(&t->fe, SET_VRING_NUM, 0, 8);
	fe_set_addr(&t->fe, 0);
	fe_set_fd(&t->fe, SET_VRING_KICK, 0, t->kick[0]);
	assert_true(fake_called("memory 4\n"));
	assert_int_equal(fe_set_u64(&t->fe, SET_FEATURES, FAKE_FEATURES), 0);
	assert_true(fake_called("features 130000000\nenable 0\nenable 1\nenable 2\nenable 3\n"
				"start 0 base 0\n"));
}

/* [VIO-FEAT-5, VIO-RSV-2, AMB-53] */
static void test_features_not_offered(void **state)
{
	struct test *t = *state;

	negotiate(t);
	assert_int_not_equal(fe_set_u64(&t->fe, SET_FEATURES, FEATURES | BIT(38)), 0);
	assert_int_equal(fe_set_u64(&t->fe, SET_STATUS, 0xb), 0);
	assert_int_equal(fe_get_u64(&t->fe, GET_STATUS), 0x3);
	assert_int_not_equal(fe_set_u64(&t->fe, SET_FEATURES, BIT(30)), 0);
	bring_up(t, zero);
	assert_int_equal(fe_set_u64(&t->fe, SET_STATUS, 0xb), 0);
	assert_int_equal(fe_get_u64(&t->fe, GET_STATUS), 0xb);
	assert_true(fake_called(FRESH));
	/* Nobody learns of the refusal: the bits that are offered count. */
	t->fe.ack = false;
	fe_set_u64(&t->fe, SET_FEATURES, FEATURES | BIT(5));
	fe_set_u64(&t->fe, SET_STATUS, 0xf);
	assert_int_equal(fe_get_u64(&t->fe, GET_STATUS), 0x7);
	assert_true(fake_called(""));
	assert_true(fake.queue[0].started);
}

static void test_no_ring_without_version_1(void **state)
{
	struct test *t = *state;
	unsigned i;

	negotiate(t);
	t->fe.ack = false;
	fe_set_u64(&t->fe, SET_FEATURES, BIT(30) | BIT(28));
	fe_set_mem_table(&t->fe, t->memfd);
	for (i = 0; i < VSND_QUEUES; i++) {
		fe_set_vring(&t->fe, SET_VRING_NUM, i, 64);
		fe_set_addr(&t->fe, i);
		fe_set_fd(&t->fe, SET_VRING_KICK, i, t->kick[i]);
		fe_set_vring(&t->fe, SET_VRING_ENABLE, i, 1);
		assert_false(fake.queue[i].started);
	}
}

/* [VU-FEAT-3, VIO-FEAT-6, AMB-59] */
static void test_features_while_running(void **state)
{
	struct test *t = *state;

	up(t);
	assert_int_equal(fe_set_u64(&t->fe, SET_FEATURES, FEATURES), 0);
	assert_int_equal(fe_set_u64(&t->fe, SET_FEATURES, FAKE_FEATURES), 0);
	assert_int_not_equal(fe_set_u64(&t->fe, SET_FEATURES, BIT(32) | BIT(30)), 0);
	assert_true(fake_called(""));
	assert_int_equal(fake.features, FAKE_FEATURES);
}

/* [VU-NUM-2, VU-ADDR-3, VU-RING-9] */
static void test_changes_while_running(void **state)
{
	struct test *t = *state;
	uint64_t addr[5] = { 1 | BIT(32), FE_UADDR(1), FE_UADDR(1) + 0x4000, FE_UADDR(1) + 0x2000 };

	up(t);
	assert_int_not_equal(fe_set_vring(&t->fe, SET_VRING_NUM, 1, 128), 0);
	assert_int_not_equal(fe_set_vring(&t->fe, SET_VRING_BASE, 1, 3), 0);
	assert_int_equal(fe_set(&t->fe, SET_VRING_ADDR, addr, sizeof(addr), NULL, 0), 0);
	addr[2] += 4;
	assert_int_not_equal(fe_set(&t->fe, SET_VRING_ADDR, addr, sizeof(addr), NULL, 0), 0);
	assert_int_equal(fe_set_mem_table(&t->fe, t->memfd), 0);
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_KICK, 1, t->kick[0]), 0);
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_CALL, 1, t->call[0]), 0);
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_ERR, 1, t->err[0]), 0);
	assert_true(fake_called("memory 4\n"));
	assert_int_equal(fake.queue[1].setup.size, 64);
}

/* [VU-ADDR-2] */
static void test_addresses_nowhere(void **state)
{
	struct test *t = *state;
	uint64_t addr[5] = { 0, FE_UADDR(0) + FE_REGION_SIZE - 512, FE_UADDR(0), FE_UADDR(0) + 64 };

	negotiate(t);
	fe_set_u64(&t->fe, SET_FEATURES, FEATURES);
	fe_set_mem_table(&t->fe, t->memfd);
	fe_set_vring(&t->fe, SET_VRING_NUM, 0, 64);
	fe_set_vring(&t->fe, SET_VRING_ENABLE, 0, 1);
	fake_forget();
	/* The descriptor table crosses the region's end. */
	assert_int_not_equal(fe_set(&t->fe, SET_VRING_ADDR, addr, sizeof(addr), NULL, 0), 0);
	assert_int_not_equal(fe_set_fd(&t->fe, SET_VRING_KICK, 0, t->kick[0]), 0);
	addr[1] = 0x1000;
	assert_int_not_equal(fe_set(&t->fe, SET_VRING_ADDR, addr, sizeof(addr), NULL, 0), 0);
	addr[1] = FE_UADDR(0) + 8;
	assert_int_not_equal(fe_set(&t->fe, SET_VRING_ADDR, addr, sizeof(addr), NULL, 0), 0);
	assert_true(fake_called(""));
	assert_int_equal(fe_set_addr(&t->fe, 0), 0);
	assert_true(fake_called("start 0 base 0\n"));
}

/* [VU-ADDR-4] Memory comes last. */
static void test_memory_last(void **state)
{
	struct test *t = *state;
	unsigned i;

	negotiate(t);
	fe_set_u64(&t->fe, SET_FEATURES, FEATURES);
	for (i = 0; i < VSND_QUEUES; i++) {
		assert_int_equal(fe_set_vring(&t->fe, SET_VRING_NUM, i, 256), 0);
		assert_int_equal(fe_set_vring(&t->fe, SET_VRING_BASE, i, 5), 0);
		assert_int_equal(fe_set_addr(&t->fe, i), 0);
		assert_int_equal(fe_set_fd(&t->fe, SET_VRING_KICK, i, t->kick[i]), 0);
		assert_int_equal(fe_set_vring(&t->fe, SET_VRING_ENABLE, i, 1), 0);
	}
	fake_forget();
	assert_int_equal(fe_set_mem_table(&t->fe, t->memfd), 0);
	assert_true(fake_called("memory 4\nstart 0 base 5\nstart 1 base 5\n"
				"start 2 base 5\nstart 3 base 5\n"));
}

/* [VIO-INIT-1] A kick that comes before the ring is enabled is not lost. */
static void test_early_kick(void **state)
{
	struct test *t = *state;
	unsigned kicks;

	up(t);
	fe_set_vring(&t->fe, SET_VRING_ENABLE, 2, 0);
	kick(t, 2);
	kicks = fake.queue[2].kicks;
	fe_set_vring(&t->fe, SET_VRING_ENABLE, 2, 1);
	assert_int_equal(fake.queue[2].kicks, kicks + 1);
}

/* One queue is stopped and restarted while the others run. */
static void test_one_ring_alone(void **state)
{
	struct test *t = *state;

	up(t);
	process_some();
	assert_int_equal(fe_get_base(&t->fe, 2), 500);
	fe_set_vring(&t->fe, SET_VRING_BASE, 2, 500);
	fe_set_fd(&t->fe, SET_VRING_KICK, 2, t->kick[2]);
	assert_true(fake_called("stop 2\nstart 2 base 500 resume\n"));

	assert_int_equal(fe_get_base(&t->fe, 2), 500);
	fe_set_vring(&t->fe, SET_VRING_BASE, 2, 0);
	fe_set_fd(&t->fe, SET_VRING_KICK, 2, t->kick[2]);
	assert_true(fake_called("stop 2\nstart 2 base 0\n"));

	/* [VU-NUM-1] Another size is another ring. */
	assert_int_equal(fe_get_base(&t->fe, 2), 0);
	fe_set_vring(&t->fe, SET_VRING_NUM, 2, 16);
	fe_set_fd(&t->fe, SET_VRING_KICK, 2, t->kick[2]);
	assert_true(fake_called("stop 2\nstart 2 base 0\n"));
	assert_int_equal(fake.queue[2].setup.size, 16);
}

/* [VU-BASE-1, VU-BASE-6, VU-BASE-7] */
static void test_base_of_a_ring_never_started(void **state)
{
	struct test *t = *state;

	negotiate(t);
	assert_int_equal(fe_get_base(&t->fe, 3), 0);
	fe_set_vring(&t->fe, SET_VRING_BASE, 3, 0xabcd0009);
	assert_int_equal(fe_get_base(&t->fe, 3), 9);
}

/* [VU-BASE-8] Kick and call are closed, err is kept. */
static void test_stop_closes_kick_and_call(void **state)
{
	struct test *t = *state;
	unsigned before, kicks;

	negotiate(t);
	before = count_fds();
	fe_set_fd(&t->fe, SET_VRING_ERR, 1, t->err[1]);
	bring_up(t, zero);
	assert_int_equal(count_fds(), before + 4);
	fe_get_base(&t->fe, 1);
	assert_int_equal(count_fds(), before + 3);
	counter(t->call[1]);
	kicks = fake.queue[1].kicks;
	kick(t, 1);
	assert_int_equal(fake.queue[1].kicks, kicks);
	fake.cb.notify(fake.ctx, 1);
	assert_int_equal(counter(t->call[1]), 0);
	fake.cb.queue_error(fake.ctx, 1, VSND_QUEUE_ERROR_MESSAGE, "x");
	assert_int_equal(counter(t->err[1]), 1);
}

/* [VIO-STAT-3, VIO-STAT-4, VU-ERR-1, VU-ERR-2] */
static void test_broken_ring(void **state)
{
	struct test *t = *state;
	uint32_t head[3];
	unsigned i;
	int sv[2];

	up(t);
	for (i = 0; i < VSND_QUEUES; i++)
		fe_set_fd(&t->fe, SET_VRING_ERR, i, t->err[i]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	assert_int_equal(fe_set(&t->fe, SET_BACKEND_REQ_FD, NULL, 0, &sv[1], 1), 0);
	close(sv[1]);
	fe_set_u64(&t->fe, SET_STATUS, 0x0f);

	fake.queue[2].broken = true;
	fake.cb.queue_error(fake.ctx, 2, VSND_QUEUE_ERROR_BROKEN, "available index");
	assert_int_equal(counter(t->err[2]), 1);
	assert_int_equal(counter(t->err[0]) + counter(t->err[1]) + counter(t->err[3]), 0);
	assert_int_equal(fe_get_u64(&t->fe, GET_STATUS), 0x4f);
	assert_non_null(strstr(t->line, "txq"));
	assert_int_equal(recv(sv[0], head, sizeof(head), 0), sizeof(head));
	assert_int_equal(head[0], 2);
	assert_int_equal(head[1], 1);
	assert_int_equal(head[2], 0);
	assert_int_equal(recv(sv[0], head, sizeof(head), 0), -1);

	/* The driver's own bits do not clear ours. */
	assert_int_equal(fe_set_u64(&t->fe, SET_STATUS, 0x0f), 0);
	assert_int_equal(fe_get_u64(&t->fe, GET_STATUS), 0x4f);
	/* It does not go on where it broke, and no other ring minds. */
	fe_get_base(&t->fe, 2);
	fe_set_fd(&t->fe, SET_VRING_KICK, 2, t->kick[2]);
	assert_true(fake_called("stop 2\nstart 2 base 0\n"));
	close(sv[0]);
	fe_pump(&t->fe);
	fake.cb.queue_error(fake.ctx, 2, VSND_QUEUE_ERROR_BROKEN, "again");
	assert_int_equal(fe_set_u64(&t->fe, SET_STATUS, 0), 0);
	assert_int_equal(fe_get_u64(&t->fe, GET_STATUS), 0);
}

/* [VU-SUS-3, VU-BRQ-4] Nothing is sent while all rings are stopped, or to one who does not read. */
static void test_channel(void **state)
{
	struct test *t = *state;
	char buf[256];
	unsigned i;
	int sv[2], n = 0;

	negotiate(t);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	assert_int_equal(fe_set(&t->fe, SET_BACKEND_REQ_FD, NULL, 0, &sv[1], 1), 0);
	close(sv[1]);
	fe_set_u64(&t->fe, SET_STATUS, 0x0f);
	fake.cb.queue_error(fake.ctx, 0, VSND_QUEUE_ERROR_BROKEN, "x");
	fe_pump(&t->fe);
	assert_int_equal(recv(sv[0], buf, sizeof(buf), 0), -1);
	bring_up(t, zero);
	assert_int_equal(recv(sv[0], buf, sizeof(buf), 0), 12);

	for (i = 0; i < 5000; i++) {
		fe_set_u64(&t->fe, SET_STATUS, 0);
		fe_set_u64(&t->fe, SET_STATUS, 0x0f);
		fe_set_vring(&t->fe, SET_VRING_ENABLE, 0, 1);
		fe_set_fd(&t->fe, SET_VRING_KICK, 0, t->kick[0]);
		fake.cb.queue_error(fake.ctx, 0, VSND_QUEUE_ERROR_BROKEN, "x");
		fe_pump(&t->fe);
	}
	/* What the socket holds, and whole messages only. */
	while ((i = (unsigned)recv(sv[0], buf, 12, 0)) == 12) {
		n++;
		fe_pump(&t->fe);
	}
	assert_int_equal((int)i, -1);
	assert_in_range(n, 2, 5000);
	assert_int_equal(fe_get_u64(&t->fe, GET_FEATURES), FEATURES);

	/* Replies nobody asked for, and a file that is no socket. */
	assert_int_equal(send(sv[0], buf, sizeof(buf), 0), sizeof(buf));
	assert_int_not_equal(fe_set(&t->fe, SET_BACKEND_REQ_FD, NULL, 0, &t->memfd, 1), 0);
	close(sv[0]);
	fe_pump(&t->fe);
	assert_int_equal(fe_get_u64(&t->fe, GET_FEATURES), FEATURES);
}

/* [VU-REG-6] Memory goes under running rings and comes back. */
static void test_memory_goes_and_comes_back(void **state)
{
	struct test *t = *state;
	uint64_t region[5] = { 0, FE_GPA(2), FE_REGION_SIZE, FE_UADDR(2), 0x1234567 };

	up(t);
	process_some();
	fe_set_fd(&t->fe, SET_VRING_ERR, 2, t->err[2]);
	assert_int_equal(fe_set(&t->fe, REM_MEM_REG, region, sizeof(region), NULL, 0), 0);
	assert_true(fake_called("stop 2\nmemory 3\n"));
	assert_true(counter(t->err[2]) > 0);
	assert_int_not_equal(fe_set(&t->fe, REM_MEM_REG, region, sizeof(region), NULL, 0), 0);
	region[4] = 2 * FE_REGION_SIZE;
	assert_int_equal(fe_set(&t->fe, ADD_MEM_REG, region, sizeof(region), &t->memfd, 1), 0);
	assert_true(fake_called("memory 4\nstart 2 base 500 resume\n"));

	/* The same user addresses, somewhere else in the guest. */
	assert_int_equal(fe_set(&t->fe, REM_MEM_REG, region, sizeof(region), &t->memfd, 1), 0);
	region[1] = 0x1000;
	fake_forget();
	assert_int_equal(fe_set(&t->fe, ADD_MEM_REG, region, sizeof(region), &t->memfd, 1), 0);
	assert_true(fake_called("memory 4\nstart 2 base 500 resume\n"));
	assert_int_equal(fake.queue[2].setup.desc, 0x1000);

	/* The device refuses: all stays, and the ring that was taken out goes on. */
	fake.fail_memory = -ENOMEM;
	assert_int_not_equal(fe_set(&t->fe, REM_MEM_REG, region, sizeof(region), NULL, 0), 0);
	assert_true(fake_called("stop 2\nstart 2 base 500 resume\n"));
	assert_int_equal(fake.regions, 4);
	assert_int_equal(fe_set(&t->fe, REM_MEM_REG, region, sizeof(region), NULL, 0), 0);
}

/* A start that the device refuses is told, and tried again at the next occasion. */
static void test_start_refused(void **state)
{
	struct test *t = *state;

	up(t);
	fe_set_fd(&t->fe, SET_VRING_ERR, 3, t->err[3]);
	fe_get_base(&t->fe, 3);
	fake_forget();
	fake.fail_start = -ENOMEM;
	assert_int_not_equal(fe_set_fd(&t->fe, SET_VRING_KICK, 3, t->kick[3]), 0);
	assert_int_equal(counter(t->err[3]), 1);
	assert_true(fake_called(""));
	assert_int_equal(fe_set_mem_table(&t->fe, t->memfd), 0);
	assert_true(fake_called("memory 4\nstart 3 base 0 resume\n"));
}

/* [VU-RDV-1, VU-RDV-3, VU-STA-2, VIO-STAT-6] */
static void test_reset(void **state)
{
	struct test *t = *state;
	unsigned i;

	up(t);
	process_some();
	assert_int_equal(fe_set(&t->fe, RESET_OWNER, NULL, 0, NULL, 0), 0);
	assert_true(fake_called(""));
	assert_int_equal(fe_set(&t->fe, RESET_DEVICE, NULL, 0, NULL, 0), 0);
	assert_true(fake_called("reset\n"));
	for (i = 0; i < VSND_QUEUES; i++) {
		counter(t->call[i]);
		kick(t, i);
		fake.cb.notify(fake.ctx, i);
		assert_int_equal(counter(t->call[i]), 0);
		assert_int_equal(fe_get_base(&t->fe, i), 0);
	}
	bring_up(t, zero);
	assert_true(fake_called("memory 4\nenable 0\nstart 0 base 0\nenable 1\nstart 1 base 0\n"
				"enable 2\nstart 2 base 0\nenable 3\nstart 3 base 0\n"));

	fe_set_u64(&t->fe, SET_STATUS, 0x8f);
	assert_true(fake_called("stop 0\nstop 1\nstop 2\nstop 3\n"));
	fe_set_vring(&t->fe, SET_VRING_ENABLE, 1, 1);
	assert_true(fake_called(""));
	assert_int_equal(fe_set_u64(&t->fe, SET_STATUS, 0), 0);
	assert_true(fake_called("reset\n"));
	bring_up(t, zero);
	assert_true(fake.queue[3].started && fake.queue[3].enabled);
}

/* [VU-STA-1, VU-STA-4, VIO-STAT-1, VIO-STAT-2, VIO-STAT-5, VIO-SUSP-1] */
static void test_status(void **state)
{
	static const uint64_t good[] = { 1, 3, 0xb, 0xf, 3 };
	static const uint64_t bad[] = { 0x10, 0x20, 0x100, BIT(63), 0x1f };
	struct test *t = *state;
	unsigned i;

	negotiate(t);
	assert_int_equal(fe_get_u64(&t->fe, GET_STATUS), 0);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(fe_set_u64(&t->fe, SET_STATUS, good[i]), 0);
		assert_int_equal(fe_get_u64(&t->fe, GET_STATUS), good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_not_equal(fe_set_u64(&t->fe, SET_STATUS, bad[i]), 0);
		assert_int_equal(fe_get_u64(&t->fe, GET_STATUS), 3);
	}
}

/* [VU-CALL-1, VU-CALL-2, VU-CALL-3, VU-CALL-4, AMB-76] */
static void test_call_fds(void **state)
{
	struct test *t = *state;
	uint64_t full = UINT64_MAX - 1;
	char page[4096] = "";
	int p[2], e;

	negotiate(t);
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_CALL, 0, t->call[0]), 0);
	assert_int_equal(counter(t->call[0]), 1);
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_CALL, NOFD | 0, -1), 0);
	fake.cb.notify(fake.ctx, 0);
	assert_int_equal(counter(t->call[0]), 0);
	/* An fd in spite of the bit is closed, none without it refused. */
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_CALL, NOFD | 0, t->call[0]), 0);
	assert_int_not_equal(fe_set_fd(&t->fe, SET_VRING_CALL, 0, -1), 0);
	fake.cb.notify(fake.ctx, 0);
	assert_int_equal(counter(t->call[0]), 0);

	/* A full counter of a file that would block; its flags are left alone. */
	e = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(write(e, &full, sizeof(full)), sizeof(full));
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_CALL, 0, e), 0);
	fake.cb.notify(fake.ctx, 0);
	assert_int_equal(counter(e), full);
	fake.cb.notify(fake.ctx, 0);
	assert_int_equal(counter(e), 1);
	assert_int_equal(fcntl(e, F_GETFL) & O_NONBLOCK, 0);
	close(e);

	/* A full pipe, then one without reader. */
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_CALL, 0, p[1]), 0);
	assert_int_equal(read(p[0], page, sizeof(page)), 8);
	assert_int_equal(fcntl(p[1], F_SETPIPE_SZ, sizeof(page)), sizeof(page));
	assert_int_equal(write(p[1], page, sizeof(page)), sizeof(page));
	fake.cb.notify(fake.ctx, 0);
	close(p[0]);
	fake.cb.notify(fake.ctx, 0);
	close(p[1]);

	/* A socket, its other end closed; files that cannot be events. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_CALL, 0, p[1]), 0);
	assert_int_equal(read(p[0], page, sizeof(page)), 8);
	close(p[0]);
	fake.cb.notify(fake.ctx, 0);
	close(p[1]);
	e = open("/", O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(fe_set_fd(&t->fe, SET_VRING_CALL, 0, e), 0);
	close(e);
	assert_int_not_equal(fe_set_fd(&t->fe, SET_VRING_ERR, 0, t->memfd), 0);
	assert_int_not_equal(fe_set_fd(&t->fe, SET_VRING_KICK, 0, t->memfd), 0);
}

static atomic_bool notifying;

static void *notifier(void *arg)
{
	unsigned long *n = arg;

	while (atomic_load(&notifying)) {
		fake.cb.notify(fake.ctx, VSND_TXQ);
		(*n)++;
	}
	return NULL;
}

/* [VU-CALL-3, VU-FD-3] The audio thread notifies while the call fd is replaced. */
static void test_call_fd_replaced_under_load(void **state)
{
	struct test *t = *state;
	uint64_t stray[2] = { 0 }, sum = 0;
	unsigned i, before;
	unsigned long notified = 0;
	pthread_t thread;
	int other[2];

	up(t);
	before = count_fds();
	assert_int_equal(pipe2(other, O_CLOEXEC | O_NONBLOCK), 0);
	atomic_store(&notifying, true);
	assert_int_equal(pthread_create(&thread, NULL, notifier, &notified), 0);
	for (i = 0; i < 10000; i++) {
		if (i % 7 == 0)
			fe_set_fd(&t->fe, SET_VRING_CALL, NOFD | VSND_TXQ, -1);
		assert_int_equal(fe_set_fd(&t->fe, SET_VRING_CALL, VSND_TXQ, t->call[i % 2]), 0);
		/* Numbers come and go meanwhile: none of them may be hit. */
		close(other[0]);
		close(other[1]);
		assert_int_equal(pipe2(other, O_CLOEXEC | O_NONBLOCK), 0);
		assert_int_equal(read(other[0], stray, sizeof(stray)), -1);
		sum += counter(t->call[0]) + counter(t->call[1]);
	}
	atomic_store(&notifying, false);
	pthread_join(thread, NULL);
	assert_int_not_equal(notified, 0);
	assert_true(sum + counter(t->call[0]) + counter(t->call[1]) >= 10000);
	close(other[0]);
	close(other[1]);
	assert_int_equal(count_fds(), before);
}

/* [VU-KICK-2, VU-KICK-3, VU-KICK-4, VU-FD-4] */
static void test_kick_fds(void **state)
{
	struct test *t = *state;
	const uint64_t five = 5, words[3] = { 1, 1, 1 };
	unsigned kicks;
	sigset_t set;
	int64_t cpu;
	int p[2], e;

	up(t);
	fe_set_fd(&t->fe, SET_VRING_ERR, 0, t->err[0]);
	kicks = fake.queue[0].kicks;
	assert_int_equal(write(t->kick[0], &five, sizeof(five)), sizeof(five));
	fe_pump(&t->fe);
	assert_int_equal(fake.queue[0].kicks, kicks + 1);
	assert_int_equal(counter(t->kick[0]), 0);
	assert_int_not_equal(fe_set_fd(&t->fe, SET_VRING_KICK, 0, -1), 0);

	/* A pipe, which is emptied; then its end. */
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_KICK, 0, p[0]), 0);
	kick(t, 0);
	assert_int_equal(fake.queue[0].kicks, kicks + 1);
	assert_int_equal(write(p[1], words, sizeof(words)), sizeof(words));
	fe_pump(&t->fe);
	assert_int_equal(fake.queue[0].kicks, kicks + 2);
	assert_int_equal(poll(&(struct pollfd){ .fd = p[0], .events = POLLIN }, 1, 0), 0);
	close(p[1]);
	cpu = cpu_ns();
	assert_in_range(run_for(t, 100), 0, 4);
	assert_true(cpu_ns() - cpu < 50000000);
	assert_int_equal(counter(t->err[0]), 1);
	close(p[0]);

	/* A socket. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_KICK, 0, p[0]), 0);
	kicks = fake.queue[0].kicks;
	assert_int_equal(write(p[1], words, sizeof(words)), sizeof(words));
	fe_pump(&t->fe);
	assert_int_equal(fake.queue[0].kicks, kicks + 1);
	close(p[0]);
	close(p[1]);
	fe_pump(&t->fe);

	/* A signalfd does not get at our signals. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	e = signalfd(-1, &set, SFD_CLOEXEC);
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_KICK, 0, e), 0);
	fe_pump(&t->fe);
	sigpending(&set);
	assert_true(sigismember(&set, SIGUSR1));
	close(e);
	signal(SIGUSR1, SIG_IGN);
}

/* [VU-KICK-1] Without a kick fd the ring is polled, and only then. */
static void test_polling(void **state)
{
	struct test *t = *state;
	unsigned kicks;

	up(t);
	kicks = fake.queue[2].kicks;
	run_for(t, 50);
	assert_int_equal(fake.queue[2].kicks, kicks);
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_KICK, NOFD | 2, -1), 0);
	run_for(t, 100);
	assert_in_range(fake.queue[2].kicks - kicks, 5, 60);
	fe_set_vring(&t->fe, SET_VRING_ENABLE, 2, 0);
	kicks = fake.queue[2].kicks;
	run_for(t, 50);
	assert_int_equal(fake.queue[2].kicks, kicks);
	fe_set_vring(&t->fe, SET_VRING_ENABLE, 2, 1);
	run_for(t, 50);
	assert_true(fake.queue[2].kicks > kicks + 2);
	/* [VU-KICK-4] An fd in spite of the bit. */
	assert_int_equal(fe_set_fd(&t->fe, SET_VRING_KICK, NOFD | 2, t->kick[2]), 0);
	fe_get_base(&t->fe, 2);
	kicks = fake.queue[2].kicks;
	run_for(t, 50);
	assert_int_equal(fake.queue[2].kicks, kicks);
}

/* What the device tells from another thread reaches the control thread. */
static void test_wake(void **state)
{
	struct test *t = *state;
	unsigned runs = fake.runs;

	fake.cb.wake(fake.ctx);
	fake.cb.wake(fake.ctx);
	fe_pump(&t->fe);
	assert_int_equal(fake.runs, runs + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_start_and_enable),
		T(test_features_without_bit_30_enable),
		T(test_features_not_offered),
		T(test_no_ring_without_version_1),
		T(test_features_while_running),
		T(test_changes_while_running),
		T(test_addresses_nowhere),
		T(test_memory_last),
		T(test_early_kick),
		T(test_one_ring_alone),
		T(test_base_of_a_ring_never_started),
		T(test_stop_closes_kick_and_call),
		T(test_broken_ring),
		T(test_channel),
		T(test_memory_goes_and_comes_back),
		T(test_start_refused),
		T(test_reset),
		T(test_status),
		T(test_call_fds),
		T(test_call_fd_replaced_under_load),
		T(test_kick_fds),
		T(test_polling),
		T(test_wake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
