/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lab on the screen: every mark of what the link did, the link's row, the panel, screens of
 * every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view/view.h"
#include "common/capitals.h"
#include "common/clock.h"
#include "common/fnv.h"
#include "common/impair-fields.h"
#include "tests/lib/marks.h"
#include "tests/lib/row_text.h"

#define MS NS_PER_MS
#define WAIT (1000 * MS)

struct fixture {
	struct ledger *udp, *tcp;
	struct transcript *transcript;
	struct trace *trace;
	int udp_flow, tcp_flow;
	struct view view;
	struct view_lab lab;
	struct link_status link;
	struct link_steps panel;
	struct canvas canvas;
	uint64_t numbers, bytes;
	int64_t now;
	char row[2048];
};

static int width(wchar_t c)
{
	(void)c;
	return 1;
}

static int set_up(void **state)
{
	struct fixture *s = calloc(1, sizeof *s);
	struct ledger_settings settings = { .kind = LEDGER_DATAGRAM,
		.tag = LEDGER_TAG_AUTO,
		.capacity = 1000,
		.reply_timeout = WAIT,
		.answerable = 60 * WAIT };

	s->udp = ledger_new(&settings);
	settings.kind = LEDGER_STREAM;
	s->tcp = ledger_new(&settings);
	s->transcript = transcript_new(1000);
	s->trace = trace_new(1000);
	s->udp_flow = trace_flow(s->trace, false, WAIT);
	s->tcp_flow = trace_flow(s->trace, true, WAIT);
	trace_set_ledger(s->trace, s->udp_flow, s->udp, false);
	trace_set_ledger(s->trace, s->tcp_flow, s->tcp, false);
	trace_opened(s->trace, s->udp_flow, 1, 2, 0);
	trace_opened(s->trace, s->tcp_flow, 3, 2, 0);
	for (int direction = 0; direction < LINK_DIRECTIONS; direction++)
		trace_event(s->trace, &(struct packet_event){ .direction = direction,
		                          .fate = LINK_DELIVERED,
		                          .copies = 1,
		                          .protocol = LINK_TCP,
		                          .source_port = direction ? 2 : 3,
		                          .target_port = direction ? 3 : 2,
		                          .syn = true });
	s->link.known = true;
	s->link.settings[LINK_GOING] = s->link.settings[LINK_COMING] = impair_perfect();
	s->link.settings[LINK_GOING].loss = s->link.settings[LINK_COMING].loss = 0.2;
	s->lab = (struct view_lab){ .link = &s->link, .trace = s->trace, .panel = &s->panel };
	s->view = (struct view){ .width = width, .lab = &s->lab };
	s->now = 1000 * MS;
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *s = *state;

	view_free(&s->view);
	canvas_free(&s->canvas);
	transcript_free(s->transcript);
	trace_free(s->trace);
	ledger_free(s->udp);
	ledger_free(s->tcp);
	free(s);
	return 0;
}

static void line(struct fixture *s, const char *text)
{
	ledger_add(s->udp, ++s->numbers, text, strlen(text), s->now);
	transcript_add_line(s->transcript, s->udp, NULL, false, s->numbers);
	ledger_sent(s->udp, s->numbers, s->now);
	trace_sent(s->trace, s->udp_flow, s->numbers, 0, strlen(text));
}

static void report(struct fixture *s, bool back, const char *text, enum link_fate fate, int64_t out,
    int copies, bool held)
{
	struct packet_event e = { .direction = back,
		.in = s->now,
		.fate = fate,
		.out = { out, out + MS },
		.copies = copies,
		.held = held,
		.protocol = LINK_UDP,
		.source_port = back ? 2 : 1,
		.target_port = back ? 1 : 2,
		.length = (uint32_t)strlen(text),
		.hash = fnv_hash(text, strlen(text)),
		.data_length = strlen(text) };

	memcpy(e.data, text, strlen(text));
	trace_event(s->trace, &e);
}

/* The ways to lose a packet that have names of their own, without the requested drop. Returns how
 * many. */
static int ways_to_lose(enum link_fate fates[LINK_FATES])
{
	int count = 0;

	for (int fate = LINK_LOST; fate < LINK_FATES; fate++) {
		int first = fate == LINK_CORRUPTED ? fate : LINK_LOST;

		while (first < fate &&
		       strcmp(impair_fates[first - 1].name, impair_fates[fate - 1].name) != 0)
			first++;
		if (fate == first && fate != LINK_REQUESTED_DROP)
			fates[count++] = fate;
	}
	return count;
}

/* Lines lost in each way, in both count; their texts are their numbers. */
static void lose(struct fixture *s)
{
	enum link_fate fates[LINK_FATES];
	const int count = ways_to_lose(fates);
	char text[16];

	for (int i = 0; i < 2 * count; i++) {
		snprintf(text, sizeof text, "%d", i);
		line(s, text);
		if (i < count) {
			report(s, false, text, fates[i], 0, 0, false);
			continue;
		}
		report(s, false, text, LINK_DELIVERED, s->now + MS, 1, false);
		report(s, true, text, fates[i - count], 0, 0, false);
	}
	line(s, "server");
	report(s, false, "server", LINK_DELIVERED, s->now + MS, 1, false);
	line(s, "going");
	report(s, false, "going", LINK_DELIVERED, s->now + 1000000 * MS, 1, true);
	line(s, "coming");
	report(s, false, "coming", LINK_DELIVERED, s->now + MS, 1, false);
	report(s, true, "COMING", LINK_DELIVERED, s->now + 1000000 * MS, 1, true);
	s->now += 2 * WAIT;
	while (ledger_expire(s->udp, s->now) != 0)
		;
}

