/* SPDX-License-Identifier: BSD-3-Clause */
/* Control elements: description, values, metadata, events, and what is refused. */
#include "ctl_fixture.h"

static void not_without_the_feature(void **state)
{
	struct device d;
	union vsnd_ctl_value off = { .integer = { 0 } };

	(void)state;
	device_tweak = all_elements;
	device_open(&d, EVENT_IDX, 64);
	for (uint32_t code = CTL_INFO; code <= TLV_COMMAND; code++) {
		const uint32_t words[] = { 0, 1, 96 };

		assert_int_equal(ask(&d, code, 0, words, 8, 1000, NULL, NULL), NSUP);
	}
	post_event(&d, 8);
	vsnd_ctl_set(d.dev, C_SWITCH, &off);
	vsnd_run(d.dev);
	expect_nothing(&d, VSND_EVENTQ);
	device_close(&d);
}

static void offered_with_elements_only(void **state)
{
	uint32_t config[4];
	struct device d;

	(void)state;
	device_tweak = NULL;
	device_open(&d, 0, 16);
	assert_false(vsnd_features(d.dev) & CTLS);
	assert_int_equal(vsnd_set_features(d.dev, VERSION_1 | CTLS), -EINVAL);
	device_close(&d);
	open_ctls(&d);
	assert_true(vsnd_features(d.dev) & CTLS);
	vsnd_config_read(d.dev, 0, config, sizeof(config));
	assert_int_equal(le32toh(config[3]), CTLS_N);
	device_close(&d);
}

static const uint8_t *info(struct device *d, uint32_t id, uint32_t size, uint32_t *ret_len)
{
	const uint32_t words[] = { 1, size };
	uint8_t *answer;

	assert_int_equal(ask(d, CTL_INFO, id, words, 8, 1000, &answer, ret_len), OK);
	return answer + 4;
}

static uint32_t word_at(const uint8_t *p, unsigned offset)
{
	uint32_t v;

	memcpy(&v, p + offset, 4);
	return le32toh(v);
}

/* The union is at 72 in items of 96 bytes and more, at 68 in shorter ones. */
static void both_layouts(void **state)
{
	struct device d;
	const uint8_t *p;
	uint32_t len;

	(void)state;
	open_ctls(&d);
	p = info(&d, C_VOLUME, 96, &len);
	assert_int_equal(len, 100);
	assert_int_equal(word_at(p, 0), 1);
	assert_int_equal(word_at(p, 4), 2);
	assert_int_equal(word_at(p, 8), VSND_CTL_INTEGER);
	assert_int_equal(word_at(p, 12), RW | VSND_CTL_TLV_READ);
	assert_int_equal(word_at(p, 16), 2);
	assert_int_equal(word_at(p, 20), 0);
	assert_string_equal((const char *)p + 24, "PCM Playback Volume");
	for (unsigned i = 24 + 20; i < 72; i++)
		assert_int_equal(p[i], 0);
	assert_int_equal(word_at(p, 76), 60);
	assert_int_equal(word_at(p, 80), 1);
	p = info(&d, C_VOLUME, 92, &len);
	assert_int_equal(len, 96);
	assert_int_equal(word_at(p, 72), 60);
	p = info(&d, C_VOLUME, 95, &len);
	assert_int_equal(word_at(p, 72), 60);
	assert_int_equal(p[92] | p[93] | p[94], 0);
	p = info(&d, C_VOLUME, 76, &len);
	assert_int_equal(word_at(p, 72), 60);
	assert_int_equal(p[76], GUEST_POISON);
	p = info(&d, C_VOLUME, 200, &len);
	assert_int_equal(word_at(p, 76), 60);
	for (unsigned i = 96; i < 200; i++)
		assert_int_equal(p[i], 0);
	device_close(&d);
}

