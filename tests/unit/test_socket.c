/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The byte stream, descriptors, answers, memory tables and connections.  Names
 * in brackets are those of the conformance list.
 */
#include "session_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool closed(struct test *t)
{
	return fe_recv(&t->fe, 0, NULL, 0) == -2;
}

static void reconnect(struct test *t)
{
	disconnect_fe(t);
	connect_fe(t);
	assert_int_equal(fe_get_u64(&t->fe, GET_FEATURES), FEATURES);
}

static void send_raw(struct test *t, const void *p, size_t n)
{
	assert_int_equal(send(t->fe.fd, p, n, MSG_NOSIGNAL), n);
	fe_pump(&t->fe);
}

/* [VU-HDR-1] In as many pieces as there are bytes, fds with the first. */
static void test_pieces(void **state)
{
	struct test *t = *state;
	uint32_t msg[5] = { SET_VRING_NUM, 9, 8, 1, 64 };
	uint64_t ack = 1;
	size_t i;

	negotiate(t);
	for (i = 0; i < sizeof(msg); i++)
		send_raw(t, (uint8_t *)msg + i, 1);
	assert_int_equal(fe_recv(&t->fe, SET_VRING_NUM, &ack, sizeof(ack)), 8);
	assert_int_equal(ack, 0);

	/* Header with the fd, then the payload. */
	{
		uint32_t head[3] = { SET_VRING_CALL, 9, 8 };
		uint64_t index = 2;
		char control[CMSG_SPACE(sizeof(int))] = "";
		struct iovec iov = { head, 5 };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			.msg_controllen = sizeof(control) };
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &t->call[2], sizeof(int));
		assert_int_equal(sendmsg(t->fe.fd, &m, 0), 5);
		fe_pump(&t->fe);
		send_raw(t, (uint8_t *)head + 5, 7);
		send_raw(t, &index, sizeof(index));
		assert_int_equal(fe_recv(&t->fe, SET_VRING_CALL, &ack, sizeof(ack)), 8);
		assert_int_equal(ack, 0);
		assert_int_equal(counter(t->call[2]), 1);
	}
}

/* [VU-HDR-4, VU-HDR-5, VU-HDR-7] What ends a connection, and nothing else. */
static void test_broken_headers(void **state)
{
	static const uint32_t bad[][3] = {
		{ GET_FEATURES, 0, 0 }, { GET_FEATURES, 2, 0 }, { GET_FEATURES, 3, 0 },
		{ GET_FEATURES, 5, 0 }, { GET_FEATURES, 1, 0x10000 }, { GET_FEATURES, 1, 4097 },
		{ GET_FEATURES, 1, 0xffffffff }, { 1000, 1, 0x7fffffff },
	};
	struct test *t = *state;
	uint32_t odd[3] = { GET_FEATURES, 0xfffffff1, 0 };
	uint64_t value;
	unsigned i, fds = count_fds();

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		send_raw(t, bad[i], sizeof(bad[i]));
		assert_true(closed(t));
		reconnect(t);
		assert_int_equal(count_fds(), fds);
	}
	/* Bits that mean nothing are ignored. */
	send_raw(t, odd, sizeof(odd));
	assert_int_equal(fe_recv(&t->fe, GET_FEATURES, &value, 8), 8);
	assert_int_equal(value, FEATURES);

	send_raw(t, odd, 6);
	reconnect(t);
	odd[0] = SET_FEATURES;
	odd[2] = 8;
	send_raw(t, odd, 12);
	send_raw(t, odd, 4);
	reconnect(t);
	assert_int_equal(count_fds(), fds);
}

