/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control elements: the knobs and switches of the sound card as the guest's
 * mixer shows them (virtio 1.4, Sound Device, Control Elements).
 *
 * An element is a value that both sides may read and, where its access says so,
 * write; the driver is told of each change.  An element may be bound to
 * streams: a volume or a switch then acts on their samples, as a gain that is
 * ramped so that a change does not click.  At 0 dB the samples pass untouched.
 *
 * Values survive a device reset: they are the card's, not the driver's.
 *
 * Included by <vsnd/vsnd.h>.  All functions belong to the control thread.
 */
#ifndef VSND_CTL_H
#define VSND_CTL_H

#include <stddef.h>
#include <stdint.h>

#include <vsnd/format.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vsnd;
struct vsnd_settings;

#define VSND_CTLS_MAX 1024
/** Bytes of an element's name and of an item's, with the NUL. */
#define VSND_CTL_NAME_BYTES 44
#define VSND_CTL_ITEM_BYTES 64
#define VSND_CTL_ITEMS_MAX 1024
/** Most bytes of a TLV's value. */
#define VSND_CTL_TLV_BYTES_MAX 65536

/** VIRTIO_SND_CTL_TYPE_* */
enum vsnd_ctl_type {
	VSND_CTL_BOOLEAN,
	VSND_CTL_INTEGER,
	VSND_CTL_INTEGER64,
	VSND_CTL_ENUMERATED,
	VSND_CTL_BYTES,
	VSND_CTL_IEC958,
	VSND_CTL_TYPES
};

/** VIRTIO_SND_CTL_ROLE_*.  A MUTE is 1 where the sound is on, as ALSA's switches are. */
enum vsnd_ctl_role {
	VSND_CTL_ROLE_NONE,
	VSND_CTL_ROLE_VOLUME,
	VSND_CTL_ROLE_MUTE,
	VSND_CTL_ROLE_GAIN,
	VSND_CTL_ROLES
};

/** Bits of vsnd_ctl_settings.access (VIRTIO_SND_CTL_ACCESS_*). */
enum vsnd_ctl_access {
	VSND_CTL_READ = 1 << 0,
	VSND_CTL_WRITE = 1 << 1,
	VSND_CTL_VOLATILE = 1 << 2,
	VSND_CTL_INACTIVE = 1 << 3,	/**< its value has no effect */
	VSND_CTL_TLV_READ = 1 << 4,
	VSND_CTL_TLV_WRITE = 1 << 5,
	VSND_CTL_TLV_COMMAND = 1 << 6
};

/** Which streams an element acts on. */
enum vsnd_ctl_bind {
	VSND_CTL_UNBOUND,
	VSND_CTL_STREAM,	/**< the one in vsnd_ctl_settings.stream */
	VSND_CTL_ALL		/**< all of the element's direction */
};

/** What changed, a mask (VIRTIO_SND_CTL_EVT_MASK_*). */
enum vsnd_ctl_change {
	VSND_CTL_CHANGED_VALUE = 1 << 0,
	VSND_CTL_CHANGED_INFO = 1 << 1,
	VSND_CTL_CHANGED_TLV = 1 << 2
};

/** A value; `count` members of the one that belongs to the type. */
union vsnd_ctl_value {
	int32_t integer[128];		/**< BOOLEAN (0 or 1), INTEGER */
	int64_t integer64[64];
	uint32_t item[128];		/**< ENUMERATED */
	uint8_t bytes[512];		/**< BYTES, IEC958 (176 bytes as on the wire) */
};

/** An ALSA TLV of type DB_SCALE: hundredths of dB of the smallest value and of a step. */
#define VSND_TLV_DB_SCALE 1u
#define VSND_TLV_DB_SCALE_MUTE 0x10000u	/**< or'ed to the step: the smallest value is silence */

/** One element as the guest sees it (CTL_INFO).  ASCII strings. */
struct vsnd_ctl_settings {
	uint32_t nid;		/**< function group; a bound element's is its stream's */
	uint8_t type;		/**< enum vsnd_ctl_type */
	uint8_t role;		/**< enum vsnd_ctl_role */
	uint8_t direction;	/**< enum vsnd_direction; counts where there is a role */
	uint8_t bind;		/**< enum vsnd_ctl_bind */
	uint32_t stream;
	uint32_t access;	/**< enum vsnd_ctl_access */
	uint32_t count;		/**< members of the value; a stream's further channels follow the last */
	uint32_t index;		/**< tells elements of the same name apart */
	char name[VSND_CTL_NAME_BYTES];
	int64_t min, max, step;	/**< INTEGER, INTEGER64; step 0: variable.  Linux takes INTEGER as unsigned */
	unsigned items;		/**< ENUMERATED: number of `item` */
	const char *const *item;
	const union vsnd_ctl_value *value;	/**< at first; NULL: 0, or the nearest to it */
	/**
	 * Metadata at first, or NULL: type, length in bytes (a multiple of 4), and
	 * so many bytes.  A bound volume must have a DB_SCALE that ends at +24 dB
	 * or below.
	 */
	const uint32_t *tlv;
};

/**
 * The usual elements for the streams in @s: "Master Playback Volume" and "Switch"
 * for all outputs, "Capture Volume" and "Switch" for all inputs, and where a
 * direction has several streams "PCM Playback Volume", … for each.  All at 0 dB
 * and on.  Writes at most @max to @ret and returns how many there are.  Any thread.
 */
VSND_API unsigned vsnd_ctl_defaults(const struct vsnd_settings *s, struct vsnd_ctl_settings *ret,
				    unsigned max);

/** The value of an element, whatever its access.  -EINVAL for a bad element. */
VSND_API int vsnd_ctl_get(const struct vsnd *dev, unsigned ctl, union vsnd_ctl_value *ret);

/**
 * Set a value on the host's side, whatever its access.  The driver is told if it
 * is another one.  -EINVAL for a bad element or a value outside its range.
 */
VSND_API int vsnd_ctl_set(struct vsnd *dev, unsigned ctl, const union vsnd_ctl_value *value);

/**
 * Copy the metadata to @tlv, at most @words words, cut if there are more.  The
 * length in it is the full one.  -EINVAL for a bad element.
 */
VSND_API int vsnd_ctl_get_tlv(const struct vsnd *dev, unsigned ctl, uint32_t *tlv, size_t words);

/**
 * Replace metadata, as vsnd_ctl_settings.tlv says.  The driver is told if they
 * differ.  -EINVAL for a bad element, a bound one, a bad length, or more bytes
 * than the element had at creation (it has room for all if it has TLV_WRITE).
 */
VSND_API int vsnd_ctl_set_tlv(struct vsnd *dev, unsigned ctl, const uint32_t *tlv);

/**
 * Replace the items of an enumerated element by at most as many as it was created
 * with.  Members of its value that are beyond them become 0.  The driver is
 * told.  -EINVAL for a bad element, another type, or bad items.
 */
VSND_API int vsnd_ctl_set_items(struct vsnd *dev, unsigned ctl, const char *const *item,
				unsigned items);

#ifdef __cplusplus
}
#endif
#endif
