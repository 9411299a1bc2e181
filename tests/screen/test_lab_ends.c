/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Both ends of TCP on the real screen in the real lab: what it says of segments sent again and of
 * the timeouts is what the link did, and what tshark finds in the capture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/client.h"

#define F(n) ((VTermKey)VTERM_KEY_FUNCTION(n))
/* How much later than its timeout a segment may leave on a busy machine, and how much earlier the
 * clocks may say, ms. */
#define LATER 150
#define EARLIER 12
#define TIMES 12

static char capture[4096];

static struct terminal *lab_with(int rows, int columns, const char *options, const char *more)
{
	static char command[9000];
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	const char *const path = lab_path();
	struct terminal *t = term_open(rows, columns);

	snprintf(capture, sizeof capture, "%s/lab.pcapng", term_home(t));
	snprintf(command, sizeof command, "exec %s -q --pcap %s %s -- %s -t %s 10.9.0.2", path,
	    capture, options, client_path(), more);
	term_run(t, argv);
	term_expect(t, "tcp>");
	term_expect(t, "link: ");
	return t;
}

static struct terminal *lab(int rows, int columns, const char *options)
{
	return lab_with(rows, columns, options, "");
}

static void line(struct terminal *t, const char *text, const char *capitals)
{
	client_line(t, text);
	client_expect_pair(t, text, capitals);
}

static void drop(struct terminal *t, const char *what)
{
	char text[40];

	snprintf(text, sizeof text, "/drop next %s", what);
	client_line(t, text);
	snprintf(text, sizeof text, "the lab will drop next %s", what);
	term_expect(t, text);
}

static void leave(struct terminal *t)
{
	term_key(t, F(10), VTERM_MOD_NONE);
	assert_int_equal(term_exit_status(t), 0);
}

static const char *row_with(struct terminal *t, const char *text)
{
	int row, column;

	term_update(t);
	return term_find(t, text, &row, &column) ? term_row(t, row) : NULL;
}

/* --- what tshark says of the capture --- */

/* The payload that left a host: when, ms, and its number in the stream. */
struct segments {
	int count;
	double at[200];
	unsigned seq[200];
};

static FILE *tshark(const char *words)
{
	char command[9000];
	FILE *out;

	snprintf(command, sizeof command, "tshark -r %s %s 2>/dev/null", capture, words);
	out = popen(command, "r");
	assert_non_null(out);
	return out;
}

static void read_segments(struct segments *s, const char *host, const char *from)
{
	char words[400], one[100];
	FILE *out;

	snprintf(words, sizeof words,
	    "-Y 'frame.interface_name == \"%s\" && ip.src == %s && tcp.len > 0' -T fields "
	    "-e frame.time_epoch -e tcp.seq",
	    host, from);
	out = tshark(words);
	s->count = 0;
	while (fgets(one, sizeof one, out) && s->count < 200) {
		double at;

		assert_int_equal(sscanf(one, "%lf %u", &at, &s->seq[s->count]), 2);
		s->at[s->count++] = at * 1000;
	}
	assert_int_equal(pclose(out), 0);
	assert_true(s->count > 0);
}

/* How many segments tshark takes for sent again, as they left a host. */
static int sent_again(const char *host, const char *from)
{
	char words[400], one[100];
	int count = 0;
	FILE *out;

	snprintf(words, sizeof words,
	    "-2 -R 'frame.interface_name == \"%s\"' -Y 'ip.src == %s && "
	    "tcp.analysis.retransmission' "
	    "-T fields -e frame.number",
	    host, from);
	out = tshark(words);
	while (fgets(one, sizeof one, out))
		count++;
	assert_int_equal(pclose(out), 0);
	return count;
}

/* --- what the screen says --- */

/* The times before the tries after the first one: how many tries, how many times, and which of them
 * are timeouts. */
struct shown {
	int again, count;
	double times[TIMES];
	bool timeout[TIMES];
};

/* A time of three figures, "448 ms" or "1.79 s", in ms. */
static double read_ms(const char *text)
{
	char *unit;
	const double value = strtod(text, &unit);

	return strncmp(unit, " s", 2) == 0 ? 1000 * value : value;
}

/* Reads the detail area, or the page with all of it. `times` stands before how often the line or
 * its reply was sent; `way` is the direction of the packets. */
static struct shown read_shown(struct terminal *t, const char *times, const char *way)
{
	struct shown s = { .count = 0 };

