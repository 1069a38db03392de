/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtqueue, driver side.
 *
 * Callers see elements and cookies only, so that another ring layout can
 * stand behind the same functions.  Every rule that a device can break is
 * checked here and counted; see struct ring_faults.
 */
#ifndef PROBE_RING_H
#define PROBE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/mem.h"

#define RING_SIZE_MAX	  32768u
#define RING_ELEMENTS_MAX 1024u /* in one chain; what devices usually bear */

struct element {
	uint64_t gpa;
	uint32_t len;
	bool write; /* by the device */
};

struct ring_setup {
	uint32_t size; /* power of two */
	bool indirect;
	bool event_idx;
	bool scatter; /* descriptors of a chain are taken at random places */
};

/* What the device did wrong; first[] tells the first one. */
struct ring_faults {
	uint64_t count;
	char first[128];
};

struct ring_head; /* private */

struct ring {
	struct mem *mem;
	struct ring_setup is;
	int kick_fd;

	/* In guest memory. */
	uint64_t desc_gpa, avail_gpa, used_gpa;
	uint8_t *desc;
	uint8_t *avail;
	uint8_t *used;

	/* Ours alone: the device may write nonsense into the above. */
	struct ring_head *head;
	uint16_t *next_free;
	uint16_t free_first;
	uint32_t free_count;
	uint32_t in_flight;
	uint16_t avail_idx;
	uint16_t used_seen;
	uint16_t kick_from; /* avail_idx at the last ring_kick() */
	bool calls_off;

	uint64_t added, returned, kicks, calls;
	struct ring_faults faults;
};

/* 0, -EINVAL for a size that is no power of two, -ENOMEM. */
int ring_open(struct ring *r, struct mem *mem, const struct ring_setup *is, int kick_fd);
void ring_close(struct ring *r);

/* As freshly opened, in the same place; what was in flight is forgotten. */
void ring_reset(struct ring *r);

/* Makes a chain available; the device is told by ring_kick() only.
 * 0, -ENOSPC when too few descriptors are free (or n can never fit). */
int ring_add(struct ring *r, const struct element *e, unsigned n, void *cookie);

/* Notifies the device if it wants that.  Returns whether it did. */
bool ring_kick(struct ring *r);

/* The next returned chain: 1 with cookie and length, 0 if there is none.  A
 * used entry that makes no sense is counted as a fault and skipped; -EPROTO
 * when the used index itself makes none. */
int ring_take(struct ring *r, void **ret_cookie, uint32_t *ret_len);

/* As a driver does around the loop that takes everything: off, take all, on;
 * calls_on() returns false if more came meanwhile. */
void ring_calls_off(struct ring *r);
bool ring_calls_on(struct ring *r);

/* The device's used index; nobody is told. */
uint16_t ring_used_idx(const struct ring *r);

void ring_fault(struct ring *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
