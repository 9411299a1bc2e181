/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real client in a terminal: plots while lines go out, the sparkline, the page of statistics,
 * three panes, the link's panel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/lib/child.h"
#include "tests/lib/client.h"

#define NO_MORE ((struct client_arguments){ { NULL } })
#define MORE(...) ((struct client_arguments){ { __VA_ARGS__ } })
#define F(n) ((VTermKey)VTERM_KEY_FUNCTION(n))

static const char *const titles[] = { "time from Enter to reply, over lines",
	"round-trip time on the wire, over lines", "histogram of times from Enter to reply",
	"lines answered within a time", "lines lost in a row",
	"bytes acknowledged a second, of both flows", "TCP's windows, segments; the link's queue" };

static void press(struct terminal *t, int number)
{
	term_key(t, F(number), VTERM_MOD_NONE);
}

/* What stands between heading and input line, in one text. */
static char *plot_of(struct terminal *t)
{
	char *text = calloc(1, 65536);

	term_update(t);
	for (int row = 3; text && row < term_rows(t) - 4; row++)
		strcat(strcat(text, term_row(t, row)), "\n");
	return text;
}

static bool is_another(struct terminal *t, void *context)
{
	char *now = plot_of(t);
	const bool other = now && strcmp(now, context) != 0;

	free(now);
	return other;
}

/* Nothing was pressed, and the plot is another one. */
static void expect_live(struct terminal *t)
{
	char *before = plot_of(t);

	assert_non_null(before);
	term_expect_that(t, is_another, before, "the plot changes while lines come");
	free(before);
}

static void f6_cycles_live_plots(void **state)
{
	struct terminal *t = client_private(24, 100,
	    MORE("--both", "--count=100000", "--interval=1ms"));

	(void)state;
	term_expect(t, "/100000");
	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
		press(t, 6);
		term_expect_row(t, 2, titles[i]);
		term_expect_row(t, 2, "Esc leaves");
		/* Without a loss, and a second flow, the last ones have nothing to show. */
		if (i < 4)
			expect_live(t);
	}
	press(t, 6);
	term_expect_row(t, 2, "UDP replies");
	/* The scale has its units. */
	client_line(t, "/plot rtt");
	term_expect_row(t, 2, titles[1]);
	term_expect(t, "s ");
	term_bytes(t, "\003", 1);
	client_line(t, "/plot off");
	term_expect(t, "of 100000 lines sent");
	client_leave(t);
}

/* It is seen, and lines are answered beside it; its shares are drawn. */
static void a_second_flow(void **state)
{
	struct terminal *t = client_private(24, 90, MORE("-t"));

	(void)state;
	if (!HAVE_TCP_INFO)
		not_here("this build does not know what TCP has acknowledged");
	client_line(t, "/flow 5s nosuch");
	term_expect(t, "'nosuch' is none that this kernel has");
	client_line(t, "/flow off");
	term_expect(t, "there is no second flow");
	client_line(t, "before");
	client_expect_pair(t, "1 before", "BEFORE");
	client_line(t, "/flow 10m");
	term_expect(t, "begins, for 10 min");
	term_expect(t, "s left");
	client_line(t, "beside");
	client_expect_pair(t, "2 beside", "BESIDE");
	client_line(t, "/plot shares");
	term_expect(t, "# second flow");
	client_line(t, "/flow off");
	term_expect_gone(t, "s left");
	term_bytes(t, "\033", 1);
	term_expect(t, "; Jain's index 0.5");
	client_leave(t);
	term_expect(t, "second flow: ");
}

static void plots_by_name(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);
	static const char *const names[] = { "/plot waited", "/plot rtt", "/plot histogram",
		"/plot cum", "/plot runs", "/plot shares", "/plot window" };

	(void)state;
	client_line(t, "/plot");
	term_expect(t, "no line was sent yet");
	term_bytes(t, "\033", 1);
	term_expect_row(t, 1, "replies");
	client_line(t, "/burst 10 every 1ms");
	client_expect_pair(t, "line 10", "LINE 10");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		client_line(t, names[i]);
		term_expect_row(t, 1, titles[i]);
	}
	term_expect(t, "no TCP segment has gone over a lab's link yet");
	client_line(t, "/plot pie");
	term_expect(t,
	    "'pie' is no plot; waited, rtt, histogram, cumulative, runs, shares, window, off");
	term_expect_row(t, 1, titles[6]);
	client_line(t, "/plot off");
	term_expect_row(t, 1, "replies");
	client_line(t, "/plot rtt");
	term_expect_row(t, 1, titles[1]);
	term_bytes(t, "\033", 1);
	term_expect_row(t, 1, "replies");
	client_leave(t);
}

