/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How loud a voice's stream is.  The guest's word becomes the stream's volume at the
 * server, where the host's mixers show it; what a user does there is told by a
 * subscription and by service() to the device.
 *
 * A subscription says that something has changed, not what, so the stream is asked.
 * An answer to a question from before the guest's latest word is out of date; the
 * change that this word is brings another.
 */
#include "audio/pulse.h"

#include "audio/os.h"
#include "audio/pulse_format.h"

static bool is_input(const struct vsnd_voice *v)
{
	return v->hosted.params.direction == VSND_INPUT;
}

void pulse_volume_changed(struct vsnd_audio *a, pa_subscription_event_type_t facility, uint32_t index)
{
	for (struct vsnd_voice *v = a->voices; v; v = v->next) {
		if (pulse_stream_ready(v) && pa_stream_get_index(v->stream) == index &&
				facility == (is_input(v) ? PA_SUBSCRIPTION_EVENT_SOURCE_OUTPUT
				: PA_SUBSCRIPTION_EVENT_SINK_INPUT))
			v->level.ask = true;
	}
}

/* Nobody waits for what these come to. */
static void forget(pa_operation *o)
{
	if (o)
		pa_operation_unref(o);
}

static void heard(struct vsnd_voice *v, const pa_cvolume *level, bool mute)
{
	struct vsnd_volume volume;
	pa_cvolume former;

	pulse_level(&former, &v->level.volume);
	if (v->level.send || v->level.asked_words != v->level.words ||
			(pa_cvolume_equal(&former, level) && v->level.volume.mute == mute))
		return;
	pulse_volume(&volume, level, mute);
	v->level.volume = volume;
	v->level.news = true;
	atomic_store(&v->audio->heard, true);
	vsnd_audio_service(v->audio->dev);
}

/* @end: the stream is not there, or nothing comes after it. */
static void on_sink_input(pa_context *c, const pa_sink_input_info *info, int end, void *data)
{
	(void)c;
	if (!end)
		heard(data, &info->volume, info->mute);
}

static void on_source_output(pa_context *c, const pa_source_output_info *info, int end, void *data)
{
	(void)c;
	if (!end)
		heard(data, &info->volume, info->mute);
}

void pulse_volume_cancel(struct vsnd_voice *v)
{
	if (v->level.question) {
		pa_operation_cancel(v->level.question);
		pa_operation_unref(v->level.question);
	}
	v->level.question = NULL;
	v->level.ask = false;
	v->level.send = v->hosted.params.has_volume;
}

static void ask(struct vsnd_voice *v, pa_context *c, uint32_t index)
{
	v->level.ask = false;
	v->level.asked_words = v->level.words;
	forget(v->level.question);
	v->level.question = is_input(v)
		? pa_context_get_source_output_info(c, index, on_source_output, v)
		: pa_context_get_sink_input_info(c, index, on_sink_input, v);
}

static void send_level(struct vsnd_voice *v, pa_context *c, uint32_t index)
{
	pa_cvolume level;

	v->level.send = false;
	pulse_level(&level, &v->level.volume);
	if (is_input(v)) {
		forget(pa_context_set_source_output_volume(c, index, &level, NULL, NULL));
		forget(pa_context_set_source_output_mute(c, index, v->level.volume.mute, NULL, NULL));
	} else {
		forget(pa_context_set_sink_input_volume(c, index, &level, NULL, NULL));
		forget(pa_context_set_sink_input_mute(c, index, v->level.volume.mute, NULL, NULL));
	}
}

void pulse_volume_settle(struct vsnd_voice *v)
{
	if (!v->hosted.params.has_volume || v->level.words == 0)
		return;
	if (v->level.send)
		send_level(v, v->audio->context, pa_stream_get_index(v->stream));
	/* One question at a time, so that cancelling it leaves none. */
	if (v->level.ask && (!v->level.question ||
			pa_operation_get_state(v->level.question) != PA_OPERATION_RUNNING))
		ask(v, v->audio->context, pa_stream_get_index(v->stream));
}

/* What the control thread gives to and takes from the audio thread. */
struct word {
	struct vsnd_audio *audio;
	struct vsnd_voice *voice;	/* who says it; NULL: nobody any more */
	struct vsnd_volume volume;
};

static void take_word(void *arg)
{
	struct word *word = arg;
	struct vsnd_voice *v = word->voice;

	v->level.volume = word->volume;
	v->level.words++;
	v->level.send = true;
	v->level.news = false;
}

void pulse_voice_volume(struct vsnd_voice *v, const struct vsnd_volume *volume)
{
	struct word word = { .audio = v->audio, .voice = v, .volume = *volume };

	vsnd_audio_call(v->audio->dev, take_word, &word);
}

static void give_word(void *arg)
{
	struct word *word = arg;

	word->voice = NULL;
	for (struct vsnd_voice *v = word->audio->voices; v && !word->voice; v = v->next) {
		if (!v->level.news || v->closed)
			continue;
		v->level.news = false;
		word->voice = v;
		word->volume = v->level.volume;
	}
}

void pulse_volume_service(struct vsnd_audio *a)
{
	struct word word = { .audio = a };

	if (!atomic_exchange(&a->heard, false))
		return;
	for (;;) {
		vsnd_audio_call(a->dev, give_word, &word);
		if (!word.voice)
			return;
		vsnd_voice_volume_changed(word.voice->hosted.stream, &word.volume);
	}
}
