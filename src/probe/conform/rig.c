/* SPDX-License-Identifier: BSD-3-Clause */
/* Bringing a device up, posting messages, and noting what comes back. */
#include "probe/conform/rig.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#include "probe/bytes.h"
#include "probe/conform/conform.h"
#include "probe/names.h"
#include "probe/orders.h"
#include "probe/report.h"
#include "probe/vu.h"

#define REGION_BYTES (128ULL << 20)
#define GUARD_BYTES  16u
#define GUARD	     0x5a

int answer_ms(const struct conform *c)
{
	return (int)c->o->timeout_ms / 2;
}

/* A failure whose reason the lower layers have told. */
static int broken(struct conform *c, const char *what)
{
	c->hard = true;
	return expect_failed(c, __FILE__, __LINE__, what, "%s", complaint());
}

static int post_event(struct conform *c, struct chain *ch)
{
	memset(ch->in, POISON, ch->in_bytes);
	ch->done = false;
	return chain_post(c, ch);
}

static int fill_events(struct conform *c)
{
	for (unsigned i = 0; i < EVENTS && i < c->rig.ring[Q_EVENT].is.size; i++) {
		TRY(chain_init(c, &c->rig.event[i], Q_EVENT, 0, 8));
		TRY(post_event(c, &c->rig.event[i]));
	}
	return 0;
}

/* Whether what is in the rings before they are set up is not seen by the device. */
static bool passes_over(const struct personality *who)
{
	return who->base == BASE_AVAILABLE;
}

static int open_rings(struct conform *c, const struct rig_setup *setup)
{
	struct rig *r = &c->rig;
	uint64_t got = r->fe.features_offered & ~r->fe.who->hidden & r->fe.features_wanted;
	struct ring_setup is = { .size = setup->queue_size ? setup->queue_size : c->o->queue_size,
		.indirect = got & BIT(VIRTIO_F_INDIRECT_DESC),
		.event_idx = got & BIT(VIRTIO_F_EVENT_IDX),
		.scatter = setup->scatter || c->o->scatter };

	for (unsigned i = 0; i < QUEUES; i++) {
		struct fe_queue *q = &r->fe.queue[i];

		if (ring_open(&r->ring[i], &r->mem, &is, q->kick) < 0)
			return broken(c, "a ring");
		q->size = is.size;
		q->desc = r->ring[i].desc_gpa;
		q->avail = r->ring[i].avail_gpa;
		q->used = r->ring[i].used_gpa;
	}
	return 0;
}

static int read_config(struct conform *c)
{
	struct rig *r = &c->rig;
	uint8_t config[16] = { 0 };

	r->config_bytes = r->fe.features & BIT(SND_F_CTLS) ? 16 : 12;
	if (frontend_get_config(&r->fe, config, r->config_bytes) < 0)
		return broken(c, "GET_CONFIG");
	r->counts = (struct snd_counts){ .jacks = get32(config), .streams = get32(config + 4),
		.chmaps = get32(config + 8), .controls = get32(config + 12) };
	return 0;
}

int rig_activate(struct conform *c)
{
	if (frontend_activate(&c->rig.fe) < 0)
		return broken(c, "setting the rings up");
	return read_config(c);
}

void rig_begin_at(struct conform *c, unsigned queue, uint16_t index)
{
	struct ring *r = &c->rig.ring[queue];

	r->avail_idx = r->used_seen = r->kick_from = index;
	put16(r->avail + 2, index);
	put16(r->used + 2, index);
	c->rig.fe.queue[queue].base = index;
}

