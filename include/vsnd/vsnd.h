/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libvsnd: the virtio sound device (virtio device id 25) as a library.
 *
 * The embedder (a VMM, an emulator, a vhost-user server) owns transport and
 * guest memory; the library owns the four virtqueues and everything that
 * happens on them.  An audio back-end (<vsnd/audio.h>) is the host's side.
 *
 * Threads.  All functions here belong to the device's *control thread*: the
 * embedder calls them from one thread at a time, unless a function says "any
 * thread".  The control thread runs controlq and eventq.  txq and rxq are run
 * by the audio back-end's *audio thread*; where a function here has to change
 * what that thread uses, it waits until the audio thread has taken the change
 * (one turn of that thread, which the back-end contract bounds).  The audio
 * thread never waits for the control thread.
 *
 * Errors are negative errno values.  Unless said otherwise a failed call has
 * changed nothing and taken ownership of nothing.  The library does not log,
 * has no global state and installs no signal handler.
 *
 * Order of calls, as every transport has it:
 *
 *	vsnd_create(&settings, &dev);
 *	vsnd_set_features(dev, accepted);
 *	vsnd_set_memory(dev, regions, n);
 *	for each queue: vsnd_queue_start(dev, q, &setup); vsnd_queue_enable(dev, q, true);
 *	... vsnd_queue_kick(dev, q) whenever the driver kicks, vsnd_run(dev) when asked ...
 *	for each queue: vsnd_queue_stop(dev, q, &base);
 *	vsnd_destroy(&dev);
 */
#ifndef VSND_VSND_H
#define VSND_VSND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vsnd/ctl.h>
#include <vsnd/format.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vsnd;
struct vsnd_audio_ops;

#define VSND_DEVICE_ID 25
#define VSND_QUEUES 4
#define VSND_QUEUE_SIZE_MAX 32768
/** Elements of one descriptor chain that are always accepted (more, up to the queue size). */
#define VSND_CHAIN_MAX 1024
#define VSND_STREAMS_MAX 64
#define VSND_JACKS_MAX 64
#define VSND_CHMAPS_MAX 256
#define VSND_MEM_REGIONS_MAX 512
/** Size of the device configuration space in bytes (virtio 1.3 and later). */
#define VSND_CONFIG_SIZE 16

/** Virtqueues, by index (virtio 1.4, Sound Device, Virtqueues). */
enum vsnd_queue {
	VSND_CONTROLQ,
	VSND_EVENTQ,
	VSND_TXQ,
	VSND_RXQ
};

/** Feature bits that the library may offer, by number. */
enum vsnd_feature {
	VSND_F_CTLS = 0,	/**< offered if the settings have control elements */
	VSND_F_INDIRECT_DESC = 28,
	VSND_F_EVENT_IDX = 29,
	VSND_F_VERSION_1 = 32
};

enum vsnd_direction {
	VSND_OUTPUT,
	VSND_INPUT
};

/** Bits of vsnd_stream_settings.features (virtio 1.4, PCM_INFO). */
enum vsnd_stream_feature {
	/** The driver may ask to be told of underruns and overruns. */
	VSND_STREAM_EVT_XRUNS = 1 << 4
};

/** Bits of vsnd_jack_settings.features (virtio 1.4, JACK_INFO). */
enum vsnd_jack_feature {
	/** The driver may change association and sequence of the pin. */
	VSND_JACK_REMAP = 1 << 0
};

/** What went wrong on a queue. */
enum vsnd_queue_error {
	/** A message without room for an answer was returned with used length 0. */
	VSND_QUEUE_ERROR_MESSAGE,
	/** The ring itself is broken.  The queue is stopped until it is started afresh. */
	VSND_QUEUE_ERROR_BROKEN
};

/** One PCM stream as the guest sees it (PCM_INFO). */
struct vsnd_stream_settings {
	uint32_t nid;		/**< function group; Linux' PCM device number */
	uint32_t features;	/**< enum vsnd_stream_feature */
	uint8_t direction;	/**< enum vsnd_direction */
	uint8_t channels_min;	/**< 1..channels_max */
	uint8_t channels_max;	/**< up to VSND_CHANNELS_MAX */
	uint64_t formats;	/**< mask of 1 << enum vsnd_format, whole-byte formats only */
	uint64_t rates;		/**< mask of 1 << enum vsnd_rate; one below 1 << 14 at least */
};

