/* SPDX-License-Identifier: BSD-3-Clause */
/* A queue and the driver on its other side, for the tests of src/virtqueue. */
#ifndef VSND_TESTS_VQ_FIXTURE_H
#define VSND_TESTS_VQ_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ring_driver.h"
#include "virtqueue/vq.h"

#define GUEST_GPA UINT64_C(0x40000000)
#define GUEST_SIZE ((size_t)64 << 20)

#define INDIRECT (UINT64_C(1) << VSND_F_INDIRECT_DESC)
#define EVENT_IDX (UINT64_C(1) << VSND_F_EVENT_IDX)

struct fixture {
	struct guest g;
	struct mem *m;
	struct ring r;
	struct vq *q;
};

static inline void fixture_open(struct fixture *f, uint32_t size, uint64_t features, uint16_t base)
{
	struct vsnd_mem_region region;
	struct vsnd_queue_setup setup;

	guest_init(&f->g, GUEST_GPA, GUEST_SIZE);
	region = guest_region(&f->g);
	assert_int_equal(mem_create(&region, 1, &f->m), 0);
	ring_init(&f->r, &f->g, size, features, base);
	setup = ring_setup(&f->r);
	assert_int_equal(vq_start(f->m, &setup, features, &f->q), 0);
}

static inline void fixture_close(struct fixture *f)
{
	vq_free(f->q);
	ring_fini(&f->r);
	mem_free(f->m);
	guest_fini(&f->g);
}

/* A piece of guest memory as an element of a chain. */
static inline struct ring_buf element(struct fixture *f, uint32_t len, bool writable)
{
	uint64_t gpa = guest_alloc(&f->g, len ? len : 1, 1);

	return (struct ring_buf){ .gpa = gpa, .len = len, .writable = writable };
}

static inline void expect_none(struct fixture *f)
{
	struct vq_chain c;

	assert_int_equal(vq_pop(f->q, &c), 0);
}

static inline struct vq_chain expect_chain(struct fixture *f)
{
	struct vq_chain c;

	assert_int_equal(vq_pop(f->q, &c), 1);
	return c;
}

static inline void expect_used(struct fixture *f, int id, uint32_t len)
{
	struct ring_used used;

	assert_true(ring_collect(&f->r, &used));
	assert_int_equal(used.id, id);
	assert_int_equal(used.len, len);
}

#endif
