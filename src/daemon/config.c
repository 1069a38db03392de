/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading a configuration.
 *
 * inih splits the lines.  It tells neither line numbers nor sections without a key,
 * so its reader is ours: it hands over one line at a time, without the blanks at
 * its begin (which would make it go on from the line before), and opens sections
 * itself.  Keys are a table of functions; all say why they refuse.
 */
#include "daemon/config.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/pin.h"

#define BLANKS " \t\r\n"
#define BIT(n) (1u << (n))

enum section {
	SECTION_NONE,
	SECTION_DEVICE,
	SECTION_STREAM,
	SECTION_JACK,
	SECTION_CHMAP,
	SECTION_AUDIO,
	SECTIONS
};

static const char *const section_names[SECTIONS] = {
	[SECTION_DEVICE] = "device",
	[SECTION_STREAM] = "stream",
	[SECTION_JACK] = "jack",
	[SECTION_CHMAP] = "chmap",
	[SECTION_AUDIO] = "audio",
};

struct parser {
	struct config *c;
	const char *text, *end;
	unsigned line;
	enum section section;
	unsigned seen;		/* keys of this section, as bits of the table */
	bool had_device, had_audio, failed;
	struct config_error *error;
};

bool config_fail(struct config_error *error, unsigned line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, ap);
	va_end(ap);
	error->line = line;
	return false;
}

/* Sections. */

static bool add_stream(struct parser *p, struct config *c)
{
	if (c->streams == VSND_STREAMS_MAX)
		return config_fail(p->error, p->line, "more than %d streams", VSND_STREAMS_MAX);
	c->stream[c->streams] = (struct config_stream){
		.line = p->line,
		.group = c->streams % CONFIG_GROUPS_MAX,
	};
	c->streams++;
	return true;
}

static bool add_jack(struct parser *p, struct config *c)
{
	if (c->jacks == VSND_JACKS_MAX)
		return config_fail(p->error, p->line, "more than %d jacks", VSND_JACKS_MAX);
	pin_init(&c->jack[c->jacks], 0);
	c->jack[c->jacks++].line = p->line;
	return true;
}

static bool add_chmap(struct parser *p, struct config *c)
{
	if (c->chmaps == VSND_CHMAPS_MAX)
		return config_fail(p->error, p->line, "more than %d maps", VSND_CHMAPS_MAX);
	c->chmap[c->chmaps++] = (struct config_chmap){ .line = p->line };
	return true;
}

static char *name_of(struct config *c, enum section section, unsigned i)
{
	if (section == SECTION_STREAM)
		return i < c->streams ? c->stream[i].name : NULL;
	if (section == SECTION_JACK)
		return i < c->jacks ? c->jack[i].name : NULL;
	return i < c->chmaps ? c->chmap[i].name : NULL;
}

/* A new one of a section that has a name. */
static bool open_named(struct parser *p, const char *name)
{
	bool (*const add[SECTIONS])(struct parser *p, struct config *c) = {
		[SECTION_STREAM] = add_stream,
		[SECTION_JACK] = add_jack,
		[SECTION_CHMAP] = add_chmap,
	};
	char *other, *own = NULL;

	if (!*name || strlen(name) >= CONFIG_NAME_MAX ||
			name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"0123456789._-")])
		return config_fail(p->error, p->line, "[%s] needs a name of letters, digits and "
			"._-, at most %d", section_names[p->section], CONFIG_NAME_MAX - 1);
	for (unsigned i = 0; (other = name_of(p->c, p->section, i)); i++) {
		if (strcmp(other, name) == 0)
			return config_fail(p->error, p->line, "[%s %s] is there already",
				section_names[p->section], name);
	}
	if (!add[p->section](p, p->c))
		return false;
	for (unsigned i = 0; (other = name_of(p->c, p->section, i)); i++)
		own = other;
	snprintf(own, CONFIG_NAME_MAX, "%s", name);
	return true;
}

static bool open_unnamed(struct parser *p, bool *had)
{
	if (*had)
		return config_fail(p->error, p->line, "[%s] is there already",
			section_names[p->section]);
	*had = true;
	return true;
}

