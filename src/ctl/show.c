/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables.  A member that is missing, as an older or newer daemon may have it, is
 * shown as a dash or as nothing: status displays are not the place to fail.
 */
#include "ctl/show.h"

#include <stdbool.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "-";
}

static long long integer_of(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

static bool flag_of(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static const char *unless(const json_t *object, const char *key, const char *no, const char *yes)
{
	return flag_of(object, key) ? yes : no;
}

static void show_front_end(const json_t *s, FILE *f)
{
	fprintf(f, "front-end   %s", unless(s, "connected", "none", "connected"));
	if (flag_of(s, "connected"))
		fprintf(f, ", %s, %lld requests, %lld refused",
			unless(s, "live", "guest's driver is not up", "guest's driver is up"),
			integer_of(s, "requests"), integer_of(s, "refused"));
	fprintf(f, "; %lld sessions so far\n", integer_of(s, "sessions"));
}

static void show_guest(const json_t *s, FILE *f)
{
	fprintf(f, "guest       %lld requests, %lld refused\n", integer_of(s, "requests"),
		integer_of(s, "refused"));
}

/* The parameters, in one word for each column. */
static void show_parameters(const json_t *s, FILE *f)
{
	char format[32] = "-", sizes[32] = "-", latency[32] = "-";

	if (json_object_get(s, "format")) {
		snprintf(format, sizeof(format), "%s/%lld/%lld", text_of(s, "format"),
			integer_of(s, "rate"), integer_of(s, "channels"));
		snprintf(sizes, sizeof(sizes), "%lld/%lld", integer_of(s, "period_frames"),
			integer_of(s, "buffer_frames"));
		snprintf(latency, sizeof(latency), "%.1f",
			json_number_value(json_object_get(s, "latency_ms")));
	}
	fprintf(f, " %-16s %10s %6s", format, sizes, latency);
}

static void show_volume(const json_t *s, FILE *f)
{
	char volume[16];

	snprintf(volume, sizeof(volume), "%.1f",
		json_number_value(json_object_get(s, "volume_db")));
	fprintf(f, " %6s", !flag_of(s, "allowed") ? "denied" : flag_of(s, "mute") ? "mute" : volume);
}

static int longest_name(const json_t *streams)
{
	int longest = 10;
	const json_t *s;
	size_t i;

	json_array_foreach(streams, i, s) {
		int len = (int)strlen(text_of(s, "name"));

		longest = len > longest ? len : longest;
	}
	return longest;
}

static void show_stream(const json_t *s, int name_width, FILE *f)
{
	bool output = strcmp(text_of(s, "direction"), "output") == 0;

	fprintf(f, "%6lld %-*s %-3s %-8s", integer_of(s, "number"), name_width, text_of(s, "name"),
		output ? "out" : "in", text_of(s, "state"));
	show_volume(s, f);
	show_parameters(s, f);
	fprintf(f, " %10lld %8lld %8lld %5lld %5lld\n", integer_of(s, "frames"),
		integer_of(s, "discarded"), integer_of(s, "silence"), integer_of(s, "xruns"),
		integer_of(s, "errors"));
}

static void show_streams(const json_t *streams, FILE *f)
{
	int name_width = longest_name(streams);
	const json_t *s;
	size_t i;

	if (json_array_size(streams) == 0)
		return;
	fprintf(f, "\nstream %-*s %-3s %-8s %6s %-16s %10s %6s %10s %8s %8s %5s %5s\n", name_width, "",
		"", "", "dB", "format", "buffer", "ms", "frames", "dropped", "silence", "xruns", "error");
	json_array_foreach(streams, i, s)
		show_stream(s, name_width, f);
}

void show_jack(const json_t *jack, FILE *f)
{
	fprintf(f, "%6lld %-10s %s\n", integer_of(jack, "number"), text_of(jack, "name"),
		unless(jack, "connected", "unplugged", "plugged"));
}

static void show_value(const json_t *value, FILE *f)
{
	if (json_is_boolean(value))
		fprintf(f, " %s", json_is_true(value) ? "on" : "off");
	else
		fprintf(f, " %lld", (long long)json_integer_value(value));
}

static void show_db(const json_t *db, FILE *f)
{
	const json_t *value;
	size_t i;

	if (!db)
		return;
	fputs(" (", f);
	json_array_foreach(db, i, value) {
		if (i > 0)
			fputc(' ', f);
		if (json_is_null(value))
			fputs("silent", f);
		else
			fprintf(f, "%.2f", json_number_value(value));
	}
	fputs(" dB)", f);
}

void show_element(const json_t *element, FILE *f)
{
	const json_t *value;
	char name[64];
	size_t i;

	if (integer_of(element, "index") > 0)
		snprintf(name, sizeof(name), "%s,%lld", text_of(element, "name"),
			integer_of(element, "index"));
	else
		snprintf(name, sizeof(name), "%s", text_of(element, "name"));
	fprintf(f, "%6lld %-26s", integer_of(element, "number"), name);
	json_array_foreach(json_object_get(element, "values"), i, value)
		show_value(value, f);
	show_db(json_object_get(element, "db"), f);
	fputc('\n', f);
}

static void show_items(const char *title, const json_t *items,
		void (*show)(const json_t *item, FILE *f), FILE *f)
{
	const json_t *item;
	size_t i;

	if (json_array_size(items) == 0)
		return;
	fprintf(f, "\n%s\n", title);
	json_array_foreach(items, i, item)
		show(item, f);
}

void show_status(const json_t *status, FILE *f)
{
	const json_t *audio = json_object_get(status, "audio");

	fprintf(f, "daemon      vhost-user-snd %s\n", text_of(status, "version"));
	fprintf(f, "audio       %s, %s\n", text_of(audio, "backend"),
		unless(audio, "connected", "the host is away", "connected"));
	show_front_end(json_object_get(status, "front_end"), f);
	show_guest(json_object_get(status, "guest"), f);
	show_streams(json_object_get(status, "streams"), f);
	show_items("  jack", json_object_get(status, "jacks"), show_jack, f);
	show_items("control", json_object_get(status, "controls"), show_element, f);
}
