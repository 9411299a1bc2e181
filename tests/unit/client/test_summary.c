/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/line-times.h"
#include "report/export.h"
#include "report/line-text.h"
#include "report/summary.h"
#include "tests/lib/ledger_check.h"

#define MS INT64_C(1000000)
#define S (1000 * MS)

/* ---- Wilson ---- */

static void near_by(double value, double expected, double error)
{
	if (value < expected - error || value > expected + error)
		fail_msg("%.9f is not %.9f", value, expected);
}

static void near(double value, double expected)
{
	near_by(value, expected, 5e-5);
}

static void check_wilson(uint64_t k, uint64_t n, double low, double high)
{
	double a, b;
	stats_wilson(k, n, &a, &b);
	near(a, low);
	near(b, high);
}

/* Worked out by hand from the formula, with four decimals; 81 of 263 is Newcombe's example (1998,
 * table I). */
static void wilson(void **state)
{
	(void)state;
	check_wilson(81, 263, 0.2553, 0.3662);
	check_wilson(15, 148, 0.0624, 0.1605);
	check_wilson(0, 20, 0.0, 0.1611);
	check_wilson(1, 29, 0.0061, 0.1718);
	check_wilson(3, 12, 0.0889, 0.5323);
	check_wilson(20, 20, 0.8389, 1.0);
	check_wilson(0, 1, 0.0, 0.7935);
	check_wilson(1, 1, 0.2065, 1.0);
}

/* What binom.confint() of R's package binom says (method "wilson"), as statsmodels has it in its
 * tests (results_proportion.py). */
static void wilson_is_that_of_others(void **state)
{
	static const struct {
		uint64_t k, n;
		double low, high;
	} rows[] = {
		{ 18, 20, 0.6989663547715128, 0.972133518786232 },
		{ 4, 20, 0.0806576625797981, 0.4160174322518935 },
		{ 4, 200, 0.00780442641634947, 0.05028708690582643 },
		{ 190, 200, 0.910421851861224, 0.972617354399236 },
		{ 1, 30, 0.005908590, 0.16670391 },
		{ 29, 30, 0.8332961, 0.9940914 },
		{ 0, 30, 0, 0.11351339 },
		{ 30, 30, 0.8864866, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		double low, high;
		stats_wilson(rows[i].k, rows[i].n, &low, &high);
		near_by(low, rows[i].low, 1e-7);
		near_by(high, rows[i].high, 1e-7);
	}
}

/* It holds the share itself, lies within 0 and 1, and is the same seen from the other side. */
static void wilson_is_sound(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 60; n++) {
		for (uint64_t k = 0; k <= n; k++) {
			double low, high, other_low, other_high;
			stats_wilson(k, n, &low, &high);
			stats_wilson(n - k, n, &other_low, &other_high);
			assert_true(low >= 0 && high <= 1);
			assert_true(low <= (double)k / (double)n && (double)k / (double)n <= high);
			near(low, 1 - other_high);
			near(high, 1 - other_low);
		}
	}
}

/* ---- loss ---- */

static void check_loss(uint64_t lost, uint64_t sent, uint64_t waiting, const char *expected)
{
	const struct ledger_totals t = { .typed = sent,
		.sent = sent,
		.lost = lost,
		.waiting = waiting,
		.answered = sent - lost - waiting };
	char text[300];
	const char *told = strstr(summary_totals(&t, false, text, sizeof text), ", ");
	assert_string_equal(told && waiting ? strstr(told + 2, ", ") + 2
	                    : told          ? told + 2
	                                    : "",
	    expected);
}

