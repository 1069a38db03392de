/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's sound cards, as far as the guest's jacks follow their plugs.  vsnd-pw.
 *
 * From a jack to a plug: the jack's function group and direction have a stream, whose
 * target (its own, or the default one that the metadata name) is a node, which belongs
 * to a card, whose routes tell (routes.h).  Whatever of this changes, all jacks are
 * looked at a moment later, as changes come in bunches.  A jack is told of what
 * changes, so what somebody else has said of it holds until then.
 *
 * The tables have as many places as any desktop needs; what does not fit is not seen.
 */
#include "audio/pipewire.h"

#include <stdlib.h>
#include <string.h>

#include <pipewire/extensions/metadata.h>
#include <spa/param/route.h>
#include <spa/pod/parser.h>
#include <spa/utils/json.h>

#include "audio/os.h"
#include "audio/routes.h"

#define CARDS_MAX 32
#define NODES_MAX 128
#define NAME_BYTES 128
#define LOOK_NS 50000000

struct card {
	struct cards *cards;
	uint32_t id;
	struct pw_device *device;	/* NULL: no card */
	struct spa_hook listener;
	unsigned routes;
	struct route route[ROUTES_MAX];
};

struct node {
	bool there;
	uint8_t direction;
	uint32_t id, card;
	char name[NAME_BYTES], serial[24];
};

struct cards {
	struct vsnd_audio *audio;
	struct pw_registry *registry;	/* NULL: no connection */
	struct spa_hook listener;
	uint32_t metadata_id;
	struct pw_metadata *metadata;	/* or NULL */
	struct spa_hook metadata_listener;
	char default_name[2][NAME_BYTES];	/* by direction */
	struct card card[CARDS_MAX];
	struct node node[NODES_MAX];
	int64_t look_ns;		/* when to look at the jacks; PW_NEVER_NS */
	enum plug told[VSND_JACKS_MAX];
};

static void look_soon(struct cards *c)
{
	c->look_ns = audio_now_ns() + LOOK_NS;
	host_settle(c->audio);
}

/* @info is Struct(Int n, (String key, String value) * n). */
static bool info_is_headphone(const struct spa_pod *info)
{
	struct spa_pod_parser parser;
	struct spa_pod_frame frame;
	int32_t items;

	if (!info)
		return false;
	spa_pod_parser_pod(&parser, info);
	if (spa_pod_parser_push_struct(&parser, &frame) < 0 ||
			spa_pod_parser_get_int(&parser, &items) < 0)
		return false;
	for (int32_t i = 0; i < items; i++) {
		const char *key, *value;

		if (spa_pod_parser_get_string(&parser, &key) < 0 ||
				spa_pod_parser_get_string(&parser, &value) < 0)
			return false;
		if (strcmp(key, "port.type") == 0)
			return routes_is_headphone(value);
	}
	return false;
}

static bool route_from(const struct spa_pod *param, struct route *ret)
{
	uint32_t direction, available = SPA_PARAM_AVAILABILITY_unknown;
	struct spa_pod *info = NULL;

	if (spa_pod_parse_object(param, SPA_TYPE_OBJECT_ParamRoute, NULL,
			SPA_PARAM_ROUTE_direction, SPA_POD_Id(&direction),
			SPA_PARAM_ROUTE_available, SPA_POD_OPT_Id(&available),
			SPA_PARAM_ROUTE_info, SPA_POD_OPT_Pod(&info)) < 0)
		return false;
	*ret = (struct route){
		.direction = direction == SPA_DIRECTION_INPUT ? VSND_INPUT : VSND_OUTPUT,
		.headphone = info_is_headphone(info),
		.plug = available == SPA_PARAM_AVAILABILITY_no ? PLUG_NO
			: available == SPA_PARAM_AVAILABILITY_yes ? PLUG_YES : PLUG_UNKNOWN,
	};
	return true;
}

/*
 * A card says that it has other routes, and they are asked for: a subscription does not
 * get those of a card that another program has exported, as session managers do.
 */
static void on_card_info(void *data, const struct pw_device_info *info)
{
	struct card *card = data;

	if (!(info->change_mask & PW_DEVICE_CHANGE_MASK_PARAMS))
		return;
	for (uint32_t i = 0; i < info->n_params; i++) {
		if (info->params[i].id == SPA_PARAM_EnumRoute)
			pw_device_enum_params(card->device, 0, SPA_PARAM_EnumRoute, 0, UINT32_MAX, NULL);
	}
}

/* All routes come anew, from the first on. */
static void on_card_param(void *data, int seq, uint32_t id, uint32_t index, uint32_t next,
		const struct spa_pod *param)
{
	struct card *card = data;

	(void)seq, (void)next;
	if (id != SPA_PARAM_EnumRoute)
		return;
	if (index == 0)
		card->routes = 0;
	if (param && card->routes < ROUTES_MAX && route_from(param, &card->route[card->routes]))
		card->routes++;
	look_soon(card->cards);
}

static const struct pw_device_events card_events = {
	.version = PW_VERSION_DEVICE_EVENTS,
	.info = on_card_info,
	.param = on_card_param,
};

