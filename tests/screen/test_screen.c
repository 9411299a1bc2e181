/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real client in a terminal emulator: every key and command. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/child.h"
#include "tests/lib/client.h"

#define NO_MORE ((struct client_arguments){ { NULL } })
#define MORE(...) ((struct client_arguments){ { __VA_ARGS__ } })
#define F(n) ((VTermKey)VTERM_KEY_FUNCTION(n))

static void press(struct terminal *t, int number)
{
	term_key(t, F(number), VTERM_MOD_NONE);
}

static void line_comes_back(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	term_expect(t, "private upcased");
	term_expect_row(t, 0, "UDP 127.0.0.1:");
	term_expect_row(t, 1, "typed");
	term_expect_row(t, 1, "the wire");
	term_expect_row(t, 1, "replies");
	client_line(t, "hello");
	client_expect_pair(t, "1 hello", "1 HELLO");
	term_expect_row(t, 0, "sent 1");
	term_expect_row(t, 0, "answered 1");
	term_expect_row(t, 0, "lost 0");
	client_leave(t);
	/* What stays on the normal screen. */
	assert_false(term_alternate(t));
	term_expect(t, "--- UDP 127.0.0.1:");
	term_expect(t, "answered 1 of 1");
}

static void unicode_comes_back(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	client_line(t, "grüße ŉ ﬃ 漢字 e\xcc\x81");
	client_expect_pair(t, "grüße", "GRÜSSE ʼN FFI 漢字 E\xcc\x81");
	client_leave(t);
}

static void f2_and_commands_switch(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	press(t, 2);
	term_expect(t, "tcp>");
	term_expect_row(t, 0, "TCP 127.0.0.1:");
	client_line(t, "over tcp");
	client_expect_pair(t, "over tcp", "OVER TCP");
	client_line(t, "/udp");
	term_expect(t, "udp>");
	term_expect_row(t, 0, "UDP");
	term_expect_row(t, 0, "sent 0");
	client_line(t, "/t");
	term_expect_row(t, 0, "TCP");
	term_expect_row(t, 0, "sent 1");
	press(t, 2);
	term_expect_row(t, 0, "UDP");
	client_leave(t);
	term_expect(t, "--- TCP 127.0.0.1:");
}

static void slashes(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	client_line(t, "//etc/passwd");
	client_expect_pair(t, "/etc/passwd", "/ETC/PASSWD");
	client_line(t, "/nonsense");
	term_expect(t, "no such command");
	client_line(t, "/c");
	term_expect(t, "which one: /");
	client_leave(t);
}

static void empty_line_is_sent(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	client_line(t, "");
	term_expect_row(t, 0, "sent 1");
	term_expect_row(t, 0, "answered 1");
	press(t, 2);
	client_line(t, "");
	term_expect_row(t, 0, "TCP");
	term_expect_row(t, 0, "answered 1");
	client_leave(t);
}

static void help_page(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	press(t, 1);
	term_expect(t, "/connect");
	press(t, 1);
	term_expect_gone(t, "/connect");
	client_line(t, "/help");
	term_expect(t, "/connect");
	term_key(t, VTERM_KEY_PAGEDOWN, VTERM_MOD_NONE);
	term_expect(t, "In the lab");
	term_key(t, VTERM_KEY_ESCAPE, VTERM_MOD_NONE);
	term_expect_gone(t, "Esc or F1 leaves");
	client_line(t, "/help");
	term_expect(t, "/connect");
	term_type(t, "q");
	term_expect_gone(t, "/connect");
	/* The q was not typed. */
	client_line(t, "x");
	client_expect_pair(t, "1 x", "1 X");
	client_leave(t);
}

/* The bars of the line's row, where the headings have theirs, and nowhere else. */
static bool has_straight_bars(struct terminal *t, void *context)
{
	int row, column, bars = 0;

	if (!term_find(t, context, &row, &column))
		return false;
	for (int i = 0; i < term_columns(t); i++) {
		const uint32_t heading = term_cell(t, 2, i).chars[0],
		               here = term_cell(t, row, i).chars[0];
		const bool bar = heading == 0x2502 || heading == 0x2503;

		if (bar != (here == 0x2502 || here == 0x2503))
			return false;
		bars += bar;
	}
	return bars == 4;
}

