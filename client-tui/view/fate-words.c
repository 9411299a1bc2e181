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
 *   without a wire     cross word | dot ("waiting" | "too big") | "queued" | "connecting", in place
 *                      of the reply
 *
 * Times are from Enter. In the lab, words describe the link's effects on the line; the whole story
 * is in the detail area. Where the words do not fit, the arrow becomes shorter; then the link's
 * effects are left out, then words that repeat their sign: "late", "waiting", "failed". */
#include "view/view-internal.h"

#include <limits.h>

#include "common/units.h"
#include "ledger/error-text.h"
#include "report/line-text.h"
#include "report/summary.h"

#define WAITING_COLUMNS 5
/* A wire's columns up to its cross: on the way there, back, at the server, unknown. */
#define GOING_COLUMNS 2
#define COMING_COLUMNS 4
#define SERVER_COLUMNS 5
#define BROKEN_COLUMNS 2
/* The columns of "x failed: ", and of the arrow that means "late" without the word. */
#define FAILED_COLUMNS 10
#define LATE_MIN 4
#define LATE_WORD " late"
/* The columns to which an arrow shrinks for the link's effects; those for effects without a wire.
 */
#define ARROW_MIN 2
#define EFFECTS_MIN 20
/* The columns of "..  waiting " */
#define WAITING_MIN 12

static const char *sign(const struct view_row_side *s, enum glyph g)
{
	return glyph(g, s->v->ascii);
}

static bool fits(const char *words, int width)
{
	return utf8_columns(words) <= width;
}

/* --- what the lab's link did with a datagram --- */

/* Writes where a datagram was lost, "lost going, on cue", shorter where `width` is less. Returns
 * the columns of its wire; 0 if the place is not known: `buf` is then unchanged. */
static int where_words(const struct view_row_side *s, int width, char *buf, size_t size)
{
	static const int columns[] = { [TRACE_GOING] = GOING_COLUMNS,
		[TRACE_STILL_GOING] = GOING_COLUMNS,
		[TRACE_SERVER] = SERVER_COLUMNS,
		[TRACE_COMING] = COMING_COLUMNS,
		[TRACE_STILL_COMING] = COMING_COLUMNS };
	if (!s->trace || s->trace->stream)
		return 0;
	const enum trace_place place = trace_place(s->trace, s->v->now);
	char longest[80];
	const char *words = summary_place(place, s->trace->legs, longest, sizeof longest);
	if (!words)
		return 0;
	snprintf(buf, size, "%s", words);
	/* What stands behind a comma goes first, then the direction. */
	for (char *comma; !fits(buf, width) && (comma = strrchr(buf, ',')) != NULL;)
		*comma = '\0';
	char *way = strstr(buf, link_direction_words[place == TRACE_COMING]);
	if (way && !fits(buf, width) && (place == TRACE_GOING || place == TRACE_COMING))
		way[-1] = '\0';
	return columns[place];
}

static bool is_too_big(const struct trace_line *trace)
{
	return trace && !trace->stream && trace->legs[LINK_GOING].fate == LINK_TOO_BIG;
}

/* Writes the copies, or else the holds. */
static void copies_words(const struct view_row_side *s, struct text *t)
{
	const struct trace_leg *there = &s->trace->legs[LINK_GOING],
	                       *back = &s->trace->legs[LINK_COMING];
	if (there->duplicated || back->duplicated)
		text_put(t, "2%s %s", sign(s, GLYPH_TIMES),
		    !back->duplicated    ? link_direction_words[LINK_GOING]
		    : !there->duplicated ? link_direction_words[LINK_COMING]
		                         : "both");
	else if (there->held || back->held)
		text_put(t, "held back");
}

/* --- what the link did with a line of a stream --- */

/* The retransmissions of a line both ways. */
static unsigned retransmissions(const struct trace_line *trace)
{
	return (unsigned)trace->legs[LINK_GOING].retransmitted +
	       trace->legs[LINK_COMING].retransmitted;
}

int fate_words_missing(const struct trace_line *trace)
{
	for (int direction = LINK_DIRECTIONS - 1; direction >= 0; direction--)
		if (trace->legs[direction].lost > 0 && trace->legs[direction].through == 0)
			return direction;
	return -1;
}

/* Writes the words of a waiting line of a stream, whose bytes wait for an earlier line's, "behind
 * line 7, 0.3 s". Returns false if they do not. */
