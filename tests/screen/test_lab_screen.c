/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real client in the real lab, in a terminal: what the screen says is what the link did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/impair-fields.h"
#include "tests/lib/client.h"
#include "tests/lib/cmocka-compat.h"

#define F(n) ((VTermKey)VTERM_KEY_FUNCTION(n))
#define LINES 200

/* upcase-lab with these options; the client in it, and when that has ended the link's own log of
 * what it lost. */
static struct terminal *lab(int rows, int columns, const char *options, const char *client_options)
{
	static char command[9000];
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	struct terminal *t;

	snprintf(command, sizeof command,
	    "exec %s -q --seed 7 %s -- sh -c '%s %s 10.9.0.2; %s ctl counts | grep lost-'",
	    lab_path(), options, client_path(), client_options, lab_path());
	t = term_start(rows, columns, argv, NULL);
	term_expect(t, "p>");
	term_expect(t, "link: ");
	return t;
}

static void press(struct terminal *t, int number)
{
	term_key(t, F(number), VTERM_MOD_NONE);
}

static void paste_lines(struct terminal *t, const char *word)
{
	static char text[LINES * 40];
	size_t used = 0;

	for (int i = 1; i <= LINES; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s %d\n", word, i);
	term_paste(t, text);
	term_expect(t, "Send 200 pasted lines?");
	term_type(t, "y");
}

/* The number before `words` on the screen, or behind them; -1 if they are not there. */
static long number_before(struct terminal *t, const char *words)
{
	int row, column;
	const char *at, *text;

	term_update(t);
	if (!term_find(t, words, &row, &column))
		return -1;
	text = term_row(t, row);
	at = strstr(text, words);
	while (at > text && at[-1] == ' ')
		at--;
	while (at > text && at[-1] >= '0' && at[-1] <= '9')
		at--;
	return strtol(at, NULL, 10);
}

static long number_behind(struct terminal *t, const char *words)
{
	int row, column;

	term_update(t);
	if (!term_find(t, words, &row, &column))
		return -1;
	return strtol(strstr(term_row(t, row), words) + strlen(words), NULL, 10);
}

static int count_rows(struct terminal *t, const char *words)
{
	int found = 0;

	for (int row = 0; row < term_rows(t); row++)
		found += strstr(term_row(t, row), words) != NULL;
	return found;
}

static void leave(struct terminal *t)
{
	press(t, 10);
	term_expect(t, "back lost-room 0");
	/* grep found something. */
	assert_int_equal(term_exit_status(t), 0);
}

/* Each line's fate on the screen is what the link's own log says. */
static void udp_loses_where_the_link_says(void **state)
{
	struct terminal *t = lab(230, 100, "--loss 20% --delay 20ms", "");
	int going, coming, lost;

	(void)state;
	term_expect(t, "link: loss 20 % each way, delay 20 ms");
	paste_lines(t, "line");
	client_expect_compared(t, LINES);
	going = count_rows(t, "──✗ lost going");
	coming = count_rows(t, "────✗ lost coming");
	lost = (int)number_behind(t, " lost ");
	print_message("# UDP: %d of 200 lost, %d going, %d coming\n", lost, going, coming);
	assert_uint_in_range(lost, 45, 100);
	/* "lost coming" is not counted among "lost going", since the wire is longer. */
	assert_int_equal(going + coming, lost);
	leave(t);
	assert_int_equal(number_behind(t, "there lost-random "), going);
	assert_int_equal(number_behind(t, "back lost-random "), coming);
	assert_int_equal(number_before(t, "lost going"), going);
	assert_int_equal(number_before(t, "lost coming"), coming);
	term_expect(t, "truth: 0 mismatches in 200 lines compared");
}

static void tcp_loses_nothing(void **state)
{
	struct terminal *t = lab(230, 120, "--loss 20% --delay 20ms", "-t");
	char line[20];

	(void)state;
	/* One after the other, so that there are many segments; a paste would be one or two. */
	for (int i = 1; i <= 20; i++) {
		snprintf(line, sizeof line, "line %d", i);
		client_line(t, line);
		snprintf(line, sizeof line, "LINE %d", i);
		term_expect(t, line);
	}
	term_expect_row(t, 0, "answered 20");
	assert_true(count_rows(t, "× again") > 0);
	paste_lines(t, "more");
	client_expect_compared(t, LINES + 20);
	term_expect_row(t, 0, "answered 220");
	client_line(t, "/link");
	term_expect(t, "This end's TCP");
	assert_true(number_behind(t, "sent again: ") > 0);
	term_type(t, "q");
	leave(t);
	term_expect(t, "answered 220 of 220");
	assert_true(number_behind(t, "there lost-random ") > 0);
}

static void drop_next(void **state)
{
	struct terminal *t = lab(24, 100, "", "");

	(void)state;
	term_expect(t, "link: a perfect wire");
	client_line(t, "/drop next request");
	term_expect(t, "the lab will drop next request");
	client_line(t, "first");
	client_line(t, "second");
	client_expect_pair(t, "2 second", "2 SECOND");
	client_expect_pair(t, "1 first", "✗ lost going, on cue");
	client_line(t, "/drop next reply");
	term_expect(t, "the lab will drop next reply");
	client_line(t, "third");
	client_line(t, "fourth");
	client_expect_pair(t, "4 fourth", "4 FOURTH");
	client_expect_pair(t, "3 third", "✗ lost coming, on cue");
	assert_int_equal(count_rows(t, "lost going"), 1);
	assert_int_equal(count_rows(t, "lost coming"), 1);
	client_expect_compared(t, 4);
	client_line(t, "/drop next nonsense");
	term_expect(t, "none of request, reply, datagram, segment");
	leave(t);
	assert_int_equal(number_behind(t, "there lost-cue "), 1);
	assert_int_equal(number_behind(t, "back lost-cue "), 1);
}

/* By number from the order on, by command and in the panel; a rule that delays says so too. */
static void drop_by_number(void **state)
{
	struct terminal *t = lab(30, 100, "--drop request:1", "");

	(void)state;
	client_line(t, "first");
	client_expect_pair(t, "1 first", "✗ lost going, on cue");
	client_line(t, "/drop request:2");
	term_expect(t, "-- link: will drop request:2");
	client_line(t, "second");
	client_line(t, "third");
	client_expect_pair(t, "2 second", "2 SECOND");
	client_expect_pair(t, "3 third", "✗ lost going, on cue");
	press(t, 7);
	term_expect(t, "> loss ");
	term_key(t, VTERM_KEY_UP, VTERM_MOD_NONE);
	term_key(t, VTERM_KEY_UP, VTERM_MOD_NONE);
	term_key(t, VTERM_KEY_TAB, VTERM_MOD_NONE);
	term_key(t, VTERM_KEY_RIGHT, VTERM_MOD_NONE);
	client_expect_pair(t, "> drop", "[reply]");
	client_expect_pair(t, "> drop", "[1]");
	term_key(t, VTERM_KEY_ENTER, VTERM_MOD_NONE);
	term_key(t, VTERM_KEY_ESCAPE, VTERM_MOD_NONE);
	term_expect(t, "-- link: will drop reply:1");
	client_line(t, "fourth");
	client_expect_pair(t, "4 fourth", "✗ lost coming, on cue");
	client_line(t, "/packet delay 300ms reply:1");
	term_expect(t, "-- link: will delay 300ms reply:1");
	client_line(t, "fifth");
	client_expect_pair(t, "5 fifth", "on cue");
	term_expect(t, ", held back, on cue");
	client_expect_compared(t, 5);
	leave(t);
	assert_int_equal(number_behind(t, "there lost-cue "), 2);
	assert_int_equal(number_behind(t, "back lost-cue "), 1);
	assert_int_equal(number_before(t, "packets dropped on cue"), 3);
}

/* A drop chooses its transport: the other one's line is not touched. */
static void drop_next_of_a_transport(void **state)
{
	struct terminal *t = lab(24, 80, "", "");

	(void)state;
	client_line(t, "/both");
	/* TCP's connection stands: its first line goes alone. */
	client_line(t, "zero");
	client_expect_pair(t, "1 zero", "ZERO");
	client_line(t, "/drop next udp request");
	term_expect(t, "-- link: will drop the next UDP request");
	client_line(t, "first");
	client_expect_pair(t, "2 first", "✗ lost going");
	client_line(t, "/drop next tcp request");
	term_expect(t, "-- link: will drop the next TCP request");
	client_line(t, "second");
	client_expect_pair(t, "3 second", "1× again");
	client_line(t, "/drop next udp syn");
	term_expect(t, "udp has no syn; for example: drop request:3,7");
	client_line(t, "/drop next tcp ack there");
	term_expect(t, "-- link: will drop the next TCP ACK there");
	client_line(t, "third");
	term_expect(t, "-- link: dropped an ACK going, on cue");
	client_expect_compared(t, 8);
	leave(t);
	assert_int_equal(number_behind(t, "there lost-cue "), 3);
	assert_int_equal(number_behind(t, "back lost-cue "), 0);
	assert_int_equal(number_before(t, "packets dropped on cue"), 3);
}

/* Whoever changes the link, a row says so, between the lines that it stands between. */
static void changes_have_rows(void **state)
{
	static const char *const rows[] = { "1 before", "-- link: loss 100 % each way", "2 between",
		"-- link: a perfect wire", "-- link: unplugged back for 200 ms",
		"-- link: plugged in again back", "-- link: loss 5 % each way",
		"-- connect: UDP 10.9.0.2:12000", "-- link: loss 1 % each way", "3 behind" };
	struct terminal *t = lab(24, 80, "", "--wait 300ms");
	int row, column, above = 0;

	(void)state;
	client_line(t, "before");
	client_expect_pair(t, "1 before", "1 BEFORE");
	client_line(t, "/link loss 100%");
	client_line(t, "between");
	client_expect_pair(t, "2 between", "✗ lost going");
	client_line(t, "/link preset none");
	client_line(t, "/unplug 200ms back");
	term_expect(t, rows[5]);
	/* Steps of the panel are one row, of the last of them. */
	press(t, 7);
	term_expect(t, "Up/Down choose");
	for (int i = 0; i < 5; i++)
		term_key(t, VTERM_KEY_RIGHT, VTERM_MOD_NONE);
	term_expect(t, "[5 %]");
	press(t, 7);
	term_expect(t, "-- link: loss 5 % each way");
	client_line(t, "/connect 10.9.0.2");
	/* Nor does what is typed wait for the row. */
	press(t, 7);
	for (int i = 0; i < 2; i++)
		term_key(t, VTERM_KEY_LEFT, VTERM_MOD_NONE);
	term_expect(t, "[1 %]");
	press(t, 7);
	client_line(t, "behind");
	term_expect(t, "3 behind");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++, above = row) {
		if (!term_find(t, rows[i], &row, &column))
			fail_msg("no row '%s'", rows[i]);
		assert_true(row > above);
	}
	assert_int_equal(count_rows(t, "-- link: "), 6);
	leave(t);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The SYN is lost and sent again after a second: who typed a line waited for that, as the test
 * does. */
static void waits_for_a_lost_syn(void **state)
{
	struct terminal *t = lab(40, 130, "--delay 20ms", "");
	double began, waited;
	int row, column;

	(void)state;
	client_line(t, "/drop next syn");
	term_expect(t, "-- link: will drop the next SYN");
	press(t, 2);
	began = seconds();
	client_line(t, "hello");
	client_expect_pair(t, "1 hello", "1 HELLO");
	client_expect_first_timeout(t, "1 HELLO (");
	client_expect_pair(t, "1 hello", " s connecting");
	client_expect_first_timeout(t, " TCP ");
	client_expect_pair(t, " TCP 1.", " connecting, ");
	client_expect_pair(t, " TCP 1.", " on the wire");
	assert_true(term_find(t, "1 hello", &row, &column));
	waited = strtod(strstr(term_row(t, row), "▶ ") + strlen("▶ "), NULL);
	print_message("# %.2f s on the row, %.3f s by the test's clock\n", waited,
	    seconds() - began);
	assert_true(waited > 0.8 && waited <= seconds() - began + 0.005);
	client_line(t, "again");
	client_expect_pair(t, "2 again", "2 AGAIN");
	client_expect_compared(t, 2);
	leave(t);
	assert_int_equal(number_behind(t, "there lost-cue "), 1);
	term_expect(t, " s, from Enter to reply");
	term_expect(t, " ms, on the wire");
}

static void hold_and_unplug(void **state)
{
	struct terminal *t = lab(24, 100, "", "--wait 800ms");

	(void)state;
	client_line(t, "/hold 2s there");
	term_expect(t, "the lab will hold 2s there");
	client_line(t, "held");
	client_expect_pair(t, "1 held", "(late");
	term_expect(t, "held");
	client_line(t, "/unplug 500ms");
	term_expect(t, "link: unplugged for 1 s");
	client_line(t, "gone");
	client_expect_pair(t, "2 gone", "✗ unplugged going");
	term_expect(t, "link: a perfect wire");
	client_line(t, "back again");
	client_expect_pair(t, "3 back again", "3 BACK AGAIN");
	client_expect_compared(t, 3);
	client_line(t, "/hold soon");
	term_expect(t, "for example: hold 3s");
	leave(t);
}

/* What somebody else tells the link shows at once, and that it is over, though nothing is typed. */
static void told_from_elsewhere(void **state)
{
	static char folder[] = "/tmp/test-lab-XXXXXX", fifo[40], command[9000];
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	struct terminal *t;
	FILE *go;

	(void)state;
	need_hosts();
	assert_non_null(mkdtemp(folder));
	snprintf(fifo, sizeof fifo, "%s/go", folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	snprintf(command, sizeof command,
	    "exec %s -q -- sh -c 'while read -r order; do %s ctl $order; done < %s > /dev/null & exec %s 10.9.0.2'",
	    lab_path(), lab_path(), fifo, client_path());
	t = term_start(24, 100, argv, NULL);
	term_expect(t, "link: a perfect wire");
	go = fopen(fifo, "w");
	assert_non_null(go);
	assert_true(fputs("unplug 1h there\n", go) >= 0 && fflush(go) == 0);
	term_expect(t, "link: unplugged there for");
	assert_true(fputs("unplug 2s there\n", go) >= 0 && fclose(go) == 0);
	term_expect(t, "link: a perfect wire");
	term_expect(t, "-- link: unplugged there for 2 s");
	term_expect(t, "-- link: plugged in again there");
	press(t, 10);
	assert_int_equal(term_exit_status(t), 0);
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* Connecting shows while it lasts, how it went, and what the next connection would say. */
static void connecting(void **state)
{
	struct terminal *t = lab(24, 100, "--delay 20ms", "");

	(void)state;
	term_expect(t, " F7 or /link loss 30% makes the link lose packets; /demo plays the tour.");
	client_line(t, "/drop next syn");
	term_expect(t, "next SYN");
	press(t, 2);
	term_expect(t, "-- TCP: SYN sent, lost going, on cue");
	assert_int_equal(number_before(t, "connected"), -1);
	client_expect_first_timeout(t, "TCP: SYN sent, lost going, on cue, again after ");
	client_expect_first_timeout(t, ", connected after ");
	client_line(t, "hello");
	client_expect_pair(t, "1 hello", "1 HELLO");
	client_expect_compared(t, 1);
	leave(t);
}

static void link_command(void **state)
{
	struct terminal *t = lab(40, 100, "--loss 20%", "");

	(void)state;
	client_line(t, "/link");
	term_expect(t, "expected      64.0 %");
	term_expect(t, "no line is decided");
	term_type(t, "q");
	client_line(t, "/link loss 100% back");
	term_expect(t, "link: there loss 20 %; back loss 100 %");
	client_line(t, "/link loss 30");
	term_expect(t, "needs its percent sign");
	client_line(t, "/link preset wifi");
	term_expect(t, "rate 100 mbit");
	client_line(t, "/link preset none");
	term_expect(t, "link: a perfect wire");
	paste_lines(t, "line");
	client_expect_compared(t, LINES);
	client_line(t, "/link");
	term_expect(t, "expected      100.0 %");
	term_expect(t, "measured      100.0 %, 200 of 200");
	term_expect(t, "consistent");
	term_type(t, "q");
	client_line(t, "/link presets");
	term_expect(t, "satellite: by a geostationary");
	term_type(t, "q");
	client_line(t, "/link novelty 3");
	term_expect(t, "the lab: ");
	leave(t);
}

/* Presses Down until the panel's mark stands before the setting. */
static void choose(struct terminal *t, const char *setting)
{
	char chosen[40];

	for (int id = 0; id < IMPAIR_FIELD_COUNT; id++) {
		const char *name = impair_fields[id].name;

		snprintf(chosen, sizeof chosen, "> %s ", name);
		term_expect(t, chosen);
		if (strcmp(name, setting) == 0)
			return;
		term_key(t, VTERM_KEY_DOWN, VTERM_MOD_NONE);
	}
	fail_msg("no setting '%s'", setting);
}

static void panel(void **state)
{
	struct terminal *t = lab(24, 100, "--loss 20%", "");

	(void)state;
	press(t, 7);
	term_expect(t, "Up/Down choose");
	client_expect_pair(t, "> loss", "[20 %]");
	term_key(t, VTERM_KEY_RIGHT, VTERM_MOD_NONE);
	term_expect(t, "link: loss 25 % each way");
	term_key(t, VTERM_KEY_TAB, VTERM_MOD_NONE);
	term_expect(t, "change there");
	term_key(t, VTERM_KEY_LEFT, VTERM_MOD_NONE);
	term_key(t, VTERM_KEY_LEFT, VTERM_MOD_NONE);
	term_key(t, VTERM_KEY_LEFT, VTERM_MOD_NONE);
	term_expect(t, "link: there loss 10 %; back loss 25 %");
	choose(t, "delay");
	term_key(t, VTERM_KEY_RIGHT, VTERM_MOD_NONE);
	term_expect(t, "link: there loss 10 %, delay 1 ms; back");
	press(t, 7);
	term_expect_gone(t, "Up/Down choose");
	/* Where F7 is not to be had. */
	client_line(t, "/link panel");
	term_expect(t, "Up/Down choose");
	term_key(t, VTERM_KEY_ESCAPE, VTERM_MOD_NONE);
	term_expect_gone(t, "Up/Down choose");
	/* The lab has got it all. */
	client_line(t, "/link");
	term_expect(t, "link: there loss 10 %, delay 1 ms; back loss 25 %");
	term_type(t, "q");
	leave(t);
}

/* The panel's presets, and Tab, on a screen of the usual size and on small ones. */
static void presets_and_completion(void **state)
{
	static const int sizes[][2] = { { 24, 80 }, { 40, 120 }, { 18, 64 }, { 12, 40 } };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct terminal *t = lab(sizes[i][0], sizes[i][1], "--loss 20%", "");

		press(t, 7);
		term_expect(t, "Left/Right change both ways; Esc leaves");
		if (sizes[i][1] >= 80)
			term_expect(t, "Esc leaves; Up/Down choose; Tab other ways");
		term_key(t, VTERM_KEY_UP, VTERM_MOD_NONE);
		client_expect_pair(t, "> preset", "[none]");
		for (int step = 0; step < 3; step++)
			term_key(t, VTERM_KEY_RIGHT, VTERM_MOD_NONE);
		client_expect_pair(t, "> preset", "[wifi]");
		term_key(t, VTERM_KEY_ENTER, VTERM_MOD_NONE);
		term_expect(t, "link: loss 0.5 % each way");
		term_key(t, VTERM_KEY_ESCAPE, VTERM_MOD_NONE);
		term_expect_gone(t, "> preset");
		term_type(t, "/li\tlo\t1\t");
		term_expect(t, "1% 10% 15% 100%");
		term_type(t, "5\tb\t");
		term_expect(t, "burst back");
		term_type(t, "a\t\r");
		term_expect(t, sizes[i][1] >= 80 ? "back loss 15 %" : "link: there loss 0.5 %");
		leave(t);
	}
}

static void outside_a_lab(void **state)
{
	struct terminal *t = client_private(24, 100, (struct client_arguments){ { NULL } });

	(void)state;
	client_line(t, "/link loss 20%");
	term_expect(t, CLIENT_NEEDS_LAB);
	client_line(t, "hello");
	client_expect_pair(t, "1 hello", "1 HELLO");
	press(t, 7);
	term_expect(t, CLIENT_NEEDS_LAB);
	term_expect_gone(t, "link: ");
	client_leave(t);
}

/* The lab's program ends first: told once, and the client goes on. */
static void no_such_lab(void **state)
{
	const char *const argv[] = { client_path(), NULL };
	const char *const env[] = { "UPCASE_LAB=/nonexistent/link", NULL };
	struct terminal *t = term_start(24, 100, argv, env);

	(void)state;
	term_expect(t, "UPCASE_LAB names a lab that is not there");
	client_line(t, "hello");
	client_expect_pair(t, "1 hello", "1 HELLO");
	client_leave(t);
}

#define TEST(name) cmocka_unit_test_teardown(name, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(udp_loses_where_the_link_says),
		TEST(tcp_loses_nothing),
		TEST(drop_next),
		TEST(waits_for_a_lost_syn),
		TEST(drop_by_number),
		TEST(drop_next_of_a_transport),
		TEST(changes_have_rows),
		TEST(hold_and_unplug),
		TEST(told_from_elsewhere),
		TEST(connecting),
		TEST(link_command),
		TEST(panel),
		TEST(presets_and_completion),
		TEST(outside_a_lab),
		TEST(no_such_lab),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
