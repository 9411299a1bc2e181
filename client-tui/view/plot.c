/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plots in the terminal, drawn on a canvas with signs and blocks, or in ASCII. UDP and TCP share
 * the axes of one plot; each has a sign of its own besides its colour. A plot has a frame, axes
 * with round marks, and an inner grid of cells, which each kind of plot fills. A cell of UDP has a
 * ring, a cell of TCP a plus, a cell of both a star: they differ without colours too, and neither
 * is thinner. Pure. */
#include "view/view-internal.h"

#include "common/units.h"
#include "ledger/shares.h"
#include "report/axis.h"

/* The columns of words at the vertical axis; the rows below: axis, words, legend. */
#define WORDS 9
#define BELOW 3
/* The smallest grid that is drawn. */
#define MIN_ROWS 3
#define MIN_COLUMNS 16
/* The maximum number of lines in a plot over lines: the last ones. */
#define LINES_MAX 10000
#define MARKS 12
/* The columns between the sparklines of two transports. */
#define SPARK_GAP 2
/* The columns of a sparkline's range, "0–44.2 ms", and those from which "waited" stands too. */
#define RANGE 10
#define SPARK_WORDS 33

#define PART_ROWS 3 /* the least rows of an end's windows, or of the queue */

/* The inner grid of a plot, what is plotted, and its axis of times. */
struct grid {
	struct canvas *c;
	int top, left, rows, columns;
	bool ascii;
	const struct view_plot *plot;
	struct axis times;
};

/* --- cells --- */

#define UDP_SIGN L'o'
#define TCP_SIGN L'+'
#define FLOW_SIGN L'#'
#define BOTH_SIGN L'*'
#define SIGNS L"o+#"

/* Rows and columns count from the grid's corner; the text may lie outside the grid. */
static int put_text(const struct grid *g, int row, int from, int to, const char *text,
    enum style style)
{
	return canvas_text(g->c, g->top + row, g->left + from, g->left + to, text, style) - g->left;
}

/* Draws a point; `x` and `y` are from 0 to 1, y upwards. Over another sign it is both. */
static void put_sign(const struct grid *g, double x, double y, wchar_t sign, enum style style)
{
	const int row = g->top + (int)((1 - y) * (g->rows - 1) + 0.5),
	          column = g->left + (int)(x * (g->columns - 1) + 0.5);
	const wchar_t old = canvas_at(g->c, row, column)->chars[0];
	const bool both = old == BOTH_SIGN || (old && old != sign && wcschr(SIGNS, old));
	canvas_fill(g->c, row, column, column + 1, both ? BOTH_SIGN : sign,
	    both ? STYLE_NORMAL : style);
}

static void put_point(const struct grid *g, double x, double y, bool stream)
{
	put_sign(g, x, y, stream ? TCP_SIGN : UDP_SIGN, transport_looks[stream].style);
}

/* Draws a column of blocks `height` rows high, in eighths. */
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
		    transport_looks[stream].style);
	}
}

/* --- axes --- */

/* The marks of an axis with room for `room` of them, 2 at least. */
static size_t marks_of(const struct axis *a, int room, double marks[MARKS])
{
	return axis_marks(a, marks, (size_t)(room < 2 ? 2 : room > MARKS ? MARKS : room));
}

static int row_of(const struct grid *g, const struct axis *a, double value)
{
	return (int)((1 - axis_place(a, value)) * (g->rows - 1) + 0.5);
}

/* Puts the words of values with a unit, or, if it is NULL, of times. */
static void put_vertical(const struct grid *g, const struct axis *a, const char *unit)
{
	double marks[MARKS];
	const size_t n = marks_of(a, g->rows / 2, marks);
	for (size_t i = 0; i < n; i++) {
		const char *words = unit ? TEXT_FORMAT("%g%s", marks[i], unit)
		                         : AXIS_TIME(marks[i], glyph(GLYPH_MICRO, g->ascii));
		const int row = row_of(g, a, marks[i]);
		put_text(g, row, -2 - utf8_columns(words), -1, words, STYLE_FAINT);
		put_text(g, row, -1, 0, g->ascii ? "+" : "┤", STYLE_FAINT);
	}
}

