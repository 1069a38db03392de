/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options are a table of names and functions that take the value.  getopt_long()
 * is not used: it takes any unambiguous beginning of a name, which would make
 * names that do not exist part of the interface.
 */
#include "daemon/options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <vsnd/vsnd.h>

#include "audio/audio.h"
#include "daemon/log.h"

static const char usage[] =
	"usage: vhost-user-snd [OPTION]...\n"
	"A virtio sound device for virtual machines, behind a vhost-user socket.\n"
	"\n"
	"Socket, one of:\n"
	"  -s, --socket-path=PATH  make a socket at PATH and listen (also --socket)\n"
	"      --socket-fd=N       listen on the inherited socket N\n"
	"      --fd=N              serve the front-end at the inherited, connected\n"
	"                          socket N and exit when it has gone\n"
	"  With none of them the socket comes from systemd (LISTEN_FDS).\n"
	"      --once              exit after the first front-end has gone\n"
	"\n"
	"Sound:\n"
	"      --audio=NAME        null (default) or file (also --backend)\n"
	"      --file-out=PATTERN  name of the file, ending in .wav, .w64 or .flac; %s is\n"
	"                          the number of the stream, %% a percent sign\n"
	"      --file-in=FILE      sound file that the guest records; silence after its end\n"
	"      --file-in-loop      play it to the guest over and over\n"
	"      --file-pace=PACE    realtime (default) or fast\n"
	"      --streams=OUT[,IN]  playback and capture streams, 64 at most (default 1,1)\n"
	"      --controls          offer volume and mute to the guest's mixer; QEMU needs\n"
	"                          controls=on at its sound device for that\n"
	"\n"
	"      --log-level=LEVEL   debug, info, warn (default) or error; the default may\n"
	"                          be set in the environment as VSND_LOG\n"
	"      --print-capabilities  print what the program is, as JSON\n"
	"      --version, --help\n"
	"\n"
	"The mode of the socket is 0777 less the umask.  SIGTERM and SIGINT end the\n"
	"program; SIGHUP is ignored.\n";

struct option {
	const char *name;
	bool has_value;
	/* False: the value is bad. */
	bool (*set)(struct options *o, const char *value);
};

static bool parse_number(const char *value, long min, long max, long *ret)
{
	char *end;
	long n;

	if (*value < '0' || *value > '9')
		return false;
	errno = 0;
	n = strtol(value, &end, 10);
	if (*end || errno || n < min || n > max)
		return false;
	*ret = n;
	return true;
}

static bool parse_fd(const char *value, int *ret_fd)
{
	long n;

	if (!parse_number(value, 0, INT_MAX, &n))
		return false;
	*ret_fd = (int)n;
	return true;
}

static bool set_socket_path(struct options *o, const char *value)
{
	o->socket_path = value;
	return *value && strlen(value) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

static bool set_fd(struct options *o, const char *value)
{
	return parse_fd(value, &o->fd);
}

static bool set_socket_fd(struct options *o, const char *value)
{
	return parse_fd(value, &o->socket_fd);
}

static bool set_once(struct options *o, const char *value)
{
	(void)value;
	o->once = true;
	return true;
}

static bool set_audio(struct options *o, const char *value)
{
	o->audio = value;
	return strcmp(value, "null") == 0 || strcmp(value, "file") == 0;
}

static bool set_file_out(struct options *o, const char *value)
{
	o->file_out = value;
	return *value;
}

static bool set_file_in(struct options *o, const char *value)
{
	o->file_in = value;
	return *value;
}

static bool set_file_in_loop(struct options *o, const char *value)
{
	(void)value;
	o->file_in_loop = true;
	return true;
}

static bool set_file_pace(struct options *o, const char *value)
{
	o->file_fast = strcmp(value, "fast") == 0;
	return o->file_fast || strcmp(value, "realtime") == 0;
}

static bool set_streams(struct options *o, const char *value)
{
	const char *comma = strchr(value, ',');
	size_t len = comma ? (size_t)(comma - value) : strlen(value);
	char first[8] = "";
	long out, in = 1;

	if (len >= sizeof(first))
		return false;
	memcpy(first, value, len);
	if (!parse_number(first, 0, VSND_STREAMS_MAX, &out) ||
	    (comma && !parse_number(comma + 1, 0, VSND_STREAMS_MAX, &in)))
		return false;
	o->outputs = (unsigned)out;
	o->inputs = (unsigned)in;
	return out + in > 0 && out + in <= VSND_STREAMS_MAX;
}

static bool set_controls(struct options *o, const char *value)
{
	(void)value;
	o->controls = true;
	return true;
}

static bool set_log_level(struct options *o, const char *value)
{
	(void)o;
	return log_set_level(value);
}

static const struct option table[] = {
	{ "--socket-path", true, set_socket_path },
	{ "--socket", true, set_socket_path },
	{ "-s", true, set_socket_path },
	{ "--fd", true, set_fd },
	{ "--socket-fd", true, set_socket_fd },
	{ "--once", false, set_once },
	{ "--audio", true, set_audio },
	{ "--backend", true, set_audio },
	{ "--file-out", true, set_file_out },
	{ "--file-in", true, set_file_in },
	{ "--file-in-loop", false, set_file_in_loop },
	{ "--file-pace", true, set_file_pace },
	{ "--streams", true, set_streams },
	{ "--controls", false, set_controls },
	{ "--log-level", true, set_log_level },
};

/* What is said about an option is one line, whatever the log's level. */
static int usage_error(const char *what, const char *about)
{
	log_always("%s%s%s (see --help)", what, about ? ": " : "", about ? about : "");
	return STATUS_USAGE;
}

/* The option that @arg names, and where its value begins if that is in @arg too. */
static const struct option *find(const char *arg, const char **ret_value)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t len = strlen(table[i].name);
		bool is_short = table[i].name[1] != '-';

		if (strncmp(arg, table[i].name, len) != 0)
			continue;
		if (arg[len] && arg[len] != '=' && !is_short)
			continue;
		*ret_value = !arg[len] ? NULL : is_short ? arg + len : arg + len + 1;
		return &table[i];
	}
	return NULL;
}

