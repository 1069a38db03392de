/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The front-end: one function per message, used by the orders in
 * personality.c.
 *
 * A message is acknowledged (need_reply) where the real front-end would do
 * so: everywhere for those with reply_always, otherwise only at the points
 * that pass `ack`.  Without REPLY_ACK a front-end that must wait sends
 * GET_FEATURES behind the message, whose reply proves that it was handled.
 */
#include "probe/frontend.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/bytes.h"
#include "probe/orders.h"
#include "probe/report.h"
#include "probe/vu.h"

#define CONFIG_HEADER 12u

static bool has_protocol(const struct frontend *fe, enum vu_protocol_bit bit)
{
	return fe->protocol & BIT(bit);
}

/* Sends; with `ack` or reply_always waits until the back-end has done it. */
static int tell(struct frontend *fe, struct vu_msg *m, bool ack)
{
	bool reply = has_protocol(fe, VU_P_REPLY_ACK) && (ack || fe->who->reply_always);
	struct vu_msg answer;
	uint64_t status;
	int err;

	m->flags = VU_FLAG_VERSION | (reply ? VU_FLAG_NEED_REPLY : 0);
	err = vu_send(fe->sock, m);
	if (err < 0)
		return err;
	if (!reply)
		return ack ? fe_get_u64(fe, VU_GET_FEATURES, &status) : 0;

	err = vu_receive_reply(fe->sock, m->request, 8, &answer, fe->timeout_ms);
	if (err < 0)
		return err;
	vu_close_fds(&answer);
	memcpy(&status, answer.payload, 8);
	if (status)
		return complain(-EPROTO, "the back-end refused %s", vu_name(m->request));
	return 0;
}

/* For messages with a reply of their own. */
static int ask(struct frontend *fe, struct vu_msg *m, uint32_t reply_size, struct vu_msg *ret)
{
	int err;

	m->flags = VU_FLAG_VERSION;
	err = vu_send(fe->sock, m);
	if (err < 0)
		return err;
	return vu_receive_reply(fe->sock, m->request, reply_size, ret, fe->timeout_ms);
}

static int tell_u64(struct frontend *fe, uint32_t request, uint64_t value, int fd, bool ack)
{
	struct vu_msg m = { .request = request, .size = 8, .fds = { fd }, .fds_count = fd >= 0 };

	memcpy(m.payload, &value, 8);
	return tell(fe, &m, ack);
}

int fe_u64(struct frontend *fe, uint32_t request, uint64_t value)
{
	return tell_u64(fe, request, value, -1, false);
}

int fe_get_u64(struct frontend *fe, uint32_t request, uint64_t *ret)
{
	struct vu_msg m = { .request = request }, answer;
	int err = ask(fe, &m, 8, &answer);

	if (err < 0)
		return err;
	vu_close_fds(&answer);
	memcpy(ret, answer.payload, 8);
	return 0;
}

int fe_ring_state(struct frontend *fe, uint32_t request, unsigned queue, uint32_t num, bool ack)
{
	struct vu_msg m = { .request = request, .size = 8 };

	memcpy(m.payload, &queue, 4);
	memcpy(m.payload + 4, &num, 4);
	return tell(fe, &m, ack);
}

/* Device steps. */

int step_owner(struct frontend *fe)
{
	struct vu_msg m = { .request = VU_SET_OWNER };

	return tell(fe, &m, false);
}

int step_get_features(struct frontend *fe)
{
	return fe_get_u64(fe, VU_GET_FEATURES, &fe->features_offered);
}

int step_early_features(struct frontend *fe)
{
	return fe_u64(fe, VU_SET_FEATURES,
		fe->features_offered & BIT(VHOST_USER_F_PROTOCOL_FEATURES));
}

int step_protocol(struct frontend *fe)
{
	int err;

	if (!(fe->features_offered & BIT(VHOST_USER_F_PROTOCOL_FEATURES)))
		return 0;
	err = fe_get_u64(fe, VU_GET_PROTOCOL_FEATURES, &fe->protocol_offered);
	if (err < 0)
		return err;
	/* REPLY_ACK is in force only behind this message. */
	err = fe_u64(fe, VU_SET_PROTOCOL_FEATURES, fe->protocol_offered & fe->who->protocol);
	fe->protocol = fe->protocol_offered & fe->who->protocol;
	return err;
}

