/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One row of the panes: a typed line and its replies side by side, each wrapped in its pane, or a
 * notice over the whole width. A row is laid out, measured and drawn before the next one is. What
 * is kept of it is the cells of a long text: one of 65,000 bytes can be a single cell (a letter and
 * its combining marks), so a screenful of them is millions of bytes. The words behind it change and
 * are laid out each time. */
#include "config.h"

#include "view/view-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/capitals.h"
#include "common/clock.h"
#include "common/grow.h"

/* What the link did has room in a wire of so many columns, and so many in short. */
#define MORE_WIRE 20
#define MORE_COLUMNS 14
/* All parts of a time stand behind the reply if it has so many columns, else the longest before the
 * line was sent. */
#define ALL_PARTS_COLUMNS 40
/* What else stands in the wire of a line that was sent again: an arrow, blanks and a time; or that
 * it waits. */
#define WIRE_OTHERS 11
#define WIRE_WAITING 19
#define WIRE_WAITING_LONG 24
/* From then on the time it waits has more words. */
#define LONG_WAIT (100 * NS_PER_S)

/* A text of more bytes is kept as it was laid out. So many of each pane, more than a screen has
 * rows; all are forgotten when their cells take more than 48 MB, which four texts in each list of
 * 65,507 control characters do not. */
#define LONG_TEXT 128
#define LAID_TEXTS 4096
#define LAID_CELLS (48 * 1024 * 1024 / sizeof(struct layout_cell))

static const char empty_text[] = "(empty)", evicted_text[] = "(forgotten)";

static void append(struct view_bytes *b, const void *bytes, size_t n)
{
	if (n == 0 || !view_bytes_reserve(b, b->length + n))
		return;
	memcpy(b->bytes + b->length, bytes, n);
	b->length += n;
}

static void append_words(struct view_bytes *b, const char *words)
{
	append(b, words, strlen(words));
}

/* An empty text shows as such. */
static void set_text(struct view_row_text *t, const void *text, size_t n, enum style style)
{
	*t = (struct view_row_text){ .has = true,
		.bytes = n > 0 ? text : empty_text,
		.length = n > 0 ? n : sizeof empty_text - 1,
		.style = n > 0 ? style : STYLE_FAINT,
		.mark_style = STYLE_LATE };
}

/* Words of ours in the place of a reply. */
static void set_words(struct view *v, struct view_row *row, int i, const char *words,
    enum style style)
{
	append_words(&v->words[1 + i], words);
	row->text[1 + i] = (struct view_row_text){ .has = true, .mark_style = style };
}

/* The parts of a line's time in its wire; 0 for no wire. */
static int parts_columns(const struct view *v, const struct view_row_side *side,
    const struct pane *pane)
{
	return pane->wire >= 0
	         ? fate_words_parts_columns(side->line, pane_wire_columns(pane), v->ascii)
	         : 0;
}

/* Parts of its time and what the link did stand among the marks if the wire has no room for them.
 */
static void append_marks(struct view *v, struct view_bytes *words, const struct view_row *row,
    const struct view_row_side *side, const struct pane *pane)
{
	char marks[220], more[80] = "";
	const int parts = parts_columns(v, side, pane);
	fate_words_marks(side->line,
	    pane->wire < 0 || parts > 0                  ? PARTS_TIME
	    : pane->to - pane->text >= ALL_PARTS_COLUMNS ? PARTS_ALL
	                                                 : PARTS_LONGEST,
	    v->ascii, marks, sizeof marks);
	if (pane->wire < 0 || pane_wire_columns(pane) - parts < MORE_WIRE)
		link_words_more(link_row_trace(v, row->item, side->stream), v->ascii, MORE_COLUMNS,
		    more, sizeof more);
	if (more[0] == '\0') {
		append_words(words, marks);
		return;
	}
	size_t kept = marks[0] != '\0' ? strlen(marks) - 1 : 0;
	append(words, marks, kept);
	append_words(words, kept > 0 ? ", " : " (");
	append_words(words, more + 2);
	append_words(words, ")");
}

/* After how long TCP sent again, if the wire has no room for it. */
static const char *retransmission_times(const struct view *v, const struct view_row *row,
    const struct view_row_side *side, const struct pane *pane, char *buf, size_t size)
{
	int others = side->line->fate != FATE_WAITING ? WIRE_OTHERS + parts_columns(v, side, pane)
	           : v->now - side->line->typed_at < LONG_WAIT ? WIRE_WAITING
	                                                       : WIRE_WAITING_LONG;
	int width = pane->wire >= 0 ? pane_wire_columns(pane) - others : 0;
	return link_words_times(link_row_trace(v, row->item, side->stream), v->ascii, width, buf,
	    size);
}

