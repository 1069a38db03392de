/* SPDX-License-Identifier: BSD-3-Clause */
/* The sub-command play: files through output streams, with measurements. */
#ifndef PROBE_PLAY_H
#define PROBE_PLAY_H

#include "probe/options.h"

int play_command(const struct options *o);

#endif