/* Lost lines stand in the runs as they were lost. */
static void runs_that_were_lost(void **state)
{
	const int port = child_python("scripted_server.py", "udp");
	struct terminal *t = client_to(port, 24, 80, MORE("--wait=100ms"));

	(void)state;
	client_line(t, "hello");
	client_expect_pair(t, "1 hello", "HELLO");
	client_line(t, "lose this");
	term_expect(t, "lost 1");
	client_line(t, "lose this too");
	term_expect(t, "lost 2");
	client_line(t, "hello again");
	client_expect_pair(t, "4 hello again", "HELLO AGAIN");
	client_line(t, "/plot runs");
	term_expect_row(t, 1, titles[4]);
	term_expect(t, "longest 2");
	client_leave(t);
}

static void a_sparkline_where_there_is_room(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	client_line(t, "hello");
	term_expect(t, "udp waited ");
	term_resize(t, 8, 80);
	term_expect_gone(t, "udp waited ");
	client_line(t, "small");
	client_expect_pair(t, "2 small", "SMALL");
	term_resize(t, 24, 80);
	term_expect(t, "udp waited ");
	press(t, 3);
	client_line(t, "both");
	/* Each begins at 0. */
	client_expect_pair(t, "udp waited 0–", "tcp waited 0–");
	term_resize(t, 40, 120);
	client_expect_pair(t, "udp waited 0–", "tcp waited 0–");
	term_resize(t, 18, 64);
	client_expect_pair(t, "udp 0–", "tcp 0–");
	client_leave(t);
}

static void statistics_of_both(void **state)
{
	struct terminal *t = client_private(40, 100, MORE("--both"));

	(void)state;
	client_line(t, "/burst 20 every 1ms");
	term_expect(t, "burst: 20 lines sent");
	term_expect_row(t, 1, "answered 20");
	client_line(t, "/stats");
	client_expect_figures(t, "answered", "20 of 20", "20 of 20");
	client_expect_pair(t, "longest run lost", "-");
	/* The plot takes the page's place, and gives it back to the panes. */
	press(t, 6);
	term_expect(t, titles[0]);
	term_expect_gone(t, "longest run lost");
	term_bytes(t, "\033", 1);
	term_expect(t, "UDP replies");
	client_leave(t);
}

static void three_panes(void **state)
{
	struct terminal *t = client_private(24, 110, NO_MORE);

	(void)state;
	press(t, 3);
	client_line(t, "hello");
	client_expect_pair(t, "1 hello", "HELLO");
	term_expect_row(t, 2, "typed");
	term_expect_row(t, 2, "the UDP wire");
	term_expect_row(t, 2, "UDP replies");
	term_expect_row(t, 2, "the TCP wire");
	term_expect_row(t, 2, "TCP replies");
	client_leave(t);
}

/* As many replies to numbered lines stand in each row of the panes as there are panes of replies.
 */
static bool panes_are_full(struct terminal *t, void *panes)
{
	term_update(t);
	for (int row = *(int *)panes > 1 ? 3 : 2; row < term_rows(t) - 3; row++) {
		int found = 0;

		for (const char *at = term_row(t, row); (at = strstr(at, "LINE ")); at++)
			found++;
		if (found != *(int *)panes)
			return false;
	}
	return true;
}

/* Fewer replies than lines over UDP, as many over TCP: each pane is full to its last row, and with
 * one transport in use only its own replies stand there. */
static void panes_follow_their_newest(void **state)
{
	const char *upcased = getenv("UPCASED");
	const char *const server[] = { upcased ? upcased : "server/upcased", "--port=0",
		"--bind=127.0.0.1", "--ready-fd=1", "--loss-back=50%", "--seed=1", NULL };
	struct terminal *t = client_to(child_start(server), 24, 120,
	    MORE("--both", "--wait=200ms"));
	int one = 1, two = 2;

	(void)state;
	client_line(t, "/burst 100 every 1ms");
	term_expect(t, "burst: 100 lines sent");
	client_line(t, "/clear");
	term_expect_gone(t, "burst: 100 lines sent");
	client_line(t, "/burst 100 every 1ms");
	term_expect(t, "burst: 100 lines sent");
	term_expect_row(t, 1, "waiting 0");
	press(t, 4);
	term_expect_row(t, 2, "UDP as they came");
	term_expect_that(t, panes_are_full, &two, "replies in both panes of all rows");
	term_expect(t, "200 LINE 200");
	client_line(t, "/udp");
	term_expect_row(t, 1, "UDP replies as they came");
	term_expect_that(t, panes_are_full, &one, "one reply in each row");
	term_expect(t, "200 line 200");
	client_line(t, "/tcp");
	term_expect_row(t, 1, "TCP replies as they came");
	term_expect_that(t, panes_are_full, &one, "one reply in each row");
	term_expect_row(t, 20, "200 LINE 200");
	client_leave(t);
}

