/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One row of the panes: a typed line and its replies side by side, each wrapped in its pane, or a notice over the whole
 * width. A row is laid out, measured and drawn before the next one is; nothing is kept of it. */
#include "config.h"

#include "view-parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "capitals.h"
#include "clock.h"

/* What the link did has room in a wire of so many columns, and so many in short. */
#define MORE_WIRE 20
#define MORE_COLUMNS 14
/* All parts of a time stand behind the reply if it has so many columns, else the greatest before the line was sent. */
#define ALL_PARTS_COLUMNS 40
/* What else stands in the wire of a line that was sent again: an arrow, blanks and a time; or that it waits. */
#define WIRE_OTHERS 11
#define WIRE_WAITING 19
#define WIRE_WAITING_LONG 24
/* From then on the time it waits has more words. */
#define LONG_WAIT (100 * NS_PER_S)

static const char empty_text[] = "(empty)", forgotten_text[] = "(forgotten)";

static void append(struct view_bytes *b, const void *bytes, size_t n)
{
	if (n == 0 || !bytes_reserve(b, b->length + n))
		return;
	memcpy(b->bytes + b->length, bytes, n);
	b->length += n;
}

static void append_words(struct view_bytes *b, const char *words)
{
	append(b, words, strlen(words));
}

static void append_capitals(struct view_bytes *b, const void *text, size_t n)
{
	if (n > 0 && bytes_reserve(b, b->length + CAPITALS_GROWTH * n))
		b->length += capitals_text(text, n, b->bytes + b->length);
}

static void set_left(struct view *v, struct row *row, const void *text, size_t n, enum style style)
{
	v->left.length = 0;
	append(&v->left, n > 0 ? text : empty_text, n > 0 ? n : sizeof empty_text - 1);
	row->has_left = true;
	row->left_style = n > 0 ? style : STYLE_FAINT;
	row->left_mark = v->left.length;
}

/* What is in `text` is the reply's: an empty one shows as such. */
static void end_reply(struct view_bytes *text, struct row_side *side, uint64_t number, enum style style)
{
	side->has = true;
	side->number = number;
	side->style = text->length > 0 ? style : STYLE_FAINT;
	if (text->length == 0)
		append_words(text, empty_text);
	side->mark = text->length;
	side->mark_style = STYLE_LATE;
}

/* Words of ours in the place of a reply. */
static void set_words(struct view_bytes *text, struct row_side *side, const char *words, enum style style)
{
	append_words(text, words);
	side->has = true;
	side->mark = 0;
	side->mark_style = style;
}

/* The parts of a line's time in its wire; 0 for no wire. */
static int parts_columns(const struct view *v, const struct row_side *side, const struct pane *pane)
{
	return pane->wire >= 0 ? words_parts_columns(side->line, pane_wire_room(pane), v->ascii) : 0;
}

/* Parts of its time and what the link did stand among the marks if the wire has no room for them. */
static void append_marks(struct view *v, struct view_bytes *text, const struct row *row, const struct row_side *side,
    const struct pane *pane)
{
	char marks[220], more[80] = "";
	const int parts = parts_columns(v, side, pane);
	words_marks(side->line, pane->wire < 0 || parts > 0 ? PARTS_TIME :
	    pane->to - pane->text >= ALL_PARTS_COLUMNS ? PARTS_ALL : PARTS_GREATEST, v->ascii, marks, sizeof marks);
	if (pane->wire < 0 || pane_wire_room(pane) - parts < MORE_WIRE)
		truth_more(link_truth(v, row->item, side->stream), v->ascii, MORE_COLUMNS, more, sizeof more);
	if (more[0] == '\0') {
		append_words(text, marks);
		return;
	}
	size_t kept = marks[0] != '\0' ? strlen(marks) - 1 : 0;
	append(text, marks, kept);
	append_words(text, kept > 0 ? ", " : " (");
	append_words(text, more + 2);
	append_words(text, ")");
}

