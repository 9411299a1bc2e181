/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plots: what stands where, of lines whose times are known; any size; without colours, without
 * anything but ASCII. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view/view-internal.h"
#include "common/clock.h"
#include "ledger/shares.h"
#include "tests/lib/row_text.h"
#include "tests/lib/ledger_check.h"

#define MS NS_PER_MS

struct fixture {
	struct ledger *udp, *tcp;
	struct plot_source sources[2];
	struct shares shares;
	struct window_log windows;
	struct canvas canvas;
	char text[60][1200];
};

static int set_up(void **state)
{
	struct fixture *s = calloc(1, sizeof *s);
	struct ledger_settings settings = { .kind = LEDGER_DATAGRAM,
		.tag = LEDGER_TAG_AUTO,
		.capacity = 100000,
		.reply_timeout = 1000 * MS,
		.answerable = 60000 * MS };

	setlocale(LC_ALL, "C.UTF-8");
	s->udp = ledger_new(&settings);
	settings.kind = LEDGER_STREAM;
	s->tcp = ledger_new(&settings);
	s->sources[0] = (struct plot_source){ s->udp, ledger_stats(s->udp), false };
	s->sources[1] = (struct plot_source){ s->tcp, ledger_stats(s->tcp), true };
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *s = *state;
	const bool balanced = ledger_balanced(s->udp) && ledger_balanced(s->tcp);

	ledger_free(s->udp);
	ledger_free(s->tcp);
	canvas_free(&s->canvas);
	window_free(&s->windows);
	free(s);
	return balanced ? 0 : -1;
}

/* Sent at 10 ms for each number; `rtt` -1: lost. */
static void datagram(struct fixture *s, uint64_t number, int64_t rtt)
{
	const int64_t sent = (int64_t)number * 10 * MS;
	char text[40], capitals[40];

	snprintf(text, sizeof text, "line %d", (int)number);
	snprintf(capitals, sizeof capitals, "LINE %d", (int)number);
	assert_int_equal(ledger_add(s->udp, number, text, strlen(text), sent), 0);
	ledger_sent(s->udp, number, sent);
	if (rtt >= 0)
		assert_int_equal(ledger_reply(s->udp, capitals, strlen(capitals), sent + rtt).match,
		    MATCH_ANSWER);
}

static void segment(struct fixture *s, uint64_t number, int64_t rtt)
{
	const int64_t sent = (int64_t)number * 10 * MS;

	assert_int_equal(ledger_add(s->tcp, number, "x", 1, sent), 0);
	ledger_sent(s->tcp, number, sent);
	ledger_stream_reply(s->tcp, 0, "X", 1, false, sent + rtt);
}

static void expire(struct fixture *s)
{
	while (ledger_expire(s->udp, 100000 * MS))
		;
}

static void draw(struct fixture *s, int rows, int columns, enum plot_kind kind, int count,
    bool ascii)
{
	const struct plot_area area = { .rows = rows, .columns = columns };
	struct view_plot plot = {
		.kind = kind, .count = count, .shares = &s->shares, .windows = &s->windows
	};

	assert_int_equal(canvas_resize(&s->canvas, rows, columns), 0);
	canvas_clear(&s->canvas);
	memcpy(plot.sources, s->sources, sizeof plot.sources);
	plot_draw(&s->canvas, &area, &plot, ascii);
	for (int row = 0; row < rows && row < 60; row++)
		canvas_row_text(&s->canvas, row, s->text[row], sizeof s->text[row]);
}

static int rows_with(const struct fixture *s, int rows, const char *what)
{
	int n = 0;

	for (int row = 0; row < rows && row < 60; row++)
		n += strstr(s->text[row], what) != NULL;
	return n;
}

/* --- tests --- */

static void times_over_lines(void **state)
{
	struct fixture *s = *state;

	for (uint64_t n = 1; n <= 50; n++)
		datagram(s, n, n == 25 ? -1 : 40 * MS);
	segment(s, 1, 40 * MS);
	segment(s, 50, 100 * MS);
	expire(s);
	draw(s, 20, 80, PLOT_WAITED, 2, false);
	/* One cross for the line lost, one in the legend; the TCP line at the top alone, the other
	 * in a cell with UDP's. */
	assert_int_equal(rows_with(s, 20, "✗"), 2);
	assert_non_null(strstr(s->text[0], "100 ms"));
	assert_non_null(strchr(s->text[0], '+'));
	assert_int_equal(rows_with(s, 20, "*"), 2);
	assert_int_equal(rows_with(s, 20, "line 1 "), 1);
	assert_int_equal(rows_with(s, 20, "line 50"), 1);
}

