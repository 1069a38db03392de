/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * strace slows its victim, so the stretch that it watches is not one that is measured
 * otherwise.  Its -ttt output is read afterwards, a line for each call: "PID SECONDS.MICROS
 * name(...", or "... resumed>" for one that began on a line before.
 */
#include "probe/bench/trace.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe/bench/bench.h"

#define ATTACH_MS 3000

static void exec_strace(const char *path, const struct usage_group *g)
{
	char pid[USAGE_PIDS_MAX][16];
	const char *argv[8 + 2 * USAGE_PIDS_MAX] = { "strace", "-q", "-f", "-ttt", "-o", path };
	unsigned n = 6;

	for (unsigned i = 0; i < g->count; i++) {
		snprintf(pid[i], sizeof(pid[i]), "%d", g->pid[i]);
		argv[n++] = "-p";
		argv[n++] = pid[i];
	}
	if (!freopen("/dev/null", "w", stderr))
		_exit(127);
	execvp(*argv, (char **)(uintptr_t)argv);
	_exit(127);
}

/* Something was written: it is attached, and the back-end does something. */
static bool has_output(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0;
}

bool trace_start(struct trace *t, const struct usage_group *g)
{
	int fd;

	strcpy(t->path, "/tmp/vsnd-bench-XXXXXX");
	fd = mkstemp(t->path);
	if (fd < 0)
		return false;
	close(fd);
	t->strace = fork();
	if (t->strace == 0)
		exec_strace(t->path, g);
	return t->strace > 0;
}

static void stop(struct trace *t)
{
	kill(t->strace, SIGINT);
	for (unsigned i = 0; i < ATTACH_MS; i++) {
		if (waitpid(t->strace, NULL, WNOHANG) != 0)
			return;
		bench_sleep(1000000);
	}
	kill(t->strace, SIGKILL);
	waitpid(t->strace, NULL, 0);
}

uint64_t trace_end(struct trace *t, int64_t from_ns, int64_t until_ns)
{
	uint64_t calls = 0;
	char line[256];
	FILE *f;

	stop(t);
	f = has_output(t->path) ? fopen(t->path, "re") : NULL;
	while (f && fgets(line, sizeof(line), f)) {
		bool begins = true;
		char name[40];
		double at;

		/* The rest of a long line is none. */
		while (!strchr(line, '\n') && begins && fgets(name, sizeof(name), f))
			begins = !strchr(name, '\n');
		if (sscanf(line, "%*d %lf %39[a-z0-9_](", &at, name) == 2 &&
			at * 1e9 >= (double)from_ns && at * 1e9 < (double)until_ns)
			calls++;
	}
	if (f)
		fclose(f);
	unlink(t->path);
	return calls;
}
