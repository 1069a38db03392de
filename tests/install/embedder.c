/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The smallest embedder: creates a device with the default settings and a
 * back-end that is silent and has no thread, and reads the configuration space
 * as a driver would.  tests/install/run.sh builds it against the installed
 * library, so it also shows what a program outside of this tree needs.
 */
#include <stdio.h>
#include <string.h>

#include <vsnd/audio.h>
#include <vsnd/vsnd.h>

/* The instance is its own voice: there is nothing to tell them apart. */
struct vsnd_audio {
	struct vsnd *dev;
};

static struct vsnd_audio instance;

static int silent_open(struct vsnd *dev, const void *config, struct vsnd_audio **ret_audio)
{
	(void)config;
	instance.dev = dev;
	*ret_audio = &instance;
	return 0;
}

static void silent_close(struct vsnd_audio *a)
{
	a->dev = NULL;
}

static void silent_wake(struct vsnd_audio *a)
{
	vsnd_cycle_begin(a->dev, 0);
	vsnd_cycle_end(a->dev);
}

static int voice_open(struct vsnd_audio *a, struct vsnd_stream *stream,
		      const struct vsnd_voice_params *params, struct vsnd_voice **ret_voice)
{
	(void)stream;
	(void)params;
	*ret_voice = (struct vsnd_voice *)a;
	return 0;
}

static void voice_nothing(struct vsnd_voice *v)
{
	(void)v;
}

static const struct vsnd_audio_ops silent = {
	.name = "silent",
	.open = silent_open,
	.close = silent_close,
	.wake = silent_wake,
	.voice_open = voice_open,
	.voice_start = voice_nothing,
	.voice_stop = voice_nothing,
	.voice_close = voice_nothing,
};

/* The number at @index of the configuration space: jacks, streams, chmaps, controls. */
static unsigned config_number(const struct vsnd *dev, uint32_t index)
{
	uint8_t bytes[4];

	vsnd_config_read(dev, index * 4, bytes, sizeof(bytes));
	return bytes[0] | (unsigned)bytes[1] << 8 | (unsigned)bytes[2] << 16 |
	       (unsigned)bytes[3] << 24;
}

int main(void)
{
	struct vsnd_settings settings;
	struct vsnd *dev;
	unsigned streams;
	int err;

	vsnd_settings_init(&settings);
	settings.audio = &silent;
	err = vsnd_create(&settings, &dev);
	if (err < 0) {
		fprintf(stderr, "vsnd_create: %s\n", strerror(-err));
		return 1;
	}
	streams = config_number(dev, 1);
	printf("jacks %u, streams %u, channel maps %u\n", config_number(dev, 0), streams,
	       config_number(dev, 2));
	vsnd_destroy(&dev);
	if (streams != settings.streams || dev) {
		fprintf(stderr, "the device is not what the settings say\n");
		return 1;
	}
	return 0;
}
