/* SPDX-License-Identifier: BSD-3-Clause */
/* Plugs that are pulled on the host's side, and the buffers that events go into. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/hook.h"

#define JACK 24u
#define JACKS_MAX 64u

static uint32_t code_of(bool connected)
{
	return connected ? SND_EVT_JACK_CONNECTED : SND_EVT_JACK_DISCONNECTED;
}

static int jack_state(struct conform *c, uint32_t jack, bool *ret)
{
	struct answer a;

	TRY(ctl_info(c, SND_R_JACK_INFO, jack, 1, JACK, 4 + JACK, &a));
	INSIST_EQ(c, a.status, SND_S_OK, "JACK_INFO of jack %u", jack);
	*ret = a.chain.in[4 + 16];
	return 0;
}

/* Up, and what all jacks are. */
static int jacks_up(struct conform *c, const struct rig_setup *setup, bool *ret_state)
{
	TRY(rig_up(c, setup));
	if (!c->rig.counts.jacks)
		return skip(c, "the device has no jacks");
	TRY(hook_manual(c));
	for (uint32_t j = 0; j < c->rig.counts.jacks && j < JACKS_MAX; j++)
		TRY(jack_state(c, j, &ret_state[j]));
	return 0;
}

static int told(struct conform *c)
{
	bool is[JACKS_MAX];

	TRY(jacks_up(c, NULL, is));
	for (uint32_t j = 0; j < c->rig.counts.jacks && j < JACKS_MAX; j++) {
		TRY(hook_plug(c, j, !is[j]));
		TRY(hook_one_event(c, code_of(!is[j]), j));
		TRY(hook_plug(c, j, is[j]));
		TRY(hook_one_event(c, code_of(is[j]), j));
	}
	return 0;
}

static int shown(struct conform *c)
{
	bool is[JACKS_MAX], now;

	TRY(jacks_up(c, NULL, is));
	for (uint32_t j = 0; j < c->rig.counts.jacks && j < JACKS_MAX; j++)
		for (unsigned i = 1; i <= 2; i++) {
			TRY(hook_plug(c, j, is[j] != (i & 1)));
			TRY(jack_state(c, j, &now));
			EXPECT_EQ(c, now, is[j] != (i & 1), "connected of jack %u", j);
		}
	return 0;
}