static void far_apart_is_logarithmic(void **state)
{
	struct fixture *s = *state;

	datagram(s, 1, 1 * MS);
	datagram(s, 2, 900 * MS);
	draw(s, 24, 80, PLOT_RTT, 1, false);
	assert_int_equal(rows_with(s, 24, "1 s ┤"), 1);
	assert_int_equal(rows_with(s, 24, "100 ms ┤"), 1);
	assert_int_equal(rows_with(s, 24, "10 ms ┤"), 1);
}

static void histogram_and_share(void **state)
{
	struct fixture *s = *state;

	for (uint64_t n = 1; n <= 100; n++) {
		datagram(s, n, n <= 36 ? -1 : 40 * MS);
		segment(s, n, 50 * MS);
	}
	expire(s);
	draw(s, 20, 80, PLOT_HISTOGRAM, 2, false);
	assert_int_equal(rows_with(s, 20, "UDP, 64 lines; highest column 64"), 1);
	assert_int_equal(rows_with(s, 20, "TCP, 100 lines; highest column 100"), 1);
	assert_int_not_equal(rows_with(s, 20, "█"), 0);
	draw(s, 20, 80, PLOT_CUMULATIVE, 1, false);
	assert_int_not_equal(rows_with(s, 20, "oooo"), 0);
	/* 64 % are answered ever: the curve is level from there, and nothing stands above. */
	assert_non_null(strstr(s->text[0], "100 %"));
	for (int row = 0; row < 5; row++)
		for (int column = 11; column < 80; column++)
			assert_false(canvas_at(&s->canvas, row, column)->chars[0] == 'o');
	draw(s, 20, 80, PLOT_RUNS, 1, false);
	assert_int_equal(rows_with(s, 20, "longest 36, mean 36.00, 1 run"), 1);
	assert_int_equal(rows_with(s, 20, " 1 time"), 1);
}

static void ascii_alone(void **state)
{
	struct fixture *s = *state;

	for (uint64_t n = 1; n <= 30; n++) {
		datagram(s, n, n % 5 ? 40 * MS : -1);
		segment(s, n, 300 * MS);
	}
	expire(s);
	for (int kind = 0; kind < PLOT_KINDS; kind++) {
		draw(s, 24, 80, (enum plot_kind)kind, 2, true);
		for (int row = 0; row < 24; row++)
			for (const char *c = s->text[row]; *c; c++)
				if (*c & 0x80)
					fail_msg("%s: %s", plot_title((enum plot_kind)kind),
					    s->text[row]);
	}
}

static void any_size(void **state)
{
	struct fixture *s = *state;

	for (uint64_t n = 1; n <= 200; n++) {
		datagram(s, n, n % 3 ? (int64_t)n * MS : -1);
		segment(s, n, (int64_t)n * n * MS / 10);
	}
	expire(s);
	for (int rows = 1; rows < 50; rows += 3)
		for (int columns = 1; columns < 200; columns += 7)
			for (int kind = 0; kind < PLOT_KINDS; kind++)
				for (int ascii = 0; ascii < 2; ascii++)
					draw(s, rows, columns, (enum plot_kind)kind, 2, ascii);
	draw(s, 4, 20, PLOT_RTT, 2, false);
	assert_non_null(strstr(s->text[0], "too small"));
}

static void nothing_yet(void **state)
{
	struct fixture *s = *state;

	for (int kind = 0; kind < PLOT_KINDS; kind++) {
		draw(s, 20, 80, (enum plot_kind)kind, 2, false);
		assert_int_equal(rows_with(s, 20,
		                     kind == PLOT_RUNS     ? "no line was lost"
		                     : kind == PLOT_SHARES ? "no second flow yet"
		                     : kind == PLOT_WINDOW ? "no TCP segment has gone"
		                                           : "no line is answered yet"),
		    1);
	}
	assert_int_equal(plot_sparkline(&s->canvas, 0, 3, 20, s->sources, false), 3);
}

