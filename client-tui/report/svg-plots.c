/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page has four plots, two by two. Each has its own frame and the axes of axis.h, as on the
 * screen. */
#include "config.h"

#include "report/pictures.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/search.h"
#include "common/text.h"
#include "ledger/transport.h"
#include "report/axis.h"

/* Pixels: a plot, the margins around it, its words. */
#define WIDTH 520.0
#define HEIGHT 300.0
#define LEFT 80.0
#define GAP_X 100.0
#define GAP_Y 100.0
#define TOP (SVG_HEADING + 56)
#define FONT 11.0
#define COLUMNS 80
#define EVENT_FONT 9.0
#define EVENT_ROWS 20
#define EVENT_COLUMNS 50
#define MARKS 8
#define RUNS_SHOWN 12
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
	svg_words(out, x, y - 14, 13, SVG_START, title);
}

static void mark_left(FILE *out, double x, double y, const char *words)
{
	svg_line(out, x, y, x + WIDTH, y, SVG_GRID, 0);
	svg_words(out, x - 6, y + 4, FONT, SVG_END, words);
}

static void mark_below(FILE *out, double x, double y, const char *words)
{
	svg_line(out, x, y, x, y + 5, SVG_AXIS, 0);
	svg_words(out, x, y + 18, FONT, SVG_MIDDLE, words);
}

static void times_below(const struct pages *p, double x, double y)
{
	double marks[MARKS];
	const size_t n = axis_marks(&p->times, marks, MARKS);

	for (size_t i = 0; i < n; i++)
		mark_below(p->out, x + WIDTH * axis_place(&p->times, marks[i]), y + HEIGHT,
		    AXIS_TIME(marks[i], "µ"));
	svg_words(p->out, x + WIDTH, y + HEIGHT + 34, FONT, SVG_END, "time from Enter to reply");
}

/* --- the plots --- */

/* The greatest number of a line typed before an event; the lines are in order of time. */
static uint64_t number_before(const struct pages *p, int64_t at)
{
	size_t i;

	SEARCH_FIRST(i, 0, p->data->line_count, p->data->lines[i].typed_at > at);
	return i > 0 ? p->data->lines[i - 1].number : p->first;
}

/* Draws each event as a rule before the first line typed after it. The words move down one row from
 * event to event, then begin at the top again. */
static void draw_events(const struct pages *p, double x, double y, double span)
{
	for (size_t i = 0; i < p->data->event_count; i++) {
		const struct session_event *e = &p->data->events[i];
		const double place = ((double)(number_before(p, e->at) - p->first) + 0.5) / span;
		const double at = x + WIDTH * (e->at < p->data->lines[0].typed_at ? 0
		                                  : place < 1                     ? place
		                                                                  : 1);
		const bool left = at < x + WIDTH / 2;
		const char *words = SESSION_EVENT_TEXT(e);

		if (e->kind == SESSION_EVENT_TCP)
			continue;
		svg_line(p->out, at, y, at, y + HEIGHT, SVG_EVENT, 0);
		svg_text(p->out, at + (left ? 4 : -4), y + 10 + 12 * (double)(i % EVENT_ROWS),
		    EVENT_FONT, left ? SVG_START : SVG_END, "", words, strlen(words),
		    EVENT_COLUMNS);
	}
}

static void draw_waited(const struct pages *p, double x, double y)
{
	double marks[MARKS];
	const size_t n = axis_marks(&p->times, marks, MARKS);
	const double span = p->last > p->first ? (double)(p->last - p->first) : 1,
	             bottom = y + HEIGHT - 14;

	put_frame(p->out, x, y,
	    "time from Enter to reply, over lines; a cross is a line that was not answered");
	for (size_t i = 0; i < n; i++)
		mark_left(p->out, x, bottom - (HEIGHT - 14) * axis_place(&p->times, marks[i]),
		    AXIS_TIME(marks[i], "µ"));
	draw_events(p, x, y, span);
	for (size_t i = 0; i < p->data->line_count; i++) {
		const struct ledger_row *r = &p->data->lines[i];
		const double at = x + WIDTH * (double)(r->number - p->first) / span;
		const int64_t waited = waited_of(r);

		if (waited >= 0)
			svg_dot(p->out, at,
			    bottom - (HEIGHT - 14) * axis_place(&p->times, (double)waited),
			    styles[r->stream]);
		else if (ledger_is_unanswered(r->fate))
			svg_cross(p->out, at, y + HEIGHT - 5 - 5 * r->stream,
			    r->late ? SVG_LATE : SVG_LOST);
	}
	mark_below(p->out, x, y + HEIGHT, TEXT_FORMAT("line %" PRIu64, p->first));
	if (p->last > p->first)
		mark_below(p->out, x + WIDTH, y + HEIGHT, TEXT_FORMAT("line %" PRIu64, p->last));
}

