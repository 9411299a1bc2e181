/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The trace, beside a simulated link that keeps a log of its own; and each way in which the client
 * and the link can disagree. */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace/trace.h"
#include "common/capitals.h"
#include "common/clock.h"
#include "common/fnv.h"
#include "tests/lib/ledger_check.h"

#define MS NS_PER_MS
#define WAIT (1000 * MS)
#define HERE 40000
#define THERE 12000
/* Long after everything. */
#define LONG_AFTER (100000 * MS)

struct fixture {
	struct trace *trace;
	struct ledger *udp, *tcp;
	int udp_flow, tcp_flow;
	uint64_t numbers, serial;
	/* How many bytes were sent over TCP, and came back. */
	uint64_t bytes[LINK_DIRECTIONS];
	unsigned seed;
};

static int set_up(void **state)
{
	struct fixture *s = calloc(1, sizeof *s);
	struct ledger_settings settings = { .kind = LEDGER_DATAGRAM,
		.tag = LEDGER_TAG_AUTO,
		.capacity = 100000,
		.reply_timeout = WAIT,
		.answerable = 60 * WAIT };

	s->udp = ledger_new(&settings);
	settings.kind = LEDGER_STREAM;
	s->tcp = ledger_new(&settings);
	s->trace = trace_new(50000);
	s->udp_flow = trace_flow(s->trace, false, WAIT);
	s->tcp_flow = trace_flow(s->trace, true, WAIT);
	trace_set_ledger(s->trace, s->udp_flow, s->udp, false);
	trace_set_ledger(s->trace, s->tcp_flow, s->tcp, false);
	trace_opened(s->trace, s->udp_flow, HERE, THERE, 0);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *s = *state;
	const bool balanced = ledger_balanced(s->udp) && ledger_balanced(s->tcp);

	trace_free(s->trace);
	ledger_free(s->udp);
	ledger_free(s->tcp);
	free(s);
	return balanced ? 0 : -1;
}

/* --- what happens --- */

static uint64_t line(struct fixture *s, const char *text, int64_t now)
{
	const uint64_t number = ++s->numbers;
	unsigned char wire[200];
	size_t n;

	assert_int_equal(ledger_add(s->udp, number, text, strlen(text), now), 0);
	ledger_sent(s->udp, number, now);
	n = ledger_wire(s->udp, number, wire, sizeof wire);
	trace_sent(s->trace, s->udp_flow, number, 0, n);
	return number;
}

static void put_hex(char *to, const char *text, size_t n)
{
	for (size_t i = 0; i < n && i < EVENT_LINE_DATA; i++)
		sprintf(to + 2 * i, "%02x", (unsigned char)text[i]);
}

/* The link tells, in its own words. `out` of 0: no copy. */
static void report(struct fixture *s, const char *direction, const char *fate, const char *text,
    int64_t in, int64_t out, int64_t out2)
{
	const bool there = strcmp(direction, "there") == 0;
	const size_t n = strlen(text);
	char told[800], outs[80] = "", hash[30] = "", hex[2 * EVENT_LINE_DATA + 1] = "";
	struct packet_event e;

	if (out)
		sprintf(outs, " out=%" PRId64, out);
	if (out2)
		sprintf(outs + strlen(outs), " out2=%" PRId64 " marks=duplicated", out2);
	put_hex(hex, text, n);
	if (n > 0)
		sprintf(hash, " hash=%016" PRIx64 " data=", fnv_hash(text, n));
	snprintf(told, sizeof told,
	    "event %" PRIu64 " %s in=%" PRId64
	    " fate=%s%s proto=udp src=10.9.0.1 dst=10.9.0.2 sport=%d dport=%d id=7 size=%zu "
	    "payload=%zu%s%s",
	    ++s->serial, direction, in, fate, outs, there ? HERE : THERE, there ? THERE : HERE,
	    n + 28, n, hash, hex);
	assert_int_equal(event_line_read(&e, told), 0);
	trace_event(s->trace, &e);
}

static void reply(struct fixture *s, const char *text, int64_t now)
{
	ledger_reply(s->udp, text, strlen(text), now);
}

static void expire(struct fixture *s, int64_t now)
{
	while (ledger_expire(s->udp, now) != 0)
		;
}

static const struct trace_totals *compared(struct fixture *s)
{
	trace_check(s->trace, LONG_AFTER);
	assert_false(trace_is_pending(s->trace));
	return trace_totals(s->trace);
}

static void agrees(struct fixture *s, uint64_t lines)
{
	const struct trace_totals *t = compared(s);

	assert_int_equal(t->mismatches, 0);
	assert_int_equal(t->compared, lines);
	assert_int_equal(t->skipped, 0);
}

static void disagrees(struct fixture *s, enum trace_mismatch kind)
{
	const struct trace_totals *t = compared(s);

	assert_int_equal(t->mismatches, 1);
	assert_string_equal(trace_mismatch_text(t->first_kind), trace_mismatch_text(kind));
	assert_int_equal(t->first_kind, kind);
	assert_true(t->first > 0);
}

static enum trace_place place(struct fixture *s, uint64_t number, int64_t now)
{
	assert_non_null(trace_find(s->trace, false, number));
	return trace_place(trace_find(s->trace, false, number), now);
}

/* --- each fate, agreed upon --- */

static void a_line_there_and_back(void **state)
{
	struct fixture *s = *state;
	const uint64_t n = line(s, "hello", 10 * MS);

	assert_null(trace_find(s->trace, false, n));
	report(s, "there", "delivered", "hello", 10 * MS, 30 * MS, 0);
	assert_int_equal(place(s, n, 20 * MS), TRACE_STILL_GOING);
	assert_int_equal(place(s, n, 31 * MS), TRACE_SERVER);
	report(s, "back", "delivered", "HELLO", 30 * MS, 50 * MS, 0);
	assert_int_equal(place(s, n, 40 * MS), TRACE_STILL_COMING);
	reply(s, "HELLO", 50 * MS);
	assert_int_equal(place(s, n, 60 * MS), TRACE_HERE);
	agrees(s, 1);
}

static void lost_going_and_coming(void **state)
{
	struct fixture *s = *state;
	const uint64_t going = line(s, "one", 10 * MS), coming = line(s, "two", 11 * MS),
	               none = line(s, "three", 12 * MS);

	report(s, "there", "random", "one", 10 * MS, 0, 0);
	report(s, "there", "delivered", "two", 11 * MS, 31 * MS, 0);
	report(s, "there", "delivered", "three", 12 * MS, 32 * MS, 0);
	report(s, "back", "corrupted", "TWO", 31 * MS, 51 * MS, 0);
	expire(s, 2000 * MS);
	assert_int_equal(place(s, going, 2000 * MS), TRACE_GOING);
	assert_int_equal(place(s, coming, 2000 * MS), TRACE_COMING);
	assert_int_equal(place(s, none, 2000 * MS), TRACE_SERVER);
	assert_int_equal(trace_find(s->trace, false, coming)->legs[LINK_COMING].fate,
	    LINK_CORRUPTED);
	agrees(s, 3);
	assert_int_equal(trace_totals(s->trace)->lost[LINK_GOING], 1);
	assert_int_equal(trace_totals(s->trace)->lost[LINK_COMING], 1);
	assert_int_equal(trace_totals(s->trace)->server, 1);
}

/* The empty line is the empty datagram. */
static void an_empty_line(void **state)
{
	struct fixture *s = *state;
	const uint64_t going = line(s, "", 10 * MS);

	report(s, "there", "random", "", 10 * MS, 0, 0);
	assert_int_equal(place(s, going, 20 * MS), TRACE_GOING);
	expire(s, 2000 * MS);
	agrees(s, 1);
	assert_int_equal(trace_totals(s->trace)->lost[LINK_GOING], 1);
}

static void every_way_to_lose(void **state)
{
	static const struct {
		const char *word;
		enum link_fate fate;
	} losses[] = { { "random", LINK_LOST }, { "burst", LINK_LOST },
		{ "cue", LINK_REQUESTED_DROP }, { "room", LINK_LOST }, { "queue", LINK_QUEUE_FULL },
		{ "mtu", LINK_TOO_BIG }, { "no-icmp", LINK_NO_ICMP },
		{ "unplugged", LINK_UNPLUGGED }, { "novelty", LINK_LOST } };
	struct fixture *s = *state;

	for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
		const uint64_t n = line(s, losses[i].word, 10 * MS);

		report(s, "there", losses[i].word, losses[i].word, 10 * MS, 0, 0);
		assert_int_equal(trace_find(s->trace, false, n)->legs[LINK_GOING].fate,
		    losses[i].fate);
	}
	expire(s, 2000 * MS);
	agrees(s, sizeof losses / sizeof *losses);
}

