/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/file_sink.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "audio/os.h"

/* The most that a WAV header can count, less the header itself. */
#define WAV_BYTES_MAX (UINT32_MAX - 65536)
/* Samples that are converted or made silent at a time. */
#define CHUNK_SAMPLES 4096

/* How samples get from the guest's layout into the file. */
enum transfer {
	TRANSFER_NONE,
	TRANSFER_RAW,
	TRANSFER_S16,		/* through int, sample in the upper bits */
	TRANSFER_S24
};

static const struct {
	const char *suffix;
	int major;
} containers[] = {
	[FILE_WAV] = { ".wav", SF_FORMAT_WAV },
	[FILE_W64] = { ".w64", SF_FORMAT_W64 },
	[FILE_FLAC] = { ".flac", SF_FORMAT_FLAC },
};
static_assert(sizeof(containers) / sizeof(containers[0]) == FILE_CONTAINERS,
	"a container has no row");

/* A format's place in the WAV family, and in FLAC.  Formats without a row have none. */
static const struct {
	int subtype;
	uint8_t wav, flac;
} formats[VSND_FORMATS] = {
	[VSND_FMT_MU_LAW] = { SF_FORMAT_ULAW, TRANSFER_RAW, TRANSFER_NONE },
	[VSND_FMT_A_LAW] = { SF_FORMAT_ALAW, TRANSFER_RAW, TRANSFER_NONE },
	[VSND_FMT_U8] = { SF_FORMAT_PCM_U8, TRANSFER_RAW, TRANSFER_NONE },
	[VSND_FMT_S16] = { SF_FORMAT_PCM_16, TRANSFER_RAW, TRANSFER_S16 },
	[VSND_FMT_S24_3] = { SF_FORMAT_PCM_24, TRANSFER_RAW, TRANSFER_NONE },
	[VSND_FMT_S24] = { SF_FORMAT_PCM_24, TRANSFER_S24, TRANSFER_S24 },
	[VSND_FMT_S32] = { SF_FORMAT_PCM_32, TRANSFER_RAW, TRANSFER_NONE },
	[VSND_FMT_FLOAT] = { SF_FORMAT_FLOAT, TRANSFER_RAW, TRANSFER_NONE },
	[VSND_FMT_FLOAT64] = { SF_FORMAT_DOUBLE, TRANSFER_RAW, TRANSFER_NONE },
};

static enum transfer transfer_of(enum file_container container, unsigned format)
{
	return container == FILE_FLAC ? formats[format].flac : formats[format].wav;
}

static const char *suffix_of(const char *pattern)
{
	const char *dot = strrchr(pattern, '.');

	return dot && !strchr(dot, '/') ? dot : pattern + strlen(pattern);
}

int file_container_of(const char *pattern)
{
	const char *suffix = suffix_of(pattern);

	for (int i = 0; i < FILE_CONTAINERS; i++) {
		if (strcasecmp(suffix, containers[i].suffix) == 0)
			return i;
	}
	return -EINVAL;
}

int file_path(const char *pattern, unsigned stream, unsigned number, char path[PATH_MAX])
{
	const char *suffix = suffix_of(pattern);
	size_t used = 0;

	for (const char *p = pattern; *p; p++) {
		char piece[32] = { *p };

		if (p == suffix && number > 1)
			snprintf(piece, sizeof(piece), "-%u%c", number, *p);
		if (*p == '%') {
			p++;
			if (*p == 's')
				snprintf(piece, sizeof(piece), "%u", stream);
			else if (*p != '%')
				return -EINVAL;
		}
		if (strlen(piece) >= PATH_MAX - used)
			return -ENAMETOOLONG;
		memcpy(path + used, piece, strlen(piece));
		used += strlen(piece);
	}
	path[used] = '\0';
	return used > 0 ? 0 : -EINVAL;
}

int file_sink_create(const struct audio_file_config *config,
		const struct vsnd_voice_params *params, atomic_uint *last_number,
		struct file_sink **ret_sink)
{
	int container = file_container_of(config->pattern);
	struct file_sink *s;
	SF_INFO info = {
		.samplerate = (int)params->rate_hz,
		.channels = params->channels,
	};

	if (container < 0 || params->format >= VSND_FORMATS ||
			transfer_of((enum file_container)container, params->format) == TRANSFER_NONE)
		return -EINVAL;
	info.format = containers[container].major | formats[params->format].subtype;
	if (!sf_format_check(&info))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	*s = (struct file_sink){
		.stream = params->stream,
		.format = params->format,
		.info = info,
		.container = (enum file_container)container,
		.frame_bytes = params->frame_bytes,
		.pattern = config->pattern,
		.log = &config->log,
		.last_number = last_number,
		.bytes_max = container == FILE_WAV ? WAV_BYTES_MAX : INT64_MAX,
		.number = atomic_fetch_add(last_number, 1) + 1,
		.logged_ns = INT64_MIN / 2,
		.tried_ns = INT64_MIN / 2,
	};
	*ret_sink = s;
	return 0;
}

bool file_sink_fits(const struct file_sink *s, const struct vsnd_voice_params *params)
{
	return s->stream == params->stream && s->format == params->format &&
		s->info.channels == params->channels &&
		s->info.samplerate == (int)params->rate_hz;
}

static void log_line(const struct file_sink *s, enum audio_level level, const char *text)
{
	if (s->log->line)
		s->log->line(s->log->ctx, level, text);
}

