/* SPDX-License-Identifier: BSD-3-Clause */
/* How the program is found and started: descriptions, sockets, standard fds. */
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/program.h"
#include "probe/conform/wire.h"
#include "probe/report.h"

#define SOCKET_OPTION "--socket-path={socket}"

/* A description that names the program, and its file. */
struct description {
	char name[300];
	json_t *top;
};

static bool same_program(const json_t *top, const char *program)
{
	const char *binary = json_string_value(json_object_get(top, "binary"));
	char resolved[PATH_MAX];

	return binary && realpath(binary, resolved) && !strcmp(resolved, program);
}

static bool search(const char *dir, const char *program, struct description *ret)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool found = false;

	while (d && !found && (e = readdir(d))) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		ret->top = json_load_file(path, 0, NULL);
		found = ret->top && same_program(ret->top, program);
		if (found)
			snprintf(ret->name, sizeof(ret->name), "%s", e->d_name);
		else
			json_decref(ret->top);
	}
	if (d)
		closedir(d);
	return found;
}

static int program_path(struct conform *c, char *ret)
{
	int length = (int)strcspn(c->o->spawn, " ");
	char command[PATH_MAX + 32], line[PATH_MAX] = "";
	FILE *f;

	snprintf(command, sizeof(command), "command -v '%.*s'", length, c->o->spawn);
	f = popen(command, "re");
	if (f && fgets(line, sizeof(line), f))
		line[strcspn(line, "\n")] = '\0';
	if (f)
		pclose(f);
	EXPECT(c, realpath(line, ret), "%s is not found", command + 11);
	return 0;
}

/* Where QEMU's management looks, and beside the program. */
static int find_description(struct conform *c, struct description *ret)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char program[PATH_MAX], beside[PATH_MAX + 40], own[PATH_MAX];
	const char *const dirs[] = { own, beside, "/etc/qemu/vhost-user",
		"/usr/local/share/qemu/vhost-user", "/usr/share/qemu/vhost-user" };
	char *slash;

	TRY(program_spawned(c));
	TRY(program_path(c, program));
	snprintf(own, sizeof(own), "%s%s/qemu/vhost-user", config ? config : home ? home : "",
		config ? "" : "/.config");
	snprintf(beside, sizeof(beside), "%s", program);
	slash = strrchr(beside, '/');
	snprintf(slash, 40, "/../share/qemu/vhost-user");
	for (unsigned i = 0; i < 5; i++)
		if (search(dirs[i], program, ret)) {
			trace(c, "   %s/%s", dirs[i], ret->name);
			return 0;
		}
	return skip(c, "no description of %s is installed", program);
}

static int description_complete(struct conform *c)
{
	struct description d;
	json_t *type, *text, *tags;
	char path[PATH_MAX];
	const char *binary;

	TRY(find_description(c, &d));
	type = json_object_get(d.top, "type");
	text = json_object_get(d.top, "description");
	tags = json_object_get(d.top, "tags");
	binary = json_string_value(json_object_get(d.top, "binary"));
	EXPECT(c, json_is_string(type), "there is no \"type\"");
	EXPECT(c, json_is_string(text), "there is no \"description\"");
	EXPECT(c, !tags || json_is_array(tags), "\"tags\" is no list");
	EXPECT(c, *binary == '/', "\"binary\" is no absolute path");
	EXPECT(c, realpath(binary, path) && !access(path, X_OK), "%s cannot be run", binary);
	json_decref(d.top);
	return 0;
}

static int description_name(struct conform *c)
{
	struct description d;
	size_t n;

	TRY(find_description(c, &d));
	json_decref(d.top);
	n = strlen(d.name);
	EXPECT(c, strspn(d.name, "0123456789") == 2 && d.name[2] == '-',
		"%s does not begin with two digits", d.name);
	EXPECT(c, n > 5 && !strcmp(d.name + n - 5, ".json"), "%s does not end in .json", d.name);
	return 0;
}

