/* SPDX-License-Identifier: BSD-3-Clause */
/* vhost-user frames that need not be any. */
#ifndef PROBE_HOSTILE_RAW_H
#define PROBE_HOSTILE_RAW_H

#include <stdint.h>

#define RAW_FDS_MAX 40

struct raw {
	uint32_t request, flags, size;
	uint32_t send; /* bytes really sent, header included */
	uint8_t payload[8192];
	int fds[RAW_FDS_MAX];
	unsigned fds_count;
};

/* Sends what there is; an error only means that the back-end hung up. */
int raw_send(int sock, const struct raw *r);

/* Reads replies for up to that long.  0, or -1 when the other side hung up. */
int raw_drain(int sock, int ms);

#endif
