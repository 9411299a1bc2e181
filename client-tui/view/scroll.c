/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scrolling and finding. The position in each list is the last row shown and how many of its
 * display lines are shown: the height of a row depends on the screen, so a position counted in
 * lines from the end would move with the size. All lists on the screen scroll by the same number of
 * display lines, each as far as it can. */
#include "view/view-internal.h"

#include "common/bytes.h"

static size_t lines_of(const struct list *l, uint64_t index)
{
	return row_lay(l, index).lines;
}

/* The panes' rows while scrolled: the last row shows how many lines are below. */
static int scrolled_height(const struct panes *p)
{
	return p->height > 1 ? p->height - 1 : p->height;
}

int scroll_height(const struct panes *p)
{
	return p->v->scrolled ? scrolled_height(p) : p->height;
}

static bool before(const struct view_place *a, const struct view_place *b)
{
	return a->index < b->index || (a->index == b->index && a->lines < b->lines);
}

/* Sets *place to the end of the first `lines` display lines. Returns false if there are fewer. */
static bool lines_end(const struct list *l, int lines, struct view_place *place)
{
	size_t left = lines > 0 ? (size_t)lines : 1;
	uint64_t i = transcript_first(l->p->transcript, l->of) - 1;
	while (list_step(l, 1, &i)) {
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
	uint64_t i = transcript_end(l->p->transcript, l->of);
	if (!list_step(l, -1, &i))
		return false;
	*place = (struct view_place){ .index = i, .lines = lines_of(l, i) };
	return true;
}

bool scroll_bottom(const struct list *l, struct view_place *place)
{
	struct view_place kept = l->p->v->bottom[l->of];
	if (!end_place(l, place))
		return false;
	if (!l->p->v->scrolled || kept.index > place->index)
		return true;
	/* The row may no longer exist: take the one before it, else the first. */
	uint64_t i = kept.index + 1;
	if (!list_step(l, -1, &i)) {
		i = transcript_first(l->p->transcript, l->of) - 1;
		list_step(l, 1, &i);
		kept.lines = 1;
	}
	size_t lines = lines_of(l, i);
	*place = (struct view_place){ .index = i,
		.lines = kept.lines < 1     ? 1
		       : kept.lines > lines ? lines
		                            : kept.lines };
	return true;
}

uint64_t scroll_first(const struct list *l, const struct view_place *bottom, int height,
    size_t *skip)
{
	size_t lines = bottom->lines, wanted = (size_t)height;
	uint64_t index = bottom->index;
	while (lines < wanted && list_step(l, -1, &index))
		lines += row_lay(l, index).lines;
	*skip = lines > wanted ? lines - wanted : 0;
	return index;
}

/* The greatest line number up to an item. */
static uint64_t number_at(const struct transcript *t, uint64_t index)
{
	for (const struct transcript_item *item; (item = transcript_item(t, index)) != NULL;
	    index--) {
		if (item->kind == TRANSCRIPT_LINE)
			return item->number;
	}
	return 0;
}

/* Ends the list with the item or its reply; without one, the last reply to an earlier line. */
static void end_at_item(const struct list *l, uint64_t index)
{
	const struct transcript *t = l->p->transcript;
	const struct transcript_item *item = transcript_item(t, index);
	struct view_place *place = &l->p->v->bottom[l->of];
	uint64_t number = number_at(t, index), best = 0;
	*place = (struct view_place){
		.index = l->of == LIST_ROWS ? index : transcript_first(t, l->of), .lines = SIZE_MAX
	};
	for (uint64_t i = transcript_end(t, l->of);
	    l->of != LIST_ROWS && item && list_step(l, -1, &i);) {
		const struct transcript_arrival *a = transcript_arrival(t, l->of, i);
		bool belongs = row_belongs(a, item, index);
		if (!belongs && (a->number < best || a->number > number || a->number == 0))
			continue;
		best = belongs ? UINT64_MAX : a->number;
		place->index = i;
	}
}

/* Aligns a list that appears on a scrolled screen with the rows there. */
static void join(const struct panes *p)
{
	struct view *v = p->v;
	const struct list rows = { p, LIST_ROWS };
	struct view_place bottom;
	for (enum transcript_list of = 0; of < LISTS; of++) {
		const struct list l = { p, of };
		bool shown = list_shown(v, of);
		if (shown && !v->listed[of] && v->scrolled && of != LIST_ROWS &&
		    scroll_bottom(&rows, &bottom))
			end_at_item(&l, bottom.index);
		v->listed[of] = shown;
	}
}

/* Keeps the list's position in range. Returns true if the position is not the end of the list. */
static bool settle(const struct list *l)
{
	struct view_place place, min, end;
	if (!scroll_bottom(l, &place) || !end_place(l, &end))
		return false;
	if (!lines_end(l, scrolled_height(l->p), &min))
		place = end;
	else if (before(&place, &min))
		place = min;
	l->p->v->bottom[l->of] = place;
	return before(&place, &end);
}

void scroll_settle(const struct panes *p)
{
	struct view *v = p->v;
	bool fits = true, away = false;
	join(p);
	for (enum transcript_list of = 0; of < LISTS && v->scrolled; of++) {
		const struct list l = { p, of };
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
	for (uint64_t i = bottom->index; list_step(l, 1, &i);)
		n++;
	return n;
}

static void move_up(const struct list *l, struct view_place *place, size_t lines)
{
	while (lines >= place->lines && list_step(l, -1, &place->index)) {
		lines -= place->lines;
		place->lines = lines_of(l, place->index);
	}
	place->lines = place->lines > lines ? place->lines - lines : 1;
}

static void move_down(const struct list *l, struct view_place *place, size_t lines)
{
	size_t here = lines_of(l, place->index);
	while (lines > here - place->lines && list_step(l, 1, &place->index)) {
		lines -= here - place->lines;
		place->lines = 0;
		here = lines_of(l, place->index);
	}
	place->lines = lines < here - place->lines ? place->lines + lines : here;
}

static void scroll(const struct panes *p, long lines)
{
	struct view *v = p->v;
	if (v->page) {
		page_scroll(p, lines);
		return;
	}
	if (lines == 0)
		return;
	for (enum transcript_list of = 0; of < LISTS; of++) {
		const struct list l = { p, of };
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
	scroll_settle(p);
}

void view_scroll(struct view *v, long lines)
{
	const struct panes p = panes_measure(v, NULL);
	scroll(&p, lines);
}

void view_scroll_page(struct view *v, int pages)
{
	const struct panes p = panes_measure(v, NULL);
	/* A page repeats one line of the page before; its last row shows what is below. */
	scroll(&p, pages * (p.height > 3 ? p.height - 2 : 1));
}

void view_scroll_top(struct view *v)
{
	const struct panes p = panes_measure(v, NULL);
	if (v->page) {
		v->page->top = 0;
		return;
	}
	for (enum transcript_list of = 0; of < LISTS; of++)
		v->bottom[of] = (struct view_place){ 0 };
	v->scrolled = true;
	scroll_settle(&p);
}

void view_scroll_end(struct view *v)
{
	if (v->page)
		v->page->top = SIZE_MAX;
	v->scrolled = false;
}

/* --- selecting --- */

/* Scrolls so that the item is in the middle of the screen; a long item begins there. */
static void show_item(const struct panes *p, uint64_t index)
{
	p->v->scrolled = true;
	for (enum transcript_list of = 0; of < LISTS; of++) {
		end_at_item(&(const struct list){ p, of }, index);
		p->v->bottom[of].lines = 1;
	}
	scroll(p, p->height / 2);
}

/* Selects an item, and shows it if its row is not seen whole. */
static void select_item(struct view *v, uint64_t index)
{
	struct view_place bottom;
	size_t skip;
	v->selected = index;
	/* The detail area may have come. */
	const struct panes p = panes_measure(v, NULL);
	const struct list l = { &p, LIST_ROWS };
	if (!scroll_bottom(&l, &bottom))
		return;
	const uint64_t first = scroll_first(&l, &bottom, scroll_height(&p), &skip);
	if (index > bottom.index || index < first || (index == first && skip > 0))
		show_item(&p, index);
}

/* Whether the item is a line, a stray, or a connection's notice that is cut: any other notice has
 * no more to tell than its row. */
static bool is_selectable(const struct panes *p, uint64_t index)
{
	const struct transcript_item *item = transcript_item(p->transcript, index);
	return item && (item->kind <= TRANSCRIPT_STRAY ||
	                   row_is_cut(&(const struct list){ p, LIST_ROWS }, index));
}

/* Moves *index to the next item that can be selected. Returns false if there is none. */
static bool step(const struct list *l, int by, uint64_t *index)
{
	uint64_t i = *index;
	while (list_step(l, by, &i))
		if (is_selectable(l->p, i)) {
			*index = i;
			return true;
		}
	return false;
}

void view_select(struct view *v, int steps)
{
	const struct panes p = panes_measure(v, NULL);
	const struct list l = { &p, LIST_ROWS };
	struct view_place bottom;
	if (v->page) {
		page_scroll(&p, steps);
		return;
	}
	uint64_t index = v->selected;
	if (!is_selectable(&p, index)) {
		v->selected = 0;
		if (steps > 0 || !scroll_bottom(&l, &bottom))
			return;
		index = bottom.index + 1;
	}
	const int by = steps < 0 ? -1 : 1;
	while (steps != 0 && step(&l, by, &index))
		steps -= by;
	if (steps <= 0 && is_selectable(&p, index)) {
		select_item(v, index);
	} else {
		v->selected = 0;
		view_scroll_end(v);
	}
}

/* The row on display line `line` of the list; 0 for none. */
static uint64_t row_at(const struct list *l, int line)
{
	struct view_place bottom;
	size_t skip, at = 0;
	if (line < 0 || line >= scroll_height(l->p) || !scroll_bottom(l, &bottom))
		return 0;
	uint64_t i = scroll_first(l, &bottom, scroll_height(l->p), &skip);
	do {
		at += lines_of(l, i) - skip;
		skip = 0;
		if ((size_t)line < at)
			return i;
	} while (list_step(l, 1, &i) && i <= bottom.index);
	return 0;
}

bool view_select_at(struct view *v, int row, int column)
{
	const struct transcript *t = v->transcript;
	const struct panes p = panes_measure(v, NULL);
	enum transcript_list of = LIST_ROWS;
	if (!view_has_panes(v))
		return false;
	for (int i = 0; i < p.sides && v->arrivals; i++)
		if (column > p.side[i].bar)
			of = (v->both ? i : v->stream) ? LIST_TCP : LIST_UDP;
	uint64_t index = row_at(&(const struct list){ &p, of }, row - p.top);
	if (index > 0 && of != LIST_ROWS) {
		/* The item that the arrival belongs to, which may be no longer kept. */
		const struct transcript_arrival *a = transcript_arrival(t, of, index);
		index = transcript_end(t, LIST_ROWS) - 1;
		while (index >= transcript_first(t, LIST_ROWS) &&
		       !row_belongs(a, transcript_item(t, index), index))
			index--;
	}
	if (!is_selectable(&p, index))
		return false;
	select_item(v, index);
	return true;
}

/* --- finding --- */

/* Returns true if the capitals of the text contain the needle, the first bytes of v->capitals. */
static bool contains(struct view *v, size_t needle, const void *text, size_t n)
{
	size_t length = row_capitals(v, needle, text, n);
	const unsigned char *s = v->capitals.bytes;
	return length > 0 && bytes_find(s + needle, length, s, needle) != NULL;
}

/* A pane shows only its own transport's replies in the order of arrival. */
static bool is_visible(const struct view *v, bool stream)
{
	return !v->arrivals || list_shown(v, stream ? LIST_TCP : LIST_UDP);
}

/* Searches the item's text and, for a line, the replies that its row shows. */
static bool item_contains(struct view *v, size_t needle, const struct transcript_item *item)
{
	struct view_row_side sides[VIEW_SIDES];
	if (item->kind != TRANSCRIPT_LINE)
		return (item->kind != TRANSCRIPT_STRAY || is_visible(v, item->stream)) &&
		       contains(v, needle, item->text, item->length);
	const struct ledger_row *typed = row_sides(v, item, sides);
	if (!typed)
		return false;
	bool found = contains(v, needle, typed->text, typed->length);
	for (int i = 0; i < VIEW_SIDES && !found; i++) {
		const struct ledger_row *line = is_visible(v, sides[i].stream) ? sides[i].line
		                                                               : NULL;
		found = line && line->reply && contains(v, needle, line->reply, line->reply_length);
	}
	return found;
}

bool view_find(struct view *v, const char *text)
{
	const struct transcript *t = v->transcript;
	size_t needle = row_capitals(v, 0, text, strlen(text));
	bool repeated = v->find && strcmp(v->find, text) == 0;
	uint64_t index = transcript_end(t, LIST_ROWS);
	if (repeated && v->found < index)
		index = v->found;
	do {
		if (needle == 0 || index <= transcript_first(t, LIST_ROWS))
			return false;
	} while (!item_contains(v, needle, transcript_item(t, --index)));
	v->find = text;
	v->found = index;
	v->finds++;
	v->page = NULL;
	const struct panes p = panes_measure(v, NULL);
	show_item(&p, index);
	return true;
}
