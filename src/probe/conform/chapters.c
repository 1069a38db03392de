/* SPDX-License-Identifier: BSD-3-Clause */
/* The chapters, in the order in which they run. */
#include "probe/conform/chapters.h"

const struct chapter chapters[] = {
	{ "identity", "Sound: identity, queues, features, configuration", identity_scenarios },
	{ "messages", "Sound: control messages", message_scenarios },
	{ "query", "Sound: item information requests", query_scenarios },
	{ "items", "Sound: jacks and channel maps", item_scenarios },
	{ "stream-info", "Sound: PCM stream information", stream_info_scenarios },
	{ "set-params", "Sound: SET_PARAMS", set_params_scenarios },
	{ "commands", "Sound: PREPARE, START, STOP, RELEASE", command_scenarios },
	{ "states", "Sound: PCM state machine", state_scenarios },
	{ "output", "Sound: I/O messages, output", output_scenarios },
	{ "input", "Sound: I/O messages, input; PCM events", input_scenarios },
	{ "sound", "Sound: what is heard", sound_scenarios },
	{ "controls", "Sound: control elements", control_scenarios },
	{ "virtio", "Virtio: features, status, reset", virtio_scenarios },
	{ "split", "Split virtqueues", split_scenarios },
	{ "framing", "vhost-user: messages, replies, file descriptors", framing_scenarios },
	{ "features", "vhost-user: features and protocol features", feature_scenarios },
	{ "rings", "vhost-user: ring life cycle", ring_scenarios },
	{ "memory", "vhost-user: guest memory", memory_scenarios },
	{ "config", "vhost-user: configuration space, channel", config_scenarios },
	{ "program", "vhost-user: the program", program_scenarios },
	{ "exact-output", "Hooks: what is played, to the frame", hook_output_scenarios },
	{ "exact-input", "Hooks: what is recorded, to the frame", hook_input_scenarios },
	{ "host", "Hooks: a host that fails, and what it is asked for", hook_failure_scenarios },
	{ "xruns", "Hooks: gaps, and who is told", hook_xrun_scenarios },
	{ "jack-events", "Hooks: plugs and event buffers", hook_jack_scenarios },
	{ "peers", "Mistakes of other devices", peer_scenarios },
	{ 0 },
};
