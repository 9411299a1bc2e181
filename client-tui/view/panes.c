/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The places of everything on a screen of any size, and the rows of the lists in the panes. Rows
 * are placed from both ends inwards, and the panes get the rest; columns depend on the needs of the
 * wires. */
#include "config.h"

#include "view/view-internal.h"

#include <stdio.h>
#include <string.h>

#include "common/grow.h"

/* The minimum number of columns of a screen with a wire between the panes. */
#define WIRE_SCREEN 60
#define WIRE_COLUMNS 23
/* The minimum number of columns of a screen with a wider wire, in the lab, which has more words. */
#define WIDE_WIRE_SCREEN 110
#define WIDE_WIRE_COLUMNS 49
/* With both transports there are two wires: they get the columns that three texts of this width
 * leave. */
#define BOTH_WIRE_SCREEN 64
#define SHORT_WIRE_COLUMNS 15
/* The minimum number of columns, in the lab, of a screen with room for retransmissions in TCP's
 * wire. */
#define RETRANSMIT_WIRE_SCREEN 76
#define RETRANSMIT_WIRE_COLUMNS 21
#define BOTH_TEXT_COLUMNS 22
#define BOTH_WIDE_TEXT 32
/* The minimum number of columns of each text for numbers in all three panes, instead of only the
 * first. */
#define BOTH_NUMBERS_COLUMNS 20
/* The minimum number of rows of a screen with a row for the lab's link, and one for TCP beside
 * UDP's. */
#define LINK_SCREEN 8
/* The minimum number of rows of a screen with a row for both ends of TCP. */
#define ENDS_SCREEN 12
/* The minimum number of rows of a screen with a row for the last round-trip times. */
#define SPARK_SCREEN 16
#define OTHER_SCREEN 10
/* The minimum number of columns of text that numbers must leave in a pane. */
#define TEXT_MIN 8
/* The minimum number of columns of a screen with a blank at the left of everything. */
#define PAD_SCREEN 12
#define NUMBERS_SCREEN 30
/* The number of items that are searched for the greatest number. */
#define NUMBER_WALK 1000

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
	p->link_row = v->lab != NULL && p->rows >= LINK_SCREEN ? --end : -1;
	p->ends_row = v->ends != NULL && p->rows >= ENDS_SCREEN ? --end : -1;
	p->spark_row = v->plot != NULL && v->plot->count > 0 && p->rows >= SPARK_SCREEN ? --end
	                                                                                : -1;
	p->height = end - top;
}

static const struct pane no_pane = { .wire_bar = -1, .wire = -1, .wire_end = -1, .bar = -1 };

/* Places a pane of replies at column `at`, behind its wire if that has columns. Returns the column
 * after it. */
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

/* TCP's wire has more words than UDP's: it grows to its greatest width first, then the texts grow,
 * then UDP's wire. */
static void both_wires(const struct panes *p, int *wires)
{
	const bool lab = p->v->lab != NULL;
	int spare = p->columns - 4 - 3 * BOTH_TEXT_COLUMNS,
	    max = lab ? WIDE_WIRE_COLUMNS : WIRE_COLUMNS;
	int min = lab && p->columns >= RETRANSMIT_WIRE_SCREEN ? RETRANSMIT_WIRE_COLUMNS
	                                                      : SHORT_WIRE_COLUMNS;
	wires[0] = wires[1] = 0;
	if (p->columns < BOTH_WIRE_SCREEN)
		return;
	wires[0] = spare / 2 < SHORT_WIRE_COLUMNS ? SHORT_WIRE_COLUMNS
	         : spare / 2 < WIRE_COLUMNS       ? spare / 2
	                                          : WIRE_COLUMNS;
	min = wires[0] > min ? wires[0] : min;
	wires[1] = spare - wires[0] < min ? min : spare - wires[0] < max ? spare - wires[0] : max;
	spare = p->columns - 4 - 3 * BOTH_WIDE_TEXT - wires[1];
	if (spare > wires[0])
		wires[0] = spare < max ? spare : max;
}

