/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe/conform/hook.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "probe/conform/played.h"
#include "probe/report.h"

#define PIECE	  16384u
#define CONNECT_MS 5000

static int hook_call(struct conform *c, json_t **ret, const char *command, const char *args,
	va_list ap)
{
	json_t *packed;
	char *text;
	int err;

	if (!hooks_knows(&c->hooks, command))
		return skip(c, "the back-end's hooks have no %s", command);
	packed = json_vpack_ex(NULL, 0, args, ap);
	text = json_dumps(packed, JSON_COMPACT);
	trace(c, "=> %s %s", command, text ? text : "");
	free(text);
	err = hooks_call(&c->hooks, command, packed, ret);
	INSIST(c, !err, "%s", complaint());
	return 0;
}

int hook(struct conform *c, const char *command, const char *args, ...)
{
	va_list ap;
	int err;

	va_start(ap, args);
	err = hook_call(c, NULL, command, args, ap);
	va_end(ap);
	return err;
}

int hook_ask(struct conform *c, json_t **ret, const char *command, const char *args, ...)
{
	va_list ap;
	int err;

	va_start(ap, args);
	err = hook_call(c, ret, command, args, ap);
	va_end(ap);
	return err;
}

int rig_hooks(struct conform *c)
{
	char *path;
	int err;

	if (!c->o->hooks)
		return skip(c, "needs the back-end's hooks (--hooks)");
	if (!c->hooked) {
		path = spawn_expand(&c->session.backend, c->o->hooks);
		INSIST(c, path, "out of memory");
		err = hooks_open(&c->hooks, path, c->o->spawn ? CONNECT_MS : 0, answer_ms(c));
		free(path);
		INSIST(c, !err, "%s", complaint());
		c->hooked = true;
	}
	return hook(c, "test-reset", "{}");
}

int hook_manual(struct conform *c)
{
	TRY(rig_hooks(c));
	return hook(c, "test-clock", "{s:s}", "clock", "manual");
}

int hook_up(struct conform *c, unsigned direction, uint32_t *ret_stream)
{
	TRY(up_with(c, direction, ret_stream));
	return hook_manual(c);
}

int hook_advance(struct conform *c, uint32_t frames, unsigned cycles)
{
	TRY(hook(c, "test-advance", "{s:i, s:i}", "frames", (int)frames, "cycles", (int)cycles));
	return rig_poll(c, 0);
}

static int number(struct conform *c, json_t *answer, const char *name, uint64_t *ret)
{
	const json_t *value = json_object_get(answer, name);
	bool is = json_is_integer(value);

	*ret = (uint64_t)json_integer_value(value);
	json_decref(answer);
	INSIST(c, is, "the hooks' answer has no number %s", name);
	return 0;
}

int hook_stream(struct conform *c, uint32_t stream, const char *name, uint64_t *ret)
{
	json_t *answer = NULL;

	TRY(hook_ask(c, &answer, "test-stream", "{s:i}", "stream", (int)stream));
	return number(c, answer, name, ret);
}

int hook_counter(struct conform *c, const char *name, uint64_t *ret)
{
	json_t *answer = NULL;

	TRY(hook_ask(c, &answer, "test-counters", "{}"));
	return number(c, answer, name, ret);
}

static int from_hex(char d)
{
	return d >= '0' && d <= '9' ? d - '0' : d >= 'a' && d <= 'f' ? d - 'a' + 10 : -1;
}

