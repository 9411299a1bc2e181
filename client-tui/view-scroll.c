/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scrolling. The position is the last row shown and how many of its display lines: rows have different heights on
 * different screens, so a position counted in lines from the end would not be held. */
#include "config.h"

#include "view-parts.h"

/* The lines of one row. */
static size_t lines_of(struct view *v, const struct board *b, const struct panes *p, uint64_t index)
{
	struct row row;
	row_lay(v, b, p, index, &row);
	return row.lines;
}

/* The rows that a scrolled screen has for the panes: the last says what is below. */
static int scrolled_height(const struct panes *p)
{
	return p->height > 1 ? p->height - 1 : p->height;
}

static bool before(const struct place *a, const struct place *b)
{
	return a->index < b->index || (a->index == b->index && a->lines < b->lines);
}

static bool at_end(struct view *v, const struct board *b, const struct panes *p, const struct place *place)
{
	return place->index + 1 >= panes_end(v, b) && place->lines >= lines_of(v, b, p, place->index);
}

/* Where the screen ends when it begins with the first row: the furthest that it can be scrolled up. False if all rows fit
 * on the screen that is not scrolled. */
static bool furthest_up(struct view *v, const struct board *b, const struct panes *p, struct place *place)
{
	size_t whole = p->height > 0 ? (size_t)p->height : 1, wanted = (size_t)scrolled_height(p), sum = 0;
	bool found = false;
	if (wanted < 1)
		wanted = 1;
	for (uint64_t i = panes_first(b); i < panes_end(v, b); i++) {
		size_t lines = lines_of(v, b, p, i);
		if (!found && sum + lines >= wanted) {
			*place = (struct place) { .index = i, .lines = wanted - sum };
			found = true;
		}
		sum += lines;
		if (sum > whole)
			return true;
	}
	return false;
}

static struct place end_place(struct view *v, const struct board *b, const struct panes *p)
{
	uint64_t last = panes_end(v, b) - 1;
	return (struct place) { .index = last, .lines = lines_of(v, b, p, last) };
}

/* The position kept in the view, in range; that of the end when it is not scrolled. There are rows. */
static struct place current(struct view *v, const struct board *b, const struct panes *p)
{
	if (!v->scrolled || v->bottom >= panes_end(v, b))
		return end_place(v, b, p);
	if (v->bottom < panes_first(b))
		return (struct place) { .index = panes_first(b), .lines = 1 };
	size_t lines = lines_of(v, b, p, v->bottom);
	return (struct place) {
		.index = v->bottom,
		.lines = v->bottom_line < 1 ? 1 : v->bottom_line > lines ? lines : v->bottom_line,
	};
}

static void keep(struct view *v, const struct place *place)
{
	v->bottom = place->index;
	v->bottom_line = place->lines;
}

/* Rows further than a screen from the first need no check of the upper end. */
static void settle(struct view *v, const struct board *b, const struct panes *p, struct place *place)
{
	struct place least;
	if (place->index - panes_first(b) <= (uint64_t)p->height) {
		if (!furthest_up(v, b, p, &least)) {
			v->scrolled = false;
			*place = end_place(v, b, p);
		} else if (before(place, &least)) {
			*place = least;
		}
	}
	if (v->scrolled && at_end(v, b, p, place))
		v->scrolled = false;
	keep(v, place);
}

bool scroll_settle(struct view *v, const struct board *b, const struct panes *p, struct place *bottom, int *height)
{
	*height = p->height;
	if (panes_end(v, b) == panes_first(b)) {
		v->scrolled = false;
		return false;
	}
	*bottom = current(v, b, p);
	if (v->scrolled)
		settle(v, b, p, bottom);
	if (v->scrolled)
		*height = scrolled_height(p);
	return true;
}

uint64_t scroll_below(struct view *v, const struct board *b, const struct panes *p, const struct place *bottom)
{
	uint64_t after = panes_end(v, b) - 1 - bottom->index;
	return after + (bottom->lines < lines_of(v, b, p, bottom->index) ? 1 : 0);
}

static void move_up(struct view *v, const struct board *b, const struct panes *p, struct place *place, size_t lines)
{
	while (lines >= place->lines && place->index > panes_first(b)) {
		lines -= place->lines;
		place->index--;
		place->lines = lines_of(v, b, p, place->index);
	}
	place->lines = place->lines > lines ? place->lines - lines : 1;
}

static void move_down(struct view *v, const struct board *b, const struct panes *p, struct place *place, size_t lines)
{
	size_t here = lines_of(v, b, p, place->index);
	while (lines > here - place->lines && place->index + 1 < panes_end(v, b)) {
		lines -= here - place->lines;
		place->index++;
		place->lines = 0;
		here = lines_of(v, b, p, place->index);
	}
	place->lines = lines < here - place->lines ? place->lines + lines : here;
}

void view_scroll(struct view *v, const struct board *b, int rows, int columns, long lines)
{
	struct panes p = panes_measure(v, b, rows, columns);
	if (v->page != NULL) {
		page_scroll(v, &p, lines);
		return;
	}
	if (lines == 0 || panes_end(v, b) == panes_first(b))
		return;
	struct place place = current(v, b, &p);
	if (lines < 0)
		move_up(v, b, &p, &place, 0 - (size_t)lines);
	else
		move_down(v, b, &p, &place, (size_t)lines);
	v->scrolled = true;
	settle(v, b, &p, &place);
}

void view_scroll_page(struct view *v, const struct board *b, int rows, int columns, int pages)
{
	struct panes p = panes_measure(v, b, rows, columns);
	/* One line of the page before stays, and one says what is below. */
	long step = p.height > 3 ? p.height - 2 : 1;
	view_scroll(v, b, rows, columns, pages * step);
}

void view_scroll_top(struct view *v, const struct board *b, int rows, int columns)
{
	struct panes p = panes_measure(v, b, rows, columns);
	if (v->page != NULL) {
		v->page->top = 0;
		return;
	}
	struct place place = { .index = panes_first(b), .lines = 1 };
	if (panes_end(v, b) == panes_first(b))
		return;
	v->scrolled = true;
	settle(v, b, &p, &place);
}

void view_scroll_end(struct view *v)
{
	if (v->page != NULL)
		v->page->top = SIZE_MAX;
	v->scrolled = false;
}
