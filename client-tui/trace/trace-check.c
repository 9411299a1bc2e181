/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compares the fate of a line in the ledger with what the link did: once, when the fate is decided
 * and everything that the link let through has arrived. */
#include "common/clock.h"
#include "common/search.h"
#include "trace/trace-internal.h"

/* The longest time from the link to the arrival of a packet, also on a busy machine. */
#define GRACE (500 * NS_PER_MS)
#define SLACK (2 * NS_PER_MS) /* the error of a kernel's time stamp in our time */
/* A relay without the processor delivers a packet this much later than it reported, at most. */
#define STALL (250 * NS_PER_MS)
/* Two packets that left within this time may arrive in the other order. */
#define TOGETHER (50 * NS_PER_US)
/* The least value of the ledger's `answerable`: a reply to an older line may be a stray. */
#define ANSWERABLE (60 * NS_PER_S)
#define OVERTAKERS 4096 /* how many later lines are searched for one that overtook */

enum packet_order { ORDER_KEPT, ORDER_OVERTAKEN, ORDER_UNSURE };

static const struct trace_leg *leg_of(const struct trace_slot *r, enum link_direction direction)
{
	return &r->line.legs[direction];
}

static bool is_abandoned(const struct trace_flow *f, const struct ledger_row *row)
{
	return !f->stream && row->fate == FATE_WAITING && f->closed_at != INT64_MAX;
}

/* The time of the last known event of a line. */
static int64_t last_event_at(const struct trace_flow *f, const struct trace_slot *r,
    const struct ledger_row *row)
{
	int64_t at = row->replied_at;

	if (!f->stream && row->fate == FATE_LOST && row->sent_at + f->reply_timeout > at)
		at = row->sent_at + f->reply_timeout;
	for (int direction = 0; direction < LINK_DIRECTIONS; direction++) {
		if (leg_of(r, direction)->last_out > at)
			at = leg_of(r, direction)->last_out;
		if (leg_of(r, direction)->last_in > at)
			at = leg_of(r, direction)->last_in;
	}
	return at;
}

/* Whether it is open which packets belong to this line, or whether the client could see them. */
static bool is_ambiguous(const struct trace_flow *f, const struct trace_slot *r,
    const struct ledger_row *row)
{
	const struct trace_leg *back = leg_of(r, LINK_COMING);

	if (!f->seen || r->ambiguous || r->unsure || row->differs || row->cut_short ||
	    row->partial || row->fate == FATE_FAILED || row->fate == FATE_CUT_OFF)
		return true;
	if (f->stream)
		return f->unaligned || leg_of(r, LINK_GOING)->tries == 0;
	if (is_abandoned(f, row))
		return true;
	return back->through > 0 && (back->last_out > f->closed_at - GRACE ||
	                                back->last_out > row->sent_at + ANSWERABLE - GRACE);
}

/* Whether the reply to a later line came within its wait and before this one's (RFC 4737). */
static enum packet_order overtaken(const struct trace *t, const struct trace_flow *f,
    const struct trace_slot *r)
{
	const int64_t arrived = leg_of(r, LINK_COMING)->first_out;
	enum packet_order order = ORDER_KEPT;
	size_t i, n = 0;

	SEARCH_FIRST(i, f->begin, f->end, f->numbers[i] >= r->line.number);
	for (i++; i < f->end; i++) {
		const struct trace_slot *other = trace_slot(t, f->stream, f->numbers[i]);
		const struct ledger_row *row = other ? ledger_find(f->ledger, f->numbers[i]) : NULL;

		if (!row || ++n > OVERTAKERS)
			return ORDER_UNSURE;
		if (row->sent_at > arrived + SLACK)
			return order;
		if (row->fate != FATE_ANSWERED)
			continue;
		if (leg_of(other, LINK_COMING)->through == 0 || other->ambiguous || other->unsure)
			order = ORDER_UNSURE;
		else if (leg_of(other, LINK_COMING)->first_out < arrived - TOGETHER)
			return ORDER_OVERTAKEN;
		else if (leg_of(other, LINK_COMING)->first_out < arrived + TOGETHER)
			order = ORDER_UNSURE;
	}
	return order;
}