int rig_up_on(struct conform *c, const struct rig_setup *setup, int sock)
{
	static const struct rig_setup usual;
	struct rig *r = &c->rig;
	const struct personality *who;

	if (!setup)
		setup = &usual;
	memset(r, 0, sizeof(*r));
	if (mem_create(&r->mem, setup->regions ? setup->regions : c->o->regions, REGION_BYTES) < 0)
		return broken(c, "guest memory");
	who = setup->who ? setup->who
		: personality_find(setup->front_end ? setup->front_end : c->o->front_end);
	if (frontend_open(&r->fe, who, &r->mem, sock, answer_ms(c)) < 0) {
		mem_destroy(&r->mem);
		return broken(c, "connecting");
	}
	r->open = true;
	r->fe.features_wanted = (BIT(SND_F_CTLS) | BIT(VIRTIO_F_VERSION_1) |
		BIT(VIRTIO_F_INDIRECT_DESC) | BIT(VIRTIO_F_EVENT_IDX) | setup->with) &
		~setup->without;
	if (c->o->no_indirect)
		r->fe.features_wanted &= ~BIT(VIRTIO_F_INDIRECT_DESC);
	if (c->o->no_event_idx)
		r->fe.features_wanted &= ~BIT(VIRTIO_F_EVENT_IDX);
	TRY(open_rings(c, setup));
	if (setup->inactive)
		return 0;
	if (!setup->no_events && !passes_over(who))
		TRY(fill_events(c));
	TRY(rig_activate(c));
	return setup->no_events || !passes_over(who) ? 0 : fill_events(c);
}

int rig_up(struct conform *c, const struct rig_setup *setup)
{
	int sock = session_connect(&c->session);

	return sock < 0 ? broken(c, "connecting") : rig_up_on(c, setup, sock);
}

int rig_suspend(struct conform *c, int ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	uint16_t used[QUEUES];

	if (!c->rig.fe.who->pause[0].ring[0])
		return skip(c, "%s has no VM pause that reaches the back-end",
			c->rig.fe.who->name);
	trace(c, "=> the VM is stopped for %d ms", ms);
	if (frontend_pause(&c->rig.fe) < 0)
		return broken(c, "pausing");
	for (unsigned i = 0; i < QUEUES; i++)
		used[i] = ring_used_idx(&c->rig.ring[i]);
	nanosleep(&ts, NULL);
	for (unsigned i = 0; i < QUEUES; i++)
		EXPECT_EQ(c, ring_used_idx(&c->rig.ring[i]), used[i],
			"used index of queue %u after a while in which it was stopped", i);
	if (frontend_resume(&c->rig.fe) < 0)
		return broken(c, "resuming");
	return 0;
}

int rig_stop_ring(struct conform *c, unsigned queue)
{
	trace(c, "=> GET_VRING_BASE of queue %u", queue);
	if (vring_get_base(&c->rig.fe, queue) < 0)
		return broken(c, "GET_VRING_BASE");
	return 0;
}

int rig_start_ring(struct conform *c, unsigned queue)
{
	static const ring_step steps[] = { vring_num, vring_base, vring_addr, vring_call, vring_kick,
		vring_enable };

	trace(c, "=> queue %u is set up, from %u on", queue, c->rig.fe.queue[queue].base);
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i](&c->rig.fe, queue) < 0)
			return broken(c, "setting a ring up");
	return 0;
}

int rig_enable_ring(struct conform *c, unsigned queue, bool on)
{
	uint64_t features;

	trace(c, "=> SET_VRING_ENABLE %d of queue %u", on, queue);
	if (fe_ring_state(&c->rig.fe, VU_SET_VRING_ENABLE, queue, on, false) < 0 ||
		fe_get_u64(&c->rig.fe, VU_GET_FEATURES, &features) < 0)
		return broken(c, "SET_VRING_ENABLE");
	return 0;
}

void rig_break_ring(struct conform *c, unsigned queue)
{
	struct ring *r = &c->rig.ring[queue];

	trace(c, "-> a head beyond the ring, on queue %u", queue);
	put16(r->avail + 4 + 2 * (r->avail_idx & (r->is.size - 1)), (uint16_t)r->is.size);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	put16(r->avail + 2, ++r->avail_idx);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	eventfd_write(r->kick_fd, 1);
}

/* QEMU tells a back-end with rings anew from 0 only; the explicit messages come
 * on top, so that the scenario does not depend on guessing. */
