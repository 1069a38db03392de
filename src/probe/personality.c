/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What real front-ends send, and in which order.
 *
 * Taken from reading QEMU 10.0, crosvm, libkrun 2.0 and cloud-hypervisor.
 * They differ in everything the vhost-user text leaves open: who sends
 * SET_OWNER first, KICK before CALL, the memory table before the features,
 * what a VM pause and a guest reset look like.  A back-end that works under
 * all four orders has made no assumption on any.
 *
 * QEMU acknowledges Xen mapping if it is offered, without implementing it;
 * that bit alone is left out, since it changes the layout of messages.
 */
#include <string.h>

#include "probe/orders.h"
#include "probe/vu.h"

#define GUEST_FEATURES                                                                             \
	(BIT(VIRTIO_F_INDIRECT_DESC) | BIT(VIRTIO_F_EVENT_IDX) | BIT(VIRTIO_F_VERSION_1) |         \
		BIT(VIRTIO_F_IN_ORDER) | BIT(VIRTIO_F_ORDER_PLATFORM) |                            \
		BIT(VIRTIO_F_NOTIFICATION_DATA))

static const struct personality personalities[] = {
	{
		.name = "qemu",
		.protocol = (BIT(20) - 1) & ~BIT(VU_P_XEN_MMAP),
		.base = BASE_KEPT,
		.kick_preset = true,
		.connect = {
			{ .device = step_get_features },
			{ .device = step_protocol },
			{ .device = step_queue_num },
			{ .device = step_slots },
			{ .device = step_channel },
			{ .device = step_owner },
			{ .device = step_get_features },
			{ .ring = { vring_masked_call, vring_err } },
		},
		.activate = {
			{ .device = step_features },
			{ .device = step_status },
			{ .device = step_memory },
			{ .ring = { vring_num, vring_base, vring_addr, vring_kick, vring_call } },
			{ .ring = { vring_enable } },
		},
		.pause = { { .ring = { vring_disable } }, { .ring = { vring_get_base } } },
		.reset = { { .ring = { vring_disable } }, { .ring = { vring_get_base } } },
	},
	{
		.name = "crosvm",
		.protocol = BIT(VU_P_MQ) | BIT(VU_P_CONFIG) | BIT(VU_P_REPLY_ACK) |
			BIT(VU_P_BACKEND_REQ) | BIT(VU_P_DEVICE_STATE),
		.hidden = BIT(VIRTIO_F_RING_PACKED),
		.base = BASE_KEPT,
		.connect = {
			{ .device = step_owner },
			{ .device = step_get_features },
			{ .device = step_early_features },
			{ .device = step_protocol },
			{ .device = step_channel },
			{ .device = step_queue_num },
		},
		.activate = {
			{ .device = step_features },
			{ .device = step_memory },
			{ .ring = { vring_num, vring_addr, vring_base, vring_call, vring_kick,
				  vring_enable } },
		},
		.pause = { { .ring = { vring_disable, vring_get_base } } },
		.reset = { { .ring = { vring_disable, vring_get_base } } },
	},
	{
		.name = "libkrun",
		.protocol = BIT(VU_P_MQ) | BIT(VU_P_CONFIG),
		.base = BASE_ZERO,
		.call_shared = true,
		.connect = {
			{ .device = step_get_features },
			{ .device = step_protocol },
			{ .device = step_queue_num },
		},
		.activate = {
			{ .device = step_owner },
			{ .device = step_memory },
			{ .device = step_features },
			{ .ring = { vring_num, vring_base, vring_addr, vring_kick, vring_call,
				  vring_enable } },
		},
		.reset = { { .ring = { vring_disable } } },
	},
	{
		.name = "cloud-hypervisor",
		.protocol = BIT(VU_P_MQ) | BIT(VU_P_CONFIG) | BIT(VU_P_REPLY_ACK) |
			BIT(VU_P_CONFIGURE_MEM_SLOTS) | BIT(VU_P_INFLIGHT_SHMFD) |
			BIT(VU_P_LOG_SHMFD) | BIT(VU_P_BACKEND_REQ) | BIT(VU_P_DEVICE_STATE),
		.hidden = ~GUEST_FEATURES,
		.base = BASE_AVAILABLE,
		.reply_always = true,
		.connect = {
			{ .device = step_owner },
			{ .device = step_get_features },
			{ .device = step_protocol },
			{ .device = step_queue_num },
		},
		.activate = {
			{ .device = step_features },
			{ .device = step_memory },
			{ .ring = { vring_num } },
			{ .device = step_inflight },
			{ .ring = { vring_addr, vring_base, vring_call, vring_kick } },
			{ .ring = { vring_enable } },
			{ .device = step_channel },
		},
		.pause = { { .ring = { vring_disable } } },
		.resume = { { .ring = { vring_enable } } },
		.reset = { { .ring = { vring_disable } } },
	},
};

const struct personality *personality_find(const char *name)
{
	for (size_t i = 0; i < sizeof(personalities) / sizeof(personalities[0]); i++)
		if (!strcmp(personalities[i].name, name))
			return &personalities[i];
	return NULL;
}