static void copies(void **state)
{
	struct fixture *s = *state;
	const uint64_t n = line(s, "hello", 10 * MS);

	report(s, "there", "delivered", "hello", 10 * MS, 30 * MS, 31 * MS);
	report(s, "back", "delivered", "HELLO", 30 * MS, 50 * MS, 52 * MS);
	report(s, "back", "random", "HELLO", 31 * MS, 0, 0);
	reply(s, "HELLO", 50 * MS);
	reply(s, "HELLO", 52 * MS);
	assert_true(trace_find(s->trace, false, n)->legs[LINK_GOING].duplicated);
	agrees(s, 1);
}

static void late_and_refused(void **state)
{
	struct fixture *s = *state;

	line(s, "late", 10 * MS);
	line(s, "refused", 11 * MS);
	report(s, "there", "delivered", "late", 10 * MS, 900 * MS, 0);
	report(s, "there", "delivered", "refused", 11 * MS, 30 * MS, 0);
	ledger_unreachable(s->udp, "refused", 7, 0, ECONNREFUSED, 0);
	report(s, "back", "delivered", "LATE", 900 * MS, 1900 * MS, 0);
	expire(s, 1500 * MS);
	reply(s, "LATE", 1900 * MS);
	agrees(s, 2);
	assert_int_equal(trace_totals(s->trace)->late, 1);
}

/* Nothing is judged before all of it is in. */
static void no_verdict_too_soon(void **state)
{
	struct fixture *s = *state;

	line(s, "hello", 10 * MS);
	trace_check(s->trace, 5000 * MS);
	assert_true(trace_is_pending(s->trace));
	report(s, "there", "delivered", "hello", 10 * MS, 30 * MS, 0);
	reply(s, "HELLO", 50 * MS);
	/* The event of the reply that is here already comes a moment later. */
	trace_check(s->trace, 51 * MS);
	assert_int_equal(trace_totals(s->trace)->compared, 0);
	/* The second copy is still on its way. */
	report(s, "back", "delivered", "HELLO", 30 * MS, 50 * MS, 3000 * MS);
	trace_check(s->trace, 2000 * MS);
	assert_int_equal(trace_totals(s->trace)->compared, 0);
	reply(s, "HELLO", 3000 * MS);
	agrees(s, 1);
}

/* A packet that the host did not take after all is as good as lost. */
static void undelivered(void **state)
{
	struct fixture *s = *state;
	const uint64_t n = line(s, "hello", 10 * MS);

	report(s, "there", "delivered", "hello", 10 * MS, 30 * MS, 0);
	report(s, "back", "delivered", "HELLO", 30 * MS, 50 * MS, 0);
	trace_undelivered(s->trace, s->serial, LINK_COMING);
	expire(s, 2000 * MS);
	assert_int_equal(place(s, n, 2000 * MS), TRACE_COMING);
	agrees(s, 1);
}

static void pieces_of_a_datagram(void **state)
{
	struct fixture *s = *state;
	struct packet_event e = { .direction = LINK_GOING,
		.in = 10 * MS,
		.fate = LINK_DELIVERED,
		.out = { 30 * MS },
		.copies = 1,
		.protocol = LINK_UDP,
		.source_port = HERE,
		.target_port = THERE,
		.fragment = true,
		.id = 9,
		.length = 100 };
	char text[151] = "";
	uint64_t n;

	memset(text, 'a', 150);
	n = line(s, text, 10 * MS);
	memset(e.data, 'a', EVENT_LINE_DATA);
	e.data_length = EVENT_LINE_DATA;
	trace_event(s->trace, &e);
	/* Half of it is not there. */
	assert_int_equal(trace_find(s->trace, false, n)->legs[LINK_GOING].through, 0);
	e.protocol = LINK_OTHER;
	e.offset = 108;
	e.length = 50;
	trace_event(s->trace, &e);
	assert_int_equal(trace_find(s->trace, false, n)->legs[LINK_GOING].through, 1);
	e.protocol = LINK_UDP;
	e.direction = LINK_COMING;
	e.source_port = THERE;
	e.target_port = HERE;
	e.offset = 0;
	e.length = 100;
	memset(e.data, 'A', EVENT_LINE_DATA);
	trace_event(s->trace, &e);
	e.protocol = LINK_OTHER;
	e.offset = 108;
	e.fate = LINK_LOST;
	e.copies = 0;
	trace_event(s->trace, &e);
	expire(s, 2000 * MS);
	assert_int_equal(place(s, n, 2000 * MS), TRACE_COMING);
	agrees(s, 1);
}

/* The first piece of a datagram under the smallest MTU that there is, 68, shows less of it than
 * others do. */
static void smallest_pieces(void **state)
{
	struct fixture *s = *state;
	struct packet_event e = { .direction = LINK_GOING,
		.in = 10 * MS,
		.fate = LINK_DELIVERED,
		.out = { 30 * MS },
		.copies = 1,
		.protocol = LINK_UDP,
		.source_port = HERE,
		.target_port = THERE,
		.fragment = true,
		.id = 9,
		.length = 40,
		.data_length = 40 };
	char text[71] = "";
	uint64_t n;

	memset(text, 'a', 70);
	n = line(s, text, 10 * MS);
	memset(e.data, 'a', 40);
	trace_event(s->trace, &e);
	e.protocol = LINK_OTHER;
	e.offset = 48;
	e.length = 30;
	trace_event(s->trace, &e);
	assert_non_null(trace_find(s->trace, false, n));
	assert_int_equal(trace_find(s->trace, false, n)->legs[LINK_GOING].through, 1);
}

/* Packets of others on the same host: other ports. */
static void not_ours(void **state)
{
	struct fixture *s = *state;
	struct packet_event e = { .direction = LINK_GOING,
		.in = 10 * MS,
		.fate = LINK_LOST,
		.protocol = LINK_UDP,
		.source_port = 7,
		.target_port = THERE,
		.length = 5,
		.hash = fnv_hash("hello", 5),
		.data = "hello",
		.data_length = 5 };
	const uint64_t n = line(s, "hello", 10 * MS);

	trace_event(s->trace, &e);
	assert_null(trace_find(s->trace, false, n));
	expire(s, 2000 * MS);
	trace_check(s->trace, LONG_AFTER);
	assert_int_equal(trace_totals(s->trace)->compared, 0);
	assert_int_equal(trace_totals(s->trace)->skipped, 1);
}

/* An ASCII-only server and an echo: the replies are not the capitals, and still this line's. */
static void other_servers(void **state)
{
	struct fixture *s = *state;
	const uint64_t ascii = line(s, "grüße", 10 * MS), echo = line(s, "echo", 11 * MS);

	report(s, "there", "delivered", "grüße", 10 * MS, 30 * MS, 0);
	report(s, "there", "delivered", "echo", 11 * MS, 31 * MS, 0);
	report(s, "back", "delivered", "GRüßE", 30 * MS, 50 * MS, 0);
	report(s, "back", "random", "echo", 31 * MS, 0, 0);
	report(s, "back", "delivered", "nothing we know", 31 * MS, 52 * MS, 0);
	assert_int_equal(place(s, ascii, 60 * MS), TRACE_HERE);
	assert_int_equal(place(s, echo, 60 * MS), TRACE_COMING);
	assert_int_equal(trace_find(s->trace, false, ascii)->legs[LINK_COMING].tries, 1);
	assert_int_equal(trace_find(s->trace, false, echo)->legs[LINK_COMING].tries, 1);
}

/* --- each kind of mismatch --- */

static void answered_without_a_reply(void **state)
{
	struct fixture *s = *state;

	line(s, "hello", 10 * MS);
	report(s, "there", "delivered", "hello", 10 * MS, 30 * MS, 0);
	report(s, "back", "random", "HELLO", 30 * MS, 0, 0);
	reply(s, "HELLO", 50 * MS);
	disagrees(s, TRACE_NO_REPLY);
}

static void answered_too_early(void **state)
{
	struct fixture *s = *state;

	line(s, "hello", 10 * MS);
	report(s, "there", "delivered", "hello", 10 * MS, 30 * MS, 0);
	report(s, "back", "delivered", "HELLO", 30 * MS, 500 * MS, 0);
	reply(s, "HELLO", 50 * MS);
	disagrees(s, TRACE_TOO_EARLY);
}

static void lost_though_delivered(void **state)
{
	struct fixture *s = *state;

	line(s, "hello", 10 * MS);
	report(s, "there", "delivered", "hello", 10 * MS, 30 * MS, 0);
	report(s, "back", "delivered", "HELLO", 30 * MS, 50 * MS, 0);
	expire(s, 2000 * MS);
	disagrees(s, TRACE_LOST);
}

