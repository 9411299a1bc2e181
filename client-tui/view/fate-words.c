/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of a row, in the panes and in the wire:
 *
 *   answered           arrow [time]: the transport's arrow, or a double one for duplicates
 *   late               broken arrow, time, "late"
 *   waiting            dots "  waiting" time
 *   queued             "queued" | "connecting" | "opening" [time]
 *   lost, refused, …   wire cross word
 *   failed             cross "failed" [": " reason]
 *   behind a reply     " (" mark {", " mark} ")"
 *   without a wire     cross word | dot "waiting" | "queued" | "connecting", in place of the reply
 *
 * Times are from Enter; a reply's time has its parts where they differ (line-times.h). In the lab,
 * words describe the link's effects on the line. Words have forms from long to short; the longest
 * that fits is used. Where space is short the arrow is dropped first, then words that repeat their
 * sign: "late", "waiting", "failed". */
#include "config.h"

#include "ledger/transport.h"
#include "view/view-internal.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/units.h"
#include "ledger/error-text.h"

#define ARROW_COLUMNS 11
#define LATE_COLUMNS 10
/* The arrow is short on a wire with fewer columns. */
#define SHORT_COLUMNS 19
#define SHORT_ARROW 5
#define WAITING_COLUMNS 5
/* The columns of a wire up to its cross: on the way there, on the way back, at the server, unknown.
 */
#define GOING_COLUMNS 2
#define COMING_COLUMNS 4
#define SERVER_COLUMNS 5
#define BROKEN_COLUMNS 2
/* The columns of "x failed: ", and of the arrow that means "late" without the word. */
#define FAILED_COLUMNS 10
#define LATE_MIN 4
#define LATE_WORD " late"
/* The columns of "..  waiting " */
#define WAITING_MIN 12

static const char requested_words[] = ", on cue";

bool fate_words_replied(const struct ledger_row *line)
{
	return line->fate == FATE_ANSWERED || (line->fate == FATE_LOST && line->late);
}

static const char *sign(const struct view_row_side *s, enum glyph g)
{
	return glyph(g, s->v->ascii);
}

static bool fits(const char *words, int width)
{
	return utf8_columns(words) <= width;
}

/* --- what the lab's link did with a datagram --- */

/* The words for a datagram that the link dropped, in the longest of three forms that fits. */
static void dropped_words(const struct trace_line *trace, enum link_direction direction, int width,
    char *buf, size_t size)
{
	enum link_fate fate = (enum link_fate)trace->legs[direction].fate;
	link_loss_text(fate, direction, buf, size);
	if (!fits(buf, width))
		snprintf(buf, size, "%s %s", link_fate_word(fate), link_direction_words[direction]);
	if (!fits(buf, width))
		snprintf(buf, size, "%s", link_fate_word(fate));
}

/* Writes where a datagram without a reply was lost, "lost going", in at most `width` columns if
 * possible. Returns the columns of its wire, or 0 if the place is not known; `buf` is then
 * unchanged. */
static int where_words(const struct view_row_side *s, int width, char *buf, size_t size)
{
	if (s->trace == NULL || s->trace->stream)
		return 0;
	enum trace_place place = trace_place(s->trace, s->v->now);
	bool coming = place == TRACE_COMING || place == TRACE_STILL_COMING;
	enum link_direction direction = coming ? LINK_COMING : LINK_GOING;
	switch (place) {
	case TRACE_GOING:
	case TRACE_COMING:
		dropped_words(s->trace, direction, width, buf, size);
		break;
	case TRACE_STILL_GOING:
	case TRACE_STILL_COMING:
		snprintf(buf, size, "still %s", link_direction_words[direction]);
		break;
	case TRACE_SERVER:
		snprintf(buf, size, "no reply");
		return SERVER_COLUMNS;
	default:
		return 0;
	}
	return coming ? COMING_COLUMNS : GOING_COLUMNS;
}

static bool is_too_big(const struct trace_line *trace)
{
	return trace != NULL && !trace->stream && trace->legs[LINK_GOING].fate == LINK_TOO_BIG;
}

