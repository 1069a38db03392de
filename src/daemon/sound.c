/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/sound.h"

#include <errno.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/pin.h"

static const struct vsnd_audio_ops *const null_ops = &audio_null_ops;
static const struct vsnd_audio_ops *const test_ops = &audio_test_ops;

struct backend {
	const char *name;
	const struct vsnd_audio_ops *const *ops;	/* of NULL: not in this build */
	/* Of the host's sound systems: whether it can be used now. */
	bool (*answers)(const struct audio_host_config *config);
};

/* In the order in which `auto` asks. */
static const struct backend backends[] = {
	{ "pipewire", &audio_pipewire_ops, audio_pipewire_answers },
	{ "pulse", &audio_pulse_ops, audio_pulse_answers },
	{ "alsa", &audio_alsa_ops, audio_alsa_answers },
	{ "jack", &audio_jack_ops, audio_jack_answers },
	{ "file", &audio_file_ops, NULL },
	{ "null", &null_ops, NULL },
	{ "test", &test_ops, NULL },
};
#define BACKENDS (sizeof(backends) / sizeof(backends[0]))

static const struct backend *find(const char *name)
{
	for (size_t i = 0; i < BACKENDS; i++) {
		if (strcmp(backends[i].name, name) == 0)
			return &backends[i];
	}
	return NULL;
}

bool sound_is_known(const char *name)
{
	return strcmp(name, "auto") == 0 || find(name);
}

bool sound_is_host(const char *name)
{
	const struct backend *b = find(name);

	return strcmp(name, "auto") == 0 || (b && b->answers);
}

static void audio_line(void *ctx, enum audio_level level, const char *text)
{
	static const enum log_level levels[] = {
		[AUDIO_DEBUG] = LOG_LEVEL_DEBUG,
		[AUDIO_INFO] = LOG_LEVEL_INFO,
		[AUDIO_WARN] = LOG_LEVEL_WARN,
		[AUDIO_ERROR] = LOG_LEVEL_ERROR,
	};

	(void)ctx;
	log_line(levels[level], "%s", text);
}

/* A stream's own word wins over the one for all. */
static const char *own_or(const char *own, const char *all)
{
	return *own ? own : all;
}

static void init_host(struct sound *s, const struct options *o)
{
	for (unsigned i = 0; i < o->config.streams; i++) {
		const struct config_stream *stream = &o->config.stream[i];

		s->stream[i] = (struct audio_host_stream){
			.group = stream->group,
			.direction = stream->direction,
			.target = own_or(stream->target,
				stream->direction == VSND_INPUT ? o->target_in : o->target),
			.properties = own_or(stream->properties, o->properties),
		};
	}
	for (unsigned i = 0; i < o->config.jacks; i++) {
		const struct config_jack *jack = &o->config.jack[i];

		s->jack[i] = (struct audio_host_jack){
			.group = jack->group,
			.direction = (uint8_t)pin_direction(jack),
			.headphone = pin_is_headphone(jack),
			.follows = pin_has_plug(jack),
		};
	}
	s->host = (struct audio_host_config){
		.name = o->name ? o->name : "vhost-user-snd",
		.stream = s->stream,
		.streams = o->config.streams,
		.jack = s->jack,
		.jacks = o->config.jacks,
		.log = { .line = audio_line },
	};
}

static int init_file(struct sound *s, const struct options *o)
{
	const char *what, *reason;
	int err;

	s->file = (struct audio_file_config){
		.pattern = o->file_out,
		.outputs = config_outputs(&o->config),
		.in = o->file_in,
		.in_loop = o->file_in_loop,
		.fast = o->file_fast,
		.log = { .line = audio_line },
	};
	err = audio_file_check(&s->file, &what, &reason);
	if (err < 0)
		log_always("%s: %s", what, reason);
	return err;
}

/* Whether `auto` may take it. */
static bool is_there(const struct sound *s, const struct options *o, const struct backend *b)
{
	if (!*b->ops)
		return false;
	if (b->answers)
		return b->answers(&s->host);
	return strcmp(b->name, "file") != 0 || o->file_out || o->file_in;
}

static const struct backend *choose(const struct sound *s, const struct options *o)
{
	const struct backend *b = backends;

	if (strcmp(o->audio, "auto") != 0)
		return find(o->audio);
	while (!is_there(s, o, b))
		b++;
	/* A warning so that it is seen: nobody but us knows where the sound goes. */
	log_line(LOG_LEVEL_WARN, "--audio=auto: %s", b->name);
	return b;
}

static bool may_capture(const struct options *o, const struct config_stream *stream)
{
	return (stream->capture ? stream->capture : o->capture) == CONFIG_AUTO_YES;
}

void sound_permit(const struct sound *s, const struct options *o, struct vsnd *dev)
{
	unsigned denied = 0;

	for (unsigned i = config_outputs(&o->config); s->is_host && i < o->config.streams; i++) {
		if (may_capture(o, &o->config.stream[i]))
			continue;
		vsnd_stream_allow(dev, i, false);
		denied++;
	}
	if (denied)
		log_line(LOG_LEVEL_INFO, "%u inputs record silence unless allowed (--capture=on)",
			denied);
}

int sound_init(struct sound *s, const struct options *o, struct vsnd_settings *device)
{
	const struct backend *b;

	init_host(s, o);
	b = choose(s, o);
	if (!*b->ops) {
		log_always("--audio=%s: not in this build", b->name);
		return -ENOTSUP;
	}
	device->audio = *b->ops;
	s->backend = b->name;
	s->is_host = b->answers;
	if (b->answers)
		device->audio_config = &s->host;
	if (*b->ops == null_ops) {
		s->null.fast = o->null_fast;
		device->audio_config = &s->null;
	}
	if (*b->ops == test_ops) {
		s->is_test = true;
		s->test = (struct audio_test_config){ .ret_audio = &s->test_audio, .real = true };
		device->audio_config = &s->test;
	}
	if (strcmp(b->name, "file") != 0)
		return 0;
	device->audio_config = &s->file;
	return init_file(s, o);
}