/* A terminal that gives a character another width than wcwidth(), less or more. */
static void widths_that_differ(void **state)
{
	static const struct {
		const char *line, *reply, *character, *shown;
	} cases[] = {
		{ "thai \u0e17\u0e33 end", "THAI", "\u0e33", "" },
		{ "thai \u0e17\u0e33 end", "THAI", "\u0e33", "\u5b57" },
		{ "soft\u00adhyphen", "SOFT", "\u00ad", "" },
		{ "flag \U0001f1e9\U0001f1ea end", "FLAG", "\U0001f1ea", "\u5b57" },
		{ "flag \U0001f1e9\U0001f1ea end", "FLAG", "\U0001f1ea", "" },
		{ "joined \U0001f469\u200d\U0001f469\u200d\U0001f467 end", "JOINED", "\U0001f469",
		    "" },
		{ "heart \u2764\ufe0f end", "HEART", "\u2764", "\u5b57" },
		{ "heart \u2764\ufe0f end", "HEART", "\ufe0f", "" },
		{ "jamo \u1112\u1161\u11ab end", "JAMO", "\u1161", "x" },
		{ "\u0939\u093f end", "END", "\u093f", "" },
	};
	static const int sizes[][2] = { { 24, 80 }, { 40, 120 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const int *size = sizes[i % 2];
		struct terminal *t = client_private(size[0], size[1],
		    (struct client_arguments){ { "--both" } });

		term_show_as(t, cases[i].character, cases[i].shown);
		client_line(t, cases[i].line);
		term_expect(t, cases[i].reply);
		term_expect_that(t, has_straight_bars, (void *)(uintptr_t)cases[i].reply,
		    cases[i].line);
		client_line(t, "plain");
		term_expect(t, "PLAIN");
		term_expect_that(t, has_straight_bars, (void *)(uintptr_t)"PLAIN", "plain");
		term_expect_that(t, has_straight_bars, (void *)(uintptr_t)cases[i].reply,
		    cases[i].line);
		/* On the line of input the cursor goes over it and back. */
		term_type(t, cases[i].line);
		term_type(t, "\x01\x05\x15");
		client_line(t, "last");
		term_expect(t, "LAST");
		client_leave(t);
	}
}

/* Marks keep a terminal that reorders text from mirroring a row with two of them. */
static void right_to_left(void **state)
{
	static const int sizes[][2] = { { 24, 80 }, { 40, 120 } };
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct terminal *t = client_private(sizes[i][0], sizes[i][1], MORE("--both"));

		client_line(t, "plain");
		term_expect(t, "PLAIN");
		const char *raw = term_raw(t, &n);
		assert_null(memmem(raw, n, "\u200e", strlen("\u200e")));
		client_line(t, "\u05e9\u05dc\u05d5\u05dd");
		term_expect(t, "2 \u05e9\u05dc\u05d5\u05dd");
		term_expect_that(t, has_straight_bars, (void *)(uintptr_t)"2 \u05e9", "Hebrew");
		raw = term_raw(t, &n);
		assert_non_null(memmem(raw, n, " \u200e", strlen(" \u200e")));
		client_leave(t);
	}
}

static void f4_and_order(void **state)
{
	int port = child_python("scripted_server.py", "udp");
	struct terminal *t = client_to(port, 24, 80, NO_MORE);

	(void)state;
	client_line(t, "hold first");
	term_expect_row(t, 0, "sent 1");
	client_line(t, "second");
	client_expect_pair(t, "1 hold first", "1 HOLD FIRST");
	client_expect_pair(t, "2 second", "2 SECOND");
	press(t, 4);
	client_expect_pair(t, "1 hold first", "2 SECOND");
	client_expect_pair(t, "2 second", "1 HOLD FIRST");
	client_line(t, "/order");
	client_expect_pair(t, "2 second", "2 SECOND");
	client_leave(t);
}

static void scrolls(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);
	char text[30];

	(void)state;
	for (int i = 1; i <= 60; i++) {
		snprintf(text, sizeof text, "line%d", i);
		client_line(t, text);
	}
	term_expect(t, "LINE60");
	term_key(t, VTERM_KEY_PAGEUP, VTERM_MOD_NONE);
	term_expect(t, "more below --");
	term_expect_gone(t, "LINE60");
	/* The position is held when a new line comes. */
	term_key(t, VTERM_KEY_PAGEUP, VTERM_MOD_NONE);
	term_expect(t, "LINE20");
	/* Typing goes back to the end. */
	client_line(t, "the end");
	term_expect(t, "THE END");
	term_key(t, VTERM_KEY_HOME, VTERM_MOD_CTRL);
	term_expect(t, "LINE1");
	term_expect(t, "private upcased");
	term_key(t, VTERM_KEY_END, VTERM_MOD_CTRL);
	term_expect(t, "THE END");
	term_expect_gone(t, "more below --");
	term_key(t, VTERM_KEY_UP, VTERM_MOD_SHIFT);
	term_expect(t, "-- 1 more below --");
	term_key(t, VTERM_KEY_UP, VTERM_MOD_SHIFT);
	term_expect(t, "-- 2 more below --");
	term_key(t, VTERM_KEY_DOWN, VTERM_MOD_SHIFT);
	term_expect(t, "-- 1 more below --");
	term_key(t, VTERM_KEY_PAGEDOWN, VTERM_MOD_NONE);
	term_expect_gone(t, "more below --");
	client_leave(t);
}

static void position_is_held(void **state)
{
	int port = child_python("scripted_server.py", "udp");
	struct terminal *t = client_to(port, 24, 80, MORE("--wait=20s"));
	char text[30];

	(void)state;
	for (int i = 1; i <= 40; i++) {
		snprintf(text, sizeof text, "line%d", i);
		client_line(t, text);
	}
	client_line(t, "late 1500 the last");
	term_expect_row(t, 0, "answered 40");
	term_key(t, VTERM_KEY_PAGEUP, VTERM_MOD_NONE);
	term_expect(t, "more below --");
	term_expect_row(t, 0, "answered 41");
	term_expect(t, "more below --");
	term_expect_gone(t, "LATE 1500");
	client_leave(t);
}

