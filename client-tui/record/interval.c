/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/interval.h"

#include <string.h>

void interval_add(struct interval_meter *m, int64_t waited)
{
	histogram_add(&m->waited, waited);
	m->sum += (double)waited;
}

static int64_t gain(uint64_t now, uint64_t before)
{
	return (int64_t)now - (int64_t)before;
}

struct interval interval_end(struct interval_meter *m, const struct ledger_totals *t, bool stream,
    int64_t now)
{
	const struct ledger_totals *b = &m->before;
	const struct histogram *h = &m->waited;
	const struct interval i = { .stream = stream,
		.from = m->from,
		.to = now,
		.typed = gain(t->typed, b->typed),
		.sent = gain(t->sent, b->sent),
		.answered = gain(t->answered, b->answered),
		.lost = gain(t->lost, b->lost),
		.late = gain(t->late, b->late),
		.refused = gain(t->refused, b->refused),
		.failed = gain(t->failed, b->failed),
		.cut_off = gain(t->cut_off, b->cut_off),
		.duplicates = gain(t->duplicates, b->duplicates),
		.strays = gain(t->strays, b->strays),
		.waiting = t->waiting,
		.timed = h->count,
		.min = h->count ? h->min : -1,
		.mean = h->count ? (int64_t)(m->sum / (double)h->count + 0.5) : -1,
		.max = h->count ? h->max : -1,
		.median = histogram_quantile(h, 0.5),
		.p99 = histogram_quantile(h, 0.99) };

	m->from = now;
	m->before = *t;
	m->sum = 0;
	memset(&m->waited, 0, sizeof m->waited);
	return i;
}

bool interval_is_empty(const struct interval *i)
{
	return !(i->typed || i->sent || i->answered || i->lost || i->late || i->refused ||
	         i->failed || i->cut_off || i->duplicates || i->strays);
}
