/* SPDX-License-Identifier: BSD-3-Clause */
/* Jacks at run time: their events, what the driver is told, remapping. */
#include "device_fixture.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A fixed connected one, one that may be remapped, one that is empty. */
static const struct vsnd_jack_settings jacks[] = {
	{ .nid = 0, .defconf = 0x01014010, .caps = 0x10, .connected = true },
	{ .nid = 1, .features = VSND_JACK_REMAP, .defconf = 0x0221401f, .caps = 0x1c },
	{ .nid = 2, .defconf = 0x01014010, .caps = 0x14 },
};

static void three_jacks(struct vsnd_settings *s, struct vsnd_stream_settings *streams)
{
	(void)streams;
	s->jacks = ARRAY_SIZE(jacks);
	s->jack = jacks;
}

static void open_jacks(struct device *d)
{
	device_tweak = three_jacks;
	device_open(d, EVENT_IDX | INDIRECT, 16);
}

static const uint8_t *info(struct device *d, uint32_t id)
{
	const uint32_t words[] = { JACK_INFO, id, 1, 24 };
	uint8_t *answer;
	uint32_t len;

	assert_int_equal(request(d, words, 16, 28, &answer, &len), OK);
	assert_int_equal(len, 28);
	return answer + 4;
}

static void info_tells_the_state(void **state)
{
	struct device d;

	(void)state;
	open_jacks(&d);
	for (uint32_t i = 0; i < ARRAY_SIZE(jacks); i++) {
		const uint8_t *p = info(&d, i);

		assert_int_equal(p[4], i == 1);
		assert_int_equal(p[16], i == 0);
		for (unsigned k = 17; k < 24; k++)
			assert_int_equal(p[k], 0);
	}
	assert_int_equal(vsnd_jack_plug(d.dev, 2, true), 0);
	assert_int_equal(info(&d, 2)[16], 1);
	assert_int_equal(vsnd_jack_plug(d.dev, 3, true), -EINVAL);
	device_close(&d);
}

static void plugs_are_events(void **state)
{
	struct device d;
	uint64_t buf[4];

	(void)state;
	open_jacks(&d);
	for (unsigned i = 0; i < 4; i++)
		buf[i] = post_event(&d, 64);
	vsnd_jack_plug(d.dev, 1, true);
	assert_int_equal(d.notified[VSND_EVENTQ], 1);
	expect_event(&d, buf[0], JACK_CONNECTED, 1);
	for (unsigned k = 8; k < 64; k++)
		assert_int_equal(((uint8_t *)guest_ptr(&d.g, buf[0]))[k], GUEST_POISON);
	vsnd_jack_plug(d.dev, 1, true);
	vsnd_jack_plug(d.dev, 0, true);
	vsnd_jack_plug(d.dev, 2, false);
	expect_nothing(&d, VSND_EVENTQ);
	vsnd_jack_plug(d.dev, 1, false);
	expect_event(&d, buf[1], JACK_DISCONNECTED, 1);
	vsnd_jack_plug(d.dev, 0, false);
	expect_event(&d, buf[2], JACK_DISCONNECTED, 0);
	assert_int_equal(d.errors[VSND_EVENTQ], 0);
	device_close(&d);
}

static void plugs_are_told_to_the_embedder(void **state)
{
	struct device d;
	bool connected;

	(void)state;
	open_jacks(&d);
	for (unsigned i = 0; i < ARRAY_SIZE(jacks); i++) {
		assert_int_equal(vsnd_jack_connected(d.dev, i, &connected), 0);
		assert_int_equal(connected, i == 0);
	}
	vsnd_jack_plug(d.dev, 0, false);
	vsnd_jack_plug(d.dev, 2, true);
	vsnd_reset_state(d.dev);
	assert_int_equal(vsnd_jack_connected(d.dev, 0, &connected), 0);
	assert_false(connected);
	assert_int_equal(vsnd_jack_connected(d.dev, 2, &connected), 0);
	assert_true(connected);
	assert_int_equal(vsnd_jack_connected(d.dev, 3, &connected), -EINVAL);
	device_close(&d);
}

/* Without buffers the latest state counts, and one that came back is not told. */
static void without_buffers(void **state)
{
	struct device d;
	uint64_t buf[2];

	(void)state;
	open_jacks(&d);
	for (unsigned i = 0; i < 3; i++)
		vsnd_jack_plug(d.dev, 1, i % 2 == 0);
	for (unsigned i = 0; i < 100; i++)
		vsnd_jack_plug(d.dev, 2, i % 2 == 0);
	buf[0] = post_event(&d, 8);
	buf[1] = post_event(&d, 8);
	expect_nothing(&d, VSND_EVENTQ);
	vsnd_queue_kick(d.dev, VSND_EVENTQ);
	expect_event(&d, buf[0], JACK_CONNECTED, 1);
	expect_nothing(&d, VSND_EVENTQ);
	vsnd_jack_plug(d.dev, 2, true);
	expect_event(&d, buf[1], JACK_CONNECTED, 2);
	device_close(&d);
}

