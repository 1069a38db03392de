/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options are a table of names and functions that take the value.  getopt_long()
 * is not used: it takes any unambiguous beginning of a name, which would make
 * names that do not exist part of the interface.
 *
 * The configuration file comes first, wherever --config stands.  The options of
 * the sound's side may also be lines of its [audio] section, without the dashes.
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
#include "daemon/sound.h"

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
	"      --control-path=PATH make a socket at PATH for vsndctl, mode 0600\n"
	"\n"
	"Sound:\n"
	"      --audio=NAME        null (default), file, pipewire, pulse, alsa, jack, test (for\n"
	"                          harnesses: doc/hooks.md), or auto: the first that answers\n"
	"                          (also --backend)\n"
	"      --file-out=PATTERN  name of the file, ending in .wav, .w64 or .flac; %s is\n"
	"                          the number of the stream, %% a percent sign\n"
	"      --file-in=FILE      sound file that the guest records; silence after its end\n"
	"      --file-in-loop      play it to the guest over and over\n"
	"      --file-pace=PACE    realtime (default) or fast\n"
	"      --null-pace=PACE    realtime (default) or fast, to measure what the device costs\n"
	"      --name=NAME         what the host's mixer shows (default: vhost-user-snd)\n"
	"      --target=TARGET     where to play; pipewire: a node.name or object.serial,\n"
	"                          pulse: the name of a sink, alsa: a pcm, e.g. plughw:0,\n"
	"                          jack: clients, ports or patterns of ports, or none\n"
	"      --target-in=TARGET  where to record from\n"
	"      --capture=WHETHER   on, or off (default): guests record silence\n"
	"      --properties=PROPS  pipewire, pulse: of the streams, e.g. '{ media.role = Game }'\n"
	"\n"
	"The card that the guest gets:\n"
	"      --streams=OUT[,IN]  playback and capture streams, 64 at most (default 1,1)\n"
	"      --formats=LIST      of all streams, e.g. S16,S24_3,FLOAT, or all (default\n"
	"                          S16,S32,FLOAT)\n"
	"      --rates=LIST        in Hz, or all (default 44100,48000,96000)\n"
	"      --channels=MAX      or MIN-MAX, up to 18 (default 1-2)\n"
	"      --profile=NAME      default, or simple: one stereo output, S16 at 48000 Hz,\n"
	"                          no jacks and no channel maps\n"
	"      --controls          offer volume and mute to the guest's mixer; QEMU needs\n"
	"                          controls=on at its sound device for that\n"
	"      --config=FILE       read all this from a file; options win over it\n"
	"      --print-config      print the configuration as such a file, and exit\n"
	"\n"
	"      --log-level=LEVEL   debug, info, warn (default) or error; the default may\n"
	"                          be set in the environment as VSND_LOG\n"
	"      --print-capabilities  print what the program is, as JSON\n"
	"      --version, --help\n"
	"\n"
	"The mode of the socket at --socket-path is 0777 less the umask.  SIGTERM and SIGINT end the\n"
	"program; SIGHUP is ignored.\n";

