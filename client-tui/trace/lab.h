/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lab as a front end sees it: the link's status and the trace, kept in step. */
#pragma once

#include "ledger/session-event.h"
#include "trace/lab-socket.h"
#include "trace/link-status.h"
#include "trace/link-steps.h"
#include "trace/server-tcp.h"
#include "trace/trace.h"

#define LAB_STEP 0 /* the purpose of lab_step() in the hook `answer` */

struct lab_hooks {
	void *context;
	/* The answer to lab_command() or lab_step(): its lines, or a refusal's reason; or NULL. */
	void (*answer)(void *context, int purpose, bool ok, const char *text);
	void (*changed)(void *context); /* The link's settings have changed. May be NULL. */
	/* The link was changed, or a requested drop hit an ACK, which has no row. Or NULL. */
	void (*event)(void *context, const struct session_event *event);
	void (*gone)(void *context); /* the lab has ended: called once */
};

struct lab_status {
	struct link_status link;
	struct trace *trace;
	struct server_tcp *server_tcp; /* the server's side of our TCP, or NULL */
	/* The time up to which all events were reported, ns; INT64_MAX when it is `gone`. */
	int64_t complete_until;
	bool gone;
};

struct lab;

/* Connects to the control sockets of the lab, at `path`, and of the far server, at `server_path`
 * (NULL: not known; it may be missing too); traces the last `rows` lines. Waits for the link's
 * status, normally some microseconds. The hooks are copied. NULL with errno. */
struct lab *lab_open(const char *path, const char *server_path, size_t rows,
    const struct lab_hooks *hooks, int64_t now);
void lab_close(struct lab *lab);

/* Adds the flow of a session that is about to be opened, to a peer whose port is `port` ("12000",
 * or a name). Waits until the lab reports its packets, normally some microseconds. Then give the
 * trace its ledger, its lines as they are sent and samples of this end's TCP, and pass on here that
 * its socket was opened and closed. Returns the flow's number, or -1; of flow -1 the calls do
 * nothing, also without a lab. Of a session's connections the server is asked for its end of the
 * `first`. */
int lab_flow(struct lab *lab, bool stream, int64_t reply_timeout, const char *port);
void lab_opened(struct lab *lab, int flow, bool first, uint16_t here, uint16_t there,
    uint64_t from);
void lab_closed(struct lab *lab, int flow, int64_t now);

/* Whether this end of the flow is to be sampled now (trace_timer()), asked once after each
 * lab_dispatch(): it sent a segment, an acknowledgement reached it, or 50 ms have passed while
 * lines wait. The lab samples the server's end. */
bool lab_take_due(struct lab *lab, int flow);

/* Sends a command of the user; `purpose` is more than LAB_STEP. Returns 0 or -1. */
int lab_command(struct lab *lab, int purpose, const char *command);
/* A step of the panel: changes the status at once and sends the command. Returns 0, or -1 as
 * link_steps_apply() does. Steps in quick succession are reported as one event. */
int lab_step(struct lab *lab, const struct link_steps *panel, int by, char reason[IMPAIR_REASON]);

/* Reports the steps that still wait for further ones. */
void lab_report(struct lab *lab);

void lab_watch(const struct lab *lab, struct fd_watch *w);
/* Returns true when something is to be drawn again. */
bool lab_dispatch(struct lab *lab, const struct fd_watch *w, int64_t now);
/* Requests all events up to `until`. */
void lab_need_until(struct lab *lab, int64_t until);
/* Waits for the events of what the link has done by now, normally some microseconds. */
void lab_settle(struct lab *lab);
/* Valid until lab_close(); NULL without a lab. */
const struct lab_status *lab_status(const struct lab *lab);