static void finds(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);
	char text[30];

	(void)state;
	client_line(t, "a Needle in it");
	for (int i = 1; i <= 50; i++) {
		snprintf(text, sizeof text, "hay%d", i);
		client_line(t, text);
	}
	term_expect(t, "HAY50");
	client_line(t, "/find needle");
	term_expect(t, "a Needle in it");
	client_line(t, "/find");
	term_expect(t, "not found");
	client_line(t, "/find nothing of the kind");
	term_expect(t, "not found");
	client_leave(t);
}

static void clears(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	client_line(t, "to be cleared");
	term_expect(t, "TO BE CLEARED");
	client_line(t, "/clear");
	term_expect_gone(t, "TO BE CLEARED");
	term_expect_row(t, 0, "sent 1");
	client_line(t, "again");
	client_expect_pair(t, "2 again", "2 AGAIN");
	client_leave(t);
}

static void saves(void **state)
{
	struct terminal *t = client_private(24, 120, NO_MORE);
	char path[600], command[700], text[4000];
	FILE *in;
	size_t n;
	struct stat st;

	(void)state;
	client_line(t, "keep me");
	term_expect(t, "KEEP ME");
	snprintf(path, sizeof path, "%s/out.txt", term_home(t));
	snprintf(command, sizeof command, "/save %s", path);
	client_line(t, command);
	term_expect(t, "saved in");
	in = fopen(path, "r");
	assert_non_null(in);
	n = fread(text, 1, sizeof text - 1, in);
	text[n] = '\0';
	fclose(in);
	assert_non_null(strstr(text, "keep me"));
	assert_non_null(strstr(text, "KEEP ME"));
	assert_int_equal(stat(path, &st), 0);
	/* Never over a file that is there. */
	client_line(t, command);
	term_expect(t, "such a file already");
	/* Whatever the row has room for, the message has the file's name. */
	client_line(t, "again");
	term_expect(t, "AGAIN");
	client_line(t,
	    "/save ~/quite/../quite/../quite/../a name with many blanks, longer than the row is "
	    "wide.txt last 1");
	term_expect(t, "there is no such folder");
	snprintf(path, sizeof path, "%s/quite", term_home(t));
	assert_int_equal(mkdir(path, 0700), 0);
	client_line(t,
	    "/save ~/quite/../quite/../quite/../a name with many blanks, longer than the row is "
	    "wide.txt last 1");
	term_expect(t, "saved in /");
	term_expect(t, "longer than the row is wide.txt");
	snprintf(path, sizeof path, "%s/a name with many blanks, longer than the row is wide.txt",
	    term_home(t));
	in = fopen(path, "r");
	assert_non_null(in);
	n = fread(text, 1, sizeof text - 1, in);
	text[n] = '\0';
	fclose(in);
	assert_null(strstr(text, "KEEP ME"));
	assert_non_null(strstr(text, "AGAIN"));
	/* The screen without the command. */
	client_line(t, "/save x.txt last");
	term_expect(t, "none of its words");
	client_line(t, "/save ~/screen.svg");
	term_expect(t, "screen.svg");
	term_expect(t, "saved in /");
	snprintf(path, sizeof path, "%s/screen.svg", term_home(t));
	in = fopen(path, "r");
	assert_non_null(in);
	n = fread(text, 1, sizeof text - 1, in);
	text[n] = '\0';
	fclose(in);
	assert_non_null(strstr(text, "UDP</text>"));
	assert_null(strstr(text, "saved in"));
	/* A name of its own, in the current folder. */
	client_line(t, "/save");
	term_expect(t, "saved in upcase-2");
	assert_int_equal(sscanf(strstr(term_row(t, 23), "saved in "), "saved in %99s", command), 1);
	assert_int_equal(unlink(command), 0);
	client_line(t, "/save x.txt last");
	term_expect(t, "'last' is none of its words");
	client_line(t, "/save x.bmp");
	term_expect(t, "or .svg; for example lecture.txt");
	client_line(t, "/save /nonexistent/x.txt");
	term_expect(t, "there is no such folder");
	client_leave(t);
}

static void connects(void **state)
{
	char command[60];
	int port;
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	client_line(t, "to the first");
	term_expect(t, "TO THE FIRST");
	port = child_upcased();
	snprintf(command, sizeof command, "/connect 127.0.0.1 %d", port);
	client_line(t, command);
	snprintf(command, sizeof command, "UDP 127.0.0.1:%d", port);
	term_expect_row(t, 0, command);
	term_expect_row(t, 0, "sent 0");
	client_line(t, "to the second");
	client_expect_pair(t, "2 to the second", "2 TO THE SECOND");
	client_line(t, "/connect");
	term_expect(t, "/connect HOST [PORT]");
	client_line(t, "/connect 127.0.0.1 70000");
	term_expect(t, "is not a port");
	client_line(t, "/connect nobody.invalid");
	term_expect_row(t, 0, "again in");
	/* Where there is no network, there is no name server that knows. */
	assert_true(strstr(term_row(t, 0), "name not found") ||
	            strstr(term_row(t, 0), "no DNS answer"));
	client_leave(t);
}

