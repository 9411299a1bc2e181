/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The view: draws the transcript, the status and the input line on a canvas of any size. Pure. */
#pragma once

#include "ledger/figures.h"
#include "ledger/stats.h"
#include "ledger/transcript.h"
#include "trace/link-status.h"
#include "trace/link-steps.h"
#include "trace/trace.h"
#include "view/canvas.h"
#include "view/layout.h"

/* The maximum number of panes of replies: one for each transport, UDP first. */
#define VIEW_SIDES 2

/* The end of the screen in a list: the last serial shown, and how many of its lines. */
struct view_place {
	uint64_t index;
	size_t lines;
};

/* The state of one transport. */
struct view_side {
	/* The connection's state: "connecting", "refused, again in 2 s"; NULL for "ready". */
	const char *state;
	const struct ledger_totals *totals; /* never NULL where the side is shown */
};

/* The status line. */
struct view_status {
	bool stream; /* the current transport is TCP; ignored if view.both is set */
	/* "127.0.0.1:12000", or the name while it is looked up. Never NULL. */
	const char *peer;
	/* The current transport; with both at once UDP, then TCP. */
	struct view_side sides[VIEW_SIDES];
	/* The progress of a run, "burst 340/1000 · 100/s · 6.6 s left": parts with " · " between
	 * them. The first part is dropped last, the last part just before it. Borrowed; NULL for
	 * none. */
	const char *progress;
	int64_t now; /* now, ns, for "waiting 0.3 s" */
	/* The maximum time until a reply to a datagram, ns, for a wide screen. */
	int64_t reply_timeout;
};

/* The input line. */
struct view_input {
	/* The prompt ("udp> ") and the text, UTF-8 or the locale's bytes. */
	const char *prompt;
	const char *text;
	size_t length;
	size_t cursor; /* the cursor, a byte offset in `text` */
	/* A question or message in place of the keys on the last row, or NULL. */
	const char *message;
};

#define VIEW_BUTTONS 20 /* the maximum number of buttons of the last row */

/* A button of the last row. One without words, not the last, shares those of the next. */
struct view_button {
	/* UTF-8; `words` may be NULL. Borrowed. */
	const char *key, *words;
	int id; /* the caller's number of it */
};

/* A page over the panes: help, statistics, completions. */
struct view_page {
	const char *title;
	const char *text; /* the program's words, lines ended by \n */
	size_t top;       /* the first line shown; the view keeps it in range */
};

/* The words of a demonstration, in rows of their own above the input line. */
struct view_caption {
	const char *title, *hint, *text;
	/* The first line shown; the view sets `next` to the first without room, or 0. */
	size_t top, next;
};

/* In the lab: the link, the trace of its packets, and the panel that changes it. All borrowed. */
struct view_lab {
	const struct link_status *link;
	/* The link of a recording in words; may be NULL or "". */
	const char *words;
	const struct trace *trace;
	const struct link_steps *panel;
	bool gone; /* the lab has ended, or events were lost: the data are old */
};

enum plot_kind {
	PLOT_WAITED, /* times from Enter to reply over lines, lost ones marked */
	PLOT_RTT, /* round-trip times over lines, lost ones marked; the other plots show times from
	             Enter to reply */
	PLOT_HISTOGRAM,  /* the number of lines by time */
	PLOT_CUMULATIVE, /* the share of lines that were answered within a time */
	PLOT_RUNS,       /* how often how many lines in a row were lost */
	PLOT_SHARES,     /* bytes a second of the lines' connection and of the second flow */
	PLOT_WINDOW,     /* TCP's windows at both ends and the link's queue, over time */
	PLOT_KINDS,
	PLOT_NONE = PLOT_KINDS
};
/* The first kind whose name begins with `name`; PLOT_NONE for "off"; -1 for no kind. */
int plot_kind(const char *name);

/* The data of a plot: the lines of one transport. */
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
	const struct shares *shares;
	const struct window_log *windows; /* NULL outside the lab */
};