static void answer(struct fixture *s, const char *text, int copies_there, int copies_back,
    bool held)
{
	char capitals[100];
	const size_t n = capitals_text(text, strlen(text), capitals);

	capitals[n] = '\0';
	line(s, text);
	report(s, false, text, LINK_DELIVERED, s->now + 20 * MS, copies_there, held);
	report(s, true, capitals, LINK_DELIVERED, s->now + 40 * MS, copies_back, false);
	ledger_reply(s->udp, capitals, n, s->now + 41 * MS);
	for (int i = 1; i < copies_there * copies_back; i++)
		ledger_reply(s->udp, capitals, n, s->now + 42 * MS);
}

static void stream_line(struct fixture *s, const char *text)
{
	ledger_add(s->tcp, ++s->numbers, text, strlen(text), s->now);
	transcript_add_line(s->transcript, s->tcp, NULL, true, s->numbers);
	ledger_sent(s->tcp, s->numbers, s->now);
	trace_sent(s->trace, s->tcp_flow, s->numbers, s->bytes, s->bytes + strlen(text) + 1);
}

/* A segment with the line that was typed last. */
static void put_segment(struct fixture *s, bool back, const char *text, enum link_fate fate,
    bool requested)
{
	trace_event(s->trace, &(struct packet_event){ .direction = back,
	                          .in = s->now,
	                          .fate = fate,
	                          .requested = requested,
	                          .copies = fate == LINK_DELIVERED,
	                          .out = { s->now },
	                          .protocol = LINK_TCP,
	                          .source_port = back ? 2 : 3,
	                          .target_port = back ? 3 : 2,
	                          .seq = (uint32_t)s->bytes + 1,
	                          .length = (uint32_t)strlen(text) + 1 });
}

static void segment(struct fixture *s, bool back, const char *text, enum link_fate fate)
{
	put_segment(s, back, text, fate, false);
}

/* Tries with doubling times until the last one gets through; times[] ends with 0. */
static void tries(struct fixture *s, bool back, const char *text, const int *times)
{
	for (; *times; times++) {
		segment(s, back, text, LINK_LOST);
		s->now += *times * MS;
	}
	segment(s, back, text, LINK_DELIVERED);
}

static void stream_answer(struct fixture *s, const char *text, const int *going, const int *coming)
{
	stream_line(s, text);
	tries(s, false, text, going);
	tries(s, true, text, coming);
	ledger_stream_reply(s->tcp, 0, text, strlen(text), false, s->now);
	s->bytes += strlen(text) + 1;
}

/* A line over both: the datagram is lost on the way there, the segment sent again. */
static void lost_and_again(struct fixture *s, const char *text)
{
	const uint64_t number = ++s->numbers;
	char capitals[100];

	ledger_add(s->udp, number, text, strlen(text), s->now);
	ledger_add(s->tcp, number, text, strlen(text), s->now);
	transcript_add_line(s->transcript, s->udp, s->tcp, false, number);
	ledger_sent(s->udp, number, s->now);
	ledger_sent(s->tcp, number, s->now);
	trace_sent(s->trace, s->udp_flow, number, 0, strlen(text));
	trace_sent(s->trace, s->tcp_flow, number, s->bytes, s->bytes + strlen(text) + 1);
	report(s, false, text, LINK_LOST, 0, 0, false);
	tries(s, false, text, (const int[]){ 224, 0 });
	tries(s, true, text, (const int[]){ 0 });
	ledger_stream_reply(s->tcp, 0, capitals, capitals_text(text, strlen(text), capitals), false,
	    s->now);
	s->bytes += strlen(text) + 1;
	s->now += WAIT;
	while (ledger_expire(s->udp, s->now) != 0)
		;
}

/* The view on a screen of that size. */
static struct view *sized(struct fixture *s, int rows, int columns)
{
	s->view.transcript = s->transcript;
	s->view.rows = rows;
	s->view.columns = columns;
	return &s->view;
}

static void draw(struct fixture *s, int rows, int columns)
{
	static const struct ledger_totals none;

	assert_int_equal(canvas_resize(&s->canvas, rows, columns), 0);
	view_draw(sized(s, rows, columns), &s->canvas,
	    &(struct view_status){ .peer = "10.9.0.2:12000",
	        .sides = { { .totals = &none }, { .totals = &none } },
	        .now = s->now,
	        .reply_timeout = WAIT },
	    &(struct view_input){ .prompt = "udp> ", .text = "" });
}

static const char *row_text(struct fixture *s, int row)
{
	return canvas_row_text(&s->canvas, row, s->row, sizeof s->row);
}

static int row_with(struct fixture *s, const char *text)
{
	for (int row = 0; row < s->canvas.rows; row++)
		if (strstr(row_text(s, row), text))
			return row;
	return -1;
}

