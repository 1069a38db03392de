/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver whose every descriptor a scenario can choose.
 *
 * Functions that can fail report through the conform context and return what
 * TRY() passes on.
 */
#ifndef PROBE_CONFORM_RIG_H
#define PROBE_CONFORM_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/frontend.h"
#include "probe/mem.h"
#include "probe/ring.h"
#include "probe/sound.h"

#define POISON	  0xa5 /* all that a device may write begins with it */
#define EVENTS	  16u
#define EVENT_LOG 64u
#define QUIET_MS  200 /* how long nothing must happen */

#define SND_S_BAD_MSG  0x8001u
#define SND_S_NOT_SUPP 0x8002u

struct conform;

/* One message: a readable part, a writable part, and what became of it. */
struct chain {
	unsigned queue;
	uint64_t out_gpa, in_gpa;
	uint8_t *out, *in;
	uint32_t out_bytes, in_bytes;
	bool done;
	uint32_t len;  /* used length */
	unsigned turn; /* when it came back, counted over all queues */
	int64_t done_ns;
};

struct event {
	uint32_t code, data, len;
};

struct rig_setup {
	const struct personality *who; /* NULL: as front_end says */
	const char *front_end;	/* NULL: as the options say */
	uint32_t queue_size;	/* 0: as the options say */
	uint32_t regions;	/* 0: as the options say */
	uint64_t without;	/* features that are not accepted */
	uint64_t with;		/* ... that are beside the usual ones, if offered */
	bool no_events;		/* the event queue stays empty */
	bool inactive;		/* the rings are not set up */
	bool scatter;
};

struct rig {
	bool open;
	struct mem mem;
	struct frontend fe;
	struct ring ring[QUEUES];
	struct snd_counts counts;
	uint32_t config_bytes;
	unsigned turns;
	uint64_t calls[QUEUES], errs[QUEUES];
	bool close_expected, closed;
	bool faults_expected;
	struct chain event[EVENTS];
	struct event log[EVENT_LOG];
	unsigned events, events_seen; /* see hook_one_event() */
};

/* Up to DRIVER_OK; NULL: the usual way. */
int rig_up(struct conform *c, const struct rig_setup *setup);
/* Rings begin at this index, as after a pause; between inactive and activating. */
void rig_begin_at(struct conform *c, unsigned queue, uint16_t index);

/* What `inactive` left out. */
int rig_activate(struct conform *c);
int rig_up_on(struct conform *c, const struct rig_setup *setup, int sock);
void rig_down(struct conform *c);

/* A VM that is stopped and goes on: the rings are as they were. */
int rig_suspend(struct conform *c, int ms);

/* One ring alone: GET_VRING_BASE; and set up again as its fe_queue says. */
int rig_stop_ring(struct conform *c, unsigned queue);
int rig_start_ring(struct conform *c, unsigned queue);
int rig_enable_ring(struct conform *c, unsigned queue, bool on);

/* Offers a head beyond the ring: nothing sensible can come of it. */
void rig_break_ring(struct conform *c, unsigned queue);

/* The guest resets the device, by SET_STATUS or RESET_DEVICE where they are
 * negotiated, and sets it up again. */
int rig_reset(struct conform *c);

/* Guest memory for a message, all writable bytes poisoned, guards around. */
int chain_init(struct conform *c, struct chain *ch, unsigned queue, uint32_t out_bytes,
	uint32_t in_bytes);

/* Readable then writable part, an element each.  No kick. */
int chain_post(struct conform *c, struct chain *ch);
int chain_post_as(struct conform *c, struct chain *ch, const struct element *e, unsigned n);
void rig_kick(struct conform *c, unsigned queue);
int chain_send(struct conform *c, struct chain *ch); /* and kick */

/* Handles what happens for at most that long. */
int rig_poll(struct conform *c, int64_t timeout_ns);

/* Until it came back. */
int chain_wait(struct conform *c, struct chain *ch);
int chains_wait(struct conform *c, struct chain *ch, unsigned n, int ms);

/* Whatever comes for so long. */
int rig_watch(struct conform *c, int ms);

/* How many came back. */
unsigned chains_done(const struct chain *ch, unsigned n);

/* Whether all writable bytes from `from` on are as they were posted. */
bool chain_untouched(const struct chain *ch, uint32_t from);
bool chain_guards_intact(const struct chain *ch);

/* Answers of this device take no longer. */
int answer_ms(const struct conform *c);

#endif
