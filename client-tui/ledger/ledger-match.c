/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which reply, and which ICMP error, belongs to which line. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "ledger/ledger-internal.h"
#include "ledger/line-times.h"

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

/* Welford's way to mean and variance in one pass; with this one there are `count`. */
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
	e->row.cut_short = cut_short;
	l->totals.differs += e->row.differs;
	l->totals.cut_short += e->row.cut_short;
	if (!e->row.differs && !cut_short)
		return;
	e->reply = grow_copy(r->bytes, r->length);
	if (!e->reply)
		return;
	e->reply_length = r->length;
	e->row.reply = e->reply + skip;
	e->row.reply_length = r->length - skip;
	l->bytes += r->length;
}

/* The first reply. Its own time decides whether it is late, whatever was believed until it was read. */
static enum ledger_match answer(struct ledger *l, struct entry *e, int64_t at)
{
	e->row.replied_at = e->row.sent_at + round_trip(e, at);
	if (ledger_is_datagram(l) && ledger_is_over(e, l->settings.wait, at)) {
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
static struct ledger_verdict take(struct ledger *l, struct entry *e, const struct reply *r, bool cut_short)
{
	struct ledger_verdict v = { .number = e->row.number,
		.skip = e->tag_length < r->length ? e->tag_length : r->length, .rtt = round_trip(e, r->at) };

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
	while (e && ledger_is_over(e, l->settings.answerable, at))
		e = e->place[LINK_TWIN].next;
	if (!e)
		e = t->silent.first;
	return e ? e : t->answered.first;
}

static bool begins_with_key(const struct ledger *l, const struct entry *e)
{
	return entry_cut_short(e, l->key.bytes, l->key.length);
}

/* Counts in *found the lines of a list whose beginning the reply is, and returns the first. */
static struct entry *find_cut(const struct ledger *l, const struct entry_list *list, int64_t at, int *found)
{
	struct entry *first = NULL;
	for (struct entry *e = list->first; e && *found < 2; e = e->place[LINK_FATE].next) {
		if (e->ghosts || ledger_is_over(e, l->settings.answerable, at) || !begins_with_key(l, e))
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
		if (!c->reply || c->reply_length != r->length || memcmp(c->reply, r->bytes, r->length) != 0)
			continue;
		found++;
		e = c;
	}
	return found == 1 ? e : NULL;
}

static struct ledger_verdict match(struct ledger *l, const void *reply, size_t n, int64_t now)
{
	const struct reply r = { .bytes = n ? reply : "", .length = n, .at = now };

	ledger_age(l, now);
	if (!ledger_is_datagram(l) || lookup_key_set(&l->key, reply, n))
		return stray(l);
	const struct lookup_twins *twins = lookup_find(&l->lookup, &l->key);
	struct entry *e = twins ? choose_twin(l, twins, now) : NULL;
	if (e)
		return take(l, e, &r, false);
	e = choose_cut(l, &r);
	return e ? take(l, e, &r, true) : stray(l);
}

struct ledger_verdict ledger_reply(struct ledger *l, const void *reply, size_t n, int64_t now)
{
	const struct ledger_verdict v = match(l, reply, n, now);

	ledger_make_room(l, 0, 0);
	return v;
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
	if (ledger_is_datagram(l) || !e)
		return stray(l);
	if (e->ghosts) {
		ledger_settle_ghosts(l, e, 1, FATE_ANSWERED);
		return (struct ledger_verdict){ .match = MATCH_ANSWER, .rtt = -1 };
	}
	struct ledger_verdict v = { .number = e->row.number, .rtt = round_trip(e, now) };
	v.match = answer(l, e, now);
	compare_stream(l, e, &r, ended);
	ledger_make_room(l, 0, 0);
	return v;
}

/* ---- ICMP ---- */

static bool sent_begins(const struct entry *e, const unsigned char *quoted, size_t n)
{
	return n <= entry_wire_length(e) && memcmp(entry_wire(e), quoted, n) == 0;
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

/* The oldest waiting line of at least so many bytes that begins so; *others: it is not the only one. */
static struct entry *find_beginning(const struct ledger *l, const unsigned char *quoted, size_t n, size_t least, bool *others)
{
	struct entry *first = NULL;
	for (struct entry *e = l->waiting.first; e; e = e->place[LINK_FATE].next) {
		if (e->ghosts || entry_wire_length(e) < least || !sent_begins(e, quoted, n))
			continue;
		*others = first != NULL;
		if (first)
			break;
		first = e;
	}
	return first;
}

uint64_t ledger_unreachable(struct ledger *l, const void *quoted, size_t n, size_t least, int error)
{
	bool others = false;
	if (!ledger_is_datagram(l))
		return 0;
	struct entry *e = n && n >= least ? find_whole(l, quoted, n) : NULL;
	if (!e)
		e = find_beginning(l, n ? quoted : (const unsigned char *)"", n, least, &others);
	if (!e)
		return 0;
	e->doubted = others;
	e->row.error = error;
	ledger_change_fate(l, e, error == ECONNREFUSED ? FATE_REFUSED : FATE_FAILED);
	return e->row.number;
}
