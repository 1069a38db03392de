/* SPDX-License-Identifier: BSD-3-Clause */
/* A growing list of numbers, sorted when it is asked. */
#include "probe/stats.h"

#include <stdlib.h>

void samples_add(struct samples *s, int64_t v)
{
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 1024;
		int64_t *p = realloc(s->v, room * sizeof(*p));

		if (!p)
			return;
		s->v = p;
		s->room = room;
	}
	s->v[s->count++] = v;
}

void samples_free(struct samples *s)
{
	free(s->v);
	*s = (struct samples){ 0 };
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t samples_quantile(struct samples *s, unsigned per_mille)
{
	if (!s->count)
		return 0;
	qsort(s->v, s->count, sizeof(*s->v), ascending);
	return s->v[(s->count - 1) * per_mille / 1000];
}

int64_t samples_min(struct samples *s)
{
	return samples_quantile(s, 0);
}

int64_t samples_max(struct samples *s)
{
	return samples_quantile(s, 1000);
}
