/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ledger/interval.h"

#include <string.h>

#include "ledger/ledger-internal.h"
#include "ledger/line-times.h"

void interval_add(struct interval_meter *m, const struct ledger_row *row)
{
	const struct parts parts = parts_of_row(row);

	ledger_count_times(&m->times, row);
	stats_add(&m->stats, false, parts.wire, parts.waited);
}

struct interval interval_get(const struct interval_meter *m, const struct figures *present,
    int64_t now)
{
	struct interval i = { .from = m->from, .to = now, .figures = *present };

	for (const struct figure *row = figures_table; row < figures_table + figures_count; row++)
		if (row->key && !*row->group && row->named != FIGURE_NAMED_OPEN)
			figure_set(row, &i.figures,
			    figure_value(row, present) - figure_value(row, &m->before));
	i.figures.totals.timed = m->times.timed;
	i.figures.totals.rtt = m->times.rtt;
	i.figures.totals.waited = m->times.waited;
	i.figures.stats = &m->stats;
	return i;
}

void interval_begin(struct interval_meter *m, const struct figures *present, int64_t now)
{
	memset(m, 0, sizeof *m);
	stats_start(&m->stats);
	m->from = now;
	m->before = *present;
}