int rig_reset(struct conform *c)
{
	struct rig *r = &c->rig;
	eventfd_t count;

	trace(c, "=> the guest resets the device");
	if (frontend_reset(&r->fe) < 0)
		return broken(c, "resetting");
	if (r->fe.protocol & BIT(VU_P_STATUS) && fe_u64(&r->fe, VU_SET_STATUS, 0) < 0)
		return broken(c, "SET_STATUS 0");
	if (r->fe.protocol & BIT(VU_P_RESET_DEVICE)) {
		struct vu_msg m = { .request = VU_RESET_DEVICE, .flags = VU_FLAG_VERSION };

		if (vu_send(r->fe.sock, &m) < 0)
			return broken(c, "RESET_DEVICE");
	}
	for (unsigned i = 0; i < QUEUES; i++) {
		ring_reset(&r->ring[i]);
		(void)!eventfd_read(r->fe.queue[i].call, &count);
	}
	TRY(fill_events(c));
	if (frontend_activate(&r->fe) < 0)
		return broken(c, "setting the rings up again");
	return 0;
}

void rig_down(struct conform *c)
{
	struct rig *r = &c->rig;

	if (!r->open)
		return;
	for (unsigned i = 0; i < QUEUES; i++)
		ring_close(&r->ring[i]);
	frontend_close(&r->fe);
	mem_destroy(&r->mem);
	r->open = false;
}

/* Never empty, so that an address always exists. */
static uint8_t *guarded(struct conform *c, uint32_t bytes, uint64_t *ret_gpa)
{
	uint64_t gpa = mem_alloc(&c->rig.mem, bytes + 2ULL * GUARD_BYTES, 16);
	uint8_t *p;

	if (!gpa)
		return NULL;
	p = mem_va(&c->rig.mem, gpa);
	memset(p, GUARD, bytes + 2ULL * GUARD_BYTES);
	*ret_gpa = gpa + GUARD_BYTES;
	return p + GUARD_BYTES;
}

int chain_init(struct conform *c, struct chain *ch, unsigned queue, uint32_t out_bytes,
	uint32_t in_bytes)
{
	memset(ch, 0, sizeof(*ch));
	ch->queue = queue;
	ch->out_bytes = out_bytes;
	ch->in_bytes = in_bytes;
	ch->out = guarded(c, out_bytes, &ch->out_gpa);
	ch->in = guarded(c, in_bytes, &ch->in_gpa);
	INSIST(c, ch->out && ch->in, "guest memory is full");
	memset(ch->out, 0, out_bytes);
	memset(ch->in, POISON, in_bytes);
	return 0;
}

int chain_post_as(struct conform *c, struct chain *ch, const struct element *e, unsigned n)
{
	int err = ring_add(&c->rig.ring[ch->queue], e, n, ch);

	INSIST(c, !err, "queue %u takes no chain of %u descriptors (the probe's own ring)",
		ch->queue, n);
	return 0;
}

int chain_post(struct conform *c, struct chain *ch)
{
	struct element e[2];
	unsigned n = 0;

	if (ch->out_bytes || !ch->in_bytes)
		e[n++] = (struct element){ .gpa = ch->out_gpa, .len = ch->out_bytes };
	if (ch->in_bytes)
		e[n++] = (struct element){ .gpa = ch->in_gpa, .len = ch->in_bytes, .write = true };
	return chain_post_as(c, ch, e, n);
}

void rig_kick(struct conform *c, unsigned queue)
{
	ring_kick(&c->rig.ring[queue]);
}

int chain_send(struct conform *c, struct chain *ch)
{
	TRY(chain_post(c, ch));
	rig_kick(c, ch->queue);
	return 0;
}

static int log_event(struct conform *c, struct chain *ch)
{
	struct rig *r = &c->rig;

	trace(c, "<- event 0x%x data %u, used length %u", get32(ch->in), get32(ch->in + 4), ch->len);
	r->log[r->events++ % EVENT_LOG] = (struct event){ .code = get32(ch->in),
		.data = get32(ch->in + 4), .len = ch->len };
	return post_event(c, ch);
}

