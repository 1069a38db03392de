/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each request does.
 *
 * A message goes one way: vu_decode() checks it against its row of the table,
 * the feature it belongs to must have been negotiated, its handler acts, and
 * session_message() answers.  A handler returns 0 or why the request is refused; it
 * knows nothing of need_reply.  What is refused - and what nobody here knows -
 * leaves no trace but a log line and, where asked for, a non-zero answer; only a
 * byte stream that cannot be vhost-user ends the connection.
 *
 * Descriptors that a handler keeps it takes out of the array (take_fd());
 * what is left is closed after it.
 *
 * The virtio status never gates anything (QEMU writes FEATURES_OK and then no
 * more): 0 resets, FAILED stops the rings, the rest is remembered.  When the
 * device finds a ring broken, DEVICE_NEEDS_RESET is put into it and, if the
 * driver is up, announced as a configuration change.
 */
#include "vhost_user/session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <syslog.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define STATUS_DRIVER_OK   0x04u
#define STATUS_FEATURES_OK 0x08u
#define STATUS_NEEDS_RESET 0x40u
#define STATUS_FAILED	   0x80u
#define STATUS_DRIVER_BITS 0x8fu	/* ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, FAILED */

#define PROTOCOL_OFFERED                                                                           \
	(VU_BIT(VU_F_MQ) | VU_BIT(VU_F_REPLY_ACK) | VU_BIT(VU_F_BACKEND_REQ) |                     \
	 VU_BIT(VU_F_CONFIG) | VU_BIT(VU_F_RESET_DEVICE) | VU_BIT(VU_F_CONFIGURE_MEM_SLOTS) |      \
	 VU_BIT(VU_F_STATUS))

/* A request on its way through its handler. */
struct call {
	struct vu_msg msg;
	int *fds;
	bool acked;		/* the front-end learns whether it is refused */
	bool quiet;		/* a refusal is nothing to log */
	/* The answer, where the request has one of its own. */
	union {
		uint64_t value;
		struct {
			uint32_t index, num;
		} vring;
		uint8_t config[12 + VU_CONFIG_MAX];
	} reply;
	uint32_t reply_size;
};

static void reply_u64(struct call *c, uint64_t value)
{
	c->reply.value = value;
	c->reply_size = sizeof(c->reply.value);
}

static int take_fd(struct call *c, unsigned i)
{
	int fd = c->fds[i];

	c->fds[i] = -1;
	return fd;
}

static bool negotiated(const struct session *s, enum vu_protocol_feature feature)
{
	return s->protocol & VU_BIT(feature);
}

/* After a request that may have changed which rings are in use. */
static void update_channel(struct session *s)
{
	channel_hold(&s->channel, !rings_live(&s->rings));
}

/* Features. */

static uint64_t offered(const struct session *s)
{
	return vsnd_features(s->dev) | VU_BIT(VU_VIRTIO_F_PROTOCOL_FEATURES);
}

static int get_features(struct session *s, struct call *c)
{
	reply_u64(c, offered(s));
	return 0;
}

/*
 * Bits that are not on offer: refused where the front-end learns of it, else
 * the others count.  FEATURES_OK does not stick in either case.
 */
static int set_features(struct session *s, struct call *c)
{
	const uint64_t own = VU_BIT(VU_VIRTIO_F_PROTOCOL_FEATURES);
	uint64_t bits = c->msg.u.value;
	uint64_t extra = bits & ~offered(s);
	int err;

	/* crosvm says first that it knows protocol features, and no more. */
	c->quiet = bits == own;
	s->features_bad = extra != 0;
	if (extra)
		vu_log(s->log, VU_LOG_FEATURES, LOG_WARNING,
		       "front-end accepts features that are not offered: 0x%llx",
		       (unsigned long long)extra);
	if (extra && c->acked)
		return -EINVAL;
	err = rings_set_features(&s->rings, bits & ~extra & ~own, !(bits & own));
	if (err < 0)
		s->features_bad = true;
	return err;
}

static int get_protocol_features(struct session *s, struct call *c)
{
	(void)s;
	reply_u64(c, PROTOCOL_OFFERED);
	return 0;
}

static int set_protocol_features(struct session *s, struct call *c)
{
	s->protocol = c->msg.u.value & PROTOCOL_OFFERED;
	if (!negotiated(s, VU_F_BACKEND_REQ))
		channel_close(&s->channel);
	return s->protocol == c->msg.u.value ? 0 : -EINVAL;
}

