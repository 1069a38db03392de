/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/os.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define REALTIME_PRIORITY 20

int audio_thread_start(void *(*fn)(void *arg), void *arg, pthread_t *ret_thread)
{
	static const int own_faults[] = { SIGBUS, SIGFPE, SIGILL, SIGSEGV };
	sigset_t blocked, former;
	int err;

	sigfillset(&blocked);
	for (unsigned i = 0; i < sizeof(own_faults) / sizeof(own_faults[0]); i++)
		sigdelset(&blocked, own_faults[i]);
	pthread_sigmask(SIG_SETMASK, &blocked, &former);
	err = pthread_create(ret_thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	return -err;
}

void audio_thread_realtime(pthread_t thread, const struct audio_log *log)
{
	struct sched_param param = { .sched_priority = REALTIME_PRIORITY };
	struct rlimit limit;
	int err = pthread_setschedparam(thread, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);

	if (err == EPERM && getrlimit(RLIMIT_RTPRIO, &limit) == 0 && limit.rlim_cur > 0 &&
			limit.rlim_cur < REALTIME_PRIORITY) {
		param.sched_priority = (int)limit.rlim_cur;
		err = pthread_setschedparam(thread, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
	}
	if (err && log)
		audio_say(log, AUDIO_INFO, "no real-time priority: %s (a limit for rtprio would "
			"allow it)", strerror(err));
}

int64_t audio_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

void audio_say_denied(const struct audio_log *log, const struct vsnd_voice_params *params,
		bool *said)
{
	if (*said)
		return;
	*said = true;
	if (params->direction == VSND_INPUT)
		audio_say(log, AUDIO_WARN, "stream %u records silence: it is not allowed to record "
			"(--capture=on, or vsndctl allow)", params->stream);
	else
		audio_say(log, AUDIO_WARN, "stream %u is not allowed to be heard (vsndctl allow)",
			params->stream);
}

void audio_judge_properties(const struct audio_host_config *config, const char *system,
		bool (*good)(const char *text))
{
	const char *judged = NULL;

	for (unsigned i = 0; i < config->streams; i++) {
		const char *text = config->stream[i].properties;

		/* What is said for all of them is judged once. */
		if (!text || text == judged)
			continue;
		judged = text;
		if (!good(text))
			audio_say(&config->log, AUDIO_WARN, "%s: stream %u: bad properties: %s", system,
				i, text);
	}
}

void audio_say(const struct audio_log *log, enum audio_level level, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (!log->line)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log->line(log->ctx, level, text);
}
