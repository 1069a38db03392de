/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line. */
#ifndef PROBE_OPTIONS_H
#define PROBE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define STREAMS_MAX 32
#define NEVER	    UINT64_MAX

/* Sub-commands, as bits: which options belong to which. */
enum command_bit { CMD_INFO = 1, CMD_PLAY = 2, CMD_HOSTILE = 4, CMD_CONFORM = 8, CMD_RECORD = 16,
	CMD_BENCH = 32, CMD_WATCH = 64, CMD_ALL = 127 };

struct options {
	const char *socket_path;
	const char *spawn;
	const char *dir;
	const char *front_end;
	uint32_t timeout_ms;
	uint32_t queue_size;
	uint32_t regions;
	bool no_indirect, no_event_idx, scatter, json;

	const char *file;
	uint32_t stream[STREAMS_MAX];
	uint32_t streams;
	int format; /* virtio value, -1: as the file */
	uint32_t rate_hz;
	bool raw; /* the file is bare frames of format, rate_hz and channels */
	uint32_t channels;
	uint32_t period_frames, buffer_frames; /* 0: default */
	bool late_fill;
	uint32_t late_lead; /* messages between filling and playing */
	uint64_t pause_at, suspend_at, reset_at, release_at; /* frames, NEVER */
	uint32_t pause_ms, suspend_ms;
	uint32_t repeat;
	uint32_t pieces;
	const char *times; /* a file for when what came back, or NULL */

	/* record */
	const char *play; /* a file to play meanwhile, or NULL */
	uint32_t seconds;
	uint64_t frames; /* 0: by seconds */
	uint64_t starve_at;
	uint32_t starve_ms;

	uint64_t seed;
	uint32_t rounds; /* random cases in a family, about; or times that bench measures */
	const char *family; /* NULL: all */

	char **pattern; /* of scenario names */
	unsigned patterns;
	const char *played; /* a WAV the back-end writes, or NULL */
	const char *hooks; /* the socket of its hooks, or NULL */
	uint32_t jobs;
	bool list, all, strict, verbose, tap;

	/* bench */
	const char *versus; /* another back-end's command, or NULL */
	uint32_t from;
};

struct command {
	const char *name;
	enum command_bit bit;
	const char *arguments; /* for the help text, "" if none; "[...]": any number */
	const char *summary;
	int (*run)(const struct options *o);
};

/* Fills ret_options and finds the command.  Returns 0 to go on, otherwise
 * the exit status is ret_status: a bad option has been reported on stderr, or
 * --help and --version have been served. */
int options_parse(int argc, char **argv, const struct command *commands,
	struct options *ret_options, const struct command **ret_command, int *ret_status);

#endif