/* After how long TCP sent again, if the wire has no room for it. */
static const char *again_times(const struct view *v, const struct row *row, const struct row_side *side, const struct pane *pane,
    char *buf, size_t size)
{
	int others = side->line->fate != FATE_WAITING ? WIRE_OTHERS + parts_columns(v, side, pane) :
	    v->now - side->line->typed_at < LONG_WAIT ? WIRE_WAITING : WIRE_WAITING_LONG;
	int room = pane->wire >= 0 ? pane_wire_room(pane) - others : 0;
	return truth_times(link_truth(v, row->item, side->stream), v->ascii, room, buf, size);
}

static void append_times(struct view *v, struct view_bytes *text, const struct row *row, const struct row_side *side,
    const struct pane *pane)
{
	char times[160];
	if (again_times(v, row, side, pane, times, sizeof times)[0] == '\0')
		return;
	append_words(text, " (");
	append_words(text, times);
	append_words(text, ")");
}

static void set_reply(struct view *v, struct view_bytes *text, const struct row *row, struct row_side *side,
    const struct pane *pane)
{
	const struct ledger_row *line = side->line;
	if (line->reply != NULL)
		append(text, line->reply, line->reply_length);
	else
		append_capitals(text, line->text, line->length);
	end_reply(text, side, line->number, line->late ? STYLE_LATE : STYLE_ANSWERED);
	append_marks(v, text, row, side, pane);
}

static enum style fate_style(const struct ledger_row *line)
{
	return line->fate == FATE_QUEUED || line->fate == FATE_WAITING ? STYLE_WAITING : STYLE_LOST;
}

static const char *fate_words(const struct view *v, const struct row *row, const struct row_side *side, char *buf, size_t size)
{
	return words_fate(row->item, side->stream, side->line, link_truth(v, row->item, side->stream), v->ascii, v->now, buf,
	    size);
}

static void set_stray(struct view *v, struct row *row, const struct panes *p)
{
	int i = p->sides > 1 && row->item->stream;
	struct view_bytes *text = &v->right[i];
	append(text, row->item->text, row->item->length);
	end_reply(text, &row->side[i], 0, STYLE_LATE);
	if (p->side[i].wire < 0)
		append_words(text, " (stray)");
}

static void set_arrival(struct view_bytes *text, struct row_side *side, const struct board_arrival *arrival)
{
	append(text, arrival->text, arrival->length);
	end_reply(text, side, arrival->number, arrival->match == MATCH_ANSWER ? STYLE_ANSWERED : STYLE_LATE);
	append_words(text, words_arrival(arrival));
}

/* The words in the place of a reply, without their sign if it would part from the first of them. */
static const char *narrowed(const char *words, int columns, bool ascii)
{
	const char *word = strchr(words, ' ');
	char first[40];
	if (word == NULL || (words[0] != glyph(GLYPH_CROSS, ascii)[0] && words[0] != glyph(GLYPH_WAITING, ascii)[0]))
		return words;
	word++;
	snprintf(first, sizeof first, "%.*s", (int)strcspn(word, " "), word);
	return 2 + utf8_columns(first) > columns ? word : words;
}

static void set_fate(struct view *v, const struct row *row, int i, const struct pane *pane, struct row_side *side)
{
	char fate[80], times[160];
	again_times(v, row, side, pane, times, sizeof times);
	if (pane->wire >= 0) {
		/* The wire has the fate, and perhaps no room for the times. */
		if (times[0] != '\0')
			set_words(&v->right[i], side, times, fate_style(side->line));
		return;
	}
	fate_words(v, row, side, fate, sizeof fate);
	set_words(&v->right[i], side, narrowed(fate, pane->to - pane->text, v->ascii), fate_style(side->line));
	append_words(&v->right[i], times[0] != '\0' ? ", " : "");
	append_words(&v->right[i], times);
}

