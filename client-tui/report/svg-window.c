/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP's windows at both ends, and the link's queue below, on one axis of time. */
#include "common/text.h"
#include "report/axis.h"
#include "report/pictures.h"

/* Pixels: the plots' place and width, the ends of all of them, the room for a title. */
#define LEFT 118.0
#define WIDTH 1110.0
#define TOP (SVG_HEADING + 10)
#define BOTTOM (SVG_HEIGHT - 96)
#define TITLE 42.0
#define LEGEND (SVG_HEIGHT - 18)
#define COLUMNS ((size_t)WIDTH + 1)
#define MARKS_LEFT 3
#define MARKS_BELOW 8
/* The width of the letter that tells how a segment was sent again. */
#define LETTER 16.0

struct part {
	FILE *out;
	struct window_plot *plot;
	struct axis axis;
	double y, height;
};

static double height_of(const struct part *part, int32_t value)
{
	return part->y + part->height * (1 - axis_place(&part->axis, value));
}

/* Draws a value as a curve, which ends where it is not known or, as a peer's window, far above. */
static void draw_value(const struct part *part, enum window_value value, enum svg_style style)
{
	double points[2 * COLUMNS][2], last = 0;
	size_t n = 0;

	for (size_t i = 0; i <= COLUMNS; i++) {
		const struct window_column *c = &part->plot->columns[i];
		const bool known = i < COLUMNS && c->max[value] >= 0 &&
		                   c->min[value] <= part->axis.high;

		if (!known) {
			if (n > 0)
				svg_curve(part->out, points, n, style);
			n = 0;
			continue;
		}
		/* A value that falls begins with its maximum. */
		const int32_t near = c->max[value] <= last ? c->max[value] : c->min[value];
		const int32_t far = c->min[value] + c->max[value] - near;

		points[n][0] = points[n + 1][0] = LEFT + (double)i;
		points[n][1] = height_of(part, near);
		points[n + 1][1] = height_of(part, far);
		n += near != far || n == 0 || near != last || i + 1 == COLUMNS ? 2 : 0;
		last = far;
	}
}

static void draw_marks(const struct part *part)
{
	double end = 0;

	for (size_t i = 0; i < COLUMNS; i++)
		for (int mark = WINDOW_LOST; mark < WINDOW_MARKS; mark++) {
			const double x = LEFT + (double)i;

			if (!(part->plot->columns[i].marks >> mark & 1))
				continue;
			if (mark == WINDOW_LOST)
				svg_cross(part->out, x, part->y + part->height - 9, SVG_LOST);
			else if (x >= end)
				svg_name(part->out, x + LETTER / 2, part->y + SVG_FONT / 2,
				    SVG_RETRANSMITTED, window_letters[mark]);
			end = mark != WINDOW_LOST && x >= end ? x + LETTER : end;
		}
}

static void draw_end(const struct part *part, enum link_direction way)
{
	static const enum svg_style styles[WINDOW_FLOWS] = { SVG_TCP, SVG_UDP, SVG_LATE,
		SVG_WAITS };

	for (int i = 0; i < part->plot->flow_count; i++) {
		window_plot_fill(part->plot, part->plot->flows[i], way);
		draw_value(part, WINDOW_IN_FLIGHT, SVG_BARE);
		draw_value(part, WINDOW_PEER, SVG_GRID);
		draw_value(part, WINDOW_SSTHRESH, SVG_AXIS);
		draw_value(part, WINDOW_CWND, styles[i]);
		draw_marks(part);
	}
}

/* Draws the queue there as boxes, and the one back as dots. */
static void draw_queues(const struct part *part)
{
	for (int way = 0; way < LINK_DIRECTIONS; way++) {
		window_plot_fill(part->plot, 0, (enum link_direction)way);
		for (size_t i = 0; i < COLUMNS; i++) {
			const int32_t max = part->plot->columns[i].max[WINDOW_QUEUE];
			const double x = LEFT + (double)i, y = height_of(part, max);

			if (max > 0 && way == LINK_GOING)
				svg_box(part->out, x - 0.5, y, 1, part->y + part->height - y,
				    SVG_BARE);
			else if (max > 0)
				svg_dot(part->out, x, y, SVG_AXIS);
		}
	}
}

