/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps that the personalities put in order; see frontend.c. */
#ifndef PROBE_ORDERS_H
#define PROBE_ORDERS_H

#include "probe/frontend.h"

/* Once per device.  Steps whose feature was not negotiated do nothing. */
int step_owner(struct frontend *fe);
int step_get_features(struct frontend *fe);
int step_early_features(struct frontend *fe); /* SET_FEATURES with bit 30 only */
int step_protocol(struct frontend *fe);
int step_queue_num(struct frontend *fe);
int step_slots(struct frontend *fe);
int step_channel(struct frontend *fe);
int step_features(struct frontend *fe);
int step_status(struct frontend *fe);
int step_memory(struct frontend *fe);
int step_inflight(struct frontend *fe);

/* Once per ring. */
int vring_num(struct frontend *fe, unsigned queue);
int vring_base(struct frontend *fe, unsigned queue);
int vring_addr(struct frontend *fe, unsigned queue);
int vring_kick(struct frontend *fe, unsigned queue);
int vring_call(struct frontend *fe, unsigned queue);
int vring_masked_call(struct frontend *fe, unsigned queue);
int vring_err(struct frontend *fe, unsigned queue);
int vring_enable(struct frontend *fe, unsigned queue);
int vring_disable(struct frontend *fe, unsigned queue);
int vring_get_base(struct frontend *fe, unsigned queue);

#endif
