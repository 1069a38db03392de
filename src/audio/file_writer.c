/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/file_writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "audio/os.h"
#include "audio/worker.h"

/* A track's FIFO holds so many seconds within so many bytes, two guest buffers in any case. */
#define FIFO_S 4
#define FIFO_BYTES_MAX (64u << 20)
/* Of WRITER_LIMIT_NS, what closing the files may take when nothing more is written. */
#define WRITER_CLOSE_NS 200000000
/* Silence that is written between two looks at give_up. */
#define SILENCE_FRAMES_MAX 65536

struct writer {
	const struct audio_file_config *config;
	pthread_t thread;
	atomic_bool give_up;	/* write no more, close the files */

	struct worker worker;
	/* Under its lock. */
	bool ending;
	struct track *tracks;
	struct file_sink *sinks;
	atomic_uint last_numbers[VSND_STREAMS_MAX];
};

/* Under the lock.  How long the writer may sleep, or -1 for ever. */
static int64_t sleep_ns(const struct writer *w)
{
	int64_t ns = -1;

	for (const struct track *t = w->tracks; t; t = t->next) {
		int64_t own_ns = w->config->fast ? WRITER_FAST_NS : t->fifo_ns / 4;

		if (!t->runs && !track_is_stuck(t))
			continue;
		if (track_is_stuck(t))
			own_ns = WRITER_RETRY_NS;
		if (ns < 0 || own_ns < ns)
			ns = own_ns;
	}
	return ns;
}

/* Returns false when the writer is to end. */
static bool wait_for_work(struct writer *w)
{
	bool ending;

	worker_lock(&w->worker);
	worker_sleep(&w->worker, sleep_ns(w));
	ending = w->ending;
	worker_unlock(&w->worker);
	return !ending;
}

/* What of a gap finds no place is left out: that is not the guest's.  False: the file fails. */
static bool write_gap(struct writer *w, struct track *t)
{
	uint64_t frames = fifo_take_gap(&t->fifo);

	while (frames > 0 && !atomic_load(&w->give_up)) {
		size_t some = frames < SILENCE_FRAMES_MAX ? (size_t)frames : SILENCE_FRAMES_MAX;

		if (file_sink_silence(t->sink, some) < some)
			return false;
		frames -= some;
	}
	return true;
}

/* What the file does not take stays in the FIFO. */
static void write_until(struct writer *w, struct track *t, uint64_t end)
{
	const void *data;
	size_t frames, done;

	file_sink_open(t->sink);
	while (!atomic_load(&w->give_up) && write_gap(w, t)) {
		data = fifo_peek(&t->fifo, end, &frames);
		if (frames == 0)
			break;
		done = file_sink_write(t->sink, data, frames);
		fifo_take(&t->fifo, done);
		if (done < frames)
			break;
	}
	file_sink_save(t->sink);
}

static void lose_until(struct track *t, uint64_t end)
{
	size_t frames;

	for (;;) {
		fifo_take_gap(&t->fifo);
		fifo_peek(&t->fifo, end, &frames);
		if (frames == 0)
			break;
		fifo_take(&t->fifo, frames);
		file_sink_lost(t->sink, frames);
	}
}

/*
 * Write what is in a track's FIFO now, not what comes meanwhile.  @last: nothing comes any
 * more, and nobody waits for a file that fails.
 */
static void drain(struct writer *w, struct track *t, bool last)
{
	uint64_t end = fifo_end(&t->fifo);

	/* First: it is lost for what has been the reason so far. */
	file_sink_lost(t->sink, atomic_exchange(&t->discarded, 0));
	if (last || file_sink_may_try(t->sink))
		write_until(w, t, end);
	if (last)
		lose_until(t, end);
}

static void free_track(struct track *t)
{
	fifo_free(&t->fifo);
	free(t);
}

/* Under the lock. */
static void unlink_track(struct writer *w, struct track *t)
{
	struct track **link = &w->tracks;

	while (*link != t)
		link = &(*link)->next;
	*link = t->next;
}

static void drain_all(struct writer *w)
{
	struct track *t, *next;
	bool left;

	worker_lock(&w->worker);
	for (t = w->tracks; t; t = next) {
		left = t->left;
		worker_unlock(&w->worker);
		drain(w, t, left);
		worker_lock(&w->worker);
		next = t->next;
		if (left) {
			unlink_track(w, t);
			free_track(t);
		}
	}
	worker_unlock(&w->worker);
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	bool goes_on;

	pthread_setname_np(pthread_self(), "vsnd-file");
	do {
		goes_on = wait_for_work(w);
		drain_all(w);
	} while (goes_on);
	for (struct file_sink *s = w->sinks; s; s = s->next)
		file_sink_close(s);
	worker_lock(&w->worker);
	worker_end(&w->worker);
	worker_unlock(&w->worker);
	return NULL;
}

