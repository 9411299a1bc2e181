/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How summary.c and stats-table.c put their texts together. For these only. */
#ifndef UPCASE_SUMMARY_TEXT_H
#define UPCASE_SUMMARY_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "ledger/ledger.h"
#include "ledger/stats.h"
#include "common/text.h"

/* summary.c: "3/12 lost (25 %, 95 % 9–53)", with `word` for " lost"; chance decided of one line at
 * least. */
void summary_put_loss(struct text *out, const struct ledger_totals *t, const char *word);
/* "40.3/41.0/44.2 ms": times in ns, in the unit that fits the greatest of them all. */
void summary_put_figures(struct text *out, const double *figures, size_t count, double max);
/* The mean and the greatest of a part of what `count` lines waited; nothing where it does not
 * matter. */
void summary_put_part(struct text *out, const char *before, const struct ledger_part *part,
    uint64_t count, const char *after);
/* The standard deviation of `count` times, of a sample (over n - 1), ns; -1 for fewer than two. */
double summary_deviation(const struct ledger_times *t, uint64_t count);

/* summary.c: the quantiles that are told. */
#define SUMMARY_QUANTILES 4
extern const struct summary_quantile {
	double q;
	const char *name;
} summary_quantiles[SUMMARY_QUANTILES];
/* The mean burst length, "1.50". */
void summary_put_mean_run(struct text *out, const struct stats *s);

#endif
