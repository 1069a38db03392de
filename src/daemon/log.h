/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines on standard error.  Any thread but the audio thread.  A line is one
 * write(), so lines of different threads do not mix, and a reader of standard
 * error that stands still costs lines, never time.
 */
#ifndef VSND_DAEMON_LOG_H
#define VSND_DAEMON_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR,
	LOG_LEVELS
};

/* Set the least level that is shown, by name.  False: no such name. */
bool log_set_level(const char *name);

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Whatever the level is. */
void log_always(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* As vu_server_settings.log wants it; @level is syslog(3)'s. */
void log_syslog(void *ctx, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