/* What cannot be said goes nowhere: warnings about messages that make no sense. */
static int talkative(struct conform *c)
{
	struct vu_msg m;

	TRY(rig_up(c, NULL));
	for (unsigned i = 0; i < 20; i++) {
		wire_state(&m, VU_SET_VRING_NUM, 200 + i, 64);
		TRY(wire_send(c, &m));
		wire_u64(&m, 1000 + i, 1);
		TRY(wire_send(c, &m));
	}
	TRY(still_works(c));
	rig_down(c);
	return 0;
}

static int standard_fds(struct conform *c)
{
	TRY(program_spawned(c));
	TRY(program_restart(c, "%s </dev/null >/dev/null 2>&1", c->o->spawn));
	TRY(talkative(c));
	/* A pipe that nobody reads any more. */
	TRY(program_restart(c, "%s </dev/null 2>&1 | true", c->o->spawn));
	return talkative(c);
}

static int socket_path(struct conform *c)
{
	TRY(program_spawned(c));
	if (!strstr(c->o->spawn, SOCKET_OPTION))
		TRY(program_restart(c, "%.*s " SOCKET_OPTION, (int)strcspn(c->o->spawn, " "),
			c->o->spawn));
	TRY(rig_up(c, NULL));
	return still_works(c);
}

/* As it was started, but for the socket: one that is connected. */
static int inherited(struct conform *c)
{
	const char *option;
	int pair[2];

	TRY(program_spawned(c));
	option = strstr(c->o->spawn, SOCKET_OPTION);
	if (!option)
		return skip(c, "--spawn has no %s that --fd could replace", SOCKET_OPTION);
	INSIST(c, !socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	fcntl(pair[0], F_SETFD, FD_CLOEXEC);
	TRY(program_restart(c, "%.*s--fd=%d%s", (int)(option - c->o->spawn), c->o->spawn, pair[1],
		option + strlen(SOCKET_OPTION)));
	close(pair[1]);
	TRY(rig_up_on(c, NULL, pair[0]));
	TRY(still_works(c));
	rig_down(c);
	/* It may end now, or go on without a front-end. */
	INSIST(c, spawn_end(&c->session.backend) >= 0, "%s", complaint());
	return 0;
}

/* Streams, parameters and events of one session are not the next one's. */
static int sessions_apart(struct conform *c)
{
	for (unsigned i = 0; i < 3; i++) {
		struct chain ch;
		uint32_t out, status;

		TRY(up_with(c, SND_D_OUTPUT, &out));
		TRY(ctl_pcm(c, SND_R_PCM_STOP, out, &status));
		EXPECT(c, status != SND_S_OK, "the stream of the session before still runs");
		TRY(ctl_pcm(c, SND_R_PCM_PREPARE, out, &status));
		EXPECT(c, status != SND_S_OK || !i, "parameters of the session before still hold");
		TRY(stream_bring(c, out, ST_RUN));
		TRY(tx_send(c, &ch, out, 50 * stream_params(c, out).period_bytes));
		TRY(rig_watch(c, 20));
		rig_down(c);
	}
	return 0;
}

#define PRG "vhost-user, Backend program conventions: "

const struct scenario program_start_scenarios[] = {
	{ .id = "PRG-1", .title = "a description for QEMU's management",
		.run = description_complete, .clause = PRG "SHOULD be installed" },
	{ .id = "PRG-2", .title = "... whose name has two digits in front",
		.run = description_name, .recommended = true, .clause = "vhost-user.json" },
	{ .id = "PRG-5", .title = "standard fds that go nowhere", .run = standard_fds,
		.clause = PRG "file descriptors 0, 1, 2 exist, whatever they are" },
	{ .id = "PRG-7", .title = "--socket-path", .run = socket_path,
		.clause = PRG "must support --socket-path" },
	{ .id = "PRG-8", .title = "--fd", .run = inherited, .clause = PRG "must support --fd" },
	{ .id = "VU-CON-1", .title = "the front-end has connected, or brings a socket",
		.run = inherited, .clause = "vhost-user, Introduction: either side may listen" },
	{ .id = "PRG-12", .title = "works with few rights", .clause = "",
		.untestable = "which rights it needs is what its own documentation says" },
	{ .id = "PRG-15", .title = "a session begins without the former's streams",
		.run = sessions_apart, .recommended = true, .clause = PRG "silent" },
	{ 0 },
};
