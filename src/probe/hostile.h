/* The sub-command hostile: input that no decent guest or front-end sends. */
#ifndef PROBE_HOSTILE_H
#define PROBE_HOSTILE_H

#include "probe/options.h"

int hostile_command(const struct options *o);

#endif
