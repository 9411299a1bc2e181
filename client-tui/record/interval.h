/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Summaries of intervals (--report): what the totals of a session gained since the last one. The
 * sums over all intervals are the totals. Pure. */
#ifndef UPCASE_RECORD_INTERVAL_H
#define UPCASE_RECORD_INTERVAL_H

#include <stdint.h>

#include "ledger/histogram.h"
#include "ledger/ledger-row.h"

/* An interval of a session, `from` to before `to`, ns. */
struct interval {
	unsigned session;
	bool stream;
	int64_t from, to;
	/* The gain of each count, negative where a line that was counted as lost turned out to be
	 * answered; and the number of lines that wait at the end. */
	int64_t typed, sent, answered, lost, late, refused, failed, cut_off, duplicates, strays;
	uint64_t waiting;
	/* The times from Enter to reply of the lines answered in the interval: their number, and
	 * least, mean, greatest, median and 99 % quantile, ns; -1 where there are too few. */
	uint64_t timed;
	int64_t min, mean, max, median, p99;
};

/* The state between two intervals. All zero, and the time of the beginning, at first. */
struct interval_meter {
	int64_t from;
	struct ledger_totals before;
	struct histogram waited;
	double sum;
};

/* A line was answered after `waited` ns. */
void interval_add(struct interval_meter *m, int64_t waited);
/* Ends the interval at `now`, with the present totals, and begins the next one. Sets all but
 * `session`. */
struct interval interval_end(struct interval_meter *m, const struct ledger_totals *t, bool stream,
    int64_t now);
/* Returns true if nothing happened in the interval. */
bool interval_is_empty(const struct interval *i);

#endif