static void paste_asks(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	term_paste(t, "one line");
	term_expect(t, "udp> one line");
	term_type(t, "\r");
	term_expect(t, "ONE LINE");
	term_paste(t, "alpha\nbeta\n/quit\n");
	term_expect(t, "Send 3 pasted lines?");
	term_type(t, "n");
	term_expect_gone(t, "pasted lines?");
	term_paste(t, "alpha\nbeta\n/quit\n");
	term_expect(t, "Send 3 pasted lines?");
	term_type(t, "y");
	client_expect_pair(t, "2 alpha", "2 ALPHA");
	client_expect_pair(t, "3 beta", "3 BETA");
	/* Pasted text is never a command. */
	client_expect_pair(t, "4 /quit", "4 /QUIT");
	client_leave(t);
}

static void wheel_is_opt_in(void **state)
{
	struct terminal *t = client_private(24, 80, MORE("--mouse"));
	struct terminal *without;
	char text[30];

	(void)state;
	for (int i = 1; i <= 40; i++) {
		snprintf(text, sizeof text, "line%d", i);
		client_line(t, text);
	}
	term_expect(t, "LINE40");
	term_wheel(t, true);
	term_expect(t, "-- 3 more below --");
	term_wheel(t, false);
	term_expect_gone(t, "more below --");
	client_leave(t);
	without = client_private(24, 80, NO_MORE);
	assert_false(term_mouse(without));
	client_leave(without);
}

static bool has_mouse(struct terminal *t, void *context)
{
	return term_mouse(t) == *(bool *)context;
}

static void expect_mouse(struct terminal *t, bool on)
{
	term_expect_that(t, has_mouse, &on, on ? "the mouse on" : "the mouse off");
}

static void click(struct terminal *t, int row, int column)
{
	term_click(t, row, column, 1, VTERM_MOD_NONE);
}

/* The mouse is switched while the program runs, by a key and by a command. */
static void mouse_is_switched(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	expect_mouse(t, false);
	term_key(t, VTERM_KEY_FUNCTION(8), VTERM_MOD_NONE);
	expect_mouse(t, true);
	term_expect_row(t, -1, "mouse on: ");
	client_line(t, "/mouse");
	expect_mouse(t, false);
	term_expect_row(t, -1, "mouse off: ");
	client_line(t, "/mouse on");
	client_line(t, "/mouse on");
	expect_mouse(t, true);
	client_line(t, "/mouse off");
	expect_mouse(t, false);
	client_line(t, "/mouse maybe");
	term_expect_row(t, -1, "on, off or nothing");
	expect_mouse(t, false);
	client_line(t, "/mouse");
	expect_mouse(t, true);
	client_leave(t);
	expect_mouse(t, false);
}

/* A mouse that was turned on while the program ran is off again wherever the program leaves the
 * terminal, and on when it comes back. */
static void mouse_is_given_back(void **state)
{
	static const int signals[] = { SIGTERM, SIGQUIT, SIGHUP };
	const char *argv[] = { client_path(), NULL };
	struct terminal *t;

	(void)state;
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		t = client_private(24, 80, NO_MORE);
		press(t, 8);
		expect_mouse(t, true);
		term_signal(t, signals[i]);
		term_exit_status(t);
		expect_mouse(t, false);
		term_close(t);
	}
	t = term_open(24, 80);
	term_run_job(t, argv);
	term_expect(t, "udp>");
	press(t, 8);
	expect_mouse(t, true);
	term_type(t, "\032");
	term_expect(t, "[stopped]");
	expect_mouse(t, false);
	term_type(t, "fg\n");
	expect_mouse(t, true);
	press(t, 10);
	term_expect(t, "answered 0 of 0");
	expect_mouse(t, false);
}

/* The keys of the last row are buttons; a click beside them, or of another button of the mouse,
 * does nothing. */
static void keys_are_buttons(void **state)
{
	struct terminal *t = client_private(24, 80, MORE("--mouse"));
	int row, column;

	(void)state;
	client_line(t, "hello");
	term_expect(t, "HELLO");
	term_type(t, "typed");
	term_expect_row(t, -1, "F2 udp/tcp");
	assert_true(term_find(t, "F2 udp/tcp", &row, &column));
	/* Between two buttons; to the right of all; the right button; with Shift and Ctrl. */
	click(t, -1, column - 1);
	click(t, -1, 79);
	term_click(t, -1, column, 3, VTERM_MOD_NONE);
	term_click(t, -1, column, 1, VTERM_MOD_SHIFT);
	term_click(t, -1, column, 1, VTERM_MOD_CTRL);
	/* Outside of the screen. */
	term_type(t, "\033[<0;3;2000M\033[<0;9999;24M");
	/* A click on the words is one on the key, whatever is typed. */
	click(t, -1, 6);
	term_expect_row(t, 1, "help");
	client_expect_pair(t, "udp> ", "typed");
	click(t, 5, 5);
	click(t, 0, 3);
	click(t, -1, column + 9);
	client_expect_pair(t, "tcp> ", "typed");
	term_expect_row(t, 1, "help");
	click(t, -1, 1);
	term_expect(t, "HELLO");
	assert_true(term_find(t, "^D quit", &row, &column));
	click(t, -1, column);
	assert_int_equal(term_exit_status(t), 0);
}

