/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger, rule by rule, and against the naive one in ledger_model.c. After every step the
 * conservation rule is checked. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/ledger.h"
#include "tests/lib/ledger_model.h"
#include "tests/lib/ledger_check.h"

#define MS INT64_C(1000000)
#define S (1000 * MS)

/* ---- steps, each checked ---- */

static struct ledger *open_ledger(enum ledger_kind kind, enum ledger_tag tag, size_t capacity)
{
	const struct ledger_settings settings = { .kind = kind,
		.tag = tag,
		.capacity = capacity,
		.reply_timeout = S,
		.answerable = 60 * S };
	struct ledger *l = ledger_new(&settings);

	assert_non_null(l);
	assert_true(ledger_balanced(l));
	return l;
}

static struct ledger *datagrams(void)
{
	return open_ledger(LEDGER_DATAGRAM, LEDGER_TAG_AUTO, 1000);
}

static struct ledger *stream(void)
{
	return open_ledger(LEDGER_STREAM, LEDGER_TAG_AUTO, 1000);
}

static void add(struct ledger *l, uint64_t number, const char *text, int64_t now)
{
	assert_int_equal(ledger_add(l, number, text, strlen(text), now), 0);
	assert_true(ledger_balanced(l));
}

static void sent(struct ledger *l, uint64_t number, int64_t now)
{
	ledger_sent(l, number, now);
	assert_true(ledger_balanced(l));
}

static void put(struct ledger *l, uint64_t number, const char *text, int64_t now)
{
	add(l, number, text, now);
	sent(l, number, now);
}

static void wire_is(const struct ledger *l, uint64_t number, const char *expected)
{
	char wire[200] = "";
	const size_t n = ledger_wire(l, number, wire, sizeof wire - 1);

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(wire, expected, n);
}

static void match_is(struct ledger_reply_match v, enum ledger_match match, uint64_t number,
    size_t skip)
{
	assert_int_equal(v.match, match);
	assert_int_equal(v.number, number);
	assert_int_equal(v.skip, skip);
	if (match == MATCH_STRAY)
		assert_int_equal(v.rtt, -1);
}

static struct ledger_reply_match reply(struct ledger *l, const char *text, int64_t now)
{
	struct ledger_reply_match v = ledger_reply(l, text, strlen(text), now);
	assert_true(ledger_balanced(l));
	return v;
}

static struct ledger_reply_match stream_reply(struct ledger *l, const char *text, bool ended,
    int64_t now)
{
	struct ledger_reply_match v = ledger_stream_reply(l, 0, text, strlen(text), ended, now);
	assert_true(ledger_balanced(l));
	return v;
}

static uint64_t expire(struct ledger *l, int64_t now)
{
	const uint64_t number = ledger_expire(l, now);
	assert_true(ledger_balanced(l));
	return number;
}

static const struct ledger_row *row(const struct ledger *l, uint64_t number)
{
	const struct ledger_row *r = ledger_find(l, number);
	assert_non_null(r);
	assert_int_equal(r->number, number);
	return r;
}

static void fate_is(const struct ledger *l, uint64_t number, enum ledger_fate fate)
{
	assert_int_equal(row(l, number)->fate, fate);
}

static void reply_is(const struct ledger *l, uint64_t number, const char *expected)
{
	const struct ledger_row *r = row(l, number);
	if (!expected) {
		assert_null(r->reply);
		return;
	}
	assert_non_null(r->reply);
	assert_int_equal(r->reply_length, strlen(expected));
	assert_memory_equal(r->reply, expected, r->reply_length);
}

/* ---- one line ---- */

static void life_of_a_line(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	add(l, 1, "hello", 5 * MS);
	fate_is(l, 1, FATE_QUEUED);
	assert_int_equal(ledger_totals(l)->sent, 0);
	assert_int_equal(ledger_first_queued(l, 0), 1);
	assert_int_equal(ledger_deadline(l), INT64_MAX);
	wire_is(l, 1, "hello");
	sent(l, 1, 7 * MS);
	fate_is(l, 1, FATE_WAITING);
	assert_int_equal(ledger_first_queued(l, 0), 0);
	assert_int_equal(ledger_first_waiting(l), 1);
	assert_int_equal(ledger_totals(l)->sent, 1);
	const struct ledger_reply_match v = reply(l, "HELLO", 47 * MS);
	match_is(v, MATCH_ANSWER, 1, 0);
	assert_int_equal(v.rtt, 40 * MS);
	fate_is(l, 1, FATE_ANSWERED);
	assert_int_equal(row(l, 1)->typed_at, 5 * MS);
	assert_int_equal(row(l, 1)->sent_at, 7 * MS);
	assert_int_equal(row(l, 1)->replied_at, 47 * MS);
	reply_is(l, 1, NULL);
	assert_false(row(l, 1)->differs || row(l, 1)->late || row(l, 1)->reordered ||
	             row(l, 1)->cut_short);
	assert_int_equal(ledger_first_waiting(l), 0);
	ledger_free(l);
}

/* A reply at exactly sent + wait is within the wait. */
static void end_of_the_wait(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "a", 0);
	put(l, 2, "b", 0);
	assert_int_equal(expire(l, S), 0);
	match_is(reply(l, "A", S), MATCH_ANSWER, 1, 0);
	assert_int_equal(ledger_deadline(l), S + 1);
	/* The next nanosecond it is late, though nobody has looked at the clock yet. */
	match_is(reply(l, "B", S + 1), MATCH_LATE, 2, 0);
	fate_is(l, 2, FATE_LOST);
	assert_true(row(l, 2)->late);
	assert_int_equal(ledger_totals(l)->timed, 1);
	put(l, 3, "c", 2 * S);
	assert_int_equal(expire(l, 3 * S), 0);
	assert_int_equal(expire(l, 3 * S + 1), 3);
	assert_int_equal(expire(l, 3 * S + 1), 0);
	fate_is(l, 3, FATE_LOST);
	assert_false(row(l, 3)->late);
	ledger_free(l);
}

/* RFC 6673: late stays lost; its time is known but in no statistics. */
static void late(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "a", 0);
	assert_int_equal(expire(l, S + 1), 1);
	const struct ledger_reply_match v = reply(l, "A", 3 * S);
	match_is(v, MATCH_LATE, 1, 0);
	assert_int_equal(v.rtt, 3 * S);
	assert_int_equal(ledger_totals(l)->lost, 1);
	assert_int_equal(ledger_totals(l)->late, 1);
	assert_int_equal(ledger_totals(l)->answered, 0);
	assert_int_equal(ledger_totals(l)->timed, 0);
	match_is(reply(l, "A", 4 * S), MATCH_DUPLICATE, 1, 0);
	assert_int_equal(ledger_totals(l)->late, 1);
	assert_int_equal(row(l, 1)->replied_at, 3 * S);
	ledger_free(l);
}

