/* SPDX-License-Identifier: BSD-3-Clause */
/* Permission: no sample of a denied stream passes, and the guest does not notice. */
#include "record_fixture.h"

static struct sent send_period(struct device *d, unsigned queue, uint32_t stream, int16_t sample)
{
	uint8_t seed = 0;
	struct sent s = send_bytes(d, queue, stream, PERIOD * 4, &seed);
	int16_t *at = guest_ptr(&d->g, s.data);

	for (unsigned i = 0; i < PERIOD * 2; i++)
		at[i] = (int16_t)htole16((uint16_t)sample);
	return s;
}

static void all_are(const int16_t *samples, size_t n, int16_t value)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(samples[i], value);
}

/* Down or up in small steps, from one end to the other. */
static void is_ramp(const int16_t *samples, size_t frames, int from, int to)
{
	int most = 2 * abs(to - from) / (int)frames + 2;
	int last = from;

	for (size_t i = 0; i < frames; i++) {
		assert_true(abs(samples[2 * i] - last) <= most);
		assert_int_equal(samples[2 * i], samples[2 * i + 1]);
		last = samples[2 * i];
	}
	assert_true(abs(last - to) <= most);
}

static struct vsnd_stream_stats stats_of(struct device *d, unsigned stream)
{
	struct vsnd_stream_stats s;

	assert_int_equal(vsnd_stream_stats(d->dev, stream, &s), 0);
	return s;
}

static void denied_output_is_taken_and_discarded(void **state)
{
	int16_t out[PERIOD * 2];
	struct sent sent;
	struct device d;

	(void)state;
	device_tweak = NULL;
	device_open(&d, EVENT_IDX, 64);
	assert_int_equal(vsnd_stream_allow(d.dev, 1, false), 0);
	prepare(&d, 1, 4);
	sent = send_period(&d, VSND_TXQ, 1, 20000);
	send_period(&d, VSND_TXQ, 1, 20000);
	assert_int_equal(command(&d, START, 1), OK);
	memset(out, 1, sizeof(out));
	assert_int_equal(play(&d, 1, out, PERIOD, 7), PERIOD);
	all_are(out, PERIOD * 2, 0);
	expect_done(&d, VSND_TXQ, &sent, OK, (PERIOD + 7) * 4);
	assert_int_equal(stats_of(&d, 1).discarded, PERIOD);
	assert_int_equal(stats_of(&d, 1).frames, 0);
	device_close(&d);
}

static void denied_output_plays_silence_at_release(void **state)
{
	struct device d;

	(void)state;
	device_tweak = NULL;
	device_open(&d, EVENT_IDX, 64);
	assert_int_equal(vsnd_stream_allow(d.dev, 0, false), 0);
	prepare(&d, 0, 4);
	send_period(&d, VSND_TXQ, 0, 20000);
	assert_int_equal(command(&d, START, 0), OK);
	assert_int_equal(command(&d, STOP, 0), OK);
	d.host->flush_frames = PERIOD;
	assert_int_equal(command(&d, RELEASE, 0), OK);
	assert_int_equal(d.host->flushed_frames, PERIOD);
	all_are((const int16_t *)(const void *)d.host->flushed, PERIOD * 2, 0);
	device_close(&d);
}

static void denied_input_is_silent(void **state)
{
	int16_t in[PERIOD * 2];
	struct sent sent;
	struct device d;

	(void)state;
	device_tweak = NULL;
	device_open_inputs(&d, EVENT_IDX, 64, 1);
	assert_int_equal(vsnd_stream_allow(d.dev, 2, false), 0);
	prepare(&d, 2, 4);
	sent = send_period(&d, VSND_RXQ, 2, 99);
	send_period(&d, VSND_RXQ, 2, 99);
	assert_int_equal(command(&d, START, 2), OK);
	for (unsigned i = 0; i < PERIOD * 2; i++)
		in[i] = 12345;
	assert_int_equal(record(&d, 2, in, PERIOD, 0), PERIOD);
	all_are(guest_ptr(&d.g, sent.data), PERIOD * 2, 0);
	expect_used(&d, VSND_RXQ, &sent, PERIOD * 4 + 8, OK, 0);
	assert_int_equal(stats_of(&d, 2).silence, PERIOD);
	assert_int_equal(stats_of(&d, 2).frames, 0);
	device_close(&d);
}

