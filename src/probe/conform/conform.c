/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The runner: which scenarios, a process for each, and what became of it.
 *
 * A scenario that crashes the probe, that hangs, or that takes its back-end
 * down spoils nothing but its own result.  Its process has an alarm that ends
 * every wait; a process that ignores even that is killed a little later.
 */
#include "probe/conform/conform.h"

#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe/conform/output.h"
#include "probe/report.h"

#define LIMIT_S	  20
#define GRACE_S	  8   /* for the back-end's end, behind the limit */
#define DEATH_MS  300 /* a back-end that hung up may be about to crash */
#define JOBS_MAX  16

void trace(struct conform *c, const char *fmt, ...)
{
	struct result *r = c->result;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->trace[r->lines++ % TRACE_LINES], TRACE_BYTES, fmt, ap);
	va_end(ap);
}

static int note(struct conform *c, enum outcome outcome, const char *head, const char *fmt,
	va_list ap) __attribute__((format(printf, 4, 0)));

static int note(struct conform *c, enum outcome outcome, const char *head, const char *fmt,
	va_list ap)
{
	char more[TEXT_BYTES / 2];

	vsnprintf(more, sizeof(more), fmt, ap);
	c->result->outcome = outcome;
	snprintf(c->result->text, TEXT_BYTES, "%s%s%s", head, *head && *more ? ": " : "", more);
	return outcome == SKIPPED ? SKIPPED_ : FAILED;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int expect_failed(struct conform *c, const char *file, int line, const char *what,
	const char *fmt, ...)
{
	char head[TEXT_BYTES / 2];
	va_list ap;

	snprintf(head, sizeof(head), "%s:%d: %s", base_name(file), line, what);
	va_start(ap, fmt);
	note(c, c->scenario->recommended && !c->hard ? ADVICE : FAIL, head, fmt, ap);
	va_end(ap);
	return FAILED;
}

int expect_differs(struct conform *c, const char *file, int line, const char *what,
	uint64_t got, uint64_t want, const char *fmt, ...)
{
	char head[TEXT_BYTES / 2];
	va_list ap;

	snprintf(head, sizeof(head), "%s:%d: %s is %llu (0x%llx), should be %llu (0x%llx)",
		base_name(file), line, what, (unsigned long long)got, (unsigned long long)got,
		(unsigned long long)want, (unsigned long long)want);
	va_start(ap, fmt);
	note(c, c->scenario->recommended && !c->hard ? ADVICE : FAIL, head, fmt, ap);
	va_end(ap);
	return FAILED;
}

int skip(struct conform *c, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = note(c, SKIPPED, "", fmt, ap);
	va_end(ap);
	return err;
}

/* What the device did wrong in the rings, whatever the scenario looked at. */
static void judge_rings(struct conform *c)
{
	for (unsigned i = 0; i < QUEUES && c->rig.open && !c->rig.faults_expected; i++)
		if (c->rig.ring[i].faults.count) {
			c->result->outcome = FAIL;
			snprintf(c->result->text, TEXT_BYTES, "queue %u: %s", i,
				c->rig.ring[i].faults.first);
			return;
		}
}

static void judge_backend(struct conform *c)
{
	struct result *r = c->result;
	char before[TEXT_BYTES];
	struct timespec ts = { .tv_nsec = 10000000 };
	bool bad = r->outcome == FAIL || r->outcome == ADVICE;
	int err = 0;

	if (c->session_ended)
		return;
	for (unsigned i = 0; i < (bad ? DEATH_MS / 10 : 1) && !err && c->o->spawn; i++) {
		err = spawn_check(&c->session.backend);
		if (!err && bad)
			nanosleep(&ts, NULL);
	}
	rig_down(c);
	if (!err)
		err = session_end(&c->session);
	else
		spawn_stop(&c->session.backend);
	if (!err)
		return;
	snprintf(before, sizeof(before), "%s", bad ? r->text : "");
	r->outcome = CRASH;
	snprintf(r->text, TEXT_BYTES, "%.200s%s%.250s", complaint(), *before ? "; " : "", before);
}

/* What the back-end wrote to stderr belongs to its scenario. */
static int capture_stderr(void)
{
	int fd = memfd_create("stderr", MFD_CLOEXEC);

	if (fd >= 0)
		dup2(fd, STDERR_FILENO);
	return fd;
}

static void trace_stderr(struct conform *c, int fd)
{
	char text[4096], *save = NULL;
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	off_t from = size > (off_t)sizeof(text) - 1 ? size - (off_t)sizeof(text) + 1 : 0;
	ssize_t n = size > 0 ? pread(fd, text, sizeof(text) - 1, from) : 0;

	text[n > 0 ? n : 0] = '\0';
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		trace(c, "stderr: %s", l);
}

static void on_alarm(int sig)
{
	(void)sig;
	kill(getpid(), SIGTERM); /* what every wait looks for */
}

/* The scenario's own process. */
static void run_one(const struct options *o, const struct scenario *s, struct result *r)
{
	struct conform c = { .o = o, .scenario = s, .result = r };
	unsigned limit = s->limit_s ? s->limit_s : LIMIT_S;
	struct sigaction sa = { .sa_handler = on_alarm };
	int log = o->spawn ? capture_stderr() : -1;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigaction(SIGALRM, &sa, NULL);
	alarm(limit);
	if (session_start(&c.session, o) < 0) {
		r->outcome = FAIL;
		snprintf(r->text, TEXT_BYTES, "%s", complaint());
		return;
	}
	err = s->run(&c);
	alarm(0);
	if (!err)
		r->outcome = PASS;
	else if (r->outcome == NOT_RUN)
		r->outcome = FAIL;
	if (!err)
		judge_rings(&c);
	if (interrupted()) {
		char before[TEXT_BYTES];

		snprintf(before, sizeof(before), "%s", r->text);
		r->outcome = HANG;
		snprintf(r->text, TEXT_BYTES, "no end within %u s; %.400s", limit, before);
	}
	if (c.hooked)
		hooks_close(&c.hooks);
	judge_backend(&c);
	trace_stderr(&c, log);
}

struct running {
	pid_t pid;
	unsigned index;
	int64_t started_ns, kill_ns;
};

static bool start(struct running *job, const struct options *o, const struct selected *sel,
	unsigned index)
{
	const struct scenario *s = sel->list[index].scenario;
	unsigned limit = s->limit_s ? s->limit_s : LIMIT_S;

	fflush(stdout);
	job->index = index;
	job->started_ns = now_ns();
	job->kill_ns = job->started_ns + (int64_t)(limit + GRACE_S) * 1000000000;
	job->pid = fork();
	if (job->pid == 0) {
		run_one(o, s, sel->list[index].result);
		_exit(0);
	}
	return job->pid > 0;
}

static void finished(struct running *job, const struct selected *sel, int status)
{
	struct result *r = sel->list[job->index].result;

	r->took_ns = now_ns() - job->started_ns;
	job->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && r->outcome != NOT_RUN)
		return;
	r->outcome = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? HANG : FAIL;
	snprintf(r->text, TEXT_BYTES, "the scenario's own process ended with status 0x%x", status);
}

