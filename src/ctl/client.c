/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

void complain(const char *fmt, ...)
{
	va_list ap;

	fputs("vsndctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static int connect_to(const char *path)
{
	const struct timeval limit = { .tv_sec = CLIENT_TIMEOUT_S };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = -1;

	if (strlen(path) < sizeof(addr.sun_path))
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	else
		errno = ENAMETOOLONG;
	if (fd < 0)
		return -1;
	memcpy(addr.sun_path, path, strlen(path));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
			connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

int client_open(struct client *c, const char *path)
{
	int fd = connect_to(path);

	c->path = path;
	c->f = fd < 0 ? NULL : fdopen(fd, "r");
	if (c->f)
		return 0;
	complain("%s: %s", path, strerror(errno));
	return -1;
}

void client_close(struct client *c)
{
	if (c->f)
		fclose(c->f);
	c->f = NULL;
}

static int send_line(const struct client *c, const json_t *request)
{
	char *text = json_dumps(request, 0);
	size_t len = text ? strlen(text) : 0, sent = 0;
	ssize_t n = 0;

	if (!text)
		return -ENOMEM;
	/* In place of the NUL. */
	text[len++] = '\n';
	while (sent < len && n >= 0) {
		n = send(fileno(c->f), text + sent, len - sent, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
	}
	free(text);
	return n < 0 ? -errno : 0;
}

json_t *client_ask(struct client *c, json_t *request)
{
	int err = send_line(c, request);
	json_t *answer;

	json_decref(request);
	if (err < 0) {
		complain("%s: %s", c->path, strerror(-err));
		return NULL;
	}
	answer = json_loadf(c->f, JSON_DISABLE_EOF_CHECK, NULL);
	if (!answer)
		complain("%s: %s", c->path, feof(c->f) ? "the daemon hung up" : "no answer");
	return answer;
}

int client_judge(const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (json_is_true(json_object_get(answer, "ok")))
		return 0;
	complain("%s", error ? error : "an odd answer");
	return -1;
}

int client_print(const json_t *answer)
{
	json_dumpf(answer, stdout, JSON_REAL_PRECISION(15));
	putchar('\n');
	return ferror(stdout) || fflush(stdout) != 0 ? -1 : 0;
}