/* The kernel's time stamp decides, not when the program came to read: after ^Z and fg nothing is
 * lost that was there. */
static void in_time_but_read_late(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "a", 0);
	assert_int_equal(expire(l, 10 * S), 1);
	fate_is(l, 1, FATE_LOST);
	match_is(reply(l, "A", S / 2), MATCH_ANSWER, 1, 0);
	fate_is(l, 1, FATE_ANSWERED);
	assert_int_equal(ledger_totals(l)->lost, 0);
	assert_int_equal(ledger_totals(l)->timed, 1);
	ledger_free(l);
}

/* The receiving clock may be a little behind. */
static void never_a_negative_time(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "a", S);
	assert_int_equal(reply(l, "A", S - 5).rtt, 0);
	assert_int_equal(row(l, 1)->replied_at, S);
	assert_int_equal(ledger_totals(l)->rtt.min, 0);
	ledger_free(l);
}

static void duplicates(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "a", 0);
	match_is(reply(l, "A", 5), MATCH_ANSWER, 1, 0);
	const struct ledger_reply_match v = reply(l, "A", 9);
	match_is(v, MATCH_DUPLICATE, 1, 0);
	assert_int_equal(v.rtt, 9);
	match_is(reply(l, "A", 59 * S), MATCH_DUPLICATE, 1, 0);
	assert_int_equal(row(l, 1)->duplicates, 2);
	assert_int_equal(ledger_totals(l)->duplicates, 2);
	assert_int_equal(ledger_totals(l)->answered, 1);
	assert_int_equal(ledger_totals(l)->timed, 1);
	match_is(reply(l, "A", 60 * S + 1), MATCH_STRAY, 0, 0);
	ledger_free(l);
}

static void round_trip_statistics(void **state)
{
	static const int64_t times[] = { 40 * MS, 42 * MS, 39 * MS, 47 * MS };
	struct ledger *l = datagrams();
	char text[2] = "a", capital[2] = "A";

	(void)state;
	for (unsigned i = 0; i < 4; i++, text[0]++, capital[0]++) {
		put(l, i + 1, text, i * S);
		reply(l, capital, i * S + times[i]);
	}
	const struct ledger_totals *t = ledger_totals(l);
	assert_int_equal(t->timed, 4);
	assert_int_equal(t->rtt.min, 39 * MS);
	assert_int_equal(t->rtt.max, 47 * MS);
	assert_true(t->rtt.mean > 41999999.9 && t->rtt.mean < 42000000.1);
	assert_true(t->rtt.m2 > 37.99e12 && t->rtt.m2 < 38.01e12);
	ledger_free(l);
}

/* RFC 4737: the next expected number never decreases, so 1 5 2 3 4 has three that are reordered. */
static void reordering(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	for (unsigned i = 1; i <= 6; i++)
		put(l, i, (const char[]){ (char)('a' + i), '\0' }, i);
	reply(l, "B", 10);
	reply(l, "F", 11);
	reply(l, "C", 12);
	reply(l, "D", 13);
	reply(l, "E", 14);
	reply(l, "G", 15);
	/* A duplicate takes no part in it. */
	reply(l, "B", 16);
	for (unsigned i = 1; i <= 6; i++)
		assert_int_equal(row(l, i)->reordered, i >= 2 && i <= 4);
	assert_int_equal(ledger_totals(l)->reordered, 3);
	ledger_free(l);
}

/* A line that is lost overtakes nobody, and is not overtaken. */
static void late_replies_are_not_reordered(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "a", 0);
	put(l, 2, "b", 0);
	put(l, 3, "c", 2 * S);
	reply(l, "C", 2 * S + 1);
	match_is(reply(l, "A", 2 * S + 2), MATCH_LATE, 1, 0);
	assert_false(row(l, 1)->reordered);
	put(l, 4, "d", 3 * S);
	put(l, 5, "e", 3 * S);
	reply(l, "E", 5 * S);
	match_is(reply(l, "D", 4 * S), MATCH_ANSWER, 4, 0);
	assert_false(row(l, 4)->reordered);
	assert_int_equal(ledger_totals(l)->reordered, 0);
	ledger_free(l);
}

/* ---- tags ---- */

/* Settings that make no sense are made to: within the wait a reply is never a stray. */
static void answerable_as_long_as_the_wait(void **state)
{
	const struct ledger_settings settings = { .reply_timeout = S, .answerable = 1 };
	struct ledger *l = ledger_new(&settings);

	(void)state;
	put(l, 1, "a", 0);
	match_is(reply(l, "A", S), MATCH_ANSWER, 1, 0);
	put(l, 2, "b", S);
	assert_int_equal(ledger_count(l), 1);
	ledger_free(l);
	ledger_free(NULL);
}

static void fifty_equal_lines(void **state)
{
	struct ledger *l = datagrams();
	char text[30];

	(void)state;
	for (unsigned i = 1; i <= 50; i++) {
		put(l, i, "hello", i);
		snprintf(text, sizeof text, "#%u hello", i);
		wire_is(l, i, i == 1 ? "hello" : text);
		assert_int_equal(row(l, i)->tag, i == 1 ? 0 : i);
		assert_int_equal(row(l, i)->length, 5);
	}
	/* 7 is a generator of the numbers below 50 (with 50 itself for 0). */
	for (unsigned k = 1, i = 7; k <= 50; k++, i = (i + 7) % 50) {
		const unsigned number = i ? i : 50;
		snprintf(text, sizeof text, number == 1 ? "HELLO" : "#%u HELLO", number);
		match_is(reply(l, text, 100 + k), MATCH_ANSWER, number, strlen(text) - 5);
		fate_is(l, number, FATE_ANSWERED);
		reply_is(l, number, NULL);
	}
	assert_int_equal(ledger_totals(l)->answered, 50);
	ledger_free(l);
}

static void tags_only_where_needed(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "hello", 0);
	put(l, 2, "hello!", 0);
	wire_is(l, 2, "hello!");
	put(l, 3, "HeLLo", 0);
	wire_is(l, 3, "#3 HeLLo");
	put(l, 4,
	    "stra\xc3\x9f"
	    "e",
	    0);
	put(l, 5, "STRASSE", 0);
	wire_is(l, 4,
	    "stra\xc3\x9f"
	    "e");
	wire_is(l, 5, "#5 STRASSE");
	/* An answered line can still get a duplicate, and a queued one has yet to be sent. */
	reply(l, "HELLO!", 1);
	add(l, 6, "hello!", 2);
	wire_is(l, 6, "#6 hello!");
	add(l, 7, "new", 2);
	add(l, 8, "NEW", 90 * S);
	wire_is(l, 8, "#8 NEW");
	/* A minute later the text is free again. */
	add(l, 9, "hello", 60 * S);
	wire_is(l, 9, "#9 hello");
	ledger_free(l);
}

