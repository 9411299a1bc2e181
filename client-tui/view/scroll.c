/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scrolling. The position in each list is the last row shown and how many of its display lines:
 * rows have different heights on different screens, so a position counted in lines from the end
 * would not be held. All lists on the screen scroll by the same display lines, each as far as it
 * has some. */
#include "config.h"

#include "view/view-internal.h"

/* The display lines of one row. */
static size_t lines_of(const struct list *l, uint64_t index)
{
	struct view_row row;
	view_row_lay(l, index, &row);
	return row.lines;
}

/* The rows that a scrolled screen has for the panes: the last says what is below. */
static int scrolled_height(const struct panes *p)
{
	return p->height > 1 ? p->height - 1 : p->height;
}

int scroll_height(const struct view *v, const struct panes *p)
{
	return v->scrolled ? scrolled_height(p) : p->height;
}

static bool before(const struct view_place *a, const struct view_place *b)
{
	return a->index < b->index || (a->index == b->index && a->lines < b->lines);
}

/* Where so many display lines from the first on end. Returns false if there are fewer. */
static bool lines_end(const struct list *l, int lines, struct view_place *place)
{
	size_t left = lines > 0 ? (size_t)lines : 1;
	uint64_t i = list_first(l) - 1;
	while (list_on(l, &i)) {
		size_t n = lines_of(l, i);
		if (n >= left) {
			*place = (struct view_place){ .index = i, .lines = left };
			return true;
		}
		left -= n;
	}
	return false;
}

static bool end_place(const struct list *l, struct view_place *place)
{
	uint64_t i = list_end(l);
	if (!list_back(l, &i))
		return false;
	*place = (struct view_place){ .index = i, .lines = lines_of(l, i) };
	return true;
}

bool scroll_bottom(const struct list *l, struct view_place *place)
{
	struct view_place kept = l->v->bottom[l->of];
	if (!end_place(l, place))
		return false;
	if (!l->v->scrolled || kept.index > place->index)
		return true;
	/* A row that is not there (any more): the one before it, else the first. */
	uint64_t i = kept.index + 1;
	if (!list_back(l, &i)) {
		i = list_first(l) - 1;
		list_on(l, &i);
		kept.lines = 1;
	}
	size_t lines = lines_of(l, i);
	*place = (struct view_place){ .index = i,
		.lines = kept.lines < 1     ? 1
		       : kept.lines > lines ? lines
		                            : kept.lines };
	return true;
}

bool scroll_belongs(const struct transcript_arrival *a, const struct transcript_item *item,
    uint64_t index)
{
	if (item->kind == TRANSCRIPT_LINE)
		return a->number == item->number;
	return item->kind == TRANSCRIPT_STRAY && a->match == MATCH_STRAY && a->items == index + 1;
}

/* The number that the lines up to an item reach. */
static uint64_t number_at(const struct transcript *b, uint64_t index)
{
	for (const struct transcript_item *item; (item = transcript_item(b, index)) != NULL;
	    index--) {
		if (item->kind == TRANSCRIPT_LINE)
			return item->number;
	}
	return 0;
}

void scroll_to_item(const struct list *l, uint64_t index)
{
	const struct transcript_item *item = transcript_item(l->b, index);
	struct view_place *place = &l->v->bottom[l->of];
	uint64_t number = number_at(l->b, index), best = 0;
	*place = (struct view_place){ .index = l->of == LIST_ROWS ? index : list_first(l),
		.lines = SIZE_MAX };
	for (uint64_t i = list_end(l); l->of != LIST_ROWS && item != NULL && list_back(l, &i);) {
		const struct transcript_arrival *a = transcript_arrival(l->b, l->of == LIST_TCP, i);
		bool belongs = scroll_belongs(a, item, index);
		if (!belongs && (a->number < best || a->number > number || a->number == 0))
			continue;
		best = belongs ? UINT64_MAX : a->number;
		place->index = i;
	}
}

