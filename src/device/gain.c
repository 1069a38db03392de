/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Gains on samples.  Every plain format has a function of its own, made from two
 * patterns; samples are scaled in double precision, rounded to the nearest (halves
 * away from zero) and limited to the format's range.
 */
#include "device/gain.h"

#include <endian.h>
#include <string.h>

#define RAMP_PER_SEC 100	/* a ramp takes 10 ms */

/*
 * Scale @n samples, @stride bytes apart.  @gain is that of the sample before the
 * first; @step is added for each.
 */
typedef void (*scale_fn)(uint8_t *p, size_t n, size_t stride, double gain, double step);

/* A low-justified sample of @bits bits in @bytes bytes; what is above is ignored. */
static inline int32_t load_int(const uint8_t *p, unsigned bytes, unsigned bits, bool is_unsigned)
{
	uint32_t raw = 0;

	for (unsigned i = 0; i < bytes; i++)
		raw |= (uint32_t)p[i] << 8 * i;
	raw <<= 32 - bits;
	if (is_unsigned)
		raw ^= UINT32_C(1) << 31;
	return (int32_t)raw >> (32 - bits);
}

static inline void store_int(uint8_t *p, unsigned bytes, unsigned bits, bool is_unsigned, int32_t v)
{
	uint32_t raw = (uint32_t)v;

	if (is_unsigned)
		raw = (raw ^ UINT32_C(1) << (bits - 1)) & UINT32_MAX >> (32 - bits);
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(raw >> 8 * i);
}

static inline int32_t scale_int(int32_t v, unsigned bits, double gain)
{
	const int64_t max = (INT64_C(1) << (bits - 1)) - 1;
	double d = (double)v * gain;
	int64_t r;

	/* Far outside is as good as just outside, and can be converted. */
	if (d > (double)max)
		return (int32_t)max;
	if (d < (double)(-max - 1))
		return (int32_t)(-max - 1);
	r = (int64_t)(d < 0 ? d - 0.5 : d + 0.5);
	return (int32_t)(r > max ? max : r);
}

#define INT_FORMAT(name, bytes, bits, is_unsigned)                                                 \
	static void scale_##name(uint8_t *p, size_t n, size_t stride, double gain, double step)    \
	{                                                                                          \
		for (; n > 0; n--, p += stride) {                                                  \
			int32_t v = load_int(p, bytes, bits, is_unsigned);                         \
                                                                                                   \
			gain += step;                                                              \
			store_int(p, bytes, bits, is_unsigned, scale_int(v, bits, gain));          \
		}                                                                                  \
	}

#define FLOAT_FORMAT(name, type, bits_type, to_host, to_wire)                                      \
	static void scale_##name(uint8_t *p, size_t n, size_t stride, double gain, double step)    \
	{                                                                                          \
		for (; n > 0; n--, p += stride) {                                                  \
			bits_type bits;                                                            \
			type v;                                                                    \
                                                                                                   \
			memcpy(&bits, p, sizeof(bits));                                            \
			bits = to_host(bits);                                                      \
			memcpy(&v, &bits, sizeof(v));                                              \
			gain += step;                                                              \
			v = (type)(v * gain);                                                      \
			memcpy(&bits, &v, sizeof(v));                                              \
			bits = to_wire(bits);                                                      \
			memcpy(p, &bits, sizeof(bits));                                            \
		}                                                                                  \
	}

INT_FORMAT(s8, 1, 8, false)
INT_FORMAT(u8, 1, 8, true)
INT_FORMAT(s16, 2, 16, false)
INT_FORMAT(u16, 2, 16, true)
INT_FORMAT(s18_3, 3, 18, false)
INT_FORMAT(u18_3, 3, 18, true)
INT_FORMAT(s20_3, 3, 20, false)
INT_FORMAT(u20_3, 3, 20, true)
INT_FORMAT(s24_3, 3, 24, false)
INT_FORMAT(u24_3, 3, 24, true)
INT_FORMAT(s20, 4, 20, false)
INT_FORMAT(u20, 4, 20, true)
INT_FORMAT(s24, 4, 24, false)
INT_FORMAT(u24, 4, 24, true)
INT_FORMAT(s32, 4, 32, false)
INT_FORMAT(u32, 4, 32, true)
FLOAT_FORMAT(float, float, uint32_t, le32toh, htole32)
FLOAT_FORMAT(float64, double, uint64_t, le64toh, htole64)

