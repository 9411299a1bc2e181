/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Round marks on the axes of plots: linear, or logarithmic where the values span decades. Pure. */
#ifndef UPCASE_AXIS_H
#define UPCASE_AXIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/histogram.h"

/* An axis of values, 1 ns or 1 line and up: what it shows, from `low` to `high`. */
struct axis {
	bool logarithmic;
	double low, high;
};

/* Smallest and largest value on it (0 <= min <= max). Logarithmic when max is more than 20 times
 * min. Linear ones begin at 0; both end at a round value. */
struct axis axis_for(double min, double max);
/* Where a value stands, 0 to 1; beyond the ends, the end. */
double axis_place(const struct axis *t, double value);
/* And the value that stands there. */
double axis_value(const struct axis *t, double place);
/* A time in ns as a mark has it, without three figures: "50 ms", "0.5 s", "0"; `micro` is the sign
 * for micro. Returns `buf`. */
char *axis_time(double ns, const char *micro, char *buf, size_t size);
/* The number of values in one of the `columns` of an axis; and in the fullest column, 1 at least.
 */
uint64_t axis_column(const struct axis *t, const struct histogram *h, int columns, int column);
uint64_t axis_max_column(const struct axis *t, const struct histogram *h, int columns);
/* Round values to mark, at most `max` (2 or more) of them, in order. Returns how many. */
size_t axis_marks(const struct axis *t, double *marks, size_t max);

#endif
