/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a line says of its pcm.  A guest can prepare a stream as often as it likes, and
 * each time fail in another way: of complaints there is one in a second, and the same one
 * again only after a minute.
 */
#include "audio/alsa.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "audio/os.h"

#define COMPLAINT_NS 1000000000
#define COMPLAINT_AGAIN_NS 60000000000

/* What alsa-lib itself said first on this thread since the last complaint. */
static _Thread_local char said[96];

__attribute__((format(printf, 5, 0)))
static void on_error(const char *file, int line, const char *function, int err, const char *fmt,
		va_list ap)
{
	(void)file, (void)line, (void)function, (void)err;
	if (!said[0])
		vsnprintf(said, sizeof(said), fmt, ap);
}

void alsa_say_listen(void)
{
	snd_lib_error_set_local(on_error);
}

static void say(struct alsa_line *l, enum audio_level level, const char *text)
{
	if (!alsa_line_enter(l))
		return;
	audio_say(&l->log, level, "ALSA: %s: %s", l->name, text);
	alsa_line_leave(l);
}

static void complain(struct alsa_line *l, const char *text)
{
	struct alsa_complaint *c = &l->complaint;
	int64_t now_ns = audio_now_ns();
	bool same = strcmp(c->text, text) == 0;
	char line[sizeof(c->text) + sizeof(said) + 64];

	if (c->ns && now_ns - c->ns < (same ? COMPLAINT_AGAIN_NS : COMPLAINT_NS)) {
		c->left_out += !same;
		said[0] = '\0';
		return;
	}
	snprintf(line, sizeof(line), "%s%s%s%s; trying again", text, said[0] ? " (" : "", said,
		said[0] ? ")" : "");
	said[0] = '\0';
	say(l, AUDIO_WARN, line);
	if (c->left_out > 0) {
		snprintf(line, sizeof(line), "%u other complaints were left out", c->left_out);
		say(l, AUDIO_WARN, line);
	}
	snprintf(c->text, sizeof(c->text), "%s", text);
	c->ns = now_ns;
	c->left_out = 0;
	c->open = true;
}

void alsa_say_refused(struct alsa_line *l, const struct vsnd_voice_params *params, int err,
		const char *refused)
{
	char text[sizeof(l->complaint.text)];

	if (!refused) {
		snprintf(text, sizeof(text), "cannot be opened for %s: %s",
			params->direction == VSND_INPUT ? "recording" : "playing", snd_strerror(err));
	} else {
		/* "hw:0" and "plughw:0", but "plug:front:0". */
		snprintf(text, sizeof(text), "refuses %s of %s, %u channels, %u Hz: %s; plug%s%s would convert",
			refused, vsnd_format_info(params->format)->name, params->channels,
			params->rate_hz, snd_strerror(err),
			strncmp(l->name, "hw:", 3) == 0 ? "" : ":", l->name);
	}
	complain(l, text);
}

void alsa_say_lost(struct alsa_line *l, int err)
{
	char text[sizeof(l->complaint.text)];

	snprintf(text, sizeof(text), "is gone: %s", snd_strerror(err));
	complain(l, text);
}

void alsa_say_there(struct alsa_line *l)
{
	const struct alsa_pcm *p = &l->pcm;
	char text[160];

	snprintf(text, sizeof(text), "%s: periods of %u, a buffer of %u frames%s, in units of %u",
		p->input ? "recording" : "playing", p->period_frames, p->buffer_frames,
		p->mmap ? ", mapped" : "", p->flow.unit);
	say(l, l->complaint.open ? AUDIO_WARN : AUDIO_INFO, text);
	l->complaint.open = false;
	/* What was said on the way there does not matter. */
	said[0] = '\0';
}

void alsa_say_recovered(struct alsa_line *l, int err)
{
	const struct alsa_counts *c = &l->pcm.counts;
	char text[160];

	snprintf(text, sizeof(text), "%s; since it was opened %llu xruns, %llu suspends, %llu frames lost",
		snd_strerror(err), (unsigned long long)c->xruns, (unsigned long long)c->suspends,
		(unsigned long long)c->lost_frames);
	say(l, AUDIO_DEBUG, text);
}