static int parse_all(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		const char *value;
		const struct option *option = find(argv[i], &value);
		const char *name = argv[i];

		if (!option)
			return usage_error("unknown option", name);
		if (!option->has_value && value)
			return usage_error("takes no value", name);
		if (option->has_value && !value) {
			if (i + 1 == argc)
				return usage_error("needs a value", name);
			value = argv[++i];
		}
		if (!option->set(o, value ? value : "")) {
			log_always("bad value for %s: '%s' (see --help)", option->name, value);
			return STATUS_USAGE;
		}
	}
	return -1;
}

/* Whether the options make sense together. */
static int check_all(const struct options *o)
{
	bool file = strcmp(o->audio, "file") == 0;
	struct audio_file_config config = { .pattern = o->file_out, .outputs = o->outputs };
	const char *what, *reason;
	int sources = (o->socket_path != NULL) + (o->fd >= 0) + (o->socket_fd >= 0);

	if (sources > 1)
		return usage_error("--socket-path, --fd and --socket-fd exclude each other", NULL);
	if (file && !o->file_out && !o->file_in)
		return usage_error("--audio=file needs --file-out or --file-in", NULL);
	if (!file && (o->file_out || o->file_in || o->file_fast))
		return usage_error("--file-out, --file-in and --file-pace need --audio=file", NULL);
	if (o->file_in_loop && !o->file_in)
		return usage_error("--file-in-loop needs --file-in", NULL);
	if (file && audio_file_check(&config, &what, &reason) == -EINVAL) {
		log_always("--file-out=%s: %s", what, reason);
		return STATUS_USAGE;
	}
	return -1;
}

static bool given(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return true;
	}
	return false;
}

/* What is printed on standard output instead of running.  1 if it cannot be. */
static int print(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? STATUS_FAILED : STATUS_OK;
}

int options_parse(int argc, char **argv, struct options *ret)
{
	struct options o = {
		.fd = -1,
		.socket_fd = -1,
		.audio = "null",
		.outputs = 1,
		.inputs = 1,
	};
	const char *level = getenv("VSND_LOG");
	int status;

	/* Whatever else is there, and however wrong it is. */
	if (given(argc, argv, "--print-capabilities"))
		return print("{\"type\": \"sound\"}\n");
	if (given(argc, argv, "--help"))
		return print(usage);
	if (given(argc, argv, "--version"))
		return print("vhost-user-snd " VSND_VERSION "\n");

	if (level && !log_set_level(level))
		log_line(LOG_LEVEL_WARN, "VSND_LOG: no level '%s'", level);
	status = parse_all(argc, argv, &o);
	if (status < 0)
		status = check_all(&o);
	if (status < 0)
		*ret = o;
	return status;
}
