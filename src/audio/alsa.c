/* SPDX-License-Identifier: BSD-3-Clause */
/* The back-end that plays and records through ALSA: what the device calls.  See alsa.h. */
#include "audio/alsa.h"

#include <errno.h>
#include <stdlib.h>

#include "audio/os.h"

/* How long closing waits for lines that are in ALSA. */
#define CLOSE_NS 500000000

static int alsa_open(struct vsnd *dev, const void *config, struct vsnd_audio **ret_audio)
{
	struct vsnd_audio *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	a->config = config;
	hosted_list_init(&a->list, dev);
	err = turns_create(hosted_list_turn, &a->list, &a->turns);
	if (err < 0) {
		free(a);
		return err;
	}
	turns_realtime(a->turns, &a->config->log);
	*ret_audio = a;
	return 0;
}

static void alsa_close(struct vsnd_audio *a)
{
	int64_t until_ns = audio_now_ns() + CLOSE_NS;
	struct alsa_line *l, *next;

	for (l = a->lines; l; l = l->next)
		alsa_line_end(l);
	for (l = a->lines; l; l = next) {
		next = l->next;
		alsa_line_destroy(l, until_ns);
	}
	turns_end(a->turns);
	turns_free(a->turns);
	free(a);
}

static void alsa_wake(struct vsnd_audio *a)
{
	turns_wake(a->turns);
}

static int find_line(struct vsnd_audio *a, unsigned stream, struct alsa_line **ret_line)
{
	struct alsa_line *l = a->lines;
	int err;

	while (l && l->stream != stream)
		l = l->next;
	if (!l) {
		err = alsa_line_create(a->config, stream, &l);
		if (err < 0)
			return err;
		l->next = a->lines;
		a->lines = l;
	}
	*ret_line = l;
	return 0;
}

static int alsa_voice_open(struct vsnd_audio *a, struct vsnd_stream *stream,
		const struct vsnd_voice_params *params, struct vsnd_voice **ret_voice)
{
	struct vsnd_voice *v;
	int err;

	if (alsa_format(params->format) == SND_PCM_FORMAT_UNKNOWN)
		return -EINVAL;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->turns = a->turns;
	atomic_init(&v->allowed, !params->denied);
	err = hosted_voice_init(&v->base, &a->list, stream, params);
	if (err == 0)
		err = find_line(a, params->stream, &v->line);
	if (err < 0) {
		hosted_free(&v->base.hosted);
		free(v);
		return err;
	}
	if (params->denied) {
		atomic_store(&v->base.there, false);
		audio_say_denied(&a->config->log, params, &a->said_denied[params->direction]);
	}
	alsa_line_serve(v->line, v);
	*ret_voice = v;
	return 0;
}

static void alsa_voice_start(struct vsnd_voice *v)
{
	atomic_store(&v->run, true);
	wake_up(&v->line->wake);
	hosted_voice_start(&v->base);
}

static void alsa_voice_stop(struct vsnd_voice *v)
{
	hosted_voice_stop(&v->base);
	atomic_store(&v->run, false);
	wake_up(&v->line->wake);
}

static void alsa_voice_flush(struct vsnd_voice *v)
{
	hosted_voice_flush(&v->base);
}

static void alsa_voice_close(struct vsnd_voice *v)
{
	alsa_line_release(v->line, v);
}

static void alsa_voice_allow(struct vsnd_voice *v, bool allowed)
{
	atomic_store(&v->allowed, allowed);
	wake_up(&v->line->wake);
}

/* Of the streams that were prepared so far; there is no server that could be asked. */
static bool alsa_connected(const struct vsnd_audio *a)
{
	int64_t now_ns = audio_now_ns();

	for (const struct alsa_line *l = a->lines; l; l = l->next) {
		if (!alsa_line_connected(l, now_ns))
			return false;
	}
	return true;
}

static const struct vsnd_audio_ops alsa_ops = {
	.name = "alsa",
	.open = alsa_open,
	.close = alsa_close,
	.wake = alsa_wake,
	.voice_open = alsa_voice_open,
	.voice_start = alsa_voice_start,
	.voice_stop = alsa_voice_stop,
	.voice_flush = alsa_voice_flush,
	.voice_close = alsa_voice_close,
	.voice_allow = alsa_voice_allow,
	.connected = alsa_connected,
};

const struct vsnd_audio_ops *const audio_alsa_ops = &alsa_ops;