/* Writes the copies and holds. */
static void copies_words(const struct view_row_side *s, bool whole, struct text *t)
{
	const struct trace_leg *there = &s->trace->legs[LINK_GOING],
	                       *back = &s->trace->legs[LINK_COMING];
	bool copied = there->duplicated || back->duplicated;
	if (there->duplicated && back->duplicated)
		text_put(t, "2%s %s", sign(s, GLYPH_TIMES), whole ? "both ways" : "both");
	else if (copied)
		text_put(t, "2%s %s", sign(s, GLYPH_TIMES),
		    link_direction_words[there->duplicated ? LINK_GOING : LINK_COMING]);
	if ((there->held || back->held) && (whole || !copied))
		text_put(t, "%s%s", copied ? ", " : "", whole ? "held back" : "held");
}

/* --- what the link did with a line of a stream --- */

/* The details after the number of retransmissions; NOTHING_MORE also leaves out that a drop was
 * requested. */
enum times { NOTHING_MORE, NO_TIMES, FIRST_AND_LAST, ALL_TIMES };

/* The timeout if it is known to have expired, else the time that the link measured. */
static unsigned waited_ms(const struct trace_leg *leg, int i)
{
	return (unsigned)(((leg->timeout[i] > 0 ? leg->timeout[i] : leg->wait[i]) + 500) / 1000);
}

static const char *interval_word(const struct trace_leg *leg, int i)
{
	return leg->timeout[i] > 0 ? "RTO " : "after ";
}

/* Finds the first and last expired timeout or, without any, the first and last time measured. */
static void find_ends(const struct trace_leg *leg, int *first, int *last)
{
	*first = 0;
	*last = leg->waits - 1;
	while (*first < *last && leg->timeout[*first] == 0)
		++*first;
	if (leg->timeout[*first] == 0)
		*first = 0;
	else
		while (leg->timeout[*last] == 0)
			--*last;
}

/* In milliseconds, or in seconds with one decimal. */
static void put_ms(struct text *t, unsigned ms, bool seconds)
{
	if (seconds)
		text_put(t, "%u.%u", (ms + 50) / 1000, (ms + 50) / 100 % 10);
	else
		text_put(t, "%u", ms);
}

/* Puts the time that the sender waited before each retransmission, "after 204, RTO 204, 408 ms"; if
 * some are not kept, the first and the last, "RTO 204…816 ms", "RTO 0.2…3.3 s". */
static void put_waited(const struct view_row_side *s, const struct trace_leg *leg, bool all,
    struct text *t)
{
	int first, last;
	if (all && leg->retransmitted == leg->waits) {
		for (int i = 0; i < leg->waits; i++) {
			bool same = i > 0 && (leg->timeout[i] > 0) == (leg->timeout[i - 1] > 0);
			text_put(t, "%s%s%u", i > 0 ? ", " : "", same ? "" : interval_word(leg, i),
			    waited_ms(leg, i));
		}
		text_put(t, " ms");
		return;
	}
	find_ends(leg, &first, &last);
	const bool seconds = first < last && waited_ms(leg, last) >= 1000;
	text_put(t, "%s", interval_word(leg, first));
	put_ms(t, waited_ms(leg, first), seconds);
	if (first < last) {
		text_put(t, "%s", sign(s, GLYPH_ELLIPSIS));
		put_ms(t, waited_ms(leg, last), seconds);
	}
	text_put(t, seconds ? " s" : " ms");
}

static bool was_retransmitted(const struct trace_line *trace)
{
	return trace->legs[LINK_GOING].retransmitted > 0 ||
	       trace->legs[LINK_COMING].retransmitted > 0;
}

/* The direction in which a segment is missing, because it was dropped and none was delivered since;
 * NULL for none. */
static const char *missing(const struct trace_line *trace)
{
	for (int direction = LINK_DIRECTIONS - 1; direction >= 0; direction--)
		if (trace->legs[direction].lost > 0 && trace->legs[direction].through == 0)
			return link_direction_words[direction];
	return NULL;
}

