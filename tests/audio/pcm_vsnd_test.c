/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pcm for tests, `type vsnd_test`: a sound card without hardware, of which a test knows
 * all that it played, and on which it can have accidents.  Its configuration:
 *
 *   dir DIR        where its files are:
 *     played         what was heard, as it came in: frames leave the buffer for it at the
 *                    device's rate, so what a buffer had when it was dropped is not in it
 *     source         what it records, over and over, from its first frame on
 *     events         a line for each thing that happened
 *     control        what shall happen, "NUMBER COMMAND [MS]", once per NUMBER:
 *       xrun           an output plays what it has and runs dry, an input overflows
 *       suspend MS     nothing moves for so long, and it can then be resumed
 *       sleep MS       the same, and it cannot
 *       gone           the device is unplugged, until the command is another
 *       stall MS       the next call takes so long
 *       short          of the next frames it takes half
 *       freeze         it runs, and does not move any more
 *   formats "…"    ALSA's names of those that it has; all if there is none
 *   mmap 0         it cannot be mapped
 *   jump N         its position moves by N frames at a time, which is its shortest period
 *   ppm N          its clock is fast by so much
 *
 * It is told by poll() when there is room for, or are, avail_min frames, as the kernel does.
 */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define FORMATS_MAX 64

struct card {
	snd_pcm_ioplug_t io;
	char dir[256];
	int timer, played, source, events;
	size_t frame_bytes;
	uint8_t *ring;		/* of an output: buffer_size frames */
	long jump, ppm;
	snd_pcm_uframes_t avail_min;
	bool runs;
	bool half;		/* take half of the next frames */
	bool frozen;
	int64_t start_ns;	/* when frame 0 was due; moved by a suspend */
	int64_t asleep_ns;	/* since when it is suspended */
	int64_t wake_ns;	/* when it can be resumed, INT64_MAX for never */
	uint64_t written, done;	/* since prepare: by the program, by the device */
	uint64_t source_base;	/* of an input: frames recorded before the last prepare */
};

/* Which commands were carried out, of all cards. */
static atomic_long last_number;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

__attribute__((format(printf, 2, 3)))
static void note(const struct card *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vdprintf(c->events, fmt, ap);
	va_end(ap);
}

static int open_at(const char *dir, const char *name, int flags)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, flags | O_CLOEXEC, 0600);
}

/* The command that holds now.  Returns its number, 0 if there is none. */
static long read_control(const char *dir, char command[16], long *ret_ms)
{
	char text[64] = "";
	long number = 0;
	int fd = open_at(dir, "control", O_RDONLY);

	*command = '\0';
	*ret_ms = 0;
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) > 0 &&
			sscanf(text, "%ld %15s %ld", &number, command, ret_ms) < 2)
		number = 0;
	close(fd);
	return number;
}

static bool is_input(const struct card *c)
{
	return c->io.stream == SND_PCM_STREAM_CAPTURE;
}

/* Frames that the clock has seen since the start. */
static uint64_t clock_frames(const struct card *c)
{
	double rate = (double)c->io.rate * (1.0 + (double)c->ppm / 1e6);

	return (uint64_t)((double)(now_ns() - c->start_ns) * rate / 1e9);
}

/* ... and what it tells of them. */
static uint64_t told_frames(const struct card *c)
{
	uint64_t frames = clock_frames(c);

	return c->jump > 0 ? frames - frames % (uint64_t)c->jump : frames;
}

static int64_t when_frames(const struct card *c, uint64_t frames)
{
	double rate = (double)c->io.rate * (1.0 + (double)c->ppm / 1e6);

	if (c->jump > 0)
		frames += ((uint64_t)c->jump - frames % (uint64_t)c->jump) % (uint64_t)c->jump;
	return c->start_ns + (int64_t)((double)frames * 1e9 / rate) + 1;
}

/* Let frames up to @end be heard. */
static void play_until(struct card *c, uint64_t end)
{
	while (c->done < end) {
		uint64_t at = c->done % c->io.buffer_size;
		uint64_t some = end - c->done;

		if (some > c->io.buffer_size - at)
			some = c->io.buffer_size - at;
		if (write(c->played, c->ring + at * c->frame_bytes, some * c->frame_bytes) < 0)
			note(c, "error %d\n", errno);
		c->done += some;
	}
}

