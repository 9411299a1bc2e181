/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One row of the panes: a typed line and its replies side by side, each wrapped in its pane, or a
 * notice over the whole width. Each row is laid out, measured and drawn before the next one. The
 * cells of a long text are kept: a text of 65,000 bytes can be a single cell (a letter and its
 * combining marks), so a screenful of them is millions of bytes. The words after it change and are
 * laid out each time. */
#include "view/view-internal.h"

#include <limits.h>

#include "common/bytes.h"
#include "common/capitals.h"
#include "common/grow.h"

/* The length, bytes, from which the cells of a text are kept. The number kept for each pane is more
 * than a screen has rows; all are freed when their cells take more than 48 MB. Four texts of 65,507
 * control characters in each list take less. */
#define LONG_TEXT 128
/* The bytes of a text in one display line: more than columns, also with combining ones. */
#define ONE_LINE_BYTES 2048
#define LAID_TEXTS 4096
#define LAID_CELLS (48 * 1024 * 1024 / sizeof(struct layout_cell))

static const char empty_text[] = "(empty)", evicted_text[] = "(forgotten)";

/* --- the content of a row --- */

static void append(struct view_bytes *b, const void *bytes, size_t n)
{
	if (n == 0 || !view_bytes_reserve(b, b->length + n))
		return;
	memcpy(b->bytes + b->length, bytes, n);
	b->length += n;
}

/* Adds the program's words after the text in a pane. */
static void add_words(const struct view_row *row, int pane, const char *words)
{
	append(&row->p->v->words[pane], words, strlen(words));
}

/* An empty text has words that say so. */
static void set_text(struct view_row_text *t, const void *text, size_t n, enum style style)
{
	*t = (struct view_row_text){ .has = true,
		.bytes = n > 0 ? text : empty_text,
		.length = n > 0 ? n : sizeof empty_text - 1,
		.style = n > 0 ? style : STYLE_FAINT,
		.mark_style = STYLE_LATE };
}

/* Puts the program's words in place of a reply. */
static void set_words(struct view_row *row, int i, const char *words, enum style style)
{
	add_words(row, 1 + i, words);
	row->text[1 + i] = (struct view_row_text){ .has = true, .mark_style = style };
}

/* Shows the reply and its marks. The parts of its time are there only if they make no row of their
 * own: a text has no more columns than bytes. */
static void set_reply(struct view_row *row, int i)
{
	const struct ledger_row *line = row->side[i].line;
	bool kept = line->reply;
	const struct panes *p = row->p;
	const int length = (int)(kept ? line->reply_length : line->length),
	          room = p->one_line ? 0 : p->side[i].to - p->side[i].text - length;
	char words[200];
	row->side[i].number = line->number;
	set_text(&row->text[1 + i], kept ? line->reply : line->text,
	    kept ? line->reply_length : line->length, line->late ? STYLE_LATE : STYLE_ANSWERED);
	row->text[1 + i].capitals = !kept && line->length > 0;
	add_words(row, 1 + i,
	    fate_words_marks(&row->side[i], p->side[i].wire < 0, room, words, sizeof words));
}

static enum style fate_style(const struct ledger_row *line)
{
	return line->fate == FATE_QUEUED || line->fate == FATE_WAITING ? STYLE_WAITING : STYLE_LOST;
}

/* Without a wire, the fate stands in place of the reply. */
static void set_fate(struct view_row *row, int i)
{
	const struct pane *pane = &row->p->side[i];
	char fate[80];
	if (pane->wire >= 0)
		return;
	fate_words_unanswered(&row->side[i], pane->to - pane->text, true, fate, sizeof fate);
	set_words(row, i, fate, fate_style(row->side[i].line));
}

