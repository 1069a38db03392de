/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thread's schedstat counts its time in ns, but only up to the last time it left the
 * processor or a timer tick met it.  So it is read while the back-end sleeps, or over a
 * stretch that makes a tick unimportant.
 */
#include "probe/bench/usage.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define STATUS_BYTES_MAX 8192

/* The file's text, "" if it cannot be read. */
static const char *slurp(const char *path, char text[STATUS_BYTES_MAX])
{
	FILE *f = fopen(path, "re");
	size_t n = 0;

	if (f) {
		n = fread(text, 1, STATUS_BYTES_MAX - 1, f);
		fclose(f);
	}
	text[n] = '\0';
	return text;
}

/* The number behind "name:", or 0. */
static uint64_t field(const char *text, const char *name)
{
	const char *p = strstr(text, name);

	return p ? strtoull(p + strlen(name), NULL, 10) : 0;
}

static void add_pid(struct usage_group *g, pid_t pid)
{
	if (g->count < USAGE_PIDS_MAX)
		g->pid[g->count++] = pid;
}

void usage_of_group(pid_t pgrp, struct usage_group *ret)
{
	char path[64], text[STATUS_BYTES_MAX];
	struct dirent *e;
	DIR *proc = opendir("/proc");

	ret->count = 0;
	while (proc && (e = readdir(proc))) {
		const char *name_end;
		int group;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/stat", e->d_name);
		name_end = strrchr(slurp(path, text), ')');
		if (name_end && sscanf(name_end, ") %*c %*d %d", &group) == 1 && group == pgrp)
			add_pid(ret, atoi(e->d_name));
	}
	if (proc)
		closedir(proc);
	for (unsigned i = 0; i < ret->count && ret->count > 1; i++)
		if (ret->pid[i] == pgrp)
			ret->pid[i] = ret->pid[--ret->count];
}

void usage_of_peer(int sock, struct usage_group *ret)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	ret->count = 0;
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid > 0)
		add_pid(ret, peer.pid);
}

typedef void (*thread_fn)(pid_t pid, pid_t tid, void *arg);

static void each_thread(const struct usage_group *g, thread_fn fn, void *arg)
{
	for (unsigned i = 0; i < g->count; i++) {
		char path[64];
		struct dirent *e;
		DIR *tasks;

		snprintf(path, sizeof(path), "/proc/%d/task", g->pid[i]);
		tasks = opendir(path);
		while (tasks && (e = readdir(tasks)))
			if (isdigit((unsigned char)e->d_name[0]))
				fn(g->pid[i], atoi(e->d_name), arg);
		if (tasks)
			closedir(tasks);
	}
}

static void read_thread(pid_t pid, pid_t tid, void *arg)
{
	struct usage *u = arg;
	char path[64], text[STATUS_BYTES_MAX];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, tid);
	u->cpu_ns += strtoll(slurp(path, text), NULL, 10);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tid);
	slurp(path, text);
	u->voluntary += field(text, "\nvoluntary_ctxt_switches:");
	u->involuntary += field(text, "\nnonvoluntary_ctxt_switches:");
	u->threads++;
}

void usage_read(const struct usage_group *g, struct usage *ret)
{
	char path[64], text[STATUS_BYTES_MAX];

	*ret = (struct usage){ 0 };
	each_thread(g, read_thread, ret);
	for (unsigned i = 0; i < g->count; i++) {
		snprintf(path, sizeof(path), "/proc/%d/status", g->pid[i]);
		ret->rss_kib += field(slurp(path, text), "\nVmRSS:");
		snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", g->pid[i]);
		ret->pss_kib += field(slurp(path, text), "\nPss:");
	}
}

static void pin_thread(pid_t pid, pid_t tid, void *arg)
{
	(void)pid;
	sched_setaffinity(tid, sizeof(cpu_set_t), arg);
}

void usage_pin(const struct usage_group *g, size_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	each_thread(g, pin_thread, &set);
}
