/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all lines of one ledger say together beyond its totals: quantiles, delay variation, runs of
 * lost lines. It is fed by the ledger with every line in the order of sending, once its fate is
 * decided; so it is exact whatever rows are kept. Pure. */
#ifndef UPCASE_LEDGER_STATS_H
#define UPCASE_LEDGER_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/histogram.h"

/* Runs of that length and longer are counted together. */
#define STATS_RUNS 64

struct stats {
	/* Of the answered lines whose times are known, ns: the round trip, and what the person
	 * waited, from typed to answered. */
	struct histogram rtt, waited;
	/* Inter-packet delay variation, RFC 3393, of the round trip: |D(i) - D(i-1)| of lines sent
	 * one after the other of which both were answered, ns; and their sum. */
	struct histogram ipdv;
	double ipdv_sum;
	/* Runs of lines lost one after the other in the order of sending (lines answered, refused,
	 * failed or cut off end a run): how many, the longest, and how many of each length, runs[0]
	 * for 1. */
	uint64_t run_count, longest_run, runs[STATS_RUNS];
	/* The run that is not ended yet, a part of the figures above. */
	uint64_t run;
	/* The line before: its round-trip time, -1 when it has none. */
	int64_t last_rtt;
	/* Lines fed, and of them lost. */
	uint64_t lines, lost;
	/* Lines that were fed as lost and then turned out to be answered in time: see
	 * stats_amend(). */
	uint64_t amended;
};

/* `s` is all zero, as from calloc(): what nobody uses of it then takes no memory. */
void stats_start(struct stats *s);
/* The next line in the order of sending: lost or not, its round-trip time and what the person
 * waited, ns, -1 for none. */
void stats_add(struct stats *s, bool lost, int64_t rtt, int64_t waited);
/* A line that was fed as lost was answered after all, within the wait: its reply was read only
 * after the wait was over. Its times count from now on; runs and delay variation stay as they were
 * reported. A client that reads all that has come before it declares a line lost has none of these.
 */
void stats_amend(struct stats *s, int64_t rtt, int64_t waited);
/* Lost lines over runs: the mean burst length; 0 without any. */
double stats_mean_run(const struct stats *s);
/* "lost in a row: longest 3, mean 1.50, 4 runs", or "no line was lost". Returns `buf`. */
char *stats_runs_words(const struct stats *s, char *buf, size_t size);
/* The mean of |D(i) - D(i-1)|, ns; -1 without any. */
double stats_mean_ipdv(const struct stats *s);
/* Packet delay variation, RFC 5481 section 4.2: the quantile `q` of D(i) - D(min), ns; -1 when
 * there are too few. */
int64_t stats_pdv(const struct stats *s, double q);
/* Wilson's 95 % interval for k of n (n >= 1), each 0 to 1. */
void stats_wilson(uint64_t k, uint64_t n, double *low, double *high);

#endif