static void place_three(struct panes *p, const int *wires, bool all_numbered, int digits)
{
	int bars = wires[0] > 0 ? 4 : 2, texts = p->columns - bars - wires[0] - wires[1], extra = 0;
	/* The rows are aligned: the numbers of the first pane serve the others where there is no
	 * room for more. */
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

/* Places only the typed lines: the screen has no columns for bars. */
static void place_one(struct panes *p)
{
	p->left_end = p->columns;
	for (int i = 0; i < VIEW_SIDES; i++) {
		p->side[i] = no_pane;
		p->side[i].from = p->side[i].to = p->columns;
	}
}

static void place_columns(struct panes *p, int digits)
{
	const struct view *v = p->v;
	int wires[VIEW_SIDES], wire = p->columns < WIRE_SCREEN ? 0 : WIRE_COLUMNS;
	if (v->lab != NULL && p->columns >= WIDE_WIRE_SCREEN)
		wire = WIDE_WIRE_COLUMNS;
	const int texts = p->columns - wire - (wire > 0 ? 2 : 1);
	both_wires(p, wires);
	p->pad = p->columns >= PAD_SCREEN ? 1 : 0;
	p->sides = v->both ? 2 : 1;
	if (p->columns < 1 + 2 * p->sides) {
		place_one(p);
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

/* The digits of the greatest number in the transcript, which is that of the last line. */
static int number_digits(const struct transcript *t)
{
	int digits = 2;
	uint64_t end = transcript_end(t), first = transcript_first(t);
	if (end - first > NUMBER_WALK)
		first = end - NUMBER_WALK;
	while (end > first) {
		const struct transcript_item *item = transcript_item(t, --end);
		if (item->kind != TRANSCRIPT_LINE)
			continue;
		for (uint64_t number = item->number; number > 99; number /= 10)
			digits++;
		break;
	}
	return digits;
}

struct panes panes_measure(struct view *v, struct canvas *c, const struct transcript *t, int rows,
    int columns)
{
	struct panes p = { .v = v, .c = c, .transcript = t, .rows = rows, .columns = columns };
	place_rows(&p);
	place_columns(&p, number_digits(t));
	return p;
}

int panes_wire_columns(const struct pane *pane)
{
	int columns = pane->wire_end - pane->wire;
	return columns - (columns >= WIRE_COLUMNS ? 2 : 1);
}

/* --- headings --- */

int panes_draw_heading(const struct panes *p, const char *text, int limit)
{
	const struct layout *l = &p->v->line;
	canvas_fill(p->c, p->heading_row, 0, p->columns, L' ', STYLE_HEADING);
	view_lay(p->v, text);
	return canvas_cells(p->c, p->heading_row, p->pad, limit, l->cells, l->count, STYLE_HEADING);
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
	while (snprintf(buf, size, "%s%s", transport, *name) > columns && **name != '\0')
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

bool list_shown(const struct view *v, enum view_list of)
{
	return of == LIST_ROWS || (v->arrivals && (v->both || v->stream == (of == LIST_TCP)));
}

int list_side(const struct list *l)
{
	return l->p->v->both && l->of == LIST_TCP;
}

uint64_t list_first(const struct list *l)
{
	return l->of == LIST_ROWS ? transcript_first(l->p->transcript)
	                          : transcript_arrivals_first(l->p->transcript, l->of == LIST_TCP);
}

uint64_t list_end(const struct list *l)
{
	return l->of == LIST_ROWS ? transcript_end(l->p->transcript)
	                          : transcript_arrivals_end(l->p->transcript, l->of == LIST_TCP);
}

/* With arrivals, strays are among them and have no row among the typed lines. */
static bool has_row(const struct list *l, uint64_t index)
{
	return l->of != LIST_ROWS || !l->p->v->arrivals ||
	       transcript_item(l->p->transcript, index)->kind != TRANSCRIPT_STRAY;
}

bool list_previous(const struct list *l, uint64_t *index)
{
	for (uint64_t i = *index, first = list_first(l); i > first;) {
		if (has_row(l, --i)) {
			*index = i;
			return true;
		}
	}
	return false;
}

bool list_next(const struct list *l, uint64_t *index)
{
	for (uint64_t i = *index + 1, end = list_end(l); i < end; i++) {
		if (has_row(l, i)) {
			*index = i;
			return true;
		}
	}
	return false;
}

/* --- texts --- */

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