static bool behind_now_words(const struct view_row_side *s, int width, const char *time, char *buf,
    size_t size)
{
	uint64_t line = 0;
	for (int i = LINK_DIRECTIONS - 1; i >= 0 && line == 0 && s->trace && s->stream; i--)
		line = trace_waits_behind(s->v->lab->trace, s->line->number, i, s->v->now);
	if (line == 0)
		return false;
	for (int brief = 0; brief < 2; brief++) {
		snprintf(buf, size, "  behind %s%" PRIu64 ", %s", brief ? "" : "line ", line, time);
		if (fits(buf, width))
			return true;
	}
	*strchr(buf, ',') = '\0';
	return true;
}

/* What segments of a line of a stream met in a black hole, in at most `width` columns; "" if none
 * did, or if there is no room. */
static const char *hole_words(const struct trace_line *trace, int width)
{
	static const char brief[] = "too big";
	const char *words = link_fate_word(LINK_NO_ICMP);
	if (trace->legs[LINK_GOING].fate != LINK_NO_ICMP &&
	    trace->legs[LINK_COMING].fate != LINK_NO_ICMP)
		return "";
	return fits(words, width) ? words : fits(brief, width) ? brief : "";
}

/* Writes the words of a waiting line of a stream that lost segments, "lost going, 0.3 s" or "too
 * big, no ICMP: 1× again, 0.3 s". Returns false if no segment was lost. */
static bool retransmission_words(const struct view_row_side *s, int width, const char *time,
    char *buf, size_t size)
{
	if (!s->trace || !s->trace->stream)
		return false;
	const unsigned again = retransmissions(s->trace);
	const int way = fate_words_missing(s->trace);
	if (again == 0 && way < 0)
		return false;
	const char *tries = TEXT_FORMAT("%u%s again", again, sign(s, GLYPH_TIMES));
	const char *hole = hole_words(s->trace,
	    width - 2 - (again > 0 ? 2 + utf8_columns(tries) : 0));
	struct text t = text_begin(buf, size);
	if (again > 0)
		text_put(&t, "  %s%s%s", hole, *hole ? ": " : "", tries);
	else if (*hole)
		text_put(&t, "  %s", hole);
	else
		text_put(&t, "  lost %s", link_direction_words[way]);
	if (fits(buf, width - 2 - utf8_columns(time)))
		text_put(&t, ", %s", time);
	return true;
}

/* Whether a rule decided, and not by a drop of a datagram, whose fate says so. */
static bool on_cue(const struct trace_line *trace)
{
	for (int i = 0; trace != NULL && i < LINK_DIRECTIONS; i++)
		if (trace->legs[i].requested &&
		    (trace->stream || (trace->legs[i].through > 0 && trace->legs[i].lost == 0)))
			return true;
	return false;
}

/* Adds that the line waited for an earlier line's bytes, in as many columns as `width` leaves. */
static void put_behind(const struct view_row_side *s, int width, struct text *t)
{
	const struct trace_leg *there = &s->trace->legs[LINK_GOING],
	                       *back = &s->trace->legs[LINK_COMING],
	                       *leg = back->behind_for >= there->behind_for ? back : there;
	const char *comma = t->used > 0 ? ", " : "",
	           *time = UNITS_DURATION(leg->behind_for, sign(s, GLYPH_MICRO));
	const char *const forms[] = {
		TEXT_FORMAT("waited %s behind line %" PRIu64, time, leg->behind),
		TEXT_FORMAT("%s behind line %" PRIu64, time, leg->behind),
		TEXT_FORMAT("%s behind %" PRIu64, time, leg->behind),
		TEXT_FORMAT("behind %" PRIu64, leg->behind),
	};
	const int room = width - utf8_columns(t->buf) - (int)strlen(comma);
	for (size_t i = 0; leg->behind > 0 && i < sizeof forms / sizeof *forms; i++)
		if (fits(forms[i], room)) {
			text_put(t, "%s%s", comma, forms[i]);
			return;
		}
}

/* Writes how long the line's last bytes, or its reply's, were held for an ACK, or less of it. */
static void held_words(const struct trace_line *trace, int width, struct text *t)
{
	char words[LINE_TEXT_HELD];
	line_text_held(trace->legs[LINK_GOING].ack_wait + trace->legs[LINK_COMING].ack_wait, words);
	char *reason = strstr(words, " for");
	const int left = width - utf8_columns(t->buf) - (t->used > 0 ? 2 : 0);
	if (reason && !fits(words, left))
		*reason = '\0';
	if (*words && fits(words, left))
		text_put(t, "%s%s", t->used > 0 ? ", " : "", words);
}

