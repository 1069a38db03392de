/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user front-end for tests: it lives in the same thread as the server's
 * loop, so every exchange is: send, let the loop run dry, look.  It shares no
 * code with the server.
 */
#ifndef VSND_TESTS_FRONTEND_H
#define VSND_TESTS_FRONTEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

struct frontend {
	struct loop *loop;
	int fd;
	bool ack;	/* set need_reply on requests without a reply, and expect success */
};

/* Where the test has its rings; four regions of 1 MiB, one ring in each. */
#define FE_REGIONS     4
#define FE_REGION_SIZE UINT64_C(0x100000)
#define FE_GPA(i)      (UINT64_C(0x40000000) + (uint64_t)(i) * UINT64_C(0x10000000))
#define FE_UADDR(i)    (UINT64_C(0x7f0000000000) + (uint64_t)(3 - (i)) * UINT64_C(0x200000))

void fe_pump(struct frontend *fe);

/* Send; @flags as on the wire (1: version 1, 9: and need_reply). */
void fe_send(struct frontend *fe, uint32_t request, uint32_t flags, const void *payload,
	     uint32_t size, const int *fds, unsigned n);

/*
 * Receive one reply to @request with exactly the right flags.  Returns the payload
 * size, or -1 if nothing is there, -2 if the connection is closed, -3 if it is
 * something else.
 */
int fe_recv(struct frontend *fe, uint32_t request, void *payload, size_t room);

/* A request without reply of its own; the result is asked for if fe->ack. 0, or what was acked. */
uint64_t fe_set(struct frontend *fe, uint32_t request, const void *payload, uint32_t size,
		const int *fds, unsigned n);
uint64_t fe_set_u64(struct frontend *fe, uint32_t request, uint64_t value);
uint64_t fe_set_vring(struct frontend *fe, uint32_t request, uint32_t index, uint32_t num);
uint64_t fe_set_fd(struct frontend *fe, uint32_t request, uint64_t value, int fd);

/* Fail the test if there is no reply of 8 bytes. */
uint64_t fe_get_u64(struct frontend *fe, uint32_t request);
uint32_t fe_get_base(struct frontend *fe, uint32_t index);

/* Regions FE_GPA(0).. from one memfd; and ring @i in region @i at offset 0. */
uint64_t fe_set_mem_table(struct frontend *fe, int memfd);
uint64_t fe_set_addr(struct frontend *fe, uint32_t i);
int fe_memfd(void);

#endif
