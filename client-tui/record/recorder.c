/* SPDX-License-Identifier: GPL-3.0-or-later */
/* While a session goes on, each of its ledgers is walked once, in the order of numbers, by a cursor that waits for lines
 * that are not final yet. When the ledger is about to forget rows for want of room, the cursor does not wait: what it
 * passes over is owed and written as soon as it is decided, out of order. */
#include "config.h"

#include "record/recorder-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/transcript.h"
#include "common/clock.h"
#include "common/grow.h"
#include "common/search.h"
#include "common/text.h"

/* How often the owed lines are looked through, and rows that are about to be forgotten. */
#define PRESS (20 * NS_PER_MS)

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
	r->none = ledger_new(&(const struct ledger_settings){ .capacity = 1 });
	if (r->journal && r->none)
		return r;
	recorder_free(r);
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
	ledger_free(r->none);
	free(r);
}

/* A new one, or when there are RECORDER_SESSIONS a forgotten one of the same transport. */
static struct recorder_side *make_side(struct recorder *r, bool stream)
{
	if (r->count < RECORDER_SESSIONS) {
		struct recorder_side *s = calloc(1, sizeof *s);

		if (s)
			s->of.session = (unsigned)r->count;
		return s;
	}
	for (size_t i = 0; i < r->count; i++)
		if (r->sides[i]->ledger == r->none && r->sides[i]->of.stream == stream)
			return r->sides[i];
	return NULL;
}

int recorder_add(struct recorder *r, const struct ledger *ledger, bool stream, const char *peer, int64_t wait, size_t rows,
    const struct witness *witness)
{
	char *copy = strdup(peer);
	struct recorder_side *s = copy ? make_side(r, stream) : NULL;

	if (!s) {
		free(copy);
		return -1;
	}
	free(s->of.peer);
	*s = (struct recorder_side){ .ledger = ledger, .witness = witness, .rows = rows,
		.of = { .session = s->of.session, .stream = stream, .peer = copy, .wait = wait } };
	if (s->of.session == r->count)
		r->sides[r->count++] = s;
	return (int)s->of.session;
}

static struct recorder_side *side(const struct recorder *r, int session)
{
	return session >= 0 && (size_t)session < r->count ? r->sides[session] : NULL;
}

void recorder_forget(struct recorder *r, int session)
{
	struct recorder_side *s = side(r, session);

	if (!s)
		return;
	s->ledger = r->none;
	s->facts = (struct facts){ .peer = NULL };
}

void recorder_peer(struct recorder *r, int session, const char *peer)
{
	struct recorder_side *s = side(r, session);
	char *copy = s && strcmp(s->of.peer, peer) != 0 ? strdup(peer) : NULL;

	if (!copy)
		return;
	free(s->of.peer);
	s->of.peer = copy;
}

void recorder_facts(struct recorder *r, int session, const struct facts *facts)
{
	struct recorder_side *s = side(r, session);

	if (!s)
		return;
	s->facts = *facts;
	recorder_peer(r, session, facts->peer);
}

void recorder_link(struct recorder *r, const char *words)
{
	snprintf(r->run.link, sizeof r->run.link, "%s", words);
}

bool recorder_next_event(const struct recorder *r, size_t *index, struct record_event *event)
{
	const struct journal_note *note;

	while ((note = journal_at(r->journal, (*index)++)) != NULL) {
		if (note->kind != JOURNAL_EVENT)
			continue;
		*event = note->event;
		event->at -= r->start;
		return true;
	}
	return false;
}

/* What link_facts_line() puts before the settings, and what its end is called. */
static const struct {
	const char *on, *off;
} pauses[] = { { "held ", "released" }, { "unplugged ", "plugged in" } };