static void late_though_in_time(void **state)
{
	struct fixture *s = *state;

	line(s, "hello", 10 * MS);
	report(s, "there", "delivered", "hello", 10 * MS, 30 * MS, 0);
	report(s, "back", "delivered", "HELLO", 30 * MS, 50 * MS, 0);
	expire(s, 2000 * MS);
	reply(s, "HELLO", 2100 * MS);
	disagrees(s, TRACE_LATE);
}

static void a_copy_too_many(void **state)
{
	struct fixture *s = *state;

	line(s, "hello", 10 * MS);
	report(s, "there", "delivered", "hello", 10 * MS, 30 * MS, 0);
	report(s, "back", "delivered", "HELLO", 30 * MS, 50 * MS, 0);
	reply(s, "HELLO", 50 * MS);
	reply(s, "HELLO", 51 * MS);
	disagrees(s, TRACE_COPIES);
}

static void a_copy_too_few(void **state)
{
	struct fixture *s = *state;

	line(s, "hello", 10 * MS);
	report(s, "there", "delivered", "hello", 10 * MS, 30 * MS, 0);
	report(s, "back", "delivered", "HELLO", 30 * MS, 50 * MS, 51 * MS);
	reply(s, "HELLO", 50 * MS);
	disagrees(s, TRACE_COPIES);
}

static void two_lines(struct fixture *s, int64_t first_out, int64_t second_out)
{
	line(s, "one", 10 * MS);
	line(s, "two", 11 * MS);
	report(s, "there", "delivered", "one", 10 * MS, 30 * MS, 0);
	report(s, "there", "delivered", "two", 11 * MS, 31 * MS, 0);
	report(s, "back", "delivered", "ONE", 30 * MS, first_out, 0);
	report(s, "back", "delivered", "TWO", 31 * MS, second_out, 0);
}

static void overtaken_and_told(void **state)
{
	struct fixture *s = *state;

	two_lines(s, 80 * MS, 50 * MS);
	reply(s, "TWO", 50 * MS);
	reply(s, "ONE", 80 * MS);
	agrees(s, 2);
}

static void overtaken_and_not_told(void **state)
{
	struct fixture *s = *state;

	two_lines(s, 80 * MS, 50 * MS);
	reply(s, "ONE", 80 * MS);
	reply(s, "TWO", 81 * MS);
	disagrees(s, TRACE_ORDER);
}

static void reordered_though_in_order(void **state)
{
	struct fixture *s = *state;

	two_lines(s, 50 * MS, 80 * MS);
	reply(s, "TWO", 81 * MS);
	reply(s, "ONE", 82 * MS);
	disagrees(s, TRACE_ORDER);
}

static void refused_without_arriving(void **state)
{
	struct fixture *s = *state;

	line(s, "hello", 10 * MS);
	report(s, "there", "random", "hello", 10 * MS, 0, 0);
	ledger_unreachable(s->udp, "hello", 5, 0, ECONNREFUSED, 0);
	disagrees(s, TRACE_REFUSED);
}

/* --- what cannot be told apart is not judged --- */

static void twins(void **state)
{
	struct fixture *s = *state;
	struct ledger_settings settings = { .kind = LEDGER_DATAGRAM,
		.tag = LEDGER_TAG_NEVER,
		.capacity = 100,
		.reply_timeout = WAIT,
		.answerable = 60 * WAIT };

	ledger_free(s->udp);
	s->udp = ledger_new(&settings);
	trace_set_ledger(s->trace, s->udp_flow, s->udp, false);
	line(s, "same", 10 * MS);
	line(s, "Same", 11 * MS);
	report(s, "there", "random", "same", 10 * MS, 0, 0);
	report(s, "there", "delivered", "Same", 11 * MS, 31 * MS, 0);
	report(s, "back", "delivered", "SAME", 31 * MS, 51 * MS, 0);
	reply(s, "SAME", 51 * MS);
	expire(s, 2000 * MS);
	assert_int_equal(compared(s)->compared, 0);
	assert_int_equal(compared(s)->skipped, 2);
}

static void closed_too_soon(void **state)
{
	struct fixture *s = *state;

	line(s, "hello", 10 * MS);
	line(s, "twice", 11 * MS);
	report(s, "there", "delivered", "hello", 10 * MS, 30 * MS, 0);
	report(s, "there", "delivered", "twice", 11 * MS, 31 * MS, 0);
	report(s, "back", "delivered", "TWICE", 31 * MS, 51 * MS, 900 * MS);
	reply(s, "TWICE", 51 * MS);
	trace_closed(s->trace, s->udp_flow, 60 * MS);
	/* "hello" still waits: nothing is claimed of it. */
	ledger_give_up(s->udp);
	report(s, "back", "delivered", "HELLO", 30 * MS, 70 * MS, 0);
	assert_int_equal(compared(s)->mismatches, 0);
	assert_int_equal(compared(s)->skipped, 2);
}

/* --- TCP --- */

static uint64_t stream_line(struct fixture *s, const char *text, int64_t now)
{
	const uint64_t number = ++s->numbers, from = s->bytes[LINK_GOING];

	assert_int_equal(ledger_add(s->tcp, number, text, strlen(text), now), 0);
	ledger_sent(s->tcp, number, now);
	s->bytes[LINK_GOING] += strlen(text) + 1;
	trace_sent(s->trace, s->tcp_flow, number, from, s->bytes[LINK_GOING]);
	return number;
}

static void report_segment(struct fixture *s, const char *direction, const char *fate,
    const char *flags, uint32_t seq, unsigned length, int64_t in, int64_t out)
{
	const bool there = strcmp(direction, "there") == 0;
	char told[400], outs[40] = "";
	struct packet_event e;

	if (out)
		sprintf(outs, " out=%" PRId64, out);
	snprintf(told, sizeof told,
	    "event %" PRIu64 " %s in=%" PRId64
	    " fate=%s%s proto=tcp src=a dst=b sport=%d dport=%d id=1 size=99 seq=%" PRIu32
	    " ack=0 flags=%s win=9 payload=%u",
	    ++s->serial, direction, in, fate, outs, there ? HERE + 1 : THERE,
	    there ? THERE : HERE + 1, seq, flags, length);
	assert_int_equal(event_line_read(&e, told), 0);
	trace_event(s->trace, &e);
}

#define ISN UINT32_C(0xfffffff8)
#define FAR_ISN UINT32_C(0x7ffffff0)

static void connect_stream(struct fixture *s)
{
	trace_opened(s->trace, s->tcp_flow, HERE + 1, THERE, s->bytes[LINK_GOING]);
	report_segment(s, "there", "delivered", "S", ISN, 0, 1 * MS, 2 * MS);
	report_segment(s, "back", "delivered", "SA", FAR_ISN, 0, 2 * MS, 3 * MS);
}

static void stream_reply(struct fixture *s, const char *text, int64_t now)
{
	ledger_stream_reply(s->tcp, 0, text, strlen(text), false, now);
}

/* Three tries there and two back; sequence numbers wrap on the way. */
static void sent_again(void **state)
{
	struct fixture *s = *state;
	const struct trace_line *w;
	uint64_t n;

	connect_stream(s);
	stream_line(s, "abcde", 10 * MS);
	n = stream_line(s, "hello", 10 * MS);
	report_segment(s, "there", "random", "PA", ISN + 1, 12, 10 * MS, 0);
	report_segment(s, "there", "random", "PA", ISN + 1, 12, 234 * MS, 0);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 12, 682 * MS, 702 * MS);
	report_segment(s, "back", "delivered", "PA", FAR_ISN + 1, 6, 702 * MS, 722 * MS);
	report_segment(s, "back", "random", "PA", FAR_ISN + 7, 6, 702 * MS, 0);
	stream_reply(s, "ABCDE", 722 * MS);
	report_segment(s, "back", "delivered", "PA", FAR_ISN + 7, 6, 926 * MS, 946 * MS);
	stream_reply(s, "HELLO", 946 * MS);
	w = trace_find(s->trace, true, n);
	assert_non_null(w);
	assert_int_equal(w->legs[LINK_GOING].tries, 3);
	assert_int_equal(w->legs[LINK_GOING].retransmitted, 2);
	assert_int_equal(w->legs[LINK_GOING].lost, 2);
	assert_int_equal(w->legs[LINK_GOING].wait[0], 224000);
	assert_int_equal(w->legs[LINK_GOING].wait[1], 448000);
	assert_int_equal(w->legs[LINK_COMING].retransmitted, 1);
	assert_int_equal(w->legs[LINK_COMING].wait[0], 224000);
	assert_int_equal(trace_find(s->trace, true, n - 1)->legs[LINK_COMING].retransmitted, 0);
	agrees(s, 2);
	assert_int_equal(trace_totals(s->trace)->retransmitted[LINK_GOING], 2);
	assert_int_equal(trace_totals(s->trace)->dropped[LINK_GOING], 2);
	assert_int_equal(trace_totals(s->trace)->retransmitted[LINK_COMING], 1);
	/* A FIN takes a number and is sent until it arrives; the kernel counts that too. */
	report_segment(s, "there", "random", "FA", ISN + 13, 0, 950 * MS, 0);
	report_segment(s, "there", "delivered", "FA", ISN + 13, 0, 1150 * MS, 1170 * MS);
	assert_int_equal(trace_totals(s->trace)->retransmitted[LINK_GOING], 3);
	report_segment(s, "back", "delivered", "FA", FAR_ISN + 13, 0, 1170 * MS, 1190 * MS);
	report_segment(s, "there", "delivered", "A", ISN + 14, 0, 1190 * MS, 1210 * MS);
	assert_int_equal(trace_totals(s->trace)->retransmitted[LINK_GOING], 3);
	assert_int_equal(trace_totals(s->trace)->retransmitted[LINK_COMING], 1);
}