static void loss(void **state)
{
	(void)state;
	check_loss(3, 12, 0, "3/12 lost (25 %, 95 % 9–53)");
	check_loss(3, 17, 5, "3/12 lost (25 %, 95 % 9–53)");
	check_loss(2, 150, 0, "2/150 lost (1.3 %, 95 % 0.4–4.7)");
	check_loss(0, 0, 0, "");
	check_loss(0, 20, 0, "0/20 lost (0 %, 95 % 0–16)");
	check_loss(5, 5, 0, "5/5 lost (100 %, 95 % 57–100)");
	check_loss(0, 1000, 0, "0/1000 lost (0 %, 95 % 0–0.38)");
	/* As many as --count may send: Wilson's bound for none of n is 3.8415 / (n + 3.8415). */
	check_loss(0, 100000, 0, "0/100000 lost (0 %, 95 % 0–0.004)");
	check_loss(0, 1000000, 0, "0/1000000 lost (0 %, 95 % 0–0.0004)");
	check_loss(0, 1000000000, 0, "0/1000000000 lost (0 %, 95 % 0–0.0000004)");
	check_loss(1, 1000000, 0, "1/1000000 lost (0.0001 %, 95 % 0.0000–0.0006)");
	check_loss(30, 10000000, 0, "30/10000000 lost (0.0003 %, 95 % 0.0002–0.0004)");
	check_loss(1, UINT64_C(1) << 52, 0,
	    "1/4503599627370496 lost (0.000000000 %, 95 % 0.000000000–0.000000000)");
}

static void check_totals(const struct ledger_totals *t, bool stream, const char *expected)
{
	char text[300];
	assert_string_equal(summary_totals(t, stream, text, sizeof text), expected);
}

/* What chance did not decide is named, and is in no share that has an interval. */
static void totals(void **state)
{
	(void)state;
	check_totals(&(const struct ledger_totals){ .sent = 800, .refused = 800 }, false,
	    "answered 0 of 800, 800 refused");
	check_totals(&(const struct ledger_totals){ .sent = 3, .failed = 2, .refused = 1 }, false,
	    "answered 0 of 3, 1 refused, 2 failed");
	check_totals(&(const struct ledger_totals){ .sent = 4, .waiting = 4 }, false,
	    "answered 0 of 4, 4 still waiting");
	check_totals(&(const struct ledger_totals){ .sent = 812,
	                 .refused = 800,
	                 .answered = 9,
	                 .lost = 3,
	                 .late = 1 },
	    false, "answered 9 of 812, 800 refused, 3/12 lost (25 %, 95 % 9–53), of them 1 late");
	check_totals(&(const struct ledger_totals){ .sent = 5, .lost = 5 }, false,
	    "answered 0 of 5, 5/5 lost (100 %, 95 % 57–100)");
	check_totals(&(const struct ledger_totals){ .sent = 5, .answered = 2, .cut_off = 3 }, true,
	    "answered 2 of 5, 3 cut off");
	check_totals(&(const struct ledger_totals){ .queued = 2 }, true,
	    "answered 0 of 0, 2 never sent");
}

static char *session_text(const struct ledger_totals *t, bool stream, char *buf, size_t size)
{
	return summary_peer(&(const struct figures){ .stream = stream,
	                        .peer = "127.0.0.1:12000",
	                        .reply_timeout = S,
	                        .totals = *t },
	    NULL, buf, size);
}

static void small_buffers(void **state)
{
	const struct ledger_totals t = { .sent = 12, .answered = 9, .lost = 3 };
	char text[200], whole[200];

	(void)state;
	session_text(&t, false, whole, sizeof whole);
	for (size_t size = 1; size < sizeof text; size++) {
		memset(text, 'x', sizeof text);
		session_text(&t, false, text, size);
		assert_true(strlen(text) < size);
		assert_memory_equal(text, whole, strlen(text));
	}
	assert_string_equal(summary_totals(&t, false, text, 5), "answ");
}

/* ---- fates ---- */

static void check_fate(enum ledger_fate fate, const char *expected)
{
	char text[300];
	assert_string_equal(summary_fate(&(const struct ledger_row){ .fate = fate }, text,
	                        sizeof text),
	    expected);
}

static void fates(void **state)
{
	(void)state;
	check_fate(FATE_QUEUED, "never sent");
	check_fate(FATE_WAITING, "still waiting");
	check_fate(FATE_LOST, "lost");
	check_fate(FATE_REFUSED, "refused: nothing listens on that port there");
	check_fate(FATE_CUT_OFF, "cut off: the connection ended before the reply");
}

