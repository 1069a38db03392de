/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/config.h"
#include "daemon/pin.h"

static const char *direction_word(uint8_t direction)
{
	return direction == VSND_OUTPUT ? "output" : "input";
}

static void print_stream(const struct config_stream *s, FILE *f)
{
	char formats[OFFER_TEXT_MAX], rates[OFFER_TEXT_MAX];

	offer_formats_text(s->offer.formats, formats);
	offer_rates_text(s->offer.rates, rates);
	fprintf(f, "\n[stream %s]\ndevice = %u\ndirection = %s\nformats = %s\nrates = %s\n"
		"channels = %u-%u\nxrun-events = %s\n", s->name, (unsigned)s->group, direction_word(s->direction),
		formats, rates, s->offer.channels_min, s->offer.channels_max,
		s->xrun_events == CONFIG_AUTO_YES ? "yes" : "no");
	if (*s->target)
		fprintf(f, "target = %s\n", s->target);
	if (*s->properties)
		fprintf(f, "properties = %s\n", s->properties);
	if (s->capture)
		fprintf(f, "capture = %s\n", s->capture == CONFIG_AUTO_YES ? "on" : "off");
}

static void print_jack(const struct config_jack *j, FILE *f)
{
	fprintf(f, "\n[jack %s]\ndevice = %u\ntype = %s\nconnected = %s\nremap = %s\nport = %s\n"
		"connector = %s\nlocation = %s\ncolour = %s\n", j->name, (unsigned)j->group,
		pin_word(PIN_TYPE, j->type), j->connected ? "yes" : "no", j->remap ? "yes" : "no",
		pin_word(PIN_PORT, j->port), pin_word(PIN_CONNECTOR, j->connector),
		pin_word(PIN_LOCATION, j->location), pin_word(PIN_COLOUR, j->colour));
}

static void print_chmap(const struct config_chmap *m, FILE *f)
{
	fprintf(f, "\n[chmap %s]\ndevice = %u\ndirection = %s\npositions =", m->name,
		(unsigned)m->group, direction_word(m->direction));
	for (unsigned i = 0; i < m->channels; i++)
		fprintf(f, " %s", vsnd_position_name(m->positions[i]));
	fputs("\n", f);
}

void config_print(const struct config *c, FILE *f)
{
	fprintf(f, "[device]\nauto-jacks = no\nauto-maps = no\ncontrols = %s\n",
		c->controls ? "yes" : "no");
	for (unsigned i = 0; i < c->streams; i++)
		print_stream(&c->stream[i], f);
	for (unsigned i = 0; i < c->jacks; i++)
		print_jack(&c->jack[i], f);
	for (unsigned i = 0; i < c->chmaps; i++)
		print_chmap(&c->chmap[i], f);
}
