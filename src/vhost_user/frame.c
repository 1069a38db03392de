/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user messages, as "Vhost-user Protocol" in QEMU's documentation has them.
 *
 * Every field is in host byte order (both sides are on one machine).  Payload
 * sizes are exact: a message of another size is refused, not read as far as it
 * goes.  Two forms are taken for SET_MEM_TABLE, with as many regions as it says
 * (QEMU) and with all eight (the text).
 *
 * A new request needs a row here, a member of vu_msg's union if its payload is
 * of a new kind, and a handler in session.c.
 */
#include "vhost_user/frame.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <vsnd/vsnd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define FLAG_VERSION_MASK 0x3u
#define FLAG_VERSION	  0x1u
#define FLAG_REPLY	  0x4u
#define FLAG_NEED_REPLY	  0x8u

#define VRING_INDEX_MASK UINT64_C(0xff)
#define VRING_NOFD	 UINT64_C(0x100)

#define REGION_SIZE	   32u
#define CONFIG_HEADER_SIZE 12u

enum payload {
	PAYLOAD_NOT_OURS,
	PAYLOAD_NONE,
	PAYLOAD_U64,
	PAYLOAD_VRING,		/* index, num without meaning or range */
	PAYLOAD_VRING_SIZE,	/* num is a queue size */
	PAYLOAD_VRING_BOOL,	/* num is 0 or 1 */
	PAYLOAD_VRING_FD,
	PAYLOAD_VRING_ADDR,
	PAYLOAD_TABLE,
	PAYLOAD_REGION,
	PAYLOAD_CONFIG,
	PAYLOADS
};

#define NEEDS(f) (1 + (f))

