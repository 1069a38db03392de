/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A line for each event, and for an element the value that it has now.  Events come
 * in the middle of requests, too, so they are noted and told when there is time.
 */
#include "probe/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "probe/info_controls.h"
#include "probe/report.h"
#include "probe/session.h"

#define NOTED_MAX 1024u
#define TURN_NS	  100000000

struct watch {
	struct sound *s;
	bool json;
	struct {
		uint32_t code, data;
	} noted[NOTED_MAX];
	unsigned first, n;
	uint64_t lost;
};

static void note(void *ctx, uint32_t code, uint32_t data)
{
	struct watch *w = ctx;

	if (w->n == NOTED_MAX) {
		w->lost++;
		return;
	}
	w->noted[(w->first + w->n) % NOTED_MAX].code = code;
	w->noted[(w->first + w->n) % NOTED_MAX].data = data;
	w->n++;
}

static json_t *simple_event(const char *event, const char *key, uint32_t data)
{
	return json_pack("{s:s s:I}", "event", event, key, (json_int_t)data);
}

/* struct virtio_snd_ctl_event: the element in the lower half, what changed in the upper. */
static int control_event(struct sound *s, uint32_t data, json_t **ret)
{
	static const char *const changes[] = { "value", "info", "tlv" };
	uint32_t id = data & 0xffff;
	json_t *list = json_array(), *changed = json_array(), *control;
	int err = info_collect_control(s, id, list);

	for (unsigned i = 0; i < 3; i++)
		if (data >> (16 + i) & 1)
			json_array_append_new(changed, json_string(changes[i]));
	control = json_array_get(list, 0);
	*ret = json_pack("{s:s s:I s:o s:O? s:O?}", "event", "control", "control", (json_int_t)id,
		"changed", changed, "name", json_object_get(control, "name"), "values",
		json_object_get(control, "values"));
	json_decref(list);
	return err;
}

/* The event as JSON.  0 or negative errno with a complaint. */
static int event_json(struct sound *s, uint32_t code, uint32_t data, json_t **ret)
{
	switch (code) {
	case SND_EVT_JACK_CONNECTED:
		*ret = simple_event("jack connected", "jack", data);
		return 0;
	case SND_EVT_JACK_DISCONNECTED:
		*ret = simple_event("jack disconnected", "jack", data);
		return 0;
	case SND_EVT_PCM_PERIOD_ELAPSED:
		*ret = simple_event("period elapsed", "stream", data);
		return 0;
	case SND_EVT_PCM_XRUN:
		*ret = simple_event("xrun", "stream", data);
		return 0;
	case SND_EVT_CTL_NOTIFY:
		return control_event(s, data, ret);
	default:
		*ret = json_pack("{s:s s:I s:I}", "event", "unknown", "code", (json_int_t)code,
			"data", (json_int_t)data);
		return 0;
	}
}

static void print_value(const json_t *value)
{
	if (json_is_string(value))
		printf(" %s", json_string_value(value));
	else if (json_is_integer(value))
		printf(" %" JSON_INTEGER_FORMAT, json_integer_value(value));
	for (size_t i = 0; i < json_array_size(value); i++)
		print_value(json_array_get(value, i));
}

static void print_words(json_t *event)
{
	const char *key;
	json_t *value;

	printf("%s", json_string_value(json_object_get(event, "event")));
	json_object_foreach(event, key, value)
		if (strcmp(key, "event"))
			print_value(value);
}

static int tell(struct watch *w)
{
	json_t *event = NULL;
	int err = 0;

	while (w->n > 0 && !err) {
		unsigned i = w->first;

		w->first = (w->first + 1) % NOTED_MAX;
		w->n--;
		err = event_json(w->s, w->noted[i].code, w->noted[i].data, &event);
		if (w->json)
			json_dumpf(event, stdout, 0);
		else
			print_words(event);
		printf("\n");
		json_decref(event);
	}
	if (w->lost > 0)
		fprintf(stderr, "vsnd-probe: %" PRIu64 " events more than can be told\n", w->lost);
	w->lost = 0;
	fflush(stdout);
	return err;
}

static int run(struct sound *s, const struct options *o)
{
	static struct watch w;
	int err = 0;

	w = (struct watch){ .s = s, .json = o->json };
	s->event = note;
	s->event_ctx = &w;
	while (!err && !interrupted()) {
		err = sound_poll(s, TURN_NS);
		if (!err)
			err = tell(&w);
	}
	/* ^C is how it ends. */
	return interrupted() ? 0 : err;
}

int watch_command(const struct options *o)
{
	return session_run(o, run);
}
