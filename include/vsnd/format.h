/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sample formats, frame rates and channel positions of the virtio sound
 * device, under the numbers that the specification gives them (virtio 1.4,
 * "Sound Device", PCM stream information and channel map information).  The
 * device and its audio back-ends share these names; nothing here depends on a
 * device instance, so every function may be called on any thread and is safe
 * on the audio thread.
 */
#ifndef VSND_FORMAT_H
#define VSND_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define VSND_API __attribute__((visibility("default")))
#else
#define VSND_API
#endif

/** VIRTIO_SND_PCM_FMT_*: the value is also the bit number in a format mask. */
enum vsnd_format {
	VSND_FMT_IMA_ADPCM,
	VSND_FMT_MU_LAW,
	VSND_FMT_A_LAW,
	VSND_FMT_S8,
	VSND_FMT_U8,
	VSND_FMT_S16,
	VSND_FMT_U16,
	VSND_FMT_S18_3,
	VSND_FMT_U18_3,
	VSND_FMT_S20_3,
	VSND_FMT_U20_3,
	VSND_FMT_S24_3,
	VSND_FMT_U24_3,
	VSND_FMT_S20,
	VSND_FMT_U20,
	VSND_FMT_S24,
	VSND_FMT_U24,
	VSND_FMT_S32,
	VSND_FMT_U32,
	VSND_FMT_FLOAT,
	VSND_FMT_FLOAT64,
	VSND_FMT_DSD_U8,
	VSND_FMT_DSD_U16,
	VSND_FMT_DSD_U32,
	VSND_FMT_IEC958_SUBFRAME,
	VSND_FORMATS
};

/** VIRTIO_SND_PCM_RATE_*: the value is also the bit number in a rate mask. */
enum vsnd_rate {
	VSND_RATE_5512,
	VSND_RATE_8000,
	VSND_RATE_11025,
	VSND_RATE_16000,
	VSND_RATE_22050,
	VSND_RATE_32000,
	VSND_RATE_44100,
	VSND_RATE_48000,
	VSND_RATE_64000,
	VSND_RATE_88200,
	VSND_RATE_96000,
	VSND_RATE_176400,
	VSND_RATE_192000,
	VSND_RATE_384000,
	VSND_RATE_12000,
	VSND_RATE_24000,
	VSND_RATES
};

/** VIRTIO_SND_CHMAP_*: where a channel is heard. */
enum vsnd_position {
	VSND_POS_NONE,
	VSND_POS_NA,
	VSND_POS_MONO,
	VSND_POS_FL,
	VSND_POS_FR,
	VSND_POS_RL,
	VSND_POS_RR,
	VSND_POS_FC,
	VSND_POS_LFE,
	VSND_POS_SL,
	VSND_POS_SR,
	VSND_POS_RC,
	VSND_POS_FLC,
	VSND_POS_FRC,
	VSND_POS_RLC,
	VSND_POS_RRC,
	VSND_POS_FLW,
	VSND_POS_FRW,
	VSND_POS_FLH,
	VSND_POS_FCH,
	VSND_POS_FRH,
	VSND_POS_TC,
	VSND_POS_TFL,
	VSND_POS_TFR,
	VSND_POS_TFC,
	VSND_POS_TRL,
	VSND_POS_TRR,
	VSND_POS_TRC,
	VSND_POS_TFLC,
	VSND_POS_TFRC,
	VSND_POS_TSL,
	VSND_POS_TSR,
	VSND_POS_LLFE,
	VSND_POS_RLFE,
	VSND_POS_BC,
	VSND_POS_BLC,
	VSND_POS_BRC,
	VSND_POSITIONS
};

/** Most channels that a stream or a channel map may have. */
#define VSND_CHANNELS_MAX 18

/** One sample format.  Multi-byte samples are little-endian. */
struct vsnd_format_info {
	const char *name;	/**< the specification's, e.g. "S24_3" */
	uint8_t width_bits;	/**< significant bits of a sample */
	uint8_t bytes;		/**< bytes a sample takes; 0 if it is not whole (IMA_ADPCM) */
	uint8_t silence[8];	/**< the first `bytes` of these are one silent sample */
};

/** The table row of a format, or NULL for a number that the specification does not define. */
VSND_API const struct vsnd_format_info *vsnd_format_info(unsigned format);

/**
 * The number of the format of that name (in capitals, as in vsnd_format_info), or
 * -1 where there is none.
 */
VSND_API int vsnd_format_from_name(const char *name);

/** The specification's name of a channel position ("FL"), or NULL for an undefined one. */
VSND_API const char *vsnd_position_name(unsigned position);

/** The number of the position of that name, or -1 where there is none. */
VSND_API int vsnd_position_from_name(const char *name);

/** Frames per second of a VIRTIO_SND_PCM_RATE_* value, or 0 for an undefined one. */
VSND_API uint32_t vsnd_rate_hz(unsigned rate);

/** The VIRTIO_SND_PCM_RATE_* value of a rate in Hz, or -1 where there is none. */
VSND_API int vsnd_rate_from_hz(uint32_t hz);

/**
 * Fill @samples samples at @dst with the format's own silence.  @format must be
 * a defined one whose `bytes` is not 0.
 */
VSND_API void vsnd_silence(void *dst, unsigned format, size_t samples);

#ifdef __cplusplus
}
#endif
#endif
