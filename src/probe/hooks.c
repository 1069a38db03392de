/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe/hooks.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "probe/report.h"
#include "probe/vu.h"

#define LINE_MAX_BYTES (256u << 10)

static int connect_to(struct hooks *h, const char *path, int retry_ms)
{
	const struct timespec ts = { .tv_nsec = 5000000 };
	int64_t end = now_ns() + (int64_t)retry_ms * 1000000;

	for (;;) {
		h->fd = vu_connect(path);
		if (h->fd >= 0 || now_ns() >= end || interrupted())
			return h->fd < 0 ? h->fd : 0;
		nanosleep(&ts, NULL);
	}
}

/* A back-end that does not read is not waited for: vu_connect() has set a limit. */
static int send_line(struct hooks *h, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t n = text ? strlen(text) : 0, done = 0;

	if (text)
		text[n++] = '\n'; /* instead of the end */
	while (done < n) {
		ssize_t sent = send(h->fd, text + done, n - done, MSG_NOSIGNAL);

		if (sent <= 0)
			break;
		done += (size_t)sent;
	}
	free(text);
	return n && done == n ? 0 : complain(-EPIPE, "the hooks do not take a request");
}

/* The bytes of the next line with its end, 0 if it is not complete. */
static size_t line_end(const struct hooks *h)
{
	const char *end = memchr(h->line, '\n', h->line_bytes);

	return end ? (size_t)(end - h->line) + 1 : 0;
}

static int read_some(struct hooks *h, int64_t end_ns)
{
	struct pollfd p = { .fd = h->fd, .events = POLLIN };
	int64_t left_ms = (end_ns - now_ns()) / 1000000;
	ssize_t n;

	if (h->line_bytes == LINE_MAX_BYTES)
		return complain(-EPROTO, "an answer of the hooks is longer than %u bytes",
			LINE_MAX_BYTES);
	if (left_ms < 0 || poll(&p, 1, (int)left_ms) <= 0)
		return complain(-ETIMEDOUT, "the hooks did not answer within %d ms",
			h->timeout_ms);
	n = recv(h->fd, h->line + h->line_bytes, LINE_MAX_BYTES - h->line_bytes, 0);
	if (n <= 0)
		return complain(-EPIPE, "the hooks' connection is closed");
	h->line_bytes += (size_t)n;
	return 0;
}

static int read_answer(struct hooks *h, json_t **ret)
{
	int64_t end_ns = now_ns() + (int64_t)h->timeout_ms * 1000000;
	size_t n;
	int err;

	while (!(n = line_end(h))) {
		err = read_some(h, end_ns);
		if (err < 0)
			return err;
	}
	*ret = json_loadb(h->line, n, 0, NULL);
	h->line_bytes -= n;
	memmove(h->line, h->line + n, h->line_bytes);
	return json_is_object(*ret) ? 0 : complain(-EPROTO, "an answer of the hooks is no object");
}

static int judge(const struct hooks *h, const char *command, const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (json_integer_value(json_object_get(answer, "id")) != h->last_id)
		return complain(-EPROTO, "an answer of the hooks has another id than %s", command);
	if (!json_is_true(json_object_get(answer, "ok")))
		return complain(-EREMOTEIO, "%s: %s", command, error ? error : "refused");
	return 0;
}

int hooks_call(struct hooks *h, const char *command, json_t *args, json_t **ret)
{
	json_t *request = args ? args : json_object(), *answer = NULL;
	int err;

	json_object_set_new(request, "id", json_integer(++h->last_id));
	json_object_set_new(request, "command", json_string(command));
	err = send_line(h, request);
	json_decref(request);
	if (!err)
		err = read_answer(h, &answer);
	if (!err)
		err = judge(h, command, answer);
	if (err < 0 || !ret)
		json_decref(answer);
	else
		*ret = answer;
	return err;
}

int hooks_open(struct hooks *h, const char *path, int retry_ms, int timeout_ms)
{
	json_t *answer;
	int err;

	*h = (struct hooks){ .fd = -1, .timeout_ms = timeout_ms };
	h->line = malloc(LINE_MAX_BYTES);
	if (!h->line)
		return complain(-ENOMEM, "out of memory");
	err = connect_to(h, path, retry_ms);
	if (!err)
		err = hooks_call(h, "commands", NULL, &answer);
	if (err < 0) {
		hooks_close(h);
		return err;
	}
	h->commands = json_incref(json_object_get(answer, "commands"));
	json_decref(answer);
	return 0;
}

void hooks_close(struct hooks *h)
{
	if (h->fd >= 0)
		close(h->fd);
	json_decref(h->commands);
	free(h->line);
	*h = (struct hooks){ .fd = -1 };
}

bool hooks_knows(const struct hooks *h, const char *command)
{
	const json_t *name;
	size_t i;

	json_array_foreach(h->commands, i, name) {
		if (json_is_string(name) && !strcmp(json_string_value(name), command))
			return true;
	}
	return false;
}
