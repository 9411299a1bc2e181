/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of a line, put together from its ledger, the event log and the link's trace, and
 * written. */
#include "config.h"

#include "record/recorder-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record/csv.h"
#include "record/json-write.h"

static int put(const struct recorder_sink *to, char *json)
{
	const bool bad = !json || fputs(json, to->out) < 0 || putc('\n', to->out) < 0;

	if (!json)
		errno = ENOMEM;
	free(json);
	return bad ? -1 : 0;
}

int recorder_put_start(const struct recorder_sink *to, const struct record_run *run)
{
	if (to->output == RECORD_OUTPUT_JSON)
		return put(to, json_write_start(run));
	csv_header(to->out);
	return ferror(to->out) ? -1 : 0;
}

int recorder_put_session(const struct recorder_sink *to, const struct recorder_session *s)
{
	return to->output == RECORD_OUTPUT_JSON ? put(to, json_write_session(&s->of)) : 0;
}

int recorder_put_reply(const struct recorder_sink *to, const struct record_reply *reply,
    const struct recorder_session *s)
{
	if (to->output == RECORD_OUTPUT_JSON)
		return put(to, json_write_reply(reply));
	csv_reply(to->out, reply, s->of.peer);
	return ferror(to->out) ? -1 : 0;
}

int recorder_put_event(const struct recorder *r, const struct recorder_sink *to,
    const struct session_event *event)
{
	struct session_event e = *event;

	e.at -= r->start;
	return to->output == RECORD_OUTPUT_JSON ? put(to, json_write_event(&e)) : 0;
}

/* The connection on which the line was sent has ended, and with it all lines that waited. */
static bool cuts(const struct event_log_entry *note, const struct recorder_session *s,
    const struct ledger_row *row)
{
	return note->kind == EVENT_LOG_DECIDED && note->number == 0 &&
	       note->session == s->of.session && row->fate == FATE_CUT_OFF &&
	       note->at >= row->sent_at;
}

/* The times that stand in the event log: of duplicates, in the order in which they came; of
 * refusals and the like. */
static void add_times(const struct recorder *r, const struct recorder_session *s,
    const struct ledger_row *row, struct record *record)
{
	const bool decided = row->fate == FATE_REFUSED || row->fate == FATE_FAILED ||
	                     row->fate == FATE_CUT_OFF;
	size_t left = row->duplicates < RECORD_DUPLICATES ? row->duplicates : RECORD_DUPLICATES;
	size_t at;

	if (row->fate == FATE_LOST && row->sent_at)
		record->decided_at = row->sent_at + s->of.reply_timeout - r->start;
	if (left == 0 && !decided)
		return;
	at = event_log_since(r->event_log, left > 0 ? row->replied_at : row->typed_at);
	for (; at < event_log_count(r->event_log) &&
	       (left > 0 || (decided && record->decided_at == RECORD_NEVER));
	    at++) {
		const struct event_log_entry *note = event_log_at(r->event_log, at);

		if (cuts(note, s, row))
			record->decided_at = note->at - r->start;
		if (note->number != row->number || note->session != s->of.session)
			continue;
		if (note->kind == EVENT_LOG_DECIDED && decided)
			record->decided_at = note->at - r->start;
		if (note->kind != EVENT_LOG_REPLY || note->match != MATCH_DUPLICATE || left == 0)
			continue;
		record->duplicate_at[record->duplicate_count++] = note->at - r->start;
		left--;
	}
}

static void add_packets(const struct recorder *r, const struct recorder_session *s,
    struct record *record)
{
	struct logged_packet packets[RECORD_PACKETS];
	const size_t n = s->trace ? trace_packets(s->trace, s->of.stream, record->number, packets,
	                                RECORD_PACKETS)
	                          : 0;

	for (size_t i = 0; i < n; i++)
		record->packets[i] = record_packet_of(&packets[i], r->start);
	record->packet_count = n;
}

int recorder_fill(const struct recorder *r, const struct recorder_session *s,
    const struct ledger_row *row, int64_t now, struct record *record)
{
	const struct trace_line *traced = s->trace ? trace_find(s->trace, s->of.stream, row->number)
	                                           : NULL;

	if (record_fill(record, row, s->of.stream, traced, r->start, now) < 0) {
		errno = ENOMEM;
		return -1;
	}
	record->session = s->of.session;
	add_times(r, s, row, record);
	add_packets(r, s, record);
	return 0;
}

int recorder_put_line(const struct recorder *r, const struct recorder_sink *to,
    const struct recorder_session *s, const struct ledger_row *row, int64_t now)
{
	struct record record;
	int result = 0;

	if (recorder_fill(r, s, row, now, &record) < 0)
		return -1;
	if (to->output == RECORD_OUTPUT_JSON)
		result = put(to, json_write_line(&record));
	else
		csv_line(to->out, &record, s->of.peer);
	record_free(&record);
	return result < 0 || ferror(to->out) ? -1 : 0;
}

int recorder_put_summary(const struct recorder *r, const struct recorder_sink *to,
    const struct record_run *run, const uint64_t *written)
{
	struct record_sum *sums = to->output == RECORD_OUTPUT_JSON
	                            ? calloc(r->count + 1, sizeof *sums)
	                            : NULL;
	const struct trace *w = r->count > 0 ? r->sessions[0]->trace : NULL;
	const struct trace_totals *traced = w ? trace_totals(w) : NULL;
	struct record_run end = *run;
	int result;

	if (to->output != RECORD_OUTPUT_JSON)
		return 0;
	for (size_t i = 0; sums && i < r->count; i++) {
		const struct recorder_session *s = r->sessions[i];
		const struct ledger_totals *t = ledger_totals(s->ledger);

		sums[i] = (struct record_sum){ .of = s->of,
			.totals = *t,
			.unrecorded = t->typed - written[i],
			.figures = s->figures };
		sums[i].figures.stats = ledger_stats(s->ledger);
	}
	recorder_link_at(r, INT64_MAX, end.link, sizeof end.link);
	result = put(to, sums ? json_write_summary(&end, r->start, traced, sums, r->count) : NULL);
	free(sums);
	return result;
}
