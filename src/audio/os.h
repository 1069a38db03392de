/* SPDX-License-Identifier: BSD-3-Clause */
/* What the back-ends share of the system's. */
#ifndef VSND_AUDIO_OS_H
#define VSND_AUDIO_OS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "audio/audio.h"

#define NS_PER_S 1000000000

/*
 * Start a thread that takes no signals but those of its own faults: the others
 * are the embedder's, on a thread of its choice.  0 or a negative errno.
 */
int audio_thread_start(void *(*fn)(void *arg), void *arg, pthread_t *ret_thread);

/*
 * Give an audio thread real-time priority, below that of interrupts and of the usual
 * sound servers, as far as CAP_SYS_NICE or RLIMIT_RTPRIO let us.  Where they do not,
 * it is said (@log may be NULL), and the thread is as good as the machine is idle.  Not
 * for a thread that has no clock: it would run as fast as it can.  Control thread.
 */
void audio_thread_realtime(pthread_t thread, const struct audio_log *log);

/* The time of CLOCK_MONOTONIC.  Any thread, no system call. */
int64_t audio_now_ns(void);

/* Tell which streams' properties are no @good ones.  @system: how it is called. */
void audio_judge_properties(const struct audio_host_config *config, const char *system,
		bool (*good)(const char *text));

/*
 * A guest has opened a stream that is denied: say so once, *@said being false at first, as
 * it will wonder why there is nothing but silence.
 */
void audio_say_denied(const struct audio_log *log, const struct vsnd_voice_params *params,
		bool *said);

/* Say something, if anybody listens.  Any thread but the audio thread. */
void audio_say(const struct audio_log *log, enum audio_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
