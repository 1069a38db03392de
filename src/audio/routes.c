/* SPDX-License-Identifier: BSD-3-Clause */
#include "audio/routes.h"

#include <string.h>

bool routes_is_headphone(const char *port_type)
{
	static const char *const types[] = { "headphones", "headset", "earpiece", "hands-free",
		"portable" };

	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(port_type, types[i]) == 0)
			return true;
	}
	return false;
}

enum plug routes_plug(const struct route *route, unsigned routes, uint8_t direction,
		bool headphone)
{
	enum plug plug = PLUG_UNKNOWN;

	for (unsigned i = 0; i < routes; i++) {
		if (route[i].direction != direction || (headphone && !route[i].headphone))
			continue;
		if (route[i].plug != PLUG_NO)
			return PLUG_YES;
		plug = PLUG_NO;
	}
	return plug;
}
