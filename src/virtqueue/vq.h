/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtqueue, from the device's side: untrusted rings in, checked chains out.
 *
 * A vq is owned by one thread at a time.  vq_pop() reads each descriptor once,
 * judges the copy and stores it in a pool that is allocated at vq_start(), so
 * that a message can wait for its stream without the ring being read again.
 * Pieces keep guest addresses.  They are translated as they are judged, and again when
 * the memory table is replaced while messages wait (vq_set_mem()).
 *
 * Faults are of two kinds.  A bad message (unmapped or wrapping address,
 * readable piece after a writable one, more than 2^32 bytes) is returned as a
 * chain with `bad` set, and the ring goes on.  All its pieces are in their part
 * and at their place, so that a status can be written if its own piece is mapped:
 * what is not mapped can be skipped, but reading or writing there moves nothing.
 * A broken ring (bad head, available index too far ahead, more chains than
 * descriptors, loop, bad next, bad indirect table) makes the vq dead: vq_pop()
 * says -EPROTO, vq_error() says why, and nothing is read or written any more.
 *
 * The functions hide the ring's layout (split today), so that a packed ring can
 * stand behind them.
 */
#ifndef VSND_VIRTQUEUE_VQ_H
#define VSND_VIRTQUEUE_VQ_H

#include "virtqueue/mem.h"

struct vq;

/* A position in the pieces of a chain's readable or writable part. */
struct vq_cursor {
	uint32_t chunk;		/* in the vq's pool */
	uint32_t piece;		/* within the chunk */
	uint32_t done;		/* bytes of that piece already passed */
	uint64_t left;		/* bytes to the end of the part */
};

/* A message: a checked copy of a descriptor chain. */
struct vq_chain {
	uint32_t id;		/* for the used ring */
	uint32_t chunk;		/* first chunk in the pool */
	bool bad;		/* a message-level fault */
	struct vq_cursor readable, writable;	/* at the start of each part */
};

/*
 * @features: the accepted virtio features (INDIRECT_DESC, EVENT_IDX).  Kicks are
 * wanted at first.  No more chains than the queue's size are ever popped and not
 * yet published.  -EINVAL (size, alignment), -EFAULT, -ENOMEM.
 */
int vq_start(const struct mem *mem, const struct vsnd_queue_setup *setup, uint64_t features,
	     struct vq **ret_vq);
void vq_free(struct vq *q);

/* Where a restart has to go on: the base that was given plus what was popped. */
uint32_t vq_base(const struct vq *q);
uint32_t vq_size(const struct vq *q);

/*
 * Start a queue again that rested since its last use, with the chains that are
 * popped and not pushed kept: same size, @setup->base as vq_base() says, ring
 * perhaps elsewhere.  What was pushed is to be published before.  Kicks are
 * wanted again.  A dead queue cannot go on.  -EINVAL, -EFAULT: unchanged.
 */
int vq_restart(struct vq *q, const struct mem *mem, const struct vsnd_queue_setup *setup,
	       uint64_t features);

/* Another memory table from now on.  The vq is dead if its rings are not in it. */
void vq_set_mem(struct vq *q, const struct mem *mem);

/*
 * 1 and a chain; 0 when there is none; -EAGAIN when the pool is full (try again
 * after a vq_push()); -EPROTO when the ring is broken.
 */
int vq_pop(struct vq *q, struct vq_chain *ret_chain);
bool vq_dead(const struct vq *q);
const char *vq_error(const struct vq *q);	/* static string, NULL if not dead */

/*
 * Give a chain back with @written bytes at the start of its writable part.  The
 * driver sees it after vq_publish().  The chain's pieces are free afterwards.
 */
void vq_push(struct vq *q, const struct vq_chain *c, uint32_t written);

/* Forget a chain without giving it back: its pieces are free, the driver sees nothing. */
void vq_drop(struct vq *q, const struct vq_chain *c);

/* Make pushed chains visible.  True if the driver is to be notified. */
bool vq_publish(struct vq *q);

/*
 * Ask for kicks, or for none.  Returns true if chains are available after
 * asking, which the caller then has to look at (and ask again): no kick will
 * come for them.
 * While kicks are unwanted and EVENT_IDX is in use, call it now and then (once
 * per cycle) to keep avail_event out of the driver's way.
 */
bool vq_want_kicks(struct vq *q, bool want);

/* Used index (free-running) up to which chains were published. */
uint16_t vq_used_idx(const struct vq *q);

/*
 * Whether the driver shows that it has looked at all used entries before the
 * free-running index @idx (its used_event lies in [@idx, used index]).  Never
 * true without EVENT_IDX.
 */
bool vq_noticed(const struct vq *q, uint16_t idx);

/*
 * Copy from the readable part, or to the writable part, and advance.  Return the
 * bytes moved: less than @len at the end of the part or where memory is not
 * mapped any more.  vq_zero() writes @len bytes of 0; vq_skip() only advances.
 * NULL @dst skips, too.
 */
size_t vq_read(const struct vq *q, struct vq_cursor *c, void *dst, size_t len);
size_t vq_write(const struct vq *q, struct vq_cursor *c, const void *src, size_t len);
size_t vq_zero(const struct vq *q, struct vq_cursor *c, size_t len);
size_t vq_skip(const struct vq *q, struct vq_cursor *c, size_t len);

#endif
