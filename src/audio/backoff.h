/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When to look again for a sound server that is away: soon at first, then less and
 * less often.  No time is read here.
 */
#ifndef VSND_AUDIO_BACKOFF_H
#define VSND_AUDIO_BACKOFF_H

#include <stdint.h>

#define BACKOFF_NS_MIN 100000000
#define BACKOFF_NS_MAX 2000000000

/* Of zeros at first. */
struct backoff {
	int64_t step_ns;
	int64_t retry_ns;	/* not before then */
};

static inline void backoff_failed(struct backoff *b, int64_t now_ns)
{
	b->step_ns *= 2;
	if (b->step_ns < BACKOFF_NS_MIN)
		b->step_ns = BACKOFF_NS_MIN;
	if (b->step_ns > BACKOFF_NS_MAX)
		b->step_ns = BACKOFF_NS_MAX;
	b->retry_ns = now_ns + b->step_ns;
}

static inline void backoff_succeeded(struct backoff *b)
{
	b->step_ns = 0;
}

#endif
