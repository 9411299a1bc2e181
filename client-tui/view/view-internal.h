/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files of the view: the places of the panes, and one row of them. */
#pragma once

#include "common/text.h"
#include "common/utf8.h"
#include "ledger/line-times.h"
#include "view/glyphs.h"
#include "view/view.h"

/* The columns of a pane of replies, the wire before it, and the bars before each; -1 for none. */
struct pane {
	int wire_bar, wire, wire_end;
	int bar, from, to;
	/* The first column of the texts; the digits of the numbers before them, 0 for none. */
	int text, digits;
};

/* The places of everything on a screen of one size. A row or column that does not exist is -1. */
struct panes {
	struct view *v;
	/* NULL while the panes are only measured. */
	struct canvas *c;
	const struct transcript *transcript;
	int rows, columns;
	/* The second status row is TCP's when both are in use. */
	int status_row, other_row, heading_row, link_row, ends_row, spark_row, input_row, keys_row;
	int detail_row, detail_height; /* the detail area: `detail_height` rows, 0 for none */
	/* The heading of the caption, and the rows of text below it. */
	int caption_row, caption_height;
	/* The rows of the panes: `height` of them (0 on the smallest screens) from `top`. */
	int top, height;
	int pad; /* blank columns at the left of each pane */
	/* The pane of typed lines: the texts' column, the column after it, digits as above. */
	int left_text, left_end, digits;
	/* The panes of replies: one, or UDP's and TCP's. A narrow screen has no wires. */
	int sides;
	struct pane side[VIEW_SIDES];
	/* The columns of the arrows in all wires. With three panes, and in a demonstration, a row
	 * has one display line. */
	int arrow;
	bool one_line;
};

/* A list on that screen. */
struct list {
	const struct panes *p;
	enum transcript_list of;
};

/* panes.c */
struct panes panes_measure(struct view *v, struct canvas *c);
/* The number of columns for a wire's words, without the blank after them. */
int panes_wire_columns(const struct pane *pane);
/* Draws cells, or a text, from `column` to before `end`, cut with a mark if they are wider. Return
 * the column after them. */
int panes_draw_cells(const struct panes *p, int row, int column, int end,
    const struct layout_cell *cells, size_t count, enum style style);
int panes_draw_cut(const struct panes *p, int row, int column, int end, const char *text,
    enum style style);
/* Draws the row of headings with `text` up to column `limit`. Returns the column after it. */
int panes_draw_heading(const struct panes *p, const char *text, int limit);
void panes_draw_headings(const struct panes *p);
/* Draws cells, cut in their middle: their beginning gets one of `part` parts of the columns. */
int panes_draw_ends(const struct panes *p, int row, int column, int end, int part,
    const struct layout *l, enum style style);
bool list_shown(const struct view *v, enum transcript_list of);
/* The pane of replies that the list stands in. */
int list_side(const struct list *l);
/* Sets *index to the next row, or with `by` -1 to the previous one (before the first: to the
 * first). Returns false, and leaves *index unchanged, if there is none. */
bool list_step(const struct list *l, int by, uint64_t *index);
/* Whether the panes are shown: no page, panel or plot covers them. */
bool view_has_panes(const struct view *v);
layout_width *view_width(const struct view *v);
/* Lays out a zero-ended text in v->line. */
void view_lay(struct view *v, const char *text);
/* Makes room for `capacity` bytes. Returns false when memory is short. */
bool view_bytes_reserve(struct view_bytes *b, size_t capacity);

/* The data of a row in one pane of replies, from which its words are made. */
struct view_row_side {
	const struct view *v;
	const struct transcript_item *item; /* NULL for an arrival */
	bool stream;                        /* the transport of its reply */
	/* The line went over that transport; its row in the ledger, NULL when it is evicted. */
	bool sent;
	const struct ledger_row *line;
	const struct trace_line *trace; /* the trace of its packets in the lab, or NULL */
	uint64_t number;                /* the number before the reply; 0 for none */
};

/* A pane's text, if any; the program's words follow it. */
struct view_row_text {
	bool has;
	/* Borrowed; with `capitals`, the capitals of these bytes are shown. */
	const unsigned char *bytes;
	size_t length;
	bool capitals;
	/* More of the text is not laid out. */
	bool cut;
	enum style style, mark_style;
	const struct view_laid *laid;
};

/* One row, valid until the next one is laid out. */
struct view_row {
	const struct panes *p;
	const struct transcript_item *item; /* NULL for an arrival */
	bool selected;                      /* the user has selected it */
	bool wide; /* a notice over the whole width (with arrivals, over all but the replies) */
	/* The typed line's, then the replies'. */
	struct view_row_text text[1 + VIEW_SIDES];
	struct view_row_side side[VIEW_SIDES];
	size_t lines; /* display lines, at least 1 */
};

/* row.c */
/* The side of a line over that transport, whether the view shows it or not. */
struct view_row_side row_side(const struct view *v, const struct transcript_item *item,
    bool stream);
