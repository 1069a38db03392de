/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The daemon's socket files: linked with --wrap=listen, so that a test sees the folder as
 * it is when listen() is called, and with --wrap=link, for a file system without that.
 */
#include "daemon/socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PATH_MAX_LEN (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

struct test {
	char folder[128], path[128];
};

static struct test *now;
static int listen_error;	/* what listen() fails with */
static int link_error;		/* ... and link() */
static bool was_there;		/* `path`, at the last listen() */
static unsigned listens;
static mode_t listened_mode;	/* of what was bound then */

int __wrap_listen(int fd, int backlog);
int __real_listen(int fd, int backlog);

int __wrap_link(const char *from, const char *to);
int __real_link(const char *from, const char *to);

int __wrap_link(const char *from, const char *to)
{
	errno = link_error;
	return link_error ? -1 : __real_link(from, to);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_mode : 0;
}

int __wrap_listen(int fd, int backlog)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(a);

	listens++;
	was_there = mode_of(now->path) != 0;
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	listened_mode = mode_of(a.sun_path) & 0777;
	errno = listen_error;
	return listen_error ? -1 : __real_listen(fd, backlog);
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	strcpy(t->folder, "/tmp/vsnd-socket-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	strcpy(t->path, t->folder);
	strcat(t->path, "/s");
	now = t;
	listen_error = 0;
	link_error = 0;
	listens = 0;
	*state = t;
	return 0;
}

static unsigned entries(const struct test *t)
{
	DIR *d = opendir(t->folder);
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static int teardown(void **state)
{
	struct test *t = *state;

	unlink(t->path);
	assert_int_equal(entries(t), 0);
	rmdir(t->folder);
	free(t);
	return 0;
}

static int connect_error(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err;

	memcpy(a.sun_path, path, strnlen(path, PATH_MAX_LEN));
	err = connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ? errno : 0;
	close(fd);
	return err;
}

/* The whole life of a file with @mode; and that it is shown when it is ready, or not. */
static void live(struct test *t, mode_t mode, mode_t want, bool early)
{
	struct socket_file file;
	int fd = socket_listen(t->path, mode, &file);

	assert_true(fd >= 0);
	assert_int_equal(listens, 1);
	assert_int_equal(was_there, early);
	assert_int_equal(listened_mode, want);
	assert_int_equal(mode_of(t->path), S_IFSOCK | want);
	assert_int_equal(entries(t), 1);
	assert_int_equal(connect_error(t->path), 0);
	close(fd);
	socket_remove(&file);
	assert_int_equal(entries(t), 0);
	listens = 0;
}

/* Who waits for the name is not refused, and finds the mode that it has for good. */
static void test_name_comes_last(void **state)
{
	struct test *t = *state;
	mode_t former = umask(027);

	live(t, 0, 0750, false);
	live(t, 0600, 0600, false);
	umask(0777);
	live(t, 0600, 0600, false);
	umask(former);
}

/* Up to the longest name; only one that fills the address to its last bytes is early. */
static void test_long_names(void **state)
{
	struct test *t = *state;
	size_t folder = strlen(t->folder);

	while (strlen(t->path) < PATH_MAX_LEN) {
		strcat(t->path, "s");
		live(t, 0600, 0600, false);
	}

	/* A folder that leaves room for one letter. */
	memset(t->path + folder + 1, 'd', PATH_MAX_LEN - folder - 3);
	t->path[PATH_MAX_LEN - 2] = '\0';
	assert_int_equal(mkdir(t->path, 0700), 0);
	strcpy(t->folder, t->path);
	strcat(t->path, "/s");
	live(t, 0600, 0600, true);
	rmdir(t->folder);
	t->folder[folder] = '\0';
}

/* A failure leaves nothing behind, nor takes anything away. */
static void test_failures(void **state)
{
	struct test *t = *state;
	struct socket_file file = { 0 };
	int fd, other;

	listen_error = ENOBUFS;
	assert_int_equal(socket_listen(t->path, 0, &file), -ENOBUFS);
	assert_int_equal(entries(t), 0);
	listen_error = 0;

	fd = socket_listen(t->path, 0, &file);
	assert_true(fd >= 0);
	assert_int_equal(socket_listen(t->path, 0, &file), -EADDRINUSE);
	assert_int_equal(entries(t), 1);
	assert_int_equal(connect_error(t->path), 0);
	close(fd);

	/* Now nobody listens there. */
	assert_int_equal(connect_error(t->path), ECONNREFUSED);
	fd = socket_listen(t->path, 0, &file);
	assert_true(fd >= 0);
	assert_int_equal(connect_error(t->path), 0);
	assert_int_equal(entries(t), 1);
	close(fd);
	unlink(t->path);

	other = open(t->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(other);
	assert_int_equal(socket_listen(t->path, 0, &file), -EEXIST);
	assert_int_equal(mode_of(t->path), S_IFREG | 0600);
	assert_int_equal(entries(t), 1);
}

/* Without hard links: the same. */
static void test_no_links(void **state)
{
	link_error = EPERM;
	test_name_comes_last(state);
	test_failures(state);
}

/* What a killed process with our pid had left beside it is no obstacle. */
static void test_left_behind(void **state)
{
	struct test *t = *state;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%.64s.%d", t->path, (int)getpid());
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
	live(t, 0600, 0600, false);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_name_comes_last),
		T(test_long_names),
		T(test_failures),
		T(test_no_links),
		T(test_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