/* [VU-CON-4, VU-CON-5, VU-FD-2, AMB-69] */
static void test_unknown_requests(void **state)
{
	static const uint32_t numbers[] = { 0, 6, 7, 19, 20, 22, 23, 26, 27, 28, 29, 30, 31, 32, 33,
		35, 41, 42, 43, 44, 45, 1000, 0xffffffff };
	static const uint8_t payload[4096];
	struct test *t = *state;
	unsigned i, fds;

	/* Not negotiated is not known. */
	fe_send(&t->fe, GET_QUEUE_NUM, 9, NULL, 0, NULL, 0);
	fe_send(&t->fe, RESET_DEVICE, 9, NULL, 0, NULL, 0);
	assert_int_equal(fe_get_u64(&t->fe, GET_FEATURES), FEATURES);

	negotiate(t);
	fds = count_fds();
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_int_not_equal(fe_set(&t->fe, numbers[i], NULL, 0, NULL, 0), 0);
		assert_int_not_equal(fe_set(&t->fe, numbers[i], payload, 64, t->call, 3), 0);
		fe_send(&t->fe, numbers[i], 1, payload, sizeof(payload), t->call, 4);
		assert_int_equal(fe_get_u64(&t->fe, GET_FEATURES), FEATURES);
		assert_int_equal(count_fds(), fds);
	}
	assert_true(fake_called(""));
	assert_int_equal(t->lines, 2);	/* "connected", and one refusal a second */
}

/* [VU-ACK-1, VU-ACK-3, VU-REPLY-1, VU-REPLY-2] */
static void test_answers(void **state)
{
	static const uint32_t getters[] = { GET_FEATURES, GET_PROTOCOL, GET_QUEUE_NUM,
		GET_MAX_MEM_SLOTS, GET_STATUS };
	struct test *t = *state;
	uint64_t value = 0;
	unsigned i;

	/* need_reply is no offer of REPLY_ACK, but for those that front-ends wait for. */
	fe_send(&t->fe, SET_OWNER, 9, NULL, 0, NULL, 0);
	fe_send(&t->fe, POSTCOPY_LISTEN, 9, NULL, 0, NULL, 0);
	assert_int_equal(fe_recv(&t->fe, POSTCOPY_LISTEN, &value, 8), 8);
	assert_int_not_equal(value, 0);
	/* It comes into force with the message that says so. */
	value = PROTOCOL | BIT(1);
	fe_send(&t->fe, SET_PROTOCOL, 9, &value, 8, NULL, 0);
	assert_int_equal(fe_recv(&t->fe, SET_PROTOCOL, &value, 8), 8);
	assert_int_not_equal(value, 0);

	for (i = 0; i < sizeof(getters) / sizeof(getters[0]); i++) {
		fe_send(&t->fe, getters[i], 1, NULL, 0, NULL, 0);
		assert_int_equal(fe_recv(&t->fe, getters[i], &value, 8), 8);
		fe_send(&t->fe, getters[i], 9, NULL, 0, NULL, 0);
		assert_int_equal(fe_recv(&t->fe, getters[i], &value, 8), 8);
		assert_int_equal(fe_recv(&t->fe, getters[i], &value, 8), -1);
		/* With a payload or an fd: refused, and still answered once. */
		fe_send(&t->fe, getters[i], 9, &value, 1, NULL, 0);
		assert_int_equal(fe_recv(&t->fe, getters[i], &value, 8), 0);
		fe_send(&t->fe, getters[i], 1, NULL, 0, t->call, 1);
		assert_int_equal(fe_recv(&t->fe, getters[i], &value, 8), 0);
	}
	fe_send(&t->fe, SET_OWNER, 1, NULL, 0, NULL, 0);
	assert_int_equal(fe_get_u64(&t->fe, GET_FEATURES), FEATURES);
}