static void add_card(struct cards *c, uint32_t id, const char *type, uint32_t version)
{
	struct card *card = c->card;

	while (card < c->card + CARDS_MAX && card->device)
		card++;
	if (card == c->card + CARDS_MAX)
		return;
	*card = (struct card){ .cards = c, .id = id };
	card->device = pw_registry_bind(c->registry, id, type,
		version < PW_VERSION_DEVICE ? version : PW_VERSION_DEVICE, 0);
	if (card->device)
		pw_device_add_listener(card->device, &card->listener, &card_events, card);
}

static void drop_card(struct card *card)
{
	spa_hook_remove(&card->listener);
	pw_proxy_destroy((struct pw_proxy *)card->device);
	card->device = NULL;
}

static void copy(char *dst, size_t size, const struct spa_dict *props, const char *key)
{
	const char *value = spa_dict_lookup(props, key);

	snprintf(dst, size, "%s", value ? value : "");
}

static void add_node(struct cards *c, uint32_t id, const struct spa_dict *props, uint8_t direction)
{
	const char *card = spa_dict_lookup(props, PW_KEY_DEVICE_ID);
	struct node *n = c->node;

	while (n < c->node + NODES_MAX && n->there)
		n++;
	if (n == c->node + NODES_MAX)
		return;
	*n = (struct node){ .there = true, .direction = direction, .id = id };
	n->card = card ? (uint32_t)strtoul(card, NULL, 10) : SPA_ID_INVALID;
	copy(n->name, sizeof(n->name), props, PW_KEY_NODE_NAME);
	copy(n->serial, sizeof(n->serial), props, PW_KEY_OBJECT_SERIAL);
	look_soon(c);
}

/* @json is { "name": "…" }. */
static void name_from(const char *json, char ret[NAME_BYTES])
{
	struct spa_json all, object;
	char key[16];

	*ret = '\0';
	spa_json_init(&all, json, strlen(json));
	if (spa_json_enter_object(&all, &object) <= 0)
		return;
	while (spa_json_get_string(&object, key, sizeof(key)) > 0) {
		const char *skipped;

		if (strcmp(key, "name") == 0) {
			if (spa_json_get_string(&object, ret, NAME_BYTES) <= 0)
				*ret = '\0';
			return;
		}
		if (spa_json_next(&object, &skipped) <= 0)
			return;
	}
}

static int on_metadata(void *data, uint32_t subject, const char *key, const char *type,
		const char *value)
{
	static const char *const keys[] = {
		[VSND_OUTPUT] = "default.audio.sink",
		[VSND_INPUT] = "default.audio.source",
	};
	struct cards *c = data;

	(void)type;
	for (unsigned i = 0; subject == 0 && i < 2; i++) {
		if (!key || strcmp(key, keys[i]) == 0)
			name_from(key && value ? value : "", c->default_name[i]);
	}
	look_soon(c);
	return 0;
}

static const struct pw_metadata_events metadata_events = {
	.version = PW_VERSION_METADATA_EVENTS,
	.property = on_metadata,
};

static void add_metadata(struct cards *c, uint32_t id, const char *type)
{
	c->metadata = pw_registry_bind(c->registry, id, type, PW_VERSION_METADATA, 0);
	c->metadata_id = id;
	if (c->metadata)
		pw_metadata_add_listener(c->metadata, &c->metadata_listener, &metadata_events, c);
}

static void drop_metadata(struct cards *c)
{
	spa_hook_remove(&c->metadata_listener);
	pw_proxy_destroy((struct pw_proxy *)c->metadata);
	c->metadata = NULL;
}

static bool is(const struct spa_dict *props, const char *key, const char *wanted)
{
	const char *value = spa_dict_lookup(props, key);

	return value && strcmp(value, wanted) == 0;
}

static void on_global(void *data, uint32_t id, uint32_t permissions, const char *type,
		uint32_t version, const struct spa_dict *props)
{
	struct cards *c = data;

	(void)permissions;
	if (!props)
		return;
	if (strcmp(type, PW_TYPE_INTERFACE_Device) == 0 &&
			is(props, PW_KEY_MEDIA_CLASS, "Audio/Device"))
		add_card(c, id, type, version);
	else if (strcmp(type, PW_TYPE_INTERFACE_Metadata) == 0 &&
			is(props, PW_KEY_METADATA_NAME, "default") && !c->metadata)
		add_metadata(c, id, type);
	else if (strcmp(type, PW_TYPE_INTERFACE_Node) == 0 &&
			is(props, PW_KEY_MEDIA_CLASS, "Audio/Sink"))
		add_node(c, id, props, VSND_OUTPUT);
	else if (strcmp(type, PW_TYPE_INTERFACE_Node) == 0 &&
			is(props, PW_KEY_MEDIA_CLASS, "Audio/Source"))
		add_node(c, id, props, VSND_INPUT);
}

