/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line over the file, defaults below both, and whether the whole is a
 * card.  A wrong item makes Linux refuse the card, so it is refused here.
 */
#include "daemon/config.h"

#include <string.h>

#include "daemon/pin.h"

#define BIT64(n) (UINT64_C(1) << (n))

static const struct offer default_offer = {
	.formats = BIT64(VSND_FMT_S16) | BIT64(VSND_FMT_S32) | BIT64(VSND_FMT_FLOAT),
	.rates = BIT64(VSND_RATE_44100) | BIT64(VSND_RATE_48000) | BIT64(VSND_RATE_96000),
	.channels_min = 1,
	.channels_max = 2,
};

/* What any driver can play. */
static const struct offer simple_offer = {
	.formats = BIT64(VSND_FMT_S16),
	.rates = BIT64(VSND_RATE_48000),
	.channels_min = 2,
	.channels_max = 2,
};

/* ALSA's orders; 6.1 with sides, and 7.1.4 with four above. */
static const struct map {
	uint8_t channels, positions[VSND_CHANNELS_MAX];
} default_maps[] = {
	{ 1, { VSND_POS_MONO } },
	{ 2, { VSND_POS_FL, VSND_POS_FR } },
	{ 3, { VSND_POS_FL, VSND_POS_FR, VSND_POS_LFE } },
	{ 4, { VSND_POS_FL, VSND_POS_FR, VSND_POS_RL, VSND_POS_RR } },
	{ 5, { VSND_POS_FL, VSND_POS_FR, VSND_POS_RL, VSND_POS_RR, VSND_POS_FC } },
	{ 6, { VSND_POS_FL, VSND_POS_FR, VSND_POS_RL, VSND_POS_RR, VSND_POS_FC, VSND_POS_LFE } },
	{ 7, { VSND_POS_FL, VSND_POS_FR, VSND_POS_SL, VSND_POS_SR, VSND_POS_FC, VSND_POS_LFE,
		VSND_POS_RC } },
	{ 8, { VSND_POS_FL, VSND_POS_FR, VSND_POS_RL, VSND_POS_RR, VSND_POS_FC, VSND_POS_LFE,
		VSND_POS_SL, VSND_POS_SR } },
	{ 12, { VSND_POS_FL, VSND_POS_FR, VSND_POS_RL, VSND_POS_RR, VSND_POS_FC, VSND_POS_LFE,
		VSND_POS_SL, VSND_POS_SR, VSND_POS_TFL, VSND_POS_TFR, VSND_POS_TRL,
		VSND_POS_TRR } },
};
#define MAPS (sizeof(default_maps) / sizeof(default_maps[0]))
_Static_assert(2 * CONFIG_GROUPS_MAX * MAPS <= VSND_CHMAPS_MAX, "not all maps have room");

/* Of the profiles. */
static const struct stream_counts one_of_each = { .given = true, .outputs = 1, .inputs = 1 };
static const struct stream_counts one_output = { .given = true, .outputs = 1 };

static bool is_given(const struct offer *o)
{
	return o->formats || o->rates || o->channels_max;
}

/* @o, and what it does not say from @below. */
static void lay_over(struct offer *below, const struct offer *o)
{
	struct offer top = *o;

	offer_inherit(&top, below);
	*below = top;
}

void config_override(struct config *c, const struct config_overrides *o)
{
	if (o->simple || o->streams.given) {
		c->streams = c->jacks = c->chmaps = 0;
		c->streams_line = 0;
	}
	if (o->simple) {
		c->simple = true;
		c->offer = simple_offer;
		c->auto_jacks = c->auto_maps = CONFIG_AUTO_NO;
		c->wanted = one_output;
		c->controls = false;
	}
	if (o->controls)
		c->controls = true;
	if (o->streams.given)
		c->wanted = o->streams;
	if (is_given(&o->offer)) {
		lay_over(&c->offer, &o->offer);
		for (unsigned i = 0; i < c->streams; i++)
			lay_over(&c->stream[i].offer, &o->offer);
	}
}

/* Default streams of a direction, which have the PCM devices from the first on. */
static void add_streams(struct config *c, unsigned n, unsigned direction)
{
	for (unsigned i = 0; i < n; i++, c->streams++) {
		struct config_stream *s = &c->stream[c->streams];

		*s = (struct config_stream){
			.group = i % CONFIG_GROUPS_MAX,
			.direction = (uint8_t)direction,
		};
		snprintf(s->name, sizeof(s->name), "%u", c->streams);
	}
}

unsigned config_outputs(const struct config *c)
{
	unsigned n = 0;

	while (n < c->streams && c->stream[n].direction == VSND_OUTPUT)
		n++;
	return n;
}

static bool complete_streams(struct config *c, struct config_error *error)
{
	if (c->streams && c->wanted.given)
		return config_fail(error, c->streams_line,
			"streams and [stream] sections exclude each other");
	offer_inherit(&c->offer, c->simple ? &simple_offer : &default_offer);
	if (!c->wanted.given)
		c->wanted = c->simple ? one_output : one_of_each;
	if (c->streams == 0) {
		add_streams(c, c->wanted.outputs, VSND_OUTPUT);
		add_streams(c, c->wanted.inputs, VSND_INPUT);
	}
	c->wanted = (struct stream_counts){ .given = false };
	for (unsigned i = config_outputs(c); i < c->streams; i++) {
		if (c->stream[i].direction == VSND_OUTPUT)
			return config_fail(error, c->stream[i].line,
				"[stream %s]: outputs come before inputs", c->stream[i].name);
	}
	for (unsigned i = 0; i < config_outputs(c); i++) {
		if (c->stream[i].capture)
			return config_fail(error, c->stream[i].line,
				"[stream %s]: capture is for inputs", c->stream[i].name);
	}
	if (!c->xrun_events)
		c->xrun_events = c->simple ? CONFIG_AUTO_NO : CONFIG_AUTO_YES;
	for (unsigned i = 0; i < c->streams; i++) {
		offer_inherit(&c->stream[i].offer, &c->offer);
		if (!c->stream[i].xrun_events)
			c->stream[i].xrun_events = c->xrun_events;
	}
	return true;
}

