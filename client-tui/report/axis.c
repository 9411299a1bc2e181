/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/axis.h"

#include <math.h>

#include "common/search.h"

/* The ratio from which an axis is logarithmic: a linear one would crush small values. */
#define DECADES_FROM 20.0
#define MIN_VALUE 1.0 /* the largest value at which an axis begins, and its smallest span */

static const double round_values[] = { 1, 2, 5, 10 };

/* The first round value that is at least `value`. */
static double round_up(double value)
{
	const double power = pow(10, floor(log10(value)));

	for (int i = 0; i < 4; i++)
		if (round_values[i] * power >= value * (1 - 1e-9))
			return round_values[i] * power;
	return 10 * power;
}

static double round_down(double value)
{
	const double power = pow(10, floor(log10(value) + 1e-9));

	for (int i = 3; i >= 0; i--)
		if (round_values[i] * power <= value * (1 + 1e-9))
			return round_values[i] * power;
	return power;
}

struct axis axis_for(double min, double max)
{
	struct axis t = { .high = round_up(max > MIN_VALUE ? max : MIN_VALUE) };

	if (min < MIN_VALUE)
		min = MIN_VALUE;
	t.logarithmic = max > DECADES_FROM * min;
	t.low = t.logarithmic ? round_down(min) : 0;
	return t;
}

bool axis_for_times(struct axis *a, const struct histogram *const *histograms, int count)
{
	int64_t min = INT64_MAX, max = 0;

	for (int i = 0; i < count; i++) {
		const struct histogram *h = histograms[i];

		if (!h || h->count == 0)
			continue;
		min = h->min < min ? h->min : min;
		max = h->max > max ? h->max : max;
	}
	if (min != INT64_MAX)
		*a = axis_for((double)min, (double)max);
	return min != INT64_MAX;
}

double axis_place(const struct axis *a, double value)
{
	double place;

	if (a->logarithmic)
		place = value <= a->low ? 0 : log(value / a->low) / log(a->high / a->low);
	else
		place = (value - a->low) / (a->high - a->low);
	return place < 0 ? 0 : place > 1 ? 1 : place;
}

double axis_value(const struct axis *a, double place)
{
	if (a->logarithmic)
		return a->low * pow(a->high / a->low, place);
	return a->low + (a->high - a->low) * place;
}

/* Marks both ends, and between them each power of ten, or every second and so on, as there is
 * room. */
static size_t mark_powers(const struct axis *a, double *marks, size_t max)
{
	for (double factor = 10;; factor *= 10) {
		size_t n = 0;

		marks[n++] = a->low;
		for (double power = pow(10, floor(log10(a->low))); power < a->high && n < max;
		    power *= factor) {
			const double place = axis_place(a, power);

			if (fmin(place, 1 - place) * (double)max >= 1)
				marks[n++] = power;
		}
		if (n < max) {
			marks[n++] = a->high;
			return n;
		}
	}
}

/* Marks 1, 2 and 5 in each decade, if there is room. */
static size_t mark_decades(const struct axis *a, double *marks, size_t max)
{
	const double first = pow(10, floor(log10(a->low) + 1e-9));
	size_t n = 0;

	for (double power = first; power <= a->high * (1 + 1e-9); power *= 10)
		for (int i = 0; i < 3; i++) {
			const double value = power * round_values[i];

			if (value < a->low * (1 - 1e-9) || value > a->high * (1 + 1e-9))
				continue;
			if (n == max)
				return mark_powers(a, marks, max);
			marks[n++] = value;
		}
	return n;
}

size_t axis_marks(const struct axis *a, double *marks, size_t max)
{
	const double step = round_up((a->high - a->low) / (double)(max - 1));
	size_t n = 0;

	if (a->logarithmic)
		return mark_decades(a, marks, max);
	for (; n < max && a->low + step * (double)n <= a->high * (1 + 1e-9); n++)
		marks[n] = a->low + step * (double)n;
	return n;
}

char *axis_time(double ns, const char *micro, char *buf, size_t size)
{
	if (ns >= 1e9)
		snprintf(buf, size, "%.10g s", ns / 1e9);
	else if (ns >= 1e6)
		snprintf(buf, size, "%.10g ms", ns / 1e6);
	else if (ns >= 1e3)
		snprintf(buf, size, "%.10g %ss", ns / 1e3, micro);
	else
		snprintf(buf, size, ns == 0 ? "0" : "%g ns", ns);
	return buf;
}

uint64_t axis_column(const struct axis *a, const struct histogram *h, int columns, int column)
{
	const double from = axis_value(a, (double)column / columns),
	             to = axis_value(a, (double)(column + 1) / columns);
	const uint64_t below = column == 0 ? 0 : histogram_at_most(h, (int64_t)from);

	return (column == columns - 1 ? h->count : histogram_at_most(h, (int64_t)to)) - below;
}

uint64_t axis_max_column(const struct axis *a, const struct histogram *h, int columns)
{
	uint64_t max = 1;

	for (int column = 0; column < columns; column++) {
		const uint64_t n = axis_column(a, h, columns, column);

		max = n > max ? n : max;
	}
	return max;
}

/* ---- time ---- */

/* The most pixels of a cut or a stop, and the most of the axis that all of them take, and that
 * stops take. */
#define CUT 33.0
#define CUTS_SHARE 0.4
#define STOPS_SHARE 0.3

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

static void set_scale(struct time_axis *a, const struct time_scale *s)
{
	const double stops = (double)s->stop_count;
	double shown = 0, left, cuts = 0;

	for (size_t i = 1; i < a->count; i++) {
		const int64_t gap = a->moments[i] - a->moments[i - 1];

		cuts += gap > s->quiet;
		shown += gap > s->quiet ? 0 : (double)gap;
	}
	a->stop = fmin(CUT, s->max * STOPS_SHARE / fmax(stops, 1));
	a->cut = fmin(CUT, (s->max * CUTS_SHARE - a->stop * stops) / fmax(cuts, 1));
	left = s->max - a->stop * stops - a->cut * cuts;
	a->scale = s->step > 0 ? s->pixels / (double)s->step : 1;
	if (shown * a->scale > left)
		a->scale = left / shown;
}

/* The room for words before a moment. */
static double stop_room(const struct time_axis *a, const struct time_scale *s, int64_t moment)
{
	double room = 0;

	for (size_t i = 0; i < s->stop_count; i++)
		room += s->stops[i] == moment ? a->stop : 0;
	return room;
}

static void place_all(struct time_axis *a, const struct time_scale *s)
{
	a->places[0] = stop_room(a, s, a->moments[0]);
	for (size_t i = 1; i < a->count; i++) {
		const int64_t gap = a->moments[i] - a->moments[i - 1];
		const bool quiet = gap > s->quiet;

		a->places[i] = a->places[i - 1] + (quiet ? a->cut : (double)gap * a->scale) +
		               stop_room(a, s, a->moments[i]);
		if (quiet)
			a->cuts[a->cut_count++] = (struct time_cut){ .from = a->moments[i - 1],
				.to = a->moments[i],
				.begin = a->places[i - 1],
				.end = a->places[i - 1] + a->cut };
	}
	a->length = a->places[a->count - 1];
}

int time_axis_make(struct time_axis *a, const int64_t *moments, size_t count,
    const struct time_scale *scale)
{
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
	set_scale(a, scale);
	if (a->count > 0)
		place_all(a, scale);
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
	return (int64_t)fmin(fmax(1, round_up(pixels / a->scale)), 1e18);
}