/* Shows the fate after the typed line, in the order of arrival without a wire. */
static void set_fate_left(struct view_row *row, int i)
{
	const struct view_row_side *side = &row->side[i];
	char fate[80];
	bool named = row->p->v->both || row->item->other;
	fate_words_unanswered(side, INT_MAX, true, fate, sizeof fate);
	if (fate[0])
		add_words(row, 0,
		    TEXT_FORMAT(" (%s%s%s)", named ? transport_info[side->stream].title : "",
		        named ? " " : "", fate));
}

/* Fills the pane of a transport that carried the line. */
static void set_side(struct view_row *row, int i)
{
	const struct ledger_row *line = row->side[i].line;
	const bool arrivals = row->p->v->arrivals;
	if (!line && !arrivals)
		/* Only the other transport's ledger has the line. */
		set_words(row, i, evicted_text, STYLE_FAINT);
	else if (line && arrivals && row->p->side[i].wire < 0)
		set_fate_left(row, i);
	else if (line && !arrivals && ledger_is_replied(line))
		set_reply(row, i);
	else if (line && !arrivals)
		set_fate(row, i);
}

struct view_row_side row_side(const struct view *v, const struct transcript_item *item, bool stream)
{
	const struct ledger *ledger = item->stream == stream ? item->ledger : item->other;
	return (struct view_row_side){ .v = v,
		.item = item,
		.stream = stream,
		.sent = ledger,
		.line = ledger ? ledger_find(ledger, item->number) : NULL,
		.trace = ledger && v->lab ? trace_find(v->lab->trace, stream, item->number)
		                          : NULL };
}

const struct ledger_row *row_sides(const struct view *v, const struct transcript_item *item,
    struct view_row_side *sides)
{
	const struct view_row_side udp = row_side(v, item, false), tcp = row_side(v, item, true);
	/* One pane shows the transport in use if that carried the line, else the other. */
	bool tcp_first = !v->both && (!udp.sent || (tcp.sent && v->stream));
	sides[0] = tcp_first ? tcp : udp;
	sides[1] = tcp_first ? udp : tcp;
	const struct ledger_row *line = sides[0].line ? sides[0].line : sides[1].line;
	if (!v->both)
		sides[1] = (struct view_row_side){ .stream = true };
	return line;
}

static void set_line(struct view_row *row)
{
	const struct view *v = row->p->v;
	const struct ledger_row *line = row_sides(v, row->item, row->side);
	if (!line) {
		set_text(row->text, evicted_text, strlen(evicted_text), STYLE_FAINT);
		return;
	}
	set_text(row->text, line->text, line->length, STYLE_NORMAL);
	if (line->partial)
		add_words(row, 0, glyph(GLYPH_ELLIPSIS, v->ascii));
	for (int i = 0; i < row->p->sides; i++)
		if (row->side[i].sent)
			set_side(row, i);
}

static void set_item(struct view_row *row)
{
	const struct transcript_item *item = row->item;
	struct view *v = row->p->v;
	bool stray = item->kind == TRANSCRIPT_STRAY, error = item->kind == TRANSCRIPT_ERROR;
	if (item->kind == TRANSCRIPT_LINE) {
		set_line(row);
		return;
	}
	for (int i = 0; i < VIEW_SIDES; i++) {
		/* Each of two panes belongs to one transport. */
		bool stream = i > 0 || (!v->both && stray && item->stream);
		row->side[i] = (struct view_row_side){ .v = v, .item = item, .stream = stream };
	}
	if (stray) {
		int i = row->p->sides > 1 && item->stream;
		set_text(&row->text[1 + i], item->text, item->length, STYLE_LATE);
		if (row->p->side[i].wire < 0)
			add_words(row, 1 + i, " (stray)");
		return;
	}
	v->notice.length = 0;
	append(&v->notice, error ? "!! " : "-- ", 3);
	append(&v->notice, item->text, item->length);
	set_text(row->text, v->notice.bytes, v->notice.length, error ? STYLE_ERROR : STYLE_NOTICE);
	row->wide = true;
}