static void free_again_after_a_minute(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "hello", 0);
	reply(l, "HELLO", 1);
	add(l, 2, "hello", 60 * S);
	wire_is(l, 2, "#2 hello");
	add(l, 3, "hello", 60 * S + 1);
	wire_is(l, 3, "hello");
	sent(l, 3, 60 * S + 1);
	match_is(reply(l, "HELLO", 60 * S + 2), MATCH_ANSWER, 3, 0);
	ledger_free(l);
}

/* What was refused or failed cannot be answered: the next try goes out as it is. */
static void refused_lines_leave_their_text(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "hello", 0);
	assert_int_equal(ledger_unreachable(l, "hello", 5, 0, ECONNREFUSED, 0), 1);
	put(l, 2, "hello", 2);
	wire_is(l, 2, "hello");
	ledger_failed(l, 2, EMSGSIZE, 0);
	assert_true(ledger_balanced(l));
	put(l, 3, "hello", 4);
	wire_is(l, 3, "hello");
	match_is(reply(l, "HELLO", 5), MATCH_ANSWER, 3, 0);
	ledger_free(l);
}

static void tags_that_somebody_typed(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "#2 hello", 0);
	wire_is(l, 1, "#2 hello");
	put(l, 2, "#4 HELLO", 0);
	wire_is(l, 2, "#4 HELLO");
	put(l, 3, "hello", 0);
	wire_is(l, 3, "hello");
	put(l, 4, "hello", 0);
	wire_is(l, 4, "#5 hello");
	assert_int_equal(row(l, 4)->tag, 5);
	put(l, 5, "hello", 0);
	wire_is(l, 5, "#6 hello");
	match_is(reply(l, "#2 HELLO", 1), MATCH_ANSWER, 1, 0);
	match_is(reply(l, "#5 HELLO", 1), MATCH_ANSWER, 4, 3);
	ledger_free(l);
}

static void always_and_never(void **state)
{
	struct ledger *always = open_ledger(LEDGER_DATAGRAM, LEDGER_TAG_ALWAYS, 100);
	struct ledger *never = open_ledger(LEDGER_DATAGRAM, LEDGER_TAG_NEVER, 100);

	(void)state;
	put(always, 12, "x", 0);
	wire_is(always, 12, "#12 x");
	put(always, 13, "", 0);
	wire_is(always, 13, "#13 ");
	match_is(reply(always, "#13 ", 1), MATCH_ANSWER, 13, 4);
	for (unsigned i = 1; i <= 4; i++)
		put(never, i, "x", i);
	wire_is(never, 2, "x");
	/* The oldest that waits, then the oldest that was lost, then a duplicate of the oldest. */
	match_is(reply(never, "X", 5), MATCH_ANSWER, 1, 0);
	match_is(reply(never, "X", 6), MATCH_ANSWER, 2, 0);
	assert_int_equal(expire(never, S + 4), 3);
	match_is(reply(never, "X", S + 4), MATCH_ANSWER, 4, 0);
	match_is(reply(never, "X", S + 5), MATCH_LATE, 3, 0);
	match_is(reply(never, "X", S + 6), MATCH_DUPLICATE, 1, 0);
	ledger_free(always);
	ledger_free(never);
}

/* ---- replies that are not quite the line's ---- */

static void differing(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "echo", 0);
	put(l, 2,
	    "gr\xc3\xbc\xc3\x9f"
	    "e",
	    0);
	put(l, 3, "ECHO", 0);
	put(l, 4, "123", 0);
	match_is(reply(l, "echo", 1), MATCH_ANSWER, 1, 0);
	reply_is(l, 1, "echo");
	/* An ASCII-only server. */
	match_is(reply(l,
	             "GR\xc3\xbc\xc3\x9f"
	             "E",
	             1),
	    MATCH_ANSWER, 2, 0);
	reply_is(l, 2,
	    "GR\xc3\xbc\xc3\x9f"
	    "E");
	match_is(reply(l, "#3 EchO", 1), MATCH_ANSWER, 3, 3);
	reply_is(l, 3, "EchO");
	match_is(reply(l, "123", 1), MATCH_ANSWER, 4, 0);
	reply_is(l, 4, NULL);
	for (unsigned i = 1; i <= 4; i++)
		assert_int_equal(row(l, i)->differs, i < 4);
	assert_int_equal(ledger_totals(l)->differs, 3);
	assert_int_equal(ledger_totals(l)->answered, 4);
	ledger_free(l);
}

/* Every place where a line can be cut, before it became capitals (also inside a character) and
 * after. */
static void cut_everywhere(void **state)
{
	static const char line[] = "\xc5\x89"
	                           "a\xc3\x9f\xe1\xbe\xb3\xf0\x90\x90\xa8z";
	static const char caps[] = "\xca\xbcN"
	                           "ASS\xce\x91\xce\x99\xf0\x90\x90\x80Z";
	/* The capitals of the first k bytes, for k = 1, 2, ... */
	static const char *const before[] = { "\xc5", "\xca\xbcN", "\xca\xbcNA", "\xca\xbcNA\xc3",
		"\xca\xbcNASS", "\xca\xbcNASS\xe1", "\xca\xbcNASS\xe1\xbe",
		"\xca\xbcNASS\xce\x91\xce\x99", "\xca\xbcNASS\xce\x91\xce\x99\xf0",
		"\xca\xbcNASS\xce\x91\xce\x99\xf0\x90", "\xca\xbcNASS\xce\x91\xce\x99\xf0\x90\x90",
		"\xca\xbcNASS\xce\x91\xce\x99\xf0\x90\x90\x80" };

	(void)state;
	for (size_t k = 0; k < sizeof before / sizeof *before; k++) {
		struct ledger *l = datagrams();
		put(l, 1, line, 0);
		put(l, 2, "quite another", 0);
		match_is(reply(l, before[k], 1), MATCH_ANSWER, 1, 0);
		assert_true(row(l, 1)->cut_short);
		assert_false(row(l, 1)->differs);
		reply_is(l, 1, before[k]);
		ledger_free(l);
	}
	for (size_t k = 1; k < strlen(caps); k++) {
		struct ledger *l = datagrams();
		put(l, 1, line, 0);
		match_is(ledger_reply(l, caps, k, 1), MATCH_ANSWER, 1, 0);
		assert_true(row(l, 1)->cut_short && ledger_balanced(l));
		ledger_free(l);
	}
}

static void cut_by_an_ascii_server(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1,
	    "gr\xc3\xbc\xc3\x9f"
	    "e aus",
	    0);
	match_is(reply(l, "GR\xc3\xbc\xc3", 1), MATCH_ANSWER, 1, 0);
	assert_true(row(l, 1)->cut_short && row(l, 1)->differs);
	reply_is(l, 1, "GR\xc3\xbc\xc3");
	ledger_free(l);
}

