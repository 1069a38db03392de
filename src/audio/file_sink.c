/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/file_sink.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "audio/os.h"

/* The most that a WAV header can count, less the header itself. */
#define WAV_BYTES_MAX (UINT32_MAX - 65536)
/* How often a file that fails is tried, and how often what is lost meanwhile is told. */
#define RETRY_NS 1000000000
#define LOST_AGAIN_NS 60000000000
/* Samples that are converted or made silent at a time. */
#define CHUNK_SAMPLES 4096

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

/*
 * What a format becomes in the WAV family, where samples are written as bytes, and
 * in FLAC, whose encoder takes 32-bit integers and keeps 24 bits.  Subtype 0: the
 * container cannot hold it.  DSD and IEC 958 are kept bit by bit as integers of the
 * same width: nothing to listen to, but nothing is lost.
 */
static const struct {
	int wav;
	uint8_t wav_format;
	int flac;
} formats[VSND_FORMATS] = {
	[VSND_FMT_MU_LAW] = { SF_FORMAT_ULAW, VSND_FMT_MU_LAW, 0 },
	[VSND_FMT_A_LAW] = { SF_FORMAT_ALAW, VSND_FMT_A_LAW, 0 },
	[VSND_FMT_S8] = { SF_FORMAT_PCM_U8, VSND_FMT_U8, SF_FORMAT_PCM_S8 },
	[VSND_FMT_U8] = { SF_FORMAT_PCM_U8, VSND_FMT_U8, SF_FORMAT_PCM_S8 },
	[VSND_FMT_S16] = { SF_FORMAT_PCM_16, VSND_FMT_S16, SF_FORMAT_PCM_16 },
	[VSND_FMT_U16] = { SF_FORMAT_PCM_16, VSND_FMT_S16, SF_FORMAT_PCM_16 },
	[VSND_FMT_S18_3] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_U18_3] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_S20_3] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_U20_3] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_S24_3] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_U24_3] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_S20] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_U20] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_S24] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_U24] = { SF_FORMAT_PCM_24, VSND_FMT_S24_3, SF_FORMAT_PCM_24 },
	[VSND_FMT_S32] = { SF_FORMAT_PCM_32, VSND_FMT_S32, 0 },
	[VSND_FMT_U32] = { SF_FORMAT_PCM_32, VSND_FMT_S32, 0 },
	[VSND_FMT_FLOAT] = { SF_FORMAT_FLOAT, VSND_FMT_FLOAT, 0 },
	[VSND_FMT_FLOAT64] = { SF_FORMAT_DOUBLE, VSND_FMT_FLOAT64, 0 },
	[VSND_FMT_DSD_U8] = { SF_FORMAT_PCM_U8, VSND_FMT_DSD_U8, 0 },
	[VSND_FMT_DSD_U16] = { SF_FORMAT_PCM_16, VSND_FMT_DSD_U16, 0 },
	[VSND_FMT_DSD_U32] = { SF_FORMAT_PCM_32, VSND_FMT_DSD_U32, 0 },
	[VSND_FMT_IEC958_SUBFRAME] = { SF_FORMAT_PCM_32, VSND_FMT_IEC958_SUBFRAME, 0 },
};

static int subtype_of(enum file_container container, unsigned format)
{
	return container == FILE_FLAC ? formats[format].flac : formats[format].wav;
}

static unsigned format_in(enum file_container container, unsigned format)
{
	return container == FILE_FLAC ? VSND_FMT_S32 : formats[format].wav_format;
}

static bool is_listenable(unsigned format)
{
	return format < VSND_FMT_DSD_U8;
}

/*
 * WAV's channel mask says which positions there are, and the channels follow its
 * bits, as in FLAC.  Positions that have no bit are not here.
 */
static const uint8_t wav_positions[] = {
	VSND_POS_FL, VSND_POS_FR, VSND_POS_FC, VSND_POS_LFE, VSND_POS_RL, VSND_POS_RR,
	VSND_POS_FLC, VSND_POS_FRC, VSND_POS_RC, VSND_POS_SL, VSND_POS_SR, VSND_POS_TC,
	VSND_POS_TFL, VSND_POS_TFC, VSND_POS_TFR, VSND_POS_TRL, VSND_POS_TRC, VSND_POS_TRR,
};

/* The same, as libsndfile calls them (FRONT_LEFT and its like make no mask). */
static const int sf_positions[] = {
	SF_CHANNEL_MAP_LEFT, SF_CHANNEL_MAP_RIGHT, SF_CHANNEL_MAP_CENTER,
	SF_CHANNEL_MAP_LFE, SF_CHANNEL_MAP_REAR_LEFT, SF_CHANNEL_MAP_REAR_RIGHT,
	SF_CHANNEL_MAP_FRONT_LEFT_OF_CENTER, SF_CHANNEL_MAP_FRONT_RIGHT_OF_CENTER,
	SF_CHANNEL_MAP_REAR_CENTER, SF_CHANNEL_MAP_SIDE_LEFT, SF_CHANNEL_MAP_SIDE_RIGHT,
	SF_CHANNEL_MAP_TOP_CENTER, SF_CHANNEL_MAP_TOP_FRONT_LEFT,
	SF_CHANNEL_MAP_TOP_FRONT_CENTER, SF_CHANNEL_MAP_TOP_FRONT_RIGHT,
	SF_CHANNEL_MAP_TOP_REAR_LEFT, SF_CHANNEL_MAP_TOP_REAR_CENTER,
	SF_CHANNEL_MAP_TOP_REAR_RIGHT,
};
#define WAV_POSITIONS (sizeof(wav_positions) / sizeof(wav_positions[0]))
static_assert(WAV_POSITIONS == sizeof(sf_positions) / sizeof(sf_positions[0]),
	"a position has no row");

/*
 * The order of the channels in the file, and their positions.  False, and both as
 * they come, where a position has no bit in the mask or two channels have the
 * same.  One and two channels need no mask.
 */
static bool order_channels(const struct vsnd_voice_params *params, uint8_t *order, int *map)
{
	unsigned n = 0;

	for (unsigned bit = 0; bit < WAV_POSITIONS; bit++) {
		unsigned found = 0;

		for (unsigned i = 0; i < params->channels; i++) {
			if (params->positions[i] != wav_positions[bit])
				continue;
			if (found++ > 0)
				return false;
			order[n] = (uint8_t)i;
			map[n++] = sf_positions[bit];
		}
	}
	return n == params->channels && n > 2;
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

/* How samples and channels get from the guest's layout into the file. */
static void sink_layout(struct file_sink *s, const struct vsnd_voice_params *params)
{
	uint8_t order[VSND_CHANNELS_MAX];

	s->has_map = order_channels(params, order, s->map);
	convert_init(&s->convert, params->format, format_in(s->container, params->format),
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

	if (container < 0 || params->format >= VSND_FORMATS ||
			subtype_of((enum file_container)container, params->format) == 0)
		return -EINVAL;
	info.format = containers[container].major |
		subtype_of((enum file_container)container, params->format);
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
	say(s, level, "stream %u goes here%s%s", s->stream,
		is_listenable(s->format) ? "" : ", as the bits of ",
		is_listenable(s->format) ? "" : vsnd_format_info(s->format)->name);
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
	file_sink_close(s);
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
	file_disk_close(&s->disk, s->file);
	s->file = NULL;
}

void file_sink_free(struct file_sink *s)
{
	assert(!s->file);
	free(s);
}
