/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/hosted.h"

#include <assert.h>

#define NS_PER_S 1000000000

uint32_t hosted_cycle_wish(const struct vsnd_voice_params *params, bool punctual)
{
	uint32_t cycle, most, slack;

	if (params->direction == VSND_INPUT)
		return params->period_frames;
	cycle = pace_cycle_frames(params->rate_hz, params->period_frames, params->buffer_frames);
	most = (uint32_t)((uint64_t)params->rate_hz * HOSTED_GATHER_US / 1000000);
	slack = params->rate_hz * HOSTED_SLACK_MS / 1000;
	if (slack < params->period_frames)
		slack = params->period_frames;
	if (!punctual || params->buffer_frames < slack)
		return cycle;
	if (most > params->buffer_frames - slack)
		most = params->buffer_frames - slack;
	return most > cycle ? most : cycle;
}

int hosted_init(struct hosted *h, struct vsnd_stream *stream, const struct vsnd_voice_params *params)
{
	size_t longest = (size_t)((uint64_t)params->rate_hz * HOSTED_CYCLE_MS / 1000);

	*h = (struct hosted){ .stream = stream, .params = *params };
	pace_clock_init(&h->clock, params->rate_hz, params->period_frames, params->buffer_frames);
	return read_ahead_init(&h->ahead,
		2 * longest + params->buffer_frames + 2 * params->period_frames, params->frame_bytes);
}

void hosted_free(struct hosted *h)
{
	read_ahead_free(&h->ahead);
}

static int64_t frames_ns(const struct hosted *h, int64_t frames)
{
	return frames * NS_PER_S / h->params.rate_hz;
}

static bool records(const struct hosted *h)
{
	return h->params.direction == VSND_INPUT;
}

static void go_away(struct hosted *h, int64_t now_ns)
{
	h->mode = HOSTED_AWAY;
	h->former_frames = 0;
	h->cycle_frames = 0;
	read_ahead_clear(&h->ahead);
	pace_clock_start(&h->clock, now_ns);
}

void hosted_start(struct hosted *h, int64_t now_ns, bool there)
{
	h->running = true;
	h->mode = HOSTED_DIRECT;
	if (records(h))
		read_ahead_clear(&h->ahead);
	h->away_ns = now_ns + HOSTED_START_NS;
	if (!there)
		go_away(h, now_ns);
}

void hosted_stop(struct hosted *h)
{
	h->running = false;
}

void hosted_lost(struct hosted *h, int64_t now_ns)
{
	if (h->running && h->mode != HOSTED_AWAY)
		go_away(h, now_ns);
}

/* Frames from now until the host's next call. */
static int64_t until_next(const struct hosted *h, int64_t now_ns)
{
	int64_t next_ns = h->cycle_ns + frames_ns(h, (int64_t)h->cycle_frames);

	if (next_ns < now_ns)
		return 0;
	return (next_ns - now_ns) * h->params.rate_hz / NS_PER_S;
}

/* Pull @frames into the ring.  What does not fit is lost. */
static void pull_ahead(struct hosted *h, size_t frames, int64_t delay_frames)
{
	delay_frames += (int64_t)h->ahead.level + h->host_delay;
	while (frames > 0) {
		size_t piece;
		void *dst = read_ahead_place(&h->ahead, &piece);

		if (piece == 0) {
			vsnd_pull(h->stream, NULL, frames, -(int64_t)frames);
			return;
		}
		if (piece > frames)
			piece = frames;
		vsnd_pull(h->stream, dst, piece, delay_frames);
		read_ahead_put(&h->ahead, piece);
		delay_frames += (int64_t)piece;
		frames -= piece;
	}
}

void hosted_flush(struct hosted *h, bool there)
{
	size_t frames = vsnd_stream_queued(h->stream);

	if (frames == 0)
		return;
	if (there && h->mode != HOSTED_AWAY)
		pull_ahead(h, frames, (int64_t)h->cycle_frames);
	else
		vsnd_pull(h->stream, NULL, frames, -(int64_t)frames);
}

size_t hosted_rest(const struct hosted *h)
{
	return h->ahead.level + 2 * h->former_frames;
}