	for (int row = 0; row < term_rows(t); row++) {
		const char *text = term_row(t, row), *at = strstr(text, times);
		const char *timeout = strstr(text, "RTO of "), *after = strstr(text, " after ");

		if (strncmp(text, " line ", 6) == 0 && at)
			s.again = atoi(at + strlen(times)) - 1;
		if (strncmp(text, " TCP ", 5) != 0 || !strstr(text, way) || (!timeout && !after) ||
		    s.count == TIMES)
			continue;
		s.timeout[s.count] = timeout != NULL;
		s.times[s.count++] = read_ms(timeout ? timeout + 7 : after + 7);
	}
	return s;
}

/* What the area shows of a line that is sent again. */
struct again {
	/* As for read_shown(). */
	const char *times, *way;
	/* The last timeouts that must be there. */
	int timeouts;
	struct shown shown;
};

/* A timeout is 200 ms (TCP_RTO_MIN of Linux) and the round trip, which is longer on a busy machine.
 */
static bool is_doubled(double timeout, double before)
{
	return before >= 200 && timeout > 1.98 * before && timeout < 2.02 * before;
}

/* Each further try has its time, and the last are timeouts, of which each is twice the one before.
 */
static bool all_times_known(struct terminal *t, void *context)
{
	struct again *a = context;
	const struct shown *s = &a->shown;

	term_update(t);
	a->shown = read_shown(t, a->times, a->way);
	if (s->again <= 0 || s->count != s->again || s->count < a->timeouts)
		return false;
	for (int i = s->count - a->timeouts + 1; i < s->count; i++)
		if (!s->timeout[i - 1] || !s->timeout[i] ||
		    !is_doubled(s->times[i], s->times[i - 1]))
			return false;
	return true;
}

static struct shown expect_again(struct terminal *t, const char *times, const char *way,
    int timeouts)
{
	struct again a = { times, way, timeouts, { .count = 0 } };

	term_expect_that(t, all_times_known, &a, "the time of each try, timeouts doubled");
	return a.shown;
}

/* Each time shown is the one between two tries of the segment sent most often; timeouts double. */
static void expect_times(const struct shown *s, const struct segments *seen)
{
	const unsigned seq = seen->seq[seen->count - 1];
	double before = 0, timeout = 0;
	int tries = 0;

	assert_int_equal(s->count, s->again);
	for (int i = 0; i < seen->count; i++) {
		if (seen->seq[i] != seq)
			continue;
		if (tries > 0) {
			const double between = seen->at[i] - before, shown = s->times[tries - 1];

			print_message("# %s %.0f ms, %.1f ms in the capture\n",
			    s->timeout[tries - 1] ? "RTO" : "after", shown, between);
			assert_true(tries <= s->count);
			assert_true(between > shown - EARLIER && between < shown + LATER);
			if (s->timeout[tries - 1] && timeout > 0)
				assert_true(is_doubled(shown, timeout));
			timeout = s->timeout[tries - 1] ? shown : timeout;
		}
		before = seen->at[i];
		tries++;
	}
	assert_int_equal(tries - 1, s->again);
	assert_true(timeout > 0);
}

/* --- the tests --- */

static void requests_dropped(void **state)
{
	struct terminal *t = lab(40, 140, "");
	struct segments seen;
	struct shown s;
	char words[40];

	(void)state;
	line(t, "hello", "1 HELLO");
	for (int i = 0; i < 4; i++)
		drop(t, "request");
	client_line(t, "thrice");
	/* While it waits. */
	client_expect_pair(t, "2 thrice", "× again, ");
	term_expect(t, " TCP waits for the RTO of ");
	term_expect(t, "(doubled ");
	client_expect_pair(t, "2 thrice", "2 THRICE");
	client_expect_pair(t, "2 thrice", "4× again");
	/* The last reason may be known a moment later. */
	s = expect_again(t, ", sent ", "  going  ", 3);
	assert_int_equal(s.again, 4);
	snprintf(words, sizeof words, "here: %d ", s.again);
	term_expect(t, words);
	leave(t);
	read_segments(&seen, "near", "10.9.0.1");
	expect_times(&s, &seen);
	assert_int_equal(sent_again("near", "10.9.0.1"), s.again);
}

