/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /demo in the real lab: each demonstration of upcase-tour(7) is played to its end, its questions
 * are answered, and what it promises is held against the link's own counts. However one is left,
 * the link is as it was before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/client.h"
#include "tests/lib/cmocka-compat.h"

/* The link before a demonstration: each direction has its own settings. */
#define OPTIONS "--delay-there 3ms --delay-back 4ms --loss-back 2%%"

/* All that a demonstration has said, in one line. */
static char said[20000];

/* A lab with the client; when that has ended, the link's counts and settings are printed. */
static struct terminal *lab(int rows, int columns)
{
	static const char script[] =
	    "%s --config= 10.9.0.2\n"
	    "upcase-lab ctl counts | awk '/lost-|corrupted/ { n[$2] += $3 }\n"
	    "END { for (i in n) print \"log: \" i \" \" n[i] \".\" }'\n"
	    "upcase-lab ctl link | grep -E 'line|unplugged-for'\n";
	struct terminal *t;
	char text[5000], command[5000];
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };

	need_hosts();
	t = term_open(rows, columns);
	snprintf(text, sizeof text, script, client_path());
	snprintf(command, sizeof command, "exec upcase-lab -q " OPTIONS " -- sh %s",
	    term_file(t, "script", text));
	term_run(t, argv);
	term_expect(t, "udp>");
	term_expect(t, "link: ");
	*said = '\0';
	return t;
}

/* The words above the input line, in one line; "" without a demonstration. */
static const char *caption(struct terminal *t)
{
	static char text[2000];
	int row, column;
	const char *end = " | ";

	*text = '\0';
	if (!term_find(t, " demo ", &row, &column) || column > 0)
		return text;
	for (; row < term_rows(t) && !strstr(term_row(t, row), "p>") &&
	       !strstr(term_row(t, row), "h>");
	    row++) {
		const char *words = term_row(t, row);

		words += strspn(words, " ");
		if (strlen(text) + strlen(words) + strlen(end) < sizeof text)
			strcat(strcat(text, words), end);
		end = " ";
	}
	return text;
}

/* The screen is drawn whole when the cursor is back in the input line. */
static bool has_changed(struct terminal *t, void *before)
{
	int row, column;

	term_update(t);
	term_cursor(t, &row, &column);
	return strchr(term_row(t, row), '>') && strcmp(caption(t), before) != 0;
}

/* Waits for other words than `before`, and takes them over. */
static void expect_other(struct terminal *t, char before[2000])
{
	term_expect_that(t, has_changed, before, "other words of the demonstration");
	strcpy(before, caption(t));
	if (strlen(said) + strlen(before) + 1 < sizeof said)
		strcat(said, before);
}

static void begin(struct terminal *t, int number, char now[2000])
{
	char command[20];

	snprintf(command, sizeof command, "/demo %d", number);
	term_update(t);
	strcpy(now, caption(t));
	client_line(t, command);
	expect_other(t, now);
}

/* Goes on until the words have that text. */
static void go_on_to(struct terminal *t, const char *text, const char *answer, char now[2000])
{
	while (*now && !strstr(now, text)) {
		if (strstr(now, "Type "))
			term_type(t, answer);
		if (strstr(now, "Type ") || strstr(now, "Enter goes on"))
			term_type(t, "\r");
		expect_other(t, now);
	}
}

/* Plays a demonstration to its end; each question gets that answer. */
static void play(struct terminal *t, int number, const char *answer)
{
	char now[2000];

	begin(t, number, now);
	go_on_to(t, "never", answer, now);
	term_expect(t, "the demonstration has ended");
}

static long number_behind(const char *text, const char *words)
{
	const char *at = strstr(text, words);

	if (!at) {
		print_error("# '%s' is not in: %s\n", words, text);
		fail();
	}
	return strtol(at + strlen(words), NULL, 10);
}

/* The link's own count. */
static long logged(struct terminal *t, const char *name)
{
	char words[80];
	int row, column;

	snprintf(words, sizeof words, "log: %s ", name);
	term_expect(t, words);
	return term_find(t, words, &row, &column) ? number_behind(term_row(t, row), words) : -1;
}

/* Leaves the client and expects the link as it was before. */
static void leave(struct terminal *t)
{
	term_key(t, VTERM_KEY_FUNCTION(10), VTERM_MOD_NONE);
	term_expect(t, "there line delay 3ms");
	term_expect(t, "back line loss 2%, delay 4ms");
	assert_int_equal(term_exit_status(t), 0);
	term_update(t);
	term_expect_gone(t, "unplugged-for");
}

static void udp_loses_on(int rows, int columns)
{
	struct terminal *t = lab(rows, columns);
	char now[2000];
	long lost;

	begin(t, 1, now);
	go_on_to(t, "You expected", "8", now);
	lost = number_behind(now, "You expected 8. Lost over UDP: ");
	assert_non_null(strstr(now, " of 40 lines ("));
	assert_uint_in_range(lost, 1, 39);
	/* The row that matters has the mark. */
	client_expect_pair(t, "▸", "✗ lost ");
	assert_non_null(strstr(now, "Look at line "));
	go_on_to(t, "never", "", now);
	term_expect(t, "the demonstration has ended");
	assert_non_null(strstr(said, "9 to 20"));
	leave(t);
	assert_int_equal(logged(t, "lost-random"), lost);
}

