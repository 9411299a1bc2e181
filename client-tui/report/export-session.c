/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session saved whole: the rows of all its ledgers and the notes of its event log, in the order
 * in which they came. */
#include "config.h"

#include "record/recorder-internal.h"

#include <errno.h>
#include <stdlib.h>

#include "ledger/transcript.h"
#include "report/summary.h"

/* How far each session's rows, and the notes, have been taken. */
struct merge {
	size_t rows[RECORDER_SESSIONS];
	size_t notes;
	uint64_t written[RECORDER_SESSIONS];
};

/* The session whose next row was typed first, or -1. */
static int next_row(const struct recorder *r, const struct merge *m)
{
	int first = -1;

	for (size_t i = 0; i < r->count; i++) {
		const struct ledger_row *row = ledger_at(r->sessions[i]->ledger, m->rows[i]);
		const struct ledger_row *best = first < 0 ? NULL
		                                          : ledger_at(r->sessions[first]->ledger,
		                                                m->rows[first]);

		if (row && (!best || row->typed_at < best->typed_at))
			first = (int)i;
	}
	return first;
}

static const struct event_log_entry *next_note(const struct recorder *r, struct merge *m)
{
	const struct event_log_entry *note;

	while ((note = event_log_at(r->event_log, m->notes)) != NULL) {
		if (note->kind == EVENT_LOG_EVENT ||
		    (note->kind == EVENT_LOG_REPLY && note->match == MATCH_STRAY))
			break;
		m->notes++;
	}
	return note;
}

static int save_note(const struct recorder *r, const struct recorder_sink *to, struct transcript *b,
    const struct event_log_entry *note)
{
	const struct recorder_session *s = r->sessions[note->session];

	if (note->kind == EVENT_LOG_EVENT && b)
		return note->event.quiet ? 0 : transcript_add_event(b, &note->event);
	if (note->kind == EVENT_LOG_EVENT)
		return recorder_put_event(r, to, &note->event);
	if (b)
		return transcript_add_text(b, TRANSCRIPT_STRAY, s->of.stream, note->text,
		    note->length);
	return recorder_put_reply(to,
	    &(struct record_reply){ .session = note->session,
	        .stream = s->of.stream,
	        .match = note->match,
	        .replied_at = note->at - r->start,
	        .rtt = -1,
	        .text = note->text,
	        .length = note->length },
	    s);
}

static int save_row(const struct recorder *r, const struct recorder_sink *to, struct transcript *b,
    struct merge *m, int session, int64_t now)
{
	const struct recorder_session *s = r->sessions[session];
	const struct ledger_row *row = ledger_at(s->ledger, m->rows[session]++);

	m->written[session]++;
	return b ? transcript_add_line(b, s->ledger, s->of.stream, row->number)
	         : recorder_put_line(r, to, s, row, now);
}

/* Lines and notes, in the order of the session; in a transcript, or written. */
static int save_all(const struct recorder *r, const struct recorder_sink *to, struct transcript *b,
    struct merge *m, int64_t now)
{
	for (;;) {
		const int session = next_row(r, m);
		const struct event_log_entry *note = next_note(r, m);
		int result;

		if (session < 0 && !note)
			return 0;
		if (note &&
		    (session < 0 ||
		        note->reported_at <=
		            ledger_at(r->sessions[session]->ledger, m->rows[session])->typed_at)) {
			result = save_note(r, to, b, note);
			m->notes++;
		} else {
			result = save_row(r, to, b, m, session, now);
		}
		if (result < 0)
			return -1;
	}
}

static int save_text(const struct recorder *r, FILE *out, struct merge *m, int64_t now)
{
	size_t items = event_log_count(r->event_log) + 1;
	struct transcript *b;
	int result;

	for (size_t i = 0; i < r->count; i++)
		items += ledger_count(r->sessions[i]->ledger);
	b = transcript_new(items);
	errno = ENOMEM;
	result = b && save_all(r, NULL, b, m, now) == 0 ? export_text(out, b, now) : -1;
	transcript_free(b);
	return result;
}

static int save_records(const struct recorder *r, const struct recorder_sink *to,
    const struct record_run *run, struct merge *m, int64_t now)
{
	if (recorder_put_start(to, &r->run) < 0)
		return -1;
	for (size_t i = 0; i < r->count; i++)
		if (recorder_put_session(to, r->sessions[i]) < 0)
			return -1;
	if (save_all(r, to, NULL, m, now) < 0 || recorder_put_summary(r, to, run, m->written) < 0)
		return -1;
	return fflush(to->out) == 0 && !ferror(to->out) ? 0 : -1;
}

int export_session(const struct recorder *r, enum record_output output, FILE *out,
    const struct record_run *run, int64_t now)
{
	const struct recorder_sink to = { .output = output, .out = out };
	struct merge *m = calloc(1, sizeof *m);
	int result, error;

	if (!m)
		return -1;
	result = output == RECORD_OUTPUT_TEXT ? save_text(r, out, m, now)
	                                      : save_records(r, &to, run, m, now);
	error = errno;
	free(m);
	errno = error;
	return result;
}

int export_session_each(const struct recorder *r, int64_t now, recorder_call *call, void *context)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct recorder_session *s = r->sessions[i];

		for (size_t k = 0; k < ledger_count(s->ledger); k++) {
			struct record record;

			if (recorder_fill(r, s, ledger_at(s->ledger, k), now, &record) < 0)
				return -1;
			/* The record is the call's from now on. */
			if (call(context, &record, k) < 0)
				return -1;
		}
	}
	return 0;
}
