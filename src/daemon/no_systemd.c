/* SPDX-License-Identifier: BSD-3-Clause */
/* In place of systemd.c in a build without systemd's protocols. */
#include "daemon/systemd.h"

#include <errno.h>

int systemd_socket(void)
{
	return -ENOENT;
}

void systemd_notify(const char *state)
{
	(void)state;
}