static void udp_loses(void **state)
{
	(void)state;
	udp_loses_on(24, 80);
	udp_loses_on(40, 120);
}

static void tcp_repairs(void **state)
{
	struct terminal *t = lab(24, 80);
	const char *second;
	long first;

	(void)state;
	play(t, 2, "41");
	first = number_behind(said, "You expected 41. Slowest reply over TCP: ");
	assert_uint_in_range(first, 240, 2900);
	second = strstr(strstr(said, "Slowest reply") + 1, "You expected 41.");
	assert_non_null(second);
	assert_uint_in_range(number_behind(second, "Slowest reply over TCP: "), 3000, 6900);
	term_expect(t, "udp>");
	leave(t);
	assert_int_equal(logged(t, "lost-cue"), 1);
	assert_true(logged(t, "lost-unplugged") >= 3);
}

static void messages_and_stream(void **state)
{
	struct terminal *t = lab(24, 80);
	const char *second;

	(void)state;
	play(t, 3, "udp");
	assert_int_equal(number_behind(said, "You expected UDP, and so it is. Packets over UDP: "),
	    200);
	assert_uint_in_range(number_behind(said, "Packets over TCP: "), 1, 99);
	second = strstr(said, "Answered");
	assert_non_null(second);
	assert_int_equal(number_behind(second, "Answered over UDP: "), 0);
	assert_int_equal(number_behind(second, "Answered over TCP: "), 1);
	leave(t);
}

static void reordering(void **state)
{
	struct terminal *t = lab(24, 80);

	(void)state;
	play(t, 4, "TCP");
	assert_true(number_behind(said,
	                "You expected TCP, but it is the other. Twice or out of order over UDP: ") >
	            0);
	assert_int_equal(number_behind(said, "Twice or out of order over TCP: "), 0);
	leave(t);
}

static void corruption(void **state)
{
	struct terminal *t = lab(24, 80);
	long lost;

	(void)state;
	play(t, 5, "0");
	assert_int_equal(number_behind(said,
	                     "You expected 0, and so it is. Wrong replies over UDP: "),
	    0);
	lost = number_behind(said, "Lost over UDP: ");
	assert_true(lost > 0);
	leave(t);
	assert_int_equal(logged(t, "corrupted"), lost);
	assert_int_equal(logged(t, "lost-random"), 0);
}

static void full_queue(void **state)
{
	struct terminal *t = lab(24, 80);
	long lost;

	(void)state;
	play(t, 6, "0");
	lost = number_behind(said, "You expected 0. Lost over UDP: ");
	assert_uint_in_range(lost, 20, 55);
	assert_int_equal(number_behind(said, "Lost over TCP: "), 0);
	leave(t);
	assert_true(logged(t, "lost-queue") >= lost);
	assert_int_equal(logged(t, "lost-random"), 0);
}

static void nobody_listening(void **state)
{
	struct terminal *t = lab(24, 80);

	(void)state;
	play(t, 7, "3");
	assert_int_equal(number_behind(said, "You expected 3, and so it is. Refused over UDP: "),
	    3);
	term_expect_row(t, 0, "10.9.0.2:12000");
	leave(t);
}

static void fragments(void **state)
{
	struct terminal *t = lab(24, 80);
	long lost;

	(void)state;
	play(t, 8, "4");
	lost = number_behind(said, "You expected 4. Lost over UDP: ");
	assert_uint_in_range(lost, 1, 39);
	leave(t);
	assert_true(logged(t, "lost-random") >= lost);
}

/* On a small screen the words come in parts. */
static void on_small_screens(void **state)
{
	static const int sizes[][2] = { { 18, 64 }, { 12, 40 } };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct terminal *t = lab(sizes[i][0], sizes[i][1]);

		play(t, 7, "3");
		assert_int_equal(number_behind(said, "Refused over UDP: "), 3);
		assert_non_null(strstr(said, "lost datagram."));
		/* The mark of more covers no letters. */
		for (const char *mark = said; (mark = strstr(mark, "…")); mark++)
			assert_memory_equal(mark, "… ", strlen("… "));
		term_type(t, "after\r");
		term_expect(t, "after");
		term_close(t);
	}
}

/* Esc while lines are on their way, Ctrl-C at the result, /quit in the middle: the link is
 * restored.
 */
