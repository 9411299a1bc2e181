/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rows stand in a ring by number. Beside it, each line is in the list of its fate (queued, waiting, lost
 * without a reply), and a datagram that could still be answered is in the lookup by its capitals and in
 * the list of ages, from whose old end lines leave the lookup. Every step is O(1) on average but for a
 * reply that was cut short, which is compared with all waiting lines.
 *
 * A row that is forgotten while it waits stays in the waiting list as a ghost without text, so that the
 * totals and, in a stream, the order of the replies stay exact. Neighbouring ghosts become one: of a stream
 * always, of datagrams when they were sent at about the same time. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/ledger-internal.h"
#include "ledger/line-times.h"

/* Ghosts of datagrams sent within this part of the wait become one, which is lost when the last of them
 * is: some are lost so much later than they should, none earlier. */
#define GHOST_GRAIN 64

struct ledger *ledger_new(const struct ledger_settings *settings)
{
	struct ledger *l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->settings = *settings;
	if (l->settings.capacity < 1)
		l->settings.capacity = 1;
	if (l->settings.wait < 0)
		l->settings.wait = 0;
	if (l->settings.answerable < l->settings.wait)
		l->settings.answerable = l->settings.wait;
	l->crowded_until = l->crowded_texts_until = INT64_MIN;
	l->connecting_since = INT64_MAX;
	stats_start(&l->stats);
	if (lookup_start(&l->lookup)) {
		free(l);
		return NULL;
	}
	return l;
}

static void discard(struct ledger *l, struct entry *e)
{
	lookup_leave(&l->lookup, e);
	entry_free(e);
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	while (l->rows.count)
		discard(l, rows_take(&l->rows, 0));
	while (l->waiting.first)
		discard(l, l->waiting.first);
	free(l->rows.slots);
	feed_end(&l->feed);
	lookup_end(&l->lookup);
	free(l->key.bytes);
	free(l);
}

/* ---- time ---- */

/* `span` ns after `t`, never wrapping round. */
static int64_t later(int64_t t, int64_t span)
{
	return t > INT64_MAX - span ? INT64_MAX : t + span;
}

bool ledger_is_over(const struct entry *e, int64_t span, int64_t now)
{
	return now > later(e->row.sent_at, span);
}

/* How long the session had tried to connect in all at `at`. */
static int64_t connecting_until(const struct ledger *l, int64_t at)
{
	return l->connecting + (at > l->connecting_since ? at - l->connecting_since : 0);
}

void ledger_connecting(struct ledger *l, int64_t now)
{
	if (!ledger_is_connecting(l))
		l->connecting_since = now;
}

void ledger_connected(struct ledger *l, int64_t now)
{
	l->connecting = connecting_until(l, now);
	l->connecting_since = INT64_MAX;
}

bool ledger_is_connecting(const struct ledger *l)
{
	return l->connecting_since != INT64_MAX;
}

bool ledger_is_datagram(const struct ledger *l)
{
	return l->settings.kind == LEDGER_DATAGRAM;
}

/* A line that still waits stays in the lookup, however old, until it is declared lost. */
void ledger_age(struct ledger *l, int64_t now)
{
	struct entry *e;
	while ((e = l->aging.first) && ledger_is_over(e, l->settings.answerable, now)) {
		entry_leave(e, LINK_AGE);
		entry_leave(e, LINK_CLIP);
		if (e->row.fate == FATE_LOST && !e->row.late)
			entry_leave(e, LINK_FATE);
		if (e->row.fate != FATE_WAITING)
			lookup_leave(&l->lookup, e);
	}
}

/* ---- fates ---- */

uint64_t *ledger_fate_total(struct ledger_totals *t, enum ledger_fate fate)
{
	switch (fate) {
	case FATE_QUEUED:
		return &t->queued;
	case FATE_WAITING:
		return &t->waiting;
	case FATE_ANSWERED:
		return &t->answered;
	case FATE_LOST:
		return &t->lost;
	case FATE_REFUSED:
		return &t->refused;
	case FATE_FAILED:
		return &t->failed;
	case FATE_CUT_OFF:
		break;
	}
	return &t->cut_off;
}