/* [VU-MQ-3, AMB-70] */
static void test_ring_index(void **state)
{
	static const uint32_t index[] = { 4, 255, 0x10000, 0xffffffff };
	struct test *t = *state;
	uint64_t addr[5] = { 0 };
	uint32_t vring[2], reply[2];
	unsigned i;

	negotiate(t);
	for (i = 0; i < sizeof(index) / sizeof(index[0]); i++) {
		assert_int_not_equal(fe_set_vring(&t->fe, SET_VRING_NUM, index[i], 64), 0);
		assert_int_not_equal(fe_set_vring(&t->fe, SET_VRING_BASE, index[i], 0), 0);
		assert_int_not_equal(fe_set_vring(&t->fe, SET_VRING_ENABLE, index[i], 1), 0);
		assert_int_not_equal(fe_set_fd(&t->fe, SET_VRING_KICK, index[i], t->kick[0]), 0);
		assert_int_not_equal(fe_set_fd(&t->fe, SET_VRING_CALL, index[i], t->call[0]), 0);
		assert_int_not_equal(fe_set_fd(&t->fe, SET_VRING_ERR, index[i], t->err[0]), 0);
		addr[0] = index[i];
		assert_int_not_equal(fe_set(&t->fe, SET_VRING_ADDR, addr, sizeof(addr), NULL, 0), 0);
		vring[0] = index[i];
		vring[1] = 7;
		fe_send(&t->fe, GET_VRING_BASE, 1, vring, sizeof(vring), NULL, 0);
		assert_int_equal(fe_recv(&t->fe, GET_VRING_BASE, reply, sizeof(reply)), 8);
		assert_int_equal(reply[0], index[i]);
		assert_int_equal(reply[1], 0);
	}
	assert_int_not_equal(fe_set_vring(&t->fe, SET_VRING_ENABLE, 0, 2), 0);
	assert_int_equal(counter(t->call[0]), 0);
	assert_true(fake_called(""));
}

/* [VU-HDR-8] A hundred requests before the first reply is read. */
static void test_pipelined(void **state)
{
	struct test *t = *state;
	uint64_t value;
	unsigned i;

	negotiate(t);
	for (i = 0; i < 100; i++) {
		fe_send(&t->fe, i % 3 ? GET_FEATURES : SET_OWNER, 9, NULL, 0, NULL, 0);
		if (i % 10 == 0)
			fe_pump(&t->fe);
	}
	for (i = 0; i < 100; i++) {
		assert_int_equal(fe_recv(&t->fe, i % 3 ? GET_FEATURES : SET_OWNER, &value, 8), 8);
		assert_int_equal(value, i % 3 ? FEATURES : 0);
	}
}

/* A front-end that asks and does not listen is disconnected, not waited for. */
static void test_deaf_front_end(void **state)
{
	struct test *t = *state;
	const uint32_t head[3] = { GET_CONFIG, 1, 12 + 256 };
	uint32_t config[(12 + 256) / 4] = { 0, 256, 0 };
	uint8_t msg[12 + 268];
	unsigned long i;
	ssize_t n = 0;

	negotiate(t);
	memcpy(msg, head, 12);
	memcpy(msg + 12, config, 268);
	for (i = 0; i < 100000 && n >= 0; i++) {
		n = send(t->fe.fd, msg, sizeof(msg), MSG_DONTWAIT | MSG_NOSIGNAL);
		fe_pump(&t->fe);
	}
	assert_int_equal(n, -1);
	assert_int_equal(errno, EPIPE);
	reconnect(t);

	/* One that listens late gets everything. */
	negotiate(t);
	for (i = 0; i < 400; i++) {
		fe_send(&t->fe, GET_CONFIG, 1, config, 268, NULL, 0);
		fe_pump(&t->fe);
	}
	for (i = 0; i < 400; i++)
		assert_int_equal(fe_recv(&t->fe, GET_CONFIG, msg, 268), 268);
}

/* [VU-FD-2, VU-FD-5] */
static void test_wrong_number_of_fds(void **state)
{
	struct test *t = *state;
	int many[64];
	uint64_t index = 1;
	unsigned i, fds;

	negotiate(t);
	fds = count_fds();
	for (i = 0; i < 64; i++)
		many[i] = t->call[1];
	assert_int_not_equal(fe_set(&t->fe, SET_VRING_CALL, &index, 8, many, 2), 0);
	assert_int_not_equal(fe_set(&t->fe, SET_VRING_CALL, &index, 8, many, 9), 0);
	assert_int_not_equal(fe_set(&t->fe, SET_VRING_CALL, &index, 8, many, 32), 0);
	assert_int_not_equal(fe_set(&t->fe, SET_OWNER, NULL, 0, many, 9), 0);
	assert_int_not_equal(fe_set(&t->fe, SET_OWNER, NULL, 0, many, 1), 0);
	assert_int_not_equal(fe_set(&t->fe, SET_BACKEND_REQ_FD, NULL, 0, NULL, 0), 0);
	assert_int_equal(counter(t->call[1]), 0);
	assert_int_equal(count_fds(), fds);
}

