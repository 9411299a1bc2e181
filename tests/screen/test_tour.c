/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lab on the real screen: what upcase-tour(7) promises there. Its other demonstrations are
 * played by tour.py, which also looks here for the commands that it leaves out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/client.h"

#define LINES 200

static void press(struct terminal *t, int key)
{
	term_key(t, (VTermKey)VTERM_KEY_FUNCTION(key), VTERM_MOD_NONE);
}

static struct terminal *lab(const char *command, int rows)
{
	const char *const argv[] = { "sh", "-c", command, NULL };
	struct terminal *t;

	need_hosts();
	t = term_start(rows, 120, argv, NULL);
	term_expect(t, "udp>");
	return t;
}

static void go_over_to_tcp(struct terminal *t)
{
	press(t, 2);
	term_expect(t, "tcp>");
}

/* A row that holds `text`; NULL if there is none. */
static const char *row_with(struct terminal *t, const char *text)
{
	int row, column;

	return term_find(t, text, &row, &column) ? term_row(t, row) : NULL;
}

static void loses_and_repairs(void **state)
{
	static const char *const words[] = { "one", "two", "three", "four", "five", "six" };
	static const char *const capitals[] = { "1 ONE", "2 TWO", "3 THREE", "4 FOUR", "5 FIVE",
		"6 SIX" };
	struct terminal *t = lab("upcase-lab --loss 20% --delay 20ms --seed 1", 40);

	(void)state;
	for (size_t i = 0; i < 6; i++)
		client_line(t, words[i]);
	client_expect_pair(t, "1 one", "✗ lost coming");
	client_expect_pair(t, "2 two", "✗ lost going");
	for (size_t i = 2; i < 6; i++)
		client_expect_pair(t, words[i], capitals[i]);
	term_expect_row(t, 0, "sent 6 · answered 4 · lost 2 (33");
	client_expect_compared(t, 6);
	go_over_to_tcp(t);
	for (size_t i = 0; i < 6; i++)
		client_line(t, words[i]);
	client_expect_pair(t, "12 six", "12 SIX");
	term_expect_row(t, 0, "sent 6 · answered 6");
	client_leave(t);
	client_expect_figures(t, "answered", "4 of 6", "6 of 6");
}

/* Lines by fives, each five when the last has been sent: TCP's segments are then as many. */
static void type_lines(struct terminal *t, int count)
{
	char text[40];

	for (int i = 1; i <= count; i++) {
		snprintf(text, sizeof text, "line %d", i);
		client_line(t, text);
		snprintf(text, sizeof text, "sent %d ", i);
		if (i % 5 == 0)
			term_expect_row(t, 0, text);
	}
}

static void two_hundred_lines(void **state)
{
	static const char command[] =
	    "upcase-lab --loss 20% --delay 20ms --seed 1 -- sh -c "
	    "'upcase 10.9.0.2; grep Tcp: /proc/net/snmp | cut -d\" \" -f13 | xargs echo counted:'";
	struct terminal *t = lab(command, 40);
	char counted[40];
	const char *row;
	int retransmitted;

	(void)state;
	type_lines(t, LINES);
	term_expect_row(t, 0, "answered 132 · lost 68 (34");
	go_over_to_tcp(t);
	type_lines(t, LINES);
	term_expect_row(t, 0, "answered 200");
	client_leave(t);
	client_expect_figures(t, "answered", "132 of 200", "200 of 200");
	client_expect_figures(t, "lost", "68/200 (34 %, 95 % 28–41)", "-");
	row = row_with(t, "counted: RetransSegs");
	assert_non_null(row);
	assert_int_equal(sscanf(row, "counted: %39s %d", counted, &retransmitted), 2);
	assert_true(retransmitted > 0);
}

static void waits_for_the_timeout(void **state)
{
	struct terminal *t = lab("upcase-lab --delay 20ms", 24);
	const char *row, *time;

	(void)state;
	client_line(t, "/drop next syn");
	term_expect(t, "next SYN");
	go_over_to_tcp(t);
	client_line(t, "hello");
	client_expect_pair(t, "1 hello", "1 HELLO");
	client_expect_first_timeout(t, "-- TCP: SYN sent, lost going, on cue, again after ");
	client_expect_first_timeout(t, ", connected after ");
	client_line(t, "/unplug 3s");
	client_line(t, "again");
	client_expect_pair(t, "2 again", "lost going");
	client_expect_pair(t, "2 again", "2 AGAIN");
	row = row_with(t, "2 AGAIN");
	assert_non_null(row);
	time = strstr(row, "▶");
	assert_non_null(time);
	assert_non_null(strstr(time, " s,"));
	assert_non_null(strstr(time, "× again"));
	assert_true(strtod(time + strlen("▶"), NULL) >= 3);
	/* Twice what has passed by the last try before, and the first timeout. */
	assert_true(strtod(time + strlen("▶"), NULL) <= 7);
	client_leave(t);
}

/* The page's commands name the programs alone. */
static void set_path(void)
{
	const char *build = getenv("abs_top_builddir"), *path = getenv("PATH");
	char text[4096];

	build = build ? build : ".";
	snprintf(text, sizeof text, "%s/lab:%s/client-tui:%s/server:%s", build, build, build,
	    path ? path : "/usr/bin:/bin");
	setenv("PATH", text, 1);
	unsetenv("UPCASE_LAB");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(loses_and_repairs, client_teardown),
		cmocka_unit_test_teardown(two_hundred_lines, client_teardown),
		cmocka_unit_test_teardown(waits_for_the_timeout, client_teardown),
	};

	set_path();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
