/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether there is a PulseAudio server: for `--audio=auto`, before there is a device. */
#include <pulse/pulseaudio.h>

#include "audio/audio.h"
#include "audio/os.h"

#define ANSWER_NS 1000000000

static bool ask(pa_mainloop *loop, pa_context *context)
{
	int64_t until_ns = audio_now_ns() + ANSWER_NS, left_ns;

	if (pa_context_connect(context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0)
		return false;
	while (pa_context_get_state(context) != PA_CONTEXT_READY) {
		left_ns = until_ns - audio_now_ns();
		if (left_ns <= 0 || !PA_CONTEXT_IS_GOOD(pa_context_get_state(context)))
			return false;
		if (pa_mainloop_prepare(loop, (int)(left_ns / 1000) + 1) < 0 ||
				pa_mainloop_poll(loop) < 0 || pa_mainloop_dispatch(loop) < 0)
			return false;
	}
	return true;
}

bool audio_pulse_answers(const struct audio_host_config *config)
{
	pa_mainloop *loop = pa_mainloop_new();
	pa_context *context;
	bool answered = false;

	if (!loop)
		return false;
	context = pa_context_new(pa_mainloop_get_api(loop), config->name);
	if (context) {
		answered = ask(loop, context);
		pa_context_disconnect(context);
		pa_context_unref(context);
	}
	pa_mainloop_free(loop);
	return answered;
}
