/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hooks of the clock and of the sound.
 *
 * An answer comes when everything that the command brought about is where the
 * driver can see it: cycles have been run, and what the audio thread left to this
 * one (events) is done, too.  So a harness need not wait to see that nothing
 * comes.
 */
#include "daemon/hooks.h"

#include <string.h>

/* Of one command, so that it answers soon. */
#define FRAMES_MAX (1 << 20)
#define CYCLES_MAX 10000
#define MOVED_MAX (1 << 24)
#define PLAYED_BYTES_MAX 16384
#define DELAY_MAX 1000000

static const char digits[] = "0123456789abcdef";

void hooks_to_hex(char *hex, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		*hex++ = digits[bytes[i] >> 4];
		*hex++ = digits[bytes[i] & 15];
	}
	*hex = '\0';
}

static int digit(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

int hooks_from_hex(const char *hex, uint8_t *bytes, size_t max)
{
	size_t n = strlen(hex) / 2;

	if (strlen(hex) % 2 || n > max)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return (int)n;
}

bool hooks_is_one_of(struct control_call *call, json_int_t n, unsigned count, const char *what)
{
	if (n >= 0 && n < count)
		return true;
	control_fail(call, "no %s %" JSON_INTEGER_FORMAT, what, n);
	return false;
}

static void set(struct control_call *call, const char *name, uint64_t value)
{
	json_object_set_new(call->reply, name, json_integer((json_int_t)value));
}

static enum control_result device(void *ctx, struct control_call *call)
{
	(void)ctx;
	if (!control_unpack(call, "{}"))
		return CONTROL_FAILED;
	set(call, "device_id", VSND_DEVICE_ID);
	return CONTROL_DONE;
}

static enum control_result reset(void *ctx, struct control_call *call)
{
	struct hooks *h = ctx;

	if (!control_unpack(call, "{}"))
		return CONTROL_FAILED;
	audio_test_set_delay(h->audio, 0);
	audio_test_set_open_error(h->audio, 0);
	audio_test_set_fails(h->audio, false);
	audio_test_set_stalled(h->audio, false);
	audio_test_hold_close(h->audio, false);
	audio_test_set_source(h->audio, NULL, NULL);
	audio_test_forget(h->audio);
	audio_test_set_real(h->audio, true);
	return CONTROL_DONE;
}

static enum control_result clock_(void *ctx, struct control_call *call)
{
	struct hooks *h = ctx;
	const char *clock;

	if (!control_unpack(call, "{s:s}", "clock", &clock))
		return CONTROL_FAILED;
	if (strcmp(clock, "manual") != 0 && strcmp(clock, "real") != 0)
		return control_fail(call, "no clock '%.40s'", clock);
	audio_test_set_real(h->audio, strcmp(clock, "real") == 0);
	return CONTROL_DONE;
}

static enum control_result advance(void *ctx, struct control_call *call)
{
	struct hooks *h = ctx;
	json_int_t frames, cycles = 1;

	if (!control_unpack(call, "{s:I, s?I}", "frames", &frames, "cycles", &cycles))
		return CONTROL_FAILED;
	if (audio_test_is_real(h->audio))
		return control_fail(call, "the clock is not manual");
	if (frames < 0 || frames > FRAMES_MAX || cycles < 1 || cycles > CYCLES_MAX ||
			frames * cycles > MOVED_MAX)
		return control_fail(call, "too far");
	audio_test_advance(h->audio, (size_t)frames, (unsigned)cycles);
	vsnd_run(h->dev);
	set(call, "now_ns", (uint64_t)audio_test_now_ns(h->audio));
	return CONTROL_DONE;
}

static enum control_result played(void *ctx, struct control_call *call)
{
	char hex[2 * PLAYED_BYTES_MAX + 1];
	uint8_t bytes[PLAYED_BYTES_MAX];
	json_int_t stream, offset, n;
	struct hooks *h = ctx;
	size_t total;

	if (!control_unpack(call, "{s:I, s:I, s:I}", "stream", &stream, "offset", &offset,
			"bytes", &n) ||
			!hooks_is_one_of(call, stream, h->settings.streams, "stream"))
		return CONTROL_FAILED;
	if (offset < 0 || n < 0 || n > PLAYED_BYTES_MAX)
		return control_fail(call, "at most %d bytes", PLAYED_BYTES_MAX);
	n = (json_int_t)audio_test_copy_played(h->audio, (unsigned)stream, (size_t)offset, bytes,
		(size_t)n);
	hooks_to_hex(hex, bytes, (size_t)n);
	json_object_set_new(call->reply, "hex", json_string(hex));
	audio_test_played(h->audio, (unsigned)stream, &total);
	set(call, "total", total);
	return CONTROL_DONE;
}

static enum control_result forget(void *ctx, struct control_call *call)
{
	struct hooks *h = ctx;

	if (!control_unpack(call, "{}"))
		return CONTROL_FAILED;
	audio_test_forget(h->audio);
	return CONTROL_DONE;
}

static enum control_result source(void *ctx, struct control_call *call)
{
	uint8_t bytes[AUDIO_TEST_BYTES_MAX];
	const char *name, *hex = NULL;
	struct hooks *h = ctx;
	int n;

	if (!control_unpack(call, "{s:s, s?s}", "source", &name, "hex", &hex))
		return CONTROL_FAILED;
	if (strcmp(name, "silence") == 0) {
		audio_test_set_source(h->audio, NULL, NULL);
	} else if (strcmp(name, "ramp") == 0) {
		audio_test_set_ramp(h->audio);
	} else if (strcmp(name, "bytes") == 0 && hex) {
		n = hooks_from_hex(hex, bytes, sizeof(bytes));
		if (n <= 0)
			return control_fail(call, "not 1 to %zu bytes", sizeof(bytes));
		audio_test_set_bytes(h->audio, bytes, (size_t)n);
	} else {
		return control_fail(call, "no source '%.40s'", name);
	}
	return CONTROL_DONE;
}

static enum control_result delay(void *ctx, struct control_call *call)
{
	struct hooks *h = ctx;
	json_int_t frames;

	if (!control_unpack(call, "{s:I}", "frames", &frames))
		return CONTROL_FAILED;
	if (frames < 0 || frames > DELAY_MAX)
		return control_fail(call, "not 0 to %d frames", DELAY_MAX);
	audio_test_set_delay(h->audio, frames);
	return CONTROL_DONE;
}

static enum control_result fail(void *ctx, struct control_call *call)
{
	int open = -1, io = -1;
	struct hooks *h = ctx;

	if (!control_unpack(call, "{s?b, s?b}", "open", &open, "io", &io))
		return CONTROL_FAILED;
	if (open >= 0)
		audio_test_set_open_error(h->audio, open ? -5 : 0);
	if (io >= 0)
		audio_test_set_fails(h->audio, io);
	return CONTROL_DONE;
}

static enum control_result stall(void *ctx, struct control_call *call)
{
	int close = -1, io = -1;
	struct hooks *h = ctx;

	if (!control_unpack(call, "{s?b, s?b}", "close", &close, "io", &io))
		return CONTROL_FAILED;
	if (close >= 0)
		audio_test_hold_close(h->audio, close);
	if (io >= 0)
		audio_test_set_stalled(h->audio, io);
	return CONTROL_DONE;
}

/* A voice that is open. */
static void set_params(struct control_call *call, const struct vsnd_voice_params *p)
{
	json_object_set_new(call->reply, "format",
		json_string(vsnd_format_info(p->format)->name));
	set(call, "rate", p->rate_hz);
	set(call, "channels", p->channels);
	set(call, "period_bytes", (uint64_t)p->period_frames * p->frame_bytes);
	set(call, "buffer_bytes", (uint64_t)p->buffer_frames * p->frame_bytes);
}

static enum control_result stream(void *ctx, struct control_call *call)
{
	const struct vsnd_voice_params *p;
	struct audio_test_counters n;
	struct hooks *h = ctx;
	json_int_t id;
	size_t bytes;

	if (!control_unpack(call, "{s:I}", "stream", &id) ||
			!hooks_is_one_of(call, id, h->settings.streams, "stream"))
		return CONTROL_FAILED;
	p = audio_test_params(h->audio, (unsigned)id);
	json_object_set_new(call->reply, "open", json_boolean(p));
	if (p)
		set_params(call, p);
	audio_test_counters(h->audio, (unsigned)id, &n);
	audio_test_played(h->audio, (unsigned)id, &bytes);
	set(call, "frames", n.frames);
	set(call, "guest_frames", n.guest_frames);
	set(call, "opened", n.opened);
	set(call, "played_bytes", bytes);
	set(call, "lost_bytes", n.lost_bytes);
	set(call, "fifo_bytes", 0);	/* from guest memory straight to what is kept */
	return CONTROL_DONE;
}

static enum control_result counters(void *ctx, struct control_call *call)
{
	struct hooks *h = ctx;

	if (!control_unpack(call, "{}"))
		return CONTROL_FAILED;
	set(call, "cycles", audio_test_cycles(h->audio));
	set(call, "voices", audio_test_voices(h->audio));
	set(call, "running", audio_test_voices_running(h->audio));
	set(call, "closing", audio_test_voices_closing(h->audio));
	set(call, "now_ns", (uint64_t)audio_test_now_ns(h->audio));
	return CONTROL_DONE;
}

const struct control_command hooks_commands[] = {
	{ "test-device", device },
	{ "test-reset", reset },
	{ "test-clock", clock_ },
	{ "test-advance", advance },
	{ "test-played", played },
	{ "test-forget", forget },
	{ "test-source", source },
	{ "test-delay", delay },
	{ "test-fail", fail },
	{ "test-stall", stall },
	{ "test-stream", stream },
	{ "test-counters", counters },
};
const unsigned hooks_command_count = sizeof(hooks_commands) / sizeof(hooks_commands[0]);
