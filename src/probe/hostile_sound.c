/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Families of sound abuse: random requests, random I/O messages, and a guest
 * that rewrites its descriptors while the device reads them.
 *
 * The chains of the first two are well-formed, so every one of them must come
 * back, whatever is inside; one that cannot be answered comes with an error
 * signal.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "probe/bytes.h"
#include "probe/hostile.h"
#include "probe/report.h"

#define ANSWER_MS 2000
#define MESSAGES  24
#define PART_BYTES 4096u

static const uint32_t codes[] = { 0, 1, 2, 3, 0x100, 0x101, 0x101, 0x102, 0x102, 0x103, 0x103,
	0x104, 0x104, 0x105, 0x105, 0x106, 0x200, 0x201, 0x300, 0x301, 0x302, 0x303, 0x304, 0x305,
	0x306, 0x307, 0x1000, 0x8000, 0xffffffff };
static const uint32_t words[] = { 0, 0, 0, 1, 1, 2, 3, 4, 5, 7, 16, 24, 32, 96, 512, 1920, 7680,
	65536, 0x7fffffff, 0x80000000, 0xffffff00, 0xffffffff };

#define PICK(h, a) hostile_pick(h, a, sizeof(a) / sizeof((a)[0]))

/* Half of them a correct SET_PARAMS, so that the states behind it are met. */
static void random_request(struct hostile *h, uint8_t *q, uint32_t bytes)
{
	for (uint32_t i = 0; i + 4 <= bytes; i += 4)
		put32(q + i, PICK(h, words));
	put32(q, PICK(h, codes));
	if (hostile_random(h, 2) && get32(q) == SND_R_PCM_SET_PARAMS && get32(q + 4) < 4) {
		put32(q + 8, 7680);
		put32(q + 12, 1920);
		put32(q + 16, 0);
		q[20] = 2;
		q[21] = 5;
		q[22] = 7;
	}
}

/* Waits until a control chain is back. */
static int await_answer(struct sound *s)
{
	int64_t deadline = now_ns() + (int64_t)ANSWER_MS * 1000000;
	int err;

	while (!s->answered) {
		if (now_ns() > deadline)
			return complain(-ETIMEDOUT, "the request did not come back within %d ms",
				ANSWER_MS);
		err = sound_poll(s, 100000000);
		if (err < 0)
			return err;
	}
	return 0;
}

static int random_exchange(struct hostile *h, struct sound *s)
{
	static const uint32_t rooms[] = { 0, 3, 4, 5, 8, 28, 36, 100, 516, 4096, 65540 };
	uint8_t *q = mem_va(&s->mem, s->request);
	uint32_t room = PICK(h, rooms);
	uint32_t bytes = hostile_random(h, 4) ? 24 : hostile_random(h, 600);
	struct element e[4];
	unsigned n = 0;
	int err;

	memset(q, 0, 1024);
	random_request(h, q, 600);
	hostile_case(h, "request 0x%x, stream or item 0x%x, %u bytes, room for %u", get32(q),
		get32(q + 4), bytes, room);
	if (bytes > 7 && hostile_random(h, 2)) {
		uint32_t first = 1 + hostile_random(h, 7);

		e[n++] = (struct element){ .gpa = s->request, .len = first };
		e[n++] = (struct element){ .gpa = s->request + first, .len = bytes - first };
	} else if (bytes) {
		e[n++] = (struct element){ .gpa = s->request, .len = bytes };
	}
	if (room)
		e[n++] = (struct element){ .gpa = s->reply, .len = room, .write = true };
	if (!n)
		return 0;
	s->answered = false;
	err = ring_add(&s->ring[Q_CONTROL], e, n, NULL);
	if (err < 0)
		return complain(err, "the control queue is full");
	ring_kick(&s->ring[Q_CONTROL]);
	return await_answer(s);
}

static int no_faults(const struct sound *s)
{
	const char *fault;

	return sound_faults(s, &fault) ? complain(-EPROTO, "%s", fault) : 0;
}

