/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory tables and single regions. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/regions.h"
#include "probe/conform/wire.h"
#include "probe/report.h"

static int many_regions(struct conform *c)
{
	static const unsigned counts[] = { 1, 3, 8 };

	for (unsigned i = 0; i < 3; i++) {
		struct chain ch[8];
		uint32_t out;

		TRY(rig_up(c, &(struct rig_setup){ .regions = counts[i] }));
		TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
		TRY(stream_bring(c, out, ST_RUN));
		for (unsigned k = 0; k < 8; k++)
			TRY(tx_send(c, &ch[k], out, stream_params(c, out).period_bytes));
		TRY(chains_wait(c, ch, 8, answer_ms(c)));
		rig_down(c);
	}
	return 0;
}

/* Tables that make no sense; the one in force stays. */
static int bad_tables(struct conform *c)
{
	const struct span good = { FAR_GPA, FAR_SIZE, FAR_UVA, 0 };
	int fd = memfd_create("region", MFD_CLOEXEC);
	struct vu_msg m;

	EXPECT(c, fd >= 0 && !ftruncate(fd, (off_t)FAR_SIZE), "memfd");
	TRY(rig_up(c, NULL));
	for (unsigned i = 0; i < 6; i++) {
		struct span a = good, b = good;
		uint32_t n = 2;

		b.gpa += FAR_SIZE;
		b.uva += FAR_SIZE;
		if (i == 0)
			b.gpa -= 0x1000; /* overlap */
		else if (i == 1)
			b.size = 0;
		else if (i == 2)
			b.gpa = 0ULL - 0x1000; /* wraps */
		else if (i == 3)
			b.offset = FAR_SIZE; /* behind the file's end */
		else if (i == 4)
			n = 9;
		else
			n = 3; /* three regions, two fds */
		wire_empty(&m, VU_SET_MEM_TABLE);
		put32(m.payload, n);
		put_span(m.payload + 8, &a);
		put_span(m.payload + 40, &b);
		put_span(m.payload + 72, &b);
		m.size = 8 + 32 * (n > 3 ? 3 : n);
		m.fds[0] = m.fds[1] = fd;
		m.fds_count = 2;
		trace(c, "   bad table %u", i);
		TRY(wire_refused(c, &m));
		TRY(still_works(c));
	}
	close(fd);
	return 0;
}

static int slots(struct conform *c)
{
	TRY(rig_up(c, &(struct rig_setup){ .inactive = true, .front_end = "qemu" }));
	TRY(need_slots(c));
	EXPECT(c, c->rig.fe.slots_offered >= 8, "%llu memory slots",
		(unsigned long long)c->rig.fe.slots_offered);
	return 0;
}

