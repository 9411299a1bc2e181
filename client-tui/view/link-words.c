/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the lab's link did with a line, in the words of its row. Each is offered long and short;
 * what fits is taken. */
#include "config.h"

#include "view/view-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/units.h"

/* How far the wire goes that broke on the way there, on the way back, or at the server. */
#define GOING_COLUMNS 2
#define COMING_COLUMNS 4
#define SERVER_COLUMNS 5

/* Where that has no room without the way. */
static void put_drop(uint8_t fate, enum link_way way, int width, char *buf, size_t size)
{
	link_loss_text((enum link_fate)fate, way, buf, size);
	if (utf8_columns(buf) > width)
		snprintf(buf, size, "%s %s", link_fate_word((enum link_fate)fate),
		    link_way_word(way));
	if (utf8_columns(buf) > width)
		snprintf(buf, size, "%s", link_fate_word((enum link_fate)fate));
}

int link_words_where(const struct trace_line *trace, int64_t now, int width, char *buf, size_t size)
{
	if (trace == NULL || trace->stream)
		return 0;
	switch (trace_place(trace, now)) {
	case TRACE_GOING:
		put_drop(trace->legs[LINK_GOING].fate, LINK_GOING, width, buf, size);
		return GOING_COLUMNS;
	case TRACE_STILL_GOING:
		snprintf(buf, size, "still %s", link_way_word(LINK_GOING));
		return GOING_COLUMNS;
	case TRACE_SERVER:
		snprintf(buf, size, "no reply");
		return SERVER_COLUMNS;
	case TRACE_COMING:
		put_drop(trace->legs[LINK_COMING].fate, LINK_COMING, width, buf, size);
		return COMING_COLUMNS;
	case TRACE_STILL_COMING:
		snprintf(buf, size, "still %s", link_way_word(LINK_COMING));
		return COMING_COLUMNS;
	default:
		return 0;
	}
}

bool link_words_too_big(const struct trace_line *trace)
{
	return trace != NULL && !trace->stream && trace->legs[LINK_GOING].fate == LINK_TOO_BIG;
}

static bool fits(const char *words, int width)
{
	return utf8_columns(words) <= width;
}

/* --- TCP: sent again --- */

/* How much is said beside how often: not even that the drop was requested. */
enum times { NOTHING_MORE, NO_TIMES, FIRST_AND_LAST, ALL_TIMES };

/* The timeout where one is known to have run out, else what the link measured. */
static unsigned waited_ms(const struct trace_leg *leg, int i)
{
	return (unsigned)(((leg->timeout[i] > 0 ? leg->timeout[i] : leg->wait[i]) + 500) / 1000);
}

static const char *kind_of(const struct trace_leg *leg, int i)
{
	return leg->timeout[i] > 0 ? "RTO " : "after ";
}

/* The first and the last timeout that ran out; if none is known to have, the first and last time
 * measured. */
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
static void put_ms(char *buf, size_t size, unsigned ms, bool seconds)
{
	char text[40];

	if (seconds)
		snprintf(text, sizeof text, "%u.%u", (ms + 50) / 1000, (ms + 50) / 100 % 10);
	else
		snprintf(text, sizeof text, "%u", ms);
	text_append(buf, size, text);
}

/* "RTO 204…816 ms", "RTO 0.2…3.3 s". */
static void put_first_and_last(char *buf, size_t size, const struct trace_leg *leg, bool ascii)
{
	int first, last;

	find_ends(leg, &first, &last);
	const bool seconds = first < last && waited_ms(leg, last) >= 1000;

	text_append(buf, size, kind_of(leg, first));
	put_ms(buf, size, waited_ms(leg, first), seconds);
	if (first < last) {
		text_append(buf, size, glyph(GLYPH_ELLIPSIS, ascii));
		put_ms(buf, size, waited_ms(leg, last), seconds);
	}
	text_append(buf, size, seconds ? " s" : " ms");
}

/* "after 204, RTO 204, 408 ms": one after the other. */
static void put_all(char *buf, size_t size, const struct trace_leg *leg)
{
	for (int i = 0; i < leg->waits; i++) {
		text_append(buf, size, i > 0 ? ", " : "");
		if (i == 0 || (leg->timeout[i] > 0) != (leg->timeout[i - 1] > 0))
			text_append(buf, size, kind_of(leg, i));
		put_ms(buf, size, waited_ms(leg, i), false);
	}
	text_append(buf, size, " ms");
}