static void check_parts(bool stream, int64_t connecting, int64_t queued, int64_t wire,
    const char *all, const char *greatest, const char *alone)
{
	const struct parts p = parts_of_row(&(const struct ledger_row){ .stream = stream,
	    .typed_at = S,
	    .connecting = connecting,
	    .sent_at = S + connecting + queued,
	    .replied_at = S + connecting + queued + wire });
	char text[120];

	assert_string_equal(parts_text(&p, PARTS_ALL, "u", text, sizeof text), all);
	assert_string_equal(parts_text(&p, PARTS_LONGEST, "u", text, sizeof text), greatest);
	assert_string_equal(parts_alone(&p, PARTS_LONGEST, "u", text, sizeof text), alone);
	assert_int_equal(parts_differ(&p), *alone != '\0');
}

/* The parts are told where they differ; the unit is that of the whole, and what rounds to nothing
 * is left out. */
static void parts(void **state)
{
	(void)state;
	check_parts(true, 0, 0, 40900000, "40.9 ms", "40.9 ms", "");
	check_parts(true, 0, 60000, 40900000, "41.0 ms", "41.0 ms", "");
	check_parts(true, 0, 999999, 2 * MS, "3.00 ms", "3.00 ms", "");
	check_parts(true, 0, 2 * MS, 5 * S, "5.00 s", "5.00 s", "");
	check_parts(true, 0, 2 * MS, 40 * MS, "42.0 ms", "42.0 ms", "");
	check_parts(true, 0, 3 * MS, 40 * MS, "43.0 ms: 3.00 queued, 40.0 on the wire",
	    "43.0 ms: 3.00 queued", "3.00 ms queued");
	check_parts(true, 1010 * MS, 90 * MS, 40 * MS,
	    "1.14 s: 1.01 connecting, 0.09 queued, 0.04 on the wire", "1.14 s: 1.01 connecting",
	    "1.01 s connecting");
	check_parts(true, 90 * MS, 1010 * MS, 40 * MS,
	    "1.14 s: 0.09 connecting, 1.01 queued, 0.04 on the wire", "1.14 s: 1.01 queued",
	    "1.01 s queued");
	check_parts(true, 5 * S, 0, 60000, "5.00 s: 5.00 connecting", "5.00 s: 5.00 connecting",
	    "5.00 s connecting");
	check_parts(true, 999 * MS, 0, 700000, "1.00 s: 1.00 connecting", "1.00 s: 1.00 connecting",
	    "999 ms connecting");
	check_parts(true, 80 * S, 0, 40 * MS,
	    "1 min 20 s: 1 min 20 s connecting, 40.0 ms on the wire",
	    "1 min 20 s: 1 min 20 s connecting", "1 min 20 s connecting");
	/* UDP does not connect. */
	check_parts(false, 1500 * MS, 0, 40 * MS, "1.54 s: 1.50 opening, 0.04 on the wire",
	    "1.54 s: 1.50 opening", "1.50 s opening");
}

/* A line that is too long: the limit is named. */
static void errors(void **state)
{
	const struct ledger_row row = { .fate = FATE_FAILED, .error = EMSGSIZE };
	char text[300];

	(void)state;
	summary_fate(&row, text, sizeof text);
	assert_non_null(strstr(text, "failed: too long"));
	assert_non_null(strstr(text, "65507"));
}

/* ---- a session ---- */

static void check_session(const struct ledger_totals *t, bool stream, const char *expected)
{
	char text[1000];
	assert_string_equal(session_text(t, stream, text, sizeof text), expected);
}

static void session(void **state)
{
	const struct ledger_totals udp = { .typed = 8,
		.sent = 8,
		.answered = 5,
		.lost = 3,
		.late = 1,
		.duplicates = 1,
		.timed = 5,
		.rtt = { 40300000, 44200000, 41e6, 4 * 2.25e12 },
		.waited = { 40400000, 3044200000, 650e6, 4 * 1.69e18 } };
	const struct ledger_totals tcp = { .typed = 4,
		.sent = 3,
		.answered = 2,
		.cut_off = 1,
		.queued = 1,
		.timed = 1,
		.rtt = { 850000, 850000, 850000, 0 },
		.waited = { 861850000, 861850000, 861850000, 0 } };

	(void)state;
	check_session(&udp, false,
	    "--- UDP 127.0.0.1:12000 ---\n"
	    "answered 5 of 8, 3/8 lost (38 %, 95 % 14–69), of them 1 late; wait 1.00 s\n"
	    "1 duplicate\n"
	    "waited min/mean/max/sd 0.040/0.65/3.04/1.30 s, from Enter to reply\n"
	    "round trip min/mean/max/sd 40.3/41.0/44.2/1.5 ms, on the wire\n");
	check_session(&tcp, true,
	    "--- TCP 127.0.0.1:12000 ---\n"
	    "answered 2 of 3, 1 cut off, 1 never sent\n"
	    "waited min/mean/max 862/862/862 ms, from Enter to reply\n"
	    "round trip min/mean/max 850/850/850 µs, on the wire\n");
	check_session(&(const struct ledger_totals){ .typed = 0 }, true,
	    "--- TCP 127.0.0.1:12000 ---\nanswered 0 of 0\n");
}

