/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "virtqueue/mem.h"

static uint8_t block[0x4000];

static struct vsnd_mem_region region(uint64_t gpa, uint64_t size, size_t offset)
{
	return (struct vsnd_mem_region){ .gpa = gpa, .size = size, .host = block + offset };
}

static void expect_invalid(const struct vsnd_mem_region *r, unsigned n)
{
	struct mem *untouched = (void *)block, *m = untouched;

	assert_int_equal(mem_create(r, n, &m), -EINVAL);
	assert_ptr_equal(m, untouched);
}

static void empty_table_maps_nothing(void **state)
{
	struct mem *m;
	uint64_t len;

	(void)state;
	assert_int_equal(mem_create(NULL, 0, &m), 0);
	assert_null(mem_span(m, 0, 1, &len));
	assert_null(mem_ptr(m, 0x1000, 1));
	assert_false(mem_mapped(m, 0, 1));
	assert_false(mem_fault(m, block));
	assert_false(mem_broken(m));
	mem_free(m);
}

static void no_table_maps_nothing(void **state)
{
	uint64_t len;

	(void)state;
	assert_null(mem_span(NULL, 0, 1, &len));
	assert_null(mem_ptr(NULL, 0, 1));
	assert_false(mem_mapped(NULL, 0, 1));
	assert_false(mem_fault(NULL, block));
	assert_false(mem_broken(NULL));
	mem_free(NULL);
}

static void bad_tables_are_refused(void **state)
{
	struct vsnd_mem_region two[2] = { region(0x1000, 0x1000, 0), region(0x1fff, 0x1000, 0) };
	struct vsnd_mem_region one = region(0x1000, 0, 0);
	struct vsnd_mem_region *many = calloc(VSND_MEM_REGIONS_MAX + 1, sizeof(*many));
	struct mem *m;

	(void)state;
	expect_invalid(&one, 1);		/* empty */
	one = region(UINT64_MAX, 2, 0);
	expect_invalid(&one, 1);		/* wraps */
	one = region(0, UINT64_MAX, 0);
	expect_invalid(&one, 1);		/* wraps in the host */
	one = (struct vsnd_mem_region){ .gpa = 0, .size = 1 };
	expect_invalid(&one, 1);		/* nowhere in the host */
	expect_invalid(two, 2);			/* overlap by a byte */
	two[1] = two[0];
	expect_invalid(two, 2);			/* the same twice */
	two[1] = region(0x1800, 0x10, 0);
	expect_invalid(two, 2);			/* one in the other */

	assert_non_null(many);
	for (unsigned i = 0; i <= VSND_MEM_REGIONS_MAX; i++)
		many[i] = region(0x1000 * (uint64_t)i, 0x1000, 0);
	expect_invalid(many, VSND_MEM_REGIONS_MAX + 1);
	assert_int_equal(mem_create(many, VSND_MEM_REGIONS_MAX, &m), 0);
	assert_true(mem_mapped(m, 0, 0x1000 * VSND_MEM_REGIONS_MAX));
	assert_false(mem_mapped(m, 0, 0x1000 * VSND_MEM_REGIONS_MAX + 1));
	mem_free(m);
	free(many);
}

static void regions_come_in_any_order(void **state)
{
	struct vsnd_mem_region r[] = {
		region(0x5000, 0x1000, 0x3000),
		region(0x1000, 0x1000, 0x1000),
		region(0x2000, 0x1000, 0x0000),
	};
	struct mem *m;
	uint64_t len;

	(void)state;
	assert_int_equal(mem_create(r, 3, &m), 0);
	assert_ptr_equal(mem_ptr(m, 0x1000, 0x1000), block + 0x1000);
	assert_ptr_equal(mem_ptr(m, 0x2fff, 1), block + 0x0fff);
	assert_ptr_equal(mem_ptr(m, 0x5800, 0x800), block + 0x3800);
	assert_null(mem_ptr(m, 0x0fff, 1));
	assert_null(mem_ptr(m, 0x3000, 1));
	assert_null(mem_ptr(m, 0x4fff, 2));
	assert_null(mem_ptr(m, 0x6000, 1));

	/* Spans end at borders, ranges cross them where nothing is missing. */
	assert_ptr_equal(mem_span(m, 0x1800, 0x1000, &len), block + 0x1800);
	assert_int_equal(len, 0x800);
	assert_null(mem_ptr(m, 0x1800, 0x1000));
	assert_true(mem_mapped(m, 0x1800, 0x1000));
	assert_true(mem_mapped(m, 0x1000, 0x2000));
	assert_false(mem_mapped(m, 0x1000, 0x2001));
	assert_false(mem_mapped(m, 0x0fff, 2));
	assert_true(mem_mapped(m, 0x9000, 0));
	mem_free(m);
}

