/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The view: draws the transcript, the status and the input line on a canvas of any size. Pure. */
#ifndef UPCASE_VIEW_H
#define UPCASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/transcript.h"
#include "view/canvas.h"
#include "view/layout.h"
#include "trace/link-status.h"
#include "trace/link-steps.h"
#include "view/plot.h"
#include "ledger/figures.h"
#include "trace/trace.h"

/* Panes of replies at most: one for each transport, UDP's first. */
#define VIEW_SIDES 2

/* What scrolls by itself: the rows; in the order of arrival the typed lines with their wires, and
 * each transport's replies. */
enum view_list {
	LIST_ROWS,
	LIST_UDP,
	LIST_TCP,
	VIEW_LISTS,
};

/* Where the screen ends in a list: the last row shown (an item's serial, or an arrival's), and how
 * many of its display lines. */
struct view_place {
	uint64_t index;
	size_t lines;
};

/* How one transport does. */
struct view_side {
	/* As below; NULL when it is simply "ready". */
	const char *state;
	/* Never NULL where the side is shown. */
	const struct ledger_totals *totals;
};

/* What the status line says. */
struct view_status {
	/* "UDP" or "TCP" is current. With both at once (view.both) it does not matter: `state` and
	 * `totals` are then UDP's. */
	bool stream;
	/* "127.0.0.1:12000", or the name while it is looked up. Never NULL. */
	const char *peer;
	/* How the connection does when that is not simply "ready": "connecting", "refused, again in
	 * 2 s"; NULL. */
	const char *state;
	/* The current transport's totals. */
	const struct ledger_totals *totals;
	/* With both at once: TCP's. */
	struct view_side other;
	/* What is under way, "burst 340/1000 · 100/s · 6.6 s left": our own words in parts with " ·
	 * " between them (drawn as what stands between all fields). The first part stays longest,
	 * then the last. Borrowed; NULL for nothing. */
	const char *progress;
	/* Now, ns, for "waiting 0.3 s". */
	int64_t now;
	/* How long a datagram may take, ns: shown with the losses in the header of a wide screen.
	 */
	int64_t reply_timeout;
};

/* The input line, as the line editor has it. */
struct view_input {
	/* What stands before it ("udp> ", "(reverse-i-search)`x': "), and the text, UTF-8 or the
	 * locale's bytes decoded by layout. */
	const char *prompt;
	const char *text;
	size_t length;
	/* The cursor, a byte offset in `text`. */
	size_t cursor;
	/* A question or message shown in place of the keys on the last row, or NULL. */
	const char *message;
};

/* A page shown over the panes: help, statistics, completions. */
struct view_page {
	const char *title;
	/* Lines ended by \n, our own words. */
	const char *text;
	/* The first line shown; the view keeps it in range. */
	size_t top;
};

/* In the lab: the link, what it did, and the panel that changes it. All borrowed. */
struct view_lab {
	const struct link_status *link;
	/* Of a recording: the link in words; may be NULL or "". */
	const char *words;
	const struct trace *trace;
	const struct link_steps *panel;
	/* The lab has ended, or told more than could be read: what is known is old. */
	bool gone;
};

/* What both ends of the TCP connection in use say of it, as far as they can be asked. */
struct view_ends {
	bool has_here, has_server;
	struct tcp_sample here, server;
};

/* What plots are drawn of, and which one stands over the panes (PLOT_NONE: none). The sources are
 * borrowed for the draw. */
struct view_plot {
	enum plot_kind kind;
	struct plot_source sources[2];
	int count;
};

/* Where the reader looks, and how. Kept from draw to draw; the view corrects what is out of range.
 */
struct view {
	/* Only ASCII characters may be drawn; others in the texts become '?'. */
	bool ascii;
	/* Both transports are in use at once: two panes of replies, UDP's and TCP's, and a status
	 * row for each. */
	bool both;
	/* Each pane of replies shows its transport's in the order in which they came. */
	bool arrivals;
	/* The reader has scrolled up: each list ends at its `bottom`. Otherwise the end of each is
	 * shown. */
	bool scrolled;
	struct view_place bottom[VIEW_LISTS];
	/* The lists that the last draw showed. */
	bool listed[VIEW_LISTS];
	/* The item that /find found last, and what it looked for (owned by the caller); NULL for
	 * none. */
	const char *find;
	uint64_t found;
	/* How often /find found something. */
	uint64_t finds;
	/* The page over the panes, or NULL. */
	struct view_page *page;
	/* The lab, or NULL outside. */
	const struct view_lab *lab;
	/* In the lab while TCP is in use, else NULL. */
	const struct view_ends *ends;
	/* The plots, or NULL: then there is no row of round-trip times either. */
	const struct view_plot *plot;
	/* Of the last draw: the time, and the transport (status.stream): where there is one pane of
	 * replies, it is what a row that went over both shows, and whose replies stand there in the
	 * order of arrival. */
	int64_t now;
	bool stream;
	/* How wide characters are. */
	layout_width *width;
	/* The keys that the last row names, pairs of key and words: "? help  ^D quit". */
	const char *keys;
	/* Buffers for laying out, used again from draw to draw: of the typed line and of the
	 * replies, and what we say behind each. All zero at first. */
	struct layout line;
	struct view_laid {
		/* What its cells are those of, and how many of them; behind them are our words. */
		uint64_t of[5];
		size_t text_cells;
		struct layout l;
		/* The cells that its lines of so many columns begin with; the first ones, `final`,
		 * whatever the words are. */
		uint32_t *starts;
		size_t columns, lines, capacity, final;
	} brief[1 + VIEW_SIDES];
	struct view_bytes {
		unsigned char *bytes;
		size_t length, capacity;
	} words[1 + VIEW_SIDES], notice, shown, capitals;
	/* Long texts, laid out once; NULL before the first. Room for so many cells they have. */
	struct view_laid *laid;
	size_t laid_cells;
};

/* Draws everything on `c`, which has the size of the terminal. What memory is too short for is left
 * out. */
void view_draw(struct view *v, struct canvas *c, const struct transcript *b,
    const struct view_status *status, const struct view_input *input);

/* Moves what is shown by so many display lines (negative: towards older ones), or pages, for a
 * screen of that size. Scrolling down past the end follows the end again. With a page shown, moves
 * the page. */
void view_scroll(struct view *v, const struct transcript *b, int rows, int columns, long lines);
void view_scroll_page(struct view *v, const struct transcript *b, int rows, int columns, int pages);
void view_scroll_top(struct view *v, const struct transcript *b, int rows, int columns);
void view_scroll_end(struct view *v);

/* The next older item (from the one found last when v->find is the same text, else from the end)
 * whose typed line, reply or notice has `text` in it, case not minded; shows it and points v->find
 * to `text`. Returns false and changes nothing if there is none. */
bool view_find(struct view *v, const struct transcript *b, int rows, int columns, const char *text);

void view_free(struct view *v);

#endif