/* Messages that we have no use for: ownership is what a connection is. */
static int do_nothing(struct session *s, struct call *c)
{
	(void)s;
	(void)c;
	return 0;
}

static int get_queue_num(struct session *s, struct call *c)
{
	(void)s;
	reply_u64(c, VSND_QUEUES);
	return 0;
}

/* Memory. */

static struct vu_memory *memory_now(struct session *s)
{
	return &s->memory[s->memory_now];
}

static struct vu_memory *memory_next(struct session *s)
{
	return &s->memory[!s->memory_now];
}

/* Put the next table in force.  The former one is then the next, for the caller to drop. */
static int memory_commit(struct session *s)
{
	int err = rings_set_memory(&s->rings, memory_next(s));

	if (!err)
		s->memory_now = !s->memory_now;
	return err;
}

static int set_mem_table(struct session *s, struct call *c)
{
	struct vu_memory *next = memory_next(s);
	unsigned i;
	int err = 0;

	next->n = 0;
	for (i = 0; i < c->msg.u.table.n && !err; i++)
		err = vu_memory_add(next, &c->msg.u.table.region[i], c->fds[i]);
	if (!err)
		err = memory_commit(s);
	/* The new one if it was refused, else the old one. */
	vu_memory_unmap(memory_next(s));
	return err;
}

static int get_max_mem_slots(struct session *s, struct call *c)
{
	(void)s;
	reply_u64(c, VU_MEM_SLOTS);
	return 0;
}

static int add_mem_reg(struct session *s, struct call *c)
{
	struct vu_memory *next = memory_next(s);
	int err;

	*next = *memory_now(s);
	err = vu_memory_add(next, &c->msg.u.region, c->fds[0]);
	if (err < 0)
		return err;
	err = memory_commit(s);
	if (err < 0)
		vu_region_unmap(&next->region[next->n - 1]);
	return err;
}

static int rem_mem_reg(struct session *s, struct call *c)
{
	struct vu_memory *next = memory_next(s);
	struct vu_region region;
	int err;

	*next = *memory_now(s);
	err = vu_memory_take(next, &c->msg.u.region, &region);
	if (err < 0)
		return err;
	err = memory_commit(s);
	if (!err)
		vu_region_unmap(&region);
	return err;
}

/* Rings. */

static int set_vring_num(struct session *s, struct call *c)
{
	return ring_set_size(&s->rings, c->msg.u.vring.index, c->msg.u.vring.num);
}

static int set_vring_addr(struct session *s, struct call *c)
{
	return ring_set_addr(&s->rings, c->msg.u.addr.index, &c->msg.u.addr);
}

static int set_vring_base(struct session *s, struct call *c)
{
	return ring_set_base(&s->rings, c->msg.u.vring.index, c->msg.u.vring.num);
}

static int get_vring_base(struct session *s, struct call *c)
{
	c->reply.vring.index = c->msg.u.vring.index;
	c->reply.vring.num = ring_stop(&s->rings, c->msg.u.vring.index);
	c->reply_size = sizeof(c->reply.vring);
	return 0;
}

static int vring_fd(struct call *c)
{
	return c->msg.u.vring_fd.nofd ? -1 : take_fd(c, 0);
}

static int set_vring_kick(struct session *s, struct call *c)
{
	return ring_set_kick(&s->rings, c->msg.u.vring_fd.index, vring_fd(c));
}

static int set_vring_call(struct session *s, struct call *c)
{
	return ring_set_call(&s->rings, c->msg.u.vring_fd.index, vring_fd(c));
}

static int set_vring_err(struct session *s, struct call *c)
{
	return ring_set_err(&s->rings, c->msg.u.vring_fd.index, vring_fd(c));
}

static int set_vring_enable(struct session *s, struct call *c)
{
	return ring_enable(&s->rings, c->msg.u.vring.index, c->msg.u.vring.num);
}

/* Configuration space. */

static int get_config(struct session *s, struct call *c)
{
	struct vu_config *config = &c->msg.u.config;

	vsnd_config_read(s->dev, config->offset, config->data, config->size);
	c->reply_size = vu_config_encode(c->reply.config, config);
	return 0;
}

