/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client's verdict on a line beside the link's truth. A line is judged once, when its fate is decided and everything that the link
 * let through has long arrived. */
#include "config.h"

#include "common/clock.h"
#include "common/search.h"
#include "trace/trace-internal.h"

/* How long after the link let a packet go it is with the client at the latest, also on a busy machine. */
#define GRACE (500 * NS_PER_MS)
/* The kernel's time stamp is turned into our time by comparing two clocks. */
#define SLACK (2 * NS_PER_MS)
/* A relay that was kept from running lets a packet go later than it said. */
#define STALL (250 * NS_PER_MS)
/* Two packets that left so close together may have come in the other order. */
#define TOGETHER (50 * NS_PER_US)
/* A reply to an older line is a stray: the ledger's `answerable`, not less than this. */
#define ANSWERABLE (60 * NS_PER_S)
/* Later lines that are looked at for one that overtook. */
#define OVERTAKERS 4096

enum order { ORDER_KEPT, ORDER_OVERTAKEN, ORDER_UNSURE };

static const struct witness_leg *leg_of(const struct record *r, enum event_way way)
{
	return &r->line.legs[way];
}

static bool was_left(const struct flow *f, const struct ledger_row *row)
{
	return !f->stream && row->fate == FATE_WAITING && f->closed_at != INT64_MAX;
}

/* When the last of what is known to happen has happened. */
static int64_t over_at(const struct flow *f, const struct record *r, const struct ledger_row *row)
{
	int64_t at = row->replied_at;

	if (!f->stream && row->fate == FATE_LOST && row->sent_at + f->wait > at)
		at = row->sent_at + f->wait;
	for (int way = 0; way < EVENT_WAYS; way++) {
		if (leg_of(r, way)->last_out > at)
			at = leg_of(r, way)->last_out;
		if (leg_of(r, way)->last_in > at)
			at = leg_of(r, way)->last_in;
	}
	return at;
}

/* The bytes or the time leave open which packets were this line's, or whether the client could still see them. */
static bool cannot_tell(const struct flow *f, const struct record *r, const struct ledger_row *row)
{
	const struct witness_leg *back = leg_of(r, EVENT_BACK);

	if (!f->seen || r->twin || r->unsure || row->differs || row->cut_short || row->partial ||
	    row->fate == FATE_FAILED || row->fate == FATE_CUT_OFF)
		return true;
	if (f->stream)
		return f->astray || leg_of(r, EVENT_THERE)->tries == 0;
	if (was_left(f, row))
		return true;
	return back->through > 0 && (back->last_out > f->closed_at - GRACE || back->last_out > row->sent_at + ANSWERABLE - GRACE);
}

/* Whether the reply to a line that was sent later, and was in time, came before this one's (RFC 4737). */
static enum order overtaken(const struct witness *w, const struct flow *f, const struct record *r)
{
	const int64_t arrived = leg_of(r, EVENT_BACK)->first_out;
	enum order order = ORDER_KEPT;
	size_t i, n = 0;

	SEARCH_FIRST(i, f->begin, f->end, f->numbers[i] >= r->line.number);
	for (i++; i < f->end; i++) {
		const struct record *other = witness_record(w, f->stream, f->numbers[i]);
		const struct ledger_row *row = other ? ledger_find(f->ledger, f->numbers[i]) : NULL;

		if (!row || ++n > OVERTAKERS)
			return ORDER_UNSURE;
		if (row->sent_at > arrived + SLACK)
			return order;
		if (row->fate != FATE_ANSWERED)
			continue;
		if (leg_of(other, EVENT_BACK)->through == 0 || other->twin || other->unsure)
			order = ORDER_UNSURE;
		else if (leg_of(other, EVENT_BACK)->first_out < arrived - TOGETHER)
			return ORDER_OVERTAKEN;
		else if (leg_of(other, EVENT_BACK)->first_out < arrived + TOGETHER)
			order = ORDER_UNSURE;
	}
	return order;
}