static void put_under(const struct grid *g, double place, const char *words)
{
	const int column = (int)(place * (g->columns - 1) + 0.5), n = utf8_columns(words);
	int from = column - n / 2;
	if (from + n > g->columns)
		from = g->columns - n;
	if (from < -1)
		from = -1;
	put_text(g, g->rows, column, column + 1, g->ascii ? "+" : "┴", STYLE_FAINT);
	put_text(g, g->rows + 1, from, g->columns, words, STYLE_FAINT);
}

static void put_times_under(const struct grid *g, const struct axis *a)
{
	double marks[MARKS];
	for (size_t i = 0, n = marks_of(a, g->columns / 10, marks); i < n; i++)
		put_under(g, axis_place(a, marks[i]),
		    AXIS_TIME(marks[i], glyph(GLYPH_MICRO, g->ascii)));
}

static void put_legend(const struct grid *g, const char *more)
{
	const int row = g->rows + 2, end = g->columns;
	int column = 0;
	for (int i = 0; i < g->plot->count; i++) {
		const bool stream = g->plot->sources[i].stream;
		column = put_text(g, row, column, end, stream ? "+ TCP  " : "o UDP  ",
		    transport_looks[stream].style);
	}
	if (g->plot->count > 1)
		column = put_text(g, row, column, end, "* both  ", STYLE_NORMAL);
	put_text(g, row, column, end, more, STYLE_FAINT);
}

/* --- what is shown --- */

static int64_t time_of(const struct ledger_row *row, enum plot_kind kind)
{
	const struct parts parts = parts_of_row(row);
	return kind == PLOT_RTT ? parts.wire : parts.waited;
}

/* The first of the last `count` rows. */
static size_t first_row(const struct ledger *l, int count)
{
	const size_t n = ledger_count(l), shown = count > 0 ? (size_t)count : 0;
	return n > shown ? n - shown : 0;
}

static void draw_over_lines(const struct grid *g)
{
	const struct axis *a = &g->times;
	uint64_t first = UINT64_MAX, last = 0;
	struct grid body = *g;
	for (int i = 0; i < g->plot->count; i++) {
		const struct ledger *l = g->plot->sources[i].ledger;
		const size_t n = ledger_count(l);
		if (n == 0)
			continue;
		const uint64_t from = ledger_at(l, first_row(l, LINES_MAX))->number,
		               to = ledger_at(l, n - 1)->number;
		first = from < first ? from : first;
		last = to > last ? to : last;
	}
	if (last == 0)
		return;
	/* The last row is for lines without a time. */
	body.rows--;
	put_vertical(&body, a, NULL);
	for (int i = 0; i < g->plot->count; i++) {
		const struct ledger *l = g->plot->sources[i].ledger;
		for (size_t k = first_row(l, LINES_MAX); k < ledger_count(l); k++) {
			const struct ledger_row *row = ledger_at(l, k);
			const double x = last > first
			                   ? (double)(row->number - first) / (double)(last - first)
			                   : 0;
			const int column = (int)(x * (g->columns - 1) + 0.5);
			if (row->fate == FATE_ANSWERED)
				put_point(&body, x,
				    axis_place(a, (double)time_of(row, g->plot->kind)),
				    g->plot->sources[i].stream);
			else if (ledger_is_unanswered(row->fate))
				put_text(g, g->rows - 1, column, column + 1,
				    glyph(GLYPH_CROSS, g->ascii), STYLE_LOST);
		}
	}
	put_under(g, 0, TEXT_FORMAT("line %" PRIu64, first));
	if (last > first)
		put_under(g, 1, TEXT_FORMAT("line %" PRIu64, last));
	put_legend(g, g->ascii ? "x not answered" : "✗ not answered");
}

/* Draws the histograms one above the other, on the same axis of times. */
static void draw_histogram(const struct grid *g)
{
	const struct axis *a = &g->times;
	const int rows = g->rows / g->plot->count;
	for (int i = 0; i < g->plot->count; i++) {
		const struct histogram *h = &g->plot->sources[i].stats->waited;
		const bool stream = g->plot->sources[i].stream;
		const uint64_t max = axis_max_column(a, h, g->columns);
		struct grid part = *g;
		part.top += i * rows;
		part.rows = i == g->plot->count - 1 ? g->rows - i * rows : rows;
		/* The words take the first row. */
		put_text(&part, 0, 0, g->columns,
		    TEXT_FORMAT("%s, %s; highest column %" PRIu64, transport_info[stream].title,
		        TEXT_COUNT(h->count, "line"), h->count > 0 ? max : 0),
		    transport_looks[stream].style);
		part.top++;
		part.rows--;
		for (int column = 0; column < g->columns; column++)
			put_bar(&part, column,
			    (double)axis_column(a, h, g->columns, column) * part.rows / (double)max,
			    stream);
	}
	put_times_under(g, a);
}