static void check_seen(struct fixture *s, const char *text)
{
	if (row_with(s, text) >= 0)
		return;
	for (int row = 0; row < s->canvas.rows; row++)
		print_message("# |%s|\n", row_text(s, row));
	fail_msg("'%s' is not seen", text);
}

static const int at_once[] = { 0 }, twice[] = { 224, 448, 0 }, once[] = { 300, 0 };
static const int seven[] = { 200, 400, 800, 1600, 3200, 6400, 12800, 0 };

static void where_datagrams_die(void **state)
{
	struct fixture *s = *state;
	enum link_fate fates[LINK_FATES];
	const int count = ways_to_lose(fates);
	char words[40];

	lose(s);
	draw(s, 24, 80);
	for (int i = 0; i < count; i++) {
		/* The direction goes first where there is no room. */
		snprintf(words, sizeof words, "✗ %s%s", link_fate_word(fates[i]),
		    fates[i] == LINK_NO_ICMP ? "" : " going");
		check_seen(s, words);
	}
	check_seen(s, "  1 0                      │ ──✗ lost going         │");
	check_seen(s, "│ ──✗ corrupted going    │");
	check_seen(s, "│ ──✗ queue full going   │");
	check_seen(s, "│ ──✗ unplugged going    │");
	check_seen(s, "│ ────✗ lost coming      │");
	check_seen(s, "│ ────✗ corrupted coming │");
	check_seen(s, "│ ───✗ queue full coming │");
	check_seen(s, "│ ─────✗ no reply        │");
	check_seen(s, "│ ──✗ still going        │");
	check_seen(s, "│ ────✗ still coming     │");
	draw(s, 24, 50);
	check_seen(s, "✗ lost going");
	check_seen(s, "✗ corrupted coming");
	draw(s, 24, 120);
	check_seen(s, "──✗ too big, no ICMP, going ");
	check_seen(s, "────✗ too big, no ICMP, coming ");
}

/* A requested drop is named on the row that it hit, wherever there is room for it. */
static void on_request(void **state)
{
	struct fixture *s = *state;

	line(s, "going");
	report(s, false, "going", LINK_REQUESTED_DROP, 0, 0, false);
	line(s, "coming");
	report(s, false, "coming", LINK_DELIVERED, s->now + MS, 1, false);
	report(s, true, "COMING", LINK_REQUESTED_DROP, 0, 0, false);
	s->now += 2 * WAIT;
	while (ledger_expire(s->udp, s->now) != 0)
		;
	stream_line(s, "tcp");
	segment(s, false, "tcp", LINK_REQUESTED_DROP);
	draw(s, 24, 80);
	check_seen(s, "│ ──✗ lost going, on cue │");
	check_seen(s, "│ ─✗ lost coming, on cue │");
	check_seen(s, "┃ ···  lost going, 0.0 s ┃");
	s->now += 210 * MS;
	tries(s, false, "tcp", at_once);
	tries(s, true, "tcp", at_once);
	ledger_stream_reply(s->tcp, 0, "TCP", 3, false, s->now);
	draw(s, 24, 80);
	check_seen(s, "━━▶ 210 ms, 1× again");
	draw(s, 24, 50);
	check_seen(s, "✗ lost going, on cue");
	s->view.both = true;
	draw(s, 24, 64);
	check_seen(s, "│ ──✗ lost going│");
	check_seen(s, "│ ─✗ lost coming│");
	assert_int_equal(trace_totals(s->trace)->requested_drops, 3);
	s->view.both = false;
	s->bytes += 4;
	stream_line(s, "late");
	put_segment(s, false, "late", LINK_DELIVERED, true);
	tries(s, true, "late", at_once);
	s->now += 50 * MS;
	ledger_stream_reply(s->tcp, 0, "LATE", 4, false, s->now);
	draw(s, 24, 80);
	check_seen(s, "━━▶ 50.0 ms, on cue");
}

static void copies_and_holds(void **state)
{
	struct fixture *s = *state;

	answer(s, "there", 2, 1, false);
	answer(s, "back", 1, 2, false);
	answer(s, "both", 2, 2, false);
	answer(s, "held", 1, 1, true);
	draw(s, 24, 80);
	check_seen(s, "│ ══▶ 41.0 ms, 2× going  │");
	check_seen(s, "│ ══▶ 41.0 ms, 2× coming │");
	check_seen(s, "│ ══▶ 41.0 ms, 2× both   │");
	check_seen(s, "│ ──▶ 41.0 ms, held back │");
	draw(s, 24, 120);
	check_seen(s, "│ ══════════▶ 41.0 ms, 2× both               │");
}

static void segments_sent_again(void **state)
{
	struct fixture *s = *state;

	stream_answer(s, "going", twice, at_once);
	stream_answer(s, "coming", at_once, once);
	stream_answer(s, "both", twice, once);
	stream_answer(s, "seven", seven, at_once);
	draw(s, 24, 120);
	check_seen(s, "┃ ━━━━━━━━━━▶ 672 ms, 2× again               ┃");
	check_seen(s, "┃ ━━━━━━━━━━▶ 300 ms, 1× again               ┃");
	draw(s, 24, 80);
	check_seen(s, "┃ ━━▶ 672 ms, 2× again   ┃");
	check_seen(s, "┃ ━━▶ 972 ms, 3× again   ┃");
	check_seen(s, "┃ ━━▶ 25.4 s, 7× again   ┃");
	s->view.both = true;
	draw(s, 24, 64);
	check_seen(s, "┃ ━▶ 972 ms, 3×…┃");
}

