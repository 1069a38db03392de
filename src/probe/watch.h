/* SPDX-License-Identifier: BSD-3-Clause */
/* The sub-command watch: what the device tells on its own. */
#ifndef PROBE_WATCH_H
#define PROBE_WATCH_H

#include "probe/options.h"

int watch_command(const struct options *o);

#endif