static const scale_fn scale[VSND_FORMATS] = {
	[VSND_FMT_S8] = scale_s8,
	[VSND_FMT_U8] = scale_u8,
	[VSND_FMT_S16] = scale_s16,
	[VSND_FMT_U16] = scale_u16,
	[VSND_FMT_S18_3] = scale_s18_3,
	[VSND_FMT_U18_3] = scale_u18_3,
	[VSND_FMT_S20_3] = scale_s20_3,
	[VSND_FMT_U20_3] = scale_u20_3,
	[VSND_FMT_S24_3] = scale_s24_3,
	[VSND_FMT_U24_3] = scale_u24_3,
	[VSND_FMT_S20] = scale_s20,
	[VSND_FMT_U20] = scale_u20,
	[VSND_FMT_S24] = scale_s24,
	[VSND_FMT_U24] = scale_u24,
	[VSND_FMT_S32] = scale_s32,
	[VSND_FMT_U32] = scale_u32,
	[VSND_FMT_FLOAT] = scale_float,
	[VSND_FMT_FLOAT64] = scale_float64,
};

void gain_init(struct gain *g)
{
	for (unsigned c = 0; c < VSND_CHANNELS_MAX; c++) {
		atomic_init(&g->goal[c], 1.0f);
		g->now[c] = 1;
		g->to[c] = 1;
		g->step[c] = 0;
	}
	atomic_init(&g->version, 0);
	g->taken = 0;
	g->ramp_frames = 0;
	g->plain = true;
}

/*
 * A reader in between sees some goals early: it will see the version change, take
 * all of them, and go on from there.
 */
void gain_set(struct gain *g, const float goal[VSND_CHANNELS_MAX])
{
	for (unsigned c = 0; c < VSND_CHANNELS_MAX; c++)
		atomic_store_explicit(&g->goal[c], goal[c], memory_order_relaxed);
	atomic_fetch_add_explicit(&g->version, 1, memory_order_release);
}

/* The gains are where they should be. */
static void gain_arrive(struct gain *g)
{
	g->ramp_frames = 0;
	g->plain = true;
	for (unsigned c = 0; c < VSND_CHANNELS_MAX; c++) {
		g->now[c] = g->to[c];
		g->step[c] = 0;
		g->plain = g->plain && g->now[c] == 1;
	}
}

static void gain_take(struct gain *g, uint32_t ramp_frames)
{
	g->taken = atomic_load_explicit(&g->version, memory_order_acquire);
	g->ramp_frames = ramp_frames;
	g->plain = false;
	for (unsigned c = 0; c < VSND_CHANNELS_MAX; c++) {
		g->to[c] = (double)atomic_load_explicit(&g->goal[c], memory_order_relaxed);
		g->step[c] = (g->to[c] - g->now[c]) / ramp_frames;
	}
}

void gain_settle(struct gain *g)
{
	gain_take(g, 1);
	gain_arrive(g);
}

static void silence(uint8_t *p, size_t n, size_t stride, unsigned format)
{
	for (; n > 0; n--, p += stride)
		vsnd_silence(p, format, 1);
}

/* Frames with one step for each channel. */
static void apply_run(const struct gain *g, unsigned format, unsigned channels, uint8_t *p,
		      size_t frames)
{
	size_t bytes = vsnd_format_info(format)->bytes, stride = bytes * channels;

	for (unsigned c = 0; c < channels; c++, p += bytes) {
		bool still = g->step[c] == 0;

		if (g->to[c] == 0 && (still || !scale[format]))
			silence(p, frames, stride, format);
		else if (scale[format] && !(still && g->now[c] == 1))
			scale[format](p, frames, stride, g->now[c], g->step[c]);
	}
}

bool gain_is_plain(const struct gain *g)
{
	return g->plain && g->taken == atomic_load_explicit(&g->version, memory_order_acquire);
}

bool gain_is_silent(const struct gain *g)
{
	bool silent = g->ramp_frames == 0 &&
		      g->taken == atomic_load_explicit(&g->version, memory_order_acquire);

	for (unsigned c = 0; c < VSND_CHANNELS_MAX; c++)
		silent = silent && g->now[c] == 0;
	return silent;
}

void gain_apply(struct gain *g, unsigned format, unsigned channels, uint32_t rate_hz,
		void *samples, size_t frames)
{
	uint8_t *p = samples;
	size_t n;

	if (atomic_load_explicit(&g->version, memory_order_acquire) != g->taken)
		gain_take(g, rate_hz / RAMP_PER_SEC + 1);
	if (g->plain)
		return;
	n = frames < g->ramp_frames ? frames : g->ramp_frames;
	if (n > 0) {
		if (p)
			apply_run(g, format, channels, p, n);
		for (unsigned c = 0; c < VSND_CHANNELS_MAX; c++)
			g->now[c] += g->step[c] * (double)n;
		g->ramp_frames -= (uint32_t)n;
		if (g->ramp_frames == 0)
			gain_arrive(g);
	}
	if (p && frames > n && !g->plain)
		apply_run(g, format, channels, p + n * channels * vsnd_format_info(format)->bytes,
			  frames - n);
}