/* Nothing that is not zero is left unsaid. */
static void every_count_is_said(void **state)
{
	const struct ledger_totals t = { .typed = 100,
		.sent = 93,
		.queued = 7,
		.answered = 11,
		.lost = 12,
		.waiting = 13,
		.refused = 14,
		.failed = 21,
		.cut_off = 22,
		.late = 5,
		.duplicates = 31,
		.reordered = 32,
		.differs = 33,
		.cut_short = 34,
		.strays = 35 };

	(void)state;
	check_session(&t, false,
	    "--- UDP 127.0.0.1:12000 ---\n"
	    "answered 11 of 93, 14 refused, 21 failed, 22 cut off, 13 still waiting, 7 never sent, 12/23 lost (52 %, 95 % 33–71), "
	    "of them 5 late; wait 1.00 s\n"
	    "31 duplicates, 32 reordered, "
	    "34 cut short, 33 differ, 35 stray replies\n");
}

static void parts_are_told_apart(void **state)
{
	const struct ledger_totals t = { .typed = 2,
		.sent = 2,
		.answered = 2,
		.timed = 2,
		.rtt = { 40 * MS, 40 * MS, 40e6, 0 },
		.waited = { 90 * MS, 1090 * MS, 590e6, 2 * 0.25e18 },
		.connecting = { 1050e6, 1050 * MS },
		.queued_for = { 1e6, MS - 1 } };

	(void)state;
	check_session(&t, true,
	    "--- TCP 127.0.0.1:12000 ---\n"
	    "answered 2 of 2\n"
	    "waited min/mean/max/sd 0.090/0.59/1.09/0.71 s, from Enter to reply\n"
	    "of it connecting: mean 525 ms, at most 1.05 s\n"
	    "round trip min/mean/max/sd 40.0/40.0/40.0/0.0 ms, on the wire\n");
	check_session(&t, false,
	    "--- UDP 127.0.0.1:12000 ---\n"
	    "answered 2 of 2, 0/2 lost (0 %, 95 % 0–66); wait 1.00 s\n"
	    "waited min/mean/max/sd 0.090/0.59/1.09/0.71 s, from Enter to reply\n"
	    "of it opening: mean 525 ms, at most 1.05 s\n"
	    "round trip min/mean/max/sd 40.0/40.0/40.0/0.0 ms, on the wire\n");
}

/* ---- all figures ---- */

/* A thousand datagrams, of which those of 3 and 4 at the end of each hundred are lost. */
static struct figures some_facts(struct ledger_totals *t, struct stats *s)
{
	*t = (struct ledger_totals){ .typed = 1000,
		.sent = 1000,
		.answered = 980,
		.lost = 20,
		.timed = 980,
		.rtt = { 40 * MS, 49 * MS, 44.5e6, 979 * 8.25e12 },
		.waited = { 40 * MS, 49 * MS, 44.5e6, 979 * 8.25e12 } };
	for (int i = 0; i < 1000; i++) {
		const bool lost = i % 100 == 3 || i % 100 == 4;

		stats_add(s, lost, lost ? -1 : (40 + i % 10) * MS, lost ? -1 : (40 + i % 10) * MS);
	}
	return (struct figures){ .peer = "10.0.0.5:12000",
		.reply_timeout = S,
		.totals = *t,
		.stats = s,
		.times = { .sent_kernel = 1000, .received_kernel = 980 } };
}