/* Draws UDP upwards in the upper half and TCP downwards in the lower, each to its own height. */
static void draw_histogram(const struct pages *p, double x, double y)
{
	const int parts = (p->stats[0] != NULL) + (p->stats[1] != NULL);
	const double height = HEIGHT / parts;
	double base = y;

	put_frame(p->out, x, y, "histogram of times from Enter to reply");
	times_below(p, x, y);
	for (int t = 0; t < TRANSPORTS; t++) {
		const struct histogram *h = p->stats[t] ? &p->stats[t]->waited : NULL;
		const uint64_t max = h ? axis_max_column(&p->times, h, COLUMNS) : 0;

		if (!h)
			continue;
		base += height;
		for (int i = 0; i < COLUMNS; i++) {
			const double bar = (height - 24) *
			                   (double)axis_column(&p->times, h, COLUMNS, i) /
			                   (double)max;

			if (bar > 0)
				svg_box(p->out, x + WIDTH * i / COLUMNS, base - bar,
				    WIDTH / COLUMNS - 1, bar, styles[t]);
		}
		svg_words(p->out, x + 6, base - height + 14, FONT, SVG_START,
		    TEXT_FORMAT("%s: %" PRIu64 " line%s; highest column %" PRIu64,
		        transport_info[t].title, h->count, h->count == 1 ? "" : "s",
		        h->count > 0 ? max : 0));
	}
}

static void draw_cumulative(const struct pages *p, double x, double y)
{
	put_frame(p->out, x, y, "share of the lines answered within a time from Enter");
	times_below(p, x, y);
	for (int share = 0; share <= 100; share += 20)
		mark_left(p->out, x, y + HEIGHT * (1 - share / 100.0), TEXT_FORMAT("%d %%", share));
	for (int t = 0; t < TRANSPORTS; t++) {
		const struct stats *s = p->stats[t];

		if (!s || s->lines == 0)
			continue;
		svg_curve_begin(p->out, styles[t]);
		for (int i = 0; i <= (int)WIDTH; i++) {
			const int64_t time = (int64_t)axis_value(&p->times, i / WIDTH);

			svg_curve_point(p->out, x + i,
			    y + HEIGHT * (1 - (double)histogram_at_most(&s->waited, time) /
			                          (double)s->lines));
		}
		svg_curve_end(p->out);
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
	    s->run_count ? TEXT_FORMAT("%s lines %s", transport_info[!p->stats[0]].title, words)
	                 : words);
	for (int i = 0; i < RUNS_SHOWN && s->run_count; i++) {
		const uint64_t n = i == RUNS_SHOWN - 1 ? longer : s->runs[i];
		const double row = y + 8 + (HEIGHT - 16) / RUNS_SHOWN * i,
		             bar = (WIDTH - 90) * (double)n / (double)max;

		svg_words(p->out, x - 6, row + 14, FONT, SVG_END,
		    TEXT_FORMAT("%d%s", i + 1, i == RUNS_SHOWN - 1 ? " or more" : ""));
		svg_box(p->out, x + 1, row + 3, bar, 14, SVG_LOST);
		svg_words(p->out, x + bar + 8, row + 14, FONT, SVG_START,
		    TEXT_FORMAT("%" PRIu64, n));
	}
}

/* --- the figures --- */

static int make_stats(struct pages *p)
{
	const struct histogram *histograms[TRANSPORTS] = { NULL };

	for (size_t i = 0; i < p->data->line_count; i++) {
		const struct ledger_row *r = &p->data->lines[i];
		struct stats **s = &p->stats[r->stream];

		if (!*s) {
			*s = calloc(1, sizeof **s);
			if (!*s)
				return -1;
			stats_start(*s);
		}
		if (r->fate != FATE_QUEUED && r->fate != FATE_WAITING)
			stats_add(*s, r->fate == FATE_LOST, -1, waited_of(r));
	}
	for (int t = 0; t < TRANSPORTS; t++)
		histograms[t] = p->stats[t] ? &p->stats[t]->waited : NULL;
	if (!axis_for_times(&p->times, histograms, TRANSPORTS))
		p->times = axis_for(1e6, 1e6);
	return 0;
}

static void draw(const struct pages *p, const struct svg_heading *heading)
{
	const double right = LEFT + WIDTH + GAP_X, below = TOP + HEIGHT + GAP_Y,
	             width = right + WIDTH + 40;

	svg_begin(p->out, width, below + HEIGHT + 60, LEFT - 50, heading);
	for (int t = 0, x = 0; t < TRANSPORTS; t++) {
		if (!p->stats[t])
			continue;
		svg_box(p->out, LEFT - 50 + x, SVG_HEADING + 4, 20, 8, styles[t]);
		svg_words(p->out, LEFT - 24 + x, SVG_HEADING + 12, FONT, SVG_START,
		    transport_info[t].title);
		x += 80;
	}
	if (p->stats[0] || p->stats[1]) {
		draw_waited(p, LEFT, TOP);
		draw_histogram(p, right, TOP);
		draw_cumulative(p, LEFT, below);
		draw_runs(p, right, below);
	} else {
		svg_words(p->out, LEFT, TOP, 13, SVG_START, "no lines");
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
