/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sound files, by libsndfile.
 *
 * Integer formats are taken from libsndfile's 32-bit reading, whose upper
 * bits are the file's own samples unchanged, and are then cut to width; so a
 * 16-bit file played as S16 or S32 is bit-exact.  Float formats come from its
 * float and double readings, exact for float files.
 *
 * Bare frames, of any format, go through as they are.
 */
#include "probe/source.h"

#include <assert.h>
#include <errno.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/bytes.h"
#include "probe/names.h"
#include "probe/report.h"

#define CHUNK_SAMPLES 4096

struct source {
	SNDFILE *file;
	SF_INFO info;
	FILE *raw; /* instead of file */
	unsigned raw_format;
};

static int open_raw(struct source *s, const char *path, const struct source_raw *raw)
{
	size_t frame_bytes = (size_t)pcm_formats[raw->format].bytes * raw->channels;
	long bytes = -1;

	s->raw = fopen(path, "rb");
	if (s->raw && fseek(s->raw, 0, SEEK_END) == 0)
		bytes = ftell(s->raw);
	if (bytes < 0)
		return complain(-EIO, "%s: %s", path, strerror(errno));
	rewind(s->raw);
	if ((size_t)bytes % frame_bytes)
		return complain(-EINVAL, "%s: %ld bytes are not whole frames of %zu", path, bytes,
			frame_bytes);
	s->raw_format = raw->format;
	s->info.channels = (int)raw->channels;
	s->info.samplerate = (int)raw->rate_hz;
	s->info.frames = bytes / (long)frame_bytes;
	return 0;
}

static int open_sound(struct source *s, const char *path)
{
	s->file = sf_open(path, SFM_READ, &s->info);
	if (!s->file)
		return complain(-EIO, "%s: %s", path, sf_strerror(NULL));
	sf_command(s->file, SFC_SET_SCALE_FLOAT_INT_READ, NULL, SF_TRUE);
	sf_command(s->file, SFC_SET_CLIPPING, NULL, SF_TRUE);
	return 0;
}

struct source *source_open(const char *path, const struct source_raw *raw)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	if ((raw ? open_raw(s, path, raw) : open_sound(s, path)) < 0) {
		source_close(s);
		return NULL;
	}
	if (s->info.channels < 1 || s->info.channels > 255 || s->info.frames < 1) {
		complain(-1, "%s: %d channels, %lld frames: nothing to play", path,
			s->info.channels, (long long)s->info.frames);
		source_close(s);
		return NULL;
	}
	return s;
}

void source_close(struct source *s)
{
	if (!s)
		return;
	if (s->file)
		sf_close(s->file);
	if (s->raw)
		fclose(s->raw);
	free(s);
}

uint32_t source_rate(const struct source *s)
{
	return (uint32_t)s->info.samplerate;
}

unsigned source_channels(const struct source *s)
{
	return (unsigned)s->info.channels;
}

uint64_t source_frames(const struct source *s)
{
	return (uint64_t)s->info.frames;
}

int source_format(const struct source *s)
{
	if (s->raw)
		return (int)s->raw_format;
	switch (s->info.format & SF_FORMAT_SUBMASK) {
	case SF_FORMAT_PCM_24:
	case SF_FORMAT_PCM_32:
		return pcm_format_find("S32");
	case SF_FORMAT_FLOAT:
	case SF_FORMAT_DOUBLE:
	case SF_FORMAT_VORBIS:
		return pcm_format_find("FLOAT");
	default:
		return pcm_format_find("S16");
	}
}

int source_can(unsigned format)
{
	return format < PCM_FORMATS && pcm_formats[format].bits;
}

static void put_integers(const struct pcm_format *f, const int32_t *in, uint8_t *out, sf_count_t n)
{
	unsigned drop = 32u - f->bits;

	for (sf_count_t i = 0; i < n; i++) {
		uint32_t v = (uint32_t)(in[i] >> drop); /* sign fills the top */

		if (f->kind == 'u') {
			v += UINT32_C(1) << (f->bits - 1);
			v &= UINT32_MAX >> drop;
		}
		for (unsigned b = 0; b < f->bytes; b++)
			*out++ = (uint8_t)(v >> (8 * b));
	}
}

/* n samples, at most CHUNK_SAMPLES; returns how many the file had. */
static sf_count_t read_chunk(struct source *s, const struct pcm_format *f, uint8_t *out,
	sf_count_t n)
{
	union {
		int32_t i[CHUNK_SAMPLES];
		float f[CHUNK_SAMPLES];
		double d[CHUNK_SAMPLES];
	} buf;
	sf_count_t got;

	if (f->kind != 'f') {
		got = sf_read_int(s->file, buf.i, n);
		put_integers(f, buf.i, out, got);
	} else if (f->bytes == 4) {
		got = sf_read_float(s->file, buf.f, n);
		for (sf_count_t i = 0; i < got; i++) {
			uint32_t v;

			memcpy(&v, &buf.f[i], 4);
			put32(out + 4 * i, v);
		}
	} else {
		got = sf_read_double(s->file, buf.d, n);
		for (sf_count_t i = 0; i < got; i++) {
			uint64_t v;

			memcpy(&v, &buf.d[i], 8);
			put64(out + 8 * i, v);
		}
	}
	return got;
}

static void read_raw(struct source *s, void *out, uint32_t frames)
{
	size_t frame_bytes = (size_t)pcm_formats[s->raw_format].bytes * (size_t)s->info.channels;
	size_t got = fread(out, frame_bytes, frames, s->raw);

	memset((uint8_t *)out + got * frame_bytes, 0, (frames - got) * frame_bytes);
}

void source_read(struct source *s, unsigned format, void *out, uint32_t frames)
{
	const struct pcm_format *f = &pcm_formats[format];
	sf_count_t left = (sf_count_t)frames * s->info.channels;
	sf_count_t whole = CHUNK_SAMPLES - CHUNK_SAMPLES % s->info.channels;
	uint8_t *p = out;

	if (s->raw) {
		assert(format == s->raw_format);
		read_raw(s, out, frames);
		return;
	}
	assert(source_can(format));
	while (left > 0) {
		sf_count_t got = read_chunk(s, f, p, left < whole ? left : whole);

		if (got <= 0)
			break;
		p += got * f->bytes;
		left -= got;
	}
	if (left > 0 && f->kind == 'u') {
		static const int32_t zero[1];

		for (; left > 0; left--, p += f->bytes)
			put_integers(f, zero, p, 1);
	}
	if (left > 0)
		memset(p, 0, (size_t)left * f->bytes);
}

void source_rewind(struct source *s)
{
	if (s->raw)
		rewind(s->raw);
	else
		sf_seek(s->file, 0, SEEK_SET);
}
