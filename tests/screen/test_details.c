/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows and details in the real lab with loss, on screens of four sizes: each line is one row,
 * arrows have one length, and the packets that the details list are those of the link's own log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/client.h"

#define LINES 6
#define PACKETS 60
/* How much the times of the link's log, which have three decimals, and those of three figures on
 * the screen may differ, s. */
#define CLOSE 0.012

/* A line's packets: "going" or "coming", whether they arrived, and when, s. */
struct packets {
	int count;
	bool coming[PACKETS], arrived[PACKETS];
	double at[PACKETS];
};

static char log_path[4096];

static struct terminal *lab(int rows, int columns)
{
	static char command[14000];
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	const char *const path = lab_path();
	struct terminal *t = term_open(rows, columns);

	snprintf(log_path, sizeof log_path, "%s/watch", term_home(t));
	snprintf(command, sizeof command,
	    "exec %s -q --seed %d --loss 25%% --delay 20ms -- sh -c '%s ctl watch > %s 2>&1 & watch=$!; "
	    "%s --both --wait 500ms 10.9.0.2; kill $watch'",
	    path, rows, path, log_path, client_path());
	term_run(t, argv);
	term_expect(t, "both>");
	term_expect(t, "connected ");
	return t;
}

/* Line 1 is "aa", line 2 "bbb": each has its own length. */
static const char *text_of(int number, char first)
{
	static char text[LINES + 2];

	memset(text, first + number - 1, (size_t)number + 1);
	text[number + 1] = '\0';
	return text;
}

/* The row of a line; -1 if it is not seen. */
static int row_of(struct terminal *t, int number)
{
	char words[40];
	int row, column;

	snprintf(words, sizeof words, " %d %s", number, text_of(number, 'a'));
	return term_find(t, words, &row, &column) ? row : -1;
}

static bool is_decided(struct terminal *t, void *context)
{
	const int number = *(const int *)context;
	int row;

	term_update(t);
	row = row_of(t, number);
	return row >= 0 && strstr(term_row(t, row), text_of(number, 'A')) &&
	       !strstr(term_row(t, row), "·") && !strstr(term_row(t, row), "queued");
}

static void type_lines(struct terminal *t)
{
	for (int i = 1; i <= LINES; i++) {
		client_line(t, text_of(i, 'a'));
		term_expect_that(t, is_decided, &i, "a line over both is decided");
	}
}

/* --- rows --- */

static void expect_one_row_each(struct terminal *t)
{
	int last = row_of(t, LINES);

	assert_true(last > 0);
	for (int i = LINES - 1; i >= 1 && row_of(t, i) >= 0; i--)
		assert_int_equal(row_of(t, i), last - (LINES - i));
	assert_int_equal(row_of(t, LINES - 1), last - 1);
}

/* Adds the lengths of the whole arrows of one sign in a row to a set of bits. */
static unsigned arrow_lengths(const char *row, const char *sign)
{
	unsigned lengths = 0;
	int length = 0;

	for (; *row; row++) {
		if (strncmp(row, sign, strlen(sign)) == 0) {
			length++;
			row += strlen(sign) - 1;
		} else if (strncmp(row, "▶", strlen("▶")) == 0) {
			lengths |= length > 0 ? 1u << length : 0;
			length = 0;
		} else {
			length = 0;
		}
	}
	return lengths;
}

static void expect_one_length(struct terminal *t)
{
	unsigned lengths = 0;

	for (int row = 0; row < term_rows(t); row++)
		lengths |= arrow_lengths(term_row(t, row), "─") |
		           arrow_lengths(term_row(t, row), "━");
	assert_true(lengths != 0);
	assert_int_equal(lengths & (lengths - 1), 0);
}

/* --- packets --- */

static void read_log(struct packets *p, const char *protocol, int length)
{
	char one[300], bytes[40], word[20];
	FILE *in = fopen(log_path, "r");

	assert_non_null(in);
	snprintf(bytes, sizeof bytes, " %d bytes (", length);
	p->count = 0;
	while (fgets(one, sizeof one, in) && p->count < PACKETS) {
		char way[20], name[20];

		if (sscanf(one, "%lf %19s %19s", &p->at[p->count], way, name) != 3 ||
		    strcmp(name, protocol) != 0 || !strstr(one, bytes))
			continue;
		assert_int_equal(sscanf(strstr(one, "): "), "): %19s", word), 1);
		p->coming[p->count] = strcmp(way, "back") == 0;
		p->arrived[p->count++] = strncmp(word, "delivered", 9) == 0;
	}
	fclose(in);
}

