/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether there is a PipeWire server: for `--audio=auto`, before there is a device. */
#include <pipewire/pipewire.h>

#include "audio/audio.h"

#define ANSWER_MS 1000

struct question {
	struct pw_main_loop *loop;
	bool answered;
};

static void on_info(void *data, const struct pw_core_info *info)
{
	struct question *q = data;

	(void)info;
	q->answered = true;
	pw_main_loop_quit(q->loop);
}

static const struct pw_core_events core_events = {
	.version = PW_VERSION_CORE_EVENTS,
	.info = on_info,
};

static void on_timeout(void *data, uint64_t expirations)
{
	struct question *q = data;

	(void)expirations;
	pw_main_loop_quit(q->loop);
}

static void ask(struct question *q, struct pw_context *context)
{
	struct pw_loop *l = pw_main_loop_get_loop(q->loop);
	struct timespec limit = { .tv_sec = ANSWER_MS / 1000, .tv_nsec = 1 };
	struct spa_source *timer = pw_loop_add_timer(l, on_timeout, q);
	struct pw_core *core = pw_context_connect(context, NULL, 0);
	struct spa_hook listener;

	if (core && timer) {
		pw_core_add_listener(core, &listener, &core_events, q);
		pw_loop_update_timer(l, timer, &limit, NULL, false);
		pw_main_loop_run(q->loop);
		spa_hook_remove(&listener);
	}
	if (core)
		pw_core_disconnect(core);
	if (timer)
		pw_loop_destroy_source(l, timer);
}

bool audio_pipewire_answers(const struct audio_host_config *config)
{
	struct question q = { .answered = false };
	struct pw_context *context;

	(void)config;
	pw_init(NULL, NULL);
	q.loop = pw_main_loop_new(NULL);
	context = q.loop ? pw_context_new(pw_main_loop_get_loop(q.loop), NULL, 0) : NULL;
	if (context) {
		ask(&q, context);
		pw_context_destroy(context);
	}
	if (q.loop)
		pw_main_loop_destroy(q.loop);
	pw_deinit();
	return q.answered;
}