static void append_times(struct view *v, struct view_bytes *words, const struct view_row *row,
    const struct view_row_side *side, const struct pane *pane)
{
	char times[160];
	if (retransmission_times(v, row, side, pane, times, sizeof times)[0] == '\0')
		return;
	append_words(words, " (");
	append_words(words, times);
	append_words(words, ")");
}

static void set_reply(struct view *v, struct view_row *row, int i, const struct pane *pane)
{
	struct view_row_side *side = &row->side[i];
	const struct ledger_row *line = side->line;
	bool kept = line->reply != NULL;
	side->number = line->number;
	set_text(&row->text[1 + i], kept ? line->reply : line->text,
	    kept ? line->reply_length : line->length, line->late ? STYLE_LATE : STYLE_ANSWERED);
	row->text[1 + i].capitals = !kept && line->length > 0;
	append_marks(v, &v->words[1 + i], row, side, pane);
	append_times(v, &v->words[1 + i], row, side, pane);
}

static enum style fate_style(const struct ledger_row *line)
{
	return line->fate == FATE_QUEUED || line->fate == FATE_WAITING ? STYLE_WAITING : STYLE_LOST;
}

static const char *fate_words(const struct view *v, const struct view_row *row,
    const struct view_row_side *side, char *buf, size_t size)
{
	return fate_words_unanswered(row->item, side->stream, side->line,
	    link_row_trace(v, row->item, side->stream), v->ascii, v->now, buf, size);
}

static void set_stray(struct view *v, struct view_row *row, const struct panes *p)
{
	int i = p->sides > 1 && row->item->stream;
	set_text(&row->text[1 + i], row->item->text, row->item->length, STYLE_LATE);
	if (p->side[i].wire < 0)
		append_words(&v->words[1 + i], " (stray)");
}

static void set_arrival(struct view *v, struct view_row *row, int i,
    const struct transcript_arrival *arrival)
{
	row->side[i].number = arrival->number;
	set_text(&row->text[1 + i], arrival->text, arrival->length,
	    arrival->match == MATCH_ANSWER ? STYLE_ANSWERED : STYLE_LATE);
	append_words(&v->words[1 + i], fate_words_arrival(arrival));
}

/* The words in the place of a reply, without their sign if it would part from the first of them. */
static const char *narrowed(const char *words, int columns, bool ascii)
{
	const char *word = strchr(words, ' ');
	char first[40];
	if (word == NULL || (words[0] != glyph(GLYPH_CROSS, ascii)[0] &&
	                        words[0] != glyph(GLYPH_WAITING, ascii)[0]))
		return words;
	word++;
	snprintf(first, sizeof first, "%.*s", (int)strcspn(word, " "), word);
	return 2 + utf8_columns(first) > columns ? word : words;
}

static void set_fate(struct view *v, struct view_row *row, int i, const struct pane *pane)
{
	const struct view_row_side *side = &row->side[i];
	char fate[80], times[160];
	retransmission_times(v, row, side, pane, times, sizeof times);
	if (pane->wire >= 0) {
		/* The wire has the fate, and perhaps no room for the times. */
		if (times[0] != '\0')
			set_words(v, row, i, times, fate_style(side->line));
		return;
	}
	fate_words(v, row, side, fate, sizeof fate);
	set_words(v, row, i, narrowed(fate, pane->to - pane->text, v->ascii),
	    fate_style(side->line));
	append_words(&v->words[1 + i], times[0] != '\0' ? ", " : "");
	append_words(&v->words[1 + i], times);
}

/* In the order of arrival, without a wire, the fate stands behind the line. */
static void set_fate_left(struct view *v, const struct view_row *row,
    const struct view_row_side *side)
{
	char fate[80];
	fate_words(v, row, side, fate, sizeof fate);
	if (fate[0] == '\0')
		return;
	append_words(v->words, " (");
	if (v->both || row->item->other != NULL)
		append_words(v->words, side->stream ? "TCP " : "UDP ");
	append_words(v->words, fate);
	append_words(v->words, ")");
}

