/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the four front-ends' message orders make of the device: QEMU, crosvm,
 * libkrun and cloud-hypervisor each start, pause, resume and reset it in their own
 * way.  Names in brackets are those of the conformance list.
 */
#include "session_fixture.h"

/* QEMU at connect: err and call fds come before everything else. */
static void qemu_connect(struct test *t)
{
	struct frontend *fe = &t->fe;
	unsigned i;

	negotiate(t);
	fe->ack = false;
	assert_int_equal(fe_get_u64(fe, GET_QUEUE_NUM), 4);
	assert_int_equal(fe_get_u64(fe, GET_MAX_MEM_SLOTS), 509);
	fe_set(fe, SET_OWNER, NULL, 0, NULL, 0);
	assert_int_equal(fe_get_u64(fe, GET_FEATURES), FEATURES);
	for (i = 0; i < VSND_QUEUES; i++) {
		fe_set_fd(fe, SET_VRING_ERR, i, t->err[i]);
		fe_set_fd(fe, SET_VRING_CALL, i, t->call[i]);
	}
}

static void qemu_start(struct test *t, uint64_t features, const uint32_t base[4])
{
	struct frontend *fe = &t->fe;
	unsigned i;

	fe_set_u64(fe, SET_FEATURES, features);
	assert_int_equal(fe_get_u64(fe, GET_STATUS) & ~UINT64_C(0x48), 0);
	fe_set_u64(fe, SET_STATUS, 8);
	fe->ack = true;
	assert_int_equal(fe_set_mem_table(fe, t->memfd), 0);
	fe->ack = false;
	for (i = 0; i < VSND_QUEUES; i++) {
		fe_set_vring(fe, SET_VRING_NUM, i, 64);
		fe_set_vring(fe, SET_VRING_BASE, i, base[i]);
		fe_set_addr(fe, i);
		fe_set_fd(fe, SET_VRING_KICK, i, t->kick[i]);
		fe_set_fd(fe, SET_VRING_CALL, i, t->call[i]);
	}
	fe->ack = true;
	for (i = 0; i < VSND_QUEUES; i++)
		assert_int_equal(fe_set_vring(fe, SET_VRING_ENABLE, i, 1), 0);
	fe->ack = false;
}

static void qemu_stop(struct test *t, uint32_t ret_base[4])
{
	unsigned i;

	for (i = 0; i < VSND_QUEUES; i++)
		fe_set_vring(&t->fe, SET_VRING_ENABLE, i, 0);
	for (i = 0; i < VSND_QUEUES; i++)
		ret_base[i] = fe_get_base(&t->fe, i);
}

#define QEMU_STOP "disable 0\ndisable 1\ndisable 2\ndisable 3\nstop 0\nstop 1\nstop 2\nstop 3\n"

static void qemu_bring_up(struct test *t)
{
	qemu_connect(t);
	qemu_start(t, FEATURES, zero);
	assert_true(fake_called(FRESH));
}

static void test_qemu_starts(void **state)
{
	struct test *t = *state;
	struct vu_server_status st;
	unsigned i;

	qemu_bring_up(t);
	for (i = 0; i < VSND_QUEUES; i++) {
		unsigned kicks = fake.queue[i].kicks;

		assert_int_equal(fake.queue[i].setup.size, 64);
		assert_int_equal(fake.queue[i].setup.desc, FE_GPA(i));
		assert_int_equal(fake.queue[i].setup.driver, FE_GPA(i) + 0x2000);
		assert_int_equal(fake.queue[i].setup.device, FE_GPA(i) + 0x4000);
		kick(t, i);
		assert_int_equal(fake.queue[i].kicks, kicks + 1);
		counter(t->call[i]);
		fake.cb.notify(fake.ctx, i);
		assert_int_equal(counter(t->call[i]), 1);
	}
	vu_server_status(t->server, &st);
	assert_true(st.connected && st.live);
	assert_int_equal(st.features, FAKE_FEATURES);
	assert_int_equal(st.refused, 0);
}

