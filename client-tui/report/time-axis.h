/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture's axis of time: true to scale while something happens, and cut where nothing does for
 * long, since a person types a line in seconds and a reply comes in microseconds. Pure. */
#ifndef UPCASE_TIME_AXIS_H
#define UPCASE_TIME_AXIS_H

#include <stddef.h>
#include <stdint.h>

struct time_cut {
	/* The times between which nothing happens, ns, and where the cut begins and ends, pixels.
	 */
	int64_t from, to;
	double begin, end;
};

struct time_axis {
	/* Every moment at which something happens, ns, in order and each once. */
	int64_t *moments;
	size_t count;
	/* Where each stands, pixels from the axis's beginning. */
	double *places;
	struct time_cut *cuts;
	size_t cut_count;
	/* Pixels for one ns, and in all. */
	double scale, length;
};

/* Makes the axis of `count` moments in any order. A time in which nothing happens for longer than
 * `quiet` ns is cut. The scale is such that `step` ns take `pixels`, or less where that would make
 * more than `max` pixels. Returns 0, or -1 when memory is short. */
int time_axis_make(struct time_axis *a, const int64_t *moments, size_t count, int64_t quiet,
    int64_t step, double pixels, double max);
void time_axis_free(struct time_axis *a);
/* Compares two int64_t, for qsort(). */
int time_axis_order(const void *a, const void *b);
/* Where a moment stands, pixels; outside the axis, its nearer end. */
double time_axis_place(const struct time_axis *a, int64_t moment);
/* A round time between marks on the axis, 1, 2 or 5 times a power of ten ns, at least `pixels`
 * apart. */
int64_t time_axis_step(const struct time_axis *a, double pixels);

#endif
