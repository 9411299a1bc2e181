/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plot is a frame, axes with round marks, and an inner grid of cells; each kind fills the grid. A
 * cell of UDP has up to eight Braille dots, one of TCP a cross, one of both a star, so that they
 * can be told apart without colours. */
#include "config.h"

#include "view/plot.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ledger/line-times.h"
#include "report/axis.h"
#include "common/units.h"
#include "common/utf8.h"

/* Columns for the words at the vertical axis; rows below the grid: axis, its words, the legend. */
#define WORDS 9
#define BELOW 3
/* The smallest grid worth drawing. */
#define MIN_ROWS 3
#define MIN_COLUMNS 16
/* Lines that a plot over lines shows at most: the last ones. */
#define LINES_MAX 10000
#define MARKS 12

struct grid {
	struct canvas *c;
	int top, left, rows, columns;
	bool ascii;
};

static const struct {
	const char *name, *title;
} kinds[PLOT_KINDS] = {
	[PLOT_WAITED] = { "waited", "time from Enter to reply, over lines" },
	[PLOT_RTT] = { "rtt", "round-trip time on the wire, over lines" },
	[PLOT_HISTOGRAM] = { "histogram", "histogram of times from Enter to reply" },
	[PLOT_CUMULATIVE] = { "cumulative", "lines answered within a time from Enter" },
	[PLOT_RUNS] = { "runs", "lines lost in a row" },
};

int plot_kind(const char *name)
{
	for (int i = 0; i < PLOT_KINDS; i++)
		if (*name && strncmp(kinds[i].name, name, strlen(name)) == 0)
			return i;
	return strcmp(name, "off") == 0 ? PLOT_NONE : -1;
}

const char *plot_title(enum plot_kind kind)
{
	return kinds[kind].title;
}

/* --- cells --- */

static const enum style styles[] = { STYLE_UDP, STYLE_TCP };
#define BRAILLE 0x2800
#define TCP_SIGN L'+'
#define BOTH_SIGN L'*'
#define UDP_ASCII L'.'

/* One point: `x` and `y` from 0 to 1, y upwards. */
static void put_point(const struct grid *g, double x, double y, bool stream)
{
	static const unsigned dots[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 },
		{ 0x40, 0x80 } };
	const int across = (int)(x * (2 * g->columns - 1) + 0.5),
	          down = (int)((1 - y) * (4 * g->rows - 1) + 0.5);
	struct canvas_cell *cell = canvas_at(g->c, g->top + down / 4, g->left + across / 2);
	const wchar_t old = cell->chars[0];
	const bool braille = old >= BRAILLE && old < BRAILLE + 256,
	           udp = braille || old == UDP_ASCII;
	wchar_t now;

	if (old == BOTH_SIGN)
		return;
	if (stream)
		now = udp ? BOTH_SIGN : TCP_SIGN;
	else if (old == TCP_SIGN)
		now = BOTH_SIGN;
	else
		now = g->ascii ? UDP_ASCII
		               : (wchar_t)(BRAILLE | (braille ? (unsigned)old & 0xff : 0) |
		                           dots[down % 4][across % 2]);
	canvas_fill(g->c, g->top + down / 4, g->left + across / 2, g->left + across / 2 + 1, now,
	    now == BOTH_SIGN ? STYLE_NORMAL : styles[stream]);
}

/* A column of blocks `height` rows high, in eighths. */
static void put_bar(const struct grid *g, int column, double height, bool stream)
{
	static const wchar_t blocks[] = L" ▁▂▃▄▅▆▇█";
	int eighths = (int)(height * 8 + 0.5);

	if (height > 0 && eighths == 0)
		eighths = 1;
	for (int row = g->rows - 1; row >= 0 && eighths > 0; row--, eighths -= 8) {
		const wchar_t sign = g->ascii ? (stream ? L'+' : L'#')
		                              : blocks[eighths < 8 ? eighths : 8];

		canvas_fill(g->c, g->top + row, g->left + column, g->left + column + 1, sign,
		    styles[stream]);
	}
}

/* --- axes --- */

static void put_frame(const struct grid *g)
{
	const char *corner = g->ascii ? "+" : "└", *post = g->ascii ? "|" : "│";

	for (int row = 0; row < g->rows; row++)
		canvas_text(g->c, g->top + row, g->left - 1, g->left, post, STYLE_FAINT);
	canvas_text(g->c, g->top + g->rows, g->left - 1, g->left, corner, STYLE_FAINT);
	canvas_fill(g->c, g->top + g->rows, g->left, g->left + g->columns, g->ascii ? L'-' : L'─',
	    STYLE_FAINT);
}

