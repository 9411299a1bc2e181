/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In the lab: what both ends' kernels say of the TCP connection in use, in one row. What our end
 * sent again and what the server's did are different things: a lost reply is repaired there, and
 * never shows here. */
#include "config.h"

#include "view/view-internal.h"

#include <stdio.h>
#include <string.h>

#include "common/units.h"

/* How much is said: all, without the round trip, shorter words, numbers alone. */
enum { WHOLE, WITHOUT_ROUND_TRIP, SHORT, BRIEF, LENGTHS };

static void put_time(char *buf, size_t size, const char *before, int64_t ns, bool ascii)
{
	char time[40];

	text_append(buf, size, before);
	text_append(buf, size,
	    units_duration_text(ns, glyph(GLYPH_MICRO, ascii), time, sizeof time));
}

/* How often the timeout has doubled; in short what that makes of it. */
static void put_backoff(char *buf, size_t size, unsigned backoffs, int length, bool ascii)
{
	char text[40];

	if (length <= WITHOUT_ROUND_TRIP)
		snprintf(text, sizeof text, " (doubled %u%s)", backoffs, glyph(GLYPH_TIMES, ascii));
	else
		snprintf(text, sizeof text, " (%s%llu)", glyph(GLYPH_TIMES, ascii),
		    1ULL << (backoffs < 63 ? backoffs : 63));
	text_append(buf, size, text);
}

static void put_end(char *buf, size_t size, const char *name, const struct tcp_sample *tcp,
    int length, bool ascii)
{
	char count[40];

	snprintf(count, sizeof count, length >= SHORT ? " %u again" : " %u sent again",
	    tcp->retransmitted);
	text_append(buf, size, name);
	text_append(buf, size, count);
	put_time(buf, size, ", RTO ", tcp->timeout, ascii);
	if (tcp->backoff > 0 && length < BRIEF)
		put_backoff(buf, size, tcp->backoff, length, ascii);
	if (length == WHOLE && tcp->round_trip > 0)
		put_time(buf, size, ", rtt ", tcp->round_trip, ascii);
}

static const char *ends_text(const struct view_ends *e, int length, bool ascii, char *buf,
    size_t size)
{
	buf[0] = '\0';
	if (e->has_here)
		put_end(buf, size, "here:", &e->here, length, ascii);
	if (e->has_here && e->has_server)
		text_append(buf, size, ascii ? " | " : " │ ");
	if (e->has_server)
		put_end(buf, size, "server:", &e->server, length, ascii);
	return buf;
}

void link_row_draw_ends(const struct view *v, struct canvas *c, const struct panes *p)
{
	char text[400];
	int column, length = WHOLE;

	if (p->ends_row < 0)
		return;
	column = canvas_text(c, p->ends_row, p->pad, p->columns, "TCP ", STYLE_TCP);
	while (utf8_columns(ends_text(v->ends, length, v->ascii, text, sizeof text)) >
	           p->columns - column &&
	       length < LENGTHS - 1)
		length++;
	canvas_text(c, p->ends_row, column, p->columns, text, STYLE_HEADING);
}
