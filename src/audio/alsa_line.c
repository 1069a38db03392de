/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stream's thread: all that has to do with its pcm.  It is one function, step(),
 * which looks at what is wanted and what is there, does what is next, and says how
 * long to wait.  What is not possible now is tried again by it, with back-off.
 */
#include "audio/alsa.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "audio/os.h"

#define BACKOFF_NS_MIN 100000000
#define BACKOFF_NS_MAX 2000000000
/* After an xrun, which has left the device with a full buffer; and while it wakes up. */
#define RECOVERED_NS 2000000
#define RESUME_NS 50000000
/* While another thread has its turn. */
#define TURN_RETRY_NS 200000
/* What a device may have behind its buffer, beyond what it tells. */
#define HEARD_NS 10000000

bool alsa_line_enter(struct alsa_line *l)
{
	int place = LINE_IN_ALSA;

	return atomic_compare_exchange_strong(&l->place, &place, LINE_OURS);
}

void alsa_line_leave(struct alsa_line *l)
{
	atomic_store(&l->place, LINE_IN_ALSA);
}

static bool goes_on(const struct alsa_line *l)
{
	return !atomic_load(&l->ending) && atomic_load(&l->place) != LINE_ABANDONED;
}

static void back_off(struct alsa_line *l)
{
	l->backoff_ns *= 2;
	if (l->backoff_ns < BACKOFF_NS_MIN)
		l->backoff_ns = BACKOFF_NS_MIN;
	if (l->backoff_ns > BACKOFF_NS_MAX)
		l->backoff_ns = BACKOFF_NS_MAX;
	l->retry_ns = audio_now_ns() + l->backoff_ns;
}

/* Whether the voice may wait for the pcm.  If not, the timer is to know. */
static void set_there(struct alsa_line *l, struct vsnd_voice *v, bool there)
{
	if (!alsa_line_enter(l))
		return;
	atomic_store(&v->base.there, there);
	if (!there)
		turns_wake(v->turns);
	alsa_line_leave(l);
}

static uint32_t unit_frames(const struct vsnd_voice *v)
{
	const struct vsnd_voice_params *params = &v->base.hosted.params;
	struct pace_clock clock;

	pace_clock_init(&clock, params->rate_hz, params->period_frames, params->buffer_frames);
	return pace_clock_frames(&clock);
}

static void open_pcm(struct alsa_line *l, struct vsnd_voice *v)
{
	const struct vsnd_voice_params *params = &v->base.hosted.params;
	const char *refused;
	int err = alsa_pcm_open(&l->pcm, l->name, params, unit_frames(v), &refused);

	if (err < 0) {
		alsa_say_refused(l, params, err, refused);
		set_there(l, v, false);
		back_off(l);
		return;
	}
	l->running = false;
	l->proven = false;
	set_there(l, v, true);
}

static void close_pcm(struct alsa_line *l, bool lost)
{
	if (l->running && !lost)
		alsa_pcm_stop(&l->pcm);
	l->running = false;
	alsa_pcm_close(&l->pcm, lost);
}

/* The voice does not want it now, or may not have it; the next START may wait for it. */
static void let_go(struct alsa_line *l, struct vsnd_voice *v)
{
	close_pcm(l, false);
	set_there(l, v, atomic_load(&v->allowed) && !l->complaint.open);
}

/* The pcm has failed for good. */
static void lose(struct alsa_line *l, struct vsnd_voice *v, int err)
{
	close_pcm(l, true);
	alsa_say_lost(l, err);
	set_there(l, v, false);
	back_off(l);
}

/*
 * Be the audio thread, until end_turn(); false if the line is to end.  Nobody has a turn for
 * longer than a copy takes.
 */
static bool begin_turn(struct alsa_line *l, struct vsnd_voice *v)
{
	int64_t now_ns;
	struct pollfd fd;

	for (;;) {
		if (!alsa_line_enter(l))
			return false;
		now_ns = audio_now_ns();
		if (turns_host_begin(v->turns, now_ns, -1))
			break;
		alsa_line_leave(l);
		if (!goes_on(l))
			return false;
		wake_wait(&l->wake, &fd, 0, now_ns + TURN_RETRY_NS);
	}
	hosted_list_begin(v->base.list, now_ns);
	return true;
}

static void end_turn(struct alsa_line *l, struct vsnd_voice *v)
{
	turns_host_end(v->turns, hosted_list_end(v->base.list));
	alsa_line_leave(l);
}

/* Frames that the guest left behind, and the device has not got. */
static size_t rest_frames(struct alsa_line *l, struct vsnd_voice *v)
{
	size_t rest;

	if (!begin_turn(l, v))
		return 0;
	rest = v->base.hosted.ahead.level;
	end_turn(l, v);
	return rest;
}