/* The longest cycle that leaves the guest something to see. */
static size_t direct_max(const struct hosted *h)
{
	return h->params.buffer_frames - h->params.period_frames;
}

/* The cycle as far as it is known, or the one before if that took more. */
static size_t frames_of_cycle(const struct hosted *h)
{
	return h->cycle_frames > h->former_frames ? h->cycle_frames : h->former_frames;
}

/* True: this is the first call in its cycle. */
static bool note_call(struct hosted *h, size_t frames, int64_t delay_frames, int64_t stamp,
		int64_t now_ns)
{
	bool first = stamp != h->cycle_stamp;
	int64_t patience_ns;

	if (first) {
		h->cycle_stamp = stamp;
		h->former_frames = h->cycle_frames;
		h->cycle_frames = 0;
		h->cycle_ns = now_ns;
		h->host_delay = delay_frames;
	}
	h->cycle_frames += frames;
	patience_ns = 3 * frames_ns(h, (int64_t)frames_of_cycle(h));
	h->away_ns = now_ns + (patience_ns > HOSTED_AWAY_NS ? patience_ns : HOSTED_AWAY_NS);
	return first;
}

static void choose_mode(struct hosted *h, int64_t now_ns)
{
	if (records(h) && h->mode == HOSTED_AHEAD)
		return;
	if (frames_of_cycle(h) <= direct_max(h)) {
		h->mode = HOSTED_DIRECT;
		return;
	}
	if (h->mode == HOSTED_DIRECT)
		pace_clock_start(&h->clock, now_ns);
	h->mode = HOSTED_AHEAD;
}

static void silence(const struct hosted *h, void *dst, size_t frames)
{
	vsnd_silence(dst, h->params.format, frames * h->params.channels);
}

/* DIRECT: whether the host may have @frames by now. */
static bool in_time(struct hosted *h, size_t frames, int64_t now_ns)
{
	int64_t jitter_ns = 2 * frames_ns(h, (int64_t)frames_of_cycle(h));
	int64_t ns = frames_ns(h, (int64_t)frames);

	if (jitter_ns < HOSTED_JITTER_NS)
		jitter_ns = HOSTED_JITTER_NS;
	if (h->taken_ns < now_ns - jitter_ns)
		h->taken_ns = now_ns - jitter_ns;
	if (h->taken_ns > now_ns + jitter_ns)
		return false;
	h->taken_ns += ns - ns / 128;
	return true;
}

void hosted_call(struct hosted *h, size_t frames, int64_t delay_frames, int64_t stamp,
		int64_t now_ns)
{
	bool first = note_call(h, frames, delay_frames, stamp, now_ns);

	h->lead = 0;
	h->piece_delay = delay_frames;
	if (h->running)
		choose_mode(h, now_ns);
	if (h->running && h->mode == HOSTED_AHEAD && first)
		h->lead = read_ahead_begin(&h->ahead, &h->clock, frames, now_ns);
	frames -= h->lead;
	h->open = h->running && h->mode == HOSTED_DIRECT && frames > h->ahead.level &&
		in_time(h, frames - h->ahead.level, now_ns);
}

void hosted_piece(struct hosted *h, void *dst, size_t frames)
{
	size_t n = h->lead < frames ? h->lead : frames;
	uint8_t *at = dst;

	silence(h, at, n);
	h->lead -= n;
	n += read_ahead_take(&h->ahead, at + n * h->params.frame_bytes, frames - n);
	at += n * h->params.frame_bytes;
	if (n < frames && h->open)
		h->late |= vsnd_pull(h->stream, at, frames - n, h->piece_delay + (int64_t)n) < frames - n;
	else if (n < frames)
		silence(h, at, frames - n);
	h->piece_delay += (int64_t)frames;
}

void hosted_take(struct hosted *h, void *dst, size_t frames, int64_t delay_frames,
		int64_t stamp, int64_t now_ns)
{
	hosted_call(h, frames, delay_frames, stamp, now_ns);
	hosted_piece(h, dst, frames);
}

