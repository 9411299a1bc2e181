/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The view: draws the transcript, the status and the input line on a canvas of any size. Pure. */
#ifndef UPCASE_VIEW_H
#define UPCASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/figures.h"
#include "ledger/stats.h"
#include "ledger/transcript.h"
#include "trace/link-status.h"
#include "trace/link-steps.h"
#include "trace/trace.h"
#include "view/canvas.h"
#include "view/layout.h"

/* Panes of replies at most: one for each transport, UDP's first. */
#define VIEW_SIDES 2

/* What scrolls by itself: the rows (in the order of arrival the typed lines with their wires), and
 * each transport's replies. */
enum view_list {
	LIST_ROWS,
	LIST_UDP,
	LIST_TCP,
	VIEW_LISTS,
};

/* Where the screen ends in a list: the serial of the last item or arrival shown, and how many of
 * its display lines are shown. */
struct view_place {
	uint64_t index;
	size_t lines;
};

/* How one transport does. */
struct view_side {
	/* As in view_status; NULL for "ready". */
	const char *state;
	/* Never NULL where the side is shown. */
	const struct ledger_totals *totals;
};

/* What the status line says. */
struct view_status {
	/* TCP is current, not UDP. Ignored with both at once (view.both): `state` and `totals` are
	 * then UDP's. */
	bool stream;
	/* "127.0.0.1:12000", or the name while it is looked up. Never NULL. */
	const char *peer;
	/* The connection's state: "connecting", "refused, again in 2 s"; NULL for "ready". */
	const char *state;
	/* The current transport's totals. */
	const struct ledger_totals *totals;
	/* With both at once: TCP's. */
	struct view_side other;
	/* What is under way, "burst 340/1000 · 100/s · 6.6 s left": parts with " · " between them.
	 * The first part stays longest, then the last. Borrowed; NULL for nothing. */
	const char *progress;
	/* Now, ns, for "waiting 0.3 s". */
	int64_t now;
	/* How long a reply to a datagram may take, ns: shown on a wide screen. */
	int64_t reply_timeout;
};

/* The input line, as the line editor has it. */
struct view_input {
	/* What stands before it ("udp> ", "(reverse-i-search)`x': "), and the text, UTF-8 or the
	 * locale's bytes. */
	const char *prompt;
	const char *text;
	size_t length;
	/* The cursor, a byte offset in `text`. */
	size_t cursor;
	/* A question or message in place of the keys on the last row, or NULL. */
	const char *message;
};

/* A page over the panes: help, statistics, completions. */
struct view_page {
	const char *title;
	/* Our own words, lines ended by \n. */
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
	/* The lab has ended, or sent more than could be read: what is known is old. */
	bool gone;
};

/* What the kernels at both ends say of the TCP connection in use, where they can be asked. */
struct view_ends {
	bool has_here, has_server;
	struct tcp_sample here, server;
};

enum plot_kind {
	PLOT_WAITED, /* times from Enter to reply over lines, lost ones marked */
	PLOT_RTT,    /* round-trip times over lines, lost ones marked; the other plots are of times
	                from Enter to reply */
	PLOT_HISTOGRAM,  /* how many lines took how long */
	PLOT_CUMULATIVE, /* what share of the lines was answered within a time */
	PLOT_RUNS,       /* how many lines were lost in a row, how often */
	PLOT_KINDS,
	PLOT_NONE = PLOT_KINDS
};

/* What a plot is drawn of: the lines of one transport. */
struct plot_source {
	const struct ledger *ledger;
	const struct stats *stats;
	bool stream;
};

/* The plot over the panes (PLOT_NONE: none) and its sources, borrowed for the draw. */
struct view_plot {
	enum plot_kind kind;
	struct plot_source sources[VIEW_SIDES];
	int count;
};

/* What the reader looks at, and how. Kept from draw to draw; the view corrects what is out of
 * range. */
struct view {
	/* Only ASCII characters may be drawn; others in the texts become '?'. */
	bool ascii;
	/* Both transports are in use: two panes of replies, UDP's and TCP's, and a status row
	 * each. */
	bool both;
	/* Each pane of replies shows its transport's in the order in which they came. */
	bool arrivals;
	/* The reader has scrolled up: each list ends at its `bottom`. Else its end is shown. */
	bool scrolled;
	struct view_place bottom[VIEW_LISTS];
	/* The lists that the last draw showed. */
	bool listed[VIEW_LISTS];
	/* The item that /find found last, and what it looked for (the caller's), NULL for none. */
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
	/* Of the last draw: the time, and status.stream. With one pane of replies it is the
	 * transport that a row shows which went over both, and the one whose arrivals are shown. */
	int64_t now;
	bool stream;
	/* How wide characters are. */
	layout_width *width;
	/* The keys that the last row names, pairs of key and words: "? help  ^D quit". */
	const char *keys;
	/* Buffers for laying out, used again from draw to draw: the typed line's, the replies', and
	 * our words behind each. All zero at first. */
	struct layout line;
	struct view_laid {
		/* The text that its first `text_cells` cells are of; behind them are our words. */
		uint64_t of[5];
		size_t text_cells;
		struct layout l;
		/* The cells that its lines of `columns` begin with; the first `final` of them do
		 * not depend on the words. */
		uint32_t *starts;
		size_t columns, lines, capacity, final;
	} brief[1 + VIEW_SIDES];
	struct view_bytes {
		unsigned char *bytes;
		size_t length, capacity;
	} words[1 + VIEW_SIDES], notice, shown, capitals;
	/* Long texts, laid out once, or NULL; and the cells that they have room for. */
	struct view_laid *laid;
	size_t laid_cells;
};

/* Draws everything on `c`, which has the size of the terminal. What memory is too short for is left
 * out. */
void view_draw(struct view *v, struct canvas *c, const struct transcript *b,
    const struct view_status *status, const struct view_input *input);
void view_free(struct view *v);

/* Moves what is shown by so many display lines (negative: towards older ones), or pages, for a
 * screen of that size. Scrolling down past the end follows the end again. Moves the page if one is
 * shown. */
void view_scroll(struct view *v, const struct transcript *b, int rows, int columns, long lines);
void view_scroll_page(struct view *v, const struct transcript *b, int rows, int columns, int pages);
void view_scroll_top(struct view *v, const struct transcript *b, int rows, int columns);
void view_scroll_end(struct view *v);

/* Finds the next older item whose typed line, reply or notice has `text` in it, in any case: older
 * than the last found if v->find is the same text, else from the end. Shows it and points v->find
 * to `text`. Returns false and changes nothing if there is none. */
bool view_find(struct view *v, const struct transcript *b, int rows, int columns, const char *text);

#endif
