/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page has four plots, two by two, each with its frame and the axes of axis.h. */
#include "report/pictures.h"

#include "common/search.h"
#include "common/text.h"
#include "report/axis.h"

/* Pixels: a plot, and its place; the way to the next one; the room for crosses below it. */
#define WIDTH 470.0
#define HEIGHT 190.0
#define LEFT 118.0
#define TOP (SVG_HEADING + 46)
#define NEXT_X 632.0
#define NEXT_Y 272.0
#define CROSSES 26.0
#define LEGEND (SVG_HEIGHT - 18)
#define COLUMNS 80
/* The number of events with words, and their columns. */
#define EVENT_ROWS 2
#define EVENT_COLUMNS 19
#define MARKS_BELOW 4
#define MARKS_LEFT 5
#define RUNS_SHOWN 5
#define TRANSPORTS 2

struct pages {
	FILE *out;
	const struct picture_data *data;
	/* By transport; NULL without lines. */
	struct stats *stats[TRANSPORTS];
	struct axis times;
	uint64_t first, last;
};

static const enum svg_style styles[TRANSPORTS] = { SVG_UDP, SVG_TCP };

/* The time from Enter to the reply, ns; -1 unless the reply came in time. */
static int64_t waited_of(const struct ledger_row *r)
{
	return r->fate == FATE_ANSWERED ? parts_waited(r) : -1;
}

/* --- axes --- */

static void put_frame(FILE *out, double x, double y, const char *title)
{
	svg_line(out, x, y, x, y + HEIGHT, SVG_AXIS, 0);
	svg_line(out, x, y + HEIGHT, x + WIDTH, y + HEIGHT, SVG_AXIS, 0);
	svg_words(out, x, y - 12, SVG_START, title);
}

static void mark_left(FILE *out, double x, double y, const char *words)
{
	svg_line(out, x, y, x + WIDTH, y, SVG_GRID, 0);
	svg_words(out, x - 8, y + SVG_FONT / 3, SVG_END, words);
}

static void mark_below(FILE *out, double x, double y, const char *words)
{
	svg_line(out, x, y, x, y + 7, SVG_AXIS, 0);
	svg_words(out, x, y + 32, SVG_MIDDLE, words);
}

static void times_below(const struct pages *p, double x, double y)
{
	double marks[MARKS_BELOW];
	const size_t n = axis_marks(&p->times, marks, MARKS_BELOW);

	for (size_t i = 0; i < n; i++)
		mark_below(p->out, x + WIDTH * axis_place(&p->times, marks[i]), y + HEIGHT,
		    AXIS_TIME(marks[i], "µ"));
}

/* --- the plots --- */

/* Draws each event as a rule before the first line typed after it, the first ones with words. */
static void draw_events(const struct pages *p, double x, double y, double span)
{
	int row = 0;

	for (size_t i = 0, line; i < p->data->event_count; i++) {
		const struct session_event *e = &p->data->events[i];
		/* The lines are in order of time: the last one typed before the event. */
		SEARCH_FIRST(line, 0, p->data->line_count, p->data->lines[line].typed_at > e->at);
		const uint64_t number = line > 0 ? p->data->lines[line - 1].number : p->first;
		const double place = ((double)(number - p->first) + 0.5) / span;
		const double at = x + WIDTH * (e->at < p->data->lines[0].typed_at ? 0
		                                  : place < 1                     ? place
		                                                                  : 1);
		const bool left = at < x + WIDTH / 2;
		const char *words = SESSION_EVENT_TEXT(e);

		if (e->kind == SESSION_EVENT_TCP || session_event_is_notice(e))
			continue;
		svg_line(p->out, at, y, at, y + HEIGHT, SVG_EVENT, 0);
		if (row++ < EVENT_ROWS)
			svg_text(p->out, at + (left ? 6 : -6), y - 8 + 30 * row,
			    left ? SVG_START : SVG_END, "", words, strlen(words), EVENT_COLUMNS);
	}
}