static void cut_is_unique_or_stray(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "hello world", 0);
	put(l, 2, "hello there", 0);
	match_is(reply(l, "HELLO ", 1), MATCH_STRAY, 0, 0);
	match_is(reply(l, "HELLOX", 1), MATCH_STRAY, 0, 0);
	match_is(reply(l, "", 1), MATCH_STRAY, 0, 0);
	match_is(reply(l, "HELLO THERE!", 1), MATCH_STRAY, 0, 0);
	assert_int_equal(ledger_totals(l)->waiting, 2);
	match_is(reply(l, "HELLO W", 1), MATCH_ANSWER, 1, 0);
	/* Only one is left that waits. */
	match_is(reply(l, "HELLO ", 1), MATCH_ANSWER, 2, 0);
	match_is(reply(l, "HELLO ", 1), MATCH_DUPLICATE, 2, 0);
	match_is(reply(l, "HELLO W", 1), MATCH_DUPLICATE, 1, 0);
	match_is(reply(l, "HELLO WO", 1), MATCH_STRAY, 0, 0);
	assert_int_equal(ledger_totals(l)->strays, 5);
	assert_int_equal(ledger_totals(l)->cut_short, 2);
	ledger_free(l);
}

static void cut_inside_the_tag(void **state)
{
	struct ledger *l = open_ledger(LEDGER_DATAGRAM, LEDGER_TAG_ALWAYS, 100);

	(void)state;
	put(l, 17, "hello", 0);
	put(l, 23, "hello", 0);
	match_is(reply(l, "#", 1), MATCH_STRAY, 0, 0);
	match_is(reply(l, "#17", 1), MATCH_ANSWER, 17, 3);
	reply_is(l, 17, "");
	match_is(reply(l, "#23 H", 1), MATCH_ANSWER, 23, 4);
	reply_is(l, 23, "H");
	ledger_free(l);
}

static void cut_and_late(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "hello", 0);
	assert_int_equal(expire(l, 2 * S), 1);
	match_is(reply(l, "HEL", 2 * S), MATCH_LATE, 1, 0);
	assert_true(row(l, 1)->cut_short && row(l, 1)->late);
	ledger_free(l);
}

static void empty_lines(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "", 0);
	wire_is(l, 1, "");
	put(l, 2, "", 0);
	wire_is(l, 2, "#2 ");
	match_is(ledger_reply(l, NULL, 0, 1), MATCH_ANSWER, 1, 0);
	match_is(reply(l, "#2 ", 1), MATCH_ANSWER, 2, 3);
	match_is(reply(l, "", 1), MATCH_DUPLICATE, 1, 0);
	ledger_free(l);
}

/* Any byte may stand in a line, and lines are as long as a datagram. */
static void long_and_binary(void **state)
{
	const size_t n = 65507;
	unsigned char *text = malloc(n), *wire = malloc(n + LEDGER_TAG_SIZE);
	struct ledger *l = datagrams();

	(void)state;
	assert_true(text && wire);
	for (size_t i = 0; i < n; i++)
		text[i] = (unsigned char)(i * 131 >> 3);
	assert_int_equal(ledger_add(l, 1, text, n, 0), 0);
	assert_int_equal(ledger_add(l, UINT64_MAX - 1, text, n, 0), 0);
	assert_int_equal(ledger_wire(l, 1, wire, n), n);
	assert_memory_equal(wire, text, n);
	assert_int_equal(ledger_wire(l, UINT64_MAX - 1, wire, n), n + LEDGER_TAG_SIZE);
	assert_int_equal(ledger_wire(l, UINT64_MAX - 1, wire, n + LEDGER_TAG_SIZE),
	    n + LEDGER_TAG_SIZE);
	assert_memory_equal(wire, "#18446744073709551614 ", LEDGER_TAG_SIZE);
	assert_int_equal(ledger_wire(l, 2, wire, n), (size_t)-1);
	sent(l, 1, 0);
	sent(l, UINT64_MAX - 1, 0);
	match_is(ledger_reply(l, wire, n + LEDGER_TAG_SIZE, 1), MATCH_ANSWER, UINT64_MAX - 1,
	    LEDGER_TAG_SIZE);
	/* recvfrom(2048) */
	match_is(ledger_reply(l, text, 2048, 1), MATCH_ANSWER, 1, 0);
	assert_true(row(l, 1)->cut_short);
	assert_true(ledger_balanced(l));
	ledger_free(l);
	free(text);
	free(wire);
}

/* ---- streams ---- */

static void streams_answer_in_order(void **state)
{
	struct ledger *l = stream();

	(void)state;
	put(l, 1, "hello", 0);
	put(l, 2, "hello", 0);
	wire_is(l, 2, "hello");
	put(l, 4,
	    "gr\xc3\xbc\xc3\x9f"
	    "e",
	    0);
	put(l, 5, "five", 0);
	match_is(stream_reply(l, "HELLO", false, 5 * S), MATCH_ANSWER, 1, 0);
	/* A stream waits as long as it takes. */
	assert_int_equal(expire(l, 100 * S), 0);
	assert_int_equal(ledger_deadline(l), INT64_MAX);
	ledger_give_up(l);
	assert_int_equal(ledger_totals(l)->waiting, 3);
	match_is(stream_reply(l, "hello", false, 100 * S), MATCH_ANSWER, 2, 0);
	reply_is(l, 2, "hello");
	match_is(stream_reply(l, "GR\xc3\x9cSSE", false, 100 * S), MATCH_ANSWER, 4, 0);
	match_is(stream_reply(l, "something else", false, 100 * S), MATCH_ANSWER, 5, 0);
	reply_is(l, 5, "something else");
	assert_true(!row(l, 1)->differs && row(l, 2)->differs && !row(l, 4)->differs &&
	            row(l, 5)->differs);
	match_is(stream_reply(l, "MORE", false, 101 * S), MATCH_STRAY, 0, 0);
	assert_int_equal(ledger_totals(l)->timed, 4);
	assert_int_equal(ledger_totals(l)->rtt.max, 100 * S);
	assert_int_equal(ledger_totals(l)->reordered, 0);
	ledger_free(l);
}