/* Writes the link's effects but loss, "2× again", "held back", in at most `width` columns. */
static void link_words(const struct view_row_side *s, int width, char *buf, size_t size)
{
	static const char word[] = " again";
	struct text t = text_begin(buf, size);
	const bool stream = s->trace && s->trace->stream;
	const unsigned again = stream ? retransmissions(s->trace) : 0;
	const char *tries = TEXT_FORMAT("%u%s", again, sign(s, GLYPH_TIMES));
	const char *hole = again > 0 ? hole_words(s->trace,
	                                   width - utf8_columns(tries) - (int)strlen(word) - 2)
	                             : "";
	if (again > 0)
		text_put(&t, "%s%s%s", hole, *hole ? ": " : "", tries);
	else if (s->trace && !stream)
		copies_words(s, &t);
	if (again > 0)
		text_put(&t, "%s",
		    fits(buf, width - (int)strlen(word)) ? word : sign(s, GLYPH_ELLIPSIS));
	if (stream) {
		put_behind(s, width, &t);
		held_words(s->trace, width, &t);
	}
	const char *cue = t.used > 0 ? ", on cue" : "on cue";
	if (on_cue(s->trace) && fits(buf, width - (int)strlen(cue)))
		text_put(&t, "%s", cue);
	else if (on_cue(s->trace) && !stream)
		snprintf(buf, size, "on cue");
	if (!fits(buf, width))
		buf[0] = '\0';
}

/* --- the wire --- */

/* The columns of the wire: as many as `words` and a space leave of `width`; 2 at least. */
static int shortened(int columns, int width, const char *words)
{
	int left = width - utf8_columns(words) - 1;
	return columns <= left ? columns : left > ARROW_MIN ? left : ARROW_MIN;
}

static void put_times(struct wire *w, const char *s, int times)
{
	for (int i = 0; i < times; i++)
		text_append(w->lead, sizeof w->lead, s);
}

/* Writes "failed: " and the reason, or only that if both do not fit behind a sign. */
static void put_failed(const struct view_row_side *s, int width, char *buf, size_t size)
{
	const char *reason = error_word(s->line->error);
	bool both = FAILED_COLUMNS + utf8_columns(reason) <= width && strcmp(reason, "failed") != 0;
	snprintf(buf, size, "%s%s", both ? "failed: " : "", reason);
}

/* Writes the time from Enter, `word`, and the link's effects if they fit into `width`. */
static void time_and_effects(const struct view_row_side *s, int width, const char *word, char *buf,
    size_t size)
{
	char more[60];
	units_duration_text(parts_waited(s->line), sign(s, GLYPH_MICRO), buf, size);
	text_append(buf, size, word);
	link_words(s, width - 2 - utf8_columns(buf), more, sizeof more);
	text_append(buf, size, more[0] ? ", " : "");
	text_append(buf, size, more);
}

static void answered_wire(const struct view_row_side *s, int width, int arrow, struct wire *w)
{
	bool twice = s->line->duplicates > 0;
	const struct transport_look *look = &transport_looks[s->stream];
	char time[140];
	time_and_effects(s, width - (arrow < ARROW_MIN ? arrow : ARROW_MIN) - 1, "", time,
	    sizeof time);
	put_times(w, sign(s, twice ? GLYPH_WIRE_TWICE : look->wire),
	    shortened(arrow, width, time) - 1);
	put_times(w, sign(s, GLYPH_HEAD), 1);
	w->lead_style = twice ? STYLE_LATE : look->style;
	snprintf(w->rest, sizeof w->rest, " %s", time);
	w->rest_style = STYLE_ANSWERED;
}

/* The arrow is broken: pairs of a piece and a gap; the head takes the last gap. */
static void late_wire(const struct view_row_side *s, int width, int arrow, struct wire *w)
{
	const int left = width - LATE_MIN - 1;
	char time[140];
	time_and_effects(s, left, LATE_WORD, time, sizeof time);
	if (!fits(time, left))
		time_and_effects(s, left, "", time, sizeof time);
	int pairs = shortened(arrow > LATE_MIN ? arrow : LATE_MIN, width, time) / 2;
	for (int i = 0; i < pairs; i++) {
		put_times(w, sign(s, transport_looks[s->stream].wire), 1);
		put_times(w, i < pairs - 1 ? " " : sign(s, GLYPH_HEAD), 1);
	}
	snprintf(w->rest, sizeof w->rest, " %s", time);
	w->lead_style = w->rest_style = STYLE_LATE;
}