/* The queue is in the order of numbers. A line that comes back mostly has a neighbour there. */
static void enqueue(struct ledger *l, struct entry *e)
{
	size_t i = rows_index(&l->rows, e->row.number);
	struct entry *before = i ? rows_at(&l->rows, i - 1) : NULL;
	struct entry *next = l->queued.first;

	if (before && before->row.fate == FATE_QUEUED)
		next = before->place[LINK_FATE].next;
	while (next && next->row.number < e->row.number)
		next = next->place[LINK_FATE].next;
	entry_insert(&l->queued, next, e, LINK_FATE);
}

/* Once it can be answered no more it is in no list but the ring. */
static void retire(struct ledger *l, struct entry *e)
{
	entry_leave(e, LINK_FATE);
	entry_leave(e, LINK_AGE);
	lookup_leave(&l->lookup, e);
}

static void sort_by_fate(struct ledger *l, struct entry *e)
{
	switch (e->row.fate) {
	case FATE_QUEUED:
		entry_leave(e, LINK_AGE);
		enqueue(l, e);
		break;
	case FATE_WAITING:
		entry_append(&l->waiting, e, LINK_FATE);
		break;
	case FATE_LOST:
		if (!e->place[LINK_AGE].in)
			retire(l, e);
		else if (e->row.late)
			entry_leave(e, LINK_FATE);
		else
			entry_append(&l->silent, e, LINK_FATE);
		break;
	case FATE_ANSWERED:
		entry_leave(e, LINK_FATE);
		if (!e->place[LINK_AGE].in)
			retire(l, e);
		break;
	case FATE_REFUSED:
	case FATE_FAILED:
	case FATE_CUT_OFF:
		if (e->doubted && e->place[LINK_AGE].in)
			entry_leave(e, LINK_FATE);
		else
			retire(l, e);
		break;
	}
	lookup_sort(e);
}

static int64_t outcome(const struct entry *e, enum ledger_fate fate)
{
	switch (fate) {
	case FATE_QUEUED:
		return FEED_VOID;
	case FATE_WAITING:
		return FEED_OPEN;
	case FATE_ANSWERED:
		return e->row.replied_at - e->row.sent_at;
	case FATE_LOST:
		return FEED_LOST;
	default:
		return FEED_NONE;
	}
}

/* A line that could not be sent had its turn when it should have been. One that is sent anew gets a new turn. */
static void feed_fate(struct ledger *l, struct entry *e, enum ledger_fate fate)
{
	const int64_t waited = fate == FATE_ANSWERED ? parts_of_row(&e->row).waited : -1;

	if (fate == FATE_WAITING) {
		feed_decide(&l->feed, &l->stats, e->turn, FEED_VOID, -1);
		e->turn = feed_take(&l->feed);
		return;
	}
	if (e->row.fate == FATE_QUEUED)
		e->turn = feed_take(&l->feed);
	if (!feed_decide(&l->feed, &l->stats, e->turn, outcome(e, fate), waited) && fate == FATE_ANSWERED)
		stats_amend(&l->stats, outcome(e, fate), waited);
	if (fate == FATE_QUEUED)
		e->turn = 0;
}

void ledger_change_fate(struct ledger *l, struct entry *e, enum ledger_fate fate)
{
	enum ledger_fate old = e->row.fate;

	feed_fate(l, e, fate);
	--*ledger_fate_total(&l->totals, old);
	++*ledger_fate_total(&l->totals, fate);
	l->totals.sent -= fate == FATE_QUEUED && old != FATE_QUEUED;
	l->totals.sent += old == FATE_QUEUED && fate != FATE_QUEUED;
	e->row.fate = fate;
	if (ledger_is_decided(fate) && e->row.number < l->decided_from)
		l->decided_from = e->row.number;
	sort_by_fate(l, e);
}

