/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the view share: where the panes stand, and one row of them. Only view*.c
 * include this. */
#ifndef UPCASE_VIEW_INTERNAL_H
#define UPCASE_VIEW_INTERNAL_H

#include "view/glyphs.h"
#include "ledger/line-times.h"
#include "common/text.h"
#include "common/utf8.h"
#include "view/draw.h"

/* A pane of replies, the wire before it, and the bars before each; -1 and -1 for what is not there.
 */
struct pane {
	int wire_bar, wire, wire_end;
	int bar, from, to;
	/* Where the texts begin, and digits of the numbers before them; 0 where it is too narrow.
	 */
	int text, digits;
};

/* Where everything stands on a screen of one size. A row or column that is not there is -1. */
struct panes {
	int rows, columns;
	/* The second status row is TCP's when both are in use. */
	int status_row, other_row, heading_row, link_row, ends_row, spark_row, input_row, keys_row;
	/* The rows of the panes: `height` of them (0 on the smallest screens) from `top`. */
	int top, height;
	/* Blank columns at the left of each pane. */
	int pad;
	/* The typed lines, from column 0: where the texts begin, where the pane ends, and digits as
	 * above. */
	int left_text, left_end, digits;
	/* The panes of replies: one for whatever came, or UDP's and TCP's. No wires on a narrow
	 * screen. */
	int sides;
	struct pane side[VIEW_SIDES];
};

/* panes.c */
struct panes panes_measure(const struct view *v, const struct transcript *b, int rows, int columns);
/* The columns that a wire's words should fit in: short ones may use the blank behind them. */
int pane_wire_columns(const struct pane *pane);
void panes_draw_headings(const struct view *v, struct canvas *c, const struct panes *p);

/* A list on a screen of one size. */
struct list {
	struct view *v;
	const struct transcript *b;
	const struct panes *p;
	enum view_list of;
};

/* draw.c */
/* The list is on the screen. */
bool list_shown(const struct view *v, enum view_list of);
/* The pane of replies that the list stands in. */
int list_side(const struct view *v, enum view_list of);
/* Goes to the row before, or to the one after (from list_first() - 1 to the first one). Returns
 * false, and stays, if there is none. */
uint64_t list_first(const struct list *l);
uint64_t list_end(const struct list *l);
bool list_back(const struct list *l, uint64_t *index);
bool list_on(const struct list *l, uint64_t *index);
/* How wide a character is drawn. */
layout_width *view_width(const struct view *v);
/* Lays out our words or someone else's text, up to its zero byte. */
void view_lay(const struct view *v, struct layout *l, const char *text);

/* What became of a line, as it stands in the wire: a piece with the transport's style, and one with
 * the fate's. */
struct wire {
	char lead[48], rest[160];
	enum style lead_style, rest_style;
};

/* A row in one pane of replies. */
struct view_row_side {
	/* The transport whose reply it is. */
	bool stream;
	/* The line went over it, and what its ledger says: NULL when it is forgotten. */
	bool sent;
	const struct ledger_row *line;
	uint64_t number;
};

/* What stands in a pane, if anything: somebody's text, then words of ours. */
struct view_row_text {
	bool has;
	/* Borrowed; `capitals`: what is shown are its capitals. */
	const unsigned char *bytes;
	size_t length;
	bool capitals;
	enum style style, mark_style;
	const struct view_laid *laid;
};

/* One row, laid out until the next one is. */
struct view_row {
	/* NULL for an arrival. */
	const struct transcript_item *item;
	/* The line that was typed, NULL when it is forgotten or the row is no line. */
	const struct ledger_row *line;
	/* A notice over the whole width (or over all but the replies). */
	bool wide;
	/* The typed line's, then the replies'. */
	struct view_row_text text[1 + VIEW_SIDES];
	struct view_row_side side[VIEW_SIDES];
	/* Display lines, at least 1. */
	size_t lines;
};

/* row.c */
/* Which transports' replies a line shows, and what their ledgers say of it, in VIEW_SIDES sides.
 * Returns the line as it was typed, NULL when it is forgotten. */
const struct ledger_row *view_row_sides(const struct view *v, const struct transcript_item *item,
    struct view_row_side *sides);
void view_row_lay(const struct list *l, uint64_t index, struct view_row *row);
/* Draws `count` of its display lines from line `skip` on at canvas row `at`. */
void view_row_draw(const struct list *l, struct canvas *c, const struct view_row *row, size_t skip,
    int count, int at);
/* The texts that are kept as they were laid out. */
void view_row_drop_texts(struct view *v);
void view_laid_free(struct view_laid *laid);
/* The bars between the panes, where no row of theirs is (any more): the replies have more. */
void view_row_draw_bars(const struct list *l, struct canvas *c, int at);

/* fate-words.c: the words of a row. `trace` is what the lab's link did, or NULL. */
/* What stands in the wire of a line (or stray) over that transport, in `columns`; where they are
 * few, fewer words. */
