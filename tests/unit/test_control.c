/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket: lines, requests, answers, and clients of all kinds. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/control.h"
#include "daemon/lines.h"

#define TURNS_MAX 10000

struct rig {
	struct loop *loop;
	struct control *control;
	struct sockaddr_un addr;
	socklen_t addr_len;
	unsigned ran;
};

/* Commands. */

static enum control_result run_add(void *ctx, struct control_call *call)
{
	struct rig *r = ctx;
	json_int_t a, b = 1;

	r->ran++;
	json_object_set_new(call->reply, "rest", json_true());
	if (!control_unpack(call, "{s:I, s?I}", "a", &a, "b", &b))
		return CONTROL_FAILED;
	if (a > 1000)
		return control_fail(call, "%d is too much", (int)a);
	json_object_set_new(call->reply, "sum", json_integer(a + b));
	return CONTROL_DONE;
}

static enum control_result run_large(void *ctx, struct control_call *call)
{
	static char text[100000];

	(void)ctx;
	memset(text, 'x', sizeof(text));
	json_object_set_new(call->reply, "text", json_stringn(text, sizeof(text)));
	return CONTROL_DONE;
}

static const struct control_command commands[] = {
	{ "add", run_add },
	{ "large", run_large },
};

static int set_up(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_non_null(r);
	r->addr.sun_family = AF_UNIX;
	r->addr_len = sizeof(r->addr);
	/* An abstract name that the kernel chooses. */
	assert_int_equal(bind(fd, (struct sockaddr *)&r->addr, sizeof(sa_family_t)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&r->addr, &r->addr_len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(loop_create(&r->loop), 0);
	assert_int_equal(control_create(r->loop, &r->control), 0);
	control_add(r->control, commands, sizeof(commands) / sizeof(commands[0]), r);
	assert_int_equal(control_listen(r->control, fd), 0);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	control_destroy(&r->control);
	assert_null(r->control);
	loop_destroy(&r->loop);
	free(r);
	return 0;
}

/* Everything that is there to be done. */
static void run_loop(struct rig *r)
{
	unsigned turns = 0;

	while (loop_turn(r->loop, 0) > 0)
		assert_true(++turns < TURNS_MAX);
}

static int client(struct rig *r)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&r->addr, r->addr_len), 0);
	run_loop(r);
	return fd;
}

static void say(struct rig *r, int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		assert_true(n > 0);
		text += n;
		len -= (size_t)n;
		run_loop(r);
	}
}

/* What came, in one read; "" when hung up, NULL when there is nothing. */
static const char *hear(int fd)
{
	static char text[8192];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return errno == ECONNRESET ? "" : NULL;
	text[n] = 0;
	return text;
}

static void expect(struct rig *r, int fd, const char *request, const char *answer)
{
	const char *text;

	say(r, fd, request);
	text = hear(fd);
	assert_non_null(text);
	assert_string_equal(text, answer);
}

static void test_answers(void **state)
{
	struct rig *r = *state;
	int fd = client(r);

	expect(r, fd, "{\"command\":\"add\",\"a\":2}\n",
		"{\"id\": null, \"ok\": true, \"rest\": true, \"sum\": 3}\n");
	expect(r, fd, "{\"id\":[7],\"b\":5,\"command\":\"add\",\"a\":2}\r\n",
		"{\"id\": [7], \"ok\": true, \"rest\": true, \"sum\": 7}\n");
	expect(r, fd, "{\"id\":\"x\",\"command\":\"commands\"}\n",
		"{\"id\": \"x\", \"ok\": true, \"commands\": "
		"[\"commands\", \"add\", \"large\"]}\n");
	close(fd);
}

/* Each is answered in one line, and the next one is served as ever. */
static void test_bad_requests(void **state)
{
	static const char *const bad[][2] = {
		{ "{", "{\"id\": null, \"ok\": false, \"error\": \"not JSON: " },
		{ "\xff", "{\"id\": null, \"ok\": false, \"error\": \"not JSON: " },
		{ "{\"id\":1,\"id\":2}", "{\"id\": null, \"ok\": false, \"error\": \"not JSON: " },
		{ "[1]", "{\"id\": null, \"ok\": false, \"error\": \"not a JSON object\"}" },
		{ "{\"id\":1}", "{\"id\": 1, \"ok\": false, \"error\": \"no 'command'\"}" },
		{ "{\"command\":7}",
			"{\"id\": null, \"ok\": false, \"error\": \"'command' is not a string\"}" },
		{ "{\"id\":1,\"command\":\"sub\"}",
			"{\"id\": 1, \"ok\": false, \"error\": \"no command 'sub'\"}" },
		{ "{\"command\":\"add\"}", "{\"id\": null, \"ok\": false, \"error\": \"" },
		{ "{\"command\":\"add\",\"a\":\"1\"}", "{\"id\": null, \"ok\": false, \"error\": \"" },
		{ "{\"command\":\"add\",\"a\":1.5}", "{\"id\": null, \"ok\": false, \"error\": \"" },
		{ "{\"command\":\"add\",\"a\":1,\"c\":1}", "{\"id\": null, \"ok\": false, \"error\": \"" },
		{ "{\"command\":\"add\",\"a\":1001}",
			"{\"id\": null, \"ok\": false, \"error\": \"1001 is too much\"}\n" },
		{ "{\"command\":\"commands\",\"a\":1}",
			"{\"id\": null, \"ok\": false, \"error\": \"" },
	};
	struct rig *r = *state;
	int fd = client(r);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *text;

		say(r, fd, bad[i][0]);
		assert_null(hear(fd));
		say(r, fd, "\n \t\r\n\n");
		text = hear(fd);
		assert_non_null(text);
		assert_memory_equal(text, bad[i][1], strlen(bad[i][1]));
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		expect(r, fd, "{\"command\":\"add\",\"a\":0}\n",
			"{\"id\": null, \"ok\": true, \"rest\": true, \"sum\": 1}\n");
	}
	close(fd);
}