int hostile_control(struct hostile *h)
{
	struct sound s;
	int err = hostile_sound(h, &s);

	if (err < 0)
		return err;
	s.broken_expected = true;
	for (unsigned i = 0; i < 4 * h->o->rounds && !err; i++)
		err = random_exchange(h, &s);
	if (!err)
		err = no_faults(&s);
	sound_close(&s);
	return err;
}

struct crowd {
	struct io_message message[MESSAGES];
	uint64_t part[MESSAGES]; /* guest memory of its elements */
	unsigned out;
};

static void crowd_done(struct sound *s, struct io_message *m, uint32_t status,
	uint32_t latency_bytes, uint32_t len)
{
	struct crowd *c = m->owner;

	(void)s;
	(void)status;
	(void)latency_bytes;
	(void)len;
	c->out--;
}

static int crowd_open(struct crowd *c, struct sound *s)
{
	memset(c, 0, sizeof(*c));
	s->done = crowd_done;
	s->broken_expected = true;
	for (unsigned i = 0; i < MESSAGES; i++) {
		int err = io_message_init(s, &c->message[i], c, 0);

		c->part[i] = mem_alloc(&s->mem, 8ULL * PART_BYTES, 8);
		if (err < 0 || !c->part[i])
			return complain(-ENOMEM, "guest memory is full");
	}
	return 0;
}

/* Up to 3 readable and 3 writable elements of any length. */
static void crowd_send(struct hostile *h, struct sound *s, struct crowd *c, unsigned queue)
{
	static const uint32_t lengths[] = { 0, 1, 3, 4, 4, 4, 5, 7, 8, 8, 8, 9, 100, 1916, 1920,
		4096 };
	unsigned i = 0, n = 0, readable = hostile_random(h, 4), writable = hostile_random(h, 4);
	struct element e[6];

	while (i < MESSAGES && c->message[i].queued)
		i++;
	if (i == MESSAGES || readable + writable == 0)
		return;
	for (; n < readable + writable; n++)
		e[n] = (struct element){ .gpa = c->part[i] + n * PART_BYTES,
			.len = PICK(h, lengths), .write = n >= readable };
	put32(mem_va(&s->mem, c->part[i]), PICK(h, words));
	if (readable > 1)
		put32(mem_va(&s->mem, c->part[i] + PART_BYTES), PICK(h, words));
	hostile_case(h, "a message of %u + %u elements on queue %u", readable, writable, queue);
	if (ring_add(&s->ring[queue], e, n, &c->message[i]) < 0)
		return;
	c->message[i].queued = true;
	c->out++;
	ring_kick(&s->ring[queue]);
}

/* A status that is no OK does not matter here. */
static int command(struct sound *s, uint32_t code, uint32_t stream)
{
	uint8_t q[8];
	int status;

	put32(q, code);
	put32(q + 4, stream);
	status = sound_request(s, q, sizeof(q), NULL, 0);
	return status < 0 ? status : 0;
}

int hostile_prepare(struct sound *s, bool start)
{
	static const struct pcm_params p = { .buffer_bytes = 7680, .period_bytes = 1920,
		.channels = 2, .format = 5, .rate = 7 };
	int err = 0;

	for (uint32_t i = 0; i < s->counts.streams && i < 4 && err != -ECONNRESET; i++) {
		err = sound_set_params(s, i, &p);
		if (!err)
			err = command(s, SND_R_PCM_PREPARE, i);
		if (!err && start)
			err = command(s, SND_R_PCM_START, i);
	}
	return err == -EPROTO ? 0 : err;
}

/* Everything of all streams must come back now. */
static int crowd_home(struct sound *s, struct crowd *c)
{
	int64_t deadline = now_ns() + (int64_t)ANSWER_MS * 1000000;
	int err = 0;

	for (uint32_t i = 0; i < s->counts.streams && !err; i++) {
		err = command(s, SND_R_PCM_STOP, i);
		if (!err)
			err = command(s, SND_R_PCM_RELEASE, i);
	}
	while (!err && c->out) {
		if (now_ns() > deadline)
			return complain(-ETIMEDOUT, "%u messages never came back", c->out);
		err = sound_poll(s, 100000000);
	}
	return err;
}

