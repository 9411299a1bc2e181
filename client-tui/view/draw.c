/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A draw of the whole screen. Rows are laid out from the last one shown upwards until the panes are
 * full, so a draw costs what can be seen and not what the transcript holds. */
#include "config.h"

#include "view/view-internal.h"

#include <stdlib.h>

/* The first row to show so that `bottom` ends on the last of `height` display lines, and how many
 * of its lines are above the screen. */
static uint64_t first_shown(const struct list *l, const struct view_place *bottom, int height,
    size_t *skip)
{
	size_t lines = bottom->lines, wanted = (size_t)height;
	uint64_t index = bottom->index;
	while (lines < wanted && list_back(l, &index))
		lines += row_lay(l, index).lines;
	*skip = lines > wanted ? lines - wanted : 0;
	return index;
}

/* Returns the canvas row behind the last one drawn. */
static int draw_list(const struct list *l, int height, const struct view_place *bottom)
{
	size_t skip;
	int at = l->p->top, end = at + height;
	uint64_t i = first_shown(l, bottom, height, &skip);
	do {
		const struct view_row row = row_lay(l, i);
		size_t count = row.lines > skip ? row.lines - skip : 0;
		if (count > (size_t)(end - at))
			count = (size_t)(end - at);
		row_draw(l, &row, skip, (int)count, at);
		at += (int)count;
		skip = 0;
	} while (at < end && list_on(l, &i) && i <= bottom->index);
	return at;
}

/* Each list by itself; the bars go on as far as the longest. */
static void draw_rows(const struct panes *p)
{
	int bars_end = p->top;
	scroll_settle(p);
	int height = scroll_height(p);
	for (enum view_list of = 0; of < VIEW_LISTS && height > 0; of++) {
		const struct list l = { p, of };
		struct view_place bottom;
		if (!list_shown(p->v, of) || !scroll_bottom(&l, &bottom))
			continue;
		int end = draw_list(&l, height, &bottom);
		for (; of != LIST_ROWS && bars_end < end; bars_end++)
			row_draw_bars(p, bars_end);
		bars_end = end > bars_end ? end : bars_end;
		if (height == p->height)
			continue;
		const struct pane *pane = &p->side[list_side(&l)];
		bool replies = of != LIST_ROWS;
		page_more(p->c, p->top + height, replies ? pane->from : 0,
		    replies          ? pane->to
		    : p->v->arrivals ? p->left_end
		                     : p->columns,
		    scroll_below(&l, &bottom));
	}
}

void view_draw(struct view *v, struct canvas *c, const struct transcript *b,
    const struct view_status *status, const struct view_input *input)
{
	v->now = status->now;
	v->stream = status->stream;
	const struct panes p = panes_measure(v, c, b, c->rows, c->columns);
	canvas_clear(c);
	status_draw(&p, status);
	link_row_draw(&p);
	link_row_draw_ends(&p);
	if (v->page != NULL) {
		page_draw(&p);
	} else if (v->lab != NULL && v->lab->panel->open) {
		link_row_draw_panel(&p);
	} else if (v->plot != NULL && v->plot->kind < PLOT_NONE) {
		plot_draw_panes(&p);
	} else {
		panes_draw_headings(&p);
		draw_rows(&p);
	}
	plot_draw_spark_row(&p);
	input_line_draw(&p, input);
}

void view_free(struct view *v)
{
	struct view_bytes *const bytes[] = { &v->words[0], &v->words[1], &v->words[2], &v->notice,
		&v->shown, &v->capitals };
	row_drop_texts(v);
	layout_free(&v->line);
	for (int i = 0; i <= VIEW_SIDES; i++)
		row_free_laid(&v->brief[i]);
	for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
		free(bytes[i]->bytes);
		*bytes[i] = (struct view_bytes){ 0 };
	}
}