static void reap(struct running *jobs, unsigned n, const struct selected *sel)
{
	const struct timespec ts = { .tv_nsec = 2000000 };
	bool any = false;
	int status;

	for (unsigned i = 0; i < n; i++) {
		if (!jobs[i].pid)
			continue;
		if (waitpid(jobs[i].pid, &status, WNOHANG) == jobs[i].pid) {
			finished(&jobs[i], sel, status);
			any = true;
		} else if (now_ns() > jobs[i].kill_ns) {
			kill(jobs[i].pid, SIGKILL);
		}
	}
	if (!any)
		nanosleep(&ts, NULL);
}

static unsigned jobs_running(const struct running *jobs, unsigned n)
{
	unsigned running = 0;

	for (unsigned i = 0; i < n; i++)
		running += jobs[i].pid != 0;
	return running;
}

static bool busy_with(const struct running *jobs, unsigned n, unsigned index)
{
	for (unsigned i = 0; i < n; i++)
		if (jobs[i].pid && jobs[i].index == index)
			return true;
	return false;
}

/* A result is complete when its process is gone. */
static bool is_over(const struct selected *sel, const struct running *jobs, unsigned n,
	unsigned next, unsigned index)
{
	if (sel->list[index].result->outcome == UNTESTABLE)
		return true;
	return index < next && !busy_with(jobs, n, index);
}

