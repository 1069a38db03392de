/* SPDX-License-Identifier: BSD-3-Clause */
/* Control elements: reading and writing their values, and what those do. */
#include <string.h>

#include "probe/bytes.h"
#include "probe/conform/chapters.h"
#include "probe/conform/elements.h"
#include "probe/conform/played.h"

#define ROLE_PLAYBACK_VOLUME 2u
#define ROLE_PLAYBACK_MUTE   4u
#define ROLE_CAPTURE_MUTE    5u
#define TLV_DB_SCALE	     1u /* of ALSA */
#define TLV_DB_SCALE_MUTE    0x10000u

static int64_t member(const struct element_info *e, const uint8_t *value, uint32_t k)
{
	return e->type == INTEGER64 ? (int64_t)get64(value + 8 * k)
		: (int32_t)get32(value + 4 * k);
}

static int reads(struct conform *c)
{
	struct element_info e;
	struct answer a, v;
	uint32_t n;

	TRY(elements_up(c, &a, &n));
	for (uint32_t i = 0; i < n; i++) {
		element_decode(&a, i, &e);
		if (!(e.access & A_READ))
			continue;
		TRY(value_read(c, i, &v));
		EXPECT_EQ(c, v.status, SND_S_OK, "CTL_READ of control %u", i);
		EXPECT(c, v.len >= 4 + value_bytes(&e), "%u bytes of value", v.len - 4);
		if (e.type == ENUMERATED)
			e.max = (int64_t)e.items - 1;
		for (uint32_t k = 0; k < e.count && e.type <= ENUMERATED; k++) {
			int64_t x = member(&e, v.chain.in + 4, k);

			EXPECT(c, x >= e.min && x <= e.max,
				"value %lld of control %u, range %lld to %lld", (long long)x, i,
				(long long)e.min, (long long)e.max);
		}
	}
	return 0;
}

/* Another value and back, in every element that can be written. */
static int writes(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	uint8_t value[VALUE_BYTES];
	struct answer a, before, v;
	uint32_t n, status, tried = 0;

	TRY(elements_up(c, &a, &n));
	while (element_next(&a, n, A_READ | A_WRITE, A_VOLATILE | A_INACTIVE, &e)) {
		tried++;
		TRY(value_read(c, e.id, &before));
		for (unsigned back = 0; back < 2; back++) {
			value_other(&e, before.chain.in + 4, value);
			if (back)
				memcpy(value, before.chain.in + 4, VALUE_BYTES);
			TRY(value_write(c, e.id, value, VALUE_BYTES, &status));
			EXPECT_EQ(c, status, SND_S_OK, "CTL_WRITE of control %u", e.id);
			TRY(value_read(c, e.id, &v));
			EXPECT(c, !memcmp(v.chain.in + 4, value, value_bytes(&e)),
				"control %u does not hold what was written", e.id);
		}
	}
	return tried ? 0 : skip(c, "no control can be written");
}

static int not_readable(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	struct answer a, v;
	uint32_t n, tried = 0;

	TRY(elements_up(c, &a, &n));
	for (; element_next(&a, n, 0, A_READ, &e); tried++) {
		TRY(value_read(c, e.id, &v));
		EXPECT_EQ(c, v.status, SND_S_NOT_SUPP, "CTL_READ of control %u without READ", e.id);
		EXPECT_EQ(c, v.len, 4, "its used length");
	}
	return tried ? 0 : skip(c, "every control can be read");
}

static int not_writable(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	uint8_t value[VALUE_BYTES] = { 0 };
	struct answer a;
	uint32_t n, status, tried = 0;

	TRY(elements_up(c, &a, &n));
	for (; element_next(&a, n, 0, A_WRITE, &e); tried++) {
		TRY(value_write(c, e.id, value, VALUE_BYTES, &status));
		EXPECT(c, status != SND_S_OK, "control %u can be written without WRITE", e.id);
	}
	return tried ? 0 : skip(c, "every control can be written");
}

/* The first member another valid value, the last one beyond the range. */
static bool make_out_of_range(const struct element_info *e, const uint8_t *now, uint8_t *value)
{
	uint32_t last = e->count - 1;

	value_other(e, now, value);
	if (e->type == ENUMERATED)
		put32(value + 4 * last, e->items);
	else if (e->type == BOOLEAN || (e->type == INTEGER && e->max < INT32_MAX))
		put32(value + 4 * last, (uint32_t)(e->max + 1));
	else if (e->type == INTEGER64 && e->max < INT64_MAX)
		put64(value + 8 * last, (uint64_t)(e->max + 1));
	else
		return false;
	return true;
}

