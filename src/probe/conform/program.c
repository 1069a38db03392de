/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the program behaves as a program: vhost-user's conventions for back-ends.
 *
 * The first word of --spawn is taken for the program, where it has to be run
 * with other options.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/program.h"
#include "probe/report.h"

#define RUN_MS 3000

int program_spawned(struct conform *c)
{
	return c->o->spawn ? 0 : skip(c, "needs --spawn");
}

static void read_back(int fd, char *text)
{
	ssize_t n = pread(fd, text, OUTPUT_BYTES - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	close(fd);
}

static int reap(pid_t pid)
{
	int64_t end = now_ns() + (int64_t)RUN_MS * 1000000;
	int status;

	while (now_ns() < end) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

/* In a shell of no more than exec. */
int program_run(struct conform *c, const char *options, struct program *ret)
{
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	char command[1024];
	int word = (int)strcspn(c->o->spawn, " ");
	pid_t pid;

	snprintf(command, sizeof(command), "exec %.*s %s", word, c->o->spawn, options);
	trace(c, "-> %s", command + 5);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, 0);
		dup2(out, 1);
		dup2(err, 2);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	INSIST(c, pid > 0 && out >= 0 && err >= 0, "fork");
	ret->status = reap(pid);
	read_back(out, ret->out);
	read_back(err, ret->err);
	trace(c, "<- wait status 0x%x, \"%.60s\", \"%.60s\"", (unsigned)ret->status, ret->out,
		ret->err);
	return 0;
}

int program_restart(struct conform *c, const char *fmt, ...)
{
	char command[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	trace(c, "-> %s", command);
	INSIST(c, spawn_stop(&c->session.backend) >= 0, "%s", complaint());
	INSIST(c, spawn_start(&c->session.backend, command, NULL) >= 0, "%s", complaint());
	c->session.socket_path = c->session.backend.socket;
	return 0;
}

static int end_within(struct conform *c, int sig, int64_t ms)
{
	int64_t start = now_ns();
	pid_t pid = c->session.backend.pid;

	if (sig != SIGTERM)
		kill(-pid, sig);
	while (sig != SIGTERM && kill(-pid, 0) == 0 && now_ns() - start < ms * 1000000) {
		int status;

		waitpid(-pid, &status, WNOHANG);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	INSIST(c, spawn_end(&c->session.backend) >= 0, "%s", complaint());
	EXPECT(c, now_ns() - start < ms * 1000000, "it took %lld ms",
		(long long)(now_ns() - start) / 1000000);
	return 0;
}

static int term_idle(struct conform *c)
{
	TRY(program_spawned(c));
	TRY(rig_up(c, NULL));
	rig_down(c);
	return end_within(c, SIGTERM, 1000);
}

static int term_streaming(struct conform *c)
{
	struct chain ch;
	uint32_t out;

	TRY(program_spawned(c));
	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(stream_bring(c, out, ST_RUN));
	TRY(tx_send(c, &ch, out, 100 * stream_params(c, out).period_bytes));
	TRY(rig_watch(c, 50));
	c->rig.close_expected = true;
	return end_within(c, SIGTERM, 1000);
}

static int term_removes_socket(struct conform *c)
{
	TRY(term_idle(c));
	EXPECT(c, access(c->session.backend.socket, F_OK) < 0, "%s is still there",
		c->session.backend.socket);
	return 0;
}

static int no_daemon(struct conform *c)
{
	TRY(program_spawned(c));
	TRY(rig_up(c, NULL));
	TRY(rig_watch(c, 200));
	INSIST(c, spawn_check(&c->session.backend) >= 0, "%s", complaint());
	return still_works(c);
}

static int capabilities(struct conform *c)
{
	static struct program p;
	json_t *top, *type;

	TRY(program_spawned(c));
	TRY(program_run(c, "--print-capabilities", &p));
	EXPECT_EQ(c, p.status, 0, "exit status of --print-capabilities");
	top = json_loads(p.out, 0, NULL);
	EXPECT(c, json_is_object(top), "its output is no JSON object");
	type = json_object_get(top, "type");
	EXPECT(c, json_is_string(type), "there is no \"type\" in it");
	EXPECT(c, !json_object_get(top, "features") ||
		json_is_array(json_object_get(top, "features")), "\"features\" is no list");
	json_decref(top);
	return 0;
}

static int capabilities_only(struct conform *c)
{
	static struct program p;

	TRY(program_spawned(c));
	TRY(program_run(c, "--socket-path=/nonexistent/socket --print-capabilities", &p));
	EXPECT_EQ(c, p.status, 0, "--print-capabilities beside other options");
	EXPECT(c, strchr(p.out, '{'), "no JSON");
	return 0;
}

static int capabilities_keys(struct conform *c)
{
	static struct program p;
	json_t *top, *value, *feature;
	const char *key;
	size_t i;

	TRY(program_spawned(c));
	TRY(program_run(c, "--print-capabilities", &p));
	top = json_loads(p.out, 0, NULL);
	EXPECT(c, json_is_object(top), "the output of --print-capabilities is no JSON object");
	json_object_foreach(top, key, value)
		EXPECT(c, !strcmp(key, "type") || !strcmp(key, "features"), "\"%s\" is no key of it",
			key);
	json_array_foreach(json_object_get(top, "features"), i, feature)
		EXPECT(c, json_is_string(feature), "feature %zu is no string", i);
	json_decref(top);
	return 0;
}

static int sources_exclude(struct conform *c)
{
	static const char *const options[] = { "--fd=3 --socket-path=/tmp/none", "--fd=99",
		"--fd=-1", "--fd=x" };
	static struct program p;

	TRY(program_spawned(c));
	for (unsigned i = 0; i < 4; i++) {
		TRY(program_run(c, options[i], &p));
		EXPECT(c, p.status > 0, "%s: it %s", options[i], p.status < 0 ? "runs" : "is happy");
	}
	return 0;
}

static int fails_early(struct conform *c)
{
	static struct program p;

	TRY(program_spawned(c));
	TRY(program_run(c, "--socket-path=/nonexistent/directory/socket", &p));
	EXPECT(c, p.status > 0, "a socket that cannot be made: it %s", p.status < 0 ? "runs"
		: "is happy");
	EXPECT(c, *p.err && !*p.out, "nothing on stderr, or something on stdout");
	return 0;
}

static int help(struct conform *c)
{
	static struct program p;

	TRY(program_spawned(c));
	TRY(program_run(c, "--help", &p));
	EXPECT(c, p.status == 0 && *p.out, "--help");
	TRY(program_run(c, "--version", &p));
	EXPECT(c, p.status == 0 && *p.out, "--version");
	TRY(program_run(c, "--no-such-option", &p));
	EXPECT(c, p.status > 0 && *p.err, "--no-such-option");
	return 0;
}

static int sigint(struct conform *c)
{
	TRY(program_spawned(c));
	TRY(rig_up(c, NULL));
	rig_down(c);
	return end_within(c, SIGINT, 1000);
}

#define PRG "vhost-user, Backend program conventions: "

const struct scenario program_scenarios[] = {
	{ .id = "PRG-3", .title = "fails early, with a word on stderr", .run = fails_early,
		.recommended = true, .clause = PRG "SHOULD" },
	{ .id = "PRG-4", .title = "stays in the foreground", .run = no_daemon,
		.clause = PRG "must not daemonize itself" },
	{ .id = "PRG-6", .title = "ends on SIGTERM within a second", .run = term_idle,
		.clause = PRG "must end quickly and cleanly on SIGTERM" },
	{ .id = "PRG-6b", .title = "... with a stream running", .run = term_streaming,
		.clause = PRG "must end quickly and cleanly on SIGTERM" },
	{ .id = "PRG-6c", .title = "... and removes its socket", .run = term_removes_socket,
		.recommended = true, .clause = PRG "cleanly" },
	{ .id = "PRG-9", .title = "--fd and --socket-path exclude each other",
		.run = sources_exclude, .recommended = true, .clause = PRG "--fd, --socket-path" },
	{ .id = "PRG-10", .title = "--print-capabilities prints JSON", .run = capabilities,
		.recommended = true, .clause = PRG "must support --print-capabilities" },
	{ .id = "PRG-10b", .title = "... whatever the other options are",
		.run = capabilities_only, .recommended = true, .clause = PRG "others are ignored" },
	{ .id = "PRG-11", .title = "... with the keys of its schema", .run = capabilities_keys,
		.recommended = true, .clause = "vhost-user.json: VHostUserBackendCapabilities" },
	{ .id = "PRG-13", .title = "SIGINT ends it, too", .run = sigint, .recommended = true,
		.clause = "silent" },
	{ .id = "PRG-14", .title = "--help, --version, unknown options", .run = help,
		.recommended = true, .clause = "silent" },
	{ 0 },
};
