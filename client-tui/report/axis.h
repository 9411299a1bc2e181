/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Round marks on the axes of plots: linear, or logarithmic where the values span decades. Pure. */
#ifndef UPCASE_TICKS_H
#define UPCASE_TICKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/histogram.h"

/* An axis of values, 1 ns or 1 line and up: what it shows, from `low` to `high`. */
struct ticks {
	bool logarithmic;
	double low, high;
};

/* Least and greatest value on it (0 <= least <= greatest). Logarithmic when greatest is more than 20 times least. Linear ones
 * begin at 0; both end at a round value. */
struct ticks ticks_for(double least, double greatest);
/* Where a value stands, 0 to 1; beyond the ends, the end. */
double ticks_place(const struct ticks *t, double value);
/* And the value that stands there. */
double ticks_value(const struct ticks *t, double place);
/* A time in ns as a mark has it, without three figures: "50 ms", "0.5 s", "0"; `micro` is the sign for micro. Returns `buf`. */
char *ticks_time(double ns, const char *micro, char *buf, size_t size);
/* Of an axis cut into `columns`: how many values fall into one, and into the one with the most, 1 at least. */
uint64_t ticks_column(const struct ticks *t, const struct histogram *h, int columns, int column);
uint64_t ticks_highest(const struct ticks *t, const struct histogram *h, int columns);
/* Round values to mark, at most `most` (2 or more) of them, in order. Returns how many. */
size_t ticks_marks(const struct ticks *t, double *marks, size_t most);

#endif