static void put_vertical(const struct grid *g, const struct axis *t, bool share)
{
	double marks[MARKS];
	const size_t max = (size_t)(g->rows / 2 < 2       ? 2
	                            : g->rows / 2 > MARKS ? MARKS
	                                                  : g->rows / 2);
	const size_t n = axis_marks(t, marks, max);
	char words[40];

	for (size_t i = 0; i < n; i++) {
		const int row = (int)((1 - axis_place(t, marks[i])) * (g->rows - 1) + 0.5);

		if (share)
			snprintf(words, sizeof words, "%g %%", marks[i]);
		else
			axis_time(marks[i], g->ascii ? "u" : "µ", words, sizeof words);
		canvas_text(g->c, g->top + row, g->left - 2 - utf8_columns(words), g->left - 1,
		    words, STYLE_FAINT);
		canvas_text(g->c, g->top + row, g->left - 1, g->left, g->ascii ? "+" : "┤",
		    STYLE_FAINT);
	}
}

static void put_under(const struct grid *g, double place, const char *words)
{
	const int column = g->left + (int)(place * (g->columns - 1) + 0.5), n = utf8_columns(words);
	int from = column - n / 2;

	if (from + n > g->left + g->columns)
		from = g->left + g->columns - n;
	if (from < g->left - 1)
		from = g->left - 1;
	canvas_text(g->c, g->top + g->rows, column, column + 1, g->ascii ? "+" : "┴", STYLE_FAINT);
	canvas_text(g->c, g->top + g->rows + 1, from, g->left + g->columns, words, STYLE_FAINT);
}

static void put_times_under(const struct grid *g, const struct axis *t)
{
	double marks[MARKS];
	const int width = g->columns / 10;
	const size_t n = axis_marks(t, marks,
	    (size_t)(width < 2       ? 2
	             : width > MARKS ? MARKS
	                             : width));
	char words[40];

	for (size_t i = 0; i < n; i++)
		put_under(g, axis_place(t, marks[i]),
		    axis_time(marks[i], g->ascii ? "u" : "µ", words, sizeof words));
}

static void put_legend(const struct grid *g, const struct plot_source *sources, int count,
    const char *more)
{
	const int row = g->top + g->rows + 2, end = g->left + g->columns;
	int column = g->left;

	for (int i = 0; i < count; i++) {
		const bool stream = sources[i].stream;

		column = canvas_text(g->c, row, column, end,
		    stream     ? "+ TCP  "
		    : g->ascii ? ". UDP  "
		               : "⠶ UDP  ",
		    styles[stream]);
	}
	if (count > 1)
		column = canvas_text(g->c, row, column, end, "* both  ", STYLE_NORMAL);
	canvas_text(g->c, row, column, end, more, STYLE_FAINT);
}

/* --- what is to be shown --- */

/* The times that a plot of this kind shows. */
static const struct histogram *histogram_of(const struct plot_source *source, enum plot_kind kind)
{
	return kind == PLOT_RTT ? &source->stats->rtt : &source->stats->waited;
}

static int64_t time_of(const struct ledger_row *row, enum plot_kind kind)
{
	const struct parts parts = parts_of_row(row);

	return kind == PLOT_RTT ? parts.wire : parts.waited;
}

/* The times of all sources. Returns false when there are none. */
static bool times_of(const struct plot_source *sources, int count, enum plot_kind kind,
    struct axis *t)
{
	int64_t min = INT64_MAX, max = 0;

	for (int i = 0; i < count; i++) {
		const struct histogram *h = histogram_of(&sources[i], kind);

		if (h->count == 0)
			continue;
		min = h->min < min ? h->min : min;
		max = h->max > max ? h->max : max;
	}
	if (min == INT64_MAX)
		return false;
	*t = axis_for((double)min, (double)max);
	return true;
}