/* [VU-CFG-1, VU-CFG-2, VIO-CFG-1] */
static void test_get_config(void **state)
{
	static const struct {
		uint32_t offset, size;
		int payload;
	} cases[] = {
		{ 0, 16, 28 }, { 0, 12, 24 }, { 4, 4, 16 }, { 12, 4, 16 }, { 15, 1, 13 },
		{ 0, 256, 268 }, { 255, 1, 13 },
		{ 250, 16, 0 }, { 0xffffffff, 16, 0 }, { 0, 0, 0 }, { 0, 257, 0 }, { 256, 1, 0 },
	};
	static const uint8_t want[16] = { 1, 0, 0, 0, 2, 0, 0, 0, 3 };
	struct test *t = *state;
	uint32_t msg[3 + 70], reply[3 + 70];
	unsigned i;

	negotiate(t);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(msg, 0xa5, sizeof(msg));
		memset(reply, 0x5a, sizeof(reply));
		msg[0] = cases[i].offset;
		msg[1] = cases[i].size;
		msg[2] = 0;
		fe_send(&t->fe, GET_CONFIG, 1, msg, 12 + cases[i].size, NULL, 0);
		assert_int_equal(fe_recv(&t->fe, GET_CONFIG, reply, sizeof(reply)), cases[i].payload);
		if (!cases[i].payload)
			continue;
		assert_memory_equal(reply, msg, 12);
		if (cases[i].offset == 0)
			assert_memory_equal(reply + 3, want, cases[i].size < 16 ? cases[i].size : 16);
	}
	assert_int_equal(((uint8_t *)reply)[12], 0x5a);
}

/* [VU-CFG-4, VU-CFG-5, AMB-80] */
static void test_set_config(void **state)
{
	struct test *t = *state;
	uint8_t msg[12 + 16] = { 0 };
	uint32_t *head = (uint32_t *)(void *)msg;
	unsigned i;

	negotiate(t);
	head[1] = 16;
	msg[12] = 1;
	msg[16] = 2;
	msg[20] = 3;
	assert_int_not_equal(fe_set(&t->fe, SET_CONFIG, msg, 28, NULL, 0), 0);
	head[2] = 1;
	assert_int_equal(fe_set(&t->fe, SET_CONFIG, msg, 28, NULL, 0), 0);
	head[2] = 2;
	assert_int_not_equal(fe_set(&t->fe, SET_CONFIG, msg, 28, NULL, 0), 0);
	head[2] = 1;
	for (i = 12; i < 28; i++) {
		msg[i] ^= 0x10;
		assert_int_not_equal(fe_set(&t->fe, SET_CONFIG, msg, 28, NULL, 0), 0);
		msg[i] ^= 0x10;
	}
	head[0] = 250;
	assert_int_not_equal(fe_set(&t->fe, SET_CONFIG, msg, 28, NULL, 0), 0);
}

struct region {
	uint64_t gpa, size, uaddr, offset;
};

static uint64_t set_table(struct test *t, const struct region *r, unsigned n, unsigned fds,
			  int fd)
{
	uint64_t payload[1 + 4 * 9] = { n };
	int list[9];
	unsigned i;

	memcpy(payload + 1, r, n * sizeof(*r));
	for (i = 0; i < 9; i++)
		list[i] = fd;
	return fe_set(&t->fe, SET_MEM_TABLE, payload, 8 + 32 * n, list, fds);
}

