/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver: bring-up, control requests, event buffers, the poll loop.
 *
 * One thread does everything.  Requests are answered while I/O goes on: the
 * loop that waits for an answer also takes what comes back on tx and rx, as
 * interrupts would, so a slow answer does not disturb the measured pace of
 * completions.
 */
#include "probe/sound.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "probe/bytes.h"
#include "probe/names.h"
#include "probe/report.h"

#define REGION_BYTES (128ULL << 20) /* sparse: only what is touched exists */
#define EVENT_BYTES  8u
#define POISON	     0xa5

static int read_config(struct sound *s)
{
	uint8_t config[16] = { 0 };
	int err;

	s->config_bytes = s->fe.features & BIT(SND_F_CTLS) ? 16 : 12;
	err = frontend_get_config(&s->fe, config, s->config_bytes);
	if (err < 0)
		return err;
	s->counts = (struct snd_counts){ .jacks = get32(config), .streams = get32(config + 4),
		.chmaps = get32(config + 8), .controls = get32(config + 12) };
	return 0;
}

static int open_rings(struct sound *s, const struct sound_setup *setup)
{
	uint64_t offered = s->fe.features_offered & ~s->fe.who->hidden;
	struct ring_setup is = { .size = setup->queue_size,
		.indirect = offered & s->fe.features_wanted & BIT(VIRTIO_F_INDIRECT_DESC),
		.event_idx = offered & s->fe.features_wanted & BIT(VIRTIO_F_EVENT_IDX),
		.scatter = setup->scatter };
	int err;

	for (unsigned i = 0; i < QUEUES; i++) {
		struct fe_queue *q = &s->fe.queue[i];

		err = ring_open(&s->ring[i], &s->mem, &is, q->kick);
		if (err < 0)
			return err;
		q->size = is.size;
		q->desc = s->ring[i].desc_gpa;
		q->avail = s->ring[i].avail_gpa;
		q->used = s->ring[i].used_gpa;
	}
	s->events = mem_alloc(&s->mem, (uint64_t)EVENT_BYTES * is.size, 8);
	s->request = mem_alloc(&s->mem, CONTROL_BYTES_MAX, 8);
	s->reply = mem_alloc(&s->mem, CONTROL_BYTES_MAX, 8);
	if (!s->events || !s->request || !s->reply)
		return complain(-ENOMEM, "guest memory is full");
	return 0;
}

/* Cookies of event buffers are their guest addresses' offsets plus one. */
static void post_event(struct sound *s, uintptr_t cookie)
{
	struct element e = { .gpa = s->events + EVENT_BYTES * (cookie - 1), .len = EVENT_BYTES,
		.write = true };

	ring_add(&s->ring[Q_EVENT], &e, 1, (void *)cookie);
}

/* As Linux: the event queue is full before DRIVER_OK, and not kicked. */
static int activate(struct sound *s)
{
	for (uintptr_t i = 1; i <= s->ring[Q_EVENT].is.size; i++)
		post_event(s, i);
	return frontend_activate(&s->fe);
}

int sound_open(struct sound *s, const struct sound_setup *setup, int sock)
{
	int err;

	memset(s, 0, sizeof(*s));
	s->timeout_ms = setup->timeout_ms;
	err = mem_create(&s->mem, setup->regions, REGION_BYTES);
	if (err < 0)
		return err;
	err = frontend_open(&s->fe, setup->who, &s->mem, sock, setup->timeout_ms);
	if (err < 0)
		goto destroy_mem;

	if (!(s->fe.features_offered & BIT(VIRTIO_F_VERSION_1))) {
		err = complain(-ENODEV, "the back-end does not offer VERSION_1");
		goto close_all;
	}
	s->fe.features_wanted = BIT(SND_F_CTLS) | BIT(VIRTIO_F_VERSION_1) |
		(setup->no_indirect ? 0 : BIT(VIRTIO_F_INDIRECT_DESC)) |
		(setup->no_event_idx ? 0 : BIT(VIRTIO_F_EVENT_IDX));
	err = open_rings(s, setup);
	if (!err)
		err = activate(s);
	if (!err)
		err = read_config(s);
	if (err < 0)
		goto close_all;
	return 0;

close_all:
	for (unsigned i = 0; i < QUEUES; i++)
		ring_close(&s->ring[i]);
	frontend_close(&s->fe);
destroy_mem:
	mem_destroy(&s->mem);
	return err;
}

void sound_close(struct sound *s)
{
	for (unsigned i = 0; i < QUEUES; i++)
		ring_close(&s->ring[i]);
	frontend_close(&s->fe);
	mem_destroy(&s->mem);
}

