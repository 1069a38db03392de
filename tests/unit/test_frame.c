/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decoder of vhost-user messages: for each request the right size, one byte
 * less, one more and none; each number of descriptors; ranges.  The sizes are
 * written down here again, not taken from the decoder's table.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vhost_user/frame.h"

struct expected {
	uint32_t request, size;
	unsigned fds_min, fds_max;
	enum vu_answer answer;
};

static const struct expected ours[] = {
	{ 1, 0, 0, 0, VU_ANSWER_OWN },		{ 2, 8, 0, 0, VU_ANSWER_ACK },
	{ 3, 0, 0, 0, VU_ANSWER_ACK },		{ 4, 0, 0, 0, VU_ANSWER_ACK },
	{ 5, 8 + 2 * 32, 2, 2, VU_ANSWER_ACK }, { 8, 8, 0, 0, VU_ANSWER_ACK },
	{ 9, 40, 0, 0, VU_ANSWER_ACK },		{ 10, 8, 0, 0, VU_ANSWER_ACK },
	{ 11, 8, 0, 0, VU_ANSWER_OWN },		{ 12, 8, 1, 1, VU_ANSWER_ACK },
	{ 13, 8, 1, 1, VU_ANSWER_ACK },		{ 14, 8, 1, 1, VU_ANSWER_ACK },
	{ 15, 0, 0, 0, VU_ANSWER_OWN },		{ 16, 8, 0, 0, VU_ANSWER_ACK },
	{ 17, 0, 0, 0, VU_ANSWER_OWN },		{ 18, 8, 0, 0, VU_ANSWER_ACK },
	{ 21, 0, 1, 1, VU_ANSWER_ACK },		{ 24, 28, 0, 0, VU_ANSWER_OWN },
	{ 25, 28, 0, 0, VU_ANSWER_ACK },	{ 34, 0, 0, 0, VU_ANSWER_ACK },
	{ 36, 0, 0, 0, VU_ANSWER_OWN },		{ 37, 40, 1, 1, VU_ANSWER_ACK },
	{ 38, 40, 0, 1, VU_ANSWER_ACK },	{ 39, 8, 0, 0, VU_ANSWER_ACK },
	{ 40, 0, 0, 0, VU_ANSWER_OWN },
};
#define OURS (sizeof(ours) / sizeof(ours[0]))

static const uint32_t not_ours[] = { 0, 6, 7, 19, 20, 22, 23, 26, 27, 28, 29, 30, 31, 32, 33, 35,
	41, 42, 43, 44, 45, 1000, 0x80000000, 0xffffffff };

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static void put64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

/* A valid payload of @request. */
static void fill(uint8_t *p, uint32_t request)
{
	memset(p, 0, VU_PAYLOAD_MAX);
	switch (request) {
	case 5:
		put32(p, 2);
		put64(p + 8 + 8, 0x1000);
		put64(p + 40, 0x1000);
		put64(p + 40 + 8, 0x1000);
		break;
	case 8:
		put32(p + 4, 64);
		break;
	case 24:
	case 25:
		put32(p + 4, 16);
		break;
	case 37:
	case 38:
		put64(p + 8 + 8, 0x1000);
		break;
	default:
		break;
	}
}

/* In a block of exactly @size, for the sanitizer to see a read behind it. */
static int decode(uint32_t request, const uint8_t *payload, uint32_t size, unsigned fds,
		  struct vu_msg *m)
{
	const struct vu_header h = { .request = request, .size = size };
	uint8_t *p = malloc(size ? size : 1);
	int err;

	assert_non_null(p);
	memcpy(p, payload, size);
	memset(m, 0x5a, sizeof(*m));
	err = vu_decode(&h, p, fds, m);
	free(p);
	/* On failure the output is untouched. */
	if (err < 0)
		assert_int_equal(((uint8_t *)m)[0], 0x5a);
	return err;
}

