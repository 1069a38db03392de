/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A list of figures, looked up by name: there are a few hundred, handed in a few times a
 * second.
 */
#include "probe/bench/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 40
#define FIGURES_MAX 1024
#define VALUES_MAX 64	/* of a side; more rounds than that are left out */

struct figure {
	const char *part; /* static */
	char row[NAME_BYTES], name[NAME_BYTES];
	unsigned count[SIDES];
	double value[SIDES][VALUES_MAX];
};

struct figures {
	unsigned count;
	struct figure figure[FIGURES_MAX];
};

static const char *const sides[SIDES] = {
	[SIDE_SUBJECT] = "subject",
	[SIDE_VERSUS] = "versus",
	[SIDE_REFERENCE] = "reference",
};

struct figures *figures_create(void)
{
	return calloc(1, sizeof(struct figures));
}

void figures_free(struct figures *f)
{
	free(f);
}

static bool same_row(const struct figure *a, const char *part, const char *row)
{
	return !strcmp(a->part, part) && !strcmp(a->row, row);
}

static struct figure *find(struct figures *f, const char *part, const char *row, const char *name)
{
	struct figure *g = f->figure;

	for (; g < f->figure + f->count; g++)
		if (same_row(g, part, row) && !strcmp(g->name, name))
			return g;
	if (f->count == FIGURES_MAX)
		return NULL;
	f->count++;
	g->part = part;
	snprintf(g->row, sizeof(g->row), "%s", row);
	snprintf(g->name, sizeof(g->name), "%s", name);
	return g;
}

void figures_put(struct figures *f, const char *part, const char *row, const char *name,
	enum figures_side side, double value)
{
	struct figure *g = find(f, part, row, name);

	if (g && g->count[side] < VALUES_MAX)
		g->value[side][g->count[side]++] = value;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorted values of a side; the number of them. */
static unsigned sorted(const struct figure *g, enum figures_side side, double ret[VALUES_MAX])
{
	memcpy(ret, g->value[side], sizeof(g->value[side]));
	qsort(ret, g->count[side], sizeof(*ret), ascending);
	return g->count[side];
}

static double median(const struct figure *g, enum figures_side side)
{
	double v[VALUES_MAX];
	unsigned n = sorted(g, side, v);

	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static bool has_ratio(const struct figure *g)
{
	return g->count[SIDE_SUBJECT] && g->count[SIDE_VERSUS] && median(g, SIDE_VERSUS) != 0;
}

static double ratio(const struct figure *g)
{
	return median(g, SIDE_SUBJECT) / median(g, SIDE_VERSUS);
}

static json_t *member(json_t *parent, const char *name, json_t *fresh)
{
	json_t *o = json_object_get(parent, name);

	if (o) {
		json_decref(fresh);
		return o;
	}
	json_object_set_new(parent, name, fresh);
	return fresh;
}

static json_t *row_object(json_t *rows, const char *row)
{
	json_t *o;
	size_t i;

	json_array_foreach(rows, i, o) {
		if (!strcmp(json_string_value(json_object_get(o, "row")), row))
			return o;
	}
	o = json_pack("{s:s}", "row", row);
	json_array_append_new(rows, o);
	return o;
}

json_t *figures_json(const struct figures *f)
{
	json_t *root = json_object();

	for (const struct figure *g = f->figure; g < f->figure + f->count; g++) {
		json_t *row = row_object(member(root, g->part, json_array()), g->row);

		for (unsigned side = 0; side < SIDES; side++) {
			double v[VALUES_MAX];
			unsigned n = sorted(g, side, v);

			if (n)
				json_object_set_new(member(row, sides[side], json_object()), g->name,
					json_pack("{s:f s:f s:f s:i}", "median", median(g, side),
						"min", v[0], "max", v[n - 1], "rounds", (int)n));
		}
		if (has_ratio(g))
			json_object_set_new(member(row, "ratio", json_object()), g->name,
				json_real(ratio(g)));
	}
	return root;
}

/* The first figure of each row of a part, in turn. */
static const struct figure *next_row(const struct figures *f, const struct figure *g)
{
	const char *part = g->part;

	for (g++; g < f->figure + f->count; g++) {
		const struct figure *first = f->figure;

		if (strcmp(g->part, part))
			continue;
		while (!same_row(first, part, g->row))
			first++;
		if (first == g)
			return g;
	}
	return NULL;
}

static void print_value(double v)
{
	if (v != 0 && v < 10 && v > -10)
		printf("%12.3f", v);
	else
		printf("%12.1f", v);
}

static void print_figure(const struct figure *g, bool versus)
{
	printf("    %-26s", g->name);
	for (unsigned side = 0; side < SIDES; side++) {
		if (side == SIDE_VERSUS && !versus)
			continue;
		if (g->count[side])
			print_value(median(g, side));
		else
			printf("%12s", "");
	}
	if (has_ratio(g))
		printf("%10.2f", ratio(g));
	printf("\n");
}

void figures_print(const struct figures *f, const char *subject, const char *versus)
{
	const char *part = "";

	printf("subject: %s\n", subject);
	if (versus)
		printf("versus:  %s\n", versus);
	for (const struct figure *first = f->figure; first < f->figure + f->count; first++) {
		if (!strcmp(first->part, part))
			continue;
		part = first->part;
		printf("\n%-30s%12s", part, "subject");
		if (versus)
			printf("%12s", "versus");
		printf("%12s%s\n", "reference", versus ? "     ratio" : "");
		for (const struct figure *row = first; row; row = next_row(f, row)) {
			printf("  %s\n", row->row);
			for (const struct figure *g = row; g < f->figure + f->count; g++)
				if (same_row(g, part, row->row))
					print_figure(g, versus);
		}
	}
}