/* Move @frames.  @moved: those before them, of the same turn. */
static bool move(struct alsa_line *l, struct vsnd_voice *v, void *place, size_t frames, size_t moved,
		int64_t stamp)
{
	struct hosted *h = &v->base.hosted;
	int64_t delay = l->pcm.delay, now_ns;

	if (!begin_turn(l, v))
		return false;
	now_ns = v->base.list->now_ns;
	if (l->pcm.input) {
		delay -= (int64_t)(moved + frames);
		hosted_give(h, place, frames, delay > 0 ? delay : 0, stamp, now_ns);
	} else {
		delay += (int64_t)moved;
		if (h->running || h->ahead.level > 0)
			v->heard_ns = now_ns + HEARD_NS +
				(delay + (int64_t)frames) * NS_PER_S / h->params.rate_hz;
		hosted_take(h, place, frames, delay, stamp, now_ns);
	}
	end_turn(l, v);
	return true;
}

/* A turn of a pcm that runs.  0 or a negative errno. */
static int turn(struct alsa_line *l, struct vsnd_voice *v, int64_t now_ns, struct flow_wait *ret_wait)
{
	int64_t frames = alsa_pcm_look(&l->pcm, now_ns, ret_wait);
	size_t moved = 0;

	if (frames <= 0)
		return (int)frames;
	while (moved < (size_t)frames) {
		void *place;
		int64_t some = alsa_pcm_place(&l->pcm, (size_t)frames - moved, &place);
		int err;

		if (some < 0)
			return (int)some;
		if (!move(l, v, place, (size_t)some, moved, now_ns))
			return -ECANCELED;
		err = alsa_pcm_commit(&l->pcm, (size_t)some);
		if (err < 0)
			return err;
		moved += (size_t)some;
	}
	alsa_pcm_moved(&l->pcm, now_ns, ret_wait);
	if (!l->proven) {
		l->proven = true;
		l->backoff_ns = 0;
		alsa_say_there(l);
	}
	return 0;
}

static struct flow_wait recover(struct alsa_line *l, struct vsnd_voice *v, int err, int64_t now_ns)
{
	struct flow_wait wait = { .until_ns = now_ns + RECOVERED_NS };
	int result = err == -EAGAIN ? 0 : alsa_pcm_recover(&l->pcm, err, now_ns);

	if (result == -EAGAIN)
		wait.until_ns = now_ns + RESUME_NS;
	else if (result < 0)
		lose(l, v, result);
	else if (err != -EAGAIN)
		alsa_say_recovered(l, err);
	return wait;
}

/* Nothing is to be played or recorded now. */
static bool may_rest(struct alsa_line *l, struct vsnd_voice *v, int64_t now_ns)
{
	if (atomic_load(&v->run) || (l->running && now_ns < v->heard_ns))
		return false;
	return l->pcm.input || rest_frames(l, v) == 0;
}

/*
 * Whether the voice wants the pcm open.  An output has it from PREPARE on, so that
 * START finds it; an input only while the guest records.
 */
static bool wants_pcm(const struct alsa_line *l, const struct vsnd_voice *v)
{
	if (!atomic_load(&v->allowed))
		return false;
	if (v->base.hosted.params.direction == VSND_INPUT)
		return atomic_load(&v->run);
	/* What a closed one has left is played if there is something that can. */
	return !atomic_load(&v->closed) || l->pcm.pcm;
}

/* See to it that an open pcm runs or rests.  0: it runs, or a negative errno: it does not. */
static int run_or_rest(struct alsa_line *l, struct vsnd_voice *v, int64_t now_ns)
{
	int err;

	if (may_rest(l, v, now_ns)) {
		if (l->running)
			alsa_pcm_stop(&l->pcm);
		l->running = false;
		return -EAGAIN;
	}
	if (l->running)
		return 0;
	v->heard_ns = now_ns;
	err = alsa_pcm_start(&l->pcm, now_ns);
	l->running = err == 0;
	return err;
}

/* False: there is nothing more to do for the voice. */
static bool step(struct alsa_line *l, struct vsnd_voice *v, struct flow_wait *ret_wait)
{
	int64_t now_ns = audio_now_ns();
	int err;

	*ret_wait = (struct flow_wait){ .until_ns = WAKE_NEVER };
	if (!wants_pcm(l, v)) {
		let_go(l, v);
		return !atomic_load(&v->closed);
	}
	if (!l->pcm.pcm && now_ns >= l->retry_ns)
		open_pcm(l, v);
	if (!l->pcm.pcm) {
		ret_wait->until_ns = l->retry_ns;
		return true;
	}
	err = run_or_rest(l, v, now_ns);
	if (err == -EAGAIN)
		return !atomic_load(&v->closed);
	if (err < 0) {
		lose(l, v, err);
		ret_wait->until_ns = l->retry_ns;
		return true;
	}
	err = turn(l, v, now_ns, ret_wait);
	if (err == -ECANCELED)
		return false;
	if (err < 0)
		*ret_wait = recover(l, v, err, now_ns);
	return true;
}

