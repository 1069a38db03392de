/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user messages, front-end side: framing, fds and replies.
 *
 * No order and no policy here; frontend.c has those.
 */
#ifndef PROBE_VU_H
#define PROBE_VU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VU_PAYLOAD_MAX 4096
#define VU_FDS_MAX     8

#define VU_FLAG_VERSION	   0x1u
#define VU_FLAG_REPLY	   0x4u
#define VU_FLAG_NEED_REPLY 0x8u

enum vu_request {
	VU_GET_FEATURES = 1,
	VU_SET_FEATURES = 2,
	VU_SET_OWNER = 3,
	VU_RESET_OWNER = 4,
	VU_SET_MEM_TABLE = 5,
	VU_SET_LOG_BASE = 6,
	VU_SET_LOG_FD = 7,
	VU_SET_VRING_NUM = 8,
	VU_SET_VRING_ADDR = 9,
	VU_SET_VRING_BASE = 10,
	VU_GET_VRING_BASE = 11,
	VU_SET_VRING_KICK = 12,
	VU_SET_VRING_CALL = 13,
	VU_SET_VRING_ERR = 14,
	VU_GET_PROTOCOL_FEATURES = 15,
	VU_SET_PROTOCOL_FEATURES = 16,
	VU_GET_QUEUE_NUM = 17,
	VU_SET_VRING_ENABLE = 18,
	VU_SET_BACKEND_REQ_FD = 21,
	VU_IOTLB_MSG = 22,
	VU_GET_CONFIG = 24,
	VU_SET_CONFIG = 25,
	VU_GET_INFLIGHT_FD = 31,
	VU_SET_INFLIGHT_FD = 32,
	VU_RESET_DEVICE = 34,
	VU_GET_MAX_MEM_SLOTS = 36,
	VU_ADD_MEM_REG = 37,
	VU_REM_MEM_REG = 38,
	VU_SET_STATUS = 39,
	VU_GET_STATUS = 40,
	VU_SET_DEVICE_STATE_FD = 42,
	VU_CHECK_DEVICE_STATE = 43,
};

#define BACKEND_CONFIG_CHANGE 2u /* of the back-end, on its channel */

enum vu_protocol_bit {
	VU_P_MQ = 0,
	VU_P_LOG_SHMFD = 1,
	VU_P_REPLY_ACK = 3,
	VU_P_BACKEND_REQ = 5,
	VU_P_CONFIG = 9,
	VU_P_INFLIGHT_SHMFD = 12,
	VU_P_RESET_DEVICE = 13,
	VU_P_CONFIGURE_MEM_SLOTS = 15,
	VU_P_STATUS = 16,
	VU_P_XEN_MMAP = 17,
	VU_P_DEVICE_STATE = 19,
};

struct vu_msg {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
	uint8_t payload[VU_PAYLOAD_MAX];
	int fds[VU_FDS_MAX];
	unsigned fds_count;
};

const char *vu_name(uint32_t request);

/* A connected socket, or negative errno. */
int vu_connect(const char *path);

/* The fds stay the caller's.  0 or negative errno. */
int vu_send(int sock, const struct vu_msg *m);

/* Closes nothing: fds that came are the caller's, in ret->fds.
 * 0, -ETIMEDOUT, -ECONNRESET at end of file, -EPROTO on a bad frame. */
int vu_receive(int sock, struct vu_msg *ret, int timeout_ms);

/* Receives and checks that it is the reply to `request` with `size` bytes and
 * no fds beyond `fds`. */
int vu_receive_reply(int sock, uint32_t request, uint32_t size, struct vu_msg *ret, int timeout_ms);

void vu_close_fds(struct vu_msg *m);

#endif
