/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plot over the panes, and the row of the last round-trip times. */
#include "config.h"

#include "view/view-internal.h"

/* Columns between the sparklines of two transports. */
#define SPARK_GAP 2

bool plot_shown(const struct view *v)
{
	return v->plot != NULL && v->plot->kind < PLOT_NONE;
}

void plot_draw_panes(struct view *v, struct canvas *c, const struct panes *p)
{
	const struct plot_area area = {
		.top = p->top, .left = 0, .rows = p->height, .columns = p->columns
	};
	int column;

	if (p->heading_row >= 0) {
		canvas_fill(c, p->heading_row, 0, p->columns, L' ', STYLE_HEADING);
		column = canvas_text(c, p->heading_row, p->pad, p->columns,
		    plot_title(v->plot->kind), STYLE_HEADING);
		canvas_text(c, p->heading_row, column, p->columns,
		    "  (F6 the next one, Esc leaves)", STYLE_HEADING);
	}
	if (p->height > 0 && v->plot->count > 0)
		plot_draw(c, &area, v->plot->kind, v->plot->sources, v->plot->count, v->ascii);
	else if (p->height > 0)
		canvas_text(c, p->top, p->pad, p->columns, "no line was sent yet", STYLE_FAINT);
}

void plot_draw_spark_row(struct view *v, struct canvas *c, const struct panes *p)
{
	const int count = v->plot != NULL ? v->plot->count : 0;
	int from = p->pad;

	for (int i = 0; i < count && p->spark_row >= 0; i++) {
		const int to = p->pad + (p->columns - p->pad) * (i + 1) / count -
		               (i + 1 < count ? SPARK_GAP : 0);
		const struct plot_source *source = &v->plot->sources[i];

		from = canvas_text(c, p->spark_row, from, to,
		    source->stream ? "tcp waited " : "udp waited ",
		    source->stream ? STYLE_TCP : STYLE_UDP);
		plot_sparkline(c, p->spark_row, from, to, source, v->ascii);
		from = to + SPARK_GAP;
	}
}
