/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/offer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIT64(n) (UINT64_C(1) << (n))
/* IMA_ADPCM is the one format without whole-byte samples. */
#define FORMATS_ALL ((BIT64(VSND_FORMATS) - 1) & ~BIT64(VSND_FMT_IMA_ADPCM))
#define RATES_ALL (BIT64(VSND_RATES) - 1)
#define RATES_NEW (BIT64(VSND_RATE_12000) | BIT64(VSND_RATE_24000))
#define SEPARATORS ", \t"
#define WORD_MAX 24

bool next_word(const char **text, char *word, unsigned size)
{
	size_t len;

	*text += strspn(*text, SEPARATORS);
	len = strcspn(*text, SEPARATORS);
	if (len == 0)
		return false;
	snprintf(word, size, "%.*s", (int)(len < size ? len : size), *text);
	*text += len;
	return true;
}

const char *offer_set_formats(struct offer *o, const char *text)
{
	uint64_t mask = 0;
	char word[WORD_MAX];

	while (next_word(&text, word, sizeof(word))) {
		int format;

		if (strcmp(word, "all") == 0) {
			mask |= FORMATS_ALL;
			continue;
		}
		for (char *p = word; *p; p++)
			*p = (char)toupper((unsigned char)*p);
		format = vsnd_format_from_name(word);
		if (format < 0)
			return "there is no such format";
		if (format == VSND_FMT_IMA_ADPCM)
			return "IMA_ADPCM has no whole-byte samples";
		mask |= BIT64(format);
	}
	if (!mask)
		return "a format is needed";
	o->formats = mask;
	return NULL;
}

static int rate_from_word(const char *word)
{
	size_t len = strspn(word, "0123456789");

	if (len == 0 || len > 6 || word[len])
		return -1;
	return vsnd_rate_from_hz((uint32_t)strtoul(word, NULL, 10));
}

const char *offer_set_rates(struct offer *o, const char *text)
{
	uint64_t mask = 0;
	char word[WORD_MAX];

	while (next_word(&text, word, sizeof(word))) {
		int rate = rate_from_word(word);

		if (strcmp(word, "all") == 0) {
			mask |= RATES_ALL;
			continue;
		}
		if (rate < 0)
			return "the specification has no such rate";
		mask |= BIT64(rate);
	}
	if (!mask)
		return "a rate is needed";
	if (!(mask & ~RATES_NEW))
		return "12000 and 24000 alone are too new for Linux' driver";
	o->rates = mask;
	return NULL;
}

/* 1 to VSND_CHANNELS_MAX, or 0; *@text goes past the number. */
static uint8_t channel_count(const char **text)
{
	size_t len = strspn(*text, "0123456789");
	unsigned long n = len > 0 && len <= 2 ? strtoul(*text, NULL, 10) : 0;

	*text += len;
	return n <= VSND_CHANNELS_MAX ? (uint8_t)n : 0;
}

const char *offer_set_channels(struct offer *o, const char *text)
{
	uint8_t first = channel_count(&text), last = first;
	bool range = *text == '-';

	if (range) {
		text++;
		last = channel_count(&text);
	}
	if (*text || first == 0 || last == 0)
		return "not MAX or MIN-MAX with numbers from 1 to 18";
	if (first > last)
		return "more channels at least than at most";
	o->channels_min = range ? first : 1;
	o->channels_max = last;
	return NULL;
}

static void append(char text[OFFER_TEXT_MAX], const char *word)
{
	size_t used = strlen(text);

	snprintf(text + used, OFFER_TEXT_MAX - used, "%s%s", used ? "," : "", word);
}

void offer_formats_text(uint64_t formats, char text[OFFER_TEXT_MAX])
{
	text[0] = '\0';
	for (unsigned i = 0; i < VSND_FORMATS; i++) {
		if (formats & BIT64(i))
			append(text, vsnd_format_info(i)->name);
	}
}

void offer_rates_text(uint64_t rates, char text[OFFER_TEXT_MAX])
{
	text[0] = '\0';
	for (unsigned i = 0; i < VSND_RATES; i++) {
		char word[16];

		snprintf(word, sizeof(word), "%u", (unsigned)vsnd_rate_hz(i));
		if (rates & BIT64(i))
			append(text, word);
	}
}

void offer_inherit(struct offer *o, const struct offer *from)
{
	if (!o->formats)
		o->formats = from->formats;
	if (!o->rates)
		o->rates = from->rates;
	if (!o->channels_max) {
		o->channels_min = from->channels_min;
		o->channels_max = from->channels_max;
	}
}

bool on_off_parse(const char *text, enum config_auto *ret)
{
	bool on = strcmp(text, "on") == 0;

	if (!on && strcmp(text, "off") != 0)
		return false;
	*ret = on ? CONFIG_AUTO_YES : CONFIG_AUTO_NO;
	return true;
}

static bool count_parse(const char **text, unsigned *ret)
{
	size_t len = strspn(*text, "0123456789");

	if (len == 0 || len > 3)
		return false;
	*ret = (unsigned)strtoul(*text, NULL, 10);
	*text += len;
	return *ret <= VSND_STREAMS_MAX;
}

const char *streams_parse(const char *text, struct stream_counts *ret)
{
	static const char bad[] = "not OUT or OUT,IN, 1 to 64 streams in all";
	struct stream_counts n = { .given = true };

	if (!count_parse(&text, &n.outputs))
		return bad;
	n.inputs = n.outputs < VSND_STREAMS_MAX ? 1 : 0;
	if (*text == ',') {
		text++;
		if (!count_parse(&text, &n.inputs))
			return bad;
	}
	if (*text || n.outputs + n.inputs == 0 || n.outputs + n.inputs > VSND_STREAMS_MAX)
		return bad;
	*ret = n;
	return NULL;
}
