/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How loud a voice's stream is.  The guest's word goes by voice_wish to vsnd-pw and
 * into the stream's channelVolumes and mute, where the host's mixers show it; what a
 * user does there comes back as `heard` and service() to the device.
 *
 * Session managers give a new stream the volume that one of its name had before.
 * The guest's word is newer, so for the first moments it is said again.
 */
#include "audio/pipewire.h"

#include <spa/param/props.h>

#include "audio/os.h"

#define SETTLED_NS 500000000

/* Control thread. */
void volume_wish(struct vsnd_voice *v, const struct vsnd_volume *volume)
{
	pthread_mutex_lock(&v->audio->lock);
	v->wish.volume = *volume;
	if (++v->wish.volumes == 0)
		v->wish.volumes = 1;
	v->heard_new = false;
	pthread_mutex_unlock(&v->audio->lock);
	host_settle(v->audio);
}

static struct vsnd_stream *take_heard(struct vsnd_audio *a, struct vsnd_volume *ret)
{
	struct vsnd_stream *stream = NULL;

	pthread_mutex_lock(&a->lock);
	for (struct vsnd_voice *v = a->voices; v && !stream; v = v->next_known) {
		if (!v->heard_new || v->wish.closed)
			continue;
		v->heard_new = false;
		*ret = v->heard;
		stream = v->hosted.stream;
	}
	pthread_mutex_unlock(&a->lock);
	return stream;
}

/* Control thread, which alone closes voices: their streams are there. */
void volume_service(struct vsnd_audio *a)
{
	struct vsnd_stream *stream;
	struct vsnd_volume volume;

	while ((stream = take_heard(a, &volume)) != NULL)
		vsnd_voice_volume_changed(stream, &volume);
}

void volume_begin(struct vsnd_voice *v, int64_t now_ns)
{
	v->volume = (struct voice_volume){ .settled_ns = now_ns + SETTLED_NS };
}

/* The host's word, unless the guest has said something meanwhile. */
static void report(struct vsnd_voice *v)
{
	bool news;

	pthread_mutex_lock(&v->audio->lock);
	news = v->wish.volumes == v->volume.done;
	if (news) {
		v->heard = v->volume.now;
		v->heard_new = true;
	}
	pthread_mutex_unlock(&v->audio->lock);
	if (news)
		vsnd_audio_service(v->audio->dev);
}

/* False: nothing that is about the volume. */
static bool take_control(struct vsnd_volume *now, unsigned channels, uint32_t id,
		const struct pw_stream_control *control)
{
	if (id != SPA_PROP_channelVolumes && id != SPA_PROP_mute)
		return false;
	if (id == SPA_PROP_mute)
		now->mute = control->n_values > 0 && control->values[0] > 0;
	now->channels = channels;
	/* One value is for all. */
	for (uint32_t i = 0; id == SPA_PROP_channelVolumes && i < channels; i++) {
		if (control->n_values > 0)
			now->gain[i] = control->values[i < control->n_values ? i : control->n_values - 1];
	}
	return true;
}

void volume_on_control(struct vsnd_voice *v, uint32_t id, const struct pw_stream_control *control)
{
	struct voice_volume *volume = &v->volume;

	if (!v->hosted.params.has_volume ||
			!take_control(&volume->now, v->hosted.params.channels, id, control))
		return;
	volume->known = volume->known || id == SPA_PROP_channelVolumes;
	if (volume->setting)
		return;
	if (volume->done && audio_now_ns() >= volume->settled_ns) {
		report(v);
		return;
	}
	volume->done = 0;
	host_settle(v->audio);
}

void volume_settle(struct vsnd_voice *v, const struct voice_wish *wish)
{
	struct vsnd_volume volume = wish->volume;
	float mute = volume.mute ? 1 : 0;

	if (!v->stream || !v->volume.known || v->volume.done == wish->volumes)
		return;
	v->volume.setting = true;
	pw_stream_set_control(v->stream, SPA_PROP_channelVolumes, volume.channels, volume.gain,
		SPA_PROP_mute, 1, &mute, 0);
	v->volume.setting = false;
	v->volume.done = wish->volumes;
}
