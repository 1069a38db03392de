/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end that plays into files (libsndfile), one per stream, and records
 * from one: for tests, for recording what a guest plays, for machines without
 * sound.
 *
 * The audio thread pulls from guest memory into the FIFO of the voice's track,
 * the one copy, and the writer (file_writer.h) brings it to the disk.
 *
 * A file holds the guest's frames and the gaps between them.  Frames that the
 * guest owes are counted, and become silence once a frame follows them; before
 * the first frame after a start and at a stop they are dropped.  A disk that is
 * behind by the whole FIFO costs frames, which become a gap, never time.
 *
 * So does a file that fails, on a full disk for example: the guest's frames are taken
 * at pace and discarded, as without a host, and connected() says it.  These become no
 * gap: nobody wants a night of silence on a disk that has just got some room.
 *
 * An input reads ahead (file_reader.h) from PREPARE on, each voice from the file's
 * begin, and the audio thread pushes from that FIFO.  A recording begins with the
 * file's first frame: until that is there, nothing is pushed, for START_LIMIT_S at
 * most.  Afterwards what the disk does not give in time is silence.
 *
 * In fast mode there is no clock: whenever the thread turns, the voice takes
 * all that the guest has queued or gives all it has room for, and waits only for
 * the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audio/audio.h"
#include "audio/file_reader.h"
#include "audio/file_writer.h"
#include "audio/os.h"
#include "audio/pace.h"

struct vsnd_audio {
	const struct audio_file_config *config;
	struct pace *pace;
	struct writer *writer;
	struct reader *reader;	/* NULL: inputs are silent */
	int64_t refused_ns;	/* when a voice's refusal was logged last */
};

/* How long a recording waits for its first frame. */
#define START_LIMIT_S 1

struct vsnd_voice {
	struct pace_voice base;
	struct vsnd_audio *audio;
	uint32_t rate_hz;
	struct track *track;	/* NULL: an input, or nothing is to be written */
	struct feed *feed;	/* NULL: an output, or silent */
	/* The audio thread's while the voice runs. */
	bool begun;		/* a frame has come since the start */
	uint64_t gap_frames;	/* missing since the last one */
	uint64_t waited_frames;	/* for the first one of a feed */
};

/* A directory that lets us make a file, or a file that lets us write it. */
static int check_path(const char *path, const char **ret_reason)
{
	char dir[PATH_MAX];
	char *slash;
	struct stat st;
	int err;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		*ret_reason = "not an ordinary file";
		return -EEXIST;
	}
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0)
		return 0;
	if (errno == ENOENT) {
		snprintf(dir, sizeof(dir), "%s", path);
		slash = strrchr(dir, '/');
		if (slash)
			slash[slash == dir ? 1 : 0] = '\0';
		if (faccessat(AT_FDCWD, slash ? dir : ".", W_OK | X_OK, AT_EACCESS) == 0)
			return 0;
	}
	err = -errno;
	*ret_reason = strerror(errno);
	return err;
}

static int check_pattern(const struct audio_file_config *config, const char **ret_reason)
{
	char path[PATH_MAX], other[PATH_MAX];
	int err;

	if (file_container_of(config->pattern) < 0) {
		*ret_reason = "the name must end in .wav, .w64 or .flac";
		return -EINVAL;
	}
	for (unsigned i = 0; i < config->outputs; i++) {
		err = file_path(config->pattern, i, 1, path);
		if (err < 0) {
			*ret_reason = err == -EINVAL ? "% must be followed by s or %"
				: strerror(-err);
			return err;
		}
		err = check_path(path, ret_reason);
		if (err < 0)
			return err;
	}
	if (config->outputs > 1 && file_path(config->pattern, 0, 1, other) == 0 &&
			strcmp(path, other) == 0) {
		*ret_reason = "more than one stream needs %s in the name";
		return -EINVAL;
	}
	return 0;
}

int audio_file_check(const struct audio_file_config *config, const char **ret_what,
		const char **ret_reason)
{
	int err = config->pattern ? check_pattern(config, ret_reason) : 0;

	*ret_what = err < 0 ? config->pattern : config->in;
	if (err < 0 || !config->in)
		return err;
	return file_source_check(config->in, ret_reason);
}

static int file_open(struct vsnd *dev, const void *config, struct vsnd_audio **ret_audio)
{
	struct vsnd_audio *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	a->config = config;
	a->refused_ns = -NS_PER_S;
	err = writer_create(a->config, &a->writer);
	if (err < 0)
		goto free_audio;
	if (a->config->in)
		err = reader_create(a->config, &a->reader);
	if (err < 0)
		goto destroy_writer;
	err = pace_create(dev, &a->pace);
	if (err < 0)
		goto destroy_reader;
	if (!a->config->fast)
		pace_realtime(a->pace, &a->config->log);
	*ret_audio = a;
	return 0;

destroy_reader:
	reader_destroy(a->reader);
destroy_writer:
	writer_destroy(a->writer);
free_audio:
	free(a);
	return err;
}

