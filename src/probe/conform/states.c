/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every command in every state.
 *
 * The transitions that the specification lists must work.  What it does not
 * list should be refused with BAD_MSG and change nothing; that is advice.
 */
#include "probe/bytes.h"
#include "probe/conform/card.h"
#include "probe/conform/chapters.h"
#include "probe/names.h"

enum cmd { SET, PREPARE, START, STOP, RELEASE, COMMANDS };

static const uint32_t codes[COMMANDS] = { SND_R_PCM_SET_PARAMS, SND_R_PCM_PREPARE,
	SND_R_PCM_START, SND_R_PCM_STOP, SND_R_PCM_RELEASE };

#define NO ST_COUNT /* not legal */

static const enum pcm_state next[ST_COUNT][COMMANDS] = {
	[ST_INIT] = { ST_SET, NO, NO, NO, NO },
	[ST_SET] = { ST_SET, ST_PREP, NO, NO, NO },
	[ST_PREP] = { ST_SET, ST_PREP, ST_RUN, NO, ST_REL },
	[ST_RUN] = { NO, NO, NO, ST_STOP, NO },
	[ST_STOP] = { NO, NO, ST_RUN, NO, ST_REL },
	[ST_REL] = { ST_SET, ST_PREP, NO, NO, NO },
};

/* A command that is legal in that state, to see that the stream is in it. */
static const enum cmd proof[ST_COUNT] = { SET, PREPARE, START, STOP, RELEASE, PREPARE };

static int command(struct conform *c, uint32_t stream, enum cmd cmd, uint32_t *ret_status)
{
	struct pcm_params p = stream_params(c, stream);

	if (cmd == SET)
		return ctl_params(c, stream, &p, ret_status);
	return ctl_pcm(c, codes[cmd], stream, ret_status);
}

static int prove(struct conform *c, uint32_t stream, enum pcm_state state)
{
	uint32_t status;

	/* STOPPED and PREPARED both take RELEASE; only one of them a PREPARE. */
	TRY(command(c, stream, proof[state], &status));
	EXPECT_EQ(c, status, SND_S_OK, "%s, which is legal in %s", request_name(codes[proof[state]]),
		state_names[state]);
	return 0;
}

static int transition(struct conform *c)
{
	enum pcm_state from = (enum pcm_state)(c->scenario->arg / COMMANDS);
	enum cmd cmd = (enum cmd)(c->scenario->arg % COMMANDS);
	uint32_t id, status;

	TRY(rig_up(c, NULL));
	TRY(card_read(c));
	if (!c->streams)
		return skip(c, "the device has no streams");
	id = 0;
	TRY(stream_bring(c, id, from));
	TRY(command(c, id, cmd, &status));
	if (next[from][cmd] != NO) {
		EXPECT_EQ(c, status, SND_S_OK, "%s in %s", request_name(codes[cmd]),
			state_names[from]);
		return prove(c, id, next[from][cmd]);
	}
	EXPECT_EQ(c, status, SND_S_BAD_MSG, "%s in %s", request_name(codes[cmd]),
		state_names[from]);
	return prove(c, id, from);
}

static int independent(struct conform *c)
{
	static const enum pcm_state wanted[4] = { ST_RUN, ST_PREP, ST_STOP, ST_SET };
	uint32_t n, status;

	TRY(rig_up(c, NULL));
	TRY(card_read(c));
	n = c->streams < 4 ? c->streams : 4;
	if (n < 2)
		return skip(c, "the device has %u streams, 2 are needed", n);
	for (uint32_t i = 0; i < n; i++)
		TRY(stream_bring(c, i, wanted[i]));
	for (uint32_t i = 0; i < n; i++) {
		TRY(command(c, i, proof[wanted[i]], &status));
		EXPECT_EQ(c, status, SND_S_OK, "stream %u is no longer in %s", i,
			state_names[wanted[i]]);
	}
	return 0;
}

/* RESET_DEVICE or a status of 0, or what the front-end does for a reset. */
static int reset_each(struct conform *c)
{
	for (enum pcm_state state = ST_SET; state < ST_COUNT; state++) {
		uint32_t status;

		TRY(rig_up(c, NULL));
		TRY(card_read(c));
		if (!c->streams)
			return skip(c, "the device has no streams");
		TRY(stream_bring(c, 0, state));
		TRY(rig_reset(c));
		TRY(command(c, 0, PREPARE, &status));
		EXPECT(c, status != SND_S_OK, "PREPARE is OK after a reset in %s: the old "
			"parameters were kept", state_names[state]);
		TRY(stream_bring(c, 0, ST_REL));
		rig_down(c);
	}
	return 0;
}