static void test_sizes(void **state)
{
	uint8_t p[VU_PAYLOAD_MAX];
	struct vu_msg m;
	size_t i;

	(void)state;
	for (i = 0; i < OURS; i++) {
		const struct expected *e = &ours[i];

		fill(p, e->request);
		assert_int_equal(decode(e->request, p, e->size, e->fds_min, &m), 0);
		assert_int_equal(m.request, e->request);
		assert_int_equal(decode(e->request, p, e->size + 1, e->fds_min, &m), -EMSGSIZE);
		if (!e->size)
			continue;
		assert_int_equal(decode(e->request, p, e->size - 1, e->fds_min, &m), -EMSGSIZE);
		assert_int_equal(decode(e->request, p, 0, e->fds_min, &m), -EMSGSIZE);
	}
}

static void test_descriptors(void **state)
{
	uint8_t p[VU_PAYLOAD_MAX];
	struct vu_msg m;
	unsigned fds;
	size_t i;

	(void)state;
	for (i = 0; i < OURS; i++) {
		const struct expected *e = &ours[i];

		fill(p, e->request);
		for (fds = 0; fds <= VU_FDS_MAX + 1; fds++) {
			bool good = fds >= e->fds_min && fds <= e->fds_max;

			assert_int_equal(decode(e->request, p, e->size, fds, &m), good ? 0 : -EBADF);
			if (good)
				assert_int_equal(m.fds, fds);
		}
	}
}

static void test_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < OURS; i++)
		assert_int_equal(vu_rule(ours[i].request)->answer, ours[i].answer);
	for (i = 0; i < VU_REQUESTS; i++)
		assert_non_null(vu_rule((uint32_t)i)->name);
	assert_null(vu_rule(VU_REQUESTS));
	assert_null(vu_rule(UINT32_MAX));
}

static void test_not_ours(void **state)
{
	static const uint8_t p[64];
	struct vu_msg m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(not_ours) / sizeof(not_ours[0]); i++) {
		assert_int_equal(decode(not_ours[i], p, 0, 0, &m), -ENOSYS);
		assert_int_equal(decode(not_ours[i], p, sizeof(p), 8, &m), -ENOSYS);
	}
}

static int header(uint32_t request, uint32_t flags, uint32_t size, struct vu_header *h)
{
	uint8_t bytes[12];

	put32(bytes, request);
	put32(bytes + 4, flags);
	put32(bytes + 8, size);
	return vu_header_decode(bytes, h);
}

static void test_header(void **state)
{
	struct vu_header h;

	(void)state;
	assert_int_equal(header(77, 1, 4096, &h), 0);
	assert_int_equal(h.request, 77);
	assert_int_equal(h.size, 4096);
	assert_false(h.need_reply);
	assert_int_equal(header(1, 9, 0, &h), 0);
	assert_true(h.need_reply);
	assert_int_equal(header(1, 0xfffffff1, 0, &h), 0);
	assert_false(h.need_reply);

	assert_int_equal(header(1, 0, 0, &h), -EPROTO);
	assert_int_equal(header(1, 2, 0, &h), -EPROTO);
	assert_int_equal(header(1, 3, 0, &h), -EPROTO);
	assert_int_equal(header(1, 5, 0, &h), -EPROTO);
	assert_int_equal(header(1, 13, 0, &h), -EPROTO);
	assert_int_equal(header(1, 1, 4097, &h), -EMSGSIZE);
	assert_int_equal(header(1, 1, UINT32_MAX, &h), -EMSGSIZE);
}

static int decode_vring(uint32_t request, uint32_t index, uint32_t num, struct vu_msg *m)
{
	uint8_t p[8];

	put32(p, index);
	put32(p + 4, num);
	return decode(request, p, sizeof(p), 0, m);
}

