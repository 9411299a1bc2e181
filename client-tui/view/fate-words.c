/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of a row. The grammar, which glyphs.c lists mark by mark:
 *
 *   in the wire        arrow [time]              answered: the arrow is the transport's, or double
 * for duplicates broken arrow time "late" dots "  waiting" time "queued" | "connecting" | "opening"
 * [time] wire cross word           lost, refused, cut off cross "failed" [": " why] behind a reply
 * " (" mark {", " mark} ")" without a wire     cross word | dot "waiting" | "queued" |
 * "connecting", in place of the reply
 *
 * Times are from Enter; of a reply, with their parts where they differ (parts.h). An arrow gives
 * way to its words where both do not fit; then words that its sign says too: "late", "waiting",
 * "failed". */
#include "config.h"

#include "view/view-internal.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "ledger/error-text.h"
#include "common/units.h"

#define ARROW_COLUMNS 11
#define LATE_COLUMNS 10
/* In less room than this the arrow is short. */
#define SHORT_COLUMNS 19
#define SHORT_ARROW 5
#define WAITING_COLUMNS 5
#define BROKEN_COLUMNS 2
/* "x failed: ", and the arrow that says "late" without the word. */
#define FAILED_COLUMNS 10
#define LATE_MIN 4
#define LATE_WORD " late"
/* "..  waiting " */
#define WAITING_MIN 12

bool fate_words_replied(const struct ledger_row *line)
{
	return line->fate == FATE_ANSWERED || (line->fate == FATE_LOST && line->late);
}

/* So many columns of wire, at most what `words` and a space leave of `width`, at least 2. */
static int shortened(int columns, int width, const char *words)
{
	int left = width - utf8_columns(words) - 1;
	return columns <= left ? columns : left > 2 ? left : 2;
}

static void put_times(char *buf, size_t size, const char *s, int times)
{
	for (int i = 0; i < times; i++)
		text_append(buf, size, s);
}

static enum style transport_style(bool stream)
{
	return stream ? STYLE_TCP : STYLE_UDP;
}

static enum glyph transport_wire(bool stream)
{
	return stream ? GLYPH_WIRE_TCP : GLYPH_WIRE_UDP;
}

static void failed_text(const struct ledger_row *line, int width, bool ascii, char *buf,
    size_t size)
{
	const char *why = error_word(line->error);
	/* A cross and the reason say as much; without a reason it is "failed". */
	const bool both = FAILED_COLUMNS + utf8_columns(why) <= width && strcmp(why, "failed") != 0;

	snprintf(buf, size, "%s %s%s", glyph(GLYPH_CROSS, ascii), both ? "failed: " : "", why);
}

/* The time from Enter to the reply, with so many of its parts as an arrow of two columns and a
 * space leave room for. */
static void time_text(const struct ledger_row *line, int width, bool ascii, char *buf, size_t size)
{
	const struct parts parts = parts_of_row(line);
	const int left = width - 3 - (line->late ? utf8_columns(LATE_WORD) : 0);
	int detail = PARTS_ALL;

	while (utf8_columns(parts_text(&parts, (enum parts_detail)detail, glyph(GLYPH_MICRO, ascii),
	           buf, size)) > left &&
	       detail > PARTS_TIME)
		detail--;
}

int fate_words_parts_columns(const struct ledger_row *line, int width, bool ascii)
{
	char time[100] = "";
	if (fate_words_replied(line))
		time_text(line, width, ascii, time, sizeof time);
	const char *parts = strchr(time, ':');
	return parts != NULL ? utf8_columns(parts) : 0;
}

/* The time and what the link did, as far as an arrow of two columns and a space leave room. */
static void time_and_more(const struct ledger_row *line, const struct trace_line *trace, int width,
    bool ascii, const char *word, char *buf, size_t size)
{
	char more[160];
	time_text(line, width, ascii, buf, size);
	text_append(buf, size, *word != '\0' && strchr(buf, ':') != NULL ? "," : "");
	text_append(buf, size, word);
	text_append(buf, size,
	    link_words_more(trace, ascii, width - 3 - utf8_columns(buf), more, sizeof more));
}