static void replies_dropped(void **state)
{
	struct terminal *t = lab(40, 140, "");
	struct segments seen;
	struct shown s;
	char words[40];

	(void)state;
	line(t, "hello", "1 HELLO");
	for (int i = 0; i < 3; i++)
		drop(t, "reply");
	client_line(t, "lost");
	client_expect_pair(t, "2 lost", "lost coming, ");
	term_expect(t, " TCP waits for the server's RTO of ");
	client_expect_pair(t, "2 lost", "2 LOST");
	term_expect(t, "server: 3 ");
	/* The last reason may be known a moment later. */
	s = expect_again(t, ", its reply sent ", "  coming  ", 2);
	snprintf(words, sizeof words, "server: %d ", s.again);
	term_expect(t, words);
	leave(t);
	read_segments(&seen, "far", "10.9.0.2");
	expect_times(&s, &seen);
	assert_int_equal(sent_again("far", "10.9.0.2"), s.again);
}

/* The number behind `words` on the screen; -1 if they are not there. */
static long number_behind(struct terminal *t, const char *words)
{
	const char *row = row_with(t, words);

	return row ? strtol(strstr(row, words) + strlen(words), NULL, 10) : -1;
}

/* On the page of /link: what the link counted is what both kernels did. */
static bool ends_agree(struct terminal *t, void *context)
{
	const char *row = row_with(t, "sent again: ");
	long *again = context;

	if (!row || sscanf(strstr(row, "sent again: "), "sent again: %ld going, %ld coming",
	                &again[0], &again[1]) != 2)
		return false;
	return number_behind(t, "here: ") == again[0] && number_behind(t, "server: ") == again[1];
}

static void dice(void **state)
{
	struct terminal *t = lab(30, 100, "--loss 25% --seed 3");
	char text[40], capitals[40];
	long again[2];

	(void)state;
	for (int i = 1; i <= 12; i++) {
		snprintf(text, sizeof text, "%d line", i);
		snprintf(capitals, sizeof capitals, "%d LINE", i);
		line(t, text + strcspn(text, " ") + 1, capitals);
	}
	client_expect_compared(t, 12);
	client_line(t, "/link");
	term_expect(t, "This end's TCP");
	term_expect(t, "The server's TCP");
	term_expect_that(t, ends_agree, again, "both kernels sent again what the link saw again");
	print_message("# sent again: %ld by the client, %ld by the server\n", again[0], again[1]);
	assert_true(again[0] > 0 && again[1] > 0);
	term_type(t, "q");
	leave(t);
	assert_int_equal(sent_again("near", "10.9.0.1"), again[0]);
	assert_int_equal(sent_again("far", "10.9.0.2"), again[1]);
}

/* On a screen of 80x24 all of it is there too: the area says how much is left out, and Enter on an
 * empty line shows it on a page. */
static void small_screen(void **state)
{
	struct terminal *t = lab(24, 80, "");

	(void)state;
	line(t, "hello", "1 HELLO");
	client_expect_pair(t, "here: 0 sent again, RTO ", "server: 0 sent again, RTO ");
	client_line(t, "/unplug 1500ms");
	term_expect(t, "link: unplugged");
	client_line(t, "long");
	client_expect_pair(t, "here: ", "(×4)");
	client_expect_pair(t, "2 long", "× again, ");
	client_expect_pair(t, "2 long", "2 LONG");
	term_expect(t, " more: Alt-Up, then Enter on an empty line shows all");
	term_key(t, VTERM_KEY_UP, VTERM_MOD_ALT);
	term_expect(t, " more: Enter on an empty line shows all");
	term_type(t, "\r");
	term_expect(t, "Esc or F1 leaves");
	expect_again(t, ", sent ", "  going  ", 2);
	term_type(t, "q");
	term_expect_gone(t, "Esc or F1 leaves");
	term_key(t, VTERM_KEY_ESCAPE, VTERM_MOD_NONE);
	term_resize(t, 24, 50);
	client_expect_pair(t, "2 long", "2 LONG (");
	term_expect(t, "× again");
	/* Over UDP there is no such thing. */
	term_key(t, F(2), VTERM_MOD_NONE);
	term_expect_gone(t, "here: ");
	term_key(t, F(2), VTERM_MOD_NONE);
	term_expect(t, "here: ");
	/* Another connection has counts of its own. */
	client_line(t, "/connect 10.9.0.2");
	client_line(t, "anew");
	term_expect(t, "ANEW");
	client_expect_pair(t, "here: 0 ", "server: 0 ");
	leave(t);
}