static void ranges(void **state)
{
	static const uint8_t big[24] = { 0xfb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					 0, 0, 0, 0, 0, 1, 0, 0, 2 };
	static const uint8_t none[24];
	struct device d;
	const uint8_t *p;
	uint32_t len;

	(void)state;
	open_ctls(&d);
	p = info(&d, C_SWITCH, 96, &len);
	assert_int_equal(word_at(p, 4), 4);
	assert_int_equal(word_at(p, 72), 0);
	assert_int_equal(word_at(p, 76), 1);
	assert_int_equal(word_at(p, 80), 1);
	assert_memory_equal(info(&d, C_BIG, 96, &len) + 72, big, 24);
	assert_int_equal(word_at(info(&d, C_ENUM, 96, &len), 72), 3);
	assert_memory_equal(info(&d, C_BYTES, 96, &len) + 72, none, 24);
	assert_memory_equal(info(&d, C_IEC958, 96, &len) + 72, none, 24);
	device_close(&d);
}

static void enum_items(void **state)
{
	struct device d;
	uint8_t *answer;
	uint32_t len;

	(void)state;
	open_ctls(&d);
	assert_int_equal(ask(&d, ENUM_ITEMS, C_ENUM, &len, 0, 4 + 192, &answer, &len), OK);
	assert_int_equal(len, 4 + 192);
	for (unsigned i = 0; i < 3; i++) {
		assert_string_equal((char *)answer + 4 + 64 * i, items[i]);
		for (unsigned k = (unsigned)strlen(items[i]); k < 64; k++)
			assert_int_equal(answer[4 + 64 * i + k], 0);
	}
	assert_int_equal(ask(&d, ENUM_ITEMS, C_ENUM, &len, 0, 4 + 191, NULL, NULL), BAD);
	assert_int_equal(ask(&d, ENUM_ITEMS, C_VOLUME, &len, 0, 1000, NULL, NULL), NSUP);
	device_close(&d);
}

static void ids_and_access(void **state)
{
	static const uint32_t words[] = { 1, 0, 0 };
	struct device d;

	(void)state;
	open_ctls(&d);
	for (uint32_t code = ENUM_ITEMS; code <= TLV_COMMAND; code++) {
		assert_int_equal(ask(&d, code, CTLS_N, words, 8, 600, NULL, NULL), BAD);
		assert_int_equal(ask(&d, code, UINT32_MAX, words, 8, 600, NULL, NULL), BAD);
	}
	assert_int_equal(ask(&d, CTL_READ, C_SECRET, words, 0, 516, NULL, NULL), NSUP);
	assert_int_equal(write_words(&d, C_SECRET, words, 4), OK);
	assert_int_equal(write_words(&d, C_FIXED, words, 4), NSUP);
	assert_int_equal(ask(&d, TLV_READ, C_SWITCH, words, 0, 600, NULL, NULL), NSUP);
	assert_int_equal(ask(&d, TLV_WRITE, C_VOLUME, words, 8, 4, NULL, NULL), NSUP);
	assert_int_equal(ask(&d, TLV_COMMAND, C_VOLUME, words, 8, 4, NULL, NULL), NSUP);
	device_close(&d);
}

