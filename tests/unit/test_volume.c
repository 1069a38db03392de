/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How loud a stream is: the host's knob, and a back-end that sees to the guest's
 * elements, with changes from either side.
 */
#include "ctl_fixture.h"

#define PERIOD 480u

enum { OWN_VOLUME, OWN_SWITCH, ALL_VOLUME, ALL_SWITCH, IN_VOLUME, IN_SWITCH, N };

static const union vsnd_ctl_value loud = { .integer = { 60, 60 } };

#define VOLUME(d, b, st, title) { .type = VSND_CTL_INTEGER, .role = VSND_CTL_ROLE_VOLUME, \
	.direction = d, .bind = b, .stream = st, .nid = st, .access = RW | VSND_CTL_TLV_READ, \
	.count = d == VSND_OUTPUT ? 2 : 1, .name = title " Volume", .max = 60, .step = 1, .value = &loud, .tlv = scale }
#define SWITCH(d, b, st, title) { .type = VSND_CTL_BOOLEAN, .role = VSND_CTL_ROLE_MUTE, \
	.direction = d, .bind = b, .stream = st, .nid = st, .access = RW, .count = 1, \
	.name = title " Switch", .value = &on }

/* Streams 0 and 1 are outputs, of which 0 has its own; stream 2 is the only input. */
static const struct vsnd_ctl_settings knobs[N] = {
	[OWN_VOLUME] = VOLUME(VSND_OUTPUT, VSND_CTL_STREAM, 0, "PCM Playback"),
	[OWN_SWITCH] = SWITCH(VSND_OUTPUT, VSND_CTL_STREAM, 0, "PCM Playback"),
	[ALL_VOLUME] = VOLUME(VSND_OUTPUT, VSND_CTL_ALL, 0, "Master Playback"),
	[ALL_SWITCH] = SWITCH(VSND_OUTPUT, VSND_CTL_ALL, 0, "Master Playback"),
	[IN_VOLUME] = VOLUME(VSND_INPUT, VSND_CTL_ALL, 0, "Capture"),
	[IN_SWITCH] = SWITCH(VSND_INPUT, VSND_CTL_ALL, 0, "Capture"),
};

static void with_knobs(struct vsnd_settings *s, struct vsnd_stream_settings *streams)
{
	(void)streams;
	s->audio = host_more_ops();
	s->ctls = N;
	s->ctl = knobs;
	s->callbacks.ctl_changed = on_changed;
}

static void open_knobs(struct device *d)
{
	changes = 0;
	device_tweak = with_knobs;
	device_open_inputs(d, CTLS | EVENT_IDX | INDIRECT, 64, 1);
	for (unsigned i = 0; i < STREAMS; i++)
		prepare(d, i, 4);
}

static struct vsnd_voice *voice(struct device *d, unsigned stream)
{
	return &d->host->voice[stream];
}

static void near(float gain, double wanted)
{
	assert_true((double)gain > wanted * 0.9999 && (double)gain < wanted * 1.0001);
}

/* The host's user changes both channels, or one. */
static void host_sets(struct device *d, unsigned stream, float left, float right, bool mute)
{
	const struct vsnd_volume volume = { .channels = 2, .gain = { left, right }, .mute = mute };

	vsnd_voice_volume_changed(voice(d, stream)->stream, &volume);
}

static int32_t value_of(struct device *d, unsigned ctl, unsigned member)
{
	union vsnd_ctl_value v;

	assert_int_equal(vsnd_ctl_get(d->dev, ctl, &v), 0);
	return v.integer[member];
}

static void expect_changed(struct device *d, uint64_t gpa, uint16_t ctl)
{
	struct ring_used used;
	uint8_t event[8];
	uint16_t mask, id;

	assert_true(ring_collect(&d->ring[VSND_EVENTQ], &used));
	memcpy(event, guest_ptr(&d->g, gpa), sizeof(event));
	memcpy(&id, event + 4, 2);
	memcpy(&mask, event + 6, 2);
	assert_int_equal(event[0] | event[1] << 8, CTL_NOTIFY);
	assert_int_equal(le16toh(id), ctl);
	assert_int_equal(le16toh(mask), VSND_CTL_CHANGED_VALUE);
	ring_want_interrupts(&d->ring[VSND_EVENTQ], true);
}

static void opened_voice_is_told(void **state)
{
	struct device d;

	(void)state;
	open_knobs(&d);
	assert_true(voice(&d, 0)->params.has_volume);
	assert_int_equal(voice(&d, 0)->volumes, 1);
	assert_int_equal(voice(&d, 0)->volume.channels, 2);
	assert_true(voice(&d, 0)->volume.gain[0] == 1 && voice(&d, 0)->volume.gain[1] == 1);
	assert_false(voice(&d, 0)->volume.mute);
	device_close(&d);
}