/* `count` of the lines that a ghost stands for become this. The ghost may be gone afterwards. */
void ledger_settle_ghosts(struct ledger *l, struct entry *e, uint64_t count, enum ledger_fate fate)
{
	l->totals.waiting -= count;
	*ledger_fate_total(&l->totals, fate) += count;
	*ledger_fate_total(&l->gone, fate) += count;
	feed_decide_ghosts(&l->feed, &l->stats, &e->turn, e->turn_last, count, fate == FATE_LOST ? FEED_LOST : FEED_NONE);
	e->ghosts -= count;
	l->ghosts -= count;
	if (e->ghosts == 0)
		entry_free(e);
}

/* ---- forgetting ---- */

static void merge_ghosts(struct ledger *l, struct entry *a, struct entry *b)
{
	if (!a || !b || !a->ghosts || !b->ghosts ||
	    (ledger_is_datagram(l) && b->row.sent_at - a->ghosts_since > l->settings.wait / GHOST_GRAIN))
		return;
	a->ghosts += b->ghosts;
	a->turn = a->turn ? a->turn : b->turn;
	a->turn_last = b->turn_last ? b->turn_last : a->turn_last;
	if (a->row.sent_at < b->row.sent_at)
		a->row.sent_at = b->row.sent_at;
	entry_free(b);
}

static void make_ghost(struct ledger *l, struct entry *e)
{
	lookup_leave(&l->lookup, e);
	entry_leave(e, LINK_AGE);
	feed_forget(&l->feed, e->turn);
	e->turn_last = e->turn;
	e->ghosts = 1;
	l->ghosts++;
	e->ghosts_since = e->row.sent_at;
	/* The text's memory goes; when that fails it merely stays. */
	struct entry *small = malloc(sizeof(*small));
	if (small) {
		struct entry *next = e->place[LINK_FATE].next;
		entry_leave(e, LINK_FATE);
		*small = *e;
		entry_insert(&l->waiting, next, small, LINK_FATE);
		entry_free(e);
		e = small;
	}
	merge_ghosts(l, e, e->place[LINK_FATE].next);
	merge_ghosts(l, e->place[LINK_FATE].previous, e);
}

static void crowd(int64_t *until, int64_t time)
{
	if (*until < time)
		*until = time;
}

static void forget(struct ledger *l, struct entry *e)
{
	const struct ledger_row *r = &e->row;
	const int64_t answerable_until = later(r->sent_at, l->settings.answerable);

	if (ledger_is_datagram(l) && e->twins) {
		crowd(&l->crowded_until, answerable_until);
		if (!e->unlike)
			crowd(&l->crowded_texts_until, answerable_until);
	}
	l->totals.forgotten++;
	l->bytes -= r->length + e->reply_length;
	l->gone.late += r->late;
	l->gone.duplicates += r->duplicates;
	l->gone.reordered += r->reordered;
	l->gone.differs += r->differs;
	l->gone.cut_short += r->cut_short;
	if (r->fate == FATE_WAITING) {
		make_ghost(l, e);
		return;
	}
	++*ledger_fate_total(&l->gone, r->fate);
	discard(l, e);
}

static bool too_many(const struct ledger *l, size_t rows, size_t bytes)
{
	return (rows && l->rows.count + rows > l->settings.capacity) ||
	    (l->settings.bytes && l->bytes + bytes > l->settings.bytes && l->rows.count + rows > 1);
}

/* Queued lines are never forgotten: they have yet to be sent. A line that waits is only when no decided one is left:
 * without its row its reply would be a stray. */
static size_t oldest_to_forget(struct ledger *l)
{
	const bool decided = l->rows.count > l->totals.queued + l->totals.waiting - l->ghosts;

	for (size_t i = decided ? rows_index(&l->rows, l->decided_from) : 0;; i++) {
		const struct ledger_row *row = &rows_at(&l->rows, i)->row;
		if (row->fate == FATE_QUEUED || (row->fate == FATE_WAITING && decided))
			continue;
		if (decided)
			l->decided_from = row->number;
		return i;
	}
}