/* Writes that a line was sent again, "2× again (RTO 204, 408 ms), 1× coming", or that its segment
 * is missing, "lost going". */
static void stream_words(const struct view_row_side *s, enum times times, struct text *t)
{
	const struct trace_leg *legs = s->trace->legs;
	if (!was_retransmitted(s->trace) && missing(s->trace) != NULL) {
		bool requested = legs[LINK_GOING].requested_drop ||
		                 legs[LINK_COMING].requested_drop;
		text_put(t, "lost %s%s", missing(s->trace),
		    times > NOTHING_MORE && requested ? requested_words : "");
		return;
	}
	for (int direction = 0; direction < LINK_DIRECTIONS; direction++) {
		const struct trace_leg *leg = &legs[direction];
		bool both = direction == LINK_COMING && legs[LINK_GOING].retransmitted > 0;
		if (leg->retransmitted == 0)
			continue;
		text_put(t, "%s%u%s %s", both ? ", " : "", leg->retransmitted, sign(s, GLYPH_TIMES),
		    direction == LINK_GOING ? "again"
		    : both                  ? "coming"
		                            : "again coming");
		if (times > NO_TIMES) {
			text_put(t, " (");
			put_waited(s, leg, times == ALL_TIMES, t);
			text_put(t, ")");
		}
		if (times > NOTHING_MORE && leg->requested_drop)
			text_put(t, "%s", requested_words);
	}
}

/* Writes "3× again", the retransmissions both ways as one number. */
static void short_retransmissions(const struct view_row_side *s, struct text *t)
{
	text_put(t, "%u%s again",
	    (unsigned)s->trace->legs[LINK_GOING].retransmitted +
	        s->trace->legs[LINK_COMING].retransmitted,
	    sign(s, GLYPH_TIMES));
}

const char *fate_words_times(const struct view_row_side *s, int width, char *buf, size_t size)
{
	static const char *const whose[LINK_DIRECTIONS] = { "", "server's " };
	struct text t = text_begin(buf, size);
	if (s->trace == NULL || !s->trace->stream)
		return buf;
	stream_words(s, ALL_TIMES, &t);
	bool all = fits(buf, width);
	t = text_begin(buf, size);
	stream_words(s, NO_TIMES, &t);
	bool requested_too = fits(buf, width);
	t = text_begin(buf, size);
	for (int direction = 0; direction < LINK_DIRECTIONS && !all; direction++) {
		const struct trace_leg *leg = &s->trace->legs[direction];
		bool requested = leg->requested_drop && !requested_too;
		if (leg->retransmitted == 0 && !requested)
			continue;
		text_put(&t, "%s", buf[0] != '\0' ? "; " : "");
		if (leg->retransmitted > 0) {
			text_put(&t, "%s", whose[direction]);
			put_waited(s, leg, true, &t);
		}
		if (requested)
			text_put(&t, "%s", requested_words + (leg->retransmitted > 0 ? 0 : 2));
	}
	return buf;
}

/* Writes ", RTO 976 ms" or ", server's RTO 976 ms": the running timeout until the missing segment
 * is sent again. */
static void put_timeout(const struct view_row_side *s, struct text *t)
{
	const struct trace_leg *back = &s->trace->legs[LINK_COMING];
	const struct view_ends *ends = s->v->ends;
	bool coming = back->lost > 0 && back->through == 0;
	if (missing(s->trace) == NULL || ends == NULL ||
	    !(coming ? ends->has_server : ends->has_here))
		return;
	int64_t timeout = coming ? ends->server.timeout : ends->here.timeout;
	if (timeout != 0)
		text_put(t, "%s%s", coming ? ", server's RTO " : ", RTO ",
		    UNITS_DURATION(timeout, sign(s, GLYPH_MICRO)));
}

/* Writes the words of a waiting line of a stream that lost segments, and the timeout of the
 * sender's kernel if both fit. Returns false if no segment was lost. */