/* Tell of the losses so far, unless the last line was less than a second ago. */
static void log_lost(struct file_sink *s, bool at_once)
{
	char path[PATH_MAX], text[PATH_MAX + 200];
	int64_t now_ns = audio_now_ns();

	if (s->lost == 0 || (!at_once && now_ns - s->logged_ns < NS_PER_S))
		return;
	if (file_path(s->pattern, s->stream, s->number, path) < 0)
		return;
	snprintf(text, sizeof(text), "file: %s: %llu frames lost: %s", path,
		(unsigned long long)s->lost, s->reason);
	log_line(s, AUDIO_WARN, text);
	s->logged_ns = now_ns;
	s->lost = 0;
}

void file_sink_lost(struct file_sink *s, uint64_t frames, const char *reason)
{
	if (frames == 0)
		return;
	s->lost += frames;
	s->reason = reason;
	log_lost(s, false);
}

void file_sink_open(struct file_sink *s)
{
	char path[PATH_MAX], text[PATH_MAX + 200];
	SF_INFO info = s->info;
	int64_t now_ns = audio_now_ns();

	if (s->file || now_ns - s->tried_ns < NS_PER_S)
		return;
	s->tried_ns = now_ns;
	if (file_path(s->pattern, s->stream, s->number, path) < 0)
		return;
	s->file = sf_open(path, SFM_WRITE, &info);
	if (!s->file) {
		snprintf(text, sizeof(text), "file: %s: %s", path, sf_strerror(NULL));
		log_line(s, AUDIO_WARN, text);
		return;
	}
	s->frames = 0;
	s->torn = false;
	/* Raw writes would leave the peaks of a PEAK chunk at zero. */
	sf_command(s->file, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
	if (s->container != FILE_FLAC) {
		sf_command(s->file, SFC_SET_UPDATE_HEADER_AUTO, NULL, SF_TRUE);
		sf_command(s->file, SFC_UPDATE_HEADER_NOW, NULL, 0);
	}
	snprintf(text, sizeof(text), "file: stream %u goes to %s", s->stream, path);
	log_line(s, AUDIO_INFO, text);
}

/* Returns the whole frames that were written. */
static size_t write_raw(struct file_sink *s, const void *frames, size_t n)
{
	sf_count_t bytes = sf_write_raw(s->file, frames, (sf_count_t)(n * s->frame_bytes));

	return bytes < 0 ? 0 : (size_t)bytes / s->frame_bytes;
}

static void widen(int *dst, const uint8_t *src, size_t samples, enum transfer transfer)
{
	for (size_t i = 0; i < samples; i++) {
		uint32_t wide;

		if (transfer == TRANSFER_S16) {
			uint16_t le;

			memcpy(&le, src + i * sizeof(le), sizeof(le));
			wide = (uint32_t)le16toh(le) << 16;
		} else {
			uint32_t le;

			memcpy(&le, src + i * sizeof(le), sizeof(le));
			wide = le32toh(le) << 8;
		}
		memcpy(&dst[i], &wide, sizeof(wide));
	}
}

static size_t write_widened(struct file_sink *s, const void *frames, size_t n,
		enum transfer transfer)
{
	int wide[CHUNK_SAMPLES];
	size_t channels = (size_t)s->info.channels;
	size_t done = 0;

	while (done < n) {
		size_t some = n - done < CHUNK_SAMPLES / channels ? n - done
			: CHUNK_SAMPLES / channels;
		const uint8_t *src = (const uint8_t *)frames + done * s->frame_bytes;
		sf_count_t written;

		widen(wide, src, some * channels, transfer);
		written = sf_writef_int(s->file, wide, (sf_count_t)some);
		if (written > 0)
			done += (size_t)written;
		if (written != (sf_count_t)some)
			break;
	}
	return done;
}

/* Go to where the last whole frame ends.  False if the disk does not let us. */
static bool mend(struct file_sink *s)
{
	if (s->torn && sf_seek(s->file, (sf_count_t)s->frames, SEEK_SET) >= 0)
		s->torn = false;
	return !s->torn;
}

static void next_file_if_full(struct file_sink *s, size_t n)
{
	if (!s->file || s->frames * s->frame_bytes + n * s->frame_bytes <= s->bytes_max)
		return;
	file_sink_close(s);
	s->number = atomic_fetch_add(s->last_number, 1) + 1;
	s->tried_ns = INT64_MIN / 2;
}

void file_sink_write(struct file_sink *s, const void *frames, size_t n)
{
	enum transfer transfer = transfer_of(s->container, s->format);
	size_t done = 0;

	next_file_if_full(s, n);
	file_sink_open(s);
	if (!s->file) {
		file_sink_lost(s, n, "the file cannot be opened");
		return;
	}
	if (mend(s)) {
		done = transfer == TRANSFER_RAW ? write_raw(s, frames, n)
			: write_widened(s, frames, n, transfer);
		s->frames += done;
	}
	if (done < n) {
		s->torn = true;
		file_sink_lost(s, n - done, sf_strerror(s->file));
	} else {
		log_lost(s, false);
	}
}

void file_sink_silence(struct file_sink *s, size_t n)
{
	uint8_t chunk[CHUNK_SAMPLES * 8];
	size_t channels = (size_t)s->info.channels;
	size_t chunk_frames = CHUNK_SAMPLES / channels;

	assert(channels * chunk_frames * 8 <= sizeof(chunk));
	vsnd_silence(chunk, s->format, chunk_frames * channels);
	while (n > 0) {
		size_t some = n < chunk_frames ? n : chunk_frames;

		file_sink_write(s, chunk, some);
		n -= some;
	}
}

void file_sink_close(struct file_sink *s)
{
	log_lost(s, true);
	if (s->file)
		sf_close(s->file);
	s->file = NULL;
}

void file_sink_free(struct file_sink *s)
{
	assert(!s->file);
	free(s);
}