/* What the pane says of a line that went over its transport. */
static void set_side(struct view *v, struct view_row *row, int i, const struct pane *pane)
{
	const struct view_row_side *side = &row->side[i];
	bool wire = pane->wire >= 0;
	if (side->line == NULL) {
		/* Over the other transport it is remembered. */
		if (!v->arrivals)
			set_words(v, row, i, evicted_text, STYLE_FAINT);
	} else if (v->arrivals) {
		if (!wire)
			set_fate_left(v, row, side);
	} else if (fate_words_replied(side->line)) {
		set_reply(v, row, i, pane);
	} else {
		set_fate(v, row, i, pane);
	}
}

static void side_find(struct view_row_side *side, const struct ledger *ledger, uint64_t number)
{
	side->sent = ledger != NULL;
	side->line = ledger != NULL ? ledger_find(ledger, number) : NULL;
}

const struct ledger_row *view_row_sides(const struct view *v, const struct transcript_item *item,
    struct view_row_side *sides)
{
	const struct ledger *udp = item->stream ? NULL : item->ledger,
	                    *tcp = item->stream ? item->ledger : item->other;
	sides[0] = (struct view_row_side){ .stream = false };
	sides[1] = (struct view_row_side){ .stream = true };
	if (v->both) {
		side_find(&sides[0], udp, item->number);
		side_find(&sides[1], tcp, item->number);
		return sides[0].line != NULL ? sides[0].line : sides[1].line;
	}
	/* One pane: the transport in use if the line went over it, else the one that it went over.
	 */
	sides[0].stream = udp == NULL || (tcp != NULL && v->stream);
	side_find(&sides[0], sides[0].stream ? tcp : udp, item->number);
	const struct ledger *unseen = sides[0].stream ? udp : tcp;
	return sides[0].line != NULL || unseen == NULL ? sides[0].line
	                                               : ledger_find(unseen, item->number);
}

static void set_line(struct view *v, struct view_row *row, const struct panes *p)
{
	row->line = view_row_sides(v, row->item, row->side);
	if (row->line == NULL) {
		set_text(row->text, evicted_text, strlen(evicted_text), STYLE_FAINT);
		return;
	}
	set_text(row->text, row->line->text, row->line->length, STYLE_NORMAL);
	if (row->line->partial)
		append_words(v->words, glyph(GLYPH_ELLIPSIS, v->ascii));
	for (int i = 0; i < p->sides; i++) {
		if (row->side[i].sent)
			set_side(v, row, i, &p->side[i]);
	}
}

static void set_notice(struct view *v, struct view_row *row)
{
	bool error = row->item->kind == TRANSCRIPT_ERROR;
	v->notice.length = 0;
	append_words(&v->notice, error ? "!! " : "-- ");
	append(&v->notice, row->item->text, row->item->length);
	set_text(row->text, v->notice.bytes, v->notice.length, error ? STYLE_ERROR : STYLE_NOTICE);
	row->wide = true;
}

static void set_item(struct view *v, struct view_row *row, const struct panes *p)
{
	/* Each pane of two is one transport's, whatever stands in it. */
	row->side[0].stream = !v->both && row->item->kind == TRANSCRIPT_STRAY && row->item->stream;
	row->side[1].stream = true;
	switch (row->item->kind) {
	case TRANSCRIPT_LINE:
		set_line(v, row, p);
		break;
	case TRANSCRIPT_STRAY:
		set_stray(v, row, p);
		break;
	case TRANSCRIPT_NOTICE:
	case TRANSCRIPT_ERROR:
		set_notice(v, row);
		break;
	}
}

void view_laid_free(struct view_laid *laid)
{
	layout_free(&laid->l);
	free(laid->starts);
	*laid = (struct view_laid){ 0 };
}

void view_row_drop_texts(struct view *v)
{
	for (size_t i = 0; v->laid != NULL && i < (1 + VIEW_SIDES) * LAID_TEXTS; i++)
		view_laid_free(&v->laid[i]);
	free(v->laid);
	v->laid = NULL;
	v->laid_cells = 0;
}

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
	/* Only the text itself can be found, not the words behind it. */
	if (found)
		find_mark(v, &laid->l, bytes, n);
	laid->text_cells = laid->l.count;
	laid->final = 0;
}

/* Goes on where the words behind the text begin to matter: a line's end depends on two lines of
 * cells at most. */
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

static int text_from(const struct panes *p, const struct view_row *row, int i)
{
	return i > 0 ? p->side[i - 1].text : row->wide ? p->pad : p->left_text;
}

