/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration: what card the guest gets, and options of the sound's side.
 *
 * It is made in three steps.  config_parse() reads a file's text; the options of
 * the command line are laid over it (config_override()); config_complete() fills
 * in what nobody has said and judges the whole.  A complete configuration, printed
 * and read again, is the same.  doc/vhost-user-snd.conf describes the syntax.
 */
#ifndef VSND_DAEMON_CONFIG_H
#define VSND_DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "daemon/offer.h"

/* Function groups; Linux makes a PCM device of each, streams being its substreams. */
#define CONFIG_GROUPS_MAX 8
#define CONFIG_NAME_MAX 32
#define CONFIG_BYTES_MAX 65536
/* Longest line, with its end; inih cuts at 200. */
#define CONFIG_LINE_MAX 190
#define CONFIG_AUDIO_MAX 16

/* Line numbers of sections and keys; 0: not from a file. */

struct config_stream {
	char name[CONFIG_NAME_MAX];
	unsigned line;
	uint32_t group;		/* "device" in the file */
	uint8_t direction;
	struct offer offer;
	enum config_auto xrun_events;	/* the guest may ask to be told of xruns */
	/* At the host's sound system; empty: not given. */
	char target[CONFIG_NAME_MAX * 4];
	char properties[CONFIG_LINE_MAX];
	enum config_auto capture;	/* of an input */
};

struct config_jack {
	char name[CONFIG_NAME_MAX];
	unsigned line;
	uint32_t group;
	bool connected;
	bool remap;		/* the driver may change association and sequence */
	/* Fields of the HDA pin configuration. */
	uint8_t type, port, connector, location, colour;
};

struct config_chmap {
	char name[CONFIG_NAME_MAX];
	unsigned line;
	uint32_t group;
	uint8_t direction;
	uint8_t channels;
	uint8_t positions[VSND_CHANNELS_MAX];
};

/* A line of [audio]: an option without its dashes. */
struct config_audio {
	unsigned line;
	char key[CONFIG_NAME_MAX];
	char value[CONFIG_LINE_MAX];
};

struct config {
	/* [device] */
	bool simple;		/* profile */
	struct stream_counts wanted;	/* default streams */
	unsigned streams_line, offer_line;
	struct offer offer;	/* of streams that do not say themselves */
	enum config_auto auto_jacks, auto_maps;
	enum config_auto xrun_events;	/* of streams that do not say themselves */
	bool controls;		/* the usual control elements */

	unsigned streams, jacks, chmaps, audios;
	struct config_stream stream[VSND_STREAMS_MAX];
	struct config_jack jack[VSND_JACKS_MAX];
	struct config_chmap chmap[VSND_CHMAPS_MAX];
	struct config_audio audio[CONFIG_AUDIO_MAX];
};

/* What the command line says instead; 0 and false: nothing. */
struct config_overrides {
	bool simple, controls;
	struct stream_counts streams;
	struct offer offer;
};

struct config_error {
	unsigned line;
	char text[160];
};

void config_init(struct config *c);

/* False with the reason in *@ret_error. */
bool config_parse(struct config *c, const char *text, size_t len, struct config_error *ret_error);
/* The same with a file's text.  A file that cannot be read is line 0. */
bool config_read(struct config *c, const char *path, struct config_error *ret_error);

void config_override(struct config *c, const struct config_overrides *o);
bool config_complete(struct config *c, struct config_error *ret_error);

/* How many of a complete configuration's streams are outputs; they come first. */
unsigned config_outputs(const struct config *c);

/* All but [audio], of a complete configuration. */
void config_print(const struct config *c, FILE *f);

/* False, and *@error says why; for what parses and judges. */
bool config_fail(struct config_error *error, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
