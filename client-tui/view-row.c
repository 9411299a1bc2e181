/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One row of the panes: a typed line and its reply side by side, each wrapped in its pane, or a notice over the whole
 * width. A row is laid out, measured and drawn before the next one is; nothing is kept of it. */
#include "config.h"

#include "view-parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "capitals.h"

static const char empty_text[] = "(empty)";

/* What else stands in the wire of a line that was sent again: an arrow, blanks and a time; or that it waits. */
#define WIRE_OTHERS 13
#define WIRE_WAITING 22

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

/* What is in v->right is the reply's text: an empty one shows as such. */
static void end_right(struct view *v, struct row *row, uint64_t number, enum style style)
{
	row->has_right = true;
	row->right_number = number;
	row->right_style = v->right.length > 0 ? style : STYLE_FAINT;
	if (v->right.length == 0)
		append_words(&v->right, empty_text);
	row->right_mark = v->right.length;
	row->right_mark_style = STYLE_LATE;
}

/* What was sent again and after how long, where the wire has no room for all of it: "RTO 224, 448 ms", or without a wire "2x again
 * (RTO ...)"; "" if there is nothing to say. */
static const char *again_words(const struct view *v, const struct row *row, int wire, char *buf, size_t size)
{
	const struct witness_line *truth = link_truth(v, row->item);
	const int others = row->line->fate == FATE_WAITING ? WIRE_WAITING : WIRE_OTHERS;
	if (words_columns(truth_times(truth, v->ascii, true, buf, size)) + others <= wire)
		buf[0] = '\0';
	else if (wire > 0)
		truth_times(truth, v->ascii, false, buf, size);
	return buf;
}

static void append_again(struct view *v, const struct row *row, int wire)
{
	char words[160];
	if (again_words(v, row, wire, words, sizeof words)[0] == '\0')
		return;
	append_words(&v->right, " (");
	append_words(&v->right, words);
	append_words(&v->right, ")");
}

static void set_reply(struct view *v, struct row *row, int wire)
{
	const struct ledger_row *line = row->line;
	char marks[128];
	if (line->reply != NULL)
		append(&v->right, line->reply, line->reply_length);
	else
		append_capitals(&v->right, line->text, line->length);
	end_right(v, row, line->number, line->late ? STYLE_LATE : STYLE_ANSWERED);
	append_words(&v->right, words_marks(line, v->ascii, marks, sizeof marks));
	append_again(v, row, wire);
}

static enum style fate_style(const struct ledger_row *line)
{
	return line->fate == FATE_QUEUED || line->fate == FATE_WAITING ? STYLE_WAITING : STYLE_LOST;
}

/* Without a wire, the fate of a line without a reply stands in the hole. */
static void set_fate(struct view *v, struct row *row)
{
	char fate[80], again[160];
	append_words(&v->right, words_fate(row->line, link_truth(v, row->item), v->ascii, v->now, fate, sizeof fate));
	if (again_words(v, row, 0, again, sizeof again)[0] != '\0') {
		append_words(&v->right, ", ");
		append_words(&v->right, again);
	}
	row->has_right = true;
	row->right_mark = 0;
	row->right_mark_style = fate_style(row->line);
}

/* With a short wire, the times stand in the hole. */
static void set_times(struct view *v, struct row *row, int wire)
{
	char again[160];
	if (again_words(v, row, wire, again, sizeof again)[0] == '\0')
		return;
	append_words(&v->right, again);
	row->has_right = true;
	row->right_mark = 0;
	row->right_mark_style = fate_style(row->line);
}

static void set_stray(struct view *v, struct row *row, bool wire)
{
	append(&v->right, row->item->text, row->item->length);
	end_right(v, row, 0, STYLE_LATE);
	if (!wire)
		append_words(&v->right, " (stray)");
}