/* The reply to the third line, "lost", is dropped three times. */
static void drop_three_times(struct terminal *t)
{
	line(t, "hello", "1 HELLO");
	line(t, "again", "2 AGAIN");
	client_line(t, "/drop tcp reply:1x3");
	term_expect(t, "link: will drop");
	client_line(t, "lost");
	client_expect_pair(t, "3 lost", "lost coming");
}

/* A line whose reply has come waits for the one before it, and then says how long. */
static void who_waits_for_whom(void **state)
{
	struct terminal *t = lab(40, 120, "");

	(void)state;
	drop_three_times(t);
	client_line(t, "held");
	client_expect_pair(t, "4 held", "  behind line 3, ");
	term_resize(t, 24, 80);
	client_expect_pair(t, "4 held", "  behind 3, ");
	term_expect(t, "TCP waits behind line 3 here");
	client_expect_pair(t, "4 held", "4 HELD");
	client_expect_pair(t, "4 held", ", behind 3 ");
	client_expect_pair(t, "TCP waited ", "s behind line 3 here");
	term_resize(t, 40, 120);
	client_expect_pair(t, "4 held", "s, waited ");
	client_expect_pair(t, "4 held", "s behind line 3 ");
	term_resize(t, 12, 40);
	client_expect_pair(t, "HELD", "(");
	term_resize(t, 60, 80);
	client_line(t, "/stats");
	client_expect_pair(t, "behind other lines", " in 1 line");
	term_type(t, "q");
	leave(t);
	term_expect(t, "1 line waited ");
	term_expect(t, " behind others' segments (head-of-line blocking)");
}

/* Over a connection of its own a line does not wait. */
static void over_two_connections(void **state)
{
	struct terminal *t = lab_with(60, 80, "", "--connections 2");

	(void)state;
	drop_three_times(t);
	line(t, "free", "4 FREE");
	assert_null(strstr(row_with(t, "3 lost"), "LOST"));
	/* Each has its own. */
	assert_null(row_with(t, "TCP here"));
	assert_null(row_with(t, "waits for the"));
	client_expect_pair(t, "3 lost", "3 LOST");
	client_line(t, "/stats");
	client_expect_pair(t, "connections", "2");
	assert_null(row_with(t, "behind other"));
	term_type(t, "q");
	leave(t);
}

/* A server of one's own that has no control socket: this end alone is known, and nothing is said of
 * that. */
static void other_server(void **state)
{
	char options[9000];
	const char *build = getenv("abs_top_builddir");
	struct terminal *t;

	(void)state;
	snprintf(options, sizeof options, "--far \"%s/server/upcased --bind 10.9.0.2\"",
	    build ? build : ".");
	t = lab(24, 80, options);
	line(t, "hello", "1 HELLO");
	client_expect_pair(t, "TCP here: 0 sent again, ", "RTO ");
	assert_null(row_with(t, "server: "));
	leave(t);
}

/* Where the kernels tell nothing, what the link saw is all that is said. */
static void nothing_is_guessed(void **state)
{
	struct terminal *t = lab(50, 140, "");

	(void)state;
	line(t, "hello", "1 HELLO");
	drop(t, "request");
	drop(t, "request");
	client_line(t, "twice");
	client_expect_pair(t, "2 twice", "2 TWICE");
	client_expect_pair(t, "2 twice", "2× again");
	term_expect(t, "sent again after ");
	assert_null(row_with(t, "RTO"));
	assert_null(row_with(t, "here: "));
	client_line(t, "/link");
	term_expect(t, "This end's TCP");
	term_expect(t, "not known here");
	assert_null(row_with(t, "The server's TCP"));
	term_type(t, "q");
	leave(t);
}

int main(void)
{
	const struct CMUnitTest unknown[] = {
		cmocka_unit_test_teardown(nothing_is_guessed, client_teardown),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(requests_dropped, client_teardown),
		cmocka_unit_test_teardown(replies_dropped, client_teardown),
		cmocka_unit_test_teardown(dice, client_teardown),
		cmocka_unit_test_teardown(small_screen, client_teardown),
		cmocka_unit_test_teardown(who_waits_for_whom, client_teardown),
		cmocka_unit_test_teardown(over_two_connections, client_teardown),
		cmocka_unit_test_teardown(other_server, client_teardown),
	};

	return HAVE_TCP_INFO ? cmocka_run_group_tests(tests, NULL, NULL)
	                     : cmocka_run_group_tests(unknown, NULL, NULL);
}
