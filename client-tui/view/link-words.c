/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the lab's link did with a line, in the words of its row. Each is offered long and short; what fits is taken. */
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
static void died(uint8_t fate, enum event_way way, int room, char *buf, size_t size)
{
	event_died_words((enum event_fate)fate, way, buf, size);
	if (utf8_columns(buf) > room)
		snprintf(buf, size, "%s %s", event_fate_word((enum event_fate)fate), event_way_word(way));
	if (utf8_columns(buf) > room)
		snprintf(buf, size, "%s", event_fate_word((enum event_fate)fate));
}

int truth_where(const struct witness_line *truth, int64_t now, int room, char *buf, size_t size)
{
	if (truth == NULL || truth->stream)
		return 0;
	switch (witness_place(truth, now)) {
	case WITNESS_GOING:
		died(truth->legs[EVENT_THERE].fate, EVENT_THERE, room, buf, size);
		return GOING_COLUMNS;
	case WITNESS_STILL_GOING:
		snprintf(buf, size, "still %s", event_way_word(EVENT_THERE));
		return GOING_COLUMNS;
	case WITNESS_SERVER:
		snprintf(buf, size, "no reply");
		return SERVER_COLUMNS;
	case WITNESS_COMING:
		died(truth->legs[EVENT_BACK].fate, EVENT_BACK, room, buf, size);
		return COMING_COLUMNS;
	case WITNESS_STILL_COMING:
		snprintf(buf, size, "still %s", event_way_word(EVENT_BACK));
		return COMING_COLUMNS;
	default:
		return 0;
	}
}

bool truth_too_big(const struct witness_line *truth)
{
	return truth != NULL && !truth->stream && truth->legs[EVENT_THERE].fate == EVENT_TOO_BIG;
}

static bool fits(const char *words, int room)
{
	return utf8_columns(words) <= room;
}

/* --- TCP: sent again --- */

/* How much is said beside how often: not even that it was on cue. */
enum times { NOTHING_MORE, NO_TIMES, FIRST_AND_LAST, ALL_TIMES };

/* The timeout where one is known to have run out, else what the link measured. */
static unsigned waited_ms(const struct witness_leg *leg, int i)
{
	return (unsigned)(((leg->timeout[i] > 0 ? leg->timeout[i] : leg->wait[i]) + 500) / 1000);
}

static const char *kind_of(const struct witness_leg *leg, int i)
{
	return leg->timeout[i] > 0 ? "RTO " : "after ";
}

/* The first and the last timeout that ran out; if none is known to have, the first and last time measured. */
static void find_ends(const struct witness_leg *leg, int *first, int *last)
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
static void put_first_and_last(char *buf, size_t size, const struct witness_leg *leg, bool ascii)
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
static void put_all(char *buf, size_t size, const struct witness_leg *leg)
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
static void put_waited(char *buf, size_t size, const struct witness_leg *leg, enum times times, bool ascii)
{
	if (times == ALL_TIMES && leg->again == leg->waits)
		put_all(buf, size, leg);
	else
		put_first_and_last(buf, size, leg, ascii);
}

static const char on_cue[] = ", on cue";

static void put_one_way(char *buf, size_t size, const struct witness_leg *leg, bool ascii, enum times times, const char *words)
{
	const size_t used = strlen(buf);

	snprintf(buf + used, size - used, "%u%s %s", leg->again, glyph(GLYPH_TIMES, ascii), words);
	if (times > NO_TIMES) {
		text_append(buf, size, " (");
		put_waited(buf, size, leg, times, ascii);
		text_append(buf, size, ")");
	}
	if (times > NOTHING_MORE && leg->cue)
		text_append(buf, size, on_cue);
}

static void again_words(const struct witness_line *truth, bool ascii, enum times times, char *buf, size_t size)
{
	const struct witness_leg *there = &truth->legs[EVENT_THERE], *back = &truth->legs[EVENT_BACK];

	buf[0] = '\0';
	if (there->again > 0)
		put_one_way(buf, size, there, ascii, times, "again");
	if (back->again > 0) {
		text_append(buf, size, there->again > 0 ? ", " : "");
		put_one_way(buf, size, back, ascii, times, there->again > 0 ? "coming" : "again coming");
	}
}

static bool was_sent_again(const struct witness_line *truth)
{
	return truth->legs[EVENT_THERE].again > 0 || truth->legs[EVENT_BACK].again > 0;
}

/* Which segment is missing: the one that was dropped last and has not been let through since. */
static const char *missing(const struct witness_line *truth)
{
	for (int way = EVENT_WAYS - 1; way >= 0; way--)
		if (truth->legs[way].lost > 0 && truth->legs[way].through == 0)
			return event_way_word(way);
	return NULL;
}

/* What became of a line that was sent again, or whose segment is missing. */
static void stream_words(const struct witness_line *truth, bool ascii, enum times times, char *buf, size_t size)
{
	const bool cue = times > NOTHING_MORE && (truth->legs[EVENT_THERE].cue || truth->legs[EVENT_BACK].cue);

	if (was_sent_again(truth) || missing(truth) == NULL)
		again_words(truth, ascii, times, buf, size);
	else
		snprintf(buf, size, "lost %s%s", missing(truth), cue ? on_cue : "");
}

