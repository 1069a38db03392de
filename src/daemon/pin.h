/* SPDX-License-Identifier: BSD-3-Clause */
/* Words for the fields of an HDA pin configuration (HDA 7.3.3.31). */
#ifndef VSND_DAEMON_PIN_H
#define VSND_DAEMON_PIN_H

#include <vsnd/vsnd.h>

#include "daemon/config.h"

enum pin_field {
	PIN_TYPE,
	PIN_PORT,
	PIN_CONNECTOR,
	PIN_LOCATION,
	PIN_COLOUR,
	PIN_FIELDS
};

/* The value of a field's word, or -1; and the word of a value that came from one. */
int pin_value(enum pin_field field, const char *word);
const char *pin_word(enum pin_field field, unsigned value);

/* What a [jack] section begins with, and what a direction of a group without one gets. */
void pin_init(struct config_jack *jack, uint32_t group);
void pin_init_auto(struct config_jack *jack, uint32_t group, unsigned direction);

/* enum vsnd_direction */
unsigned pin_direction(const struct config_jack *jack);

bool pin_is_headphone(const struct config_jack *jack);
/* Something can be plugged: it is not a part of the machine. */
bool pin_has_plug(const struct config_jack *jack);

void pin_settings(const struct config_jack *jack, struct vsnd_jack_settings *ret);

#endif
