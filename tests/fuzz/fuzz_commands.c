/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arguments of the control socket's commands: lines, each a request to a device of
 * its own.  Whatever they say, each is answered, and what the host's side has set is
 * within its range.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audio/test.h"
#include "daemon/commands.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct control_tables tables;

/* In place of the socket and of the server. */

void control_add(struct control *control, const struct control_command *commands, unsigned n,
		void *ctx)
{
	(void)control;
	tables.table[tables.tables++] = (struct control_table){
		.command = commands,
		.commands = n,
		.ctx = ctx,
	};
}

void vu_server_status(const struct vu_server *server, struct vu_server_status *ret)
{
	(void)server;
	*ret = (struct vu_server_status){ .connected = true };
}

static void check(struct vsnd *dev, unsigned streams)
{
	struct vsnd_stream_status s;

	for (unsigned i = 0; i < streams; i++) {
		if (vsnd_stream_status(dev, i, &s) < 0 || s.millibels < VSND_MILLIBELS_MIN ||
				s.millibels > VSND_MILLIBELS_MAX)
			abort();
	}
}

static void serve(const char *line, size_t len)
{
	json_t *answer = control_serve(&tables, line, len);

	if (!json_is_boolean(json_object_get(answer, "ok")))
		abort();
	json_decref(answer);
}

static void card_of(struct config *config, struct card *card, struct vsnd_settings *settings)
{
	const struct config_overrides wanted = {
		.controls = true,
		.streams = { .given = true, .outputs = 2, .inputs = 1 },
	};
	struct config_error error;

	config_init(config);
	config_override(config, &wanted);
	if (!config_complete(config, &error))
		abort();
	card_init(card, config, settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	static struct card card;
	struct commands commands = { .config = &config, .card = &card, .audio = "test" };
	struct vsnd_audio *audio;
	struct audio_test_config audio_config = { .ret_audio = &audio, .real = true };
	const char *at = (const char *)data, *end = at + size;
	struct vsnd_settings settings;

	card_of(&config, &card, &settings);
	settings.audio = &audio_test_ops;
	settings.audio_config = &audio_config;
	if (vsnd_create(&settings, &commands.dev) < 0)
		abort();
	tables.tables = 0;
	commands_add(NULL, &commands);
	while (at < end) {
		const char *line = at, *newline = memchr(at, '\n', (size_t)(end - at));

		at = newline ? newline + 1 : end;
		serve(line, (size_t)((newline ? newline : end) - line));
	}
	check(commands.dev, config.streams);
	vsnd_destroy(&commands.dev);
	return 0;
}
