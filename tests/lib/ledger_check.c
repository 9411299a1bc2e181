/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The conservation rule, and that lists, rows and totals tell the same. */
#include "tests/lib/ledger_check.h"

#include "ledger/ledger-internal.h"

static void count_row(struct ledger_totals *t, const struct ledger_row *r)
{
	++t->fates[r->fate];
	t->late += r->late;
	t->duplicates += r->duplicates;
	t->reordered += r->reordered;
	t->differs += r->differs;
	t->cut_short += r->cut_short;
}

static uint64_t list_length(const struct line_list *list, enum line_list_kind link)
{
	uint64_t n = 0;
	for (const struct ledger_line *e = list->first; e; e = e->place[link].next)
		n += e->evicted_waiting ? e->evicted_waiting : 1;
	return n;
}

static bool conserved(const struct ledger *l, const struct ledger_totals *t)
{
	return t->typed == t->queued + t->sent &&
	       t->sent ==
	           t->answered + t->lost + t->waiting + t->refused + t->failed + t->cut_off &&
	       t->typed == t->evicted + l->lines.count && t->late <= t->lost &&
	       t->timed <= t->answered &&
	       (t->timed == 0 || (t->rtt.min <= t->rtt.max && t->rtt.min >= 0)) &&
	       t->rtt.min <= t->waited.min && t->rtt.max <= t->waited.max;
}

static size_t bytes_kept(const struct ledger *l)
{
	size_t bytes = 0;
	for (size_t i = 0; i < l->lines.count; i++)
		bytes += ledger_lines_at(&l->lines, i)->row.length +
		         ledger_lines_at(&l->lines, i)->reply_length;
	return bytes;
}

static int64_t outcome_at(const struct stats_order *o, uint64_t index)
{
	return o->slots[(o->head + index) & (o->capacity - 1)].outcome;
}

/* What was reported to the statistics and what has yet to be is all that was sent. */
static bool all_counted(const struct ledger *l)
{
	const struct ledger_totals *t = &l->totals;
	const struct stats *s = &l->stats;
	uint64_t open = 0, evicted_waiting = 0, lines = s->lines, timed = s->rtt.count,
	         lost = s->lost - s->amended;

	if (s->waited.count != s->rtt.count)
		return false;
	if (l->stats_order.missing_lines)
		return true;
	for (uint64_t i = 0; i < l->stats_order.end - l->stats_order.head; i++) {
		const int64_t outcome = outcome_at(&l->stats_order, i);

		open += outcome == STATS_ORDER_OPEN;
		evicted_waiting += outcome == STATS_ORDER_EVICTED;
		lines += outcome != STATS_ORDER_VOID;
		timed += outcome >= 0;
		lost += outcome == STATS_ORDER_LOST;
	}
	if (l->stats_order.closed)
		return l->stats_order.head == l->stats_order.end && lines == t->sent &&
		       timed == t->timed && lost == t->lost;
	return evicted_waiting == l->evicted_waiting && open + evicted_waiting == t->waiting &&
	       lines == t->sent && timed == t->timed && lost == t->lost &&
	       (open + evicted_waiting || l->stats_order.head == l->stats_order.end);
}

/* Evicted rows are in the totals, and what became of them only there. */
static bool fits(const struct ledger *l, uint64_t rows, uint64_t total)
{
	return l->totals.evicted > 0 ? rows <= total : rows == total;
}

bool ledger_balanced(const struct ledger *l)
{
	const struct ledger_totals *t = &l->totals;
	struct ledger_totals sum = { .typed = 0 };

	for (size_t i = 0; i < l->lines.count; i++) {
		count_row(&sum, &ledger_lines_at(&l->lines, i)->row);
		if (i && ledger_lines_at(&l->lines, i - 1)->row.number >=
		             ledger_lines_at(&l->lines, i)->row.number)
			return false;
	}
	const uint64_t rows_waiting = sum.waiting;
	uint64_t listed = 0;
	for (unsigned i = 0; i <= LEDGER_CONNECTIONS; i++) {
		const struct line_list *waiting = &l->connections[i].waiting;

		listed += list_length(waiting, LINE_LIST_FATE);
		for (const struct ledger_line *e = waiting->first; e;
		    e = e->place[LINE_LIST_FATE].next) {
			sum.waiting += e->evicted_waiting;
			if (e->row.connection != i)
				return false;
		}
	}
	if (l->bytes != bytes_kept(l) || l->evicted_waiting != sum.waiting - rows_waiting)
		return false;
	return conserved(l, t) && all_counted(l) && sum.queued == t->queued &&
	       sum.waiting == t->waiting && fits(l, sum.answered, t->answered) &&
	       fits(l, sum.lost, t->lost) && fits(l, sum.refused, t->refused) &&
	       fits(l, sum.failed, t->failed) && fits(l, sum.cut_off, t->cut_off) &&
	       fits(l, sum.late, t->late) && fits(l, sum.duplicates, t->duplicates) &&
	       fits(l, sum.reordered, t->reordered) && fits(l, sum.differs, t->differs) &&
	       fits(l, sum.cut_short, t->cut_short) &&
	       list_length(&l->queued, LINE_LIST_FATE) == t->queued && listed == t->waiting;
}