static int text_to(const struct view *v, const struct panes *p, const struct view_row *row, int i)
{
	if (i > 0)
		return p->side[i - 1].to;
	if (!row->wide)
		return p->left_end;
	/* A notice ends, in the order of arrival, before the replies. */
	return !v->arrivals ? p->columns : p->side[0].wire >= 0 ? p->side[0].wire_end : p->left_end;
}

/* Lays out what stands in pane `i`. In one pane, a row's text of one transport never changes while
 * its bytes are where they are; a notice does. */
static void lay_text(const struct list *l, uint64_t index, struct view_row *row, int i, bool found)
{
	struct view *v = l->v;
	struct view_row_text *t = &row->text[i];
	const uint64_t of[] = { (uintptr_t)t->bytes, t->length, index, found ? v->finds : 0,
		(uint64_t)l->of << 1 | (i > 0 && row->side[i - 1].stream) };
	bool keep = t->length > LONG_TEXT && !row->wide;
	if (keep && v->laid == NULL)
		v->laid = calloc((1 + VIEW_SIDES) * LAID_TEXTS, sizeof *v->laid);
	keep = keep && v->laid != NULL;
	struct view_laid *laid = keep ? &v->laid[(size_t)i * LAID_TEXTS + index % LAID_TEXTS]
	                              : &v->brief[i];
	size_t before = laid->l.capacity;
	if (!keep || memcmp(laid->of, of, sizeof of) != 0) {
		memcpy(laid->of, of, sizeof of);
		lay_anew(v, laid, t, found);
	}
	laid->l.count = laid->text_cells;
	if (layout_more(&laid->l, v->words[i].bytes, v->words[i].length, view_width(v)) != 0)
		laid->l.count = 0;
	v->laid_cells += laid->l.capacity - before;
	const int columns = text_to(v, l->p, row, i) - text_from(l->p, row, i);
	break_lines(laid, columns > 0 ? (size_t)columns : 1);
	t->laid = laid;
}

static void lay_panes(const struct list *l, uint64_t index, struct view_row *row, bool found)
{
	for (int i = 0; i <= l->p->sides; i++) {
		/* On the narrowest screens there is no pane of replies. */
		row->text[i].has = row->text[i].has &&
		                   (i == 0 || l->p->side[i - 1].from < l->p->side[i - 1].to);
		if (!row->text[i].has)
			continue;
		lay_text(l, index, row, i, found);
		size_t lines = row->text[i].laid->lines;
		row->lines = lines > row->lines ? lines : row->lines;
	}
}

/* Returns true if the row is what /find found. */
static bool set_row(const struct list *l, uint64_t index, struct view_row *row)
{
	struct view *v = l->v;
	if (l->of == LIST_ROWS) {
		row->item = transcript_item(l->b, index);
		set_item(v, row, l->p);
		return index == v->found;
	}
	const struct transcript_item *found = transcript_item(l->b, v->found);
	const struct transcript_arrival *arrival = transcript_arrival(l->b, l->of == LIST_TCP,
	    index);
	int i = list_side(v, l->of);
	set_arrival(v, row, i, arrival);
	return found != NULL && scroll_belongs(arrival, found, v->found);
}

void view_row_lay(const struct list *l, uint64_t index, struct view_row *row)
{
	*row = (struct view_row){ .lines = 1 };
	for (int i = 0; i <= VIEW_SIDES; i++)
		l->v->words[i].length = 0;
	if (l->v->laid_cells > LAID_CELLS)
		view_row_drop_texts(l->v);
	bool found = set_row(l, index, row);
	lay_panes(l, index, row, found && l->v->find != NULL);
}

/* The number ends in the column before the one that the text is separated by. */
static void draw_number(struct canvas *c, int at, int text_column, int digits, uint64_t number)
{
	char text[24];
	if (digits == 0 || number == 0)
		return;
	snprintf(text, sizeof text, "%*" PRIu64, digits, number);
	canvas_text(c, at, text_column - digits - 1, text_column - 1, text, STYLE_FAINT);
}

static void draw_bar(const struct view *v, struct canvas *c, int at, int column, bool stream)
{
	if (column >= 0)
		canvas_text(c, at, column, column + 1,
		    glyph(stream ? GLYPH_BAR_TCP : GLYPH_BAR_UDP, v->ascii),
		    stream ? STYLE_TCP : STYLE_UDP);
}

