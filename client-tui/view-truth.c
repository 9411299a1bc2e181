/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the lab's link did with a line, in the words of its row. Each is offered long and short; what fits is taken. */
#include "config.h"

#include "view-parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How far the wire goes that broke on the way there, on the way back, or at the server. */
#define GOING_COLUMNS 2
#define COMING_COLUMNS 4
#define SERVER_COLUMNS 5

static const char *const ways[EVENT_WAYS] = { "going", "coming" };

static const char *fate_word(uint8_t fate)
{
	switch (fate) {
	case EVENT_CORRUPTED:
		return "corrupted";
	case EVENT_QUEUE:
		return "queue full";
	case EVENT_TOO_BIG:
		return "too big";
	case EVENT_UNPLUGGED:
		return "unplugged";
	default:
		return "lost";
	}
}

int truth_where(const struct witness_line *truth, int64_t now, char *buf, size_t size)
{
	if (truth == NULL || truth->stream)
		return 0;
	switch (witness_place(truth, now)) {
	case WITNESS_GOING:
		snprintf(buf, size, "%s %s", fate_word(truth->legs[EVENT_THERE].fate), ways[EVENT_THERE]);
		return GOING_COLUMNS;
	case WITNESS_STILL_GOING:
		snprintf(buf, size, "still %s", ways[EVENT_THERE]);
		return GOING_COLUMNS;
	case WITNESS_SERVER:
		snprintf(buf, size, "no reply");
		return SERVER_COLUMNS;
	case WITNESS_COMING:
		snprintf(buf, size, "%s %s", fate_word(truth->legs[EVENT_BACK].fate), ways[EVENT_BACK]);
		return COMING_COLUMNS;
	case WITNESS_STILL_COMING:
		snprintf(buf, size, "still %s", ways[EVENT_BACK]);
		return COMING_COLUMNS;
	default:
		return 0;
	}
}

bool truth_too_big(const struct witness_line *truth)
{
	return truth != NULL && !truth->stream && truth->legs[EVENT_THERE].fate == EVENT_TOO_BIG;
}

static void put(char *buf, size_t size, const char *s)
{
	const size_t used = strlen(buf);

	snprintf(buf + used, size - used, "%s", s);
}

/* --- TCP: sent again --- */

/* How much is said of how long the sender waited before it sent again. */
enum times { TIMES_ALL, TIMES_ENDS, TIMES_NONE };

/* More than so many are shortened to the first and the last. */
#define TIMES_MOST 6

static void put_again(char *buf, size_t size, const struct witness_leg *leg, bool ascii, const char *words)
{
	const size_t used = strlen(buf);

	snprintf(buf + used, size - used, "%u%s %s", leg->again, glyph(GLYPH_TIMES, ascii), words);
}

static uint32_t milliseconds(uint32_t us)
{
	return us / 1000 + (us % 1000 >= 500);
}

/* The timeout where one is known to have run out, else what the link measured. */
static uint32_t time_of(const struct witness_leg *leg, int i)
{
	return milliseconds(leg->timeout[i] > 0 ? leg->timeout[i] : leg->wait[i]);
}

static const char *kind_of(const struct witness_leg *leg, int i)
{
	return leg->timeout[i] > 0 ? "RTO" : "after";
}

/* "after 224, RTO 224, 448 ms": one after the other. */
static void put_all_times(char *buf, size_t size, const struct witness_leg *leg)
{
	char one[40];

	for (int i = 0; i < leg->waits; i++) {
		const bool named = i == 0 || (leg->timeout[i] > 0) != (leg->timeout[i - 1] > 0);

		snprintf(one, sizeof one, "%s%s%s%" PRIu32, i > 0 ? ", " : "", named ? kind_of(leg, i) : "", named ? " " : "",
		    time_of(leg, i));
		put(buf, size, one);
	}
	put(buf, size, " ms");
}