/* A segment with payload, or an ACK alone. */
static void report_acking(struct fixture *s, enum link_direction direction, uint32_t seq,
    uint32_t length, uint32_t ack, int64_t in, int64_t out)
{
	const bool there = direction == LINK_GOING;
	const struct packet_event e = { .direction = direction,
		.serial = ++s->serial,
		.in = in,
		.fate = out ? LINK_DELIVERED : LINK_LOST,
		.copies = out != 0,
		.out = { out },
		.protocol = LINK_TCP,
		.source_port = there ? HERE + 1 : THERE,
		.target_port = there ? THERE : HERE + 1,
		.seq = (there ? ISN : FAR_ISN) + 1 + seq,
		.ack = (there ? FAR_ISN : ISN) + 1 + ack,
		.has_ack = true,
		.length = length };

	trace_event(s->trace, &e);
}

/* The second piece of a line leaves when the ACK of the first has come, and so does that of its
 * reply; a piece that comes for another reason was not held for it. */
static void held_for_an_ack(void **state)
{
	struct fixture *s = *state;
	const struct trace_leg *legs;
	uint64_t n;

	connect_stream(s);
	n = stream_line(s, "hello", 10 * MS);
	report_acking(s, LINK_GOING, 0, 3, 0, 10 * MS, 30 * MS);
	report_acking(s, LINK_COMING, 0, 0, 3, 70 * MS, 90 * MS);
	report_acking(s, LINK_GOING, 3, 3, 0, 90 * MS + 1, 110 * MS);
	legs = trace_find(s->trace, true, n)->legs;
	/* TCP_NODELAY is on, as far as is known: this is chance. */
	assert_int_equal(legs[LINK_GOING].ack_wait, 0);
	report_acking(s, LINK_COMING, 0, 4, 6, 110 * MS, 130 * MS);
	report_acking(s, LINK_GOING, 6, 0, 4, 170 * MS, 190 * MS);
	report_acking(s, LINK_COMING, 4, 2, 6, 190 * MS + MS / 2, 211 * MS);
	assert_int_equal(legs[LINK_COMING].ack_wait, 80 * MS + MS / 2);
	stream_reply(s, "HELLO", 211 * MS);
	trace_set_ledger(s->trace, s->tcp_flow, s->tcp, true);
	n = stream_line(s, "again", 300 * MS);
	report_acking(s, LINK_GOING, 6, 3, 6, 300 * MS, 320 * MS);
	/* A first ACK is lost. */
	report_acking(s, LINK_COMING, 6, 0, 9, 340 * MS, 0);
	report_acking(s, LINK_COMING, 6, 0, 9, 360 * MS, 380 * MS);
	report_acking(s, LINK_GOING, 9, 3, 6, 380 * MS, 400 * MS);
	legs = trace_find(s->trace, true, n)->legs;
	assert_int_equal(legs[LINK_GOING].ack_wait, 80 * MS);
	/* Its repeat changes nothing. The reply goes at once. */
	report_acking(s, LINK_GOING, 9, 3, 6, 600 * MS, 620 * MS);
	assert_int_equal(legs[LINK_GOING].ack_wait, 80 * MS);
	report_acking(s, LINK_COMING, 6, 6, 12, 400 * MS, 420 * MS);
	assert_int_equal(legs[LINK_COMING].ack_wait, 0);
	stream_reply(s, "AGAIN", 420 * MS);
	/* An ACK comes long before; of a part of what was before; after it has left. */
	n = stream_line(s, "one", 700 * MS);
	report_acking(s, LINK_GOING, 12, 2, 12, 700 * MS, 720 * MS);
	report_acking(s, LINK_COMING, 12, 0, 14, 720 * MS, 740 * MS);
	report_acking(s, LINK_GOING, 14, 2, 12, 742 * MS, 762 * MS);
	assert_int_equal(trace_find(s->trace, true, n)->legs[LINK_GOING].ack_wait, 0);
	n = stream_line(s, "two", 770 * MS);
	report_acking(s, LINK_GOING, 16, 2, 12, 770 * MS, 790 * MS);
	report_acking(s, LINK_COMING, 12, 0, 16, 780 * MS, 800 * MS);
	report_acking(s, LINK_GOING, 18, 2, 12, 800 * MS, 820 * MS);
	assert_int_equal(trace_find(s->trace, true, n)->legs[LINK_GOING].ack_wait, 0);
	n = stream_line(s, "new", 900 * MS);
	report_acking(s, LINK_GOING, 20, 2, 12, 900 * MS, 920 * MS);
	report_acking(s, LINK_COMING, 12, 0, 22, 920 * MS, 940 * MS);
	report_acking(s, LINK_GOING, 22, 2, 12, 939 * MS, 959 * MS);
	assert_int_equal(trace_find(s->trace, true, n)->legs[LINK_GOING].ack_wait, 0);
	/* A full segment, which waits for the congestion window. */
	trace_timer(s->trace, s->tcp_flow, LINK_COMING,
	    &(struct trace_timer){
	        .requested = 990 * MS, .received = 991 * MS, .tcp = { .window = { .mss = 4 } } });
	n = stream_line(s, "segments", 1000 * MS);
	report_acking(s, LINK_GOING, 24, 5, 12, 1000 * MS, 1020 * MS);
	report_acking(s, LINK_COMING, 12, 0, 29, 1040 * MS, 1060 * MS);
	report_acking(s, LINK_GOING, 29, 4, 12, 1060 * MS, 1080 * MS);
	assert_int_equal(trace_find(s->trace, true, n)->legs[LINK_GOING].ack_wait, 0);
}

/* A reply waits for the congestion window after a loss; a server that sends small segments while
 * others have no ACK does not use Nagle's algorithm, and what it sends later comes by chance. */
static void not_held_for_an_ack(void **state)
{
	struct fixture *s = *state;
	uint64_t n;

	connect_stream(s);
	stream_line(s, "hello", 10 * MS);
	report_acking(s, LINK_GOING, 0, 6, 0, 10 * MS, 30 * MS);
	report_acking(s, LINK_COMING, 0, 6, 6, 30 * MS, 0);
	n = stream_line(s, "again", 40 * MS);
	report_acking(s, LINK_GOING, 6, 6, 0, 40 * MS, 60 * MS);
	report_acking(s, LINK_COMING, 0, 6, 12, 240 * MS, 260 * MS);
	report_acking(s, LINK_GOING, 12, 0, 6, 260 * MS, 280 * MS);
	report_acking(s, LINK_COMING, 6, 6, 12, 280 * MS, 300 * MS);
	assert_int_equal(trace_find(s->trace, true, n)->legs[LINK_COMING].ack_wait, 0);
	for (uint32_t i = 0; i < 2; i++) {
		stream_line(s, i ? "two" : "one", (390 + i) * MS);
		report_acking(s, LINK_GOING, 12 + 4 * i, 4, 12, (390 + i) * MS, (400 + i) * MS);
		report_acking(s, LINK_COMING, 12 + 4 * i, 4, 16 + 4 * i, (400 + i) * MS,
		    (410 + i) * MS);
	}
	n = stream_line(s, "new", 420 * MS);
	report_acking(s, LINK_GOING, 20, 4, 12, 420 * MS, 430 * MS);
	report_acking(s, LINK_GOING, 24, 0, 20, 430 * MS, 440 * MS);
	report_acking(s, LINK_COMING, 20, 4, 24, 441 * MS, 451 * MS);
	assert_int_equal(trace_find(s->trace, true, n)->legs[LINK_COMING].ack_wait, 0);
}

