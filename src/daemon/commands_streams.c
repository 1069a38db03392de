/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands about streams: how loud they are on the host's side, and whether they may. */
#include <math.h>
#include <string.h>

#include "daemon/commands.h"

static const char *stream_name(const struct commands *c, unsigned i)
{
	return c->config->stream[i].name;
}

static bool is_meant(const char *word, uint8_t direction)
{
	return strcmp(word, "all") == 0 ||
		strcmp(word, direction == VSND_OUTPUT ? "output" : "input") == 0;
}

/* What "streams" means, by bit.  0: the call has failed. */
static uint64_t select_streams(const struct commands *c, struct control_call *call,
		const json_t *which)
{
	const char *word = which ? json_string_value(which) : "output";
	uint64_t mask = 0;
	int one;

	for (unsigned i = 0; word && i < c->config->streams; i++) {
		if (is_meant(word, c->config->stream[i].direction))
			mask |= UINT64_C(1) << i;
	}
	if (mask)
		return mask;
	if (word && (is_meant(word, VSND_OUTPUT) || is_meant(word, VSND_INPUT))) {
		control_fail(call, "there is no %s stream", word);
		return 0;
	}
	one = commands_find(call, which, "stream", c->config->streams, stream_name, c);
	return one < 0 ? 0 : UINT64_C(1) << one;
}

/* Do @change with @value to the streams that @which means, and answer with them. */
static enum control_result change(const struct commands *c, struct control_call *call,
		const json_t *which, void (*change_one)(struct vsnd *dev, unsigned stream,
			const struct vsnd_stream_status *now, int32_t value), int32_t value)
{
	uint64_t mask = select_streams(c, call, which);
	struct vsnd_stream_status now;
	json_t *streams;

	if (!mask)
		return CONTROL_FAILED;
	streams = json_array();
	for (unsigned i = 0; i < c->config->streams; i++) {
		if (!(mask >> i & 1) || vsnd_stream_status(c->dev, i, &now) < 0)
			continue;
		change_one(c->dev, i, &now, value);
		json_array_append_new(streams, status_of_stream(c, i));
	}
	json_object_set_new(call->reply, "streams", streams);
	return CONTROL_DONE;
}

static void set_mute(struct vsnd *dev, unsigned stream, const struct vsnd_stream_status *now,
		int32_t mute)
{
	vsnd_stream_set_volume(dev, stream, now->millibels, mute);
}

static void set_volume(struct vsnd *dev, unsigned stream, const struct vsnd_stream_status *now,
		int32_t millibels)
{
	vsnd_stream_set_volume(dev, stream, millibels, now->mute);
}

static void set_allowed(struct vsnd *dev, unsigned stream, const struct vsnd_stream_status *now,
		int32_t allowed)
{
	(void)now;
	vsnd_stream_allow(dev, stream, allowed);
}

static enum control_result change_mute(struct commands *c, struct control_call *call, bool mute)
{
	json_t *which = NULL;

	if (!control_unpack(call, "{s?o}", "streams", &which))
		return CONTROL_FAILED;
	return change(c, call, which, set_mute, mute);
}

static enum control_result run_mute(void *ctx, struct control_call *call)
{
	return change_mute(ctx, call, true);
}

static enum control_result run_unmute(void *ctx, struct control_call *call)
{
	return change_mute(ctx, call, false);
}

static enum control_result change_allowed(struct commands *c, struct control_call *call,
		bool allowed)
{
	json_t *which;

	if (!control_unpack(call, "{s:o}", "streams", &which))
		return CONTROL_FAILED;
	return change(c, call, which, set_allowed, allowed);
}

static enum control_result run_allow(void *ctx, struct control_call *call)
{
	return change_allowed(ctx, call, true);
}

static enum control_result run_deny(void *ctx, struct control_call *call)
{
	return change_allowed(ctx, call, false);
}

/* Percents are cubic, as PulseAudio's and PipeWire's mixers show them. */
static double db_of_percent(double percent)
{
	if (percent < 0)
		return NAN;
	return fmax(60 * log10(percent / 100), VSND_MILLIBELS_MIN / 100.0);
}

/* "-10dB", "50%", or a number of dB.  False: the call has failed. */
static bool volume_from(struct control_call *call, const json_t *volume, int32_t *ret_millibels)
{
	const char *text = json_string_value(volume);
	enum amount_unit unit = AMOUNT_DB;
	double db = json_number_value(volume);

	if (!json_is_number(volume) &&
			(!text || !amount_parse(text, &db, &unit) || unit == AMOUNT_PLAIN)) {
		control_fail(call, "'volume' is like -10dB or 50%%");
		return false;
	}
	if (unit == AMOUNT_PERCENT)
		db = db_of_percent(db);
	if (!(db >= VSND_MILLIBELS_MIN / 100.0 && db <= VSND_MILLIBELS_MAX / 100.0)) {
		control_fail(call, "'volume' is from %ddB (or 0%%) to %ddB",
			VSND_MILLIBELS_MIN / 100, VSND_MILLIBELS_MAX / 100);
		return false;
	}
	*ret_millibels = (int32_t)lround(100 * db);
	return true;
}

static enum control_result run_volume(void *ctx, struct control_call *call)
{
	json_t *which = NULL, *volume;
	int32_t millibels;

	if (!control_unpack(call, "{s?o, s:o}", "streams", &which, "volume", &volume) ||
			!volume_from(call, volume, &millibels))
		return CONTROL_FAILED;
	return change(ctx, call, which, set_volume, millibels);
}

void commands_add_streams(struct control *control, struct commands *c)
{
	static const struct control_command commands[] = {
		{ "mute", run_mute },
		{ "unmute", run_unmute },
		{ "volume", run_volume },
		{ "allow", run_allow },
		{ "deny", run_deny },
	};

	control_add(control, commands, sizeof(commands) / sizeof(commands[0]), c);
}