static uint32_t roll(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33) % below;
}

static int walk(struct conform *c)
{
	enum pcm_state at[4] = { 0 };
	uint64_t seed = c->o->seed;
	uint32_t n, status;

	TRY(rig_up(c, NULL));
	TRY(card_read(c));
	n = c->streams < 4 ? c->streams : 4;
	for (unsigned i = 0; i < 20000 && n; i++) {
		uint32_t id = roll(&seed, n);
		enum cmd cmd = (enum cmd)roll(&seed, COMMANDS);
		enum pcm_state to = next[at[id]][cmd];

		TRY(command(c, id, cmd, &status));
		EXPECT_EQ(c, status, to == NO ? SND_S_BAD_MSG : SND_S_OK,
			"step %u: %s of stream %u in %s", i, request_name(codes[cmd]), id,
			state_names[at[id]]);
		if (to != NO)
			at[id] = to;
	}
	return 0;
}

#define LIFE "virtio 1.4, Sound Device, PCM Command Lifecycle: "
#define LEGAL(from, cmd, name)                                                             \
	{ .id = "SND-FSM-" name, .title = "a transition of the list", .run = transition,   \
		.arg = (int)(from) * COMMANDS + (int)(cmd), .clause = LIFE "a legal transition" }
#define OTHER(from, cmd, name)                                                             \
	{ .id = "SND-FSM-" name, .title = "not in the list: BAD_MSG, nothing changes",     \
		.run = transition, .arg = (int)(from) * COMMANDS + (int)(cmd),             \
		.recommended = true, .clause = LIFE "not among the legal transitions" }

const struct scenario state_scenarios[] = {
	LEGAL(ST_INIT, SET, "INIT-SET"),
	OTHER(ST_INIT, PREPARE, "INIT-PREPARE"),
	OTHER(ST_INIT, START, "INIT-START"),
	OTHER(ST_INIT, STOP, "INIT-STOP"),
	OTHER(ST_INIT, RELEASE, "INIT-RELEASE"),
	LEGAL(ST_SET, SET, "SET-SET"),
	LEGAL(ST_SET, PREPARE, "SET-PREPARE"),
	OTHER(ST_SET, START, "SET-START"),
	OTHER(ST_SET, STOP, "SET-STOP"),
	OTHER(ST_SET, RELEASE, "SET-RELEASE"),
	LEGAL(ST_PREP, SET, "PREP-SET"),
	LEGAL(ST_PREP, PREPARE, "PREP-PREPARE"),
	LEGAL(ST_PREP, START, "PREP-START"),
	OTHER(ST_PREP, STOP, "PREP-STOP"),
	LEGAL(ST_PREP, RELEASE, "PREP-RELEASE"),
	OTHER(ST_RUN, SET, "RUN-SET"),
	OTHER(ST_RUN, PREPARE, "RUN-PREPARE"),
	OTHER(ST_RUN, START, "RUN-START"),
	LEGAL(ST_RUN, STOP, "RUN-STOP"),
	OTHER(ST_RUN, RELEASE, "RUN-RELEASE"),
	OTHER(ST_STOP, SET, "STOP-SET"),
	OTHER(ST_STOP, PREPARE, "STOP-PREPARE"),
	LEGAL(ST_STOP, START, "STOP-START"),
	OTHER(ST_STOP, STOP, "STOP-STOP"),
	LEGAL(ST_STOP, RELEASE, "STOP-RELEASE"),
	LEGAL(ST_REL, SET, "REL-SET"),
	LEGAL(ST_REL, PREPARE, "REL-PREPARE"),
	OTHER(ST_REL, START, "REL-START"),
	OTHER(ST_REL, STOP, "REL-STOP"),
	OTHER(ST_REL, RELEASE, "REL-RELEASE"),
	{ .id = "SND-FSM-X-1", .title = "streams are independent", .run = independent,
		.clause = LIFE "of each stream" },
	{ .id = "SND-FSM-X-2", .title = "a reset forgets states and parameters",
		.run = reset_each, .recommended = true,
		.clause = "virtio 1.4, Device Reset: the initial state" },
	{ .id = "SND-FSM-X-3", .title = "20 000 random commands against the model",
		.run = walk, .recommended = true, .limit_s = 30, .clause = LIFE "all of it" },
	{ 0 },
};