static void draw_waited(const struct pages *p, double x, double y)
{
	double marks[MARKS_LEFT];
	const size_t n = axis_marks(&p->times, marks, MARKS_LEFT);
	const double span = p->last > p->first ? (double)(p->last - p->first) : 1,
	             height = HEIGHT - CROSSES, bottom = y + height;

	put_frame(p->out, x, y, "time from Enter to reply");
	for (size_t i = 0; i < n; i++)
		mark_left(p->out, x, bottom - height * axis_place(&p->times, marks[i]),
		    AXIS_TIME(marks[i], "µ"));
	draw_events(p, x, y, span);
	for (size_t i = 0; i < p->data->line_count; i++) {
		const struct ledger_row *r = &p->data->lines[i];
		const double at = x + WIDTH * (double)(r->number - p->first) / span;
		const int64_t waited = waited_of(r);

		if (waited >= 0)
			svg_dot(p->out, at, bottom - height * axis_place(&p->times, (double)waited),
			    styles[r->stream]);
		else if (ledger_is_unanswered(r->fate))
			svg_cross(p->out, at, y + HEIGHT - 9 - 8 * r->stream,
			    r->late ? SVG_LATE : SVG_LOST);
	}
	mark_below(p->out, x, y + HEIGHT, TEXT_FORMAT("line %" PRIu64, p->first));
	if (p->last > p->first)
		mark_below(p->out, x + WIDTH, y + HEIGHT, TEXT_FORMAT("line %" PRIu64, p->last));
}

/* Draws a transport's bars, each `scale` pixels a line high. */
static void draw_bars(const struct pages *p, int t, double x, double base, double scale)
{
	for (int i = 0; i < COLUMNS; i++) {
		const double bar = scale *
		                   (double)axis_column(&p->times, &p->stats[t]->waited, COLUMNS, i);

		if (bar > 0)
			svg_box(p->out, x + WIDTH * i / COLUMNS, base - bar, WIDTH / COLUMNS - 1,
			    bar, styles[t]);
	}
}

/* Draws UDP upwards in the upper half and TCP downwards in the lower, each to its own height. */
static void draw_histogram(const struct pages *p, double x, double y)
{
	const int parts = (p->stats[0] != NULL) + (p->stats[1] != NULL);
	const double height = HEIGHT / parts;
	double base = y;

	put_frame(p->out, x, y, "histogram of these times");
	times_below(p, x, y);
	for (int t = 0; t < TRANSPORTS; t++) {
		const struct histogram *h = p->stats[t] ? &p->stats[t]->waited : NULL;
		const uint64_t max = h ? axis_max_column(&p->times, h, COLUMNS) : 0;

		if (!h)
			continue;
		base += height;
		draw_bars(p, t, x, base, (height - 34) / (double)max);
		svg_words(p->out, x + 10, base - height + 26, SVG_START,
		    TEXT_FORMAT("%s: %s, highest bar %" PRIu64, transport_info[t].title,
		        TEXT_COUNT(h->count, "line"), h->count > 0 ? max : 0));
	}
}

static void draw_cumulative(const struct pages *p, double x, double y)
{
	double points[(int)WIDTH + 1][2];

	put_frame(p->out, x, y, "share answered within a time");
	times_below(p, x, y);
	for (int share = 0; share <= 100; share += 20)
		mark_left(p->out, x, y + HEIGHT * (1 - share / 100.0), TEXT_FORMAT("%d %%", share));
	for (int t = 0; t < TRANSPORTS; t++) {
		const struct stats *s = p->stats[t];

		if (!s || s->lines == 0)
			continue;
		for (int i = 0; i <= (int)WIDTH; i++) {
			const int64_t time = (int64_t)axis_value(&p->times, i / WIDTH);

			points[i][0] = x + i;
			points[i][1] = y +
			               HEIGHT * (1 - (double)histogram_at_most(&s->waited, time) /
			                                 (double)s->lines);
		}
		svg_curve(p->out, points, sizeof points / sizeof *points, styles[t]);
	}
}