/* The same numbers every time. */
static uint32_t any(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

static int in_range(struct conform *c)
{
	uint32_t seed = 1, jacks;
	bool is[JACKS_MAX];

	TRY(jacks_up(c, NULL, is));
	jacks = c->rig.counts.jacks < JACKS_MAX ? c->rig.counts.jacks : JACKS_MAX;
	for (unsigned i = 0; i < 200; i++) {
		uint32_t j = any(&seed) % jacks;
		bool to = any(&seed) & 1;

		TRY(hook_plug(c, j, to));
		TRY(hook_one_event(c, is[j] == to ? 0 : code_of(to), j));
		is[j] = to;
	}
	return 0;
}

static int only_changes(struct conform *c)
{
	bool is[JACKS_MAX];

	TRY(jacks_up(c, NULL, is));
	TRY(hook_plug(c, 0, is[0]));
	TRY(hook_one_event(c, 0, 0));
	TRY(hook_plug(c, 0, !is[0]));
	TRY(hook_plug(c, 0, !is[0]));
	return hook_one_event(c, code_of(!is[0]), 0);
}

static int is_event(struct conform *c, const struct chain *ch, uint32_t code, uint32_t data)
{
	EXPECT(c, ch->done, "event 0x%x data %u is not there", code, data);
	EXPECT_EQ(c, ch->len, 8, "the event's used length");
	EXPECT_EQ(c, get32(ch->in), code, "the event's code");
	EXPECT_EQ(c, get32(ch->in + 4), data, "the event's data");
	return 0;
}

static int one_per_buffer(struct conform *c)
{
	const struct rig_setup setup = { .no_events = true };
	struct chain ch[2];
	bool is[JACKS_MAX];

	TRY(jacks_up(c, &setup, is));
	TRY(events_give(c, ch, 2, 64));
	TRY(hook_plug(c, 0, !is[0]));
	TRY(is_event(c, &ch[0], code_of(!is[0]), 0));
	EXPECT(c, chain_untouched(&ch[0], 8), "more than the event was written");
	EXPECT(c, !ch[1].done && chain_untouched(&ch[1], 0), "a second buffer was taken");
	TRY(hook_plug(c, 0, is[0]));
	return is_event(c, &ch[1], code_of(is[0]), 0);
}

/* Only the last state counts; and none that the driver knows already. */
static int gathered(struct conform *c)
{
	const struct rig_setup setup = { .no_events = true };
	struct chain ch[4];
	bool is[JACKS_MAX];

	TRY(jacks_up(c, &setup, is));
	for (unsigned i = 0; i < 3; i++)
		TRY(hook_plug(c, 0, !is[0] != (i & 1)));
	TRY(events_give(c, ch, 4, 8));
	TRY(chain_wait(c, &ch[0]));
	TRY(is_event(c, &ch[0], code_of(!is[0]), 0));
	for (unsigned i = 1; i < 4; i++)
		EXPECT(c, !ch[i].done, "more than one event for a plug that moved 3 times");
	return 0;
}

static int back_again(struct conform *c)
{
	const struct rig_setup setup = { .no_events = true };
	struct chain ch[4];
	bool is[JACKS_MAX];

	TRY(jacks_up(c, &setup, is));
	for (unsigned i = 0; i < 10; i++)
		TRY(hook_plug(c, 0, is[0] == (i & 1)));
	TRY(events_give(c, ch, 4, 8));
	TRY(rig_watch(c, QUIET_MS));
	EXPECT_EQ(c, chains_done(ch, 4), 0, "events for a plug that is where it was");
	TRY(hook_plug(c, 0, !is[0]));
	return is_event(c, &ch[0], code_of(!is[0]), 0);
}

/* An answer on its way while the plug moves. */
static int never_wrong(struct conform *c)
{
	bool is[JACKS_MAX], believed;
	struct chain info;

	TRY(jacks_up(c, NULL, is));
	for (unsigned i = 0; i < 300; i++) {
		is[0] = !is[0];
		TRY(chain_init(c, &info, Q_CONTROL, 16, 4 + JACK));
		put32(info.out, SND_R_JACK_INFO);
		put32(info.out + 8, 1);
		put32(info.out + 12, JACK);
		TRY(chain_send(c, &info));
		TRY(hook_plug(c, 0, is[0]));
		TRY(chain_wait(c, &info));
		believed = info.in[4 + 16];
		for (; c->rig.events_seen < c->rig.events; c->rig.events_seen++)
			believed = c->rig.log[c->rig.events_seen % EVENT_LOG].code ==
				SND_EVT_JACK_CONNECTED;
		EXPECT_EQ(c, believed, is[0], "what JACK_INFO and then the events say (round %u)", i);
	}
	return 0;
}

static int short_buffer(struct conform *c)
{
	const struct rig_setup setup = { .no_events = true };
	struct chain small, good;
	bool is[JACKS_MAX];

	TRY(jacks_up(c, &setup, is));
	TRY(events_give(c, &small, 1, 4));
	TRY(events_give(c, &good, 1, 8));
	TRY(hook_plug(c, 0, !is[0]));
	EXPECT(c, small.done && small.len == 0, "the buffer of 4 bytes: used length %u", small.len);
	EXPECT(c, chain_untouched(&small, 0), "something was written to it");
	EXPECT(c, c->rig.errs[Q_EVENT] || strcmp(c->rig.fe.who->name, "qemu"),
		"the error descriptor was not signalled");
	return is_event(c, &good, code_of(!is[0]), 0);
}

static int readable_buffer(struct conform *c)
{
	const struct rig_setup setup = { .no_events = true };
	struct chain mixed, good;
	bool is[JACKS_MAX];

	TRY(jacks_up(c, &setup, is));
	TRY(chain_init(c, &mixed, Q_EVENT, 8, 8));
	TRY(chain_post(c, &mixed));
	TRY(events_give(c, &good, 1, 8));
	TRY(hook_plug(c, 0, !is[0]));
	EXPECT(c, mixed.done && mixed.len == 0, "the buffer with a readable part: used length %u",
		mixed.len);
	EXPECT(c, chain_untouched(&mixed, 0) && !get64(mixed.out), "it was written to");
	return is_event(c, &good, code_of(!is[0]), 0);
}

static int no_kick(struct conform *c)
{
	const struct rig_setup setup = { .no_events = true };
	bool is[JACKS_MAX];
	struct chain ch;

	TRY(jacks_up(c, &setup, is));
	TRY(chain_init(c, &ch, Q_EVENT, 0, 8));
	TRY(chain_post(c, &ch));
	TRY(hook_plug(c, 0, !is[0]));
	return is_event(c, &ch, code_of(!is[0]), 0);
}

/* Rings that are stopped stay as they are; what is still true is told afterwards. */
static int suspended(struct conform *c)
{
	uint64_t calls[QUEUES];
	uint16_t used[QUEUES];
	bool is[JACKS_MAX];

	TRY(jacks_up(c, NULL, is));
	if (!c->rig.fe.who->pause[0].ring[0])
		return skip(c, "%s has no VM pause that reaches the back-end",
			c->rig.fe.who->name);
	INSIST(c, frontend_pause(&c->rig.fe) >= 0, "the VM cannot be paused");
	TRY(rig_poll(c, 0));
	for (unsigned q = 0; q < QUEUES; q++) {
		used[q] = ring_used_idx(&c->rig.ring[q]);
		calls[q] = c->rig.calls[q];
	}
	for (unsigned i = 0; i < 21; i++)
		TRY(hook_plug(c, 0, is[0] == (i & 1)));
	TRY(hook_advance(c, 480, 100));
	TRY(rig_watch(c, QUIET_MS));
	for (unsigned q = 0; q < QUEUES; q++) {
		EXPECT_EQ(c, ring_used_idx(&c->rig.ring[q]), used[q], "used index of queue %u", q);
		EXPECT_EQ(c, c->rig.calls[q], calls[q], "notifications of queue %u", q);
	}
	TRY(hook_one_event(c, 0, 0));
	INSIST(c, frontend_resume(&c->rig.fe) >= 0, "the VM cannot go on");
	for (unsigned i = 0; i < 50 && c->rig.events == c->rig.events_seen; i++)
		TRY(rig_watch(c, 10));
	return hook_one_event(c, code_of(!is[0]), 0);
}

#define JCK "virtio 1.4, Sound Device, Jack Notifications: "
#define BUF "virtio 1.4, Sound Device, Device Initialization: "

const struct scenario hook_jack_scenarios[] = {
	{ .id = "SND-JACK-3h", .title = "connected is what the plug is", .run = shown,
		.clause = "VIRTIO_SND_R_JACK_INFO: connected" },
	{ .id = "SND-JEVT-1", .title = "plugging and unplugging is told", .run = told,
		.clause = JCK "JACK_CONNECTED, JACK_DISCONNECTED" },
	{ .id = "SND-JEVT-2", .title = "200 changes, each told with its jack", .run = in_range,
		.clause = JCK "data is the jack's identifier" },
	{ .id = "SND-JEVT-3", .title = "one event in a buffer, and no byte behind it",
		.run = one_per_buffer, .clause = "Device Operation: struct virtio_snd_event" },
	{ .id = "SND-JEVT-4", .title = "no event without a change", .run = only_changes,
		.recommended = true, .clause = JCK "silent" },
	{ .id = "SND-JEVT-5", .title = "without buffers only the last state is kept",
		.run = gathered, .recommended = true, .clause = JCK "silent" },
	{ .id = "SND-JEVT-5b", .title = "... and nothing if it is the one before",
		.run = back_again, .recommended = true, .clause = JCK "silent" },
	{ .id = "SND-JEVT-6", .title = "answers and events agree in the end",
		.run = never_wrong, .recommended = true, .clause = JCK "silent" },
	{ .id = "SND-INIT-1h", .title = "a buffer too small for an event", .run = short_buffer,
		.recommended = true, .clause = BUF "at least the size of an event" },
	{ .id = "SND-INIT-2h", .title = "an event buffer with a readable part",
		.run = readable_buffer, .recommended = true, .clause = BUF "device-writable" },
	{ .id = "VU-RING-7h", .title = "event buffers that were never kicked", .run = no_kick,
		.clause = "vhost-user, Ring states: Linux does not kick the event queue" },
	{ .id = "VU-SUS-2h", .title = "no event of a device whose rings are stopped",
		.run = suspended, .clause = "vhost-user, Suspended device state: no notification" },
	{ 0 },
};
