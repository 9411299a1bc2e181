/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a front end has of the lab: the line to it, the link as it is, and the trace, kept in step
 * with each other. */
#ifndef UPCASE_TRACE_LAB_H
#define UPCASE_TRACE_LAB_H

#include "ledger/session-event.h"
#include "trace/lab-socket.h"
#include "trace/link-status.h"
#include "trace/link-steps.h"
#include "trace/server-tcp.h"
#include "trace/trace.h"

struct lab_hooks {
	void *context;
	/* The answer to lab_command(). `text` is its lines, or the reason of the refusal. May be
	 * NULL. */
	void (*answer)(void *context, int purpose, bool ok, const char *text);
	/* The link's settings are others than before. May be NULL. */
	void (*changed)(void *context);
	/* The link was changed, whoever did it, or a drop on cue hit an acknowledgement, which no
	 * row has. Borrowed. May be NULL. */
	void (*event)(void *context, const struct session_event *event);
	/* The lab has ended: told once. */
	void (*gone)(void *context);
};

/* Opaque. */
struct lab;

/* To the lab whose control socket is at `path`, and to the far server whose is at `far` (NULL: not
 * known; it may be missing too); keeps the truth of the last `rows` lines. Waits for how the link
 * is set, normally some microseconds. The hooks are copied. NULL with errno. */
struct lab *lab_open(const char *path, const char *far, size_t rows, const struct lab_hooks *hooks,
    int64_t now);
void lab_close(struct lab *t);

/* A session is about to be opened, to a peer whose port is `port` ("12000", or a name): its flow,
 * or -1. Waits for the lab to know that its packets are wanted, normally some microseconds. Then
 * set the ledger, and pass on the session's hooks; of flow -1 they do nothing, also without a
 * truth. */
int lab_flow(struct lab *t, bool stream, int64_t reply_timeout, const char *port);
void lab_set_ledger(struct lab *t, int flow, const struct ledger *ledger);
void lab_opened(struct lab *t, int flow, uint16_t here, uint16_t there, uint64_t from);
void lab_sent(struct lab *t, int flow, uint64_t number, uint64_t from, uint64_t to);
/* What this end's kernel says of the flow's connection, LINK_GOING, for the trace; asked and
 * answered at these times. The far end's is taken here. */
void lab_timer(struct lab *t, int flow, enum link_way way, const struct tcp_sample *tcp,
    int64_t asked, int64_t answered);
void lab_closed(struct lab *t, int flow, int64_t now);

/* An order of the user's; purposes from 0 on. Returns 0, or -1 when the lab cannot take it. */
int lab_command(struct lab *t, int purpose, const char *order);
/* A step of the panel: changes the facts at once and orders it. Returns 0, or -1 as
 * link_steps_apply() does. Steps one soon after the other are reported as one event. */
int lab_step(struct lab *t, const struct link_steps *panel, int by, char why[IMPAIR_WHY]);

/* Tells an event that still waits for more to join it. */
void lab_report(struct lab *t);

void lab_watch(const struct lab *t, struct fd_watch *w);
/* Returns true when something is to be shown anew. */
bool lab_dispatch(struct lab *t, const struct fd_watch *w, int64_t now);
/* There are lines whose truth is still awaited. */
bool lab_is_pending(const struct lab *t);
/* Up to when all events of the link have been reported, ns; INT64_MAX when no more come. */
int64_t lab_known(const struct lab *t);
/* All events up to then are wanted. */
void lab_want(struct lab *t, int64_t until);
/* Waits for what the link has done by now, normally some microseconds: at the end, for the FIN that
 * was just sent. */
void lab_settle(struct lab *t);
bool lab_is_gone(const struct lab *t);

const struct link_status *lab_link_status(const struct lab *t);
const struct trace *lab_trace(const struct lab *t);
/* The far end of our TCP, for server_tcp_sample() and server_retransmitted(); NULL when nobody can
 * be asked. */
const struct server_tcp *lab_server_tcp(const struct lab *t);

#endif