static void change_while_playing(void **state)
{
	int16_t out[PERIOD * 2];
	struct device d;

	(void)state;
	device_tweak = NULL;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 0, 8);
	for (unsigned i = 0; i < 6; i++)
		send_period(&d, VSND_TXQ, 0, 20000);
	play(&d, 0, out, PERIOD, 0);
	all_are(out, PERIOD * 2, 20000);
	assert_int_equal(vsnd_stream_allow(d.dev, 0, false), 0);
	play(&d, 0, out, PERIOD, 0);
	is_ramp(out, PERIOD, 20000, 0);
	play(&d, 0, out, 1, 0);
	play(&d, 0, out, PERIOD, 0);
	all_are(out, PERIOD * 2, 0);
	assert_int_equal(stats_of(&d, 0).discarded, PERIOD);
	assert_int_equal(vsnd_stream_allow(d.dev, 0, true), 0);
	play(&d, 0, out, PERIOD, 0);
	is_ramp(out, PERIOD, 0, 20000);
	play(&d, 0, out, 1, 0);
	play(&d, 0, out, PERIOD, 0);
	all_are(out, PERIOD * 2, 20000);
	assert_int_equal(stats_of(&d, 0).frames, 4 * PERIOD + 2);
	assert_int_equal(stats_of(&d, 0).xruns, 0);
	device_close(&d);
}

static void change_while_recording(void **state)
{
	struct sent sent[5];
	int16_t in[PERIOD * 2];
	struct device d;

	(void)state;
	device_tweak = NULL;
	device_open_inputs(&d, EVENT_IDX, 64, 1);
	run(&d, 2, 8);
	for (unsigned i = 0; i < PERIOD * 2; i++)
		in[i] = -20000;
	for (unsigned i = 0; i < 5; i++) {
		sent[i] = send_period(&d, VSND_RXQ, 2, 99);
		vsnd_stream_allow(d.dev, 2, i == 0 || i > 3);
		record(&d, 2, in, PERIOD, 0);
	}
	all_are(guest_ptr(&d.g, sent[0].data), PERIOD * 2, -20000);
	is_ramp(guest_ptr(&d.g, sent[1].data), PERIOD, -20000, 0);
	all_are((const int16_t *)guest_ptr(&d.g, sent[2].data) + 4, PERIOD * 2 - 4, 0);
	all_are(guest_ptr(&d.g, sent[3].data), PERIOD * 2, 0);
	is_ramp(guest_ptr(&d.g, sent[4].data), PERIOD, 0, -20000);
	device_close(&d);
}

/* What is denied while it rests does not fade into its next START. */
static void denied_at_rest(void **state)
{
	int16_t out[PERIOD * 2];
	struct device d;

	(void)state;
	device_tweak = NULL;
	device_open(&d, EVENT_IDX, 64);
	run(&d, 0, 8);
	for (unsigned i = 0; i < 4; i++)
		send_period(&d, VSND_TXQ, 0, 20000);
	play(&d, 0, out, PERIOD, 0);
	assert_int_equal(command(&d, STOP, 0), OK);
	assert_int_equal(vsnd_stream_allow(d.dev, 0, false), 0);
	assert_int_equal(command(&d, START, 0), OK);
	play(&d, 0, out, PERIOD, 0);
	all_are(out, PERIOD * 2, 0);
	assert_int_equal(vsnd_stream_allow(d.dev, 0, true), 0);
	assert_int_equal(vsnd_queue_enable(d.dev, VSND_TXQ, false), 0);
	assert_int_equal(vsnd_stream_allow(d.dev, 0, false), 0);
	assert_int_equal(vsnd_queue_enable(d.dev, VSND_TXQ, true), 0);
	play(&d, 0, out, PERIOD, 0);
	all_are(out, PERIOD * 2, 0);
	device_close(&d);
}

static void mute_is_no_denial(void **state)
{
	int16_t out[PERIOD * 2];
	struct device d;

	(void)state;
	device_tweak = NULL;
	device_open(&d, EVENT_IDX, 64);
	assert_int_equal(vsnd_stream_set_volume(d.dev, 0, 0, true), 0);
	run(&d, 0, 8);
	send_period(&d, VSND_TXQ, 0, 20000);
	play(&d, 0, out, PERIOD, 0);
	all_are(out, PERIOD * 2, 0);
	assert_int_equal(stats_of(&d, 0).frames, PERIOD);
	device_close(&d);
}

static void more(struct vsnd_settings *s, struct vsnd_stream_settings *streams)
{
	(void)streams;
	s->audio = host_more_ops();
}

static bool is_allowed(struct device *d, unsigned stream)
{
	struct vsnd_stream_status status;

	assert_int_equal(vsnd_stream_status(d->dev, stream, &status), 0);
	return status.allowed;
}

static void back_end_is_told(void **state)
{
	struct vsnd_voice *v;
	struct device d;

	(void)state;
	device_tweak = more;
	device_open(&d, EVENT_IDX, 64);
	v = &d.host->voice[1];
	assert_int_equal(vsnd_stream_allow(d.dev, 1, false), 0);
	prepare(&d, 1, 4);
	assert_true(v->params.denied);
	assert_int_equal(v->allows, 0);
	assert_int_equal(vsnd_stream_allow(d.dev, 1, false), 0);
	assert_int_equal(v->allows, 0);
	assert_int_equal(vsnd_stream_allow(d.dev, 1, true), 0);
	assert_int_equal(v->allows, 1);
	assert_true(v->allowed);
	assert_int_equal(command(&d, RELEASE, 1), OK);
	prepare(&d, 1, 4);
	assert_false(v->params.denied);
	assert_int_equal(vsnd_stream_allow(d.dev, 1, false), 0);
	assert_int_equal(v->allows, 1);
	assert_false(v->allowed);
	prepare(&d, 0, 4);
	assert_false(d.host->voice[0].params.denied);
	device_close(&d);
}