/* The state of the view between draws; the view corrects what is out of range. */
struct view {
	/* What is shown, and the size of the screen, which a draw takes from its canvas; the front
	 * end sets both. */
	const struct transcript *transcript;
	int rows, columns;
	bool ascii; /* only ASCII characters may be drawn; others in the texts become '?' */
	/* Both transports are in use: two panes of replies and two status rows. */
	bool both;
	/* Each pane of replies shows its transport's replies in the order of arrival. */
	bool arrivals;
	/* The user has scrolled up: each list ends at its `bottom`, instead of at its end. */
	bool scrolled;
	struct view_place bottom[LISTS];
	bool listed[LISTS]; /* the lists that the last draw showed */
	/* The serial of the selected line or stray; 0 for none: the newest line counts. */
	uint64_t selected;
	/* The last text of /find (the caller's), NULL for none; and the matching item. */
	const char *find;
	uint64_t found;
	uint64_t finds;               /* the number of successful /find commands */
	struct view_page *page;       /* the page over the panes, or NULL */
	struct view_caption *caption; /* NULL for none */
	const struct view_lab *lab;   /* the lab, or NULL outside */
	/* TCP_INFO of the connection in use, in the lab: this end's kernel, which sends what goes,
	 * and the server's; NULL where it cannot be read. */
	const struct tcp_sample *senders[LINK_DIRECTIONS];
	/* The plots and the row of the last round-trip times, or NULL. */
	const struct view_plot *plot;
	/* The time and status.stream of the last draw. With one pane of replies, that transport's
	 * arrivals are shown, and its reply to a line that went over both. */
	int64_t now;
	bool stream;
	layout_width *width; /* the function for the width of a character */
	/* The command that starts a lab, while a greeting is shown below the rows; else NULL. */
	const char *greeting;
	/* The buttons on the last row, "? help  ^D quit". */
	const struct view_button *buttons;
	int button_count;
	/* Buffers for layouts, used again from draw to draw: the typed line's, the replies', and
	 * the program's words after each. All zero at first. */
	struct layout line;
	struct view_laid {
		/* The key of the text in its first `text_cells` cells; then the program's words. */
		uint64_t of[5];
		size_t text_cells;
		struct layout l;
		/* The first cells of its lines of `columns`; the first `final` of them do not
		 * depend on the words. */
		uint32_t *starts;
		size_t columns, lines, capacity, final;
	} brief[1 + VIEW_SIDES];
	struct view_bytes {
		unsigned char *bytes;
		size_t length, capacity;
	} words[1 + VIEW_SIDES], notice, shown, capitals;
	/* Long texts, laid out once, or NULL; the capacity of all of them, cells. */
	struct view_laid *laid;
	size_t laid_cells;
};

/* Draws the whole screen on `c`, of the terminal's size; parts are missing if memory is short. */
void view_draw(struct view *v, struct canvas *c, const struct view_status *status,
    const struct view_input *input);
void view_free(struct view *v);

/* Scrolls by display lines (negative: towards older ones), or by pages. Below the end, the view
 * follows the end again. Scrolls the page if one is shown. */
void view_scroll(struct view *v, long lines);
void view_scroll_page(struct view *v, int pages);
void view_scroll_top(struct view *v);
void view_scroll_end(struct view *v);

/* Moves the selection by so many lines and strays (negative: towards older ones), from the end of
 * the screen if nothing is selected, and scrolls so that the item is seen. After the newest nothing
 * is selected. */
void view_select(struct view *v, int steps);
/* Selects the line or stray at that cell of the screen: its row, or the line of a reply in the
 * order of arrival. Returns false and changes nothing if there is none. */
bool view_select_at(struct view *v, int row, int column);

/* The id of the button of the last row at that cell; -1 for none. */
int view_button_at(struct view *v, int row, int column);

/* The whole story of the selected item, else of the newest line, as lines of text: see detail.c.
 * The caller frees it. NULL when memory is short; "" if there is no line. */
char *view_detail(const struct view *v);

/* Finds the next item whose typed line, reply or notice contains `text` in any case: one that is
 * older than the last found if v->find is the same text, else the newest. Shows it and points
 * v->find to `text`. Returns false and changes nothing if there is none. */
bool view_find(struct view *v, const char *text);
