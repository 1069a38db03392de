/* SPDX-License-Identifier: BSD-3-Clause */
/* What a voice of the back-end for tests plays and records.  Within a cycle, lock held. */
#include "audio/test_state.h"

#include <stdlib.h>
#include <string.h>

static struct track *track_of(const struct vsnd_voice *v)
{
	return &v->audio->track[v->params.stream];
}

static void *must_have(void *p)
{
	if (!p)
		abort();
	return p;
}

/* Where @bytes more played bytes go, or NULL: no more are kept. */
static void *room_for(struct track *t, size_t bytes)
{
	if (bytes > AUDIO_TEST_PLAYED_MAX - t->played_bytes)
		return NULL;
	if (bytes > t->room - t->played_bytes) {
		t->room = (t->played_bytes + bytes) * 2;
		if (t->room > AUDIO_TEST_PLAYED_MAX)
			t->room = AUDIO_TEST_PLAYED_MAX;
		t->played = must_have(realloc(t->played, t->room));
	}
	return t->played + t->played_bytes;
}

static void pull_piece(struct vsnd_voice *v, size_t frames, int64_t delay_frames)
{
	struct track *t = track_of(v);
	size_t bytes = frames * v->params.frame_bytes, got;
	void *dst = room_for(t, bytes), *spare = NULL;

	if (!dst)
		dst = spare = must_have(malloc(bytes));
	got = vsnd_pull(v->stream, dst, frames, delay_frames);
	t->counters.guest_frames += got;
	if (spare)
		t->counters.lost_bytes += bytes;
	else
		t->played_bytes += bytes;
	free(spare);
}

/* Frame n of the ramp is the number n, in 32 bits, little-endian, over and over. */
static void fill_ramp(uint8_t *dst, size_t frames, size_t frame_bytes, uint64_t n)
{
	for (; frames > 0; frames--, n++) {
		for (size_t k = 0; k < frame_bytes; k++)
			*dst++ = (uint8_t)(n >> 8 * (k % 4));
	}
}

static void fill_bytes(const struct vsnd_audio *a, uint8_t *dst, size_t bytes, uint64_t at)
{
	for (size_t k = 0; k < bytes; k++)
		dst[k] = a->bytes[(at + k) % a->n_bytes];
}

/* What the host has captured. */
static void capture(struct vsnd_voice *v, void *dst, size_t frames)
{
	struct vsnd_audio *a = v->audio;
	struct track *t = track_of(v);
	size_t frame_bytes = v->params.frame_bytes;

	if (a->source == SOURCE_RAMP)
		fill_ramp(dst, frames, frame_bytes, t->source_frames);
	else if (a->source == SOURCE_BYTES)
		fill_bytes(a, dst, frames * frame_bytes, t->source_frames * frame_bytes);
	else
		a->fill(a->fill_ctx, v->params.stream, dst, frames * frame_bytes);
	t->source_frames += frames;
}

static void push_piece(struct vsnd_voice *v, size_t frames, int64_t delay_frames)
{
	struct vsnd_audio *a = v->audio;
	void *src = NULL;

	if (a->source != SOURCE_SILENCE && !a->away) {
		src = must_have(malloc(frames * v->params.frame_bytes + 1));
		capture(v, src, frames);
	}
	track_of(v)->counters.guest_frames += vsnd_push(v->stream, src, frames, delay_frames);
	free(src);
}

static size_t next_piece(struct vsnd_audio *a, size_t frames)
{
	size_t piece;

	if (a->n_pieces == 0)
		return frames;
	piece = a->pieces[a->piece++ % a->n_pieces];
	return piece < frames ? piece : frames;
}

static void pull(struct vsnd_voice *v, size_t frames)
{
	int64_t delay_frames = v->audio->delay_frames - (int64_t)frames;

	while (frames > 0) {
		size_t piece = next_piece(v->audio, frames);

		pull_piece(v, piece, delay_frames);
		delay_frames += (int64_t)piece;
		frames -= piece;
	}
}

/* The newest of a piece's frames is as old as what comes after it in the cycle. */
static void push(struct vsnd_voice *v, size_t frames)
{
	while (frames > 0) {
		size_t piece = next_piece(v->audio, frames);

		frames -= piece;
		push_piece(v, piece, v->audio->delay_frames + (int64_t)frames);
	}
}

void test_voice_move(struct vsnd_voice *v, size_t frames)
{
	const struct vsnd_audio *a = v->audio;

	if (a->stalled || frames == 0)
		return;
	track_of(v)->counters.frames += frames;
	if (a->fails)
		vsnd_fail(v->stream, frames);
	else if (v->params.direction == VSND_INPUT)
		push(v, frames);
	else if (a->away)
		vsnd_pull(v->stream, NULL, frames, a->delay_frames - (int64_t)frames);
	else
		pull(v, frames);
}

void test_voice_drain(struct vsnd_voice *v)
{
	size_t queued = vsnd_stream_queued(v->stream);

	test_voice_move(v, queued < v->audio->flush_frames ? queued : v->audio->flush_frames);
}