static snd_pcm_sframes_t xrun(struct card *c)
{
	c->runs = false;
	note(c, "xrun\n");
	return -EPIPE;
}

static void suspend(struct card *c, int64_t wake)
{
	c->asleep_ns = now_ns();
	c->wake_ns = wake;
	snd_pcm_ioplug_set_state(&c->io, SND_PCM_STATE_SUSPENDED);
	note(c, "suspended\n");
}

/* False: there is an xrun. */
static bool obey(struct card *c)
{
	char command[16];
	long ms, number = read_control(c->dir, command, &ms);
	const struct timespec stall = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	if (number == 0 || number == atomic_exchange(&last_number, number))
		return true;
	if (strcmp(command, "suspend") == 0)
		suspend(c, now_ns() + ms * 1000000);
	else if (strcmp(command, "sleep") == 0)
		suspend(c, INT64_MAX);
	else if (strcmp(command, "gone") == 0)
		snd_pcm_ioplug_set_state(&c->io, SND_PCM_STATE_DISCONNECTED);
	else if (strcmp(command, "stall") == 0)
		nanosleep(&stall, NULL);
	else if (strcmp(command, "short") == 0)
		c->half = true;
	else if (strcmp(command, "freeze") == 0)
		c->frozen = true;
	return strcmp(command, "xrun") != 0;
}

static snd_pcm_sframes_t card_pointer(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;
	bool dry = c->runs && !obey(c);

	if (c->runs && !c->frozen && io->state == SND_PCM_STATE_RUNNING) {
		uint64_t target = told_frames(c);

		if (is_input(c)) {
			dry = dry || target - io->appl_ptr > io->buffer_size;
			c->done = target;
		} else {
			dry = dry || target > c->written;
			play_until(c, dry ? c->written : target);
		}
		if (dry)
			return xrun(c);
	}
	return (snd_pcm_sframes_t)(c->done % io->buffer_size);
}

static void record(const struct card *c, uint8_t *to, uint64_t at, snd_pcm_uframes_t frames)
{
	uint64_t source_frames = (uint64_t)lseek(c->source, 0, SEEK_END) / c->frame_bytes;

	while (frames > 0 && source_frames > 0) {
		uint64_t first = at % source_frames, some = frames;

		if (some > source_frames - first)
			some = source_frames - first;
		if (pread(c->source, to, some * c->frame_bytes, (off_t)(first * c->frame_bytes)) < 0)
			note(c, "error %d\n", errno);
		to += some * c->frame_bytes;
		at += some;
		frames -= some;
	}
}

/* An input that is mapped may be asked for the same frames more than once. */
/* To when there is enough, after the program has taken @taken. */
static void set_timer(const struct card *c, snd_pcm_uframes_t taken)
{
	int64_t at = INT64_MAX;
	struct itimerspec timer = { 0 };

	if (c->frozen)
		at = INT64_MAX;
	else if (c->runs && is_input(c))
		at = when_frames(c, c->io.appl_ptr + taken + c->avail_min);
	else if (c->runs)
		at = when_frames(c, c->written + c->avail_min - c->io.buffer_size);
	if (at != INT64_MAX)
		timer.it_value = (struct timespec){ .tv_sec = at / NS_PER_S, .tv_nsec = at % NS_PER_S };
	timerfd_settime(c->timer, TFD_TIMER_ABSTIME, &timer, NULL);
}

/* The timer is set for who has asked for the descriptor once, and polls it ever since. */
static snd_pcm_sframes_t card_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
		snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
	struct card *c = io->private_data;
	uint8_t *place = (uint8_t *)areas[0].addr + areas[0].first / 8 + offset * c->frame_bytes;

	if (is_input(c)) {
		record(c, place, c->source_base + io->appl_ptr, size);
		set_timer(c, size);
		return (snd_pcm_sframes_t)size;
	}
	if (c->half && size > 1) {
		size /= 2;
		c->half = false;
		note(c, "short\n");
	}
	for (snd_pcm_uframes_t i = 0; i < size; i++, c->written++)
		memcpy(c->ring + c->written % io->buffer_size * c->frame_bytes,
			place + i * c->frame_bytes, c->frame_bytes);
	set_timer(c, 0);
	return (snd_pcm_sframes_t)size;
}