/* What a kernel says of its timer right now. */
static void timer(struct fixture *s, bool back, int ms, unsigned doubled, int expirations)
{
	trace_timer(s->trace, s->tcp_flow, back,
	    &(struct trace_timer){ .requested = s->now,
	        .received = s->now + 1,
	        .tcp = { .timeout = ms * MS, .backoff = doubled, .timeouts = expirations } });
}

/* Lost until so many timeouts, the first of `ms`, have run out; the kernel is asked in the middle
 * of each. */
static void time_out(struct fixture *s, bool back, const char *text, int ms, int times)
{
	for (int i = 0; i < times; i++, ms *= 2) {
		segment(s, back, text, LINK_LOST);
		s->now += ms * MS / 2;
		timer(s, back, ms, (unsigned)i, i);
		s->now += ms * MS / 2;
	}
	segment(s, back, text, LINK_DELIVERED);
	s->now += MS;
}

static void timeouts(void **state)
{
	struct fixture *s = *state;

	stream_line(s, "two");
	time_out(s, false, "two", 204, 2);
	timer(s, false, 204, 0, 2);
	draw(s, 24, 80);
	check_seen(s, "┃ ·····  2× again, 0.6 s ┃");
	check_seen(s, " line 1, TCP: waiting 0.6 s, sent 3 times");
	check_seen(s, " TCP      0 s  going   lost");
	check_seen(s, " TCP   204 ms  going   lost                RTO of 204 ms ran out");
	check_seen(s, " TCP   612 ms  going   arrived at 612 ms   RTO of 408 ms ran out");
	segment(s, true, "two", LINK_DELIVERED);
	ledger_stream_reply(s->tcp, 0, "TWO", 3, false, s->now);
	s->bytes += 4;
	draw(s, 24, 80);
	check_seen(s, " line 1, TCP: TWO after 613 ms, sent 3 times");
	assert_int_equal(row_with(s, "TWO (RTO"), -1);
	/* A long unplugging; and the server's. */
	stream_line(s, "long");
	time_out(s, false, "long", 200, 9);
	timer(s, false, 200, 0, 11);
	draw(s, 24, 120);
	check_seen(s, "9× again, 1 min 42 s");
	segment(s, true, "long", LINK_LOST);
	s->now += 100 * MS;
	timer(s, true, 208, 0, 0);
	s->now += 108 * MS;
	segment(s, true, "long", LINK_DELIVERED);
	/* Asked before, or at once: it says nothing yet. */
	timer(s, true, 208, 0, 0);
	s->now += MS;
	timer(s, true, 208, 0, 1);
	ledger_stream_reply(s->tcp, 0, "LONG", 4, false, s->now);
	s->bytes += 5;
	draw(s, 60, 120);
	check_seen(s, " line 2, TCP: LONG after 1 min 42 s, sent 10 times, its reply sent 2 times");
	check_seen(s, "  going   lost                RTO of 12.8 s ran out");
	check_seen(s, " more: Alt-Up, then Enter on an empty line shows all");
	/* The whole story: of more tries than times are kept, those between have no timeout. */
	char *all = view_detail(&s->view);
	assert_non_null(strstr(all, "sent again after 25.6 s"));
	assert_non_null(strstr(all, "RTO of 51.2 s ran out"));
	assert_non_null(strstr(all, "coming  arrived at 1 min 42 s"));
	assert_non_null(strstr(all, "RTO of 208 ms ran out"));
	free(all);
}

/* TCP sends the same bytes again, since no ICMP error tells it of the MTU. */
static void a_black_hole(void **state)
{
	struct fixture *s = *state;

	stream_line(s, "large");
	segment(s, false, "large", LINK_NO_ICMP);
	draw(s, 24, 80);
	check_seen(s, "··  too big, no ICMP ");
	for (int ms = 200; ms <= 400; ms *= 2) {
		s->now += ms * MS;
		segment(s, false, "large", LINK_NO_ICMP);
	}
	draw(s, 24, 80);
	check_seen(s, "··  too big: 2× again ");
	check_seen(s, " TCP      0 s  going   too big, no ICMP (6 bytes)");
	check_seen(s, " TCP   200 ms  going   too big, no ICMP (6 bytes) sent again after 200 ms");
	draw(s, 24, 120);
	check_seen(s, "··  too big, no ICMP: 2× again, 0.6 s ");
	/* Without a wire. */
	draw(s, 12, 40);
	check_seen(s, "· too big");
	segment(s, false, "large", LINK_DELIVERED);
	segment(s, true, "large", LINK_DELIVERED);
	ledger_stream_reply(s->tcp, 0, "LARGE", 5, false, s->now);
	s->bytes += 6;
	draw(s, 24, 120);
	check_seen(s, " 600 ms, too big, no ICMP: 3× again ");
	char *all = view_detail(&s->view);
	assert_non_null(strstr(all, "coming  arrived at 600 ms\n"));
	free(all);
}