/* Into the ring.  @begins: the guest has had nothing from there yet. */
static void give_behind(struct hosted *h, const void *src, size_t frames, bool first, bool begins,
		int64_t now_ns)
{
	if (begins) {
		pace_clock_start(&h->clock,
			now_ns + frames_ns(h, (int64_t)read_ahead_margin(&h->clock)));
		h->ahead.primed = true;
	} else if (first) {
		read_ahead_give(&h->ahead, NULL,
			read_behind_begin(&h->ahead, &h->clock, frames, now_ns), h->params.format);
	}
	read_ahead_give(&h->ahead, src, frames, h->params.format);
}

void hosted_give(struct hosted *h, const void *src, size_t frames, int64_t delay_frames,
		int64_t stamp, int64_t now_ns)
{
	bool first = note_call(h, frames, delay_frames, stamp, now_ns);
	bool begins = h->mode == HOSTED_DIRECT;

	if (!h->running)
		return;
	choose_mode(h, now_ns);
	if (h->mode == HOSTED_AHEAD)
		give_behind(h, src, frames, first, begins, now_ns);
	else if (in_time(h, frames, now_ns))
		vsnd_push(h->stream, src, frames, delay_frames);
}

/* Push @frames out of the ring, or silence where it has none. */
static void push_behind(struct hosted *h, size_t frames, int64_t now_ns)
{
	int64_t since = (now_ns - h->cycle_ns) * h->params.rate_hz / NS_PER_S;

	while (frames > 0) {
		size_t piece;
		const void *src = read_ahead_oldest(&h->ahead, &piece);

		if (piece > frames)
			piece = frames;
		if (piece == 0) {
			h->ahead.primed = false;
			vsnd_push(h->stream, NULL, frames, 0);
			return;
		}
		vsnd_push(h->stream, src, piece,
			(int64_t)(h->ahead.level - piece) + h->host_delay + since);
		read_ahead_drop(&h->ahead, piece);
		frames -= piece;
	}
}

/* AWAY: let the guest's @frames pass. */
static void pass_by(struct hosted *h, size_t frames)
{
	if (records(h))
		vsnd_push(h->stream, NULL, frames, 0);
	else
		vsnd_pull(h->stream, NULL, frames, -(int64_t)frames);
}

/* What the guest has ready for us. */
static size_t ready(const struct hosted *h)
{
	return records(h) ? vsnd_stream_room(h->stream)
		: vsnd_stream_queued(h->stream);
}

void hosted_turn(struct hosted *h, int64_t now_ns)
{
	size_t queued, frames;

	if (!h->running)
		return;
	if (h->mode != HOSTED_AWAY && now_ns >= h->away_ns)
		go_away(h, now_ns);
	if (h->mode == HOSTED_DIRECT || !pace_clock_is_due(&h->clock, now_ns))
		return;
	queued = pace_clock_owes(&h->clock, now_ns) ? ready(h) : 0;
	frames = pace_clock_turn(&h->clock, now_ns, queued);
	if (frames == 0)
		return;
	if (h->mode == HOSTED_AWAY)
		pass_by(h, frames);
	else if (records(h))
		push_behind(h, frames, now_ns);
	else
		pull_ahead(h, frames, until_next(h, now_ns));
}

int64_t hosted_due(const struct hosted *h)
{
	int64_t clock_ns;

	if (!h->running)
		return INT64_MAX;
	if (h->mode == HOSTED_DIRECT)
		return h->away_ns;
	clock_ns = pace_clock_due(&h->clock);
	return h->mode == HOSTED_AHEAD && h->away_ns < clock_ns ? h->away_ns : clock_ns;
}

void hosted_enlist(struct hosted *h, struct hosted **list)
{
	h->next = *list;
	h->link = list;
	if (h->next)
		h->next->link = &h->next;
	*list = h;
}

void hosted_delist(struct hosted *h)
{
	*h->link = h->next;
	if (h->next)
		h->next->link = h->link;
}

int64_t hosted_list_due(const struct hosted *list)
{
	int64_t due_ns = INT64_MAX;

	for (const struct hosted *h = list; h; h = h->next) {
		int64_t voice_ns = hosted_due(h);

		if (voice_ns < due_ns)
			due_ns = voice_ns;
	}
	return due_ns;
}
