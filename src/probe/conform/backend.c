/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe/conform/backend.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static unsigned open_fds(const char *pid)
{
	char path[300];
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	d = opendir(path);
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static int64_t peak_kib(const char *pid)
{
	char path[300], line[256];
	long long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f) && sscanf(line, "VmHWM: %lld", &kib) != 1)
		continue;
	if (f)
		fclose(f);
	return kib;
}

/* Of one process, if it is of this group. */
static void add_process(const char *pid, int group, struct backend_use *use)
{
	unsigned long user, system;
	char path[300], stat[1024], *p;
	long rss;
	int its_group;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "re");
	p = f && fgets(stat, sizeof(stat), f) ? strrchr(stat, ')') : NULL;
	if (f)
		fclose(f);
	/* proc(5): state, parent, group; then up to 14 and 15; 24 is the memory. */
	if (!p || sscanf(p + 1, " %*c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d "
		"%*d %*d %*d %*u %*u %ld", &its_group, &user, &system, &rss) != 4 ||
		its_group != group)
		return;
	use->fds += open_fds(pid);
	use->cpu_ms += (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
	use->rss_kib += rss * (sysconf(_SC_PAGESIZE) / 1024);
	use->peak_kib += peak_kib(pid);
}

void backend_use(const struct conform *c, struct backend_use *ret)
{
	DIR *proc = c->session.backend.pid ? opendir("/proc") : NULL;
	struct dirent *e;

	memset(ret, 0, sizeof(*ret));
	while (proc && (e = readdir(proc)))
		if (*e->d_name >= '1' && *e->d_name <= '9')
			add_process(e->d_name, c->session.backend.pid, ret);
	if (proc)
		closedir(proc);
}

int backend_stays_small(struct conform *c, const struct backend_use *before, int64_t kib)
{
	struct backend_use after;

	backend_use(c, &after);
	EXPECT(c, after.peak_kib - before->peak_kib < kib, "it grew by %lld KiB",
		(long long)(after.peak_kib - before->peak_kib));
	return 0;
}

int backend_idles(struct conform *c, const char *when)
{
	struct backend_use before, after;

	backend_use(c, &before);
	TRY(rig_watch(c, 1000));
	backend_use(c, &after);
	EXPECT(c, after.cpu_ms - before.cpu_ms < 300, "%s: %lld ms of CPU time in a second", when,
		(long long)(after.cpu_ms - before.cpu_ms));
	return 0;
}