static void say(struct fixture *s, enum link_direction way, int64_t at, int cwnd,
    enum tcp_state state, int timeouts)
{
	trace_timer(s->trace, s->tcp_flow, way,
	    &(struct trace_timer){ .requested = at,
	        .received = at,
	        .tcp = { .timeout = 200 * MS,
	            .timeouts = timeouts,
	            .window = { .cwnd = cwnd, .ssthresh = -1, .state = state } } });
}

/* How a segment was sent again, from what its kernel says before and afterwards. */
static void windows_and_marks(void **state)
{
	static const struct {
		int64_t at;
		enum window_mark mark;
	} marks[] = { { 10 * MS, WINDOW_LOST }, { 31 * MS, WINDOW_FAST }, { 50 * MS, WINDOW_PROBE },
		{ 300 * MS, WINDOW_TIMEOUT }, { 400 * MS, WINDOW_AGAIN } };
	struct fixture *s = *state;
	const struct window_log *l = trace_windows(s->trace);
	size_t found = 0, samples = 0;

	connect_stream(s);
	stream_line(s, "abcde", 10 * MS);
	stream_line(s, "hello", 10 * MS);
	report_segment(s, "there", "random", "PA", ISN + 1, 6, 10 * MS, 0);
	report_segment(s, "there", "delivered", "PA", ISN + 7, 6, 10 * MS, 20 * MS);
	say(s, LINK_GOING, 30 * MS, 10, TCP_STATE_DISORDER, 0);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 6, 31 * MS, 41 * MS);
	/* The second sample is not later than the segment. */
	say(s, LINK_GOING, 31 * MS, 7, TCP_STATE_RECOVERY, 0);
	say(s, LINK_GOING, 32 * MS, 7, TCP_STATE_RECOVERY, 0);
	report_segment(s, "there", "delivered", "PA", ISN + 7, 6, 50 * MS, 60 * MS);
	say(s, LINK_GOING, 51 * MS, 7, TCP_STATE_OPEN, 0);
	report_segment(s, "there", "delivered", "PA", ISN + 7, 6, 300 * MS, 310 * MS);
	say(s, LINK_GOING, 301 * MS, 1, TCP_STATE_LOSS, 1);
	report_segment(s, "there", "delivered", "PA", ISN + 7, 6, 400 * MS, 410 * MS);
	/* Nothing more is known of a connection after the next. */
	trace_opened(s->trace, s->tcp_flow, HERE + 1, THERE, s->bytes[LINK_GOING]);
	for (size_t i = 0; i < l->count; i++) {
		samples += l->samples[i].mark == WINDOW_NO_MARK;
		if (l->samples[i].mark == WINDOW_NO_MARK)
			continue;
		assert_true(found < sizeof marks / sizeof *marks);
		assert_int_equal(l->samples[i].at, marks[found].at);
		assert_int_equal(l->samples[i].mark, marks[found++].mark);
	}
	assert_int_equal(found, sizeof marks / sizeof *marks);
	/* 10, 7 in recovery, 7 open, 1. */
	assert_int_equal(samples, 4);
}

/* A segment of a reply, in two pieces: 8 bytes of payload, which is all of the first line, and 4.
 */
static void report_two_pieces(struct fixture *s, uint32_t id, const char *second, int64_t in,
    int64_t out)
{
	struct packet_event e = { .direction = LINK_COMING,
		.in = in,
		.fate = LINK_DELIVERED,
		.out = { out },
		.copies = 1,
		.protocol = LINK_TCP,
		.source_port = THERE,
		.target_port = HERE + 1,
		.fragment = true,
		.id = id,
		.seq = FAR_ISN + 1,
		.has_ack = true,
		.length = 8,
		.serial = ++s->serial };

	trace_event(s->trace, &e);
	e.serial = ++s->serial;
	e.protocol = LINK_OTHER;
	/* 32 bytes of TCP's header are before the payload. */
	e.offset = 40;
	e.length = 4;
	e.seq = 0;
	if (strcmp(second, "random") == 0) {
		e.fate = LINK_LOST;
		e.copies = 0;
	}
	trace_event(s->trace, &e);
}

/* Below an MTU of 552 bytes Linux lets segments be cut: with a piece all of the segment is lost. */
static void pieces_of_a_segment(void **state)
{
	struct fixture *s = *state;
	const struct trace_line *first, *second;
	uint64_t n;

	connect_stream(s);
	stream_line(s, "abcde", 10 * MS);
	n = stream_line(s, "hello", 10 * MS);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 12, 10 * MS, 30 * MS);
	report_two_pieces(s, 9, "random", 30 * MS, 50 * MS);
	first = trace_find(s->trace, true, n - 1);
	second = trace_find(s->trace, true, n);
	assert_int_equal(first->legs[LINK_COMING].through, 0);
	assert_int_equal(first->legs[LINK_COMING].lost, 1);
	assert_int_equal(second->legs[LINK_COMING].through, 0);
	assert_int_equal(trace_totals(s->trace)->dropped[LINK_COMING], 1);
	report_two_pieces(s, 10, "delivered", 254 * MS, 274 * MS);
	stream_reply(s, "ABCDE", 274 * MS);
	stream_reply(s, "HELLO", 274 * MS);
	assert_int_equal(first->legs[LINK_COMING].through, 1);
	assert_int_equal(first->legs[LINK_COMING].retransmitted, 1);
	assert_int_equal(second->legs[LINK_COMING].through, 1);
	assert_int_equal(second->legs[LINK_COMING].retransmitted, 1);
	agrees(s, 2);
	assert_int_equal(trace_totals(s->trace)->retransmitted[LINK_COMING], 1);
	assert_int_equal(trace_totals(s->trace)->dropped[LINK_COMING], 1);
}

/* What a picture of that exchange is drawn of: every segment, also those without payload. */
static void keeps_packets(void **state)
{
	struct fixture *s = *state;
	struct logged_packet packets[8];
	uint64_t one, two;

	connect_stream(s);
	one = stream_line(s, "abc", 10 * MS);
	two = stream_line(s, "defg", 11 * MS);
	report_segment(s, "there", "random", "PA", ISN + 1, 9, 12 * MS, 0);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 9, 234 * MS, 254 * MS);
	report_segment(s, "back", "delivered", "A", FAR_ISN + 1, 0, 255 * MS, 275 * MS);
	report_segment(s, "back", "delivered", "PA", FAR_ISN + 1, 4, 256 * MS, 276 * MS);
	report_segment(s, "back", "delivered", "PA", FAR_ISN + 5, 5, 257 * MS, 277 * MS);
	assert_int_equal(trace_packets(s->trace, true, one, packets, 8), 3);
	assert_int_equal(packets[0].of.out, TRACE_NEVER);
	assert_false(packets[0].of.retransmitted);
	assert_true(packets[1].of.retransmitted);
	assert_int_equal(packets[1].first, one);
	assert_int_equal(packets[1].last, two);
	assert_int_equal(packets[1].of.out, 254 * MS);
	assert_int_equal(packets[2].of.direction, LINK_COMING);
	assert_int_equal(packets[2].of.length, 4);
	assert_int_equal(trace_packets(s->trace, true, two, packets, 8), 4);
	assert_false(packets[2].of.payload);
	assert_int_equal(packets[3].of.seq, 4);
	assert_int_equal(trace_packets(s->trace, true, two, packets, 1), 1);
	assert_int_equal(trace_packets(s->trace, false, two, packets, 8), 0);
	stream_reply(s, "ABC", 276 * MS);
	stream_reply(s, "DEFG", 277 * MS);
}

/* SYN, SYN-ACK, its ACK, FIN and RST stand with the connection, not with a line: those that open it
 * apart from those that close it. */
