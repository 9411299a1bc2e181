/* SPDX-License-Identifier: GPL-3.0-or-later */
/* While a session goes on, each of its ledgers is walked once, in the order of numbers, by a cursor that waits for lines that are not final
 * yet. When the ledger is about to forget rows for want of room, the cursor does not wait: what it passes over is owed and written
 * as soon as it is decided, out of order. */
#include "config.h"

#include "recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "clock.h"
#include "journal.h"
#include "record-csv.h"
#include "record-json.h"
#include "summary.h"

/* How often the owed lines are looked through, and rows that are about to be forgotten. */
#define PRESS (20 * NS_PER_MS)

struct side {
	const struct ledger *ledger;
	const struct witness *witness;
	struct record_session of;
	size_t rows;
	struct facts facts;
	/* All lines to this number were written or are owed. */
	uint64_t passed;
	/* Numbers, ascending. */
	uint64_t *owed;
	size_t owed_count, owed_room;
	/* Lines of which there is a record. */
	uint64_t written;
};

struct recorder {
	enum client_output output;
	/* NULL: nothing is written while the session goes on. */
	FILE *out;
	int64_t start;
	struct record_run run;
	struct side *sides[RECORDER_SESSIONS];
	size_t count;
	/* Sessions of which there is a record already. */
	size_t told;
	struct journal *journal;
	bool begun, fresh;
	int64_t pressed_at;
	int error;
};

void recorder_run(struct record_run *run, const struct client_settings *s, int64_t wall)
{
	*run = (struct record_run){ .started = wall, .tag = s->tag, .count = s->count, .interval = s->count ? s->interval : 0,
		.size = s->size };
}

struct recorder *recorder_new(enum client_output output, FILE *out, int64_t start, const struct record_run *run)
{
	struct recorder *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->output = output;
	r->out = out;
	r->start = start;
	r->run = *run;
	r->journal = journal_new();
	if (r->journal)
		return r;
	free(r);
	return NULL;
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++) {
		free(r->sides[i]->of.peer);
		free(r->sides[i]->owed);
		free(r->sides[i]);
	}
	journal_free(r->journal);
	free(r);
}

int recorder_add(struct recorder *r, const struct ledger *ledger, bool stream, const char *peer, int64_t wait, size_t rows,
    const struct witness *witness)
{
	struct side *s = r->count < RECORDER_SESSIONS ? calloc(1, sizeof *s) : NULL;

	if (!s)
		return -1;
	*s = (struct side){ .ledger = ledger, .witness = witness, .rows = rows,
		.of = { .session = (unsigned)r->count, .stream = stream, .peer = strdup(peer), .wait = wait } };
	if (!s->of.peer) {
		free(s);
		return -1;
	}
	r->sides[r->count] = s;
	return (int)r->count++;
}

static struct side *side(const struct recorder *r, int session)
{
	return session >= 0 && (size_t)session < r->count ? r->sides[session] : NULL;
}

void recorder_peer(struct recorder *r, int session, const char *peer)
{
	struct side *s = side(r, session);
	char *copy = s && strcmp(s->of.peer, peer) != 0 ? strdup(peer) : NULL;

	if (!copy)
		return;
	free(s->of.peer);
	s->of.peer = copy;
}

void recorder_facts(struct recorder *r, int session, const struct facts *facts)
{
	struct side *s = side(r, session);

	if (!s)
		return;
	s->facts = *facts;
	recorder_peer(r, session, facts->peer);
}

void recorder_link(struct recorder *r, const char *words)
{
	snprintf(r->run.link, sizeof r->run.link, "%s", words);
}

const char *recorder_link_words(const struct recorder *r)
{
	return r->run.link;
}

int recorder_error(const struct recorder *r)
{
	return r->error;
}

/* --- writing one record --- */

/* Where records go: what /save writes has nothing to do with what is written while the session goes on. */
struct sink {
	enum client_output output;
	FILE *out;
};

static int put(const struct sink *to, char *json)
{
	const bool bad = !json || fputs(json, to->out) < 0 || putc('\n', to->out) < 0;

	if (!json)
		errno = ENOMEM;
	free(json);
	return bad ? -1 : 0;
}

static int put_start(const struct sink *to, const struct record_run *run)
{
	if (to->output == CLIENT_JSON)
		return put(to, record_json_start(run));
	record_csv_header(to->out);
	return ferror(to->out) ? -1 : 0;
}

static int put_session(const struct sink *to, const struct side *s)
{
	return to->output == CLIENT_JSON ? put(to, record_json_session(&s->of)) : 0;
}