static void free_writer(struct writer *w)
{
	struct file_sink *s, *next;

	for (s = w->sinks; s; s = next) {
		next = s->next;
		file_sink_free(s);
	}
	worker_fini(&w->worker);
	free(w);
}

int writer_create(const struct audio_file_config *config, struct writer **ret_writer)
{
	struct writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->config = config;
	err = worker_init(&w->worker);
	if (err < 0) {
		free(w);
		return err;
	}
	err = audio_thread_start(writer_main, w, &w->thread);
	if (err < 0) {
		free_writer(w);
		return err;
	}
	*ret_writer = w;
	return 0;
}

/* The sink of a stream and its parameters, made when there is none. */
static int find_sink(struct writer *w, const struct vsnd_voice_params *params,
		struct file_sink **ret_sink)
{
	struct file_sink *s = w->sinks;
	int err;

	while (s && !file_sink_fits(s, params))
		s = s->next;
	if (!s) {
		err = file_sink_create(w->config, params, &w->last_numbers[params->stream], &s);
		if (err < 0)
			return err;
		worker_lock(&w->worker);
		s->next = w->sinks;
		w->sinks = s;
		worker_unlock(&w->worker);
	}
	*ret_sink = s;
	return 0;
}

static size_t fifo_frames(const struct vsnd_voice_params *params)
{
	size_t by_time = (size_t)params->rate_hz * FIFO_S;
	size_t by_buffer = (size_t)params->buffer_frames * 2;
	size_t most = FIFO_BYTES_MAX / params->frame_bytes;

	if (by_time > most)
		by_time = most;
	return by_time > by_buffer ? by_time : by_buffer;
}

int writer_add(struct writer *w, const struct vsnd_voice_params *params,
		struct track **ret_track)
{
	struct track *t, **link;
	int err;

	t = aligned_alloc(_Alignof(struct track), sizeof(*t));
	if (!t)
		return -ENOMEM;
	*t = (struct track){
		.fifo_ns = (int64_t)(fifo_frames(params) * NS_PER_S / params->rate_hz),
	};
	err = find_sink(w, params, &t->sink);
	if (err < 0)
		goto free_track;
	err = fifo_init(&t->fifo, fifo_frames(params), params->frame_bytes);
	if (err < 0)
		goto free_track;

	worker_lock(&w->worker);
	for (link = &w->tracks; *link; link = &(*link)->next)
		;
	*link = t;
	worker_wake(&w->worker);
	worker_unlock(&w->worker);
	*ret_track = t;
	return 0;

free_track:
	free(t);
	return err;
}

void writer_run(struct writer *w, struct track *t, bool runs)
{
	worker_lock(&w->worker);
	t->runs = runs;
	worker_wake(&w->worker);
	worker_unlock(&w->worker);
}

void writer_leave(struct writer *w, struct track *t)
{
	worker_lock(&w->worker);
	t->runs = false;
	t->left = true;
	worker_wake(&w->worker);
	worker_unlock(&w->worker);
}

bool writer_works(struct writer *w)
{
	bool works = true;

	worker_lock(&w->worker);
	for (const struct file_sink *s = w->sinks; s; s = s->next)
		works &= !atomic_load(&s->failing);
	worker_unlock(&w->worker);
	return works;
}

void writer_destroy(struct writer *w)
{
	bool ended;

	worker_lock(&w->worker);
	w->ending = true;
	worker_wake(&w->worker);
	ended = worker_ends_within(&w->worker, WRITER_LIMIT_NS - WRITER_CLOSE_NS);
	if (!ended) {
		atomic_store(&w->give_up, true);
		ended = worker_ends_within(&w->worker, WRITER_CLOSE_NS);
	}
	worker_unlock(&w->worker);
	if (ended) {
		pthread_join(w->thread, NULL);
		free_writer(w);
		return;
	}
	/* The thread hangs in the disk: what it uses must stay. */
	pthread_detach(w->thread);
	if (w->config->log.line)
		w->config->log.line(w->config->log.ctx, AUDIO_ERROR,
			"file: the disk does not take what is left; giving up");
}