static void draw_cumulative(const struct grid *g)
{
	const struct axis *a = &g->times;
	const struct axis shares = { .low = 0, .high = 100 };
	put_vertical(g, &shares, " %");
	put_times_under(g, a);
	for (int i = 0; i < g->plot->count; i++) {
		const struct stats *s = g->plot->sources[i].stats;
		/* The share is of all decided lines: lost ones are never answered. */
		for (int k = 0; k < 2 * g->columns && s->lines > 0; k++) {
			const double x = (double)k / (2 * g->columns - 1);
			const uint64_t n = histogram_at_most(&s->waited, (int64_t)axis_value(a, x));
			if (n > 0)
				put_point(g, x, (double)n / (double)s->lines,
				    g->plot->sources[i].stream);
		}
	}
	put_legend(g, "share of the lines that are decided");
}

static void draw_runs(const struct grid *g)
{
	const struct stats *s = g->plot->sources[0].stats;
	const int width = g->columns - 24 > 4 ? g->columns - 24 : 4;
	uint64_t max = 1;
	int row = 0;
	char words[80];
	for (int i = 1; i < g->plot->count; i++)
		s = g->plot->sources[i].stats->run_count > s->run_count ? g->plot->sources[i].stats
		                                                        : s;
	for (int i = 0; i < STATS_RUNS; i++)
		max = s->runs[i] > max ? s->runs[i] : max;
	for (int i = 0; i < STATS_RUNS && row < g->rows; i++) {
		int bar = (int)((double)s->runs[i] * width / (double)max + 0.5);
		if (s->runs[i] == 0)
			continue;
		bar = bar > 0 ? bar : 1;
		snprintf(words, sizeof words, "%d%s", i + 1, i == STATS_RUNS - 1 ? "+" : "");
		put_text(g, row, -2 - utf8_columns(words), -1, words, STYLE_NORMAL);
		canvas_fill(g->c, g->top + row, g->left, g->left + bar, g->ascii ? L'#' : L'█',
		    STYLE_LOST);
		put_text(g, row++, bar, g->columns,
		    TEXT_FORMAT(" %s", TEXT_COUNT(s->runs[i], "time")), STYLE_NORMAL);
	}
	put_text(g, g->rows + 1, 0, g->columns, stats_runs_words(s, words, sizeof words),
	    STYLE_FAINT);
}

/* Draws what a flow got in each interval, in all columns of it. */
static void put_shares(const struct grid *g, const struct axis *times, const struct axis *rates,
    double unit, enum shares_flow flow)
{
	const struct shares *s = g->plot->shares;
	for (size_t i = 0; i < s->count; i++) {
		const double end = axis_place(times, (double)(s->list[i].at - s->began)),
		             step = 1.0 / (g->columns - 1);
		double at = end - (double)s->list[i].took / times->high;
		for (at = at < 0 ? 0 : at + step; at < end + step / 2; at += step)
			put_sign(g, at < end ? at : end,
			    axis_place(rates, shares_rate(&s->list[i], flow) / unit),
			    flow == SHARE_LINES ? TCP_SIGN : FLOW_SIGN,
			    flow == SHARE_LINES ? STYLE_TCP : STYLE_NORMAL);
	}
}