static int put_reply(const struct sink *to, const struct record_reply *reply, const struct side *s)
{
	if (to->output == CLIENT_JSON)
		return put(to, record_json_reply(reply));
	record_csv_reply(to->out, reply, s->of.peer);
	return ferror(to->out) ? -1 : 0;
}

static int put_notice(const struct sink *to, const struct record_notice *notice)
{
	return to->output == CLIENT_JSON ? put(to, record_json_notice(notice)) : 0;
}

/* The times that stand in the journal: of duplicates, in the order in which they came; of refusals and the like. */
static void add_times(const struct recorder *r, const struct side *s, const struct ledger_row *row, struct record *record)
{
	const bool decided = row->fate == FATE_REFUSED || row->fate == FATE_FAILED || row->fate == FATE_CUT_OFF;
	size_t left = row->duplicates < RECORD_DUPLICATES ? row->duplicates : RECORD_DUPLICATES;
	size_t at;

	if (row->fate == FATE_LOST && row->sent_at)
		record->decided_at = row->sent_at + s->of.wait - r->start;
	if (left == 0 && !decided)
		return;
	at = journal_since(r->journal, left > 0 ? row->replied_at : row->typed_at);
	for (; at < journal_count(r->journal) && (left > 0 || (decided && record->decided_at == RECORD_NEVER)); at++) {
		const struct journal_note *note = journal_at(r->journal, at);

		if (note->number != row->number || note->session != s->of.session)
			continue;
		if (note->kind == JOURNAL_DECIDED && decided)
			record->decided_at = note->at - r->start;
		if (note->kind != JOURNAL_REPLY || note->match != MATCH_DUPLICATE || left == 0)
			continue;
		record->duplicate_at[record->duplicate_count++] = note->at - r->start;
		left--;
	}
}

static void add_packets(const struct recorder *r, const struct side *s, struct record *record)
{
	struct packet packets[RECORD_PACKETS];
	const size_t n = s->witness ? witness_packets(s->witness, s->of.stream, record->number, packets, RECORD_PACKETS) : 0;

	for (size_t i = 0; i < n; i++)
		record->packets[i] = record_packet_of(&packets[i], r->start);
	record->packet_count = n;
}

/* All that is known of a line. Returns 0, or -1 with errno. */
static int fill(const struct recorder *r, const struct side *s, const struct ledger_row *row, int64_t now, struct record *record)
{
	const struct witness_line *truth = s->witness ? witness_find(s->witness, s->of.stream, row->number) : NULL;

	if (record_fill(record, row, s->of.stream, truth, r->start, now) < 0) {
		errno = ENOMEM;
		return -1;
	}
	record->session = s->of.session;
	add_times(r, s, row, record);
	add_packets(r, s, record);
	return 0;
}

static int put_line(const struct recorder *r, const struct sink *to, const struct side *s, const struct ledger_row *row, int64_t now)
{
	struct record record;
	int result = 0;

	if (fill(r, s, row, now, &record) < 0)
		return -1;
	if (to->output == CLIENT_JSON)
		result = put(to, record_json_line(&record));
	else
		record_csv_line(to->out, &record, s->of.peer);
	record_free(&record);
	return result < 0 || ferror(to->out) ? -1 : 0;
}

static int put_summary(const struct recorder *r, const struct sink *to, const struct record_run *run, const uint64_t *written)
{
	struct record_sum *sums = to->output == CLIENT_JSON ? calloc(r->count + 1, sizeof *sums) : NULL;
	const struct witness *w = r->count > 0 ? r->sides[0]->witness : NULL;
	const struct witness_totals *truth = w ? witness_totals(w) : NULL;
	struct record_run end = *run;
	int result;

	if (to->output != CLIENT_JSON)
		return 0;
	for (size_t i = 0; sums && i < r->count; i++) {
		const struct side *s = r->sides[i];
		const struct ledger_totals *t = ledger_totals(s->ledger);

		sums[i] = (struct record_sum){ .of = s->of, .totals = *t, .unrecorded = t->typed - written[i], .facts = s->facts };
		sums[i].facts.stats = ledger_stats(s->ledger);
	}
	memcpy(end.link, r->run.link, sizeof end.link);
	result = put(to, sums ? record_json_summary(&end, r->start, truth, sums, r->count) : NULL);
	free(sums);
	return result;
}

/* --- while the session goes on --- */

static struct sink live(const struct recorder *r)
{
	return (struct sink){ .output = r->output, .out = r->out };
}

static void failed(struct recorder *r)
{
	if (!r->error)
		r->error = errno ? errno : EIO;
}