static bool retransmission_words(const struct view_row_side *s, int width, const char *time,
    char *buf, size_t size)
{
	if (s->trace == NULL || !s->trace->stream ||
	    (!was_retransmitted(s->trace) && missing(s->trace) == NULL))
		return false;
	/* Steps 0 to 7 have the waiting time and fewer and fewer times of retransmissions, each
	 * with and without the timeout; 8 has the number of retransmissions and the waiting time; 9
	 * has only the number. */
	for (int step = 0; step < 10; step++) {
		struct text t = text_begin(buf, size);
		text_put(&t, step < 9 ? "  " : " ");
		if (step < 8)
			text_put(&t, "waiting %s, ", time);
		if (step >= 8 && was_retransmitted(s->trace))
			short_retransmissions(s, &t);
		else
			stream_words(s,
			    step < 8 ? (enum times)(ALL_TIMES - step / 2) : NOTHING_MORE, &t);
		if (step < 8 && step % 2 == 0)
			put_timeout(s, &t);
		if (step == 8)
			text_put(&t, ", %s", time);
		if (fits(buf, width))
			break;
	}
	return true;
}

/* Writes the link's effects other than loss, "2× again", "held back", or "", in at most `width`
 * columns. */
static void link_words(const struct view_row_side *s, int width, char *buf, size_t size)
{
	buf[0] = '\0';
	for (int step = 0; step < 5 && s->trace != NULL && width > 0; step++) {
		struct text t = text_begin(buf, size);
		if (!s->trace->stream)
			copies_words(s, step == 0, &t);
		else if (was_retransmitted(s->trace) && step < 4)
			stream_words(s, (enum times)(ALL_TIMES - step), &t);
		else if (was_retransmitted(s->trace))
			short_retransmissions(s, &t);
		if (fits(buf, width))
			return;
	}
	buf[0] = '\0';
}

/* --- the wire --- */

/* The columns of the wire: `columns`, or fewer if `words` and a space leave less of `width`; 2 at
 * least. */
static int shortened(int columns, int width, const char *words)
{
	int left = width - utf8_columns(words) - 1;
	return columns <= left ? columns : left > 2 ? left : 2;
}

static void put_times(struct wire *w, const char *s, int times)
{
	for (int i = 0; i < times; i++)
		text_append(w->lead, sizeof w->lead, s);
}

static void put_failed(const struct view_row_side *s, int width, char *buf, size_t size)
{
	const char *reason = error_word(s->line->error);
	/* A cross and the reason are enough where both do not fit. */
	bool both = FAILED_COLUMNS + utf8_columns(reason) <= width && strcmp(reason, "failed") != 0;
	snprintf(buf, size, "%s %s%s", sign(s, GLYPH_CROSS), both ? "failed: " : "", reason);
}

/* Writes the time from Enter to the reply, with the parts that fit after an arrow of two columns
 * and a space. */
static void time_text(const struct view_row_side *s, int width, char *buf, size_t size)
{
	const struct parts parts = parts_of_row(s->line);
	const int left = width - 3 - (s->line->late ? utf8_columns(LATE_WORD) : 0);
	int detail = PARTS_ALL;
	while (!fits(parts_text(&parts, (enum parts_detail)detail, sign(s, GLYPH_MICRO), buf, size),
	           left) &&
	       detail > PARTS_TIME)
		detail--;
}

int fate_words_parts_columns(const struct view_row_side *s, int width)
{
	char time[100] = "";
	if (fate_words_replied(s->line))
		time_text(s, width, time, sizeof time);
	const char *parts = strchr(time, ':');
	return parts != NULL ? utf8_columns(parts) : 0;
}

/* Writes the time, `word`, and the link's effects if they fit after an arrow of two columns and a
 * space. */
static void time_and_effects(const struct view_row_side *s, int width, const char *word, char *buf,
    size_t size)
{
	char more[160];
	time_text(s, width, buf, size);
	text_append(buf, size, *word != '\0' && strchr(buf, ':') != NULL ? "," : "");
	text_append(buf, size, word);
	link_words(s, width - 5 - utf8_columns(buf), more, sizeof more);
	text_append(buf, size, more[0] != '\0' ? ", " : "");
	text_append(buf, size, more);
}

