/* SPDX-License-Identifier: BSD-3-Clause */
/* A vhost-user front-end that behaves like one of the real ones. */
#ifndef PROBE_FRONTEND_H
#define PROBE_FRONTEND_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/mem.h"

#define QUEUES 4

enum queue_index { Q_CONTROL, Q_EVENT, Q_TX, Q_RX };

#define BIT(n) (1ULL << (n))

enum virtio_feature {
	SND_F_CTLS = 0,
	VHOST_F_LOG_ALL = 26,
	VIRTIO_F_INDIRECT_DESC = 28,
	VIRTIO_F_EVENT_IDX = 29,
	VHOST_USER_F_PROTOCOL_FEATURES = 30,
	VIRTIO_F_VERSION_1 = 32,
	VIRTIO_F_RING_PACKED = 34,
	VIRTIO_F_IN_ORDER = 35,
	VIRTIO_F_ORDER_PLATFORM = 36,
	VIRTIO_F_NOTIFICATION_DATA = 38,
};

struct frontend;

/* One message, or the exchange that belongs together. */
typedef int (*device_step)(struct frontend *fe);
typedef int (*ring_step)(struct frontend *fe, unsigned queue);

#define RING_STEPS_MAX 7

/* One device step, or some ring steps done for queue 0, then for queue 1, ... */
struct phase {
	device_step device;
	ring_step ring[RING_STEPS_MAX];
};

enum base_rule {
	BASE_KEPT,	/* what GET_VRING_BASE returned; 0 at first */
	BASE_ZERO,	/* always 0 */
	BASE_AVAILABLE, /* the driver's available index at that moment */
};

#define PHASES_MAX 12

struct personality {
	const char *name;
	uint64_t protocol;  /* protocol features it acknowledges if offered */
	uint64_t hidden;    /* virtio features it keeps from the guest */
	enum base_rule base;
	bool call_shared;   /* one call eventfd for all queues */
	bool kick_preset;   /* kick eventfds are readable from the start */
	bool reply_always;  /* need_reply on all that can have it */
	struct phase connect[PHASES_MAX];
	struct phase activate[PHASES_MAX];
	struct phase pause[PHASES_MAX];	 /* empty: a VM pause sends nothing */
	struct phase resume[PHASES_MAX]; /* empty: as activate, if pause is not */
	struct phase reset[PHASES_MAX];	 /* the guest resets the device */
};

struct fe_queue {
	uint32_t size;
	uint64_t desc, avail, used; /* guest addresses */
	uint16_t base;
	int kick, call, err;
};

struct frontend {
	const struct personality *who;
	const struct mem *mem;
	int sock;
	int channel; /* our end of the back-end channel, or -1 */
	int timeout_ms;
	uint64_t features_offered, features; /* features: what SET_FEATURES said */
	uint64_t features_wanted;	     /* by the driver, set before activation */
	uint64_t protocol_offered, protocol;
	uint64_t queues_offered; /* GET_QUEUE_NUM, 0 if not asked */
	uint64_t slots_offered;	 /* GET_MAX_MEM_SLOTS, 0 if not asked */
	uint64_t config_changes; /* announced on the channel */
	struct fe_queue queue[QUEUES];
	int masked_call; /* QEMU gives this one before the guest has interrupts */
	bool regions_added;
};

/* NULL if there is none of that name. */
const struct personality *personality_find(const char *name);

/* Takes the connected socket in any case.  Creates the eventfds, does the
 * connect phases.  0 or negative errno. */
int frontend_open(struct frontend *fe, const struct personality *who, const struct mem *mem,
	int sock, int timeout_ms);
void frontend_close(struct frontend *fe);

/* Up to `size` bytes from the start of config space; returns how many. */
int frontend_get_config(struct frontend *fe, void *buf, uint32_t size);

int frontend_activate(struct frontend *fe);
int frontend_pause(struct frontend *fe);  /* -ENOTSUP if it has no VM pause */
int frontend_resume(struct frontend *fe);
int frontend_reset(struct frontend *fe); /* frontend_activate() begins anew */
bool frontend_pause_stops_rings(const struct frontend *fe);

/* Answers what waits on the back-end channel. */
void frontend_serve_channel(struct frontend *fe);

/* Single messages, for tests. */
int fe_u64(struct frontend *fe, uint32_t request, uint64_t value);
int fe_get_u64(struct frontend *fe, uint32_t request, uint64_t *ret);
int fe_ring_state(struct frontend *fe, uint32_t request, unsigned queue, uint32_t num, bool ack);

#endif