static void on_global_remove(void *data, uint32_t id)
{
	struct cards *c = data;

	for (unsigned i = 0; i < CARDS_MAX; i++) {
		if (c->card[i].device && c->card[i].id == id)
			drop_card(&c->card[i]);
	}
	for (unsigned i = 0; i < NODES_MAX; i++) {
		if (c->node[i].there && c->node[i].id == id)
			c->node[i].there = false;
	}
	if (c->metadata && c->metadata_id == id)
		drop_metadata(c);
}

static const struct pw_registry_events registry_events = {
	.version = PW_VERSION_REGISTRY_EVENTS,
	.global = on_global,
	.global_remove = on_global_remove,
};

static bool any_follows(const struct audio_host_config *config)
{
	for (unsigned i = 0; i < config->jacks; i++) {
		if (config->jack[i].follows)
			return true;
	}
	return false;
}

int cards_init(struct vsnd_audio *a)
{
	if (!any_follows(a->config))
		return 0;
	a->cards = calloc(1, sizeof(*a->cards));
	if (!a->cards)
		return -ENOMEM;
	a->cards->audio = a;
	a->cards->look_ns = PW_NEVER_NS;
	return 0;
}

void cards_free(struct vsnd_audio *a)
{
	free(a->cards);
}

void cards_begin(struct vsnd_audio *a)
{
	struct cards *c = a->cards;

	if (!c)
		return;
	c->registry = pw_core_get_registry(a->core, PW_VERSION_REGISTRY, 0);
	if (c->registry)
		pw_registry_add_listener(c->registry, &c->listener, &registry_events, c);
}

void cards_end(struct vsnd_audio *a)
{
	struct cards *c = a->cards;

	if (!c || !c->registry)
		return;
	for (unsigned i = 0; i < CARDS_MAX; i++) {
		if (c->card[i].device)
			drop_card(&c->card[i]);
	}
	if (c->metadata)
		drop_metadata(c);
	memset(c->node, 0, sizeof(c->node));
	memset(c->default_name, 0, sizeof(c->default_name));
	spa_hook_remove(&c->listener);
	pw_proxy_destroy((struct pw_proxy *)c->registry);
	c->registry = NULL;
	c->look_ns = PW_NEVER_NS;
}

/* The target of the first stream of a jack, or NULL. */
static const struct node *target_of(const struct cards *c, const struct audio_host_jack *jack)
{
	const struct audio_host_config *config = c->audio->config;
	const char *name = NULL;

	for (unsigned i = 0; i < config->streams && !name; i++) {
		const struct audio_host_stream *s = &config->stream[i];

		if (s->group == jack->group && s->direction == jack->direction)
			name = s->target ? s->target : c->default_name[jack->direction];
	}
	for (unsigned i = 0; name && *name && i < NODES_MAX; i++) {
		const struct node *n = &c->node[i];

		if (n->there && n->direction == jack->direction &&
				(strcmp(n->name, name) == 0 || strcmp(n->serial, name) == 0))
			return n;
	}
	return NULL;
}

static enum plug plug_of(const struct cards *c, const struct audio_host_jack *jack)
{
	const struct node *target = target_of(c, jack);

	for (unsigned i = 0; target && i < CARDS_MAX; i++) {
		const struct card *card = &c->card[i];

		if (card->device && card->id == target->card)
			return routes_plug(card->route, card->routes, jack->direction,
				jack->headphone);
	}
	return PLUG_UNKNOWN;
}

/* Tell the control thread of jack @i. */
static void tell(struct vsnd_audio *a, unsigned i, bool plugged)
{
	uint64_t bit = UINT64_C(1) << i;

	pthread_mutex_lock(&a->lock);
	a->jacks_changed |= bit;
	a->jacks_plugged = plugged ? a->jacks_plugged | bit : a->jacks_plugged & ~bit;
	pthread_mutex_unlock(&a->lock);
	vsnd_audio_service(a->dev);
}

int64_t cards_settle(struct vsnd_audio *a, int64_t now_ns)
{
	struct cards *c = a->cards;

	if (!c)
		return PW_NEVER_NS;
	if (now_ns < c->look_ns)
		return c->look_ns;
	c->look_ns = PW_NEVER_NS;
	for (unsigned i = 0; i < a->config->jacks; i++) {
		enum plug plug = PLUG_UNKNOWN;

		if (a->config->jack[i].follows)
			plug = plug_of(c, &a->config->jack[i]);
		if (plug != PLUG_UNKNOWN && plug != c->told[i])
			tell(a, i, plug == PLUG_YES);
		if (plug != PLUG_UNKNOWN)
			c->told[i] = plug;
	}
	return PW_NEVER_NS;
}

/* Control thread. */
void cards_service(struct vsnd_audio *a)
{
	uint64_t changed, plugged;

	pthread_mutex_lock(&a->lock);
	changed = a->jacks_changed;
	plugged = a->jacks_plugged;
	a->jacks_changed = 0;
	pthread_mutex_unlock(&a->lock);
	for (unsigned i = 0; changed; i++, changed >>= 1) {
		if (changed & 1)
			vsnd_jack_plug(a->dev, i, plugged >> i & 1);
	}
}