/* --- matches of /find: texts are compared by their capitals, which are made character by
 * character, so that an offset in the capitals leads to a cell --- */

size_t row_capitals(struct view *v, size_t offset, const void *text, size_t n)
{
	if (n == 0 || !view_bytes_reserve(&v->capitals, offset + CAPITALS_GROWTH * n))
		return 0;
	return capitals_text(text, n, v->capitals.bytes + offset);
}

/* The next offset of the needle, the first bytes of `s`, from `from` on; SIZE_MAX for none. */
static size_t next_match(const unsigned char *s, size_t needle, size_t length, size_t from)
{
	const unsigned char *found = from < length
	                               ? bytes_find(s + needle + from, length - from, s, needle)
	                               : NULL;
	return found ? (size_t)(found - s) - needle : SIZE_MAX;
}

/* Marks the cells of `l`, laid out from `n` bytes of `text`, that match v->find. */
static void mark_found(struct view *v, struct layout *l, const void *text, size_t n)
{
	size_t needle = row_capitals(v, 0, v->find, strlen(v->find));
	size_t length = row_capitals(v, needle, text, n);
	/* Makes room for the capitals of one cell at a time, after all others. */
	if (needle == 0 || length == 0 ||
	    !view_bytes_reserve(&v->capitals, needle + length + CAPITALS_GROWTH * n + 1))
		return;
	const unsigned char *s = v->capitals.bytes;
	size_t match = next_match(s, needle, length, 0), at = 0, end = 0;
	for (size_t i = 0; i < l->count && l->cells[i].offset < n; i++) {
		const size_t offset = l->cells[i].offset;
		if (i == 0 || offset != l->cells[i - 1].offset) {
			/* The cell's text ends where that of another cell begins. */
			size_t next = i + 1;
			while (next < l->count && l->cells[next].offset == offset)
				next++;
			size_t stop = next < l->count ? l->cells[next].offset : n;
			at = end;
			end += capitals_text((const unsigned char *)text + offset,
			    stop > offset ? stop - offset : 0, v->capitals.bytes + needle + length);
		}
		while (match != SIZE_MAX && match + needle <= at)
			match = next_match(s, needle, length, match + 1);
		l->cells[i].found = match != SIZE_MAX && match < end;
	}
}

/* --- laying out --- */

void row_free_laid(struct view_laid *laid)
{
	layout_free(&laid->l);
	free(laid->starts);
	*laid = (struct view_laid){ 0 };
}

void row_drop_texts(struct view *v)
{
	for (size_t i = 0; v->laid && i < (1 + VIEW_SIDES) * LAID_TEXTS; i++)
		row_free_laid(&v->laid[i]);
	free(v->laid);
	v->laid = NULL;
	v->laid_cells = 0;
}

/* Lays out the text and marks matches in it; the words after it are not searched. */
static void lay_anew(struct view *v, struct view_laid *laid, const struct view_row_text *t,
    bool found)
{
	const unsigned char *bytes = t->bytes;
	size_t n = t->length;
	bool reserved = !t->capitals || view_bytes_reserve(&v->shown, CAPITALS_GROWTH * n);
	if (t->capitals && reserved) {
		n = capitals_text(bytes, n, v->shown.bytes);
		bytes = v->shown.bytes;
	}
	if (!reserved || layout_text(&laid->l, bytes, n, view_width(v)) != 0) {
		laid->l.count = 0;
		laid->of[0] = 0;
	}
	if (found)
		mark_found(v, &laid->l, bytes, n);
	laid->text_cells = laid->l.count;
	laid->final = 0;
}

/* Breaks the cells into lines, from the first line that the words after the text can change: a
 * line's end depends on two lines of cells at most. */
