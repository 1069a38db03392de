/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon/lines.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

char *lines_room(struct lines *l, size_t *ret_size)
{
	memmove(l->data, l->data + l->start, l->end - l->start);
	l->end -= l->start;
	l->start = 0;
	*ret_size = sizeof(l->data) - l->end;
	return l->data + l->end;
}

void lines_added(struct lines *l, size_t size)
{
	assert(size <= sizeof(l->data) - l->end);
	l->end += size;
}

/* What there is of a line without an end. */
static int unfinished(struct lines *l)
{
	bool too_long = l->end - l->start == sizeof(l->data);

	if (!l->skipping && !too_long)
		return -EAGAIN;
	l->start = l->end;
	if (l->skipping)
		return -EAGAIN;
	l->skipping = true;
	return -E2BIG;
}

int lines_next(struct lines *l, const char **ret_line, size_t *ret_len)
{
	for (;;) {
		const char *line = l->data + l->start;
		const char *end = memchr(line, '\n', l->end - l->start);
		bool skipped = l->skipping;

		if (!end)
			return unfinished(l);
		l->start += (size_t)(end - line) + 1;
		l->skipping = false;
		if (skipped)
			continue;
		*ret_line = line;
		*ret_len = (size_t)(end - line);
		return 0;
	}
}