static void packets_of_a_connection(void **state)
{
	struct fixture *s = *state;
	struct logged_packet packets[8];
	uint64_t n;

	trace_opened(s->trace, s->tcp_flow, HERE + 1, THERE, 0);
	report_segment(s, "there", "random", "S", ISN, 0, 1 * MS, 0);
	report_segment(s, "there", "delivered", "S", ISN, 0, 1001 * MS, 1021 * MS);
	report_segment(s, "back", "delivered", "SA", FAR_ISN, 0, 1021 * MS, 1041 * MS);
	report_segment(s, "there", "delivered", "A", ISN + 1, 0, 1041 * MS, 1061 * MS);
	n = stream_line(s, "abc", 1050 * MS);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 4, 1050 * MS, 1070 * MS);
	report_segment(s, "back", "delivered", "A", FAR_ISN + 1, 0, 1070 * MS, 1090 * MS);
	/* The server ends with the last piece of its reply. */
	report_segment(s, "back", "delivered", "FPA", FAR_ISN + 1, 4, 1071 * MS, 1091 * MS);
	report_segment(s, "there", "delivered", "A", ISN + 5, 0, 1091 * MS, 1111 * MS);
	report_segment(s, "there", "random", "RA", ISN + 5, 0, 1092 * MS, 0);
	stream_reply(s, "ABC", 1091 * MS);
	assert_int_equal(trace_handshake(s->trace, HERE + 1, false, 0, packets, 8), 4);
	assert_int_equal(packets[0].of.out, TRACE_NEVER);
	assert_true(packets[0].of.syn && !packets[0].of.ack && !packets[0].of.retransmitted);
	assert_true(packets[1].of.retransmitted);
	assert_true(packets[2].of.syn && packets[2].of.ack &&
	            packets[2].of.direction == LINK_COMING);
	assert_true(!packets[3].of.syn && packets[3].of.ack);
	assert_int_equal(packets[3].of.in, 1041 * MS);
	assert_int_equal(trace_handshake(s->trace, HERE + 1, true, 0, packets, 8), 3);
	assert_true(packets[0].of.fin && packets[0].of.payload);
	assert_true(packets[2].of.rst && packets[2].of.out == TRACE_NEVER);
	assert_int_equal(trace_handshake(s->trace, HERE + 1, true, 1092 * MS, packets, 8), 1);
	assert_int_equal(trace_handshake(s->trace, HERE + 2, true, 0, packets, 8), 0);
	/* Its line has its own, and the FIN that came with it. */
	assert_int_equal(trace_packets(s->trace, true, n, packets, 8), 3);
	assert_true(packets[2].of.fin);
	agrees(s, 1);
}

/* Over a second connection the places begin anew, for the lines that go over it. */
static void another_connection(void **state)
{
	struct fixture *s = *state;
	uint64_t n;

	connect_stream(s);
	stream_line(s, "one", 10 * MS);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 4, 10 * MS, 20 * MS);
	ledger_cut_off(s->tcp, 0, 0);
	connect_stream(s);
	n = stream_line(s, "two", 40 * MS);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 4, 40 * MS, 50 * MS);
	report_segment(s, "back", "delivered", "PA", FAR_ISN + 1, 4, 50 * MS, 60 * MS);
	stream_reply(s, "TWO", 60 * MS);
	assert_int_equal(trace_find(s->trace, true, n)->legs[LINK_COMING].through, 1);
	assert_int_equal(compared(s)->mismatches, 0);
	assert_int_equal(compared(s)->compared, 1);
}

/* A line that goes over both has one number and two fates. */
static void both_at_once(void **state)
{
	struct fixture *s = *state;
	uint64_t n;

	connect_stream(s);
	for (int i = 0; i < 1000; i++) {
		n = line(s, "hello", 10 * MS);
		s->numbers--;
		assert_int_equal(stream_line(s, "hello", 10 * MS), n);
	}
	n = 1;
	report(s, "there", "lost", "hello", 10 * MS, 0, 0);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 6, 10 * MS, 30 * MS);
	report_segment(s, "back", "delivered", "PA", FAR_ISN + 1, 6, 30 * MS, 50 * MS);
	assert_int_equal(trace_place(trace_find(s->trace, false, n), 60 * MS), TRACE_GOING);
	assert_int_equal(trace_place(trace_find(s->trace, true, n), 60 * MS), TRACE_HERE);
	assert_false(trace_find(s->trace, false, n)->stream);
	assert_true(trace_find(s->trace, true, n)->stream);
	trace_undelivered(s->trace, s->serial, LINK_COMING);
	assert_int_equal(trace_find(s->trace, true, n)->legs[LINK_COMING].through, 0);
	assert_int_equal(trace_find(s->trace, false, n)->legs[LINK_GOING].lost, 1);
	stream_reply(s, "HELLO", 60 * MS);
	ledger_cut_off(s->tcp, 0, 0);
	expire(s, 2000 * MS);
	disagrees(s, TRACE_NO_REPLY);
}

static void stream_answered_without_a_reply(void **state)
{
	struct fixture *s = *state;

	connect_stream(s);
	stream_line(s, "one", 10 * MS);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 4, 10 * MS, 20 * MS);
	report_segment(s, "back", "random", "PA", FAR_ISN + 1, 4, 20 * MS, 0);
	stream_reply(s, "ONE", 60 * MS);
	disagrees(s, TRACE_NO_REPLY);
}

static void stream_answered_too_early(void **state)
{
	struct fixture *s = *state;

	connect_stream(s);
	stream_line(s, "one", 10 * MS);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 4, 10 * MS, 20 * MS);
	report_segment(s, "back", "delivered", "PA", FAR_ISN + 1, 4, 20 * MS, 700 * MS);
	stream_reply(s, "ONE", 60 * MS);
	disagrees(s, TRACE_TOO_EARLY);
}

/* A server with other replies: where they stand is not known, so nothing is judged. */
static void stream_of_other_replies(void **state)
{
	struct fixture *s = *state;

	connect_stream(s);
	stream_line(s, "one", 10 * MS);
	stream_line(s, "two", 10 * MS);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 8, 10 * MS, 20 * MS);
	report_segment(s, "back", "delivered", "PA", FAR_ISN + 1, 20, 20 * MS, 40 * MS);
	stream_reply(s, "something", 40 * MS);
	stream_reply(s, "TWO", 40 * MS);
	assert_int_equal(compared(s)->compared, 0);
	assert_int_equal(compared(s)->skipped, 2);
}

/* --- who waits for whom --- */

static unsigned chance(struct fixture *s, unsigned of)
{
	s->seed = s->seed * 1103515245u + 12345u;
	return (s->seed >> 16 & 0x7fff) % of;
}

static void check_behind(struct fixture *s, uint64_t number, enum link_direction direction,
    uint64_t behind, int64_t ms)
{
	const struct trace_leg *leg = &trace_find(s->trace, true, number)->legs[direction];

	assert_int_equal(leg->behind, behind);
	assert_int_equal(leg->behind_for, ms * MS);
}

static void check_blocked(struct fixture *s, uint64_t lines, int64_t total, int64_t longest)
{
	struct blocked_totals b = { .lines = 0 };

	trace_check(s->trace, LONG_AFTER);
	assert_true(trace_blocked(s->trace, s->tcp_flow, &b));
	assert_int_equal(b.lines, lines);
	assert_int_equal(b.total, total * MS);
	assert_int_equal(b.longest, longest * MS);
}

/* Four lines "a" to "d", of two bytes each, are sent at 10 ms; the link takes 20 ms. */
static void send_four(struct fixture *s, const char *first, const char *second)
{
	connect_stream(s);
	for (int i = 0; i < 4; i++) {
		const char *fate = i == 0 ? first : i == 1 ? second : "delivered";

		stream_line(s, (const char *[]){ "a", "b", "c", "d" }[i], 10 * MS);
		report_segment(s, "there", fate, "PA", ISN + 1 + 2 * (uint32_t)i, 2, (10 + i) * MS,
		    strcmp(fate, "delivered") == 0 ? (30 + i) * MS : 0);
	}
}

static void four_replies(struct fixture *s, int64_t now)
{
	for (int i = 0; i < 4; i++)
		stream_reply(s, (const char *[]){ "A", "B", "C", "D" }[i], now);
}

/* The server cannot read the lines behind the one that is missing. */
static void requests_behind_a_lost_one(void **state)
{
	struct fixture *s = *state;

	send_four(s, "random", "delivered");
	assert_int_equal(trace_waits_behind(s->trace, 2, LINK_GOING, 30 * MS), 0);
	assert_int_equal(trace_waits_behind(s->trace, 2, LINK_GOING, 31 * MS), 1);
	assert_int_equal(trace_waits_behind(s->trace, 4, LINK_GOING, 100 * MS), 1);
	assert_int_equal(trace_waits_behind(s->trace, 1, LINK_GOING, 100 * MS), 0);
	assert_int_equal(trace_waits_behind(s->trace, 4, LINK_COMING, 100 * MS), 0);
	check_behind(s, 2, LINK_GOING, 0, 0);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 2, 230 * MS, 250 * MS);
	assert_int_equal(trace_waits_behind(s->trace, 4, LINK_GOING, 249 * MS), 1);
	assert_int_equal(trace_waits_behind(s->trace, 4, LINK_GOING, 250 * MS), 0);
	check_behind(s, 1, LINK_GOING, 0, 0);
	check_behind(s, 2, LINK_GOING, 1, 219);
	check_behind(s, 3, LINK_GOING, 1, 218);
	check_behind(s, 4, LINK_GOING, 1, 217);
	/* All replies in one segment: none waits for another, and each line is counted once. */
	report_segment(s, "back", "delivered", "PA", FAR_ISN + 1, 8, 250 * MS, 270 * MS);
	four_replies(s, 270 * MS);
	check_behind(s, 4, LINK_COMING, 0, 0);
	check_blocked(s, 3, 219 + 218 + 217, 219);
	agrees(s, 4);
}