/** One jack as the guest sees it (JACK_INFO). */
struct vsnd_jack_settings {
	uint32_t nid;
	uint32_t features;	/**< enum vsnd_jack_feature */
	uint32_t defconf;	/**< HDA pin default configuration */
	uint32_t caps;		/**< HDA pin capabilities */
	bool connected;
};

/** One channel map as the guest sees it (CHMAP_INFO). */
struct vsnd_chmap_settings {
	uint32_t nid;
	uint8_t direction;
	uint8_t channels;
	uint8_t positions[VSND_CHANNELS_MAX];	/**< VIRTIO_SND_CHMAP_*, 0..36 */
};

/**
 * What the device calls in the embedder.  Each may be NULL.  They are called
 * with no lock held and may only signal: no call back into the library.
 */
struct vsnd_callbacks {
	/**
	 * Used buffers are to be notified to the driver.  Thread: the queue's
	 * owner (control thread for controlq and eventq, audio thread for txq and
	 * rxq).  On the audio thread at most once per queue and cycle; there it
	 * must be real-time safe.
	 */
	void (*notify)(void *ctx, unsigned queue);
	/** Thread: the queue's owner.  @what is a static string for a log line. */
	void (*queue_error)(void *ctx, unsigned queue, enum vsnd_queue_error error,
			    const char *what);
	/** Any thread: let the control thread call vsnd_run() soon.  Real-time safe. */
	void (*wake)(void *ctx);
	/**
	 * The driver has changed an element (@what: enum vsnd_ctl_change).  Thread:
	 * control.  vsnd_ctl_get() and vsnd_ctl_get_tlv() may be called from here.
	 */
	void (*ctl_changed)(void *ctx, unsigned ctl, unsigned what);
	/**
	 * A TLV_COMMAND with @len bytes of @value, as on the wire.  Thread: control.
	 * 0, -EINVAL, -EOPNOTSUPP, or another errno for a failure of the host's.
	 */
	int (*ctl_command)(void *ctx, unsigned ctl, uint32_t type, const void *value,
			   uint32_t len);
};

/**
 * Settings of a device.  Fill it with vsnd_settings_init(), change what is to
 * be different, pass it to vsnd_create(), which copies it; the arrays stay the
 * caller's.
 */
struct vsnd_settings {
	unsigned streams, jacks, chmaps, ctls;
	const struct vsnd_stream_settings *stream;
	const struct vsnd_jack_settings *jack;
	const struct vsnd_chmap_settings *chmap;
	const struct vsnd_ctl_settings *ctl;	/**< see <vsnd/ctl.h>; none by default */
	/** Largest buffer_bytes that SET_PARAMS accepts. */
	uint32_t buffer_bytes_max;
	struct vsnd_callbacks callbacks;
	void *ctx;		/**< first argument of the callbacks */
	const struct vsnd_audio_ops *audio;	/**< back-end; must be set, stays the caller's */
	const void *audio_config;	/**< passed to the back-end's open() */
	uint64_t reserved[8];	/**< 0 */
};

/** A range of guest-physical memory that is mapped in this process. */
struct vsnd_mem_region {
	uint64_t gpa;
	uint64_t size;
	void *host;
};

/** Where the driver has put a split virtqueue (guest-physical addresses). */
struct vsnd_queue_setup {
	uint32_t size;		/**< descriptors */
	uint32_t base;		/**< next available index to process; upper 16 bits are ignored */
	uint64_t desc;		/**< descriptor table */
	uint64_t driver;	/**< available ring */
	uint64_t device;	/**< used ring */
	/**
	 * Whether I/O messages that the device held when the queue was stopped go
	 * on (the driver kept its state, as after a VM pause) or are forgotten.
	 */
	bool resume;
};

/** Range of vsnd_stream_set_volume(), in hundredths of dB. */
#define VSND_MILLIBELS_MIN (-14400)
#define VSND_MILLIBELS_MAX 2400

/** Where a stream is (virtio 1.4, PCM Command Lifecycle). */
enum vsnd_stream_state {
	VSND_STREAM_INIT,	/**< after reset: no parameters */
	VSND_STREAM_SET,	/**< has parameters */
	VSND_STREAM_PREPARED,
	VSND_STREAM_RUNNING,
	VSND_STREAM_STOPPED,
	VSND_STREAM_RELEASED,	/**< has parameters, holds nothing */
	VSND_STREAM_STATES
};

