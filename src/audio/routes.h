/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the routes of a host's sound card to the plug of a guest's jack.
 *
 * A route is a way in or out of the card, and may tell whether something is plugged
 * there.  A headphone jack is what the headphone routes say.  Any other jack has a plug
 * unless all routes of its direction are without, since the guest's sound goes
 * whichever way the host's user has chosen.  No route: nothing is known.
 */
#ifndef VSND_AUDIO_ROUTES_H
#define VSND_AUDIO_ROUTES_H

#include <stdbool.h>
#include <stdint.h>

#define ROUTES_MAX 32

enum plug {
	PLUG_UNKNOWN,	/* of a route: it cannot tell */
	PLUG_NO,
	PLUG_YES
};

struct route {
	uint8_t direction;	/* enum vsnd_direction */
	bool headphone;
	enum plug plug;
};

/* Whether a route's port type ("headphones", "speaker", …) is worn on the head. */
bool routes_is_headphone(const char *port_type);

/* What becomes of a jack of @direction. */
enum plug routes_plug(const struct route *route, unsigned routes, uint8_t direction,
		bool headphone);

#endif
