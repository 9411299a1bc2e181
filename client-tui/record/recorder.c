/* SPDX-License-Identifier: GPL-3.0-or-later */
/* While a session goes on, a cursor walks each ledger once, in the order of numbers, and waits for
 * lines that are not final yet. A decided line whose row is evicted before is written out of order.
 */
#include "record/recorder.h"

#include <errno.h>

#include "common/clock.h"
#include "common/grow.h"
#include "common/text.h"
#include "record/event-log.h"
#include "record/format.h"
#include "trace/link-status.h"

struct recorder_session {
	const struct ledger *ledger;
	const struct trace *trace;
	struct record_session of; /* its peer is borrowed, but for a session that was removed: */
	char *removed_peer;
	struct figures figures;
	uint64_t passed;  /* all lines up to this number were written, if their rows were kept */
	uint64_t written; /* the number of lines written */
};

/* The target of records: /save has a sink of its own. */
struct sink {
	enum record_output output;
	FILE *out;
	bool only_summary;
};

struct recorder {
	struct sink live; /* `out` NULL: nothing is written while the session goes on */
	int64_t start;
	const struct record_run *run;
	struct recorder_session sessions[RECORDER_SESSIONS];
	size_t count;
	struct ledger *none; /* an empty ledger, for sessions that were removed */
	size_t reported;     /* sessions written */
	struct event_log log;
	uint64_t windows; /* the serial of the last sample of the windows that was written */
	bool begun;       /* the first record was written */
	int error;
};

struct recorder *recorder_new(enum record_output output, FILE *out, bool only_summary,
    int64_t start, const struct record_run *run)
{
	struct recorder *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->live = (struct sink){ .output = output, .out = out, .only_summary = only_summary };
	r->start = start;
	r->run = run;
	r->none = ledger_new(&(const struct ledger_settings){ .capacity = 1 });
	if (r->none)
		return r;
	free(r);
	return NULL;
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++)
		free(r->sessions[i].removed_peer);
	event_log_clear(&r->log);
	ledger_free(r->none);
	free(r);
}

int recorder_add(struct recorder *r, const struct ledger *ledger, bool stream, const char *peer,
    int64_t reply_timeout, const struct trace *trace)
{
	size_t i = r->count;

	/* Beyond RECORDER_SESSIONS, a removed session of the same transport is used again. */
	if (i == RECORDER_SESSIONS)
		for (i = 0; i < r->count; i++)
			if (r->sessions[i].ledger == r->none && r->sessions[i].of.stream == stream)
				break;
	if (i == RECORDER_SESSIONS)
		return -1;
	free(r->sessions[i].removed_peer);
	r->sessions[i] = (struct recorder_session){ .ledger = ledger,
		.trace = trace,
		.of = { .session = (unsigned)i,
		    .stream = stream,
		    .peer = (char *)(uintptr_t)peer,
		    .reply_timeout = reply_timeout } };
	if (i == r->count)
		r->count++;
	return (int)i;
}

static struct recorder_session *session_of(struct recorder *r, int session)
{
	return r && session >= 0 && (size_t)session < r->count ? &r->sessions[session] : NULL;
}

void recorder_remove(struct recorder *r, int session)
{
	struct recorder_session *s = session_of(r, session);

	if (!s)
		return;
	s->ledger = r->none;
	s->figures = (struct figures){ .peer = NULL };
	s->of.peer = s->removed_peer = strdup(s->of.peer);
}

void recorder_figures(struct recorder *r, int session, const struct figures *figures)
{
	struct recorder_session *s = session_of(r, session);

	if (s)
		s->figures = *figures;
}

bool recorder_next_event(const struct recorder *r, size_t *index, struct session_event *event)
{
	const struct event_log_entry *entry;

	while ((entry = event_log_at(&r->log, (*index)++)) != NULL) {
		if (entry->kind != EVENT_LOG_EVENT)
			continue;
		*event = entry->event;
		event->at -= r->start;
		return true;
	}
	return false;
}