/* The rows shown, the last LINES_MOST ones of each, by number. */
static bool numbers_of(const struct plot_source *sources, int count, uint64_t *first,
    uint64_t *last)
{
	*first = UINT64_MAX;
	*last = 0;
	for (int i = 0; i < count; i++) {
		const struct ledger *l = sources[i].ledger;
		const size_t n = ledger_count(l);

		if (n == 0)
			continue;
		if (ledger_at(l, n > LINES_MAX ? n - LINES_MAX : 0)->number < *first)
			*first = ledger_at(l, n > LINES_MAX ? n - LINES_MAX : 0)->number;
		if (ledger_at(l, n - 1)->number > *last)
			*last = ledger_at(l, n - 1)->number;
	}
	return *last > 0;
}

static void draw_over_lines(struct grid *g, const struct plot_source *sources, int count,
    enum plot_kind kind, const struct axis *t)
{
	uint64_t first, last;
	struct grid body = *g;
	char words[60];

	if (!numbers_of(sources, count, &first, &last))
		return;
	/* The last row is for those that have no time. */
	body.rows--;
	put_vertical(&body, t, false);
	for (int i = 0; i < count; i++) {
		const struct ledger *l = sources[i].ledger;
		const size_t n = ledger_count(l);

		for (size_t k = n > LINES_MAX ? n - LINES_MAX : 0; k < n; k++) {
			const struct ledger_row *row = ledger_at(l, k);
			const double x = last > first
			                   ? (double)(row->number - first) / (double)(last - first)
			                   : 0;
			const int column = g->left + (int)(x * (g->columns - 1) + 0.5);

			if (row->fate == FATE_ANSWERED)
				put_point(&body, x, axis_place(t, (double)time_of(row, kind)),
				    sources[i].stream);
			else if (ledger_is_unanswered(row->fate))
				canvas_text(g->c, g->top + g->rows - 1, column, column + 1,
				    g->ascii ? "x" : "✗", STYLE_LOST);
		}
	}
	snprintf(words, sizeof words, "line %" PRIu64, first);
	put_under(g, 0, words);
	if (last > first) {
		snprintf(words, sizeof words, "line %" PRIu64, last);
		put_under(g, 1, words);
	}
	put_legend(g, sources, count, g->ascii ? "x not answered" : "✗ not answered");
}

static void draw_histogram(struct grid *g, const struct plot_source *sources, int count,
    const struct axis *t)
{
	/* One above the other, on the same times. */
	const int rows = g->rows / count;
	char words[60];

	for (int i = 0; i < count; i++) {
		const struct histogram *h = &sources[i].stats->waited;
		struct grid part = *g;
		const uint64_t max = axis_max_column(t, h, g->columns);

		part.top += i * rows;
		part.rows = i == count - 1 ? g->rows - i * rows : rows;
		/* The first row has the words. */
		part.top++;
		part.rows--;
		for (int column = 0; column < g->columns; column++)
			put_bar(&part, column,
			    (double)axis_column(t, h, g->columns, column) * part.rows / (double)max,
			    sources[i].stream);
		snprintf(words, sizeof words, "%s, %" PRIu64 " line%s; highest column %" PRIu64,
		    sources[i].stream ? "TCP" : "UDP", h->count, h->count == 1 ? "" : "s",
		    h->count > 0 ? max : 0);
		canvas_text(g->c, part.top - 1, g->left, g->left + g->columns, words,
		    styles[sources[i].stream]);
	}
	put_times_under(g, t);
}

static void draw_cumulative(struct grid *g, const struct plot_source *sources, int count,
    const struct axis *t)
{
	const struct axis shares = { .low = 0, .high = 100 };

	put_vertical(g, &shares, true);
	put_times_under(g, t);
	for (int i = 0; i < count; i++) {
		const struct stats *s = sources[i].stats;

		/* Of all decided lines: what is lost never comes. */
		for (int k = 0; k < 2 * g->columns && s->lines > 0; k++) {
			const double x = (double)k / (2 * g->columns - 1);
			const uint64_t n = histogram_at_most(&s->waited, (int64_t)axis_value(t, x));

			if (n > 0)
				put_point(g, x, (double)n / (double)s->lines, sources[i].stream);
		}
	}
	put_legend(g, sources, count, "share of the lines that are decided");
}

