/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/log.h"

/* One front-end is served at a time; these wait. */
#define BACKLOG 8

static int stream_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

/* Remove a socket file that nobody listens on.  -EADDRINUSE, -EEXIST or another errno. */
static int remove_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, err = 0;

	if (lstat(addr->sun_path, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = stream_socket();
	if (fd < 0)
		return fd;
	/* Only a refusal proves that nobody is there; a full backlog is EAGAIN. */
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 || errno != ECONNREFUSED)
		err = -EADDRINUSE;
	else if (unlink(addr->sun_path) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int bind_or_replace(int fd, const struct sockaddr_un *addr)
{
	int err;

	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	err = remove_stale(addr);
	if (err < 0)
		return err;
	return bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? -errno : 0;
}

/*
 * A name beside @path that is ours alone, as long as the process: that with the pid behind
 * it, or as much of it as there is room for.  False if there is none.
 */
static bool name_beside(const char *path, struct sockaddr_un *ret_addr)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash - path) + 1 : 0, keep = strlen(path);
	char suffix[16];
	size_t len = (size_t)snprintf(suffix, sizeof(suffix), ".%d", (int)getpid());
	size_t room = sizeof(ret_addr->sun_path) - 1 - len;

	if (keep > room)
		keep = room;
	if (keep <= folder)
		return false;
	*ret_addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret_addr->sun_path, path, keep);
	memcpy(ret_addr->sun_path + keep, suffix, len);
	return true;
}

/* Let the file @from be @to.  -EEXIST if there is one. */
static int give_name(const char *from, const char *to)
{
	struct stat st;

	/* rename() would replace what somebody else puts there meanwhile. */
	if (link(from, to) == 0)
		return 0;
	if (errno == EEXIST || lstat(to, &st) == 0)
		return -EEXIST;
	/* A file system without hard links, or a policy against them. */
	return rename(from, to) < 0 ? -errno : 0;
}

/* As bind_or_replace(), for a file that is there.  @from is gone afterwards. */
static int move_or_replace(const struct sockaddr_un *from, const struct sockaddr_un *to)
{
	int err = give_name(from->sun_path, to->sun_path);

	if (err == -EEXIST) {
		err = remove_stale(to);
		if (err == 0)
			err = give_name(from->sun_path, to->sun_path);
	}
	unlink(from->sun_path);
	return err;
}

/*
 * Who waits for the name may connect as soon as it is there, so it comes last.  Where no
 * other name can be had it comes a moment too early.  The file gets at most the mode of
 * the socket, so it is never open to more than that; chmod() gives back what the umask took.
 */
static int listen_at(int fd, const struct sockaddr_un *addr, mode_t mode)
{
	struct sockaddr_un beside;
	const struct sockaddr_un *at = &beside;
	int err;

	if (mode && fchmod(fd, mode) < 0)
		return -errno;
	if (!name_beside(addr->sun_path, &beside) || bind_or_replace(fd, &beside) < 0) {
		at = addr;
		err = bind_or_replace(fd, addr);
		if (err < 0)
			return err;
	}
	if ((mode && chmod(at->sun_path, mode) < 0) || listen(fd, BACKLOG) < 0) {
		err = -errno;
		unlink(at->sun_path);
		return err;
	}
	return at == addr ? 0 : move_or_replace(at, addr);
}

int socket_listen(const char *path, mode_t mode, struct socket_file *ret_file)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct socket_file file = { .path = path };
	struct stat st;
	int fd, err;

	fd = stream_socket();
	if (fd < 0) {
		err = fd;
		goto fail;
	}
	memcpy(addr.sun_path, path, strnlen(path, sizeof(addr.sun_path) - 1));
	err = listen_at(fd, &addr, mode);
	if (err < 0)
		goto close_fd;
	if (lstat(path, &st) < 0) {
		err = -errno;
		unlink(path);
		goto close_fd;
	}
	file.dev = st.st_dev;
	file.ino = st.st_ino;
	*ret_file = file;
	return fd;

close_fd:
	close(fd);
fail:
	log_always("%s: %s", path, strerror(-err));
	return err;
}

void socket_remove(struct socket_file *file)
{
	struct stat st;

	if (file->path && lstat(file->path, &st) == 0 && st.st_dev == file->dev &&
			st.st_ino == file->ino)
		unlink(file->path);
	file->path = NULL;
}

static int option_of(int fd, int name, int *ret_value)
{
	socklen_t len = sizeof(*ret_value);

	return getsockopt(fd, SOL_SOCKET, name, ret_value, &len) < 0 ? -errno : 0;
}

int socket_check(int fd, bool *ret_listens)
{
	int domain, type, listens;
	struct sockaddr_un peer;
	socklen_t len = sizeof(peer);
	int err;

	err = option_of(fd, SO_DOMAIN, &domain);
	if (err == 0)
		err = option_of(fd, SO_TYPE, &type);
	if (err == 0)
		err = option_of(fd, SO_ACCEPTCONN, &listens);
	if (err == 0 && (domain != AF_UNIX || type != SOCK_STREAM))
		err = -EPROTOTYPE;
	if (err == 0 && !listens && getpeername(fd, (struct sockaddr *)&peer, &len) < 0)
		err = -errno;
	if (err < 0) {
		log_always("descriptor %d: %s", fd, strerror(-err));
		return err;
	}
	*ret_listens = listens;
	return 0;
}
