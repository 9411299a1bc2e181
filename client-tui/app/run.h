/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run: the sessions with a server, the lab, the recorder and the generator, for both front ends.
 * The front end has the loop and, by hooks, shows what happens. */
#ifndef UPCASE_RUN_H
#define UPCASE_RUN_H

#include "app/generator.h"
#include "app/settings.h"
#include "record/connections.h"
#include "record/recorder.h"
#include "record/replay.h"
#include "ledger/figures.h"
#include "trace/lab.h"

/* Sessions that one run can have: a transport and a peer each. */
#define RUN_SESSIONS RECORDER_SESSIONS

struct run;

/* A session stays until the end, since the rows on the screen stand in its ledger; one that is left
 * for another peer finishes what is on its way. */
struct run_session {
	struct run *run;
	struct session *session;
	bool stream, left;
	/* When a session that is left gives up what is still on its way. */
	int64_t leave_by;
	/* The lab's number, and the recorder's; -1 without one. */
	int flow, recorded;
	struct connections connections;
};

struct run_hooks {
	/* Those of the lab. Its event() gets all events of the run: it shows them, and records them
	 * by run_record(). */
	struct lab_hooks lab;
	/* As those of a session, with the context of `lab`; they are recorded already. */
	void (*reply)(void *context, struct run_session *of, const struct session_reply *reply);
	void (*row)(void *context, struct run_session *of, uint64_t number);
	/* A TCP connection changed: shows it. */
	connections_report *connection;
	/* Sends a generated line. Returns 0, or -1 to end the sending. */
	int (*generated)(void *context, const char *text, size_t n, int pieces, int64_t now);
	/* There is room for more lines, beyond run_has_room(). May be NULL. */
	bool (*has_room)(const void *context);
	/* Of a replay: a line was typed; `other` is TCP's session of one over both, or NULL. May be
	 * NULL. */
	void (*line)(void *context, const struct run_session *of, const struct run_session *other,
	    uint64_t number);
};

struct run {
	/* Host, port and transport change while a screen runs. */
	struct settings settings;
	struct run_hooks hooks;
	/* A user types on a screen: connections are tried again for ever, a session without a
	 * record is better than none. */
	bool screen;
	/* Terminals show UTF-8. */
	bool utf8;
	struct run_session *sessions[RUN_SESSIONS];
	size_t count;
	/* The sessions with the present peer by transport, NULL until first used; those that lines
	 * go over now. */
	struct run_session *peer[2], *used[2];
	size_t used_count;
	uint64_t last_number;
	/* Generated lines: the plan of the next ones, and those that are being sent. They begin
	 * when the sessions are open: until then they are `due`. */
	struct generator_plan plan;
	struct generator generator;
	bool due;
	/* NULL where nothing is recorded; what it records of the run. */
	struct recorder *recorder;
	struct record_run record;
	/* NULL outside the lab. */
	struct lab *lab;
	/* The recording that is shown in place of sessions, or NULL. It is the caller's. */
	struct replay *replay;
};

/* Zero and these; `hooks` is copied. */
void run_init(struct run *run, const struct settings *settings, const struct run_hooks *hooks);
/* Closes everything. */
void run_close(struct run *run);

/* To the lab in the settings, if there is one. Returns 0, or -1 when it is not there. */
int run_open_lab(struct run *run, int64_t now);
/* Records go to standard output if the settings say so. `now` is their time 0, `wall` the same in
 * ns since 1970. Returns 0, or -1 when memory is short. */
int run_open_recorder(struct run *run, int64_t now, int64_t wall);
/* Opens the sessions that the settings want of the present peer, as far as there are none, and uses
 * them. Returns 0, or -1 when memory is short or there are RUN_SESSIONS. */
int run_open_sessions(struct run *run, int64_t now);
/* The sessions with the present peer finish what is on its way. */
void run_leave_peer(struct run *run, int64_t now);
/* Shows run->replay: its sessions, and a recorder of them. `rows`, `step`: as replay_start() has
 * them. Returns 0, or -1 when memory is short. */
int run_open_replay(struct run *run, size_t rows, bool step, int64_t now);

/* The session of the transport in use; UDP's when both are. May be NULL. */
struct run_session *run_current(const struct run *run);
/* `now`, or a recording's time. */
int64_t run_time(const struct run *run, int64_t now);
/* An event of a line of text; `session` as the recorder numbers it, or -1. */
void run_notice(struct run *run, int session, bool bad, const char *text);
/* Records an event, if there is a recorder. Writes the records that are final
 * (recorder_dispatch()). */
void run_record(struct run *run, const struct session_event *event);
int64_t run_record_dispatch(struct run *run, int64_t now);

/* Sends a line, or a piece of one (session_send()), over the sessions in use, with the number
 * run->last_number. UDP takes whole lines only: of pieces the first one, which is longer than any
 * datagram. Returns the transports for which memory was short, a bit each. */
unsigned run_send(struct run *run, const void *text, size_t n, int pieces, int64_t typed,
    int64_t now);
/* Hands over what was sent with SESSION_MORE. */
void run_push(struct run *run, int64_t now);
/* All sessions in use have room for another line. */
bool run_has_room(const struct run *run);
/* Every line of every session has its fate. */
bool run_settled(const struct run *run);

/* Generated lines are sent or about to be. */
bool run_generating(const struct run *run);
/* When to come again for them, ns of the monotonic clock, CLOCK_NEVER for none. */
int64_t run_generate_at(const struct run *run);
/* Sends those that are due, for 10 ms at most. Returns true when that was the last one. */
bool run_generate(struct run *run);
/* "100 lines sent in 1 s, 100/s; ...". Returns `buf`. */
char *run_generated(const struct run *run, char *buf, size_t size);

/* The loop: what sessions and lab wait for; then what is ready. Returns true when the link is to be
 * shown anew. */
void run_watch(const struct run *run, struct fd_watch *w);
bool run_dispatch(struct run *run, const struct fd_watch *w, int64_t now);
/* No more waiting: every line has its fate then. */
void run_give_up(struct run *run, int64_t now);

/* All figures of a session, with those that it does not know itself; records them, for a save. */
void run_figures(const struct run *run, const struct run_session *of, int64_t now,
    struct figures *figures);
void run_record_figures(struct run *run, int64_t now);
/* Prints the summary of a peer, one of both may be NULL; that of the lab. */
void run_put_summary(const struct run *run, FILE *out, const struct figures *udp,
    const struct figures *tcp);
void run_put_lab_summary(const struct run *run, FILE *out);

#endif