static void draw_shares(const struct grid *g)
{
	static const char *const units[] = { " B/s", " kB/s", " MB/s", " GB/s" };
	const struct shares *s = g->plot->shares;
	const double span = (double)(s->list[s->count - 1].at - s->began);
	const struct axis times = { .high = span > 0 ? span : 1 };
	uint64_t sums[SHARES_FLOWS] = { 0 };
	struct axis rates;
	double max = 1, unit = 1;
	int prefix = 0;
	for (size_t i = 0; i < SHARES_FLOWS * s->count; i++) {
		const enum shares_flow flow = i % SHARES_FLOWS;
		const double rate = shares_rate(&s->list[i / SHARES_FLOWS], flow);
		sums[flow] += s->list[i / SHARES_FLOWS].bytes[flow];
		max = rate > max ? rate : max;
	}
	for (; max >= 500 * unit && prefix < 3; prefix++)
		unit *= 1000;
	rates = axis_for(max / unit, max / unit);
	put_vertical(g, &rates, units[prefix]);
	put_times_under(g, &times);
	for (enum shares_flow flow = 0; flow < SHARES_FLOWS; flow++)
		put_shares(g, &times, &rates, unit, flow);
	put_text(g, g->rows + 2, 0, g->columns,
	    TEXT_FORMAT("+ the lines  # second flow  * both; Jain's index %s",
	        shares_fairness(sums) < 0 ? "-" : TEXT_DECIMAL(shares_fairness(sums), 2)),
	    STYLE_NORMAL);
}

/* --- windows --- */

/* Draws a value's range in each column as a line, or, with `filled`, from the bottom up; an empty
 * queue not. */
static void put_value(const struct grid *g, const struct axis *a, const struct window_plot *p,
    enum window_value value, wchar_t sign, enum style style, bool filled)
{
	for (int i = 0; i < g->columns; i++) {
		const struct window_column *c = &p->columns[i];
		if (c->max[value] < (filled || value == WINDOW_QUEUE) || c->min[value] > a->high)
			continue;
		const int last = filled ? g->rows - 1 : row_of(g, a, c->min[value]);
		for (int row = row_of(g, a, c->max[value]); row <= last; row++)
			canvas_fill(g->c, g->top + row, g->left + i, g->left + i + 1, sign, style);
	}
}

/* Draws in the first row what was lost and sent again. */
static void put_marks(const struct grid *g, const struct window_plot *p)
{
	for (int i = 0; i < g->columns; i++)
		for (int mark = WINDOW_LOST; mark < WINDOW_MARKS; mark++) {
			const char *letter = window_letters[mark];
			if (p->columns[i].marks >> mark & 1)
				put_text(g, 0, i, i + 1,
				    letter ? letter : glyph(GLYPH_CROSS, g->ascii),
				    letter ? STYLE_LATE : STYLE_LOST);
		}
}

static void draw_end(const struct grid *g, struct window_plot *p, const struct axis *a,
    enum link_direction way)
{
	static const wchar_t signs[WINDOW_FLOWS] = { TCP_SIGN, FLOW_SIGN, L'%', L'&' };
	for (int i = 0; i < p->flow_count; i++) {
		window_plot_fill(p, p->flows[i], way);
		put_value(g, a, p, WINDOW_IN_FLIGHT, g->ascii ? L':' : L'░', STYLE_FAINT, true);
	}
	for (int i = 0; i < p->flow_count; i++) {
		window_plot_fill(p, p->flows[i], way);
		put_value(g, a, p, WINDOW_PEER, L'=', STYLE_NORMAL, false);
		put_value(g, a, p, WINDOW_SSTHRESH, g->ascii ? L'-' : L'─', STYLE_NORMAL, false);
		put_value(g, a, p, WINDOW_CWND, signs[i], i ? STYLE_NORMAL : STYLE_TCP, false);
		put_marks(g, p);
	}
}

/* Draws the queue there as bars, and the one back as points. */
static void draw_queues(const struct grid *g, struct window_plot *p, const struct axis *a)
{
	window_plot_fill(p, 0, LINK_GOING);
	put_value(g, a, p, WINDOW_QUEUE, g->ascii ? L'#' : L'█', STYLE_FAINT, true);
	window_plot_fill(p, 0, LINK_COMING);
	put_value(g, a, p, WINDOW_QUEUE, L'o', STYLE_NORMAL, false);
}

static void draw_part(const struct grid *g, struct window_plot *p, int part)
{
	static const char *const names[WINDOW_PARTS] = { "here", "server", "queue" };
	const struct axis a = axis_for(p->parts[part], p->parts[part]);
	put_vertical(g, &a, "");
	put_text(g, 1, -2 - utf8_columns(names[part]), -1, names[part], STYLE_NORMAL);
	if (part == WINDOW_QUEUES)
		draw_queues(g, p, &a);
	else
		draw_end(g, p, &a, (enum link_direction)part);
}

