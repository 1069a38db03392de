/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's side of a split ring, for tests in the same process: a block of
 * guest memory, buffers in it, chains posted and collected.
 *
 * A driver may live in another thread than the device: what the two share is
 * written with C11 atomics.  What cannot fail in a sane test aborts.  To be
 * insane, write to the ring itself: ring_desc(), ring_avail(), ring_set_avail_idx().
 */
#ifndef VSND_TESTS_RING_DRIVER_H
#define VSND_TESTS_RING_DRIVER_H

#include <vsnd/vsnd.h>

#define RING_DESC_NEXT 1
#define RING_DESC_WRITE 2
#define RING_DESC_INDIRECT 4

/* What guest memory holds before anybody writes to it. */
#define GUEST_POISON 0xa5

/* A block of guest memory, given out from its beginning. */
struct guest {
	uint8_t *host;
	uint64_t gpa;
	size_t size, taken;
};

void guest_init(struct guest *g, uint64_t gpa, size_t size);
void guest_fini(struct guest *g);
struct vsnd_mem_region guest_region(const struct guest *g);
/* A poisoned piece of memory.  Returns its guest address. */
uint64_t guest_alloc(struct guest *g, size_t size, size_t align);
void *guest_ptr(const struct guest *g, uint64_t gpa);

/* An element of a chain. */
struct ring_buf {
	uint64_t gpa;
	uint32_t len;
	bool writable;
};

struct ring_used {
	uint32_t id, len;
};

struct ring {
	struct guest *guest;
	uint32_t size;
	bool event_idx;
	uint64_t desc, avail, used;	/* guest addresses */
	uint16_t base;		/* of the indices */
	uint16_t avail_idx;	/* next entry to fill */
	uint16_t shown_idx;	/* what the device can see */
	uint16_t used_idx;	/* next entry to collect */
	uint16_t *next;		/* free list, and the links of chains */
	uint16_t *links;	/* descriptors of a chain, by head */
	uint64_t *table;	/* indirect table, by head */
	uint32_t *table_entries;
	uint16_t free, n_free;
};

/* @features: EVENT_IDX counts. */
void ring_init(struct ring *r, struct guest *g, uint32_t size, uint64_t features, uint16_t base);
void ring_fini(struct ring *r);
struct vsnd_queue_setup ring_setup(const struct ring *r);

/*
 * Put a chain into the available ring, for ring_show().  Returns its head, or
 * -1 if there are not enough free descriptors.
 */
int ring_add(struct ring *r, const struct ring_buf *bufs, unsigned n);
int ring_add_indirect(struct ring *r, const struct ring_buf *bufs, unsigned n);
/* Show the device all that was added.  True if it wants a kick for it. */
bool ring_show(struct ring *r);
/* ring_add() and ring_show(). */
int ring_post(struct ring *r, const struct ring_buf *bufs, unsigned n);

/* The next used entry, whose descriptors are free again.  False if there is none. */
bool ring_collect(struct ring *r, struct ring_used *ret_used);
bool ring_has_used(const struct ring *r);

/* Suppression as a driver does it.  True if there are used entries after asking. */
bool ring_want_interrupts(struct ring *r, bool want);
void ring_set_used_event(struct ring *r, uint16_t idx);
void ring_set_avail_flags(struct ring *r, uint16_t flags);
uint16_t ring_avail_event(const struct ring *r);
uint16_t ring_used_flags(const struct ring *r);
uint16_t ring_device_used_idx(const struct ring *r);

/* A descriptor of the ring's table, or of the one at guest address @table. */
void ring_desc(struct ring *r, uint32_t i, uint64_t gpa, uint32_t len, uint16_t flags,
	       uint16_t next);
void ring_table_desc(struct guest *g, uint64_t table, uint32_t i, uint64_t gpa, uint32_t len,
		     uint16_t flags, uint16_t next);
/* Put a head into the available ring, for ring_show(), without more ado. */
void ring_avail(struct ring *r, uint16_t head);
void ring_set_avail_idx(struct ring *r, uint16_t idx);
void ring_set_used_idx(struct ring *r, uint16_t idx);
void ring_set_used_flags(struct ring *r, uint16_t flags);

#endif