static void the_last_byte_of_all(void **state)
{
	struct vsnd_mem_region r[] = {
		region(UINT64_MAX - 0xfff, 0x1000, 0),
		region(0, 0x1000, 0x1000),
	};
	struct mem *m;
	uint64_t len;

	(void)state;
	assert_int_equal(mem_create(r, 2, &m), 0);
	assert_ptr_equal(mem_ptr(m, UINT64_MAX, 1), block + 0xfff);
	assert_non_null(mem_span(m, UINT64_MAX, UINT64_MAX, &len));
	assert_int_equal(len, 1);
	/* What wraps is not mapped, even where both ends are. */
	assert_false(mem_mapped(m, UINT64_MAX, 2));
	assert_true(mem_mapped(m, UINT64_MAX, 1));
	mem_free(m);
}

/* The handler of a process that has one table. */
static struct mem *fault_mem;

static void on_sigbus(int sig, siginfo_t *info, void *ctx)
{
	(void)sig;
	(void)ctx;
	if (!mem_fault(fault_mem, info->si_addr))
		_exit(99);
}

static void catch_sigbus(struct sigaction *ret_old)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

	assert_int_equal(sigaction(SIGBUS, &sa, ret_old), 0);
}

static void truncated_memory_reads_as_zero(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 8 * page;
	int fd = memfd_create("guest", 0);
	struct vsnd_mem_region r = { .gpa = 0x100000, .size = size };
	struct sigaction old;
	volatile uint8_t *host;

	(void)state;
	assert_true(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
	r.host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(r.host != MAP_FAILED);
	host = r.host;
	memset(r.host, 0x55, size);
	assert_int_equal(mem_create(&r, 1, &fault_mem), 0);
	catch_sigbus(&old);
	assert_false(mem_broken(fault_mem));
	assert_int_equal(ftruncate(fd, (off_t)(4 * page)), 0);

	assert_int_equal(host[4 * page - 1], 0x55);
	assert_false(mem_broken(fault_mem));
	errno = ENOTTY;
	assert_int_equal(host[5 * page + 7], 0);
	assert_int_equal(errno, ENOTTY);
	assert_true(mem_broken(fault_mem));
	host[6 * page] = 1;
	assert_int_equal(host[6 * page], 1);
	assert_int_equal(host[4 * page], 0);
	assert_int_equal(host[0], 0x55);

	/* Somebody else's address is somebody else's matter. */
	assert_false(mem_fault(fault_mem, block));
	assert_false(mem_fault(fault_mem, (uint8_t *)r.host + size));

	sigaction(SIGBUS, &old, NULL);
	mem_free(fault_mem);
	munmap(r.host, size);
	close(fd);
}

/* Part of a huge page cannot be replaced: the huge page is. */
static void truncated_huge_pages_read_as_zero(void **state)
{
	size_t huge = (size_t)2 << 20, size = 2 * huge;
	int fd = memfd_create("guest", MFD_HUGETLB);
	struct vsnd_mem_region r = { .gpa = 0, .size = size };
	struct sigaction old;

	(void)state;
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		skip();
	r.host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (r.host == MAP_FAILED)
		skip();
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(mem_create(&r, 1, &fault_mem), 0);
	catch_sigbus(&old);

	assert_int_equal(((volatile uint8_t *)r.host)[huge + 0x12345], 0);
	assert_true(mem_broken(fault_mem));
	((volatile uint8_t *)r.host)[0x4321] = 1;

	sigaction(SIGBUS, &old, NULL);
	mem_free(fault_mem);
	munmap(r.host, size);
	close(fd);
}

static void *look_up_for_a_while(void *arg)
{
	const struct mem *m = arg;

	for (unsigned i = 0; i < 100000; i++)
		if (!mem_ptr(m, (i % 3) * 0x1000 + i % 0xfff, 2) || mem_broken(m))
			return NULL;
	return arg;
}

static void threads_share_a_table(void **state)
{
	struct vsnd_mem_region r[] = {
		region(0x0000, 0x1000, 0x0000),
		region(0x1000, 0x1000, 0x1000),
		region(0x2000, 0x1000, 0x2000),
	};
	pthread_t thread[2];
	struct mem *m;
	void *result;

	(void)state;
	assert_int_equal(mem_create(r, 3, &m), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, look_up_for_a_while, m), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(thread[i], &result), 0);
		assert_ptr_equal(result, m);
	}
	mem_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_table_maps_nothing),
		cmocka_unit_test(no_table_maps_nothing),
		cmocka_unit_test(bad_tables_are_refused),
		cmocka_unit_test(regions_come_in_any_order),
		cmocka_unit_test(the_last_byte_of_all),
		cmocka_unit_test(truncated_memory_reads_as_zero),
		cmocka_unit_test(truncated_huge_pages_read_as_zero),
		cmocka_unit_test(threads_share_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
