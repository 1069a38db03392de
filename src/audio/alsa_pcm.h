/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One snd_pcm: its parameters, its frames, and what becomes of it.  One thread at a
 * time, and never one that may not wait: what is behind a pcm may be a file, a socket
 * or a server.  (alsa-lib has a lock of its own in each pcm, which only this
 * thread takes; plugins have threads and locks besides.)
 *
 * Frames are moved in place where the device can be mapped, so that there is one copy,
 * between guest memory and the device's buffer; else through `bounce`.
 *
 * What happens to a device, and what becomes of the frames:
 *
 *   underrun   The device has played all that it had, and stopped.  It is prepared,
 *              gets silence up to the level that it shall have, and goes on with the
 *              next frame of the guest.  Nothing is lost, nothing is played twice.
 *   overrun    The device has overwritten what nobody fetched, and what its buffer
 *              had cannot be read any more: that is lost, and recording goes on.
 *   suspended  It is resumed and goes on where it was.  If it cannot, what its buffer
 *              had is lost (that is counted), and it starts anew.
 *   gone       As above, and who has the pcm closes it, and opens it again later.
 *
 * The device may refuse frames that the guest has already given: it ran dry, was
 * suspended or took only some, just between a look at it and the write.  Those
 * are kept, and are the first to be played after the silence when it runs again.
 * They are lost only with a device that has gone.
 *
 * The other order cannot be seen: a device that runs dry and gets frames before it
 * has noticed may skip them.  The look right before each write makes that a matter
 * of microseconds, at the end of the 10 ms and more that were there.
 */
#ifndef VSND_AUDIO_ALSA_PCM_H
#define VSND_AUDIO_ALSA_PCM_H

#include "audio/alsa_params.h"

/* Descriptors of a pcm that we wait for. */
#define ALSA_FDS_MAX 16

/* What has happened, since the pcm was opened. */
struct alsa_counts {
	uint64_t xruns;
	uint64_t suspends;
	uint64_t lost_frames;	/* taken from the guest and not played */
};

struct alsa_pcm {
	snd_pcm_t *pcm;		/* NULL: not open */
	/* Constant while it is open. */
	bool input, mmap;
	uint8_t format, channels;
	uint32_t frame_bytes;
	uint32_t period_frames, buffer_frames;
	uint8_t *bounce, *kept;	/* a unit each */

	bool untouched;		/* prepared, and nothing was done with it since */
	struct flow flow;
	/* As of alsa_pcm_look(). */
	int64_t avail;		/* frames that it has room for, or to give */
	int64_t delay;		/* frames until what is written next is heard, or since what is read was */
	bool heard;		/* the device has said that it is ready */
	size_t kept_frames;
	uint64_t guest_frames;	/* of the guest, since the device was started */
	struct alsa_counts counts;

	/* Between alsa_pcm_place() and alsa_pcm_commit(). */
	uint8_t *place;
	snd_pcm_uframes_t offset;
};

/*
 * Open @name, with units of @unit frames or less, and do not start it.  0 or a negative
 * errno with what was refused in *@ret_refused (static; NULL: to be opened at all).
 */
int alsa_pcm_open(struct alsa_pcm *p, const char *name, const struct vsnd_voice_params *params,
		uint32_t unit, const char **ret_refused);
/* @lost: with the guest's frames that it still has. */
void alsa_pcm_close(struct alsa_pcm *p, bool lost);

/* Let it run, an output with silence first.  0 or a negative errno. */
int alsa_pcm_start(struct alsa_pcm *p, int64_t now_ns);
/* Let it rest.  What it has not played is forgotten. */
void alsa_pcm_stop(struct alsa_pcm *p);

/*
 * After an error of the functions below: make it run again.  0, -EAGAIN if that takes
 * time and is to be tried again, or another negative errno: it is to be closed.
 */
int alsa_pcm_recover(struct alsa_pcm *p, int err, int64_t now_ns);

/*
 * Of one that runs.  Look at the device: avail and delay.  Play what was kept.  Returns
 * the frames that are to be moved now, 0 with when to look again, or a negative errno.
 */
int64_t alsa_pcm_look(struct alsa_pcm *p, int64_t now_ns, struct flow_wait *ret_wait);

/* Where to move up to @frames to or from, and how many of them: 1 or more, or a negative errno. */
int64_t alsa_pcm_place(struct alsa_pcm *p, size_t frames, void **ret_place);
/* They have been moved.  0 or a negative errno. */
int alsa_pcm_commit(struct alsa_pcm *p, size_t frames);
/* All that alsa_pcm_look() said has been moved.  When to look again. */
void alsa_pcm_moved(struct alsa_pcm *p, int64_t now_ns, struct flow_wait *ret_wait);

/* The descriptors to wait for, into @fds, at most ALSA_FDS_MAX.  Returns how many. */
unsigned alsa_pcm_fds(struct alsa_pcm *p, struct pollfd *fds);
/* Let the device look at what has become of them. */
void alsa_pcm_heard(struct alsa_pcm *p, struct pollfd *fds, unsigned count);

#endif
