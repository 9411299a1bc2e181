/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Both ends of the TCP connection on one row, as their kernels have it: what is lost on the way there is repaired by this end,
 * what is lost on the way back by the server. */
#include "config.h"

#include "view-parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

/* From whole sentences to what is needed at least. */
enum form { FORM_WHOLE, FORM_SHORT, FORM_TIMER, FORM_COUNT, FORMS };

static void put_span(char *buf, size_t size, int64_t ns, bool ascii)
{
	const int64_t unit = ns >= NS_PER_S ? NS_PER_S : ns >= NS_PER_MS ? NS_PER_MS : NS_PER_US;
	const size_t used = strlen(buf);
	char figures[32];

	words_figures(ns, unit, figures, sizeof figures);
	snprintf(buf + used, size - used, "%s %ss", figures, unit == NS_PER_S ? "" : unit == NS_PER_MS ? "m" :
	    glyph(GLYPH_MICRO, ascii));
}

__attribute__((format(printf, 3, 4)))
static void put(char *buf, size_t size, const char *format, ...)
{
	const size_t used = strlen(buf);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(buf + used, size - used, format, arguments);
	va_end(arguments);
}

/* How often the timeout has doubled, and what that makes of it. */
static void put_backoff(char *buf, size_t size, const struct session_tcp *tcp, bool ascii, enum form form)
{
	if (form == FORM_WHOLE)
		put(buf, size, ", back-off %u", tcp->doubled);
	else if (tcp->doubled > 0 && tcp->doubled < 32)
		put(buf, size, " (%s%u)", glyph(GLYPH_TIMES, ascii), 1U << tcp->doubled);
}

static void put_end(char *buf, size_t size, const char *name, const struct session_tcp *tcp, bool ascii, enum form form)
{
	put(buf, size, "%s: ", name);
	if (tcp == NULL) {
		put(buf, size, "-");
		return;
	}
	put(buf, size, "%u %s", tcp->again, form == FORM_WHOLE ? "sent again" : "again");
	if (form == FORM_COUNT)
		return;
	put(buf, size, ", RTO ");
	put_span(buf, size, tcp->timeout, ascii);
	put_backoff(buf, size, tcp, ascii, form);
	if (form == FORM_TIMER)
		return;
	put(buf, size, ", rtt ");
	put_span(buf, size, tcp->round_trip, ascii);
}

static void ends_text(const struct view *v, enum form form, char *buf, size_t size)
{
	const struct view_ends *e = v->lab->ends;

	buf[0] = '\0';
	put_end(buf, size, "client", e->near, v->ascii, form);
	put(buf, size, v->ascii ? " | " : " │ ");
	put_end(buf, size, "server", e->far, v->ascii, form);
}

void ends_draw(const struct view *v, struct canvas *c, const struct panes *p)
{
	char text[300];

	if (p->ends_row < 0)
		return;
	for (int form = 0; form < FORMS; form++) {
		ends_text(v, (enum form)form, text, sizeof text);
		if (p->pad + words_columns(text) <= p->columns)
			break;
	}
	canvas_text(c, p->ends_row, p->pad, p->columns, text, STYLE_TCP);
}