static void run_all(const struct options *o, const struct selected *sel)
{
	struct running jobs[JOBS_MAX] = { 0 };
	unsigned next = 0, shown = 0, n = o->spawn && !o->dir ? o->jobs : 1;

	while (shown < sel->count) {
		for (unsigned i = 0; i < n && !interrupted(); i++) {
			while (next < sel->count && sel->list[next].scenario->untestable)
				next++;
			if (next < sel->count && !jobs[i].pid && start(&jobs[i], o, sel, next))
				next++;
		}
		reap(jobs, n, sel);
		while (shown < sel->count && is_over(sel, jobs, n, next, shown))
			output_result(o, &sel->list[shown++]);
		if (interrupted() && !jobs_running(jobs, n))
			break;
	}
}

static bool wanted(const struct options *o, const struct chapter *ch, const struct scenario *s)
{
	for (unsigned i = 0; i < o->patterns; i++)
		if (!fnmatch(o->pattern[i], s->id, 0) || !fnmatch(o->pattern[i], ch->name, 0))
			return true;
	return !o->patterns;
}

static int select_all(const struct options *o, struct selected *sel)
{
	unsigned total = 0;

	for (const struct chapter *ch = chapters; ch->name; ch++)
		for (const struct scenario *s = ch->scenarios; s->id; s++)
			total++;
	sel->list = calloc(total, sizeof(*sel->list));
	sel->results_bytes = total * sizeof(struct result);
	sel->results = mmap(NULL, sel->results_bytes, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!sel->list || sel->results == MAP_FAILED)
		return -ENOMEM;
	for (const struct chapter *ch = chapters; ch->name; ch++)
		for (const struct scenario *s = ch->scenarios; s->id; s++) {
			struct entry *e = &sel->list[sel->count];

			if (!wanted(o, ch, s) || (s->untestable && !o->all))
				continue;
			*e = (struct entry){ .chapter = ch, .scenario = s,
				.result = &sel->results[sel->count++] };
			if (s->untestable)
				e->result->outcome = UNTESTABLE;
		}
	return 0;
}

/* An id names one scenario. */
static const char *same_twice(const struct selected *sel)
{
	for (unsigned i = 0; i < sel->count; i++)
		for (unsigned k = 0; k < i; k++)
			if (!strcmp(sel->list[i].scenario->id, sel->list[k].scenario->id))
				return sel->list[i].scenario->id;
	return NULL;
}

int conform_command(const struct options *o)
{
	struct selected sel = { 0 };
	const char *twice;
	int status;

	if (select_all(o, &sel) < 0) {
		fputs("vsnd-probe: out of memory\n", stderr);
		return 1;
	}
	twice = same_twice(&sel);
	if (twice) {
		fprintf(stderr, "vsnd-probe: two scenarios are called %s\n", twice);
		return 1;
	}
	if (!sel.count) {
		fputs("vsnd-probe: no scenario has such a name\n", stderr);
		return 2;
	}
	if (o->list) {
		output_list(&sel);
		return 0;
	}
	output_begin(o, &sel);
	run_all(o, &sel);
	status = output_end(o, &sel);
	munmap(sel.results, sel.results_bytes);
	free(sel.list);
	return interrupted() ? 1 : status;
}