/* @line is "[...".  What is behind the bracket may be a comment. */
static bool open_section(struct parser *p, const char *line)
{
	char word[CONFIG_LINE_MAX], *name;
	const char *end = strchr(line, ']');

	if (!end || (end[1 + strspn(end + 1, BLANKS)] &&
			!strchr(";#", end[1 + strspn(end + 1, BLANKS)])))
		return config_fail(p->error, p->line, "a section is [NAME]");
	snprintf(word, sizeof(word), "%.*s", (int)(end - line - 1), line + 1);
	name = word + strcspn(word, " ");
	if (*name)
		*name++ = '\0';
	p->seen = 0;
	for (p->section = SECTION_DEVICE; p->section < SECTIONS; p->section++) {
		if (strcmp(word, section_names[p->section]) == 0)
			break;
	}
	if (p->section == SECTIONS)
		return config_fail(p->error, p->line, "there is no section [%.40s]", word);
	if (p->section != SECTION_DEVICE && p->section != SECTION_AUDIO)
		return open_named(p, name);
	if (*name)
		return config_fail(p->error, p->line, "[%s] has no name", word);
	return open_unnamed(p, p->section == SECTION_DEVICE ? &p->had_device : &p->had_audio);
}

/* Values. */

static bool bad(struct parser *p, const char *value, const char *why)
{
	return config_fail(p->error, p->line, "'%.60s': %s", value, why);
}

static bool set_number(struct parser *p, const char *value, unsigned min, unsigned max,
		unsigned *ret)
{
	size_t len = strspn(value, "0123456789");
	unsigned long n = len > 0 && len < 6 && !value[len] ? strtoul(value, NULL, 10) : max + 1ul;

	if (n < min || n > max)
		return config_fail(p->error, p->line, "'%.60s': not a number from %u to %u", value,
			min, max);
	*ret = (unsigned)n;
	return true;
}

static bool set_bool(struct parser *p, const char *value, bool *ret)
{
	*ret = strcmp(value, "yes") == 0;
	return *ret || strcmp(value, "no") == 0 || bad(p, value, "neither yes nor no");
}

static bool set_auto(struct parser *p, const char *value, enum config_auto *ret)
{
	bool yes;

	if (!set_bool(p, value, &yes))
		return false;
	*ret = yes ? CONFIG_AUTO_YES : CONFIG_AUTO_NO;
	return true;
}

static bool set_direction(struct parser *p, const char *value, uint8_t *ret)
{
	*ret = strcmp(value, "input") == 0 ? VSND_INPUT : VSND_OUTPUT;
	return *ret == VSND_INPUT || strcmp(value, "output") == 0 ||
		bad(p, value, "neither output nor input");
}

/* Where the keys that several sections have are kept. */
static uint32_t *group_of(struct parser *p)
{
	if (p->section == SECTION_STREAM)
		return &p->c->stream[p->c->streams - 1].group;
	if (p->section == SECTION_JACK)
		return &p->c->jack[p->c->jacks - 1].group;
	return &p->c->chmap[p->c->chmaps - 1].group;
}

static struct offer *offer_of(struct parser *p)
{
	if (p->section == SECTION_STREAM)
		return &p->c->stream[p->c->streams - 1].offer;
	p->c->offer_line = p->line;
	return &p->c->offer;
}

static bool key_group(struct parser *p, const char *value)
{
	unsigned n = 0;

	if (!set_number(p, value, 0, CONFIG_GROUPS_MAX - 1, &n))
		return false;
	*group_of(p) = n;
	return true;
}

static bool key_direction(struct parser *p, const char *value)
{
	return set_direction(p, value, p->section == SECTION_STREAM
		? &p->c->stream[p->c->streams - 1].direction
		: &p->c->chmap[p->c->chmaps - 1].direction);
}

static bool key_offer(struct parser *p, const char *value,
		const char *(*set)(struct offer *o, const char *text))
{
	const char *why = set(offer_of(p), value);

	return !why || bad(p, value, why);
}

static bool key_formats(struct parser *p, const char *value)
{
	return key_offer(p, value, offer_set_formats);
}

static bool key_rates(struct parser *p, const char *value)
{
	return key_offer(p, value, offer_set_rates);
}

static bool key_channels(struct parser *p, const char *value)
{
	return key_offer(p, value, offer_set_channels);
}

static bool key_profile(struct parser *p, const char *value)
{
	p->c->simple = strcmp(value, "simple") == 0;
	return p->c->simple || strcmp(value, "default") == 0 ||
		bad(p, value, "neither default nor simple");
}

static bool key_streams(struct parser *p, const char *value)
{
	const char *why = streams_parse(value, &p->c->wanted);

	p->c->streams_line = p->line;
	return !why || bad(p, value, why);
}

static bool key_auto_jacks(struct parser *p, const char *value)
{
	return set_auto(p, value, &p->c->auto_jacks);
}

static bool key_auto_maps(struct parser *p, const char *value)
{
	return set_auto(p, value, &p->c->auto_maps);
}

static bool key_controls(struct parser *p, const char *value)
{
	return set_bool(p, value, &p->c->controls);
}

