/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Families of vhost-user abuse: broken frames, and messages in any order.
 *
 * Each case has a connection of its own, or goes on with the old one as long
 * as the back-end bears it.  Replies are read and thrown away.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe/hostile.h"
#include "probe/hostile_raw.h"
#include "probe/vu.h"

#define ORDER_MESSAGES 20 /* to one device */

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

/* The fds it should have. */
static unsigned usual_fds(uint32_t request)
{
	static const uint8_t fds[] = { [5] = 1, [6] = 1, [7] = 1, [12] = 1, [13] = 1, [14] = 1,
		[21] = 1, [32] = 1, [33] = 1, [37] = 1, [42] = 1 };

	return request < sizeof(fds) ? fds[request] : 0;
}

static void random_payload(struct hostile *h, struct raw *r)
{
	static const uint32_t words[] = { 0, 1, 2, 3, 4, 5, 64, 255, 256, 257, 0x1ff, 0x8000,
		0x10000, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff };

	for (uint32_t at = 0; at + 4 <= sizeof(r->payload); at += 4) {
		uint32_t v = hostile_pick(h, words, sizeof(words) / sizeof(words[0]));

		if (!hostile_random(h, 4))
			v = (uint32_t)hostile_random64(h);
		memcpy(r->payload + at, &v, 4);
	}
	/* a number of 64 bits is small in most places */
	if (hostile_random(h, 4))
		memset(r->payload + 4, 0, 4);
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
	raw_send(sock, &r);
	drop_fds(&r);
	raw_drain(sock, 3);
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
			raw_send(sock, &r);
		raw_drain(sock, 3);
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
		bool only_values = hostile_random(h, 2); /* are wrong, not the frame */
		uint32_t size;
		unsigned fds;

		r.request = hostile_random(h, 8) ? hostile_random(h, 46)
						 : hostile_pick(h, unknown, 6);
		size = usual_size(r.request);
		fds = usual_fds(r.request);
		if (!only_values) {
			size = odd_size(h, size);
			fds = hostile_random(h, hostile_random(h, 12) ? 3 : RAW_FDS_MAX);
		}
		r.flags = VU_FLAG_VERSION | (hostile_random(h, 3) ? VU_FLAG_NEED_REPLY : 0);
		r.size = size;
		r.send = 12 + size;
		random_payload(h, &r);
		hostile_case(h, "%s (%u) of %u bytes", vu_name(r.request), r.request, size);
		if (sock < 0)
			sock = hostile_connect(h);
		if (sock < 0)
			return sock;
		take_fds(h, &r, fds);
		err = raw_send(sock, &r);
		drop_fds(&r);
		if (err || raw_drain(sock, 0) < 0) {
			close(sock);
			sock = -1;
			err = 0;
		}
	}
	if (sock >= 0) {
		raw_drain(sock, 20);
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
			if (v == q)
				r.fds[r.fds_count++] = fe->queue[q % QUEUES].kick;
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
	raw_send(fe->sock, &r);
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
			if (raw_drain(s.fe.sock, 0) < 0)
				break;
		}
		raw_drain(s.fe.sock, 5);
		sound_close(&s);
	}
	return 0;
}
