/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/systemd.h"

#include <errno.h>
#include <systemd/sd-daemon.h>

int systemd_socket(void)
{
	int n = sd_listen_fds(1);

	if (n <= 0)
		return n < 0 ? n : -ENOENT;
	return n > 1 ? -E2BIG : SD_LISTEN_FDS_START;
}

void systemd_notify(const char *state)
{
	sd_notify(0, state);
}
