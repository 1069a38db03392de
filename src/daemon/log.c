/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/log.h"

#include <assert.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

/* A pipe that poll() calls writable takes this much at once (PIPE_BUF). */
#define LINE_BYTES_MAX 4096

static const char *const names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_ERROR] = "error",
};
static_assert(sizeof(names) / sizeof(names[0]) == LOG_LEVELS, "a level has no name");

static enum log_level shown_from = LOG_LEVEL_WARN;
static atomic_uint left_out;

bool log_set_level(const char *name)
{
	for (unsigned i = 0; i < LOG_LEVELS; i++) {
		if (strcmp(name, names[i]) == 0) {
			shown_from = i;
			return true;
		}
	}
	return false;
}

__attribute__((format(printf, 1, 0)))
static void put(const char *fmt, va_list ap)
{
	static const char name[] = "vhost-user-snd: ";
	struct pollfd err = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[LINE_BYTES_MAX];
	size_t len = sizeof(name) - 1;
	unsigned missing;

	if (poll(&err, 1, 0) != 1) {
		atomic_fetch_add(&left_out, 1);
		return;
	}
	memcpy(line, name, len);
	missing = atomic_exchange(&left_out, 0);
	if (missing > 0)
		len += (size_t)snprintf(line + len, sizeof(line) - len,
			"(%u lines left out) ", missing);
	vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	len += strlen(line + len);
	line[len++] = '\n';
	(void)!write(STDERR_FILENO, line, len);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level < shown_from)
		return;
	va_start(ap, fmt);
	put(fmt, ap);
	va_end(ap);
}

void log_always(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(fmt, ap);
	va_end(ap);
}

static enum log_level from_syslog(int level)
{
	if (level <= LOG_ERR)
		return LOG_LEVEL_ERROR;
	if (level <= LOG_WARNING)
		return LOG_LEVEL_WARN;
	return level <= LOG_INFO ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
}

void log_syslog(void *ctx, int level, const char *fmt, ...)
{
	va_list ap;

	(void)ctx;
	if (from_syslog(level) < shown_from)
		return;
	va_start(ap, fmt);
	put(fmt, ap);
	va_end(ap);
}