/* A line of four letters in two pieces; the second leaves 40 ms later, when the first has an ACK.
 */
static void held_line(struct fixture *s, const char *text)
{
	struct packet_event e = { .direction = LINK_GOING,
		.in = s->now,
		.fate = LINK_DELIVERED,
		.copies = 1,
		.out = { s->now },
		.protocol = LINK_TCP,
		.source_port = 3,
		.target_port = 2,
		.seq = (uint32_t)s->bytes + 1,
		.length = 2 };
	struct packet_event ack = e;

	trace_set_ledger(s->trace, s->tcp_flow, s->tcp, true);
	stream_line(s, text);
	trace_event(s->trace, &e);
	s->now += 40 * MS;
	ack.direction = LINK_COMING;
	ack.source_port = 2;
	ack.target_port = 3;
	ack.in = ack.out[0] = s->now;
	ack.length = 0;
	ack.has_ack = true;
	ack.ack = e.seq + e.length;
	trace_event(s->trace, &ack);
	e.seq += e.length;
	e.length = 3;
	e.in = e.out[0] = s->now;
	trace_event(s->trace, &e);
	segment(s, true, text, LINK_DELIVERED);
	ledger_stream_reply(s->tcp, 0, text, strlen(text), false, s->now);
	s->bytes += strlen(text) + 1;
}

static void held_for_an_ack(void **state)
{
	struct fixture *s = *state;

	held_line(s, "HELD");
	draw(s, 24, 80);
	check_seen(s, "━▶ 40.0 ms, held 40 ms ");
	check_seen(s, " TCP last bytes held here 40.0 ms for an ACK of those before");
	assert_int_equal(row_with(s, "send buffer"), -1);
	draw(s, 24, 120);
	check_seen(s, "━▶ 40.0 ms, held 40 ms for an ACK ");
	draw(s, 24, 50);
	check_seen(s, "HELD (held 40 ms");
	draw(s, 12, 40);
	check_seen(s, "HELD");
}

/* The kernel says that no timer ran out: a probe (RFC 8985). What it was asked before the last try
 * says nothing of this one. */
static void no_timeouts(void **state)
{
	struct fixture *s = *state;

	stream_line(s, "probe");
	segment(s, false, "probe", LINK_LOST);
	s->now += 100 * MS;
	timer(s, false, 204, 0, 3);
	s->now += 104 * MS;
	segment(s, false, "probe", LINK_LOST);
	draw(s, 24, 120);
	check_seen(s, "204 ms  going   lost                sent again after 204 ms");
	s->now += 50 * MS;
	timer(s, false, 204, 0, 3);
	draw(s, 24, 120);
	check_seen(s, "204 ms  going   lost                probe or fast retransmit after 204 ms");
	s->now += 154 * MS;
	segment(s, false, "probe", LINK_DELIVERED);
	s->now += MS;
	timer(s, false, 204, 0, 4);
	draw(s, 24, 120);
	check_seen(s, "arrived at 408 ms   RTO of 204 ms ran out");
	/* Nobody has asked the kernel in this wait. */
	s->bytes += 6;
	stream_line(s, "unasked");
	s->now += MS;
	segment(s, false, "unasked", LINK_LOST);
	s->now += 204 * MS;
	segment(s, false, "unasked", LINK_DELIVERED);
	s->now += MS;
	timer(s, false, 204, 0, 5);
	draw(s, 24, 120);
	check_seen(s, "arrived at 205 ms   sent again after 204 ms");
	/* The link is late: the kernel was asked when the timer had run out already. */
	s->bytes += 8;
	stream_line(s, "late");
	segment(s, false, "late", LINK_LOST);
	s->now += 206 * MS;
	timer(s, false, 408, 1, 6);
	s->now += 4 * MS;
	segment(s, false, "late", LINK_DELIVERED);
	s->now += MS;
	timer(s, false, 204, 0, 6);
	draw(s, 24, 120);
	check_seen(s, "arrived at 210 ms   RTO of 204 ms ran out");
	/* An old kernel that tells no count, answered at once: open. */
	s->bytes += 5;
	stream_line(s, "old");
	segment(s, false, "old", LINK_LOST);
	s->now += 100 * MS;
	timer(s, false, 300, 0, -1);
	s->now += 200 * MS;
	segment(s, false, "old", LINK_DELIVERED);
	s->now += MS;
	timer(s, false, 300, 0, -1);
	draw(s, 24, 120);
	check_seen(s, "arrived at 300 ms   sent again after 300 ms");
}

static void segments_missing(void **state)
{
	struct fixture *s = *state;

	stream_line(s, "lost");
	segment(s, false, "lost", LINK_LOST);
	s->now += 150 * MS;
	draw(s, 24, 80);
	check_seen(s, "···  lost going, 0.1 s");
	draw(s, 24, 120);
	check_seen(s, "·····  lost going, 0.1 s");
	s->now += 74 * MS;
	segment(s, false, "lost", LINK_LOST);
	draw(s, 24, 80);
	check_seen(s, "···  1× again, 0.2 s");
	s->view.both = true;
	draw(s, 24, 80);
	check_seen(s, "··  1× again, 0.2 s");
	s->view.both = false;
	segment(s, false, "lost", LINK_DELIVERED);
	segment(s, true, "lost", LINK_LOST);
	s->now += 300 * MS;
	segment(s, true, "lost", LINK_LOST);
	draw(s, 24, 80);
	check_seen(s, "···  3× again, 0.5 s");
}

