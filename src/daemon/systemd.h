/* SPDX-License-Identifier: BSD-3-Clause */
/* What systemd gives a service and wants to know of it; nothing in a build without it. */
#ifndef VSND_DAEMON_SYSTEMD_H
#define VSND_DAEMON_SYSTEMD_H

/* The one socket that was passed in, -ENOENT if there is none, -E2BIG if there are more. */
int systemd_socket(void);

/* Tell the state, e.g. "READY=1". */
void systemd_notify(const char *state);

#endif