static void wait_for_step(struct alsa_line *l, const struct flow_wait *wait)
{
	struct pollfd fds[1 + ALSA_FDS_MAX];
	unsigned count = 0;

	if (wait->listen)
		count = alsa_pcm_fds(&l->pcm, fds + 1);
	if (wake_wait(&l->wake, fds, count, wait->until_ns))
		alsa_pcm_heard(&l->pcm, fds + 1, count);
}

static void free_voice(struct vsnd_voice *v)
{
	hosted_free(&v->base.hosted);
	free(v);
}

static void serve(struct alsa_line *l, struct vsnd_voice *v)
{
	struct flow_wait wait;

	l->retry_ns = 0;
	while (goes_on(l) && step(l, v, &wait))
		wait_for_step(l, &wait);
	close_pcm(l, false);
}

static bool next_voice(struct alsa_line *l)
{
	worker_lock(&l->worker);
	l->voice = l->waiting;
	l->waiting = NULL;
	worker_unlock(&l->worker);
	return l->voice;
}

static void free_line(struct alsa_line *l)
{
	worker_fini(&l->worker);
	wake_fini(&l->wake);
	free(l->name);
	free(l);
}

static void *line_main(void *arg)
{
	static const struct flow_wait for_voice = { .until_ns = WAKE_NEVER };
	struct alsa_line *l = arg;
	char name[16];

	snprintf(name, sizeof(name), "vsnd-alsa-%u", l->stream % 1000);
	pthread_setname_np(pthread_self(), name);
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	alsa_say_listen();
	while (goes_on(l)) {
		if (next_voice(l)) {
			serve(l, l->voice);
			free_voice(l->voice);
		} else {
			wait_for_step(l, &for_voice);
		}
	}
	if (!alsa_line_enter(l)) {
		free_line(l);
		return NULL;
	}
	worker_lock(&l->worker);
	worker_end(&l->worker);
	worker_unlock(&l->worker);
	return NULL;
}

static int init_line(struct alsa_line *l)
{
	int err = worker_init(&l->worker);

	if (err < 0)
		return err;
	err = wake_init(&l->wake);
	if (err == 0)
		err = audio_thread_start(line_main, l, &l->thread);
	if (err < 0) {
		wake_fini(&l->wake);
		worker_fini(&l->worker);
	}
	return err;
}

int alsa_line_create(const struct audio_host_config *config, unsigned stream,
		struct alsa_line **ret_line)
{
	const char *name = config->stream[stream].target;
	struct alsa_line *l = calloc(1, sizeof(*l));
	int err = -ENOMEM;

	if (!l)
		return err;
	l->stream = stream;
	l->log = config->log;
	l->name = strdup(name ? name : ALSA_DEFAULT_NAME);
	if (l->name)
		err = init_line(l);
	if (err < 0) {
		free(l->name);
		free(l);
		return err;
	}
	*ret_line = l;
	return 0;
}

void alsa_line_end(struct alsa_line *l)
{
	atomic_store(&l->ending, true);
	wake_up(&l->wake);
}

static bool ends_until(struct alsa_line *l, int64_t until_ns)
{
	int64_t left_ns = until_ns - audio_now_ns();
	bool ended;

	worker_lock(&l->worker);
	ended = worker_ends_within(&l->worker, left_ns > 0 ? left_ns : 0);
	worker_unlock(&l->worker);
	return ended;
}

/* Out of ALSA it comes to its end, or is soon in there again. */
static bool abandon(struct alsa_line *l)
{
	int place;

	do {
		if (ends_until(l, audio_now_ns() + RECOVERED_NS))
			return false;
		place = LINE_IN_ALSA;
	} while (!atomic_compare_exchange_strong(&l->place, &place, LINE_ABANDONED));
	return true;
}

void alsa_line_destroy(struct alsa_line *l, int64_t until_ns)
{
	pthread_t thread = l->thread;

	if (!ends_until(l, until_ns) && abandon(l)) {
		pthread_detach(thread);
		return;
	}
	pthread_join(thread, NULL);
	free_line(l);
}

void alsa_line_serve(struct alsa_line *l, struct vsnd_voice *v)
{
	worker_lock(&l->worker);
	l->waiting = v;
	worker_unlock(&l->worker);
	wake_up(&l->wake);
}

void alsa_line_release(struct alsa_line *l, struct vsnd_voice *v)
{
	bool unserved;

	worker_lock(&l->worker);
	unserved = l->waiting == v;
	if (unserved)
		l->waiting = NULL;
	else
		atomic_store(&v->closed, true);
	worker_unlock(&l->worker);
	if (unserved)
		free_voice(v);
	wake_up(&l->wake);
}