static enum trace_mismatch compare_reply(const struct trace *t, const struct trace_flow *f,
    const struct trace_slot *r, const struct ledger_row *row)
{
	const struct trace_leg *back = leg_of(r, LINK_COMING);
	enum packet_order order;

	if (back->through == 0)
		return TRACE_NO_REPLY;
	if (row->replied_at + SLACK < back->first_out)
		return TRACE_TOO_EARLY;
	if (f->stream)
		return TRACE_MISMATCHES;
	if (row->late && back->first_out < row->sent_at + f->reply_timeout - STALL)
		return TRACE_LATE;
	if (row->duplicates + 1 != back->through)
		return TRACE_COPIES;
	if (row->late)
		return TRACE_MISMATCHES;
	order = overtaken(t, f, r);
	return order != ORDER_UNSURE && row->reordered != (order == ORDER_OVERTAKEN)
	         ? TRACE_ORDER
	         : TRACE_MISMATCHES;
}

static enum trace_mismatch compare(const struct trace *t, const struct trace_flow *f,
    const struct trace_slot *r, const struct ledger_row *row)
{
	if (ledger_is_replied(row))
		return compare_reply(t, f, r, row);
	if (row->fate == FATE_LOST && leg_of(r, LINK_COMING)->through > 0)
		return TRACE_LOST;
	if (row->fate == FATE_REFUSED && leg_of(r, LINK_GOING)->through == 0)
		return TRACE_REFUSED;
	return TRACE_MISMATCHES;
}

static void count_loss(struct trace_totals *totals, const struct trace_slot *r,
    const struct ledger_row *row)
{
	if (row->late) {
		totals->late++;
		return;
	}
	switch (trace_place(&r->line, INT64_MAX)) {
	case TRACE_GOING:
		totals->lost[LINK_GOING]++;
		break;
	case TRACE_COMING:
		totals->lost[LINK_COMING]++;
		break;
	case TRACE_SERVER:
		totals->server++;
		break;
	case TRACE_UNKNOWN:
		totals->before++;
		break;
	default:
		break;
	}
}

static void check(struct trace *t, const struct trace_flow *f, const struct trace_slot *r,
    const struct ledger_row *row)
{
	struct trace_totals *totals = &t->totals;
	const enum trace_mismatch kind = compare(t, f, r, row);

	totals->compared++;
	if (row->fate == FATE_LOST)
		count_loss(totals, r, row);
	if (kind == TRACE_MISMATCHES)
		return;
	totals->mismatches++;
	if (totals->first == 0) {
		totals->first = r->line.number;
		totals->first_kind = kind;
	}
}

/* Returns whether the line is done. */
static bool try_to_check(struct trace *t, bool stream, uint64_t number, int64_t until)
{
	struct trace_slot *r = trace_slot(t, stream, number);
	struct trace_flow *f = r ? &t->flows[r->flow] : NULL;
	const struct ledger_row *row = r ? ledger_find(f->ledger, number) : NULL;

	if (r && !r->pending)
		return true;
	if (row && !is_abandoned(f, row) &&
	    (!ledger_is_decided(row->fate) || last_event_at(f, r, row) > until - GRACE))
		return false;
	if (row && f->stream && (row->differs || row->cut_short))
		f->unaligned = true;
	if (!row || is_ambiguous(f, r, row))
		t->totals.skipped++;
	else
		check(t, f, r, row);
	if (r)
		r->pending = false;
	return true;
}

void trace_check(struct trace *t, int64_t until)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->pending_count; i++)
		if (!try_to_check(t, t->pending[i] & 1, t->pending[i] / 2, until))
			t->pending[kept++] = t->pending[i];
	t->totals.waiting = t->pending_count = kept;
	trace_blocking_finish(t, until);
}
