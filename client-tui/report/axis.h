/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Round marks on the axes of plots: linear, or logarithmic where the values span decades. Pure. */
#pragma once

#include "ledger/histogram.h"

/* An axis of values, 1 ns or 1 line and up, from `low` to `high`. */
struct axis {
	bool logarithmic;
	double low, high;
};

/* The axis for values from `min` to `max` (0 <= min <= max). It is logarithmic if max is more than
 * 20 times min. A linear axis begins at 0; both end at a round value. */
struct axis axis_for(double min, double max);
/* The axis for the histograms, some may be NULL. Returns false if they have no values. */
bool axis_for_times(struct axis *a, const struct histogram *const *histograms, int count);
/* The place of a value, 0 to 1; beyond an end, that end. */
double axis_place(const struct axis *a, double value);
double axis_value(const struct axis *a, double place);
/* Writes a time in ns as the text of a mark, with no more digits than it needs: "50 ms", "0.5 s",
 * "0"; `micro` is the sign for micro. Returns `buf`. */
char *axis_time(double ns, const char *micro, char *buf, size_t size);
#define AXIS_TIME(ns, micro) axis_time(ns, micro, (char[40]){ 0 }, 40)
/* The number of values in one of the `columns`, and in the fullest column, 1 at least. */
uint64_t axis_column(const struct axis *a, const struct histogram *h, int columns, int column);
uint64_t axis_max_column(const struct axis *a, const struct histogram *h, int columns);
/* Finds round values to mark, at most `max` (2 or more), in order. Returns their number. */
size_t axis_marks(const struct axis *a, double *marks, size_t max);

/* A picture's axis of time: true to scale, but cut at long times without events, since a person
 * types a line in seconds and a reply comes in microseconds. */
struct time_cut {
	/* The times between which nothing happens, ns, and the ends of the cut, pixels. */
	int64_t from, to;
	double begin, end;
};

struct time_axis {
	/* All moments of events, ns, in order and each once. */
	int64_t *moments;
	size_t count;
	/* The place of each, pixels from the axis's beginning. */
	double *places;
	struct time_cut *cuts;
	size_t cut_count;
	/* The pixels of one ns, of a cut, of the room at a stop, and of the axis. */
	double scale, cut, stop, length;
};

/* Makes the axis of `count` moments in any order. A time without moments is cut if it is longer
 * than `quiet` ns. Before each of the `stop_count` stops, which are moments too, there is room for
 * words. The scale is such that `step` ns take `pixels`, or less where the
 * axis would have more than `max` pixels; cuts and stops have two fifths of it at most. Returns 0,
 * or -1 when memory is short. */
struct time_scale {
	int64_t quiet, step;
	double pixels, max;
	const int64_t *stops;
	size_t stop_count;
};
int time_axis_make(struct time_axis *a, const int64_t *moments, size_t count,
    const struct time_scale *scale);
void time_axis_free(struct time_axis *a);
/* Compares two int64_t, for qsort(). */
int time_axis_order(const void *a, const void *b);
/* The place of a moment, pixels; outside the axis, its nearer end. */
double time_axis_place(const struct time_axis *a, int64_t moment);
/* A round time between marks, 1, 2 or 5 times a power of ten ns, at least `pixels` apart. */
int64_t time_axis_step(const struct time_axis *a, double pixels);
