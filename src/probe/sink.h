/* SPDX-License-Identifier: BSD-3-Clause */
/* A sound file that frames in a virtio format are written to. */
#ifndef PROBE_SINK_H
#define PROBE_SINK_H

#include <stdint.h>

struct sink;

/* The container is what the name ends in: .wav, .w64, .flac, .aiff, .au.  NULL with a complaint. */
struct sink *sink_open(const char *path, unsigned format, unsigned channels, uint32_t rate_hz);

/* Whole frames.  0 or negative errno. */
int sink_write(struct sink *s, const void *frames, uint32_t count);

/* 0 or negative errno.  NULL is fine. */
int sink_close(struct sink *s);

#endif