/* False for anything but digits of whole bytes. */
static bool append_hex(uint8_t *p, const char *hex, size_t *ret_bytes)
{
	size_t n = hex ? strlen(hex) / 2 : 0;

	for (size_t i = 0; i < n; i++) {
		int high = from_hex(hex[2 * i]), low = from_hex(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		p[i] = (uint8_t)(high << 4 | low);
	}
	*ret_bytes = n;
	return hex && !hex[2 * n];
}

/* A piece, behind those that are there. */
static int played_piece(struct conform *c, uint32_t stream, uint8_t *to, size_t at, size_t *ret)
{
	json_t *answer = NULL;
	bool good;

	TRY(hook_ask(c, &answer, "test-played", "{s:i, s:I, s:i}", "stream", (int)stream, "offset",
		(json_int_t)at, "bytes", (int)PIECE));
	good = json_string_length(json_object_get(answer, "hex")) <= (size_t)2 * PIECE &&
		append_hex(to, json_string_value(json_object_get(answer, "hex")), ret);
	json_decref(answer);
	INSIST(c, good, "what was played is not %u bytes in hexadecimal digits", PIECE);
	return 0;
}

int hook_played(struct conform *c, uint32_t stream, const uint8_t **ret, size_t *ret_bytes)
{
	static uint8_t *bytes;
	uint64_t total;
	size_t at = 0, n = 0;

	TRY(hook_stream(c, stream, "played_bytes", &total));
	INSIST(c, total < 1u << 26, "%llu bytes were played", (unsigned long long)total);
	free(bytes);
	bytes = malloc((size_t)total + PIECE);
	INSIST(c, bytes, "out of memory");
	for (; at < total; at += n) {
		TRY(played_piece(c, stream, bytes + at, at, &n));
		INSIST(c, n, "of %llu bytes played only %zu can be had", (unsigned long long)total,
			at);
	}
	*ret = bytes;
	*ret_bytes = at;
	return 0;
}

int hook_heard(struct conform *c, uint32_t stream, uint64_t from, size_t bytes, size_t silence)
{
	const uint8_t *p;
	uint8_t want;
	size_t n;

	TRY(hook_played(c, stream, &p, &n));
	EXPECT_EQ(c, n, bytes + silence, "bytes that stream %u has played", stream);
	for (size_t i = 0; i < n; i++) {
		want = 0;
		if (i < bytes)
			pattern_fill(&want, from + i, 1);
		EXPECT_EQ(c, p[i], want, "byte %zu of %zu that were played", i, n);
	}
	return 0;
}

struct pcm_params roomy_params(const struct conform *c, uint32_t stream, unsigned periods)
{
	struct pcm_params p = stream_params(c, stream);

	p.buffer_bytes = periods * p.period_bytes;
	return p;
}

int hook_prepare(struct conform *c, uint32_t stream, const struct pcm_params *p)
{
	TRY(must_params(c, stream, p));
	return must_pcm(c, SND_R_PCM_PREPARE, stream);
}

int hook_one_event(struct conform *c, uint32_t code, uint32_t data)
{
	const struct rig *r = &c->rig;
	const struct event *e = &r->log[(r->events - 1) % EVENT_LOG];
	unsigned came = r->events - c->rig.events_seen;

	c->rig.events_seen = r->events;
	if (!code) {
		EXPECT(c, !came, "%u events came, the last 0x%x data 0x%x; none was due", came,
			e->code, e->data);
		return 0;
	}
	EXPECT_EQ(c, came, 1, "events that came for event 0x%x data 0x%x", code, data);
	EXPECT_EQ(c, e->code, code, "the event's code");
	EXPECT_EQ(c, e->data, data, "the event's data");
	EXPECT_EQ(c, e->len, 8, "the event's used length");
	return 0;
}

int hook_plug(struct conform *c, uint32_t jack, bool connected)
{
	TRY(hook(c, "test-jack", "{s:i, s:b}", "jack", (int)jack, "connected", (int)connected));
	return rig_poll(c, 0);
}

int events_give(struct conform *c, struct chain *ch, unsigned n, uint32_t bytes)
{
	for (unsigned i = 0; i < n; i++) {
		TRY(chain_init(c, &ch[i], Q_EVENT, 0, bytes));
		TRY(chain_post(c, &ch[i]));
	}
	rig_kick(c, Q_EVENT);
	return 0;
}
