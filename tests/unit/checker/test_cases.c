/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the texts of cases: the program's own, and what is wrong with others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "checker/cases-text.h"
#include "checker/cases.h"
#include "checker/steps.h"

static struct case_table table;
static char text[100000], reason[CASES_REASON];

static int read_cases(const char *is)
{
	assert_true(strlen(is) < sizeof text);
	strcpy(text, is);
	table = (struct case_table){ .known = steps_known };
	*reason = '\0';
	return cases_read(&table, text, reason);
}

static void a_case_has_what_its_lines_say(void **state)
{
	const struct check_case *c;

	(void)state;
	assert_int_equal(read_cases("# one\n\ncase one robust udp command\ntitle a  title\n"
	                            "why because\nopen\n# between\n\nask  two words\nask\n"
	                            "case two unicode\nwhy none"),
	    0);
	assert_int_equal(table.count, 2);
	c = &table.cases[0];
	assert_string_equal(c->name, "one");
	assert_string_equal(c->title, "a  title");
	assert_string_equal(c->why, "because");
	assert_int_equal(c->level, CASE_ROBUST);
	assert_int_equal(c->needs, CASE_UDP | CASE_COMMAND);
	assert_int_equal(c->points, 1);
	assert_int_equal(c->step_count, 3);
	/* One behind the other, without what was between. */
	assert_memory_equal(c->steps, "open\0ask  two words\0ask",
	    sizeof "open\0ask  two words\0ask");
	c = &table.cases[1];
	assert_int_equal(c->level, CASE_UNICODE);
	assert_int_equal(c->needs, 0);
	assert_int_equal(c->step_count, 0);
	assert_string_equal(c->title, "");
	assert_string_equal(c->why, "none");
}

static void all_needs_and_levels_are_known(void **state)
{
	(void)state;
	assert_int_equal(read_cases("case a textbook udp tcp command lossless lines"), 0);
	assert_int_equal(table.cases[0].needs,
	    CASE_UDP | CASE_TCP | CASE_COMMAND | CASE_LOSSLESS | CASE_LINES);
	assert_int_equal(table.cases[0].level, CASE_TEXTBOOK);
}

static void a_case_is_found_by_its_whole_name(void **state)
{
	(void)state;
	assert_int_equal(read_cases("case one textbook\ncase one-more robust\n"), 0);
	assert_ptr_equal(cases_find(&table, "one", 3), &table.cases[0]);
	assert_ptr_equal(cases_find(&table, "one-more,two", 8), &table.cases[1]);
	assert_null(cases_find(&table, "on", 2));
	assert_null(cases_find(&table, "one-", 4));
	assert_null(cases_find(&table, "", 0));
}

static void a_wrong_line_is_named(void **state)
{
	static const char *const rows[][3] = {
		{ "open\n", "line 1: 'open' ", "before the first case" },
		{ "title x\n", "line 1: ", "before the first case" },
		{ "case x textbook\n\n# c\njump\n", "line 4: 'jump' ", "no step" },
		{ "case x textbook\nopening\n", "line 2: 'opening' ", "no step" },
		{ "case x textbook\n open\n", "line 2: ' open' ", "no step" },
		{ "case x textbook\nopen\ntitle x\n", "line 3: 'title x' ", "no step" },
		{ "case\n", "line 1: 'case' ", "needs a name and a level" },
		{ "case x\n", "line 1: ", "needs a name and a level: " CASES_LEVELS },
		{ "case x hard\n", "line 1: ", "needs a name and a level" },
		{ "case x textbook sctp\n",
		    "line 1: ", "can need udp, tcp, command, lossless, lines" },
		{ "case x textbook udp  tcp\n", "line 1: ", "can need" },
		{ "case x textbook\ncase x robust\n", "line 2: ", "the name of another case" },
		{ "case x textbook\nsend \xff\n", "line 2: ", "no text" },
		{ "case x textbook\ntitle a\tb\n", "line 2: ", "no text" },
		{ "case x textbook\nwhy \033[31m\n", "line 2: ", "no text" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(read_cases(rows[i][0]), -1);
		if (strncmp(reason, rows[i][1], strlen(rows[i][1])) != 0 ||
		    !strstr(reason, rows[i][2]))
			fail_msg("row %zu: \"%s\"", i, reason);
	}
}

static void there_is_room_for_so_many(void **state)
{
	char all[CASES_MAX * 40];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < CASES_MAX; i++)
		n += (size_t)snprintf(all + n, sizeof all - n, "case c%d textbook\nopen\n", i);
	assert_int_equal(read_cases(all), 0);
	assert_int_equal(table.count, CASES_MAX);
	snprintf(all + n, sizeof all - n, "case more textbook\n");
	assert_int_equal(read_cases(all), -1);
	assert_non_null(strstr(reason, "one case too many"));
}

/* Each of the program's own has all that a reader of its report is told. */
static void own_cases_are_whole(void **state)
{
	static const char *const own[] = { cases_server, cases_client };

	(void)state;
	for (int side = 0; side < 2; side++) {
		if (read_cases(own[side]) != 0)
			fail_msg("%s", reason);
		assert_in_range(table.count, 15, CASES_MAX);
		for (int i = 0; i < table.count; i++) {
			const struct check_case *c = &table.cases[i];

			if (!*c->title || !*c->why || c->step_count == 0 || strlen(c->name) > 14)
				fail_msg("%s is not whole", c->name);
			/* The easy ones come first. */
			if (i > 0 && c->level < c[-1].level)
				fail_msg("%s stands behind harder ones", c->name);
		}
	}
}

static void steps_are_words(void **state)
{
	(void)state;
	assert_true(steps_known("open"));
	assert_true(steps_known("ask hello"));
	assert_false(steps_known(""));
	assert_false(steps_known("op"));
	assert_false(steps_known("opens"));
	assert_false(steps_known(" open"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_case_has_what_its_lines_say),
		cmocka_unit_test(all_needs_and_levels_are_known),
		cmocka_unit_test(a_case_is_found_by_its_whole_name),
		cmocka_unit_test(a_wrong_line_is_named),
		cmocka_unit_test(there_is_room_for_so_many),
		cmocka_unit_test(own_cases_are_whole),
		cmocka_unit_test(steps_are_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
