/* SPDX-License-Identifier: BSD-3-Clause */
/* GET_CONFIG, SET_CONFIG, and the back-end's own channel. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/wire.h"

static const struct rig_setup talk_only = { .inactive = true };

static int sizes(struct conform *c)
{
	static const uint32_t parts[][2] = { { 0, 12 }, { 4, 4 }, { 8, 4 }, { 11, 1 }, { 1, 7 } };

	TRY(rig_up(c, &talk_only));
	for (unsigned i = 0; i < 5; i++) {
		struct vu_msg m, answer;
		uint32_t offset, size;

		wire_config(&m, VU_GET_CONFIG, parts[i][0], parts[i][1], 0);
		TRY(wire_ask(c, &m, &answer));
		memcpy(&offset, answer.payload, 4);
		memcpy(&size, answer.payload + 4, 4);
		EXPECT_EQ(c, answer.size, 12 + parts[i][1], "size of the reply");
		EXPECT_EQ(c, offset, parts[i][0], "offset in the reply");
		EXPECT_EQ(c, size, parts[i][1], "size in the reply");
	}
	return 0;
}

static int out_of_range(struct conform *c)
{
	static const uint32_t parts[][2] = { { 250, 16 }, { 0xffffffff, 16 }, { 0, 0 }, { 4096, 4 },
		{ 0xfffffff0, 0x20 } };

	TRY(rig_up(c, &talk_only));
	for (unsigned i = 0; i < 5; i++) {
		struct vu_msg m, answer;

		wire_config(&m, VU_GET_CONFIG, parts[i][0], parts[i][1], 0);
		TRY(wire_ask(c, &m, &answer));
		EXPECT(c, answer.size == 0 || answer.size == 12 || answer.size == 12 + parts[i][1],
			"a reply of %u bytes", answer.size);
	}
	return wire_alive(c);
}

static int offered(struct conform *c)
{
	TRY(rig_up(c, &talk_only));
	EXPECT(c, c->rig.fe.protocol_offered & BIT(VU_P_CONFIG), "CONFIG is not offered");
	return 0;
}

static int every_byte(struct conform *c)
{
	struct vu_msg m;

	TRY(rig_up(c, &talk_only));
	for (uint32_t at = 0; at < 12; at++) {
		wire_config(&m, VU_SET_CONFIG, at, 1, 0);
		m.payload[12] = 0x55;
		TRY(wire_refused(c, &m));
	}
	wire_config(&m, VU_SET_CONFIG, 0, 4, 2); /* an unknown flag */
	TRY(wire_refused(c, &m));
	return wire_alive(c);
}

static int migration_flag(struct conform *c)
{
	struct vu_msg m, now;

	TRY(rig_up(c, &talk_only));
	wire_config(&m, VU_GET_CONFIG, 0, 12, 0);
	TRY(wire_ask(c, &m, &now));
	wire_config(&m, VU_SET_CONFIG, 0, 12, 1);
	memcpy(m.payload + 12, now.payload + 12, 12);
	TRY(wire_accepted(c, &m));
	m.payload[12] ^= 0xff;
	return wire_refused(c, &m);
}

static int channel_twice(struct conform *c)
{
	struct vu_msg m;
	char byte;
	int a[2], b[2];

	TRY(rig_up(c, NULL));
	if (!wire_has(c, VU_P_BACKEND_REQ))
		return skip(c, "the back-end does not offer BACKEND_REQ");
	EXPECT(c, !socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a) &&
		!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, b), "socketpair");
	wire_empty(&m, VU_SET_BACKEND_REQ_FD);
	m.fds[0] = a[1];
	m.fds_count = 1;
	TRY(wire_accepted(c, &m));
	m.fds[0] = b[1];
	TRY(wire_accepted(c, &m));
	close(a[1]);
	close(b[1]);
	EXPECT_EQ(c, recv(a[0], &byte, 1, 0), 0, "end of file on the channel that was replaced");
	EXPECT(c, recv(b[0], &byte, 1, MSG_DONTWAIT) < 0, "the channel in use is closed");
	close(b[0]);
	return still_works(c);
}

static int channel_dead(struct conform *c)
{
	TRY(rig_up(c, NULL));
	if (!wire_has(c, VU_P_BACKEND_REQ))
		return skip(c, "the back-end does not offer BACKEND_REQ");
	close(c->rig.fe.channel);
	c->rig.fe.channel = -1;
	TRY(rig_watch(c, 50));
	return still_works(c);
}

const struct scenario config_scenarios[] = {
	{ .id = "VU-CFG-1", .title = "the reply has the size that was asked for", .run = sizes,
		.clause = "vhost-user, GET_CONFIG: payload size MUST match" },
	{ .id = "VU-CFG-2", .title = "a part beyond the configuration", .run = out_of_range,
		.recommended = true, .clause = "vhost-user, GET_CONFIG: size 0 is an error" },
	{ .id = "VU-CFG-3", .title = "CONFIG is offered", .run = offered, .recommended = true,
		.clause = "QEMU refuses a sound back-end without it" },
	{ .id = "VU-CFG-4", .title = "no byte can be written", .run = every_byte,
		.clause = "vhost-user, SET_CONFIG: MUST NOT accept writes to read-only fields" },
	{ .id = "VU-CFG-5", .title = "the migration flag and identical contents",
		.run = migration_flag, .recommended = true, .clause = "vhost-user, SET_CONFIG" },
	{ .id = "VU-BRQ-1", .title = "a second channel replaces the first",
		.run = channel_twice, .clause = "vhost-user, SET_BACKEND_REQ_FD" },
	{ .id = "VU-BRQ-4", .title = "a channel that is closed harms nothing",
		.run = channel_dead, .clause = "vhost-user, Back-end communication" },
	{ 0 },
};