static void answered_wire(const struct view_row_side *s, int width, struct wire *w)
{
	bool twice = s->line->duplicates > 0;
	const struct transport_look *look = &transport_looks[s->stream];
	char time[140];
	time_and_effects(s, width, "", time, sizeof time);
	/* Times are aligned on short wires. */
	int columns = shortened(width < SHORT_COLUMNS ? SHORT_ARROW : ARROW_COLUMNS, width, time);
	put_times(w, sign(s, twice ? GLYPH_WIRE_TWICE : look->wire), columns - 1);
	put_times(w, sign(s, GLYPH_HEAD), 1);
	w->lead_style = twice ? STYLE_LATE : look->style;
	snprintf(w->rest, sizeof w->rest, "%s%s", time[0] != '\0' ? " " : "", time);
	w->rest_style = STYLE_ANSWERED;
}

static void late_wire(const struct view_row_side *s, int width, struct wire *w)
{
	char time[140];
	time_and_effects(s, width, LATE_WORD, time, sizeof time);
	if (LATE_MIN + 1 + utf8_columns(time) > width)
		time_and_effects(s, width, "", time, sizeof time);
	snprintf(w->rest, sizeof w->rest, "%s%s", time[0] != ' ' ? " " : "", time);
	w->lead_style = w->rest_style = STYLE_LATE;
	/* The number of pairs of a piece and a gap; the head takes the last gap. */
	int pairs = shortened(width < SHORT_COLUMNS ? LATE_MIN : LATE_COLUMNS, width, w->rest + 1) /
	            2;
	for (int i = 0; i < pairs; i++) {
		put_times(w, sign(s, transport_looks[s->stream].wire), 1);
		put_times(w, i < pairs - 1 ? " " : sign(s, GLYPH_HEAD), 1);
	}
}

/* With both transports, the side's ledger may be the item's other ledger. */
static const char *queued_word(const struct view_row_side *s)
{
	const struct ledger *ledger = s->item->stream == s->stream ? s->item->ledger
	                                                           : s->item->other;
	return ledger != NULL && ledger_is_connecting(ledger) ? transport_info[s->stream].opening
	                                                      : "queued";
}

static void open_wire(const struct view_row_side *s, int width, struct wire *w)
{
	char time[32];
	units_running_text(s->v->now - s->line->typed_at, sign(s, GLYPH_MICRO), time, sizeof time);
	w->rest_style = STYLE_WAITING;
	if (s->line->fate == FATE_QUEUED) {
		snprintf(w->rest, sizeof w->rest, "%s %s", queued_word(s), time);
		if (!fits(w->rest, width))
			snprintf(w->rest, sizeof w->rest, "%s", queued_word(s));
		return;
	}
	if (!retransmission_words(s, width - BROKEN_COLUMNS, time, w->rest, sizeof w->rest))
		snprintf(w->rest, sizeof w->rest,
		    WAITING_MIN + utf8_columns(time) > width ? "  %s" : "  waiting %s", time);
	put_times(w, sign(s, GLYPH_WAITING), shortened(WAITING_COLUMNS, width, w->rest + 1));
	w->lead_style = transport_looks[s->stream].style;
}

/* Writes the word for a line that is lost, refused or cut off, in at most `width` columns if
 * possible. Only the lab knows where it was lost. Returns the columns of its wire; 0 if that is not
 * known. */
static int broken_word(const struct view_row_side *s, int width, char *buf, size_t size)
{
	const enum ledger_fate fate = s->line->fate;
	bool other = fate == FATE_REFUSED || fate == FATE_CUT_OFF;
	snprintf(buf, size, "%s", !other ? "lost" : fate == FATE_REFUSED ? "refused" : "cut off");
	return other ? 0 : where_words(s, width, buf, size);
}

