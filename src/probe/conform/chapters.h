/* SPDX-License-Identifier: BSD-3-Clause */
/* Each table is in the file of its name, and ends with an id of NULL. */
#ifndef PROBE_CONFORM_CHAPTERS_H
#define PROBE_CONFORM_CHAPTERS_H

#include "probe/conform/conform.h"

extern const struct scenario identity_scenarios[];
extern const struct scenario message_scenarios[];
extern const struct scenario query_scenarios[];
extern const struct scenario stream_info_scenarios[];
extern const struct scenario set_params_scenarios[];
extern const struct scenario command_scenarios[];
extern const struct scenario state_scenarios[];
extern const struct scenario output_scenarios[];
extern const struct scenario sound_scenarios[];
extern const struct scenario framing_scenarios[];
extern const struct scenario exchange_scenarios[];
extern const struct scenario ring_state_scenarios[];
extern const struct scenario region_scenarios[];
extern const struct scenario feature_scenarios[];
extern const struct scenario ring_scenarios[];
extern const struct scenario memory_scenarios[];
extern const struct scenario config_scenarios[];
extern const struct scenario split_scenarios[];
extern const struct scenario split_buffer_scenarios[];
extern const struct scenario split_notify_scenarios[];
extern const struct scenario item_scenarios[];
extern const struct scenario input_scenarios[];
extern const struct scenario event_scenarios[];
extern const struct scenario control_scenarios[];
extern const struct scenario value_scenarios[];
extern const struct scenario metadata_scenarios[];
extern const struct scenario virtio_scenarios[];
extern const struct scenario virtio_status_scenarios[];
extern const struct scenario virtio_bit_scenarios[];
extern const struct scenario program_scenarios[];
extern const struct scenario program_start_scenarios[];
extern const struct scenario format_scenarios[];
extern const struct scenario peer_scenarios[];
extern const struct scenario abuse_scenarios[];

/* With a hand on the host's side (hook.h). */
extern const struct scenario hook_jack_scenarios[];
extern const struct scenario hook_output_scenarios[];
extern const struct scenario hook_input_scenarios[];
extern const struct scenario hook_failure_scenarios[];
extern const struct scenario hook_xrun_scenarios[];
extern const struct scenario hook_control_scenarios[];
extern const struct scenario hook_gain_scenarios[];
extern const struct scenario hook_life_scenarios[];

#endif