/* An answer between two changes does not let the driver keep the wrong state. */
static void answers_and_events_agree(void **state)
{
	struct device d;
	uint64_t buf;

	(void)state;
	open_jacks(&d);
	vsnd_jack_plug(d.dev, 2, true);
	assert_int_equal(info(&d, 2)[16], 1);
	vsnd_jack_plug(d.dev, 2, false);
	buf = post_event(&d, 8);
	vsnd_run(d.dev);
	expect_event(&d, buf, JACK_DISCONNECTED, 2);
	device_close(&d);
}

/* Give the driver's buffer; the event that came in it, or -1. */
static int next_event(struct device *d)
{
	uint64_t buf = post_event(d, 8);
	struct ring_used used;
	uint32_t code;

	vsnd_queue_kick(d->dev, VSND_EVENTQ);
	if (!ring_collect(&d->ring[VSND_EVENTQ], &used)) {
		vsnd_queue_stop(d->dev, VSND_EVENTQ, NULL);	/* take the buffer back */
		start_queue(d, VSND_EVENTQ, 16, false);
		return -1;
	}
	memcpy(&code, guest_ptr(&d->g, buf), 4);
	return le32toh(code) == JACK_CONNECTED;
}

/*
 * Whatever happens in whatever order: in the end neither the last answer nor the
 * last event is wrong, unless an event came after the answer.
 */
static void last_word_is_true(void **state)
{
	struct device d;
	bool plugged = false;

	(void)state;
	srandom(3);
	open_jacks(&d);
	for (unsigned round = 0; round < 2000; round++) {
		int by_answer = plugged, by_event = plugged, event;

		for (unsigned i = 0; i < 8; i++) {
			switch (random() % 3) {
			case 0:
				plugged = !plugged;
				vsnd_jack_plug(d.dev, 2, plugged);
				break;
			case 1:
				by_answer = info(&d, 2)[16];
				break;
			default:
				event = next_event(&d);
				if (event >= 0)
					by_answer = by_event = event;
			}
		}
		while ((event = next_event(&d)) >= 0)
			by_answer = by_event = event;
		assert_int_equal(by_answer, plugged);
		assert_int_equal(by_event, plugged);
		d.g.taken -= d.g.taken > GUEST_SIZE / 2 ? GUEST_SIZE / 4 : 0;
	}
	device_close(&d);
}

static uint32_t remap(struct device *d, uint32_t jack, uint32_t association, uint32_t sequence)
{
	const uint32_t words[] = { JACK_REMAP, jack, association, sequence };

	return request(d, words, 16, 4, NULL, NULL);
}

static void remapping(void **state)
{
	struct device d;

	(void)state;
	open_jacks(&d);
	assert_int_equal(remap(&d, 0, 2, 1), NSUP);
	assert_int_equal(remap(&d, 3, 2, 1), BAD);
	assert_int_equal(remap(&d, 1, 16, 1), BAD);
	assert_int_equal(remap(&d, 1, 1, 16), BAD);
	assert_int_equal(remap(&d, 1, UINT32_MAX, UINT32_MAX), BAD);
	assert_int_equal(info(&d, 1)[8], 0x1f);
	assert_int_equal(remap(&d, 1, 2, 1), OK);
	assert_memory_equal(info(&d, 1) + 8, "\x21\x40\x21\x02", 4);
	assert_int_equal(info(&d, 0)[8], 0x10);
	vsnd_reset_state(d.dev);
	assert_memory_equal(info(&d, 1) + 8, "\x1f\x40\x21\x02", 4);
	device_close(&d);
}

/* A reset changes no plug, and what was to be told is in the answers to come. */
static void reset_keeps_plugs(void **state)
{
	struct device d;

	(void)state;
	open_jacks(&d);
	vsnd_jack_plug(d.dev, 2, true);
	vsnd_reset_state(d.dev);
	post_event(&d, 8);
	vsnd_queue_kick(d.dev, VSND_EVENTQ);
	expect_nothing(&d, VSND_EVENTQ);
	assert_int_equal(info(&d, 2)[16], 1);
	device_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info_tells_the_state),
		cmocka_unit_test(plugs_are_events),
		cmocka_unit_test(plugs_are_told_to_the_embedder),
		cmocka_unit_test(without_buffers),
		cmocka_unit_test(answers_and_events_agree),
		cmocka_unit_test(last_word_is_true),
		cmocka_unit_test(remapping),
		cmocka_unit_test(reset_keeps_plugs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
