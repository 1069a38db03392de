/* SPDX-License-Identifier: BSD-3-Clause */
#include "vhost_user/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#define NS_PER_S 1000000000
#define LINE_MAX_BYTES 256

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

void vu_log(struct vu_log *log, enum vu_log_class cls, int level, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	int64_t now;
	va_list ap;

	if (!log->fn)
		return;
	now = now_ns();
	if (now < log->next_ns[cls]) {
		log->suppressed[cls]++;
		return;
	}
	log->next_ns[cls] = now + NS_PER_S;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);

	if (log->suppressed[cls])
		log->fn(log->ctx, level, "%s (%u more before)", line, log->suppressed[cls]);
	else
		log->fn(log->ctx, level, "%s", line);
	log->suppressed[cls] = 0;
}