/** What a stream is doing, and what the host's side has set for it. */
struct vsnd_stream_status {
	uint8_t state;		/**< enum vsnd_stream_state */
	uint8_t direction;	/**< enum vsnd_direction */
	bool allowed;		/**< vsnd_stream_allow() */
	bool mute;		/**< vsnd_stream_set_volume() */
	int32_t millibels;
	/** The driver's parameters; 0 in state INIT. */
	uint8_t format;		/**< enum vsnd_format */
	uint8_t channels;
	uint32_t rate_hz;
	uint32_t period_frames, buffer_frames;
};

/** Counters of the device since it was created. */
struct vsnd_stats {
	uint64_t requests;	/**< of the driver, on controlq */
	uint64_t refused;	/**< of these, answered with another status than S_OK */
};

/** Counters of one stream since the device was created. */
struct vsnd_stream_stats {
	uint64_t messages;	/**< completed with S_OK */
	uint64_t errors;	/**< completed with S_IO_ERR */
	/** Of the guest's, handed to the host; input: of the host's, handed to the guest. */
	uint64_t frames;
	/** Of the guest's, taken at pace without a host or denied; input: lost for want of room. */
	uint64_t discarded;
	/** Silence the host got as the guest was late; input: the guest, without a host or denied. */
	uint64_t silence;
	/** Episodes in which the guest was late: with frames, or with room for them. */
	uint64_t xruns;
	/**
	 * latency_bytes of the last message with S_OK: what the host still had to play
	 * behind it; input: what it had captured since the message's last frame.
	 */
	uint64_t latency_bytes;
};

/**
 * Defaults: one stereo output and one stereo input (mono accepted), in this order,
 * with S16, S32 and FLOAT at 44.1, 48 and 96 kHz, in one function group; a line-out
 * and a microphone jack, and for either direction maps for one and two channels.
 * Items of the output come first in each table.  @s keeps pointers to static
 * tables.  Any thread.
 */
VSND_API void vsnd_settings_init(struct vsnd_settings *s);

/**
 * Create a device and open its audio back-end.  0, -EINVAL for settings that
 * the specification or a limit above excludes, -ENOMEM, or the error of the
 * back-end's open().
 */
VSND_API int vsnd_create(const struct vsnd_settings *s, struct vsnd **ret_dev);

/** Stop everything, close the back-end, free and NULL *@dev.  NULL is fine. */
VSND_API void vsnd_destroy(struct vsnd **dev);

/** Feature bits on offer (virtio 1.4, Feature Bits).  Any thread. */
VSND_API uint64_t vsnd_features(const struct vsnd *dev);

/**
 * Accept features.  -EINVAL if @features has a bit that is not offered or lacks
 * VERSION_1, -EBUSY while a queue is started and the set would change.
 */
VSND_API int vsnd_set_features(struct vsnd *dev, uint64_t features);

/**
 * Read the configuration space (virtio 1.4, Device configuration layout).  Bytes
 * beyond it read as 0.  Any thread.
 */
VSND_API void vsnd_config_read(const struct vsnd *dev, uint32_t offset, void *buf, size_t len);

/**
 * Device reset (virtio 1.4, Device Reset): all queues stop, all streams are as
 * new, messages held are forgotten, features are not.  On return no ring and
 * no guest memory is touched any more.
 */
VSND_API void vsnd_reset(struct vsnd *dev);

/**
 * The same without the queues: stream states and held messages are dropped,
 * started queues stay started.  For transports that learn of a guest's reset
 * only from how it sets up the queues.
 */
VSND_API void vsnd_reset_state(struct vsnd *dev);

/**
 * Replace the map of guest memory, also while queues run.  The mappings stay
 * the caller's, who may unmap those of the former map once this returned.
 * Started queues whose rings are not in the new map break
 * (VSND_QUEUE_ERROR_BROKEN).  -EINVAL for overlapping, empty or wrapping regions
 * or more than VSND_MEM_REGIONS_MAX, -ENOMEM.
 */
VSND_API int vsnd_set_memory(struct vsnd *dev, const struct vsnd_mem_region *regions, unsigned n);

