/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Families of vhost-user abuse: broken frames, messages in any order,
 * impossible memory.
 *
 * Each case has a connection of its own, or goes on with the old one as long
 * as the back-end bears it.  Replies are read and thrown away.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "probe/hostile.h"
#include "probe/report.h"
#include "probe/vu.h"

#define RAW_FDS_MAX    40
#define ORDER_MESSAGES 20 /* to one device */

struct raw {
	uint32_t request, flags, size;
	uint32_t send; /* bytes really sent, header included */
	uint8_t payload[8192];
	int fds[RAW_FDS_MAX];
	unsigned fds_count;
};

/* Sends what there is; an error only means that the back-end hung up. */
static int send_raw(int sock, const struct raw *r)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(r->fds))] = { 0 };
	uint8_t frame[12 + sizeof(r->payload)];
	struct iovec iov = { .iov_base = frame, .iov_len = r->send };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	memcpy(frame, &r->request, 4);
	memcpy(frame + 4, &r->flags, 4);
	memcpy(frame + 8, &r->size, 4);
	memcpy(frame + 12, r->payload, sizeof(r->payload));
	if (r->fds_count) {
		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(r->fds_count * sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(r->fds_count * sizeof(int));
		memcpy(CMSG_DATA(c), r->fds, r->fds_count * sizeof(int));
	}
	return sendmsg(sock, &mh, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Reads replies for up to that long.  0, or -1 when the other side hung up. */
static int drain(int sock, int ms)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	char buf[4096];

	while (poll(&p, 1, ms) > 0) {
		/* fds of replies do not arrive without a control buffer */
		ssize_t n = recv(sock, buf, sizeof(buf), MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return -1;
		ms = 0;
	}
	return 0;
}

/* fds of every kind that is not wanted, and some that are. */
static void take_fds(struct hostile *h, struct raw *r, unsigned count)
{
	int pair[2];

	for (r->fds_count = 0; r->fds_count < count;) {
		int fd = -1;

		switch (hostile_random(h, 5)) {
		case 0:
			fd = open("/dev/null", O_RDWR | O_CLOEXEC);
			break;
		case 1:
			fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			break;
		case 2:
			fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
			break;
		case 3:
			fd = memfd_create("hostile", MFD_CLOEXEC);
			break;
		default: /* a pipe whose other end is gone */
			if (!pipe2(pair, O_CLOEXEC)) {
				fd = pair[1];
				close(pair[0]);
			}
			break;
		}
		if (fd < 0)
			break;
		r->fds[r->fds_count++] = fd;
	}
}

static void drop_fds(struct raw *r)
{
	for (unsigned i = 0; i < r->fds_count; i++)
		close(r->fds[i]);
	r->fds_count = 0;
}

/* The payload a request should have, or near enough. */
static uint32_t usual_size(uint32_t request)
{
	static const uint8_t sizes[] = { [2] = 8, [5] = 40, [6] = 16, [8] = 8, [9] = 40, [10] = 8,
		[11] = 8, [12] = 8, [13] = 8, [14] = 8, [16] = 8, [18] = 8, [19] = 8, [20] = 8,
		[22] = 32, [23] = 8, [24] = 28, [25] = 28, [26] = 64, [27] = 8, [31] = 24,
		[32] = 24, [35] = 8, [37] = 40, [38] = 40, [39] = 8, [41] = 16, [42] = 8 };

	return request < sizeof(sizes) ? sizes[request] : 0;
}

static void random_payload(struct hostile *h, struct raw *r)
{
	static const uint32_t words[] = { 0, 1, 2, 3, 4, 5, 64, 255, 256, 257, 0x1ff, 0x8000, 0x10000,
		0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff };

	for (uint32_t at = 0; at + 4 <= sizeof(r->payload); at += 4) {
		uint32_t v = hostile_pick(h, words, sizeof(words) / sizeof(words[0]));

		if (!hostile_random(h, 4))
			v = (uint32_t)hostile_random64(h);
		memcpy(r->payload + at, &v, 4);
	}
}

static uint32_t odd_size(struct hostile *h, uint32_t usual)
{
	static const uint32_t odd[] = { 0, 1, 4, 7, 12, 264, 268, 4096, 8192 };

	switch (hostile_random(h, 4)) {
	case 0:
		return usual + 1;
	case 1:
		return usual ? usual - 1 : 0;
	case 2:
		return hostile_pick(h, odd, sizeof(odd) / sizeof(odd[0]));
	default:
		return usual;
	}
}

static const uint32_t broken[][3] = {
	/* flags, size, bytes sent behind the header */
	{ 0, 0, 0 }, { 2, 0, 0 }, { 3, 0, 0 }, { 5, 0, 0 }, { 0xd, 8, 8 }, { 0xfffffff1, 0, 0 },
	{ 1, 0x10000, 8192 }, { 1, 0xffffffff, 8192 }, { 1, 0x7fffffff, 0 }, { 1, 4097, 4097 },
	{ 1, 40, 20 }, { 1, 1, 0 },
};

static int one_broken(struct hostile *h, unsigned i, uint32_t request)
{
	struct raw r = { .request = request, .flags = broken[i][0], .size = broken[i][1],
		.send = 12 + broken[i][2] };
	int sock;

	hostile_case(h, "%s, flags 0x%x, size 0x%x", vu_name(request), r.flags, r.size);
	sock = hostile_connect(h);
	if (sock < 0)
		return sock;
	take_fds(h, &r, hostile_random(h, 3));
	send_raw(sock, &r);
	drop_fds(&r);
	drain(sock, 3);
	close(sock);
	return 0;
}

/* Nothing, half a header, and bytes without any sense. */
static int no_frame_at_all(struct hostile *h)
{
	for (unsigned i = 0; i < 3; i++) {
		struct raw r = { .send = i == 0 ? 0 : i == 1 ? 6 : sizeof(r.payload) };
		int sock;

		hostile_case(h, "%u stray bytes", r.send);
		sock = hostile_connect(h);
		if (sock < 0)
			return sock;
		hostile_fill(h, &r.request, 12);
		hostile_fill(h, r.payload, sizeof(r.payload));
		if (r.send)
			send_raw(sock, &r);
		drain(sock, 3);
		close(sock);
	}
	return 0;
}

/* Any request, any size, any fds, need_reply set: the connection may go on. */
static int wrong_requests(struct hostile *h)
{
	int sock = -1, err = 0;

	for (unsigned i = 0; i < h->o->rounds && !err; i++) {
		static const uint32_t unknown[] = { 0, 44, 45, 99, 1000, 0xffffffff };
		static struct raw r;
		uint32_t size;

		r.request = hostile_random(h, 8) ? hostile_random(h, 46)
						 : hostile_pick(h, unknown, 6);
		r.flags = VU_FLAG_VERSION | (hostile_random(h, 3) ? VU_FLAG_NEED_REPLY : 0);
		size = odd_size(h, usual_size(r.request));
		r.size = size;
		r.send = 12 + size;
		random_payload(h, &r);
		hostile_case(h, "%s (%u) of %u bytes", vu_name(r.request), r.request, size);
		if (sock < 0)
			sock = hostile_connect(h);
		if (sock < 0)
			return sock;
		take_fds(h, &r, hostile_random(h, 12) ? hostile_random(h, 3)
						      : hostile_random(h, RAW_FDS_MAX));
		err = send_raw(sock, &r);
		drop_fds(&r);
		if (err || drain(sock, 0) < 0) {
			close(sock);
			sock = -1;
			err = 0;
		}
	}
	if (sock >= 0) {
		drain(sock, 20);
		close(sock);
	}
	return err;
}

int hostile_frames(struct hostile *h)
{
	static const uint32_t requests[] = { VU_GET_FEATURES, VU_SET_MEM_TABLE, VU_GET_CONFIG };
	int err = no_frame_at_all(h);

	for (unsigned i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		for (unsigned k = 0; k < 3 && !err; k++)
			err = one_broken(h, i, requests[k]);
	if (!err)
		err = wrong_requests(h);
	return err;
}

/* Sensible values of a working device, at the wrong moments. */
static void order_message(struct hostile *h, struct sound *s)
{
	static const uint32_t nums[] = { 0, 1, 2, 3, 64, 128, 256, 32768, 65535 };
	struct frontend *fe = &s->fe;
	unsigned q = hostile_random(h, 5);
	uint32_t num = hostile_pick(h, nums, 9);
	struct raw r = { .flags = VU_FLAG_VERSION, .size = 8, .send = 20 };

	static const uint32_t rings[] = { VU_SET_VRING_NUM, VU_SET_VRING_BASE, VU_GET_VRING_BASE,
		VU_SET_VRING_ENABLE, VU_SET_VRING_KICK, VU_SET_VRING_CALL, VU_SET_VRING_ERR };
	static const uint32_t device[] = { VU_SET_FEATURES, VU_SET_PROTOCOL_FEATURES, VU_SET_STATUS,
		VU_RESET_DEVICE, VU_RESET_OWNER, VU_SET_OWNER, VU_GET_FEATURES, VU_GET_STATUS,
		VU_GET_INFLIGHT_FD, VU_SET_DEVICE_STATE_FD };

	if (hostile_random(h, 3)) {
		r.request = hostile_pick(h, rings, 7);
		if (r.request == VU_SET_VRING_ENABLE)
			num = hostile_random(h, 2);
		memcpy(r.payload, &q, 4);
		memcpy(r.payload + 4, &num, 4);
		if (r.request >= VU_SET_VRING_KICK && r.request <= VU_SET_VRING_ERR) {
			uint64_t v = q | (hostile_random(h, 4) ? 0 : 0x100);

			memcpy(r.payload, &v, 8);
			if (q < QUEUES && v == q)
				r.fds[r.fds_count++] = fe->queue[q].kick;
		}
	} else {
		uint64_t v = hostile_random(h, 2) ? fe->features : hostile_random64(h);

		r.request = hostile_pick(h, device, 10);
		if (r.request == VU_SET_STATUS)
			v = hostile_random(h, 16);
		memcpy(r.payload, &v, 8);
		r.size = usual_size(r.request);
		r.send = 12 + r.size;
	}
	hostile_case(h, "%s, queue %u, number %u, on a running device", vu_name(r.request), q, num);
	send_raw(fe->sock, &r);
}

int hostile_order(struct hostile *h)
{
	for (unsigned i = 0; i <= h->o->rounds / ORDER_MESSAGES; i++) {
		struct sound s;
		int err = hostile_sound(h, &s);

		if (err < 0)
			return err;
		for (unsigned k = 0; k < ORDER_MESSAGES; k++) {
			order_message(h, &s);
			eventfd_write(s.fe.queue[hostile_random(h, QUEUES)].kick, 1);
			if (drain(s.fe.sock, 0) < 0)
				break;
		}
		drain(s.fe.sock, 5);
		sound_close(&s);
	}
	return 0;
}

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
	{ "overlap in guest addresses", { { 0, 0x10000, 0x100000, 0 }, { 0x8000, 0x10000, 0x900000, 0 } } },
	{ "overlap in user addresses", { { 0, 0x10000, 0x100000, 0 }, { 0x80000, 0x10000, 0x108000, 0 } } },
	{ "empty region", { { 0, 0, 0x100000, 0 }, { 0x10000, 0x1000, 0x900000, 0 } } },
	{ "guest addresses wrap", { { ~0xfffULL, 0x10000, 0x100000, 0 }, { 0, 0x1000, 0x900000, 0 } } },
	{ "user addresses wrap", { { 0, 0x10000, ~0xfffULL, 0 }, { 0x20000, 0x1000, 0x900000, 0 } } },
	{ "offset wraps", { { 0, 0x10000, 0x100000, ~0xfffULL }, { 0x20000, 0x1000, 0x900000, 0 } } },
	{ "odd offset", { { 0, 0x1000, 0x100000, 0x123 }, { 0x20000, 0x1000, 0x900000, 1 } } },
	{ "beyond the file", { { 0, 0x10000000, 0x100000, 0 }, { 0x20000000, 0x1000, 0x90000000, 0x40000000 } } },
	{ "size of everything", { { 0, ~0ULL, 0, 0 }, { 0, ~0ULL, 0, 0 } } },
};

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
	send_raw(sock, &r);

	/* and the same through ADD_MEM_REG */
	r.request = VU_ADD_MEM_REG;
	r.size = 40;
	r.send = 52;
	r.fds_count = 1;
	send_raw(sock, &r);
	drain(sock, 2);

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
		send_raw(s.fe.sock, &r);
		fe_ring_state(&s.fe, VU_SET_VRING_ENABLE, q, 1, false);
		eventfd_write(s.fe.queue[q].kick, 1);
		drain(s.fe.sock, 3);
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
	drain(s.fe.sock, 3);
	sound_close(&s);
	return err;
}

int hostile_memory(struct hostile *h)
{
	static const uint32_t counts[] = { 2, 1, 9, 0xffffffff };
	int err = 0;

	for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (unsigned k = 0; k < 8 && !err; k++)
			err = one_table(h, i, counts[k / 2], k & 1 ? 2 : hostile_random(h, 9));
	if (!err)
		err = bad_addresses(h);
	if (!err)
		err = vanishing_memory(h);
	return err;
}
