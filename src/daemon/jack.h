/* SPDX-License-Identifier: BSD-3-Clause */
/* Words for the fields of an HDA pin configuration (HDA 7.3.3.31). */
#ifndef VSND_DAEMON_JACK_H
#define VSND_DAEMON_JACK_H

#include <vsnd/vsnd.h>

#include "daemon/config.h"

enum jack_field {
	JACK_TYPE,
	JACK_PORT,
	JACK_CONNECTOR,
	JACK_LOCATION,
	JACK_COLOUR,
	JACK_FIELDS
};

/* The value of a field's word, or -1; and the word of a value that came from one. */
int jack_value(enum jack_field field, const char *word);
const char *jack_word(enum jack_field field, unsigned value);

/* What a [jack] section begins with, and what a group without one gets. */
void jack_init(struct config_jack *jack, uint32_t group);
void jack_init_auto(struct config_jack *jack, uint32_t group);

void jack_settings(const struct config_jack *jack, struct vsnd_jack_settings *ret);

#endif