/* Every field is read-only; a migration may write what is there anyway. */
static int set_config(struct session *s, struct call *c)
{
	const struct vu_config *config = &c->msg.u.config;
	uint8_t now[VU_CONFIG_MAX];

	if (config->flags != VU_CONFIG_FLAG_MIGRATION)
		return -EPERM;
	vsnd_config_read(s->dev, config->offset, now, config->size);
	return memcmp(now, config->data, config->size) ? -EPERM : 0;
}

static int set_backend_req_fd(struct session *s, struct call *c)
{
	return channel_open(&s->channel, take_fd(c, 0));
}

/* Reset and status. */

static int reset_device(struct session *s, struct call *c)
{
	(void)c;
	rings_reset(&s->rings);
	s->status = 0;
	s->features_bad = false;
	return 0;
}

static int get_status(struct session *s, struct call *c)
{
	reply_u64(c, s->status);
	return 0;
}

static int set_status(struct session *s, struct call *c)
{
	uint64_t value = c->msg.u.value;

	/* NEEDS_RESET is ours; a driver that or's a bit to the status sends it back. */
	if (value & ~(uint64_t)(STATUS_DRIVER_BITS | STATUS_NEEDS_RESET))
		return -EINVAL;
	if (!value)
		return reset_device(s, c);
	s->status = (uint8_t)((value & STATUS_DRIVER_BITS) | (s->status & STATUS_NEEDS_RESET));
	if (s->features_bad)
		s->status &= (uint8_t)~STATUS_FEATURES_OK;
	rings_set_failed(&s->rings, value & STATUS_FAILED);
	return 0;
}

static int (*const handlers[])(struct session *s, struct call *c) = {
	[VU_GET_FEATURES] = get_features,
	[VU_SET_FEATURES] = set_features,
	[VU_SET_OWNER] = do_nothing,
	[VU_RESET_OWNER] = do_nothing,
	[VU_SET_MEM_TABLE] = set_mem_table,
	[VU_SET_VRING_NUM] = set_vring_num,
	[VU_SET_VRING_ADDR] = set_vring_addr,
	[VU_SET_VRING_BASE] = set_vring_base,
	[VU_GET_VRING_BASE] = get_vring_base,
	[VU_SET_VRING_KICK] = set_vring_kick,
	[VU_SET_VRING_CALL] = set_vring_call,
	[VU_SET_VRING_ERR] = set_vring_err,
	[VU_GET_PROTOCOL_FEATURES] = get_protocol_features,
	[VU_SET_PROTOCOL_FEATURES] = set_protocol_features,
	[VU_GET_QUEUE_NUM] = get_queue_num,
	[VU_SET_VRING_ENABLE] = set_vring_enable,
	[VU_SET_BACKEND_REQ_FD] = set_backend_req_fd,
	[VU_GET_CONFIG] = get_config,
	[VU_SET_CONFIG] = set_config,
	[VU_RESET_DEVICE] = reset_device,
	[VU_GET_MAX_MEM_SLOTS] = get_max_mem_slots,
	[VU_ADD_MEM_REG] = add_mem_reg,
	[VU_REM_MEM_REG] = rem_mem_reg,
	[VU_SET_STATUS] = set_status,
	[VU_GET_STATUS] = get_status,
	[VU_CHECK_DEVICE_STATE] = NULL,	/* the last request there is */
};
static_assert(ARRAY_SIZE(handlers) == VU_REQUESTS, "the dispatch table ends elsewhere");

void session_run(struct session *s)
{
	if (!rings_take_faults(&s->rings) || !session_active(s))
		return;
	if (!negotiated(s, VU_F_STATUS) || (s->status & STATUS_NEEDS_RESET))
		return;
	s->status |= STATUS_NEEDS_RESET;
	if ((s->status & STATUS_DRIVER_OK) && negotiated(s, VU_F_CONFIG))
		channel_config_changed(&s->channel);
}

static int session_reply(struct session *s, uint32_t request, const void *payload, uint32_t size)
{
	uint8_t head[VU_HEADER_SIZE];

	vu_reply_header(head, request, size);
	return conn_send(&s->conn, head, payload, size);
}