/* The row that is clicked is selected. */
static void click_selects(void **state)
{
	static const int sizes[][2] = { { 24, 80 }, { 40, 120 } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct terminal *t = client_private(sizes[i][0], sizes[i][1], MORE("--mouse"));
		int row, column;

		for (int k = 1; k <= 5; k++)
			client_line(t, k == 2 ? "second" : "other");
		term_expect(t, "5 OTHER");
		term_expect_gone(t, "▸");
		assert_true(term_find(t, "2 second", &row, &column));
		click(t, row, sizes[i][1] / 2);
		term_expect_row(t, row, "▸ 2 second");
		click(t, row + 1, column);
		term_expect_row(t, row + 1, "▸ 3 other");
		/* There is no row in the headings, and none on the line of input. */
		click(t, 1, column);
		click(t, -2, column);
		term_type(t, "x");
		term_expect_row(t, -2, "> x");
		term_expect_row(t, row + 1, "▸ 3 other");
		client_leave(t);
	}
}

static void control_keys(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	term_type(t, "never sent");
	term_expect(t, "udp> never sent");
	term_type(t, "\003");
	term_expect_gone(t, "never sent");
	term_type(t, "\f");
	term_type(t, "abc\004");
	term_expect(t, "udp> abc");
	term_type(t, "\025\004");
	assert_int_equal(term_exit_status(t), 0);
	term_expect(t, "answered 0 of 0");
}

/* Esc, and nothing at once behind it, takes nothing with it. */
static void lone_escape(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	client_line(t, "/stats");
	term_expect(t, "Esc or F1 leaves");
	term_key(t, VTERM_KEY_ESCAPE, VTERM_MOD_NONE);
	term_expect_gone(t, "Esc or F1 leaves");
	/* Without a page it takes away a message, which tells here that it was taken for Esc alone.
	 */
	client_line(t, "/nonsense");
	term_expect_row(t, -1, "no such command");
	term_key(t, VTERM_KEY_ESCAPE, VTERM_MOD_NONE);
	term_expect_row(t, -1, "F4 order");
	client_line(t, "/stats");
	term_expect(t, "Esc or F1 leaves");
	term_type(t, "q");
	/* At once it is Meta: back a word, and forward. */
	term_type(t, "ab cd\033b");
	term_expect_cursor(t, -2, 9);
	term_type(t, "\033f");
	term_expect_cursor(t, -2, 11);
	term_type(t, "\r");
	client_expect_pair(t, "1 ab cd", "1 AB CD");
	client_leave(t);
}

/* Ways out and to the help that need no function key. */
static void leaves_without_function_keys(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	term_expect_row(t, -1, "? help  ^D quit");
	term_type(t, "?");
	term_expect(t, "/connect");
	term_key(t, VTERM_KEY_ESCAPE, VTERM_MOD_NONE);
	term_expect_gone(t, "/connect");
	/* What begins with it can be sent. */
	client_line(t, "??what");
	client_expect_pair(t, "1 ?what", "1 ?WHAT");
	client_line(t, "\x16?quoted");
	client_expect_pair(t, "2 ?quoted", "2 ?QUOTED");
	client_line(t, "what?");
	client_expect_pair(t, "3 what?", "3 WHAT?");
	term_paste(t, "?pasted");
	term_type(t, "\r");
	client_expect_pair(t, "4 ?pasted", "4 ?PASTED");
	/* Ctrl-C drops what is typed, then says how to leave; another key is not the second Ctrl-C.
	 */
	term_type(t, "typed\003");
	term_expect_row_is(t, -2, " udp>");
	term_expect_row(t, -1, "^D quit");
	term_type(t, "\003");
	term_expect_row(t, -1, "Ctrl-C once more leaves");
	term_type(t, "x\003");
	term_expect_row_is(t, -2, " udp>");
	term_type(t, "\003");
	term_expect_row(t, -1, "Ctrl-C once more leaves");
	/* It is not said for longer than it is true. */
	term_expect_row(t, -1, "^D quit");
	term_type(t, "\003");
	term_expect_row(t, -1, "Ctrl-C once more leaves");
	term_type(t, "\003");
	assert_int_equal(term_exit_status(t), 0);
	term_expect(t, "answered 4 of 4");
}