static void sparkline(void **state)
{
	struct fixture *s = *state;
	char text[300];

	datagram(s, 1, 10 * MS);
	datagram(s, 2, 20 * MS);
	datagram(s, 3, -1);
	datagram(s, 4, 80 * MS);
	expire(s);
	assert_int_equal(canvas_resize(&s->canvas, 1, 40), 0);
	canvas_clear(&s->canvas);
	assert_int_equal(plot_sparkline(&s->canvas, 0, 2, 40, s->sources, false), 6);
	assert_string_equal(canvas_row_text(&s->canvas, 0, text, sizeof text), "  ▂▃✗█");
	canvas_clear(&s->canvas);
	/* It begins at 0: times that differ little look alike. The newest ones, when there is no
	 * room for all. */
	assert_int_equal(plot_sparkline(&s->canvas, 0, 0, 2, s->sources, true), 2);
	assert_string_equal(canvas_row_text(&s->canvas, 0, text, sizeof text), "x#");
}

static void names(void **state)
{
	(void)state;
	static const char *const whole[PLOT_KINDS] = { "waited", "rtt", "histogram", "cumulative",
		"runs", "shares", "window" };

	for (int kind = 0; kind < PLOT_KINDS; kind++)
		assert_int_equal(plot_kind(whole[kind]), kind);
	assert_int_equal(plot_kind("hist"), PLOT_HISTOGRAM);
	assert_int_equal(plot_kind("off"), PLOT_NONE);
	assert_int_equal(plot_kind("pie"), -1);
	assert_int_equal(plot_kind(""), -1);
}