static void test_vring(void **state)
{
	static const uint32_t sizes_bad[] = { 0, 3, 63, 65, 32769, 65536, 0x80000000, UINT32_MAX };
	struct vu_msg m;
	uint32_t n;
	size_t i;

	(void)state;
	for (n = 1; n <= 32768; n *= 2) {
		assert_int_equal(decode_vring(VU_SET_VRING_NUM, 3, n, &m), 0);
		assert_int_equal(m.u.vring.index, 3);
		assert_int_equal(m.u.vring.num, n);
	}
	for (i = 0; i < sizeof(sizes_bad) / sizeof(sizes_bad[0]); i++)
		assert_int_equal(decode_vring(VU_SET_VRING_NUM, 0, sizes_bad[i], &m), -ERANGE);
	for (n = 4; n; n <<= 1) {
		assert_int_equal(decode_vring(VU_SET_VRING_NUM, n, 64, &m), -ERANGE);
		assert_int_equal(decode_vring(VU_SET_VRING_BASE, n, 0, &m), -ERANGE);
		assert_int_equal(decode_vring(VU_GET_VRING_BASE, n, 0, &m), -ERANGE);
		assert_int_equal(decode_vring(VU_SET_VRING_ENABLE, n, 0, &m), -ERANGE);
	}
	assert_int_equal(decode_vring(VU_SET_VRING_ENABLE, 0, 1, &m), 0);
	assert_int_equal(decode_vring(VU_SET_VRING_ENABLE, 0, 2, &m), -ERANGE);
	assert_int_equal(decode_vring(VU_SET_VRING_BASE, 0, UINT32_MAX, &m), 0);
	assert_int_equal(decode_vring(VU_GET_VRING_BASE, 0, 0xdeadbeef, &m), 0);
}

static int decode_fd(uint32_t request, uint64_t value, unsigned fds, struct vu_msg *m)
{
	uint8_t p[8];

	put64(p, value);
	return decode(request, p, sizeof(p), fds, m);
}

static void test_vring_fd(void **state)
{
	uint32_t request;
	struct vu_msg m;
	unsigned bit;

	(void)state;
	for (request = VU_SET_VRING_KICK; request <= VU_SET_VRING_ERR; request++) {
		assert_int_equal(decode_fd(request, 3, 1, &m), 0);
		assert_int_equal(m.u.vring_fd.index, 3);
		assert_false(m.u.vring_fd.nofd);
		assert_int_equal(decode_fd(request, 0x102, 0, &m), 0);
		assert_int_equal(m.u.vring_fd.index, 2);
		assert_true(m.u.vring_fd.nofd);
		assert_int_equal(decode_fd(request, 0x102, 1, &m), 0);
		assert_true(m.u.vring_fd.nofd);
		assert_int_equal(decode_fd(request, 2, 0, &m), -EBADF);
		for (bit = 2; bit < 64; bit++) {
			if (bit != 8)
				assert_int_equal(decode_fd(request, VU_BIT(bit), 1, &m), -ERANGE);
		}
	}
}

static void test_vring_addr(void **state)
{
	uint8_t p[40];
	struct vu_msg m;
	unsigned i;

	(void)state;
	for (i = 0; i < 5; i++)
		put64(p + 8 * i, 0x1111 * i);
	put32(p, 2);
	put32(p + 4, 1);
	assert_int_equal(decode(VU_SET_VRING_ADDR, p, 40, 0, &m), 0);
	assert_int_equal(m.u.addr.index, 2);
	assert_int_equal(m.u.addr.flags, 1);
	assert_int_equal(m.u.addr.desc, 0x1111);
	assert_int_equal(m.u.addr.used, 0x2222);
	assert_int_equal(m.u.addr.avail, 0x3333);
	assert_int_equal(m.u.addr.log, 0x4444);
	put32(p, 4);
	assert_int_equal(decode(VU_SET_VRING_ADDR, p, 40, 0, &m), -ERANGE);
}

static int decode_region(uint64_t gpa, uint64_t size, uint64_t uaddr, struct vu_msg *m)
{
	uint8_t p[40] = { 0 };

	put64(p + 8, gpa);
	put64(p + 16, size);
	put64(p + 24, uaddr);
	put64(p + 32, 0x7000);
	return decode(VU_ADD_MEM_REG, p, sizeof(p), 1, m);
}