struct option {
	const char *name;
	bool has_value, in_file;
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

static bool fits_socket(const char *path)
{
	return *path && strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

static bool set_socket_path(struct options *o, const char *value)
{
	o->socket_path = value;
	return fits_socket(value);
}

static bool set_control_path(struct options *o, const char *value)
{
	o->control_path = value;
	return fits_socket(value);
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
	return sound_is_known(value);
}

static bool set_name(struct options *o, const char *value)
{
	o->name = value;
	return *value;
}

static bool set_target(struct options *o, const char *value)
{
	o->target = value;
	return *value;
}

static bool set_target_in(struct options *o, const char *value)
{
	o->target_in = value;
	return *value;
}

static bool set_capture(struct options *o, const char *value)
{
	return on_off_parse(value, &o->capture);
}

static bool set_properties(struct options *o, const char *value)
{
	o->properties = value;
	return *value;
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

/* A flag; in a configuration file it is yes or no. */
static bool set_file_in_loop(struct options *o, const char *value)
{
	o->file_in_loop = strcmp(value, "no") != 0;
	return !*value || !o->file_in_loop || strcmp(value, "yes") == 0;
}

static bool parse_pace(const char *value, bool *ret_fast)
{
	*ret_fast = strcmp(value, "fast") == 0;
	return *ret_fast || strcmp(value, "realtime") == 0;
}

static bool set_file_pace(struct options *o, const char *value)
{
	return parse_pace(value, &o->file_fast);
}

static bool set_null_pace(struct options *o, const char *value)
{
	return parse_pace(value, &o->null_fast);
}

static bool set_streams(struct options *o, const char *value)
{
	return streams_parse(value, &o->card.streams) == NULL;
}

static bool set_formats(struct options *o, const char *value)
{
	return offer_set_formats(&o->card.offer, value) == NULL;
}

static bool set_rates(struct options *o, const char *value)
{
	return offer_set_rates(&o->card.offer, value) == NULL;
}

static bool set_channels(struct options *o, const char *value)
{
	return offer_set_channels(&o->card.offer, value) == NULL;
}

static bool set_profile(struct options *o, const char *value)
{
	o->card.simple = strcmp(value, "simple") == 0;
	return o->card.simple || strcmp(value, "default") == 0;
}

static bool set_controls(struct options *o, const char *value)
{
	(void)value;
	o->card.controls = true;
	return true;
}

static bool set_config(struct options *o, const char *value)
{
	o->config_path = value;
	return *value;
}

static bool set_print_config(struct options *o, const char *value)
{
	(void)value;
	o->print_config = true;
	return true;
}

static bool set_log_level(struct options *o, const char *value)
{
	(void)o;
	return log_set_level(value);
}

static const struct option table[] = {
	{ "--socket-path", true, false, set_socket_path },
	{ "--socket", true, false, set_socket_path },
	{ "-s", true, false, set_socket_path },
	{ "--fd", true, false, set_fd },
	{ "--socket-fd", true, false, set_socket_fd },
	{ "--control-path", true, false, set_control_path },
	{ "--once", false, false, set_once },
	{ "--audio", true, true, set_audio },
	{ "--backend", true, true, set_audio },
	{ "--file-out", true, true, set_file_out },
	{ "--file-in", true, true, set_file_in },
	{ "--file-in-loop", false, true, set_file_in_loop },
	{ "--file-pace", true, true, set_file_pace },
	{ "--null-pace", true, true, set_null_pace },
	{ "--name", true, true, set_name },
	{ "--target", true, true, set_target },
	{ "--target-in", true, true, set_target_in },
	{ "--capture", true, true, set_capture },
	{ "--properties", true, true, set_properties },
	{ "--streams", true, false, set_streams },
	{ "--formats", true, false, set_formats },
	{ "--rates", true, false, set_rates },
	{ "--channels", true, false, set_channels },
	{ "--profile", true, false, set_profile },
	{ "--controls", false, false, set_controls },
	{ "--config", true, false, set_config },
	{ "--print-config", false, false, set_print_config },
	{ "--log-level", true, false, set_log_level },
};
#define TABLE (sizeof(table) / sizeof(table[0]))
_Static_assert(TABLE <= OPTIONS_MAX, "a value has no place");

/* What is said about an option is one line, whatever the log's level. */
static int usage_error(const char *what, const char *about)
{
	log_always("%s%s%s (see --help)", what, about ? ": " : "", about ? about : "");
	return STATUS_USAGE;
}

/* The option that @arg names, and where its value begins if that is in @arg too. */
static const struct option *find(const char *arg, const char **ret_value)
{
	for (size_t i = 0; i < TABLE; i++) {
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

/* The first name of the option, whose aliases follow it. */
static size_t row_of(const struct option *option)
{
	size_t i = 0;

	while (table[i].set != option->set)
		i++;
	return i;
}

static bool set(const struct option *option, struct options *o, const char *value)
{
	o->value[row_of(option)] = value;
	return option->set(o, value);
}

/* Of --config alone, or of all others. */
static int parse_all(int argc, char **argv, struct options *o, bool config)
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
		if ((option->set == set_config) == config && !set(option, o, value ? value : "")) {
			log_always("bad value for %s: '%s' (see --help)", option->name, value);
			return STATUS_USAGE;
		}
	}
	return -1;
}

static int config_error(const struct options *o, const struct config_error *error)
{
	const char *path = o->config_path ? o->config_path : "configuration";

	if (error->line)
		log_always("%s:%u: %s", path, error->line, error->text);
	else
		log_always("%s: %s", path, error->text);
	return STATUS_USAGE;
}

/* The file's [audio] section. */
static bool take_audio(struct options *o, struct config_error *error)
{
	for (unsigned i = 0; i < o->config.audios; i++) {
		const struct config_audio *a = &o->config.audio[i];
		const struct option *option = NULL;

		for (size_t row = 0; row < TABLE && !option; row++) {
			if (table[row].in_file && strcmp(table[row].name + 2, a->key) == 0)
				option = &table[row];
		}
		if (!option)
			return config_fail(error, a->line, "[audio] has no '%s'", a->key);
		if (!set(option, o, a->value))
			return config_fail(error, a->line, "bad value for %s: '%.60s'", a->key,
				a->value);
	}
	return true;
}

static int read_config(struct options *o)
{
	struct config_error error;

	config_init(&o->config);
	if (!o->config_path)
		return -1;
	if (config_read(&o->config, o->config_path, &error) && take_audio(o, &error))
		return -1;
	return config_error(o, &error);
}

/* One line that names where the value comes from. */
static int value_error(const struct options *o, const char *key, const char *value,
		const char *reason)
{
	for (unsigned i = 0; i < o->config.audios; i++) {
		struct config_error error;

		if (o->config.audio[i].value == value) {
			config_fail(&error, o->config.audio[i].line, "%s: %s", key, reason);
			return config_error(o, &error);
		}
	}
	log_always("--%s=%s: %s", key, value, reason);
	return STATUS_USAGE;
}

/* Whether the options make sense together. */
static int check_all(const struct options *o)
{
	bool file = strcmp(o->audio, "file") == 0;
	bool may_file = file || strcmp(o->audio, "auto") == 0;
	struct audio_file_config config = {
		.pattern = o->file_out,
		.outputs = config_outputs(&o->config),
	};
	const char *what, *reason;
	int sources = (o->socket_path != NULL) + (o->fd >= 0) + (o->socket_fd >= 0);

	if (sources > 1)
		return usage_error("--socket-path, --fd and --socket-fd exclude each other", NULL);
	if (file && !o->file_out && !o->file_in)
		return usage_error("--audio=file needs --file-out or --file-in", NULL);
	if (!may_file && (o->file_out || o->file_in || o->file_fast))
		return usage_error("--file-out, --file-in and --file-pace need --audio=file", NULL);
	if (o->null_fast && strcmp(o->audio, "null") != 0)
		return usage_error("--null-pace needs --audio=null", NULL);
	if (o->file_in_loop && !o->file_in)
		return usage_error("--file-in-loop needs --file-in", NULL);
	if (!sound_is_host(o->audio) && (o->name || o->target || o->target_in || o->properties ||
			o->capture))
		return usage_error("--name, --target, --target-in, --capture and --properties need the "
			"host's sound, e.g. --audio=pipewire", NULL);
	if (o->properties && (strcmp(o->audio, "alsa") == 0 || strcmp(o->audio, "jack") == 0))
		return usage_error("--properties needs --audio=pipewire or pulse", NULL);
	if (may_file && (o->file_out || o->file_in) && audio_file_check(&config, &what, &reason) == -EINVAL)
		return value_error(o, "file-out", o->file_out, reason);
	return -1;
}

static int complete(struct options *o)
{
	struct config_error error;

	config_override(&o->config, &o->card);
	return config_complete(&o->config, &error) ? -1 : config_error(o, &error);
}

/* Whether inih reads the same value back. */
static bool is_writable(const char *value)
{
	return *value && strlen(value) < CONFIG_LINE_MAX - CONFIG_NAME_MAX - 4 &&
		!strpbrk(value, "\r\n\t") && !strstr(value, " ;") && *value != ' ' &&
		*value != ';' && value[strlen(value) - 1] != ' ';
}

static int print_config(const struct options *o)
{
	config_print(&o->config, stdout);
	fputs("\n[audio]\n", stdout);
	for (size_t i = 0; i < TABLE; i++) {
		const char *value = o->value[i];

		if (!table[i].in_file || !value)
			continue;
		if (!table[i].has_value && !*value)
			value = "yes";
		if (!is_writable(value)) {
			log_always("%s: a configuration file cannot hold this value", table[i].name);
			return STATUS_FAILED;
		}
		printf("%s = %s\n", table[i].name + 2, value);
	}
	return ferror(stdout) || fflush(stdout) != 0 ? STATUS_FAILED : STATUS_OK;
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
	const char *level = getenv("VSND_LOG");
	int status;

	*ret = (struct options){ .fd = -1, .socket_fd = -1, .audio = "null" };

	/* Whatever else is there, and however wrong it is. */
	if (given(argc, argv, "--print-capabilities"))
		return print("{\"type\": \"sound\"}\n");
	if (given(argc, argv, "--help"))
		return print(usage);
	if (given(argc, argv, "--version"))
		return print("vhost-user-snd " VSND_VERSION "\n");

	if (level && !log_set_level(level))
		log_line(LOG_LEVEL_WARN, "VSND_LOG: no level '%s'", level);
	status = parse_all(argc, argv, ret, true);
	if (status < 0)
		status = read_config(ret);
	if (status < 0)
		status = parse_all(argc, argv, ret, false);
	if (status < 0)
		status = complete(ret);
	if (status < 0)
		status = check_all(ret);
	return status < 0 && ret->print_config ? print_config(ret) : status;
}