/* The last change of the link has the settings; a hold or an unplugging lasts until its end. */
void recorder_link_at(const struct recorder *r, int64_t at, char *buf, size_t size)
{
	const char *words = r->run->link, *on[IMPAIR_PAUSES] = { NULL };
	struct text out = text_begin(buf, size);
	struct session_event event;

	for (int k = 0; k < IMPAIR_PAUSES; k++)
		if (text_begins_word(words, link_pauses[k].begun)) {
			on[k] = words;
			words += strcspn(words, ",");
			words += strspn(words, ", ");
		}
	for (size_t i = 0; recorder_next_event(r, &i, &event);) {
		if (event.at > at)
			continue;
		if (event.kind == SESSION_EVENT_LINK)
			words = event.text;
		for (int k = 0; k < IMPAIR_PAUSES && event.kind == SESSION_EVENT_FAULT; k++)
			on[k] = text_begins_word(event.text, link_pauses[k].begun) ? event.text
			      : text_begins(event.text, link_pauses[k].ended)      ? NULL
			                                                           : on[k];
	}
	for (int k = 0; k < IMPAIR_PAUSES; k++)
		if (on[k])
			text_put(&out, "%.*s, ", (int)strcspn(on[k], ","), on[k]);
	text_put(&out, "%s", words);
}

/* --- one record --- */

static int put(const struct sink *to, enum record_type type, const void *record)
{
	return to->only_summary && type < RECORD_SUMMARY
	         ? 0
	         : record_write(to->out, to->output, type, record);
}

/* The event's time is of the monotonic clock. */
static int put_event(const struct recorder *r, const struct sink *to,
    const struct session_event *event)
{
	struct session_event e = *event;

	e.at -= r->start;
	return put(to, RECORD_EVENT, &e);
}

/* Writes the samples of the windows after *serial. */
static int put_windows(const struct recorder *r, const struct sink *to, uint64_t *serial)
{
	const struct window_log *l = trace_windows(recorder_trace(r));
	const struct window_sample *s;

	for (size_t i = 0; (s = window_after(l, *serial, &i)) != NULL; *serial = s->serial) {
		struct window_sample shifted = *s;

		shifted.at -= r->start;
		if (put(to, RECORD_WINDOW, &shifted) < 0)
			return -1;
	}
	return 0;
}

static void add_duplicates(const struct recorder *r, const struct recorder_session *s,
    const struct ledger_row *row, struct record *record)
{
	size_t left = row->duplicates < RECORD_DUPLICATES ? row->duplicates : RECORD_DUPLICATES;

	if (left > 0 && !(record->duplicate_at = malloc(left * sizeof *record->duplicate_at)))
		left = 0;
	for (size_t at = event_log_since(&r->log, row->replied_at); at < r->log.count && left > 0;
	    at++) {
		const struct event_log_entry *entry = event_log_at(&r->log, at);

		if (entry->number != row->number || entry->session != s->of.session ||
		    entry->kind != EVENT_LOG_REPLY || entry->match != MATCH_DUPLICATE)
			continue;
		record->duplicate_at[record->duplicate_count++] = entry->at - r->start;
		left--;
	}
}

/* Adds the link's effects. Returns 0, or -1 when memory is short. */
static int add_link(const struct recorder *r, const struct recorder_session *s, int64_t now,
    struct record *record)
{
	const struct trace_line *line = trace_find(s->trace, s->of.stream, record->row.number);
	struct logged_packet packets[RECORD_PACKETS];
	const size_t count = trace_packets(s->trace, s->of.stream, record->row.number, packets,
	    RECORD_PACKETS);

	if (line && !(record->legs = malloc(LINK_DIRECTIONS * sizeof *record->legs)))
		return -1;
	if (count > 0 && !(record->packets = malloc(count * sizeof *record->packets)))
		return -1;
	if (line)
		record->place = trace_place(line, now);
	for (int direction = 0; line && direction < LINK_DIRECTIONS; direction++)
		record->legs[direction] = record_leg_shifted(&line->legs[direction], -r->start);
	for (size_t i = 0; i < count; i++)
		record->packets[i] = record_packet_shifted(&packets[i].of, -r->start);
	record->packet_count = (uint8_t)count;
	return 0;
}

