/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The audio back-ends that come with vsnd, and their configurations: what to
 * set in vsnd_settings.audio and .audio_config.  A configuration must stay in
 * place until the device is gone.
 */
#ifndef VSND_AUDIO_AUDIO_H
#define VSND_AUDIO_AUDIO_H

#include <vsnd/audio.h>

enum audio_level {
	AUDIO_DEBUG,
	AUDIO_INFO,
	AUDIO_WARN,
	AUDIO_ERROR
};

/* Where a back-end's lines go.  Called on any thread but the audio thread. */
struct audio_log {
	void (*line)(void *ctx, enum audio_level level, const char *text);	/* may be NULL */
	void *ctx;
};

/* The configuration of the back-end that plays into nothing and records silence. */
struct audio_null_config {
	/*
	 * Without a clock, as fast as the guest gives and takes; what it gives is
	 * then copied as if to a host's buffer.  For measuring.
	 */
	bool fast;
};

/* At the guest's rate, if there is no configuration. */
extern const struct vsnd_audio_ops audio_null_ops;

/* Plays into files and records from one.  See file.c. */
struct audio_file_config {
	/* Name of the file to play to; %s is the stream, %% a percent.  NULL: nowhere. */
	const char *pattern;
	unsigned outputs;	/* streams, which have the first numbers */
	const char *in;		/* file to record from; NULL: silence */
	bool in_loop;		/* over and over, instead of silence after its end */
	bool fast;		/* without a clock, as fast as the guest gives and takes */
	struct audio_log log;
};

/* NULL in a build without libsndfile. */
extern const struct vsnd_audio_ops *const audio_file_ops;

/* What a stream may have of its own at the host's sound system.  Strings may be NULL. */
struct audio_host_stream {
	uint32_t group;		/* function group */
	uint8_t direction;	/* enum vsnd_direction */
	const char *target;	/* where to play to or record from, in the host's words */
	const char *properties;	/* in its words, too: PIPEWIRE_PROPS, PULSE_PROP */
};

/* A jack of the guest's card, by what it is. */
struct audio_host_jack {
	uint32_t group;
	uint8_t direction;
	bool headphone;
	bool follows;	/* its plug is where the host's is, as far as the host tells */
};

/* What the back-ends of sound servers and sound cards have in common. */
struct audio_host_config {
	const char *name;	/* what users see in their mixer */
	const struct audio_host_stream *stream;	/* by the number of the stream */
	unsigned streams;
	const struct audio_host_jack *jack;	/* by the number of the jack */
	unsigned jacks;
	struct audio_log log;
};

/* Plays and records through PipeWire.  See pipewire.c.  NULL in a build without. */
extern const struct vsnd_audio_ops *const audio_pipewire_ops;
/* Whether a server answers, within a second.  False in a build without PipeWire. */
bool audio_pipewire_answers(const struct audio_host_config *config);

/* Plays and records through PulseAudio.  See pulse.c.  NULL in a build without. */
extern const struct vsnd_audio_ops *const audio_pulse_ops;
/* Whether a server answers, within a second.  False in a build without PulseAudio. */
bool audio_pulse_answers(const struct audio_host_config *config);

/* The same through JACK.  See jack.h. */
extern const struct vsnd_audio_ops *const audio_jack_ops;
bool audio_jack_answers(const struct audio_host_config *config);

/*
 * Plays and records through ALSA; a target is the name of a pcm, else "default".  See
 * alsa.h.  NULL in a build without.
 */
extern const struct vsnd_audio_ops *const audio_alsa_ops;
/* Whether the pcm of the first stream can be opened, within a second. */
bool audio_alsa_answers(const struct audio_host_config *config);

/*
 * Judge a configuration before a device is made with it.  0, or a negative
 * errno with the name at fault in *@ret_what and the reason in *@ret_reason (static).  -EINVAL: what it says makes no
 * sense, whatever the disk holds.
 */
int audio_file_check(const struct audio_file_config *config, const char **ret_what,
		const char **ret_reason);

#endif