static void break_lines(struct view_laid *laid, size_t columns)
{
	if (laid->columns != columns)
		laid->final = 0;
	laid->columns = columns;
	laid->lines = laid->final > 0 ? laid->final - 1 : 0;
	size_t at = laid->final > 0 ? laid->starts[laid->lines] : 0;
	for (; at < laid->l.count; at = layout_wrap(&laid->l, at, columns)) {
		if (grow_list(&laid->starts, &laid->capacity, laid->lines + 1,
		        sizeof *laid->starts) < 0) {
			laid->final = 0;
			return;
		}
		laid->starts[laid->lines++] = (uint32_t)at;
		if (at + 2 * columns + 2 <= laid->text_cells)
			laid->final = laid->lines + 1;
	}
}

static int text_from(const struct view_row *row, int i)
{
	const struct panes *p = row->p;
	return i > 0 ? p->side[i - 1].text : row->wide ? p->pad : p->left_text;
}

/* A notice ends before the replies in the order of arrival. */
static int text_to(const struct view_row *row, int i)
{
	const struct panes *p = row->p;
	return i > 0                    ? p->side[i - 1].to
	     : !row->wide               ? p->left_end
	     : !p->v->arrivals          ? p->columns
	     : p->side[0].wire_end >= 0 ? p->side[0].wire_end
	                                : p->left_end;
}

/* Of notices only those grow that tell of a connection. */
static bool has_one_line(const struct view_row *row)
{
	return row->p->one_line && (!row->wide || row->item->stream);
}

/* Lays out pane `i`. A row's text of one transport does not change while its bytes stay at their
 * address; a notice does. */
static void lay_text(const struct list *l, uint64_t index, struct view_row *row, int i, bool found)
{
	struct view *v = row->p->v;
	struct view_row_text *t = &row->text[i];
	const bool one_line = has_one_line(row);
	t->cut = one_line && t->length > ONE_LINE_BYTES;
	if (t->cut)
		t->length = ONE_LINE_BYTES;
	const uint64_t of[] = { (uintptr_t)t->bytes, t->length, index, found ? v->finds : 0,
		(uint64_t)l->of << 1 | (i > 0 && row->side[i - 1].stream) };
	bool cached = t->length > LONG_TEXT && !row->wide;
	if (cached && !v->laid)
		v->laid = calloc((1 + VIEW_SIDES) * LAID_TEXTS, sizeof *v->laid);
	cached = cached && v->laid;
	struct view_laid *laid = cached ? &v->laid[(size_t)i * LAID_TEXTS + index % LAID_TEXTS]
	                                : &v->brief[i];
	size_t before = laid->l.capacity;
	if (!cached || memcmp(laid->of, of, sizeof of) != 0) {
		memcpy(laid->of, of, sizeof of);
		lay_anew(v, laid, t, found);
	}
	laid->l.count = laid->text_cells;
	if (layout_more(&laid->l, v->words[i].bytes, v->words[i].length, view_width(v)) != 0)
		laid->l.count = 0;
	v->laid_cells += laid->l.capacity - before;
	const int columns = text_to(row, i) - text_from(row, i);
	t->laid = laid;
	if (one_line)
		return;
	break_lines(laid, columns > 0 ? (size_t)columns : 1);
	row->lines = laid->lines > row->lines ? laid->lines : row->lines;
}

bool row_belongs(const struct transcript_arrival *a, const struct transcript_item *item,
    uint64_t index)
{
	if (item->kind == TRANSCRIPT_LINE)
		return a->number == item->number;
	return item->kind == TRANSCRIPT_STRAY && a->match == MATCH_STRAY && a->items == index + 1;
}

