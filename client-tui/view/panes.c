/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The places of everything on a screen of any size, and the rows of the lists in the panes. Rows
 * are placed from both ends inwards, and the panes get the rest; columns depend on the needs of the
 * wires. */
#include "view/view-internal.h"

#include "common/grow.h"

/* The minimum number of columns of a screen with a wire between two panes, with wires between
 * three, with room for "2× again" in TCP's wire of three, and with wide wires. */
#define WIRE_SCREEN 60
#define BOTH_WIRE_SCREEN 64
#define AGAIN_WIRE_SCREEN 76
#define WIDE_WIRE_SCREEN 110
/* A wire's columns: of three panes; with "2× again"; alone; in the lab, with more words. */
#define SHORT_WIRE 15
#define AGAIN_WIRE 22
#define WIRE 23
#define LAB_WIRE 24
#define LAB_WIDE_WIRE 44
/* An arrow's columns: beside words of the lab, those in a short wire, in a short wire, in others.
 */
#define LAB_ARROW 3
#define SHORT_LAB_ARROW 2
#define SHORT_ARROW 5
#define ARROW 11
/* The least columns of each text for numbers in all three panes, not only the first. */
#define BOTH_NUMBERS_COLUMNS 20
/* The least rows of a screen with a row for the link, and one for TCP beside UDP's. */
#define LINK_SCREEN 8
/* The minimum number of rows of a screen with a row for both ends of TCP. */
#define ENDS_SCREEN 12
/* The minimum number of rows of a screen with a row for the last round-trip times. */
#define SPARK_SCREEN 16
/* The maximum number of rows of a caption below its heading. */
#define CAPTION_ROWS 5
#define OTHER_SCREEN 10
/* The minimum number of columns of text that numbers must leave in a pane. */
#define TEXT_MIN 8
/* The minimum number of columns of a screen with a blank at the left of everything. */
#define PAD_SCREEN 12
#define NUMBERS_SCREEN 30
/* The minimum number of rows of a screen with a detail area; the rows of the area: a part of those
 * above DETAIL_OTHERS, between a minimum and a maximum. */
#define DETAIL_SCREEN 18
#define DETAIL_OTHERS 8
#define DETAIL_PART 4
#define DETAIL_MIN 3
#define DETAIL_MAX 10

/* The rows of the detail area: in the lab each line has a story, else what is selected. They do not
 * depend on what it says, so that the panes do not move with each line. */
static int detail_rows(const struct panes *p)
{
	const struct transcript *t = p->transcript;
	const int part = (p->rows - DETAIL_OTHERS) / DETAIL_PART;
	const bool wanted = transcript_item(t, p->v->selected) ||
	                    (p->v->lab && transcript_newest_line(t));
	return p->rows < DETAIL_SCREEN || !wanted || !view_has_panes(p->v) ? 0
	     : part < DETAIL_MIN                                           ? DETAIL_MIN
	     : part > DETAIL_MAX                                           ? DETAIL_MAX
	                                                                   : part;
}

/* The smaller the screen, the fewer rows are taken from the panes. */
static void place_rows(struct panes *p)
{
	const struct view *v = p->v;
	int top = 0;
	p->status_row = p->rows >= 2 ? top++ : -1;
	p->other_row = v->both && p->rows >= OTHER_SCREEN ? top++ : -1;
	p->heading_row = p->rows >= 5 ? top++ : -1;
	p->top = top;
	int end = p->rows;
	p->keys_row = p->rows >= 6 ? --end : -1;
	p->input_row = --end;
	p->caption_height = !v->caption                ? 0
	                  : p->rows / 5 < CAPTION_ROWS ? p->rows / 5
	                                               : CAPTION_ROWS;
	p->caption_row = p->caption_height > 0 ? (end -= p->caption_height + 1) : -1;
	p->link_row = v->lab && p->rows >= LINK_SCREEN ? --end : -1;
	p->ends_row = v->senders[LINK_GOING] && p->rows >= ENDS_SCREEN ? --end : -1;
	p->spark_row = v->plot && v->plot->count > 0 && p->rows >= SPARK_SCREEN ? --end : -1;
	p->detail_height = detail_rows(p);
	end -= p->detail_height;
	p->detail_row = end;
	p->height = end - top;
}

static const struct pane no_pane = { .wire_bar = -1, .wire = -1, .wire_end = -1, .bar = -1 };

/* Places a pane of replies and its wire, if any, at column `at`. Returns the column after it. */
static int place_side(struct pane *pane, int at, int wire_columns, int columns)
{
	*pane = no_pane;
	if (wire_columns > 0) {
		pane->wire_bar = at++;
		pane->wire = at;
		pane->wire_end = at += wire_columns;
	}
	pane->bar = at++;
	pane->from = at;
	pane->to = at + columns;
	return pane->to;
}

static int number_columns(const struct panes *p, int columns, int digits)
{
	return p->columns >= NUMBERS_SCREEN && columns - p->pad - digits - 1 >= TEXT_MIN ? digits
	                                                                                 : 0;
}