/* Ten intervals: the lines have a third of what the flow has, in the last both have the same. */
static void shares_of_two_flows(void **state)
{
	struct fixture *s = *state;

	draw(s, 20, 80, PLOT_SHARES, 0, false);
	assert_non_null(strstr(s->text[0], "no second flow yet"));
	for (int i = 0; i <= 10; i++)
		shares_add(&s->shares, &(const struct session_event){ .kind = SESSION_EVENT_FLOW,
		                           .at = (1000 + 100 * i) * MS,
		                           .quiet = i > 0,
		                           .text = (char *)(uintptr_t)"",
		                           .duration = i > 0 ? 100 * MS : 0,
		                           .shares = { i < 10 ? 100000 : 300000, 300000 } });
	draw(s, 20, 80, PLOT_SHARES, 0, false);
	for (int i = 0; i < 20; i++)
		fprintf(stderr, "%s\n", s->text[i]);
	assert_int_equal(rows_with(s, 17, "#"), 1);
	assert_int_equal(rows_with(s, 17, "+"), 1);
	assert_int_equal(rows_with(s, 17, "*"), 1);
	assert_int_equal(rows_with(s, 20, "3 MB/s"), 1);
	assert_int_equal(rows_with(s, 20, "1 s"), 1);
	assert_int_equal(rows_with(s, 20, "second flow  * both; Jain's index 0.84"), 1);
	draw(s, 20, 80, PLOT_SHARES, 0, true);
	assert_int_equal(rows_with(s, 20, "3 MB/s +"), 1);
	for (int columns = 1; columns < 60; columns += 7)
		draw(s, 6, columns, PLOT_SHARES, 0, false);
	shares_clear(&s->shares);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* What the file of a tcpprobe has of a connection, as the textbook's lab wrote it, one sample for
 * each acknowledgement: every sample stands in its column, as high as its window. */
static void windows_of_a_tcpprobe(void **state)
{
	struct fixture *s = *state;
	const int rows = 53, columns = 171, count = 150;
	int cwnd = 2, ssthresh = 2147483647, heights[150];

	for (int i = 0; i < count; i++) {
		/* time, addresses, ignored, length, snd.nxt, snd.una, cwnd, ssthresh, windows */
		char line[200];
		double seconds;
		unsigned next, first;
		int window, threshold, peer;

		if (cwnd >= 100)
			ssthresh = cwnd = 50;
		snprintf(line, sizeof line,
		    "%d.%09d 192.168.10.2:43545 192.168.12.2:5001 0 32 0x%08x 0x%08x %d %d %d 23 "
		    "0x7051ed3e 0x7051ed3e 5840",
		    52 + i / 50, i % 50 * 20000000, 0xfffff000u + (unsigned)(cwnd * 1448),
		    0xfffff000u, cwnd, ssthresh, 5792);
		assert_int_equal(sscanf(line, "%lf %*s %*s %*d %*d %x %x %d %d %d", &seconds, &next,
		                     &first, &window, &threshold, &peer),
		    6);
		window_add(&s->windows,
		    &(struct window_sample){ .at = (int64_t)(seconds * 1e9 + 0.5),
		        .queue = -1,
		        .tcp = { window, threshold < 2147483647 ? threshold : -1,
		            (int)((next - first) / 1448), 1448, peer, TCP_STATE_OPEN } });
		heights[i] = cwnd++;
	}
	draw(s, rows, columns, PLOT_WINDOW, 0, false);
	/* The axis goes to 100 in 50 rows; a row has two segments, and the grid 160 columns. */
	for (int i = 0; i < count; i++) {
		const int row = (int)((1 - heights[i] / 100.0) * 49 + 0.5),
		          column = 10 + (int)(i / 149.0 * 159 + 0.5);

		assert_int_equal(canvas_at(&s->canvas, row, column)->chars[0], L'+');
	}
	assert_int_equal(rows_with(s, rows, "100 ┤"), 1);
	assert_int_equal(rows_with(s, rows, "here"), 1);
	assert_int_equal(rows_with(s, rows, "server"), 0);
	assert_non_null(strstr(s->text[51], "2 s"));
	/* The threshold begins where there is one. */
	assert_int_equal(canvas_at(&s->canvas, 40, 10 + 60)->chars[0], L'░');
	assert_int_equal(canvas_at(&s->canvas, 25, 10 + 140)->chars[0], L'─');
}

/* Both ends, and the queue below; what was lost and how it was sent again in the first row. */
static void windows_of_both_ends(void **state)
{
	struct fixture *s = *state;
	const struct tcp_window tcp = { 10, -1, 5, 1448, 144800, TCP_STATE_OPEN };
	static const int sizes[][2] = { { 20, 80 }, { 24, 120 }, { 13, 64 }, { 6, 40 } };
	static const uint8_t marks[] = { WINDOW_LOST, WINDOW_FAST, WINDOW_PROBE, WINDOW_TIMEOUT };

	for (int i = 0; i < 4; i++) {
		struct window_sample sample = {
			.at = i * 100 * MS, .queue = -1, .tcp = tcp, .way = (uint8_t)(i & 1)
		};

		sample.tcp.cwnd += i;
		window_add(&s->windows, &sample);
		window_add(&s->windows,
		    &(struct window_sample){
		        .at = i * 100 * MS, .mark = marks[i], .queue = -1, .way = 1 });
		window_add(&s->windows, &(struct window_sample){ .at = i * 100 * MS, .queue = i });
	}
	for (size_t i = 0; i < 8; i++) {
		const int rows = sizes[i / 2][0], columns = sizes[i / 2][1];
		const bool ascii = i & 1;
		const char *legend;

		draw(s, rows, columns, PLOT_WINDOW, 0, ascii);
		legend = s->text[rows - 1];
		assert_int_equal(rows_with(s, rows, "here"), 1);
		assert_int_equal(rows_with(s, rows, "server"), rows > 6);
		assert_int_equal(rows_with(s, rows, "queue"), rows >= 13);
		assert_non_null(strstr(legend, "+ cwnd"));
		assert_true(columns < 80 || strstr(legend, "t f p sent again"));
		assert_true(columns < 120 || strstr(legend, "(timeout, fast, probe)"));
		for (const char *c = ascii ? s->text[0] : ""; *c; c++)
			assert_true(*c > 0);
	}
	draw(s, 20, 80, PLOT_WINDOW, 0, false);
	/* The grid has 17 rows: 5 and 6 for the ends, 6 for the queue. */
	assert_non_null(strstr(s->text[5], "✗"));
	assert_non_null(strchr(s->text[5], 'f'));
	assert_non_null(strchr(s->text[5], 'p'));
	assert_non_null(strchr(s->text[5], 't'));
	assert_null(strstr(s->text[0], "✗"));
	/* The receive window is far above: only the legend has its sign. */
	assert_int_equal(rows_with(s, 20, "="), 1);
	assert_non_null(strstr(s->text[16], "█"));
	window_add(&s->windows,
	    &(struct window_sample){
	        .at = 300 * MS, .queue = -1, .tcp = tcp, .flow = WINDOW_SECOND_FLOW });
	draw(s, 20, 80, PLOT_WINDOW, 0, false);
	assert_non_null(strstr(s->text[19], "+ # cwnd"));
	assert_non_null(strstr(s->text[19], "t f p sent again"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(times_over_lines),
		TEST(far_apart_is_logarithmic),
		TEST(histogram_and_share),
		TEST(windows_of_a_tcpprobe),
		TEST(windows_of_both_ends),
		TEST(ascii_alone),
		TEST(any_size),
		TEST(nothing_yet),
		TEST(sparkline),
		TEST(shares_of_two_flows),
		cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