/* Fills an arrival. Returns true if it belongs to the item that /find found. */
static bool set_arrival(const struct list *l, uint64_t index, struct view_row *row)
{
	static const char *const marks[] = { [MATCH_ANSWER] = "",
		[MATCH_STRAY] = " (stray)",
		[MATCH_LATE] = " (late)",
		[MATCH_DUPLICATE] = " (duplicate)" };
	const struct transcript *t = row->p->transcript;
	const uint64_t found = row->p->v->found;
	const struct transcript_item *item = transcript_item(t, found);
	const struct transcript_arrival *a = transcript_arrival(t, l->of, index);
	int i = list_side(l);
	row->side[i].number = a->number;
	set_text(&row->text[1 + i], a->text, a->length,
	    a->match == MATCH_ANSWER ? STYLE_ANSWERED : STYLE_LATE);
	add_words(row, 1 + i, marks[a->match]);
	return item && row_belongs(a, item, found);
}

struct view_row row_lay(const struct list *l, uint64_t index)
{
	const struct panes *p = l->p;
	struct view_row row = { .p = p, .lines = 1 };
	bool found;
	for (int i = 0; i <= VIEW_SIDES; i++)
		p->v->words[i].length = 0;
	if (p->v->laid_cells > LAID_CELLS)
		row_drop_texts(p->v);
	if (l->of == LIST_ROWS) {
		row.item = transcript_item(p->transcript, index);
		set_item(&row);
		row.selected = index == p->v->selected;
		found = index == p->v->found;
	} else {
		found = set_arrival(l, index, &row);
	}
	for (int i = 0; i <= p->sides; i++) {
		/* The narrowest screens have no pane of replies. */
		if (i > 0 && p->side[i - 1].from >= p->side[i - 1].to)
			row.text[i].has = false;
		if (row.text[i].has)
			lay_text(l, index, &row, i, found && p->v->find);
	}
	return row;
}

bool row_is_cut(const struct list *l, uint64_t index)
{
	const struct view_row row = row_lay(l, index);
	const struct layout *typed = &row.text[0].laid->l;
	return has_one_line(&row) &&
	       (int)layout_columns(typed, 0, typed->count) > text_to(&row, 0) - text_from(&row, 0);
}

/* --- drawing --- */

/* One blank separates the number from the text. */
static void draw_number(struct canvas *c, int at, int text_column, int digits, uint64_t number,
    enum style style)
{
	if (digits > 0 && number > 0)
		canvas_text(c, at, text_column - digits - 1, text_column - 1,
		    TEXT_FORMAT("%*" PRIu64, digits, number), style);
}

static void draw_bar(const struct panes *p, int at, int column, bool stream)
{
	const struct transport_look *look = &transport_looks[stream];
	if (column >= 0)
		canvas_text(p->c, at, column, column + 1, glyph(look->bar, p->v->ascii),
		    look->style);
}

static void draw_bars(const struct view_row *row, int at)
{
	const struct panes *p = row->p;
	const struct view *v = p->v;
	if (row->wide && !v->arrivals)
		return;
	for (int i = 0; i < p->sides; i++) {
		bool stream = row->side[i].stream;
		/* A notice covers the first wire. */
		if (i > 0 || !row->wide)
			draw_bar(p, at, p->side[i].wire_bar, stream);
		/* Replies in the order of arrival belong to the transport in use. */
		draw_bar(p, at, p->side[i].bar, v->arrivals && !v->both ? v->stream : stream);
	}
}

void row_draw_bars(const struct panes *p, int at)
{
	const struct view_row none = { .p = p,
		.side = { { .stream = !p->v->both && p->v->stream }, { .stream = true } } };
	draw_bars(&none, at);
}

static void draw_wire(const struct view_row *row, int i, int at)
{
	const struct pane *pane = &row->p->side[i];
	const struct view_row_side *side = &row->side[i];
	if (pane->wire < 0 || !row->item || row->wide)
		return;
	if (row->item->kind == TRANSCRIPT_STRAY ? row->item->stream != side->stream : !side->line)
		return;
	const struct wire wire = fate_words_wire(side, panes_wire_columns(pane), row->p->arrow);
	int column = canvas_text(row->p->c, at, pane->wire + 1, pane->wire_end, wire.lead,
	    wire.lead_style);
	canvas_text(row->p->c, at, column, pane->wire_end, wire.rest, wire.rest_style);
}