static void broken_wire(const struct view_row_side *s, int width, struct wire *w)
{
	char word[40];
	int known = broken_word(s, width - 2, word, sizeof word),
	    columns = known > 0 ? shortened(known, width - 1, word) : BROKEN_COLUMNS,
	    left = width - 2 - utf8_columns(word);
	put_times(w, sign(s, transport_looks[s->stream].wire), columns <= left ? columns : left);
	w->lead_style = transport_looks[s->stream].style;
	snprintf(w->rest, sizeof w->rest, "%s %s", sign(s, GLYPH_CROSS), word);
	w->rest_style = STYLE_LOST;
}

struct wire fate_words_wire(const struct view_row_side *s, int width)
{
	struct wire w = { .lead = "", .rest = "stray", .rest_style = STYLE_LATE };
	if (s->item->kind == TRANSCRIPT_STRAY)
		return w;
	const enum ledger_fate fate = s->line->fate;
	if (fate == FATE_QUEUED || fate == FATE_WAITING) {
		open_wire(s, width, &w);
	} else if (fate == FATE_ANSWERED) {
		answered_wire(s, width, &w);
	} else if (fate == FATE_LOST && s->line->late) {
		late_wire(s, width, &w);
	} else if (fate == FATE_FAILED && !is_too_big(s->trace)) {
		put_failed(s, width, w.rest, sizeof w.rest);
		w.rest_style = STYLE_LOST;
	} else {
		broken_wire(s, width, &w);
	}
	return w;
}

/* --- without a wire --- */

const char *fate_words_unanswered(const struct view_row_side *s, char *buf, size_t size)
{
	const enum ledger_fate fate = s->line->fate;
	char word[40];
	buf[0] = '\0';
	if (fate == FATE_QUEUED)
		snprintf(buf, size, "%s", queued_word(s));
	else if (fate == FATE_WAITING)
		snprintf(buf, size, "%s waiting", sign(s, GLYPH_WAITING));
	else if (fate == FATE_FAILED && !is_too_big(s->trace))
		put_failed(s, INT_MAX, buf, size);
	else if (!fate_words_replied(s->line)) {
		broken_word(s, INT_MAX, word, sizeof word);
		snprintf(buf, size, "%s %s", sign(s, GLYPH_CROSS), word);
	}
	return buf;
}

static void put_mark(struct text *t, bool has, const char *sign, const char *word)
{
	if (has)
		text_put(t, "%s%s%s", t->used == 0 ? " (" : ", ", sign, word);
}

const char *fate_words_marks(const struct view_row_side *s, enum parts_detail detail, int width,
    char *buf, size_t size)
{
	const struct ledger_row *line = s->line;
	const struct parts p = parts_of_row(line);
	struct text t = text_begin(buf, size);
	char alone[100], link[80];
	parts_alone(&p, detail, sign(s, GLYPH_MICRO), alone, sizeof alone);
	link_words(s, width, link, sizeof link);
	put_mark(&t, alone[0] != '\0', "", alone);
	put_mark(&t, line->duplicates > 0, sign(s, GLYPH_TIMES),
	    TEXT_FORMAT("%" PRIu64, (uint64_t)line->duplicates + 1));
	put_mark(&t, line->late, "", "late");
	put_mark(&t, line->reordered, sign(s, GLYPH_REORDERED), " reordered");
	put_mark(&t, line->differs, sign(s, GLYPH_DIFFERS), " differs");
	put_mark(&t, line->cut_short, sign(s, GLYPH_ELLIPSIS), " cut short");
	put_mark(&t, line->partial, sign(s, GLYPH_ELLIPSIS), " beginning");
	put_mark(&t, link[0] != '\0', "", link);
	text_put(&t, "%s", t.used > 0 ? ")" : "");
	return buf;
}

const char *fate_words_arrival(const struct transcript_arrival *arrival)
{
	static const char *const marks[] = { [MATCH_ANSWER] = "",
		[MATCH_STRAY] = " (stray)",
		[MATCH_LATE] = " (late)",
		[MATCH_DUPLICATE] = " (duplicate)" };
	return marks[arrival->match];
}
