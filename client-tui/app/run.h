/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run: the sessions with a server, the lab, the recorder and the generator, for both front ends.
 * The front end has the loop, and shows events through hooks. */
#pragma once

#include "app/generator.h"
#include "app/settings.h"
#include "ledger/figures.h"
#include "net/flow.h"
#include "record/connections.h"
#include "record/recorder.h"
#include "record/replay.h"
#include "trace/lab.h"

/* The maximum number of sessions in one run, each with a transport and a peer. */
#define RUN_SESSIONS RECORDER_SESSIONS

struct run;

/* One connection of a session. UDP has one, TCP as many as the settings say; lines go over them in
 * turn. The first has the session's ledger and peer. */
struct run_connection {
	struct run_session *of;
	struct session *session;
	int flow; /* the lab's number; -1 without one */
	struct connections notes;
};

/* A session stays until the end, because rows on the screen use its ledger; a session that is left
 * for another peer still receives its outstanding replies. */
struct run_session {
	struct run *run;
	struct session *session; /* that of the first connection */
	struct run_connection connections[LEDGER_CONNECTIONS];
	/* How many there are, and over which the next line goes. */
	size_t count, next;
	bool stream;
	/* The time when a session that was left gives up its outstanding lines; 0: it was not. */
	int64_t leave_by;
	int recorded;                 /* the recorder's number; -1 without one */
	struct interval_meter *meter; /* --report: the present interval; else NULL */
	/* Its last notice, and whose it is; NULL for none. */
	char *told;
	const struct run_connection *told_by;
	struct figures_bulk bulk; /* its last bulk lines */
};

struct run_hooks {
	/* The hooks of the lab. Its event() gets all events of the run: it shows them, and records
	 * them by run_record(). */
	struct lab_hooks lab;
	/* The hooks of a session, with the context of `lab`; their events are already recorded. */
	void (*reply)(void *context, struct run_session *of, const struct session_reply *reply);
	void (*row)(void *context, struct run_session *of, uint64_t number);
	connections_report *connection; /* A TCP connection changed: shows it */
	/* Sends a generated line. Returns 0, or -1 to end the sending. */
	int (*generated)(void *context, const char *text, size_t n, int pieces, int64_t now);
	/* Returns true if there is room for more lines, beyond run_has_room(). May be NULL. */
	bool (*has_room)(const void *context);
	/* Shows a typed line of a replay; `other` is TCP's session, or NULL. May be NULL. */
	void (*line)(void *context, const struct run_session *of, const struct run_session *other,
	    uint64_t number);
};

struct run {
	/* The settings; host, port and transport change while a screen runs. */
	struct settings settings;
	struct run_hooks hooks;
	/* A user types on a screen: connections are repeated for ever, records may fail. */
	bool screen;
	bool utf8; /* the terminals show UTF-8 */
	struct run_session *sessions[RUN_SESSIONS];
	size_t count;
	/* The sessions with the present peer by `stream`, or NULL; those in use for lines. */
	struct run_session *peer[2], *used[2];
	size_t used_count;
	uint64_t last_number;
	/* Generated lines: the plan of the next ones, and those that are being sent. They begin
	 * when the sessions are open, and are `due` until then. */
	struct generator_plan plan;
	struct generator generator;
	bool due;
	struct run_session *bulk; /* the session of the bulk lines that are sent; else NULL */
	/* The second flow, NULL without one; the next one, which begins when the sessions are open
	 * and is `flow_due` until then; what the last one did; the settings' one has begun. */
	struct flow *flow;
	struct flow_plan flow_plan;
	bool flow_due, flow_begun;
	struct share flow_totals;
	/* The recorder, NULL where nothing is recorded; and the run's data for it. */
	struct recorder *recorder;
	struct record_run record;
	struct lab *lab; /* NULL outside the lab */
	/* The recording that is shown in place of sessions, or NULL. It is the caller's. */
	struct replay *replay;
};

/* Initializes the run with a copy of `hooks`. */
void run_init(struct run *run, const struct settings *settings, const struct run_hooks *hooks);
void run_close(struct run *run);

/* Connects to the lab in the settings, if there is one. */
void run_open_lab(struct run *run, int64_t now);
/* Opens the recorder. Records go to standard output if the settings say so. `now` is the records'
 * time 0 and `wall` the same in ns since 1970. Returns 0, or -1 when memory is short. */