/* Of two missing lines the one that comes last is waited for, also by lines of one segment; the
 * other one waits for the first. */
static void behind_the_last_of_two(void **state)
{
	struct fixture *s = *state;

	send_four(s, "random", "random");
	assert_int_equal(trace_waits_behind(s->trace, 3, LINK_GOING, 100 * MS), 2);
	report_segment(s, "there", "delivered", "PA", ISN + 3, 2, 200 * MS, 220 * MS);
	assert_int_equal(trace_waits_behind(s->trace, 2, LINK_GOING, 220 * MS), 1);
	assert_int_equal(trace_waits_behind(s->trace, 3, LINK_GOING, 220 * MS), 1);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 2, 230 * MS, 250 * MS);
	check_behind(s, 2, LINK_GOING, 1, 30);
	check_behind(s, 3, LINK_GOING, 1, 218);
	check_behind(s, 4, LINK_GOING, 1, 217);
	/* The reply to line 3 is lost, and comes with that to line 4. */
	report_segment(s, "back", "delivered", "PA", FAR_ISN + 1, 4, 250 * MS, 270 * MS);
	report_segment(s, "back", "random", "PA", FAR_ISN + 5, 2, 251 * MS, 0);
	report_segment(s, "back", "delivered", "PA", FAR_ISN + 7, 2, 252 * MS, 272 * MS);
	assert_int_equal(trace_waits_behind(s->trace, 4, LINK_COMING, 272 * MS), 3);
	report_segment(s, "back", "delivered", "PA", FAR_ISN + 5, 4, 460 * MS, 480 * MS);
	check_behind(s, 3, LINK_COMING, 0, 0);
	check_behind(s, 4, LINK_COMING, 3, 208);
	four_replies(s, 480 * MS);
	check_blocked(s, 3, 30 + 218 + 217 + 208, 218);
}

/* What a rule delays, and what TCP sends again meanwhile: the first to arrive counts. */
static void a_second_try_arrives_first(void **state)
{
	struct fixture *s = *state;

	connect_stream(s);
	stream_line(s, "a", 10 * MS);
	stream_line(s, "b", 10 * MS);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 2, 10 * MS, 1000 * MS);
	report_segment(s, "there", "delivered", "PA", ISN + 3, 2, 11 * MS, 31 * MS);
	check_behind(s, 2, LINK_GOING, 1, 969);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 4, 230 * MS, 250 * MS);
	check_behind(s, 2, LINK_GOING, 1, 219);
	/* Too late to matter. */
	report_segment(s, "there", "delivered", "PA", ISN + 1, 2, 600 * MS, 620 * MS);
	check_behind(s, 2, LINK_GOING, 1, 219);
	ledger_cut_off(s->tcp, 0, 0);
	check_blocked(s, 1, 219, 219);
}

/* Over another connection nothing waits for the first. */
static void not_behind_another_connection(void **state)
{
	struct fixture *s = *state;
	uint64_t n;

	connect_stream(s);
	stream_line(s, "one", 10 * MS);
	report_segment(s, "there", "random", "PA", ISN + 1, 4, 10 * MS, 0);
	ledger_cut_off(s->tcp, 0, 0);
	connect_stream(s);
	n = stream_line(s, "two", 40 * MS);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 4, 40 * MS, 50 * MS);
	assert_int_equal(trace_waits_behind(s->trace, n, LINK_GOING, 60 * MS), 0);
	check_behind(s, n, LINK_GOING, 0, 0);
	ledger_cut_off(s->tcp, 0, 0);
	check_blocked(s, 0, 0, 0);
}

/* Where the link did not say all that arrives, nothing is said. */
static void blocking_is_not_known(void **state)
{
	struct fixture *s = *state;
	struct blocked_totals b = { .lines = 0 };

	send_four(s, "random", "delivered");
	trace_undelivered(s->trace, s->serial, LINK_GOING);
	report_segment(s, "there", "delivered", "PA", ISN + 1, 2, 230 * MS, 250 * MS);
	check_behind(s, 3, LINK_GOING, 0, 0);
	assert_int_equal(trace_waits_behind(s->trace, 4, LINK_GOING, 100 * MS), 0);
	assert_false(trace_blocked(s->trace, s->tcp_flow, &b));
	ledger_cut_off(s->tcp, 0, 0);
}

/* When each byte of the lines left the link, INT64_MAX for not yet; the line that it is of. */
struct bytes {
	int64_t at[2000];
	uint64_t line[2000];
	unsigned count;
};

static void bytes_leave(struct bytes *b, unsigned begin, unsigned length, int64_t at)
{
	for (unsigned i = begin; i < begin + length; i++)
		if (b->at[i] > at)
			b->at[i] = at;
}

/* Of all lines: when its last byte left, and the byte before it that left last. Returns how many
 * waited. */
static unsigned compare_lines(struct fixture *s, const struct bytes *b, int64_t now)
{
	unsigned waited = 0, i = 0;
	int64_t latest = INT64_MIN;
	uint64_t behind = 0;

	for (uint64_t n = 1; n <= s->numbers; n++) {
		const struct trace_leg *leg = &trace_find(s->trace, true, n)->legs[LINK_GOING];
		const int64_t earlier = latest;
		const uint64_t before = behind;
		int64_t own = INT64_MIN;

		for (; i < b->count && b->line[i] == n; i++) {
			own = b->at[i] > own ? b->at[i] : own;
			if (b->at[i] >= latest) {
				latest = b->at[i];
				behind = n;
			}
		}
		assert_int_equal(trace_waits_behind(s->trace, n, LINK_GOING, now),
		    own <= now && earlier > now ? before : 0);
		if (earlier == INT64_MAX)
			continue;
		assert_int_equal(leg->behind, own < earlier ? before : 0);
		assert_int_equal(leg->behind_for, own < earlier ? earlier - own : 0);
		waited += leg->behind != 0;
	}
	return waited;
}

/* Segments of any length, lost, late, sent again in other pieces: the same as byte by byte. */
static void waits_as_byte_by_byte(void **state)
{
	static const char text[] = "abcdefghijklmnopqrstuvwxyz";
	struct fixture *s = *state;
	struct bytes *b = calloc(1, sizeof *b);
	struct blocked_totals totals = { .lines = 0 };
	unsigned sent = 0, waited;
	int64_t now = 10 * MS, total = 0;

	s->seed = 49;
	print_message("# seed %u\n", s->seed);
	connect_stream(s);
	while (b->count < 1900) {
		const unsigned length = 1 + chance(s, chance(s, 4) ? 5 : 26);
		const uint64_t n = stream_line(s, text + 26 - length, now);

		for (unsigned i = 0; i <= length; i++) {
			b->at[b->count] = INT64_MAX;
			b->line[b->count++] = n;
		}
	}
	for (unsigned step = 0, missing = 0; missing < b->count; step++) {
		const bool again = sent == b->count || (sent > 0 && chance(s, 4) == 0);
		unsigned begin = again ? sent - 1 - chance(s, sent < 200 ? sent : 200) : sent,
		         length;
		const int64_t out = now + (1 + chance(s, 150)) * MS;
		bool lost = chance(s, 4) == 0;

		for (missing = 0; missing < sent && b->at[missing] != INT64_MAX; missing++)
			;
		if (again && (step % 8 == 0 || sent == b->count)) {
			begin = missing;
			lost = false;
		}
		length = 1 + chance(s, 40);
		if (begin + length > b->count)
			length = b->count - begin;
		if (length == 0)
			break;
		report_segment(s, "there", lost ? "random" : "delivered", "PA", ISN + 1 + begin,
		    length, now, lost ? 0 : out);
		if (!lost)
			bytes_leave(b, begin, length, out);
		sent = begin + length > sent ? begin + length : sent;
		compare_lines(s, b, now + chance(s, 100) * MS);
		now += chance(s, 20) * MS;
	}
	trace_check(s->trace, LONG_AFTER);
	waited = compare_lines(s, b, LONG_AFTER);
	assert_true(waited > 20);
	for (uint64_t n = 1; n <= s->numbers; n++)
		total += trace_find(s->trace, true, n)->legs[LINK_GOING].behind_for;
	assert_true(trace_blocked(s->trace, s->tcp_flow, &totals));
	assert_int_equal(totals.lines, waited);
	assert_int_equal(totals.total, total);
	ledger_cut_off(s->tcp, 0, 0);
	free(b);
}