void ledger_make_room(struct ledger *l, size_t rows, size_t bytes)
{
	while (too_many(l, rows, bytes) && l->rows.count > l->totals.queued)
		forget(l, rows_take(&l->rows, oldest_to_forget(l)));
}

/* ---- adding and sending ---- */

/* Leaves the line's key in l->key. A tag is needed when the plain text could be taken for another
 * line's; a tag of which somebody typed the text is passed over. */
static int choose_tag(struct ledger *l, struct entry *e)
{
	bool tagged = l->settings.tag == LEDGER_TAG_ALWAYS;

	if (lookup_key_line(&l->key, e))
		return -1;
	if (l->settings.tag == LEDGER_TAG_AUTO)
		tagged = e->row.typed_at <= (e->unlike ? l->crowded_texts_until : l->crowded_until) || lookup_find(&l->lookup, &l->key);
	for (uint64_t tag = e->row.number; tagged; tag++) {
		entry_set_tag(e, tag);
		if (lookup_key_line(&l->key, e))
			return -1;
		tagged = lookup_find(&l->lookup, &l->key) != NULL;
	}
	return 0;
}

enum kind { KIND_LINE, KIND_UNLIKE, KIND_PARTIAL };

void ledger_enter(struct ledger *l, struct entry *e)
{
	ledger_make_room(l, 1, e->row.length);
	rows_push(&l->rows, e);
	l->bytes += e->row.length;
	entry_append(&l->queued, e, LINK_FATE);
	l->last_number = e->row.number;
	l->totals.typed++;
	l->totals.queued++;
}

static int add(struct ledger *l, uint64_t number, const void *text, size_t n, enum kind kind, int64_t now)
{
	if (number <= l->last_number || rows_reserve(&l->rows))
		return -1;
	struct entry *e = entry_new(number, text, n, now);
	if (!e)
		return -1;
	e->row.partial = kind == KIND_PARTIAL;
	e->row.stream = !ledger_is_datagram(l);
	e->unlike = kind == KIND_UNLIKE;
	e->connecting_before = connecting_until(l, now);
	if (ledger_is_datagram(l)) {
		ledger_age(l, now);
		if (choose_tag(l, e) || lookup_enter(&l->lookup, e, &l->key)) {
			entry_free(e);
			return -1;
		}
	}
	ledger_enter(l, e);
	return 0;
}

int ledger_add(struct ledger *l, uint64_t number, const void *text, size_t n, int64_t now)
{
	return add(l, number, text, n, KIND_LINE, now);
}

int ledger_add_unlike(struct ledger *l, uint64_t number, const void *text, size_t n, int64_t now)
{
	return add(l, number, text, n, KIND_UNLIKE, now);
}

int ledger_add_partial(struct ledger *l, uint64_t number, const void *text, size_t n, int64_t now)
{
	return add(l, number, text, n, KIND_PARTIAL, now);
}

size_t ledger_wire(const struct ledger *l, uint64_t number, void *out, size_t size)
{
	const struct entry *e = rows_find(&l->rows, number);
	if (!e)
		return (size_t)-1;
	size_t n = entry_wire_length(e);
	if (n > 0 && n <= size)
		memcpy(out, entry_wire(e), n);
	return n;
}

/* A queued or waiting line, or NULL. */
static struct entry *find_open(const struct ledger *l, uint64_t number)
{
	struct entry *e = rows_find(&l->rows, number);
	return e && (e->row.fate == FATE_QUEUED || e->row.fate == FATE_WAITING) ? e : NULL;
}