static void streams_that_end(void **state)
{
	struct ledger *l = stream();

	(void)state;
	for (unsigned i = 1; i <= 6; i++)
		put(l, i,
		    "stra\xc3\x9f"
		    "e",
		    0);
	/* Nothing came: that is no reply. */
	match_is(stream_reply(l, "", true, 1), MATCH_STRAY, 0, 0);
	assert_int_equal(ledger_totals(l)->strays, 0);
	match_is(stream_reply(l, "STRASSE", true, 1), MATCH_ANSWER, 1, 0);
	assert_false(row(l, 1)->cut_short || row(l, 1)->differs);
	match_is(stream_reply(l, "STRAS", true, 1), MATCH_ANSWER, 2, 0);
	assert_true(row(l, 2)->cut_short && !row(l, 2)->differs);
	match_is(stream_reply(l, "STRA\xc3", true, 1), MATCH_ANSWER, 3, 0);
	assert_true(row(l, 3)->cut_short && !row(l, 3)->differs);
	match_is(stream_reply(l, "stra", true, 1), MATCH_ANSWER, 4, 0);
	assert_true(row(l, 4)->cut_short && row(l, 4)->differs);
	/* With an end of line it is whole, and not what was expected. */
	match_is(stream_reply(l, "STRA", false, 1), MATCH_ANSWER, 5, 0);
	assert_true(!row(l, 5)->cut_short && row(l, 5)->differs);
	assert_int_equal(ledger_cut_off(l, 0, 0), 1);
	fate_is(l, 6, FATE_CUT_OFF);
	assert_int_equal(ledger_totals(l)->cut_short, 3);
	ledger_free(l);
}

static void partial_lines(void **state)
{
	struct ledger *l = stream();

	(void)state;
	assert_int_equal(ledger_add_as(l, 1, "a long li", 9, LEDGER_LINE_PARTIAL, 0), 0);
	assert_true(row(l, 1)->partial);
	sent(l, 1, 0);
	match_is(stream_reply(l, "whatever", false, 1), MATCH_ANSWER, 1, 0);
	assert_false(row(l, 1)->differs || row(l, 1)->cut_short);
	reply_is(l, 1, NULL);
	ledger_free(l);
}

/* ---- other ends ---- */

static void cut_off_leaves_the_queue(void **state)
{
	struct ledger *l = stream();

	(void)state;
	put(l, 1, "a", 0);
	put(l, 2, "b", 0);
	add(l, 3, "c", 0);
	stream_reply(l, "A", false, 1);
	assert_int_equal(ledger_cut_off(l, 0, 0), 1);
	assert_true(ledger_balanced(l));
	fate_is(l, 1, FATE_ANSWERED);
	fate_is(l, 2, FATE_CUT_OFF);
	fate_is(l, 3, FATE_QUEUED);
	assert_int_equal(ledger_cut_off(l, 0, 0), 0);
	ledger_failed(l, 3, ECANCELED, 0);
	assert_true(ledger_balanced(l));
	fate_is(l, 3, FATE_FAILED);
	assert_int_equal(row(l, 3)->error, ECANCELED);
	assert_int_equal(ledger_totals(l)->sent, 3);
	ledger_free(l);
}

/* Each connection answers the line that waits longest on it, and ends for its own lines. */
static void several_connections(void **state)
{
	struct ledger *l = open_ledger(LEDGER_STREAM, LEDGER_TAG_AUTO, 4);

	(void)state;
	ledger_connecting(l, 1, 1 * S);
	ledger_connecting(l, 2, 1 * S);
	ledger_connected(l, 1, 2 * S);
	for (unsigned i = 1; i <= 5; i++) {
		add(l, i, "x", 2 * S);
		ledger_assign(l, i, 2 - i % 2);
	}
	ledger_connected(l, 2, 4 * S);
	assert_true(!ledger_is_connecting(l, 1) && !ledger_is_connecting(l, 2));
	for (unsigned i = 1; i <= 4; i++)
		sent(l, i, (3 + i) * S);
	assert_int_equal(row(l, 3)->connecting, 0);
	assert_int_equal(row(l, 4)->connecting, 2 * S);
	assert_int_equal(row(l, 4)->connection, 2);
	assert_int_equal(ledger_first_queued(l, 1), 5);
	assert_int_equal(ledger_first_queued(l, 2), 0);
	assert_int_equal(ledger_waiting_since(l, 1), 4 * S);
	assert_int_equal(ledger_waiting_since(l, 2), 5 * S);
	assert_int_equal(ledger_waiting_since(l, 0), INT64_MAX);
	assert_int_equal(ledger_stream_reply(l, 2, "X", 1, false, 8 * S).number, 2);
	fate_is(l, 1, FATE_WAITING);
	assert_int_equal(ledger_stream_reply(l, 0, "X", 1, false, 8 * S).match, MATCH_STRAY);
	assert_int_equal(ledger_cut_off(l, 2, 9 * S), 1);
	fate_is(l, 4, FATE_CUT_OFF);
	fate_is(l, 3, FATE_WAITING);
	sent(l, 5, 9 * S);
	/* Their rows are evicted, but not their order. */
	for (unsigned i = 6; i <= 9; i++)
		add(l, i, "x", 9 * S);
	assert_null(ledger_find(l, 1));
	assert_int_equal(ledger_stream_reply(l, 2, "X", 1, false, 10 * S).match, MATCH_STRAY);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ledger_stream_reply(l, 1, "X", 1, false, 10 * S).match,
		    MATCH_ANSWER);
	assert_int_equal(ledger_totals(l)->answered, 4);
	assert_int_equal(ledger_totals(l)->waiting, 0);
	assert_true(ledger_balanced(l));
	ledger_free(l);
}

/* The queue is in the order of numbers, whatever comes back when. */
static void requeue(void **state)
{
	static const unsigned order[] = { 3, 1, 2, 7, 6, 9, 4, 10, 8, 5 };
	struct ledger *l = datagrams();
	char text[20];

	(void)state;
	for (unsigned i = 1; i <= 10; i++) {
		snprintf(text, sizeof text, "line %u", i);
		put(l, i, text, i);
	}
	add(l, 11, "line 11", 11);
	for (unsigned i = 0; i < 10; i++) {
		ledger_requeue(l, order[i]);
		assert_true(ledger_balanced(l));
		assert_int_equal(row(l, order[i])->sent_at, 0);
	}
	assert_int_equal(ledger_totals(l)->sent, 0);
	for (unsigned i = 1; i <= 11; i++) {
		assert_int_equal(ledger_first_queued(l, 0), i);
		match_is(reply(l, "LINE 5", 20), i > 5 ? MATCH_DUPLICATE : MATCH_STRAY,
		    i > 5 ? 5 : 0, 0);
		sent(l, i, 20);
		if (i == 5)
			match_is(reply(l, "LINE 5", 21), MATCH_ANSWER, 5, 0);
	}
	ledger_free(l);
}