/* What a line of a stream waited for: the kernel's buffer, an earlier line's bytes. */
static void waits_in_a_stream(void **state)
{
	struct fixture *s = *state;

	stream_line(s, "one");
	segment(s, false, "one", LINK_LOST);
	s->bytes += 4;
	stream_line(s, "two");
	s->now += 20 * MS;
	draw(s, 24, 80);
	check_seen(s, " line 2, TCP: waiting 0.0 s");
	check_seen(s, " TCP in this host's send buffer");
	assert_int_equal(row_with(s, "send buffer until"), -1);
	segment(s, false, "two", LINK_DELIVERED);
	draw(s, 24, 80);
	check_seen(s, " TCP in this host's send buffer until 20.0 ms");
	check_seen(s, " TCP waits behind line 1 at the server");
	check_seen(s, "··  behind 1, 0.0 s");
	draw(s, 24, 120);
	check_seen(s, "·····  behind line 1, 0.0 s");
	s->now += 180 * MS;
	s->bytes -= 4;
	segment(s, false, "one", LINK_DELIVERED);
	segment(s, true, "one", LINK_DELIVERED);
	ledger_stream_reply(s->tcp, 0, "ONE", 3, false, s->now);
	draw(s, 24, 80);
	check_seen(s, " TCP waited 180 ms behind line 1 at the server");
	s->bytes += 4;
	segment(s, true, "two", LINK_DELIVERED);
	ledger_stream_reply(s->tcp, 0, "TWO", 3, false, s->now);
	draw(s, 24, 80);
	check_seen(s, "━━▶ 200 ms, behind 1   ┃  2 TWO");
	draw(s, 24, 120);
	check_seen(s, "━━▶ 200 ms, waited 180 ms behind line 1");
	draw(s, 12, 40);
	check_seen(s, "TWO (180 ms");
	s->bytes += 4;
}

/* Each pane tells of its own transport, in one line a row; the area tells the rest. */
static void both_at_once(void **state)
{
	struct fixture *s = *state;

	s->view.both = true;
	lost_and_again(s, "hello");
	draw(s, 24, 120);
	check_seen(s,
	    "  1 hello              │ ──✗ lost going         │                       ┃ ━━▶ 224 ms, 1× again   ┃  1 HELLO");
	draw(s, 24, 80);
	check_seen(s, "  1 hello      │ ──✗ lost going│            ┃ ━━▶ 224 ms, 1× again ┃ HELLO");
	draw(s, 24, 74);
	check_seen(s, "│ ──✗ lost going│            ┃ ━▶ 224 ms, 1×…┃ HELLO");
	check_seen(s, " line 1, UDP: lost going; TCP: HELLO after 224 ms, sent 2 times");
	check_seen(s, " UDP      0 s  going   lost");
	check_seen(s, " TCP      0 s  going   lost");
	check_seen(s, " … 2 more: Alt-Up, then Enter");
	draw(s, 24, 50);
	check_seen(s, "│ ✗ lost going  ┃ HELLO (1× aga…");
	draw(s, 12, 40);
	check_seen(s, "│ lost going ┃ HELLO");
	draw(s, 40, 120);
	check_seen(s, " TCP   224 ms  going   arrived at 224 ms   sent again after 224 ms");
	check_seen(s, " TCP   224 ms  coming  arrived at 224 ms");
	/* The text is cut, the row stays one. */
	line(s, "is anyone there, in this great hall");
	draw(s, 24, 80);
	check_seen(s, "  2 is anyone …│ ·····  0.0 s");
	assert_int_equal(row_with(s, "2 is anyone"), row_with(s, "1 hello") + 1);
	s->view.ascii = true;
	draw(s, 24, 80);
	check_seen(s, "  2 is anyon...| .....  0.0 s");
	s->view.ascii = false;
	answer(s, "copies", 2, 1, false);
	draw(s, 24, 80);
	check_seen(s, "│ ══▶ 41.0 ms   │ COPIES");
	s->view.both = false;
	draw(s, 24, 80);
	check_seen(s, "  1 hello                  │ ──✗ lost going         │");
	lose(s);
	stream_line(s, "lost");
	segment(s, false, "lost", LINK_LOST);
	s->view.both = true;
	draw(s, 40, 80);
	check_seen(s, "│ ──✗ corrupted │");
	check_seen(s, "│ ───✗ corrupted│");
	check_seen(s, "│ ─✗ lost coming│");
	check_seen(s, "│ ✗ still coming│");
	check_seen(s, "┃ ··  lost going, 0.0 s┃");
	segment(s, false, "lost", LINK_DELIVERED);
}