/* --- a whole link, with its own log --- */

struct delivery {
	int64_t at;
	/* The order among those at the same time. */
	unsigned serial;
	bool back;
	char text[40];
};

/* What is on its way; the earliest is taken out. Small, so a walk will do. */
struct flight {
	struct delivery list[4096];
	unsigned count, serial;
	/* The link's log. */
	uint64_t lost[LINK_DIRECTIONS], let_through[LINK_DIRECTIONS];
};

static void fly(struct flight *f, int64_t at, bool back, const char *text)
{
	struct delivery *d = &f->list[f->count++];

	assert_true(f->count < 4096);
	*d = (struct delivery){ .at = at, .serial = f->serial++, .back = back };
	assert_true(snprintf(d->text, sizeof d->text, "%s", text) < (int)sizeof d->text);
}

static bool land(struct flight *f, int64_t until, struct delivery *out)
{
	unsigned first = 0;

	if (f->count == 0)
		return false;
	for (unsigned i = 1; i < f->count; i++)
		if (f->list[i].at < f->list[first].at ||
		    (f->list[i].at == f->list[first].at &&
		        f->list[i].serial < f->list[first].serial))
			first = i;
	if (f->list[first].at > until)
		return false;
	*out = f->list[first];
	f->list[first] = f->list[--f->count];
	return true;
}

/* One packet through the link: a fifth is lost, a tenth doubled; up to half a second, or now and
 * then longer than the wait. */
static void carry(struct fixture *s, struct flight *f, bool back, const char *text, int64_t now)
{
	const int64_t out = now + (1 + chance(s, chance(s, 50) ? 400 : 1600)) * MS;
	const int64_t out2 = chance(s, 10) ? 0 : out + chance(s, 300) * MS + MS;
	const char *direction = back ? "back" : "there";

	if (chance(s, 5) == 0) {
		report(s, direction, chance(s, 2) ? "random" : "burst", text, now, 0, 0);
		f->lost[back]++;
		return;
	}
	report(s, direction, "delivered", text, now, out, out2);
	f->let_through[back]++;
	fly(f, out, back, text);
	if (out2)
		fly(f, out2, back, text);
}

static void run_link(struct fixture *s, struct flight *f, int64_t until)
{
	struct delivery d;

	while (land(f, until, &d)) {
		char capitals[sizeof d.text * CAPITALS_GROWTH];

		expire(s, d.at - 1);
		if (d.back) {
			reply(s, d.text, d.at);
			continue;
		}
		capitals[capitals_text(d.text, strlen(d.text), capitals)] = '\0';
		carry(s, f, true, capitals, d.at);
	}
	expire(s, until);
}

static void property(void **state)
{
	struct fixture *s = *state;
	struct flight *f = calloc(1, sizeof *f);
	const struct trace_totals *t = trace_totals(s->trace);
	const struct ledger_totals *l = ledger_totals(s->udp);
	int64_t now = 1000 * MS;
	char text[40];

	s->seed = 7;
	for (int i = 0; i < 20000; i++) {
		now += (1 + chance(s, 20)) * MS;
		run_link(s, f, now);
		/* Texts that are equal in their first letters, and now and then wholly equal: these
		 * are tagged. */
		snprintf(text, sizeof text, "line %u grüße",
		    chance(s, 3) ? (unsigned)i : chance(s, 40));
		const uint64_t n = line(s, text, now);
		unsigned char wire[80];
		const size_t length = ledger_wire(s->udp, n, wire, sizeof wire - 1);

		wire[length] = '\0';
		carry(s, f, false, (char *)wire, now);
		trace_check(s->trace, now);
	}
	run_link(s, f, now + 10000 * MS);
	trace_check(s->trace, now + 20000 * MS);
	print_message("# %" PRIu64 " lines: %" PRIu64 " lost going, %" PRIu64 " coming, %" PRIu64
	              " late, %" PRIu64 " reordered; %" PRIu64 " mismatches\n",
	    t->compared, t->lost[LINK_GOING], t->lost[LINK_COMING], t->late, l->reordered,
	    t->mismatches);
	assert_int_equal(t->mismatches, 0);
	assert_int_equal(t->compared, 20000);
	assert_int_equal(t->lost[LINK_GOING], f->lost[LINK_GOING]);
	assert_int_equal(t->lost[LINK_GOING] + t->lost[LINK_COMING] + t->late + t->server, l->lost);
	assert_int_equal(t->server, 0);
	assert_true(l->reordered > 1000 && l->duplicates > 1000 && l->late > 100);
	free(f);
}

/* The same with a client that makes one mistake in a hundred: as many mismatches are seen. */
static void mistakes_are_found(void **state)
{
	struct fixture *s = *state;
	unsigned mistakes = 0;
	char text[40], capitals[40];

	s->seed = 3;
	for (int i = 0; i < 2000; i++) {
		const int64_t now = (1000 + 10 * i) * MS;
		const bool answered = chance(s, 2), mistake = chance(s, 100) == 0;

		snprintf(text, sizeof text, "line %d", i);
		snprintf(capitals, sizeof capitals, "LINE %d", i);
		line(s, text, now);
		report(s, "there", "delivered", text, now, now + MS, 0);
		report(s, "back", answered ? "delivered" : "random", capitals, now + MS,
		    answered ? now + 2 * MS : 0, 0);
		if (answered != mistake)
			reply(s, capitals, now + 2 * MS);
		mistakes += mistake;
	}
	expire(s, LONG_AFTER - 5000 * MS);
	assert_true(mistakes > 5);
	assert_int_equal(compared(s)->mismatches, mistakes);
	assert_int_equal(compared(s)->compared, 2000);
}

/* More lines than are kept: the old ones are let go, and nothing is wrong. */
static void bounded(void **state)
{
	struct fixture *s = *state;
	char text[40];

	trace_free(s->trace);
	s->trace = trace_new(100);
	s->udp_flow = trace_flow(s->trace, false, WAIT);
	trace_set_ledger(s->trace, s->udp_flow, s->udp, false);
	trace_opened(s->trace, s->udp_flow, HERE, THERE, 0);
	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof text, "line %d", i);
		line(s, text, i * MS);
		report(s, "there", "random", text, i * MS, 0, 0);
	}
	expire(s, 20000 * MS);
	assert_null(trace_find(s->trace, false, 1));
	assert_non_null(trace_find(s->trace, false, 5000));
	assert_int_equal(compared(s)->mismatches, 0);
	assert_int_equal(compared(s)->compared + compared(s)->skipped, 5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_there_and_back),
		TEST(lost_going_and_coming),
		TEST(an_empty_line),
		TEST(every_way_to_lose),
		TEST(copies),
		TEST(late_and_refused),
		TEST(no_verdict_too_soon),
		TEST(undelivered),
		TEST(pieces_of_a_datagram),
		TEST(smallest_pieces),
		TEST(not_ours),
		TEST(other_servers),
		TEST(answered_without_a_reply),
		TEST(answered_too_early),
		TEST(lost_though_delivered),
		TEST(late_though_in_time),
		TEST(a_copy_too_many),
		TEST(a_copy_too_few),
		TEST(overtaken_and_told),
		TEST(overtaken_and_not_told),
		TEST(reordered_though_in_order),
		TEST(refused_without_arriving),
		TEST(twins),
		TEST(closed_too_soon),
		TEST(sent_again),
		TEST(held_for_an_ack),
		TEST(not_held_for_an_ack),
		TEST(windows_and_marks),
		TEST(pieces_of_a_segment),
		TEST(keeps_packets),
		TEST(packets_of_a_connection),
		TEST(another_connection),
		TEST(both_at_once),
		TEST(stream_answered_without_a_reply),
		TEST(stream_answered_too_early),
		TEST(stream_of_other_replies),
		TEST(requests_behind_a_lost_one),
		TEST(behind_the_last_of_two),
		TEST(a_second_try_arrives_first),
		TEST(not_behind_another_connection),
		TEST(blocking_is_not_known),
		TEST(waits_as_byte_by_byte),
		TEST(property),
		TEST(mistakes_are_found),
		TEST(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
