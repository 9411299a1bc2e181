/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client asks the terminal for its background, uses the answer whenever it comes, and leaves
 * none of it to the line of input or to the shell. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/client.h"

#define QUESTION "\033]11;?\033\\\033[c"
#define ATTRIBUTES "\033[?64;1;2c"
#define WHITE "\033]11;rgb:ffff/ffff/ffff\033\\"
#define BLACK "\033]11;rgb:0000/0000/0000\a"

/* The colours of UDP. */
enum { ON_BOTH = 130, ON_DARK = 215, ON_LIGHT = 94 };

/* A client in a terminal with that answer; `entry` of the environment and the argument may be NULL.
 */
static struct terminal *start(const char *answer, const char *entry, const char *argument)
{
	const char *const argv[] = { client_path(), argument, NULL };
	struct terminal *t = term_open(24, 80);
	const char *value = entry ? strchr(entry, '=') : NULL;
	char name[20] = "";
	if (value) {
		memcpy(name, entry, (size_t)(value - entry));
		term_setenv(t, name, value + 1);
	}
	term_answer(t, answer);
	term_run_job(t, argv);
	term_expect(t, "udp>");
	return t;
}

static bool udp_has_colour(struct terminal *t, void *context)
{
	const VTermScreenCell cell = term_cell(t, 0, 1);
	return cell.chars[0] == 'U' && VTERM_COLOR_IS_INDEXED(&cell.fg) &&
	       cell.fg.indexed.idx == *(const int *)context;
}

static void expect_colour(struct terminal *t, int colour)
{
	term_expect_that(t, udp_has_colour, &colour, "that colour of UDP");
}

static bool asked(struct terminal *t)
{
	size_t n;
	const char *raw = term_raw(t, &n);
	return memmem(raw, n, QUESTION, strlen(QUESTION)) != NULL;
}

/* Nothing was typed, and the client works. */
static void expect_untouched(struct terminal *t)
{
	client_line(t, "hello");
	client_expect_pair(t, "1 hello", "1 HELLO");
}

static void uses_the_answer(void **state)
{
	static const struct {
		const char *answer;
		int colour;
	} cases[] = {
		{ WHITE ATTRIBUTES, ON_LIGHT },
		{ BLACK ATTRIBUTES, ON_DARK },
		{ "\033]11;rgba:ff/ff/ff/80\a" ATTRIBUTES, ON_LIGHT },
		{ "\xc2\x9d"
		  "11;#300a24\xc2\x9c\xc2\x9b?6c",
		    ON_DARK },
		{ "\x9d"
		  "11;#fdf6e3\x9c\x9b?6c",
		    ON_LIGHT },
		{ ATTRIBUTES, ON_BOTH },
		{ "\033]11;rgb:none\033\\\033]11;\a\033]10;rgb:0/0/0\a" ATTRIBUTES, ON_BOTH },
		{ "", ON_BOTH },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct terminal *t = start(cases[i].answer, NULL, NULL);
		assert_true(asked(t));
		expect_colour(t, cases[i].colour);
		expect_untouched(t);
		expect_colour(t, cases[i].colour);
		term_close(t);
	}
}

/* In pieces, late, between what is typed: it is used, and never typed. */
static void uses_a_late_answer(void **state)
{
	struct terminal *t = start(ATTRIBUTES, NULL, NULL);
	(void)state;
	for (size_t i = 0; i < strlen(WHITE); i++) {
		term_bytes(t, &WHITE[i], 1);
		term_update(t);
	}
	expect_colour(t, ON_LIGHT);
	term_type(t, "ab" BLACK "cd");
	term_expect(t, "udp> abcd");
	expect_colour(t, ON_DARK);
	term_type(t, "\r");
	client_expect_pair(t, "1 abcd", "1 ABCD");
}

static void asks_only_if_need_be(void **state)
{
	static const struct {
		const char *entry, *argument;
	} cases[] = {
		{ "COLORFGBG=15;0", NULL },
		{ NULL, "--background=dark" },
		{ "NO_COLOR=1", NULL },
		{ NULL, "--color=never" },
		{ "TERM=linux", NULL },
		{ "TERM=vt220", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct terminal *t = start(NULL, cases[i].entry, cases[i].argument);
		expect_untouched(t);
		/* Nor does an answer count that was not asked for. */
		term_type(t, WHITE "x");
		term_expect(t, "udp> x");
		if (asked(t))
			fail_msg("case %zu: asked", i);
		if (i < 2)
			expect_colour(t, ON_DARK);
		term_close(t);
	}
}

/* A program that ends before the answer comes, or stops, waits for it: the shell does not get it.
 */
static void leaves_nothing_to_the_shell(void **state)
{
	static const char *const cat[] = { "cat", "-v", NULL };
	struct terminal *t = start("", NULL, NULL);
	(void)state;
	term_type(t, "\x1a");
	term_type(t, WHITE ATTRIBUTES);
	term_expect(t, "[stopped]");
	term_type(t, "fg\n");
	term_expect_gone(t, "[stopped]");
	expect_colour(t, ON_LIGHT);
	client_leave(t);
	term_close(t);

	t = start("", NULL, NULL);
	term_type(t, "\033[21~");
	term_type(t, WHITE ATTRIBUTES);
	assert_int_equal(term_exit_status(t), 0);
	term_run(t, cat);
	term_type(t, "after\n\x04");
	term_expect(t, "after");
	assert_int_equal(term_exit_status(t), 0);
	for (int row = 0; row < term_rows(t); row++)
		assert_null(strstr(term_row(t, row), "rgb:"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(uses_the_answer, client_teardown),
		cmocka_unit_test_teardown(uses_a_late_answer, client_teardown),
		cmocka_unit_test_teardown(asks_only_if_need_be, client_teardown),
		cmocka_unit_test_teardown(leaves_nothing_to_the_shell, client_teardown),
	};
	return cmocka_run_group_tests_name("background", tests, NULL, NULL);
}
