/* SPDX-License-Identifier: BSD-3-Clause */
/* A device with a control element of every kind, and requests about them. */
#ifndef VSND_TESTS_CTL_FIXTURE_H
#define VSND_TESTS_CTL_FIXTURE_H

#include "device_fixture.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CTLS (UINT64_C(1) << VSND_F_CTLS)
#define RW (VSND_CTL_READ | VSND_CTL_WRITE)
#define CTL_NOTIFY 0x1200u

enum { CTL_INFO = 0x300, ENUM_ITEMS, CTL_READ, CTL_WRITE, TLV_READ, TLV_WRITE, TLV_COMMAND };
enum { C_SWITCH, C_VOLUME, C_BIG, C_ENUM, C_BYTES, C_IEC958, C_FIXED, C_SECRET, C_INACTIVE,
       C_COMMAND, CTLS_N };

static const uint32_t scale[] = { 1, 8, (uint32_t)-6000, 0x10000 | 100 };
static const char *const items[] = { "Line", "Mic", "CD" };
static const union vsnd_ctl_value on = { .integer = { 1, 1 } };
static const union vsnd_ctl_value full = { .integer = { 60, 60 } };

static const struct vsnd_ctl_settings elements[CTLS_N] = {
	[C_SWITCH] = { .type = VSND_CTL_BOOLEAN, .role = VSND_CTL_ROLE_MUTE, .bind = VSND_CTL_ALL,
		       .access = RW, .count = 1, .name = "Master Playback Switch", .value = &on },
	[C_VOLUME] = { .type = VSND_CTL_INTEGER, .role = VSND_CTL_ROLE_VOLUME,
		       .bind = VSND_CTL_STREAM, .stream = 1, .nid = 1,
		       .access = RW | VSND_CTL_TLV_READ, .count = 2,
		       .name = "PCM Playback Volume", .max = 60, .step = 1, .value = &full,
		       .tlv = scale },
	[C_BIG] = { .type = VSND_CTL_INTEGER64, .access = RW, .count = 64, .name = "Big",
		    .min = -5, .max = INT64_C(1) << 40, .step = 2 },
	[C_ENUM] = { .type = VSND_CTL_ENUMERATED, .access = RW, .count = 1,
		     .name = "Capture Source", .items = 3, .item = items },
	[C_BYTES] = { .type = VSND_CTL_BYTES,
		      .access = RW | VSND_CTL_TLV_READ | VSND_CTL_TLV_WRITE, .count = 512,
		      .name = "Bytes" },
	[C_IEC958] = { .type = VSND_CTL_IEC958, .access = RW, .count = 1, .index = 3,
		       .name = "IEC958 Playback Default" },
	[C_FIXED] = { .type = VSND_CTL_INTEGER, .access = VSND_CTL_READ | VSND_CTL_VOLATILE,
		      .count = 1, .name = "Temperature", .min = -40, .max = 100 },
	[C_SECRET] = { .type = VSND_CTL_BOOLEAN, .access = VSND_CTL_WRITE, .count = 1,
		       .name = "Secret" },
	[C_INACTIVE] = { .type = VSND_CTL_BOOLEAN, .role = VSND_CTL_ROLE_MUTE,
			 .bind = VSND_CTL_ALL, .access = RW | VSND_CTL_INACTIVE, .count = 1,
			 .name = "Old Switch" },
	[C_COMMAND] = { .type = VSND_CTL_BYTES, .access = VSND_CTL_READ | VSND_CTL_TLV_COMMAND,
			.count = 1, .name = "Command" },
};

static unsigned changes, last_ctl, last_what, commands, command_type, command_len;
static int command_result;

static inline void on_changed(void *ctx, unsigned ctl, unsigned what)
{
	(void)ctx;
	changes++;
	last_ctl = ctl;
	last_what = what;
}

static inline int on_command(void *ctx, unsigned ctl, uint32_t type, const void *value, uint32_t len)
{
	(void)ctx;
	assert_int_equal(ctl, C_COMMAND);
	assert_non_null(value);
	commands++;
	command_type = type;
	command_len = len;
	return command_result;
}

static inline void all_elements(struct vsnd_settings *s, struct vsnd_stream_settings *streams)
{
	(void)streams;
	s->ctls = CTLS_N;
	s->ctl = elements;
	s->callbacks.ctl_changed = on_changed;
	s->callbacks.ctl_command = on_command;
}

static inline void open_ctls(struct device *d)
{
	changes = 0;
	commands = 0;
	command_result = 0;
	device_tweak = all_elements;
	device_open(d, CTLS | EVENT_IDX | INDIRECT, 64);
}

/* A request about element @id with @n words behind the header. */
static inline uint32_t ask(struct device *d, uint32_t code, uint32_t id, const uint32_t *words,
		    unsigned bytes, uint32_t writable, uint8_t **ret_answer, uint32_t *ret_len)
{
	static uint32_t all[2 + 200 + VSND_CTL_TLV_BYTES_MAX / 4];

	all[0] = code;
	all[1] = id;
	memcpy(all + 2, words, bytes);
	return request(d, all, 8 + bytes, writable, ret_answer, ret_len);
}

static inline uint32_t write_words(struct device *d, uint32_t id, const uint32_t *words, unsigned bytes)
{
	return ask(d, CTL_WRITE, id, words, bytes, 4, NULL, NULL);
}

static inline uint32_t write2(struct device *d, uint32_t id, uint32_t a, uint32_t b)
{
	const uint32_t words[] = { a, b };

	return write_words(d, id, words, 8);
}

static inline uint32_t read_word(struct device *d, uint32_t id, unsigned word)
{
	uint8_t *answer;
	uint32_t len, v;

	assert_int_equal(ask(d, CTL_READ, id, &id, 0, 516, &answer, &len), OK);
	assert_int_equal(len, 516);
	memcpy(&v, answer + 4 + 4 * word, 4);
	return le32toh(v);
}

#endif