static const struct vu_rule rules[] = {
	[VU_NONE] = { .name = "NONE" },
	[VU_GET_FEATURES] = { "GET_FEATURES", PAYLOAD_NONE, 0, 0, VU_ANSWER_OWN, 0 },
	[VU_SET_FEATURES] = { "SET_FEATURES", PAYLOAD_U64, 0, 0, VU_ANSWER_ACK, 0 },
	[VU_SET_OWNER] = { "SET_OWNER", PAYLOAD_NONE, 0, 0, VU_ANSWER_ACK, 0 },
	[VU_RESET_OWNER] = { "RESET_OWNER", PAYLOAD_NONE, 0, 0, VU_ANSWER_ACK, 0 },
	[VU_SET_MEM_TABLE] = { "SET_MEM_TABLE", PAYLOAD_TABLE, 0, VU_TABLE_REGIONS_MAX,
		VU_ANSWER_ACK, 0 },
	[VU_SET_LOG_BASE] = { .name = "SET_LOG_BASE" },
	[VU_SET_LOG_FD] = { .name = "SET_LOG_FD" },
	[VU_SET_VRING_NUM] = { "SET_VRING_NUM", PAYLOAD_VRING_SIZE, 0, 0, VU_ANSWER_ACK, 0 },
	[VU_SET_VRING_ADDR] = { "SET_VRING_ADDR", PAYLOAD_VRING_ADDR, 0, 0, VU_ANSWER_ACK, 0 },
	[VU_SET_VRING_BASE] = { "SET_VRING_BASE", PAYLOAD_VRING, 0, 0, VU_ANSWER_ACK, 0 },
	[VU_GET_VRING_BASE] = { "GET_VRING_BASE", PAYLOAD_VRING, 0, 0, VU_ANSWER_OWN, 0 },
	[VU_SET_VRING_KICK] = { "SET_VRING_KICK", PAYLOAD_VRING_FD, 0, 1, VU_ANSWER_ACK, 0 },
	[VU_SET_VRING_CALL] = { "SET_VRING_CALL", PAYLOAD_VRING_FD, 0, 1, VU_ANSWER_ACK, 0 },
	[VU_SET_VRING_ERR] = { "SET_VRING_ERR", PAYLOAD_VRING_FD, 0, 1, VU_ANSWER_ACK, 0 },
	[VU_GET_PROTOCOL_FEATURES] = { "GET_PROTOCOL_FEATURES", PAYLOAD_NONE, 0, 0,
		VU_ANSWER_OWN, 0 },
	[VU_SET_PROTOCOL_FEATURES] = { "SET_PROTOCOL_FEATURES", PAYLOAD_U64, 0, 0,
		VU_ANSWER_ACK, 0 },
	[VU_GET_QUEUE_NUM] = { "GET_QUEUE_NUM", PAYLOAD_NONE, 0, 0, VU_ANSWER_OWN,
		NEEDS(VU_F_MQ) },
	[VU_SET_VRING_ENABLE] = { "SET_VRING_ENABLE", PAYLOAD_VRING_BOOL, 0, 0, VU_ANSWER_ACK, 0 },
	[VU_SEND_RARP] = { .name = "SEND_RARP" },
	[VU_NET_SET_MTU] = { .name = "NET_SET_MTU" },
	[VU_SET_BACKEND_REQ_FD] = { "SET_BACKEND_REQ_FD", PAYLOAD_NONE, 1, 1, VU_ANSWER_ACK,
		NEEDS(VU_F_BACKEND_REQ) },
	[VU_IOTLB_MSG] = { .name = "IOTLB_MSG", .answer = VU_ANSWER_ACK_ASKED },
	[VU_SET_VRING_ENDIAN] = { .name = "SET_VRING_ENDIAN" },
	[VU_GET_CONFIG] = { "GET_CONFIG", PAYLOAD_CONFIG, 0, 0, VU_ANSWER_OWN, NEEDS(VU_F_CONFIG) },
	[VU_SET_CONFIG] = { "SET_CONFIG", PAYLOAD_CONFIG, 0, 0, VU_ANSWER_ACK, NEEDS(VU_F_CONFIG) },
	[VU_CREATE_CRYPTO_SESSION] = { .name = "CREATE_CRYPTO_SESSION" },
	[VU_CLOSE_CRYPTO_SESSION] = { .name = "CLOSE_CRYPTO_SESSION" },
	[VU_POSTCOPY_ADVISE] = { .name = "POSTCOPY_ADVISE" },
	[VU_POSTCOPY_LISTEN] = { .name = "POSTCOPY_LISTEN", .answer = VU_ANSWER_ACK_ASKED },
	[VU_POSTCOPY_END] = { .name = "POSTCOPY_END", .answer = VU_ANSWER_ACK_ASKED },
	[VU_GET_INFLIGHT_FD] = { .name = "GET_INFLIGHT_FD" },
	[VU_SET_INFLIGHT_FD] = { .name = "SET_INFLIGHT_FD" },
	[VU_GPU_SET_SOCKET] = { .name = "GPU_SET_SOCKET" },
	[VU_RESET_DEVICE] = { "RESET_DEVICE", PAYLOAD_NONE, 0, 0, VU_ANSWER_ACK,
		NEEDS(VU_F_RESET_DEVICE) },
	[VU_VRING_KICK] = { .name = "VRING_KICK" },
	[VU_GET_MAX_MEM_SLOTS] = { "GET_MAX_MEM_SLOTS", PAYLOAD_NONE, 0, 0, VU_ANSWER_OWN,
		NEEDS(VU_F_CONFIGURE_MEM_SLOTS) },
	[VU_ADD_MEM_REG] = { "ADD_MEM_REG", PAYLOAD_REGION, 1, 1, VU_ANSWER_ACK,
		NEEDS(VU_F_CONFIGURE_MEM_SLOTS) },
	/* One fd is tolerated and closed. */
	[VU_REM_MEM_REG] = { "REM_MEM_REG", PAYLOAD_REGION, 0, 1, VU_ANSWER_ACK,
		NEEDS(VU_F_CONFIGURE_MEM_SLOTS) },
	[VU_SET_STATUS] = { "SET_STATUS", PAYLOAD_U64, 0, 0, VU_ANSWER_ACK, NEEDS(VU_F_STATUS) },
	[VU_GET_STATUS] = { "GET_STATUS", PAYLOAD_NONE, 0, 0, VU_ANSWER_OWN, NEEDS(VU_F_STATUS) },
	[VU_GET_SHARED_OBJECT] = { .name = "GET_SHARED_OBJECT" },
	[VU_SET_DEVICE_STATE_FD] = { .name = "SET_DEVICE_STATE_FD" },
	[VU_CHECK_DEVICE_STATE] = { .name = "CHECK_DEVICE_STATE" },
};
static_assert(ARRAY_SIZE(rules) == VU_REQUESTS, "a request has no row");

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