int step_queue_num(struct frontend *fe)
{
	int err;

	if (!has_protocol(fe, VU_P_MQ))
		return 0;
	err = fe_get_u64(fe, VU_GET_QUEUE_NUM, &fe->queues_offered);
	if (err < 0)
		return err;
	if (fe->queues_offered < QUEUES)
		return complain(-ENODEV, "the back-end has %llu queues, a sound device has 4",
			(unsigned long long)fe->queues_offered);
	return 0;
}

int step_slots(struct frontend *fe)
{
	if (!has_protocol(fe, VU_P_CONFIGURE_MEM_SLOTS))
		return 0;
	return fe_get_u64(fe, VU_GET_MAX_MEM_SLOTS, &fe->slots_offered);
}

int step_channel(struct frontend *fe)
{
	struct vu_msg m = { .request = VU_SET_BACKEND_REQ_FD, .fds_count = 1 };
	int pair[2], err;

	if (!has_protocol(fe, VU_P_BACKEND_REQ))
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return complain(-errno, "socketpair: %s", strerror(errno));
	m.fds[0] = pair[1];
	err = tell(fe, &m, true);
	close(pair[1]);
	if (fe->channel >= 0)
		close(fe->channel);
	fe->channel = pair[0];
	return err;
}

int step_features(struct frontend *fe)
{
	fe->features = fe->features_offered & fe->features_wanted & ~fe->who->hidden;
	fe->features |= fe->features_offered & BIT(VHOST_USER_F_PROTOCOL_FEATURES);
	return fe_u64(fe, VU_SET_FEATURES, fe->features);
}

/* QEMU adds FEATURES_OK to what it reads, and never writes more. */
int step_status(struct frontend *fe)
{
	uint64_t status;
	int err;

	if (!has_protocol(fe, VU_P_STATUS))
		return 0;
	err = fe_get_u64(fe, VU_GET_STATUS, &status);
	return err < 0 ? err : fe_u64(fe, VU_SET_STATUS, status | 8);
}

static void put_region(uint8_t *p, const struct mem_region *r)
{
	memcpy(p, &r->gpa, 8);
	memcpy(p + 8, &r->size, 8);
	memcpy(p + 16, &r->uva, 8);
	memcpy(p + 24, &r->offset, 8);
}

static int add_regions(struct frontend *fe)
{
	int err = 0;

	/* Nothing changed since: a front-end with slots sends nothing. */
	if (fe->regions_added)
		return 0;
	for (unsigned i = 0; i < fe->mem->regions && !err; i++) {
		struct vu_msg m = { .request = VU_ADD_MEM_REG, .size = 40, .fds_count = 1 };

		put_region(m.payload + 8, &fe->mem->region[i]);
		m.fds[0] = fe->mem->region[i].fd;
		err = tell(fe, &m, true);
	}
	fe->regions_added = !err;
	return err;
}

int step_memory(struct frontend *fe)
{
	struct vu_msg m = { .request = VU_SET_MEM_TABLE };

	if (has_protocol(fe, VU_P_CONFIGURE_MEM_SLOTS) && fe->who->kick_preset)
		return add_regions(fe);

	memcpy(m.payload, &fe->mem->regions, 4);
	for (unsigned i = 0; i < fe->mem->regions; i++) {
		put_region(m.payload + 8 + i * 32, &fe->mem->region[i]);
		m.fds[m.fds_count++] = fe->mem->region[i].fd;
	}
	m.size = 8 + 32 * fe->mem->regions;
	return tell(fe, &m, has_protocol(fe, VU_P_REPLY_ACK));
}