/* Sent again, its time begins anew. */
static void sent_again(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "a", 0);
	put(l, 2, "b", 0);
	sent(l, 1, S / 2);
	assert_int_equal(ledger_totals(l)->sent, 2);
	assert_int_equal(ledger_first_waiting(l), 2);
	assert_int_equal(expire(l, S + 1), 2);
	assert_int_equal(expire(l, S + 1), 0);
	const struct ledger_reply_match v = reply(l, "A", S + 1);
	match_is(v, MATCH_ANSWER, 1, 0);
	assert_int_equal(v.rtt, S / 2 + 1);
	/* What is settled stays settled. */
	sent(l, 1, 2 * S);
	sent(l, 2, 2 * S);
	ledger_failed(l, 1, EPIPE, 0);
	ledger_requeue(l, 2);
	sent(l, 77, 2 * S);
	assert_true(ledger_balanced(l));
	fate_is(l, 1, FATE_ANSWERED);
	fate_is(l, 2, FATE_LOST);
	ledger_free(l);
}

static void unreachable(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "hello world", 0);
	put(l, 2, "hello", 0);
	put(l, 3, "hello", 0);
	put(l, 4, "xyz", 0);
	put(l, 5, "Xya", 0);
	/* The one that was sent exactly so; capitals are another line. */
	assert_int_equal(ledger_unreachable(l, "hello", 5, 0, ECONNREFUSED, 0), 2);
	fate_is(l, 2, FATE_REFUSED);
	assert_int_equal(row(l, 2)->error, ECONNREFUSED);
	assert_int_equal(ledger_unreachable(l, "HELLO", 5, 0, ECONNREFUSED, 0), 0);
	assert_int_equal(ledger_unreachable(l, "#3 hello", 8, 0, EHOSTUNREACH, 0), 3);
	fate_is(l, 3, FATE_FAILED);
	assert_int_equal(ledger_unreachable(l, "xy", 2, 0, ECONNREFUSED, 0), 4);
	assert_int_equal(ledger_unreachable(l, "hello world, longer", 19, 0, ECONNREFUSED, 0), 0);
	assert_int_equal(ledger_unreachable(l, NULL, 0, 0, ECONNREFUSED, 0), 1);
	assert_int_equal(ledger_unreachable(l, NULL, 0, 0, ECONNREFUSED, 0), 5);
	assert_int_equal(ledger_unreachable(l, NULL, 0, 0, ECONNREFUSED, 0), 0);
	assert_true(ledger_balanced(l));
	assert_int_equal(ledger_totals(l)->refused, 4);
	assert_int_equal(ledger_totals(l)->failed, 1);
	/* A reply now changes no fate. */
	match_is(reply(l, "XYZ", 2), MATCH_STRAY, 0, 0);
	fate_is(l, 4, FATE_REFUSED);
	ledger_free(l);
}

/* What is too large for a path is not a line that fits, quoted or not. */
static void unreachable_for_its_size(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "short", 0);
	put(l, 2, "shorter than long", 0);
	put(l, 3, "long enough for that", 0);
	put(l, 4, "long enough for that too", 0);
	assert_int_equal(ledger_unreachable(l, "short", 5, 18, EMSGSIZE, 0), 0);
	assert_int_equal(ledger_unreachable(l, "long", 4, 18, EMSGSIZE, 0), 3);
	assert_int_equal(ledger_unreachable(l, NULL, 0, 18, EMSGSIZE, 0), 4);
	assert_int_equal(ledger_unreachable(l, NULL, 0, 18, EMSGSIZE, 0), 0);
	fate_is(l, 1, FATE_WAITING);
	fate_is(l, 2, FATE_WAITING);
	assert_true(ledger_balanced(l));
	ledger_free(l);
}

/* When the error named no line, the text stays taken: the reply could still come. */
static void doubtful_refusals_keep_their_text(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "a", 0);
	put(l, 2, "b", 0);
	assert_int_equal(ledger_unreachable(l, NULL, 0, 0, ECONNREFUSED, 0), 1);
	put(l, 3, "a", 2);
	wire_is(l, 3, "#3 a");
	match_is(reply(l, "A", 3), MATCH_STRAY, 0, 0);
	put(l, 4, "A", 61 * S);
	wire_is(l, 4, "A");
	ledger_free(l);
}

static void giving_up(void **state)
{
	struct ledger *l = datagrams();

	(void)state;
	put(l, 1, "a", 0);
	put(l, 2, "b", 0);
	add(l, 3, "c", 0);
	match_is(reply(l, "B", 1), MATCH_ANSWER, 2, 0);
	ledger_give_up(l);
	assert_true(ledger_balanced(l));
	/* A line is lost when its wait is over, and not before; it is in no share then. */
	fate_is(l, 1, FATE_WAITING);
	fate_is(l, 2, FATE_ANSWERED);
	fate_is(l, 3, FATE_QUEUED);
	assert_int_equal(ledger_totals(l)->waiting, 1);
	assert_int_equal(ledger_totals(l)->lost, 0);
	/* The line that waits does not keep what is behind it from the statistics. */
	assert_int_equal(ledger_stats(l)->rtt.count, 1);
	assert_int_equal(ledger_stats(l)->run_count, 0);
	assert_int_equal(ledger_deadline(l), INT64_MAX);
	ledger_free(l);
}

/* ---- forgetting ---- */

static void rows_by_number_and_age(void **state)
{
	struct ledger *l = stream();

	(void)state;
	assert_null(ledger_at(l, 0));
	for (unsigned i = 1; i <= 1500; i++)
		put(l, i * 3 + i / 7, "x", i);
	assert_int_equal(ledger_count(l), 1000);
	assert_int_equal(ledger_totals(l)->evicted, 500);
	for (unsigned i = 501; i <= 1500; i++) {
		assert_int_equal(ledger_at(l, i - 501)->number, i * 3 + i / 7);
		assert_ptr_equal(ledger_find(l, i * 3 + i / 7), ledger_at(l, i - 501));
		assert_null(ledger_find(l, i * 3 + i / 7 - 1));
	}
	assert_null(ledger_find(l, 3));
	assert_null(ledger_find(l, 99999));
	assert_null(ledger_at(l, 1000));
	assert_int_equal(ledger_add(l, 1500, "x", 1, 0), -1);
	assert_true(ledger_balanced(l));
	ledger_free(l);
}

/* Long lines and long replies: no more bytes than told, and what is left out is the oldest decided.
 */
