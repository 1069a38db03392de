/* SPDX-License-Identifier: BSD-3-Clause */
/* What a voice of the back-end for tests plays and records.  Within a cycle, lock held. */
#include "audio/test_state.h"

#include <stdlib.h>

static void *room_for(struct played *p, size_t bytes)
{
	if (bytes > p->room - p->size) {
		p->room = (p->size + bytes) * 2;
		p->bytes = realloc(p->bytes, p->room);
		if (!p->bytes)
			abort();
	}
	return p->bytes + p->size;
}

static void push_piece(struct vsnd_voice *v, size_t frames, int64_t delay_frames)
{
	struct vsnd_audio *a = v->audio;
	size_t bytes = frames * v->params.frame_bytes;
	void *src = NULL;

	if (a->fill && !a->away) {
		src = malloc(bytes);
		if (!src)
			abort();
		a->fill(a->fill_ctx, v->params.stream, src, bytes);
	}
	a->played[v->params.stream].guest_frames +=
		vsnd_push(v->stream, src, frames, delay_frames);
	free(src);
}

static void pull_piece(struct vsnd_voice *v, size_t frames, int64_t delay_frames)
{
	struct played *p = &v->audio->played[v->params.stream];
	size_t bytes = frames * v->params.frame_bytes;

	if (v->audio->away) {
		vsnd_pull(v->stream, NULL, frames, delay_frames);
		return;
	}
	p->guest_frames += vsnd_pull(v->stream, room_for(p, bytes), frames, delay_frames);
	p->size += bytes;
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
	if (v->params.direction == VSND_INPUT)
		push(v, frames);
	else
		pull(v, frames);
}

void test_voice_drain(struct vsnd_voice *v)
{
	size_t queued = vsnd_stream_queued(v->stream);

	pull(v, queued < v->audio->flush_frames ? queued : v->audio->flush_frames);
}