/* Converts a time of the ledger, where 0 means not yet. */
static int64_t since(int64_t at, int64_t start)
{
	return at == 0 ? RECORD_NEVER : at - start;
}

/* Fills the record of a line. Returns 0, or -1 with errno. */
static int fill(const struct recorder *r, const struct recorder_session *s,
    const struct ledger_row *row, int64_t now, struct record *record)
{
	*record = (struct record){ .session = s->of.session, .row = *row, .peer = s->of.peer };
	record->row.typed_at -= r->start;
	record->row.sent_at = since(row->sent_at, r->start);
	record->row.replied_at = since(row->replied_at, r->start);
	record->row.decided_at = since(row->fate == FATE_LOST && row->sent_at
	                                   ? row->sent_at + s->of.reply_timeout
	                                   : row->decided_at,
	    r->start);
	record->row.text = grow_copy(row->text, row->length);
	record->row.reply = row->reply ? grow_copy(row->reply, row->reply_length) : NULL;
	if (row->duplicates > 0)
		add_duplicates(r, s, row, record);
	if (record->row.text && !record->row.reply == !row->reply &&
	    (!s->trace || add_link(r, s, now, record) == 0))
		return 0;
	record_free(record);
	errno = ENOMEM;
	return -1;
}

static int put_line(const struct recorder *r, const struct sink *to,
    const struct recorder_session *s, const struct ledger_row *row, int64_t now)
{
	struct record record;
	int result;

	if (fill(r, s, row, now, &record) < 0)
		return -1;
	result = put(to, RECORD_LINE, &record);
	record_free(&record);
	return result;
}

/* Writes the summary; `written` has the number of each session's lines with a record. */
static int put_summary(const struct recorder *r, const struct sink *to, const uint64_t *written)
{
	const struct trace *trace = recorder_trace(r);
	struct record_summary summary = { .run = *r->run,
		.sums = calloc(r->count + 1, sizeof *summary.sums),
		.count = r->count,
		.is_compared = trace };
	int result = -1;

	summary.run.ended_at -= r->start;
	recorder_link_at(r, INT64_MAX, summary.run.link, sizeof summary.run.link);
	if (trace) {
		summary.compared = trace_totals(trace)->compared;
		summary.mismatches = trace_totals(trace)->mismatches;
	}
	for (size_t i = 0; summary.sums && i < r->count; i++) {
		const struct recorder_session *s = &r->sessions[i];
		struct figures *f = &summary.sums[i].figures;

		summary.sums[i] = (struct record_sum){ .of = s->of, .figures = s->figures };
		f->stream = s->of.stream;
		f->unrecorded = f->totals.typed - written[i];
	}
	if (summary.sums)
		result = put(to, RECORD_SUMMARY, &summary);
	free(summary.sums);
	return result;
}

/* --- while the session goes on --- */

int recorder_error(const struct recorder *r)
{
	return r ? r->error : 0;
}

static void failed(struct recorder *r)
{
	if (!r->error)
		r->error = errno ? errno : EIO;
}

/* Writes the start and the sessions that were not written yet, before the first record, when the
 * peers are known. Returns false after an error. */
static bool begin(struct recorder *r)
{
	errno = 0;
	if (!r->begun && put(&r->live, RECORD_START, r->run) < 0)
		failed(r);
	r->begun = true;
	for (; r->reported < r->count; r->reported++)
		if (put(&r->live, RECORD_SESSION, &r->sessions[r->reported].of) < 0)
			failed(r);
	return !r->error;
}

static void write_line(struct recorder *r, struct recorder_session *s, const struct ledger_row *row,
    int64_t now)
{
	if (!begin(r))
		return;
	if (put_line(r, &r->live, s, row, now) < 0)
		failed(r);
	s->written++;
}