static void draw_part(const struct part *part, int which)
{
	static const char *const titles[WINDOW_PARTS] = { "this end's window, segments",
		"the server's window, segments",
		"packets before the link's transmitter: there, and back as dots" };
	double marks[MARKS_LEFT];
	const size_t n = axis_marks(&part->axis, marks, MARKS_LEFT);
	const double bottom = part->y + part->height;

	for (size_t i = 0; i < n; i++) {
		const double y = part->y + part->height * (1 - axis_place(&part->axis, marks[i]));

		svg_line(part->out, LEFT, y, LEFT + WIDTH, y, SVG_GRID, 0);
		svg_words(part->out, LEFT - 8, y + SVG_FONT / 3, SVG_END,
		    TEXT_FORMAT("%g", marks[i]));
	}
	svg_line(part->out, LEFT, part->y, LEFT, bottom, SVG_AXIS, 0);
	svg_line(part->out, LEFT, bottom, LEFT + WIDTH, bottom, SVG_AXIS, 0);
	svg_words(part->out, LEFT, part->y - 10, SVG_START, titles[which]);
	if (which == WINDOW_QUEUES)
		draw_queues(part);
	else
		draw_end(part, (enum link_direction)which);
}

static void times_below(FILE *out, const struct window_plot *plot)
{
	const struct axis times = { .high = plot->to > plot->from ? (double)(plot->to - plot->from)
		                                                  : 1 };
	double marks[MARKS_BELOW];
	const size_t n = axis_marks(&times, marks, MARKS_BELOW);

	for (size_t i = 0; i < n; i++) {
		const double x = LEFT + WIDTH * axis_place(&times, marks[i]);

		svg_line(out, x, BOTTOM, x, BOTTOM + 7, SVG_AXIS, 0);
		svg_words(out, x, BOTTOM + 32, SVG_MIDDLE, AXIS_TIME(marks[i], "µ"));
	}
}

static void draw_legend(FILE *out, int flows)
{
	static const struct {
		double width;
		enum svg_style style;
		const char *words;
	} curves[] = { { 130, SVG_TCP, "cwnd" }, { 245, SVG_UDP, "second flow's" },
		{ 180, SVG_AXIS, "ssthresh" }, { 180, SVG_BARE, "in flight" },
		{ 270, SVG_GRID, "receive window" } };
	double x = LEFT;

	for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
		double line[][2] = { { x, LEGEND - 9 }, { x + 30, LEGEND - 9 } };

		if (curves[i].style == SVG_UDP && flows < 2)
			continue;
		svg_curve(out, line, 2, curves[i].style);
		svg_words(out, x + 38, LEGEND, SVG_START, curves[i].words);
		x += curves[i].width;
	}
	svg_cross(out, x + 8, LEGEND - 9, SVG_LOST);
	svg_words(out, x + 26, LEGEND, SVG_START, "lost");
	svg_words(out, LEFT + WIDTH, TOP + TITLE - 10, SVG_END,
	    "sent again: t timeout, f fast, p probe");
}

static void draw(FILE *out, struct window_plot *plot)
{
	struct part part = { .out = out, .plot = plot, .y = TOP };
	int parts = 0;

	for (int i = 0; i < WINDOW_PARTS; i++)
		parts += plot->parts[i] >= 0;
	part.height = (BOTTOM - TOP) / parts - TITLE;
	for (int i = 0; i < WINDOW_PARTS; i++) {
		if (plot->parts[i] < 0)
			continue;
		part.axis = axis_for(plot->parts[i], plot->parts[i]);
		part.y += TITLE;
		draw_part(&part, i);
		part.y += part.height;
	}
	times_below(out, plot);
	draw_legend(out, plot->flow_count);
}

int svg_window_page(FILE *out, const struct picture_data *d, const struct svg_heading *heading)
{
	struct window_plot plot;
	const int result = window_plot_begin(&plot, d->windows, d->windows_until, COLUMNS);

	if (result == 0) {
		svg_begin(out, heading);
		draw(out, &plot);
		svg_end(out);
	}
	window_plot_end(&plot);
	return result;
}
