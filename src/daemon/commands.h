/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can be asked and done at the control socket: `status`, and the host user's
 * hand on streams, jacks and control elements.  What is done acts at once.
 *
 *	status
 *	mute, unmute, allow, deny   "streams": WHICH
 *	volume    "streams": WHICH, "volume": dB, "-10dB" or "50%"
 *	jack      "jack": NAME or number, "connected": bool
 *	control   "control": NAME or number, "values": [...]
 *
 * WHICH is "output", "input", "all", a stream's name or its number; without it the
 * outputs are meant, but allow and deny want it said.  Without "connected" or
 * "values" nothing changes.  The answer has the items that were named, as `status`
 * shows them.  Percents are those of the host's mixers: 50% is -18 dB, 100% is 0 dB.
 */
#ifndef VSND_DAEMON_COMMANDS_H
#define VSND_DAEMON_COMMANDS_H

#include <vsnd/vsnd.h>

#include "daemon/card.h"
#include "daemon/config.h"
#include "daemon/control.h"
#include "vhost_user/server.h"

/* What the commands are about.  Stays in place as long as @control. */
struct commands {
	struct vsnd *dev;
	const struct vu_server *server;
	const struct config *config;
	const struct card *card;
	const char *audio;	/* the back-end's name */
};

void commands_add(struct control *control, struct commands *c);

/* Parts of it, for each other. */

void commands_add_card(struct control *control, struct commands *c);
void commands_add_streams(struct control *control, struct commands *c);
void commands_add_status(struct control *control, struct commands *c);

json_t *status_of_stream(const struct commands *c, unsigned stream);
json_t *status_of_jack(const struct commands *c, unsigned jack);
json_t *status_of_element(const struct commands *c, unsigned ctl);

/*
 * The item that @which means: a name, or a number as such or as text.  -1 if there
 * is none, and the call has failed.
 */
int commands_find(struct control_call *call, const json_t *which, const char *kind, unsigned n,
		  const char *(*name)(const struct commands *c, unsigned i),
		  const struct commands *c);

/* A number and what is behind it. */
enum amount_unit {
	AMOUNT_PLAIN,
	AMOUNT_DB,
	AMOUNT_PERCENT
};

/* "-10", "-10dB", "50%".  False if @text is nothing of that. */
bool amount_parse(const char *text, double *ret_number, enum amount_unit *ret_unit);

#endif