/* Not all of many are kept. */
static void put_waited(char *buf, size_t size, const struct trace_leg *leg, enum times times,
    bool ascii)
{
	if (times == ALL_TIMES && leg->retransmitted == leg->waits)
		put_all(buf, size, leg);
	else
		put_first_and_last(buf, size, leg, ascii);
}

static const char requested_words[] = ", on cue";

static void put_one_way(char *buf, size_t size, const struct trace_leg *leg, bool ascii,
    enum times times, const char *words)
{
	const size_t used = strlen(buf);

	snprintf(buf + used, size - used, "%u%s %s", leg->retransmitted, glyph(GLYPH_TIMES, ascii),
	    words);
	if (times > NO_TIMES) {
		text_append(buf, size, " (");
		put_waited(buf, size, leg, times, ascii);
		text_append(buf, size, ")");
	}
	if (times > NOTHING_MORE && leg->requested_drop)
		text_append(buf, size, requested_words);
}

static void retransmission_words(const struct trace_line *trace, bool ascii, enum times times,
    char *buf, size_t size)
{
	const struct trace_leg *there = &trace->legs[LINK_GOING], *back = &trace->legs[LINK_COMING];

	buf[0] = '\0';
	if (there->retransmitted > 0)
		put_one_way(buf, size, there, ascii, times, "again");
	if (back->retransmitted > 0) {
		text_append(buf, size, there->retransmitted > 0 ? ", " : "");
		put_one_way(buf, size, back, ascii, times,
		    there->retransmitted > 0 ? "coming" : "again coming");
	}
}

static bool was_retransmitted(const struct trace_line *trace)
{
	return trace->legs[LINK_GOING].retransmitted > 0 ||
	       trace->legs[LINK_COMING].retransmitted > 0;
}

/* Which segment is missing: the one that was dropped last and has not been let through since. */
static const char *missing(const struct trace_line *trace)
{
	for (int way = LINK_WAYS - 1; way >= 0; way--)
		if (trace->legs[way].lost > 0 && trace->legs[way].through == 0)
			return link_way_word(way);
	return NULL;
}

/* What became of a line that was sent again, or whose segment is missing. */
static void stream_words(const struct trace_line *trace, bool ascii, enum times times, char *buf,
    size_t size)
{
	const bool requested = times > NOTHING_MORE && (trace->legs[LINK_GOING].requested_drop ||
	                                                   trace->legs[LINK_COMING].requested_drop);

	if (was_retransmitted(trace) || missing(trace) == NULL)
		retransmission_words(trace, ascii, times, buf, size);
	else
		snprintf(buf, size, "lost %s%s", missing(trace), requested ? requested_words : "");
}

const char *link_words_times(const struct trace_line *trace, bool ascii, int width, char *buf,
    size_t size)
{
	static const char *const whose[LINK_WAYS] = { "", "server's " };

	buf[0] = '\0';
	if (trace == NULL || !trace->stream)
		return buf;
	stream_words(trace, ascii, ALL_TIMES, buf, size);
	const bool all = fits(buf, width);
	stream_words(trace, ascii, NO_TIMES, buf, size);
	const bool requested_too = fits(buf, width);

	buf[0] = '\0';
	if (all)
		return buf;
	for (int way = 0; way < LINK_WAYS; way++) {
		const struct trace_leg *leg = &trace->legs[way];
		const bool requested = leg->requested_drop && !requested_too;

		if (leg->retransmitted == 0 && !requested)
			continue;
		text_append(buf, size, buf[0] != '\0' ? "; " : "");
		if (leg->retransmitted > 0) {
			text_append(buf, size, whose[way]);
			put_waited(buf, size, leg, ALL_TIMES, ascii);
		}
		text_append(buf, size,
		    !requested               ? ""
		    : leg->retransmitted > 0 ? requested_words
		                             : requested_words + 2);
	}
	return buf;
}

