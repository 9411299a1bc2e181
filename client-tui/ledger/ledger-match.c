/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Matches replies and ICMP errors with lines. */
#include <errno.h>

#include "common/grow.h"
#include "ledger/ledger-internal.h"
#include "ledger/line-times.h"

struct reply {
	const unsigned char *bytes;
	size_t length;
	int64_t at;
};

static struct ledger_reply_match stray(struct ledger *l)
{
	l->totals.strays++;
	return (struct ledger_reply_match){ .match = MATCH_STRAY, .rtt = -1 };
}

/* The time stamp may be from another clock, slightly before the sending. */
static int64_t round_trip(const struct ledger_line *e, int64_t at)
{
	return at > e->row.sent_at ? at - e->row.sent_at : 0;
}

/* Mean and variance in one pass by Welford's method; `count` includes this time. */
static void count_time(struct ledger_times *t, uint64_t count, int64_t time)
{
	const double step = (double)time - t->mean;

	t->mean += step / (double)count;
	t->m2 += step * ((double)time - t->mean);
	if (count == 1 || time < t->min)
		t->min = time;
	if (time > t->max)
		t->max = time;
}

static void count_part(struct ledger_part *p, int64_t time)
{
	p->sum += (double)time;
	if (time > p->max)
		p->max = time;
}

void ledger_count_times(struct ledger_totals *t, const struct ledger_row *row)
{
	const struct parts p = parts_of_row(row);

	t->timed++;
	count_time(&t->rtt, t->timed, p.wire);
	count_time(&t->waited, t->timed, p.waited);
	count_part(&t->connecting, p.connecting);
	count_part(&t->queued_for, p.queued);
}

/* RFC 4737, section 3.3; the order of sending is the sequence number. */
static void check_order(struct ledger *l, struct ledger_line *e)
{
	if (e->position >= l->expected)
		l->expected = e->position + 1;
	else if (e->position > 0)
		e->row.reordered = true;
	l->totals.reordered += e->row.reordered;
}

void ledger_store_reply(struct ledger *l, struct ledger_line *e, const unsigned char *bytes,
    size_t n, size_t skip)
{
	e->reply = grow_copy(bytes, n);
	if (!e->reply)
		return;
	e->reply_length = n;
	e->row.reply = e->reply + skip;
	e->row.reply_length = n - skip;
	l->bytes += n;
}

/* Marks and keeps a reply that was not expected. */
static void take_other(struct ledger *l, struct ledger_line *e, const struct reply *r, size_t skip,
    bool cut_short)
{
	e->row.cut_short = cut_short;
	l->totals.differs += e->row.differs;
	l->totals.cut_short += cut_short;
	if (e->row.differs || cut_short)
		ledger_store_reply(l, e, r->bytes, r->length, skip);
}

/* Takes the first reply. Its time decides whether it is late, even if the line was lost already. */
static enum ledger_match answer(struct ledger *l, struct ledger_line *e, int64_t at)
{
	e->row.replied_at = e->row.sent_at + round_trip(e, at);
	if (ledger_is_datagram(l) && ledger_is_over(e, l->settings.reply_timeout, at)) {
		e->row.late = true;
		l->totals.late++;
		ledger_change_fate(l, e, FATE_LOST);
		return MATCH_LATE;
	}
	ledger_change_fate(l, e, FATE_ANSWERED);
	ledger_count_times(&l->totals, &e->row);
	if (ledger_is_datagram(l))
		check_order(l, e);
	return MATCH_ANSWER;
}

static bool is_key(const struct ledger *l, const struct reply *r)
{
	return l->key.length == r->length && memcmp(l->key.bytes, r->bytes, r->length) == 0;
}

/* A reply to this line; l->key has the reply's capitals. */
static struct ledger_reply_match take(struct ledger *l, struct ledger_line *e,
    const struct reply *r, bool cut_short)
{
	struct ledger_reply_match v = { .number = e->row.number,
		.skip = e->tag_length < r->length ? e->tag_length : r->length,
		.rtt = round_trip(e, r->at) };

	if (ledger_is_replied(&e->row)) {
		v.match = MATCH_DUPLICATE;
		e->row.duplicates++;
		l->totals.duplicates++;
		return v;
	}
	e->row.differs = !is_key(l, r);
	v.match = answer(l, e, r->at);
	take_other(l, e, r, v.skip, cut_short);
	if (cut_short && e->place[LINE_LIST_AGE].in)
		ledger_line_append(&l->truncated, e, LINE_LIST_TRUNCATED);
	return v;
}

/* The oldest waiting line of the group, else the oldest lost one, else the one answered first. */
static struct ledger_line *choose_in_group(const struct ledger *l, const struct line_group *g,
    int64_t at)
{
	struct ledger_line *e = g->waiting.first;
	while (e && ledger_is_over(e, l->settings.answerable, at))
		e = e->place[LINE_LIST_GROUP].next;
	if (!e)
		e = g->unanswered.first;
	return e ? e : g->answered.first;
}

static bool begins_with_key(const struct ledger *l, const struct ledger_line *e)
{
	return ledger_line_cut_short(e, l->key.bytes, l->key.length);
}

/* Counts in *found the lines of a list of which the reply is a beginning, and returns the first. */
static struct ledger_line *find_cut(const struct ledger *l, const struct line_list *list,
    int64_t at, int *found)
{
	struct ledger_line *first = NULL;
	for (struct ledger_line *e = list->first; e && *found < 2;
	    e = e->place[LINE_LIST_FATE].next) {
		if (e->evicted_waiting || ledger_is_over(e, l->settings.answerable, at) ||
		    !begins_with_key(l, e))
			continue;
		++*found;
		first = first ? first : e;
	}
	return first;
}