/* The reply's text, never NULL; not const, as records own theirs, but it is only read. */
static unsigned char *text_of(const struct session_reply *reply)
{
	return (unsigned char *)(uintptr_t)(reply->length ? reply->text
	                                                  : (const unsigned char *)"");
}

static void write_reply(struct recorder *r, struct recorder_session *s,
    const struct session_reply *reply, const struct ledger_row *row, int64_t at)
{
	const bool first = row && reply->matched.match != MATCH_DUPLICATE;
	const struct record_reply record = { .session = s->of.session,
		.peer = s->of.peer,
		.match = reply->matched.match,
		.rtt = reply->matched.rtt,
		.row = { .number = reply->matched.number,
		    .stream = s->of.stream,
		    .replied_at = at - r->start,
		    .reordered = first && row->reordered,
		    .differs = first && row->differs,
		    .cut_short = first && row->cut_short,
		    .reply = text_of(reply),
		    .reply_length = reply->length } };

	if (begin(r) && put(&r->live, RECORD_REPLY, &record) < 0)
		failed(r);
}

void recorder_reply(struct recorder *r, int session, const struct session_reply *reply, int64_t now)
{
	struct recorder_session *s = session_of(r, session);
	const struct ledger_reply_match *m = &reply->matched;
	const struct ledger_row *row = m->number && s ? ledger_find(s->ledger, m->number) : NULL;
	const int64_t at = row && m->rtt >= 0 ? row->sent_at + m->rtt : now;
	const bool stray = m->match == MATCH_STRAY;

	if (!s || reply->more)
		return;
	if (r->live.out && (stray || (m->number && m->number <= s->passed)))
		write_reply(r, s, reply, row, at);
	if (!stray && m->match != MATCH_DUPLICATE)
		return;
	event_log_add(&r->log,
	    &(struct event_log_entry){ .kind = EVENT_LOG_REPLY,
	        .session = s->of.session,
	        .match = m->match,
	        .number = m->number,
	        .at = at,
	        .reported_at = now,
	        .text = stray ? text_of(reply) : NULL,
	        .length = !stray                              ? 0
	                : reply->length < TRANSCRIPT_TEXT_MAX ? reply->length
	                                                      : TRANSCRIPT_TEXT_MAX });
}

void recorder_evicted(struct recorder *r, int session, const struct ledger_row *row, int64_t now)
{
	struct recorder_session *s = session_of(r, session);

	if (s && r->live.out && !r->error && row->number > s->passed)
		write_line(r, s, row, now);
}

void recorder_event(struct recorder *r, const struct session_event *event, int64_t now)
{
	if (!r)
		return;
	if (r->live.out && begin(r) && put_event(r, &r->live, event) < 0)
		failed(r);
	event_log_add(&r->log, &(struct event_log_entry){ .kind = EVENT_LOG_EVENT,
	                           .reported_at = now,
	                           .event = *event,
	                           .length = strlen(event->text) });
}

void recorder_interval(struct recorder *r, const struct interval *interval)
{
	struct interval i = *interval;

	i.from -= r->start;
	i.to -= r->start;
	if (begin(r) && put(&r->live, RECORD_INTERVAL, &i) < 0)
		failed(r);
}

static void write_windows(struct recorder *r)
{
	size_t i = 0;

	if (window_after(trace_windows(recorder_trace(r)), r->windows, &i) && begin(r) &&
	    put_windows(r, &r->live, &r->windows) < 0)
		failed(r);
}

/* The time when a line's record can be written, INT64_MAX while that is not known. Over UDP a late
 * reply or a duplicate may come after the line is decided. */
static int64_t final_at(const struct recorder_session *s, const struct ledger_row *row)
{
	if (row->fate == FATE_QUEUED || (s->of.stream && row->fate == FATE_WAITING))
		return INT64_MAX;
	if (s->of.stream ||
	    (row->fate != FATE_WAITING && row->fate != FATE_ANSWERED && row->fate != FATE_LOST))
		return 0;
	return row->sent_at > INT64_MAX - 2 * s->of.reply_timeout - 1
	         ? INT64_MAX
	         : row->sent_at + 2 * s->of.reply_timeout + 1;
}

