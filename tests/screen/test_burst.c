/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real client in a terminal emulator: both transports at once, and generated lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/lib/child.h"
#include "tests/lib/client.h"

#define NO_MORE ((struct client_arguments){ { NULL } })
#define MORE(...) ((struct client_arguments){ { __VA_ARGS__ } })
#define F(n) ((VTermKey)VTERM_KEY_FUNCTION(n))
/* Rows enough for a summary of both transports, also with what it says of a busy machine. */
#define TALL 40
/* How often a time is measured: a machine that is busy with other things is tried again. */
#define ROUNDS 5

static void press(struct terminal *t, int number)
{
	term_key(t, F(number), VTERM_MOD_NONE);
}

static void interrupt(struct terminal *t)
{
	term_bytes(t, "\003", 1);
}

static void f3_sends_over_both(void **state)
{
	struct terminal *t = client_private(TALL, 100, NO_MORE);

	(void)state;
	client_line(t, "udp alone");
	press(t, 3);
	term_expect(t, "both>");
	client_line(t, "side by side");
	client_expect_pair(t, "2 side by side", "SIDE BY SIDE");
	term_expect_row(t, 2, "UDP replies");
	term_expect_row(t, 2, "TCP replies");
	press(t, 3);
	term_expect(t, "udp>");
	client_line(t, "alone again");
	client_expect_pair(t, "3 alone again", "ALONE AGAIN");
	client_leave(t);
	client_expect_figures(t, "answered", "3 of 3", "1 of 1");
}

static void both_is_left_by_each_command(void **state)
{
	struct terminal *t = client_private(24, 80, MORE("--both"));

	(void)state;
	term_expect(t, "both>");
	client_line(t, "/udp");
	term_expect(t, "udp>");
	client_line(t, "/both");
	term_expect(t, "both>");
	client_line(t, "/tcp");
	term_expect(t, "tcp>");
	/* F3 leads back to where it came from. */
	press(t, 3);
	term_expect(t, "both>");
	press(t, 3);
	term_expect(t, "tcp>");
	press(t, 3);
	term_expect(t, "both>");
	/* F2 to the other. */
	press(t, 2);
	term_expect(t, "udp>");
	client_leave(t);
}

static void both_connect_elsewhere(void **state)
{
	const int port = child_python("scripted_server.py", "udp");
	struct terminal *t = client_private(TALL, 100, MORE("-b"));
	char line[80];

	(void)state;
	client_line(t, "first");
	client_expect_pair(t, "1 first", "FIRST");
	snprintf(line, sizeof line, "/connect 127.0.0.1 %d", port);
	client_line(t, line);
	term_expect(t, "refused");
	client_line(t, "second");
	client_expect_pair(t, "2 second", "SECOND");
	client_leave(t);
	client_expect_figures(t, "answered", "1 of 1", "0 of 1");
}

static void pastes_go_over_both(void **state)
{
	struct terminal *t = client_private(TALL, 100, MORE("-b"));

	(void)state;
	term_paste(t, "one\ntwo\nthree\n");
	term_expect(t, "Send 3 pasted lines?");
	term_type(t, "y");
	client_expect_pair(t, "3 three", "THREE");
	term_expect_row(t, 1, "answered 3");
	client_leave(t);
	client_expect_figures(t, "answered", "3 of 3", "3 of 3");
}

static void burst_sends_numbered_lines(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	client_line(t, "hello");
	client_line(t, "/burst 20 every 1ms size 12");
	client_expect_pair(t, "line 21 abcd", "LINE 21 ABCD");
	term_expect(t, "burst: 20 lines sent in");
	term_expect_row(t, 0, "sent 21");
	/* F5 does the same again. */
	press(t, 5);
	client_expect_pair(t, "line 41 abcd", "LINE 41 ABCD");
	term_expect_row(t, 0, "sent 41");
	client_leave(t);
}

static void f5_alone_sends_a_hundred(void **state)
{
	static const char sent[] = "burst: 100 lines sent in ";
	int row, column;
	bool as_planned = false;

	(void)state;
	/* 990 ms from the first to the last, more where the machine is late. */
	for (int round = 0; round < ROUNDS && !as_planned; round++) {
		struct terminal *t = client_private(TALL, 80, MORE("-b"));

		press(t, 5);
		term_expect(t, sent);
		as_planned = term_find(t, "burst: 100 lines sent in 9", &row, &column);
		term_expect_row(t, 1, "answered 100");
		client_leave(t);
		client_expect_figures(t, "answered", "100 of 100", "100 of 100");
		term_close(t);
	}
	assert_true(as_planned);
}