static void survives_a_reset(void **state)
{
	int16_t out[PERIOD * 2];
	struct device d;

	(void)state;
	device_tweak = more;
	device_open(&d, EVENT_IDX, 64);
	assert_int_equal(vsnd_stream_allow(d.dev, 0, false), 0);
	vsnd_reset_state(d.dev);
	run(&d, 0, 4);
	assert_true(d.host->voice[0].params.denied);
	send_period(&d, VSND_TXQ, 0, 20000);
	play(&d, 0, out, PERIOD, 0);
	all_are(out, PERIOD * 2, 0);
	assert_false(is_allowed(&d, 0));
	assert_true(is_allowed(&d, 1));
	vsnd_reset(d.dev);
	assert_false(is_allowed(&d, 0));
	device_close(&d);
}

static void bad_streams(void **state)
{
	struct vsnd_stream_status status;
	struct device d;

	(void)state;
	device_tweak = NULL;
	device_open(&d, EVENT_IDX, 64);
	assert_int_equal(vsnd_stream_allow(d.dev, STREAMS, false), -EINVAL);
	assert_int_equal(vsnd_stream_set_volume(d.dev, STREAMS, 0, false), -EINVAL);
	assert_int_equal(vsnd_stream_status(d.dev, STREAMS, &status), -EINVAL);
	device_close(&d);
}

static void status_follows_the_stream(void **state)
{
	struct vsnd_stream_status s;
	struct device d;

	(void)state;
	device_tweak = NULL;
	device_open_inputs(&d, EVENT_IDX, 64, 1);
	assert_int_equal(vsnd_stream_status(d.dev, 2, &s), 0);
	assert_int_equal(s.state, VSND_STREAM_INIT);
	assert_int_equal(s.direction, VSND_INPUT);
	assert_int_equal(s.rate_hz, 0);
	run(&d, 2, 4);
	assert_int_equal(vsnd_stream_set_volume(d.dev, 2, -350, true), 0);
	assert_int_equal(vsnd_stream_status(d.dev, 2, &s), 0);
	assert_int_equal(s.state, VSND_STREAM_RUNNING);
	assert_int_equal(s.format, VSND_FMT_S16);
	assert_int_equal(s.channels, 2);
	assert_int_equal(s.rate_hz, 48000);
	assert_int_equal(s.period_frames, 480);
	assert_int_equal(s.buffer_frames, 1920);
	assert_int_equal(s.millibels, -350);
	assert_true(s.mute);
	vsnd_reset_state(d.dev);
	assert_int_equal(vsnd_stream_status(d.dev, 2, &s), 0);
	assert_int_equal(s.state, VSND_STREAM_INIT);
	assert_int_equal(s.rate_hz, 0);
	assert_int_equal(s.millibels, -350);
	device_close(&d);
}

static void service_runs_once(void **state)
{
	struct device d;
	unsigned wakes;

	(void)state;
	device_tweak = more;
	device_open(&d, EVENT_IDX, 64);
	vsnd_run(d.dev);
	assert_int_equal(d.host->services, 0);
	wakes = d.wakes;
	vsnd_audio_service(d.dev);
	vsnd_audio_service(d.dev);
	assert_int_equal(d.wakes, wakes + 1);
	vsnd_run(d.dev);
	vsnd_run(d.dev);
	assert_int_equal(d.host->services, 1);
	vsnd_audio_service(d.dev);
	vsnd_run(d.dev);
	assert_int_equal(d.host->services, 2);
	assert_true(vsnd_host_connected(d.dev));
	d.host->away = true;
	assert_false(vsnd_host_connected(d.dev));
	device_close(&d);
}

/* A back-end without any of it. */
static void nothing_more_is_needed(void **state)
{
	struct device d;

	(void)state;
	device_tweak = NULL;
	device_open(&d, EVENT_IDX, 64);
	vsnd_audio_service(d.dev);
	vsnd_run(d.dev);
	assert_true(vsnd_host_connected(d.dev));
	prepare(&d, 0, 4);
	assert_int_equal(vsnd_stream_allow(d.dev, 0, false), 0);
	device_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(denied_output_is_taken_and_discarded),
		cmocka_unit_test(denied_output_plays_silence_at_release),
		cmocka_unit_test(denied_input_is_silent),
		cmocka_unit_test(change_while_playing),
		cmocka_unit_test(change_while_recording),
		cmocka_unit_test(denied_at_rest),
		cmocka_unit_test(mute_is_no_denial),
		cmocka_unit_test(back_end_is_told),
		cmocka_unit_test(survives_a_reset),
		cmocka_unit_test(bad_streams),
		cmocka_unit_test(status_follows_the_stream),
		cmocka_unit_test(service_runs_once),
		cmocka_unit_test(nothing_more_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