/**
 * Tell the device that reading @addr raised SIGBUS.  To be called from a SIGBUS
 * handler, on any thread, async-signal-safe.  If @addr lies in a region of the
 * device's memory map, the page gets zeroes, the device's queues break at
 * their next use, and true is returned: the handler should return.  Else false.
 */
VSND_API bool vsnd_mem_fault(struct vsnd *dev, void *addr);

/**
 * Start a queue; it is not processed before it is also enabled.  -EINVAL for a bad
 * queue, size or alignment, -EFAULT for a ring outside guest memory, -EBUSY if
 * it is started already, -ENOMEM.
 */
VSND_API int vsnd_queue_start(struct vsnd *dev, unsigned queue,
			      const struct vsnd_queue_setup *setup);

/**
 * Stop a queue.  On return the ring and its buffers are not touched any more.
 * *@ret_base (may be NULL) is where a restart has to go on.  Messages that were
 * fetched and not completed stay with the device: see vsnd_queue_setup.resume.
 * -EINVAL for a bad queue or one that is not started.
 */
VSND_API int vsnd_queue_stop(struct vsnd *dev, unsigned queue, uint32_t *ret_base);

/**
 * Enable or disable a queue, started or not; remembered over stop and start
 * until vsnd_reset().  While txq (rxq) is disabled or stopped, running output
 * (input) streams pause without loss.  -EINVAL for a bad queue.
 */
VSND_API int vsnd_queue_enable(struct vsnd *dev, unsigned queue, bool enable);

/** The driver kicked.  Bad and idle queues are ignored.  For txq and rxq any thread. */
VSND_API void vsnd_queue_kick(struct vsnd *dev, unsigned queue);

/** True if the queue's ring was found broken and it has not been started afresh since. */
VSND_API bool vsnd_queue_broken(const struct vsnd *dev, unsigned queue);

/**
 * Do what is left to do on the control thread, after the wake callback: the device's
 * own affairs and the audio back-end's.
 */
VSND_API void vsnd_run(struct vsnd *dev);

/**
 * A jack was plugged or unplugged on the host's side.  The driver gets an event
 * if that is a change; while it has no buffers for events, or the queue rests,
 * only the last state is kept.  A reset does not change it.  -EINVAL for a bad jack.
 */
VSND_API int vsnd_jack_plug(struct vsnd *dev, unsigned jack, bool connected);

/** Whether something is plugged in.  -EINVAL for a bad jack. */
VSND_API int vsnd_jack_connected(const struct vsnd *dev, unsigned jack, bool *ret_connected);

/**
 * Permit a stream to reach the host, or deny it.  Of a denied one no sample passes, in
 * either direction: what the guest plays is taken at pace and discarded, what it
 * records is silence, and nothing else changes for it.  A running stream is faded
 * in and out, in 10 ms.  All are permitted at first; a reset changes nothing.  -EINVAL
 * for a bad stream.
 */
VSND_API int vsnd_stream_allow(struct vsnd *dev, unsigned stream, bool allowed);

/**
 * The host's own knob for a stream: a gain from VSND_MILLIBELS_MIN to _MAX hundredths
 * of dB, and a mute.  It is beside the guest's control elements, which do not see it,
 * acts on the samples in the device, ramped, and survives a reset.  0 and false at
 * first: samples pass untouched.  -EINVAL for a bad stream or gain.
 */
VSND_API int vsnd_stream_set_volume(struct vsnd *dev, unsigned stream, int32_t millibels,
				    bool mute);

/** -EINVAL for a bad stream. */
VSND_API int vsnd_stream_status(const struct vsnd *dev, unsigned stream,
				struct vsnd_stream_status *ret);

/** Whether the audio back-end has the host sound system it is for, as far as it knows. */
VSND_API bool vsnd_host_connected(const struct vsnd *dev);

/** Counters of the device. */
VSND_API void vsnd_stats(const struct vsnd *dev, struct vsnd_stats *ret);

/** Counters of a stream.  -EINVAL for a bad stream.  Any thread; values may be a cycle old. */
VSND_API int vsnd_stream_stats(const struct vsnd *dev, unsigned stream,
			       struct vsnd_stream_stats *ret);

#ifdef __cplusplus
}
#endif
#endif
