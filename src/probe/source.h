/* SPDX-License-Identifier: BSD-3-Clause */
/* A sound file, or a file of bare frames, as a stream of frames in a virtio format. */
#ifndef PROBE_SOURCE_H
#define PROBE_SOURCE_H

#include <stdint.h>

struct source;

/* What a file of bare frames does not say itself. */
struct source_raw {
	unsigned format;	/* with whole-byte samples */
	unsigned channels;
	uint32_t rate_hz;
};

/* NULL with a complaint.  @raw is NULL for a sound file. */
struct source *source_open(const char *path, const struct source_raw *raw);
void source_close(struct source *s);

uint32_t source_rate(const struct source *s);
unsigned source_channels(const struct source *s);
uint64_t source_frames(const struct source *s);

/* The virtio format that holds the file's samples without loss. */
int source_format(const struct source *s);

/* Whether source_read() can make this virtio format of a sound file.  Bare frames are
 * read in their own format only. */
int source_can(unsigned format);

/* The next frames in `format`; always as many as asked for: what the file
 * lacks is silence. */
void source_read(struct source *s, unsigned format, void *out, uint32_t frames);
void source_rewind(struct source *s);

#endif