void fate_words_wire(const struct transcript_item *item, bool stream, const struct ledger_row *line,
    const struct trace_line *trace, const struct view_ends *ends, int columns, bool ascii,
    int64_t now, struct wire *wire);
/* The fate of a line without a reply, without a time ("x lost"); "" for one that has a reply. */
const char *fate_words_unanswered(const struct transcript_item *item, bool stream,
    const struct ledger_row *line, const struct trace_line *trace, bool ascii, int64_t now,
    char *buf, size_t size);
/* The columns that the parts of the time from Enter take in the wire of a line with a reply; 0:
 * they are not told there. */
int fate_words_parts_columns(const struct ledger_row *line, int width, bool ascii);
/* The marks behind a reply, " (x2, late)", or ""; so many parts of its time are among them. */
const char *fate_words_marks(const struct ledger_row *line, enum parts_detail parts, bool ascii,
    char *buf, size_t size);
const char *fate_words_arrival(const struct transcript_arrival *arrival);
bool fate_words_replied(const struct ledger_row *line);

/* link-words.c: the same of what the lab's link did with a line; `trace` may be NULL. */
/* Where a datagram that was not answered died, "lost going", in at most `width` columns if that can
 * be, and how many columns its wire has got; 0: not known. */
int link_words_where(const struct trace_line *trace, int64_t now, int width, char *buf,
    size_t size);
/* It was too big for the link. */
bool link_words_too_big(const struct trace_line *trace);
/* What else it met, ", 2x again" or "", in at most `width` columns. */
const char *link_words_more(const struct trace_line *trace, bool ascii, int width, char *buf,
    size_t size);
/* How long the senders of a line that was sent again waited, "RTO 224, 448 ms; server's RTO 204
 * ms", if that does not fit into `width` columns with the number of times; else "". */
const char *link_words_times(const struct trace_line *trace, bool ascii, int width, char *buf,
    size_t size);
/* The words of a line of a stream that waits and whose segments were lost; false if there is
 * nothing to say. `ends` tells how long the sender's kernel waits before the next try, and may be
 * NULL. */
bool link_words_waiting(const struct trace_line *trace, const struct view_ends *ends, bool ascii,
    int width, const char *time, char *buf, size_t size);

/* find.c: marks the cells of `l` (laid out from `n` bytes of `text`) that are what v->find says. */
void find_mark(struct view *v, struct layout *l, const void *text, size_t n);
/* Makes room for `capacity` bytes. Returns false when memory is short. */
bool view_bytes_reserve(struct view_bytes *b, size_t capacity);

/* scroll.c */
/* Corrects where the view is scrolled to; before a draw. */
void scroll_settle(struct view *v, const struct transcript *b, const struct panes *p);
/* The display lines that there are for rows: one fewer than the panes have when something is said
 * below them. */
int scroll_height(const struct view *v, const struct panes *p);
/* Where the last row shown ends. Returns false if there are no rows. */
bool scroll_bottom(const struct list *l, struct view_place *place);
/* How many rows are not shown whole below. */
uint64_t scroll_below(const struct list *l, const struct view_place *bottom);
/* Ends the list with what belongs to that item of the transcript: its reply, or the one that came
 * before it would stand. */
void scroll_to_item(const struct list *l, uint64_t index);
/* The arrival is a reply to the item, or the item itself. */
bool scroll_belongs(const struct transcript_arrival *a, const struct transcript_item *item,
    uint64_t index);

/* page.c */
void page_draw(struct view *v, struct canvas *c, const struct panes *p);
void page_scroll(struct view *v, const struct panes *p, long lines);
/* "-- n more below --" at the right of a row, as short as it must be, in the columns before `to`
 * and not before `from`. */
void page_more(struct canvas *c, int row, int from, int to, uint64_t n);

/* status.c */
void status_draw(struct view *v, struct canvas *c, const struct panes *p,
    const struct view_status *status);
/* link-row.c: the line of the link, and the panel over the panes. */
void link_row_draw(struct view *v, struct canvas *c, const struct panes *p, int64_t now);
void link_row_draw_panel(struct view *v, struct canvas *c, const struct panes *p);
/* The trace of a line in the transcript over that transport, or NULL. */
const struct trace_line *link_row_trace(const struct view *v, const struct transcript_item *item,
    bool stream);
/* link-row.c: the row of both ends' TCP. */
void link_row_draw_ends(const struct view *v, struct canvas *c, const struct panes *p);
/* plot.c: whether a plot stands over the panes; the plot; the row of the last round-trip times. */
bool plot_shown(const struct view *v);
void plot_draw_panes(struct view *v, struct canvas *c, const struct panes *p);
void plot_draw_spark_row(struct view *v, struct canvas *c, const struct panes *p);
/* input-line.c */
void input_line_draw(struct view *v, struct canvas *c, const struct panes *p,
    const struct view_input *input);

#endif