/* [VU-MEM-2, VU-MEM-4, VU-MEM-6, AMB-77] */
static void test_bad_tables(void **state)
{
	const uint64_t M = 0x100000;
	const struct {
		struct region r[2];
		unsigned n, fds;
	} bad[] = {
		{ { { 0, 0, M, 0 } }, 1, 1 },			/* empty */
		{ { { 0, M, M, 0x10 } }, 1, 1 },		/* not at a page of the file */
		{ { { 0x10, M, M, 0 } }, 1, 1 },		/* nor of the guest */
		{ { { UINT64_MAX - 0xfff, 2 * M, M, 0 } }, 1, 1 },	/* beyond 2^64 */
		{ { { 0, M, UINT64_MAX - 0xfff, 0 } }, 1, 1 },
		{ { { 0, M, M, UINT64_MAX - 0xfff } }, 1, 1 },
		{ { { 0, M, M, 4 * M } }, 1, 1 },		/* beyond the file */
		{ { { 0, M, M, 3 * M + 0x1000 } }, 1, 1 },
		{ { { 0, UINT64_MAX, 0, 0 } }, 1, 1 },
		{ { { 0, M, M, 0 }, { M - 0x1000, M, 4 * M, 0 } }, 2, 2 },	/* guest overlap */
		{ { { 0, M, M, 0 }, { 4 * M, M, M + 0x1000, 0 } }, 2, 2 },	/* user overlap */
		{ { { 0, M, M, 0 }, { 0, M, M, 0 } }, 2, 2 },
		{ { { 0, M, M, 0 } }, 1, 0 },			/* fds missing, too many */
		{ { { 0, M, M, 0 }, { 4 * M, M, 4 * M, 0 } }, 2, 1 },
		{ { { 0, M, M, 0 } }, 1, 2 },
	};
	const struct region good = { 0x7000, 0x3000, M, 0x3000 };
	struct region nine[9];
	uint64_t full[33] = { 1, good.gpa, good.size, good.uaddr, good.offset };
	struct test *t = *state;
	unsigned i, maps, fds;
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ro;

	negotiate(t);
	fds = count_fds();
	assert_int_equal(pwrite(t->memfd, "here", 4, 0x3000), 4);
	assert_int_equal(set_table(t, &good, 1, 1, t->memfd), 0);
	assert_memory_equal(fake.region[0].host, "here", 4);
	maps = count_maps("memfd:guest");
	fake_forget();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(set_table(t, bad[i].r, bad[i].n, bad[i].fds, t->memfd), 0);
	for (i = 0; i < 9; i++)
		nine[i] = (struct region){ i * M, 0x1000, i * M, 0 };
	assert_int_not_equal(set_table(t, nine, 9, 8, t->memfd), 0);
	assert_int_not_equal(set_table(t, &good, 1, 1, dir), 0);
	assert_int_not_equal(set_table(t, &good, 1, 1, t->call[0]), 0);
	ro = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(set_table(t, &good, 1, 1, ro), 0);
	close(ro);
	assert_true(fake_called(""));
	assert_int_equal(count_maps("memfd:guest"), maps);
	assert_int_equal(fake.regions, 1);

	assert_int_equal(set_table(t, nine, 8, 8, t->memfd), 0);
	assert_int_equal(count_maps("memfd:guest"), maps + 7);
	assert_int_equal(fe_set(&t->fe, SET_MEM_TABLE, full, sizeof(full), &t->memfd, 1), 0);
	assert_int_equal(count_maps("memfd:guest"), maps);
	assert_int_equal(set_table(t, &good, 0, 0, -1), 0);
	assert_int_equal(count_maps("memfd:guest"), maps - 1);
	close(dir);
	assert_int_equal(count_fds(), fds - 1);
}

