/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vsndctl: the command line of a daemon's control socket.
 *
 * It knows the commands' shapes and nothing of their meaning: names and values go
 * to the daemon as they were typed, which knows what they stand for.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/show.h"
#include "ctl/top.h"

/* A command and its arguments. */
#define WORDS_MAX 256

/* Exit statuses. */
enum {
	STATUS_OK = 0,
	STATUS_FAILED = 1,	/* not done */
	STATUS_USAGE = 2	/* bad options or arguments */
};

static const char usage[] =
	"usage: vsndctl [OPTION]... COMMAND [ARGUMENT]...\n"
	"See and change what a running vhost-user-snd does.\n"
	"\n"
	"  status                  what the daemon, its streams, jacks and controls do\n"
	"  top                     the same, live; ^C ends it\n"
	"  mute [STREAMS]          and unmute: the host's own knob, which the guest's\n"
	"  unmute [STREAMS]        mixer does not show\n"
	"  volume VOLUME [STREAMS] the same knob: -10dB, or 50% as the host's mixers count\n"
	"  allow STREAMS           let them play or record\n"
	"  deny STREAMS            ... or not: the guest records silence, and what it\n"
	"                          plays is discarded\n"
	"  jack NAME [plug|unplug] a jack's state, or change it\n"
	"  control NAME [VALUE]... a control of the guest's mixer, or change it: on, off,\n"
	"                          a number, -10dB, 50%\n"
	"\n"
	"STREAMS is output (the default), input, all, or the name or number of a stream.\n"
	"NAME is as status shows it, or the number.\n"
	"\n"
	"      --control-path=PATH the daemon's --control-path; by default $VSND_CONTROL,\n"
	"                          else $XDG_RUNTIME_DIR/vsnd-control\n"
	"      --json              print the daemon's answer as it is\n"
	"      --version, --help\n"
	"\n"
	"The exit status is 0 if it was done, 1 if not, 2 for bad arguments.\n";

struct invocation {
	const char *path;	/* NULL: not given */
	bool json;
	const char *word[WORDS_MAX];	/* the command and its arguments */
	unsigned words;
};

/* A command: its arguments, and what to do with the answer. */
struct command {
	const char *name;
	unsigned least, most;	/* arguments */
	json_t *(*request)(const char *const *argument, unsigned n);
	void (*show)(const json_t *answer, FILE *f);	/* NULL: nothing to be shown */
};

static json_t *request_status(const char *const *argument, unsigned n)
{
	(void)argument;
	(void)n;
	return json_object();
}

static json_t *request_streams(const char *const *argument, unsigned n)
{
	return json_pack("{s:s*}", "streams", n > 0 ? argument[0] : NULL);
}

static json_t *request_volume(const char *const *argument, unsigned n)
{
	return json_pack("{s:s, s:s*}", "volume", argument[0], "streams", n > 1 ? argument[1] : NULL);
}

/* NULL: bad arguments. */
static json_t *request_jack(const char *const *argument, unsigned n)
{
	if (n == 1)
		return json_pack("{s:s}", "jack", argument[0]);
	if (strcmp(argument[1], "plug") != 0 && strcmp(argument[1], "unplug") != 0)
		return NULL;
	return json_pack("{s:s, s:b}", "jack", argument[0], "connected", argument[1][0] == 'p');
}

static json_t *request_control(const char *const *argument, unsigned n)
{
	json_t *request = json_pack("{s:s}", "control", argument[0]);
	json_t *values;

	if (!request || n == 1)
		return request;
	values = json_array();
	for (unsigned i = 1; i < n; i++)
		json_array_append_new(values, json_string(argument[i]));
	json_object_set_new(request, "values", values);
	return request;
}

static void show_jack_of(const json_t *answer, FILE *f)
{
	show_jack(json_object_get(answer, "jack"), f);
}

static void show_element_of(const json_t *answer, FILE *f)
{
	show_element(json_object_get(answer, "control"), f);
}

