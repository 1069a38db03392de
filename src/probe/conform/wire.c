/* SPDX-License-Identifier: BSD-3-Clause */
/* Single vhost-user messages, and what comes back for them. */
#include "probe/conform/wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "probe/report.h"

bool wire_has(const struct conform *c, enum vu_protocol_bit bit)
{
	return c->rig.fe.protocol & BIT(bit);
}

void wire_empty(struct vu_msg *m, uint32_t request)
{
	memset(m, 0, sizeof(*m));
	m->request = request;
}

void wire_u64(struct vu_msg *m, uint32_t request, uint64_t value)
{
	wire_empty(m, request);
	m->size = 8;
	memcpy(m->payload, &value, 8);
}

void wire_state(struct vu_msg *m, uint32_t request, uint32_t index, uint32_t num)
{
	wire_empty(m, request);
	m->size = 8;
	memcpy(m->payload, &index, 4);
	memcpy(m->payload + 4, &num, 4);
}

void wire_config(struct vu_msg *m, uint32_t request, uint32_t offset, uint32_t size,
	uint32_t flags)
{
	wire_empty(m, request);
	m->size = 12 + (size > 1024 ? 0 : size);
	memcpy(m->payload, &offset, 4);
	memcpy(m->payload + 4, &size, 4);
	memcpy(m->payload + 8, &flags, 4);
}

void wire_fd(struct vu_msg *m, uint32_t request, uint64_t value, int fd)
{
	wire_u64(m, request, value);
	m->fds[0] = fd;
	m->fds_count = fd >= 0;
}

int wire_send(struct conform *c, struct vu_msg *m)
{
	if (!m->flags)
		m->flags = VU_FLAG_VERSION;
	trace(c, "=> %s (%u), flags 0x%x, %u bytes, %u fds", vu_name(m->request), m->request,
		m->flags, m->size, m->fds_count);
	EXPECT(c, vu_send(c->rig.fe.sock, m) >= 0, "%s", complaint());
	return 0;
}

int wire_reply(struct conform *c, uint32_t request, struct vu_msg *ret)
{
	int err = vu_receive(c->rig.fe.sock, ret, answer_ms(c));

	EXPECT(c, err != -ETIMEDOUT, "no reply to %s within %d ms", vu_name(request),
		answer_ms(c));
	EXPECT(c, err != -ECONNRESET, "the back-end closed the connection at %s",
		vu_name(request));
	EXPECT(c, err >= 0, "the reply to %s: %s", vu_name(request), complaint());
	trace(c, "<= %s (%u), flags 0x%x, %u bytes, %u fds", vu_name(ret->request), ret->request,
		ret->flags, ret->size, ret->fds_count);
	EXPECT_EQ(c, ret->request, request, "request number in the reply to %s", vu_name(request));
	EXPECT_EQ(c, ret->flags, VU_FLAG_VERSION | VU_FLAG_REPLY, "flags of the reply to %s",
		vu_name(request));
	return 0;
}

int wire_ask(struct conform *c, struct vu_msg *m, struct vu_msg *ret)
{
	TRY(wire_send(c, m));
	return wire_reply(c, m->request, ret);
}

int wire_get_u64(struct conform *c, uint32_t request, uint64_t *ret)
{
	struct vu_msg m, answer;

	wire_empty(&m, request);
	TRY(wire_ask(c, &m, &answer));
	vu_close_fds(&answer);
	EXPECT_EQ(c, answer.size, 8, "size of the reply to %s", vu_name(request));
	memcpy(ret, answer.payload, 8);
	trace(c, "   it says 0x%llx", (unsigned long long)*ret);
	return 0;
}

int wire_ack(struct conform *c, struct vu_msg *m, uint64_t *ret)
{
	struct vu_msg answer;

	if (!wire_has(c, VU_P_REPLY_ACK))
		return skip(c, "the back-end does not offer REPLY_ACK");
	m->flags = VU_FLAG_VERSION | VU_FLAG_NEED_REPLY;
	TRY(wire_ask(c, m, &answer));
	vu_close_fds(&answer);
	EXPECT_EQ(c, answer.size, 8, "size of the acknowledgement of %s", vu_name(m->request));
	memcpy(ret, answer.payload, 8);
	trace(c, "   acknowledged with %llu", (unsigned long long)*ret);
	return 0;
}

int wire_accepted(struct conform *c, struct vu_msg *m)
{
	uint64_t ack = 0;

	TRY(wire_ack(c, m, &ack));
	EXPECT_EQ(c, ack, 0, "acknowledgement of a valid %s", vu_name(m->request));
	return 0;
}

int wire_refused(struct conform *c, struct vu_msg *m)
{
	uint64_t ack = 0;

	TRY(wire_ack(c, m, &ack));
	EXPECT(c, ack, "an invalid %s is acknowledged with success", vu_name(m->request));
	return 0;
}

int wire_alive(struct conform *c)
{
	uint64_t features;

	TRY(wire_get_u64(c, VU_GET_FEATURES, &features));
	return 0;
}

int wire_closed(struct conform *c, int ms, bool *ret)
{
	int64_t end = now_ns() + (int64_t)ms * 1000000;
	char bytes[256];

	*ret = false;
	while (now_ns() < end) {
		struct pollfd p = { .fd = c->rig.fe.sock, .events = POLLIN };

		EXPECT(c, !interrupted(), "the time limit is over");
		if (poll(&p, 1, 20) <= 0)
			continue;
		if (recv(c->rig.fe.sock, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			continue;
		trace(c, "<= the connection is closed");
		*ret = true;
		c->rig.closed = c->rig.close_expected = true;
		return 0;
	}
	return 0;
}

int wire_connect(struct conform *c)
{
	static const struct personality silent = { .name = "silent" };
	int sock = session_connect(&c->session);

	EXPECT(c, sock >= 0, "%s", complaint());
	memset(&c->rig, 0, sizeof(c->rig));
	EXPECT(c, !mem_create(&c->rig.mem, 1, 1 << 20), "%s", complaint());
	EXPECT(c, !frontend_open(&c->rig.fe, &silent, &c->rig.mem, sock, answer_ms(c)), "%s",
		complaint());
	c->rig.open = true;
	return 0;
}
