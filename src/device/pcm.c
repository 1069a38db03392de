/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PCM requests: the life of a stream as the driver commands it.
 *
 * One table says which request is legal in which state; what is not is answered
 * BAD_MSG and changes nothing.  The host's side follows: a voice exists from
 * PREPARE to RELEASE and runs while the stream runs *and* the I/O queue is
 * processed, so a paused VM pauses the voice instead of starving it.
 * (virtio 1.4, PCM Command Lifecycle and PCM Control Messages.)
 */
#include <string.h>

#include "device/device.h"

#define OP(op) (1u << (op))

static const unsigned legal[] = {
	[PCM_INIT] = OP(CTL_PCM_SET_PARAMS),
	[PCM_SET] = OP(CTL_PCM_SET_PARAMS) | OP(CTL_PCM_PREPARE),
	[PCM_PREPARED] = OP(CTL_PCM_SET_PARAMS) | OP(CTL_PCM_PREPARE) | OP(CTL_PCM_START) |
			 OP(CTL_PCM_RELEASE),
	[PCM_RUNNING] = OP(CTL_PCM_STOP),
	[PCM_STOPPED] = OP(CTL_PCM_START) | OP(CTL_PCM_RELEASE),
	[PCM_RELEASED] = OP(CTL_PCM_SET_PARAMS) | OP(CTL_PCM_PREPARE),
};
static_assert(ARRAY_SIZE(legal) == PCM_STATES, "a state has no row");

/* The stream, if it exists and may do @op now. */
static struct pcm *pcm_find(struct vsnd *dev, uint32_t id, enum ctl_op op)
{
	if (id >= dev->streams || !(legal[dev->pcm[id].state] & OP(op)))
		return NULL;
	return &dev->pcm[id];
}

static struct vsnd_stream *pcm_stream(struct vsnd *dev, const struct pcm *p)
{
	return &dev->stream[p - dev->pcm];
}

static unsigned pcm_queue(const struct pcm *p)
{
	return p->offer.direction == VSND_OUTPUT ? VSND_TXQ : VSND_RXQ;
}

/* A change of mode that the audio thread carries out. */
struct rt_mode {
	struct vsnd_stream *stream;
	enum io_mode mode;
	const struct vsnd_voice_params *params;	/* new ones, or NULL */
	bool evt_xruns;	/* with them */
	bool flush;	/* give all messages back first */
	bool reports;	/* the driver is known to report its progress */
};

static void rt_set_mode(void *arg)
{
	const struct rt_mode *m = arg;
	struct vsnd_stream *s = m->stream;
	uint64_t bit = UINT64_C(1) << s->id;

	if (m->flush)
		io_flush(s);
	if (m->params) {
		s->format = m->params->format;
		s->channels = m->params->channels;
		s->rate_hz = m->params->rate_hz;
		s->frame_bytes = m->params->frame_bytes;
		s->buffer_bytes = (uint64_t)m->params->buffer_frames * s->frame_bytes;
		s->evt_xruns = m->evt_xruns;
		stream_rewind(s);
	}
	s->mode = m->mode;
	s->starved = 0;
	s->queue->reports = s->queue->reports || m->reports;
	s->queue->running = m->mode == IO_RUN ? s->queue->running | bit : s->queue->running & ~bit;
}

static void pcm_set_mode(struct vsnd *dev, const struct pcm *p, enum io_mode mode,
			 const struct vsnd_voice_params *params, bool flush)
{
	const struct vq *control = dev->queue[VSND_CONTROLQ].vq;
	struct rt_mode m = {
		.stream = pcm_stream(dev, p),
		.mode = mode,
		.params = params,
		.evt_xruns = p->features & VSND_STREAM_EVT_XRUNS,
		.flush = flush,
		.reports = vq_noticed(control, vq_used_idx(control)),
	};

	vsnd_audio_call(dev, rt_set_mode, &m);
}

/* Everything of the stream goes back to the driver, and the voice with it. */
static void pcm_close(struct vsnd *dev, struct pcm *p, enum pcm_state state)
{
	pcm_set_mode(dev, p, IO_REFUSE, NULL, true);
	dev->ops->voice_close(p->voice);
	p->voice = NULL;
	p->state = state;
}

/* The first map of the stream's function group, direction and channel count is its own. */
static void set_positions(const struct vsnd *dev, const struct vsnd_stream_settings *offer,
			  struct vsnd_voice_params *params)
{
	for (unsigned i = 0; i < dev->chmaps; i++) {
		const struct vsnd_chmap_settings *m = &dev->chmap[i];

		if (m->nid == offer->nid && m->direction == offer->direction &&
		    m->channels == params->channels) {
			memcpy(params->positions, m->positions, sizeof(params->positions));
			return;
		}
	}
}

/* Whole frames, period divides buffer, within our limit. */
static enum snd_status params_init(const struct vsnd *dev, const struct ctl_pcm_params *req,
				   struct vsnd_voice_params *ret)
{
	uint32_t frame_bytes = vsnd_format_info(req->format)->bytes * (uint32_t)req->channels;

	if (req->period_bytes == 0 || req->buffer_bytes == 0 ||
	    req->buffer_bytes % req->period_bytes || req->period_bytes % frame_bytes)
		return SND_S_BAD_MSG;
	if (req->buffer_bytes > dev->buffer_bytes_max)
		return SND_S_NOT_SUPP;
	*ret = (struct vsnd_voice_params){
		.stream = req->stream_id,
		.direction = dev->pcm[req->stream_id].offer.direction,
		.format = req->format,
		.channels = req->channels,
		.rate_hz = vsnd_rate_hz(req->rate),
		.frame_bytes = frame_bytes,
		.period_frames = req->period_bytes / frame_bytes,
		.buffer_frames = req->buffer_bytes / frame_bytes,
	};
	set_positions(dev, &dev->pcm[req->stream_id].offer, ret);
	return SND_S_OK;
}