/* A reply comes that the link says it lost: a mismatch. */
static void answered_against_the_link(struct fixture *s, const char *text, const char *capitals)
{
	line(s, text);
	report(s, false, text, LINK_DELIVERED, s->now, 1, false);
	report(s, true, capitals, LINK_LOST, 0, 0, false);
	ledger_reply(s->udp, capitals, strlen(capitals), s->now + MS);
	trace_check(s->trace, s->now + 10 * WAIT);
}

static void every_mark_is_drawn(void **state)
{
	static const struct tcp_sample here = { .timeout = 224 * MS },
	                               server = { .retransmitted = 1 };
	struct fixture *s = *state;

	lose(s);
	answer(s, "there", 2, 1, false);
	answer(s, "held", 1, 1, true);
	stream_answer(s, "once", once, at_once);
	stream_answer(s, "coming", at_once, once);
	held_line(s, "held");
	stream_line(s, "hole");
	segment(s, false, "hole", LINK_NO_ICMP);
	segment(s, false, "hole", LINK_NO_ICMP);
	s->bytes += strlen("hole") + 1;
	stream_line(s, "lost");
	segment(s, false, "lost", LINK_LOST);
	s->bytes += strlen("lost") + 1;
	stream_line(s, "held");
	segment(s, false, "held", LINK_DELIVERED);
	answered_against_the_link(s, "wrong", "WRONG");
	line(s, "cue");
	report(s, false, "cue", LINK_REQUESTED_DROP, 0, 0, false);
	s->now += 2 * WAIT;
	while (ledger_expire(s->udp, s->now) != 0)
		;
	char words[] = "loss 30 % each way";
	transcript_add_event(s->transcript,
	    &(const struct session_event){ .kind = SESSION_EVENT_LINK, .text = words });
	s->view.senders[LINK_GOING] = &here;
	s->view.senders[LINK_COMING] = &server;
	for (int ascii = 0; ascii <= 1; ascii++) {
		s->view.ascii = ascii;
		for (const struct mark *m = lab_marks; m->name != NULL; m++) {
			bool seen = false;

			for (int columns = 80; columns <= 120 && !seen; columns += 40) {
				draw(s, 40, columns);
				seen = row_with(s, ascii ? m->ascii : m->sign) >= 0;
			}
			if (!seen)
				fail_msg("the mark \"%s\" is nowhere", m->name);
		}
	}
}

/* The row of both ends' TCP: as much as there is room for; none where a screen is low. */
static void both_ends(void **state)
{
	struct fixture *s = *state;
	const struct tcp_sample here = {
		.retransmitted = 4, .timeout = 976 * MS, .backoff = 2, .round_trip = 41 * MS
	};
	const struct tcp_sample server = {
		.retransmitted = 1, .timeout = 244 * MS, .round_trip = 40 * MS
	};

	s->view.senders[LINK_GOING] = &here;
	stream_line(s, "lost");
	segment(s, false, "lost", LINK_LOST);
	draw(s, 24, 120);
	check_seen(s, " TCP here: 4 sent again, RTO 976 ms (doubled 2×), rtt 41.0 ms");
	check_seen(s, "TCP waits for the RTO of 976 ms");
	s->view.senders[LINK_COMING] = &server;
	draw(s, 24, 120);
	check_seen(s,
	    " TCP here: 4 sent again, RTO 976 ms (doubled 2×), rtt 41.0 ms │ server: 1 sent again, "
	    "RTO 244 ms, rtt 40.0 ms");
	draw(s, 24, 80);
	check_seen(s, " TCP here: 4 again, RTO 976 ms (×4) │ server: 1 again, RTO 244 ms");
	draw(s, 12, 40);
	check_seen(s, " TCP here: 4 again │ server: 1 again");
	draw(s, 12, 30);
	check_seen(s, " TCP here: 4 again │ server: …");
	draw(s, 10, 120);
	assert_int_equal(row_with(s, "server:"), -1);
	segment(s, false, "lost", LINK_DELIVERED);
	s->view.senders[LINK_GOING] = s->view.senders[LINK_COMING] = NULL;
}

static void the_row_of_the_link(void **state)
{
	struct fixture *s = *state;

	draw(s, 24, 80);
	assert_string_equal(row_text(s, 21), " link: loss 20 % each way");
	draw(s, 8, 80);
	check_seen(s, "link: loss 20 % each way");
	draw(s, 7, 80);
	assert_int_equal(row_with(s, "link: "), -1);
	s->link.settings[LINK_COMING].delay = 20 * MS;
	draw(s, 24, 60);
	assert_string_equal(row_text(s, 21), " link: there loss 20 %; back loss 20 %, delay 20 ms");
	draw(s, 24, 30);
	assert_string_equal(row_text(s, 21), " link: there loss 20 %; back …");
	s->lab.gone = true;
	draw(s, 24, 80);
	check_seen(s, "link: the lab has ended");
	s->view.lab = NULL;
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "link"), -1);
}

static void a_mismatch_is_seen(void **state)
{
	struct fixture *s = *state;

	answered_against_the_link(s, "hello", "HELLO");
	s->link.settings[LINK_COMING].delay = 20 * MS;
	for (int columns = 24; columns <= 120; columns += 32) {
		draw(s, 24, columns);
		check_seen(s, "truth: 1 mismatch");
	}
	check_seen(s, "link: there loss 20 %; back loss 20 %, delay 20 ms");
	check_seen(s, "truth: 1 mismatch in 1");
}

