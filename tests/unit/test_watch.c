/* SPDX-License-Identifier: BSD-3-Clause */
/* watch.h, on a folder of our own. */
#include "audio/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/vsnd-watch-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void make(const char *name)
{
	int fd = open(path_of(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static void what_comes(void **state)
{
	int fd = watch_open(folder);

	(void)state;
	assert_true(fd >= 0);
	assert_false(is_readable(fd));
	assert_false(watch_take(fd, "sock_"));
	make("other");
	make("sock");
	assert_true(is_readable(fd));
	assert_false(watch_take(fd, "sock_"));
	assert_false(is_readable(fd));
	make("more");
	make("sock_1");
	make("last");
	assert_true(watch_take(fd, "sock_"));
	/* Once. */
	assert_false(watch_take(fd, "sock_"));
	unlink(path_of("sock_1"));
	assert_false(watch_take(fd, "sock_"));
	close(fd);
}

/* More than a read gives at once: each of them is looked at. */
static void many(void **state)
{
	int fd = watch_open(folder);
	char name[24];

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), i == 399 ? "sock_last" : "file_%u", i);
		make(name);
	}
	assert_true(watch_take(fd, "sock_"));
	assert_false(is_readable(fd));
	for (unsigned i = 0; i < 399; i++) {
		snprintf(name, sizeof(name), "file_%u", i);
		unlink(path_of(name));
	}
	close(fd);
}

static void no_folder(void **state)
{
	(void)state;
	make("plain");
	assert_true(watch_open(path_of("absent")) < 0);
	assert_true(watch_open(path_of("plain")) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes),
		cmocka_unit_test(many),
		cmocka_unit_test(no_folder),
	};
	static const char *const left[] = { "other", "sock", "more", "last", "sock_last", "plain" };
	int failed;

	if (!mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		unlink(path_of(left[i]));
	rmdir(folder);
	return failed;
}