static void test_long_line(void **state)
{
	static char text[LINE_MAX_BYTES + 2];
	struct rig *r = *state;
	int fd = client(r);

	memset(text, 'a', LINE_MAX_BYTES + 1);
	for (unsigned i = 0; i < 5; i++)
		say(r, fd, text);
	expect(r, fd, "\n{\"command\":\"add\",\"a\":0}\n",
		"{\"id\": null, \"ok\": false, \"error\": \"the line is too long\"}\n"
		"{\"id\": null, \"ok\": true, \"rest\": true, \"sum\": 1}\n");
	close(fd);
}

static void test_lines(void **state)
{
	static struct lines l;
	const char *line;
	size_t size, len;
	char *room;

	(void)state;
	room = lines_room(&l, &size);
	assert_int_equal(size, LINE_MAX_BYTES + 1);
	memset(room, 'a', LINE_MAX_BYTES);
	lines_added(&l, LINE_MAX_BYTES);
	assert_int_equal(lines_next(&l, &line, &len), -EAGAIN);
	room = lines_room(&l, &size);
	assert_int_equal(size, 1);
	*room = '\n';
	lines_added(&l, 1);
	assert_int_equal(lines_next(&l, &line, &len), 0);
	assert_int_equal(len, LINE_MAX_BYTES);
	assert_int_equal(lines_next(&l, &line, &len), -EAGAIN);

	room = lines_room(&l, &size);
	memset(room, 'b', size);
	lines_added(&l, size);
	assert_int_equal(lines_next(&l, &line, &len), -E2BIG);
	assert_int_equal(lines_next(&l, &line, &len), -EAGAIN);
	room = lines_room(&l, &size);
	memcpy(room, "b\nc\nd", 5);
	lines_added(&l, 5);
	assert_int_equal(lines_next(&l, &line, &len), 0);
	assert_int_equal(len, 1);
	assert_int_equal(*line, 'c');
	assert_int_equal(lines_next(&l, &line, &len), -EAGAIN);
}

/* A client that sends no more gets what it has asked for, and then the end. */
static void test_answers_after_the_end(void **state)
{
	struct rig *r = *state;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	static const char text[] = "{\"id\":1,\"command\":\"add\",\"a\":0}\n{\"command\":\"half a line";

	assert_int_equal(connect(fd, (struct sockaddr *)&r->addr, r->addr_len), 0);
	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
	shutdown(fd, SHUT_WR);
	run_loop(r);
	assert_string_equal(hear(fd), "{\"id\": 1, \"ok\": true, \"rest\": true, \"sum\": 1}\n");
	assert_string_equal(hear(fd), "");
	close(fd);
}

static void test_clients_are_bounded(void **state)
{
	struct rig *r = *state;
	int fd[CONTROL_CLIENTS_MAX], late;

	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
		fd[i] = client(r);
	late = client(r);
	assert_string_equal(hear(late), "{\"id\": null, \"ok\": false, \"error\": \"too many clients\"}\n");
	assert_string_equal(hear(late), "");
	close(late);
	close(fd[3]);
	run_loop(r);
	fd[3] = client(r);
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		expect(r, fd[i], "{\"command\":\"add\",\"a\":0}\n",
			"{\"id\": null, \"ok\": true, \"rest\": true, \"sum\": 1}\n");
		close(fd[i]);
	}
}

/* Who does not read is disconnected, and only he. */
static void test_slow_reader(void **state)
{
	struct rig *r = *state;
	int fd = client(r), other = client(r);
	unsigned sent = 0;

	while (send(fd, "{\"command\":\"large\"}\n", 20, MSG_NOSIGNAL) == 20 && sent++ < 100)
		run_loop(r);
	assert_in_range(sent, 3, 20);
	expect(r, other, "{\"command\":\"add\",\"a\":0}\n",
		"{\"id\": null, \"ok\": true, \"rest\": true, \"sum\": 1}\n");
	close(fd);
	close(other);
}

/* Who reads late gets all of it. */
static void test_late_reader(void **state)
{
	struct rig *r = *state;
	int fd = client(r);
	size_t got = 0;
	const char *text;

	for (unsigned i = 0; i < 3; i++)
		say(r, fd, "{\"command\":\"large\"}\n");
	while ((text = hear(fd))) {
		got += strlen(text);
		run_loop(r);
	}
	assert_int_equal(got, 3 * (100000 + strlen("{\"id\": null, \"ok\": true, \"text\": \"\"}\n")));
	close(fd);
}

/* Who goes at once has still said something. */
static void test_sent_and_gone(void **state)
{
	struct rig *r = *state;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&r->addr, r->addr_len), 0);
	assert_int_equal(send(fd, "{\"command\":\"add\",\"a\":0}\n", 24, 0), 24);
	close(fd);
	run_loop(r);
	assert_int_equal(r->ran, 1);
}

static void test_destroy_with_clients(void **state)
{
	struct rig *r = *state;
	int fd = client(r);

	say(r, fd, "{\"half");
	control_destroy(&r->control);
	assert_string_equal(hear(fd), "");
	close(fd);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_answers),
		T(test_bad_requests),
		T(test_long_line),
		cmocka_unit_test(test_lines),
		T(test_answers_after_the_end),
		T(test_clients_are_bounded),
		T(test_slow_reader),
		T(test_late_reader),
		T(test_sent_and_gone),
		T(test_destroy_with_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