static void bytes_are_bounded(void **state)
{
	const struct ledger_settings settings = {
		.kind = LEDGER_STREAM, .capacity = 1000, .bytes = 2000, .reply_timeout = S
	};
	struct ledger *l = ledger_new(&settings);
	char text[400] = "";

	(void)state;
	for (uint64_t i = 1; i <= 5; i++) {
		assert_int_equal(ledger_add(l, i, text, 300, (int64_t)i), 0);
		assert_true(ledger_balanced(l));
		/* Queued lines are never forgotten. */
		assert_int_equal(ledger_count(l), i);
	}
	for (uint64_t i = 1; i <= 5; i++)
		ledger_sent(l, i, 10);
	for (uint64_t i = 1; i <= 5; i++) {
		memset(text, 'x', sizeof text);
		assert_int_equal(ledger_stream_reply(l, 0, text, 400, false, 20).number, i);
		assert_true(ledger_balanced(l));
	}
	assert_int_equal(ledger_totals(l)->answered, 5);
	assert_int_equal(ledger_count(l), 2);
	assert_int_equal(ledger_at(l, 0)->number, 4);
	/* One row alone may be more. */
	ledger_add(l, 6, text, 10, 30);
	ledger_sent(l, 6, 30);
	char *long_reply = calloc(1, 5000);
	ledger_stream_reply(l, 0, long_reply, 5000, false, 40);
	assert_true(ledger_balanced(l));
	assert_int_equal(ledger_count(l), 1);
	assert_int_equal(ledger_at(l, 0)->number, 6);
	free(long_reply);
	ledger_free(l);
}

/* A line that waits keeps its row as long as there is a decided one to forget: its reply is no
 * stray. */
static void waiting_lines_are_forgotten_last(void **state)
{
	struct ledger *l = open_ledger(LEDGER_DATAGRAM, LEDGER_TAG_AUTO, 3);
	char text[20];

	(void)state;
	ledger_add(l, 1, "slow", 4, 1);
	ledger_sent(l, 1, 1);
	for (uint64_t i = 2; i <= 20; i++) {
		const int n = snprintf(text, sizeof text, "%d", (int)i);
		ledger_add(l, i, text, (size_t)n, 1);
		ledger_sent(l, i, 1);
		char wire[40];
		const size_t sent = ledger_wire(l, i, wire, sizeof wire);
		assert_int_equal(ledger_reply(l, wire, sent, 2).number, i);
		assert_true(ledger_balanced(l));
	}
	assert_int_equal(ledger_count(l), 3);
	assert_int_equal(ledger_reply(l, "SLOW", 4, 3).number, 1);
	assert_int_equal(ledger_totals(l)->answered, 20);
	assert_int_equal(ledger_totals(l)->strays, 0);
	ledger_free(l);
}

static void forgotten_datagrams_still_become_lost(void **state)
{
	struct ledger *l = open_ledger(LEDGER_DATAGRAM, LEDGER_TAG_AUTO, 3);
	char text[20];

	(void)state;
	for (unsigned i = 1; i <= 1000; i++) {
		snprintf(text, sizeof text, "line %u", i);
		put(l, i, text, i * MS);
	}
	assert_int_equal(ledger_count(l), 3);
	assert_int_equal(ledger_totals(l)->waiting, 1000);
	match_is(reply(l, "LINE 1", 1000 * MS), MATCH_STRAY, 0, 0);
	match_is(reply(l, "#500 LINE 500", 1000 * MS), MATCH_STRAY, 0, 0);
	match_is(reply(l, "#999 LINE 999", 1000 * MS), MATCH_ANSWER, 999, 5);
	/* None too early, all soon after. */
	for (int64_t now = 1000; now < 2100; now += 10) {
		while (expire(l, now * MS + 1))
			;
		const int64_t due = now - 1000 > 1000 ? 1000 : now - 1000;
		assert_true((int64_t)ledger_totals(l)->lost <= due);
		assert_true((int64_t)ledger_totals(l)->lost >= due - 1000 / 64 - 2);
	}
	assert_int_equal(ledger_totals(l)->lost, 999);
	assert_int_equal(ledger_totals(l)->waiting, 0);
	assert_int_equal(ledger_totals(l)->answered, 1);
	ledger_free(l);
}

static void forgotten_stream_lines_are_still_answered(void **state)
{
	struct ledger *l = open_ledger(LEDGER_STREAM, LEDGER_TAG_AUTO, 2);

	(void)state;
	for (unsigned i = 1; i <= 6; i++)
		put(l, i, "x", i);
	for (unsigned i = 1; i <= 3; i++) {
		const struct ledger_reply_match v = stream_reply(l, "X", false, 9);
		match_is(v, MATCH_ANSWER, 0, 0);
		assert_int_equal(v.rtt, -1);
	}
	assert_int_equal(ledger_totals(l)->answered, 3);
	assert_int_equal(ledger_totals(l)->timed, 0);
	put(l, 7, "x", 10);
	assert_int_equal(ledger_cut_off(l, 0, 0), 4);
	assert_true(ledger_balanced(l));
	assert_int_equal(ledger_totals(l)->cut_off, 4);
	ledger_free(l);
}

static void queued_lines_are_kept(void **state)
{
	struct ledger *l = open_ledger(LEDGER_STREAM, LEDGER_TAG_AUTO, 2);

	(void)state;
	for (unsigned i = 1; i <= 100; i++)
		add(l, i, "x", 0);
	assert_int_equal(ledger_count(l), 100);
	ledger_failed(l, 50, EPIPE, 0);
	add(l, 101, "x", 0);
	assert_null(ledger_find(l, 50));
	assert_int_equal(ledger_at(l, 49)->number, 51);
	for (unsigned i = 1; i <= 101; i++)
		sent(l, i, 0);
	add(l, 102, "x", 0);
	assert_int_equal(ledger_count(l), 2);
	assert_int_equal(ledger_totals(l)->waiting, 100);
	ledger_free(l);
}

/* The ring grows while its oldest row is somewhere in the middle. */
static void growing(void **state)
{
	struct ledger *l = open_ledger(LEDGER_STREAM, LEDGER_TAG_AUTO, 2);

	(void)state;
	for (unsigned i = 1; i <= 100; i++)
		put(l, i, "x", 0);
	for (unsigned i = 101; i <= 1000; i++)
		add(l, i, "x", 0);
	assert_int_equal(ledger_count(l), 900);
	for (unsigned i = 0; i < 900; i++)
		assert_int_equal(ledger_at(l, i)->number, i + 101);
	ledger_free(l);
}

/* With lines forgotten that could still be answered no text is known to be free. */
static void crowded(void **state)
{
	struct ledger *l = open_ledger(LEDGER_DATAGRAM, LEDGER_TAG_AUTO, 2);

	(void)state;
	put(l, 1, "a", 0);
	put(l, 2, "b", 0);
	put(l, 3, "c", 0);
	wire_is(l, 3, "c");
	put(l, 4, "d", 60 * S);
	wire_is(l, 4, "#4 d");
	ledger_free(l);
}

/* Lines that say that they are like no other need a tag only when others were forgotten, or one
 * looks alike. */
