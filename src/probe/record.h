/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROBE_RECORD_H
#define PROBE_RECORD_H

#include "probe/options.h"

int record_command(const struct options *o);

#endif
