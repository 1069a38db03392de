/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/file_sink.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/os.h"

/* The most that a WAV header can count, less the header itself. */
#define WAV_BYTES_MAX (UINT32_MAX - 65536)
/* How often a file that fails is tried, and how often what is lost meanwhile is told. */
#define RETRY_NS 1000000000
#define LOST_AGAIN_NS 60000000000
/* Samples that are converted or made silent at a time. */
#define CHUNK_SAMPLES 4096

/* How samples and channels get from the guest's layout into the file. */
static void sink_layout(struct file_sink *s, const struct vsnd_voice_params *params)
{
	uint8_t order[VSND_CHANNELS_MAX];

	s->has_map = file_channel_order(params, order, s->map);
	convert_init(&s->convert, params->format, file_format_in(s->container, params->format),
		params->channels, s->has_map ? order : NULL);
	s->out_frame_bytes = (uint32_t)s->convert.out_bytes * params->channels;
	memcpy(s->positions, params->positions, sizeof(s->positions));
	if (s->has_map && s->container == FILE_WAV)
		s->info.format = SF_FORMAT_WAVEX | (s->info.format & SF_FORMAT_SUBMASK);
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

	if (container < 0)
		return -EINVAL;
	info.format = file_format_of((enum file_container)container, params->format);
	if (info.format == 0 || !sf_format_check(&info))
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
	sink_layout(s, params);
	*ret_sink = s;
	return 0;
}

bool file_sink_fits(const struct file_sink *s, const struct vsnd_voice_params *params)
{
	return s->stream == params->stream && s->format == params->format &&
		s->info.channels == params->channels &&
		s->info.samplerate == (int)params->rate_hz &&
		memcmp(s->positions, params->positions, sizeof(s->positions)) == 0;
}

/* Say of the file what @fmt says behind its name. */
__attribute__((format(printf, 3, 4)))
static void say(const struct file_sink *s, enum audio_level level, const char *fmt, ...)
{
	char path[PATH_MAX], what[200], text[PATH_MAX + 256];
	va_list ap;

	if (!s->log->line || file_path(s->pattern, s->stream, s->number, path) < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "file: %s: %s", path, what);
	s->log->line(s->log->ctx, level, text);
}

static void say_working(const struct file_sink *s, enum audio_level level)
{
	if (file_format_is_listenable(s->format))
		say(s, level, "stream %u goes here", s->stream);
	else
		say(s, level, "stream %u goes here, as the bits of %s", s->stream,
			vsnd_format_info(s->format)->name);
}

/* Tell of the losses so far, unless the last line was not long ago. */
static void log_lost(struct file_sink *s, bool at_once)
{
	int64_t now_ns = audio_now_ns(), pause_ns = atomic_load(&s->failing) ? LOST_AGAIN_NS : NS_PER_S;

	if (s->lost == 0 || (!at_once && now_ns - s->logged_ns < pause_ns))
		return;
	say(s, AUDIO_WARN, "%llu frames lost: %s", (unsigned long long)s->lost, s->reason);
	s->logged_ns = now_ns;
	s->lost = 0;
}

void file_sink_lost(struct file_sink *s, uint64_t frames)
{
	if (frames == 0)
		return;
	s->lost += frames;
	if (!atomic_load(&s->failing))
		s->reason = "the disk is too slow";
	log_lost(s, false);
}

static void set_failing(struct file_sink *s, const char *reason)
{
	s->reason = reason;
	s->failed_ns = audio_now_ns();
	if (!atomic_exchange(&s->failing, true))
		say(s, AUDIO_WARN, "%s; trying again", reason);
}

static void set_working(struct file_sink *s)
{
	if (!atomic_load(&s->failing))
		return;
	log_lost(s, true);
	atomic_store(&s->failing, false);
	say_working(s, AUDIO_WARN);
}

bool file_sink_may_try(const struct file_sink *s)
{
	return !atomic_load(&s->failing) || audio_now_ns() - s->failed_ns >= RETRY_NS;
}