static struct figures some_stream(struct ledger_totals *t, struct stats *s)
{
	*t = (struct ledger_totals){ .typed = 3,
		.sent = 3,
		.answered = 3,
		.timed = 3,
		.rtt = { 40 * MS, 489 * MS, 200e6, 2 * 4e16 },
		.waited = { 71 * MS, 989 * MS, 544e6, 2 * 25e16 } };
	stats_add(s, false, 40 * MS, 540 * MS);
	stats_add(s, false, 489 * MS, 989 * MS);
	stats_add(s, false, 71 * MS, 71 * MS);
	return (struct figures){ .stream = true,
		.peer = "10.0.0.5:12000",
		.reply_timeout = S,
		.totals = *t,
		.stats = s,
		.times = { .sent_program = 3, .received_kernel = 3 },
		.tcp = { .connections = 1,
		    .retransmitted = 2,
		    .timeout = 240 * MS,
		    .timeout_max = 480 * MS,
		    .round_trip = 41 * MS,
		    .variation = 2 * MS,
		    .window = 10,
		    .window_min = 1,
		    .window_max = 12,
		    .samples = 9 },
		.stalls = { .count = 1, .total = 448 * MS, .longest = 448 * MS } };
}

struct test_figures {
	struct ledger_totals udp_totals, tcp_totals;
	struct stats udp_stats, tcp_stats;
	struct figures udp, tcp;
};

static struct test_figures *some_figures(void)
{
	struct test_figures *f = calloc(1, sizeof *f);

	assert_non_null(f);
	f->udp = some_facts(&f->udp_totals, &f->udp_stats);
	f->tcp = some_stream(&f->tcp_totals, &f->tcp_stats);
	return f;
}

static void figures_below(void **state)
{
	struct test_figures *f = some_figures();
	char text[2000];

	(void)state;
	assert_string_equal(summary_peer(&f->udp, NULL, text, sizeof text),
	    "--- UDP 10.0.0.5:12000 ---\n"
	    "answered 980 of 1000, 20/1000 lost (2.0 %, 95 % 1.3–3.1); wait 1.00 s\n"
	    "waited min/mean/max/sd 40.0/44.5/49.0/2.9 ms, from Enter to reply\n"
	    "round trip min/mean/max/sd 40.0/44.5/49.0/2.9 ms, on the wire\n"
	    "waited median/p90/p99 45.0/49.0/49.0 ms\n"
	    "round trip median/p90/p99 45.0/49.0/49.0 ms\n"
	    "lost in 10 runs: the longest 2 lines, the mean 2.00\n"
	    "delay variation ipdv mean 1.82 ms, p99 8.99 ms; pdv p99 8.96 ms\n");
	f->udp.times = (struct figures_times){
		.sent_program = 10, .sent_kernel = 990, .received_kernel = 980, .clock_steps = 1
	};
	f->udp.overflows = 5;
	summary_peer(&f->udp, NULL, text, sizeof text);
	assert_non_null(strstr(text,
	    "\nsend times by the kernel for 990 of 1000 lines, else by the program, receive times by the kernel; "
	    "the wall clock was set 1 time\nINVALID, shaped by this machine: 5 replies were "
	    "dropped here"));
	assert_string_equal(summary_peer(&f->tcp, NULL, text, sizeof text),
	    "--- TCP 10.0.0.5:12000 ---\n"
	    "answered 3 of 3\n"
	    "waited min/mean/max/sd 71/544/989/500 ms, from Enter to reply\n"
	    "round trip min/mean/max/sd 40/200/489/200 ms, on the wire\n"
	    "2 segments sent again; time-out 240 ms, at most 480 ms; stalled 1 time, 448 ms in "
	    "all, 448 ms at most\n");
	f->tcp.tcp.has_server = true;
	f->tcp.tcp.server_retransmitted = 7;
	assert_non_null(strstr(summary_peer(&f->tcp, NULL, text, sizeof text),
	    "2 segments sent again, 7 by the far end; "));
	free(f);
}