static void answered_wire(const struct ledger_row *line, const struct trace_line *trace,
    bool stream, int width, bool ascii, struct wire *w)
{
	bool twice = line->duplicates > 0;
	char time[140];
	time_and_more(line, trace, width, ascii, "", time, sizeof time);
	/* The times on short wires stand below each other. */
	int columns = shortened(width < SHORT_COLUMNS ? SHORT_ARROW : ARROW_COLUMNS, width, time);
	put_times(w->lead, sizeof w->lead,
	    glyph(twice ? GLYPH_WIRE_TWICE : transport_wire(stream), ascii), columns - 1);
	text_append(w->lead, sizeof w->lead, glyph(GLYPH_HEAD, ascii));
	w->lead_style = twice ? STYLE_LATE : transport_style(stream);
	snprintf(w->rest, sizeof w->rest, "%s%s", time[0] != '\0' ? " " : "", time);
	w->rest_style = STYLE_ANSWERED;
}

static void late_wire(const struct ledger_row *line, const struct trace_line *trace, bool stream,
    int width, bool ascii, struct wire *w)
{
	char time[140];
	time_and_more(line, trace, width, ascii, LATE_WORD, time, sizeof time);
	if (LATE_MIN + 1 + utf8_columns(time) > width)
		time_and_more(line, trace, width, ascii, "", time, sizeof time);
	snprintf(w->rest, sizeof w->rest, "%s%s", time[0] != ' ' ? " " : "", time);
	w->rest_style = STYLE_LATE;
	/* Pairs of a piece and a gap; the head takes the last gap. */
	int pairs = shortened(width < SHORT_COLUMNS ? LATE_MIN : LATE_COLUMNS, width, w->rest + 1) /
	            2;
	for (int i = 0; i < pairs; i++) {
		text_append(w->lead, sizeof w->lead, glyph(transport_wire(stream), ascii));
		text_append(w->lead, sizeof w->lead,
		    i < pairs - 1 ? " " : glyph(GLYPH_HEAD, ascii));
	}
	w->lead_style = STYLE_LATE;
}

/* The session may be another one than that of the item: both transports at once. */
static const char *queued_word(const struct transcript_item *item, bool stream)
{
	const struct ledger *ledger = item->stream == stream ? item->ledger : item->other;
	return ledger != NULL && ledger_is_connecting(ledger) ? parts_connecting(stream) : "queued";
}

static void queued_wire(const char *word, const struct ledger_row *line, int width, bool ascii,
    int64_t now, struct wire *w)
{
	char time[32];
	units_running_text(now - line->typed_at, glyph(GLYPH_MICRO, ascii), time, sizeof time);
	snprintf(w->rest, sizeof w->rest, "%s %s", word, time);
	if (utf8_columns(w->rest) > width)
		snprintf(w->rest, sizeof w->rest, "%s", word);
	w->rest_style = STYLE_WAITING;
}

static void waiting_wire(const struct ledger_row *line, const struct trace_line *trace,
    const struct view_ends *ends, bool stream, int width, bool ascii, int64_t now, struct wire *w)
{
	char time[32];
	units_running_text(now - line->typed_at, glyph(GLYPH_MICRO, ascii), time, sizeof time);
	if (!link_words_waiting(trace, ends, ascii, width - BROKEN_COLUMNS, time, w->rest,
	        sizeof w->rest))
		snprintf(w->rest, sizeof w->rest,
		    WAITING_MIN + utf8_columns(time) > width ? "  %s" : "  waiting %s", time);
	w->rest_style = STYLE_WAITING;
	int columns = shortened(WAITING_COLUMNS, width, w->rest + 1);
	put_times(w->lead, sizeof w->lead, glyph(GLYPH_WAITING, ascii), columns);
	w->lead_style = transport_style(stream);
}

static void broken_wire(const char *word, int columns, int width, bool stream, bool ascii,
    struct wire *w)
{
	int left = width - 2 - utf8_columns(word);
	columns = columns <= left ? columns : left > 0 ? left : 0;
	put_times(w->lead, sizeof w->lead, glyph(transport_wire(stream), ascii), columns);
	w->lead_style = transport_style(stream);
	snprintf(w->rest, sizeof w->rest, "%s %s", glyph(GLYPH_CROSS, ascii), word);
	w->rest_style = STYLE_LOST;
}

/* Where it died is known only in the lab. */
static void lost_wire(const struct trace_line *trace, bool stream, int width, bool ascii,
    int64_t now, struct wire *w)
{
	char where[40] = "";
	int columns = link_words_where(trace, now, width - 2, where, sizeof where);
	if (columns == 0)
		broken_wire("lost", BROKEN_COLUMNS, width, stream, ascii, w);
	else
		broken_wire(where, shortened(columns, width - 1, where), width, stream, ascii, w);
}