/* Help and the way out are the last that a narrow screen leaves out. */
static void keys_on_any_width(void **state)
{
	struct terminal *t = client_private(40, 120, NO_MORE);

	(void)state;
	term_expect_row_is(t, -1,
	    " ? help  ^D quit  F2 udp/tcp  F3 both  F4 order  F5 burst  F6 plot  F7 link"
	    "  F8 mouse");
	term_resize(t, 18, 64);
	term_expect_row_is(t, -1, " ? help  ^D quit  F2 udp/tcp  F3 both  F4 order  F5 burst");
	term_resize(t, 12, 40);
	term_expect_row_is(t, -1, " ? help  ^D quit  F2 udp/tcp  F3 both");
	term_resize(t, 8, 30);
	term_expect_row_is(t, -1, " ? help  ^D quit  F2 udp/tcp");
	term_resize(t, 6, 16);
	term_expect_row_is(t, -1, " ? help  ^D quit");
	/* "?" stands apart from "help", without colours too. */
	assert_true(term_cell(t, 5, 1).attrs.bold && !term_cell(t, 5, 1).attrs.reverse);
	assert_true(term_cell(t, 5, 3).attrs.reverse && !term_cell(t, 5, 3).attrs.bold);
	client_leave(t);
}

/* What the terminal answers to somebody else's questions, split anywhere. */
static void answers_are_no_keys(void **state)
{
	static const char answers[] =
	    "\033[24;80R\033]11;rgb:1e1e/1e1e/1e1e\a\033P>|XTerm(370)\033\\\033[?62;c\033_Gi=1;OK\033\\"
	    "\033[?2026;2$y\033[8;24;80t\xc2\x9b"
	    "24;80R";
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	for (size_t i = 0; i < sizeof answers - 1; i++) {
		term_bytes(t, answers + i, 1);
		term_update(t);
	}
	client_line(t, "and this");
	client_expect_pair(t, "1 and this", "1 AND THIS");
	term_expect_row_is(t, -2, " udp>");
	/* F3 in its forms. */
	for (size_t i = 0; i < 4; i++) {
		static const char *const forms[] = { "\033OR", "\033[13~", "\033[R", "\033[1;2R" };

		term_type(t, forms[i]);
		term_expect_row(t, -2, i % 2 ? "udp>" : "both>");
	}
	client_leave(t);
}

/* The end of a paste that never comes. */
static void unfinished_paste(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	/* Ctrl-C among other bytes is text; alone it frees. That a message goes tells that a key
	 * was taken. */
	client_line(t, "/nonsense");
	term_expect_row(t, -1, "no such command");
	term_type(t, "\033[200~lost \003 of");
	term_update(t);
	term_type(t, "\003");
	term_expect_row(t, -1, "F4 order");
	client_line(t, "free");
	client_expect_pair(t, "1 free", "1 FREE");
	/* Without it: what came is there to be seen. */
	term_type(t, "\033[200~half");
	term_expect(t, "the end of the paste did not come");
	term_expect_row_is(t, -2, " udp> half");
	client_line(t, " a line");
	client_expect_pair(t, "2 half a line", "2 HALF A LINE");
	term_type(t, "\033[200~one\ntwo");
	term_expect(t, "Send 2 pasted lines (the end did not come)? y sends them, n drops them");
	term_type(t, "y");
	client_expect_pair(t, "4 two", "4 TWO");
	client_leave(t);
}

/* Over TCP the replies stay beside their lines. */
static void line_feed_ends_a_line(void **state)
{
	struct terminal *t = client_private(24, 80, MORE("-t"));

	(void)state;
	client_line(t, "one\x16\ntwo");
	client_line(t, "three");
	client_expect_pair(t, "1 one", "1 ONE");
	client_expect_pair(t, "2 two", "2 TWO");
	client_expect_pair(t, "3 three", "3 THREE");
	term_expect_row(t, 0, "sent 3");
	term_expect_row(t, 0, "answered 3");
	client_leave(t);
}

/* Without an alternate screen the rows stay, and the summary follows them. */
static void leaves_clean_rows(void **state)
{
	static const char *const terms[] = { "vt100", "screen" };
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
		const char *argv[] = { client_path(), NULL };
		struct terminal *t = term_open(24, 80);

		term_setenv(t, "TERM", terms[i]);
		term_without_alternate(t);
		term_run(t, argv);
		term_expect_row(t, -1, "F4 order");
		/* The summary moves the first rows out of the screen. */
		for (int line = 1; line <= 8; line++)
			client_line(t, "stays");
		client_expect_pair(t, "8 stays", "8 STAYS");
		term_type(t, "\004");
		assert_int_equal(term_exit_status(t), 0);
		term_expect(t, "answered 8 of 8");
		client_expect_pair(t, "8 stays", "8 STAYS");
		for (int row = 0; row < term_rows(t); row++) {
			snprintf(text, sizeof text, "%s", term_row(t, row));
			assert_null(strstr(text, "^D quit"));
			assert_null(strstr(text, "F4 order"));
			assert_null(strstr(text, "udp>"));
		}
		term_close(t);
	}
}

static void completion(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	term_type(t, "/he\t");
	term_expect(t, "udp> /help");
	term_type(t, "\025/c\t\t");
	term_expect(t, "/clear");
	term_expect(t, "/connect");
	term_type(t, "\025");
	client_leave(t);
}