/* In the order of arrival, without a wire, the fate stands behind the line. */
static void set_fate_left(struct view *v, const struct row *row, const struct row_side *side)
{
	char fate[80];
	fate_words(v, row, side, fate, sizeof fate);
	if (fate[0] == '\0')
		return;
	append_words(&v->left, " (");
	if (v->both || row->item->other != NULL)
		append_words(&v->left, side->stream ? "TCP " : "UDP ");
	append_words(&v->left, fate);
	append_words(&v->left, ")");
}

/* What the pane says of a line that went over its transport. */
static void set_side(struct view *v, struct row *row, int i, const struct pane *pane)
{
	struct row_side *side = &row->side[i];
	bool wire = pane->wire >= 0;
	if (side->line == NULL) {
		/* Over the other transport it is remembered. */
		if (!v->arrivals)
			set_words(&v->right[i], side, forgotten_text, STYLE_FAINT);
	} else if (v->arrivals) {
		if (!wire)
			set_fate_left(v, row, side);
	} else if (words_replied(side->line)) {
		set_reply(v, &v->right[i], row, side, pane);
		append_times(v, &v->right[i], row, side, pane);
	} else {
		set_fate(v, row, i, pane, side);
	}
}

static void side_find(struct row_side *side, const struct ledger *ledger, uint64_t number)
{
	side->sent = ledger != NULL;
	side->line = ledger != NULL ? ledger_find(ledger, number) : NULL;
}

const struct ledger_row *row_sides(const struct view *v, const struct board_item *item, struct row_side *sides)
{
	const struct ledger *udp = item->stream ? NULL : item->ledger, *tcp = item->stream ? item->ledger : item->other;
	sides[0] = (struct row_side) { .stream = false };
	sides[1] = (struct row_side) { .stream = true };
	if (v->both) {
		side_find(&sides[0], udp, item->number);
		side_find(&sides[1], tcp, item->number);
		return sides[0].line != NULL ? sides[0].line : sides[1].line;
	}
	/* One pane: the transport in use if the line went over it, else the one that it went over. */
	sides[0].stream = udp == NULL || (tcp != NULL && v->stream);
	side_find(&sides[0], sides[0].stream ? tcp : udp, item->number);
	const struct ledger *unseen = sides[0].stream ? udp : tcp;
	return sides[0].line != NULL || unseen == NULL ? sides[0].line : ledger_find(unseen, item->number);
}

static void set_line(struct view *v, struct row *row, const struct panes *p)
{
	row->line = row_sides(v, row->item, row->side);
	if (row->line == NULL) {
		set_left(v, row, forgotten_text, strlen(forgotten_text), STYLE_FAINT);
		return;
	}
	set_left(v, row, row->line->text, row->line->length, STYLE_NORMAL);
	if (row->line->partial)
		append_words(&v->left, glyph(GLYPH_ELLIPSIS, v->ascii));
	for (int i = 0; i < p->sides; i++) {
		if (row->side[i].sent)
			set_side(v, row, i, &p->side[i]);
	}
}

static void set_notice(struct view *v, struct row *row)
{
	bool error = row->item->kind == BOARD_ERROR;
	v->left.length = 0;
	append_words(&v->left, error ? "!! " : "-- ");
	append(&v->left, row->item->text, row->item->length);
	row->has_left = row->wide = true;
	row->left_mark = v->left.length;
	row->left_style = error ? STYLE_ERROR : STYLE_NOTICE;
}

static void set_item(struct view *v, struct row *row, const struct panes *p)
{
	/* Each pane of two is one transport's, whatever stands in it. */
	row->side[0].stream = !v->both && row->item->kind == BOARD_STRAY && row->item->stream;
	row->side[1].stream = true;
	switch (row->item->kind) {
	case BOARD_LINE:
		set_line(v, row, p);
		break;
	case BOARD_STRAY:
		set_stray(v, row, p);
		break;
	case BOARD_NOTICE:
	case BOARD_ERROR:
		set_notice(v, row);
		break;
	}
}