static void values(void **state)
{
	struct device d;
	uint32_t big[128] = { 0 }, len;
	uint8_t *answer;
	union vsnd_ctl_value v;

	(void)state;
	open_ctls(&d);
	assert_int_equal(write2(&d, C_VOLUME, 17, 23), OK);
	assert_int_equal(read_word(&d, C_VOLUME, 0), 17);
	assert_int_equal(read_word(&d, C_VOLUME, 1), 23);
	assert_int_equal(read_word(&d, C_VOLUME, 2), 0);
	vsnd_ctl_get(d.dev, C_VOLUME, &v);
	assert_int_equal(v.integer[1], 23);

	/* All or nothing, and only what is in range. */
	assert_int_equal(write2(&d, C_VOLUME, 61, 0), BAD);
	assert_int_equal(write2(&d, C_VOLUME, 0, 61), BAD);
	assert_int_equal(write2(&d, C_VOLUME, UINT32_MAX, 0), BAD);
	assert_int_equal(read_word(&d, C_VOLUME, 0), 17);
	assert_int_equal(write2(&d, C_ENUM, 3, 0), BAD);
	assert_int_equal(write2(&d, C_ENUM, 2, 99), OK);
	assert_int_equal(read_word(&d, C_ENUM, 0), 2);
	assert_int_equal(read_word(&d, C_ENUM, 1), 0);
	assert_int_equal(write2(&d, C_SWITCH, 2, 0), BAD);

	/* As long as count values, up to all 512 bytes. */
	big[0] = 1;
	big[1] = 2;
	assert_int_equal(write_words(&d, C_VOLUME, big, 7), BAD);
	assert_int_equal(write_words(&d, C_VOLUME, big, 8), OK);
	big[1] = 3;
	assert_int_equal(write_words(&d, C_VOLUME, big, 512), OK);
	assert_int_equal(read_word(&d, C_VOLUME, 1), 3);
	assert_int_equal(ask(&d, CTL_READ, C_VOLUME, big, 0, 4 + 7, NULL, NULL), BAD);
	assert_int_equal(ask(&d, CTL_READ, C_VOLUME, big, 0, 4 + 8, &answer, &len), OK);
	assert_int_equal(len, 12);

	assert_int_equal(write_words(&d, C_BIG, big, 511), BAD);
	big[126] = UINT32_MAX - 4;
	big[127] = UINT32_MAX;	/* -5 */
	assert_int_equal(write_words(&d, C_BIG, big, 512), OK);
	vsnd_ctl_get(d.dev, C_BIG, &v);
	assert_true(v.integer64[63] == -5);
	assert_true(v.integer64[0] == ((INT64_C(3) << 32) | 1));
	big[126]--;
	assert_int_equal(write_words(&d, C_BIG, big, 512), BAD);
	assert_int_equal(write_words(&d, C_BYTES, big, 512), OK);
	assert_int_equal(read_word(&d, C_BYTES, 126), UINT32_MAX - 5);
	assert_int_equal(write_words(&d, C_IEC958, big, 175), BAD);
	assert_int_equal(write_words(&d, C_IEC958, big, 176), OK);
	assert_int_equal(read_word(&d, C_IEC958, 1), 3);
	device_close(&d);
}

static uint32_t tlv_write(struct device *d, uint32_t id, uint32_t length, unsigned supplied)
{
	static uint32_t words[2 + VSND_CTL_TLV_BYTES_MAX / 4 + 100];

	words[0] = 77;
	words[1] = length;
	for (unsigned i = 2; i < ARRAY_SIZE(words); i++)
		words[i] = i * 3 + length;
	return ask(d, TLV_WRITE, id, words, 8 + supplied, 4, NULL, NULL);
}

static void metadata(void **state)
{
	struct device d;
	uint8_t *answer;
	uint32_t len, words[4];

	(void)state;
	open_ctls(&d);
	assert_int_equal(ask(&d, TLV_READ, C_VOLUME, &len, 0, 1000, &answer, &len), OK);
	assert_int_equal(len, 4 + 16);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(word_at(answer + 4, 4 * i), scale[i]);
	assert_int_equal(ask(&d, TLV_READ, C_VOLUME, &len, 0, 4 + 12, &answer, &len), OK);
	assert_int_equal(len, 16);
	assert_int_equal(word_at(answer + 4, 4), 8);
	assert_int_equal(ask(&d, TLV_READ, C_VOLUME, &len, 0, 4 + 7, NULL, NULL), BAD);
	assert_int_equal(ask(&d, TLV_READ, C_BYTES, &len, 0, 100, &answer, &len), OK);
	assert_int_equal(len, 12);
	assert_int_equal(word_at(answer + 4, 4), 0);

	assert_int_equal(tlv_write(&d, C_BYTES, 65540, 65540), BAD);
	assert_int_equal(tlv_write(&d, C_BYTES, UINT32_MAX - 3, 100), BAD);
	assert_int_equal(tlv_write(&d, C_BYTES, 6, 8), BAD);
	assert_int_equal(tlv_write(&d, C_BYTES, 16, 12), BAD);
	assert_int_equal(changes, 0);
	assert_int_equal(tlv_write(&d, C_BYTES, 8, 100), OK);
	assert_int_equal(changes, 1);
	assert_int_equal(last_what, VSND_CTL_CHANGED_TLV);
	assert_int_equal(tlv_write(&d, C_BYTES, 65536, 65536), OK);
	assert_int_equal(ask(&d, TLV_READ, C_BYTES, &len, 0, 70000, &answer, &len), OK);
	assert_int_equal(len, 4 + 8 + 65536);
	assert_int_equal(word_at(answer + 4, 0), 77);
	assert_int_equal(word_at(answer + 4, 4), 65536);
	for (uint32_t i = 2; i < 2 + 65536 / 4; i += 997)
		assert_int_equal(word_at(answer + 4, 4 * i), i * 3 + 65536);

	vsnd_ctl_get_tlv(d.dev, C_BYTES, words, 4);
	assert_int_equal(words[1], 65536);
	assert_int_equal(words[3], 9 + 65536);
	words[1] = 4;
	assert_int_equal(vsnd_ctl_set_tlv(d.dev, C_BYTES, words), 0);
	words[1] = 5;
	assert_int_equal(vsnd_ctl_set_tlv(d.dev, C_BYTES, words), -EINVAL);
	assert_int_equal(vsnd_ctl_set_tlv(d.dev, C_VOLUME, scale), -EINVAL);
	words[1] = 0;
	assert_int_equal(vsnd_ctl_set_tlv(d.dev, C_FIXED, words), -EINVAL);
	device_close(&d);
}