/* With both transports, the side's ledger may be the item's other ledger. */
static const char *queued_word(const struct view_row_side *s)
{
	const struct ledger *ledger = s->item->stream == s->stream ? s->item->ledger
	                                                           : s->item->other;
	return ledger && ledger_is_connecting(ledger, s->line->connection)
	         ? transport_info[s->stream].opening
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
	if (!behind_now_words(s, width - BROKEN_COLUMNS, time, w->rest, sizeof w->rest) &&
	    !retransmission_words(s, width - BROKEN_COLUMNS, time, w->rest, sizeof w->rest))
		snprintf(w->rest, sizeof w->rest,
		    WAITING_MIN + utf8_columns(time) > width ? "  %s" : "  waiting %s", time);
	put_times(w, sign(s, GLYPH_WAITING), shortened(WAITING_COLUMNS, width, w->rest + 1));
	w->lead_style = transport_looks[s->stream].style;
}

/* Writes the word for a line that is lost (where, in the lab), refused or cut off, shorter where
 * `width` is less. Returns the columns of its wire; 0 if that is not known. */
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

struct wire fate_words_wire(const struct view_row_side *s, int width, int arrow)
{
	struct wire w = { .lead = "", .rest = "stray", .rest_style = STYLE_LATE };
	if (s->item->kind == TRANSCRIPT_STRAY)
		return w;
	const enum ledger_fate fate = s->line->fate;
	if (fate == FATE_QUEUED || fate == FATE_WAITING) {
		open_wire(s, width, &w);
	} else if (fate == FATE_ANSWERED) {
		answered_wire(s, width, arrow, &w);
	} else if (fate == FATE_LOST && s->line->late) {
		late_wire(s, width, arrow, &w);
	} else if (fate == FATE_FAILED && !is_too_big(s->trace)) {
		char word[80];
		put_failed(s, width, word, sizeof word);
		snprintf(w.rest, sizeof w.rest, "%s %s", sign(s, GLYPH_CROSS), word);
		w.rest_style = STYLE_LOST;
	} else {
		broken_wire(s, width, &w);
	}
	return w;
}

/* --- without a wire --- */

static const char *waiting_word(const struct view_row_side *s, int width)
{
	const char *hole = s->trace && s->trace->stream ? hole_words(s->trace, width) : "";

	return *hole ? hole : "waiting";
}

const char *fate_words_unanswered(const struct view_row_side *s, int width, bool has_sign,
    char *buf, size_t size)
{
	const enum ledger_fate fate = s->line->fate;
	char word[80] = "";
	if (fate == FATE_QUEUED || fate == FATE_WAITING)
		snprintf(word, sizeof word, "%s",
		    fate == FATE_QUEUED ? queued_word(s) : waiting_word(s, width - 2));
	else if (fate == FATE_FAILED && !is_too_big(s->trace))
		put_failed(s, width, word, sizeof word);
	else if (!ledger_is_replied(s->line))
		broken_word(s, width, word, sizeof word);
	has_sign = has_sign && fate != FATE_QUEUED && word[0] && fits(word, width - 2);
	snprintf(buf, size, "%s%s%s",
	    has_sign ? sign(s, fate == FATE_WAITING ? GLYPH_WAITING : GLYPH_CROSS) : "",
	    has_sign ? " " : "", word);
	return buf;
}

static void put_mark(struct text *t, bool has, const char *sign, const char *word)
{
	if (has)
		text_put(t, "%s%s%s", t->used == 0 ? " (" : ", ", sign, word);
}

const char *fate_words_marks(const struct view_row_side *s, bool effects, int room, char *buf,
    size_t size)
{
	const struct ledger_row *line = s->line;
	const struct parts p = parts_of_row(line);
	struct text t = text_begin(buf, size);
	char link[80], parts[100];
	parts_alone(&p, PARTS_LONGEST, sign(s, GLYPH_MICRO), parts, sizeof parts);
	put_mark(&t, parts[0] && fits(parts, room - 3), "", parts);
	link_words(s,
	    !effects                 ? 0
	    : room - 3 > EFFECTS_MIN ? room - 3
	                             : EFFECTS_MIN,
	    link, sizeof link);
	put_mark(&t, line->duplicates > 0, sign(s, GLYPH_TIMES),
	    TEXT_FORMAT("%" PRIu64, (uint64_t)line->duplicates + 1));
	put_mark(&t, line->late, "", "late");
	put_mark(&t, line->reordered, sign(s, GLYPH_REORDERED), " reordered");
	put_mark(&t, line->differs, sign(s, GLYPH_DIFFERS), " differs");
	put_mark(&t, line->cut_short, sign(s, GLYPH_ELLIPSIS), " cut short");
	put_mark(&t, line->partial, sign(s, GLYPH_ELLIPSIS), " beginning");
	put_mark(&t, link[0], "", link);
	text_put(&t, "%s", t.used > 0 ? ")" : "");
	return buf;
}