/* A list that comes onto a scrolled screen shows what belongs to the rows there. */
static void join(struct view *v, const struct transcript *b, const struct panes *p)
{
	struct list rows = { v, b, p, LIST_ROWS };
	struct view_place bottom;
	for (enum view_list of = 0; of < VIEW_LISTS; of++) {
		struct list l = { v, b, p, of };
		bool shown = list_shown(v, of);
		if (shown && !v->listed[of] && v->scrolled && of != LIST_ROWS &&
		    scroll_bottom(&rows, &bottom))
			scroll_to_item(&l, bottom.index);
		v->listed[of] = shown;
	}
}

/* Keeps the list's position in range. Returns true if that is not its end. */
static bool settle(const struct list *l)
{
	struct view_place place, min, end;
	if (!scroll_bottom(l, &place) || !end_place(l, &end))
		return false;
	if (!lines_end(l, scrolled_height(l->p), &min))
		place = end;
	else if (before(&place, &min))
		place = min;
	l->v->bottom[l->of] = place;
	return before(&place, &end);
}

void scroll_settle(struct view *v, const struct transcript *b, const struct panes *p)
{
	bool fits = true, away = false;
	join(v, b, p);
	for (enum view_list of = 0; of < VIEW_LISTS && v->scrolled; of++) {
		struct list l = { v, b, p, of };
		struct view_place place;
		if (!list_shown(v, of))
			continue;
		fits = !lines_end(&l, p->height + 1, &place) && fits;
		away = settle(&l) || away;
	}
	v->scrolled = v->scrolled && away && !fits;
}

uint64_t scroll_below(const struct list *l, const struct view_place *bottom)
{
	uint64_t n = bottom->lines < lines_of(l, bottom->index);
	for (uint64_t i = bottom->index; list_on(l, &i);)
		n++;
	return n;
}

static void move_up(const struct list *l, struct view_place *place, size_t lines)
{
	while (lines >= place->lines && list_back(l, &place->index)) {
		lines -= place->lines;
		place->lines = lines_of(l, place->index);
	}
	place->lines = place->lines > lines ? place->lines - lines : 1;
}

static void move_down(const struct list *l, struct view_place *place, size_t lines)
{
	size_t here = lines_of(l, place->index);
	while (lines > here - place->lines && list_on(l, &place->index)) {
		lines -= here - place->lines;
		place->lines = 0;
		here = lines_of(l, place->index);
	}
	place->lines = lines < here - place->lines ? place->lines + lines : here;
}

void view_scroll(struct view *v, const struct transcript *b, int rows, int columns, long lines)
{
	struct panes p = panes_measure(v, b, rows, columns);
	if (v->page != NULL) {
		page_scroll(v, &p, lines);
		return;
	}
	if (lines == 0)
		return;
	for (enum view_list of = 0; of < VIEW_LISTS; of++) {
		struct list l = { v, b, &p, of };
		struct view_place place;
		if (!list_shown(v, of) || !scroll_bottom(&l, &place))
			continue;
		if (lines < 0)
			move_up(&l, &place, 0 - (size_t)lines);
		else
			move_down(&l, &place, (size_t)lines);
		v->bottom[of] = place;
	}
	v->scrolled = true;
	scroll_settle(v, b, &p);
}

void view_scroll_page(struct view *v, const struct transcript *b, int rows, int columns, int pages)
{
	struct panes p = panes_measure(v, b, rows, columns);
	/* One line of the page before stays, and one says what is below. */
	long step = p.height > 3 ? p.height - 2 : 1;
	view_scroll(v, b, rows, columns, pages * step);
}

void view_scroll_top(struct view *v, const struct transcript *b, int rows, int columns)
{
	struct panes p = panes_measure(v, b, rows, columns);
	if (v->page != NULL) {
		v->page->top = 0;
		return;
	}
	for (enum view_list of = 0; of < VIEW_LISTS; of++)
		v->bottom[of] = (struct view_place){ 0 };
	v->scrolled = true;
	scroll_settle(v, b, &p);
}

void view_scroll_end(struct view *v)
{
	if (v->page != NULL)
		v->page->top = SIZE_MAX;
	v->scrolled = false;
}