const struct vu_rule *vu_rule(uint32_t request)
{
	return request < VU_REQUESTS ? &rules[request] : NULL;
}

int vu_header_decode(const uint8_t bytes[VU_HEADER_SIZE], struct vu_header *ret_header)
{
	uint32_t flags = get32(bytes + 4);
	uint32_t size = get32(bytes + 8);

	if ((flags & FLAG_VERSION_MASK) != FLAG_VERSION || (flags & FLAG_REPLY))
		return -EPROTO;
	if (size > VU_PAYLOAD_MAX)
		return -EMSGSIZE;
	ret_header->request = get32(bytes);
	ret_header->size = size;
	ret_header->need_reply = flags & FLAG_NEED_REPLY;
	return 0;
}

static int decode_none(const uint8_t *p, uint32_t size, struct vu_msg *m)
{
	(void)p;
	(void)m;
	return size ? -EMSGSIZE : 0;
}

static int decode_u64(const uint8_t *p, uint32_t size, struct vu_msg *m)
{
	if (size != 8)
		return -EMSGSIZE;
	m->u.value = get64(p);
	return 0;
}

static int decode_vring(const uint8_t *p, uint32_t size, struct vu_msg *m)
{
	if (size != 8)
		return -EMSGSIZE;
	m->u.vring.index = get32(p);
	m->u.vring.num = get32(p + 4);
	return m->u.vring.index < VSND_QUEUES ? 0 : -ERANGE;
}

static int decode_vring_size(const uint8_t *p, uint32_t size, struct vu_msg *m)
{
	int err = decode_vring(p, size, m);
	uint32_t num = m->u.vring.num;

	if (err < 0)
		return err;
	return num && num <= VSND_QUEUE_SIZE_MAX && !(num & (num - 1)) ? 0 : -ERANGE;
}

static int decode_vring_bool(const uint8_t *p, uint32_t size, struct vu_msg *m)
{
	int err = decode_vring(p, size, m);

	if (err < 0)
		return err;
	return m->u.vring.num <= 1 ? 0 : -ERANGE;
}

static int decode_vring_fd(const uint8_t *p, uint32_t size, struct vu_msg *m)
{
	uint64_t value;

	if (size != 8)
		return -EMSGSIZE;
	value = get64(p);
	if ((value & ~(VRING_INDEX_MASK | VRING_NOFD)) || (value & VRING_INDEX_MASK) >= VSND_QUEUES)
		return -ERANGE;
	m->u.vring_fd.index = (uint32_t)(value & VRING_INDEX_MASK);
	m->u.vring_fd.nofd = value & VRING_NOFD;
	/* An fd in spite of the bit is ignored; none without it leaves nothing to do. */
	return m->u.vring_fd.nofd || m->fds == 1 ? 0 : -EBADF;
}

static int decode_vring_addr(const uint8_t *p, uint32_t size, struct vu_msg *m)
{
	if (size != 40)
		return -EMSGSIZE;
	m->u.addr = (struct vu_vring_addr){
		.index = get32(p),
		.flags = get32(p + 4),
		.desc = get64(p + 8),
		.used = get64(p + 16),
		.avail = get64(p + 24),
		.log = get64(p + 32),
	};
	return m->u.addr.index < VSND_QUEUES ? 0 : -ERANGE;
}

/* Bounds of a region: not empty, and no end beyond 2^64 or, in the file, 2^63. */
static int decode_region_at(const uint8_t *p, struct vu_mem_desc *ret)
{
	struct vu_mem_desc d = {
		.gpa = get64(p),
		.size = get64(p + 8),
		.uaddr = get64(p + 16),
		.offset = get64(p + 24),
	};

	if (!d.size || d.size > INT64_MAX)
		return -EINVAL;
	if (d.gpa > UINT64_MAX - (d.size - 1) || d.uaddr > UINT64_MAX - (d.size - 1))
		return -EINVAL;
	*ret = d;
	return 0;
}

