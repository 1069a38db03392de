/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the guest asks for, in PulseAudio's words.  Pure functions.
 */
#ifndef VSND_AUDIO_PULSE_FORMAT_H
#define VSND_AUDIO_PULSE_FORMAT_H

#include <stdbool.h>

#include <pulse/channelmap.h>
#include <pulse/def.h>
#include <pulse/proplist.h>
#include <pulse/sample.h>
#include <pulse/volume.h>

#include <vsnd/audio.h>

/*
 * The format in which a guest's samples go to the server and come from it: its own if
 * the server knows it, else one that holds all its bits.  VSND_FORMATS: there is none.
 */
unsigned pulse_format(unsigned guest);

/* @format: one of those that pulse_format() returns. */
pa_sample_spec pulse_sample_spec(unsigned format, const struct vsnd_voice_params *params);

/* The guest's own positions if there are some, else what ALSA has for so many channels. */
void pulse_channel_map(pa_channel_map *map, const struct vsnd_voice_params *params);

/* How loud a voice is, in PulseAudio's words and back: exact where it is 0 dB or silence. */
void pulse_level(pa_cvolume *level, const struct vsnd_volume *volume);
void pulse_volume(struct vsnd_volume *volume, const pa_cvolume *level, bool mute);

/* For a stream that moves @cycle_frames at a time, of @frame_bytes each at the server. */
pa_buffer_attr pulse_buffer_attr(const struct vsnd_voice_params *params, uint32_t cycle_frames,
		uint32_t frame_bytes);

/*
 * Put what @text says into @p: `name = value` one after the other, values in quotes or
 * not, as in PULSE_PROP; braces around all of it, as PIPEWIRE_PROPS has them, may be
 * there.  False if it says nothing that can be read.
 */
bool pulse_properties(pa_proplist *p, const char *text);

#endif