static void wrong_bursts_say_how(void **state)
{
	struct terminal *t = client_private(24, 110, NO_MORE);
	static const char *const cases[][2] = {
		{ "/burst", "wants a number of lines; for example /burst 200 every 5ms size 100" },
		{ "/burst x", "'x' is not a number of lines" },
		{ "/burst 5 every", "every wants a duration" },
		{ "/burst 5 every soon", "every 'soon' is not a duration" },
		{ "/burst 5 size 70000", "size '70000' is not a number of bytes" },
		{ "/burst 5 now", "'now' is neither 'every' nor 'size'" },
		{ "/bulk", "/bulk wants a duration; for example /bulk 5s size 1000" },
		{ "/bulk soon", "'soon' is not a duration, 1ms to 1h" },
		{ "/bulk 5s", "/bulk is for TCP alone, UDP has no flow control: /tcp first" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		client_line(t, cases[i][0]);
		term_expect(t, cases[i][1]);
	}
	term_expect_row(t, 0, "sent 0");
	client_leave(t);
}

/* As fast as TCP takes them: keys are taken meanwhile, and lines behind them are answered. */
static void bulk_lines_tell_the_goodput(void **state)
{
	struct terminal *t = client_private(24, 90, MORE("-t"));

	(void)state;
	client_line(t, "/bulk 1h");
	term_expect(t, "B/s ");
	term_type(t, "typed meanwhile");
	term_expect(t, "tcp> typed meanwhile");
	interrupt(t);
	term_expect(t, "sent, goodput ");
	term_expect(t, "bulk: ");
	term_bytes(t, "\r", 1);
	term_expect(t, "TYPED MEANWHILE");
	client_line(t, "/stats");
	term_expect(t, "goodput");
	client_line(t, "q");
	/* Another transport ends them. */
	client_line(t, "/bulk 1h size 100");
	term_expect(t, "B/s ");
	press(t, 2);
	term_expect(t, "lines of 100 bytes in ");
	press(t, 5);
	term_expect(t, "/bulk is for TCP alone");
	client_leave(t);
	term_expect(t, "bulk: ");
}

static void it_is_stopped(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	client_line(t, "/burst 100000 every 1s");
	client_expect_pair(t, "line 2", "LINE 2");
	term_expect(t, "/100000 · ");
	term_type(t, "typed meanwhile");
	term_expect(t, "udp> typed meanwhile");
	/* Ctrl-C drops the burst first, then the line. */
	interrupt(t);
	term_expect(t, "of 100000 lines sent");
	term_expect(t, "udp> typed meanwhile");
	interrupt(t);
	term_expect_gone(t, "typed meanwhile");
	press(t, 5);
	client_expect_pair(t, "line 3", "LINE 3");
	press(t, 5);
	client_line(t, "the end");
	client_expect_pair(t, "the end", "THE END");
	client_leave(t);
}

/* Lines typed during a burst do not wait for the window. */
static void typing_goes_on(void **state)
{
	const int port = child_python("scripted_server.py", "udp");
	struct terminal *t = client_to(port, 24, 80, MORE("--wait=1h", "--window=1"));

	(void)state;
	client_line(t, "lose this");
	term_expect_row(t, 0, "sent 1");
	client_line(t, "/burst 5000 every 50ms");
	client_expect_pair(t, "line 4", "LINE 4");
	client_line(t, "typed");
	client_expect_pair(t, "typed", "TYPED");
	interrupt(t);
	term_expect(t, "of 5000 lines sent");
	client_leave(t);
}

static void the_command_line_starts_one(void **state)
{
	struct terminal *t = client_private(24, 80, MORE("--count=5", "--interval=1ms", "--tcp"));

	(void)state;
	client_expect_pair(t, "line 5", "LINE 5");
	term_expect(t, "burst: 5 lines sent");
	term_expect_row(t, 0, "TCP");
	term_expect_row(t, 0, "sent 5");
	/* The screen stays. */
	client_line(t, "still there");
	client_expect_pair(t, "still there", "STILL THERE");
	client_leave(t);
}

static void lines_have_no_end(int rows, int columns)
{
	struct terminal *t = client_private(rows, columns, MORE("--count=0", "--interval=10ms"));
	const char *shown;

	client_expect_pair(t, "line 20", "LINE 20");
	term_expect_row(t, 0, "burst ");
	/* The number sent, of no number. */
	shown = strstr(term_row(t, 0), "burst ") + strlen("burst ");
	assert_int_equal(shown[strspn(shown, "0123456789")], ' ');
	interrupt(t);
	term_expect(t, " lines sent in ");
	client_leave(t);
	term_close(t);
}

static void lines_without_an_end(void **state)
{
	(void)state;
	lines_have_no_end(24, 80);
	lines_have_no_end(40, 120);
}

static void a_duration_ends_them(void **state)
{
	struct terminal *t = client_private(24, 80, MORE("--duration=200ms", "--interval=10ms"));

	(void)state;
	term_expect(t, "burst: 20 lines sent in ");
	client_line(t, "still there");
	client_expect_pair(t, "still there", "STILL THERE");
	client_leave(t);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A key is answered while as many lines as can be go out and come back. Returns the time of the
 * slowest of 20, s. */
static double slowest_key(void)
{
	struct terminal *t = client_private(24, 80, MORE("--count=100000", "--interval=20us"));
	double worst = 0;
	char shown[40] = "udp> ";

	term_expect(t, "line ");
	for (int i = 0; i < 20; i++) {
		const char key[2] = { (char)('a' + i), '\0' };
		const double before = seconds();

		strcat(shown, key);
		term_type(t, key);
		term_expect(t, shown);
		if (seconds() - before > worst)
			worst = seconds() - before;
	}
	print_message("# the slowest of 20 keys took %.1f ms\n", 1000 * worst);
	term_expect(t, "burst: 100000 lines sent");
	term_expect_row(t, 0, "sent 100000");
	client_leave(t);
	term_close(t);
	return worst;
}

static void keys_are_answered(void **state)
{
	double worst = slowest_key();

	(void)state;
	/* The machine may have other work; the bench measures upcase alone. */
	for (int round = 1; round < ROUNDS && worst >= 0.5; round++)
		worst = slowest_key();
	assert_true(worst < 0.5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, client_teardown)
	const struct CMUnitTest tests[] = {
		TEST(f3_sends_over_both),
		TEST(both_is_left_by_each_command),
		TEST(bulk_lines_tell_the_goodput),
		TEST(both_connect_elsewhere),
		TEST(pastes_go_over_both),
		TEST(burst_sends_numbered_lines),
		TEST(f5_alone_sends_a_hundred),
		TEST(wrong_bursts_say_how),
		TEST(it_is_stopped),
		TEST(typing_goes_on),
		TEST(the_command_line_starts_one),
		TEST(lines_without_an_end),
		TEST(a_duration_ends_them),
		TEST(keys_are_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
