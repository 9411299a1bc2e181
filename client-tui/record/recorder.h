/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recorder writes a record of each line while a session goes on (--json, --csv), and all known
 * data at once (/save, --save). Every front end has one, since it also keeps the data that no
 * ledger has: times of duplicates, strays and events. Each session's records come in the order of
 * numbers as soon as they are final: the line is decided and, over UDP, another wait has passed for
 * late replies and duplicates. A reply that comes after its line's record gets a record of its own.
 * upcase(1), RECORD FORMAT, describes the format. No clock, no socket; writes to a given FILE. */
#pragma once

#include "ledger/figures.h"
#include "ledger/ledger.h"
#include "ledger/transcript.h"
#include "net/session.h"
#include "record/record.h"
#include "trace/trace.h"

struct recorder;

/* Records go to `out`, which the caller owns, while the session goes on; NULL: nowhere; with
 * `only_summary` only the summary and the reports. `start` is the session's time 0, ns of the
 * monotonic clock. `run` is borrowed: `ended_at` and `stopped` are set before the end and each
 * save, the rest before the first record. Returns NULL when memory is short. */
struct recorder *recorder_new(enum record_output output, FILE *out, bool only_summary,
    int64_t start, const struct record_run *run);
void recorder_free(struct recorder *r);

/* Adds a session, whose ledger and `peer`, which may change, must outlive the recorder. `trace` may
 * be NULL. Returns its number, 0 or more, or -1. */
int recorder_add(struct recorder *r, const struct ledger *ledger, bool stream, const char *peer,
    int64_t reply_timeout, const struct trace *trace);
/* Removes a session without lines, before its ledger and its peer are freed. Another may get its
 * number. */
void recorder_remove(struct recorder *r, int session);
/* The words of the link at `at`, ns since the session's start: whether it was held or unplugged,
 * and its settings; "" if they are not known. */
void recorder_link_at(const struct recorder *r, int64_t at, char *buf, size_t size);
/* Sets *event to the next event from *index on, 0 at first, with its time since the session's start
 * and borrowed texts. Returns false when there is none. */
bool recorder_next_event(const struct recorder *r, size_t *index, struct session_event *event);
/* Sets the session's figures with the generator's schedule, before the end and each save. */
void recorder_figures(struct recorder *r, int session, const struct figures *figures);

/* The session's hooks, at `now`, which do nothing without a recorder. Pieces of a reply (`more`)
 * are ignored. */
void recorder_reply(struct recorder *r, int session, const struct session_reply *reply,
    int64_t now);
/* The hook of the session's ledger: takes the record of a line that was not final yet. */
void recorder_evicted(struct recorder *r, int session, const struct ledger_row *row, int64_t now);
/* Takes an event of event->at, at `now`; event->session is the result of recorder_add(), or -1.
 * Does nothing without a recorder. */
void recorder_event(struct recorder *r, const struct session_event *event, int64_t now);

/* Writes the summary of an interval, with times of the monotonic clock. */
void recorder_interval(struct recorder *r, const struct interval *interval);
/* Writes and flushes the final records. Returns the time of its next call, ns of the monotonic
 * clock, or INT64_MAX: after the next hook, or never without a recorder. */
int64_t recorder_dispatch(struct recorder *r, int64_t now);
/* Writes the rest and the summary: after session_give_up() no line gets a fate any more. */
void recorder_end(struct recorder *r);
/* Returns the errno of a failed write, else 0, as without a recorder. Nothing is written after an
 * error. */
int recorder_error(const struct recorder *r);

/* Writes all data, also while the session goes on: at run->ended_at. `output` is RECORD_OUTPUT_JSON
 * or RECORD_OUTPUT_CSV. Returns 0, or -1 with errno. */
int recorder_save(const struct recorder *r, enum record_output output, FILE *out);
/* Returns all data as rows for people; the ledgers must outlive them. NULL when memory is short. */
struct transcript *recorder_transcript(const struct recorder *r);

/* The callback for each kept line, session by session in order of numbers. It frees the record by
 * record_free(); its result -1 ends the walk. */
typedef int recorder_call(void *context, struct record *record);
/* Returns 0, or -1 with errno. */
int recorder_each_line(const struct recorder *r, recorder_call *call, void *context);
/* Writes the peers of sessions with lines: "UDP 10.9.0.2:12000, TCP 10.9.0.2:12000". Returns `buf`.
 */
const char *recorder_peers(const struct recorder *r, char *buf, size_t size);
/* The sums of one transport's sessions: counts of lines by fate. */
void recorder_totals(const struct recorder *r, bool stream, struct ledger_totals *sum);
/* What the lab's link did with the lines, NULL outside the lab. */
const struct trace *recorder_trace(const struct recorder *r);
const struct record_run *recorder_run(const struct recorder *r);
/* The session's time 0, ns of the monotonic clock. */
int64_t recorder_start(const struct recorder *r);
