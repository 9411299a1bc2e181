/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The view: a draw, and which rows the panes show. Rows are laid out from the last one shown
 * upwards until the panes are full, so a draw costs what can be seen and not what the board holds. */
#include "config.h"

#include "view-parts.h"

#include <stdlib.h>
#include <string.h>

uint64_t panes_first(const struct board *b)
{
	return board_first(b);
}

uint64_t panes_end(const struct view *v, const struct board *b)
{
	uint64_t rows = board_end(b) - board_first(b), arrivals[VIEW_SIDES] = { 0 };
	if (v->arrivals && v->both) {
		for (int i = 0; i < VIEW_SIDES; i++)
			arrivals[i] = board_arrivals_end_of(b, i != 0) - board_arrivals_first_of(b, i != 0);
	} else if (v->arrivals) {
		arrivals[0] = board_arrivals_end(b) - board_arrivals_first(b);
	}
	for (int i = 0; i < VIEW_SIDES; i++)
		rows = arrivals[i] > rows ? arrivals[i] : rows;
	return board_first(b) + rows;
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

/* The first row to show so that `bottom` ends on the last of `height` display lines, and how many of its lines are above the
 * screen. */
static uint64_t first_shown(struct view *v, const struct board *b, const struct panes *p, const struct place *bottom,
    int height, size_t *skip)
{
	struct row row;
	size_t lines = bottom->lines, wanted = (size_t)height;
	uint64_t index = bottom->index;
	while (lines < wanted && index > panes_first(b)) {
		row_lay(v, b, p, --index, &row);
		lines += row.lines;
	}
	*skip = lines > wanted ? lines - wanted : 0;
	return index;
}

static void draw_rows(struct view *v, struct canvas *c, const struct panes *p, const struct board *b, int64_t now)
{
	struct place bottom;
	int height;
	size_t skip;
	if (p->height < 1 || !scroll_settle(v, b, p, &bottom, &height))
		return;
	int at = p->top, end = p->top + height;
	for (uint64_t i = first_shown(v, b, p, &bottom, height, &skip); i <= bottom.index && at < end; i++, skip = 0) {
		struct row row;
		row_lay(v, b, p, i, &row);
		size_t count = row.lines > skip ? row.lines - skip : 0;
		if (count > (size_t)(end - at))
			count = (size_t)(end - at);
		row_draw(v, c, p, &row, skip, (int)count, at, now);
		at += (int)count;
	}
	if (height < p->height)
		page_more(c, end, 0, scroll_below(v, b, p, &bottom));
}

void view_draw(struct view *v, struct canvas *c, const struct board *b, const struct view_facts *facts,
    const struct view_input *input)
{
	v->now = facts->now;
	v->stream = facts->stream;
	struct panes p = panes_measure(v, b, c->rows, c->columns);
	canvas_clear(c);
	status_draw(v, c, &p, facts);
	link_draw(v, c, &p, facts->now);
	ends_draw(v, c, &p);
	if (v->page != NULL) {
		page_draw(v, c, &p);
	} else if (v->lab != NULL && v->lab->panel->open) {
		panel_draw(v, c, &p);
	} else if (plot_shown(v)) {
		plot_panes_draw(v, c, &p);
	} else {
		headings_draw(v, c, &p);
		draw_rows(v, c, &p, b, facts->now);
	}
	spark_draw(v, c, &p);
	input_draw(v, c, &p, input);
}

void view_free(struct view *v)
{
	layout_free(&v->typed);
	layout_free(&v->line);
	for (int i = 0; i < VIEW_SIDES; i++) {
		layout_free(&v->reply[i]);
		free(v->right[i].bytes);
		v->right[i] = (struct view_bytes) { 0 };
	}
	free(v->left.bytes);
	free(v->capitals.bytes);
	v->left = v->capitals = (struct view_bytes) { 0 };
}