/* [VU-REG-1 .. VU-REG-5, VU-REG-7] */
static void test_memory_slots(void **state)
{
	struct test *t = *state;
	uint64_t r[5] = { 0, 0, 0x1000, 0, 0x5000 };
	unsigned i, maps = count_maps("memfd:guest"), fds;

	negotiate(t);
	fds = count_fds();
	assert_int_equal(fe_get_u64(&t->fe, GET_MAX_MEM_SLOTS), 509);
	for (i = 0; i < 509; i++) {
		r[1] = i * UINT64_C(0x2000);
		r[3] = i * UINT64_C(0x4000);
		assert_int_equal(fe_set(&t->fe, ADD_MEM_REG, r, sizeof(r), &t->memfd, 1), 0);
	}
	assert_int_equal(fake.regions, 509);
	r[1] = r[3] = UINT64_C(0x100000000);
	assert_int_not_equal(fe_set(&t->fe, ADD_MEM_REG, r, sizeof(r), &t->memfd, 1), 0);
	assert_int_equal(count_fds(), fds);

	r[1] = 7 * UINT64_C(0x2000);
	r[3] = 7 * UINT64_C(0x4000);
	r[4] = 0xdead;
	r[2] = 0x2000;
	assert_int_not_equal(fe_set(&t->fe, REM_MEM_REG, r, sizeof(r), NULL, 0), 0);
	r[2] = 0x1000;
	assert_int_equal(fe_set(&t->fe, REM_MEM_REG, r, sizeof(r), &t->memfd, 1), 0);
	assert_int_not_equal(fe_set(&t->fe, REM_MEM_REG, r, sizeof(r), NULL, 0), 0);
	r[4] = 0;
	assert_int_not_equal(fe_set(&t->fe, ADD_MEM_REG, r, sizeof(r), NULL, 0), 0);
	assert_int_not_equal(fe_set(&t->fe, ADD_MEM_REG, r, sizeof(r), t->call, 2), 0);
	r[2] = 0x3000;
	assert_int_not_equal(fe_set(&t->fe, ADD_MEM_REG, r, sizeof(r), &t->memfd, 1), 0);
	r[2] = 0x1000;
	fake.fail_memory = -ENOMEM;
	assert_int_not_equal(fe_set(&t->fe, ADD_MEM_REG, r, sizeof(r), &t->memfd, 1), 0);
	assert_int_equal(count_maps("memfd:guest"), maps + 508);
	assert_int_equal(fe_set(&t->fe, ADD_MEM_REG, r, sizeof(r), &t->memfd, 1), 0);
	assert_int_equal(count_fds(), fds);
}

/* [VU-FD-3] */
static void test_no_descriptor_leaks(void **state)
{
	struct test *t = *state;
	uint64_t r[5] = { 0, UINT64_C(0x1000000), 0x1000, UINT64_C(0x1000000), 0 };
	unsigned i, fds = 0, maps = 0;

	negotiate(t);
	bring_up(t, zero);
	for (i = 0; i < 2000; i++) {
		fe_set_fd(&t->fe, SET_VRING_KICK, i % 4, t->kick[i % 3]);
		fe_set_fd(&t->fe, SET_VRING_CALL, i % 4, t->call[i % 3]);
		fe_set_fd(&t->fe, SET_VRING_ERR, i % 4, t->err[i % 3]);
		fe_set(&t->fe, ADD_MEM_REG, r, sizeof(r), &t->memfd, 1);
		fe_set(&t->fe, REM_MEM_REG, r, sizeof(r), NULL, 0);
		fe_set_mem_table(&t->fe, t->memfd);
		if (i == 9) {
			fds = count_fds();
			maps = count_maps("memfd:guest");
		}
	}
	assert_int_equal(count_fds(), fds);
	assert_int_equal(count_maps("memfd:guest"), maps);
	/* What was received came after what the test has. */
	for (i = (unsigned)t->memfd; i < 200; i++) {
		int flags = fcntl((int)i, F_GETFD);

		assert_true(flags < 0 || (flags & FD_CLOEXEC));
	}
}