static void line_wire(const struct ledger_row *line, const struct trace_line *trace,
    const struct view_ends *ends, bool stream, int width, bool ascii, int64_t now, struct wire *w)
{
	switch (line->fate) {
	case FATE_QUEUED:
		break;
	case FATE_WAITING:
		waiting_wire(line, trace, ends, stream, width, ascii, now, w);
		break;
	case FATE_ANSWERED:
		answered_wire(line, trace, stream, width, ascii, w);
		break;
	case FATE_LOST:
		if (line->late)
			late_wire(line, trace, stream, width, ascii, w);
		else
			lost_wire(trace, stream, width, ascii, now, w);
		break;
	case FATE_REFUSED:
		broken_wire("refused", BROKEN_COLUMNS, width, stream, ascii, w);
		break;
	case FATE_FAILED:
		if (link_words_too_big(trace)) {
			lost_wire(trace, stream, width, ascii, now, w);
			break;
		}
		failed_text(line, width, ascii, w->rest, sizeof w->rest);
		w->rest_style = STYLE_LOST;
		break;
	case FATE_CUT_OFF:
		broken_wire("cut off", BROKEN_COLUMNS, width, stream, ascii, w);
		break;
	}
}

void fate_words_wire(const struct transcript_item *item, bool stream, const struct ledger_row *line,
    const struct trace_line *trace, const struct view_ends *ends, int columns, bool ascii,
    int64_t now, struct wire *wire)
{
	*wire = (struct wire){ .lead = "" };
	if (item->kind == TRANSCRIPT_STRAY) {
		snprintf(wire->rest, sizeof wire->rest, "stray");
		wire->rest_style = STYLE_LATE;
	} else if (line != NULL && line->fate == FATE_QUEUED) {
		queued_wire(queued_word(item, stream), line, columns, ascii, now, wire);
	} else if (line != NULL) {
		line_wire(line, trace, ends, stream, columns, ascii, now, wire);
	}
}

const char *fate_words_unanswered(const struct transcript_item *item, bool stream,
    const struct ledger_row *line, const struct trace_line *trace, bool ascii, int64_t now,
    char *buf, size_t size)
{
	char where[40] = "lost";

	link_words_where(trace, now, INT_MAX, where, sizeof where);
	buf[0] = '\0';
	if (line->fate == FATE_QUEUED)
		snprintf(buf, size, "%s", queued_word(item, stream));
	else if (line->fate == FATE_WAITING)
		snprintf(buf, size, "%s waiting", glyph(GLYPH_WAITING, ascii));
	else if (line->fate == FATE_FAILED && !link_words_too_big(trace))
		failed_text(line, INT_MAX, ascii, buf, size);
	else if (!fate_words_replied(line))
		snprintf(buf, size, "%s %s", glyph(GLYPH_CROSS, ascii),
		    line->fate == FATE_REFUSED   ? "refused"
		    : line->fate == FATE_CUT_OFF ? "cut off"
		                                 : where);
	return buf;
}

static void put_mark(char *buf, size_t size, const char *sign, const char *word)
{
	text_append(buf, size, buf[0] == '\0' ? " (" : ", ");
	text_append(buf, size, sign);
	text_append(buf, size, word);
}

const char *fate_words_marks(const struct ledger_row *line, enum parts_detail parts, bool ascii,
    char *buf, size_t size)
{
	const struct parts p = parts_of_row(line);
	char copies[24], alone[100];
	buf[0] = '\0';
	if (*parts_alone(&p, parts, glyph(GLYPH_MICRO, ascii), alone, sizeof alone) != '\0')
		put_mark(buf, size, "", alone);
	if (line->duplicates > 0) {
		snprintf(copies, sizeof copies, "%" PRIu64, (uint64_t)line->duplicates + 1);
		put_mark(buf, size, glyph(GLYPH_TIMES, ascii), copies);
	}
	if (line->late)
		put_mark(buf, size, "", "late");
	if (line->reordered)
		put_mark(buf, size, glyph(GLYPH_REORDERED, ascii), " reordered");
	if (line->differs)
		put_mark(buf, size, glyph(GLYPH_DIFFERS, ascii), " differs");
	if (line->cut_short)
		put_mark(buf, size, glyph(GLYPH_ELLIPSIS, ascii), " cut short");
	if (line->partial)
		put_mark(buf, size, glyph(GLYPH_ELLIPSIS, ascii), " beginning");
	if (buf[0] != '\0')
		text_append(buf, size, ")");
	return buf;
}

const char *fate_words_arrival(const struct transcript_arrival *arrival)
{
	switch (arrival->match) {
	case MATCH_STRAY:
		return " (stray)";
	case MATCH_LATE:
		return " (late)";
	case MATCH_DUPLICATE:
		return " (duplicate)";
	case MATCH_ANSWER:
		break;
	}
	return "";
}