static int out_of_range(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	uint8_t value[VALUE_BYTES];
	struct answer a, before, after;
	uint32_t n, status, tried = 0;

	TRY(elements_up(c, &a, &n));
	while (element_next(&a, n, A_READ | A_WRITE, A_VOLATILE | A_INACTIVE, &e)) {
		TRY(value_read(c, e.id, &before));
		if (!make_out_of_range(&e, before.chain.in + 4, value))
			continue;
		tried++;
		TRY(value_write(c, e.id, value, VALUE_BYTES, &status));
		EXPECT_EQ(c, status, SND_S_BAD_MSG, "a value out of range for control %u", e.id);
		TRY(value_read(c, e.id, &after));
		EXPECT(c, !memcmp(before.chain.in, after.chain.in, 4 + value_bytes(&e)),
			"control %u changed", e.id);
	}
	return tried ? 0 : skip(c, "no control has a range and can be written");
}

static int short_values(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	struct answer a, v;
	uint32_t n, status, tried = 0;

	TRY(elements_up(c, &a, &n));
	for (; element_next(&a, n, A_READ | A_WRITE, 0, &e); tried++) {
		TRY(value_read(c, e.id, &v));
		TRY(value_write(c, e.id, v.chain.in + 4, value_bytes(&e), &status));
		EXPECT_EQ(c, status, SND_S_OK, "exactly the values of control %u", e.id);
		TRY(value_write(c, e.id, v.chain.in + 4, value_bytes(&e) - 1, &status));
		EXPECT_EQ(c, status, SND_S_BAD_MSG, "a byte too little for control %u", e.id);
	}
	return tried ? 0 : skip(c, "no control can be read and written");
}

static int read_room(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	struct answer a, v;
	uint32_t n, tried = 0;

	TRY(elements_up(c, &a, &n));
	for (; element_next(&a, n, A_READ, 0, &e); tried++) {
		uint32_t bytes = value_bytes(&e);

		TRY(value_read(c, e.id, &v));
		EXPECT_EQ(c, v.len, 4 + VALUE_BYTES, "used length of a whole value");
		for (uint32_t k = bytes; k < VALUE_BYTES; k++)
			EXPECT_EQ(c, v.chain.in[4 + k], 0, "byte %u of the value of control %u", k,
				e.id);
		TRY(element_ask(c, R_VALUE_READ, e.id, NULL, 0, 4 + bytes, &v));
		EXPECT_EQ(c, v.status, SND_S_OK, "CTL_READ with room for the values only");
		EXPECT_EQ(c, v.len, 4 + bytes, "its used length");
		TRY(element_ask(c, R_VALUE_READ, e.id, NULL, 0, 4 + bytes - 1, &v));
		EXPECT_EQ(c, v.status, SND_S_BAD_MSG, "CTL_READ with a byte too little room");
	}
	return tried ? 0 : skip(c, "no control can be read");
}

static int inactive(struct conform *c)
{
	struct element_info e = { .id = UINT32_MAX };
	uint8_t value[VALUE_BYTES];
	struct answer a, v;
	uint32_t n, status, tried = 0;

	TRY(elements_up(c, &a, &n));
	for (; element_next(&a, n, A_READ | A_WRITE | A_INACTIVE, 0, &e); tried++) {
		TRY(value_read(c, e.id, &v));
		EXPECT_EQ(c, v.status, SND_S_OK, "CTL_READ of the inactive control %u", e.id);
		value_other(&e, v.chain.in + 4, value);
		TRY(value_write(c, e.id, value, VALUE_BYTES, &status));
		EXPECT_EQ(c, status, SND_S_OK, "CTL_WRITE of the inactive control %u", e.id);
	}
	return tried ? 0 : skip(c, "no control is inactive");
}

/* Whether the lowest value of a volume is silence: a dB scale says so. */
static int silent_at_bottom(struct conform *c, const struct element_info *e, bool *ret)
{
	struct answer t;

	*ret = e->type == BOOLEAN;
	if (!(e->access & A_TLV_READ))
		return 0;
	TRY(element_ask(c, R_TLV_READ, e->id, NULL, 0, 4 + TLV_HEADER_BYTES + 8, &t));
	*ret = t.len == 4 + TLV_HEADER_BYTES + 8 && get32(t.chain.in + 4) == TLV_DB_SCALE &&
		get32(t.chain.in + 16) & TLV_DB_SCALE_MUTE;
	return 0;
}

/* All controls of that role: to one end of their range. */
static int set_all(struct conform *c, uint32_t role, bool top, uint32_t *ret_found)
{
	uint32_t n = c->rig.counts.controls, status;
	struct element_info e = { .id = UINT32_MAX };
	uint8_t value[VALUE_BYTES] = { 0 };
	struct answer a;
	bool silent;

	*ret_found = 0;
	TRY(ctl_info(c, SND_R_CTL_INFO, 0, n, ELEMENT_BYTES, 4 + n * ELEMENT_BYTES, &a));
	while (element_next(&a, n, A_WRITE, A_INACTIVE, &e)) {
		if (e.role != role || e.type > INTEGER)
			continue;
		TRY(silent_at_bottom(c, &e, &silent));
		if (!silent)
			continue;
		for (uint32_t k = 0; k < e.count; k++)
			put32(value + 4 * k, (uint32_t)(top ? e.max : e.min));
		TRY(value_write(c, e.id, value, VALUE_BYTES, &status));
		INSIST_EQ(c, status, SND_S_OK, "CTL_WRITE of control %u", e.id);
		++*ret_found;
	}
	return 0;
}

