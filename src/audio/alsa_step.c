/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a line does for its voice is one function, alsa_line_step(), which looks at what is
 * wanted and what is there, does what is next, and says how long to wait.  What is
 * not possible now is tried again by it, with back-off.
 */
#include "audio/alsa.h"

#include <errno.h>

#include "audio/os.h"

/* After an xrun, which has left the device with a full buffer; and while it wakes up. */
#define RECOVERED_NS 2000000
#define RESUME_NS 50000000
/* While another thread has its turn. */
#define TURN_RETRY_NS 200000
/* What a device may have behind its buffer, beyond what it tells. */
#define HEARD_NS 10000000
/* A device that runs and does not move for so long is opened again. */
#define STUCK_NS 3000000000

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

/* What became of the device, for who asks. */
static void set_device(struct alsa_line *l, struct vsnd_voice *v, enum line_device device)
{
	if (atomic_exchange(&l->device, device) == (int)device || !alsa_line_enter(l))
		return;
	vsnd_audio_service(v->base.list->dev);
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
		set_device(l, v, refused ? LINE_DEVICE_UNFIT : LINE_DEVICE_AWAY);
		backoff_failed(&l->backoff, audio_now_ns());
		return;
	}
	l->running = false;
	l->proven = false;
	set_there(l, v, true);
	set_device(l, v, LINE_DEVICE_THERE);
}

void alsa_line_close_pcm(struct alsa_line *l, bool lost)
{
	if (l->running && !lost)
		alsa_pcm_stop(&l->pcm);
	l->running = false;
	alsa_pcm_close(&l->pcm, lost);
}

/* The voice does not want it now, or may not have it; the next START may wait for it. */
static void let_go(struct alsa_line *l, struct vsnd_voice *v)
{
	alsa_line_close_pcm(l, false);
	set_there(l, v, atomic_load(&v->allowed) && !l->complaint.open);
	if (atomic_load(&l->device) == LINE_DEVICE_UNFIT)
		set_device(l, v, LINE_DEVICE_THERE);
}

/* The pcm has failed for good. */
static void lose(struct alsa_line *l, struct vsnd_voice *v, int err)
{
	alsa_line_close_pcm(l, true);
	alsa_say_lost(l, err);
	set_there(l, v, false);
	set_device(l, v, LINE_DEVICE_AWAY);
	backoff_failed(&l->backoff, audio_now_ns());
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
		if (!alsa_line_goes_on(l))
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

	if (frames == 0 && now_ns - l->ready_ns > STUCK_NS)
		return -ETIMEDOUT;
	if (frames <= 0)
		return (int)frames;
	l->ready_ns = now_ns;
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
		backoff_succeeded(&l->backoff);
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
	if (err != -EAGAIN)
		l->ready_ns = now_ns;
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
	l->ready_ns = now_ns;
	return err;
}

bool alsa_line_step(struct alsa_line *l, struct vsnd_voice *v, struct flow_wait *ret_wait)
{
	int64_t now_ns = audio_now_ns();
	int err;

	*ret_wait = (struct flow_wait){ .until_ns = WAKE_NEVER };
	if (!wants_pcm(l, v)) {
		let_go(l, v);
		return !atomic_load(&v->closed);
	}
	if (!l->pcm.pcm && now_ns >= l->backoff.retry_ns)
		open_pcm(l, v);
	if (!l->pcm.pcm) {
		ret_wait->until_ns = l->backoff.retry_ns;
		return true;
	}
	err = run_or_rest(l, v, now_ns);
	if (err == -EAGAIN)
		return !atomic_load(&v->closed);
	if (err < 0) {
		lose(l, v, err);
		ret_wait->until_ns = l->backoff.retry_ns;
		return true;
	}
	err = turn(l, v, now_ns, ret_wait);
	if (err == -ECANCELED)
		return false;
	if (err < 0)
		*ret_wait = recover(l, v, err, now_ns);
	return true;
}