static void crowded_but_unlike(void **state)
{
	struct ledger *l = open_ledger(LEDGER_DATAGRAM, LEDGER_TAG_AUTO, 2);

	(void)state;
	for (uint64_t i = 1; i <= 5; i++) {
		char text[20];

		snprintf(text, sizeof text, "line %u", (unsigned)i);
		assert_int_equal(ledger_add_as(l, i, text, strlen(text), LEDGER_LINE_UNIQUE, 0), 0);
		sent(l, i, 0);
		wire_is(l, i, text);
	}
	/* A typed one may be like any of them. */
	put(l, 6, "line 1", 1);
	wire_is(l, 6, "#6 line 1");
	assert_int_equal(ledger_add_as(l, 7, "line 5", 6, LEDGER_LINE_UNIQUE, 1), 0);
	sent(l, 7, 1);
	wire_is(l, 7, "#7 line 5");
	put(l, 8, "x", 1);
	assert_int_equal(ledger_add_as(l, 9, "line 9", 6, LEDGER_LINE_UNIQUE, 1), 0);
	wire_is(l, 9, "#9 line 9");
	ledger_free(l);
}

/* A row to forget is found behind any number of lines that are open, and each step costs the same.
 */
static void forgotten_behind_open_ones(void **state)
{
	struct ledger *l = open_ledger(LEDGER_STREAM, LEDGER_TAG_AUTO, 200000);

	(void)state;
	for (uint64_t i = 1; i <= 600000; i++) {
		assert_int_equal(ledger_add(l, i, "x", 1, 0), 0);
		if (i <= 100000)
			ledger_sent(l, i, 0);
		else if (i > 199990)
			ledger_failed(l, i, EXFULL, 0);
	}
	assert_int_equal(ledger_count(l), 200000);
	assert_int_equal(ledger_at(l, 199989)->number, 199990);
	assert_int_equal(ledger_at(l, 199990)->number, 599991);
	/* One further down is decided later. */
	assert_int_equal(ledger_stream_reply(l, 0, "X", 1, false, 1).number, 1);
	assert_int_equal(ledger_add(l, 600001, "x", 1, 1), 0);
	assert_null(ledger_find(l, 1));
	assert_non_null(ledger_find(l, 599991));
	assert_true(ledger_balanced(l));
	ledger_free(l);
}

static void crowded_no_more(void **state)
{
	struct ledger *l = open_ledger(LEDGER_DATAGRAM, LEDGER_TAG_AUTO, 2);

	(void)state;
	put(l, 1, "a", 0);
	put(l, 2, "b", 70 * S);
	/* What is forgotten now can be answered no more. */
	put(l, 3, "c", 70 * S);
	put(l, 4, "a", 70 * S);
	wire_is(l, 4, "a");
	ledger_free(l);
}

/* ---- many ---- */

/* Each step costs the same however many there are: all lines equal is the worst case of the lookup.
 */
static void many(void **state)
{
	const unsigned count = 300000, window = 20000;

	(void)state;
	for (enum ledger_tag tag = LEDGER_TAG_AUTO; tag <= LEDGER_TAG_NEVER; tag++) {
		struct ledger *l = open_ledger(LEDGER_DATAGRAM, tag, 50000);
		char wire[50];
		for (unsigned i = 1; i <= count + window; i++) {
			const int64_t now = i * INT64_C(1000);
			if (i <= count) {
				assert_int_equal(ledger_add(l, i, "SAME", 4, now), 0);
				ledger_sent(l, i, now);
			}
			if (i <= window)
				continue;
			const size_t n = ledger_wire(l, i - window, wire, sizeof wire);
			assert_int_equal(ledger_reply(l, wire, n, now).number, i - window);
		}
		assert_int_equal(ledger_totals(l)->answered, count);
		assert_int_equal(ledger_totals(l)->reordered, 0);
		assert_true(ledger_balanced(l));
		ledger_free(l);
	}
}

/* ---- against the naive ledger ---- */

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* LEDGER_SEED=n begins elsewhere. */
static void random_schedules(void **state)
{
	const char *from = getenv("LEDGER_SEED");
	const uint64_t first = from ? strtoull(from, NULL, 10) : 1;
	unsigned char bytes[700];

	(void)state;
	for (uint64_t seed = first; seed < first + 1500; seed++) {
		uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
		const size_t n = 50 + next_random(&x) % (sizeof bytes - 50);
		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)(next_random(&x) >> 24);
		const char *wrong = model_play(bytes, n);
		if (wrong)
			fail_msg("LEDGER_SEED=%llu: not so: %s", (unsigned long long)seed, wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life_of_a_line),
		cmocka_unit_test(end_of_the_wait),
		cmocka_unit_test(late),
		cmocka_unit_test(in_time_but_read_late),
		cmocka_unit_test(never_a_negative_time),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(round_trip_statistics),
		cmocka_unit_test(reordering),
		cmocka_unit_test(late_replies_are_not_reordered),
		cmocka_unit_test(answerable_as_long_as_the_wait),
		cmocka_unit_test(fifty_equal_lines),
		cmocka_unit_test(tags_only_where_needed),
		cmocka_unit_test(free_again_after_a_minute),
		cmocka_unit_test(refused_lines_leave_their_text),
		cmocka_unit_test(tags_that_somebody_typed),
		cmocka_unit_test(always_and_never),
		cmocka_unit_test(differing),
		cmocka_unit_test(cut_everywhere),
		cmocka_unit_test(cut_by_an_ascii_server),
		cmocka_unit_test(cut_is_unique_or_stray),
		cmocka_unit_test(cut_inside_the_tag),
		cmocka_unit_test(cut_and_late),
		cmocka_unit_test(empty_lines),
		cmocka_unit_test(long_and_binary),
		cmocka_unit_test(streams_answer_in_order),
		cmocka_unit_test(streams_that_end),
		cmocka_unit_test(partial_lines),
		cmocka_unit_test(cut_off_leaves_the_queue),
		cmocka_unit_test(several_connections),
		cmocka_unit_test(requeue),
		cmocka_unit_test(sent_again),
		cmocka_unit_test(unreachable),
		cmocka_unit_test(unreachable_for_its_size),
		cmocka_unit_test(doubtful_refusals_keep_their_text),
		cmocka_unit_test(giving_up),
		cmocka_unit_test(rows_by_number_and_age),
		cmocka_unit_test(bytes_are_bounded),
		cmocka_unit_test(waiting_lines_are_forgotten_last),
		cmocka_unit_test(forgotten_datagrams_still_become_lost),
		cmocka_unit_test(forgotten_stream_lines_are_still_answered),
		cmocka_unit_test(queued_lines_are_kept),
		cmocka_unit_test(growing),
		cmocka_unit_test(crowded),
		cmocka_unit_test(crowded_but_unlike),
		cmocka_unit_test(crowded_no_more),
		cmocka_unit_test(forgotten_behind_open_ones),
		cmocka_unit_test(many),
		cmocka_unit_test(random_schedules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