static void test_memory(void **state)
{
	uint8_t p[264] = { 0 };
	struct vu_msg m;
	unsigned i;

	(void)state;
	assert_int_equal(decode_region(0x1000, 0x2000, 0x3000, &m), 0);
	assert_int_equal(m.u.region.gpa, 0x1000);
	assert_int_equal(m.u.region.size, 0x2000);
	assert_int_equal(m.u.region.uaddr, 0x3000);
	assert_int_equal(m.u.region.offset, 0x7000);
	assert_int_equal(decode_region(0, 0, 0, &m), -EINVAL);
	/* Up to the last byte of the address space, and one beyond. */
	assert_int_equal(decode_region(UINT64_MAX - 0xfff, 0x1000, 0, &m), 0);
	assert_int_equal(decode_region(UINT64_MAX - 0xffe, 0x1000, 0, &m), -EINVAL);
	assert_int_equal(decode_region(0, 0x1000, UINT64_MAX - 0xfff, &m), 0);
	assert_int_equal(decode_region(0, 0x1000, UINT64_MAX - 0xffe, &m), -EINVAL);
	assert_int_equal(decode_region(0, UINT64_MAX, 0, &m), -EINVAL);

	/* Eight regions, and what 264 bytes mean with fewer. */
	for (i = 0; i < 8; i++)
		put64(p + 8 + 32 * i + 8, 0x1000 * (i + 1));
	for (i = 0; i <= 8; i++) {
		put32(p, i);
		assert_int_equal(decode(VU_SET_MEM_TABLE, p, 264, i, &m), 0);
		assert_int_equal(m.u.table.n, i);
		assert_int_equal(decode(VU_SET_MEM_TABLE, p, 8 + 32 * i, i, &m), 0);
		if (i)
			assert_int_equal(m.u.table.region[i - 1].size, 0x1000 * i);
		if (i)
			assert_int_equal(decode(VU_SET_MEM_TABLE, p, 264, i - 1, &m), -EBADF);
	}
	put32(p, 9);
	assert_int_equal(decode(VU_SET_MEM_TABLE, p, 264, 8, &m), -EINVAL);
	put32(p, UINT32_MAX);
	assert_int_equal(decode(VU_SET_MEM_TABLE, p, 264, 8, &m), -EINVAL);
	put32(p, 2);
	put64(p + 8 + 32 + 8, 0);
	assert_int_equal(decode(VU_SET_MEM_TABLE, p, 8 + 64, 2, &m), -EINVAL);
}

static int decode_config(uint32_t offset, uint32_t said, uint32_t size, struct vu_msg *m)
{
	uint8_t p[12 + 300] = { 0 };

	put32(p, offset);
	put32(p + 4, said);
	memset(p + 12, 0x77, 300);
	return decode(VU_GET_CONFIG, p, 12 + size, 0, m);
}

static void test_config(void **state)
{
	struct vu_msg m;
	uint8_t out[268];

	(void)state;
	assert_int_equal(decode_config(0, 256, 256, &m), 0);
	assert_int_equal(m.u.config.data[255], 0x77);
	assert_int_equal(vu_config_encode(out, &m.u.config), 268);
	assert_int_equal(out[267], 0x77);
	assert_int_equal(decode_config(255, 1, 1, &m), 0);
	assert_int_equal(decode_config(256, 1, 1, &m), -EINVAL);
	assert_int_equal(decode_config(1, 256, 256, &m), -EINVAL);
	assert_int_equal(decode_config(UINT32_MAX, 16, 16, &m), -EINVAL);
	assert_int_equal(decode_config(0, 0, 0, &m), -EINVAL);
	assert_int_equal(decode_config(0, 257, 257, &m), -EINVAL);
	assert_int_equal(decode_config(0, 16, 17, &m), -EMSGSIZE);
	assert_int_equal(decode_config(0, UINT32_MAX, 16, &m), -EMSGSIZE);
}

static void test_encode(void **state)
{
	static const uint32_t reply[] = { 11, 5, 8 }, request[] = { 2, 1, 0 };
	const struct vu_header base = { .request = VU_GET_VRING_BASE, .size = 8 };
	const struct vu_header other = { .request = VU_GET_STATUS, .size = 8 };
	const uint8_t payload[8] = { 9, 0, 0, 0, 1, 2, 3, 4 };
	const uint8_t refusal[8] = { 9 };
	uint8_t out[12];

	(void)state;
	vu_reply_header(out, 11, 8);
	assert_memory_equal(out, reply, 12);
	vu_backend_header(out, VU_BACKEND_CONFIG_CHANGE, 0);
	assert_memory_equal(out, request, 12);
	assert_int_equal(vu_refusal_encode(out, &base, payload), 8);
	assert_memory_equal(out, refusal, 8);
	assert_int_equal(vu_refusal_encode(out, &other, payload), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_vring),
		cmocka_unit_test(test_vring_fd),
		cmocka_unit_test(test_vring_addr),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_encode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
