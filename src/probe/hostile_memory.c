/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory that cannot be: tables with impossible regions, rings outside
 * of memory, and files that shrink under a running device.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "probe/hostile.h"
#include "probe/hostile_raw.h"
#include "probe/report.h"
#include "probe/vu.h"

static void put_table_entry(uint8_t *p, uint64_t gpa, uint64_t size, uint64_t uva, uint64_t offset)
{
	memcpy(p, &gpa, 8);
	memcpy(p + 8, &size, 8);
	memcpy(p + 16, &uva, 8);
	memcpy(p + 24, &offset, 8);
}

/* Two regions of a table, in all the wrong ways. */
static const struct {
	const char *what;
	uint64_t region[2][4];
} tables[] = {
	{ "overlap in guest addresses",
		{ { 0, 0x10000, 0x100000, 0 }, { 0x8000, 0x10000, 0x900000, 0 } } },
	{ "overlap in user addresses",
		{ { 0, 0x10000, 0x100000, 0 }, { 0x80000, 0x10000, 0x108000, 0 } } },
	{ "empty region",
		{ { 0, 0, 0x100000, 0 }, { 0x10000, 0x1000, 0x900000, 0 } } },
	{ "guest addresses wrap",
		{ { ~0xfffULL, 0x10000, 0x100000, 0 }, { 0, 0x1000, 0x900000, 0 } } },
	{ "user addresses wrap",
		{ { 0, 0x10000, ~0xfffULL, 0 }, { 0x20000, 0x1000, 0x900000, 0 } } },
	{ "offset wraps",
		{ { 0, 0x10000, 0x100000, ~0xfffULL }, { 0x20000, 0x1000, 0x900000, 0 } } },
	{ "odd offset",
		{ { 0, 0x1000, 0x100000, 0x123 }, { 0x20000, 0x1000, 0x900000, 1 } } },
	{ "beyond the file",
		{ { 0, 0x10000000, 0x100000, 0 },
			{ 0x20000000, 0x1000, 0x90000000, 0x40000000 } } },
	{ "size of everything",
		{ { 0, ~0ULL, 0, 0 }, { 0, ~0ULL, 0, 0 } } },
};

/* More good regions than a message can have; `count` tells how many. */
static int long_table(struct hostile *h, uint32_t count)
{
	static struct raw r;
	int sock, fd;

	r = (struct raw){ .request = VU_SET_MEM_TABLE, .flags = VU_FLAG_VERSION };
	hostile_case(h, "memory table: %u regions", count);
	sock = hostile_connect(h);
	if (sock < 0)
		return sock;
	fd = memfd_create("hostile", MFD_CLOEXEC);
	memcpy(r.payload, &count, 4);
	for (unsigned k = 0; 8 + 32 * (k + 1) <= sizeof(r.payload); k++)
		put_table_entry(r.payload + 8 + 32 * k, 0x10000ULL * k, 0x1000,
			0x70000000 + 0x10000ULL * k, 0);
	r.size = hostile_random(h, 2) ? 264 : 8 + 32 * (count < 200 ? count : 2);
	r.send = 12 + r.size;
	for (; fd >= 0 && ftruncate(fd, 0x1000) == 0 && r.fds_count < count && r.fds_count < 8;)
		r.fds[r.fds_count++] = fd;
	raw_send(sock, &r);
	raw_drain(sock, 3);
	if (fd >= 0)
		close(fd);
	close(sock);
	return 0;
}

