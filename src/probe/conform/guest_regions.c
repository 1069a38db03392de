/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory regions: where they are in their files, side by side, taken away. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe/bytes.h"
#include "probe/conform/backend.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/conform/regions.h"
#include "probe/conform/wire.h"
#include "probe/report.h"

/* Every second region of the probe begins at an odd page of its file. */
static int odd_offsets(struct conform *c)
{
	struct chain ch;
	unsigned odd = 0;

	TRY(rig_up(c, &(struct rig_setup){ .regions = 4 }));
	for (unsigned i = 0; i < 8; i++) {
		TRY(info_request(c, &ch));
		for (unsigned k = 0; k < c->rig.mem.regions; k++) {
			const struct mem_region *r = &c->rig.mem.region[k];

			odd += r->offset && ch.in_gpa - r->gpa < r->size;
		}
		TRY(chain_send(c, &ch));
		TRY(chain_wait(c, &ch));
		EXPECT_EQ(c, get32(ch.in), SND_S_OK, "status of request %u", i);
	}
	INSIST(c, odd, "no answer was in a region with an offset");
	return 0;
}

/* The user address of each region is the guest address of the other. */
static int crossed(struct conform *c)
{
	struct mem_region *r = c->rig.mem.region;

	TRY(rig_up(c, &(struct rig_setup){ .regions = 2, .inactive = true }));
	r[0].uva = r[1].gpa;
	r[1].uva = r[0].gpa;
	TRY(rig_activate(c));
	for (unsigned i = 0; i < 20; i++)
		TRY(still_works(c));
	return 0;
}

/* As QEMU has it, a region each; and as the text shows the message, with all eight. */
static int table_sizes(struct conform *c)
{
	TRY(rig_up(c, &(struct rig_setup){ .front_end = "crosvm" }));
	for (unsigned full = 0; full < 2; full++) {
		struct vu_msg m;

		regions_message(c, &m);
		if (full)
			m.size = 8 + 32 * 8;
		TRY(wire_accepted(c, &m));
		TRY(still_works(c));
	}
	return 0;
}

static int removal_with_fd(struct conform *c)
{
	const struct span s = { FAR_GPA, FAR_SIZE, FAR_UVA, 0 };
	struct backend_use before, after;
	struct vu_msg m;
	uint64_t ack;

	TRY(rig_up(c, NULL));
	TRY(need_slots(c));
	backend_use(c, &before);
	for (unsigned i = 0; i < 50; i++) {
		region_message(&m, VU_ADD_MEM_REG, &s, c->rig.mem.region[0].fd, 1);
		TRY(wire_accepted(c, &m));
		region_message(&m, VU_REM_MEM_REG, &s, c->rig.mem.region[0].fd, 1);
		TRY(wire_ack(c, &m, &ack));
		if (!ack)
			continue;
		region_message(&m, VU_REM_MEM_REG, &s, -1, 0);
		TRY(wire_accepted(c, &m));
	}
	backend_use(c, &after);
	EXPECT(c, after.fds < before.fds + 10, "%u open fds before, %u after", before.fds,
		after.fds);
	return still_works(c);
}

/* A message in a region that is taken away, and then the stream starts. */
static int removed_under_message(struct conform *c)
{
	const struct span s = { FAR_GPA, FAR_SIZE, FAR_UVA, 0 };
	struct chain ch, good;
	struct vu_msg m;
	uint32_t out, bytes;
	uint64_t ack;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(need_slots(c));
	bytes = stream_params(c, out).period_bytes;
	TRY(stream_bring(c, out, ST_PREP));
	region_message(&m, VU_ADD_MEM_REG, &s, c->rig.mem.region[0].fd, 1);
	TRY(wire_accepted(c, &m));
	TRY(tx_init(c, &ch, out, 0));
	TRY(chain_post_as(c, &ch, (struct element[]){ { ch.out_gpa, 4, false },
		{ FAR_GPA + 8192, bytes, false }, { ch.in_gpa, STATUS_BYTES, true } }, 3));
	rig_kick(c, Q_TX);
	TRY(rig_watch(c, 20));
	region_message(&m, VU_REM_MEM_REG, &s, -1, 0);
	/* It may be refused while it is in use, and a sink may not look at samples. */
	TRY(wire_ack(c, &m, &ack));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(tx_send(c, &good, out, bytes));
	TRY(chain_wait(c, &ch));
	EXPECT(c, ch.len == 0 || io_status(&ch) == SND_S_OK || io_status(&ch) == SND_S_IO_ERR,
		"the message came back with 0x%x", io_status(&ch));
	TRY(chain_wait(c, &good));
	return io_ok(c, &good, "a message behind it");
}

