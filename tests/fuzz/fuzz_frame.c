/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A front-end's bytes: first through the decoder, then through a whole session
 * over a fake device, which holds the server to libvsnd's contract.
 *
 * The input is a series of writes to the socket, each
 *
 *	control byte	low nibble: descriptors to send along (0..15),
 *			high nibble: which kinds of file they are
 *	length		2 bytes, little-endian, of
 *	bytes		what is written
 *
 * Control byte 0xff is an event inside the device instead: the byte after it says
 * which.  After each write the loop runs dry and the replies are thrown away.
 * Targets: vu_header_decode(), vu_decode(), conn.c, session.c, ring.c, memory.c.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_vsnd.h"
#include "vhost_user/frame.h"
#include "vhost_user/server.h"

#define KINDS	   8
#define MEM_SIZE   0x400000
#define FDS_MAX	   15
#define TURNS_MAX  64
#define FDS_SLACK  16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct loop *loop;
	struct vu_server *server;
	int kind[KINDS];	/* descriptors to send */
	int idle_fds;		/* of the process when no session is on */
} ctx;

#define MUST(x)                                                                                    \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			perror(#x);                                                                \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/*
 * The lowest free number: it grows if descriptors leak.  The fuzzer has a few of its
 * own that come and go (its symbolizer's pipes).
 */
static int next_fd(void)
{
	int fd = dup(ctx.kind[0]);

	MUST(fd >= 0);
	close(fd);
	return fd;
}

static void init(void)
{
	struct vu_server_settings settings = { .once = false };
	int p[2];

	MUST((ctx.kind[0] = memfd_create("guest", MFD_CLOEXEC)) >= 0);
	MUST(ftruncate(ctx.kind[0], MEM_SIZE) == 0);
	MUST((ctx.kind[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) >= 0);
	MUST((ctx.kind[2] = eventfd(0, EFD_CLOEXEC)) >= 0);
	MUST(pipe2(p, O_CLOEXEC | O_NONBLOCK) == 0);
	ctx.kind[3] = p[0];
	ctx.kind[4] = p[1];
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, p) == 0);
	ctx.kind[5] = p[0];
	MUST((ctx.kind[6] = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0);
	MUST((ctx.kind[7] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0);

	vsnd_settings_init(&settings.device);
	MUST(loop_create(&ctx.loop) == 0);
	MUST(vu_server_create(ctx.loop, &settings, &ctx.server) == 0);
	ctx.idle_fds = next_fd();
}

static void pump(void)
{
	unsigned left = TURNS_MAX;

	while (left-- && loop_turn(ctx.loop, 0) > 0)
		;
}

/* Any bytes as one message, with every number of descriptors that matters. */
static void fuzz_decoder(const uint8_t *data, size_t size)
{
	struct vu_header h;
	struct vu_msg m;
	unsigned fds;

	if (size < VU_HEADER_SIZE || vu_header_decode(data, &h) < 0)
		return;
	if (h.size > size - VU_HEADER_SIZE)
		h.size = (uint32_t)(size - VU_HEADER_SIZE);
	for (fds = 0; fds <= VU_FDS_MAX + 1; fds++) {
		uint8_t *payload = malloc(h.size ? h.size : 1);

		MUST(payload);
		memcpy(payload, data + VU_HEADER_SIZE, h.size);
		if (vu_decode(&h, payload, fds, &m) == 0)
			MUST(m.fds == fds && vu_rule(m.request));
		free(payload);
	}
}

static void write_chunk(int fd, uint8_t control, const uint8_t *bytes, size_t n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} anc;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	unsigned fds = control & 0xf, kind = control >> 4, i;

	if (fds && n) {
		struct cmsghdr *c;

		memset(&anc, 0, sizeof(anc));
		msg.msg_control = anc.buf;
		msg.msg_controllen = CMSG_SPACE(fds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fds * sizeof(int));
		/* All of one kind, or a mixture. */
		for (i = 0; i < fds; i++) {
			int f = ctx.kind[kind < KINDS ? kind : (kind + i) % KINDS];

			memcpy(CMSG_DATA(c) + i * sizeof(int), &f, sizeof(f));
		}
	}
	(void)!sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void device_event(uint8_t what)
{
	unsigned q = what % VSND_QUEUES;
	uint64_t n;

	switch (what >> 4) {
	case 0:
		fake.cb.notify(fake.ctx, q);
		break;
	case 1:
		fake.cb.queue_error(fake.ctx, q, VSND_QUEUE_ERROR_MESSAGE, "message");
		break;
	case 2:
		if (fake.queue[q].started)
			fake.queue[q].broken = true;
		fake.cb.queue_error(fake.ctx, q, VSND_QUEUE_ERROR_BROKEN, "ring");
		break;
	case 3:
		fake.queue[q].next += what;
		break;
	case 4:
		fake.fail_memory = -12;
		break;
	case 5:
		fake.fail_start = -12;
		break;
	case 6:
		n = 1;
		(void)!write(ctx.kind[1], &n, sizeof(n));
		break;
	default:
		fake.cb.wake(fake.ctx);
		break;
	}
}

static void drain(int fd)
{
	char buf[4096];
	uint64_t n;

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	(void)!read(ctx.kind[1], &n, sizeof(n));
	(void)!read(ctx.kind[3], buf, sizeof(buf));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int sv[2];

	if (!ctx.server)
		init();
	fuzz_decoder(data, size);
	if (size > 3)
		fuzz_decoder(data + 3, size - 3);

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == 0);
	MUST(vu_server_attach(ctx.server, sv[0]) == 0);
	while (size >= 3) {
		size_t n = data[1] | (size_t)data[2] << 8;

		if (data[0] == 0xff) {
			device_event(data[1]);
			data += 2;
			size -= 2;
		} else {
			if (n > size - 3)
				n = size - 3;
			write_chunk(sv[1], data[0], data + 3, n);
			data += 3 + n;
			size -= 3 + n;
		}
		pump();
		drain(sv[1]);
	}
	close(sv[1]);
	pump();

	/* The session has ended and left nothing behind. */
	MUST(!fake.regions && !fake.queue[0].started && !fake.queue[3].enabled);
	MUST(next_fd() < ctx.idle_fds + FDS_SLACK);
	return 0;
}