static const struct command commands[] = {
	{ "status", 0, 0, request_status, show_status },
	{ "top", 0, 0, NULL, NULL },
	{ "mute", 0, 1, request_streams, NULL },
	{ "unmute", 0, 1, request_streams, NULL },
	{ "volume", 1, 2, request_volume, NULL },
	{ "allow", 1, 1, request_streams, NULL },
	{ "deny", 1, 1, request_streams, NULL },
	{ "jack", 1, 2, request_jack, show_jack_of },
	{ "control", 1, UINT_MAX, request_control, show_element_of },
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

/* What is printed on standard output has to arrive. */
static int print_end(void)
{
	if (!ferror(stdout) && fflush(stdout) == 0)
		return STATUS_OK;
	complain("standard output cannot be written");
	return STATUS_FAILED;
}

static int answer_end(const json_t *answer, const struct command *command, bool json)
{
	bool done;

	if (json)
		client_print(answer);
	done = client_judge(answer) == 0;
	if (done && !json && command->show)
		command->show(answer, stdout);
	return done ? print_end() : STATUS_FAILED;
}

static int ask(struct client *c, const struct command *command, json_t *request, bool json)
{
	json_t *answer = client_ask(c, request);
	int status;

	if (!answer)
		return STATUS_FAILED;
	status = answer_end(answer, command, json);
	json_decref(answer);
	return status;
}

static int run(const struct command *command, json_t *request, const struct invocation *v)
{
	struct client client;
	int status;

	if (client_open(&client, v->path) < 0) {
		json_decref(request);
		return STATUS_FAILED;
	}
	if (request)
		status = ask(&client, command, request, v->json);
	else
		status = top_run(&client, v->json) < 0 ? STATUS_FAILED : STATUS_OK;
	client_close(&client);
	return status;
}

static int usage_error(const char *what, const char *about)
{
	complain("%s: %s (see --help)", what, about);
	return STATUS_USAGE;
}

/* Where the daemon listens, if it was not said.  NULL: nobody knows. */
static const char *default_path(void)
{
	static char path[PATH_MAX];
	const char *control = getenv("VSND_CONTROL"), *run_dir = getenv("XDG_RUNTIME_DIR");

	if (control && *control)
		return control;
	if (!run_dir || !*run_dir)
		return NULL;
	snprintf(path, sizeof(path), "%s/vsnd-control", run_dir);
	return path;
}

/* Options stand anywhere; a word that begins with one dash is a value, e.g. -10dB. */
static int parse(int argc, char **argv, struct invocation *v)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];

		if (strcmp(arg, "--json") == 0)
			v->json = true;
		else if (strncmp(arg, "--control-path=", 15) == 0)
			v->path = arg + 15;
		else if (strcmp(arg, "--control-path") == 0 && i + 1 < argc)
			v->path = argv[++i];
		else if (strncmp(arg, "--", 2) == 0)
			return usage_error(arg, "no such option, or it needs a value");
		else if (v->words < sizeof(v->word) / sizeof(v->word[0]))
			v->word[v->words++] = arg;
		else
			return usage_error(arg, "too many arguments");
	}
	if (v->words == 0)
		return usage_error("command", "needed");
	if (!v->path)
		v->path = default_path();
	if (!v->path)
		return usage_error("--control-path", "needed, as XDG_RUNTIME_DIR is not set");
	return -1;
}

int main(int argc, char **argv)
{
	static struct invocation v;
	const struct command *command;
	json_t *request = NULL;
	int status;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return fputs(usage, stdout) < 0 ? STATUS_FAILED : print_end();
		if (strcmp(argv[i], "--version") == 0)
			return puts("vsndctl " VSND_VERSION) < 0 ? STATUS_FAILED : print_end();
	}
	status = parse(argc, argv, &v);
	if (status >= 0)
		return status;
	command = find(v.word[0]);
	if (!command)
		return usage_error(v.word[0], "no such command");
	if (v.words - 1 < command->least || v.words - 1 > command->most)
		return usage_error(v.word[0], "not so many arguments");
	if (command->request) {
		request = command->request(v.word + 1, v.words - 1);
		if (!request)
			return usage_error(v.word[0], "bad arguments");
		json_object_set_new(request, "command", json_string(command->name));
	}
	return run(command, request, &v);
}
