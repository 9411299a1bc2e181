/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The conservation rule, and that lists, rows and totals tell the same. */
#include "config.h"

#include "ledger/ledger-internal.h"

static void count_row(struct ledger_totals *t, const struct ledger_row *r)
{
	++*ledger_fate_total(t, r->fate);
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
	    (t->timed == 0 || (t->rtt.min <= t->rtt.max && t->rtt.min >= 0)) && t->rtt.min <= t->waited.min &&
	    t->rtt.max <= t->waited.max;
}

static size_t bytes_kept(const struct ledger *l)
{
	size_t bytes = 0;
	for (size_t i = 0; i < l->rows.count; i++)
		bytes += rows_at(&l->rows, i)->row.length + rows_at(&l->rows, i)->reply_length;
	return bytes;
}

/* What was told to the statistics and what has yet to be is all that was sent. */
static bool fed(const struct ledger *l)
{
	const struct ledger_totals *t = &l->totals;
	const struct stats *s = &l->stats;
	uint64_t open = 0, ghosts = 0, lines = s->lines, timed = s->rtt.count, lost = s->lost - s->amended;

	if (s->waited.count != s->rtt.count)
		return false;
	if (l->feed.unfed)
		return true;
	for (uint64_t i = 0; i < l->feed.end - l->feed.head; i++) {
		const int64_t outcome = feed_at(&l->feed, i);

		open += outcome == FEED_OPEN;
		ghosts += outcome == FEED_GHOST;
		lines += outcome != FEED_VOID;
		timed += outcome >= 0;
		lost += outcome == FEED_LOST;
	}
	if (l->feed.closed)
		return l->feed.head == l->feed.end && lines == t->sent && timed == t->timed && lost == t->lost;
	return ghosts == l->ghosts && open + ghosts == t->waiting && lines == t->sent && timed == t->timed && lost == t->lost &&
	    (open + ghosts || l->feed.head == l->feed.end);
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
	const uint64_t rows_waiting = sum.waiting;
	for (const struct entry *e = l->waiting.first; e; e = e->place[LINK_FATE].next)
		sum.waiting += e->ghosts;
	if (l->bytes != bytes_kept(l) || l->ghosts != sum.waiting - rows_waiting)
		return false;
	return conserved(l, t) && fed(l) && sum.queued == t->queued && sum.waiting == t->waiting &&
	    sum.answered == t->answered && sum.lost == t->lost && sum.refused == t->refused &&
	    sum.failed == t->failed && sum.cut_off == t->cut_off && sum.late == t->late &&
	    sum.duplicates == t->duplicates && sum.reordered == t->reordered &&
	    sum.differs == t->differs && sum.cut_short == t->cut_short &&
	    list_length(&l->queued, LINK_FATE) == t->queued &&
	    list_length(&l->waiting, LINK_FATE) == t->waiting;
}