static void whose_times(void **state)
{
	struct figures f = { .times = { .sent_kernel = 3, .received_kernel = 2 } };
	char text[300];

	(void)state;
	assert_string_equal(summary_times(&f, text, sizeof text),
	    "send and receive times by the kernel");
	f.times = (struct figures_times){ .sent_program = 3, .received_program = 2 };
	assert_string_equal(summary_times(&f, text, sizeof text),
	    "send and receive times by the program");
	f.times = (struct figures_times){ .sent_program = 3, .received_kernel = 2 };
	assert_string_equal(summary_times(&f, text, sizeof text),
	    "send times by the program, receive times by the kernel");
}

static bool has_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);
	return at && (at == text || at[-1] == '\n') &&
	       (at[strlen(line)] == '\n' || at[strlen(line)] == '\0');
}

static void side_by_side(void **state)
{
	struct test_figures *f = some_figures();
	char text[6000];
	char *page = summary_page(&f->udp, &f->tcp);
	static const char *const both[] = {
		"                    UDP                            TCP",
		"wait                1.00 s                         -",
		"answered            980 of 1000                    3 of 3",
		"lost                20/1000 (2.0 %, 95 % 1.3–3.1)  -",
		"longest run lost    2 lines                        -",
		"mean burst length   2.00 lines in 10 runs          -",
		"waited, least       40.0 ms                        71.0 ms",
		"greatest            49.0 ms                        989 ms",
		"round trip, least   40.0 ms                        40.0 ms",
		"median              45.0 ms                        540 ms",
		"greatest            49.0 ms                        489 ms",
		"time-out            -                              240 ms, at most 480 ms",
		"smoothed round trip -                              41.0 ms ± 2.00 ms",
		"congestion window   -                              10 segments, 1 to 12",
		"stalled             -                              448 ms in 1 stall",
	};
	static const char *const page_alone[] = {
		"p90                 49.0 ms                        too few",
		"median              45.0 ms                        70.9 ms",
		"standard deviation  2.87 ms                        200 ms",
		"duplicates          0                              -",
		"send times          by the kernel                  by the program",
	};

	(void)state;
	assert_non_null(page);
	summary_peer(&f->udp, &f->tcp, text, sizeof text);
	assert_true(has_line(text, "--- UDP beside TCP 10.0.0.5:12000 ---"));
	for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
		assert_true(has_line(page, both[i]));
		assert_true(has_line(text, both[i]));
	}
	for (size_t i = 0; i < sizeof page_alone / sizeof *page_alone; i++)
		assert_true(has_line(page, page_alone[i]));
	assert_null(strstr(text, "duplicates"));
	assert_null(strstr(page, "by the far end"));
	free(page);
	/* Of one, the ping-like form and one column. */
	assert_non_null(strstr(summary_peer(NULL, &f->tcp, text, sizeof text),
	    "--- TCP 10.0.0.5:12000 ---\nanswered 3 of 3\n"));
	page = summary_page(&f->udp, NULL);
	assert_true(has_line(page, "lost                20/1000 (2.0 %, 95 % 1.3–3.1)"));
	assert_null(strstr(page, "stalled"));
	free(page);
	page = summary_page(NULL, &f->tcp);
	assert_true(has_line(page, "                    TCP"));
	assert_null(strstr(page, "lost"));
	free(page);
	free(f);
}

/* Nothing was sent: nothing is made up. */
static void no_figures(void **state)
{
	struct ledger_totals none = { .typed = 0 };
	struct stats *s = calloc(1, sizeof *s);
	struct figures f = { .peer = "p", .reply_timeout = S, .totals = none, .stats = s };
	char *page;

	(void)state;
	page = summary_page(&f, NULL);
	assert_true(has_line(page, "answered            0 of 0"));
	assert_true(has_line(page, "lost                0"));
	assert_null(strstr(page, "median"));
	assert_null(strstr(page, "-1"));
	free(page);
	free(s);
}

static void ascii(void **state)
{
	char text[] = "3/12 lost (25 %, 95 % 9–53), 850 µs", more[] = "41 ms ± 2 ms",
	     all[] = "80 % going × 80 % coming";

	(void)state;
	assert_string_equal(summary_ascii(text), "3/12 lost (25 %, 95 % 9-53), 850 us");
	assert_string_equal(summary_ascii(more), "41 ms +- 2 ms");
	assert_string_equal(summary_ascii(all), "80 % going x 80 % coming");
}

