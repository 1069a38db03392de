/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One voice's pw_stream: its properties, its format, and what becomes of it.
 *
 * The format is the guest's own; the server's side of the stream converts.  The
 * latency that is asked for is that of hosted_cycle_wish().  PIPEWIRE_PROPS,
 * PIPEWIRE_LATENCY and the other variables of the environment are read by pw_stream itself.
 */
#include "audio/pipewire.h"

#include <errno.h>

#include <spa/param/audio/format-utils.h>

#include "audio/os.h"

/* How long after a START a guest is to be in time before it gets longer cycles. */
#define PUNCTUAL_NS 2000000000
#define LATENCY_SIZE sizeof("4294967295/4294967295")

/* Audio thread. */
static void on_process(void *data)
{
	pipewire_process(data);
}

void stream_say_unheard(const struct vsnd_voice *v, const char *why)
{
	struct vsnd_audio *a = v->audio;
	unsigned stream = v->hosted.params.stream;

	if (!(a->unheard >> stream & 1))
		audio_say(&a->config->log, AUDIO_WARN, "PipeWire: stream %u: %s; trying again", stream,
			why);
	a->unheard |= UINT64_C(1) << stream;
}

static void say_running(const struct vsnd_voice *v)
{
	struct vsnd_audio *a = v->audio;
	unsigned stream = v->hosted.params.stream;

	if (a->unheard >> stream & 1)
		audio_say(&a->config->log, AUDIO_WARN, "PipeWire: stream %u runs", stream);
	a->unheard &= ~(UINT64_C(1) << stream);
}

static void on_state_changed(void *data, enum pw_stream_state old, enum pw_stream_state state,
		const char *error)
{
	struct vsnd_voice *v = data;

	if (!v->stream)
		return;	/* our own stream_destroy() */
	audio_say(&v->audio->config->log, AUDIO_DEBUG, "PipeWire: stream %u: %s%s%s", v->hosted.params.stream,
		pw_stream_state_as_string(state), error ? ": " : "", error ? error : "");
	v->streaming = state == PW_STREAM_STATE_STREAMING;
	if (v->streaming) {
		atomic_store(&v->there, true);
		say_running(v);
	}
	if (state == PW_STREAM_STATE_ERROR)
		stream_say_unheard(v, error ? error : "an error");
	if (state == PW_STREAM_STATE_ERROR ||
			(state == PW_STREAM_STATE_UNCONNECTED && old != state)) {
		v->failed = true;
		host_settle(v->audio);
	}
}

static void on_control_info(void *data, uint32_t id, const struct pw_stream_control *control)
{
	volume_on_control(data, id, control);
}

static const struct pw_stream_events stream_events = {
	.version = PW_VERSION_STREAM_EVENTS,
	.control_info = on_control_info,
	.state_changed = on_state_changed,
	.process = on_process,
};

static const char *asked_latency(const struct vsnd_voice *v, char latency[LATENCY_SIZE])
{
	snprintf(latency, LATENCY_SIZE, "%u/%u", v->cycle_frames, v->hosted.params.rate_hz);
	return latency;
}

bool properties_are_some(const char *text)
{
	struct pw_properties *p = pw_properties_new_string(text);
	bool some = p && p->dict.n_items > 0;

	pw_properties_free(p);
	return some;
}

static struct pw_properties *make_properties(const struct vsnd_voice *v)
{
	const struct audio_host_config *config = v->audio->config;
	const struct vsnd_voice_params *params = &v->hosted.params;
	const char *name = config->name ? config->name : "vhost-user-snd";
	const struct audio_host_stream *own = &config->stream[params->stream];
	bool input = params->direction == VSND_INPUT;
	char latency[LATENCY_SIZE];
	struct pw_properties *p = pw_properties_new(
		PW_KEY_MEDIA_TYPE, "Audio",
		PW_KEY_MEDIA_CATEGORY, input ? "Capture" : "Playback",
		PW_KEY_MEDIA_ROLE, "Music",
		PW_KEY_APP_NAME, name,
		NULL);