/* In the lab, over an open page and over a plot. */
static void the_panel_over_a_page(void **state)
{
	const char *const argv[] = { lab_path(), "-q", "--loss", "10%", "--", client_path(),
		"10.9.0.2", NULL };
	struct terminal *t;

	(void)state;
	t = term_start(24, 100, argv, NULL);
	term_expect(t, "link: loss 10 % each way");
	press(t, 1);
	term_expect(t, "Commands");
	press(t, 7);
	term_expect(t, "Up/Down choose");
	term_expect_gone(t, "Commands");
	press(t, 7);
	term_expect_gone(t, "Up/Down choose");
	press(t, 6);
	term_expect(t, "no line was sent yet");
	press(t, 7);
	term_expect(t, "Up/Down choose");
	press(t, 6);
	term_expect(t, "no line was sent yet");
	term_expect_gone(t, "Up/Down choose");
	press(t, 10);
	assert_int_equal(term_exit_status(t), 0);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Lines for this test; a million by hand: UPCASE_TEST_LINES=1000000. */
static long lines_wanted(void)
{
	const char *wanted = getenv("UPCASE_TEST_LINES");

	return wanted ? strtol(wanted, NULL, 10) : 100000;
}

/* The first row says so; the notice of the end stands below the plot. */
static bool all_sent(struct terminal *t, const char *sent)
{
	term_update(t);
	return strstr(term_row(t, 0), sent) != NULL;
}

/* Peak of the client's memory, kB. */
static long memory(struct terminal *t)
{
	char path[64], line[200];
	long peak = -1;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/status", (int)term_pid(t));
	file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "VmHWM: %ld", &peak) == 1)
			break;
	if (file)
		fclose(file);
	return peak;
}

/* Keys are answered throughout while as many lines as can be go out and come back, with the plot on
 * the screen. */
static void keys_throughout(void **state)
{
	const long lines = lines_wanted();
	char count[40], sent[40], shown[40] = "udp> ";
	struct terminal *t;
	double worst = 0, sum = 0;
	int keys = 0;

	(void)state;
	snprintf(count, sizeof count, "--count=%ld", lines);
	snprintf(sent, sizeof sent, "sent %ld", lines);
	t = client_private(24, 80, MORE(count, "--interval=20us"));
	term_expect(t, "line ");
	press(t, 6);
	while (!all_sent(t, sent)) {
		const char key[2] = { (char)('a' + keys % 26), '\0' };
		const double before = seconds();
		double took;

		strcat(shown, key);
		term_type(t, key);
		term_expect(t, shown);
		took = seconds() - before;
		worst = took > worst ? took : worst;
		sum += took;
		if (++keys % 10 == 0) {
			/* The line is dropped; the lines go on. */
			term_bytes(t, "\025", 1);
			shown[5] = '\0';
			term_expect_gone(t, "udp> a");
			term_expect_gone(t, "udp> k");
			term_expect_gone(t, "udp> u");
		}
	}
	print_message(
	    "# %ld lines: %d keys, %.1f ms on average, the slowest %.1f ms; memory at most %ld kB\n",
	    lines, keys, 1000 * sum / keys, 1000 * worst, memory(t));
	/* With this machine's other work; how it does alone is for a run by hand. */
	assert_true(worst < 0.5);
	assert_true(memory(t) > 0 && memory(t) < 300 * 1024);
	term_bytes(t, "\025", 1);
	term_expect_row(t, 0, sent);
	client_leave(t);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, client_teardown)
	const struct CMUnitTest tests[] = {
		TEST(f6_cycles_live_plots),
		TEST(plots_by_name),
		TEST(a_second_flow),
		TEST(runs_that_were_lost),
		TEST(a_sparkline_where_there_is_room),
		TEST(statistics_of_both),
		TEST(three_panes),
		TEST(panes_follow_their_newest),
		TEST(the_panel_over_a_page),
		TEST(keys_throughout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