/* Muted, then not: silence in the file, then the sound. */
static int acts_on_sound(struct conform *c)
{
	uint32_t role = (uint32_t)c->scenario->arg, out, found, bytes;
	struct chain mute[20], loud[20];
	uint64_t at = 0;

	TRY(up_with(c, SND_D_OUTPUT, &out));
	TRY(played_possible(c, out));
	if (!(c->rig.fe.features & BIT(SND_F_CTLS)))
		return skip(c, "the device has no controls");
	TRY(set_all(c, role, false, &found));
	if (!found)
		return skip(c, "no control of this role is silent at its bottom");
	bytes = stream_params(c, out).period_bytes;
	TRY(stream_bring(c, out, ST_PREP));
	for (unsigned i = 0; i < 20; i++) {
		uint64_t elsewhere = (1 << 20) + (uint64_t)i * bytes;

		TRY(pattern_send(c, &mute[i], out, &elsewhere, bytes));
	}
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, mute, 20, answer_ms(c)));
	for (unsigned i = 0; i < 20; i++)
		TRY(io_ok(c, &mute[i], "a message that is not heard"));
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	TRY(set_all(c, role, true, &found));
	TRY(must_pcm(c, SND_R_PCM_PREPARE, out));
	for (unsigned i = 0; i < 20; i++)
		TRY(pattern_send(c, &loud[i], out, &at, bytes));
	TRY(must_pcm(c, SND_R_PCM_START, out));
	TRY(chains_wait(c, loud, 20, answer_ms(c)));
	TRY(must_pcm(c, SND_R_PCM_STOP, out));
	TRY(must_pcm(c, SND_R_PCM_RELEASE, out));
	return played_is_pattern(c, out, at);
}

/* A muted input is silent; it does not hand out what was in the buffer. */
static int muted_input(struct conform *c)
{
	struct chain ch;
	uint32_t in, found, bytes;
	unsigned stale = 0;

	TRY(up_with(c, SND_D_INPUT, &in));
	if (!(c->rig.fe.features & BIT(SND_F_CTLS)))
		return skip(c, "the device has no controls");
	TRY(set_all(c, ROLE_CAPTURE_MUTE, false, &found));
	if (!found)
		return skip(c, "no control mutes an input");
	TRY(stream_bring(c, in, ST_RUN));
	bytes = 5 * stream_params(c, in).period_bytes;
	TRY(rx_send(c, &ch, in, bytes));
	TRY(chain_wait(c, &ch));
	EXPECT_EQ(c, ch.len, bytes + STATUS_BYTES, "used length");
	for (uint32_t i = 0; i < bytes; i++)
		stale += ch.in[i] == POISON;
	EXPECT(c, stale < bytes / 2, "%u of %u bytes are what was there before", stale, bytes);
	return io_ok(c, &ch, "a message of a muted input");
}

#define VAL "virtio 1.4, Sound Device, Control Element Value: "

const struct scenario value_scenarios[] = {
	{ .id = "SND-CVAL-1", .title = "CTL_READ of what can be read", .run = reads,
		.clause = VAL "values within min and max" },
	{ .id = "SND-CVAL-2", .title = "CTL_WRITE stores", .run = writes, .clause = VAL "WRITE" },
	{ .id = "SND-CVAL-3", .title = "no CTL_READ without READ", .run = not_readable,
		.clause = VAL "drivers MUST NOT" },
	{ .id = "SND-CVAL-4", .title = "no CTL_WRITE without WRITE", .run = not_writable,
		.clause = VAL "drivers MUST NOT" },
	{ .id = "SND-CVAL-5", .title = "values out of range are refused as a whole",
		.run = out_of_range, .recommended = true, .clause = VAL "silent" },
	{ .id = "SND-CVAL-6", .title = "CTL_WRITE of exactly the values", .run = short_values,
		.recommended = true, .clause = VAL "silent" },
	{ .id = "SND-CVAL-7", .title = "CTL_READ with room for all, for the values, for less",
		.run = read_room, .recommended = true, .clause = VAL "silent" },
	{ .id = "SND-CVAL-8", .title = "inactive controls are read and written", .run = inactive,
		.clause = "virtio 1.4, Query information: INACTIVE has no effect" },
	{ .id = "SND-CVAL-9", .title = "playback mute is silence, and the sound comes back",
		.run = acts_on_sound, .arg = ROLE_PLAYBACK_MUTE, .recommended = true,
		.clause = VAL "a role says what the value does" },
	{ .id = "SND-CVAL-9b", .title = "playback volume, from the bottom to the top",
		.run = acts_on_sound, .arg = ROLE_PLAYBACK_VOLUME, .recommended = true,
		.clause = VAL "a role says what the value does" },
	{ .id = "PEER-C7", .title = "a muted input does not hand out old memory",
		.run = muted_input, .clause = "virtio 1.4, The Virtqueue Used Ring: MUST write" },
	{ 0 },
};
