/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recorder: writes a record of each line while a session goes on (--json, --csv), and all that
 * is known of it at once (/save, --save). A front end has one, whether or not it writes while it
 * goes on: it remembers what no ledger keeps, the times of duplicates, strays and events. Records
 * come in the order of numbers per session as soon as they are final: the line is decided and, over
 * UDP, another wait has passed for late replies and duplicates. What comes after its record was
 * written becomes a record of its own. The format stands in upcase(1), RECORD FORMAT. No clock, no
 * socket; writes to the FILE that it is given. */
#ifndef UPCASE_RECORD_RECORDER_H
#define UPCASE_RECORD_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ledger/figures.h"
#include "ledger/ledger.h"
#include "ledger/transcript.h"
#include "record/record.h"
#include "net/session.h"
#include "trace/trace.h"

struct recorder;

/* Opaque. `out` is where records go while the session goes on, or NULL (then `output` does not
 * matter); it stays the caller's. `start`: the session's time 0, ns of the monotonic clock. `run`
 * is copied, what stands at the beginning already: started, tag, count, interval, size. NULL when
 * memory is short. */
struct recorder *recorder_new(enum record_output output, FILE *out, int64_t start,
    const struct record_run *run);
void recorder_free(struct recorder *r);

/* A session begins: its ledger lives as long as the recorder. `peer` is copied. `rows`: how many
 * the ledger keeps. `trace` may be NULL. Returns its number, 0 or more, or -1. */
int recorder_add(struct recorder *r, const struct ledger *ledger, bool stream, const char *peer,
    int64_t reply_timeout, size_t rows, const struct trace *trace);
/* Its ledger, in which no line ever stood, is about to go: the number may be another session's
 * later. */
void recorder_remove(struct recorder *r, int session);
/* Its address is known (now). */
void recorder_peer(struct recorder *r, int session, const char *peer);
/* In the lab: how the link is set at the start, in words. Later changes are events. */
void recorder_link(struct recorder *r, const char *words);
/* How it was then, `at` ns since the session's start: what was held or unplugged, and the settings;
 * "" when that is not known. */
void recorder_link_at(const struct recorder *r, int64_t at, char *buf, size_t size);
/* The next event from *index on, 0 at first, with its time since the session's start and borrowed
 * texts. False when there is none. */
bool recorder_next_event(const struct recorder *r, size_t *index, struct session_event *event);
/* Its figures beyond the ledger's, before the end and before each save: session_figures(), and the
 * generator's schedule. */
void recorder_figures(struct recorder *r, int session, const struct figures *figures);

/* What the session's hooks tell, at `now`. Pieces of a reply (`more`) may be passed on, they are
 * not recorded. */
void recorder_reply(struct recorder *r, int session, const struct session_reply *reply,
    int64_t now);
/* `number` 0: all lines that waited were cut off. */
void recorder_row(struct recorder *r, int session, uint64_t number, int64_t now);
/* Something that happened at event->at, ns of the monotonic clock, is reported at `now`;
 * event->session is what recorder_add() returned, or -1. */
void recorder_event(struct recorder *r, const struct session_event *event, int64_t now);

/* Writes what is final and flushes it. Returns when to come again, ns of the monotonic clock, or
 * INT64_MAX (then come when a hook has told something). With `out` NULL: does nothing. */
int64_t recorder_dispatch(struct recorder *r, int64_t now);
/* No line gets a fate any more (session_give_up() was called): writes what is left, then the
 * summary. */
void recorder_end(struct recorder *r, const struct record_run *run);
/* Writing failed: the errno, else 0. Once it has, nothing more is written. */
int recorder_error(const struct recorder *r);

/* Everything at once, as far as it is remembered: for /save, at `now`, also in the midst of a
 * session. `output` is RECORD_OUTPUT_JSON or RECORD_OUTPUT_CSV. Returns 0, or -1 with errno. */
int recorder_save(const struct recorder *r, enum record_output output, FILE *out,
    const struct record_run *run, int64_t now);
/* The same as rows for people; the ledgers have to outlive it. NULL when memory is short. */
struct transcript *recorder_transcript(const struct recorder *r);

/* For pictures: each line that is kept, session by session in the order of numbers. `index` is its
 * place among its session's. The record is the call's own: record_free(). A call that returns -1
 * ends it. Returns 0, or -1 with errno. */
typedef int recorder_call(void *context, struct record *record, size_t index);
int recorder_each_line(const struct recorder *r, int64_t now, recorder_call *call, void *context);
/* "UDP 10.9.0.2:12000, TCP 10.9.0.2:12000": those with lines. Returns `buf`. */
const char *recorder_peers(const struct recorder *r, char *buf, size_t size);
/* The sums of one transport's sessions: typed, sent, answered, lost, waiting. */
void recorder_totals(const struct recorder *r, bool stream, struct ledger_totals *sum);
/* When it began, ns since 1970, UTC. */
int64_t recorder_started(const struct recorder *r);

#endif