/* [VU-CON-3, VIO-RST-3] */
static void test_disconnect_and_reconnect(void **state)
{
	struct test *t = *state;
	unsigned i, fds = count_fds(), maps = count_maps("memfd:guest");

	for (i = 0; i < 50; i++) {
		negotiate(t);
		fe_set_fd(&t->fe, SET_VRING_ERR, 0, t->err[0]);
		bring_up(t, zero);
		process_some();
		assert_true(fake_called(FRESH));
		disconnect_fe(t);
		assert_true(fake_called("reset\nmemory 0\n"));
		assert_int_equal(count_fds(), fds - 2);
		assert_int_equal(count_maps("memfd:guest"), maps);
		fake.cb.queue_error(fake.ctx, 0, VSND_QUEUE_ERROR_BROKEN, "x");
		fake.cb.notify(fake.ctx, 0);
		fe_pump(&t->fe);
		assert_int_equal(counter(t->err[0]), 0);
		connect_fe(t);
	}
	assert_int_equal(t->ended, 50);
	assert_int_equal(fe_get_u64(&t->fe, GET_FEATURES), FEATURES);
}

static int connect_to(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)a, sizeof(*a)), 0);
	return fd;
}

/* The second front-end waits until the first one has gone. */
static void test_listener(void **state)
{
	struct test *t = *state;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct vu_server_status st;
	unsigned i;
	int l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int second;

	disconnect_fe(t);
	snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "vsnd-test-%d", getpid());
	assert_int_equal(bind(l, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(l, 4), 0);
	assert_int_equal(vu_server_listen(t->server, l), 0);
	assert_int_equal(vu_server_listen(t->server, t->memfd), -EBUSY);

	t->fe = (struct frontend){ .loop = t->loop, .fd = connect_to(&a) };
	negotiate(t);
	second = connect_to(&a);
	for (i = 0; i < 10; i++) {
		struct frontend other = { .loop = t->loop, .fd = second };

		fe_send(&other, GET_FEATURES, 1, NULL, 0, NULL, 0);
		fe_pump(&t->fe);
		assert_int_equal(recv(second, &other, 1, MSG_DONTWAIT), -1);
		disconnect_fe(t);
		t->fe = (struct frontend){ .loop = t->loop, .fd = second };
		second = connect_to(&a);
		{
			uint64_t value = 0;

			assert_int_equal(fe_recv(&t->fe, GET_FEATURES, &value, 8), 8);
			assert_int_equal(value, FEATURES);
		}
	}
	/* Who has come and gone meanwhile does no harm. */
	close(second);
	reconnect(t);
	vu_server_status(t->server, &st);
	assert_true(st.connected && !st.live);
	assert_int_equal(t->ended, 1);
}

static void test_attach(void **state)
{
	struct test *t = *state;
	unsigned fds = count_fds();
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	assert_int_equal(vu_server_attach(t->server, sv[0]), -EBUSY);
	close(sv[1]);
	disconnect_fe(t);
	assert_int_equal(vu_server_attach(t->server, dup(t->memfd)), -ENOTSOCK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sv), 0);
	assert_int_equal(vu_server_attach(t->server, sv[0]), -EPROTOTYPE);
	close(sv[1]);
	assert_int_equal(count_fds(), fds - 2);
}

static void test_two_servers_come_and_go(void **state)
{
	unsigned fds = count_fds(), i;

	(void)state;
	for (i = 0; i < 10; i++) {
		struct test *t;

		setup((void **)&t);
		negotiate(t);
		bring_up(t, zero);
		teardown((void **)&t);
	}
	assert_int_equal(count_fds(), fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_pieces),
		T(test_broken_headers),
		T(test_unknown_requests),
		T(test_answers),
		T(test_ring_index),
		T(test_pipelined),
		T(test_deaf_front_end),
		T(test_wrong_number_of_fds),
		T(test_get_config),
		T(test_set_config),
		T(test_bad_tables),
		T(test_memory_slots),
		T(test_no_descriptor_leaks),
		T(test_disconnect_and_reconnect),
		T(test_listener),
		T(test_attach),
		cmocka_unit_test(test_two_servers_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
