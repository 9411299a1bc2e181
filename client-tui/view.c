/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The view: where everything stands on a screen of any size, and the panes. Rows are laid out from the last one shown
 * upwards until the panes are full, so a draw costs what can be seen and not what the board holds. */
#include "config.h"

#include "view-parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From this many columns on there is a wire between the panes. */
#define WIRE_SCREEN 60
#define WIRE_COLUMNS 23
/* In the lab there is more to say: from this many columns on the wire is wider. */
#define WIDE_WIRE_SCREEN 110
#define WIDE_WIRE_COLUMNS 46
/* From this many rows on the lab's link has a row. */
#define LINK_SCREEN 8
/* A pane has numbers only if that leaves so many columns for the text. */
#define TEXT_LEAST 8
/* From this many columns on there is a blank at the left of everything. */
#define PAD_SCREEN 12
#define NUMBERS_SCREEN 30
/* The oldest item looked at for the greatest number. */
#define NUMBER_WALK 1000

/* The smaller the screen, the fewer rows are spared from the panes. */
static void place_rows(struct panes *p, bool lab)
{
	p->status_row = p->rows >= 2 ? 0 : -1;
	p->heading_row = p->rows >= 5 ? 1 : -1;
	p->keys_row = p->rows >= 6 ? p->rows - 1 : -1;
	p->input_row = p->rows - (p->keys_row >= 0 ? 2 : 1);
	p->top = p->heading_row >= 0 ? 2 : p->status_row + 1;
	p->link_row = lab && p->rows >= LINK_SCREEN ? p->input_row - 1 : -1;
	p->height = (p->link_row >= 0 ? p->link_row : p->input_row) - p->top;
}

static void place_columns(struct panes *p, int wire_columns)
{
	int bars = p->columns < 3 ? 0 : p->columns < WIRE_SCREEN ? 1 : 2;
	int wire = bars == 2 ? wire_columns : 0;
	int sides = p->columns - bars - wire;
	p->left_end = bars == 0 ? p->columns : (sides + 1) / 2;
	p->first_bar = bars > 0 ? p->left_end : -1;
	p->wire = bars == 2 ? p->left_end + 1 : -1;
	p->wire_end = bars == 2 ? p->wire + wire : -1;
	p->second_bar = bars == 2 ? p->wire_end : -1;
	p->right = p->left_end + bars + wire;
	p->right_end = p->columns;
	p->pad = p->columns >= PAD_SCREEN ? 1 : 0;
}

/* The digits of the greatest number on the board; it is that of the last line. */
static int number_digits(const struct board *b)
{
	int digits = 2;
	uint64_t end = board_end(b), first = board_first(b);
	if (end - first > NUMBER_WALK)
		first = end - NUMBER_WALK;
	while (end > first) {
		const struct board_item *item = board_item(b, --end);
		if (item->kind != BOARD_LINE)
			continue;
		for (uint64_t number = item->number; number > 99; number /= 10)
			digits++;
		break;
	}
	return digits;
}

struct panes panes_measure(const struct view *v, const struct board *b, int rows, int columns)
{
	struct panes p = { .rows = rows, .columns = columns };
	place_rows(&p, v->lab != NULL);
	place_columns(&p, v->lab != NULL && columns >= WIDE_WIRE_SCREEN ? WIDE_WIRE_COLUMNS : WIRE_COLUMNS);
	int digits = number_digits(b);
	int narrower = p.right_end - p.right;
	if (columns >= NUMBERS_SCREEN && narrower - p.pad - digits - 1 >= TEXT_LEAST)
		p.digits = digits;
	p.left_text = p.pad + (p.digits > 0 ? p.digits + 1 : 0);
	p.right_text = p.right + p.left_text;
	return p;
}

uint64_t panes_first(const struct board *b)
{
	return board_first(b);
}

uint64_t panes_end(const struct view *v, const struct board *b)
{
	uint64_t items = board_end(b) - board_first(b);
	uint64_t arrivals = board_arrivals_end(b) - board_arrivals_first(b);
	return board_first(b) + (v->arrivals && arrivals > items ? arrivals : items);
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

static void draw_headings(const struct view *v, struct canvas *c, const struct panes *p)
{
	int row = p->heading_row, pad = p->pad;
	if (row < 0)
		return;
	canvas_fill(c, row, 0, p->columns, L' ', STYLE_HEADING);
	canvas_text(c, row, pad, p->left_end, "typed", STYLE_HEADING);
	if (p->wire >= 0)
		canvas_text(c, row, p->wire + pad, p->wire_end, "the wire", STYLE_HEADING);
	canvas_text(c, row, p->right + pad, p->right_end, v->arrivals ? "replies as they came" : "replies",
	    STYLE_HEADING);
	const char *bar = glyph(GLYPH_BAR_UDP, v->ascii);
	if (p->first_bar >= 0)
		canvas_text(c, row, p->first_bar, p->columns, bar, STYLE_HEADING);
	if (p->second_bar >= 0)
		canvas_text(c, row, p->second_bar, p->columns, bar, STYLE_HEADING);
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
	if (v->page != NULL) {
		page_draw(v, c, &p);
	} else if (v->lab != NULL && v->lab->panel->open) {
		panel_draw(v, c, &p);
	} else {
		draw_headings(v, c, &p);
		draw_rows(v, c, &p, b, facts->now);
	}
	input_draw(v, c, &p, input);
}

void view_free(struct view *v)
{
	layout_free(&v->typed);
	layout_free(&v->reply);
	layout_free(&v->line);
	free(v->left.bytes);
	free(v->right.bytes);
	free(v->capitals.bytes);
	v->left = v->right = v->capitals = (struct view_bytes) { 0 };
}