/* The style of the fate after a typed line without a reply. */
static enum style left_mark_style(const struct view_row *row)
{
	for (int i = 0; i < VIEW_SIDES; i++) {
		const struct ledger_row *line = row->side[i].line;
		if (line && !ledger_is_replied(line))
			return fate_style(line);
	}
	return STYLE_FAINT;
}

static enum style words_style(const struct view_row *row, int i)
{
	return i > 0 ? row->text[i].mark_style : left_mark_style(row);
}

/* Draws a text in one display line, cut if it is too long. The program's words after it get what it
 * leaves: at least half of the line if they fit there, else a third. */
static void draw_cut_text(const struct view_row *row, int i, int at)
{
	const struct panes *p = row->p;
	const struct layout *l = &row->text[i].laid->l;
	const size_t text = row->text[i].laid->text_cells;
	const int limit = text_to(row, i), words = (int)layout_columns(l, text, l->count);
	int column = text_from(row, i);
	const int room = limit - column, end = limit - (words <= room / 2 ? words : room / 3);
	column = panes_draw_cells(p, at, column, end, l->cells, text, row->text[i].style);
	if (row->text[i].cut && column < end)
		column = canvas_text(p->c, at, column, limit, glyph(GLYPH_ELLIPSIS, p->v->ascii),
		    row->text[i].style);
	panes_draw_cells(p, at, column, limit, l->cells + text, l->count - text,
	    words_style(row, i));
}

static void draw_text(const struct view_row *row, int i, size_t line, int at)
{
	const struct view_row_text *t = &row->text[i];
	const struct view_laid *laid = t->laid;
	if (t->has && has_one_line(row) && row->wide) {
		/* The end has the news, "connected after 2.04 s". */
		panes_draw_ends(row->p, at, text_from(row, i), text_to(row, i), 3, &laid->l,
		    t->style);
		return;
	}
	if (t->has && has_one_line(row)) {
		draw_cut_text(row, i, at);
		return;
	}
	if (!t->has || line >= laid->lines)
		return;
	const struct layout_cell *cells = laid->l.cells;
	size_t from = laid->starts[line],
	       end = line + 1 < laid->lines ? laid->starts[line + 1] : laid->l.count;
	size_t middle = laid->text_cells < from ? from
	              : laid->text_cells > end  ? end
	                                        : laid->text_cells;
	int limit = text_to(row, i);
	int column = canvas_cells(row->p->c, at, text_from(row, i), limit, cells + from,
	    middle - from, t->style);
	canvas_cells(row->p->c, at, column, limit, cells + middle, end - middle,
	    words_style(row, i));
}

/* The number, the wire and words in place of a reply stand on the first visible line of a row. */
void row_draw(const struct list *l, const struct view_row *row, size_t skip, int count, int at)
{
	const struct panes *p = row->p;
	for (int i = 0; i < count; i++) {
		if (l->of == LIST_ROWS)
			draw_bars(row, at + i);
		for (int pane = 0; pane <= p->sides; pane++)
			draw_text(row, pane, (row->text[pane].length ? skip : 0) + (size_t)i,
			    at + i);
	}
	if (count < 1)
		return;
	if (row->selected)
		canvas_text(p->c, at, 0, p->pad, glyph(GLYPH_SELECTED, p->v->ascii),
		    STYLE_SELECTED);
	if (row->item && row->item->kind == TRANSCRIPT_LINE)
		draw_number(p->c, at, p->left_text, p->digits, row->item->number,
		    row->selected ? STYLE_SELECTED : STYLE_FAINT);
	for (int i = 0; i < p->sides; i++) {
		if (row->text[1 + i].has)
			draw_number(p->c, at, p->side[i].text, p->side[i].digits,
			    row->side[i].number, STYLE_FAINT);
		draw_wire(row, i, at);
	}
}
