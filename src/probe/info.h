/* SPDX-License-Identifier: BSD-3-Clause */
/* The sub-command info: everything a device says about itself. */
#ifndef PROBE_INFO_H
#define PROBE_INFO_H

#include "probe/options.h"

int info_command(const struct options *o);

#endif
