/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vsnd-probe's client of hooks against a back-end that is wrong in each way it can be:
 * every call returns in time, and says what was wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe/hooks.h"
#include "probe/report.h"

#define TIMEOUT_MS 300
#define COMMANDS   "{\"id\": 1, \"ok\": true, \"commands\": [\"test-clock\", 7]}\n"

/* Answers the first request and the second one with these texts, and then hangs up. */
struct backend {
	char dir[64], path[96];
	int listener;
	const char *answer[2];
	size_t padding; /* blanks before the second, about so many */
	bool silent;	/* instead of hanging up, when the texts are used up */
	pthread_t thread;
};

static void read_line(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) == 1 && byte != '\n')
		;
}

static void say(int fd, const char *text)
{
	/* In two pieces. */
	(void)!send(fd, text, strlen(text) / 2, MSG_NOSIGNAL);
	(void)!send(fd, text + strlen(text) / 2, strlen(text) - strlen(text) / 2, MSG_NOSIGNAL);
}

static void *backend_main(void *arg)
{
	static const char blanks[] = "                                                                "
		"                                                                ";
	const struct backend *b = arg;
	int fd = accept(b->listener, NULL, NULL);

	for (unsigned i = 0; i < 2 && b->answer[i]; i++) {
		read_line(fd);
		for (size_t k = 0; i == 1 && k < b->padding; k += strlen(blanks))
			(void)!send(fd, blanks, strlen(blanks), MSG_NOSIGNAL);
		say(fd, b->answer[i]);
	}
	if (b->silent)
		read_line(fd);
	while (b->silent && recv(fd, &(char){ 0 }, 1, 0) > 0)
		;
	close(fd);
	return NULL;
}

static void start(struct backend *b)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	strcpy(b->dir, "/tmp/vsnd-test.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/hooks", b->dir);
	strcpy(sa.sun_path, b->path);
	b->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(b->listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(b->listener, 1), 0);
	assert_int_equal(pthread_create(&b->thread, NULL, backend_main, b), 0);
}

static void stop(struct backend *b)
{
	pthread_join(b->thread, NULL);
	close(b->listener);
	unlink(b->path);
	rmdir(b->dir);
}

/* The error of the first call, which is no `commands`. */
static int call_with(struct backend b)
{
	json_t *answer = NULL;
	struct hooks h;
	int err;

	b.answer[0] = COMMANDS;
	start(&b);
	assert_int_equal(hooks_open(&h, b.path, 0, TIMEOUT_MS), 0);
	assert_true(hooks_knows(&h, "test-clock"));
	assert_false(hooks_knows(&h, "test-advance"));
	err = hooks_call(&h, "test-clock", json_pack("{s:s}", "clock", "manual"), &answer);
	if (!err)
		assert_int_equal(json_integer_value(json_object_get(answer, "n")), 5);
	json_decref(answer);
	hooks_close(&h);
	stop(&b);
	return err;
}

static void answers(void **state)
{
	(void)state;
	assert_int_equal(call_with((struct backend){
		.answer = { NULL, "{\"id\": 2, \"ok\": true, \"n\": 5}\n" } }), 0);
	assert_int_equal(call_with((struct backend){ .padding = 1000,
		.answer = { NULL, "{\"id\": 2, \"ok\": true, \"n\": 5}\n" } }), 0);
}

static void refusals(void **state)
{
	(void)state;
	assert_int_equal(call_with((struct backend){
		.answer = { NULL, "{\"id\": 2, \"ok\": false, \"error\": \"the moon\"}\n" } }),
		-EREMOTEIO);
	assert_string_equal(complaint(), "test-clock: the moon");
	assert_int_equal(call_with((struct backend){
		.answer = { NULL, "{\"id\": 2, \"ok\": 1}\n" } }), -EREMOTEIO);
}

static void nonsense(void **state)
{
	static const char *const texts[] = { "\n", "{\n", "[]\n", "7\n", "{\"id\": 2, \"ok\": true,}\n",
		"{\"id\": 3, \"ok\": true}\n", "{\"id\": \"2\", \"ok\": true}\n", "{}\n" };

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(call_with((struct backend){ .answer = { NULL, texts[i] } }),
			-EPROTO);
}

static void ends_and_silence(void **state)
{
	int64_t began = now_ns();

	(void)state;
	assert_int_equal(call_with((struct backend){ .answer = { NULL, "{\"id\": 2" } }), -EPIPE);
	assert_int_equal(call_with((struct backend){ .silent = true, .answer = { NULL, "{\"id\"" } }),
		-ETIMEDOUT);
	assert_int_equal(call_with((struct backend){ .silent = true }), -ETIMEDOUT);
	assert_in_range(now_ns() - began, 2 * TIMEOUT_MS * 1000000LL - 10000000, 20000000000LL);
}

/* Longer than any answer may be. */
static void endless(void **state)
{
	(void)state;
	assert_int_equal(call_with((struct backend){ .padding = 300000, .answer = { NULL, "{}\n" } }),
		-EPROTO);
}

static void nobody_there(void **state)
{
	struct hooks h;

	(void)state;
	assert_int_equal(hooks_open(&h, "/tmp/vsnd-test-of-nobody", 20, TIMEOUT_MS), -ENOENT);
	assert_int_equal(h.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(refusals),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(ends_and_silence),
		cmocka_unit_test(endless),
		cmocka_unit_test(nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
