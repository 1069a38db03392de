/* SPDX-License-Identifier: BSD-3-Clause */
#include "session_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_log(void *ctx, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void on_log(void *ctx, int level, const char *fmt, ...)
{
	struct test *t = ctx;
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	vsnprintf(t->line, sizeof(t->line), fmt, ap);
	va_end(ap);
	t->lines++;
}

static void on_ended(void *ctx)
{
	struct test *t = ctx;

	t->ended++;
}

unsigned count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

unsigned count_maps(const char *name)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, name) != NULL;
	fclose(f);
	return n;
}

void connect_fe(struct test *t)
{
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	assert_int_equal(vu_server_attach(t->server, sv[0]), 0);
	t->fe = (struct frontend){ .loop = t->loop, .fd = sv[1] };
}

void disconnect_fe(struct test *t)
{
	close(t->fe.fd);
	t->fe.fd = -1;
	fe_pump(&t->fe);
}

int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct vu_server_settings settings = { .log = on_log, .ended = on_ended, .ctx = t };
	unsigned i;

	vsnd_settings_init(&settings.device);
	assert_int_equal(loop_create(&t->loop), 0);
	assert_int_equal(vu_server_create(t->loop, &settings, &t->server), 0);
	t->memfd = fe_memfd();
	for (i = 0; i < VSND_QUEUES; i++) {
		t->kick[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		t->call[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		t->err[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	connect_fe(t);
	fake_forget();
	*state = t;
	return 0;
}

int teardown(void **state)
{
	struct test *t = *state;
	unsigned i;

	vu_server_destroy(&t->server);
	loop_destroy(&t->loop);
	if (t->fe.fd >= 0)
		close(t->fe.fd);
	close(t->memfd);
	for (i = 0; i < VSND_QUEUES; i++) {
		close(t->kick[i]);
		close(t->call[i]);
		close(t->err[i]);
	}
	assert_false(fake.alive);
	free(t);
	return 0;
}

uint64_t counter(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

void kick(struct test *t, unsigned i)
{
	const uint64_t one = 1;

	assert_int_equal(write(t->kick[i], &one, sizeof(one)), sizeof(one));
	fe_pump(&t->fe);
}

void process(unsigned i, unsigned n)
{
	fake.queue[i].next += n;
}

void process_some(void)
{
	process(0, 37);
	process(1, 2);
	process(2, 500);
	process(3, 70000);
}

void negotiate(struct test *t)
{
	struct frontend *fe = &t->fe;

	assert_int_equal(fe_get_u64(fe, GET_FEATURES), FEATURES);
	assert_int_equal(fe_get_u64(fe, GET_PROTOCOL), PROTOCOL);
	fe_set_u64(fe, SET_PROTOCOL, PROTOCOL);
	fe->ack = true;
}

void bring_up(struct test *t, const uint32_t base[4])
{
	struct frontend *fe = &t->fe;
	unsigned i;

	assert_int_equal(fe_set_u64(fe, SET_FEATURES, FEATURES), 0);
	assert_int_equal(fe_set_mem_table(fe, t->memfd), 0);
	for (i = 0; i < VSND_QUEUES; i++) {
		assert_int_equal(fe_set_vring(fe, SET_VRING_NUM, i, 64), 0);
		assert_int_equal(fe_set_addr(fe, i), 0);
		assert_int_equal(fe_set_vring(fe, SET_VRING_BASE, i, base[i]), 0);
		assert_int_equal(fe_set_fd(fe, SET_VRING_CALL, i, t->call[i]), 0);
		assert_int_equal(fe_set_fd(fe, SET_VRING_KICK, i, t->kick[i]), 0);
		assert_int_equal(fe_set_vring(fe, SET_VRING_ENABLE, i, 1), 0);
	}
}

const uint32_t zero[4];
