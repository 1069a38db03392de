/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the daemon is doing, as JSON.  Numbers have their unit in their name; a
 * counter is what libvsnd calls it.
 */
#include <string.h>

#include "daemon/commands.h"

static const char *const states[] = {
	[VSND_STREAM_INIT] = "idle",
	[VSND_STREAM_SET] = "set",
	[VSND_STREAM_PREPARED] = "prepared",
	[VSND_STREAM_RUNNING] = "running",
	[VSND_STREAM_STOPPED] = "stopped",
	[VSND_STREAM_RELEASED] = "released",
};
_Static_assert(sizeof(states) / sizeof(states[0]) == VSND_STREAM_STATES, "a state has no name");

/* What the driver has set, if it has. */
static void add_parameters(json_t *stream, const struct vsnd_stream_status *s,
		const struct vsnd_stream_stats *stats)
{
	const struct vsnd_format_info *format = vsnd_format_info(s->format);
	double bytes_per_ms = s->rate_hz * s->channels * format->bytes / 1000.0;

	json_object_update_new(stream, json_pack("{s:s, s:i, s:i, s:i, s:i, s:f}",
		"format", format->name, "rate", (int)s->rate_hz, "channels", s->channels,
		"period_frames", (int)s->period_frames, "buffer_frames", (int)s->buffer_frames,
		"latency_ms", (double)stats->latency_bytes / bytes_per_ms));
}

json_t *status_of_stream(const struct commands *c, unsigned stream)
{
	struct vsnd_stream_status s;
	struct vsnd_stream_stats stats;
	json_t *json;

	if (vsnd_stream_status(c->dev, stream, &s) < 0 ||
			vsnd_stream_stats(c->dev, stream, &stats) < 0)
		return NULL;
	json = json_pack("{s:i, s:s, s:s, s:s, s:b, s:b, s:f}", "number", (int)stream,
		"name", c->config->stream[stream].name,
		"direction", s.direction == VSND_OUTPUT ? "output" : "input",
		"state", states[s.state], "allowed", s.allowed, "mute", s.mute,
		"volume_db", s.millibels / 100.0);
	if (s.state != VSND_STREAM_INIT)
		add_parameters(json, &s, &stats);
	json_object_update_new(json, json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}",
		"messages", (json_int_t)stats.messages, "errors", (json_int_t)stats.errors,
		"frames", (json_int_t)stats.frames, "discarded", (json_int_t)stats.discarded,
		"silence", (json_int_t)stats.silence, "xruns", (json_int_t)stats.xruns));
	return json;
}

json_t *status_of_jack(const struct commands *c, unsigned jack)
{
	bool connected = false;

	vsnd_jack_connected(c->dev, jack, &connected);
	return json_pack("{s:i, s:s, s:b}", "number", (int)jack,
		"name", c->config->jack[jack].name, "connected", connected);
}

/* The values in dB, null for silence; nothing for what has no scale. */
static void add_db(json_t *element, const struct commands *c, unsigned ctl,
		const union vsnd_ctl_value *value)
{
	const struct vsnd_ctl_settings *e = &c->card->ctl[ctl];
	uint32_t tlv[4];
	json_t *db;

	if (!e->tlv || vsnd_ctl_get_tlv(c->dev, ctl, tlv, 4) < 0 || tlv[0] != VSND_TLV_DB_SCALE)
		return;
	db = json_array();
	for (uint32_t i = 0; i < e->count; i++) {
		int64_t steps = value->integer[i] - e->min;
		int64_t step = tlv[3] & ~VSND_TLV_DB_SCALE_MUTE;

		if (steps == 0 && (tlv[3] & VSND_TLV_DB_SCALE_MUTE))
			json_array_append_new(db, json_null());
		else
			json_array_append_new(db,
				json_real((double)((int32_t)tlv[2] + steps * step) / 100));
	}
	json_object_set_new(element, "db", db);
}

json_t *status_of_element(const struct commands *c, unsigned ctl)
{
	const struct vsnd_ctl_settings *e = &c->card->ctl[ctl];
	bool is_switch = e->type == VSND_CTL_BOOLEAN;
	union vsnd_ctl_value value;
	json_t *json, *values;

	if (vsnd_ctl_get(c->dev, ctl, &value) < 0)
		return NULL;
	values = json_array();
	for (uint32_t i = 0; i < e->count; i++)
		json_array_append_new(values, is_switch ? json_boolean(value.integer[i])
			: json_integer(value.integer[i]));
	json = json_pack("{s:i, s:s, s:i, s:s, s:o}", "number", (int)ctl, "name", e->name,
		"index", (int)e->index, "type", is_switch ? "switch" : "volume", "values", values);
	if (!is_switch)
		json_object_update_new(json, json_pack("{s:I, s:I}", "min", (json_int_t)e->min,
			"max", (json_int_t)e->max));
	add_db(json, c, ctl, &value);
	return json;
}

static json_t *front_end(const struct commands *c)
{
	struct vu_server_status s;

	vu_server_status(c->server, &s);
	return json_pack("{s:b, s:b, s:I, s:I, s:I, s:I, s:I}", "connected", s.connected,
		"live", s.live, "features", (json_int_t)s.features,
		"protocol_features", (json_int_t)s.protocol, "requests", (json_int_t)s.requests,
		"refused", (json_int_t)s.refused, "sessions", (json_int_t)s.sessions);
}

static json_t *guest(const struct commands *c)
{
	struct vsnd_stats s;

	vsnd_stats(c->dev, &s);
	return json_pack("{s:I, s:I}", "requests", (json_int_t)s.requests,
		"refused", (json_int_t)s.refused);
}

static json_t *items(const struct commands *c, unsigned n,
		json_t *(*status_of)(const struct commands *c, unsigned i))
{
	json_t *array = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(array, status_of(c, i));
	return array;
}

static enum control_result run_status(void *ctx, struct control_call *call)
{
	const struct commands *c = ctx;

	if (!control_unpack(call, "{}"))
		return CONTROL_FAILED;
	json_object_update_new(call->reply, json_pack("{s:s, s:{s:s, s:b}, s:o, s:o, s:o, s:o, s:o}",
		"version", VSND_VERSION, "audio", "backend", c->audio,
		"connected", vsnd_host_connected(c->dev), "front_end", front_end(c), "guest", guest(c),
		"streams", items(c, c->config->streams, status_of_stream),
		"jacks", items(c, c->config->jacks, status_of_jack),
		"controls", items(c, c->card->ctls, status_of_element)));
	return CONTROL_DONE;
}

void commands_add_status(struct control *control, struct commands *c)
{
	static const struct control_command commands[] = {
		{ "status", run_status },
	};

	control_add(control, commands, sizeof(commands) / sizeof(commands[0]), c);
}