int run_open_recorder(struct run *run, int64_t now, int64_t wall);
/* Opens the missing sessions with the present peer that the settings want, and uses them. Returns
 * 0, or -1 when memory is short or there are RUN_SESSIONS. */
int run_open_sessions(struct run *run, int64_t now);
/* Leaves the present peer; its sessions still receive their outstanding replies. */
void run_leave_peer(struct run *run, int64_t now);
/* Opens the sessions of run->replay, and a recorder of them. `rows` and `step` are those of
 * replay_start(). Returns 0, or -1 when memory is short. */
int run_open_replay(struct run *run, size_t rows, bool step, int64_t now);
/* Goes back to the beginning of run->replay: sessions and recorder are new. Nothing may refer to
 * the former ones. Returns 0, or -1 when memory is short; the run can then only be closed. */
int run_restart_replay(struct run *run);

/* No more lines will come over the session: see session_finish(). */
void run_finish(struct run_session *of, int64_t now);
/* Returns true if no connection of the session sends any more. */
bool run_dead(const struct run_session *of);
/* The state of the first connection that is not ready, or NULL: see session_state(). */
const char *run_state(const struct run_session *of, int64_t now);
/* The session of the transport in use; UDP's when both are. May be NULL. */
struct run_session *run_current(const struct run *run);
/* What the lab's link did with the lines, NULL outside the lab. */
struct trace *run_trace(const struct run *run);
/* Returns `now`, or a recording's time. */
int64_t run_time(const struct run *run, int64_t now);
/* Reports an event with a line of text; `session` is the recorder's number of it, or -1. */
void run_notice(struct run *run, int session, bool bad, const char *text);
/* Records an event, if there is a recorder. */
void run_record(struct run *run, const struct session_event *event);

/* Sends a line, or a piece of one (session_send()), over the sessions in use, with the number
 * run->last_number. UDP takes whole lines only: of a line in pieces it gets the first, which is
 * longer than any datagram. Returns the transports for which memory was short, a bit each. */
unsigned run_send(struct run *run, const void *text, size_t n, int pieces, int64_t typed,
    int64_t now);
/* Sends the data kept by SESSION_MORE. */
void run_push(struct run *run, int64_t now);
/* Returns true if all sessions in use have room for another line. */
bool run_has_room(const struct run *run);
/* Returns true if every line of every session has its fate, and no second flow sends. */
bool run_settled(const struct run *run);

/* Returns true if lines go over TCP alone, which bulk lines need for its flow control. */
bool run_is_tcp_alone(const struct run *run);
/* Returns true if generated lines are sent or due. */
bool run_generating(const struct run *run);
/* The time of the next call of run_generate(), ns of the monotonic clock, CLOCK_NEVER for none. */
int64_t run_generate_at(const struct run *run);
/* Sends the generated lines that are due, for 10 ms at most. Returns true after the last one. */
bool run_generate(struct run *run);
/* Writes the result, "100 lines sent in 1 s, 100/s; ...". Returns `buf`. */
char *run_generated(const struct run *run, char *buf, size_t size);

/* Begins a second flow in place of the one there is. */
void run_flow(struct run *run, const struct flow_plan *plan, int64_t now);
/* Ends it. Returns false if there was none. */
bool run_flow_stop(struct run *run, int64_t now);

/* The loop's parts for sessions and lab. Returns true if the link is to be drawn again. */
void run_watch(const struct run *run, struct fd_watch *w);
bool run_dispatch(struct run *run, const struct fd_watch *w, int64_t now);
/* Ends all waiting: every line then has its fate. */
void run_give_up(struct run *run, int64_t now);

/* Collects all figures of a session, with those from outside it; records them, for a save. */
void run_figures(const struct run *run, const struct run_session *of, int64_t now,
    struct figures *figures);
void run_record_figures(struct run *run, int64_t now);
/* Ends each session's interval and reports it; without `all`, not one in which nothing happened. */
void run_report(struct run *run, bool all, int64_t now,
    void (*report)(void *context, const struct interval *interval));
/* Prints the summary of each peer to which lines were sent, and that of the lab. */
void run_put_summaries(const struct run *run, FILE *out, int64_t now);
