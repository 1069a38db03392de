/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/file_source.h"

#include <errno.h>
#include <limits.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/resample.h"
#include "audio/sample.h"

/* Frames that are read and converted at a time. */
#define CHUNK_FRAMES RESAMPLE_FRAMES

struct file_source {
	const struct audio_file_config *config;
	unsigned stream;
	struct sample_codec codec;
	unsigned channels;	/* the guest's */
	uint32_t rate_hz;

	SNDFILE *file;		/* NULL before the first read and after the end */
	SF_INFO info;
	bool begun;
	double *raw;		/* CHUNK_FRAMES of the file's channels */
	double *frames;		/* CHUNK_FRAMES of the guest's channels */

	/* Where the rates differ. */
	struct resample resample;
	float *after;		/* CHUNK_FRAMES of the guest's channels */
	bool drained;		/* the file has ended; the resampler knows */
};

int file_source_create(const struct audio_file_config *config,
		const struct vsnd_voice_params *params, struct file_source **ret_source)
{
	struct sample_codec codec;
	struct file_source *s;

	if (!sample_codec_init(&codec, params->format))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->config = config;
	s->stream = params->stream;
	s->codec = codec;
	s->channels = params->channels;
	s->rate_hz = params->rate_hz;
	*ret_source = s;
	return 0;
}

static void close_file(struct file_source *s)
{
	if (s->file)
		sf_close(s->file);
	s->file = NULL;
}

void file_source_free(struct file_source *s)
{
	if (!s)
		return;
	close_file(s);
	resample_free(&s->resample);
	free(s->raw);
	free(s->frames);
	free(s->after);
	free(s);
}

static void log_source(const struct file_source *s, enum audio_level level, const char *what)
{
	const struct audio_log *log = &s->config->log;
	char text[PATH_MAX + 200];

	if (!log->line)
		return;
	snprintf(text, sizeof(text), "file: stream %u, %s: %s", s->stream, s->config->in, what);
	log->line(log->ctx, level, text);
}

/* False: it cannot be converted. */
static bool init_resampler(struct file_source *s)
{
	if (s->info.samplerate == (int)s->rate_hz)
		return true;
	s->after = calloc((size_t)CHUNK_FRAMES * s->channels, sizeof(*s->after));
	return s->after && resample_init(&s->resample, (uint32_t)s->info.samplerate, s->rate_hz,
		s->channels, SRC_SINC_MEDIUM_QUALITY) == 0;
}

/* Once, at the first read. */
static void open_file(struct file_source *s)
{
	s->begun = true;
	s->file = sf_open(s->config->in, SFM_READ, &s->info);
	if (!s->file) {
		log_source(s, AUDIO_WARN, sf_strerror(NULL));
		return;
	}
	s->raw = calloc((size_t)CHUNK_FRAMES * (size_t)s->info.channels, sizeof(*s->raw));
	s->frames = calloc((size_t)CHUNK_FRAMES * s->channels, sizeof(*s->frames));
	if (!s->raw || !s->frames || !init_resampler(s)) {
		log_source(s, AUDIO_WARN, "its frames cannot be converted");
		close_file(s);
		return;
	}
	log_source(s, AUDIO_INFO, "is recorded from");
}

/* The file's frames, from the begin again if that is wanted and it has any. */
static size_t read_raw(struct file_source *s, size_t frames)
{
	sf_count_t n = sf_readf_double(s->file, s->raw, (sf_count_t)frames);

	if (n <= 0 && s->config->in_loop && sf_seek(s->file, 0, SEEK_SET) == 0)
		n = sf_readf_double(s->file, s->raw, (sf_count_t)frames);
	return n > 0 ? (size_t)n : 0;
}

static double mapped(const struct file_source *s, const double *from, unsigned channel)
{
	unsigned have = (unsigned)s->info.channels;

	if (have == 1)
		return from[0];
	if (have == 2 && s->channels == 1)
		return (from[0] + from[1]) / 2;
	return channel < have ? from[channel] : 0;
}

/* Frames of the guest's channels at the file's rate, in s->frames.  0 at the end. */
static size_t read_frames(struct file_source *s, size_t frames)
{
	size_t n = read_raw(s, frames < CHUNK_FRAMES ? frames : CHUNK_FRAMES);
	double *to = s->frames;

	for (size_t i = 0; i < n; i++) {
		for (unsigned c = 0; c < s->channels; c++)
			*to++ = mapped(s, s->raw + i * (size_t)s->info.channels, c);
	}
	return n;
}

static void refill(struct file_source *s)
{
	size_t n = read_frames(s, CHUNK_FRAMES);

	for (size_t i = 0; i < n * s->channels; i++)
		s->resample.in[i] = (float)s->frames[i];
	resample_filled(&s->resample, n);
	s->drained = n == 0;
}

/* The same at the guest's rate. */
static size_t read_resampled(struct file_source *s, size_t frames)
{
	size_t n;

	do {
		if (resample_is_empty(&s->resample) && !s->drained)
			refill(s);
		n = resample_take(&s->resample, s->after, frames < CHUNK_FRAMES ? frames : CHUNK_FRAMES,
			s->drained);
	} while (n == 0 && !s->drained);
	for (size_t i = 0; i < n * s->channels; i++)
		s->frames[i] = (double)s->after[i];
	return n;
}

size_t file_source_read(struct file_source *s, void *dst, size_t frames)
{
	uint8_t *to = dst;
	size_t n;

	if (!s->begun)
		open_file(s);
	if (!s->file)
		return 0;
	n = s->resample.state ? read_resampled(s, frames) : read_frames(s, frames);
	for (size_t i = 0; i < n * s->channels; i++, to += s->codec.bytes)
		sample_put(&s->codec, to, s->frames[i]);
	if (n == 0)
		close_file(s);
	return n;
}

int file_source_check(const char *path, const char **ret_reason)
{
	SF_INFO info = { 0 };
	SNDFILE *file = sf_open(path, SFM_READ, &info);

	if (!file) {
		*ret_reason = sf_strerror(NULL);
		return -EIO;
	}
	sf_close(file);
	return 0;
}