/* ---- intervals ---- */

static void check_interval(struct interval_meter *m, const struct ledger *l, int64_t now,
    const char *expected)
{
	const struct figures present = { .totals = *ledger_totals(l), .stats = ledger_stats(l) };
	const struct interval i = interval_get(m, &present, now);
	char text[600];

	assert_string_equal(summary_interval(&i, S, text, sizeof text), expected);
	interval_begin(m, &present, now);
}

/* An interval has what happened in it, whenever the line was sent; the times are of the lines that
 * were answered in it. */
static void intervals(void **state)
{
	struct ledger *l = ledger_new(&(const struct ledger_settings){
	    .kind = LEDGER_DATAGRAM, .capacity = 9, .reply_timeout = S, .answerable = 60 * S });
	struct interval_meter *m = calloc(1, sizeof *m);

	(void)state;
	assert_non_null(l);
	assert_non_null(m);
	m->from = S;
	for (uint64_t n = 1; n <= 4; n++) {
		ledger_add(l, n, &"1234"[n - 1], 1, S);
		ledger_sent(l, n, S);
	}
	check_interval(m, l, S + 500 * MS, "0.00-0.50 s udp: sent 4, answered 0, lost 0");
	for (int i = 1; i <= 2; i++) {
		ledger_reply(l, i == 1 ? "1" : "2", 1, S + i * 300 * MS);
		interval_add(m, ledger_find(l, (uint64_t)i));
	}
	ledger_reply(l, "2", 1, S + 700 * MS);
	check_interval(m, l, S + 800 * MS,
	    "0.50-0.80 s udp: sent 0, answered 2, lost 0, 1 duplicate, min/avg/max 300/450/600 ms, "
	    "p50 450 ms");
	while (ledger_expire(l, 3 * S) > 0)
		continue;
	ledger_reply(l, "3", 1, 3 * S);
	check_interval(m, l, 3 * S,
	    "0.80-2.00 s udp: sent 0, answered 0, lost 2 (100.0 %), 1 late");
	check_interval(m, l, 4 * S, "2.00-3.00 s udp: sent 0, answered 0, lost 0");
	free(m);
	ledger_free(l);
}

/* ---- lines ---- */

