/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end for tests.  Its clock moves only when the test says so (or is the
 * system's), everything played is kept, what is recorded comes from the test,
 * and it fails when it is told to.  It is used in the process of a unit test and,
 * through hooks on the control socket, in the daemon.
 *
 *	struct vsnd_audio *audio;
 *	struct audio_test_config config = { .ret_audio = &audio };
 *
 *	settings.audio = &audio_test_ops;
 *	settings.audio_config = &config;
 *	vsnd_create(&settings, &dev);
 *	...
 *	audio_test_advance(audio, 480, 10);
 *	played = audio_test_played(audio, 0, &bytes);
 *
 * The device's cycles run on a thread of the back-end's own, or, with
 * `.threadless`, on the caller's, from within wake() as well.  All functions are
 * the control thread's, and return when what they ask for has been done.  The
 * pointers they return are valid until the next cycle.
 */
#ifndef VSND_AUDIO_TEST_H
#define VSND_AUDIO_TEST_H

#include <vsnd/audio.h>

struct audio_test_config {
	struct vsnd_audio **ret_audio;	/* where to put the handle for these functions */
	bool threadless;
	bool real;		/* as by audio_test_set_real(); not without a thread */
};

extern const struct vsnd_audio_ops audio_test_ops;

/* Follow the system's clock from now on, or stand still until the test moves it. */
void audio_test_set_real(struct vsnd_audio *a, bool real);
bool audio_test_is_real(const struct vsnd_audio *a);

/*
 * By hand: run @cycles cycles, in each of which every running voice is pulled or pushed @frames
 * frames, and each of which takes the time of as many frames of the first of
 * these voices (of 48 kHz if there is none).
 */
void audio_test_advance(struct vsnd_audio *a, size_t frames, unsigned cycles);
/* One cycle in which nothing is pulled and no time passes. */
void audio_test_cycle(struct vsnd_audio *a);
int64_t audio_test_now_ns(struct vsnd_audio *a);

/* The frames that the host still has to play, or has captured, after a cycle; 0 at first. */
void audio_test_set_delay(struct vsnd_audio *a, int64_t frames);
/* A cycle's frames are moved in pieces of these sizes, in turn; none: in one. */
#define AUDIO_TEST_PIECES_MAX 16
void audio_test_set_pieces(struct vsnd_audio *a, const size_t *frames, unsigned n);
/* Pull and push with NULL from now on, as a back-end does whose host is away. */
void audio_test_set_away(struct vsnd_audio *a, bool away);
/* Frames that voice_flush() takes at most; all at first. */
void audio_test_set_flush(struct vsnd_audio *a, size_t frames);
/* voice_open() fails with this negative errno until it is set to 0. */
void audio_test_set_open_error(struct vsnd_audio *a, int err);
/* Whatever is to be moved from now on fails: vsnd_fail() instead of pull and push. */
void audio_test_set_fails(struct vsnd_audio *a, bool fails);
/* The host takes and gives nothing from now on, though time passes. */
void audio_test_set_stalled(struct vsnd_audio *a, bool stalled);
/* Voices that are closed from now on are there until this is called with false. */
void audio_test_hold_close(struct vsnd_audio *a, bool hold);

/*
 * Where an input stream's frames come from: @fill writes @bytes bytes, whole frames, to
 * @dst.  It is called on the audio thread, in the order of time, also for frames that
 * then find no place.  Without one there is silence.
 */
void audio_test_set_source(struct vsnd_audio *a,
		void (*fill)(void *ctx, unsigned stream, void *dst, size_t bytes), void *ctx);
/*
 * Instead: frame n since PREPARE, or since this call, is the number n in 32 bits,
 * little-endian, repeated or cut to the size of a frame.
 */
void audio_test_set_ramp(struct vsnd_audio *a);
/* Or these bytes, over and over. */
#define AUDIO_TEST_BYTES_MAX 4096
void audio_test_set_bytes(struct vsnd_audio *a, const void *bytes, size_t n);

/* Bytes of a stream that are kept; what comes later is counted. */
#define AUDIO_TEST_PLAYED_MAX (4u << 20)
/* All that a stream has played since the start or audio_test_forget(), silence too. */
const void *audio_test_played(struct vsnd_audio *a, unsigned stream, size_t *ret_bytes);
/* A copy of a part, while the clock may run.  Returns the bytes that there are. */
size_t audio_test_copy_played(struct vsnd_audio *a, unsigned stream, size_t at, void *dst,
		size_t bytes);

/* Of a stream, since the start or audio_test_forget(). */
struct audio_test_counters {
	uint64_t frames;	/* moved by cycles and by RELEASE, or failed to be */
	uint64_t guest_frames;	/* of these: came from the guest, or found a place there */
	uint64_t lost_bytes;	/* played and not kept */
	uint64_t opened;	/* voices */
};
void audio_test_counters(struct vsnd_audio *a, unsigned stream, struct audio_test_counters *ret);
/* How many of its frames came from the guest, or found a place there. */
uint64_t audio_test_guest_frames(struct vsnd_audio *a, unsigned stream);
void audio_test_forget(struct vsnd_audio *a);

unsigned audio_test_voices(struct vsnd_audio *a);
unsigned audio_test_voices_closing(struct vsnd_audio *a);	/* and held */
unsigned audio_test_voices_running(struct vsnd_audio *a);
uint64_t audio_test_cycles(struct vsnd_audio *a);
/* The parameters of a stream's open voice, or NULL. */
const struct vsnd_voice_params *audio_test_params(struct vsnd_audio *a, unsigned stream);

#endif