static void tlv_commands(void **state)
{
	static const struct { int result; uint32_t status; } cases[] = {
		{ 0, OK }, { -EINVAL, BAD }, { -EOPNOTSUPP, NSUP }, { -EIO, IOE },
	};
	const uint32_t words[] = { 5, 4, 9, 9 };
	struct device d;

	(void)state;
	open_ctls(&d);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		command_result = cases[i].result;
		assert_int_equal(ask(&d, TLV_COMMAND, C_COMMAND, words, 16, 4, NULL, NULL),
				 cases[i].status);
	}
	assert_int_equal(commands, ARRAY_SIZE(cases));
	assert_int_equal(command_type, 5);
	assert_int_equal(command_len, 4);
	assert_int_equal(ask(&d, TLV_COMMAND, C_COMMAND, words, 8, 4, NULL, NULL), BAD);
	assert_int_equal(ask(&d, TLV_COMMAND, C_COMMAND, words, 4, 4, NULL, NULL), BAD);
	assert_int_equal(commands, ARRAY_SIZE(cases));
	device_close(&d);
}

static uint32_t notify_data(uint32_t id, uint32_t mask)
{
	return id | mask << 16;
}

/* Who changes what, and who hears of it: once, and only of real changes. */
static void notifications(void **state)
{
	union vsnd_ctl_value v = { .integer = { 5, 6 } };
	uint64_t buf[4];
	struct device d;

	(void)state;
	open_ctls(&d);
	for (unsigned i = 0; i < 4; i++)
		buf[i] = post_event(&d, 8);
	vsnd_ctl_set(d.dev, C_VOLUME, &v);
	expect_event(&d, buf[0], CTL_NOTIFY, notify_data(C_VOLUME, 1));
	assert_int_equal(changes, 0);	/* the embedder did it */
	assert_int_equal(read_word(&d, C_VOLUME, 0), 5);
	vsnd_ctl_set(d.dev, C_VOLUME, &v);
	v.integer[2] = 99;	/* behind the value */
	vsnd_ctl_set(d.dev, C_VOLUME, &v);
	expect_nothing(&d, VSND_EVENTQ);
	assert_int_equal(write2(&d, C_VOLUME, 5, 6), OK);
	expect_nothing(&d, VSND_EVENTQ);
	assert_int_equal(changes, 0);
	assert_int_equal(write2(&d, C_VOLUME, 7, 6), OK);
	expect_event(&d, buf[1], CTL_NOTIFY, notify_data(C_VOLUME, 1));
	assert_int_equal(changes, 1);
	assert_int_equal(last_ctl, C_VOLUME);
	assert_int_equal(last_what, VSND_CTL_CHANGED_VALUE);
	assert_int_equal(tlv_write(&d, C_BYTES, 8, 8), OK);
	expect_event(&d, buf[2], CTL_NOTIFY, notify_data(C_BYTES, 4));
	assert_int_equal(tlv_write(&d, C_BYTES, 8, 8), OK);
	expect_nothing(&d, VSND_EVENTQ);
	v.integer[0] = 61;
	assert_int_equal(vsnd_ctl_set(d.dev, C_VOLUME, &v), -EINVAL);
	assert_int_equal(vsnd_ctl_set(d.dev, CTLS_N, &v), -EINVAL);
	assert_int_equal(vsnd_ctl_get(d.dev, CTLS_N, &v), -EINVAL);
	device_close(&d);
}

