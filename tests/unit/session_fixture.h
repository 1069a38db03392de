/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A server with a fake libvsnd behind it and one front-end at it.
 */
#ifndef VSND_TESTS_SESSION_FIXTURE_H
#define VSND_TESTS_SESSION_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_vsnd.h"
#include "frontend.h"
#include "vhost_user/server.h"

#define BIT(n)	 (UINT64_C(1) << (n))
#define FEATURES (FAKE_FEATURES | BIT(30))
#define PROTOCOL (BIT(0) | BIT(3) | BIT(5) | BIT(9) | BIT(13) | BIT(15) | BIT(16))
#define NOFD	 BIT(8)

/* Requests, by the protocol's numbers: the server's own enum is not used. */
enum {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	RESET_OWNER = 4,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	SET_VRING_ERR = 14,
	GET_PROTOCOL = 15,
	SET_PROTOCOL = 16,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
	SET_BACKEND_REQ_FD = 21,
	IOTLB_MSG = 22,
	GET_CONFIG = 24,
	SET_CONFIG = 25,
	POSTCOPY_LISTEN = 29,
	RESET_DEVICE = 34,
	GET_MAX_MEM_SLOTS = 36,
	ADD_MEM_REG = 37,
	REM_MEM_REG = 38,
	SET_STATUS = 39,
	GET_STATUS = 40
};

struct test {
	struct loop *loop;
	struct vu_server *server;
	struct frontend fe;
	int memfd;
	int kick[VSND_QUEUES], call[VSND_QUEUES], err[VSND_QUEUES];
	int ended;
	char line[256];		/* the last of the log */
	unsigned lines;
};

/* cmocka's: with a connected front-end that has said nothing yet. */
int setup(void **state);
int teardown(void **state);

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

void connect_fe(struct test *t);
void disconnect_fe(struct test *t);

unsigned count_fds(void);
/* Mappings of this process whose line in /proc has @name. */
unsigned count_maps(const char *name);

/* What an eventfd counts, which is then 0. */
uint64_t counter(int fd);
void kick(struct test *t, unsigned i);

/* Protocol features with REPLY_ACK; from now on every request asks for an answer. */
void negotiate(struct test *t);

/* All rings with @base: one after the other, complete with ENABLE (crosvm's order). */
void bring_up(struct test *t, const uint32_t base[4]);
extern const uint32_t zero[4];

/* What bring_up() makes of a device that is new. */
#define FRESH                                                                                      \
	"features 130000000\nmemory 4\n"                                                           \
	"enable 0\nstart 0 base 0\nenable 1\nstart 1 base 0\n"                                     \
	"enable 2\nstart 2 base 0\nenable 3\nstart 3 base 0\n"

/* The device has processed @n messages of ring @i. */
void process(unsigned i, unsigned n);
void process_some(void);

#endif
