/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arguments of the hooks: lines, each a request to a device of its own.  Whatever
 * they say, each is answered with an object, and the device is still there.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/card.h"
#include "daemon/hooks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void serve(const struct control_tables *tables, const char *line, size_t len)
{
	json_t *answer = control_serve(tables, line, len);

	if (!json_is_boolean(json_object_get(answer, "ok")))
		abort();
	json_decref(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vsnd_ctl_settings ctl[CARD_CTLS_MAX + CARD_CTLS_EXTRA];
	struct hooks h = { .dev = NULL };
	struct audio_test_config config = { .ret_audio = &h.audio, .real = true };
	const struct control_tables tables = {
		.tables = 2,
		.table = {
			{ .command = hooks_commands, .commands = hooks_command_count, .ctx = &h },
			{ .command = hooks_card_commands, .commands = hooks_card_command_count,
				.ctx = &h },
		},
	};
	const char *at = (const char *)data, *end = at + size;

	vsnd_settings_init(&h.settings);
	h.settings.audio = &audio_test_ops;
	h.settings.audio_config = &config;
	h.settings.ctls = vsnd_ctl_defaults(&h.settings, ctl, CARD_CTLS_MAX);
	h.settings.ctl = ctl;
	hooks_elements(&h.settings, ctl);
	if (vsnd_create(&h.settings, &h.dev) < 0)
		abort();
	while (at < end) {
		const char *line = at, *newline = memchr(at, '\n', (size_t)(end - at));

		at = newline ? newline + 1 : end;
		serve(&tables, line, (size_t)((newline ? newline : end) - line));
	}
	vsnd_destroy(&h.dev);
	return 0;
}