/* The region is given back at once; in-flight tracking is not driven here. */
int step_inflight(struct frontend *fe)
{
	struct vu_msg m = { .request = VU_GET_INFLIGHT_FD, .size = 24 }, answer;
	uint16_t queues = QUEUES, size = (uint16_t)fe->queue[0].size;
	int err;

	if (!has_protocol(fe, VU_P_INFLIGHT_SHMFD))
		return 0;
	memcpy(m.payload + 16, &queues, 2);
	memcpy(m.payload + 18, &size, 2);
	err = ask(fe, &m, 24, &answer);
	if (err < 0)
		return err;
	if (answer.fds_count == 1) {
		answer.request = VU_SET_INFLIGHT_FD;
		err = tell(fe, &answer, false);
	}
	vu_close_fds(&answer);
	return err;
}

/* Ring steps. */

int vring_num(struct frontend *fe, unsigned queue)
{
	return fe_ring_state(fe, VU_SET_VRING_NUM, queue, fe->queue[queue].size, false);
}

int vring_base(struct frontend *fe, unsigned queue)
{
	const struct fe_queue *q = &fe->queue[queue];
	uint16_t base = q->base;

	if (fe->who->base == BASE_ZERO)
		base = 0;
	else if (fe->who->base == BASE_AVAILABLE)
		base = get16((uint8_t *)mem_va(fe->mem, q->avail) + 2);
	return fe_ring_state(fe, VU_SET_VRING_BASE, queue, base, false);
}

int vring_addr(struct frontend *fe, unsigned queue)
{
	const struct fe_queue *q = &fe->queue[queue];
	struct vu_msg m = { .request = VU_SET_VRING_ADDR, .size = 40 };
	uint64_t part[3] = { mem_uva(fe->mem, q->desc), mem_uva(fe->mem, q->used),
		mem_uva(fe->mem, q->avail) };

	memcpy(m.payload, &queue, 4);
	memcpy(m.payload + 8, part, sizeof(part));
	return tell(fe, &m, false);
}

int vring_kick(struct frontend *fe, unsigned queue)
{
	if (fe->who->kick_preset)
		eventfd_write(fe->queue[queue].kick, 1);
	return tell_u64(fe, VU_SET_VRING_KICK, queue, fe->queue[queue].kick, false);
}

int vring_call(struct frontend *fe, unsigned queue)
{
	return tell_u64(fe, VU_SET_VRING_CALL, queue, fe->queue[queue].call, false);
}

int vring_masked_call(struct frontend *fe, unsigned queue)
{
	return tell_u64(fe, VU_SET_VRING_CALL, queue, fe->masked_call, false);
}

int vring_err(struct frontend *fe, unsigned queue)
{
	return tell_u64(fe, VU_SET_VRING_ERR, queue, fe->queue[queue].err, false);
}

static int set_enable(struct frontend *fe, unsigned queue, uint32_t on)
{
	if (!(fe->features & BIT(VHOST_USER_F_PROTOCOL_FEATURES)))
		return 0;
	/* QEMU always makes sure that this one has been done. */
	return fe_ring_state(fe, VU_SET_VRING_ENABLE, queue, on, fe->who->kick_preset);
}

int vring_enable(struct frontend *fe, unsigned queue)
{
	return set_enable(fe, queue, 1);
}

int vring_disable(struct frontend *fe, unsigned queue)
{
	return set_enable(fe, queue, 0);
}

int vring_get_base(struct frontend *fe, unsigned queue)
{
	struct vu_msg m = { .request = VU_GET_VRING_BASE, .size = 8 }, answer;
	uint32_t index, num;
	int err;

	memcpy(m.payload, &queue, 4);
	err = ask(fe, &m, 8, &answer);
	if (err < 0)
		return err;
	vu_close_fds(&answer);
	memcpy(&index, answer.payload, 4);
	memcpy(&num, answer.payload + 4, 4);
	if (index != queue)
		return complain(-EPROTO, "GET_VRING_BASE of queue %u was answered for %u", queue,
			index);
	fe->queue[queue].base = (uint16_t)num;
	return 0;
}

/* Phases. */

static int run_phases(struct frontend *fe, const struct phase *p)
{
	int err = 0;

	for (; (p->device || p->ring[0]) && !err; p++) {
		if (p->device) {
			err = p->device(fe);
			continue;
		}
		for (unsigned q = 0; q < QUEUES && !err; q++)
			for (unsigned i = 0; i < RING_STEPS_MAX && p->ring[i] && !err; i++)
				err = p->ring[i](fe, q);
	}
	return err;
}