/* Where a notice ends: in the order of arrival, before the replies. */
static int wide_end(const struct view *v, const struct panes *p)
{
	if (!v->arrivals)
		return p->columns;
	return p->side[0].wire >= 0 ? p->side[0].wire_end : p->left_end;
}

static size_t text_columns(int from, int to)
{
	return to > from ? (size_t)(to - from) : 1;
}

static size_t lay_side(const struct view *v, struct layout *l, const struct view_bytes *text, int from, int to)
{
	if (layout_text(l, text->bytes, text->length, view_width(v)) != 0)
		l->count = 0;
	return layout_lines(l, text_columns(from, to));
}

/* Only the text itself can be found, not the marks behind it. */
static void mark_found(struct view *v, const struct row *row)
{
	if (row->has_left)
		find_mark(v, &v->typed, v->left.bytes, row->left_mark);
	for (int i = 0; i < VIEW_SIDES; i++) {
		if (row->side[i].has)
			find_mark(v, &v->reply[i], v->right[i].bytes, row->side[i].mark);
	}
}

static void lay_panes(struct view *v, const struct panes *p, struct row *row)
{
	if (row->has_left)
		row->lines = lay_side(v, &v->typed, &v->left, row->wide ? p->pad : p->left_text,
		    row->wide ? wide_end(v, p) : p->left_end);
	for (int i = 0; i < p->sides; i++) {
		const struct pane *pane = &p->side[i];
		/* On the narrowest screens there is no pane of replies. */
		row->side[i].has = row->side[i].has && pane->from < pane->to;
		if (!row->side[i].has)
			continue;
		size_t lines = lay_side(v, &v->reply[i], &v->right[i], pane->text, pane->to);
		row->lines = lines > row->lines ? lines : row->lines;
	}
}

/* Returns true if the row is what /find found. */
static bool set_row(const struct list *l, uint64_t index, struct row *row)
{
	struct view *v = l->v;
	if (l->of == LIST_ROWS) {
		row->item = board_item(l->b, index);
		set_item(v, row, l->p);
		return index == v->found;
	}
	const struct board_item *found = board_item(l->b, v->found);
	const struct board_arrival *arrival = board_arrival(l->b, l->of == LIST_TCP, index);
	int i = list_side(v, l->of);
	set_arrival(&v->right[i], &row->side[i], arrival);
	return found != NULL && scroll_belongs(arrival, found, v->found);
}

void row_lay(const struct list *l, uint64_t index, struct row *row)
{
	*row = (struct row) { .lines = 1 };
	for (int i = 0; i < VIEW_SIDES; i++)
		l->v->right[i].length = 0;
	bool found = set_row(l, index, row);
	lay_panes(l->v, l->p, row);
	if (found && l->v->find != NULL)
		mark_found(l->v, row);
}

/* What stands in one pane while it is drawn, line by line. */
struct strip {
	const struct layout *l;
	/* The cell that the next line begins with. */
	size_t next;
	int from, to;
	/* Its marks begin at this byte. */
	size_t mark;
	enum style style, mark_style;
};

/* Passes over the next line, or draws it at canvas row `at`. */
static void strip_line(struct strip *s, struct canvas *c, int at)
{
	if (s->l == NULL || s->next >= s->l->count)
		return;
	size_t from = s->next, middle = from;
	s->next = layout_wrap(s->l, from, text_columns(s->from, s->to));
	if (at < 0)
		return;
	while (middle < s->next && s->l->cells[middle].offset < s->mark)
		middle++;
	int column = canvas_cells(c, at, s->from, s->to, s->l->cells + from, middle - from, s->style);
	canvas_cells(c, at, column, s->to, s->l->cells + middle, s->next - middle, s->mark_style);
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
		canvas_text(c, at, column, column + 1, glyph(stream ? GLYPH_BAR_TCP : GLYPH_BAR_UDP, v->ascii),
		    stream ? STYLE_TCP : STYLE_UDP);
}

