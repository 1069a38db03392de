/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver in a thread of its own.  Both sides sleep whenever suppression
 * allows it, so a lost wake-up shows as a time-out.
 */
#include "vq_fixture.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN 1
#endif
#endif
#ifndef TSAN
#define TSAN 0
#endif

#define REQUESTS 200000
#define BATCH 16
#define PATIENCE_MS 20000

struct bell {
	int fd;
	unsigned long rings;
};

static void bell_ring(struct bell *b)
{
	uint64_t one = 1;

	b->rings++;
	if (write(b->fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

/* False if nobody rings for too long. */
static bool bell_wait(struct bell *b)
{
	struct pollfd p = { .fd = b->fd, .events = POLLIN };
	uint64_t n;

	return poll(&p, 1, PATIENCE_MS) == 1 && read(b->fd, &n, sizeof(n)) == sizeof(n);
}

struct match {
	struct fixture f;
	struct bell kick, call;
	bool indirect;
	const char *lost;	/* the driver's complaint */
};

/* Each request carries a number in, and its complement out. */
struct driver {
	struct match *m;
	uint64_t room;		/* 16 bytes for each head */
	uint32_t sent, answered;
	uint32_t number[64];	/* by head */
	bool busy[64];
};

static bool send_one(struct driver *d)
{
	struct ring *r = &d->m->f.r;
	uint32_t n = d->sent;
	/* Each head has its own buffers. */
	uint64_t at = d->room + 16 * (uint64_t)r->free;
	struct ring_buf b[2] = { { .gpa = at, .len = 4 },
				 { .gpa = at + 8, .len = 4, .writable = true } };
	int head;

	if (r->n_free < 2)
		return false;
	memcpy(guest_ptr(r->guest, at), &n, 4);
	head = d->m->indirect && n % 2 ? ring_add_indirect(r, b, 2) : ring_add(r, b, 2);
	d->number[head] = n;
	d->busy[head] = true;
	d->sent++;
	return true;
}

static const char *take_answers(struct driver *d)
{
	struct ring *r = &d->m->f.r;
	struct ring_used used;
	uint32_t answer;

	while (ring_collect(r, &used)) {
		if (used.len != 4 || used.id >= 64 || !d->busy[used.id])
			return "a used entry nobody waits for";
		memcpy(&answer, guest_ptr(r->guest, d->room + 16 * (uint64_t)used.id + 8), 4);
		if (answer != ~d->number[used.id])
			return "the wrong answer";
		d->busy[used.id] = false;
		d->answered++;
	}
	return NULL;
}

static void *drive(void *arg)
{
	struct match *m = arg;
	struct driver d = { .m = m, .room = guest_alloc(&m->f.g, 16 * 64, 16) };

	while (!m->lost && d.answered < REQUESTS) {
		unsigned batch = 1 + d.sent % BATCH;

		ring_want_interrupts(&m->f.r, false);
		while (batch-- > 0 && d.sent < REQUESTS && send_one(&d))
			;
		if (ring_show(&m->f.r))
			bell_ring(&m->kick);
		m->lost = take_answers(&d);
		if (m->lost || d.answered == REQUESTS)
			break;
		if (d.sent < REQUESTS && m->f.r.n_free >= 2)
			continue;
		if (!ring_want_interrupts(&m->f.r, true) && !bell_wait(&m->call))
			m->lost = "a notification";
	}
	return NULL;
}

static void answer(struct vq *q, struct vq_chain *c)
{
	uint32_t n = 0;

	assert_false(c->bad);
	assert_int_equal(vq_read(q, &c->readable, &n, sizeof(n)), 4);
	n = ~n;
	assert_int_equal(vq_write(q, &c->writable, &n, sizeof(n)), 4);
	vq_push(q, c, 4);
}

static void serve(struct match *m)
{
	struct vq *q = m->f.q;
	unsigned long done = 0, batch = 0;
	struct vq_chain c;
	int r;

	while (done < REQUESTS) {
		if (done % 3)
			vq_want_kicks(q, false);
		while ((r = vq_pop(q, &c)) == 1) {
			answer(q, &c);
			done++;
			if (++batch % 5 == 0 && vq_publish(q))
				bell_ring(&m->call);
		}
		assert_int_equal(r, 0);
		if (vq_publish(q))
			bell_ring(&m->call);
		if (done < REQUESTS && !vq_want_kicks(q, true))
			assert_true(bell_wait(&m->kick));
	}
}

static void play(uint64_t features)
{
	struct match m = { .indirect = features & INDIRECT };
	pthread_t driver;

	m.kick.fd = eventfd(0, 0);
	m.call.fd = eventfd(0, 0);
	fixture_open(&m.f, 64, features, 0xff00);
	assert_int_equal(pthread_create(&driver, NULL, drive, &m), 0);
	serve(&m);
	assert_int_equal(pthread_join(driver, NULL), 0);
	if (m.lost)
		fail_msg("%s", m.lost);
	print_message("%d requests, %lu kicks, %lu notifications\n", REQUESTS, m.kick.rings,
		      m.call.rings);
	fixture_close(&m.f);
	close(m.kick.fd);
	close(m.call.fd);
}

static void two_threads(void **state)
{
	(void)state;
	play(0);
}

static void two_threads_event_idx(void **state)
{
	(void)state;
	play(EVENT_IDX | INDIRECT);
}

/* A driver that scribbles over ring and tables while the device is at work. */
struct scribbler {
	struct fixture *f;
	size_t bytes;
	atomic_bool stop;
};

static void *scribble(void *arg)
{
	struct scribbler *s = arg;
	uint32_t *word = guest_ptr(&s->f->g, s->f->r.desc);
	uint32_t seed = 1;

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		size_t i;

		seed = seed * 1664525 + 1013904223;
		i = (seed >> 8) % (s->bytes / 4);
		__atomic_fetch_xor(&word[i], UINT32_C(1) << (seed >> 27), __ATOMIC_RELAXED);
	}
	return NULL;
}

static void scribbled_round(struct fixture *f, unsigned round)
{
	struct vsnd_queue_setup setup = ring_setup(&f->r);
	struct vq_chain c;
	uint8_t buf[256];
	struct vq *q;

	setup.base = ring_device_used_idx(&f->r);
	assert_int_equal(vq_start(f->m, &setup, round % 2 ? INDIRECT | EVENT_IDX : INDIRECT, &q),
			 0);
	for (unsigned i = 0; i < 100; i++) {
		ring_set_avail_idx(&f->r, (uint16_t)(vq_base(q) + i % 60));
		if (vq_pop(q, &c) != 1)
			continue;
		vq_read(q, &c.readable, buf, sizeof(buf));
		vq_skip(q, &c.writable, 1);
		vq_zero(q, &c.writable, sizeof(buf));
		vq_push(q, &c, 1);
		vq_publish(q);
	}
	vq_free(q);
}

static void scribbling_driver(void **state)
{
	struct scribbler s;
	struct fixture f;
	pthread_t thread;

	(void)state;
	if (TSAN) {
		print_message("a driver that changes what we read is a race by design\n");
		skip();
	}
	fixture_open(&f, 64, INDIRECT, 0);
	s.f = &f;
	s.bytes = 8192;
	atomic_init(&s.stop, false);
	guest_alloc(&f.g, s.bytes, 16);
	for (uint32_t i = 0; i < 64; i++)
		ring_desc(&f.r, i, f.r.desc + 16 * i, 64,
			  i % 4 ? RING_DESC_NEXT : RING_DESC_INDIRECT, (uint16_t)(i + 1));
	assert_int_equal(pthread_create(&thread, NULL, scribble, &s), 0);
	for (unsigned i = 0; i < 3000; i++)
		scribbled_round(&f, i);
	atomic_store(&s.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_threads),
		cmocka_unit_test(two_threads_event_idx),
		cmocka_unit_test(scribbling_driver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