/* Check and act.  0, or why the request is refused; -ENOSYS: it is none of ours. */
static int session_dispatch(struct session *s, const struct vu_header *header,
			    const uint8_t *payload, unsigned fds, struct call *c)
{
	const struct vu_rule *rule = vu_rule(header->request);
	int err = vu_decode(header, payload, fds, &c->msg);

	if (err == -ENOSYS)
		return err;
	if (rule->need && !(s->protocol & VU_BIT(rule->need - 1)))
		return -ENOSYS;
	if (err < 0)
		return err;
	assert(handlers[header->request]);
	return handlers[header->request](s, c);
}

static int session_message(void *ctx, const struct vu_header *header, const uint8_t *payload,
			   int fds[VU_FDS_MAX], unsigned n, bool faulty)
{
	struct session *s = ctx;
	const struct vu_rule *rule = vu_rule(header->request);
	enum vu_answer answer = rule ? (enum vu_answer)rule->answer : VU_ANSWER_ACK;
	struct call c = { .fds = fds };
	uint64_t ack;
	int err;

	session_run(s);
	s->requests++;
	c.acked = header->need_reply && negotiated(s, VU_F_REPLY_ACK);
	/* With descriptors lost, no number of them is right. */
	err = session_dispatch(s, header, payload, faulty ? VU_FDS_MAX + 1 : n, &c);
	update_channel(s);
	if (err < 0) {
		s->refused++;
		vu_log(s->log, VU_LOG_REFUSED, c.quiet ? LOG_DEBUG : LOG_WARNING, "%s (%u) refused: %s",
		       rule ? rule->name : "request", header->request, strerror(-err));
	}

	if (answer == VU_ANSWER_OWN && !err)
		return session_reply(s, header->request, &c.reply, c.reply_size);
	if (answer == VU_ANSWER_OWN && err != -ENOSYS) {
		uint8_t refusal[8];
		uint32_t size = vu_refusal_encode(refusal, header, payload);

		return session_reply(s, header->request, refusal, size);
	}
	/* REPLY_ACK may have come with this very message. */
	if (!header->need_reply ||
	    (answer != VU_ANSWER_ACK_ASKED && !negotiated(s, VU_F_REPLY_ACK)))
		return 0;
	ack = err < 0 ? (uint64_t)-err : 0;
	return session_reply(s, header->request, &ack, sizeof(ack));
}

/* Nothing of the front-end stays: state, memory, descriptors. */
static void session_release(struct session *s)
{
	channel_close(&s->channel);
	rings_release(&s->rings);
	vu_memory_unmap(memory_now(s));
	s->protocol = 0;
	s->status = 0;
	s->features_bad = false;
}

static void session_closed(void *ctx, int err)
{
	struct session *s = ctx;

	session_release(s);
	if (err == -ECONNRESET)
		vu_log(s->log, VU_LOG_SESSION, LOG_INFO, "front-end has disconnected");
	else
		vu_log(s->log, VU_LOG_FRAME, LOG_WARNING, "front-end is disconnected: %s",
		       strerror(-err));
	s->ended(s->ctx);
}

int session_init(struct session *s, struct loop *loop, struct vu_log *log, int wake_fd,
		 void (*ended)(void *ctx), void *ctx)
{
	static const struct conn_ops ops = {
		.message = session_message,
		.closed = session_closed,
	};

	s->log = log;
	s->ended = ended;
	s->ctx = ctx;
	s->memory[0].n = 0;
	s->memory[1].n = 0;
	s->memory_now = 0;
	conn_init(&s->conn, loop, &ops, s);
	channel_init(&s->channel, loop);
	return rings_init(&s->rings, loop, log, wake_fd);
}

void session_set_device(struct session *s, struct vsnd *dev)
{
	s->dev = dev;
	rings_set_device(&s->rings, dev);
}

void session_finish(struct session *s)
{
	rings_finish(&s->rings);
}

int session_open(struct session *s, int fd)
{
	int err = conn_open(&s->conn, fd);

	if (err < 0)
		return err;
	s->requests = 0;
	s->refused = 0;
	channel_hold(&s->channel, true);
	vu_log(s->log, VU_LOG_SESSION, LOG_INFO, "front-end has connected");
	return 0;
}

bool session_active(const struct session *s)
{
	return s->conn.fd >= 0;
}

void session_close(struct session *s)
{
	if (!session_active(s))
		return;
	conn_close(&s->conn);
	session_release(s);
}