static void history_is_kept(void **state)
{
	const char *argv[] = { client_path(), NULL };
	struct terminal *t = term_start(24, 80, argv, NULL);

	(void)state;
	term_expect(t, "udp>");
	client_line(t, "remember me");
	term_expect(t, "REMEMBER ME");
	client_leave(t);
	term_run(t, argv);
	term_expect_row(t, 0, "sent 0");
	term_key(t, VTERM_KEY_UP, VTERM_MOD_NONE);
	term_expect(t, "udp> remember me");
	term_key(t, VTERM_KEY_DOWN, VTERM_MOD_NONE);
	term_expect_gone(t, "remember me");
	term_type(t, "\022mem");
	term_expect(t, "i-search");
	term_expect(t, "remember me");
	term_type(t, "\r");
	term_expect(t, "REMEMBER ME");
	client_leave(t);
}

static void inputrc_and_vi(void **state)
{
	const char *argv[] = { client_path(), NULL };
	struct terminal *t = term_open(24, 80);

	(void)state;
	term_setenv(t, "INPUTRC",
	    term_file(t, "inputrc",
	        "$if upcase\nset editing-mode vi\n\"\\C-g\": \"from inputrc\"\n$endif\n"));
	term_run(t, argv);
	term_expect(t, "udp>");
	term_type(t, "\007");
	term_expect(t, "udp> from inputrc");
	term_type(t, "\033");
	term_expect_cursor(t, 22, 17);
	term_type(t, "0dwiX");
	term_expect(t, "udp> Xinputrc");
	term_type(t, "\r");
	term_expect(t, "XINPUTRC");
	client_leave(t);
}

static void stops_and_continues(void **state)
{
	const char *argv[] = { client_path(), NULL };
	struct terminal *t = term_open(24, 80);

	(void)state;
	term_run_job(t, argv);
	term_expect(t, "udp>");
	client_line(t, "before");
	term_expect(t, "BEFORE");
	term_type(t, "\032");
	term_expect(t, "[stopped]");
	assert_false(term_alternate(t));
	term_type(t, "fg\n");
	term_expect(t, "BEFORE");
	client_line(t, "after");
	term_expect(t, "AFTER");
	press(t, 10);
	term_expect(t, "answered 2 of 2");
}

static void attack_is_harmless(void **state)
{
	int port = child_python("scripted_server.py", "udp");
	struct terminal *t = client_to(port, 24, 80, NO_MORE);
	const char *raw;
	size_t n;

	(void)state;
	client_line(t, "attack now");
	client_expect_pair(t, "1 attack now", "1 ATTACK NOW");
	term_expect(t, "^[]0;owned^G");
	raw = term_raw(t, &n);
	assert_null(memmem(raw, n, "\033]0;owned", 9));
	assert_null(memmem(raw, n, "\xe2\x80\xae", 3));
	client_leave(t);
}

static void no_color(void **state)
{
	const char *argv[] = { client_path(), NULL }, *env[] = { "NO_COLOR=1", NULL };
	struct terminal *t = term_start(24, 80, argv, env);
	VTermScreenCell cell;

	(void)state;
	client_line(t, "plain");
	term_expect(t, "PLAIN");
	for (int row = 0; row < 24; row++)
		for (int column = 0; column < 80; column++) {
			cell = term_cell(t, row, column);
			assert_true(VTERM_COLOR_IS_DEFAULT_FG(&cell.fg));
			assert_true(VTERM_COLOR_IS_DEFAULT_BG(&cell.bg));
		}
	client_leave(t);
}

/* Not as xterm: the emulator takes its "repeat the last character" wrongly at the end of a row. */
static void ascii_outside_utf8(void **state)
{
	const char *argv[] = { client_path(), NULL }, *env[] = { "LC_ALL=C", "TERM=vt220", NULL };
	struct terminal *t = term_start(24, 80, argv, env);
	const char *raw;
	size_t n;

	(void)state;
	client_line(t, "hello");
	client_expect_pair(t, "1 hello", "1 HELLO");
	/* Pages too have a sign for each, not a question mark; the only one is a key, in the last
	 * row. */
	client_line(t, "/stats");
	term_expect(t, "0-79");
	for (int row = 0; row < term_rows(t) - 1; row++)
		assert_null(strchr(term_row(t, row), '?'));
	term_expect_row_is(t, -1,
	    " ? help  ^D quit  F2 udp/tcp  F3 both  F4 order  F5 burst  F6 plot  F7 link");
	press(t, 1);
	client_leave(t);
	raw = term_raw(t, &n);
	for (size_t i = 0; i < n; i++)
		assert_true((unsigned char)raw[i] < 0x80);
}

static void refused_says_what_to_do(void **state)
{
	struct terminal *t;
	int port = child_upcased();

	(void)state;
	child_stop_last();
	t = client_to(port, 24, 100, MORE("-t"));
	term_expect(t, "refused");
	term_expect(t, "again in");
	client_line(t, "waits for its server");
	term_expect(t, "connecting");
	press(t, 2);
	client_line(t, "over udp");
	client_expect_pair(t, "over udp", "refused");
	term_expect_row(t, 0, "refused 1");
	client_leave(t);
}

