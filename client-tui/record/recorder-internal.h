/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What recorder.c (records while the session goes on), recorder.c (one record) and export-session.c
 * (everything at once) share. */
#ifndef UPCASE_RECORDER_CORE_H
#define UPCASE_RECORDER_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "record/event-log.h"
#include "record/record.h"
#include "record/recorder.h"

/* One of the sessions. */
struct recorder_session {
	const struct ledger *ledger;
	const struct trace *trace;
	struct record_session of;
	size_t rows;
	struct figures figures;
	/* All lines to this number were written or are deferred. */
	uint64_t passed;
	/* Numbers, ascending. */
	uint64_t *deferred;
	size_t deferred_count, deferred_capacity;
	/* Lines of which there is a record. */
	uint64_t written;
};

struct recorder {
	enum record_output output;
	/* NULL: nothing is written while the session goes on. */
	FILE *out;
	int64_t start;
	struct record_run run;
	struct recorder_session *sessions[RECORDER_SESSIONS];
	size_t count;
	/* In place of the ledgers of sessions that are forgotten. */
	struct ledger *none;
	/* Sessions of which there is a record already. */
	size_t reported;
	struct event_log *event_log;
	bool begun, fresh;
	int64_t evicting_at;
	int error;
};

/* Where records go: what /save writes has nothing to do with what is written while the session goes
 * on. */
struct recorder_sink {
	enum record_output output;
	FILE *out;
};

/* All that is known of a line. These return 0, or -1 with errno. */
int recorder_fill(const struct recorder *r, const struct recorder_session *s,
    const struct ledger_row *row, int64_t now, struct record *record);
int recorder_put_start(const struct recorder_sink *to, const struct record_run *run);
int recorder_put_session(const struct recorder_sink *to, const struct recorder_session *s);
int recorder_put_reply(const struct recorder_sink *to, const struct record_reply *reply,
    const struct recorder_session *s);
/* Its time is of the monotonic clock. CSV has no rows for them. */
int recorder_put_event(const struct recorder *r, const struct recorder_sink *to,
    const struct session_event *event);
int recorder_put_line(const struct recorder *r, const struct recorder_sink *to,
    const struct recorder_session *s, const struct ledger_row *row, int64_t now);
/* `written`: of how many lines each session has a record. */
int recorder_put_summary(const struct recorder *r, const struct recorder_sink *to,
    const struct record_run *run, const uint64_t *written);

#endif