static void only_with_elements(void **state)
{
	struct device d;

	(void)state;
	device_tweak = all_elements;
	device_open_inputs(&d, CTLS | EVENT_IDX, 64, 1);
	prepare(&d, 2, 4);
	assert_false(voice(&d, 2)->params.has_volume);
	assert_int_equal(voice(&d, 2)->volumes, 0);
	device_close(&d);
}

static void guest_sets_and_samples_pass(void **state)
{
	uint8_t seed = 3, out[PERIOD * 4];
	struct device d;
	struct sent sent;

	(void)state;
	open_knobs(&d);
	assert_int_equal(write2(&d, OWN_VOLUME, 54, 0), OK);
	near(voice(&d, 0)->volume.gain[0], 0.501187);
	assert_true(voice(&d, 0)->volume.gain[1] == 0);
	assert_int_equal(voice(&d, 1)->volumes, 1);
	assert_int_equal(write2(&d, ALL_VOLUME, 54, 54), OK);
	near(voice(&d, 0)->volume.gain[0], 0.251189);
	near(voice(&d, 1)->volume.gain[1], 0.501187);
	assert_int_equal(voice(&d, 2)->volumes, 1);
	assert_int_equal(write_words(&d, ALL_SWITCH, (const uint32_t[]){ 0 }, 4), OK);
	assert_true(voice(&d, 0)->volume.mute && voice(&d, 1)->volume.mute);
	near(voice(&d, 0)->volume.gain[0], 0.251189);
	assert_int_equal(changes, 3);

	assert_int_equal(command(&d, START, 0), OK);
	sent = send_bytes(&d, VSND_TXQ, 0, sizeof(out), &seed);
	play(&d, 0, out, PERIOD, 0);
	assert_memory_equal(out, guest_ptr(&d.g, sent.data), sizeof(out));
	device_close(&d);
}

static void host_sets_and_guest_is_told(void **state)
{
	struct device d;
	uint64_t event[3];

	(void)state;
	open_knobs(&d);
	for (unsigned i = 0; i < 3; i++)
		event[i] = post_event(&d, 8);
	host_sets(&d, 0, 0.5f, 0.1f, false);
	assert_int_equal(value_of(&d, OWN_VOLUME, 0), 54);
	assert_int_equal(value_of(&d, OWN_VOLUME, 1), 40);
	expect_changed(&d, event[0], OWN_VOLUME);
	expect_nothing(&d, VSND_EVENTQ);
	host_sets(&d, 0, 0.5f, 0.1f, true);
	assert_int_equal(value_of(&d, OWN_SWITCH, 0), 0);
	expect_changed(&d, event[1], OWN_SWITCH);
	expect_nothing(&d, VSND_EVENTQ);
	/* Too little to be another step: nothing to tell. */
	host_sets(&d, 0, 0.501f, 0.1f, true);
	expect_nothing(&d, VSND_EVENTQ);
	assert_int_equal(value_of(&d, ALL_VOLUME, 0), 60);
	assert_int_equal(voice(&d, 0)->volumes, 1);
	assert_int_equal(changes, 0);
	device_close(&d);
}

/* The guest's next change leaves the host what is finer than a step. */
static void nothing_is_rounded_back(void **state)
{
	struct device d;

	(void)state;
	open_knobs(&d);
	host_sets(&d, 0, 0.52f, 0.13f, false);
	assert_int_equal(write_words(&d, OWN_SWITCH, (const uint32_t[]){ 0 }, 4), OK);
	assert_int_equal(voice(&d, 0)->volumes, 2);
	assert_true(voice(&d, 0)->volume.mute);
	assert_true(voice(&d, 0)->volume.gain[0] == 0.52f);
	assert_int_equal(write2(&d, OWN_VOLUME, 50, (uint32_t)value_of(&d, OWN_VOLUME, 1)), OK);
	near(voice(&d, 0)->volume.gain[0], 0.316228);
	assert_true(voice(&d, 0)->volume.gain[1] == 0.13f);
	/* So does a new voice. */
	assert_int_equal(command(&d, RELEASE, 0), OK);
	prepare(&d, 0, 4);
	assert_true(voice(&d, 0)->volume.gain[1] == 0.13f);
	assert_true(voice(&d, 0)->volume.mute);
	device_close(&d);
}

/* The host's user knows of one volume, and the guest's mixer shows the product of two. */
static void others_are_taken_out(void **state)
{
	struct device d;

	(void)state;
	open_knobs(&d);
	assert_int_equal(write2(&d, ALL_VOLUME, 50, 50), OK);
	host_sets(&d, 0, 0.1f, 0.9f, false);
	assert_int_equal(value_of(&d, OWN_VOLUME, 0), 50);
	assert_int_equal(value_of(&d, OWN_VOLUME, 1), 60);
	assert_int_equal(value_of(&d, ALL_VOLUME, 0), 50);
	device_close(&d);
}