static void check_line(const struct ledger *l, uint64_t number, const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(line_text_write(out, l, false, number, NULL, 9 * S), 0);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

/* What divides a line does not stand in its text; everything that is known stands behind the time.
 */
static void lines(void **state)
{
	static const char *const texts[] = { "-> a", "b -x", "->", "c->d -xy --> -", "last" };
	struct ledger *l = ledger_new(&(const struct ledger_settings){
	    .kind = LEDGER_DATAGRAM, .capacity = 9, .reply_timeout = S, .answerable = 60 * S });

	(void)state;
	assert_non_null(l);
	for (uint64_t n = 1; n <= 5; n++) {
		ledger_add(l, n, texts[n - 1], strlen(texts[n - 1]), S);
		if (n < 5)
			ledger_sent(l, n, S + 10 * MS);
	}
	ledger_reply(l, "B -X", 4, S + 40 * MS);
	ledger_reply(l, "-> A", 4, S + 50 * MS);
	ledger_reply(l, "-> A", 4, S + 60 * MS);
	while (ledger_expire(l, 2 * S + 20 * MS) > 0)
		continue;
	ledger_reply(l, "->", 2, 3 * S);
	check_line(l, 1,
	    "1 udp \\x2d> a -> \\x2d> A 50.0 ms (10.0 ms queued, 40.0 ms on the wire, 1 duplicate, "
	    "reordered)\n");
	check_line(l, 2, "2 udp b \\x2dx -> B -X 40.0 ms (10.0 ms queued, 30.0 ms on the wire)\n");
	check_line(l, 3, "3 udp \\x2d> -> \\x2d> 2.00 s (late)\n");
	check_line(l, 4, "4 udp c->d -xy --> - -x lost\n");
	check_line(l, 5, "5 udp last -x never sent\n");
	ledger_free(l);
}

/* ---- saving ---- */

static struct ledger *some_lines(enum ledger_kind kind)
{
	const struct ledger_settings settings = {
		.kind = kind, .capacity = 5, .reply_timeout = S, .answerable = 60 * S
	};
	struct ledger *l = ledger_new(&settings);

	assert_non_null(l);
	assert_int_equal(ledger_add(l, 1, "hello", 5, S), 0);
	assert_int_equal(ledger_add(l, 2, "is anyone\tthere", 15, S), 0);
	ledger_sent(l, 1, S);
	ledger_sent(l, 2, S);
	assert_true(ledger_balanced(l));
	return l;
}

static char *save(const struct transcript *t)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(export_text(out, t, NULL, NULL, 3 * S), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void saving(void **state)
{
	struct ledger *udp = some_lines(LEDGER_DATAGRAM), *tcp = some_lines(LEDGER_STREAM);
	struct transcript *t = transcript_new(20);
	char *text;

	(void)state;
	ledger_reply(udp, "HELLO", 5, S + 40900000);
	assert_int_equal(ledger_expire(udp, 3 * S), 2);
	ledger_stream_reply(tcp, 0,
	    "\033]0;x\a\xc2\x9b\xff\xe2\x80\xae"
	    "e\xcc\x81",
	    15, false, S + 2 * MS);
	transcript_add_line(t, udp, NULL, false, 1);
	transcript_add_line(t, udp, NULL, false, 2);
	transcript_add_line(t, tcp, NULL, true, 1);
	transcript_add_line(t, tcp, NULL, true, 2);
	transcript_add_line(t, udp, NULL, false, 3);
	transcript_add_line(t, udp, tcp, false, 1);
	transcript_add_text(t, TRANSCRIPT_STRAY, false, "NOBODY\r", 7);
	transcript_add_text(t, TRANSCRIPT_NOTICE, false, "connected", 9);
	transcript_add_text(t, TRANSCRIPT_ERROR, true, "refused", 7);
	text = save(t);
	assert_string_equal(text,
	    "upcase: number, transport, line, and its reply with the time or what became of it\n"
	    "1 udp hello -> HELLO 40.9 ms\n"
	    "2 udp is anyone^Ithere -x lost\n"
	    "1 tcp hello -> ^[]0;x^G\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
	    "e\xcc\x81 2.00 ms (differs)\n"
	    "2 tcp is anyone^Ithere -x still waiting\n"
	    "3 udp -x (no longer kept)\n"
	    /* Over both at once. */
	    "1 udp hello -> HELLO 40.9 ms\n"
	    "1 tcp hello -> ^[]0;x^G\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
	    "e\xcc\x81 2.00 ms (differs)\n"
	    "- udp -> NOBODY^M (stray)\n"
	    "-- connected\n"
	    "!! refused\n");
	free(text);
	assert_true(ledger_balanced(udp));
	assert_true(ledger_balanced(tcp));
	transcript_free(t);
	ledger_free(udp);
	ledger_free(tcp);
}

static void saving_to_a_full_disk(void **state)
{
	struct transcript *t = transcript_new(20);
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(out);
	transcript_add_text(t, TRANSCRIPT_NOTICE, false, "connected", 9);
	errno = 0;
	assert_int_equal(export_text(out, t, NULL, NULL, 0), -1);
	assert_int_equal(errno, ENOSPC);
	fclose(out);
	transcript_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wilson),
		cmocka_unit_test(wilson_is_that_of_others),
		cmocka_unit_test(wilson_is_sound),
		cmocka_unit_test(loss),
		cmocka_unit_test(totals),
		cmocka_unit_test(parts),
		cmocka_unit_test(small_buffers),
		cmocka_unit_test(fates),
		cmocka_unit_test(intervals),
		cmocka_unit_test(lines),
		cmocka_unit_test(errors),
		cmocka_unit_test(session),
		cmocka_unit_test(every_count_is_said),
		cmocka_unit_test(parts_are_told_apart),
		cmocka_unit_test(figures_below),
		cmocka_unit_test(whose_times),
		cmocka_unit_test(side_by_side),
		cmocka_unit_test(no_figures),
		cmocka_unit_test(ascii),
		cmocka_unit_test(saving),
		cmocka_unit_test(saving_to_a_full_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