/* With the rings themselves in it. */
static int removed_under_rings(struct conform *c)
{
	struct vu_msg m;

	TRY(rig_up(c, &(struct rig_setup){ .regions = 1, .front_end = "qemu" }));
	TRY(need_slots(c));
	const struct mem_region *r = &c->rig.mem.region[0];
	const struct span s = { r->gpa, r->size, r->uva, r->offset };
	uint64_t ack;

	TRY(still_works(c));
	region_message(&m, VU_REM_MEM_REG, &s, -1, 0);
	TRY(wire_ack(c, &m, &ack));
	for (unsigned i = 0; i < QUEUES; i++)
		rig_kick(c, i);
	TRY(rig_watch(c, 50));
	TRY(wire_alive(c));
	if (!ack) {
		region_message(&m, VU_ADD_MEM_REG, &s, r->fd, 1);
		TRY(wire_accepted(c, &m));
	}
	TRY(rig_reset(c));
	return still_works(c);
}

/* The answer begins in one region and ends in the next. */
static int across_border(struct conform *c)
{
	const struct span low = { FAR_GPA, FAR_SIZE, FAR_UVA, 0 };
	const struct span high = { FAR_GPA + FAR_SIZE, FAR_SIZE, FAR_UVA + 16 * FAR_SIZE, 0 };
	int fd[2] = { memfd_create("low", MFD_CLOEXEC), memfd_create("high", MFD_CLOEXEC) };
	uint8_t *va[2];

	for (unsigned i = 0; i < 2; i++) {
		EXPECT(c, fd[i] >= 0 && !ftruncate(fd[i], (off_t)FAR_SIZE), "memfd");
		va[i] = mmap(NULL, FAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd[i], 0);
		EXPECT(c, va[i] != MAP_FAILED, "mmap");
	}
	TRY(rig_up(c, NULL));
	TRY(need_slots(c));
	for (unsigned i = 0; i < 2; i++) {
		struct vu_msg m;

		region_message(&m, VU_ADD_MEM_REG, i ? &high : &low, fd[i], 1);
		TRY(wire_accepted(c, &m));
	}
	for (unsigned before = 1; before < INFO_ROOM; before++) {
		uint8_t answer[INFO_ROOM];
		struct chain ch, plain;

		TRY(info_request(c, &plain));
		TRY(chain_send(c, &plain));
		TRY(chain_wait(c, &plain));
		TRY(info_request(c, &ch));
		TRY(chain_post_as(c, &ch, (struct element[]){ { ch.out_gpa, 16, false },
			{ FAR_GPA + FAR_SIZE - before, INFO_ROOM, true } }, 2));
		rig_kick(c, Q_CONTROL);
		TRY(chain_wait(c, &ch));
		EXPECT_EQ(c, ch.len, INFO_ROOM, "used length, %u bytes before the border", before);
		memcpy(answer, va[0] + FAR_SIZE - before, before);
		memcpy(answer + before, va[1], INFO_ROOM - before);
		EXPECT(c, !memcmp(answer, plain.in, INFO_ROOM),
			"the answer is another one, %u bytes before the border", before);
	}
	return 0;
}

#define IOTLB_ROW(name, text)                                                              \
	{ .id = name, .title = text, .clause = "", .untestable =                            \
		"the probe has no IOMMU; VIO-RSV-3 drives those that offer one without it" }

const struct scenario region_scenarios[] = {
	{ .id = "VU-MEM-2", .title = "regions at odd pages of their files", .run = odd_offsets,
		.clause = "vhost-user, Memory region description: mmap offset" },
	{ .id = "VU-MEM-3", .title = "user addresses that are others' guest addresses",
		.run = crossed, .clause = "vhost-user, Memory access: two address spaces" },
	{ .id = "VU-MEM-6", .title = "tables as long as needed, and with all eight entries",
		.run = table_sizes, .recommended = true,
		.clause = "vhost-user, Multiple Memory regions description; QEMU sends the short" },
	{ .id = "VU-REG-5", .title = "a removal may bring an fd", .run = removal_with_fd,
		.clause = "vhost-user, REM_MEM_REG: MAY accept, MUST close it" },
	{ .id = "VU-REG-6", .title = "a region goes with a message in it",
		.run = removed_under_message, .recommended = true,
		.clause = "vhost-user, REM_MEM_REG: silent" },
	{ .id = "VU-REG-6b", .title = "... with the rings in it", .run = removed_under_rings,
		.recommended = true, .clause = "vhost-user, REM_MEM_REG: silent" },
	{ .id = "SPL-AVL-5", .title = "a buffer across the border of two regions",
		.run = across_border, .clause = "virtio 1.4, Split Virtqueues: guest addresses" },
	IOTLB_ROW("VU-IOTLB-1", "translations come and go"),
	IOTLB_ROW("VU-IOTLB-2", "what is missing is asked for"),
	IOTLB_ROW("VU-IOTLB-3", "translations that make no sense"),
	IOTLB_ROW("VU-IOTLB-4", "what is invalidated is not used any more"),
	{ 0 },
};