static void draw_runs(const struct pages *p, double x, double y)
{
	const struct stats *s = p->stats[0] ? p->stats[0] : p->stats[1];
	uint64_t max = 1, longer = 0;
	char words[120];

	for (int i = 0; i < STATS_RUNS; i++) {
		max = s->runs[i] > max ? s->runs[i] : max;
		longer += i >= RUNS_SHOWN - 1 ? s->runs[i] : 0;
	}
	max = longer > max ? longer : max;
	stats_runs_words(s, words, sizeof words);
	put_frame(p->out, x, y,
	    s->run_count ? TEXT_FORMAT("%s lost in a row: longest %" PRIu64,
	                       transport_info[!p->stats[0]].title, s->longest_run)
	                 : words);
	for (int i = 0; i < RUNS_SHOWN && s->run_count; i++) {
		const uint64_t n = i == RUNS_SHOWN - 1 ? longer : s->runs[i];
		const double row = y + HEIGHT / RUNS_SHOWN * i,
		             bar = (WIDTH - 90) * (double)n / (double)max;

		svg_words(p->out, x - 8, row + 28, SVG_END,
		    TEXT_FORMAT("%d%s", i + 1, i == RUNS_SHOWN - 1 ? " +" : ""));
		svg_box(p->out, x + 2, row + 6, bar, 26, SVG_LOST);
		svg_words(p->out, x + bar + 10, row + 28, SVG_START, TEXT_FORMAT("%" PRIu64, n));
	}
}

/* --- the figures --- */

static int make_stats(struct pages *p)
{
	const struct histogram *histograms[TRANSPORTS] = { NULL };

	for (size_t i = 0; i < p->data->line_count; i++) {
		const struct ledger_row *r = &p->data->lines[i];
		struct stats **s = &p->stats[r->stream];

		if (!*s && !(*s = calloc(1, sizeof **s)))
			return -1;
		if (r->fate != FATE_QUEUED && r->fate != FATE_WAITING)
			stats_add(*s, r->fate == FATE_LOST, -1, waited_of(r));
	}
	for (int t = 0; t < TRANSPORTS; t++)
		histograms[t] = p->stats[t] ? &p->stats[t]->waited : NULL;
	if (!axis_for_times(&p->times, histograms, TRANSPORTS))
		p->times = axis_for(1e6, 1e6);
	return 0;
}

static void draw_legend(const struct pages *p)
{
	double x = LEFT;

	for (int t = 0; t < TRANSPORTS; t++) {
		if (!p->stats[t])
			continue;
		svg_box(p->out, x, LEGEND - 20, 36, 20, styles[t]);
		svg_words(p->out, x + 46, LEGEND, SVG_START, transport_info[t].title);
		x += 130;
	}
	svg_cross(p->out, x + 18, LEGEND - 9, SVG_LOST);
	svg_words(p->out, x + 46, LEGEND, SVG_START, "not answered");
}

static void draw(const struct pages *p, const struct svg_heading *heading)
{
	svg_begin(p->out, heading);
	if (p->stats[0] || p->stats[1]) {
		draw_waited(p, LEFT, TOP);
		draw_histogram(p, LEFT + NEXT_X, TOP);
		draw_cumulative(p, LEFT, TOP + NEXT_Y);
		draw_runs(p, LEFT + NEXT_X, TOP + NEXT_Y);
		draw_legend(p);
	} else {
		svg_words(p->out, LEFT, TOP, SVG_START, "no lines");
	}
	svg_end(p->out);
}

int svg_plots_page(FILE *out, const struct picture_data *d, const struct svg_heading *heading)
{
	struct pages p = { .out = out,
		.data = d,
		.first = d->line_count > 0 ? d->lines[0].number : 0,
		.last = d->line_count > 0 ? d->lines[d->line_count - 1].number : 0 };
	const int result = make_stats(&p);

	if (result == 0)
		draw(&p, heading);
	for (int t = 0; t < TRANSPORTS; t++)
		free(p.stats[t]);
	return result;
}
