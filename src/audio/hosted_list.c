/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/hosted_list.h"

void hosted_list_init(struct hosted_list *list, struct vsnd *dev)
{
	*list = (struct hosted_list){ .dev = dev };
}

void hosted_list_begin(struct hosted_list *list, int64_t now_ns)
{
	list->now_ns = now_ns;
	vsnd_cycle_begin(list->dev, now_ns);
}

int64_t hosted_list_end(struct hosted_list *list)
{
	int64_t after_ns = vsnd_cycle_end(list->dev);
	int64_t device_ns = after_ns < 0 ? TURNS_NEVER : list->now_ns + after_ns;
	int64_t voices_ns = hosted_list_due(list->voices);

	return device_ns < voices_ns ? device_ns : voices_ns;
}

int64_t hosted_list_turn(void *ctx, int64_t now_ns)
{
	struct hosted_list *list = ctx;

	hosted_list_begin(list, now_ns);
	for (struct hosted *h = list->voices; h; h = h->next) {
		const struct hosted_voice *v = (const struct hosted_voice *)h;

		if (!atomic_load_explicit(&v->there, memory_order_relaxed))
			hosted_lost(h, now_ns);
		hosted_turn(h, now_ns);
	}
	return hosted_list_end(list);
}

int hosted_voice_init(struct hosted_voice *v, struct hosted_list *list, struct vsnd_stream *stream,
		const struct vsnd_voice_params *params)
{
	v->list = list;
	atomic_init(&v->there, true);
	return hosted_init(&v->hosted, stream, params);
}

static void start_voice(void *arg)
{
	struct hosted_voice *v = arg;
	struct hosted_list *list = v->list;

	hosted_start(&v->hosted, list->now_ns, atomic_load(&v->there));
	hosted_enlist(&v->hosted, &list->voices);
}

static void stop_voice(void *arg)
{
	struct hosted_voice *v = arg;

	hosted_stop(&v->hosted);
	hosted_delist(&v->hosted);
}

static void flush_voice(void *arg)
{
	struct hosted_voice *v = arg;

	hosted_flush(&v->hosted, atomic_load(&v->there));
}

void hosted_voice_start(struct hosted_voice *v)
{
	vsnd_audio_call(v->list->dev, start_voice, v);
}

void hosted_voice_stop(struct hosted_voice *v)
{
	vsnd_audio_call(v->list->dev, stop_voice, v);
}

void hosted_voice_flush(struct hosted_voice *v)
{
	vsnd_audio_call(v->list->dev, flush_voice, v);
}