static int card_start(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;

	c->start_ns = now_ns();
	c->runs = true;
	set_timer(c, 0);
	note(c, "start %llu\nclock %lld\n", (unsigned long long)c->written, (long long)c->start_ns);
	return 0;
}

static int card_stop(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;

	if (c->runs && !c->frozen && !is_input(c) && io->state == SND_PCM_STATE_RUNNING) {
		uint64_t heard = clock_frames(c);

		play_until(c, heard < c->written ? heard : c->written);
	}
	c->runs = false;
	return 0;
}

/* What the buffer has is dropped; the time of an input goes on meanwhile. */
static int card_prepare(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;

	if (io->state == SND_PCM_STATE_DISCONNECTED)
		return -ENODEV;
	if (c->written > c->done)
		note(c, "dropped %llu\n", (unsigned long long)(c->written - c->done));
	c->source_base += is_input(c) ? c->done : 0;
	c->written = 0;
	c->done = 0;
	c->runs = false;
	return 0;
}

static int card_resume(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;

	/* It has no way to say "not yet". */
	if (c->wake_ns == INT64_MAX)
		return 0;
	while (now_ns() < c->wake_ns)
		usleep(1000);
	c->start_ns += now_ns() - c->asleep_ns;
	snd_pcm_ioplug_set_state(io, SND_PCM_STATE_RUNNING);
	note(c, "resumed\n");
	return 0;
}

static int card_hw_params(snd_pcm_ioplug_t *io, snd_pcm_hw_params_t *params)
{
	struct card *c = io->private_data;

	(void)params;
	c->frame_bytes = (size_t)snd_pcm_format_physical_width(io->format) * io->channels / 8;
	free(c->ring);
	c->ring = calloc(io->buffer_size, c->frame_bytes);
	note(c, "params %s %u %u period %lu buffer %lu\n", snd_pcm_format_name(io->format), io->rate,
		io->channels, io->period_size, io->buffer_size);
	return c->ring ? 0 : -ENOMEM;
}

static int card_sw_params(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *params)
{
	struct card *c = io->private_data;

	return snd_pcm_sw_params_get_avail_min(params, &c->avail_min);
}

/* Somebody is going to poll. */
static int card_poll_descriptors(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned space)
{
	struct card *c = io->private_data;

	set_timer(c, 0);
	if (space < 1)
		return 0;
	*fds = (struct pollfd){ .fd = c->timer, .events = POLLIN };
	return 1;
}

static int card_poll_revents(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned count,
		unsigned short *revents)
{
	struct card *c = io->private_data;
	uint64_t ticks;

	(void)count;
	*revents = 0;
	if (!(fds[0].revents & POLLIN) || read(c->timer, &ticks, sizeof(ticks)) < 0)
		return 0;
	*revents = is_input(c) ? POLLIN : POLLOUT;
	return 0;
}

static int card_delay(snd_pcm_ioplug_t *io, snd_pcm_sframes_t *delay)
{
	struct card *c = io->private_data;

	*delay = (snd_pcm_sframes_t)(is_input(c) ? c->done - io->appl_ptr : c->written - c->done);
	return 0;
}

static int card_set_chmap(snd_pcm_ioplug_t *io, const snd_pcm_chmap_t *map)
{
	char text[256];

	if (snd_pcm_chmap_print(map, sizeof(text), text) < 0)
		return -EINVAL;
	note(io->private_data, "map %s\n", text);
	return 0;
}

static void free_card(struct card *c)
{
	if (c->timer >= 0)
		close(c->timer);
	if (c->played >= 0)
		close(c->played);
	if (c->source >= 0)
		close(c->source);
	if (c->events >= 0)
		close(c->events);
	free(c->ring);
	free(c);
}

static int card_close(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;

	note(c, "close\n");
	free_card(c);
	return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
	.start = card_start,
	.stop = card_stop,
	.pointer = card_pointer,
	.transfer = card_transfer,
	.close = card_close,
	.hw_params = card_hw_params,
	.sw_params = card_sw_params,
	.prepare = card_prepare,
	.resume = card_resume,
	.poll_descriptors = card_poll_descriptors,
	.poll_revents = card_poll_revents,
	.delay = card_delay,
	.set_chmap = card_set_chmap,
};

