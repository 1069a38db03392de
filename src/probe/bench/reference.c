/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe/bench/reference.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* As the back-end's: a host's buffer, used over and over. */
#define SINK_BYTES 65536u
#define SINK_ALIGN 4096u
#define COPY_BYTES (32u << 20) /* in all, and at least COPIES_MIN */
#define COPIES_MIN 2000u
#define COPIES_MAX 200000u
#define NOTIFICATIONS 20000u

static int64_t thread_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void copy_all(uint8_t *sink, const uint8_t *source, uint32_t bytes, uint32_t slots,
	uint32_t n)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (bytes > SINK_BYTES - at)
			at = 0;
		memcpy(sink + at, source + (size_t)(i % slots) * bytes, bytes);
		/* The copy is not to be left out. */
		__asm__ volatile("" : : "r"(sink + at) : "memory");
		at += bytes;
	}
}

double reference_copy_ns(const uint8_t *source, uint32_t bytes, uint32_t slots)
{
	uint8_t *sink = aligned_alloc(SINK_ALIGN, SINK_BYTES);
	uint32_t n = COPY_BYTES / bytes;
	int64_t began;

	if (!sink)
		return 0;
	n = n < COPIES_MIN ? COPIES_MIN : n > COPIES_MAX ? COPIES_MAX : n;
	copy_all(sink, source, bytes, slots, slots);
	began = thread_ns();
	copy_all(sink, source, bytes, slots, n);
	began = thread_ns() - began;
	free(sink);
	return (double)began / n;
}

double reference_notify_ns(void)
{
	const uint64_t one = 1;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int64_t began = thread_ns();

	for (unsigned i = 0; i < NOTIFICATIONS; i++)
		(void)!write(fd, &one, sizeof(one));
	began = thread_ns() - began;
	close(fd);
	return (double)began / NOTIFICATIONS;
}
