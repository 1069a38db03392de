/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/pin.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Pin capabilities (HDA 7.3.4.9). */
#define CAPS_HEADPHONE 0x08u
#define CAPS_OUTPUT 0x10u
#define CAPS_INPUT 0x20u
/* Sequence 0. */
#define DEFCONF_ASSOCIATION_OUTPUT 0x10u
#define DEFCONF_ASSOCIATION_INPUT 0x20u

enum {
	TYPE_LINE_OUT = 0,
	TYPE_HEADPHONE = 2,
	TYPE_LINE_IN = 8,
	TYPE_MIC = 10,
	PORT_JACK = 0,
	PORT_FIXED = 2,
	PORT_BOTH = 3,
	CONNECTOR_3_5MM = 1,
	LOCATION_REAR = 1,
	COLOUR_GREEN = 4,
	COLOUR_PINK = 9
};

static const struct word {
	const char *word;
	uint8_t value;
} types[] = {
	{ "line-out", TYPE_LINE_OUT }, { "speaker", 1 }, { "headphone", TYPE_HEADPHONE },
	{ "line-in", TYPE_LINE_IN }, { "mic", TYPE_MIC }, { NULL, 0 }
}, ports[] = {
	{ "jack", PORT_JACK }, { "none", 1 }, { "fixed", PORT_FIXED }, { "both", PORT_BOTH }, { NULL, 0 }
}, connectors[] = {
	{ "unknown", 0 }, { "3.5mm", CONNECTOR_3_5MM }, { "6.3mm", 2 }, { "internal", 3 },
	{ "rca", 4 }, { "optical", 5 }, { "digital", 6 }, { "analog", 7 }, { "din", 8 },
	{ "xlr", 9 }, { "rj11", 10 }, { "combination", 11 }, { "other", 15 }, { NULL, 0 }
}, locations[] = {
	{ "none", 0 }, { "rear", LOCATION_REAR }, { "front", 2 }, { "left", 3 }, { "right", 4 },
	{ "top", 5 }, { "bottom", 6 }, { "internal", 0x10 }, { "hdmi", 0x18 }, { NULL, 0 }
}, colours[] = {
	{ "unknown", 0 }, { "black", 1 }, { "grey", 2 }, { "blue", 3 }, { "green", COLOUR_GREEN },
	{ "red", 5 }, { "orange", 6 }, { "yellow", 7 }, { "purple", 8 }, { "pink", COLOUR_PINK },
	{ "white", 14 }, { "other", 15 }, { NULL, 0 }
};

static const struct word *const words[] = {
	[PIN_TYPE] = types,
	[PIN_PORT] = ports,
	[PIN_CONNECTOR] = connectors,
	[PIN_LOCATION] = locations,
	[PIN_COLOUR] = colours,
};
static_assert(sizeof(words) / sizeof(words[0]) == PIN_FIELDS, "a field has no words");

int pin_value(enum pin_field field, const char *word)
{
	for (const struct word *w = words[field]; w->word; w++) {
		if (strcmp(w->word, word) == 0)
			return w->value;
	}
	return -1;
}

const char *pin_word(enum pin_field field, unsigned value)
{
	const struct word *w = words[field];

	while (w->word && w->value != value)
		w++;
	assert(w->word);
	return w->word;
}

void pin_init(struct config_jack *jack, uint32_t group)
{
	*jack = (struct config_jack){
		.group = group,
		.connected = true,
		.type = TYPE_LINE_OUT,
		.port = PORT_JACK,
		.connector = CONNECTOR_3_5MM,
		.location = LOCATION_REAR,
		.colour = COLOUR_GREEN,
	};
}

/* The library's default. */
void pin_init_auto(struct config_jack *jack, uint32_t group, unsigned direction)
{
	bool input = direction == VSND_INPUT;

	pin_init(jack, group);
	jack->port = PORT_FIXED;
	if (input) {
		jack->type = TYPE_MIC;
		jack->colour = COLOUR_PINK;
	}
	snprintf(jack->name, sizeof(jack->name), "%s%u", input ? "mic-" : "", (unsigned)group);
}

unsigned pin_direction(const struct config_jack *jack)
{
	return jack->type >= TYPE_LINE_IN ? VSND_INPUT : VSND_OUTPUT;
}

bool pin_is_headphone(const struct config_jack *jack)
{
	return jack->type == TYPE_HEADPHONE;
}

bool pin_has_plug(const struct config_jack *jack)
{
	return jack->port == PORT_JACK || jack->port == PORT_BOTH;
}

void pin_settings(const struct config_jack *jack, struct vsnd_jack_settings *ret)
{
	bool input = pin_direction(jack) == VSND_INPUT;

	*ret = (struct vsnd_jack_settings){
		.nid = jack->group,
		.features = jack->remap ? VSND_JACK_REMAP : 0,
		.defconf = (uint32_t)jack->port << 30 | (uint32_t)jack->location << 24 |
			(uint32_t)jack->type << 20 | (uint32_t)jack->connector << 16 |
			(uint32_t)jack->colour << 12 |
			(input ? DEFCONF_ASSOCIATION_INPUT : DEFCONF_ASSOCIATION_OUTPUT),
		.caps = input ? CAPS_INPUT : jack->type == TYPE_HEADPHONE
			? CAPS_OUTPUT | CAPS_HEADPHONE : CAPS_OUTPUT,
		.connected = jack->connected,
	};
}