#define PAUSES (sizeof pauses / sizeof *pauses)

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* The settings are those told last, and what is held or unplugged is until its end is told. */
void recorder_link_at(const struct recorder *r, int64_t at, char *buf, size_t size)
{
	const char *words = r->run.link, *on[PAUSES] = { NULL };
	struct record_event event;
	size_t used = 0;

	for (size_t k = 0; k < PAUSES; k++)
		if (begins(words, pauses[k].on)) {
			on[k] = words;
			words += strcspn(words, ",");
			words += strspn(words, ", ");
		}
	for (size_t i = 0; recorder_next_event(r, &i, &event);) {
		if (event.at > at)
			continue;
		if (event.kind == SESSION_EVENT_LINK)
			words = event.text;
		for (size_t k = 0; k < PAUSES && event.kind == SESSION_EVENT_FAULT; k++)
			on[k] = begins(event.text, pauses[k].on) ? event.text : begins(event.text, pauses[k].off) ? NULL : on[k];
	}
	for (size_t k = 0; k < PAUSES && used < size; k++)
		if (on[k])
			used += (size_t)snprintf(buf + used, size - used, "%.*s, ", (int)strcspn(on[k], ","), on[k]);
	if (used < size)
		snprintf(buf + used, size - used, "%s", words);
}

int recorder_error(const struct recorder *r)
{
	return r->error;
}

static struct recorder_sink live(const struct recorder *r)
{
	return (struct recorder_sink){ .output = r->output, .out = r->out };
}

static void failed(struct recorder *r)
{
	if (!r->error)
		r->error = errno ? errno : EIO;
}

/* Nothing is written before the first record, so that the peers are known by then. Sessions are told in the order of their numbers. */
static bool begin(struct recorder *r)
{
	const struct recorder_sink to = live(r);

	errno = 0;
	if (!r->begun && recorder_put_start(&to, &r->run) < 0)
		failed(r);
	r->begun = r->fresh = true;
	for (; r->told < r->count; r->told++)
		if (recorder_put_session(&to, r->sides[r->told]) < 0)
			failed(r);
	return !r->error;
}

static bool is_owed(const struct recorder_side *s, uint64_t number)
{
	size_t i;

	SEARCH_FIRST(i, 0, s->owed_count, s->owed[i] >= number);
	return i < s->owed_count && s->owed[i] == number;
}

static void write_line(struct recorder *r, struct recorder_side *s, const struct ledger_row *row, int64_t now)
{
	const struct recorder_sink to = live(r);

	if (!begin(r))
		return;
	if (recorder_put_line(r, &to, s, row, now) < 0)
		failed(r);
	s->written++;
}

static void write_reply(struct recorder *r, struct recorder_side *s, const struct session_reply *reply, int64_t at)
{
	const struct recorder_sink to = live(r);
	const struct ledger_row *row = reply->verdict.number ? ledger_find(s->ledger, reply->verdict.number) : NULL;
	const bool first = row && reply->verdict.match != MATCH_DUPLICATE;
	/* Only read while it is written. */
	const struct record_reply record = { .session = s->of.session, .stream = s->of.stream, .match = reply->verdict.match,
		.number = reply->verdict.number, .replied_at = at - r->start, .rtt = reply->verdict.rtt,
		.reordered = first && row->reordered, .differs = first && row->differs, .cut_short = first && row->cut_short,
		.text = (unsigned char *)(uintptr_t)(reply->length ? reply->text : (const unsigned char *)""),
		.length = reply->length };

	if (begin(r) && recorder_put_reply(&to, &record, s) < 0)
		failed(r);
}

void recorder_reply(struct recorder *r, int session, const struct session_reply *reply, int64_t now)
{
	struct recorder_side *s = side(r, session);
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
	struct recorder_side *s = side(r, session);
	const struct ledger_row *row = s ? ledger_find(s->ledger, number) : NULL;

	/* What is owed may be decided and forgotten in no time. */
	if (s && s->owed_count > 0)
		r->pressed_at = 0;
	/* One note for all that are cut off at once: with one for each they would drive out what else the journal knows. */
	if (s && (number == 0 || (row && (row->fate == FATE_REFUSED || row->fate == FATE_FAILED || row->fate == FATE_CUT_OFF))))
		journal_add(r->journal, &(struct journal_note){ .kind = JOURNAL_DECIDED, .session = s->of.session,
			.number = number, .at = now, .told_at = now });
}

