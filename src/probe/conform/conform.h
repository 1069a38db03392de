/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sub-command conform: what the specifications ask of a sound back-end, as
 * scenarios.
 *
 * A scenario runs in a process of its own against a back-end of its own.  It
 * brings a device up, does something, and says with EXPECT() what must come.
 * It asks the device what it has and skips what does not apply.  Where the
 * specification leaves the answer open, a scenario is `recommended`: it says
 * what a driver is served best with, and does not fail a run by itself.
 */
#ifndef PROBE_CONFORM_H
#define PROBE_CONFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/conform/rig.h"
#include "probe/hooks.h"
#include "probe/options.h"
#include "probe/session.h"

#define TEXT_BYTES  512
#define TRACE_LINES 48
#define TRACE_BYTES 176
#define PCM_MAX	    64

enum outcome {
	NOT_RUN,
	PASS,
	FAIL,
	ADVICE, /* not as recommended */
	SKIPPED,
	CRASH,	/* the back-end ended in the middle */
	HANG,	/* no end within the time limit */
	UNTESTABLE,
	OUTCOMES
};

struct conform;

struct scenario {
	const char *id, *title;
	const char *clause;	/* what the specification wants, and where */
	int (*run)(struct conform *c);
	const char *untestable; /* instead of run: why */
	int arg;		/* for rows that share a function */
	bool recommended;
	unsigned limit_s;	/* 0: the default */
};

struct chapter {
	const char *name, *title;
	const struct scenario *scenarios; /* ends with an id of NULL */
};

/* Written by the scenario's process, in memory that it shares with the runner. */
struct result {
	enum outcome outcome;
	char text[TEXT_BYTES]; /* why */
	unsigned lines;	       /* of trace, ever; the last ones are kept */
	char trace[TRACE_LINES][TRACE_BYTES];
	int64_t took_ns;
};

struct conform {
	const struct options *o;
	const struct scenario *scenario;
	struct result *result;
	struct session session;
	bool session_ended; /* by the scenario itself */
	bool hard;	    /* this failure counts in a recommended scenario, too */
	struct rig rig;
	struct hooks hooks; /* see hook.h */
	bool hooked;

	/* What the device has; see card.h. */
	bool card_known;
	unsigned streams;
	struct pcm_info pcm[PCM_MAX];
};

extern const struct chapter chapters[];

/* What a scenario returns: 0, or one of these from the functions below. */
#define FAILED	(-1)
#define SKIPPED_ (-2)

int expect_failed(struct conform *c, const char *file, int line, const char *what,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));
int expect_differs(struct conform *c, const char *file, int line, const char *what,
	uint64_t got, uint64_t want, const char *fmt, ...) __attribute__((format(printf, 7, 8)));
int skip(struct conform *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* For --verbose and for who has to understand a failure. */
void trace(struct conform *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define EXPECT(c, condition, ...)                                                          \
	do {                                                                               \
		if (!(condition))                                                          \
			return expect_failed((c), __FILE__, __LINE__, #condition,          \
				__VA_ARGS__);                                              \
	} while (0)

#define EXPECT_EQ(c, got, want, ...)                                                       \
	do {                                                                               \
		uint64_t got_ = (uint64_t)(got), want_ = (uint64_t)(want);                 \
                                                                                           \
		if (got_ != want_)                                                         \
			return expect_differs((c), __FILE__, __LINE__, #got, got_, want_,  \
				__VA_ARGS__);                                              \
	} while (0)

/* For what a scenario takes for granted: never mere advice. */
#define INSIST(c, condition, ...)                                                          \
	do {                                                                               \
		if (!(condition)) {                                                        \
			(c)->hard = true;                                                  \
			return expect_failed((c), __FILE__, __LINE__, #condition,          \
				__VA_ARGS__);                                              \
		}                                                                          \
	} while (0)

#define INSIST_EQ(c, got, want, ...)                                                       \
	do {                                                                               \
		(c)->hard = true;                                                          \
		EXPECT_EQ(c, got, want, __VA_ARGS__);                                      \
		(c)->hard = false;                                                         \
	} while (0)

/* For what returns as a scenario does. */
#define TRY(call)                                                                          \
	do {                                                                               \
		int tried_ = (call);                                                       \
                                                                                           \
		if (tried_)                                                                \
			return tried_;                                                     \
	} while (0)

int conform_command(const struct options *o);

#endif
