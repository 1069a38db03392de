/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's insides, and who owns what.
 *
 * There are two owners and two kinds of struct.  `struct pcm` and everything
 * reached from it is the control thread's; `struct vsnd_stream` and `struct
 * io_queue` are the audio thread's.  The control thread changes the latter only
 * by vsnd_audio_call(), which runs a function on the audio thread and waits for
 * it.  Fields that both may read at any time are atomic and say so.
 */
#ifndef VSND_DEVICE_DEVICE_H
#define VSND_DEVICE_DEVICE_H

#include <assert.h>
#include <semaphore.h>
#include <stdatomic.h>

#include <vsnd/audio.h>

#include "device/gain.h"
#include "virtqueue/vq.h"
#include "wire/snd.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NSEC_PER_SEC INT64_C(1000000000)
#define NSEC_PER_MSEC INT64_C(1000000)

/* Life of a PCM stream (virtio 1.4, PCM Command Lifecycle). */
enum pcm_state {
	PCM_INIT = VSND_STREAM_INIT,		/* no parameters */
	PCM_SET = VSND_STREAM_SET,		/* parameters, no voice */
	PCM_PREPARED = VSND_STREAM_PREPARED,	/* a voice, messages are held */
	PCM_RUNNING = VSND_STREAM_RUNNING,	/* the voice plays or records */
	PCM_STOPPED = VSND_STREAM_STOPPED,	/* the voice rests, messages are held */
	PCM_RELEASED = VSND_STREAM_RELEASED,	/* parameters, no voice, everything returned */
	PCM_STATES = VSND_STREAM_STATES
};

/* What happens to I/O messages of a stream.  Audio thread. */
enum io_mode {
	IO_REFUSE,	/* returned with IO_ERR at once */
	IO_HOLD,	/* wait in the stream's FIFO */
	IO_RUN,		/* are pulled or filled by the voice */
	IO_FLUSH	/* RELEASE: the host takes what it can at once */
};

/* The control thread's side of a stream. */
struct pcm {
	struct vsnd_stream_settings offer;
	enum pcm_state state;
	struct vsnd_voice_params params;	/* valid from PCM_SET on */
	uint32_t features;			/* selected by SET_PARAMS */
	struct vsnd_voice *voice;		/* from PCM_PREPARED to PCM_STOPPED */
	bool voice_runs;

	/* volume.c; not the driver's, so a reset leaves them. */
	bool denied, mute;
	int32_t millibels;
	struct vsnd_volume elements;	/* what the bound elements say */
	struct vsnd_volume at_host;	/* what the host has of it, in its own precision */
};

/* What the driver believes of a jack's plug. */
enum jack_told {
	TOLD_DISCONNECTED,
	TOLD_CONNECTED,
	TOLD_BOTH	/* an event and an answer on their way may contradict each other */
};

struct jack {
	struct vsnd_jack_settings now;
	uint32_t initial_defconf;	/* until a REMAP */
	enum jack_told told;
};

#define MSG_NONE UINT32_MAX

/* An I/O message between fetch and completion; lives in io_queue.msgs. */
struct io_msg {
	struct vq_chain chain;
	struct vq_cursor data;	/* what of its frames has not been pulled, or filled, yet */
	uint64_t bytes;		/* of frames, or room for them, in all */
	uint64_t end_frame;	/* the stream's position at its last byte */
	uint64_t silence;	/* input: bytes behind what was recorded to be made silence */
	uint8_t format;		/* input: whose silence */
	uint32_t next;		/* in a FIFO, the done list or the free list */
	bool consumed;		/* all of data is out, or full */
	bool failed;		/* its memory was not there */
	enum snd_status status;	/* on the done list */
	uint32_t latency_bytes;	/* on the done list */
};

/* A list of messages by index. */
struct msg_list {
	uint32_t head, tail;
};

/* txq or rxq.  Audio thread, but for what the control thread sets up at rest. */
struct io_queue {
	struct vsnd *dev;
	unsigned index;		/* VSND_TXQ or VSND_RXQ */
	struct vq *vq;		/* NULL until started */
	struct io_msg *msgs;	/* as many as the queue has descriptors */
	uint32_t free;		/* list of unused msgs */
	struct msg_list done;	/* finished while the queue was at rest, not yet given back */
	uint64_t running;	/* its streams in IO_RUN, by bit */
	bool active;		/* started, enabled, not broken: the ring may be touched */
	bool pushed;		/* something to publish */
	bool reports;		/* the driver reports its progress (see notice.c) */
};

/* A point in a stream's completions, and when the driver showed that it passed it. */
struct notice_mark {
	uint64_t bytes;		/* completed by then */
	uint16_t used_idx;	/* published by then */
	int64_t noticed_ns;	/* 0: not yet */
};

#define NOTICE_MARKS 8

/* What the driver of a stream is known to have seen; see notice.c. */
struct notice {
	uint64_t sent;		/* bytes the driver has queued since PREPARE */
	uint64_t completed;	/* of these, completed */
	uint64_t seen;		/* of these, seen by the driver some time ago */
	struct notice_mark mark[NOTICE_MARKS];	/* oldest first */
	unsigned marks;
	int64_t marked_ns;	/* when the youngest was set */
	int64_t held_ns;	/* since when the last message is held, 0: it is not */
};

/* Counters that other threads may read while the audio thread adds. */
struct stream_counters {
	_Atomic uint64_t messages, errors, frames, discarded, silence, xruns;
	_Atomic uint64_t latency_bytes;	/* of the last message */
};

/* The audio thread's side of a stream. */
struct vsnd_stream {
	struct vsnd *dev;
	struct io_queue *queue;
	unsigned id;
	enum io_mode mode;

	/* From SET_PARAMS. */
	uint8_t format, channels;
	uint32_t rate_hz, frame_bytes;
	uint64_t buffer_bytes;

	/* Messages in the order the driver made them available. */
	struct msg_list fifo;
	uint32_t reading;	/* first one that is not consumed, or MSG_NONE */
	uint64_t queued;	/* bytes to be pulled, carry included; or room for bytes */
	uint8_t carry[VSND_CHANNELS_MAX * 8];	/* a part of a frame, between two messages */
	uint32_t carry_len;

	uint64_t pos;		/* frames pulled, silence included; or captured, lost ones included */
	int64_t host_pos;	/* what the host's converter was at when it last came */

	bool evt_xruns;		/* the driver wants to know */
	bool denied;		/* nothing passes once the gain has arrived at 0 */
	uint64_t starved;	/* frames of silence, or lost, since the last good one */
	struct gain gain;
	struct notice notice;
	struct stream_counters counters;
};

/* The control thread's side of a queue. */
struct queue {
	struct vq *vq;		/* controlq and eventq; for the others see io_queue */
	bool started, enabled;
	_Atomic bool broken;	/* set by the queue's owner */
};

struct rt_call {
	void (*fn)(void *arg);
	void *arg;
};

struct vsnd {
	/* Fixed at creation. */
	struct vsnd_callbacks cb;
	void *ctx;
	const struct vsnd_audio_ops *ops;
	struct vsnd_audio *audio;
	unsigned streams, jacks, chmaps;
	struct vsnd_chmap_settings *chmap;
	uint32_t buffer_bytes_max;

	/* Control thread. */
	struct jack *jack;
	unsigned ctls;
	struct ctl *ctl;	/* see ctl.h */
	uint8_t *tlv;		/* room for a request's metadata; NULL without elements */
	struct pcm *pcm;
	struct queue queue[VSND_QUEUES];
	uint64_t features;
	struct vsnd_stats stats;

	/* Replaced by the control thread; read by the SIGBUS path on any thread. */
	struct mem *_Atomic mem, *_Atomic mem_old;

	/* Audio thread. */
	struct vsnd_stream *stream;
	struct io_queue txq, rxq;
	unsigned want_kicks;
	int64_t now_ns;

	/* Streams with an xrun to be told: set by the audio thread, cleared by the other. */
	_Atomic uint64_t xruns;
	/* The back-end wants its service(): set by any thread. */
	_Atomic bool service;

	/* Control thread to audio thread. */
	struct rt_call *_Atomic call;
	sem_t call_done;
};

static_assert(VSND_STREAMS_MAX <= 64, "io_queue.running and vsnd.xruns have a bit per stream");

/* settings.c */
int settings_check(const struct vsnd_settings *s);

/* control.c; control thread */
void control_run(struct vsnd *dev);

/* pcm.c; control thread */
enum snd_status pcm_set_params(struct vsnd *dev, const struct ctl_req *req);
enum snd_status pcm_prepare(struct vsnd *dev, const struct ctl_req *req);
enum snd_status pcm_release(struct vsnd *dev, const struct ctl_req *req);
enum snd_status pcm_start(struct vsnd *dev, const struct ctl_req *req);
enum snd_status pcm_stop(struct vsnd *dev, const struct ctl_req *req);
/* Run exactly the voices whose stream runs and whose queue is active. */
void pcm_update_voices(struct vsnd *dev);
/* All streams to PCM_INIT, voices closed; messages are the caller's affair. */
void pcm_reset(struct vsnd *dev);

/* volume.c; control thread */
void volume_init(struct vsnd *dev, unsigned stream);
/* The elements that are bound to the stream may have changed. */
void volume_update(struct vsnd *dev, unsigned stream);
/* The stream gets a voice, and has got it. */
void volume_voice_opens(const struct vsnd *dev, struct pcm *p);
void volume_voice_opened(struct vsnd *dev, struct pcm *p);

/* event.c; control thread */
/* Send what the driver has to be told, as far as it has given buffers. */
void event_run(struct vsnd *dev);
/* An xrun that is not yet told is past. */
void event_drop_xrun(struct vsnd *dev, unsigned stream);
/* Audio thread: an episode begins. */
void event_note_xrun(struct vsnd_stream *s);

/* jack.c; control thread */
void jack_init(struct jack *j, const struct vsnd_jack_settings *s);
void jack_reset(struct vsnd *dev);
/* The driver is told of the jack's state by an answer. */
void jack_answered(struct jack *j);
/* The event that the driver has to get, if any. */
bool jack_event(const struct jack *j, enum snd_event *ret_event);
void jack_event_sent(struct jack *j);
enum snd_status jack_remap(struct vsnd *dev, const struct ctl_req *req);

/* queue.c; control thread */
bool queue_active(const struct vsnd *dev, unsigned queue);
/* The queue's owner found its ring broken. */
void queue_break(struct vsnd *dev, unsigned queue, const char *what);
void queue_error_message(struct vsnd *dev, unsigned queue, const char *what);
/* Stop all queues; nothing of them is kept. */
void queue_reset_all(struct vsnd *dev);
void queue_free_all(struct vsnd *dev);

/* io.c; audio thread */
void io_init(struct io_queue *q, struct vsnd *dev, unsigned index);
void io_msgs_reset(struct io_queue *q);
void io_stream_init(struct vsnd_stream *s, struct vsnd *dev, unsigned id);
unsigned io_fetch(struct io_queue *q);
void io_publish(struct io_queue *q);
void io_activate(struct io_queue *q);
void io_deactivate(struct io_queue *q);
/* Drop all messages of the queue's streams without giving them back. */
void io_forget(struct io_queue *q);
/* Complete a message that is on no list. */
void io_finish(struct io_queue *q, uint32_t i, enum snd_status status, uint32_t latency_bytes);
/* Give all messages of the stream back, available ones included. */
void io_flush(struct vsnd_stream *s);
uint32_t msg_list_pop(const struct io_queue *q, struct msg_list *l);

/* stream.c; audio thread */
bool stream_live(const struct vsnd_stream *s);
/* Denied, and faded out: no sample may pass. */
bool stream_closed(const struct vsnd_stream *s);
/* Complete a message that is on no list, with IO_ERR if it failed. */
void stream_return(struct vsnd_stream *s, uint32_t i, uint32_t latency_bytes);
/* Complete what is through and need not be held. */
void stream_complete(struct vsnd_stream *s);
void stream_rewind(struct vsnd_stream *s);
struct io_msg *stream_reading(struct vsnd_stream *s, uint64_t end_frame);
uint64_t stream_frames_of(const struct vsnd_stream *s, uint64_t bytes);

/* record.c; audio thread */
void record_carry(struct vsnd_stream *s);
size_t record_silence(const struct vq *vq, struct vq_cursor *c, unsigned format, size_t phase,
		      size_t len);

/* notice.c; audio thread */
void notice_mark(struct vsnd_stream *s);	/* after completions were published */
void notice_update(struct vsnd_stream *s);
bool notice_must_hold(struct vsnd_stream *s);

static inline bool stream_is_input(const struct vsnd_stream *s)
{
	return s->queue->index == VSND_RXQ;
}

static inline void counter_add(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

#endif