/* Fills in VIEW_SIDES sides: one for each transport whose replies a line shows, with the line's
 * rows in their ledgers. Returns the row with the typed text, NULL when it is evicted. */
const struct ledger_row *row_sides(const struct view *v, const struct transcript_item *item,
    struct view_row_side *sides);
/* Returns true if the arrival is a reply to the item, or the item itself. */
bool row_belongs(const struct transcript_arrival *a, const struct transcript_item *item,
    uint64_t index);
struct view_row row_lay(const struct list *l, uint64_t index);
/* Returns true if the typed text or the notice of the row at `index` of LIST_ROWS does not fit. */
bool row_is_cut(const struct list *l, uint64_t index);
/* Draws `count` display lines of the row, from line `skip` on, at canvas row `at`. */
void row_draw(const struct list *l, const struct view_row *row, size_t skip, int count, int at);
/* Draws the bars between the panes below the rows, where the replies have more lines. */
void row_draw_bars(const struct panes *p, int at);
/* Writes capitals into v->capitals after `offset` bytes. Returns their length in bytes. */
size_t row_capitals(struct view *v, size_t offset, const void *text, size_t n);
/* Frees the kept layouts of long texts. */
void row_drop_texts(struct view *v);
void row_free_laid(struct view_laid *laid);

/* A line's fate in the wire: a part in the transport's style, then one in the fate's style. */
struct wire {
	char lead[48], rest[160];
	enum style lead_style, rest_style;
};

/* fate-words.c */
/* The wire of a line or stray, with an arrow of `arrow` columns and words in `columns`. */
struct wire fate_words_wire(const struct view_row_side *s, int columns, int arrow);
/* The fate of a line that has no reply, without a time ("x lost"), in `width` columns if possible,
 * behind its sign if both fit; "" for one that has one. */
const char *fate_words_unanswered(const struct view_row_side *s, int width, bool has_sign,
    char *buf, size_t size);
/* The marks behind a reply, " (×2, late)", or ""; with the longest part of its time before it was
 * sent if that fits into `room` columns, and with the link's effects where no wire shows them. */
const char *fate_words_marks(const struct view_row_side *s, bool effects, int room, char *buf,
    size_t size);
/* The direction in which a segment is missing: dropped, and none delivered since; -1 for none. */
int fate_words_missing(const struct trace_line *trace);

/* scroll.c */
/* Corrects the scroll position, before a draw. */
void scroll_settle(const struct panes *p);
/* The display lines for rows: one fewer if the last row shows how many are below. */
int scroll_height(const struct panes *p);
/* Sets *place to the end of the last row shown. Returns false if there are no rows. */
bool scroll_bottom(const struct list *l, struct view_place *place);
/* The first row shown if `bottom` is on the last of `height` display lines; the first *skip lines
 * of that row are above the screen. */
uint64_t scroll_first(const struct list *l, const struct view_place *bottom, int height,
    size_t *skip);
/* The number of rows that are below or cut off at the end. */
uint64_t scroll_below(const struct list *l, const struct view_place *bottom);

/* detail.c */
void detail_draw(const struct panes *p);

/* page.c */
void page_draw(const struct panes *p);
void page_scroll(const struct panes *p, long lines);
void page_draw_caption(const struct panes *p);
/* Draws a text, wrapped, into `height` rows from `row` on, from its line `from` on. An ellipsis on
 * the last row says that there is more. Returns the first line that has no room, 0 for none. */
size_t page_draw_text(const struct panes *p, int row, int height, const char *text, size_t from);
/* Writes "-- n more below --", or shorter, right-aligned in columns `from` to before `to`. */
void page_more(struct canvas *c, int row, int from, int to, uint64_t n);

/* status.c */
void status_draw(const struct panes *p, const struct view_status *status);

/* link-row.c: the row of the link, the panel that changes it, the row of both ends' TCP. */
void link_row_draw(const struct panes *p);
void link_row_draw_panel(const struct panes *p);
void link_row_draw_ends(const struct panes *p);

/* A part of the canvas. */
struct plot_area {
	int top, left, rows, columns;
};

/* plot.c: a plot over the panes, and the row of the last round-trip times. */
/* The title, such as "time from Enter to reply, over lines". */
const char *plot_title(enum plot_kind kind);
/* Draws a plot, or a message on too small an area, or where there is nothing to draw. */
void plot_draw(struct canvas *c, const struct plot_area *area, const struct view_plot *plot,
    bool ascii);
/* Draws the last lines' times from Enter to reply in the columns `from` to before `to` of a row: a
 * block for each line, from 0 to the greatest time, a cross for a lost one, the newest at the
 * right. Returns the column after it. */
int plot_sparkline(struct canvas *c, int row, int from, int to, const struct plot_source *source,
    bool ascii);
void plot_draw_panes(const struct panes *p);
void plot_draw_spark_row(const struct panes *p);
