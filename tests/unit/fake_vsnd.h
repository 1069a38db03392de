/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A libvsnd that does nothing but hold its caller to the contract of
 * <vsnd/vsnd.h> and write down what was called.  Link it instead of the real one.
 */
#ifndef VSND_TESTS_FAKE_VSND_H
#define VSND_TESTS_FAKE_VSND_H

#include <vsnd/vsnd.h>

#define FAKE_FEATURES                                                                              \
	((UINT64_C(1) << VSND_F_VERSION_1) | (UINT64_C(1) << VSND_F_INDIRECT_DESC) |               \
	 (UINT64_C(1) << VSND_F_EVENT_IDX))

struct fake_queue {
	bool started, enabled, broken;
	struct vsnd_queue_setup setup;
	uint32_t next;		/* where the queue is; tests move it */
	uint32_t stopped_at;
	unsigned kicks, starts;
};

struct vsnd {
	bool alive;
	struct vsnd_callbacks cb;
	void *ctx;
	uint64_t features;
	struct fake_queue queue[VSND_QUEUES];
	struct vsnd_mem_region region[VSND_MEM_REGIONS_MAX];
	unsigned regions;
	unsigned resets, state_resets, runs;
	int fail_memory, fail_start;	/* if not 0, what the next call returns */
	char log[8192];		/* the calls, one a line */
	size_t log_len;
};

/* The device: there is only one. */
extern struct vsnd fake;

/* Whether the calls since the last time are exactly @want; forgets them. */
bool fake_called(const char *want);
void fake_forget(void);

#endif