static void notifications_coalesce(void **state)
{
	union vsnd_ctl_value v = { .bytes = { 0 } };
	struct device d;
	uint64_t buf;

	(void)state;
	open_ctls(&d);
	for (unsigned i = 1; i <= 10; i++) {
		v.bytes[0] = (uint8_t)i;
		vsnd_ctl_set(d.dev, C_BYTES, &v);
		assert_int_equal(tlv_write(&d, C_BYTES, 4 * i, 4 * i), OK);
	}
	buf = post_event(&d, 8);
	post_event(&d, 8);
	vsnd_queue_kick(d.dev, VSND_EVENTQ);
	expect_event(&d, buf, CTL_NOTIFY, notify_data(C_BYTES, 5));
	expect_nothing(&d, VSND_EVENTQ);
	v.bytes[0] = 99;
	vsnd_queue_enable(d.dev, VSND_EVENTQ, false);
	vsnd_ctl_set(d.dev, C_BYTES, &v);
	vsnd_reset_state(d.dev);
	vsnd_queue_enable(d.dev, VSND_EVENTQ, true);
	expect_nothing(&d, VSND_EVENTQ);
	assert_int_equal(read_word(&d, C_BYTES, 0), 99);	/* values survive */
	device_close(&d);
}

static void items_change(void **state)
{
	static const char *const fewer[] = { "Aux", "Phono" };
	struct device d;
	uint8_t *answer;
	uint64_t buf;
	uint32_t len;

	(void)state;
	open_ctls(&d);
	buf = post_event(&d, 8);
	assert_int_equal(vsnd_ctl_set_items(d.dev, C_VOLUME, fewer, 2), -EINVAL);
	assert_int_equal(vsnd_ctl_set_items(d.dev, CTLS_N, fewer, 2), -EINVAL);
	assert_int_equal(vsnd_ctl_set_items(d.dev, C_ENUM, fewer, 0), -EINVAL);
	assert_int_equal(vsnd_ctl_set_items(d.dev, C_ENUM, fewer, 4), -EINVAL);
	vsnd_queue_enable(d.dev, VSND_EVENTQ, false);
	assert_int_equal(write2(&d, C_ENUM, 2, 0), OK);
	assert_int_equal(vsnd_ctl_set_items(d.dev, C_ENUM, fewer, 2), 0);
	vsnd_queue_enable(d.dev, VSND_EVENTQ, true);
	expect_event(&d, buf, CTL_NOTIFY, notify_data(C_ENUM, 3));
	assert_int_equal(ask(&d, ENUM_ITEMS, C_ENUM, &len, 0, 4 + 192, &answer, &len), OK);
	assert_int_equal(len, 4 + 128);
	assert_string_equal((char *)answer + 4 + 64, "Phono");
	assert_int_equal(read_word(&d, C_ENUM, 0), 0);
	assert_int_equal(word_at(info(&d, C_ENUM, 96, &len), 72), 2);
	buf = post_event(&d, 8);
	assert_int_equal(vsnd_ctl_set_items(d.dev, C_ENUM, items, 3), 0);
	expect_event(&d, buf, CTL_NOTIFY, notify_data(C_ENUM, 2));
	device_close(&d);
}

/* A value of an inactive element is kept, and that is all. */
static void inactive(void **state)
{
	struct device d;

	(void)state;
	open_ctls(&d);
	assert_int_equal(write2(&d, C_INACTIVE, 1, 0), OK);
	assert_int_equal(read_word(&d, C_INACTIVE, 0), 1);
	assert_int_equal(write2(&d, C_INACTIVE, 0, 0), OK);
	assert_int_equal(changes, 0);
	device_close(&d);
}

