/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Jacks: plugs that come and go, and what the driver believes of them.
 *
 * A driver learns of a plug by an answer to JACK_INFO and by events, and the two
 * travel on different queues, so it may take them in either order.  `told` is
 * what it believes in the end once everything sent is taken.  An event is due
 * while that differs from the truth; an answer that contradicts what was told
 * before leaves it unknown, and the event that follows settles it.  So nothing
 * is sent for a plug that came and went unnoticed, and the last word is true.
 * (virtio 1.4, Jack Control Messages and Jack Notifications.)
 */
#include <errno.h>

#include "device/device.h"

#define REMAP_FIELD_MAX 15u	/* both fields have 4 bits */
#define DEFCONF_REMAP_MASK 0xffu

static enum jack_told truth(const struct jack *j)
{
	return j->now.connected ? TOLD_CONNECTED : TOLD_DISCONNECTED;
}

void jack_init(struct jack *j, const struct vsnd_jack_settings *s)
{
	j->now = *s;
	j->initial_defconf = s->defconf;
	j->told = truth(j);
}

/* The pins are as configured; the plugs are the host's and stay where they are. */
void jack_reset(struct vsnd *dev)
{
	for (unsigned i = 0; i < dev->jacks; i++) {
		struct jack *j = &dev->jack[i];

		j->now.defconf = j->initial_defconf;
		j->told = truth(j);
	}
}

void jack_answered(struct jack *j)
{
	if (j->told != truth(j))
		j->told = TOLD_BOTH;
}

bool jack_event(const struct jack *j, enum snd_event *ret_event)
{
	*ret_event = j->now.connected ? SND_EVT_JACK_CONNECTED : SND_EVT_JACK_DISCONNECTED;
	return j->told != truth(j);
}

void jack_event_sent(struct jack *j)
{
	j->told = truth(j);
}

int vsnd_jack_plug(struct vsnd *dev, unsigned jack, bool connected)
{
	if (jack >= dev->jacks)
		return -EINVAL;
	dev->jack[jack].now.connected = connected;
	event_run(dev);
	return 0;
}

int vsnd_jack_connected(const struct vsnd *dev, unsigned jack, bool *ret_connected)
{
	if (jack >= dev->jacks)
		return -EINVAL;
	*ret_connected = dev->jack[jack].now.connected;
	return 0;
}

/* VIRTIO_SND_R_JACK_REMAP */
enum snd_status jack_remap(struct vsnd *dev, const struct ctl_req *req)
{
	const struct ctl_jack_remap *r = &req->u.jack_remap;
	struct jack *j;

	if (r->jack_id >= dev->jacks)
		return SND_S_BAD_MSG;
	j = &dev->jack[r->jack_id];
	if (!(j->now.features & VSND_JACK_REMAP))
		return SND_S_NOT_SUPP;
	if (r->association > REMAP_FIELD_MAX || r->sequence > REMAP_FIELD_MAX)
		return SND_S_BAD_MSG;
	j->now.defconf = (j->now.defconf & ~DEFCONF_REMAP_MASK) | r->association << 4 | r->sequence;
	return SND_S_OK;
}