static void left_early(void **state)
{
	struct terminal *t = lab(24, 80);
	char now[2000];

	(void)state;
	begin(t, 2, now);
	go_on_to(t, "Type ", "", now);
	term_type(t, "40\r");
	expect_other(t, now);
	go_on_to(t, "unplugged", "", now);
	go_on_to(t, "is decided", "1", now);
	term_expect(t, "link: unplugged");
	term_type(t, "\033");
	term_expect(t, "the demonstration is left; the link is as it was before");
	begin(t, 1, now);
	go_on_to(t, "You expected", "8", now);
	term_type(t, "\003");
	term_expect(t, "the demonstration is left");
	term_expect_gone(t, " demo 1");
	begin(t, 1, now);
	go_on_to(t, "You expected", "8", now);
	client_line(t, "/quit");
	term_expect(t, "there line delay 3ms");
	term_expect(t, "back line loss 2%, delay 4ms");
	assert_int_equal(term_exit_status(t), 0);
	term_expect_gone(t, "unplugged-for");
}

/* A wrong answer gets a line; lines, pages and plots of the user are as always, and do not count.
 */
static void anything_meanwhile(void **state)
{
	struct terminal *t = lab(24, 80);
	char now[2000];

	(void)state;
	client_line(t, "/demo 9");
	term_expect(t, "'9' is no demonstration; /demo lists them");
	client_line(t, "/demo");
	term_expect(t, "8  Fragments and the path's MTU");
	begin(t, 6, now);
	client_line(t, "before");
	client_expect_pair(t, "before", "BEFORE");
	go_on_to(t, "Type ", "", now);
	client_line(t, "many");
	term_expect(t, "'many' is not a number; for example 12");
	term_type(t, "30\r");
	expect_other(t, now);
	client_line(t, "mine");
	term_key(t, VTERM_KEY_FUNCTION(6), VTERM_MOD_NONE);
	go_on_to(t, "You expected 30", "", now);
	assert_non_null(strstr(now, " of 60 lines ("));
	client_line(t, "/stats");
	term_expect(t, " of 62");
	term_type(t, "q");
	term_key(t, VTERM_KEY_FUNCTION(8), VTERM_MOD_NONE);
	term_expect(t, "mouse on");
	client_line(t, "/plot off");
	/* Another one takes the place of the first. */
	begin(t, 7, now);
	go_on_to(t, "You expected", "3", now);
	term_type(t, "\033");
	term_expect(t, "the demonstration is left");
	/* What the user has switched stays so. */
	term_key(t, VTERM_KEY_FUNCTION(8), VTERM_MOD_NONE);
	term_expect(t, "mouse off");
	leave(t);
}

/* What would make its figures wrong is refused, with the way out. */
static void refusals(void **state)
{
	struct terminal *t = lab(24, 80);

	(void)state;
	client_line(t, "/unplug 1h");
	term_expect(t, "unplugged");
	client_line(t, "/demo 1");
	term_expect(t, "the link is held or unplugged; /hold 0s or /unplug 0s ends that");
	client_line(t, "/unplug 0s");
	client_line(t, "/connect localhost 9");
	term_expect_row(t, 0, ":9 ");
	client_line(t, "/demo 1");
	term_expect(t, "the server is not behind the link; first type /connect 10.9.0.2");
	term_close(t);
	t = client_private(24, 80, (struct client_arguments){ { "--rows", "10" } });
	client_line(t, "/demo 7");
	term_expect(t, "too few rows are kept: start without --rows");
}

static void outside_the_lab(void **state)
{
	struct terminal *t = client_private(24, 80, (struct client_arguments){ { NULL } });
	char now[2000];

	(void)state;
	*said = '\0';
	client_line(t, "/demo");
	term_expect(t, "UDP loses");
	term_expect(t, "needs the lab");
	client_line(t, "/demo 1");
	term_expect(t, CLIENT_NEEDS_LAB);
	term_expect_gone(t, " demo 1");
	begin(t, 3, now);
	assert_non_null(strstr(now, "70,000 bytes"));
	go_on_to(t, "You expected", "tcp", now);
	assert_int_equal(number_behind(said, "Answered over TCP: "), 1);
	term_type(t, "\003");
	term_expect_gone(t, " demo 3");
	client_leave(t);
}

/* The commands name the lab alone. */
static void set_path(void)
{
	const char *build = getenv("abs_top_builddir"), *path = getenv("PATH");
	char text[4096];

	build = build ? build : ".";
	snprintf(text, sizeof text, "%s/lab:%s/server:%s", build, build,
	    path ? path : "/usr/bin:/bin");
	setenv("PATH", text, 1);
	unsetenv("UPCASE_LAB");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(udp_loses, client_teardown),
		cmocka_unit_test_teardown(tcp_repairs, client_teardown),
		cmocka_unit_test_teardown(messages_and_stream, client_teardown),
		cmocka_unit_test_teardown(reordering, client_teardown),
		cmocka_unit_test_teardown(corruption, client_teardown),
		cmocka_unit_test_teardown(full_queue, client_teardown),
		cmocka_unit_test_teardown(nobody_listening, client_teardown),
		cmocka_unit_test_teardown(fragments, client_teardown),
		cmocka_unit_test_teardown(on_small_screens, client_teardown),
		cmocka_unit_test_teardown(left_early, client_teardown),
		cmocka_unit_test_teardown(anything_meanwhile, client_teardown),
		cmocka_unit_test_teardown(refusals, client_teardown),
		cmocka_unit_test_teardown(outside_the_lab, client_teardown),
	};

	set_path();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