const char *truth_times(const struct witness_line *truth, bool ascii, int room, char *buf, size_t size)
{
	static const char *const whose[EVENT_WAYS] = { "", "server's " };

	buf[0] = '\0';
	if (truth == NULL || !truth->stream)
		return buf;
	stream_words(truth, ascii, ALL_TIMES, buf, size);
	const bool all = fits(buf, room);
	stream_words(truth, ascii, NO_TIMES, buf, size);
	const bool cue_too = fits(buf, room);

	buf[0] = '\0';
	if (all)
		return buf;
	for (int way = 0; way < EVENT_WAYS; way++) {
		const struct witness_leg *leg = &truth->legs[way];
		const bool cue = leg->cue && !cue_too;

		if (leg->again == 0 && !cue)
			continue;
		text_append(buf, size, buf[0] != '\0' ? "; " : "");
		if (leg->again > 0) {
			text_append(buf, size, whose[way]);
			put_waited(buf, size, leg, ALL_TIMES, ascii);
		}
		text_append(buf, size, !cue ? "" : leg->again > 0 ? on_cue : on_cue + 2);
	}
	return buf;
}

/* "2x again", "1x again coming", both as one number. */
static void again_in_short(const struct witness_line *truth, bool ascii, char *buf, size_t size)
{
	snprintf(buf, size, "%u%s again", (unsigned)truth->legs[EVENT_THERE].again + truth->legs[EVENT_BACK].again,
	    glyph(GLYPH_TIMES, ascii));
}

/* --- UDP: copies and holds --- */

static void copies_words(const struct witness_line *truth, bool ascii, bool whole, char *buf, size_t size)
{
	const char *both = whole ? "both ways" : "both";
	const bool there = truth->legs[EVENT_THERE].doubled, back = truth->legs[EVENT_BACK].doubled;
	const bool held = truth->legs[EVENT_THERE].held || truth->legs[EVENT_BACK].held;

	buf[0] = '\0';
	if (there || back)
		snprintf(buf, size, "2%s %s", glyph(GLYPH_TIMES, ascii), there && back ? both :
		    event_way_word(there ? EVENT_THERE : EVENT_BACK));
	if (held && (whole || buf[0] == '\0'))
		text_append(buf, size, buf[0] != '\0' ? ", held back" : whole ? "held back" : "held");
}

/* --- both --- */

const char *truth_more(const struct witness_line *truth, bool ascii, int room, char *buf, size_t size)
{
	char words[160] = "";

	buf[0] = '\0';
	if (truth == NULL)
		return buf;
	for (int step = 0; step < 5; step++) {
		if (!truth->stream)
			copies_words(truth, ascii, step == 0, words, sizeof words);
		else if (was_sent_again(truth) && step < 4)
			again_words(truth, ascii, (enum times)(ALL_TIMES - step), words, sizeof words);
		else if (was_sent_again(truth))
			again_in_short(truth, ascii, words, sizeof words);
		if (words[0] == '\0' || fits(words, room - 2))
			break;
		words[0] = '\0';
	}
	if (words[0] != '\0')
		snprintf(buf, size, ", %s", words);
	return buf;
}

/* ", RTO 976 ms", ", server's RTO 976 ms": the timer that runs until the missing segment is sent again. */
static void put_timeout(char *buf, size_t size, const struct witness_line *truth, const struct view_ends *ends, bool ascii)
{
	const bool coming = truth->legs[EVENT_BACK].lost > 0 && truth->legs[EVENT_BACK].through == 0;
	const struct session_tcp *tcp = ends == NULL || !(coming ? ends->has_far : ends->has_here) ? NULL :
	    coming ? &ends->far : &ends->here;
	char time[40];

	if (tcp == NULL || missing(truth) == NULL || tcp->timeout == 0)
		return;
	text_append(buf, size, coming ? ", server's RTO " : ", RTO ");
	text_append(buf, size, units_duration_text(tcp->timeout, glyph(GLYPH_MICRO, ascii), time, sizeof time));
}

/* The forms from the longest to the shortest. */
static void waiting_words(const struct witness_line *truth, const struct view_ends *ends, bool ascii, int step, const char *time,
    char *buf, size_t size)
{
	char words[160] = "";

	if (step < 8)
		stream_words(truth, ascii, (enum times)(ALL_TIMES - step / 2), words, sizeof words);
	else if (!was_sent_again(truth))
		stream_words(truth, ascii, NOTHING_MORE, words, sizeof words);
	else
		again_in_short(truth, ascii, words, sizeof words);
	if (step % 2 == 0 && step < 8)
		put_timeout(words, sizeof words, truth, ends, ascii);
	if (step < 8)
		snprintf(buf, size, "  waiting %s, %s", time, words);
	else if (step == 8)
		snprintf(buf, size, "  %s, %s", words, time);
	else
		snprintf(buf, size, " %s", words);
}

bool truth_waiting(const struct witness_line *truth, const struct view_ends *ends, bool ascii, int room, const char *time, char *buf,
    size_t size)
{
	if (truth == NULL || !truth->stream || (!was_sent_again(truth) && missing(truth) == NULL))
		return false;
	for (int step = 0; step < 10; step++) {
		waiting_words(truth, ends, ascii, step, time, buf, size);
		if (fits(buf, room))
			break;
	}
	return true;
}