/* Nobody takes the connections that this listener's queue has no room for. */
static int full_listener(int *port, int fillers[8])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	*port = ntohs(a.sin_port);
	for (int i = 0; i < 8; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&a, sizeof a);
	}
	return fd;
}

static void timed_out_says_so(void **state)
{
	int port, fillers[8], listener = full_listener(&port, fillers);
	struct terminal *t = client_to(port, 24, 100, MORE("-t", "--connect-timeout=200ms"));

	(void)state;
	term_expect(t, "timed out, again in");
	client_leave(t);
	for (int i = 0; i < 8; i++)
		close(fillers[i]);
	close(listener);
}

/* In a network namespace of its own there is no way anywhere. */
static void unreachable_says_so(void **state)
{
	const char *argv[] = { "unshare", own_namespace("-n"), client_path(), "-t", "10.9.9.9",
		NULL };
	struct terminal *t = term_start(24, 100, argv, NULL);

	(void)state;
	term_expect(t, "unreachable, again in");
	press(t, 2);
	client_line(t, "no way");
	client_expect_pair(t, "1 no way", "opening");
	client_leave(t);
}

/* A name server that never answers: the screen goes on. */
static void dead_resolver(void **state)
{
	char command[1200];
	const char *argv[] = { "unshare", own_namespace("-mn"), "sh", "-c", command, NULL };
	struct terminal *t = term_open(24, 80);

	(void)state;
	term_file(t, "etc/resolv.conf", "nameserver 192.0.2.53\n");
	term_file(t, "etc/nsswitch.conf", "hosts: dns\n");
	/* What the loopback interface is given for an address that is not its own is dropped
	 * without a word. */
	snprintf(command, sizeof command,
	    "ip link set lo up && ip route add 192.0.2.53 dev lo && mount --bind '%s/etc' /etc && "
	    "exec '%s' -t some.name.example",
	    term_home(t), client_path());
	term_run(t, argv);
	term_expect_row(t, 0, "looking up");
	client_line(t, "typed meanwhile");
	client_expect_pair(t, "1 typed meanwhile", "connecting");
	term_expect_row(t, 0, "looking up");
	client_leave(t);
}

static void hang_up_ends_it(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	term_hang_up(t);
	term_exit_status(t);
}

static void sigterm_restores(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);
	struct termios before = term_modes_before(t), after;

	(void)state;
	client_line(t, "x");
	term_expect(t, "1 X");
	term_signal(t, SIGTERM);
	term_exit_status(t);
	after = term_modes(t);
	assert_int_equal(before.c_lflag, after.c_lflag);
	assert_false(term_alternate(t));
	term_expect(t, "answered 1 of 1");
}

#define TEST(name) cmocka_unit_test_teardown(name, client_teardown)

/* More peers than one run keeps, none of them ever sent a line: they cost nothing. */
static void many_peers(void **state)
{
	struct terminal *t = client_private(24, 80, MORE(0));
	int port = child_python("scripted_server.py", "udp");
	char line[60];

	(void)state;
	for (int i = 0; i < 300; i++) {
		client_line(t, "/connect 127.0.0.1 9");
		if (i % 20 == 0)
			client_line(t, "/connect 127.0.0.1 10");
	}
	snprintf(line, sizeof line, "/connect 127.0.0.1 %d", port);
	client_line(t, line);
	client_line(t, "after all");
	client_expect_pair(t, "after all", "AFTER ALL");
	client_leave(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(line_comes_back),
		TEST(unicode_comes_back),
		TEST(f2_and_commands_switch),
		TEST(slashes),
		TEST(empty_line_is_sent),
		TEST(help_page),
		TEST(widths_that_differ),
		TEST(right_to_left),
		TEST(f4_and_order),
		TEST(scrolls),
		TEST(position_is_held),
		TEST(finds),
		TEST(clears),
		TEST(saves),
		TEST(connects),
		TEST(paste_asks),
		TEST(wheel_is_opt_in),
		TEST(mouse_is_switched),
		TEST(mouse_is_given_back),
		TEST(keys_are_buttons),
		TEST(click_selects),
		TEST(control_keys),
		TEST(lone_escape),
		TEST(leaves_without_function_keys),
		TEST(keys_on_any_width),
		TEST(answers_are_no_keys),
		TEST(unfinished_paste),
		TEST(line_feed_ends_a_line),
		TEST(leaves_clean_rows),
		TEST(completion),
		TEST(history_is_kept),
		TEST(inputrc_and_vi),
		TEST(stops_and_continues),
		TEST(attack_is_harmless),
		TEST(no_color),
		TEST(ascii_outside_utf8),
		TEST(refused_says_what_to_do),
		TEST(timed_out_says_so),
		TEST(unreachable_says_so),
		TEST(dead_resolver),
		TEST(hang_up_ends_it),
		TEST(sigterm_restores),
		TEST(many_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