static void the_panel(void **state)
{
	struct fixture *s = *state;

	s->panel.open = true;
	draw(s, 24, 80);
	check_seen(s, " the link        there         back");
	check_seen(s, " > loss         [20 %]        [20 %]");
	check_seen(s, "   mtu           off           off");
	check_seen(s, "change both ways");
	s->panel.directions = LINK_STEPS_BACK;
	s->panel.field = IMPAIR_FIELD_mtu;
	draw(s, 24, 80);
	check_seen(s, " > mtu           off          [off]");
	/* The chosen one is seen on a small screen too. */
	draw(s, 9, 80);
	check_seen(s, "> mtu");
	assert_int_equal(row_with(s, "loss"), row_with(s, "link: "));
}

/* What is cut says so, and the way out and the values both ways are there on a small screen too. */
static void a_small_screen(void **state)
{
	struct fixture *s = *state;
	struct view_caption caption = { .title = "demo 1: UDP loses",
		.hint = "Enter goes on, Esc leaves",
		.text = "The link loses a fifth of the packets in each direction, and the client "
		        "sends 40 lines over UDP." };

	s->view.greeting = "";
	draw(s, 8, 30);
	check_seen(s, " Type a line; ? is help.");
	check_seen(s, " Loss: F7 or /link loss 30%");
	s->panel.open = true;
	draw(s, 8, 30);
	check_seen(s, " the link        there  back");
	check_seen(s, " > loss         [20 %] [20 %]");
	check_seen(s, " Left/Right; Esc leaves");
	s->panel.field = LINK_STEPS_PRESET;
	draw(s, 8, 30);
	check_seen(s, " Enter; Left/Right; Esc leaves");
	s->panel.open = false;
	s->view.caption = &caption;
	draw(s, 12, 40);
	check_seen(s, " demo 1       Enter goes on, Esc leaves");
	check_seen(s, " in each direction, and the client     …");
	caption.top = caption.next;
	draw(s, 12, 40);
	check_seen(s, " sends 40 lines over UDP.");
	draw(s, 8, 30);
	check_seen(s, "    Enter goes on, Esc leaves");
}

static void every_size(void **state)
{
	struct fixture *s = *state;

	lose(s);
	stream_answer(s, "both", twice, once);
	lost_and_again(s, "over both");
	for (int rows = 1; rows < 30; rows += rows < 10 ? 1 : 5) {
		for (int columns = 1; columns < 240; columns++) {
			s->view.both = columns / 2 % 2 == 0;
			s->panel.open = columns % 3 == 0;
			s->panel.field = columns % IMPAIR_FIELD_COUNT;
			s->view.ascii = columns % 7 == 0;
			s->view.arrivals = columns % 2 == 0;
			view_scroll(sized(s, rows, columns), columns % 11 - 6);
			view_select(sized(s, rows, columns), columns % 5 - 3);
			draw(s, rows, columns);
		}
	}
}

/* The parts of a time stand behind a reply if they make no row; the area has all. */
static void test_parts(void **state)
{
	struct fixture *s = *state;
	const int64_t begun = s->now;

	ledger_add(s->tcp, ++s->numbers, "hello", 5, s->now);
	transcript_add_line(s->transcript, s->tcp, NULL, true, s->numbers);
	ledger_add(s->tcp, ++s->numbers, "behind", 6, s->now);
	transcript_add_line(s->transcript, s->tcp, NULL, true, s->numbers);
	ledger_connecting(s->tcp, 0, s->now);
	s->now += 861 * MS;
	draw(s, 24, 120);
	check_seen(s, "┃ connecting 0.8 s ");
	ledger_connected(s->tcp, 0, s->now);
	ledger_sent(s->tcp, 1, s->now);
	s->now = begun + 906 * MS;
	ledger_stream_reply(s->tcp, 0, "HELLO", 5, false, s->now);
	s->now = begun + 1270 * MS;
	ledger_sent(s->tcp, 2, s->now);
	ledger_stream_reply(s->tcp, 0, "BEHIND", 6, false, s->now + 40 * MS);
	draw(s, 24, 140);
	check_seen(s, "┃  1 HELLO (861 ms connecting)");
	check_seen(s, "┃  2 BEHIND (861 ms connecting)");
	check_seen(s, " TCP 861 ms connecting, 409 ms queued, 40.0 ms on the wire");
	draw(s, 24, 80);
	check_seen(s, "━▶ 906 ms");
	assert_int_equal(row_with(s, "1 HELLO"), row_with(s, "2 BEHIND") - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(where_datagrams_die),
		TEST(on_request),
		TEST(copies_and_holds),
		TEST(segments_sent_again),
		TEST(segments_missing),
		TEST(timeouts),
		TEST(a_black_hole),
		TEST(held_for_an_ack),
		TEST(waits_in_a_stream),
		TEST(no_timeouts),
		TEST(test_parts),
		TEST(every_mark_is_drawn),
		TEST(both_at_once),
		TEST(both_ends),
		TEST(the_row_of_the_link),
		TEST(a_mismatch_is_seen),
		TEST(the_panel),
		TEST(a_small_screen),
		TEST(every_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
