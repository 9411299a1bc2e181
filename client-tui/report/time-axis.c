/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/time-axis.h"

#include <stdlib.h>
#include <string.h>

#include "common/search.h"

/* Pixels that a cut takes. */
#define CUT 30.0

int time_axis_order(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static size_t sort_once(int64_t *moments, size_t count)
{
	size_t kept = 0;

	qsort(moments, count, sizeof *moments, time_axis_order);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || moments[i] != moments[kept - 1])
			moments[kept++] = moments[i];
	return kept;
}

static double time_shown(const struct time_axis *a, int64_t quiet)
{
	double shown = 0;

	for (size_t i = 1; i < a->count; i++)
		if (a->moments[i] - a->moments[i - 1] <= quiet)
			shown += (double)(a->moments[i] - a->moments[i - 1]);
	return shown;
}

static void place_all(struct time_axis *a, int64_t quiet)
{
	a->places[0] = 0;
	for (size_t i = 1; i < a->count; i++) {
		const int64_t gap = a->moments[i] - a->moments[i - 1];
		const double pixels = gap > quiet ? CUT : (double)gap * a->scale;

		a->places[i] = a->places[i - 1] + pixels;
		if (gap > quiet)
			a->cuts[a->cut_count++] = (struct time_cut){ .from = a->moments[i - 1],
				.to = a->moments[i],
				.begin = a->places[i - 1],
				.end = a->places[i] };
	}
	a->length = a->places[a->count - 1];
}

int time_axis_make(struct time_axis *a, const int64_t *moments, size_t count, int64_t quiet,
    int64_t step, double pixels, double max)
{
	double shown;

	*a = (struct time_axis){ .count = count };
	a->moments = malloc((count + 1) * sizeof *a->moments);
	a->places = calloc(count + 1, sizeof *a->places);
	a->cuts = calloc(count + 1, sizeof *a->cuts);
	if (!a->moments || !a->places || !a->cuts) {
		time_axis_free(a);
		return -1;
	}
	if (count > 0)
		memcpy(a->moments, moments, count * sizeof *moments);
	a->count = sort_once(a->moments, count);
	shown = time_shown(a, quiet);
	a->scale = step > 0 ? pixels / (double)step : 1;
	if (shown * a->scale > max)
		a->scale = max / shown;
	if (a->count > 0)
		place_all(a, quiet);
	return 0;
}

void time_axis_free(struct time_axis *a)
{
	free(a->moments);
	free(a->places);
	free(a->cuts);
	*a = (struct time_axis){ .count = 0 };
}

double time_axis_place(const struct time_axis *a, int64_t moment)
{
	size_t next;

	SEARCH_FIRST(next, 0, a->count, a->moments[next] > moment);
	if (next == 0)
		return 0;
	if (next == a->count)
		return a->length;
	return a->places[next - 1] + (a->places[next] - a->places[next - 1]) *
	                                 (double)(moment - a->moments[next - 1]) /
	                                 (double)(a->moments[next] - a->moments[next - 1]);
}

int64_t time_axis_step(const struct time_axis *a, double pixels)
{
	static const int times[] = { 1, 2, 5 };
	int64_t power = 1;

	for (int i = 0;; i++) {
		if (i > 0 && i % 3 == 0)
			power *= 10;
		if ((double)(times[i % 3] * power) * a->scale >= pixels || power >= INT64_MAX / 100)
			return times[i % 3] * power;
	}
}