static int take_queue(struct conform *c, unsigned queue)
{
	struct rig *r = &c->rig;
	void *cookie;
	uint32_t len;
	int got;

	do {
		ring_calls_off(&r->ring[queue]);
		while ((got = ring_take(&r->ring[queue], &cookie, &len)) > 0) {
			struct chain *ch = cookie;

			ch->done = true;
			ch->len = len;
			ch->turn = ++r->turns;
			ch->done_ns = now_ns();
			if (ch >= r->event && ch < r->event + EVENTS)
				TRY(log_event(c, ch));
		}
		if (got < 0)
			return broken(c, "the used ring");
	} while (!ring_calls_on(&r->ring[queue]));
	return 0;
}

/* Closed, or a message that nobody asked for. */
static int socket_ready(struct conform *c)
{
	char byte;
	ssize_t n = recv(c->rig.fe.sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	INSIST(c, n <= 0, "the back-end sent a message that nobody asked for");
	c->rig.closed = true;
	INSIST(c, c->rig.close_expected, "the back-end closed the connection");
	return 0;
}

static void count_fds(struct conform *c, const struct pollfd *call, const struct pollfd *err)
{
	eventfd_t count;

	for (unsigned i = 0; i < QUEUES; i++) {
		if (call[i].revents && !eventfd_read(call[i].fd, &count))
			c->rig.calls[i] += count;
		if (err[i].revents && !eventfd_read(err[i].fd, &count))
			c->rig.errs[i] += count;
	}
}

int rig_poll(struct conform *c, int64_t timeout_ns)
{
	struct rig *r = &c->rig;
	struct pollfd p[2 * QUEUES + 2];
	struct timespec ts = { .tv_sec = timeout_ns / 1000000000,
		.tv_nsec = timeout_ns % 1000000000 };

	for (unsigned i = 0; i < QUEUES; i++) {
		p[i] = (struct pollfd){ .fd = r->fe.queue[i].call, .events = POLLIN };
		p[QUEUES + i] = (struct pollfd){ .fd = r->fe.queue[i].err, .events = POLLIN };
	}
	p[2 * QUEUES] = (struct pollfd){ .fd = r->closed ? -1 : r->fe.sock, .events = POLLIN };
	p[2 * QUEUES + 1] = (struct pollfd){ .fd = r->fe.channel, .events = POLLIN };
	INSIST(c, !interrupted(), "the time limit is over");
	if (ppoll(p, 2 * QUEUES + 2, &ts, NULL) > 0) {
		count_fds(c, p, p + QUEUES);
		if (p[2 * QUEUES].revents)
			TRY(socket_ready(c));
		if (p[2 * QUEUES + 1].revents)
			frontend_serve_channel(&r->fe);
	}
	for (unsigned i = 0; i < QUEUES; i++)
		TRY(take_queue(c, i));
	return 0;
}

unsigned chains_done(const struct chain *ch, unsigned n)
{
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++)
		done += ch[i].done;
	return done;
}

int chains_wait(struct conform *c, struct chain *ch, unsigned n, int ms)
{
	int64_t end = now_ns() + (int64_t)ms * 1000000, left;

	while (chains_done(ch, n) < n) {
		left = end - now_ns();
		INSIST(c, left > 0, "of %u messages on queue %u %u came back within %d ms", n,
			ch->queue, chains_done(ch, n), ms);
		TRY(rig_poll(c, left));
	}
	return 0;
}

int chain_wait(struct conform *c, struct chain *ch)
{
	return chains_wait(c, ch, 1, answer_ms(c));
}

int rig_watch(struct conform *c, int ms)
{
	int64_t end = now_ns() + (int64_t)ms * 1000000, left;

	while ((left = end - now_ns()) > 0)
		TRY(rig_poll(c, left));
	return 0;
}

bool chain_untouched(const struct chain *ch, uint32_t from)
{
	for (uint32_t i = from; i < ch->in_bytes; i++)
		if (ch->in[i] != POISON)
			return false;
	return true;
}

static bool is_guard(const uint8_t *p)
{
	for (unsigned i = 0; i < GUARD_BYTES; i++)
		if (p[i] != GUARD)
			return false;
	return true;
}

bool chain_guards_intact(const struct chain *ch)
{
	return is_guard(ch->in - GUARD_BYTES) && is_guard(ch->in + ch->in_bytes) &&
		is_guard(ch->out - GUARD_BYTES) && is_guard(ch->out + ch->out_bytes);
}