/* Writes the final lines after the cursor, or all. Returns the time when the next line becomes
 * final. */
static int64_t write_final(struct recorder *r, struct recorder_session *s, bool all, int64_t now)
{
	const struct ledger_row *row;

	for (size_t i = ledger_index(s->ledger, s->passed + 1);
	    !r->error && (row = ledger_at(s->ledger, i)) != NULL; i++) {
		if (!all && (!ledger_is_decided(row->fate) || final_at(s, row) > now))
			return final_at(s, row) > now ? final_at(s, row) : INT64_MAX;
		write_line(r, s, row, now);
		s->passed = row->number;
	}
	return INT64_MAX;
}

int64_t recorder_dispatch(struct recorder *r, int64_t now)
{
	int64_t next = INT64_MAX;

	if (!r || !r->live.out || r->error)
		return INT64_MAX;
	write_windows(r);
	for (size_t i = 0; i < r->count; i++) {
		const int64_t at = write_final(r, &r->sessions[i], false, now);

		next = at < next ? at : next;
	}
	if (fflush(r->live.out) != 0)
		failed(r);
	return r->error ? INT64_MAX : next;
}

void recorder_end(struct recorder *r)
{
	const int64_t now = r->run->ended_at;
	uint64_t written[RECORDER_SESSIONS];

	if (!r->live.out || r->error)
		return;
	for (size_t i = 0; i < r->count && begin(r); i++) {
		write_final(r, &r->sessions[i], true, now);
		written[i] = r->sessions[i].written;
	}
	write_windows(r);
	errno = 0;
	if (!r->error &&
	    (!begin(r) || put_summary(r, &r->live, written) < 0 || fflush(r->live.out) != 0))
		failed(r);
}

const char *recorder_peers(const struct recorder *r, char *buf, size_t size)
{
	struct text out = text_begin(buf, size);

	for (size_t i = 0; i < r->count; i++) {
		const struct recorder_session *s = &r->sessions[i];

		if (ledger_totals(s->ledger)->typed > 0)
			text_put(&out, "%s%s %s", out.used ? ", " : "",
			    transport_info[s->of.stream].title, s->of.peer);
	}
	return buf;
}

void recorder_totals(const struct recorder *r, bool stream, struct ledger_totals *sum)
{
	*sum = (struct ledger_totals){ .typed = 0 };
	for (size_t i = 0; i < r->count; i++) {
		const struct ledger_totals *t = ledger_totals(r->sessions[i].ledger);

		if (r->sessions[i].of.stream != stream)
			continue;
		sum->typed += t->typed;
		sum->sent += t->sent;
		sum->late += t->late;
		for (int fate = 0; fate < FATES; fate++)
			sum->fates[fate] += t->fates[fate];
	}
}

const struct trace *recorder_trace(const struct recorder *r)
{
	return r->count > 0 ? r->sessions[0].trace : NULL;
}

int64_t recorder_start(const struct recorder *r)
{
	return r->start;
}

const struct record_run *recorder_run(const struct recorder *r)
{
	return r->run;
}

/* --- everything at once --- */

/* The numbers of rows of each session, and of entries of the event log, that were passed. */
struct cursor {
	uint64_t rows[RECORDER_SESSIONS];
	size_t entries;
};

/* The session whose next row was typed first, NULL when all rows are passed. */
static const struct recorder_session *next_row(const struct recorder *r, const struct cursor *c,
    const struct ledger_row **row)
{
	const struct recorder_session *first = NULL;

	for (size_t i = 0; i < r->count; i++) {
		const struct ledger_row *next = ledger_at(r->sessions[i].ledger, c->rows[i]);

		if (!next || (first && next->typed_at >= (*row)->typed_at))
			continue;
		first = &r->sessions[i];
		*row = next;
	}
	return first;
}