/* Whether a stream of the group and direction (either, for 2) takes @channels (0: any). */
static bool has_stream(const struct config *c, uint32_t group, unsigned direction, unsigned channels)
{
	for (unsigned i = 0; i < c->streams; i++) {
		const struct config_stream *s = &c->stream[i];

		if (s->group == group && (direction == 2 || s->direction == direction) &&
				(channels == 0 || (channels >= s->offer.channels_min &&
				channels <= s->offer.channels_max)))
			return true;
	}
	return false;
}

static bool has_jack(const struct config *c, uint32_t group, unsigned direction)
{
	for (unsigned i = 0; i < c->jacks; i++) {
		if (c->jack[i].group == group && pin_direction(&c->jack[i]) == direction)
			return true;
	}
	return false;
}

static bool has_map(const struct config *c, uint32_t group, unsigned direction, unsigned channels)
{
	for (unsigned i = 0; i < c->chmaps; i++) {
		const struct config_chmap *m = &c->chmap[i];

		if (m->group == group && m->direction == direction && m->channels == channels)
			return true;
	}
	return false;
}

static bool complete_jacks(struct config *c, struct config_error *error)
{
	bool wanted = c->auto_jacks ? c->auto_jacks == CONFIG_AUTO_YES : !c->simple;

	for (unsigned i = 0; i < c->jacks; i++) {
		if (!has_stream(c, c->jack[i].group, 2, 0))
			return config_fail(error, c->jack[i].line, "[jack %s]: no stream has device %u",
				c->jack[i].name, (unsigned)c->jack[i].group);
	}
	c->auto_jacks = CONFIG_AUTO_NO;
	for (unsigned n = 0; wanted && n < 2 * CONFIG_GROUPS_MAX; n++) {
		unsigned direction = n / CONFIG_GROUPS_MAX;
		uint32_t group = n % CONFIG_GROUPS_MAX;

		if (!has_stream(c, group, direction, 0) || has_jack(c, group, direction))
			continue;
		if (c->jacks == VSND_JACKS_MAX)
			return config_fail(error, 0, "more than %d jacks", VSND_JACKS_MAX);
		pin_init_auto(&c->jack[c->jacks++], group, direction);
	}
	return true;
}

static void add_map(struct config *c, uint32_t group, unsigned direction, const struct map *map)
{
	struct config_chmap *m = &c->chmap[c->chmaps++];

	*m = (struct config_chmap){
		.group = group,
		.direction = (uint8_t)direction,
		.channels = map->channels,
	};
	memcpy(m->positions, map->positions, sizeof(m->positions));
	snprintf(m->name, sizeof(m->name), "%s-%u-%u", direction == VSND_OUTPUT ? "output" : "input",
		(unsigned)group, map->channels);
}

static bool add_maps(struct config *c, uint32_t group, unsigned direction,
		struct config_error *error)
{
	for (size_t i = 0; i < MAPS; i++) {
		unsigned channels = default_maps[i].channels;

		if (!has_stream(c, group, direction, channels) ||
				has_map(c, group, direction, channels))
			continue;
		if (c->chmaps == VSND_CHMAPS_MAX)
			return config_fail(error, 0, "more than %d maps", VSND_CHMAPS_MAX);
		add_map(c, group, direction, &default_maps[i]);
	}
	return true;
}

static bool complete_maps(struct config *c, struct config_error *error)
{
	bool wanted = c->auto_maps ? c->auto_maps == CONFIG_AUTO_YES : !c->simple;

	for (unsigned i = 0; i < c->chmaps; i++) {
		const struct config_chmap *m = &c->chmap[i];

		if (m->channels == 0)
			return config_fail(error, m->line, "[chmap %s] needs positions", m->name);
		if (!has_stream(c, m->group, m->direction, m->channels))
			return config_fail(error, m->line,
				"[chmap %s]: no stream of device %u has %u channels", m->name,
				(unsigned)m->group, m->channels);
	}
	c->auto_maps = CONFIG_AUTO_NO;
	for (uint32_t group = 0; wanted && group < CONFIG_GROUPS_MAX; group++) {
		if (!add_maps(c, group, VSND_OUTPUT, error) || !add_maps(c, group, VSND_INPUT, error))
			return false;
	}
	return true;
}

/* Names that were made must not be those of sections. */
static bool names_differ(const struct config *c, struct config_error *error)
{
	for (unsigned i = 0; i < c->jacks; i++) {
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(c->jack[i].name, c->jack[j].name) == 0)
				return config_fail(error, c->jack[j].line,
					"[jack %s]: the jack of device %s has this name",
					c->jack[j].name, c->jack[i].name);
		}
	}
	for (unsigned i = 0; i < c->chmaps; i++) {
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(c->chmap[i].name, c->chmap[j].name) == 0)
				return config_fail(error, c->chmap[j].line,
					"[chmap %s]: a default map has this name", c->chmap[j].name);
		}
	}
	return true;
}

bool config_complete(struct config *c, struct config_error *ret_error)
{
	return complete_streams(c, ret_error) && complete_jacks(c, ret_error) &&
		complete_maps(c, ret_error) && names_differ(c, ret_error);
}