/* Nothing is written before the first record, so that the peers are known by then. Sessions are told in the order of their numbers. */
static bool begin(struct recorder *r)
{
	const struct sink to = live(r);

	errno = 0;
	if (!r->begun && put_start(&to, &r->run) < 0)
		failed(r);
	r->begun = r->fresh = true;
	for (; r->told < r->count; r->told++)
		if (put_session(&to, r->sides[r->told]) < 0)
			failed(r);
	return !r->error;
}

static bool is_owed(const struct side *s, uint64_t number)
{
	size_t low = 0, high = s->owed_count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (s->owed[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->owed_count && s->owed[low] == number;
}

static void write_line(struct recorder *r, struct side *s, const struct ledger_row *row, int64_t now)
{
	const struct sink to = live(r);

	if (!begin(r))
		return;
	if (put_line(r, &to, s, row, now) < 0)
		failed(r);
	s->written++;
}

static void write_reply(struct recorder *r, struct side *s, const struct session_reply *reply, int64_t at)
{
	const struct sink to = live(r);
	const struct ledger_row *row = reply->verdict.number ? ledger_find(s->ledger, reply->verdict.number) : NULL;
	const bool first = row && reply->verdict.match != MATCH_DUPLICATE;
	/* Only read while it is written. */
	const struct record_reply record = { .session = s->of.session, .stream = s->of.stream, .match = reply->verdict.match,
		.number = reply->verdict.number, .replied_at = at - r->start, .rtt = reply->verdict.rtt,
		.reordered = first && row->reordered, .differs = first && row->differs, .cut_short = first && row->cut_short,
		.text = (unsigned char *)(uintptr_t)(reply->length ? reply->text : (const unsigned char *)""),
		.length = reply->length };

	if (begin(r) && put_reply(&to, &record, s) < 0)
		failed(r);
}

void recorder_reply(struct recorder *r, int session, const struct session_reply *reply, int64_t now)
{
	struct side *s = side(r, session);
	const struct ledger_verdict *v = &reply->verdict;
	const struct ledger_row *row = v->number && s ? ledger_find(s->ledger, v->number) : NULL;
	const int64_t at = row && v->rtt >= 0 ? row->sent_at + v->rtt : now;
	const bool stray = v->match == MATCH_STRAY;

	if (!s || reply->more)
		return;
	if (r->out && (stray || (v->number && v->number <= s->passed && !is_owed(s, v->number))))
		write_reply(r, s, reply, at);
	if (!stray && v->match != MATCH_DUPLICATE)
		return;
	journal_add(r->journal, &(struct journal_note){ .kind = JOURNAL_REPLY, .session = s->of.session, .match = v->match,
		.number = v->number, .at = at, .told_at = now, .rtt = v->rtt,
		.text = (unsigned char *)(uintptr_t)(!stray ? NULL : reply->length ? reply->text : (const unsigned char *)""),
		.length = !stray ? 0 : reply->length < BOARD_TEXT_MAX ? reply->length : BOARD_TEXT_MAX });
}

void recorder_row(struct recorder *r, int session, uint64_t number, int64_t now)
{
	struct side *s = side(r, session);
	const struct ledger_row *row = s ? ledger_find(s->ledger, number) : NULL;

	if (row && (row->fate == FATE_REFUSED || row->fate == FATE_FAILED || row->fate == FATE_CUT_OFF))
		journal_add(r->journal, &(struct journal_note){ .kind = JOURNAL_DECIDED, .session = s->of.session,
			.number = number, .at = now, .told_at = now });
}

void recorder_notice(struct recorder *r, bool bad, const char *text, int64_t now)
{
	const struct sink to = live(r);
	char *copy = strdup(text);

	if (copy && r->out && begin(r) &&
	    put_notice(&to, &(struct record_notice){ .at = now - r->start, .bad = bad, .text = copy }) < 0)
		failed(r);
	journal_add(r->journal, &(struct journal_note){ .kind = JOURNAL_NOTICE, .bad = bad, .at = now, .told_at = now,
		.text = (unsigned char *)copy, .length = copy ? strlen(copy) : 0 });
	free(copy);
}

static bool decided(const struct ledger_row *row)
{
	return row->fate != FATE_QUEUED && row->fate != FATE_WAITING;
}

/* When a line's record can be written: INT64_MAX while nothing is known. Over UDP a late reply or a duplicate may come after a line is
 * decided. */
static int64_t final_at(const struct side *s, const struct ledger_row *row)
{
	if (row->fate == FATE_QUEUED || (s->of.stream && row->fate == FATE_WAITING))
		return INT64_MAX;
	if (s->of.stream || (row->fate != FATE_WAITING && row->fate != FATE_ANSWERED && row->fate != FATE_LOST))
		return 0;
	return row->sent_at > INT64_MAX - 2 * s->of.wait - 1 ? INT64_MAX : row->sent_at + 2 * s->of.wait + 1;
}

/* The index of the first row whose number is greater. */
static size_t row_after(const struct ledger *l, uint64_t number)
{
	size_t low = 0, high = ledger_count(l);

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (ledger_at(l, middle)->number <= number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void owe(struct side *s, uint64_t number)
{
	if (s->owed_count == s->owed_room) {
		const size_t room = s->owed_room ? 2 * s->owed_room : 64;
		uint64_t *grown = realloc(s->owed, room * sizeof *grown);

		if (!grown)
			return;
		s->owed = grown;
		s->owed_room = room;
	}
	s->owed[s->owed_count++] = number;
}

/* Of what is owed, writes what is decided, or all. */
static void pay(struct recorder *r, struct side *s, bool all, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->owed_count; i++) {
		const struct ledger_row *row = ledger_find(s->ledger, s->owed[i]);

		if (row && !all && !decided(row))
			s->owed[kept++] = s->owed[i];
		else if (row)
			write_line(r, s, row, now);
	}
	s->owed_count = kept;
}

/* From the cursor on, as far as lines are final; pressed, all that are decided. Returns when the next one is final. */
static int64_t walk(struct recorder *r, struct side *s, bool pressed, bool all, int64_t now)
{
	const struct ledger_row *row;

	for (size_t i = row_after(s->ledger, s->passed); !r->error && (row = ledger_at(s->ledger, i)) != NULL; i++) {
		const bool ready = all || (final_at(s, row) <= now && decided(row)) || (pressed && decided(row));

		if (!ready && !pressed)
			return final_at(s, row) > now ? final_at(s, row) : INT64_MAX;
		if (ready)
			write_line(r, s, row, now);
		else
			owe(s, row->number);
		s->passed = row->number;
	}
	return INT64_MAX;
}

static bool is_crowded(const struct side *s)
{
	return ledger_count(s->ledger) > s->rows / 2 && ledger_count(s->ledger) > 16;
}

int64_t recorder_turn(struct recorder *r, int64_t now)
{
	int64_t next = INT64_MAX;
	const bool press = now >= r->pressed_at + PRESS;

	if (!r->out || r->error)
		return INT64_MAX;
	if (press)
		r->pressed_at = now;
	for (size_t i = 0; i < r->count; i++) {
		struct side *s = r->sides[i];
		const int64_t at = walk(r, s, press && is_crowded(s), false, now);

		if (press)
			pay(r, s, false, now);
		next = at < next ? at : next;
		if ((s->owed_count > 0 || is_crowded(s)) && r->pressed_at + PRESS < next)
			next = r->pressed_at + PRESS;
	}
	if (r->fresh && fflush(r->out) != 0)
		failed(r);
	r->fresh = false;
	return r->error ? INT64_MAX : next;
}

void recorder_end(struct recorder *r, const struct record_run *run)
{
	const struct sink to = live(r);
	uint64_t written[RECORDER_SESSIONS];

	if (!r->out || r->error)
		return;
	for (size_t i = 0; i < r->count && begin(r); i++) {
		pay(r, r->sides[i], true, run->ended_at);
		walk(r, r->sides[i], false, true, run->ended_at);
		written[i] = r->sides[i]->written;
	}
	errno = 0;
	if (!r->error && (!begin(r) || put_summary(r, &to, run, written) < 0 || fflush(r->out) != 0))
		failed(r);
}

/* --- everything at once --- */

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
		const struct ledger_row *row = ledger_at(r->sides[i]->ledger, m->rows[i]);
		const struct ledger_row *best = first < 0 ? NULL : ledger_at(r->sides[first]->ledger, m->rows[first]);

		if (row && (!best || row->typed_at < best->typed_at))
			first = (int)i;
	}
	return first;
}

static const struct journal_note *next_note(const struct recorder *r, struct merge *m)
{
	const struct journal_note *note;

	while ((note = journal_at(r->journal, m->notes)) != NULL) {
		if (note->kind == JOURNAL_NOTICE || (note->kind == JOURNAL_REPLY && note->match == MATCH_STRAY))
			break;
		m->notes++;
	}
	return note;
}

static int save_note(const struct recorder *r, const struct sink *to, struct board *b, const struct journal_note *note)
{
	const struct side *s = r->sides[note->kind == JOURNAL_NOTICE ? 0 : note->session];

	if (b)
		return board_add_text(b, note->kind == JOURNAL_REPLY ? BOARD_STRAY : note->bad ? BOARD_ERROR : BOARD_NOTICE,
		    note->kind == JOURNAL_REPLY && s->of.stream, note->text, note->length);
	if (note->kind == JOURNAL_NOTICE)
		return put_notice(to, &(struct record_notice){ .at = note->at - r->start, .bad = note->bad,
			.text = (char *)note->text });
	return put_reply(to, &(struct record_reply){ .session = note->session, .stream = s->of.stream, .match = note->match,
		.replied_at = note->at - r->start, .rtt = -1, .text = note->text,
		.length = note->length }, s);
}

static int save_row(const struct recorder *r, const struct sink *to, struct board *b, struct merge *m, int session, int64_t now)
{
	const struct side *s = r->sides[session];
	const struct ledger_row *row = ledger_at(s->ledger, m->rows[session]++);

	m->written[session]++;
	return b ? board_add_line(b, s->ledger, s->of.stream, row->number) : put_line(r, to, s, row, now);
}

/* Lines and notes, in the order of the session; on a board, or written. */
static int save_all(const struct recorder *r, const struct sink *to, struct board *b, struct merge *m, int64_t now)
{
	for (;;) {
		const int session = next_row(r, m);
		const struct journal_note *note = next_note(r, m);
		int result;

		if (session < 0 && !note)
			return 0;
		if (note && (session < 0 || note->told_at <= ledger_at(r->sides[session]->ledger, m->rows[session])->typed_at)) {
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
	size_t items = journal_count(r->journal) + 1;
	struct board *b;
	int result;

	for (size_t i = 0; i < r->count; i++)
		items += ledger_count(r->sides[i]->ledger);
	b = board_new(items);
	errno = ENOMEM;
	result = b && save_all(r, NULL, b, m, now) == 0 ? summary_save_text(out, b, now) : -1;
	board_free(b);
	return result;
}

static int save_records(const struct recorder *r, const struct sink *to, const struct record_run *run, struct merge *m, int64_t now)
{
	if (put_start(to, &r->run) < 0)
		return -1;
	for (size_t i = 0; i < r->count; i++)
		if (put_session(to, r->sides[i]) < 0)
			return -1;
	if (save_all(r, to, NULL, m, now) < 0 || put_summary(r, to, run, m->written) < 0)
		return -1;
	return fflush(to->out) == 0 && !ferror(to->out) ? 0 : -1;
}

int recorder_save(const struct recorder *r, enum client_output output, FILE *out, const struct record_run *run, int64_t now)
{
	const struct sink to = { .output = output, .out = out };
	struct merge *m = calloc(1, sizeof *m);
	int result, error;

	if (!m)
		return -1;
	result = output == CLIENT_TEXT ? save_text(r, out, m, now) : save_records(r, &to, run, m, now);
	error = errno;
	free(m);
	errno = error;
	return result;
}

int recorder_each(const struct recorder *r, int64_t now, recorder_call *call, void *context)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct side *s = r->sides[i];

		for (size_t k = 0; k < ledger_count(s->ledger); k++) {
			struct record record;

			if (fill(r, s, ledger_at(s->ledger, k), now, &record) < 0)
				return -1;
			/* The record is the call's from now on. */
			if (call(context, &record, k) < 0)
				return -1;
		}
	}
	return 0;
}

const char *recorder_peers(const struct recorder *r, char *buf, size_t size)
{
	size_t used = 0;

	*buf = '\0';
	for (size_t i = 0; i < r->count && used < size; i++) {
		const struct side *s = r->sides[i];

		if (ledger_totals(s->ledger)->typed > 0)
			used += (size_t)snprintf(buf + used, size - used, "%s%s %s", used ? ", " : "", s->of.stream ? "TCP" : "UDP",
			    s->of.peer);
	}
	return buf;
}

void recorder_totals(const struct recorder *r, bool stream, struct ledger_totals *sum)
{
	*sum = (struct ledger_totals){ .typed = 0 };
	for (size_t i = 0; i < r->count; i++) {
		const struct ledger_totals *t = ledger_totals(r->sides[i]->ledger);

		if (r->sides[i]->of.stream != stream)
			continue;
		sum->typed += t->typed;
		sum->sent += t->sent;
		sum->answered += t->answered;
		sum->lost += t->lost;
		sum->waiting += t->waiting;
	}
}

int64_t recorder_started(const struct recorder *r)
{
	return r->run.started;
}
