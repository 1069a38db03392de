/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

#include <vsnd/vsnd.h>

#include "vhost_user/loop.h"

/* Handlers take no argument, so these two are global. */
static struct loop *loop_to_stop;
static _Atomic(struct vsnd *) device;

static void stop(int sig)
{
	(void)sig;
	loop_stop(loop_to_stop);
}

static void bus(int sig, siginfo_t *info, void *context)
{
	struct vsnd *dev = atomic_load(&device);
	int saved = errno;

	(void)context;
	if (info->si_code > 0 && dev && vsnd_mem_fault(dev, info->si_addr)) {
		errno = saved;
		return;
	}
	signal(sig, SIG_DFL);
	raise(sig);
}

void signals_init(struct loop *loop)
{
	struct sigaction on_stop = { .sa_handler = stop, .sa_flags = SA_RESTART };
	struct sigaction on_bus = { .sa_sigaction = bus, .sa_flags = SA_SIGINFO };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t ours;

	loop_to_stop = loop;
	sigaction(SIGTERM, &on_stop, NULL);
	sigaction(SIGINT, &on_stop, NULL);
	sigaction(SIGBUS, &on_bus, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);

	/* A parent may have left them blocked. */
	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGBUS);
	sigprocmask(SIG_UNBLOCK, &ours, NULL);
}

void signals_set_device(struct vsnd *dev)
{
	atomic_store(&device, dev);
}
