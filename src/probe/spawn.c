/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starting a back-end, and seeing how it ends.
 *
 * The command runs under /bin/sh in a process group of its own.  The probe
 * makes itself the reaper of orphans, so that it learns the exit status of
 * the back-end even when the shell, hit by the same SIGTERM, dies first.
 */
#include "probe/spawn.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe/report.h"

#define EXIT_MS 2000

static char *replace(const char *text, const char *what, const char *with)
{
	size_t w = strlen(what), n = 0, room;
	char *out, *o;

	for (const char *p = text; (p = strstr(p, what)); p += w)
		n++;
	room = strlen(text) + n * strlen(with) + 1;
	out = o = malloc(room);
	if (!out)
		return NULL;
	for (;;) {
		const char *p = strstr(text, what);
		size_t length = p ? (size_t)(p - text) : strlen(text);

		memcpy(o, text, length);
		o += length;
		if (!p)
			break;
		memcpy(o, with, strlen(with));
		o += strlen(with);
		text = p + w;
	}
	*o = '\0';
	return out;
}

char *spawn_expand(const struct spawn *sp, const char *text)
{
	char *half = replace(text, "{socket}", sp->socket);
	char *whole = half ? replace(half, "{dir}", sp->dir) : NULL;

	free(half);
	return whole;
}

static int choose_dir(struct spawn *sp, const char *dir)
{
	const char *tmp = getenv("TMPDIR");

	sp->keep_dir = dir;
	if (dir)
		snprintf(sp->dir, sizeof(sp->dir), "%s", dir);
	else
		snprintf(sp->dir, sizeof(sp->dir), "%s/vsnd-probe.XXXXXX", tmp ? tmp : "/tmp");
	if (dir ? mkdir(sp->dir, 0700) < 0 && errno != EEXIST : !mkdtemp(sp->dir))
		return complain(-errno, "%s: %s", sp->dir, strerror(errno));
	snprintf(sp->socket, sizeof(sp->socket), "%s/vsnd.sock", sp->dir);
	unlink(sp->socket);
	return 0;
}

/* The shell, with SIGTERM as it should have it: between fork() and exec() a
 * handler of ours would swallow the one that is to end the back-end. */
static pid_t fork_shell(const char *command)
{
	sigset_t term, before;
	pid_t pid;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &before);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		signal(SIGTERM, SIG_DFL);
		sigprocmask(SIG_SETMASK, &before, NULL);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int spawn_start(struct spawn *sp, const char *command, const char *dir)
{
	char *whole;
	int err;

	memset(sp, 0, sizeof(*sp));
	err = choose_dir(sp, dir);
	if (err < 0)
		return err;
	whole = spawn_expand(sp, command);
	if (!whole)
		return complain(-ENOMEM, "out of memory");

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sp->pid = fork_shell(whole);
	err = sp->pid < 0 ? complain(-errno, "fork: %s", strerror(errno)) : 0;
	if (!err)
		setpgid(sp->pid, sp->pid);
	else
		sp->pid = 0;
	free(whole);
	return err;
}

/* 0 for an end that SIGTERM explains, or a complaint. */
static int judge(int status, bool terminated)
{
	if (WIFSIGNALED(status) && !(terminated && WTERMSIG(status) == SIGTERM))
		return complain(-ECHILD, "the back-end was killed by signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0 &&
		!(terminated && WEXITSTATUS(status) == 128 + SIGTERM))
		return complain(-ECHILD, "the back-end exited with status %d",
			WEXITSTATUS(status));
	return 0;
}

int spawn_check(struct spawn *sp)
{
	int status, err;

	if (!sp->pid || waitpid(sp->pid, &status, WNOHANG) != sp->pid)
		return 0;
	sp->pid = 0;
	err = judge(status, false);
	return err < 0 ? err : complain(-ECHILD, "the back-end ended by itself");
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Waits for the whole group; 1 when it is gone, 0 when the time is over. */
static int wait_group(pid_t group, int timeout_ms, int *ret_err)
{
	int64_t end = now_ns() + (int64_t)timeout_ms * 1000000;

	for (;;) {
		const struct timespec ts = { .tv_nsec = 2000000 };
		int status, err;
		pid_t pid = waitpid(-group, &status, WNOHANG);

		if (pid < 0 && errno == ECHILD)
			return 1;
		if (pid > 0) {
			err = judge(status, true);
			if (err < 0)
				*ret_err = err;
			continue;
		}
		if (now_ns() > end)
			return 0;
		nanosleep(&ts, NULL);
	}
}

int spawn_end(struct spawn *sp)
{
	int err = 0, ignored = 0;

	if (!sp->pid)
		return 0;
	kill(-sp->pid, SIGTERM);
	if (!wait_group(sp->pid, EXIT_MS, &err)) {
		kill(-sp->pid, SIGKILL);
		wait_group(sp->pid, EXIT_MS, &ignored);
		err = complain(-ECHILD, "the back-end did not exit within %d ms of SIGTERM",
			EXIT_MS);
	}
	sp->pid = 0;
	return err;
}

int spawn_stop(struct spawn *sp)
{
	int err = spawn_end(sp);

	if (sp->dir[0] && !sp->keep_dir)
		nftw(sp->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	memset(sp, 0, sizeof(*sp));
	return err;
}
