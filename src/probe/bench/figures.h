/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of a run, by part, row and name: medians over the rounds, as JSON and as tables. */
#ifndef PROBE_BENCH_FIGURES_H
#define PROBE_BENCH_FIGURES_H

#include <jansson.h>
#include <stdbool.h>

enum figures_side { SIDE_SUBJECT, SIDE_VERSUS, SIDE_REFERENCE, SIDES };

struct figures;

struct figures *figures_create(void);
void figures_free(struct figures *f);

/* Parts, rows and names are printed in the order they came first. */
void figures_put(struct figures *f, const char *part, const char *row, const char *name,
	enum figures_side side, double value);

/* {part: [{"row": row, "reference": {name: {median, min, max, rounds}}, "subject": …, "versus": …,
 * "ratio": {name: subject / versus}}]} */
json_t *figures_json(const struct figures *f);

/* With names for the first two sides. */
void figures_print(const struct figures *f, const char *subject, const char *versus);

#endif
