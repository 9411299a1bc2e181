/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The view: a draw, and which rows the panes show. Rows are laid out from the last one shown
 * upwards until the panes are full, so a draw costs what can be seen and not what the transcript
 * holds. */
#include "config.h"

#include "view/view-internal.h"

#include <stdlib.h>
#include <string.h>

bool list_shown(const struct view *v, enum view_list of)
{
	return of == LIST_ROWS || (v->arrivals && (v->both || v->stream == (of == LIST_TCP)));
}

int list_side(const struct view *v, enum view_list of)
{
	return v->both && of == LIST_TCP;
}

uint64_t list_first(const struct list *l)
{
	return l->of == LIST_ROWS ? transcript_first(l->b)
	                          : transcript_arrivals_first(l->b, l->of == LIST_TCP);
}

uint64_t list_end(const struct list *l)
{
	return l->of == LIST_ROWS ? transcript_end(l->b)
	                          : transcript_arrivals_end(l->b, l->of == LIST_TCP);
}

/* Strays have no row among the typed lines where they stand among the arrivals. */
static bool has_row(const struct list *l, uint64_t index)
{
	return l->of != LIST_ROWS || !l->v->arrivals ||
	       transcript_item(l->b, index)->kind != TRANSCRIPT_STRAY;
}

bool list_back(const struct list *l, uint64_t *index)
{
	for (uint64_t i = *index; i > list_first(l);) {
		if (has_row(l, --i)) {
			*index = i;
			return true;
		}
	}
	return false;
}

bool list_on(const struct list *l, uint64_t *index)
{
	for (uint64_t i = *index + 1; i < list_end(l); i++) {
		if (has_row(l, i)) {
			*index = i;
			return true;
		}
	}
	return false;
}

static int ascii_width(wchar_t c)
{
	return c >= 0x20 && c < 0x7f ? 1 : -1;
}

layout_width *view_width(const struct view *v)
{
	return v->ascii ? ascii_width : v->width;
}

void view_lay(const struct view *v, struct layout *l, const char *text)
{
	if (layout_text(l, text, strlen(text), view_width(v)) != 0)
		l->count = 0;
}

/* The first row to show so that `bottom` ends on the last of `height` display lines, and how many
 * of its lines are above the screen. */
static uint64_t first_shown(const struct list *l, const struct view_place *bottom, int height,
    size_t *skip)
{
	struct view_row row;
	size_t lines = bottom->lines, wanted = (size_t)height;
	uint64_t index = bottom->index;
	while (lines < wanted && list_back(l, &index)) {
		view_row_lay(l, index, &row);
		lines += row.lines;
	}
	*skip = lines > wanted ? lines - wanted : 0;
	return index;
}

/* Returns the canvas row behind the last one drawn. */
static int draw_list(const struct list *l, struct canvas *c, int height,
    const struct view_place *bottom)
{
	size_t skip;
	int at = l->p->top, end = at + height;
	uint64_t i = first_shown(l, bottom, height, &skip);
	do {
		struct view_row row;
		view_row_lay(l, i, &row);
		size_t count = row.lines > skip ? row.lines - skip : 0;
		if (count > (size_t)(end - at))
			count = (size_t)(end - at);
		view_row_draw(l, c, &row, skip, (int)count, at);
		at += (int)count;
		skip = 0;
	} while (at < end && list_on(l, &i) && i <= bottom->index);
	return at;
}

static void draw_more(const struct list *l, struct canvas *c, int row, uint64_t n)
{
	const struct pane *pane = &l->p->side[list_side(l->v, l->of)];
	if (!l->v->arrivals)
		page_more(c, row, 0, l->p->columns, n);
	else if (l->of != LIST_ROWS)
		page_more(c, row, pane->from, pane->to, n);
	else
		page_more(c, row, 0, l->p->left_end, n);
}

/* Each list by itself; the bars go on as far as the longest. */
static void draw_rows(struct view *v, struct canvas *c, const struct panes *p,
    const struct transcript *b)
{
	int bars_end = p->top;
	scroll_settle(v, b, p);
	int height = scroll_height(v, p);
	for (enum view_list of = 0; of < VIEW_LISTS && height > 0; of++) {
		struct list l = { v, b, p, of };
		struct view_place bottom;
		if (!list_shown(v, of) || !scroll_bottom(&l, &bottom))
			continue;
		int end = draw_list(&l, c, height, &bottom);
		for (; of != LIST_ROWS && bars_end < end; bars_end++)
			view_row_draw_bars(&l, c, bars_end);
		bars_end = end > bars_end ? end : bars_end;
		if (height < p->height)
			draw_more(&l, c, p->top + height, scroll_below(&l, &bottom));
	}
}

void view_draw(struct view *v, struct canvas *c, const struct transcript *b,
    const struct view_status *status, const struct view_input *input)
{
	v->now = status->now;
	v->stream = status->stream;
	struct panes p = panes_measure(v, b, c->rows, c->columns);
	canvas_clear(c);
	status_draw(v, c, &p, status);
	link_row_draw(v, c, &p, status->now);
	link_row_draw_ends(v, c, &p);
	if (v->page != NULL) {
		page_draw(v, c, &p);
	} else if (v->lab != NULL && v->lab->panel->open) {
		link_row_draw_panel(v, c, &p);
	} else if (plot_shown(v)) {
		plot_draw_panes(v, c, &p);
	} else {
		panes_draw_headings(v, c, &p);
		draw_rows(v, c, &p, b);
	}
	plot_draw_spark_row(v, c, &p);
	input_line_draw(v, c, &p, input);
}

void view_free(struct view *v)
{
	view_row_drop_texts(v);
	layout_free(&v->line);
	for (int i = 0; i <= VIEW_SIDES; i++) {
		view_laid_free(&v->brief[i]);
		free(v->words[i].bytes);
		v->words[i] = (struct view_bytes){ 0 };
	}
	free(v->notice.bytes);
	free(v->shown.bytes);
	free(v->capitals.bytes);
	v->notice = v->shown = v->capitals = (struct view_bytes){ 0 };
}