static void take_control(struct sound *s, void *cookie, uint32_t len)
{
	(void)cookie;
	s->answered = true;
	s->answer_len = len;
}

static void take_event(struct sound *s, void *cookie, uint32_t len)
{
	static const uint32_t known[5] = { SND_EVT_JACK_CONNECTED, SND_EVT_JACK_DISCONNECTED,
		SND_EVT_PCM_PERIOD_ELAPSED, SND_EVT_PCM_XRUN, SND_EVT_CTL_NOTIFY };
	const uint8_t *event = mem_va(&s->mem, s->events + EVENT_BYTES * ((uintptr_t)cookie - 1));
	uint32_t code = get32(event), data = get32(event + 4);
	unsigned i = 0;

	while (i < 5 && known[i] != code)
		i++;
	if (i < 5)
		s->events_seen[i]++;
	else
		s->events_unknown++;
	if (len != EVENT_BYTES)
		ring_fault(&s->ring[Q_EVENT], "an event of %u bytes", len);
	post_event(s, (uintptr_t)cookie);
	if (s->event)
		s->event(s->event_ctx, code, data);
}

static void take_io(struct sound *s, void *cookie, uint32_t len)
{
	struct io_message *m = cookie;
	uint8_t *status = mem_va(&s->mem, m->status);

	m->queued = false;
	s->done(s, m, get32(status), get32(status + 4), len);
}

/* Everything that came back on one queue, as an interrupt handler does it. */
static int serve_queue(struct sound *s, unsigned queue)
{
	static void (*const take[QUEUES])(struct sound *, void *, uint32_t) = {
		[Q_CONTROL] = take_control, [Q_EVENT] = take_event, [Q_TX] = take_io,
		[Q_RX] = take_io };
	struct ring *r = &s->ring[queue];
	void *cookie;
	uint32_t len;
	int got;

	do {
		ring_calls_off(r);
		while ((got = ring_take(r, &cookie, &len)) > 0)
			take[queue](s, cookie, len);
		if (got < 0)
			return got;
	} while (!ring_calls_on(r));
	ring_kick(r);
	return 0;
}

int sound_serve(struct sound *s)
{
	int err = 0;

	for (unsigned i = 0; i < QUEUES && !err; i++)
		err = serve_queue(s, i);
	return err;
}

enum poll_slot { POLL_CALL, POLL_ERR = POLL_CALL + QUEUES, POLL_SOCK = POLL_ERR + QUEUES,
	POLL_CHANNEL, POLL_SLOTS };

static int handle_ready(struct sound *s, const struct pollfd *p)
{
	eventfd_t count;

	if (p[POLL_SOCK].revents)
		return complain(-ECONNRESET, "the back-end closed the connection");
	if (p[POLL_CHANNEL].revents)
		frontend_serve_channel(&s->fe);
	for (unsigned i = 0; i < QUEUES; i++) {
		if (p[POLL_ERR + i].revents && !eventfd_read(p[POLL_ERR + i].fd, &count)) {
			s->broken |= BIT(i);
			if (!s->broken_expected)
				return complain(-EIO, "the back-end signalled an error on queue %u",
					i);
		}
		if (!p[POLL_CALL + i].revents || eventfd_read(p[POLL_CALL + i].fd, &count) < 0)
			continue;
		s->ring[i].calls += count;
	}
	/* With a shared eventfd nobody knows whose call it was. */
	return sound_serve(s);
}

int sound_poll(struct sound *s, int64_t timeout_ns)
{
	struct pollfd p[POLL_SLOTS];
	struct timespec ts = { .tv_sec = timeout_ns / 1000000000,
		.tv_nsec = timeout_ns % 1000000000 };

	for (unsigned i = 0; i < QUEUES; i++) {
		bool dup = i && s->fe.who->call_shared;

		p[POLL_CALL + i] = (struct pollfd){ .fd = dup ? -1 : s->fe.queue[i].call,
			.events = POLLIN };
		p[POLL_ERR + i] = (struct pollfd){ .fd = s->fe.queue[i].err, .events = POLLIN };
	}
	p[POLL_SOCK] = (struct pollfd){ .fd = s->fe.sock, .events = POLLIN };
	p[POLL_CHANNEL] = (struct pollfd){ .fd = s->fe.channel, .events = POLLIN };

	if (interrupted())
		return complain(-EINTR, "interrupted");
	if (ppoll(p, POLL_SLOTS, &ts, NULL) <= 0)
		return 0;
	return handle_ready(s, p);
}