/* What one period of constant samples becomes, after the ramp. */
static void heard(struct device *d, uint32_t stream, int16_t in, int16_t *ret_left,
		  int16_t *ret_right)
{
	static int16_t out[960];
	struct sent s;
	uint8_t seed = 0;

	for (unsigned i = 0; i < 3; i++) {
		int16_t *p;

		s = send_bytes(d, VSND_TXQ, stream, 1920, &seed);
		p = guest_ptr(&d->g, s.data);
		for (unsigned k = 0; k < 960; k++)
			memcpy(p + k, &(int16_t){ (int16_t)htole16((uint16_t)in) }, 2);
		assert_int_equal(play(d, stream, out, 480, 0), 480);
	}
	*ret_left = (int16_t)le16toh((uint16_t)out[958]);
	*ret_right = (int16_t)le16toh((uint16_t)out[959]);
}

static void elements_act_on_samples(void **state)
{
	struct device d;
	int16_t l, r;

	(void)state;
	open_ctls(&d);
	run(&d, 0, 4);
	run(&d, 1, 4);
	heard(&d, 1, 20001, &l, &r);
	assert_int_equal(l, 20001);
	assert_int_equal(r, 20001);
	assert_int_equal(write2(&d, C_VOLUME, 54, 40), OK);	/* -6 and -20 dB */
	heard(&d, 1, 20000, &l, &r);
	assert_int_equal(l, 10024);
	assert_int_equal(r, 2000);
	heard(&d, 0, 20000, &l, &r);	/* not its stream */
	assert_int_equal(l, 20000);
	assert_int_equal(write2(&d, C_VOLUME, 0, 60), OK);	/* the bottom is silence */
	heard(&d, 1, 20000, &l, &r);
	assert_int_equal(l, 0);
	assert_int_equal(r, 20000);
	assert_int_equal(write2(&d, C_SWITCH, 0, 0), OK);
	heard(&d, 1, 20000, &l, &r);
	assert_int_equal(r, 0);
	heard(&d, 0, 20000, &l, &r);
	assert_int_equal(l, 0);
	assert_int_equal(write2(&d, C_SWITCH, 1, 0), OK);
	heard(&d, 0, 20000, &l, &r);
	assert_int_equal(l, 20000);
	device_close(&d);
}

/* A value set before the sound begins holds from its first frame. */
static void no_ramp_at_the_start(void **state)
{
	static int16_t out[960];
	uint8_t seed = 1;
	struct device d;

	(void)state;
	open_ctls(&d);
	assert_int_equal(write2(&d, C_SWITCH, 0, 0), OK);
	run(&d, 0, 4);
	send_bytes(&d, VSND_TXQ, 0, 1920, &seed);
	assert_int_equal(play(&d, 0, out, 480, 0), 480);
	for (unsigned i = 0; i < 960; i++)
		assert_int_equal(out[i], 0);
	device_close(&d);
}

static int create(const struct vsnd_ctl_settings *c, unsigned n)
{
	struct vsnd_settings s;
	struct vsnd *dev;
	int err;

	vsnd_settings_init(&s);
	s.audio = &host_ops;
	s.ctls = n;
	s.ctl = c;
	err = vsnd_create(&s, &dev);
	if (err == 0)
		vsnd_destroy(&dev);
	return err;
}