static void read_screen(struct terminal *t, struct packets *p, const char *transport)
{
	p->count = 0;
	for (int row = 0; row < term_rows(t) && p->count < PACKETS; row++) {
		char name[20], unit[20], way[20], fate[20];

		if (sscanf(term_row(t, row), " %19s %lf %19s %19s %19s", name, &p->at[p->count],
		        unit, way, fate) != 5 ||
		    strcmp(name, transport) != 0 || !strstr("going coming", way))
			continue;
		p->at[p->count] *= strcmp(unit, "ms") == 0 ? 1e-3
		                 : strcmp(unit, "s") == 0  ? 1
		                                           : 1e-6;
		p->coming[p->count] = strcmp(way, "coming") == 0;
		p->arrived[p->count++] = strcmp(fate, "arrived") == 0;
	}
}

/* A page that is `cut`, on a low screen, may end before the last packet. */
static void expect_same(const struct packets *shown, const struct packets *logged, int number,
    bool cut)
{
	print_message("# line %d: %d packets shown, %d logged\n", number, shown->count,
	    logged->count);
	assert_true(shown->count > 0);
	assert_true(cut ? shown->count <= logged->count : shown->count == logged->count);
	for (int i = 0; i < shown->count; i++) {
		const double shift = (shown->at[i] - shown->at[0]) -
		                     (logged->at[i] - logged->at[0]);

		assert_int_equal(shown->coming[i], logged->coming[i]);
		assert_int_equal(shown->arrived[i], logged->arrived[i]);
		assert_true(shift > -CLOSE && shift < CLOSE);
	}
}

/* Selects each line from the newest on, and compares its page. */
static void compare_pages(struct terminal *t)
{
	for (int i = LINES; i >= 1; i--) {
		struct packets shown, logged;
		char words[40];

		term_key(t, VTERM_KEY_UP, VTERM_MOD_ALT);
		snprintf(words, sizeof words, "▸ %d %s", i, text_of(i, 'a'));
		term_expect(t, words);
		snprintf(words, sizeof words, " line %d, UDP: ", i);
		term_expect(t, words);
		term_type(t, "\r");
		term_expect(t, "Esc or F1 leaves");
		term_expect(t, words);
		read_screen(t, &shown, "UDP");
		read_log(&logged, "udp", i + 1);
		expect_same(&shown, &logged, i, term_rows(t) < 24);
		read_screen(t, &shown, "TCP");
		read_log(&logged, "tcp", i + 2);
		expect_same(&shown, &logged, i, term_rows(t) < 24);
		term_type(t, "q");
		term_expect_gone(t, "Esc or F1 leaves");
	}
}

/* --- the tests --- */

static void leave(struct terminal *t)
{
	term_key(t, (VTermKey)VTERM_KEY_FUNCTION(10), VTERM_MOD_NONE);
	term_exit_status(t);
}

static void on_usual_screens(void **state)
{
	static const int sizes[][2] = { { 24, 80 }, { 40, 120 }, { 18, 64 } };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct terminal *t = lab(sizes[i][0], sizes[i][1]);

		type_lines(t);
		expect_one_row_each(t);
		expect_one_length(t);
		term_expect(t, " line 6, UDP: ");
		compare_pages(t);
		term_key(t, VTERM_KEY_ESCAPE, VTERM_MOD_NONE);
		term_expect_gone(t, "▸");
		leave(t);
	}
}

/* The smallest screen has no area, but the page. */
static void on_a_small_screen(void **state)
{
	struct terminal *t = lab(12, 40);
	int row, column;

	(void)state;
	type_lines(t);
	expect_one_row_each(t);
	assert_false(term_find(t, " line 6", &row, &column));
	term_key(t, VTERM_KEY_UP, VTERM_MOD_ALT);
	term_expect(t, "▸ 6 ");
	term_type(t, "\r");
	term_expect(t, " line 6, UDP: ");
	term_type(t, "q");
	leave(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(on_usual_screens, client_teardown),
		cmocka_unit_test_teardown(on_a_small_screen, client_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