static void draw_bars(const struct view *v, struct canvas *c, const struct panes *p, const struct row *row, int at)
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

void row_draw_bars(const struct list *l, struct canvas *c, int at)
{
	struct row none = { .side = { { .stream = !l->v->both && l->v->stream }, { .stream = true } } };
	draw_bars(l->v, c, l->p, &none, at);
}

static bool has_wire(const struct panes *p, const struct row *row, int i)
{
	if (p->side[i].wire < 0 || row->item == NULL || row->wide)
		return false;
	if (row->item->kind == BOARD_STRAY)
		return row->item->stream == row->side[i].stream;
	return row->side[i].line != NULL;
}

static void draw_wire(const struct view *v, struct canvas *c, const struct panes *p, const struct row *row, int i, int at,
    int64_t now)
{
	const struct pane *pane = &p->side[i];
	const struct row_side *side = &row->side[i];
	struct wire wire;
	if (!has_wire(p, row, i))
		return;
	words_wire(row->item, side->stream, side->line, link_truth(v, row->item, side->stream), v->ends, pane_wire_room(pane), v->ascii,
	    now, &wire);
	int column = canvas_text(c, at, pane->wire + 1, pane->wire_end, wire.lead, wire.lead_style);
	canvas_text(c, at, column, pane->wire_end, wire.rest, wire.rest_style);
}

/* What a row says once stands on its first line that can be seen: of a very long line only the end may be. */
static void draw_once(const struct view *v, struct canvas *c, const struct panes *p, const struct row *row, int at,
    int64_t now)
{
	if (row->item != NULL && row->item->kind == BOARD_LINE)
		draw_number(c, at, p->left_text, p->digits, row->item->number);
	for (int i = 0; i < p->sides; i++) {
		if (row->side[i].has)
			draw_number(c, at, p->side[i].text, p->side[i].digits, row->side[i].number);
		draw_wire(v, c, p, row, i, at, now);
	}
}

/* The style of the fate behind a typed line: that of one that has no reply yet, or never. */
static enum style left_mark_style(const struct row *row)
{
	for (int i = 0; i < VIEW_SIDES; i++) {
		const struct ledger_row *line = row->side[i].line;
		if (line != NULL && !words_replied(line))
			return fate_style(line);
	}
	return STYLE_FAINT;
}

static void strips_line(struct strip *strips, int count, struct canvas *c, int at)
{
	for (int i = 0; i < count; i++)
		strip_line(&strips[i], c, at);
}

void row_draw(const struct list *l, struct canvas *c, const struct row *row, size_t skip, int count, int at)
{
	const struct view *v = l->v;
	const struct panes *p = l->p;
	int panes = 1 + p->sides;
	struct strip strips[1 + VIEW_SIDES] = { {
		.l = row->has_left ? &v->typed : NULL,
		.from = row->wide ? p->pad : p->left_text,
		.to = row->wide ? wide_end(v, p) : p->left_end,
		.mark = row->left_mark, .style = row->left_style, .mark_style = left_mark_style(row),
	} };
	for (int i = 0; i < p->sides; i++) {
		const struct row_side *side = &row->side[i];
		strips[1 + i] = (struct strip) {
			.l = side->has ? &v->reply[i] : NULL, .from = p->side[i].text, .to = p->side[i].to,
			.mark = side->mark, .style = side->style, .mark_style = side->mark_style,
		};
	}
	for (size_t i = 0; i < skip; i++)
		strips_line(strips, panes, c, -1);
	for (int i = 0; i < count; i++) {
		if (l->of == LIST_ROWS)
			draw_bars(v, c, p, row, at + i);
		strips_line(strips, panes, c, at + i);
		if (i == 0)
			draw_once(v, c, p, row, at, v->now);
	}
}