static void file_close(struct vsnd_audio *a)
{
	pace_destroy(a->pace);
	reader_destroy(a->reader);
	writer_destroy(a->writer);
	free(a);
}

static void file_wake(struct vsnd_audio *a)
{
	pace_wake(a->pace);
}

/* Pull @frames, which the FIFO has room for in one piece, into it. */
static void pull_piece(struct vsnd_voice *v, void *dst, size_t frames, int64_t delay_frames)
{
	struct fifo *f = &v->track->fifo;
	size_t got;

	if (v->gap_frames > 0 && vsnd_stream_queued(v->base.stream) > 0) {
		if (!fifo_put_gap(f, v->gap_frames))
			atomic_fetch_add(&v->track->discarded, v->gap_frames);
		v->gap_frames = 0;
	}
	got = vsnd_pull(v->base.stream, dst, frames, delay_frames);
	fifo_put(f, got);
	v->begun |= got > 0;
	if (v->begun)
		v->gap_frames += frames - got;
}

/* Audio thread.  The FIFO has room for @frames. */
static void pull_into_fifo(struct vsnd_voice *v, size_t frames)
{
	int64_t delay_frames = -(int64_t)frames;

	while (frames > 0) {
		size_t piece;
		void *dst = fifo_place(&v->track->fifo, &piece);

		if (piece > frames)
			piece = frames;
		pull_piece(v, dst, piece, delay_frames);
		delay_frames += (int64_t)piece;
		frames -= piece;
	}
}

static bool pull_nowhere(struct pace_voice *base, size_t frames)
{
	vsnd_pull(base->stream, NULL, frames, -(int64_t)frames);
	return true;
}

static void discard(struct vsnd_voice *v, size_t frames)
{
	size_t got = vsnd_pull(v->base.stream, NULL, frames, -(int64_t)frames);

	atomic_fetch_add(&v->track->discarded, got);
	if (v->begun && !track_is_stuck(v->track))
		v->gap_frames += frames;
}

static bool pull_paced(struct pace_voice *base, size_t frames)
{
	struct vsnd_voice *v = (struct vsnd_voice *)base;

	if (frames > fifo_room(&v->track->fifo))
		discard(v, frames);
	else
		pull_into_fifo(v, frames);
	return true;
}

static bool pull_what_fits(struct pace_voice *base, size_t frames)
{
	struct vsnd_voice *v = (struct vsnd_voice *)base;
	size_t room = fifo_room(&v->track->fifo);

	pull_into_fifo(v, frames < room ? frames : room);
	return frames <= room;
}

/* Without a clock: it waits for a disk that is slow, and not for a file that fails. */
static bool pull_fast(struct pace_voice *base, size_t frames)
{
	struct vsnd_voice *v = (struct vsnd_voice *)base;
	size_t room = fifo_room(&v->track->fifo);

	if (frames <= room || !track_is_stuck(v->track))
		return pull_what_fits(base, frames);
	pull_into_fifo(v, room);
	discard(v, frames - room);
	return true;
}

static bool push_silence(struct pace_voice *base, size_t frames)
{
	vsnd_push(base->stream, NULL, frames, 0);
	return true;
}

/* Push at most @frames that the reader has brought.  Returns how many there were. */
static size_t push_from_fifo(struct vsnd_voice *v, size_t frames)
{
	struct fifo *f = &v->feed->fifo;
	uint64_t end = fifo_end(f);
	size_t done = 0, piece;

	while (done < frames) {
		const void *src = fifo_peek(f, end, &piece);

		if (piece == 0)
			break;
		if (piece > frames - done)
			piece = frames - done;
		done += piece;
		vsnd_push(v->base.stream, src, piece, (int64_t)(frames - done));
		fifo_take(f, piece);
	}
	return done;
}

/* The recording has not begun: its first frames are not there yet. */
static bool waits_for_begin(struct vsnd_voice *v, size_t frames)
{
	if (v->begun || feed_is_ready(v->feed) ||
			v->waited_frames >= (uint64_t)v->rate_hz * START_LIMIT_S) {
		v->begun = true;
		return false;
	}
	v->waited_frames += frames;
	return true;
}

static bool push_paced(struct pace_voice *base, size_t frames)
{
	struct vsnd_voice *v = (struct vsnd_voice *)base;
	bool ended = atomic_load_explicit(&v->feed->ended, memory_order_acquire);
	size_t got;

	if (waits_for_begin(v, frames))
		return true;
	got = push_from_fifo(v, frames);
	if (got == frames)
		return true;
	if (!ended)
		atomic_fetch_add(&v->feed->late, frames - got);
	return push_silence(base, frames - got);
}