static void put_window_legend(const struct grid *g, int flows)
{
	const int row = g->rows + 2, end = g->columns;
	int column = put_text(g, row, 0, end, flows > 1 ? "+ # cwnd  " : "+ cwnd  ", STYLE_TCP);
	column = put_text(g, row, column, end,
	    g->ascii ? "- ssthresh  : in flight  = rwnd  " : "─ ssthresh  ░ in flight  = rwnd  ",
	    STYLE_NORMAL);
	column = put_text(g, row, column, end, g->ascii ? "x lost  " : "✗ lost  ", STYLE_LOST);
	column = put_text(g, row, column, end, "t f p sent again", STYLE_LATE);
	if (end - column > 25)
		put_text(g, row, column, end, " (timeout, fast, probe)", STYLE_FAINT);
}

/* Divides the rows between the parts of which something is known, as many as there is room for. */
static void draw_windows(const struct grid *g)
{
	struct window_plot p;
	struct grid part = *g;
	int parts = 0, room = g->rows;
	const bool any = window_plot_begin(&p, g->plot->windows, INT64_MAX, (size_t)g->columns) ==
	                 0;
	for (int i = 0; i < WINDOW_PARTS; i++)
		parts += p.parts[i] >= 0;
	parts = parts * PART_ROWS > room ? room / PART_ROWS : parts;
	for (int i = 0; i < WINDOW_PARTS && any && parts > 0; i++) {
		if (p.parts[i] < 0)
			continue;
		part.rows = room / parts--;
		room -= part.rows;
		draw_part(&part, &p, i);
		part.top += part.rows;
	}
	put_times_under(g, &g->times);
	put_window_legend(g, p.flow_count);
	window_plot_end(&p);
}

/* --- the kinds --- */