static void count_request(struct sound *s, int64_t ns)
{
	s->requests++;
	if (ns > s->request_max_ns)
		s->request_max_ns = ns;
}

int sound_request(struct sound *s, const void *request, uint32_t bytes, void *reply,
	uint32_t reply_bytes)
{
	struct element e[2] = { { .gpa = s->request, .len = bytes },
		{ .gpa = s->reply, .len = 4 + reply_bytes, .write = true } };
	uint8_t *answer = mem_va(&s->mem, s->reply);
	int64_t asked_ns = now_ns(), deadline = asked_ns + (int64_t)s->timeout_ms * 1000000;
	uint32_t status;
	int err;

	assert(bytes <= CONTROL_BYTES_MAX && reply_bytes <= CONTROL_BYTES_MAX - 4);
	memcpy(mem_va(&s->mem, s->request), request, bytes);
	memset(answer, POISON, 4 + reply_bytes);
	err = ring_add(&s->ring[Q_CONTROL], e, 2, NULL);
	if (err < 0)
		return complain(err, "the control queue has no room for a request");
	s->answered = false;
	ring_kick(&s->ring[Q_CONTROL]);

	while (!s->answered) {
		if (now_ns() > deadline)
			return complain(-ETIMEDOUT, "no answer to %s within %d ms",
				request_name(get32(request)), s->timeout_ms);
		err = sound_poll(s, deadline - now_ns() > 0 ? deadline - now_ns() : 0);
		if (err < 0)
			return err;
	}
	count_request(s, now_ns() - asked_ns);
	status = get32(answer);
	if (s->answer_len < 4)
		return complain(-EPROTO, "%s came back without a status",
			request_name(get32(request)));
	if (status == SND_S_OK && s->answer_len < 4 + reply_bytes)
		return complain(-EPROTO, "%s: answer of %u bytes, %u were asked for",
			request_name(get32(request)), s->answer_len, 4 + reply_bytes);
	if (status == SND_S_OK && reply_bytes)
		memcpy(reply, answer + 4, reply_bytes);
	return (int)status;
}

/* Nothing of a stopped device may move: checks the used indices. */
static int watch_stillness(struct sound *s, int64_t duration_ns)
{
	int64_t end = now_ns() + duration_ns;
	uint16_t used[QUEUES];

	for (unsigned i = 0; i < QUEUES; i++)
		used[i] = ring_used_idx(&s->ring[i]);
	while (now_ns() < end && !interrupted()) {
		struct timespec ts = { .tv_nsec = 1000000 };

		nanosleep(&ts, NULL);
		if (!frontend_pause_stops_rings(&s->fe))
			continue;
		for (unsigned i = 0; i < QUEUES; i++)
			if (ring_used_idx(&s->ring[i]) != used[i]) {
				ring_fault(&s->ring[i], "queue %u moved while it was stopped", i);
				used[i] = ring_used_idx(&s->ring[i]);
			}
	}
	return interrupted() ? complain(-EINTR, "interrupted") : 0;
}

int sound_suspend(struct sound *s, int64_t duration_ns)
{
	int err = frontend_pause(&s->fe);

	if (err < 0)
		return err;
	for (unsigned i = 0; i < QUEUES && frontend_pause_stops_rings(&s->fe); i++) {
		struct ring *r = &s->ring[i];
		uint16_t behind = (uint16_t)(r->avail_idx - s->fe.queue[i].base);

		if (behind > r->is.size)
			ring_fault(r, "queue %u: stopped at base %u, available index %u", i,
				s->fe.queue[i].base, r->avail_idx);
	}
	err = watch_stillness(s, duration_ns);
	if (!err)
		err = frontend_resume(&s->fe);
	if (!err)
		err = sound_serve(s);
	return err;
}

int sound_reset(struct sound *s)
{
	int err = frontend_reset(&s->fe);
	eventfd_t count;

	if (err < 0)
		return err;
	for (unsigned i = 0; i < QUEUES; i++) {
		ring_reset(&s->ring[i]);
		(void)!eventfd_read(s->fe.queue[i].call, &count);
	}
	return activate(s);
}

uint64_t sound_faults(const struct sound *s, const char **ret_first)
{
	uint64_t count = 0;

	*ret_first = NULL;
	for (unsigned i = 0; i < QUEUES; i++) {
		if (s->ring[i].faults.count && !*ret_first)
			*ret_first = s->ring[i].faults.first;
		count += s->ring[i].faults.count;
	}
	return count;
}
