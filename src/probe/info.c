/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * info: the device's own description, in words or as JSON.
 *
 * It is collected as one JSON value; the words are printed from that, so the
 * two can never differ.
 */
#include "probe/info.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "probe/info_controls.h"
#include "probe/names.h"
#include "probe/report.h"
#include "probe/session.h"
#include "probe/sound.h"

static json_t *names_of(uint64_t mask, const char *(*name)(unsigned bit))
{
	json_t *a = json_array();

	for (unsigned i = 0; i < 64; i++)
		if (mask & BIT(i))
			json_array_append_new(a, json_string(name(i)));
	return a;
}

static const char *format_name(unsigned bit)
{
	return bit < PCM_FORMATS ? pcm_formats[bit].name : "undefined";
}

static const char *pcm_feature_name(unsigned bit)
{
	return bit < 5 ? pcm_features[bit] : "undefined";
}

static json_t *rates_of(uint64_t mask)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < 64; i++)
		if (mask & BIT(i))
			json_array_append_new(a, json_integer(i < PCM_RATES ? pcm_rates[i] : 0));
	return a;
}

static json_t *hex(uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, v);
	return json_string(text);
}

static json_t *jack_json(const struct jack_info *j)
{
	return json_pack("{s:I s:b s:b s:o s:o s:s s:s s:s s:s s:s s:i s:i}", "nid",
		(json_int_t)j->nid, "connected", j->connected, "remap", (int)(j->features & 1),
		"defconf", hex(j->defconf), "caps", hex(j->caps), "device", hda_device(j->defconf),
		"connector", hda_connection(j->defconf), "colour", hda_colour(j->defconf), "place",
		hda_place(j->defconf), "port", hda_port(j->defconf), "association",
		(int)(j->defconf >> 4 & 15), "sequence", (int)(j->defconf & 15));
}

static const char *direction_name(uint8_t direction)
{
	return direction == SND_D_OUTPUT ? "output" : direction == SND_D_INPUT ? "input"
										: "undefined";
}

static json_t *stream_json(const struct pcm_info *p)
{
	return json_pack("{s:I s:s s:i s:i s:o s:o s:o}", "nid", (json_int_t)p->nid, "direction",
		direction_name(p->direction), "channels_min", p->channels_min, "channels_max",
		p->channels_max, "formats", names_of(p->formats, format_name), "rates",
		rates_of(p->rates), "features", names_of(p->features, pcm_feature_name));
}

static json_t *chmap_json(const struct chmap_info *c)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < c->channels && i < CHMAP_CHANNELS; i++)
		json_array_append_new(a, json_string(position_name(c->positions[i])));
	return json_pack("{s:I s:s s:i s:o}", "nid", (json_int_t)c->nid, "direction",
		direction_name(c->direction), "channels", c->channels, "positions", a);
}

static int collect_items(struct sound *s, json_t *root)
{
	json_t *jacks = json_array(), *streams = json_array(), *chmaps = json_array();
	int err = 0;

	json_object_set_new(root, "jacks", jacks);
	json_object_set_new(root, "streams", streams);
	json_object_set_new(root, "chmaps", chmaps);
	for (uint32_t i = 0; i < s->counts.jacks && !err; i++) {
		struct jack_info j;

		err = sound_jack_info(s, i, &j);
		if (!err)
			json_array_append_new(jacks, jack_json(&j));
	}
	for (uint32_t i = 0; i < s->counts.streams && !err; i++) {
		struct pcm_info p;

		err = sound_pcm_info(s, i, &p);
		if (!err)
			json_array_append_new(streams, stream_json(&p));
	}
	for (uint32_t i = 0; i < s->counts.chmaps && !err; i++) {
		struct chmap_info c;

		err = sound_chmap_info(s, i, &c);
		if (!err)
			json_array_append_new(chmaps, chmap_json(&c));
	}
	return err ? err : info_collect_controls(s, root);
}

