/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and numbers of the sound device's enumerations. */
#ifndef PROBE_NAMES_H
#define PROBE_NAMES_H

#include <stdint.h>

struct pcm_format {
	const char *name;
	uint8_t bits;  /* that carry signal; 0: not a plain sample */
	uint8_t bytes; /* of a sample in memory; 0: not whole bytes */
	char kind;     /* s signed, u unsigned, f float, - other */
};

#define PCM_FORMATS   25
#define PCM_RATES     16
#define PCM_POSITIONS 37

extern const struct pcm_format pcm_formats[PCM_FORMATS];
extern const uint32_t pcm_rates[PCM_RATES];
extern const char *const pcm_positions[PCM_POSITIONS];
extern const char *const pcm_features[5];

/* The enum value, or -1. */
int pcm_format_find(const char *name);
int pcm_rate_find(uint32_t hz);

/* "reserved" beyond the specification's values; never NULL. */
const char *virtio_feature_name(unsigned bit);
const char *protocol_feature_name(unsigned bit);
const char *status_name(uint32_t code);
const char *request_name(uint32_t code);
const char *position_name(unsigned position);

/* HDA pin default configuration, each field's word. */
const char *hda_device(uint32_t defconf);
const char *hda_connection(uint32_t defconf);
const char *hda_colour(uint32_t defconf);
const char *hda_place(uint32_t defconf);
const char *hda_port(uint32_t defconf);

#endif
