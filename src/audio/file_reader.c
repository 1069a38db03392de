/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/file_reader.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "audio/os.h"
#include "audio/worker.h"

/* The FIFO of a feed holds this many seconds, and two of the guest's buffers. */
#define FIFO_S 4
/* Frames that are read between two looks at whether the thread is to end. */
#define READ_FRAMES_MAX 16384

struct reader {
	const struct audio_file_config *config;
	pthread_t thread;
	atomic_bool ending;

	struct worker worker;
	/* Under its lock. */
	struct feed *feeds;
};

/* Under the lock.  How long the reader may sleep, or -1 for ever. */
static int64_t sleep_ns(const struct reader *r)
{
	for (const struct feed *f = r->feeds; f; f = f->next) {
		if (f->runs)
			return r->config->fast ? READER_FAST_NS : READER_PACED_NS;
	}
	return -1;
}

static void wait_for_work(struct reader *r)
{
	worker_lock(&r->worker);
	worker_sleep(&r->worker, sleep_ns(r));
	worker_unlock(&r->worker);
}

bool feed_is_ready(const struct feed *f)
{
	return atomic_load_explicit(&f->ended, memory_order_acquire) || fifo_end(&f->fifo) > 0;
}

static void log_late(const struct reader *r, struct feed *f)
{
	uint64_t late = atomic_exchange(&f->late, 0);
	char text[128];

	if (late == 0 || !r->config->log.line)
		return;
	snprintf(text, sizeof(text), "file: the disk is too slow: %llu frames of silence recorded",
		(unsigned long long)late);
	r->config->log.line(r->config->log.ctx, AUDIO_WARN, text);
}

/* Fill a feed's FIFO, or come to the end of its source. */
static void fill(struct reader *r, struct feed *f)
{
	while (!atomic_load(&r->ending) && !atomic_load(&f->ended)) {
		size_t room, n;
		void *place = fifo_place(&f->fifo, &room);

		if (room == 0)
			break;
		n = file_source_read(f->source, place,
			room < READ_FRAMES_MAX ? room : READ_FRAMES_MAX);
		fifo_put(&f->fifo, n);
		if (n == 0)
			atomic_store_explicit(&f->ended, true, memory_order_release);
	}
	log_late(r, f);
}

static void free_feed(struct feed *f)
{
	file_source_free(f->source);
	fifo_free(&f->fifo);
	free(f);
}

/* Under the lock. */
static void unlink_feed(struct reader *r, struct feed *f)
{
	struct feed **link = &r->feeds;

	while (*link != f)
		link = &(*link)->next;
	*link = f->next;
}

static void fill_all(struct reader *r)
{
	struct feed *f, *next;
	bool left;

	worker_lock(&r->worker);
	for (f = r->feeds; f; f = next) {
		left = f->left;
		worker_unlock(&r->worker);
		if (!left)
			fill(r, f);
		worker_lock(&r->worker);
		next = f->next;
		if (left) {
			unlink_feed(r, f);
			free_feed(f);
		}
	}
	worker_unlock(&r->worker);
}

static void *reader_main(void *arg)
{
	struct reader *r = arg;

	pthread_setname_np(pthread_self(), "vsnd-file-in");
	do {
		wait_for_work(r);
		fill_all(r);
	} while (!atomic_load(&r->ending));
	worker_lock(&r->worker);
	worker_end(&r->worker);
	worker_unlock(&r->worker);
	return NULL;
}

static void free_reader(struct reader *r)
{
	struct feed *f, *next;

	for (f = r->feeds; f; f = next) {
		next = f->next;
		free_feed(f);
	}
	worker_fini(&r->worker);
	free(r);
}

int reader_create(const struct audio_file_config *config, struct reader **ret_reader)
{
	struct reader *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->config = config;
	err = worker_init(&r->worker);
	if (err < 0) {
		free(r);
		return err;
	}
	err = audio_thread_start(reader_main, r, &r->thread);
	if (err < 0) {
		free_reader(r);
		return err;
	}
	*ret_reader = r;
	return 0;
}

static size_t fifo_frames(const struct vsnd_voice_params *params)
{
	size_t by_time = (size_t)params->rate_hz * FIFO_S;
	size_t by_buffer = (size_t)params->buffer_frames * 2;

	return by_time > by_buffer ? by_time : by_buffer;
}

int reader_add(struct reader *r, const struct vsnd_voice_params *params, struct feed **ret_feed)
{
	struct feed *f = aligned_alloc(_Alignof(struct feed), sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	*f = (struct feed){ 0 };
	err = file_source_create(r->config, params, &f->source);
	if (err < 0)
		goto free_feed;
	err = fifo_init(&f->fifo, fifo_frames(params), params->frame_bytes);
	if (err < 0)
		goto free_source;

	worker_lock(&r->worker);
	f->next = r->feeds;
	r->feeds = f;
	worker_wake(&r->worker);
	worker_unlock(&r->worker);
	*ret_feed = f;
	return 0;

free_source:
	file_source_free(f->source);
free_feed:
	free(f);
	return err;
}

void reader_run(struct reader *r, struct feed *f, bool runs)
{
	worker_lock(&r->worker);
	f->runs = runs;
	worker_wake(&r->worker);
	worker_unlock(&r->worker);
}

void reader_leave(struct reader *r, struct feed *f)
{
	worker_lock(&r->worker);
	f->runs = false;
	f->left = true;
	worker_wake(&r->worker);
	worker_unlock(&r->worker);
}

void reader_destroy(struct reader *r)
{
	bool ended;

	if (!r)
		return;
	worker_lock(&r->worker);
	atomic_store(&r->ending, true);
	worker_wake(&r->worker);
	ended = worker_ends_within(&r->worker, READER_LIMIT_NS);
	worker_unlock(&r->worker);
	if (ended) {
		pthread_join(r->thread, NULL);
		free_reader(r);
		return;
	}
	/* The thread hangs in the disk: what it uses must stay. */
	pthread_detach(r->thread);
}
