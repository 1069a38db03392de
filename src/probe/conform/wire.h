/* SPDX-License-Identifier: BSD-3-Clause */
/* vhost-user messages one by one, on the connection of the rig. */
#ifndef PROBE_CONFORM_WIRE_H
#define PROBE_CONFORM_WIRE_H

#include "probe/conform/conform.h"
#include "probe/vu.h"

void wire_u64(struct vu_msg *m, uint32_t request, uint64_t value);
void wire_state(struct vu_msg *m, uint32_t request, uint32_t index, uint32_t num);
void wire_config(struct vu_msg *m, uint32_t request, uint32_t offset, uint32_t size,
	uint32_t flags);
void wire_fd(struct vu_msg *m, uint32_t request, uint64_t value, int fd);
void wire_empty(struct vu_msg *m, uint32_t request);

/* Sends as it is, apart from version 1 when flags are 0. */
int wire_send(struct conform *c, struct vu_msg *m);

/* Sends what has a reply of its own, and gets it: flags and request are checked. */
int wire_ask(struct conform *c, struct vu_msg *m, struct vu_msg *ret);
int wire_reply(struct conform *c, uint32_t request, struct vu_msg *ret);
int wire_get_u64(struct conform *c, uint32_t request, uint64_t *ret);

/* Sends with need_reply; a skip without REPLY_ACK. */
int wire_ack(struct conform *c, struct vu_msg *m, uint64_t *ret);
int wire_accepted(struct conform *c, struct vu_msg *m);
int wire_refused(struct conform *c, struct vu_msg *m);

/* The back-end hangs up, or a GET_FEATURES is answered. */
int wire_alive(struct conform *c);
int wire_closed(struct conform *c, int ms, bool *ret);

/* A plain connection of its own, nothing negotiated; rig_down() ends it. */
int wire_connect(struct conform *c);

bool wire_has(const struct conform *c, enum vu_protocol_bit bit);

#endif
