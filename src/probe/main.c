/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vsnd-probe: a virtio sound driver and a vhost-user front-end in one
 * program, without a VM between them.
 *
 *   frontend, personality   the front-end, and whose habits it has
 *   mem, ring               guest memory and virtqueues
 *   sound, requests         the driver
 *   play, record, info, …   sub-commands; each is a row below
 *   conform/                the sub-command conform, a file for each chapter
 *   bench/                  the sub-command bench, a file for each part
 *
 * It shares no code with the device it tests: a misreading of the
 * specification in one of them cannot hide in the other.
 */
#include "probe/bench/bench.h"
#include "probe/conform/conform.h"
#include "probe/hostile.h"
#include "probe/info.h"
#include "probe/options.h"
#include "probe/play.h"
#include "probe/record.h"
#include "probe/report.h"
#include "probe/watch.h"

static const struct command commands[] = {
	{ "info", CMD_INFO, "", "print what the device says about itself", info_command },
	{ "play", CMD_PLAY, "FILE", "play a sound file and measure", play_command },
	{ "record", CMD_RECORD, "FILE", "record to a sound file and measure", record_command },
	{ "watch", CMD_WATCH, "", "print what the device tells by itself, until ^C", watch_command },
	{ "hostile", CMD_HOSTILE, "", "send malformed input of every kind", hostile_command },
	{ "conform", CMD_CONFORM, "[PATTERN...]", "check it against the specifications",
		conform_command },
	{ "bench", CMD_BENCH, "[PART...]",
		"measure: messages, steady, latency, scale, start", bench_command },
	{ 0 },
};

int main(int argc, char **argv)
{
	const struct command *command;
	struct options options;
	int status;

	if (options_parse(argc, argv, commands, &options, &command, &status))
		return status;
	catch_signals();
	return command->run(&options);
}
