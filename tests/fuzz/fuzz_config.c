/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration file.  What is taken,
 * printed and read again is the same.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *printed(const struct config *c)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
	config_print(c, f);
	fclose(f);
	return text;
}

static bool read_text(struct config *c, const char *text, size_t len)
{
	struct config_error error;

	config_init(c);
	return config_parse(c, text, len, &error) && config_complete(c, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config c;
	char *first, *second;

	if (!read_text(&c, (const char *)data, size))
		return 0;
	first = printed(&c);
	/* More than a file may have is no fault of the reader. */
	if (strlen(first) <= CONFIG_BYTES_MAX) {
		if (!read_text(&c, first, strlen(first)))
			abort();
		second = printed(&c);
		if (strcmp(first, second) != 0)
			abort();
		free(second);
	}
	free(first);
	return 0;
}