static bool set_text(struct parser *p, const char *value, char *ret, size_t size)
{
	if (strlen(value) >= size)
		return config_fail(p->error, p->line, "longer than %zu bytes", size - 1);
	memcpy(ret, value, strlen(value) + 1);
	return *value || bad(p, value, "nothing is there");
}

static bool key_xrun_events(struct parser *p, const char *value)
{
	return set_auto(p, value, p->section == SECTION_STREAM
		? &p->c->stream[p->c->streams - 1].xrun_events : &p->c->xrun_events);
}

static bool key_target(struct parser *p, const char *value)
{
	struct config_stream *s = &p->c->stream[p->c->streams - 1];

	return set_text(p, value, s->target, sizeof(s->target));
}

static bool key_properties(struct parser *p, const char *value)
{
	struct config_stream *s = &p->c->stream[p->c->streams - 1];

	return set_text(p, value, s->properties, sizeof(s->properties));
}

static bool key_capture(struct parser *p, const char *value)
{
	return on_off_parse(value, &p->c->stream[p->c->streams - 1].capture) ||
		bad(p, value, "neither on nor off");
}

static bool key_remap(struct parser *p, const char *value)
{
	return set_bool(p, value, &p->c->jack[p->c->jacks - 1].remap);
}

static bool key_connected(struct parser *p, const char *value)
{
	return set_bool(p, value, &p->c->jack[p->c->jacks - 1].connected);
}

static bool jack_key(struct parser *p, const char *value, enum pin_field field, uint8_t *ret)
{
	int n = pin_value(field, value);

	if (n < 0)
		return bad(p, value, "there is no such word for this");
	*ret = (uint8_t)n;
	return true;
}

static bool key_type(struct parser *p, const char *value)
{
	return jack_key(p, value, PIN_TYPE, &p->c->jack[p->c->jacks - 1].type);
}

static bool key_port(struct parser *p, const char *value)
{
	return jack_key(p, value, PIN_PORT, &p->c->jack[p->c->jacks - 1].port);
}

static bool key_connector(struct parser *p, const char *value)
{
	return jack_key(p, value, PIN_CONNECTOR, &p->c->jack[p->c->jacks - 1].connector);
}

static bool key_location(struct parser *p, const char *value)
{
	return jack_key(p, value, PIN_LOCATION, &p->c->jack[p->c->jacks - 1].location);
}

static bool key_colour(struct parser *p, const char *value)
{
	return jack_key(p, value, PIN_COLOUR, &p->c->jack[p->c->jacks - 1].colour);
}

static bool key_positions(struct parser *p, const char *value)
{
	struct config_chmap *m = &p->c->chmap[p->c->chmaps - 1];
	const char *rest = value;
	char word[8];

	while (next_word(&rest, word, sizeof(word))) {
		int position = vsnd_position_from_name(word);

		if (position < 0)
			return config_fail(p->error, p->line, "'%s': there is no such position", word);
		if (m->channels == VSND_CHANNELS_MAX)
			return bad(p, value, "more than 18 positions");
		m->positions[m->channels++] = (uint8_t)position;
	}
	return m->channels > 0 || bad(p, value, "a position is needed");
}

static const struct key {
	enum section section;
	const char *name;
	bool (*set)(struct parser *p, const char *value);
} keys[] = {
	{ SECTION_DEVICE, "profile", key_profile },
	{ SECTION_DEVICE, "streams", key_streams },
	{ SECTION_DEVICE, "formats", key_formats },
	{ SECTION_DEVICE, "rates", key_rates },
	{ SECTION_DEVICE, "channels", key_channels },
	{ SECTION_DEVICE, "auto-jacks", key_auto_jacks },
	{ SECTION_DEVICE, "auto-maps", key_auto_maps },
	{ SECTION_DEVICE, "controls", key_controls },
	{ SECTION_DEVICE, "xrun-events", key_xrun_events },
	{ SECTION_STREAM, "device", key_group },
	{ SECTION_STREAM, "direction", key_direction },
	{ SECTION_STREAM, "formats", key_formats },
	{ SECTION_STREAM, "rates", key_rates },
	{ SECTION_STREAM, "channels", key_channels },
	{ SECTION_STREAM, "xrun-events", key_xrun_events },
	{ SECTION_STREAM, "target", key_target },
	{ SECTION_STREAM, "properties", key_properties },
	{ SECTION_STREAM, "capture", key_capture },
	{ SECTION_JACK, "device", key_group },
	{ SECTION_JACK, "type", key_type },
	{ SECTION_JACK, "connected", key_connected },
	{ SECTION_JACK, "remap", key_remap },
	{ SECTION_JACK, "port", key_port },
	{ SECTION_JACK, "connector", key_connector },
	{ SECTION_JACK, "location", key_location },
	{ SECTION_JACK, "colour", key_colour },
	{ SECTION_CHMAP, "device", key_group },
	{ SECTION_CHMAP, "direction", key_direction },
	{ SECTION_CHMAP, "positions", key_positions },
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))
_Static_assert(KEYS <= 32, "keys that were seen are kept in 32 bits");

