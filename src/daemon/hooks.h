/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hooks: a harness moves the clock of --audio=test, hears what is played, and makes
 * things go wrong.  Commands of the control socket, there only with that back-end;
 * doc/hooks.md says what each does, for other back-ends, too.  Control thread.
 */
#ifndef VSND_DAEMON_HOOKS_H
#define VSND_DAEMON_HOOKS_H

#include <vsnd/vsnd.h>

#include "audio/test.h"
#include "daemon/control_call.h"

struct hooks {
	struct vsnd *dev;
	struct vsnd_audio *audio;	/* of the back-end `test` */
	struct vsnd_settings settings;	/* that the device was made with */
};

/* The commands; the context of both is a struct hooks. */
extern const struct control_command hooks_commands[], hooks_card_commands[];
extern const unsigned hooks_command_count, hooks_card_command_count;

/*
 * Put elements of all kinds behind the usual ones: a harness has to meet them, and no
 * other card has them.  @ctl has room for HOOKS_ELEMENTS more.
 */
#define HOOKS_ELEMENTS 7
void hooks_elements(struct vsnd_settings *settings, struct vsnd_ctl_settings *ctl);

/* For the hooks themselves. */
/* Whether a number is one of @count things; if not, the call has failed. */
bool hooks_is_one_of(struct control_call *call, json_int_t n, unsigned count, const char *what);
/* Bytes from pairs of hexadecimal digits: how many, or -1. */
int hooks_from_hex(const char *hex, uint8_t *bytes, size_t max);
/* @hex has room for 2 * @n + 1. */
void hooks_to_hex(char *hex, const uint8_t *bytes, size_t n);

#endif