/* The next stray or event. */
static const struct event_log_entry *next_entry(const struct recorder *r, struct cursor *c)
{
	const struct event_log_entry *entry;

	for (; (entry = event_log_at(&r->log, c->entries)) != NULL; c->entries++)
		if (entry->kind == EVENT_LOG_EVENT || entry->match == MATCH_STRAY)
			break;
	return entry;
}

/* Goes through lines and entries in the order of the session: sets *s and *row, or *s and *entry
 * with *row NULL. Returns false at the end. */
static bool next_item(const struct recorder *r, struct cursor *c, const struct recorder_session **s,
    const struct ledger_row **row, const struct event_log_entry **entry)
{
	*row = NULL;
	*s = next_row(r, c, row);
	*entry = next_entry(r, c);
	if (*entry && (!*s || (*entry)->reported_at <= (*row)->typed_at)) {
		*s = &r->sessions[(*entry)->session];
		*row = NULL;
		c->entries++;
	} else if (*s) {
		c->rows[(*s)->of.session]++;
	}
	return *s;
}

static int save_entry(const struct recorder *r, const struct sink *to,
    const struct recorder_session *s, const struct event_log_entry *entry)
{
	if (entry->kind == EVENT_LOG_EVENT)
		return put_event(r, to, &entry->event);
	return put(to, RECORD_REPLY,
	    &(struct record_reply){ .session = entry->session,
	        .peer = s->of.peer,
	        .match = entry->match,
	        .rtt = -1,
	        .row = { .stream = s->of.stream,
	            .replied_at = entry->at - r->start,
	            .reply = entry->text,
	            .reply_length = entry->length } });
}

int recorder_save(const struct recorder *r, enum record_output output, FILE *out)
{
	const struct sink to = { .output = output, .out = out };
	const struct recorder_session *s;
	const struct ledger_row *row;
	const struct event_log_entry *entry;
	struct cursor cursor = { .entries = 0 };
	uint64_t serial = 0;

	if (put(&to, RECORD_START, r->run) < 0)
		return -1;
	for (size_t i = 0; i < r->count; i++)
		if (put(&to, RECORD_SESSION, &r->sessions[i].of) < 0)
			return -1;
	while (next_item(r, &cursor, &s, &row, &entry))
		if ((row ? put_line(r, &to, s, row, r->run->ended_at)
		         : save_entry(r, &to, s, entry)) < 0)
			return -1;
	if (put_windows(r, &to, &serial) < 0 || put_summary(r, &to, cursor.rows) < 0)
		return -1;
	return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

struct transcript *recorder_transcript(const struct recorder *r)
{
	size_t items = r->log.count + 1;
	const struct recorder_session *s;
	const struct ledger_row *row;
	const struct event_log_entry *entry;
	struct cursor cursor = { .entries = 0 };
	struct transcript *t;
	int result = 0;

	for (size_t i = 0; i < r->count; i++)
		items += ledger_count(r->sessions[i].ledger);
	t = transcript_new(items);
	while (t && result == 0 && next_item(r, &cursor, &s, &row, &entry))
		if (row)
			result = transcript_add_line(t, s->ledger, NULL, s->of.stream, row->number);
		else if (entry->kind != EVENT_LOG_EVENT)
			result = transcript_add_text(t, TRANSCRIPT_STRAY, s->of.stream, entry->text,
			    entry->length);
		else if (!entry->event.quiet)
			result = transcript_add_event(t, &entry->event);
	if (result == 0)
		return t;
	transcript_free(t);
	return NULL;
}

int recorder_each_line(const struct recorder *r, recorder_call *call, void *context)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct recorder_session *s = &r->sessions[i];

		for (size_t k = 0; k < ledger_count(s->ledger); k++) {
			struct record record;

			/* From here on, the callback owns the record. */
			if (fill(r, s, ledger_at(s->ledger, k), r->run->ended_at, &record) < 0 ||
			    call(context, &record) < 0)
				return -1;
		}
	}
	return 0;
}