/* The only line of which the reply can be a beginning: a waiting one; if none waits, a lost one or
 * one that got just such a reply before. NULL for none or more than one. */
static struct ledger_line *choose_cut(const struct ledger *l, const struct reply *r)
{
	int found = 0;
	struct ledger_line *e = find_cut(l, &l->connections[0].waiting, r->at, &found);
	if (found)
		return found == 1 ? e : NULL;
	e = find_cut(l, &l->unanswered, r->at, &found);
	for (struct ledger_line *c = l->truncated.first; c && found < 2;
	    c = c->place[LINE_LIST_TRUNCATED].next) {
		if (!c->reply || c->reply_length != r->length ||
		    memcmp(c->reply, r->bytes, r->length) != 0)
			continue;
		found++;
		e = c;
	}
	return found == 1 ? e : NULL;
}

static struct ledger_reply_match match(struct ledger *l, const void *reply, size_t n, int64_t now)
{
	const struct reply r = { .bytes = n ? reply : "", .length = n, .at = now };

	ledger_age(l, now);
	if (!ledger_is_datagram(l) || line_index_key_set(&l->key, reply, n))
		return stray(l);
	const struct line_group *group = line_index_find(&l->index, &l->key);
	struct ledger_line *e = group ? choose_in_group(l, group, now) : NULL;
	if (e)
		return take(l, e, &r, false);
	e = choose_cut(l, &r);
	return e ? take(l, e, &r, true) : stray(l);
}

struct ledger_reply_match ledger_reply(struct ledger *l, const void *reply, size_t n, int64_t now)
{
	const struct ledger_reply_match v = match(l, reply, n, now);

	ledger_make_room(l, 0, 0);
	return v;
}

/* When memory is short, the reply counts as the capitals. */
static void compare_stream(struct ledger *l, struct ledger_line *e, const struct reply *r,
    bool ended)
{
	if (e->row.partial || line_index_are_capitals(r->bytes, r->length, e, &l->key) != 0)
		return;
	bool cut_short = ended && line_index_key_capitals(&l->key, r->bytes, r->length) == 0 &&
	                 begins_with_key(l, e);
	e->row.differs = !cut_short || !is_key(l, r);
	take_other(l, e, r, 0, cut_short);
}

struct ledger_reply_match ledger_stream_reply(struct ledger *l, unsigned connection,
    const void *reply, size_t n, bool ended, int64_t now)
{
	const struct reply r = { .bytes = n ? reply : "", .length = n, .at = now };
	struct ledger_line *e = l->connections[connection].waiting.first;

	if (ended && n == 0)
		return (struct ledger_reply_match){ .match = MATCH_STRAY, .rtt = -1 };
	if (ledger_is_datagram(l) || !e)
		return stray(l);
	if (e->evicted_waiting) {
		ledger_settle_evicted(l, e, 1, FATE_ANSWERED);
		return (struct ledger_reply_match){ .match = MATCH_ANSWER, .rtt = -1 };
	}
	struct ledger_reply_match v = { .number = e->row.number, .rtt = round_trip(e, now) };
	v.match = answer(l, e, now);
	compare_stream(l, e, &r, ended);
	ledger_make_room(l, 0, 0);
	return v;
}

/* ---- ICMP ---- */

static bool sent_begins(const struct ledger_line *e, const unsigned char *quoted, size_t n)
{
	return n <= ledger_line_wire_length(e) && memcmp(ledger_line_wire(e), quoted, n) == 0;
}

/* The oldest waiting line with exactly these sent bytes. */
static struct ledger_line *find_whole(struct ledger *l, const unsigned char *quoted, size_t n)
{
	if (line_index_key_set(&l->key, quoted, n))
		return NULL;
	const struct line_group *g = line_index_find(&l->index, &l->key);
	struct ledger_line *e = g ? g->waiting.first : NULL;
	while (e && (ledger_line_wire_length(e) != n || !sent_begins(e, quoted, n)))
		e = e->place[LINE_LIST_GROUP].next;
	return e;
}

/* The oldest waiting line of `min_length` bytes or more that begins so; *others: there are more. */
static struct ledger_line *find_beginning(const struct ledger *l, const unsigned char *quoted,
    size_t n, size_t min_length, bool *others)
{
	struct ledger_line *first = NULL;
	for (struct ledger_line *e = l->connections[0].waiting.first; e;
	    e = e->place[LINE_LIST_FATE].next) {
		if (e->evicted_waiting || ledger_line_wire_length(e) < min_length ||
		    !sent_begins(e, quoted, n))
			continue;
		*others = first != NULL;
		if (first)
			break;
		first = e;
	}
	return first;
}

uint64_t ledger_unreachable(struct ledger *l, const void *quoted, size_t n, size_t min_length,
    int error, int64_t now)
{
	bool others = false;
	if (!ledger_is_datagram(l))
		return 0;
	struct ledger_line *e = n && n >= min_length ? find_whole(l, quoted, n) : NULL;
	if (!e)
		e = find_beginning(l, n ? quoted : (const unsigned char *)"", n, min_length,
		    &others);
	if (!e)
		return 0;
	e->uncertain = others;
	ledger_end_line(l, e, error == ECONNREFUSED ? FATE_REFUSED : FATE_FAILED, error, now);
	return e->row.number;
}