static enum witness_mismatch compare_reply(const struct witness *w, const struct flow *f, const struct record *r,
    const struct ledger_row *row)
{
	const struct witness_leg *back = leg_of(r, EVENT_BACK);
	enum order order;

	if (back->through == 0)
		return WITNESS_NO_REPLY;
	if (row->replied_at + SLACK < back->first_out)
		return WITNESS_TOO_EARLY;
	if (f->stream)
		return WITNESS_MISMATCHES;
	if (row->late && back->first_out < row->sent_at + f->wait - STALL)
		return WITNESS_LATE;
	if (row->duplicates + 1 != back->through)
		return WITNESS_COPIES;
	if (row->late)
		return WITNESS_MISMATCHES;
	order = overtaken(w, f, r);
	return order != ORDER_UNSURE && row->reordered != (order == ORDER_OVERTAKEN) ? WITNESS_ORDER : WITNESS_MISMATCHES;
}

static enum witness_mismatch compare(const struct witness *w, const struct flow *f, const struct record *r,
    const struct ledger_row *row)
{
	if (row->fate == FATE_ANSWERED || row->late)
		return compare_reply(w, f, r, row);
	if (row->fate == FATE_LOST && leg_of(r, EVENT_BACK)->through > 0)
		return WITNESS_LOST;
	if (row->fate == FATE_REFUSED && leg_of(r, EVENT_THERE)->through == 0)
		return WITNESS_REFUSED;
	return WITNESS_MISMATCHES;
}

static void count_loss(struct witness_totals *t, const struct record *r, const struct ledger_row *row)
{
	if (row->late) {
		t->late++;
		return;
	}
	switch (witness_place(&r->line, INT64_MAX)) {
	case WITNESS_GOING:
		t->lost[EVENT_THERE]++;
		t->fates[EVENT_THERE][leg_of(r, EVENT_THERE)->fate]++;
		break;
	case WITNESS_COMING:
		t->lost[EVENT_BACK]++;
		t->fates[EVENT_BACK][leg_of(r, EVENT_BACK)->fate]++;
		break;
	case WITNESS_SERVER:
		t->server++;
		break;
	case WITNESS_UNKNOWN:
		t->before++;
		break;
	default:
		break;
	}
}

static void judge(struct witness *w, const struct flow *f, const struct record *r, const struct ledger_row *row)
{
	struct witness_totals *t = &w->totals;
	const enum witness_mismatch kind = compare(w, f, r, row);

	t->judged++;
	if (row->fate == FATE_LOST)
		count_loss(t, r, row);
	if (kind == WITNESS_MISMATCHES)
		return;
	t->mismatches++;
	t->kinds[kind]++;
	if (t->first == 0) {
		t->first = r->line.number;
		t->first_kind = kind;
	}
}

/* Returns whether the line is done with. */
static bool try_to_judge(struct witness *w, bool stream, uint64_t number, int64_t until)
{
	struct record *r = witness_record(w, stream, number);
	struct flow *f = r ? &w->flows[r->flow] : NULL;
	const struct ledger_row *row = r ? ledger_find(f->ledger, number) : NULL;

	if (r && !r->pending)
		return true;
	if (row && !was_left(f, row) && (!ledger_is_decided(row->fate) || over_at(f, r, row) > until - GRACE))
		return false;
	if (row && f->stream && (row->differs || row->cut_short))
		f->astray = true;
	if (!row || cannot_tell(f, r, row))
		w->totals.passed_over++;
	else
		judge(w, f, r, row);
	if (r)
		r->pending = false;
	return true;
}

void witness_judge(struct witness *w, int64_t until)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->pending_count; i++)
		if (!try_to_judge(w, w->pending[i] & 1, w->pending[i] / 2, until))
			w->pending[kept++] = w->pending[i];
	w->totals.waiting = w->pending_count = kept;
}