/* Kept as text: the options know what they mean. */
static bool audio_key(struct parser *p, const char *name, const char *value)
{
	struct config *c = p->c;
	struct config_audio *a = &c->audio[c->audios];

	for (unsigned i = 0; i < c->audios; i++) {
		if (strcmp(c->audio[i].key, name) == 0)
			return config_fail(p->error, p->line, "%s is there already", name);
	}
	if (c->audios == CONFIG_AUDIO_MAX || strlen(name) >= sizeof(a->key))
		return config_fail(p->error, p->line, "[audio] has no '%.40s'", name);
	a->line = p->line;
	snprintf(a->key, sizeof(a->key), "%s", name);
	snprintf(a->value, sizeof(a->value), "%s", value);
	c->audios++;
	return true;
}

static bool set_key(struct parser *p, const char *name, const char *value)
{
	if (p->section == SECTION_NONE)
		return config_fail(p->error, p->line, "a [section] is needed first");
	if (p->section == SECTION_AUDIO)
		return audio_key(p, name, value);
	for (unsigned i = 0; i < KEYS; i++) {
		if (keys[i].section != p->section || strcmp(keys[i].name, name) != 0)
			continue;
		if (p->seen & BIT(i))
			return config_fail(p->error, p->line, "%s is there already", name);
		p->seen |= BIT(i);
		return keys[i].set(p, value);
	}
	return config_fail(p->error, p->line, "[%s] has no '%.40s'", section_names[p->section], name);
}

/* Lines. */

static int on_key(void *ctx, const char *section, const char *name, const char *value)
{
	struct parser *p = ctx;

	(void)section;
	if (!p->failed)
		p->failed = !set_key(p, name, value);
	return !p->failed;
}

/* The next line without its blanks.  False at the end, and for a line that is too long. */
static bool take_line(struct parser *p, char line[CONFIG_LINE_MAX])
{
	const char *end;
	size_t len;

	if (p->failed || p->text == p->end)
		return false;
	p->line++;
	end = memchr(p->text, '\n', (size_t)(p->end - p->text));
	len = (size_t)((end ? end : p->end) - p->text);
	if (len >= CONFIG_LINE_MAX) {
		p->failed = !config_fail(p->error, p->line, "longer than %d bytes",
			CONFIG_LINE_MAX - 1);
		return false;
	}
	memcpy(line, p->text, len);
	line[len] = '\0';
	while (len > 0 && strchr(BLANKS, line[len - 1]))
		line[--len] = '\0';
	p->text = end ? end + 1 : p->end;
	return true;
}

/* fgets() for inih. */
static char *read_line(char *str, int size, void *ctx)
{
	struct parser *p = ctx;
	char line[CONFIG_LINE_MAX];
	const char *begin;

	if (!take_line(p, line))
		return NULL;
	begin = line + strspn(line, BLANKS);
	if (*begin == '[')
		p->failed = !open_section(p, begin);
	if (p->failed)
		return NULL;
	snprintf(str, (size_t)size, "%s\n", begin);
	return str;
}

void config_init(struct config *c)
{
	*c = (struct config){ 0 };
}

bool config_parse(struct config *c, const char *text, size_t len, struct config_error *ret_error)
{
	struct parser p = { .c = c, .text = text, .end = text + len, .error = ret_error };
	int line;

	if (len > CONFIG_BYTES_MAX)
		return config_fail(ret_error, 0, "larger than %d bytes", CONFIG_BYTES_MAX);
	if (len > 0 && memchr(text, '\0', len))
		return config_fail(ret_error, 0, "has a byte 0");
	line = ini_parse_stream(read_line, &p, on_key, &p);
	if (p.failed)
		return false;
	if (line != 0)
		return config_fail(ret_error, line > 0 ? (unsigned)line : 0,
			"neither [section] nor key = value");
	return true;
}

bool config_read(struct config *c, const char *path, struct config_error *ret_error)
{
	static char text[CONFIG_BYTES_MAX + 1];
	FILE *f = fopen(path, "re");
	size_t len;

	if (!f)
		return config_fail(ret_error, 0, "%s", strerror(errno));
	errno = 0;
	len = fread(text, 1, sizeof(text), f);
	if (ferror(f)) {
		config_fail(ret_error, 0, "%s", strerror(errno));
		fclose(f);
		return false;
	}
	fclose(f);
	return config_parse(c, text, len, ret_error);
}
