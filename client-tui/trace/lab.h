/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a front end has of the lab: the line to it, the link as it is, and the witness, kept in step with each other. */
#ifndef UPCASE_TRUTH_H
#define UPCASE_TRUTH_H

#include "trace/server-tcp.h"
#include "record/connections.h"
#include "trace/lab-socket.h"
#include "trace/link-status.h"
#include "trace/link-steps.h"
#include "record/record.h"
#include "net/session.h"
#include "trace/trace.h"

struct truth_hooks {
	void *context;
	/* The answer to truth_order(). `text` is its lines, or the reason of the refusal. May be NULL. */
	void (*answer)(void *context, int purpose, bool ok, const char *text);
	/* The link's settings are others than before. May be NULL. */
	void (*changed)(void *context);
	/* The link was changed, whoever did it, or a drop on cue hit an acknowledgement, which no row has. Borrowed. May be NULL. */
	void (*event)(void *context, const struct record_event *event);
	/* The lab has ended: told once. */
	void (*gone)(void *context);
};

/* Opaque. */
struct truth;

/* To the lab whose control socket is at `path`, and to the far server whose is at `far` (NULL: not known; it may be missing too); keeps the truth of the last `rows` lines. Waits for how the link is set, normally some microseconds. The hooks are copied. NULL with errno. */
struct truth *truth_open(const char *path, const char *far, size_t rows, const struct truth_hooks *hooks, int64_t now);
void truth_close(struct truth *t);

/* A session is about to be opened, to a peer whose port is `port` ("12000", or a name): its flow, or -1. Waits for the lab to know
 * that its packets are wanted, normally some microseconds. Then set the ledger, and pass on the session's hooks; of flow -1 they do
 * nothing, also without a truth. */
int truth_flow(struct truth *t, bool stream, int64_t wait, const char *port);
void truth_set_ledger(struct truth *t, int flow, const struct ledger *ledger);
void truth_opened(struct truth *t, int flow, uint16_t here, uint16_t there, uint64_t from);
void truth_sent(struct truth *t, int flow, uint64_t number, uint64_t from, uint64_t to);
/* What this end's kernel says of the flow's connection, EVENT_THERE, for the witness; asked and answered at these times. The far
 * end's is taken here. */
void truth_timer(struct truth *t, int flow, enum event_way way, const struct session_tcp *tcp, int64_t asked, int64_t answered);
void truth_closed(struct truth *t, int flow, int64_t now);

/* An order of the user's; purposes from 0 on. Returns 0, or -1 when the lab cannot take it. */
int truth_order(struct truth *t, int purpose, const char *order);
/* A step of the panel: changes the facts at once and orders it. Returns 0, or -1 as panel_step() does. Steps one soon after the
 * other are told as one event. */
int truth_step(struct truth *t, const struct panel *panel, int by, char why[IMPAIR_WHY]);

/* Tells an event that still waits for more to join it. */
void truth_tell(struct truth *t);

void truth_watch(const struct truth *t, struct watch *w);
/* Returns true when something is to be shown anew. */
bool truth_turn(struct truth *t, const struct watch *w, int64_t now);
/* There are lines whose truth is still awaited. */
bool truth_waits(const struct truth *t);
/* connections_turn() with what the link tells; `t` may be NULL. `all`: no more comes. */
void truth_connections(struct truth *t, struct connections *c, int session, bool all, int64_t now, connections_tell *tell_it,
    void *context);
/* Waits for what the link has done by now, normally some microseconds: at the end, for the FIN that was just sent. */
void truth_settle(struct truth *t);
bool truth_gone(const struct truth *t);

const struct link_facts *truth_facts(const struct truth *t);
const struct witness *truth_witness(const struct truth *t);
/* The far end of our TCP, for far_tcp() and far_again(); NULL when nobody can be asked. */
const struct far *truth_far(const struct truth *t);

#endif
