/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The usual elements.  The names are the ones that Linux' mixers know: alsa-lib
 * makes one knob of "X Volume" and "X Switch", and looks for "Master" and
 * "Capture" first.
 */
#include <stdio.h>
#include <string.h>

#include "device/ctl.h"

/* -60 dB to 0 dB in steps of half a dB, and silence at the bottom. */
#define VOLUME_MAX 120
#define DB_MIN (-6000)
#define DB_STEP 50u

static const uint32_t volume_tlv[] = {
	VSND_TLV_DB_SCALE, 8, (uint32_t)DB_MIN, DB_STEP | VSND_TLV_DB_SCALE_MUTE,
};

#define EACH(v) { v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v }
static const union vsnd_ctl_value full = { .integer = EACH(VOLUME_MAX) };
static const union vsnd_ctl_value on = { .integer = { 1 } };
static_assert(VSND_CHANNELS_MAX == 18, "EACH is for as many channels as a stream may have");

struct maker {
	struct vsnd_ctl_settings *out;
	unsigned n, max;
};

static void add(struct maker *m, const struct vsnd_ctl_settings *base, const char *name,
		const char *kind)
{
	struct vsnd_ctl_settings *c;

	if (m->n == m->max)
		return;
	c = &m->out[m->n++];
	*c = *base;
	snprintf(c->name, sizeof(c->name), "%s %s", name, kind);
}

/* A volume for each channel, and one switch. */
static void add_pair(struct maker *m, const struct vsnd_ctl_settings *where, const char *name,
		     uint32_t channels)
{
	struct vsnd_ctl_settings volume = *where, mute = *where;

	volume.type = VSND_CTL_INTEGER;
	volume.role = VSND_CTL_ROLE_VOLUME;
	volume.access = VSND_CTL_READ | VSND_CTL_WRITE | VSND_CTL_TLV_READ;
	volume.count = channels;
	volume.max = VOLUME_MAX;
	volume.step = 1;
	volume.tlv = volume_tlv;
	volume.value = &full;
	mute.type = VSND_CTL_BOOLEAN;
	mute.role = VSND_CTL_ROLE_MUTE;
	mute.access = VSND_CTL_READ | VSND_CTL_WRITE;
	mute.count = 1;
	mute.value = &on;
	add(m, &volume, name, "Volume");
	add(m, &mute, name, "Switch");
}

static void add_direction(struct maker *m, const struct vsnd_settings *s, uint8_t direction)
{
	const bool out = direction == VSND_OUTPUT;
	struct vsnd_ctl_settings where = { .direction = direction, .bind = VSND_CTL_ALL };
	uint32_t channels = 0, streams = 0;

	for (unsigned i = 0; i < s->streams; i++) {
		if (s->stream[i].direction != direction)
			continue;
		streams++;
		if (s->stream[i].channels_max > channels)
			channels = s->stream[i].channels_max;
	}
	if (streams == 0)
		return;
	add_pair(m, &where, out ? "Master Playback" : "Capture", channels);
	where.bind = VSND_CTL_STREAM;
	for (unsigned i = 0; i < s->streams && streams > 1; i++) {
		if (s->stream[i].direction != direction)
			continue;
		where.stream = i;
		where.nid = s->stream[i].nid;
		add_pair(m, &where, out ? "PCM Playback" : "PCM Capture",
			 s->stream[i].channels_max);
		where.index++;
	}
}

unsigned vsnd_ctl_defaults(const struct vsnd_settings *s, struct vsnd_ctl_settings *ret,
			   unsigned max)
{
	struct maker m = { .out = ret, .max = max };

	add_direction(&m, s, VSND_OUTPUT);
	add_direction(&m, s, VSND_INPUT);
	return m.n;
}
