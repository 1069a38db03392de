/* SPDX-License-Identifier: BSD-3-Clause */
/* A status that is live. */
#ifndef VSND_CTL_TOP_H
#define VSND_CTL_TOP_H

#include <stdbool.h>

#include "ctl/client.h"

/*
 * Show the status every second, or with @json print the daemon's answer in a line, until
 * SIGINT, SIGTERM, or nobody reads standard output any more (0), or the daemon does not
 * answer (-1, it has been said).
 */
int top_run(struct client *c, bool json);

#endif
