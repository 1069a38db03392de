/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an audio back-end provides, and what it may call.
 *
 * A back-end plays and records "voices": a voice is the host's side of one guest
 * stream between PREPARE and RELEASE.  The back-end has one *audio thread* (the host
 * sound system's own where there is one).  That thread runs the device's txq
 * and rxq: it is the only one that calls the functions marked "audio thread".
 * It may be different threads over time as long as they never overlap and each
 * hand-over synchronises memory.
 *
 * A cycle on the audio thread is
 *
 *	vsnd_cycle_begin(dev, now_ns);
 *	for each output voice that is due: vsnd_pull(stream, dst, frames, delay);
 *	for each input voice that is due: vsnd_push(stream, src, frames, delay);
 *	vsnd_cycle_end(dev);
 *
 * and nothing in it allocates, locks, logs, waits or makes a system call but
 * the driver notifications (one per queue at most).
 *
 * The rules of the stream's life are enforced by the device, so a back-end may
 * assume that it is called legally: open, then any number of start/stop pairs,
 * then close.
 */
#ifndef VSND_AUDIO_H
#define VSND_AUDIO_H

#include <vsnd/vsnd.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A back-end instance, one per device.  Defined by the back-end. */
struct vsnd_audio;
/** An open voice.  Defined by the back-end. */
struct vsnd_voice;
/** The device's side of a stream.  Opaque to the back-end. */
struct vsnd_stream;

/** What the guest has asked for.  The sizes are whole frames. */
struct vsnd_voice_params {
	unsigned stream;	/**< stream id */
	uint8_t direction;
	uint8_t format;		/**< enum vsnd_format */
	uint8_t channels;
	uint32_t rate_hz;
	uint32_t frame_bytes;
	uint32_t period_frames;
	uint32_t buffer_frames;
	/** enum vsnd_position of each channel; all VSND_POS_NONE where no map says. */
	uint8_t positions[VSND_CHANNELS_MAX];
	/** The voice is opened denied; see vsnd_audio_ops.voice_allow. */
	bool denied;
	/** voice_volume() is called at once, and vsnd_voice_volume_changed() is wanted. */
	bool has_volume;
};

/** How loud a voice is, in the host's own mixer. */
struct vsnd_volume {
	unsigned channels;	/**< members of gain that count */
	/** Factor on the samples of each channel: 1 is 0 dB, 0 silence, never negative. */
	float gain[VSND_CHANNELS_MAX];
	bool mute;		/**< silence, whatever gain says */
};

/**
 * A back-end.  The functions from `open` to `voice_close` must be there, only
 * voice_flush may be NULL; the ones behind them are for a back-end that can.  All
 * run on the control thread, except wake().  None may wait for the host sound
 * system: what takes time goes on in the background.
 */
struct vsnd_audio_ops {
	const char *name;

	/**
	 * Make an instance and start its audio thread (or arrange that it starts).
	 * @dev stays valid until close() has returned; calls on the audio thread may
	 * come at once.  An unreachable host is no error.
	 */
	int (*open)(struct vsnd *dev, const void *config, struct vsnd_audio **ret_audio);

	/** End the audio thread and free the instance.  All voices are closed. */
	void (*close)(struct vsnd_audio *a);

	/**
	 * Make the audio thread run vsnd_cycle_begin() and vsnd_cycle_end() within
	 * 50 ms, whatever the host does.  Any thread; must not block.  A back-end
	 * without threads may call them from here.
	 */
	void (*wake)(struct vsnd_audio *a);

	/**
	 * Open a voice for @stream, stopped.  0 or a negative errno, which the
	 * guest sees as an I/O error of PREPARE: for a lack of memory or an
	 * impossible configuration, not for a host that is away.
	 */
	int (*voice_open)(struct vsnd_audio *a, struct vsnd_stream *stream,
			  const struct vsnd_voice_params *params, struct vsnd_voice **ret_voice);

	/** Let the voice run: from now on the audio thread pulls or pushes.  Cannot fail. */
	void (*voice_start)(struct vsnd_voice *v);

	/** Let the voice rest.  On return the audio thread does no more for it. */
	void (*voice_stop)(struct vsnd_voice *v);

	/**
	 * The guest releases a stopped output stream: pull, on the audio thread and
	 * before returning, as much of what the stream still has
	 * (vsnd_stream_queued()) as the host takes without waiting.  NULL: nothing.
	 */
	void (*voice_flush)(struct vsnd_voice *v);

	/** Close a stopped voice.  @stream is not used after the return. */
	void (*voice_close)(struct vsnd_voice *v);

	/**
	 * What the back-end has to do on the control thread: called from vsnd_run()
	 * after vsnd_audio_service(), once for any number of calls of that.  This is
	 * where vsnd_voice_volume_changed(), vsnd_jack_plug() and other functions
	 * of the control thread may be called.
	 */
	void (*service)(struct vsnd_audio *a);

	/**
	 * May @v reach the host?  A denied voice lets go of the host's device and
	 * goes on by the timer, as if the host were away, running or not.  The
	 * device has seen to it already that no sample passes; this is for the host's
	 * user, who sees who records, and for a headset that is in telephone quality
	 * meanwhile.  Called on a change only: voice_open() is told by
	 * vsnd_voice_params.denied.
	 */
	void (*voice_allow)(struct vsnd_voice *v, bool allowed);

	/**
	 * The guest's control elements want @v to be this loud, and the host is to
	 * see to it: with this function the device does not scale the samples by
	 * elements.  Called after voice_open() and for each change, but only for
	 * vsnd_voice_params.has_volume: of a stream that has elements bound to it.
	 * @volume is gone after the return.
	 */
	void (*voice_volume)(struct vsnd_voice *v, const struct vsnd_volume *volume);

	/**
	 * Whether the host sound system is there, voices or not, as far as known.
	 * Without this function it always is.  A back-end that wants a change to be
	 * seen soon calls vsnd_audio_service() at it.
	 */
	bool (*connected)(const struct vsnd_audio *a);
};

/**
 * Audio thread.  Begin a cycle: take changes from the control thread and new
 * messages from the queues.  @now_ns is the time of a monotonic clock.
 */
VSND_API void vsnd_cycle_begin(struct vsnd *dev, int64_t now_ns);

/**
 * Audio thread.  End a cycle: completed messages become visible to the driver,
 * which gets at most one notification per queue.  Returns the number of ns
 * after which the device wants another cycle even if no voice is due, or -1.
 */
VSND_API int64_t vsnd_cycle_end(struct vsnd *dev);

/**
 * Audio thread, within a cycle.  Take @frames frames of an output stream.  They
 * are copied from guest memory to @dst, or counted as discarded if @dst is NULL.
 * Where the guest has not got enough, the rest of @dst is the format's silence
 * and, if the stream runs, an xrun.  Of a denied stream all of @dst is silence,
 * and its frames count as discarded.  @delay_frames: how many frames the host
 * still has to play before the first of these is heard; negative if that is
 * past.  Returns the number of frames that came from the guest.
 */
VSND_API size_t vsnd_pull(struct vsnd_stream *s, void *dst, size_t frames, int64_t delay_frames);

/** Audio thread, within a cycle.  Whole frames that vsnd_pull() would find now. */
VSND_API size_t vsnd_stream_queued(const struct vsnd_stream *s);

/**
 * Audio thread, within a cycle.  Give @frames frames to an input stream.  They are
 * copied from @src to guest memory; NULL stands for the format's silence, of a
 * host that has nothing to say, and so does anything for a denied stream.
 * @delay_frames: how many frames the host has
 * captured since the last of these (0: that one has just come in), so that the
 * guest learns how old its newest frame is.  Returns the number of frames, from
 * the first on, that found a place; the others are lost and, if the stream runs,
 * an xrun.
 */
VSND_API size_t vsnd_push(struct vsnd_stream *s, const void *src, size_t frames,
			  int64_t delay_frames);

/** Audio thread, within a cycle.  Whole frames that vsnd_push() would find a place for now. */
VSND_API size_t vsnd_stream_room(const struct vsnd_stream *s);

/**
 * Audio thread, within a cycle.  As vsnd_pull() or vsnd_push() of @frames frames that the
 * host failed to take or to deliver: they are lost, and every message that has a part in
 * them completes with IO_ERR and latency 0, at its place and at this pace.  For a
 * host that answers with errors; one that is away is no failure of the stream,
 * and NULL there.  Returns the number of frames that the guest lost.
 */
VSND_API size_t vsnd_fail(struct vsnd_stream *s, size_t frames);

/**
 * Audio thread.  Tell whether a voice without a clock of its own runs, one that
 * plays as fast as the guest delivers.  Meanwhile the driver's kicks stay on, and
 * each wakes the audio thread (wake()).  Calls with true and false are counted.
 */
VSND_API void vsnd_want_kicks(struct vsnd *dev, bool want);

/**
 * Control thread.  Run @fn(@arg) on the audio thread, within a cycle, and wait
 * until it has returned.  How a back-end hands a voice to its audio thread.
 */
VSND_API void vsnd_audio_call(struct vsnd *dev, void (*fn)(void *arg), void *arg);

/**
 * Any thread, real-time safe: have the control thread call the back-end's service()
 * soon.  From the begin of open() to the end of close().
 */
VSND_API void vsnd_audio_service(struct vsnd *dev);

/**
 * Control thread, from service().  The host's user has made the stream's voice this
 * loud in the host's own mixer, which has taken effect already.  The guest is shown it
 * by its elements, as exactly as their steps can, and is told by events: a
 * volume and a switch that are bound to this stream alone, else those bound to all
 * of its direction if there is no other stream of it, else none.  voice_volume()
 * is not called for it, and a later change of one channel or of the switch leaves
 * the host what it has of the others, unrounded.
 */
VSND_API void vsnd_voice_volume_changed(struct vsnd_stream *s, const struct vsnd_volume *volume);

#ifdef __cplusplus
}
#endif
#endif
