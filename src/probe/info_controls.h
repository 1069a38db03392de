/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of info that is about control elements. */
#ifndef PROBE_INFO_CONTROLS_H
#define PROBE_INFO_CONTROLS_H

#include <jansson.h>

#include "probe/sound.h"

/* Adds "controls" to root.  0 or negative errno with a complaint. */
int info_collect_controls(struct sound *s, json_t *root);

/* One of them, appended to a list. */
int info_collect_control(struct sound *s, uint32_t id, json_t *list);

/* One of them in words. */
void info_print_control(size_t i, const json_t *control);

#endif