/* A request in memory that was added a moment ago. */
static int added_region(struct conform *c)
{
	const struct span s = { FAR_GPA, FAR_SIZE, FAR_UVA, 0 };
	int fd = memfd_create("region", MFD_CLOEXEC);
	struct chain ch;
	struct vu_msg m;
	uint8_t *va;

	EXPECT(c, fd >= 0 && !ftruncate(fd, (off_t)FAR_SIZE), "memfd");
	va = mmap(NULL, FAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	EXPECT(c, va != MAP_FAILED, "mmap");
	TRY(rig_up(c, NULL));
	TRY(need_slots(c));
	region_message(&m, VU_ADD_MEM_REG, &s, fd, 1);
	TRY(wire_accepted(c, &m));
	TRY(chain_init(c, &ch, Q_CONTROL, 16, 36));
	put32(va, SND_R_PCM_INFO);
	put32(va + 4, 0);
	put32(va + 8, 1);
	put32(va + 12, 32);
	TRY(chain_post_as(c, &ch, (struct element[]){ { FAR_GPA, 16, false },
		{ FAR_GPA + 4096, 36, true } }, 2));
	rig_kick(c, Q_CONTROL);
	TRY(chain_wait(c, &ch));
	EXPECT_EQ(c, ch.len, 36, "used length of a request in the new region");
	EXPECT_EQ(c, get32(va + 4096), SND_S_OK, "its status");
	region_message(&m, VU_REM_MEM_REG, &s, -1, 0);
	TRY(wire_accepted(c, &m));
	return still_works(c);
}

static int region_fds(struct conform *c)
{
	const struct span s = { FAR_GPA, FAR_SIZE, FAR_UVA, 0 };
	struct vu_msg m;

	TRY(rig_up(c, NULL));
	TRY(need_slots(c));
	region_message(&m, VU_ADD_MEM_REG, &s, -1, 0);
	TRY(wire_refused(c, &m));
	region_message(&m, VU_ADD_MEM_REG, &s, c->rig.mem.region[0].fd, 2);
	TRY(wire_refused(c, &m));
	return still_works(c);
}

static int removal(struct conform *c)
{
	struct span s = { FAR_GPA, FAR_SIZE, FAR_UVA, 0 };
	struct vu_msg m;

	TRY(rig_up(c, NULL));
	TRY(need_slots(c));
	region_message(&m, VU_ADD_MEM_REG, &s, c->rig.mem.region[0].fd, 1);
	TRY(wire_accepted(c, &m));
	s.size -= 4096;
	region_message(&m, VU_REM_MEM_REG, &s, -1, 0);
	TRY(wire_refused(c, &m));
	s.size += 4096;
	s.offset = 0x7000; /* is not looked at */
	region_message(&m, VU_REM_MEM_REG, &s, -1, 0);
	TRY(wire_accepted(c, &m));
	return still_works(c);
}

static int bad_regions(struct conform *c)
{
	struct vu_msg m;

	TRY(rig_up(c, NULL));
	TRY(need_slots(c));
	for (unsigned i = 0; i < 3; i++) {
		struct span s = { FAR_GPA, FAR_SIZE, FAR_UVA, 0 };

		if (i == 0)
			s.size = 0;
		else if (i == 1)
			s.gpa = c->rig.mem.region[0].gpa; /* overlaps */
		else
			s.gpa = 0ULL - 0x1000;
		region_message(&m, VU_ADD_MEM_REG, &s, c->rig.mem.region[0].fd, 1);
		TRY(wire_refused(c, &m));
	}
	return still_works(c);
}

/* A file that is shorter than its region: touching it must not kill. */
static int short_file(struct conform *c)
{
	const struct span s = { FAR_GPA, FAR_SIZE, FAR_UVA, 0 };
	int fd = memfd_create("region", MFD_CLOEXEC);
	struct chain ch;
	struct vu_msg m;
	uint64_t ack;

	EXPECT(c, fd >= 0 && !ftruncate(fd, (off_t)FAR_SIZE), "memfd");
	TRY(rig_up(c, NULL));
	TRY(need_slots(c));
	region_message(&m, VU_ADD_MEM_REG, &s, fd, 1);
	TRY(wire_ack(c, &m, &ack));
	if (ack)
		return skip(c, "the back-end refuses files that can shrink");
	EXPECT(c, !ftruncate(fd, 4096), "ftruncate");
	TRY(chain_init(c, &ch, Q_CONTROL, 16, 4));
	TRY(chain_post_as(c, &ch, (struct element[]){ { FAR_GPA + 8192, 16, false },
		{ ch.in_gpa, 4, true } }, 2));
	rig_kick(c, Q_CONTROL);
	/* Refused, or a broken ring; the rest is still there. */
	TRY(rig_watch(c, QUIET_MS));
	return wire_alive(c);
}

static int same_again(struct conform *c)
{
	struct chain ch;
	uint32_t out;

	TRY(rig_up(c, &(struct rig_setup){ .front_end = "crosvm" }));
	TRY(stream_pick(c, SND_D_OUTPUT, 0, &out));
	TRY(stream_bring(c, out, ST_RUN));
	for (unsigned i = 0; i < 10; i++) {
		struct vu_msg m;

		TRY(tx_send(c, &ch, out, stream_params(c, out).period_bytes));
		regions_message(c, &m);
		TRY(wire_accepted(c, &m));
		TRY(chain_wait(c, &ch));
		TRY(io_ok(c, &ch, "a message over a table change"));
	}
	return 0;
}

#define MEM "vhost-user, SET_MEM_TABLE: "

const struct scenario memory_scenarios[] = {
	{ .id = "VU-MEM-1", .title = "1, 3, 8 regions; offsets; user and guest addresses apart",
		.run = many_regions, .clause = MEM "guest address, size, user address, offset" },
	{ .id = "VU-MEM-4", .title = "tables that make no sense are refused", .run = bad_tables,
		.recommended = true, .clause = MEM "silent; the table in force stays" },
	{ .id = "VU-MEM-5", .title = "the table is sent again while a stream runs",
		.run = same_again, .clause = MEM "replaces the former; front-ends send it at any time" },
	{ .id = "VU-MEM-4b", .title = "a file that shrinks kills nobody", .run = short_file,
		.recommended = true, .clause = "the back-end must outlive its peer's mistakes" },
	{ .id = "VU-REG-1", .title = "8 memory slots at least", .run = slots,
		.recommended = true, .clause = "vhost-user, GET_MAX_MEM_SLOTS" },
	{ .id = "VU-REG-2", .title = "an added region is usable at once", .run = added_region,
		.clause = "vhost-user, ADD_MEM_REG: MUST map the region" },
	{ .id = "VU-REG-3", .title = "a region needs one fd", .run = region_fds,
		.clause = "vhost-user, ADD_MEM_REG: exactly one" },
	{ .id = "VU-REG-4", .title = "a region is removed by its addresses and size",
		.run = removal, .clause = "vhost-user, REM_MEM_REG: mmap offset is ignored" },
	{ .id = "VU-REG-7", .title = "regions that make no sense are refused",
		.run = bad_regions, .recommended = true, .clause = "vhost-user, ADD_MEM_REG" },
	{ 0 },
};