void ledger_sent(struct ledger *l, uint64_t number, int64_t now)
{
	struct entry *e = find_open(l, number);
	if (!e)
		return;
	e->row.sent_at = now;
	e->row.connecting = connecting_until(l, now) - e->connecting_before;
	/* A line may be taken a little later than the connection was told. */
	if (e->row.connecting < 0)
		e->row.connecting = 0;
	e->order = ++l->last_order;
	if (ledger_is_datagram(l))
		entry_append(&l->aging, e, LINK_AGE);
	ledger_change_fate(l, e, FATE_WAITING);
}

bool ledger_stamped(struct ledger *l, uint64_t number, int64_t at)
{
	struct entry *e = rows_find(&l->rows, number);
	if (!e || e->row.fate != FATE_WAITING || at < e->row.sent_at)
		return false;
	e->row.sent_at = at;
	return true;
}

void ledger_failed(struct ledger *l, uint64_t number, int error)
{
	struct entry *e = find_open(l, number);
	if (!e)
		return;
	e->row.error = error;
	ledger_change_fate(l, e, FATE_FAILED);
}

void ledger_requeue(struct ledger *l, uint64_t number)
{
	struct entry *e = find_open(l, number);
	if (!e || e->row.fate == FATE_QUEUED)
		return;
	e->row.sent_at = e->row.connecting = 0;
	ledger_change_fate(l, e, FATE_QUEUED);
}

/* ---- endings without a reply ---- */

/* Every waiting line becomes this. Returns how many. */
static uint64_t end_waiting(struct ledger *l, enum ledger_fate fate)
{
	uint64_t count = l->totals.waiting;
	struct entry *e;

	while ((e = l->waiting.first)) {
		if (e->ghosts)
			ledger_settle_ghosts(l, e, e->ghosts, fate);
		else
			ledger_change_fate(l, e, fate);
	}
	return count;
}

uint64_t ledger_cut_off(struct ledger *l)
{
	return end_waiting(l, FATE_CUT_OFF);
}

uint64_t ledger_expire(struct ledger *l, int64_t now)
{
	struct entry *e;

	while (ledger_is_datagram(l) && (e = l->waiting.first) && ledger_is_over(e, l->settings.wait, now)) {
		if (!e->ghosts) {
			ledger_change_fate(l, e, FATE_LOST);
			return e->row.number;
		}
		ledger_settle_ghosts(l, e, e->ghosts, FATE_LOST);
	}
	return 0;
}

void ledger_give_up(struct ledger *l)
{
	if (ledger_is_datagram(l))
		feed_close(&l->feed, &l->stats);
}

int64_t ledger_deadline(const struct ledger *l)
{
	const struct entry *e = l->feed.closed ? NULL : l->waiting.first;
	return ledger_is_datagram(l) && e ? later(later(e->row.sent_at, l->settings.wait), 1) : INT64_MAX;
}

/* ---- reading ---- */

const struct ledger_row *ledger_find(const struct ledger *l, uint64_t number)
{
	const struct entry *e = rows_find(&l->rows, number);
	return e ? &e->row : NULL;
}

size_t ledger_count(const struct ledger *l)
{
	return l->rows.count;
}

size_t ledger_index(const struct ledger *l, uint64_t number)
{
	return rows_index(&l->rows, number);
}

const struct ledger_row *ledger_at(const struct ledger *l, size_t index)
{
	return index < l->rows.count ? &rows_at(&l->rows, index)->row : NULL;
}

uint64_t ledger_first_queued(const struct ledger *l)
{
	return l->queued.first ? l->queued.first->row.number : 0;
}

uint64_t ledger_first_waiting(const struct ledger *l)
{
	const struct entry *e = l->waiting.first;
	while (e && e->ghosts)
		e = e->place[LINK_FATE].next;
	return e ? e->row.number : 0;
}

int64_t ledger_waiting_since(const struct ledger *l)
{
	const struct entry *e = l->waiting.first;
	return !e ? INT64_MAX : e->ghosts ? e->ghosts_since : e->row.sent_at;
}

const struct stats *ledger_stats(const struct ledger *l)
{
	return &l->stats;
}

const struct ledger_totals *ledger_totals(const struct ledger *l)
{
	return &l->totals;
}