static void where_a_change_is_shown(void **state)
{
	struct device d;

	(void)state;
	open_knobs(&d);
	/* Not the only output, and nothing of its own. */
	host_sets(&d, 1, 0.5f, 0.5f, true);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(value_of(&d, i, 0), knobs[i].value->integer[0]);
	/* But it keeps the volume until the guest says something else. */
	assert_int_equal(write_words(&d, ALL_SWITCH, (const uint32_t[]){ 0 }, 4), OK);
	assert_true(voice(&d, 1)->volume.gain[0] == 0.5f);
	/* The only input. */
	host_sets(&d, 2, 0.5f, 0.5f, true);
	assert_int_equal(value_of(&d, IN_VOLUME, 0), 54);
	assert_int_equal(value_of(&d, IN_SWITCH, 0), 0);
	device_close(&d);
}

static void ends_of_the_scale(void **state)
{
	struct device d;

	(void)state;
	open_knobs(&d);
	host_sets(&d, 0, 0, 7, false);
	assert_int_equal(value_of(&d, OWN_VOLUME, 0), 0);
	assert_int_equal(value_of(&d, OWN_VOLUME, 1), 60);
	host_sets(&d, 0, 0.000001f, 0.001f, false);
	assert_int_equal(value_of(&d, OWN_VOLUME, 0), 0);
	assert_int_equal(value_of(&d, OWN_VOLUME, 1), 1);
	device_close(&d);
}

/* Every step comes back as itself. */
static void echo_is_the_same(void **state)
{
	struct device d;

	(void)state;
	open_knobs(&d);
	for (uint32_t v = 0; v <= 60; v++) {
		const struct vsnd_volume *at = &voice(&d, 0)->volume;

		assert_int_equal(write2(&d, OWN_VOLUME, v, 60 - v), OK);
		host_sets(&d, 0, at->gain[0], at->gain[1], at->mute);
		assert_int_equal(value_of(&d, OWN_VOLUME, 0), v);
		/* As a host that keeps it in 16 bits. */
		host_sets(&d, 0, (float)(int)(at->gain[0] * 65536) / 65536, at->gain[1], false);
		assert_int_equal(value_of(&d, OWN_VOLUME, 0), v);
		assert_int_equal(value_of(&d, OWN_VOLUME, 1), 60 - v);
	}
	device_close(&d);
}

/* A member for both channels shows the louder. */
static void fewer_members_than_channels(void **state)
{
	struct device d;

	(void)state;
	open_knobs(&d);
	host_sets(&d, 2, 0.5f, 0.1f, false);
	assert_int_equal(value_of(&d, IN_VOLUME, 0), 54);
	device_close(&d);
}

static void mono(void **state)
{
	struct device d;

	(void)state;
	open_knobs(&d);
	assert_int_equal(set_params(&d, 0, 1920, 960, 0, 1, VSND_FMT_S16, VSND_RATE_48000), OK);
	assert_int_equal(command(&d, PREPARE, 0), OK);
	assert_int_equal(voice(&d, 0)->volume.channels, 1);
	device_close(&d);
}

static void knob_scales(void **state)
{
	int16_t out[PERIOD * 2], *in;
	uint8_t seed = 0;
	struct device d;
	struct sent sent;

	(void)state;
	open_knobs(&d);
	assert_int_equal(vsnd_stream_set_volume(d.dev, 0, -602, false), 0);
	assert_int_equal(voice(&d, 0)->volumes, 1);
	prepare(&d, 0, 4);
	assert_int_equal(command(&d, START, 0), OK);
	sent = send_bytes(&d, VSND_TXQ, 0, sizeof(out), &seed);
	in = guest_ptr(&d.g, sent.data);
	for (unsigned i = 0; i < PERIOD * 2; i++)
		in[i] = 20000;
	play(&d, 0, out, PERIOD, 0);
	for (unsigned i = 0; i < PERIOD * 2; i++)
		assert_true(abs(out[i] - 10000) < 10);
	assert_int_equal(vsnd_stream_set_volume(d.dev, 0, VSND_MILLIBELS_MIN - 1, false), -EINVAL);
	assert_int_equal(vsnd_stream_set_volume(d.dev, 0, VSND_MILLIBELS_MAX + 1, false), -EINVAL);
	device_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opened_voice_is_told),
		cmocka_unit_test(only_with_elements),
		cmocka_unit_test(guest_sets_and_samples_pass),
		cmocka_unit_test(host_sets_and_guest_is_told),
		cmocka_unit_test(nothing_is_rounded_back),
		cmocka_unit_test(others_are_taken_out),
		cmocka_unit_test(where_a_change_is_shown),
		cmocka_unit_test(ends_of_the_scale),
		cmocka_unit_test(echo_is_the_same),
		cmocka_unit_test(fewer_members_than_channels),
		cmocka_unit_test(mono),
		cmocka_unit_test(knob_scales),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