/* "2x again", "1x again coming", both as one number. */
static void short_retransmissions(const struct trace_line *trace, bool ascii, char *buf,
    size_t size)
{
	snprintf(buf, size, "%u%s again",
	    (unsigned)trace->legs[LINK_GOING].retransmitted +
	        trace->legs[LINK_COMING].retransmitted,
	    glyph(GLYPH_TIMES, ascii));
}

/* --- UDP: copies and holds --- */

static void copies_words(const struct trace_line *trace, bool ascii, bool whole, char *buf,
    size_t size)
{
	const char *both = whole ? "both ways" : "both";
	const bool there = trace->legs[LINK_GOING].duplicated,
	           back = trace->legs[LINK_COMING].duplicated;
	const bool held = trace->legs[LINK_GOING].held || trace->legs[LINK_COMING].held;

	buf[0] = '\0';
	if (there || back)
		snprintf(buf, size, "2%s %s", glyph(GLYPH_TIMES, ascii),
		    there && back ? both : link_way_word(there ? LINK_GOING : LINK_COMING));
	if (held && (whole || buf[0] == '\0'))
		text_append(buf, size,
		    buf[0] != '\0' ? ", held back"
		    : whole        ? "held back"
		                   : "held");
}

/* --- both --- */

const char *link_words_more(const struct trace_line *trace, bool ascii, int width, char *buf,
    size_t size)
{
	char words[160] = "";

	buf[0] = '\0';
	if (trace == NULL)
		return buf;
	for (int step = 0; step < 5; step++) {
		if (!trace->stream)
			copies_words(trace, ascii, step == 0, words, sizeof words);
		else if (was_retransmitted(trace) && step < 4)
			retransmission_words(trace, ascii, (enum times)(ALL_TIMES - step), words,
			    sizeof words);
		else if (was_retransmitted(trace))
			short_retransmissions(trace, ascii, words, sizeof words);
		if (words[0] == '\0' || fits(words, width - 2))
			break;
		words[0] = '\0';
	}
	if (words[0] != '\0')
		snprintf(buf, size, ", %s", words);
	return buf;
}

/* ", RTO 976 ms", ", server's RTO 976 ms": the timer that runs until the missing segment is sent
 * again. */
static void put_timeout(char *buf, size_t size, const struct trace_line *trace,
    const struct view_ends *ends, bool ascii)
{
	const bool coming = trace->legs[LINK_COMING].lost > 0 &&
	                    trace->legs[LINK_COMING].through == 0;
	const struct tcp_sample *tcp = ends == NULL || !(coming ? ends->has_server : ends->has_here)
	                                 ? NULL
	                             : coming ? &ends->server
	                                      : &ends->here;
	char time[40];

	if (tcp == NULL || missing(trace) == NULL || tcp->timeout == 0)
		return;
	text_append(buf, size, coming ? ", server's RTO " : ", RTO ");
	text_append(buf, size,
	    units_duration_text(tcp->timeout, glyph(GLYPH_MICRO, ascii), time, sizeof time));
}

/* The forms from the longest to the shortest. */
static void waiting_words(const struct trace_line *trace, const struct view_ends *ends, bool ascii,
    int step, const char *time, char *buf, size_t size)
{
	char words[160] = "";

	if (step < 8)
		stream_words(trace, ascii, (enum times)(ALL_TIMES - step / 2), words, sizeof words);
	else if (!was_retransmitted(trace))
		stream_words(trace, ascii, NOTHING_MORE, words, sizeof words);
	else
		short_retransmissions(trace, ascii, words, sizeof words);
	if (step % 2 == 0 && step < 8)
		put_timeout(words, sizeof words, trace, ends, ascii);
	if (step < 8)
		snprintf(buf, size, "  waiting %s, %s", time, words);
	else if (step == 8)
		snprintf(buf, size, "  %s, %s", words, time);
	else
		snprintf(buf, size, " %s", words);
}

bool link_words_waiting(const struct trace_line *trace, const struct view_ends *ends, bool ascii,
    int width, const char *time, char *buf, size_t size)
{
	if (trace == NULL || !trace->stream ||
	    (!was_retransmitted(trace) && missing(trace) == NULL))
		return false;
	for (int step = 0; step < 10; step++) {
		waiting_words(trace, ends, ascii, step, time, buf, size);
		if (fits(buf, width))
			break;
	}
	return true;
}
