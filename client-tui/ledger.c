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

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "lookup.h"
#include "rows.h"

/* Ghosts of datagrams sent within this part of the wait become one, which is lost when the last of them
 * is: some are lost so much later than they should, none earlier. */
#define GHOST_GRAIN 64

struct ledger {
	struct ledger_settings settings;
	struct ledger_totals totals;
	/* What rows that are forgotten (and no ghosts) have in the totals. */
	struct ledger_totals gone;
	struct rows rows;
	struct entry_list queued, waiting, silent, aging, clipped;
	struct lookup lookup;
	/* The line or reply being looked up. */
	struct lookup_key key;
	/* The greatest number; the last place in the order of sending; RFC 4737's NextExp. */
	uint64_t last_number, last_order, expected;
	/* Until then a line that was forgotten could still be answered: no text is known to be free. */
	int64_t crowded_until;
};

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
	l->crowded_until = INT64_MIN;
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
	lookup_end(&l->lookup);
	free(l->key.bytes);
	free(l);
}

/* ---- time ---- */

static int64_t later(int64_t t, int64_t span)
{
	return t > INT64_MAX - span ? INT64_MAX : t + span;
}

static bool is_over(const struct entry *e, int64_t span, int64_t now)
{
	return now > later(e->row.sent_at, span);
}

static bool is_datagram(const struct ledger *l)
{
	return l->settings.kind == LEDGER_DATAGRAM;
}

/* A line that still waits stays in the lookup, however old, until it is declared lost. */
static void age(struct ledger *l, int64_t now)
{
	struct entry *e;
	while ((e = l->aging.first) && is_over(e, l->settings.answerable, now)) {
		entry_leave(e, LINK_AGE);
		entry_leave(e, LINK_CLIP);
		if (e->row.fate == FATE_LOST && !e->row.late)
			entry_leave(e, LINK_FATE);
		if (e->row.fate != FATE_WAITING)
			lookup_leave(&l->lookup, e);
	}
}

/* ---- fates ---- */

static uint64_t *fate_total(struct ledger_totals *t, enum ledger_fate fate)
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

static void change_fate(struct ledger *l, struct entry *e, enum ledger_fate fate)
{
	enum ledger_fate old = e->row.fate;

	--*fate_total(&l->totals, old);
	++*fate_total(&l->totals, fate);
	l->totals.sent -= fate == FATE_QUEUED && old != FATE_QUEUED;
	l->totals.sent += old == FATE_QUEUED && fate != FATE_QUEUED;
	e->row.fate = fate;
	sort_by_fate(l, e);
}

/* `count` of the lines that a ghost stands for become this. The ghost may be gone afterwards. */
static void settle_ghosts(struct ledger *l, struct entry *e, uint64_t count, enum ledger_fate fate)
{
	l->totals.waiting -= count;
	*fate_total(&l->totals, fate) += count;
	*fate_total(&l->gone, fate) += count;
	e->ghosts -= count;
	if (e->ghosts == 0)
		entry_free(e);
}

/* ---- forgetting ---- */

static bool same_ghost(const struct ledger *l, const struct entry *a, const struct entry *b)
{
	return a && b && a->ghosts && b->ghosts &&
	    (!is_datagram(l) || b->row.sent_at - a->ghosts_since <= l->settings.wait / GHOST_GRAIN);
}

static void merge_ghosts(struct ledger *l, struct entry *a, struct entry *b)
{
	if (!same_ghost(l, a, b))
		return;
	a->ghosts += b->ghosts;
	if (a->row.sent_at < b->row.sent_at)
		a->row.sent_at = b->row.sent_at;
	entry_free(b);
}

