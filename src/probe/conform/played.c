/* SPDX-License-Identifier: BSD-3-Clause */
/* Comparing what a back-end wrote with what it was given. */
#include "probe/conform/played.h"

#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/conform/hook.h"
#include "probe/names.h"
#include "probe/report.h"

int played_possible(struct conform *c, uint32_t stream)
{
	const struct pcm_params p = stream_params(c, stream);

	if (c->o->hooks)
		TRY(rig_hooks(c));
	else if (!c->o->played || !c->o->spawn)
		return skip(c, "needs --hooks, or --spawn and --played, to look at the sound");
	if (p.format >= PCM_FORMATS || pcm_formats[p.format].kind != 's')
		return skip(c, "stream %u has no format of signed samples", stream);
	return 0;
}

/* Never 0, and no two places near each other are alike. */
void pattern_fill(uint8_t *p, uint64_t at, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++) {
		uint64_t x = (at + i) * 0x9e3779b97f4a7c15ULL;

		x ^= x >> 29;
		x *= 0xbf58476d1ce4e5b9ULL;
		p[i] = (uint8_t)(x >> 56 | 1);
	}
}

int pattern_send(struct conform *c, struct chain *ch, uint32_t stream, uint64_t *at,
	uint32_t bytes)
{
	TRY(tx_init(c, ch, stream, bytes));
	pattern_fill(ch->out + XFER_BYTES, *at, bytes);
	*at += bytes;
	trace(c, "-> output message for stream %u, %u bytes of frames", stream, bytes);
	return chain_send(c, ch);
}

/* {dir} and %s replaced. */
static void file_name(const struct conform *c, uint32_t stream, char *out, size_t room)
{
	const char *p = c->o->played;
	size_t n = 0;

	*out = '\0';
	while (*p && n + 1 < room) {
		int more = 1;

		if (!strncmp(p, "{dir}", 5)) {
			more = snprintf(out + n, room - n, "%s", c->session.backend.dir);
			p += 5;
		} else if (p[0] == '%' && p[1] == 's') {
			more = snprintf(out + n, room - n, "%u", stream);
			p += 2;
		} else {
			out[n] = *p++;
			out[n + 1] = '\0';
		}
		n += (size_t)more;
	}
}

/* The back-end ends first, so that the file is whole. */
static int read_file(struct conform *c, uint32_t stream, uint8_t **ret, size_t *ret_bytes)
{
	const struct pcm_params p = stream_params(c, stream);
	char name[512];
	SF_INFO info = { 0 };
	SNDFILE *f;
	sf_count_t got;

	rig_down(c);
	EXPECT(c, spawn_end(&c->session.backend) >= 0, "%s", complaint());
	file_name(c, stream, name, sizeof(name));
	f = sf_open(name, SFM_READ, &info);
	EXPECT(c, f, "%s: %s", name, sf_strerror(NULL));
	trace(c, "   %s: %lld frames, %d channels, %d Hz", name, (long long)info.frames,
		info.channels, info.samplerate);
	*ret_bytes = (size_t)info.frames * frame_bytes(&p);
	*ret = malloc(*ret_bytes + 1);
	got = *ret ? sf_read_raw(f, *ret, (sf_count_t)*ret_bytes) : 0;
	sf_close(f);
	EXPECT_EQ(c, got, *ret_bytes, "bytes read from %s", name);
	EXPECT_EQ(c, info.channels, p.channels, "channels of %s", name);
	EXPECT_EQ(c, info.samplerate, rate_of(&p), "sample rate of %s", name);
	return 0;
}

static int read_hooks(struct conform *c, uint32_t stream, uint8_t **ret, size_t *ret_bytes)
{
	const uint8_t *played;

	TRY(hook_played(c, stream, &played, ret_bytes));
	*ret = malloc(*ret_bytes + 1);
	INSIST(c, *ret, "out of memory");
	memcpy(*ret, played, *ret_bytes);
	return 0;
}

/* The part of the pattern at this place: where it differs, or `bytes`. */
static uint64_t compare(const uint8_t *file, size_t room, uint64_t at, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes; i++) {
		uint8_t want;

		pattern_fill(&want, at + i, 1);
		if (i >= room || file[i] != want)
			return i;
	}
	return bytes;
}

int played_values(struct conform *c, uint32_t stream, unsigned channels, double **ret,
	size_t *ret_frames)
{
	SF_INFO info = { 0 };
	char name[512];
	sf_count_t got;
	SNDFILE *f;

	rig_down(c);
	EXPECT(c, spawn_end(&c->session.backend) >= 0, "%s", complaint());
	file_name(c, stream, name, sizeof(name));
	f = sf_open(name, SFM_READ, &info);
	EXPECT(c, f, "%s: %s", name, sf_strerror(NULL));
	*ret_frames = (size_t)info.frames;
	*ret = malloc((*ret_frames * channels + 1) * sizeof(double));
	got = *ret && info.channels == (int)channels ? sf_readf_double(f, *ret, info.frames) : 0;
	sf_close(f);
	EXPECT_EQ(c, info.channels, channels, "channels of %s", name);
	EXPECT_EQ(c, got, *ret_frames, "frames read from %s", name);
	return 0;
}

int played_has_parts(struct conform *c, uint32_t stream, const uint64_t *ends, unsigned parts)
{
	const struct pcm_params p = stream_params(c, stream);
	uint8_t *file = NULL;
	size_t bytes = 0, at = 0;
	uint64_t from = 0;

	TRY(c->hooked ? read_hooks(c, stream, &file, &bytes) : read_file(c, stream, &file, &bytes));
	for (unsigned i = 0; i < parts; i++) {
		uint64_t same;

		while (at < bytes && !file[at])
			at++; /* silence */
		same = compare(file + at, bytes - at, from, ends[i] - from);
		EXPECT(c, same == ends[i] - from,
			"the sound differs at byte %llu (frame %llu) of what was played",
			(unsigned long long)(from + same),
			(unsigned long long)((from + same) / frame_bytes(&p)));
		at += (size_t)same;
		from = ends[i];
	}
	while (at < bytes && !file[at])
		at++;
	EXPECT(c, at == bytes, "%zu bytes of sound behind what was played", bytes - at);
	free(file);
	return 0;
}

int played_is_pattern(struct conform *c, uint32_t stream, uint64_t bytes)
{
	return played_has_parts(c, stream, &bytes, 1);
}
