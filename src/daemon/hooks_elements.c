/* SPDX-License-Identifier: BSD-3-Clause */
/* One element of each kind that the usual card has not. */
#include <stdio.h>

#include "daemon/card.h"
#include "daemon/hooks.h"

_Static_assert(HOOKS_ELEMENTS <= CARD_CTLS_EXTRA, "the card has no room for the elements");

#define RW (VSND_CTL_READ | VSND_CTL_WRITE)

static const char *const items[] = { "First", "Second", "Third" };
static const union vsnd_ctl_value on = { .integer = { 1 } };
static const uint32_t tlv[] = { 0x1000, 8, 1, 2 };

static const struct vsnd_ctl_settings elements[HOOKS_ELEMENTS] = {
	{ .name = "Test Large", .type = VSND_CTL_INTEGER64, .access = RW, .count = 1,
		.min = -(INT64_C(1) << 40), .max = INT64_C(1) << 40, .step = 1 },
	{ .name = "Test Choice", .type = VSND_CTL_ENUMERATED, .access = RW, .count = 1,
		.items = 3, .item = items },
	{ .name = "Test Bytes", .type = VSND_CTL_BYTES, .count = 16, .tlv = tlv,
		.access = RW | VSND_CTL_TLV_READ | VSND_CTL_TLV_WRITE },
	{ .name = "Test IEC958", .type = VSND_CTL_IEC958, .access = RW, .count = 1 },
	{ .name = "Test Meter", .type = VSND_CTL_INTEGER, .count = 1, .max = 1000, .step = 1,
		.access = VSND_CTL_READ | VSND_CTL_VOLATILE },
	{ .name = "Test Secret", .type = VSND_CTL_INTEGER, .count = 2, .max = 100, .step = 1,
		.access = VSND_CTL_WRITE },
	/* It would silence all outputs. */
	{ .name = "Test Inactive Switch", .type = VSND_CTL_BOOLEAN, .count = 1,
		.access = RW | VSND_CTL_INACTIVE, .role = VSND_CTL_ROLE_MUTE,
		.bind = VSND_CTL_ALL, .value = &on },
};

void hooks_elements(struct vsnd_settings *settings, struct vsnd_ctl_settings *ctl)
{
	for (unsigned i = 0; i < HOOKS_ELEMENTS; i++)
		ctl[settings->ctls + i] = elements[i];
	settings->ctls += HOOKS_ELEMENTS;
}