/* [VU-RSM-1] A VM's pause. */
static void test_qemu_pause(void **state)
{
	struct test *t = *state;
	uint32_t base[4];

	qemu_bring_up(t);
	process_some();
	qemu_stop(t, base);
	assert_true(fake_called(QEMU_STOP));
	assert_int_equal(base[0], 37);
	assert_int_equal(base[3], 70000 & 0xffff);
	qemu_start(t, FEATURES, base);
	assert_true(fake_called("memory 4\n"
				"enable 0\nstart 0 base 37 resume\nenable 1\nstart 1 base 2 resume\n"
				"enable 2\nstart 2 base 500 resume\n"
				"enable 3\nstart 3 base 4464 resume\n"));
}

/* [VU-RSM-2] A guest's reset, although eventq and txq say the same as in a pause. */
static void test_qemu_guest_reset(void **state)
{
	struct test *t = *state;
	uint32_t base[4];

	qemu_bring_up(t);
	process(0, 37);
	qemu_stop(t, base);
	fake_forget();
	qemu_start(t, FEATURES, zero);
	assert_true(fake_called("memory 4\nenable 0\nreset_state\nstart 0 base 0\n"
				"enable 1\nstart 1 base 0\nenable 2\nstart 2 base 0\n"
				"enable 3\nstart 3 base 0\n"));
	/* And once more, so that nothing of the first time is left. */
	process(2, 1);
	qemu_stop(t, base);
	qemu_start(t, FEATURES, base);
	assert_int_equal(fake.state_resets, 1);
}

/* Only the last ring tells: all are looked at before the first one starts. */
static void test_qemu_reset_seen_late(void **state)
{
	struct test *t = *state;
	uint32_t base[4];

	qemu_bring_up(t);
	process(3, 1);
	qemu_stop(t, base);
	fake_forget();
	qemu_start(t, FEATURES, zero);
	assert_true(fake_called("memory 4\nenable 0\nreset_state\nstart 0 base 0\n"
				"enable 1\nstart 1 base 0\nenable 2\nstart 2 base 0\n"
				"enable 3\nstart 3 base 0\n"));
}

static void test_other_features_are_a_reset(void **state)
{
	struct test *t = *state;
	uint32_t base[4];

	qemu_bring_up(t);
	process_some();
	qemu_stop(t, base);
	fake_forget();
	qemu_start(t, BIT(32) | BIT(30), base);
	assert_true(fake_called("features 100000000\nmemory 4\nenable 0\nreset_state\n"
				"start 0 base 37\nenable 1\nstart 1 base 2\n"
				"enable 2\nstart 2 base 500\nenable 3\nstart 3 base 4464\n"));
}

/* crosvm: each ring is finished before the next one; sleep and wake without ENABLE. */
static void test_crosvm(void **state)
{
	struct test *t = *state;
	uint32_t base[4];
	unsigned i;

	fe_set(&t->fe, SET_OWNER, NULL, 0, NULL, 0);
	negotiate(t);
	bring_up(t, zero);
	assert_true(fake_called(FRESH));
	process_some();

	/* Sleep and wake. */
	for (i = 0; i < VSND_QUEUES; i++)
		base[i] = fe_get_base(&t->fe, i);
	assert_true(fake_called("stop 0\nstop 1\nstop 2\nstop 3\n"));
	bring_up(t, base);
	assert_true(fake_called("memory 4\nstart 0 base 37 resume\nstart 1 base 2 resume\n"
				"start 2 base 500 resume\nstart 3 base 4464 resume\n"));

	/* Reset. */
	for (i = 0; i < VSND_QUEUES; i++) {
		fe_set_vring(&t->fe, SET_VRING_ENABLE, i, 0);
		fe_get_base(&t->fe, i);
	}
	fake_forget();
	bring_up(t, zero);
	assert_true(fake_called("memory 4\nenable 0\nreset_state\nstart 0 base 0\n"
				"enable 1\nstart 1 base 0\nenable 2\nstart 2 base 0\n"
				"enable 3\nstart 3 base 0\n"));
}

/* Ring by ring, and only a later one tells: the reset comes with that one. */
static void test_crosvm_reset_seen_late(void **state)
{
	struct test *t = *state;
	unsigned i;

	negotiate(t);
	bring_up(t, zero);
	process(2, 5);
	for (i = 0; i < VSND_QUEUES; i++)
		fe_get_base(&t->fe, i);
	fake_forget();
	bring_up(t, zero);
	assert_true(fake_called("memory 4\nstart 0 base 0 resume\nstart 1 base 0 resume\n"
				"reset_state\nstart 2 base 0\nstart 3 base 0\n"));
}