static const struct {
	const char *name, *title;
	void (*draw)(const struct grid *g);
} kinds[PLOT_KINDS] = {
	[PLOT_WAITED] = { "waited", "time from Enter to reply, over lines", draw_over_lines },
	[PLOT_RTT] = { "rtt", "round-trip time on the wire, over lines", draw_over_lines },
	[PLOT_HISTOGRAM] = { "histogram", "histogram of times from Enter to reply",
	    draw_histogram },
	[PLOT_CUMULATIVE] = { "cumulative", "lines answered within a time from Enter",
	    draw_cumulative },
	[PLOT_RUNS] = { "runs", "lines lost in a row", draw_runs },
	[PLOT_SHARES] = { "shares", "bytes acknowledged a second, of both flows", draw_shares },
	[PLOT_WINDOW] = { "window", "TCP's windows, segments; the link's queue", draw_windows },
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

/* Sets the axis of times. Returns NULL, or why there is nothing to draw. */
static const char *axis_of(const struct view_plot *plot, struct axis *times)
{
	const struct histogram *histograms[VIEW_SIDES];
	int64_t from, to;
	if (plot->kind == PLOT_SHARES)
		return plot->shares && plot->shares->count > 0 ? NULL
		                                               : "no second flow yet; /flow 5s";
	if (plot->kind == PLOT_WINDOW) {
		if (!window_span(plot->windows, INT64_MAX, &from, &to))
			return "no TCP segment has gone over a lab's link yet";
		*times = (struct axis){ .high = to > from ? (double)(to - from) : 1 };
		return NULL;
	}
	if (plot->count == 0)
		return "no line was sent yet; F5 sends a burst";
	for (int i = 0; i < plot->count; i++)
		histograms[i] = plot->kind == PLOT_RTT ? &plot->sources[i].stats->rtt
		                                       : &plot->sources[i].stats->waited;
	return axis_for_times(times, histograms, plot->count) || plot->kind == PLOT_RUNS
	         ? NULL
	         : "no line is answered yet";
}

void plot_draw(struct canvas *c, const struct plot_area *area, const struct view_plot *plot,
    bool ascii)
{
	struct grid g = { .c = c,
		.top = area->top,
		.left = area->left + WORDS + 1,
		.rows = area->rows - BELOW,
		.columns = area->columns - WORDS - 2,
		.ascii = ascii,
		.plot = plot };
	const char *lacking = g.rows < MIN_ROWS || g.columns < MIN_COLUMNS
	                        ? "too small for a plot"
	                        : axis_of(plot, &g.times);
	if (lacking) {
		canvas_text(c, area->top, area->left + 1, area->left + area->columns, lacking,
		    STYLE_FAINT);
		return;
	}
	for (int row = 0; row < g.rows; row++)
		put_text(&g, row, -1, 0, ascii ? "|" : "│", STYLE_FAINT);
	put_text(&g, g.rows, -1, 0, ascii ? "+" : "└", STYLE_FAINT);
	canvas_fill(c, g.top + g.rows, g.left, g.left + g.columns, ascii ? L'-' : L'─',
	    STYLE_FAINT);
	kinds[plot->kind].draw(&g);
}

void plot_draw_panes(const struct panes *p)
{
	const struct view_plot *plot = p->v->plot;
	const struct plot_area area = {
		.top = p->top, .left = 0, .rows = p->height, .columns = p->columns
	};
	int column = panes_draw_heading(p, plot_title(plot->kind), p->columns);
	canvas_text(p->c, p->heading_row, column, p->columns, "  (F6 the next one, Esc leaves)",
	    STYLE_HEADING);
	if (p->height > 0)
		plot_draw(p->c, &area, plot, p->v->ascii);
}

/* --- the sparkline --- */

/* The greatest time of the answered lines from `first` on; 0 if there are none. */
static int64_t max_from(const struct ledger *l, size_t first)
{
	int64_t max = 0;
	for (size_t i = first; i < ledger_count(l); i++) {
		const struct ledger_row *line = ledger_at(l, i);
		const int64_t time = line->fate == FATE_ANSWERED ? time_of(line, PLOT_WAITED) : 0;
		max = time > max ? time : max;
	}
	return max;
}

int plot_sparkline(struct canvas *c, int row, int from, int to, const struct plot_source *source,
    bool ascii)
{
	static const wchar_t blocks[] = L"▁▂▃▄▅▆▇█", plain[] = L"_.-:=+*#";
	const struct ledger *l = source->ledger;
	const size_t first = first_row(l, to - from);
	const int64_t max = max_from(l, first);
	for (size_t i = first; i < ledger_count(l) && from < to; i++, from++) {
		const struct ledger_row *line = ledger_at(l, i);
		const bool answered = line->fate == FATE_ANSWERED;
		const int height = answered && max > 0
		                     ? (int)(7.0 * (double)time_of(line, PLOT_WAITED) /
		                                 (double)max +
		                             0.5)
		                     : 0;
		if (answered)
			canvas_fill(c, row, from, from + 1, (ascii ? plain : blocks)[height],
			    transport_looks[source->stream].style);
		else if (ledger_is_unanswered(line->fate))
			canvas_text(c, row, from, from + 1, glyph(GLYPH_CROSS, ascii), STYLE_LOST);
		else
			canvas_text(c, row, from, from + 1, glyph(GLYPH_WAITING, ascii),
			    STYLE_WAITING);
	}
	return from;
}

void plot_draw_spark_row(const struct panes *p)
{
	const int count = p->v->plot != NULL ? p->v->plot->count : 0;
	int from = p->pad;
	for (int i = 0; i < count && p->spark_row >= 0; i++) {
		const int to = p->pad + (p->columns - p->pad) * (i + 1) / count -
		               (i + 1 < count ? SPARK_GAP : 0);
		const struct plot_source *source = &p->v->plot->sources[i];
		from = canvas_text(p->c, p->spark_row, from, to,
		    TEXT_FORMAT(to - from < SPARK_WORDS ? "%s " : "%s waited ",
		        transport_info[source->stream].name),
		    transport_looks[source->stream].style);
		/* The range of the sparkline, before it. */
		const struct ledger *l = source->ledger;
		const int64_t max = max_from(l, first_row(l, to - from - RANGE));
		if (max > 0)
			canvas_text(p->c, p->spark_row, from, to,
			    TEXT_FORMAT("0%s%s", p->v->ascii ? "-" : "–",
			        UNITS_DURATION(max, glyph(GLYPH_MICRO, p->v->ascii))),
			    STYLE_NORMAL);
		plot_sparkline(p->c, p->spark_row, from + RANGE, to, source, p->v->ascii);
		from = to + SPARK_GAP;
	}
}
