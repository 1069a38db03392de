/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers of the daemon for people. */
#ifndef VSND_CTL_SHOW_H
#define VSND_CTL_SHOW_H

#include <stdio.h>

#include <jansson.h>

void show_status(const json_t *status, FILE *f);
void show_jack(const json_t *jack, FILE *f);
void show_element(const json_t *element, FILE *f);

#endif
