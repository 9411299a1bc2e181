/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Statistics of all lines of one ledger beyond its totals: quantiles, delay variation, runs of lost
 * lines. The ledger reports every line in the order of sending, once its fate is decided; so they
 * are exact whatever rows are kept. Pure. */
#pragma once

#include "ledger/histogram.h"

#define STATS_RUNS 64 /* runs of that length and longer are counted together */

/* All zero at first, as from calloc(), so that pages without values take no memory. */
struct stats {
	/* Of answered lines, ns: the round trip, and the wait, from typed to answered. */
	struct histogram rtt, waited;
	/* Inter-packet delay variation, RFC 3393, of the round trip: |D(i) - D(i-1)| of lines sent
	 * one after the other of which both were answered, ns; and their sum. */
	struct histogram ipdv;
	double ipdv_sum;
	/* Runs of lines lost in the order of sending (lines with other fates end a run): how many,
	 * the longest, and how many of each length, runs[0] for 1. */
	uint64_t run_count, longest_run, runs[STATS_RUNS];
	uint64_t run; /* the unfinished run, a part of the figures above */
	/* The round-trip time of the line before, if it was answered. */
	int64_t last_rtt;
	bool follows_answer;
	/* The number of reported lines; the number of lost ones among them. */
	uint64_t lines, lost;
	uint64_t amended; /* lines reported as lost and then answered in time: see stats_amend() */
};

/* Adds the next line in the order of sending: its round-trip time and wait, ns, -1 for none. */
void stats_add(struct stats *s, bool lost, int64_t rtt, int64_t waited);
/* A line that was reported as lost was answered within the wait after all: its reply was read only
 * after the wait. Its times count from now on; runs and delay variation stay as they were reported.
 * A client that reads all that has come before it declares a line lost has none of these. */
void stats_amend(struct stats *s, int64_t rtt, int64_t waited);
/* Lost lines over runs: the mean burst length; 0 without any. */
double stats_mean_run(const struct stats *s);
/* "lost in a row: longest 3, mean 1.50, 4 runs", or "no line was lost". Returns `buf`. */
char *stats_runs_words(const struct stats *s, char *buf, size_t size);
/* The mean of |D(i) - D(i-1)|, ns; -1 without any. */
double stats_mean_ipdv(const struct stats *s);
/* Packet delay variation, RFC 5481 4.2: the quantile `q` of D(i) - D(min), ns; -1 for too few. */
int64_t stats_pdv(const struct stats *s, double q);
/* Wilson's 95 % interval for k of n (n >= 1), each 0 to 1. */
void stats_wilson(uint64_t k, uint64_t n, double *low, double *high);

/* An adapter between ledger and statistics. Fates are decided in any order, but runs of lost lines
 * and delay variation need them in the order of sending. Each line that is sent takes a position; a
 * position that is decided is reported to the statistics when all before it have been. Two times
 * are kept for each position since the oldest one that is open. */

/* The outcome of a position; 0 or more is a round-trip time, ns. */
enum stats_order_outcome {
	STATS_ORDER_OPEN = -1,    /* waiting */
	STATS_ORDER_EVICTED = -2, /* waiting, and its row is evicted */
	STATS_ORDER_LOST = -3,
	STATS_ORDER_NONE = -4, /* neither lost nor a time */
	STATS_ORDER_VOID = -5, /* it was not sent, or takes another position */
};

/* A position: its outcome, and the time that the person waited, ns, -1 for none. */
struct stats_order_slot {
	int64_t outcome, waited;
};

/* All zero is the start; free `slots` at the end. */
struct stats_order {
	struct stats_order_slot *slots;
	size_t capacity; /* slots, a power of two, or 0 */
	/* The oldest position that is not reported, and the next free one; each less 1. */
	uint64_t head, end;
	uint64_t missing_lines; /* lines that the statistics lack, because memory was short */
	bool closed;            /* stats_order_close() was called */
};

/* Takes a position for a line that is sent: 1 or more; 0 when memory is short. */
uint64_t stats_order_take(struct stats_order *o);
/* Decides a position: its outcome, and the time that the person waited, ns, -1 for none. Position 0
 * belongs to no line. Returns false when the position was already reported; nothing changes then.
 */
bool stats_order_decide(struct stats_order *o, struct stats *s, uint64_t position, int64_t outcome,
    int64_t waited);
/* The row of a line that waits is evicted. */
void stats_order_evict(struct stats_order *o, uint64_t position);
/* Gives the first `count` evicted positions from *first to `last` this outcome; *first moves on. */
void stats_order_decide_evicted(struct stats_order *o, struct stats *s, uint64_t *first,
    uint64_t last, uint64_t count, int64_t outcome);
/* The end: open positions count as neither lost nor a time, and no longer delay later ones. */
void stats_order_close(struct stats_order *o, struct stats *s);