/* In seconds with one decimal, or in milliseconds. */
static void put_time(char *buf, size_t size, uint32_t ms, bool seconds)
{
	char text[40];

	if (seconds)
		snprintf(text, sizeof text, "%" PRIu32 ".%" PRIu32, (ms + 50) / 1000, (ms + 50) / 100 % 10);
	else
		snprintf(text, sizeof text, "%" PRIu32, ms);
	put(buf, size, text);
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

/* "RTO 0.2...3.3 s". */
static void put_end_times(char *buf, size_t size, const struct witness_leg *leg, bool ascii)
{
	int first, last;
	bool seconds;

	find_ends(leg, &first, &last);
	seconds = first < last && time_of(leg, last) >= 1000;
	put(buf, size, kind_of(leg, first));
	put(buf, size, " ");
	put_time(buf, size, time_of(leg, first), seconds);
	if (first < last) {
		put(buf, size, glyph(GLYPH_ELLIPSIS, ascii));
		put_time(buf, size, time_of(leg, last), seconds);
	}
	put(buf, size, seconds ? " s" : " ms");
}

static void put_times(char *buf, size_t size, const struct witness_leg *leg, bool ascii, enum times times)
{
	if (times == TIMES_ALL && leg->again <= TIMES_MOST && leg->again == leg->waits)
		put_all_times(buf, size, leg);
	else
		put_end_times(buf, size, leg, ascii);
}

static void put_leg(char *buf, size_t size, const struct witness_leg *leg, bool ascii, const char *words, enum times times)
{
	put_again(buf, size, leg, ascii, words);
	if (times == TIMES_NONE)
		return;
	put(buf, size, " (");
	put_times(buf, size, leg, ascii, times);
	put(buf, size, ")");
}

/* The segments of the line by this end's kernel, those of its reply by the server's. */
static void again_words(const struct witness_line *truth, bool ascii, enum times times, char *buf, size_t size)
{
	const struct witness_leg *there = &truth->legs[EVENT_THERE], *back = &truth->legs[EVENT_BACK];

	buf[0] = '\0';
	if (there->again > 0)
		put_leg(buf, size, there, ascii, "again", times);
	if (back->again > 0) {
		put(buf, size, there->again > 0 ? ", " : "");
		put_leg(buf, size, back, ascii, there->again > 0 ? "by server" : "again by server", times);
	}
}

const char *truth_times(const struct witness_line *truth, bool ascii, bool whole, char *buf, size_t size)
{
	buf[0] = '\0';
	if (truth == NULL || !truth->stream)
		return buf;
	if (whole) {
		again_words(truth, ascii, TIMES_ALL, buf, size);
		return buf;
	}
	if (truth->legs[EVENT_THERE].again > 0)
		put_times(buf, size, &truth->legs[EVENT_THERE], ascii, TIMES_ALL);
	if (truth->legs[EVENT_BACK].again > 0) {
		put(buf, size, buf[0] != '\0' ? "; server's " : "server's ");
		put_times(buf, size, &truth->legs[EVENT_BACK], ascii, TIMES_ALL);
	}
	return buf;
}

static bool was_sent_again(const struct witness_line *truth)
{
	return truth->legs[EVENT_THERE].again > 0 || truth->legs[EVENT_BACK].again > 0;
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
		    ways[there ? EVENT_THERE : EVENT_BACK]);
	if (held && (whole || buf[0] == '\0'))
		put(buf, size, buf[0] != '\0' ? ", held back" : whole ? "held back" : "held");
}

/* --- both --- */

static bool fits(const char *words, int room)
{
	return words_columns(words) <= room;
}

const char *truth_more(const struct witness_line *truth, bool ascii, int room, char *buf, size_t size)
{
	char words[160] = "";

	buf[0] = '\0';
	if (truth == NULL)
		return buf;
	for (int step = 0; step < 4; step++) {
		if (!truth->stream)
			copies_words(truth, ascii, step == 0, words, sizeof words);
		else if (was_sent_again(truth) && step <= (int)TIMES_NONE)
			again_words(truth, ascii, (enum times)step, words, sizeof words);
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

/* Which segment is missing: the one that was dropped last and has not been let through since. */
static const char *missing(const struct witness_line *truth)
{
	for (int way = EVENT_WAYS - 1; way >= 0; way--)
		if (truth->legs[way].lost > 0 && truth->legs[way].through == 0)
			return ways[way];
	return NULL;
}

bool truth_waiting(const struct witness_line *truth, bool ascii, int room, const char *time, char *buf, size_t size)
{
	/* The longest first. */
	static const struct {
		enum times times;
		bool waiting;
	} forms[] = { { TIMES_ALL, true }, { TIMES_ENDS, true }, { TIMES_ENDS, false }, { TIMES_NONE, true }, { TIMES_NONE, false } };
	char words[160];

	if (truth == NULL || !truth->stream || (!was_sent_again(truth) && missing(truth) == NULL))
		return false;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (was_sent_again(truth))
			again_words(truth, ascii, forms[i].times, words, sizeof words);
		else
			snprintf(words, sizeof words, "lost %s", missing(truth));
		if (forms[i].waiting)
			snprintf(buf, size, "  waiting %s, %s", time, words);
		else
			snprintf(buf, size, "  %s, %s", words, time);
		if (fits(buf, room))
			return true;
	}
	if (was_sent_again(truth)) {
		again_in_short(truth, ascii, words, sizeof words);
		snprintf(buf, size, "  %s, %s", words, time);
	}
	return true;
}