static void draw_runs(struct grid *g, const struct plot_source *sources, int count)
{
	const struct stats *s = sources[0].stats;
	uint64_t max = 1;
	int row = 0;
	char words[80];

	for (int i = 1; i < count; i++)
		s = sources[i].stats->run_count > s->run_count ? sources[i].stats : s;
	for (int i = 0; i < STATS_RUNS; i++)
		max = s->runs[i] > max ? s->runs[i] : max;
	for (int i = 0; i < STATS_RUNS && row < g->rows; i++) {
		const int width = g->columns - 24 > 4 ? g->columns - 24 : 4;
		const int bar = (int)((double)s->runs[i] * width / (double)max + 0.5);

		if (s->runs[i] == 0)
			continue;
		snprintf(words, sizeof words, "%d%s", i + 1, i == STATS_RUNS - 1 ? "+" : "");
		canvas_text(g->c, g->top + row, g->left - 2 - utf8_columns(words), g->left - 1,
		    words, STYLE_NORMAL);
		canvas_fill(g->c, g->top + row, g->left, g->left + (bar ? bar : 1),
		    g->ascii ? L'#' : L'█', STYLE_LOST);
		snprintf(words, sizeof words, " %" PRIu64 " time%s", s->runs[i],
		    s->runs[i] == 1 ? "" : "s");
		canvas_text(g->c, g->top + row++, g->left + (bar ? bar : 1), g->left + g->columns,
		    words, STYLE_NORMAL);
	}
	canvas_text(g->c, g->top + g->rows + 1, g->left, g->left + g->columns,
	    stats_runs_words(s, words, sizeof words), STYLE_FAINT);
}

void plot_draw(struct canvas *c, const struct plot_area *area, enum plot_kind kind,
    const struct plot_source *sources, int count, bool ascii)
{
	struct grid g = { .c = c,
		.top = area->top,
		.left = area->left + WORDS + 1,
		.rows = area->rows - BELOW,
		.columns = area->columns - WORDS - 2,
		.ascii = ascii };
	struct axis times;
	const bool timed = times_of(sources, count, kind, &times);

	if (g.rows < MIN_ROWS || g.columns < MIN_COLUMNS) {
		canvas_text(c, area->top, area->left, area->left + area->columns,
		    "too small for a plot", STYLE_FAINT);
		return;
	}
	if (!timed && kind != PLOT_RUNS) {
		canvas_text(c, area->top, area->left + 1, area->left + area->columns,
		    "no line is answered yet", STYLE_FAINT);
		return;
	}
	put_frame(&g);
	switch (kind) {
	case PLOT_WAITED:
	case PLOT_RTT:
		draw_over_lines(&g, sources, count, kind, &times);
		break;
	case PLOT_HISTOGRAM:
		draw_histogram(&g, sources, count, &times);
		break;
	case PLOT_CUMULATIVE:
		draw_cumulative(&g, sources, count, &times);
		break;
	default:
		draw_runs(&g, sources, count);
		break;
	}
}

/* --- the sparkline --- */

static void spark_range(const struct ledger *l, size_t from, int64_t *min, int64_t *max)
{
	*min = INT64_MAX;
	*max = 0;
	for (size_t i = from; i < ledger_count(l); i++) {
		const struct ledger_row *row = ledger_at(l, i);
		const int64_t time = time_of(row, PLOT_WAITED);

		if (row->fate != FATE_ANSWERED)
			continue;
		*min = time < *min ? time : *min;
		*max = time > *max ? time : *max;
	}
}

int plot_sparkline(struct canvas *c, int row, int from, int to, const struct plot_source *source,
    bool ascii)
{
	static const wchar_t blocks[] = L"▁▂▃▄▅▆▇█", plain[] = L"_.-:=+*#";
	const size_t n = ledger_count(source->ledger), shown = to > from ? (size_t)(to - from) : 0,
	             first = n > shown ? n - shown : 0;
	int64_t min, max;

	spark_range(source->ledger, first, &min, &max);
	for (size_t i = first; i < n && from < to; i++, from++) {
		const struct ledger_row *line = ledger_at(source->ledger, i);
		const bool answered = line->fate == FATE_ANSWERED;
		const double height = answered && max > min
		                        ? (double)(time_of(line, PLOT_WAITED) - min) /
		                              (double)(max - min)
		                        : 0;

		if (ledger_is_unanswered(line->fate))
			canvas_text(c, row, from, from + 1, ascii ? "x" : "✗", STYLE_LOST);
		else if (answered)
			canvas_fill(c, row, from, from + 1,
			    (ascii ? plain : blocks)[(int)(height * 7 + 0.5)],
			    styles[source->stream]);
		else
			canvas_text(c, row, from, from + 1, ascii ? "." : "·", STYLE_WAITING);
	}
	return from;
}
