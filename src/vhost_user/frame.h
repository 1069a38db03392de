/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user messages: bytes in, checked host structs out, and back.
 *
 * Pure functions.  One table says for every request which payload it has, how
 * many descriptors come with it, how it is answered and which protocol feature
 * it belongs to; nothing past vu_decode() looks at a size, an index or a number
 * of descriptors again.
 */
#ifndef VSND_VHOST_USER_FRAME_H
#define VSND_VHOST_USER_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VU_HEADER_SIZE 12
/** Most descriptors that a message can carry. */
#define VU_FDS_MAX 8
/** Larger payloads end the connection.  Ours need 268; the rest is for requests unknown to us. */
#define VU_PAYLOAD_MAX 4096
#define VU_CONFIG_MAX 256
#define VU_TABLE_REGIONS_MAX 8

enum vu_request {
	VU_NONE,
	VU_GET_FEATURES,
	VU_SET_FEATURES,
	VU_SET_OWNER,
	VU_RESET_OWNER,
	VU_SET_MEM_TABLE,
	VU_SET_LOG_BASE,
	VU_SET_LOG_FD,
	VU_SET_VRING_NUM,
	VU_SET_VRING_ADDR,
	VU_SET_VRING_BASE,
	VU_GET_VRING_BASE,
	VU_SET_VRING_KICK,
	VU_SET_VRING_CALL,
	VU_SET_VRING_ERR,
	VU_GET_PROTOCOL_FEATURES,
	VU_SET_PROTOCOL_FEATURES,
	VU_GET_QUEUE_NUM,
	VU_SET_VRING_ENABLE,
	VU_SEND_RARP,
	VU_NET_SET_MTU,
	VU_SET_BACKEND_REQ_FD,
	VU_IOTLB_MSG,
	VU_SET_VRING_ENDIAN,
	VU_GET_CONFIG,
	VU_SET_CONFIG,
	VU_CREATE_CRYPTO_SESSION,
	VU_CLOSE_CRYPTO_SESSION,
	VU_POSTCOPY_ADVISE,
	VU_POSTCOPY_LISTEN,
	VU_POSTCOPY_END,
	VU_GET_INFLIGHT_FD,
	VU_SET_INFLIGHT_FD,
	VU_GPU_SET_SOCKET,
	VU_RESET_DEVICE,
	VU_VRING_KICK,
	VU_GET_MAX_MEM_SLOTS,
	VU_ADD_MEM_REG,
	VU_REM_MEM_REG,
	VU_SET_STATUS,
	VU_GET_STATUS,
	VU_GET_SHARED_OBJECT,
	VU_SET_DEVICE_STATE_FD,
	VU_CHECK_DEVICE_STATE,
	VU_REQUESTS
};

/* Requests of the back-end, on the channel that SET_BACKEND_REQ_FD gives. */
enum vu_backend_request {
	VU_BACKEND_CONFIG_CHANGE = 2
};

/* Protocol feature bits, by number. */
enum vu_protocol_feature {
	VU_F_MQ = 0,
	VU_F_REPLY_ACK = 3,
	VU_F_BACKEND_REQ = 5,
	VU_F_CONFIG = 9,
	VU_F_RESET_DEVICE = 13,
	VU_F_CONFIGURE_MEM_SLOTS = 15,
	VU_F_STATUS = 16
};

/* Virtio feature bits that belong to vhost-user itself, by number. */
enum {
	VU_VIRTIO_F_LOG_ALL = 26,
	VU_VIRTIO_F_PROTOCOL_FEATURES = 30
};

#define VU_BIT(n) (UINT64_C(1) << (n))

enum {
	VU_CONFIG_FLAG_MIGRATION = 1
};

/* How a request is answered. */
enum vu_answer {
	VU_ANSWER_ACK,		/* u64, only if need_reply was set and REPLY_ACK is in force */
	VU_ANSWER_ACK_ASKED,	/* the same without REPLY_ACK: front-ends wait in any case */
	VU_ANSWER_OWN		/* always, with a payload of its own; empty for a refusal */
};

/* What the table says of a request. */
struct vu_rule {
	const char *name;
	uint8_t payload;	/* private to frame.c; 0 for requests that are not ours */
	uint8_t fds_min, fds_max;
	uint8_t answer;		/* enum vu_answer */
	uint8_t need;		/* 1 + bit number of the protocol feature it belongs to, or 0 */
};

struct vu_header {
	uint32_t request;
	uint32_t size;		/* of the payload, at most VU_PAYLOAD_MAX */
	bool need_reply;
};

struct vu_vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc, used, avail;	/* front-end user addresses */
	uint64_t log;			/* guest address */
};

struct vu_mem_desc {
	uint64_t gpa;
	uint64_t size;
	uint64_t uaddr;		/* front-end user address */
	uint64_t offset;	/* in the file */
};

struct vu_config {
	uint32_t offset, size, flags;
	uint8_t data[VU_CONFIG_MAX];
};

/* A checked message.  Which member of u is set follows from the request. */
struct vu_msg {
	uint32_t request;
	unsigned fds;		/* received with it */
	union {
		uint64_t value;				/* u64 */
		struct {
			uint32_t index;			/* < VSND_QUEUES */
			uint32_t num;
		} vring;
		struct {
			uint32_t index;			/* < VSND_QUEUES */
			bool nofd;			/* if false there is exactly one fd */
		} vring_fd;
		struct vu_vring_addr addr;
		struct {
			unsigned n;			/* == fds */
			struct vu_mem_desc region[VU_TABLE_REGIONS_MAX];
		} table;
		struct vu_mem_desc region;		/* size and ends checked */
		struct vu_config config;
	} u;
};

/* The row of a request; NULL for numbers that the protocol does not define. */
const struct vu_rule *vu_rule(uint32_t request);

/*
 * -EPROTO (version, reply bit) or -EMSGSIZE: nothing that follows can be
 * trusted, the connection is to be closed.
 */
int vu_header_decode(const uint8_t bytes[VU_HEADER_SIZE], struct vu_header *ret_header);

/*
 * @payload has header->size bytes, @fds descriptors came with the message.
 * -ENOSYS: unknown or not ours; -EMSGSIZE: payload size; -EBADF: number of
 * descriptors; -ERANGE: vring index or NUM; -EINVAL: a value.
 */
int vu_decode(const struct vu_header *header, const uint8_t *payload, unsigned fds,
	      struct vu_msg *ret_msg);

/*
 * Payload of the reply to a request with an answer of its own that is refused;
 * returns its size.  Nothing, except for GET_VRING_BASE of a ring that does not
 * exist: {index, 0}.
 */
uint32_t vu_refusal_encode(uint8_t bytes[8], const struct vu_header *header,
			   const uint8_t *payload);

/* Header of the reply to @request. */
void vu_reply_header(uint8_t bytes[VU_HEADER_SIZE], uint32_t request, uint32_t size);

/* Header of a request of the back-end, without need_reply. */
void vu_backend_header(uint8_t bytes[VU_HEADER_SIZE], enum vu_backend_request request,
		       uint32_t size);

/* Payload of a config reply; @bytes has room for 12 + config->size.  Returns the size. */
uint32_t vu_config_encode(uint8_t *bytes, const struct vu_config *config);

#endif
