/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration file.  What is taken makes a card that the library accepts,
 * and printed and read again it is the same.
 */
#include <stdlib.h>
#include <string.h>

#include <vsnd/audio.h>

#include "daemon/card.h"
#include "device/device.h"

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

static void check_card(const struct config *c)
{
	static const struct vsnd_audio_ops ops = { .name = "fuzz" };
	static struct card card;
	struct vsnd_settings settings;

	card_init(&card, c, &settings);
	settings.audio = &ops;
	if (settings_check(&settings) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config c;
	char *first, *second;

	if (!read_text(&c, (const char *)data, size))
		return 0;
	check_card(&c);
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