static int constrain(struct card *c, const char *formats, long mapped)
{
	const unsigned accesses[] = { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED };
	unsigned list[FORMATS_MAX], count = 0;
	char text[256];
	int err;

	snprintf(text, sizeof(text), "%s", formats ? formats : "");
	for (char *rest, *name = strtok_r(text, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		if (count < FORMATS_MAX)
			list[count++] = (unsigned)snd_pcm_format_value(name);
	}
	for (int f = 0; !formats && f <= SND_PCM_FORMAT_LAST && count < FORMATS_MAX; f++) {
		if (snd_pcm_format_name(f) && snd_pcm_format_physical_width(f) >= 8)
			list[count++] = (unsigned)f;
	}
	err = snd_pcm_ioplug_set_param_list(&c->io, SND_PCM_IOPLUG_HW_ACCESS, mapped ? 2 : 1, accesses);
	if (err == 0)
		err = snd_pcm_ioplug_set_param_list(&c->io, SND_PCM_IOPLUG_HW_FORMAT, count, list);
	if (err == 0)
		err = snd_pcm_ioplug_set_param_minmax(&c->io, SND_PCM_IOPLUG_HW_CHANNELS, 1, 32);
	if (err == 0)
		err = snd_pcm_ioplug_set_param_minmax(&c->io, SND_PCM_IOPLUG_HW_RATE, 4000, 400000);
	/* For frames of 4 bytes, as those are that it is tried with. */
	if (err == 0 && c->jump > 0)
		err = snd_pcm_ioplug_set_param_minmax(&c->io, SND_PCM_IOPLUG_HW_PERIOD_BYTES,
			(unsigned)c->jump * 4, 1u << 20);
	if (err == 0)
		err = snd_pcm_ioplug_set_param_minmax(&c->io, SND_PCM_IOPLUG_HW_PERIODS, 2, 1024);
	return err;
}

static int open_files(struct card *c, snd_pcm_stream_t stream)
{
	c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	c->events = open_at(c->dir, "events", O_WRONLY | O_CREAT | O_APPEND);
	if (stream == SND_PCM_STREAM_CAPTURE)
		c->source = open_at(c->dir, "source", O_RDONLY);
	else
		c->played = open_at(c->dir, "played", O_WRONLY | O_CREAT | O_APPEND);
	return c->timer < 0 || c->events < 0 || (c->source < 0 && c->played < 0) ? -errno : 0;
}

SND_PCM_PLUGIN_DEFINE_FUNC(vsnd_test)
{
	snd_config_iterator_t i, next;
	const char *dir = "", *formats = NULL;
	long mapped = 1, jump = 0, ppm = 0, ms;
	char command[16];
	struct card *c;
	int err;

	(void)root;
	snd_config_for_each(i, next, conf) {
		snd_config_t *n = snd_config_iterator_entry(i);
		const char *id;

		snd_config_get_id(n, &id);
		if (strcmp(id, "dir") == 0)
			snd_config_get_string(n, &dir);
		else if (strcmp(id, "formats") == 0)
			snd_config_get_string(n, &formats);
		else if (strcmp(id, "mmap") == 0)
			snd_config_get_integer(n, &mapped);
		else if (strcmp(id, "jump") == 0)
			snd_config_get_integer(n, &jump);
		else if (strcmp(id, "ppm") == 0)
			snd_config_get_integer(n, &ppm);
	}
	read_control(dir, command, &ms);
	if (strcmp(command, "gone") == 0)
		return -ENODEV;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (struct card){ .timer = -1, .played = -1, .source = -1, .events = -1, .jump = jump,
		.ppm = ppm };
	snprintf(c->dir, sizeof(c->dir), "%s", dir);
	c->io.version = SND_PCM_IOPLUG_VERSION;
	c->io.name = "A card for tests";
	c->io.callback = &callbacks;
	c->io.private_data = c;
	err = open_files(c, stream);
	if (err == 0)
		err = snd_pcm_ioplug_create(&c->io, name, stream, mode);
	if (err < 0) {
		free_card(c);
		return err;
	}
	err = constrain(c, formats, mapped);
	if (err < 0) {
		snd_pcm_ioplug_delete(&c->io);
		return err;
	}
	note(c, "open\n");
	*pcmp = c->io.pcm;
	return 0;
}

SND_PCM_PLUGIN_SYMBOL(vsnd_test);
