/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sound files, by libsndfile.
 *
 * Integer samples go through its 32-bit writing, their own bits being the upper
 * ones, into a file of at least their width; so none is changed.
 */
#include "probe/sink.h"

#include <errno.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

#include "probe/bytes.h"
#include "probe/names.h"
#include "probe/report.h"

#define CHUNK_SAMPLES 4096

struct sink {
	SNDFILE *file;
	const struct pcm_format *format;
	unsigned channels;
};

static int container_of(const char *path)
{
	static const struct { const char *suffix; int major; } known[] = {
		{ ".wav", SF_FORMAT_WAV }, { ".w64", SF_FORMAT_W64 }, { ".flac", SF_FORMAT_FLAC },
		{ ".aiff", SF_FORMAT_AIFF }, { ".au", SF_FORMAT_AU } };
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(dot, known[i].suffix))
			return known[i].major;
	return 0;
}

static int subtype_of(const struct pcm_format *f)
{
	if (f->kind == 'f')
		return f->bytes == 4 ? SF_FORMAT_FLOAT : SF_FORMAT_DOUBLE;
	if (f->bits <= 16)
		return SF_FORMAT_PCM_16;
	return f->bits <= 24 ? SF_FORMAT_PCM_24 : SF_FORMAT_PCM_32;
}

struct sink *sink_open(const char *path, unsigned format, unsigned channels, uint32_t rate_hz)
{
	SF_INFO info = { .samplerate = (int)rate_hz, .channels = (int)channels };
	struct sink *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->format = &pcm_formats[format];
	s->channels = channels;
	info.format = container_of(path) | subtype_of(s->format);
	s->file = sf_format_check(&info) ? sf_open(path, SFM_WRITE, &info) : NULL;
	if (!s->file) {
		complain(-1, "%s: %s", path, sf_format_check(&info) ? sf_strerror(NULL)
			: "no file of that kind holds these samples");
		free(s);
		return NULL;
	}
	return s;
}

int sink_close(struct sink *s)
{
	int err;

	if (!s)
		return 0;
	err = sf_close(s->file) ? complain(-EIO, "the sound file could not be finished") : 0;
	free(s);
	return err;
}

static int32_t get_integer(const struct pcm_format *f, const uint8_t *in)
{
	uint32_t v = 0;

	for (unsigned b = 0; b < f->bytes; b++)
		v |= (uint32_t)in[b] << (8 * b);
	if (f->kind == 'u')
		v ^= UINT32_C(1) << (f->bits - 1);
	return (int32_t)(v << (32u - f->bits));
}

static sf_count_t write_chunk(struct sink *s, const uint8_t *in, sf_count_t n)
{
	union {
		int32_t i[CHUNK_SAMPLES];
		float f[CHUNK_SAMPLES];
		double d[CHUNK_SAMPLES];
	} buf;
	const struct pcm_format *f = s->format;

	for (sf_count_t i = 0; i < n; i++) {
		const uint8_t *p = in + i * f->bytes;

		if (f->kind != 'f') {
			buf.i[i] = get_integer(f, p);
		} else if (f->bytes == 4) {
			uint32_t v = get32(p);

			memcpy(&buf.f[i], &v, 4);
		} else {
			uint64_t v = get64(p);

			memcpy(&buf.d[i], &v, 8);
		}
	}
	if (f->kind != 'f')
		return sf_write_int(s->file, buf.i, n);
	return f->bytes == 4 ? sf_write_float(s->file, buf.f, n) : sf_write_double(s->file, buf.d, n);
}

int sink_write(struct sink *s, const void *frames, uint32_t count)
{
	sf_count_t left = (sf_count_t)count * s->channels;
	sf_count_t whole = CHUNK_SAMPLES - CHUNK_SAMPLES % s->channels;
	const uint8_t *p = frames;

	while (left > 0) {
		sf_count_t n = left < whole ? left : whole;

		if (write_chunk(s, p, n) != n)
			return complain(-EIO, "the sound file: %s", sf_strerror(s->file));
		p += n * s->format->bytes;
		left -= n;
	}
	return 0;
}