static void set_arrival(struct view *v, struct row *row)
{
	const struct board_arrival *arrival = row->arrival;
	if (arrival == NULL)
		return;
	append(&v->right, arrival->text, arrival->length);
	end_right(v, row, arrival->number, arrival->match == MATCH_ANSWER ? STYLE_ANSWERED : STYLE_LATE);
	append_words(&v->right, words_arrival(arrival));
}

static void set_line(struct view *v, struct row *row, int wire)
{
	char fate[80];
	if (row->line == NULL) {
		set_left(v, row, "(forgotten)", strlen("(forgotten)"), STYLE_FAINT);
		return;
	}
	set_left(v, row, row->line->text, row->line->length, STYLE_NORMAL);
	if (row->line->partial)
		append_words(&v->left, glyph(GLYPH_ELLIPSIS, v->ascii));
	if (v->arrivals) {
		words_fate(row->line, link_truth(v, row->item), v->ascii, v->now, fate, sizeof fate);
		if (wire == 0 && fate[0] != '\0') {
			append_words(&v->left, " (");
			append_words(&v->left, fate);
			append_words(&v->left, ")");
		}
	} else if (words_replied(row->line)) {
		set_reply(v, row, wire);
	} else if (wire > 0) {
		set_times(v, row, wire);
	} else {
		set_fate(v, row);
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

/* `wire`: the columns between the panes, or 0. */
static void set_item(struct view *v, struct row *row, int wire)
{
	if (row->item == NULL)
		return;
	switch (row->item->kind) {
	case BOARD_LINE:
		set_line(v, row, wire);
		break;
	case BOARD_STRAY:
		/* In the order of arrival it stands among the arrivals. */
		if (!v->arrivals)
			set_stray(v, row, wire > 0);
		break;
	case BOARD_NOTICE:
	case BOARD_ERROR:
		set_notice(v, row);
		break;
	}
}

static int wide_end(const struct view *v, const struct panes *p)
{
	if (!v->arrivals)
		return p->columns;
	return p->wire >= 0 ? p->wire_end : p->left_end;
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
static void mark_found(struct view *v, const struct row *row, uint64_t index)
{
	if (v->find == NULL || index != v->found || row->item == NULL)
		return;
	if (row->has_left)
		find_mark(v, &v->typed, v->left.bytes, row->left_mark);
	if (row->has_right && !v->arrivals)
		find_mark(v, &v->reply, v->right.bytes, row->right_mark);
}

void row_lay(struct view *v, const struct board *b, const struct panes *p, uint64_t index, struct row *row)
{
	*row = (struct row) { .lines = 1 };
	v->right.length = 0;
	if (index < board_end(b))
		row->item = board_item(b, index);
	if (row->item != NULL && row->item->kind == BOARD_LINE)
		row->line = ledger_find(row->item->ledger, row->item->number);
	uint64_t arrival = board_arrivals_first(b) + (index - board_first(b));
	if (v->arrivals && arrival < board_arrivals_end(b))
		row->arrival = board_arrival(b, arrival);
	set_item(v, row, p->wire >= 0 ? p->wire_end - p->wire : 0);
	if (v->arrivals)
		set_arrival(v, row);
	/* On the narrowest screens there is no right pane. */
	row->has_right = row->has_right && p->right < p->right_end;
	if (row->has_left)
		row->lines = lay_side(v, &v->typed, &v->left, row->wide ? p->pad : p->left_text,
		    row->wide ? wide_end(v, p) : p->left_end);
	if (row->has_right) {
		size_t lines = lay_side(v, &v->reply, &v->right, p->right_text, p->right_end);
		row->lines = lines > row->lines ? lines : row->lines;
	}
	mark_found(v, row, index);
}

/* One side of a row while it is drawn, line by line. */
struct side {
	const struct layout *l;
	/* The cell that the next line begins with. */
	size_t next;
	int from, to;
	/* Its marks begin at this byte. */
	size_t mark;
	enum style style, mark_style;
};

/* Passes over the next line, or draws it at canvas row `at`. */
static void side_line(struct side *s, struct canvas *c, int at)
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

static void draw_number(struct canvas *c, const struct panes *p, int at, int from, uint64_t number)
{
	char text[24];
	if (p->digits == 0 || number == 0)
		return;
	snprintf(text, sizeof text, "%*" PRIu64, p->digits, number);
	canvas_text(c, at, from + p->pad, from + p->pad + p->digits, text, STYLE_FAINT);
}

static void draw_bar(const struct view *v, struct canvas *c, int at, int column, bool stream)
{
	if (column >= 0)
		canvas_text(c, at, column, column + 1, glyph(stream ? GLYPH_BAR_TCP : GLYPH_BAR_UDP, v->ascii),
		    stream ? STYLE_TCP : STYLE_UDP);
}

/* Which transport the reply stands for: its own where the replies have an order of their own. */
static bool right_stream(const struct row *row)
{
	if (row->arrival != NULL)
		return row->arrival->stream;
	return row->item != NULL && !row->wide && row->item->stream;
}

static void draw_bars(const struct view *v, struct canvas *c, const struct panes *p, const struct row *row, int at)
{
	bool covered = row->wide && !v->arrivals;
	bool stream = row->item != NULL && !row->wide && row->item->stream;
	bool last_is_right = v->arrivals;
	if (p->wire >= 0) {
		if (!row->wide)
			draw_bar(v, c, at, p->first_bar, stream);
		if (!covered)
			draw_bar(v, c, at, p->second_bar, right_stream(row));
	} else if (!covered) {
		draw_bar(v, c, at, p->first_bar, last_is_right ? right_stream(row) : stream);
	}
}

static void draw_wire(const struct view *v, struct canvas *c, const struct panes *p, const struct row *row, int at,
    int64_t now)
{
	struct wire wire;
	if (p->wire < 0 || row->item == NULL || row->wide || (v->arrivals && row->item->kind == BOARD_STRAY))
		return;
	words_wire(row->item, row->line, link_truth(v, row->item), p->wire_end - p->wire - 2, v->ascii, now, &wire);
	int column = canvas_text(c, at, p->wire + 1, p->wire_end, wire.lead, wire.lead_style);
	canvas_text(c, at, column, p->wire_end, wire.rest, wire.rest_style);
}

/* What a row says once stands on its first line that can be seen: of a very long line only the end may be. */
static void draw_once(const struct view *v, struct canvas *c, const struct panes *p, const struct row *row, int at,
    int64_t now)
{
	if (row->item != NULL && row->item->kind == BOARD_LINE)
		draw_number(c, p, at, 0, row->item->number);
	if (row->has_right)
		draw_number(c, p, at, p->right, row->right_number);
	draw_wire(v, c, p, row, at, now);
}

void row_draw(struct view *v, struct canvas *c, const struct panes *p, const struct row *row, size_t skip, int count,
    int at, int64_t now)
{
	struct side left = {
		.l = row->has_left ? &v->typed : NULL,
		.from = row->wide ? p->pad : p->left_text,
		.to = row->wide ? wide_end(v, p) : p->left_end,
		.mark = row->left_mark, .style = row->left_style,
		.mark_style = row->line != NULL && !words_replied(row->line) ? fate_style(row->line) : STYLE_FAINT,
	};
	struct side right = {
		.l = row->has_right ? &v->reply : NULL,
		.from = p->right_text, .to = p->right_end,
		.mark = row->right_mark, .style = row->right_style, .mark_style = row->right_mark_style,
	};
	for (size_t i = 0; i < skip; i++) {
		side_line(&left, c, -1);
		side_line(&right, c, -1);
	}
	for (int i = 0; i < count; i++) {
		draw_bars(v, c, p, row, at + i);
		side_line(&left, c, at + i);
		side_line(&right, c, at + i);
		if (i == 0)
			draw_once(v, c, p, row, at, now);
	}
}