/* Sets the columns of wires, 0 for none, and arrows: texts come first, wires get the rest. */
static void choose_wires(struct panes *p, int *wires)
{
	const bool both = p->v->both, lab = p->v->lab, wide = p->columns >= WIDE_WIRE_SCREEN;
	p->arrow = lab && both && p->columns < AGAIN_WIRE_SCREEN ? SHORT_LAB_ARROW
	         : lab                                           ? LAB_ARROW
	         : both && !wide                                 ? SHORT_ARROW
	                                                         : ARROW;
	wires[0] = wires[1] = lab ? LAB_WIRE : WIRE;
	if (lab && wide && !both) {
		wires[0] = LAB_WIDE_WIRE;
		p->arrow = ARROW;
	}
	if (both && !wide) {
		wires[0] = SHORT_WIRE;
		wires[1] = lab && p->columns >= AGAIN_WIRE_SCREEN ? AGAIN_WIRE : SHORT_WIRE;
	}
	if (p->columns < (both ? BOTH_WIRE_SCREEN : WIRE_SCREEN))
		wires[0] = wires[1] = 0;
}

static void place_three(struct panes *p, const int *wires, bool all_numbered, int digits)
{
	int bars = wires[0] > 0 ? 4 : 2, texts = p->columns - bars - wires[0] - wires[1], extra = 0;
	/* Rows are aligned: the first pane's numbers serve the others without room. */
	if (all_numbered || texts / 3 >= BOTH_NUMBERS_COLUMNS) {
		p->digits = p->side[0].digits = p->side[1].digits = number_columns(p, texts / 3,
		    digits);
	} else {
		p->digits = number_columns(p, (texts - digits - 1) / 3 + digits + 1, digits);
		extra = p->digits > 0 ? p->digits + 1 : 0;
	}
	int columns = (texts - extra) / 3, over = (texts - extra) % 3, kept = p->side[0].digits;
	p->left_end = columns + extra + (over > 0);
	int at = place_side(&p->side[0], p->left_end, wires[0], columns + (over > 1));
	place_side(&p->side[1], at, wires[1], columns);
	p->side[0].digits = p->side[1].digits = kept;
}

static void place_columns(struct panes *p, int digits)
{
	const struct view *v = p->v;
	int wires[VIEW_SIDES];
	choose_wires(p, wires);
	const int wire = wires[0], texts = p->columns - wire - (wire > 0 ? 2 : 1);
	p->pad = p->columns >= PAD_SCREEN ? 1 : 0;
	p->sides = v->both ? 2 : 1;
	p->one_line = v->both || v->caption;
	if (p->columns < 1 + 2 * p->sides) {
		/* Only the typed lines: the screen has no columns for bars. */
		p->left_end = p->columns;
		for (int i = 0; i < VIEW_SIDES; i++) {
			p->side[i] = no_pane;
			p->side[i].from = p->side[i].to = p->columns;
		}
	} else if (v->both) {
		place_three(p, wires, v->arrivals, digits);
	} else {
		p->left_end = (texts + 1) / 2;
		place_side(&p->side[0], p->left_end, wire, texts / 2);
		p->digits = p->side[0].digits = number_columns(p, texts / 2, digits);
	}
	p->left_text = p->pad + (p->digits > 0 ? p->digits + 1 : 0);
	for (int i = 0; i < p->sides; i++) {
		struct pane *pane = &p->side[i];
		pane->text = pane->from + p->pad + (pane->digits > 0 ? pane->digits + 1 : 0);
	}
}

struct panes panes_measure(struct view *v, struct canvas *c)
{
	struct panes p = {
		.v = v, .c = c, .transcript = v->transcript, .rows = v->rows, .columns = v->columns
	};
	/* The greatest number in the transcript is that of the last line. */
	const struct transcript_item *line = transcript_newest_line(v->transcript);
	int digits = 2;
	for (uint64_t number = line ? line->number : 0; number > 99; number /= 10)
		digits++;
	place_rows(&p);
	place_columns(&p, digits);
	return p;
}

int panes_wire_columns(const struct pane *pane)
{
	int columns = pane->wire_end - pane->wire;
	return columns - (columns >= WIRE ? 2 : 1);
}

/* --- what does not fit --- */

int panes_draw_cells(const struct panes *p, int row, int column, int end,
    const struct layout_cell *cells, size_t count, enum style style)
{
	const char *mark = glyph(GLYPH_ELLIPSIS, p->v->ascii);
	const int room = end - column, marked = room - utf8_columns(mark);
	int used = 0;
	size_t fits = 0;
	for (size_t i = 0; i < count && used <= room; i++) {
		used += cells[i].width;
		fits += used <= marked;
	}
	if (used <= room)
		return canvas_cells(p->c, row, column, end, cells, count, style);
	column = canvas_cells(p->c, row, column, end, cells, fits, style);
	return canvas_text(p->c, row, column, end, mark, style);
}

int panes_draw_cut(const struct panes *p, int row, int column, int end, const char *text,
    enum style style)
{
	const struct layout *l = &p->v->line;
	view_lay(p->v, text);
	return panes_draw_cells(p, row, column, end, l->cells, l->count, style);
}

