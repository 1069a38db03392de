/* SPDX-License-Identifier: BSD-3-Clause */
/* Control elements inside the device.  Control thread. */
#ifndef VSND_DEVICE_CTL_H
#define VSND_DEVICE_CTL_H

#include "device/device.h"
#include "wire/ctl.h"

/* Hundredths of dB of a volume's smallest value and of a step; from its DB_SCALE. */
struct ctl_scale {
	int32_t min, step;
	bool mute;		/* the smallest value is silence */
};

struct ctl {
	struct vsnd_ctl_settings is;	/* its pointers are not ours and not used */
	uint8_t *items;			/* ENUMERATED: as on the wire */
	unsigned items_room;
	union vsnd_ctl_value value;	/* zeroes behind the members in use */
	uint8_t *tlv;			/* as on the wire, or NULL */
	uint32_t tlv_bytes, tlv_room;	/* header included */
	struct ctl_scale scale;		/* of a bound volume */
	uint16_t untold;		/* enum vsnd_ctl_change that the driver has to know */
};

/* ctl_settings.c */
bool ctl_settings_ok(const struct vsnd_settings *s);
bool ctl_items_ok(const char *const *item, unsigned items);
void ctl_items_encode(struct ctl *e, const char *const *item, unsigned items);
bool ctl_value_ok(const struct vsnd_ctl_settings *c, const union vsnd_ctl_value *v);
/* 0 or -ENOMEM; what was made is in @dev for ctls_free(). */
int ctls_init(struct vsnd *dev, const struct vsnd_settings *s);
void ctls_free(struct vsnd *dev);

/* ctl_volume.c */
/* The streams that @changed is bound to get their volumes anew. */
void ctl_act(struct vsnd *dev, const struct ctl *changed);
/* What the elements that are bound to a stream make of it, in all channels; true: there are any. */
bool ctl_volume(const struct vsnd *dev, unsigned stream, struct vsnd_volume *ret);
/* The host has changed @was to @now: have the elements show it.  They do not act. */
void ctl_take_volume(struct vsnd *dev, unsigned stream, const struct vsnd_volume *was,
		     const struct vsnd_volume *now);
/* The factor that is so many hundredths of dB. */
double ctl_factor(int64_t millibels);

/* ctl.c */
/* Store a value, for the driver to be told.  True if it is another one. */
bool ctl_store(struct vsnd *dev, struct ctl *e, const union vsnd_ctl_value *v);
/* The driver has nothing to be told: it will ask. */
void ctls_reset(struct vsnd *dev);

/* Requests with a payload; as the handlers of control.c. */
enum snd_status ctl_enum_items(struct vsnd *dev, const struct vq_chain *c,
			       const struct ctl_req *req, uint32_t *ret_payload);
enum snd_status ctl_read(struct vsnd *dev, const struct vq_chain *c, const struct ctl_req *req,
			 uint32_t *ret_payload);
enum snd_status ctl_write(struct vsnd *dev, const struct vq_chain *c, const struct ctl_req *req,
			  uint32_t *ret_payload);
enum snd_status ctl_tlv_read(struct vsnd *dev, const struct vq_chain *c,
			     const struct ctl_req *req, uint32_t *ret_payload);
enum snd_status ctl_tlv_write(struct vsnd *dev, const struct vq_chain *c,
			      const struct ctl_req *req, uint32_t *ret_payload);
enum snd_status ctl_tlv_command(struct vsnd *dev, const struct vq_chain *c,
				const struct ctl_req *req, uint32_t *ret_payload);

#endif
