/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A scripted server that loses, delays, duplicates, reorders and truncates: each row of the screen
 * has the right fate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/child.h"
#include "tests/lib/client.h"

#define MORE(...) ((struct client_arguments){ { __VA_ARGS__ } })

static void each_fate(void **state)
{
	int port = child_python("scripted_server.py", "udp");
	struct terminal *t = client_to(port, 30, 120, MORE("--wait=400ms"));

	(void)state;
	client_line(t, "lose this");
	client_line(t, "late 700 this");
	client_line(t, "twice this");
	client_line(t, "thrice this");
	client_line(t, "cut 9 of this");
	client_line(t, "hold this");
	term_expect_row(t, 0, "sent 6");
	client_line(t, "overtakes");
	client_line(t, "echo this");
	client_line(t, "stray before this");
	client_expect_pair(t, "1 lose this", "lost");
	client_expect_pair(t, "2 late 700 this", "late");
	client_expect_pair(t, "2 late 700 this", "2 LATE 700 THIS");
	client_expect_pair(t, "3 twice this", "3 TWICE THIS (×2");
	client_expect_pair(t, "4 thrice this", "4 THRICE THIS (×3");
	client_expect_pair(t, "5 cut 9 of this", "cut short");
	client_expect_pair(t, "5 cut 9 of this", "5 CUT 9 OF");
	client_expect_pair(t, "6 hold this", "reordered");
	client_expect_pair(t, "7 overtakes", "7 OVERTAKES");
	client_expect_pair(t, "8 echo this", "differs");
	client_expect_pair(t, "8 echo this", "8 echo this");
	client_expect_pair(t, "stray", "NOBODY ASKED FOR THIS");
	client_expect_pair(t, "9 stray before this", "9 STRAY BEFORE THIS");
	term_expect_row(t, 0, "sent 9");
	term_expect_row(t, 0, "answered 7");
	term_expect_row(t, 0, "lost 2 (22");
	term_expect_row(t, 0, "late 1");
	term_expect_row(t, 0, "dup 3");
	client_leave(t);
	term_expect(t, "answered 7 of 9");
}

/* Fifty equal lines in flight, each with a fate of its own by its place: equal lines are told apart
 * by tags. */
static void fifty_equal_lines(void **state)
{
	int port = child_python("scripted_server.py", "udp");
	struct terminal *t = client_to(port, 60, 120, MORE("--wait=5s"));
	char left[40], right[40];

	(void)state;
	for (int i = 1; i <= 50; i++)
		client_line(t, "late 300 same");
	for (int i = 1; i <= 50; i++) {
		snprintf(left, sizeof left, "%d late 300 same", i);
		snprintf(right, sizeof right, "%d LATE 300 SAME", i);
		client_expect_pair(t, left, right);
	}
	term_expect_row(t, 0, "sent 50");
	term_expect_row(t, 0, "answered 50");
	term_expect_row(t, 0, "lost 0");
	term_expect_gone(t, "#");
	client_leave(t);
}

static void equal_lines_lost_and_doubled(void **state)
{
	int port = child_python("scripted_server.py", "udp");
	struct terminal *t = client_to(port, 60, 120, MORE("--wait=500ms"));
	char left[40];

	(void)state;
	for (int i = 1; i <= 25; i++) {
		client_line(t, "lose same");
		client_line(t, "twice same");
	}
	for (int i = 1; i <= 50; i += 2) {
		snprintf(left, sizeof left, "%d lose same", i);
		client_expect_pair(t, left, "lost");
		snprintf(left, sizeof left, "%d twice same", i + 1);
		client_expect_pair(t, left, "(×2");
	}
	term_expect_row(t, 0, "lost 25 (50");
	term_expect_row(t, 0, "dup 25");
	client_leave(t);
}

static void tcp_cut_off(void **state)
{
	int port = child_python("scripted_server.py", "tcp");
	struct terminal *t = client_to(port, 24, 120, MORE("-t"));

	(void)state;
	client_line(t, "one");
	client_expect_pair(t, "1 one", "1 ONE");
	client_line(t, "late 300 two");
	client_expect_pair(t, "2 late 300 two", "2 LATE 300 TWO");
	client_line(t, "close without an answer");
	client_expect_pair(t, "3 close without", "cut off");
	client_line(t, "reset at once");
	client_expect_pair(t, "4 reset at once", "cut off");
	client_line(t, "five");
	client_expect_pair(t, "5 five", "5 FIVE");
	term_expect_row(t, 0, "sent 5");
	term_expect_row(t, 0, "answered 3");
	term_expect_row(t, 0, "cut off 2");
	client_leave(t);
	term_expect(t, "answered 3 of 5");
}

static void too_long_fails(void **state)
{
	int port = child_python("scripted_server.py", "udp");
	struct terminal *t = client_to(port, 24, 100, MORE(NULL));
	static char text[70001];

	(void)state;
	memset(text, 'a', sizeof text - 1);
	term_paste(t, text);
	term_type(t, "\r");
	term_expect_row(t, 0, "failed 1");
	term_expect(t, "too long");
	client_leave(t);
}

#define TEST(name) cmocka_unit_test_teardown(name, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_fate),
		TEST(fifty_equal_lines),
		TEST(equal_lines_lost_and_doubled),
		TEST(tcp_cut_off),
		TEST(too_long_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