void recorder_event(struct recorder *r, const struct record_event *event, int64_t now)
{
	const struct recorder_sink to = live(r);

	if (r->out && begin(r) && recorder_put_event(r, &to, event) < 0)
		failed(r);
	journal_add(r->journal, &(struct journal_note){ .kind = JOURNAL_EVENT, .at = event->at, .told_at = now, .event = *event,
		.length = strlen(event->text) });
}

/* When a line's record can be written: INT64_MAX while nothing is known. Over UDP a late reply or a duplicate may come after a line is
 * decided. */
static int64_t final_at(const struct recorder_side *s, const struct ledger_row *row)
{
	if (row->fate == FATE_QUEUED || (s->of.stream && row->fate == FATE_WAITING))
		return INT64_MAX;
	if (s->of.stream || (row->fate != FATE_WAITING && row->fate != FATE_ANSWERED && row->fate != FATE_LOST))
		return 0;
	return row->sent_at > INT64_MAX - 2 * s->of.wait - 1 ? INT64_MAX : row->sent_at + 2 * s->of.wait + 1;
}

/* Of what is owed, writes what is decided, or all. */
static void pay(struct recorder *r, struct recorder_side *s, bool all, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->owed_count; i++) {
		const struct ledger_row *row = ledger_find(s->ledger, s->owed[i]);

		if (row && !all && !ledger_is_decided(row->fate))
			s->owed[kept++] = s->owed[i];
		else if (row)
			write_line(r, s, row, now);
	}
	s->owed_count = kept;
}

/* From the cursor on, as far as lines are final; pressed, all that are decided. Returns when the next one is final. */
static int64_t walk(struct recorder *r, struct recorder_side *s, bool pressed, bool all, int64_t now)
{
	const struct ledger_row *row;

	for (size_t i = ledger_index(s->ledger, s->passed + 1); !r->error && (row = ledger_at(s->ledger, i)) != NULL; i++) {
		const bool ready = all || (ledger_is_decided(row->fate) && (pressed || final_at(s, row) <= now));

		if (!ready && !pressed)
			return final_at(s, row) > now ? final_at(s, row) : INT64_MAX;
		if (ready)
			write_line(r, s, row, now);
		else if (grow_list(&s->owed, &s->owed_room, s->owed_count + 1, sizeof *s->owed) == 0)
			s->owed[s->owed_count++] = row->number;
		s->passed = row->number;
	}
	return INT64_MAX;
}

static bool is_crowded(const struct recorder_side *s)
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
		struct recorder_side *s = r->sides[i];
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
	const struct recorder_sink to = live(r);
	uint64_t written[RECORDER_SESSIONS];

	if (!r->out || r->error)
		return;
	for (size_t i = 0; i < r->count && begin(r); i++) {
		pay(r, r->sides[i], true, run->ended_at);
		walk(r, r->sides[i], false, true, run->ended_at);
		written[i] = r->sides[i]->written;
	}
	errno = 0;
	if (!r->error && (!begin(r) || recorder_put_summary(r, &to, run, written) < 0 || fflush(r->out) != 0))
		failed(r);
}

const char *recorder_peers(const struct recorder *r, char *buf, size_t size)
{
	struct text out = text_begin(buf, size);

	for (size_t i = 0; i < r->count; i++) {
		const struct recorder_side *s = r->sides[i];

		if (ledger_totals(s->ledger)->typed > 0)
			text_put(&out, "%s%s %s", out.used ? ", " : "", s->of.stream ? "TCP" : "UDP", s->of.peer);
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
		sum->late += t->late;
		sum->waiting += t->waiting;
		sum->refused += t->refused;
		sum->failed += t->failed;
		sum->cut_off += t->cut_off;
		sum->queued += t->queued;
	}
}

int64_t recorder_started(const struct recorder *r)
{
	return r->run.started;
}