static int create_eventfds(struct frontend *fe)
{
	fe->masked_call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fe->masked_call < 0)
		return complain(-errno, "eventfd: %s", strerror(errno));
	for (unsigned i = 0; i < QUEUES; i++) {
		struct fe_queue *q = &fe->queue[i];

		q->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		q->err = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (i && fe->who->call_shared)
			q->call = fcntl(fe->queue[0].call, F_DUPFD_CLOEXEC, 3);
		else
			q->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (q->kick < 0 || q->err < 0 || q->call < 0)
			return complain(-errno, "eventfd: %s", strerror(errno));
	}
	return 0;
}

int frontend_open(struct frontend *fe, const struct personality *who, const struct mem *mem,
	int sock, int timeout_ms)
{
	int err;

	memset(fe, 0, sizeof(*fe));
	fe->who = who;
	fe->mem = mem;
	fe->sock = sock;
	fe->channel = fe->masked_call = -1;
	fe->timeout_ms = timeout_ms;
	for (unsigned i = 0; i < QUEUES; i++)
		fe->queue[i].kick = fe->queue[i].call = fe->queue[i].err = -1;

	err = create_eventfds(fe);
	if (!err)
		err = run_phases(fe, who->connect);
	if (err < 0)
		frontend_close(fe);
	return err;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void frontend_close(struct frontend *fe)
{
	if (!fe->who)
		return;
	close_fd(&fe->sock);
	close_fd(&fe->channel);
	close_fd(&fe->masked_call);
	for (unsigned i = 0; i < QUEUES; i++) {
		close_fd(&fe->queue[i].kick);
		close_fd(&fe->queue[i].call);
		close_fd(&fe->queue[i].err);
	}
	fe->who = NULL;
}

int frontend_get_config(struct frontend *fe, void *buf, uint32_t size)
{
	struct vu_msg m = { .request = VU_GET_CONFIG, .size = CONFIG_HEADER + size }, answer;
	int err;

	if (!has_protocol(fe, VU_P_CONFIG))
		return complain(-ENODEV, "the back-end does not offer the protocol feature CONFIG");
	memcpy(m.payload + 4, &size, 4);
	err = ask(fe, &m, CONFIG_HEADER + size, &answer);
	if (err < 0)
		return err;
	vu_close_fds(&answer);
	memcpy(buf, answer.payload + CONFIG_HEADER, size);
	return 0;
}

int frontend_activate(struct frontend *fe)
{
	return run_phases(fe, fe->who->activate);
}

bool frontend_pause_stops_rings(const struct frontend *fe)
{
	return fe->who->pause[0].ring[0] && !fe->who->resume[0].ring[0];
}

int frontend_pause(struct frontend *fe)
{
	if (!fe->who->pause[0].device && !fe->who->pause[0].ring[0])
		return complain(-ENOTSUP, "%s has no VM pause that reaches the back-end",
			fe->who->name);
	return run_phases(fe, fe->who->pause);
}

int frontend_resume(struct frontend *fe)
{
	if (fe->who->resume[0].device || fe->who->resume[0].ring[0])
		return run_phases(fe, fe->who->resume);
	return frontend_activate(fe);
}

int frontend_reset(struct frontend *fe)
{
	int err = run_phases(fe, fe->who->reset);

	for (unsigned i = 0; i < QUEUES; i++)
		fe->queue[i].base = 0;
	return err;
}

void frontend_serve_channel(struct frontend *fe)
{
	struct vu_msg m;
	uint64_t ok = 0;

	if (vu_receive(fe->channel, &m, 100) < 0) {
		close_fd(&fe->channel);
		return;
	}
	vu_close_fds(&m);
	if (m.request == BACKEND_CONFIG_CHANGE)
		fe->config_changes++;
	if (!(m.flags & VU_FLAG_NEED_REPLY))
		return;
	m.flags = VU_FLAG_VERSION | VU_FLAG_REPLY;
	m.size = 8;
	memcpy(m.payload, &ok, 8);
	vu_send(fe->channel, &m);
}
