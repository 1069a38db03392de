/* SPDX-License-Identifier: BSD-3-Clause */
/* What processes that are not ours have used, as the kernel tells in /proc. */
#ifndef PROBE_BENCH_USAGE_H
#define PROBE_BENCH_USAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define USAGE_PIDS_MAX 16

/* The processes of a back-end. */
struct usage_group {
	pid_t pid[USAGE_PIDS_MAX];
	unsigned count;
};

struct usage {
	int64_t cpu_ns;		/* of all threads that live; exact while they sleep */
	uint64_t voluntary;	/* times that a thread went to sleep */
	uint64_t involuntary;	/* times that one was set aside */
	uint64_t rss_kib, pss_kib;
	unsigned threads;
};

/* All processes of a process group but the shell that began it, if there is another; or
 * the one that an open socket leads to. */
void usage_of_group(pid_t pgrp, struct usage_group *ret);
void usage_of_peer(int sock, struct usage_group *ret);

void usage_read(const struct usage_group *g, struct usage *ret);

/* All threads onto this processor, those they will make included. */
void usage_pin(const struct usage_group *g, size_t cpu);

#endif