static bool offered(uint64_t mask, unsigned value)
{
	return value < 64 && (mask >> value & 1);
}

/* VIRTIO_SND_R_PCM_SET_PARAMS */
enum snd_status pcm_set_params(struct vsnd *dev, const struct ctl_req *req)
{
	const struct ctl_pcm_params *r = &req->u.pcm_params;
	struct pcm *p = pcm_find(dev, r->stream_id, req->op);
	struct vsnd_voice_params params;
	enum snd_status status;

	if (!p)
		return SND_S_BAD_MSG;
	if ((r->features & ~p->offer.features) || !offered(p->offer.formats, r->format) ||
	    !offered(p->offer.rates, r->rate) || r->channels < p->offer.channels_min ||
	    r->channels > p->offer.channels_max)
		return SND_S_NOT_SUPP;
	status = params_init(dev, r, &params);
	if (status != SND_S_OK)
		return status;

	if (p->voice)
		pcm_close(dev, p, PCM_SET);
	p->params = params;
	p->features = r->features;
	p->state = PCM_SET;
	return SND_S_OK;
}

static int pcm_open(struct vsnd *dev, struct pcm *p)
{
	int err;

	volume_voice_opens(dev, p);
	err = dev->ops->voice_open(dev->audio, pcm_stream(dev, p), &p->params, &p->voice);
	if (err < 0)
		p->voice = NULL;
	else
		volume_voice_opened(dev, p);
	return err;
}

/*
 * VIRTIO_SND_R_PCM_PREPARE.  A prepared stream that is prepared again has the same
 * parameters, so its voice stays; only what was queued is given back.
 */
enum snd_status pcm_prepare(struct vsnd *dev, const struct ctl_req *req)
{
	struct pcm *p = pcm_find(dev, req->u.stream_id, req->op);

	if (!p)
		return SND_S_BAD_MSG;
	if (!p->voice && pcm_open(dev, p) < 0)
		return SND_S_IO_ERR;
	pcm_set_mode(dev, p, IO_HOLD, &p->params, p->state == PCM_PREPARED);
	p->state = PCM_PREPARED;
	return SND_S_OK;
}

/* VIRTIO_SND_R_PCM_START */
enum snd_status pcm_start(struct vsnd *dev, const struct ctl_req *req)
{
	struct pcm *p = pcm_find(dev, req->u.stream_id, req->op);

	if (!p)
		return SND_S_BAD_MSG;
	p->state = PCM_RUNNING;
	pcm_set_mode(dev, p, IO_RUN, NULL, false);
	pcm_update_voices(dev);
	return SND_S_OK;
}

/* VIRTIO_SND_R_PCM_STOP: what is queued stays, and START goes on at the exact byte. */
enum snd_status pcm_stop(struct vsnd *dev, const struct ctl_req *req)
{
	struct pcm *p = pcm_find(dev, req->u.stream_id, req->op);

	if (!p)
		return SND_S_BAD_MSG;
	p->state = PCM_STOPPED;
	pcm_update_voices(dev);
	pcm_set_mode(dev, p, IO_HOLD, NULL, false);
	event_drop_xrun(dev, req->u.stream_id);
	return SND_S_OK;
}

/*
 * VIRTIO_SND_R_PCM_RELEASE.  An output that has played offers the host what is left,
 * as far as the host takes it at once; one that never started has nothing to
 * say.  All messages are back, published and notified before this returns and
 * the request is answered (Stream Release, device requirements).
 */
enum snd_status pcm_release(struct vsnd *dev, const struct ctl_req *req)
{
	struct pcm *p = pcm_find(dev, req->u.stream_id, req->op);

	if (!p)
		return SND_S_BAD_MSG;
	if (p->state == PCM_STOPPED && p->offer.direction == VSND_OUTPUT && dev->ops->voice_flush &&
	    queue_active(dev, VSND_TXQ)) {
		pcm_set_mode(dev, p, IO_FLUSH, NULL, false);
		dev->ops->voice_flush(p->voice);
	}
	pcm_close(dev, p, PCM_RELEASED);
	return SND_S_OK;
}

void pcm_update_voices(struct vsnd *dev)
{
	for (unsigned i = 0; i < dev->streams; i++) {
		struct pcm *p = &dev->pcm[i];
		bool run = p->state == PCM_RUNNING && queue_active(dev, pcm_queue(p));

		if (run == p->voice_runs)
			continue;
		p->voice_runs = run;
		if (run)
			dev->ops->voice_start(p->voice);
		else
			dev->ops->voice_stop(p->voice);
	}
}

static void rt_refuse(void *arg)
{
	struct vsnd_stream *s = arg;

	s->mode = IO_REFUSE;
	s->queue->running &= ~(UINT64_C(1) << s->id);
}

void pcm_reset(struct vsnd *dev)
{
	for (unsigned i = 0; i < dev->streams; i++)
		dev->pcm[i].state = PCM_INIT;
	pcm_update_voices(dev);
	for (unsigned i = 0; i < dev->streams; i++) {
		struct pcm *p = &dev->pcm[i];

		vsnd_audio_call(dev, rt_refuse, &dev->stream[i]);
		event_drop_xrun(dev, i);
		if (p->voice)
			dev->ops->voice_close(p->voice);
		p->voice = NULL;
	}
}