/* libkrun: memory before features, kick before call, one call fd; reset is ENABLE 0 alone. */
static void libkrun_activate(struct test *t)
{
	struct frontend *fe = &t->fe;
	unsigned i;

	fe_set(fe, SET_OWNER, NULL, 0, NULL, 0);
	fe_set_mem_table(fe, t->memfd);
	fe_set_u64(fe, SET_FEATURES, FEATURES);
	for (i = 0; i < VSND_QUEUES; i++) {
		fe_set_vring(fe, SET_VRING_NUM, i, 64);
		fe_set_addr(fe, i);
		fe_set_vring(fe, SET_VRING_BASE, i, 0);
		fe_set_fd(fe, SET_VRING_KICK, i, t->kick[i]);
		fe_set_fd(fe, SET_VRING_CALL, i, t->call[0]);
		fe_set_vring(fe, SET_VRING_ENABLE, i, 1);
	}
}

static void test_libkrun(void **state)
{
	struct test *t = *state;
	unsigned i;

	assert_int_equal(fe_get_u64(&t->fe, GET_FEATURES), FEATURES);
	assert_int_equal(fe_get_u64(&t->fe, GET_PROTOCOL), PROTOCOL);
	fe_set_u64(&t->fe, SET_PROTOCOL, BIT(0) | BIT(9));
	libkrun_activate(t);
	assert_true(fake_called("memory 4\nfeatures 130000000\n"
				"enable 0\nstart 0 base 0\nenable 1\nstart 1 base 0\n"
				"enable 2\nstart 2 base 0\nenable 3\nstart 3 base 0\n"));
	process_some();
	fake.cb.notify(fake.ctx, 3);
	assert_true(counter(t->call[0]) > 0);

	for (i = 0; i < VSND_QUEUES; i++)
		fe_set_vring(&t->fe, SET_VRING_ENABLE, i, 0);
	assert_true(fake_called("disable 0\ndisable 1\ndisable 2\ndisable 3\n"));
	libkrun_activate(t);
	assert_true(fake_called("memory 4\nstop 0\nenable 0\nstop 1\nstop 2\nstop 3\nreset_state\n"
				"start 0 base 0\nenable 1\nstart 1 base 0\nenable 2\n"
				"start 2 base 0\nenable 3\nstart 3 base 0\n"));
}

/* cloud-hypervisor: all rings, then all enables; pause and resume by ENABLE alone. */
static void test_cloud_hypervisor(void **state)
{
	struct test *t = *state;
	unsigned i;

	negotiate(t);
	assert_int_equal(fe_set_u64(&t->fe, SET_FEATURES, FEATURES), 0);
	assert_int_equal(fe_set_mem_table(&t->fe, t->memfd), 0);
	for (i = 0; i < VSND_QUEUES; i++) {
		assert_int_equal(fe_set_vring(&t->fe, SET_VRING_NUM, i, 64), 0);
		assert_int_equal(fe_set_addr(&t->fe, i), 0);
		assert_int_equal(fe_set_vring(&t->fe, SET_VRING_BASE, i, 0), 0);
		assert_int_equal(fe_set_fd(&t->fe, SET_VRING_CALL, i, t->call[i]), 0);
		assert_int_equal(fe_set_fd(&t->fe, SET_VRING_KICK, i, t->kick[i]), 0);
	}
	for (i = 0; i < VSND_QUEUES; i++)
		assert_int_equal(fe_set_vring(&t->fe, SET_VRING_ENABLE, i, 1), 0);
	assert_true(fake_called(FRESH));
	process_some();
	for (i = 0; i < VSND_QUEUES; i++)
		fe_set_vring(&t->fe, SET_VRING_ENABLE, i, 0);
	for (i = 0; i < VSND_QUEUES; i++)
		fe_set_vring(&t->fe, SET_VRING_ENABLE, i, 1);
	assert_true(fake_called("disable 0\ndisable 1\ndisable 2\ndisable 3\n"
				"enable 0\nenable 1\nenable 2\nenable 3\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_qemu_starts),
		T(test_qemu_pause),
		T(test_qemu_guest_reset),
		T(test_qemu_reset_seen_late),
		T(test_other_features_are_a_reset),
		T(test_crosvm),
		T(test_crosvm_reset_seen_late),
		T(test_libkrun),
		T(test_cloud_hypervisor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