/* As much as the guest has room for; what the disk has not brought yet comes later. */
static bool push_what_is_there(struct pace_voice *base, size_t frames)
{
	struct vsnd_voice *v = (struct vsnd_voice *)base;
	bool ended = atomic_load_explicit(&v->feed->ended, memory_order_acquire);
	size_t got = push_from_fifo(v, frames);

	if (got < frames && ended)
		return push_silence(base, frames - got);
	return got == frames;
}

/* A guest can cause this as often as it likes. */
static void log_refusal(struct vsnd_audio *a, const struct vsnd_voice_params *params)
{
	const struct vsnd_format_info *format = vsnd_format_info(params->format);
	char text[200];
	int64_t now_ns = audio_now_ns();

	if (!a->config->log.line || now_ns - a->refused_ns < NS_PER_S)
		return;
	a->refused_ns = now_ns;
	snprintf(text, sizeof(text),
		"file: stream %u: this kind of file cannot %s %s, %u channels, %u Hz", params->stream,
		params->direction == VSND_INPUT ? "give" : "hold",
		format ? format->name : "this format", params->channels, params->rate_hz);
	a->config->log.line(a->config->log.ctx, AUDIO_WARN, text);
}

static int open_output(struct vsnd_voice *v, const struct vsnd_voice_params *params)
{
	struct vsnd_audio *a = v->audio;

	v->base.move = pull_nowhere;
	if (!a->config->pattern)
		return 0;
	v->base.move = a->config->fast ? pull_fast : pull_paced;
	return writer_add(a->writer, params, &v->track);
}

static int open_input(struct vsnd_voice *v, const struct vsnd_voice_params *params)
{
	struct vsnd_audio *a = v->audio;

	v->base.move = push_silence;
	if (!a->reader)
		return 0;
	v->base.move = a->config->fast ? push_what_is_there : push_paced;
	return reader_add(a->reader, params, &v->feed);
}

static int file_voice_open(struct vsnd_audio *a, struct vsnd_stream *stream,
		const struct vsnd_voice_params *params, struct vsnd_voice **ret_voice)
{
	struct vsnd_voice *v = calloc(1, sizeof(*v));
	int err;

	if (!v)
		return -ENOMEM;
	v->audio = a;
	v->rate_hz = params->rate_hz;
	err = params->direction == VSND_INPUT ? open_input(v, params) : open_output(v, params);
	if (err < 0) {
		if (err == -EINVAL)
			log_refusal(a, params);
		free(v);
		return err;
	}
	v->base.has_clock = !a->config->fast;
	pace_voice_init(&v->base, a->pace, stream, params);
	*ret_voice = v;
	return 0;
}

/* Whether the voice's thread at the disk has to look by itself. */
static void disk_run(struct vsnd_voice *v, bool runs)
{
	if (v->track)
		writer_run(v->audio->writer, v->track, runs);
	if (v->feed)
		reader_run(v->audio->reader, v->feed, runs);
}

static void file_voice_start(struct vsnd_voice *v)
{
	v->begun = false;
	v->gap_frames = 0;
	v->waited_frames = 0;
	pace_voice_start(&v->base);
	disk_run(v, true);
}

static void file_voice_stop(struct vsnd_voice *v)
{
	pace_voice_stop(&v->base);
	v->gap_frames = 0;
	disk_run(v, false);
}

static void flush(struct pace_voice *base)
{
	struct vsnd_voice *v = (struct vsnd_voice *)base;
	size_t queued = vsnd_stream_queued(base->stream);

	if (v->track)
		pull_what_fits(base, queued);
	else
		pull_nowhere(base, queued);
}

static void file_voice_flush(struct vsnd_voice *v)
{
	pace_voice_call(&v->base, flush);
}

static void file_voice_close(struct vsnd_voice *v)
{
	if (v->track)
		writer_leave(v->audio->writer, v->track);
	if (v->feed)
		reader_leave(v->audio->reader, v->feed);
	free(v);
}

static bool file_connected(const struct vsnd_audio *a)
{
	return writer_works(a->writer);
}

static const struct vsnd_audio_ops file_ops = {
	.name = "file",
	.open = file_open,
	.close = file_close,
	.wake = file_wake,
	.voice_open = file_voice_open,
	.voice_start = file_voice_start,
	.voice_stop = file_voice_stop,
	.voice_flush = file_voice_flush,
	.voice_close = file_voice_close,
	.connected = file_connected,
};

const struct vsnd_audio_ops *const audio_file_ops = &file_ops;