static int decode_table(const uint8_t *p, uint32_t size, struct vu_msg *m)
{
	const uint32_t full = 8 + VU_TABLE_REGIONS_MAX * REGION_SIZE;
	unsigned i, n;
	int err;

	if (size < 8)
		return -EMSGSIZE;
	n = get32(p);
	if (n > VU_TABLE_REGIONS_MAX)
		return -EINVAL;
	if (size != full && size != 8 + n * REGION_SIZE)
		return -EMSGSIZE;
	if (m->fds != n)
		return -EBADF;
	for (i = 0; i < n; i++) {
		err = decode_region_at(p + 8 + i * REGION_SIZE, &m->u.table.region[i]);
		if (err < 0)
			return err;
	}
	m->u.table.n = n;
	return 0;
}

static int decode_region(const uint8_t *p, uint32_t size, struct vu_msg *m)
{
	if (size != 8 + REGION_SIZE)
		return -EMSGSIZE;
	return decode_region_at(p + 8, &m->u.region);
}

static int decode_config(const uint8_t *p, uint32_t size, struct vu_msg *m)
{
	struct vu_config *c = &m->u.config;

	if (size < CONFIG_HEADER_SIZE)
		return -EMSGSIZE;
	c->offset = get32(p);
	c->size = get32(p + 4);
	c->flags = get32(p + 8);
	if (c->size != size - CONFIG_HEADER_SIZE)
		return -EMSGSIZE;
	if (!c->size || c->size > VU_CONFIG_MAX || c->offset > VU_CONFIG_MAX - c->size)
		return -EINVAL;
	memcpy(c->data, p + CONFIG_HEADER_SIZE, c->size);
	return 0;
}

static int (*const decoders[])(const uint8_t *p, uint32_t size, struct vu_msg *m) = {
	[PAYLOAD_NOT_OURS] = NULL,
	[PAYLOAD_NONE] = decode_none,
	[PAYLOAD_U64] = decode_u64,
	[PAYLOAD_VRING] = decode_vring,
	[PAYLOAD_VRING_SIZE] = decode_vring_size,
	[PAYLOAD_VRING_BOOL] = decode_vring_bool,
	[PAYLOAD_VRING_FD] = decode_vring_fd,
	[PAYLOAD_VRING_ADDR] = decode_vring_addr,
	[PAYLOAD_TABLE] = decode_table,
	[PAYLOAD_REGION] = decode_region,
	[PAYLOAD_CONFIG] = decode_config,
};
static_assert(ARRAY_SIZE(decoders) == PAYLOADS, "a kind of payload has no decoder");

int vu_decode(const struct vu_header *header, const uint8_t *payload, unsigned fds,
	      struct vu_msg *ret_msg)
{
	const struct vu_rule *rule = vu_rule(header->request);
	struct vu_msg m = { .request = header->request, .fds = fds };
	int err;

	if (!rule || rule->payload == PAYLOAD_NOT_OURS)
		return -ENOSYS;
	if (fds < rule->fds_min || fds > rule->fds_max)
		return -EBADF;
	err = decoders[rule->payload](payload, header->size, &m);
	if (err < 0)
		return err;
	*ret_msg = m;
	return 0;
}

uint32_t vu_refusal_encode(uint8_t bytes[8], const struct vu_header *header,
			   const uint8_t *payload)
{
	if (header->request != VU_GET_VRING_BASE || header->size != 8)
		return 0;
	put32(bytes, get32(payload));
	put32(bytes + 4, 0);
	return 8;
}

void vu_reply_header(uint8_t bytes[VU_HEADER_SIZE], uint32_t request, uint32_t size)
{
	put32(bytes, request);
	put32(bytes + 4, FLAG_VERSION | FLAG_REPLY);
	put32(bytes + 8, size);
}

void vu_backend_header(uint8_t bytes[VU_HEADER_SIZE], enum vu_backend_request request,
		       uint32_t size)
{
	put32(bytes, (uint32_t)request);
	put32(bytes + 4, FLAG_VERSION);
	put32(bytes + 8, size);
}

uint32_t vu_config_encode(uint8_t *bytes, const struct vu_config *config)
{
	put32(bytes, config->offset);
	put32(bytes + 4, config->size);
	put32(bytes + 8, config->flags);
	memcpy(bytes + CONFIG_HEADER_SIZE, config->data, config->size);
	return CONFIG_HEADER_SIZE + config->size;
}