static void settings_are_checked(void **state)
{
	static const char *const empty[] = { "" };
	static const uint32_t odd[] = { 1, 6, 0, 0 }, loud[] = { 1, 8, 0, 50 };
	static const uint32_t linear[] = { 2, 8, 0, 0 };
	struct vsnd_ctl_settings two[2], v = elements[C_VOLUME];

	(void)state;
	v.stream = 0;
	v.nid = 0;
#define TRY(want, base, change)                                                                    \
	do {                                                                                       \
		struct vsnd_ctl_settings c = base;                                                 \
		change;                                                                            \
		assert_int_equal(create(&c, 1), want);                                             \
	} while (0)
	TRY(0, v, (void)0);
	TRY(-EINVAL, v, c.type = 6);
	TRY(-EINVAL, v, c.role = 4);
	TRY(-EINVAL, v, c.direction = 2);
	TRY(-EINVAL, v, c.access |= 1 << 7);
	TRY(-EINVAL, v, c.count = 0);
	TRY(-EINVAL, v, c.count = 129);
	TRY(-EINVAL, elements[C_BIG], c.count = 65);
	TRY(-EINVAL, elements[C_BYTES], c.count = 513);
	TRY(-EINVAL, elements[C_IEC958], c.count = 2);
	TRY(-EINVAL, v, c.name[0] = 0);
	TRY(-EINVAL, v, c.name[3] = '\n');
	TRY(-EINVAL, v, c.name[3] = (char)0xc3);
	TRY(-EINVAL, v, memset(c.name, 'x', sizeof(c.name)));
	TRY(-EINVAL, v, c.min = 61);
	TRY(-EINVAL, v, c.max = INT64_C(1) << 31);
	TRY(-EINVAL, v, c.step = -1);
	TRY(-EINVAL, v, c.max = 59);	/* the first value is 60 */
	TRY(-EINVAL, v, c.tlv = NULL);
	TRY(-EINVAL, v, c.tlv = odd);
	TRY(-EINVAL, v, c.tlv = linear);
	TRY(-EINVAL, v, c.tlv = loud);	/* 60 * 0.5 dB */
	TRY(-EINVAL, v, c.access |= VSND_CTL_TLV_WRITE);
	TRY(-EINVAL, v, c.stream = 1);
	TRY(-EINVAL, v, c.nid = 1);
	TRY(-EINVAL, v, c.direction = VSND_INPUT);
	TRY(-EINVAL, v, c.bind = 3);
	TRY(-EINVAL, v, c.role = VSND_CTL_ROLE_NONE);
	TRY(-EINVAL, v, c.role = VSND_CTL_ROLE_MUTE);
	TRY(-EINVAL, elements[C_ENUM], c.items = 0);
	TRY(-EINVAL, elements[C_ENUM], c.item = NULL);
	TRY(-EINVAL, elements[C_ENUM], c.item = empty; c.items = 1);
	TRY(-EINVAL, elements[C_COMMAND], (void)0);	/* nobody takes the commands */
#undef TRY
	two[0] = two[1] = v;
	assert_int_equal(create(two, 2), -EINVAL);
	two[1].index = 1;
	assert_int_equal(create(two, 2), 0);
	assert_int_equal(create(NULL, 1), -EINVAL);
	assert_int_equal(create(two, VSND_CTLS_MAX + 1), -EINVAL);
}

static void defaults(void **state)
{
	struct vsnd_stream_settings streams[2];
	struct vsnd_ctl_settings c[10];
	struct vsnd_settings s;

	(void)state;
	vsnd_settings_init(&s);
	assert_int_equal(vsnd_ctl_defaults(&s, c, 10), 4);
	assert_string_equal(c[0].name, "Master Playback Volume");
	assert_string_equal(c[1].name, "Master Playback Switch");
	assert_int_equal(c[0].count, 2);
	assert_string_equal(c[2].name, "Capture Volume");
	assert_int_equal(create(c, 4), 0);
	assert_int_equal(vsnd_ctl_defaults(&s, c, 1), 1);

	streams[0] = streams[1] = s.stream[0];
	streams[1].nid = 1;
	s.stream = streams;
	s.streams = 2;
	assert_int_equal(vsnd_ctl_defaults(&s, c, 10), 6);
	assert_string_equal(c[4].name, "PCM Playback Volume");
	assert_int_equal(c[4].index, 1);
	assert_int_equal(c[4].stream, 1);
	assert_int_equal(c[4].nid, 1);
	streams[1].direction = VSND_INPUT;
	assert_int_equal(vsnd_ctl_defaults(&s, c, 10), 4);
	assert_string_equal(c[2].name, "Capture Volume");
	assert_string_equal(c[3].name, "Capture Switch");
	assert_int_equal(c[3].direction, VSND_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_without_the_feature),
		cmocka_unit_test(offered_with_elements_only),
		cmocka_unit_test(both_layouts),
		cmocka_unit_test(ranges),
		cmocka_unit_test(enum_items),
		cmocka_unit_test(ids_and_access),
		cmocka_unit_test(values),
		cmocka_unit_test(metadata),
		cmocka_unit_test(tlv_commands),
		cmocka_unit_test(notifications),
		cmocka_unit_test(notifications_coalesce),
		cmocka_unit_test(items_change),
		cmocka_unit_test(inactive),
		cmocka_unit_test(elements_act_on_samples),
		cmocka_unit_test(no_ramp_at_the_start),
		cmocka_unit_test(settings_are_checked),
		cmocka_unit_test(defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
