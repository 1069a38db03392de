/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A JACK client for tests: it writes what its ports hear, or plays frames that tell
 * their number.
 *
 *	jack_tap hear FILE [NAME]
 *	                       ports in_1 and in_2; their samples, interleaved, as
 *	                       signed 16-bit little-endian integers, or as floats with
 *	                       `hear-float`
 *	jack_tap count         ports out_1 and out_2; frame n is (n + 1) / 2^23 on the first
 *	                       and minus that on the second, from 0 again after 2^22
 *
 * It is called `tap`, or NAME, says `ready` when others can connect to it, and how many cycles it
 * missed when the server or a signal ends it.  A cycle that this client is late for
 * is none of vsnd's, so a test has to know.
 */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jack/jack.h>

#define CHANNELS 2
#define FRAMES_MAX 8192
#define COUNT_END (1u << 22)

static struct {
	jack_client_t *client;
	jack_port_t *port[CHANNELS];
	int fd;				/* what is heard goes there; -1: we count */
	bool as_float;
	uint32_t count;
	jack_nframes_t expected;	/* the time of the next cycle */
	bool running;
	atomic_uint missed;
	atomic_bool gone;
} tap;

static volatile sig_atomic_t told_to_end;

/* It is told when it is heard: at the begin of the cycle. */
static void write_out(const void *samples, size_t bytes)
{
	if (write(tap.fd, samples, bytes) != (ssize_t)bytes)
		atomic_fetch_add(&tap.missed, 1);
}

static void hear(jack_nframes_t frames)
{
	static float samples[CHANNELS * FRAMES_MAX];
	static int16_t values[CHANNELS * FRAMES_MAX];
	const jack_nframes_t count = CHANNELS * (frames < FRAMES_MAX ? frames : FRAMES_MAX);

	for (unsigned i = 0; i < CHANNELS; i++) {
		const float *in = jack_port_get_buffer(tap.port[i], frames);

		for (jack_nframes_t n = 0; n < count / CHANNELS; n++)
			samples[CHANNELS * n + i] = in[n];
	}
	for (jack_nframes_t n = 0; n < count && !tap.as_float; n++)
		values[n] = (int16_t)lrintf(samples[n] * 32768);
	if (tap.as_float)
		write_out(samples, count * sizeof(*samples));
	else
		write_out(values, count * sizeof(*values));
}

static void count(jack_nframes_t frames)
{
	float *out[CHANNELS];

	for (unsigned i = 0; i < CHANNELS; i++)
		out[i] = jack_port_get_buffer(tap.port[i], frames);
	for (jack_nframes_t n = 0; n < frames; n++) {
		tap.count = (tap.count + 1) % COUNT_END;
		out[0][n] = (float)tap.count / (1u << 23);
		out[1][n] = -out[0][n];
	}
}

static int on_process(jack_nframes_t frames, void *arg)
{
	jack_nframes_t now = jack_last_frame_time(tap.client);

	(void)arg;
	if (tap.running && now != tap.expected)
		atomic_fetch_add(&tap.missed, 1);
	tap.running = true;
	tap.expected = now + frames;
	if (tap.fd >= 0)
		hear(frames);
	else
		count(frames);
	return 0;
}

static void on_shutdown(void *arg)
{
	(void)arg;
	atomic_store(&tap.gone, true);
}

static void on_signal(int number)
{
	told_to_end = number;
}

static int start(bool hears, const char *client)
{
	tap.client = jack_client_open(client, JackNoStartServer | JackUseExactName, NULL);
	if (!tap.client)
		return -1;
	for (unsigned i = 0; i < CHANNELS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%s_%u", hears ? "in" : "out", i + 1);
		tap.port[i] = jack_port_register(tap.client, name, JACK_DEFAULT_AUDIO_TYPE,
			hears ? JackPortIsInput : JackPortIsOutput, 0);
		if (!tap.port[i])
			return -1;
	}
	jack_set_process_callback(tap.client, on_process, NULL);
	jack_on_shutdown(tap.client, on_shutdown, NULL);
	return jack_activate(tap.client);
}

int main(int argc, char **argv)
{
	bool hears = argc >= 3 && argc <= 4 && strncmp(argv[1], "hear", 4) == 0;

	tap.fd = -1;
	tap.as_float = hears && strcmp(argv[1], "hear-float") == 0;
	if (!hears && (argc != 2 || strcmp(argv[1], "count") != 0)) {
		fprintf(stderr, "usage: jack_tap hear|hear-float FILE [NAME] | count\n");
		return 2;
	}
	if (hears)
		tap.fd = open(argv[2], O_WRONLY | O_CLOEXEC);
	if (hears && tap.fd < 0)
		return 1;
	signal(SIGTERM, on_signal);
	signal(SIGHUP, on_signal);	/* the server is there, and shall know */
	if (start(hears, argc == 4 ? argv[3] : "tap") < 0)
		return 1;
	printf("ready\n");
	fflush(stdout);
	while (!told_to_end && !atomic_load(&tap.gone))
		usleep(10000);
	if (told_to_end == SIGHUP)
		jack_client_close(tap.client);
	printf("missed %u\n", atomic_load(&tap.missed));
	fflush(stdout);
	_exit(0);	/* closing waits for a server that may be gone */
}