	if (!p)
		return NULL;
	pw_properties_setf(p, PW_KEY_NODE_NAME, "%s.%s.%u", name,
		input ? "capture" : "playback", params->stream);
	pw_properties_setf(p, PW_KEY_NODE_DESCRIPTION, "%s", name);
	pw_properties_setf(p, PW_KEY_MEDIA_NAME, "%s %u", input ? "Capture" : "Playback",
		params->stream);
	pw_properties_set(p, PW_KEY_NODE_LATENCY, asked_latency(v, latency));
	/* Of the loops that newer versions may have, the one we know. */
	pw_properties_set(p, "node.loop.name", "data-loop.0");
	if (params->has_volume)
		pw_properties_set(p, "state.restore-props", "false");
	if (own->target)
		pw_properties_set(p, PW_KEY_TARGET_OBJECT, own->target);
	if (own->properties)
		pw_properties_update_string(p, own->properties, strlen(own->properties));
	return p;
}

static int connect_stream(struct vsnd_voice *v, struct pw_stream *stream)
{
	const struct vsnd_voice_params *params = &v->hosted.params;
	struct spa_audio_info_raw info;
	uint8_t space[1024];
	struct spa_pod_builder builder;
	const struct spa_pod *param;

	format_of(params, &info);
	spa_pod_builder_init(&builder, space, sizeof(space));
	param = spa_format_audio_raw_build(&builder, SPA_PARAM_EnumFormat, &info);
	return pw_stream_connect(stream,
		params->direction == VSND_INPUT ? PW_DIRECTION_INPUT : PW_DIRECTION_OUTPUT, PW_ID_ANY,
		PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_INACTIVE | PW_STREAM_FLAG_MAP_BUFFERS |
		PW_STREAM_FLAG_RT_PROCESS, &param, 1);
}

int stream_create(struct vsnd_voice *v)
{
	struct pw_properties *props;
	int err;

	v->cycle_frames = hosted_cycle_wish(&v->hosted.params, false);
	props = make_properties(v);
	if (!props)
		return -ENOMEM;
	v->stream = pw_stream_new(v->audio->core, "vsnd", props);
	if (!v->stream)
		return -errno;
	v->active = false;
	v->streaming = false;
	pw_stream_add_listener(v->stream, &v->listener, &stream_events, v);
	err = connect_stream(v, v->stream);
	if (err < 0)
		stream_destroy(v);
	return err;
}

/* process() is not running any more when this returns. */
void stream_destroy(struct vsnd_voice *v)
{
	struct pw_stream *stream = v->stream;

	pw_stream_disconnect(stream);
	v->stream = NULL;
	pw_stream_destroy(stream);
	v->active = false;
}

int64_t stream_settle_cycle(struct vsnd_voice *v, int64_t now_ns)
{
	const struct vsnd_voice_params *params = &v->hosted.params;
	bool late = atomic_load(&v->late), proven = now_ns >= v->activated_ns + PUNCTUAL_NS;
	uint32_t frames = hosted_cycle_wish(params, v->active && proven && !late);
	const char *now = pw_properties_get(pw_stream_get_properties(v->stream), PW_KEY_NODE_LATENCY);
	char latency[LATENCY_SIZE];
	struct spa_dict_item item = { PW_KEY_NODE_LATENCY, latency };

	asked_latency(v, latency);
	/* What the host's user wants instead stays. */
	if (now && strcmp(now, latency) == 0 && frames != v->cycle_frames) {
		v->cycle_frames = frames;
		asked_latency(v, latency);
		pw_stream_update_properties(v->stream, &SPA_DICT_INIT(&item, 1));
		audio_say(&v->audio->config->log, AUDIO_DEBUG, "PipeWire: stream %u: cycles of %u frames%s",
			params->stream, frames, late ? ", because the guest was late" : "");
	}
	return v->active && !late && !proven ? v->activated_ns + PUNCTUAL_NS : PW_NEVER_NS;
}