int hostile_io(struct hostile *h)
{
	static const uint32_t steps[] = { SND_R_PCM_PREPARE, SND_R_PCM_START, SND_R_PCM_STOP,
		SND_R_PCM_RELEASE };
	static struct crowd c;
	struct sound s;
	int err = hostile_sound(h, &s);

	if (err < 0)
		return err;
	err = crowd_open(&c, &s);
	for (unsigned i = 0; i < 4 * h->o->rounds && !err; i++) {
		if (i % 100 == 0)
			err = hostile_prepare(&s, hostile_random(h, 2));
		if (!hostile_random(h, 16) && !err)
			err = command(&s, PICK(h, steps), hostile_random(h, 4));
		crowd_send(h, &s, &c, hostile_random(h, 3) ? Q_TX : Q_RX);
		if (!err)
			err = sound_poll(&s, 200000);
	}
	if (!err)
		err = crowd_home(&s, &c);
	if (!err)
		err = no_faults(&s);
	sound_close(&s);
	return err;
}

struct flipper {
	struct hostile random; /* a generator of its own */
	struct sound *s;
	bool stop;
};

/* One random change where the device looks: descriptors above all. */
static void flip_once(struct flipper *f)
{
	struct ring *r = &f->s->ring[hostile_random(&f->random, QUEUES)];
	const struct mem_region *m;
	uint8_t value = (uint8_t)hostile_random64(&f->random);
	uint8_t *at;

	switch (hostile_random(&f->random, 4)) {
	case 0:
		at = r->avail + hostile_random(&f->random, 6 + 2 * r->is.size);
		break;
	case 1: /* anywhere, indirect tables and headers included */
		m = &f->s->mem.region[hostile_random(&f->random, f->s->mem.regions)];
		at = m->va + hostile_random(&f->random, (uint32_t)m->used);
		break;
	default:
		at = r->desc + hostile_random(&f->random, 16 * r->is.size);
		break;
	}
	__atomic_store_n(at, value, __ATOMIC_RELAXED);
}

static void *flip_thread(void *arg)
{
	struct flipper *f = arg;

	while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED))
		flip_once(f);
	return NULL;
}

/* A guest that plays for a while, with the flipper at work. */
static int flip_device(struct hostile *h)
{
	static struct crowd c;
	struct flipper f = { .random = { .random_state = hostile_random64(h) } };
	struct sound s;
	pthread_t thread;
	int64_t end = now_ns() + 60000000;
	int err = hostile_sound(h, &s);

	if (err < 0)
		return err;
	f.s = &s;
	err = crowd_open(&c, &s);
	if (!err)
		err = hostile_prepare(&s, true);
	if (err < 0 || pthread_create(&thread, NULL, flip_thread, &f)) {
		sound_close(&s);
		return err < 0 ? err : complain(-EAGAIN, "no thread");
	}
	while (now_ns() < end) {
		struct element e = { .gpa = s.request, .len = 8 };

		crowd_send(h, &s, &c, hostile_random(h, 2) ? Q_TX : Q_RX);
		put32(mem_va(&s.mem, s.request), PICK(h, codes));
		ring_add(&s.ring[Q_CONTROL], &e, 1, NULL);
		ring_kick(&s.ring[Q_CONTROL]);
		if (sound_poll(&s, 500000) < 0 || s.broken & ~BIT(Q_CONTROL))
			break; /* the connection or a ring broke: start again */
	}
	__atomic_store_n(&f.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	sound_close(&s);
	return 0;
}

int hostile_flip(struct hostile *h)
{
	int err = 0;

	for (unsigned i = 0; i <= h->o->rounds / 20 && !err; i++) {
		hostile_case(h, "device %u", i);
		err = flip_device(h);
	}
	return err;
}