static void draw_bars(const struct view *v, struct canvas *c, const struct panes *p,
    const struct view_row *row, int at)
{
	if (row->wide && !v->arrivals)
		return;
	for (int i = 0; i < p->sides; i++) {
		bool stream = row->side[i].stream;
		/* A notice goes over the first wire. */
		if (i > 0 || !row->wide)
			draw_bar(v, c, at, p->side[i].wire_bar, stream);
		/* Replies that have an order of their own are those of the transport in use. */
		draw_bar(v, c, at, p->side[i].bar, v->arrivals && !v->both ? v->stream : stream);
	}
}

void view_row_draw_bars(const struct list *l, struct canvas *c, int at)
{
	struct view_row none = { .side = { { .stream = !l->v->both && l->v->stream },
		                     { .stream = true } } };
	draw_bars(l->v, c, l->p, &none, at);
}

static bool has_wire(const struct panes *p, const struct view_row *row, int i)
{
	if (p->side[i].wire < 0 || row->item == NULL || row->wide)
		return false;
	if (row->item->kind == TRANSCRIPT_STRAY)
		return row->item->stream == row->side[i].stream;
	return row->side[i].line != NULL;
}

static void draw_wire(const struct view *v, struct canvas *c, const struct panes *p,
    const struct view_row *row, int i, int at, int64_t now)
{
	const struct pane *pane = &p->side[i];
	const struct view_row_side *side = &row->side[i];
	struct wire wire;
	if (!has_wire(p, row, i))
		return;
	fate_words_wire(row->item, side->stream, side->line,
	    link_row_trace(v, row->item, side->stream), v->ends, pane_wire_columns(pane), v->ascii,
	    now, &wire);
	int column = canvas_text(c, at, pane->wire + 1, pane->wire_end, wire.lead, wire.lead_style);
	canvas_text(c, at, column, pane->wire_end, wire.rest, wire.rest_style);
}

/* What a row says once stands on its first line that can be seen: of a very long line only the end
 * may be. */
static void draw_once(const struct view *v, struct canvas *c, const struct panes *p,
    const struct view_row *row, int at, int64_t now)
{
	if (row->item != NULL && row->item->kind == TRANSCRIPT_LINE)
		draw_number(c, at, p->left_text, p->digits, row->item->number);
	for (int i = 0; i < p->sides; i++) {
		if (row->text[1 + i].has)
			draw_number(c, at, p->side[i].text, p->side[i].digits, row->side[i].number);
		draw_wire(v, c, p, row, i, at, now);
	}
}

/* The style of the fate behind a typed line: that of one that has no reply yet, or never. */
static enum style left_mark_style(const struct view_row *row)
{
	for (int i = 0; i < VIEW_SIDES; i++) {
		const struct ledger_row *line = row->side[i].line;
		if (line != NULL && !fate_words_replied(line))
			return fate_style(line);
	}
	return STYLE_FAINT;
}

static void draw_text(const struct list *l, struct canvas *c, const struct view_row *row, int i,
    size_t line, int at)
{
	const struct view_row_text *t = &row->text[i];
	const struct view_laid *laid = t->laid;
	if (!t->has || line >= laid->lines)
		return;
	const struct layout_cell *cells = laid->l.cells;
	size_t from = laid->starts[line],
	       end = line + 1 < laid->lines ? laid->starts[line + 1] : laid->l.count;
	size_t middle = laid->text_cells < from ? from
	              : laid->text_cells > end  ? end
	                                        : laid->text_cells;
	int limit = text_to(l->v, l->p, row, i);
	int column = canvas_cells(c, at, text_from(l->p, row, i), limit, cells + from,
	    middle - from, t->style);
	canvas_cells(c, at, column, limit, cells + middle, end - middle,
	    i > 0 ? t->mark_style : left_mark_style(row));
}

void view_row_draw(const struct list *l, struct canvas *c, const struct view_row *row, size_t skip,
    int count, int at)
{
	const struct view *v = l->v;
	const struct panes *p = l->p;
	for (int i = 0; i < count; i++) {
		if (l->of == LIST_ROWS)
			draw_bars(v, c, p, row, at + i);
		for (int pane = 0; pane <= p->sides; pane++)
			draw_text(l, c, row, pane, skip + (size_t)i, at + i);
		if (i == 0)
			draw_once(v, c, p, row, at, v->now);
	}
}
