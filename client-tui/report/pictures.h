/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pictures of a session, each one SVG. The exchange is the textbook's space-time diagram:
 * client and server are vertical lines, time runs down, each datagram or segment is a slanted
 * arrow, with a cross where it was lost. With the events of the lab's link, both ends' times are
 * true; without them, the server's end is dashed at half the round trip. UDP and TCP stand side by
 * side on one axis of time. The plots are those of the screen: times from Enter to reply over
 * lines, histogram, cumulative share, runs of lost lines; UDP and TCP on the same axes. */
#pragma once

#include "record/record.h"
#include "report/svg.h"

/* What the pictures show. Times are ns since the session's start, RECORD_NEVER for none. */
struct picture_data {
	/* The lines in order of number, with UDP before TCP for one number. */
	struct record *records;
	size_t count;
	/* The same for the plots, without texts; there may be more of them. */
	struct ledger_row *lines;
	size_t line_count;
	/* The events, in order of time. */
	struct session_event *events;
	size_t event_count;
	/* TCP's windows, or NULL, and up to when they are wanted, ns of the monotonic clock. */
	const struct window_log *windows;
	int64_t windows_until;
};

/* Write page 0, 1 ... of the exchange (sequence.h) with the events that fall into it, and the page
 * of plots, where events stand between the lines typed before and after them. Return 0, or -1 when
 * memory is short; errors of writing stay with the stream. */
int svg_sequence_page(FILE *out, const struct picture_data *d, size_t page,
    const struct svg_heading *heading);
int svg_plots_page(FILE *out, const struct picture_data *d, const struct svg_heading *heading);
/* The page of TCP's windows, which must have a window_span(). */
int svg_window_page(FILE *out, const struct picture_data *d, const struct svg_heading *heading);
