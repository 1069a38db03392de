/* SPDX-License-Identifier: BSD-3-Clause */
/* What a stream offers, as words: lists of formats and rates, a range of channels. */
#ifndef VSND_DAEMON_OFFER_H
#define VSND_DAEMON_OFFER_H

#include <stdbool.h>
#include <stdint.h>

#include <vsnd/vsnd.h>

/* Room for any list, with its terminator. */
#define OFFER_TEXT_MAX 192

/* 0 stands for "not given" everywhere. */
struct offer {
	uint64_t formats, rates;
	uint8_t channels_min, channels_max;
};

/*
 * Words are separated by commas or blanks; `all` is everything.  Channels are MAX
 * or MIN-MAX.  NULL, or why not (a static text).
 */
const char *offer_set_formats(struct offer *o, const char *text);
const char *offer_set_rates(struct offer *o, const char *text);
const char *offer_set_channels(struct offer *o, const char *text);

enum config_auto {
	CONFIG_AUTO_DEFAULT,	/* not said */
	CONFIG_AUTO_NO,
	CONFIG_AUTO_YES
};

/* on or off.  False: neither. */
bool on_off_parse(const char *text, enum config_auto *ret);

/* OUT[,IN]: how many streams of the default kind there are.  `given` tells that it was said. */
struct stream_counts {
	bool given;
	unsigned outputs, inputs;
};

/* Without IN there is one input, if there is room.  NULL, or why not (a static text). */
const char *streams_parse(const char *text, struct stream_counts *ret);

void offer_formats_text(uint64_t formats, char text[OFFER_TEXT_MAX]);
void offer_rates_text(uint64_t rates, char text[OFFER_TEXT_MAX]);

/* Fields of @o that are not given become those of @from. */
void offer_inherit(struct offer *o, const struct offer *from);

/*
 * Copy the next word of *@text, up to @size - 1 bytes, and go past it.  False when
 * there is none.  A longer word is cut, and so is none that is known.
 */
bool next_word(const char **text, char *word, unsigned size);

#endif