/* --- headings --- */

int panes_draw_heading(const struct panes *p, const char *text, int limit)
{
	canvas_fill(p->c, p->heading_row, 0, p->columns, L' ', STYLE_HEADING);
	return panes_draw_cut(p, p->heading_row, p->pad, limit, text, STYLE_HEADING);
}

int panes_draw_ends(const struct panes *p, int row, int column, int end, int part,
    const struct layout *l, enum style style)
{
	const char *ellipsis = glyph(GLYPH_ELLIPSIS, p->v->ascii);
	int kept = end - column - utf8_columns(ellipsis), head = kept / part;
	size_t from = l->count;
	if (kept < 2 || (int)layout_columns(l, 0, l->count) <= end - column)
		return canvas_cells(p->c, row, column, end, l->cells, l->count, style);
	canvas_cells(p->c, row, column, column + head, l->cells, l->count, style);
	column = canvas_text(p->c, row, column + head, end, ellipsis, style);
	while (from > 0 && layout_columns(l, from - 1, l->count) <= (size_t)(kept - head))
		from--;
	return canvas_cells(p->c, row, column, end, l->cells + from, l->count - from, style);
}

/* The columns for the names of the panes of replies, the same for both, so that both names have the
 * same form. A blank stands before the next bar. */
static int name_columns(const struct panes *p)
{
	int min = p->columns;
	for (int i = 0; i < p->sides; i++) {
		int columns = p->side[i].to - p->side[i].from - (i + 1 < p->sides ? 2 : 1) * p->pad;
		min = columns < min ? columns : min;
	}
	return min;
}

/* The longest name of a pane of replies that fits. */
static const char *side_name(const struct view *v, int side, int columns, char *buf, size_t size)
{
	static const char *const names[2][5] = {
		{ " replies", "" },
		{ " replies as they came", " as they came", " arrivals", " came", "" },
	};
	const char *transport = transport_info[v->both ? side : v->stream].title;
	const char *const *name = names[v->arrivals];
	if (!v->both && !v->arrivals)
		return "replies";
	while (snprintf(buf, size, "%s%s", transport, *name) > columns && **name)
		name++;
	return buf;
}

void panes_draw_headings(const struct panes *p)
{
	int row = p->heading_row, pad = p->pad, columns = name_columns(p);
	char words[40];
	panes_draw_heading(p, "typed", p->left_end);
	for (int i = 0; i < p->sides; i++) {
		const struct pane *pane = &p->side[i];
		const struct transport_look *look = &transport_looks[i];
		const char *bar = glyph(look->bar, p->v->ascii);
		if (pane->wire >= 0) {
			snprintf(words, sizeof words, "the %s%swire",
			    p->v->both ? transport_info[i].title : "", p->v->both ? " " : "");
			canvas_text(p->c, row, pane->wire_bar, p->columns, bar, STYLE_HEADING);
			canvas_text(p->c, row, pane->wire + pad, pane->wire_end, words,
			    STYLE_HEADING);
		}
		if (pane->bar >= 0)
			canvas_text(p->c, row, pane->bar, p->columns, bar, STYLE_HEADING);
		canvas_text(p->c, row, pane->from + pad, pane->to,
		    side_name(p->v, i, columns, words, sizeof words), STYLE_HEADING);
	}
}

/* --- the rows of a list --- */

bool list_shown(const struct view *v, enum transcript_list of)
{
	return of == LIST_ROWS || (v->arrivals && (v->both || v->stream == (of == LIST_TCP)));
}

int list_side(const struct list *l)
{
	return l->p->v->both && l->of == LIST_TCP;
}

/* With arrivals, strays are among them and have no row among the typed lines. */
static bool has_row(const struct list *l, uint64_t index)
{
	return l->of != LIST_ROWS || !l->p->v->arrivals ||
	       transcript_item(l->p->transcript, index)->kind != TRANSCRIPT_STRAY;
}

bool list_step(const struct list *l, int by, uint64_t *index)
{
	const struct transcript *t = l->p->transcript;
	const uint64_t first = transcript_first(t, l->of), end = transcript_end(t, l->of),
	               step = (uint64_t)by;
	for (uint64_t i = *index + step; i >= first && i < end; i += step) {
		if (has_row(l, i)) {
			*index = i;
			return true;
		}
	}
	return false;
}

/* --- texts --- */

bool view_has_panes(const struct view *v)
{
	return !v->page && (!v->lab || !v->lab->panel->open) &&
	       (!v->plot || v->plot->kind >= PLOT_NONE);
}

static int ascii_width(wchar_t c)
{
	return c >= 0x20 && c < 0x7f ? 1 : -1;
}

layout_width *view_width(const struct view *v)
{
	return v->ascii ? ascii_width : v->width;
}

void view_lay(struct view *v, const char *text)
{
	if (layout_text(&v->line, text, strlen(text), view_width(v)) != 0)
		v->line.count = 0;
}

bool view_bytes_reserve(struct view_bytes *b, size_t capacity)
{
	return grow_list(&b->bytes, &b->capacity, capacity, 1) == 0;
}