void file_sink_open(struct file_sink *s)
{
	char path[PATH_MAX];
	SF_INFO info = s->info;
	int64_t now_ns = audio_now_ns();

	if (s->file || now_ns - s->tried_ns < RETRY_NS)
		return;
	s->tried_ns = now_ns;
	if (file_path(s->pattern, s->stream, s->number, path) < 0)
		return;
	s->file = file_disk_open(&s->disk, path, &info);
	if (!s->file) {
		set_failing(s, s->disk.error ? strerror(s->disk.error) : sf_strerror(NULL));
		return;
	}
	s->frames = 0;
	s->torn = false;
	if (s->has_map && s->container == FILE_WAV)
		sf_command(s->file, SFC_SET_CHANNEL_MAP_INFO, s->map,
			(int)sizeof(int) * s->info.channels);
	/* Raw writes would leave the peaks of a PEAK chunk at zero. */
	sf_command(s->file, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
	s->unsaved = true;
	file_sink_save(s);
	if (!atomic_load(&s->failing))
		say_working(s, AUDIO_INFO);
}

void file_sink_save(struct file_sink *s)
{
	if (s->file && s->unsaved && s->container != FILE_FLAC)
		sf_command(s->file, SFC_UPDATE_HEADER_NOW, NULL, 0);
	s->unsaved = false;
}

/* Write frames that are as the file wants them.  Returns how many were written. */
static size_t write_converted(struct file_sink *s, const void *frames, size_t n)
{
	sf_count_t bytes;

	if (s->container == FILE_FLAC) {
		sf_count_t written = sf_writef_int(s->file, frames, (sf_count_t)n);

		return written < 0 ? 0 : (size_t)written;
	}
	bytes = sf_write_raw(s->file, frames, (sf_count_t)(n * s->out_frame_bytes));
	return bytes < 0 ? 0 : (size_t)bytes / s->out_frame_bytes;
}

/* FLAC's samples are the encoder's ints, in the machine's byte order. */
static void to_native(const struct file_sink *s, uint32_t *samples, size_t n)
{
	if (s->container != FILE_FLAC)
		return;
	for (size_t i = 0; i < n; i++)
		samples[i] = le32toh(samples[i]);
}

static size_t write_frames(struct file_sink *s, const void *frames, size_t n)
{
	union {
		uint8_t bytes[CHUNK_SAMPLES * 8];
		uint32_t samples[CHUNK_SAMPLES];
		double align;
	} chunk;
	size_t channels = (size_t)s->info.channels;
	size_t done = 0;

	if (s->convert.same && s->container != FILE_FLAC)
		return write_converted(s, frames, n);
	while (done < n) {
		size_t some = n - done < CHUNK_SAMPLES / channels ? n - done
			: CHUNK_SAMPLES / channels;
		const uint8_t *src = (const uint8_t *)frames + done * s->frame_bytes;
		size_t written;

		convert_frames(&s->convert, &chunk, src, some);
		to_native(s, chunk.samples, some * channels);
		written = write_converted(s, &chunk, some);
		done += written;
		if (written != some)
			break;
	}
	return done;
}

static void close_file(struct file_sink *s)
{
	file_disk_close(&s->disk, s->file);
	s->file = NULL;
}

static void to_next_file(struct file_sink *s)
{
	s->number = atomic_fetch_add(s->last_number, 1) + 1;
	s->tried_ns = INT64_MIN / 2;
}

/* Go to where the last whole frame ends, or where that cannot be done to another file. */
static void mend(struct file_sink *s)
{
	if (!s->file || !s->torn)
		return;
	if (sf_seek(s->file, (sf_count_t)s->frames, SEEK_SET) >= 0) {
		s->torn = false;
		return;
	}
	close_file(s);
	/* One that has got nothing is no loss. */
	if (s->disk.length > 0)
		to_next_file(s);
}

static void next_file_if_full(struct file_sink *s, size_t n)
{
	if (!s->file || (s->frames + n) * s->out_frame_bytes <= s->bytes_max)
		return;
	file_sink_close(s);
	to_next_file(s);
}

size_t file_sink_write(struct file_sink *s, const void *frames, size_t n)
{
	size_t done;

	mend(s);
	next_file_if_full(s, n);
	file_sink_open(s);
	if (!s->file)
		return 0;
	done = write_frames(s, frames, n);
	s->frames += done;
	s->unsaved = true;
	if (done < n) {
		s->torn = true;
		set_failing(s, s->disk.error ? strerror(s->disk.error) : sf_strerror(s->file));
	} else {
		set_working(s);
		log_lost(s, false);
	}
	return done;
}

size_t file_sink_silence(struct file_sink *s, size_t n)
{
	uint8_t chunk[CHUNK_SAMPLES * 8];
	size_t channels = (size_t)s->info.channels;
	size_t chunk_frames = CHUNK_SAMPLES / channels;
	size_t done = 0;

	assert(channels * chunk_frames * 8 <= sizeof(chunk));
	vsnd_silence(chunk, s->format, chunk_frames * channels);
	while (done < n) {
		size_t some = n - done < chunk_frames ? n - done : chunk_frames;
		size_t written = file_sink_write(s, chunk, some);

		done += written;
		if (written < some)
			break;
	}
	return done;
}

void file_sink_close(struct file_sink *s)
{
	log_lost(s, true);
	close_file(s);
}

void file_sink_free(struct file_sink *s)
{
	assert(!s->file);
	free(s);
}