static void make_ghost(struct ledger *l, struct entry *e)
{
	lookup_leave(&l->lookup, e);
	entry_leave(e, LINK_AGE);
	e->ghosts = 1;
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

static void forget(struct ledger *l, struct entry *e)
{
	const struct ledger_row *r = &e->row;

	if (is_datagram(l) && e->twins && l->crowded_until < later(r->sent_at, l->settings.answerable))
		l->crowded_until = later(r->sent_at, l->settings.answerable);
	l->totals.forgotten++;
	l->gone.late += r->late;
	l->gone.duplicates += r->duplicates;
	l->gone.reordered += r->reordered;
	l->gone.differs += r->differs;
	l->gone.cut_short += r->cut_short;
	if (r->fate == FATE_WAITING) {
		make_ghost(l, e);
		return;
	}
	++*fate_total(&l->gone, r->fate);
	discard(l, e);
}

/* Queued lines are never forgotten: they have yet to be sent. */
static void make_room(struct ledger *l)
{
	size_t i = 0;
	while (l->rows.count >= l->settings.capacity && l->rows.count > l->totals.queued) {
		while (rows_at(&l->rows, i)->row.fate == FATE_QUEUED)
			i++;
		forget(l, rows_take(&l->rows, i));
	}
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
		tagged = e->row.typed_at <= l->crowded_until || lookup_find(&l->lookup, &l->key);
	for (uint64_t tag = e->row.number; tagged; tag++) {
		e->row.tag = tag;
		if (lookup_key_line(&l->key, e))
			return -1;
		tagged = lookup_find(&l->lookup, &l->key) != NULL;
	}
	return 0;
}

static int add(struct ledger *l, uint64_t number, const void *text, size_t n, bool partial, int64_t now)
{
	if (number <= l->last_number || rows_reserve(&l->rows))
		return -1;
	struct entry *e = entry_new(number, text, n, now);
	if (!e)
		return -1;
	e->row.partial = partial;
	if (is_datagram(l)) {
		age(l, now);
		if (choose_tag(l, e) || lookup_enter(&l->lookup, e, &l->key)) {
			entry_free(e);
			return -1;
		}
	}
	make_room(l);
	rows_push(&l->rows, e);
	entry_append(&l->queued, e, LINK_FATE);
	l->last_number = number;
	l->totals.typed++;
	l->totals.queued++;
	return 0;
}

int ledger_add(struct ledger *l, uint64_t number, const void *text, size_t n, int64_t now)
{
	return add(l, number, text, n, false, now);
}

int ledger_add_partial(struct ledger *l, uint64_t number, const void *text, size_t n, int64_t now)
{
	return add(l, number, text, n, true, now);
}

size_t ledger_wire(const struct ledger *l, uint64_t number, void *out, size_t size)
{
	const struct entry *e = rows_find(&l->rows, number);
	if (!e)
		return (size_t)-1;
	size_t n = entry_wire_length(e);
	if (n <= size)
		entry_wire(e, out);
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
	e->order = ++l->last_order;
	if (is_datagram(l))
		entry_append(&l->aging, e, LINK_AGE);
	change_fate(l, e, FATE_WAITING);
}

void ledger_failed(struct ledger *l, uint64_t number, int error, int64_t now)
{
	(void)now;
	struct entry *e = find_open(l, number);
	if (!e)
		return;
	e->row.error = error;
	change_fate(l, e, FATE_FAILED);
}

void ledger_requeue(struct ledger *l, uint64_t number)
{
	struct entry *e = find_open(l, number);
	if (!e || e->row.fate == FATE_QUEUED)
		return;
	e->row.sent_at = 0;
	change_fate(l, e, FATE_QUEUED);
}

/* ---- replies ---- */

struct reply {
	const unsigned char *bytes;
	size_t length;
	int64_t at;
};

static struct ledger_verdict stray(struct ledger *l)
{
	l->totals.strays++;
	return (struct ledger_verdict){ .match = MATCH_STRAY, .rtt = -1 };
}

/* The time stamp may be taken on another clock, a little before the sending. */
static int64_t round_trip(const struct entry *e, int64_t at)
{
	return at > e->row.sent_at ? at - e->row.sent_at : 0;
}

/* Welford's way to mean and variance in one pass. */
static void count_time(struct ledger_totals *t, int64_t rtt)
{
	double step = (double)rtt - t->rtt_mean;

	t->timed++;
	t->rtt_mean += step / (double)t->timed;
	t->rtt_m2 += step * ((double)rtt - t->rtt_mean);
	if (t->timed == 1 || rtt < t->rtt_min)
		t->rtt_min = rtt;
	if (rtt > t->rtt_max)
		t->rtt_max = rtt;
	t->rtt_last = rtt;
}

/* RFC 4737, section 3.3, with the order of sending for the sequence number. */
static void check_order(struct ledger *l, struct entry *e)
{
	if (e->order >= l->expected) {
		l->expected = e->order + 1;
		return;
	}
	e->row.reordered = true;
	l->totals.reordered++;
}

/* Keeps a reply that is not what was expected. Without memory the row still says that it was not. */
static void keep_reply(struct ledger *l, struct entry *e, const struct reply *r, size_t skip, bool cut_short)
{
	size_t n = r->length - skip;

	e->row.cut_short = cut_short;
	l->totals.differs += e->row.differs;
	l->totals.cut_short += e->row.cut_short;
	if (!e->row.differs && !cut_short)
		return;
	e->reply = malloc(n + 1);
	if (!e->reply)
		return;
	if (n)
		memcpy(e->reply, r->bytes + skip, n);
	e->row.reply = e->reply;
	e->row.reply_length = n;
}

/* The first reply. Its own time decides whether it is late, whatever was believed until it was read. */
static enum ledger_match answer(struct ledger *l, struct entry *e, int64_t at)
{
	e->row.replied_at = e->row.sent_at + round_trip(e, at);
	if (is_datagram(l) && is_over(e, l->settings.wait, at)) {
		e->row.late = true;
		l->totals.late++;
		change_fate(l, e, FATE_LOST);
		return MATCH_LATE;
	}
	change_fate(l, e, FATE_ANSWERED);
	count_time(&l->totals, round_trip(e, at));
	if (is_datagram(l))
		check_order(l, e);
	return MATCH_ANSWER;
}

static bool is_key(const struct ledger *l, const struct reply *r)
{
	return l->key.length == r->length && memcmp(l->key.bytes, r->bytes, r->length) == 0;
}

/* A reply to this line; l->key has the reply's capitals. */
static struct ledger_verdict take(struct ledger *l, struct entry *e, const struct reply *r, bool cut_short)
{
	size_t tag = entry_tag_length(e);
	struct ledger_verdict v = { .number = e->row.number, .skip = tag < r->length ? tag : r->length,
		.rtt = round_trip(e, r->at) };

	if (e->row.fate == FATE_ANSWERED || e->row.late) {
		v.match = MATCH_DUPLICATE;
		e->row.duplicates++;
		l->totals.duplicates++;
		return v;
	}
	e->row.differs = !is_key(l, r);
	v.match = answer(l, e, r->at);
	keep_reply(l, e, r, v.skip, cut_short);
	if (cut_short && e->place[LINK_AGE].in)
		entry_append(&l->clipped, e, LINK_CLIP);
	return v;
}

/* The oldest waiting line of these, else the oldest lost one, else the one answered first. */
static struct entry *choose_twin(const struct ledger *l, const struct lookup_twins *t, int64_t at)
{
	struct entry *e = t->waiting.first;
	while (e && is_over(e, l->settings.answerable, at))
		e = e->place[LINK_TWIN].next;
	if (!e)
		e = t->silent.first;
	return e ? e : t->answered.first;
}

static bool begins_with_key(const struct ledger *l, const struct entry *e)
{
	unsigned char few[512];
	size_t n = entry_wire_length(e);
	unsigned char *wire = n <= sizeof(few) ? few : malloc(n);
	if (!wire)
		return false;
	entry_wire(e, wire);
	bool yes = entry_cut_short(wire, n, l->key.bytes, l->key.length);
	if (wire != few)
		free(wire);
	return yes;
}

static bool same_clip(const struct entry *e, const struct reply *r)
{
	size_t tag = entry_tag_length(e);
	size_t skip = tag < r->length ? tag : r->length;
	return e->row.reply && e->row.reply_length == r->length - skip &&
	    memcmp(e->row.reply, r->bytes + skip, r->length - skip) == 0;
}

/* Counts in *found the lines of a list whose beginning the reply is, and returns the first. */
static struct entry *find_cut(const struct ledger *l, const struct entry_list *list, int64_t at, int *found)
{
	struct entry *first = NULL;
	for (struct entry *e = list->first; e && *found < 2; e = e->place[LINK_FATE].next) {
		if (e->ghosts || is_over(e, l->settings.answerable, at) || !begins_with_key(l, e))
			continue;
		++*found;
		first = first ? first : e;
	}
	return first;
}

/* The one line whose beginning the reply can be: a waiting one; or, when none is, a lost one or one that
 * got just such a reply before. NULL for none or more than one. */
static struct entry *choose_cut(const struct ledger *l, const struct reply *r)
{
	int found = 0;
	struct entry *e = find_cut(l, &l->waiting, r->at, &found);
	if (found)
		return found == 1 ? e : NULL;
	e = find_cut(l, &l->silent, r->at, &found);
	for (struct entry *c = l->clipped.first; c && found < 2; c = c->place[LINK_CLIP].next) {
		if (!begins_with_key(l, c) || !same_clip(c, r))
			continue;
		found++;
		e = c;
	}
	return found == 1 ? e : NULL;
}

struct ledger_verdict ledger_reply(struct ledger *l, const void *reply, size_t n, int64_t now)
{
	const struct reply r = { .bytes = n ? reply : "", .length = n, .at = now };

	age(l, now);
	if (!is_datagram(l) || lookup_key_set(&l->key, reply, n))
		return stray(l);
	const struct lookup_twins *twins = lookup_find(&l->lookup, &l->key);
	struct entry *e = twins ? choose_twin(l, twins, now) : NULL;
	if (e)
		return take(l, e, &r, false);
	e = n ? choose_cut(l, &r) : NULL;
	return e ? take(l, e, &r, true) : stray(l);
}

static void compare_stream(struct ledger *l, struct entry *e, const struct reply *r, bool ended)
{
	if (e->row.partial || lookup_key_line(&l->key, e) || is_key(l, r))
		return;
	bool cut_short = ended && lookup_key_set(&l->key, r->bytes, r->length) == 0 && begins_with_key(l, e);
	e->row.differs = !cut_short || !is_key(l, r);
	keep_reply(l, e, r, 0, cut_short);
}

struct ledger_verdict ledger_stream_reply(struct ledger *l, const void *reply, size_t n, bool ended,
    int64_t now)
{
	const struct reply r = { .bytes = n ? reply : "", .length = n, .at = now };
	struct entry *e = l->waiting.first;

	if (ended && n == 0)
		return (struct ledger_verdict){ .match = MATCH_STRAY, .rtt = -1 };
	if (is_datagram(l) || !e)
		return stray(l);
	if (e->ghosts) {
		settle_ghosts(l, e, 1, FATE_ANSWERED);
		return (struct ledger_verdict){ .match = MATCH_ANSWER, .rtt = -1 };
	}
	struct ledger_verdict v = { .number = e->row.number, .rtt = round_trip(e, now) };
	v.match = answer(l, e, now);
	compare_stream(l, e, &r, ended);
	return v;
}

/* ---- endings without a reply ---- */

static bool sent_begins(const struct entry *e, const unsigned char *quoted, size_t n)
{
	unsigned char tag[LEDGER_TAG_ROOM];
	size_t t = e->row.tag ? entry_tag_text(e->row.tag, tag) : 0;
	size_t in_tag = n < t ? n : t;

	return n - in_tag <= e->row.length && memcmp(tag, quoted, in_tag) == 0 &&
	    memcmp(e->row.text, quoted + in_tag, n - in_tag) == 0;
}

/* The oldest waiting line that was sent exactly so. */
static struct entry *find_whole(struct ledger *l, const unsigned char *quoted, size_t n)
{
	if (lookup_key_set(&l->key, quoted, n))
		return NULL;
	const struct lookup_twins *t = lookup_find(&l->lookup, &l->key);
	struct entry *e = t ? t->waiting.first : NULL;
	while (e && (entry_wire_length(e) != n || !sent_begins(e, quoted, n)))
		e = e->place[LINK_TWIN].next;
	return e;
}

/* The oldest waiting line that begins so; *others: it is not the only one. */
static struct entry *find_beginning(const struct ledger *l, const unsigned char *quoted, size_t n, bool *others)
{
	struct entry *first = NULL;
	for (struct entry *e = l->waiting.first; e; e = e->place[LINK_FATE].next) {
		if (e->ghosts || !sent_begins(e, quoted, n))
			continue;
		*others = first != NULL;
		if (first)
			break;
		first = e;
	}
	return first;
}

uint64_t ledger_unreachable(struct ledger *l, const void *quoted, size_t n, int error, int64_t now)
{
	(void)now;
	bool others = false;
	if (!is_datagram(l))
		return 0;
	struct entry *e = n ? find_whole(l, quoted, n) : NULL;
	if (!e)
		e = find_beginning(l, n ? quoted : (const unsigned char *)"", n, &others);
	if (!e)
		return 0;
	e->doubted = others;
	e->row.error = error;
	change_fate(l, e, error == ECONNREFUSED ? FATE_REFUSED : FATE_FAILED);
	return e->row.number;
}

/* Every waiting line becomes this. Returns how many. */
static uint64_t end_waiting(struct ledger *l, enum ledger_fate fate)
{
	uint64_t count = l->totals.waiting;
	struct entry *e;

	while ((e = l->waiting.first)) {
		if (e->ghosts)
			settle_ghosts(l, e, e->ghosts, fate);
		else
			change_fate(l, e, fate);
	}
	return count;
}

uint64_t ledger_cut_off(struct ledger *l, int64_t now)
{
	(void)now;
	return end_waiting(l, FATE_CUT_OFF);
}

uint64_t ledger_expire(struct ledger *l, int64_t now)
{
	struct entry *e;

	while (is_datagram(l) && (e = l->waiting.first) && is_over(e, l->settings.wait, now)) {
		if (!e->ghosts) {
			change_fate(l, e, FATE_LOST);
			return e->row.number;
		}
		settle_ghosts(l, e, e->ghosts, FATE_LOST);
	}
	return 0;
}

void ledger_give_up(struct ledger *l)
{
	if (is_datagram(l))
		end_waiting(l, FATE_LOST);
}

int64_t ledger_deadline(const struct ledger *l)
{
	const struct entry *e = l->waiting.first;
	return is_datagram(l) && e ? later(later(e->row.sent_at, l->settings.wait), 1) : INT64_MAX;
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

const struct ledger_totals *ledger_totals(const struct ledger *l)
{
	return &l->totals;
}

/* ---- checking ---- */

static void count_row(struct ledger_totals *t, const struct ledger_row *r)
{
	++*fate_total(t, r->fate);
	t->late += r->late;
	t->duplicates += r->duplicates;
	t->reordered += r->reordered;
	t->differs += r->differs;
	t->cut_short += r->cut_short;
}

static uint64_t list_length(const struct entry_list *list, enum entry_link link)
{
	uint64_t n = 0;
	for (const struct entry *e = list->first; e; e = e->place[link].next)
		n += e->ghosts ? e->ghosts : 1;
	return n;
}

static bool conserved(const struct ledger *l, const struct ledger_totals *t)
{
	return t->typed == t->queued + t->sent &&
	    t->sent == t->answered + t->lost + t->waiting + t->refused + t->failed + t->cut_off &&
	    t->typed == t->forgotten + l->rows.count && t->late <= t->lost && t->timed <= t->answered &&
	    (t->timed == 0 || (t->rtt_min <= t->rtt_max && t->rtt_min >= 0));
}

bool ledger_balanced(const struct ledger *l)
{
	const struct ledger_totals *t = &l->totals;
	struct ledger_totals sum = l->gone;

	for (size_t i = 0; i < l->rows.count; i++) {
		count_row(&sum, &rows_at(&l->rows, i)->row);
		if (i && rows_at(&l->rows, i - 1)->row.number >= rows_at(&l->rows, i)->row.number)
			return false;
	}
	for (const struct entry *e = l->waiting.first; e; e = e->place[LINK_FATE].next)
		sum.waiting += e->ghosts;
	return conserved(l, t) && sum.queued == t->queued && sum.waiting == t->waiting &&
	    sum.answered == t->answered && sum.lost == t->lost && sum.refused == t->refused &&
	    sum.failed == t->failed && sum.cut_off == t->cut_off && sum.late == t->late &&
	    sum.duplicates == t->duplicates && sum.reordered == t->reordered &&
	    sum.differs == t->differs && sum.cut_short == t->cut_short &&
	    list_length(&l->queued, LINK_FATE) == t->queued &&
	    list_length(&l->waiting, LINK_FATE) == t->waiting;
}
