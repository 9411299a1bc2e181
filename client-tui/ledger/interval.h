/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Summaries of intervals (--report): the figures of a session that belong to an interval. The sums
 * of the counts over all intervals are those of the session. Pure. */
#ifndef UPCASE_LEDGER_INTERVAL_H
#define UPCASE_LEDGER_INTERVAL_H

#include "ledger/figures.h"

/* An interval, `from` to before `to`, ns. The counts are gains, but those of lines without a fate
 * are of its end; the times, `stats->waited` and `stats->rtt` are of the lines answered in it. */
struct interval {
	unsigned session;
	int64_t from, to;
	struct figures figures;
};

/* What was measured since the last interval. All zero and `from` at first. */
struct interval_meter {
	int64_t from;
	struct figures before;
	struct ledger_totals times;
	struct stats stats;
};

/* The line was answered. */
void interval_add(struct interval_meter *m, const struct ledger_row *row);
/* The interval that ends at `now`, with the session's present figures. It borrows `m`. */
struct interval interval_get(const struct interval_meter *m, const struct figures *present,
    int64_t now);
void interval_begin(struct interval_meter *m, const struct figures *present, int64_t now);

#endif