static int one_table(struct hostile *h, unsigned i, uint32_t count, unsigned fds)
{
	struct raw r = { .request = VU_SET_MEM_TABLE, .flags = VU_FLAG_VERSION, .size = 72,
		.send = 84 };
	int sock, fd;

	hostile_case(h, "memory table: %s, %u regions, %u fds", tables[i].what, count, fds);
	sock = hostile_connect(h);
	fd = memfd_create("hostile", MFD_CLOEXEC);
	if (sock < 0 || fd < 0 || ftruncate(fd, 0x20000) < 0)
		goto close_all;
	memcpy(r.payload, &count, 4);
	for (unsigned k = 0; k < 2; k++)
		put_table_entry(r.payload + 8 + 32 * k, tables[i].region[k][0],
			tables[i].region[k][1], tables[i].region[k][2], tables[i].region[k][3]);
	for (; r.fds_count < fds; r.fds_count++)
		r.fds[r.fds_count] = fd;
	raw_send(sock, &r);

	/* and the same through ADD_MEM_REG */
	r.request = VU_ADD_MEM_REG;
	r.size = 40;
	r.send = 52;
	r.fds_count = 1;
	raw_send(sock, &r);
	raw_drain(sock, 2);

close_all:
	if (fd >= 0)
		close(fd);
	if (sock >= 0)
		close(sock);
	return sock < 0 ? sock : 0;
}

/* Ring parts outside of memory, over its end, misaligned; then kicked. */
static int bad_addresses(struct hostile *h)
{
	for (unsigned i = 0; i < h->o->rounds / 10; i++) {
		struct raw r = { .request = VU_SET_VRING_ADDR, .flags = VU_FLAG_VERSION,
			.size = 40, .send = 52 };
		unsigned q = hostile_random(h, QUEUES);
		const struct mem_region *m;
		uint64_t part[3];
		struct sound s;
		int err = hostile_sound(h, &s);

		if (err < 0)
			return err;
		m = &s.mem.region[0];
		for (unsigned k = 0; k < 3; k++) {
			const uint64_t choice[] = { m->uva + m->size - 16, m->uva + m->size,
				m->uva - 8, 0, ~0ULL - 7, m->uva + 1, m->uva + 64, m->gpa };

			part[k] = choice[hostile_random(h, 8)];
		}
		hostile_case(h, "ring addresses 0x%llx 0x%llx 0x%llx", (unsigned long long)part[0],
			(unsigned long long)part[1], (unsigned long long)part[2]);
		memcpy(r.payload, &q, 4);
		memcpy(r.payload + 8, part, sizeof(part));
		if (hostile_random(h, 2))
			fe_ring_state(&s.fe, VU_GET_VRING_BASE, q, 0, false);
		raw_send(s.fe.sock, &r);
		fe_ring_state(&s.fe, VU_SET_VRING_ENABLE, q, 1, false);
		eventfd_write(s.fe.queue[q].kick, 1);
		raw_drain(s.fe.sock, 3);
		sound_close(&s);
	}
	return 0;
}

/* The front-end cuts its memory file short while the rings are in use. */
static int vanishing_memory(struct hostile *h)
{
	const struct timespec ts = { .tv_nsec = 20000000 };
	struct sound s;
	int err;

	hostile_case(h, "memory files are truncated under a running device");
	err = hostile_sound(h, &s);
	if (err < 0)
		return err;
	for (unsigned i = 0; i < s.mem.regions; i++)
		if (ftruncate(s.mem.region[i].fd, 0) < 0)
			err = complain(-errno, "ftruncate: %s", strerror(errno));
	for (unsigned q = 0; q < QUEUES; q++)
		eventfd_write(s.fe.queue[q].kick, 1);
	nanosleep(&ts, NULL);
	raw_drain(s.fe.sock, 3);
	sound_close(&s);
	return err;
}

int hostile_memory(struct hostile *h)
{
	static const uint32_t counts[] = { 2, 1, 9, 0xffffffff };
	static const uint32_t lengths[] = { 0, 1, 7, 8, 9, 16, 127, 128, 0x7ffffff, 0xffffffff };
	int err = 0;

	for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (unsigned k = 0; k < 8 && !err; k++)
			err = one_table(h, i, counts[k / 2], k & 1 ? 2 : hostile_random(h, 9));
	for (unsigned i = 0; i < 2 * sizeof(lengths) / sizeof(lengths[0]) && !err; i++)
		err = long_table(h, lengths[i / 2]);
	if (!err)
		err = bad_addresses(h);
	if (!err)
		err = vanishing_memory(h);
	return err;
}