static json_t *collect_device(struct sound *s)
{
	const struct frontend *fe = &s->fe;

	return json_pack("{s:s s:o s:o s:o s:o s:o s:o s:I s:I s:{s:i s:I s:I s:I s:I}}",
		"front_end", fe->who->name, "features", hex(fe->features_offered), "feature_names",
		names_of(fe->features_offered, virtio_feature_name), "acknowledged",
		names_of(fe->features, virtio_feature_name), "protocol_features",
		hex(fe->protocol_offered), "protocol_feature_names",
		names_of(fe->protocol_offered, protocol_feature_name), "protocol_acknowledged",
		names_of(fe->protocol, protocol_feature_name), "queues",
		(json_int_t)fe->queues_offered, "memory_slots", (json_int_t)fe->slots_offered,
		"config", "bytes", (int)s->config_bytes, "jacks", (json_int_t)s->counts.jacks,
		"streams", (json_int_t)s->counts.streams, "chmaps", (json_int_t)s->counts.chmaps,
		"controls", (json_int_t)s->counts.controls);
}

/* Words. */

static void print_list(const char *label, const json_t *list)
{
	size_t i;
	json_t *v;

	printf("%s", label);
	json_array_foreach(list, i, v) {
		if (json_is_string(v))
			printf(" %s", json_string_value(v));
		else
			printf(" %" JSON_INTEGER_FORMAT, json_integer_value(v));
	}
	printf("%s\n", json_array_size(list) ? "" : " none");
}

static const char *text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static long long integer(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void print_jack(size_t i, const json_t *j)
{
	printf("jack %zu: %s, %s, %s\n", i, text(j, "device"),
		json_is_true(json_object_get(j, "connected")) ? "connected" : "disconnected",
		json_is_true(json_object_get(j, "remap")) ? "may be remapped" : "fixed");
	printf("    nid %lld, defconf %s: %s, %s, place %s, %s, association %lld sequence %lld\n",
		integer(j, "nid"), text(j, "defconf"), text(j, "connector"), text(j, "colour"),
		text(j, "place"), text(j, "port"), integer(j, "association"),
		integer(j, "sequence"));
	printf("    caps %s\n", text(j, "caps"));
}

static void print_stream(size_t i, const json_t *p)
{
	printf("stream %zu: %s, %lld to %lld channels, nid %lld\n", i, text(p, "direction"),
		integer(p, "channels_min"), integer(p, "channels_max"), integer(p, "nid"));
	print_list("    formats ", json_object_get(p, "formats"));
	print_list("    rates   ", json_object_get(p, "rates"));
	print_list("    features", json_object_get(p, "features"));
}

static void print_chmap(size_t i, const json_t *c)
{
	printf("chmap %zu: %s, %lld channels, nid %lld\n", i, text(c, "direction"),
		integer(c, "channels"), integer(c, "nid"));
	print_list("    positions", json_object_get(c, "positions"));
}

static void print_each(const json_t *root, const char *key, void (*print)(size_t, const json_t *))
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(root, key), i, v)
		print(i, v);
}

static void print_words(const json_t *root)
{
	const json_t *config = json_object_get(root, "config");

	printf("features %s\n", text(root, "features"));
	print_list("    offered     ", json_object_get(root, "feature_names"));
	print_list("    acknowledged", json_object_get(root, "acknowledged"));
	printf("protocol features %s\n", text(root, "protocol_features"));
	print_list("    offered     ", json_object_get(root, "protocol_feature_names"));
	print_list("    acknowledged", json_object_get(root, "protocol_acknowledged"));
	printf("queues %lld, memory slots %lld\n", integer(root, "queues"),
		integer(root, "memory_slots"));
	printf("config space of %lld bytes: jacks %lld, streams %lld, chmaps %lld",
		integer(config, "bytes"), integer(config, "jacks"), integer(config, "streams"),
		integer(config, "chmaps"));
	if (integer(config, "bytes") >= 16)
		printf(", controls %lld", integer(config, "controls"));
	printf("\n");
	print_each(root, "jacks", print_jack);
	print_each(root, "streams", print_stream);
	print_each(root, "chmaps", print_chmap);
	print_each(root, "controls", info_print_control);
}

static int run(struct sound *s, const struct options *o)
{
	json_t *root = collect_device(s);
	const char *fault;
	int err;

	if (!root)
		return complain(-EPROTO, "the device's description cannot be written as JSON");
	err = collect_items(s, root);
	if (!err && sound_faults(s, &fault))
		err = complain(-EPROTO, "%s", fault);
	if (o->json) {
		json_dumpf(root, stdout, JSON_INDENT(2));
		printf("\n");
	} else {
		print_words(root);
	}
	json_decref(root);
	return err;
}

int info_command(const struct options *o)
{
	return session_run(o, run);
}
